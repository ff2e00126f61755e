"""What the layers of a network see (lecture: L13)."""

from itertools import pairwise

import numpy as np
from matplotlib.patches import ConnectionPatch

from fcn_keras.visualization.style import QUIET, SKIP, checked, new_figure, show_image, style


def strongest_pattern(features: np.ndarray) -> np.ndarray:
    """The one map that tells most of what all channels say: their first principal component, scaled to 0–1.

    Args:
        features: `(h, w, channels)`.

    Returns:
        float `(h, w)`.
    """
    flat = features.reshape(-1, features.shape[-1]).astype("float64")
    flat = flat - flat.mean(axis=0)
    _, directions = np.linalg.eigh(flat.T @ flat)  # ascending: the last explains most
    pattern = (flat @ directions[:, -1]).reshape(features.shape[:2])
    if (
        np.abs(pattern.min()) > pattern.max()
    ):  # its sign means nothing: let what stands out be bright
        pattern = -pattern
    low, high = np.percentile(pattern, (1, 99))
    return np.clip((pattern - low) / max(high - low, 1e-9), 0, 1)


@checked
def draw_two_paths(image, down, up, result, result_title: str):
    """The downsampling path above, the upsampling path below, with real feature maps (lecture: L13).

    Maps of one size stand below each other, so a skip connection is a vertical line.

    Args:
        image: uint8 `(H, W, 3)`.
        down: `{layer name: features (h, w, channels)}`, in the order of computation, one per halving.
        up: `{layer name: features}`, in the order of computation; each has the size of one in `down`.
        result: Picture of the prediction, uint8 `(H, W, 3)`.
        result_title: What the result is.
    """
    with style():
        columns = 1 + len(down)
        figure = new_figure(21, 6.6, "Downsampling finds what, upsampling finds where")
        axes = figure.subplots(2, columns)
        show_image(axes[0][0], image, f"input\n{_size(image)}")
        column_of = {image.shape[:2]: 0}
        for column, (name, features) in enumerate(down.items(), start=1):
            show_image(
                axes[0][column],
                strongest_pattern(features),
                f"{name}\n{_size(features)}",
                cmap="magma",
                aspect="auto",
            )
            column_of[features.shape[:2]] = column
        for axis in axes[1]:
            axis.set_axis_off()
        show_image(axes[1][0], result, f"{result_title}\n{_size(result)}")
        axes[1][0].set_axis_on()
        filled = [0]
        for name, features in up.items():
            column = column_of[features.shape[:2]]
            axes[1][column].set_axis_on()
            show_image(
                axes[1][column],
                strongest_pattern(features),
                f"{name}\n{_size(features)}",
                cmap="magma",
                aspect="auto",
            )
            filled.append(column)
        box = image.shape[0] / image.shape[1]
        for axis in axes.flat:
            axis.set_box_aspect(box)
        for column in range(columns - 1):
            _arrow(figure, axes[0][column], (1.02, 0.5), axes[0][column + 1], (-0.02, 0.5), QUIET)
        order = sorted(filled)
        for left, right in pairwise(order):
            _arrow(figure, axes[1][right], (-0.02, 0.5), axes[1][left], (1.02, 0.5), QUIET)
        for column in order[1:]:
            last = column == columns - 1
            _arrow(
                figure,
                axes[0][column],
                (0.5, -0.04),
                axes[1][column],
                (0.5, 1.85),
                QUIET if last else SKIP,
            )
        axes[0][0].set_ylabel("what?  →", fontweight="bold", fontsize=18)
        axes[1][0].set_ylabel("where?  ←", fontweight="bold", fontsize=18)
        figure.supxlabel(
            "of each layer: the pattern that its channels share (first principal component)      green: skip connection",
            fontsize=15,
        )
    return figure


def _size(array) -> str:
    return " × ".join(map(str, array.shape))


def _arrow(figure, start, start_at, end, end_at, colour):
    figure.add_artist(
        ConnectionPatch(
            start_at,
            end_at,
            "axes fraction",
            "axes fraction",
            axesA=start,
            axesB=end,
            arrowstyle="-|>",
            mutation_scale=20,
            linewidth=3,
            color=colour,
        )
    )
