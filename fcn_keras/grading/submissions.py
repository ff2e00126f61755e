"""Finds what was handed in, whatever the folder looks like, and puts each sheet in order before it is graded.

Known layouts: `STUDENT/ASSIGNMENT/any.ipynb` (nbgrader's), `STUDENT/any.ipynb`, Moodle's
`NAME_1_assignsubmission_file_/any.ipynb`, and files side by side: `STUDENT_ASSIGNMENT.ipynb`, Canvas'
`name_123_456_ASSIGNMENT.ipynb`. Which sheet it is, a notebook says itself.
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
        beside: Other files handed in with it.
    """

    student: str
    assignment: str
    path: Path
    problem: str = ""
    beside: list[Path] = field(default_factory=list)

    def digest(self) -> str:
        """Tells one version of what was handed in from another."""
        return hashlib.sha256(
            b"".join(path.read_bytes() for path in [self.path, *self.beside])
        ).hexdigest()


def find(folder: str | Path, releases: dict) -> list[Submission]:
    """Everything in a folder that looks handed in.

    Args:
        folder: Where the submissions lie.
        releases: The students' versions by name of the sheet, as notebooks.

    Returns:
        One a notebook file, in order of student and sheet. Of two notebooks for one sheet the one that was changed last
        counts, and the other has a problem that says so.
    """
    folder, found = Path(folder), []
    for path in sorted(folder.rglob("*.ipynb")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):  # .ipynb_checkpoints, half-written files
            continue
        assignment, problem = _which(path, releases)
        student = _student(parts, releases)
        beside = (
            []
            if len(parts) == 1
            else [p for p in sorted(path.parent.iterdir()) if p.is_file() and p.suffix != ".ipynb"]
        )
        found.append(Submission(student, assignment, path, problem, beside))
    newest: dict[tuple[str, str], Submission] = {}
    for one in sorted((s for s in found if not s.problem), key=lambda s: s.path.stat().st_mtime):
        if (one.student, one.assignment) in newest:
            newest[
                one.student, one.assignment
            ].problem = f"an older version; {one.path.name} counts"
        newest[one.student, one.assignment] = one
    return sorted(found, key=lambda s: (s.student, s.assignment, str(s.path)))


def _student(parts: tuple[str, ...], releases: dict) -> str:
    name = parts[0]
    if len(parts) == 1:
        name = re.sub(r"\.ipynb$", "", name)
        for release in releases:
            name = re.sub(rf"[ _-]*{re.escape(release)}.*$", "", name) or name
    name = re.sub(r"_assignsubmission_.*$", "", name)
    return re.sub(r"[^\w.@-]+", "_", name) or "_"


def _which(path: Path, releases: dict) -> tuple[str, str]:
    """The sheet that a file is, and why it cannot be graded or `""`."""
    named = next((name for name in releases if name in path.name or name in path.parts), "")
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        return named, f"this file is no notebook that can be read ({type(error).__name__})"
    said = notebook.metadata.get("fcn_keras", {}).get("assignment")
    if said in releases:
        return said, ""
    ids = set(_ids(notebook))
    shared = {name: len(ids & set(_ids(release))) for name, release in releases.items()}
    best = max(shared, key=shared.get)
    if shared[best]:
        return best, ""
    return (named, "") if named else ("", "this notebook is no sheet of this course")


def _ids(notebook) -> list[str]:
    return [
        cell.metadata.get("nbgrader", {}).get("grade_id")
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    ]


def restored(notebook, release):
    """A submission with each test cell as it was handed out, behind its answer, whatever the student did to it.

    What the student wrote stays where it is: answers, and cells of their own. Test cells that were edited, moved, copied or
    deleted stand again behind their answer; an answer that is missing comes back blank; one whose mark was lost (by an
    editor that drops what it does not know) is known by its first line, or by the text above it.

    Args:
        notebook: What was handed in.
        release: The student's version of that sheet.

    Returns:
        A new notebook.
    """
    answers, before = (
        {},
        None,
    )  # what belongs behind each answer: the sheet's locked cells up to the next answer
    for cell in release.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("solution"):
            before = mark["grade_id"]
            answers[before] = (cell, [])
        elif mark.get("locked") and before:
            answers[before][1].append(cell)
    result, last, cells = copy.deepcopy(notebook), {}, []
    marked = set(_ids(notebook))
    for cell in result.cells:
        mark = cell.metadata.get("nbgrader", {})
        name = mark.get("grade_id") if mark else _answer_of(cell, cells[-1:], release)
        if name in answers and (mark or name not in marked):
            last[name] = len(cells)  # of copies the last one counts, as it does when they run
        elif mark:  # a test cell, or one that pretends to be: the sheet's own comes instead
            continue
        cell.metadata.pop("nbgrader", None)
        cells.append(cell)
    for name, position in last.items():
        cells[position].metadata["nbgrader"] = copy.deepcopy(answers[name][0].metadata.nbgrader)
        cells[position].cell_type = answers[name][0].cell_type
    result.cells = []
    for cell in cells:
        result.cells.append(cell)
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name:
            result.cells += copy.deepcopy(answers[name][1])
    for (
        name,
        (cell, checks),
    ) in (
        answers.items()
    ):  # an answer that is not there at all: blank, so that it has its zero points
        if name not in last:
            result.cells += copy.deepcopy([cell, *checks])
    for number, cell in enumerate(result.cells):
        cell.id = f"{number:04d}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.setdefault("metadata", {})
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
    result.nbformat, result.nbformat_minor = 4, 5
    result.metadata = copy.deepcopy(release.metadata)
    return result


def _answer_of(cell, above, release) -> str | None:
    """The answer that an unmarked cell seems to be: by the name that it defines, or, for words, by the text above it."""
    sources = [c.source for c in release.cells]
    for number, blank in enumerate(release.cells):
        mark = blank.metadata.get("nbgrader", {})
        if not mark.get("solution") or blank.cell_type != cell.cell_type:
            continue
        first = re.match(r"(def \w+\(|\w+ = )", blank.source)
        if (
            cell.cell_type == "code"
            and first
            and re.search(rf"^{re.escape(first[1])}", cell.source, re.M)
        ):
            return mark["grade_id"]
        if (
            cell.cell_type == "markdown"
            and cell.source not in sources
            and above
            and above[0].source == sources[number - 1]
        ):
            return mark["grade_id"]
    return None
