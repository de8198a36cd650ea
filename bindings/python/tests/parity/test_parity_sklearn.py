"""lossfn beside scikit-learn: sklearn._loss, the losses of its SGD, and sklearn.metrics."""

import numpy as np
import pytest

import lossfn

from . import cases
from .cases import Case, Difference, Mean

metrics = pytest.importorskip("sklearn.metrics")
gradient_losses = pytest.importorskip("sklearn._loss.loss")
sgd = pytest.importorskip("sklearn.linear_model._sgd_fast")


def found(name, options):
    """From prediction and target to losses and gradient; of metrics, to the mean and nothing."""
    if hasattr(gradient_losses, name):
        loss = getattr(gradient_losses, name)(**options)
        return lambda p, y: (loss.loss(y, p), loss.gradient(y, p))
    if hasattr(sgd, name):
        loss = getattr(sgd, name)(*options.values())
        return lambda p, y: (
            np.array([loss.py_loss(*pair) for pair in zip(p, y, strict=True)]),
            np.array([loss.py_dloss(*pair) for pair in zip(p, y, strict=True)]),
        )
    metric = getattr(metrics, name)
    return lambda p, y: (np.asarray(metric(y, p, **options)), None)


def evaluate(case, name, prediction, target):
    """The losses and the gradient that scikit-learn gives beside it."""
    return case.call(found(name, case.options), prediction, target)


def binary(loss, prediction, target):
    """For targets 0 and 1."""
    return loss(prediction, (target + 1) / 2)


def labels(loss, prediction, target):
    """For labels that have the type of the prediction."""
    return loss(prediction, target.astype(prediction.dtype))


def deviance(factor):
    """For losses that are less what the target itself has, times a factor."""

    def of(loss):
        def call(peer, prediction, target):
            value, gradient = peer(prediction, target)
            nothing = target == 0
            same = np.where(nothing, 1, target)
            least = np.where(nothing, 0, loss(reduction="none").value(same, same))
            return value / factor + (least if np.ndim(value) else least.mean()), gradient

        return call

    return of


HALF_DEVIANCE, DEVIANCE = deviance(1), deviance(2)


def without_zero(random):
    """Scores other than 0, and targets -1 and +1."""
    prediction, target = cases.margins(random)
    return np.where(prediction == 0, 0.5, prediction), target


def without_ties(random):
    """Scores of classes that all differ, and labels."""
    return random.normal(size=(100, cases.CLASSES)), random.integers(0, cases.CLASSES, 100)


# What makes digits be lost.
LOGITS = "the score is subtracted from softplus(score)"
SOFTMAX = "a score is subtracted from the logarithm of the normaliser, 1 from a probability"


def at_tie(prediction, target):
    return prediction == target


INF, NAN = np.inf, np.nan

