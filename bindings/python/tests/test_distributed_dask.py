"""Costs over Parquet files: parts, their merge, and a Dask cluster of which a worker is killed."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

import lossfn

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
dask_distributed = pytest.importorskip("distributed")

from lossfn import arrow, distributed  # noqa: E402
from lossfn.distributed import dask  # noqa: E402

ROWS, FILES, ROW_GROUP = 200_000, 4, 5_000
LOSSES = ["huber(delta=0.7)", "squared_error"]


def program():
    """The program `lossfn`: where LOSSFN_PROGRAM says, on the path, or built in this repository."""
    root = Path(__file__).parents[3] / "target"
    named = os.environ.get("LOSSFN_PROGRAM") or shutil.which("lossfn")
    built = [root / "release" / "lossfn", root / "debug" / "lossfn"]
    return named or next((str(path) for path in built if path.exists()), None)


def program_costs(paths, by):
    """What `lossfn eval` says: for each loss by group sum, weights, valid and examples."""
    losses = [part for loss in LOSSES for part in ("--loss", loss)]
    columns = ["--target", "y", "--prediction", "p", "--weights", "w", "--by", by]
    command = [program(), "eval", *paths, *losses, *columns, "--format", "json"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = [{}, {}]
    for row in answer["costs"]:
        key = row["group"][by] or None
        at = 0 if row["loss"].startswith("huber") else 1
        found[at][key] = tuple(row[name] for name in ("sum", "weights", "valid", "examples"))
    return found


def numbers(costs):
    return {key: (c.sum, c.weights, c.valid, c.examples) for key, c in costs.items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Parquet files with a dictionary of groups, some rows of which have none."""
    folder = tmp_path_factory.mktemp("parquet")
    random = np.random.default_rng(0)
    rows = ROWS // FILES
    for at in range(FILES):
        codes = random.integers(0, 6, rows).astype("i1")
        sites = pa.DictionaryArray.from_arrays(
            pa.array(codes, mask=codes == 5), [f"site {k}" for k in range(5)]
        )
        table = pa.table(
            {
                "p": random.normal(size=rows).astype("f4"),
                "y": random.normal(size=rows).astype("f4"),
                "w": random.uniform(size=rows),
                "site": sites,
                "text": sites.cast(pa.string()),
            }
        )
        pq.write_table(table, folder / f"part{at}.parquet", row_group_size=ROW_GROUP)
    return sorted(str(path) for path in folder.iterdir())


@pytest.fixture(scope="module")
def expected(files):
    """The costs in one process, and of all rows at once."""
    table = pa.concat_tables([pq.read_table(path) for path in files], promote_options="permissive")
    return arrow.cost(table, LOSSES, "p", "y", weights="w", by="site")


QUESTION = distributed.question(LOSSES, "p", "y", weights="w", by="site")


def test_parts(files):
    parts = distributed.parts(files, rows=2 * ROW_GROUP)
    assert len(parts) == ROWS // (2 * ROW_GROUP) and sum(part.rows for part in parts) == ROWS
    assert parts[1] == distributed.Part(files[0], (2, 3), 2 * ROW_GROUP)
    folder = os.path.dirname(files[0])
    for paths in (folder, f"{folder}/part*.parquet", [Path(file) for file in files]):
        assert distributed.parts(paths, rows=2 * ROW_GROUP) == parts
    # A row group that is larger than a part is one.
    assert len(distributed.parts(files, rows=1)) == ROWS // ROW_GROUP
    address = f"file://{files[0]}"
    [whole] = distributed.parts(address)
    found = distributed.evaluate_part(whole, QUESTION).totals.rows
    assert whole.path == address and whole.rows == found == ROWS // FILES
    with pytest.raises(ValueError, match="part0.parquet is given more than once"):
        distributed.parts([folder, files[0]])
    with pytest.raises(ValueError, match="no Parquet files at 'nowhere"):
        distributed.parts("nowhere/*.parquet")


