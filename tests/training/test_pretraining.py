"""The small VGG's weights: how they are made, at a size that takes seconds, and the file that
ships."""

import json

import keras
import numpy as np
import pytest

from fcn_keras import backbones, pretraining
from fcn_keras.datasets.drawn.world_canvas import CLASS_NAMES

SMALL = {"pictures": 8, "steps": 52, "batch_size": 2, "held_out": 4}  # two rounds of 26 steps
CONVOLUTIONS = ("1_1", "2_1", "2_2", "3_1", "3_2", "4_1", "4_2", "5_1", "5_2")
NAMES = {f"conv{c}/{kind}" for c in CONVOLUTIONS for kind in ("kernel", "bias")}


def read(path):
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    return arrays, json.loads(str(arrays.pop("recipe")))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file made with very few steps, and the report."""
    path = tmp_path_factory.mktemp("made") / "small.npz"
    return path, pretraining.pretrain(path, **SMALL)


def test_file_has_all_arrays_and_the_recipe(made):
    path, report = made
    arrays, recipe = read(path)
    assert set(arrays) == NAMES
    assert all(a.dtype == np.float16 and np.isfinite(a).all() for a in arrays.values())
    assert recipe == report
    assert recipe["sha256"] == pretraining.checksum(arrays)
    assert recipe["classes"] == list(CLASS_NAMES)
    assert (recipe["seed"], recipe["pictures"], recipe["steps"]) == (0, 8, 52)
    assert 0 <= recipe["held_out_mean_iou"] <= 1
    assert recipe["backend"] == keras.backend.backend()
    assert [p.name for p in path.parent.iterdir()] == [path.name], "no temporary file is left"


def test_the_encoder_reads_the_file(made):
    encoder = backbones.small_vgg(weights=made[0])
    kernel = keras.ops.convert_to_numpy(encoder.get_layer("conv3_2").kernel)
    np.testing.assert_array_equal(kernel, read(made[0])[0]["conv3_2/kernel"].astype("float32"))


@pytest.mark.long
def test_same_seed_and_resumption_give_the_same_weights(made, tmp_path, monkeypatch):
    """One run does for both: interrupted after the first round, then resumed."""

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    out, folder, original = tmp_path / "again.npz", tmp_path / "checkpoint", keras.Model.fit
    monkeypatch.setattr(
        keras.Model,
        "fit",
        lambda self, *a, callbacks, **k: original(
            self, *a, callbacks=[*callbacks, Interrupt()], **k
        ),
    )
    with pytest.raises(KeyboardInterrupt):
        pretraining.pretrain(out, **SMALL, checkpoint=folder)
    monkeypatch.undo()
    assert not out.exists()
    with pytest.raises(ValueError, match="same arguments"):
        pretraining.pretrain(out, **SMALL, seed=1, checkpoint=folder)
    pretraining.pretrain(out, **SMALL, checkpoint=folder)
    whole, resumed = read(made[0])[0], read(out)[0]
    for name in NAMES:
        np.testing.assert_allclose(
            resumed[name].astype(float), whole[name].astype(float), atol=1e-3, err_msg=name
        )


def test_training_changes_every_convolution(made):
    keras.utils.set_random_seed(0)
    start = pretraining.encoder_arrays(backbones.small_vgg(weights=None))
    trained = read(made[0])[0]
    assert all(np.abs(trained[n].astype(float) - start[n]).max() > 1e-4 for n in NAMES)


def test_balance_changes_scales_and_nothing_else():
    keras.utils.set_random_seed(0)
    encoder = backbones.small_vgg(weights=None)
    images = np.random.default_rng(0).uniform(0, 255, (3, 64, 64, 3)).astype("float32")
    before = {k: keras.ops.convert_to_numpy(v) for k, v in encoder(images).items()}
    pretraining.balance(encoder, images)
    after = {k: keras.ops.convert_to_numpy(v) for k, v in encoder(images).items()}
    for pool in before:
        alive = before[pool].std(axis=(0, 1, 2)) > 1e-6
        ratio = after[pool].sum(axis=(0, 1, 2))[alive] / before[pool].sum(axis=(0, 1, 2))[alive]
        np.testing.assert_allclose(
            after[pool][..., alive], before[pool][..., alive] * ratio, rtol=1e-3, atol=1e-4
        )
    conv = keras.Model(encoder.input, encoder.get_layer("conv2_2").output)(images)
    deviation = keras.ops.convert_to_numpy(conv).std(axis=(0, 1, 2))
    assert deviation.max() < 1.01 and np.median(deviation) > 0.99


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"pictures": 1}, {"batch_size": 0}, {"seed": -1}, {"held_out": 0}]
)
def test_wrong_numbers_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="Received"):
        pretraining.pretrain(tmp_path / "x.npz", **{**SMALL, **wrong})


def test_command_line_mistake_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        pretraining.main(["--out", str(tmp_path / "x.npz"), "--pictures", "1"])
    assert stopped.value.code == 2
    assert "Received: pictures=1" in capsys.readouterr().err


def test_the_shipped_file():
    path = backbones.SMALL_VGG_WEIGHTS
    assert path.stat().st_size <= 5e6
    arrays, recipe = read(path)
    assert set(arrays) == NAMES
    assert all(np.isfinite(a).all() and np.abs(a).max() > 0 for a in arrays.values())
    assert recipe["sha256"] == pretraining.checksum(arrays)
    assert recipe["recipe_version"] == pretraining.RECIPE_VERSION
    assert recipe["classes"] == list(CLASS_NAMES)
    assert recipe["held_out_mean_iou"] > 0.5
