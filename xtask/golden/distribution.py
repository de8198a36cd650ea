"""Losses of several predicted numbers and one target: how the target is distributed."""

from functools import cache

from common import F32_MAX, Loss
from mpmath import besseli, cos, erf, exp, ln, loggamma, mp, mpf, pi, psi, sign, sin, sqrt

HALF_LN_TAU = ln(2 * pi) / 2


def gaussian(variance, by_second):
    """A normal distribution with a variance that follows from the second number, and its first two derivatives."""

    def value(row, y, full):
        v = variance(row[1])
        return (ln(v) + (row[0] - y) ** 2 / v) / 2 + full * HALF_LN_TAU

    def gradient(row, y, full):
        v, (first, _) = variance(row[1]), by_second(row[1])
        r = row[0] - y
        return [r / v, (1 / v - r**2 / v**2) / 2 * first]

    def second(row, y, full):
        v, (first, twice) = variance(row[1]), by_second(row[1])
        r = row[0] - y
        return [1 / v, (2 * r**2 / v**3 - 1 / v**2) / 2 * first**2 + (1 / v - r**2 / v**2) / 2 * twice]

    return value, gradient, second


def location_scale(g, slope, bend):
    """ln(scale) + g((location - target) / scale)."""

    def value(row, y, **k):
        return ln(row[1]) + g((row[0] - y) / row[1], **k)

    def gradient(row, y, **k):
        z, s = (row[0] - y) / row[1], row[1]
        return [slope(z, **k) / s, (1 - z * slope(z, **k)) / s]

    def second(row, y, **k):
        z, s = (row[0] - y) / row[1], row[1]
        return [bend(z, **k) / s**2, (-1 + 2 * z * slope(z, **k) + z**2 * bend(z, **k)) / s**2]

    return value, gradient, second


def with_fewer_digits(definition):
    """A definition in 150 digits: its functions take long in a thousand, and nothing here cancels so far."""

    def in_150_digits(*arguments):
        with mp.workdps(150):
            return definition(*arguments)

    return in_150_digits


@cache
@with_fewer_digits
def ln_student_normaliser(nu):
    return loggamma(nu / 2) - loggamma((nu + 1) / 2) + ln(nu * pi) / 2


student = location_scale(
    lambda z, degrees_of_freedom: (
        (degrees_of_freedom + 1) / 2 * ln(1 + z**2 / degrees_of_freedom) + ln_student_normaliser(degrees_of_freedom)
    ),
    lambda z, degrees_of_freedom: (degrees_of_freedom + 1) * z / (degrees_of_freedom + z**2),
    lambda z, degrees_of_freedom: (degrees_of_freedom + 1)
    * (degrees_of_freedom - z**2)
    / (degrees_of_freedom + z**2) ** 2,
)
laplace = location_scale(lambda z: ln(2) + abs(z), sign, lambda z: mpf(0))
normal = location_scale(lambda z: z**2 / 2, lambda z: z, lambda z: mpf(1))


def log_normal_value(row, y):
    return normal[0](row, ln(y)) + ln(y) + HALF_LN_TAU


@with_fewer_digits
def beta_value(row, y):
    a, b = row
    return loggamma(a) + loggamma(b) - loggamma(a + b) - (a - 1) * ln(y) - (b - 1) * ln(1 - y)


@with_fewer_digits
def beta_gradient(row, y):
    a, b = row
    return [psi(0, a) - psi(0, a + b) - ln(y), psi(0, b) - psi(0, a + b) - ln(1 - y)]


@with_fewer_digits
def beta_second(row, y):
    a, b = row
    return [psi(1, x) - psi(1, a + b) for x in (a, b)]


@with_fewer_digits
def von_mises_value(row, y):
    m, k = row
    return ln(2 * pi * besseli(0, k)) - k * cos(y - m)


@with_fewer_digits
def von_mises_gradient(row, y):
    m, k = row
    return [k * sin(m - y), besseli(1, k) / besseli(0, k) - cos(y - m)]


@with_fewer_digits
def von_mises_second(row, y):
    m, k = row
    ratio = besseli(1, k) / besseli(0, k)
    return [k * cos(m - y), 1 - ratio / k - ratio**2]


def density(z):
    return exp(-(z**2) / 2) / sqrt(2 * pi)


def crps_value(row, y):
    z, s = (y - row[0]) / row[1], row[1]
    return s * (z * erf(z / sqrt(2)) + 2 * density(z) - 1 / sqrt(pi))


