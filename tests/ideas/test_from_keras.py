"""Any network that goes down to 1/32 of the image becomes an encoder: those of keras.applications,
and one's own. It gives what the network gave, takes any size, and knows its own preprocessing."""

import keras
import numpy as np
import pytest
from conftest import first_of, random_image
from keras import layers

import fcn_keras as fcn
from fcn_keras.backbones.from_model import from_keras
from fcn_keras.support import encoders
from fcn_keras.training import fit, frozen_border

SIZES = [(1, 1), (5, 70), (33, 31), (64, 96), (100, 100), (180, 240)]
FEW = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
FREE = dict(include_top=False, weights=None, input_shape=(None, None, 3))
TEN = {
    "MobileNetV3Small": {"alpha": 0.35},
    "MobileNetV2": {"alpha": 0.35},
    "ConvNeXtTiny": {},
    "VGG19": {},
    "DenseNet121": {},
    "EfficientNetB0": {},
    "EfficientNetV2B0": {},
    "ResNet50": {},
    "ResNet50V2": {},
    "Xception": {},
}


def own(name="own", first=(), last=(), size=(None, None), padding="valid"):
    """A network of one's own, which rounds down: five blocks with everything that is usual."""
    x = image = keras.Input((*size, 3))
    for layer in first:
        x = layer(x)
    for block in range(1, 6):
        x = layers.Conv2D(4, 3, padding="same", use_bias=False, name=f"conv{block}")(x)
        x = layers.BatchNormalization(name=f"norm{block}")(x)
        x = layers.Dropout(0.3)(layers.ReLU(name=f"relu{block}")(x))
        x = layers.MaxPooling2D(2, padding=padding, name=f"pool{block}")(x)
    for layer in last:
        x = layer(x)
    return keras.Model(image, x, name=name)


