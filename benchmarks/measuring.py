"""What the benchmarks share: medians, peak memory, and saving results for the README's table."""

import json
import os
import platform
import statistics
import threading
import time
from pathlib import Path

RESULTS = Path(__file__).with_name("results")


def median_seconds(run, repeats=3) -> float:
    """Median seconds of several runs.

    A first run does not count: in it the backend prepares itself for the shapes.
    """
    run()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def anonymous() -> int:
    """Bytes of anonymous memory: what this process asked for, without mapped files (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return 1024 * int(line.split()[1])
    raise OSError("expected RssAnon in /proc/self/status: memory is measured on Linux")


class PeakMemory(threading.Thread):
    """Peak anonymous memory while a block runs, above what the process had before.

    The memory is read fifty times a second.
    """

    def __enter__(self):
        self.before = self.most = anonymous()
        self.running = True
        self.start()
        return self

    def run(self):
        while self.running:
            self.most = max(self.most, anonymous())
            time.sleep(0.02)

    def __exit__(self, *error):
        self.running = False
        self.join()

    @property
    def gib(self) -> float:
        return (self.most - self.before) / 2**30


def keep(name: str, **found):
    """Writes a benchmark's results to `results/name.json`, with the machine that it ran on."""
    RESULTS.mkdir(exist_ok=True)
    python = f"{platform.system()}, Python {platform.python_version()}"
    machine = f"{os.cpu_count()} × {_processor()}, {python}"
    rounded = {
        key: float(f"{value:.4g}") if isinstance(value, float) else value
        for key, value in found.items()
    }
    text = json.dumps({"machine": machine, **rounded}, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
