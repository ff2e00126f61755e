"""The course: one text a sheet, with its solution, its checks and its hidden tests, and the notebooks that are made of it.

    python -m fcn_keras assignments                     # source/ and release/
    python -m fcn_keras assignments --course DIR        # with a teacher's own hidden tests and seed

In a source, `answer="task"` marks the cell that a student writes, `check="task" points=3` the one that tests it and
`written="task" points=2` an answer in words. `source/` is what nbgrader works from; `release/` is what students get.
"""

import hashlib
import logging
import os
import re
import shutil
import sys
import warnings
from pathlib import Path

import jupytext
import nbformat

PACKAGE = Path(__file__).parents[1]
ROOT = (
    PACKAGE.parent / "notebooks" / "assignments"
)  # the sheets' texts: in the repository, not in the installed package
CHECKS = PACKAGE / "checks"
SOLUTION = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.M)
HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS$.*?^### END HIDDEN TESTS$\n?", re.S | re.M)
PUBLIC_SEED = (
    "fcn_keras"  # what hidden tests are drawn from without --course: public, as this file is
)


class CourseError(Exception):
    """Something about the course is not as it should be; the message says what, and the way out."""


class Course:
    """The sheets, with or without a teacher's private folder.

    Args:
        private: A folder with `seed.txt` (any word or number) and, if wanted, for a sheet `NAME.py` with more hidden tests: cells
            `# %% check="task"`, which see `fcn`, `np`, `keras`, `SEED` and the student's names.

    Raises:
        CourseError: If the folder is not like that, or a test in it is for a task that does not exist.
    """

    def __init__(self, private: str | Path | None = None):
        self.sources = {path.stem: path for path in sorted(ROOT.glob("[0-9]_*.py"))}
        if not self.sources:
            raise CourseError(
                f"the sheets are not in {ROOT}; they come with the repository of fcn_keras, not with its package"
            )
        self.private = {}
        word = PUBLIC_SEED
        if private is not None:
            private = Path(private)
            if not private.is_dir():
                raise CourseError(
                    f"there is no folder {private}; --course expects one with seed.txt and NAME.py files"
                )
            secret = private / "seed.txt"
            word = secret.read_text(encoding="utf-8").strip() if secret.is_file() else ""
            if not word:
                raise CourseError(
                    f"{secret} is missing or empty; write a word or a number into it that students do not know"
                )
            for path in sorted(private.glob("*.py")):
                self.private[self.named(path.stem)] = self._private_tests(path)
        self.seed = seed_of(word)

    def named(self, name: str) -> str:
        """The full name of a sheet from its beginning, such as `"1"`.

        Raises:
            CourseError: If there is none or more than one.
        """
        found = [stem for stem in self.sources if stem.startswith(name)]
        if len(found) != 1:
            raise CourseError(
                f"no assignment is called {name!r}; there are {', '.join(self.sources)}"
            )
        return found[0]

    def _private_tests(self, path: Path) -> dict[str, str]:
        tests = {
            c.metadata["check"]: c.source
            for c in jupytext.read(path).cells
            if "check" in c.metadata
        }
        unknown = set(tests) - set(tasks_of(self.sources[self.named(path.stem)]))
        if unknown or not tests:
            wrong = (
                f"there is no task {min(unknown)!r}"
                if unknown
                else "no cell begins with # %% check=..."
            )
            raise CourseError(
                f"{path}: {wrong}; the tasks are {', '.join(tasks_of(self.sources[self.named(path.stem)]))}"
            )
        return tests

    def version(self, name: str) -> str:
        """Changes when anything changes that a sheet's points depend on: its text, its private tests, the seed, the checks."""
        parts = [
            self.sources[name].read_text(encoding="utf-8"),
            str(self.private.get(name)),
            str(self.seed),
        ]
        parts += [path.read_text(encoding="utf-8") for path in sorted(CHECKS.glob("*.py"))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def sheet(self, name: str):
        """A sheet as nbgrader wants it: solutions, checks and hidden tests in it."""
        notebook = jupytext.read(self.sources[name])
        notebook.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "fcn_keras": {"assignment": name},
        }
        for number, cell in enumerate(notebook.cells):
            marks = cell.metadata
            cell.metadata = nbformat.NotebookNode()
            if "answer" in marks:
                cell.metadata.nbgrader = nbgrader_mark(f"{marks['answer']}-answer", solution=True)
            elif "check" in marks:
                cell.metadata.nbgrader = nbgrader_mark(marks["check"], points=int(marks["points"]))
                extra = self.private.get(name, {}).get(marks["check"])
                if extra:
                    cell.source += f"\n### BEGIN HIDDEN TESTS\n{extra}\n### END HIDDEN TESTS"
            elif "written" in marks:
                cell.metadata.nbgrader = nbgrader_mark(
                    marks["written"], solution=True, points=int(marks["points"])
                )
            cell.id = hashlib.sha256(f"{number} {name}".encode()).hexdigest()[:12]
        return notebook

    def reference(self, name: str):
        """The sheet as a student with all the right answers hands it in."""
        notebook = self.sheet(name)
        for cell in notebook.cells:
            cell.source = SOLUTION.sub("", HIDDEN.sub("", cell.source)).rstrip("\n")
        return notebook

    def make(self, root: str | Path, names=()):
        """Writes `source/` and `release/` below `root`, and the assignments into its `gradebook.db`.

        Raises:
            CourseError: If nbgrader is not installed, or refuses a sheet.
        """
        api = nbgrader_api(root)
        for name in names or self.sources:
            folder = Path(root) / "source" / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            nbformat.write(self.sheet(name), folder / f"{name}.ipynb")
            result = api.generate_assignment(name, force=True)
            if not result["success"]:
                raise CourseError(
                    f"nbgrader refuses {name}:\n{result.get('log') or result.get('error')}"
                )


