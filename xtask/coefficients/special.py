"""Write crates/lossfn/src/number/coefficients.rs: coefficients of the special functions.

    python xtask/coefficients/special.py          write the file
    python xtask/coefficients/special.py --check  fail if the file differs

Polynomials by interpolation at the Chebyshev nodes, and so quotients of polynomials; with 80 digits,
and within a small factor of the minimax error. The comments tell the largest relative error before the
rounding of coefficients. The functions of f32 are computed in f64, so theirs are f64 too, only fewer.
Needs mpmath, and rustfmt on the path.
"""

import subprocess
import sys
from pathlib import Path

from mpmath import (
    atan, besseli, cos, erf, erfc, exp, findroot, log, loggamma, lu_solve, matrix, mp,
    mpf, nint, nstr, pi, psi, sin, sqrt,
)  # fmt: skip

mp.dps = 80
PATH = Path(__file__).resolve().parents[2] / "crates/lossfn/src/number/coefficients.rs"
TINY = mpf(10) ** -30


def nodes(low, high, count):
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle + half * cos(pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def horner(coefficients, x):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def probes(low, high, count=120):
    return [low + (high - low) * i / mpf(count) for i in range(count + 1)]


def polynomial(function, low, high, degree):
    low, high = mpf(low), mpf(high)
    xs = nodes(low, high, degree + 1)
    system = matrix([[x**j for j in range(degree + 1)] for x in xs])
    c = list(lu_solve(system, matrix([function(x) for x in xs])))
    return c, max(abs(horner(c, x) / function(x) - 1) for x in probes(low, high))


def quotient(function, low, high, degrees):
    over, under = degrees
    low, high = mpf(low), mpf(high)
    xs = nodes(low, high, over + under + 1)
    ys = [function(x) for x in xs]
    rows = [[x**j for j in range(over + 1)] + [-y * x**j for j in range(1, under + 1)] for x, y in zip(xs, ys)]
    solution = list(lu_solve(matrix(rows), matrix(ys)))
    p, q = solution[: over + 1], [mpf(1)] + solution[over + 1 :]
    places = probes(low, high)
    assert all(horner(q, x) > 0 for x in places), "a pole"
    return p, q, max(abs(horner(p, x) / horner(q, x) / function(x) - 1) for x in places)


def through_zero(function, limit):
    """The function, with its limit at 0."""
    return lambda x: mpf(limit) if x == 0 else function(x)


def away_from(function, places):
    return lambda x: next((function(p + TINY) for p in places if abs(x - p) < TINY), None) or function(x)


# The functions to fit, as they are used in special.rs.
SIN = through_zero(lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z, mpf(-1) / 6)
COS = through_zero(lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, mpf(1) / 24)
ATAN = through_zero(lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z, mpf(-1) / 3)
ERF = through_zero(lambda z: erf(sqrt(z)) / sqrt(z), 2 / sqrt(pi))
TAIL = lambda a: exp(a * a / 2) * erfc(a / sqrt(mpf(2))) / 2  # noqa: E731


def crps(z):
    """CRPS of the standard normal distribution, less its value at 0, over x^2 = z."""
    x = sqrt(z)
    density = exp(-z / 2) / sqrt(2 * pi)
    return (x * erf(x / sqrt(mpf(2))) + 2 * (density - 1 / sqrt(2 * pi))) / z


CRPS = through_zero(crps, 1 / sqrt(2 * pi))
ROOT = findroot(lambda x: psi(0, x), 1.4616)  # of digamma
LN_GAMMA = away_from(lambda x: loggamma(x) / ((x - 1) * (x - 2)), [1, 2])
DIGAMMA = away_from(lambda x: psi(0, x) / (x - ROOT), [ROOT])
TRIGAMMA = lambda x: psi(1, x)  # noqa: E731


def in_inverse_square(function, limit):
    return through_zero(lambda t: function(1 / sqrt(t)), limit)


LN_GAMMA_FAR = in_inverse_square(
    lambda x: (loggamma(x) - (x - mpf(1) / 2) * log(x) + x - log(2 * pi) / 2) * x, mpf(1) / 12
)
DIGAMMA_FAR = in_inverse_square(lambda x: (log(x) - 1 / (2 * x) - psi(0, x)) * x**2, mpf(1) / 12)
TRIGAMMA_FAR = in_inverse_square(lambda x: (psi(1, x) - 1 / x - 1 / (2 * x**2)) * x**3, mpf(1) / 6)


def ratio(x):
    return besseli(1, x) / besseli(0, x)


def ratio_slope(x):
    return 1 - ratio(x) / x - ratio(x) ** 2


BESSEL = through_zero(lambda z: (besseli(0, sqrt(z)) - 1) / z, mpf(1) / 4)
RATIO = through_zero(lambda z: ratio(sqrt(z)) / sqrt(z), mpf(1) / 2)
SLOPE = through_zero(lambda z: ratio_slope(sqrt(z)), mpf(1) / 2)


def far(function, limit, start):
    """In s from -1 to 1, for u = 1 / x from 0 to 1 / start."""
    return lambda s: mpf(limit) if s == -1 else function(2 * start / (s + 1))


BESSEL_FAR = lambda start: far(  # noqa: E731
    lambda x: log(besseli(0, x) * exp(-x) * sqrt(2 * pi * x)) * x, mpf(1) / 8, start
)
RATIO_FAR = lambda start: far(lambda x: (1 - ratio(x)) * x, mpf(1) / 2, start)  # noqa: E731
SLOPE_FAR = lambda start: far(lambda x: ratio_slope(x) * x**2, mpf(1) / 2, start)  # noqa: E731


def mapped(function, centre, limit=None):
    """As a function of t = (x - centre) / (x + centre), which is from -1 to 1 for x from 0 to infinity."""
    return lambda t: limit if t == 1 else function(centre * (1 + t) / (1 - t))


def to_map(x, centre):
    return (mpf(x) - centre) / (mpf(x) + centre)


EIGHTH_TURN = (pi / 4 * mpf("1.001")) ** 2
HALF = mpf(3) / 2
GAMMA_RANGE = [(to_map("0.649", centre), to_map(6, centre)) for centre in (2, HALF)]

# Name, what it is, how it is fitted with the degree for f32 and for f64.
PLAN = [
    ("SIN", "(sin(r)/r - 1) / r² in powers of r², |r| <= π/4.", polynomial, (SIN, 0, EIGHTH_TURN), 3, 6),
    ("COS", "(cos(r) - 1 + r²/2) / r⁴ in powers of r², |r| <= π/4.", polynomial, (COS, 0, EIGHTH_TURN), 3, 6),
    ("ATAN", "(atan(t)/t - 1) / t² in powers of t², |t| <= 7/16.", polynomial, (ATAN, 0, mpf("0.1915")), 5, 11),
    ("ERF", "erf(x)/x - 1 in powers of x², |x| <= 1.", polynomial, (ERF, 0, 1), 8, 14),
    (
        "TAIL", "(1 + a) e^(a²/2) Φ(-a) in powers of (a - 4) / (a + 4), a from 0 to 40.",
        polynomial, (mapped(lambda a: (1 + a) * TAIL(a), 4), -1, to_map(40, 4)), 14, 24,
    ),
    ("CRPS", "(z (2Φ(z) - 1) + 2φ(z) - 2φ(0)) / z² in powers of z², |z| <= 3/2.", polynomial, (CRPS, 0, 2.25), 7, 13),
    (
        "LN_GAMMA", "ln Γ(x) / ((x - 1) (x - 2)) in powers of (x - 2) / (x + 2), x from 0.65 to 6.",
        polynomial, (mapped(LN_GAMMA, 2), *GAMMA_RANGE[0]), 14, 28,
    ),
    (
        "DIGAMMA", "x ψ(x) / (x - the root of ψ) in powers of (x - 2) / (x + 2), x from 0.65 to 6.",
        polynomial, (mapped(lambda x: x * DIGAMMA(x), 2), *GAMMA_RANGE[0]), 14, 28,
    ),
    (
        "TRIGAMMA", "x ψ'(x) in powers of (x - 3/2) / (x + 3/2), x from 0.65 to 6.",
        polynomial, (mapped(lambda x: x * TRIGAMMA(x), HALF), *GAMMA_RANGE[1]), 14, 28,
    ),
    (
        "LN_GAMMA_FAR", "(ln Γ(x) - (x - ½) ln x + x - ½ ln 2π) x in powers of 1/x², x >= 6.",
        polynomial, (LN_GAMMA_FAR, 0, 1 / mpf(36)), 3, 8,
    ),
    (
        "DIGAMMA_FAR", "(ln x - 1/2x - ψ(x)) x² in powers of 1/x², x >= 6.",
        polynomial, (DIGAMMA_FAR, 0, 1 / mpf(36)), 3, 8,
    ),
    (
        "TRIGAMMA_FAR", "(ψ'(x) - 1/x - 1/2x²) x³ in powers of 1/x², x >= 6.",
        polynomial, (TRIGAMMA_FAR, 0, 1 / mpf(36)), 4, 9,
    ),
    ("BESSEL", "(I₀(x) - 1) / x² in powers of x², |x| <= 12.", polynomial, (BESSEL, 0, 144), 12, 19),
    (
        "BESSEL_FAR", "(ln I₀(x) - x + ½ ln 2πx) x in powers of 24/x - 1, x >= 12.",
        polynomial, (BESSEL_FAR(12), -1, 1), 6, 18,
    ),
    ("RATIO", "I₁(x)/I₀(x)/x as a quotient of polynomials in x², |x| <= 8.", quotient, (RATIO, 0, 64), (5, 6), (8, 9)),
    (
        "RATIO_FAR", "(1 - I₁(x)/I₀(x)) x in powers of 16/x - 1, x >= 8.",
        polynomial, (RATIO_FAR(8), -1, 1), 10, 24,
    ),
    (
        "SLOPE", "(I₁/I₀)'(x) as a quotient of polynomials in x², |x| <= 10.",
        quotient, (SLOPE, 0, 100), (8, 9), (11, 12),
    ),
    (
        "SLOPE_FAR", "(I₁/I₀)'(x) x² in powers of 20/x - 1, x >= 10.",
        polynomial, (SLOPE_FAR(10), -1, 1), 10, 28,
    ),
]  # fmt: skip


def pieces(x, count):
    """x as a sum of so many f64."""
    parts = []
    for _ in range(count):
        parts.append(float(x))
        x -= mpf(parts[-1])
    return parts


def literals(numbers):
    return ", ".join(repr(float(x)) for x in numbers)


def quarters():
    """2/π times powers of two, modulo 4, in four pieces, and what to multiply the argument by."""
    rows = []
    with mp.workdps(420):
        for row in range(128):
            power = max(0, 16 * row - 1075)
            turns = 2 / pi * mpf(2) ** power
            turns -= 4 * nint(turns / 4)
            rows.append([*pieces(turns, 4), 2.0**-power])
    return rows


def source():
    text = "//! Coefficients of the special functions.\n//!\n"
    text += "//! Written by xtask/coefficients/special.py; do not edit.\n"
    text += '#![allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::approx_constant, reason = "generated")]\n'
    text += "#![allow(missing_docs)]\n\n"
    text += "/// How a function is approximated to the digits of f32 or f64; the arithmetic is f64's.\n"
    text += "pub trait Coefficients: 'static {\n"
    for name, what, fit, *_ in PLAN:
        kind = "(&'static [f64], &'static [f64])" if fit is quotient else "&'static [f64]"
        text += f"/// {what}\nconst {name}: {kind};\n"
    text += "}\n"
    for place, dtype in enumerate(("f32", "f64")):
        text += f"\nimpl Coefficients for {dtype} {{\n"
        for name, _, fit, arguments, *degrees in PLAN:
            *lists, error = fit(*arguments, degrees[place])
            if name == "ERF":
                lists[0][0] -= 1
            print(dtype, name, nstr(error, 2), flush=True)
            text += f"// Relative error {nstr(error, 2)}.\n"
            if fit is quotient:
                text += f"const {name}: (&'static [f64], &'static [f64]) = "
                text += "(" + ", ".join(f"&[{literals(c)}]" for c in lists) + ");\n"
            else:
                text += f"const {name}: &'static [f64] = &[{literals(lists[0])}];\n"
        text += "}\n"
    columns = list(zip(*quarters()))
    for column, what in zip(columns, ["first", "second", "third", "fourth"]):
        name = f"QUARTERS_{what.upper()}"
        text += f"\n/// 2/π times the inverse of `QUARTERS_SCALE`, modulo 4: {what} of four pieces.\n"
        text += f"pub static {name}: [f64; 128] = [{literals(column)}];\n"
    text += "\n/// What a number is to be multiplied by, for every sixteen of its exponents.\n"
    text += f"pub static QUARTERS_SCALE: [f64; 128] = [{literals(columns[4])}];\n"
    constants = [
        ("PI_2", "π/2", pi / 2),
        ("ROOT_OF_DIGAMMA", "The root of ψ", ROOT),
        ("INVERSE_SQRT_PI", "1/√π", 1 / sqrt(pi)),
        ("INVERSE_SQRT_2PI", "1/√(2π)", 1 / sqrt(2 * pi)),
        ("CRPS_AT_0", "2φ(0) - 1/√π", 2 / sqrt(2 * pi) - 1 / sqrt(pi)),
        ("HALF_LN_2PI", "½ ln 2π", log(2 * pi) / 2),
    ]
    for name, what, value in constants:
        text += f"\n/// {what}, and what it lacks.\npub const {name}: (f64, f64) = ({literals(pieces(value, 2))});\n"
    angles = [mpf(0), atan(mpf(1) / 2), pi / 4, atan(mpf(3) / 2), pi / 2]
    text += "\n/// atan of 0, ½, 1, 3/2 and infinity, and what they lack.\n"
    text += "pub const ANGLES: [(f64, f64); 5] = ["
    text += ", ".join(f"({literals(pieces(angle, 2))})" for angle in angles) + "];\n"
    command = ["rustfmt", "--edition", "2024", "--config-path", str(PATH.parents[4])]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    text = source()
    if "--check" not in sys.argv[1:]:
        PATH.write_text(text, encoding="utf-8", newline="\n")
    elif PATH.read_text(encoding="utf-8") != text:
        sys.exit("coefficients.rs differs from what special.py writes")
