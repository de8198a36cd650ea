"""Write testdata/golden/<loss>.toml: the value, gradient and second derivative
of each loss at chosen points, from its definition in the literature.

    python xtask/golden/golden.py           write the files
    python xtask/golden/golden.py --check   fail if the files differ
    python xtask/golden/golden.py huber ... only these losses

Needs mpmath. Nothing here is stabilised: the digits carry the cancellation.
Each derivative is checked against differences of the definition (see verify).
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from math import inf
from pathlib import Path

import binary
import distribution
import counts
import margin
import multiclass
import multiclass_margin
import regression
from common import F64_MAX
from mpmath import mp, mpf

FOLDER = Path(__file__).resolve().parents[2] / "testdata" / "golden"

# One file for each family of the catalog.
FAMILIES = [regression, counts, distribution, margin, binary, multiclass, multiclass_margin]
LOSSES = {name: loss for family in FAMILIES for name, loss in family.LOSSES.items()}


def exact(x):
    if isinstance(x, list):
        return [mpf(e) for e in x]
    return x if isinstance(x, int) else mpf(x)


def listed(x):
    return x if isinstance(x, list) else [x]


def verify(loss, parameters, prediction, target):
    """Each closed form lies between the differences to the left and to the right:
    equal to both where the loss is smooth, a sub-gradient at a kink."""
    if len(listed(prediction)) > 5 or not all(map(loss.checkable, listed(prediction))):
        return
    with mp.workdps(400):  # the step is 1e-400: no float is so near to a kink
        for order, closed in (1, loss.gradient), (2, loss.second):
            for c, d in enumerate(listed(closed(prediction, target, **parameters))):

                def along(x):
                    moved = prediction[:c] + [x] + prediction[c + 1 :] if isinstance(prediction, list) else x
                    return loss.value(moved, target, **parameters)

                x = listed(prediction)[c]
                sides = [mp.diff(along, x, order, direction=side) for side in (-1, 1)]
                slack = mpf("1e-20") * (1 + abs(d))
                assert min(sides) - slack <= d <= max(sides) + slack, (loss.source, parameters, x, target, order)


def digits(x):
    """40 significant digits. What is far below any float is written as 0."""
    if abs(x) == inf:
        return "inf" if x > 0 else "-inf"
    if abs(x) < mpf("1e-900"):
        return "0"
    mantissa, e, exponent = mp.nstr(x, 40, min_fixed=-6, max_fixed=17).partition("e")
    return mantissa.removesuffix(".0") + e + exponent


def toml(x):
    if isinstance(x, list):
        return "[" + ", ".join(map(toml, x)) + "]"
    return f'"{digits(x)}"' if isinstance(x, mpf) else repr(x)


def table(loss):
    text = "# Written by xtask/golden/golden.py; do not edit.\n"
    text += f'source = "mpmath {mp.dps} digits; {loss.source}"\n'
    count = 0
    for parameters, prediction, target in loss.rows:
        given = {k: mpf(v) for k, v in parameters.items()}, exact(prediction), exact(target)
        value, gradient, second = (f(*given[1:], **given[0]) for f in (loss.value, loss.gradient, loss.second))
        if F64_MAX < abs(value) < inf:
            continue
        verify(loss, *given)
        count += 1
        text += "\n[[row]]\n"
        if parameters:
            text += "parameters = { " + ", ".join(f"{k} = {v!r}" for k, v in parameters.items()) + " }\n"
        text += f"prediction = {toml(prediction)}\ntarget = {toml(target)}\n"
        text += f"value = {toml(value)}\ngradient = {toml(gradient)}\nsecond = {toml(second)}\n"
    return text, count


def text_of(name):
    return table(LOSSES[name])


def main():
    check = "--check" in sys.argv[1:]
    names = [name for name in sys.argv[1:] if name != "--check"] or list(LOSSES)
    different = []
    with ProcessPoolExecutor() as processes:
        for name, (text, count) in zip(names, processes.map(text_of, names)):
            path = FOLDER / f"{name}.toml"
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
                print(f"{count:4} rows  {name}")
            elif not path.exists() or path.read_bytes() != text.encode():
                different.append(path.name)
    if different:
        sys.exit("differ from what golden.py writes: " + ", ".join(different))


if __name__ == "__main__":
    main()
