"""The layers that FCNs need besides convolution and pooling (lecture: L15–L17, L23).

`score` and `upscore` set up Keras' own `Conv2D` and `Conv2DTranspose`; `Bilinear` initialises the
latter to interpolate. `CropToMatch`, `PadToMultiple` and `VGGPreprocessing` are new layers. All
other layers of the networks are Keras' own. Importing this module registers the new classes with
Keras, so that saved models load without `custom_objects`. `@checked` compares arguments with the
kinds in the signature, such as `Count`: see `support.kinds`.
"""

from typing import Literal

import keras
import numpy as np
from keras import ops

from fcn_keras.geometry.sizes import ceil_div
from fcn_keras.support import arguments
from fcn_keras.support.kinds import Count, checked

PACKAGE = "fcn_keras"


@checked
def bilinear_kernel(factor: Count) -> np.ndarray:
    """A kernel with which a transposed convolution interpolates one channel (lecture: L16).

    Its weights fall linearly from the centre to the border, like the sides of a tent. A transposed
    convolution adds the kernel to the output once for each input pixel, weighted by that pixel, in
    steps of `factor`. Where these copies overlap, their sum is the linear interpolation.

    Args:
        factor: Output pixels per input pixel.

    Returns:
        float32 array, k × k; values in (0, 1], sum factor². k = 2·factor − 1 for an odd factor,
        with a pixel at the centre; k = 2·factor for an even one, with the centre between pixels.

    Raises:
        ValueError: If `factor` is smaller than 1.

    Source: Long, Shelhamer, Darrell, section 3.3; weight i per axis is 1 − |i − centre| / factor.

    Example:
        >>> fcn.layers.bilinear_kernel(2)[0].tolist()  # the first of 4 rows
        [0.0625, 0.1875, 0.1875, 0.0625]
    """
    size = 2 * factor - factor % 2
    centre = (size - 1) / 2  # position of the tent's top; between two pixels if the size is even
    tent = 1 - np.abs(np.arange(size) - centre) / factor
    return np.outer(tent, tent).astype("float32")


@keras.saving.register_keras_serializable(PACKAGE)
class Bilinear(keras.initializers.Initializer):
    """Initialises a `Conv2DTranspose` as bilinear upsampling of each channel (lecture: L16).

    Args:
        factor: The layer's stride. Its kernel must be as large as `bilinear_kernel(factor)`.

    Example:
        >>> kernel = fcn.layers.Bilinear(2)((4, 4, 3, 3))
        >>> keras.ops.convert_to_numpy(kernel)[1, 1].diagonal().tolist()
        [0.5625, 0.5625, 0.5625]
    """

    @checked
    def __init__(self, factor: Count):
        self.factor = factor

    def __call__(self, shape, dtype=None):
        tent = bilinear_kernel(self.factor)
        height, width, out_channels, in_channels = shape
        if (height, width) != tent.shape:
            wanted = f"a kernel of {tent.shape[0]} x {tent.shape[1]} for factor {self.factor}"
            raise ValueError(f"Expected {wanted}. Received: {height} x {width}")
        diagonal = np.eye(out_channels, in_channels, dtype="float32")  # channel c feeds channel c
        return ops.convert_to_tensor(tent[:, :, None, None] * diagonal, dtype=dtype)

    def get_config(self):
        return {"factor": self.factor}


