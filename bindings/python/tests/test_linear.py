"""A linear layer with its cost, against NumPy and the loss of scores in full."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import lossfn

N, WIDTH, CLASSES = 40, 6, 9

SETTINGS = [
    {},
    {"reduction": "sum"},
    {"reduction": "none"},
    {"denominator": "valid"},
    {"denominator": 5.0},
    {"soft_cap": 2.0, "z_loss": 0.1, "label_smoothing": 0.1, "temperature": 2.0},
    {"class_weights": np.linspace(0, 2, CLASSES).tolist()},
]


@pytest.fixture
def layer():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, N)
    labels[::7] = -100
    return rng.normal(size=(N, WIDTH)), rng.normal(size=(CLASSES, WIDTH)), labels, rng.normal(size=CLASSES)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_in_full(layer, settings, dtype):
    hidden, classifier, labels, bias = (x.astype(dtype) if x.dtype == float else x for x in layer)
    loss = lossfn.SoftmaxCrossEntropy(ignored_class=-100, **settings)
    weights = np.arange(N) % 3
    wide_hidden, wide_classifier = hidden.astype(float), classifier.astype(float)
    scores = wide_hidden @ wide_classifier.T + bias.astype(float)
    value, gradient = loss.value_and_gradient(scores, labels, weights=weights)
    expected = value, gradient @ wide_classifier, gradient.T @ wide_hidden, gradient.sum(0)

    cost = lossfn.LinearCost(loss)
    found = cost.value_and_gradients(hidden, classifier, labels, bias, weights=weights)
    digits = {"float64": 1e-13, "float32": 1e-5, "float16": 2e-3}[dtype]
    assert len(found) == 4
    for one, other, like in zip(found, expected, (hidden, hidden, classifier, bias), strict=True):
        np.testing.assert_allclose(one, other, rtol=digits, atol=digits * np.abs(other).max())
        assert np.ndim(one) == 0 or one.dtype == like.dtype
    np.testing.assert_array_equal(cost(hidden, classifier, labels, bias, weights=weights), found[0])
    direct = lossfn.linear_cross_entropy(
        hidden, classifier, labels, bias, weights=weights, ignored_class=-100, **settings
    )
    np.testing.assert_array_equal(direct, found[0])


def test_without_bias_there_are_two_gradients(layer):
    hidden, classifier, labels, _ = layer
    mask = labels >= 0
    found = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy()).value_and_gradients(
        hidden, classifier, labels, mask=mask
    )
    assert [np.shape(one) for one in found] == [(), (N, WIDTH), (CLASSES, WIDTH)]
    assert (found[1][~mask] == 0).all()


def test_out(layer):
    hidden, classifier, labels, bias = layer
    cost = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy(ignored_class=-100))
    expected = cost.value_and_gradients(hidden, classifier, labels, bias)
    by_hidden, by_classifier = np.empty((WIDTH, N)).T, np.empty((CLASSES, WIDTH), np.float32)
    found = cost.value_and_gradients(hidden, classifier, labels, bias, out=(by_hidden, by_classifier, None))
    assert found[1] is by_hidden and found[2] is by_classifier
    np.testing.assert_array_equal(by_hidden, expected[1])
    np.testing.assert_array_equal(by_classifier, expected[2].astype(np.float32))
    # In the place of what they are by.
    found = cost.value_and_gradients(hidden, classifier, labels, bias, out=(hidden, classifier, bias))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(TypeError, match="out must be a tuple of arrays: by hidden, by classifier, by bias"):
        cost.value_and_gradients(hidden, classifier, labels, bias, out=by_hidden)
    with pytest.raises(ValueError, match="out= is for arrays"):
        cost.value(hidden, classifier, labels, out=np.empty(N))
    alone = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy(ignored_class=-100, reduction="none"))
    losses = np.empty(N, np.float32)
    assert alone.value(hidden, classifier, labels, bias, out=losses) is losses


def test_bfloat16(layer):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    hidden, classifier, labels, _ = layer
    hidden, classifier = hidden.astype(ml_dtypes.bfloat16), classifier.astype(ml_dtypes.bfloat16)
    cost = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy(ignored_class=-100))
    found = cost.value_and_gradients(hidden, classifier, labels)
    expected = cost.value_and_gradients(hidden.astype(np.float32), classifier.astype(np.float32), labels)
    assert found[0] == expected[0]
    for one, other in zip(found[1:], expected[1:], strict=True):
        assert one.dtype == ml_dtypes.bfloat16
        np.testing.assert_array_equal(one, other.astype(ml_dtypes.bfloat16))


def test_errors(layer):
    hidden, classifier, labels, bias = layer
    cost = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy(ignored_class=-100))
    with pytest.raises(ValueError, match=r"hidden has shape \[40, 5\].*\[40, 6\]"):
        cost.value(hidden[:, :5], classifier, labels)
    with pytest.raises(ValueError, match=r"classifier has shape \[9\]: it must have two axes"):
        cost.value(hidden, bias, labels)
    with pytest.raises(ValueError, match=r"bias has shape \[8\].*\[9\]"):
        cost.value(hidden, classifier, labels, bias[:8])
    with pytest.raises(ValueError, match=r"target has shape \[39\].*\[40\]"):
        cost.value(hidden, classifier, labels[1:])
    with pytest.raises(ValueError, match="label 9 at position 39 is not a class"):
        cost.value(hidden, classifier, np.append(labels[:-1], 9))
    with pytest.raises(ValueError, match="no example counts"):
        cost.value(hidden, classifier, np.full(N, -100))
    with pytest.raises(TypeError, match="hidden has elements of type"):
        cost.value(hidden.astype(complex), classifier, labels)
    with pytest.raises(ValueError, match="huber cannot have a linear layer"):
        lossfn.LinearCost(lossfn.Huber())
    with pytest.raises(ValueError, match="no raw scores"):
        lossfn.LinearCost(lossfn.CategoricalCrossEntropy())
    with pytest.raises(TypeError):
        lossfn.LinearCost("softmax_cross_entropy")


def test_it_is_a_value():
    cost = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy(soft_cap=30.0))
    assert repr(cost).startswith("lossfn.LinearCost(lossfn.SoftmaxCrossEntropy(")
    assert pickle.loads(pickle.dumps(cost)) == cost == eval(repr(cost))
    assert cost != lossfn.LinearCost(lossfn.SoftmaxCrossEntropy())
    assert cost.loss == lossfn.SoftmaxCrossEntropy(soft_cap=30.0)


MEMORY = """
import resource
import numpy as np
import lossfn

n, width, classes = 3000, 16, 100_000
rng = np.random.default_rng(0)
hidden = rng.normal(size=(n, width)).astype(np.float32)
classifier = rng.normal(size=(classes, width)).astype(np.float32)
out = np.ones_like(hidden), np.ones_like(classifier)
cost = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy())
cost.value(hidden[:2], classifier[:2], [0, 1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cost.value_and_gradients(hidden, classifier, rng.integers(0, classes, n), out=out)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units")
def test_memory():
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    block = 512 * 100_000 * 4
    # Its scores in full are six times as much.
    assert int(run.stdout) < 1.25 * block
