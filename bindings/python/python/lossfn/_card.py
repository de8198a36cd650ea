"""Cards: what is true of a loss, and how that is known."""

from collections.abc import Mapping
from html import escape
from textwrap import wrap
from typing import NamedTuple


class Fact(NamedTuple):
    """One line of a card."""

    name: str
    """What it is about: ``convex``, ``lipschitz`` and so on."""
    title: str
    """The same for people."""
    answer: str
    """``yes``, ``no`` or ``unknown``."""
    number: float | None
    """The constant, modulus, range or value that belongs to the property."""
    detail: str
    """More in words: kinks, what is elicited, what refutes the property."""
    how: str
    """How it is known: ``rule``, ``proved``, ``cited``, ``sampled``, ``refuted`` or ``open``."""
    text: str
    """All of it as a sentence."""

    @property
    def holds(self):
        """True, False, or None where that is not known."""
        return {"yes": True, "no": False}.get(self.answer)


class Card(Mapping):
    """What is true of a loss at its parameters, by property.

    >>> import lossfn
    >>> card = lossfn.Huber(delta=2.0).card
    >>> card["convex"].holds, card["lipschitz"].number
    (True, 2.0)
    """

    def __init__(self, loss, facts):
        self._loss = loss
        self._facts = {fact.name: fact for fact in facts}

    def __getitem__(self, name):
        try:
            return self._facts[name]
        except KeyError:
            known = ", ".join(self._facts)
            raise KeyError(f"{name!r} is not on the card of {self._loss}: it has {known}") from None

    def __iter__(self):
        return iter(self._facts)

    def __len__(self):
        return len(self._facts)

    def __repr__(self):
        width = max((len(fact.title) for fact in self.values()), default=0)
        lines = [self._loss]
        if not self:
            lines.append("  no property is told of losses of several predicted numbers")
        for fact in self.values():
            first, *rest = wrap(fact.text, 96 - width) or [""]
            lines.append(f"  {fact.title:<{width}}  {first}")
            lines += [" " * (width + 4) + line for line in rest]
        return "\n".join(lines)

    def _repr_html_(self):
        def cell(tag, text):
            return f'<{tag} style="text-align: left">{escape(text)}</{tag}>'

        rows = (f"<tr>{cell('th', fact.title)}{cell('td', fact.text)}</tr>" for fact in self.values())
        return f"<table><caption>{escape(self._loss)}</caption>{''.join(rows)}</table>"
