"""The course folder: where nbgrader keeps sheets, submissions, results and feedback pages.

source/NAME/NAME.ipynb                sheets with solutions and hidden tests
release/NAME/NAME.ipynb               what students get
submitted/STUDENT/NAME/NAME.ipynb     what they handed in
autograded/  feedback/  gradebook.db  what nbgrader makes of it
reports/NAME/STUDENT.json             what `judging.Judge` says about each task
"""

import json
import logging
import os
import shutil
import sys
import warnings
from pathlib import Path

import nbformat

from fcn_keras.grading import GradingError


def nbgrader_api(root: str | Path, config=None):
    """nbgrader for the course folder `root`; its log is silent.

    Raises:
        GradingError: If nbgrader is not installed.
    """
    try:
        from nbgrader.apps import NbGraderAPI
        from sqlalchemy.exc import SAWarning
        from traitlets.config import Config
    except ImportError:
        raise GradingError(
            "this needs nbgrader: `make assignments` installs it, or "
            "`python -m pip install -e .[teach]`"
        ) from None
    # nbgrader 0.9.6 with SQLAlchemy 2.1 warns of what a teacher cannot change
    warnings.filterwarnings("ignore", category=SAWarning)
    _find_programs_of_this_python()
    root = Path(root).resolve()
    config = Config(config or {})
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}?timeout=300"
    api = NbGraderAPI(config=config)
    api.log.setLevel(logging.CRITICAL)
    return api


def _find_programs_of_this_python():
    """nbgrader starts `alembic` by name, also where the environment is not activated."""
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]


def submit(root: Path, assignment: str, student: str, notebook, beside=()):
    """Puts a sheet where nbgrader expects a submission.

    Args:
        root: The course folder.
        assignment: Name of the sheet.
        student: Name of the student's folder.
        notebook: What was handed in.
        beside: Paths of other files that were handed in with it.
    """
    folder = root / "submitted" / student / assignment
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{assignment}.ipynb")
    for path in beside:
        shutil.copy(path, folder / path.name)


def autograde(root: str, assignment: str, student: str, settings: dict) -> dict:
    """Grades one submission with nbgrader and writes its feedback page; for a process of its own.

    Args:
        root: The course folder, with the submission in it.
        assignment: Name of the sheet.
        student: Name of the student's folder.
        settings: Of `judging.Judge`.

    Returns:
        What `Judge` reports: `"outcomes"` by task and `"seconds"` by task.

    Raises:
        RuntimeError: If nbgrader fails.
    """
    report = Path(root) / "reports" / assignment / f"{student}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    api = _judging_api(root, {"Judge": settings | {"report": str(report)}})
    result = api.autograde(assignment, student)
    if not result["success"]:  # once more: another worker may have been in the way
        result = api.autograde(assignment, student)
    if not result["success"]:
        raise RuntimeError(result.get("log") or result.get("error") or "nbgrader failed")
    api.generate_feedback(assignment, student)
    return json.loads(report.read_text(encoding="utf-8"))


def enter_points(root: Path, assignment: str, student: str, points: dict[str, float]):
    """Enters a person's points for answers in words, and writes the feedback page again.

    Args:
        root: The course folder.
        assignment: Name of the sheet.
        student: Name of the student's folder.
        points: By task.

    Raises:
        GradingError: If the sheet has no such task.
    """
    from nbgrader.api import MissingEntry

    api = _judging_api(root)
    with api.gradebook as book:
        for task, number in points.items():
            try:
                grade = book.find_grade(task, assignment, assignment, student)
            except MissingEntry:
                raise GradingError(
                    f"{root / 'to_mark.csv'}: {student}'s {assignment} has no task {task!r}"
                ) from None
            grade.manual_score, grade.needs_manual_grade = number, False
        book.db.commit()
    api.generate_feedback(assignment, student)


def _judging_api(root, config=None):
    """nbgrader with `judging.Judge` in the place of its own execution of a notebook."""
    from traitlets.config import Config

    from fcn_keras.grading.judging import use_judge

    config = Config(config or {})
    use_judge(config)
    return nbgrader_api(root, config)
