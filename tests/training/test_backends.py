"""A file that is written on one backend says the same on another: JAX, or what `make test-backends`
names."""

import importlib.util
import os
import subprocess
import sys

import keras
import made_sets
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main

OTHER = os.environ.get("FCN_KERAS_OTHER_PYTHON"), os.environ.get("FCN_KERAS_OTHER_BACKEND")
if None in OTHER and keras.backend.backend() != "jax" and importlib.util.find_spec("jax"):
    OTHER = sys.executable, "jax"
needs_other = pytest.mark.skipif(None in OTHER, reason="no second backend is named or installed")

# On the other backend: a model file is made, and the logits of every model file in the folder for
# every picture there.
SCRIPT = """
import sys
from pathlib import Path
import keras, numpy as np
import fcn_keras as fcn
folder = Path(sys.argv[1])
keras.utils.set_random_seed(2)
model = fcn.models.fcn(4, 8, fcn.backbones.small_vgg(), fusion="concat", width=16)
rng = np.random.default_rng
model.set_weights([rng(0).normal(0, 0.05, weight.shape) for weight in model.get_weights()])
fcn.models.save(model, folder / "made there.keras")
for file in folder.glob("*.keras"):
    model = fcn.models.load(file)
    for picture in folder.glob("[0-9]*.npy"):
        logits = fcn.prediction.logits(model, np.load(picture))
        np.save(folder / f"{file.stem} on {picture.stem}.npy", logits)
print(keras.backend.backend())
"""


def on_the_other(folder):
    """Runs the script there, and returns the function that gives a model's logits for a picture."""
    python, backend = OTHER
    # compiling takes most of the time, and these networks are tiny
    hasty = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    environment = {**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": hasty}
    done = subprocess.run(
        [python, "-c", SCRIPT, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == backend != keras.backend.backend()
    return lambda name, picture: np.load(folder / f"{name} on {picture}.npy")


def assert_same_there_and_here(folder, networks):
    """Saves networks, and compares their logits on the other backend with those of this one."""
    for name, model in networks.items():
        rng = np.random.default_rng(1)
        model.set_weights(
            [weight + rng.normal(0, 0.02, weight.shape) for weight in model.get_weights()]
        )
        fcn.models.save(model, folder / f"{name}.keras")
    pictures = {
        f"{height}x{width}": random_image(height, width) for height, width in ((64, 96), (45, 61))
    }
    for size, picture in pictures.items():
        np.save(folder / f"{size}.npy", picture)
    there = on_the_other(folder)
    networks = {**networks, "made there": fcn.models.load(folder / "made there.keras")}
    for name, model in networks.items():
        for size, picture in pictures.items():
            found, expected = there(name, size), fcn.prediction.logits(model, picture)
            np.testing.assert_allclose(
                found, expected, atol=1e-4 * np.abs(expected).max(), err_msg=f"{name} {size}"
            )


@needs_other
def test_a_model_file_gives_the_same_logits_on_another_backend(tmp_path, encoder):
    """Files that are written here and read there, and one that is written there and read here."""
    networks = {
        "fcn8s": fcn.models.fcn(3, 8, encoder, width=16),
        "fcn32s": fcn.models.fcn(3, 32, encoder, fusion="concat", width=16),
        "lecture": fcn.models.lecture_fcn(2, encoder, 16),
        "published": fcn.published.fcn16s(3, ((4,), (4,), (8,), (8,), (8,)), 8),
        "autoencoder": fcn.models.fcn_from_cae(fcn.models.cae(), 3),
    }
    assert_same_there_and_here(tmp_path, networks)


@needs_other
@pytest.mark.long
def test_encoders_of_photographs_give_the_same_on_another_backend(tmp_path):
    options = dict(include_top=False, weights=None, input_shape=(None, None, 3))
    encoders = {
        "EfficientNet-Lite0": fcn.backbones.efficientnet_lite0(weights=None),
        "MobileNetV2": fcn.backbones.from_keras(
            keras.applications.MobileNetV2(alpha=0.35, **options)
        ),
        "ConvNeXtTiny": fcn.backbones.from_keras(keras.applications.ConvNeXtTiny(**options)),
    }
    networks = {name: fcn.models.fcn(3, 8, encoder, width=16) for name, encoder in encoders.items()}
    assert_same_there_and_here(tmp_path, networks)


@needs_other
@pytest.mark.long  # starts a process that trains
def test_a_training_that_was_killed_goes_on_on_another_backend(tmp_path, monkeypatch):
    folder = made_sets.plain(tmp_path / "data")
    command = ["train", folder, "--out", tmp_path / "m.keras", "--epochs", "2", "--width", "4"]
    command = [str(part) for part in [*command, "--batch-size", "4", "--fine-tune", "1"]]
    original = keras.Model.fit

    class StopBeforeTheSecondEpoch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def killed(self, *args, callbacks, **options):
        return original(self, *args, callbacks=[*callbacks, StopBeforeTheSecondEpoch()], **options)

    monkeypatch.setattr(keras.Model, "fit", killed)
    assert main(command) != 0
    environment = {**os.environ, "KERAS_BACKEND": OTHER[1]}
    done = subprocess.run(
        [OTHER[0], "-m", "fcn_keras", *command], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert fcn.models.load(tmp_path / "m.keras").output_shape[-1] == 3
