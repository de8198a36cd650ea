"""Losses of the residual."""

from functools import cache
from math import inf

from common import DEFAULT, ORDINARY, RESIDUALS, Loss, both_signs, few_residuals, on_residual, residual_rows, zero
from mpmath import exp, ln, mp, mpf, quad, sign, sqrt

LINEX = [0.5, 0.0, 1.0, 2.5, 2**-10, 1e-4, 1e-8, 1e-30, 0.25, 1.5, 10.0, 20.0]
LOG_POINTS = [0.0, 1.0, 0.5, 3.5, 12.0, 1e-4, 1e-8, 1e-20, 100.0, 1e8, 1e30, 1 + 2**-20, 12.25 + 2**-18]


def power_bend(r, e):
    if r == 0:
        return inf if 1 < e < 2 else mpf(2 * (e == 2))
    return e * (e - 1) * abs(r) ** (e - 2)


def bell(x):
    return exp(-(x**2))


def relative(a, b):
    """a / b with 0 / 0 := 0."""
    return mpf(0) if a == 0 else a * inf if b == 0 else a / b


def relative_rows(parameters):
    near_one = [(1 + 2**-20, 1.0), (1.0, 1 + 2**-20), (2**-10, 1.0), (1.0, 2**-10), (1e-30, 1.0), (1.0, 1e-30)]
    rows = [(p, t) for p, t in RESIDUALS if 1e-30 < abs(p) < 1e30 or p == 0]
    return [(parameters, float(p), float(t)) for p, t in rows + near_one + [(2.0, -3.0), (0.0, 5.0)]]


@cache
def ln_normaliser(alpha, scale):
    """Of the density e^-loss, which is integrated with fewer digits than the rest is known to."""
    with mp.workdps(60):
        return ln(scale * 2 * quad(lambda x: exp(-barron(x, alpha)[0]), [0, 1, 4, 32, 1024, inf]))


