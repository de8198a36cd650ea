"""A linear layer with its cross-entropy, value and gradients: fused here, in full, and in PyTorch.

    python benches/linear_cross_entropy.py [--threads 1 2] [--sizes small medium large] [--types float32 bfloat16]
                                           [--turns 5] [--only torch]

All sides take turns in one process for each number of threads, so that other load on the machine hits them alike;
the order changes from turn to turn. Printed are medians of their times, medians of the ratios to ours within a turn,
with the least and the greatest, and the peak of memory of each beyond its inputs, gradients included, which is
measured in a process of its own and on Linux alone. The extension must be built in release mode.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from statistics import median
from pathlib import Path
from time import perf_counter

SIZES = {
    "tiny": (64, 64, 1000),
    "small": (512, 256, 8000),
    "medium": (1024, 1024, 32000),
    "large": (4096, 1024, 128000),
}

THREADS = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
OURS = "lossfn LinearCost"


def sides(n, width, classes, dtype):
    """A function for each way, that computes value and gradients."""
    import numpy as np
    import torch

    import lossfn
    from lossfn.torch import _array

    generator = torch.Generator().manual_seed(0)
    dtype = getattr(torch, dtype)
    hidden = torch.randn(n, width, generator=generator).to(dtype).requires_grad_()
    classifier = (torch.randn(classes, width, generator=generator) / width**0.5).to(dtype).requires_grad_()
    target = torch.randint(0, classes, (n,), generator=generator)
    arrays = _array(hidden), _array(classifier), target.numpy()
    # As PyTorch, which allocates gradients in each call.
    cost, loss = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy()), lossfn.SoftmaxCrossEntropy()

    def fused():
        out = _array(torch.empty_like(hidden)), _array(torch.empty_like(classifier))
        return cost.value_and_gradients(*arrays, out=out)[0]

    def value():
        return cost.value(*arrays)

    def in_full():
        h, w, labels = arrays
        if dtype != torch.float32:
            h, w = hidden.detach().float().numpy(), classifier.detach().float().numpy()
        scores = h @ w.T
        value, gradient = loss.value_and_gradient(scores, labels)
        gradients = gradient @ w, gradient.T @ h
        if dtype != torch.float32:
            gradients = [torch.from_numpy(one).to(dtype) for one in gradients]
        return value

    def of_torch(call):
        def run():
            hidden.grad = classifier.grad = None
            value = call()
            value.backward()
            return value.item()

        return run

    functional = torch.nn.functional
    ways = {
        OURS: fused,
        "lossfn LinearCost, value alone": value,
        "NumPy products, lossfn softmax_cross_entropy": in_full,
        "torch cross_entropy(hidden @ classifier.T)": of_torch(
            lambda: functional.cross_entropy(hidden @ classifier.T, target)
        ),
    }
    if hasattr(functional, "linear_cross_entropy"):
        ways["torch linear_cross_entropy"] = of_torch(
            lambda: functional.linear_cross_entropy(hidden, classifier, target)
        )
    if hasattr(torch.nn, "LinearCrossEntropyOptions"):
        options = torch.nn.LinearCrossEntropyOptions()
        ways["torch linear_cross_entropy, in chunks"] = of_torch(
            lambda: functional.linear_cross_entropy(hidden, classifier, target, options=options)
        )
    return ways


def kib(which):
    return int(re.search(rf"{which}:\s*(\d+)", Path("/proc/self/status").read_text())[1])


def peak(which, *about):
    """The memory that a way takes beyond what is there before, in MiB."""
    command = [sys.executable, __file__, "--peak", which, "--one", json.dumps(about)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def compare(size, dtype, threads, turns, only):
    about = (*SIZES[size], dtype)
    ways = {name: call for name, call in sides(*about).items() if only in name or name == OURS}
    values = {name: call() for name, call in ways.items()}
    times = {name: [] for name in ways}
    names = list(ways)
    for turn in range(turns):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = perf_counter()
            ways[name]()
            times[name].append(perf_counter() - start)
    n, width, classes = SIZES[size]
    print(f"\n{n} examples, width {width}, {classes} classes, {dtype}, {threads} threads, {turns} turns")
    print(f"{'':46}{'ms':>10}{'times ours':>12}{'spread':>16}{'peak MiB':>10}{'value':>12}")
    ours = times[OURS]
    for name in names:
        ratios = sorted(one / other for one, other in zip(times[name], ours, strict=True))
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        memory = peak(name, *about)
        print(
            f"{name:46}{median(times[name]) * 1e3:10.1f}{median(ratios):12.2f}{spread:>16}{memory:>10}"
            f"{values[name]:12.6f}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", nargs="*", default=["1", "2"])
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=SIZES)
    parser.add_argument("--types", nargs="*", default=["float32", "bfloat16"])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only", default="", help="the ways whose names have this, beside ours")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is None:
        for threads in arguments.threads:
            for size in arguments.sizes:
                for dtype in arguments.types:
                    # The number of threads is read once in a process.
                    environment = dict.fromkeys(THREADS, threads)
                    one = json.dumps([size, dtype, threads, arguments.turns, arguments.only])
                    command = [sys.executable, __file__, "--one", one]
                    subprocess.run(command, env=os.environ | environment, check=True)
    elif arguments.peak is None:
        compare(*json.loads(arguments.one))
    else:
        call = sides(*json.loads(arguments.one))[arguments.peak]
        # From here on the peak is counted anew.
        Path("/proc/self/clear_refs").write_text("5")
        before = kib("VmRSS")
        call()
        print((kib("VmHWM") - before) // 1024)


if __name__ == "__main__":
    main()
