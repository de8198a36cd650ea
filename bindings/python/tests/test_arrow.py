"""Costs over Arrow tables: those of the same numbers in NumPy, read where they lie."""

import pickle
import tracemalloc

import numpy as np
import pytest

import lossfn

pa = pytest.importorskip("pyarrow")

from lossfn import arrow  # noqa: E402

LOSS = lossfn.Huber(delta=0.7)


def example_table(rows=1000, seed=0, dtype=np.float32):
    random = np.random.default_rng(seed)
    sites = pa.DictionaryArray.from_arrays(
        pa.array(random.integers(0, 4, rows), pa.int8()), ["a", "b", "unused", "d", "e"]
    )
    return pa.table(
        {
            "p": random.normal(size=rows).astype(dtype),
            "y": random.normal(size=rows).astype(dtype),
            "w": random.uniform(size=rows),
            "m": random.uniform(size=rows) < 0.8,
            "site": sites,
            "year": random.integers(2000, 2003, rows),
        }
    )


def array(table, name):
    return table[name].to_numpy()


def cost_of(loss, prediction, target, weights=None, mask=None):
    cost = lossfn.Cost(loss)
    cost.update(prediction, target, weights, mask=mask)
    return cost


def test_cost_is_that_of_the_arrays():
    table = example_table()
    p, y, w, m = (array(table, name) for name in "pywm")
    assert arrow.cost(table, LOSS, "p", "y") == cost_of(LOSS, p, y)
    assert arrow.cost(table, LOSS, "p", "y", weights="w", mask="m") == cost_of(LOSS, p, y, w, m)


def test_several_losses_share_a_pass():
    table = example_table()
    huber, square = arrow.cost(iter(table.to_batches(100)), ["huber", "squared_error"], "p", "y")
    assert huber == arrow.cost(table, "huber", "p", "y")
    assert square == arrow.cost(table, lossfn.SquaredError(), "p", "y")


def chunked():
    table = example_table()
    return table, pa.concat_tables([table[:1], table[1:400], table[400:400], table[400:]])


@pytest.mark.parametrize(
    "form",
    [
        lambda table: table,
        lambda table: table.to_reader(),
        lambda table: table.to_batches(),
        lambda table: (batch for batch in table.to_batches(max_chunksize=7)),
        lambda table: pa.chunked_array([batch.to_struct_array() for batch in table.to_batches()]),
        lambda table: table.combine_chunks().to_batches()[0],
    ],
    ids=["table", "reader", "batches", "generator", "chunks of structs", "batch"],
)
def test_forms_of_tables(form):
    table, chunks = chunked()
    whole = arrow.cost(table, LOSS, "p", "y", weights="w", by="site")
    assert arrow.cost(form(chunks), LOSS, "p", "y", weights="w", by="site") == whole


def test_other_libraries():
    table = example_table()
    expected = arrow.cost(table, LOSS, "p", "y", by="year")
    pandas = pytest.importorskip("pandas")
    assert arrow.cost(table.to_pandas(), LOSS, "p", "y", by="year") == expected
    assert isinstance(table.to_pandas(), pandas.DataFrame)
    duckdb = pytest.importorskip("duckdb")
    example = table  # noqa: F841 (DuckDB finds it by its name)
    relation = duckdb.sql("select p, y, year from example")
    assert arrow.cost(relation, LOSS, "p", "y", by="year") == expected


def test_groups():
    table = example_table()
    p, y = array(table, "p"), array(table, "y")
    sites, years = np.array(table["site"].to_pylist()), array(table, "year")
    by_site = arrow.cost(table, LOSS, "p", "y", by="site")
    assert list(by_site) == ["a", "b", "d", "unused"] and "e" not in by_site
    for site, cost in by_site.items():
        assert cost == cost_of(LOSS, p[sites == site], y[sites == site])
    both = arrow.cost(table, LOSS, "p", "y", by=["site", "year"])
    assert len(both) == 12
    for (site, year), cost in both.items():
        rows = (sites == site) & (years == year)
        assert cost == cost_of(LOSS, p[rows], y[rows])
    decoded = table.set_column(4, "site", table["site"].cast(pa.string()))
    assert arrow.cost(decoded, LOSS, "p", "y", by="site") == by_site
    assert list(arrow.cost(table, LOSS, "p", "y", by=["year"])) == [(2000,), (2001,), (2002,)]


