"""Assignment 5, your own data set: right answers, and wrong ones with their hints."""

from planted import Answer, Wrong

MASK_FROM_LABELME = Answer("""
def mask_from_labelme(record, class_names):
    from PIL import Image, ImageDraw
    labels = Image.new("L", (record["imageWidth"], record["imageHeight"]), 0)
    for shape in record["shapes"]:
        number = 255 if shape["label"] == "ignore" else class_names.index(shape["label"])
        points = [tuple(p) for p in shape["points"]]
        ImageDraw.Draw(labels).polygon(points, fill=number)
    return np.asarray(labels)
""")
MASK_FROM_COLOURS = Answer("""
def mask_from_colours(indices, palette, classes):
    numbers = np.array([classes.get(tuple(colour), 255) for colour in palette.tolist()])
    return numbers[indices]
""")
SHRINK_LABELS = Answer("""
def shrink_labels(mask, factor):
    h, w = mask.shape[0] // factor, mask.shape[1] // factor
    cells = mask.reshape(h, factor, w, factor)
    return cells[:, 0, :, 0]
""")
FAULTS = Answer("""
def faults(image, mask, num_classes):
    if mask.ndim != 2:
        return ["shape"]
    found = []
    if mask.dtype.kind not in "iu":
        found.append("type")
    if mask.shape != image.shape[:2]:
        found.append("size")
    if ((mask != 255) & ((mask < 0) | (mask >= num_classes))).any():
        found.append("numbers")
    if (mask == 255).mean() > 0.95:
        found.append("void")
    return found
""")
MEAN_IOU = Answer("""
def mean_iou(confusion):
    right, true, found = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    union = true + found - right
    occurs = union > 0
    return (right / union)[occurs].mean()
""")

RIGHT = {
    "mask_from_labelme": MASK_FROM_LABELME,
    "mask_from_colours": MASK_FROM_COLOURS,
    "shrink_labels": SHRINK_LABELS,
    "faults": FAULTS,
    "mean_iou": MEAN_IOU,
}

