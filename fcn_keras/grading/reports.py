"""What a grading run writes for people and for other programs.

CSV files, and a page that leads to every feedback page.
"""

import csv
import html
import re
from pathlib import Path

import nbformat

from fcn_keras.grading import GradingError
from fcn_keras.grading.sheets import all_points
from fcn_keras.support.files import written_whole

GRADES = ("student", "assignment", "points", "of", "to_mark", "problem", "file")
TASKS = ("student", "assignment", "task", "points", "of", "outcome", "hint")
TO_MARK = ("student", "assignment", "task", "of", "points", "answer")
STUDENTS = ("id", "first_name", "last_name", "email", "lms_user_id")  # nbgrader's names


def write_reports(out: Path, sheets, results: dict, unread, students: dict[str, dict]) -> str:
    """Writes all files of a run.

    These are `grades.csv`, `tasks.csv`, `to_mark.csv`, `moodle.csv`, `canvas.csv`, `index.html`.

    Args:
        out: The folder of the run.
        sheets: The `sheets.Sheets`.
        results: The `grade.Results`.
        unread: Submissions that have a problem and were not graded.
        students: The class by id, as `read_students` gives it; may be empty.

    Returns:
        A few lines for the screen.
    """
    submitted = [key.split("/") for key in results]
    named = {name for _, name in submitted} | {one.assignment for one in unread if one.assignment}
    names = [name for name in sheets.sources if name in named]
    everyone = {student for student, _ in submitted} | {one.student for one in unread}
    everyone = sorted(everyone | set(students))
    full = {name: sum(all_points(sheets.sources[name]).values()) for name in names}
    tasks = _rows_of_tasks(out, results)
    grades = _rows_of_grades(tasks, results, unread, everyone, full)

    write(out / "grades.csv", grades)
    write(out / "tasks.csv", tasks, TASKS)
    _write_to_mark(out, tasks)
    by_sheet = {(row["student"], row["assignment"]): row for row in reversed(grades)}
    write(out / "moodle.csv", _moodle_rows(everyone, students, names, by_sheet))
    write(out / "canvas.csv", _canvas_rows(everyone, students, full, by_sheet))
    _write_index(out, grades)
    return _summary(out, results, grades, tasks, unread)


def _summary(out, results, grades, tasks, unread) -> str:
    graded = sum(1 for result in results.values() if not result["problem"])
    problems = [
        f"  not graded: {row['file']}: {row['problem']}"
        for row in grades
        if row["points"] == "" and row["file"]
    ]
    problems += [f"  not graded: {one.path}: {one.problem}" for one in unread if one.superseded]
    lines = [f"{graded} sheets graded, {len(problems)} not.", *problems]
    if waiting := sum(1 for row in tasks if row["points"] is None):
        lines.append(
            f"{waiting} answers in words are not marked yet: enter points in "
            f"{out / 'to_mark.csv'}, then run the same command again."
        )
    return "\n".join([*lines, f"Grades: {out / 'grades.csv'}, pages: {out / 'index.html'}"])


def _rows_of_tasks(out: Path, results: dict) -> list[dict]:
    """A row for every task of every graded submission; points are None where none are given yet."""
    from nbgrader.api import Gradebook

    rows = []
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as book:
        for key, result in sorted(results.items()):
            if result["problem"]:
                continue
            student, assignment = key.split("/")
            notebook = book.find_submission_notebook(assignment, assignment, student)
            for grade in notebook.grades:
                judged = result["outcomes"].get(grade.name)
                points, outcome = _points_and_outcome(grade, judged)
                rows.append(
                    {
                        "student": student,
                        "assignment": assignment,
                        "task": grade.name,
                        "points": points,
                        "of": grade.max_score,
                        "outcome": outcome,
                        "hint": judged["hint"] if judged else "",
                    }
                )
    return rows


def _points_and_outcome(grade, judged) -> tuple[float | None, str]:
    """Of a task in nbgrader's gradebook; `judged` is what `Judge` says, if it was judged."""
    marked = grade.manual_score is not None
    if not judged and not marked and grade.auto_score is None:
        return None, "by hand"
    points = grade.manual_score if marked else grade.auto_score
    if judged:
        return points, judged["outcome"]
    return points, "marked" if marked else "blank"


