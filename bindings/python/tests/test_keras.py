"""`lossfn.keras` against Keras itself, on the backend there is: Keras has one for a process."""

import doctest
import importlib
import importlib.util
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import lossfn
from lossfn import _lossfn

BACKENDS = [name for name in ("jax", "torch") if importlib.util.find_spec(name)]
if not BACKENDS:
    pytest.skip("neither jax nor torch is there", allow_module_level=True)
os.environ.setdefault("KERAS_BACKEND", BACKENDS[0])
keras = pytest.importorskip("keras")
lk = importlib.import_module("lossfn.keras")
ops = keras.ops
BACKEND = keras.backend.backend()
if BACKEND == "jax":
    import jax

    # Most of the time here is spent on compiling.
    jax.config.update("jax_disable_most_optimizations", True)

ABOUT = {about["id"]: about for about in _lossfn.catalog()}
RNG = np.random.default_rng(0)
LABELS = np.array([0, 1, 2, 3, 1, 0])
ONE_HOT = np.eye(4, dtype=np.float32)[LABELS]
SCORES, NUMBERS = RNG.normal(size=(2, 6, 4)).astype(np.float32)
SHARES = RNG.dirichlet(np.ones(4), size=6).astype(np.float32)
COUNTS = RNG.integers(0, 4, size=(6, 4)).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2, size=6).astype(np.float32)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def gradient(cost, prediction):
    """The derivative of a cost by the prediction, on either backend."""
    if BACKEND == "jax":
        return np.asarray(jax.grad(cost)(prediction))
    prediction = ops.convert_to_tensor(prediction).requires_grad_()
    cost(prediction).backward()
    return array(prediction.grad)


def test_documentation():
    tested = doctest.testmod(lk)
    assert tested.attempted >= 6 and tested.failed == 0


# Every loss of the catalog.


@pytest.mark.parametrize("id", lossfn.catalog)
def test_losses_of_examples_are_the_cores(id, examples):
    made = examples(id, (5, 3) if ABOUT[id]["form"] == "pointwise" else (5,))
    prediction, target = np.float32(made.prediction), made.target
    if target.dtype.kind == "f":
        target = np.float32(target)
    ours = getattr(lk, lossfn.catalog[id].__name__)(reduction="none")
    core = lossfn.catalog[id](reduction="none")
    expected, slopes = core.value_and_gradient(prediction, target)
    if made.form == "pointwise":
        expected, slopes = expected.mean(-1), slopes / 3
    np.testing.assert_allclose(array(ours(target, prediction)), expected, rtol=2e-7)
    weights = np.arange(1, 6, dtype=np.float32)
    weighted = gradient(lambda p: ops.sum(ours(target, p, sample_weight=weights)), prediction)
    slopes = slopes * weights.reshape(-1, *[1] * (slopes.ndim - 1))
    np.testing.assert_allclose(weighted, slopes, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", lk.__all__)
def test_configurations_come_back(name):
    if name in ("Loss", "loss"):
        return
    given = {"text": "abs(p - y)^a; a = 3"} if name == "Formula" else {}
    loss = getattr(lk, name)(**given, reduction="sum", name="mine", dtype="float64")
    back = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(back) is type(loss) and back.get_config() == loss.get_config()
    assert back.loss == loss.loss and back.dtype == "float64" and back.name == "mine"


def test_arguments_come_back():
    loss = lk.SoftmaxCrossEntropy(
        0.1, class_weights=[1.0, 2.0], ignored_class=1, class_axis=1, reduction=None
    )
    back = keras.losses.deserialize(keras.losses.serialize(loss))
    assert (
        back.loss
        == loss.loss
        == lossfn.SoftmaxCrossEntropy(
            0.1, class_weights=[1.0, 2.0], ignored_class=1, class_axis=1, reduction="none"
        )
    )
    assert lk.loss("huber(delta=2)", reduction="sum").get_config() == {
        "name": "huber",
        "reduction": "sum",
        "dtype": "float32",
        "delta": 2.0,
    }


# Those that Keras has too: name, arguments, target, prediction, from numbers to predictions.


def positive(x):
    return ops.exp(x)


def plain(x):
    return x


PEERS = [
    ("MeanSquaredError", {}, NUMBERS, plain),
    ("MeanAbsoluteError", {}, NUMBERS, plain),
    ("MeanAbsolutePercentageError", {}, NUMBERS, plain),
    ("MeanSquaredLogarithmicError", {}, COUNTS, positive),
    ("Huber", {"delta": 0.5}, NUMBERS, plain),
    ("LogCosh", {}, NUMBERS, plain),
    ("Poisson", {}, COUNTS, positive),
    ("Hinge", {}, ONE_HOT, plain),
    ("Hinge", {}, 2 * ONE_HOT - 1, plain),
    ("SquaredHinge", {}, ONE_HOT, plain),
    ("CategoricalHinge", {}, ONE_HOT, plain),
    ("KLDivergence", {}, SHARES, ops.softmax),
    ("BinaryCrossentropy", {}, ONE_HOT, ops.sigmoid),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, SHARES, ops.sigmoid),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, plain),
    ("BinaryFocalCrossentropy", {}, ONE_HOT, ops.sigmoid),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 1.5}, SHARES, plain),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "label_smoothing": 0.1},
        ONE_HOT,
        ops.sigmoid,
    ),
    ("CategoricalCrossentropy", {}, SHARES, ops.softmax),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, ops.sigmoid),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, plain),
    ("SparseCategoricalCrossentropy", {}, LABELS, ops.softmax),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS[:, None], plain),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, LABELS, plain),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, LABELS, ops.softmax),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, ops.softmax),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.5}, SHARES, plain),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4]}, ONE_HOT, ops.softmax),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.3}, LABELS, ops.softmax),
]


