"""A head that was trained in the page: read into Keras, and its training against that of Keras."""

import base64
import io
import json
import zipfile

import keras
import numpy as np
import pytest
from safetensors.numpy import load, save_file

import fcn_keras as fcn
from fcn_keras.command_line import parser as cli
from fcn_keras.explainer.contents import PAINT_WIDTH
from fcn_keras.explainer.flat import rounded

NAMES = ("background", "cat")


def model_of(classes=2, width=4, encoder=None):
    return fcn.models.fcn(classes, 8, encoder or fcn.backbones.small_vgg(), width=width)


def head_of(model):
    layers = [layer for layer in model.layers if layer.trainable_weights]
    return {
        f"{layer.name}/{variable.name}": keras.ops.convert_to_numpy(variable)
        for layer in layers
        for variable in layer.weights
    }


def random_head(model, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=v.shape).astype("float32") for name, v in head_of(model).items()}


def saved(path, arrays, names=NAMES, **about):
    metadata = about or {"class_names": json.dumps(names)}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path, metadata)
    return path


def test_a_head_goes_into_a_model_and_nothing_else_changes(tmp_path):
    model = model_of()
    encoder = [layer for layer in model.layers if layer.weights and not layer.trainable_weights]
    before = [array for layer in encoder for array in layer.get_weights()]
    head = random_head(model)
    assert fcn.explainer.load_head(model, saved(tmp_path / "a.safetensors", head)) is None
    for name, array in head_of(model).items():
        np.testing.assert_array_equal(array, head[name])
    after = [array for layer in encoder for array in layer.get_weights()]
    assert len(before) and all(map(np.array_equal, before, after))
    assert fcn.models.card(model).class_names == NAMES
    assert fcn.models.card(model).encoder == "small_vgg"  # what the card said before


def spoilt(model):
    head = random_head(model)
    head["fc7/bias"][1] = np.nan
    return head


def without(model, name):
    head = random_head(model)
    del head[name]
    return head


def more(model):
    return {**random_head(model), "conv1/kernel": np.zeros((1, 1, 3, 4), "float32")}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (spoilt, "Expected finite weights.* fc7/bias hold NaN"),
        (lambda model: without(model, "score_fr/bias"), "missing: score_fr/bias"),
        (more, "left over: conv1/kernel"),
        (lambda model: random_head(model_of(width=8)), "wrong shape: fc6/kernel.*width=32"),
    ],
)
def test_a_head_that_does_not_fit_is_refused_and_nothing_changed(make, said, tmp_path):
    model = model_of()
    before = head_of(model)
    with pytest.raises(ValueError, match=said):
        fcn.explainer.load_head(model, saved(tmp_path / "a.safetensors", make(model)))
    assert all(map(np.array_equal, before.values(), head_of(model).values()))
    assert fcn.models.card(model).class_names == ()


def test_a_wrong_file_or_model_is_answered_with_what_would_fit(tmp_path):
    model, file = model_of(), tmp_path / "head.safetensors"
    with pytest.raises(FileNotFoundError, match="which is not there"):
        fcn.explainer.load_head(model, file)
    file.write_bytes(b"PK a zip of labels")
    with pytest.raises(ValueError, match=r"'Save head' writes.*cannot be read"):
        fcn.explainer.load_head(model, file)
    saved(file, {"conv1/weight": np.zeros(3, "float32")}, made_by="somebody else")
    with pytest.raises(ValueError, match="which has none, and the arrays conv1/weight"):
        fcn.explainer.load_head(model, file)
    three = random_head(model_of(3))
    saved(file, three, ("sky", "grass", "cow"))
    with pytest.raises(ValueError, match=r"of 3: sky, grass, cow\. .*num_classes=3"):
        fcn.explainer.load_head(model, file)
    other = fcn.models.lecture_fcn(3, fcn.backbones.small_vgg(), width=4)
    with pytest.raises(ValueError, match=r"an FCN-8s.*lecture_fcn, which has no fc6"):
        fcn.explainer.load_head(other, file)


def test_a_head_of_another_encoder_is_refused(tmp_path):
    """It would fit, and mean nothing."""
    model, names = model_of(), json.dumps(NAMES)
    file = tmp_path / "head.safetensors"
    saved(file, random_head(model), class_names=names, encoder="tiny_vgg")
    with pytest.raises(ValueError, match=r"encoder, small_vgg.*trained behind tiny_vgg"):
        fcn.explainer.load_head(model, file)
    saved(file, random_head(model), class_names=names, encoder="small_vgg")
    fcn.explainer.load_head(model, file)


