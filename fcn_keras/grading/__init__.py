"""Assignments of a class: sheets made from their sources, and submissions graded.

`sheets` reads the sources, `course_folder` is where nbgrader works, `submissions` finds what was
handed in, `grade` is a whole run, and `reports` writes its results. `judging` runs a submission in
one process (`student_process`) and judges it in another; between them, `exchange` carries values.
"""


class GradingError(ValueError):
    """A mistake in a command, a file or a folder; the message says what it is and what to do."""
