"""Three real photographs with a label for every pixel, and strokes painted on them (lecture: L22).

The photographs come with scikit-image, so nothing is downloaded. The outlines of the things were
drawn by hand for this package; whiskers and loose hair are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import ClassNames, SegmentationData
from fcn_keras.support import arguments
from fcn_keras.support.files import package_folder
from fcn_keras.support.images import read_image
from fcn_keras.support.kinds import Count, Size, Table, checked
from fcn_keras.support.labels import VOID

PHOTOGRAPH_CLASSES = ("background", "cup", "cat", "person")
MODULE = "skimage"  # scikit-image
Points = Sequence[tuple[float, float]]


def _points(text: str) -> Points:
    """Points written as in an SVG file: `"174,105 182,80"`, x and y from the top left corner."""
    pairs = (pair.split(",") for pair in text.split())
    return [(int(x), int(y)) for x, y in pairs]


def _lines(text: str) -> Sequence[Points]:
    """Lines written one behind the other: `"30,60 140,20 / 40,190 25,300"`."""
    return [_points(line) for line in text.split("/")]


@dataclass(frozen=True)
class Photograph:
    """What is known of one photograph. Points are `(x, y)` in pixels."""

    file: str
    thing: str  # what is outlined: one of PHOTOGRAPH_CLASSES
    source: str  # whose it is, and its licence
    outline: Points
    strokes: Mapping[str, Sequence[Points]]  # for each class lines that somebody might paint


PHOTOGRAPHS: dict[str, Photograph] = {
    "coffee": Photograph(
        file="coffee.png",
        thing="cup",
        source="Rachel Michetti, CC0",
        outline=_points(
            "176,76 186,62 200,50 222,35 252,22 284,18 318,22 350,34 378,52 396,72 404,68 418,68 "
            "424,76 417,98 440,116 460,142 474,178 479,215 478,245 468,280 450,310 424,338 "
            "390,360 350,378 310,388 280,389 240,385 200,372 162,352 128,324 100,288 84,252 "
            "77,222 79,180 90,150 106,126 130,100 158,80"
        ),
        strokes={
            "background": _lines("30,60 140,20 / 40,190 25,300 70,380 / 470,40 560,130 540,330"),
            "cup": _lines(
                "100,200 150,310 270,370 400,320 450,200 / 230,70 200,130 240,210 350,190 / "
                "300,150 330,90 / 350,290 380,250"
            ),
        },
    ),
    "cat": Photograph(
        file="chelsea.png",
        thing="cat",
        source="Stéfan van der Walt, CC0",
        outline=_points(
            "0,300 0,148 14,138 30,122 38,108 36,84 32,60 36,30 42,0 400,0 388,22 376,52 362,72 "
            "362,100 364,130 360,160 350,186 336,212 322,240 304,262 286,280 270,290 256,300"
        ),
        strokes={
            "background": _lines("8,20 10,100 / 400,30 420,160 390,280 / 440,60 435,220"),
            "cat": _lines(
                "80,40 200,60 330,60 / 60,160 180,190 260,120 330,170 / 40,260 150,270 270,250 / "
                "170,110 180,130"
            ),
        },
    ),
    "astronaut": Photograph(
        file="astronaut.png",
        thing="person",
        source="NASA, public domain",
        outline=_points(
            "20,512 26,440 24,400 28,340 36,300 50,272 76,240 112,210 118,188 128,164 146,152 "
            "170,148 184,150 186,138 174,130 160,106 154,80 158,60 176,48 192,32 212,20 236,16 "
            "258,20 276,30 292,52 300,80 297,104 284,122 272,136 262,142 256,164 254,174 278,190 "
            "296,214 304,236 326,250 344,274 354,310 360,340 364,352 380,346 404,344 432,350 "
            "456,362 476,386 490,420 498,452 508,460 512,480 512,512"
        ),
        strokes={
            "background": _lines(
                "60,20 20,200 12,380 / 110,90 135,5 325,5 350,220 / 420,80 390,260 500,300"
            ),
            "person": _lines(
                "180,80 230,40 280,90 / 210,130 240,170 / 150,200 200,250 280,240 / 60,300 100,440 "
                "200,480 / 150,330 300,400 / 330,420 430,380 470,460"
            ),
        },
    ),
}


def photographs(*names: str) -> SegmentationData:
    """Photographs that come with scikit-image, with the outline of what is in them (lecture: L22).

    Args:
        names: `"coffee"` (400 × 600 pixels), `"cat"` (300 × 451), `"astronaut"` (512 × 512). None:
            all three.

    Returns:
        Data set with the classes background, cup, cat and person.

    Raises:
        ValueError: If there is no photograph with a name.
        ModuleNotFoundError: If scikit-image is not installed.

    Example:
        >>> image, mask = fcn.datasets.photographs("coffee")[0]
        >>> image.shape, int(mask.max())
        ((400, 600, 3), 1)
    """
    folder = _folder()
    for name in names:
        arguments.one_of("name", name, PHOTOGRAPHS)
    chosen = [PHOTOGRAPHS[name] for name in names or PHOTOGRAPHS]

    def read(index):
        photo = chosen[index]
        image = read_image(folder / photo.file)
        number = PHOTOGRAPH_CLASSES.index(photo.thing)
        return image, (number * _inside(photo.outline, image.shape[:2])).astype("uint8")

    return SegmentationData(read, len(chosen), PHOTOGRAPH_CLASSES, name="photographs")


@checked
def paint_strokes(size: Size, strokes: Table, class_names: ClassNames, width: Count = 12):
    """A label map of a few brush strokes; everything that nobody painted is void (lecture: L22).

    An FCN learns from it as from any other label map, because void pixels do not count in its loss.

    Args:
        size: Height and width of the picture.
        strokes: Class name → lines, each a sequence of points `(x, y)` in pixels from the top left
            corner. Later ones lie on top.
        class_names: The names of classes 0, 1, …
        width: Of the brush, in pixels.

    Returns:
        uint8 `(height, width)`: class numbers, and 255 where nothing was painted.

    Raises:
        ValueError: If a class has another name, or a line has fewer than two points.

    Example:
        >>> strokes = {"grass": [[(0, 50), (60, 50)]], "sky": [[(0, 10), (60, 10)]]}
        >>> labels = fcn.datasets.paint_strokes((60, 60), strokes, ("sky", "grass"), width=4)
        >>> int(labels[50, 30]), int(labels[10, 30]), int(labels[30, 30])
        (1, 0, 255)
    """
    labels = np.full(size, VOID, "uint8")
    for name, lines in strokes.items():
        if name not in class_names:
            raise ValueError(
                f"Expected strokes for classes out of {', '.join(class_names)}. Received: {name!r}"
            )
        for line in lines:
            points = np.asarray(line, "float64")
            if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2:
                raise ValueError(
                    f"Expected every stroke to be two or more points (x, y). Received: {line!r} "
                    f"for {name}"
                )
            for start, end in pairwise(points):
                labels[_distance(size, start, end) <= width / 2] = list(class_names).index(name)
    return labels


def _inside(outline, size) -> np.ndarray:
    """The pixels from which a ray to the right crosses the outline an odd number of times."""
    y, x = np.indices(size)
    crossings = np.zeros(size, int)
    for (x1, y1), (x2, y2) in pairwise([*outline, outline[0]]):
        if y1 != y2:
            at = x1 + (y - y1) * (x2 - x1) / (y2 - y1)  # where the edge is, in the pixel's row
            crossings += ((y1 <= y) != (y2 <= y)) & (x < at)
    return crossings % 2 == 1


def _distance(size, start, end) -> np.ndarray:
    """How far each pixel is from the nearest point of a line between two points."""
    pixels = np.stack(np.indices(size)[::-1], axis=-1) - start  # (H, W, 2), x and y
    along = end - start
    share = np.clip(pixels @ along / max(along @ along, 1e-9), 0, 1)[..., None]
    return np.linalg.norm(pixels - share * along, axis=-1)


def _folder() -> Path:
    """Where scikit-image keeps its photographs."""
    folder = package_folder(MODULE)
    if folder is None:
        raise ModuleNotFoundError(
            "The photographs come with scikit-image, which is not installed: python -m pip install "
            "scikit-image (13 MB) brings them, and nothing is downloaded after that."
        )
    return folder / "data"
