"""Costs of Parquet files on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import ray

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
) -> Any:
    """The costs of the rows of Parquet files, read by the workers of the Ray cluster that
    ``ray.init`` chose.

    paths, rows_per_part: as for `lossfn.distributed.parts`; every worker reads the files itself.

    Other arguments and results are those of `lossfn.arrow.cost`. Parts of workers that are lost are
    read again by others, and no row counts twice.
    """
    asked = question(losses, prediction, target, weights=weights, mask=mask, by=by, nulls=nulls)
    work = parts(paths, rows_per_part)
    evaluate, shared = ray.remote(evaluate_part), ray.put(asked)
    pending = [evaluate.remote(part, shared) for part in work]
    return merge(_finished(pending), work, asked).result()


def _finished(pending: list) -> Iterator:
    while pending:
        done, pending = ray.wait(pending)
        yield from ray.get(done)
