"""The published networks against an implementation in NumPy that knows nothing of ours.

The oracle below is written from the paper's description alone: pad by 100, pool rounding up, crop
by the literal offsets, weights in the released layout (out, in, h, w), transposed ones
(in, out, h, w).
"""

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn
from fcn_keras import published

CLASSES = 3
THIN = tuple((4,) * len(block) for block in fcn.backbones.VGG16_WIDTHS)


# --- the oracle: arrays are (channels, height, width) ---


def conv(x, weight, bias, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    out, _, k, _ = weight.shape
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    total = np.zeros((out, height * width), "float32")
    for i in range(k):
        for j in range(k):
            window = x[:, i : i + height, j : j + width].reshape(len(x), -1)
            total += np.ascontiguousarray(weight[:, :, i, j]) @ window
    return total.reshape(out, height, width) + bias[:, None, None]


def pool(x):
    channels, height, width = x.shape
    up = np.full((channels, -(-height // 2) * 2, -(-width // 2) * 2), -np.inf, "float32")
    up[:, :height, :width] = x
    return up.reshape(channels, up.shape[1] // 2, 2, up.shape[2] // 2, 2).max(axis=(2, 4))


def upsample(x, weight, stride):
    _, height, width = x.shape
    k = weight.shape[-1]
    out = np.zeros(
        (weight.shape[1], stride * (height - 1) + k, stride * (width - 1) + k), "float32"
    )
    for row in range(height):
        for column in range(width):
            stamp = np.einsum("c,cdij->dij", x[:, row, column], weight)
            out[:, row * stride : row * stride + k, column * stride : column * stride + k] += stamp
    return out


def crop(x, offset, like):
    return x[:, offset : offset + like.shape[1], offset : offset + like.shape[2]]


def oracle(image, w, stride):
    """Scores (H, W, C) of an RGB image (H, W, 3)."""
    bgr = image[..., ::-1].astype("float32") - np.array(
        [104.00699, 116.66877, 122.67892], "float32"
    )
    x = image_like = bgr.transpose(2, 0, 1)
    kept = {}
    for block, convolutions in enumerate((2, 2, 3, 3, 3), start=1):
        for number in range(1, convolutions + 1):
            name = f"conv{block}_{number}"
            x = np.maximum(
                conv(x, w[f"{name}.weight"], w[f"{name}.bias"], 100 if name == "conv1_1" else 1), 0
            )
        x = kept[block] = pool(x)
    x = np.maximum(conv(x, w["fc6.weight"], w["fc6.bias"], 0), 0)
    x = np.maximum(conv(x, w["fc7.weight"], w["fc7.bias"], 0), 0)
    x = conv(x, w["score_fr.weight"], w["score_fr.bias"], 0)
    if stride == 32:
        return crop(upsample(x, w["upscore.weight"], 32), 19, image_like).transpose(1, 2, 0)
    x = upsample(x, w["upscore2.weight"], 2)
    x = x + crop(conv(kept[4], w["score_pool4.weight"], w["score_pool4.bias"], 0), 5, x)
    if stride == 16:
        return crop(upsample(x, w["upscore16.weight"], 16), 27, image_like).transpose(1, 2, 0)
    x = upsample(x, w["upscore_pool4.weight"], 2)
    x = x + crop(conv(kept[3], w["score_pool3.weight"], w["score_pool3.bias"], 0), 9, x)
    return crop(upsample(x, w["upscore8.weight"], 8), 31, image_like).transpose(1, 2, 0)


def released_shapes(stride, widths, width):
    """What the released file of a network of this size holds."""
    shapes, channels = {}, 3
    for block, block_widths in enumerate(widths, start=1):
        for number, out in enumerate(block_widths, start=1):
            shapes[f"conv{block}_{number}"] = (out, channels, 3, 3)
            channels = out
    pool4, pool3 = widths[3][-1], widths[2][-1]
    shapes |= {
        "fc6": (width, channels, 7, 7),
        "fc7": (width, width, 1, 1),
        "score_fr": (CLASSES, width, 1, 1),
    }
    if stride == 32:
        ups = {"upscore": 64}
    else:
        shapes["score_pool4"] = (CLASSES, pool4, 1, 1)
        ups = {"upscore2": 4, "upscore16": 32}
        if stride == 8:
            shapes["score_pool3"] = (CLASSES, pool3, 1, 1)
            ups = {"upscore2": 4, "upscore_pool4": 4, "upscore8": 16}
    named = {}
    for name, shape in shapes.items():
        named |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return named | {f"{name}.weight": (CLASSES, CLASSES, k, k) for name, k in ups.items()}


def random_weights(stride, widths=THIN, width=8):
    """All of them random, the upsampling too, so that no transposed axis and no flipped kernel goes
    unseen."""
    random = np.random.default_rng(stride)
    return {
        name: random.normal(
            size=shape, scale=np.sqrt(2 / np.prod(shape[1:])) if len(shape) == 4 else 0.5
        ).astype("float32")
        for name, shape in released_shapes(stride, widths, width).items()
    }


BUILDERS = {32: published.fcn32s, 16: published.fcn16s, 8: published.fcn8s}
strides = pytest.mark.parametrize("stride", BUILDERS)


def agree(stride, weights, size, **options):
    model = BUILDERS[stride](CLASSES, **options)
    published.load_weights(model, weights)
    image = random_image(*size, seed=stride)
    found = model.predict_on_batch(image[None].astype("float32"))[0]
    expected = oracle(image, weights, stride)
    assert found.shape == (*size, CLASSES)
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


# --- tests ---


@strides
@pytest.mark.parametrize("size", [(1, 1), (37, 50), (90, 33), (32, 65)])
def test_scores_are_those_of_the_released_network(stride, size):
    agree(stride, random_weights(stride), size, widths=THIN, width=8)


@pytest.mark.slow
@pytest.mark.long
def test_at_full_width_too():
    """FCN-8s as released but for the number of classes: 134 million weights, written out and read
    in again."""
    weights = random_weights(8, fcn.backbones.VGG16_WIDTHS, 4096)
    agree(8, weights, (37, 50))


@strides
def test_has_no_fixed_size_and_starts_with_zero_scores(stride):
    model = BUILDERS[stride](CLASSES, THIN, 8)
    assert model.input_shape == (None, None, None, 3)
    assert not model.predict_on_batch(random_image(40, 23)[None].astype("float32")).any()
    for layer in model.layers:
        # bilinear, without bias, left alone in training as released
        if layer.name.startswith("upscore"):
            factor = layer.strides[0]
            (kernel,) = layer.get_weights()
            np.testing.assert_array_equal(kernel[:, :, 1, 1], fcn.layers.bilinear_kernel(factor))
            assert not kernel[:, :, 0, 1].any()
            assert not layer.trainable_weights


def test_dropout_stands_behind_fc6_and_fc7():
    model = published.fcn32s(CLASSES, THIN, 8)
    kinds = [
        (layer.name, layer.rate)
        for layer in model.layers
        if isinstance(layer, keras.layers.Dropout)
    ]
    assert kinds == [("drop6", 0.5), ("drop7", 0.5)]
    reads = {row.name: row.inputs for row in fcn.models.describe(model)}
    assert reads["fc7"] == ("drop6",) and reads["score_fr"] == ("drop7",)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_go_out_and_come_back(suffix, tmp_path):
    model, weights = published.fcn8s(CLASSES, THIN, 8), random_weights(8)
    published.load_weights(model, weights)
    published.export_weights(model, tmp_path / f"out{suffix}")
    again = published.fcn8s(CLASSES, THIN, 8)
    published.load_weights(again, tmp_path / f"out{suffix}")
    exported = published.export_weights(again)
    assert exported.keys() == weights.keys()
    for name in weights:
        np.testing.assert_array_equal(exported[name], weights[name])


def test_everything_that_does_not_fit_is_listed_and_nothing_is_changed():
    model = published.fcn16s(CLASSES, THIN, 8)
    before = model.get_weights()
    weights = random_weights(16)
    del weights["conv3_2.bias"]
    weights["upscore8.weight"] = np.zeros((CLASSES, CLASSES, 16, 16))
    # Keras' layout instead of the released one
    weights["fc6.weight"] = weights["fc6.weight"].transpose(2, 3, 1, 0)
    with pytest.raises(ValueError) as error:
        published.load_weights(model, weights)
    for part in (
        r"missing: conv3_2.bias (4,)",
        "left over: upscore8.weight (3, 3, 16, 16)",
        "wrong shape: fc6.weight, expected (8, 4, 7, 7), received (7, 7, 4, 8)",
    ):
        assert part in str(error.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_files_are_answered(tmp_path):
    model = published.fcn32s(CLASSES, THIN, 8)
    with pytest.raises(ValueError, match="weights_only=True"):
        published.load_weights(model, tmp_path / "fcn32s.pth")
    with pytest.raises(ValueError, match="safetensors"):
        published.export_weights(model, tmp_path / "fcn32s.h5")
    with pytest.raises(FileNotFoundError, match="not there"):
        published.load_weights(model, tmp_path / "fcn32s.npz")
    with pytest.raises(TypeError, match="mapping or the path"):
        published.load_weights(model, 5)
    for name in ("half.npz", "half.safetensors"):
        published.export_weights(model, tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match="copied whole"):
            published.load_weights(model, tmp_path / name)


def test_in_stages_each_network_starts_from_the_one_before():
    coarse, middle, fine = (build(CLASSES, THIN, 8) for build in BUILDERS.values())
    published.load_weights(coarse, random_weights(32))
    assert published.carry_over(coarse, middle) == ["upscore2", "score_pool4", "upscore16"]
    assert published.carry_over(middle, fine) == ["upscore_pool4", "score_pool3", "upscore8"]
    image = random_image(64, 64)[None].astype("float32")
    scores = [
        keras.Model(m.inputs, m.get_layer("score_fr").output).predict_on_batch(image)
        for m in (coarse, middle, fine)
    ]
    assert np.ptp(scores[0]) > 0
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])
    kept = coarse.get_layer("fc6").get_weights()[0].copy()
    # the networks share names, not variables
    fine.get_layer("fc6").set_weights([kept * 0, np.zeros(8)])
    np.testing.assert_array_equal(coarse.get_layer("fc6").get_weights()[0], kept)


def test_a_skip_that_starts_at_zero_changes_only_how_the_scores_are_upsampled():
    """FCN-16s started from 32s: interpolating by 2 and by 16 is nearly interpolating by 32, and
    lies at the same place."""
    coarse, middle = published.fcn32s(CLASSES, THIN, 8), published.fcn16s(CLASSES, THIN, 8)
    weights = random_weights(32) | {
        "upscore.weight": published.export_weights(coarse)["upscore.weight"]
    }
    published.load_weights(coarse, weights)
    published.carry_over(coarse, middle)
    image = random_image(160, 160)[None].astype("float32")
    a, b = coarse.predict_on_batch(image), middle.predict_on_batch(image)
    assert np.abs(a - b).mean() < 0.1 * a.std()
    # one pixel off would be worse
    assert np.abs(a[:, 1:] - b[:, :-1]).mean() > np.abs(a - b).mean()


def test_stages_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="score_fr"):
        published.carry_over(published.fcn32s(4, THIN, 8), published.fcn16s(3, THIN, 8))
    with pytest.raises(ValueError, match="same names"):
        published.carry_over(fcn.models.cae(), published.fcn16s(3, THIN, 8))
    with pytest.raises(ValueError, match="from 2 to 255"):
        published.fcn8s(1)


@pytest.mark.slow
@strides
def test_saved_networks_load_without_custom_objects(stride, tmp_path):
    model = BUILDERS[stride](CLASSES, THIN, 8)
    published.load_weights(model, random_weights(stride))
    model.save(tmp_path / "m.keras")
    image = random_image(45, 61)[None].astype("float32")
    again = fcn.models.load(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict_on_batch(image), model.predict_on_batch(image))


@pytest.mark.long
def test_vgg16_with_its_dense_top_becomes_a_map_of_scores(monkeypatch):
    theirs = keras.applications.VGG16(weights=None)
    random = np.random.default_rng(0)
    # Keras starts biases at zero: then a lost bias goes unseen
    for name in ("fc1", "fc2", "predictions", "block3_conv2"):
        kernel, bias = theirs.get_layer(name).get_weights()
        theirs.get_layer(name).set_weights([kernel, random.normal(size=bias.shape, scale=0.1)])
    monkeypatch.setattr(keras.applications, "VGG16", lambda **options: theirs)
    ours = fcn.backbones.vgg16_classifier(weights=None)
    assert ours.count_params() == theirs.count_params() == 138_357_544
    image = random_image(224, 224)[None].astype("float32")
    expected = theirs.predict_on_batch(keras.applications.vgg16.preprocess_input(image.copy()))
    found = ours.predict_on_batch(image)
    assert found.shape == (1, 1, 1, 1000)
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-3, atol=1e-6)
    assert np.ptp(expected) > 1e-4  # not the same probability everywhere
    assert ours.predict_on_batch(random_image(256, 300)[None].astype("float32")).shape == (
        1,
        2,
        4,
        1000,
    )

    # and its fc6 and fc7 are what the paper's networks start from
    start = published.fcn32s(CLASSES)
    assert published.carry_over(ours, start) == ["score_fr", "upscore"]
    np.testing.assert_array_equal(
        start.get_layer("fc6").get_weights()[1], theirs.get_layer("fc1").get_weights()[1]
    )
