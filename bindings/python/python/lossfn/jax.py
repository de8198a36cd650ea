"""The losses as functions of JAX arrays.

Every loss of the catalog is a function here, with the arguments it has in `lossfn` itself. It can
be under `jax.jit`, `jax.grad`, `jax.value_and_grad`, `jax.vmap`, `jax.jvp` and `jax.hessian`,
within `jax.lax.scan`, and in any mix of these:

>>> import jax, jax.numpy as jnp, lossfn.jax
>>> prediction, target = jnp.array([2.5, 0.0, 7.0]), jnp.array([3.0, -0.5, 2.0])
>>> round(float(jax.jit(lossfn.jax.huber)(prediction, target)), 6)
1.583333
>>> jax.vmap(jax.grad(lossfn.jax.squared_error))(prediction, target)
Array([-1.,  1., 10.], dtype=float32)

- Predictions, targets, weights and masks may be traced. Parameters and settings are fixed when a
  function is compiled: `functools.partial`, or `static_argnames` of `jax.jit`.
- Results have the type of the prediction; a prediction of whole numbers counts as JAX's default
  floating-point type. Losses are computed and summed as everywhere in lossfn and rounded to it
  once.
- Derivatives are by the prediction: the gradient, and where `hessian_vector_product` of the loss
  has them, second derivatives. Whatever else is asked for is refused when it is traced:
  derivatives by the target, by weights, third ones.
- Shapes and element types are checked when a function is traced: ``ValueError``, ``TypeError``.
  Numbers are seen when it runs, and then a label outside the classes is a
  ``jax.errors.JaxRuntimeError`` with the message.
- The core computes on the processor, in one callback for value and gradient, on the memory that
  JAX hands over; arrays on another device are copied from and to it. What is under `jax.vmap` is
  one callback too, whatever the size of the batch.
"""

import inspect
import math
from dataclasses import dataclass, replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

import lossfn
from lossfn._catalog import about, changed, other_name, row_axis

_ROW_AXES = {"class_axis": "class_axis", "joint": "component_axis"}
_ARRAYS = ("prediction", "target", "weights", "mask")


def value_of(loss, prediction, target, *, weights=None, mask=None):
    """The cost by any `lossfn.Loss`, which the functions of this module make from their arguments.

    prediction, target, weights, mask: arrays with the shapes that ``loss.value`` takes.

    Gives a number, or with ``reduction="none"`` the losses one by one, of the prediction's type.
    Errors are those that the module describes.

    >>> import jax.numpy as jnp, lossfn.jax
    >>> loss = lossfn.Huber(reduction="none")
    >>> lossfn.jax.value_of(loss, jnp.array([2.5, 7.0]), jnp.array([3.0, 2.0]))
    Array([0.125, 4.5  ], dtype=float32)
    """
    prediction = jnp.asarray(prediction)
    if jnp.issubdtype(prediction.dtype, jnp.integer) or prediction.dtype == bool:
        prediction = prediction.astype(float)
    arrays = {"prediction": prediction, "target": jnp.asarray(target)}
    for name, one in (("weights", weights), ("mask", mask)):
        if one is not None:
            arrays[name] = jnp.asarray(one)
    _check(loss, **{name: (one.shape, one.dtype) for name, one in arrays.items()})
    call = _Call(loss, "value", prediction.shape, tuple(arrays))
    return _bind(call, arrays.values())[0]


def _row_axis(loss, axes):
    """The axis of classes or of predicted numbers, from the end; None for a pointwise loss."""
    axis = row_axis(loss)
    return axis - axes if axis is not None and axis >= 0 else axis


def _losses_shape(loss, shape):
    axis = _row_axis(loss, len(shape))
    if axis is None or axis < -len(shape):
        return shape
    return shape[:axis] + shape[len(shape) + axis + 1 :]


@lru_cache(maxsize=4096)
def _check(loss, **arrays):
    """Lets the core look at shapes and types, which it does before it sees that nothing counts."""
    arrays.setdefault("mask", (_losses_shape(loss, arrays["prediction"][0]), bool))
    zeros = {name: np.broadcast_to(np.zeros((), of), shape) for name, (shape, of) in arrays.items()}
    reduction = "sum" if loss.reduction == "none" else loss.reduction
    changed(loss, nothing_valid="zero", reduction=reduction).value(**zeros)


