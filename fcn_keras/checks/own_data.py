"""Assignment 5, your own data set (L22, L25).

Masks from labelme and from indexed pictures, faults of masks, and the mean IoU.
"""

import numpy as np

from fcn_keras.checks.hints import PACKAGES, NotYet, as_array, ask, check, compare
from fcn_keras.support.labels import VOID

# Drawing programs may be used to fill polygons.
NOT_FOR_DRAWING = tuple(name for name in PACKAGES if name not in ("PIL", "cv2", "skimage"))
FAULTS = ("shape", "type", "size", "numbers", "void")


@check
def mask_from_labelme(answer, seed):
    """`mask_from_labelme(record, class_names)`: the label map of one picture (L22).

    The record is what labelme writes, JSON.
    """
    draw = np.random.default_rng(seed)
    for _ in range(3):
        names = ["background", "road", "car", "tree"][: int(draw.integers(3, 5))]
        record = _labelme_record(draw, names)
        want = _labels_of(record, names)
        got = as_array(ask(answer, record, names, without=NOT_FOR_DRAWING), "the label map")
        _refuse_other_shapes(got, want, record, names)
        edges = _edges(record["shapes"], want.shape)
        compare(
            np.where(edges, 0, got) if got.shape == want.shape else got,
            np.where(edges, 0, want),
            what="the label map",
            axes=("height", "width"),
            mistakes=_wrong_label_maps(record, names),
        )
    return "Rows are y, columns are x, later shapes lie on top."


def _refuse_other_shapes(got, want, record, names):
    """Two mistakes move the edges, so they are recognised by what most pixels say."""
    shapes = record["shapes"]
    swapped = [{**s, "points": [point[::-1] for point in s["points"]]} for s in shapes]
    boxes = [{**s, "points": _box(s["points"])} for s in shapes]
    for hint, drawn, share in (
        (
            "x and y are swapped: labelme's points are (x, y), an array is [row, column], which is "
            "[y, x].",
            swapped,
            0.97,
        ),
        ("boxes are filled instead of the polygons in them.", boxes, 0.9),
    ):
        mistake = _labels_of({**record, "shapes": drawn}, names)
        if got.shape == want.shape:
            agreement = np.mean(got == mistake)
            if agreement > max(share, np.mean(got == want)):
                raise NotYet(hint)


def _wrong_label_maps(record, names):
    shapes = record["shapes"]
    want = _labels_of(record, names)
    edges = _edges(shapes, want.shape)
    labels = np.where(edges, 0, want)
    in_a_class = (labels > 0) & (labels < VOID)

    def drawn(some_shapes):
        return np.where(edges, 0, _labels_of({**record, "shapes": some_shapes}, names))

    not_ignored = [shape for shape in shapes if shape["label"] != "ignore"]
    return [
        ("where shapes overlap the first one wins; later ones lie on top.", drawn(shapes[::-1])),
        ("shapes called `ignore` are left out; they are void, 255.", drawn(not_ignored)),
        (
            "the class numbers are one too low: class_names[0] is the background, 0.",
            np.where(in_a_class, labels - 1, labels),
        ),
        (
            "the class numbers are one too high: they are positions in class_names, from 0.",
            np.where(in_a_class, labels + 1, labels),
        ),
        (
            "what nobody outlined is background, 0, and not void.",
            np.where((labels == 0) & ~edges, VOID, labels),
        ),
        ("only the first shape is drawn.", drawn(shapes[:1])),
        (
            "all shapes have the same number: give each the number of its class.",
            np.where(in_a_class, 1, labels),
        ),
        (
            "that is white on black, as for a viewer; a label map holds class numbers.",
            np.where(labels > 0, VOID, 0),
        ),
    ]


@check
def mask_from_colours(answer, seed):
    """`mask_from_colours(indices, palette, classes)`: class numbers from colours (L22).

    The indexed picture is `indices` and `palette`; `classes` is a table of colours.
    """
    draw = np.random.default_rng(seed)
    for count in (4, int(draw.integers(3, 7))):
        classes, palette = _colours(draw, count)
        indices = draw.integers(0, len(palette), (int(draw.integers(6, 11)), 13)).astype("uint8")
        numbers = np.array([classes.get(tuple(c), VOID) for c in palette.tolist()])
        compare(
            ask(answer, indices, palette, classes, without=PACKAGES),
            numbers[indices],
            what="the label map",
            axes=("height", "width"),
            mistakes=_wrong_class_numbers(indices, palette, classes),
        )
    return "It does not matter in which order a program keeps its palette."


