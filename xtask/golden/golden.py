"""Write testdata/golden/<loss>.toml: the value, gradient and second derivative
of each loss at chosen points, from its definition in the literature.

    python xtask/golden/golden.py           write the files
    python xtask/golden/golden.py --check   fail if the files differ

Needs mpmath. Nothing here is stabilised: the digits carry the cancellation.
Each derivative is checked against differences of the definition (see verify).
"""

import math
import random
import sys
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Callable

from mpmath import exp, ln, mp, mpf, sign

FOLDER = Path(__file__).resolve().parents[2] / "testdata" / "golden"

# cosh(1e-160) - 1 and sigmoid(1000) - 1 lose up to 435 digits; 40 must remain.
mp.dps = 1000

F32_MAX = 3.4028234663852886e38
F64_MAX = sys.float_info.max


@dataclass
class Loss:
    source: str
    value: Callable
    gradient: Callable
    second: Callable
    rows: list  # of (parameters, prediction, target), in floats
    # The predictions about which verify can take differences.
    checkable: Callable = lambda x: abs(x) < 1e155


def on_residual(source, value, slope, bend, rows):
    """A loss of r = prediction - target."""
    return Loss(
        source,
        lambda p, t, **k: value(p - t, **k),
        lambda p, t, **k: slope(p - t, **k),
        lambda p, t, **k: bend(p - t, **k),
        rows,
    )


def on_margin(source, value, slope, bend, rows):
    """A loss of m = target * prediction, target -1 or 1."""
    return Loss(
        source,
        lambda p, t: value(t * p),
        lambda p, t: t * slope(t * p),
        lambda p, t: bend(t * p),
        rows,
    )


# Where the losses are evaluated.

DEFAULT = {}


def both_signs(numbers):
    return [s * x for x in numbers for s in (1.0, -1.0)]


def around(x):
    """x and its neighbours, as f64 and as f32."""
    return [x, math.nextafter(x, 0), math.nextafter(x, inf), x * (1 - 2**-24), x * (1 + 2**-23)]


ORDINARY = [
    (0.5, 0.25), (1.0, 3.0), (-2.5, 1.25), (0.0, 0.0), (3.0, 3.0), (-7.0, -9.5), (100.0, 98.5),
    (0.75, 0.0), (0.0, 0.125), (-12.0, 4.0), (1e3, -24.0), (0.1, 0.3), (1 / 3, 2 / 3),
    (math.pi, math.e), (0.7, 0.1), (-1.1, 2.2), (1e-4, 3e-4),
]  # fmt: skip
NEARLY_EQUAL = [
    (1 + 2**-23, 1.0), (1 + 2**-52, 1.0), (1.0, 1 + 2**-23), (0.1 + 0.2, 0.3), (2.0**60, 2.0**60 - 256),
]  # fmt: skip
TINY = [1e-4, 1e-8, 1e-20, 1e-160, 5e-324, 2**-10, 2**-13, 2**-27, 2**-40, 2**-66, 2**-100, 2**-126, 2**-149, 2**-530]
HUGE = [1e8, 1e30, 1e154, 1e300, 2.0**15, 2.0**27, 2.0**60, 2.0**100, F32_MAX]
RESIDUALS = ORDINARY + NEARLY_EQUAL + [(r, 0.0) for r in both_signs(TINY + HUGE)] + [(1e8, -1e8), (1.0, 1e30)]


def residual_rows(parameters=DEFAULT, kink=None):
    rows = list(RESIDUALS)
    if kink:
        rows += [(r, 0.0) for r in both_signs(around(kink))] + [(0.5 + kink, 0.5), (0.5, 0.5 + kink)]
    return [(parameters, float(p), float(t)) for p, t in rows]


def few_residuals(name, parameters):
    """The kink and both its sides, for each further value of the parameter."""
    rows = []
    for x in parameters:
        rows += [({name: x}, r, 0.0) for r in (x, -x, x / 2, -2 * x, 0.0, 1.5)]
    return rows


MARGINS = [1 / 8, 0.25, 0.5, *around(1.0), 2.0, 3.5, 10.0, 0.1, 40.0, 88.0, 100.0, 700.0, 709.0, 740.0, 1000.0]
MARGINS += [1e-4, 1e-8, 1e-20, 1e-160, 5e-324, 2**-27, 2**-149, 1e8, 1e30, 1e300, F32_MAX]
MARGIN_ROWS = [(DEFAULT, float(p), t) for p in [0.0, *both_signs(MARGINS)] for t in (1.0, -1.0)]