@lru_cache(maxsize=4096)
def _check_product(loss, shape, dtype):
    """Lets the core say so if a loss has no product with its second derivatives."""
    axis = _row_axis(loss, len(shape))
    row = [1 if axis is None or i != len(shape) + axis else size for i, size in enumerate(shape)]
    prediction = np.zeros(row, dtype)
    target = np.zeros(_losses_shape(loss, tuple(row)), dtype)
    nothing = np.zeros(target.shape, bool)
    checked = changed(loss, nothing_valid="zero")
    checked.hessian_vector_product(prediction, target, prediction, mask=nothing)


@dataclass(frozen=True)
class _Call:
    """A method of a loss as a function of arrays. Those that are equal are compiled once."""

    loss: lossfn.Loss
    method: str
    shape: tuple[int, ...]
    """That of the prediction. Arrays may have more axes before theirs: a batch of `jax.vmap`, where
    those that are the same for all of it have the size 1."""
    given: tuple[str, ...]
    """What the arrays are."""

    @property
    def results(self):
        """The shapes of the results."""
        value = _losses_shape(self.loss, self.shape) if self.loss.reduction == "none" else ()
        shapes = {"value": (value,), "value_and_gradient": (value, self.shape)}
        return shapes.get(self.method, (self.shape,))

    def batch(self, arrays):
        """The shape of the batch."""
        depth = arrays[0].ndim - len(self.shape)
        return np.broadcast_shapes(*(one.shape[:depth] for one in arrays))

    def __call__(self, *arrays):
        arrays = [np.asarray(one) for one in arrays]
        batch = self.batch(arrays)
        arrays = [np.broadcast_to(one, batch + one.shape[len(batch) :]) for one in arrays]
        if not batch:
            return self._computed(self.loss, arrays)
        if self._is_one_by_one():
            return self._computed(self._one_by_one(), arrays, batch)
        results = [np.empty(batch + shape, arrays[0].dtype) for shape in self.results]
        for place in np.ndindex(batch):
            each = self._computed(self.loss, [one[(*place, ...)] for one in arrays])
            for result, of_place in zip(results, each, strict=True):
                result[place] = of_place
        return results

    def _computed(self, loss, arrays, batch=()):
        results = getattr(loss, self.method)(**dict(zip(self.given, arrays, strict=True)))
        results = results if isinstance(results, tuple) else (results,)
        return [
            np.asarray(one, arrays[0].dtype).reshape(batch + shape)
            for one, shape in zip(results, self.results, strict=True)
        ]

    def _is_one_by_one(self):
        """Whether the costs of a batch are its losses, which come with one call."""
        if self.loss.reduction == "none":
            return True
        plain = self.loss.settings.keys() <= {"reduction", "class_axis", "component_axis"}
        one = math.prod(_losses_shape(self.loss, self.shape)) == 1
        return one and plain and not {"weights", "mask"} & {*self.given}

    def _one_by_one(self):
        settings = {"reduction": "none"}
        if name := _ROW_AXES.get(about(self.loss)["form"]):
            settings[name] = _row_axis(self.loss, len(self.shape))
        return changed(self.loss, **settings)


# What JAX is told of calls. A primitive keeps its derivatives under any nesting of transformations,
# which jax.custom_jvp does not: JAX forgets them where it differentiates a scan a second time.
_primitive = Primitive("lossfn")
_primitive.multiple_results = True


def _bind(call, arrays, method=None):
    return _primitive.bind(*arrays, call=replace(call, method=method or call.method))


def _run(*arrays, call):
    batch = call.batch(arrays)
    dtype = arrays[0].dtype
    results = [jax.ShapeDtypeStruct(batch + shape, dtype) for shape in call.results]
    return jax.pure_callback(call, results, *arrays)


def _abstract(*arrays, call):
    batch = call.batch(arrays)
    return [jax.core.ShapedArray(batch + shape, arrays[0].dtype) for shape in call.results]


