"""A film for a notebook: it plays without a running kernel and without a network."""

import hashlib
import html
import re
from typing import Any

import matplotlib as mpl
from matplotlib.animation import FuncAnimation

KEYS = {  # matplotlib's buttons draw their signs with a font from the web; every font has these
    "fa-fast-backward": "|◀",
    "fa-step-backward": "◂",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "||",
    "fa-play": "▶",
    "fa-step-forward": "▸",
    "fa-fast-forward": "▶|",
    "fa-minus": "−",
    "fa-plus": "+",
}


class Film:
    """Pictures shown one after the other, with buttons to stop and to go back.

    The same pictures give the same bytes.

    Args:
        title: What the film shows; also its alternative text, and what a terminal prints.
        figure: The matplotlib figure that changes.
        draw: Function that takes one of `frames` and changes the figure.
        frames: The arguments for `draw`, in order; or how many there are, to count from 0.
        interval: Milliseconds per picture.
        dpi: Resolution of the pictures, which all go into the notebook.
    """

    def __init__(self, title: str, figure, draw, frames, interval: int = 400, dpi: int = 50):
        self.title = title
        with mpl.rc_context({"savefig.dpi": dpi, "figure.dpi": dpi}):
            moving = FuncAnimation(
                figure, draw, frames=frames, init_func=lambda: None, interval=interval
            )
            fps: Any = 1000 / interval  # matplotlib takes any number, though it declares an int
            page = moving.to_jshtml(fps=fps, embed_frames=True, default_mode="once")
        self._html = _for_a_notebook(page, title)

    def __repr__(self) -> str:
        return f"Film: {self.title}"

    def _repr_html_(self) -> str:
        return self._html


def _for_a_notebook(page: str, title: str) -> str:
    """matplotlib's page without anything from the web, and the same at every run."""
    page = re.sub(r"<link[^>]*font-awesome[^>]*>", "", page)
    for name, sign in KEYS.items():
        page = page.replace(f'<i class="fa {name}"></i>', sign)
    random_id = _found(r'id="_anim_img(\w+)"', page)  # matplotlib draws a new one each time
    digest = hashlib.sha256(page.replace(random_id, "").encode()).hexdigest()
    page = page.replace(random_id, digest[:16])
    # the first picture is shown where no script runs
    first = _found(r'frames\[0\] = "([^"]+)"', page).replace("\\\n", "")
    return page.replace("<img id=", f'<img alt="{html.escape(title)}" src="{first}" id=', 1)


def _found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    if match is None:
        raise RuntimeError(
            f"Expected {pattern} in matplotlib's film. Received: none, matplotlib {mpl.__version__}"
        )
    return match[1]
