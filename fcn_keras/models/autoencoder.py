"""A convolutional autoencoder, and the FCN made with a new last layer (lecture: L10, L12).

Their transposed convolutions have a 4 × 4 kernel and stride 2. Because 2 divides 4, every pixel
gets equally many contributions (`geometry.overlap_map`). The image is scaled to 0–1 and back, so
that the layers in between compute with numbers of about 1.
"""

import keras

from fcn_keras.skip_connections import align
from fcn_keras.support.kinds import Classes, Count, Model, Widths, checked


@checked
def cae(channels: Count = 3, widths: Widths = (16, 32, 64)) -> keras.Model:
    """An autoencoder: down by convolutions, up by transposed convolutions (lecture: L10).

    Args:
        channels: Channels of the image, 3 for RGB.
        widths: Channels after each halving; the last number is the channels of the latent map.

    Returns:
        `keras.Model`, `(batch, H, W, channels)` 0–255 → the same shape, on the scale of 0–255 but
        not clipped to it, for the last layer is linear. Layers `conv1` … `convN`, `up1` … `upN-1`,
        `output`, `to_pixels`. Train it with `training.fit(model, data.reconstruction())`.

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
    x = align(x, image, name="reconstruction")  # cuts off what rounding up odd sizes added
    return keras.Model(image, x, name="cae")


@checked
def fcn_from_cae(autoencoder: Model, num_classes: Classes) -> keras.Model:
    """Turns a CAE into an FCN: its last layer gets one channel per class (lecture: L12).

    The new last layer is untrained, and no scaling to pixels follows it. All layers before it are
    the same and start from the autoencoder's weights.

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
        if layer.name.startswith(("conv", "up")):  # those with weights, except the new "output"
            layer.set_weights(autoencoder.get_layer(layer.name).get_weights())
    return model


def _hourglass(image, widths):
    """All layers but the last upsampling: halves once per width, then doubles once less."""
    x = keras.layers.Rescaling(1 / 255, name="from_pixels")(image)
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(
            width, 3, strides=2, padding="same", activation="relu", name=f"conv{level}"
        )(x)
    # The way up starts from the latent map, widths[-1], and mirrors the widths before it.
    for level, width in enumerate(reversed(widths[:-1]), start=1):
        x = keras.layers.Conv2DTranspose(
            width, 4, strides=2, padding="same", activation="relu", name=f"up{level}"
        )(x)
    return x


def _last_upsampling(channels):
    return keras.layers.Conv2DTranspose(
        channels, 4, strides=2, padding="same", dtype="float32", name="output"
    )
