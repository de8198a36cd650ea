"""What `lossfn emit` writes, run: by databases, NumPy, PyTorch and JAX, against lossfn's own results."""

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
from functools import cache

import numpy as np
import pytest
from conftest import ABOUT

import lossfn

# Databases have no Bessel functions.
WITHOUT_BESSEL = "von_mises_nll"
IDS = [id for id, about in ABOUT.items() if about["form"] == "pointwise" or about["components"]]

IN_SQL = [id for id in IDS if id != WITHOUT_BESSEL]

# Zeros, kinks of most losses, and numbers where exponentials vanish or are large.
NUMBERS = np.array(
    [0, 1e-8, 1e-3, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 7.5, 20, 40, 100, 300], dtype=float
)
INSIDE = {
    "any number": np.unique(np.concatenate([-NUMBERS, NUMBERS])),
    "0 or more": NUMBERS,
    "above 0": NUMBERS[1:],
    "0 to 1": np.array([0, 1e-8, 1e-3, 0.25, 0.5, 0.75, 1 - 1e-8, 1]),
    "above 0 and below 1": np.array([1e-8, 1e-3, 0.25, 0.5, 0.75, 1 - 1e-8]),
    "-1 or +1": np.array([-1.0, 1.0]),
    "the logarithm of a probability": -NUMBERS,
}


@cache
def emitted(id, language):
    return lossfn.catalog[id]().emit(language)


def components(id):
    return [name for name, _, _ in ABOUT[id]["components"]]


