"""Runs a submission in one process and judges it in another: what stands in nbgrader for its own `Execute`.

nbgrader runs a sheet's test cells in the process of the student's code, where a submission can replace `numpy.testing`,
`fcn_keras.checks` or the way in which errors are shown, and earn every point with it. Here the student's cells run in their
own process; each test cell runs in the grader's, and a name in it that is the student's stands for a call over there:

    conv2d(image)   ->   image written to a file, conv2d called over there, its result read here, compared here

What is compared, and with what, is out of the submission's reach. It can still do whatever the user's account can do
(read and write files, use the network): README.md says what this does not protect against.
"""

import ast
import builtins
import contextlib
import io
import json
import os
import re
import shutil
import tempfile
import textwrap
import time
from pathlib import Path

import keras
import numpy as np
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import (
    CheckCellMetadata,
    GetGrades,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from traitlets import Bool, Dict, Float, Integer, Unicode

import fcn_keras as fcn
from fcn_keras.checks import NotYet
from fcn_keras.grading.student_process import Gone, StudentProcess

HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS$.*?^### END HIDDEN TESTS$\n?", re.S | re.M)
WHY_GONE = {
    "exit": "the notebook's process ended in the cells of {task}, before this was judged: does something call exit, or crash?",
    "time": "a cell of {task} did not stop when told to, and the notebook's process was ended: is there a loop?",
}


class Judge(NbGraderPreprocessor):
    """Runs the student's cells over there and the test cells here; writes what happened to each task into `report`."""

    seed = Integer(0, help="From which the hidden tests draw inputs and sizes.").tag(config=True)
    least_seconds = Float(30, help="Time that every cell and every call of a check has.").tag(
        config=True
    )
    reference_seconds = Dict(
        help="Seconds of each task in the reference solution: five times that is allowed."
    ).tag(config=True)
    home = Unicode(
        "", help="FCN_KERAS_HOME as the reference solution left it: each submission gets a copy."
    ).tag(config=True)
    fill_home = Bool(False, help="Use that folder itself: for the reference solution.").tag(
        config=True
    )
    report = Unicode("", help="File for what happened to each task, JSON.").tag(config=True)

    def preprocess(self, nb, resources):
        self.gone, self.stopped, self.outcomes, seconds = None, {}, {}, {}
        tasks = task_of_each_cell(nb)
        with tempfile.TemporaryDirectory(
            prefix="submission-", ignore_cleanup_errors=True
        ) as folder:
            home, work = (
                Path(self.home) if self.fill_home else Path(folder) / "home",
                Path(folder) / "work",
            )
            if not self.fill_home:
                shutil.copytree(self.home, home) if self.home else home.mkdir()
            shutil.copytree(
                resources["metadata"]["path"], work, ignore=shutil.ignore_patterns("*.ipynb")
            )
            process = StudentProcess(
                work, {**os.environ, "FCN_KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
            )
            try:
                for cell, task in zip(nb.cells, tasks):
                    start = time.perf_counter()
                    if cell.cell_type == "code":
                        (self.judge if utils.is_grade(cell) else self.run)(cell, task, process)
                    seconds[task] = seconds.get(task, 0) + time.perf_counter() - start
            finally:
                process.close()
        if self.report:
            Path(self.report).write_text(
                json.dumps({"outcomes": self.outcomes, "seconds": seconds}), encoding="utf-8"
            )
        return nb, resources

    def limit(self, task: str) -> float:
        """Seconds for one cell of a task, or one call of its check."""
        return max(self.least_seconds, 5 * self.reference_seconds.get(task, 0))

    def run(self, cell, task, process):
        """Runs a cell of the student's. An error in it is remembered: the task's name will be missing because of it."""
        cell.outputs, cell.execution_count = [], None
        if self.gone:
            return
        try:
            cell.outputs, in_time = process.run(cell.source, self.limit(task))
        except Gone as gone:
            self.gone = NotYet(WHY_GONE[gone.kind].format(task=task or "the beginning"), gone.kind)
            in_time = False
        for output in cell.outputs:
            if output.output_type == "error" and output.ename != "NotImplementedError":
                self.stopped[task] = f"a cell stopped with {output.ename}: {output.evalue[:200]}"
        if not in_time:
            text = str(
                self.gone
                or f"stopped after {self.limit(task):.0f} s: is there a loop that never ends?"
            )
            cell.outputs.append(new_output("error", ename="time", evalue=text, traceback=[text]))
            self.stopped[task] = text

    def judge(self, cell, task, process):
        """Runs a test cell here, and gives it the output from which nbgrader reads the points."""
        printed, kind, hint = io.StringIO(), "right", ""
        try:
            if self.gone:
                raise self.gone
            space = {"fcn": fcn, "np": np, "keras": keras, "SEED": self.seed, "__name__": "grader"}
            for name in names_of(cell.source) - set(space) - set(dir(builtins)):
                space[name] = process.ask(name, self.limit(task))
            with contextlib.redirect_stdout(printed):
                exec(compile(HIDDEN.sub("", cell.source), "<check>", "exec"), space)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, "<hidden tests>", "exec"), space)
        except Gone as gone:
            self.gone = NotYet(WHY_GONE[gone.kind].format(task=task), gone.kind)
            kind, hint = gone.kind, str(self.gone)
        except NotYet as error:
            kind, hint = error.kind, str(error)
            if kind == "not answered" and task in self.stopped:
                kind, hint = "error", self.stopped[task]
        except AssertionError as error:
            kind, hint = "wrong", str(error) or "a test that the sheet does not show failed."
        except Exception as error:  # a comparison with something strange
            kind, hint = (
                "wrong",
                f"the answer cannot be compared ({type(error).__name__}: {str(error)[:200]}).",
            )
        cell.outputs, cell.execution_count = [], None
        if printed.getvalue():
            cell.outputs.append(new_output("stream", name="stdout", text=printed.getvalue()))
        if kind != "right":
            lines = textwrap.wrap(f"Not yet ({kind}): {hint}", 100)
            cell.outputs.append(new_output("error", ename=kind, evalue=hint, traceback=lines))
        self.outcomes[task] = {"outcome": kind, "hint": hint}


class HideHiddenTests(NbGraderPreprocessor):
    """Feedback shows a test cell as the student had it. (nbgrader's own stops at a student's cell with these words.)"""

    def preprocess_cell(self, cell, resources, index):
        if utils.is_locked(cell):
            cell.source = HIDDEN.sub("", cell.source).rstrip()
        return cell, resources


def pipeline(config):
    """Puts `Judge` in the place of nbgrader's `Execute`, and keeps hidden tests out of the feedback."""
    config.Autograde.autograde_preprocessors = [
        Judge,
        LimitOutput,
        SaveAutoGrades,
        CheckCellMetadata,
    ]
    config.GenerateFeedback.preprocessors = [GetGrades, HideHiddenTests, CSSHTMLHeaderPreprocessor]


def names_of(source: str) -> set[str]:
    """The names that a test cell reads and does not make itself."""
    tree = ast.parse(source)
    made, read = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (made if isinstance(node.ctx, ast.Store) else read).add(node.id)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.alias):
            made.add(node.asname or node.name.split(".")[0])
    return read - made


def task_of_each_cell(nb) -> list[str]:
    """For each cell the task that it belongs to, that of the next test cell; `""` after the last one."""
    tasks, task = [], ""
    for cell in reversed(nb.cells):
        if utils.is_grade(cell):
            task = cell.metadata.nbgrader["grade_id"]
        tasks.append(task)
    return tasks[::-1]
