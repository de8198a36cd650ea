"""How a loss is held against the same loss of another library, its peer.

A `Case` says that they agree, on random and extreme inputs in f64 and in f32; a `Difference` what
each gives where they do not, and names what the peer does there. The truth for f32 is lossfn's own
value in f64 of the same inputs, which the run in f64 has held against the peer's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import lossfn
from lossfn import _lossfn

# How far a peer may be off: in f32 some operations, each half an ulp; in f64 far more than that,
# and far less than another formula would be.
PEER = {"float64": 1e-10, "float32": 3e-5}
# lossfn promises a few ulp; parameters that f32 lacks and exponents of large scores add to them.
OURS = 8
# What is off where terms cancel: so many ulp of the largest number that went in.
CANCELLED = 16


def direct(loss, prediction, target):
    """The peer's loss, called as ours."""
    return loss(prediction, target)


@dataclass(frozen=True)
class Case:
    """A loss that the peer has too."""

    loss: "lossfn.Loss | Mean"
    names: str
    """What the peer calls it: function and class, with spaces between."""
    inputs: Callable
    """A random generator to a prediction and a target."""
    options: dict = field(default_factory=dict)
    """The peer's parameters."""
    call: Callable = direct
    """From the peer's loss, a prediction and a target as lossfn takes them, to lossfn's losses."""
    kink: tuple | None = None
    """Where the peer's slope is another by convention, and which: functions of both inputs."""
    loses: str = ""
    """What makes the peer lose digits that lossfn keeps."""
    cancels: bool = False
    """Whether losses or slopes pass through 0 as terms cancel: there no digit is sure."""

    def __str__(self):
        return str(self.loss)

    def check(self, evaluate, name, dtype, tolerances=None):
        """Holds lossfn against the peer, and both against the truth.

        tolerances: how far the peer's value and gradient may be off, if not as others.
        """
        prediction, target = (cast(array, dtype) for array in self.inputs(np.random.default_rng(0)))
        mine = evaluated(self.loss, prediction, target)
        truth = evaluated(self.loss, cast(prediction, "float64"), cast(target, "float64"))
        theirs = evaluate(self, name, prediction, target)
        lost = []
        tolerances = tolerances or (PEER[dtype], PEER[dtype])
        for what, true, our, their, tolerance in zip(
            ["value", "gradient"], truth, mine, theirs, tolerances, strict=True
        ):
            if their is None:
                continue
            assert np.shape(their) == np.shape(true), what
            ulp = np.finfo(dtype).eps
            cancelled = CANCELLED * ulp * largest(prediction, target, np.shape(true))
            with np.errstate(over="ignore"):
                true = np.asarray(true).astype(dtype)
            hold(our, true, OURS * ulp, cancelled * self.cancels, f"lossfn's {what}")
            if what == "gradient" and self.kink:
                true = self.at_kink(prediction, target, true)
            lost.append(relative_error(their, true))
            may_cancel = self.cancels or bool(self.loses)
            hold(their, true, tolerance, cancelled * may_cancel, f"{name}'s {what}")
        if self.loses and dtype == "float32":
            assert max(lost) > 1e-3, f"{name} keeps its digits: no longer {self.loses}"

    def at_kink(self, prediction, target, true):
        """The gradient with the peer's slope at the kink, which is not lossfn's."""
        is_kink, slope = (function(prediction, target) for function in self.kink)
        assert (true != slope)[is_kink].any(), "the slope at the kink is the same"
        return np.where(is_kink, slope, true)


@dataclass(frozen=True)
class Difference:
    """Examples for which the peer gives something else."""

    fault: str
    """What the peer does, in words."""
    loss: "lossfn.Loss | Mean"
    names: str
    prediction: Any
    target: Any
    ours: tuple
    """The losses and the gradient, which are the true ones; None is not compared."""
    theirs: tuple
    """What the peer gives for both."""
    options: dict = field(default_factory=dict)
    call: Callable = direct
    dtype: str = "float32"

    def __str__(self):
        return f"{self.loss}: {self.fault}"

    def check(self, evaluate, name):
        """Both give what is said here, and it is not the same."""
        prediction, target = (cast(array, self.dtype) for array in (self.prediction, self.target))
        mine = evaluated(self.loss, prediction, target)
        theirs = evaluate(self, name, prediction, target)
        differ = False
        for what, our, their, true, stated in zip(
            ["value", "gradient"], mine, theirs, self.ours, self.theirs, strict=True
        ):
            if true is not None:
                hold(our, np.asarray(true, our.dtype), 1e-6, 0, f"lossfn's {what}")
            if stated is not None:
                # Stated to three digits or more: what is named is larger than that.
                hold(their, np.asarray(stated, their.dtype), 2e-3, 0, f"{name}'s {what}")
                differ |= not np.allclose(our, their, 1e-3, 0, equal_nan=True)
        assert differ, f"{name} and lossfn agree"


