"""What a network ends in: one that has taken the softmax already is not trained with a second."""

import keras
import numpy as np
import pytest
from conftest import random_image
from keras import layers, ops
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.support import endings
from fcn_keras.training.preconditions import require_matching_data

SIZE = 16  # pixels


@pytest.fixture(scope="module")
def data():
    image = random_image(SIZE, SIZE)
    return fcn.datasets.SegmentationData(
        lambda i: (image, image[..., 0] // 100), 2, ("a", "b", "c")
    )


def network(*ending):
    """A convolution to scores, at half the size if something enlarges them again; and the rest."""
    image = keras.Input((None, None, 3), name="image")
    halves = any(getattr(part, "halves", False) for part in ending)
    x = layers.Conv2D(3, 1, strides=1 + halves, name="scores")(image / 255.0)
    for part in ending:
        x = part(x)
    return keras.Model(image, x, name="ending")


def halving(part):
    part.halves = True  # what stands before it has half the size
    return part


def as_layer(model):
    image = keras.Input((None, None, 3))
    return keras.Model(image, model(image), name="outer")


class Subclassed(keras.Model):
    def __init__(self, activation=None):
        super().__init__(name="mine")
        self.scores = layers.Conv2D(3, 1, activation=activation)

    def call(self, images):
        return self.scores(images / 255.0)


def soft(x):
    return ops.softmax(x, axis=-1)


MAKES_PROBABILITIES = {
    "layer": lambda: network(layers.Softmax()),
    "activation": lambda: network(layers.Activation("softmax")),
    "convolution": lambda: network(layers.Conv2D(3, 1, activation="softmax")),
    "function": lambda: network(soft),
    "keras.activations": lambda: network(keras.activations.softmax),
    "sequential": lambda: keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(3, 1), layers.Softmax()]
    ),
    "model in a model": lambda: as_layer(as_layer(network(layers.Softmax()))),
    "sequential in a model": lambda: network(
        keras.Sequential([layers.Conv2D(3, 1), layers.Softmax()]), layers.Identity()
    ),
    "model with more behind": lambda: keras.Sequential(
        [keras.Input((None, None, 3)), network(soft), network(layers.Identity()).layers[-1]]
    ),
}
LEAVES_THEM = {
    "UpSampling2D": lambda: network(layers.Softmax(), halving(layers.UpSampling2D())),
    "Resizing": lambda: network(layers.Softmax(), halving(layers.Resizing(SIZE, SIZE))),
    "padded and cropped": lambda: network(soft, layers.ZeroPadding2D(2), layers.Cropping2D(2)),
    "zeros around": lambda: network(
        layers.Cropping2D(2), layers.Softmax(), layers.ZeroPadding2D(2)
    ),
    "Reshape": lambda: network(
        layers.Reshape((SIZE * SIZE, 3)), layers.Softmax(), layers.Reshape((SIZE, SIZE, 3))
    ),
    "Permute": lambda: network(soft, layers.Permute((2, 1, 3))),
    "nothing": lambda: network(soft, layers.Identity(), layers.Activation("linear")),
    "Dropout": lambda: network(soft, layers.Dropout(0.5)),
    "CropToMatch": lambda: network(soft, lambda x: fcn.layers.CropToMatch()([x, x])),
    "ops.image.resize": lambda: network(soft, halving(lambda x: ops.image.resize(x, (SIZE, SIZE)))),
    "slice": lambda: network(soft, lambda x: x[:, :SIZE, :SIZE]),
    "cast and clip": lambda: network(soft, lambda x: ops.clip(ops.cast(x, "float32"), 1e-7, 1)),
}
# what is found by the numbers, since no graph says it
SUMS_TO_ONE = {
    "+ 0": lambda: network(soft, lambda x: x + 0.0),
    "by hand": lambda: network(lambda x: ops.exp(x) / ops.sum(ops.exp(x), -1, keepdims=True)),
    "average of two": lambda: network(lambda x: layers.Average()([soft(x), soft(2 * x)])),
    "of two classes": lambda: network(
        lambda x: ops.sigmoid(x[..., :1]), lambda p: ops.concatenate([1 - p, p / 2, p / 2], -1)
    ),
    "Lambda": lambda: network(layers.Lambda(soft)),
    "own activation": lambda: network(layers.Activation(lambda x: soft(x))),
    "subclassed": lambda: as_layer(Subclassed("softmax")),
}
OTHER_ACTIVATIONS = {
    "sigmoid": lambda: network(ops.sigmoid, layers.Cropping2D(0)),
    "relu": lambda: network(layers.ReLU(), layers.Identity()),
}
RIGHT = {
    "scores": lambda: network(),
    "+ 0": lambda: network(lambda x: x + 0.0),
    "ops.image.resize": lambda: network(halving(lambda x: ops.image.resize(x, (SIZE, SIZE)))),
    "UpSampling2D": lambda: network(halving(layers.UpSampling2D(interpolation="bilinear"))),
    "logarithm of a softmax": lambda: network(soft, ops.log),
    "log_softmax": lambda: network(ops.log_softmax),
    "softmax before the scores": lambda: network(layers.Softmax(), layers.Conv2D(3, 1)),
    "model in a model": lambda: as_layer(network()),
    "subclassed": lambda: as_layer(Subclassed()),
    "of this package": lambda: fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), 3),
}


