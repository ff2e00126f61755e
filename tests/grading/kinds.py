"""What kinds of submissions a class hands in, all of the first sheet, and what each must lose.

A kind says for each task that it must lose what the report calls it: wrong, error, time, exit or
"not answered". All other tasks must have their points.
"""

from dataclasses import dataclass, field

from handed_in import (
    PUBLIC_SHEETS,
    blank,
    right,
    with_answers,
    with_cells_below,
    with_empty_checks,
    with_first_cell,
    without_checks,
    without_marks,
)
from planted import first_wrong_answer, right_answers, wrong_answers
from sheets import blank_answer

SHEET = PUBLIC_SHEETS.full_name("1")
TASKS = list(wrong_answers(SHEET))
CONV_SIZE, CONV2D, TRANSPOSED_SIZE, CONV2D_TRANSPOSE, BILINEAR, UPSAMPLING = TASKS
ANY_OUTCOME = {"wrong", "error", "time", "exit", "not answered"}


@dataclass
class Kind:
    """One kind of submission.

    Attributes:
        notebook: What is handed in.
        loses: The outcome of each task that it must lose, or the set of those allowed.
    """

    notebook: object
    loses: dict = field(default_factory=dict)


# Answers to any task, which stands in for TASK.
NOT_WRITTEN = """
def TASK(*arguments, **named):
    raise NotImplementedError()
"""
RAISES_AN_ERROR = """
def TASK(*arguments, **named):
    return arguments[0].nonsense
"""
IS_NO_PYTHON = "def TASK(:"
LOOPS_FOR_EVER = """
def TASK(*arguments, **named):
    while True: pass
"""
SLEEPS_FOR_EVER = """
import time
def TASK(*arguments, **named):
    while True: time.sleep(0.1)
"""
CANNOT_BE_INTERRUPTED = """
import time
while True:
    try: time.sleep(1)
    except BaseException: pass
"""
ENDS_THE_PROCESS = """
import os
os._exit(0)
"""
NEEDS_A_HELPER = """
def TASK(*arguments):
    return helper(*arguments)
"""
RAISES_BELOW = "TASK = nonsense"
PRINTS_WITHOUT_END = "for i in range(20_000): print('x' * 1000)"
EQUALS_ANYTHING = """
class Anything:
    def __eq__(self, other): return True
    def __call__(self, *a, **k): return self
    def __getattr__(self, name): return self
    def __array__(self, *a, **k): return np.zeros(1)
TASK = Anything()
"""

# First cells of those who cheat.
PATCHES_NUMPY = """
import numpy, numpy.testing
numpy.testing.assert_allclose = lambda *a, **k: None
numpy.allclose = lambda *a, **k: True
numpy.array_equal = lambda *a, **k: True
"""
PATCHES_THE_CHECKS = """
import fcn_keras as fcn
for name in fcn.checks.__all__:
    setattr(fcn.checks, name, lambda *a, **k: print("right"))
fcn.checks.hints.compare = fcn.checks.hints.ask = lambda *a, **k: None
"""
HIDES_ERRORS = """
shell = get_ipython()
shell.showtraceback = lambda *a, **k: None
shell.set_custom_exc((Exception,), lambda *a, **k: None)
"""
STOPS_THE_WATCH = """
import sys, threading
sys.setprofile = threading.setprofile = lambda *a: None
"""


