"""Costs over frames of Polars, whose columns are read where they lie; needs pyarrow too.

>>> import polars as pl
>>> import lossfn.polars
>>> frame = pl.DataFrame({"p": [2.5, 0.0, 7.0], "y": [3.0, -0.5, 2.0], "site": ["a", "a", "b"]})
>>> lossfn.polars.cost(frame, "huber", "p", "y").value()
1.5833333333333333
>>> frame.select(lossfn.polars.losses("huber", "p", "y"))["p"].to_list()
[0.125, 0.125, 4.5]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from lossfn import Loss, arrow

__all__ = ["cost", "losses", "table"]


def cost(
    frame: pl.DataFrame | pl.LazyFrame | pl.Series,
    loss: Loss | str | Sequence[Loss | str],
    prediction: str | Sequence[str],
    target: str | Sequence[str],
    *,
    weights: str | None = None,
    mask: str | None = None,
    by: str | Sequence[str] | None = None,
    nulls: str = "error",
) -> Any:
    """The cost of the rows of a frame, by group with ``by``.

    frame: a lazy frame is streamed, so that it may be larger than memory; a series has structs.
        Loose series make a frame without a copy: ``pl.DataFrame({"p": numbers, "y": truth})``.

    Other arguments, results and errors are those of `lossfn.arrow.cost`. Categorical and Enum
    columns are grouped by without decoding them.
    """
    question: dict[str, Any] = {"weights": weights, "mask": mask, "by": by, "nulls": nulls}
    if isinstance(frame, pl.Series):
        frame = frame.struct.unnest()
    frame = frame.select(arrow.Question(loss, prediction, target, **question).columns)
    frames = frame.collect_batches() if isinstance(frame, pl.LazyFrame) else [frame]
    batches = (batch for frame in frames for batch in _as_arrow(frame).to_batches())
    return arrow.cost(batches, loss, prediction, target, **question)


def _as_arrow(frame: pl.DataFrame) -> pa.Table:
    # By columns: as a stream of its own, a frame puts its chunks together, which copies them.
    return pa.table({column.name: pa.chunked_array(column) for column in frame})


def losses(
    loss: Loss | str,
    prediction: str | pl.Expr | Sequence[str | pl.Expr],
    target: str | pl.Expr | Sequence[str | pl.Expr],
    *,
    weights: str | pl.Expr | None = None,
) -> pl.Expr:
    """The losses of rows one by one: an expression of type Float64, null where an input is null.

    Its name is that of the (first) prediction. Arguments are those of `cost`; expressions may stand
    for columns.

    >>> import polars as pl
    >>> import lossfn.polars
    >>> frame = pl.DataFrame({"p": [2.5, 0.0, 7.0], "y": [3.0, -0.5, 2.0]})
    >>> worst = lossfn.polars.losses("squared_error", pl.col("p") * 2, "y").alias("loss")
    >>> frame.with_columns(worst).sort("loss", descending=True)["loss"].to_list()
    [144.0, 4.0, 0.25]
    """
    roles: dict[str, Any] = {"prediction": prediction, "target": target, "weights": weights}
    expressions: dict[str, pl.Expr] = {}
    columns: dict[str, Any] = {}
    for role, given in roles.items():
        is_one = given is None or isinstance(given, (str, pl.Expr))
        each = [] if given is None else [given] if is_one else given
        names = [f"{role}{at}" for at in range(len(each))]
        expressions |= {
            name: pl.col(one) if isinstance(one, str) else one for name, one in zip(names, each)
        }
        columns[role] = next(iter(names), None) if is_one else names

    def evaluate(rows: pl.Series) -> pl.Series:
        found = arrow.losses(_as_arrow(rows.struct.unnest()), loss, **columns, nulls="skip")
        return pl.Series(rows.name, found, dtype=pl.Float64)

    rows = [expression.alias(name) for name, expression in expressions.items()]
    together = pl.struct(rows).map_batches(evaluate, return_dtype=pl.Float64, is_elementwise=True)
    return together.alias(_name(prediction))


def _name(prediction) -> str:
    first = prediction if isinstance(prediction, (str, pl.Expr)) else prediction[0]
    return first if isinstance(first, str) else first.meta.output_name()


def table(costs: Any, by: str | Sequence[str] | None = None) -> pl.DataFrame:
    """What `cost` gave as a frame, as `lossfn.arrow.table`.

    by: the names of the columns that it was grouped by.
    """
    return pl.DataFrame(arrow.table(costs, by))
