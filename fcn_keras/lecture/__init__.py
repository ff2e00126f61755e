"""Every figure of the lecture by its identifier, and the page that shows those of the experiment.

`figures` lists them all. They are drawn part by part: `images`, `convolution` and `classifier` (A,
B, L08, L09), `autoencoder`, `sizes` and `upsampling` (C, D), `skips` (E), `road` (F), and
`photographs` (C, F).
"""

from fcn_keras.lecture.autoencoder import changed_layers
from fcn_keras.lecture.figures import EXPERIMENT, FIGURES, draw_figures, left_out, names_of
from fcn_keras.lecture.report import write_report

__all__ = [
    "EXPERIMENT",
    "FIGURES",
    "changed_layers",
    "draw_figures",
    "left_out",
    "names_of",
    "write_report",
]
