"""The losses for PyTorch: modules and functions of tensors, differentiable by the prediction.

>>> import torch, lossfn.torch
>>> prediction = torch.tensor([2.5, 0.0, 7.0], requires_grad=True)
>>> loss = lossfn.torch.Huber(delta=1.0)
>>> loss(prediction, torch.tensor([3.0, -0.5, 2.0])).backward()
>>> prediction.grad
tensor([-0.1667,  0.1667,  0.3333])

Two sets of names, which never mean different things:

- Every loss of `lossfn` by its own name and with its own arguments: `Huber` is an `nn.Module`,
  `huber` a function. The cost is that of `lossfn.huber`.
- Those that PyTorch has too, by PyTorch's name, arguments, defaults and conventions: `HuberLoss` is
  a `torch.nn.HuberLoss`, `huber_loss` has the arguments of `torch.nn.functional.huber_loss`, and
  classes are along axis 1. `binary_cross_entropy` and `binary_cross_entropy_with_logits`, which
  both libraries have, are PyTorch's. Two things are not taken over: nothing but weights is
  broadcast, and infinite losses are not cut off.

Tensors are strided and on the CPU; they are shared, not copied. Value and gradient are computed in
one pass, in forward, if the prediction requires a gradient. There are no gradients by target and
weights. There are second derivatives where `lossfn` has `hessian_vector_product`, by `torch.func`
and in forward mode too, but for forward mode of itself, where PyTorch gives 0 for all functions
that are not its own. Under `torch.compile` the losses run as they do without it.
"""

import functools
import inspect
import math

import numpy as np
import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import lossfn
from lossfn._catalog import made_of, other_name, row_axis

_PREDICTIONS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_OTHERS = {*_PREDICTIONS, torch.bool, torch.int8, torch.int16, torch.int32, torch.int64}
_OTHERS |= {torch.uint8, torch.uint16, torch.uint32, torch.uint64}


class bfloat16(np.void):
    """What NumPy lacks; the extension module knows elements of two bytes by this name."""


_BFLOAT16 = np.dtype((bfloat16, "V2"))


# Tensors and arrays.


def _check(name, tensor, dtypes):
    if not isinstance(tensor, torch.Tensor):
        kind = f"{type(tensor).__module__}.{type(tensor).__qualname__}"
        raise TypeError(
            f"{name} is a {kind.removeprefix('builtins.')}: it must be a tensor; "
            f"torch.as_tensor({name}) makes one, of a NumPy array without a copy; for arrays there "
            "are the functions of lossfn itself"
        )
    if tensor.device.type != "cpu":
        raise ValueError(
            f"{name} is on the device {tensor.device}: lossfn computes on the CPU; give "
            f"{name}.cpu(), which gradients pass through"
        )
    if tensor.layout != torch.strided:
        raise ValueError(f"{name} has the layout {tensor.layout}: give {name}.to_dense()")
    if tensor.dtype not in dtypes:
        other = ", an integer type or bool" if dtypes is _OTHERS else ""
        raise TypeError(
            f"{name} has elements of type {tensor.dtype}: it must be float16, bfloat16, float32, "
            f"float64{other}; convert it, for instance with {name}.float()"
        )
    if dtypes is _OTHERS and tensor.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            f"{name} requires a gradient, but only that by the prediction is computed: give "
            f"{name}.detach()"
        )


def _array(tensor):
    """The memory of a tensor as an array."""
    if tensor is None:
        return None
    if tensor.dtype == torch.bfloat16:
        return tensor.detach().view(torch.int16).numpy().view(_BFLOAT16)
    return tensor.numpy(force=True)


# Automatic differentiation. Examples are prediction, target, weights and mask.


def _call(method, examples, *vector, **out):
    prediction, target, weights, mask = map(_array, examples)
    return method(prediction, target, *vector, weights=weights, mask=mask, **out)


class _PerExample(Function):
    """A function that `torch.vmap` calls for one example after the other."""

    @classmethod
    def vmap(cls, info, in_dims, *inputs):
        def one(at):
            pairs = zip(inputs, in_dims, strict=True)
            return cls.apply(*(x if dim is None else x.select(dim, at) for x, dim in pairs))

        columns = zip(*(one(at) for at in range(info.batch_size)), strict=True)
        outputs = tuple(None if column[0] is None else torch.stack(column) for column in columns)
        return outputs, tuple(None if output is None else 0 for output in outputs)


