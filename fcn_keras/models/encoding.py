"""An encoder inside an FCN: a copy of it whose pools fit one another (lecture: L15, L18).

A skip adds a fine map to a coarse one that was upsampled. They fit if the pools are the image at
1/8, 1/16 and 1/32 of its size, *rounded up*: then the upsampled map has at most too much at its end
(see `layers.CropToMatch`). Many encoders, most of `keras.applications` among them, round down and
so lose the last rows of the image. Others pad odd maps otherwise than even ones, and so move them.
Both get an image that 32 divides: nothing is rounded there, and every map is even.
"""

import keras

from fcn_keras.backbones.pools import STRIDES, measured, rounded_up
from fcn_keras.layers import PadToMultiple
from fcn_keras.support import agreement, graph

EVEN = (64, 96)  # 32 divides both, so nothing is rounded
ODD = (33, 1)  # halved again and again, 33 is odd every time: 33, 17, 9, 5, 3


def encode(backbone: keras.Model, freeze: bool) -> tuple:
    """Copies an encoder, with its weights.

    Args:
        backbone: Its pools are outputs named `pool3`, `pool4` and `pool5`, or layers with these
            names. If it has a fixed input size, so has the copy.
        freeze: Whether training leaves the copy as it is. It has no dropout then, so that it gives
            the same answer to the same image in every step.

    Returns:
        The image tensor `(batch, H, W, channels)`, and the pools by their names,
        `(batch, ⌈H/8⌉, ⌈W/8⌉, any)` and so on. If the encoder rounds down or moves odd maps, H and
        W are those of the image that was padded.

    Raises:
        ValueError: If the pools have other sizes.
    """
    given = backbone.inputs[0]
    pools = keras.Model(given, {name: _pool(backbone, name) for name in STRIDES})
    takes_any = _rounds_up(backbone, pools) and not _moves_odd_maps(pools)
    image = keras.Input(batch_shape=given.shape, dtype=given.dtype, name=given.name)
    x = image if takes_any else PadToMultiple(32, name="pad_to_32", dtype="float32")(image)
    encoder = keras.models.clone_model(
        pools,
        input_tensors=image,
        clone_function=_without_dropout if freeze else None,
        call_function=_reading(x, instead_of=image),
    )
    graph.copy_weights(pools, encoder)
    for layer in encoder.layers:
        layer.trainable = not freeze
    return image, encoder.output


def _pool(backbone, name):
    """The output with a name, or that of the layer with it."""
    layers = {layer.name: layer for layer in backbone.layers}
    outputs = getattr(backbone, "output", None)  # a Sequential has none
    named: dict = outputs if isinstance(outputs, dict) else {}
    tensor = named[name] if name in named else layers[name].output
    return tensor if name in layers else keras.layers.Identity(name=name)(tensor)


def _rounds_up(backbone, pools) -> bool:
    """Whether the pools have the sizes that an FCN needs for every image, not only for even ones.

    Raises:
        ValueError: If they do not even have them then.
    """
    fixed = backbone.inputs[0].shape[1:3]
    even, odd = (
        tuple(there or free for there, free in zip(fixed, size, strict=True))
        for size in (EVEN, ODD)
    )
    agreement.require_pools(backbone, even, measured(pools, even), rounded_up(even))
    return measured(pools, odd) == rounded_up(odd)


def _moves_odd_maps(pools) -> bool:
    """Whether SAME padding puts the windows of an odd map elsewhere than those of an even one.

    With stride 2 a kernel of 3 is padded by (0, 1) where the map is even and by (1, 1) where it is
    odd. A kernel of 2 is padded at the end only.
    """
    if any(isinstance(layer, PadToMultiple) for layer in pools.layers):
        return False  # all its maps are even
    return any(
        getattr(layer, "padding", None) == "same" and kernel > stride > 1
        for layer in pools.layers
        for kernel, stride in zip(
            getattr(layer, "kernel_size", getattr(layer, "pool_size", ())),
            getattr(layer, "strides", ()),
            strict=False,
        )
    )


def _without_dropout(operation):
    config = operation.get_config()
    return type(operation).from_config({**config, "rate": 0.0} if "rate" in config else config)


def _reading(x, instead_of):
    """Calls operations on `x` where they would read another tensor."""

    def call(operation, *args, **options):
        args, options = keras.tree.map_structure(
            lambda given: x if given is instead_of else given, (args, options)
        )
        return operation(*args, **options)

    return call
