"""Assignment 4, skip connections (L18–L21).

FCN-32s to FCN-8s by sum, one by concatenation, and the band along a boundary.
"""

import keras
import numpy as np

from fcn_keras import models
from fcn_keras.checks.hints import PACKAGES, NotYet, as_model, ask, check, compare
from fcn_keras.checks.networks import (
    outputs_with_same_weights,
    predict,
    refuse_softmax,
    require_same_layers,
    untrained_weights,
)
from fcn_keras.evaluation.boundary import boundary_band
from fcn_keras.support.labels import VOID

CUT_AT_THE_WRONG_END = "the upsampled map is cut at its beginning; cut it at its end."
PARTS_TO_WRITE = ("fcn_keras.models", "fcn_keras.skip_connections", "fcn_keras.published")


@check
def crop_to(answer, seed):
    """`crop_to(coarse, fine)`: an upsampled map, cut to the size of a finer one (L15, L18)."""
    draw = np.random.default_rng(seed)
    for surplus in ((1, 2), (0, 3), tuple(draw.integers(0, 6, 2))):
        height, width = draw.integers(4, 9, 2)
        coarse = draw.normal(size=(height + surplus[0], width + 4 + surplus[1], 3))
        fine = draw.normal(size=(height, width + 4, 5))
        sizes = ["{} × {}".format(*image.shape[:2]) for image in (coarse, fine)]
        compare(
            ask(answer, coarse, fine, without=PACKAGES),
            coarse[: fine.shape[0], : fine.shape[1]],
            what=f"the result for a coarse map of {sizes[0]} and a fine one of {sizes[1]}",
            mistakes=_wrong_crops(coarse, fine),
        )
    return "Every pixel stays where it was."


