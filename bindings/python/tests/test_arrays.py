"""Arrays as they come: any element type, strides and owner of the memory; results in place."""

import array
import os
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest

import lossfn

LOSS = lossfn.Huber(delta=1.5)
RNG = np.random.default_rng(7)
PREDICTION, TARGET = RNG.normal(size=(5, 6)) * 2, RNG.normal(size=(5, 6))

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]


def dtype_of(name):
    if name == "bfloat16":
        return np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    return np.dtype(name)


# Element types.


@pytest.mark.parametrize("target_type", FLOATS + INTEGERS)
@pytest.mark.parametrize("prediction_type", FLOATS + INTEGERS)
def test_all_element_types(prediction_type, target_type):
    whole = np.array([[0, 1, 3, 2], [1, 1, 0, 5]])
    prediction = whole.astype(dtype_of(prediction_type))
    target = whole[::-1].astype(dtype_of(target_type))
    wide = prediction.astype("f8"), target.astype("f8")
    value, gradient, second = LOSS.value_gradient_and_second(prediction, target)
    expected_type = prediction.dtype if prediction_type in FLOATS else np.dtype("f8")
    assert gradient.dtype == second.dtype == expected_type
    assert type(value) is float and value == LOSS.value(*wide)
    np.testing.assert_array_equal(gradient, LOSS.gradient(*wide).astype(expected_type))
    losses = lossfn.huber(prediction, target, delta=1.5, reduction="none")
    assert losses.dtype == expected_type
    np.testing.assert_array_equal(
        losses, lossfn.huber(*wide, delta=1.5, reduction="none").astype(expected_type)
    )


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_is_rounded_once(name):
    dtype = dtype_of(name)
    prediction, target = PREDICTION.astype(dtype), TARGET.astype(dtype)
    found = lossfn.log_cosh(prediction, target, reduction="none")
    exact = lossfn.log_cosh(prediction.astype("f8"), target.astype("f8"), reduction="none")
    np.testing.assert_array_equal(found, exact.astype(dtype))


@pytest.mark.parametrize("target_type", INTEGERS)
def test_labels_of_all_integer_types(target_type):
    scores, labels = PREDICTION.reshape(5, 6), np.array([0, 1, 1, 0, 1])
    loss = lossfn.SoftmaxCrossEntropy()
    found = loss.value_and_gradient(scores, labels.astype(target_type))
    expected = loss.value_and_gradient(scores, labels)
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize(
    "dtype", ["O", "c8", "c16", "U3", "S3", "M8[s]", "m8[s]", "g", "f8,f8", "V8"]
)
@pytest.mark.parametrize("name", ["prediction", "target", "weights", "mask", "vector"])
def test_other_element_types_are_refused(name, dtype):
    if dtype == "g" and np.dtype("g") == np.dtype("f8"):
        pytest.skip("long double is double here")
    arguments = dict.fromkeys(["prediction", "target", "weights", "mask", "vector"], np.ones(3))
    arguments[name] = np.zeros(3, dtype)
    with pytest.raises(TypeError, match=rf"^{name} has elements of type .*float64.*bool"):
        LOSS.hessian_vector_product(**arguments)


# Memory layouts.


def unaligned(x):
    return np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)


def field(x):
    records = np.zeros(x.shape, [("tag", "u1"), ("x", x.dtype), ("more", "u2")])
    records["x"] = x
    return records["x"]


def spread(x):
    """With gaps of whole elements along every axis, and the last axis backwards."""
    wide = np.full([3 * size for size in x.shape], np.nan)
    wide[tuple(slice(1, None, 3) for _ in x.shape)] = x[..., ::-1]
    return wide[tuple(slice(1, None, 3) for _ in x.shape)][..., ::-1]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "backwards": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "spread": spread,
    "big-endian": lambda x: x.astype(">f8"),
    "little-endian": lambda x: x.astype("<f8"),
    "unaligned": unaligned,
    "field": field,
    "read-only": read_only,
    "bytes": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "subclass": lambda x: x.view(np.matrix),
}


