"""Finds what was handed in, whatever the folder looks like, and restores each sheet.

Known layouts: `STUDENT/ASSIGNMENT/any.ipynb` (nbgrader's), `STUDENT/any.ipynb`, Moodle's
`NAME_1_assignsubmission_file_/any.ipynb`, and files side by side: `STUDENT_ASSIGNMENT.ipynb`, or
Canvas' `name_123_456_ASSIGNMENT.ipynb`. A notebook says itself which sheet it is.
"""

import copy
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat


@dataclass
class Submission:
    """One sheet of one student.

    Attributes:
        student: The student, as the folder or file says; safe as a folder's name.
        assignment: Name of the sheet; `""` if nothing says which it is.
        path: The notebook.
        problem: Why it cannot be graded, or `""`.
        beside: Other files that were handed in with it.
        superseded: Whether a newer version of the same sheet counts.
    """

    student: str
    assignment: str
    path: Path
    problem: str = ""
    beside: list[Path] = field(default_factory=list)
    superseded: bool = False

    def digest(self) -> str:
        """Differs between versions of what was handed in."""
        contents = [path.read_bytes() for path in [self.path, *self.beside]]
        return hashlib.sha256(b"".join(contents)).hexdigest()


def find(folder: str | Path, releases: dict) -> list[Submission]:
    """Finds everything in a folder that looks handed in.

    Args:
        folder: Where the submissions lie.
        releases: The students' versions, as notebooks, by name of the sheet.

    Returns:
        One submission per notebook file, in order of student and sheet. Of two notebooks for one
        sheet, the one that was changed last counts; the other has a problem that says so.
    """
    folder, found = Path(folder), []
    for path in sorted(folder.rglob("*.ipynb")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):  # .ipynb_checkpoints, half-written files
            continue
        assignment, problem = _assignment_of(path, releases)
        beside = _files_beside(path) if len(parts) > 1 else []
        found.append(Submission(_student_of(parts, releases), assignment, path, problem, beside))
    _mark_older_versions(found)
    return sorted(found, key=lambda one: (one.student, one.assignment, str(one.path)))


def _files_beside(path: Path) -> list[Path]:
    return [p for p in sorted(path.parent.iterdir()) if p.is_file() and p.suffix != ".ipynb"]


def _mark_older_versions(found: list[Submission]):
    newest: dict[tuple[str, str], Submission] = {}
    gradable = [one for one in found if not one.problem]
    for one in sorted(gradable, key=lambda one: one.path.stat().st_mtime):
        if older := newest.get((one.student, one.assignment)):
            older.problem, older.superseded = f"an older version; {one.path.name} counts", True
        newest[one.student, one.assignment] = one


def _student_of(parts: tuple[str, ...], releases: dict) -> str:
    """The student, from the path of a submission below the folder."""
    name = parts[0]
    if len(parts) == 1:
        name = name.removesuffix(".ipynb")
        for release in releases:
            name = re.sub(rf"[ _-]*{re.escape(release)}.*$", "", name) or name
    name = re.sub(r"_assignsubmission_.*$", "", name)
    return re.sub(r"[^\w.@-]+", "_", name) or "_"


def _assignment_of(path: Path, releases: dict) -> tuple[str, str]:
    """Which sheet a file is, and why it cannot be graded or `""`."""
    named = next((name for name in releases if name in path.name or name in path.parts), "")
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        return named, f"this file is not a readable notebook ({type(error).__name__})"
    noted = notebook.metadata.get("fcn_keras", {}).get("assignment")
    if noted in releases:
        return noted, ""
    ids = set(_grade_ids(notebook))
    shared = {name: len(ids & set(_grade_ids(release))) for name, release in releases.items()}
    best = max(releases, key=lambda name: shared[name])
    if shared[best]:
        return best, ""
    return (named, "") if named else ("", "this notebook is not a sheet of this course")


def _grade_ids(notebook) -> list[str | None]:
    return [_mark(cell).get("grade_id") for cell in notebook.cells if "nbgrader" in cell.metadata]


def _mark(cell) -> dict:
    """nbgrader's metadata of a cell."""
    return cell.metadata.get("nbgrader", {})