def test_null_and_nan_keys_are_groups():
    table = pa.table({"p": [1.0, 2, 3, 4], "y": [0.0] * 4, "k": ["b", None, "a", None]})
    costs = arrow.cost(table, "absolute_error", "p", "y", by="k")
    assert {key: cost.sum for key, cost in costs.items()} == {None: 6.0, "a": 3.0, "b": 1.0}
    assert list(costs) == [None, "a", "b"]
    dictionary = table.set_column(2, "k", table["k"].dictionary_encode())
    assert arrow.cost(dictionary, "absolute_error", "p", "y", by="k") == costs
    nan = table.set_column(2, "k", pa.array([np.nan, 1.0, np.nan, 1.0]))
    costs = arrow.cost(nan.to_batches(1), "absolute_error", "p", "y", by="k")
    assert sorted(cost.sum for cost in costs.values()) == [4.0, 6.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint8])
@pytest.mark.parametrize("nulls", [False, True])
def test_numbers_are_read_where_they_lie(dtype, nulls):
    values = pa.array(np.arange(100).astype(dtype), mask=np.arange(100) % 7 == 0 if nulls else None)
    values = values.slice(10, 50)
    view, null = arrow._numbers("p", values, None)
    at = values.buffers()[1].address + 10 * np.dtype(dtype).itemsize
    assert view.ctypes.data == at and view.dtype == dtype and len(view) == 50
    assert (null is None) != nulls


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32(), 3), pa.list_(pa.float32()), pa.large_list(pa.float64())]
)
def test_lists_are_read_where_they_lie(kind):
    lists = pa.array(np.arange(30.0).reshape(10, 3).tolist(), kind)
    view, null = arrow._numbers("p", lists[2:9], None)
    assert null is None and view.shape == (7, 3) and view.tolist() == lists[2:9].to_pylist()
    assert view.ctypes.data == lists.values.buffers()[1].address + 2 * 3 * view.itemsize


def test_nothing_is_copied():
    """Neither by Arrow nor by NumPy, in 24 MB of columns."""
    table = pa.table({"p": np.zeros(3_000_000, "f4"), "y": np.ones(3_000_000, "f4")})
    chunks = pa.concat_tables([table, table[1:]])
    allocated = pa.total_allocated_bytes()
    tracemalloc.start()
    cost = arrow.cost(chunks, LOSS, "p", "y")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cost.examples == 5_999_999
    assert peak < 1_000_000 and pa.total_allocated_bytes() == allocated


def test_nulls():
    table = pa.table(
        {
            "p": pa.array([1.0, None, 3.0, 4.0, None]),
            "y": pa.array([0, 0, None, 0, None], pa.int32()),
            "w": pa.array([1.0, 1.0, 1.0, None, 1.0]),
            "m": pa.array([True, True, False, True, False]),
        }
    )
    with pytest.raises(ValueError, match="'p' has 2 nulls in rows 0 to 4.*nulls='skip'"):
        arrow.cost(table, LOSS, "p", "y")
    # Rows that do not count may be null.
    with pytest.raises(ValueError, match="'p' has 1 null in rows 0 to 4"):
        arrow.cost(table, LOSS, "p", "y", mask="m")
    with pytest.raises(ValueError, match="'w' has 1 null in rows 2 to 3"):
        ones = table.select(["w"]).append_column("p", pa.array([1.0] * 5))
        arrow.cost(ones.to_batches(2), LOSS, "p", "p", weights="w")
    cost = arrow.cost(table, "absolute_error", "p", "y", nulls="skip")
    assert (cost.sum, cost.valid, cost.examples) == (5.0, 2, 5)
    cost = arrow.cost(table, "absolute_error", "p", "y", weights="w", mask="m", nulls="skip")
    assert (cost.sum, cost.valid, cost.examples) == (1.0, 1, 5)
    cost = arrow.cost(table[2:3], "absolute_error", "p", "y", nulls="skip")
    assert (cost.valid, cost.examples) == (0, 1)
    with pytest.raises(ValueError, match="'error' or 'skip'"):
        arrow.cost(table, LOSS, "p", "y", nulls="drop")


