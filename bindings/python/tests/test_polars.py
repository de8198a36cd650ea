"""Costs over frames of Polars."""

import numpy as np
import pytest

import lossfn

pl = pytest.importorskip("polars")
pytest.importorskip("pyarrow")

import lossfn.polars  # noqa: E402

LOSS = lossfn.Huber(delta=0.7)


def example_frame(rows=1000, seed=0):
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "p": random.normal(size=rows).astype("f4"),
            "y": random.normal(size=rows).astype("f4"),
            "w": random.uniform(size=rows),
            "m": random.uniform(size=rows) < 0.8,
            "site": pl.Series(random.choice(["a", "b", "c"], rows), dtype=pl.Categorical),
        }
    )


def expected(frame, weights=None, mask=None):
    cost = lossfn.Cost(LOSS)
    cost.update(
        frame["p"].to_numpy(),
        frame["y"].to_numpy(),
        weights and frame[weights].to_numpy(),
        mask=mask and frame[mask].to_numpy(),
    )
    return cost


@pytest.mark.parametrize(
    "form",
    [
        lambda frame: frame,
        lambda frame: frame.lazy(),
        lambda frame: frame.lazy().with_columns(pl.col("p") * 1),
        lambda frame: pl.concat([frame[:100], frame[100:]], rechunk=False),
        lambda frame: frame.to_struct("rows"),
    ],
    ids=["frame", "lazy", "query", "chunks", "structs"],
)
def test_frames(form):
    frame = example_frame()
    table = form(frame)
    assert lossfn.polars.cost(table, LOSS, "p", "y") == expected(frame)
    cost = lossfn.polars.cost(table, LOSS, "p", "y", weights="w", mask="m")
    assert cost == expected(frame, "w", "m")
    by_site = lossfn.polars.cost(table, LOSS, "p", "y", by="site")
    assert list(by_site) == ["a", "b", "c"]
    for site, cost in by_site.items():
        assert cost == expected(frame.filter(pl.col("site") == site))


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["a", "b", "c", "d"])])
def test_types_of_keys(dtype):
    frame = example_frame()
    by_site = lossfn.polars.cost(frame, LOSS, "p", "y", by="site")
    cast = frame.with_columns(pl.col("site").cast(pl.String).cast(dtype))
    assert lossfn.polars.cost(cast, LOSS, "p", "y", by="site") == by_site


def test_a_lazy_frame_is_streamed_from_its_file(tmp_path):
    frame = example_frame(20_000)
    frame.write_parquet(tmp_path / "f.parquet", row_group_size=1000)
    lazy = pl.scan_parquet(tmp_path / "f.parquet")
    cost = lossfn.polars.cost(lazy, [LOSS, "squared_error"], "p", "y", by="site")
    assert cost == lossfn.polars.cost(frame, [LOSS, "squared_error"], "p", "y", by="site")


def test_columns_are_read_where_they_lie(monkeypatch):
    frame = pl.concat([example_frame(100), example_frame(50)], rechunk=False).drop("site")
    seen = []
    numbers = lossfn.arrow._numbers

    def look(name, array, width):
        values, null = numbers(name, array, width)
        seen.append((name, values.ctypes.data))
        return values, null

    monkeypatch.setattr(lossfn.arrow, "_numbers", look)
    lossfn.polars.cost(frame, LOSS, "p", "y", weights="w")
    chunks = [(name, at) for at in range(2) for name in "pyw"]
    places = [
        (name, frame[name].get_chunks()[at].to_numpy(allow_copy=False).ctypes.data)
        for name, at in chunks
    ]
    assert seen == places


def test_nulls_and_lists():
    frame = pl.DataFrame({"p": [1.0, None, 3.0], "y": [0.0, 0.0, None]})
    with pytest.raises(ValueError, match="'p' has 1 null"):
        lossfn.polars.cost(frame, LOSS, "p", "y")
    cost = lossfn.polars.cost(frame.lazy(), "absolute_error", "p", "y", nulls="skip")
    assert (cost.sum, cost.valid, cost.examples) == (1.0, 1, 3)
    scores = np.random.default_rng(0).normal(size=(20, 3))
    labels = np.arange(20) % 3
    cost = lossfn.Cost(lossfn.SoftmaxCrossEntropy())
    cost.update(scores, labels)
    for dtype in (pl.List(pl.Float64), pl.Array(pl.Float64, 3)):
        frame = pl.DataFrame({"s": pl.Series(scores.tolist(), dtype=dtype), "y": labels})
        assert lossfn.polars.cost(frame, "softmax_cross_entropy", "s", "y") == cost


def test_losses_are_an_expression():
    frame = example_frame()
    losses = lossfn.huber(
        frame["p"].to_numpy().astype("f8"), frame["y"].to_numpy(), delta=0.7, reduction="none"
    )
    expression = lossfn.polars.losses(LOSS, pl.col("p").cast(pl.Float64), "y").alias("loss")
    for table in (frame, frame.lazy()):
        found = table.select(expression).lazy().collect()["loss"]
        assert found.dtype == pl.Float64 and (found.to_numpy() == losses).all()
    by_site = frame.group_by("site").agg(expression.mean()).sort(pl.col("site").cast(pl.String))
    sites = frame["site"].cast(pl.String).to_numpy()
    # Means of about 333 numbers of one sign, in another order of additions.
    for site, mean in by_site.rows():
        assert mean == pytest.approx(losses[sites == site].mean(), rel=1e-13)
    with_null = pl.DataFrame({"p": [1.0, None, 3.0], "y": [0.0, 1.0, 2.0], "w": [1.0, 1.0, 2.0]})
    found = with_null.select(lossfn.polars.losses("absolute_error", "p", "y", weights="w"))
    assert found["p"].to_list() == [1.0, None, 2.0]
    joint = lossfn.polars.losses("gaussian_nll", ["p", pl.col("w") + 1], "y")
    expected = lossfn.gaussian_nll([[1.0, 2.0], [3.0, 3.0]], [0.0, 2.0], reduction="none")
    assert with_null.select(joint)["p"].to_list() == [expected[0], None, expected[1]]


def test_results_as_a_frame():
    frame = example_frame()
    found = lossfn.polars.table(lossfn.polars.cost(frame, LOSS, "p", "y", by="site"), by="site")
    assert found["site"].to_list() == ["a", "b", "c"] and found["examples"].sum() == 1000
