"""Losses over a class axis. A target is an index or a distribution."""

import random
from math import inf

from common import DEFAULT, F32_MAX, Loss, minus_a_ln_b, ratio
from mpmath import exp, ln, mpf, sech, tanh


def distribution(target, classes, label_smoothing):
    q = [mpf(c == target) for c in range(classes)] if isinstance(target, int) else target
    return [(1 - label_smoothing) * x + label_smoothing / classes for x in q]


def softmax(scores):
    powers = [exp(s) for s in scores]
    return [x / sum(powers) for x in powers]


def minus_ln_softmax(scores, c):
    # Shifted by s_c, as exp(-1e38) / sum would be too small to be told from 0.
    return ln(sum(exp(s - scores[c]) for s in scores))


def capped(predictions, temperature, soft_cap):
    """The scores, with first and second derivative of each by its prediction."""
    if soft_cap == 0:
        return predictions, [1 / temperature] * len(predictions), [mpf(0)] * len(predictions)
    scores = [soft_cap * tanh(p / soft_cap) / temperature for p in predictions]
    slopes = [sech(p / soft_cap) ** 2 / temperature for p in predictions]
    bends = [-2 / soft_cap * tanh(p / soft_cap) * slope for p, slope in zip(predictions, slopes)]
    return scores, slopes, bends


def cooled(predictions, temperature, soft_cap):
    scores, slopes, bends = capped(predictions, temperature, soft_cap)
    return (scores if soft_cap else [p / temperature for p in predictions]), slopes, bends


def softmax_value(predictions, target, label_smoothing, temperature=mpf(1), z_loss=0, soft_cap=0):
    scores, _, _ = cooled(predictions, temperature, soft_cap)
    q = distribution(target, len(scores), label_smoothing)
    value = sum((x * minus_ln_softmax(scores, c) for c, x in enumerate(q) if x != 0), mpf(0))
    return value + (z_loss * sum(q) * ln(sum(exp(s) for s in scores)) ** 2 if z_loss else 0)


def softmax_gradient(predictions, target, label_smoothing, temperature=mpf(1), z_loss=0, soft_cap=0):
    scores, slopes, _ = cooled(predictions, temperature, soft_cap)
    q = distribution(target, len(scores), label_smoothing)
    pull = sum(q) * (1 + (2 * z_loss * ln(sum(exp(s) for s in scores)) if z_loss else 0))
    return [(pull * p - x) * slope for p, x, slope in zip(softmax(scores), q, slopes)]


def softmax_second(predictions, target, label_smoothing, temperature=mpf(1), z_loss=0, soft_cap=0):
    scores, slopes, bends = cooled(predictions, temperature, soft_cap)
    q = distribution(target, len(scores), label_smoothing)
    pull = sum(q) * (1 + (2 * z_loss * ln(sum(exp(s) for s in scores)) if z_loss else 0))
    return [
        (pull * p * (1 - p) + 2 * z_loss * sum(q) * p**2) * slope**2 + (pull * p - x) * bend
        for p, x, slope, bend in zip(softmax(scores), q, slopes, bends)
    ]


def of_probability(source, f, slope, bend, rows):
    """The target's mean of f(p), p the probability of each class, given f, f' and f'' over p."""

    def prepared(scores, target, label_smoothing, temperature):
        p = softmax([s / temperature for s in scores])
        return p, distribution(target, len(scores), label_smoothing)

    def value(scores, target, label_smoothing=0, temperature=mpf(1), **k):
        p, y = prepared(scores, target, label_smoothing, temperature)
        return sum(b * f(a, **k) for a, b in zip(p, y))

    def gradient(scores, target, label_smoothing=0, temperature=mpf(1), **k):
        p, y = prepared(scores, target, label_smoothing, temperature)
        classes = range(len(p))
        first = [[p[c] * ((c == j) - p[j]) for c in classes] for j in classes]
        return [sum(y[c] * slope(p[c], **k) * first[j][c] for c in classes) / temperature for j in classes]

    def second(scores, target, label_smoothing=0, temperature=mpf(1), **k):
        p, y = prepared(scores, target, label_smoothing, temperature)
        classes = range(len(p))
        first = [[p[c] * ((c == j) - p[j]) for c in classes] for j in classes]
        twice = [[p[c] * ((c == j) - p[j]) ** 2 - p[c] * p[j] * (1 - p[j]) for c in classes] for j in classes]
        return [
            sum(y[c] * (bend(p[c], **k) * first[j][c] ** 2 + slope(p[c], **k) * twice[j][c]) for c in classes)
            / temperature**2
            for j in classes
        ]

    return Loss(source, value, gradient, second, rows)


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


