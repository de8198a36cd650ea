"""Losses over a class axis that rest on margins, on projections, or on scores of probabilities.

A target is an index, or a number for each class.
"""

from common import DEFAULT, F32_MAX, Loss
from math import inf, nextafter
from mpmath import exp, ln, mp, mpf, sqrt
from multiclass import random_distribution, random_scores, rng, softmax_gradient, softmax_second, softmax_value

# Rows of their own, whatever else has drawn numbers.
rng.seed(21)


def shares(target, classes):
    return [mpf(c == target) for c in range(classes)] if isinstance(target, int) else target


def others(p, c):
    return [j for j in range(len(p)) if j != c]


def expected(loss, slope, bend):
    """The loss of a class drawn from the target, from that of a class and its row of derivatives."""

    def value(p, target, **k):
        return sum((y * loss(p, c, **k) for c, y in enumerate(shares(target, len(p))) if y != 0), mpf(0))

    def row(of_class):
        def total(p, target, **k):
            rows = [[y * x for x in of_class(p, c, **k)] for c, y in enumerate(shares(target, len(p))) if y != 0]
            return [sum((r[j] for r in rows), mpf(0)) for j in range(len(p))]

        return total

    return value, row(slope), row(bend)


def zeros(p, *_, **__):
    return [mpf(0)] * len(p)


# Against the best of the others.


def against_the_best(margin):
    def best(p, c):
        return max(others(p, c), key=lambda j: (p[j], -j))

    def loss(p, c):
        return max(mpf(0), margin + p[best(p, c)] - p[c]) if len(p) > 1 else mpf(0)

    def slope(p, c):
        if loss(p, c) == 0:
            return zeros(p)
        return [mpf((j == best(p, c)) - (j == c)) for j in range(len(p))]

    return expected(loss, slope, zeros)


# Against each of the others.


def short(p, c, j, margin):
    return max(mpf(0), margin + p[j] - p[c])


def pairs_value(p, c, power, margin):
    return sum((short(p, c, j, margin) ** power for j in others(p, c)), mpf(0)) / len(p)


def pairs_slope(p, c, power, margin):
    def at(j):
        s = short(p, c, j, margin)
        return power * s ** (power - 1) / len(p) if s > 0 else mpf(0)

    return [at(j) if j != c else -sum((at(i) for i in others(p, c)), mpf(0)) for j in range(len(p))]


def pairs_bend(p, c, power, margin):
    def at(j):
        return mpf(2) / len(p) if power == 2 and short(p, c, j, margin) > 0 else mpf(0)

    return [at(j) if j != c else sum((at(i) for i in others(p, c)), mpf(0)) for j in range(len(p))]


def weston_watkins(of_pairs):
    # Without the mean over classes.
    def total(p, c):
        result = of_pairs(p, c, power=1, margin=mpf(1))
        return [x * len(p) for x in result] if isinstance(result, list) else result * len(p)

    return total


# Sets of classes.


def set_pairs(p, target):
    y = shares(target, len(p))
    inside, outside = [c for c, x in enumerate(y) if x != 0], [c for c, x in enumerate(y) if x == 0]
    return [(i, j, y[i] / len(p)) for i in inside for j in outside]


def multilabel_margin_value(p, target):
    return sum((y * short(p, i, j, 1) for i, j, y in set_pairs(p, target)), mpf(0))


def multilabel_margin_slope(p, target):
    slope = zeros(p)
    for i, j, y in set_pairs(p, target):
        if short(p, i, j, 1) > 0:
            slope[i] -= y
            slope[j] += y
    return slope


def each_class(per_class, total=list):
    """The classes by themselves, divided by their number."""

    def of_row(p, target):
        return total(per_class(x, y) / len(p) for x, y in zip(p, shares(target, len(p))))

    return of_row


def minus_ln_sigmoid(x):
    return ln(1 + exp(-x))


# Counting.