@pytest.mark.parametrize("of_target", LAYOUTS)
@pytest.mark.parametrize("of_prediction", LAYOUTS)
def test_all_layouts(of_prediction, of_target):
    prediction, target = LAYOUTS[of_prediction](PREDICTION), LAYOUTS[of_target](TARGET)
    weights, mask = LAYOUTS[of_target](np.abs(TARGET)), LAYOUTS[of_prediction](PREDICTION) > 0
    options, plain = (
        {"weights": weights, "mask": mask},
        {"weights": np.abs(TARGET), "mask": PREDICTION > 0},
    )
    for call in (LOSS.value_and_gradient, lossfn.Huber(1.5, reduction="none").value_and_gradient):
        found, expected = call(prediction, target, **options), call(PREDICTION, TARGET, **plain)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(prediction, PREDICTION)


def test_all_layouts_over_axes(examples):
    for id, axis in [("softmax_cross_entropy", "class_axis"), ("gaussian_nll", "component_axis")]:
        one = examples(id, (3, 4))
        cls, expected = lossfn.catalog[id], None
        for place in range(3):
            moved = np.moveaxis(one.prediction, -1, place)
            for layout in (np.ascontiguousarray, np.asfortranarray, lambda x: x, spread):
                for given in (place, place - 3):
                    loss = cls(**{axis: given}, reduction="none")
                    value, gradient = loss.value_and_gradient(layout(moved), one.target)
                    gradient = np.moveaxis(gradient, place, -1)
                    expected = expected or (value, gradient)
                    np.testing.assert_array_equal(value, expected[0])
                    np.testing.assert_array_equal(gradient, expected[1])


def test_views_that_repeat_elements():
    row = PREDICTION[0]
    repeated = np.broadcast_to(row, (5, 6))
    np.testing.assert_array_equal(
        LOSS.gradient(repeated, TARGET), LOSS.gradient(repeated.copy(), TARGET)
    )
    windows = np.lib.stride_tricks.sliding_window_view(np.arange(9.0), 4)
    assert LOSS.value(windows, windows * 0) == LOSS.value(windows.copy(), windows * 0)
    one = np.broadcast_to(2.0, (2**20, 2**20))[:3, :4]
    assert lossfn.squared_error(one, np.zeros((3, 4))) == 4.0


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4), (2**30, 0, 2**20)])
def test_no_elements(shape):
    empty = np.zeros(shape)
    with pytest.raises(ValueError, match="no example"):
        LOSS.value(empty, empty)
    for reduction, value in [("mean", np.nan), ("sum", 0.0)]:
        loss = lossfn.Huber(reduction=reduction, nothing_valid="nan")
        found, gradient, second = loss.value_gradient_and_second(empty, empty)
        np.testing.assert_equal(found, value)
        assert gradient.shape == second.shape == shape
    losses = lossfn.huber(empty, empty, reduction="none")
    assert losses.shape == shape and losses.dtype == "f8"
    assert lossfn.huber(empty, empty, reduction="none", out=empty) is empty


def test_no_axes():
    prediction, target = np.array(3.0, "f4"), np.array(0.5, "f4")
    gradient = LOSS.gradient(prediction, target)
    assert isinstance(gradient, np.ndarray) and gradient.shape == () and gradient.dtype == "f4"
    out = np.zeros(())
    assert LOSS.gradient(prediction, target, out=out) is out and out == 1.5


@pytest.mark.parametrize("axes", [17, 32, 33, 64])
def test_many_axes(axes):
    try:
        deep = np.full((1,) * axes, 3.0)
    except ValueError:
        pytest.skip("this NumPy has fewer axes")
    try:
        gradient = LOSS.gradient(deep, np.zeros_like(deep), out=np.zeros_like(deep))
        assert gradient.shape == deep.shape and gradient.item() == 1.5
    except ValueError as error:
        assert axes > 32 and "prediction" in str(error) and str(axes) in str(error)


def test_results_too_large_for_memory():
    huge = np.broadcast_to(1.0, (2**30, 2**28))
    for call in (LOSS.gradient, lossfn.Huber(reduction="none").value):
        with pytest.raises((ValueError, MemoryError)):
            call(huge, np.zeros(3))
        with pytest.raises(MemoryError):
            call(huge, huge)


# Objects that are no arrays.


