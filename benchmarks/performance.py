"""How fast lossfn is, beside other libraries and beside what memory allows: writes docs/performance.md.

    python3 benchmarks/performance.py                    everything: sets up its environment, measures, writes
    python3 benchmarks/performance.py --only softmax     measures that part anew, writes the page from all
    python3 benchmarks/performance.py --only page        measures nothing, writes the page from what is there

Set-up takes several GB (PyTorch) and half an hour of building, once; it is kept in a cache outside the
checkout. Measuring takes a quarter of an hour on a machine that does nothing else.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGES = ["numpy", "jax", "scikit-learn", "torch", "polars", "duckdb", "pyarrow", "matplotlib"]

# The parts, and what runs them: Python beside Python's libraries, Rust, the program beside engines.
PARTS = {
    "pointwise": "peers.py",
    "softmax": "peers.py",
    "ceiling": "rust",
    "options": "rust",
    "orders": "rust",
    "threads": "rust",
    "call": "rust",
    "peers": "rust",
    "files": "files.py",
    "linear": "linear_cross_entropy.py",
}
# Parts that make no sense with one thread, or with more than one.
MANY_ONLY, ONE_ONLY = {"threads", "files"}, {"options", "orders", "call"}


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def arguments():
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lossfn-benchmarks"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help=f"parts to measure, of {','.join(PARTS)}; or page")
    parser.add_argument("--quick", action="store_true", help="few turns and small files: to try it out")
    cores = len(cores_here())
    parser.add_argument(
        "--threads", default="1" if cores == 1 else "1,2", help="numbers of threads (default %(default)s)"
    )
    parser.add_argument("--python", help="an interpreter that has all packages and lossfn, instead of an environment of its own")
    parser.add_argument("--torch-index", help="where to get PyTorch, such as https://download.pytorch.org/whl/cpu")
    parser.add_argument("--cache", type=Path, default=default, help="(default %(default)s)")
    parser.add_argument("--large", action="store_true", help="linear with 128000 classes too: takes long, and 24 GiB")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--no-build", action="store_true", help="take what has been built")
    args = parser.parse_args()
    args.only = list(PARTS) if args.only is None else args.only.split(",")
    for part in args.only:
        if part != "page" and part not in PARTS:
            parser.error(f"there is no part {part}: the parts are {', '.join(PARTS)}, or page")
    args.threads = [int(number) for number in args.threads.split(",")]
    if max(args.threads) > cores:
        parser.error(f"this machine has {cores} cores")
    return args


def cores_here():
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count()))


def run(command, **more):
    say(" ".join(str(word) for word in command))
    subprocess.run(command, check=True, **more)


def set_up(args):
    """The interpreter that has everything; the Rust programs are built."""
    args.cache.mkdir(parents=True, exist_ok=True)
    target = args.cache / "target"
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    python = args.python
    if python is None:
        folder = args.cache / "python"
        python = folder / "bin" / "python"
        if not python.exists():
            run([sys.executable, "-m", "venv", folder])
        if not args.no_build:
            pip = [python, "-m", "pip", "install", "--quiet"]
            if args.torch_index:
                run([*pip, "torch", "--index-url", args.torch_index])
            run([*pip, *PACKAGES])
            run([*pip, "--no-deps", "--force-reinstall", ROOT / "bindings" / "python"], env=environment)
    if not args.no_build:
        build = ["cargo", "build", "--release", "--locked"]
        run([*build, "--package", "lossfn-cli"], cwd=ROOT, env=environment)
        manifest = HERE / "rust" / "Cargo.toml"
        run([*build, "--manifest-path", manifest, "--features", "peers"], env=environment)
    return str(python), target / "release"


def measure(part, threads, args, python, programs):
    """Runs a part on so many cores, and keeps what it prints."""
    cores = cores_here()[:threads]
    count = str(threads)
    environment = os.environ | {
        "RAYON_NUM_THREADS": count,
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "POLARS_MAX_THREADS": count,
        "NPROC": count,
        "LOSSFN_PROGRAM": str(programs / "lossfn"),
        "LOSSFN_BENCHMARK_DATA": str(args.cache / "data"),
    }
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        environment["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    kind = PARTS[part]
    if kind == "rust":
        command = [programs / "lossfn-speed", part]
    elif part == "linear":
        sizes = ["tiny"] if args.quick else ["small", "medium"] + ["large"] * args.large
        more = ["--threads", count, "--turns", "3", "--sizes", *sizes]
        command = [python, ROOT / "bindings" / "python" / "benches" / kind, *more]
    else:
        command = [python, HERE / kind, part]
    if args.quick and part != "linear":
        command.append("--quick")

    def pin():
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, cores)

    say(f"{part}, {threads} thread{'s' if threads > 1 else ''}")
    start = time.monotonic()
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment, preexec_fn=pin
    ).stdout
    seconds = round(time.monotonic() - start)
    say(f"{part}: {seconds} s")
    lines = output.splitlines()
    result = {
        "seconds": seconds,
        "quick": args.quick,
        "contests": [json.loads(line) for line in lines if line.startswith("{")],
        "text": "\n".join(line for line in lines if not line.startswith("{")),
    }
    folder = args.cache / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{part}-{threads}.json").write_text(json.dumps(result))


def about(args, python):
    """The machine, the versions and the day."""
    code = (
        "import json, importlib.metadata as m; "
        f"print(json.dumps({{p: m.version(p) for p in {PACKAGES}}}))"
    )

    def output(*command):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    versions = json.loads(output(python, "-c", code))
    lock = (HERE / "rust" / "Cargo.lock").read_text().split("[[package]]")
    for name in ("burn", "candle-core", "ndarray"):
        found = [entry for entry in lock if f'\nname = "{name}"\n' in entry]
        versions[name] = found[-1].split('version = "')[1].split('"')[0]
    processor = platform.processor() or platform.machine()
    memory = ""
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
    if Path("/proc/meminfo").exists():
        kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
        memory = f"{kilobytes / 2**20:.0f} GiB of memory"
    caches = [
        " ".join(line.split()) for line in output("lscpu").splitlines() if "cache:" in line.lower()
    ]
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    widest = next((name for name in ("avx512f", "avx2") if name in flags), "")
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor,
        "cores": len(cores_here()),
        "memory": memory,
        "caches": caches,
        "widest": {"avx512f": "AVX-512", "avx2": "AVX2"}.get(widest, ""),
        "system": f"{platform.system()} {platform.release()}",
        "compiler": output("rustc", "--version"),
        "python": output(python, "--version"),
        "commit": output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "versions": versions,
    }


def main():
    args = arguments()
    parts = [part for part in args.only if part != "page"]
    if parts:
        python, programs = set_up(args)
    else:
        python, programs = args.python or str(args.cache / "python" / "bin" / "python"), None
    for part in parts:
        for threads in args.threads:
            few, many = threads == 1, threads == max(args.threads)
            wanted = (many or part not in MANY_ONLY) and (few or part not in ONE_ONLY)
            if wanted and (part != "threads" or threads > 1):
                measure(part, threads, args, python, programs)
    if parts:
        (args.cache / "results" / "about.json").write_text(json.dumps(about(args, python)))
    run([python, HERE / "page.py", args.cache / "results", args.output])


if __name__ == "__main__":
    main()
