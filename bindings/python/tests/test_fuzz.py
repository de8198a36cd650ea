"""Any loss on any arrays: the result of plain copies of them, or a ValueError or TypeError.

``LOSSFN_FUZZ=100000 pytest tests/test_fuzz.py`` takes that many examples, and others in each run.
"""

import os
import pickle
import warnings

import numpy as np
import pytest

import lossfn
from lossfn import _lossfn

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

EXAMPLES = int(os.environ.get("LOSSFN_FUZZ", "0"))
ABOUT = {about["id"]: about for about in _lossfn.catalog()}


def fuzz(share):
    return settings(
        max_examples=max(1, int((EXAMPLES or 10_000) * share)),
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


try:
    from ml_dtypes import bfloat16

    FLOATS = [np.dtype(one) for one in ("f2", bfloat16, "f4", "f8")]
except ModuleNotFoundError:
    FLOATS = [np.dtype(one) for one in ("f2", "f4", "f8")]
DTYPES = FLOATS + [np.dtype(one) for one in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")]

# More than are taken, where NumPy has so many.
AXES = 40 if int(np.__version__.split(".")[0]) > 1 else 31
SPECIAL = [
    np.nan,
    np.inf,
    -np.inf,
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    3e38,
    -1e308,
    5e-324,
    1e-40,
    2.0**53,
    65504.0,
]
METHODS = {
    "value": 1,
    "gradient": 1,
    "second": 1,
    "curvature": 1,
    "value_and_gradient": 1,
    "value_gradient_and_second": 2,
    "value_gradient_and_curvature": 2,
    "hessian_vector_product": 1,
}


# Arrays that hold something like x, in all kinds of memory. Values may change: what counts is that
# a plain copy gives the same.


def gaps(x):
    wide = np.full([size if size == 1 else 2 * size for size in x.shape], 1, x.dtype)
    inner = wide[(*(slice(None, None, 2) for _ in x.shape), ...)]
    inner[...] = x
    return inner


def unaligned(x):
    memory = bytearray(1 + x.nbytes)
    memory[1:] = x.tobytes()
    return np.frombuffer(memory, np.uint8)[1:].view(x.dtype).reshape(x.shape)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "plain": lambda x: x,
    "fortran": np.asfortranarray,
    "gaps": gaps,
    "backwards": lambda x: x[::-1].copy()[::-1] if x.ndim else x,
    "all backwards": lambda x: x[(*(slice(None, None, -1),) * x.ndim, ...)],
    "turned": lambda x: (
        np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0) if x.ndim else x
    ),
    "repeated": lambda x: np.broadcast_to(x[..., :1], x.shape) if x.ndim and x.size else x,
    "one number": lambda x: np.broadcast_to(x.ravel()[:1].sum(dtype=x.dtype), x.shape),
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder("S")),
    "unaligned": unaligned,
    "read-only": read_only,
    "list": lambda x: x.tolist(),
    "matrix": lambda x: x.view(np.matrix) if x.ndim == 2 else x,
}
WRONG_SHAPES = {
    "more": lambda x: x[None],
    "turned": lambda x: x.T,
    "flat": lambda x: x.ravel(),
    "cut": lambda x: x[1:] if x.ndim else x[None],
    "one": lambda x: x.ravel()[:1].reshape(()) if x.size else x,
    "column": lambda x: x[..., None],
    "deep": lambda x: x.reshape((1,) * (AXES - x.ndim) + x.shape),
}


def plain(array):
    """The same numbers in contiguous memory of their own."""
    array = np.asarray(array)
    return np.array(array, array.dtype.newbyteorder("="), order="C", copy=True)


ARRAYS = ["prediction", "target", "weights", "mask", "vector"]
SETTINGS = {
    "reduction": ["mean", "sum", "none"],
    "denominator": ["weights", "valid", "examples", 2.5],
    "nothing_valid": ["error", "nan", "zero"],
}
BAD = ["read-only", "repeated", "shape", "int", "list", "swapped", "object"]


