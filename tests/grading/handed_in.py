"""Makes submissions as students hand them in: right, wrong, blank, crashing, looping, cheating."""

import copy
import json
from pathlib import Path

import nbformat

from fcn_keras.grading.course import Course

ASSIGNMENTS = Path(__file__).parents[2] / "notebooks" / "assignments"
COURSE = Course()


def right(name):
    """All answers are those of the reference."""
    return COURSE.reference(name)


def with_answers(name, answers, notebook=None):
    """A sheet with some answers replaced: the cell of each task by another text."""
    notebook = copy.deepcopy(notebook or right(name))
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id.removesuffix("-answer") in answers and grade_id.endswith("-answer"):
            cell.source = answers[grade_id.removesuffix("-answer")].strip()
    return notebook


def blank(name):
    """The sheet as it is handed out."""
    return nbformat.read(ASSIGNMENTS / "release" / name / f"{name}.ipynb", as_version=4)


def with_first_cell(notebook, source):
    """A sheet that begins with a cell of the student's own."""
    notebook = copy.deepcopy(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source))
    return notebook


def write(notebook, folder, student, name):
    """Puts a sheet where a student's lies."""
    path = Path(folder) / student / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


# What a cheating submission does before it answers nothing right; each with a sheet of wrong
# answers it must earn nothing.
CHEATS = {
    "patches_numpy": """
import numpy, numpy.testing
numpy.testing.assert_allclose = lambda *a, **k: None
numpy.allclose = lambda *a, **k: True
numpy.array_equal = lambda *a, **k: True
""",
    "patches_the_checks": """
import fcn_keras as fcn
for name in fcn.checks.__all__:
    setattr(fcn.checks, name, lambda *a, **k: print("right"))
fcn.checks.hints.compare = fcn.checks.hints.ask = lambda *a, **k: None
""",
    "hides_errors": """
shell = get_ipython()
shell.showtraceback = lambda *a, **k: None
shell.set_custom_exc((Exception,), lambda *a, **k: None)
""",
    "stops_the_watch": """
import sys, threading
sys.setprofile = threading.setprofile = lambda *a: None
""",
}
ANYTHING = """
class Anything:
    def __eq__(self, other): return True
    def __call__(self, *a, **k): return self
    def __getattr__(self, name): return self
    def __array__(self, *a, **k): return np.zeros(1)
TASK = Anything()
"""


def cells_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
