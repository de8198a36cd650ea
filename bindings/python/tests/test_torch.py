"""lossfn.torch against PyTorch, against lossfn itself, and against finite differences."""

import copy
import inspect
import io
import itertools
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import lossfn
import lossfn.torch
import torch.nn.functional as F
from lossfn import _lossfn
from torch.testing import assert_close

# There is little to do at once, and tests share the machine.
torch.set_num_threads(1)

CATALOG = {about["id"]: about for about in _lossfn.catalog()}
REDUCTIONS = ["mean", "sum", "none"]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(7)


# Random examples, inside the domains of each loss.

SAMPLES = {
    "any number": lambda *shape: 2 * torch.randn(shape, dtype=torch.float64),
    "0 or more": lambda *shape: torch.randn(shape, dtype=torch.float64).exp(),
    "above 0": lambda *shape: torch.randn(shape, dtype=torch.float64).exp(),
    "0 to 1": lambda *shape: 0.05 + 0.9 * torch.rand(shape, dtype=torch.float64),
    "above 0 and below 1": lambda *shape: 0.05 + 0.9 * torch.rand(shape, dtype=torch.float64),
    "-1 or +1": lambda *shape: torch.randn(shape, dtype=torch.float64).sign(),
    "the logarithm of a probability": lambda *shape: -torch.randn(shape, dtype=torch.float64).exp(),
}


def examples(id, rows=3):
    """Predictions and targets for a loss, in float64."""
    about = CATALOG[id]
    if about["form"] == "pointwise":
        return SAMPLES[about["prediction_domain"]](rows), SAMPLES[about["target_domain"]](rows)
    if about["form"] == "class_axis":
        # In order, for the losses of thresholds; top_k_error looks at five.
        prediction = SAMPLES[about["prediction_domain"]](rows, 6).sort(-1).values
        labels = torch.randint(6, (rows,))
        if np.isfinite(lossfn.catalog[id]().value(prediction, labels)):
            return prediction, labels
        return prediction, torch.randn(rows, 6).double().softmax(-1)
    domains = [domain for _, domain, _ in about["components"]] or ["any number"] * 4
    columns = [SAMPLES[domain](rows) for domain in domains]
    return torch.stack(columns, -1), SAMPLES[about["target_domain"]](rows)


def module_of(id, **settings):
    return getattr(lossfn.torch, lossfn.catalog[id].__name__)(**settings)


# Every loss of the catalog.


@pytest.mark.parametrize("id", CATALOG)
def test_every_loss_is_that_of_lossfn_to_the_bit(id):
    prediction, target = examples(id, rows=5)
    weights, mask = torch.rand(5), torch.tensor([True, True, False, True, True])
    for dtype, reduction in itertools.product((torch.float32, torch.float64), REDUCTIONS):
        given = prediction.to(dtype, copy=True).requires_grad_()
        module = module_of(id, reduction=reduction)
        value = module(given, target, weights=weights, mask=mask)
        slope = torch.rand_like(value)
        value.backward(slope)
        numpy_weights, numpy_mask = weights.numpy(), mask.numpy()
        expected, gradient = lossfn.catalog[id](reduction=reduction).value_and_gradient(
            given.detach().numpy(), target.numpy(), weights=numpy_weights, mask=numpy_mask
        )
        assert value.dtype == given.grad.dtype == dtype
        assert torch.equal(value.detach(), torch.as_tensor(expected, dtype=dtype))
        in_rows = reduction == "none" and gradient.ndim > slope.ndim
        expected = torch.as_tensor(gradient) * (slope.unsqueeze(-1) if in_rows else slope)
        assert torch.equal(given.grad, expected)


@pytest.mark.parametrize("id", CATALOG)
def test_derivatives_against_differences(id):
    prediction, target = examples(id)
    prediction.requires_grad_()
    for reduction in ("mean", "none"):
        module = module_of(id, reduction=reduction)
        weights = torch.tensor([0.5, 2.0, 1.0])
        cost = lambda p: module(p, target, weights=weights)
        assert torch.autograd.gradcheck(cost, prediction, check_forward_ad=True)
        with torch.no_grad():
            assert not cost(prediction).requires_grad
    value = module(prediction, target)
    (gradient,) = torch.autograd.grad(value.sum(), prediction, create_graph=True)
    if has_product(id, prediction, target):
        assert torch.autograd.gradgradcheck(module, (prediction, target), check_fwd_over_rev=True)
        return
    with pytest.raises(ValueError, match="no more than their diagonal is known"):
        gradient.sum().backward()


