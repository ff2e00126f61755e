"""One look for all figures: large type, few colours, readable from the back of the room."""

import contextlib
import io
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import ConnectionPatch, Patch, Rectangle

from fcn_keras.support import arguments
from fcn_keras.support.files import written_whole
from fcn_keras.support.kinds import Count, File, checked

INK = "#1d2330"
QUIET = "#6b7385"
FROZEN = "#7a8fb3"  # grey blue: fixed weights
TRAINED = "#e08a1e"  # orange: weights that learn
NEUTRAL = "#c9cedb"  # no weights at all
SKIP = "#00836c"  # green: a skip connection
CHANGED = "#c2255c"  # crimson: what is different
# Okabe and Ito's colours: colour-blind readers can tell them apart
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
NOTEBOOK_DPI = 60
MARKERS = ("o", "s", "^", "D")
BELOW: dict[str, Any] = {"loc": "outside lower center", "frameon": False}  # where legends stand

RC: dict[Any, Any] = {
    "font.size": 15,
    "axes.titlesize": 17,
    "axes.labelsize": 15,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "legend.fontsize": 14,
    "figure.titlesize": 21,
    "axes.edgecolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "savefig.facecolor": "white",
    "image.interpolation": "nearest",
}


@contextlib.contextmanager
def style():
    """Draws with the package's look inside the block, and leaves the user's settings alone."""
    with mpl.rc_context(RC):
        yield


class LectureFigure(Figure):
    """A figure without a window: nothing has to be closed, and a notebook still shows it."""

    def _repr_png_(self) -> tuple[bytes, dict]:
        picture = io.BytesIO()
        with style():
            self.savefig(picture, format="png", dpi=NOTEBOOK_DPI, metadata={"Software": None})
        return picture.getvalue(), {"alt": self.alt_text()}

    def alt_text(self) -> str:
        """The titles of the figure and of its panels, for readers who cannot see it."""
        panels = (axis.get_title().replace("\n", " ") for axis in self.get_axes())
        return ": ".join(
            part for part in (self.get_suptitle(), "; ".join(filter(None, panels))) if part
        )


def new_figure(width: float, height: float, title: str, **spaces: float) -> LectureFigure:
    """An empty figure with a title.

    Args:
        width, height: In inches.
        title: Stands above everything.
        spaces: Between the panels, as matplotlib's constrained layout takes them.
    """
    figure = LectureFigure(figsize=(width, height), layout="constrained")
    engine = cast(ConstrainedLayoutEngine, figure.get_layout_engine())
    pads: dict[str, Any] = {"h_pad": 0.12, "w_pad": 0.1, **spaces}
    engine.set(**pads)
    figure.suptitle(title, fontweight="bold", color=INK)
    return figure


def parts_of(figure, rows: int, columns: int, **options) -> list:
    """The subfigures of a grid as a list, row by row."""
    return list(np.ravel(figure.subfigures(rows, columns, **options)))


def show_image(axes, image, title: str = "", **options):
    """An image without ticks, with a thin frame. Returns what matplotlib's `imshow` returns."""
    shown = axes.imshow(image, **options)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title)
    for spine in axes.spines.values():
        spine.set(visible=True, color=NEUTRAL)
    return shown


def centred(axes, x: float, y: float, text: str, **options):
    """Text with its centre at a place."""
    return axes.text(x, y, text, **{"ha": "center", "va": "center", **options})


def frame(axes, corner: tuple[float, float], size: tuple[float, float], colour, **options):
    """An empty rectangle. `corner` is (left, top), `size` is (width, height)."""
    look = {"fill": False, "edgecolor": colour, "linewidth": 4, **options}
    return axes.add_patch(Rectangle(corner, *size, **look))


def arrow_between(figure, start, end, places, **options):
    """An arrow from one panel to another.

    Args:
        figure: Which both panels belong to.
        start, end: The axes of the two panels.
        places: Where it begins and ends, each (x, y) as a share of the panel's width and height.
        options: Of matplotlib's `ConnectionPatch`.
    """
    first, last = places
    look = {"coordsA": "axes fraction", "arrowstyle": "-|>", **options}
    figure.add_artist(ConnectionPatch(first, last, axesA=start, axesB=end, **look))


def class_legend(figure, names: Collection[str], palette, columns: int | None = None) -> None:
    """A legend below the figure: one coloured box per class."""
    boxes = [Patch(facecolor=colour / 255, edgecolor=INK, linewidth=0.8) for colour in palette]
    figure.legend(boxes, names, ncols=columns or len(names), **BELOW)


def patch_legend(figure, patches: dict[str, Patch], **options) -> None:
    """A legend below the figure: one box per text."""
    figure.legend(patches.values(), patches.keys(), ncols=len(patches), **BELOW, **options)


@checked
def save(figure: Figure, path: File, dpi: Count = 110) -> None:
    """Writes a figure as a picture file. The file appears whole or not at all.

    Args:
        figure: What a function of this package returned.
        path: Where to, such as `figures/L07.png`.
        dpi: Pixels per inch.

    Raises:
        TypeError: If `figure` is something else.
    """
    if not isinstance(figure, Figure):
        raise TypeError(
            "Expected figure to be what a draw_ function returned. "
            f"{arguments.received('figure', figure)}"
        )
    # Pillow does not report a disk that fills up while it writes: it writes to memory instead
    content = io.BytesIO()
    suffix = Path(path).suffix
    with style():
        # no time stamp and no version in the file: the same figure gives the same bytes
        metadata = {"Software": None} if suffix == ".png" else None
        figure.savefig(content, format=suffix[1:] or "png", dpi=dpi, metadata=metadata)
    with written_whole(path) as temporary:
        temporary.write_bytes(content.getvalue())
