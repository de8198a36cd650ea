"""Losses of a probability or a logit and a binary target."""

from common import BINARY_ROWS, LOGIT_ROWS, Loss, both_signs, minus_a_ln_b, ratio
from mpmath import exp, ln, mpf, sign

SMOOTHED_ROWS = [
    ({"label_smoothing": s}, p, y)
    for s in (0.1, 0.5, 0.999, 2**-20)
    for p, y in [(0.25, 1.0), (0.9, 0.0), (1e-30, 1.0), (1 - 2**-24, 0.0), (0.9, 0.3), (0.0, 0.0), (1.0, 1.0)]
]
SMOOTHED_LOGIT_ROWS = [
    ({"pos_weight": w, "label_smoothing": s}, p, y)
    for w, s in ((1.0, 0.1), (1.0, 0.5), (3.0, 0.999), (0.1, 2**-20))
    for p, y in [(0.0, 1.0), (1.5, 1.0), (2.5, 0.0), (40.0, 1.0), (-100.0, 0.0), (0.7, 0.3)]
]

LOGITS = [0.0, *both_signs([1e-8, 0.5, 1.0, 1.5, 6.0, 10.0, 40.0, 80.0, 120.0, 300.0, 700.0, 1e4, 1e30])]
HARD_ROWS = [(p, y) for p in LOGITS for y in (0.0, 1.0)]
SOFT_ROWS = [(p, y) for p in (-40.0, -5.0, 1.0, 80.0) for y in (0.5, 0.1)]


def rows(points, *settings):
    return [(parameters, p, y) for parameters in settings for p, y in points]


def smooth(y, label_smoothing):
    return y * (1 - label_smoothing) + mpf(label_smoothing) / 2


def smoothed(function):
    """The same with a smoothed target."""
    return lambda p, y, label_smoothing=0, **k: function(p, smooth(y, label_smoothing), **k)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softplus(x):
    return ln(1 + exp(x))


def two_classes(one, other):
    """A logit's loss that is linear in the target: `one` and `other` are (value, slope, bend) of the two classes."""

    def part(order):
        return lambda x, y, **k: y * one[order](x, **k) + (1 - y) * other[order](x, **k)

    return part(0), part(1), part(2)


def mirrored(functions):
    """The functions of -x, with their derivatives by x."""
    value, slope, bend = functions
    return (lambda x, **k: value(-x, **k), lambda x, **k: -slope(-x, **k), lambda x, **k: bend(-x, **k))


# sigmoid(x)^gamma softplus(x): what focal loss charges for class 0.
FOCAL = (
    lambda x, gamma: sigmoid(x) ** gamma * softplus(x),
    lambda x, gamma: sigmoid(x) ** gamma * (gamma * sigmoid(-x) * softplus(x) + sigmoid(x)),
    lambda x, gamma: sigmoid(x) ** gamma
    * sigmoid(-x)
    * (gamma * (gamma * sigmoid(-x) - sigmoid(x)) * softplus(x) + (2 * gamma + 1) * sigmoid(x)),
)


def weighted(functions, weight):
    def by(function):
        return lambda x, alpha, gamma, balanced: weight(alpha, balanced) * function(x, gamma=gamma)

    return tuple(by(function) for function in functions)


SIGMOID_FOCAL = two_classes(
    weighted(mirrored(FOCAL), lambda alpha, balanced: alpha if balanced else mpf(1)),
    weighted(FOCAL, lambda alpha, balanced: 1 - alpha if balanced else mpf(1)),
)


def clipped(order):
    """The loss of class 0 in asymmetric loss: of the probability less the clip."""

    def part(x, gamma_neg, clip):
        p, q = sigmoid(x), sigmoid(-x)
        m = p - clip
        if m <= 0:
            return mpf(0)
        log, g = -ln(1 - m) if clip else softplus(x), gamma_neg
        slope = (g * m ** (g - 1) * log if g else 0) + m**g / (1 - m if clip else q)
        bend = (g * (g - 1) * m ** (g - 2) * log if g else 0) + (2 * g * m ** (g - 1) if g else 0) / (1 - m)
        bend += m**g / (1 - m) ** 2
        return (m**g * log, slope * p * q, bend * (p * q) ** 2 + slope * p * q * (q - p))[order]

    return part