def _rows_of_grades(tasks, results, unread, everyone, full) -> list[dict]:
    """A row for every student and sheet, and one for each file that fits none of them.

    Args:
        tasks: As `_rows_of_tasks` gives them.
        results: The `grade.Results`.
        unread: Submissions that were not graded.
        everyone: Names of the students.
        full: Points of each sheet.
    """
    by_sheet: dict[tuple[str, str], list[dict]] = {}
    for row in tasks:
        by_sheet.setdefault((row["student"], row["assignment"]), []).append(row)
    unreadable = {(one.student, one.assignment): one for one in unread if not one.superseded}
    rows = []
    for student in everyone:
        for name in full:
            row = dict.fromkeys(GRADES, "")
            row |= {"student": student, "assignment": name, "of": full[name]}
            result = results.get(f"{student}/{name}")
            if result and not result["problem"]:
                row |= _graded(by_sheet.get((student, name), [])) | {"file": result["file"]}
                rows.append(row)
                continue
            one = unreadable.pop((student, name), None)
            if result:
                row |= {"problem": result["problem"], "file": result["file"]}
            elif one:
                row |= {"problem": one.problem, "file": str(one.path)}
            else:
                row["problem"] = "nothing handed in"
            rows.append(row)
    # files of which nothing says which sheet they are, or beside which another one counts
    for (student, name), one in unreadable.items():
        row = {"student": student, "assignment": name}
        row |= {"problem": one.problem, "file": str(one.path)}
        rows.append(dict.fromkeys(GRADES, "") | row)
    return rows


def _graded(tasks: list[dict]) -> dict:
    """The columns of a graded sheet.

    `problem` is what a teaching assistant should look at, such as "conv2d: time, bilinear: error".
    """
    return {
        "points": sum(row["points"] or 0 for row in tasks),
        "to_mark": sum(row["of"] for row in tasks if row["points"] is None),
        "problem": ", ".join(
            f"{row['task']}: {row['outcome']}"
            for row in tasks
            if row["outcome"] in ("error", "time", "exit")
        ),
    }


def write(path: Path, rows: list[dict], columns=None):
    """Writes a CSV file, completely or not at all."""
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, columns or (rows[0].keys() if rows else ("student",)))
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _not_a_formula(value) for key, value in row.items()})


def _not_a_formula(value):
    """With an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@")) else value


def _read_table(path: Path, required) -> list[dict]:
    """The rows of a CSV file.

    Raises:
        GradingError: If it is not UTF-8, or a required column is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), reader.fieldnames or ()
    except UnicodeDecodeError:
        raise GradingError(f'{path} is not UTF-8: save it as "CSV UTF-8"') from None
    if missing := [name for name in required if name not in columns]:
        raise GradingError(
            f"{path} has no column {missing[0]}; expected the columns {', '.join(required)}, "
            "separated by commas"
        )
    return rows


def read_students(path: Path | None) -> dict[str, dict]:
    """The class, by id.

    Raises:
        GradingError: If the file is missing, or has no column `id`.
    """
    if path is None:
        return {}
    if not path.is_file():
        raise GradingError(
            f"there is no file {path}; --students expects a CSV file with the columns "
            f"{', '.join(STUDENTS)}, of which only id is required"
        )
    return {row["id"]: row for row in _read_table(path, ("id",))}


