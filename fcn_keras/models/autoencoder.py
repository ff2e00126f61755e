"""The convolutional autoencoder, and the FCN that it becomes (lecture: L10, L12)."""

import keras

from fcn_keras.skip_connections import align
from fcn_keras.support.kinds import Classes, Count, Model, Widths, checked


@checked
def cae(channels: Count = 3, widths: Widths = (16, 32, 64)) -> keras.Model:
    """An autoencoder: down by convolutions, up by transposed convolutions (lecture: L10).

    Args:
        channels: Channels of the image, 3 for RGB.
        widths: Channels after each halving; the last number is that of the latent feature maps.

    Returns:
        `keras.Model`, `(batch, H, W, channels)` 0–255 → the same shape and range. Layers
        `conv1` … `convN`, `up1` … `upN-1`, `output`. Train it with
        `training.fit(model, data.reconstruction())`.

    Raises:
        ValueError: If `widths` is empty.

    Example:
        >>> model = fcn.models.cae(channels=3, widths=(16, 32, 64))
        >>> tuple(model(np.zeros((1, 37, 50, 3))).shape)
        (1, 37, 50, 3)
    """
    image = keras.Input((None, None, channels), name="image")
    x = _hourglass(image, widths)
    x = _last_upsampling(channels)(x)
    x = keras.layers.Rescaling(255.0, dtype="float32", name="to_pixels")(x)
    return keras.Model(image, align(x, image, name="reconstruction"), name="cae")


@checked
def fcn_from_cae(autoencoder: Model, num_classes: Classes) -> keras.Model:
    """The FCN that a CAE becomes when its last layer gets one channel per class (lecture: L12).

    Nothing else changes: the other layers are the same and start from the autoencoder's weights.

    Args:
        autoencoder: A model from `cae`; it is not changed.
        num_classes: Number of classes C, at least 2; void is not one of them.

    Returns:
        `keras.Model`, `(batch, H, W, channels)` 0–255 → `(batch, H, W, C)` logits.

    Raises:
        ValueError: If `num_classes` is smaller than 2, or the model is not one from `cae`.

    Example:
        >>> model = fcn.models.fcn_from_cae(fcn.models.cae(), num_classes=4)
        >>> tuple(model(np.zeros((1, 37, 50, 3))).shape)
        (1, 37, 50, 4)
    """
    widths = [layer.filters for layer in autoencoder.layers if layer.name.startswith("conv")]
    if not widths:
        raise ValueError(f"Expected a model from cae(). Received: {autoencoder.name!r}")
    image = keras.Input(autoencoder.input_shape[1:], name="image")
    x = _hourglass(image, widths)
    x = _last_upsampling(num_classes)(x)
    model = keras.Model(image, align(x, image, name="logits"), name="fcn_from_cae")
    for layer in model.layers:
        if layer.name.startswith(("conv", "up")):
            layer.set_weights(autoencoder.get_layer(layer.name).get_weights())
    return model


def _hourglass(image, widths):
    """Halves the image once per width, and then doubles it once less."""
    x = keras.layers.Rescaling(1 / 255, name="from_pixels")(image)
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(
            width, 3, strides=2, padding="same", activation="relu", name=f"conv{level}"
        )(x)
    for level, width in enumerate(reversed(widths[:-1]), start=1):
        x = keras.layers.Conv2DTranspose(
            width, 4, strides=2, padding="same", activation="relu", name=f"up{level}"
        )(x)
    return x


def _last_upsampling(channels):
    return keras.layers.Conv2DTranspose(
        channels, 4, strides=2, padding="same", dtype="float32", name="output"
    )
