"""Costs over Parquet files on a Ray cluster of two workers, of which one is killed.

python -m pytest tests/test_distributed_ray.py
"""

import os
import signal

import numpy as np
import pytest

import lossfn

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
ray_library = pytest.importorskip("ray")

from lossfn import arrow  # noqa: E402
from lossfn.distributed import ray  # noqa: E402

ROWS, ROW_GROUP = 50_000, 2_500


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=ROWS) for name in ("p", "y")}
    return pa.table(columns | {"site": random.choice(["a", "b", "c"], ROWS)})


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parquet")
    for at in range(2):
        half = table.slice(at * ROWS // 2, ROWS // 2)
        pq.write_table(half, folder / f"part{at}.parquet", row_group_size=ROW_GROUP)
    return folder


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return tmp_path_factory.mktemp("note") / "killed"


@pytest.fixture(scope="module", autouse=True)
def cluster(note):
    """Two workers. The first to be given its third part is killed, once."""

    def prepare():
        from lossfn import distributed

        evaluate, given = distributed.evaluate_part, []

        def evaluate_or_die(part, question):
            given.append(part)
            if len(given) == 3:
                try:
                    with open(note, "x") as file:
                        file.write(str(os.getpid()))
                except FileExistsError:
                    pass
                else:
                    os.kill(os.getpid(), signal.SIGKILL)
            return evaluate(part, question)

        distributed.evaluate_part = evaluate_or_die

    ray_library.init(
        num_cpus=2,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        runtime_env={"worker_process_setup_hook": prepare},
        object_store_memory=100 << 20,
    )
    yield
    ray_library.shutdown()


def test_ray_loses_a_worker(table, folder, note):
    found = ray.costs(
        folder, ["huber", "squared_error"], "p", "y", by="site", rows_per_part=ROW_GROUP
    )
    assert int(note.read_text()) != os.getpid()
    assert found == arrow.cost(table, ["huber", "squared_error"], "p", "y", by="site")
    assert sum(cost.examples for cost in found[0].values()) == ROWS


def test_ray_tells_what_is_wrong(folder):
    with pytest.raises(
        ValueError, match="row groups 0 to 9: there is no column 'q'; there are: p, y"
    ):
        ray.costs(folder, lossfn.Huber(), "q", "y")