def has_product(id, prediction, target):
    arrays = prediction.detach().numpy(), target.numpy()
    try:
        lossfn.catalog[id]().hessian_vector_product(*arrays, arrays[0])
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("id", CATALOG)
def test_names_signatures_documentation_and_pickles(id):
    function, module = getattr(lossfn.torch, id), module_of(id)
    kind = lossfn.catalog[id]
    assert {id, kind.__name__} <= set(dir(lossfn.torch))
    assert inspect.signature(type(module)) == inspect.signature(kind)
    assert "As `" in function.__doc__ and kind.__name__ in type(module).__doc__
    parameters = ", ".join(f"{name}={value}" for name, value in kind().parameters.items())
    assert repr(module) == f"{kind.__name__}({parameters})"
    changed = module_of(id, reduction="sum")
    file = io.BytesIO()
    torch.save(changed, file)
    file.seek(0)
    for again in (
        pickle.loads(pickle.dumps(changed)),
        copy.deepcopy(changed),
        torch.load(file, weights_only=False),
    ):
        assert type(again) is type(module) and again.loss == kind(reduction="sum")
    assert changed.state_dict() == {}
    again.load_state_dict(changed.state_dict())


def test_functions_have_the_arguments_of_lossfn():
    prediction, target = examples("huber")
    value = lossfn.torch.huber(prediction, target, 0.5, reduction="sum", mask=target > 0)
    expected = lossfn.huber(prediction, target, 0.5, reduction="sum", mask=target > 0)
    assert value.item() == expected
    signature = inspect.signature(lossfn.torch.huber)
    assert list(signature.parameters)[:3] == ["prediction", "target", "delta"]
    assert "out" not in signature.parameters
    scores = torch.randn(2, 3, 4)
    labels = torch.randint(3, (2, 4))
    settings = {"gamma": 1.5, "class_weights": torch.rand(3), "class_axis": 1, "ignored_class": 2}
    module = lossfn.torch.SoftmaxFocal(**settings, reduction="none")
    losses = module(scores.requires_grad_(), labels)
    expected = lossfn.SoftmaxFocal(**settings, reduction="none").value(scores.detach(), labels)
    assert torch.equal(losses.detach(), torch.as_tensor(expected))
    losses.sum().backward()
    assert (scores.grad.transpose(1, 2)[labels == 2] == 0).all()


def test_any_loss_of_lossfn_and_its_text():
    prediction, target = examples("huber")
    loss = lossfn.loss("huber(delta=0.5)", reduction="sum")
    value = lossfn.torch.value_of(loss, prediction, target)
    module = lossfn.torch.loss("huber(delta=0.5)", reduction="sum")
    assert module(prediction, target) == value and module.loss == loss
    assert repr(module) == "Huber(delta=0.5, reduction='sum')"


def test_names_of_elsewhere_are_explained():
    with pytest.raises(AttributeError, match="here that loss is lossfn.quantile"):
        lossfn.torch.pinball_loss
    with pytest.raises(AttributeError, match="no 'nonsense'"):
        lossfn.torch.nonsense


# Tensors.


DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", [*DTYPES, torch.int64, torch.uint8, torch.bool])
def test_memory_is_shared(dtype):
    tensor = torch.ones(6, 4).to(dtype)
    for view in (tensor, tensor.T, tensor[1::2, ::3], tensor[2, 3], tensor[:, :1].expand(6, 5)):
        array = lossfn.torch._array(view)
        assert array.__array_interface__["data"][0] == view.data_ptr()
        assert array.shape == view.shape
        assert array.strides == tuple(step * view.element_size() for step in view.stride())
    if tensor.is_floating_point():
        parameter = torch.nn.Parameter(tensor)
        array = lossfn.torch._array(parameter)
        assert array.__array_interface__["data"][0] == parameter.data_ptr()


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_is_copied(dtype):
    prediction = torch.randn(500, 400).to(dtype).T.requires_grad_()
    target = torch.randn(500, 400).to(dtype).T
    loss = lossfn.torch.Huber()
    loss(prediction, target).backward()
    # NumPy's arrays are traced, those of PyTorch are not.
    tracemalloc.start()
    loss(prediction, target).backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000
    assert prediction.grad.stride() == prediction.stride()


class Watched(lossfn.Huber):
    """Notes which of its methods are called."""

    def note(name):
        def method(self, *arguments, **settings):
            Watched.calls.append(name)
            return getattr(super(Watched, self), name)(*arguments, **settings)

        return method

    value, gradient = note("value"), note("gradient")
    value_and_gradient = note("value_and_gradient")
    hessian_vector_product = note("hessian_vector_product")
    calls = []


