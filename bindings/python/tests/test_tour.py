"""The tour in docs/OWN_LOSS.md prints what it says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("xgboost")

TOUR = Path(__file__).resolve().parents[3] / "docs" / "OWN_LOSS.md"


def test_the_tour():
    torch = None
    with contextlib.suppress(ImportError):
        import torch
    blocks = re.findall(r"```python\n(.*?)```", TOUR.read_text(), re.DOTALL)
    shown = 0
    names = {}
    for block in blocks:
        if "torch" in block and torch is None:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, TOUR.name, "exec"), names)
        expected = re.findall(r"^#> (.*)$", block, re.MULTILINE)
        assert printed.getvalue().splitlines() == expected, block
        shown += len(expected)
    assert shown >= 5
