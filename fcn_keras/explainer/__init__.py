"""The FCN Explainer: one HTML page in which the networks run (lecture: L01-L25).

`write_page` makes the page of the lecture's experiment or of a model of your own; `show` puts one
chapter into a notebook; `load_head` brings a head that was trained in the page back to Keras.
"""

from fcn_keras.explainer.chapters import CHAPTERS
from fcn_keras.explainer.head import load_head
from fcn_keras.explainer.page import as_html

__all__ = ["CHAPTERS", "as_html", "load_head"]
