"""`lossfn.sklearn`: scorers, and losses against those of scikit-learn."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn._loss import loss as theirs  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import (  # noqa: E402
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
)
from sklearn.metrics import log_loss  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

import lossfn  # noqa: E402
import lossfn.sklearn as ours  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    """Small data: threads would only wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


# Ours, theirs, their domain, and what theirs is less ours: terms of the target alone.
NOTHING = np.zeros_like
PEERS = [
    ("half_squared_error", theirs.HalfSquaredError(), "real", NOTHING),
    ("absolute_error", theirs.AbsoluteError(), "real", NOTHING),
    ("quantile(level=0.8)", theirs.PinballLoss(quantile=0.8), "real", NOTHING),
    ("huber(delta=0.7)", theirs.HuberLoss(delta=0.7), "real", NOTHING),
    ("poisson_log_link", theirs.HalfPoissonLoss(), "positive", NOTHING),
    ("gamma_log_link", theirs.HalfGammaLoss(), "positive", NOTHING),
    ("tweedie_log_link(power=1.5)", theirs.HalfTweedieLoss(power=1.5), "positive", NOTHING),
    ("tweedie_log_link(power=1.1)", theirs.HalfTweedieLoss(power=1.1), "positive", NOTHING),
    ("binary_cross_entropy_with_logits", theirs.HalfBinomialLoss(), "unit", NOTHING),
    ("logistic", theirs.HalfBinomialLoss(), "label", NOTHING),
    ("exponential", theirs.ExponentialLoss(), "label", NOTHING),
    ("softmax_cross_entropy", theirs.HalfMultinomialLoss(n_classes=4), "class", NOTHING),
]


def pair(peer):
    text, their, domain, _ = peer
    return ours.base_loss(text, n_classes=4 if domain == "class" else None), their, domain


