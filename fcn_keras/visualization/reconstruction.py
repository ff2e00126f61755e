"""The autoencoder: hourglass, reconstructions, maps down and up (lecture: L10, L11, L13)."""

from itertools import pairwise

import numpy as np
from matplotlib.patches import Patch

from fcn_keras.support.kinds import Count, Drawable, Drawables, Rows, Table, checked
from fcn_keras.visualization.architecture import paint
from fcn_keras.visualization.feature_maps import PATTERN, strongest_pattern
from fcn_keras.visualization.mistakes import mistake_legend
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    QUIET,
    SERIES,
    TRAINED,
    arrow_between,
    centred,
    new_figure,
    parts_of,
    patch_legend,
    show_image,
    style,
)

LATENT_MAPS, IN_A_ROW = 12, 6
LOST = 60  # differences of this many levels and more are drawn as the brightest


@checked
def draw_autoencoder(rows: Rows, image: Drawable, reconstruction: Drawable):
    """An autoencoder as an hourglass, between its input and its output (lecture: L10).

    Args:
        rows: `models.describe(autoencoder, size=(H, W))`.
        image: `(H, W, 3)`, 0–255.
        reconstruction: What came out, the same shape; values outside 0–255 are cut.
    """
    parameters = sum(row.parameters for row in rows)
    key = f"layers with weights, all convolutions: {parameters:,} parameters; no dense layer"
    with style():
        title = "Convolutional autoencoder: down by convolution, up by transposed convolution"
        figure = new_figure(21, 10, title)
        axes = figure.subplots()
        boxes = paint(axes, rows, size=18)
        lowest = min(boxes, key=lambda box: box.y)
        depth, middle = lowest.y, 0.5 * (boxes[0].x + boxes[-1].x)
        for x, y, text, colour in (
            (middle - 1, 0.1 * depth, "encoder  ↘", SERIES[0]),
            (middle + 1, 0.1 * depth, "↗  decoder", SERIES[1]),
            (lowest.x, depth - 1.3, "latent feature maps", CHANGED),
        ):
            centred(axes, x, y, text, fontsize=20, fontweight="bold", color=colour)
        axes.set(xlim=(boxes[0].x - 3.2, boxes[-1].x + 3.2), ylim=(depth - 1.5, 0.5))
        for left, shown, title in (
            (0, image, "what goes in, and the target"),
            (0.62, reconstruction, "what comes out"),
        ):
            show_image(axes.inset_axes((left, 0, 0.38, 0.38)), picture(shown), title)
        patch_legend(figure, {key: Patch(facecolor=TRAINED, edgecolor=INK)}, fontsize=17)
    return figure


