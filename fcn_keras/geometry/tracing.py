"""Receptive fields of a model: its graph is read step by step, nothing is computed (lecture: L15).

Each kind of layer has a rule, a function that says what its output sees, along one axis.
"""

import functools
from dataclasses import dataclass
from typing import Any, Literal

from fcn_keras.geometry.fields import IMAGE, Field
from fcn_keras.geometry.sizes import conv_size, same_crop, same_padding, transposed_size
from fcn_keras.support import arguments, graph
from fcn_keras.support.kinds import Count, OneInput, checked

AXES = ("height", "width")
CHANNELS = (-1, 3, [-1], [3])  # how a layer names the last axis of (batch, H, W, channels)


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
        size: Pixels of the input along the axis. They decide where SAME puts its zeros. By default
            the size that the model fixes, or else one that every stride divides.
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
    call = _only_call(layer_name, graph.steps(model))
    return field_of(call.outputs[0], model.inputs[0], size, axis)


@checked
def field_of(
    tensor, image, size: Count | None = None, axis: Literal["height", "width"] = "height"
) -> Field:
    """What a symbolic tensor sees of the image tensor that it is computed from.

    Args:
        tensor: A symbolic tensor.
        image: The symbolic tensor `(batch, H, W, channels)` from which to count.
        size, axis: As at `receptive_field`.

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
    return _trace(tensor, {image: _Map(IMAGE, size or image.shape[1 + number])}, number).field


def _only_call(layer_name: str, steps: list[graph.Step]) -> graph.Step:
    names = [step.name for step in steps]
    if layer_name not in names:
        listed = ", ".join(dict.fromkeys(names))
        raise ValueError(f"Expected one of the model's layers: {listed}. Received: {layer_name!r}")
    if (times := names.count(layer_name)) > 1:
        raise ValueError(
            f"Expected a layer that is used once. Received: {layer_name!r}, used {times} times"
        )
    return steps[names.index(layer_name)]


@dataclass(frozen=True)
class _Map:
    """A tensor of a model along one axis."""

    field: Field
    size: int | None  # positions; None: any number that the strides divide


def _trace(tensor, known: dict[Any, _Map], axis: int) -> _Map:
    """Follows the graph from tensors that are known to another one."""
    for step in graph.steps_to([tensor], given=known):
        maps = [known[read] for read in step.inputs]
        known[step.outputs[0]] = _after(step, maps, axis)
    return known[tensor]


def _after(step: graph.Step, maps: list[_Map], axis: int) -> _Map:
    layer, kind = step.operation, type(step.operation).__name__
    if not maps:
        raise _unknown(step, "a second input")
    if len(step.outputs) > 1:
        raise _unknown(step, "several outputs")
    if type(layer).__module__.partition(".")[0] not in ("keras", "fcn_keras"):
        raise _unknown(step, "not Keras' own")
    if getattr(layer, "data_format", None) == "channels_first":
        raise _unknown(step, "channels first")
    if step.is_function and not _keeps_size(step):
        raise _unknown(step, "it changes the size")
    rule = (FUNCTIONS if step.is_function else LAYERS).get(kind, _no_rule)
    after = rule(layer, maps, axis)
    if after is None:
        raise _unknown(step, "no rule for it")
    return after


def _unknown(step: graph.Step, why: str) -> ValueError:
    what = "a function of keras.ops, of kind" if step.is_function else "a layer of kind"
    known = sorted(FUNCTIONS if step.is_function else LAYERS)
    return ValueError(
        f"The receptive field behind {step.name!r}, {what} {type(step.operation).__name__}, is not "
        f"known: {why}. Known: {', '.join(known)}"
    )


def _keeps_size(step: graph.Step) -> bool:
    """Whether all maps have one height and width, so that none was stretched by broadcasting."""
    shapes = [tensor.shape for tensor in (*step.inputs, *step.outputs)]
    return all(len(shape) == 4 for shape in shapes) and all(
        len({shape[axis] for shape in shapes} - {None}) < 2 for axis in (1, 2)
    )


# Rules: what a layer's output sees. `None` where a setting of the layer has no rule.


def _no_rule(layer, maps, axis) -> None:
    return None


def _unchanged(layer, maps, axis) -> _Map:
    return maps[0]


def _over_channels(layer, maps, axis) -> _Map | None:
    return maps[0] if layer.axis in CHANNELS else None


def _merged(layer, maps, axis) -> _Map | None:
    if getattr(layer, "axis", -1) not in CHANNELS:
        return None
    return _Map(functools.reduce(Field.joined, (one.field for one in maps)), maps[0].size)


def _convolved(layer, maps, axis) -> _Map:
    kernel = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
    return _behind_window(maps[0], kernel, layer.strides[axis], layer.padding)


def _pooled(layer, maps, axis) -> _Map:
    return _behind_window(maps[0], layer.pool_size[axis], layer.strides[axis], layer.padding)


def _behind_window(given: _Map, kernel: int, stride: int, padding: str) -> _Map:
    if given.size is None:
        before = same_crop(kernel, stride) if padding == "same" else 0
        return _Map(given.field.after_window(kernel, stride, before), None)
    before = same_padding(given.size, kernel, stride)[0] if padding == "same" else 0
    size = conv_size(given.size, kernel, stride, padding)
    return _Map(given.field.after_window(kernel, stride, before), size)


def _transposed(layer, maps, axis) -> _Map | None:
    if layer.dilation_rate[axis] != 1 or layer.output_padding is not None:
        return None
    kernel, stride = layer.kernel_size[axis], layer.strides[axis]
    cut = same_crop(kernel, stride) if layer.padding == "same" else 0
    size = maps[0].size and transposed_size(maps[0].size, kernel, stride, layer.padding)
    return _Map(maps[0].field.after_upsampling(kernel, stride, cut), size)


def _enlarged(layer, maps, axis) -> _Map | None:
    if layer.interpolation not in ("nearest", "bilinear"):
        return None
    factor = layer.size[axis]
    kernel = factor if layer.interpolation == "nearest" else 2 * factor - factor % 2
    field = maps[0].field.after_upsampling(kernel, factor, same_crop(kernel, factor))
    return _Map(field, maps[0].size and maps[0].size * factor)


def _padded(layer, maps, axis) -> _Map:
    before, after = layer.padding[axis]
    return _Map(maps[0].field.shifted(-before), maps[0].size and maps[0].size + before + after)


def _cropped(layer, maps, axis) -> _Map:
    before, after = layer.cropping[axis]
    return _Map(maps[0].field.shifted(before), maps[0].size and maps[0].size - before - after)


def _cropped_to_match(layer, maps, axis) -> _Map:
    return _Map(
        maps[0].field.shifted(layer.offset), maps[1].size
    )  # the reference gives only a size


def _inside(model, maps, axis) -> _Map | None:
    """A model used as a layer."""
    if len(model.outputs) != 1:
        return None
    return _trace(model.outputs[0], dict(zip(model.inputs, maps, strict=True)), axis)


def _rules(table: dict) -> dict:
    """`{rule: "A B"}` becomes `{"A": rule, "B": rule}`."""
    return {kind: rule for rule, kinds in table.items() for kind in kinds.split()}


LAYERS = _rules(
    {
        _unchanged: "Rescaling Normalization VGGPreprocessing Activation ReLU LeakyReLU PReLU ELU "
        "Identity Dropout SpatialDropout2D GaussianNoise GaussianDropout BatchNormalization "
        "Dense",  # on a map it is a 1 × 1 convolution; Flatten, which makes it more, has no rule
        _over_channels: "Softmax LayerNormalization",
        _merged: "Add Concatenate Average Maximum Minimum Multiply Subtract",
        _convolved: "Conv2D DepthwiseConv2D SeparableConv2D",
        _pooled: "MaxPooling2D AveragePooling2D",
        _transposed: "Conv2DTranspose",
        _enlarged: "UpSampling2D",
        _padded: "ZeroPadding2D",
        _cropped: "Cropping2D",
        _cropped_to_match: "CropToMatch",
        _inside: "Functional Sequential",
    }
)
FUNCTIONS = _rules(  # of keras.ops
    {
        _unchanged: "Relu Relu6 LeakyRelu Elu Selu Celu Gelu Silu Sigmoid HardSigmoid HardSilu "
        "LogSigmoid Softplus Softsign Tanh Exp Log Sqrt Square Abs Absolute Negative Clip Cast",
        _over_channels: "Softmax LogSoftmax",
        _merged: "Add Subtract Multiply Divide TrueDivide Power Maximum Minimum Concatenate",
    }
)
