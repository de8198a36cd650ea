"""The functions and classes of the losses, made from the catalog of the library."""

import os
from types import MappingProxyType

from lossfn import _lossfn
from lossfn._card import Card, Fact
from lossfn._docs import class_doc, function_doc


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_lossfn.after_fork_in_child)


class Latex(str):
    """LaTeX, which notebooks show as mathematics."""

    __slots__ = ()

    def _repr_latex_(self):
        return f"$$\\displaystyle {self}$$"


class Loss(_lossfn.Loss):
    """A loss with its parameters, and how the losses of many examples become one number.

    The base of the classes of all losses. Losses are equal if class, parameters and settings are; they
    can be pickled, and their representation is the expression that makes them.
    """

    __slots__ = ()

    def __new__(cls, *_, **__):
        raise TypeError(
            "lossfn.Loss is what all losses have in common: make one by its class, such as "
            "lossfn.Huber(), or by lossfn.loss('huber')"
        )

    @property
    def card(self):
        """What is true of the loss at its parameters, and how that is known: a `Card`."""
        return Card(str(self), [Fact(*parts) for parts in self._facts()])

    @property
    def latex(self):
        """The formula of the loss as LaTeX, shown as mathematics in a notebook."""
        return Latex(self._latex())

    def _repr_latex_(self):
        name = str(self).replace("_", r"\_")
        return f"$$\\texttt{{{name}}}:\\quad {self._latex()}$$"

    def describe(self):
        """Everything that is said about the loss, as text."""
        return "\n".join(f"{heading}: {text}" for heading, text, _ in self._sections())


class Formula(Loss):
    """A pointwise loss of one's own by its formula in text.

    text: a formula of the prediction, ``p``, and the target, ``y``, and of parameters and other names
        that are defined behind it: ``"where(abs(r) <= d, r^2 / 2, d * (abs(r) - d / 2)); r = p - y; d = 1.5"``.
        What the two may be is said by ``p in [0, 1]``; without it they may be any number. Operators are
        ``+ - * / ^``, comparisons, ``and``, ``or``, ``not``; functions ``where(condition, a, b)``, ``abs``,
        ``max``, ``min``, ``clip``, ``sqrt``, ``exp``, ``ln``, ``tanh``, ``sigmoid``, ``softplus`` and all others
        that `formula` of a loss is written with.
    parameters: other values for parameters of the text.

    It has all that losses of the catalog have: gradient, second derivative, card, adapters.

    Raises ``ValueError`` with a caret below the place where the text cannot be read.

    >>> import lossfn
    >>> loss = lossfn.Formula("abs(p - y)^a; a = 1.5", a=3.0)
    >>> loss
    lossfn.Formula('abs(p - y)^a; a = 3.0')
    >>> loss([3.0], [1.0]), loss.gradient([3.0], [1.0]).tolist(), loss.card["convex"].holds
    (8.0, [12.0], True)
    """

    __slots__ = ()
    __module__ = "lossfn"

    def __new__(
        cls, text, /, *, reduction="mean", denominator="weights", nothing_valid="error", **parameters
    ):
        if not isinstance(text, str):
            raise TypeError(f"text must be a formula, such as '(p - y)^2', not a {type(text).__name__}")
        values = tuple(parameters.items())
        return _lossfn.Loss.__new__(cls, text, values, reduction, denominator, nothing_valid)


def formula(text, /, **settings):
    """The loss with this formula: a `Formula`.

    >>> import lossfn
    >>> lossfn.formula("softplus(-y * p); y in {-1, 1}")([2.0], [1.0]) == lossfn.logistic([2.0], [1.0])
    True
    """
    return Formula(text, **settings)


# What each form of loss has beside the settings that all have, with the defaults.
_SETTINGS = {"reduction": "mean", "denominator": "weights", "nothing_valid": "error"}
_ROW_SETTINGS = {
    "pointwise": {},
    "class_axis": {"class_weights": None, "ignored_class": None, "class_axis": -1},
    "joint": {"component_axis": -1},
}
# How the extension module is given those of the form.
_ROW_ARGUMENTS = {
    "pointwise": "",
    "class_axis": ", class_weights, ignored_class, class_axis",
    "joint": ", None, None, component_axis",
}

