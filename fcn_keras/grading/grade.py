"""Grades a folder of submissions.

    python -m fcn_keras grade SUBMISSIONS --out grading [--course DIR] [--students students.csv]

First the reference solution must get full marks and the blank sheet none; otherwise nothing is
graded. An interrupted run continues where it stopped, and a second run grades only what is new. A
person marks the answers in words, in `to_mark.csv`; the same command then counts these points.
notebooks/assignments/README.md describes the files.
"""

import functools
import json
import shutil
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import nbformat

from fcn_keras.grading import GradingError
from fcn_keras.grading.course_folder import autograde, enter_points, nbgrader_api, submit
from fcn_keras.grading.reports import read_points, read_students, write_reports
from fcn_keras.grading.sheets import Sheets, release_path, tasks_of
from fcn_keras.grading.submissions import Submission, find, restored
from fcn_keras.support.files import written_whole
from fcn_keras.support.progress import progress

SECONDS = 30  # time limit of results that do not note theirs


def grade(options) -> int:
    """Grades a class.

    Args:
        options: The command's: `submissions`, `out`, `course`, `students`, `assignment`, `workers`,
            `seconds`.

    Returns:
        0, or 1 if something could not be graded.

    Raises:
        GradingError: If a file, a folder or the command is not as it should be.
    """
    sheets = Sheets(options.course)
    _check_folders(options)
    students, out = read_students(options.students), options.out.resolve()
    read_points(out / "to_mark.csv")  # a mistake in it is reported before hours of grading
    results = Results(out / "results.json")
    only = [sheets.full_name(name) for name in options.assignment or sheets.sources]
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        rehearsal = Path(folder)
        sheets.make(rehearsal)
        releases = {
            name: nbformat.read(release_path(rehearsal, name), as_version=4)
            for name in sheets.sources
        }
        found = _submissions(options.submissions, out, releases, only)
        names = sorted({one.assignment for one in found if not one.problem})
        settings = rehearse(sheets, names, rehearsal, releases, options)
        sheets.make(out, names)
        _keep_homes(settings, out)
    if options.assignment and (nobodys := set(only) - {one.assignment for one in found}):
        print(f"nobody handed in {', '.join(sorted(nobodys))}")
    limit = options.seconds
    new = [one for one in found if not one.problem and results.is_new(one, sheets, limit)]
    for one in new:
        handed_in = nbformat.read(one.path, as_version=4)
        sheet = restored(handed_in, releases[one.assignment])
        submit(out, one.assignment, one.student, sheet, one.beside)
        results.begin(one, sheets, limit)
    results.save()
    with progress("grading", len(new)) as advance:

        def finished(one, report, problem):
            results.finish(one, report, problem)
            advance(note=one.student)

        grade_all(new, out, settings, options.workers, finished)
    _count_points(out, results)
    unread = [one for one in found if one.problem]
    print(write_reports(out, sheets, results, unread, students))
    return 1 if unread or any(result["problem"] for result in results.values()) else 0


def _check_folders(options):
    """Raises `GradingError` before anything is done."""
    folder, out = options.submissions.resolve(), options.out.resolve()
    if not folder.is_dir():
        raise GradingError(
            f"there is no folder {options.submissions}; expected one with what students handed in"
        )
    if out.exists() and not out.is_dir():
        raise GradingError(
            f"expected --out to be a folder, received {options.out}, which is a file"
        )
    among_submissions = folder in (out, *out.parents)
    if among_submissions and out.exists() and not (out / "results.json").exists():
        raise GradingError(
            f"--out {options.out} lies among the submissions, and this command did not make it: "
            "choose another folder"
        )


def _submissions(folder, out, releases, only) -> list[Submission]:
    """The submissions of some sheets, and all that cannot be graded.

    Raises:
        GradingError: If none can be graded.
    """
    found = [
        one
        for one in find(folder, releases)
        if out not in one.path.resolve().parents and (one.problem or one.assignment in only)
    ]
    if all(one.problem for one in found):
        raise GradingError(
            f"{folder} holds no sheet of this course; expected .ipynb files made from release/"
        )
    return found


class Results(dict):
    """What happened to each submission, by `"student/assignment"`; kept in a file.

    A result has the submission's `digest`, its `file`, the time limit in `seconds`, the `problem`
    if it could not be graded, the `outcomes` by task, and the points (`marks`) that a person gave.

    Raises:
        GradingError: If the file is damaged.
    """

    def __init__(self, path: Path):
        self.path = path
        if path.is_file():
            try:
                self.update(json.loads(path.read_text(encoding="utf-8")))
            except ValueError:
                raise GradingError(
                    f"{path} is damaged: delete it to grade everything again, or choose another "
                    "--out"
                ) from None

    def save(self):
        with written_whole(self.path) as path:
            path.write_text(json.dumps(self, indent=1), encoding="utf-8")

    def is_new(self, one: Submission, sheets: Sheets, seconds: float) -> bool:
        """Whether a submission, or what its points depend on, has changed since it was graded.

        They depend on the time limit where it was exceeded and is longer now.
        """
        result = self.get(_key(one))
        if not result or result["problem"] or result["digest"] != _digest(one, sheets):
            return True
        exceeded = any(task["outcome"] == "time" for task in result["outcomes"].values())
        return exceeded and seconds > result.get("seconds", SECONDS)

    def begin(self, one: Submission, sheets: Sheets, seconds: float):
        self[_key(one)] = {
            "digest": _digest(one, sheets),
            "file": str(one.path),
            "seconds": seconds,
            "problem": "not graded yet",
            "outcomes": {},
            "marks": {},
        }

    def finish(self, one: Submission, report: dict | None, problem: str):
        outcomes = report["outcomes"] if report else {}
        self[_key(one)] |= {"problem": problem, "outcomes": outcomes}
        self.save()


