"""A dense layer rewritten as the convolution it is (lecture: L14).

A dense layer on an H × W × C map reads every position once: it is an H × W convolution that fits
in exactly one place. As a convolution it fits a larger image in many places, and the classifier
becomes a map of class scores.
"""

import keras

from fcn_keras.support import arguments


def dense_to_conv(
    dense: keras.layers.Dense, input_shape: tuple[int, int, int], name: str | None = None
) -> keras.layers.Conv2D:
    """The convolution with the weights of a dense layer that reads a flattened map.

    Args:
        dense: A built `Dense` layer with H·W·C inputs.
        input_shape: `(H, W, C)` of the map before it was flattened; `(1, 1, C)` after another
            dense layer.
        name: Name of the convolution; by default the dense layer's.

    Returns:
        A built H × W convolution, VALID, with the same activation.

    Raises:
        ValueError: If `dense` is not built or does not have H·W·C inputs.
    """
    if not isinstance(dense, keras.layers.Dense):
        raise TypeError(
            f"Expected dense to be a keras.layers.Dense. {arguments.received('dense', dense)}"
        )
    if len(arguments.whole_numbers("input_shape", input_shape)) != 3:
        raise ValueError(
            f"Expected input_shape to be (H, W, C). {arguments.received('input_shape', input_shape)}"
        )
    height, width, channels = input_shape
    if not dense.built:
        raise ValueError(
            f"Expected a built dense layer; call the model once. Received: {dense.name!r}, not built."
        )
    inputs, units = dense.kernel.shape
    if inputs != height * width * channels:
        raise ValueError(
            f"Expected a dense layer with {height}·{width}·{channels} = {height * width * channels} inputs. "
            f"Received: {dense.name!r} with {inputs}"
        )
    conv = keras.layers.Conv2D(
        units,
        (height, width),
        activation=dense.activation,
        use_bias=dense.use_bias,
        name=name or dense.name,
    )
    conv.build((None, None, None, channels))
    weights = dense.get_weights()
    # Flatten reads row by row, then column, then channel: a plain reshape undoes it.
    weights[0] = weights[0].reshape(height, width, channels, units)
    conv.set_weights(weights)
    return conv


def convolutionalize(classifier: keras.Model) -> keras.Model:
    """Rewrites a classifier so that it takes any image at least as large as the one it was made for.

    `Flatten` disappears, each `Dense` becomes a convolution with the same numbers, and every other
    layer is copied with its weights. On an image of the original size the result is 1 × 1 × classes
    and equal to the classifier's; on a larger one it is a map: the classifier applied at many
    places, the shared work done once.

    Args:
        classifier: A model that is a chain of layers, such as VGG16 with its dense top, with a
            fixed input size.

    Returns:
        New `keras.Model`, input `(batch, H, W, channels)`, output `(batch, h, w, classes)`. The
        classifier is not changed.

    Raises:
        ValueError: If the model branches, has no fixed input size, or pools globally.
    """
    arguments.model("classifier", classifier)
    if None in classifier.input_shape[1:]:
        raise ValueError(
            "Expected a classifier with a fixed input size (its dense layer fixes one). "
            f"Received: input shape {classifier.input_shape}"
        )
    layers = [
        layer for layer in classifier.layers if not isinstance(layer, keras.layers.InputLayer)
    ]
    x = image = keras.Input((None, None, classifier.input_shape[-1]), name="image")
    before_flatten = None
    for layer in layers:
        if not isinstance(layer.input, keras.KerasTensor):
            raise ValueError(
                f"Expected a chain of layers. Received: {layer.name!r} with several inputs."
            )
        if isinstance(layer, keras.layers.Flatten):
            before_flatten = layer.input.shape[1:]
            continue
        if isinstance(layer, keras.layers.Dense):
            new = dense_to_conv(layer, before_flatten or (1, 1, layer.input.shape[-1]))
            before_flatten = None
        elif layer.__class__.__name__.startswith("Global"):
            raise ValueError(
                f"{layer.name!r} averages over the whole image, so its dense layer has no places to slide to."
            )
        else:
            new = layer.__class__.from_config(layer.get_config())
            new.build(layer.input.shape)
            new.set_weights(layer.get_weights())
        x = new(x)
    return keras.Model(image, x, name=f"{classifier.name}_convolutional")
