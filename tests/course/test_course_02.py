"""Notebook 02: a classifier (L03), the filters that it learned and where it looks (L02)."""

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.datasets.drawn.shapes import arrays, shapes
from fcn_keras.lecture import classifier as lecture
from fcn_keras.visualization import classifier as draw


@pytest.fixture(scope="module")
def model(experiment):
    return lecture.shapes_classifier(experiment)


@pytest.fixture(scope="module")
def unseen(experiment):
    return lecture.unseen(experiment, 40)


# --- L03: a classifier ---


def follows_the_pattern(model):
    """Convolution and pooling in turn, then dense layers, then one probability for each class."""
    kinds = [
        row.kind
        for row in fcn.models.describe(model)
        if row.kind in ("Conv2D", "MaxPooling2D", "Dense")
    ]
    dense = kinds.index("Dense") if "Dense" in kinds else len(kinds)
    image = np.random.default_rng(0).random((2, 64, 64, 3))
    answers = model.predict_on_batch(255 * image)
    return (
        kinds[:dense] == ["Conv2D", "MaxPooling2D"] * (dense // 2)
        and 0 < dense < len(kinds) == dense + kinds[dense:].count("Dense")
        and answers.ndim == 2
        and np.allclose(answers.sum(axis=-1), 1, atol=1e-5)
    )


def test_L03_convolution_pooling_dense_probabilities(model):
    assert follows_the_pattern(model)


def test_L03_breaks_when_it_is_rewritten_without_dense_layers(model):
    assert not follows_the_pattern(fcn.convolutionalize.convolutionalize(model))


def test_L03_breaks_when_the_softmax_is_missing(model):
    last = keras.models.clone_model(model)
    last.set_weights(model.get_weights())
    last.layers[-1].activation = keras.activations.linear
    assert not follows_the_pattern(keras.models.clone_model(last))


def right(model, data):
    images, labels = arrays(data)
    return float((model.predict_on_batch(images).argmax(axis=-1) == labels).mean())


def test_L03_it_names_shapes_that_it_never_saw(model, unseen):
    assert right(model, unseen) >= 0.95


def test_L03_breaks_when_the_labels_were_shuffled():
    """The same network and steps, but labels that have nothing to do with the pictures."""
    images, labels = arrays(shapes(320, 0))
    keras.utils.set_random_seed(0)
    blind = fcn.models.classifier(4)
    blind.compile(optimizer="adam", loss="sparse_categorical_crossentropy", jit_compile=False)
    blind.fit(
        images, np.random.default_rng(0).permutation(labels), batch_size=32, epochs=4, verbose=0
    )
    assert not right(blind, shapes(80, 9)) >= 0.95


def test_L03_most_parameters_are_in_the_dense_layer(model):
    rows = {row.name: row.parameters for row in fcn.models.describe(model)}
    assert rows["dense"] == 4 * 4 * 64 * 64 + 64 > sum(rows[f"conv{n}"] for n in range(1, 5))


# --- L02: learned filters, where it looks ---


def take_turns(model, data):
    """Whether some filters of the first layer light up on the shape and hardly on the ground, and
    some the other way round."""
    preferences = []
    for image, mask in data:
        maps = fcn.prediction.feature_maps(model, image, ["conv1"])["conv1"]
        shape, ground = maps[mask > 0].mean(axis=0), maps[mask == 0].mean(axis=0)
        preferences.append((shape - ground) / (shape + ground + 1e-3))
    preference = np.mean(preferences, axis=0)
    return preference.max() > 0.5 and preference.min() < -0.5


def test_L02_learned_filters_tell_shape_and_ground_apart(model, unseen):
    assert take_turns(model, unseen.subset(range(8)))


def test_L02_breaks_when_every_filter_is_the_same_blur(model, unseen):
    flat = keras.models.clone_model(model)
    flat.set_weights(model.get_weights())
    kernel, bias = flat.get_layer("conv1").get_weights()
    flat.get_layer("conv1").set_weights([np.full_like(kernel, 1 / 27), np.full_like(bias, 1.0)])
    assert not take_turns(flat, unseen.subset(range(8)))


def looks_at_the_shape(model, data, masks):
    images, labels = arrays(data)
    falls = [
        lecture.occlusion_map(model, image, label)
        for image, label in zip(images, labels, strict=True)
    ]
    inside = np.mean([fall[mask > 0].mean() for fall, mask in zip(falls, masks, strict=True)])
    outside = np.mean([fall[mask == 0].mean() for fall, mask in zip(falls, masks, strict=True)])
    return inside > 3 * abs(outside)


def test_L02_the_classifier_looks_at_the_shape(model, unseen):
    four = unseen.subset(range(4))
    assert looks_at_the_shape(model, four, [mask for _, mask in four])


def test_L02_breaks_when_the_masks_are_those_of_moved_shapes(model, unseen):
    four = unseen.subset(range(4))
    moved = shapes(4, 1, (32, 32))
    assert not looks_at_the_shape(model, four, [mask for _, mask in moved])


def test_the_patch_visits_every_place_and_must_fit(model):
    image = shapes(1, 5)[0][0]
    calls = []

    class Constant:
        def predict_on_batch(self, pictures):
            calls.append(len(pictures))
            return np.full((len(pictures), 4), 0.25)

    assert not lecture.occlusion_map(Constant(), image, 0, patch=16, step=16).any() and calls == [
        1 + 16
    ]
    for patch, step in ((65, 3), (16, 17), (4, 0)):
        with pytest.raises(ValueError, match="step <= patch"):
            lecture.occlusion_map(model, image, 0, patch=patch, step=step)


# --- figures ---


def test_figures_are_drawn_from_small_arrays(model):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3), dtype="uint8")
    tensors = {
        "pool4": rng.random((4, 4, 64)),
        "dense": rng.random(64),
        "probabilities": np.array([0.1, 0.2, 0.3, 0.4]),
    }
    figure = draw.draw_classifier(fcn.models.describe(model), image, tensors, ("a", "b", "c", "d"))
    titles = [axis.get_title() for part in figure.subfigs for axis in part.axes]
    assert "where the 126,372 parameters are" in titles and "dense\n64" in titles
    filters, maps, fall = rng.random((3, 3, 3, 2)), rng.random((8, 8, 2)), rng.random((64, 64))
    assert "filter 2" in [axis.get_title() for axis in draw.draw_filters(image, filters, maps).axes]
    assert (
        draw.draw_attention([image, image], [fall, fall], ["one", "two"]).axes[0].get_title()
        == "one"
    )
    assert draw.draw_learned_filters(
        image, filters, maps, [image, image], [fall, fall], ["one", "two"]
    ).subfigs
    assert draw.draw_learning([1.0, 0.5], [0.5, 0.9]).axes[1].get_ylim()[1] == 105
    assert draw.draw_pictures([image], ["a"], "pictures").axes[0].get_title() == "a"


@pytest.mark.parametrize("name", ["classifier", "learned_filters"])
def test_the_lecture_draws_the_same_figures(name, experiment, tmp_path):
    fcn.visualization.save(getattr(lecture, name)(experiment), tmp_path / "figure.png", dpi=20)
    assert fcn.images.read_image(tmp_path / "figure.png").std() > 10