@checked
def upscore(
    num_classes: Count, factor: Count, name: str, padding: Literal["same", "valid"] = "same"
) -> keras.layers.Layer:
    """Upsamples class scores with a transposed convolution that starts as bilinear (lecture: L16).

    Scores are float32 even if the network computes with 16 bits (`models.precision`), because
    rounding to 16 bits would make nearly equal scores equal.

    Args:
        num_classes: Number of score maps C; void is not one of them.
        factor: Output pixels per input pixel.
        name: Layer name, for example `"upscore2"`.
        padding: `"same"`; the published networks use `"valid"` and crop the border afterwards.

    Input shape: `(batch, H, W, C)`, logits.
    Output shape: `(batch, factor·H, factor·W, C)`, logits. With `"valid"` and a k × k kernel there
        are factor·(H − 1) + k rows and factor·(W − 1) + k columns.

    Raises:
        ValueError: If `factor` is smaller than 1.

    Example:
        >>> up = fcn.layers.upscore(num_classes=2, factor=8, name="upscore8")
        >>> tuple(up(np.zeros((1, 5, 7, 2))).shape)
        (1, 40, 56, 2)
    """
    return keras.layers.Conv2DTranspose(
        num_classes,
        bilinear_kernel(factor).shape[0],
        strides=factor,
        padding=padding,
        use_bias=False,
        kernel_initializer=Bilinear(factor),  # pyright: ignore[reportArgumentType]  Keras says str
        dtype="float32",
        name=name,
    )


@checked
def score(num_classes: Count, name: str) -> keras.layers.Layer:
    """A 1 × 1 convolution to class scores: a classifier at every position (lecture: L17).

    It has no activation: scores are logits and may be negative. Its weights start at zero, as in
    the paper. Before training every class is thus equally likely everywhere, and a skip added to a
    trained network does not yet change its output. Scores are float32, as in `upscore`.

    Args:
        num_classes: Number of score maps C; void is not one of them.
        name: Layer name, for example `"score_pool4"`.

    Input shape: `(batch, H, W, channels)`.
    Output shape: `(batch, H, W, C)`, logits.

    Example:
        >>> tuple(fcn.layers.score(num_classes=2, name="score_fr")(np.ones((1, 5, 7, 128))).shape)
        (1, 5, 7, 2)
    """
    return keras.layers.Conv2D(
        num_classes, 1, kernel_initializer="zeros", dtype="float32", name=name
    )


@keras.saving.register_keras_serializable(PACKAGE)
class CropToMatch(keras.layers.Layer):
    """Cuts a map to the height and width of another map, the reference (lecture: L15).

    Pooling with SAME padding rounds odd sizes up (5 → 3), and upsampling by 2 doubles them (3 → 6).
    A map that went down and up again may therefore be larger than it was. SAME padding keeps the
    first pixels of both maps aligned: upsampling by f turns pixel j into the pixels f·j to
    f·j + f − 1. The surplus is then at the bottom and right, and the offset is 0. With other
    padding there may be surplus at the top and left too; `geometry.crop_offset` computes it.

    Args:
        offset: Rows to cut off at the top, and columns at the left.
        about: What a model that ends in this layer says about its use: see `models.card`.
        stride: Pixels of the reference for each pixel of the map, as those of the image are for
            an encoder's pool.

    Input: a pair `[x, reference]`, `(batch, H, W, C)` and `(batch, h, w, any)` with
        offset + ⌈h/stride⌉ ≤ H and offset + ⌈w/stride⌉ ≤ W. Only the size of the reference is used.
    Output shape: `(batch, ⌈h/stride⌉, ⌈w/stride⌉, C)`.

    Raises:
        ValueError: If `offset` is negative, or `stride` is smaller than 1.

    Example:
        >>> x, reference = np.ones((1, 6, 6, 2)), np.ones((1, 5, 5, 3))
        >>> tuple(fcn.layers.CropToMatch()([x, reference]).shape)
        (1, 5, 5, 2)
    """

    def __init__(self, offset: int = 0, about: str = "", stride: int = 1, **options):
        super().__init__(**options)
        self.offset = arguments.whole_number("offset", offset, at_least=0)
        self.about = about
        self.stride = arguments.whole_number("stride", stride, at_least=1)

    def call(self, inputs):
        x, reference = inputs
        height, width = (ceil_div(side, self.stride) for side in ops.shape(reference)[1:3])
        return x[:, self.offset : self.offset + height, self.offset : self.offset + width, :]

    def compute_output_shape(self, input_shape):
        x, reference = input_shape
        return (x[0], *(side and ceil_div(side, self.stride) for side in reference[1:3]), x[3])

    def get_config(self):
        own = {"offset": self.offset, "about": self.about, "stride": self.stride}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(PACKAGE)