WRONG = {
    "mask_from_labelme": {
        "exchanges_x_and_y": Wrong(
            MASK_FROM_LABELME.edit("tuple(p)", "tuple(p[::-1])"), hint="x and y are swapped"
        ),
        "exchanges_height_and_width": Wrong(
            MASK_FROM_LABELME.edit(
                '(record["imageWidth"], record["imageHeight"])',
                '(record["imageHeight"], record["imageWidth"])',
            ),
            hint="the right numbers in the wrong order",
        ),
        "draws_the_first_shape_on_top": Wrong(
            MASK_FROM_LABELME.edit('record["shapes"]', 'record["shapes"][::-1]'),
            hint="the first one wins",
        ),
        "leaves_out_ignored_shapes": Wrong(
            MASK_FROM_LABELME.edit(
                'record["shapes"]', '[s for s in record["shapes"] if s["label"] != "ignore"]'
            ),
            hint="they are void, 255",
        ),
        "is_one_too_low": Wrong(
            MASK_FROM_LABELME.edit('index(shape["label"])', 'index(shape["label"]) - 1'),
            hint="one too low",
        ),
        "is_one_too_high": Wrong(
            MASK_FROM_LABELME.edit('index(shape["label"])', 'index(shape["label"]) + 1'),
            hint="one too high",
        ),
        "takes_the_background_for_void": Wrong(
            MASK_FROM_LABELME.edit('record["imageHeight"]), 0', 'record["imageHeight"]), 255'),
            hint="and not void",
        ),
        "gives_all_classes_the_same_number": Wrong(
            MASK_FROM_LABELME.edit('class_names.index(shape["label"])', "1"), hint="the same number"
        ),
        "draws_white_on_black": Wrong(
            MASK_FROM_LABELME.edit('class_names.index(shape["label"])', "255"),
            hint="white on black",
        ),
        "fills_boxes": Wrong(
            MASK_FROM_LABELME.insert("xs, ys = zip(*points)", before="ImageDraw").edit(
                "polygon(points", "rectangle([min(xs), min(ys), max(xs), max(ys)]"
            ),
            hint="boxes are filled",
        ),
        "returns_a_colour_picture": Wrong(
            MASK_FROM_LABELME.edit("np.asarray(labels)", 'np.asarray(labels.convert("RGB"))'),
            hint="3 axes, where 2 axes are expected",
        ),
        "does_not_know_ignore": Wrong(
            MASK_FROM_LABELME.edit("number = 255", 'number = class_names.index("ignore")'),
            hint="stopped with ValueError",
        ),
    },
    "mask_from_colours": {
        "takes_the_index_for_the_class": Wrong(
            MASK_FROM_COLOURS.edit("numbers[indices]", "indices"), hint="the colour decides"
        ),
        "exchanges_red_and_blue": Wrong(
            MASK_FROM_COLOURS.edit("tuple(colour)", "tuple(colour[::-1])"), hint="red and blue"
        ),
        "takes_unknown_colours_for_background": Wrong(
            MASK_FROM_COLOURS.edit("tuple(colour), 255", "tuple(colour), 0"), hint="became class 0"
        ),
        "is_one_too_high": Wrong(
            MASK_FROM_COLOURS.edit("tuple(colour), 255)", "tuple(colour), 254) + 1"),
            hint="one too high",
        ),
        "stops_at_an_unknown_colour": Wrong(
            MASK_FROM_COLOURS.edit("classes.get(tuple(colour), 255)", "classes[tuple(colour)]"),
            hint="stopped with KeyError",
        ),
        "returns_the_colours": Wrong(
            MASK_FROM_COLOURS.edit("numbers[indices]", "palette[indices]"),
            hint="the colours themselves",
        ),
        "takes_the_nearest_colour": Wrong(
            """
def mask_from_colours(indices, palette, classes):
    def distance(one, other):
        return sum((a - b) ** 2 for a, b in zip(one, other))

    nearest = [min(classes, key=lambda c: distance(c, colour)) for colour in palette.tolist()]
    return np.array([classes[colour] for colour in nearest])[indices]
""",
            hint="the nearest colour",
        ),
    },
    "shrink_labels": {
        "averages": Wrong(
            SHRINK_LABELS.edit("cells[:, 0, :, 0]", "cells.mean(axis=(1, 3))"),
            hint="are averaged: between",
        ),
        "averages_and_rounds": Wrong(
            SHRINK_LABELS.edit("cells[:, 0, :, 0]", "cells.mean(axis=(1, 3)).round().astype(int)"),
            hint="averaged and rounded",
        ),
        "averages_and_cuts_off": Wrong(
            SHRINK_LABELS.edit("cells[:, 0, :, 0]", "cells.mean(axis=(1, 3)).astype('uint8')"),
            hint="averaged and cut off",
        ),
        "takes_the_largest": Wrong(
            SHRINK_LABELS.edit("cells[:, 0, :, 0]", "cells.max(axis=(1, 3))"),
            hint="void eats the classes",
        ),
        "takes_the_last_pixel": Wrong(
            SHRINK_LABELS.edit("cells[:, 0, :, 0]", "cells[:, -1, :, -1]"),
            hint="each cell's last pixel",
        ),
        "shrinks_only_the_rows": Wrong(
            SHRINK_LABELS.edit("cells[:, 0, :, 0]", "mask[::factor]"), hint="only the rows"
        ),
        "resizes_with_pillow": Wrong(
            """
def shrink_labels(mask, factor):
    from PIL import Image
    size = (mask.shape[1] // factor, mask.shape[0] // factor)
    return np.asarray(Image.fromarray(mask).resize(size))
""",
            hint="calls PIL",
        ),
    },
    "faults": {
        "takes_void_for_a_wrong_number": Wrong(
            FAULTS.edit("(mask != 255) & ", ""),
            hint="without a fault, some of it void, 255: do not report `numbers`",
        ),
        "is_off_by_one": Wrong(
            FAULTS.edit("mask >= num_classes", "mask > num_classes"),
            hint="one pixel has the number",
        ),
        "lets_negative_numbers_pass": Wrong(
            FAULTS.edit("((mask < 0) | (mask >= num_classes))", "(mask >= num_classes)"),
            hint="below 0 passes",
        ),
        "accepts_only_uint8": Wrong(
            FAULTS.edit('mask.dtype.kind not in "iu"', 'mask.dtype != "uint8"'),
            hint="without a fault, of 64-bit whole numbers: do not report `type`",
        ),
        "lets_void_hide_wrong_numbers": Wrong(
            FAULTS.edit(
                "((mask != 255) & ((mask < 0) | (mask >= num_classes))).any()",
                "mask.min() < 0 or (mask.max() >= num_classes and mask.max() != 255)",
            ),
            hint="with void and one pixel whose number is not a class passes",
        ),
        "lets_floats_pass": Wrong(
            FAULTS.edit('mask.dtype.kind not in "iu"', "False"),
            hint="floating-point numbers passes",
        ),
        "compares_the_number_of_pixels": Wrong(
            FAULTS.edit(
                "mask.shape != image.shape[:2]", "mask.size != image.shape[0] * image.shape[1]"
            ),
            hint="height and width are swapped passes",
        ),
        "reports_any_void": Wrong(
            FAULTS.edit("(mask == 255).mean() > 0.95", "(mask == 255).any()"),
            hint="without a fault, some of it void, 255: do not report `void`",
        ),
        "reports_void_only_if_all_is_void": Wrong(
            FAULTS.edit("(mask == 255).mean() > 0.95", "(mask == 255).all()"),
            hint="96 % is void passes",
        ),
        "reports_only_the_first_fault": Wrong(
            FAULTS.edit("return found", "return found[:1]"),
            hint="is too short and has a number that is not a class passes",
        ),
        "lets_three_channels_pass": Wrong(
            """
def faults(image, mask, num_classes):
    found = []
    if mask.dtype.kind not in "iu":
        found.append("type")
    if mask.shape[:2] != image.shape[:2]:
        found.append("size")
    if (mask == 255).mean() > 0.95:
        found.append("void")
    return found
""",
            hint="three channels passes",
        ),
        "returns_a_text": Wrong(
            FAULTS.edit("return found", "return ', '.join(found)"), hint="asks for a list of names"
        ),
        "gives_other_names": Wrong(
            FAULTS.edit("return found", "return [name.title() for name in found]"),
            hint="is not one of the names",
        ),
    },
    "mean_iou": {
        "counts_absent_classes_as_0": Wrong(
            MEAN_IOU.edit(
                "(right / union)[occurs].mean()",
                "np.where(occurs, right / np.maximum(union, 1), 0).mean()",
            ),
            hint="counts as 0",
        ),
        "counts_absent_classes_as_1": Wrong(
            MEAN_IOU.edit(
                "(right / union)[occurs].mean()",
                "np.where(occurs, right / np.maximum(union, 1), 1).mean()",
            ),
            hint="counts as 1",
        ),
        "gives_the_pixel_accuracy": Wrong(
            MEAN_IOU.edit("(right / union)[occurs].mean()", "right.sum() / confusion.sum()"),
            hint="pixel accuracy",
        ),
        "gives_the_mean_accuracy": Wrong(
            MEAN_IOU.edit("(right / union)[occurs].mean()", "(right / true)[true > 0].mean()"),
            hint="mean accuracy",
        ),
        "gives_the_mean_precision": Wrong(
            MEAN_IOU.edit("(right / union)[occurs].mean()", "(right / found)[found > 0].mean()"),
            hint="mean precision",
        ),
        "counts_the_intersection_twice": Wrong(
            MEAN_IOU.edit("(right / union)[occurs]", "(right / (true + found))[occurs]"),
            hint="the intersection twice",
        ),
        "gives_dice": Wrong(
            MEAN_IOU.edit("(right / union)[occurs]", "(2 * right / (true + found))[occurs]"),
            hint="Dice",
        ),
        "takes_only_true_classes": Wrong(
            MEAN_IOU.edit("(right / union)[occurs]", "(right / union)[true > 0]"),
            hint="its IoU is 0, and it counts",
        ),
        "leaves_out_the_background": Wrong(
            MEAN_IOU.edit("(right / union)[occurs]", "(right / union)[occurs][1:]"),
            hint="class 0 is a class like the others",
        ),
        "weights_by_frequency": Wrong(
            MEAN_IOU.edit(
                "(right / union)[occurs].mean()",
                "(true[occurs] * (right / union)[occurs]).sum() / true.sum()",
            ),
            hint="weighted by their pixels",
        ),
        "adds_up_before_dividing": Wrong(
            MEAN_IOU.edit("(right / union)[occurs].mean()", "right.sum() / union.sum()"),
            hint="its own quotient",
        ),
        "is_nan": Wrong(
            MEAN_IOU.edit("(right / union)[occurs].mean()", "(right / union).mean()"),
            hint="NaN or infinity",
        ),
    },
}
