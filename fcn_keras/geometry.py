"""Sizes, strides and receptive fields: pure arithmetic (lecture: L08, L09, L15).

A layer is described along one axis by kernel k, stride s and the pixels p that it adds at the
start; height and width are treated alike. Models are only looked at, never computed.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

PADDINGS = ("valid", "same")


def conv_size(size: int, kernel: int, stride: int = 1, padding: str = "valid") -> int:
    """Output size of a convolution or pooling along one axis (lecture: L08).

    VALID: ⌊(size − kernel) / stride⌋ + 1, the places where the kernel fits.
    SAME: ⌈size / stride⌉, whatever the kernel.

    Args:
        size: Input pixels, at least 1.
        kernel: Kernel pixels, at least 1.
        stride: Pixels from one place to the next, at least 1.
        padding: `"valid"` or `"same"`.

    Raises:
        ValueError: If an argument is out of range, or a VALID kernel is larger than the input.
    """
    _check(size, kernel, stride, padding)
    if padding == "same":
        return -(-size // stride)
    if kernel > size:
        raise ValueError(f"A VALID kernel must fit: expected kernel <= size. Received: kernel={kernel}, size={size}")
    return (size - kernel) // stride + 1


def transposed_size(size: int, kernel: int, stride: int = 1, padding: str = "valid") -> int:
    """Output size of a transposed convolution along one axis (lecture: L09).

    VALID: stride·(size − 1) + max(kernel, stride), the length that the stamps cover.
    SAME: stride·size.

    Args and errors: as `conv_size`.
    """
    _check(size, kernel, stride, padding)
    return stride * size if padding == "same" else stride * (size - 1) + max(kernel, stride)


def same_padding(size: int, kernel: int, stride: int = 1) -> tuple[int, int]:
    """Zeros that SAME adds before and after: as many as ⌈size / stride⌉ places need, the odd one after.

    Args and errors: as `conv_size`.
    """
    _check(size, kernel, stride, "same")
    total = max((conv_size(size, kernel, stride, "same") - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _check(size, kernel, stride, padding):
    for name, value in (("size", size), ("kernel", kernel), ("stride", stride)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"Expected {name} to be a whole number of at least 1. Received: {name}={value!r}")
    if padding not in PADDINGS:
        raise ValueError(f"Expected padding to be one of {PADDINGS}. Received: padding={padding!r}")


@dataclass(frozen=True)
class Field:
    """What one output position sees of the input, along one axis, in input pixels.

    Output position i sees the pixels from `offset + i·stride` on, `size` of them (for a stride
    below 1, after upsampling, no position sees more). Pixels outside the image are padding.
    """

    size: int
    stride: Fraction
    offset: Fraction  # first pixel that position 0 sees; negative in padding

    def after_window(self, kernel: int, stride: int, before: int) -> "Field":
        """Behind a convolution or pooling with `before` pixels of padding at the start."""
        return Field(
            math.ceil(self.size + (kernel - 1) * self.stride), self.stride * stride, self.offset - before * self.stride
        )

    def after_upsampling(self, kernel: int, stride: int, before: int) -> "Field":
        """Behind a transposed convolution that cuts `before` pixels off the start.

        Output o is reached from the inputs i with s·i ≤ o + before < s·i + kernel: at most ⌈kernel / s⌉ of
        them, the first of which moves on by 1/s per output on average.
        """
        inputs = -(-kernel // stride)
        first = Fraction(before - (kernel - 1), stride)  # of output 0, not rounded up to a whole input
        return Field(
            math.ceil(self.size + (inputs - 1) * self.stride),
            self.stride / stride,
            self.offset + math.ceil(first) * self.stride,
        )

    def joined(self, other: "Field") -> "Field":
        """Where two branches meet: from the first pixel that either sees to the last."""
        if self.stride != other.stride:
            raise ValueError(f"Branches of different strides meet: {self.stride} and {other.stride}")
        first = min(self.offset, other.offset)
        last = max(self.offset + self.size, other.offset + other.size)
        return Field(math.ceil(last - first), self.stride, first)


POINTWISE = {
    "InputLayer", "Rescaling", "VGGPreprocessing", "Activation", "ReLU", "Softmax", "Dropout", "SpatialDropout2D",
    "BatchNormalization", "LayerNormalization", "Identity", "CropToMatch",
}  # fmt: skip
MERGING = {"Add", "Concatenate", "Average", "Maximum", "Multiply", "Subtract"}


def receptive_field(model, layer_name: str) -> Field:
    """Receptive field, stride and offset of a layer of a functional model, along height.

    SAME padding is counted for a size that every stride divides; other sizes shift the offset of a
    strided layer by a pixel at most. Width is alike where kernels are square.

    Args:
        model: Functional Keras model with one input.
        layer_name: Such as `"pool5"`.

    Returns:
        `Field`; for VGG16, `pool3`, `pool4`, `pool5`: 44/8, 100/16, 212/32 (size/stride).

    Raises:
        ValueError: If there is no such layer, or on the way to it one whose geometry is not known.

    Source: Long, Shelhamer, Darrell, table 1 and section 3.
    """
    by_name = {layer.name: layer for layer in model.layers}
    if layer_name not in by_name:
        raise ValueError(f"Expected one of the model's layers: {', '.join(by_name)}. Received: {layer_name!r}")
    fields: dict[str, Field] = {}
    for layer in model.layers:  # in order of computation
        kind = layer.__class__.__name__
        given = [fields.get(name) for name in inputs_of(layer)]
        if kind == "InputLayer":
            fields[layer.name] = Field(1, Fraction(1), Fraction(0))
        elif None not in given:
            fields[layer.name] = _field_after(layer, kind, given)
        if layer.name == layer_name:
            break
    field = fields.get(layer_name)
    if field is None:
        unknown = next(layer for layer in model.layers if fields.get(layer.name) is None)
        raise ValueError(
            f"The receptive field behind {unknown.name!r} is not known: no rule for a layer of kind "
            f"{unknown.__class__.__name__}. Known: windows, padding, cropping, {', '.join(sorted(POINTWISE | MERGING))}"
        )
    return field


def _field_after(layer, kind, given) -> Field | None:
    field = given[0]
    if kind in POINTWISE:
        return field  # CropToMatch keeps the top left corner, and its reference gives only a size
    if kind in MERGING:
        for other in given[1:]:
            field = field.joined(other)
        return field
    if kind in ("Conv2D", "DepthwiseConv2D"):
        kernel = (layer.kernel_size[0] - 1) * layer.dilation_rate[0] + 1
        return field.after_window(kernel, layer.strides[0], _before(kernel, layer.strides[0], layer.padding))
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        kernel, stride = layer.pool_size[0], layer.strides[0]
        return field.after_window(kernel, stride, _before(kernel, stride, layer.padding))
    if kind == "Conv2DTranspose" and layer.dilation_rate == (1, 1):
        kernel, stride = layer.kernel_size[0], layer.strides[0]
        # SAME cuts what VALID has too much, the smaller half at the start
        cut = max(kernel - stride, 0) // 2 if layer.padding == "same" else 0
        return field.after_upsampling(kernel, stride, cut)
    if kind == "ZeroPadding2D":
        return Field(field.size, field.stride, field.offset - layer.padding[0][0] * field.stride)
    if kind == "Cropping2D":
        return Field(field.size, field.stride, field.offset + layer.cropping[0][0] * field.stride)
    return None


def _before(kernel: int, stride: int, padding: str) -> int:
    """Padding at the start; SAME for a size that the stride divides."""
    return max(kernel - stride, 0) // 2 if padding == "same" else 0


def inputs_of(layer) -> list[str]:
    """Names of the layers whose outputs a layer of a functional model reads; none for its input."""
    if layer.__class__.__name__ == "InputLayer":
        return []
    tensors = layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors]
