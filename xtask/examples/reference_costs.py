"""Write testdata/reference/examples.json: costs of the files in examples/data/.

    python xtask/examples/reference_costs.py           write the file
    python xtask/examples/reference_costs.py --check   fail if it differs

Needs NumPy and SciPy. It shares no code with the library: each loss is a line
of NumPy in float64, and sums are exact until their last rounding (math.fsum).
"""

import csv
import json
import math
import sys
from pathlib import Path

import numpy as np
from scipy.special import logsumexp, xlog1py, xlogy

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples" / "data"
OUTPUT = ROOT / "testdata" / "reference" / "examples.json"


def quantile(p, y, level=0.5):
    return level * np.maximum(y - p, 0) + (1 - level) * np.maximum(p - y, 0)


def huber(p, y, delta=1.0):
    r = np.abs(p - y)
    return np.where(r <= delta, r**2 / 2, delta * (r - delta / 2))


def smooth_l1(p, y, beta=1.0):
    r = np.abs(p - y)
    return np.where(r < beta, r**2 / (2 * beta), r - beta / 2) if beta > 0 else r


def log_cosh(p, y):
    r = np.abs(p - y)
    return r + np.log1p(np.exp(-2 * r)) - math.log(2)


def binary_cross_entropy_with_logits(p, y, pos_weight=1.0):
    return pos_weight * y * np.logaddexp(0, -p) + (1 - y) * np.logaddexp(0, p)


def distribution(y, classes, label_smoothing):
    return (1 - label_smoothing) * np.eye(classes)[y.astype(int)] + label_smoothing / classes


def categorical_cross_entropy(p, y, label_smoothing=0.0):
    return -np.sum(xlogy(distribution(y, p.shape[1], label_smoothing), p), axis=1)


def softmax_cross_entropy(s, y, label_smoothing=0.0):
    # logsumexp - s would cancel where the prediction is nearly perfect.
    minus_ln_softmax = np.column_stack([logsumexp(s - s[:, [c]], axis=1) for c in range(s.shape[1])])
    return np.sum(distribution(y, s.shape[1], label_smoothing) * minus_ln_softmax, axis=1)


def on_margin(loss):
    """The target 0 or 1 of the file is -1 or 1 in the margin."""
    return lambda p, y: loss((2 * y - 1) * p)


LOSSES = {
    "squared_error": lambda p, y: (p - y) ** 2,
    "absolute_error": lambda p, y: np.abs(p - y),
    "huber": huber,
    "smooth_l1": smooth_l1,
    "log_cosh": log_cosh,
    "quantile": quantile,
    "zero_one": on_margin(lambda m: np.where(m <= 0, 1.0, 0.0)),
    "perceptron": on_margin(lambda m: np.maximum(0, -m)),
    "hinge": on_margin(lambda m: np.maximum(0, 1 - m)),
    "squared_hinge": on_margin(lambda m: np.maximum(0, 1 - m) ** 2),
    "logistic": on_margin(lambda m: np.logaddexp(0, -m)),
    "exponential": on_margin(lambda m: np.exp(-m)),
    "binary_cross_entropy": lambda p, y: -xlogy(y, p) - xlog1py(1 - y, -p),
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "categorical_cross_entropy": categorical_cross_entropy,
    "softmax_cross_entropy": softmax_cross_entropy,
}

REGRESSION = [
    ("squared_error", {}),
    ("absolute_error", {}),
    ("huber", {}),
    ("huber", {"delta": 1.0}),
    ("huber", {"delta": 50.0}),
    ("smooth_l1", {}),
    ("smooth_l1", {"beta": 1.0}),
    ("smooth_l1", {"beta": 50.0}),
    ("smooth_l1", {"beta": 0.0}),
    ("log_cosh", {}),
    ("quantile", {}),
    ("quantile", {"level": 0.5}),
    ("quantile", {"level": 0.9}),
    ("quantile", {"level": 0.05}),
]
SCORE = [
    ("zero_one", {}),
    ("perceptron", {}),
    ("hinge", {}),
    ("squared_hinge", {}),
    ("logistic", {}),
    ("exponential", {}),
    ("binary_cross_entropy_with_logits", {}),
    ("binary_cross_entropy_with_logits", {"pos_weight": 2.0}),
    ("binary_cross_entropy_with_logits", {"pos_weight": 0.25}),
]
PROBABILITY = [("binary_cross_entropy", {}), ("squared_error", {}), ("absolute_error", {})]
SMOOTHING = [{}, {"label_smoothing": 0.1}, {"label_smoothing": 0.5}]

# file, its group columns, whether it has weights, {prediction: losses}
FILES = [
    ("diabetes.csv", ["sex", "age_group"], True, {"ridge": REGRESSION, "boosting": REGRESSION}),
    ("breast_cancer.csv", ["size"], False, {"score": SCORE, "tree_score": SCORE, "probability": PROBABILITY}),
    (
        "digits.csv",
        ["half", "y"],
        False,
        {
            "score_*": [("softmax_cross_entropy", k) for k in SMOOTHING],
            "probability_*": [("categorical_cross_entropy", k) for k in SMOOTHING],
        },
    ),
]


def read(name):
    with open(DATA / name, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def numbers(columns, name):
    if not name.endswith("*"):
        return columns[name].astype(float)
    return np.column_stack([x.astype(float) for key, x in columns.items() if key.startswith(name[:-1])])


def cost(losses, weights, reduction):
    total = math.fsum(losses * weights)
    return total / math.fsum(weights) if reduction == "mean" else total


def entries():
    for file, groups, weighted, predictions in FILES:
        columns = read(file)
        y = numbers(columns, "y")
        for prediction, losses in predictions.items():
            p = numbers(columns, prediction)
            for name, parameters in losses:
                loss = LOSSES[name](p, y, **parameters)
                text = ", ".join(f"{k}={v}" for k, v in parameters.items())
                for weights in [None, "weight"] if weighted else [None]:
                    w = numbers(columns, weights) if weights else np.ones(len(y))
                    for by in [None, *groups]:
                        for reduction in ("mean", "sum"):
                            if by:
                                labels = sorted(set(columns[by].tolist()))
                                of = {g: cost(loss[columns[by] == g], w[columns[by] == g], reduction) for g in labels}
                                result = {"groups": of}
                            else:
                                result = {"value": cost(loss, w, reduction)}
                            yield {
                                "file": file,
                                "target": "y",
                                "prediction": prediction,
                                "loss": f"{name}({text})" if text else name,
                                "weights": weights,
                                "by": [by] if by else None,
                                "reduction": reduction,
                                **result,
                            }


def same(a, b):
    """Equal but for the last digits, in which the exp and ln of machines differ."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-13)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


def main():
    found = list(entries())
    if "--check" in sys.argv[1:]:
        if not OUTPUT.exists() or not same(json.loads(OUTPUT.read_text(encoding="utf-8")), found):
            sys.exit(f"{OUTPUT.name} differs from what reference_costs.py writes")
        return
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(entry, allow_nan=False) for entry in found)
    OUTPUT.write_text(f"[\n{lines}\n]\n", encoding="utf-8", newline="\n")
    print(f"{len(found)} entries")


if __name__ == "__main__":
    main()