class PadToMultiple(keras.layers.Layer):
    """Pads an image at the bottom and right until a number divides its height and width.

    The last row and column are repeated. Nothing is rounded then, however often the image is
    halved, and `CropToMatch` cuts the surplus off the result.

    Args:
        multiple: The number.

    Input shape: `(batch, H, W, channels)`.
    Output shape: `(batch, multiple·⌈H/multiple⌉, multiple·⌈W/multiple⌉, channels)`.

    Raises:
        ValueError: If `multiple` is smaller than 1.

    Example:
        >>> tuple(fcn.layers.PadToMultiple(32)(np.zeros((1, 37, 64, 3))).shape)
        (1, 64, 64, 3)
    """

    def __init__(self, multiple: int, **options):
        super().__init__(**options)
        self.multiple = arguments.whole_number("multiple", multiple, at_least=1)

    def call(self, images):
        for axis in (1, 2):
            size = ops.shape(images)[axis]
            rows = ops.arange(self._padded(size), dtype="int32")
            images = ops.take(images, ops.minimum(rows, size - 1), axis=axis)
        return images

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = (side and self._padded(side) for side in (height, width))
        return (batch, *sides, channels)

    def _padded(self, size):
        return ceil_div(size, self.multiple) * self.multiple

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


@keras.saving.register_keras_serializable(PACKAGE)
class VGGPreprocessing(keras.layers.Layer):
    """Turns RGB 0–255 into what VGG16 was trained on: BGR, minus the mean pixel (lecture: L23).

    It is a layer of the model, so that nobody can forget it or do it twice.

    Args:
        mean_bgr: Mean blue, green and red, 0–255. The default is that of Keras' ImageNet weights.

    Input shape: `(batch, H, W, 3)`, RGB, 0–255.
    Output shape: `(batch, H, W, 3)`, BGR, about −124 to 152.

    Example:
        >>> black = fcn.layers.VGGPreprocessing()(np.zeros((1, 1, 1, 3), "float32"))
        >>> keras.ops.convert_to_numpy(black)[0, 0, 0].round().tolist()
        [-104.0, -117.0, -124.0]
    """

    MEAN_BGR = (103.939, 116.779, 123.68)

    def __init__(self, mean_bgr: tuple[float, float, float] = MEAN_BGR, **options):
        super().__init__(**options)
        self.mean_bgr = arguments.mean_colour("mean_bgr", mean_bgr)

    def call(self, images):
        bgr = ops.flip(images, axis=-1)
        return bgr - ops.convert_to_tensor(self.mean_bgr, dtype=bgr.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mean_bgr": list(self.mean_bgr)}


@keras.saving.register_keras_serializable(PACKAGE)
class SumOfHalves(keras.initializers.Initializer):
    """Initialises a convolution of 2C channels as the sum of their two halves (lecture: L19).

    The halves are two stacked maps of C channels. At the kernel's centre, input channels c and
    C + c have weight 1 for output channel c. All other weights are zero.

    Example:
        >>> kernel = fcn.layers.SumOfHalves()((3, 3, 2, 1))
        >>> keras.ops.convert_to_numpy(kernel)[1, 1].tolist()
        [[1.0], [1.0]]
    """

    def __call__(self, shape, dtype=None):
        height, width, _, out_channels = shape
        identity = ops.eye(out_channels, dtype=dtype)
        centre = ops.concatenate([identity, identity], axis=0)[None, None]  # (1, 1, 2C, C)
        top, left = (height - 1) // 2, (width - 1) // 2
        around = ((top, height - 1 - top), (left, width - 1 - left), (0, 0), (0, 0))
        return ops.pad(centre, around)

    def get_config(self):
        return {}