class _Value(_PerExample):
    """The value of a loss, and its gradient if that is going to be needed."""

    @staticmethod
    def forward(loss, with_gradient, *examples):
        prediction = examples[0]
        gradient = torch.empty_like(prediction) if with_gradient else None
        if loss.reduction == "none" and prediction.dtype == torch.bfloat16:
            # Two passes, since the extension module cannot make arrays of what NumPy lacks.
            axis = row_axis(loss)
            value = torch.empty_like(prediction if axis is None else prediction.select(axis, 0))
            _call(loss.value, examples, out=_array(value))
            if with_gradient:
                _call(loss.gradient, examples, out=_array(gradient))
        elif with_gradient:
            value, _ = _call(loss.value_and_gradient, examples, out=_array(gradient))
        else:
            value = _call(loss.value, examples)
        return torch.as_tensor(value, dtype=prediction.dtype), gradient

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.loss, _, *examples = inputs
        _, gradient = output
        if gradient is not None:
            ctx.mark_non_differentiable(gradient)
        # Then what has no tangent is None.
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*examples, gradient)
        ctx.save_for_forward(*examples, gradient)

    @staticmethod
    def gradient_of(ctx):
        *examples, gradient = ctx.saved_tensors
        if gradient is not None and not torch.is_grad_enabled():
            return gradient
        return _Gradient.apply(ctx.loss, gradient, *examples)[0]

    @staticmethod
    def backward(ctx, slope, _):
        if slope is None:
            return (None,) * 6
        # Each loss by itself has a slope, for all elements of its row.
        axis = row_axis(ctx.loss) if ctx.loss.reduction == "none" else None
        slope = slope if axis is None else slope.unsqueeze(axis)
        return None, None, slope * _Value.gradient_of(ctx), None, None, None

    @staticmethod
    def jvp(ctx, loss, with_gradient, tangent, *others):
        if any(other is not None for other in others):
            raise ValueError("derivatives are computed by the prediction, not by target or weights")
        steps = _Value.gradient_of(ctx) * tangent
        if ctx.loss.reduction != "none":
            return steps.sum(), None
        axis = row_axis(ctx.loss)
        return steps if axis is None else steps.sum(axis), None


class _Gradient(_PerExample):
    """The gradient, which may be there already, as a function of the prediction."""

    @staticmethod
    def forward(loss, gradient, *examples):
        if gradient is None:
            gradient = torch.empty_like(examples[0])
            _call(loss.gradient, examples, out=_array(gradient))
        return (gradient.detach(),)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.loss, _, *examples = inputs
        ctx.save_for_backward(*examples)
        ctx.save_for_forward(*examples)

    @staticmethod
    def backward(ctx, slope):
        return None, None, *_Product.apply(ctx.loss, slope, *ctx.saved_tensors), None, None, None

    @staticmethod
    def jvp(ctx, loss, gradient, tangent, *others):
        return _Product.apply(ctx.loss, tangent, *ctx.saved_tensors)


class _Product(_PerExample):
    """The matrix of second derivatives, which is symmetric, times a vector."""

    @staticmethod
    def forward(loss, vector, *examples):
        product = torch.empty_like(examples[0])
        _call(loss.hessian_vector_product, examples, _array(vector), out=_array(product))
        return (product,)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.loss, _, *examples = inputs
        ctx.save_for_backward(*examples)

    @staticmethod
    def backward(ctx, slope):
        if ctx.needs_input_grad[2]:
            raise NotImplementedError(f"third derivatives of {ctx.loss.id} are not computed")
        return None, *_Product.apply(ctx.loss, slope, *ctx.saved_tensors), None, None, None, None


def value_of(loss, prediction, target, *, weights=None, mask=None):
    """The value of any `lossfn.Loss` of tensors, differentiable by the prediction.

    Shapes and errors are those of `lossfn.Loss.value`, and the result has the prediction's type.
    Moreover raises ``TypeError`` for what is no tensor of real numbers, ``ValueError`` for tensors
    that are not on the CPU, and for a target or weights that require a gradient.
    """
    _check("prediction", prediction, _PREDICTIONS)
    for name, tensor in (("target", target), ("weights", weights), ("mask", mask)):
        if tensor is not None or name == "target":
            _check(name, tensor, _OTHERS)
    with_gradient = torch.is_grad_enabled() and prediction.requires_grad
    call = _Value.apply
    if torch.compiler.is_compiling():
        # Not by a decorator, which would import the compiler.
        call = torch.compiler.disable(call)
    return call(loss, with_gradient, prediction, target, weights, mask)[0]