# Scores that are cooled, capped and kept near 0, alone and together.
WARMED = [([1.0, 2.0], 0), ([0.5, -1.5, 2.25], 1), ([7.0, 7.0, 7.0], 2), ([44.0, 10.0, 22.0, 5.0], 2), ([40.0, 0.0], 0)]
WARMED += [([1.0, 2.0, 3.0], [0.1, 0.2, 0.7]), ([-1.0, 0.0, 1.0, 2.0], [0.25] * 4), ([1000.0, 0.0, 3.0], 1), ([-3.5], 0)]
FURTHER = [{"temperature": 0.1}, {"z_loss": 3.0}, {"soft_cap": 30.0}, {"soft_cap": 0.75}]
FURTHER += [{"temperature": 0.7, "z_loss": 0.01, "soft_cap": 50.0}]
SOFTMAX_ROWS += [({"label_smoothing": 0.0} | more, p, t) for more in FURTHER for p, t in WARMED[:-1]]
SOFTMAX_ROWS += [({"label_smoothing": 0.1} | more, p, t) for more in FURTHER[-1:] for p, t in WARMED[1:3]]
SOFTMAX_ROWS += [({"label_smoothing": 0.0, "soft_cap": 30.0}, p, t) for p, t in FARTHEST[:4] + [([1e-8, 0.0], 0)]]

MEAN_ROWS = SCORES[:8] + SCORES[8:12] + SATURATED[:6] + [SATURATED[7], ([16.0, 0.0, 0.0, 0.0], 0), ([300.0, 301.0, 10.0], 1)]
MEAN_ROWS += [([1e-8, 0.0], 0), ([2**-27, 0.0, -(2**-27)], 1), ([1.0, -2.0, 0.5], [2.0, 1.0, 0.0]), ([-3.5], 0)]


def mean_rows(name, usual, others):
    """The usual parameter on all rows, others on some, and with everything else that there is."""
    rows = [({name: usual}, p, t) for p, t in MEAN_ROWS]
    rows += [({name: x}, p, t) for x in others for p, t in MEAN_ROWS[1:4] + MEAN_ROWS[9:10] + MEAN_ROWS[12:17]]
    more = [{"label_smoothing": 0.1}, {"temperature": 0.1}, {"temperature": 2.5, "label_smoothing": 0.125}]
    return rows + [({name: usual} | x, p, t) for x in more for p, t in MEAN_ROWS[2:5] + MEAN_ROWS[9:10] + MEAN_ROWS[12:14]]