def _wrong_crops(coarse, fine):
    h, w = fine.shape[:2]
    dh, dw = coarse.shape[0] - h, coarse.shape[1] - w  # the surplus
    rows, columns = (np.arange(n) * (n + d) // n for n, d in ((h, dh), (w, dw)))
    both_sides = coarse[dh // 2 : dh // 2 + h, dw // 2 : dw // 2 + w]
    surplus = "the surplus is at the end, since pixel 0 came from pixel 0."
    return [
        (f"it is cut at the beginning: {surplus}", coarse[dh:, dw:]),
        (f"it is cut on both sides: {surplus}", both_sides),
        (
            "it is resized, which moves what is already in place: only cut.",
            coarse[rows][:, columns],
        ),
        ("that is the fine map: cut the coarse one.", fine),
        ("only the height is cut.", coarse[:h]),
        ("only the width is cut.", coarse[:, :w]),
    ]


@check
def fcn_sum(answer, seed):
    """`fcn_sum(encoder, num_classes, stride)`: FCN-32s, 16s and 8s, skips by sum (L18–L20)."""
    draw = np.random.default_rng(seed)
    for stride in (32, 16, 8):
        encoder, num_classes = _encoder(draw), int(draw.integers(2, 6))
        model = as_model(
            ask(answer, encoder, num_classes, stride, without=PARTS_TO_WRITE),
            f"fcn_sum for stride {stride}",
        )
        reference = models.fcn(
            num_classes, stride, encoder, "sum", freeze_backbone=False, width=None
        )
        images = draw.uniform(0, 255, (1, *draw.integers([37, 66], [50, 90]), 3)).astype("float32")
        got, want = _outputs_of_both(model, reference, images, draw)
        compare(
            got,
            want,
            what=f"the output for stride {stride}",
            axes=("height", "width", "classes"),
            mistakes=_wrong_sums(reference, images, stride),
        )
        _require_trained_head(model, images, seed)
    return "Coarse scores say what, fine ones where."


def _wrong_sums(reference, images, stride):
    merges = []
    if stride < 32:
        merges = [
            ("the skips are averaged in: add them.", lambda coarse, fine: (coarse + fine) / 2),
            ("the skips are multiplied in: add them.", lambda coarse, fine: coarse * fine),
            ("of the two maps the larger value is taken: add them.", np.maximum),
            ("the fine scores replace the coarse ones: add them.", lambda coarse, fine: fine),
        ]
    return [
        *((hint, _head(reference, images, stride, merge)) for hint, merge in merges),
        (CUT_AT_THE_WRONG_END, _head(reference, images, stride, at_end=False)),
    ]


@check
def fcn_concat(answer, seed):
    """`fcn_concat(encoder, num_classes)`: FCN-16s, its skip by concatenation (L19).

    A 3 × 3 convolution brings the channels back.
    """
    draw = np.random.default_rng(seed)
    for num_classes in (3, int(draw.integers(2, 6))):
        encoder = _encoder(draw)
        answered = ask(answer, encoder, num_classes, without=PARTS_TO_WRITE)
        model = as_model(answered, "fcn_concat")
        reference = models.fcn(
            num_classes, 16, encoder, "concat", freeze_backbone=False, width=None
        )
        images = draw.uniform(0, 255, (1, *draw.integers([37, 66], [50, 90]), 3)).astype("float32")
        if any(isinstance(layer, keras.layers.Add) for layer in model.layers):
            raise NotYet(
                "the maps are added: concatenate them, and let a convolution bring the number of "
                "channels back."
            )
        got, want = _outputs_of_both(model, reference, images, draw)
        compare(
            got,
            want,
            what="the output",
            axes=("height", "width", "classes"),
            mistakes=_wrong_concatenations(reference, images),
        )
        _require_trained_head(model, images, seed)
    return "This convolution can learn the sum, among other things."


def _wrong_concatenations(reference, images):
    convolution = reference.get_layer("fuse_pool4_conv")

    def fine_first(coarse, fine):
        return keras.ops.convert_to_numpy(convolution(np.concatenate([fine, coarse], axis=-1)))

    return [
        (
            "the two maps are concatenated in the other order: first coarse, then fine.",
            _head(reference, images, 16, fine_first),
        ),
        (CUT_AT_THE_WRONG_END, _head(reference, images, 16, at_end=False)),
    ]


@check
def band(answer, seed):
    """`band(labels, width)`: the pixels within `width` of a boundary between classes (L20).

    Void has no boundary and is left out.
    """
    draw = np.random.default_rng(seed)
    for width in (2, 1, 3, 4):
        labels = _regions(draw)
        compare(
            np.asarray(ask(answer, labels, width, without=PACKAGES)) * 1.0,
            boundary_band(labels, width) * 1.0,
            what=f"the band of width {width}",
            axes=("height", "width"),
            mistakes=_wrong_bands(labels, width),
        )
    return "Both sides of each boundary, and no void."


def _wrong_bands(labels, width):
    known, right = labels != VOID, boundary_band(labels, width)
    void_is_a_class = boundary_band(np.where(known, labels, 77), width)
    one_side = _dilated(_touching(labels, sides=1), width - 1)
    narrower = boundary_band(labels, width - 1) if width > 1 else np.zeros_like(known)
    stopped = boundary_band(labels, 1)
    for _ in range(width - 1):
        stopped = _dilated(stopped) & known
    diamond = _dilated(_touching(labels), width - 1, diagonal=False)
    framed = np.ones_like(right)
    framed[width:-width, width:-width] = right[width:-width, width:-width]
    left_and_right = _dilated(_touching(labels, axes=(1,)), width - 1)
    above_and_below = _dilated(_touching(labels, axes=(0,)), width - 1)
    at_void = "the border of void counts as a boundary; between a class and void there is none."
    one_ring = "width 1 means the pixels that touch another class."
    return [
        (at_void, void_is_a_class & known),
        (at_void, void_is_a_class),
        (
            "void pixels are in it: leave them out, they are never scored.",
            _dilated(_touching(labels), width - 1),
        ),
        ("it lies on one side of the boundary: both sides belong to it.", one_side & known),
        (f"one ring too many: {one_ring}", boundary_band(labels, width + 1)),
        (f"one ring too few: {one_ring}", narrower),
        (
            "the rings stop at void: let them grow across it, and remove void pixels at the end.",
            stopped,
        ),
        ("the corners are missing: a ring grows to all eight neighbours.", diamond & known),
        ("the border of the picture counts as a boundary.", framed & known),
        ("only boundaries between left and right are found.", left_and_right & known),
        ("only boundaries between above and below are found.", above_and_below & known),
        ("that is everything but the band.", known & ~right),
    ]


@check
def band_error(answer, seed):
    """`band_error(true, found, band)`: the share of the band's pixels that are wrong (L20)."""
    draw = np.random.default_rng(seed)
    for width in (2, 1, 4):
        true = _regions(draw)
        found = np.where(draw.random(true.shape) < 0.2, (true + 1) % 3, true).astype("uint8")
        found[true == VOID] = 1
        inside = boundary_band(true, width)
        if width == 4:  # a band that somebody drew by hand may lie on void
            inside = inside | (true == VOID)
        counted = inside & (true != VOID)
        compare(
            ask(answer, true, found, inside, without=PACKAGES),
            ((found != true) & counted).sum() / counted.sum(),
            what="the error",
            mistakes=_wrong_errors(true, found, inside),
        )
    return "A share of the band, so that bands of different widths compare."


def _wrong_errors(true, found, inside):
    known, wrong = true != VOID, found != true
    counted = inside & known
    mistakes, pixels = (wrong & counted).sum(), counted.sum()
    return [
        (
            "void pixels count: leave them out, above and below the fraction line.",
            (wrong & inside).sum() / inside.sum(),
        ),
        (
            "you divide by all pixels of the picture: divide by those of the band.",
            mistakes / true.size,
        ),
        ("you divide by all labelled pixels: divide by those of the band.", mistakes / known.sum()),
        (
            "that is the share of right pixels; the task asks for the wrong ones.",
            (~wrong & counted).sum() / pixels,
        ),
        (
            "it is taken over the whole picture, not over the band.",
            (wrong & known).sum() / known.sum(),
        ),
        ("that is the number of wrong pixels, not their share.", mistakes),
        (
            "that is the share of all mistakes that lie in the band; the task asks which share of "
            "the band is wrong.",
            mistakes / (wrong & known).sum(),
        ),
        ("that is a percentage; a share is between 0 and 1.", 100 * mistakes / pixels),
    ]


def _encoder(draw):
    """A small encoder with pool1 … pool5 and random weights."""
    x = image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(x)
    for level, width in enumerate(draw.integers(4, 9, 5), start=1):
        x = keras.layers.Conv2D(
            int(width), 3, padding="same", activation="elu", name=f"conv{level}"
        )(x)
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool{level}")(x)
    return keras.Model(image, x, name="encoder")


def _outputs_of_both(model, reference, images, draw):
    """A student's network and the reference, both with the same random weights in their heads."""
    try:
        outputs = predict(model, images[:, :32, :64])
    except Exception:
        raise NotYet(
            "the model does not run, not even on 32 × 64 pixels: the maps that you merge differ in "
            "size. Does each skip read the pool of its own stride, along the right axis?"
        ) from None
    refuse_softmax(outputs, reference.output_shape[-1])
    require_same_layers(model, reference)
    for layer in model.layers:
        # score layers start at zero, where every mistake looks right
        if layer.name.startswith(("score", "fuse")) and layer.weights:
            layer.set_weights([draw.normal(0, 1, w.shape) for w in layer.get_weights()])
    return outputs_with_same_weights(model, reference, images)


def _head(reference, images, stride, merge=None, at_end=True):
    """What the reference gives with a mistake.

    Args:
        reference: An FCN.
        images: A batch.
        stride: Of the FCN.
        merge: How coarse and fine scores are merged; `None`: as in the reference.
        at_end: Whether an upsampled map is cut at its end, which is right.
    """

    def layer(name, x):
        return keras.ops.convert_to_numpy(reference.get_layer(name)(x))

    def cut(x, height, width):
        if at_end:
            return x[:, :height, :width]
        return x[:, x.shape[1] - height :, x.shape[2] - width :]

    def merge_as_reference(coarse, fine):
        if any(one.name == "fuse_pool4_conv" for one in reference.layers):
            return layer("fuse_pool4_conv", np.concatenate([coarse, fine], axis=-1))
        return coarse + fine

    pools = ["pool5"] + ["pool4"] * (stride <= 16) + ["pool3"] * (stride == 8)
    outputs = {name: reference.get_layer(name).output for name in pools}
    maps = keras.Model(reference.input, outputs)(images)
    x = layer("score_fr", maps["pool5"])
    for name, upsampling in (("pool4", "upscore2"), ("pool3", "upscore_pool4")):
        if name in maps:
            fine = layer(f"score_{name}", maps[name])
            coarse = cut(layer(upsampling, x), *fine.shape[1:3])
            x = (merge or merge_as_reference)(coarse, fine)
    last = "upscore" if stride == 32 else f"upscore{stride}"
    return cut(layer(last, x), *images.shape[1:3])


def _require_trained_head(model, images, seed):
    """Gradients reach every weight, and no layer of the head is frozen."""
    if untrained := untrained_weights(model, images.shape[1:], seed):
        raise NotYet(f"no gradient reaches {untrained[0]}: does it lie between input and output?")
    for layer in model.layers:
        in_the_head = layer.name.startswith(("score", "upscore", "fuse"))
        if in_the_head and layer.weights and not layer.trainable_weights:
            raise NotYet(f"`{layer.name}` is frozen; the head is what training trains.")


def _regions(draw):
    """A label map of three classes with straight edges and a patch of void, uint8."""
    height, width = draw.integers(24, 34, 2)
    labels = np.zeros((height, width + 8), "uint8")
    labels[: height // 2, width // 2 :] = 1
    top, left = draw.integers(3, 8, 2)
    labels[top + height // 3 :, left : left + 9] = 2
    labels[-9:-4, -8:] = VOID
    labels[3:8, width // 2 - 2 : width // 2 + 3] = VOID
    return labels


def _touching(labels, sides=2, axes=(0, 1)):
    """The pixels that touch another class; with `sides=1` only those behind the boundary."""
    result = np.zeros(labels.shape, bool)
    for axis in axes:
        a, b = (np.s_[1:], np.s_[:-1]) if axis == 0 else (np.s_[:, 1:], np.s_[:, :-1])
        differ = (labels[a] != labels[b]) & (labels[a] != VOID) & (labels[b] != VOID)
        result[a] |= differ
        if sides == 2:
            result[b] |= differ
    return result


def _dilated(mask, rings=1, diagonal=True):
    """A mask with more rings around it, each of all eight neighbours or of four."""
    height, width = mask.shape
    steps = [(i, j) for i in range(3) for j in range(3) if diagonal or 1 in (i, j)]
    for _ in range(rings):
        padded = np.pad(mask, 1)
        mask = np.any([padded[i : i + height, j : j + width] for i, j in steps], axis=0)
    return mask