class Choices:
    """A byte for each choice: one draw is a case, and one that fails shrinks to first choices."""

    def __init__(self, data):
        self.data = iter(data)

    def pick(self, *values):
        return values[next(self.data, 0) % len(values)]

    def rarely(self):
        return self.pick(*[False] * 5, True)


def described(data):
    """The call that bytes stand for."""
    choices = Choices(data)
    pick, rarely = choices.pick, choices.rarely
    shape = [pick(1, 2, 3, 0, 5, 17) for _ in range(pick(0, 1, 1, 2, 3))]
    if rarely() and rarely():
        shape = [pick(4095, 4097, 9000, 70_000)]
    return {
        "id": pick(*ABOUT),
        "shape": tuple(shape),
        "width": pick(2, 3, 1, 0, 8, 33),
        "seed": pick(*range(256)),
        "labels": pick(True, False),
        "weights": pick(False, True),
        "mask": pick(False, True),
        "axis": pick(-1, -1, 0, 1, -2, -3, 7),
        "method": pick(*METHODS, "function", "update", "by_group"),
        "class_weights": rarely(),
        "ignored_class": pick(None, None, 0, 1, -100, 255),
        "wrong": pick(*ARRAYS) if rarely() else None,
        "wrong_shape": pick(*WRONG_SHAPES),
        "parameters": [
            pick(0.5, 1.0, 2.0, 0.0, 1e-3, 1e3, -1.0) for _ in range(pick(0, 0, 0, 1, 2))
        ],
        "special": {pick(*ARRAYS): pick(*SPECIAL) for _ in range(pick(0, 0, 1, 2))},
        "out": [
            {
                "kind": pick("none", "new", "over", "over", "bad" if rarely() else "none"),
                "dtype": pick(*FLOATS),
                "over": pick(*ARRAYS),
                "at": pick(*range(10)),
                "of": pick(*range(10)),
                "step": pick(1, 2, -1),
                "bad": pick(*BAD),
            }
            for _ in range(2)
        ],
        "pair": rarely(),
        "settings": {name: pick(*values) for name, values in SETTINGS.items() if pick(False, True)},
        "dtypes": {name: pick(None, None, None, *DTYPES) for name in ARRAYS},
        "layouts": {name: pick(*LAYOUTS) for name in ARRAYS},
    }


calls = st.binary(min_size=64, max_size=64).map(described)


def loss_of(call):
    id, form = call["id"], ABOUT[call["id"]]["form"]
    options = dict(call["settings"])
    if (
        call["method"] in ("value", "function")
        and call["out"][0]["kind"] != "none"
        and call["seed"] % 8
    ):
        options["reduction"] = "none"
    if form == "class_axis":
        options["class_axis"] = call["axis"]
        if call["class_weights"]:
            options["class_weights"] = np.arange(call["width"]) / 2
        if call["ignored_class"] is not None:
            options["ignored_class"] = call["ignored_class"]
    elif form == "joint":
        options["component_axis"] = call["axis"]
    return id, dict(zip(lossfn.catalog[id]().parameters, call["parameters"])) | options


def arguments_of(call, examples):
    """The arrays of a call."""
    one = examples(
        call["id"], call["shape"], seed=call["seed"], width=call["width"], labels=call["labels"]
    )
    rng = np.random.default_rng(call["seed"])
    rows = np.ndim(one.prediction) > len(call["shape"])
    prediction = one.prediction
    if rows and -prediction.ndim <= call["axis"] < prediction.ndim:
        prediction = np.moveaxis(prediction, -1, call["axis"])
    arrays = {
        "prediction": prediction,
        "target": np.asarray(one.target),
        "weights": rng.integers(0, 4, call["shape"]) / 2.0,
        "mask": rng.random(call["shape"]) < 0.8,
        "vector": rng.normal(size=prediction.shape),
    }
    for name in ("weights", "mask"):
        if not call[name]:
            del arrays[name]
    if call["method"] != "hessian_vector_product":
        del arrays["vector"]
    with np.errstate(all="ignore"):
        for name, x in arrays.items():
            x = np.asarray(x)
            if name in call["special"] and x.size:
                x = x.astype("f8")
                x.flat[call["seed"] % x.size] = call["special"][name]
            x = x.astype(call["dtypes"][name] or x.dtype)
            if name == call["wrong"]:
                x = WRONG_SHAPES[call["wrong_shape"]](x)
            arrays[name] = LAYOUTS[call["layouts"][name]](x)
    return arrays


