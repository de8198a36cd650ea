"""Every golden value, which mpmath computed from the loss's definition, through the package."""

from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import lossfn
from lossfn import _lossfn

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

GOLDEN = Path(__file__).parents[3] / "testdata" / "golden"
ABOUT = {about["id"]: about for about in _lossfn.catalog()}
DTYPES = [np.float64, np.float32]

# What the kernels promise, in units of the last place.
CEILING = {"value": 4, "gradient": 4, "second": 8}

pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden values beside the package")


def fits(row, dtype):
    """Whether a number type has all inputs of a row, and the parameters in its range."""
    info = np.finfo(dtype)
    inputs = np.append(row["prediction"], row["target"])
    parameters = np.abs(list(row.get("parameters", {}).values()))
    in_range = (parameters == 0) | (parameters >= info.tiny) & (parameters <= info.max)
    with np.errstate(over="ignore"):
        return bool((inputs.astype(dtype) == inputs).all() and in_range.all())


def groups_of(rows):
    """Rows that one call can take: equal parameters, as many classes, the same kind of target."""
    groups = defaultdict(list)
    for row in rows:
        parameters = tuple(row.get("parameters", {}).items())
        kind = type(row["target"]), np.shape(row["target"])
        groups[parameters, np.shape(row["prediction"]), kind].append(row)
    return groups.items()


def slack(id, dtype, what, row):
    """What rounding may add beyond the ceiling, as an absolute error.

    Where the result is a sum of terms that nearly cancel, the terms count and not the sum. Over a
    class axis they are a probability and its part of the target, which nothing exceeds. In
    likelihoods they are products of the inputs, their logarithms and the derivatives: 16 units in
    the last place of the largest of these covers them. How seldom that is needed is tested, too.
    """
    about, parameters = ABOUT[id], row.get("parameters", {}).values()
    underflow = 4 * np.finfo(dtype).smallest_subnormal * max([1.0, *parameters])
    if about["form"] == "class_axis":
        total = max(1.0, np.sum(row["target"])) if np.ndim(row["target"]) else 1.0
        return underflow + 4 * np.finfo(dtype).eps * total * (what == "gradient")
    if about["form"] == "joint" or what == "value" and about["task"] in ("counts", "distribution"):
        numbers = np.concatenate(
            [
                np.atleast_1d(np.asarray(row[name], float))
                for name in ("prediction", "target", "value", "gradient", "second")
            ]
        )
        largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=1.0)
        return underflow + 16 * np.finfo(dtype).eps * largest
    return underflow


@cache
def outcomes(id, dtype):
    """The number of results of a loss, the results that need slack, and those that are wrong."""
    rows = tomllib.loads((GOLDEN / f"{id}.toml").read_text())["row"]
    count, excused, wrong = 0, [], []
    for (parameters, _, (kind, _)), group in groups_of([row for row in rows if fits(row, dtype)]):
        loss = lossfn.catalog[id](**dict(parameters), reduction="none")
        prediction = np.array([row["prediction"] for row in group], dtype)
        has_labels = ABOUT[id]["form"] == "class_axis" and kind is int
        target = np.array([row["target"] for row in group], None if has_labels else dtype)
        results = dict(
            zip(CEILING, loss.value_gradient_and_second(prediction, target), strict=True)
        )
        function = getattr(lossfn, id)
        alone = function(prediction, target, **dict(parameters), reduction="none")
        np.testing.assert_allclose(alone, results["value"], rtol=2 * np.finfo(dtype).eps)
        for what, found in results.items():
            assert found.dtype == dtype
            for at, row in enumerate(group):
                with np.errstate(over="ignore", invalid="ignore"):
                    expected = np.array(row[what], float).astype(dtype)
                    off = np.abs(found[at].astype(float) - expected)
                    places = off / np.spacing(np.abs(expected)).astype(float)
                is_exact = (found[at] == expected) | (places <= CEILING[what])
                count += np.size(off)
                if np.all(is_exact):
                    continue
                where = f"{loss}, {what} at {row['prediction']}, {row['target']}"
                said = f"{where}: {found[at]}, not {expected}"
                is_excused = is_exact | (off <= slack(id, dtype, what, row))
                (excused if np.all(is_excused) else wrong).append(said)
    return count, excused, wrong


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("id", lossfn.catalog)
def test_every_loss_has_its_golden_values(id, dtype):
    count, _, wrong = outcomes(id, dtype)
    assert count
    assert not wrong, "\n".join(wrong)


def test_slack_is_the_exception():
    counts = [
        (count, len(excused))
        for id in lossfn.catalog
        for dtype in DTYPES
        for count, excused, _ in [outcomes(id, dtype)]
    ]
    results, excused = map(sum, zip(*counts, strict=True))
    assert results > 60_000
    assert excused < results / 300
