"""Each claim in the table has its tagged cell, its figure, its test, and a test that breaks it."""

import re
from pathlib import Path

import jupytext
import pytest

import fcn_keras as fcn

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (L\d\d) \| [^|]+ \| `(\w+)` \| `(\w+\.py)` \|$", re.M)
CLAIMS = ROW.findall((ROOT / "notebooks" / "CLAIMS.md").read_text(encoding="utf-8"))


def test_the_table_is_in_order_and_each_claim_stands_once():
    names = [name for name, _, _ in CLAIMS]
    assert names == sorted(set(names)) and names


@pytest.mark.parametrize(
    ("claim", "notebook", "test_file"), CLAIMS, ids=[name for name, _, _ in CLAIMS]
)
def test_cell_figure_and_test_are_there(claim, notebook, test_file):
    cells = jupytext.read(ROOT / "notebooks" / f"{notebook}.py").cells
    assert any(claim in cell.metadata.get("tags", []) for cell in cells if cell.cell_type == "code")
    assert claim in fcn.lecture.FIGURES
    tests = (ROOT / "tests" / "course" / test_file).read_text(encoding="utf-8")
    assert re.search(rf"^def test_{claim}_(?!breaks)", tests, re.M) and re.search(
        rf"^def test_{claim}_breaks_when_", tests, re.M
    )


def test_every_tag_in_a_notebook_stands_in_the_table():
    tagged = {
        tag
        for path in (ROOT / "notebooks").glob("[0-9]*.py")
        for cell in jupytext.read(path).cells
        for tag in cell.metadata.get("tags", [])
        if re.fullmatch(r"L\d\d", tag)
    }
    assert tagged == {name for name, _, _ in CLAIMS}