def seed_of(word: str) -> int:
    """The number, 0 to 2³¹ − 1, from which a course draws the inputs and sizes of its hidden tests."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % 2**31


def nbgrader_mark(grade_id: str, solution: bool = False, points: int | None = None) -> dict:
    """nbgrader's note on a cell: a graded one has points; one that is no solution is locked."""
    mark = {
        "schema_version": 3,
        "grade_id": grade_id,
        "solution": solution,
        "grade": points is not None,
    }
    return (
        mark
        | {"locked": not solution, "task": False}
        | ({} if points is None else {"points": points})
    )


def tasks_of(source: Path) -> dict[str, int]:
    """The tasks of a source that the computer judges, with their points."""
    return {
        c.metadata["check"]: int(c.metadata["points"])
        for c in jupytext.read(source).cells
        if "check" in c.metadata
    }


def nbgrader_api(root: str | Path, config=None):
    """nbgrader, for the course folder `root`; its log is silent.

    Raises:
        CourseError: If nbgrader is not installed.
    """
    try:
        from nbgrader.apps import NbGraderAPI
        from sqlalchemy.exc import SAWarning
        from traitlets.config import Config
    except ImportError:
        raise CourseError(
            "this needs nbgrader; make assignments installs it, or: python -m pip install -e .[teach]"
        ) from None
    warnings.filterwarnings(
        "ignore", category=SAWarning
    )  # nbgrader 0.9.6 with SQLAlchemy 2.1; nothing that a teacher can mend
    binaries = str(
        Path(sys.executable).parent
    )  # nbgrader starts `alembic` by name, also where the environment is not activated
    if binaries not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = binaries + os.pathsep + os.environ["PATH"]
    config = Config(config or {})
    config.CourseDirectory.root = str(Path(root).resolve())
    config.CourseDirectory.db_url = f"sqlite:///{Path(root).resolve() / 'gradebook.db'}?timeout=300"
    api = NbGraderAPI(config=config)
    api.log.setLevel(logging.CRITICAL)
    return api


def make_assignments(names, private: str | Path | None, out: str | Path | None) -> list[Path]:
    """The students' versions of some sheets, or of all.

    Args:
        names: Such as `"1"`; none: all.
        private: As at `Course`.
        out: Course folder; `None`: that of the sheets.

    Returns:
        The notebooks that students get.

    Raises:
        CourseError: If the course is not as it should be.
    """
    course, root = Course(private), Path(out or ROOT)
    names = [course.named(name) for name in names] or list(course.sources)
    course.make(root, names)
    return [root / "release" / name / f"{name}.ipynb" for name in names]
