"""lossfn beside Optax: optax.losses."""

from functools import partial

import numpy as np
import pytest

import lossfn

from . import cases
from .cases import Case, Difference

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

from .by_jax import evaluated  # noqa: E402

jnp = jax.numpy


def evaluate(case, name, prediction, target):
    """The losses and the gradient by jax.grad."""
    loss = partial(getattr(optax.losses, name), **case.options)

    return evaluated(partial(case.call, loss), prediction, target)


def binary(loss, prediction, target):
    """For targets 0 and 1."""
    return loss(prediction, target > 0)


def one_hot(loss, prediction, target):
    """For targets as rows of 0 and 1."""
    return loss(prediction, jax.nn.one_hot(target, prediction.shape[-1], dtype=prediction.dtype))


def smoothed(loss, prediction, target):
    """For a target that Optax's smooth_labels has smoothed."""
    return loss(prediction, optax.losses.smooth_labels(target, 0.125))


def logarithmic(loss, prediction, target):
    """For targets given as logarithms."""
    return loss(prediction, jnp.log(target))


def fenchel_young(max_fun):
    """For a loss that is made from the conjugate of an entropy."""

    def call(make, prediction, target):
        return make(max_fun)(prediction, target)

    return call


def gini(scores):
    """The conjugate of Gini's entropy, by the projection onto the simplex."""
    chances = optax.projections.projection_simplex(scores)
    return chances @ scores + (1 - chances @ chances) / 2


# What makes digits be lost.
HUBER = "the slope is delta less what it is below delta"
LN_2 = "ln 2 is subtracted at last"
SOFTMAX = "a score is subtracted from the logarithm of the normaliser, 1 from a probability"
ONE = "1 is added to all scores, and taken off that of the true class"
DIVERGENCE = "the logarithm of the target is rounded before the prediction is taken off it"

CASES = [
    Case(lossfn.SquaredError(), "squared_error", cases.numbers),
    Case(lossfn.HalfSquaredError(), "l2_loss", cases.numbers),
    Case(lossfn.Huber(1.5), "huber_loss", cases.numbers, {"delta": 1.5}, loses=HUBER),
    Case(lossfn.LogCosh(), "log_cosh", cases.numbers, loses=LN_2),
    Case(
        lossfn.Hinge(),
        "hinge_loss",
        cases.margins,
        kink=cases.halves(lambda p, y: p * y == 1, lambda p, y: -y),
    ),
    Case(
        lossfn.Perceptron(),
        "perceptron_loss",
        cases.margins,
        kink=cases.halves(lambda p, y: p == 0, lambda p, y: -y),
    ),
    Case(lossfn.SmoothedHinge(width=2.0), "sparsemax_loss", cases.margins, call=binary),
    Case(
        lossfn.ModifiedHuber(),
        "sparsemax_loss",
        cases.margins,
        call=lambda loss, p, y: 4 * binary(loss, p, y),
    ),
    Case(lossfn.BinaryCrossEntropyWithLogits(), "sigmoid_binary_cross_entropy", cases.logits),
    Case(
        lossfn.BinaryCrossEntropyWithLogits(),
        "sigmoid_binary_cross_entropy",
        cases.soft_logits,
        cancels=True,
    ),
    Case(lossfn.SigmoidFocal(balanced=False), "sigmoid_focal_loss", cases.logits),
    Case(
        lossfn.SigmoidFocal(alpha=0.25, gamma=1.5),
        "sigmoid_focal_loss",
        cases.logits,
        {"alpha": 0.25, "gamma": 1.5},
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(),
        "softmax_cross_entropy_with_integer_labels",
        cases.rows,
        loses=SOFTMAX,
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(),
        "softmax_cross_entropy safe_softmax_cross_entropy",
        cases.rows,
        call=one_hot,
        loses=SOFTMAX,
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(),
        "softmax_cross_entropy safe_softmax_cross_entropy",
        cases.soft_rows,
        loses=SOFTMAX,
        cancels=True,
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(label_smoothing=0.125),
        "softmax_cross_entropy",
        cases.soft_rows,
        call=smoothed,
        cancels=True,
    ),
    Case(
        lossfn.Poly1CrossEntropy(epsilon=2.0),
        "poly_loss_cross_entropy",
        cases.rows,
        call=one_hot,
        loses=SOFTMAX,
    ),
    Case(
        lossfn.Poly1CrossEntropy(epsilon=0.5),
        "poly_loss_cross_entropy",
        cases.soft_rows,
        {"epsilon": 0.5},
        loses=SOFTMAX,
        cancels=True,
    ),
    Case(
        lossfn.KullbackLeibler(), "kl_divergence", cases.soft_log_chance_rows, loses=DIVERGENCE
    ),
    Case(
        lossfn.KullbackLeibler(),
        "kl_divergence_with_log_targets",
        cases.log_chances_and_chances,
        call=logarithmic,
    ),
    Case(
        lossfn.CrammerSingerHinge(),
        "multiclass_hinge_loss",
        cases.rows,
        kink=cases.equal_parts(1),
        loses=ONE,
    ),
    Case(
        lossfn.MulticlassPerceptron(),
        "multiclass_perceptron_loss",
        cases.rows,
        kink=cases.equal_parts(0),
    ),
    Case(lossfn.Sparsemax(), "multiclass_sparsemax_loss", cases.rows, cancels=True),
    Case(
        lossfn.FenchelYoung(alpha=1.0),
        "make_fenchel_young_loss",
        cases.soft_rows,
        call=fenchel_young(jax.nn.logsumexp),
        loses=SOFTMAX,
        cancels=True,
    ),
    Case(
        lossfn.FenchelYoung(alpha=2.0),
        "make_fenchel_young_loss",
        cases.soft_rows,
        call=fenchel_young(gini),
        cancels=True,
    ),
]

