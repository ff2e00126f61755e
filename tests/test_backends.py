"""A file that is written on one backend says the same on another (`make test-backends` says which the other is)."""

import os
import subprocess

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn

OTHER = os.environ.get("FCN_KERAS_OTHER_PYTHON"), os.environ.get("FCN_KERAS_OTHER_BACKEND")
needs_other = pytest.mark.skipif(None in OTHER, reason="no second backend is named")

# On the other backend: the logits of a model file, or a model file made there and its logits.
SCRIPT = """
import sys
import keras, numpy as np
import fcn_keras as fcn
what, path, image, out = sys.argv[1:]
if what == "make":
    keras.utils.set_random_seed(2)
    model = fcn.models.fcn(4, 8, fcn.backbones.small_vgg(), fusion="concat", width=16)
    model.set_weights([np.random.default_rng(0).normal(0, 0.05, weight.shape) for weight in model.get_weights()])
    fcn.models.save(model, path)
np.save(out, fcn.prediction.logits(fcn.models.load(path), np.load(image)))
print(keras.backend.backend())
"""


def on_the_other(what, path, image, out):
    python, backend = OTHER
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [python, "-c", SCRIPT, what, path, image, out]
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == backend != keras.backend.backend()
    return np.load(out)


@needs_other
@pytest.mark.parametrize("size", [(64, 96), (45, 61)])
def test_a_model_gives_the_same_logits_on_another_backend(tmp_path, encoder, size):
    np.save(tmp_path / "image.npy", random_image(*size))
    networks = {
        "fcn8s": fcn.models.fcn(3, 8, encoder, width=16),
        "fcn32s": fcn.models.fcn(3, 32, encoder, fusion="concat", width=16),
        "lecture": fcn.models.lecture_fcn(2, encoder, 16),
        "published": fcn.published.fcn16s(3, ((4,), (4,), (8,), (8,), (8,)), 8),
        "autoencoder": fcn.models.fcn_from_cae(fcn.models.cae(), 3),
    }
    for name, model in networks.items():
        rng = np.random.default_rng(1)
        model.set_weights([weight + rng.normal(0, 0.02, weight.shape) for weight in model.get_weights()])
        fcn.models.save(model, tmp_path / f"{name}.keras")
        here = fcn.prediction.logits(model, np.load(tmp_path / "image.npy"))
        there = on_the_other("read", tmp_path / f"{name}.keras", tmp_path / "image.npy", tmp_path / "there.npy")
        np.testing.assert_allclose(there, here, atol=1e-4 * max(1, np.abs(here).max()), err_msg=name)


@needs_other
def test_a_model_of_another_backend_gives_the_same_logits_here(tmp_path):
    np.save(tmp_path / "image.npy", random_image(45, 61))
    there = on_the_other("make", tmp_path / "m.keras", tmp_path / "image.npy", tmp_path / "there.npy")
    here = fcn.prediction.logits(fcn.models.load(tmp_path / "m.keras"), np.load(tmp_path / "image.npy"))
    np.testing.assert_allclose(here, there, atol=1e-4 * max(1, np.abs(here).max()))
