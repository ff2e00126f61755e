"""Figures of parts A and C that need no network: convolution (lecture: L02, L08, L09)."""

import matplotlib.cbook
import numpy as np

from fcn_keras import geometry
from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support import images
from fcn_keras.visualization.convolution import (
    draw_convolution_steps,
    draw_filters,
    draw_matrices,
    draw_there_and_back,
    draw_transposed_steps,
)

FILTERS = {
    "edges, left to right": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "edges, top to bottom": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "blur": np.full((5, 5), 0.04),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
}
STEPS_KERNEL = np.array([[1, 0, 1], [0, 2, 0], [0, 1, 0]])
STEPS_INPUT = np.array(
    [[1, 0, 2, 1, 3], [2, 1, 0, 4, 1], [0, 3, 1, 2, 0], [1, 2, 5, 0, 1], [4, 0, 1, 1, 2]]
)
STAMPS_INPUT = np.array([[1, 2, 1], [2, 3, 1], [1, 2, 2]])
# It sums to 2: with stride 2, going down doubles the brightness and going up halves it.
BILINEAR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 32


def photograph() -> np.ndarray:
    """Rear Admiral Grace Hopper's face in grey, float `(160, 160)`, 0–255.

    Source: an official photograph of the US Navy (a work of the United States government), which
    comes with matplotlib.
    """
    file = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    picture = images.read_image(file)
    grey = picture[20:340, 90:410].mean(axis=-1)
    return grey.reshape(160, 2, 160, 2).mean(axis=(1, 3))  # every 2 × 2 pixels become one


def filters(experiment: Experiment):
    """L02: hand-made filters on a photograph. Needs nothing of the experiment."""
    image = photograph()
    filtered = {}
    for name, kernel in FILTERS.items():
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        filtered[name] = kernel, np.einsum("hwij,ij->hw", windows, kernel)
    return draw_filters(image, filtered)


def convolution_steps(experiment: Experiment):
    """L08: Conv2D step by step, VALID and SAME, stride 1 and 2."""
    return draw_convolution_steps(STEPS_INPUT, STEPS_KERNEL)


def transposed_steps(experiment: Experiment):
    """L09: Conv2DTranspose step by step, VALID and SAME, stride 1 and 2."""
    return draw_transposed_steps(STAMPS_INPUT, STEPS_KERNEL)


def matrices(experiment: Experiment):
    """L09: the matrix of a convolution, and its transpose."""
    size = (4, 4)
    return draw_matrices(STEPS_KERNEL, geometry.convolution_matrix(STEPS_KERNEL, size), size)


def there_and_back(experiment: Experiment):
    """L09: convolution and its transpose in both orders; neither gives back what went in."""
    x = photograph()[50:114, 48:112]
    y = x.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    matrix = geometry.convolution_matrix(BILINEAR, x.shape, stride=2, padding="same")

    def down(picture):
        return (matrix @ picture.ravel()).reshape(y.shape)

    def up(picture):
        return (matrix.T @ picture.ravel()).reshape(x.shape)

    first = {"x": x, "A x, at half brightness": down(x) / 2, "Aᵀ A x": up(down(x))}
    second = {"y": y, "Aᵀ y, at double brightness": 2 * up(y), "A Aᵀ y": down(up(y))}
    return draw_there_and_back(
        {"down by A, then up by Aᵀ": first, "up by Aᵀ, then down by A": second}
    )