def with_random_statistics(model):
    """Batch normalization that does something also before a training."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            draw, shape = np.random.default_rng(0), layer.gamma.shape
            layer.set_weights([draw.uniform(0.5, 1.5, shape) for _ in range(4)])
    return model


def features(model, image):
    """Computed step by step, which is faster here than to compile it first."""
    made = model(image[None].astype("float32"))
    return keras.tree.map_structure(keras.ops.convert_to_numpy, made)


def data_of(size):
    image = random_image(*size)
    return fcn.datasets.SegmentationData(lambda i: (image, image[..., 0] // 128), 6, ("a", "b"))


def assert_kept_features_change_nothing(make, data):
    """Returns the model that was trained without kept features."""
    losses = []
    for cache in (True, False):
        keras.utils.set_random_seed(0)
        model = make()
        losses.append(fit(model, data, steps=3, batch_size=2, cache=cache).loss)
    np.testing.assert_allclose(*losses, rtol=1e-3)
    return model


# --- any size, any stride, both fusions


@first_of(
    ("stride", "fusion"),
    [(8, "concat"), (8, "sum"), (16, "concat"), (16, "sum"), (32, "concat"), (32, "sum")],
)
def test_an_own_network_becomes_an_fcn_of_any_size(stride, fusion):
    encoder = from_keras(own(first=[layers.Rescaling(1 / 255)]))
    model = fcn.models.fcn(2, stride, encoder, fusion, width=4)
    assert fcn.models.card(model).encoder == encoder.name == "own"
    for size in SIZES:
        assert features(model, random_image(*size)).shape == (1, *size, 2)
        for n, pool in zip((3, 4, 5), encoder.output.values(), strict=True):
            expected = tuple(-(-side // 2**n) for side in size)
            spec = keras.Model(encoder.input, pool).compute_output_spec(
                keras.KerasTensor((1, *size, 3))
            )
            assert spec.shape[1:3] == expected


@FEW
@pytest.mark.slow
@first_of(("name", "whole"), [("MobileNetV3Small", False), *((name, True) for name in TEN)])
def test_networks_of_keras_applications_become_fcns(name, whole, tmp_path):
    network = with_random_statistics(getattr(keras.applications, name)(**FREE, **TEN[name]))
    encoder = from_keras(network)
    for fusion in ("sum", "concat") if whole else ("sum",):
        for stride in (8, 16, 32) if whole else (8,):
            model = fcn.models.fcn(2, stride, encoder, fusion, width=4)
            for size in SIZES if whole else SIZES[:3]:
                assert features(model, random_image(*size)).shape == (1, *size, 2)
    assert set(frozen_border(model)[1:]) <= {"pool3", "pool4", "pool5"}

    image = random_image(37, 50)
    for variable in model.trainable_variables:  # the head begins with zeros
        variable.assign(np.random.default_rng(0).normal(0, 0.1, variable.shape))
    fcn.models.save(model, tmp_path / "m.keras")
    again = fcn.models.load(tmp_path / "m.keras")
    np.testing.assert_array_equal(features(again, image), features(model, image))

    if whole:
        assert_kept_features_change_nothing(
            lambda: fcn.models.fcn(2, 8, encoder, width=4), data_of((45, 70))
        )


@FEW
@pytest.mark.long
def test_kept_features_of_an_own_network_change_nothing():
    encoder = from_keras(with_random_statistics(own(first=[layers.Rescaling(1 / 255)])))
    model = assert_kept_features_change_nothing(
        lambda: fcn.models.fcn(2, 8, encoder, width=4), data_of((45, 70))
    )
    assert set(frozen_border(model)) == {"image", "pool3", "pool4", "pool5"}


def test_a_frozen_encoder_is_the_same_in_a_training_step():
    """Batch normalization uses and keeps its statistics, and nothing is dropped."""
    network = with_random_statistics(own(first=[layers.Rescaling(1 / 255)]))
    model = fcn.models.fcn(2, 8, from_keras(network), width=None)
    encoder = keras.Model(model.input, [model.get_layer(f"pool{n}").output for n in (3, 4, 5)])
    image, before = random_image(45, 70)[None].astype("float32"), model.get_weights()
    for found, expected in zip(encoder(image, training=True), encoder(image), strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (found, expected)))
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_training_the_copy_leaves_the_network_as_it_was():
    network = own(first=[layers.Rescaling(1 / 255)])
    before, count = network.get_weights(), len(network.layers)
    encoder = from_keras(network)
    encoder.set_weights([weight + 1 for weight in encoder.get_weights()])
    assert len(network.layers) == count
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


# --- it gives what the network gave


def expected_of(network, layer, image):
    return features(keras.Model(network.input, network.get_layer(layer).output), image)


def test_pools_are_the_last_maps_of_their_size():
    """Deep ones: what is pooled next has seen more than what a pooling gave."""
    network = with_random_statistics(own(first=[layers.Rescaling(1 / 255)]))
    image = random_image(64, 96)
    found = features(from_keras(network), image)
    for pool, last in (("pool3", "relu4"), ("pool4", "relu5"), ("pool5", "pool5")):
        np.testing.assert_allclose(found[pool], expected_of(network, last, image), atol=1e-6)


def test_maps_of_a_decoder_or_of_one_pixel_are_no_pools():
    """A decoder comes back to 1/8. A gate as in squeeze-and-excite has one pixel, a padding makes
    a map larger."""
    network = own(first=[layers.Rescaling(1 / 255)])
    relu = network.get_layer("relu5").output
    gate = layers.GlobalAveragePooling2D(keepdims=True)(relu)
    x = layers.Multiply(name="gated")([relu, layers.Conv2D(4, 1)(gate)])
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.Conv2D(4, 3, strides=2, name="down")(x)
    x = layers.Conv2DTranspose(4, 4, strides=4, name="up")(x)
    network = keras.Model(network.input, x, name="u_net")
    image = random_image(64, 64)
    found = features(from_keras(network), image)
    for pool, last in (("pool3", "relu4"), ("pool4", "gated"), ("pool5", "down")):
        np.testing.assert_allclose(found[pool], expected_of(network, last, image), atol=1e-6)


@first_of(
    ("module", "name"),
    [
        ("resnet", "resnet101"),
        ("vgg19", "vgg19"),
        ("resnet_v2", "resnet50v2"),
        ("mobilenet", "mobilenet_1.00_224"),
        ("mobilenet_v2", "mobilenetv2_0.35_None"),
        ("xception", "xception"),
        ("densenet", "densenet169"),
    ],
)
def test_preprocessing_is_that_of_keras_applications(module, name):
    network, image = own(name), random_image(64, 96).astype("float32")
    prepared = getattr(keras.applications, module).preprocess_input(image.copy())
    expected = features(network, prepared)
    np.testing.assert_allclose(features(from_keras(network), image)["pool5"], expected, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV3Large", *TEN])
def test_features_are_those_of_keras_applications_own_way(name):
    """`preprocess_input` of the network's module, then the network."""
    build = getattr(keras.applications, name)
    network = with_random_statistics(build(**FREE, **TEN.get(name, {})))
    modules = map(keras.applications.__dict__.get, dir(keras.applications))
    module = next(
        (one for one in modules if hasattr(one, "preprocess_input") and hasattr(one, name)),
        keras.applications.mobilenet_v3,  # which does not list its networks
    )
    image = random_image(64, 96).astype("float32")
    expected = features(network, module.preprocess_input(image.copy()))
    found = features(from_keras(network), image)["pool5"]
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch", "none"])
def test_preprocessing_can_be_said(mode):
    network, image = own(), random_image(64, 96).astype("float32")
    prepared = image
    if mode != "none":
        prepare = keras.applications.imagenet_utils.preprocess_input
        prepared = prepare(image.copy(), mode=mode)
    found = features(from_keras(network, mode), image)["pool5"]
    np.testing.assert_allclose(found, features(network, prepared), rtol=1e-4)


