"""The assignments as a course: made, handed out, handed in, graded. What a check says is in test_checks.py."""

import copy
import csv
import importlib
import json
import os
import re
import subprocess
import sys
import time

import handed_in
import nbformat
import pytest
from conftest import first_of
from handed_in import ASSIGNMENTS, COURSE
from planted.a1 import WRONG

from fcn_keras.command_line.parser import main, parser
from fcn_keras.grading import grade
from fcn_keras.grading.course import Course, CourseError, tasks_of
from fcn_keras.grading.reports import all_points, write
from fcn_keras.grading.submissions import find, restored

FIRST = COURSE.named("1")
NAMES = list(COURSE.sources)


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def points(out):
    """Points and outcome of each task: {student: {task: (points or None, outcome)}}."""
    found = {}
    for row in rows(out / "tasks.csv"):
        found.setdefault(row["student"], {})[row["task"]] = (float(row["points"]) if row["points"] else None, row["outcome"])
    return found


# --- what is handed out


def test_the_students_versions_are_fresh(tmp_path):
    COURSE.make(tmp_path)
    for name in NAMES:
        made, kept = (nbformat.read(root / "release" / name / f"{name}.ipynb", as_version=4) for root in (tmp_path, ASSIGNMENTS))
        assert made == kept, f"{name} was changed; run: make assignments"


@pytest.mark.parametrize("name", NAMES)
def test_the_students_version_shows_no_solution_and_no_hidden_test(name):
    text = (ASSIGNMENTS / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in text and "HIDDEN" not in text and "SEED" not in text
    sheet = handed_in.blank(name)
    assert all(cell.cell_type != "code" or (not cell.outputs and cell.execution_count is None) for cell in sheet.cells)
    solutions = [c for c in sheet.cells if c.metadata.get("nbgrader", {}).get("solution")]
    assert all("raise NotImplementedError()" in c.source or "YOUR ANSWER HERE" in c.source for c in solutions)
    source = COURSE.sources[name].read_text(encoding="utf-8")
    secret = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.S)
    shown, given = "\n".join(cell.source for cell in sheet.cells), secret.sub("", source)
    for line in (line.strip("# ").strip() for part in secret.findall(source) for line in part.splitlines()):
        assert len(line) < 30 or line not in shown or line in given, f"the sheet shows {line!r}"


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_is_whole(name):
    source = COURSE.sources[name]
    checked, all_of_them = tasks_of(source), all_points(source)
    assert sum(all_of_them.values()) == 20 and 3 <= sum(all_of_them.values()) - sum(checked.values()) <= 6
    text = source.read_text(encoding="utf-8")
    assert "## Rubric" in text and re.search(r"minutes", text), "a rubric and the expected time"
    sheet = handed_in.blank(name)
    for cell in sheet.cells:
        assert cell.cell_type != "code" or len(cell.source.splitlines()) <= 20
    for task in checked:
        assert f"fcn.checks.{task}(" in text and text.count("seed=SEED") >= len(checked), "each is tried at other sizes"


