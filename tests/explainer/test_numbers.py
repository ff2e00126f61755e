"""The page computes what Keras computes: maps, sizes, receptive fields."""

import base64

import keras
import numpy as np
import pytest
from browsers import driven, needs, small_page
from conftest import first_of

import fcn_keras as fcn
from fcn_keras.explainer.contents import CHECKPOINT_BITS, STRIDE_BITS, Contents
from fcn_keras.explainer.flat import F16_BITS, Graph, NotInThePage, rounded
from fcn_keras.explainer.page import write_page
from fcn_keras.lecture import autoencoder

BROWSER = [
    pytest.param("chromium", marks=needs("chromium")),
    pytest.param("firefox", marks=[needs("firefox"), pytest.mark.long]),
]
SIZE = (67, 101)  # odd, and 32 divides neither


def picture(size=SIZE, seed=0):
    """A smooth picture: noise of the size of a thing."""
    rough = np.random.default_rng(seed).integers(0, 256, (9, 13, 3)).astype("uint8")
    return fcn.images.resized(rough, size)


def found_in(page, models, folder, image, browser="chromium"):
    """`{model: {layer: {array, size, field}}}` as the page computes it."""
    given = {
        "models": models,
        "height": image.shape[0],
        "width": image.shape[1],
        "values": base64.b64encode(image.tobytes()).decode(),
    }
    facts = driven(page, ["numbers"], folder, browser, given)["numbers"]
    for layers in facts.values():
        for fact in layers.values():
            data = np.frombuffer(base64.b64decode(fact.pop("data")), "float32")
            fact["array"] = data.reshape(fact["shape"])
    return facts


def maps_of(model, image, layers):
    outputs = {name: model.get_layer(name).output for name in layers if name != "output"}
    outputs |= {"output": model.output} if "output" in layers else {}
    found = keras.Model(model.inputs, outputs)([image[None].astype("float32")])
    return [np.asarray(keras.ops.convert_to_numpy(found[name]))[0] for name in layers]


def assert_same(found, model, image, layers, limit=1e-3):
    for layer, expected in zip(layers, maps_of(model, image, layers), strict=True):
        array = found[layer]["array"]
        assert array.shape == expected.shape, layer
        error = np.abs(array - expected).max() / np.abs(expected).max()
        assert error <= limit, f"{layer}: {error:.1e}"
        if expected.shape[-1] == model.output_shape[-1]:
            assert np.mean(array.argmax(-1) == expected.argmax(-1)) >= 0.999
        assert tuple(found[layer]["size"]) == expected.shape[:2], layer


@pytest.mark.parametrize("browser", BROWSER)
def test_every_network_of_the_page_gives_keras_logits(browser, tmp_path):
    """And those before rounding are near: how near is printed."""
    experiment, contents, page = small_page()
    networks = {"result": (experiment.trained.model, F16_BITS)}
    networks |= {
        f"fcn{stride}s": (run.model, STRIDE_BITS) for stride, run in experiment.strides.items()
    }
    networks |= {
        f"step{step}": (model, CHECKPOINT_BITS) for step, model in experiment.snapshots.items()
    }
    networks["cae"] = (autoencoder.trained_autoencoder(experiment), F16_BITS)
    image = picture()
    layers = {name: ["output"] for name in networks} | {"result": ["pool3", "pool5", "output"]}
    assert set(contents.graph.models) == {*networks, "paint"}
    found = found_in(page, layers, tmp_path, image, browser)
    for name, (model, bits) in networks.items():
        assert_same(found[name], rounded(model, bits), image, layers[name])
        (exact,) = maps_of(model, image, ["output"])
        off = np.abs(found[name]["output"]["array"] - exact).max() / np.abs(exact).max()
        print(f"{name}: {off:.1e} of the largest output away from the weights before rounding")
        assert off <= {F16_BITS: 0.02, STRIDE_BITS: 0.05, CHECKPOINT_BITS: 0.3}[bits], name


def of_layers(*layers):
    image = keras.Input((None, None, 3), name="image")
    x = image
    for layer in layers:
        x = layer(x)
    return keras.Model(image, x)


L = keras.layers
KINDS = {
    "strides and dilations": lambda: of_layers(
        L.Conv2D(4, 5, 2, padding="same", activation="relu"),
        L.Conv2D(5, 3, dilation_rate=2, padding="same", activation="silu"),
        L.Conv2D(6, (1, 3), use_bias=False),
        L.DepthwiseConv2D(3, 2, padding="valid", activation="hard_silu"),
    ),
    "transposed, both paddings": lambda: of_layers(
        L.Conv2DTranspose(4, 3, 2, padding="same", activation="relu6"),
        L.Conv2DTranspose(3, 5, 3, padding="valid", use_bias=False),
        L.Conv2DTranspose(3, 2, 3, padding="valid"),
    ),
    "pooling and padding": lambda: of_layers(
        L.ZeroPadding2D(((0, 1), (2, 0))),
        L.MaxPooling2D(3, 2, padding="same"),
        L.AveragePooling2D(2, padding="valid"),
        L.Cropping2D(((1, 0), (0, 2))),
        L.UpSampling2D(2, interpolation="bilinear"),
        L.UpSampling2D((3, 2)),
    ),
    "normalization and activations": lambda: of_layers(
        L.Normalization(mean=[1.0, 2, 3], variance=[4.0, 5, 6]),
        L.BatchNormalization(),
        L.ReLU(max_value=3.0, negative_slope=0.1),
        L.Dropout(0.5),
        L.Conv2D(3, 1, activation="leaky_relu"),
        L.Conv2D(3, 1, activation="elu"),
        L.Conv2D(3, 1, activation="softplus"),
        L.Conv2D(3, 1, activation="sigmoid"),
        L.Conv2D(3, 1, activation="hard_sigmoid"),
        L.Conv2D(3, 1, activation="tanh"),
        L.Rescaling([1.0, 2, 3], offset=[0.1, 0.2, 0.3]),
        L.Softmax(),
    ),
    "strides larger than kernels": lambda: of_layers(
        L.Conv2DTranspose(3, 2, 3, padding="same"),
        L.MaxPooling2D(2, 3, padding="same"),
        L.AveragePooling2D(1, 2, padding="same"),
        L.DepthwiseConv2D(1, 2, padding="same"),
    ),
    "preprocessing of VGG": lambda: of_layers(
        fcn.layers.VGGPreprocessing(), fcn.layers.PadToMultiple(32), L.Conv2D(2, 3, 4, "same")
    ),
    "sum of skips": lambda: fcn.models.fcn(3, 8, fcn.backbones.small_vgg(), width=4),
    "concatenation": lambda: fcn.models.fcn(3, 8, fcn.backbones.small_vgg(), "concat", width=4),
    "no skip": lambda: fcn.models.fcn(3, 32, fcn.backbones.small_vgg(), width=None),
}


