"""How much memory does each task need? Its peak above the idle process (Linux).

Each task runs in its own process. Idle means that the task has already run on a small input, or its
data are loaded.

Run it with `python benchmarks/memory.py`.
"""

import subprocess
import sys

import numpy as np
from measuring import PeakMemory, keep

import fcn_keras as fcn


def fit():
    """The default training: 400 scenes and their mirror images, on kept features."""
    from fcn_keras.lecture.experiment import Experiment, Settings

    experiment = Experiment(Settings(steps=40))
    return lambda: experiment.trained, lambda: experiment.data


def segment(side):
    """One square picture, labelled whole."""
    model = fcn.models.lecture_fcn(2, width=32, skip_width=32)
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), "uint8")

    def task():
        return fcn.prediction.segment(model, picture)

    def prepare():
        return fcn.prediction.segment(model, picture[:256, :256])

    return task, prepare


TASKS = {  # name: what it is called, a function that returns the task and its preparation
    "fit": ("the default training", fit),
    "segment_1000": ("a picture of 1,000 x 1,000, labelled whole", lambda: segment(1000)),
    "segment_2000": ("a picture of 2,000 x 2,000, labelled whole", lambda: segment(2000)),
}

if __name__ == "__main__":
    if sys.argv[1:]:
        task, prepare = TASKS[sys.argv[1]][1]()
        prepare()
        with PeakMemory() as memory:
            task()
        print(memory.gib)
        raise SystemExit
    found = {}
    for name, (words, _) in TASKS.items():
        command = [sys.executable, __file__, name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[name] = float(done.stdout.split()[-1])
        print(f"{words:<50}{found[name]:.2f} GiB", flush=True)
    keep("memory", **found)
