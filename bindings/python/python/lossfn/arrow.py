"""Costs over the columns of Arrow tables, which are read where they lie.

A table is whatever speaks the Arrow C stream or array interface: tables, record batches and streams
of pyarrow, frames of polars and pandas, relations of DuckDB; or an iterable of record batches, such
as ``pyarrow.parquet.ParquetFile("f.parquet").iter_batches()``. Chunks are taken one after the other
and never put together. Columns of numbers are not copied, null or not; only booleans and several
columns that make one array are, a stretch of rows at a time.

>>> import pyarrow as pa
>>> from lossfn import arrow
>>> table = pa.table({"p": [2.5, 0.0, 7.0], "y": [3.0, -0.5, 2.0], "site": ["a", "a", "b"]})
>>> arrow.cost(table, "huber", "p", "y").value()
1.5833333333333333
>>> by_site = arrow.cost(table, "huber", "p", "y", by="site")
>>> {site: cost.value() for site, cost in by_site.items()}
{'a': 0.125, 'b': 4.5}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lossfn import Cost, Loss, loss as loss_of
from lossfn._catalog import changed

__all__ = ["Question", "Totals", "cost", "losses", "table"]

# Rows that are taken at once: enough for all threads, little where columns are put side by side.
_STRETCH = 1 << 20


def cost(
    data: Any,
    loss: Loss | str | Sequence[Loss | str],
    prediction: str | Sequence[str],
    target: str | Sequence[str],
    *,
    weights: str | None = None,
    mask: str | None = None,
    by: str | Sequence[str] | None = None,
    nulls: str = "error",
) -> Any:
    """The cost of the rows of a table.

    data: the table, as the module says; read once, as a stream.
    loss: a loss or its text, or a list of them, which share one pass over the table.
    prediction, target: a column of numbers; for class scores, distributions and losses of several
        predicted numbers a column of lists that are all equally long, or the names of several
        columns.
    weights, mask: columns; rows whose mask is false or 0 do not count and may hold anything.
    by: a column of keys, best a dictionary column, which is not decoded; or a list of columns.
    nulls: ``"error"``, or ``"skip"`` for rows with a null not to count. A null key is a group of
        its own.

    Returns a `lossfn.Cost`; with ``by`` a dict with the cost of each group, by its key (of a list
    of columns a tuple of keys), in the order of the keys. For a list of losses a list of these.

    Raises ``ValueError`` for a column that is not there, for nulls with their column and number,
    for lists that are not equally long and for what the loss does not take; ``TypeError`` for
    columns that do not hold numbers.
    """
    question = Question(loss, prediction, target, weights=weights, mask=mask, by=by, nulls=nulls)
    totals = Totals(question)
    for batch in _batches(data, question.columns):
        totals.add(batch)
    return totals.result()


def losses(
    data: Any,
    loss: Loss | str,
    prediction: str | Sequence[str],
    target: str | Sequence[str],
    *,
    weights: str | None = None,
    mask: str | None = None,
    nulls: str = "error",
) -> pa.ChunkedArray:
    """The losses of the rows of a table one by one, null for rows that do not count.

    Arguments and errors are those of `cost`.

    >>> import pyarrow as pa
    >>> from lossfn import arrow
    >>> table = pa.table({"p": [2.5, None, 7.0], "y": [3.0, -0.5, 2.0]})
    >>> arrow.losses(table, "huber", "p", "y", nulls="skip").to_pylist()
    [0.125, None, 4.5]
    """
    question = Question(loss, prediction, target, weights=weights, mask=mask, nulls=nulls)
    [loss] = question.losses
    one_by_one = changed(loss, reduction="none")
    rows = _Rows(question)
    chunks = []
    for batch in _batches(data, question.columns):
        for _, _, numbers, truth, factors, valid in rows.of(batch):
            values = one_by_one(numbers, truth, weights=factors, mask=valid)
            chunks.append(pa.array(values, mask=None if valid is None else ~valid))
    return pa.chunked_array(chunks, type=None if chunks else pa.float64())


def table(costs: Any, by: str | Sequence[str] | None = None) -> pa.Table:
    """What `cost` gave as a table: a row for each loss and group.

    by: the names of the columns that it was grouped by.

    Columns: those of the keys, then ``loss``, ``value`` (null where no row counts), ``sum``,
    ``weights``, ``valid`` and ``examples``.
    """
    by = _names(by)
    rows = []
    for result in costs if isinstance(costs, list) else [costs]:
        for key, cost in result.items() if isinstance(result, dict) else [((), result)]:
            key = key if isinstance(key, tuple) else (key,)
            if len(key) != len(by):
                raise ValueError(
                    f"by names {len(by)} columns, and the costs have keys of {len(key)}"
                )
            numbers = {
                name: getattr(cost, name) for name in ("sum", "weights", "valid", "examples")
            }
            has_value = cost.valid and cost.loss.reduction != "none"
            value = cost.value() if has_value else None
            rows.append(dict(zip(by, key)) | {"loss": str(cost.loss), "value": value} | numbers)
    return pa.Table.from_pylist(rows)


class Question:
    """What is asked of a table: which losses, of which columns. Arguments are those of `cost`."""

    def __init__(
        self,
        loss: Loss | str | Sequence[Loss | str],
        prediction: str | Sequence[str],
        target: str | Sequence[str],
        *,
        weights: str | None = None,
        mask: str | None = None,
        by: str | Sequence[str] | None = None,
        nulls: str = "error",
    ):
        if nulls not in ("error", "skip"):
            raise ValueError(f"nulls is 'error' or 'skip', not {nulls!r}")
        self.is_one = isinstance(loss, (str, Loss))
        wanted: Any = [loss] if self.is_one else loss
        self.losses = [loss_of(one) if isinstance(one, str) else one for one in wanted]
        if not self.losses:
            raise ValueError("loss is an empty list: give at least one loss")
        self.prediction, self.target = _one_or_list(prediction), _one_or_list(target)
        self.weights, self.mask, self.nulls = weights, mask, nulls
        self.by, self.keys_are_tuples = _names(by), not isinstance(by, str)

    @property
    def columns(self) -> list[str]:
        """The columns that are read, each once."""
        names = [*_names(self.prediction), *_names(self.target), self.weights, self.mask, *self.by]
        return list(dict.fromkeys(name for name in names if name is not None))


class Totals:
    """The answer so far: for each group a cost by each loss."""

    def __init__(self, question: Question):
        self.question = question
        self.groups: dict[tuple, list[Cost]] = {} if question.by else {(): self._none_yet()}
        self._reader = _Rows(question)

    def _none_yet(self) -> list[Cost]:
        return [Cost(loss) for loss in self.question.losses]

    @property
    def rows(self) -> int:
        """The number of rows that were counted."""
        return sum(costs[0].examples for costs in self.groups.values())

    def add(self, batch: pa.RecordBatch) -> None:
        """Adds the rows of a record batch."""
        question = self.question
        for start, piece, prediction, target, weights, valid in self._reader.of(batch):
            try:
                if question.by:
                    codes, keys = _groups(piece, question.by)
                    found = [
                        Cost.by_group(
                            loss, prediction, target, codes, len(keys), weights, mask=valid
                        )
                        for loss in question.losses
                    ]
                    for key, costs in zip(keys, zip(*found)):
                        # A dictionary may have keys that no row here has.
                        if any(cost.examples for cost in costs):
                            self._add_to(key, costs)
                else:
                    for cost in self.groups[()]:
                        cost.update(prediction, target, weights, mask=valid)
            except ValueError as error:
                last = start + len(piece) - 1
                raise ValueError(
                    f"in rows {start} to {last}, counted from there: {error}"
                ) from error

    def merge(self, other: Totals) -> None:
        """Adds what another part of the table came to, for the same question."""
        for key, costs in other.groups.items():
            self._add_to(key, costs)

    def _add_to(self, key: tuple, costs: Iterable[Cost]) -> None:
        if key not in self.groups:
            self.groups[key] = self._none_yet()
        for mine, theirs in zip(self.groups[key], costs, strict=True):
            mine.merge(theirs)

    def result(self) -> Any:
        """The result as `cost` gives it."""
        question = self.question
        if not question.by:
            results: list[Any] = self.groups[()]
        else:
            # Nulls first: they do not compare with other keys.
            keys = sorted(self.groups, key=lambda key: [(part is not None, part) for part in key])
            named = [
                (key if question.keys_are_tuples else key[0], self.groups[key]) for key in keys
            ]
            results = [
                {key: costs[at] for key, costs in named} for at in range(len(question.losses))
            ]
        return results[0] if question.is_one else results

    def __getstate__(self):
        return self.question, self.groups

    def __setstate__(self, state):
        self.question, self.groups = state
        self._reader = _Rows(self.question)


class _Rows:
    """Record batches as the arrays that costs take, checked: what a question has read."""

    def __init__(self, question: Question):
        self.question = question
        self.done = 0
        self.widths: dict[str, int] = {}

    def of(self, batch: pa.RecordBatch) -> Iterator[tuple]:
        """Stretches of the batch: the number of the first row, the rows, prediction, target,
        weights
        and which rows count."""
        question = self.question
        for at in range(0, len(batch), _STRETCH):
            piece = batch.slice(at, _STRETCH)
            valid: np.ndarray | None = None
            if question.mask is not None:
                mask, null = self.numbers(piece, question.mask)
                valid = self.counted(question.mask, null, None, len(piece))
                valid = mask != 0 if valid is None else valid & (mask != 0)
            arrays: list[Any] = []
            for columns in (question.prediction, question.target, question.weights):
                found = []
                for name in _names(columns):
                    values, null = self.numbers(piece, name)
                    valid = self.counted(name, null, valid, len(piece))
                    found.append(values)
                one = columns is None or isinstance(columns, str)
                both = next(iter(found), None) if one else self.side_by_side(columns, found)
                arrays.append(both)
            yield self.done, piece, *arrays, valid
            self.done += len(piece)

    def numbers(self, piece: pa.RecordBatch, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """The numbers of a column where they lie, and in which rows one is null, if in any."""
        values, null = _numbers(name, _column(piece, name), self.widths.get(name))
        if values.ndim == 2:
            self.widths.setdefault(name, values.shape[1])
        return values, null

    def counted(self, name, null, valid, rows) -> np.ndarray | None:
        """The rows that count once those are left out that a column has nulls in."""
        if null is None:
            return valid
        missing = int(np.count_nonzero(null if valid is None else null & valid))
        if missing and self.question.nulls == "error":
            raise ValueError(
                f"column {name!r} has {missing} null{'s' * (missing > 1)} in rows {self.done} to "
                f"{self.done + rows - 1}: fill them, or leave such rows out with nulls='skip'"
            )
        return ~null if valid is None else valid & ~null

    @staticmethod
    def side_by_side(names, columns) -> np.ndarray:
        if any(column.ndim != 1 for column in columns):
            raise ValueError(f"of the columns {', '.join(names)} one holds lists: name it alone")
        return np.stack(columns, axis=1)


def _names(columns: str | Sequence[str] | None) -> list[str]:
    return [] if columns is None else [columns] if isinstance(columns, str) else list(columns)


def _one_or_list(columns: str | Sequence[str]) -> str | list[str]:
    return columns if isinstance(columns, str) else list(columns)


def _batches(data: Any, columns: list[str]) -> Iterable[pa.RecordBatch]:
    """The record batches of a table, with these columns at least."""
    if isinstance(data, pa.Table):
        # Without the others, whose chunks would cut these too.
        return data.select([place(data.column_names, name) for name in columns]).to_batches()
    if hasattr(data, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(data)
    if hasattr(data, "__arrow_c_array__"):
        return [pa.record_batch(data)]
    if not isinstance(data, Iterable) or isinstance(data, (str, dict)):
        kind = type(data).__name__
        raise TypeError(f"data is a {kind}: give a table of Arrow, such as pyarrow.table({{...}})")
    return data


def place(names: list[str], name: str) -> int:
    """Where a column is among those of a table."""
    if names.count(name) != 1:
        what = "more than one column" if name in names else "no column"
        raise ValueError(f"there is {what} {name!r}; there are: {', '.join(names)}")
    return names.index(name)


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    array = batch.column(place(batch.schema.names, name))
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def _numbers(name: str, array: pa.Array, width: int | None) -> tuple[np.ndarray, np.ndarray | None]:
    kind = array.type
    null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if pa.types.is_fixed_size_list(kind):
        width = kind.list_size
        items = array.values.slice(array.offset * width, len(array) * width)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        width, items = _items(name, array, null, width)
    else:
        if not (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        ):
            raise TypeError(
                f"column {name!r} holds {kind} where numbers are due: cast it to float64"
            )
        if null is not None:
            # The same memory without its validity, which NumPy has no place for.
            values = array.buffers()[1]
            array = pa.Array.from_buffers(kind, len(array), [None, values], 0, array.offset)
        return array.to_numpy(zero_copy_only=not pa.types.is_boolean(kind)), null
    values, item_null = _numbers(name, items, None)
    if values.ndim != 1:
        raise TypeError(f"column {name!r} holds {kind} where lists of numbers are due")
    if item_null is not None:
        in_row = item_null.reshape(len(array), width).any(axis=1)
        null = in_row if null is None else null | in_row
    return values.reshape(len(array), width), null


def _items(name, array, null, width) -> tuple[int, pa.Array]:
    """The items of lists that are equally long, and how long they are."""
    offsets = array.offsets.to_numpy()
    sizes = np.diff(offsets)
    present = sizes if null is None else sizes[~null]
    if width is None:
        if not len(present):
            raise ValueError(
                f"column {name!r} starts with nulls only: no list tells how long lists are"
            )
        width = int(present[0])
    if (present != width).any():
        other = int(present[present != width][0])
        raise ValueError(
            f"column {name!r} has lists of {width} and of {other} numbers: make them equally long"
        )
    if (sizes == width).all():
        return width, array.values.slice(offsets[0], offsets[-1] - offsets[0])
    # Lists that are null take no room in the column, but in an array.
    places = (offsets[:-1, None] + np.arange(width)).ravel()
    return width, array.values.take(pa.array(places, mask=np.repeat(null, width)))


def _groups(batch: pa.RecordBatch, by: list[str]) -> tuple[np.ndarray, list[tuple]]:
    """For each row the place of its key in the list of keys."""
    codes, keys = _keys(by[0], _column(batch, by[0]))
    keys = [(key,) for key in keys]
    for name in by[1:]:
        more, further = _keys(name, _column(batch, name))
        pairs = pa.array(codes * len(further) + more).dictionary_encode()
        codes = pairs.indices.cast(pa.int64()).to_numpy()
        pairs = zip(*np.divmod(pairs.dictionary.to_numpy(), max(len(further), 1)))
        keys = [keys[first] + (further[second],) for first, second in pairs]
    return codes, keys


def _keys(name: str, array: pa.Array) -> tuple[np.ndarray, list]:
    if not pa.types.is_dictionary(array.type):
        try:
            array = array.dictionary_encode()
        except NotImplementedError:
            raise TypeError(f"column {name!r} holds {array.type}, which are no keys") from None
    codes, keys = array.indices.cast(pa.int64()), array.dictionary.to_pylist()
    if codes.null_count:
        codes = codes.fill_null(len(keys))
        keys.append(None)
    # Each NaN is another object, which a dict would take for another key.
    return codes.to_numpy(), [math.nan if key != key else key for key in keys]
