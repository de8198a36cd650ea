"""Costs of more Parquet than one machine should read, on engines that spread work over workers.

A data set is cut into parts, row groups of a file, by the footers of its files. Each worker reads
the parts that it is given and answers with exact totals, which merge to those of one pass, to the
bit. A worker that is lost costs time and nothing else: the merge takes each part once, and compares
the rows that were counted with those that the footers promised.

`lossfn.distributed.dask`, `lossfn.distributed.ray` and `lossfn.distributed.spark` have a function
``costs`` each. What is here knows no engine, so another one needs a few lines:

>>> from lossfn import distributed
>>> def costs(paths, question, map):
...     parts = distributed.parts(paths)
...     states = map(lambda part: distributed.evaluate_part(part, question), parts)
...     return distributed.merge(states, parts, question).result()
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow.fs
import pyarrow.parquet

from lossfn.arrow import Question, Totals, place

__all__ = ["Part", "Question", "State", "evaluate_part", "merge", "parts", "question"]


class Part(NamedTuple):
    """A piece of work: row groups of a file."""

    path: str
    row_groups: tuple[int, ...]
    rows: int


class State(NamedTuple):
    """The answer for a part."""

    part: Part
    totals: Totals


def question(losses, prediction, target, **columns) -> Question:
    """The question of the arguments of ``costs``."""
    return Question(losses, prediction, target, **columns)


def parts(paths: str | Sequence[str], rows: int = 1 << 22) -> list[Part]:
    """The parts of Parquet files, as their footers say.

    paths: files, folders, patterns such as ``"run/*.parquet"``, or addresses such as ``"s3://..."``
        that `pyarrow.fs` knows; every worker must be able to read them.
    rows: a part has as many row groups as have no more rows than this, but at least one.

    Raises ``ValueError`` where there are no files, or one is given twice.
    """
    files = _files([paths] if isinstance(paths, (str, os.PathLike)) else paths)
    found: list[Part] = []
    for path in files:
        with _open(path) as file:
            sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
        part = Part(path, (), 0)
        for at, size in enumerate(sizes):
            if part.row_groups and part.rows + size > rows:
                found.append(part)
                part = Part(path, (), 0)
            part = Part(path, (*part.row_groups, at), part.rows + size)
        if part.row_groups:
            found.append(part)
    return found


def evaluate_part(part: Part, question: Question) -> State:
    """Reads a part and answers a question about it: what workers do."""
    totals = Totals(question)
    try:
        with _open(part.path, read_dictionary=question.by) as file:
            for name in question.columns:
                place(file.schema_arrow.names, name)
            # The engine has a thread for each part; more would be in the way of others.
            batches = file.iter_batches(
                1 << 17, list(part.row_groups), question.columns, use_threads=False
            )
            for batch in batches:
                totals.add(batch)
    except (TypeError, ValueError) as error:
        groups = f"row groups {part.row_groups[0]} to {part.row_groups[-1]}"
        raise type(error)(f"{part.path}, {groups}: {error}") from error
    return State(part, totals)


def merge(states: Iterable[State], parts: Sequence[Part], question: Question) -> Totals:
    """The totals of all parts, from the states of each, in any order.

    Raises ``ValueError`` unless every row was counted exactly once: for a part that comes twice,
    was not asked for or is missing, and one with other rows than its footer promised.
    """
    awaited = set(parts)
    totals = Totals(question)
    for part, found in states:
        if part not in awaited:
            raise ValueError(f"{_where(part)} came twice, or was not asked for")
        awaited.remove(part)
        if found.rows != part.rows:
            raise ValueError(f"{_where(part)} had {part.rows} rows, and {found.rows} were counted")
        totals.merge(found)
    if awaited:
        raise ValueError(
            f"{len(awaited)} of {len(parts)} parts are missing: {_where(min(awaited))}"
        )
    return totals


def _where(part: Part) -> str:
    return f"{part.path} with row groups {part.row_groups[0]} to {part.row_groups[-1]}"


def _files(paths: Iterable[str]) -> list[str]:
    files: list[str] = []
    for path in map(os.fspath, paths):
        if "://" in path:
            matching = [path]
        elif os.path.isdir(path):
            matching = glob.glob(os.path.join(glob.escape(path), "*.parquet"))
        else:
            matching = [path] if os.path.exists(path) else glob.glob(path)
        if not matching:
            raise ValueError(f"there are no Parquet files at {path!r}")
        files += sorted(one if "://" in one else os.path.realpath(one) for one in matching)
    twice = {path for path in files if files.count(path) > 1}
    if twice:
        raise ValueError(f"{min(twice)} is given more than once")
    if not files:
        raise ValueError("paths is empty: give the Parquet files to read")
    return files


def _open(path: str, **options) -> pyarrow.parquet.ParquetFile:
    if "://" in path:
        filesystem, path = pyarrow.fs.FileSystem.from_uri(path)
        options["filesystem"] = filesystem
    return pyarrow.parquet.ParquetFile(path, **options)
