"""One look for all figures: large type, few colours, readable from the back of the room."""

import contextlib
import functools
import inspect
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fcn_keras.support import arguments
from fcn_keras.support.files import written_whole

INK = "#1d2330"
QUIET = "#6b7385"
FROZEN = "#7a8fb3"  # grey blue: fixed weights
TRAINED = "#e08a1e"  # orange: weights that learn
NEUTRAL = "#c9cedb"  # no weights at all
SKIP = "#00836c"  # green: a skip connection
CHANGED = "#c2255c"  # crimson: what is different
SERIES = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
)  # Okabe and Ito: told apart by colour-blind readers
NOTEBOOK_DPI = 60
MARKERS = ("o", "s", "^", "D")

RC = {
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


def checked(draw: Callable) -> Callable:
    """For functions that draw: looks at what they are given before they begin.

    A name means the same in all of them, so the names say what to look for.
    """
    signature = inspect.signature(draw)
    tables = {
        name for name, parameter in signature.parameters.items() if parameter.annotation is dict
    }

    @functools.wraps(draw)
    def drawing(*given, **named):
        with contextlib.suppress(TypeError):  # a call with too few or too many is told by Python
            for name, value in signature.bind(*given, **named).arguments.items():
                _look_at(name, value, name in tables)
        return draw(*given, **named)

    return drawing


def _look_at(name, value, table: bool) -> None:
    if table:
        if not isinstance(value, Mapping) or not value:
            wanted = "a table with an entry for each thing to draw"
            raise ValueError(f"Expected {name} to be {wanted}. {arguments.received(name, value)}")
    elif name == "image":
        arguments.array(
            name,
            value,
            (2, 3),
            "(H, W, 3), 0–255",
            "One picture at a time: take image[0] of a batch.",
        )
    elif name in ("images", "label_maps"):
        if not isinstance(value, (list, tuple, np.ndarray)) or not len(value):
            raise ValueError(
                f"Expected {name} to be a list of arrays, at least one. {arguments.received(name, value)}"
            )
        for one in value:
            arguments.array(f"every one of {name}", one, (2, 3), "(H, W) or (H, W, 3)")
    elif name == "labels" and not isinstance(value, (list, tuple)):
        arguments.label_map(name, value)
    elif name == "class_names":
        arguments.names(name, value)
    elif name == "palette":
        arguments.palette(name, value)
    elif name == "losses":
        arguments.array(name, value, 1, "one number per step")
    elif name == "kernel":
        arguments.array(name, value, 2, "(k, k)")
    elif name in ("rows", "first", "second") and not (
        isinstance(value, (list, tuple))
        and value
        and all(hasattr(row, "output_shape") for row in value)
    ):
        raise ValueError(
            f"Expected {name} to be models.describe(model, size=(H, W)). {arguments.received(name, value)}"
        )


class LectureFigure(Figure):
    """A figure that belongs to no window, so nothing has to be closed; a notebook shows it all the same."""

    def _repr_png_(self) -> tuple[bytes, dict]:
        picture = io.BytesIO()
        with style():
            self.savefig(picture, format="png", dpi=NOTEBOOK_DPI, metadata={"Software": None})
        return picture.getvalue(), {"alt": self.alt_text()}

    def alt_text(self) -> str:
        """The figure's title and its panels', for readers who cannot see it."""
        panels = (axis.get_title().replace("\n", " ") for axis in self.get_axes())
        return ": ".join(
            part for part in (self.get_suptitle(), "; ".join(filter(None, panels))) if part
        )


def new_figure(width: float, height: float, title: str) -> Figure:
    """An empty figure of so many inches with a title."""
    figure = LectureFigure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.12, w_pad=0.1)
    figure.suptitle(title, fontweight="bold", color=INK)
    return figure


def show_image(axes, image, title: str = "", **options) -> None:
    """An image without ticks, with a thin frame."""
    axes.imshow(image, **options)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title)
    for spine in axes.spines.values():
        spine.set(visible=True, color=NEUTRAL)


def class_legend(figure, names, palette, columns: int | None = None) -> None:
    """A legend below the figure: one coloured box per class."""
    boxes = [Patch(facecolor=colour / 255, edgecolor=INK, linewidth=0.8) for colour in palette]
    figure.legend(
        boxes, names, loc="outside lower center", ncols=columns or len(names), frameon=False
    )


def save(figure: Figure, path: str | Path, dpi: int = 110) -> None:
    """Writes a figure as a picture file; it appears whole or not at all.

    Args:
        figure: What a function of this package returned.
        path: Where to, such as `figures/L07.png`.
        dpi: Pixels per inch.
    """
    if not isinstance(figure, Figure):
        raise TypeError(
            f"Expected figure to be what a draw_ function returned. {arguments.received('figure', figure)}"
        )
    path = arguments.path("path", path)
    arguments.whole_number("dpi", dpi, 1)
    content = io.BytesIO()  # Pillow, writing to a file itself, passes over a disk that becomes full
    with style():
        # no time stamp or version in the file: the same figure is the same bytes
        metadata = {"Software": None} if path.suffix == ".png" else None
        figure.savefig(content, format=path.suffix[1:] or "png", dpi=dpi, metadata=metadata)
    with written_whole(path) as temporary:
        temporary.write_bytes(content.getvalue())
