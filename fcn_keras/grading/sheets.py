"""The sheets: of each one text, with its solutions, its tests and its hidden tests.

    python -m fcn_keras assignments                     # source/ and release/
    python -m fcn_keras assignments --course DIR        # with a teacher's private tests and seed

In a text, `answer="task"` marks the cell that a student writes, `check="task" points=3` the cell
that tests it, and `written="task" points=2` an answer in words.
"""

import hashlib
import re
import shutil
from pathlib import Path

import jupytext
import nbformat

from fcn_keras.grading import GradingError
from fcn_keras.grading.course_folder import nbgrader_api

PACKAGE = Path(__file__).parents[1]
TEXTS = PACKAGE.parent / "notebooks" / "assignments"  # in the repository, not in the wheel
JUDGES = ("checks/*.py", "grading/judging.py", "grading/submissions.py")
SOLUTION_MARK = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.M)
HIDDEN_TESTS = re.compile(r"^### BEGIN HIDDEN TESTS$.*?^### END HIDDEN TESTS$\n?", re.S | re.M)
PUBLIC_SEED = "fcn_keras"  # decides hidden tests without --course; as public as this file


class Sheets:
    """The sheets, with or without a teacher's private tests.

    Args:
        private: A folder with `seed.txt` (a word or number) and, optionally, for a sheet `NAME.py`
            with more hidden tests: cells `# %% check="task"`, which see `fcn`, `np`, `keras`,
            `SEED` and the student's names.

    Attributes:
        sources: Path of each text, by name of the sheet.
        private_tests: By name of the sheet, then by task.
        seed: Decides the inputs and sizes of the hidden tests.

    Raises:
        GradingError: If the sheets are not there, the folder is not as described, or a test in it
            is for a task that does not exist.
    """

    def __init__(self, private: str | Path | None = None):
        self.sources = {path.stem: path for path in sorted(TEXTS.glob("[0-9]_*.py"))}
        if not self.sources:
            raise GradingError(
                f"the sheets are not in {TEXTS}: run this in a clone of the repository, of which "
                "the installed package is only a part"
            )
        self.private_tests: dict[str, dict[str, str]] = {}
        self.seed = seed_of(PUBLIC_SEED)
        if private is not None:
            self._read_private(Path(private))

    def _read_private(self, folder: Path):
        if not folder.is_dir():
            raise GradingError(
                f"there is no folder {folder}; --course expects one with seed.txt and, optionally, "
                "NAME.py files"
            )
        path = folder / "seed.txt"
        word = _text(path).strip() if path.is_file() else ""
        if not word:
            raise GradingError(
                f"{path} is missing or empty: write a word or number into it that students do not "
                "know"
            )
        self.seed = seed_of(word)
        for path in sorted(folder.glob("*.py")):
            name = self.full_name(path.stem)
            self.private_tests[name] = _private_tests(path, tasks_of(self.sources[name]))

    def full_name(self, beginning: str) -> str:
        """The name of a sheet from its beginning, such as `"1"`.

        Raises:
            GradingError: If no sheet, or more than one, begins like that.
        """
        found = [name for name in self.sources if name.startswith(beginning)]
        if len(found) != 1:
            raise GradingError(
                f"no assignment is called {beginning!r}; there are {', '.join(self.sources)}"
            )
        return found[0]

    def version(self, name: str) -> str:
        """A digest of everything that the points of a sheet depend on.

        These are its text, its private tests, the seed, the checks, and how it is judged.
        """
        parts = [_text(self.sources[name]), str(self.private_tests.get(name)), str(self.seed)]
        parts += [_text(path) for files in JUDGES for path in sorted(PACKAGE.glob(files))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def sheet(self, name: str):
        """A sheet as nbgrader wants it: with solutions, tests and hidden tests."""
        notebook = jupytext.read(self.sources[name])
        notebook.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "fcn_keras": {"assignment": name},
        }
        for number, cell in enumerate(notebook.cells):
            marks = cell.metadata
            cell.metadata = nbformat.NotebookNode()
            points = int(marks.get("points", 0))
            if "answer" in marks:
                cell.metadata.nbgrader = nbgrader_mark(f"{marks['answer']}-answer", solution=True)
            elif "check" in marks:
                cell.metadata.nbgrader = nbgrader_mark(marks["check"], points=points)
                if private := self.private_tests.get(name, {}).get(marks["check"]):
                    cell.source += f"\n### BEGIN HIDDEN TESTS\n{private}\n### END HIDDEN TESTS"
            elif "written" in marks:
                mark = nbgrader_mark(marks["written"], solution=True, points=points)
                cell.metadata.nbgrader = mark
            cell.id = hashlib.sha256(f"{number} {name}".encode()).hexdigest()[:12]
        return notebook

    def reference(self, name: str):
        """The sheet as a student with all the right answers hands it in."""
        notebook = self.sheet(name)
        for cell in notebook.cells:
            visible = HIDDEN_TESTS.sub("", cell.source)
            cell.source = SOLUTION_MARK.sub("", visible).rstrip("\n")
        return notebook

    def make(self, root: str | Path, names=()):
        """Writes `source/` and `release/` of a course folder, and enters the sheets into nbgrader.

        Args:
            root: The course folder.
            names: Of sheets; none: all.

        Raises:
            GradingError: If nbgrader is not installed, or rejects a sheet.
        """
        api = nbgrader_api(root)
        for name in names or self.sources:
            folder = Path(root) / "source" / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            nbformat.write(self.sheet(name), folder / f"{name}.ipynb")
            result = api.generate_assignment(name, force=True)
            if not result["success"]:
                why = result.get("log") or result.get("error")
                raise GradingError(f"nbgrader rejects {name}:\n{why}")


