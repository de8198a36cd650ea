"""Write testdata/functions.toml: special functions of the library's Number with
their first and second derivative, to many digits.

    python xtask/golden/functions.py           write the file
    python xtask/golden/functions.py --check   fail if the file differs

Needs mpmath. Everything is evaluated from mpmath's own functions or, where
those are slow (arguments far out), from asymptotic series with all digits.
"""

import math
import sys
from pathlib import Path

from golden import digits
from mpmath import atan, besseli, cos, erf, erfc, exp, inf, ln, loggamma, mp, mpf, pi, psi, sin, sqrt

PATH = Path(__file__).resolve().parents[2] / "testdata" / "functions.toml"
F32_MAX = 3.4028234663852886e38
F64_MAX = sys.float_info.max


def density(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def normal_cdf(x):
    if x > 60:
        return mpf(1)
    return erfc(-x / sqrt(mpf(2))) / 2 if x > -1000 else mpf(0)


def crps(x):
    return x * erf(x / sqrt(mpf(2))) + 2 * density(x) - 1 / sqrt(pi)


def polygamma(n, x):
    if x > 1e25:  # 1/x is beyond 40 digits, but for the first two terms
        sign = (-1) ** (n + 1)
        if n == 0:
            return ln(x) - 1 / (2 * x)
        return sign * (mp.factorial(n - 1) / x**n + mp.factorial(n) / (2 * x ** (n + 1)))
    if x < 1e-50:
        return (-1) ** (n + 1) * mp.factorial(n) / x ** (n + 1) + (psi(n, mpf(1)))
    return psi(n, x)


def ln_gamma(x):
    if x > 1e25:
        return (x - mpf(1) / 2) * ln(x) - x + ln(2 * pi) / 2 + 1 / (12 * x)
    return loggamma(x) if x > 1e-50 else -ln(x) - mp.euler * x


def bessel(x):
    """ln I0 and the derivatives that follow from A = I1/I0 and A' = 1 - A/x - A^2."""
    if x == 0:
        return [mpf(0), mpf(0), mpf(1) / 2]
    a = abs(x)
    if a < 1e-50:
        return [a * a / 4, x / 2, mpf(1) / 2]
    with mp.workdps(mp.dps + 3 * abs(int(mp.log10(a)))):
        if a > 300:

            def series(order):
                term = total = mpf(1)
                for k in range(1, 300):
                    term *= ((2 * k - 1) ** 2 - 4 * order**2) / (8 * k * a)
                    total += term
                    if abs(term) < mpf(10) ** -mp.dps:
                        break
                return total

            i0, ratio = series(0), series(1) / series(0)
            value = a - ln(2 * pi * a) / 2 + ln(i0)
        else:
            i0 = besseli(0, a)
            value, ratio = ln(i0), besseli(1, a) / i0
        return [value, ratio if x > 0 else -ratio, 1 - ratio / a - ratio**2]


# Value, first and second derivative.
FUNCTIONS = {
    "sin": lambda x: [sin(x), cos(x), -sin(x)],
    "cos": lambda x: [cos(x), -sin(x), -cos(x)],
    "atan": lambda x: [atan(x), 1 / (1 + x * x), -2 * x / (1 + x * x) ** 2],
    "inverse1p_square": lambda x: [
        1 / (1 + x * x), -2 * x / (1 + x * x) ** 2, 2 * (3 * x * x - 1) / (1 + x * x) ** 3,
    ],
    "erf": lambda x: [erf(x), 2 / sqrt(pi) * exp(-x * x), -4 * x / sqrt(pi) * exp(-x * x)],
    "exp_minus_square": lambda x: [exp(-x * x), -2 * x * exp(-x * x), (4 * x * x - 2) * exp(-x * x)],
    "normal_density": lambda x: [density(x), -x * density(x), (x * x - 1) * density(x)],
    "normal_cdf": lambda x: [normal_cdf(x), density(x), -x * density(x)],
    "normal_crps": lambda x: [crps(x), erf(x / sqrt(mpf(2))), 2 * density(x)],
    "ln_gamma": lambda x: [ln_gamma(x), polygamma(0, x), polygamma(1, x)],
    "digamma": lambda x: [polygamma(n, x) for n in range(3)],
    "trigamma": lambda x: [polygamma(n, x) for n in range(1, 4)],
    "ln_bessel_i0": bessel,
}  # fmt: skip


def both(numbers):
    return [s * x for x in numbers for s in (1.0, -1.0)]


def beside(x):
    """x and its neighbours, as f64 and as f32."""
    return [x, math.nextafter(x, 0), math.nextafter(x, inf), x * (1 - 2**-24), x * (1 + 2**-23)]


ORDINARY = [k / 16 for k in range(1, 40, 3)] + [0.1, 1 / 3, math.pi, math.e, 2.7, 3.9, 4.5, 5.5, 7.3, 9.1, 11.7, 14.0]
TINY = [5e-324, 1e-310, 2.0**-149, 2.0**-126, 1e-160, 1e-30, 1e-20, 2.0**-53, 2.0**-27, 2.0**-24, 1e-8, 1e-4, 2.0**-10]
HUGE = [20.0, 26.0, 33.3, 64.0, 100.0, 1e3, 12345.678, 1e5, 1e6, 1e8, 1e10, 1e16, 1e22, 1e30, F32_MAX, 1e100, 1e200, F64_MAX]
SIGNED = [0.0, *both(ORDINARY + TINY + HUGE)]
QUARTERS = [float(k * mp.pi / 2) for k in [*range(1, 12), 100, 63661, 10**7, 10**15]]
# As near to multiples of pi/2 as f64 and f32 come.
QUARTERS += [float.fromhex("0x1.6ac5b262ca1ffp+849"), 3.0**500, 16367173.0 * 2.0**72, 13195595.0 * 2.0**26]
POSITIVE = ORDINARY + TINY + HUGE + [0.65, 0.6499999, 5.9, 6.0, 6.1, 8.0, 17.0, 40.0]
POSITIVE += [*beside(1.0), *beside(2.0), 1 + 2**-10, 1 - 2**-10, 2 + 2**-10, 2 - 2**-10, *beside(1.4616321449683622)]

POINTS = {
    "sin": SIGNED + QUARTERS,
    "cos": SIGNED + QUARTERS,
    "ln_gamma": POSITIVE,
    "digamma": POSITIVE,
    "trigamma": POSITIVE,
    "ln_bessel_i0": SIGNED + both([5.0, 8.0, 10.0, 11.99, 12.0, 12.01, 50.0, 500.0]),
}


def text():
    parts = ["# Written by xtask/golden/functions.py; do not edit.\n"]
    parts.append('source = "mpmath; the functions and derivatives by their definitions"\n')
    for name, function in FUNCTIONS.items():
        mp.dps = 420 if name in ("sin", "cos") else 60
        if name in ("ln_gamma", "digamma", "trigamma", "normal_crps"):
            mp.dps = 80
        for x in POINTS.get(name, SIGNED):
            value, first, second = function(mpf(x))
            parts.append(f'\n[[row]]\nfunction = "{name}"\nx = {x!r}\nvalue = "{digits(value)}"\n')
            parts.append(f'first = "{digits(first)}"\nsecond = "{digits(second)}"\n')
    return "".join(parts)


if __name__ == "__main__":
    found = text()
    if "--check" not in sys.argv[1:]:
        PATH.write_text(found, encoding="utf-8", newline="\n")
    elif PATH.read_bytes() != found.encode():
        sys.exit("functions.toml differs from what functions.py writes")
