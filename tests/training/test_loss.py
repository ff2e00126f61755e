"""The loss as a Keras user meets it: `compile`, `fit` with weights, masks of several shapes."""

import keras
import numpy as np
import pytest

from fcn_keras.training import PixelwiseCrossEntropy, segmentation_loss
from fcn_keras.training.own_loss import WithoutVoid

LOSSES = {
    "ours": PixelwiseCrossEntropy,
    "another": lambda *weights: WithoutVoid(
        keras.losses.SparseCategoricalCrossentropy(from_logits=True), *weights
    ),
}
each_loss = pytest.mark.parametrize("make", LOSSES.values(), ids=LOSSES)


@pytest.fixture
def pixels():
    """As many images as columns, so that a weight per image could be taken for one per column."""
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 2, 255], (4, 3, 4)).astype("uint8")
    return labels, rng.normal(size=(4, 3, 4, 3)).astype("float32")


def by_hand(labels, logits, weights, class_weight=(1, 1, 1)):
    """Σ weight · class weight · loss / Σ class weight, over the pixels that are not void."""
    known = labels != 255
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    true = labels[known]
    losses = -np.log(p[known][np.arange(len(true)), true])
    counts = np.array(class_weight, "float64")[true]
    return (np.broadcast_to(weights, labels.shape)[known] * counts * losses).sum() / counts.sum()


@each_loss
@pytest.mark.parametrize("class_weight", [None, (1.0, 5.0, 0.0)])
def test_weights_weigh_images_and_pixels(pixels, make, class_weight):
    labels, logits = pixels
    loss, rng = make(class_weight), np.random.default_rng(1)
    of_images, of_pixels = rng.random(4), rng.random(labels.shape)
    for given, meant in (
        (of_images, of_images[:, None, None]),
        (of_images[:, None], of_images[:, None, None]),
        (of_pixels, of_pixels),
        (of_pixels[..., None], of_pixels),
    ):
        expected = by_hand(labels, logits, meant, class_weight or (1, 1, 1))
        assert float(loss(labels, logits, given)) == pytest.approx(expected, rel=1e-5)


def test_weights_do_what_they_do_in_the_loss_of_keras(pixels):
    keras_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    labels, logits = pixels
    weights = np.random.default_rng(2).random(labels.shape)
    theirs = float(keras_loss(labels.astype("int32"), logits, weights))
    assert float(segmentation_loss()(labels, logits, weights)) == pytest.approx(theirs, rel=1e-5)


@each_loss
def test_masks_with_a_channel_are_the_same_and_others_are_answered(pixels, make):
    labels, logits = pixels
    assert float(make()(labels[..., None], logits)) == float(make()(labels, logits))
    with pytest.raises(ValueError, match=r"class number for each pixel.*Received: shape.*argmax"):
        make()(np.eye(3)[np.minimum(labels, 2)], logits)


@each_loss
@pytest.mark.parametrize("label", [3, 7, 254, -1])
def test_a_label_that_is_no_class_is_an_error_and_never_0(pixels, make, label):
    """Compiled code cannot raise, so there the loss is not a number."""
    labels, logits = pixels[0].astype("int32"), pixels[1]
    labels[1, 2, 3] = label
    with pytest.raises(ValueError, match=rf"class numbers 0 to 2, or 255.*Received: {label}"):
        make()(labels, logits)
    if make is PixelwiseCrossEntropy:  # TensorFlow's own loss raises an error of its own
        assert np.isnan(float(make()(keras.ops.convert_to_tensor(labels), logits)))


@each_loss
def test_the_value_of_each_pixel_and_their_sum_are_there_too(pixels, make):
    labels, logits = pixels
    values = keras.ops.convert_to_numpy(make().call(labels, logits))
    assert values.shape == labels.shape and (values[labels == 255] == 0).all()
    mean = values.sum() / (labels != 255).sum()
    assert float(make()(labels, logits)) == pytest.approx(mean, rel=1e-5)
    unreduced = PixelwiseCrossEntropy(reduction="none")(labels, logits)
    assert tuple(unreduced.shape) == labels.shape
    total = PixelwiseCrossEntropy(reduction="sum")(labels, logits)
    assert float(total) == pytest.approx(float(by_hand(labels, logits, 1) * (labels != 255).sum()))


def trained(sample_weight, masks, loss=None):
    """The losses of two epochs of plain Keras, and the bias that was learnt."""
    images = np.ones((4, 3, 4, 3), "float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    model.compile(keras.optimizers.SGD(1.0), loss or segmentation_loss())
    history = model.fit(
        images, masks, sample_weight=sample_weight, batch_size=4, epochs=2, verbose=0, shuffle=False
    )
    return history.history["loss"], model.get_weights()[1]


def test_keras_fit_with_weights_learns_from_what_has_weight(pixels):
    masks = np.arange(4).clip(0, 2).astype("uint8")[:, None, None] * np.ones((4, 3, 4), "uint8")
    plain, _ = trained(None, masks)
    doubled, _ = trained(np.full(4, 2.0), masks)
    assert doubled[0] == pytest.approx(2 * plain[0], rel=1e-5)
    only_first, bias = trained(np.array([1.0, 0, 0, 0]), masks)
    of_pixels, same = trained(np.array([1.0, 0, 0, 0])[:, None, None] * np.ones((4, 3, 4)), masks)
    assert only_first == pytest.approx(of_pixels) and bias == pytest.approx(same)
    assert bias.argmax() == 0  # the class of the image that has weight; most pixels are class 2
    nothing, bias = trained(None, np.full((4, 3, 4), 255, "uint8"))
    assert nothing == [0, 0] and not bias.any()  # a batch of void costs nothing, teaches nothing


def test_keras_fit_on_a_label_that_is_no_class_gives_no_number(pixels):
    labels = pixels[0].copy()
    labels[0, 0, 0] = 7
    losses, _ = trained(None, labels)
    assert np.isnan(losses).all()


def test_it_is_saved_with_the_model_also_as_an_older_version_wrote_it():
    loss = PixelwiseCrossEntropy([1.0, 2.0])
    assert loss.get_config()["reduction"] == "sum_over_batch_size"
    older = {"name": "l", "reduction": "sum_over_batch_size", "class_weight": None}
    again = PixelwiseCrossEntropy.from_config(older)
    labels, logits = np.array([[[1, 255]]]), np.zeros((1, 1, 2, 2), "float32")
    assert float(again(labels, logits)) == pytest.approx(np.log(2), rel=1e-5)
