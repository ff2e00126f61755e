"""The autoencoder: its hourglass, what it gives back, and its maps on the way down and up (lecture: L10, L11, L13)."""

from itertools import pairwise

import numpy as np
from matplotlib.patches import ConnectionPatch, Patch

from fcn_keras.visualization.architecture import paint
from fcn_keras.visualization.feature_maps import strongest_pattern
from fcn_keras.visualization.style import (
    CHANGED,
    INK,
    QUIET,
    SERIES,
    TRAINED,
    checked,
    new_figure,
    show_image,
    style,
)

LATENT_MAPS = 12
LOST = 60  # a difference of so many levels is drawn as the brightest


@checked
def draw_autoencoder(rows, image, reconstruction):
    """An autoencoder as an hourglass, between the picture that goes in and the one that comes out (lecture: L10).

    Args:
        rows: `models.describe(autoencoder, size=(H, W))`.
        image: `(H, W, 3)`, 0–255.
        reconstruction: What came out, the same shape; values outside 0–255 are cut.
    """
    with style():
        figure = new_figure(
            21, 10, "Convolutional autoencoder: down by convolution, up by transposed convolution"
        )
        axes = figure.subplots()
        boxes = paint(axes, rows, size=18)
        lowest = min(boxes, key=lambda box: box.y)
        depth, middle = lowest.y, 0.5 * (boxes[0].x + boxes[-1].x)
        near = dict(fontsize=20, ha="center", va="center", fontweight="bold")
        axes.text(middle - 1, 0.1 * depth, "encoder  ↘", color=SERIES[0], **near)
        axes.text(middle + 1, 0.1 * depth, "↗  decoder", color=SERIES[1], **near)
        axes.text(lowest.x, depth - 1.3, "latent feature maps", color=CHANGED, **near)
        axes.set(xlim=(boxes[0].x - 3.2, boxes[-1].x + 3.2), ylim=(depth - 1.5, 0.5))
        for left, shown, title in (
            (0, image, "what goes in, and the target"),
            (0.62, reconstruction, "what comes out"),
        ):
            show_image(axes.inset_axes((left, 0, 0.38, 0.38)), picture(shown), title)
        trained = sum(row.parameters for row in rows)
        label = f"layers with weights, all convolutions: {trained:,} parameters; no dense layer"
        figure.legend(
            [Patch(facecolor=TRAINED, edgecolor=INK)],
            [label],
            loc="outside lower center",
            frameon=False,
            fontsize=17,
        )
    return figure