@pytest.mark.parametrize(
    "number", [3, 3.0, True, np.float32(3), np.int8(3), np.float16(3), np.True_]
)
def test_numbers_give_numbers(number):
    for result in (
        LOSS.value(number, 0),
        LOSS.gradient(number, 0.0),
        lossfn.huber(number, np.float32(0), reduction="none"),
        *LOSS.value_gradient_and_second(number, np.array(0.0)),
    ):
        assert type(result) is float
    assert LOSS.gradient(3.0, 0.0) == 1.5


@pytest.mark.parametrize(
    "of",
    [list, tuple, lambda x: array.array("d", x), lambda x: memoryview(np.array(x)), np.array],
    ids=["list", "tuple", "array.array", "memoryview", "ndarray"],
)
def test_sequences(of):
    gradient = LOSS.gradient(of([3.0, 1.0]), of([0.0, 0.0]), weights=of([1.0, 1.0]))
    assert isinstance(gradient, np.ndarray) and gradient.tolist() == [0.75, 0.5]


@pytest.mark.parametrize("name", ["prediction", "target", "weights", "mask"])
def test_masked_arrays_are_refused(name):
    arguments = dict.fromkeys(["prediction", "target", "weights", "mask"], np.ones(3))
    arguments[name] = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    with pytest.raises(TypeError, match=rf"{name} is a masked array: .*mask=~"):
        LOSS.value(**arguments)


class Capsule:
    """An owner of memory that is no array to NumPy but by DLPack."""

    def __init__(self, data):
        self.data = data

    def __dlpack__(self, **options):
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.data.__dlpack_device__()


def test_dlpack_without_a_copy():
    prediction, out = Capsule(PREDICTION.copy()), Capsule(np.zeros((5, 6)))
    if not np.from_dlpack(out).flags.writeable:
        with pytest.raises(ValueError, match="out is read-only"):
            LOSS.gradient(prediction, TARGET, out=out)
        pytest.skip("this NumPy lets nobody write to what comes by DLPack")
    result = LOSS.gradient(prediction, Capsule(TARGET), out=out)
    np.testing.assert_array_equal(out.data, LOSS.gradient(PREDICTION, TARGET))
    assert result is out or result.ctypes.data == out.data.ctypes.data
    same = LOSS.gradient(prediction, TARGET, out=prediction)
    np.testing.assert_array_equal(prediction.data, out.data)
    assert same is prediction or same.ctypes.data == prediction.data.ctypes.data


@pytest.mark.parametrize("library", ["jax.numpy", "pandas", "polars", "pyarrow"])
def test_arrays_of_other_libraries(library):
    module = pytest.importorskip(library)
    make = {"jax.numpy": "asarray", "pandas": "Series", "polars": "Series", "pyarrow": "array"}[
        library
    ]
    prediction = getattr(module, make)(PREDICTION[0].astype("f4"))
    gradient = LOSS.gradient(prediction, TARGET[0].astype("f4"))
    np.testing.assert_array_equal(
        gradient, LOSS.gradient(PREDICTION[0].astype("f4"), TARGET[0].astype("f4"))
    )


class Broken:
    def __init__(self, error):
        self.error = error

    def __array__(self, *arguments, **options):
        raise self.error


def test_objects_that_cannot_be_read():
    for junk in (
        None,
        object(),
        {1.0},
        {},
        "text",
        b"bytes",
        [[1.0], [1.0, 2.0]],
        1j,
        iter([1.0]),
        10**400,
    ):
        with pytest.raises(TypeError, match="^target "):
            LOSS.value([1.0], junk)
    with pytest.raises(TypeError, match="prediction is a .*Broken .*: no memory of it") as caught:
        LOSS.value(Broken(RuntimeError("no memory of it")), 0.0)
    assert isinstance(caught.value.__cause__, RuntimeError)
    for interrupt in (KeyboardInterrupt, SystemExit):
        with pytest.raises(interrupt):
            LOSS.value(Broken(interrupt()), 0.0)


# Results in place.


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", ["contiguous", "fortran", "transposed", "backwards", "spread"])
def test_out_is_what_comes_back(layout, dtype):
    out = LAYOUTS[layout](np.full((5, 6), np.nan)).astype(dtype_of(dtype), order="K", copy=False)
    assert LOSS.gradient(PREDICTION, TARGET, out=out) is out
    np.testing.assert_array_equal(out, LOSS.gradient(PREDICTION, TARGET).astype(out.dtype))


