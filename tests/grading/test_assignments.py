"""Sheets are made, handed out, handed in and graded. What a check says is in test_checks.py."""

import copy
import csv
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib

import handed_in
import nbformat
import pytest
from handed_in import ASSIGNMENTS, PUBLIC_SHEETS
from kinds import SHEET, all_kinds
from planted import first_wrong_answer, wrong_answers
from sheets import blank_answer, reference_answer

from fcn_keras.command_line.parser import main, parser
from fcn_keras.grading import GradingError, course_folder, grade, sheets
from fcn_keras.grading.reports import read_points, write
from fcn_keras.grading.sheets import Sheets, all_points, tasks_of
from fcn_keras.grading.submissions import find, restored

SHEETS = list(PUBLIC_SHEETS.sources)
JUDGED = tasks_of(PUBLIC_SHEETS.sources[SHEET])  # points of the tasks that the computer judges

# With several workers, one of them makes the sheets and grades the class, for all tests here.
every_sheet = pytest.mark.parametrize("sheet", SHEETS)


def read_table(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def read_sheet(folder, sheet):
    """The students' version of a sheet, as it lies in a course folder."""
    return nbformat.read(folder / "release" / sheet / f"{sheet}.ipynb", as_version=4)


def page(out, student):
    """A student's feedback page."""
    return (out / "feedback" / student / SHEET / f"{SHEET}.html").read_text(encoding="utf-8")


def rows_by_task(out):
    """What a grading run says about each task: {student: {task: row of tasks.csv}}."""
    found = {}
    for row in read_table(out / "tasks.csv"):
        found.setdefault(row["student"], {})[row["task"]] = row
    return found


def mark_of(cell):
    """nbgrader's note on a cell."""
    return cell.metadata.get("nbgrader", {})


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A course folder with all the sheets, made once."""
    folder = tmp_path_factory.mktemp("course")
    PUBLIC_SHEETS.make(folder)
    return folder


@pytest.fixture
def sheets_come_made(made, monkeypatch):
    """Grading begins by making all the sheets; here it gets them from `made`."""
    make = Sheets.make

    def make_or_copy(sheets, root, names=()):
        if names:
            make(sheets, root, names)
        else:
            shutil.copytree(made, root, dirs_exist_ok=True)

    monkeypatch.setattr(Sheets, "make", make_or_copy)


# --- what is handed out


@every_sheet
def test_the_students_version_is_up_to_date(sheet, made):
    changed = read_sheet(made, sheet) != read_sheet(ASSIGNMENTS, sheet)
    assert not changed, f"{sheet} was changed; run: make assignments"


@every_sheet
def test_the_students_version_shows_no_solution_and_no_hidden_test(sheet):
    notebook = handed_in.blank(sheet)
    shown = "\n".join(cell.source for cell in notebook.cells)
    assert not re.search("SOLUTION|HIDDEN|SEED", str(notebook))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
        if mark_of(cell).get("solution"):
            assert "raise NotImplementedError()" in cell.source or "YOUR ANSWER" in cell.source
    source = PUBLIC_SHEETS.sources[sheet].read_text(encoding="utf-8")
    secret = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.S)
    given = secret.sub("", source)
    for line in "\n".join(secret.findall(source)).splitlines():
        line = line.strip("# ").strip()
        assert len(line) < 30 or line not in shown or line in given, f"the sheet shows {line!r}"


@every_sheet
def test_a_sheet_is_complete(sheet):
    source = PUBLIC_SHEETS.sources[sheet]
    text = source.read_text(encoding="utf-8")
    points, judged = sum(all_points(source).values()), tasks_of(source)
    assert points == 20 and 3 <= points - sum(judged.values()) <= 6, "some points are for words"
    assert "## Rubric" in text and "minutes" in text, "a rubric and the expected time"
    for task in judged:
        assert f"fcn.checks.{task}(" in text
    assert text.count("seed=SEED") >= len(judged), "each task is tried at other sizes"
    for cell in handed_in.blank(sheet).cells:
        assert cell.cell_type != "code" or len(cell.source.splitlines()) <= 20


def test_the_wheel_has_no_hidden_tests():
    repository = ASSIGNMENTS.parents[1]
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["packages"]["find"]["include"] == ["fcn_keras*"]
    for path in (repository / "fcn_keras").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*### BEGIN HIDDEN", text, re.M), f"{path} has hidden tests"


# --- the reference and the blank sheet


@pytest.mark.long
def test_references_get_full_marks_and_blank_sheets_none(made, tmp_path):
    """`rehearse` raises otherwise. A reference may take 90 seconds on two quiet cores."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    releases = {sheet: handed_in.blank(sheet) for sheet in SHEETS}
    options = parser().parse_args(["grade", "x"])
    settings = grade.rehearse(PUBLIC_SHEETS, SHEETS, tmp_path, releases, options)
    for sheet in SHEETS:
        seconds = settings[sheet]["reference_seconds"]
        assert set(tasks_of(PUBLIC_SHEETS.sources[sheet])) <= set(seconds)
        assert sum(seconds.values()) < 90 * float(os.environ.get("SLOWER", 4)), (sheet, seconds)


def test_students_are_entered_before_the_workers_start(made, tmp_path, monkeypatch):
    """Two workers that enter the same student into nbgrader's gradebook collide."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)

    class Started(Exception):
        pass

    def start(*_):
        raise Started

    monkeypatch.setattr(grade, "ProcessPoolExecutor", start)
    work = [grade.Submission("ann", sheet, tmp_path) for sheet in SHEETS]
    work.append(grade.Submission("bob", SHEET, tmp_path))
    with pytest.raises(Started):
        grade.grade_all(work, tmp_path, {}, 2, None)
    with grade.nbgrader_api(tmp_path).gradebook as book:
        assert sorted(student.id for student in book.students) == ["ann", "bob"]


@pytest.mark.long
def test_nothing_is_graded_when_the_reference_fails(tmp_path, capsys):
    """As on a computer where a package is missing: everybody would get 0."""
    private, out = tmp_path / "private", tmp_path / "out"
    private.mkdir()
    (private / "seed.txt").write_text("word")
    (private / f"{SHEET}.py").write_text('# %% check="conv2d"\nassert conv2d is None\n')
    handed_in.write(handed_in.blank(SHEET), tmp_path / "in", "ann", SHEET)
    arguments = ["--out", str(out), "--course", str(private)]
    assert main(["grade", str(tmp_path / "in"), *arguments]) == 2
    assert "reference does not get full marks (task conv2d" in capsys.readouterr().err
    assert not out.exists()


# --- a class of one, graded once: each task of the sheet ends in another way


STUDENT = "has_every_outcome"
EARNED = JUDGED["conv_size"]  # the only task that is right


def hand_in_a_broken_file(folder):
    (folder / "broken").mkdir()
    (folder / "broken" / f"{SHEET}.ipynb").write_text("{ half a file")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class, graded by the command itself: its folder, and the process that has ended."""
    root = tmp_path_factory.mktemp("class")
    handed_in.write(all_kinds()[STUDENT].notebook, root / "in", STUDENT, SHEET)
    hand_in_a_broken_file(root / "in")
    command = [sys.executable, "-m", "fcn_keras", "grade", root / "in", "--out", root / "out"]
    ended = subprocess.run([*command, "--seconds", "10"], capture_output=True, text=True)
    return root, ended


def require_what_each_kind_earned(out, students):
    """Each student loses exactly the tasks that its kind must lose, with the right outcome."""
    found, kinds = rows_by_task(out), all_kinds()
    for student in students:
        rows, loses = found[student], kinds[student].loses
        lost = {task for task, full in JUDGED.items() if float(rows[task]["points"]) < full}
        assert lost == set(loses), student
        for task, expected in loses.items():
            allowed = {expected} if isinstance(expected, str) else expected
            assert rows[task]["outcome"] in allowed, (student, task)


def test_each_task_gets_what_it_earned(graded):
    root, _ = graded
    require_what_each_kind_earned(root / "out", [STUDENT])


def test_the_command_says_what_it_could_not_grade(graded):
    _, ended = graded
    assert ended.returncode == 1, ended.stderr
    assert "broken" in ended.stdout and "not a readable notebook" in ended.stdout
    assert "Traceback" not in ended.stderr and "TensorFlow" not in ended.stderr


def test_everybody_has_a_row_and_a_page(graded):
    root, _ = graded
    grades = {row["student"]: row for row in read_table(root / "out" / "grades.csv")}
    assert set(grades) == {STUDENT, "broken"}
    assert grades["broken"]["points"] == "" and "readable notebook" in grades["broken"]["problem"]
    assert float(grades[STUDENT]["points"]) == EARNED
    trouble = "transposed_size: error, conv2d_transpose: time, upsampling: exit"
    assert grades[STUDENT]["problem"] == trouble
    assert not re.search("HIDDEN|SEED", page(root / "out", STUDENT))
    assert "does not flip" in page(root / "out", STUDENT), "the hint of the task that is wrong"


def test_files_for_moodle_and_canvas(graded):
    root, _ = graded
    column = "Assignment 1: convolution and its transpose"
    moodle = {row["Username"]: row[column] for row in read_table(root / "out" / "moodle.csv")}
    assert float(moodle[STUDENT]) == EARNED and moodle["broken"] == ""
    possible, *canvas = read_table(root / "out" / "canvas.csv")
    assert list(possible)[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert possible["Student"].strip() == "Points Possible" and possible[column] == "20"
    assert {row["SIS Login ID"]: row[column] for row in canvas}[STUDENT] == moodle[STUDENT]


def test_a_second_run_counts_marks_and_grades_only_what_is_new(
    graded, sheets_come_made, monkeypatch, capsys
):
    root, _ = graded
    out = root / "out"
    table = read_table(out / "to_mark.csv")
    assert table and all(row["student"] == STUDENT and row["answer"] for row in table)
    first, *others = table
    first["points"] = "1,5"
    for row in others:
        row["points"] = "1"
    write(out / "to_mark.csv", table)

    def nothing_to_grade(work, *_):
        assert not work, "graded again"

    home = {SHEET: {"home": str(root / "in")}}
    monkeypatch.setattr(grade, "rehearse", lambda *_: home)
    monkeypatch.setattr(grade, "grade_all", nothing_to_grade)
    only = ["--assignment", "1", "--assignment", "2", "--seconds", "10"]
    assert main(["grade", str(root / "in"), "--out", str(out), *only]) == 1, "one file is broken"
    assert f"nobody handed in {SHEETS[1]}\n" in capsys.readouterr().out
    points = {row["student"]: row["points"] for row in read_table(out / "grades.csv")}
    assert float(points[STUDENT]) == EARNED + 1.5 + len(others)
    assert "1.5 / " in page(out, STUDENT)
    kept = {row["task"]: row["points"] for row in read_table(out / "to_mark.csv")}
    assert float(kept[first["task"]]) == 1.5, "a person's marks stay"


def test_a_longer_time_limit_grades_again_what_exceeded_it(graded):
    root, _ = graded
    results = grade.Results(root / "out" / "results.json")
    (one,) = (o for o in find(root / "in", {SHEET: handed_in.blank(SHEET)}) if not o.problem)
    assert not results.is_new(one, PUBLIC_SHEETS, 10) and results.is_new(one, PUBLIC_SHEETS, 11)
    results[f"{STUDENT}/{SHEET}"]["outcomes"] = {"conv2d": {"outcome": "wrong"}}
    assert not results.is_new(one, PUBLIC_SHEETS, 11)


def test_marks_beyond_the_points_of_a_task_are_refused(tmp_path):
    row = {"student": "ann", "assignment": SHEET, "task": "words", "of": 3, "points": "99"}
    write(tmp_path / "to_mark.csv", [row])
    with pytest.raises(GradingError, match=r"row 2: '99' points .* expected a number from 0 to 3"):
        read_points(tmp_path / "to_mark.csv")


@pytest.mark.long
def test_nbgrader_itself_grades_in_this_folder(tmp_path):
    """The repository is an nbgrader course: its own command works, with the settings there."""
    PUBLIC_SHEETS.make(tmp_path, [SHEET])
    wrong = {"conv2d": first_wrong_answer(SHEET, "conv2d")}
    notebook = handed_in.with_answers(handed_in.right(SHEET), wrong)
    course_folder.submit(tmp_path, SHEET, "ann", notebook)
    command = [sys.executable, "-m", "nbgrader", "autograde", SHEET]
    command.append(f"--CourseDirectory.root={tmp_path}")
    command.append(f"--CourseDirectory.db_url=sqlite:///{tmp_path / 'gradebook.db'}")
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    ended = subprocess.run(
        command, cwd=ASSIGNMENTS, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    graded = tmp_path / "autograded" / "ann" / SHEET / f"{SHEET}.ipynb"
    failed = [
        mark_of(cell)["grade_id"]
        for cell in nbformat.read(graded, as_version=4).cells
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    ]
    assert failed == ["conv2d"]


# --- submissions in any layout, and sheets in any state


def test_every_layout_of_a_folder_is_understood(tmp_path):
    notebook = handed_in.right(SHEET)
    layouts = {
        f"ann/{SHEET}/{SHEET}.ipynb": "ann",
        "bob/my work (2).ipynb": "bob",
        "Cat Doe_77_assignsubmission_file_/sheet.ipynb": "Cat_Doe_77",
        f"dan_{SHEET}.ipynb": "dan",
        f"müller_{SHEET}-1.ipynb": "müller",
    }
    for path in (*layouts, "ann/.ipynb_checkpoints/x-checkpoint.ipynb"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, tmp_path / path)
    (tmp_path / "bob" / "picture.png").write_bytes(b"x")
    (tmp_path / "eve").mkdir()
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "eve" / "notes.ipynb")
    releases = {sheet: handed_in.blank(sheet) for sheet in SHEETS}
    found = {one.student: one for one in find(tmp_path, releases)}
    assert set(found) == {*layouts.values(), "eve"}
    assert all(found[s].assignment == SHEET and not found[s].problem for s in layouts.values())
    assert "not a sheet of this course" in found["eve"].problem
    assert [path.name for path in found["bob"].beside] == ["picture.png"]


def test_of_two_versions_the_newer_counts_and_the_other_is_named(tmp_path):
    notebook = handed_in.blank(SHEET)
    for name, changed in (("old.ipynb", 1e9 - 100), ("new.ipynb", 1e9)):
        path = tmp_path / "ann" / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, path)
        os.utime(path, (changed, changed))
    problems = {one.path.name: one.problem for one in find(tmp_path, {SHEET: notebook})}
    assert problems["new.ipynb"] == "" and "new.ipynb counts" in problems["old.ipynb"]


def test_a_restored_sheet_has_each_check_once_behind_its_answer():
    release, notebook = handed_in.blank(SHEET), handed_in.right(SHEET)
    notebook.cells = notebook.cells[::-1] + copy.deepcopy(notebook.cells[-3:])
    marked = [cell for cell in restored(notebook, release).cells if mark_of(cell)]
    ids = [mark_of(cell)["grade_id"] for cell in marked]
    original = {mark_of(cell)["grade_id"]: cell for cell in release.cells if mark_of(cell)}
    assert sorted(ids) == sorted(original)
    for task in JUDGED:
        assert ids.index(task) == ids.index(f"{task}-answer") + 1
    for cell, grade_id in zip(marked, ids):
        assert not mark_of(cell)["locked"] or cell.source == original[grade_id].source


def outcome(notebook, task):
    """What a task's tests say when a restored sheet runs from top to bottom, without a kernel."""
    space = {"SEED": 3, "__name__": "student"}
    for cell in restored(notebook, handed_in.blank(SHEET)).cells:
        tests = mark_of(cell).get("grade")
        if cell.cell_type == "code" and (not tests or mark_of(cell)["grade_id"] == task):
            try:
                exec(cell.source, space)
                said = "right"
            except Exception as error:
                said = getattr(error, "kind", type(error).__name__)
            if tests:
                return said
    raise AssertionError(f"{task} has no tests")


def as_it_is(notebook):
    return notebook


def with_notes_in_every_text(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not mark_of(cell):
            cell.source += "\n\nMy notes."
    return notebook


@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        with_notes_in_every_text,
        handed_in.without_marks,
        handed_in.without_checks,
        handed_in.with_empty_checks,
    ],
)
@pytest.mark.parametrize("task", ["conv_size", "upsampling"])
def test_helpers_and_answers_may_stand_below_the_answer_cell(task, change):
    blank = handed_in.with_answers(handed_in.right(SHEET), {task: blank_answer(SHEET, task)})
    answer = reference_answer(SHEET, task).replace(f"def {task}", "def helper")
    below = [f"def {task}(*arguments):\n    return helper(*arguments)", answer]
    assert outcome(change(handed_in.with_cells_below(blank, task, *below)), task) == "right"
    assert outcome(change(blank), task) == "not answered"


