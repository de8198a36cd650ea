"""lossfn beside Keras 3 on JAX: keras.losses, its functions and its classes."""

import os
from functools import partial

import numpy as np
import pytest

import lossfn

from . import cases
from .cases import Case, Difference, Mean

jax = pytest.importorskip("jax")
os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "jax":
    pytest.skip("Keras is on another backend than JAX", allow_module_level=True)

from .by_jax import evaluated  # noqa: E402

jnp = jax.numpy


@pytest.fixture
def no_epsilon():
    """Takes away the number, 1e-7, that Keras keeps probabilities and denominators off 0 by."""
    usual = keras.config.epsilon()
    keras.config.set_epsilon(1e-30)
    yield
    keras.config.set_epsilon(usual)


def found(name, case, dtype):
    """A function of keras.losses, or a class without reduction unless the mean is asked for."""
    loss = getattr(keras.losses, name)
    if not isinstance(loss, type):
        return partial(loss, **case.options)
    reduction = "sum_over_batch_size" if cases.reduction(case) == "mean" else None
    return loss(reduction=reduction, dtype=dtype, **case.options)


def evaluate(case, name, prediction, target):
    """The losses, or their mean, and the gradient by jax.grad."""
    loss = found(name, case, prediction.dtype.name)

    return evaluated(partial(case.call, loss), prediction, target)


def each(loss, prediction, target):
    """For means over the last axis: of one element each."""
    return loss(target[:, None], prediction[:, None])


def rows(loss, prediction, target):
    """For Keras' order: the target, the prediction."""
    return loss(target, prediction)


def one_hot(loss, prediction, target):
    """For targets as rows of 0 and 1."""
    return rows(loss, prediction, jax.nn.one_hot(target, cases.CLASSES, dtype=prediction.dtype))


def times(factor, call):
    """For losses that lossfn has times a factor."""
    return lambda loss, p, y: factor * call(loss, p, y)


def normalised(call):
    """For probabilities that Keras divides by their sum: without what that does."""

    def undone(loss, prediction, target):
        total = target.sum(-1) if target.ndim > 1 else 1
        return call(loss, prediction, target) - total * jnp.log(prediction.sum(-1))

    return undone


def of_softmax(call):
    """For probabilities of scores."""
    return lambda loss, p, y: call(loss, jax.nn.softmax(p), y)


def of_exponential(call):
    """For probabilities of their logarithms."""
    return lambda loss, p, y: call(loss, jnp.exp(p), y)


def zero_or_one(loss, prediction, target):
    """For targets 0 and 1."""
    return each(loss, prediction, (target + 1) / 2)


def scores_above_zero(random):
    """Scores of classes above 0, and labels."""
    scores, target = cases.rows(random)
    return np.abs(scores) + 0.5, target


LIKELY = cases.near(cases.log_chances_and_chances, -10, -1e-3)

# Keras takes means, of one element too, in f32.
MEAN_OF_F64 = float(np.finfo(np.float32).eps)

# What makes digits be lost.
LN_2 = "ln 2 is subtracted at last"
LOGARITHMS = "the logarithms of 1 plus a number are subtracted"
SOFTMAX = "a score is subtracted from the logarithm of the normaliser, 1 from a probability"

# On JAX the slope of an absolute value is 1 at 0, of the target less the prediction -1.
TIE = (lambda p, y: p == y, lambda p, y: -np.ones_like(p))
RELATIVE_TIE = (TIE[0], lambda p, y: -1 / np.maximum(np.abs(y), p.dtype.type(1e-30)))
HALF = cases.halves(lambda p, y: p * y == 1, lambda p, y: -y)


def best_others(prediction, target):
    """The classes with the best score but the true one, what they lead by, and the true one."""
    is_true = np.eye(cases.CLASSES, dtype=prediction.dtype)[target]
    others = np.where(is_true, -np.inf, prediction)
    best = others.max(axis=-1, keepdims=True)
    lead = best - (prediction * is_true).sum(axis=-1, keepdims=True) + prediction.dtype.type(1)
    is_best = others == best
    return is_best / is_best.sum(axis=-1, keepdims=True), lead, is_true


def at_hinge_kink(prediction, target):
    share, lead, _ = best_others(prediction, target)
    tied = (share.max(axis=-1, keepdims=True) < 1) & (lead > 0)
    return np.broadcast_to(tied | (lead == 0), prediction.shape)


