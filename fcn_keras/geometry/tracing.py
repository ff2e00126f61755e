"""Sizes, strides and receptive fields: pure arithmetic (lecture: L08, L09, L15, L16).

A layer is described along one axis by kernel k, stride s and the pixels p that it adds at the
start; height and width are treated alike. Models are only looked at, never computed.
"""

from dataclasses import dataclass

from fcn_keras.geometry.fields import IMAGE, Field
from fcn_keras.geometry.sizes import _cut, conv_size, same_padding, transposed_size
from fcn_keras.support import arguments

AXES = ("height", "width")
POINTWISE = {
    "Rescaling",
    "Normalization",
    "VGGPreprocessing",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Identity",
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "BatchNormalization",
    "Dense",  # on a map it is a 1 × 1 convolution; Flatten, which makes it more, is not known
}
OVER_CHANNELS = {"Softmax", "LayerNormalization"}  # pointwise as long as their axis is the last
MERGING = {"Add", "Concatenate", "Average", "Maximum", "Minimum", "Multiply", "Subtract"}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D"}
POOLINGS = {"MaxPooling2D", "AveragePooling2D"}
OTHERS = {
    "InputLayer",
    "Conv2DTranspose",
    "UpSampling2D",
    "ZeroPadding2D",
    "Cropping2D",
    "CropToMatch",
    "Functional",
}


def receptive_field(model, layer_name: str, size: int | None = None, axis: str = "height") -> Field:
    """Receptive field, stride and offset of any layer of a functional model.

    Args:
        model: Functional Keras model with one input, `(batch, H, W, channels)`.
        layer_name: Such as `"pool5"`.
        size: Pixels of the input along the axis. SAME places its zeros by the size; without one
            (and if the model does not fix one) a size is meant that every stride divides.
        axis: `"height"` or `"width"`.

    Returns:
        `Field`; for VGG16, `pool3`, `pool4`, `pool5`: 44/8, 100/16, 212/32 (size/stride).

    Raises:
        ValueError: If there is no such layer, or on the way to it one whose geometry is not known:
            that is said, never guessed.

    Source: Long, Shelhamer, Darrell, table 1 and section 3.
    """
    arguments.model("model", model)
    _check_place(size, axis)
    names = [layer.name for layer in model.layers]
    if layer_name not in names:
        raise ValueError(
            f"Expected one of the model's layers: {', '.join(names)}. Received: {layer_name!r}"
        )
    if len(model.inputs) != 1:
        raise ValueError(
            f"Expected a model with one input. Received: {model.name!r} with {len(model.inputs)}"
        )
    # its uses in this model: another one, such as the head that is trained on frozen features, may share the layer
    uses = [node for node in _nodes(model) if node.operation is model.get_layer(layer_name)]
    if len(uses) != 1:
        raise ValueError(
            f"Expected a layer that is used once. Received: {layer_name!r}, used {len(uses)} times"
        )
    # of a model used as a layer, `.output` would be the tensor inside it
    return field_of(uses[0].output_tensors[0], model.inputs[0], size, axis)


def _check_place(size, axis):
    if size is not None:
        arguments.whole_number("size", size, 1)
    arguments.one_of("axis", axis, AXES)


def _nodes(model) -> list:
    """Every use of a layer on the way from a model's input to its outputs."""
    found, waiting = {}, list(model.outputs)
    while waiting:
        layer, number, _ = waiting.pop()._keras_history
        node = layer._inbound_nodes[number]
        if id(node) not in found:
            found[id(node)] = node
            waiting.extend(node.input_tensors)
    return list(found.values())


def field_of(tensor, image, size: int | None = None, axis: str = "height") -> Field:
    """What a symbolic tensor sees of the image tensor that it was computed from; see `receptive_field`."""
    _check_place(size, axis)
    if axis not in AXES:
        raise ValueError(f"Expected axis to be one of {AXES}. Received: axis={axis!r}")
    if len(image.shape) != 4:
        raise ValueError(
            f"Expected a batch of images, (batch, H, W, channels). Received: {image.shape}"
        )
    number = AXES.index(axis)
    return _trace(tensor, {id(image): _Map(IMAGE, size or image.shape[1 + number])}, number).field


