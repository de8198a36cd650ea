"""Write large prediction files, to measure the program on.

    python xtask/large/make_large.py FOLDER [--csv-gb 5] [--parquet-rows 100000000]

Writes FOLDER/large.csv and FOLDER/large.parquet, each with a target y, a prediction p, a group key
and a weight, a chunk at a time. 0 leaves a file out. Needs NumPy and pyarrow. Then, for instance:

    /usr/bin/time -v lossfn eval FOLDER/large.parquet --target y --prediction p --weights weight \\
        --loss huber --by key --threads 2
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

KEYS = pa.array([f"region {n:02}" for n in range(50)])
ROWS = 1_000_000


def chunk(random, rows):
    y = random.normal(size=rows, scale=3).astype(np.float32)
    p = (y + random.normal(size=rows)).astype(np.float32)
    # Rounded as measured numbers are, so that weights repeat and compress.
    weight = np.round(random.uniform(0.5, 2, size=rows), 2).astype(np.float32)
    key = pa.DictionaryArray.from_arrays(random.integers(len(KEYS), size=rows, dtype=np.int8), KEYS)
    return pa.table({"y": y, "p": p, "key": key, "weight": weight})


def write_csv(path, size):
    random, rows = np.random.default_rng(0), 0
    with open(path, "wb") as file:
        while file.tell() < size:
            table = chunk(random, ROWS)
            options = pyarrow.csv.WriteOptions(include_header=rows == 0)
            # The writer of CSV takes text, not dictionaries.
            key = table.column("key").cast(pa.string())
            pyarrow.csv.write_csv(table.set_column(2, "key", key), file, options)
            rows += len(table)
    return rows


def write_parquet(path, rows):
    random = np.random.default_rng(0)
    schema = chunk(random, 1).schema
    with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=["key", "weight"]) as writer:
        for start in range(0, rows, ROWS):
            writer.write_table(chunk(random, min(ROWS, rows - start)), row_group_size=ROWS)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--csv-gb", type=float, default=5)
    parser.add_argument("--parquet-rows", type=int, default=100_000_000)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, wanted, write in [
        ("large.csv", int(args.csv_gb * 1e9), write_csv),
        ("large.parquet", args.parquet_rows, write_parquet),
    ]:
        if wanted:
            path = args.folder / name
            rows = write(path, wanted)
            print(f"{path}: {rows} rows, {path.stat().st_size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
