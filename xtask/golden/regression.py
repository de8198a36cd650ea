"""Losses of the residual."""

from common import DEFAULT, both_signs, few_residuals, on_residual, residual_rows, zero
from mpmath import exp, ln, mpf, sign

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
}