def crps_gradient(row, y):
    z = (row[0] - y) / row[1]
    return [erf(z / sqrt(2)), 2 * density(z) - 1 / sqrt(pi)]


def crps_second(row, y):
    z, s = (row[0] - y) / row[1], row[1]
    return [2 * density(z) / s, 2 * density(z) * z**2 / s]


def pinball(level, r):
    return -level * r if r < 0 else (1 - level) * r


def slope(level, r):
    return mpf(0) if r == 0 else -level if r < 0 else 1 - level


def evenly(k, count, low, high):
    return low + (high - low) * k / max(count - 1, 1)


def quantiles(level, factor):
    def value(row, y, **k):
        return factor * sum(pinball(level(n, len(row), **k), q - y) for n, q in enumerate(row)) / len(row)

    def gradient(row, y, **k):
        return [factor * slope(level(n, len(row), **k), q - y) / len(row) for n, q in enumerate(row)]

    return value, gradient, lambda row, y, **k: [mpf(0) for _ in row]


# Residuals and scales: ordinary ones, where the loss or a slope passes through 0, and far out.
PAIRS = [
    ([0.5, 1.0], 0.25), ([1.0, 2.0], 3.0), ([-2.5, 0.5], 1.25), ([0.0, 1.0], 0.0), ([3.0, 0.125], 3.0),
    ([-7.0, 4.0], -9.5), ([100.0, 2.25], 98.5), ([0.1, 0.3], 0.2), ([1.0, 1.0], 2.0), ([2.0, 4.0], 4.0),
    ([1 / 3, 2 / 3], 0.9), ([-12.0, 256.0], 4.0), ([1e3, 1e-3], -24.0), ([1 + 2**-23, 0.5], 1.0),
]  # fmt: skip
FAR = [
    ([1e-20, 1.0], 0.0), ([5e-324, 1.0], 0.0), ([2**-149, 0.5], 0.0), ([1e8, 1.0], -1e8), ([1e15, 1e30], 1.0),
    ([1.0, 1e-8], 0.5), ([1.0, 1e8], 0.5), ([0.5, 2**-126], 0.5), ([0.5, 1e-300], 0.5), ([0.5, 5e-324], 0.5),
    ([0.25, F32_MAX], 0.5), ([1e100, 1e-100], 0.0), ([2.0**60, 2.0**60], 0.0), ([1e-30, 1e-30], 0.0),
    ([1.0, 2**-40], 1 + 2**-20), ([1.0, 0.998], 1.5), ([0.75, 0.2], 0.5), ([1.0, 1.75], 2.0),
]  # fmt: skip
LOGS = [
    ([p, s], y)
    for p, y in [(0.5, 0.25), (1.0, 3.0), (2.0, 2.0), (1e-20, 0.0), (1e15, 1.0), (-7.0, 4.5)]
    for s in (0.0, 1.0, -1.0, 0.1, 2.5, -3.75, 20.0, -20.0, 100.0, -100.0)
]
LOGS += [([0.5, s], y) for y in (0.5, 0.625) for s in (1e3, -600.0, 1e6, 1e-8, 300.0)]
LOGS += [([1e30, 200.0], 0.0), ([1e30, 130.0], 0.0), ([1e-30, -150.0], 0.0), ([1e-30, -130.0], 1e-31), ([1e160, 800.0], 0.0)]
POSITIVE = [(row, y) for row, y in PAIRS + FAR if y > 0]
POSITIVE += [([0.0, 1.0], 1e-30), ([-69.0, 0.5], 1e-30), ([80.0, 2.0], 1e35), ([1.0, 1.0], 2.718281828459045)]
POSITIVE += [([0.0, 1e-3], 1.0), ([0.0, 1.0], 5e-324), ([0.5, 2.0], 2**-149), ([-1.0, 3.0], 0.1)]
SHAPES = [
    ([a, b], y)
    for a, b in [(1.0, 1.0), (2.0, 3.0), (0.5, 0.5), (0.1, 4.0), (30.0, 2.5), (25.0, 25.0), (1e-8, 1.0), (1e3, 20.0)]
    for y in (0.5, 0.25, 0.9, 1e-6, 1 - 2**-24)
]
SHAPES += [([1e6, 1e6], 0.5), ([16.0, 16.0], 0.5), ([15.5, 0.5], 0.75), ([2.0, 2.0], 1e-300), ([1e10, 0.5], 0.5)]
ANGLES = [
    ([m, k], y)
    for m, y in [(0.5, 0.25), (1.0, 1.0), (3.0, -3.0), (0.0, 1.5707963267948966), (10.0, -20.0), (1e-8, 0.0)]
    for k in (1e-8, 0.25, 1.0, 3.5, 20.0, 63.0, 65.0, 1e3, 1e8)
]
ROWS = [
    ([0.5], 1.0), ([1.0], 0.5), ([2.0], 2.0), ([0.0, 1.0], 0.5), ([1.0, 0.0], 0.5), ([-1.0, 0.25, 3.0], 0.5),
    ([-1.0, 0.25, 3.0], 0.25), ([1.0, 2.0, 3.0, 4.0], 5.0), ([1.0, 2.0, 3.0, 4.0], 0.1), ([0.1, 0.2, 0.3], 0.3),
    ([1e30, -1e30], 1.0), ([1e-30, 1e-20, 1e8], 0.0), ([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0], 0.75),
]  # fmt: skip


