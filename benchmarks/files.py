"""`lossfn eval` beside DuckDB and Polars over large files: prints a line of JSON for each contest.

The files are written first, into LOSSFN_BENCHMARK_DATA: about 1.7 GB, kept for the next time. All engines
compute the loss by expressions of their own, and find the file in the memory of the system.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from turns import contest

THREADS = int(os.environ.get("RAYON_NUM_THREADS", os.cpu_count()))
GROUPS = 20
CLASSES = 10
ROW_GROUP = 1 << 20


def parts(rows):
    for start in range(0, rows, ROW_GROUP):
        yield min(ROW_GROUP, rows - start)


def write(path, rows, schema, part):
    """A Parquet file as it is where speed counts: numbers uncompressed, and only `g` by a dictionary."""
    unfinished = path.with_suffix(".unfinished")
    with pq.ParquetWriter(unfinished, schema, compression="none", use_dictionary=["g"]) as writer:
        for count in parts(rows):
            writer.write_table(part(count), row_group_size=ROW_GROUP)
    unfinished.rename(path)


def make_files(folder, rows):
    """A table of numbers as Parquet, a tenth of it as CSV, and one of rows of scores."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    numbers, scores = folder / f"numbers-{rows}.parquet", folder / f"scores-{rows // 10}.parquet"
    table = folder / f"numbers-{rows // 10}.csv"
    names = pa.array([f"group {i:02}" for i in range(GROUPS)])
    schema = pa.schema(
        [("y", pa.float32()), ("p", pa.float32()), ("g", pa.dictionary(pa.int32(), pa.string()))]
    )

    def some_numbers(count):
        y = rng.standard_normal(count, dtype=np.float32)
        p = y + np.float32(0.8) * rng.standard_normal(count, dtype=np.float32)
        group = pa.DictionaryArray.from_arrays(
            pa.array(rng.integers(0, GROUPS, count, dtype=np.int32)), names
        )
        return pa.table({"y": y, "p": p, "g": group}, schema=schema)

    def some_scores(count):
        values = pa.array(rng.standard_normal(count * CLASSES, dtype=np.float32))
        starts = pa.array(np.arange(0, count * CLASSES + 1, CLASSES, dtype=np.int32))
        labels = pa.array(rng.integers(0, CLASSES, count, dtype=np.int32))
        return pa.table({"label": labels, "s": pa.ListArray.from_arrays(starts, values)})

    if not numbers.exists():
        write(numbers, rows, schema, some_numbers)
    if not scores.exists():
        list_schema = pa.schema([("label", pa.int32()), ("s", pa.list_(pa.float32()))])
        write(scores, rows // 10, list_schema, lambda count: some_scores(count).cast(list_schema))
    if not table.exists():
        unfinished = table.with_suffix(".unfinished")
        pyarrow.csv.write_csv(pq.read_table(numbers).slice(0, rows // 10), unfinished)
        unfinished.rename(table)
    return numbers, scores, table


def ours(*args):
    """The groups and their costs, as the engines give them."""
    command = [os.environ["LOSSFN_PROGRAM"], "eval", *args, "--format", "json"]
    output = subprocess.run(command, check=True, capture_output=True).stdout
    return [(*row["group"].values(), row["cost"]) for row in json.loads(output)["costs"]]


def agree(work, calls):
    """All compute the same."""
    answers = {name: sorted(call()) for name, call in calls.items()}
    for name, answer in answers.items():
        for mine, theirs in zip(answers["lossfn"], answer, strict=True):
            same = mine[:-1] == theirs[:-1] and abs(theirs[-1] / mine[-1] - 1) < 1e-3
            assert same, f"{work}: {name} has {theirs}, lossfn {mine}"


HUBER = """avg(CASE WHEN abs(p - y) <= 1::FLOAT THEN 0.5::FLOAT * (p - y) * (p - y)
               ELSE abs(p - y) - 0.5::FLOAT END)"""
SOFTMAX = "avg(ln(list_sum(list_transform(s, lambda x: exp(x)))) - s[label + 1])"


def polars_huber():
    r = pl.col("p") - pl.col("y")
    half = pl.lit(0.5, pl.Float32)
    return pl.when(r.abs() <= 1).then(r * r * half).otherwise(r.abs() - half).mean()


def polars_softmax():
    total = pl.col("s").list.eval(pl.element().exp()).list.sum()
    return (total.log() - pl.col("s").list.get(pl.col("label"))).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["files"])
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    rows = 2_000_000 if args.quick else 100_000_000
    folder = Path(os.environ["LOSSFN_BENCHMARK_DATA"])
    numbers, scores, table = (str(path) for path in make_files(folder, rows))
    connection = duckdb.connect(config={"threads": THREADS})

    def sql(query):
        return lambda: connection.sql(query).fetchall()

    def lazily(frame):
        return lambda: frame.collect(engine="streaming").rows()

    def number_columns(path, *more):
        return lambda: ours(path, "--target", "y", "--prediction", "p", "--loss", "huber", *more)

    def compare(work, count, calls):
        agree(work, calls)
        turns = {"least": 2, "most": 2} if args.quick else {"least": 5, "most": 5}
        contest("files", work, count, calls, 1, **turns)

    scan = pl.scan_parquet(numbers)
    compare("huber of a Parquet file", rows, {
        "lossfn": number_columns(numbers),
        "DuckDB": sql(f"SELECT {HUBER} FROM '{numbers}'"),
        "Polars": lazily(scan.select(polars_huber())),
    })  # fmt: skip
    compare("huber of a Parquet file, by group", rows, {
        "lossfn": number_columns(numbers, "--by", "g"),
        "DuckDB": sql(f"SELECT g, {HUBER} FROM '{numbers}' GROUP BY g"),
        "Polars": lazily(scan.group_by("g").agg(polars_huber())),
    })  # fmt: skip
    by_scores = ("--target", "label", "--prediction", "s", "--loss", "softmax_cross_entropy")
    compare("softmax_cross_entropy of lists of 10 scores in a Parquet file", rows // 10, {
        "lossfn": lambda: ours(scores, *by_scores),
        "DuckDB": sql(f"SELECT {SOFTMAX} FROM '{scores}'"),
        "Polars": lazily(pl.scan_parquet(scores).select(polars_softmax())),
    })  # fmt: skip
    compare("huber of a CSV file", rows // 10, {
        "lossfn": number_columns(table),
        "DuckDB": sql(f"SELECT {HUBER} FROM '{table}'"),
        "Polars": lazily(pl.scan_csv(table).select(polars_huber())),
    })  # fmt: skip


if __name__ == "__main__":
    main()
