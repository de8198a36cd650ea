"""Write the prediction files of examples/data/.

    python xtask/examples/make_examples.py

Needs scikit-learn (which ships the data sets) and pyarrow. Every prediction is
out of sample: each row is predicted by a model that was trained without it.
"""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "data"


def scaled(model):
    return make_pipeline(StandardScaler(), model)


def diabetes():
    x, y = load_diabetes(return_X_y=True, scaled=False)
    folds = KFold(5, shuffle=True, random_state=0)
    age_group = np.select([x[:, 0] < 40, x[:, 0] < 60], ["19-39", "40-59"], "60-79")
    _, group, size = np.unique(age_group, return_inverse=True, return_counts=True)
    return {
        "y": y,
        "ridge": cross_val_predict(scaled(Ridge(1.0)), x, y, cv=folds),
        "boosting": cross_val_predict(
            GradientBoostingRegressor(max_depth=2, subsample=0.5, random_state=0), x, y, cv=folds
        ),
        "sex": np.where(x[:, 1] == 1, "female", "male"),
        "age_group": age_group,
        # Each age group counts the same, and the weights sum to the rows.
        "weight": len(y) / (len(size) * size[group]),
    }


def breast_cancer():
    data = load_breast_cancer()
    x, y = data.data, data.target
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    logistic = scaled(LogisticRegression(C=1.0))
    radius = x[:, list(data.feature_names).index("mean radius")]
    return {
        "y": y,
        "score": cross_val_predict(logistic, x, y, cv=folds, method="decision_function"),
        "probability": cross_val_predict(logistic, x, y, cv=folds, method="predict_proba")[:, 1],
        "tree_score": cross_val_predict(
            GradientBoostingClassifier(random_state=0), x, y, cv=folds, method="decision_function"
        ),
        "size": np.select([radius < 12, radius < 15], ["small", "medium"], "large"),
    }


def digits():
    x, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    logistic = scaled(LogisticRegression(C=0.1, max_iter=1000))

    def predicted(method):
        return nine_digits(cross_val_predict(logistic, x, y, cv=folds, method=method))

    half = np.where(np.arange(len(y)) < len(y) // 2, "first", "second")
    return y, half, predicted("decision_function"), predicted("predict_proba")


def nine_digits(x):
    """Rounded to 9 significant digits, which keeps the digits files small."""
    return np.array([[float(f"{e:.9g}") for e in row] for row in x])


def numbered(name, x):
    return {f"{name}_{c}": x[:, c] for c in range(x.shape[1])}


def write_csv(name, columns):
    with open(FOLDER / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        # Python's floats are written with as many digits as round-trip.
        out.writerows(zip(*(np.asarray(x).tolist() for x in columns.values())))


def write_parquet(name, columns, compression, row_group_size):
    def arrow(x):
        x = pa.array(x.tolist(), pa.list_(pa.float64(), x.shape[1])) if x.ndim == 2 else pa.array(x)
        return x.dictionary_encode() if pa.types.is_string(x.type) else x

    table = pa.table({key: arrow(np.asarray(x)) for key, x in columns.items()})
    texts = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    # Measured numbers hardly repeat: a dictionary of them would only add bytes.
    pq.write_table(
        table,
        FOLDER / f"{name}.parquet",
        compression=compression,
        row_group_size=row_group_size,
        use_dictionary=texts,
    )


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)

    for name, columns, row_group_size in [("diabetes", diabetes(), 100), ("breast_cancer", breast_cancer(), 150)]:
        write_csv(name, columns)
        write_parquet(name, columns, "snappy", row_group_size)

    y, half, scores, probabilities = digits()
    columns = {"y": y, **numbered("score", scores), **numbered("probability", probabilities), "half": half}
    write_csv("digits", columns)
    write_parquet("digits", {**columns, "scores": scores}, "zstd", 500)
    np.savez_compressed(FOLDER / "digits.npz", y=y, scores=scores)


if __name__ == "__main__":
    main()