CASES = [
    Case(lossfn.HalfSquaredError(), "HalfSquaredError", cases.numbers),
    Case(
        lossfn.AbsoluteError(),
        "AbsoluteError",
        cases.numbers,
        kink=(at_tie, lambda p, y: -1.0),
    ),
    Case(
        lossfn.Quantile(0.75),
        "PinballLoss",
        cases.numbers,
        {"quantile": 0.75},
        kink=(at_tie, lambda p, y: -0.75),
    ),
    Case(lossfn.Huber(1.5), "HuberLoss", cases.numbers, {"delta": 1.5}),
    Case(lossfn.PoissonLogLink(), "HalfPoissonLoss", cases.log_rates, cancels=True),
    Case(
        lossfn.GammaLogLink(),
        "HalfGammaLoss",
        cases.above_zero(cases.log_rates),
        cancels=True,
    ),
    Case(
        lossfn.TweedieLogLink(power=1.5),
        "HalfTweedieLoss",
        cases.log_rates,
        {"power": 1.5},
        cancels=True,
    ),
    Case(
        lossfn.InverseGaussianLogLink(),
        "HalfTweedieLoss",
        cases.above_zero(cases.log_rates),
        {"power": 3.0},
        cancels=True,
    ),
    Case(
        lossfn.Tweedie(power=1.5),
        "HalfTweedieLossIdentity",
        cases.rates,
        {"power": 1.5},
        call=HALF_DEVIANCE(lossfn.Tweedie),
        cancels=True,
    ),
    Case(
        lossfn.BinaryCrossEntropyWithLogits(), "HalfBinomialLoss", cases.logits, loses=LOGITS
    ),
    Case(
        lossfn.BinaryCrossEntropyWithLogits(),
        "HalfBinomialLoss",
        cases.soft_logits,
        loses=LOGITS,
        cancels=True,
    ),
    Case(lossfn.Logistic(), "HalfBinomialLoss", cases.margins, call=binary, loses=LOGITS),
    Case(lossfn.Exponential(), "ExponentialLoss", cases.near(cases.margins, -50, 50), call=binary),
    Case(
        lossfn.SoftmaxCrossEntropy(),
        "HalfMultinomialLoss",
        cases.rows,
        {"n_classes": cases.CLASSES},
        call=labels,
        loses=SOFTMAX,
    ),
    Case(
        lossfn.Hinge(),
        "Hinge",
        cases.margins,
        {"threshold": 1.0},
        kink=(lambda p, y: p * y == 1, lambda p, y: -y),
    ),
    Case(
        lossfn.Perceptron(),
        "Hinge",
        cases.margins,
        {"threshold": 0.0},
        kink=(lambda p, y: p == 0, lambda p, y: -y),
    ),
    Case(lossfn.SquaredHinge(), "SquaredHinge", cases.margins, {"threshold": 1.0}),
    Case(lossfn.ModifiedHuber(), "ModifiedHuber", cases.margins),
    Case(lossfn.EpsilonInsensitive(0.5), "EpsilonInsensitive", cases.numbers, {"epsilon": 0.5}),
    Case(
        lossfn.SquaredEpsilonInsensitive(0.5),
        "SquaredEpsilonInsensitive",
        cases.numbers,
        {"epsilon": 0.5},
    ),
    # Metrics are means, without gradients.
    Case(Mean(lossfn.SquaredError()), "mean_squared_error", cases.numbers),
    Case(Mean(lossfn.AbsoluteError()), "mean_absolute_error", cases.numbers),
    Case(
        Mean(lossfn.AbsolutePercentageError()),
        "mean_absolute_percentage_error",
        cases.magnitudes,
    ),
    Case(Mean(lossfn.SquaredLogError()), "mean_squared_log_error", cases.magnitudes),
    Case(Mean(lossfn.Quantile(0.75)), "mean_pinball_loss", cases.numbers, {"alpha": 0.75}),
    Case(
        Mean(lossfn.Poisson()),
        "mean_poisson_deviance",
        cases.rates,
        call=DEVIANCE(lossfn.Poisson),
    ),
    Case(
        Mean(lossfn.Gamma()),
        "mean_gamma_deviance",
        cases.above_zero(cases.rates),
        call=DEVIANCE(lossfn.Gamma),
    ),
    Case(
        Mean(lossfn.Tweedie(power=1.5)),
        "mean_tweedie_deviance",
        cases.rates,
        {"power": 1.5},
        call=DEVIANCE(lossfn.Tweedie),
    ),
    Case(
        Mean(lossfn.InverseGaussian()),
        "mean_tweedie_deviance",
        cases.above_zero(cases.rates),
        {"power": 3.0},
        call=DEVIANCE(lossfn.InverseGaussian),
    ),
    Case(Mean(lossfn.BinaryCrossEntropy()), "log_loss", cases.chances),
    Case(Mean(lossfn.CategoricalCrossEntropy()), "log_loss", cases.chance_rows),
    Case(Mean(lossfn.Brier()), "brier_score_loss", cases.chances),
    Case(
        Mean(lossfn.MulticlassBrier()),
        "brier_score_loss",
        cases.chance_rows,
        {"scale_by_half": False},
    ),
    Case(Mean(lossfn.Hinge()), "hinge_loss", cases.margins),
    Case(Mean(lossfn.CrammerSingerHinge()), "hinge_loss", cases.rows),
    Case(
        Mean(lossfn.ZeroOne()),
        "zero_one_loss",
        without_zero,
        call=lambda loss, p, y: loss(np.sign(p), y),
    ),
    Case(
        Mean(lossfn.TopKError(k=2)),
        "top_k_accuracy_score",
        without_ties,
        {"k": 2},
        call=lambda loss, p, y: (1 - loss(p, y)[0], None),
    ),
]