def test_what_is_computed_when():
    prediction, target = examples("huber")
    prediction.requires_grad_()
    for reduction, dtype in itertools.product(("mean", "none"), (torch.float32, torch.float64)):
        loss, given = Watched(reduction=reduction), prediction.detach().to(dtype).requires_grad_()
        Watched.calls.clear()
        value = lossfn.torch.value_of(loss, given, target).sum()
        value.backward(retain_graph=True)
        value.backward()
        assert Watched.calls == ["value_and_gradient"]
        with torch.no_grad():
            value = lossfn.torch.value_of(loss, given, target)
        assert Watched.calls[1:] == ["value"] and not value.requires_grad
        with torch.inference_mode():
            lossfn.torch.value_of(loss, given, target)
        lossfn.torch.value_of(loss, given.detach(), target)
        assert Watched.calls[1:] == ["value"] * 3
    Watched.calls.clear()
    value = lossfn.torch.value_of(Watched(), prediction, target)
    (gradient,) = torch.autograd.grad(value, prediction, create_graph=True)
    gradient.sum().backward()
    assert Watched.calls == ["value_and_gradient", "hessian_vector_product"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("id", ["huber", "logistic", "softmax_cross_entropy", "gaussian_nll"])
def test_half_precision_is_float32_rounded_once(id, dtype, monkeypatch):
    # NumPy has no bfloat16 without this package, which must not be needed.
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    prediction, target = examples(id, rows=40)
    prediction = prediction.to(dtype)
    target = target if target.dtype == torch.int64 else target.to(dtype)
    for reduction in REDUCTIONS:
        results = []
        for kind in (dtype, torch.float32):
            given = prediction.to(kind, copy=True).requires_grad_()
            value = module_of(id, reduction=reduction)(given, target)
            value.backward(torch.ones_like(value))
            results.append((value.detach().to(dtype), given.grad.to(dtype)))
        for one, other in zip(*results, strict=True):
            assert torch.equal(one, other)


def test_bfloat16_next_to_integers_is_float64_rounded_once():
    prediction = torch.randn(4000).bfloat16().requires_grad_()
    target = torch.randn(4000).sign().long()
    lossfn.torch.logistic(prediction, target, reduction="sum").backward()
    exact = -target / (1 + (target * prediction.detach().double()).exp())
    spacing = 2.0 ** (exact.abs().log2().floor() - 7)
    assert ((prediction.grad.double() - exact).abs() <= spacing / 2 * (1 + 1e-9)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts(dtype):
    whole, target = torch.randn(8, 6, 10).to(dtype), torch.randn(8, 6, 10).to(dtype)
    views = [
        lambda x: x.permute(2, 0, 1),
        lambda x: x[::2, :, 1::3],
        lambda x: x[3],
        lambda x: x[3, 2, 1],
        lambda x: x[:0],
        lambda x: x[:, :1].expand(8, 6, 10),
    ]
    for view, reduction in itertools.product(views, ("sum", "none")):
        base = whole.clone().requires_grad_()
        prediction = view(base)
        value = lossfn.torch.huber(prediction, view(target), reduction=reduction)
        (gradient,) = torch.autograd.grad(value.sum(), prediction, retain_graph=True)
        plain = view(whole).clone(memory_format=torch.contiguous_format).requires_grad_()
        same = lossfn.torch.huber(plain, view(target).contiguous(), reduction=reduction)
        same.sum().backward()
        assert torch.equal(value, same) and torch.equal(gradient, plain.grad)
        value.sum().backward()
        assert base.grad.count_nonzero() > 0 or not plain.numel()


def test_large_tensors_and_other_threads():
    from concurrent.futures import ThreadPoolExecutor

    prediction = torch.randn(300_000, requires_grad=True)
    target = torch.randn(300_000)
    expected = lossfn.log_cosh(prediction.detach().numpy(), target.numpy())

    def work(_):
        given = prediction.detach().clone().requires_grad_()
        value = lossfn.torch.log_cosh(given, target)
        value.backward()
        return value.item(), given.grad

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(8)))
    assert {value for value, _ in results} == {torch.tensor(expected).float().item()}
    assert all(torch.equal(gradient, results[0][1]) for _, gradient in results)


def test_predictions_that_are_changed_are_noticed():
    leaf = torch.randn(3, requires_grad=True)
    prediction = leaf * 2
    value = lossfn.torch.huber(prediction, torch.zeros(3))
    prediction.mul_(3)
    with pytest.raises(RuntimeError, match="inplace"):
        value.backward()


def test_inside_a_graph():
    leaf = torch.randn(5, 4, requires_grad=True)
    target = torch.randint(4, (5,))
    for function in (lossfn.torch.cross_entropy, F.cross_entropy):
        leaf.grad = None
        scores = (leaf * 3).tanh()
        cost = function(scores, target, reduction="none") * torch.arange(5.0)
        (cost.sum() ** 2 + scores.sum()).backward()
        if function is F.cross_entropy:
            assert_close(grad, leaf.grad)
        grad = leaf.grad


# Errors.

ZEROS = torch.zeros(3)


