"""lossfn beside PyTorch: torch.nn.functional, torch.nn and torch.distributions."""

from functools import partial

import numpy as np
import pytest

import lossfn

from . import cases
from .cases import Case, Difference, Mean

torch = pytest.importorskip("torch")
F, nn = torch.nn.functional, torch.nn


def found(name, options):
    """A function of torch.nn.functional, a class of torch.nn, or a distribution."""
    if hasattr(F, name):
        return partial(getattr(F, name), **options)
    if hasattr(nn, name):
        return getattr(nn, name)(**options)
    return getattr(torch.distributions, name)


def evaluate(case, name, prediction, target):
    """The losses, or their mean, and the gradient by torch.autograd."""
    options = {"reduction": cases.reduction(case), **case.options}
    for key, option in options.items():
        if isinstance(option, list):
            options[key] = torch.tensor(option, dtype=torch.from_numpy(prediction).dtype)
    prediction = torch.from_numpy(prediction).requires_grad_()
    losses = case.call(found(name, options), prediction, torch.from_numpy(target))
    losses.sum().backward()
    return losses.detach().numpy(), prediction.grad.numpy()


def over_classes(loss, prediction, target):
    """For losses that PyTorch gives for each class."""
    return loss(prediction, target).sum(-1)


def components(loss, prediction, target):
    """For PyTorch's order: the mean, the target, the variance."""
    return loss(prediction[:, 0], target, prediction[:, 1])


def density(*parameters):
    """For minus the logarithm of the density, with parameters before the predicted ones."""

    def call(distribution, prediction, target):
        return -distribution(*parameters, *prediction.unbind(-1)).log_prob(target)

    return call


def indices(loss, prediction, target):
    """For PyTorch's sets: the classes in them, then -1."""
    listed = torch.full(target.shape, -1)
    for row, members in zip(listed, target, strict=True):
        inside = members.nonzero().flatten()
        row[: len(inside)] = inside
    return loss(prediction, listed)


def locations(random):
    """A predicted location and scale, and the target: far off, nearly on it, exactly on it."""
    location, target = cases.numbers(random)
    scale = np.exp(random.normal(size=len(location)))
    return np.stack([location, scale], -1), target


def positive(random):
    """The same with targets above 0."""
    prediction, target = locations(random)
    return prediction, np.exp(target / 4).clip(1e-8)


def two_shapes(random):
    """Two numbers above 0, and a target between 0 and 1."""
    prediction = np.exp(random.normal(size=(100, 2)))
    return prediction, random.uniform(0.01, 0.99, 100)


def distances(random):
    """Distances, and whether two things are alike."""
    prediction, target = cases.margins(random)
    return np.abs(prediction), target


def ignoring(inputs):
    """Inputs of which some labels are to be ignored."""

    def drawn(random):
        prediction, target = inputs(random)
        target[::4] = 3
        return prediction, target

    return drawn


WEIGHTS = [0.5, 2.0, 1.0, 4.0]

# What makes digits be lost.
SOFTMAX = "a score is subtracted from the logarithm of the normaliser, 1 from a probability"
LOGITS = "the logarithm of a probability is subtracted from the score, 1 from a probability"
DIVERGENCE = "prediction and target are multiplied before they are compared"

