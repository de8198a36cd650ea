"""The docstrings of the losses, from what the catalog says about them."""

from functools import cache
from textwrap import indent

_WIDTH = 88

_PREDICTION_SHAPES = {
    "pointwise": "Any shape: each element is an example.",
    "class_axis": "Any shape with an axis of classes: the others are the examples.",
    "joint": "Any shape with an axis of the numbers that are predicted for one target.",
}
_TARGET_SHAPES = {
    "pointwise": "The shape of the prediction",
    "class_axis": "A label for each example, counted from 0, so without the axis of classes; or with the "
    "shape of the prediction for each class its weight in the target",
    "joint": "The shape of the prediction without the axis of predicted numbers",
}
_ARGUMENTS = {
    "weights": (
        "array, optional",
        "For each example a finite number, 0 or more, that its loss is multiplied by.",
    ),
    "mask": (
        "array, optional",
        "For each example whether it counts; those that do not may be anything, NaN too.",
    ),
    "reduction": (
        '{"mean", "sum", "none"}',
        "How losses become one number; with none they stay one by one.",
    ),
    "denominator": (
        '{"weights", "valid", "examples"} or float',
        "What the mean divides by: the sum of the weights of the examples that count, their number, the "
        "number of all, or a number.",
    ),
    "nothing_valid": (
        '{"error", "nan", "zero"}',
        "What the mean is when no example counts.",
    ),
    "class_weights": (
        "sequence of float, optional",
        "For each class a number that its part of a loss is multiplied by.",
    ),
    "ignored_class": ("int, optional", "Examples with this label do not count."),
    "class_axis": ("int", "The axis of the classes."),
    "component_axis": ("int", "The axis of the predicted numbers."),
    "out": ("array, optional", "Where losses are written; only without a reduction."),
}
_RAISES = {
    "ValueError": "Shapes that differ, as nothing is broadcast; labels and numbers outside the domain, with "
    "their position; a parameter outside its range; no example that counts.",
    "TypeError": "What is not an array of real numbers.",
}


def function_doc(about, loss):
    """The documentation of a loss's function."""
    returns = (
        "float, or array with the losses one by one if reduction is none: of the prediction's type if that "
        "is a floating-point type, else float64."
    )
    prediction, target, value = about["example"]
    example = f">>> round(lossfn.{about['id']}({prediction}, {target}), 6)\n{round(value, 6)!r}"
    arguments = {
        "prediction": ("array", _prediction(about)),
        "target": ("array", _target(about)),
        **_parameters(about),
        **_common(about, ["weights", "mask"], ["out"]),
    }
    return _assembled(about, loss, arguments, returns, example)


def class_doc(about, loss):
    """The documentation of a loss's class."""
    prediction, target, value = about["example"]
    name = type(loss).__name__
    example = (
        f">>> loss = lossfn.{name}()\n"
        f">>> value, gradient = loss.value_and_gradient({prediction}, {target})\n"
        f">>> round(value, 6)\n{round(value, 6)!r}"
    )
    arguments = {**_parameters(about), **_common(about, [], [])}
    return _assembled(about, loss, arguments, None, example)


def _common(about, before, after):
    from lossfn._catalog import settings_of

    return {name: _ARGUMENTS[name] for name in [*before, *settings_of(about["form"]), *after]}


def _parameters(about):
    return {
        name: (_kind(default, range), _sentence(meaning))
        for name, default, range, meaning in about["parameters"]
    }


def _kind(default, range):
    values = "" if isinstance(default, bool) else f" in {range}"
    return f"{type(default).__name__}{values}, default {default}"


def _target(about):
    domain, shape = about["target_domain"], _TARGET_SHAPES[about["form"]]
    if about["form"] == "class_axis":
        return f"{shape}: {domain}."
    return f"{_capital(domain)}. {shape}."


def _prediction(about):
    parts = [f"{name}: {meaning}: {domain}" for name, domain, meaning in about["components"]]
    domain = "; ".join(parts) or about["prediction_domain"]
    return f"{_sentence(about['prediction'], domain)} {_PREDICTION_SHAPES[about['form']]}"


def _capital(text):
    return text[:1].upper() + text[1:]


def _sentence(*parts):
    return _capital(": ".join(parts)).rstrip(".") + "."


@cache
def _paragraph(text):
    # textwrap would take most of the time of the import.
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


def _items(items):
    lines = []
    for name, (kind, text) in items.items():
        lines += [f"{name} : {kind}", indent(_paragraph(text), "    ")]
    return "\n".join(lines)


def _assembled(about, loss, arguments, returns, example):
    sections = [about["summary"], "\n".join(["::", "", indent(loss.formula, "    ")])]
    if about["link"]:
        sections.append(_paragraph(about["link"]))

    def section(title, text):
        sections.append(f"{title}\n{'-' * len(title)}\n{text}")

    section("Parameters", _items(arguments))
    if returns:
        section("Returns", _paragraph(returns))
        raises = [f"{name}\n{indent(_paragraph(text), '    ')}" for name, text in _RAISES.items()]
        section("Raises", "\n".join(raises))
    section("Notes", "\n\n".join(_paragraph(about[part]) for part in ("optimum", "limits", "peers")))
    section("References", _paragraph(about["reference"]))
    section("Examples", f">>> import lossfn\n{example}")
    return "\n\n".join(sections) + "\n"
