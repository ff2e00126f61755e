"""Picture files as other programs write them, which Pillow itself cannot write."""

import importlib.util
import struct
import zlib

import numpy as np
import pytest

needs_tifffile = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("tifffile", "imagecodecs"))),
    reason="the extra [deep] is not installed",
)


def png(path, samples, bits, colours=0, transparent=None):
    """A PNG of 1 to 16 bits.

    Args:
        path: Where to.
        samples: `(H, W)`, or `(H, W, bands)`.
        bits: Of each band.
        colours: PNG's type: 0 grey, 2 RGB, 4 grey and opacity, 6 RGB and opacity.
        transparent: The sample that is transparent (tRNS).
    """
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    if bits == 16:
        lines = [row.astype(">u2").tobytes() for row in rows]
    else:
        places = np.arange(bits - 1, -1, -1)
        lines = [np.packbits((row[:, None] >> places & 1).astype(bool)).tobytes() for row in rows]
    head = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    clear = b"" if transparent is None else _chunk(b"tRNS", struct.pack(">H", transparent))
    data = _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines)))
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head)
    path.write_bytes(start + clear + data + _chunk(b"IEND", b""))


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(path, samples, photometric=1, extra=()):
    """An uncompressed TIFF in one piece.

    Args:
        path: Where to.
        samples: `(H, W, bands)` of any type.
        photometric: 0 grey with white as 0, 1 grey, 2 RGB.
        extra: What the bands after the colours are: 0 anything, 2 opacity.
    """
    height, width, bands = samples.shape
    bits, kind = 8 * samples.dtype.itemsize, {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    tags = [
        (256, [width]),
        (257, [height]),
        (258, [bits] * bands),
        (259, [1]),
        (262, [photometric]),
        (273, [8]),
        (277, [bands]),
        (278, [height]),
        (279, [samples.nbytes]),
        *([(338, list(extra))] if extra else []),
        (339, [kind] * bands),
    ]
    entries, values, place = b"", b"", 8 + samples.nbytes
    for tag, numbers in tags:
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(numbers) > 1:  # an entry has room for one
            packed, values = struct.pack("<I", place + len(values)), values + packed
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + packed
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    start = struct.pack("<2sHI", b"II", 42, place + len(values))
    path.write_bytes(start + np.ascontiguousarray(samples).tobytes() + values + directory)
