"""What the definitions of all families share: forms of losses and points to evaluate them at."""

import math
import sys
from dataclasses import dataclass
from math import inf
from typing import Callable

from mpmath import ln, mp, mpf

# cosh(1e-160) - 1 and sigmoid(1000) - 1 lose up to 435 digits; 40 must remain.
mp.dps = 1000

F32_MAX = 3.4028234663852886e38
F64_MAX = sys.float_info.max


@dataclass
class Loss:
    source: str
    value: Callable
    gradient: Callable
    second: Callable
    rows: list  # of (parameters, prediction, target), in floats
    # The predictions about which verify can take differences.
    checkable: Callable = lambda x: abs(x) < 1e155


def on_residual(source, value, slope, bend, rows):
    """A loss of r = prediction - target."""
    return Loss(
        source,
        lambda p, t, **k: value(p - t, **k),
        lambda p, t, **k: slope(p - t, **k),
        lambda p, t, **k: bend(p - t, **k),
        rows,
    )


def on_margin(source, value, slope, bend, rows):
    """A loss of m = target * prediction, target -1 or 1."""
    return Loss(
        source,
        lambda p, t, **k: value(t * p, **k),
        lambda p, t, **k: t * slope(t * p, **k),
        lambda p, t, **k: bend(t * p, **k),
        rows,
    )


# Where the losses are evaluated.

DEFAULT = {}


def both_signs(numbers):
    return [s * x for x in numbers for s in (1.0, -1.0)]


def around(x):
    """x and its neighbours, as f64 and as f32."""
    return [x, math.nextafter(x, 0), math.nextafter(x, inf), x * (1 - 2**-24), x * (1 + 2**-23)]


ORDINARY = [
    (0.5, 0.25), (1.0, 3.0), (-2.5, 1.25), (0.0, 0.0), (3.0, 3.0), (-7.0, -9.5), (100.0, 98.5),
    (0.75, 0.0), (0.0, 0.125), (-12.0, 4.0), (1e3, -24.0), (0.1, 0.3), (1 / 3, 2 / 3),
    (math.pi, math.e), (0.7, 0.1), (-1.1, 2.2), (1e-4, 3e-4),
]  # fmt: skip
NEARLY_EQUAL = [
    (1 + 2**-23, 1.0), (1 + 2**-52, 1.0), (1.0, 1 + 2**-23), (0.1 + 0.2, 0.3), (2.0**60, 2.0**60 - 256),
]  # fmt: skip
TINY = [1e-4, 1e-8, 1e-20, 1e-160, 5e-324, 2**-10, 2**-13, 2**-27, 2**-40, 2**-66, 2**-100, 2**-126, 2**-149, 2**-530]
HUGE = [1e8, 1e30, 1e154, 1e300, 2.0**15, 2.0**27, 2.0**60, 2.0**100, F32_MAX]
RESIDUALS = ORDINARY + NEARLY_EQUAL + [(r, 0.0) for r in both_signs(TINY + HUGE)] + [(1e8, -1e8), (1.0, 1e30)]


def residual_rows(parameters=DEFAULT, kink=None):
    rows = list(RESIDUALS)
    if kink:
        rows += [(r, 0.0) for r in both_signs(around(kink))] + [(0.5 + kink, 0.5), (0.5, 0.5 + kink)]
    return [(parameters, float(p), float(t)) for p, t in rows]


def few_residuals(name, parameters):
    """The kink and both its sides, for each further value of the parameter."""
    rows = []
    for x in parameters:
        rows += [({name: x}, r, 0.0) for r in (x, -x, x / 2, -2 * x, 0.0, 1.5)]
    return rows


MARGINS = [1 / 8, 0.25, 0.5, *around(1.0), 2.0, 3.5, 10.0, 0.1, 40.0, 88.0, 100.0, 700.0, 709.0, 740.0, 1000.0]
MARGINS += [1e-4, 1e-8, 1e-20, 1e-160, 5e-324, 2**-27, 2**-149, 1e8, 1e30, 1e300, F32_MAX]
MARGIN_ROWS = [(DEFAULT, float(p), t) for p in [0.0, *both_signs(MARGINS)] for t in (1.0, -1.0)]

PROBABILITIES = [
    0.0, 1.0, 0.5, 0.25, 0.875, 0.1, 0.9, 2**-10, 1 - 2**-10, 2**-24, 1 - 2**-24, 2**-53, 1 - 2**-53,
    1e-8, 1e-30, 1e-160, 1e-300, 5e-324, 2**-126, 2**-149, 1 / 3,
]  # fmt: skip
BINARY_ROWS = [(DEFAULT, p, y) for p in PROBABILITIES for y in (0.0, 1.0, 0.5)]
BINARY_ROWS += [(DEFAULT, p, y) for p in (0.25, 0.5, 0.9, 2**-24, 1e-30) for y in (0.25, 0.9, 2**-20, 1e-10)]
# The least loss of a soft target is at p = y, where the gradient is 0.
BINARY_ROWS += [(DEFAULT, p, p) for p in (0.25, 0.1, 2**-24, 1e-30)]

LOGITS = both_signs([0.5, 1.0, 2.5, 10.0, 40.0, 88.0, 100.0, 700.0, 740.0, 1000.0, 1e-8, 2**-27, 1e8, 1e30, 1e300])
LOGIT_ROWS = [({"pos_weight": 1.0}, p, y) for p in [0.0, *LOGITS] for y in (0.0, 1.0)]
LOGIT_ROWS += [({"pos_weight": 1.0}, p, y) for p in (-0.3, 2.5, 5e-324, -40.0, 1000.0) for y in (0.5, 0.25, 0.1)]
LOGIT_ROWS += [
    ({"pos_weight": w}, p, y)
    for w in (0.25, 3.0, 0.1, 1e-300, 1e6)
    for p, y in [(0.0, 1.0), (1.5, 1.0), (-2.5, 0.5), (-40.0, 1.0), (100.0, 1.0), (0.7, 0.3)]
]


def ratio(a, b):
    """a / b with 0 / 0 := 0."""
    return mpf(0) if a == 0 else a * inf if b == 0 else a / b


def minus_a_ln_b(a, b):
    """-a ln b with 0 ln 0 = 0."""
    return mpf(0) if a == 0 else a * inf if b == 0 else -a * ln(b)


def zero(_, **__):
    return mpf(0)
