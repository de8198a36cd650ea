"""Costs of 100 million rows of Parquet by group: one process, two workers of Dask, and two of which
one is killed midway, each with one thread. All must say what `lossfn eval` says of the same files:
counts and sums of all groups, and with that every row once.

    python benches/distributed_costs.py [--rows 100000000] [--repeats 3] [--program lossfn]

needs dask, distributed, pyarrow and the program `lossfn`; writes about 800 MB to a temporary
folder, which is removed. Times are medians; that of a killed worker is one run.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# One thread for each process: of this one, and of the workers, who inherit it.
os.environ |= {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from distributed import Client, LocalCluster, WorkerPlugin  # noqa: E402

from lossfn import distributed  # noqa: E402
from lossfn.distributed import dask  # noqa: E402

LOSS, GROUPS, FILES, ROW_GROUP, PART = "huber(delta=1.0)", 20, 8, 1 << 19, 1 << 21


def write(folder, rows):
    """Files with float32 predictions and targets, and a dictionary of groups."""
    names = pa.array([f"group {at:02}" for at in range(GROUPS)])
    paths = []
    for at in range(FILES):
        random = np.random.default_rng(at)
        count = rows // FILES + (at < rows % FILES)
        path = f"{folder}/part{at}.parquet"
        schema = pa.schema(
            {"p": pa.float32(), "y": pa.float32(), "g": pa.dictionary(pa.int8(), pa.string())}
        )
        with pq.ParquetWriter(path, schema, use_dictionary=["g"], compression="none") as file:
            for start in range(0, count, ROW_GROUP):
                size = min(ROW_GROUP, count - start)
                y = random.standard_normal(size, np.float32)
                p = y + random.standard_normal(size, np.float32)
                g = pa.DictionaryArray.from_arrays(random.integers(0, GROUPS, size, np.int8), names)
                file.write_table(pa.table([p, y, g], schema), row_group_size=ROW_GROUP)
        paths.append(path)
    return paths


def one_process(paths):
    """The same parts one after the other, in this process."""
    question = distributed.question(LOSS, "p", "y", by="g")
    parts = distributed.parts(paths, PART)
    states = (distributed.evaluate_part(part, question) for part in parts)
    return distributed.merge(states, parts, question).result()


def two_workers(paths):
    return dask.costs(paths, LOSS, "p", "y", by="g", rows_per_part=PART)


def program_says(program, paths):
    columns = ["--target", "y", "--prediction", "p", "--by", "g"]
    command = [program, "eval", *paths, *columns, "--loss", LOSS, "--format", "json"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {
        row["group"]["g"]: (row["valid"], row["examples"], row["sum"]) for row in answer["costs"]
    }


def check(costs, expected, rows):
    assert costs.keys() == expected.keys()
    for key, (valid, examples, total) in expected.items():
        cost = costs[key]
        assert (cost.valid, cost.examples) == (valid, examples), key
        assert abs(cost.sum - total) <= 1e-12 * total, (key, cost.sum, total)
    assert sum(cost.examples for cost in costs.values()) == rows


class DiesOnce(WorkerPlugin):
    """Kills its worker when it has finished some parts, as a failing machine would; once in all."""

    def __init__(self, note, after):
        self.note, self.after = note, after

    def setup(self, worker):
        self.finished = 0

    def transition(self, key, start, finish, **_):
        self.finished += finish == "memory"
        if self.finished == self.after:
            try:
                open(self.note, "x").close()
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)


def timed(costs, *arguments):
    start = time.perf_counter()
    found = costs(*arguments)
    return time.perf_counter() - start, found


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--rows", type=int, default=100_000_000)
    arguments.add_argument("--repeats", type=int, default=3)
    root = Path(__file__).parents[3]
    default = shutil.which("lossfn") or str(root / "target" / "release" / "lossfn")
    arguments.add_argument("--program", default=default)
    arguments = arguments.parse_args()
    rows = arguments.rows
    with tempfile.TemporaryDirectory() as folder:
        paths = write(folder, rows)
        size = sum(os.path.getsize(path) for path in paths)
        parts = len(distributed.parts(paths, PART))
        print(f"{rows} rows in {FILES} files, {size / 1e6:.0f} MB, {parts} parts")
        print(f"{LOSS} by {GROUPS} groups")
        expected = program_says(arguments.program, paths)
        cluster = LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        )
        with cluster, Client(cluster) as client:
            # On a busy machine each session has its share: let each worker be one, as this is.
            client.run(os.setsid)
            # Modules are loaded and files read once, before time is taken.
            check(two_workers(paths), expected, rows)
            taken = {one_process: [], two_workers: []}
            for _ in range(arguments.repeats):
                for costs, seconds in taken.items():
                    time_taken, found = timed(costs, paths)
                    check(found, expected, rows)
                    seconds.append(time_taken)
            one, two = (statistics.median(seconds) for seconds in taken.values())
            for name, seconds in zip(("one process", "two workers"), taken.values()):
                runs = ", ".join(f"{run:.2f}" for run in seconds)
                print(f"{name}: {statistics.median(seconds):.2f} s ({runs})")
            print(f"two workers are {one / two:.2f} times as fast as one process")
            note = f"{folder}/killed"
            client.register_plugin(DiesOnce(note, after=max(parts // 4, 1)))
            seconds, found = timed(two_workers, paths)
            assert os.path.exists(note), "no worker was killed"
            check(found, expected, rows)
            print(f"one of two workers killed midway: {seconds:.2f} s")
    print(
        f"all counts are those of lossfn eval, sums to 1e-12; every one of {rows} rows counted once"
    )
    return 0 if one / two >= 1.3 else 1


if __name__ == "__main__":
    sys.exit(main())