DIFFERENCES = [
    Difference(
        "a sure and right prediction has no loss for target 1",
        lossfn.BinaryCrossEntropyWithLogits(),
        "HalfBinomialLoss",
        [50.0, -50.0],
        [1.0, 0.0],
        ours=([1.92874985e-22, 1.92874985e-22], [-1.92874985e-22, 1.92874985e-22]),
        theirs=([0, 1.929e-22], [-1.929e-22, 1.929e-22]),
    ),
    Difference(
        "what the other target has overflows, times 0",
        lossfn.Exponential(),
        "ExponentialLoss",
        [1000.0],
        [1.0],
        ours=([0], [0]),
        theirs=([NAN], [NAN]),
        call=binary,
        dtype="float64",
    ),
    Difference(
        "a sure and right prediction has no loss and no slope",
        lossfn.SoftmaxCrossEntropy(),
        "HalfMultinomialLoss",
        [[50.0, 0.0, 0.0]],
        [0],
        ours=([3.8574997e-22], [[-3.8574997e-22, 1.92874985e-22, 1.92874985e-22]]),
        theirs=([0], [[0, 1.929e-22, 1.929e-22]]),
        call=labels,
    ),
    Difference(
        "probabilities are kept off 0 and 1 by an ulp of 1",
        Mean(lossfn.BinaryCrossEntropy()),
        "log_loss",
        [1e-20, 0.0],
        [1.0, 0.0],
        ours=(23.02585093, None),
        theirs=(18.0218, None),
        dtype="float64",
    ),
    Difference(
        "targets nearer to 0 than an ulp of 1 are that",
        Mean(lossfn.AbsolutePercentageError()),
        "mean_absolute_percentage_error",
        [1.0, 1.0],
        [0.0, 1.0],
        ours=(INF, None),
        theirs=(2.0**51, None),
        dtype="float64",
    ),
    Difference(
        "rows of two classes are scaled to a half",
        Mean(lossfn.MulticlassBrier()),
        "brier_score_loss",
        [[0.25, 0.75], [0.5, 0.5]],
        [0, 1],
        ours=((2 * 0.75**2 + 2 * 0.5**2) / 2, None),
        theirs=((0.75**2 + 0.5**2) / 2, None),
    ),
    Difference(
        "a score of 0 is of the class that it is said to be, not of none",
        Mean(lossfn.ZeroOne()),
        "zero_one_loss",
        [0.0, 1.0],
        [1.0, -1.0],
        ours=(1, None),
        theirs=(0.5, None),
        call=lambda loss, p, y: loss(np.where(p >= 0, 1, -1), y),
    ),
    Difference(
        "of classes with equal scores the last are the best",
        Mean(lossfn.TopKError(k=1)),
        "top_k_accuracy_score",
        [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [0, 1, 2],
        ours=(2 / 3, None),
        theirs=(1 / 3, None),
        options={"k": 1},
        call=lambda loss, p, y: (1 - loss(p, y)[0], None),
    ),
]

NOT_HERE = "lossfn has no losses over "
WITHOUT = {
    "BaseLoss": "the base of losses",
    "ArrayAPILossMixin": "the base of losses",
    "Classification": "the base of losses",
    "Regression": "the base of losses",
    "HalfBinomialLossArrayAPI": "HalfBinomialLoss for arrays of other libraries",
    "HalfMultinomialLossArrayAPI": "HalfMultinomialLoss for arrays of other libraries",
    "HalfPoissonLossArrayAPI": "HalfPoissonLoss for arrays of other libraries",
    "coverage_error": NOT_HERE + "lists of items",
    "label_ranking_loss": NOT_HERE + "lists of items",
    "hamming_loss": "zero_one_loss of each of several labels",
    "max_error": "a maximum over the examples, not a mean",
    "median_absolute_error": "a median over the examples, not a mean",
    "root_mean_squared_error": "the root of a mean",
    "root_mean_squared_log_error": "the root of a mean",
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case, name", cases.each_name(CASES))
def test_agrees(case, name, dtype):
    case.check(evaluate, name, dtype)


@pytest.mark.parametrize("difference, name", cases.each_name(DIFFERENCES))
def test_differs(difference, name):
    difference.check(evaluate, name)


def test_means_divide_by_the_weights():
    prediction, target, weights = np.random.default_rng(0).normal(size=(3, 20))
    weights = np.abs(weights)
    theirs = metrics.mean_squared_error(target, prediction, sample_weight=weights)
    np.testing.assert_allclose(lossfn.squared_error(prediction, target, weights=weights), theirs)


def test_none_is_forgotten():
    ends = ("_loss", "_error", "_deviance")
    means = [name for name in dir(metrics) if name.endswith(ends)] + ["top_k_accuracy_score"]
    with_gradient = [
        name for name in dir(gradient_losses) if "Loss" in name or name.endswith("Error")
    ]
    with_gradient = [name for name in with_gradient if not name.startswith("Cy")]
    of_sgd = [name for name in dir(sgd) if name[0].isupper()]
    cases.check_none_is_forgotten([*means, *with_gradient, *of_sgd], CASES, WITHOUT)
