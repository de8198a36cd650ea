"""`lossfn.jax`: the core's numbers, to the last bit, under all of JAX's transformations."""

import doctest
import importlib
import inspect
from functools import partial

import numpy as np
import pytest

import lossfn

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
jnp = importlib.import_module("jax.numpy")
lj = importlib.import_module("lossfn.jax")
# Most of the time here is spent on compiling.
jax.config.update("jax_disable_most_optimizations", True)

GENERATOR = np.random.default_rng(0)


@pytest.fixture
def arrays(examples):
    """Predictions, targets, weights and a mask for a loss, of JAX's default types."""

    def make(id, count=6):
        made = examples(id, (count,))
        weights = GENERATOR.uniform(0.5, 2, count).astype(np.float32)
        mask = np.arange(count) % 3 != 1
        prediction, target = (
            np.asarray(jnp.asarray(one)) for one in (made.prediction, made.target)
        )
        return prediction, target, weights, mask

    return make


def same(ours, core, dtype=np.float32):
    assert ours.dtype == dtype
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(core).astype(dtype))


def test_documentation():
    tested = doctest.testmod(lj)
    assert tested.attempted >= 6 and tested.failed == 0


def test_has_every_loss_with_its_arguments():
    for id in lossfn.catalog:
        ours, plain = inspect.signature(getattr(lj, id)), inspect.signature(getattr(lossfn, id))
        assert [*ours.parameters, "out"] == list(plain.parameters)
        assert getattr(lj, id).__doc__
    assert set(lj.__all__) == {*lossfn.catalog, "value_of"}
    with pytest.raises(AttributeError, match="here that loss is lossfn.huber"):
        _ = lj.HuberLoss


@pytest.mark.parametrize("id", lossfn.catalog)
def test_value_and_gradient_are_the_cores(id, arrays):
    p, y, weights, mask = arrays(id)
    function, kind = getattr(lj, id), lossfn.catalog[id]
    losses = kind(reduction="none").value(p, y)
    slopes = GENERATOR.normal(size=losses.shape).astype(np.float32)

    @jax.jit
    def all_of_it(p, y, weights, mask):
        total = partial(function, target=y, weights=weights, mask=mask, reduction="sum")
        one_by_one, pulled = jax.vjp(lambda p: function(p, y, reduction="none"), p)
        return (
            jax.value_and_grad(function)(p, y),
            jax.value_and_grad(total)(p),
            one_by_one,
            pulled(slopes),
        )

    mean, total, one_by_one, (pulled,) = all_of_it(p, y, weights, mask)
    for ours, core in zip(mean, kind().value_and_gradient(p, y), strict=True):
        same(ours, core)
    expected = kind(reduction="sum").value_and_gradient(p, y, weights=weights, mask=mask)
    for ours, core in zip(total, expected, strict=True):
        same(ours, core)
    same(one_by_one, losses)
    # Without a reduction each loss has a slope of its own, which its gradient is multiplied by.
    rows = slopes if losses.shape == p.shape else slopes[:, None]
    same(pulled, rows * kind(reduction="none").gradient(p, y))


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64])
@pytest.mark.parametrize(
    "id", ["huber", "binary_cross_entropy_with_logits", "softmax_cross_entropy"]
)
def test_element_types(id, dtype, arrays):
    with jax.enable_x64(dtype == jnp.float64):
        p, y, weights, _ = arrays(id)
        p = jnp.asarray(p, dtype)
        array = np.asarray(p)
        for settings in ({}, {"reduction": "none"}):
            function = partial(getattr(lj, id), **settings)
            core = lossfn.catalog[id](**settings)
            same(
                jax.jit(function)(p, y, weights=weights),
                core.value(array, y, weights=weights),
                dtype,
            )
        function = getattr(lj, id)
        core = lossfn.catalog[id]()
        same(jax.grad(function)(p, y), core.gradient(array, y), dtype)
        hessian = jax.hessian(function)(p, y)
        assert hessian.dtype == dtype and hessian.shape == p.shape * 2


def test_whole_numbers_count_as_the_default_type():
    assert lj.huber([3, 0], [1, 0]).dtype == np.float32
    assert lj.huber(jnp.array([3, 0]), jnp.array([1, 0])) == 0.75
    with jax.enable_x64(True):
        assert lj.huber(np.array([3, 0]), np.array([1, 0])).dtype == np.float64


# Values, gradients and second derivatives from elsewhere.

LABELS = np.array([0, 2, 1, 1])
SCORES = GENERATOR.normal(size=(4, 3))
SHARES = GENERATOR.dirichlet(np.ones(3), size=4)
BITS = np.array([0.0, 1.0, 1.0, 0.0])
X, Y = GENERATOR.normal(size=(2, 4)) * 2