def evaluated(loss, prediction, target):
    """The losses one by one, or their mean, and the gradient."""
    if isinstance(loss, Mean):
        loss = loss.loss
    else:
        loss = type(loss)(**loss.parameters, **(loss.settings | {"reduction": "none"}))
    value, gradient = loss.value_and_gradient(prediction, target)
    return np.asarray(value), gradient


class Mean:
    """A loss of which the mean is compared, not the losses one by one."""

    def __init__(self, loss):
        self.loss = loss

    def __str__(self):
        return f"mean of {self.loss!r}"


def halves(where, slope):
    """A kink where the peer's slope is half of that beside it, `slope`."""
    return where, lambda prediction, target: slope(prediction, target) / 2


def equal_parts(margin):
    """A kink where the best classes share the slope; the true class has to lead by the margin."""

    def best(prediction, target):
        is_true = np.eye(prediction.shape[-1], dtype=prediction.dtype)[target]
        scores = prediction + margin - margin * is_true
        is_best = scores == scores.max(axis=-1, keepdims=True)
        return is_best, is_best.sum(axis=-1, keepdims=True), is_true

    def where(prediction, target):
        _, count, _ = best(prediction, target)
        return np.broadcast_to(count > 1, prediction.shape)

    def slope(prediction, target):
        is_best, count, is_true = best(prediction, target)
        return is_best / count - is_true

    return where, slope


def reduction(case):
    """What the peer is to reduce to, by the name that PyTorch and Keras have for it."""
    return "mean" if isinstance(case.loss, Mean) else "none"


def cast(array, dtype):
    """As the type of a run; labels stay whole numbers."""
    array = np.asarray(array)
    return array.astype(dtype) if array.dtype.kind == "f" else array


def hold(found, true, relative, absolute, what):
    """Holds numbers to the truth; infinities and NaN must be where they are there."""
    found, true = np.asarray(found, float), np.asarray(true, float)
    with np.errstate(invalid="ignore"):
        is_near = np.abs(found - true) <= absolute + relative * np.abs(true)
    is_same = (found == true) | (np.isnan(found) & np.isnan(true))
    off = ~(is_same | is_near & np.isfinite(true))
    at = np.argwhere(off)[:5].tolist()
    assert not at, f"{what} is {found[off][:5]} for {true[off][:5]}, at {at}"


