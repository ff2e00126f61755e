"""Receptive fields as arithmetic: which input pixels each position of a map sees (lecture: L08, L15)."""

import math
from dataclasses import dataclass
from fractions import Fraction

from fcn_keras.support import arguments


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
            Fraction(window[0] + window[1], 2) - i * self.stride
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
        """Behind a convolution or pooling with `before` pixels of padding at the start."""
        period = len(self.windows) // math.gcd(len(self.windows), stride)
        windows = tuple(
            self._span(i * stride - before, i * stride - before + kernel - 1) for i in range(period)
        )
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
        return Field(
            tuple(self.pixels(i) for i in range(positions, positions + period)), self.shift
        )

    def joined(self, other: "Field") -> "Field":
        """Where two branches meet: from the first pixel that either sees to the last."""
        if self.stride != other.stride:
            raise ValueError(
                f"Expected branches of one stride to meet. Received: strides {self.stride} and {other.stride}"
            )
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
            raise TypeError(
                f"Expected {name} to be a Field, as receptive_field gives it. {arguments.received(name, field)}"
            )
    if larger.stride != target.stride:
        raise ValueError(
            f"Expected two maps of one stride. Received: strides {larger.stride} and {target.stride}"
        )
    offset = (target.centre - larger.centre) / larger.stride
    if offset.denominator != 1 or offset < 0:
        raise ValueError(
            f"Expected the map to begin a whole number of positions before its target. Received: it begins {offset} before "
            f"(centres {larger.centre} and {target.centre}, stride {larger.stride})"
        )
    return int(offset)
