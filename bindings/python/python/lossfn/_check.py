"""Checks: what is wrong with a loss, with the evidence."""

from typing import NamedTuple

from lossfn import _lossfn
from lossfn._catalog import Loss
from lossfn._catalog import loss as parsed


class Evidence(NamedTuple):
    """A number at a point, beside the true one."""

    prediction: list[float]
    """What was predicted: one number, or those of a row."""
    target: list[float]
    """The target, likewise."""
    quantity: str
    """What was computed: the loss, its gradient or its second derivative."""
    precision: str
    """The arithmetic: ``f32`` or ``f64``."""
    found: float
    """What came out."""
    truth: str | None
    """What it is in truth, in decimal digits, where that is known."""


class Finding(NamedTuple):
    """One thing that was found."""

    kind: str
    """``wrong_gradient``, ``lost_digits``, ``overflow``, ``kink`` and so on."""
    severity: str
    """``error``, ``warning`` or ``note``."""
    message: str
    """What was found, in words."""
    evidence: list[Evidence]
    """Where, the worst point first."""
    witness: str | None
    """An inequality between losses that shows it."""
    advice: str | None
    """How to mend it."""
    proposal: str | None
    """A formula that is the same function without this fault."""
    text: str
    """All of it for people."""


class Report:
    """Everything that was found, the worst first. Its representation is for people to read."""

    def __init__(self, text, summary, is_sound, findings):
        self._text = text
        self.summary = summary
        """How much was found, in a line."""
        self.is_sound = is_sound
        """Whether there are no errors."""
        self.findings = [
            Finding(kind, severity, message, [Evidence(*one) for one in evidence], *others)
            for kind, severity, message, evidence, *others in findings
        ]
        """What was found."""

    def of_kind(self, kind):
        """The findings of a kind."""
        return [finding for finding in self.findings if finding.kind == kind]

    def __repr__(self):
        return self._text.rstrip("\n")


def check(loss, *, gradient=None, prediction="(-inf, inf)", target="(-inf, inf)"):
    """What is wrong with a loss, and what is worth knowing about it, with evidence.

    Wrong and undefined gradients, values that overflow or lose their digits (with the stable formula, where
    one is known), kinks, negative values, no minimum at the target, non-convexity with a witness, unbounded
    influence.

    loss: a loss, its text, or any function of a prediction and a target, both float, that gives a number.
    gradient: the derivative of such a function by the prediction, to be checked too; a function of the same
        two numbers.
    prediction, target: what these may be, for a function: ``"(-inf, inf)"``, ``"[0, inf)"``, ``"(0, inf)"``,
        ``"[0, 1]"``, ``"(0, 1)"``, ``"{-1, 1}"``. Classes, the last and ``"[0, 1]"``, as a target make it a loss
        of two classes.

    Gives a `Report`. Of a loss with a formula the truth is known to many digits; a function is judged by its
    own values, and only what stands out from rounding is found.

    Raises ``ValueError`` for a text that is no loss and for another domain, and whatever the function raises.

    >>> import lossfn
    >>> report = lossfn.check("formula: ln(1 + exp(p)) - p * y")
    >>> [finding.proposal for finding in report.of_kind("overflow")][0]
    'softplus(p) - p * y'
    >>> wrong = lossfn.check(lambda p, y: (p - y) ** 2, gradient=lambda p, y: p - y)
    >>> wrong.is_sound, wrong.findings[0].kind
    (False, 'wrong_gradient')
    """
    if isinstance(loss, str):
        loss = parsed(loss)
    if isinstance(loss, Loss):
        if gradient is not None:
            raise TypeError("a loss has its own gradient: give none, or give the loss as a function")
        return Report(*_lossfn.check_loss(loss))
    if not callable(loss):
        raise TypeError(f"loss must be a loss, its text or a function, not {loss!r}")
    if gradient is not None and not callable(gradient):
        raise TypeError(f"gradient must be a function of prediction and target, not {gradient!r}")
    return Report(*_lossfn.check_function(loss, gradient, prediction, target))
