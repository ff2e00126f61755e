"""Grades a folder of submissions: points, what happened to each task, feedback pages, and files that Moodle and Canvas import.

    python -m fcn_keras grade SUBMISSIONS --out grading [--course DIR] [--students students.csv]

First the reference solution must get full marks and the blank sheet none; otherwise nothing is graded. A run that was
stopped goes on where it was, and a second run grades only what is new. Answers in words are marked by a person, in
`to_mark.csv`; the same command again then counts them. README.md describes the files.
"""

import json
import shutil
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import nbformat

from fcn_keras.grading.course import Course, CourseError, nbgrader_api, tasks_of
from fcn_keras.grading.reports import read_marks, read_students, write_reports
from fcn_keras.grading.submissions import Submission, find, restored
from fcn_keras.support.files import written_whole
from fcn_keras.support.progress import progress


def grade_one(root: str, assignment: str, student: str, settings: dict) -> dict:
    """Runs nbgrader's autograde and feedback for one submission that lies in `root`; in a process of its own.

    Args:
        root: A folder with `source/`, `submitted/` and `gradebook.db`.
        assignment: Name of the sheet.
        student: Name of the student's folder.
        settings: Of `judging.Judge`.

    Returns:
        What `Judge` reports: `"outcomes"` by task and `"seconds"` by task.

    Raises:
        RuntimeError: If nbgrader does not manage.
    """
    from traitlets.config import Config

    from fcn_keras.grading.judging import pipeline

    report = Path(root) / "reports" / assignment / f"{student}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    config = Config({"Judge": settings | {"report": str(report)}})
    pipeline(config)
    api = nbgrader_api(root, config)
    result = api.autograde(assignment, student)
    if not result["success"]:  # once more: another worker may have been in the way
        result = api.autograde(assignment, student)
    if not result["success"]:
        raise RuntimeError(result.get("log") or result.get("error") or "nbgrader failed")
    api.generate_feedback(assignment, student)
    return json.loads(report.read_text(encoding="utf-8"))


def mark_one(root: Path, assignment: str, student: str, marks: dict[str, float]):
    """Enters a person's points for answers in words into nbgrader's gradebook, and makes the feedback page again."""
    from traitlets.config import Config

    from fcn_keras.grading.judging import pipeline

    config = Config()
    pipeline(config)
    api = nbgrader_api(root, config)
    with api.gradebook as book:
        for task, points in marks.items():
            grade = book.find_grade(task, assignment, assignment, student)
            grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()
    api.generate_feedback(assignment, student)


def place(root: Path, assignment: str, student: str, notebook, beside=()):
    """Puts a sheet where nbgrader expects a submission."""
    folder = root / "submitted" / student / assignment
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{assignment}.ipynb")
    for path in beside:
        shutil.copy(path, folder / path.name)


def rehearse(course: Course, names, root: Path, releases, options) -> dict[str, dict]:
    """Grades the reference solution and the blank sheet of each assignment.

    Returns:
        Settings of `Judge` for each assignment: how long its tasks take, and the drawn data that it needs.

    Raises:
        CourseError: If a reference does not get full marks, or a blank sheet gets any.
    """
    settings = {}
    for name in names:
        home = root / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        settings[name] = {
            "seed": course.seed,
            "least_seconds": max(options.seconds, 120.0),
            "home": str(home),
            "fill_home": True,
        }
        place(root, name, "reference", course.reference(name))
        place(root, name, "blank", releases[name])
    with progress("reference and blank sheets", 2 * len(names)) as advance:

        def check(one, report, problem):
            tasks = set(tasks_of(course.sources[one.assignment]))
            if problem or set(report["outcomes"]) != tasks:
                raise CourseError(
                    f"{one.assignment}: {one.student} sheet: {problem or 'not judged whole'}. Nothing was graded."
                )
            right = {task for task in tasks if report["outcomes"][task]["outcome"] == "right"}
            if one.student == "reference" and right != tasks:
                task = min(tasks - right)
                hint = report["outcomes"][task]["hint"]
                why = f"(task {task}: {hint})"
                raise CourseError(
                    f"{one.assignment}: the reference does not get full marks {why}. Nothing was graded."
                )
            if one.student == "blank" and right:
                raise CourseError(
                    f"{one.assignment}: the blank sheet gets points (task {min(right)}). Nothing was graded."
                )
            if one.student == "reference":
                settings[one.assignment] |= {
                    "reference_seconds": report["seconds"],
                    "least_seconds": options.seconds,
                    "fill_home": False,
                }
            advance(note=one.assignment)

        for student in ("reference", "blank"):
            grade_all(
                [Submission(student, name, root) for name in names],
                root,
                settings,
                options.workers,
                check,
            )
    return settings


