"""What the layers of a network see (lecture: L13)."""

from itertools import pairwise

import numpy as np

from fcn_keras.support.kinds import Drawable, Table, checked
from fcn_keras.visualization.mistakes import mistake_legend
from fcn_keras.visualization.style import QUIET, SKIP, arrow_between, new_figure, show_image, style

PANEL, TITLE = 2.75, 0.7  # inches: the width of a map, and the height of its title
PATTERN = "shown: the pattern that a layer's channels share (first principal component)"


def strongest_pattern(features: np.ndarray) -> np.ndarray:
    """The one map that explains most of all channels: their first principal component.

    Args:
        features: `(h, w, channels)`.

    Returns:
        float `(h, w)`, scaled to 0–1.
    """
    flat = features.reshape(-1, features.shape[-1]).astype("float64")
    flat = flat - flat.mean(axis=0)
    _, directions = np.linalg.eigh(flat.T @ flat)  # ascending: the last explains most
    pattern = (flat @ directions[:, -1]).reshape(features.shape[:2])
    if np.abs(pattern.min()) > pattern.max():  # its sign is arbitrary: what stands out is bright
        pattern = -pattern
    low, high = np.percentile(pattern, (1, 99))
    return np.clip((pattern - low) / max(high - low, 1e-9), 0, 1)


def show_features(axis, name: str, features: np.ndarray) -> None:
    """The strongest pattern of a layer, under the layer's name and shape."""
    title = f"{name}\n{_size(features)}"
    show_image(axis, strongest_pattern(features), title, cmap="magma", aspect="auto")
    axis.title.set_fontsize(19)


@checked
def draw_two_paths(
    image: Drawable,
    down: Table,
    up: Table,
    result,
    result_title: str,
    class_name: str | None = None,
):
    """The downsampling path above the upsampling path, with real feature maps (lecture: L13).

    Maps of one size stand one above the other, so a skip connection is a vertical line.

    Args:
        image: uint8 `(H, W, 3)`.
        down: `{layer name: features (h, w, channels)}` in the order of computation, one for each
            halving.
        up: `{layer name: features}` in the order of computation; each as large as one of `down`.
        result: Picture of the prediction, uint8 `(H, W, 3)`.
        result_title: What the result is.
        class_name: The class, if the result is one of `paint_mistakes`: its colours are explained.
    """
    column_of = {image.shape[:2]: 0}
    column_of |= {features.shape[:2]: 1 + place for place, features in enumerate(down.values())}
    filled = sorted([0, *(column_of[features.shape[:2]] for features in up.values())])
    ratio = image.shape[0] / image.shape[1]
    with style():
        title = "Downsampling finds what, upsampling finds where"
        figure = new_figure(21, 5.6 + 2 * PANEL * ratio, title, w_pad=0.28)
        above, below = figure.subplots(2, 1 + len(down))
        show_image(above[0], image, f"input\n{_size(image)}")
        above[0].title.set_fontsize(19)
        for axis, (name, features) in zip(above[1:], down.items(), strict=True):
            show_features(axis, name, features)
        for empty in set(range(len(below))) - set(filled):
            below[empty].set_axis_off()
        shown = result if class_name is None else result[..., 0]  # a label map, in colours
        show_image(below[0], result, f"{result_title}\n{_size(shown)}")
        below[0].title.set_fontsize(19)
        for name, features in up.items():
            show_features(below[column_of[features.shape[:2]]], name, features)
        for axis in (*above, *below):
            axis.set_box_aspect(ratio)
        _arrows(figure, above, below, filled, 1 + TITLE / (PANEL * ratio))
        above[0].set_ylabel("what?  →", fontweight="bold", fontsize=18)
        below[0].set_ylabel("where?  ←", fontweight="bold", fontsize=18)
        key = f"{PATTERN}      green: skip connection"
        if class_name is None:
            figure.supxlabel(key, fontsize=18)
        else:
            mistake_legend(figure, class_name, fontsize=18, title=key, title_fontsize=18)
    return figure


def _arrows(figure, above, below, filled: list[int], end: float) -> None:
    """Along the upper row, back along the lower one, and down to above the titles at `end`."""
    look = {"mutation_scale": 20, "linewidth": 3}
    for left, right in pairwise(above):
        arrow_between(figure, left, right, ((1.02, 0.5), (-0.02, 0.5)), color=QUIET, **look)
    for left, right in pairwise(filled):
        back = (-0.02, 0.5), (1.02, 0.5)
        arrow_between(figure, below[right], below[left], back, color=QUIET, **look)
    for column in filled[1:]:
        colour = QUIET if column == len(above) - 1 else SKIP
        down = (0.5, -0.04), (0.5, end)
        arrow_between(figure, above[column], below[column], down, color=colour, **look)


def _size(array) -> str:
    return " × ".join(map(str, array.shape))