def test_the_wheel_has_no_hidden_tests():
    import tomllib

    settings = tomllib.loads((ASSIGNMENTS.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["packages"]["find"]["include"] == ["fcn_keras*"]
    for path in (ASSIGNMENTS.parents[1] / "fcn_keras").rglob("*.py"):
        assert "BEGIN HIDDEN" not in path.read_text(encoding="utf-8")


# --- the reference and the blank sheet of every assignment


@first_of("names", (NAMES[-1:], NAMES[:-1]), ids=len)
def test_references_get_full_marks_blank_sheets_none_and_in_time(names, tmp_path):
    """`rehearse` raises otherwise; a reference may take 90 seconds on two quiet cores. (The class below rehearses the first.)"""
    COURSE.make(tmp_path)
    releases = {name: handed_in.blank(name) for name in names}
    settings = grade.rehearse(COURSE, names, tmp_path, releases, parser().parse_args(["grade", "x"]))
    for name in names:
        taken = settings[name]["reference_seconds"]
        assert set(tasks_of(COURSE.sources[name])) <= set(taken)
        assert sum(taken.values()) < 90 * float(os.environ.get("SLOWER", 2)), f"{name}: {taken}"


def test_sheets_of_one_student_are_graded_side_by_side(tmp_path, monkeypatch):
    """Two workers that add the same student to nbgrader's gradebook collide; so they are all added before."""
    monkeypatch.setattr(grade, "ProcessPoolExecutor", lambda *_: pytest.fail("nobody may be added by a worker"))
    work = [grade.Submission("ann", name, tmp_path) for name in NAMES] + [grade.Submission("bob", FIRST, tmp_path)]
    with pytest.raises(pytest.fail.Exception):
        grade.grade_all(work, tmp_path, {}, 2, None)
    with grade.nbgrader_api(tmp_path).gradebook as book:
        assert sorted(student.id for student in book.students) == ["ann", "bob"]


@pytest.mark.long
def test_nothing_is_graded_when_the_reference_fails(tmp_path, capsys):
    """As on a computer where a package is missing: everybody would get 0."""
    private = tmp_path / "course"
    private.mkdir()
    (private / "seed.txt").write_text("word")
    (private / f"{FIRST}.py").write_text('# %% check="conv2d"\nassert conv2d is None\n')
    handed_in.write(handed_in.blank(FIRST), tmp_path / "in", "ann", FIRST)
    assert main(["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--course", str(private)]) == 2
    assert "reference does not get full marks (task conv2d" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- one submission of each kind


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of some kinds, graded by the command itself: the folder, and what it printed."""
    root = tmp_path_factory.mktemp("class")
    kinds(root / "in", FEW)
    command = [sys.executable, "-m", "fcn_keras", "grade", str(root / "in"), "--out", str(root / "out"), "--seconds", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580)
    return root, done


# The kinds that `make test` grades, one of each sort; `make test-long` grades all of them.
FEW = ("right", "blank", "wrong", "crashing", "looping", "exiting", "cheat_patches_the_checks", "checks_deleted")


def kinds(folder, chosen=None):
    """One submission of each kind, all of the first sheet, and a file that is none."""
    task, other = "conv2d", "conv_size"

    def hand_in(student, notebook):
        if chosen is None or student in chosen:
            handed_in.write(notebook, folder, student, FIRST)

    def answered(code, task=task, notebook=None):
        return handed_in.with_answers(FIRST, {task: code}, notebook)

    hand_in("right", handed_in.right(FIRST))
    hand_in("blank", handed_in.blank(FIRST))
    hand_in("wrong", answered(WRONG[task][0][1]))
    hand_in("crashing", answered("def conv2d(image, kernel, stride=1):\n    return image.nonsense"))
    hand_in("syntax", answered("def conv2d(:"))
    hand_in("looping", answered("def conv_size(size, kernel, stride, padding):\n    while True: pass", other))
    hand_in("stubborn", answered("import time\nwhile True:\n    try: time.sleep(1)\n    except BaseException: pass"))
    hand_in("exiting", answered("import os\nos._exit(0)"))
    hand_in("flooding", answered("for i in range(20_000): print('x' * 1000)", "conv_size"))
    wrong = handed_in.with_answers(FIRST, {name: answers[0][1] for name, answers in WRONG.items()})
    for name, code in handed_in.CHEATS.items():
        hand_in(f"cheat_{name}", handed_in.with_first_cell(wrong, code))
    anything = {name: handed_in.ANYTHING.replace("TASK", name) for name in WRONG}
    hand_in("cheat_answers_anything", handed_in.with_answers(FIRST, anything))
    deleted = handed_in.right(FIRST)
    deleted.cells = [cell for cell in deleted.cells if "fcn.checks" not in cell.source]
    hand_in("checks_deleted", deleted)
    for student, base in (("checks_edited", handed_in.right(FIRST)), ("cheat_edits_checks", wrong)):
        for cell in base.cells:
            cell.source = "pass" if "fcn.checks" in cell.source else cell.source
        hand_in(student, base)
    bare = handed_in.right(FIRST)
    bare.metadata = {}
    for cell in bare.cells:
        cell.metadata = {}
    hand_in("marks_lost", bare)
    (folder / "broken").mkdir()
    (folder / "broken" / f"{FIRST}.ipynb").write_text("{ half a file")


def each_kind_gets_what_it_earned(out, students):
    """Which tasks each kind must lose, and why; all others must have their points."""
    found, full = points(out), tasks_of(COURSE.sources[FIRST])
    assert students <= set(found)
    expected = {
        **{kind: {} for kind in ("right", "checks_deleted", "checks_edited", "marks_lost")},
        "blank": dict.fromkeys(full, "not answered"),
        "wrong": {"conv2d": "wrong"},
        "crashing": {"conv2d": "error"},
        "syntax": {"conv2d": "error"},
        "looping": {"conv_size": "time"},
    }
    for student in students:
        lost = {task: found[student][task][1] for task in full if found[student][task][0] < full[task]}
        if student in expected:
            assert lost == expected[student], student
        elif student == "flooding":
            assert lost["conv_size"] in ("time", "error", "not answered") and len(lost) == 1
        elif student in ("stubborn", "exiting"):  # no process, no points, from that cell on
            assert set(lost.values()) == {"time" if student == "stubborn" else "exit"} and "conv_size" not in lost
        else:
            assert student.startswith("cheat") and set(lost) == set(full), f"{student} earned something"


def test_each_kind_gets_what_it_earned(graded):
    each_kind_gets_what_it_earned(graded[0] / "out", set(FEW))


def test_nothing_is_lost(graded):
    root, done = graded
    assert done.returncode == 1, "one file could not be read"
    assert "broken" in done.stdout and "no notebook that can be read" in done.stdout
    assert "Traceback" not in done.stderr and "TensorFlow" not in done.stderr
    by_student = {row["student"]: row for row in rows(root / "out" / "grades.csv")}
    assert set(by_student) == {path.name for path in (root / "in").iterdir()}
    assert by_student["broken"]["points"] == "" and "no notebook" in by_student["broken"]["problem"]
    assert by_student["crashing"]["problem"] == "conv2d: error" and by_student["wrong"]["problem"] == ""
    for student in set(by_student) - {"broken"}:
        page = (root / "out" / "feedback" / student / FIRST / f"{FIRST}.html").read_text(encoding="utf-8")
        assert "HIDDEN" not in page and "SEED" not in page
    assert "does not flip" in (root / "out" / "feedback" / "wrong" / FIRST / f"{FIRST}.html").read_text(encoding="utf-8")


def test_files_for_moodle_and_canvas(graded):
    root, _ = graded
    moodle = {row["Username"]: row for row in rows(root / "out" / "moodle.csv")}
    canvas = rows(root / "out" / "canvas.csv")
    column = "Assignment 1: convolution and its transpose"
    full = sum(tasks_of(COURSE.sources[FIRST]).values())
    assert float(moodle["right"][column]) == full and float(moodle["blank"][column]) == 0 and moodle["broken"][column] == ""
    assert list(canvas[0])[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert canvas[0]["Student"].strip() == "Points Possible" and canvas[0][column] == "20"
    assert {row["SIS Login ID"]: row[column] for row in canvas[1:]}["right"] == moodle["right"][column]


def test_a_second_run_counts_marks_and_grades_only_what_is_new(graded, monkeypatch, capsys):
    root, _ = graded
    table = rows(root / "out" / "to_mark.csv")
    mine = [row for row in table if row["student"] == "right"]
    assert mine and all(row["answer"] for row in mine) and not any(row["student"] == "blank" for row in table)
    for row in mine:
        row["points"] = "1,5" if row is mine[0] else "1"
    write(root / "out" / "to_mark.csv", table)
    monkeypatch.setattr(grade, "rehearse", lambda course, names, *_: {name: {"home": str(root)} for name in names})
    monkeypatch.setattr(grade.shutil, "copytree", lambda *a, **k: None)
    monkeypatch.setattr(grade, "grade_all", lambda work, *a: None if not work else pytest.fail(f"graded again: {work}"))
    assert main(["grade", str(root / "in"), "--out", str(root / "out")]) == 1
    row = next(row for row in rows(root / "out" / "grades.csv") if row["student"] == "right")
    assert float(row["points"]) == sum(tasks_of(COURSE.sources[FIRST]).values()) + 0.5 + len(mine)
    page = (root / "out" / "feedback" / "right" / FIRST / f"{FIRST}.html").read_text(encoding="utf-8")
    assert "1.5 / " in page
    again = {r["task"]: r["points"] for r in rows(root / "out" / "to_mark.csv") if r["student"] == "right"}
    assert float(again[mine[0]["task"]]) == 1.5, "a person's marks stay"
    table[0]["points"] = "99"
    write(root / "out" / "to_mark.csv", table)
    assert main(["grade", str(root / "in"), "--out", str(root / "out")]) == 2
    assert "expected a number from 0 to" in capsys.readouterr().err


@pytest.mark.long
def test_nbgrader_itself_grades_in_this_folder(tmp_path):
    """The repository is a working nbgrader course: its own command, with the settings that lie there."""
    COURSE.make(tmp_path, [FIRST])
    sheet = handed_in.with_answers(FIRST, {"conv2d": WRONG["conv2d"][0][1]})
    grade.place(tmp_path, FIRST, "ann", sheet)
    command = [sys.executable, "-m", "nbgrader", "autograde", FIRST, f"--CourseDirectory.root={tmp_path}"]
    command.append(f"--CourseDirectory.db_url=sqlite:///{tmp_path / 'gradebook.db'}")
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    done = subprocess.run(command, cwd=ASSIGNMENTS, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    written = json.loads((tmp_path / "autograded" / "ann" / FIRST / f"{FIRST}.ipynb").read_text(encoding="utf-8"))
    failed = [c["metadata"]["nbgrader"]["grade_id"] for c in written["cells"]
              if any(o["output_type"] == "error" for o in c.get("outputs", []))]  # fmt: skip
    assert failed == ["conv2d"]


# --- submissions in any layout, and sheets in any state


def test_every_layout_of_a_folder_is_understood(tmp_path):
    sheet, releases = handed_in.right(FIRST), {name: handed_in.blank(name) for name in NAMES}
    for path in (
        f"ann/{FIRST}/{FIRST}.ipynb", "bob/my work (2).ipynb", "Cat Doe_77_assignsubmission_file_/sheet.ipynb",
        f"dan_{FIRST}.ipynb", "ann/.ipynb_checkpoints/x-checkpoint.ipynb", f"müller_{FIRST}-1.ipynb",
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(sheet, tmp_path / path)
    (tmp_path / "bob" / "picture.png").write_bytes(b"x")
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "notes.ipynb").write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found = {s.student: s for s in find(tmp_path, releases)}
    assert set(found) == {"ann", "bob", "Cat_Doe_77", "dan", "müller", "eve"}
    assert all(s.assignment == FIRST and not s.problem for name, s in found.items() if name != "eve")
    assert "no sheet of this course" in found["eve"].problem
    assert [path.name for path in found["bob"].beside] == ["picture.png"]


def test_of_two_versions_the_newer_counts_and_the_other_is_named(tmp_path):
    releases = {FIRST: handed_in.blank(FIRST)}
    for age, name in ((100, "old.ipynb"), (0, "new.ipynb")):
        path = tmp_path / "ann" / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(handed_in.blank(FIRST), path)
        os.utime(path, (1e9 - age, 1e9 - age))
    problems = {s.path.name: s.problem for s in find(tmp_path, releases)}
    assert problems["new.ipynb"] == "" and "new.ipynb counts" in problems["old.ipynb"]


def test_a_restored_sheet_has_each_test_once_behind_its_answer():
    release = handed_in.blank(FIRST)
    sheet = handed_in.right(FIRST)
    sheet.cells = sheet.cells[::-1] + copy.deepcopy(sheet.cells[-3:])  # turned round, some copied
    back = restored(sheet, release)
    ids = [c.metadata["nbgrader"]["grade_id"] for c in back.cells if "nbgrader" in c.metadata]
    assert sorted(ids) == sorted(c.metadata.nbgrader.grade_id for c in release.cells if "nbgrader" in c.metadata)
    for task in tasks_of(COURSE.sources[FIRST]):
        assert ids.index(task) == ids.index(f"{task}-answer") + 1
    originals = {c.metadata.nbgrader.grade_id: c.source for c in release.cells if "nbgrader" in c.metadata}
    locked = [c for c in back.cells if c.metadata.get("nbgrader", {}).get("locked")]
    assert all(c.source == originals[c.metadata.nbgrader.grade_id] for c in locked)


# --- a teacher's own course


def test_a_private_course_has_its_own_seed_and_tests(tmp_path):
    (tmp_path / "seed.txt").write_text("autumn")
    test = '# %% check="conv2d"\nassert conv2d(np.ones((5, 5, 1)), np.ones((5, 5, 1, 1))).item() == 25\n'
    (tmp_path / f"{FIRST}.py").write_text(test)
    private = Course(tmp_path)
    assert private.seed != COURSE.seed and private.version(FIRST) != COURSE.version(FIRST)
    cell = next(c for c in private.sheet(FIRST).cells if c.metadata.get("nbgrader", {}).get("grade_id") == "conv2d")
    assert "item() == 25" in cell.source
    private.make(tmp_path / "made", [FIRST])
    release = (tmp_path / "made" / "release" / FIRST / f"{FIRST}.ipynb").read_text()
    assert "item() == 25" not in release
    assert release == (ASSIGNMENTS / "release" / FIRST / f"{FIRST}.ipynb").read_text(), "students get the same sheet"


@pytest.mark.parametrize(
    "files, said",
    [
        (None, "there is no folder"),
        ({}, "seed.txt is missing"),
        ({"seed.txt": " \n"}, "seed.txt is missing or empty"),
        ({"seed.txt": "x", "9_nothing.py": "# %%"}, "no assignment is called '9_nothing'"),
        ({"seed.txt": "x", "1.py": '# %% check="conv3d"\npass'}, "there is no task 'conv3d'; the tasks are conv_size"),
        ({"seed.txt": "x", "1.py": "assert True"}, "no cell begins with # %% check="),
    ],
)
def test_a_wrong_course_folder_is_named(files, said, tmp_path):
    folder = tmp_path / "course"
    if files is not None:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    with pytest.raises(CourseError, match=re.escape(said)):
        Course(folder)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nowhere"], "there is no folder nowhere"),
        (["IN"], "holds no sheet of this course"),
        (["IN", "--assignment", "7"], "no assignment is called '7'; there are 1_convolution"),
        (["IN", "--students", "nobody.csv"], "there is no file nobody.csv"),
    ],
)
def test_a_wrong_command_is_one_line(arguments, said, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    arguments = [str(tmp_path / "in") if a == "IN" else a for a in arguments]
    assert main(["grade", *arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


# --- a whole class


@pytest.mark.long
def test_a_class_of_all_kinds_and_all_planted_answers(tmp_path):
    """Sixty submissions and more, one command: each planted wrong answer loses its own task and no other, and gets its hint.

    A submission holds one planted answer of each task that has some left, and is right elsewhere.
    """
    kinds(tmp_path / "in")
    students, expected = {path.name for path in (tmp_path / "in").iterdir()}, {}
    for name in NAMES:
        left = {task: list(answers) for task, answers in importlib.import_module(f"planted.a{name[0]}").WRONG.items()}
        number = 0
        while number == 0 or any(left.values()):
            chosen = {task: answers.pop() for task, answers in left.items() if answers} if number else {}
            sheet = handed_in.with_answers(name, {task: code for task, (_, code, _) in chosen.items()})
            handed_in.write(sheet, tmp_path / "in", f"planted_{name[0]}_{number}", name)
            expected[f"planted_{name[0]}_{number}"] = (name, {task: hint for task, (_, _, hint) in chosen.items()})
            number += 1
    start = time.perf_counter()
    main(["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--seconds", "15"])
    handed = {path.name for path in (tmp_path / "in").iterdir()}
    assert len(handed) >= 60
    print(f"\n{len(handed)} submissions in {(time.perf_counter() - start) / 60:.1f} minutes")
    assert {row["student"] for row in rows(tmp_path / "out" / "grades.csv")} == handed
    each_kind_gets_what_it_earned(tmp_path / "out", students - {"broken"})
    found = {}
    for row in rows(tmp_path / "out" / "tasks.csv"):
        found.setdefault(row["student"], {})[row["task"]] = row
    wrong = []
    for student, (name, hints) in expected.items():
        for task, full in tasks_of(COURSE.sources[name]).items():
            row = found[student][task]
            earned, hint = float(row["points"]), hints.get(task)
            if earned != (full if hint is None else 0) or (hint and hint not in row["hint"]):
                wrong.append(f"{student}, {task}: {earned} points, {row['outcome']}: {row['hint']!r}; expected {hint!r}")
    assert not wrong, "\n".join(wrong)
