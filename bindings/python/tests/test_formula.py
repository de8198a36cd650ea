"""Losses by their formula in text: what they compute, and that they are losses like all others."""

import copy
import pickle

import numpy as np
import pytest

import lossfn

HUBER = "where(abs(r) <= d, r^2 / 2, d * (abs(r) - d / 2)); r = p - y; d = 1.5"


@pytest.fixture
def examples():
    random = np.random.default_rng(3)
    return random.normal(size=5000) * 2, random.normal(size=5000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_loss_that_it_says(examples, dtype):
    prediction, target = (one.astype(dtype) for one in examples)
    ours, theirs = lossfn.formula(HUBER), lossfn.Huber(delta=1.5)
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    results = ours.value_gradient_and_second(prediction, target)
    for found, expected in zip(results, theirs.value_gradient_and_second(prediction, target), strict=True):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_numpy_agrees(examples):
    prediction, target = examples
    loss = lossfn.formula("abs(p - y)^a * exp(-y / 8) + c; a = 1.25; c = 2", a=1.75, reduction="none")
    residual = prediction - target
    expected = np.abs(residual) ** 1.75 * np.exp(-target / 8) + 2
    np.testing.assert_allclose(loss(prediction, target), expected, rtol=1e-13)
    slope = 1.75 * np.abs(residual) ** 0.75 * np.sign(residual) * np.exp(-target / 8)
    found = loss.gradient(prediction, target)
    np.testing.assert_allclose(found, slope, rtol=1e-12)
    assert loss.parameters == {"a": 1.75, "c": 2.0}


def test_it_is_a_loss_like_others(examples):
    loss = lossfn.formula(HUBER, reduction="sum", d=2.0)
    assert isinstance(loss, lossfn.Loss)
    assert repr(loss) == (
        "lossfn.Formula('where(abs(p - y) <= d, (p - y)^2 / 2, d * (abs(p - y) - d / 2)); d = 2.0', "
        "reduction='sum')"
    )
    assert eval(repr(loss)) == loss
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(loss, protocol)) == loss
    assert copy.deepcopy(loss) == loss
    assert hash(loss) == hash(lossfn.Formula(HUBER.replace("1.5", "2"), reduction="sum"))
    assert loss != lossfn.formula(HUBER, reduction="sum")
    assert loss != lossfn.formula(HUBER, d=2.0)
    assert lossfn.loss(str(loss), reduction="sum") == loss
    assert loss.card["convex"].holds and loss.card["lipschitz"].number == 2.0
    assert "\\begin{cases}" in loss.latex
    assert "formula" not in lossfn.catalog
    cost = lossfn.Cost(loss)
    cost.update(*examples)
    assert cost.value() == loss(*examples)


def test_domains():
    loss = lossfn.formula("-(y * ln(p)) - (1 - y) * ln1p(-p); p in [0, 1]; y in [0, 1]")
    assert loss([0.25], [1.0]) == pytest.approx(np.log(4))
    with pytest.raises(ValueError, match="1.5 at position 1 is outside the domain"):
        loss([0.25, 1.5], [1.0, 0.0])


def test_errors_show_the_place():
    with pytest.raises(ValueError, match="did you mean target") as error:
        lossfn.formula("abs(p - targt)")
    _, text, caret = str(error.value).splitlines()
    assert text[caret.index("^") :].startswith("targt")
    with pytest.raises(ValueError, match='has no parameter "b"; its only parameter is d'):
        lossfn.formula(HUBER, b=1.0)
    with pytest.raises(TypeError, match="d must be a number"):
        lossfn.formula(HUBER, d="2")
    with pytest.raises(TypeError, match="text must be a formula"):
        lossfn.formula(3)
    with pytest.raises(ValueError, match="reduction"):
        lossfn.formula(HUBER, reduction="max")
    with pytest.raises(ValueError, match="cannot read the formula"):
        lossfn.loss("formula: (p")


def test_scikit_learn_and_boosters_take_it():
    pytest.importorskip("sklearn")
    xgboost = pytest.importorskip("xgboost")
    import lossfn.sklearn
    import lossfn.xgboost

    random = np.random.default_rng(5)
    features = random.normal(size=(400, 3))
    target = features @ [1.0, -2.0, 0.5] + random.normal(size=400) / 10
    text = "(p - y)^2 / 2"
    scores = [lossfn.sklearn.scorer(one) for one in (lossfn.formula(text), lossfn.HalfSquaredError())]
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(features, target)
    assert scores[0](model, features, target) == pytest.approx(scores[1](model, features, target))
    data = xgboost.DMatrix(features, target)
    trained = [
        xgboost.train({"base_score": 0.0}, data, 10, obj=lossfn.xgboost.objective(loss))
        for loss in (lossfn.formula(text), lossfn.HalfSquaredError())
    ]
    np.testing.assert_allclose(trained[0].predict(data), trained[1].predict(data), rtol=1e-6)