def asymmetric(order):
    positive = mirrored(FOCAL)[order]
    return lambda x, y, gamma_neg, gamma_pos, clip: y * positive(x, gamma=gamma_pos) + (1 - y) * clipped(order)(
        x, gamma_neg, clip
    )


def varifocal(order):
    cross_entropy = (
        lambda x, y: y * softplus(-x) + (1 - y) * softplus(x),
        lambda x, y: sigmoid(x) - y,
        lambda x, y: sigmoid(x) * sigmoid(-x),
    )
    return lambda x, y, alpha, gamma: y * cross_entropy[order](x, y) if y > 0 else alpha * FOCAL[order](x, gamma)


def quality_focal(order):
    def part(x, y, beta):
        p, q = sigmoid(x), sigmoid(-x)
        w = p - y
        cross_entropy = (y * softplus(-x) + (1 - y) * softplus(x), w, p * q)
        if w == 0:
            return 2 * (p * q) ** 2 * cross_entropy[0] if order == 2 and beta == 2 else mpf(0)
        power = abs(w) ** beta
        first = beta * power / w * p * q
        second = beta * (beta - 1) * power / w**2 * (p * q) ** 2 + beta * power / w * p * q * (q - p)
        return (
            power * cross_entropy[0],
            first * cross_entropy[0] + power * w,
            second * cross_entropy[0] + 2 * first * w + power * p * q,
        )[order]

    return part


POLY1 = (
    lambda x, epsilon: softplus(x) + epsilon * sigmoid(x),
    lambda x, epsilon: sigmoid(x) * (1 + epsilon * sigmoid(-x)),
    lambda x, epsilon: sigmoid(x) * sigmoid(-x) * (1 + epsilon * (sigmoid(-x) - sigmoid(x))),
)

