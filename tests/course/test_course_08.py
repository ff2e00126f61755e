"""Notebook 08: the lecture's experiment, from labelled images to the overlay (L22-L25)."""

import ast
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import random_image

import fcn_keras as fcn

SOURCE = Path(__file__).parents[2] / "notebooks" / "08_the_experiment.py"


def of_notebook(name, old="", new="", **names):
    """A function of the notebook, unchanged or with one piece of its code replaced."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    text = ast.unparse(
        next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    )
    assert old in text
    space = {"keras": keras, "np": np, **names}
    exec(text.replace(old, new), space)
    return space[name]


def pools_of(encoder):
    return [encoder.get_layer(name).output for name in ("pool3", "pool4", "pool5")]


def test_the_notebook_tags_its_claims():
    text = SOURCE.read_text(encoding="utf-8")
    for claim in ("L22", "L23", "L24", "L25"):
        assert any(claim in line for line in text.splitlines() if line.startswith("# %% tags="))


# --- L22: labelled images ---


def is_one_hot(channels, labels):
    """Whether each pixel has exactly one class, the one in the label map."""
    return bool((channels.sum(axis=-1) == 1).all() and (channels.argmax(axis=-1) == labels).all())


def test_L22_the_one_hot_channels_are_the_label_map(roads):
    for index in (0, 20, 39):
        labels = roads[index][1]
        assert is_one_hot((labels[..., None] == np.arange(2)).astype("float32"), labels)
        assert 0 < labels.mean() < 1  # both classes are there


@pytest.mark.parametrize(
    "spoil", [lambda labels: labels + 1, lambda labels: np.where(labels == 1, 255, labels)]
)
def test_L22_breaks_when_the_numbers_are_not_0_and_1(roads, spoil):
    labels = spoil(roads[0][1])
    assert not is_one_hot((labels[..., None] == np.arange(2)).astype("float32"), labels)


def losses_of(labels, one_hot):
    logits = np.random.default_rng(0).normal(size=(1, *labels.shape, 2)).astype("float32")
    softmax = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    by_hand = -np.log((softmax * one_hot).sum(axis=-1)).mean()
    return by_hand, float(fcn.training.segmentation_loss()(labels[None].astype("int32"), logits))


def test_L22_the_loss_of_numbers_is_the_loss_of_channels(roads):
    labels = roads[0][1]
    np.testing.assert_allclose(*losses_of(labels, labels[..., None] == np.arange(2)), rtol=1e-5)


def test_L22_breaks_when_the_channels_are_swapped(roads):
    labels = roads[0][1]
    by_hand, of_package = losses_of(labels, labels[..., None] == np.array([1, 0]))
    assert abs(by_hand - of_package) > 1e-3


# ------------------------------------------------------------------------------- L23: the network


def difference(encoder, head_of):
    """Largest difference from the logits of `lecture_fcn` with the same weights, relative to the
    largest logit."""
    encoder.trainable = False
    written = keras.Model(encoder.inputs[0], head_of(*pools_of(encoder)))
    model = fcn.models.lecture_fcn(2, encoder, width=8)
    for layer in model.layers:
        if layer.weights:
            written.get_layer(layer.name).set_weights(layer.get_weights())
    image = random_image(64, 96)[None].astype("float32")
    ours, theirs = np.asarray(written(image)), np.asarray(model(image))
    return abs(ours - theirs).max() / abs(theirs).max()


@pytest.mark.parametrize(
    "build",
    [fcn.backbones.small_vgg, lambda: fcn.backbones.vgg16(weights=None)],
    ids=["small", "vgg16"],
)
def test_L23_the_written_network_is_the_packages(build):
    assert difference(build(), of_notebook("head_of", WIDTH=8)) < 1e-4


@pytest.mark.parametrize("skip", [0, 1])
def test_L23_breaks_when_a_skip_brings_nothing(skip):
    whole = of_notebook("head_of", WIDTH=8)

    def without(*pools):
        return whole(
            *(
                keras.layers.Rescaling(0.0)(pool) if number == skip else pool
                for number, pool in enumerate(pools)
            )
        )

    assert difference(fcn.backbones.small_vgg(), without) > 0.01


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "padding='same', activation='relu', name='conv6'",
            "padding='valid', activation='relu', name='conv6'",
        ),
        ("4, 2, 'fcn2'", "4, 4, 'fcn2'"),  # the sum's height and width do not fit
        ("pool4.shape[-1], 4", "2, 4"),  # scores cannot be added to features
    ],
)
def test_L23_breaks_when_a_layer_is_changed(old, new):
    of_notebook("head_of", WIDTH=8)(*pools_of(sized_encoder(160, 576)))  # unchanged, it builds
    with pytest.raises(ValueError):
        of_notebook("head_of", old, new, WIDTH=8)(*pools_of(sized_encoder(160, 576)))


def sized_encoder(height, width):
    """The small VGG for one image size, so that Keras checks heights and widths while it builds."""
    image = keras.Input((height, width, 3))
    pools = fcn.backbones.blocks(image, fcn.backbones.SMALL_VGG_WIDTHS)
    return keras.Model(image, pools)


def test_L23_every_tensor_has_the_lectures_size():
    model = fcn.models.lecture_fcn(2, fcn.backbones.vgg16(weights=None), width=8)
    shapes = {row.name: row.output_shape for row in fcn.models.describe(model, size=(160, 576))}
    assert [shapes[f"pool{n}"] for n in (3, 4, 5)] == [(20, 72, 256), (10, 36, 512), (5, 18, 512)]
    assert [shapes[name] for name in ("conv6", "fcn4", "fcn3")] == [
        (5, 18, 8),
        (5, 18, 8),
        (5, 18, 2),
    ]
    assert [shapes[name] for name in ("fcn2", "fcn1", "output")] == [
        (10, 36, 512),
        (20, 72, 256),
        (160, 576, 2),
    ]


def test_L23_the_weights_are_counted_right(encoder):
    head_weights = of_notebook("head_weights")
    assert sum(head_weights(4096, 256, 512, 512).values()) == 121_799_428
    rows = fcn.models.describe(fcn.models.lecture_fcn(2, encoder, width=32))
    assert head_weights(32, 64, 128, 256) == {
        row.name: row.parameters for row in rows if row.trained
    }


@pytest.mark.parametrize(("old", "new"), [(" + after", ""), ("k * k", "k")])
def test_L23_breaks_when_the_biases_or_the_second_axis_are_forgotten(old, new):
    assert sum(of_notebook("head_weights", old, new)(4096, 256, 512, 512).values()) != 121_799_428


def changed_by_training(model, data):
    """Names of the layers whose weights have changed."""
    before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    fcn.training.fit(model, data, steps=3, batch_size=4)
    return {
        name
        for name, old in before.items()
        if not all(
            np.array_equal(a, b)
            for a, b in zip(old, model.get_layer(name).get_weights(), strict=True)
        )
    }


HEAD = {"conv6", "fcn4", "fcn3", "fcn2", "fcn1", "output"}


@pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
def test_L23_training_changes_the_head_and_nothing_else(toy, encoder):
    assert changed_by_training(fcn.models.lecture_fcn(2, encoder, width=8), toy) == HEAD


@pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
def test_L23_breaks_when_the_encoder_is_not_frozen(toy, encoder):
    model = fcn.models.lecture_fcn(2, encoder, width=8, freeze_backbone=False)
    assert changed_by_training(model, toy) > HEAD


def kept_maps_suffice(spoil):
    """Whether the head, on maps computed beforehand, gives the logits of the whole network."""
    encoder = fcn.backbones.small_vgg()
    image = random_image(64, 96)[None].astype("float32")
    kept = keras.Model(encoder.inputs[0], pools_of(encoder))(image)
    head_of = of_notebook("head_of", WIDTH=8)
    whole = keras.Model(encoder.inputs[0], head_of(*pools_of(encoder)))
    inputs = [keras.Input(features.shape[1:]) for features in kept]
    head = keras.Model(inputs, head_of(*inputs))
    for name in HEAD:
        head.get_layer(name).set_weights(whole.get_layer(name).get_weights())
    spoil(encoder.get_layer("conv1_1"))
    return np.allclose(head(kept), whole(image), atol=1e-3)


def test_L23_a_frozen_encoder_is_asked_once():
    assert kept_maps_suffice(lambda layer: None)


def test_L23_breaks_when_the_encoder_changes_meanwhile():
    assert not kept_maps_suffice(
        lambda layer: layer.set_weights([1.2 * values for values in layer.get_weights()])
    )


# --- L24: the loss curve ---


def loss_falls(data, encoder):
    """Whether the head gets far below guessing."""
    model = fcn.models.lecture_fcn(2, encoder, width=8)
    history = fcn.training.fit(model, data, steps=50, batch_size=6, learning_rate=3e-3)
    return np.mean(history.loss[-5:]) < np.log(2) / 2


def test_L24_the_loss_of_the_head_falls(toy, encoder):
    assert loss_falls(toy, encoder)


@pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
def test_L24_breaks_when_the_labels_have_nothing_to_do_with_the_images(toy, encoder):
    coins = np.random.default_rng(0).integers(0, 2, (len(toy), 40, 56), dtype="uint8")
    nonsense = fcn.datasets.SegmentationData(
        lambda i: (toy[i][0], coins[i]), len(toy), toy.class_names
    )
    assert not loss_falls(nonsense, encoder)


def test_L24_what_is_kept_trains_as_the_whole_network_does(toy, encoder):
    losses = []
    for cache in (True, False):
        keras.utils.set_random_seed(0)
        model = fcn.models.lecture_fcn(2, encoder, width=8)
        losses.append(
            fcn.training.fit(
                model, toy, steps=5, batch_size=4, learning_rate=3e-3, cache=cache
            ).loss
        )
    np.testing.assert_allclose(*losses, rtol=1e-2)


# ------------------------------------------------------------------------------- L25: the result


@pytest.fixture(scope="module")
def unseen():
    return fcn.datasets.road_scenes("test", count=4).view({"road": ["road"]})


def finds_roads(model, unseen):
    return fcn.evaluation.evaluate(model, unseen).iou[1] > 0.85


def test_L25_roads_are_found_in_scenes_never_trained_on(roads, unseen, encoder):
    model = fcn.models.lecture_fcn(2, encoder, width=8)
    fcn.training.fit(model, roads.subset(range(20)), steps=40, batch_size=5, learning_rate=3e-3)
    assert finds_roads(model, unseen)
    image = unseen[0][0]
    mask = fcn.prediction.probabilities(model, image)[..., 1] > 0.5
    np.testing.assert_array_equal(mask, fcn.prediction.segment(model, image) == 1)


def test_L25_breaks_when_the_head_is_not_trained(unseen, encoder):
    assert not finds_roads(fcn.models.lecture_fcn(2, encoder, width=8), unseen)


def test_L25_breaks_when_the_labels_are_shifted(roads, unseen, encoder):
    """With labels 40 pixels too high, the network learns to predict roads in the wrong place."""
    few = roads.subset(range(20))
    shifted = fcn.datasets.SegmentationData(
        lambda n: (few[n][0], np.roll(few[n][1], -40, axis=0)),
        len(few),
        few.class_names,
        few.palette,
    )
    model = fcn.models.lecture_fcn(2, encoder, width=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the doctor notices, too
        fcn.training.fit(model, shifted, steps=40, batch_size=5, learning_rate=3e-3)
    assert not finds_roads(model, unseen)


def above_is_highest(num_classes, threshold):
    """Whether "probability above the threshold" is the same as "the class with the highest
    score"."""
    logits = np.random.default_rng(0).normal(size=(50, 50, num_classes))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return np.array_equal(softmax[..., 1] > threshold, logits.argmax(axis=-1) == 1)


def test_L25_one_half_is_the_higher_of_two_scores():
    assert above_is_highest(2, 0.5)


@pytest.mark.parametrize(("num_classes", "threshold"), [(2, 0.7), (3, 0.5)])
def test_L25_breaks_for_another_threshold_or_a_third_class(num_classes, threshold):
    assert not above_is_highest(num_classes, threshold)


def painted_by_hand(scene, mask, opacity):
    painted = scene.astype("float64")
    painted[mask] = (1 - opacity) * painted[mask] + opacity * np.array([0, 255, 0])
    return np.rint(painted).astype("uint8")


def test_L25_the_overlay_is_half_transparent_green():
    scene, mask = random_image(20, 30), random_image(20, 30, seed=1)[..., 0] > 127
    np.testing.assert_array_equal(
        painted_by_hand(scene, mask, 127 / 255), fcn.visualization.overlay(scene, mask)
    )


def test_L25_breaks_when_the_green_is_opaque():
    scene, mask = random_image(20, 30), random_image(20, 30, seed=1)[..., 0] > 127
    assert not np.array_equal(
        painted_by_hand(scene, mask, 1.0), fcn.visualization.overlay(scene, mask)
    )