def test_jax_differentiates_it():
    jax = pytest.importorskip("jax")
    import lossfn.jax

    loss = lossfn.formula("softplus(-y * p); y in {-1, 1}")
    prediction, target = jax.numpy.array([0.5, -2.0]), jax.numpy.array([1.0, -1.0])
    gradient = jax.grad(lambda p: lossfn.jax.value_of(loss, p, target))(prediction)
    expected = -np.array([1.0, -1.0]) / (1 + np.exp([0.5, 2.0])) / 2
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def test_torch_differentiates_it():
    torch = pytest.importorskip("torch")
    import lossfn.torch

    module = lossfn.torch.Formula("softplus(-y * p); y in {-1, 1}")
    prediction = torch.tensor([0.5, -2.0], dtype=torch.float64, requires_grad=True)
    module(prediction, torch.tensor([1.0, -1.0], dtype=torch.float64)).backward()
    expected = -np.array([1.0, -1.0]) / (1 + np.exp([0.5, 2.0])) / 2
    np.testing.assert_allclose(prediction.grad, expected, rtol=1e-14)
    same = lossfn.torch.loss("formula: softplus(-y * p); y in {-1, 1}")
    assert same.loss == module.loss


def test_keras_takes_it():
    pytest.importorskip("keras")
    pytest.importorskip("jax")
    import os

    os.environ.setdefault("KERAS_BACKEND", "jax")
    import lossfn.keras

    loss = lossfn.keras.Formula("abs(p - y)^a; a = 3")
    assert float(loss([[1.0]], [[3.0]])) == pytest.approx(8.0)
    assert type(loss).from_config(loss.get_config()).loss == loss.loss
    assert lossfn.keras.loss("formula: abs(p - y)^a; a = 3").loss == loss.loss


def test_checks():
    report = lossfn.check("formula: ln(1 + exp(p)) - p * y; y in [0, 1]")
    assert not report.is_sound
    (overflow,) = report.of_kind("overflow")[:1]
    assert overflow.severity == "error" and overflow.evidence[0].prediction[0] > 80
    proposals = {finding.proposal for finding in report.findings if finding.proposal}
    assert any(text.startswith("softplus(p) - p * y") for text in proposals)
    assert "softplus" in repr(report) and "error" in report.summary
    assert lossfn.check(lossfn.Huber()).is_sound
    assert lossfn.check("binary_cross_entropy_with_logits").is_sound


def test_checks_of_functions():
    wrong = lossfn.check(lambda p, y: (p - y) ** 2, gradient=lambda p, y: p - y)
    assert not wrong.is_sound and wrong.findings[0].kind == "wrong_gradient"
    right = lossfn.check(lambda p, y: (p - y) ** 2, gradient=lambda p, y: 2 * (p - y))
    assert right.is_sound, right
    assert lossfn.check(lambda p, y: abs(p - y)).of_kind("kink")
    assert lossfn.check(lambda p, y: np.log1p((p - y) ** 2)).of_kind("not_convex")
    assert lossfn.check(lambda p, y: 1.0 - (p - y) ** 2).of_kind("negative")
    assert lossfn.check(lambda p, y: (p - y - 1) ** 2).of_kind("no_minimum_at_target")
    entropy = lossfn.check(
        lambda p, y: -np.log(p if y == 1 else 1 - p), prediction="(0, 1)", target="[0, 1]"
    )
    assert entropy.is_sound, entropy


def test_checks_are_refused():
    with pytest.raises(TypeError, match="a loss, its text or a function"):
        lossfn.check(3)
    with pytest.raises(ValueError, match="is no domain"):
        lossfn.check(lambda p, y: p - y, prediction="[0, 2]")
    with pytest.raises(TypeError, match="has its own gradient"):
        lossfn.check(lossfn.Huber(), gradient=lambda p, y: p)
    with pytest.raises(ZeroDivisionError):
        lossfn.check(lambda p, y: 1 / 0)
    with pytest.raises(TypeError):
        lossfn.check(lambda p, y: "one")


def test_code():
    loss = lossfn.formula(HUBER)
    names = {}
    exec(loss.emit("numpy"), names)
    prediction, target = np.array([0.5, 4.0, -3.0]), np.zeros(3)
    functions = [one for name, one in names.items() if callable(one) and name.endswith("gradient")]
    expected = lossfn.Huber(delta=1.5, reduction="none").gradient(prediction, target)
    np.testing.assert_allclose(functions[0](prediction, target), expected, rtol=1e-14)
    with pytest.raises(ValueError, match="is no language"):
        loss.emit("cobol")