def view(memory, at, shape, strides):
    return np.lib.stride_tricks.as_strided(memory[at:], shape, strides)


def pair_of(one, other, shape):
    """Two arrays in every other element of the same memory, or in the same elements."""
    memory = np.zeros(2 * int(np.prod(shape)) + 20)
    strides = 2 * np.array(np.zeros(shape).strides, int)
    return [(view(memory, which["at"], shape, strides), False) for which in (one, other)]


def out_of(which, shape, arrays):
    """An array for results, and whether it is refused; it may take over the memory of an input."""
    dtype, size = which["dtype"], int(np.prod(shape))
    steps = np.array(np.zeros(shape, dtype).strides, int) if size else np.zeros(len(shape), int)
    if which["kind"] == "none":
        return None, False
    if which["kind"] == "new":
        memory = np.full(2 * size + 10, np.nan, dtype)
        if which["step"] == -1 and len(shape):
            return view(memory, which["at"], shape, steps)[::-1], False
        return view(memory, which["at"], shape, steps * which["step"] if size else steps), False
    if which["kind"] == "over":
        name = which["over"]
        other = arrays.get(name)
        if not isinstance(other, np.ndarray) or not other.size or other.ndim > 32:
            return np.zeros(shape, dtype), False
        # Room for steps of 2 elements of 8 bytes.
        memory = np.zeros(2 * max(size, other.size) + 20, "f8").view(dtype)
        try:
            with np.errstate(all="ignore"):
                values = other.astype(dtype)
        except ValueError:
            return np.zeros(shape, dtype), False
        own = np.array(np.zeros(other.shape, dtype).strides, int)
        shared = view(memory, which["of"], other.shape, own * abs(which["step"]))
        shared[...] = values
        arrays[name] = shared
        out = view(memory, which["at"], shape, steps * abs(which["step"]))
        return (out[::-1] if which["step"] == -1 and len(shape) and shape[0] else out), False
    bad = {
        "read-only": read_only(np.zeros(shape, dtype)),
        "repeated": np.lib.stride_tricks.as_strided(np.zeros(1, dtype), shape, (0,) * len(shape)),
        "shape": np.zeros((*shape, 2), dtype),
        "int": np.zeros(shape, "i4"),
        "list": np.zeros(shape).tolist(),
        "swapped": np.zeros(shape, np.dtype("f8").newbyteorder("S")),
        "object": object(),
    }
    return bad[which["bad"]], not (which["bad"] == "repeated" and size <= 1)


def outcome(call, *arguments, **options):
    """Its results, or the error that is allowed."""
    try:
        return call(*arguments, **options)
    except (ValueError, TypeError) as error:
        assert str(error), "an error says what is wrong"
        return error