@dataclass(frozen=True)
class _Map:
    """A tensor of a model along one axis."""

    field: Field
    size: int | None  # positions; None: any that the strides divide


def _trace(tensor, known: dict, axis: int) -> _Map:
    """Goes back from a tensor to those that are known, then forward again, layer by layer."""
    waiting = [tensor]
    while waiting:
        operation, node_number, _ = waiting[-1]._keras_history
        node = operation._inbound_nodes[node_number]
        before = [t for t in node.input_tensors if id(t) not in known]
        if id(waiting[-1]) in known:
            waiting.pop()
        elif before:
            waiting.extend(before)
        else:
            given = [known[id(t)] for t in node.input_tensors]
            if len(node.output_tensors) != 1:
                raise _unknown(operation, "several outputs")
            known[id(node.output_tensors[0])] = _after(operation, given, axis)
    return known[id(tensor)]


def _after(layer, given: list[_Map], axis: int) -> _Map:
    """The rule of each kind of layer, in one place."""
    kind = layer.__class__.__name__
    if layer.__class__.__module__.partition(".")[0] not in ("keras", "fcn_keras"):
        raise _unknown(layer, "not Keras' own")
    if getattr(layer, "data_format", None) == "channels_first":
        raise _unknown(layer, "channels first")
    if not given:
        raise _unknown(layer, "a second input")
    field, size = given[0].field, given[0].size

    if kind in POINTWISE or (kind in OVER_CHANNELS and layer.axis in (-1, 3, [-1], [3])):
        return given[0]
    if kind in MERGING and getattr(layer, "axis", -1) in (-1, 3):
        for other in given[1:]:
            field = field.joined(other.field)
        return _Map(field, size)
    if kind in CONVOLUTIONS | POOLINGS:
        kernel, stride = (
            (layer.pool_size if kind in POOLINGS else layer.kernel_size)[axis],
            layer.strides[axis],
        )
        if kind in CONVOLUTIONS:
            kernel = (kernel - 1) * layer.dilation_rate[axis] + 1
        if size is not None:
            before = same_padding(size, kernel, stride)[0] if layer.padding == "same" else 0
            return _Map(
                field.after_window(kernel, stride, before),
                conv_size(size, kernel, stride, layer.padding),
            )
        before = max(kernel - stride, 0) // 2 if layer.padding == "same" else 0
        return _Map(field.after_window(kernel, stride, before), None)
    if (
        kind == "Conv2DTranspose"
        and layer.dilation_rate[axis] == 1
        and layer.output_padding is None
    ):
        kernel, stride = layer.kernel_size[axis], layer.strides[axis]
        size = size and transposed_size(size, kernel, stride, layer.padding)
        return _Map(
            field.after_upsampling(kernel, stride, _cut(kernel, stride, layer.padding)), size
        )
    if kind == "UpSampling2D" and layer.interpolation in ("nearest", "bilinear"):
        factor = layer.size[axis]
        kernel = factor if layer.interpolation == "nearest" else 2 * factor - factor % 2
        return _Map(
            field.after_upsampling(kernel, factor, (kernel - factor) // 2), size and size * factor
        )
    if kind == "ZeroPadding2D":
        before, after = layer.padding[axis]
        return _Map(field.shifted(-before), size and size + before + after)
    if kind == "Cropping2D":
        before, after = layer.cropping[axis]
        return _Map(field.shifted(before), size and size - before - after)
    if kind == "CropToMatch":  # the reference gives only a size
        return _Map(field.shifted(layer.offset), given[1].size)
    if kind in ("Functional", "Sequential") and len(layer.outputs) == 1:  # a model used as a layer
        return _trace(
            layer.outputs[0], {id(t): m for t, m in zip(layer.inputs, given, strict=True)}, axis
        )
    raise _unknown(layer, "no rule for it")


def _unknown(layer, why: str) -> ValueError:
    known = sorted(POINTWISE | OVER_CHANNELS | MERGING | CONVOLUTIONS | POOLINGS | OTHERS)
    return ValueError(
        f"The receptive field behind {layer.name!r}, a layer of kind {layer.__class__.__name__}, is not known: {why}. "
        f"Known: {', '.join(known)}"
    )