@pytest.mark.parametrize(
    "name, arguments, target, link", PEERS, ids=[f"{i}-{peer[0]}" for i, peer in enumerate(PEERS)]
)
def test_gives_the_numbers_of_keras(name, arguments, target, link):
    one, other = (
        array(getattr(losses, name)(**arguments, reduction=None)(target, link(SCORES)))
        for losses in (lk, keras.losses)
    )
    # f32; that a target of 0 counts as 1e-7 for Keras is at most 1e-5 here.
    np.testing.assert_allclose(one, other, rtol=1e-5 if name == "KLDivergence" else 3e-6)
    ours, theirs = (
        gradient(
            lambda p, losses=losses: getattr(losses, name)(**arguments)(
                target, link(p), sample_weight=WEIGHTS
            ),
            SCORES,
        )
        for losses in (lk, keras.losses)
    )
    assert np.abs(theirs).max() > 1e-3
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


@pytest.mark.parametrize("peer", [PEERS[4], PEERS[23]], ids=["pointwise", "ignore_class"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_reductions_and_weights_are_those_of_keras(peer, reduction):
    name, arguments, target, link = peer
    for weights in (None, WEIGHTS):
        one, other = (
            array(
                getattr(losses, name)(**arguments, reduction=reduction)(
                    target, link(SCORES), sample_weight=weights
                )
            )
            for losses in (lk, keras.losses)
        )
        np.testing.assert_allclose(one, other, rtol=3e-6)


SHAPES = [
    ((6,), (6, 1)),
    ((6, 1), (6,)),
    ((6,), (6,)),
    ((6, 4), (6, 4, 1)),
    ((6, 4, 1), (6, 4)),
    ((6, 4), (6, 4)),
]


@pytest.mark.parametrize("y_true, y_pred", SHAPES)
def test_axes_of_size_1_are_as_in_keras(y_true, y_pred):
    target, prediction = NUMBERS.ravel()[: np.prod(y_true)], SCORES.ravel()[: np.prod(y_pred)]
    one, other = (
        array(losses.LogCosh(reduction=None)(target.reshape(y_true), prediction.reshape(y_pred)))
        for losses in (lk, keras.losses)
    )
    assert one.shape == other.shape
    # Keras subtracts ln 2 from about that.
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_has_the_arguments_of_keras():
    for name in lk._PEERS:
        assert inspect.signature(getattr(lk, name)) == inspect.signature(
            getattr(keras.losses, name)
        )
    ours, theirs = inspect.signature(lk.Huber), inspect.signature(keras.losses.Huber)
    assert list(ours.parameters) == list(theirs.parameters)


def test_differences_from_keras_at_0_and_1():
    impossible = np.float32([[0.0, 1.0]])
    target = np.float32([[1.0, 0.0]])
    # Keras adds 1e-7, or moves probabilities away from 0 and 1 by it.
    for name, cut_off in [
        ("BinaryCrossentropy", -np.log(1e-7)),
        ("BinaryFocalCrossentropy", -np.log(1e-7)),
        ("CategoricalCrossentropy", -np.log(1e-7)),
        ("KLDivergence", -np.log(1e-7)),
        ("Poisson", (1 - np.log(1e-7)) / 2),
    ]:
        assert array(getattr(lk, name)()(target, impossible)) == np.inf
        # In f32 1 - 1e-7 is 1 - 1.2e-7.
        np.testing.assert_allclose(
            array(getattr(keras.losses, name)()(target, impossible)), cut_off, rtol=1e-2
        )
    # There Keras has no slope, and training nothing to go by.
    slopes = [
        gradient(lambda p, losses=losses: losses.BinaryCrossentropy()(target, p), impossible)
        for losses in (lk, keras.losses)
    ]
    np.testing.assert_array_equal(slopes, [[[-np.inf, np.inf]], [[0.0, 0.0]]])
    # A perfect prediction costs nothing; where it has no share in the target there is no slope.
    for name in (
        "BinaryCrossentropy",
        "BinaryFocalCrossentropy",
        "CategoricalCrossentropy",
        "KLDivergence",
    ):
        assert array(getattr(lk, name)()(target, target)) == 0
        assert np.isfinite(
            gradient(lambda p, name=name: getattr(lk, name)()(target, p), target)
        ).all()
    # Where scores are made of probabilities, both cut off.
    for name in ("CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy"):
        y = target if name == "CategoricalFocalCrossentropy" else np.array([0])
        one, other = (
            array(getattr(losses, name)()(y, impossible)) for losses in (lk, keras.losses)
        )
        np.testing.assert_allclose(one, other, rtol=1e-3)
    with pytest.raises(Exception, match="prediction"):
        array(lk.MeanSquaredLogarithmicError()(target, -target))
    assert array(keras.losses.MeanSquaredLogarithmicError()(target, -target)) > 0


def test_masks_and_ignored_classes():
    # A mask of Keras comes with the prediction of a recurrent network.
    x = np.float32(RNG.normal(size=(4, 5, 2)))
    x[:2, 3:] = 0
    y = np.float32(RNG.normal(size=(4, 5, 1)))
    costs = []
    for losses in (lk, keras.losses):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((5, 2)),
                keras.layers.Masking(),
                keras.layers.GRU(2, return_sequences=True),
            ]
        )
        model.add(keras.layers.Dense(1))
        model.compile(loss=losses.Huber())
        costs.append(model.evaluate(x, y, verbose=0))
    np.testing.assert_allclose(*costs, rtol=1e-6)
    # Ours has an ignored class too, and the mean is of the others.
    ours = lk.SoftmaxCrossEntropy(ignored_class=1)(LABELS, SCORES)
    expected = lossfn.softmax_cross_entropy(SCORES, LABELS, ignored_class=1)
    np.testing.assert_allclose(array(ours), expected, rtol=1e-6)


