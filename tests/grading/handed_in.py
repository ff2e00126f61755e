"""Sheets as students hand them in: right, blank, or with answers of their own."""

import copy
from pathlib import Path

import nbformat

from fcn_keras.grading.sheets import Sheets

ASSIGNMENTS = Path(__file__).parents[2] / "notebooks" / "assignments"
PUBLIC_SHEETS = Sheets()  # without a teacher's private tests


def right(sheet):
    """All answers are those of the reference."""
    return PUBLIC_SHEETS.reference(sheet)


def blank(sheet):
    """The sheet as it is handed out."""
    return nbformat.read(ASSIGNMENTS / "release" / sheet / f"{sheet}.ipynb", as_version=4)


def with_answers(notebook, answers):
    """The same notebook with other answers, by task."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        task = grade_id.removesuffix("-answer")
        if grade_id.endswith("-answer") and task in answers:
            cell.source = answers[task].strip()
    return notebook


def with_cells_below(notebook, task, *sources):
    """The same notebook with cells of the student's own below a task's answer and its check."""
    notebook = copy.deepcopy(notebook)
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    place = ids.index(task) + 1
    notebook.cells[place:place] = [nbformat.v4.new_code_cell(source) for source in sources]
    return notebook


def with_first_cell(notebook, source):
    """The same notebook, with a cell of the student's own before all others."""
    notebook = copy.deepcopy(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source))
    return notebook


def without_checks(notebook):
    """The same notebook, with every cell deleted that calls a check."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [cell for cell in notebook.cells if "fcn.checks" not in cell.source]
    return notebook


def with_empty_checks(notebook):
    """The same notebook, with `pass` in every cell that calls a check."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        cell.source = "pass" if "fcn.checks" in cell.source else cell.source
    return notebook


def without_marks(notebook):
    """The same notebook, after an editor that drops the metadata it does not know."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = {}
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def write(notebook, folder, student, sheet):
    """Writes a notebook where a student's submission lies, and returns its path."""
    path = Path(folder) / student / f"{sheet}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path