def barron(x, alpha):
    """Value, slope and second derivative, at the limits of alpha by the formulas of the paper."""
    if alpha == 2:
        return x**2 / 2, x, mpf(1)
    if alpha == 0:
        return ln(x**2 / 2 + 1), 2 * x / (x**2 + 2), (4 - 2 * x**2) / (x**2 + 2) ** 2
    if alpha == -inf:
        e = exp(-(x**2) / 2)
        return 1 - e, x * e, (1 - x**2) * e
    b = abs(alpha - 2)
    base = x**2 / b + 1
    slope = x * base ** (alpha / 2 - 1)
    return b / alpha * (base ** (alpha / 2) - 1), slope, base ** (alpha / 2 - 1) + x**2 * (alpha - 2) / b * base ** (
        alpha / 2 - 2
    )

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
    "half_squared_error": on_residual(
        "Gauss (1809), Theoria motus corporum coelestium, book 2, section 3",
        lambda r: r**2 / 2,
        lambda r: r,
        lambda r: mpf(1),
        residual_rows(),
    ),
    "pseudo_huber": on_residual(
        "Charbonnier et al. (1994), Two deterministic half-quadratic regularization algorithms for computed imaging,"
        " doi:10.1109/ICIP.1994.413553",
        lambda r, delta: delta**2 * (sqrt(1 + (r / delta) ** 2) - 1),
        lambda r, delta: r / sqrt(1 + (r / delta) ** 2),
        lambda r, delta: (1 + (r / delta) ** 2) ** mpf(-1.5),
        residual_rows({"delta": 1.0}) + few_residuals("delta", [1.5, 0.25, 2.0**-10, 2.0**10]),
    ),
    "epsilon_insensitive": on_residual(
        "Vapnik (1995), The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0",
        lambda r, epsilon: max(mpf(0), abs(r) - epsilon),
        lambda r, epsilon: sign(r) if abs(r) > epsilon else mpf(0),
        zero,
        residual_rows({"epsilon": 0.5}, kink=0.5) + few_residuals("epsilon", [0.0, 0.25, 1.5]),
    ),
    "squared_epsilon_insensitive": on_residual(
        "Vapnik (1995), The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0",
        lambda r, epsilon: max(mpf(0), abs(r) - epsilon) ** 2,
        lambda r, epsilon: 2 * sign(r) * max(mpf(0), abs(r) - epsilon),
        lambda r, epsilon: mpf(2 if abs(r) > epsilon or epsilon == 0 else 0),
        residual_rows({"epsilon": 0.5}, kink=0.5) + few_residuals("epsilon", [0.0, 0.25, 1.5]),
    ),
    "power_error": on_residual(
        "Forsythe (1972), Robust Estimation of Straight Line Regression Coefficients by Minimizing pth Power"
        " Deviations, doi:10.1080/00401706.1972.10488896",
        lambda r, exponent: abs(r) ** exponent,
        lambda r, exponent: mpf(0) if r == 0 else exponent * abs(r) ** (exponent - 1) * sign(r),
        lambda r, exponent: power_bend(r, exponent),
        [row for row in residual_rows({"exponent": 1.5}) if row[1] != row[2]]
        + few_residuals("exponent", [1.0, 2.0, 2.5, 3.0, 4.0])
        + [({"exponent": 1.25}, r, 0.0) for r in (0.5, -3.0, 1e30, 1e-30)],
    ),
    "cauchy": on_residual(
        "Black and Anandan (1996), The Robust Estimation of Multiple Motions, doi:10.1006/cviu.1996.0006",
        lambda r, scale: scale**2 / 2 * ln(1 + (r / scale) ** 2),
        lambda r, scale: r / (1 + (r / scale) ** 2),
        lambda r, scale: (1 - (r / scale) ** 2) / (1 + (r / scale) ** 2) ** 2,
        residual_rows({"scale": 1.0}) + few_residuals("scale", [1.5, 0.25, 2.0**-10, 2.0**10]),
    ),
    "geman_mcclure": on_residual(
        "Geman and McClure (1985), Bayesian image analysis, with the width scale in place of 1",
        lambda r, scale: r**2 / 2 / (1 + (r / scale) ** 2),
        lambda r, scale: r / (1 + (r / scale) ** 2) ** 2,
        lambda r, scale: (1 - 3 * (r / scale) ** 2) / (1 + (r / scale) ** 2) ** 3,
        [row for row in residual_rows({"scale": 1.0}) if row[1] != 0.7] + few_residuals("scale", [1.5, 0.25, 2.0**-10, 2.0**10]),
    ),
    "welsch": on_residual(
        "Dennis and Welsch (1978), Techniques for nonlinear least squares and robust regression,"
        " doi:10.1080/03610917808812083",
        lambda r, scale: scale**2 / 2 * (1 - bell(r / scale)),
        lambda r, scale: r * bell(r / scale),
        lambda r, scale: (1 - 2 * (r / scale) ** 2) * bell(r / scale),
        residual_rows({"scale": 1.0}) + few_residuals("scale", [1.5, 0.25, 2.0**-10, 2.0**10]),
    ),
    "tukey_biweight": on_residual(
        "Beaton and Tukey (1974), The Fitting of Power Series, doi:10.1080/00401706.1974.10489171",
        lambda r, scale: scale**2 / 6 * (1 - max(mpf(0), 1 - (r / scale) ** 2) ** 3),
        lambda r, scale: r * max(mpf(0), 1 - (r / scale) ** 2) ** 2,
        lambda r, scale: max(mpf(0), 1 - (r / scale) ** 2) * (1 - 5 * (r / scale) ** 2),
        residual_rows({"scale": 4.0}) + few_residuals("scale", [1.5, 0.25, 2.0**-10, 2.0**10, 4.685]),
    ),
    "barron": on_residual(
        "Barron (2019), A General and Adaptive Robust Loss Function, arXiv:1701.03077",
        lambda r, alpha, scale, normalised: barron(r / scale, alpha)[0] + (ln_normaliser(alpha, scale) if normalised else 0),
        lambda r, alpha, scale, normalised: barron(r / scale, alpha)[1] / scale,
        lambda r, alpha, scale, normalised: barron(r / scale, alpha)[2] / scale**2,
        residual_rows({"alpha": 1.0, "scale": 1.0, "normalised": 0.0})
        + [
            ({"alpha": a, "scale": c, "normalised": 0.0}, r, 0.0)
            for a in (2.0, 0.0, -inf, -2.0, 0.5, 1.5, -0.25, 3.0, 4.0, 1e-3, -4.0, 1.999)
            for c in (1.0, 0.25)
            for r in (0.5, -3.0, 0.0, 1e-8)
        ]
        + [
            ({"alpha": a, "scale": c, "normalised": 1.0}, r, 0.0)
            for a, c in [(1.0, 1.0), (2.0, 0.5), (0.0, 2.0), (0.5, 1.5), (1.5, 1.0), (3.0, 1.0)]
            for r in (0.5, -3.0)
        ],
    ),
    "linex": on_residual(
        "Varian (1975), A Bayesian Approach to Real Estate Assessment; Zellner (1986), doi:10.1080/01621459.1986.10478289",
        lambda r, rate: exp(rate * r) - rate * r - 1,
        lambda r, rate: rate * (exp(rate * r) - 1),
        lambda r, rate: rate**2 * exp(rate * r),
        [({"rate": a}, r, 0.0) for a in (1.0, -0.5, 2.0) for r in both_signs(LINEX)]
        + [({"rate": 1.0}, p, t) for p, t in ORDINARY if abs(p - t) < 20],
    ),
    "absolute_percentage_error": Loss(
        "Makridakis (1993), Accuracy measures, doi:10.1016/0169-2070(93)90079-3",
        lambda p, t, epsilon: relative(abs(p - t), max(abs(t), epsilon)),
        lambda p, t, epsilon: relative(sign(p - t), max(abs(t), epsilon)),
        lambda p, t, epsilon: mpf(0),
        [row for row in relative_rows({"epsilon": 0.0}) if row[2] != 0] + relative_rows({"epsilon": 0.5}),
    ),
    "relative_squared_error": Loss(
        "Park and Stefanski (1998), Relative-error prediction, doi:10.1016/S0167-7152(98)00088-1",
        lambda p, t, epsilon: relative(p - t, max(abs(t), epsilon)) ** 2,
        lambda p, t, epsilon: relative(2 * (p - t), max(abs(t), epsilon) ** 2),
        lambda p, t, epsilon: 2 / max(abs(t), epsilon) ** 2,
        [row for row in relative_rows({"epsilon": 0.0}) + relative_rows({"epsilon": 0.5}) if row[2] != 0],
    ),
    "symmetric_absolute_percentage_error": Loss(
        "Makridakis (1993), Accuracy measures, doi:10.1016/0169-2070(93)90079-3",
        lambda p, t: relative(2 * abs(p - t), abs(p) + abs(t)),
        lambda p, t: mpf(0) if p * t <= 0 or p == t else 4 * abs(t) * sign(p) * sign(abs(p) - abs(t)) / (abs(p) + abs(t)) ** 2,
        lambda p, t: mpf(0) if p * t <= 0 or p == t else -8 * abs(t) * sign(abs(p) - abs(t)) / (abs(p) + abs(t)) ** 3,
        [row for row in relative_rows(DEFAULT) if row[1] != 0],
    ),
    "squared_log_error": Loss(
        "the squared logarithmic error of forecasting competitions (RMSLE before mean and root)",
        lambda p, t: ln((1 + p) / (1 + t)) ** 2,
        lambda p, t: 2 * ln((1 + p) / (1 + t)) / (1 + p),
        lambda p, t: 2 * (1 - ln((1 + p) / (1 + t))) / (1 + p) ** 2,
        [(DEFAULT, p, t) for p in LOG_POINTS for t in (0.0, 1.0, 12.25, 1e-8, 1e8)],
        checkable=lambda p: 0 < p < 1e155,
    ),
}
