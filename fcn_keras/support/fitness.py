"""What a picture or a mask must be to be read with certainty: for readers and for check-data."""

from dataclasses import replace
from pathlib import Path

from fcn_keras.support.samples import SIGNED, WHOLE, Samples

LOSSY = ("JPEG", "WEBP")


class Unfit(ValueError):
    """A file that cannot be used as what it should be.

    Training stops at it; `data_checks` reports it. So the two know the same rules.

    Args:
        kind: The kind of finding, a key of `data_checks.REMEDIES`.
        path: The file.
        expected: What it should be, such as `"hold class numbers"`.
        found: What it is.
        advice: What to do, in sentences.
    """

    def __init__(self, kind: str, path: str | Path, expected: str, found: str, advice: str):
        super().__init__(f"Expected {path} to {expected}. Received: {found}. {advice}")
        self.kind, self.found = kind, found


def require_picture(path: str | Path, samples: Samples) -> None:
    """Refuses a picture of which Pillow would drop bits or bands.

    Raises:
        Unfit: If it is one.
    """
    found, advice = str(samples), ""
    if samples.surplus:
        found += f", of which {samples.surplus} beside the colours"
        advice += (
            "Choose the three that become red, green and blue, counted from 0: bands=(2, 1, 0); "
            "on the command line, counted from 1: --bands 3,2,1. "
        )
    if samples.deep:
        advice += (
            "Choose the values that become 0 and 255, black and white: scale=(0, 3000); on the "
            "command line: --scale 0,3000. "
        )
    if advice:
        expected = "be a picture of 8 bits a channel, grey or red, green and blue"
        kind = "bands" if samples.surplus else "mode"
        raise Unfit(kind, path, expected, found, advice.strip())


def require_choice(path: str | Path, samples: Samples, bands, scale) -> None:
    """Refuses bands that a picture does not have, and a missing or needless scale.

    Raises:
        Unfit: If they do not fit.
    """
    if bands is not None and max(bands) >= samples.bands:
        expected = f"have bands {', '.join(map(str, bands))}, counted from 0"
        raise Unfit("bands", path, expected, str(samples), "Choose others.")
    if scale is not None and not samples.deep:
        expected = "have more than 8 bits a channel, because scale is given"
        raise Unfit("mode", path, expected, str(samples), "Read such files without it.")
    without_choice = replace(
        samples,
        surplus=samples.surplus if bands is None else 0,
        bits=samples.bits if scale is None else 8,
        kind=samples.kind if scale is None else WHOLE,
    )
    require_picture(path, without_choice)


def refuse_transparent(path: str | Path, format: str | None) -> None:
    """Refuses a picture that is transparent in places: it has no colour there.

    Raises:
        Unfit: Always.
    """
    band = "If that is a band of its own: bands=(0, 1, 2) (--bands 1,2,3). "
    raise Unfit(
        "mode",
        path,
        "have a colour at every pixel",
        "a picture that is transparent in places",
        f"{band if format == 'TIFF' else ''}Put it on a background: "
        "PIL.Image.alpha_composite(background, picture), both RGBA, then .convert('RGB').",
    )


def require_exact(path: str | Path, format: str | None) -> None:
    """Refuses a mask whose format changes values slightly: a class may become its neighbour.

    Raises:
        Unfit: If it is one.
    """
    if format in LOSSY:
        advice = "Export the mask again, from the program that made it."
        raise Unfit("JPEG", path, "be exact, such as PNG", f"a {format} file", advice)


def require_numbers(path: str | Path, samples: Samples) -> None:
    """Refuses a mask that has no class numbers, or whose numbers programs read differently.

    Raises:
        Unfit: If it is one.
    """
    if samples.zero_is_white:
        raise Unfit(
            "mask mode",
            path,
            "show its number 0 as black",
            "a file that stores 0 for white (WhiteIsZero), which programs read differently",
            "Save the mask as PNG.",
        )
    if samples.bands > 1 or samples.bits > 32 or samples.kind not in (WHOLE, SIGNED):
        advice = "Save the numbers as 8-bit PNG: array.astype('uint8')."
        if samples.bands > 2:
            advice = (
                "If its colours stand for classes, list them: "
                "image_folder(…, colours={'road': (128, 64, 128), …}), or in classes.txt. "
                "Save masks as PNG: JPEG blurs them."
            )
        raise Unfit(
            "mask mode", path, "hold class numbers: whole numbers in one band", str(samples), advice
        )


def require_one_kind(path: str | Path, samples: Samples) -> None:
    """Refuses a mask of which Pillow would drop bits or bands, whatever its pixels mean.

    Raises:
        Unfit: If it is one.
    """
    if samples.surplus or (samples.bits > 8 and samples.bands > 1) or samples.bits > 32:
        require_numbers(path, samples)


def require_bytes(path: str | Path, samples: Samples, lowest: int, highest: int) -> None:
    """Refuses class numbers that do not fit into 8 bits.

    Raises:
        Unfit: If they do not.
    """
    if lowest < 0 or highest > 255:
        raise Unfit(
            "mask mode",
            path,
            "hold class numbers 0 to 255",
            f"numbers {lowest} to {highest} ({samples})",
            "Number the classes from 0; 255 is void.",
        )


def require_colours(path: str | Path, samples: Samples) -> None:
    """Refuses a mask of colours of which Pillow would drop bits or bands.

    Raises:
        Unfit: If it is one.
    """
    if samples.deep or samples.surplus:
        raise Unfit(
            "mask mode",
            path,
            "hold colours of 8 bits a channel",
            str(samples),
            "Save the mask as 8-bit RGB, as PNG, from the program that made it.",
        )