@pytest.mark.parametrize("layout", [field, lambda x: unaligned(x).copy()[:], unaligned])
def test_out_with_gaps_or_off_its_alignment(layout):
    out = layout(np.zeros((5, 6)))
    if not out.flags.writeable:
        memory = bytearray(1 + out.nbytes)
        out = np.frombuffer(memory, np.uint8)[1:].view("f8").reshape(5, 6)
    assert LOSS.gradient(PREDICTION, TARGET, out=out) is out
    np.testing.assert_array_equal(out, LOSS.gradient(PREDICTION, TARGET))


def test_out_leaves_what_is_between():
    wide = np.full((5, 12), 7.0)
    LOSS.gradient(PREDICTION, TARGET, out=wide[:, ::2])
    assert (wide[:, 1::2] == 7.0).all() and (wide[:, ::2] != 7.0).all()


@pytest.mark.parametrize(
    "method, count",
    [
        ("gradient", 1),
        ("second", 1),
        ("curvature", 1),
        ("value_and_gradient", 1),
        ("value_gradient_and_second", 2),
        ("value_gradient_and_curvature", 2),
    ],
)
def test_out_of_every_method(method, count):
    outs = tuple(np.zeros((5, 6), "f4") for _ in range(count))
    plain = getattr(LOSS, method)(PREDICTION, TARGET)
    results = getattr(LOSS, method)(PREDICTION, TARGET, out=outs[0] if count == 1 else outs)
    results = results if isinstance(results, tuple) else (results,)
    plain = plain if isinstance(plain, tuple) else (plain,)
    for out, result, expected in zip(outs[::-1], results[::-1], plain[::-1]):
        assert result is out
        np.testing.assert_array_equal(out, expected.astype("f4"))
    if count == 2:
        some = getattr(LOSS, method)(PREDICTION, TARGET, out=(None, outs[1]))
        assert some[2] is outs[1] and some[1] is not outs[0] and some[1].dtype == "f8"


def test_out_of_losses_and_products():
    loss, out = lossfn.Huber(1.5, reduction="none"), np.zeros((5, 6))
    assert loss.value(PREDICTION, TARGET, out=out) is out
    np.testing.assert_array_equal(out, loss.value(PREDICTION, TARGET))
    assert lossfn.huber(PREDICTION, TARGET, 1.5, reduction="none", out=out) is out
    product = LOSS.hessian_vector_product(PREDICTION, TARGET, PREDICTION)
    assert LOSS.hessian_vector_product(PREDICTION, TARGET, PREDICTION, out=out) is out
    np.testing.assert_array_equal(out, product)


def test_out_of_rows():
    loss, scores, labels = lossfn.SoftmaxCrossEntropy(reduction="none"), PREDICTION, [0, 1, 2, 3, 4]
    out = np.zeros(5)
    assert loss.value(scores, labels, out=out) is out
    with pytest.raises(ValueError, match=r"out .*\b6\b.*\b5\b"):
        loss.value(scores, labels, out=np.zeros((5, 6)))


def overlaps():
    """Names, and functions of a buffer: an input and an out that share some of it."""
    return {
        "itself": lambda b: (b[:30], b[:30]),
        "shifted up": lambda b: (b[:30], b[1:31]),
        "shifted down": lambda b: (b[1:31], b[:30]),
        "backwards": lambda b: (b[:30], b[:30][::-1]),
        "interleaved": lambda b: (b[:60:2], b[1:60:2]),
        "every other": lambda b: (b[:30], b[:60:2]),
        "transposed": lambda b: (b[:30].reshape(5, 6), b[:30].reshape(6, 5).T),
        "half": lambda b: (b[:30], b.view("f4")[20:50]),
    }


@pytest.mark.parametrize("which", ["prediction", "target", "weights", "vector"])
@pytest.mark.parametrize("name", overlaps())
def test_out_over_an_input(name, which):
    buffer = RNG.random(100)
    shared, out = overlaps()[name](buffer)
    arguments = {
        key: RNG.random(shared.shape) for key in ("prediction", "target", "weights", "vector")
    }
    arguments[which] = shared
    expected = LOSS.hessian_vector_product(**{key: x.copy() for key, x in arguments.items()})
    assert LOSS.hessian_vector_product(**arguments, out=out) is out
    np.testing.assert_array_equal(out, expected.astype(out.dtype))