def relative_error(found, true):
    """The largest of all; infinite where the truth is 0 and that is not found."""
    found, true = np.asarray(found, float), np.asarray(true, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.max(np.where(found == true, 0, np.abs(found / true - 1)), initial=0)


def largest(prediction, target, shape):
    """The largest number of each example, at least 1, in the shape of its losses or gradient."""
    size = np.maximum(np.abs(prediction), 1)
    if shape == ():
        return size.max()
    if size.ndim == 1:
        return np.maximum(size, np.abs(target))
    size = size.max(axis=-1)
    return size if shape == size.shape else np.broadcast_to(size[:, None], shape)


def each_name(cases):
    """Every case under every name that the peer has for it, as parameters of a test."""
    parameters = []
    for case in cases:
        options = ", ".join(f"{key}={option}" for key, option in case.options.items())
        parameters += [
            pytest.param(case, name, id=f"{name}({options}): {case}") for name in case.names.split()
        ]
    return parameters


def check_none_is_forgotten(peer_names, cases, without, ambiguous=()):
    """Every loss of the peer has a case or a reason for none, and is what the catalog says.

    peer_names: the names of all losses of the peer. without: reasons by name. ambiguous: names that
    the catalog has for another loss, of another library.
    """
    by_name = {}
    for case in cases:
        loss = case.loss.loss if isinstance(case.loss, Mean) else case.loss
        for name in case.names.split():
            by_name.setdefault(name, set()).add(loss.id)
    forgotten = set(peer_names) - set(by_name) - set(without)
    assert not forgotten, f"losses of the peer without a case or a reason: {sorted(forgotten)}"
    assert not set(by_name) & set(without)
    for about in _lossfn.catalog():
        for name in [about["id"], *about["aliases"]]:
            if name in by_name and name not in ambiguous:
                assert about["id"] in by_name[name], f"{name} is {about['id']} in the catalog"


# Inputs. Extremes are in all: far out, nearly nothing, and exactly at ties and kinks.

_EXTREMES = np.array([0, 1e-8, 1e-4, 0.5, 1, 1.5, 50, 1e4])
_EXTREMES = np.concatenate([_EXTREMES, -_EXTREMES[1:]])


def near(inputs, least, most):
    """Inputs of which the predictions are not far out."""

    def drawn(random):
        prediction, target = inputs(random)
        return prediction.clip(least, most), target

    return drawn


def above_zero(inputs):
    """Inputs of which the targets, counts, are above 0."""

    def drawn(random):
        prediction, target = inputs(random)
        return prediction, target + 0.5

    return drawn


def numbers(random):
    """Predictions and targets that are any number."""
    prediction, target = 3 * random.normal(size=(2, 100))
    tie = target[:5]
    return (
        np.concatenate([prediction, _EXTREMES, tie]),
        np.concatenate([target, np.zeros(len(_EXTREMES)), tie]),
    )


def magnitudes(random):
    """Predictions and targets above 0 and not far from each other, or equal."""
    target = np.exp(random.normal(size=100))
    prediction = target * np.exp(random.normal(size=100))
    ends, others = np.array([[1e-4, 1, 1e4, 1e-6], [1e-4, 1e4, 1, 3e-6]])
    tie = target[:5]
    return np.concatenate([prediction, ends, tie]), np.concatenate([target, others, tie])


def rates(random):
    """Predicted means above 0 and counts."""
    prediction = np.exp(random.normal(size=100))
    ends = np.array([1e-8, 1e-8, 1, 1e4, 1e4])
    target = random.poisson(prediction).astype(float)
    return np.concatenate([prediction, ends]), np.concatenate([target, [0, 3, 1, 0, 1e4]])


def log_rates(random):
    """Logarithms of predicted means and counts."""
    prediction = random.normal(size=100)
    ends = np.array([-50, -50, 0, 50, 50, 1e-8, 80, -80])
    target = random.poisson(np.exp(prediction)).astype(float)
    return np.concatenate([prediction, ends]), np.concatenate([target, [0, 3, 1, 0, 1e4, 2, 1, 0]])


def margins(random):
    """Scores and targets -1 and +1."""
    scores = np.concatenate([3 * random.normal(size=100), _EXTREMES])
    return np.tile(scores, 2), np.repeat([-1.0, 1.0], len(scores))


def logits(random):
    """Scores and targets 0 and 1."""
    scores, signs = margins(random)
    return scores, (signs + 1) / 2


def soft_logits(random):
    """Scores and targets from 0 to 1."""
    scores, target = logits(random)
    return np.tile(scores, 2), np.concatenate([target, random.uniform(0.05, 0.95, len(scores))])


def chances(random):
    """Probabilities and targets 0 and 1."""
    ends = [2.0**-20, 0.5, 1 - 2.0**-20]
    prediction = np.concatenate([random.uniform(0.01, 0.99, size=100), ends])
    return np.tile(prediction, 2), np.repeat([0.0, 1.0], len(prediction))


def soft_chances(random):
    """Probabilities and targets from 0 to 1."""
    prediction, target = chances(random)
    return (
        np.tile(prediction, 2),
        np.concatenate([target, random.uniform(0.05, 0.95, len(prediction))]),
    )


CLASSES = 4


def rows(random):
    """Scores of classes and labels: random, equal, and far apart."""
    scores = 3 * random.normal(size=(60, CLASSES))
    lead = np.array([50, 1e4, 20, -50, -1e4, 1e-8, 1])
    ends = np.zeros((len(lead) + 1, CLASSES))
    ends[1:, 0] = lead
    scores = np.concatenate([scores, ends, ends])
    target = random.integers(0, CLASSES, len(scores))
    target[60 : 60 + len(ends)] = 0
    return scores, target


def distributions(random, size):
    """Targets over the classes: soft, one class for certain, and with zeros."""
    target = random.dirichlet(np.ones(CLASSES), size)
    target[::3] = np.eye(CLASSES)[random.integers(0, CLASSES, len(target[::3]))]
    target[1::3] = [0, 0.5, 0.25, 0.25]
    return target


def soft_rows(random):
    """Scores of classes and distributions over them."""
    scores, _ = rows(random)
    return scores, distributions(random, len(scores))


def sets(random):
    """Scores of classes, and which of them are in the set."""
    scores, _ = rows(random)
    return scores, random.integers(0, 2, scores.shape).astype(float)


def chance_rows(random):
    """Probabilities of classes and labels."""
    prediction = random.dirichlet(np.ones(CLASSES), 60).clip(1e-4)
    return prediction, random.integers(0, CLASSES, 60)


def soft_chance_rows(random):
    """Probabilities of classes and distributions over them."""
    prediction, _ = chance_rows(random)
    return prediction, distributions(random, 60)


def log_chance_rows(random):
    """Logarithms of probabilities of classes and labels."""
    prediction, target = chance_rows(random)
    prediction[:2] = [[1, 1e-30, 1e-30, 1e-30], [1e-4, 0.5, 0.25, 0.25]]
    return np.log(prediction), target


def soft_log_chance_rows(random):
    """Logarithms of probabilities of classes and distributions over them."""
    prediction, _ = log_chance_rows(random)
    return prediction, distributions(random, 60)


def log_chances_and_chances(random):
    """Logarithms of probabilities of classes, and distributions without zeros."""
    prediction, _ = log_chance_rows(random)
    return prediction, random.dirichlet(np.ones(CLASSES), len(prediction))
