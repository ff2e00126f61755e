"""Assignment 5: plausible wrong answers, each with a piece of the hint that it must get."""

LABELME = """
def mask_from_labelme(record, class_names):
    from PIL import Image, ImageDraw
    labels = Image.new("L", {size}, {empty})
    for shape in {shapes}:
        number = {void} if shape["label"] == "ignore" else {number}
        points = {points}
        ImageDraw.Draw(labels).{draw}(points, fill=number)
    return {returned}
"""
COLOURS = """
def mask_from_colours(indices, palette, classes):
    numbers = np.array([{number} for colour in palette.tolist()])
    return {returned}
"""
FAULTS = """
def faults(image, mask, num_classes):
    if {shape}:
        return ["shape"]
    found = []
    if {type}:
        found.append("type")
    if {size}:
        found.append("size")
    if {numbers}:
        found.append("numbers")
    if {void}:
        found.append("void")
    return {returned}
"""
IOU = """
def mean_iou(confusion):
    right, true, found = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    union = true + found - right
    occurs = union > 0
    return {returned}
"""


def labelme(**changes):
    usual = {
        "size": '(record["imageWidth"], record["imageHeight"])', "empty": 0, "shapes": 'record["shapes"]', "void": 255,
        "number": 'class_names.index(shape["label"])', "points": '[tuple(p) for p in shape["points"]]', "draw": "polygon", "returned": "np.asarray(labels)",
    }  # fmt: skip
    return LABELME.format(**usual | changes)


def colours(number="classes.get(tuple(colour), 255)", returned="numbers[indices]"):
    return COLOURS.format(number=number, returned=returned)


def shrunk(returned):
    return f"""
def shrink_labels(mask, factor):
    h, w = mask.shape[0] // factor, mask.shape[1] // factor
    cells = mask.reshape(h, factor, w, factor)
    return {returned}
"""


def faulty(**changes):
    usual = {
        "shape": "mask.ndim != 2", "type": 'mask.dtype.kind not in "iu"', "size": "mask.shape != image.shape[:2]",
        "numbers": "((mask != 255) & ((mask < 0) | (mask >= num_classes))).any()", "void": "(mask == 255).mean() > 0.95", "returned": "found",
    }  # fmt: skip
    return FAULTS.format(**usual | changes)


def iou(returned):
    return IOU.format(returned=returned)


