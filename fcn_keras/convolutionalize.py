"""A dense layer rewritten as a convolution with the same weights (lecture: L14).

For each output, a dense layer has one weight per number of the H × W × C map that it reads
flattened. So has a convolution with an H × W kernel, which fits into this map at exactly one place.
Into a larger map it fits at many places, and the classifier gives class scores for each of them.

`@checked` compares arguments with the kinds in the signature, such as `Chain`: see `support.kinds`.
"""

import keras

from fcn_keras.support import arguments
from fcn_keras.support.kinds import BuiltDense, Chain, MapShape, checked


@checked
def dense_to_conv(
    dense: BuiltDense, input_shape: MapShape, name: str | None = None
) -> keras.layers.Conv2D:
    """The convolution with the weights of a dense layer that reads a flattened map (lecture: L14).

    Args:
        dense: A built `Dense` layer with H·W·C inputs.
        input_shape: `(H, W, C)` of the map before it was flattened; `(1, 1, C)` if the layer reads
            the C outputs of another dense layer.
        name: Name of the convolution; by default the dense layer's.

    Returns:
        A built H × W convolution, VALID, with the same activation.

    Raises:
        TypeError: If `dense` is another kind of layer.
        ValueError: If `dense` is not built or does not have H·W·C inputs.

    Example:
        >>> dense = keras.layers.Dense(10)
        >>> dense.build((None, 5 * 7 * 64))
        >>> conv = fcn.convolutionalize.dense_to_conv(dense, (5, 7, 64))
        >>> tuple(conv(np.zeros((1, 5, 7, 64))).shape), tuple(conv(np.zeros((1, 8, 9, 64))).shape)
        ((1, 1, 1, 10), (1, 4, 3, 10))
    """
    arguments.reads_flattened(dense, input_shape)
    height, width, channels = input_shape
    conv = keras.layers.Conv2D(
        dense.units,
        (height, width),
        activation=dense.activation,
        use_bias=dense.use_bias,
        name=name or dense.name,
    )
    conv.build((None, None, None, channels))
    weights = dense.get_weights()
    # Flatten and reshape use the same order of rows, columns and channels: reshape undoes Flatten.
    weights[0] = weights[0].reshape(height, width, channels, dense.units)
    conv.set_weights(weights)
    return conv


@checked
def convolutionalize(classifier: Chain) -> keras.Model:
    """Rewrites a classifier so that it also takes larger images (lecture: L14).

    `Flatten` disappears, each `Dense` becomes a convolution with the same weights, and every other
    layer is copied with its weights. On an image of the original size the result is 1 × 1 × classes
    and equal to the classifier's. On a larger image it is a map, as if the classifier slid over the
    image, except that at the border of a window SAME convolutions see the neighbouring pixels where
    the classifier saw zeros. What overlapping windows share is computed once.

    Args:
        classifier: A model that is a chain of layers with a fixed input size, such as VGG16 with
            its dense layers.

    Returns:
        New `keras.Model`, input `(batch, H, W, channels)`, output `(batch, h, w, classes)`. The
        classifier is not changed.

    Raises:
        ValueError: If the model branches, has no fixed input size, or pools globally
            (which averages over the whole of a larger image too, so that no map is left).

    Example:
        >>> classifier = fcn.models.classifier(num_classes=4, size=64)
        >>> model = fcn.convolutionalize.convolutionalize(classifier)
        >>> # the stride is 16: 64 pixels hold one window, 64 + 3 · 16 pixels hold four
        >>> [tuple(model(np.zeros((1, size, size, 3))).shape) for size in (64, 112)]
        [(1, 1, 1, 4), (1, 4, 4, 4)]
    """
    x = image = keras.Input((None, None, classifier.input_shape[-1]), name="image")
    flattened = None  # shape of the map that Flatten read
    for layer in classifier.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, keras.layers.Flatten):
            flattened = _input_shape(layer)
            continue
        if isinstance(layer, keras.layers.Dense):
            new = dense_to_conv(layer, flattened or (1, 1, _input_shape(layer)[-1]))
            flattened = None
        else:
            new = _copy(layer)
        x = new(x)
    return keras.Model(image, x, name=f"{classifier.name}_convolutional")


def _copy(layer):
    new = layer.__class__.from_config(layer.get_config())
    new.build(layer.input.shape)
    new.set_weights(layer.get_weights())
    return new


def _input_shape(layer) -> tuple:
    """What a layer reads of each image: `(H, W, C)`, or `(units,)` after a dense layer."""
    return tuple(layer.input.shape[1:])
