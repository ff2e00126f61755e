"""The sheets' sources: their tasks, their cells, and what a student's notebook defines."""

import functools
import re

import jupytext
import pytest
from handed_in import PUBLIC_SHEETS

import fcn_keras as fcn

SHEETS = list(PUBLIC_SHEETS.sources)


@functools.cache
def cells_of(sheet):
    return jupytext.read(PUBLIC_SHEETS.sources[sheet]).cells


def judged_tasks(sheet):
    """The tasks that the computer judges."""
    return [cell.metadata["check"] for cell in cells_of(sheet) if "check" in cell.metadata]


def reference_answer(sheet, task):
    return next(cell.source for cell in cells_of(sheet) if cell.metadata.get("answer") == task)


def solution(sheet, task):
    """The part of the reference answer that students do not see."""
    marked = r"### BEGIN SOLUTION\n(.*)### END SOLUTION"
    return re.search(marked, reference_answer(sheet, task), re.S)[1]


def blank_answer(sheet, task):
    """The answer's cell as students get it."""
    marked = re.compile(r" *### BEGIN SOLUTION.*### END SOLUTION", re.S)
    return marked.sub("    raise NotImplementedError()", reference_answer(sheet, task))


def judging_cell(sheet, task):
    """The cell that judges an answer, hidden tests included."""
    return next(cell.source for cell in cells_of(sheet) if cell.metadata.get("check") == task)


def visible_part(cell):
    return cell.split("### BEGIN HIDDEN TESTS")[0]


def package_check(task):
    """The function of the package that judges an answer."""
    return getattr(fcn.checks, task)


@functools.cache
def names_given(sheet):
    """What the cells without a task define, up to the last task; they run once for all tests."""
    names, cells = {"__name__": "student"}, cells_of(sheet)
    last = max(number for number, cell in enumerate(cells) if "check" in cell.metadata)
    for cell in cells[:last]:
        if cell.cell_type == "code" and not {"answer", "check"} & set(cell.metadata):
            exec(compile(cell.source, sheet, "exec"), names)
    return names


def names_after(answer, sheet):
    """What a student's notebook defines when the cell of an answer has run."""
    names = dict(names_given(sheet))
    exec(answer, names)
    return names


def every_task(sheets=SHEETS, long=()):
    """Parametrizes a test: the tasks of all sheets; `make test` leaves out those in `long`."""
    return pytest.mark.parametrize(
        "sheet, task",
        [
            pytest.param(sheet, task, id=f"{sheet[0]}-{task}", marks=long_if(task in long))
            for sheet in sheets
            for task in judged_tasks(sheet)
        ],
    )


def long_if(slow):
    """The marks of a case."""
    return [pytest.mark.long] if slow else []