PROBABILITIES = [
    0.0, 1.0, 0.5, 0.25, 0.875, 0.1, 0.9, 2**-10, 1 - 2**-10, 2**-24, 1 - 2**-24, 2**-53, 1 - 2**-53,
    1e-8, 1e-30, 1e-160, 1e-300, 5e-324, 2**-126, 2**-149, 1 / 3,
]  # fmt: skip
BINARY_ROWS = [(DEFAULT, p, y) for p in PROBABILITIES for y in (0.0, 1.0, 0.5)]
BINARY_ROWS += [(DEFAULT, p, y) for p in (0.25, 0.5, 0.9, 2**-24, 1e-30) for y in (0.25, 0.9, 2**-20, 1e-10)]
# The least loss of a soft target is at p = y, where the gradient is 0.
BINARY_ROWS += [(DEFAULT, p, p) for p in (0.25, 0.1, 2**-24, 1e-30)]

LOGITS = both_signs([0.5, 1.0, 2.5, 10.0, 40.0, 88.0, 100.0, 700.0, 740.0, 1000.0, 1e-8, 2**-27, 1e8, 1e30, 1e300])
LOGIT_ROWS = [({"pos_weight": 1.0}, p, y) for p in [0.0, *LOGITS] for y in (0.0, 1.0)]
LOGIT_ROWS += [({"pos_weight": 1.0}, p, y) for p in (-0.3, 2.5, 5e-324, -40.0, 1000.0) for y in (0.5, 0.25, 0.1)]
LOGIT_ROWS += [
    ({"pos_weight": w}, p, y)
    for w in (0.25, 3.0, 0.1, 1e-300, 1e6)
    for p, y in [(0.0, 1.0), (1.5, 1.0), (-2.5, 0.5), (-40.0, 1.0), (100.0, 1.0), (0.7, 0.3)]
]


# Class losses. A target is an index or a distribution.


def distribution(target, classes, label_smoothing):
    q = [mpf(c == target) for c in range(classes)] if isinstance(target, int) else target
    return [(1 - label_smoothing) * x + label_smoothing / classes for x in q]


def ratio(a, b):
    """a / b with 0 / 0 := 0."""
    return mpf(0) if a == 0 else a * inf if b == 0 else a / b


def minus_a_ln_b(a, b):
    """-a ln b with 0 ln 0 = 0."""
    return mpf(0) if a == 0 else a * inf if b == 0 else -a * ln(b)


def softmax(scores):
    powers = [exp(s) for s in scores]
    return [x / sum(powers) for x in powers]


def minus_ln_softmax(scores, c):
    # Shifted by s_c, as exp(-1e38) / sum would be too small to be told from 0.
    return ln(sum(exp(s - scores[c]) for s in scores))


def softmax_value(scores, target, label_smoothing):
    q = distribution(target, len(scores), label_smoothing)
    return sum((x * minus_ln_softmax(scores, c) for c, x in enumerate(q) if x != 0), mpf(0))


def softmax_gradient(scores, target, label_smoothing):
    q = distribution(target, len(scores), label_smoothing)
    return [sum(q) * p - x for p, x in zip(softmax(scores), q)]


def softmax_second(scores, target, label_smoothing):
    q = distribution(target, len(scores), label_smoothing)
    return [sum(q) * p * (1 - p) for p in softmax(scores)]


def categorical(per_class, total=list):
    def of_row(p, target, label_smoothing):
        q = distribution(target, len(p), label_smoothing)
        return total(per_class(x, y) for x, y in zip(p, q))

    return of_row


def smoothed(rows, *amounts):
    return [({"label_smoothing": e}, p, t) for p, t in rows for e in amounts]


rng = random.Random(20)


def random_scores(classes):
    return [rng.randrange(-64, 65) / 8 for _ in range(classes)]


def random_distribution(classes):
    """Positive dyadic numbers that sum to exactly 1."""
    cuts = sorted(rng.sample(range(1, 1024), classes - 1))
    return [(b - a) / 1024 for a, b in zip([0, *cuts], [*cuts, 1024])]