# --- against the page ---


def decoded(text, kind="float32", shape=(-1,)):
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


def weights_of(facts):
    return {name: decoded(fact["data"], shape=fact["shape"]) for name, fact in facts.items()}


def gradients_of_keras(model, image, labels, names):
    """The loss and its gradient at every weight of the head, as Keras with TensorFlow has them."""
    import tensorflow as tf

    inside = {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}
    variables = [inside[name].value for name in names]
    with tf.GradientTape() as tape:
        loss = fcn.training.segmentation_loss()(labels[None], model(image[None], training=True))
    gradients = tape.gradient(loss, variables)
    return float(loss), dict(zip(names, map(np.asarray, gradients), strict=True))


def assert_trains_as_keras(facts, encoder, folder):
    """What the page computed in two steps, against Keras with the same weights and pixels."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(facts["zip"]))) as file:
        assert file.testzip() is None
        file.extractall(folder / "painted")
    painted = fcn.datasets.plain_folder(folder / "painted")
    assert painted.class_names == tuple(facts["classes"])
    place = [path.stem for path in sorted((folder / "painted" / "images").iterdir())].index(
        facts["name"]
    )
    image, labels = painted[place]
    np.testing.assert_array_equal(labels.ravel(), decoded(facts["labels"], "uint8"))
    image = image.astype("float32")

    # rounded as the page's; its bilinear upsampling does not depend on the number of classes
    model = rounded(model_of(len(facts["classes"]), PAINT_WIDTH, encoder))
    path = folder / "head.safetensors"
    for step in facts["steps"]:
        weights = weights_of(step["weights"])
        fcn.explainer.load_head(model, saved(path, weights, facts["classes"]))
        loss, expected = gradients_of_keras(model, image, labels, list(weights))
        assert loss == pytest.approx(step["loss"], rel=1e-4)
        for name, gradient in expected.items():
            found = decoded(step["gradients"][name], shape=gradient.shape)
            most = np.abs(gradient).max()
            error = np.abs(found - gradient).max()
            assert error <= 1e-4 * most + 1e-9, f"{name}: {error:.1e} of {most:.1e}"
    assert all(np.abs(gradient).max() > 0 for gradient in expected.values())  # in the second step

    # the steps that Keras' Adam makes of these gradients
    weights = [weights_of(step["weights"]) for step in facts["steps"]]
    weights.append(weights_of(facts["last"]))
    names = list(weights[0])
    rate = keras.optimizers.schedules.CosineDecay(3e-3, 40)
    variables = [keras.Variable(weights[0][name]) for name in names]
    adam = keras.optimizers.Adam(rate)
    for step, after in zip(facts["steps"], weights[1:], strict=True):
        arrays = [decoded(step["gradients"][name], shape=after[name].shape) for name in names]
        adam.apply(list(map(keras.ops.convert_to_tensor, arrays)), variables)
        for name, variable in zip(names, variables, strict=True):
            found = keras.ops.convert_to_numpy(variable)
            np.testing.assert_allclose(found, after[name], rtol=1e-5, atol=2e-7, err_msg=name)

    # the trained head that the page saved gives the page's scores
    path.write_bytes(base64.b64decode(facts["head"]))
    assert set(load(path.read_bytes())) == set(names)
    fcn.explainer.load_head(model, path)
    assert fcn.models.card(model).class_names == tuple(facts["classes"])
    expected = keras.ops.convert_to_numpy(model(image[None]))[0]
    found = decoded(facts["logits"], shape=expected.shape)
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()
    assert np.mean(found.argmax(-1) == expected.argmax(-1)) >= 0.999


# `test_page.py` drives the page, and hands on what its chapter *Paint and train* found
def assert_trains_from_the_command_line(facts, folder):
    """What was painted is a data set that `train` takes."""
    out = folder / "my.keras"
    options = ["--network", "fcn", "--backbone", "small_vgg", "--steps", "1", "--batch-size", "1"]
    assert cli.main(["train", str(folder / "painted"), *options, "--out", str(out)]) == 0
    assert fcn.models.card(fcn.models.load(out)).class_names == tuple(facts["classes"])