def hinge_slope(prediction, target):
    share, lead, is_true = best_others(prediction, target)
    return (share - is_true) * np.heaviside(lead, 0.5)


CASES = [
    Case(lossfn.SquaredError(), "mean_squared_error MeanSquaredError", cases.numbers, call=each),
    Case(
        lossfn.AbsoluteError(),
        "mean_absolute_error MeanAbsoluteError",
        cases.numbers,
        call=each,
        kink=TIE,
    ),
    Case(lossfn.Huber(1.5), "huber Huber", cases.numbers, {"delta": 1.5}, call=each),
    Case(lossfn.LogCosh(), "log_cosh LogCosh", cases.numbers, call=each, loses=LN_2),
    Case(
        lossfn.AbsolutePercentageError(epsilon=1e-30),
        "mean_absolute_percentage_error MeanAbsolutePercentageError",
        cases.numbers,
        call=times(0.01, each),
        kink=RELATIVE_TIE,
    ),
    Case(
        lossfn.SquaredLogError(),
        "mean_squared_logarithmic_error MeanSquaredLogarithmicError",
        cases.magnitudes,
        call=each,
        loses=LOGARITHMS,
    ),
    Case(lossfn.Poisson(), "poisson Poisson", cases.rates, call=each, cancels=True),
    Case(lossfn.Hinge(), "hinge Hinge", cases.margins, call=each, kink=HALF),
    Case(lossfn.Hinge(), "hinge Hinge", cases.margins, call=zero_or_one, kink=HALF),
    Case(lossfn.SquaredHinge(), "squared_hinge SquaredHinge", cases.margins, call=each),
    Case(
        lossfn.BinaryCrossEntropy(),
        "binary_crossentropy BinaryCrossentropy",
        cases.chances,
        call=each,
    ),
    Case(
        lossfn.BinaryCrossEntropy(label_smoothing=0.125),
        "binary_crossentropy BinaryCrossentropy",
        cases.soft_chances,
        {"label_smoothing": 0.125},
        call=each,
        cancels=True,
    ),
    Case(
        lossfn.BinaryCrossEntropyWithLogits(),
        "binary_crossentropy BinaryCrossentropy",
        cases.logits,
        {"from_logits": True},
        call=each,
    ),
    Case(
        lossfn.BinaryCrossEntropyWithLogits(label_smoothing=0.125),
        "binary_crossentropy BinaryCrossentropy",
        cases.soft_logits,
        {"from_logits": True, "label_smoothing": 0.125},
        call=each,
        cancels=True,
    ),
    Case(
        lossfn.SigmoidFocal(balanced=False),
        "binary_focal_crossentropy BinaryFocalCrossentropy",
        cases.near(cases.logits, -4, 4),
        {"from_logits": True},
        call=each,
    ),
    Case(
        lossfn.SigmoidFocal(gamma=1.5),
        "binary_focal_crossentropy BinaryFocalCrossentropy",
        cases.near(cases.logits, -4, 4),
        {"from_logits": True, "apply_class_balancing": True, "gamma": 1.5},
        call=each,
    ),
    Case(
        lossfn.CategoricalCrossEntropy(),
        "sparse_categorical_crossentropy SparseCategoricalCrossentropy",
        cases.chance_rows,
        call=normalised(rows),
        cancels=True,
    ),
    Case(
        lossfn.CategoricalCrossEntropy(label_smoothing=0.125),
        "categorical_crossentropy CategoricalCrossentropy",
        cases.soft_chance_rows,
        {"label_smoothing": 0.125},
        call=normalised(rows),
        cancels=True,
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(),
        "sparse_categorical_crossentropy SparseCategoricalCrossentropy",
        cases.rows,
        {"from_logits": True},
        call=rows,
        loses=SOFTMAX,
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(label_smoothing=0.125),
        "categorical_crossentropy CategoricalCrossentropy",
        cases.soft_rows,
        {"from_logits": True, "label_smoothing": 0.125},
        call=rows,
        cancels=True,
    ),
    Case(
        lossfn.SoftmaxFocal(gamma=1.5),
        "categorical_focal_crossentropy CategoricalFocalCrossentropy",
        cases.near(cases.rows, -4, 4),
        {"gamma": 1.5, "from_logits": True},
        call=times(4, one_hot),
    ),
    Case(
        lossfn.GeneralizedCrossEntropy(q=0.75),
        "categorical_generalized_cross_entropy CategoricalGeneralizedCrossEntropy",
        cases.near(cases.rows, -4, 4),
        {"q": 0.75},
        call=of_softmax(rows),
    ),
    Case(
        lossfn.KullbackLeibler(),
        "kl_divergence KLDivergence",
        LIKELY,
        call=of_exponential(rows),
    ),
    Case(
        lossfn.CrammerSingerHinge(),
        "categorical_hinge CategoricalHinge",
        scores_above_zero,
        call=one_hot,
        kink=(at_hinge_kink, hinge_slope),
    ),
    # Means: what they divide by.
    Case(Mean(lossfn.SquaredError()), "MeanSquaredError", cases.numbers, call=rows),
    Case(
        Mean(lossfn.SoftmaxCrossEntropy(ignored_class=3)),
        "SparseCategoricalCrossentropy",
        cases.rows,
        {"from_logits": True, "ignore_class": 3},
        call=rows,
        cancels=True,
    ),
]


