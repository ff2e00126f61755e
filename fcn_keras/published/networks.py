"""The paper's FCN-32s, 16s and 8s as they were released, to the pixel (lecture: L20).

They differ from `models.fcn` only in how they treat the border. The released networks pad the image
by 100 pixels, run fc6 and the upsampling layers without padding, and crop the surplus. Here the
offsets of these crops follow from `geometry`; the paper's code has 19; 5, 27; 5, 9, 31.

Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*,
section 4. These are the networks that were trained in stages, each starting from the one
before.
"""

from collections.abc import Sequence

import keras

from fcn_keras import geometry, layers
from fcn_keras.backbones import VGG16_WIDTHS, blocks
from fcn_keras.support.kinds import Classes, Count, Model, checked

PADDING = 100
MEAN_BGR = (104.00699, 116.66877, 122.67892)

BlockWidths = Sequence[Sequence[int]]  # channels of VGG's convolutions, block by block


@checked
def fcn32s(
    num_classes: Classes = 21, widths: BlockWidths = VGG16_WIDTHS, width: Count = 4096
) -> keras.Model:
    """FCN-32s: the coarse scores, upsampled 32 times at once (lecture: L20).

    It starts as in the paper: scores zero, upsampling bilinear. The upsampling is not trained, as
    in the released network; set `model.get_layer("upscore").trainable = True` to learn it. fc6, fc7
    and the convolutions are random until `carry_over` or `load_weights` fills them.

    Args:
        num_classes: Number of classes C; PASCAL VOC has 20 and the background.
        widths: Channels of VGG's convolutions, block by block. Narrower ones keep the geometry and
            fit a laptop; the released weights need the default.
        width: Channels of fc6 and fc7.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255, any H and W → `(batch, H, W, C)` logits.
        With 21 classes it has 134,346,581 parameters, and 64·64·21² in the upsampling.

    Raises:
        ValueError: If `num_classes` is smaller than 2.
    """
    return _network(32, num_classes, widths, width)


@checked
def fcn16s(
    num_classes: Classes = 21, widths: BlockWidths = VGG16_WIDTHS, width: Count = 4096
) -> keras.Model:
    """FCN-16s: FCN-32s with a skip from pool4 (lecture: L20).

    Arguments, result and errors: as `fcn32s`.
    """
    return _network(16, num_classes, widths, width)


@checked
def fcn8s(
    num_classes: Classes = 21, widths: BlockWidths = VGG16_WIDTHS, width: Count = 4096
) -> keras.Model:
    """FCN-8s: FCN-16s with another skip, from pool3 (lecture: L20).

    Arguments, result and errors: as `fcn32s`.
    """
    return _network(8, num_classes, widths, width)


def _network(stride: int, num_classes: int, widths: BlockWidths, width: int) -> keras.Model:
    # the comments give the sizes along an axis of n pixels
    image = keras.Input((None, None, 3), name="image")  # n
    x = layers.VGGPreprocessing(MEAN_BGR, name="preprocessing")(image)
    # conv1_1 itself adds the hundredth pixel on each side
    x = keras.layers.ZeroPadding2D(PADDING - 1, name="padding")(x)  # n + 198
    pools = blocks(x, widths)  # pool5: ⌈(n + 198) / 32⌉
    x = _fc6_and_fc7(pools["pool5"], width)  # − 6
    x = layers.score(num_classes, "score_fr")(x)
    if stride <= 16:
        x = _upsampled(x, 2, "upscore2")
        x = _skip(x, pools["pool4"], image, "pool4")
    if stride == 8:
        x = _upsampled(x, 2, "upscore_pool4")
        x = _skip(x, pools["pool3"], image, "pool3")
    x = _upsampled(x, stride, "upscore" if stride == 32 else f"upscore{stride}")
    scores = _cropped_to(image, x, image, "score")  # n
    return keras.Model(image, scores, name=f"published_fcn{stride}s")


def _fc6_and_fc7(x, width: int):
    """VGG's first two dense layers as convolutions, without padding."""
    for name, kernel in (("6", 7), ("7", 1)):
        x = keras.layers.Conv2D(
            width, kernel, activation="relu", kernel_initializer="he_normal", name=f"fc{name}"
        )(x)
        x = keras.layers.Dropout(0.5, name=f"drop{name}")(x)
    return x


def _upsampled(scores, factor: int, name: str):
    layer = layers.upscore(scores.shape[-1], factor, name, padding="valid")
    layer.trainable = False  # released with learning rate 0
    return layer(scores)


def _skip(coarse, pool, image, name: str):
    """Adds the scores of a finer map, cropped to the coarse ones.

    The finer map is the larger one here, because fc6 took off its padding.
    """
    fine = layers.score(coarse.shape[-1], f"score_{name}")(pool)
    fine = _cropped_to(coarse, fine, image, f"score_{name}c")
    return keras.layers.Add(name=f"fuse_{name}", dtype="float32")([coarse, fine])


def _cropped_to(target, larger, image, name: str):
    """Crops a map so that it has its target's size and its values lie over the target's."""
    larger_field, target_field = geometry.field_of(larger, image), geometry.field_of(target, image)
    offset = geometry.crop_offset(larger_field, target_field)
    # scores stay float32 in any precision, see `models.precision`
    return layers.CropToMatch(offset, name=name, dtype="float32")([larger, target])


@checked
def crop_offsets(model: Model) -> dict[str, int]:
    """The offsets at which a network crops, `{layer name: pixels}`; FCN-8s: 5, 9, 31.

    Raises:
        TypeError: If `model` is not a Keras model.
    """
    crops = (layer for layer in model.layers if isinstance(layer, layers.CropToMatch))
    return {layer.name: layer.offset for layer in crops}