def read_points(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """The points that a person entered in `to_mark.csv`: by student and sheet, then by task.

    Raises:
        GradingError: If a column is missing, or points are not a number from 0 to those of the
            task.
    """
    points: dict[tuple[str, str], dict[str, float]] = {}
    if not path.is_file():
        return points
    required = ("student", "assignment", "task", "of", "points")
    for line, row in enumerate(_read_table(path, required), start=2):
        text = (row["points"] or "").strip().replace(",", ".")
        if not text:
            continue
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number <= float(row["of"]):
            raise GradingError(
                f"{path}, row {line}: {row['points']!r} points for {row['task']}; "
                f"expected a number from 0 to {row['of']}"
            )
        points.setdefault((row["student"], row["assignment"]), {})[row["task"]] = number
    return points


def _write_to_mark(out: Path, tasks: list[dict]):
    """Writes the answers in words, with a column for points; points that are there stay."""
    given = read_points(out / "to_mark.csv")
    answers, rows = {}, []
    for row in tasks:
        if row["outcome"] not in ("by hand", "marked"):
            continue
        key = row["student"], row["assignment"]
        if key not in answers:
            answers[key] = _answers(out, *key)
        row = {column: row[column] for column in ("student", "assignment", "task", "of")}
        row["points"] = given.get(key, {}).get(row["task"], "")
        rows.append(row | {"answer": answers[key].get(row["task"], "")})
    write(out / "to_mark.csv", rows, TO_MARK)


def _answers(out: Path, student: str, assignment: str) -> dict[str, str]:
    """The text of a graded sheet's cells, by nbgrader's name of the cell."""
    path = out / "autograded" / student / assignment / f"{assignment}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    return {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells}


def _moodle_rows(everyone, students, names, by_sheet) -> list[dict]:
    """For Moodle's grade import, which finds students by user name or e-mail."""
    rows = []
    for student in everyone:
        person = students.get(student, {})
        row = {
            "Username": student,
            "Email address": person.get("email", ""),
            "First name": person.get("first_name", ""),
            "Last name": person.get("last_name", ""),
        }
        for name in names:
            row[title(name)] = by_sheet[student, name]["points"]
            row[f"{title(name)} (feedback)"] = by_sheet[student, name]["problem"]
        rows.append(row)
    return rows


def _canvas_rows(everyone, students, full, by_sheet) -> list[dict]:
    """For Canvas' gradebook import, which wants the possible points in the first row."""
    columns = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    possible = dict.fromkeys(columns, "") | {"Student": "    Points Possible"}
    rows = [possible | {title(name): full[name] for name in full}]
    for student in everyone:
        person = students.get(student, {})
        full_name = filter(None, (person.get("last_name"), person.get("first_name")))
        # Canvas names a file name_USER_FILE_…
        user = re.match(r"[^_]+(?:_late)?_(\d+)_\d+$", student, re.I)
        row = dict.fromkeys(columns, "") | {
            "Student": ", ".join(full_name) or student,
            "ID": person.get("lms_user_id") or (user[1] if user else ""),
            "SIS Login ID": "" if user else student,
        }
        rows.append(row | {title(name): by_sheet[student, name]["points"] for name in full})
    return rows


def title(name: str) -> str:
    """The column of a sheet.

    `"1_skip_connections"` becomes `"Assignment 1: skip connections"`.
    """
    number, _, words = name.partition("_")
    return f"Assignment {number}: {words.replace('_', ' ')}"


def _write_index(out: Path, grades: list[dict]):
    """A page with a line per sheet, which leads to its feedback."""
    lines = []
    for row in grades:
        points = f"{row['points']:g} / {row['of']}" if row["points"] != "" else ""
        shown = (row["student"], row["assignment"], points, row["to_mark"] or "", row["problem"])
        cells = [html.escape(str(cell)) for cell in shown]
        page = Path("feedback") / row["student"] / row["assignment"] / f"{row['assignment']}.html"
        there = (out / page).is_file()
        cells.append(f'<a href="{html.escape(page.as_posix())}">feedback</a>' if there else "")
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    with written_whole(out / "index.html") as path:
        path.write_text(PAGE.replace("ROWS", "\n".join(lines)), encoding="utf-8")


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Grades</title>
<style>
body { font: 18px/1.5 sans-serif; margin: 2em }
table { border-collapse: collapse }
td, th { padding: .3em 1em; border-bottom: 1px solid #ccc; text-align: left }
td:nth-child(3), td:nth-child(4) { text-align: right; white-space: nowrap }
</style></head>
<body><h1>Grades</h1><table>
<tr><th>student<th>assignment<th>points<th>to mark<th>to look at<th></tr>
ROWS
</table></body></html>
"""
