"""Labelling tile by tile against whole: time per pixel and memory, on a large uncompressed TIFF.

    python benchmarks/tiled.py                    # 4,000 x 4,000: a minute
    python benchmarks/tiled.py --side 20000       # 400 million pixels: ten minutes

The whole picture has 1,536 x 1,536 pixels, the most that need no more memory than a tile. Memory is
the peak of anonymous memory (what the process asked for, without mapped files), above what the
process had when the model was loaded and had run once.
"""

import argparse
import struct
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import PeakMemory, keep, median_seconds

import fcn_keras as fcn

WHOLE = 1536


def write_tiff(path, side):
    """Writes a TIFF of drawn scenes, side by side.

    One strip is in memory at a time, so the file can have any size.
    """
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
    entries = [  # tag, type (3: 16 bits, 4: 32 bits), count, value or offset
        (256, 4, 1, side),  # width
        (257, 4, 1, side),  # height
        (258, 3, 3, 134),  # bits per sample: three numbers, at the end of this header
        (259, 3, 1, 1),  # not compressed
        (262, 3, 1, 2),  # RGB
        (273, 4, 1, 140),  # where the pixels begin
        (277, 3, 1, 3),  # samples per pixel
        (278, 4, 1, side),  # rows in the strip
        (279, 4, 1, 3 * side * side),  # bytes in the strip
        (284, 3, 1, 1),  # the samples of a pixel stand together
    ]
    start = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return start + body + bytes(4) + struct.pack("<3H", 8, 8, 8)


def tile_size(text):
    return text if text == "auto" else int(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=4000)
    parser.add_argument("--tile", default="auto", type=tile_size)
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
    speed = untiled / tiled  # relative to the whole picture
    print(f"{options.side} x {options.side} pixels, tile by tile: {seconds:.0f} s", end=", ")
    print(f"{1e6 * tiled:.2f} s per megapixel")
    print(f"{WHOLE} x {WHOLE} pixels, whole: {1e6 * untiled:.2f} s per megapixel")
    print(f"tile by tile has {speed:.2f} times the speed of the whole picture")
    print(f"peak anonymous memory above the idle process: {memory.gib:.2f} GiB")
    keep("tiled", side=options.side, seconds=seconds, of_whole_speed=speed, gib=memory.gib)
