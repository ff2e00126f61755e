"""Arrays in, matplotlib figure out.

Nothing here knows a model: networks come as rows of `models.describe`.
"""

from fcn_keras.visualization.architecture import draw_architecture, draw_two_architectures
from fcn_keras.visualization.arithmetic import (
    draw_overlap,
    draw_positions,
    draw_receptive_fields,
    draw_upper_bounds,
)
from fcn_keras.visualization.curves import draw_loss
from fcn_keras.visualization.feature_maps import draw_two_paths
from fcn_keras.visualization.mistakes import (
    MISTAKE_COLOURS,
    mistake_legend,
    paint_mistakes,
    paint_wrong,
)
from fcn_keras.visualization.pictures import (
    colourise,
    draw_one_hot,
    draw_regions,
    draw_results,
    draw_strides,
    overlay,
)
from fcn_keras.visualization.style import save

__all__ = [
    "MISTAKE_COLOURS",
    "colourise",
    "draw_architecture",
    "draw_loss",
    "draw_one_hot",
    "draw_overlap",
    "draw_positions",
    "draw_receptive_fields",
    "draw_regions",
    "draw_results",
    "draw_strides",
    "draw_two_architectures",
    "draw_two_paths",
    "draw_upper_bounds",
    "mistake_legend",
    "overlay",
    "paint_mistakes",
    "paint_wrong",
    "save",
]
