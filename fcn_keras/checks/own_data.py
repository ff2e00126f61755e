"""Assignment 5, your own data set: masks from labelme and from indexed pictures, their faults, the mean IoU (L22, L25)."""

import numpy as np

from fcn_keras.checks.hints import PACKAGES, NotYet, as_array, ask, check, compare
from fcn_keras.support.labels import VOID

DRAWING = tuple(
    name for name in PACKAGES if name not in ("PIL", "cv2", "skimage")
)  # they fill polygons; that is allowed


@check
def mask_from_labelme(answer, seed):
    """`mask_from_labelme(record, class_names)`: the label map of one picture from labelme's JSON (L22)."""
    draw = np.random.default_rng(seed)
    for _ in range(3):
        names = ["background", "road", "car", "tree"][: int(draw.integers(3, 5))]
        record = _labelled_picture(draw, names)
        want = _labels_of(record, names)
        near = np.any([_near(shape["points"], want.shape) for shape in record["shapes"]], axis=0)
        got = as_array(ask(answer, record, names, without=DRAWING), "the label map")
        turned = [{**s, "points": [point[::-1] for point in s["points"]]} for s in record["shapes"]]
        boxes = [{**s, "points": _box(s["points"])} for s in record["shapes"]]

        def without_edges(labels, near=near):
            return np.where(near, 0, labels) if labels.shape == near.shape else labels

        def other(shapes=record["shapes"], record=record, names=names):
            return without_edges(_labels_of({**record, "shapes": shapes}, names))

        ignored = [s for s in record["shapes"] if s["label"] != "ignore"]
        labels = np.where(near, 0, want)
        for (
            hint,
            shapes,
            share,
        ) in (  # the edges of these lie elsewhere, so they are known by what most pixels say
            (
                "x and y are exchanged: labelme's points are (x, y), an array is [row, column], which is [y, x].",
                turned,
                0.97,
            ),
            ("boxes are filled instead of the polygons in them.", boxes, 0.9),
        ):
            mistake = _labels_of({**record, "shapes": shapes}, names)
            if got.shape == want.shape and np.mean(got == mistake) > max(
                share, np.mean(got == want)
            ):
                raise NotYet(hint)
        compare(
            without_edges(got),
            labels,
            what="the label map",
            axes=("height", "width"),
            mistakes=[
                (
                    "where shapes overlap the first one wins: the later ones lie on top.",
                    other(record["shapes"][::-1]),
                ),
                ("shapes called `ignore` are left out: they are void, 255.", other(ignored)),
                (
                    "the class numbers are one too low: class_names[0] is the background, 0.",
                    np.where((labels > 0) & (labels < VOID), labels - 1, labels),
                ),
                (
                    "the class numbers are one too high: they are positions in class_names, from 0.",
                    np.where((labels > 0) & (labels < VOID), labels + 1, labels),
                ),
                (
                    "what nobody outlined is background, 0, and not void.",
                    np.where((labels == 0) & ~near, VOID, labels),
                ),
                ("only the first shape is drawn.", other(record["shapes"][:1])),
                (
                    "all shapes have the same number: each has that of its class.",
                    np.where((labels > 0) & (labels < VOID), 1, labels),
                ),
                (
                    "that is white on black, as for a viewer; a label map holds class numbers.",
                    np.where(labels > 0, VOID, 0),
                ),
            ],
        )
    return "Rows are y, columns are x, later shapes lie on top."


