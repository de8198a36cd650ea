"""Beside PyTorch, JAX, scikit-learn and NumPy: prints a line of JSON for each contest.

`performance.py` runs it, with cores and threads set for the whole process.
"""

import argparse
import os
import shutil
import warnings
from dataclasses import dataclass
from typing import Callable

import numpy as np

import lossfn
from turns import contest

SIZES = [1 << 12, 1 << 16, 1 << 20, 1 << 24]
SHAPES = [(100_000, 10), (1024, 1000), (512, 32_000)]
THREADS = int(os.environ.get("RAYON_NUM_THREADS", os.cpu_count()))
LN_2 = float(np.log(2))


@dataclass
class Work:
    """A loss, what its examples are like, and how one computes its mean with other libraries."""

    loss: str
    target: str  # "real", "binary", "sign", "count"
    torch: Callable  # (predictions..., target) -> mean
    jax: Callable
    numpy: Callable  # (predictions..., target) -> mean, gradients...
    prediction: tuple[str, ...] = ("real",)  # One for each predicted number.
    sklearn: Callable | None = None  # () -> the loss
    sklearn_factor: float = 1.0  # What ours is times theirs.
    compiled: bool = False  # Whether PyTorch's compiler is tried too: it takes its time.


def works():
    import jax
    import jax.numpy as jnp
    import torch
    from sklearn._loss import loss as sk
    from torch.nn import functional as F

    def np_huber(p, y):
        r = p - y
        a = np.abs(r)
        return np.mean(np.where(a <= 1, 0.5 * r * r, a - 0.5)), np.clip(r, -1, 1) / len(p)

    def np_logits(p, y):
        e = np.exp(-np.abs(p))
        sigmoid = np.where(p < 0, e, 1) / (1 + e)
        return np.mean(np.maximum(p, 0) - p * y + np.log1p(e)), (sigmoid - y) / len(p)

    def np_logistic(p, y):
        m = y * p
        e = np.exp(-np.abs(m))
        rest = np.where(m < 0, 1, e) / (1 + e)
        return np.mean(np.maximum(-m, 0) + np.log1p(e)), -y * rest / len(p)

    def np_focal(p, y):
        e = np.exp(-np.abs(p))
        q = np.where(p < 0, e, 1) / (1 + e)
        ce = np.maximum(p, 0) - p * y + np.log1p(e)
        right = q * y + (1 - q) * (1 - y)
        alpha = 0.25 * y + 0.75 * (1 - y)
        sign = 2 * y - 1
        slope = alpha * (1 - right) ** 2 * sign * (-2 * right * ce - (1 - right))
        return np.mean(alpha * (1 - right) ** 2 * ce), slope / len(p)

    def np_quantile(p, y):
        r = p - y
        slope = np.where(r > 0, np.float32(0.5), np.float32(-0.5))
        return np.mean(slope * r), slope / len(p)

    def np_gaussian(m, v, y):
        r = m - y
        u = r / v
        value = np.mean(0.5 * (np.log(v) + r * u))
        return value, u / len(y), (1 - r * u) * 0.5 / v / len(y)

    def np_student(m, s, y):
        r = (m - y) / s
        t = 1 + r * r / 4
        constant = np.float32(0.98082925)  # ln(Gamma(2) sqrt(4 pi) / Gamma(5/2))
        value = np.mean(np.log(s) + 2.5 * np.log(t)) + constant
        return value, 1.25 * r / t / s / len(y), (1 - 1.25 * r * r / t) / s / len(y)

    def torch_focal(x, y):
        p = torch.sigmoid(x)
        ce = F.binary_cross_entropy_with_logits(x, y, reduction="none")
        p_t = p * y + (1 - p) * (1 - y)
        return ((0.25 * y + 0.75 * (1 - y)) * ce * (1 - p_t) ** 2).mean()

    def jax_logits(x, y):
        return -(y * jax.nn.log_sigmoid(x) + (1 - y) * jax.nn.log_sigmoid(-x))

    def jax_focal(x, y):
        p = jax.nn.sigmoid(x)
        p_t = p * y + (1 - p) * (1 - y)
        return jnp.mean((0.25 * y + 0.75 * (1 - y)) * jax_logits(x, y) * (1 - p_t) ** 2)

    def jax_huber(p, y):
        a = jnp.abs(p - y)
        inside = jnp.minimum(a, 1)
        return jnp.mean(0.5 * inside**2 + (a - inside))

    def torch_student(m, s, y):
        return -torch.distributions.StudentT(4.0, m, s, validate_args=False).log_prob(y).mean()

    return [
        Work(
            "squared_error", "real", F.mse_loss, lambda p, y: jnp.mean((p - y) ** 2),
            lambda p, y: (np.mean((p - y) ** 2), (p - y) * (2 / len(p))),
            sklearn=sk.HalfSquaredError, sklearn_factor=2, compiled=True,
        ),
        Work(
            "absolute_error", "real", F.l1_loss, lambda p, y: jnp.mean(jnp.abs(p - y)),
            lambda p, y: (np.mean(np.abs(p - y)), np.sign(p - y) / len(p)),
            sklearn=sk.AbsoluteError,
        ),
        Work(
            "huber", "real", F.huber_loss, jax_huber, np_huber,
            sklearn=lambda: sk.HuberLoss(delta=1.0), compiled=True,
        ),
        Work(
            "quantile", "real",
            lambda p, y: torch.maximum(0.5 * (y - p), -0.5 * (y - p)).mean(),
            lambda p, y: jnp.mean(jnp.maximum(0.5 * (y - p), -0.5 * (y - p))),
            np_quantile, sklearn=lambda: sk.PinballLoss(quantile=0.5),
        ),
        Work(
            "binary_cross_entropy_with_logits", "binary", F.binary_cross_entropy_with_logits,
            lambda p, y: jnp.mean(jax_logits(p, y)), np_logits,
            sklearn=sk.HalfBinomialLoss, compiled=True,
        ),
        Work(
            "logistic", "sign", F.soft_margin_loss,
            lambda p, y: jnp.mean(jax.nn.softplus(-y * p)), np_logistic,
        ),
        Work(
            "log_cosh", "real",
            lambda p, y: ((p - y) + F.softplus(-2 * (p - y)) - LN_2).mean(),
            lambda p, y: jnp.mean(jnp.logaddexp(p - y, y - p) - LN_2),
            lambda p, y: (np.mean(np.logaddexp(p - y, y - p) - LN_2), np.tanh(p - y) / len(p)),
        ),
        Work(
            "poisson", "count", lambda p, y: F.poisson_nll_loss(p, y, log_input=False),
            lambda p, y: jnp.mean(p - jax.scipy.special.xlogy(y, p)),
            lambda p, y: (np.mean(p - y * np.log(p)), (1 - y / p) / len(p)), ("positive",),
        ),
        Work(
            "poisson_log_link", "count", F.poisson_nll_loss,
            lambda p, y: jnp.mean(jnp.exp(p) - y * p),
            lambda p, y: (np.mean((e := np.exp(p)) - y * p), (e - y) / len(p)),
            sklearn=sk.HalfPoissonLoss,
        ),
        Work("sigmoid_focal", "binary", torch_focal, jax_focal, np_focal, compiled=True),
        Work(
            "gaussian_nll", "real", lambda m, v, y: F.gaussian_nll_loss(m, y, v),
            lambda m, v, y: jnp.mean(0.5 * (jnp.log(v) + (m - y) ** 2 / v)),
            np_gaussian, ("real", "positive"),
        ),
        Work(
            "student_t_nll", "real", torch_student,
            lambda m, s, y: -jnp.mean(jax.scipy.stats.t.logpdf(y, 4.0, m, s)),
            np_student, ("real", "positive"),
        ),
    ]  # fmt: skip