def test_the_tests_of_a_task_run_before_the_cells_of_the_next_one():
    first, second, *_ = JUDGED
    blank = handed_in.with_answers(handed_in.right(SHEET), {first: blank_answer(SHEET, first)})
    late = handed_in.with_cells_below(blank, second, reference_answer(SHEET, first))
    assert outcome(late, first) == "not answered"


# --- a teacher's private tests


def test_a_private_folder_has_its_own_seed_and_tests(made, tmp_path):
    (tmp_path / "seed.txt").write_text("autumn")
    (tmp_path / f"{SHEET}.py").write_text(
        '# %% check="conv2d"\n'
        "assert conv2d(np.ones((5, 5, 1)), np.ones((5, 5, 1, 1))).item() == 25\n"
    )
    private = Sheets(tmp_path)
    assert private.seed != PUBLIC_SHEETS.seed
    assert private.version(SHEET) != PUBLIC_SHEETS.version(SHEET)
    cells = {mark_of(cell).get("grade_id"): cell for cell in private.sheet(SHEET).cells}
    assert "item() == 25" in cells["conv2d"].source
    shutil.copytree(made, tmp_path / "made")
    private.make(tmp_path / "made", [SHEET])
    release = read_sheet(tmp_path / "made", SHEET)
    assert "item() == 25" not in str(release)
    assert release == read_sheet(made, SHEET), "students get the same sheet"


