"""Notebook 00: an image is an array (L01), four tasks (L04), outputs counted (L05), what and where
(L06), regions (L07)."""

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import fcn_keras as fcn
from fcn_keras.datasets.drawn.shapes import arrays, shapes
from fcn_keras.lecture import images
from fcn_keras.lecture.classifier import shapes_classifier
from fcn_keras.lecture.experiment import Experiment, Settings
from fcn_keras.visualization.tasks import (
    boxes,
    draw_channels,
    draw_outputs,
    draw_tasks,
    draw_what_and_where,
    draw_zoom,
)

SHIFT = (11, 7)


@pytest.fixture(scope="module")
def road_scene():
    data = fcn.datasets.road_scenes("test", count=images.TASKS_SCENE + 1)
    return data, *data[images.TASKS_SCENE]


# L01: what is seen in the figure is the array, number by number


def numbers_shown(figure, array):
    """Whether the texts of some axes are the array's values, each written on its own pixel."""
    for axis in figure.axes:
        shown = {
            (int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axis.texts
        }
        if len(shown) == array.size:
            return all(shown[place] == f"{value:.0f}" for place, value in np.ndenumerate(array))
    return False


def test_L01_the_numbers_in_the_zoom_are_the_pictures_own():
    photo = images.photograph()
    assert photo.shape == (600, 512, 3) and photo.dtype == np.uint8
    grey = photo.mean(axis=-1)
    top, left, size = images.ZOOM[-1]
    assert numbers_shown(draw_zoom(grey, images.ZOOM), grey[top : top + size, left : left + size])


def test_L01_breaks_when_rows_and_columns_are_exchanged():
    grey = images.photograph().mean(axis=-1)
    top, left, size = images.ZOOM[-1]
    assert not numbers_shown(
        draw_zoom(grey, images.ZOOM), grey[left : left + size, top : top + size]
    )


def test_L01_each_zoom_lies_inside_the_one_before():
    top, left, (height, width) = 0, 0, (600, 512)
    for row, column, size in images.ZOOM:
        assert (
            top <= row
            and row + size <= top + height
            and left <= column
            and column + size <= left + width
        )
        top, left, height, width = row, column, size, size


# L04: the boxes are those of the things in the mask


def boxes_fit(found, mask):
    """Whether every pixel of the class lies in a box, and every box touches the class on all four
    sides."""
    covered = np.zeros(mask.shape, bool)
    for top, bottom, left, right in found:
        covered[top : bottom + 1, left : right + 1] = True
        inside = mask[top : bottom + 1, left : right + 1]
        if not (
            inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()
        ):
            return False
    return bool(covered[mask].all())


def test_L04_boxes_fit_the_things(road_scene):
    data, _, labels = road_scene
    car = data.class_names.index("car")
    found = boxes(labels, car)
    assert len(found) >= 2
    assert boxes_fit(found, labels == car)


def test_L04_breaks_when_a_box_is_moved(road_scene):
    data, _, labels = road_scene
    car = data.class_names.index("car")
    (top, bottom, left, right), *others = boxes(labels, car)
    assert not boxes_fit([(top + 2, bottom + 2, left, right), *others], labels == car)


def test_L04_things_that_touch_share_a_box_and_corners_do_not_touch():
    labels = np.zeros((6, 9), int)
    labels[1:3, 1:3] = labels[3:5, 3:5] = 1  # corner to corner
    assert boxes(labels, 1) == [(1, 2, 1, 2), (3, 4, 3, 4)]
    labels[2, 3] = 1  # now side to side
    assert boxes(labels, 1) == [(1, 4, 1, 4)]
    labels[0, 8] = 1
    assert boxes(labels, 1, smallest=2) == [(1, 4, 1, 4)] and len(boxes(labels, 1)) == 2
    assert boxes(labels, 7) == []


def test_L04_a_u_is_one_thing():
    labels = np.ones((40, 40), int)
    labels[:-1, 1:-1] = 0
    assert boxes(labels, 1) == [(0, 39, 0, 39)]


def test_L04_the_figure_says_that_the_sentence_is_written_by_hand(experiment):
    figure = images.tasks(experiment)
    assert any("written by hand" in axis.get_title() for axis in figure.axes)
    assert any(images.TASKS_CAPTION in axis.get_xlabel().replace("\n", " ") for axis in figure.axes)


# L05: one class for the picture, one for every pixel


def classes_given(model, image):
    """How many classes a model gives for one picture: the highest score wins, once or at every
    pixel."""
    return model.predict(image[None].astype("float32"), verbose=0).argmax(axis=-1).size


def test_L05_one_class_for_the_picture_one_for_every_pixel():
    image, labels = shapes(1)[0]
    assert classes_given(fcn.models.classifier(4), image) == 1
    assert classes_given(fcn.models.fcn_from_cae(fcn.models.cae(), 5), image) == labels.size == 4096


def test_L05_breaks_when_a_dense_layer_ends_the_segmenter():
    segmenter = fcn.models.fcn_from_cae(fcn.models.cae(), 5)
    image, labels = shapes(1)[0]
    pooled = keras.layers.GlobalAveragePooling2D()(segmenter.output)
    ends_dense = keras.Model(segmenter.input, keras.layers.Dense(5)(pooled))
    assert classes_given(ends_dense, image) == 1 != labels.size


# L06: what stays, where moves


def labels_kept(model, here, there):
    """Of how many scenes a classifier says, and says rightly, the same of both."""
    (first, truth), (second, _) = arrays(here), arrays(there)
    first, second = (model.predict(images, verbose=0).argmax(axis=-1) for images in (first, second))
    return int(((first == truth) & (second == truth)).sum())


def masks_moved(here, there):
    """In how many scenes the mask is another, and what share of the things' pixels are still
    theirs."""
    first, second = (np.stack([mask for _, mask in data]) for data in (here, there))
    return int((first != second).any(axis=(1, 2)).sum()), (
        (first == second) & (first > 0)
    ).sum() / (first > 0).sum()


@pytest.fixture(scope="module")
def classifier(experiment):
    return shapes_classifier(experiment)


@pytest.fixture(scope="module")
def scenes():
    return shapes(100, seed=1), shapes(100, seed=1, shift=SHIFT)


def test_L06_the_label_stays_and_the_mask_moves(classifier, scenes):
    assert labels_kept(classifier, *scenes) >= 95
    moved, still_covered = masks_moved(*scenes)
    assert moved == 100 and still_covered < 0.25


def test_L06_breaks_when_another_thing_stands_there(classifier, scenes):
    here, there = scenes
    # the next scene: another class
    exchanged = there.subset([index + 1 for index in range(99)] + [0])
    assert labels_kept(classifier, here, exchanged) < 5


def test_L06_breaks_when_nothing_is_moved(scenes):
    assert masks_moved(scenes[0], shapes(100, seed=1)) == (0, 1.0)


def test_L06_breaks_when_the_classifier_has_no_convolutions(scenes):
    """Weights that belong to a place, as in a dense layer on pixels, cannot know a thing that is
    elsewhere."""
    keras.utils.set_random_seed(0)
    image = keras.Input((64, 64, 3))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(image))
    x = keras.layers.Dense(4, activation="softmax")(keras.layers.Dense(32, activation="relu")(x))
    dense = keras.Model(image, x)
    dense.compile(optimizer="adam", loss="sparse_categorical_crossentropy", jit_compile=False)
    dense.fit(*arrays(shapes(400, 0)), batch_size=32, epochs=8, verbose=0)
    assert labels_kept(dense, *scenes) < 60