# Models.

X = np.float32(RNG.normal(size=(96, 5)))
LATENT = X @ np.float32([1, -1, 0.5, 0, 2]) + np.float32(0.3 * RNG.normal(size=96))


def network(outputs, activation=None):
    keras.utils.set_random_seed(3)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(8, "tanh"), layers.Dense(outputs, activation)]
    )


TASKS = {
    "regression": ("Huber", {"delta": 0.7}, 1, None, LATENT[:, None]),
    "flat targets": ("MeanSquaredError", {}, 1, None, LATENT),
    "binary": ("BinaryCrossentropy", {}, 1, "sigmoid", np.float32(LATENT > 0)),
    "classes": (
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        3,
        None,
        np.digitize(LATENT, [-1, 1]),
    ),
}


@pytest.mark.parametrize("task", TASKS)
def test_trains_to_the_same_curve_and_comes_back(task, tmp_path):
    name, arguments, outputs, activation, y = TASKS[task]
    weights = np.float32(np.linspace(0.5, 1.5, 96))
    curves = []
    for losses in (lk, keras.losses):
        model = network(outputs, activation)
        model.compile(keras.optimizers.Adam(0.02), getattr(losses, name)(**arguments))
        trained = model.fit(
            X, y, batch_size=32, epochs=4, verbose=0, sample_weight=weights, shuffle=False
        )
        curves.append([*trained.history["loss"], model.evaluate(X, y, verbose=0)])
        if losses is lk:
            # Saved and loaded, with the state of the optimiser, it goes on as it would have.
            model.save(tmp_path / "model.keras")
            config = model.loss.get_config()
            model = keras.saving.load_model(tmp_path / "model.keras")
            assert model.loss.get_config() == config
            np.testing.assert_allclose(model.evaluate(X, y, verbose=0), curves[0][-1], rtol=1e-6)
        curves[-1] += model.fit(X, y, batch_size=32, verbose=0, shuffle=False).history["loss"]
    np.testing.assert_allclose(*curves, rtol=1e-5)
    assert curves[0][-1] < 0.9 * curves[0][0]


