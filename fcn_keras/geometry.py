"""Sizes, strides and receptive fields: pure arithmetic (lecture: L08, L09, L15, L16).

A layer is described along one axis by kernel k, stride s and the pixels p that it adds at the
start; height and width are treated alike. Models are only looked at, never computed.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fcn_keras import arguments

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
        raise ValueError(f"A VALID kernel must fit: Expected kernel <= size. Received: kernel={kernel}, size={size}")
    return (size - kernel) // stride + 1


def pooled_size(size: int, kernel: int = 2, stride: int = 2, round_up: bool = False) -> int:
    """Output size of a pooling without padding, along one axis.

    Rounding down, ⌊(size − kernel) / stride⌋ + 1, drops a last row that does not fill a window;
    rounding up, as the published FCNs do it, pools what there is of it. For kernel = stride rounding up
    is the same as SAME.

    Args:
        size: Input pixels, at least 1.
        kernel: Window pixels, at least 1.
        stride: Pixels from one window to the next, at least 1.
        round_up: Whether a last window that sticks out counts.

    Raises:
        ValueError: If an argument is out of range, or, rounding down, the window does not fit.
    """
    if not round_up:
        return conv_size(size, kernel, stride)
    _check(size, kernel, stride, "valid")
    return max(-(-(size - kernel) // stride), 0) + 1


def transposed_size(size: int, kernel: int, stride: int = 1, padding: str = "valid") -> int:
    """Output size of a transposed convolution along one axis (lecture: L09).

    VALID: stride·(size − 1) + max(kernel, stride), the length that the stamps cover.
    SAME: stride·size.

    Args and errors: as `conv_size`.
    """
    _check(size, kernel, stride, padding)
    return stride * size if padding == "same" else stride * (size - 1) + max(kernel, stride)


def stamps(size: int, kernel: int, stride: int, padding: str = "valid") -> np.ndarray:
    """How many kernels of a transposed convolution overlap at each output position of an axis (lecture: L16).

    Args and errors: as `transposed_size`.

    Returns:
        int array, `(transposed_size(size, kernel, stride, padding),)`.
    """
    length = transposed_size(size, kernel, stride, padding)
    position = np.arange(length) + _cut(kernel, stride, padding)
    first = np.maximum(-(-(position - kernel + 1) // stride), 0)  # stamp i covers i·stride … i·stride + kernel − 1
    last = np.minimum(position // stride, size - 1)
    return np.maximum(last - first + 1, 0)


def overlap_map(size: tuple[int, int], kernel: int, stride: int, padding: str = "valid") -> np.ndarray:
    """Where the stamps of a transposed convolution overlap: the source of checkerboards (lecture: L16).

    If the stride divides the kernel, every pixel away from the border gets equally many stamps;
    if not, some get more than their neighbours, in a regular grid, whatever the weights.

    Args:
        size: Height and width of the input.
        kernel, stride, padding: As at `transposed_size`.

    Returns:
        int array, output height × width: stamps per pixel.
    """
    rows, columns = (stamps(length, kernel, stride, padding) for length in arguments.size("size", size))
    return np.outer(rows, columns)


def _cut(kernel: int, stride: int, padding: str) -> int:
    """What SAME cuts off the start of a transposed convolution: half of what VALID has too much, rounded down."""
    return max(kernel - stride, 0) // 2 if padding == "same" else 0


def convolution_matrix(
    kernel: np.ndarray, size: tuple[int, int], stride: int = 1, padding: str = "valid"
) -> np.ndarray:
    """A one-channel convolution as the matrix that it is (lecture: L09).

    `matrix @ image.ravel()` is the convolution; `matrix.T @ map.ravel()` is the transposed
    convolution, which brings back the size but not the values: the transpose, not the inverse.

    Args:
        kernel: `(k, k)`.
        size: Height and width of the image.
        stride: Pixels from one place to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        float64 array, output pixels × input pixels, both counted row by row.

    Raises:
        ValueError: As `conv_size`.
    """
    kernel = arguments.array("kernel", kernel, 2, "(k, k)")
    if kernel.shape[0] != kernel.shape[1]:
        raise ValueError(f"Expected kernel to be square, (k, k). {arguments.received('kernel', kernel)}")
    (height, width), taps = arguments.size("size", size), kernel.shape[0]
    rows, columns = (conv_size(length, taps, stride, padding) for length in size)
    top, left = (same_padding(length, taps, stride)[0] if padding == "same" else 0 for length in size)
    matrix = np.zeros((rows, columns, height, width))
    for row, column in np.ndindex(rows, columns):
        for i, j in np.ndindex(kernel.shape):
            y, x = row * stride - top + i, column * stride - left + j
            if 0 <= y < height and 0 <= x < width:  # the rest falls on padding, which is zero
                matrix[row, column, y, x] = kernel[i, j]
    return matrix.reshape(rows * columns, height * width)


def same_padding(size: int, kernel: int, stride: int = 1) -> tuple[int, int]:
    """Zeros that SAME adds before and after: as many as ⌈size / stride⌉ places need, the odd one after.

    Args and errors: as `conv_size`.
    """
    _check(size, kernel, stride, "same")
    total = max((conv_size(size, kernel, stride, "same") - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _check(size, kernel, stride, padding):
    for name, value in (("size", size), ("kernel", kernel), ("stride", stride)):
        arguments.whole_number(name, value, 1)
    arguments.one_of("padding", padding, PADDINGS)


@dataclass(frozen=True)
class Field:
    """What the positions of a map see of the input, along one axis, in input pixels.

    Behind convolution and pooling every position sees a window of the same size, one stride further
    than the position before. Behind upsampling by f the windows differ, but the pattern
    repeats after f positions: so a field lists the windows of one period.

    Attributes:
        windows: First and last pixel that positions 0 … period − 1 see; negative or beyond the image
            is padding. `None` for a position that sees nothing (stride larger than kernel).
        shift: Pixels by which the windows move from one period to the next.
    """

    windows: tuple[tuple[int, int] | None, ...]
    shift: int

    @property
    def size(self) -> int:
        """Receptive field: pixels in the widest window."""
        return max(last - first + 1 for first, last in filter(None, self.windows))

    @property
    def stride(self) -> Fraction:
        """Pixels from one position to the next, on average; below 1 for a map that is larger than the input."""
        return Fraction(self.shift, len(self.windows))

    @property
    def offset(self) -> int:
        """First pixel that the first position sees; negative in padding."""
        return next(first for first, _ in filter(None, self.windows))

    @property
    def centre(self) -> Fraction:
        """Where in the input position 0 lies; position i lies at `centre + i·stride`.

        The middle of the window, averaged over a period. 0 for the input itself: two maps can be
        added only where their positions lie at the same place.
        """
        middles = [
            Fraction(window[0] + window[1], 2) - i * self.stride for i, window in enumerate(self.windows) if window
        ]
        return sum(middles, Fraction(0)) / len(middles)

    def pixels(self, position: int) -> tuple[int, int] | None:
        """First and last pixel that a position sees; `None` if it sees nothing."""
        turns, phase = divmod(position, len(self.windows))
        window = self.windows[phase]
        return window and (window[0] + turns * self.shift, window[1] + turns * self.shift)

    def after_window(self, kernel: int, stride: int, before: int) -> "Field":
        """Behind a convolution or pooling with `before` pixels of padding at the start."""
        period = len(self.windows) // math.gcd(len(self.windows), stride)
        windows = tuple(self._span(i * stride - before, i * stride - before + kernel - 1) for i in range(period))
        return Field(windows, int(self.stride * stride * period))

    def after_upsampling(self, kernel: int, stride: int, cut: int) -> "Field":
        """Behind a transposed convolution of which `cut` pixels are cut off the start.

        Input i stamps the outputs stride·i … stride·i + kernel − 1, so output o is reached from
        i = ⌈(o − kernel + 1) / stride⌉ to ⌊o / stride⌋.
        """
        outputs = range(cut, cut + stride * len(self.windows))
        windows = tuple(self._span(-(-(o - kernel + 1) // stride), o // stride) for o in outputs)
        return Field(windows, self.shift)

    def shifted(self, positions: int) -> "Field":
        """The map without its first positions (cropping), or with as many more in front (negative: padding)."""
        period = len(self.windows)
        return Field(tuple(self.pixels(i) for i in range(positions, positions + period)), self.shift)

    def joined(self, other: "Field") -> "Field":
        """Where two branches meet: from the first pixel that either sees to the last."""
        if self.stride != other.stride:
            raise ValueError(f"Expected branches of one stride to meet. Received: strides {self.stride} and {other.stride}")
        period = math.lcm(len(self.windows), len(other.windows))
        windows = tuple(_hull([self.pixels(i), other.pixels(i)]) for i in range(period))
        return Field(windows, int(self.stride * period))

    def _span(self, first: int, last: int) -> tuple[int, int] | None:
        """What the positions from first to last see together."""
        return _hull([self.pixels(position) for position in range(first, last + 1)])


def _hull(windows) -> tuple[int, int] | None:
    seen = [window for window in windows if window]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


IMAGE = Field(((0, 0),), 1)  # every pixel sees itself


def crop_offset(larger: Field, target: Field = IMAGE) -> int:
    """Positions to cut off the start of a map so that it lies on another one: *where* 19 comes from.

    Args:
        larger: Field of the map that is cut.
        target: Field of the map that it is cut to fit; by default the image itself.

    Returns:
        Positions before the one that lies where the target's first one does. FCN-32s: 19.

    Raises:
        ValueError: If the strides differ, or no whole number of positions, 0 or more, does it.

    Source: the released FCN-32s crops by 19, FCN-16s by 5 and 27, FCN-8s by 5, 9 and 31.
    """
    for name, field in (("larger", larger), ("target", target)):
        if not isinstance(field, Field):
            raise TypeError(f"Expected {name} to be a Field, as receptive_field gives it. {arguments.received(name, field)}")
    if larger.stride != target.stride:
        raise ValueError(f"Expected two maps of one stride. Received: strides {larger.stride} and {target.stride}")
    offset = (target.centre - larger.centre) / larger.stride
    if offset.denominator != 1 or offset < 0:
        raise ValueError(
            f"Expected the map to begin a whole number of positions before its target. Received: it begins {offset} before "
            f"(centres {larger.centre} and {target.centre}, stride {larger.stride})"
        )
    return int(offset)


AXES = ("height", "width")
POINTWISE = {
    "Rescaling", "Normalization", "VGGPreprocessing", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Identity",
    "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "BatchNormalization",
    "Dense",  # on a map it is a 1 × 1 convolution; Flatten, which makes it more, is not known
}  # fmt: skip
OVER_CHANNELS = {"Softmax", "LayerNormalization"}  # pointwise as long as their axis is the last
MERGING = {"Add", "Concatenate", "Average", "Maximum", "Minimum", "Multiply", "Subtract"}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D"}
POOLINGS = {"MaxPooling2D", "AveragePooling2D"}
OTHERS = {"InputLayer", "Conv2DTranspose", "UpSampling2D", "ZeroPadding2D", "Cropping2D", "CropToMatch", "Functional"}


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
        raise ValueError(f"Expected one of the model's layers: {', '.join(names)}. Received: {layer_name!r}")
    if len(model.inputs) != 1:
        raise ValueError(f"Expected a model with one input. Received: {model.name!r} with {len(model.inputs)}")
    # its uses in this model: another one, such as the head that is trained on frozen features, may share the layer
    uses = [node for node in _nodes(model) if node.operation is model.get_layer(layer_name)]
    if len(uses) != 1:
        raise ValueError(f"Expected a layer that is used once. Received: {layer_name!r}, used {len(uses)} times")
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
        raise ValueError(f"Expected a batch of images, (batch, H, W, channels). Received: {image.shape}")
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
        kernel, stride = (layer.pool_size if kind in POOLINGS else layer.kernel_size)[axis], layer.strides[axis]
        if kind in CONVOLUTIONS:
            kernel = (kernel - 1) * layer.dilation_rate[axis] + 1
        if size is not None:
            before = same_padding(size, kernel, stride)[0] if layer.padding == "same" else 0
            return _Map(field.after_window(kernel, stride, before), conv_size(size, kernel, stride, layer.padding))
        before = max(kernel - stride, 0) // 2 if layer.padding == "same" else 0
        return _Map(field.after_window(kernel, stride, before), None)
    if kind == "Conv2DTranspose" and layer.dilation_rate[axis] == 1 and layer.output_padding is None:
        kernel, stride = layer.kernel_size[axis], layer.strides[axis]
        size = size and transposed_size(size, kernel, stride, layer.padding)
        return _Map(field.after_upsampling(kernel, stride, _cut(kernel, stride, layer.padding)), size)
    if kind == "UpSampling2D" and layer.interpolation in ("nearest", "bilinear"):
        factor = layer.size[axis]
        kernel = factor if layer.interpolation == "nearest" else 2 * factor - factor % 2
        return _Map(field.after_upsampling(kernel, factor, (kernel - factor) // 2), size and size * factor)
    if kind == "ZeroPadding2D":
        before, after = layer.padding[axis]
        return _Map(field.shifted(-before), size and size + before + after)
    if kind == "Cropping2D":
        before, after = layer.cropping[axis]
        return _Map(field.shifted(before), size and size - before - after)
    if kind == "CropToMatch":  # the reference gives only a size
        return _Map(field.shifted(layer.offset), given[1].size)
    if kind in ("Functional", "Sequential") and len(layer.outputs) == 1:  # a model used as a layer
        return _trace(layer.outputs[0], {id(t): m for t, m in zip(layer.inputs, given, strict=True)}, axis)
    raise _unknown(layer, "no rule for it")


def _unknown(layer, why: str) -> ValueError:
    known = sorted(POINTWISE | OVER_CHANNELS | MERGING | CONVOLUTIONS | POOLINGS | OTHERS)
    return ValueError(
        f"The receptive field behind {layer.name!r}, a layer of kind {layer.__class__.__name__}, is not known: {why}. "
        f"Known: {', '.join(known)}"
    )


def inputs_of(layer) -> list[str]:
    """Names of the layers whose outputs a layer of a functional model reads; none for its input."""
    if layer.__class__.__name__ == "InputLayer":
        return []
    tensors = layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors]