CASES = [
    Case(lossfn.SquaredError(), "mse_loss MSELoss", cases.numbers),
    Case(lossfn.AbsoluteError(), "l1_loss L1Loss", cases.numbers),
    Case(lossfn.Huber(1.5), "huber_loss HuberLoss", cases.numbers, {"delta": 1.5}),
    Case(lossfn.SmoothL1(0.5), "smooth_l1_loss SmoothL1Loss", cases.numbers, {"beta": 0.5}),
    Case(lossfn.SmoothL1(0.0), "smooth_l1_loss SmoothL1Loss", cases.numbers, {"beta": 0.0}),
    Case(
        lossfn.Huber(0.5),
        "smooth_l1_loss SmoothL1Loss",
        cases.numbers,
        {"beta": 0.5},
        call=lambda loss, p, y: 0.5 * loss(p, y),
    ),
    Case(
        lossfn.PoissonLogLink(),
        "poisson_nll_loss PoissonNLLLoss",
        cases.log_rates,
        cancels=True,
    ),
    Case(
        lossfn.Poisson(),
        "poisson_nll_loss PoissonNLLLoss",
        cases.rates,
        {"log_input": False, "eps": 0.0},
        cancels=True,
    ),
    Case(
        lossfn.Poisson(full=True),
        "Poisson",
        cases.rates,
        call=lambda distribution, p, y: -distribution(p).log_prob(y),
        cancels=True,
    ),
    Case(
        lossfn.NegativeBinomial(dispersion=0.5, full=True),
        "NegativeBinomial",
        cases.rates,
        call=lambda distribution, p, y: -distribution(2.0, logits=(p / 2).log()).log_prob(y),
        cancels=True,
    ),
    Case(
        lossfn.GaussianNll(),
        "gaussian_nll_loss GaussianNLLLoss",
        locations,
        {"eps": 0.0},
        call=components,
        cancels=True,
    ),
    Case(
        lossfn.GaussianNll(full=True),
        "gaussian_nll_loss GaussianNLLLoss",
        locations,
        {"eps": 0.0, "full": True},
        call=components,
        cancels=True,
    ),
    Case(lossfn.LaplaceNll(), "Laplace", locations, call=density(), cancels=True),
    Case(lossfn.StudentTNll(4.0), "StudentT", locations, call=density(4.0), cancels=True),
    Case(lossfn.LogNormalNll(), "LogNormal", positive, call=density(), cancels=True),
    Case(lossfn.BetaNll(), "Beta", two_shapes, call=density(), cancels=True),
    Case(lossfn.Logistic(), "soft_margin_loss SoftMarginLoss", cases.near(cases.margins, -50, 50)),
    Case(
        lossfn.HingeEmbedding(1.5),
        "hinge_embedding_loss HingeEmbeddingLoss",
        distances,
        {"margin": 1.5},
    ),
    Case(lossfn.BinaryCrossEntropy(), "binary_cross_entropy BCELoss", cases.chances),
    Case(
        lossfn.BinaryCrossEntropy(),
        "binary_cross_entropy BCELoss",
        cases.soft_chances,
        cancels=True,
    ),
    Case(
        lossfn.BinaryCrossEntropyWithLogits(),
        "binary_cross_entropy_with_logits BCEWithLogitsLoss",
        cases.logits,
        loses=LOGITS,
    ),
    Case(
        lossfn.BinaryCrossEntropyWithLogits(pos_weight=2.5),
        "binary_cross_entropy_with_logits BCEWithLogitsLoss",
        cases.soft_logits,
        {"pos_weight": [2.5]},
        loses=LOGITS,
        cancels=True,
    ),
    Case(lossfn.SoftmaxCrossEntropy(), "cross_entropy CrossEntropyLoss", cases.rows, loses=SOFTMAX),
    Case(
        lossfn.SoftmaxCrossEntropy(),
        "cross_entropy CrossEntropyLoss",
        cases.soft_rows,
        loses=SOFTMAX,
        cancels=True,
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(label_smoothing=0.125, class_weights=WEIGHTS, ignored_class=3),
        "cross_entropy CrossEntropyLoss",
        ignoring(cases.rows),
        {"label_smoothing": 0.125, "weight": WEIGHTS, "ignore_index": 3},
        cancels=True,
    ),
    Case(
        lossfn.SoftmaxCrossEntropy(label_smoothing=0.125, class_weights=WEIGHTS),
        "cross_entropy CrossEntropyLoss",
        cases.soft_rows,
        {"label_smoothing": 0.125, "weight": WEIGHTS},
        cancels=True,
    ),
    Case(lossfn.NegativeLogLikelihood(), "nll_loss NLLLoss", cases.log_chance_rows),
    Case(
        lossfn.NegativeLogLikelihood(class_weights=WEIGHTS, ignored_class=3),
        "nll_loss NLLLoss",
        ignoring(cases.log_chance_rows),
        {"weight": WEIGHTS, "ignore_index": 3},
    ),
    Case(
        lossfn.KullbackLeibler(),
        "kl_div KLDivLoss",
        cases.soft_log_chance_rows,
        call=over_classes,
        loses=DIVERGENCE,
    ),
    Case(
        lossfn.KullbackLeibler(),
        "kl_div KLDivLoss",
        cases.log_chances_and_chances,
        {"log_target": True},
        call=lambda loss, p, y: over_classes(loss, p, y.log()),
    ),
    Case(
        lossfn.ReverseKullbackLeibler(),
        "kl_div KLDivLoss",
        cases.log_chances_and_chances,
        {"log_target": True},
        call=lambda loss, p, y: over_classes(loss, y.log(), p),
        cancels=True,
    ),
    Case(
        lossfn.MultiMargin(margin=0.5, class_weights=WEIGHTS),
        "multi_margin_loss MultiMarginLoss",
        cases.rows,
        {"margin": 0.5, "weight": WEIGHTS},
    ),
    Case(
        lossfn.MultiMargin(power=2),
        "multi_margin_loss MultiMarginLoss",
        cases.rows,
        {"p": 2},
    ),
    Case(
        lossfn.WestonWatkinsHinge(),
        "multi_margin_loss MultiMarginLoss",
        cases.rows,
        call=lambda loss, p, y: loss(p, y) * p.shape[-1],
    ),
    Case(
        lossfn.MultilabelMargin(),
        "multilabel_margin_loss MultiLabelMarginLoss",
        cases.sets,
        call=indices,
    ),
    Case(
        lossfn.MultilabelSoftMargin(),
        "multilabel_soft_margin_loss MultiLabelSoftMarginLoss",
        cases.sets,
    ),
    # Means: what they divide by.
    Case(Mean(lossfn.SquaredError()), "mse_loss MSELoss", cases.numbers),
    Case(
        Mean(lossfn.NegativeLogLikelihood(class_weights=WEIGHTS, ignored_class=3)),
        "nll_loss NLLLoss",
        ignoring(cases.log_chance_rows),
        {"weight": WEIGHTS, "ignore_index": 3},
    ),
    Case(
        Mean(
            lossfn.SoftmaxCrossEntropy(
                label_smoothing=0.125, class_weights=WEIGHTS, ignored_class=3
            )
        ),
        "cross_entropy CrossEntropyLoss",
        ignoring(cases.rows),
        {"label_smoothing": 0.125, "weight": WEIGHTS, "ignore_index": 3},
        cancels=True,
    ),
    Case(
        Mean(lossfn.SoftmaxCrossEntropy(class_weights=WEIGHTS, denominator="valid")),
        "cross_entropy CrossEntropyLoss",
        cases.soft_rows,
        {"weight": WEIGHTS},
        cancels=True,
    ),
    Case(
        Mean(lossfn.KullbackLeibler()),
        "kl_div KLDivLoss",
        cases.soft_log_chance_rows,
        {"reduction": "batchmean"},
    ),
    Case(
        Mean(lossfn.MultiMargin(class_weights=WEIGHTS, denominator="examples")),
        "multi_margin_loss MultiMarginLoss",
        cases.rows,
        {"weight": WEIGHTS},
    ),
]