def test_preprocessing_can_be_a_layer_and_the_model_can_get_another_name():
    network, image = own(), random_image(64, 96).astype("float32")
    encoder = from_keras(network, layers.Rescaling(1 / 255), name="mine")
    assert encoder.name == "mine"
    np.testing.assert_allclose(
        features(encoder, image)["pool5"], features(network, image / 255), rtol=1e-4
    )


def test_what_is_padded_passes_through_the_preprocessing():
    """Rows that are added are rows of the picture, not zeros, which would be its mean colour."""
    encoder = from_keras(own("resnet50"))
    image = random_image(37, 50)
    padded = np.pad(image, ((0, 27), (0, 14), (0, 0)), mode="edge")
    whole, found = features(encoder, padded), features(encoder, image)
    for n in (3, 4, 5):
        height, width = (-(-side // 2**n) for side in (37, 50))
        np.testing.assert_array_equal(
            found[f"pool{n}"], whole[f"pool{n}"][:, :height, :width], err_msg=f"pool{n}"
        )
    names = [layer.name for layer in encoder.layers]
    assert names.index("pad_to_32") < names.index("preprocessing") < names.index("conv1")


# --- a head on top, a model inside, one's own layers


def test_a_classifier_with_a_fixed_size_and_a_model_inside():
    """As one fine-tunes: images changed at random, preprocessing, a network, a head."""
    inner = with_random_statistics(own("resnet50", size=(64, 64)))
    image = keras.Input((64, 64, 3))
    x = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])(image)
    x = keras.applications.mobilenet_v2.preprocess_input(x)  # its own, whatever the name inside
    x = layers.Dense(3)(layers.Flatten()(inner(x, training=False)))
    encoder = from_keras(keras.Model(image, x, name="classifier"))
    assert not any("random" in layer.name for layer in encoder.layers)
    assert not any(hasattr(layer, "layers") for layer in encoder.layers)
    picture = random_image(64, 64).astype("float32")
    expected = features(inner, picture / 127.5 - 1)
    np.testing.assert_allclose(features(encoder, picture)["pool5"], expected, atol=1e-5)
    assert features(encoder, random_image(70, 33))["pool5"].shape == (1, 3, 2, 4)


def test_the_preprocessing_of_a_model_inside_is_known_by_its_name():
    chain = keras.Sequential([keras.Input((None, None, 3)), own("densenet121"), layers.Dense(2)])
    picture = random_image(64, 64).astype("float32")
    prepared = keras.applications.densenet.preprocess_input(picture.copy())
    encoder = from_keras(chain)
    np.testing.assert_allclose(
        features(encoder, picture)["pool5"], features(chain, prepared), atol=1e-5
    )


def test_numbers_of_a_normalization_are_copied_too():
    """It computes with what it derives from its weights; a copy has to derive it again."""
    normalization = layers.Normalization()
    normalization.adapt(random_image(20, 20).astype("float32"))
    network, image = own(first=[normalization]), random_image(64, 96)
    encoder = from_keras(network)
    np.testing.assert_allclose(features(encoder, image)["pool5"], features(network, image), 1e-4)
    for backbone in (encoder, network):
        model = fcn.models.fcn(2, 32, backbone, width=None)
        copy = keras.Model(model.input, model.get_layer("pool5").output)
        np.testing.assert_allclose(features(copy, image), features(network, image), 1e-4)


