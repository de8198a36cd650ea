"""Losses of the margin."""

from common import DEFAULT, F32_MAX, MARGIN_ROWS, Loss, around, on_margin, zero
from mpmath import atan, exp, ln, mpf

# Score and class: every margin with one class, and some with the other.
SMOOTH_MARGINS = [0.0, 1e-8, 2**-27, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.5, 5.0, 10.0, 40.0, 88.0, 100.0, 700.0]
SMOOTH_MARGINS += [740.0, 1e4, 1e8, 1e30, 5e-324]
SMOOTH_ROWS = [(DEFAULT, s * x, 1.0) for x in SMOOTH_MARGINS for s in (1.0, -1.0)]
SMOOTH_ROWS += [(DEFAULT, x, -1.0) for x in (0.3, -0.3, 1.75, -1.75, 4.0, -4.0, 60.0, -60.0)]


def with_parameter(name, values, margins):
    """Every margin with each value, the classes in turn."""
    return [({name: x}, m * t, t) for x in values for m, t in zip(margins, (1.0, -1.0) * len(margins))]


def smoothed_hinge_rows():
    rows = [({"width": 1.0}, p, t) for _, p, t in MARGIN_ROWS if abs(p) < 1e9]
    for width in (2.0, 0.25, 0.1, 1e-6, 1e6):
        rows += with_parameter("width", [width], [1 - width if width in (2.0, 0.25) else 0.95, 1 - width / 2, 1 - 2 * width, 1.0, 0.99999, -3.5])
    return rows


def distance_weighted(m, q):
    return 1 - m if m <= q / (q + 1) else q**q / (q + 1) ** (q + 1) / m**q


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
    "smoothed_hinge": on_margin(
        "Rennie and Srebro (2005), Loss Functions for Preference Levels; with a width as in Shalev-Shwartz and"
        " Zhang (2013), arXiv:1209.1873",
        lambda m, width: mpf(0) if m >= 1 else (1 - m) ** 2 / (2 * width) if m > 1 - width else 1 - m - width / 2,
        lambda m, width: mpf(0) if m >= 1 else (m - 1) / width if m > 1 - width else mpf(-1),
        lambda m, width: 1 / width if 1 - width < m < 1 else mpf(0),
        smoothed_hinge_rows(),
    ),
    "modified_huber": on_margin(
        "Zhang (2004), Statistical behavior and consistency of classification methods based on convex risk"
        " minimization, doi:10.1214/aos/1079120130",
        lambda m: max(mpf(0), 1 - m) ** 2 if m >= -1 else -4 * m,
        lambda m: -2 * max(mpf(0), 1 - m) if m >= -1 else mpf(-4),
        lambda m: mpf(2 if -1 <= m < 1 else 0),
        MARGIN_ROWS,
    ),
    "sigmoid_margin": on_margin(
        "Mason, Baxter, Bartlett and Frean (1999), Boosting Algorithms as Gradient Descent",
        lambda m: 1 / (1 + exp(m)),
        lambda m: -exp(m) / (1 + exp(m)) ** 2,
        lambda m: exp(m) * (exp(m) - 1) / (1 + exp(m)) ** 3,
        SMOOTH_ROWS,
    ),
    "savage": on_margin(
        "Masnadi-Shirazi and Vasconcelos (2008), On the Design of Loss Functions for Classification",
        lambda m: 1 / (1 + exp(m)) ** 2,
        lambda m: -2 * exp(m) / (1 + exp(m)) ** 3,
        lambda m: 2 * exp(m) * (2 * exp(m) - 1) / (1 + exp(m)) ** 4,
        SMOOTH_ROWS,
    ),
    "tangent": on_margin(
        "Masnadi-Shirazi, Mahadevan and Vasconcelos (2010), On the Design of Robust Classifiers for Computer Vision,"
        " doi:10.1109/CVPR.2010.5540136",
        lambda m: (2 * atan(m) - 1) ** 2,
        lambda m: 4 * (2 * atan(m) - 1) / (1 + m**2),
        lambda m: 8 * (1 - m * (2 * atan(m) - 1)) / (1 + m**2) ** 2,
        SMOOTH_ROWS + [(DEFAULT, x, 1.0) for x in around(0.546302489843790513) + [0.546875, 0.5625, 0.53125]],
    ),
    "distance_weighted": on_margin(
        "Wang and Zou (2018), Another look at distance-weighted discrimination, doi:10.1111/rssb.12244;"
        " q = 1 is Marron, Todd and Ahn (2007), doi:10.1198/016214507000001120",
        distance_weighted,
        lambda m, q: mpf(-1) if m <= q / (q + 1) else -((q / (q + 1) / m) ** (q + 1)),
        lambda m, q: mpf(0) if m <= q / (q + 1) else (q + 1) / m * (q / (q + 1) / m) ** (q + 1),
        [({"q": 1.0}, p, t) for _, p, t in SMOOTH_ROWS]
        + [({"q": 1.0}, x, 1.0) for x in [*around(0.5), F32_MAX, 2.0**-126]]
        + with_parameter("q", [2.0, 0.5, 0.1, 4.0, 100.0], [-2.5, 0.0, 0.75, 1.0, 3.0, 1000.0, 1e8]),
    ),
    "hinge_embedding": Loss(
        "PyTorch's HingeEmbeddingLoss; contrastive losses of pairs: Hadsell, Chopra and LeCun (2006),"
        " doi:10.1109/CVPR.2006.100",
        lambda p, t, margin: p if t > 0 else max(mpf(0), margin - p),
        lambda p, t, margin: mpf(1 if t > 0 else -1 if p < margin else 0),
        lambda p, t, margin: mpf(0),
        [
            ({"margin": margin}, p, t)
            for margin in (1.0, 0.25, 3.0)
            for p in (0.0, 1e-8, 0.125, 0.25, 0.5, 1.0, 2.5, 3.0, 1e4, 1e30)
            for t in (1.0, -1.0)
        ],
        checkable=lambda p: 0 < p < 1e155,
    ),
}