@checked
def draw_reconstruction(
    images: Drawables, reconstructions, latent, decibels, baseline, scenes: Count | None = None
):
    """Inputs, reconstructions, what is lost, and the latent maps of the first one (lecture: L11).

    Args:
        images: Pictures, `(H, W, 3)`, 0–255 each; all of one height.
        reconstructions: What the autoencoder gave for each, the same shapes.
        latent: Feature maps of the first picture, `(h, w, channels)`; the twelve that differ most
            are shown.
        decibels: PSNR of each reconstruction.
        baseline: PSNR of the mean training picture in place of each; for photographs that of a
            picture that is grey all over.
        scenes: How many of the images, from the left, are like those trained on. The others are
            photographs. `None`: all.
    """
    widths = [np.shape(image)[1] / np.shape(image)[0] for image in images]
    tall = 20 / sum(widths)
    kinds = [
        "mean training picture" if number < (scenes or len(images)) else "grey"
        for number in range(len(images))
    ]
    chosen = most_different(latent, LATENT_MAPS)
    latent_tall = -(-len(chosen) // IN_A_ROW) * 3.2 * latent.shape[0] / latent.shape[1]
    with style():
        title = "Reconstruction of pictures never trained on"
        if "grey" in kinds:
            title += ": drawn scenes as in the training, and photographs"
        figure = new_figure(21, 1.9 + 3 * tall + 2.2 + latent_tall, title)
        above, below = parts_of(figure, 2, 1, height_ratios=(3 * tall + 2.2, latent_tall + 0.8))
        axes = above.subplots(3, len(images), squeeze=False, width_ratios=widths)
        for column, image, reconstruction in zip(axes.T, images, reconstructions, strict=True):
            _paint_loss(column, picture(image), picture(reconstruction))
        for axis, ours, mean, kind in zip(axes[1], decibels, baseline, kinds, strict=True):
            title = f"{ours:.1f} dB\n({kind}: {mean:.1f} dB)"
            axis.set_title(title, color=SERIES[0], fontsize=20)
        for axis, name in zip(axes[:, 0], ("input", "reconstruction", "what is lost"), strict=True):
            axis.set_ylabel(name, fontweight="bold", fontsize=20)
        text = f"from black (0) to bright ({LOST} or more of 255)"
        above.supxlabel(f"what is lost: difference per colour, {text}", fontsize=19)
        _paint_latent(below, latent, chosen)
    return figure


def _paint_loss(column, image, reconstruction):
    """A picture, its reconstruction, and the difference."""
    lost = np.abs(image - reconstruction.astype("float32")).mean(axis=-1)
    show_image(column[0], image)
    show_image(column[1], reconstruction)
    show_image(column[2], lost, cmap="magma", vmin=0, vmax=LOST)


def _paint_latent(figure, latent, chosen):
    """Some channels of the latent feature maps."""
    count, size = latent.shape[-1], _size(latent)
    title = f"{len(chosen)} of the {count} latent feature maps of the first picture ({size})"
    figure.suptitle(title, fontsize=20)
    rows, columns = -(-len(chosen) // IN_A_ROW), min(IN_A_ROW, len(chosen))
    maps = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, channel in zip(maps, chosen):
        show_image(axis, latent[..., channel], cmap="magma")
    for axis in maps[len(chosen) :]:
        axis.set_axis_off()


@checked
def draw_hourglass_maps(
    image: Drawable,
    down: Table,
    up,
    result,
    result_title: str,
    sees: Table | None = None,
    class_name: str | None = None,
):
    """Real feature maps on the way down and up, without a skip between them (lecture: L13).

    Args:
        image: uint8 `(H, W, 3)`.
        down: `{layer name: features (h, w, channels)}`, in the order of computation; the last are
            the smallest.
        up: `{layer name: features}`, in the order of computation, one for each of `down` but the
            last.
        result: Picture of the prediction, uint8 `(H, W, 3)`.
        result_title: What the result is.
        sees: `{layer name: pixels}`, how much of the picture one position sees, for the titles.
        class_name: The class, if the result is one of `paint_mistakes`: its colours are explained.

    Raises:
        ValueError: If `up` does not have one map fewer than `down`.
    """
    if len(up) != len(down) - 1:
        raise ValueError(
            f"Expected one map fewer on the way up. Received: {len(down)} down, {len(up)} up"
        )
    columns, turn = 1 + len(down), len(down)  # the path turns at the smallest maps
    with style():
        title = "Downsampling finds what, upsampling finds where"
        figure = new_figure(21, 6.6, title, w_pad=0.28)
        grid = figure.add_gridspec(2, columns)
        path = [figure.add_subplot(grid[0, column]) for column in range(turn)]
        path.append(figure.add_subplot(grid[:, -1]))
        path += [figure.add_subplot(grid[1, column]) for column in reversed(range(turn))]
        show_image(path[0], image, f"input\n{_size(image)}")
        for axis, (name, features) in zip(path[1:-1], {**down, **up}.items(), strict=True):
            seen = f"\none position sees {sees[name]} px" if sees else ""
            title = f"{name}  {_size(features)}{seen}"
            show_image(axis, strongest_pattern(features), title, cmap="magma", aspect="auto")
        show_image(path[-1], result, f"{result_title}\n{_size(result)}")
        for axis in path:
            axis.set_box_aspect(image.shape[0] / image.shape[1])
        for number, (start, end) in enumerate(pairwise(path)):
            places = _way(number, turn)
            look = {"mutation_scale": 26, "linewidth": 3.5, "color": QUIET}
            arrow_between(figure, start, end, places, **look)
        path[0].set_ylabel("what?", fontweight="bold", fontsize=19)
        path[-1].set_ylabel("where?", fontweight="bold", fontsize=19)
        if class_name is None:
            figure.supxlabel(PATTERN, fontsize=17)
        else:
            mistake_legend(figure, class_name, fontsize=17, title=PATTERN, title_fontsize=17)
    return figure


def _way(number: int, turn: int):
    """Where the arrow from one panel of the path to the next begins and ends."""
    if number == turn - 1:  # down into the panel where the path turns
        return (1.01, 0.5), (0.2, 1.45)
    if number == turn:  # and out of it
        return (0.2, -0.04), (1.01, 0.5)
    right, left = (1.01, 0.5), (-0.01, 0.5)
    return (right, left) if number < turn else (left, right)


@checked
def draw_what_where(sees: Table, what: Table, where: Table, band: Count):
    """How well each layer knows what, and how finely it can say where (lecture: L13).

    Args:
        sees: `{layer name: pixels}`, how much of the picture one position sees, in the order of
            computation.
        what: `{layer name: share}` of wrong pixels away from edges when the class is read off the
            layer.
        where: `{layer name: share}` of wrong pixels near edges if every position of the layer had
            its best class.
        band: Pixels up to this far from an edge are near it.
    """
    whats, wheres = ([100 * values[name] for name in sees] for values in (what, where))
    with style():
        title = "On the way down the error in “what” falls, on the way up the error in “where”"
        figure = new_figure(15, 6.8, title)
        axes = figure.subplots()
        label = f"what: read off this layer, wrong pixels more than {band} px from the edge"
        look = {"marker": "o", "color": SERIES[0], "label": label}
        above = [a >= b for a, b in zip(whats, wheres, strict=True)]
        _paint_shares(axes, list(sees), whats, above, **look)
        best = "with the best labels on this grid"
        label = f"where: {best}, wrong pixels up to {band} px from the edge"
        look = {"marker": "s", "color": SERIES[1], "label": label}
        _paint_shares(axes, list(sees), wheres, [not a for a in above], **look)
        top = 145 * max(*what.values(), *where.values())
        axes.set(ylabel="wrong pixels (%)", ylim=(-0.1 * top, top), xlim=(-0.4, len(sees) - 0.6))
        names = [f"{name}\nsees {pixels} px" for name, pixels in sees.items()]
        axes.set_xticks(range(len(sees)), names, fontsize=15)
        axes.grid(axis="y", color=QUIET, alpha=0.25)
        axes.legend(frameon=False, loc="upper center", fontsize=15)
    return figure


def _paint_shares(axes, names, shares, above, **look):
    """A curve with its values, each above or below its point."""
    axes.plot(names, shares, markersize=12, linewidth=3.5, **look)
    note = {"ha": "center", "fontweight": "bold", "fontsize": 16, "color": look["color"]}
    for place, (share, over) in enumerate(zip(shares, above, strict=True)):
        offset = (0, 15 if over else -28)
        text = f"{share:.0f} %"
        axes.annotate(text, (place, share), offset, textcoords="offset points", **note)


def most_different(features, count: int) -> list[int]:
    """Channels with high contrast that differ from each other, highest contrast first.

    Args:
        features: `(h, w, channels)`.
        count: How many; fewer where fewer are not constant.
    """
    flat = features.reshape(-1, features.shape[-1]).astype("float64")
    contrast = flat.std(axis=0)
    scaled = (flat - flat.mean(axis=0)) / np.maximum(contrast, 1e-9)
    alike = np.abs(scaled.T @ scaled) / len(flat)  # correlation of every two, without its sign
    chosen: list[int] = []
    while len(chosen) < min(count, np.count_nonzero(contrast > 1e-6)):
        worth = contrast * (1 - alike[chosen].max(axis=0, initial=0))
        worth[chosen] = -1
        chosen.append(int(worth.argmax()))
    return chosen


def picture(values) -> np.ndarray:
    """Numbers around 0–255 as a picture: cut and rounded. uint8, the same shape."""
    return np.clip(np.rint(values), 0, 255).astype("uint8")


def _size(array) -> str:
    return "×".join(map(str, array.shape))