def examples(domain, scale, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    size = (200, 4) if domain == "class" else 200
    raw = rng.normal(0, scale, size)
    y = {
        "real": lambda: rng.normal(0, scale, 200),
        "positive": lambda: rng.gamma(1, 2, 200) + 1e-3,
        "unit": lambda: np.concatenate([rng.random(150), np.repeat([0.0, 1.0], 25)]),
        "label": lambda: (rng.random(200) < 0.4) * 1.0,
        "class": lambda: rng.integers(0, 4, 200) * 1.0,
    }[domain]()
    return y.astype(dtype), raw.astype(dtype), rng.uniform(0, 2, 200).astype(dtype)


def close(found, expected, dtype=np.float64, size=1.0):
    """To what the other side's rounding leaves: an element, or a size that its terms have."""
    rounding = 1e-12 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(found, expected, rtol=rounding, atol=rounding * size)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer[0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_values_and_derivatives_are_those_of_scikit_learn(peer, dtype, scale):
    mine, their, domain = pair(peer)
    y, raw, weights = examples(domain, scale, dtype=dtype)
    for how in ({}, {"sample_weight": weights}):
        with np.errstate(over="ignore"):
            size = np.abs(their.loss(y, raw, **how)).max()
        close(mine.loss(y, raw, **how), their.loss(y, raw, **how), dtype, size)
        gradient, hessian = mine.gradient_hessian(y, raw, **how)
        expected, their_hessian = their.gradient_hessian(y, raw, **how)
        close(gradient, expected, dtype, np.abs(expected).max())
        if not their.approx_hessian and not peer[0].startswith("tweedie"):
            close(hessian, their_hessian, dtype, np.abs(their_hessian).max())
        close(mine(y, raw, **how), their(y, raw, **how), dtype, size)
        for found, other in zip(
            mine.loss_gradient(y, raw, **how), their.loss_gradient(y, raw, **how)
        ):
            assert found.dtype == other.dtype
            close(found, other, dtype, np.abs(other).max())
        np.testing.assert_array_equal(mine.gradient(y, raw, **how), gradient)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_curvature_of_tweedie(power):
    mine = ours.base_loss(f"tweedie_log_link(power={power})", curvature="second")
    y, raw, _ = examples("positive", 1.0)
    expected = theirs.HalfTweedieLoss(power=power).gradient_hessian(y, raw)[1]
    close(mine.gradient_hessian(y, raw)[1], expected, size=10)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer[0])
def test_extremes(peer):
    """Where theirs are finite, ours are the same."""
    mine, their, domain = pair(peer)
    raw = np.array([-700.0, -300, -40, -36.5, -1e-300, 0, 1e-300, 1e-8, 36.5, 40, 300, 700])
    y = {"real": 1e200, "positive": 3.0, "unit": 0.25, "label": 1.0, "class": 2.0}[domain]
    y = np.full(len(raw), y)
    if domain == "class":
        raw = np.stack([raw, -raw, raw / 2, 0 * raw], axis=1)
    with np.errstate(all="ignore"):
        expected = [their.loss(y, raw), *their.gradient_hessian(y, raw)]
    found = [mine.loss(y, raw), *mine.gradient_hessian(y, raw)]
    if their.approx_hessian:
        found, expected = found[:2], expected[:2]
    for one, other in zip(found, expected):
        assert not np.isnan(one).any()
        finite = np.isfinite(other)
        # Theirs is a difference of exponentials, whose digits cancel.
        np.testing.assert_allclose(one[finite], other[finite], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer[0])
def test_interface(peer):
    mine, their, domain = pair(peer)
    y, raw, weights = examples(domain, 1.0)
    assert isinstance(mine, theirs.BaseLoss)
    assert (mine.n_classes, mine.is_multiclass) == (their.n_classes, their.is_multiclass)
    assert type(their.link) in type(mine.link).__mro__
    assert (mine.interval_y_pred, mine.in_y_true_range(y)) == (their.interval_y_pred, True)
    assert mine.in_y_true_range(np.array([-1.0])) == their.in_y_true_range(np.array([-1.0]))
    for found, other in zip(mine.init_gradient_and_hessian(5), their.init_gradient_and_hessian(5)):
        assert found.dtype == other.dtype
    # Buffers: theirs may be of another type and order.
    order = "F" if domain == "class" else "C"
    out = [np.empty(raw.shape, np.float32, order=order) for _ in range(2)]
    gradient, hessian = mine.gradient_hessian(y, raw, gradient_out=out[0], hessian_out=out[1])
    assert gradient is out[0] and hessian is out[1]
    for found, other in zip(out, mine.gradient_hessian(y, raw)):
        np.testing.assert_allclose(found, other, rtol=1e-6)
    loss_out = np.empty(len(y))
    assert mine.loss(y, raw, weights, loss_out) is loss_out
    if domain != "class":
        column = mine.gradient(y, raw[:, None], weights)
        np.testing.assert_array_equal(column.ravel(), mine.gradient(y, raw, weights))
    again = pickle.loads(pickle.dumps(mine))
    np.testing.assert_array_equal(again.loss(y, raw), mine.loss(y, raw))
    if domain in ("unit", "label", "class"):
        np.testing.assert_allclose(mine.predict_proba(raw), their.predict_proba(raw), rtol=1e-12)
    if domain == "class":
        for found, other in zip(mine.gradient_proba(y, raw), their.gradient_proba(y, raw)):
            np.testing.assert_allclose(found, other, rtol=1e-12, atol=1e-15)
    if domain != "label":
        expected = their.constant_to_optimal_zero(y, weights)
        np.testing.assert_allclose(
            mine.constant_to_optimal_zero(y, weights), expected, rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer[0])
def test_intercept(peer):
    mine, their, domain = pair(peer)
    y, _, weights = examples(domain, 1.0)
    for how in ({}, {"sample_weight": weights}):
        found, expected = mine.fit_intercept_only(y, **how), their.fit_intercept_only(y, **how)
        if domain == "class":
            # Theirs is centred, which changes nothing.
            found = found - found.mean()
            np.testing.assert_allclose(found, expected, atol=1e-7)
            continue
        rows = np.full(len(y), found), np.full(len(y), expected)
        costs = [their(y, row, **how) for row in rows]
        assert costs[0] <= costs[1] * (1 + 1e-14)
        if their.differentiable:
            assert found == pytest.approx(expected, rel=1e-9)


REGRESSION = [
    ("half_squared_error", "squared_error", {}),
    ("absolute_error", "absolute_error", {}),
    ("quantile(level=0.8)", "quantile", {"quantile": 0.8}),
    ("poisson_log_link", "poisson", {}),
    ("gamma_log_link", "gamma", {}),
]


@pytest.mark.parametrize(("text", "name", "params"), REGRESSION, ids=lambda value: str(value))
def test_boosting_as_good_as_by_their_loss(text, name, params):
    x, y = load_diabetes(return_X_y=True)
    weights = np.where(y > 100, 2.0, 1.0)
    x, test_x, y, test_y, weights, _ = train_test_split(x, y, weights, random_state=0)
    loss = ours.base_loss(text)
    how = {"max_iter": 15, "max_leaf_nodes": 8}
    models = [
        HistGradientBoostingRegressor(loss=loss, **how),
        HistGradientBoostingRegressor(loss=name, **how, **params),
    ]
    for weighted in (None, weights):
        predictions = [model.fit(x, y, sample_weight=weighted).predict(test_x) for model in models]
        costs = [loss(test_y, loss.link.link(prediction)) for prediction in predictions]
        # Quantiles of a leaf are a whole interval, of which theirs is another point; of medians
        # without weights it is the same.
        kinks = name == "quantile" or (name == "absolute_error" and weighted is not None)
        tolerance = 0.03 if kinks else 1e-3
        assert costs[0] == pytest.approx(costs[1], rel=tolerance)
    again = clone(models[0]).fit(x, y, sample_weight=weights)
    np.testing.assert_array_equal(again.predict(test_x), models[0].predict(test_x))


def test_boosting_classifiers():
    x, y = load_breast_cancer(return_X_y=True)
    x, test_x, y, test_y = train_test_split(x, y, random_state=0)
    how = {"max_iter": 15, "max_leaf_nodes": 8}
    expected = HistGradientBoostingClassifier(**how).fit(x, y).predict_proba(test_x)
    for text in ("binary_cross_entropy_with_logits", "logistic"):
        model = HistGradientBoostingClassifier(loss=ours.base_loss(text), **how).fit(x, y)
        assert log_loss(test_y, model.predict_proba(test_x)) == pytest.approx(
            log_loss(test_y, expected), rel=1e-3
        )
    model = HistGradientBoostingClassifier(loss=ours.base_loss("squared_hinge"), **how).fit(x, y)
    assert model.score(test_x, test_y) > 0.95
    with pytest.raises(ValueError, match="do not stand for probabilities"):
        model.predict_proba(test_x)
    x, y = load_iris(return_X_y=True)
    loss = ours.base_loss("softmax_cross_entropy", n_classes=3)
    how |= {"early_stopping": True, "random_state": 0}
    model = HistGradientBoostingClassifier(loss=loss, **how).fit(x, y)
    expected = HistGradientBoostingClassifier(**how).fit(x, y)
    assert log_loss(y, model.predict_proba(x)) == pytest.approx(
        log_loss(y, expected.predict_proba(x)), rel=1e-3
    )


def test_huber_and_quantiles_on_the_right_data():
    x, y = load_diabetes(return_X_y=True)
    x, test_x, y, test_y = train_test_split(x, y, random_state=0)
    how = {"max_iter": 30, "max_leaf_nodes": 8}

    def predictions(text, y):
        model = HistGradientBoostingRegressor(loss=ours.base_loss(text), **how)
        return model.fit(x, y).predict(test_x)

    dirty = np.where(np.random.default_rng(1).random(len(y)) < 0.1, y + 5000, y)
    robust, wrong = (predictions(text, dirty) for text in ("huber(delta=30)", "half_squared_error"))
    assert lossfn.absolute_error(robust, test_y) < 0.5 * lossfn.absolute_error(wrong, test_y)
    right, wrong = (predictions(text, y) for text in ("quantile(level=0.9)", "half_squared_error"))
    assert lossfn.quantile(right, test_y, level=0.9) < 0.8 * lossfn.quantile(
        wrong, test_y, level=0.9
    )


def test_linear_models():
    from scipy.optimize import minimize
    from sklearn.linear_model._linear_loss import LinearModelLoss

    x, y = load_diabetes(return_X_y=True)
    x, labels = x / x.std(axis=0), (y > 140).astype(float)
    for text, their, target in [
        ("poisson_log_link", theirs.HalfPoissonLoss(), y),
        ("binary_cross_entropy_with_logits", theirs.HalfBinomialLoss(), labels),
    ]:
        fitted = []
        for base in (ours.base_loss(text), their):
            linear = LinearModelLoss(base_loss=base, fit_intercept=True)
            start, more = np.zeros(x.shape[1] + 1), (x, target, None, 0.1)
            hessian = linear.gradient_hessian(start, x, target, l2_reg_strength=0.1)[1]
            result = minimize(linear.loss_gradient, start, more, method="L-BFGS-B", jac=True)
            fitted.append((result.fun, hessian, result.x))
        (cost, hessian, found), (their_cost, their_hessian, expected) = fitted
        np.testing.assert_allclose(hessian, their_hessian, rtol=1e-9, atol=1e-12)
        assert cost == pytest.approx(their_cost, rel=1e-7)
        np.testing.assert_allclose(found, expected, atol=1e-3)
    model = PoissonRegressor(alpha=0.1, solver="newton-cholesky").fit(x, y)

    class Regressor(PoissonRegressor):
        def _get_loss(self, **_):
            return ours.base_loss("poisson_log_link")

    mine = Regressor(alpha=0.1, solver="newton-cholesky").fit(x, y)
    np.testing.assert_allclose(mine.coef_, model.coef_, rtol=1e-6, atol=1e-9)
    assert mine.score(x, y) == pytest.approx(model.score(x, y), rel=1e-6)


def test_linear_model_over_classes():
    from sklearn.linear_model._linear_loss import LinearModelLoss

    x, y = load_iris(return_X_y=True)
    y, coefficients = y.astype(float), np.random.default_rng(0).normal(size=(3, 5)).ravel(order="F")
    found, expected = (
        LinearModelLoss(base_loss=base, fit_intercept=True).gradient_hessian(coefficients, x, y)
        for base in (
            ours.base_loss("softmax_cross_entropy", n_classes=3),
            theirs.HalfMultinomialLoss(n_classes=3),
        )
    )
    for one, other in zip(found[:2], expected[:2]):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_differentiable():
    """Leaves are fitted anew for losses of residuals with a kink, and for no others."""
    assert not ours.base_loss("quantile").differentiable
    assert not ours.base_loss("epsilon_insensitive").differentiable
    for text in ("huber", "half_squared_error", "hinge", "absolute_percentage_error(epsilon=1.0)"):
        assert ours.base_loss(text).differentiable


def test_temperature():
    loss = ours.base_loss("softmax_focal(temperature=2.0)", n_classes=3)
    raw = np.array([[1.0, 2.0, 4.0]])
    expected = np.exp(raw / 2) / np.exp(raw / 2).sum()
    np.testing.assert_allclose(loss.predict_proba(raw), expected, rtol=1e-12)
    centred = raw - raw.mean()
    np.testing.assert_allclose(loss.link.link(expected), centred, rtol=1e-12)


# Scorers.

FLOWERS = np.array(["setosa", "versicolor", "virginica"])


def test_scores_of_regressors():
    x, y = load_diabetes(return_X_y=True)
    model = LinearRegression()
    found = cross_val_score(model, x, y, scoring=ours.scorer("squared_error"), cv=3)
    expected = cross_val_score(model, x, y, scoring="neg_mean_squared_error", cv=3)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    model, weights = PoissonRegressor().fit(x, y), np.where(y > 100, 2.0, 1.0)
    score = ours.scorer("poisson")(model, x, y, sample_weight=weights)
    assert score == pytest.approx(-lossfn.poisson(model.predict(x), y, weights=weights), rel=1e-12)
    total = ours.scorer(lossfn.Huber(reduction="sum"))(model, x, y)
    assert total == pytest.approx(-lossfn.huber(model.predict(x), y, reduction="sum"), rel=1e-12)
    search = GridSearchCV(
        QuantileRegressor(quantile=0.9, solver="highs"),
        {"alpha": [0.0, 10.0]},
        scoring={
            "pinball": ours.scorer("quantile(level=0.9)"),
            "mae": ours.scorer("absolute_error"),
        },
        refit="pinball",
        cv=3,
    )
    assert search.fit(x, y).best_params_ == {"alpha": 0.0}


@pytest.mark.parametrize(
    "text",
    ["binary_cross_entropy", "binary_cross_entropy_with_logits", "logistic", "hinge", "brier"],
)
def test_scores_of_two_classes(text):
    x, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    score = ours.scorer(text)
    loss, p, raw = lossfn.loss(text), model.predict_proba(x)[:, 1], model.decision_function(x)
    prediction = p if text in ("binary_cross_entropy", "brier") else raw
    target = np.where(y == 0, -1, 1) if text in ("logistic", "hinge") else y
    assert score(model, x, y) == pytest.approx(-loss.value(prediction, target), rel=1e-12)
    if text not in ("hinge", "brier"):
        assert score(model, x, y) == pytest.approx(-log_loss(y, p), rel=1e-9)
    # Labels may be anything.
    named = np.array(["benign", "malign"])[y]
    assert cross_val_score(model, x, named, scoring=score, cv=2) == pytest.approx(
        cross_val_score(model, x, y, scoring=score, cv=2), rel=1e-9
    )


@pytest.mark.parametrize(
    "text", ["categorical_cross_entropy", "negative_log_likelihood", "softmax_cross_entropy"]
)
def test_scores_of_classes(text):
    x, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(x, FLOWERS[y])
    score = ours.scorer(text)
    expected = -log_loss(y, model.predict_proba(x))
    assert score(model, x, FLOWERS[y]) == pytest.approx(expected, rel=1e-9)
    assert (cross_val_score(model, x, FLOWERS[y], scoring=score, cv=3) < 0).all()


def test_scores_of_several_predicted_numbers():
    x, y = load_diabetes(return_X_y=True)
    model = LinearRegression().fit(x, np.stack([y, 0 * y + 8.0], axis=1))
    expected = -lossfn.gaussian_nll_log_variance(model.predict(x), y)
    assert ours.scorer("gaussian_nll_log_variance")(model, x, y) == pytest.approx(
        expected, rel=1e-12
    )


def test_scorers_are_values():
    score = ours.scorer("huber(delta=2.0)")
    pickled, copied = pickle.loads(pickle.dumps(score)), clone(score, safe=False)
    for other in (pickled, copied, ours.scorer("huber(delta=2)")):
        assert other == score and hash(other) == hash(score)
    assert score != ours.scorer("huber")
    assert "Huber(delta=2.0)" in repr(score)


def test_weights_are_routed():
    from sklearn import config_context

    x, y = load_diabetes(return_X_y=True)
    weights = np.where(y > 100, 5.0, 1.0)
    with config_context(enable_metadata_routing=True):
        score = ours.scorer("absolute_error").set_score_request(sample_weight=True)
        model = LinearRegression().set_fit_request(sample_weight=False)
        more = {"sample_weight": weights}
        found = cross_val_score(model, x, y, scoring=score, cv=2, params=more)
    middle = len(y) // 2
    ends = (slice(middle, None), slice(middle)), (slice(middle), slice(middle, None))
    for value, (train, test) in zip(found, ends):
        prediction = LinearRegression().fit(x[train], y[train]).predict(x[test])
        assert value == pytest.approx(
            -lossfn.absolute_error(prediction, y[test], weights=weights[test])
        )


def test_errors():
    x, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(x, y)
    with pytest.raises(ValueError, match="for two classes"):
        ours.scorer("binary_cross_entropy")(model, x, y)
    with pytest.raises(ValueError, match="has no decision_function"):
        ours.scorer("softmax_cross_entropy")(RandomForestClassifier(2).fit(x, y), x, y)
    with pytest.raises(ValueError, match="a score for each class"):
        two = y < 2
        ours.scorer("softmax_cross_entropy")(model.fit(x[two], y[two]), x[two], y[two])
    with pytest.raises(ValueError, match="label .*2.* is not one of the classes"):
        ours.scorer("logistic")(model, x, y)
    with pytest.raises(ValueError, match="response must be one of"):
        ours.scorer("huber", response="transform")
    with pytest.raises(TypeError, match="lossfn.Huber"):
        ours.scorer(np.mean)
    with pytest.raises(ValueError, match="several predicted numbers"):
        ours.base_loss("gaussian_nll")
    with pytest.raises(ValueError, match="tweedie_log_link"):
        ours.base_loss("tweedie")
    with pytest.raises(ValueError, match="n_classes="):
        ours.base_loss("softmax_cross_entropy")
    with pytest.raises(ValueError, match="n_classes is 3"):
        ours.base_loss("logistic", n_classes=3)
    with pytest.raises(ValueError, match="curvature must be"):
        ours.base_loss("huber", curvature="library")
    with pytest.raises(ValueError, match="a score for each class"):
        ours.base_loss("softmax_cross_entropy", n_classes=3).loss(y * 1.0, x[:, 0])
    with pytest.raises(ValueError, match="a target for each prediction"):
        ours.base_loss("huber").loss(y * 1.0, x)
