"""What holds for every size, every type of number, every label and every place of void (hypothesis
draws the examples)."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import fcn_keras as fcn
from fcn_keras.datasets import VOID
from fcn_keras.evaluation import Scores, boundary_band, coarsen, confusion_matrix

CLASSES = 4
few = settings(max_examples=25, deadline=None, derandomize=True)
many = settings(max_examples=150, deadline=None, derandomize=True)
sizes = st.tuples(st.integers(1, 70), st.integers(1, 70))
small = st.tuples(st.integers(1, 12), st.integers(1, 12))
maps = small.flatmap(
    lambda size: arrays.arrays("uint8", size, elements=st.sampled_from([*range(CLASSES), VOID]))
)


def pair_of_maps(size):
    labels = arrays.arrays("uint8", size, elements=st.sampled_from([*range(CLASSES), VOID]))
    return st.tuples(labels, arrays.arrays("uint8", size, elements=st.integers(0, CLASSES - 1)))


pairs = small.flatmap(pair_of_maps)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    encoder = fcn.backbones.vgg(((3,),) * 5, keras.layers.Rescaling(1 / 255), "tiny")
    made = fcn.models.fcn(CLASSES, 8, encoder, width=4)
    made.set_weights(
        [np.random.default_rng(0).normal(0, 0.3, weight.shape) for weight in made.get_weights()]
    )
    return made


def picture(size, seed):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype="uint8")


@pytest.mark.slow
@few
@given(size=sizes, seed=st.integers(0, 99))
def test_any_size_gets_a_label_for_every_pixel_and_tiles_agree(model, size, seed):
    image = picture(size, seed)
    labels = fcn.prediction.segment(model, image)
    assert labels.shape == size and labels.max() < CLASSES
    scores = fcn.prediction.logits(model, image)
    # rounding decides there
    tied = np.diff(np.sort(scores, axis=-1)[..., -2:], axis=-1)[..., 0] < 1e-4
    tiles = fcn.prediction.segment_tiled(model, image, tile=16)
    assert (tied | (tiles == labels)).all()


@few
@given(
    size=sizes,
    dtype=st.sampled_from(
        ["uint8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64"]
    ),
)
def test_the_type_of_the_numbers_changes_nothing(model, size, dtype):
    image = picture(size, 1)
    expected, found = (
        fcn.prediction.logits(model, array) for array in (image, image.astype(dtype))
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


@many
@given(pair=pairs)
def test_the_confusion_matrix_counts_like_a_slow_loop_and_never_void(pair):
    true, predicted = pair
    slow = np.zeros((CLASSES, CLASSES), int)
    for t, p in zip(true.ravel(), predicted.ravel(), strict=True):
        if t != VOID:
            slow[t, p] += 1
    found = confusion_matrix(true, predicted, CLASSES)
    np.testing.assert_array_equal(found, slow)
    # what is said on void has no weight
    other = np.where(true == VOID, (predicted + 1) % CLASSES, predicted)
    np.testing.assert_array_equal(confusion_matrix(true, other, CLASSES), found)


@many
@given(pair=pairs)
def test_scores_lie_between_0_and_1_and_only_the_right_answer_is_perfect(pair):
    true, predicted = pair
    scores = Scores(confusion_matrix(true, predicted, CLASSES))
    numbers = [
        scores.pixel_accuracy,
        scores.mean_accuracy,
        scores.mean_iou,
        scores.frequency_weighted_iou,
        *scores.iou,
    ]
    assert all(np.isnan(number) or 0 <= number <= 1 for number in numbers)
    scored = true != VOID
    if scored.any():
        assert (scores.mean_iou == 1) == bool((true == predicted)[scored].all())
        assert scores.mean_iou <= scores.mean_accuracy + 1e-12 or len(
            np.unique(predicted[scored])
        ) > len(np.unique(true[scored]))


@many
@given(labels=maps, value=st.integers(CLASSES, 254))
def test_a_number_that_is_no_class_is_refused_wherever_it_stands(labels, value):
    labels = labels.copy()
    labels.flat[value % labels.size] = value
    predicted = np.zeros_like(labels)
    with pytest.raises(ValueError, match=f"Received: {value}"):
        confusion_matrix(labels, predicted, CLASSES)
    image = np.full((*labels.shape, 3), 9, "uint8")
    data = fcn.datasets.SegmentationData(lambda i: (image, labels), 1, tuple("abcd"))
    with pytest.raises(ValueError, match=f"Received: {value}"):
        data[0]


@many
@given(labels=maps, width=st.integers(1, 5))
def test_the_boundary_band_grows_with_its_width_and_never_covers_void(labels, width):
    band, wider = boundary_band(labels, width), boundary_band(labels, width + 1)
    assert not band[labels == VOID].any() and (wider | ~band).all()
    if len(np.unique(labels[labels != VOID])) < 2:
        assert not band.any()


@many
@given(labels=maps, factor=st.integers(1, 8))
def test_a_coarse_map_has_the_size_of_the_fine_one_and_no_void(labels, factor):
    coarse = coarsen(labels, factor, CLASSES)
    assert coarse.shape == labels.shape and coarse.max() < CLASSES
    if factor == 1:
        np.testing.assert_array_equal(coarse[labels != VOID], labels[labels != VOID])


@many
@given(labels=maps, dtype=st.sampled_from(["uint8", "int16", "int32", "int64"]))
def test_views_and_batches_keep_void_whatever_the_type(labels, dtype):
    image = np.full((*labels.shape, 3), 9, "uint8")
    data = fcn.datasets.SegmentationData(lambda i: (image, labels.astype(dtype)), 2, tuple("abcd"))
    view = data.view({"b": ["b"], "rest": ["c", "d"]})
    np.testing.assert_array_equal(view[0][1] == VOID, labels == VOID)
    for old, new in enumerate((0, 1, 2, 2)):
        assert (view[0][1][labels == old] == new).all()
    _, masks = data.batches(2)[0]
    np.testing.assert_array_equal(masks[0], labels)


@few
@given(labels=maps, numbers=st.permutations(range(CLASSES)), void=st.integers(CLASSES, 254))
def test_a_mask_file_comes_back_as_it_was_written(tmp_path_factory, labels, numbers, void):
    """As class numbers with any number for void, and as colours."""
    folder = tmp_path_factory.mktemp("mask")
    image = np.full((*labels.shape, 3), 9, "uint8")
    fcn.images.write_image(folder / "images" / "a.png", image)
    fcn.images.write_image(
        folder / "numbers" / "a.png", np.where(labels == VOID, void, labels).astype("uint8")
    )
    read = fcn.datasets.image_folder(
        folder / "images", folder / "numbers", tuple("abcd"), void=void
    )[0][1]
    np.testing.assert_array_equal(read, labels)
    table = {
        name: (10 * number, 200 - number, 7) for name, number in zip("abcd", numbers, strict=True)
    }
    colours = np.zeros((256, 3), "uint8")
    for number, name in enumerate("abcd"):
        colours[number] = table[name]
    fcn.images.write_image(folder / "colours" / "a.png", colours[labels])
    table["void"] = (0, 0, 0)
    read = fcn.datasets.image_folder(
        folder / "images", folder / "colours", tuple("abcd"), colours=table
    )[0][1]
    np.testing.assert_array_equal(read, labels)


@few
@given(labels=maps)
def test_the_loss_of_void_is_nothing(labels):
    """Whatever the network says there: same loss, and no gradient would differ."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(1, *labels.shape, CLASSES)).astype("float32")
    other = np.where((labels == VOID)[None, ..., None], 50.0, scores).astype("float32")
    loss = fcn.training.segmentation_loss()
    first, second = (float(loss(labels[None].astype("int32"), given)) for given in (scores, other))
    assert first == pytest.approx(second, abs=1e-6)
    if (labels == VOID).all():
        assert first == 0
