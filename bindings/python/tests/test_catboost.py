"""`lossfn.catboost`: models trained with our losses against CatBoost's own objectives."""

import pickle

import numpy as np
import pytest

catboost = pytest.importorskip("catboost")
datasets = pytest.importorskip("sklearn.datasets")

import lossfn  # noqa: E402
import lossfn.catboost as ours  # noqa: E402

PARAMS = {
    "iterations": 20,
    "learning_rate": 0.2,
    "depth": 3,
    "thread_count": 1,
    "random_seed": 0,
    "verbose": False,
    "allow_writing_files": False,
    "leaf_estimation_method": "Newton",
    "leaf_estimation_iterations": 1,
    # Own objectives draw other random numbers.
    "bootstrap_type": "No",
    "random_strength": 0,
    "boosting_type": "Plain",
}


def halves(x, y):
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order], y[order]
    middle = len(y) // 2
    return x[:middle], y[:middle], x[middle:], y[middle:]


def trained(loss, x, y, weights=None, **params):
    start = ours.baseline(loss, y, weights)
    how = {"loss_function": ours.objective(loss), "eval_metric": ours.metric(loss)}
    model = catboost.CatBoost(PARAMS | how | params)
    model.fit(catboost.Pool(x, y, weight=weights, baseline=start))
    model.set_scale_and_bias(1.0, start[0])
    return model


def scores(model, x):
    return model.predict(x, prediction_type="RawFormulaVal")


@pytest.mark.parametrize(
    ("loss", "objective", "load"),
    [
        (lossfn.HalfSquaredError(), "RMSE", datasets.load_diabetes),
        (lossfn.BinaryCrossEntropyWithLogits(), "Logloss", datasets.load_breast_cancer),
        (lossfn.Logistic(), "Logloss", datasets.load_breast_cancer),
        (lossfn.PoissonLogLink(), "Poisson", datasets.load_diabetes),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_as_good_as_the_built_in_objective(loss, objective, load):
    x, y, test_x, test_y = halves(*load(return_X_y=True))
    start = ours.baseline(loss, y)
    mine = scores(trained(loss, x, y), test_x)
    by_itself = PARAMS | {"loss_function": objective}
    if objective == "RMSE":
        # Its own start is that of boost_from_average.
        theirs = catboost.CatBoost(by_itself).fit(x, y)
    else:
        theirs = catboost.CatBoost(by_itself).fit(catboost.Pool(x, y, baseline=start))
        theirs.set_scale_and_bias(1.0, start[0])
    label = np.where(test_y == 0, -1, 1) if loss.id == "logistic" else test_y
    cost, their_cost = loss.value(mine, label), loss.value(scores(theirs, test_x), label)
    assert cost < 0.9 * loss.value(np.full(len(label), start[0]), label)
    assert cost == pytest.approx(their_cost, rel=1e-3)


def test_classes_as_good_as_the_built_in_objective():
    x, y, test_x, test_y = halves(*datasets.load_digits(return_X_y=True))
    loss = lossfn.SoftmaxCrossEntropy()
    fewer = PARAMS | {"iterations": 5}
    how = {"loss_function": ours.objective(loss), "eval_metric": ours.metric(loss)}
    mine = catboost.CatBoostClassifier(**fewer, **how, classes_count=10).fit(x, y)
    theirs = catboost.CatBoostClassifier(**fewer, loss_function="MultiClass").fit(x, y)
    cost, their_cost = (loss.value(scores(model, test_x), test_y) for model in (mine, theirs))
    assert cost < 0.7 * np.log(10)
    assert cost == pytest.approx(their_cost, rel=1e-3)


def test_classes_from_a_baseline():
    x, y = datasets.load_iris(return_X_y=True)
    loss = lossfn.SoftmaxFocal()
    start = ours.baseline(loss, y)
    how = {"loss_function": ours.objective(loss), "eval_metric": ours.metric(loss)}
    model = catboost.CatBoostClassifier(**PARAMS | how, classes_count=3)
    model.fit(catboost.Pool(x, y, baseline=start))
    probabilities = ours.inverse_link(loss, scores(model, x) + start[0])
    assert (probabilities.argmax(axis=1) == y).mean() > 0.95
    # A loss of which no more than the diagonal of second derivatives is known.
    how = {"loss_function": ours.objective("sparsemax"), "eval_metric": ours.metric("sparsemax")}
    model = catboost.CatBoostClassifier(**PARAMS | how, classes_count=3).fit(x, y)
    assert (scores(model, x).argmax(axis=1) == y).mean() > 0.95


@pytest.mark.parametrize("loss", [lossfn.HalfSquaredError(), lossfn.Huber(delta=40.0)])
def test_weight_two_is_the_example_twice(loss):
    x, y = datasets.load_diabetes(return_X_y=True)
    # So few values that each has its own bin.
    x = np.round(x * 50)
    weights = np.where(np.arange(len(y)) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(y)), weights.astype(int))
    # CatBoost multiplies its penalty by the mean weight.
    weighted = scores(trained(loss, x, y, weights, l2_leaf_reg=3 / weights.mean()), x)
    np.testing.assert_allclose(weighted, scores(trained(loss, x[twice], y[twice]), x), rtol=1e-6)
    assert np.abs(weighted - scores(trained(loss, x, y), x)).max() > 1e-3


def test_weight_two_is_the_example_twice_over_classes():
    x, y = datasets.load_iris(return_X_y=True)
    weights = np.where(np.arange(len(y)) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(y)), weights.astype(int))
    loss = lossfn.SoftmaxCrossEntropy()
    how = {"loss_function": ours.objective(loss), "eval_metric": ours.metric(loss)}
    one, other = (
        catboost.CatBoostClassifier(**PARAMS | how, classes_count=3, l2_leaf_reg=penalty)
        for penalty in (3 / weights.mean(), 3)
    )
    weighted = scores(one.fit(x, y, sample_weight=weights), x)
    repeated = scores(other.fit(x[twice], y[twice]), x)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6)