@check
def mask_from_colours(answer, seed):
    """`mask_from_colours(indices, palette, classes)`: class numbers from an indexed picture and a table of colours (L22)."""
    draw = np.random.default_rng(seed)
    for count in (4, int(draw.integers(3, 7))):
        colours = [
            (0, 0, 0),
            (200, 30, 10),
            (10, 90, 220),
            (240, 200, 0),
            (0, 140, 60),
            (90, 0, 120),
        ][:count]
        classes = dict(
            zip(colours, np.roll(np.arange(count), 1 + int(draw.integers(1, count - 1))).tolist())
        )  # in no order
        palette = draw.permutation(
            np.array([*colours, (17, 16, 15), (220, 90, 10), colours[1]], "uint8")
        )  # one of them twice
        for number in range(
            len(palette)
        ):  # the program that wrote the file keeps its own order, never this one
            if (
                tuple(palette[number].tolist()) in classes
                and classes[tuple(palette[number].tolist())] == number
            ):
                palette = np.roll(palette, 1, axis=0)
        indices = draw.integers(0, len(palette), (int(draw.integers(6, 11)), 13)).astype("uint8")
        numbers = np.array([classes.get(tuple(c), VOID) for c in palette.tolist()])
        mirrored = np.array([classes.get(tuple(c[::-1]), VOID) for c in palette.tolist()])
        far = ((palette[:, None].astype(int) - np.array(colours)) ** 2).sum(
            -1
        )  # (palette, classes)
        nearest = np.array(list(classes.values()))[far.argmin(-1)]
        want = numbers[indices]
        compare(
            ask(answer, indices, palette, classes, without=PACKAGES),
            want,
            what="the label map",
            axes=("height", "width"),
            mistakes=[
                (
                    "the palette's numbers are taken for class numbers: the colour decides, whatever place it has in the palette.",
                    indices.astype(int),
                ),
                ("red and blue are exchanged.", mirrored[indices]),
                (
                    "a colour that is not in the table became class 0: it is void, 255.",
                    np.where(want == VOID, 0, want),
                ),
                (
                    "a colour that is not in the table became the class of the nearest colour: it is void, 255.",
                    nearest[indices],
                ),
                ("the classes are one too high.", np.where(want == VOID, VOID, want + 1)),
                (
                    "the colours themselves came out; their class numbers are asked for.",
                    palette[indices].astype(int),
                ),
            ],
        )
    return "It does not matter in which order a program keeps its palette."