def test_a_layer_that_is_called_twice_is_one_layer():
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    network = own(first=[layers.Rescaling(1 / 255), shared, shared])
    image = random_image(64, 96)
    encoder = from_keras(network)
    assert [layer.name for layer in encoder.layers].count("shared") == 1
    np.testing.assert_allclose(features(encoder, image)["pool5"], features(network, image), 1e-4)


# --- what is refused


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: keras.applications.ResNet50, r"Call the function: ResNet50\(include_top=False"),
        (lambda: "ResNet50", r"backbones\.by_name\('ResNet50'\)"),
        (lambda: keras.Sequential([layers.Conv2D(3, 3)]), "sequential model with an Input"),
        (lambda: own("mystery"), "not known.* keras.layers.Rescaling"),
        (
            lambda: keras.Sequential([keras.Input((None, None, 3)), layers.Rescaling(1 / 255)]),
            r"maps are 256 x 384; none is 8 x 12 \(pool5\)",
        ),
        (lambda: keras.Sequential([keras.Input((64, 64, 1)), layers.ReLU()]), "take RGB images"),
    ],
    ids=["a function", "a name", "no input", "unknown values", "no 1/32", "grey"],
)
def test_what_cannot_become_an_encoder_is_refused_in_a_sentence(make, said):
    with pytest.raises((TypeError, ValueError), match=f"Expected .*{said}"):
        from_keras(make())


# --- by name


def build_tiny(include_top, weights, input_shape):
    """In place of a function of keras.applications."""
    assert not include_top and input_shape == (None, None, 3)
    if weights == "imagenet":
        raise Exception("URL fetch failure on https://somewhere/tiny_notop.h5: None -- no network")
    network = own("mobilenetv2_1.00_224")
    if weights is not None:
        network.load_weights(weights)
    return network


def test_a_network_of_keras_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setattr(keras.applications, "MobileNetV2", build_tiny)
    file, network = tmp_path / "tiny.weights.h5", own("mobilenetv2_1.00_224")
    network.save_weights(file)
    encoder = fcn.backbones.by_name("mobilenetv2", file)
    assert encoder.name == "MobileNetV2"
    image = random_image(64, 96).astype("float32")
    np.testing.assert_allclose(
        features(encoder, image)["pool5"], features(network, image / 127.5 - 1), rtol=1e-4
    )
    with pytest.raises(OSError, match=r"of MobileNetV2 .* Bring Keras' file tiny_notop\.h5"):
        fcn.backbones.by_name("MobileNetV2")
    with pytest.raises(FileNotFoundError, match="not there"):
        fcn.backbones.by_name("MobileNetV2", tmp_path / "nowhere.h5")
    own(first=[layers.Conv2D(3, 3)]).save_weights(file)
    with pytest.raises(ValueError, match="does not hold MobileNetV2's layers"):
        fcn.backbones.by_name("MobileNetV2", file)


def test_every_name_is_in_keras_and_a_typing_error_is_recognised():
    assert [name for name in encoders.KERAS if not hasattr(keras.applications, name)] == []
    with pytest.raises(ValueError, match=r"Received: name='ResNet5'\. Did you mean ResNet50\?"):
        fcn.backbones.by_name("ResNet5")


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", ["EfficientNetB0", "MobileNetV2", "ResNet50", "ConvNeXtTiny"])
def test_a_file_gives_what_the_download_gives(name, monkeypatch, tmp_path):
    """Keras scales the input of EfficientNetB0 otherwise if it is given its own file."""
    network = with_random_statistics(getattr(keras.applications, name)(**FREE))
    for layer in network.layers:
        if isinstance(layer, layers.Normalization) and layer.weights:
            layer.set_weights(
                list(map(np.array, ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 0)))
            )
    file = tmp_path / "kept.weights.h5"
    network.save_weights(file)
    from keras.src.utils import file_utils

    monkeypatch.setattr(file_utils, "get_file", lambda *args, **options: str(file))
    image = random_image(64, 96)
    found, expected = (
        features(fcn.backbones.by_name(name, weights), image) for weights in (file, "pretrained")
    )
    for pool, values in expected.items():
        np.testing.assert_allclose(found[pool], values, atol=1e-5 * np.abs(values).max())
