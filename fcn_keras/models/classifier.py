"""A classification network: one label for the whole image (lecture: L03)."""

import keras

from fcn_keras.support import arguments
from fcn_keras.support.kinds import Classes, Count, Widths, checked


@checked
def classifier(
    num_classes: Classes, size: Count = 64, widths: Widths = (16, 32, 64, 64), dense: Count = 64
) -> keras.Model:
    """Convolutions and poolings, then dense layers and class probabilities (lecture: L03).

    The dense layers tie it to one image size; `convolutionalize` rewrites them (L14).

    Args:
        num_classes: Number of classes.
        size: Height and width of its images.
        widths: Channels of each 3 × 3 convolution; a 2 × 2 max pooling follows each.
        dense: Units of the hidden dense layer.

    Returns:
        `keras.Model`, `(batch, size, size, 3)` RGB 0–255 → `(batch, num_classes)` probabilities.
        Layers `conv1`, `pool1`, …, `flatten`, `dense`, `probabilities`.

    Raises:
        ValueError: If `num_classes` is smaller than 2, or `size` is too small for the poolings.

    Example:
        >>> fcn.models.classifier(num_classes=4, size=64).output_shape
        (None, 4)
    """
    arguments.whole_number("size", size, at_least=2 ** len(widths))  # each pooling halves it
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
