"""The FCN Explainer: one HTML page in which the networks run (lecture: L01-L25).

`write_page` writes the page of the lecture's experiment, or of a model of your own:

    contents = fcn.explainer.of_model(fcn.models.load("my.keras"), "my model")
    fcn.explainer.write_page(contents, "my.html")

`show` puts one chapter into a notebook, and `load_head` brings a head that was trained in the page
back to Keras. The page's own sources are in `web/`, what is built of them in `bundle/`.
"""

from fcn_keras.explainer.chapters import CHAPTERS
from fcn_keras.explainer.contents import Contents, of_lecture, of_model
from fcn_keras.explainer.embedding import show
from fcn_keras.explainer.flat import NotInThePage, rounded
from fcn_keras.explainer.head import load_head
from fcn_keras.explainer.page import TooLargeForThePage, write_page

__all__ = [
    "CHAPTERS",
    "Contents",
    "NotInThePage",
    "TooLargeForThePage",
    "load_head",
    "of_lecture",
    "of_model",
    "rounded",
    "show",
    "write_page",
]