def scores(rows=50, classes=3, seed=1):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, classes)), random.integers(0, classes, rows)


def test_class_scores():
    prediction, target = scores()
    loss = lossfn.SoftmaxCrossEntropy(ignored_class=1)
    expected = cost_of(loss, prediction, target)
    columns = {f"s{k}": prediction[:, k] for k in range(3)}
    table = pa.table(columns | {"y": target})
    assert arrow.cost(table, loss, ["s0", "s1", "s2"], "y") == expected
    for kind in (pa.list_(pa.float64()), pa.list_(pa.float64(), 3), pa.large_list(pa.float64())):
        table = pa.table({"s": pa.array(prediction.tolist(), kind), "y": target})
        assert arrow.cost(table, loss, "s", "y") == expected
        assert arrow.cost(table.to_batches(7), loss, "s", "y") == expected
        table = table.append_column("g", pa.array(target % 2 == 0))
        by = arrow.cost(table, loss, "s", "y", by="g")
        assert by[True] == cost_of(loss, prediction[target % 2 == 0], target[target % 2 == 0])
    tensor = pa.FixedShapeTensorArray.from_numpy_ndarray(prediction)
    assert arrow.cost(pa.table({"s": tensor, "y": target}), loss, "s", "y") == expected


def test_distributions_and_joint_predictions():
    prediction, _ = scores()
    soft = np.exp(prediction) / np.exp(prediction).sum(axis=1, keepdims=True)
    table = pa.table({"s": prediction.tolist(), "y": soft.tolist()})
    loss = lossfn.SoftmaxCrossEntropy()
    assert arrow.cost(table, loss, "s", "y") == cost_of(loss, prediction, soft)
    mean, variance, target = prediction[:, 0], prediction[:, 1] ** 2 + 0.1, prediction[:, 2]
    table = pa.table({"mean": mean, "variance": variance, "y": target})
    loss = lossfn.GaussianNll()
    expected = cost_of(loss, np.stack([mean, variance], axis=1), target)
    assert arrow.cost(table, loss, ["mean", "variance"], "y") == expected


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float32(), 2)])
def test_nulls_in_lists(kind):
    rows = [[1.0, 2.0], None, [3.0, None], [0.0, 4.0], None]
    table = pa.table({"s": pa.array(rows, kind), "y": [0, 1, 1, 1, 0]})
    loss = lossfn.SoftmaxCrossEntropy()
    expected = cost_of(loss, np.float32([[1, 2], [0, 4]]), [0, 1])
    for batches in (
        table,
        table.to_batches(2),
        [table.to_batches()[0].slice(at, 1) for at in range(5)],
    ):
        cost = arrow.cost(batches, loss, "s", "y", nulls="skip")
        assert (cost.sum, cost.valid, cost.examples) == (expected.sum, 2, 5)
    with pytest.raises(ValueError, match="'s' has 3 nulls"):
        arrow.cost(table, loss, "s", "y")