def _key(one: Submission) -> str:
    return f"{one.student}/{one.assignment}"


def _digest(one: Submission, sheets: Sheets) -> str:
    return f"{one.digest()} {sheets.version(one.assignment)}"


def _keep_homes(settings, out: Path):
    """Moves the data that the references drew to the folder of the run."""
    for name, of_sheet in settings.items():
        home = out / "homes" / name
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(of_sheet["home"], home)
        of_sheet["home"] = str(home)


def _count_points(out: Path, results: Results):
    """Enters the points that a person wrote into `to_mark.csv`."""
    for (student, assignment), points in read_points(out / "to_mark.csv").items():
        result = results.get(f"{student}/{assignment}")
        if result and not result["problem"] and result["marks"] != points:
            enter_points(out, assignment, student, points)
            result["marks"] = points
    results.save()


def rehearse(sheets: Sheets, names, root: Path, releases, options) -> dict[str, dict]:
    """Grades the reference solution and the blank sheet of each assignment.

    Args:
        sheets: The sheets.
        names: Those to grade.
        root: A course folder for it, with `source/`.
        releases: The students' versions, as notebooks, by name of the sheet.
        options: The command's.

    Returns:
        For each sheet the settings of `Judge`: how long its tasks take, and its drawn data.

    Raises:
        GradingError: If a reference does not get full marks, or a blank sheet gets any.
    """
    settings = {}
    for name in names:
        home = root / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        settings[name] = {
            "seed": sheets.seed,
            "least_seconds": max(options.seconds, 120.0),
            "home": str(home),
            "fill_home": True,
        }
        submit(root, name, "reference", sheets.reference(name))
        submit(root, name, "blank", releases[name])
    with progress("reference and blank sheets", 2 * len(names)) as advance:

        def finished(one, report, problem):
            tasks = set(tasks_of(sheets.sources[one.assignment]))
            _require_expected_points(one, report, problem, tasks)
            if one.student == "reference":
                settings[one.assignment] |= {
                    "reference_seconds": report["seconds"],
                    "least_seconds": options.seconds,
                    "fill_home": False,
                }
            advance(note=one.assignment)

        for student in ("reference", "blank"):  # the blank sheets use the drawn data
            work = [Submission(student, name, root) for name in names]
            grade_all(work, root, settings, options.workers, finished)
    return settings


def _require_expected_points(one: Submission, report, problem: str, tasks: set[str]):
    """Full marks for the reference, none for the blank sheet."""
    wrong = ""
    if problem or set(report["outcomes"]) != tasks:
        wrong = f"the {one.student} sheet: {problem or 'some tasks were not judged'}"
    else:
        outcomes = report["outcomes"]
        right = {task for task in tasks if outcomes[task]["outcome"] == "right"}
        if one.student == "reference" and right != tasks:
            task = min(tasks - right)
            hint = outcomes[task]["hint"]
            wrong = f"the reference does not get full marks (task {task}: {hint})"
        if one.student == "blank" and right:
            wrong = f"the blank sheet gets points (task {min(right)})"
    if wrong:
        raise GradingError(f"{one.assignment}: {wrong}. Nothing was graded.")


def grade_all(work: list[Submission], root: Path, settings, workers: int, finished):
    """Grades submissions side by side.

    Args:
        work: The submissions, which lie in `root`.
        root: The course folder.
        settings: Of `Judge`, by name of the sheet.
        workers: Number of processes.
        finished: Called for each submission, whatever happens to it, with the submission, the
            report or `None`, and the problem or `""`.
    """
    with nbgrader_api(root).gradebook as book:  # two workers that add one student would collide
        for student in sorted({one.student for one in work}):
            book.update_or_create_student(student)
    left = list(work)
    while left:
        batch, left = (left, []) if workers > 1 else (left[:1], left[1:])
        left += _grade_batch(batch, root, settings, workers, finished)
        workers = 1  # what a worker died of is found by grading one at a time


def _grade_batch(batch, root, settings, workers, finished) -> list[Submission]:
    """Grades side by side, and returns the submissions of workers that died."""
    again, jobs = [], {}
    pool = _pool(workers)
    for one in batch:
        of_sheet = dict(settings[one.assignment])
        jobs[pool.submit(autograde, str(root), one.assignment, one.student, of_sheet)] = one
    try:
        for job in as_completed(jobs):
            report, problem = None, ""
            try:
                report = job.result()
            except BrokenProcessPool:
                _pool.cache_clear()
                if workers > 1:
                    again.append(jobs[job])
                    continue
                problem = "the grading process died while it graded this one"
            except Exception as error:
                why = (str(error).strip().splitlines() or [type(error).__name__])[-1]
                problem = f"could not be graded: {why[:300]}"
            finished(jobs[job], report, problem)
    except BaseException:  # Ctrl-C, or a failed rehearsal: start nothing more
        pool.shutdown(cancel_futures=True)
        _pool.cache_clear()
        raise
    return again


@functools.cache
def _pool(workers: int) -> ProcessPoolExecutor:
    """The processes that grade; kept, since each takes seconds to import what it needs."""
    return ProcessPoolExecutor(workers, get_context("spawn"), _start_worker)


def _start_worker():
    """Keeps TensorFlow's start-up lines and warnings about answers out of the progress bar."""
    from fcn_keras.support.startup import import_keras_quietly

    import_keras_quietly()
    warnings.simplefilter("ignore")