@pytest.mark.parametrize(
    ("error", "text", "arguments"),
    [
        (TypeError, "prediction is a numpy.ndarray.*torch.as_tensor", [np.zeros(3), ZEROS]),
        (TypeError, "target is a numpy.ndarray", [ZEROS, np.zeros(3)]),
        (TypeError, "prediction is a list", [[0.0], ZEROS]),
        (TypeError, "prediction has .*int64.*prediction.float", [ZEROS.long(), ZEROS]),
        (TypeError, "prediction has .*complex64", [ZEROS.to(torch.complex64), ZEROS]),
        (TypeError, "target has .*complex", [ZEROS, ZEROS.to(torch.complex64)]),
        (TypeError, "target has .*float8", [ZEROS, ZEROS.to(torch.float8_e4m3fn)]),
        (ValueError, "device meta.*prediction.cpu", [ZEROS.to("meta"), ZEROS]),
        (ValueError, "target is on the device meta", [ZEROS, ZEROS.to("meta")]),
        (ValueError, "sparse.*prediction.to_dense", [ZEROS.to_sparse(), ZEROS]),
        (ValueError, "target requires a gradient.*detach", [ZEROS, torch.nn.Parameter(ZEROS)]),
        (ValueError, r"target has shape \[1\]", [ZEROS, torch.zeros(1)]),
    ],
)
def test_arguments_that_do_not_fit(error, text, arguments):
    with pytest.raises(error, match=text):
        lossfn.torch.huber(*arguments)
    renamed = text.replace("prediction", "input")
    with pytest.raises(error, match=renamed):
        lossfn.torch.huber_loss(*arguments)


def test_more_errors():
    x, leaf = torch.zeros(3), torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="weights requires a gradient"):
        lossfn.torch.huber(x, x, weights=leaf)
    with torch.no_grad():
        assert lossfn.torch.huber(x, leaf, weights=leaf) == 0.5
    with pytest.raises(TypeError, match="mask is a list"):
        lossfn.torch.huber(x, x, mask=[True, False, True])
    with pytest.raises(ValueError, match="delta"):
        lossfn.torch.Huber(delta=-1.0)
    with pytest.raises(ValueError, match="reduction"):
        lossfn.torch.huber_loss(x, x, reduction="median")
    with pytest.raises(ValueError, match="nothing to average"):
        lossfn.torch.huber(x, x, mask=x)
    prediction = torch.randn(3, requires_grad=True)
    target = torch.zeros(3)
    gradient = prediction
    with pytest.raises(NotImplementedError, match="third derivatives of log_cosh"):
        value = lossfn.torch.log_cosh(prediction, target)
        for _ in range(3):
            (gradient,) = torch.autograd.grad(value, prediction, create_graph=True)
            value = gradient.sum()


# Those of PyTorch.


def number(*shape):
    return 2 * torch.randn(shape, dtype=torch.float64)


def positive(*shape):
    return torch.randn(shape, dtype=torch.float64).exp()


def share(*shape):
    return 0.02 + 0.96 * torch.rand(shape, dtype=torch.float64)


def sign(*shape):
    return torch.randn(shape, dtype=torch.float64).sign()


def bit(*shape):
    return torch.randint(2, shape).double()


def logs(*shape):
    return number(*shape).log_softmax(-1)


ANY = [(7,), (4, 5), (2, 3, 4), (), (0,)]


# Of inputs with classes along PyTorch's axis, of their labels, and how many classes.
CLASSES = [
    ((5,), (), 5),
    ((4, 5), (4,), 5),
    ((1, 3), (1,), 3),
    ((2, 3, 4), (2, 4), 3),
    ((2, 3, 4, 2), (2, 4, 2), 3),
    ((0, 3), (0,), 3),
]


