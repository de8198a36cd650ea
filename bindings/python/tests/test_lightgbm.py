"""`lossfn.lightgbm`: models trained with our losses against LightGBM's own objectives."""

import pickle

import numpy as np
import pytest

lgb = pytest.importorskip("lightgbm")
datasets = pytest.importorskip("sklearn.datasets")

import lossfn  # noqa: E402
import lossfn.lightgbm as ours  # noqa: E402

PARAMS = {"num_leaves": 8, "learning_rate": 0.2, "num_threads": 1, "seed": 0, "verbose": -1}
PARAMS |= {"deterministic": True, "min_data_in_leaf": 5}
ROUNDS = 20


def halves(x, y):
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order], y[order]
    middle = len(y) // 2
    return x[:middle], y[:middle], x[middle:], y[middle:]


def trained(loss, x, y, test_x, weights=None, rounds=ROUNDS, **params):
    """Scores of a model trained with one of our losses."""
    start = ours.init_score(loss, y, weights)
    data = lgb.Dataset(x, y, weight=weights, init_score=start)
    model = lgb.train(PARAMS | {"objective": ours.objective(loss)} | params, data, rounds)
    return model.predict(test_x) + start[0]


def built_in(objective, x, y, test_x, **params):
    model = lgb.train(PARAMS | {"objective": objective} | params, lgb.Dataset(x, y), ROUNDS)
    return model.predict(test_x, raw_score=True)