@check
def shrink_labels(answer, seed):
    """`shrink_labels(mask, factor)`: every `factor`-th pixel of a label map, no number invented (L22)."""
    draw = np.random.default_rng(seed)
    for factor in (2, 4, int(draw.integers(3, 6))):
        height, width = draw.integers(4, 9, 2) * factor
        mask = draw.choice([0, 1, 4, 7, VOID], size=(height, width + factor)).astype("uint8")
        cells = mask.reshape(height // factor, factor, -1, factor).swapaxes(1, 2).astype(float)
        blended = cells.mean((2, 3))
        compare(
            ask(answer, mask, factor, without=PACKAGES),
            mask[::factor, ::factor].astype(int),
            what=f"the label map, {factor} times smaller",
            axes=("height", "width"),
            mistakes=[
                (
                    "class numbers are averaged: between class 1 and class 7 that makes a class 4 that is not there.",
                    blended,
                ),
                (
                    "class numbers are averaged and rounded: between class 1 and class 7 that makes a class 4 that is not there.",
                    blended.round(),
                ),
                (
                    "class numbers are averaged and cut off: between class 1 and class 7 that makes a class 4 that is not there.",
                    np.floor(blended),
                ),
                (
                    "the largest number of each cell is taken: then void eats the classes.",
                    cells.max((2, 3)),
                ),
                (
                    "the smallest number of each cell is taken: then the background eats the classes.",
                    cells.min((2, 3)),
                ),
                (
                    "each cell's last pixel is taken; its first one, top left, is asked for.",
                    cells[:, :, -1, -1],
                ),
                (
                    "each cell's middle pixel is taken; its first one, top left, is asked for.",
                    cells[:, :, factor // 2, factor // 2],
                ),
                ("only the rows are thinned out.", mask[::factor].astype(int)),
            ],
        )
    return "Every number in it was in the mask."


FAULTS = ("shape", "type", "size", "numbers", "void")


@check
def faults(answer, seed):
    """`faults(image, mask, num_classes)`: the names of what is wrong with one picture and its mask."""
    draw = np.random.default_rng(seed)
    classes = int(draw.integers(3, 7))
    height, width = (int(n) for n in draw.integers(12, 20, 2))
    image = draw.integers(0, 256, (height, width + 5, 3)).astype("uint8")
    good = draw.integers(0, classes, image.shape[:2]).astype("uint8")
    some_void = np.where(draw.random(good.shape) < 0.3, VOID, good).astype("uint8")

    def voided(share):
        return np.where(
            np.arange(good.size).reshape(good.shape) < share * good.size, VOID, good
        ).astype("uint8")

    beyond, colour = good.copy(), np.stack([good] * 3, -1)
    beyond[3, 4] = classes
    for mask, expected, what in (
        (good, set(), "a mask in which nothing is wrong"),
        (some_void, set(), "a mask with some void, 255, in which nothing is wrong"),
        (good.astype("int64"), set(), "a mask of 64-bit whole numbers, in which nothing is wrong"),
        (colour, {"shape"}, "a mask with three channels"),
        (good.astype("float32"), {"type"}, "a mask of floating-point numbers"),
        (good.astype("float64"), {"type"}, "a mask of 64-bit floating-point numbers"),
        (good.ravel(), {"shape"}, "a mask of one axis"),
        (voided(0.94), set(), "a mask of which 94 % is void, in which nothing is wrong"),
        (voided(0.96), {"void"}, "a mask of which 96 % is void"),
        (good[:-1], {"size"}, "a mask that is a row shorter than its picture"),
        (good.T.copy(), {"size"}, "a mask whose height and width are exchanged"),
        (
            beyond,
            {"numbers"},
            f"a mask in which one pixel has the number {classes}, with {classes} classes",
        ),
        (
            np.where(beyond == classes, classes, some_void),
            {"numbers"},
            "a mask with void and one pixel that is no class",
        ),
        (
            np.where(beyond == classes, 300, good.astype("int64")),
            {"numbers"},
            "a mask with the number 300",
        ),
        ((good > 0).astype("uint8") * 254, {"numbers"}, "a mask painted in black and 254"),
        (good.astype("int64") - 1, {"numbers"}, "a mask with a number below 0"),
        (np.full_like(good, VOID), {"void"}, "a mask that is nothing but void"),
        (
            beyond[2:],
            {"size", "numbers"},
            "a mask that is too short and has a number that is no class",
        ),
    ):
        got = ask(answer, image, mask, classes, without=PACKAGES)
        if not isinstance(got, list | tuple | set) or not all(
            isinstance(name, str) for name in got
        ):
            raise NotYet(
                f"it gives {type(got).__name__}; a list of names is asked for, empty where nothing is wrong."
            )
        unknown = set(got) - set(FAULTS)
        if unknown:
            raise NotYet(f"`{min(unknown)}` is none of the names: {', '.join(FAULTS)}.")
        for name in sorted(expected - set(got)):
            raise NotYet(f"{what} passes: `{name}` is not reported.")
        for name in sorted(set(got) - expected):
            raise NotYet(f"{what}: `{name}` is reported, and should not be.")
    return "What passes here can be trained on."


@check
def mean_iou(answer, seed):
    """`mean_iou(confusion)`: intersection over union, mean over the classes that occur (notebook 09, L20)."""
    draw = np.random.default_rng(seed)
    for absent in (True, False, True):
        classes = int(draw.integers(4, 7))
        confusion = draw.integers(1, 60, (classes, classes)) + np.diag(
            draw.integers(50, 200, classes)
        )
        if absent:
            confusion[2] = confusion[:, 2] = 0  # a class that is neither there nor found
            confusion[1] = 0  # one that is found, though it is not there
            confusion[:, 3] = 0  # one that is there, and never found
        hit, true, found = np.diag(confusion), confusion.sum(1), confusion.sum(0)
        union = true + found - hit
        occurs = union > 0
        iou = hit[occurs] / union[occurs]
        with np.errstate(all="ignore"):
            compare(
                ask(answer, confusion, without=PACKAGES),
                iou.mean(),
                what="the mean IoU",
                mistakes=[
                    (
                        "a class that is neither there nor found counts as 0: leave it out of the mean.",
                        iou.sum() / classes,
                    ),
                    (
                        "a class that is neither there nor found counts as 1: leave it out of the mean.",
                        (iou.sum() + (~occurs).sum()) / classes,
                    ),
                    ("that is the pixel accuracy.", hit.sum() / confusion.sum()),
                    (
                        "that is the mean accuracy: divided by the true pixels of a class, not by the union.",
                        (hit[true > 0] / true[true > 0]).mean(),
                    ),
                    (
                        "that is the mean precision: divided by the found pixels of a class, not by the union.",
                        (hit[found > 0] / found[found > 0]).mean(),
                    ),
                    (
                        "the union counts the intersection twice.",
                        (hit[occurs] / (true + found)[occurs]).mean(),
                    ),
                    (
                        "that is the Dice score: twice the intersection over the sum.",
                        (2 * hit[occurs] / (true + found)[occurs]).mean(),
                    ),
                    (
                        "a class that is found though it is not there is left out: its IoU is 0, and it counts.",
                        (hit[true > 0] / union[true > 0]).mean(),
                    ),
                    (
                        "the background is left out of the mean: class 0 is a class like the others.",
                        iou[1:].mean(),
                    ),
                    (
                        "the classes are weighted by their pixels: each counts the same here.",
                        (true[occurs] * iou).sum() / true.sum(),
                    ),
                    (
                        "the intersections and the unions are added up before dividing: each class has its own quotient.",
                        hit.sum() / union.sum(),
                    ),
                ],
            )
    return "A rare class counts as much as a common one."


def _labelled_picture(draw, names):
    """What labelme writes for one picture, in the parts that matter: four shapes, one of them on another, one to ignore."""
    height, width = (int(n) for n in draw.integers([40, 64], [56, 90]))

    def around(x, y, size, corners):
        angles = (
            np.sort(draw.uniform(0, 2 * np.pi, corners))
            if corners > 4
            else np.arange(corners) * 2 * np.pi / corners + 0.3
        )
        far = draw.uniform(0.55, 1.0, corners) * size
        return [[float(x + d * np.cos(a)), float(y + d * np.sin(a))] for a, d in zip(angles, far)]

    places = [
        (0.25, 0.4, 14, 4),
        (0.33, 0.5, 10, 3),
        (0.72, 0.4, 12, 7),
        (0.75, 0.6, 9, 4),
    ]  # each second one lies on the first
    order = draw.permutation(4)
    labels = [[names[1], names[2], names[-1], "ignore"][i] for i in order]
    if labels.index(names[2]) > labels.index(names[1]) and labels.index("ignore") == 3:
        labels = labels[::-1]  # never in the order of the class numbers
    shapes = [
        {
            "label": label,
            "points": around(x * width, y * height, size, corners),
            "shape_type": "polygon",
            "flags": {},
        }
        for label, (x, y, size, corners) in zip(labels, places)
    ]
    return {
        "version": "5.5.0",
        "imagePath": "street.jpg",
        "imageHeight": height,
        "imageWidth": width,
        "shapes": shapes,
    }


def _labels_of(record, names):
    """What `mask_from_labelme` should give."""
    labels = np.zeros((record["imageHeight"], record["imageWidth"]), int)
    for shape in record["shapes"]:
        labels[_inside(shape["points"], labels.shape)] = (
            VOID if shape["label"] == "ignore" else names.index(shape["label"])
        )
    return labels


def _inside(points, size):
    """Which pixel centres lie in a polygon of (x, y): a ray to the right of them crosses its edge an odd number of times."""
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    inside = np.zeros(size, bool)
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
        if y1 != y2:
            inside ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside


def _near(points, size, far=2.0):
    """Which pixel centres lie within `far` of a polygon's edges, about which drawing programs disagree."""
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    near = np.zeros(size, bool)
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
        length = max(1e-9, (x2 - x1) ** 2 + (y2 - y1) ** 2)
        along = np.clip(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length, 0, 1)
        near |= (x - x1 - along * (x2 - x1)) ** 2 + (y - y1 - along * (y2 - y1)) ** 2 < far**2
    return near


def _box(points):
    xs, ys = zip(*points)
    return [[min(xs), min(ys)], [max(xs), min(ys)], [max(xs), max(ys)], [min(xs), max(ys)]]
