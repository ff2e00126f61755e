"""What a grading run leaves for people and for other programs: CSV files, and a page that leads to every feedback page."""

import csv
import html
import re
from pathlib import Path

import nbformat

from fcn_keras.grading.course import CourseError
from fcn_keras.support.files import written_whole

GRADES = ("student", "assignment", "points", "of", "to_mark", "problem", "file")
COLUMNS = (
    "id",
    "first_name",
    "last_name",
    "email",
    "lms_user_id",
)  # of the list of students, nbgrader's names


def rows_of_gradebook(out: Path, results: dict) -> list[dict]:
    """Every task of every graded submission: student, assignment, task, points (None: not yet), of, outcome, hint."""
    from nbgrader.api import Gradebook

    rows = []
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as book:
        for key, result in sorted(results.items()):
            student, assignment = key.split("/")
            if result["problem"]:
                continue
            notebook = book.find_submission_notebook(assignment, assignment, student)
            for grade in notebook.grades:
                judged = result["outcomes"].get(grade.name)
                waiting = judged is None and grade.manual_score is None and grade.auto_score is None
                by_hand = (
                    "by hand"
                    if waiting
                    else "marked"
                    if grade.manual_score is not None
                    else "blank"
                )
                outcome = judged["outcome"] if judged else by_hand
                points = (
                    None
                    if waiting
                    else grade.manual_score
                    if grade.manual_score is not None
                    else grade.auto_score
                )
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


def write_reports(out: Path, course, results: dict, unread, students: dict[str, dict]) -> str:
    """Writes `grades.csv`, `tasks.csv`, `to_mark.csv`, `moodle.csv`, `canvas.csv` and `index.html`.

    Args:
        out: The folder of the run.
        course: The `course.Course`.
        results: What `grade.py` keeps in `results.json`.
        unread: Submissions that have a problem and were not graded.
        students: The class, by id, as `read_students` gives it; may be empty.

    Returns:
        A few lines for the screen.
    """
    tasks = rows_of_gradebook(out, results)
    people = students
    order = list(course.sources)
    graded, unreadable = (
        {},
        {(one.student, one.assignment): one for one in unread if "older" not in one.problem},
    )
    for row in tasks:
        graded.setdefault((row["student"], row["assignment"]), []).append(row)
    names = sorted(
        {key.split("/")[1] for key in results} | {s.assignment for s in unread if s.assignment},
        key=order.index,
    )
    everyone = sorted(
        {key.split("/")[0] for key in results} | {s.student for s in unread} | set(people)
    )
    full = {name: sum(all_points(course.sources[name]).values()) for name in names}
    grades = []
    for student in everyone:
        for name in names:
            rows, result = graded.get((student, name), []), results.get(f"{student}/{name}")
            row = dict.fromkeys(GRADES, "") | {
                "student": student,
                "assignment": name,
                "of": full[name],
            }
            if result and not result["problem"]:
                waiting = sum(r["of"] for r in rows if r["points"] is None)
                row |= {"points": sum(r["points"] or 0 for r in rows), "to_mark": waiting}
                row |= {"problem": trouble(rows), "file": result["file"]}
            elif result or (student, name) in unreadable:
                one = unreadable.pop((student, name), None)
                row |= (
                    {key: result[key] for key in ("problem", "file")}
                    if result
                    else {"problem": one.problem, "file": str(one.path)}
                )
            else:
                row["problem"] = "nothing handed in"
            grades.append(row)
    for (
        (student, name),
        one,
    ) in (
        unreadable.items()
    ):  # which sheet it should be, nothing says; or another file of theirs counts
        row = {
            "student": student,
            "assignment": name,
            "problem": one.problem,
            "file": str(one.path),
        }
        grades.append(dict.fromkeys(GRADES, "") | row)
    write(out / "grades.csv", grades)
    write(
        out / "tasks.csv",
        tasks,
        ("student", "assignment", "task", "points", "of", "outcome", "hint"),
    )
    write_to_mark(out, tasks)
    total = {(g["student"], g["assignment"]): g for g in reversed(grades) if g["assignment"]}
    write(out / "moodle.csv", [moodle_row(s, people.get(s, {}), names, total) for s in everyone])
    write(out / "canvas.csv", canvas_rows(everyone, people, names, total, full))
    write_index(out, grades)
    good = sum(1 for result in results.values() if not result["problem"])
    left = [
        f"  not graded: {g['file']}: {g['problem']}"
        for g in grades
        if g["points"] == "" and g["file"]
    ]
    left += [f"  not graded: {one.path}: {one.problem}" for one in unread if "older" in one.problem]
    lines = [f"{good} sheets graded, {len(left)} not.", *left]
    waiting = sum(1 for row in tasks if row["points"] is None)
    if waiting:
        where = out / "to_mark.csv"
        lines.append(
            f"{waiting} answers in words wait in {where}: write points there, then run the same command again."
        )
    return "\n".join([*lines, f"Grades: {out / 'grades.csv'}, pages: {out / 'index.html'}"])


def all_points(source: Path) -> dict[str, int]:
    """Points of all the tasks of a sheet, those in words too."""
    import jupytext

    marks = [cell.metadata for cell in jupytext.read(source).cells]
    return {
        m.get("check") or m["written"]: int(m["points"])
        for m in marks
        if "check" in m or "written" in m
    }


