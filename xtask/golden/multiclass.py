"""Losses over a class axis. A target is an index or a distribution."""

import random
from math import inf

from common import F32_MAX, Loss, minus_a_ln_b, ratio
from mpmath import exp, ln, mpf


def distribution(target, classes, label_smoothing):
    q = [mpf(c == target) for c in range(classes)] if isinstance(target, int) else target
    return [(1 - label_smoothing) * x + label_smoothing / classes for x in q]


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

LOSSES = {
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
