"""Costs over Parquet files on a Spark master with two workers; the Python process of one is killed.

    python -m pytest tests/test_distributed_spark.py

needs pyspark, whose own scripts start master and workers, and Java 17.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import lossfn

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pyspark = pytest.importorskip("pyspark")
if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
    pytest.skip("there is no Java", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402

from lossfn import arrow  # noqa: E402
from lossfn.distributed import spark  # noqa: E402

ROWS, ROW_GROUP = 50_000, 5_000
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


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


# What Python processes of executors start with: the first to be given its third part is killed.
DIES_ONCE = """
import os, signal
if os.environ.get("LOSSFN_TEST_NOTE"):
    from lossfn import distributed
    evaluate, given = distributed.evaluate_part, []

    def evaluate_or_die(part, question):
        given.append(part)
        if len(given) == 3:
            try:
                with open(os.environ["LOSSFN_TEST_NOTE"], "x") as file:
                    file.write(str(os.getpid()))
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return evaluate(part, question)

    distributed.evaluate_part = evaluate_or_die
"""


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """The address of a master with two workers on this machine."""
    logs = tmp_path_factory.mktemp("spark")
    home = Path(pyspark.__file__).parent
    settings = {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "JAVA_TOOL_OPTIONS": QUICK_START,
        "SPARK_WORKER_DIR": str(logs / "work"),
    }
    started = []

    def start(kind, *arguments):
        log = logs / f"{len(started)}.log"
        command = [home / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", *arguments]
        with open(log, "w") as file:
            process = subprocess.Popen(
                command, env=os.environ | settings, stdout=file, stderr=file, start_new_session=True
            )
        started.append(process)
        return log

    def awaited(log, pattern):
        for _ in range(300):
            if found := re.search(pattern, log.read_text()):
                return found[0]
            time.sleep(0.1)
        raise TimeoutError(f"{pattern} is not in:\n{log.read_text()}")

    try:
        log = start("master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        address = awaited(log, r"spark://127.0.0.1:\d+")
        worker = ["worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "512m"]
        for log in [start(*worker, "--webui-port", "0", address) for _ in range(2)]:
            awaited(log, "Successfully registered")
        yield address
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_spark_loses_a_worker(master, table, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", QUICK_START)
    (tmp_path / "sitecustomize.py").write_text(DIES_ONCE)
    note = tmp_path / "killed"
    session = (
        SparkSession.builder.master(master)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.executor.memory", "512m")
        .config("spark.cores.max", "2")
        .config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
        .config("spark.pyspark.python", sys.executable)
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
        .config("spark.executorEnv.LOSSFN_TEST_NOTE", str(note))
        .getOrCreate()
    )
    try:
        losses = ["huber", "squared_error"]
        found = spark.costs(folder, losses, "p", "y", by="site", rows_per_part=ROW_GROUP)
        assert int(note.read_text()) != os.getpid()
        assert found == arrow.cost(table, losses, "p", "y", by="site")
        assert sum(cost.examples for cost in found[0].values()) == ROWS
        executors = session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
        assert len(executors) == 3  # the driver and those of both workers
        with pytest.raises(
            Exception, match="row groups 0 to 4: there is no column 'q'; there are: p, y"
        ):
            spark.costs(folder, lossfn.Huber(), "q", "y", session=session)
    finally:
        session.stop()