@cache
def examples(id):
    """Columns of numbers: predictions, one for each component, and targets; NaN in some rows."""
    about = ABOUT[id]
    domains = [domain for _, domain, _ in about["components"]] or [about["prediction_domain"]]
    rows = list(itertools.product(*(INSIDE[d] for d in [*domains, about["target_domain"]])))
    if len(rows) > 3000:
        chosen = np.random.default_rng(0).choice(len(rows), 3000, replace=False)
        rows = [rows[at] for at in np.sort(chosen)]
    usual = rows[len(rows) // 2]
    for at in range(len(usual)):
        rows.append(tuple(np.nan if at == place else x for place, x in enumerate(usual)))
    return tuple(np.array(rows).T)


@cache
def expected(id):
    """The names of the results and lossfn's own numbers: loss, gradient(s), second(s)."""
    *predictions, target = examples(id)
    loss = lossfn.loss(id, reduction="none")
    names = components(id)
    prediction = np.stack(predictions, axis=-1) if names else predictions[0]
    value, gradient, second = loss.value_gradient_and_second(prediction, target)
    if not names:
        return {"loss": value, "gradient": gradient, "second": second}
    results = {"loss": value}
    for what, rows in [("gradient", gradient), ("second", second)]:
        results |= {f"{what}_{name}": rows[:, at] for at, name in enumerate(names)}
    return results


def judge(id, found, rtol=1e-10):
    """Compares columns of results."""
    columns = examples(id)
    size = np.nanmax(np.abs(columns), axis=0)
    wrong = []
    for name, due in expected(id).items():
        numbers = np.array(found[name], dtype=float)
        with np.errstate(invalid="ignore"):
            # Terms as large as the numbers that go in may cancel.
            near = np.abs(numbers - due) <= rtol * np.abs(due) + 1e-14 * np.maximum(size, 1)
        ok = near | (numbers == due) | (np.isnan(numbers) & np.isnan(due))
        if id == "symmetric_absolute_percentage_error" and name != "loss":
            # There lossfn has no slope, and the formula half of that on one side.
            ok |= columns[0] == 0
        for at in np.flatnonzero(~ok)[:3]:
            where = tuple(float(column[at]) for column in columns)
            wrong.append(f"{id}: {name} at {where} is {numbers[at]}, not {due[at]}")
    assert not wrong, "\n".join(wrong)


def function_of(id, result):
    return id if result == "loss" else f"{id}_{result}"


def module(id, language):
    namespace = {}
    exec(compile(emitted(id, language), f"<{id} in {language}>", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("id", IDS)
def test_numpy(id):
    if "special." in emitted(id, "numpy"):
        pytest.importorskip("scipy")
    names = module(id, "numpy")
    columns = examples(id)
    results = {}
    for name in expected(id):
        result = names[function_of(id, name)](*columns)
        results[name] = np.broadcast_to(result, columns[0].shape)
    judge(id, results)


@pytest.mark.parametrize("id", IDS)
def test_jax(id):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        names = module(id, "jax")
        columns = [jax.numpy.asarray(column) for column in examples(id)]
        results = {}
        for name in expected(id):
            function = jax.jit(names[function_of(id, name)])
            results[name] = np.broadcast_to(function(*columns), columns[0].shape)
    judge(id, results)


@pytest.mark.parametrize("id", IDS)
def test_torch(id):
    torch = pytest.importorskip("torch")
    names = module(id, "torch")
    columns = [torch.tensor(column) for column in examples(id)]
    results = {}
    for name in expected(id):
        result = names[function_of(id, name)](*columns)
        assert result.dtype == torch.float64
        results[name] = torch.broadcast_to(result, columns[0].shape).numpy()
    # Its polygamma has ten digits.
    judge(id, results, 1e-9 if id == "beta_nll" else 1e-10)


@pytest.mark.parametrize("id", IDS)
def test_derivatives_by_torch_itself(id):
    """Those of the emitted loss, kinks included; NaN where a branch that is not taken is singular."""
    torch = pytest.importorskip("torch")
    names = module(id, "torch")
    full = np.stack(examples(id))
    # NaN is left out, and so are quotients that are so large that their derivatives cancel.
    usual = ((np.abs(full) <= 20) & ((np.abs(full) >= 1e-3) | (full == 0))).all(axis=0)
    columns = [torch.tensor(column) for column in full[:, usual]]
    for place, component in enumerate(components(id) or [None]):
        inputs = [column.clone() for column in columns]
        inputs[place].requires_grad_()
        value = names[id](*inputs)
        (found,) = torch.autograd.grad(value.sum(), inputs[place])
        gradient = names[f"{id}_gradient" + (f"_{component}" if component else "")]
        due = gradient(*columns).expand_as(found)
        off = ((found - due).abs() > 1e-6 * (due.abs() + 1)) & (found != due)
        assert not off.any()
        assert found.isnan().sum() <= 2


def rows(id):
    """The examples as rows of a database, where nothing is NULL."""
    return [tuple(float(x) for x in row) for row in zip(*examples(id), strict=True)]


def columns_of(id):
    return [*(components(id) or ["prediction"]), "target"]


def by_name(id, names, rows):
    """Columns of an answer, NULL as NaN."""
    columns = np.array([[np.nan if x is None else x for x in row] for row in rows], dtype=float).T
    return dict(zip(names, columns, strict=True))


@pytest.mark.parametrize("id", IN_SQL)
def test_duckdb(id):
    duckdb, pa = pytest.importorskip("duckdb"), pytest.importorskip("pyarrow")
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name} DOUBLE" for name in columns_of(id))
        connection.execute(f"CREATE TABLE predictions ({columns})")
        data = dict(zip(columns_of(id), examples(id), strict=True))
        connection.register("examples", pa.table(data))
        connection.execute("INSERT INTO predictions SELECT * FROM examples")
        connection.execute("INSERT INTO predictions (target) VALUES (1.0)")
        answer = connection.execute(emitted(id, "sql"))
        names = [about[0] for about in answer.description]
        *found, empty = answer.fetchall()
    assert all(x is None for x in empty[len(columns_of(id)) :]), "what is missing has no loss"
    judge(id, by_name(id, names, found))


@pytest.mark.parametrize("id", IN_SQL)
def test_sqlite(id):
    with sqlite3.connect(":memory:") as connection:
        try:
            connection.execute("SELECT exp(1.0)")
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no mathematical functions")
        connection.execute(f"CREATE TABLE predictions ({', '.join(columns_of(id))})")
        marks = ", ".join("?" for _ in columns_of(id))
        connection.executemany(f"INSERT INTO predictions VALUES ({marks})", rows(id))
        answer = connection.execute(emitted(id, "sql"))
        names = [about[0] for about in answer.description]
        judge(id, by_name(id, names, answer.fetchall()))


@pytest.mark.parametrize("id", IN_SQL)
def test_postgres(id):
    """On a server that LOSSFN_POSTGRES names, as `host=localhost user=postgres`."""
    server = os.environ.get("LOSSFN_POSTGRES")
    if not server or not shutil.which("psql"):
        pytest.skip("LOSSFN_POSTGRES names no server, or there is no psql")
    columns = columns_of(id)
    table = ", ".join(f"{name} DOUBLE PRECISION" for name in columns)
    lines = ["\t".join(repr(x) for x in row) for row in rows(id)]
    query = emitted(id, "sql").replace(";", "")
    script = "\n".join(
        [
            "\\set ON_ERROR_STOP on",
            f"CREATE TEMPORARY TABLE predictions ({table});",
            "COPY predictions FROM STDIN;",
            *lines,
            "\\.",
            "INSERT INTO predictions (target) VALUES (1.0);",
            f"SELECT json_agg(row_to_json(answer)) FROM ({query}) AS answer;",
        ]
    )
    command = ["psql", server, "--quiet", "--tuples-only", "--no-align", "--no-psqlrc"]
    run = subprocess.run(command, input=script, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    *found, empty = json.loads(run.stdout)
    assert all(empty[name] is None for name in expected(id))
    results = {
        name: [np.nan if row[name] is None else float(row[name]) for row in found]
        for name in expected(id)
    }
    judge(id, results)
