"""Skip connections as pictures: what travels through one, how maps merge, the share of each level (lecture: L18, L19, L21)."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch, Rectangle

from fcn_keras.support.labels import VOID
from fcn_keras.visualization.architecture import paint
from fcn_keras.visualization.pictures import overlay
from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    SERIES,
    SKIP,
    TRAINED,
    checked,
    new_figure,
    show_image,
    style,
)

WRONG = (230, 0, 60, 235)
FOR_AND_AGAINST = LinearSegmentedColormap.from_list(
    "for_and_against", ["#00395a", SERIES[0], "white", SERIES[1], "#6b2f00"]
)
STEPS = {"sum": ("+", "="), "concat": ("‖", "→")}


@checked
def draw_skip_connection(rows, image, patch, changes: dict):
    """The network with its skips, and which scores notice that a small patch of the picture was changed (lecture: L18).

    Args:
        rows: `models.describe(model, size=(H, W))` of a network with skips.
        image: The picture as it was, uint8 `(H, W, 3)`; it is shown with the patch in opposite colours.
        patch: `(top, left, size)` of the square that was changed, in pixels.
        changes: `{layer name: how much each of its scores changed (h, w)}`, 0 or more, coarsest first.
    """
    height, width = image.shape[:2]
    top, left, size = patch
    with style():
        figure = new_figure(
            20,
            17,
            "A skip connection goes past the deep layers and keeps what it carries in its place",
        )
        figure.get_layout_engine().set(wspace=0.02)
        upper, lower = figure.subfigures(2, 1, height_ratios=(1.6, 1))
        paint(upper.subplots(), rows)
        keys = [
            (Patch(facecolor=FROZEN, edgecolor=INK), "encoder, fixed"),
            (Patch(facecolor=TRAINED, edgecolor=INK), "head, trained"),
            (Patch(facecolor=SKIP), "skip connection"),
        ]
        upper.legend(
            *zip(*keys, strict=True),
            loc="outside lower center",
            ncols=3,
            frameon=False,
            fontsize=16,
        )
        axes = lower.subplots(2, (len(changes) + 2) // 2, squeeze=False).ravel()
        changed = image.copy()
        changed[top : top + size, left : left + size] = (
            255 - changed[top : top + size, left : left + size]
        )
        show_image(axes[0], changed, f"{size} × {size} pixels of the picture are changed")
        for axis, (name, change) in zip(axes[1:], changes.items(), strict=False):
            show_image(
                axis,
                change / max(change.max(), 1e-12),
                f"{name}: {(change > 0).sum()} of {change.size} scores changed",
                cmap="cividis",
                vmin=0,
                vmax=1,
                extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            )
        for axis in axes[1 + len(changes) :]:
            axis.set_axis_off()
        for number, axis in enumerate(axes[: 1 + len(changes)]):
            around, colour = (
                (8, CHANGED) if number == 0 else (0, "white")
            )  # the picture's frame leaves the patch to be seen
            corner, side = (left - 0.5 - around, top - 0.5 - around), size + 2 * around
            axis.add_patch(
                Rectangle(
                    corner,
                    side,
                    side,
                    fill=False,
                    edgecolor=colour,
                    linewidth=4 if number == 0 else 3,
                )
            )
        lower.supxlabel(
            "square: the changed pixels      dark: hardly or not changed      bright: changed most",
            fontsize=16,
        )
    return figure


@checked
def draw_fusions(image, labels, fusions: dict, class_name: str):
    """Sum and concatenation side by side: what goes in, what comes out, what is predicted (lecture: L19).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`, two classes.
        fusions: `{"sum" or "concat": {"coarse": …, "fine": …, "fused": …, "prediction": …, "note": …}}`: three maps `(h, w)`,
            the score of the class minus that of the background; class numbers `(H, W)`; two lines of text.
        class_name: The class that is shown.
    """
    titles = {
        "sum": ("Sum: Add()", "scores added, position by position"),
        "concat": (
            "Concatenation: Concatenate(), Conv2D(2, 3)",
            "scores stacked to 4 channels, then a 3 × 3 convolution",
        ),
    }
    maps = [found[name] for found in fusions.values() for name in ("coarse", "fine", "fused")]
    limit = _limit(np.concatenate([m.ravel() for m in maps]))
    with style():
        figure = new_figure(19, 14, "Two ways to merge a coarse and a fine map")
        axes = figure.subplots(4, len(fusions), squeeze=False)
        for column, (name, found) in enumerate(fusions.items()):
            title, how = titles[name]
            texts = (
                f"coarse scores, upsampled ({_size(found['coarse'])})",
                "fine scores, from pool3",
                how,
            )
            for row, (part, text) in enumerate(
                zip(("coarse", "fine", "fused"), texts, strict=True)
            ):
                drawn = axes[row][column].imshow(
                    found[part], cmap=FOR_AND_AGAINST, vmin=-limit, vmax=limit
                )
                show_image(
                    axes[row][column],
                    found[part],
                    text,
                    cmap=FOR_AND_AGAINST,
                    vmin=-limit,
                    vmax=limit,
                )
            axes[0][column].text(
                0.5,
                1.24,
                title,
                transform=axes[0][column].transAxes,
                ha="center",
                va="bottom",
                fontsize=19,
                fontweight="bold",
                color=SKIP,
            )
            for row, sign in enumerate(STEPS[name], start=1):
                axes[row][column].text(
                    -0.025,
                    0.5,
                    sign,
                    transform=axes[row][column].transAxes,
                    ha="right",
                    va="center",
                    fontsize=34,
                    fontweight="bold",
                    color=SKIP,
                )
            show_image(
                axes[3][column],
                _marked(image, labels, found["prediction"]),
                "upsampled by 8: the prediction",
            )
            axes[3][column].set_xlabel(found["note"], fontsize=17, fontweight="bold", labelpad=8)
        figure.colorbar(
            drawn,
            ax=axes,
            location="bottom",
            shrink=0.5,
            aspect=45,
            extend="both",
            label=f"maps: score of {class_name} minus score of background      pictures: green is found, red is wrong",
        )
    return figure


@checked
def draw_shares(image, labels, shares: dict, class_name: str):
    """One prediction taken apart into the share of each level, and put together again (lecture: L21).

    Args:
        image: uint8 `(H, W, 3)`.
        labels: Class numbers `(H, W)`, two classes.
        shares: `{layer name: its share (H, W)}` of the score of the class minus that of the background, coarsest first.
        class_name: The class that is shown.
    """
    limit = _limit(np.stack(list(shares.values())))
    look = dict(cmap=FOR_AND_AGAINST, vmin=-limit, vmax=limit)
    scored = labels != VOID
    with style():
        figure = new_figure(19, 13.5, "One prediction, taken apart into the share of each level")
        axes = figure.subplots(1 + len(shares), 2, squeeze=False)
        show_image(axes[0][0], image, "the picture")
        show_image(axes[0][1], overlay(image, labels == 1), f"the truth: {class_name} in green")
        total, parts = 0.0, []
        for row, (name, share) in enumerate(shares.items(), start=1):
            total, parts = total + share, [*parts, name]
            wrong = 100 * ((total > 0) != (labels == 1))[scored].mean()
            show_image(axes[row][0], share, f"share of {name}", **look)
            drawn = axes[row][1].imshow(total, **look)
            alone = (
                f"{name} alone"
                if row == 1
                else f"with {name}"
                if row < len(shares)
                else f"with {name}: the logits"
            )
            show_image(axes[row][1], total, f"{alone}: {wrong:.1f} % of the pixels wrong", **look)
            if total.min() < 0 < total.max():
                axes[row][1].contour(total, levels=[0], colors=[INK], linewidths=3)
            if row > 1:
                axes[row][0].text(
                    -0.025,
                    0.5,
                    "+",
                    transform=axes[row][0].transAxes,
                    ha="right",
                    va="center",
                    fontsize=34,
                    fontweight="bold",
                    color=SKIP,
                )
        axes[1][1].set_title("added up so far.  " + axes[1][1].get_title())
        figure.colorbar(
            drawn,
            ax=axes,
            location="bottom",
            shrink=0.5,
            aspect=45,
            extend="both",
            label=f"score of {class_name} minus score of background; dark line: zero, the border of the prediction",
        )
    return figure


def _marked(image, labels, prediction):
    """The picture, green where the class was found and red where that is wrong."""
    wrong = (prediction != labels) & (labels != VOID)
    return overlay(overlay(image, prediction == 1), wrong, WRONG)


def _limit(values) -> float:
    """One colour scale for several maps: what 98 of 100 values stay below, never 0."""
    return max(float(np.percentile(np.abs(values), 98)), 1e-6)


def _size(array) -> str:
    return " × ".join(map(str, array.shape))