_FUNCTION = """
def {id}(prediction, target{parameters}, *, weights=None, mask=None{settings}, out=None):
    return value_of(
        {index}, ({values}), prediction, target, weights, mask, out,
        reduction, denominator, nothing_valid{row_arguments},
    )
"""
_CLASS = """
class {name}(Loss):
    __slots__ = ()

    def __new__(cls{parameters}, *{settings}):
        return new(
            cls, {index}, ({values}), reduction, denominator, nothing_valid{row_arguments}
        )
"""

_classes: dict[str, type[Loss]] = {}
catalog = MappingProxyType(_classes)
"""The class of every loss by its id, in the order of the catalog."""

descriptions: dict[str, dict] = {}
"""What the catalog says about every loss, by its id."""

_aliases: dict[str, str] = {}


def class_name(id):
    """The class of a loss: ``huber`` is ``Huber``."""
    return "".join(word.capitalize() for word in id.split("_"))


def settings_of(form):
    """The settings of losses of a form, with their defaults."""
    return _SETTINGS | _ROW_SETTINGS[form]


def about(loss):
    """What the catalog says of a loss, or would say of a formula."""
    return descriptions.get(loss.id) or loss._about()


def made_of(loss):
    """The arguments that the class of a loss made it of, and the settings that are not the default."""
    _, arguments, settings = loss.__reduce__()[1]
    return arguments, settings


def changed(loss, **settings):
    """The same loss with other settings."""
    arguments, before = made_of(loss)
    return type(loss)(*arguments, **(before | settings))


def row_axis(loss):
    """The axis of the classes, or of the numbers predicted for one target; None for a pointwise loss."""
    for name in ("class_axis", "component_axis"):
        if name in settings_of(about(loss)["form"]):
            return loss.settings.get(name, -1)
    return None


def declare(namespace):
    """Puts the function and the class of every loss into a module; gives their names."""
    entries = _lossfn.catalog()
    source = "".join(_source(index, about) for index, about in enumerate(entries))
    made = {
        "Loss": Loss,
        "new": _lossfn.Loss.__new__,
        "value_of": _lossfn.value_of,
        "__name__": namespace["__name__"],
    }
    exec(compile(source, "<the catalog of lossfn>", "exec"), made)
    names = []
    for about in entries:
        function, cls = made[about["id"]], made[class_name(about["id"])]
        loss = cls()
        function.__doc__ = function_doc(about, loss)
        cls.__doc__ = class_doc(about, loss)
        names += [function.__name__, cls.__name__]
        _classes[about["id"]] = cls
        descriptions[about["id"]] = about
        _aliases.update(dict.fromkeys(about["aliases"], about["id"]))
    namespace.update((name, made[name]) for name in names)
    return names


def _source(index, about):
    parameters = {name: default for name, default, _, _ in about["parameters"]}
    parts = {
        "id": about["id"],
        "name": class_name(about["id"]),
        "index": index,
        "parameters": _written(parameters),
        "settings": _written(settings_of(about["form"])),
        "values": "".join(f"{name}, " for name in parameters),
        "row_arguments": _ROW_ARGUMENTS[about["form"]],
    }
    return (_FUNCTION + _CLASS).format_map(parts)


def _written(arguments):
    return "".join(f", {name}={default!r}" for name, default in arguments.items())


def loss(text, **settings):
    """The loss that text names, as in other front ends: an instance of its class.

    Raises ``ValueError`` if there is no such loss, and names the nearest.

    >>> import lossfn
    >>> lossfn.loss("huber(delta=1.5)", reduction="sum")
    lossfn.Huber(delta=1.5, reduction='sum')
    >>> lossfn.loss("pinball(0.9)")
    lossfn.Quantile(level=0.9)
    >>> lossfn.loss("formula: abs(p - y)")
    lossfn.Formula('abs(p - y)')
    """
    if not isinstance(text, str):
        raise TypeError(f"text must name a loss, such as 'huber(delta=1.5)', not a {type(text).__name__}")
    index, arguments = _lossfn.parse(text)
    kind = Formula if index is None else list(_classes.values())[index]
    return kind(*arguments, **settings)


def other_name(name):
    """What to say of a name that other libraries have for a loss."""
    if name not in _aliases:
        return ""
    id = _aliases[name]
    return f"; here that loss is lossfn.{id} and lossfn.{class_name(id)}"
