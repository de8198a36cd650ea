"""The notebooks in examples/ run as they are, and show what their text says."""

import importlib.util
import re
from pathlib import Path

import pytest

pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

FOLDER = Path(__file__).resolve().parents[3] / "examples"
NOTEBOOKS = {"explore_losses": 11, "own_loss": 4}
"""How many pictures each has, without its cells that need PyTorch."""


def tags(cell):
    return cell.metadata.get("tags", [])


def pictures(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def printed(notebook, tag):
    """What the cell with a tag printed."""
    (cell,) = (cell for cell in notebook.cells if tag in tags(cell))
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def number(text, label):
    """The first number after a label at the start of a line."""
    found = re.search(rf"^\s*{re.escape(label)}\s+(\S+)", text, re.MULTILINE)
    assert found, f"{label!r} is not in\n{text}"
    return float(found[1])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function: the notebook of a name, run in a folder of its own."""

    def execute(name):
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        if importlib.util.find_spec("torch") is None:
            notebook.cells = [cell for cell in notebook.cells if "torch" not in tags(cell)]
        folder = {"metadata": {"path": str(tmp_path_factory.mktemp(name))}}
        # Raises with the first cell that fails.
        client = nbclient.NotebookClient(
            notebook, timeout=180, kernel_name="python3", resources=folder
        )
        client.execute()
        assert pictures(notebook) >= NOTEBOOKS[name]
        return notebook

    return execute


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_was_run_and_can_be_read(name):
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < 600_000
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert pictures(notebook) >= NOTEBOOKS[name]
    for output in (output for cell in cells for output in cell.outputs):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
        # A figure that was drawn, and not told by what it is.
        assert not re.search(r"<(Figure|Axes|matplotlib)\b.* at 0x", str(output))
    assert not re.search(r"/(home|root|Users|tmp|work)/", path.read_text("utf-8"))


def test_exploring_losses(run):
    notebook = run("explore_losses")

    slopes = {
        line.split()[0]: float(line.split()[-1])
        for line in printed(notebook, "lines").splitlines()[1:]
    }
    assert abs(slopes["squared_error"] - 2) > 1.5
    assert abs(slopes["huber(delta=0.3)"] - 2) < 0.5
    assert abs(slopes["absolute_error"] - 2) < 0.5

    # 0.25, 0 and 4 with weights 1, 2 and 0.5, and one example that does not count.
    text = printed(notebook, "denominators")
    means = [float(mean) for mean in re.findall(r"= (\S+)", text)]
    assert means == pytest.approx([2.25 / 3.5, 2.25 / 3, 2.25 / 4, 2.25 / 10], abs=1e-6)

    assert "the same to the bit: True" in printed(notebook, "merging")
    assert "residual 0.0001   naive 0   lossfn 5e-09" in printed(notebook, "log_cosh")
    rows = [line.split() for line in printed(notebook, "logits").splitlines()]
    assert ["40", "1", "nan", "4.2484e-18", "0", "-4.2484e-18"] in rows


def test_a_loss_of_your_own(run):
    pytest.importorskip("xgboost")
    notebook = run("own_loss")

    text = printed(notebook, "euros")
    assert number(text, "one crate missing") == 9
    assert number(text, "one crate left over") == 1

    text = printed(notebook, "checks")
    # Differences with a step of 1e-6 have an error of about 1e-16 * 60 / 1e-6.
    assert number(text, "gradient and differences") < 1e-6
    assert number(text, "least curvature") >= 0
    # A corner of width 1e-9 takes off no more than 4.5 times that.
    assert number(text, "corner sharp: quantile") < 1e-8
    assert number(text, "corner wide: expectile") < 1e-12

    tables = [printed(notebook, "boosted")]
    if any("torch" in tags(cell) for cell in notebook.cells):
        tables.append(printed(notebook, "networks"))
        assert float(printed(notebook, "gradients").split()[-1]) < 1e-12
    for table in tables:
        rows = re.findall(r"^(\w.*?|\(.*\)) +(\d+\.\d+) +\d+% of days$", table, re.MULTILINE)
        costs = {name: float(cost) for name, cost in rows}
        assert len(costs) == len(table.splitlines()) - 1
        best, own = costs.pop("(best possible)"), costs.pop("own loss")
        assert best < own < 0.95 * min(costs.values())
        assert costs["huber"] > 1.5 * own

    counts = re.findall(r"(\d+) (?:records|are doubted|of them)", printed(notebook, "doubted"))
    broken, doubted, rightly = map(int, counts)
    assert rightly > 0.9 * max(broken, doubted)