def test_quantiles_are_better_by_the_quantile_loss():
    x, y, test_x, test_y = halves(*datasets.load_diabetes(return_X_y=True))
    loss = lossfn.Quantile(level=0.9)
    # The curvature is 1 and slopes are below 1: residuals of a hundred need large steps.
    mine = scores(trained(loss, x, y, learning_rate=20), test_x)
    wrong = scores(trained("half_squared_error", x, y), test_x)
    assert loss.value(mine, test_y) < 0.8 * loss.value(wrong, test_y)


def test_huber_resists_outliers():
    x, y, test_x, test_y = halves(*datasets.load_diabetes(return_X_y=True))
    y = np.where(np.random.default_rng(1).random(len(y)) < 0.1, y + 5000, y)
    error = lossfn.AbsoluteError()
    mine = scores(trained(lossfn.Huber(delta=30.0), x, y), test_x)
    wrong = scores(trained("half_squared_error", x, y), test_x)
    assert error.value(mine, test_y) < 0.5 * error.value(wrong, test_y)


def test_focal_is_better_by_its_own_loss():
    x, y = datasets.make_classification(
        2000, n_informative=5, weights=[0.95], flip_y=0.02, class_sep=0.8, random_state=0
    )
    x, y, test_x, test_y = halves(x, y)
    loss = lossfn.SigmoidFocal()
    mine, wrong = (scores(trained(one, x, y), test_x) for one in (loss, "half_squared_error"))
    assert loss.value(mine, test_y) < 0.9 * loss.value(wrong, test_y)


def test_metric():
    x, y = datasets.load_diabetes(return_X_y=True)
    weights = np.where(y > 100, 3.0, 1.0)
    for loss in (lossfn.Huber(delta=40.0), lossfn.Huber(delta=40.0, reduction="sum")):
        model = catboost.CatBoostRegressor(
            **PARAMS | {"iterations": 3}, eval_metric=ours.metric(loss)
        )
        model.fit(x, y, sample_weight=weights)
        (found,) = (
            values for name, values in model.get_evals_result()["learn"].items() if name != "RMSE"
        )
        assert found[2] < found[1] < found[0]
        expected = loss.value(model.predict(x), y, weights=weights)
        assert found[2] == pytest.approx(expected, rel=1e-6)


def test_threads_copies_and_pickles():
    x, y = datasets.load_diabetes(return_X_y=True)
    loss = lossfn.Huber(delta=40.0)
    one, two = (scores(trained(loss, x, y, thread_count=count), x) for count in (1, 2))
    np.testing.assert_allclose(one, two, rtol=1e-9)
    for adapter in (ours.objective(loss, curvature="second"), ours.metric(loss, name="h")):
        assert pickle.loads(pickle.dumps(adapter)) == adapter
    how = {"loss_function": ours.objective(loss), "eval_metric": ours.metric(loss)}
    model = catboost.CatBoostRegressor(**PARAMS | how).fit(x, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))


def test_derivatives_of_a_row():
    row, loss = np.array([0.5, -1.0, 2.0]), lossfn.SoftmaxCrossEntropy()
    p = ours.inverse_link(loss, row)
    gradient, matrix = ours.objective(loss).calc_ders_multi(row, 1.0, 2.0)
    np.testing.assert_allclose(gradient, 2 * (np.eye(3)[1] - p), rtol=1e-12)
    np.testing.assert_allclose(matrix, 2 * (np.outer(p, p) - np.diag(p)), atol=1e-15)
    # Where a loss bends downwards, Newton's method is not told so.
    focal = [ours.objective("softmax_focal", curvature=which) for which in ("library", "second")]
    bent, true = (np.linalg.eigvalsh(one.calc_ders_multi(row, 1.0, 1.0)[1]) for one in focal)
    assert bent.max() < 1e-12 < 1e-3 < true.max()
    diagonal = ours.objective(loss, curvature="curvature").calc_ders_multi(row, 1.0, 1.0)[1]
    np.testing.assert_allclose(diagonal, -np.diag(p * (1 - p)), rtol=1e-12)


def test_errors():
    with pytest.raises(ValueError, match="several predicted numbers"):
        ours.objective("laplace_nll")
    with pytest.raises(ValueError, match="gamma_log_link"):
        ours.objective("gamma")
    x, y = np.arange(30.0)[:, None], np.arange(30.0)
    with pytest.raises(catboost.CatBoostError, match="position 2"):
        how = {"loss_function": ours.objective("hinge"), "eval_metric": ours.metric("huber")}
        catboost.CatBoost(PARAMS | how).fit(x, y)
    with pytest.raises(catboost.CatBoostError, match="take a loss over classes"):
        how = {"loss_function": ours.objective("huber"), "eval_metric": ours.metric("huber")}
        catboost.CatBoostClassifier(**PARAMS | how, classes_count=3).fit(x, y % 3)
    with pytest.raises(catboost.CatBoostError, match="a score for each class"):
        softmax = ours.objective("softmax_cross_entropy")
        how = {"loss_function": softmax, "eval_metric": ours.metric("huber")}
        catboost.CatBoost(PARAMS | how).fit(x, y % 3)