def cases():
    """(function, input, other arguments, settings), for PyTorch's function and that of here."""
    for shape in ANY:
        for name, settings in [
            ("mse_loss", {}),
            ("l1_loss", {}),
            ("huber_loss", {}),
            ("huber_loss", {"delta": 0.3}),
            ("smooth_l1_loss", {}),
            ("smooth_l1_loss", {"beta": 0.2}),
            ("smooth_l1_loss", {"beta": 0.0}),
        ]:
            yield name, number(*shape), [number(*shape)], settings
        for name in ("mse_loss", "l1_loss", "huber_loss"):
            yield name, number(*shape), [number(*shape)], {"weight": positive(*shape)}
        yield "soft_margin_loss", number(*shape), [sign(*shape)], {}
        yield "hinge_embedding_loss", positive(*shape), [sign(*shape)], {"margin": 0.7}
        yield "binary_cross_entropy", share(*shape), [bit(*shape)], {}
        yield "binary_cross_entropy", share(*shape), [share(*shape)], {"weight": positive(*shape)}
        yield "kl_div", logs(*shape or (1,)).reshape(shape), [share(*shape)], {}
        yield "kl_div", logs(*shape or (1,)).reshape(shape), [number(*shape)], {"log_target": True}
        for target in (bit(*shape), share(*shape)):
            for pos_weight in (None, torch.tensor(2.5), torch.tensor([0.0]), positive(*shape)):
                # PyTorch lets the target grow to the shape of the weight.
                if shape or pos_weight is None or not pos_weight.dim():
                    settings = {"pos_weight": pos_weight, "weight": positive(*shape)}
                    yield "binary_cross_entropy_with_logits", number(*shape), [target], settings
        counts = torch.poisson(positive(*shape) * 2)
        for full in (False, True):
            yield "poisson_nll_loss", number(*shape), [counts], {"full": full}
            settings = {"full": full, "log_input": False}
            yield "poisson_nll_loss", positive(*shape), [counts], settings
            yield "poisson_nll_loss", positive(*shape), [counts], settings | {"eps": 0.01}
            settings = {"full": full, "eps": 0.5}
            yield "gaussian_nll_loss", number(*shape), [number(*shape), positive(*shape)], settings
    x, y = number(4, 5), bit(4, 5)
    for weights in ({"weight": positive(5), "pos_weight": positive(5)}, {"weight": positive(4, 1)}):
        yield "binary_cross_entropy_with_logits", x, [y], weights
    yield "binary_cross_entropy", share(4, 5), [y], {"weight": positive(5)}
    yield "kl_div", logs(4, 5), [share(4, 5)], {"reduction": "batchmean"}
    yield "kl_div", logs(2, 5, 3), [share(2, 5, 3)], {"reduction": "batchmean"}
    for var in (positive(4), positive(4, 1), positive(1, 5), 0.7, torch.tensor(0.0).expand(4, 5)):
        yield "gaussian_nll_loss", number(4, 5), [number(4, 5), var], {}
    for shape, rows, classes in CLASSES:
        labels = torch.randint(classes, rows)
        some_ignored = torch.where(torch.rand(rows) < 0.4, -100, labels)
        weight = positive(classes)
        for target, settings in [
            (labels, {}),
            (labels, {"weight": weight}),
            (some_ignored, {"weight": weight}),
            (labels, {"ignore_index": 1}),
            (torch.full(rows, -100), {}),
        ]:
            yield "nll_loss", logs(*shape), [target], settings
            for smoothing in (0.0, 0.2):
                settings = settings | {"label_smoothing": smoothing}
                yield "cross_entropy", number(*shape), [target], settings
        for settings in ({}, {"weight": weight}, {"weight": weight, "label_smoothing": 0.3}):
            axis = 1 if len(shape) > 1 else 0
            yield "cross_entropy", number(*shape), [number(*shape).softmax(axis)], settings
    for shape in [(6, 4), (4,), (1, 2)]:
        labels = torch.randint(shape[-1], shape[:-1])
        for p, weight in itertools.product((1, 2), (None, positive(shape[-1]))):
            settings = {"p": p, "margin": 0.8, "weight": weight}
            yield "multi_margin_loss", number(*shape), [labels], settings
        lists = torch.rand(shape).argsort(-1).where(torch.rand(shape) < 0.7, -1)
        yield "multilabel_margin_loss", number(*shape), [lists], {}
        for weight in (None, positive(shape[-1])):
            yield "multilabel_soft_margin_loss", number(*shape), [bit(*shape)], {"weight": weight}
    yield "multilabel_margin_loss", number(1, 4), [torch.tensor([[2, 2, 0, -1]])], {}
    yield "multilabel_soft_margin_loss", number(2, 3, 4), [share(2, 3, 4)], {}


PEERS = list(dict.fromkeys(name for name, *_ in cases()))


def results_of(function, input, others, settings, reduction):
    """Value and gradients by everything that may have one, for a random slope that is the same."""
    input = input.clone().requires_grad_()
    others = list(others)
    leaves = [input]
    if len(others) > 1 and isinstance(others[1], torch.Tensor):
        others[1] = others[1].clone().requires_grad_()
        leaves.append(others[1])
    value = function(input, *others, **{"reduction": reduction} | settings)
    torch.manual_seed(11)
    value.backward(torch.rand(value.shape, dtype=torch.float64).to(value.dtype))
    return [value.detach(), *(leaf.grad for leaf in leaves)]


def cast(thing, dtype):
    if isinstance(thing, torch.Tensor):
        return thing.to(dtype) if thing.is_floating_point() else thing
    return thing


