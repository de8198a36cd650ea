"""Costs of Parquet files on a Spark cluster."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from lossfn import Loss
from lossfn.distributed import evaluate_part, merge, parts, question

__all__ = ["costs"]


def costs(
    paths: str | Sequence[str],
    losses: Loss | str | Sequence[Loss | str],
    prediction: str | Sequence[str],
    target: str | Sequence[str],
    *,
    weights: str | None = None,
    mask: str | None = None,
    by: str | Sequence[str] | None = None,
    nulls: str = "error",
    rows_per_part: int = 1 << 22,
    session: SparkSession | None = None,
) -> Any:
    """The costs of the rows of Parquet files, read by the executors of Spark.

    What Spark distributes are the parts, one for each task; the files are read by pyarrow.

    paths, rows_per_part: as for `lossfn.distributed.parts`; every executor reads the files itself.
    session: by default the active one.

    Other arguments and results are those of `lossfn.arrow.cost`. Parts of executors that are lost
    are read again by others, and no row counts twice.
    """
    asked = question(losses, prediction, target, weights=weights, mask=mask, by=by, nulls=nulls)
    work = parts(paths, rows_per_part)
    session = session or SparkSession.active()

    def evaluate(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for at in batch["part"].to_pylist():
                state = pickle.dumps(evaluate_part(work[at], asked))
                yield pa.record_batch({"state": pa.array([state], pa.binary())})

    tasks = session.range(0, len(work), 1, len(work)).toDF("part")
    rows = tasks.mapInArrow(evaluate, "state binary").collect()
    return merge((pickle.loads(row.state) for row in rows), work, asked).result()
