"""What each kind of layer does to a receptive field, along one axis (lecture: L15).

A rule takes a layer, the maps that it reads and the number of the axis, and returns the map that it
computes. It returns `None` for a setting of the layer that it does not cover. `after` applies the
rule for a step of a model's graph, or raises if there is none.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from fcn_keras.geometry.fields import Field
from fcn_keras.geometry.sizes import (
    Padding,
    ceil_div,
    conv_size,
    same_crop,
    same_padding,
    transposed_size,
)
from fcn_keras.support import graph

CHANNELS = (-1, 3, [-1], [3])  # how a layer names the last axis of (batch, H, W, channels)


@dataclass(frozen=True)
class Map:
    """A tensor of a model, along one axis."""

    field: Field
    size: int | None  # positions; None: any number that the strides divide


def _unchanged(layer, maps, axis) -> Map:
    return maps[0]


def _over_channels(layer, maps, axis) -> Map | None:
    return maps[0] if layer.axis in CHANNELS else None


def _merged(layer, maps, axis) -> Map | None:
    if getattr(layer, "axis", -1) not in CHANNELS:
        return None
    return Map(functools.reduce(Field.joined, (one.field for one in maps)), maps[0].size)


def _convolved(layer, maps, axis) -> Map:
    kernel = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
    return _behind_window(maps[0], kernel, layer.strides[axis], layer.padding)


def _pooled(layer, maps, axis) -> Map:
    return _behind_window(maps[0], layer.pool_size[axis], layer.strides[axis], layer.padding)


def _behind_window(given: Map, kernel: int, stride: int, padding: Padding) -> Map:
    if given.size is None:
        before = same_crop(kernel, stride) if padding == "same" else 0
        return Map(given.field.after_window(kernel, stride, before), None)
    before = same_padding(given.size, kernel, stride)[0] if padding == "same" else 0
    size = conv_size(given.size, kernel, stride, padding)
    return Map(given.field.after_window(kernel, stride, before), size)


def _transposed(layer, maps, axis) -> Map | None:
    if layer.dilation_rate[axis] != 1 or layer.output_padding is not None:
        return None
    kernel, stride = layer.kernel_size[axis], layer.strides[axis]
    cut = same_crop(kernel, stride) if layer.padding == "same" else 0
    size = maps[0].size and transposed_size(maps[0].size, kernel, stride, layer.padding)
    return Map(maps[0].field.after_upsampling(kernel, stride, cut), size)


def _enlarged(layer, maps, axis) -> Map | None:
    if layer.interpolation not in ("nearest", "bilinear"):
        return None
    factor = layer.size[axis]
    kernel = factor if layer.interpolation == "nearest" else 2 * factor - factor % 2
    field = maps[0].field.after_upsampling(kernel, factor, same_crop(kernel, factor))
    return Map(field, maps[0].size and maps[0].size * factor)


def _padded(layer, maps, axis) -> Map:
    start, end = layer.padding[axis]
    return Map(maps[0].field.shifted(-start), maps[0].size and maps[0].size + start + end)


def _cropped(layer, maps, axis) -> Map:
    start, end = layer.cropping[axis]
    return Map(maps[0].field.shifted(start), maps[0].size and maps[0].size - start - end)


def _padded_to_multiple(layer, maps, axis) -> Map:
    size = maps[0].size
    return Map(maps[0].field, size and ceil_div(size, layer.multiple) * layer.multiple)


def _cropped_to_match(layer, maps, axis) -> Map:
    field, reference = maps[0].field, maps[1]
    size = reference.size and ceil_div(reference.size, layer.stride)
    return Map(field.shifted(layer.offset), size)


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
        _padded_to_multiple: "PadToMultiple",
        _cropped_to_match: "CropToMatch",
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


def after(step: graph.Step, maps: list[Map], axis: int) -> Map:
    """Applies the rule for one step."""
    why = _obstacle(step)
    rules = FUNCTIONS if step.is_function else LAYERS
    rule = rules.get(graph.kind(step.operation))
    result = rule(step.operation, maps, axis) if rule and not why else None
    if result is None:
        raise _unknown(step, why or "no rule for it", known=rules)
    return result


def _obstacle(step: graph.Step) -> str:
    """What makes it impossible to have a rule for a step, whatever the kind of its layer."""
    if not step.inputs:
        return "a second input"
    if len(step.outputs) > 1:
        return "several outputs"
    if not graph.kind(step.operation):
        return "not Keras' own"
    if getattr(step.operation, "data_format", None) == "channels_first":
        return "channels first"
    return "it changes the size" if step.is_function and not _keeps_size(step) else ""


def _unknown(step: graph.Step, why: str, known: Iterable[str]) -> ValueError:
    what = "a function of keras.ops, of kind" if step.is_function else "a layer of kind"
    return ValueError(
        f"The receptive field behind {step.name!r}, {what} {type(step.operation).__name__}, is not "
        f"known: {why}. Known: {', '.join(sorted(known))}"
    )


def _keeps_size(step: graph.Step) -> bool:
    """Whether all maps have one height and width, so that none was stretched by broadcasting."""
    shapes = [tensor.shape for tensor in (*step.inputs, *step.outputs)]
    return all(len(shape) == 4 for shape in shapes) and all(
        len({shape[axis] for shape in shapes} - {None}) < 2 for axis in (1, 2)
    )