@pytest.mark.parametrize("name", PEERS)
def test_functions_against_pytorch(name):
    ours, theirs = getattr(lossfn.torch, name), getattr(F, name)
    seen = 0
    for case, input, others, settings in cases():
        if case != name:
            continue
        for reduction, dtype in itertools.product(REDUCTIONS, (torch.float64, torch.float32)):
            given = cast(input, dtype), [cast(other, dtype) for other in others]
            named = {key: cast(value, dtype) for key, value in settings.items()}
            result = results_of(ours, *given, named, reduction)
            expected = results_of(theirs, *given, named, reduction)
            # A few roundings of PyTorch's; the smallest gradients are differences of probabilities.
            tolerance = 1e-12 if dtype == torch.float64 else 5e-6
            for one, other in zip(result, expected, strict=True):
                assert_close(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)
            seen += 1
    assert seen


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_functions_against_pytorch_in_half_precision(name, dtype):
    if name == "multilabel_margin_loss":
        pytest.skip("lists are no numbers to round")
    eps = torch.finfo(dtype).eps
    for case, input, others, settings in cases():
        if case != name or input.numel() == 0:
            continue
        if len(others) > 1 and torch.as_tensor(others[1]).eq(0).any():
            continue  # An eps of 1e-6 is no number of float16, and results are too large for it.
        given = cast(input, dtype), [cast(other, dtype) for other in others]
        named = {key: cast(value, dtype) for key, value in settings.items()}
        wide = cast(given[0], torch.float64), [cast(other, torch.float64) for other in given[1]]
        wide_named = {key: cast(value, torch.float64) for key, value in named.items()}
        result = results_of(getattr(lossfn.torch, name), *given, named, "mean")
        expected = results_of(getattr(F, name), *wide, wide_named, "mean")
        # The slope is rounded, and so is its product; what is computed of the input rounds too.
        for one, other in zip(result, expected, strict=True):
            assert one.dtype == dtype
            assert_close(one.double(), other, rtol=4 * eps, atol=4 * eps, equal_nan=True)


def test_integer_targets_against_pytorch():
    counts = torch.randint(6, (5,))
    for input, dtype in itertools.product((number(5), positive(5)), (torch.float32, torch.float64)):
        for settings in ({}, {"full": True}, {"full": True, "log_input": False}):
            one = lossfn.torch.poisson_nll_loss(input.abs().to(dtype), counts, **settings)
            other = F.poisson_nll_loss(input.abs().to(dtype), counts.to(dtype), **settings)
            assert_close(one, other)
    x, y = number(4, 5), bit(4, 5)
    pos_weight = torch.tensor([3.0, 1, 1, 2, 1])
    one = lossfn.torch.binary_cross_entropy_with_logits(x, y.bool(), pos_weight=pos_weight)
    assert_close(one, F.binary_cross_entropy_with_logits(x, y, pos_weight=pos_weight))


def test_where_pytorch_loses_what_is_kept_here():
    never = torch.tensor([0.0, 0.5])
    assert lossfn.torch.binary_cross_entropy(never, torch.tensor([1.0, 0.0])) == torch.inf
    assert F.binary_cross_entropy(never, torch.tensor([1.0, 0.0])) < torch.inf
    sure = torch.tensor([60.0, 0.0], dtype=torch.float64)
    assert lossfn.torch.cross_entropy(sure, torch.tensor(0)).item() == pytest.approx(np.exp(-60.0))
    assert F.cross_entropy(sure, torch.tensor(0)) == 0
    assert lossfn.torch.soft_margin_loss(torch.tensor([-100.0]), torch.ones(1)) == 100


def refused():
    """What of PyTorch's is refused here: (text of the error, function, arguments, settings)."""
    x, labels, leaf = number(4, 5), torch.randint(5, (4,)), torch.ones(5, requires_grad=True)
    yield "nothing is broadcast", "mse_loss", [x, number(5)], {}
    p, y = share(4, 5), bit(4, 5)
    yield "weight has .*cannot be repeated", "binary_cross_entropy", [p, y, positive(3)], {}
    yield "weight requires a gradient", "binary_cross_entropy", [p, y, leaf], {}
    yield "weight requires a gradient", "cross_entropy", [x, labels, leaf], {}
    yield "class.weights has shape", "cross_entropy", [x, labels, positive(4)], {}
    yield "ignore_index is for labels", "cross_entropy", [x, x.softmax(1)], {"ignore_index": 1}
    yield "label 5 at position 0", "cross_entropy", [x, labels * 0 + 5], {}
    yield "target has shape", "nll_loss", [x, x.softmax(1)], {}
    yield "target has shape", "multi_margin_loss", [x, x.softmax(1)], {}
    yield "target has shape", "kl_div", [logs(4, 5), labels], {}
    # As many labels as classes.
    yield "target has shape", "multilabel_margin_loss", [number(4, 4), labels], {}
    yield "which is not a class", "multilabel_margin_loss", [x, torch.full((4, 5), 5)], {}
    yield "var has negative", "gaussian_nll_loss", [x, x, -positive(4, 5)], {}
    yield "var has shape", "gaussian_nll_loss", [x, x, positive(4, 3)], {}
    yield "var has shape", "gaussian_nll_loss", [x, x, positive(5)], {}
    settings = {"pos_weight": torch.ones(1, requires_grad=True)}
    yield "requires a gradient", "binary_cross_entropy_with_logits", [x, y], settings
    yield "reduction", "multilabel_soft_margin_loss", [x, bit(4, 5)], {"reduction": "median"}
    yield "0 or more", "hinge_embedding_loss", [-positive(3), sign(3)], {}


def test_what_pytorch_does_that_is_refused_here():
    for text, name, arguments, settings in refused():
        with pytest.raises(ValueError, match=text):
            getattr(lossfn.torch, name)(*arguments, **settings)