def focal(p, y):
    return optax.sigmoid_focal_loss(p, y, alpha=0.3, gamma=2.0).mean()


def poly(p, y):
    return optax.losses.poly_loss_cross_entropy(p, y, epsilon=2.0).mean()


OTHERS = {
    "squared_error": (lj.squared_error, lambda p, y: ((p - y) ** 2).mean(), X, Y),
    "huber": (
        partial(lj.huber, delta=0.7),
        lambda p, y: optax.huber_loss(p, y, delta=0.7).mean(),
        X,
        Y,
    ),
    "log_cosh": (lj.log_cosh, lambda p, y: optax.log_cosh(p, y).mean(), X, Y),
    "poisson_log_link": (
        partial(lj.poisson_log_link, reduction="sum"),
        lambda p, y: (jnp.exp(p) - y * p).sum(),
        X,
        np.abs(Y),
    ),
    "quantile": (
        partial(lj.quantile, level=0.9),
        lambda p, y: jnp.maximum(0.9 * (y - p), 0.1 * (p - y)).mean(),
        X,
        Y,
    ),
    "logits": (
        lj.binary_cross_entropy_with_logits,
        lambda p, y: optax.sigmoid_binary_cross_entropy(p, y).mean(),
        X,
        BITS,
    ),
    "focal": (partial(lj.sigmoid_focal, alpha=0.3), focal, X, BITS),
    "hinge": (lj.hinge, lambda p, y: optax.hinge_loss(p, y).mean(), X, 2 * BITS - 1),
    "labels": (
        lj.softmax_cross_entropy,
        lambda p, y: optax.softmax_cross_entropy_with_integer_labels(p, y).mean(),
        SCORES,
        LABELS,
    ),
    "shares": (
        lj.softmax_cross_entropy,
        lambda p, y: optax.softmax_cross_entropy(p, y).mean(),
        SCORES,
        SHARES,
    ),
    "poly": (partial(lj.poly1_cross_entropy, epsilon=2.0), poly, SCORES, np.eye(3)[LABELS]),
    "divergence": (
        lj.kullback_leibler,
        lambda p, y: optax.kl_divergence(p, y).mean(),
        np.log(SHARES[::-1]),
        SHARES,
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_agrees_with_optax_and_formulas(name):
    ours, theirs, p, y = OTHERS[name]
    with jax.enable_x64(True):
        p, y = jnp.asarray(p), jnp.asarray(y)

        @jax.jit
        def both(p, y):
            def all_of(f):
                return f(p, y), jax.grad(f)(p, y), jax.hessian(f)(p, y)

            return (*all_of(ours), jax.jacrev(jax.jacrev(ours))(p, y)), all_of(theirs)

        (*derived, backward), expected = both(p, y)
        # The other side subtracts and takes logarithms in f64: a few units in the last place.
        for one, other in zip([*derived, backward], [*expected, expected[-1]], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


# Transformations.


def test_forward_mode_and_mixed_second_derivatives():
    ours = partial(lj.softmax_cross_entropy, target=LABELS, reduction="sum")
    core = lossfn.SoftmaxCrossEntropy(reduction="sum")

    @jax.jit
    def all_of_it(p, v):
        along = lambda f: lambda p: (jax.grad(f)(p) * v).sum()
        products = (
            jax.jvp(jax.grad(ours), (p,), (v,))[1],
            jax.grad(along(ours))(p),
            jax.grad(lambda p: jax.jvp(ours, (p,), (v,))[1])(p),
        )
        # Slopes of losses one by one pass through both derivatives.
        one_by_one = partial(lj.softmax_cross_entropy, target=LABELS, reduction="none")
        squares = lambda p: (one_by_one(p) ** 2).sum()
        peer = lambda p: (optax.softmax_cross_entropy_with_integer_labels(p, LABELS) ** 2).sum()
        seconds = [(jax.hessian(f)(p), jax.grad(along(f))(p)) for f in (squares, peer)]
        return jax.jvp(ours, (p,), (v,)), products, seconds

    with jax.enable_x64(True):
        (value, slope), products, seconds = all_of_it(jnp.asarray(SCORES), jnp.asarray(SHARES))
    assert float(value) == core.value(SCORES, LABELS)
    np.testing.assert_allclose(slope, (core.gradient(SCORES, LABELS) * SHARES).sum(), rtol=1e-14)
    for product in products:
        np.testing.assert_array_equal(product, core.hessian_vector_product(SCORES, LABELS, SHARES))
    for one, other in zip(*seconds, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("id", lossfn.catalog)
def test_second_derivatives_or_a_clear_error(id, arrays):
    p, y, *_ = arrays(id)
    function = partial(getattr(lj, id), reduction="sum")
    ones = np.ones_like(p)
    product = lambda p: jax.jvp(lambda p: jax.grad(function)(p, y), (p,), (ones,))[1]
    try:
        expected = lossfn.catalog[id](reduction="sum").hessian_vector_product(p, y, ones)
    except ValueError:
        with pytest.raises(ValueError, match="second derivative"):
            product(p)
    else:
        same(jax.jit(product)(p), expected)


BATCHES = {
    "one number": ((7,), (7,), {}),
    "one number each": ((7, 1), (7, 1), {"reduction": "sum"}),
    "rows": ((7, 5), (7, 5), {}),
    "matrices, one by one": ((7, 5, 2), (7, 5, 2), {"reduction": "none"}),
    "a number divides": ((7,), (7,), {"denominator": 4.0}),
}


@pytest.mark.parametrize("name", BATCHES)
def test_vmap_gives_a_result_for_each(name):
    p_shape, y_shape, settings = BATCHES[name]
    p, y = (GENERATOR.normal(size=s).astype(np.float32) for s in (p_shape, y_shape))
    loss = lossfn.Huber(**settings)
    function = jax.value_and_grad(lambda p, y: lj.value_of(loss, p, y).sum())
    values, gradients = jax.jit(jax.vmap(function))(p, y)
    for i in range(7):
        same(gradients[i], loss.gradient(p[i], y[i]))
    losses = jax.vmap(partial(lj.huber, **settings))(p, y)
    same(losses, np.stack([loss.value(p[i], y[i]) for i in range(7)]))


def test_vmap_of_rows_weights_masks_and_axes():
    p = GENERATOR.normal(size=(6, 3, 4)).astype(np.float32)
    y = GENERATOR.integers(0, 3, size=(6, 4))
    weights = GENERATOR.uniform(1, 2, size=(6, 4)).astype(np.float32)
    mask = GENERATOR.uniform(size=(6, 4)) > 0.3
    loss = lossfn.SoftmaxCrossEntropy(class_axis=0, ignored_class=1, nothing_valid="zero")
    function = lambda p, y, w, m: lj.value_of(loss, p, y, weights=w, mask=m)
    # The first prediction with each target, and each weight: nested, with what all share.
    all_pairs = jax.vmap(jax.vmap(function, (None, None, 0, None)), (None, 0, None, None))
    # A row each, of which one call computes all, with the axis of classes first.
    one = partial(lj.softmax_cross_entropy, class_axis=0)
    peer = optax.softmax_cross_entropy_with_integer_labels

    @jax.jit
    def all_of_it(p, y, weights, mask):
        return (
            jax.vmap(jax.grad(function))(p, y, weights, mask),
            all_pairs(p[0], y, weights, mask[0]),
            jax.vmap(jax.vmap(one, (1, 0)))(p, y),
            *(jax.vmap(jax.hessian(f))(p[..., 0], y[..., 0]) for f in (one, peer)),
        )

    gradients, values, rows, hessians, expected = map(np.asarray, all_of_it(p, y, weights, mask))
    for i in range(6):
        same(gradients[i], loss.gradient(p[i], y[i], weights=weights[i], mask=mask[i]))
        for j in range(6):
            same(values[i, j], loss.value(p[0], y[i], weights=weights[j], mask=mask[0]))
    same(rows, lossfn.SoftmaxCrossEntropy(class_axis=1, reduction="none").value(p, y))
    np.testing.assert_allclose(hessians, expected, rtol=1e-5, atol=1e-7)
    assert jax.vmap(one, (1, 0))(p[0][:, :0], y[0][:0]).shape == (0,)


def test_trains_within_a_scan():
    x = GENERATOR.normal(size=(20, 16, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -2.0, 0.5], np.float32) + 0.1 > 0).astype(np.float32)

    def trained(loss):
        optimiser = optax.adam(0.05)
        parameters = {"w": jnp.zeros(3), "b": jnp.zeros(())}

        def step(state, batch):
            parameters, inner = state
            x, y = batch

            @jax.checkpoint
            def cost(parameters):
                return loss(x @ parameters["w"] + parameters["b"], y)

            value, gradient = jax.value_and_grad(cost)(parameters)
            change, inner = optimiser.update(gradient, inner)
            return (optax.apply_updates(parameters, change), inner), value

        return jax.jit(
            lambda: jax.lax.scan(step, (parameters, optimiser.init(parameters)), (x, y))
        )()

    (ours, _), curve = trained(lj.binary_cross_entropy_with_logits)
    (theirs, _), peer_curve = trained(lambda p, y: optax.sigmoid_binary_cross_entropy(p, y).mean())
    # Both compute in f32: twenty steps add up a few roundings.
    np.testing.assert_allclose(curve, peer_curve, rtol=1e-5)
    np.testing.assert_allclose(ours["w"], theirs["w"], rtol=1e-4)
    assert curve[-1] < 0.7 * curve[0]


def test_a_scan_can_be_differentiated_twice():
    ys = jnp.linspace(-1.0, 1.0, 5)

    def total(p):
        return jax.lax.scan(lambda sum, y: (sum + lj.pseudo_huber(p, y), None), 0.0, ys)[0]

    peer = lambda p: (jnp.sqrt(1 + (p - ys) ** 2) - 1).sum()
    # The formula subtracts nearly equal numbers in f32.
    for derived in (jax.grad, lambda f: jax.grad(jax.grad(f)), jax.hessian):
        np.testing.assert_allclose(derived(total)(0.3), derived(peer)(0.3), rtol=1e-5)


def test_many_elements():
    p = jnp.linspace(-3, 3, 2_000_000)
    value, gradient = jax.jit(jax.value_and_grad(lj.huber))(p, 0 * p)
    core_value, core_gradient = lossfn.Huber().value_and_gradient(np.asarray(p), np.asarray(0 * p))
    same(value, core_value)
    same(gradient, core_gradient)


def test_equal_losses_are_compiled_once(caplog):
    p = jnp.ones(3)
    with jax.log_compiles():
        jax.value_and_grad(lj.huber)(p, p, 1.25)
        caplog.clear()
        jax.value_and_grad(lj.huber)(p, p, 1.25)
        assert "ompil" not in caplog.text
        lj.huber(p, p, 1.5)
        assert "ompil" in caplog.text


# Errors.


def test_errors_when_traced():
    p, y = jnp.ones(3), jnp.zeros(3)
    scores, labels = jnp.ones((3, 4)), jnp.array([0, 1, 2])
    wrong = [
        (ValueError, r"target has shape \[2\]", lambda: jax.jit(lj.huber)(p, y[:2])),
        (ValueError, "mask has shape", lambda: lj.huber(p, y, mask=y[:1] > 0)),
        (ValueError, "weights has shape", lambda: lj.huber(p, y, weights=y[:2])),
        (ValueError, r"target has shape \[\]", lambda: jax.vmap(lj.huber)(p[:, None], y)),
        (
            ValueError,
            "has no axis 5",
            lambda: lj.softmax_cross_entropy(scores, labels, class_axis=5),
        ),
        (ValueError, "delta = -1", lambda: lj.huber(p, y, delta=-1)),
        (TypeError, "complex64", lambda: lj.huber(1j * p, y)),
        (TypeError, "delta is traced.*static_argnames", lambda: jax.jit(lj.huber)(p, y, 2.0)),
        (TypeError, "huber: missing.*'target'", lambda: lj.huber(p)),
        (TypeError, "unexpected keyword argument 'dela'", lambda: lj.huber(p, y, dela=1)),
        (
            TypeError,
            "not by target: take jax.lax.stop_gradient",
            lambda: jax.grad(lj.huber, 1)(p, y),
        ),
        (
            TypeError,
            "not by weights: take reduction='none'",
            lambda: jax.grad(lambda w: lj.huber(p, y, weights=w))(p),
        ),
        (
            TypeError,
            "not third ones",
            lambda: jax.jit(jax.grad(jax.grad(jax.grad(lj.huber))))(1.0, 0.0),
        ),
    ]
    for kind, message, call in wrong:
        with pytest.raises(kind, match=message):
            call()
    stopped = lambda y: lj.huber(2 * y, jax.lax.stop_gradient(y))
    assert jax.grad(stopped)(y).shape == y.shape


def test_errors_when_run():
    scores, labels = jnp.ones((3, 4)), jnp.array([0, 4, 2])
    for function in (lj.softmax_cross_entropy, jax.jit(jax.grad(lj.softmax_cross_entropy))):
        with pytest.raises(
            jax.errors.JaxRuntimeError, match="label 4 at position 1 is not a class"
        ):
            jax.block_until_ready(function(scores, labels))
    nothing = jnp.zeros(3, bool)
    with pytest.raises(jax.errors.JaxRuntimeError, match="nothing_valid|no example"):
        jax.block_until_ready(lj.huber(jnp.ones(3), jnp.ones(3), mask=nothing))
    assert lj.huber(jnp.ones(3), jnp.ones(3), mask=nothing, nothing_valid="zero") == 0
