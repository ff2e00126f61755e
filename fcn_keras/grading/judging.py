"""Runs a submission in one process and judges it in another, in place of nbgrader's `Execute`.

nbgrader runs a sheet's test cells in the process of the student's code. There, a submission can
replace `numpy.testing`, `fcn_keras.checks` or the display of errors, and so earn every point. Here
the student's cells run in their own process and the test cells in the grader's. A name in a test
cell that is the student's stands for a call in the student's process:

    conv2d(image)   →   image goes to a file, conv2d is called there, its result is read here

So a submission cannot reach what is compared, nor what it is compared with. It can still do
whatever the user's account can do, such as read and write files or use the network: see
notebooks/assignments/README.md.
"""

import ast
import builtins
import contextlib
import io
import json
import os
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
from fcn_keras.grading.sheets import HIDDEN_TESTS
from fcn_keras.grading.student_process import Gone, StudentProcess

# What tells a student that something is still missing: no error of a cell
REMINDERS = ("NotImplementedError", NotYet.__name__)
WHY_GONE = {
    "exit": "the notebook's process ended in the cells of {task}, before this was judged: does a "
    "cell call exit, or crash?",
    "time": "a cell of {task} did not stop when it was interrupted, so the notebook's process was "
    "ended: is there an endless loop?",
}


class Judge(NbGraderPreprocessor):
    """Runs the student's cells in their process and the test cells in this one.

    It writes into `report` what happened to each task.
    """

    seed = Integer(0, help="Decides inputs and sizes of the hidden tests.").tag(config=True)
    least_seconds = Float(30, help="Least time for a cell, and for a call of an answer.").tag(
        config=True
    )
    reference_seconds = Dict(
        help="Seconds of each task in the reference solution; five times that is allowed."
    ).tag(config=True)
    home = Unicode(
        "", help="FCN_KERAS_HOME as the reference solution left it; each submission gets a copy."
    ).tag(config=True)
    fill_home = Bool(False, help="Use that folder itself, for the reference solution.").tag(
        config=True
    )
    report = Unicode("", help="File for what happened to each task, JSON.").tag(config=True)

    def preprocess(self, nb, resources):
        """Runs and judges a notebook; nbgrader calls this."""
        self.gone: NotYet | None = None  # why the student's process is gone
        self.stopped: dict[str, str] = {}  # by task, why one of its cells stopped
        self.outcomes: dict[str, dict] = {}
        seconds: dict[str, float] = {}
        with self._student_process(resources["metadata"]["path"]) as process:
            for cell, task in zip(nb.cells, task_of_each_cell(nb)):
                start = time.perf_counter()
                if cell.cell_type == "code":
                    run = self.judge if utils.is_grade(cell) else self.run
                    run(cell, task, process)
                seconds[task] = seconds.get(task, 0) + time.perf_counter() - start
        if self.report:
            report = json.dumps({"outcomes": self.outcomes, "seconds": seconds})
            Path(self.report).write_text(report, encoding="utf-8")
        return nb, resources

    @contextlib.contextmanager
    def _student_process(self, submission):
        """A process that works on a copy of the submission's files, without its notebooks."""
        with tempfile.TemporaryDirectory(
            prefix="submission-", ignore_cleanup_errors=True
        ) as folder:
            work, home = Path(folder) / "work", Path(folder) / "home"
            shutil.copytree(submission, work, ignore=shutil.ignore_patterns("*.ipynb"))
            if self.fill_home:
                home = Path(self.home)
            elif self.home:
                shutil.copytree(self.home, home)
            else:
                home.mkdir()
            environment = {"FCN_KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
            process = StudentProcess(work, os.environ | environment)
            try:
                yield process
            finally:
                process.close()

    def limit(self, task: str) -> float:
        """Seconds for a cell of a task, or for a call of its answer."""
        return max(self.least_seconds, 5 * self.reference_seconds.get(task, 0))

    def run(self, cell, task, process):
        """Runs one of the student's cells; notes an error, since names may be missing after it."""
        cell.outputs, cell.execution_count = [], None
        if self.gone:
            return
        try:
            cell.outputs, in_time = process.run(cell.source, self.limit(task))
        except Gone as gone:
            self.gone = NotYet(WHY_GONE[gone.kind].format(task=task or "the beginning"), gone.kind)
            in_time = False
        for output in cell.outputs:
            if output.output_type == "error" and output.ename not in REMINDERS:
                self.stopped[task] = f"a cell stopped with {output.ename}: {output.evalue[:200]}"
        if not in_time:
            stopped = f"stopped after {self.limit(task):.0f} s: is there an endless loop?"
            self.stopped[task] = text = str(self.gone or stopped)
            cell.outputs.append(new_output("error", ename="time", evalue=text, traceback=[text]))

    def judge(self, cell, task, process):
        """Runs a test cell, and gives it the output from which nbgrader reads the points."""
        printed = io.StringIO()
        try:
            self._run_tests(cell.source, task, process, printed)
            outcome, hint = "right", ""
        except Gone as gone:
            self.gone = NotYet(WHY_GONE[gone.kind].format(task=task), gone.kind)
            outcome, hint = gone.kind, str(self.gone)
        except NotYet as error:
            outcome, hint = error.kind, str(error)
            if outcome == "not answered" and task in self.stopped:
                outcome, hint = "error", self.stopped[task]
        except AssertionError as error:
            outcome, hint = "wrong", str(error) or "a test that the sheet does not show failed."
        except Exception as error:  # a comparison with something unusual
            why = f"{type(error).__name__}: {str(error)[:200]}"
            outcome, hint = "wrong", f"the answer cannot be compared ({why})."
        cell.outputs, cell.execution_count = [], None
        if printed.getvalue():
            cell.outputs.append(new_output("stream", name="stdout", text=printed.getvalue()))
        if outcome != "right":
            lines = textwrap.wrap(f"Not yet ({outcome}): {hint}", 100)
            cell.outputs.append(new_output("error", ename=outcome, evalue=hint, traceback=lines))
        self.outcomes[task] = {"outcome": outcome, "hint": hint}

    def _run_tests(self, source, task, process, printed):
        """Runs first what the sheet shows of a test cell, then all of it; raises what fails."""
        if self.gone:
            raise self.gone
        space = {"fcn": fcn, "np": np, "keras": keras, "SEED": self.seed, "__name__": "grader"}
        for name in names_of(source) - set(space) - set(dir(builtins)):
            space[name] = process.ask(name, self.limit(task))
        with contextlib.redirect_stdout(printed):
            exec(compile(HIDDEN_TESTS.sub("", source), "<tests>", "exec"), space)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, "<hidden tests>", "exec"), space)


