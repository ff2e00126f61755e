"""Every figure of the lecture by its identifier, and the page that shows the experiment's.

One module for each part of the lecture: `images` (A, B), `autoencoder` (C, D), `skips` (E), `road` (F); `figures` lists them all.
"""

from fcn_keras.lecture.autoencoder import changed_layers
from fcn_keras.lecture.figures import EXPERIMENT, FIGURES, draw_figures, names_of
from fcn_keras.lecture.report import write_report

__all__ = ["EXPERIMENT", "FIGURES", "changed_layers", "draw_figures", "names_of", "write_report"]