HALF_HALF = [0.5, 0.5, 0.0]
SCORES = [
    ([0.0, 0.0], 0), ([1.0, 2.0], 0), ([1.0, 2.0], 1), ([0.5, -1.5, 2.25], 1), ([0.1, 0.2, 0.3], 2),
    ([7.0, 7.0, 7.0, 7.0], 3), ([0.0] * 10, 4), ([1e30, 1e30, 1e30], 0),
    ([1.0, 2.0, 3.0], HALF_HALF), ([1.0, 2.0, 3.0], [0.1, 0.2, 0.7]), ([-1.0, 0.0, 1.0, 2.0], [0.25] * 4),
]  # fmt: skip
SCORES += [([44.0, 10.0, 22.0, 5.0], t) for t in (0, 1, 2, 3, [0.25, 0.25, 0.5, 0.0])]
# Targets that do not sum to 1: weights, or nothing at all.
SCORES += [([1.0, -2.0, 0.5], q) for q in ([0.5, 0.25, 0.125], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0])]
# A nearly perfect prediction: the first has the loss 4e-18.
SATURATED = [
    ([40.0, 0.0], 0), ([40.0, 0.0], 1), ([0.0, 41.0, 0.5], 1), ([88.0, 0.0, -88.0], 0), ([88.0, 0.0, -88.0], 2),
    ([100.0, 0.0], 0), ([100.0, 0.0], 1), ([700.0, -40.0], 0), ([740.0, 0.0], 0), ([0.0, 740.0], 0),
    ([1000.0, 0.0], 0), ([1000.0, 0.0], 1), ([-1000.0, -1000.0, -1001.0], 2), ([1000.0, 1000.5], [0.5, 0.5]),
    ([1e-8, 0.0], 0), ([2**-27, 0.0, -(2**-27)], 1), ([5e-324, 0.0], 0), ([16.0, 0.0, 0.0, 0.0], 0),
]  # fmt: skip
FARTHEST = [
    ([F32_MAX, -F32_MAX], 0), ([F32_MAX, -F32_MAX], 1), ([F32_MAX, 0.0, 1.0], 0), ([F32_MAX, 0.0, 1.0], 1),
    ([F32_MAX, F32_MAX, 0.0], 0), ([F32_MAX, F32_MAX, 0.0], 2), ([-F32_MAX, -F32_MAX], 1), ([-F32_MAX, 3.0], 1),
    ([-F32_MAX, 3.0], 0), ([F32_MAX, 0.0], [0.5, 0.5]), ([1e300, 0.0, -1e300], 0), ([1e300, 0.0, -1e300], 2),
]  # fmt: skip
FORBIDDEN = [
    ([1.0, -inf, 2.0], 0), ([-inf, 0.5], 1), ([-inf, -inf, 3.0, 3.0], 2), ([0.25, -inf, 0.5], [0.25, 0.0, 0.75]),
    ([F32_MAX, -inf], 0), ([-40.0, -inf, 0.0], 0),
]  # fmt: skip
SOFTMAX_ROWS = smoothed(SCORES + SATURATED + FARTHEST + FORBIDDEN, 0.0)
SOFTMAX_ROWS += smoothed(SCORES[1:4] + SCORES[9:13] + SCORES[15:17], 0.125, 0.1)
SOFTMAX_ROWS += smoothed([([40.0, 0.0], 0), ([F32_MAX, 0.0, 1.0], 0), ([1000.0, 0.0], 0)], 0.1, 1 - 2**-24)
for classes in (2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 40):
    row = random_scores(classes)
    SOFTMAX_ROWS += smoothed([(row, rng.randrange(classes)), (row, random_distribution(classes))], 0.0)
SOFTMAX_ROWS += smoothed([(random_scores(40), 39)], 0.1, 0.5)

