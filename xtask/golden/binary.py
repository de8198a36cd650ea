"""Losses of a probability or a logit and a binary target."""

from common import BINARY_ROWS, LOGIT_ROWS, Loss, minus_a_ln_b, ratio
from mpmath import exp, ln

LOSSES = {
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
}