class _Linear(Function):
    """A linear layer with its cost, and its gradients if they are going to be needed."""

    @staticmethod
    def forward(ctx, cost, with_gradients, hidden, classifier, bias, target, weights, mask):
        arrays = map(_array, (hidden, classifier, target, bias))
        examples = {"weights": _array(weights), "mask": _array(mask)}
        if with_gradients:
            parts = (one for one in (hidden, classifier, bias) if one is not None)
            gradients = tuple(torch.empty_like(one) for one in parts)
            out = tuple(map(_array, gradients))
            value = cost.value_and_gradients(*arrays, **examples, out=out)[0]
            ctx.save_for_backward(*gradients)
        elif cost.loss.reduction == "none":
            value = hidden.new_empty(hidden.shape[:1])
            cost.value(*arrays, **examples, out=_array(value))
        else:
            value = cost.value(*arrays, **examples)
        return torch.as_tensor(value, dtype=hidden.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope):
        # They are large, and most often the slope is 1.
        gradients = [one if slope == 1 else slope * one for one in ctx.saved_tensors]
        gradients += [None] * (3 - len(gradients))
        return None, None, *gradients, None, None, None


class LinearCost(nn.Module):
    """A linear layer and the cost of its scores, which are never in memory all at once: see `lossfn.LinearCost`.

    A module that is called with tensors on the CPU: hidden states, classifier, target, and perhaps bias; by
    name weights and mask. The result has the type of the hidden states and is differentiable, once, by them,
    classifier and bias; without reduction it is not.

    >>> import torch, lossfn, lossfn.torch
    >>> hidden, classifier = torch.ones(2, 3), torch.zeros(4, 3, requires_grad=True)
    >>> cost = lossfn.torch.LinearCost(lossfn.SoftmaxCrossEntropy())
    >>> cost(hidden, classifier, torch.tensor([0, 1])).backward()
    >>> classifier.grad[:, 0]
    tensor([-0.2500, -0.2500,  0.2500,  0.2500])
    """

    def __init__(self, loss):
        super().__init__()
        self.cost = lossfn.LinearCost(loss)

    def forward(self, hidden, classifier, target, bias=None, *, weights=None, mask=None):
        """The cost, or with ``reduction="none"`` the losses."""
        parts = {"hidden": hidden, "classifier": classifier, "bias": bias}
        for name, tensor in parts.items():
            if tensor is not None or name != "bias":
                _check(name, tensor, _PREDICTIONS)
        for name, tensor in (("target", target), ("weights", weights), ("mask", mask)):
            if tensor is not None or name == "target":
                _check(name, tensor, _OTHERS)
        needed = any(one is not None and one.requires_grad for one in parts.values())
        with_gradients = torch.is_grad_enabled() and needed
        if with_gradients and self.cost.loss.reduction == "none":
            raise ValueError(
                "without reduction there are no gradients of a linear layer with its cost: take another "
                "reduction, and weights for what the losses are multiplied by"
            )
        call = _Linear.apply
        if torch.compiler.is_compiling():
            call = torch.compiler.disable(call)
        return call(self.cost, with_gradients, hidden, classifier, bias, target, weights, mask)

    def extra_repr(self):
        return repr(self.cost.loss)


# The losses of the catalog.


class Module(nn.Module):
    """A loss as a module, whose `loss` is the `lossfn.Loss`: the base of the modules of losses."""

    kind = lossfn.Loss

    def __init__(self, *parameters, **settings):
        super().__init__()
        self.loss = self.kind(*parameters, **settings)

    def forward(self, prediction, target, *, weights=None, mask=None):
        """The cost, or with ``reduction="none"`` the losses; see `value_of`."""
        return value_of(self.loss, prediction, target, weights=weights, mask=mask)

    def extra_repr(self):
        return repr(self.loss).partition("(")[2].removesuffix(")")


def loss(text, **settings):
    """The loss that text names, as a module.

    >>> import lossfn.torch
    >>> lossfn.torch.loss("huber(delta=1.5)", reduction="sum")
    Huber(delta=1.5, reduction='sum')
    """
    named = lossfn.loss(text, **settings)
    arguments, settings = made_of(named)
    return globals()[type(named).__name__](*arguments, **settings)


def _declare():
    """Puts the function and the module of every loss into this module; gives their names."""
    names = []
    for id, kind in lossfn.catalog.items():
        function, module = _function(id, kind), _module(kind)
        for made in (function, module):
            globals()[made.__name__] = made
            names.append(made.__name__)
    globals()["Formula"] = _module(lossfn.Formula)
    return [*names, "Formula"]


