"""Losses of the margin."""

from common import MARGIN_ROWS, on_margin, zero
from mpmath import exp, ln, mpf

LOSSES = {
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
}
