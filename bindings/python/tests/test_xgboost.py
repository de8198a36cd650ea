"""`lossfn.xgboost`: models trained with our losses against XGBoost's own objectives."""

import pickle

import numpy as np
import pytest

xgb = pytest.importorskip("xgboost")
datasets = pytest.importorskip("sklearn.datasets")

import lossfn  # noqa: E402
import lossfn.xgboost as ours  # noqa: E402

PARAMS = {"max_depth": 3, "eta": 0.2, "nthread": 1, "seed": 0}
ROUNDS = 20


def halves(x, y):
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order], y[order]
    middle = len(y) // 2
    return x[:middle], y[:middle], x[middle:], y[middle:]


def trained(x, y, weights=None, rounds=ROUNDS, obj=None, **params):
    data = xgb.DMatrix(x, label=y, weight=weights)
    return xgb.train(PARAMS | params, data, rounds, obj=obj)


def scores(model, x):
    return model.predict(xgb.DMatrix(x), output_margin=True)


@pytest.mark.parametrize(
    ("loss", "objective", "load"),
    [
        (lossfn.HalfSquaredError(), "reg:squarederror", datasets.load_diabetes),
        (lossfn.BinaryCrossEntropyWithLogits(), "binary:logistic", datasets.load_breast_cancer),
        (lossfn.Logistic(), "binary:logistic", datasets.load_breast_cancer),
        (lossfn.PoissonLogLink(), "count:poisson", datasets.load_diabetes),
        (lossfn.SoftmaxCrossEntropy(), "multi:softprob", datasets.load_digits),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_as_good_as_the_built_in_objective(loss, objective, load):
    x, y, test_x, test_y = halves(*load(return_X_y=True))
    classes = {"num_class": 10} if objective == "multi:softprob" else {}
    # XGBoost cuts off Poisson's steps by default, which is not of the loss.
    limit = {"max_delta_step": 0}
    start = ours.base_score(loss, y)
    mine = scores(
        trained(x, y, obj=ours.objective(loss), base_score=start, **limit, **classes), test_x
    )
    # Its own start is a probability or a mean.
    own_start = ours.inverse_link(loss, start).tolist() if not classes else start
    theirs = trained(x, y, objective=objective, base_score=own_start, **limit, **classes)
    theirs = scores(theirs, test_x)
    label = np.where(test_y == 0, -1, 1) if loss.id == "logistic" else test_y
    cost, their_cost = loss.value(mine, label), loss.value(theirs, label)
    assert cost < 0.9 * loss.value(np.broadcast_to(start, mine.shape), label)
    # The same steps in f32, so what differs is rounding.
    assert cost == pytest.approx(their_cost, rel=1e-3)


@pytest.mark.parametrize(
    ("loss", "objective", "load"),
    [
        (lossfn.HalfSquaredError(), "reg:squarederror", datasets.load_diabetes),
        (lossfn.BinaryCrossEntropyWithLogits(), "binary:logistic", datasets.load_breast_cancer),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_starts_where_the_built_in_objective_does(loss, objective, load):
    x, y, test_x, test_y = halves(*load(return_X_y=True))
    mine = trained(x, y, obj=ours.objective(loss), base_score=ours.base_score(loss, y))
    theirs = trained(x, y, objective=objective)
    costs = [loss.value(scores(model, test_x), test_y) for model in (mine, theirs)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-3)


@pytest.mark.parametrize(
    "loss", [lossfn.HalfSquaredError(), lossfn.Huber(delta=40.0), lossfn.PoissonLogLink()]
)
def test_weight_two_is_the_example_twice(loss):
    x, y = datasets.load_diabetes(return_X_y=True)
    weights = np.where(np.arange(len(y)) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(y)), weights.astype(int))
    # Sketches of the data depend on weights: exact cuts do not.
    how = {"tree_method": "exact", "obj": ours.objective(loss), "rounds": 10}
    start = ours.base_score(loss, y, weights)
    assert start == pytest.approx(ours.base_score(loss, y[twice]), rel=1e-12)
    weighted = trained(x, y, weights, base_score=start, **how)
    repeated = trained(x[twice], y[twice], base_score=start, **how)
    np.testing.assert_allclose(scores(weighted, x), scores(repeated, x), rtol=1e-4)
    unweighted = trained(x, y, base_score=start, **how)
    assert np.abs(scores(weighted, x) - scores(unweighted, x)).max() > 1e-3


def test_quantiles_are_better_by_the_quantile_loss():
    x, y, test_x, test_y = halves(*datasets.load_diabetes(return_X_y=True))
    loss = lossfn.Quantile(level=0.9)
    # The curvature is 1 and slopes are below 1: residuals of a hundred need large steps.
    mine = trained(x, y, obj=ours.objective(loss), base_score=ours.base_score(loss, y), eta=20)
    wrong = trained(x, y, obj=ours.objective("half_squared_error"))
    assert loss.value(scores(mine, test_x), test_y) < 0.8 * loss.value(
        scores(wrong, test_x), test_y
    )


def test_huber_resists_outliers():
    x, y, test_x, test_y = halves(*datasets.load_diabetes(return_X_y=True))
    rng = np.random.default_rng(1)
    y = np.where(rng.random(len(y)) < 0.1, y + 5000, y)
    loss, error = lossfn.Huber(delta=30.0), lossfn.AbsoluteError()
    mine = trained(x, y, obj=ours.objective(loss), base_score=ours.base_score(loss, y))
    squared = lossfn.HalfSquaredError()
    wrong = trained(x, y, obj=ours.objective(squared), base_score=ours.base_score(squared, y))
    assert error.value(scores(mine, test_x), test_y) < 0.5 * error.value(
        scores(wrong, test_x), test_y
    )


def test_focal_is_better_by_its_own_loss():
    x, y = datasets.make_classification(
        2000, n_informative=5, weights=[0.95], flip_y=0.02, class_sep=0.8, random_state=0
    )
    x, y, test_x, test_y = halves(x, y)
    loss, wrong = lossfn.SigmoidFocal(), lossfn.HalfSquaredError()
    models = [
        trained(
            x, y, obj=ours.objective(one), base_score=ours.base_score(one, y), min_child_weight=0.01
        )
        for one in (loss, wrong)
    ]
    mine, theirs = (loss.value(scores(model, test_x), test_y) for model in models)
    assert mine < 0.9 * theirs
    assert mine < 0.9 * loss.value(np.full(len(test_y), ours.base_score(loss, y)), test_y)


def test_several_targets():
    x, y = datasets.load_diabetes(return_X_y=True)
    targets, weights = np.stack([y, -2 * y], axis=1), np.where(y > 100, 3.0, 1.0)
    loss = lossfn.HalfSquaredError()
    start = ours.base_score(loss, targets, weights)
    np.testing.assert_allclose(start, np.average(targets, weights=weights, axis=0), rtol=1e-12)
    both = trained(x, targets, weights, obj=ours.objective(loss), base_score=start)
    alone = trained(x, y, weights, obj=ours.objective(loss), base_score=start[0])
    np.testing.assert_allclose(scores(both, x)[:, 0], scores(alone, x), rtol=1e-5)


def test_metric():
    x, y = datasets.load_breast_cancer(return_X_y=True)
    weights = np.where(y == 1, 2.0, 1.0)
    data, results = xgb.DMatrix(x, label=y, weight=weights), {}
    loss = lossfn.BinaryCrossEntropyWithLogits()
    model = xgb.train(
        PARAMS | {"disable_default_eval_metric": True, "base_score": 0.0},
        data,
        3,
        obj=ours.objective(loss),
        custom_metric=ours.metric(loss, name="bce"),
        evals=[(data, "train")],
        evals_result=results,
        verbose_eval=False,
    )
    found = results["train"]["bce"]
    assert found[2] < found[1] < found[0] < np.log(2)
    # XGBoost writes six digits after the point.
    expected = loss.value(scores(model, x), y, weights=weights)
    assert found[2] == pytest.approx(expected, abs=1e-6)
    # With an objective of XGBoost the metric is given what that predicts.
    by_itself = PARAMS | {"objective": "binary:logistic", "eval_metric": "logloss"}
    metric = ours.metric("binary_cross_entropy")
    more = {"custom_metric": metric, "evals": [(data, "train")], "verbose_eval": False}
    xgb.train(by_itself, data, 3, evals_result=results, **more)
    found = results["train"]
    np.testing.assert_allclose(found["binary_cross_entropy"], found["logloss"], rtol=1e-5)


def test_scikit_learn_estimators():
    from sklearn.base import clone

    x, y = datasets.load_diabetes(return_X_y=True)
    weights = np.where(y > 100, 3.0, 1.0)
    loss = lossfn.Huber(delta=40.0)
    start = ours.base_score(loss, y, weights)
    kwargs = {
        "n_estimators": 10,
        "max_depth": 3,
        "n_jobs": 1,
        "learning_rate": 0.2,
        "base_score": start,
    }
    model = xgb.XGBRegressor(
        objective=ours.objective(loss), eval_metric=ours.metric(loss), **kwargs
    )
    model = clone(model).fit(
        x,
        y,
        sample_weight=weights,
        eval_set=[(x, y)],
        sample_weight_eval_set=[weights],
        verbose=False,
    )
    native = trained(x, y, weights, 10, obj=ours.objective(loss), base_score=start)
    np.testing.assert_allclose(model.predict(x), scores(native, x), rtol=1e-6)
    found = model.evals_result()["validation_0"]["huber"][-1]
    assert found == pytest.approx(loss.value(model.predict(x), y, weights=weights), rel=1e-6)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.objective == model.objective
    # Without weights XGBoost calls with two arguments.
    model.fit(x, y, verbose=False)


def test_scikit_learn_classifiers():
    x, y = datasets.load_breast_cancer(return_X_y=True)
    loss = lossfn.BinaryCrossEntropyWithLogits()
    start = ours.inverse_link(loss, ours.base_score(loss, y))
    model = xgb.XGBClassifier(
        objective=ours.objective(loss), base_score=float(start), n_estimators=20, n_jobs=1
    )
    assert model.fit(x, y).score(x, y) > 0.97
    x, y = datasets.load_iris(return_X_y=True)
    loss = lossfn.SoftmaxCrossEntropy()
    model = xgb.XGBClassifier(objective=ours.objective(loss), n_estimators=20, n_jobs=1).fit(x, y)
    assert model.score(x, y) > 0.97


def test_where_to_start():
    rng = np.random.default_rng(0)
    y, weights = rng.normal(3, 5, 501), rng.uniform(0, 2, 501)
    labels = (rng.random(501) < 0.2).astype(float)
    near = pytest.approx
    mean = np.average(y, weights=weights)
    assert ours.base_score("half_squared_error", y, weights) == near(mean, rel=1e-12)
    assert ours.base_score("absolute_error", y) == np.median(y)
    assert ours.base_score("absolute_error", [0.0, 100.0]) == near(50, rel=1e-9)
    assert ours.base_score("quantile(level=0.9)", y) == near(np.sort(y)[450], rel=1e-12)
    odds = np.log(labels.mean() / (1 - labels.mean()))
    assert ours.base_score("binary_cross_entropy_with_logits", labels) == near(odds, rel=1e-12)
    assert ours.base_score("logistic", labels) == near(odds, rel=1e-12)
    for kind in (bool, np.uint8, np.int64, np.float32):
        assert ours.base_score("logistic", labels.astype(kind)) == near(odds, rel=1e-12)
    assert ours.base_score("exponential", labels) == near(odds / 2, rel=1e-12)
    assert ours.base_score("poisson_log_link", y**2) == near(np.log(np.mean(y**2)), rel=1e-12)
    # Not convex: the deeper of two hollows.
    two = np.concatenate([rng.normal(0, 1, 100), rng.normal(300, 1, 60)])
    assert abs(ours.base_score("tukey_biweight", two)) < 0.5
    # The best is infinite.
    assert 20 < ours.base_score("logistic", np.ones(5)) < 100
    priors = np.array([0.1, 0.2, 0.3, 0.4])
    classes = np.repeat([0, 1, 2, 3], [10, 20, 30, 40])
    for target in (classes, np.eye(4)[classes]):
        found = ours.base_score("softmax_cross_entropy", target)
        np.testing.assert_allclose(found, np.log(priors), atol=1e-9)
    assert len(ours.base_score("softmax_cross_entropy", classes, classes=5)) == 5


@pytest.mark.parametrize("id", list(lossfn.catalog))
def test_no_constant_is_better_than_the_start(id):
    """For every loss of raw scores, whatever its shape."""
    about = lossfn._boosting.about(lossfn.catalog[id]())
    loss = lossfn.catalog[id]()
    try:
        ours.objective(loss)
    except ValueError:
        assert about["form"] == "joint" or about["prediction_domain"] != "any number"
        return
    rng = np.random.default_rng(0)
    if about["form"] == "class_axis":
        labels = rng.choice(3, 60, p=[0.2, 0.3, 0.5])
        target = np.eye(3)[labels] if id.startswith("multilabel") else labels
        start = np.array(ours.base_score(loss, target))
        others = [start + rng.normal(0, size, 3) for size in np.repeat([1e-3, 1e-2, 0.1, 1], 5)]
    else:
        target = {
            "any number": rng.normal(3, 5, 60),
            "0 or more": rng.gamma(2, 3, 60),
            "0 to 1": (rng.random(60) < 0.3) * 1.0,
            "-1 or +1": np.where(rng.random(60) < 0.3, 1.0, -1.0),
        }[about["target_domain"]]
        start = np.float64(ours.base_score(loss, target))
        others = [*np.linspace(-20, 20, 201), *(start + np.linspace(-1e-3, 1e-3, 21))]

    def cost(constant):
        return loss.value(np.tile(constant, (len(target), *[1] * constant.ndim)), target)

    # That of classes is a descent, which ends where steps no longer show.
    assert cost(start) <= min(map(cost, others)) + 1e-9
    assert np.isfinite(cost(start))


def test_curvature():
    data = xgb.DMatrix(np.zeros((2, 1)), label=[0.0, 0.0])
    prediction = np.array([0.5, 3.0], dtype=np.float32)
    _, surrogate = ours.objective("cauchy")(prediction, data)
    gradient, second = ours.objective("cauchy", curvature="second")(prediction, data)
    np.testing.assert_allclose(surrogate, gradient / prediction, rtol=1e-6)
    assert second[1] < 0
    rows = np.array([[1.0, 2.0], [0.0, -1.0]])
    doubled, plain = (
        ours.objective("softmax_cross_entropy", curvature=which)(rows, data)[1]
        for which in ("library", "curvature")
    )
    np.testing.assert_allclose(doubled, 2 * plain)


def test_same_text_same_objective():
    assert ours.objective("huber(delta=2)") == ours.objective(lossfn.Huber(delta=2.0))
    assert ours.objective("huber") != ours.metric("huber")
    assert pickle.loads(pickle.dumps(ours.metric("huber", name="h"))) == ours.metric(
        "huber", name="h"
    )


def test_errors():
    with pytest.raises(ValueError, match="several predicted numbers"):
        ours.objective("gaussian_nll")
    with pytest.raises(ValueError, match="poisson_log_link"):
        ours.objective("poisson")
    with pytest.raises(ValueError, match="curvature must be one of"):
        ours.objective("huber", curvature="best")
    with pytest.raises(TypeError, match="lossfn.Huber"):
        ours.objective(np.square)
    with pytest.raises(ValueError, match="class_axis"):
        ours.objective(lossfn.SoftmaxCrossEntropy(class_axis=0))
    x, y = np.arange(6.0)[:, None], np.arange(6.0)
    with pytest.raises(ValueError, match="a score for each class"):
        trained(x, y, obj=ours.objective("softmax_cross_entropy"))
    with pytest.raises(ValueError, match="a target for each prediction"):
        trained(x, y % 3, obj=ours.objective("huber"), num_class=3)
    with pytest.raises(ValueError, match="label 3 at position 3"):
        trained(x, y, obj=ours.objective("softmax_cross_entropy"), num_class=3)
    with pytest.raises(ValueError, match="position 2"):
        trained(x, y, obj=ours.objective("logistic"))
    with pytest.raises(ValueError, match="shape"):
        ours.base_score("huber", y, y[:3])
    with pytest.raises(ValueError, match="label 5"):
        ours.base_score("softmax_cross_entropy", y, classes=3)
    with pytest.raises(ValueError, match="read otherwise"):
        ours.inverse_link("modified_huber", y)
