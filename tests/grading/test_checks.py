"""The assignments' checks: reference solutions pass at any seed, each plausible wrong answer gets its own hint."""

import functools
import importlib
import re
from pathlib import Path

import jupytext
import keras
import numpy as np
import pytest
from conftest import first_of

import fcn_keras as fcn
from fcn_keras.checks import NotYet

ASSIGNMENTS = Path(__file__).parents[2] / "notebooks" / "assignments"
SOURCES = sorted(ASSIGNMENTS.glob("[0-9]_*.py"))
# 0 is the seed that students see, and the author tried
any_seed = first_of("seed", (23, 20261123))


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
            for number, (what, code, hint) in enumerate(answers):
                trains = pytest.mark.long if task.startswith("trained_") and number else ()  # seconds each
                yield pytest.param(path, task, code, hint, id=f"{path.stem[0]}-{task}-{what.replace(' ', '_')}", marks=trains)


def visible_check(path, task):
    source = next(c.source for c in cells(path) if c.metadata.get("check") == task)
    return re.split(r"### BEGIN HIDDEN TESTS", source)[0]


@functools.cache
def made_setting(path):
    return setting(path)


@pytest.fixture
def settings():
    """`settings(path)`: a fresh copy of a sheet's setting, which is made once."""
    return lambda path: dict(made_setting(path))


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


def solution_of(path, task):
    """The reference answer's cell."""
    return next(c.source for c in cells(path) if c.metadata.get("answer") == task)


def tasks():
    return [pytest.param(path, c.metadata["check"], id=f"{path.stem[0]}-{c.metadata['check']}")
            for path in SOURCES for c in cells(path) if "check" in c.metadata]  # fmt: skip


@any_seed
@pytest.mark.parametrize("path, task", tasks())
def test_the_reference_is_right_at_any_seed_and_a_wrong_answer_at_none(path, task, seed, settings, capsys):
    """At sizes and numbers that the checks' author did not try, and its hidden tests too."""
    space = settings(path)
    exec(solution_of(path, task), space)
    test = next(c.source for c in cells(path) if c.metadata.get("check") == task)
    exec(test, space | {"SEED": seed})
    assert f"{task}: right" in capsys.readouterr().out
    check = getattr(fcn.checks, task)
    code = importlib.import_module(f"planted.a{path.stem[0]}").WRONG[task][0][1]
    space = settings(path)
    exec(code, space)
    with pytest.raises(NotYet):
        check(space[task], seed=seed)


@pytest.mark.parametrize("path, task", tasks())
def test_nonsense_gets_a_sentence(path, task, settings):
    """Nothing a student hands to a check ends in a traceback of the package, or is right."""
    check = getattr(fcn.checks, task)
    for nonsense in (None, 3.0, "text", [[1], [2, 3]], np.zeros((2, 2)), keras.ops.zeros(3), lambda: None, lambda *a, **k: None,
                     lambda *a, **k: "text", lambda *a, **k: np.full((3, 3), np.nan), lambda *a, **k: [[1], [2, 3]]):  # fmt: skip
        with pytest.raises(NotYet) as caught:
            check(nonsense)
        assert 10 < len(str(caught.value)) < 600 and caught.value.__cause__ is None
    empty = re.compile(r" *### BEGIN SOLUTION.*### END SOLUTION", re.S)
    blank = empty.sub("    raise NotImplementedError()", solution_of(path, task))
    space = settings(path)
    if blank.lstrip().startswith("def "):
        exec(blank, space)
        with pytest.raises(NotYet, match="is not written yet") as caught:
            check(space[task])
        assert caught.value.kind == "not answered"


def test_a_hint_is_all_that_a_notebook_shows():
    with pytest.raises(NotYet) as caught:
        fcn.checks.conv2d(lambda image, kernel, stride=1: image)
    lines = caught.value._render_traceback_()
    assert lines[0].startswith("Not yet: conv2d: the output for") and all(len(line) <= 100 for line in lines)
