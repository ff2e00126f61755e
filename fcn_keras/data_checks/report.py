"""What a check of a data set says: findings, each with its way out, and the share of every class."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

SHOWN = 5  # files that a finding lists; `--json` has them all

# Each kind of finding: what to do about it
REMEDIES = {
    "no mask": "Draw the missing masks, or take the pictures out of the folder.",
    "no picture": "Add the pictures, or remove the masks; a mask has the name of its picture.",
    "listing": "Leave one of the two, or mend the list.",
    "passed over": "Save such pictures as PNG (photographs: JPEG), directly in the folder; take other files out of it.",
    "frames": "Save the picture that is meant as a file of its own.",
    "unreadable": "Copy the file again from where it came; a picture that opens nowhere has to be left out, with its mask.",
    "size": "A mask has a number for each pixel of its picture. Was only one of the two resized or turned? "
    "Masks are resized by nearest neighbour: mask.resize(size, PIL.Image.Resampling.NEAREST).",
    "mode": "Save the picture as 8-bit RGB: PIL.Image.open(file).convert('RGB'), after putting a transparent one on a "
    "background and scaling a 16-bit one to 0-255 (values / white * 255).",
    "turned": "Write the picture upright once, PIL.ImageOps.exif_transpose(picture).save(...), look whether the mask fits, "
    "and turn the mask the same way if not.",
    "mask mode": "A mask is an 8-bit PNG with one class number for each pixel. If its colours stand for classes, put them "
    "into classes.txt: road 128 64 128, a line for each class and one for void.",
    "JPEG": "Export the masks again as PNG. JPEG changes values a little, and a class number must not change at all.",
    "number": "Is a class missing in classes.txt, do the numbers begin at 1, or does one of them mean 'do not score' (write "
    "255)?",
    "white on black": "Divide by the number of white: class 0 stays, white becomes class 1. (np.array(mask) // 255 where white "
    "is 255, saved as PNG)",
    "interpolated": "Make these masks again from the originals, resized by nearest neighbour "
    "(PIL.Image.Resampling.NEAREST): the mean of two class numbers is a third class.",
    "one-hot": "Class numbers come from np.argmax(labels, axis=-1).astype('uint8'), saved as PNG (for the lecture's .npy "
    "files it is the other way round: np.eye(classes)[numbers]).",
    "colour": "Add the colour to the table of colours (classes.txt). Many colours that are nearly alike come from JPEG, "
    "smoothing brushes or interpolation: make the mask again without.",
    "palettes differ": "Colours that were numbered for each file by itself (by a drawing program, or by quantize()) give one "
    "class several numbers. Put the colours into classes.txt, road 128 64 128, a line for each class and one for void: then "
    "they count, not the numbers. If the numbers are right, save all masks with one palette.",
    "transparent": "Fill what is transparent with the colour of its class, or of void, and save the mask as RGB: under it a "
    "colour is stored that nobody sees, and it would be the label.",
    "absent": "Label more pictures, or take the class out of the list of classes.",
    "void": "Void is neither trained on nor scored. Was 255 meant as a class, or the mask never finished?",
    "shared": "Keep each picture once: what is trained on must not be tested on.",
    "copied": "Was one mask saved under the name of another picture, or never drawn anew? Draw what is missing. Pictures of a "
    "camera that stands still may share a mask: then nothing is wrong.",
    "shifted": "Shift the masks back, and look at a few laid over their pictures. Were pictures and masks cropped in "
    "different ways?",
    "values": "Save the images as they were, 0-255 or 0-1: the model does the preprocessing.",
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


@dataclass
class Report:
    """What `check` found. `print(report)` shows it, `report.findings` is empty when nothing is wrong."""

    name: str
    class_names: tuple[str, ...]
    pictures: dict[str, int] = field(default_factory=dict)  # part → how many
    findings: list[Finding] = field(default_factory=list)
    shares: dict[str, list[float]] = field(
        default_factory=dict
    )  # part → share of each class in the pixels that are not void
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
        found = (
            f"{len(self.findings)} things are wrong:"
            if len(self.findings) > 1
            else "One thing is wrong:"
        )
        lines = [
            f"{self.name}: pictures {counts}",
            found if self.findings else "Nothing wrong was found.",
        ]
        return "\n".join([*lines, *map(str, self.findings), *self._chart()])

    def _chart(self) -> Iterable[str]:
        """Shares as bars of characters, a block for each part."""
        wide = max(map(len, (*self.class_names, "void")))
        for part, shares in self.shares.items():
            yield f"\n{part}: share of the pixels that are not void"
            rows = [*zip(self.class_names, shares, strict=True), ("void, of all", self.void[part])]
            for name, share in rows:
                bar = "█" * round(40 * share) or ("▏" if share else "")
                yield f"  {name:<{wide}} {100 * share:6.2f} %  {bar}".rstrip()
