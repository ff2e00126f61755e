"""Makes each executed notebook from its source.

    python notebooks/build.py [NAME …] [--check | --verify]

The source of truth is `NN_name.py`, in percent format, which diffs well. `NN_name.ipynb` beside it
is what a web page shows: the same cells, run from top to bottom. This program makes the notebook,
checks whether it is stale, and runs it again to check that it still gives the same results.
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
REPOSITORY = "fcn-keras/fcn_keras"  # owner and name on GitHub; Colab loads from there
BUDGET = 120  # seconds for one notebook, on two quiet cores
TOLERANCE = 0.02  # relative difference of a printed number, between two runs or two computers
POINTS = 3  # difference of a printed percentage: trainings differ, as processors round differently
NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?(\s?%)?")


def sources(names=()) -> list[Path]:
    """The notebooks' sources: all, or those whose names begin with one of `names`."""
    found = sorted(FOLDER.glob("[0-9]*.py"))
    chosen = [path for path in found if not names or path.stem.startswith(tuple(names))]
    if not chosen:
        existing = ", ".join(path.stem for path in found)
        raise SystemExit(f"no notebook is called {' or '.join(names)}; there are {existing}")
    return chosen


def unexecuted(source: Path):
    """The notebook of a source, before it runs: always the same for the same source."""
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
    """Splits a text cell before each heading, so that each heading can begin a slide."""
    if cell.cell_type != "markdown":
        return [cell]
    parts = (part.strip() for part in re.split(r"^(?=#{1,3} )", cell.source, flags=re.M))
    return [nbformat.v4.new_markdown_cell(part, metadata=cell.metadata) for part in parts if part]


def slide_type(cell) -> str:
    """The kind of slide that a cell becomes, unless its source says otherwise.

    Each heading begins a slide; every other cell is a slide of its own below it. So a question is
    on the screen before the figure that answers it.
    """
    if "colab" in cell.source:
        return "skip"
    return "slide" if cell.cell_type == "markdown" and cell.source.startswith("#") else "subslide"


def colab_cells(name: str) -> list:
    """What a notebook needs for Colab: a badge, and a cell that installs the package if missing."""
    page = f"https://colab.research.google.com/github/{REPOSITORY}/blob/main/notebooks/{name}.ipynb"
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({page})"
    install = (
        "import importlib.util\n\n"
        'if importlib.util.find_spec("fcn_keras") is None:  # on colab.research.google.com\n'
        f"    %pip install --quiet git+https://github.com/{REPOSITORY}"
    )
    return [nbformat.v4.new_markdown_cell(badge), nbformat.v4.new_code_cell(install)]


def executed(source: Path, seconds: float = BUDGET):
    """Runs a notebook from top to bottom, in its own folder, as a student would.

    Args:
        source: The notebook's source.
        seconds: The longest that the run may take.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
        TimeoutError: If the run takes longer.
        ValueError: If a cell writes to standard error: warnings do not belong on the page.
    """
    notebook = unexecuted(source)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    start = time.monotonic()
    try:
        asyncio.run(asyncio.wait_for(client.async_execute(), seconds))
    except (TimeoutError, DeadKernelError):  # stopping a kernel can raise either of them
        if time.monotonic() - start < seconds:
            raise
        raise TimeoutError(f"{source.name} is not finished after {seconds:.0f} s") from None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                text = output["text"][:500]
                raise ValueError(f"{source.name}: a cell writes to standard error: {text}")
    notebook.metadata["language_info"] = {"name": "python"}  # the kernel adds its version
    return notebook


def stale(source: Path) -> str | None:
    """Why the notebook beside a source does not belong to it any more; `None` if it does."""
    path = source.with_suffix(".ipynb")
    if not path.is_file():
        return f"{path.name} is missing"
    kept, fresh = nbformat.read(path, as_version=4), unexecuted(source)
    if kept.metadata.get("source") != fresh.metadata["source"]:
        return f"{source.name} was changed since {path.name} was made"
    before, after = ([(cell.id, cell.source) for cell in book.cells] for book in (kept, fresh))
    if before != after:
        return f"{path.name} was edited by hand; edit {source.name}"
    counts = [cell.execution_count for cell in kept.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        return f"{path.name} was not run from top to bottom"
    return None


def differences(kept, again) -> list[str]:
    """What two runs of a notebook print differently, by the rules of `alike`.

    Pictures are not compared.
    """
    found = []
    for number, (a, b) in enumerate(zip(kept.cells, again.cells, strict=True)):
        if a.cell_type == "code":
            before, after = printed(a), printed(b)
            if not alike(before, after):
                found.append(f"cell {number} printed\n{before}\nand now prints\n{after}")
    return found


def alike(before: str, after: str) -> bool:
    """Whether two texts have the same words, and nearly the same numbers.

    Numbers may differ by `TOLERANCE` of their value or by one in the last decimal, percentages by
    `POINTS`. So small numbers without decimals, which are counts, must be the same.
    """
    if NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return False
    for a, b in zip(NUMBER.finditer(before), NUMBER.finditer(after), strict=True):
        decimals, exponent, percent = a.groups()
        last = 10.0 ** (int(exponent or 0) - len(decimals)) if decimals else 0.0
        first, second = (float(number[0].rstrip(" %")) for number in (a, b))
        allowed = max(TOLERANCE * abs(first), last, POINTS if percent else 0)
        if abs(first - second) > 1.0001 * allowed:
            return False
    return True


def printed(cell) -> str:
    """A cell's outputs as text, with a placeholder for each picture."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {})
        shown = "[picture]" if "image/png" in data else data.get("text/plain", "")
        parts.append(output.get("text") or shown)
    return "\n".join(parts)


def main() -> int:
    """Builds, checks or verifies; returns 1 if a notebook is stale or its results differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 11; default: all")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="only check for stale ones")
    mode.add_argument("--verify", action="store_true", help="run them and compare the results")
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