def numbers(kind, n, rng):
    make = {
        "real": lambda: rng.standard_normal(n),
        "binary": lambda: rng.integers(0, 2, n),
        "sign": lambda: 2 * rng.integers(0, 2, n) - 1,
        "count": lambda: rng.poisson(2, n),
        "positive": lambda: rng.uniform(0.1, 4, n),
    }
    return make[kind]().astype(np.float32)


def has_compiler():
    return any(shutil.which(name) for name in ("c++", "g++", "clang++"))


def peers(inputs, target, torch_loss, jax_loss, numpy_loss, compiled):
    """The calls of PyTorch, JAX and NumPy: each gives the value and the gradients."""
    import jax
    import torch

    leaves = [torch.from_numpy(x).requires_grad_() for x in inputs]
    target_of_torch = torch.from_numpy(target)

    def eager():
        value = torch_loss(*leaves, target_of_torch)
        return value, *torch.autograd.grad(value, leaves)

    calls = {"PyTorch": eager}
    if compiled and has_compiler():
        fast = torch.compile(torch_loss)

        def by_compiler():
            value = fast(*leaves, target_of_torch)
            return value, *torch.autograd.grad(value, leaves)

        calls["PyTorch compiled"] = by_compiler
    of_all = tuple(range(len(inputs)))
    derived = jax.jit(jax.value_and_grad(jax_loss, argnums=of_all))
    arrays = [jax.numpy.asarray(x) for x in (*inputs, target)]

    def jitted():
        value, gradients = jax.block_until_ready(derived(*arrays))
        return value, *gradients

    calls["JAX"] = jitted
    calls["NumPy"] = lambda: numpy_loss(*inputs, target)
    return calls


