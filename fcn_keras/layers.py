"""The three layers that an FCN adds to Keras' own: bilinear start, scores, crop to fit.

Everything else in the networks is a plain `Conv2D`, `Conv2DTranspose` or `MaxPooling2D`.
Importing this module registers the layers, so that saved models load without `custom_objects`.
"""

import keras
import numpy as np
from keras import ops

from fcn_keras.support import arguments

PACKAGE = "fcn_keras"


def bilinear_kernel(factor: int) -> np.ndarray:
    """The one-channel kernel with which a transposed convolution interpolates (lecture: L16).

    Each input pixel stamps this tent onto the output, `factor` pixels from the next stamp; the
    overlapping tents add up to linear interpolation.

    Args:
        factor: Output pixels per input pixel; at least 1.

    Returns:
        float32 array, k × k with k = 2·factor − factor mod 2; values in (0, 1], sum factor².

    Raises:
        ValueError: If `factor` is smaller than 1.

    Source: Long, Shelhamer, Darrell, section 3.3; tap i weighs 1 − |i − centre| / factor per axis.
    """
    arguments.whole_number("factor", factor, 1, hint="It is output pixels per input pixel.")
    size = 2 * factor - factor % 2
    centre = (size - 1) / 2  # factor − 1 for an odd kernel, factor − 0.5 for an even one
    tent = 1 - np.abs(np.arange(size) - centre) / factor
    return np.outer(tent, tent).astype("float32")


@keras.saving.register_keras_serializable(PACKAGE)
class Bilinear(keras.initializers.Initializer):
    """Starts a `Conv2DTranspose` as bilinear upsampling, each channel by itself (lecture: L16).

    Args:
        factor: The layer's stride; its kernel must be 2·factor − factor mod 2.
    """

    def __init__(self, factor: int):
        self.factor = arguments.whole_number("factor", factor, 1)

    def __call__(self, shape, dtype=None):
        tent = bilinear_kernel(self.factor)
        height, width, out_channels, in_channels = shape
        if (height, width) != tent.shape:
            raise ValueError(
                f"A bilinear kernel of factor {self.factor} is {tent.shape[0]} x {tent.shape[1]}. "
                f"Received: a layer whose kernel is {height} x {width}."
            )
        diagonal = np.eye(
            out_channels, in_channels, dtype="float32"
        )  # channel c only feeds channel c
        return ops.convert_to_tensor(tent[:, :, None, None] * diagonal, dtype=dtype)

    def get_config(self):
        return {"factor": self.factor}


def upscore(num_classes: int, factor: int, name: str, padding: str = "same") -> keras.layers.Layer:
    """Upsamples class scores with a transposed convolution that starts as bilinear (lecture: L16).

    Scores are float32 whatever the precision of the network is (`models.precision`): 16 bits would blur their differences.

    Args:
        num_classes: Number of score maps C; void is not one of them.
        factor: Output pixels per input pixel; at least 1.
        name: Layer name, for example `"upscore2"`.
        padding: `"same"`, or `"valid"` for the published networks, which keep the border and crop it later.

    Input shape: `(batch, H, W, C)`, logits.
    Output shape: `(batch, factor·H, factor·W, C)`, logits; `"valid"`: factor·(H − 1) + kernel rows.

    Raises:
        ValueError: If `factor` is smaller than 1.
    """
    arguments.whole_number("num_classes", num_classes, 1)
    arguments.one_of("padding", padding, ("same", "valid"))
    return keras.layers.Conv2DTranspose(
        num_classes,
        bilinear_kernel(factor).shape[0],
        strides=factor,
        padding=padding,
        use_bias=False,
        kernel_initializer=Bilinear(factor),
        dtype="float32",
        name=name,
    )


def score(num_classes: int, name: str) -> keras.layers.Layer:
    """A 1 × 1 convolution from features to class scores: a classifier at every position (lecture: L17).

    No activation: scores are logits, and may be negative. Starts at zero as in the paper, so that
    before training every class is equally likely everywhere and a new skip changes nothing. Scores are float32, as at `upscore`.

    Args:
        num_classes: Number of score maps C; void is not one of them.
        name: Layer name, for example `"score_pool4"`.

    Input shape: `(batch, H, W, channels)`.
    Output shape: `(batch, H, W, C)`, logits.
    """
    arguments.whole_number("num_classes", num_classes, 1)
    return keras.layers.Conv2D(
        num_classes, 1, kernel_initializer="zeros", dtype="float32", name=name
    )


@keras.saving.register_keras_serializable(PACKAGE)
class CropToMatch(keras.layers.Layer):
    """Cuts a map to the height and width of a reference (lecture: L15).

    Pooling rounds odd sizes up (5 → 3) and upsampling doubles (3 → 6), so a map that went down and
    up again is up to a stride longer than where it started. With SAME padding, output pixel
    i of an upsampling by f belongs to input pixel i // f, so what is too much is at the end and
    the offset is 0. Networks that pad otherwise have it in front too: `geometry.crop_offset`.

    Args:
        offset: Rows cut off at the top and columns cut off at the left; at least 0.

    Input: a pair `[x, reference]`, `(batch, H, W, C)` and `(batch, h, w, any)` with
        offset + h ≤ H and offset + w ≤ W.
    Output shape: `(batch, h, w, C)`.

    Raises:
        ValueError: If `offset` is negative.
    """

    def __init__(self, offset: int = 0, **options):
        super().__init__(**options)
        self.offset = arguments.whole_number("offset", offset, 0, hint="It is pixels to cut off.")

    def call(self, inputs):
        x, reference = inputs
        height, width = ops.shape(reference)[1:3]
        return x[:, self.offset : self.offset + height, self.offset : self.offset + width, :]

    def compute_output_shape(self, input_shape):
        x, reference = input_shape
        return (x[0], reference[1], reference[2], x[3])

    def get_config(self):
        return {**super().get_config(), "offset": self.offset}


@keras.saving.register_keras_serializable(PACKAGE)
class VGGPreprocessing(keras.layers.Layer):
    """RGB 0–255 to what VGG16 was trained on: BGR, mean pixel subtracted.

    It is a layer of the model, so that nobody can feed the model wrongly.

    Args:
        mean_bgr: Mean blue, green and red, 0–255. The default is that of Keras' ImageNet weights.

    Input shape: `(batch, H, W, 3)`, RGB, 0–255.
    Output shape: `(batch, H, W, 3)`, BGR, about −124 to 152.
    """

    MEAN_BGR = (103.939, 116.779, 123.68)

    def __init__(self, mean_bgr: tuple[float, float, float] = MEAN_BGR, **options):
        super().__init__(**options)
        if not isinstance(mean_bgr, (tuple, list, np.ndarray)) or len(mean_bgr) != 3:
            raise ValueError(
                f"Expected mean_bgr to be three numbers, 0–255. {arguments.received('mean_bgr', mean_bgr)}"
            )
        self.mean_bgr = tuple(
            arguments.number("every number in mean_bgr", mean, at_least=0, at_most=255)
            for mean in mean_bgr
        )

    def call(self, images):
        bgr = ops.flip(images, axis=-1)
        return bgr - ops.convert_to_tensor(self.mean_bgr, dtype=bgr.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mean_bgr": list(self.mean_bgr)}
