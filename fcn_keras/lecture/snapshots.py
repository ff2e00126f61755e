"""The head at a few moments of its training, for whoever scrubs through it (lecture: L24)."""

from pathlib import Path

import keras
import numpy as np

from fcn_keras.support import files, graph

SHARES = (0, 1 / 60, 1 / 15, 1 / 5, 1 / 2)  # of all steps; the trained network itself is the last


class Snapshots(keras.callbacks.Callback):
    """Writes the weights that are trained to a folder, before the first step and after some others.

    A training that goes on after an interruption finds the earlier ones in the folder.

    Args:
        folder: Where `step-000010.npz` and so on go.
        steps: Of the whole training.
    """

    def __init__(self, folder: Path, steps: int):
        super().__init__()
        self.folder = folder
        self.wanted = {round(share * steps) for share in SHARES} - {steps}
        self.done = 0

    def on_train_begin(self, logs=None):
        self._note(0)

    def on_epoch_begin(self, epoch, logs=None):
        self.done = epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        self._note(self.done + batch + 1)

    def _note(self, step: int) -> None:
        path = self.folder / f"step-{step:06}.npz"
        if step not in self.wanted or path.exists():
            return
        arrays = {
            variable.path: keras.ops.convert_to_numpy(variable)
            for variable in self.model.trainable_variables
        }
        try:
            with files.written_whole(path) as temporary, open(temporary, "wb") as file:
                np.savez(file, **arrays)
        except OSError:  # a full disk must not stop a class
            self.wanted = set()


def read(folder: Path, model: keras.Model) -> dict[int, keras.Model]:
    """The network at each moment that was kept.

    Args:
        folder: As at `Snapshots`.
        model: The trained network.

    Returns:
        `{steps done: copy of the model}`, in order; the model itself is not among them.
    """
    found = {}
    for path in sorted(Path(folder).glob("step-*.npz")):
        copy = keras.models.clone_model(model)
        graph.copy_weights(model, copy)
        with np.load(path) as arrays:
            for variable in copy.trainable_variables:
                if variable.path in arrays:
                    variable.assign(arrays[variable.path])
        found[int(path.stem.removeprefix("step-"))] = copy
    return found