LOSSES = {
    "binary_cross_entropy": Loss(
        "Good (1952), Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x",
        smoothed(lambda p, y: minus_a_ln_b(y, p) + minus_a_ln_b(1 - y, 1 - p)),
        smoothed(lambda p, y: ratio(1 - y, 1 - p) - ratio(y, p)),
        smoothed(lambda p, y: ratio(y, p**2) + ratio(1 - y, (1 - p) ** 2)),
        BINARY_ROWS + SMOOTHED_ROWS,
        checkable=lambda p: 0 < p < 1,
    ),
    "binary_cross_entropy_with_logits": Loss(
        "Cox (1958), The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x;"
        " weighted as in King and Zeng (2001), Logistic Regression in Rare Events Data,"
        " doi:10.1093/oxfordjournals.pan.a004868",
        smoothed(lambda p, y, pos_weight: pos_weight * y * ln(1 + exp(-p)) + (1 - y) * ln(1 + exp(p))),
        smoothed(lambda p, y, pos_weight: (1 - y) / (1 + exp(-p)) - pos_weight * y / (1 + exp(p))),
        smoothed(lambda p, y, pos_weight: (pos_weight * y + 1 - y) / ((1 + exp(-p)) * (1 + exp(p)))),
        LOGIT_ROWS + SMOOTHED_LOGIT_ROWS,
    ),
    "brier": Loss(
        "Brier (1950), Verification of Forecasts Expressed in Terms of Probability",
        lambda p, y: (p - y) ** 2,
        lambda p, y: 2 * (p - y),
        lambda p, y: mpf(2),
        BINARY_ROWS,
    ),
    "sigmoid_focal": Loss(
        "Lin, Goyal, Girshick, He and Dollár (2017), Focal Loss for Dense Object Detection, arXiv:1708.02002",
        *SIGMOID_FOCAL,
        rows(HARD_ROWS + SOFT_ROWS, {"alpha": 0.25, "gamma": 2.0, "balanced": 1.0})
        + rows(
            [(-80.0, 0.0), (-2.5, 0.0), (6.0, 0.0), (80.0, 1.0), (0.25, 1.0), (-6.0, 1.0), (-2.0, 0.3)],
            {"alpha": 0.25, "gamma": 5.0, "balanced": 0.0},
            {"alpha": 0.9, "gamma": 0.5, "balanced": 1.0},
            {"alpha": 1.0, "gamma": 0.0, "balanced": 1.0},
            {"alpha": 0.5, "gamma": 0.1, "balanced": 0.0},
            {"alpha": 0.5, "gamma": 30.0, "balanced": 0.0},
        ),
    ),
    "asymmetric": Loss(
        "Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter and Zelnik-Manor (2021), Asymmetric Loss for Multi-Label"
        " Classification, arXiv:2009.14119",
        *map(asymmetric, range(3)),
        rows(HARD_ROWS + SOFT_ROWS, {"gamma_neg": 4.0, "gamma_pos": 1.0, "clip": 0.05})
        + rows(
            [(-80.0, 0.0), (-2.5, 0.0), (-3.5, 0.0), (6.0, 0.0), (80.0, 1.0), (0.25, 1.0), (0.7, 0.3)],
            {"gamma_neg": 4.0, "gamma_pos": 0.0, "clip": 0.0},
            {"gamma_neg": 2.0, "gamma_pos": 2.0, "clip": 0.2},
            {"gamma_neg": 1.0, "gamma_pos": 0.5, "clip": 0.01},
            {"gamma_neg": 0.0, "gamma_pos": 0.0, "clip": 0.5},
        ),
    ),
    "varifocal": Loss(
        "Zhang, Wang, Dayoub and Sünderhauf (2021), VarifocalNet: An IoU-aware Dense Object Detector, arXiv:2008.13367",
        *map(varifocal, range(3)),
        rows(HARD_ROWS + SOFT_ROWS, {"alpha": 0.75, "gamma": 2.0})
        + rows(
            [(-80.0, 0.0), (-2.5, 0.0), (6.0, 0.0), (60.0, 0.0), (0.25, 0.9)],
            {"alpha": 0.25, "gamma": 5.0},
            {"alpha": 3.0, "gamma": 0.5},
            {"alpha": 1.0, "gamma": 0.0},
        ),
    ),
    "quality_focal": Loss(
        "Li, Wang, Wu, Chen, Hu, Li, Tang and Yang (2020), Generalized Focal Loss, arXiv:2006.04388",
        *map(quality_focal, range(3)),
        rows(HARD_ROWS + SOFT_ROWS + [(0.0, 0.5), (1e-3, 0.5), (-2.25, 0.1)], {"beta": 2.0})
        + rows(
            [(-80.0, 0.0), (-2.5, 0.0), (6.0, 0.0), (100.0, 1.0), (0.25, 0.9), (-0.5, 0.75)],
            {"beta": 1.0},
            {"beta": 2.5},
            {"beta": 4.0},
        ),
    ),
    "poly1_binary": Loss(
        "Leng, Tan, Liu, Cubuk, Shi, Cheng and Anguelov (2022), PolyLoss, arXiv:2204.12511",
        *two_classes(mirrored(POLY1), POLY1),
        rows(HARD_ROWS + SOFT_ROWS, {"epsilon": 1.0})
        + rows(
            [(-80.0, 0.0), (-2.5, 0.0), (0.0, 1.0), (1e-3, 0.0), (6.0, 0.0), (100.0, 1.0), (0.25, 0.9)],
            {"epsilon": -1.0},
            {"epsilon": -0.75},
            {"epsilon": 0.1},
            {"epsilon": 100.0},
        ),
    ),
}
