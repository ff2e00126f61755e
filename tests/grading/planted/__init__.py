"""Plausible wrong answers to the assignments, one module a sheet.

A case reads: the mistake, what the student wrote, and a piece of the hint that the check must give.

    "flips_the_kernel": Wrong(
        CONV2D.insert("kernel = kernel[::-1, ::-1]", before="h, w ="),
        hint="does not flip",
    ),

Here `CONV2D` is a right answer, and the student's has one line more.
"""

import importlib
import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A wrong answer.

    Attributes:
        code: The text of the answer's cell.
        hint: A piece of the sentence that the check must answer with.
    """

    code: str
    hint: str


class Answer(str):
    """The text of an answer's cell, and how to make others of it."""

    def edit(self, old: str, new: str) -> "Answer":
        """The same answer with `new` wherever it has `old`."""
        assert old in self, f"{old!r} is not in the answer"
        return Answer(self.replace(old, new))

    def insert(self, lines: str, before: str) -> "Answer":
        """The same answer with more lines in front of the only line that begins with `before`."""
        (line,) = (line for line in self.splitlines() if line.strip().startswith(before))
        indent = line.removesuffix(line.lstrip())
        return self.edit(f"{line}\n", f"{textwrap.indent(lines, indent)}\n{line}\n")


def wrong_answers(sheet: str) -> dict[str, dict[str, Wrong]]:
    """The wrong answers to a sheet, by task and by mistake."""
    return _module(sheet).WRONG


def right_answers(sheet: str) -> dict[str, Answer]:
    """The right answers of which most of the wrong ones are made, by task."""
    return _module(sheet).RIGHT


def first_wrong_answer(sheet: str, task: str) -> str:
    """The code of one wrong answer to a task."""
    return next(iter(wrong_answers(sheet)[task].values())).code


def _module(sheet):
    return importlib.import_module(f"planted.a{sheet[0]}")