def outside_the_top(p, c, k):
    return mpf(sum(p[j] >= p[c] for j in others(p, c)) >= k)


# Sparse projections.


def entmax(scores, alpha):
    """The probabilities, their slopes q^(2 - alpha), and the threshold."""
    beta = alpha - 1
    z = [beta * x for x in scores]
    t = max(z) - 1
    # A start with few digits; then they double each time.
    with mp.workdps(50):
        for _ in range(60):
            step = entmax_step(z, t, beta)
            t += step
            if abs(step) < mpf("1e-30"):
                break
    known = 45
    while known < 2 * mp.dps:
        t += entmax_step(z, t, beta)
        known *= 2
    u = [max(mpf(0), x - t) for x in z]
    q = [x ** (1 / beta) if x > 0 else mpf(0) for x in u]
    return q, [x / y if y > 0 else mpf(0) for x, y in zip(q, u)]


def entmax_step(z, t, beta):
    """Newton upon the norm of max(0, z - t), from below."""
    inside = [x - t for x in z if x > t]
    powers = [u ** (1 / beta) for u in inside]
    return (sum(powers) - sum(powers) ** (1 - beta)) / sum(q / u for q, u in zip(powers, inside))


def entmax_value(p, c, alpha):
    q, _ = entmax(p, alpha)
    entropy = (1 - sum(x**alpha for x in q)) / (alpha * (alpha - 1))
    return sum(x * s for x, s in zip(q, p) if x > 0) - p[c] + entropy


def entmax_slope(p, c, alpha):
    q, _ = entmax(p, alpha)
    return [x - (j == c) for j, x in enumerate(q)]


def entmax_bend(p, c, alpha):
    _, s = entmax(p, alpha)
    return [x - x**2 / sum(s) for x in s]


ENTMAX = expected(entmax_value, entmax_slope, entmax_bend)
SOFTMAX = softmax_value, softmax_gradient, softmax_second


def fenchel_young(order):
    def of_row(p, target, alpha):
        return SOFTMAX[order](p, target, 0) if alpha == 1 else ENTMAX[order](p, target, alpha=alpha)

    return of_row


def projection(scores):
    """By sorting, as in the paper."""
    z = sorted(scores, reverse=True)
    k = max(k for k in range(1, len(z) + 1) if 1 + k * z[k - 1] > sum(z[:k]))
    t = (sum(z[:k]) - 1) / k
    return [max(mpf(0), x - t) for x in scores], t


def sparsemax_value(p, c):
    q, t = projection(p)
    return -p[c] + sum(x**2 - t**2 for x, s in zip(p, q) if s > 0) / 2 + mpf(1) / 2


def sparsemax_slope(p, c):
    return [x - (j == c) for j, x in enumerate(projection(p)[0])]


def sparsemax_bend(p, c):
    q = projection(p)[0]
    inside = sum(x > 0 for x in q)
    return [mpf(x > 0) * (1 - mpf(1) / inside) for x in q]


# Scores of probabilities.


def length(p):
    return sqrt(sum(x**2 for x in p))


def spherical_value(p, c):
    return 1 - p[c] / length(p)


def spherical_slope(p, c):
    n = length(p)
    return [-(j == c) / n + p[c] * x / n**3 for j, x in enumerate(p)]


def spherical_bend(p, c):
    n = length(p)
    return [(j == c) * 2 * x / n**3 + p[c] / n**3 - 3 * p[c] * x**2 / n**5 for j, x in enumerate(p)]


def borders(p, target):
    y = shares(target, len(p))
    return [sum(p[: k + 1]) - sum(y[: k + 1]) for k in range(len(p) - 1)]


# Ordered classes: a score and the thresholds between them.


def sigmoid(x):
    return 1 / (1 + exp(-x))


def at_most(row, c):
    """The probability of class c or one below, with its first two derivatives by the threshold."""
    if c < 0 or c == len(row) - 1:
        return mpf(c >= 0), mpf(0), mpf(0)
    x = row[c + 1] - row[0]
    p, q = sigmoid(x), sigmoid(-x)
    return p, p * q, p * q * (q - p)


