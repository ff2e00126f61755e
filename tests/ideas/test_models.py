"""The networks: any size, the lecture's numbers, no sharing by accident, and files that load
anywhere."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn

NAMES = [
    "cae",
    "fcn_from_cae",
    "lecture",
    "fcn32 sum",
    "fcn16 sum",
    "fcn8 sum",
    "fcn16 concat",
    "fcn8 concat",
]
# 1 x 1, smaller than 32, odd, prime, one more and one less than a multiple of 32
SIZES = [
    (1, 1),
    (1, 50),
    (2, 3),
    (7, 31),
    (13, 17),
    (31, 33),
    (32, 64),
    (37, 61),
    (65, 97),
    (160, 97),
]


@pytest.fixture(scope="module")
def networks(encoder):
    autoencoder = fcn.models.cae()
    made = {
        "cae": autoencoder,
        "fcn_from_cae": fcn.models.fcn_from_cae(autoencoder, 4),
        "lecture": fcn.models.lecture_fcn(2, encoder, width=8),
        "lecture narrow": fcn.models.lecture_fcn(2, encoder, width=8, skip_width=8),
    }
    for stride in (32, 16, 8):
        for fusion in ("sum", "concat"):
            made[f"fcn{stride} {fusion}"] = fcn.models.fcn(5, stride, encoder, fusion, width=8)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_any_size_gives_logits_of_the_same_size(networks, name):
    model = networks[name]
    for height, width in SIZES:
        out = model.predict_on_batch(random_image(height, width)[None].astype("float32"))
        assert out.shape == (1, height, width, model.output_shape[-1]), (
            f"{name} at {height} x {width}"
        )
        assert np.isfinite(out).all()


def test_narrow_skips_are_narrowed_only_where_they_are_wider(encoder):
    rows = {
        row.name: row
        for row in fcn.models.describe(
            fcn.models.lecture_fcn(2, encoder, 8, skip_width=100), (64, 96)
        )
    }
    assert (
        rows["narrow_pool4"].output_shape == (4, 6, 100) == rows["fcn2"].output_shape
        and rows["narrow_pool4"].detail == "1×1"
    )
    assert "narrow_pool3" not in rows and rows["fcn1"].output_shape == rows[
        "pool3"
    ].output_shape == (8, 12, 64)
    plain, same = (
        fcn.models.lecture_fcn(2, encoder, 8, skip_width=width) for width in (None, 4096)
    )
    assert [row.name for row in fcn.models.describe(plain)] == [
        row.name for row in fcn.models.describe(same)
    ]


@pytest.mark.slow
def test_the_lectures_network_has_the_lectures_layers_and_parameters():
    model = fcn.models.lecture_fcn(2, fcn.backbones.vgg16(weights=None), width=4096)
    rows = {row.name: row for row in fcn.models.describe(model, size=(160, 576))}
    assert model.count_params() == 136_514_116
    assert sum(row.parameters for row in rows.values() if row.trained) == 121_799_428
    shapes = {
        "pool3": (20, 72, 256),
        "pool4": (10, 36, 512),
        "pool5": (5, 18, 512),
        "conv6": (5, 18, 4096),
        "fcn4": (5, 18, 4096),
        "fcn3": (5, 18, 2),
        "fcn2": (10, 36, 512),
        "fcn1": (20, 72, 256),
        "output": (160, 576, 2),
        "logits": (160, 576, 2),
    }
    assert {name: rows[name].output_shape for name in shapes} == shapes
    details = {
        "conv6": "7×7",
        "fcn4": "1×1",
        "fcn2": "4×4, stride 2",
        "fcn1": "4×4, stride 2",
        "output": "16×16, stride 8",
    }
    assert {name: rows[name].detail for name in details} == details
    activations = {
        name: model.get_layer(name).activation.__name__
        for name in ("conv6", "fcn4", "fcn3", "output")
    }
    assert activations == {"conv6": "relu", "fcn4": "relu", "fcn3": "linear", "output": "linear"}
    assert rows["fuse_pool4"].inputs == ("align_pool4", "pool4")
    assert rows["fuse_pool3"].inputs == ("align_pool3", "pool3")
    assert all(
        model.get_layer(name).use_bias
        for name in ("conv6", "fcn4", "fcn3", "fcn2", "fcn1", "output")
    )


def test_no_dense_layer_anywhere(networks):
    local = {
        "InputLayer",
        "Rescaling",
        "VGGPreprocessing",
        "Conv2D",
        "Conv2DTranspose",
        "MaxPooling2D",
        "Add",
        "Concatenate",
        "CropToMatch",
    }
    for model in networks.values():
        assert {row.kind for row in fcn.models.describe(model)} <= local


def test_a_pixel_far_away_does_not_reach_the_output(networks):
    """Only local layers: changing one corner of a large image leaves the far corner's scores
    alone."""
    model = networks["fcn_from_cae"]
    image = random_image(64, 64)[None].astype("float32")
    changed = image.copy()
    changed[0, 0, 0] = 255 - changed[0, 0, 0]
    before, after = model.predict_on_batch(image), model.predict_on_batch(changed)
    assert not np.allclose(before[0, :8, :8], after[0, :8, :8])
    np.testing.assert_allclose(before[0, 40:, 40:], after[0, 40:, 40:], atol=1e-5)


def test_the_cae_becomes_the_fcn_by_its_last_layer_alone(networks):
    before = {row.name: row for row in fcn.models.describe(networks["cae"], (32, 48))}
    after = {row.name: row for row in fcn.models.describe(networks["fcn_from_cae"], (32, 48))}
    shared = [name for name in after if name in before]
    changed = [name for name in shared if before[name].output_shape != after[name].output_shape]
    assert changed == ["output"]
    assert (before["output"].output_shape[-1], after["output"].output_shape[-1]) == (3, 4)
    for name in ("conv1", "conv2", "conv3", "up1", "up2"):
        theirs, ours = (
            networks[model].get_layer(name).get_weights() for model in ("cae", "fcn_from_cae")
        )
        np.testing.assert_array_equal(theirs[0], ours[0])


def test_a_new_skip_changes_nothing_until_it_is_trained(encoder):
    """Score layers start at zero, so an FCN-16s that is given the coarse weights predicts from them
    alone."""
    model = fcn.models.fcn(3, 16, encoder, width=8)
    image = random_image(64, 96)[None].astype("float32")
    assert not model.predict_on_batch(image).any()
    kernel, bias = model.get_layer("score_pool4").get_weights()
    assert not kernel.any() and not bias.any()


@pytest.mark.slow
def test_training_one_network_leaves_the_other_and_the_backbone_alone(encoder, toy):
    first = fcn.models.fcn(2, 16, encoder, width=8, freeze_backbone=False)
    second = fcn.models.fcn(2, 32, encoder, width=8, freeze_backbone=False)
    kept = [[w.copy() for w in model.get_weights()] for model in (encoder, second)]
    before = [w.copy() for w in first.get_weights()]
    fcn.training.fit(first, toy, steps=2, batch_size=4)
    assert any(not np.array_equal(a, b) for a, b in zip(before, first.get_weights(), strict=True))
    for model, weights in zip((encoder, second), kept, strict=True):
        for a, b in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_saved_models_give_the_same_numbers_in_a_fresh_process(networks, tmp_path):
    image = random_image(45, 70)
    np.save(tmp_path / "image.npy", image)
    names = ["cae", "lecture", "fcn8 concat"]
    for name in names:
        expected = networks[name].predict_on_batch(image[None].astype("float32"))
        np.save(tmp_path / f"{name}.npy", expected)
        networks[name].save(tmp_path / f"{name}.keras")
    script = """
