"""Pictures that are there twice, and label maps that belong to two different pictures."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from fcn_keras.data_checks.strips import without_void_strips
from fcn_keras.support import images
from fcn_keras.support.labels import VOID

Place = tuple[str, str]  # part, file


class SamePictures:
    """Finds pictures that show the same, also after they were saved again as JPEG.

    Two are the same if they hardly differ at 24 x 24 pixels: by less than one and a half levels of
    grey on average, and by little compared with how much the picture itself varies. Successive
    pictures of CamVid's films differ by more.
    """

    SIDE, LEVELS, SHARE = 24, 1.5, 0.08

    def __init__(self):
        self.places: list[Place] = []
        self.thumbnails: list[np.ndarray] = []

    def add(self, part: str, name: str, image: np.ndarray) -> None:
        self.places.append((part, name))
        self.thumbnails.append(images.thumbnail(image, self.SIDE).astype("float32").ravel())

    def pairs(self) -> Iterator[tuple[Place, Place]]:
        """Yields the two places of every repeated picture."""
        if not self.thumbnails:
            return
        small = np.stack(self.thumbnails)
        means, spreads = small.mean(axis=1), small.std(axis=1)
        order = np.argsort(means, kind="stable")  # two similar pictures have nearly the same mean
        for place, one in enumerate(order):
            last = np.searchsorted(means[order], means[one] + self.LEVELS, side="right")
            others = order[place + 1 : last]
            difference = np.abs(small[others] - small[one]).mean(axis=1)
            spread = np.minimum(spreads[one], spreads[others])
            allowed = np.minimum(self.LEVELS, self.SHARE * spread)
            for other in others[difference <= allowed]:
                first, second = sorted((int(one), int(other)))
                yield self.places[first], self.places[second]


class SameLabelMaps:
    """Finds different pictures that have the same label map, pixel for pixel.

    Only maps whose edges bend often enough are compared. Two maps of a single class, or of two
    classes with a straight edge between them, may be the same by chance.
    """

    BENDS = 8

    def __init__(self):
        # digest of a label map → (place of the picture, mask file)
        self.alike: dict[bytes, list[tuple[Place, str]]] = defaultdict(list)

    def add(self, part: str, picture: str, mask: str, labels: np.ndarray) -> None:
        if _bends(without_void_strips(labels)) >= self.BENDS:
            content = f"{labels.shape}".encode() + np.ascontiguousarray(labels).tobytes()
            self.alike[hashlib.sha256(content).digest()].append(((part, picture), mask))

    def pairs(self, same_pictures: Iterable[tuple[Place, Place]]) -> Iterator[tuple[str, str]]:
        """Yields the two mask files of every label map that is there again.

        Args:
            same_pictures: The pairs of `SamePictures`. These may share a label map.
        """
        same = defaultdict(set)
        for one, other in same_pictures:
            same[one].add(other)
            same[other].add(one)
        for (first_picture, first_mask), *others in self.alike.values():
            seen = {first_picture}
            for picture, mask in others:
                if not same[picture] & seen:
                    yield first_mask, mask
                seen.add(picture)


def _bends(labels: np.ndarray) -> int:
    """How many corners the edges between classes have. The border of void is not an edge."""
    four = np.stack([labels[:-1, :-1], labels[:-1, 1:], labels[1:, :-1], labels[1:, 1:]])
    a, b, c, d = four
    straight = ((a == b) & (c == d)) | ((a == c) & (b == d))
    return int(np.count_nonzero(~straight & (four != VOID).all(axis=0)))