def test_a_mask_may_be_overwritten():
    mask = (PREDICTION > 0).astype("f8")
    expected = LOSS.gradient(PREDICTION, TARGET, mask=mask)
    np.testing.assert_array_equal(LOSS.gradient(PREDICTION, TARGET, mask=mask, out=mask), expected)


def test_results_may_lie_between_each_other():
    both = np.zeros((5, 12))
    out = both[:, ::2], both[:, 1::2]
    _, gradient, second = LOSS.value_gradient_and_second(PREDICTION, TARGET, out=out)
    _, first, twice = LOSS.value_gradient_and_second(PREDICTION, TARGET)
    np.testing.assert_array_equal(gradient, first)
    np.testing.assert_array_equal(second, twice)


def test_results_may_not_share_memory():
    memory = np.zeros(40)
    for one, other in [
        (memory[:30], memory[:30]),
        (memory[:30], memory[5:35]),
        (memory[:30], memory[29::-1]),
    ]:
        with pytest.raises(ValueError, match="out"):
            LOSS.value_gradient_and_second(PREDICTION.ravel(), TARGET.ravel(), out=(one, other))
    assert not memory.any()


def broadcast_writeable():
    return np.lib.stride_tricks.as_strided(np.zeros(6), (5, 6), (0, 8), writeable=True)