LOG_PREDICTED = [
    ([-0.6931471805599453, -0.6931471805599453], 0), ([-1.5, -0.25], 1), ([-2.0, -1.0, -0.5], 0), ([-0.1, -3.0, -5.0], 2),
    ([0.0, -1000.0], 0), ([0.0, -1000.0], 1), ([-1e-30, -69.0], 0), ([-1e30, 0.0], 0), ([-2.0, -1.0, -0.5], HALF_HALF),
    ([-2.0, -1.0, -0.5], [0.1, 0.2, 0.7]), ([-1.4, -1.4, -0.7], [0.25, 0.25, 0.5]), ([-0.0], 0), ([-3.5], 0),
    ([-40.0, -1e-18], [2**-60, 1.0]), ([-1.5, -0.25], [2.0, 1.0]), ([-2.0, -1.0, -0.5], [0.0, 0.0, 0.0]),
]  # fmt: skip
# Above 0, and where a class is excluded.
BEYOND = [([0.5, -1.0], 0), ([2.0, 3.0], [0.5, 0.5])]
EXCLUDED = [([-inf, 0.0], 1), ([-inf, 0.0], 0), ([-inf, -0.5, -1.0], [0.0, 0.5, 0.5])]
# Probabilities that are nearly those of the target.
NEARBY = [([-0.6931471805599453, -1.3862943611198906, -1.3862943611198906], [0.5, 0.25, 0.25])]
for classes in (5, 9, 16, 33):
    row = [-1 - rng.randrange(0, 65) / 8 for _ in range(classes)]
    LOG_PREDICTED += [(row, rng.randrange(classes)), (row, random_distribution(classes))]


def one_hot(target, classes):
    return distribution(target, classes, 0)


def separable(source, term, slope, bend, rows, checkable):
    """A sum over the classes of a function of prediction and target."""

    def each(of):
        return lambda p, t, **k: [of(a, b, **k) for a, b in zip(p, one_hot(t, len(p)))]

    return Loss(source, lambda p, t, **k: sum(each(term)(p, t, **k)), each(slope), each(bend), rows, checkable)


def reverse_term(p, y):
    return mpf(0) if p == -inf else mpf(inf) if y == 0 else exp(p) * (p - ln(y))


def reverse_slope(p, y):
    return mpf(0) if p == -inf else mpf(inf) if y == 0 else exp(p) * (p - ln(y) + 1)


def reverse_bend(p, y):
    return mpf(0) if p == -inf else mpf(inf) if y == 0 else exp(p) * (p - ln(y) + 2)


def shannon_term(p, y, beta):
    m = beta * y + (1 - beta) * p
    return -beta * minus_a_ln_b(y, ratio(y, m)) - (1 - beta) * minus_a_ln_b(p, ratio(p, m))


def shannon_slope(p, y, beta):
    if p == 0:
        return mpf(-inf) if y else -(1 - beta) * ln(1 - beta)
    return (1 - beta) * ln(p / (beta * y + (1 - beta) * p))


def shannon_bend(p, y, beta):
    return ratio(beta * (1 - beta) * y, p * (beta * y + (1 - beta) * p)) if y else mpf(0)


SHANNON = [r for r in PREDICTED + ENDS + NOT_NORMALISED if r != ([0.25, 0.75], [0.0, 0.0])]
SHANNON += [([0.5 + 2**-20, 0.25 - 2**-20, 0.25], [0.5, 0.25, 0.25]), ([0.25 + 1e-9, 0.75 - 1e-9], [0.25, 0.75])]
SHANNON += [([1e-20, 1.0], [2e-20, 1.0]), ([5e-324, 1.0], [1e-323, 1.0]), ([2**-149, 1.0], [2**-148, 1.0])]
for classes in (5, 9, 16, 33):
    SHANNON += [(random_distribution(classes), t) for t in (rng.randrange(classes), random_distribution(classes))]
