"""The type stubs of the package, from the catalog.

``python -m lossfn._stubs`` writes ``__init__.pyi`` beside this file, with ``--check`` it fails if that is not
what it would write.
"""

import sys
from pathlib import Path

from lossfn import _lossfn
from lossfn._catalog import class_name, settings_of

_HEADER = '''\
# Written by `python -m lossfn._stubs` from the catalog; do not edit.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, final, overload

from numpy.typing import ArrayLike, NDArray

class _SupportsDLPack(Protocol):
    def __dlpack__(self) -> object: ...

_Array: TypeAlias = ArrayLike | _SupportsDLPack
_Denominator: TypeAlias = Literal["weights", "valid", "examples"] | float
_NothingValid: TypeAlias = Literal["error", "nan", "zero"]
_Reduction: TypeAlias = Literal["mean", "sum", "none"]
_Language: TypeAlias = Literal[
    "text", "latex", "sql", "c", "cuda", "wgsl", "numpy", "torch", "jax", "triton"
]
_Domain: TypeAlias = Literal["(-inf, inf)", "[0, inf)", "(0, inf)", "[0, 1]", "(0, 1)", "{{-1, 1}}"]

class Fact(NamedTuple):
    name: str
    title: str
    answer: str
    number: float | None
    detail: str
    how: str
    text: str
    @property
    def holds(self) -> bool | None: ...

class Card(Mapping[str, Fact]):
    def __init__(self, loss: str, facts: Sequence[Fact]) -> None: ...
    def __getitem__(self, name: str) -> Fact: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...

class _Latex(str): ...

class Loss:
{methods}
    @property
    def id(self) -> str: ...
    @property
    def parameters(self) -> dict[str, float | int | bool]: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def reduction(self) -> _Reduction: ...
    @property
    def formula(self) -> str: ...
    @property
    def gradient_formula(self) -> str: ...
    @property
    def second_formula(self) -> str: ...
    @property
    def latex(self) -> _Latex: ...
    def emit(self, language: _Language) -> str: ...
    @property
    def curvature_meaning(self) -> str: ...
    @property
    def card(self) -> Card: ...
    def describe(self) -> str: ...

@final
class Cost:
    def __new__(cls, loss: Loss, state: str | None = None) -> Cost: ...
    @staticmethod
    def by_group(
        loss: Loss,
        prediction: _Array,
        target: _Array,
        groups: _Array,
        count: int,
        weights: _Array | None = None,
        *,
        mask: _Array | None = None,
    ) -> list[Cost]: ...
    def update(
        self,
        prediction: _Array,
        target: _Array,
        weights: _Array | None = None,
        *,
        mask: _Array | None = None,
    ) -> None: ...
    def merge(self, other: Cost) -> None: ...
    def value(self) -> float: ...
    @property
    def loss(self) -> Loss: ...
    @property
    def sum(self) -> float: ...
    @property
    def weights(self) -> float: ...
    @property
    def valid(self) -> int: ...
    @property
    def examples(self) -> int: ...
    @property
    def state_text(self) -> str: ...

@final
class LinearCost:
    def __new__(cls, loss: Loss) -> LinearCost: ...
    def value(self, {linear}, out: NDArray[Any] | None = None) -> Any: ...
    def __call__(self, {linear}, out: NDArray[Any] | None = None) -> Any: ...
    def value_and_gradients(self, {linear}, out: tuple[Any, ...] | None = None) -> tuple[Any, ...]: ...
    @property
    def loss(self) -> Loss: ...

def linear_cross_entropy(
    {linear}, out: NDArray[Any] | None = None, **settings: Any
) -> Any: ...

class Formula(Loss):
    def __new__(
        cls,
        text: str,
        /,
        *,
        reduction: _Reduction = "mean",
        denominator: _Denominator = "weights",
        nothing_valid: _NothingValid = "error",
        **parameters: float,
    ) -> Formula: ...

catalog: Mapping[str, type[Loss]]

class Evidence(NamedTuple):
    prediction: list[float]
    target: list[float]
    quantity: str
    precision: str
    found: float
    truth: str | None

class Finding(NamedTuple):
    kind: str
    severity: Literal["error", "warning", "note"]
    message: str
    evidence: list[Evidence]
    witness: str | None
    advice: str | None
    proposal: str | None
    text: str

class Report:
    def __init__(
        self, text: str, summary: str, is_sound: bool, findings: Sequence[Sequence[Any]]
    ) -> None: ...
    summary: str
    is_sound: bool
    findings: list[Finding]
    def of_kind(self, kind: str) -> list[Finding]: ...

def check(
    loss: Loss | str | Callable[[float, float], float],
    *,
    gradient: Callable[[float, float], float] | None = None,
    prediction: _Domain = "(-inf, inf)",
    target: _Domain = "(-inf, inf)",
) -> Report: ...
def formula(text: str, /, **settings: Any) -> Formula: ...
def loss(text: str, **settings: Any) -> Loss: ...
'''