WEIGHT = torch.tensor([1.0, 2, 3])
MODULES = {
    "MSELoss": {},
    "L1Loss": {},
    "HuberLoss": {"delta": 0.5},
    "SmoothL1Loss": {"beta": 0.5},
    "SoftMarginLoss": {},
    "HingeEmbeddingLoss": {"margin": 0.5},
    "BCELoss": {"weight": WEIGHT},
    "BCEWithLogitsLoss": {"weight": WEIGHT, "pos_weight": torch.tensor([2.0, 1, 4])},
    "CrossEntropyLoss": {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.1},
    "NLLLoss": {"weight": WEIGHT, "ignore_index": 1},
    "KLDivLoss": {"log_target": True},
    "PoissonNLLLoss": {"log_input": False, "full": True, "eps": 0.1},
    "GaussianNLLLoss": {"full": True, "eps": 0.1},
    "MultiMarginLoss": {"p": 2, "margin": 0.5, "weight": WEIGHT},
    "MultiLabelMarginLoss": {},
    "MultiLabelSoftMarginLoss": {"weight": WEIGHT},
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_against_pytorch(name):
    labels, bits = torch.randint(3, (4,)), torch.randint(2, (4, 3)).float()
    x, scale = torch.rand(4, 3), torch.rand(4, 3)
    target = {
        "SoftMarginLoss": [2 * bits - 1],
        "HingeEmbeddingLoss": [2 * bits - 1],
        "CrossEntropyLoss": [labels],
        "NLLLoss": [labels],
        "MultiMarginLoss": [labels],
        "MultiLabelMarginLoss": [torch.tensor([[2, -1, 0], [0, 1, 2], [-1, 0, 1], [1, 0, -1]])],
        "GaussianNLLLoss": [bits, scale],
    }.get(name, [bits])
    for reduction in REDUCTIONS:
        settings = MODULES[name] | {"reduction": reduction}
        ours = getattr(lossfn.torch, name)(**settings)
        theirs = getattr(torch.nn, name)(**settings)
        assert isinstance(ours, getattr(torch.nn, name)) and type(ours).__module__ == "lossfn.torch"
        assert_close(ours(x, *target), theirs(x, *target), rtol=2e-6, atol=1e-6)
        assert repr(ours) == repr(theirs)
        state = theirs.state_dict()
        assert ours.state_dict().keys() == state.keys()
        ours.load_state_dict({key: value * 2 for key, value in state.items()})
        again = pickle.loads(pickle.dumps(ours))
        assert torch.equal(again(x, *target), ours(x, *target))


def test_all_modules_are_met():
    made = {name for name in dir(lossfn.torch) if hasattr(torch.nn, name)}
    assert made - {"Module"} == set(MODULES)
    assert {name for name in dir(lossfn.torch) if hasattr(F, name)} == set(PEERS)
    for name in PEERS:
        ours = inspect.signature(getattr(lossfn.torch, name)).parameters
        theirs = inspect.signature(getattr(F, name)).parameters
        deprecated = {"size_average", "reduce"}
        assert list(ours) == [key for key in theirs if key not in deprecated]
        assert all(ours[key].default == theirs[key].default for key in ours)


# Transformations.


def test_torch_func():
    func, L = torch.func, lossfn.torch
    prediction, target, weights = number(4, 3), number(4, 3), positive(3)
    labels, tangent = torch.randint(3, (4,)), number(4, 3)
    gradient = func.grad(L.log_cosh)(prediction, target)
    assert_close(gradient, torch.tanh(prediction - target) / 12)
    expected = prediction.softmax(1) - F.one_hot(labels, 3)
    assert_close(func.vmap(func.grad(L.cross_entropy))(prediction, labels), expected)
    total = lambda p: func.vmap(L.cross_entropy)(p, labels).sum()
    assert_close(func.grad(total)(prediction), expected)
    values = func.vmap(L.huber, in_dims=(1, None))(prediction, target[:, 0])
    assert_close(values, torch.stack([L.huber(p, target[:, 0]) for p in prediction.T]))
    weighted = lambda p: L.log_cosh(p, target[0], weights=weights, reduction="none")
    assert_close(func.vmap(weighted)(prediction), torch.stack([weighted(p) for p in prediction]))
    _, slope = func.jvp(
        lambda p: L.cross_entropy(p, labels, reduction="none"), (prediction,), (tangent,)
    )
    assert_close(slope, (expected * tangent).sum(1))
    with pytest.raises(ValueError, match="by the prediction"):
        func.jvp(lambda t: L.huber(prediction, t), (target,), (tangent,))


def test_hessians():
    prediction, labels = number(4, 3), torch.randint(3, (4,))
    exact = torch.func.hessian(F.cross_entropy)(prediction, labels)
    for hessian in (
        torch.func.hessian,
        lambda f: torch.func.jacrev(torch.func.jacrev(f)),
        lambda f: torch.func.jacrev(torch.func.jacfwd(f)),
    ):
        assert_close(hessian(lossfn.torch.cross_entropy)(prediction, labels), exact)


def test_batched_gradients():
    prediction = number(3).requires_grad_()
    losses = lossfn.torch.log_cosh(prediction, torch.zeros(3), reduction="none")
    slopes = torch.eye(3).double()
    (jacobian,) = torch.autograd.grad(losses, prediction, slopes, is_grads_batched=True)
    assert_close(jacobian, torch.diag(torch.tanh(prediction.detach())))


def test_torch_compile():
    compiler = pytest.importorskip("torch._dynamo.testing").CompileCounter()
    layer, x = torch.nn.Linear(5, 3), torch.randn(8, 5)
    labels = torch.randint(3, (8,))
    for loss in (lossfn.torch.SoftmaxCrossEntropy(), lossfn.torch.cross_entropy):
        torch._dynamo.reset()
        plain = lambda x: loss(layer(x).relu() * 2, labels) * 3
        compiled = torch.compile(plain, backend=compiler)
        for step in range(3):
            gradients = []
            for function in (plain, compiled):
                layer.zero_grad()
                value = function(x + step)
                value.backward()
                gradients.append((value.detach(), layer.weight.grad.clone()))
            assert_close(*gradients)
            frames = compiler.frame_count if step == 0 else frames
        # Nothing is compiled anew for other values.
        assert compiler.frame_count == frames > 0


def test_the_compiler_is_not_imported():
    code = """
import sys, torch
before = "torch._dynamo" in sys.modules
import lossfn.torch
assert ("torch._dynamo" in sys.modules) == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# Training.


def trained(loss, x, target, outputs, dtype, steps=60):
    torch.manual_seed(3)
    layers = torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, outputs)
    network = torch.nn.Sequential(*layers).to(dtype)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    curve = []
    for _ in range(steps):
        optimiser.zero_grad()
        prediction = network(x.to(dtype))
        value = loss(prediction if outputs > 1 else prediction[:, 0], target)
        value.backward()
        optimiser.step()
        curve.append(value.item())
    return curve


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize(
    ("own", "name"),
    [
        (lossfn.torch.Huber(delta=0.5), "HuberLoss"),
        (lossfn.torch.SoftmaxCrossEntropy(), "CrossEntropyLoss"),
        (lossfn.torch.BinaryCrossEntropyWithLogits(), "BCEWithLogitsLoss"),
    ],
)
def test_a_network_learns_the_same(own, name, dtype, tolerance):
    x = torch.randn(200, 4, dtype=torch.float64)
    signal = x[:, 0] * x[:, 1] + x[:, 2].sin() + 0.1 * torch.randn(200, dtype=torch.float64)
    settings = {"delta": 0.5} if name == "HuberLoss" else {}
    outputs = 3 if name == "CrossEntropyLoss" else 1
    target = {
        "HuberLoss": signal.to(dtype),
        "CrossEntropyLoss": torch.bucketize(signal, torch.tensor([-0.5, 0.5]).double()),
        "BCEWithLogitsLoss": (signal > 0).to(dtype),
    }[name]
    expected = trained(getattr(torch.nn, name)(**settings), x, target, outputs, dtype)
    assert expected[-1] < expected[0] / 2
    for loss in (own, getattr(lossfn.torch, name)(**settings)):
        assert trained(loss, x, target, outputs, dtype) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_linear_layer_with_its_cost(dtype):
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(*shape, generator=generator) for shape in ((20, 5), (7, 5), (7,))]
    parts = [part.to(dtype).requires_grad_() for part in parts]
    hidden, classifier, bias = parts
    target = torch.randint(0, 7, (20,), generator=generator)
    cost = lossfn.torch.LinearCost(lossfn.SoftmaxCrossEntropy(label_smoothing=0.1))
    for of_bias in (None, bias):
        scores = F.linear(hidden.double(), classifier.double(), None if of_bias is None else bias.double())
        expected = 3 * F.cross_entropy(scores, target, label_smoothing=0.1)
        found = 3 * cost(hidden, classifier, target, of_bias)
        assert found.dtype == dtype
        used = parts[: 2 if of_bias is None else 3]
        digits = 1e-12 if dtype == torch.float64 else 2e-2
        pairs = zip(torch.autograd.grad(found, used), torch.autograd.grad(expected, used), strict=True)
        for one, other in [(found, expected.to(dtype)), *pairs]:
            torch.testing.assert_close(one, other, rtol=digits, atol=digits / 10)
    alone = lossfn.torch.LinearCost(lossfn.SoftmaxCrossEntropy(reduction="none"))
    with pytest.raises(ValueError, match="no gradients"):
        alone(hidden, classifier, target)
    with torch.no_grad():
        assert alone(hidden, classifier, target).shape == (20,)
    with pytest.raises(TypeError, match="classifier is a .*it must be a tensor"):
        cost(hidden, [[0.0] * 5], target)
