"""Losses of counts and positive numbers under a predicted mean, or its logarithm."""

import math

from common import Loss
from mpmath import exp, ln, loggamma, mpf

MEANS = [0.5, 1.0, 2.5, 3.0, 10.0, 100.0, 1e-4, 1e-8, 1e-20, 2**-10, 1e8, 1e15, 0.1, 1 / 3]
COUNTS = [0.0, 1.0, 2.0, 7.0, 0.5, 1e3]
SCORES = [0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -2.5, 10.0, -10.0, 20.0, -20.0, 40.0, -40.0, 80.0, -80.0, 1e-8, 2**-27, 0.1]


def rows(points, *parameters):
    first, *others = parameters
    all_rows = [(first, x, y) for x in points for y in COUNTS]
    return all_rows + [(given, x, y) for given in others for x in points[::3] for y in (0.0, 1.0, 2.5)]


def positive_rows(*parameters):
    return rows(MEANS, *parameters)


def score_rows(*parameters):
    # Where e^score comes near the target by chance, the slope has lost digits to the score's rounding.
    near = [(x, y) for x in SCORES for y in [*COUNTS, 2.5] if abs(x) > 0.2 and y and abs(math.exp(x) / y - 1) < 0.3]
    return [row for row in rows(SCORES, *parameters) if row[1:] not in near]


def above_zero(mean):
    return 0 < mean < 1e155


def y_ln(y, x):
    return mpf(0) if y == 0 else y * ln(x)


def ln_factorial(y, full):
    return loggamma(y + 1) if full else mpf(0)


def through_log(mean_loss, slope, bend):
    """A loss of the mean, its slope and bend, as a loss of p = ln(mean)."""
    return (
        lambda p, y, **k: mean_loss(exp(p), y, **k),
        lambda p, y, **k: exp(p) * slope(exp(p), y, **k),
        lambda p, y, **k: exp(p) * slope(exp(p), y, **k) + exp(p) ** 2 * bend(exp(p), y, **k),
    )


def tweedie(m, y, power):
    """The quasi-likelihood: the integral of (m - y) / m^power by m."""
    if power == 1:
        return m - y_ln(y, m)
    if power == 2:
        return ln(m) + y / m
    return m ** (2 - power) / (2 - power) - y * m ** (1 - power) / (1 - power)


def tweedie_slope(m, y, power):
    return (m - y) / m**power


def tweedie_bend(m, y, power):
    return m**-power - power * (m - y) / m ** (power + 1)


def at_power(power):
    return [lambda m, y, f=f, **k: f(m, y, power) for f in (tweedie, tweedie_slope, tweedie_bend)]


def poisson(m, y, full):
    return m - y_ln(y, m) + ln_factorial(y, full)


def negative_binomial(m, y, dispersion, full):
    a = dispersion
    if not full:
        return (y + 1 / a) * ln(1 + a * m) - y * ln(m)
    probability = loggamma(y + 1 / a) - loggamma(1 / a) - loggamma(y + 1)
    probability += -ln(1 + a * m) / a + y * ln(a * m / (1 + a * m))
    return -probability


def negative_binomial_slope(m, y, dispersion, full):
    return (m - y) / (m * (1 + dispersion * m))


def negative_binomial_bend(m, y, dispersion, full):
    a = dispersion
    return (y * (1 + 2 * a * m) - a * m**2) / (m * (1 + a * m)) ** 2


GLM = "Nelder and Wedderburn (1972), Generalized Linear Models, doi:10.2307/2344614"
TWEEDIE = "Jorgensen (1987), Exponential Dispersion Models, doi:10.1111/j.2517-6161.1987.tb01685.x"
WALD = "Tweedie (1957), Statistical Properties of Inverse Gaussian Distributions, doi:10.1214/aoms/1177706964"
NB = "Hilbe (2011), Negative Binomial Regression, doi:10.1017/CBO9780511973420"

FULL = {"full": 0.0}, {"full": 1.0}
POWERS = [{"power": x} for x in (1.5, 1.0, 2.0, 3.0, 1.25, 1.9)]
NEGATIVE_BINOMIALS = [{"dispersion": a, "full": f} for a, f in [(1.0, 0.0), (0.25, 0.0), (1.0, 1.0), (0.5, 1.0), (8.0, 0.0), (2.0**-10, 1.0), (2.0**-27, 1.0)]]

poisson_slopes = (lambda m, y, full: (m - y) / m), (lambda m, y, full: y / m**2)
LOSSES = {
    "poisson": Loss(
        GLM,
        poisson,
        *poisson_slopes,
        positive_rows(*FULL),
        checkable=above_zero,
    ),
    "poisson_log_link": Loss(GLM, *through_log(poisson, *poisson_slopes), score_rows(*FULL)),
    "gamma": Loss(GLM, *at_power(2), positive_rows({}), checkable=above_zero),
    "gamma_log_link": Loss(GLM, *through_log(*at_power(2)), score_rows({})),
    "tweedie": Loss(TWEEDIE, tweedie, tweedie_slope, tweedie_bend, positive_rows(*POWERS), checkable=above_zero),
    "tweedie_log_link": Loss(TWEEDIE, *through_log(tweedie, tweedie_slope, tweedie_bend), score_rows(*POWERS)),
    "negative_binomial": Loss(
        NB,
        negative_binomial,
        negative_binomial_slope,
        negative_binomial_bend,
        [row for row in positive_rows(*NEGATIVE_BINOMIALS) if row[2] != 1.0 or not 2 < row[1] < 4],
        checkable=above_zero,
    ),
    "negative_binomial_log_link": Loss(
        NB,
        *through_log(negative_binomial, negative_binomial_slope, negative_binomial_bend),
        score_rows(*NEGATIVE_BINOMIALS),
    ),
    "inverse_gaussian": Loss(WALD, *at_power(3), positive_rows({}), checkable=above_zero),
    "inverse_gaussian_log_link": Loss(WALD, *through_log(*at_power(3)), score_rows({})),
}