INF, NAN = np.inf, np.nan
TINY = np.exp(-50.0)

DIFFERENCES = [
    Difference(
        "an infinite loss is 100, with the slope of a probability of 1e-12",
        lossfn.BinaryCrossEntropy(),
        "binary_cross_entropy BCELoss",
        [0.0, 1.0],
        [1.0, 0.0],
        ours=([INF, INF], [-INF, INF]),
        theirs=([100, 100], [-1e12, 1e12]),
    ),
    Difference(
        "the slope of a probability below 1e-12 is that of 1e-12",
        lossfn.BinaryCrossEntropy(),
        "binary_cross_entropy BCELoss",
        [1e-20],
        [1.0],
        ours=([46.0517018], [-1e20]),
        theirs=([46.05], [-1e12]),
    ),
    Difference(
        "a sure and right prediction has no loss for target 0, no slope for target 1",
        lossfn.BinaryCrossEntropyWithLogits(),
        "binary_cross_entropy_with_logits BCEWithLogitsLoss",
        [-50.0, 50.0],
        [0.0, 1.0],
        ours=([TINY, TINY], [TINY, -TINY]),
        theirs=([0, TINY], [TINY, 0]),
        dtype="float64",
    ),
    Difference(
        "the exponential overflows, and its slope is then not a number",
        lossfn.Logistic(),
        "soft_margin_loss SoftMarginLoss",
        [-100.0],
        [1.0],
        ours=([100], [-1]),
        theirs=([INF], [NAN]),
    ),
    Difference(
        "a sure and right prediction has no loss and no slope",
        lossfn.SoftmaxCrossEntropy(),
        "cross_entropy CrossEntropyLoss",
        [[50.0, 0.0]],
        [0],
        ours=([TINY], [[-TINY, TINY]]),
        theirs=([0], [[0, TINY]]),
        dtype="float64",
    ),
    Difference(
        "a class that is excluded by the score and has no target makes the loss NaN",
        lossfn.SoftmaxCrossEntropy(),
        "cross_entropy CrossEntropyLoss",
        [[0.0, 0.0, -INF]],
        [[0.5, 0.5, 0.0]],
        ours=([0.69314718], [[0, 0, 0]]),
        theirs=([NAN], None),
    ),
    Difference(
        "a class without target and with probability 0 makes the loss NaN",
        lossfn.KullbackLeibler(),
        "kl_div KLDivLoss",
        [[0.0, -INF]],
        [[1.0, 0.0]],
        ours=([0], [[-1, 0]]),
        theirs=([NAN], None),
        call=over_classes,
    ),
    Difference(
        "a class without target makes the loss NaN where targets are logarithms",
        lossfn.KullbackLeibler(),
        "kl_div KLDivLoss",
        np.log([[0.5, 0.5]]),
        [[1.0, 0.0]],
        ours=([0.69314718], [[-1, 0]]),
        theirs=([NAN], None),
        options={"log_target": True},
        call=lambda loss, p, y: over_classes(loss, p, y.log()),
    ),
    Difference(
        "the mean divides by the number of all elements",
        Mean(lossfn.KullbackLeibler()),
        "kl_div KLDivLoss",
        np.log([[0.5, 0.5], [0.25, 0.75]]),
        [[1.0, 0.0], [1.0, 0.0]],
        ours=(1.03972077, [[-0.5, 0], [-0.5, 0]]),
        theirs=(1.03972077 / 2, [[-0.25, 0], [-0.25, 0]]),
    ),
    Difference(
        "ln(target!) is Stirling's approximation, and 0 for targets up to 1",
        lossfn.PoissonLogLink(full=True),
        "poisson_nll_loss PoissonNLLLoss",
        [0.0, 0.0],
        [0.5, 2.0],
        ours=([1 - 0.12078224, 1 + 0.69314718], [0.5, -1]),
        theirs=([1, 1.6518], [0.5, -1]),
        options={"full": True},
    ),
    Difference(
        "1e-8 is added to the mean inside the logarithm",
        lossfn.Poisson(),
        "poisson_nll_loss PoissonNLLLoss",
        [0.0, 1e-8],
        [3.0, 1.0],
        ours=([INF, 18.42068075], [-INF, -1e8]),
        theirs=([55.26, 17.7275], [-3e8, -5e7]),
        options={"log_input": False},
    ),
    Difference(
        "variances below 1e-6 are that, and their slope is its",
        lossfn.GaussianNll(),
        "gaussian_nll_loss GaussianNLLLoss",
        [[0.0, 1e-8]],
        [0.0],
        ours=([-9.21034037], [[0, 5e7]]),
        theirs=([-6.9078], [[0, 5e5]]),
        call=components,
    ),
    Difference(
        "the mean of f16 is f16, and overflows",
        Mean(lossfn.SquaredError()),
        "mse_loss MSELoss",
        [300.0, 0.0],
        [0.0, 0.0],
        ours=(45000, [300, 0]),
        theirs=(INF, [300, 0]),
        dtype="float16",
    ),
]