def make_assignments(names, private: str | Path | None, out: str | Path | None) -> list[Path]:
    """Makes the students' versions of sheets.

    Args:
        names: Such as `"1"`; none: all.
        private: As in `Sheets`.
        out: The course folder; `None`: that of the texts.

    Returns:
        The notebooks that students get.

    Raises:
        GradingError: If a name, the private folder or the installation is not as it should be.
    """
    sheets, root = Sheets(private), Path(out or TEXTS)
    names = [sheets.full_name(name) for name in names] or list(sheets.sources)
    sheets.make(root, names)
    return [release_path(root, name) for name in names]


def release_path(root: Path, name: str) -> Path:
    """Where the students' version of a sheet lies in a course folder."""
    return root / "release" / name / f"{name}.ipynb"


def seed_of(word: str) -> int:
    """The number, 0 to 2³¹ − 1, that decides the inputs and sizes of hidden tests."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % 2**31


def nbgrader_mark(grade_id: str, solution: bool = False, points: int | None = None) -> dict:
    """nbgrader's metadata of a cell: graded if it has points, locked if it is not a solution."""
    mark: dict = {"schema_version": 3, "grade_id": grade_id, "solution": solution}
    mark |= {"grade": points is not None, "locked": not solution, "task": False}
    return mark if points is None else mark | {"points": points}


def tasks_of(source: Path) -> dict[str, int]:
    """The tasks of a text that the computer judges, with their points."""
    marks = [cell.metadata for cell in jupytext.read(source).cells]
    return {mark["check"]: int(mark["points"]) for mark in marks if "check" in mark}


def all_points(source: Path) -> dict[str, int]:
    """The points of all tasks of a text, those in words too."""
    marks = [cell.metadata for cell in jupytext.read(source).cells]
    return {
        mark.get("check") or mark["written"]: int(mark["points"])
        for mark in marks
        if "check" in mark or "written" in mark
    }


def _private_tests(path: Path, tasks) -> dict[str, str]:
    """The tests in a teacher's file, by task."""
    cells = jupytext.reads(_text(path), fmt="py:percent").cells
    tests = {cell.metadata["check"]: cell.source for cell in cells if "check" in cell.metadata}
    unknown = set(tests) - set(tasks)
    if unknown or not tests:
        wrong = "no cell begins with # %% check=..."
        if unknown:
            wrong = f"there is no task {min(unknown)!r}"
        raise GradingError(f"{path}: {wrong}; the tasks are {', '.join(tasks)}")
    return tests


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise GradingError(f"{path} is not a text file; save it as UTF-8") from None