@pytest.mark.parametrize(
    "files, said",
    [
        (None, "there is no folder"),
        ({}, "seed.txt is missing"),
        ({"seed.txt": " \n"}, "seed.txt is missing or empty"),
        ({"seed.txt": "x", "9_nothing.py": "# %%"}, "no assignment is called '9_nothing'"),
        (
            {"seed.txt": "x", "1.py": '# %% check="conv3d"\npass'},
            "there is no task 'conv3d'; the tasks are conv_size",
        ),
        ({"seed.txt": "x", "1.py": "assert True"}, "no cell begins with # %% check="),
    ],
    ids=["no_folder", "no_seed", "empty_seed", "unknown_sheet", "unknown_task", "no_task"],
)
def test_a_wrong_private_folder_is_named(files, said, tmp_path):
    folder = tmp_path / "private"
    if files is not None:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    with pytest.raises(GradingError, match=re.escape(said)):
        Sheets(folder)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nowhere"], "there is no folder nowhere"),
        (["EMPTY"], "holds no sheet of this course"),
        (["EMPTY", "--assignment", "7"], "no assignment is called '7'; there are 1_convolution"),
        (["EMPTY", "--students", "nobody.csv"], "there is no file nobody.csv"),
    ],
    ids=["no_folder", "no_sheet", "unknown_sheet", "no_list_of_students"],
)
def test_a_wrong_command_is_one_line(arguments, said, tmp_path, capsys, sheets_come_made):
    empty, out = tmp_path / "in", tmp_path / "out"
    empty.mkdir()
    arguments = [str(empty) if argument == "EMPTY" else argument for argument in arguments]
    assert main(["grade", *arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not out.exists()


def without_jupytext(monkeypatch):
    package = sys.modules["fcn_keras.grading"]
    for name in [name for name in sys.modules if name.startswith("fcn_keras.grading.")]:
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(package, name.rpartition(".")[2])
    monkeypatch.setitem(sys.modules, "jupytext", None)


def without_nbgrader(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader.apps", None)


def from_a_wheel(monkeypatch):
    monkeypatch.setattr(sheets, "TEXTS", ASSIGNMENTS / "nowhere")


@pytest.mark.parametrize("command", ["grade", "assignments"])
@pytest.mark.parametrize(
    "missing, said",
    [
        (without_jupytext, "pip install -e .[teach]"),
        (without_nbgrader, "pip install -e .[teach]"),
        (from_a_wheel, "run this in a clone of the repository"),
    ],
)
def test_what_is_not_installed_is_one_line(missing, said, command, tmp_path, monkeypatch, capsys):
    missing(monkeypatch)
    folder = [str(tmp_path)] if command == "grade" else []
    assert main([command, *folder, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fcn_keras: ") and said in error and error.count("\n") == 1


def latin_1(path):
    path.write_bytes("id,first_name\nann,Jürgen\n".encode("latin-1"))


def semicolons(path):
    path.write_text("id;first_name\nann;Ann\n")


def a_folder(path):
    path.mkdir()


def no_points(path):
    path.write_text("student,assignment,task,of\nann,1,words,3\n")


def half_a_file(path):
    path.write_text('{"ann/')


@pytest.mark.parametrize(
    "write_it, name, options, said",
    [
        (latin_1, "class.csv", ["--students", "class.csv"], "is not UTF-8"),
        (semicolons, "class.csv", ["--students", "class.csv"], "separated by commas"),
        (latin_1, "out", [], "received out, which is a file"),
        (no_points, "out/to_mark.csv", [], "no column points"),
        (half_a_file, "out/results.json", [], "results.json is damaged"),
        (a_folder, "in", ["--course", "in"], "seed.txt is missing"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    write_it, name, options, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handed_in").mkdir()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    write_it(tmp_path / name)
    assert main(["grade", "handed_in", "--out", "out", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fcn_keras: ") and said in error and error.count("\n") == 1


# --- a whole class


def packed(sheet):
    """All wrong answers to a sheet in as few submissions as possible, and a right one first.

    Returns:
        For each submission its wrong answers, one of a task: `{task: Wrong}`.
    """
    left = {task: list(answers.values()) for task, answers in wrong_answers(sheet).items()}
    submissions = [{}]
    while any(left.values()):
        submissions.append({task: answers.pop() for task, answers in left.items() if answers})
    return submissions


@pytest.mark.long
def test_a_class_of_all_kinds_and_all_wrong_answers(tmp_path):
    """Sixty submissions and more, graded by one command.

    Each wrong answer loses the points of its own task and of no other, and gets its hint.
    """
    folder, out, expected = tmp_path / "in", tmp_path / "out", {}
    for student, kind in all_kinds().items():
        handed_in.write(kind.notebook, folder, student, SHEET)
    for sheet in SHEETS:
        for number, wrong in enumerate(packed(sheet)):
            answers = {task: answer.code for task, answer in wrong.items()}
            notebook = handed_in.with_answers(handed_in.right(sheet), answers)
            student = f"planted_{sheet[0]}_{number}"
            handed_in.write(notebook, folder, student, sheet)
            expected[student] = sheet, wrong
    hand_in_a_broken_file(folder)
    class_size = len(list(folder.iterdir()))
    assert class_size >= 60

    start = time.perf_counter()
    main(["grade", str(folder), "--out", str(out), "--seconds", "15"])
    print(f"\n{class_size} submissions in {(time.perf_counter() - start) / 60:.1f} minutes")

    graded = {row["student"] for row in read_table(out / "grades.csv")}
    assert graded == {path.name for path in folder.iterdir()}
    require_what_each_kind_earned(out, all_kinds())
    to_mark = {row["student"] for row in read_table(out / "to_mark.csv")}
    assert "right" in to_mark and "blank" not in to_mark
    found, surprises = rows_by_task(out), []
    for student, (sheet, wrong) in expected.items():
        for task, full in tasks_of(PUBLIC_SHEETS.sources[sheet]).items():
            row = found[student][task]
            points, hint = (0, wrong[task].hint) if task in wrong else (full, "")
            if float(row["points"]) != points or hint not in row["hint"]:
                surprises.append(f"{student}, {task}: expected {points} points, {hint!r}: {row}")
    assert not surprises, "\n".join(surprises)
