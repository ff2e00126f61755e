"""A classification network: convolutions, pooling, then dense layers (lecture: L03)."""

import keras

from fcn_keras.support import arguments
from fcn_keras.support.arguments import _check_num_classes


def classifier(
    num_classes: int, size: int = 64, widths: tuple[int, ...] = (16, 32, 64, 64), dense: int = 64
) -> keras.Model:
    """A classification network: convolution, ReLU, pooling, again and again, then dense layers (lecture: L03).

    The dense layers are what ties it to one image size, and what `convolutionalize` rewrites (L14).

    Args:
        num_classes: Number of classes.
        size: Height and width of its images.
        widths: Channels of each 3 × 3 convolution; a 2 × 2 max pooling follows each.
        dense: Units of the hidden dense layer.

    Returns:
        `keras.Model`, `(batch, size, size, 3)` RGB 0–255 → `(batch, num_classes)` probabilities. Layers
        `conv1`, `pool1`, …, `flatten`, `dense`, `probabilities`.

    Raises:
        ValueError: If `num_classes` is smaller than 2.
    """
    arguments.whole_number("size", size, 2 ** len(arguments.whole_numbers("widths", widths)))
    arguments.whole_number("dense", dense, 1)
    _check_num_classes(num_classes)
    image = keras.Input((size, size, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(image)
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{level}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{level}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(dense, activation="relu", name="dense")(x)
    x = keras.layers.Dense(
        num_classes, activation="softmax", name="probabilities", dtype="float32"
    )(x)
    return keras.Model(image, x, name="classifier")