INF, NAN = np.inf, np.nan
LN_EPSILON = 16.1181  # -ln(1e-7)

DIFFERENCES = [
    Difference(
        "it is in percent, and targets nearer to 0 than 1e-7 are that",
        lossfn.AbsolutePercentageError(),
        "mean_absolute_percentage_error MeanAbsolutePercentageError",
        [1.0, 1.0],
        [0.0, 2.0],
        ours=([INF, 0.5], [INF, -0.5]),
        theirs=([1e9, 50], [1e9, -50]),
        call=each,
    ),
    Difference(
        "predictions below 1e-7 have no slope",
        lossfn.SquaredLogError(),
        "mean_squared_logarithmic_error MeanSquaredLogarithmicError",
        [0.0],
        [1.0],
        ours=([0.48045301], [-1.38629436]),
        theirs=([0.48045301], [0]),
        call=each,
    ),
    Difference(
        "1e-7 is added to the mean inside the logarithm",
        lossfn.Poisson(),
        "poisson Poisson",
        [0.0],
        [3.0],
        ours=([INF], [-INF]),
        theirs=([3 * LN_EPSILON], [-3e7]),
        call=each,
    ),
    Difference(
        "probabilities are kept 1e-7 off 0 and 1, and have no slope there",
        lossfn.BinaryCrossEntropy(),
        "binary_crossentropy BinaryCrossentropy",
        [0.0, 1e-8, 1.0],
        [1.0, 1.0, 1.0],
        ours=([INF, 18.42068074, 0], [-INF, -1e8, -1]),
        theirs=([LN_EPSILON, LN_EPSILON, 1.192e-7], [0, 0, 0]),
        call=each,
    ),
    Difference(
        "a sure and wrong prediction has no slope",
        lossfn.SigmoidFocal(balanced=False),
        "binary_focal_crossentropy BinaryFocalCrossentropy",
        [50.0],
        [0.0],
        ours=([50], [1]),
        theirs=([15.9424], [0]),
        options={"from_logits": True},
        call=each,
    ),
    Difference(
        "the power is that of a mixed probability for a target between 0 and 1",
        lossfn.SigmoidFocal(balanced=False),
        "binary_focal_crossentropy BinaryFocalCrossentropy",
        [np.log(3)],
        [0.5],
        ours=([0.39888535], None),
        theirs=([0.209247], None),
        options={"from_logits": True},
        call=each,
    ),
    Difference(
        "probabilities are divided by their sum",
        lossfn.CategoricalCrossEntropy(),
        "sparse_categorical_crossentropy SparseCategoricalCrossentropy",
        [[0.5, 0.25]],
        [0],
        ours=([0.69314718], [[-2, 0]]),
        theirs=([0.405465], [[-0.666667, 1.333333]]),
        call=rows,
    ),
    Difference(
        "probabilities are kept 1e-7 off 0 and 1, and have no slope there",
        lossfn.CategoricalCrossEntropy(),
        "categorical_crossentropy CategoricalCrossentropy",
        [[0.0, 1.0]],
        [[1.0, 0.0]],
        ours=([INF], [[-INF, 0]]),
        theirs=([LN_EPSILON], [[0, 0]]),
        call=rows,
    ),
    Difference(
        "a sure and right prediction has no loss and no slope",
        lossfn.SoftmaxCrossEntropy(),
        "sparse_categorical_crossentropy SparseCategoricalCrossentropy",
        [[50.0, 0.0]],
        [0],
        ours=([1.92874985e-22], [[-1.92874985e-22, 1.92874985e-22]]),
        theirs=([0], [[0, 1.929e-22]]),
        options={"from_logits": True},
        call=rows,
    ),
    Difference(
        "a sure and wrong prediction has no slope",
        lossfn.SoftmaxFocal(),
        "categorical_focal_crossentropy CategoricalFocalCrossentropy",
        [[50.0, 0.0]],
        [[0.0, 1.0]],
        ours=([50], [[1, -1]]),
        theirs=([LN_EPSILON / 4], [[0, 0]]),
        options={"from_logits": True},
        call=rows,
    ),
    Difference(
        "the slope of a probability that underflows is not a number",
        lossfn.GeneralizedCrossEntropy(q=0.75),
        "categorical_generalized_cross_entropy CategoricalGeneralizedCrossEntropy",
        [[-200.0, 0.0]],
        [0],
        ours=([4 / 3], [[0, 0]]),
        theirs=([4 / 3], [[NAN, NAN]]),
        options={"q": 0.75},
        call=of_softmax(rows),
    ),
    Difference(
        "probabilities are kept 1e-7 off 0, and have no slope there",
        lossfn.KullbackLeibler(),
        "kl_divergence KLDivergence",
        [[-20.0, 0.0]],
        [[1.0, 0.0]],
        ours=([20], [[-1, 0]]),
        theirs=([LN_EPSILON], None),
        call=of_exponential(rows),
    ),
    Difference(
        "the best other score counts as 0 where it is negative",
        lossfn.CrammerSingerHinge(),
        "categorical_hinge CategoricalHinge",
        [[-3.0, -5.0]],
        [0],
        ours=([0], [[0, 0]]),
        theirs=([4], None),
        call=lambda loss, p, y: loss(jax.nn.one_hot(y, 2), p),
    ),
]