def test_L06_the_classifier_is_kept(classifier, experiment, monkeypatch):
    monkeypatch.setattr(fcn.models, "classifier", None)  # training again would fail
    again = shapes_classifier(Experiment(Settings(), reuse=True))
    for ours, theirs in zip(again.get_weights(), classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# L07: a colour is a class


def classes_of(picture, palette):
    """The label map that a coloured picture stands for."""
    return (picture[:, :, None] == palette).all(axis=-1).argmax(axis=-1)


def test_L07_the_colours_are_the_classes(road_scene):
    data, _, labels = road_scene
    np.testing.assert_array_equal(
        classes_of(fcn.visualization.colourise(labels, data.palette), data.palette), labels
    )


def test_L07_breaks_when_two_classes_share_a_colour(road_scene):
    data, _, labels = road_scene
    palette = data.palette.copy()
    palette[data.class_names.index("pavement")] = palette[data.class_names.index("road")]
    assert (classes_of(fcn.visualization.colourise(labels, palette), palette) != labels).any()


# the figures, from tiny arrays and from an experiment


def test_every_figure_draws_from_tiny_arrays():
    rng = np.random.default_rng(0)
    image, labels = rng.integers(0, 256, (16, 24, 3), dtype="uint8"), np.zeros((16, 24), "uint8")
    labels[4:9, 5:12] = 1
    names, palette = ("ground", "thing"), fcn.datasets.default_palette(2)
    pair = (
        [image, image],
        [image, image],
        [labels, labels],
        [labels, labels],
        ["thing"] * 2,
        ["thing", "other"],
        palette,
    )
    for figure in (
        draw_zoom(image.mean(axis=-1), ((2, 3, 10), (4, 5, 4))),
        draw_channels(image, (3, 4)),
        draw_tasks(image, labels, names, palette, "room", {"thing": boxes(labels, 1)}, "A thing."),
        draw_outputs(image, labels, names, palette, (2, 3, 6)),
        draw_what_and_where(*pair),
    ):
        assert isinstance(figure, Figure) and len(figure._repr_png_()[0]) > 5000


@pytest.mark.parametrize("name", ["zoom", "tasks", "outputs", "what_and_where"])
def test_the_lectures_figures_draw(name, experiment):
    assert isinstance(getattr(images, name)(experiment), Figure)
