"""A progress bar with the time left, for work that takes more than a few seconds."""

import contextlib
import sys
import time


@contextlib.contextmanager
def progress(description: str, total: int):
    """Shows a bar on a terminal, and elsewhere one line when the work is done.

    A bar would litter notebooks and log files: notebooks get nothing, log files get the line.

    Args:
        description: What is being done, such as `"drawing scenes"`.
        total: Number of steps.

    Yields:
        Function `advance(steps=1, note="")` to call as steps are done.
    """
    if "ipykernel" in sys.modules:
        show = contextlib.nullcontext(lambda steps=1, note="": None)
    elif sys.stderr.isatty():
        show = _bar(description, total)
    else:
        show = _closing_line(description)
    with show as advance:
        yield advance


@contextlib.contextmanager
def _closing_line(description: str):
    start, last_note = time.perf_counter(), ""

    def advance(steps=1, note=""):
        nonlocal last_note
        last_note = note

    yield advance
    seconds = time.perf_counter() - start
    if seconds > 2:
        line = f"{description}: {seconds:.0f} s  {last_note}".rstrip()
        print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _bar(description: str, total: int):
    from rich import progress as parts
    from rich.console import Console

    columns = [
        parts.TextColumn("{task.description:<28}"),
        parts.BarColumn(24),
        parts.MofNCompleteColumn(),
        parts.TextColumn("left"),
        parts.TimeRemainingColumn(),
        parts.TextColumn("passed"),
        parts.TimeElapsedColumn(),
        parts.TextColumn("{task.fields[note]}"),
    ]
    with parts.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, note="")

        def advance(steps=1, note=None):
            bar.update(task, advance=steps, **({} if note is None else {"note": note}))

        yield advance
