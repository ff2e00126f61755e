"""Nothing lost: what is killed at any moment, with `kill -9`, goes on and ends as if nothing had
happened."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import made_sets
import numpy as np
import pytest

import fcn_keras as fcn

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9")

# Prints a line when the imports are done, then trains, in two stages, and writes the weights.
TRAINING = """
import sys, warnings
import fcn_keras as fcn
import keras, numpy as np, tensorflow as tf
tf.config.experimental.enable_op_determinism()
warnings.simplefilter("ignore")
data = fcn.datasets.plain_folder(sys.argv[1])
keras.utils.set_random_seed(3)
encoder = fcn.backbones.vgg(((4,),) * 5, keras.layers.Rescaling(1 / 255), "tiny")
model = fcn.models.fcn(3, 16, encoder, width=8)
print("ready", flush=True)
history = fcn.training.fit(model, data, data, epochs=8, batch_size=3, seed=3, augment="flip",
                           checkpoint=sys.argv[2], unfreeze="after", fine_tuning=8)
fcn.models.save(model, sys.argv[3])
np.savez(sys.argv[3] + ".npz", loss=history.loss, miou=history.history["val_mean_iou"])
"""
# Labels a picture tile by tile into a file.
TILING = """
import sys
import fcn_keras as fcn
model = fcn.models.load(sys.argv[1])
print("ready", flush=True)
fcn.prediction.segment_tiled(model, sys.argv[2], sys.argv[3], tile=48)
"""


def ready(script, *arguments):
    """A script in a process of its own that has said that it is ready."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def run(script, *arguments, kill_after=None) -> float | None:
    """Runs a script to its end, or kills it so many seconds after it is ready.

    Returns:
        Seconds that it took once it was ready, or `None` if it was killed.
    """
    process = ready(script, *arguments)
    start = time.perf_counter()
    try:
        _, errors = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return None
    assert process.returncode == 0, errors
    return time.perf_counter() - start


def killed_once(there, script, *arguments) -> bool:
    """Runs a script and kills it when a file is there; `False` if it came to its end before."""
    process = ready(script, *arguments)
    while not there.exists() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode != 0


def weights(path):
    return fcn.models.load(path).get_weights()


def same_training(out, undisturbed):
    """Weights, losses and scores of two runs agree."""
    for a, b in zip(weights(out), weights(undisturbed), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    again, notes = np.load(f"{out}.npz"), np.load(f"{undisturbed}.npz")
    np.testing.assert_allclose(again["loss"], notes["loss"], atol=1e-4)
    np.testing.assert_allclose(again["miou"], notes["miou"], atol=2e-3)


def trained_with_kills(tmp_path, times):
    """Each run is killed at a random moment; where one comes to its end first, another training
    begins."""
    data, undisturbed = made_sets.plain(tmp_path / "data", 9), tmp_path / "undisturbed.keras"
    whole = run(TRAINING, data, tmp_path / "undisturbed-state", undisturbed)
    dice, kills, finished = random.Random(5), 0, 0
    while kills < times or not finished:
        out = tmp_path / f"{finished}.keras"
        moment = dice.uniform(0, 0.6 * whole) if kills < times else None
        if run(TRAINING, data, tmp_path / f"state-{finished}", out, kill_after=moment) is None:
            kills += 1
            continue
        same_training(out, undisturbed)
        finished += 1


def to_be_tiled(tmp_path, size):
    """A model, a picture, and where its labels belong."""
    model = fcn.models.fcn(3, 8, fcn.backbones.small_vgg(), width=8)
    model.set_weights(
        [np.random.default_rng(0).normal(0, 0.1, weight.shape) for weight in model.get_weights()]
    )
    fcn.models.save(model, tmp_path / "m.keras")
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype="uint8")
    np.save(tmp_path / "image.npy", image)
    return tmp_path / "m.keras", tmp_path / "image.npy", tmp_path / "labels.npy"


def tiled_with_kills(tmp_path, times):
    model, image, out = to_be_tiled(tmp_path, (700, 600))
    whole = run(TILING, model, image, tmp_path / "undisturbed.npy")
    expected = np.load(tmp_path / "undisturbed.npy")
    assert len(np.unique(expected)) > 1
    dice, kills, finished = random.Random(6), 0, 0
    while kills < times or not finished:
        moment = dice.uniform(0, 0.6 * whole) if kills < times else None
        if run(TILING, model, image, out, kill_after=moment) is None:
            kills += 1
            if not out.exists():
                continue
        # where it was finished before the kill, it is whole, and the next one begins anew
        np.testing.assert_array_equal(np.load(out), expected)
        out.unlink()
        finished += 1


def test_a_killed_training_ends_with_the_same_weights(tmp_path):
    """Killed when it has written its first state; at twenty random moments in `make test-long`."""
    data, out = made_sets.plain(tmp_path / "data", 9), tmp_path / "m.keras"
    undisturbed, state = tmp_path / "undisturbed.keras", tmp_path / "state"
    run(TRAINING, data, tmp_path / "undisturbed-state", undisturbed)
    while not killed_once(state / "head.npz", TRAINING, data, state, out):
        shutil.rmtree(state)
    run(TRAINING, data, state, out)
    same_training(out, undisturbed)


def test_killed_tiling_ends_with_the_same_labels(tmp_path):
    """Killed when it has noted its first tile; at twenty random moments in `make test-long`."""
    model, image, out = to_be_tiled(tmp_path, (700, 600))
    expected = fcn.prediction.segment_tiled(fcn.models.load(model), np.load(image), tile=48)
    assert len(np.unique(expected)) > 1
    while not killed_once(tmp_path / ".labels-partial.json", TILING, model, image, out):
        out.unlink()
    run(TILING, model, image, out)
    np.testing.assert_array_equal(np.load(out), expected)


@pytest.mark.long
def test_a_training_killed_at_twenty_moments_ends_with_the_same_weights(tmp_path):
    trained_with_kills(tmp_path, 20)


@pytest.mark.long
def test_tiling_killed_at_twenty_moments_ends_with_the_same_labels(tmp_path):
    tiled_with_kills(tmp_path, 20)


@pytest.mark.long
def test_the_command_line_killed_at_five_moments_gives_the_same_scores(tmp_path):
    """`train` goes on by itself; what is left of it when it is done is the model alone."""
    data = made_sets.plain(tmp_path / "data", 20)
    command = [
        sys.executable,
        "-m",
        "fcn_keras",
        "train",
        data,
        "--steps",
        "400",
        "--batch-size",
        "4",
        "--width",
        "8",
    ]
    start = time.perf_counter()
    subprocess.run([*command, "--out", tmp_path / "a" / "m.keras"], check=True, capture_output=True)
    whole, dice = time.perf_counter() - start, random.Random(7)
    command += ["--out", tmp_path / "b" / "m.keras"]
    for _ in range(5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.5, 0.95) * whole)
        process.kill()
        process.wait()
    subprocess.run(command, check=True, capture_output=True)
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["m.keras"]
    test = fcn.datasets.open_data(data).test
    scores = [
        fcn.evaluation.evaluate(fcn.models.load(tmp_path / run / "m.keras"), test).mean_iou
        for run in "ab"
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.002)
