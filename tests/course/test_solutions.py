"""Every exercise of a notebook has a solution, which is shown only on request."""

import itertools
import re
from pathlib import Path

import pytest

import fcn_keras as fcn

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_has_a_solution_and_the_other_way_round(path):
    text = path.read_text(encoding="utf-8").split("## Exercise", 1)[1]
    exercises = [int(number) for number in re.findall(r"^# (\d+)\. ", text, re.M)]
    named = re.findall(r'solutions\.show\("(\d\d\.\d+)"\)', text)
    wanted = [f"{path.stem[:2]}.{number}" for number in exercises]
    assert exercises == list(range(1, len(exercises) + 1)) and exercises
    assert named == wanted
    assert [name for name in fcn.solutions.solutions() if name.startswith(path.stem[:2])] == wanted
    for name in wanted:
        assert len(fcn.solutions.show(name).text) > 80


def test_a_notebook_shows_it_as_markdown_and_a_terminal_as_text():
    solution = fcn.solutions.show("11.2")
    assert "cut off 16" in solution._repr_markdown_() and "cut off 16" in repr(solution)
    assert "## questions" not in fcn.solutions.show("11.3").text


@pytest.mark.parametrize("name", ["11.9", "99.1", "11", "", 11.2])
def test_a_wrong_number_names_the_right_ones(name):
    with pytest.raises(ValueError, match=r"There are .*11\.1"):
        fcn.solutions.show(name)


def test_a_solution_that_begins_with_code_keeps_its_first_line_in_the_code(tmp_path, monkeypatch):
    code = "    image = read()\n    show(image)"
    (tmp_path / "01.md").write_text(f"# Solutions\n\n## 01.1\n\n{code}\n\n## 01.2\n\nText.\n")
    monkeypatch.setattr(fcn.solutions, "FOLDER", tmp_path)
    assert fcn.solutions.solutions() == {"01.1": code, "01.2": "Text."}


@pytest.mark.parametrize("name, text", fcn.solutions.solutions().items())
def test_no_solution_has_a_line_of_code_outside_its_block(name, text):
    lines = ["", *text.splitlines()]
    for before, line in itertools.pairwise(lines):
        in_block = line.startswith("    ")
        assert not in_block or not before or before.startswith("    "), line