def _batched(arrays, axes, *, call):
    pairs = list(zip(arrays, axes, strict=True))
    size = next(one.shape[axis] for one, axis in pairs if axis is not None)
    arrays = [one[None] if axis is None else jnp.moveaxis(one, axis, 0) for one, axis in pairs]
    if call.given[-1] == "vector":
        # It is transposed, so it has the shape of the result.
        arrays[-1] = jnp.broadcast_to(arrays[-1], (size, *arrays[-1].shape[1:]))
    results = _bind(call, arrays)
    return results, [0] * len(results)


def _forward(arrays, tangents, *, call):
    loss = call.loss
    tangents = dict(zip(call.given, tangents, strict=True))
    changing = {name: one for name, one in tangents.items() if not isinstance(one, ad.Zero)}
    for name in changing.keys() & {"target", "weights"}:
        instead = "jax.lax.stop_gradient(target)"
        if name == "weights":
            instead = "reduction='none' and multiply the losses, or jax.lax.stop_gradient(weights)"
        raise TypeError(
            f"{loss.id} has derivatives by the prediction, not by {name}: take {instead}"
        )
    if call.given[-1] == "vector":
        if "prediction" in changing:
            raise TypeError("losses have first and second derivatives, not third ones")
        return _bind(call, arrays), _bind(call, [*arrays[:-1], changing["vector"]])
    value, gradient = _bind(call, arrays, "value_and_gradient")
    tangent = jnp.broadcast_to(changing["prediction"], gradient.shape)
    change = gradient * tangent
    axis = tuple(range(-len(call.shape), 0))
    if loss.reduction == "none":
        axis = _row_axis(loss, len(call.shape))
    change = change if axis is None else change.sum(axis)
    if call.method == "value":
        return [value], [change]
    _check_product(loss, call.shape, gradient.dtype)
    with_vector = replace(call, given=(*call.given, "vector"))
    product = _bind(with_vector, [*arrays, tangent], "hessian_vector_product")
    return [value, gradient], [change, *product]


def _transposed(cotangents, *arrays, call):
    """The matrix of second derivatives is symmetric."""
    return [None] * (len(arrays) - 1) + _bind(call, [*arrays[:-1], *cotangents])


_primitive.def_impl(jax.jit(_run, static_argnames="call"))
_primitive.def_abstract_eval(_abstract)
mlir.register_lowering(_primitive, mlir.lower_fun(_run, multiple_results=True))
batching.primitive_batchers[_primitive] = _batched
ad.primitive_jvps[_primitive] = _forward
ad.primitive_transposes[_primitive] = _transposed


def _function(id, cls):
    """The function of a loss: that of `lossfn`, without the buffer for results."""
    plain = inspect.signature(getattr(lossfn, id))
    parameters = [one for one in plain.parameters.values() if one.name != "out"]
    signature = plain.replace(parameters=parameters)

    def function(*arguments, **named):
        try:
            given = signature.bind(*arguments, **named).arguments
        except TypeError as error:
            raise TypeError(f"{id}: {error}") from None
        arrays = {name: given.pop(name, None) for name in _ARRAYS}
        for name, fixed in given.items():
            if isinstance(fixed, jax.core.Tracer):
                raise TypeError(
                    f"{name} is traced: what a loss is made of is fixed when a function is "
                    f"compiled, so give a number, or name it in static_argnames of jax.jit"
                )
        return value_of(cls(**given), **arrays)

    function.__name__ = function.__qualname__ = id
    function.__module__ = __name__
    function.__signature__ = signature
    summary = cls.__doc__.partition("\n\nParameters\n")[0]
    function.__doc__ = (
        f"{summary}\n\nArguments are those of `lossfn.{id}`: prediction, target, weights and mask "
        f"are JAX arrays, the\nrest is fixed. The documentation of `lossfn.jax` says what it gives "
        f"and raises."
    )
    return function


globals().update({id: _function(id, cls) for id, cls in lossfn.catalog.items()})
__all__ = [*lossfn.catalog, "value_of"]


def __getattr__(name):
    raise AttributeError(f"lossfn.jax has no {name!r}{other_name(name)}")


def __dir__():
    return sorted(__all__)