def with_random_weights(model):
    """No weight is 0 or 1 as at the start, so that a forgotten one is noticed."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.weights and type(layer).__name__ != "Normalization":
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, weight.shape)
                    if "variance" in variable.path or "gamma" in variable.path
                    else rng.normal(
                        0, 1 / np.sqrt(max(np.prod(weight.shape[:-1]), 1)), weight.shape
                    )
                    for variable, weight in zip(layer.weights, layer.get_weights(), strict=True)
                ]
            )
    return model


@needs("chromium")
def test_every_kind_of_operation_gives_keras_maps(tmp_path):
    graph, models = Graph(), {}
    for name, build in KINDS.items():
        models[name] = with_random_weights(build())
        graph.add(name, models[name])
    page = write_page(Contents(networks={"result": "no skip"}, graph=graph), tmp_path / "page.html")
    image = picture()
    layers = {name: [layer.name for layer in model.layers[1:]] for name, model in models.items()}
    found = found_in(page, layers, tmp_path, image)
    for name, model in models.items():
        assert_same(found[name], rounded(model), image, layers[name], limit=1e-4)


@needs("chromium")
@first_of("size", [SIZE, (96, 128)])
def test_receptive_fields_are_those_of_the_package(size, tmp_path):
    """On an even and on an odd size: SAME puts its zeros elsewhere."""
    names = ("strides and dilations", "transposed, both paddings", "pooling and padding", "no skip")
    models = {name: KINDS[name]() for name in (*names, "sum of skips")}
    graph = Graph()
    for name, model in models.items():
        graph.add(name, model)
    page = write_page(Contents(networks={"result": "no skip"}, graph=graph), tmp_path / "page.html")
    layers = {name: [layer.name for layer in model.layers[1:]] for name, model in models.items()}
    found = found_in(page, layers, tmp_path, picture(size))
    for name, model in models.items():
        for layer in layers[name]:
            expected = fcn.geometry.receptive_field(model, layer, size=size[0])
            field = found[name][layer]["field"]
            assert field["size"] == expected.size, (name, layer)
            assert field["stride"] == pytest.approx(float(expected.stride))
            seen = [window and tuple(window) for window in field["pixels"]]
            assert seen == [expected.pixels(i) for i in (0, 1, 2, 5)], (name, layer)


ENCODERS = ["MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet50", "DenseNet121"]


@needs("chromium")
@pytest.mark.long
@pytest.mark.parametrize("name", ["efficientnet_lite0", "vgg16", *ENCODERS])
def test_networks_on_other_encoders_run_in_the_page_or_are_refused_by_name(name, tmp_path):
    try:
        encoder = (
            getattr(fcn.backbones, name)(weights=None)
            if name in ("efficientnet_lite0", "vgg16")
            else fcn.backbones.from_keras(
                getattr(keras.applications, name)(weights=None, include_top=False)
            )
        )
        model = fcn.models.fcn(3, 8, encoder, width=4)
        for layer in model.layers:  # score layers start at 0, and so would the logits
            if layer.name.startswith("score"):
                layer.kernel.assign(np.random.default_rng(0).normal(size=layer.kernel.shape))
        contents = fcn.explainer.of_model(model, name)
    except NotInThePage as refusal:
        assert name == "MobileNetV3Small" and "keras.ops.Add" in str(refusal)
        return
    page = write_page(contents, tmp_path / "page.html")
    image = picture((96, 128))
    layers = ["pool3", "pool5", "output"]
    found = found_in(page, {"result": layers}, tmp_path, image)["result"]
    assert_same(found, rounded(model), image, layers)


@first_of("layer", [L.GroupNormalization(1), L.Conv2D(4, 1, groups=1, activation="gelu")])
def test_what_the_page_cannot_compute_is_named(layer):
    model = of_layers(L.Conv2D(2, 1), layer)
    with pytest.raises(NotInThePage, match=layer.name):
        Graph().add("own", model)


def test_a_frozen_encoder_is_held_once():
    encoder = fcn.backbones.small_vgg()
    graph = Graph()
    graph.add("one", fcn.models.fcn(2, 8, encoder, width=4))
    size = len(graph.as_bytes())
    graph.add("other", fcn.models.fcn(2, 16, encoder, width=4))
    assert len(graph.as_bytes()) < 1.2 * size
    one, other = graph.models["one"], graph.models["other"]
    assert one["pool5"] == other["pool5"] and one["score_fr"] != other["score_pool4"]