def quietly():
    """Starts a worker without TensorFlow's start-up lines and warnings about answers, which would break the progress bar."""
    from fcn_keras.support.startup import import_keras_quietly

    import_keras_quietly()
    warnings.simplefilter("ignore")


def grade_all(work: list[Submission], root: Path, settings, workers: int, finished):
    """Grades submissions side by side; for each calls `finished(submission, report or None, problem)`, whatever happens to it."""
    with nbgrader_api(
        root
    ).gradebook as book:  # before, because two workers that add the same student would collide
        for student in sorted({one.student for one in work}):
            book.update_or_create_student(student)
    waiting, width = list(work), workers
    while waiting:
        tried, waiting = waiting, []
        with ProcessPoolExecutor(width, get_context("spawn"), quietly) as pool:
            jobs = {
                pool.submit(
                    grade_one, str(root), s.assignment, s.student, dict(settings[s.assignment])
                ): s
                for s in (tried if width > 1 else tried[:1])
            }
            try:
                for job in as_completed(jobs):
                    report, problem = None, ""
                    try:
                        report = job.result()
                    except BrokenProcessPool:  # one of them took the grader down: the unfinished ones again, each by itself
                        if width > 1:
                            waiting.append(jobs[job])
                            continue
                        problem = "the grader itself was ended while it graded this one"
                    except Exception as error:
                        problem = (
                            f"could not be graded: {str(error).strip().splitlines()[-1][:300]}"
                        )
                    finished(jobs[job], report, problem)
            except BaseException:  # Ctrl-C, or a failed rehearsal: begin nothing more
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        waiting += tried[1:] if width == 1 else []
        width = 1


def grade(options) -> int:
    """The whole run.

    Args:
        options: The command's: `submissions`, `out`, `course`, `students`, `assignment`, `workers`, `seconds`.

    Returns:
        0, or 1 if something could not be graded.

    Raises:
        CourseError: If the command or the course is not as it should be.
    """
    course = Course(options.course)
    if not options.submissions.is_dir():
        raise CourseError(
            f"there is no folder {options.submissions}; expected one with what students handed in"
        )
    students, out = read_students(options.students), options.out.resolve()
    if (
        options.submissions.resolve() in (out, *out.parents)
        and out.exists()
        and not (out / "results.json").exists()
    ):
        raise CourseError(
            f"--out {options.out} lies among the submissions and is not a folder of this command; choose another"
        )
    only = [course.named(name) for name in options.assignment or course.sources]
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        rehearsal = Path(folder)
        course.make(rehearsal)
        releases = {
            n: nbformat.read(rehearsal / "release" / n / f"{n}.ipynb", as_version=4)
            for n in course.sources
        }
        found = [
            s for s in find(options.submissions, releases) if out not in s.path.resolve().parents
        ]
        found = [s for s in found if s.problem or s.assignment in only]
        if not any(not s.problem for s in found):
            raise CourseError(
                f"{options.submissions} holds no sheet of this course; expected .ipynb files made from release/"
            )
        names = sorted({s.assignment for s in found if not s.problem})
        settings = rehearse(course, names, rehearsal, releases, options)
        course.make(out, names)
        for name in names:
            home = out / "homes" / name
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(settings[name]["home"], home)
            settings[name]["home"] = str(home)
    results = (
        json.loads((out / "results.json").read_text(encoding="utf-8"))
        if (out / "results.json").is_file()
        else {}
    )

    def keep():
        with written_whole(out / "results.json") as path:
            path.write_text(json.dumps(results, indent=1), encoding="utf-8")

    work = []
    for one in found:
        if one.problem:
            continue
        key, digest = (
            f"{one.student}/{one.assignment}",
            f"{one.digest()} {course.version(one.assignment)}",
        )
        if results.get(key, {}).get("digest") == digest and not results[key]["problem"]:
            continue
        sheet = restored(nbformat.read(one.path, as_version=4), releases[one.assignment])
        place(out, one.assignment, one.student, sheet, one.beside)
        results[key] = {
            "digest": digest,
            "file": str(one.path),
            "problem": "not graded yet",
            "outcomes": {},
            "marks": {},
        }
        work.append(one)
    keep()
    with progress("grading", len(work)) as advance:

        def finished(one, report, problem):
            results[f"{one.student}/{one.assignment}"] |= {
                "problem": problem,
                "outcomes": (report or {}).get("outcomes", {}),
            }
            keep()
            advance(note=one.student)

        grade_all(work, out, settings, options.workers, finished)
    for (student, name), given in read_marks(out / "to_mark.csv").items():
        result = results.get(f"{student}/{name}", {"marks": given})
        if result["marks"] != given:
            mark_one(out, name, student, given)
            result["marks"] = given
    keep()
    summary = write_reports(out, course, results, [s for s in found if s.problem], students)
    print(summary)
    return (
        1
        if any(s.problem for s in found) or any(result["problem"] for result in results.values())
        else 0
    )
