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
    with_empty_checks,
    with_first_cell,
    without_checks,
    without_marks,
)
from planted import first_wrong_answer, wrong_answers

SHEET = PUBLIC_SHEETS.full_name("1")
TASKS = list(wrong_answers(SHEET))
CONV_SIZE, CONV2D, TRANSPOSED_SIZE, CONV2D_TRANSPOSE, BILINEAR, UPSAMPLING = TASKS
BEHIND_CONV_SIZE = TASKS[1:]
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


RAISES_AN_ERROR = """
def conv2d(image, kernel, stride=1):
    return image.nonsense
"""
IS_NO_PYTHON = "def conv2d(:"
LOOPS_FOR_EVER = """
def conv_size(size, kernel, stride, padding):
    while True: pass
"""
SLEEPS_FOR_EVER = """
import time
def transposed_size(size, kernel, stride, padding):
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
PRINTS_WITHOUT_END = "for i in range(20_000): print('x' * 1000)"
EQUALS_ANYTHING = """
class Anything:
    def __eq__(self, other): return True
    def __call__(self, *a, **k): return self
    def __getattr__(self, name): return self
    def __array__(self, *a, **k): return np.zeros(1)
TASK = Anything()
"""

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
    """The kinds by the name of their student. Those that cheat are wrong everywhere."""
    all_right = right(SHEET)
    all_wrong = with_answers(all_right, {task: first_wrong_answer(SHEET, task) for task in TASKS})
    anything = {task: EQUALS_ANYTHING.replace("TASK", task) for task in TASKS}
    everything = dict.fromkeys(TASKS, ANY_OUTCOME)

    def answered(answers):
        return with_answers(all_right, answers)

    return {
        # honest
        "right": Kind(all_right),
        "blank": Kind(blank(SHEET), dict.fromkeys(TASKS, "not answered")),
        "wrong": Kind(answered({CONV2D: first_wrong_answer(SHEET, CONV2D)}), {CONV2D: "wrong"}),
        "raises_an_error": Kind(answered({CONV2D: RAISES_AN_ERROR}), {CONV2D: "error"}),
        "is_no_python": Kind(answered({CONV2D: IS_NO_PYTHON}), {CONV2D: "error"}),
        "loops_for_ever": Kind(answered({CONV_SIZE: LOOPS_FOR_EVER}), {CONV_SIZE: "time"}),
        "cannot_be_interrupted": Kind(
            answered({CONV2D: CANNOT_BE_INTERRUPTED}), dict.fromkeys(BEHIND_CONV_SIZE, "time")
        ),
        "ends_the_process": Kind(
            answered({CONV2D: ENDS_THE_PROCESS}), dict.fromkeys(BEHIND_CONV_SIZE, "exit")
        ),
        "prints_without_end": Kind(
            answered({CONV_SIZE: PRINTS_WITHOUT_END}),
            {CONV_SIZE: {"time", "error", "not answered"}},
        ),
        # changed by hand or by an editor
        "deletes_the_checks": Kind(without_checks(all_right)),
        "empties_the_checks": Kind(with_empty_checks(all_right)),
        "loses_all_marks": Kind(without_marks(all_right)),
        # cheating
        "patches_numpy": Kind(with_first_cell(all_wrong, PATCHES_NUMPY), everything),
        "patches_the_checks": Kind(with_first_cell(all_wrong, PATCHES_THE_CHECKS), everything),
        "hides_errors": Kind(with_first_cell(all_wrong, HIDES_ERRORS), everything),
        "stops_the_watch": Kind(with_first_cell(all_wrong, STOPS_THE_WATCH), everything),
        "equals_anything": Kind(answered(anything), everything),
        "empties_the_checks_of_wrong_answers": Kind(with_empty_checks(all_wrong), everything),
        # all at once, for `make test`; what is not answered here is blank
        "fails_in_every_way": Kind(
            with_first_cell(
                with_answers(
                    blank(SHEET),
                    {
                        CONV_SIZE: first_wrong_answer(SHEET, CONV_SIZE),
                        CONV2D: RAISES_AN_ERROR,
                        TRANSPOSED_SIZE: SLEEPS_FOR_EVER,
                        BILINEAR: ENDS_THE_PROCESS,
                    },
                ),
                PATCHES_THE_CHECKS,
            ),
            {
                CONV_SIZE: "wrong",
                CONV2D: "error",
                TRANSPOSED_SIZE: "time",
                CONV2D_TRANSPOSE: "not answered",
                BILINEAR: "exit",
                UPSAMPLING: "exit",
            },
        ),
    }