def _function(id, kind):
    def function(prediction, target, *parameters, weights=None, mask=None, **settings):
        loss = kind(*parameters, **settings)
        return value_of(loss, prediction, target, weights=weights, mask=mask)

    of_arrays = inspect.signature(getattr(lossfn, id))
    arguments = [one for name, one in of_arrays.parameters.items() if name != "out"]
    function.__signature__ = of_arrays.replace(parameters=arguments)
    function.__name__ = function.__qualname__ = id
    function.__doc__ = (
        f"{_summary(kind)}\n\nAs `lossfn.{id}`, of tensors on the CPU. The result is a tensor of "
        "the prediction's type,\ndifferentiable by the prediction."
    )
    return function


def _module(kind):
    about = {
        "kind": kind,
        "__module__": __name__,
        "__signature__": inspect.signature(kind),
        "__doc__": f"{_summary(kind)}\n\nA module with the arguments of `lossfn.{kind.__name__}`. "
        "It is called with tensors on the CPU:\nprediction, target, and by name weights and mask.",
    }
    return type(kind.__name__, (Module,), about)


def _summary(kind):
    return kind.__doc__.partition("\n")[0]


__all__ = ["LinearCost", "Module", "loss", "value_of", *_declare()]


# The losses of PyTorch, with its arguments and conventions.


_peers = {}


def _peer(module):
    """Declares a function of `torch.nn.functional`, and its module, whose arguments, buffers and
    representation are inherited."""

    def declare(function):
        @functools.wraps(function)
        def checked(input, target, *others, **settings):
            _check("input", input, _PREDICTIONS)
            _check("target", target, _OTHERS)
            return function(input, target, *others, **settings)

        base = getattr(nn, module)
        kept = {*inspect.signature(base).parameters} & {*inspect.signature(function).parameters}

        def forward(self, input, target, *others):
            """As the function."""
            return checked(input, target, *others, **{name: getattr(self, name) for name in kept})

        doc = f"`{function.__name__}` as a `torch.nn.{module}`."
        about = {"forward": forward, "__module__": __name__, "__doc__": doc}
        _peers[module] = type(module, (base,), about)
        _peers[function.__name__] = checked
        return checked

    return declare


def _cost(kind, input, target, reduction, *parameters, weight=None, **settings):
    # PyTorch's mean of nothing is NaN.
    loss = kind(*parameters, reduction=reduction, **{"nothing_valid": "nan"} | settings)
    return value_of(loss, input, target, weights=weight)


def _repeated(name, weight, like, dtypes=_OTHERS):
    """A weight that PyTorch repeats to a shape."""
    if weight is None:
        return None
    _check(name, weight, dtypes)
    try:
        return weight.expand(like.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} has shape {tuple(weight.shape)}, which cannot be repeated to "
            f"{tuple(like.shape)}, the shape of input"
        ) from None


def _of_classes(weight, input):
    """The settings of a loss over PyTorch's class axis."""
    settings = {"class_axis": 1 if input.dim() > 1 else -1}
    if weight is not None:
        _check("weight", weight, _OTHERS)
        settings["class_weights"] = weight.double().numpy(force=True)
    return settings


def _shaped(target, shape):
    """Refuses what would otherwise be the other kind of target."""
    if target.shape != shape:
        raise ValueError(f"target has shape {tuple(target.shape)}: it must be {tuple(shape)}")


@_peer("MSELoss")
def mse_loss(input, target, reduction="mean", weight=None):
    """The squared error, as `torch.nn.functional.mse_loss`; weights have the shape of the input."""
    return _cost(lossfn.SquaredError, input, target, reduction, weight=weight)


@_peer("L1Loss")
def l1_loss(input, target, reduction="mean", weight=None):
    """The absolute error, as `torch.nn.functional.l1_loss`; weights have the shape of the input."""
    return _cost(lossfn.AbsoluteError, input, target, reduction, weight=weight)


@_peer("HuberLoss")
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Huber's loss, as `torch.nn.functional.huber_loss`; weights have the shape of the input.

    Unlike that of `mse_loss` and `l1_loss` the mean divides by the number of examples.
    """
    settings = {"weight": weight, "denominator": "examples"}
    return _cost(lossfn.Huber, input, target, reduction, delta, **settings)


@_peer("SmoothL1Loss")
def smooth_l1_loss(input, target, reduction="mean", beta=1.0):
    """Huber's loss divided by beta, as `torch.nn.functional.smooth_l1_loss`."""
    return _cost(lossfn.SmoothL1, input, target, reduction, beta)