def trouble(rows) -> str:
    """What a teaching assistant should look at: `""`, or such as `"conv2d: time, bilinear: error"`."""
    return ", ".join(
        f"{row['task']}: {row['outcome']}"
        for row in rows
        if row["outcome"] in ("error", "time", "exit")
    )


def write(path: Path, rows: list[dict], columns=None):
    """Writes a CSV file whole or not at all. A text that a spreadsheet would take for a formula gets an apostrophe."""
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, columns or (rows[0].keys() if rows else ("student",)))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    key: f"'{value}"
                    if str(value)[:1] in "=+-@" and isinstance(value, str) and value
                    else value
                    for key, value in row.items()
                }
            )


def read_students(path: Path | None) -> dict[str, dict]:
    """The list of the class, by id.

    Raises:
        CourseError: If the file is missing, or has no column `id`.
    """
    if path is None:
        return {}
    if not path.is_file():
        raise CourseError(
            f"there is no file {path}; --students expects a CSV file with columns {', '.join(COLUMNS)}"
        )
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if "id" not in (reader.fieldnames or ()):
            raise CourseError(
                f"{path} has no column id; expected the columns {', '.join(COLUMNS)}, of which only id must be there"
            )
        return {row["id"]: row for row in reader}


def write_to_mark(out: Path, tasks: list[dict]):
    """Writes the answers in words, with a column for the points that a person gives; points that are there stay."""
    given = read_marks(out / "to_mark.csv")
    texts, rows = {}, []
    for row in tasks:
        if row["outcome"] not in ("by hand", "marked"):
            continue
        key = row["student"], row["assignment"]
        if key not in texts:
            notebook = nbformat.read(
                out / "autograded" / key[0] / key[1] / f"{key[1]}.ipynb", as_version=4
            )
            texts[key] = {
                c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in notebook.cells
            }
        points = given.get(key, {}).get(row["task"], "")
        rows.append(
            {
                **{k: row[k] for k in ("student", "assignment", "task", "of")},
                "points": points,
                "answer": texts[key].get(row["task"], ""),
            }
        )
    write(out / "to_mark.csv", rows, ("student", "assignment", "task", "of", "points", "answer"))


def read_marks(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """The points that a person wrote into `to_mark.csv`: by student and sheet, by task.

    Raises:
        CourseError: If points are no number from 0 to those of the task.
    """
    marks: dict[tuple[str, str], dict[str, float]] = {}
    if not path.is_file():
        return marks
    with path.open(newline="", encoding="utf-8-sig") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            text = (row["points"] or "").strip().replace(",", ".")
            if not text:
                continue
            try:
                points = float(text)
            except ValueError:
                points = -1.0
            if not 0 <= points <= float(row["of"]):
                wrong = f"{row['points']!r} points for {row['task']}; expected a number from 0 to {row['of']}"
                raise CourseError(f"{path}, row {line}: {wrong}")
            marks.setdefault((row["student"], row["assignment"]), {})[row["task"]] = points
    return marks


def moodle_row(student: str, person: dict, names, total) -> dict:
    """A row of the file for Moodle's grade import: found by user name or e-mail, a column a sheet."""
    row = {
        "Username": student,
        "Email address": person.get("email", ""),
        "First name": person.get("first_name", ""),
        "Last name": person.get("last_name", ""),
    }
    for name in names:
        row[title(name)] = total[student, name]["points"]
        row[f"{title(name)} (feedback)"] = total[student, name]["problem"]
    return row


def canvas_rows(everyone, people, names, total, full) -> list[dict]:
    """The rows of the file for Canvas' gradebook import; the first one has the points possible, as Canvas wants it."""
    columns = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    rows = [
        dict.fromkeys(columns, "")
        | {"Student": "    Points Possible"}
        | {title(name): full[name] for name in names}
    ]
    for student in everyone:
        person = people.get(student, {})
        shown = (
            ", ".join(filter(None, (person.get("last_name"), person.get("first_name")))) or student
        )
        number = re.match(
            r"[^_]+(?:_late)?_(\d+)_\d+$", student, re.I
        )  # Canvas names files name_USER_FILE_...
        known = person.get("lms_user_id") or (number[1] if number else "")
        row = {
            "Student": shown,
            "ID": known,
            "SIS User ID": "",
            "SIS Login ID": "" if number else student,
            "Section": "",
        }
        rows.append(row | {title(name): total[student, name]["points"] for name in names})
    return rows


def title(name: str) -> str:
    """`"1_convolution_and_its_transpose"` as a column: `"Assignment 1: convolution and its transpose"`."""
    number, _, words = name.partition("_")
    return f"Assignment {number}: {words.replace('_', ' ')}"


def write_index(out: Path, grades: list[dict]):
    """A page with a line a sheet, leading to its feedback."""
    lines = []
    for g in grades:
        page = Path("feedback") / g["student"] / g["assignment"] / f"{g['assignment']}.html"
        link = (
            f'<a href="{html.escape(page.as_posix())}">feedback</a>'
            if (out / page).is_file()
            else ""
        )
        points = f"{g['points']:g} / {g['of']}" if g["points"] != "" else ""
        cells = (g["student"], g["assignment"], points, g["to_mark"] or "", g["problem"])
        lines.append(
            "<tr>"
            + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
            + f"<td>{link}</td></tr>"
        )
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
<body><h1>Grades</h1><table><tr><th>student<th>assignment<th>points<th>to mark<th>to look at<th></tr>
ROWS
</table></body></html>
"""