@checked
def draw_reconstruction(images, reconstructions, latent, decibels, baseline):
    """Inputs, their reconstructions, what is lost, and the latent feature maps of the first one (lecture: L11).

    Args:
        images: Pictures, `(H, W, 3)`, 0–255 each.
        reconstructions: What the autoencoder gave for each, the same shapes.
        latent: Feature maps of the first picture, `(h, w, channels)`; twelve that differ most are shown.
        decibels: PSNR of each reconstruction.
        baseline: PSNR of the mean training picture in place of each.
    """
    columns = len(images)
    tall = 20 / columns * np.shape(images[0])[0] / np.shape(images[0])[1]
    chosen = most_different(latent, LATENT_MAPS)
    latent_rows = -(-len(chosen) // 6)
    latent_tall = 3.2 * latent.shape[0] / latent.shape[1]
    with style():
        figure = new_figure(
            21,
            1.9 + 3 * tall + 1.4 + latent_rows * latent_tall,
            "Reconstruction of pictures never trained on",
        )
        above, below = figure.subfigures(
            2, 1, height_ratios=(3 * tall + 1.4, latent_rows * latent_tall + 0.8)
        )
        axes = above.subplots(3, columns, squeeze=False)
        for column in range(columns):
            show_image(axes[0][column], picture(images[column]))
            show_image(axes[1][column], picture(reconstructions[column]))
            axes[1][column].set_title(
                f"{decibels[column]:.1f} dB   (mean training picture: {baseline[column]:.1f} dB)",
                color=SERIES[0],
            )
            lost = np.abs(
                picture(images[column]) - np.asarray(picture(reconstructions[column]), "float32")
            ).mean(axis=-1)
            show_image(axes[2][column], lost, cmap="magma", vmin=0, vmax=LOST)
        for axis, name in zip(axes[:, 0], ("input", "reconstruction", "what is lost"), strict=True):
            axis.set_ylabel(name, fontweight="bold")
        above.supxlabel(
            f"what is lost: difference per colour, from black (0) to bright ({LOST} of 255 and more)",
            fontsize=15,
        )
        size = "×".join(map(str, latent.shape))
        below.suptitle(
            f"{len(chosen)} of the {latent.shape[-1]} latent feature maps of the first picture ({size})",
            fontsize=17,
        )
        maps = below.subplots(latent_rows, min(6, len(chosen)), squeeze=False)
        for axis in maps.flat:
            axis.set_axis_off()
        for axis, channel in zip(maps.flat, chosen, strict=False):
            axis.set_axis_on()
            show_image(axis, latent[..., channel], cmap="magma")
    return figure


@checked
def draw_hourglass_maps(image, down, up, result, result_title: str, sees: dict | None = None):
    """The downsampling path above, the upsampling path below, with real feature maps; no skip between them (lecture: L13).

    Args:
        image: uint8 `(H, W, 3)`.
        down: `{layer name: features (h, w, channels)}`, in the order of computation; the last are the smallest.
        up: `{layer name: features}`, in the order of computation, one for each of `down` but the last.
        result: Picture of the prediction, uint8 `(H, W, 3)`.
        result_title: What the result is.
        sees: `{layer name: pixels}`, how much of the picture one position sees, for the titles; or `None`.

    Raises:
        ValueError: If `up` has not one map less than `down`.
    """
    if len(up) != len(down) - 1:
        raise ValueError(
            f"Expected one map less on the way up. Received: {len(down)} down, {len(up)} up"
        )
    with style():
        figure = new_figure(21, 6.6, "Downsampling finds what, upsampling finds where")
        figure.get_layout_engine().set(w_pad=0.28)
        grid = figure.add_gridspec(2, 1 + len(down))
        path = [figure.add_subplot(grid[0, column]) for column in range(len(down))]
        path.append(figure.add_subplot(grid[:, -1]))
        path += [figure.add_subplot(grid[1, column]) for column in range(len(down) - 1, -1, -1)]
        show_image(path[0], image, f"input\n{_size(image)}")
        for axis, (name, features) in zip(path[1:-1], {**down, **up}.items(), strict=True):
            seen = f"\none position sees {sees[name]} px" if sees else ""
            title = f"{name}  {_size(features)}{seen}"
            show_image(axis, strongest_pattern(features), title, cmap="magma", aspect="auto")
        show_image(path[-1], result, f"{result_title}\n{_size(result)}")
        for axis in path:
            axis.set_box_aspect(image.shape[0] / image.shape[1])
        bottom = 1 + len(down)  # the path turns here
        for number, (start, end) in enumerate(pairwise(path), start=1):
            at = ((1.01, 0.5), (-0.01, 0.5)) if number < bottom else ((-0.01, 0.5), (1.01, 0.5))
            if end is path[bottom - 1]:
                at = (1.01, 0.5), (0.2, 1.45)
            elif start is path[bottom - 1]:
                at = (0.2, -0.04), (1.01, 0.5)
            figure.add_artist(
                ConnectionPatch(
                    at[0],
                    at[1],
                    "axes fraction",
                    "axes fraction",
                    axesA=start,
                    axesB=end,
                    arrowstyle="-|>",
                    mutation_scale=26,
                    linewidth=3.5,
                    color=QUIET,
                )
            )
        path[0].set_ylabel("what?", fontweight="bold", fontsize=19)
        path[-1].set_ylabel("where?", fontweight="bold", fontsize=19)
        figure.supxlabel(
            "of each layer: the pattern that its channels share (first principal component)",
            fontsize=15,
        )
    return figure


@checked
def draw_what_where(sees: dict, what: dict, where: dict, band: int):
    """How well each layer knows what, and how finely it can say where, along the way down and up (lecture: L13).

    Args:
        sees: `{layer name: pixels}`, how much of the picture one position sees, in the order of computation.
        what: `{layer name: share}` of wrong pixels away from edges when the class is read off the layer.
        where: `{layer name: share}` of wrong pixels near edges if every position of the layer had its best class.
        band: Up to so many pixels away is near.
    """
    names = list(sees)
    with style():
        figure = new_figure(
            15, 6.8, "On the way down the error in “what” falls, on the way up the error in “where”"
        )
        axes = figure.subplots()
        lines = (
            (
                what,
                f"what: read off this layer, wrong pixels more than {band} px from the edge",
                "o",
                SERIES[0],
            ),
            (
                where,
                f"where: with the best labels on this grid, wrong pixels up to {band} px from the edge",
                "s",
                SERIES[1],
            ),
        )
        for values, label, marker, colour in lines:
            shares = [100 * values[name] for name in names]
            axes.plot(
                names,
                shares,
                marker=marker,
                markersize=12,
                linewidth=3.5,
                color=colour,
                label=label,
            )
            for place, share in enumerate(shares):
                other = (where if values is what else what)[names[place]]
                above = 100 * other < share or (100 * other == share and values is what)
                note = dict(
                    textcoords="offset points",
                    xytext=(0, 15 if above else -28),
                    ha="center",
                    fontweight="bold",
                )
                axes.annotate(f"{share:.0f} %", (place, share), color=colour, fontsize=16, **note)
        top = 1.45 * 100 * max(*what.values(), *where.values())
        axes.set(ylabel="wrong pixels (%)", ylim=(-0.1 * top, top), xlim=(-0.4, len(names) - 0.6))
        axes.set_xticks(
            range(len(names)),
            [f"{name}\nsees {pixels} px" for name, pixels in sees.items()],
            fontsize=15,
        )
        axes.grid(axis="y", color=QUIET, alpha=0.25)
        axes.legend(frameon=False, loc="upper center", fontsize=15)
    return figure


def most_different(features, count: int) -> list[int]:
    """Channels with much contrast that are little like each other, the one with most contrast first.

    Args:
        features: `(h, w, channels)`.
        count: How many; fewer if there are fewer that are not constant.
    """
    flat = features.reshape(-1, features.shape[-1]).astype("float64")
    contrast = flat.std(axis=0)
    scaled = (flat - flat.mean(axis=0)) / np.maximum(contrast, 1e-9)
    alike = np.abs(scaled.T @ scaled) / len(
        flat
    )  # correlation of every two channels, without its sign
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