PREDICTED = [
    ([0.5, 0.5], 0), ([0.25, 0.75], 1), ([0.125, 0.25, 0.625], 0), ([0.1, 0.2, 0.7], 2), ([0.25] * 4, 3),
    ([0.25, 0.25, 0.5], HALF_HALF), ([0.1, 0.2, 0.7], [0.1, 0.2, 0.7]), ([0.5, 0.25, 0.25], [0.25, 0.25, 0.5]),
    ([1 - 2**-24, 2**-24], 0), ([1 - 2**-24, 2**-24], 1), ([1 - 2**-53, 2**-53], 0), ([1e-30, 1.0], 0),
    ([1.0, 1e-30], 0), ([5e-324, 1.0], 0), ([5e-324, 1.0], 1), ([2**-149, 0.5, 0.5], 0), ([1e-160, 1.0], [0.5, 0.5]),
    ([1e-8, 1.0, 0.0], [1e-8, 1.0, 0.0]),
]  # fmt: skip
# The ends of the domain: an impossible class that happens, and one that does not.
ENDS = [
    ([1.0, 0.0], 0), ([1.0, 0.0], 1), ([0.0, 0.5, 0.5], 1), ([0.0, 0.5, 0.5], 0), ([0.0, 1.0, 0.0], [0.0, 1.0, 0.0]),
    ([0.0, 1.0], [0.5, 0.5]), ([0.5, 0.5, 0.0], HALF_HALF), ([0.0, 0.0], 1),
]  # fmt: skip
# Probabilities and targets are taken as they are, whatever they sum to.
NOT_NORMALISED = [
    ([0.5, 0.25], 0), ([1.0, 1.0, 1.0], 2), ([0.75, 0.75], [0.5, 0.5]), ([0.2, 0.2, 0.2], 1),
    ([0.25, 0.75], [2.0, 1.0]), ([0.25, 0.75], [0.0, 0.0]), ([0.25, 0.5, 0.25], [0.5, 0.25, 0.125]),
]  # fmt: skip
CATEGORICAL_ROWS = smoothed(PREDICTED + ENDS + NOT_NORMALISED, 0.0)
CATEGORICAL_ROWS += smoothed(PREDICTED[:9] + NOT_NORMALISED[:2] + ENDS[:1], 0.125, 0.1)
CATEGORICAL_ROWS += smoothed(PREDICTED[2:4], 1 - 2**-24)
for classes in (2, 3, 4, 5, 8, 9, 16, 17, 33, 40):
    row = random_distribution(classes)
    CATEGORICAL_ROWS += smoothed([(row, rng.randrange(classes)), (row, random_distribution(classes))], 0.0)


# The losses.


def zero(_, **__):
    return mpf(0)


