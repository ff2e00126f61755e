"""The paper's FCN-32s, 16s and 8s as they were released, to the pixel, and their weights.

They differ from `models.fcn` only in where the border goes. The released networks pad the image by 100
pixels, let fc6 and the upsampling layers run without padding, and crop what is too much; here the
offsets of these crops follow from `geometry`, where the paper's code finds 19; 5, 27; 5, 9, 31.

Source: Long, Shelhamer, Darrell, *Fully Convolutional Networks for Semantic Segmentation*, section 4.
These are the networks that were trained in stages, each from the one before.
"""

import keras

from fcn_keras import geometry, layers
from fcn_keras.backbones import VGG16_WIDTHS, blocks
from fcn_keras.support import arguments

PADDING = 100
MEAN_BGR = (104.00699, 116.66877, 122.67892)


def fcn32s(num_classes: int = 21, widths=VGG16_WIDTHS, width: int = 4096) -> keras.Model:
    """FCN-32s: the coarse scores, upsampled 32 times at once (lecture: L20).

    Starts as in the paper: scores zero, upsampling bilinear. The upsampling stays so, as released; set
    `model.get_layer("upscore").trainable = True` to learn it. fc6, fc7 and the convolutions start
    random until `carry_over` or `load_weights` fills them.

    Args:
        num_classes: Number of classes C; PASCAL VOC has 20 and the background.
        widths: Channels of VGG's convolutions, block by block. Narrower ones keep the geometry and
            fit a laptop; the released weights need the default.
        width: Channels of fc6 and fc7.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255, any size from 1 × 1 → `(batch, H, W, C)` logits.
        With 21 classes 134,346,581 parameters and 64·64·21² in the upsampling.

    Raises:
        ValueError: If `num_classes` is smaller than 2.
    """
    return _network(32, num_classes, widths, width)


def fcn16s(num_classes: int = 21, widths=VGG16_WIDTHS, width: int = 4096) -> keras.Model:
    """FCN-16s: FCN-32s with a skip from pool4 (lecture: L20). Arguments, result and errors as `fcn32s`."""
    return _network(16, num_classes, widths, width)


def fcn8s(num_classes: int = 21, widths=VGG16_WIDTHS, width: int = 4096) -> keras.Model:
    """FCN-8s: FCN-16s with another skip, from pool3 (lecture: L20). Arguments, result and errors as `fcn32s`."""
    return _network(8, num_classes, widths, width)


def _network(stride, num_classes, widths, width):
    arguments.whole_number("num_classes", num_classes, 2, 255, "Void is none of them.")
    arguments.whole_number("width", width, 1)

    def up(factor, name):
        layer = layers.upscore(num_classes, factor, name, padding="valid")
        layer.trainable = False  # released with learning rate 0
        return layer

    def lay_on(larger, target, name):
        """Cuts a map so that it lies on its target, and to its size."""
        offset = geometry.crop_offset(
            geometry.field_of(larger, image), geometry.field_of(target, image)
        )
        return layers.CropToMatch(offset, name=name, dtype="float32")(
            [larger, target]
        )  # scores, as `models.precision` says

    def skip(coarse, pool):
        """The finer scores are the larger map here, for the padding that fc6 ate; they are cut to the coarse ones."""
        fine = layers.score(num_classes, f"score_{pool}")(pools[pool])
        return keras.layers.Add(name=f"fuse_{pool}", dtype="float32")(
            [coarse, lay_on(fine, coarse, f"score_{pool}c")]
        )

    # sizes along an axis of n pixels
    image = keras.Input((None, None, 3), name="image")  # n
    x = layers.VGGPreprocessing(MEAN_BGR, name="preprocessing")(image)
    x = keras.layers.ZeroPadding2D(PADDING - 1, name="padding")(
        x
    )  # n + 198: conv1_1 itself adds the hundredth
    pools = blocks(x, widths)  # pool5: ⌈(n + 198) / 32⌉
    x = keras.layers.Conv2D(
        width, 7, activation="relu", kernel_initializer="he_normal", name="fc6"
    )(pools["pool5"])  # − 6
    x = keras.layers.Dropout(0.5, name="drop6")(x)
    x = keras.layers.Conv2D(
        width, 1, activation="relu", kernel_initializer="he_normal", name="fc7"
    )(x)
    x = keras.layers.Dropout(0.5, name="drop7")(x)
    x = layers.score(num_classes, "score_fr")(x)
    if stride <= 16:
        x = skip(up(2, "upscore2")(x), "pool4")
    if stride == 8:
        x = skip(up(2, "upscore_pool4")(x), "pool3")
    x = up(stride, "upscore" if stride == 32 else f"upscore{stride}")(x)
    return keras.Model(image, lay_on(x, image, "score"), name=f"published_fcn{stride}s")


def crop_offsets(model: keras.Model) -> dict[str, int]:
    """The offsets at which a network crops, `{layer name: pixels}`; FCN-8s: 5, 9, 31."""
    arguments.model("model", model)
    return {
        layer.name: layer.offset for layer in model.layers if isinstance(layer, layers.CropToMatch)
    }
