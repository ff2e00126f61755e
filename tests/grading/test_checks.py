"""What a check says: a right answer is right at any seed, a wrong one gets its own hint."""

import ast
import functools
import re

import keras
import numpy as np
import pytest
from conftest import first_of
from planted import first_wrong_answer, right_answers, wrong_answers
from sheets import (
    SHEETS,
    blank_answer,
    cells_of,
    every_task,
    judged_tasks,
    judging_cell,
    long_if,
    names_after,
    package_check,
    reference_answer,
    solution,
    visible_part,
)

import fcn_keras as fcn
from fcn_keras.checks import NotYet

# Tasks whose answers are networks: a second each to build and compare, several to train.
TRAINED = {"trained_cae", "trained_fcn"}
BUILT = {"build_cae", "build_fcn", "fcn_concat", "fcn_sum", "fully_convolutional", "upsampling"}
NETWORKS = TRAINED | BUILT
any_seed = first_of("seed", (23, 20261123))  # students see seed 0
every_sheet = pytest.mark.parametrize("sheet", SHEETS)


# --- wrong answers


def every_wrong_answer():
    """Of answers that build or train a network, `make test` tries the first of each task."""
    for sheet in SHEETS:
        for task, answers in wrong_answers(sheet).items():
            for number, (mistake, wrong) in enumerate(answers.items()):
                case = f"{sheet[0]}-{task}-{mistake}"
                marks = long_if(number and task in NETWORKS)
                yield pytest.param(sheet, task, wrong, id=case, marks=marks)


@pytest.mark.parametrize("sheet, task, wrong", list(every_wrong_answer()))
def test_a_wrong_answer_gets_its_hint(sheet, task, wrong):
    names = names_after(wrong.code, sheet)
    with pytest.raises(NotYet) as caught:
        exec(visible_part(judging_cell(sheet, task)), names)
    hint = str(caught.value)
    assert wrong.hint in hint
    for line in solution(sheet, task).splitlines():
        assert len(line.strip()) <= 20 or line.strip() not in hint, "the hint shows the solution"


@any_seed
@every_task(long=NETWORKS)
def test_a_wrong_answer_is_refused_at_any_seed(sheet, task, seed):
    names = names_after(first_wrong_answer(sheet, task), sheet)
    with pytest.raises(NotYet):
        package_check(task)(names[task], seed=seed)


@every_sheet
def test_every_task_has_wrong_answers(sheet):
    """At least ten for a sheet, and one for each task that the computer judges."""
    answers = wrong_answers(sheet)
    assert set(answers) == set(judged_tasks(sheet))
    assert all(answers.values()) and sum(map(len, answers.values())) >= 10


# --- right answers


@any_seed
@every_task(long=TRAINED)
def test_the_reference_is_right_at_any_seed(sheet, task, seed, capsys):
    """At sizes and numbers that the author of the check did not try; the hidden tests pass too."""
    names = names_after(reference_answer(sheet, task), sheet)
    exec(judging_cell(sheet, task), names | {"SEED": seed})
    assert f"{task}: right" in capsys.readouterr().out


@pytest.mark.parametrize(
    "sheet, task, answer",
    [
        pytest.param(sheet, task, answer, id=f"{sheet[0]}-{task}", marks=long_if(task in NETWORKS))
        for sheet in SHEETS
        for task, answer in right_answers(sheet).items()
    ],
)
def test_wrong_answers_are_made_of_a_right_one(sheet, task, answer, capsys):
    """So a wrong answer makes the mistake that it is named after, and no other."""
    exec(visible_part(judging_cell(sheet, task)), names_after(answer, sheet))
    assert f"{task}: right" in capsys.readouterr().out


# --- no answer at all


NONSENSE = {
    "None": None,
    "a number": 3.0,
    "a string": "text",
    "rows of unequal length": [[1], [2, 3]],
    "an array": np.zeros((2, 2)),
    "a Keras tensor": keras.ops.zeros(3),
    "a function without arguments": lambda: None,
    "a function that returns None": lambda *_, **__: None,
    "a function that returns a string": lambda *_, **__: "text",
    "a function that returns NaN": lambda *_, **__: np.full((3, 3), np.nan),
    "a function that returns rows of unequal length": lambda *_, **__: [[1], [2, 3]],
}


@every_task()
def test_nonsense_gets_a_sentence(sheet, task):
    """Nothing that a student hands to a check passes, or ends in a traceback of the package."""
    for what, nonsense in NONSENSE.items():
        with pytest.raises(NotYet) as caught:
            package_check(task)(nonsense)
        assert 10 < len(str(caught.value)) < 600 and caught.value.__cause__ is None, what


@every_task()
def test_a_blank_answer_is_not_written_yet(sheet, task):
    blank = blank_answer(sheet, task)
    if not blank.lstrip().startswith("def "):
        pytest.skip("not a function: its blank answer is None")
    with pytest.raises(NotYet, match="is not written yet") as caught:
        package_check(task)(names_after(blank, sheet)[task])
    assert caught.value.kind == "not answered"


def test_a_notebook_shows_only_the_hint():
    with pytest.raises(NotYet) as caught:
        fcn.checks.conv2d(lambda image, kernel, stride=1: image)
    lines = caught.value._render_traceback_()
    assert lines[0].startswith("Not yet: conv2d: the output for")
    assert all(len(line) <= 100 for line in lines)


# --- the sheets' own code


@every_sheet
def test_the_package_has_every_name_that_a_sheet_uses(sheet):
    """The cells behind the last task run in `make test-long` only; a missing name shows here."""
    source = "\n".join(cell.source for cell in cells_of(sheet) if cell.cell_type == "code")
    attributes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))
    used = {name for name in map(ast.unparse, attributes) if re.fullmatch(r"fcn(\.\w+)+", name)}
    assert used
    for name in sorted(used):
        functools.reduce(getattr, name.split(".")[1:], fcn)