NOT_HERE = "lossfn has no losses over "
WITHOUT = {
    "cosine_similarity": NOT_HERE + "pairs of vectors",
    "CosineSimilarity": NOT_HERE + "pairs of vectors",
    "circle": NOT_HERE + "pairs of vectors",
    "Circle": NOT_HERE + "pairs of vectors",
    "ctc": NOT_HERE + "alignments of sequences",
    "CTC": NOT_HERE + "alignments of sequences",
    "dice": NOT_HERE + "regions",
    "Dice": NOT_HERE + "regions",
    "tversky": NOT_HERE + "regions",
    "Tversky": NOT_HERE + "regions",
    "Loss": "the base of losses",
    "get": "no loss",
    "serialize": "no loss",
    "deserialize": "no loss",
}


# Classes call the functions, which one type is enough to show.
FUNCTIONS = [one for one in cases.each_name(CASES) if one.values[1].islower()]


@pytest.mark.parametrize("case, name", FUNCTIONS)
def test_agrees_in_f64(case, name, no_epsilon):
    case.check(evaluate, name, "float64", (MEAN_OF_F64, cases.PEER["float64"]))


@pytest.mark.parametrize("case, name", cases.each_name(CASES))
def test_agrees_in_f32(case, name, no_epsilon):
    case.check(evaluate, name, "float32")


@pytest.mark.parametrize("difference, name", cases.each_name(DIFFERENCES))
def test_differs(difference, name):
    difference.check(evaluate, name)


def test_means_of_f64_are_computed_in_f32():
    with jax.enable_x64(True):
        mean = keras.losses.mean_squared_error(jnp.zeros((1, 1)), jnp.full((1, 1), 3.0**-0.5))
    assert mean.dtype == np.float64
    assert 1e-9 < abs(float(mean[0]) - 1 / 3) < MEAN_OF_F64


@pytest.mark.parametrize(
    "reduction, denominator",
    {"sum_over_batch_size": "examples", "mean_with_sample_weight": "weights"}.items(),
)
def test_what_weighted_means_divide_by(reduction, denominator):
    prediction, target, weights = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
    weights = np.abs(weights)
    theirs = keras.losses.MeanSquaredError(reduction=reduction)(
        target[:, None], prediction[:, None], sample_weight=weights
    )
    ours = lossfn.squared_error(prediction, target, weights=weights, denominator=denominator)
    np.testing.assert_allclose(ours, theirs, 1e-6)


def test_none_is_forgotten():
    names = [name for name in dir(keras.losses) if not name.startswith("_")]
    cases.check_none_is_forgotten(names, CASES, WITHOUT)