_EXAMPLES = "weights: _Array | None = None, mask: _Array | None = None, out: {out} = None"
_LINEAR = (
    "hidden: _Array, classifier: _Array, target: _Array, bias: _Array | None = None, *, "
    "weights: _Array | None = None, mask: _Array | None = None"
)
_METHODS = {
    "value": ("", "NDArray[Any]", "Any"),
    "__call__": ("", "NDArray[Any]", "Any"),
    "gradient": ("", "NDArray[Any]", "Any"),
    "second": ("", "NDArray[Any]", "Any"),
    "curvature": ("", "NDArray[Any]", "Any"),
    "value_and_gradient": ("", "NDArray[Any]", "tuple[Any, Any]"),
    "value_gradient_and_second": ("", "tuple[Any, Any]", "tuple[Any, Any, Any]"),
    "value_gradient_and_curvature": ("", "tuple[Any, Any]", "tuple[Any, Any, Any]"),
    "hessian_vector_product": ("vector: _Array, ", "NDArray[Any]", "Any"),
}

_SETTING_TYPES = {
    "reduction": "_Reduction",
    "denominator": "_Denominator",
    "nothing_valid": "_NothingValid",
    "class_weights": "Sequence[float] | None",
    "ignored_class": "int | None",
    "class_axis": "int",
    "component_axis": "int",
}


def _methods():
    for name, (also, out, returned) in _METHODS.items():
        examples = _EXAMPLES.format(out=f"{out} | None")
        yield f"    def {name}(self, prediction: _Array, target: _Array, {also}*, {examples}) -> {returned}: ..."


def _arguments(types, defaults, **other_types):
    return [f"{name}: {(types | other_types)[name]} = {default!r}" for name, default in defaults.items()]


def _loss_stubs(about):
    parameters = {name: default for name, default, _, _ in about["parameters"]}
    types = {name: type(default).__name__ for name, default in parameters.items()}
    settings = settings_of(about["form"])
    first = ["prediction: _Array", "target: _Array", *_arguments(types, parameters), "*"]
    examples = ["weights: _Array | None = None", "mask: _Array | None = None"]
    # One signature for a number, one for the losses one by one.
    for reduction, returned in (('Literal["mean", "sum"]', "float"), ('Literal["none"]', "NDArray[Any]")):
        typed = _arguments(_SETTING_TYPES, settings, reduction=reduction)
        if returned != "float":
            typed[0] = f"reduction: {reduction}"
        out = "out: None = None" if returned == "float" else "out: NDArray[Any] | None = None"
        arguments = ", ".join([*first, *examples, *typed, out])
        yield f"@overload\ndef {about['id']}({arguments}) -> {returned}: ..."
    arguments = ", ".join(
        ["cls", *_arguments(types, parameters), "*", *_arguments(_SETTING_TYPES, settings)]
    )
    name = class_name(about["id"])
    yield f"class {name}(Loss):\n    def __new__({arguments}) -> {name}: ..."


def stubs():
    """The text of ``__init__.pyi``."""
    parts = [_HEADER.replace("{methods}", "\n".join(_methods())).replace("{linear}", _LINEAR)]
    for about in _lossfn.catalog():
        parts += _loss_stubs(about)
    return "\n".join(parts) + "\n"


def main(arguments):
    """Writes or checks the stubs."""
    path = Path(__file__).with_name("__init__.pyi")
    if arguments == ["--check"]:
        if not path.exists() or path.read_text() != stubs():
            sys.exit(f"{path.name} is not what the catalog says: run python -m lossfn._stubs")
    elif arguments:
        sys.exit("usage: python -m lossfn._stubs [--check]")
    else:
        path.write_text(stubs())


if __name__ == "__main__":
    main(sys.argv[1:])