def agree(work, calls, scales):
    """All compute the same function; `scales` is what the answers are to be multiplied by."""

    def plain(x):
        return np.asarray(x.detach() if hasattr(x, "detach") else x, np.float64)

    answers = {name: [plain(x) for x in call()] for name, call in calls.items()}
    ours = answers["lossfn"]
    for name, answer in answers.items():
        for mine, theirs, scale in zip(ours, answer, scales.get(name, [1, 1, 1]), strict=False):
            assert mine.shape == theirs.shape, f"{work}: {name} has another shape"
            tolerance = 1e-3 * np.abs(mine).max()
            assert np.allclose(mine, theirs * scale, rtol=1e-2, atol=tolerance), (
                f"{work}: {name} computes something else"
            )


def pointwise(args):
    rng = np.random.default_rng(0)
    for work in works():
        for n in args.sizes:
            target = numbers(work.target, n, rng)
            inputs = [numbers(kind, n, rng) for kind in work.prediction]
            prediction = inputs[0] if len(inputs) == 1 else np.stack(inputs, axis=-1)
            cost, out = lossfn.loss(work.loss), np.empty_like(prediction)

            def ours():
                value = cost.value_and_gradient(prediction, target, out=out)[0]
                return value, *out.reshape(n, -1).T

            def timed():
                cost.value_and_gradient(prediction, target, out=out)

            calls = peers(inputs, target, work.torch, work.jax, work.numpy, work.compiled)
            scales = {}
            if work.sklearn is not None:
                theirs = work.sklearn()
                losses, slopes = np.empty_like(target), np.empty_like(target)
                more = dict(sample_weight=None, loss_out=losses, gradient_out=slopes)

                def by_sklearn():
                    theirs.loss_gradient(target, inputs[0], n_threads=THREADS, **more)
                    return losses.mean(), slopes

                calls["scikit-learn"] = by_sklearn
                scales["scikit-learn"] = [work.sklearn_factor, work.sklearn_factor / n]
            if n == args.sizes[0]:
                agree(work.loss, {"lossfn": ours} | calls, scales)
            contest("pointwise", work.loss, n, {"lossfn": timed} | calls, args.seconds, args.least)


def softmax(args):
    import jax
    import jax.numpy as jnp
    import torch
    from sklearn._loss.loss import HalfMultinomialLoss

    rng = np.random.default_rng(0)
    cost = lossfn.SoftmaxCrossEntropy()

    def jax_loss(scores, labels):
        chosen = jnp.take_along_axis(scores, labels[:, None], axis=-1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - chosen)

    def numpy_loss(scores, labels):
        rows = np.arange(len(labels))
        shifted = scores - scores.max(axis=1, keepdims=True)
        gradient = np.exp(shifted)
        total = gradient.sum(axis=1, keepdims=True)
        value = np.mean(np.log(total[:, 0]) - shifted[rows, labels])
        gradient /= total
        gradient[rows, labels] -= 1
        gradient /= len(labels)
        return value, gradient

    for rows, classes in SHAPES:
        scores = rng.standard_normal((rows, classes), dtype=np.float32)
        labels = rng.integers(0, classes, rows)
        out = np.empty_like(scores)
        calls = peers(
            [scores], labels, torch.nn.functional.cross_entropy, jax_loss, numpy_loss, True
        )
        scales = {}
        # It keeps a row of numbers on the stack of each thread.
        theirs, target = HalfMultinomialLoss(n_classes=classes), labels.astype(np.float32)
        losses, slopes = np.empty(rows, np.float32), np.empty_like(scores)

        def by_sklearn():
            theirs.loss_gradient(target, scores, None, losses, slopes, THREADS)
            return losses.mean(), slopes

        calls["scikit-learn"] = by_sklearn
        scales["scikit-learn"] = [1, 1 / rows]

        def ours():
            return cost.value_and_gradient(scores, labels, out=out)[0], out

        work = f"softmax_cross_entropy {rows}x{classes}"
        agree(work, {"lossfn": ours} | calls, scales)
        contest("softmax", work, rows * classes, {"lossfn": ours} | calls, args.seconds, args.least)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["pointwise", "softmax"])
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    args.seconds, args.least = (0.02, 2) if args.quick else (0.7, 5)
    args.sizes = SIZES
    import torch

    torch.set_num_threads(THREADS)
    warnings.filterwarnings("ignore")
    {"pointwise": pointwise, "softmax": softmax}[args.part](args)


if __name__ == "__main__":
    main()