@pytest.mark.parametrize("loss, outputs, activation, y", [
    (lambda: lk.GaussianNllLogVariance(), 2, None, LATENT),
    (lambda: lk.BetaNll(), 2, "softplus", 1 / (1 + np.exp(-LATENT[:, None]))),
    (lambda: lk.MultiQuantile(0.1, 0.9), 3, None, LATENT),
    (lambda: lk.Logistic(), 1, None, np.float32(LATENT > 0)),
    (lambda: lk.SoftmaxFocal(class_weights=[1.0, 2.0, 1.0]), 3, None, np.digitize(LATENT, [-1, 1])),
], ids=["gaussian", "beta", "quantiles", "margin", "classes"])  # fmt: skip
def test_trains_with_losses_that_keras_lacks(loss, outputs, activation, y):
    model = network(outputs, activation)
    model.compile(keras.optimizers.Adam(0.05), loss())
    curve = model.fit(X, y, batch_size=32, epochs=4, verbose=0).history["loss"]
    assert curve[-1] < curve[0]


def test_is_loaded_by_a_process_that_imports_it(tmp_path):
    model = network(1)
    model.compile("sgd", lk.Quantile(0.9))
    expected = model.evaluate(X, LATENT[:, None], verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=X, y=LATENT[:, None])
    text = (
        "import keras, numpy, lossfn.keras\n"
        "data = numpy.load('data.npz')\n"
        "print(keras.saving.load_model('model.keras').evaluate(data['x'], data['y'], verbose=0))\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    np.testing.assert_allclose(float(there.stdout), expected, rtol=1e-6)


# Errors.


def test_errors():
    for message, call in [
        ("Huber: got an unexpected keyword argument 'dela'", lambda: lk.Huber(dela=1)),
        ("delta = -1", lambda: lk.Huber(-1)),
        ("reduction", lambda: lk.Huber(reduction="average")),
        ("target has shape", lambda: lk.Huber()(np.ones((3, 1)), np.ones((3, 2)))),
        ("no axis 3", lambda: lk.SoftmaxCrossEntropy(class_axis=3)(LABELS, SCORES)),
        ("label 4 at position 0", lambda: array(lk.SoftmaxCrossEntropy()(LABELS + 4, SCORES))),
    ]:
        with pytest.raises(Exception, match=message):
            call()
    with pytest.raises(AttributeError, match="here that loss is lossfn.squared_error"):
        _ = lk.MSELoss
    with pytest.raises(AttributeError, match="no 'Dice'"):
        _ = lk.Dice


@pytest.mark.skipif("jax" not in BACKENDS, reason="Keras' numpy backend needs jax")
def test_other_backends_are_refused_with_what_to_do():
    environment = os.environ | {"KERAS_BACKEND": "numpy"}
    refused = subprocess.run(
        [sys.executable, "-c", "import lossfn.keras"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert refused.returncode == 1
    assert "this process has 'numpy': set the environment variable KERAS_BACKEND" in refused.stderr


@pytest.mark.skipif(len(BACKENDS) < 2 or "LOSSFN_NESTED" in os.environ, reason="one backend")
def test_on_the_other_backend():
    other = next(name for name in BACKENDS if name != BACKEND)
    environment = os.environ | {"KERAS_BACKEND": other, "LOSSFN_NESTED": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", __file__]
    tested = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert tested.returncode == 0, tested.stdout
