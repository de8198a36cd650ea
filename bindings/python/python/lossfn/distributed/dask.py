"""Costs of Parquet files on a Dask cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distributed import Client, as_completed, default_client

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
    client: Client | None = None,
) -> Any:
    """The costs of the rows of Parquet files, read by the workers of a Dask cluster.

    paths, rows_per_part: as for `lossfn.distributed.parts`; every worker reads the files itself.
    client: of the cluster; by default the one that was made last.

    Other arguments and results are those of `lossfn.arrow.cost`. Parts of workers that are lost are
    read again by others, and no row counts twice. ::

        with distributed.Client("tcp://scheduler:8786"):
            costs = lossfn.distributed.dask.costs("data/*.parquet", "huber", "p", "y", by="country")
        lossfn.arrow.table(costs, by="country")
    """
    asked = question(losses, prediction, target, weights=weights, mask=mask, by=by, nulls=nulls)
    work = parts(paths, rows_per_part)
    client = client or default_client()
    # Not pure: the files may be other ones the next time.
    futures = client.map(evaluate_part, work, question=asked, pure=False)
    states = (state for _, state in as_completed(futures, with_results=True))
    return merge(states, work, asked).result()
