"""Assignment 4, skip connections: FCN-32s to 8s by sum, one by concatenation, the band along a boundary (L18-L21)."""

import keras
import numpy as np

from fcn_keras import models
from fcn_keras.checks.hints import PACKAGES, NotYet, as_model, ask, check, compare
from fcn_keras.checks.networks import (
    outputs_with_same_weights,
    predict,
    require_same_layers,
    still_weights,
)
from fcn_keras.evaluation.boundary import boundary_band
from fcn_keras.support.labels import VOID

CUT = "the upsampled map is cut at the beginning instead of the end."
OWN_HEAD = ("fcn_keras.models", "fcn_keras.skip_connections", "fcn_keras.published")


@check
def crop_to(answer, seed):
    """`crop_to(coarse, fine)`: an upsampled map cut to the height and width of a finer one, surplus at the end (L15, L18)."""
    draw = np.random.default_rng(seed)
    for surplus in ((1, 2), (0, 3), tuple(draw.integers(0, 6, 2))):
        height, width = draw.integers(4, 9, 2)
        coarse = draw.normal(size=(height + surplus[0], width + 4 + surplus[1], 3))
        fine = draw.normal(size=(height, width + 4, 5))
        (h, w), (dh, dw) = fine.shape[:2], surplus
        rows, columns = (np.arange(n) * (n + d) // n for n, d in ((h, dh), (w, dw)))
        compare(
            ask(answer, coarse, fine, without=PACKAGES),
            coarse[:h, :w],
            what=f"the result for a coarse map of {h + dh} × {w + dw} and a fine one of {h} × {w}",
            mistakes=[
                (
                    "it is cut at the beginning: the surplus is at the end, since pixel 0 came from pixel 0.",
                    coarse[dh:, dw:],
                ),
                (
                    "it is cut on both sides: the surplus is at the end, since pixel 0 came from pixel 0.",
                    coarse[dh // 2 : dh // 2 + h, dw // 2 : dw // 2 + w],
                ),
                (
                    "it is resized: that moves what is already in its place. Only cut.",
                    coarse[rows][:, columns],
                ),
                ("that is the fine map; the coarse one is to be cut.", fine),
                ("only the height is cut.", coarse[:h]),
                ("only the width is cut.", coarse[:, :w]),
            ],
        )
    return "Every pixel stays where it was."


@check
def fcn_sum(answer, seed):
    """`fcn_sum(encoder, num_classes, stride)`: FCN-32s, 16s and 8s, skips by sum (L18-L20)."""
    draw = np.random.default_rng(seed)
    for stride in (32, 16, 8):
        encoder, num_classes = _encoder(draw), int(draw.integers(2, 6))
        model = as_model(
            ask(answer, encoder, num_classes, stride, without=OWN_HEAD),
            f"fcn_sum for stride {stride}",
        )
        reference = models.fcn(
            num_classes, stride, encoder, "sum", freeze_backbone=False, width=None
        )
        images = draw.uniform(0, 255, (1, *draw.integers([37, 66], [50, 90]), 3)).astype("float32")
        got, want = _compared(model, reference, images, draw)
        what = f"the output for stride {stride}"
        others = [
            (
                "the skips are averaged in: they are added.",
                lambda coarse, fine: (coarse + fine) / 2,
            ),
            ("the skips are multiplied in: they are added.", lambda coarse, fine: coarse * fine),
            ("of the two maps the larger value is taken: they are added.", np.maximum),
            (
                "the fine scores replace the coarse ones: they are added to them.",
                lambda coarse, fine: fine,
            ),
        ]
        mistakes = [
            (hint, _head(reference, images, stride, join)) for hint, join in others if stride < 32
        ]
        mistakes.append((CUT, _head(reference, images, stride, at_end=False)))
        compare(got, want, what=what, axes=("height", "width", "classes"), mistakes=mistakes)
        _all_learn(model, images, seed)
    return "Coarse scores say what, fine ones where."


@check
def fcn_concat(answer, seed):
    """`fcn_concat(encoder, num_classes)`: FCN-16s, its skip by concatenation and a 3 × 3 convolution (L19)."""
    draw = np.random.default_rng(seed)
    for num_classes in (3, int(draw.integers(2, 6))):
        encoder = _encoder(draw)
        model = as_model(ask(answer, encoder, num_classes, without=OWN_HEAD), "fcn_concat")
        reference = models.fcn(
            num_classes, 16, encoder, "concat", freeze_backbone=False, width=None
        )
        images = draw.uniform(0, 255, (1, *draw.integers([37, 66], [50, 90]), 3)).astype("float32")
        if any(isinstance(layer, keras.layers.Add) for layer in model.layers):
            raise NotYet(
                "the maps are added; here they are concatenated, and a convolution brings the channels back."
            )
        got, want = _compared(model, reference, images, draw)
        merge = reference.get_layer("fuse_pool4_conv")

        def other_way_round(coarse, fine, merge=merge):
            return keras.ops.convert_to_numpy(merge(np.concatenate([fine, coarse], axis=-1)))

        compare(
            got,
            want,
            what="the output",
            axes=("height", "width", "classes"),
            mistakes=[
                (
                    "the two maps are concatenated in the other order: coarse first, then fine.",
                    _head(reference, images, 16, other_way_round),
                ),
                (CUT, _head(reference, images, 16, at_end=False)),
            ],
        )
        _all_learn(model, images, seed)
    return "The sum is one of the things that this convolution can learn."


@check
def band(answer, seed):
    """`band(labels, width)`: the pixels within `width` of a boundary between two classes, void left out (L20)."""
    draw = np.random.default_rng(seed)
    for width in (2, 1, 3, 4):
        labels = _regions(draw)
        known, want = labels != VOID, boundary_band(labels, width)
        with_void = boundary_band(np.where(known, labels, 77), width)
        diamond = _touching(labels)
        for _ in range(width - 1):
            diamond = _grown(diamond, diagonal=False)
        one_side = _touching(labels, sides=1)
        for _ in range(width - 1):
            one_side = _grown(one_side)
        stopped = boundary_band(labels, 1)
        for _ in range(width - 1):
            stopped = _grown(stopped) & known
        framed = want.copy()
        framed[:width], framed[-width:], framed[:, :width], framed[:, -width:] = (
            True,
            True,
            True,
            True,
        )
        compare(
            np.asarray(ask(answer, labels, width, without=PACKAGES)) * 1.0,
            want * 1.0,
            what=f"the band of width {width}",
            axes=("height", "width"),
            mistakes=[
                (
                    "the border of void counts as a boundary: between a class and void there is none.",
                    with_void & known,
                ),
                (
                    "the border of void counts as a boundary: between a class and void there is none.",
                    with_void,
                ),
                ("void pixels are in it: they are never scored.", _spread(labels, width)),
                ("it lies on one side of the boundary: both sides belong to it.", one_side & known),
                (
                    "one ring too many: width 1 are the pixels that touch another class.",
                    boundary_band(labels, width + 1),
                ),
                (
                    "one ring too few: width 1 are the pixels that touch another class.",
                    boundary_band(labels, width - 1) if width > 1 else ~known & False,
                ),
                (
                    "the rings stop at void: they grow across it, and void pixels are taken out at the end.",
                    stopped,
                ),
                ("the corners are missing: a ring grows to all eight neighbours.", diamond & known),
                ("the border of the picture counts as a boundary.", framed & known),
                (
                    "only boundaries between left and right are found.",
                    _spread(labels, width, axes=(1,)) & known,
                ),
                (
                    "only boundaries between above and below are found.",
                    _spread(labels, width, axes=(0,)) & known,
                ),
                ("that is all but the band.", known & ~want),
            ],
        )
    return "Both sides of each boundary, and no void."


@check
def band_error(answer, seed):
    """`band_error(true, found, band)`: the share of wrong pixels among those of the band (L20)."""
    draw = np.random.default_rng(seed)
    for width in (2, 1, 4):
        true = _regions(draw)
        found = np.where(draw.random(true.shape) < 0.2, (true + 1) % 3, true).astype("uint8")
        found[true == VOID] = 1
        inside = boundary_band(true, width)
        if width == 4:  # a band that somebody drew by hand may lie on void
            inside = inside | (true == VOID)
        known, wrong = true != VOID, found != true
        counted = inside & known
        compare(
            ask(answer, true, found, inside, without=PACKAGES),
            (wrong & counted).sum() / counted.sum(),
            what="the error",
            mistakes=[
                (
                    "void pixels count: leave them out, above and below the line.",
                    (wrong & inside).sum() / inside.sum(),
                ),
                (
                    "it is divided by all pixels of the picture: divide by those of the band.",
                    (wrong & counted).sum() / true.size,
                ),
                (
                    "it is divided by all labelled pixels: divide by those of the band.",
                    (wrong & counted).sum() / known.sum(),
                ),
                (
                    "that is the share of right pixels; the wrong ones are asked for.",
                    (~wrong & counted).sum() / counted.sum(),
                ),
                (
                    "it is taken over the whole picture, not over the band.",
                    (wrong & known).sum() / known.sum(),
                ),
                ("that is the number of wrong pixels, not their share.", (wrong & counted).sum()),
                (
                    "that is the share of all mistakes that lie in the band; the share of the band that is wrong is asked for.",
                    (wrong & counted).sum() / (wrong & known).sum(),
                ),
                (
                    "that is per cent; a share is between 0 and 1.",
                    100 * (wrong & counted).sum() / counted.sum(),
                ),
            ],
        )
    return "A share of the band, so that bands of different widths compare."


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


def _compared(model, reference, images, draw):
    """The outputs of a student's network and of the reference, both with the same random weights in their heads."""
    try:
        raw = predict(model, images[:, :32, :64])
    except Exception:
        raise NotYet(
            "the model does not run, not even on 32 × 64 pixels: the maps that are merged differ in size. Does each skip read "
            "the pool of its own stride, along the right axis?"
        ) from None
    if (
        raw.shape[-1] == reference.output_shape[-1]
        and raw.min() >= 0
        and np.allclose(raw.sum(-1), 1, atol=1e-3)
    ):
        raise NotYet(
            "the outputs of a pixel add up to 1: there is a softmax at the end, and logits are asked for."
        )
    require_same_layers(model, reference)
    for layer in model.layers:
        if (
            layer.name.startswith(("score", "fuse")) and layer.weights
        ):  # they start at zero, where every mistake looks right
            layer.set_weights([draw.normal(0, 1, w.shape) for w in layer.get_weights()])
    return outputs_with_same_weights(model, reference, images)


def _head(reference, images, stride, join=None, at_end=True):
    """What the reference gives when its skips are merged by `join`, or when maps are cut at the wrong end."""
    names = [
        name
        for name in ("pool5", "pool4", "pool3")
        if name == "pool5" or stride <= {"pool4": 16, "pool3": 8}[name]
    ]
    maps = keras.Model(reference.input, {name: reference.get_layer(name).output for name in names})(
        images
    )

    def layer(name, x):
        return keras.ops.convert_to_numpy(reference.get_layer(name)(x))

    def cut(x, height, width):
        return (
            x[:, :height, :width] if at_end else x[:, x.shape[1] - height :, x.shape[2] - width :]
        )

    if join is None and "fuse_pool4_conv" in {one.name for one in reference.layers}:

        def join(coarse, fine):
            return layer("fuse_pool4_conv", np.concatenate([coarse, fine], axis=-1))

    x = layer("score_fr", maps["pool5"])
    for name, up in (("pool4", "upscore2"), ("pool3", "upscore_pool4")):
        if name in maps:
            fine = layer(f"score_{name}", maps[name])
            x = (join or np.add)(cut(layer(up, x), *fine.shape[1:3]), fine)
    return cut(layer("upscore" if stride == 32 else f"upscore{stride}", x), *images.shape[1:3])


def _all_learn(model, images, seed):
    """Gradients reach every weight, and the head's layers are trainable."""
    if still := still_weights(model, images.shape[1:], seed):
        raise NotYet(f"no gradient reaches {still[0]}: is it in the way from input to output?")
    for layer in model.layers:
        if (
            layer.name.startswith(("score", "upscore", "fuse"))
            and layer.weights
            and not layer.trainable_weights
        ):
            raise NotYet(f"`{layer.name}` is frozen: the head is what is trained.")


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


def _touching(labels, sides=2, axes=(0, 1), void=False):
    """The pixels that touch another class; with `sides=1` only those after the boundary."""
    result = np.zeros(labels.shape, bool)
    for axis in axes:
        a, b = (np.s_[1:], np.s_[:-1]) if axis == 0 else (np.s_[:, 1:], np.s_[:, :-1])
        differ = (labels[a] != labels[b]) & (void | ((labels[a] != VOID) & (labels[b] != VOID)))
        result[a] |= differ
        if sides == 2:
            result[b] |= differ
    return result


def _grown(mask, diagonal=True):
    """One ring more, to all eight neighbours or to four."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    steps = [(i, j) for i in range(3) for j in range(3) if diagonal or 1 in (i, j)]
    return np.any([padded[i : i + height, j : j + width] for i, j in steps], axis=0)


def _spread(labels, width, axes=(0, 1)):
    """The band with void pixels in it."""
    result = _touching(labels, axes=axes)
    for _ in range(width - 1):
        result = _grown(result)
    return result
