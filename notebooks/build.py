"""Makes each executed notebook from its source: `python notebooks/build.py [NAME …] [--check | --verify]`.

The source of truth is `NN_name.py` (percent format, which diffs well). `NN_name.ipynb` beside it is
what a
web page shows: the same cells, run from top to bottom. This program makes it, tells whether it is
    stale, and
runs it again to see whether it still gives what it shows.
"""

import argparse
import asyncio
import hashlib
import re
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

FOLDER = Path(__file__).parent
REPOSITORY = "fcn-keras/fcn_keras"  # owner and name on GitHub: where Colab finds the notebooks and the package
BUDGET = 120  # seconds for one notebook, on two quiet cores
TOLERANCE = 0.02  # of a number in the text, between two runs or two computers
POINTS = (
    3  # of a percentage: it is what a training found, and processors round differently on the way
)
NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?(\s?%)?")


def sources(names=()) -> list[Path]:
    """The notebooks' sources, all or those whose names begin as asked for."""
    found = sorted(FOLDER.glob("[0-9]*.py"))
    chosen = [
        path for path in found if not names or any(path.stem.startswith(name) for name in names)
    ]
    if not chosen:
        raise SystemExit(
            f"no notebook is called {' or '.join(names)}; there are {', '.join(path.stem for path in found)}"
        )
    return chosen


def unexecuted(source: Path):
    """The notebook of a source, with everything fixed that would differ from one build to the next."""
    notebook = jupytext.read(source)
    notebook.cells = [part for cell in notebook.cells for part in split_at_headings(cell)]
    notebook.cells[1:1] = colab_cells(source.stem)
    text = source.read_text(encoding="utf-8")
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "source": {"file": source.name, "sha256": hashlib.sha256(text.encode()).hexdigest()},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:12]
        cell.metadata = {
            key: value for key, value in cell.metadata.items() if key in ("tags", "slideshow")
        }
        cell.metadata.setdefault("slideshow", {"slide_type": slide_type(cell)})
    return notebook


def split_at_headings(cell) -> list:
    """A text cell in parts that each begin with a heading, so that each can begin a slide."""
    if cell.cell_type != "markdown":
        return [cell]
    parts = (part.strip() for part in re.split(r"^(?=#{1,3} )", cell.source, flags=re.M))
    return [nbformat.v4.new_markdown_cell(part, metadata=cell.metadata) for part in parts if part]


def slide_type(cell) -> str:
    """Where a cell stands in a deck, unless its source says so: each heading begins a slide, every other cell one below it.

    So a question stands on the screen before the figure that answers it.
    """
    if "colab" in cell.source:
        return "skip"
    return "slide" if cell.cell_type == "markdown" and cell.source.startswith("#") else "subslide"


def colab_cells(name: str) -> list:
    """What a notebook needs to open on Colab: a badge, and a cell that installs the package where it is not there."""
    page = f"https://colab.research.google.com/github/{REPOSITORY}/blob/main/notebooks/{name}.ipynb"
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({page})"
    install = (
        'import importlib.util\n\nif importlib.util.find_spec("fcn_keras") is None:  # on colab.research.google.com\n'
        f"    %pip install --quiet git+https://github.com/{REPOSITORY}"
    )
    return [nbformat.v4.new_markdown_cell(badge), nbformat.v4.new_code_cell(install)]


def executed(source: Path, seconds: float = BUDGET):
    """Runs a notebook from top to bottom, in its own folder, as a student would.

    Args:
        source: Its source.
        seconds: The time that it may take.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
        TimeoutError: If the whole takes longer.
        ValueError: If a cell writes to standard error: warnings do not belong on the page.
    """
    notebook = unexecuted(source)
    client = NotebookClient(
        notebook, kernel_name="python3", record_timing=False, coalesce_streams=True,
        resources={"metadata": {"path": str(FOLDER)}},
    )  # fmt: skip
    start = time.monotonic()
    try:
        asyncio.run(asyncio.wait_for(client.async_execute(), seconds))
    except (TimeoutError, DeadKernelError):  # which of them, when the kernel is stopped, is chance
        if time.monotonic() - start < seconds:
            raise
        raise TimeoutError(f"{source.name} is not finished after {seconds:.0f} s") from None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise ValueError(
                    f"{source.name}: a cell writes to standard error: {output['text'][:500]}"
                )
    notebook.metadata["language_info"] = {"name": "python"}  # the kernel adds its version
    return notebook


def stale(source: Path) -> str | None:
    """Why the notebook beside a source is not the one that the source makes, or `None`."""
    path = source.with_suffix(".ipynb")
    if not path.is_file():
        return f"{path.name} is missing"
    kept, fresh = nbformat.read(path, as_version=4), unexecuted(source)
    if kept.metadata.get("source") != fresh.metadata["source"]:
        return f"{source.name} was changed since {path.name} was made"
    if [(cell.id, cell.source) for cell in kept.cells] != [
        (cell.id, cell.source) for cell in fresh.cells
    ]:
        return f"{path.name} was edited by hand; edit {source.name}"
    counts = [cell.execution_count for cell in kept.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        return f"{path.name} was not run from top to bottom"
    return None


def differences(kept, again) -> list[str]:
    """What two runs of a notebook print differently: words exactly, numbers as `alike` has it; pictures are not compared."""
    found = []
    for number, (a, b) in enumerate(zip(kept.cells, again.cells, strict=True)):
        if a.cell_type == "code":
            before, after = printed(a), printed(b)
            if not alike(before, after):
                found.append(f"cell {number} printed\n{before}\nand now prints\n{after}")
    return found


def alike(before: str, after: str) -> bool:
    """Whether two texts have the same words, and numbers that differ by `TOLERANCE`, or one in the last decimal, at most.

    Percentages may differ by `POINTS`; a small number without decimals is a count, and must be the
    same.
    """
    if NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return False
    for a, b in zip(NUMBER.finditer(before), NUMBER.finditer(after), strict=True):
        decimals, exponent, percent = a.groups()
        last = 10.0 ** (int(exponent or 0) - len(decimals)) if decimals else 0.0
        first, second = (float(number[0].rstrip(" %")) for number in (a, b))
        if abs(first - second) > 1.0001 * max(
            TOLERANCE * abs(first), last, POINTS if percent else 0
        ):
            return False
    return True


def printed(cell) -> str:
    """A cell's text outputs, a mark for each picture in its place."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {})
        parts.append(
            output.get("text")
            or ("[picture]" if "image/png" in data else data.get("text/plain", ""))
        )
    return "\n".join(parts)


def main() -> int:
    """Builds, checks or verifies; 0, or 1 if a notebook is stale or gives something else."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 11; none: all")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="only tell which are stale, in seconds")
    mode.add_argument(
        "--verify", action="store_true", help="run them and compare with what they show"
    )
    options = parser.parse_args()
    wrong = 0
    for source in sources(options.names):
        path = source.with_suffix(".ipynb")
        problem = stale(source) if options.check or options.verify else None
        if options.verify and not problem:
            problem = "\n".join(differences(nbformat.read(path, as_version=4), executed(source)))
        elif not options.check:
            nbformat.write(executed(source), path)
        print(f"{path.name}: {problem or 'fine'}", flush=True)
        wrong += bool(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
