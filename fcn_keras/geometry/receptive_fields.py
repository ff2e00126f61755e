"""Receptive fields of a model's layers, found by following its graph (lecture: L15).

No image is needed: each step of the graph applies the rule of its layer (`geometry.rules`).
"""

from typing import Any, Literal

from fcn_keras.geometry.fields import IMAGE, Field
from fcn_keras.geometry.rules import Map, after
from fcn_keras.support import arguments, graph
from fcn_keras.support.kinds import Count, OneInput, checked

AXES = ("height", "width")


@checked
def receptive_field(
    model: OneInput,
    layer_name: str,
    size: Count | None = None,
    axis: Literal["height", "width"] = "height",
) -> Field:
    """Receptive field, stride and offset of any layer of a functional model (lecture: L15).

    Args:
        model: Functional Keras model with one input, `(batch, H, W, channels)`.
        layer_name: Such as `"pool5"`. A function of `keras.ops` has a name too: see `describe`.
        size: Pixels of the input along the axis, which decide where SAME puts its zeros. By
            default the size that the model fixes, or else one that every stride divides.
        axis: `"height"` or `"width"`.

    Returns:
        `Field`; for VGG16, `pool3`, `pool4`, `pool5`: 44/8, 100/16, 212/32 (size/stride).

    Raises:
        ValueError: If there is no such layer, or if a layer on the way to it has no rule here.

    Source: Long, Shelhamer, Darrell, table 1 and section 3.

    Example:
        >>> field = fcn.geometry.receptive_field(fcn.backbones.vgg16(weights=None), "pool3")
        >>> field.size, int(field.stride)
        (44, 8)
    """
    layer = graph.only_step(model, layer_name)
    return field_of(layer.outputs[0], model.inputs[0], size, axis)


@checked
def field_of(
    tensor, image, size: Count | None = None, axis: Literal["height", "width"] = "height"
) -> Field:
    """Receptive field of a symbolic tensor in the image tensor that it is computed from.

    Args:
        tensor: A symbolic tensor.
        image: The symbolic tensor `(batch, H, W, channels)` from which to count.
        size, axis: As in `receptive_field`.

    Returns:
        `Field`.

    Raises:
        ValueError: If a layer on the way has no rule here, or reads something besides `image`.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> x = keras.layers.Conv2D(8, 3, strides=2)(image)
        >>> fcn.geometry.field_of(x, image).pixels(10)
        (20, 22)
    """
    arguments.feature_map("image", image)
    number = AXES.index(axis)
    return _trace(tensor, {image: Map(IMAGE, size or image.shape[1 + number])}, number).field


def _trace(tensor, known: dict[Any, Map], axis: int) -> Map:
    """Follows the graph from the tensors whose maps are known to another tensor."""
    for step in graph.steps_to([tensor], given=known):
        maps = [known[read] for read in step.inputs]
        if graph.is_model(step.operation) and len(step.outputs) == 1:
            inside = dict(zip(step.operation.inputs, maps, strict=True))
            known[step.outputs[0]] = _trace(step.operation.outputs[0], inside, axis)
        else:
            known[step.outputs[0]] = after(step, maps, axis)
    return known[tensor]