def link_value(row, c):
    if len(row) == 1:
        return mpf(0)
    # By the other tail where that has the digits.
    if c == len(row) - 1:
        return -ln(sigmoid(row[0] - row[c]))
    return -ln(at_most(row, c)[0] - at_most(row, c - 1)[0])


def link_slopes(row, c):
    """The first two derivatives of the probability of the class by each number of the row."""
    (p, up, up2), (q, low, low2) = at_most(row, c), at_most(row, c - 1)
    first, second = zeros(row), zeros(row)
    if c + 1 < len(row):
        first[c + 1], second[c + 1] = up, up2
    if c > 0:
        first[c], second[c] = -low, -low2
    first[0], second[0] = low - up, up2 - low2
    return exp(-link_value(row, c)), first, second


def link_slope(row, c):
    p, first, _ = link_slopes(row, c)
    return [-d / p for d in first]


def link_bend(row, c):
    p, first, second = link_slopes(row, c)
    return [(d / p) ** 2 - e / p for d, e in zip(first, second)]


# Where the losses are evaluated.

HALF_HALF = [0.5, 0.5, 0.0]
ROWS = [
    ([0.0, 0.0], 0), ([1.0, 2.0], 0), ([1.0, 2.0], 1), ([0.5, -1.5, 2.25], 1), ([0.5, -1.5, 2.25], 2),
    ([0.1, 0.2, 0.3], 2), ([7.0, 7.0, 7.0, 7.0], 3), ([0.0] * 10, 4), ([1e30, 1e30, 1e30], 0), ([3.0], 0),
    ([1.0, 2.0, 3.0], HALF_HALF), ([1.0, 2.0, 3.0], [0.125, 0.25, 0.625]), ([-1.0, 0.0, 1.0, 2.0], [0.25] * 4),
    ([44.0, 10.0, 22.0, 5.0], 0), ([44.0, 10.0, 22.0, 5.0], 3), ([44.0, 10.0, 22.0, 5.0], [0.25, 0.25, 0.5, 0.0]),
    ([1.0, -2.0, 0.5], [2.0, 1.0, 0.0]), ([1.0, -2.0, 0.5], [0.0] * 3), ([1.0, -2.0, 0.5], [1.0] * 3),
]  # fmt: skip
# A lead of exactly 1, and a little more and less.
LEADS = [
    ([x, 0.0, -3.0], t)
    for x in (1.0, nextafter(1, 2), nextafter(1, 0), 1 + 2**-23, 1 - 2**-24, 0.75)
    for t in (0, 1)
]
LEADS += [([2.5, 1.5, 1.5], 0), ([2.5, 1.5, 1.5], 1), ([1.5, 2.5, 2.5], 0), ([1 + 2**-40, 2**-41, 0.0], 0)]
LEADS += [([2**-30, 1.0, 0.5], 1), ([1e-20, 1.0], 1), ([0.3, 1.3], 1), ([2**-24, 1.0, -1.0], 1)]
FARTHEST = [
    ([40.0, 0.0], 0), ([40.0, 0.0], 1), ([1000.0, 0.0], 0), ([1000.0, 0.0], 1), ([-1000.0, -1000.0, -1001.0], 2),
    ([F32_MAX, 0.0, 1.0], 0), ([F32_MAX, 0.0, 1.0], 1), ([F32_MAX, F32_MAX, 0.0], 0), ([-F32_MAX, 3.0], 1),
    ([-F32_MAX, 3.0], 0), ([1e300, 0.0, -1e300], 0), ([1e300, 0.0, -1e300], 2), ([1e-8, 0.0], 0),
    ([5e-324, 0.0], 0), ([1e-30, 0.0], [0.5, 0.5]),
]  # fmt: skip
LONG = [(random_scores(classes), classes // 2) for classes in (2, 3, 5, 8, 16, 17, 33)]
LONG += [(random_scores(classes), random_distribution(classes)) for classes in (3, 9, 17)]
SCORE_ROWS = ROWS + LEADS + FARTHEST + LONG
EXCLUDED = [([1.0, -inf, 2.0], 0), ([-inf, 0.5], 1), ([0.25, -inf, 0.5], [0.25, 0.0, 0.75])]

# At a lead of 1 to both sides the second derivative is that of neither.
ONE_KINK = [(p, t) for p, t in ROWS if p not in ([1.0, 2.0, 3.0], [-1.0, 0.0, 1.0, 2.0])]

SETS = [
    ([0.1, 0.2, 0.4, 0.8], [1.0, 0.0, 0.0, 1.0]), ([0.5, -1.5, 2.25], [1.0, 1.0, 0.0]), ([3.0, -3.0], [1.0, 0.0]),
    ([0.5, -1.5, 2.25], [1.0, 1.0, 1.0]), ([0.5, -1.5, 2.25], [0.0, 0.0, 0.0]), ([40.0, 0.0, -40.0], [0.0, 1.0, 0.0]),
    ([1.0, 0.0, 2.0, 1.0], [1.0, 0.0, 1.0, 0.0]), ([88.0, -88.0, 3.0], [1.0, 0.0, 1.0]), ([0.0] * 5, [0.0, 1.0] * 2 + [0.0]),
    (random_scores(17), [float(c % 3 == 0) for c in range(17)]), (random_scores(33), [float(c % 5 < 2) for c in range(33)]),
]  # fmt: skip

PREDICTED = [
    ([0.5, 0.5], 0), ([0.25, 0.75], 1), ([0.125, 0.25, 0.625], 0), ([0.125, 0.25, 0.625], 2), ([0.1, 0.2, 0.7], 2),
    ([0.1, 0.2, 0.7], 0), ([0.25] * 4, 3), ([0.25, 0.25, 0.5], HALF_HALF), ([0.5, 0.25, 0.25], [0.25, 0.25, 0.5]),
    ([1 - 2**-24, 2**-24], 0), ([1 - 2**-24, 2**-24], 1), ([1 - 2**-53, 2**-53], 0), ([1e-30, 1.0], 0),
    ([1.0, 1e-30], 0), ([1e-8, 1.0, 0.0], 1), ([2**-20, 1.0, 2**-21], 1), ([1.0, 0.0], 0), ([1.0, 0.0], 1),
    ([0.0, 0.5, 0.5], 1), ([0.0, 1.0, 0.0], [0.0, 1.0, 0.0]), ([0.0, 1.0], [0.5, 0.5]), ([1.0], 0), ([0.25], 0),
    ([0.5, 0.25], 0), ([1.0, 1.0, 0.5], 2), ([0.75, 0.75], [0.5, 0.5]), ([0.25, 0.75], [2.0, 1.0]),
    ([0.25, 0.5, 0.25], [0.0] * 3), ([0.25, 0.5, 0.25], [0.5, 0.25, 0.125]), ([0.5, 0.25, 0.125, 0.125], 1),
    ([1e-160, 1.0], 0), ([1e-100, 2e-100], 1),
]  # fmt: skip
for classes in (2, 3, 5, 8, 16, 17, 33):
    row = random_distribution(classes)
    PREDICTED += [(row, classes // 3), (row, random_distribution(classes))]
IN_ORDER = [([0.7, 0.2, 0.1], t) for t in (0, 1, 2)] + [([0.3, 0.7, 2**-60], 0), ([0.1, 0.2, 0.3, 0.4], 1)]
IN_ORDER += [([0.5, 0.25, 0.25], [0.5, 0.125, 0.375]), ([0.1] * 10, 9), ([0.1] * 10, 5)]

# Rows of which many classes have a probability.
CLOSE = [
    ([0.25, 0.5, 0.0], t) for t in (0, 1, 2, [0.25, 0.5, 0.25])
] + [([0.3, 0.1, 0.2], 0), ([0.9, 0.0], 0), ([0.9, 0.0], 1), ([0.5, 0.0], 0), ([1 - 2**-20, 0.0], 0), ([1 - 2**-20, 0.0], 1)]
CLOSE += [([0.1, 0.2, 0.3, 0.15, 0.25], 2), ([2.1, 1.9, 1.7, -4.0], 0), ([1e7, 1e7 - 0.5], 0), ([0.0, 2**-30], 0)]
CLOSE += [([1 / 3, -1 / 3, 0.1], 0), ([0.7, -0.2, 0.1], 1), ([1.0, 0.0, 0.0], 0), ([1.0, 0.0, 0.0], 1)]
CLOSE += [([c / 16 for c in range(17)], 9), ([c * 7 % 33 / 64 for c in range(33)], 20), ([1.75, 0.0], 0), ([1.75, 0.0], 1)]


LINKED = [([0.0, -1.0, 1.0], t) for t in (0, 1, 2, [0.25, 0.5, 0.25])] + [([0.5, 0.0], 0), ([0.5, 0.0], 1), ([3.0], 0)]
LINKED += [([0.3, -1.1, 0.2, 2.7], t) for t in (0, 1, 2, 3, [0.125, 0.25, 0.5, 0.125])]
LINKED += [([s, -0.5, 0.5], t) for s in (0.0, 2**-30, 40.0, -40.0, 300.0, -300.0, 0.7) for t in (0, 1, 2)]
LINKED += [([0.1, 0.2, 0.2 + gap], 1) for gap in (2**-20, 2**-30, 1e-3, 0.5, 40.0, 300.0)]
LINKED += [([1e-8, -1e-8, 1e-8], t) for t in (0, 1, 2)] + [([1e4, 0.0, 9999.0], t) for t in (0, 1, 2)]
for classes in (5, 9, 17):
    thresholds = sorted(rng.sample(range(-64, 65), classes - 1))
    LINKED += [([rng.randrange(-32, 32) / 8, *(x / 8 for x in thresholds)], t) for t in (0, 2, classes - 1)]


def plain(rows):
    return [(DEFAULT, p, t) for p, t in rows]


def given(rows, *parameters):
    return [(k, p, t) for k in parameters for p, t in rows]


CRAMMER_SINGER = "Crammer and Singer (2001), On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines"
WESTON_WATKINS = "Weston and Watkins (1999), Support Vector Machines for Multi-Class Pattern Recognition"

LOSSES = {
    "multiclass_zero_one": Loss(
        "Tewari and Bartlett (2007), On the Consistency of Multiclass Classification Methods",
        *expected(lambda p, c: outside_the_top(p, c, 1), zeros, zeros),
        plain(SCORE_ROWS + EXCLUDED),
    ),
    "top_k_error": Loss(
        "Lapin, Hein and Schiele (2015), Top-k Multiclass SVM, arXiv:1511.06683",
        *expected(outside_the_top, zeros, zeros),
        given(ROWS + FARTHEST[:6] + EXCLUDED, {"k": 1}, {"k": 2}) + given(ROWS + LONG, {"k": 5}),
    ),
    "multiclass_perceptron": Loss(
        "Crammer and Singer (2003), Ultraconservative Online Algorithms for Multiclass Problems",
        *against_the_best(0),
        plain(SCORE_ROWS + EXCLUDED),
    ),
    "crammer_singer_hinge": Loss(CRAMMER_SINGER, *against_the_best(1), plain(SCORE_ROWS + EXCLUDED)),
    "weston_watkins_hinge": Loss(
        WESTON_WATKINS,
        *expected(weston_watkins(pairs_value), weston_watkins(pairs_slope), weston_watkins(pairs_bend)),
        plain(SCORE_ROWS + EXCLUDED),
    ),
    "multi_margin": Loss(
        WESTON_WATKINS + "; divided by the number of classes, and with a power, as in PyTorch",
        *expected(pairs_value, pairs_slope, pairs_bend),
        given(ONE_KINK + LEADS[:6] + FARTHEST[:4] + EXCLUDED, {"power": 1, "margin": 1.0}, {"power": 2, "margin": 1.0})
        + given(ROWS[:6] + LONG, {"power": 1, "margin": 0.3}, {"power": 2, "margin": 2.5}, {"power": 2, "margin": 0.0}),
    ),
    "multilabel_margin": Loss(
        "Elisseeff and Weston (2001), A Kernel Method for Multi-Labelled Classification;"
        " divided by the number of classes as in PyTorch",
        multilabel_margin_value,
        multilabel_margin_slope,
        zeros,
        plain(ONE_KINK + LEADS[:12] + FARTHEST + LONG + SETS),
    ),
    "multilabel_soft_margin": Loss(
        "Cox (1958), The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x;"
        " the mean over the classes as in PyTorch",
        each_class(lambda x, y: y * minus_ln_sigmoid(x) + (1 - y) * minus_ln_sigmoid(-x), total=sum),
        each_class(lambda x, y: (1 - y) / (1 + exp(-x)) - y / (1 + exp(x))),
        each_class(lambda x, y: 1 / ((1 + exp(-x)) * (1 + exp(x)))),
        plain([(p, t) for p, t in ROWS + FARTHEST[:5] + LONG if isinstance(t, int) or max(t) <= 1] + SETS),
    ),
    "sparsemax": Loss(
        "Martins and Astudillo (2016), From Softmax to Sparsemax, arXiv:1602.02068",
        *expected(sparsemax_value, sparsemax_slope, sparsemax_bend),
        plain(SCORE_ROWS + CLOSE),
    ),
    "fenchel_young": Loss(
        "Blondel, Martins and Niculae (2020), Learning with Fenchel-Young Losses, arXiv:1901.02324",
        *map(fenchel_young, range(3)),
        given(ROWS + CLOSE[:16] + FARTHEST[:6] + LONG[4:8], {"alpha": 1.5})
        + given(ROWS[:5] + CLOSE[:3] + LONG[2:4], {"alpha": 1.0}, {"alpha": 2.0})
        + given(ROWS[:3] + ROWS[5:7] + CLOSE[:4] + CLOSE[6:8] + FARTHEST[:3], {"alpha": 1.25})
        + given(ROWS[:3] + CLOSE[:2] + CLOSE[6:8], {"alpha": 1.75}, {"alpha": 1.01}),
    ),
    "multiclass_brier": Loss(
        "Brier (1950), Verification of Forecasts Expressed in Terms of Probability",
        lambda p, t: sum((x - y) ** 2 for x, y in zip(p, shares(t, len(p)))),
        lambda p, t: [2 * (x - y) for x, y in zip(p, shares(t, len(p)))],
        lambda p, t: [mpf(2)] * len(p),
        plain(PREDICTED),
    ),
    "spherical": Loss(
        "Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation,"
        " doi:10.1198/016214506000001437",
        *expected(spherical_value, spherical_slope, spherical_bend),
        plain(PREDICTED),
        checkable=lambda p: p > 1e-100,
    ),
    "ranked_probability_score": Loss(
        "Epstein (1969), A Scoring System for Probability Forecasts of Ranked Categories",
        lambda p, t: sum((d**2 for d in borders(p, t)), mpf(0)),
        lambda p, t: [2 * sum(borders(p, t)[c:], mpf(0)) for c in range(len(p))],
        lambda p, t: [mpf(2 * (len(p) - 1 - c)) for c in range(len(p))],
        plain(PREDICTED + IN_ORDER),
    ),
    "cumulative_link": Loss(
        "McCullagh (1980), Regression Models for Ordinal Data, doi:10.1111/j.2517-6161.1980.tb01109.x",
        *expected(link_value, link_slope, link_bend),
        plain(LINKED),
    ),
}