@pytest.mark.parametrize("by", ["site", "text"])
def test_parts_merge_to_the_whole_in_any_order(files, expected, by):
    question = distributed.question(LOSSES, "p", "y", weights="w", by=by)
    parts = distributed.parts(files, rows=2 * ROW_GROUP)
    states = [distributed.evaluate_part(part, question) for part in parts]
    np.random.default_rng(0).shuffle(states)
    assert distributed.merge(states, parts, question).result() == expected


def test_every_row_is_counted_once(files):
    parts = distributed.parts(files)
    states = [distributed.evaluate_part(part, QUESTION) for part in parts]
    with pytest.raises(ValueError, match="part1.parquet .* came twice"):
        distributed.merge([*states, states[1]], parts, QUESTION)
    with pytest.raises(ValueError, match="1 of 4 parts are missing: .*part3.parquet"):
        distributed.merge(states[:3], parts, QUESTION)
    promised = [part._replace(rows=part.rows + 1) for part in parts]
    with pytest.raises(ValueError, match="part0.parquet .* had 50001 rows, and 50000 were counted"):
        distributed.merge(
            [state._replace(part=part) for part, state in zip(promised, states)], promised, QUESTION
        )


def test_faults_name_the_file(files, tmp_path):
    table = pa.table({"p": [1.0, None], "y": [0.0, 0.0]})
    pq.write_table(table, tmp_path / "nulls.parquet")
    [part] = distributed.parts(tmp_path / "nulls.parquet")
    question = distributed.question("huber", "p", "y")
    with pytest.raises(ValueError, match="nulls.parquet, row groups 0 to 0: column 'p' has 1 null"):
        distributed.evaluate_part(part, question)
    with pytest.raises(ValueError, match="nulls.parquet, .*: there is no column 'q'"):
        distributed.evaluate_part(part, distributed.question("huber", "q", "y"))


@pytest.mark.skipif(program() is None, reason="the program lossfn is not built")
def test_the_program_says_the_same(files, expected):
    assert [numbers(costs) for costs in expected] == program_costs(files, "site")


class DiesOnce(dask_distributed.WorkerPlugin):
    """Kills its worker when it has finished some parts, as a failing machine would; once in all."""

    def __init__(self, note, after):
        self.note, self.after = note, after

    def setup(self, worker):
        self.finished = 0

    def transition(self, key, start, finish, **_):
        self.finished += finish == "memory"
        if self.finished == self.after:
            try:
                with open(self.note, "x") as note:
                    note.write(str(os.getpid()))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def client():
    cluster = dask_distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    )
    with cluster, dask_distributed.Client(cluster) as client:
        yield client


def test_dask(client, files, expected):
    found = dask.costs(files, LOSSES, "p", "y", weights="w", by="site", rows_per_part=ROW_GROUP)
    assert found == expected
    alone = dask.costs(files, lossfn.Huber(delta=0.7), "p", "y", weights="w", client=client)
    assert alone.examples == ROWS and alone == sum_of(expected[0])


def sum_of(costs):
    total = lossfn.Cost(lossfn.Huber(delta=0.7))
    for cost in costs.values():
        total.merge(cost)
    return total


def test_dask_tells_what_is_wrong(client, files):
    with pytest.raises(
        ValueError, match="row groups 0 to 9: there is no column 'q'; there are: p, y"
    ):
        dask.costs(files[0], "huber", "q", "y")


def test_dask_loses_a_worker(client, files, expected, tmp_path):
    """A killed worker takes what it had finished with it; every row is still counted once."""
    workers = set(client.run(os.getpid).values())
    note = tmp_path / "killed"
    client.register_plugin(DiesOnce(str(note), after=5))
    found = dask.costs(files, LOSSES, "p", "y", weights="w", by="site", rows_per_part=ROW_GROUP)
    killed = int(note.read_text())
    assert killed in workers and killed not in client.run(os.getpid).values()
    assert found == expected
    assert sum(cost.examples for cost in found[0].values()) == ROWS
