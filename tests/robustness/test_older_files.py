"""What an older version of the package wrote is still read: model files, an interrupted run, kept
networks."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.lecture.experiment import Experiment, Settings
from fcn_keras.training import checkpoint

KEPT = Path(__file__).parents[1] / "kept"
ATOL = 1e-5


@pytest.fixture(scope="module")
def expected():
    with np.load(KEPT / "expected.npz") as file:
        return dict(file)


def test_a_model_file_gives_the_logits_that_it_gave(expected):
    model = fcn.models.load(KEPT / "trained.keras")
    found = fcn.prediction.logits(model, expected["image"])
    np.testing.assert_allclose(found, expected["logits"], atol=ATOL)


def test_plain_keras_reads_them_once_the_layers_are_imported(expected, tmp_path):
    """In a process that uses nothing else of the package; a concatenation's initializer too."""
    script = (
        "import sys, keras, numpy as np, fcn_keras.layers\n"
        "image = np.load(sys.argv[1] + '/expected.npz')['image'][None].astype('float32')\n"
        "for name in ('lecture', 'trained'):\n"
        "    model = keras.models.load_model(f'{sys.argv[1]}/{name}.keras')\n"
        "    np.save(f'{sys.argv[2]}/{name}.npy', model.predict_on_batch(image)[0])\n"
    )
    command = [sys.executable, "-c", script, str(KEPT), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("lecture", "trained"):
        model = fcn.models.load(KEPT / f"{name}.keras")
        logits = fcn.prediction.logits(model, expected["image"])
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), logits, atol=ATOL)


def test_the_lectures_network_loads_and_takes_any_size():
    model = fcn.models.load(KEPT / "lecture.keras")
    assert {"conv6", "fcn1", "fcn4", "pool3", "logits"} <= {layer.name for layer in model.layers}
    assert fcn.prediction.segment(model, np.zeros((37, 53, 3), "uint8")).shape == (37, 53)


def test_an_interrupted_run_goes_on_to_the_losses_of_one_that_was_not(expected, toy, tmp_path):
    state = shutil.copytree(KEPT / "checkpoint", tmp_path / "checkpoint")
    widths = ((4,), (4,), (6,), (6,), (8,))
    encoder = fcn.backbones.vgg(widths, fcn.layers.VGGPreprocessing(name="preprocessing"), "tiny")
    model = fcn.models.fcn(2, 8, encoder, width=8, fusion="concat")
    model.set_weights(fcn.models.load(KEPT / "start.keras").get_weights())
    history = fcn.training.fit(model, toy, epochs=4, batch_size=4, augment="flip", checkpoint=state)
    assert len(history.loss) == 12
    np.testing.assert_array_equal(history.loss[:6], expected["loss"][:6])  # as they were noted
    # another machine adds in another order
    np.testing.assert_allclose(history.loss[6:], expected["loss"][6:], rtol=1e-3)
    found = fcn.prediction.logits(model, expected["image"])
    np.testing.assert_allclose(found, expected["logits"], atol=0.02)


def test_a_model_has_the_same_digest_on_every_backend():
    """And it is known by what the older version noted, on TensorFlow and on JAX."""
    model = fcn.models.load(KEPT / "start.keras")
    assert checkpoint.architecture(model) == "da52b6f71b76ccaa"
    noted = json.loads((KEPT / "checkpoint" / "run.json").read_text())["settings"]["model"]
    older = checkpoint.older_architectures(model)
    assert noted in older and len(set(older)) == 4


@pytest.mark.parametrize(
    ("name", "settings", "folder"),
    [
        ("lecture", Settings(steps=2, width=2, backbone="small_vgg"), "lecture-f58b11e4f546b6e0"),
        ("classifier", Settings(backbone="small_vgg"), "classifier-b6fc1bdd3c459e2c"),
        ("fcn8s", Settings(backbone="small_vgg"), "fcn8s-a13fa85de668ed49"),
    ],
)
def test_a_kept_network_is_found_again(name, settings, folder, tmp_path, monkeypatch):
    """Under the names that the older version gave.

    The names depend on the versions of Keras, of the package and of the drawn scenes, on the
    shipped weights and on the settings. After an intended change of one of the last three, put in
    the new names.
    """
    monkeypatch.setenv("FCN_KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras, "__version__", "3.15.1")
    monkeypatch.setattr(fcn, "__version__", "0.1.0")
    kept = tmp_path / "trained" / folder
    kept.mkdir(parents=True)
    shutil.copy(KEPT / "trained.keras", kept / "model.keras")
    notes = {"loss": [0.7, 0.5], "steps_per_epoch": 2, "seconds": {"training": 1.5}}
    (kept / "history.json").write_text(json.dumps(notes))
    again = Experiment(settings, reuse=True)
    model, history = again.train_once(name, lambda: pytest.fail("it was trained again"))
    assert model.count_params() > 0 and history.loss == [0.7, 0.5]