LOSSES = {
    "squared_error": on_residual(
        "Legendre (1805), Nouvelles méthodes pour la détermination des orbites des comètes",
        lambda r: r**2,
        lambda r: 2 * r,
        lambda r: mpf(2),
        residual_rows(),
    ),
    "absolute_error": on_residual(
        "Laplace (1774), Mémoire sur la probabilité des causes par les évènemens",
        abs,
        sign,
        zero,
        residual_rows(),
    ),
    "huber": on_residual(
        "Huber (1964), Robust Estimation of a Location Parameter, doi:10.1214/aoms/1177703732",
        lambda r, delta: r**2 / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2),
        lambda r, delta: r if abs(r) <= delta else delta * sign(r),
        lambda r, delta: mpf(abs(r) <= delta),
        residual_rows({"delta": 1.0}, kink=1.0)
        + few_residuals("delta", [1.5, 0.25, 1.35, 2.0**-20, 2.0**20, 1e-160, 1e150]),
    ),
    "smooth_l1": on_residual(
        "Girshick (2015), Fast R-CNN, doi:10.1109/ICCV.2015.169, with the width beta in place of 1",
        lambda r, beta: r**2 / (2 * beta) if abs(r) < beta else abs(r) - beta / 2,
        lambda r, beta: r / beta if abs(r) < beta else sign(r),
        lambda r, beta: 1 / beta if abs(r) < beta else mpf(0),
        residual_rows({"beta": 1.0}, kink=1.0)
        + few_residuals("beta", [0.0, 1 / 9, 0.25, 2.0**-20, 2.0**20, 1e-160, 1e150]),
    ),
    "log_cosh": on_residual(
        "Green (1990), Bayesian Reconstructions from Emission Tomography Data Using a Modified EM Algorithm,"
        " doi:10.1109/42.52985",
        lambda r: ln((exp(r) + exp(-r)) / 2),
        lambda r: (exp(r) - exp(-r)) / (exp(r) + exp(-r)),
        lambda r: 4 / (exp(r) + exp(-r)) ** 2,
        residual_rows() + [(DEFAULT, r, 0.0) for r in both_signs([0.01, 0.3, 5.0, 20.0, 88.0, 100.0, 710.0, 1000.0])],
    ),
    "quantile": on_residual(
        "Koenker and Bassett (1978), Regression Quantiles, doi:10.2307/1913643",
        lambda r, level: level * max(-r, mpf(0)) + (1 - level) * max(r, mpf(0)),
        lambda r, level: mpf(0) if r == 0 else 1 - level if r > 0 else -level,
        zero,
        residual_rows({"level": 0.5})
        + [
            ({"level": q}, p, t)
            for q in (0.0, 1.0, 0.25, 0.875, 0.9, 2**-24, 1 - 2**-53)
            for p, t in [(2.0, 0.5), (0.5, 2.0), (3.0, 3.0), (1e-160, 0.0), (0.0, 1e300)]
        ],
    ),
    "expectile": on_residual(
        "Newey and Powell (1987), Asymmetric Least Squares Estimation and Testing, doi:10.2307/1911031",
        lambda r, level: abs(level - (r > 0)) * r**2,
        lambda r, level: 2 * abs(level - (r > 0)) * r,
        lambda r, level: 2 * abs(level - (r > 0)),
        residual_rows({"level": 0.5})
        + [
            ({"level": q}, p, t)
            for q in (0.0, 1.0, 0.25, 0.875, 0.9, 2**-24, 1 - 2**-53)
            for p, t in [(2.0, 0.5), (0.5, 2.0), (3.0, 3.0), (1e-100, 0.0), (0.0, 1e150)]
        ],
    ),
    "zero_one": on_margin(
        "Bartlett, Jordan and McAuliffe (2006), Convexity, Classification, and Risk Bounds,"
        " doi:10.1198/016214505000000907",
        lambda m: mpf(m <= 0),
        zero,
        zero,
        MARGIN_ROWS,
    ),
    "perceptron": on_margin(
        "Rosenblatt (1958), The Perceptron, doi:10.1037/h0042519",
        lambda m: max(mpf(0), -m),
        lambda m: mpf(-1 if m < 0 else 0),
        zero,
        MARGIN_ROWS,
    ),
    "hinge": on_margin(
        "Cortes and Vapnik (1995), Support-Vector Networks, doi:10.1007/BF00994018",
        lambda m: max(mpf(0), 1 - m),
        lambda m: mpf(-1 if m < 1 else 0),
        zero,
        MARGIN_ROWS,
    ),
    "squared_hinge": on_margin(
        "Lee and Mangasarian (2001), SSVM: A Smooth Support Vector Machine for Classification,"
        " doi:10.1023/A:1011215321374",
        lambda m: max(mpf(0), 1 - m) ** 2,
        lambda m: -2 * max(mpf(0), 1 - m),
        lambda m: mpf(2 if m < 1 else 0),
        MARGIN_ROWS,
    ),
    "logistic": on_margin(
        "Cox (1958), The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x",
        lambda m: ln(1 + exp(-m)),
        lambda m: -1 / (1 + exp(m)),
        lambda m: 1 / ((1 + exp(m)) * (1 + exp(-m))),
        MARGIN_ROWS,
    ),
    "exponential": on_margin(
        "Friedman, Hastie and Tibshirani (2000), Additive Logistic Regression, doi:10.1214/aos/1016218223",
        lambda m: exp(-m),
        lambda m: -exp(-m),
        lambda m: exp(-m),
        MARGIN_ROWS,
    ),
    "binary_cross_entropy": Loss(
        "Good (1952), Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x",
        lambda p, y: minus_a_ln_b(y, p) + minus_a_ln_b(1 - y, 1 - p),
        lambda p, y: ratio(1 - y, 1 - p) - ratio(y, p),
        lambda p, y: ratio(y, p**2) + ratio(1 - y, (1 - p) ** 2),
        BINARY_ROWS,
        checkable=lambda p: 0 < p < 1,
    ),
    "binary_cross_entropy_with_logits": Loss(
        "Cox (1958), The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x;"
        " weighted as in King and Zeng (2001), Logistic Regression in Rare Events Data,"
        " doi:10.1093/oxfordjournals.pan.a004868",
        lambda p, y, pos_weight: pos_weight * y * ln(1 + exp(-p)) + (1 - y) * ln(1 + exp(p)),
        lambda p, y, pos_weight: (1 - y) / (1 + exp(-p)) - pos_weight * y / (1 + exp(p)),
        lambda p, y, pos_weight: (pos_weight * y + 1 - y) / ((1 + exp(-p)) * (1 + exp(p))),
        LOGIT_ROWS,
    ),
    "categorical_cross_entropy": Loss(
        "Good (1952), Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x; label smoothing:"
        " Szegedy et al. (2016), Rethinking the Inception Architecture, doi:10.1109/CVPR.2016.308",
        categorical(lambda p, q: minus_a_ln_b(q, p), total=sum),
        categorical(lambda p, q: -ratio(q, p)),
        categorical(lambda p, q: ratio(q, p**2)),
        CATEGORICAL_ROWS,
        checkable=lambda p: p > 0,
    ),
    "softmax_cross_entropy": Loss(
        "Bridle (1990), Probabilistic Interpretation of Feedforward Classification Network Outputs,"
        " doi:10.1007/978-3-642-76153-9_28; label smoothing: Szegedy et al. (2016),"
        " Rethinking the Inception Architecture, doi:10.1109/CVPR.2016.308",
        softmax_value,
        softmax_gradient,
        softmax_second,
        SOFTMAX_ROWS,
    ),
}