def restored(notebook, release):
    """A submission with each test cell as it was handed out, at the end of its task.

    What the student wrote stays in place: answers, and cells of their own. Test cells that were
    edited, moved, copied or deleted stand where their task ends again: before the text that begins
    another task, or before another answer. So helpers, and answers too, may stand in cells below
    the answer's cell. A missing answer comes back blank. An answer that lost its mark, in an editor
    that drops unknown metadata, is recognised by its first line or by the text above it.

    Args:
        notebook: What was handed in.
        release: The student's version of that sheet.

    Returns:
        A new notebook.
    """
    answers = _answers_with_locked_cells(release)
    cells, places = _students_cells(notebook, release, answers)
    for name, place in places.items():
        blank, _ = answers[name]
        cells[place].metadata["nbgrader"] = copy.deepcopy(blank.metadata.nbgrader)
        cells[place].cell_type = blank.cell_type
    result = copy.deepcopy(notebook)
    result.cells = []
    tests = []  # of the task whose cells are being copied
    for cell in cells:
        name = _mark(cell).get("grade_id")
        if name or _begins_a_task(cell, release):
            result.cells += tests
            tests = []
        result.cells.append(cell)
        if name:
            tests = copy.deepcopy(answers[name][1])
    result.cells += tests
    for name, (blank, locked) in answers.items():
        if name not in places:
            result.cells += copy.deepcopy([blank, *locked])
    _make_valid(result.cells)
    result.nbformat, result.nbformat_minor = 4, 5
    result.metadata = copy.deepcopy(release.metadata)
    return result


def _answers_with_locked_cells(release) -> dict[str, tuple]:
    """Each answer's cell, and the locked cells between it and the next answer, by its id."""
    answers: dict[str, tuple] = {}
    last = None
    for cell in release.cells:
        mark = _mark(cell)
        if mark.get("solution"):
            last = mark["grade_id"]
            answers[last] = (cell, [])
        elif mark.get("locked") and last:
            answers[last][1].append(cell)
    return answers


def _begins_a_task(cell, release) -> bool:
    """Whether a cell is a text of the sheet, also where the student wrote something into it."""
    return cell.cell_type == "markdown" and any(
        cell.source == given.source or cell.get("id") == given.id
        for given in release.cells
        if given.cell_type == "markdown" and not _mark(given)
    )


def _students_cells(notebook, release, answers):
    """Copies of what the student wrote, without marks, and the place of each answer among them."""
    cells, places = [], {}
    tests = {cell.source for _, locked in answers.values() for cell in locked}
    marked = set(_grade_ids(notebook))
    for original in notebook.cells:
        cell = copy.deepcopy(original)
        mark = _mark(cell)
        name = mark.get("grade_id") if mark else _answer_of(cell, cells[-1:], release)
        if name in answers and (mark or name not in marked):
            places[name] = len(cells)  # of copies the last one counts, as it does when they run
        elif mark or cell.source in tests:  # a test cell, or a cell that pretends to be one
            continue
        cell.metadata.pop("nbgrader", None)
        cells.append(cell)
    return cells, places


def _make_valid(cells):
    """Gives cells new ids, removes outputs, and adds or drops what nbformat 4.5 asks for."""
    for number, cell in enumerate(cells):
        cell.id = f"{number:04d}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.setdefault("metadata", {})
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)


def _answer_of(cell, above, release) -> str | None:
    """The answer that a cell without a mark seems to be.

    Code is recognised by the name that it defines, words by the text above them.
    """
    sources = [blank.source for blank in release.cells]
    for number, blank in enumerate(release.cells):
        if not _mark(blank).get("solution") or blank.cell_type != cell.cell_type:
            continue
        if cell.cell_type == "code":
            first = re.match(r"(def \w+\(|\w+ = )", blank.source)
            found = first and re.search(rf"^{re.escape(first[1])}", cell.source, re.M)
        else:
            below = above and above[0].source == sources[number - 1]
            found = below and cell.source not in sources
        if found:
            return _mark(blank)["grade_id"]
    return None
