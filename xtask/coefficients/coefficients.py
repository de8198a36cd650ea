"""Polynomial coefficients of the elementary functions in crates/lossfn/src/number/lane.rs.

Chebyshev interpolation at 60 digits, which is within a factor of two of the minimax error; the
printed error is the largest relative error over the interval, before rounding of coefficients.
Run it (it needs mpmath) and compare with the constants in the source.
"""

from mpmath import mp, mpf, exp, expm1, cos, pi, atanh, sqrt, lu_solve, matrix, log

mp.dps = 60


def fit(function, low, high, degree):
    """Coefficients, lowest power first, of the interpolant at the Chebyshev nodes."""
    nodes = [
        (low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * degree + 2))
        for i in range(degree + 1)
    ]
    system = matrix([[x**j for j in range(degree + 1)] for x in nodes])
    coefficients = lu_solve(system, matrix([function(x) for x in nodes]))
    probes = [low + (high - low) * i / mpf(997) for i in range(998)]
    error = max(
        abs(sum(c * x**j for j, c in enumerate(coefficients)) / function(x) - 1) for x in probes
    )
    return coefficients, error


def exponential(x):
    """(e^x - 1 - x) / x^2."""
    return mpf(1) / 2 if abs(x) < mpf(10) ** -25 else (expm1(x) - x) / x**2


def logarithm(z):
    """(2 atanh(s) / s - 2) / z with z = s^2, so that ln((1+s)/(1-s)) = 2s + s z f(z)."""
    if z == 0:
        return mpf(2) / 3
    s = sqrt(z)
    return (2 * atanh(s) / s - 2) / z


half_ln2 = log(2) / 2 * mpf("1.01")
root = (sqrt(2) - 1) / (sqrt(2) + 1)
PLAN = [
    ("EXP", exponential, -half_ln2, half_ln2, {"f32": 5, "f64": 10}),
    ("LN", logarithm, mpf(0), root**2 * mpf("1.01"), {"f32": 3, "f64": 6}),
    ("LN1P_UNIT", logarithm, mpf(0), mpf("1.01") / 9, {"f32": 4, "f64": 9}),
]

if __name__ == "__main__":
    import numpy

    for name, function, low, high, degrees in PLAN:
        for dtype, degree in degrees.items():
            coefficients, error = fit(function, low, high, degree)
            kind = numpy.float32 if dtype == "f32" else numpy.float64
            digits = ", ".join(repr(float(c)) if dtype == "f64" else str(kind(str(c))) for c in coefficients)
            print(f"{dtype} {name}: [{digits}]  // relative error {mp.nstr(error, 2)}")