class HideHiddenTests(NbGraderPreprocessor):
    """Shows a test cell in the feedback as the student had it.

    nbgrader's own preprocessor would also cut a student's cell that has these words.
    """

    def preprocess_cell(self, cell, resources, index):
        if utils.is_locked(cell):
            cell.source = HIDDEN_TESTS.sub("", cell.source).rstrip()
        return cell, resources


def use_judge(config):
    """Puts `Judge` in the place of nbgrader's `Execute`, and hides hidden tests in the feedback."""
    config.Autograde.autograde_preprocessors = [
        Judge,
        LimitOutput,
        SaveAutoGrades,
        CheckCellMetadata,
    ]
    config.GenerateFeedback.preprocessors = [GetGrades, HideHiddenTests, CSSHTMLHeaderPreprocessor]


def names_of(source: str) -> set[str]:
    """The names that a test cell reads but does not define itself."""
    defined, read = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (defined if isinstance(node.ctx, ast.Store) else read).add(node.id)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.alias):
            defined.add(node.asname or node.name.split(".")[0])
    return read - defined


def task_of_each_cell(nb) -> list[str]:
    """The task that each cell belongs to: that of the next test cell, `""` behind the last one."""
    tasks, task = [], ""
    for cell in reversed(nb.cells):
        if utils.is_grade(cell):
            task = cell.metadata.nbgrader["grade_id"]
        tasks.append(task)
    return tasks[::-1]
