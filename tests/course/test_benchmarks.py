"""The README's table of costs is what the benchmarks found, and they can be started."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(
    path.stem for path in FOLDER.glob("*.py") if path.stem not in ("measuring", "table")
)


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


def test_the_readme_says_what_was_found(modules):
    import table

    text = table.README.read_text(encoding="utf-8")
    assert text.split(table.BEGIN)[1].split(table.END)[0] == table.table(), (
        "run: python benchmarks/table.py"
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured on Linux")
def test_peak_memory_sees_what_was_asked_for(modules):
    import numpy as np
    from measuring import PeakMemory

    with PeakMemory() as memory:
        np.ones((2**8, 2**20), "uint8").sum()
    assert 0.2 < memory.gib < 0.4


def test_one_command_runs_them_all():
    text = (FOLDER.parent / "Makefile").read_text(encoding="utf-8")
    recipe = text.split("\nbenchmarks: ")[1].split("\n\n")[0]
    elsewhere = {"camvid", "explainer"}  # they need pictures, and browsers, that few users have
    assert all(name in recipe for name in SCRIPTS if name not in elsewhere)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured on Linux")
def test_a_benchmark_runs():
    done = subprocess.run(
        [sys.executable, FOLDER / "memory.py", "segment_1000"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # one layer of 16 channels alone has 1,000 x 1,000 x 16 x 4 bytes
    assert 0.02 < float(done.stdout) < 1
