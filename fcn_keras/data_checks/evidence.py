"""What pixels tell of how a data set was made: smoothed labels, shifted labels, the same picture or label map twice."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.evaluation.boundary import boundary_band
from fcn_keras.support import arguments, images
from fcn_keras.support.labels import VOID

BLENDED = 0.4  # share of steps over a class in between that tells of interpolation; real label maps have 0.13, drawn ones 0.25
FEWEST_STEPS = 20  # to judge by
STRIP = 10  # pixels that a strip of void between two things may be wide
SHIFTS = 8  # pixels that labels may be shifted by to be noticed
AGREE = 0.5  # share of the pictures that must want the same shift, give or take a pixel
CLEARER = (
    1.1  # how many times as strong the picture's edges must be under the shifted labels' edges
)


def blended_share(numbers: np.ndarray) -> float:
    """How often a step from one number to another goes over a number in between, as interpolation makes them.

    Along rows and columns, a run of at most three pixels whose number lies strictly between those of the runs before and
    after it is such a step. A drawn label map has few: a thin thing between two others whose number happens to lie between.

    Args:
        numbers: `(H, W)`, as the file has them.

    Returns:
        0–1; 0 with fewer than 20 steps between numbers that differ by 2 or more.

    Raises:
        ValueError: If it is no array `(H, W)` of numbers.
    """
    numbers = arguments.array("numbers", numbers, 2, "(H, W), as the mask has them")
    over = direct = 0
    for lines in (numbers, numbers.T):
        changes = np.ones(lines.shape, bool)
        changes[:, 1:] = lines[:, 1:] != lines[:, :-1]
        rows, starts = np.nonzero(changes)  # where each run of equal numbers begins
        values = lines[rows, starts].astype(int)
        follows = rows[1:] == rows[:-1]  # run i + 1 is in the same line as run i
        ends = np.append(np.where(follows, starts[1:], lines.shape[1]), lines.shape[1])
        ramps = np.zeros(len(rows), bool)
        ramps[1:-1] = follows[1:] & follows[:-1] & (ends - starts <= 3)[1:-1]
        ramps[1:-1] &= (values[1:-1] - values[:-2]) * (values[2:] - values[1:-1]) > 0
        over += np.count_nonzero(ramps)
        direct += np.count_nonzero(
            follows & (np.abs(np.diff(values)) >= 2) & ~ramps[1:] & ~ramps[:-1]
        )
    return over / (over + direct) if over + direct >= FEWEST_STEPS else 0.0


# ------------------------------------------------------------------------------- labels shifted against images


@dataclass(frozen=True)
class Shift:
    """By how much labels lie beside what they label."""

    down: int
    right: int
    here: float  # mean strength of the picture's edges under the labels' edges as they are
    there: float  # the same after the labels were moved by (down, right)

    def in_words(self) -> str:
        places = [
            f"{abs(n)} px {way}" for n, way in ((self.down, "down"), (self.right, "right")) if n > 0
        ]
        places += [
            f"{abs(n)} px {way}" for n, way in ((self.down, "up"), (self.right, "left")) if n < 0
        ]
        return (
            f"the labels fit better when they are moved {' and '.join(places)}: the picture's edges under theirs are then "
            f"{self.there / max(self.here, 1e-9):.1f} times as strong ({self.there:.1f} against {self.here:.1f})"
        )


class EdgeEvidence:
    """Where the edges of label maps lie on the edges of their pictures, for every small shift of the labels.

    No network is asked: one that is trained on shifted labels learns the shift.
    """

    def __init__(self, reach: int = SHIFTS):
        self.reach = reach
        self.strengths: list[
            np.ndarray
        ] = []  # one for each picture: [down, right] → mean edge strength

    def add(self, image: np.ndarray, mask: np.ndarray) -> None:
        """Counts one picture in; its border, and the border of a large void, are no edges of a thing."""
        reach = self.reach
        if min(mask.shape) <= 4 * reach:
            return
        grey = image.astype("float32").mean(axis=-1)
        strength = np.zeros(grey.shape, "float32")
        strength[1:-1, 1:-1] = np.hypot(
            grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1]
        )
        rows, columns = np.nonzero(boundary_band(_closed(mask), 1)[reach:-reach, reach:-reach])
        if (
            not len(rows) or not strength.any()
        ):  # a picture without edges, such as a black one, has nothing to lie on
            return
        side = 2 * reach + 1
        windows = np.lib.stride_tricks.sliding_window_view(
            strength, (side, side)
        )  # [row, column, down, right]
        chosen = slice(
            None, None, max(1, len(rows) // 4000)
        )  # more edge pixels than that tell nothing new
        self.strengths.append(windows[rows[chosen], columns[chosen]].mean(axis=0))

    def shift(self) -> Shift | None:
        """The shift that fits best, if it is not 0, fits clearly better, and half of the pictures say so by themselves."""
        if len(self.strengths) < 2:  # one picture alone proves nothing
            return None
        best = [
            np.array(np.unravel_index(strength.argmax(), strength.shape))
            for strength in self.strengths
        ]
        means = np.mean(self.strengths, axis=0)
        down, right = (int(place) for place in np.unravel_index(means.argmax(), means.shape))
        if np.mean([np.abs(place - (down, right)).max() <= 1 for place in best]) < AGREE:
            return None
        here, there = float(means[self.reach, self.reach]), float(means[down, right])
        shift = Shift(down - self.reach, right - self.reach, here, there)
        a_pixel_off = (
            max(abs(shift.down), abs(shift.right)) <= 1
        )  # where an edge lies is not said more exactly by anybody
        return None if a_pixel_off or there <= CLEARER * here else shift


def _closed(mask: np.ndarray) -> np.ndarray:
    """The label map with thin strips of void closed from both sides: VOC and the pets leave one along every edge."""
    mask = mask.copy()
    rows = (
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:-1, :], np.s_[1:, :]),
    )  # a pixel and its neighbour above, below
    columns = (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :-1], np.s_[:, 1:])
    for _ in range(STRIP // 2):
        before = mask.copy()
        for here, there in (*rows, *columns):
            empty = mask[here] == VOID
            mask[here][empty] = before[there][empty]
    return mask


def label_shift(data: SegmentationData, indices: Iterable[int] | None = None) -> Shift | None:
    """Whether the labels of a data set lie beside what they label, by up to 8 pixels.

    Args:
        data: A `SegmentationData` with labels.
        indices: Which images to look at; all by default.

    Returns:
        `Shift`, or `None` if they fit best, or nearly, where they are.

    Raises:
        TypeError: If `data` is no data set.
    """
    arguments.data_set("data", data)
    evidence = EdgeEvidence()
    for index in range(len(data)) if indices is None else indices:
        image, mask = data[index]
        if mask is not None and mask.ndim == 2:
            evidence.add(image, mask)
    return evidence.shift()


class Twins:
    """Which pictures show the same, also after they were saved again as JPEG.

    Two are the same if what is left of them at 24 x 24 pixels differs by less than one and a half levels of grey on average,
    and by little beside how much the picture itself varies. Successive pictures of CamVid's films differ by more.
    """

    SIDE, LEVELS, SHARE = 24, 1.5, 0.08

    def __init__(self):
        self.names: list[tuple[str, str]] = []  # (part, file)
        self.small: list[np.ndarray] = []

    def add(self, part: str, name: str, image: np.ndarray) -> None:
        self.names.append((part, name))
        self.small.append(images.thumbnail(image, self.SIDE).astype("float32").ravel())

    def pairs(self):
        """Yields two (part, file) for every picture that is there again."""
        if not self.small:
            return
        small = np.stack(self.small)
        means, spreads = small.mean(axis=1), small.std(axis=1)
        order = np.argsort(means, kind="stable")  # two that are alike have nearly the same mean
        for place, one in enumerate(order):
            last = np.searchsorted(means[order], means[one] + self.LEVELS, side="right")
            others = order[place + 1 : last]
            apart = np.abs(small[others] - small[one]).mean(axis=1)
            allowed = np.minimum(
                self.LEVELS, self.SHARE * np.minimum(spreads[one], spreads[others])
            )
            for other in others[apart <= allowed]:
                first, second = sorted((int(one), int(other)))
                yield self.names[first], self.names[second]


class Copies:
    """Which pictures that differ have the same label map, pixel for pixel.

    Counted are maps whose edges bend often enough: two of one class, or parted by a straight line, may be alike by chance.
    """

    BENDS = 8

    def __init__(self):
        self.alike: dict[bytes, list] = defaultdict(
            list
        )  # digest of a label map → [((part, file of the picture), mask)]

    def add(self, part: str, picture: str, mask: str, labels: np.ndarray) -> None:
        if _bends(_closed(labels)) >= self.BENDS:
            digest = hashlib.sha256(
                f"{labels.shape}".encode() + np.ascontiguousarray(labels).tobytes()
            ).digest()
            self.alike[digest].append(((part, picture), mask))

    def pairs(self, twins: Iterable[tuple]):
        """Yields two masks for every label map that is there again. `twins`: what `Twins.pairs` gives; these may share one."""
        same = defaultdict(set)
        for one, other in twins:
            same[one].add(other)
            same[other].add(one)
        for found in self.alike.values():
            seen = {found[0][0]}
            for picture, mask in found[1:]:
                if not same[picture] & seen:
                    yield found[0][1], mask
                seen.add(picture)


def _bends(labels: np.ndarray) -> int:
    """How often the edges between classes, seen pixel by pixel, turn a corner; the border of void is no edge."""
    four = np.stack([labels[:-1, :-1], labels[:-1, 1:], labels[1:, :-1], labels[1:, 1:]])
    a, b, c, d = four
    straight = ((a == b) & (c == d)) | ((a == c) & (b == d))
    return int(np.count_nonzero(~straight & (four != VOID).all(axis=0)))
