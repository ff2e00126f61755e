"""Networks drawn from the rows of `models.describe`, so that a figure cannot disagree with its model (lecture: L12, L23).

Stages stand in the order in which they compute, from left to right, and one step lower for every
halving of height and width: the encoder walks down, the decoder climbs up again, and a skip
connection is a straight line across the valley.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, field

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch

from fcn_keras.visualization.style import (
    CHANGED,
    FROZEN,
    INK,
    NEUTRAL,
    QUIET,
    SKIP,
    TRAINED,
    checked,
    new_figure,
    show_image,
    style,
)

FUSED = {"Add": "+", "Concatenate": "‖"}
BARE = ("InputLayer", "MaxPooling2D")
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


def stages(rows) -> list[Stage]:
    """Gathers rows into what is worth a box: convolutions before a pooling join it, cropping and scaling vanish."""
    readers = {row.name: [other for other in rows if row.name in other.inputs] for row in rows}
    shown = {}
    for row in rows:
        detail = row.detail
        if row.kind == "MaxPooling2D":
            absorbed = _convolutions_before(row, rows)
            detail = f"{len(absorbed)} conv + pool" if absorbed else "pool"
            parameters = sum(other.parameters for other in absorbed)
            trained = any(other.trained for other in absorbed)
        elif row.kind == "Conv2D" and _ends_in_pooling(row, readers):
            continue
        elif row.kind in ("InputLayer", "Conv2D", "Conv2DTranspose", *FUSED):
            parameters, trained = row.parameters, row.trained
        else:
            continue
        shown[row.name] = Stage(row.name, row.kind, row.output_shape, trained, parameters, detail)
    by_name = {row.name: row for row in rows}
    for stage in shown.values():
        stage.inputs = [
            name
            for given in by_name[stage.name].inputs
            for name in _nearest_shown(given, by_name, shown)
        ]
    return _placed(list(shown.values()))


def _convolutions_before(pool, rows):
    by_name = {row.name: row for row in rows}
    found = []
    row = by_name[pool.inputs[0]]
    while row.kind == "Conv2D":
        found.append(row)
        row = by_name[row.inputs[0]]
    return found


def _ends_in_pooling(row, readers) -> bool:
    while row.kind == "Conv2D" and len(readers[row.name]) == 1:
        row = readers[row.name][0]
    return row.kind == "MaxPooling2D"


def _nearest_shown(name, by_name, shown):
    """The stage that a layer stands for: itself, its block's pooling's input, or what a vanished layer reads."""
    if name in shown:
        return [name]
    row = by_name[name]
    # a crop reads (map, reference): only the map is an arrow
    first = row.inputs[:1]
    return [stage for given in first for stage in _nearest_shown(given, by_name, shown)]


def _placed(found: list[Stage]) -> list[Stage]:
    """x: order along the longest path; what lies beside it sits half-way between its neighbours. y: halvings."""
    by_name = {stage.name: stage for stage in found}
    depth = {}
    for stage in found:  # rows come in order of computation
        depth[stage.name] = 1 + max((depth[name] for name in stage.inputs), default=-1)
    path = [found[-1]]
    while path[0].inputs:
        path.insert(0, by_name[max(path[0].inputs, key=depth.get)])
    for stage in found:
        stage.y = -LEVEL_HEIGHT * math.log2(found[0].shape[0] / stage.shape[0])
    x = 0.0
    for stage, following in zip(path, [*path[1:], None], strict=True):
        stage.x = x
        x += 0.9 if stage.kind in FUSED else 1.25
        if following and following.kind in FUSED and stage.kind == "Conv2DTranspose":
            stage.y -= (
                0.49 * LEVEL_HEIGHT
            )  # below the skip, which arrives at the same "+" from the left
            x -= 0.25
        elif following and following.y < stage.y:
            stage.side = "left"
        if stage.y > min(other.y for other in found) and stage.side != "left":
            stage.side = "right"
    on_path = {stage.name for stage in path}
    for stage in found:
        if stage.name not in on_path:
            reader = next(other for other in found if stage.name in other.inputs)
            stage.x = (by_name[stage.inputs[0]].x + reader.x) / 2
    return found


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
        _box(axes, stage, stage.name in marked, size)
    axes.set(
        xlim=(-1.25, max(stage.x for stage in found) + 1.5),
        ylim=(min(stage.y for stage in found) - 1.15, 0.6),
        aspect="equal",
    )
    axes.set_axis_off()
    return found


def _box(axes, stage, marked, size):
    edge = dict(edgecolor=CHANGED if marked else INK, linewidth=4 if marked else 1.2, zorder=3)
    if stage.kind in FUSED:
        axes.add_patch(
            Circle(
                (stage.x, stage.y),
                0.19,
                facecolor="white",
                **(edge | {"edgecolor": SKIP, "linewidth": 2.5}),
            )
        )
        axes.text(
            stage.x,
            stage.y,
            FUSED[stage.kind],
            ha="center",
            va="center",
            fontsize=size + 5,
            color=SKIP,
            zorder=4,
        )
        return
    height, width, channels = stage.shape
    thick = 0.10 + 0.055 * math.log2(channels + 1)  # more channels, thicker
    tall = 0.30 + 0.13 * math.log2(height + 1) / 2  # more rows, taller
    axes.add_patch(
        FancyBboxPatch(
            (stage.x - thick / 2, stage.y - tall / 2),
            thick,
            tall,
            boxstyle="round,pad=0,rounding_size=0.04",
            facecolor=stage.colour,
            **edge,
        )
    )
    colour = CHANGED if marked else INK
    lines = [f"{height}×{width}×{channels}", *([stage.detail] if stage.detail else [])]
    if stage.side == "below":
        y = stage.y - tall / 2 - 0.08
        axes.text(
            stage.x,
            y,
            stage.name,
            ha="center",
            va="top",
            fontsize=size,
            fontweight="bold",
            color=colour,
        )
        lines = ["", *lines]  # an empty line where the name stands
        axes.text(
            stage.x,
            y,
            "\n".join(lines),
            ha="center",
            va="top",
            fontsize=size - 2,
            linespacing=1.3,
            color=colour,
        )
        return
    sign, align = (-1, "right") if stage.side == "left" else (1, "left")
    x = stage.x + sign * (thick / 2 + 0.1)
    axes.text(
        x,
        stage.y + 0.03,
        stage.name,
        ha=align,
        va="bottom",
        fontsize=size,
        fontweight="bold",
        color=colour,
    )
    axes.text(x, stage.y, "\n".join(lines), ha=align, va="top", fontsize=size - 2, color=colour)


def _arrow(axes, start, end):
    skips = (
        abs(start.y - end.y) < 1e-6
        and end.x - start.x > 1.5
        and (end.kind in FUSED or end.kind == "Conv2D")
    )
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
def draw_architecture(rows, title: str, encoder: str = "encoder"):
    """A network with tensor sizes, what is fixed and what is trained (lecture: L23).

    Args:
        rows: `models.describe(model, size=(H, W))`.
        title: The figure's title.
        encoder: What to call the frozen part.
    """
    with style():
        figure = new_figure(20, 10.4, title)
        axes = figure.subplots()
        paint(axes, rows)
        trained = sum(row.parameters for row in rows if row.trained)
        fixed = sum(row.parameters for row in rows if not row.trained)
        keys = [
            (Patch(facecolor=FROZEN, edgecolor=INK), f"{encoder}, fixed: {fixed:,} parameters"),
            (Patch(facecolor=TRAINED, edgecolor=INK), f"head, trained: {trained:,} parameters"),
            (Patch(facecolor=SKIP), "skip connection"),
        ]
        figure.legend(
            *zip(*keys, strict=True),
            loc="outside lower center",
            ncols=3,
            frameon=False,
            fontsize=16,
        )
        low, high = axes.get_ylim()
        left, right = axes.get_xlim()
        note = dict(fontsize=18, color=QUIET, ha="center", va="center", style="italic")
        axes.text(
            left + 0.12 * (right - left),
            low + 0.15 * (high - low),
            "downsampling path:\nwhat? (context)",
            **note,
        )
        axes.text(
            left + 0.9 * (right - left),
            low + 0.15 * (high - low),
            "upsampling path:\nwhere? (location)",
            **note,
        )
    return figure


@checked
def draw_two_architectures(first, second, titles, targets, target_titles, changed):
    """Two networks, one above the other, with what changed marked (lecture: L12).

    Args:
        first: `models.describe(model, size=(H, W))` of the upper network.
        second: The same for the lower one.
        titles: A title for each.
        targets: A picture for each: what it is trained to give, uint8 `(H, W, 3)`.
        target_titles: A title for each target.
        changed: Names of the layers that differ.
    """
    with style():
        figure = new_figure(
            19, 11.5, "From the autoencoder to the FCN: the last layer and the target change"
        )
        halves = figure.subfigures(2, 1)
        rows_of = (first, second)
        for number, half in enumerate(halves):
            network, target = half.subplots(1, 2, width_ratios=(1.5, 1))
            paint(network, rows_of[number], marked=changed if number else (), size=15)
            network.set_title(titles[number], loc="left", fontweight="bold")
            show_image(target, targets[number])
            target.set_title(
                target_titles[number], color=CHANGED if number else INK, fontweight="bold"
            )
            for spine in target.spines.values():
                spine.set(color=CHANGED if number else NEUTRAL, linewidth=4 if number else 1)
        keys = [
            (Patch(facecolor=TRAINED, edgecolor=INK), "trained"),
            (Patch(facecolor="white", edgecolor=CHANGED, linewidth=4), "changed"),
        ]
        figure.legend(
            *zip(*keys, strict=True),
            loc="outside lower center",
            ncols=2,
            frameon=False,
            fontsize=16,
        )
    return figure