def rows(pairs, *settings):
    return [(parameters, row, float(y)) for parameters in settings or [{}] for row, y in pairs]


def near(x):
    return 1e-60 < abs(x) < 1e60


LOSSES = {
    "gaussian_nll": Loss(
        "Nix and Weigend (1994), Estimating the Mean and Variance of the Target Probability Distribution,"
        " doi:10.1109/ICNN.1994.374138",
        *gaussian(lambda v: v, lambda v: (mpf(1), mpf(0))),
        rows(PAIRS + FAR, {"full": 0.0}, {"full": 1.0}),
        checkable=near,
    ),
    "gaussian_nll_log_variance": Loss(
        "Kendall and Gal (2017), What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?,"
        " arXiv:1703.04977",
        *gaussian(exp, lambda s: (exp(s), exp(s))),
        rows(LOGS, {"full": 0.0}) + rows(LOGS[::7], {"full": 1.0}),
        checkable=lambda x: abs(x) < 1e5,
    ),
    "laplace_nll": Loss(
        "Laplace (1774), Mémoire sur la probabilité des causes par les évènemens",
        *laplace,
        rows(PAIRS + FAR),
        checkable=near,
    ),
    "student_t_nll": Loss(
        "Lange, Little and Taylor (1989), Robust Statistical Modeling Using the t Distribution,"
        " doi:10.1080/01621459.1989.10478852",
        *student,
        rows(PAIRS + FAR, {"degrees_of_freedom": 4.0})
        + rows(PAIRS[::3] + FAR[::5], *({"degrees_of_freedom": nu} for nu in (1.0, 2.5, 30.0, 70.0, 1e3, 0.1))),
        checkable=near,
    ),
    "log_normal_nll": Loss(
        "Galton (1879), The Geometric Mean, in Vital and Social Statistics, doi:10.1098/rspl.1879.0060",
        log_normal_value,
        lambda row, y: normal[1](row, ln(y)),
        lambda row, y: normal[2](row, ln(y)),
        rows(POSITIVE),
        checkable=near,
    ),
    "beta_nll": Loss(
        "Ferrari and Cribari-Neto (2004), Beta Regression for Modelling Rates and Proportions,"
        " doi:10.1080/0266476042000214501",
        beta_value,
        beta_gradient,
        beta_second,
        rows(SHAPES),
        checkable=lambda x: False,  # 150 digits are too few for differences
    ),
    "von_mises_nll": Loss(
        "Mardia and Jupp (2000), Directional Statistics, doi:10.1002/9780470316979",
        von_mises_value,
        von_mises_gradient,
        von_mises_second,
        rows(ANGLES),
        checkable=lambda x: False,
    ),
    "crps_gaussian": Loss(
        "Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation,"
        " doi:10.1198/016214506000001437",
        crps_value,
        crps_gradient,
        crps_second,
        rows(PAIRS + FAR),
        checkable=near,
    ),
    "multi_quantile": Loss(
        "Koenker and Bassett (1978), Regression Quantiles, doi:10.2307/1913643",
        *quantiles(evenly, 1),
        rows(ROWS, *({"low": low, "high": high} for low, high in ((0.1, 0.9), (0.25, 0.75), (0.001, 0.999), (0.5, 0.5)))),
    ),
    "crps_quantiles": Loss(
        "Gneiting and Raftery (2007), doi:10.1198/016214506000001437; Laio and Tamea (2007),"
        " doi:10.5194/hess-11-1267-2007",
        *quantiles(lambda k, count: (k + mpf(1) / 2) / count, 2),
        rows(ROWS),
    ),
}
