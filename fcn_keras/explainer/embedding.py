"""One chapter in a notebook's cell: alone, offline, and kept in the executed notebook."""

import html
from typing import Literal

from fcn_keras.explainer.chapters import CHAPTERS
from fcn_keras.explainer.contents import without_network
from fcn_keras.explainer.page import as_html
from fcn_keras.support.kinds import checked

HEIGHT = 680  # pixels


class Embedded:
    """A page that a notebook shows below a cell."""

    def __init__(self, page: str, title: str, height: int):
        self.page, self.title, self.height = page, title, height

    def _repr_html_(self) -> str:
        # `sandbox`: the page runs its scripts, and reaches neither the notebook nor a network
        return (
            f'<iframe title="{html.escape(self.title)}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{self.height}px;border:1px solid #c9cedb" '
            f'srcdoc="{html.escape(self.page)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f'the chapter "{self.title}" of the FCN Explainer, as a page'


@checked
def show(
    chapter: Literal["review", "convolution", "tasks", "from-cae", "transposed"],
    height: int = HEIGHT,
) -> Embedded:
    """Shows one chapter of the explainer below a notebook's cell, with nothing to install or load.

    Only chapters that need no network can stand alone. The others are in the whole page, which
    `make lecture` writes to `figures/explainer.html`.

    Args:
        chapter: Its name in the page's address.
        height: Of the frame, in pixels.

    Returns:
        What a notebook displays; about 200 kB.

    Raises:
        ValueError: If there is no such chapter, or it needs a network.

    Example:
        >>> fcn.explainer.show("transposed")
        the chapter "Transposed convolution" of the FCN Explainer, as a page
    """
    contents = without_network()
    title = next(entry.title for entry in CHAPTERS if entry.id == chapter)
    contents.title, contents.only = title, chapter
    return Embedded(as_html(contents), title, height)
