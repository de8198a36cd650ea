"""What a call costs: beside a bare NumPy ufunc on tiny arrays, and beside PyTorch on large ones.

    python benches/overhead.py [threads]

Both sides take turns in one process, and medians of many turns are printed, so that other load on
the machine hits both alike. The extension must be built in release mode.
"""

import os
import sys
from statistics import median
from time import perf_counter_ns

THREADS = sys.argv[1] if len(sys.argv) > 1 else str(os.cpu_count())
os.environ["RAYON_NUM_THREADS"] = THREADS  # Read when the first large call is made.

import numpy as np  # noqa: E402

import lossfn  # noqa: E402

TARGET_MICROSECONDS = 3.0
TARGET_RATIOS = {"huber": 3.0, "binary_cross_entropy_with_logits": 8.0}


def turns(calls, repeats, inner):
    """The nanoseconds of each call in each turn."""
    times = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = perf_counter_ns()
            for _ in range(inner):
                call()
            times[name].append((perf_counter_ns() - start) / inner)
    return times


def overhead(dtype):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=32).astype(dtype), rng.normal(size=32).astype(dtype)
    c, d = np.empty_like(a), np.empty_like(a)
    loss, alone = lossfn.Huber(), lossfn.Huber(reduction="none")
    ufuncs = {
        "np.add(a, b, out=c)": lambda: np.add(a, b, out=c),
        "np.subtract(a, b)": lambda: np.subtract(a, b),
    }
    ours = {
        "lossfn.huber(a, b)": lambda: lossfn.huber(a, b),
        "Huber().value(a, b)": lambda: loss.value(a, b),
        "Huber().gradient(a, b)": lambda: loss.gradient(a, b),
        "Huber().value_and_gradient(a, b, out=c)": lambda: loss.value_and_gradient(a, b, out=c),
        "Huber().value_gradient_and_second(a, b, out=(c, d))": lambda: (
            loss.value_gradient_and_second(a, b, out=(c, d))
        ),
        "Huber(reduction='none').value(a, b, out=c)": lambda: alone.value(a, b, out=c),
    }
    times = turns(ufuncs | ours, repeats=1000, inner=20)
    bare = times["np.add(a, b, out=c)"]
    print(f"{dtype.__name__}, 32 elements: microseconds, and beyond np.add(a, b, out=c)")
    for name, each in times.items():
        beyond = median((one - other) / 1000 for one, other in zip(each, bare, strict=True))
        verdict = "" if name in ufuncs else "within" if beyond <= TARGET_MICROSECONDS else "BEYOND"
        print(f"  {name:<52} {median(each) / 1000:7.2f} {beyond:+7.2f}  {verdict}")


def against_torch(elements=1_000_000):
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: no comparison")
        return
    torch.set_num_threads(int(THREADS))
    losses = torch.nn.functional
    pairs = {
        "huber": (lossfn.Huber(), losses.huber_loss),
        "binary_cross_entropy_with_logits": (
            lossfn.BinaryCrossEntropyWithLogits(),
            losses.binary_cross_entropy_with_logits,
        ),
    }
    generator = torch.Generator().manual_seed(0)
    prediction = torch.randn(elements, generator=generator)
    target = (torch.randn(elements, generator=generator) > 0).float()
    leaf = prediction.clone().requires_grad_()
    p, y, out = prediction.numpy(), target.numpy(), np.empty(elements, "f4")
    print(f"float32, {elements} elements, {THREADS} threads: milliseconds of value and gradient")
    for name, (loss, function) in pairs.items():

        def eager(function=function):
            leaf.grad = None
            function(leaf, target).backward()

        calls = {"ours": lambda loss=loss: loss.value_and_gradient(p, y, out=out), "theirs": eager}
        times = turns(calls, repeats=200, inner=1)
        ratio = median(b / a for a, b in zip(times["ours"], times["theirs"], strict=True))
        ours, theirs = (median(one) / 1e6 for one in times.values())
        verdict = "reached" if ratio >= TARGET_RATIOS[name] else "MISSED"
        print(
            f"  {name:<34} {ours:7.3f}, PyTorch {theirs:7.3f}: {ratio:5.1f} times as fast "
            f"(target {TARGET_RATIOS[name]:g}: {verdict})"
        )
        assert np.allclose(out, leaf.grad.numpy(), rtol=1e-4, atol=1e-9)


if __name__ == "__main__":
    for dtype in (np.float32, np.float64):
        overhead(dtype)
    against_torch()
