"""Skip connections: what they carry, how maps merge, shares of levels (lecture: L18, L19, L21)."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch

from fcn_keras.support.kinds import Drawable, DrawnLabels, Rows, Table, checked
from fcn_keras.support.labels import VOID
from fcn_keras.visualization.architecture import paint
from fcn_keras.visualization.mistakes import mistake_legend, paint_mistakes
from fcn_keras.visualization.pictures import overlay
from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    SERIES,
    SKIP,
    TRAINED,
    frame,
    new_figure,
    parts_of,
    patch_legend,
    show_image,
    style,
)

FOR_AND_AGAINST = LinearSegmentedColormap.from_list(
    "for_and_against", ["#00395a", SERIES[0], "white", SERIES[1], "#6b2f00"]
)
STEPS = {"sum": ("+", "="), "concat": ("‖", "→")}
MERGED = {  # a heading, and what the merging does
    "sum": ("Sum: Add()", "scores added, position by position"),
    "concat": (
        "Concatenation: Concatenate(), Conv2D(2, 3)",
        "scores stacked to 4 channels, then a 3 × 3 convolution",
    ),
}


@checked
def draw_skip_connection(rows: Rows, image: Drawable, patch, changes: Table):
    """The network, and which scores change with a patch of the picture (lecture: L18).

    Args:
        rows: `models.describe(model, size=(H, W))` of a network with skips.
        image: The picture as it was, uint8 `(H, W, 3)`; it is drawn with the patch in opposite
            colours.
        patch: `(top, left, size)` of the square that was changed, in pixels.
        changes: `{layer name: how much each of its scores changed (h, w)}`, 0 or more, coarsest
            first.
    """
    height, width = image.shape[:2]
    top, left, size = patch
    keys = {
        "encoder, fixed": Patch(facecolor=FROZEN, edgecolor=INK),
        "head, trained": Patch(facecolor=TRAINED, edgecolor=INK),
        "skip connection": Patch(facecolor=SKIP),
    }
    with style():
        title = "A skip connection bypasses the deep layers and keeps what it carries in place"
        figure = new_figure(20, 17, title, wspace=0.02)
        upper, lower = parts_of(figure, 2, 1, height_ratios=(1.6, 1))
        paint(upper.subplots(), rows)
        patch_legend(upper, keys, fontsize=16)
        first, *others = lower.subplots(2, (len(changes) + 2) // 2, squeeze=False).ravel()
        changed = image.copy()
        square = np.s_[top : top + size, left : left + size]
        changed[square] = 255 - changed[square]
        show_image(first, changed, f"{size} × {size} pixels of the picture are changed")
        # a frame with room around the patch, so that the patch can be seen
        frame(first, (left - 8.5, top - 8.5), (size + 16, size + 16), CHANGED)
        for axis, (name, change) in zip(others, changes.items()):
            title = f"{name}: {(change > 0).sum()} of {change.size} scores changed"
            extent = (-0.5, width - 0.5, height - 0.5, -0.5)
            look = {"cmap": "cividis", "vmin": 0, "vmax": 1, "extent": extent}
            show_image(axis, change / max(change.max(), 1e-12), title, **look)
            frame(axis, (left - 0.5, top - 0.5), (size, size), "white", linewidth=3)
        for axis in others[len(changes) :]:
            axis.set_axis_off()
        key = "square: the changed pixels      dark: little or no change      bright: most change"
        lower.supxlabel(key, fontsize=16)
    return figure


@checked
def draw_fusions(image: Drawable, labels: DrawnLabels, fusions: Table, class_name: str):
    """Sum and concatenation side by side: inputs, output, prediction (lecture: L19).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`, two classes.
        fusions: A table for `"sum"` and one for `"concat"`. `coarse`, `fine` and `fused` are maps
            `(h, w)`, the score of the class minus that of the background; `prediction` is class
            numbers `(H, W)`; `note` is two lines of text.
        class_name: The class that is shown.
    """
    maps = [found[part] for found in fusions.values() for part in ("coarse", "fine", "fused")]
    look = _scale(np.concatenate([part.ravel() for part in maps]))
    with style():
        figure = new_figure(19, 14, "Two ways to merge a coarse and a fine map")
        axes = figure.subplots(4, len(fusions), squeeze=False)
        for column, (name, found) in zip(axes.T, fusions.items(), strict=True):
            _paint_fusion(column, name, found, look)
            prediction = paint_mistakes(image, found["prediction"] == 1, labels)
            show_image(column[3], prediction, "upsampled by 8: the prediction")
            column[3].set_xlabel(found["note"], fontsize=17, fontweight="bold", labelpad=8)
        text = f"maps: score of {class_name} minus score of background"
        _scale_below(figure, axes, axes[2, -1].images[0], text)
        mistake_legend(figure, class_name, fontsize=17)
    return figure


def _paint_fusion(column, name, found, look) -> None:
    """The two maps that go in and the one that comes out, one below the other."""
    heading, how = MERGED[name]
    coarse = f"coarse scores, upsampled ({' × '.join(map(str, found['coarse'].shape))})"
    titles = {"coarse": coarse, "fine": "fine scores, from pool3", "fused": how}
    for axis, (part, title) in zip(column, titles.items()):
        show_image(axis, found[part], title, **look)
    for axis, sign in zip(column[1:], STEPS[name]):
        _sign(axis, sign)
    text = {"fontsize": 19, "fontweight": "bold", "color": SKIP}
    place = {"transform": column[0].transAxes, "ha": "center", "va": "bottom"}
    column[0].text(0.5, 1.24, heading, **place, **text)


@checked
def draw_shares(image: Drawable, labels: DrawnLabels, shares: Table, class_name: str):
    """One prediction taken apart into the share of each level (lecture: L21).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`, two classes.
        shares: `{layer name: its share (H, W)}` of the score of the class minus that of the
            background, coarsest first.
        class_name: The class that is shown.
    """
    stacked = np.stack(list(shares.values()))
    look = _scale(stacked)
    scored = labels != VOID
    titles = [f"with {name}" for name in shares]
    titles[-1] += ": the logits"
    titles[0] = f"added up so far.  {next(iter(shares))} alone"
    with style():
        title = "One prediction, taken apart into the share of each level"
        figure = new_figure(19, 13.5, title)
        axes = figure.subplots(1 + len(shares), 2, squeeze=False)
        show_image(axes[0][0], image, "the picture")
        show_image(axes[0][1], overlay(image, labels == 1), f"the truth: {class_name} in green")
        for axis, (name, share) in zip(axes[1:, 0], shares.items(), strict=True):
            show_image(axis, share, f"share of {name}", **look)
        for axis in axes[2:, 0]:
            _sign(axis, "+")
        totals = stacked.cumsum(axis=0)
        for axis, total, title in zip(axes[1:, 1], totals, titles, strict=True):
            wrong = 100 * ((total > 0) != (labels == 1))[scored].mean()
            show_image(axis, total, f"{title}: {wrong:.1f} % of the pixels wrong", **look)
            if total.min() < 0 < total.max():
                axis.contour(total, levels=[0], colors=[INK], linewidths=3)
        text = f"score of {class_name} minus score of background"
        line = "dark line: zero, the border of the prediction"
        _scale_below(figure, axes, axes[-1, 1].images[0], f"{text}; {line}")
    return figure


def _sign(axis, sign: str) -> None:
    """A large sign at the left of a panel."""
    place = {"transform": axis.transAxes, "ha": "right", "va": "center"}
    axis.text(-0.025, 0.5, sign, fontsize=34, fontweight="bold", color=SKIP, **place)


def _scale(values) -> dict:
    """One colour scale for several maps; 98 of 100 values lie inside it."""
    limit = max(float(np.percentile(np.abs(values), 98)), 1e-6)
    return {"cmap": FOR_AND_AGAINST, "vmin": -limit, "vmax": limit}


def _scale_below(figure, axes, shown, text: str) -> None:
    look = {"location": "bottom", "shrink": 0.5, "aspect": 45, "extend": "both"}
    figure.colorbar(shown, ax=axes, label=text, **look)