@pytest.mark.parametrize(
    ("loss", "objective", "load"),
    [
        (lossfn.HalfSquaredError(), "regression", datasets.load_diabetes),
        (lossfn.BinaryCrossEntropyWithLogits(), "binary", datasets.load_breast_cancer),
        (lossfn.Logistic(), "binary", datasets.load_breast_cancer),
        (lossfn.SoftmaxCrossEntropy(), "multiclass", datasets.load_digits),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_as_good_as_the_built_in_objective(loss, objective, load):
    x, y, test_x, test_y = halves(*load(return_X_y=True))
    classes = {"num_class": 10} if objective == "multiclass" else {}
    mine = trained(loss, x, y, test_x, **classes)
    theirs = built_in(objective, x, y, test_x, **classes)
    label = np.where(test_y == 0, -1, 1) if loss.id == "logistic" else test_y
    cost, their_cost = loss.value(mine, label), loss.value(theirs, label)
    constant = np.broadcast_to(ours.init_score(loss, y)[0], mine.shape)
    assert cost < 0.9 * loss.value(constant, label)
    assert cost == pytest.approx(their_cost, rel=1e-3)


def test_poisson_as_good_as_the_built_in_objective():
    x, y, test_x, test_y = halves(*datasets.load_diabetes(return_X_y=True))
    loss = lossfn.PoissonLogLink()
    # LightGBM's curvature is exp(score + poisson_max_delta_step).
    params = {"poisson_max_delta_step": 1e-9}
    costs = [
        loss.value(scores, test_y)
        for scores in (trained(loss, x, y, test_x), built_in("poisson", x, y, test_x, **params))
    ]
    assert costs[0] == pytest.approx(costs[1], rel=1e-3)


def test_weight_two_is_the_example_twice():
    x, y = datasets.load_diabetes(return_X_y=True)
    # Cuts depend on how often a value is there: these are so few that each is a bin.
    x = np.round(x * 50)
    weights = np.where(np.arange(len(y)) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(y)), weights.astype(int))
    params = {"min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 5, "min_data_in_bin": 1}
    for loss in (lossfn.HalfSquaredError(), lossfn.Huber(delta=40.0), lossfn.LogCosh()):
        weighted = trained(loss, x, y, x, weights, 10, **params)
        repeated = trained(loss, x[twice], y[twice], x, rounds=10, **params)
        np.testing.assert_allclose(weighted, repeated, rtol=1e-4)
        assert np.abs(weighted - trained(loss, x, y, x, rounds=10, **params)).max() > 1e-3


def test_quantiles_are_better_by_the_quantile_loss():
    x, y, test_x, test_y = halves(*datasets.load_diabetes(return_X_y=True))
    loss = lossfn.Quantile(level=0.9)
    # The curvature is 1 and slopes are below 1: residuals of a hundred need large steps.
    mine = trained(loss, x, y, test_x, learning_rate=20)
    wrong = trained("half_squared_error", x, y, test_x)
    assert loss.value(mine, test_y) < 0.8 * loss.value(wrong, test_y)


def test_huber_resists_outliers():
    x, y, test_x, test_y = halves(*datasets.load_diabetes(return_X_y=True))
    y = np.where(np.random.default_rng(1).random(len(y)) < 0.1, y + 5000, y)
    error = lossfn.AbsoluteError()
    mine = trained(lossfn.Huber(delta=30.0), x, y, test_x)
    wrong = trained("half_squared_error", x, y, test_x)
    assert error.value(mine, test_y) < 0.5 * error.value(wrong, test_y)


def test_focal_is_better_by_its_own_loss():
    x, y = datasets.make_classification(
        2000, n_informative=5, weights=[0.95], flip_y=0.02, class_sep=0.8, random_state=0
    )
    x, y, test_x, test_y = halves(x, y)
    loss = lossfn.SigmoidFocal()
    params = {"min_sum_hessian_in_leaf": 0.01}
    mine, wrong = (trained(one, x, y, test_x, **params) for one in (loss, "half_squared_error"))
    assert loss.value(mine, test_y) < 0.9 * loss.value(wrong, test_y)


def test_metric():
    x, y = datasets.load_breast_cancer(return_X_y=True)
    weights = np.where(y == 1, 2.0, 1.0)
    loss, results = lossfn.BinaryCrossEntropyWithLogits(), {}
    data = lgb.Dataset(x, y, weight=weights)
    model = lgb.train(
        PARAMS | {"objective": ours.objective(loss)},
        data,
        3,
        valid_sets=[data],
        feval=[ours.metric(loss, name="bce"), ours.metric("hinge")],
        callbacks=[lgb.record_evaluation(results)],
    )
    bce = results["training"]["bce"]
    assert bce[2] < bce[1] < bce[0]
    assert bce[2] == pytest.approx(loss.value(model.predict(x), y, weights=weights), rel=1e-12)
    margins = lossfn.hinge(model.predict(x), np.where(y == 0, -1, 1), weights=weights)
    assert results["training"]["hinge"][2] == pytest.approx(margins, rel=1e-12)
    # With an objective of LightGBM the metric is given what that predicts.
    lgb.train(
        PARAMS | {"objective": "binary", "metric": "binary_logloss"},
        data,
        3,
        valid_sets=[data],
        feval=ours.metric("binary_cross_entropy"),
        callbacks=[lgb.record_evaluation(results)],
    )
    found = results["training"]
    np.testing.assert_allclose(found["binary_cross_entropy"], found["binary_logloss"], rtol=1e-9)


def test_scikit_learn_estimators():
    from sklearn.base import clone

    x, y = datasets.load_diabetes(return_X_y=True)
    weights = np.where(y > 100, 3.0, 1.0)
    loss = lossfn.Huber(delta=40.0)
    kwargs = {"n_estimators": 10, "num_leaves": 8, "learning_rate": 0.2, "n_jobs": 1, "verbose": -1}
    kwargs |= {"min_child_samples": 5, "random_state": 0, "deterministic": True}
    start = ours.init_score(loss, y, weights)
    model = clone(lgb.LGBMRegressor(objective=ours.objective(loss), **kwargs))
    model.fit(
        x,
        y,
        sample_weight=weights,
        init_score=start,
        eval_X=x,
        eval_y=y,
        eval_sample_weight=[weights],
        eval_init_score=[start],
        eval_metric=ours.metric(loss),
    )
    native = trained(loss, x, y, x, weights, 10)
    np.testing.assert_allclose(model.predict(x) + start[0], native, rtol=1e-9)
    found = next(iter(model.evals_result_.values()))["huber"][-1]
    assert found == pytest.approx(loss.value(native, y, weights=weights), rel=1e-9)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    x, y = datasets.load_iris(return_X_y=True)
    loss = lossfn.SoftmaxCrossEntropy()
    model = lgb.LGBMClassifier(objective=ours.objective(loss), **kwargs).fit(x, y)
    probabilities = ours.inverse_link(loss, model.predict(x, raw_score=True))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert (probabilities.argmax(axis=1) == y).mean() > 0.97


def test_init_score():
    y, weights = np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 0.0])
    np.testing.assert_allclose(ours.init_score("half_squared_error", y, weights), [1.5, 1.5, 1.5])
    rows = ours.init_score("softmax_cross_entropy", [0, 1, 1, 1], classes=2)
    np.testing.assert_allclose(rows, np.tile(np.log([0.25, 0.75]), (4, 1)), atol=1e-9)


def test_errors():
    with pytest.raises(ValueError, match="several predicted numbers"):
        ours.objective("crps_gaussian")
    with pytest.raises(ValueError, match="binary_cross_entropy_with_logits"):
        ours.objective("binary_cross_entropy")
    x, y = np.arange(30.0)[:, None], np.arange(30.0)
    data = lgb.Dataset(x, y)
    with pytest.raises(ValueError, match="a score for each class"):
        lgb.train(PARAMS | {"objective": ours.objective("softmax_cross_entropy")}, data, 1)
    with pytest.raises(ValueError, match="a target for each prediction"):
        lgb.train(PARAMS | {"objective": ours.objective("huber"), "num_class": 3}, data, 1)
    with pytest.raises(ValueError, match="position 2"):
        lgb.train(PARAMS | {"objective": ours.objective("hinge")}, lgb.Dataset(x, y), 1)