def exact(x):
    if isinstance(x, list):
        return [mpf(e) for e in x]
    return x if isinstance(x, int) else mpf(x)


def listed(x):
    return x if isinstance(x, list) else [x]


def verify(loss, parameters, prediction, target):
    """Each closed form lies between the differences to the left and to the right:
    equal to both where the loss is smooth, a sub-gradient at a kink."""
    if len(listed(prediction)) > 5 or not all(map(loss.checkable, listed(prediction))):
        return
    with mp.workdps(400):  # the step is 1e-400: no float is so near to a kink
        for order, closed in (1, loss.gradient), (2, loss.second):
            for c, d in enumerate(listed(closed(prediction, target, **parameters))):

                def along(x):
                    moved = prediction[:c] + [x] + prediction[c + 1 :] if isinstance(prediction, list) else x
                    return loss.value(moved, target, **parameters)

                x = listed(prediction)[c]
                sides = [mp.diff(along, x, order, direction=side) for side in (-1, 1)]
                slack = mpf("1e-20") * (1 + abs(d))
                assert min(sides) - slack <= d <= max(sides) + slack, (loss.source, parameters, x, target, order)


def digits(x):
    """40 significant digits. What is far below any float is written as 0."""
    if abs(x) == inf:
        return "inf" if x > 0 else "-inf"
    if abs(x) < mpf("1e-900"):
        return "0"
    mantissa, e, exponent = mp.nstr(x, 40, min_fixed=-6, max_fixed=17).partition("e")
    return mantissa.removesuffix(".0") + e + exponent


def toml(x):
    if isinstance(x, list):
        return "[" + ", ".join(map(toml, x)) + "]"
    return f'"{digits(x)}"' if isinstance(x, mpf) else repr(x)


def table(loss):
    text = "# Written by xtask/golden/golden.py; do not edit.\n"
    text += f'source = "mpmath {mp.dps} digits; {loss.source}"\n'
    count = 0
    for parameters, prediction, target in loss.rows:
        given = {k: mpf(v) for k, v in parameters.items()}, exact(prediction), exact(target)
        value, gradient, second = (f(*given[1:], **given[0]) for f in (loss.value, loss.gradient, loss.second))
        if F64_MAX < abs(value) < inf:
            continue
        verify(loss, *given)
        count += 1
        text += "\n[[row]]\n"
        if parameters:
            text += "parameters = { " + ", ".join(f"{k} = {v!r}" for k, v in parameters.items()) + " }\n"
        text += f"prediction = {toml(prediction)}\ntarget = {toml(target)}\n"
        text += f"value = {toml(value)}\ngradient = {toml(gradient)}\nsecond = {toml(second)}\n"
    return text, count


def main():
    check = "--check" in sys.argv[1:]
    different = []
    for name, loss in LOSSES.items():
        text, count = table(loss)
        path = FOLDER / f"{name}.toml"
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"{count:4} rows  {name}")
        elif not path.exists() or path.read_bytes() != text.encode():
            different.append(path.name)
    if different:
        sys.exit("differ from what golden.py writes: " + ", ".join(different))


if __name__ == "__main__":
    main()