def assert_same(found, expected):
    if isinstance(found, Exception) or isinstance(expected, Exception):
        assert (type(found), str(found)) == (type(expected), str(expected))
        return
    if isinstance(found, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_same(one, other)
        return
    if isinstance(found, lossfn.Cost):
        assert found == expected or found.state_text == expected.state_text
        return
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if found.dtype.kind not in "fV":
        assert found == expected
        return
    np.testing.assert_array_equal(found.astype("f8"), expected.astype("f8"))


def updated(loss, arguments, options):
    cost = lossfn.Cost(loss)
    before = cost.state_text
    try:
        cost.update(*arguments, **options)
    except (ValueError, TypeError):
        assert cost.state_text == before
        raise
    return pickle.loads(pickle.dumps(cost))


@fuzz(0.85)
@given(call=calls)
@pytest.mark.filterwarnings("ignore")
def test_a_call_gives_what_plain_copies_give(examples, call):
    id, options = loss_of(call)
    loss = outcome(lossfn.catalog[id], **options)
    arrays = arguments_of(call, examples)
    method, count = call["method"], METHODS.get(call["method"], 0)
    of_losses = method in ("value", "function")
    form = ABOUT[id]["form"]
    shape = np.shape(arrays["prediction"])
    if of_losses and form != "pointwise" and -len(shape) <= call["axis"] < len(shape):
        shape = tuple(np.delete(shape, call["axis"]))
    outs = [out_of(which, shape, arrays) for which in call["out"][: max(count, of_losses)]]
    if count == 2 and call["pair"]:
        outs = pair_of(*call["out"], shape)
    copies = {name: plain(x) for name, x in arrays.items()}
    if copies["prediction"].dtype.kind in "iub":
        copies["prediction"] = copies["prediction"].astype("f8")
    is_refused = any(refused for _, refused in outs)
    has_out = any(out is not None for out, _ in outs)

    if isinstance(loss, Exception):
        function = getattr(lossfn, id)
        assert_same(outcome(function, copies["prediction"], copies["target"], **options), loss)
        return
    if method in ("update", "by_group"):
        found, expected = [], []
        for results, given_arrays in ((found, arrays), (expected, copies)):
            some = dict(given_arrays)
            arguments = some.pop("prediction"), some.pop("target")
            if method == "update":
                results.append(outcome(updated, loss, arguments, some))
            else:
                groups = np.arange(int(np.prod(call["shape"]))).reshape(call["shape"]) % 3
                cost = outcome(lossfn.Cost.by_group, loss, *arguments, groups, 3, **some)
                results += [cost] if isinstance(cost, Exception) else cost
        assert_same(tuple(found), tuple(expected))
        return

    def call_with(arrays, outs):
        arguments = dict(arrays)
        prediction, target = arguments.pop("prediction"), arguments.pop("target")
        if any(out is not None for out in outs):
            arguments["out"] = tuple(outs) if count == 2 else outs[0]
        if method == "function":
            return outcome(getattr(lossfn, id), prediction, target, **arguments, **options)
        if method == "hessian_vector_product":
            return outcome(loss.hessian_vector_product, prediction, target, **arguments)
        return outcome(getattr(loss, method), prediction, target, **arguments)

    found = call_with(arrays, [out for out, _ in outs])
    if has_out and is_refused:
        assert isinstance(found, (ValueError, TypeError))
        return
    fresh = [None if out is None else np.zeros(out.shape, out.dtype) for out, _ in outs]
    expected = call_with(copies, fresh)
    if np.ndim(arrays["prediction"]) > 32 and isinstance(found, ValueError):
        return
    if (
        count == 2
        and outs[0][0] is not None
        and outs[1][0] is not None
        and np.shares_memory(outs[0][0], outs[1][0])
    ):
        assert isinstance(found, ValueError)
        return
    assert_same(found, expected)
    if not isinstance(found, Exception) and has_out:
        results = found if isinstance(found, tuple) else (found,)
        for result, (out, _) in zip(results[::-1], outs[::-1]):
            assert out is None or result is out


# Junk.


class Rude:
    """Fails whatever is asked of it."""

    def fail(self, *arguments, **options):
        raise ZeroDivisionError("rude")

    __array__ = __float__ = __index__ = __len__ = __iter__ = __str__ = __repr__ = fail
    __bool__ = __dlpack__ = __dlpack_device__ = __getitem__ = __eq__ = __hash__ = fail


class Liar:
    """Gives what is none of what it says."""

    __array_interface__ = {"shape": (-1,), "typestr": "<f8", "version": 3, "data": None}

    def __len__(self):
        return 2**40

    def __getitem__(self, at):
        return self

    def __dlpack__(self, **options):
        return 3

    def __dlpack_device__(self):
        return 1


RECURSIVE = []
RECURSIVE.append(RECURSIVE)
JUNK = [
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, -(2**70), 10**400, 0.0, -1.5, 1e308,
    float("nan"), float("inf"), 1j, "", "mean", "sum", "none", "huber", "huber(", "huber(delta=2)",
    "\0", "\udc80", "ab" * 5000, b"", b"x", bytearray(8), (), [], {}, set(), [1.0], [1.0, 2.0],
    [[1.0], [2.0, 3.0]], [None], ["x"], {"a": 1}, {1.0}, range(3), object(), int, lossfn.Huber,
    lossfn.Huber(), lossfn.SoftmaxCrossEntropy(), lossfn.Cost(lossfn.Huber()), print, Ellipsis,
    NotImplemented, slice(None), iter([1.0]), memoryview(b"abcdefgh"), Rude, Liar(), RECURSIVE,
    np.float32(1), np.int8(-1), np.bool_(True), np.datetime64("2020"), np.array(1.0), np.array([]),
    np.ones(3), np.ones((2, 2)), np.ones(2, "O"), np.ones(2, "c8"), np.array(["a"]), np.zeros(2,
    "M8[s]"), np.zeros(2, "f4,i2"), np.ma.ones(2), np.array([], "O"), np.full(2, np.nan),
    np.broadcast_to(1.0, (2**20, 2**20, 0)), np.ones((1,) * AXES), np.dtype("f8"),
    np.broadcast_to(1.0, (2**30, 2**29)).T[:1, :1],
    '{"sum":[],"weights":[],"valid":0,"examples":0}',
    Rude(),
]  # fmt: skip


NAMES = [
    "weights", "mask", "out", "reduction", "denominator", "nothing_valid", "class_weights",
    "ignored_class", "class_axis", "component_axis", "state", "groups", "count", "vector", "delta",
    "full", "k", "unknown",
]  # fmt: skip
CALLEES = [
    "class",
    "function",
    "loss",
    "Cost",
    "update",
    "merge",
    "by_group",
    "eq",
    "Loss",
    *METHODS,
]


def junk(data):
    """A call with junk: the places of it in JUNK, since some of it cannot be shown."""
    pick = Choices(data).pick
    places = range(len(JUNK))
    arguments = [pick(*places) for _ in range(pick(2, 0, 1, 2, 3, 4, 5))]
    return (
        pick(*ABOUT),
        pick(*CALLEES),
        arguments,
        {pick(*NAMES): pick(*places) for _ in range(pick(0, 1, 2))},
    )


@fuzz(0.15)
@given(call=st.binary(min_size=16, max_size=16).map(junk))
@pytest.mark.filterwarnings("ignore")
def test_junk_is_refused(call):
    id, what, arguments, options = call
    arguments = [JUNK[at] for at in arguments]
    options = {name: JUNK[at] for name, at in options.items()}
    loss = lossfn.catalog[id]()
    cost = lossfn.Cost(loss)
    callee = {
        "class": lossfn.catalog[id],
        "function": getattr(lossfn, id),
        "loss": lossfn.loss,
        "Cost": lossfn.Cost,
        "update": cost.update,
        "merge": cost.merge,
        "by_group": lossfn.Cost.by_group,
        "eq": lambda *arguments, **options: [
            loss == one for one in arguments if not isinstance(one, Rude)
        ],
        "Loss": lossfn.Loss,
    }.get(what) or getattr(loss, what)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = callee(*arguments, **options)
    except (ValueError, TypeError):
        return
    except MemoryError:
        assert what == "by_group", "only there an argument says how much there is"
        return
    if isinstance(result, lossfn.Loss):
        assert eval(repr(result), {"lossfn": lossfn, "nan": np.nan, "inf": np.inf}) == result
