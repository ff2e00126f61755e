"""Tile by tile against whole: speed for each pixel, and memory, on a large uncompressed TIFF.

    python benchmarks/tiled.py                    # 4,000 x 4,000: a minute
    python benchmarks/tiled.py --side 20000       # 400 million pixels: ten minutes

The whole is 1,536 x 1,536 pixels, the largest that needs no more memory than a tile. Memory is
anonymous memory (what the process asked for, without mapped files), at its highest, above what the
process had when the model was loaded and had run once.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import PeakMemory, keep, median_seconds

import fcn_keras as fcn

WHOLE = 1536


def write_tiff(path, side):
    """Drawn scenes side by side, written strip by strip: a TIFF of any size without its size in memory."""
    scenes = fcn.datasets.road_scenes("train", count=40)
    strip = np.concatenate([scenes[n][0] for n in range(min(40, -(-side // 576)))], axis=1)
    strip = np.tile(strip, (1, -(-side // strip.shape[1]), 1))[:, :side]
    header = tiff_header(side)
    with open(path, "wb") as file:
        file.write(header)
        for top in range(0, side, len(strip)):
            file.write(np.roll(strip, 97 * top, axis=1)[: side - top].tobytes())


def tiff_header(side) -> bytes:
    """Baseline TIFF, RGB, 8 bits, one strip."""
    entries = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 140),
               (277, 3, 1, 3), (278, 4, 1, side), (279, 4, 1, 3 * side * side), (284, 3, 1, 1)]  # fmt: skip
    body = b"".join(
        np.array([tag, kind], "<u2").tobytes() + np.array([count, value], "<u4").tobytes()
        for tag, kind, count, value in entries
    )
    head = (
        b"II*\0"
        + np.array([8], "<u4").tobytes()
        + np.array([len(entries)], "<u2").tobytes()
        + body
        + bytes(4)
    )
    return head + np.array([8, 8, 8], "<u2").tobytes()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=4000)
    parser.add_argument(
        "--tile", default="auto", type=lambda text: text if text == "auto" else int(text)
    )
    options = parser.parse_args()
    model = fcn.models.lecture_fcn(2, width=32, skip_width=32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "big.tif")
        write_tiff(path, options.side)
        image = fcn.images.open_in_place(path)
        assert isinstance(image, np.memmap) and image.shape == (options.side, options.side, 3)
        whole = np.array(image[:WHOLE, :WHOLE])
        fcn.prediction.segment(model, whole[:256, :256])
        with PeakMemory() as memory:
            start = time.perf_counter()
            fcn.prediction.segment_tiled(model, path, Path(folder, "labels.npy"), tile=options.tile)
            seconds = time.perf_counter() - start
        tiled = seconds / options.side**2
        untiled = median_seconds(lambda: fcn.prediction.segment(model, whole), 5) / WHOLE**2
    print(
        f"{options.side} x {options.side} pixels: {seconds:.0f} s, {1e6 * tiled:.2f} s a megapixel"
    )
    print(
        f"whole, {WHOLE} x {WHOLE}: {1e6 * untiled:.2f} s a megapixel; tiled runs at {untiled / tiled:.2f} of its speed"
    )
    print(f"anonymous memory above the idle process: {memory.gib:.2f} GiB")
    keep(
        "tiled", side=options.side, seconds=seconds, of_whole_speed=untiled / tiled, gib=memory.gib
    )
