"""Networks drawn from the rows of `models.describe`: figure and model agree (lecture: L12, L23).

Stages stand in the order in which they compute, from left to right, and one step lower for every
halving of height and width: the encoder walks down, the decoder climbs up again, and a skip
connection is a straight line across the valley.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch

from fcn_keras.support.kinds import Rows, checked
from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    NEUTRAL,
    QUIET,
    SKIP,
    TRAINED,
    centred,
    new_figure,
    parts_of,
    patch_legend,
    show_image,
    style,
)

FUSED = {"Add": "+", "Concatenate": "‖"}
LEVEL_HEIGHT = 1.45  # drawing units from one halving to the next


@dataclass
class Stage:
    """One box of the drawing: a layer, or a block of convolutions with its pooling."""

    name: str
    kind: str
    shape: tuple
    trained: bool
    parameters: int
    detail: str
    inputs: list[str] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    side: str = "below"  # where its text stands, out of the way of the arrows

    @property
    def colour(self) -> str:
        if self.parameters == 0:
            return NEUTRAL
        return TRAINED if self.trained else FROZEN

    @property
    def thickness(self) -> float:
        """More channels, thicker."""
        return 0.10 + 0.055 * math.log2(self.shape[2] + 1)

    @property
    def height(self) -> float:
        """More rows, taller."""
        return 0.30 + 0.13 * math.log2(self.shape[0] + 1) / 2


def stages(rows) -> list[Stage]:
    """Gathers rows into boxes.

    A pooling takes in the convolutions before it; cropping and scaling get no box.
    """
    by_name = {row.name: row for row in rows}
    readers = {row.name: [other for other in rows if row.name in other.inputs] for row in rows}
    shown: dict[str, Stage] = {}
    for row in rows:
        if row.kind == "MaxPooling2D":
            shown[row.name] = _block(row, by_name)
        elif row.kind == "Conv2D" and _ends_in_pooling(row, readers):
            continue
        elif row.kind in ("InputLayer", "Conv2D", "Conv2DTranspose", *FUSED):
            shown[row.name] = Stage(
                row.name, row.kind, row.output_shape, row.trained, row.parameters, row.detail
            )
    for stage in shown.values():
        stage.inputs = [
            name
            for given in by_name[stage.name].inputs
            for name in _nearest_shown(given, by_name, shown)
        ]
    return _placed(list(shown.values()))


def _block(pool, by_name) -> Stage:
    """A pooling and the convolutions before it as one box."""
    convolutions = []
    row = by_name[pool.inputs[0]]
    while row.kind == "Conv2D":
        convolutions.append(row)
        row = by_name[row.inputs[0]]
    trained = any(row.trained for row in convolutions)
    parameters = sum(row.parameters for row in convolutions)
    detail = f"{len(convolutions)} conv + pool" if convolutions else "pool"
    return Stage(pool.name, pool.kind, pool.output_shape, trained, parameters, detail)


def _ends_in_pooling(row, readers) -> bool:
    while row.kind == "Conv2D" and len(readers[row.name]) == 1:
        row = readers[row.name][0]
    return row.kind == "MaxPooling2D"


def _nearest_shown(name, by_name, shown) -> list[str]:
    """The stage that a layer belongs to: itself, or that of the layer it reads."""
    if name in shown:
        return [name]
    # a crop reads (map, reference): only the map is an arrow
    first = by_name[name].inputs[:1]
    return [stage for given in first for stage in _nearest_shown(given, by_name, shown)]


def _placed(found: list[Stage]) -> list[Stage]:
    """Gives every stage its place: x follows the longest path, y counts the halvings."""
    for stage in found:
        stage.y = -LEVEL_HEIGHT * math.log2(found[0].shape[0] / stage.shape[0])
    path = _longest_path(found)
    lowest = min(stage.y for stage in found)
    x = 0.0
    for stage, following in zip(path, [*path[1:], None], strict=True):
        stage.x = x
        x += 0.9 if stage.kind in FUSED else 1.25
        if following and following.kind in FUSED and stage.kind == "Conv2DTranspose":
            # below the skip, which arrives at the same "+" from the left
            stage.y -= 0.49 * LEVEL_HEIGHT
            lowest = min(lowest, stage.y)
            x -= 0.25
        elif following and following.y < stage.y:
            stage.side = "left"
        if stage.y > lowest and stage.side != "left":
            stage.side = "right"
    by_name = {stage.name: stage for stage in found}
    for stage in found:
        if stage not in path:  # half-way between its neighbours
            reader = next(other for other in found if stage.name in other.inputs)
            stage.x = (by_name[stage.inputs[0]].x + reader.x) / 2
    return found


def _longest_path(found: list[Stage]) -> list[Stage]:
    """From the input to the output, through as many stages as possible."""
    by_name = {stage.name: stage for stage in found}
    depth: dict[str, int] = {}
    for stage in found:  # rows come in order of computation
        depth[stage.name] = 1 + max((depth[name] for name in stage.inputs), default=-1)
    path = [found[-1]]
    while path[0].inputs:
        path.insert(0, by_name[max(path[0].inputs, key=depth.__getitem__)])
    return path


def paint(axes, rows, marked: Collection[str] = (), size: float = 15) -> list[Stage]:
    """Draws a network into axes.

    Args:
        axes: Where to.
        rows: `models.describe(model, size=(H, W))`.
        marked: Names of layers to frame as changed.
        size: Type size in points.

    Returns:
        The stages, with their places.
    """
    found = stages(rows)
    by_name = {stage.name: stage for stage in found}
    for stage in found:
        for name in stage.inputs:
            _arrow(axes, by_name[name], stage)
    for stage in found:
        if stage.kind in FUSED:
            _sign(axes, stage, size)
        else:
            _box(axes, stage, stage.name in marked)
            _label(axes, stage, CHANGED if stage.name in marked else INK, size)
    axes.set(
        xlim=(-1.25, max(stage.x for stage in found) + 1.5),
        ylim=(min(stage.y for stage in found) - 1.15, 0.6),
        aspect="equal",
    )
    axes.set_axis_off()
    return found


def _sign(axes, stage, size):
    """Where two maps merge: a circle with + or ‖."""
    place = stage.x, stage.y
    look = {"facecolor": "white", "edgecolor": SKIP, "linewidth": 2.5}
    axes.add_patch(Circle(place, 0.19, zorder=3, **look))
    centred(axes, *place, FUSED[stage.kind], fontsize=size + 5, color=SKIP, zorder=4)


def _box(axes, stage, marked):
    thick, tall = stage.thickness, stage.height
    axes.add_patch(
        FancyBboxPatch(
            (stage.x - thick / 2, stage.y - tall / 2),
            thick,
            tall,
            boxstyle="round,pad=0,rounding_size=0.04",
            facecolor=stage.colour,
            edgecolor=CHANGED if marked else INK,
            linewidth=4 if marked else 1.2,
            zorder=3,
        )
    )


def _label(axes, stage, colour, size):
    """Name, tensor size and detail, on the stage's side that is free of arrows."""
    name: dict[str, Any] = {"fontsize": size, "fontweight": "bold", "color": colour}
    rest: dict[str, Any] = {"fontsize": size - 2, "color": colour}
    lines = ["×".join(map(str, stage.shape)), *([stage.detail] if stage.detail else [])]
    if stage.side == "below":
        y = stage.y - stage.height / 2 - 0.08
        axes.text(stage.x, y, stage.name, ha="center", va="top", **name)
        text = "\n".join(["", *lines])  # an empty line where the name stands
        axes.text(stage.x, y, text, ha="center", va="top", linespacing=1.3, **rest)
    else:
        sign, align = (-1, "right") if stage.side == "left" else (1, "left")
        x = stage.x + sign * (stage.thickness / 2 + 0.1)
        axes.text(x, stage.y + 0.03, stage.name, ha=align, va="bottom", **name)
        axes.text(x, stage.y, "\n".join(lines), ha=align, va="top", **rest)


