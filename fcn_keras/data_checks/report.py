"""What is wrong with a data set, each finding with its remedy; and the share of each class."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

SHOWN = 5  # files that a finding lists; `--json` has them all

# Each kind of finding: what to do about it
REMEDIES = {
    "no mask": "Draw the missing masks, or remove the pictures.",
    "no picture": "Add the pictures, or remove the masks. A mask has the name of its picture.",
    "listing": "Keep one file per name, or correct the list.",
    "passed over": (
        "Save such pictures as PNG (photographs: JPEG), directly in the folder. Move other files "
        "elsewhere."
    ),
    "frames": "Save the picture that you mean as a file of its own.",
    "unreadable": (
        "Copy the file again from its source. If no program can open a picture, remove it and its "
        "mask."
    ),
    "size": (
        "A mask has one number for each pixel of its picture. Perhaps only one of the two was "
        "resized or rotated. Resize masks by nearest neighbour: mask.resize(size, "
        "PIL.Image.Resampling.NEAREST)."
    ),
    "mode": (
        "Save the picture as 8-bit RGB: PIL.Image.open(file).convert('RGB'). Before that, put a "
        "transparent picture on a background. Of more than 8 bits, choose which values are black "
        "and white: --scale 0,3000, or scale=(0, 3000)."
    ),
    "bands": (
        "Choose three bands, which the network then sees as red, green and blue: --bands 3,2,1, "
        "counted from 1, or bands=(2, 1, 0). Or save those three as an RGB picture."
    ),
    "few": "Add pictures: one is trained on, another one tested on.",
    "turned": (
        "Save the picture upright: PIL.ImageOps.exif_transpose(picture).save(...). Then see "
        "whether the mask fits. If not, rotate it the same way."
    ),
    "mask mode": (
        "Save the mask as an 8-bit PNG with one class number per pixel. If its colours stand for "
        "classes, list them in classes.txt: 'road 128 64 128', one line for each class and one "
        "for void."
    ),
    "JPEG": (
        "Export the masks again as PNG. JPEG changes values slightly, and a class number must not "
        "change at all."
    ),
    "number": (
        "Perhaps a class is missing in classes.txt, or the numbers start at 1. If one of them "
        "means 'do not score', write 255 instead."
    ),
    "white on black": (
        "Divide these masks by the number of white, for example np.array(mask) // 255, and save "
        "them as PNG. Class 0 stays, and white becomes class 1. If white is void, say so: "
        "image_folder(..., void=255)."
    ),
    "interpolated": (
        "Resize these masks again from the originals, by nearest neighbour "
        "(PIL.Image.Resampling.NEAREST). Interpolation mixes two class numbers into a third."
    ),
    "one-hot": (
        "Convert to class numbers with np.argmax(labels, axis=-1).astype('uint8'), and save them "
        "as PNG. (The lecture's .npy files need the opposite: np.eye(classes)[numbers].)"
    ),
    "colour": (
        "Add the colour to the table of colours (classes.txt). Many similar colours come from "
        "JPEG, a smoothing brush or interpolation: make the mask again without it."
    ),
    "palettes differ": (
        "A drawing program, or quantize(), may number the colours anew in each file, so that one "
        "class has several numbers. List the colours in classes.txt ('road 128 64 128', one line "
        "for each class and one for void). Then the colours count, not the numbers. If the "
        "numbers are right, save all masks with the same palette."
    ),
    "transparent": (
        "Fill transparent places with the colour of their class, or of void, and save the mask as "
        "RGB. A transparent pixel has a hidden colour, which would be read as its label."
    ),
    "absent": "Label more pictures, or remove the class from the list of classes.",
    "void": (
        "Void is neither trained on nor scored. Perhaps 255 was meant as a class, or the mask was "
        "never finished."
    ),
    "shared": "Keep each picture once. A picture that is trained on must not be tested on.",
    "copied": (
        "Perhaps a mask was saved under the name of another picture, or never drawn anew. Draw "
        "the missing masks. Pictures from a fixed camera may share a mask; then nothing is wrong."
    ),
    "shifted": (
        "Shift the masks back, and look at a few of them on top of their pictures. Perhaps "
        "pictures and masks were cropped differently."
    ),
    "values": "Save the images as they were, 0-255 or 0-1. The model does the preprocessing.",
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, with the files that have it."""

    kind: str  # a key of REMEDIES
    what: str
    files: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind]

    def __str__(self) -> str:
        more = f" … ({len(self.files)} in all)" if len(self.files) > SHOWN else ""
        listed = f"\n      {', '.join(self.files[:SHOWN])}{more}" if self.files else ""
        return f"  {self.kind}: {self.what}{listed}\n      -> {self.remedy}"


class Notes:
    """What is noted file by file. The same note about several files becomes one finding."""

    def __init__(self):
        self._files: dict[tuple[str, str], list[str]] = defaultdict(list)  # (kind, what) → files

    def add(self, kind: str, what: str, file: str | Path = "") -> None:
        self._files[kind, what].append(str(file))

    def has(self, kind: str) -> bool:
        return any(noted == kind for noted, _ in self._files)

    def findings(self) -> list[Finding]:
        """In the order of `REMEDIES`."""
        order = list(REMEDIES)
        noted = sorted(self._files.items(), key=lambda item: order.index(item[0][0]))
        return [Finding(kind, what, tuple(filter(None, files))) for (kind, what), files in noted]


@dataclass
class Report:
    """What `check` found. `print(report)` shows it; without findings, nothing is wrong."""

    name: str
    class_names: tuple[str, ...]
    pictures: dict[str, int] = field(default_factory=dict)  # part → number of pictures
    findings: list[Finding] = field(default_factory=list)
    # part → share of each class in the pixels that are not void
    shares: dict[str, list[float]] = field(default_factory=dict)
    void: dict[str, float] = field(default_factory=dict)  # part → share of void in all pixels

    def as_dict(self) -> dict:
        """For JSON."""
        return {
            "name": self.name,
            "pictures": self.pictures,
            "findings": [
                {**asdict(finding), "remedy": finding.remedy} for finding in self.findings
            ],
            "shares": {
                part: dict(zip(self.class_names, row, strict=True))
                for part, row in self.shares.items()
            },
            "void": self.void,
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{count} in {part}" for part, count in self.pictures.items())
        lines = [f"{self.name}, pictures: {counts}", self._summary()]
        return "\n".join([*lines, *map(str, self.findings), *self._chart()])

    def _summary(self) -> str:
        if not self.findings:
            return "Nothing wrong was found."
        if len(self.findings) == 1:
            return "One thing is wrong:"
        return f"{len(self.findings)} things are wrong:"

    def _chart(self) -> Iterable[str]:
        """Shares as bars of characters, a block for each part."""
        wide = max(map(len, (*self.class_names, "void")))
        for part, shares in self.shares.items():
            yield f"\n{part}: share of the pixels that are not void"
            rows = [*zip(self.class_names, shares, strict=True), ("void, of all", self.void[part])]
            for name, share in rows:
                bar = "█" * round(40 * share) or ("▏" if share else "")
                yield f"  {name:<{wide}} {100 * share:6.2f} %  {bar}".rstrip()