import sys, numpy as np, fcn_keras as fcn
folder, *names = sys.argv[1:]
for name in names:
    model = fcn.models.load(f"{folder}/{name}.keras")
    out = model.predict_on_batch(np.load(folder + "/image.npy")[None].astype("float32"))
    expected = np.load(f"{folder}/{name}.npy")
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-4, err_msg=name)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path), *names], check=True)


@pytest.mark.slow
def test_plain_keras_fit_and_save_work_too(toy, tmp_path):
    model = fcn.models.fcn(2, 32, fcn.backbones.small_vgg(None), width=8)
    model.compile("adam", fcn.training.segmentation_loss())
    history = model.fit(toy.batches(4), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    model.save(tmp_path / "m.keras")
    assert fcn.models.load(tmp_path / "m.keras").count_params() == model.count_params()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda e: fcn.models.fcn(1, 8, e), "from 2 to 255.*void is not a class"),
        (lambda e: fcn.models.fcn(2, 4, e), "stride to be one of"),
        (lambda e: fcn.models.fcn(2, 8, e, "mean"), "fusion to be one of"),
        (
            lambda e: fcn.models.lecture_fcn(
                2, keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 1)])
            ),
            "pool3",
        ),
        (lambda e: fcn.models.cae(widths=()), "widths to be a list"),
    ],
)
def test_mistakes_are_answered(encoder, build, message):
    with pytest.raises(ValueError, match=message):
        build(encoder)


def test_loading_what_is_no_model_is_answered(tmp_path):
    with pytest.raises(FileNotFoundError, match="not there"):
        fcn.models.load(tmp_path / "m.keras")
    (tmp_path / "m.keras").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="copied whole"):
        fcn.models.load(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"ends in \.keras"):
        (tmp_path / "m.h5").write_bytes(b"")
        fcn.models.load(tmp_path / "m.h5")


def test_without_fc6_and_fc7_the_scores_are_read_straight_off_the_pools(encoder):
    model = fcn.models.fcn(3, 8, encoder, width=None)
    names = {layer.name for layer in model.layers}
    assert not {"fc6", "fc7"} & names
    reads = {row.name: row.inputs for row in fcn.models.describe(model)}
    assert reads["score_fr"] == ("pool5",)
    assert sum(w.size for w in model.get_layer("score_fr").get_weights()) == 256 * 3 + 3
    assert model.predict_on_batch(random_image(37, 50)[None].astype("float32")).shape == (
        1,
        37,
        50,
        3,
    )
