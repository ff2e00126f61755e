"""The assignments' checks: reference solutions pass at any seed, each plausible wrong answer gets its own hint."""

import importlib
import re
from pathlib import Path

import jupytext
import pytest

from fcn_keras.checks import NotYet

ASSIGNMENTS = Path(__file__).parents[1] / "notebooks" / "assignments"
SOURCES = sorted(ASSIGNMENTS.glob("[0-9]_*.py"))
SEEDS = (0, 1, 23)  # 0 is the one that students see


def cells(path):
    return jupytext.read(path).cells


def setting(path):
    """A namespace as a student has it before the first task: the cells that no one has to answer, run in order."""
    space = {"__name__": "student"}
    for cell in cells(path):
        if cell.cell_type == "code" and not {"answer", "check"} & set(cell.metadata):
            exec(compile(cell.source, path.name, "exec"), space)
    return space


def planted():
    for path in SOURCES:
        wrong = importlib.import_module(f"planted.a{path.stem[0]}").WRONG
        for task, answers in wrong.items():
            for what, code, hint in answers:
                yield pytest.param(path, task, code, hint, id=f"{path.stem[0]}-{task}-{what.replace(' ', '_')}")


def visible_check(path, task):
    source = next(c.source for c in cells(path) if c.metadata.get("check") == task)
    return re.split(r"### BEGIN HIDDEN TESTS", source)[0]


@pytest.fixture(scope="module")
def settings():
    made = {}
    return lambda path: dict(made.setdefault(path, setting(path)))


@pytest.mark.parametrize("path, task, code, hint", list(planted()))
def test_a_wrong_answer_gets_its_hint(path, task, code, hint, settings):
    space = settings(path)
    exec(code, space)
    with pytest.raises(NotYet) as caught:
        exec(visible_check(path, task), space)
    assert hint in str(caught.value)
    source = next(c.source for c in cells(path) if c.metadata.get("answer") == task)
    solution = re.search(r"### BEGIN SOLUTION\n(.*)### END SOLUTION", source, re.S)[1]
    lines = [line.strip() for line in solution.splitlines() if len(line.strip()) > 20]
    assert not any(line in str(caught.value) for line in lines), "a hint never shows the solution"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_task_has_wrong_answers(path):
    """At least ten in an assignment, and one for each task that is checked by the computer."""
    wrong = importlib.import_module(f"planted.a{path.stem[0]}").WRONG
    tasks = [c.metadata["check"] for c in cells(path) if "check" in c.metadata]
    assert set(wrong) == set(tasks) and all(wrong.values())
    assert sum(map(len, wrong.values())) >= 10
