"""Pictures that Pillow cannot read whole: more than 8 bits, or other bands than RGB.

They need `tifffile` and `imagecodecs`: `python -m pip install -e .[deep]`.
"""

import importlib
from pathlib import Path

import numpy as np

from fcn_keras.support.fitness import Unfit


def read_bands(path: Path, format: str) -> np.ndarray:
    """All bands of a file of format TIFF or PNG as they are stored, `(H, W, bands)`.

    Raises:
        ModuleNotFoundError: If what reads them is not installed.
        ValueError: If it is damaged.
    """
    tifffile, imagecodecs = _module("tifffile"), _module("imagecodecs")
    try:
        if format == "PNG":
            pixels, axes = imagecodecs.png_decode(path.read_bytes()), "YXS"
        else:
            with tifffile.TiffFile(path) as file:
                pixels, axes = file.pages[0].asarray(), file.pages[0].axes
    except Exception as error:  # each codec has errors of its own
        raise ValueError(f"{path} could not be read: {error}") from error
    return np.moveaxis(pixels, 0, -1) if axes[0] == "S" else np.atleast_3d(pixels)


def _module(name: str):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"Files of more bits or bands need {name}, which is not installed. In the project's "
            "folder: python -m pip install -c constraints.txt -e .[deep]"
        ) from None


def as_bytes(path: Path, pixels: np.ndarray, scale: tuple[float, float] | None) -> np.ndarray:
    """Values between the two of `scale` as 0–255; uint8.

    Raises:
        Unfit: If a value is not a number.
    """
    if scale is None:
        return pixels.astype("uint8")
    black, white = scale
    if not np.isfinite(pixels).all():
        advice = "Fill such places, for example with np.nan_to_num(pixels)."
        raise Unfit("mode", path, "have a number in every pixel", "NaN or infinity", advice)
    shares = (pixels.astype("float32") - black) / (white - black)
    return np.rint(255 * np.clip(shares, 0, 1)).astype("uint8")