def _colours(draw, count):
    """A table of colours and a palette in another order.

    Returns:
        classes: `{colour: class number}`.
        palette: (entries, 3), uint8. One colour stands in it twice, and two are not in the table.
    """
    colours = [(0, 0, 0), (200, 30, 10), (10, 90, 220), (240, 200, 0), (0, 140, 60), (90, 0, 120)]
    colours = colours[:count]
    numbers = np.roll(np.arange(count), 1 + int(draw.integers(1, count - 1)))
    classes = dict(zip(colours, numbers.tolist()))
    others = [(17, 16, 15), (220, 90, 10)]
    palette = draw.permutation(np.array([*colours, *others, colours[1]], "uint8"))
    for place in range(len(palette)):  # no colour stands at the place of its class number
        if classes.get(tuple(palette[place].tolist())) == place:
            palette = np.roll(palette, 1, axis=0)
    return classes, palette


def _wrong_class_numbers(indices, palette, classes):
    numbers = np.array([classes.get(tuple(c), VOID) for c in palette.tolist()])
    bgr = np.array([classes.get(tuple(c[::-1]), VOID) for c in palette.tolist()])
    # squared distances, (palette, classes)
    distances = ((palette[:, None].astype(int) - np.array(list(classes))) ** 2).sum(-1)
    nearest = np.array(list(classes.values()))[distances.argmin(-1)]
    right = numbers[indices]
    return [
        (
            "the palette's numbers are used as class numbers: the colour decides, wherever it "
            "stands in the palette.",
            indices.astype(int),
        ),
        ("red and blue are swapped.", bgr[indices]),
        (
            "a colour that is not in the table became class 0: make it void, 255.",
            np.where(right == VOID, 0, right),
        ),
        (
            "a colour that is not in the table got the class of the nearest colour: make it void, "
            "255.",
            nearest[indices],
        ),
        ("the class numbers are one too high.", np.where(right == VOID, VOID, right + 1)),
        (
            "you return the colours themselves; the task asks for their class numbers.",
            palette[indices].astype(int),
        ),
    ]


@check
def shrink_labels(answer, seed):
    """`shrink_labels(mask, factor)`: every `factor`-th pixel of a label map (L22).

    No number is invented.
    """
    draw = np.random.default_rng(seed)
    for factor in (2, 4, int(draw.integers(3, 6))):
        height, width = draw.integers(4, 9, 2) * factor
        mask = draw.choice([0, 1, 4, 7, VOID], size=(height, width + factor)).astype("uint8")
        compare(
            ask(answer, mask, factor, without=PACKAGES),
            mask[::factor, ::factor].astype(int),
            what=f"the label map, {factor} times smaller",
            axes=("height", "width"),
            mistakes=_wrong_small_labels(mask, factor),
        )
    return "Every number in it was in the mask."