SHANNON_ROWS = [({"beta": 0.5}, p, t) for p, t in SHANNON]
SHANNON_ROWS += [({"beta": b}, p, t) for b in (0.1, 0.999) for p, t in PREDICTED[1:8] + ENDS[:5] + SHANNON[-13:-10]]

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
    "negative_log_likelihood": separable(
        "Good (1952), Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x; label smoothing:"
        " Szegedy et al. (2016), Rethinking the Inception Architecture, doi:10.1109/CVPR.2016.308",
        lambda p, y: mpf(0) if y == 0 else -y * p,
        lambda p, y: -y,
        lambda p, y: mpf(0),
        [(DEFAULT, p, t) for p, t in LOG_PREDICTED + BEYOND + EXCLUDED],
        checkable=lambda p: abs(p) < 1e155,
    ),
    "kullback_leibler": separable(
        "Kullback and Leibler (1951), On Information and Sufficiency, doi:10.1214/aoms/1177729694",
        lambda p, y: mpf(0) if y == 0 else y * (ln(y) - p),
        lambda p, y: -y,
        lambda p, y: mpf(0),
        [(DEFAULT, p, t) for p, t in LOG_PREDICTED + BEYOND + EXCLUDED + NEARBY],
        checkable=lambda p: abs(p) < 1e155,
    ),
    "reverse_kullback_leibler": separable(
        "Kullback and Leibler (1951), On Information and Sufficiency, doi:10.1214/aoms/1177729694;"
        " Gu et al. (2024), MiniLLM, arXiv:2306.08543",
        reverse_term,
        reverse_slope,
        reverse_bend,
        [(DEFAULT, p, t) for p, t in LOG_PREDICTED + BEYOND[1:] + EXCLUDED + NEARBY],
        checkable=lambda p: False,
    ),
    "jensen_shannon": separable(
        "Lin (1991), Divergence Measures Based on the Shannon Entropy, doi:10.1109/18.61115;"
        " Agarwal et al. (2024), On-Policy Distillation of Language Models, arXiv:2306.13649",
        shannon_term,
        shannon_slope,
        shannon_bend,
        SHANNON_ROWS,
        checkable=lambda p: p > 0,
    ),
    "softmax_focal": of_probability(
        "Lin et al. (2017), Focal Loss for Dense Object Detection, arXiv:1708.02002",
        lambda p, gamma: -((1 - p) ** gamma) * ln(p) if p < 1 else mpf(0) if gamma else -ln(p),
        lambda p, gamma: gamma * ratio((1 - p) ** gamma * ln(p), 1 - p) - (1 - p) ** gamma / p if p < 1 else mpf(0),
        lambda p, gamma: -gamma * (gamma - 1) * (1 - p) ** (gamma - 2) * ln(p)
        + 2 * gamma * (1 - p) ** (gamma - 1) / p
        + (1 - p) ** gamma / p**2
        if p < 1
        else mpf(0),
        mean_rows("gamma", 2.0, [0.0, 0.5, 1.0, 3.7, 20.0]),
    ),
    "poly1_cross_entropy": of_probability(
        "Leng et al. (2022), PolyLoss, arXiv:2204.12511",
        lambda p, epsilon: -ln(p) + epsilon * (1 - p),
        lambda p, epsilon: -1 / p - epsilon,
        lambda p, epsilon: 1 / p**2,
        mean_rows("epsilon", 1.0, [0.0, -1.0, -0.5, 10.0]),
    ),
    "generalized_cross_entropy": of_probability(
        "Zhang and Sabuncu (2018), Generalized Cross Entropy Loss, arXiv:1805.07836",
        lambda p, q: (1 - p**q) / q,
        lambda p, q: -(p ** (q - 1)),
        lambda p, q: -(q - 1) * p ** (q - 2),
        mean_rows("q", 0.7, [1.0, 0.1, 1e-6]),
    ),
    "symmetric_cross_entropy": of_probability(
        "Wang et al. (2019), Symmetric Cross Entropy for Robust Learning with Noisy Labels, arXiv:1908.06112",
        lambda p, alpha=mpf(0.1), beta=1, log_zero=-4: -alpha * ln(p) - beta * log_zero * (1 - p),
        lambda p, alpha=mpf(0.1), beta=1, log_zero=-4: -alpha / p + beta * log_zero,
        lambda p, alpha=mpf(0.1), beta=1, log_zero=-4: alpha / p**2,
        mean_rows("alpha", 0.1, [0.0]) + [({"alpha": 6.0, "beta": b, "log_zero": z}, *row) for b, z in ((0.1, -9.21), (0.0, 0.0)) for row in MEAN_ROWS[:4] + MEAN_ROWS[9:14]],
    ),
}
