"""How a picture file stores its pixels: how many bands, how many bits each, which number is white.

Pillow opens many files as 8-bit RGB whatever they hold: of 16 bits it keeps the high byte, of more
bands the first three, and grey values of 4 bits become 0–255. So the file itself is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# TIFF's tags
BITS, PHOTOMETRIC, SAMPLES, EXTRA, FORMAT = 258, 262, 277, 338, 339
COLOURS_OF = {2: 3, 5: 4, 6: 3, 8: 3}  # photometric: RGB, CMYK, YCbCr, Lab; the others have 1
WHOLE, SIGNED, FLOATING = "", "signed", "floating-point"
FORMATS = {1: WHOLE, 2: SIGNED, 3: FLOATING}
# Pillow's names of how a sample is packed, such as RGB;16B, L;4, I;12
PACKED = {"1": 1, "2": 2, "4": 4, "12": 12, "16": 16, "32": 32}


@dataclass(frozen=True)
class Samples:
    """The numbers that a file has for each pixel."""

    bands: int
    bits: int  # of each band
    surplus: int = 0  # bands beside the colours and their opacity, such as near infrared
    kind: str = WHOLE  # or SIGNED, or FLOATING
    white: int = 255  # the number that is shown as white, where there are 8 bits or fewer
    zero_is_white: bool = False

    @property
    def deep(self) -> bool:
        """Whether they must be scaled to become 0–255."""
        return self.bits > 8 or self.kind == FLOATING

    def __str__(self) -> str:
        bands = "1 band" if self.bands == 1 else f"{self.bands} bands"
        return f"{bands} of {self.bits} bits{self.kind and ', '}{self.kind}"


def of_tiff(tags: Mapping) -> Samples:
    """What a TIFF's tags say.

    Raises:
        LookupError, TypeError, ValueError: If they are damaged.
    """
    photometric, bands = tags.get(PHOTOMETRIC, 0), tags.get(SAMPLES, 1)
    bits = max(_several(tags.get(BITS, 1)))
    opacity = [kind for kind in _several(tags.get(EXTRA, ())) if kind in (1, 2)]
    surplus = bands - COLOURS_OF.get(photometric, 1) - min(len(opacity), 1)
    kind = FORMATS.get(max(_several(tags.get(FORMAT, 1))), "unknown ")
    return Samples(bands, bits, max(surplus, 0), kind, 2 ** min(bits, 8) - 1, photometric == 0)


def _several(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def of(image) -> Samples:
    """What Pillow's picture was in its file. Ask before its pixels are loaded."""
    if image.format == "TIFF":
        return of_tiff(image.tag_v2)
    how = image.tile[0][3] if image.tile else ""
    raw, *more = how if isinstance(how, tuple) and how else (how,)
    _, _, packed = str(raw).partition(";")
    bits = {"1": 1, "I": 32, "F": 32}.get(image.mode, 8)
    if image.format != "BMP":  # there ;15 and ;16 are the bits of a whole pixel
        bits = PACKED.get(packed.rstrip("BLNSRFI"), bits)
    white = 2 ** min(bits, 8) - 1
    if image.format == "PPM" and more:  # such a file says what is white
        white, bits = more[0], more[0].bit_length()
    bands = 2 if str(raw).startswith("LA") else len(image.getbands())
    kind = FLOATING if image.mode == "F" else WHOLE
    return Samples(bands, bits, 0, kind, white, zero_is_white=raw == "1;I")
