"""The arithmetic of receptive fields: which input pixels each position sees (lecture: L08, L15).

The receptive field of a layer, such as pool5 in a given model, is computed by `receptive_field` in
`geometry/receptive_fields.py`. It takes one step of this arithmetic for each layer on the way.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from fcn_keras.geometry.sizes import ceil_div
from fcn_keras.support import arguments
from fcn_keras.support.kinds import Kind, checked


@dataclass(frozen=True)
class Field:
    """The input pixels that each position of a map sees, along one axis (lecture: L15).

    A Field tells how large the receptive field of a layer is, and where two maps must be cropped so
    that the same positions lie over the same pixels.

    After convolution and pooling every position sees a window of the same size, and from one
    position to the next the window moves by one stride. After upsampling by f the windows differ,
    but their pattern repeats every f positions. A field therefore lists the windows of one period.

    Attributes:
        windows: First and last pixel that each of the positions 0 … period − 1 sees. A negative
            pixel, or one beyond the image, is padding. `None` for a position that sees nothing
            (stride larger than kernel).
        shift: Pixels by which the windows move from one period to the next.

    Example:
        >>> field = fcn.geometry.IMAGE.after_window(kernel=3, stride=2, before=1)
        >>> field.size, field.pixels(0), field.pixels(5)
        (3, (-1, 1), (9, 11))
    """

    windows: tuple[tuple[int, int] | None, ...]
    shift: int

    @property
    def size(self) -> int:
        """Receptive field: pixels of the widest window."""
        return max(last - first + 1 for first, last in filter(None, self.windows))

    @property
    def stride(self) -> Fraction:
        """Pixels from one position to the next, on average; below 1 if the map is larger."""
        return Fraction(self.shift, len(self.windows))

    @property
    def offset(self) -> int:
        """First pixel that the first position sees; negative if it lies in padding."""
        return next(first for first, _ in filter(None, self.windows))

    @property
    def centre(self) -> Fraction:
        """The pixel at which position 0 lies; position i lies at `centre + i·stride`.

        It is the middle of the window, averaged over a period: 0 for the input itself. Two maps can
        be added only if their positions lie at the same places.
        """
        middles = [
            Fraction(sum(window), 2) - i * self.stride
            for i, window in enumerate(self.windows)
            if window
        ]
        return sum(middles, Fraction(0)) / len(middles)

    def pixels(self, position: int) -> tuple[int, int] | None:
        """First and last pixel that a position sees; `None` if it sees nothing."""
        turns, phase = divmod(position, len(self.windows))
        window = self.windows[phase]
        return window and (window[0] + turns * self.shift, window[1] + turns * self.shift)

    def after_window(self, kernel: int, stride: int, before: int) -> "Field":
        """The field after a convolution or pooling with `before` pixels of padding at the start."""
        period = len(self.windows) // math.gcd(len(self.windows), stride)
        starts = [i * stride - before for i in range(period)]
        windows = tuple(self._span(start, start + kernel - 1) for start in starts)
        return Field(windows, int(self.stride * stride * period))

    def after_upsampling(self, kernel: int, stride: int, cut: int) -> "Field":
        """The field after a transposed convolution with `cut` pixels cut off the start.

        Input i contributes to the outputs stride·i … stride·i + kernel − 1 before the cut. The
        inputs that reach output o are therefore ⌈(o − kernel + 1) / stride⌉ … ⌊o / stride⌋.
        """
        outputs = range(cut, cut + stride * len(self.windows))
        windows = tuple(self._span(ceil_div(o - kernel + 1, stride), o // stride) for o in outputs)
        return Field(windows, self.shift)

    def shifted(self, positions: int) -> "Field":
        """The field after cutting off that many first positions; a negative number adds padding."""
        period = len(self.windows)
        windows = tuple(self.pixels(i) for i in range(positions, positions + period))
        return Field(windows, self.shift)

    def joined(self, other: "Field") -> "Field":
        """The field where two branches meet: from the first pixel that either sees to the last.

        Raises:
            ValueError: If their strides differ.
        """
        _need_one_stride(self, other)
        period = math.lcm(len(self.windows), len(other.windows))
        windows = tuple(_hull([self.pixels(i), other.pixels(i)]) for i in range(period))
        return Field(windows, int(self.stride * period))

    def _span(self, first: int, last: int) -> tuple[int, int] | None:
        """What the positions from `first` to `last` see together."""
        return _hull([self.pixels(position) for position in range(first, last + 1)])


def _hull(windows) -> tuple[int, int] | None:
    seen = [window for window in windows if window]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


def _need_one_stride(a: Field, b: Field) -> None:
    if a.stride != b.stride:
        raise ValueError(f"Expected maps of one stride. Received: strides {a.stride}, {b.stride}")


IMAGE = Field(((0, 0),), 1)  # every pixel sees itself
FieldOfMap = Annotated[Field, Kind("a Field", arguments.instance, of=Field, by="receptive_field")]


@checked
def crop_offset(larger: FieldOfMap, target: FieldOfMap = IMAGE) -> int:
    """Positions to cut off the start of a map so that it lies over another one (lecture: L15).

    It gives the crops of the published networks, such as 19 in FCN-32s.

    Args:
        larger: Field of the map that is cut.
        target: Field of the map that it is cut to fit; by default the image itself.

    Returns:
        Number of positions before the one that lies over the target's first.

    Raises:
        ValueError: If the strides differ, or the number is negative or not whole.

    Source: the released FCN-32s crops by 19, FCN-16s by 5 and 27, FCN-8s by 5, 9 and 31.

    Example:
        >>> fcn.geometry.crop_offset(fcn.geometry.IMAGE.shifted(-4))  # 4 pixels of padding in front
        4
    """
    _need_one_stride(larger, target)
    offset = (target.centre - larger.centre) / larger.stride
    if offset.denominator != 1 or offset < 0:
        wanted = "a map that begins a whole number of positions before its target"
        raise ValueError(f"Expected {wanted}. Received: one that begins {offset} before")
    return int(offset)