@_peer("SoftMarginLoss")
def soft_margin_loss(input, target, reduction="mean"):
    """The logistic loss of targets -1 and +1, as `torch.nn.functional.soft_margin_loss`."""
    return _cost(lossfn.Logistic, input, target, reduction)


@_peer("HingeEmbeddingLoss")
def hinge_embedding_loss(input, target, margin=1.0, reduction="mean"):
    """As `torch.nn.functional.hinge_embedding_loss`, of distances, which are 0 or more."""
    return _cost(lossfn.HingeEmbedding, input, target, reduction, margin)


@_peer("BCELoss")
def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """As `torch.nn.functional.binary_cross_entropy`; the weight is repeated to the input's shape.

    PyTorch cuts the loss of an impossible target off at 100; here it is infinite.
    """
    weight = _repeated("weight", weight, input)
    kind = lossfn.BinaryCrossEntropy
    return _cost(kind, input, target, reduction, weight=weight, denominator="examples")


@_peer("BCEWithLogitsLoss")
def binary_cross_entropy_with_logits(
    input, target, weight=None, reduction="mean", pos_weight=None
):
    """As `torch.nn.functional.binary_cross_entropy_with_logits`.

    weight and pos_weight are repeated to the shape of the input.
    """
    weight = _repeated("weight", weight, input)
    repeated = _repeated("pos_weight", pos_weight, input)
    parameter = 1.0
    if repeated is not None and pos_weight.numel() == 1 and pos_weight.item() > 0:
        parameter = pos_weight.item()
    elif repeated is not None:
        # A weight of the positive part alone is one of the whole, and another target.
        target = target.to(torch.promote_types(input.dtype, torch.float32))
        positive = repeated * target
        total = positive + (1 - target)
        target = torch.where(total > 0, positive / total, 0)
        weight = total if weight is None else weight * total
    kind = lossfn.BinaryCrossEntropyWithLogits
    return _cost(kind, input, target, reduction, parameter, weight=weight, denominator="examples")


def _labelled(kind, input, target, weight, ignore_index, reduction, **parameters):
    """The cost of labels, of which some may be ignored."""
    settings = parameters | _of_classes(weight, input) | {"ignored_class": ignore_index}
    if reduction != "mean":
        return _cost(kind, input, target, reduction, **settings)
    value = _cost(kind, input, target, reduction, nothing_valid="zero", **settings)
    # Where every label is ignored PyTorch's mean is NaN, but its gradient 0.
    ignored = target == ignore_index
    if weight is not None:
        ignored |= (weight == 0)[target.clamp(0, len(weight) - 1).long()]
    return torch.where(ignored.all(), torch.nan, value)


