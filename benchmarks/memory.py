"""How much memory? The peak of each task in a process of its own, above the process that has loaded everything (Linux).

python benchmarks/memory.py
"""

import subprocess
import sys

import numpy as np
from measuring import PeakMemory, keep

import fcn_keras as fcn


def fit():
    """The default training: 400 scenes and their mirror images, features kept."""
    from fcn_keras.lecture.experiment import Experiment, Settings

    experiment = Experiment(Settings(steps=40))
    return lambda: experiment.trained, lambda: experiment.data


def segment(side):
    """One square picture, whole."""
    model, picture = (
        fcn.models.lecture_fcn(2, width=32, skip_width=32),
        np.random.default_rng(0).integers(0, 256, (side, side, 3), "uint8"),
    )
    return lambda: fcn.prediction.segment(model, picture), lambda: fcn.prediction.segment(
        model, picture[:256, :256]
    )


TASKS = {
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
        answer = subprocess.run(
            [sys.executable, __file__, name], capture_output=True, text=True, check=True
        ).stdout
        found[name] = float(answer.split()[-1])
        print(f"{words:<50}{found[name]:.2f} GiB", flush=True)
    keep("memory", **found)