REFUSED = {
    "wrong shape": (np.zeros((6, 5)), ValueError, r"out .*\b6, 5\b.*\b5, 6\b"),
    "flat": (np.zeros(30), ValueError, r"out .*\b30\b.*\b5, 6\b"),
    "integers": (np.zeros((5, 6), int), TypeError, "out .*int64.*float64"),
    "bool": (np.zeros((5, 6), bool), TypeError, "out .*bool.*float64"),
    "objects": (np.zeros((5, 6), object), TypeError, "out .*object.*float64"),
    "complex": (np.zeros((5, 6), complex), TypeError, "out .*complex128.*float64"),
    "foreign": (
        np.zeros((5, 6), ">f8" if sys.byteorder == "little" else "<f8"),
        TypeError,
        "out .*byte",
    ),
    "read-only": (read_only(np.zeros((5, 6))), ValueError, "out is read-only.*written"),
    "broadcast": (np.broadcast_to(0.0, (5, 6)), ValueError, "out "),
    "repeating": (broadcast_writeable(), ValueError, "out has elements that share memory.*own"),
    "windows": (
        np.lib.stride_tricks.sliding_window_view(np.zeros(10), 6, writeable=True),
        ValueError,
        "out has elements that share memory",
    ),
    "list": ([[0.0] * 6] * 5, TypeError, "out is a list.*array"),
    "number": (1.0, TypeError, "out is a float.*array"),
    "text": ("out", TypeError, "out is a str.*array"),
    "masked": (np.ma.zeros((5, 6)), TypeError, "out .*mask"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_out_that_is_refused(name):
    out, error, said = REFUSED[name]
    before = np.array(out)
    with pytest.raises(error, match=said):
        LOSS.gradient(PREDICTION, TARGET, out=out)
    with pytest.raises(error, match=said):
        LOSS.value_gradient_and_second(PREDICTION, TARGET, out=(None, out))
    np.testing.assert_array_equal(np.array(out), before)


def test_out_must_be_as_many_as_there_are_results():
    for out in (np.zeros((5, 6)), [None, None], (None,), (None, None, None), ()):
        with pytest.raises(TypeError, match="out must be a tuple .*gradient, second"):
            LOSS.value_gradient_and_second(PREDICTION, TARGET, out=out)
    with pytest.raises(ValueError, match="out=.*reduction='none'"):
        LOSS.value(PREDICTION, TARGET, out=np.zeros((5, 6)))


def test_after_an_error_out_is_as_it_was():
    out = np.full(3, 7.0)
    for prediction, target in [([1.0, 2.0, 3.0], [1.0, 2.0]), ([1.0, 2.0, 3.0], [1.0, -1.0, 0.5])]:
        with pytest.raises(ValueError):
            lossfn.Hinge().gradient(prediction, target, out=out)
        assert (out == 7.0).all()


# What it costs.


@pytest.mark.parametrize("layout", ["contiguous", "spread", "fortran", "read-only"])
def test_nothing_is_copied(layout):
    # NumPy tells tracemalloc of its memory; a copy of an input would be 8 MB.
    prediction = LAYOUTS[layout](np.ones((1000, 1000)))
    target = LAYOUTS[layout](np.zeros((1000, 1000)))
    out = np.zeros((1000, 1000))
    for call in (
        lambda: LOSS.value(prediction, target),
        lambda: LOSS.gradient(prediction, target, out=out),
    ):
        call()
        tracemalloc.start()
        try:
            call()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 100_000


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
def test_memory_beside_the_arrays_is_small():
    # What Rust allocates no tracer sees, so this looks at the process's peak.
    program = """
import re, numpy as np, lossfn
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
prediction, target = np.ones((3, 4_000_000), "f4"), np.zeros((3, 4_000_000), "f4")
out = np.ones_like(prediction)
lossfn.huber(prediction[:, :100], target[:, :100])
before = peak()
lossfn.Huber().value_and_gradient(prediction, target, out=out)
lossfn.Huber().value_and_gradient(prediction[:, ::-2], target[:, ::-2], out=out[:, 1::2])
print(peak() - before)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 8_000_000, "a copy of an input would be 48 MB"


def test_nothing_is_kept_alive():
    prediction, target, out = PREDICTION.copy(), TARGET.copy(), np.zeros((5, 6))
    counts = [sys.getrefcount(x) for x in (prediction, target, out)]
    for _ in range(10):
        result = LOSS.value_gradient_and_second(
            prediction, target, weights=target**2, out=(out, None)
        )
        with pytest.raises(ValueError):
            LOSS.gradient(prediction, target[1:], out=out)
    del result
    assert [sys.getrefcount(x) for x in (prediction, target, out)] == counts


# Threads and processes.

LARGE = RNG.normal(size=3_000_000).astype("f4")


def test_other_threads_run_meanwhile():
    ticks, done = [], threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        loss, target = lossfn.LogCosh(), np.zeros_like(LARGE)
        out = np.zeros_like(LARGE)
        calls = []
        for _ in range(20):
            start = time.perf_counter()
            loss.value_and_gradient(LARGE, target, out=out)
            calls.append((start, time.perf_counter()))
    finally:
        done.set()
        thread.join()
    # While Python's lock is held no tick can fall well inside a call.
    inside = sum(any(start + 5e-4 < tick < end - 5e-4 for tick in ticks) for start, end in calls)
    assert inside >= 5


def test_threads_may_call_at_once():
    expected = LOSS.value_and_gradient(LARGE[:300_000], LARGE[:300_000] * 0)
    wrong = []

    def work():
        for _ in range(5):
            value, gradient = LOSS.value_and_gradient(LARGE[:300_000], LARGE[:300_000] * 0)
            if value != expected[0] or not np.array_equal(gradient, expected[1]):
                wrong.append(value)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_number_of_threads_does_not_matter():
    program = """
import numpy as np, lossfn
x = np.random.default_rng(0).normal(size=1_000_003).astype("f4")
value, gradient = lossfn.LogCosh().value_and_gradient(x, x[::-1] / 3)
print(value.hex(), hash(gradient.tobytes()))
"""
    outputs = set()
    for threads in ("1", "2", "5"):
        environment = {**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": "0"}
        outputs.add(
            subprocess.run(
                [sys.executable, "-c", program],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
    assert len(outputs) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_can_call():
    # The threads of the parent do not exist in the child.
    program = """
import os, numpy as np, lossfn
x = np.random.default_rng(0).normal(size=3_000_000).astype("f4")
expected = lossfn.huber(x, x[::-1])
child = os.fork()
if child == 0:
    os._exit(0 if all(lossfn.huber(x, x[::-1]) == expected for _ in range(3)) else 1)
assert os.waitpid(child, 0)[1] == 0
assert lossfn.huber(x, x[::-1]) == expected
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)
