"""A progress bar with the time left, for whatever takes longer than a few seconds."""

import contextlib
import sys
import time


@contextlib.contextmanager
def progress(description: str, total: int):
    """Shows a bar on a terminal; elsewhere one line when the work is done.

    Notebooks and log files stay free of a bar's debris: they get nothing, or the one line.

    Args:
        description: What is being done, such as `"drawing scenes"`.
        total: How many steps there are.

    Yields:
        Function `advance(steps=1, note="")` to call as steps are done.
    """
    if "ipykernel" in sys.modules:
        yield lambda steps=1, note="": None
        return
    start = time.perf_counter()
    if not sys.stderr.isatty():
        last = [""]

        def remember(steps=1, note=""):
            last[0] = note

        yield remember
        seconds = time.perf_counter() - start
        if seconds > 2:
            print(
                f"{description}: {seconds:.0f} s  {last[0]}".rstrip(), file=sys.stderr, flush=True
            )
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = [
        TextColumn("{task.description:<28}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("passed"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    ]
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, note="")

        def advance(steps=1, note=None):
            bar.update(task, advance=steps, **({} if note is None else {"note": note}))

        yield advance