INF, NAN = np.inf, np.nan
TINY = np.exp(-50.0)

DIFFERENCES = [
    Difference(
        "no slope for a residual of 1e-8",
        lossfn.Huber(),
        "huber_loss",
        [1e-8],
        [0.0],
        ours=([5e-17], [1e-8]),
        theirs=([5e-17], [0]),
    ),
    Difference(
        "a sure and right prediction has no loss and no slope",
        lossfn.SoftmaxCrossEntropy(),
        "softmax_cross_entropy_with_integer_labels",
        [[50.0, 0.0]],
        [0],
        ours=([TINY], [[-TINY, TINY]]),
        theirs=([0], [[0, TINY]]),
        dtype="float64",
    ),
    Difference(
        "a class that is excluded by the score and has no target makes the loss NaN",
        lossfn.SoftmaxCrossEntropy(),
        "softmax_cross_entropy",
        [[0.0, 0.0, -INF]],
        [[0.5, 0.5, 0.0]],
        ours=([0.69314718], [[0, 0, 0]]),
        theirs=([NAN], None),
    ),
    Difference(
        "the power is that of a mixed probability for a target between 0 and 1",
        lossfn.SigmoidFocal(balanced=False),
        "sigmoid_focal_loss",
        [0.0, np.log(3)],
        [0.5, 0.5],
        ours=([0.17328680, 0.39888534], None),
        theirs=([0.17328680, 0.20925], None),
    ),
    Difference(
        "a class without target makes the loss NaN where targets are logarithms",
        lossfn.KullbackLeibler(),
        "kl_divergence_with_log_targets",
        np.log([[0.5, 0.5]]),
        [[1.0, 0.0]],
        ours=([0.69314718], [[-1, 0]]),
        theirs=([NAN], None),
        call=logarithmic,
    ),
]

NOT_HERE = "lossfn has no losses over "
WITHOUT = {
    "cosine_distance": NOT_HERE + "pairs of vectors",
    "cosine_similarity": NOT_HERE + "pairs of vectors",
    "ntxent": NOT_HERE + "pairs of vectors",
    "triplet_margin_loss": NOT_HERE + "triplets of vectors",
    "ctc_loss": NOT_HERE + "alignments of sequences",
    "ctc_loss_with_forward_probs": NOT_HERE + "alignments of sequences",
    "ranking_softmax_loss": NOT_HERE + "lists of items",
    "dice_loss": NOT_HERE + "regions",
    "binary_dice_loss": NOT_HERE + "regions",
    "multiclass_generalized_dice_loss": NOT_HERE + "regions",
    "generalized_kl_divergence": "kl_divergence plus what the prediction exceeds the target by",
    "convex_kl_divergence": "a deprecated name of generalized_kl_divergence",
    "smooth_labels": "no loss; it is in a case of softmax_cross_entropy",
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case, name", cases.each_name(CASES))
def test_agrees(case, name, dtype):
    case.check(evaluate, name, dtype)


@pytest.mark.parametrize("difference, name", cases.each_name(DIFFERENCES))
def test_differs(difference, name):
    difference.check(evaluate, name)


def test_none_is_forgotten():
    names = [name for name in dir(optax.losses) if not name.startswith("_")]
    # The catalog has the entmax package's sparsemax_loss, which is over classes.
    cases.check_none_is_forgotten(names, CASES, WITHOUT, ambiguous=["sparsemax_loss"])