NOT_HERE = "lossfn has no losses over "
WITHOUT = {
    "cosine_embedding_loss": NOT_HERE + "pairs of vectors",
    "CosineEmbeddingLoss": NOT_HERE + "pairs of vectors",
    "margin_ranking_loss": NOT_HERE + "pairs of predictions",
    "MarginRankingLoss": NOT_HERE + "pairs of predictions",
    "triplet_margin_loss": NOT_HERE + "triplets of vectors",
    "TripletMarginLoss": NOT_HERE + "triplets of vectors",
    "triplet_margin_with_distance_loss": NOT_HERE + "triplets of vectors",
    "TripletMarginWithDistanceLoss": NOT_HERE + "triplets of vectors",
    "ctc_loss": NOT_HERE + "alignments of sequences",
    "CTCLoss": NOT_HERE + "alignments of sequences",
    "linear_cross_entropy": "cross_entropy together with the layer before it",
    "LinearCrossEntropyLoss": "cross_entropy together with the layer before it",
    "AdaptiveLogSoftmaxWithLoss": "the logarithm of a softmax in levels, with its parameters",
    "NLLLoss2d": "a deprecated name of NLLLoss",
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case, name", cases.each_name(CASES))
def test_agrees(case, name, dtype):
    case.check(evaluate, name, dtype)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("difference, name", cases.each_name(DIFFERENCES))
def test_differs(difference, name):
    difference.check(evaluate, name)


def test_the_von_mises_distribution_has_seven_digits_of_the_bessel_function():
    prediction, target = locations(np.random.default_rng(0))
    mean, concentration = torch.from_numpy(prediction).unbind(-1)
    residual = torch.from_numpy(target) - mean
    logarithm = torch.special.i0e(concentration).log() + np.log(2 * np.pi)
    true = concentration * 2 * (residual / 2).sin() ** 2 + logarithm
    theirs = -torch.distributions.VonMises(mean, concentration).log_prob(torch.from_numpy(target))
    ours = lossfn.von_mises_nll(prediction, target, reduction="none")
    np.testing.assert_allclose(ours, true, 1e-10)
    np.testing.assert_allclose(theirs, true, 0, 1e-6)
    assert (theirs - true).abs().max() > 1e-8


def test_nothing_to_average_is_nan_there_and_an_error_here():
    prediction, target = np.zeros((2, 3), np.float32), np.array([1, 1])
    theirs = F.cross_entropy(torch.from_numpy(prediction), torch.from_numpy(target), ignore_index=1)
    assert theirs.isnan()
    with pytest.raises(ValueError, match="no example|nothing"):
        lossfn.softmax_cross_entropy(prediction, target, ignored_class=1)
    for nothing, value in {"nan": NAN, "zero": 0.0}.items():
        ours = lossfn.softmax_cross_entropy(
            prediction, target, ignored_class=1, nothing_valid=nothing
        )
        np.testing.assert_equal(ours, value)


def test_a_distance_below_0_has_a_loss_there_and_is_an_error_here():
    assert F.hinge_embedding_loss(torch.tensor([-2.0]), torch.tensor([1.0])) == -2
    with pytest.raises(ValueError, match="prediction"):
        lossfn.hinge_embedding([-2.0], [1.0])


def test_none_is_forgotten():
    functions = [
        name
        for name in dir(F)
        if name.endswith(("_loss", "cross_entropy", "cross_entropy_with_logits", "kl_div"))
    ]
    classes = [name for name in dir(nn) if name.endswith("Loss") or name == "NLLLoss2d"]
    used = {name for case in CASES for name in case.names.split()}
    used &= set(torch.distributions.__all__)
    cases.check_none_is_forgotten([*functions, *classes, *used], CASES, WITHOUT)