def cases(*tables):
    return pytest.mark.parametrize(
        "make", [pytest.param(make, id=name) for table in tables for name, make in table.items()]
    )


@cases(MAKES_PROBABILITIES, LEAVES_THEM)
def test_a_softmax_is_found_behind_all_that_leaves_values_as_they_are(data, make):
    with pytest.raises(ValueError, match=r"gives logits.*ends in softmax.*prediction\.probab"):
        require_matching_data(make(), data, None)


@cases(SUMS_TO_ONE)
def test_probabilities_are_found_by_their_sum_where_the_graph_does_not_tell(data, make):
    with pytest.raises(ValueError, match=r"gives logits.*sum to 1, as behind a softmax"):
        require_matching_data(make(), data, None)


@pytest.mark.parametrize("name", OTHER_ACTIVATIONS)
def test_other_activations_are_found_too(data, name):
    with pytest.raises(ValueError, match=f"gives logits.*ends in {name}"):
        require_matching_data(OTHER_ACTIVATIONS[name](), data, None)


def test_what_leaves_values_as_they_are_exists_in_keras():
    from keras.src.ops import core, image, nn
    from keras.src.ops import numpy as numpy_ops

    rooms = (core, image, nn, numpy_ops)
    assert [n for n in endings.LAYERS.split() if not hasattr(keras.layers, n)] == ["CropToMatch"]
    assert [n for n in endings.FUNCTIONS.split() if not any(hasattr(m, n) for m in rooms)] == []


@cases(RIGHT)
def test_a_network_that_gives_scores_is_accepted(data, make):
    require_matching_data(make(), data, None)


@pytest.mark.parametrize("called", [False, True])
def test_a_subclassed_model_is_told_how_to_become_a_functional_one(data, called):
    model = Subclassed()
    if called:
        model(np.zeros((1, SIZE, SIZE, 3)))
    use = [lambda: require_matching_data(model, data, None)]
    use += [lambda: fcn.evaluation.evaluate(model, data)]
    use += [lambda: fcn.prediction.segment(model, data[0][0])]
    for wrong in use:
        with pytest.raises(ValueError, match=r"'mine', a Subclassed.*keras\.Model\(image, model"):
            wrong()


def test_probabilities_are_not_made_twice():
    hard = network()
    image = random_image(SIZE, SIZE)
    for soft_one in (
        keras.Model(hard.inputs, soft(hard.outputs[0])),
        as_layer(keras.Model(hard.inputs, layers.Lambda(soft)(hard.outputs[0]))),
    ):
        for answer in (fcn.prediction.probabilities, fcn.prediction.segment):
            np.testing.assert_allclose(answer(soft_one, image), answer(hard, image), atol=1e-6)


def test_what_ends_in_a_softmax_may_label_and_be_scored(tmp_path, capsys):
    """A finished network of somebody else, on the command line: the highest probability is the
    highest score."""
    scores = network()
    ends_in_softmax = as_layer(keras.Model(scores.inputs, layers.Softmax()(scores.outputs[0])))
    for folder in ("images", "masks"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for name in ("one.png", "two.png"):
        image = random_image(20, 30)
        labels = fcn.prediction.segment(scores, image)
        Image.fromarray(image).save(tmp_path / "data" / "images" / name)
        Image.fromarray(labels).save(tmp_path / "data" / "masks" / name)
    (tmp_path / "data" / "classes.txt").write_text("a\nb\nc\n")
    ends_in_softmax.save(tmp_path / "soft.keras")
    assert main(["evaluate", str(tmp_path / "soft.keras"), str(tmp_path / "data")]) == 0
    assert "100.0 %" in capsys.readouterr().out
    picture = tmp_path / "data" / "images" / "two.png"
    out = str(tmp_path / "out")
    assert main(["segment", str(tmp_path / "soft.keras"), str(picture), "--out", out]) == 0
    found = fcn.images.read_mask(tmp_path / "out" / "two_labels.png")
    np.testing.assert_array_equal(found, labels)