def _arrow(axes, start, end):
    across = abs(start.y - end.y) < 1e-6 and end.x - start.x > 1.5
    skips = across and end.kind in (*FUSED, "Conv2D")
    axes.add_patch(
        FancyArrowPatch(
            (start.x, start.y),
            (end.x, end.y),
            arrowstyle="-|>",
            mutation_scale=18,
            shrinkA=15,
            shrinkB=13 if end.kind in FUSED else 15,
            linewidth=3 if skips else 1.8,
            color=SKIP if skips else QUIET,
            zorder=2,
        )
    )


@checked
def draw_architecture(rows: Rows, title: str, encoder: str = "encoder"):
    """A network with its tensor sizes, and what is fixed or trained (lecture: L23).

    Args:
        rows: `models.describe(model, size=(H, W))`.
        title: The figure's title.
        encoder: What to call the frozen part.
    """
    trained = sum(row.parameters for row in rows if row.trained)
    fixed = sum(row.parameters for row in rows if not row.trained)
    keys = {
        f"{encoder}, fixed: {fixed:,} parameters": Patch(facecolor=FROZEN, edgecolor=INK),
        f"head, trained: {trained:,} parameters": Patch(facecolor=TRAINED, edgecolor=INK),
        "skip connection": Patch(facecolor=SKIP),
    }
    with style():
        figure = new_figure(20, 10.4, title)
        axes = figure.subplots()
        paint(axes, rows)
        patch_legend(figure, keys, fontsize=16)
        low, high = axes.get_ylim()
        left, right = axes.get_xlim()
        y = low + 0.15 * (high - low)
        for share, text in (
            (0.12, "downsampling path:\nwhat? (context)"),
            (0.9, "upsampling path:\nwhere? (location)"),
        ):
            x = left + share * (right - left)
            centred(axes, x, y, text, fontsize=18, color=QUIET, style="italic")
    return figure


@checked
def draw_two_architectures(first: Rows, second: Rows, titles, targets, target_titles, changed):
    """Two networks, one above the other, with what changed marked (lecture: L12).

    Args:
        first: `models.describe(model, size=(H, W))` of the upper network.
        second: The same for the lower one.
        titles: A title for each.
        targets: A picture for each: what it is trained to give, uint8 `(H, W, 3)`.
        target_titles: A title for each target.
        changed: Names of the layers that differ.
    """
    keys = {
        "trained": Patch(facecolor=TRAINED, edgecolor=INK),
        "changed": Patch(facecolor="white", edgecolor=CHANGED, linewidth=4),
    }
    with style():
        title = "From the autoencoder to the FCN: the last layer and the target change"
        figure = new_figure(19, 11.5, title)
        upper, lower = parts_of(figure, 2, 1)
        for number, (half, rows) in enumerate(((upper, first), (lower, second))):
            network, target = half.subplots(1, 2, width_ratios=(1.5, 1))
            paint(network, rows, marked=changed if number else ())
            network.set_title(titles[number], loc="left", fontweight="bold")
            show_image(target, targets[number])
            colour = CHANGED if number else INK
            target.set_title(target_titles[number], color=colour, fontweight="bold")
            for spine in target.spines.values():
                spine.set(color=CHANGED if number else NEUTRAL, linewidth=4 if number else 1)
        patch_legend(figure, keys, fontsize=16)
    return figure