WRONG = {  # task: (what is wrong, the answer's cell, a piece of the hint)
    "mask_from_labelme": [
        ("x and y exchanged", labelme(points='[tuple(p[::-1]) for p in shape["points"]]'), "x and y are exchanged"),
        ("height and width exchanged", labelme(size='(record["imageHeight"], record["imageWidth"])'), "the right numbers in the wrong order"),
        ("the first on top", labelme(shapes='record["shapes"][::-1]'), "the first one wins"),
        ("ignore left out", labelme(shapes='[s for s in record["shapes"] if s["label"] != "ignore"]'), "they are void, 255"),
        ("one too low", labelme(number='class_names.index(shape["label"]) - 1'), "one too low"),
        ("one too high", labelme(number='class_names.index(shape["label"]) + 1'), "one too high"),
        ("void for background", labelme(empty=255), "and not void"),
        ("all the same", labelme(number="1"), "the same number"),
        ("white on black", labelme(number="255"), "white on black"),
        ("boxes", labelme(draw="rectangle", points='[min(p[0] for p in shape["points"]), min(p[1] for p in shape["points"]), max(p[0] for p in shape["points"]), max(p[1] for p in shape["points"])]'), "boxes are filled"),
        ("as a colour picture", labelme(returned='np.asarray(labels.convert("RGB"))'), "3 axes, where 2 axes are expected"),
        ("does not know ignore", labelme(void='class_names.index("ignore")'), "stopped with ValueError"),
    ],
    "mask_from_colours": [
        ("the index is the class", colours(returned="indices"), "the colour decides"),
        ("red and blue exchanged", colours(number="classes.get(tuple(colour[::-1]), 255)"), "red and blue"),
        ("unknown is background", colours(number="classes.get(tuple(colour), 0)"), "became class 0"),
        ("one too high", colours(number="classes.get(tuple(colour), 254) + 1"), "one too high"),
        ("unknown is an error", colours(number="classes[tuple(colour)]"), "stopped with KeyError"),
        ("gives colours", colours(returned="palette[indices]"), "the colours themselves came out"),
        ("nearest colour", colours(number="min(classes.values(), key=lambda n: sum((a - b) ** 2 for a, b in zip(list(classes)[n], colour)))"), "the nearest colour"),
    ],
    "shrink_labels": [
        ("averages", shrunk("cells.mean(axis=(1, 3))"), "are averaged: between"),
        ("averages and rounds", shrunk("cells.mean(axis=(1, 3)).round().astype(int)"), "averaged and rounded"),
        ("averages and cuts off", shrunk("cells.mean(axis=(1, 3)).astype('uint8')"), "averaged and cut off"),
        ("the largest", shrunk("cells.max(axis=(1, 3))"), "void eats the classes"),
        ("the last pixel", shrunk("cells[:, -1, :, -1]"), "last pixel is taken"),
        ("only rows", shrunk("mask[::factor]"), "only the rows"),
        ("bilinear by Pillow", "def shrink_labels(mask, factor):\n    from PIL import Image\n    return np.asarray(Image.fromarray(mask).resize((mask.shape[1] // factor, mask.shape[0] // factor)))", "calls PIL"),
    ],
    "faults": [
        ("void is no number", faulty(numbers="((mask < 0) | (mask >= num_classes)).any()"), "with some void, 255, in which nothing is wrong: `numbers`"),
        ("off by one", faulty(numbers="((mask != 255) & ((mask < 0) | (mask > num_classes))).any()"), "one pixel has the number"),
        ("negative numbers", faulty(numbers="((mask != 255) & (mask >= num_classes)).any()"), "below 0 passes"),
        ("only uint8", faulty(type='mask.dtype != "uint8"'), "64-bit whole numbers, in which nothing is wrong: `type`"),
        ("void hides numbers", faulty(numbers="mask.min() < 0 or (mask.max() >= num_classes and mask.max() != 255)"), "with void and one pixel that is no class passes"),
        ("floats pass", faulty(type="False"), "floating-point numbers passes"),
        ("counts pixels", faulty(size="mask.size != image.shape[0] * image.shape[1]"), "height and width are exchanged passes"),
        ("any void", faulty(void="(mask == 255).any()"), "with some void, 255, in which nothing is wrong: `void`"),
        ("only all void", faulty(void="(mask == 255).all()"), "96 % is void passes"),
        ("the first fault only", faulty(returned="found[:1]"), "is too short and has a number that is no class passes"),
        ("three channels pass", faulty(shape="False", numbers="False", size="mask.shape[:2] != image.shape[:2]"), "three channels passes"),
        ("a text", faulty(returned="', '.join(found)"), "a list of names is asked for"),
        ("other names", faulty(returned="[name.title() for name in found]"), "is none of the names"),
    ],
    "mean_iou": [
        ("absent counts 0", iou("np.where(occurs, right / np.maximum(union, 1), 0).mean()"), "counts as 0"),
        ("absent counts 1", iou("np.where(occurs, right / np.maximum(union, 1), 1).mean()"), "counts as 1"),
        ("pixel accuracy", iou("right.sum() / confusion.sum()"), "pixel accuracy"),
        ("mean accuracy", iou("(right / true)[true > 0].mean()"), "mean accuracy"),
        ("precision", iou("(right / found)[found > 0].mean()"), "mean precision"),
        ("union twice", iou("(right / (true + found))[occurs].mean()"), "the intersection twice"),
        ("Dice", iou("(2 * right / (true + found))[occurs].mean()"), "Dice"),
        ("only true classes", iou("(right / union)[true > 0].mean()"), "its IoU is 0, and it counts"),
        ("no background", iou("(right / union)[occurs][1:].mean()"), "class 0 is a class like the others"),
        ("weighted", iou("(true[occurs] * (right / union)[occurs]).sum() / true.sum()"), "weighted by their pixels"),
        ("added up first", iou("right.sum() / union.sum()"), "its own quotient"),
        ("NaN", iou("(right / union).mean()"), "NaN or infinity"),
    ],
}  # fmt: skip