@_peer("CrossEntropyLoss")
def cross_entropy(
    input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    """The cross-entropy of softmax(input), as `torch.nn.functional.cross_entropy`.

    input: (C,), (N, C) or (N, C, d1, ...). target: labels, without the axis of the C classes, or
    with it a distribution. weight: (C,).
    """
    kind, parameters = lossfn.SoftmaxCrossEntropy, {"label_smoothing": label_smoothing}
    if target.dim() < input.dim():
        return _labelled(kind, input, target, weight, ignore_index, reduction, **parameters)
    if ignore_index >= 0:
        raise ValueError("ignore_index is for labels: leave it out, the target has distributions")
    # Of these PyTorch's mean divides by their number.
    settings = _of_classes(weight, input) | {"denominator": "valid"}
    return _cost(kind, input, target, reduction, **parameters, **settings)


@_peer("NLLLoss")
def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """Of logarithms of probabilities and labels, as `torch.nn.functional.nll_loss`.

    Shapes are those of `cross_entropy`.
    """
    _shaped(target, input.shape[:1][: input.dim() - 1] + input.shape[2:])
    kind = lossfn.NegativeLogLikelihood
    return _labelled(kind, input, target, weight, ignore_index, reduction)


@_peer("KLDivLoss")
def kl_div(input, target, reduction="mean", log_target=False):
    """Of logarithms of probabilities and probabilities, as `torch.nn.functional.kl_div`.

    For a mean over distributions, which is the mathematical one, take ``reduction="batchmean"``.
    """
    _shaped(target, input.shape)
    if log_target:
        target = target.exp()
    count = {"mean": input.numel(), "batchmean": len(input) if input.dim() else 1}.get(reduction)
    settings = {"denominator": float(count)} if count else {}
    if reduction == "none" or input.numel() == 0 or input.dim() == 0:
        # Element by element: rows of one class.
        input, target = input.unsqueeze(-1), target.unsqueeze(-1)
    reduction = "mean" if reduction == "batchmean" else reduction
    return _cost(lossfn.KullbackLeibler, input, target, reduction, **settings)


@_peer("PoissonNLLLoss")
def poisson_nll_loss(input, target, log_input=True, full=False, eps=1e-8, reduction="mean"):
    """Of rates or their logarithms and counts, as `torch.nn.functional.poisson_nll_loss`.

    Its full is Stirling's approximation for counts above 1; for the exact constant take
    `PoissonLogLink(full=True)`.
    """
    if log_input:
        value = _cost(lossfn.PoissonLogLink, input, target, reduction)
    else:
        value = _cost(lossfn.Poisson, input + eps, target, reduction)
        value = value - (eps * input.numel() if reduction == "sum" else eps)
    if full:
        count = target.to(input.dtype)
        stirling = count * count.log() - count + 0.5 * (2 * math.pi * count).log()
        value = value + _reduced(torch.where(count > 1, stirling, 0), reduction)
    return value


def _reduced(losses, reduction):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is {reduction!r}: it must be 'mean', 'sum' or 'none'")
    return losses if reduction == "none" else getattr(losses, reduction)()


@_peer("GaussianNLLLoss")
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """Of means and variances, as `torch.nn.functional.gaussian_nll_loss`, differentiable by both.

    var has the shape of the input, or size 1 along axes that it is repeated along; or it lacks the
    last axis, or is a number.
    """
    if isinstance(var, (int, float)):
        var = torch.full_like(input, var)
    _check("var", var, _PREDICTIONS)
    if input.dim() and var.shape == input.shape[:-1]:
        var = var.unsqueeze(-1)
    if var.dim() != input.dim():
        raise ValueError(f"var has shape {tuple(var.shape)}: it must be {tuple(input.shape)}")
    var = _repeated("var", var, input, _PREDICTIONS)
    if (var < 0).any():
        raise ValueError("var has negative numbers: variances are 0 or more")
    both = torch.stack((input, var), -1)
    with torch.no_grad():
        both[..., 1].clamp_(min=eps)
    return _cost(lossfn.GaussianNll, both, target, reduction, full)


@_peer("MultiMarginLoss")
def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, reduction="mean"):
    """Of scores (N, C) or (C,) and labels, as `torch.nn.functional.multi_margin_loss`.

    weight: (C,).
    """
    _shaped(target, input.shape[:-1])
    settings = _of_classes(weight, input) | {"denominator": "valid"}
    return _cost(lossfn.MultiMargin, input, target, reduction, p, margin, **settings)


@_peer("MultiLabelMarginLoss")
def multilabel_margin_loss(input, target, reduction="mean"):
    """Of scores (N, C) or (C,) and lists of labels that -1 ends.

    As `torch.nn.functional.multilabel_margin_loss`.
    """
    _shaped(target, input.shape)
    classes = input.size(-1)
    in_list = (target >= 0).cumprod(-1)
    if (target >= classes).any():
        found = target.max().item()
        raise ValueError(f"target has {found}, which is not a class: there are {classes}, from 0")
    # What is behind the end counts for a class of its own, which is left out.
    places = torch.where(in_list > 0, target, classes).long()
    sets = torch.zeros((*target.shape[:-1], classes + 1), dtype=input.dtype)
    sets = sets.scatter_add(-1, places, in_list.to(input.dtype))[..., :classes]
    return _cost(lossfn.MultilabelMargin, input, sets, reduction)


@_peer("MultiLabelSoftMarginLoss")
def multilabel_soft_margin_loss(input, target, weight=None, reduction="mean"):
    """Of scores (..., C) and for each class whether it is in the set.

    As `torch.nn.functional.multilabel_soft_margin_loss`; weight: (C,).
    """
    if reduction == "mean":
        return binary_cross_entropy_with_logits(input, target, weight)
    # Of a row PyTorch takes the mean.
    losses = binary_cross_entropy_with_logits(input, target, weight, reduction="none").mean(-1)
    return _reduced(losses, reduction)


globals().update(_peers)
__all__ = [*dict.fromkeys([*__all__, *_peers])]


def __getattr__(name):
    raise AttributeError(f"lossfn.torch has no {name!r}{other_name(name)}")


def __dir__():
    return sorted(__all__)
