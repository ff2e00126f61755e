"""A film for a notebook: moves without a running kernel and without a network."""

import hashlib
import html
import re

import matplotlib as mpl
from matplotlib.animation import FuncAnimation

KEYS = {  # matplotlib's buttons draw their signs with a font from the web: these are in every font
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
    """Pictures one after the other, with buttons to stop and go back; the same pictures give the same bytes.

    Args:
        title: What it shows; also the alternative text, and what a terminal prints.
        figure: The matplotlib figure that changes.
        draw: Function of one of `frames` that changes it.
        frames: What `draw` is called with, one after the other; or how many, to count from 0.
        interval: Milliseconds for each.
        dpi: Of the pictures; they all go into the notebook.
    """

    def __init__(self, title: str, figure, draw, frames, interval: int = 400, dpi: int = 50):
        self.title = title
        with mpl.rc_context({"savefig.dpi": dpi, "figure.dpi": dpi}):
            moving = FuncAnimation(
                figure, draw, frames=frames, init_func=lambda: None, interval=interval
            )
            page = moving.to_jshtml(fps=1000 / interval, embed_frames=True, default_mode="once")
        page = re.sub(r"<link[^>]*font-awesome[^>]*>", "", page)
        for name, sign in KEYS.items():
            page = page.replace(f'<i class="fa {name}"></i>', sign)
        random_id = re.search(r'id="_anim_img(\w+)"', page)[
            1
        ]  # matplotlib draws a new one each time
        page = page.replace(
            random_id, hashlib.sha256(page.replace(random_id, "").encode()).hexdigest()[:16]
        )
        first = re.search(r'frames\[0\] = "([^"]+)"', page)[1].replace(
            "\\\n", ""
        )  # seen where no script runs
        self._html = page.replace(
            "<img id=", f'<img alt="{html.escape(title)}" src="{first}" id=', 1
        )

    def __repr__(self) -> str:
        return f"Film: {self.title}"

    def _repr_html_(self) -> str:
        return self._html