def all_kinds():
    """The kinds by the name of their student."""
    all_right = right(SHEET)
    all_wrong = with_answers(all_right, {task: first_wrong_answer(SHEET, task) for task in TASKS})
    everything = dict.fromkeys(TASKS, ANY_OUTCOME)

    def answered(answers):
        """All right but for some answers."""
        code = {task: answer.replace("TASK", task) for task, answer in answers.items()}
        return with_answers(all_right, code)

    def left(task):
        """All right but for a task whose answer cell is as it was handed out."""
        return with_answers(all_right, {task: blank_answer(SHEET, task)})

    def cheating(first_cell):
        return Kind(with_first_cell(all_wrong, first_cell), everything)

    return {
        # honest
        "right": Kind(all_right),
        "blank": Kind(blank(SHEET), dict.fromkeys(TASKS, "not answered")),
        "wrong": Kind(answered({CONV2D: first_wrong_answer(SHEET, CONV2D)}), {CONV2D: "wrong"}),
        "raises_an_error": Kind(answered({CONV2D: RAISES_AN_ERROR}), {CONV2D: "error"}),
        "is_no_python": Kind(answered({CONV2D: IS_NO_PYTHON}), {CONV2D: "error"}),
        "loops_for_ever": Kind(answered({CONV_SIZE: LOOPS_FOR_EVER}), {CONV_SIZE: "time"}),
        "cannot_be_interrupted": Kind(
            answered({CONV2D: CANNOT_BE_INTERRUPTED}), dict.fromkeys(TASKS[1:], "time")
        ),
        "ends_the_process": Kind(
            answered({CONV2D: ENDS_THE_PROCESS}), dict.fromkeys(TASKS[1:], "exit")
        ),
        "prints_without_end": Kind(
            answered({CONV_SIZE: PRINTS_WITHOUT_END}),
            {CONV_SIZE: {"time", "error", "not answered"}},
        ),
        "answers_below_the_answer_cell": Kind(
            with_cells_below(left(CONV_SIZE), CONV_SIZE, *answer_and_helper_below(CONV_SIZE))
        ),
        "raises_below_the_answer_cell": Kind(
            with_cells_below(left(CONV2D), CONV2D, RAISES_BELOW), {CONV2D: "error"}
        ),
        # changed by hand or by an editor
        "deletes_the_checks": Kind(without_checks(all_right)),
        "empties_the_checks": Kind(with_empty_checks(all_right)),
        "loses_all_marks": Kind(without_marks(all_right)),
        "blank_without_marks": Kind(
            without_marks(blank(SHEET)), dict.fromkeys(TASKS, "not answered")
        ),
        # cheating
        "patches_numpy": cheating(PATCHES_NUMPY),
        "patches_the_checks": cheating(PATCHES_THE_CHECKS),
        "hides_errors": cheating(HIDES_ERRORS),
        "stops_the_watch": cheating(STOPS_THE_WATCH),
        "equals_anything": Kind(answered(dict.fromkeys(TASKS, EQUALS_ANYTHING)), everything),
        "empties_the_checks_of_wrong_answers": Kind(with_empty_checks(all_wrong), everything),
        # all at once, for `make test`
        "has_every_outcome": Kind(every_outcome(answered), EVERY_OUTCOME),
    }


def answer_and_helper_below(task):
    """Two cells: the answer, and then the helper that it needs."""
    helper = right_answers(SHEET)[task].edit(f"def {task}", "def helper")
    return NEEDS_A_HELPER.replace("TASK", task), helper


# conv_size is right, in cells below the answer's.
EVERY_OUTCOME = {
    CONV2D: "wrong",
    TRANSPOSED_SIZE: "error",
    CONV2D_TRANSPOSE: "time",
    BILINEAR: "not answered",
    UPSAMPLING: "exit",
}


def every_outcome(answered):
    """A sheet whose checks are patched and deleted, and whose tasks each end in another way."""
    answers = {
        CONV2D: first_wrong_answer(SHEET, CONV2D),
        CONV_SIZE: blank_answer(SHEET, CONV_SIZE),
        TRANSPOSED_SIZE: blank_answer(SHEET, TRANSPOSED_SIZE),
        CONV2D_TRANSPOSE: SLEEPS_FOR_EVER,
        BILINEAR: NOT_WRITTEN,
        UPSAMPLING: ENDS_THE_PROCESS,
    }
    sheet = with_cells_below(answered(answers), TRANSPOSED_SIZE, RAISES_BELOW)
    sheet = with_cells_below(sheet, CONV_SIZE, *answer_and_helper_below(CONV_SIZE))
    return with_first_cell(without_checks(sheet), PATCHES_THE_CHECKS)