def _wrong_small_labels(mask, factor):
    height = mask.shape[0] // factor
    cells = mask.reshape(height, factor, -1, factor).swapaxes(1, 2).astype(float)
    mean = cells.mean((2, 3))
    invented = "between class 1 and class 7 that invents a class 4."
    first = "take its first one, at the top left."
    return [
        (f"class numbers are averaged: {invented}", mean),
        (f"class numbers are averaged and rounded: {invented}", mean.round()),
        (f"class numbers are averaged and cut off: {invented}", np.floor(mean)),
        ("you take the largest number of each cell: so void eats the classes.", cells.max((2, 3))),
        (
            "you take the smallest number of each cell: so the background eats the classes.",
            cells.min((2, 3)),
        ),
        (f"you take each cell's last pixel: {first}", cells[:, :, -1, -1]),
        (f"you take each cell's middle pixel: {first}", cells[:, :, factor // 2, factor // 2]),
        ("only the rows are thinned out.", mask[::factor].astype(int)),
    ]


@check
def faults(answer, seed):
    """`faults(image, mask, num_classes)`: the names of what is wrong with a picture's mask."""
    draw = np.random.default_rng(seed)
    classes = int(draw.integers(3, 7))
    height, width = (int(n) for n in draw.integers(12, 20, 2))
    image = draw.integers(0, 256, (height, width + 5, 3)).astype("uint8")
    good = draw.integers(0, classes, image.shape[:2]).astype("uint8")
    with_void = np.where(draw.random(good.shape) < 0.3, VOID, good).astype("uint8")
    for mask, expected, what in (
        *_faultless_masks(good, with_void),
        *_masks_of_another_kind(good),
        *_masks_with_other_numbers(good, with_void, classes),
    ):
        got = ask(answer, image, mask, classes, without=PACKAGES)
        _require_fault_names(got)
        for name in sorted(expected - set(got)):
            raise NotYet(f"{what} passes: report `{name}`.")
        for name in sorted(set(got) - expected):
            raise NotYet(f"{what}: do not report `{name}`.")
    return "What passes here can be trained on."


def _faultless_masks(good, with_void):
    return [
        (good, set(), "a mask without a fault"),
        (with_void, set(), "a mask without a fault, some of it void, 255"),
        (good.astype("int64"), set(), "a mask without a fault, of 64-bit whole numbers"),
        (_voided(good, 0.94), set(), "a mask without a fault, of which 94 % is void"),
    ]


def _masks_of_another_kind(good):
    return [
        (np.stack([good] * 3, -1), {"shape"}, "a mask with three channels"),
        (good.ravel(), {"shape"}, "a mask with one axis"),
        (good.astype("float32"), {"type"}, "a mask of floating-point numbers"),
        (good.astype("float64"), {"type"}, "a mask of 64-bit floating-point numbers"),
        (good[:-1], {"size"}, "a mask that is one row shorter than its picture"),
        (good.T.copy(), {"size"}, "a mask whose height and width are swapped"),
    ]


def _masks_with_other_numbers(good, with_void, classes):
    one_pixel = np.zeros(good.shape, bool)
    one_pixel[3, 4] = True
    beyond = np.where(one_pixel, classes, good).astype("uint8")
    return [
        (
            beyond,
            {"numbers"},
            f"a mask in which one pixel has the number {classes}, with {classes} classes",
        ),
        (
            np.where(one_pixel, classes, with_void),
            {"numbers"},
            "a mask with void and one pixel whose number is not a class",
        ),
        (np.where(one_pixel, 300, good.astype("int64")), {"numbers"}, "a mask with the number 300"),
        ((good > 0).astype("uint8") * 254, {"numbers"}, "a mask painted in black and 254"),
        (good.astype("int64") - 1, {"numbers"}, "a mask with a number below 0"),
        (_voided(good, 0.96), {"void"}, "a mask of which 96 % is void"),
        (np.full_like(good, VOID), {"void"}, "a mask that is nothing but void"),
        (
            beyond[2:],
            {"size", "numbers"},
            "a mask that is too short and has a number that is not a class",
        ),
    ]


def _voided(labels, share):
    """The same labels, with void in the first pixels."""
    first = np.arange(labels.size).reshape(labels.shape) < share * labels.size
    return np.where(first, VOID, labels).astype("uint8")


def _require_fault_names(got):
    listed = isinstance(got, list | tuple | set)
    if not listed or not all(isinstance(name, str) for name in got):
        raise NotYet(
            f"it returns a {type(got).__name__}; the task asks for a list of names, which is empty "
            "where nothing is wrong."
        )
    if unknown := set(got) - set(FAULTS):
        raise NotYet(f"`{min(unknown)}` is not one of the names {', '.join(FAULTS)}.")


@check
def mean_iou(answer, seed):
    """`mean_iou(confusion)`: intersection over union, its mean over the classes that occur (L20).

    See notebook 09.
    """
    draw = np.random.default_rng(seed)
    for absent in (True, False, True):
        classes = int(draw.integers(4, 7))
        confusion = draw.integers(1, 60, (classes, classes))
        confusion += np.diag(draw.integers(50, 200, classes))
        if absent:
            confusion[2] = confusion[:, 2] = 0  # a class that neither occurs nor is predicted
            confusion[1] = 0  # one that is predicted, though it does not occur
            confusion[:, 3] = 0  # one that occurs and is never predicted
        hit, union = np.diag(confusion), _union(confusion)
        with np.errstate(all="ignore"):
            compare(
                ask(answer, confusion, without=PACKAGES),
                (hit[union > 0] / union[union > 0]).mean(),
                what="the mean IoU",
                mistakes=_wrong_means(confusion),
            )
    return "A rare class counts as much as a common one."


def _union(confusion):
    """For each class the pixels that are labelled or predicted as it."""
    return confusion.sum(0) + confusion.sum(1) - np.diag(confusion)


def _wrong_means(confusion):
    hit, true, found = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    union = _union(confusion)
    occurs = union > 0
    iou = hit[occurs] / union[occurs]
    dice = 2 * hit[occurs] / (true + found)[occurs]
    absent = "a class that neither occurs nor is predicted counts as"
    return [
        (f"{absent} 0: leave it out of the mean.", iou.sum() / len(hit)),
        (f"{absent} 1: leave it out of the mean.", (iou.sum() + (~occurs).sum()) / len(hit)),
        ("that is the pixel accuracy.", hit.sum() / confusion.sum()),
        (
            "that is the mean accuracy: divide by the union, not by the true pixels of a class.",
            (hit[true > 0] / true[true > 0]).mean(),
        ),
        (
            "that is the mean precision: divide by the union, not by the pixels predicted as a "
            "class.",
            (hit[found > 0] / found[found > 0]).mean(),
        ),
        ("the union counts the intersection twice.", (dice / 2).mean()),
        ("that is the Dice score: twice the intersection over the sum.", dice.mean()),
        (
            "a class that is predicted though it does not occur is left out: its IoU is 0, and it "
            "counts.",
            (hit[true > 0] / union[true > 0]).mean(),
        ),
        (
            "the background is left out of the mean: class 0 is a class like the others.",
            iou[1:].mean(),
        ),
        (
            "the classes are weighted by their pixels: here each counts the same.",
            (true[occurs] * iou).sum() / true.sum(),
        ),
        (
            "you add up intersections and unions before you divide: each class has its own "
            "quotient.",
            hit.sum() / union.sum(),
        ),
    ]


def _labelme_record(draw, names):
    """What labelme writes for one picture, as far as it matters here.

    Four shapes; the second and the fourth lie on the one before them, and one is to be ignored.
    """
    height, width = (int(n) for n in draw.integers([40, 64], [56, 90]))
    places = [(0.25, 0.4, 14, 4), (0.33, 0.5, 10, 3), (0.72, 0.4, 12, 7), (0.75, 0.6, 9, 4)]
    order = draw.permutation(4)
    labels = [[names[1], names[2], names[-1], "ignore"][i] for i in order]
    if labels.index(names[2]) > labels.index(names[1]) and labels.index("ignore") == 3:
        labels = labels[::-1]  # never in the order of the class numbers
    shapes = []
    for label, (x, y, size, corners) in zip(labels, places):
        points = _polygon(draw, x * width, y * height, size, corners)
        shapes.append({"label": label, "points": points, "shape_type": "polygon", "flags": {}})
    return {
        "version": "5.5.0",
        "imagePath": "street.jpg",
        "imageHeight": height,
        "imageWidth": width,
        "shapes": shapes,
    }


def _polygon(draw, x, y, size, corners):
    """Corners [x, y] around a point; those of many-cornered shapes at random angles."""
    if corners > 4:
        angles = np.sort(draw.uniform(0, 2 * np.pi, corners))
    else:
        angles = np.arange(corners) * 2 * np.pi / corners + 0.3
    radii = draw.uniform(0.55, 1.0, corners) * size
    return [[float(x + r * np.cos(a)), float(y + r * np.sin(a))] for a, r in zip(angles, radii)]


def _labels_of(record, names):
    """What `mask_from_labelme` should give."""
    labels = np.zeros((record["imageHeight"], record["imageWidth"]), int)
    for shape in record["shapes"]:
        number = VOID if shape["label"] == "ignore" else names.index(shape["label"])
        labels[_inside(shape["points"], labels.shape)] = number
    return labels


def _inside(points, size):
    """Which pixel centres lie in a polygon of (x, y).

    From them, a ray to the right crosses the polygon's edge an odd number of times.
    """
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    inside = np.zeros(size, bool)
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
        if y1 != y2:
            inside ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside


def _edges(shapes, size):
    """Which pixels lie near an edge of a shape, about which drawing programs disagree."""
    return np.any([_near_polygon(shape["points"], size) for shape in shapes], axis=0)


def _near_polygon(points, size, far=2.0):
    """Which pixel centres lie within `far` pixels of a polygon's edges."""
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