def test_faults_name_the_column():
    table = example_table(10)
    for form in (table, table.to_reader()):
        with pytest.raises(ValueError, match="no column 'q'; there are: p, y, w, m, site, year"):
            arrow.cost(form, LOSS, "q", "y")
    with pytest.raises(ValueError, match="more than one column 'p'"):
        arrow.cost(table.append_column("p", table["y"]), LOSS, "p", "y")
    with pytest.raises(TypeError, match="'site' holds dictionary.*float64"):
        arrow.cost(table, LOSS, "site", "y")
    lists = pa.table({"s": [[1.0, 2.0], [1.0]], "y": [0, 1]})
    with pytest.raises(ValueError, match="'s' has lists of 2 and of 1 numbers"):
        arrow.cost(lists, "softmax_cross_entropy", "s", "y")
    with pytest.raises(ValueError, match="'s' has lists of 2 and of 1 numbers"):
        arrow.cost(lists.to_batches(1), "softmax_cross_entropy", "s", "y")
    with pytest.raises(TypeError, match="'s' holds list.* no keys"):
        arrow.cost(lists, LOSS, "y", "y", by="s")
    with pytest.raises(ValueError, match="rows 4 to 7, counted from there: .*position"):
        labels = pa.table({"s": [[1.0, 2.0]] * 9, "y": [0, 1, 1, 1, 0, 7, 0, 0, 0]})
        arrow.cost(labels.to_batches(4), "softmax_cross_entropy", "s", "y")
    for wrong in ({"p": [1.0]}, "table.parquet", 3):
        with pytest.raises(TypeError, match="pyarrow.table"):
            arrow.cost(wrong, LOSS, "p", "y")


def test_losses_one_by_one():
    table = example_table(100)
    found = arrow.losses(table.to_batches(30), LOSS, "p", "y", weights="w", mask="m")
    p, y, w, m = (array(table, name) for name in "pywm")
    one_by_one = lossfn.huber(p, y, delta=0.7, weights=w, reduction="none")
    assert found.type == pa.float32() and found.null_count == (~m).sum()
    assert (found.filter(pa.array(m)).to_numpy() == one_by_one[m]).all()
    assert len(arrow.losses([], LOSS, "p", "y")) == 0


def test_results_as_a_table():
    table = example_table()
    costs = arrow.cost(table, [LOSS, "squared_error"], "p", "y", weights="w", by=["site", "year"])
    found = arrow.table(costs, by=["site", "year"])
    assert found.column_names == [
        "site",
        "year",
        "loss",
        "value",
        "sum",
        "weights",
        "valid",
        "examples",
    ]
    assert found.num_rows == 24
    assert found["value"][0].as_py() == costs[0]["a", 2000].value()
    assert pa.compute.sum(found["examples"]).as_py() == 2000
    assert (
        arrow.table(arrow.cost(table, LOSS, "p", "y")).to_pylist()[0]["loss"] == "huber(delta=0.7)"
    )
    some = arrow.cost(table, LOSS, "p", "y", mask="m", by="site")
    assert sum(cost.examples for cost in some.values()) == 1000
    assert sum(cost.valid for cost in some.values()) == array(table, "m").sum()
    with pytest.raises(ValueError, match="empty list"):
        arrow.cost(table, [], "p", "y")
    nothing = arrow.cost(table[:0], LOSS, "p", "y")
    assert arrow.table(nothing)["value"].to_pylist() == [None]
    with pytest.raises(ValueError, match="by names 1"):
        arrow.table(costs, by="site")


def test_totals_merge_and_travel():
    table = example_table()
    question = arrow.Question(LOSS, "p", "y", by="site")
    first, second, whole = arrow.Totals(question), arrow.Totals(question), arrow.Totals(question)
    for part, rows in ((first, table[:300]), (second, table[300:]), (whole, table)):
        for batch in rows.to_batches():
            part.add(batch)
    first.merge(pickle.loads(pickle.dumps(second)))
    assert first.result() == whole.result() and first.rows == whole.rows == 1000
    assert whole.result() == arrow.cost(table, LOSS, "p", "y", by="site")
