"""What is wrong with a data set on disk, and how to mend it. A wrong label raises no error in training: the network learns it.

    python -m fcn_keras check-data my_pictures

Every picture and mask is opened once. A `Finding` names the files and says what to do; none means that nothing was found.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from fcn_keras import arguments, images
from fcn_keras.datasets.base import VOID, SegmentationData
from fcn_keras.datasets.layouts import Layout, MaskCode, Part
from fcn_keras.datasets.lecture_files import FILES, lecture_files
from fcn_keras.datasets.opening import FORMATS, layout_of, recognise
from fcn_keras.datasets.road_scenes import road_scenes
from fcn_keras.evaluation import boundary_band
from fcn_keras.progress import progress

NEARLY_ALL = 0.95  # share of void from which a label map, or a set, says nearly nothing
BLENDED = 0.4  # share of steps over a class in between that tells of interpolation; real label maps have 0.13, drawn ones 0.25
FEWEST_STEPS = 20  # to judge by
SHIFTS = 8  # pixels that labels may be shifted by to be noticed
AGREE = 0.5  # share of the pictures that must want the same shift, give or take a pixel
CLEARER = 1.1  # how many times as strong the picture's edges must be under the shifted labels' edges
SHOWN = 5  # files that a finding lists; `--json` has them all

# Each kind of finding: what to do about it
REMEDIES = {
    "no mask": "Draw the missing masks, or take the pictures out of the folder.",
    "no picture": "Add the pictures, or remove the masks; a mask has the name of its picture.",
    "listing": "Leave one of the two, or mend the list.",
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
    "white on black": "Divide by 255: class 0 stays, white becomes class 1. (np.array(mask) // 255, saved as PNG)",
    "interpolated": "Make these masks again from the originals, resized by nearest neighbour "
    "(PIL.Image.Resampling.NEAREST): the mean of two class numbers is a third class.",
    "one-hot": "Class numbers come from np.argmax(labels, axis=-1).astype('uint8'), saved as PNG (for the lecture's .npy "
    "files it is the other way round: np.eye(classes)[numbers]).",
    "colour": "Add the colour to the table of colours (classes.txt). Many colours that are nearly alike come from JPEG, "
    "smoothing brushes or interpolation: make the mask again without.",
    "absent": "Label more pictures, or take the class out of the list of classes.",
    "void": "Void is neither trained on nor scored. Was 255 meant as a class, or the mask never finished?",
    "shared": "Keep each picture once: what is trained on must not be tested on.",
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
    shares: dict[str, list[float]] = field(default_factory=dict)  # part → share of each class in the pixels that are not void
    void: dict[str, float] = field(default_factory=dict)  # part → share of void in all pixels

    def as_dict(self) -> dict:
        """For JSON."""
        return {
            "name": self.name,
            "pictures": self.pictures,
            "findings": [{**asdict(finding), "remedy": finding.remedy} for finding in self.findings],
            "shares": {part: dict(zip(self.class_names, row, strict=True)) for part, row in self.shares.items()},
            "void": self.void,
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{count} in {part}" for part, count in self.pictures.items())
        found = f"{len(self.findings)} things are wrong:" if len(self.findings) > 1 else "One thing is wrong:"
        lines = [f"{self.name}: pictures {counts}", found if self.findings else "Nothing wrong was found."]
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


def check(source: str | Path, format: str = "auto") -> Report:
    """Reads every file of a data set and says what is wrong.

    Args:
        source: A folder, as for `datasets.open_data`.
        format: As there.

    Returns:
        `Report`.

    Raises:
        TypeError: If `source` is no path.
        FileNotFoundError: If there is no such data set at all: not the folders, no list of classes.
        ValueError: If the format is unknown, or the list of classes cannot be used.
    """
    arguments.one_of("format", format, FORMATS)
    if str(source) == "road_scenes":
        data = {part: road_scenes(part) for part in ("train", "test")}
        report = Report("road scenes", data["train"].class_names)
        look = _Look(report, None)
        for part, scenes in data.items():
            look.at_data(part, scenes)
        return look.finished()
    if (recognise(source) if format == "auto" else format) == "npy":
        return _check_arrays(Path(source))
    layout = layout_of(source, format)
    look = _Look(Report(layout.name, layout.class_names), layout.code)
    for part, files in layout.parts.items():
        look.at_files(part, files, layout)
    return look.finished()


class _Look:
    """One walk over a data set: notes what is wrong file by file, and at its end what only the whole shows."""

    def __init__(self, report: Report, code: MaskCode | None):
        self.report, self.code = report, code
        self.noted: dict[tuple[str, str], list[str]] = defaultdict(list)  # (kind, what) → files
        self.counts: dict[str, np.ndarray] = {}  # part → pixels of each number 0–255
        self.twins = Twins()
        self.edges = EdgeEvidence()

    def note(self, kind: str, what: str, file="") -> None:
        self.noted[kind, what].append(str(file))

    def at_files(self, part: str, files: Part, layout: Layout) -> None:
        self.report.pictures[part] = len(files.images)
        self.counts[part] = np.zeros(256, "int64")
        for text in files.strangers:
            self.note("listing", text)
        if files.labelled:
            for name in sorted(set(files.images) - set(files.masks)):
                self.note("no mask", "a picture has no mask", files.images[name])
            for name in sorted(set(files.masks) - set(files.images)):
                self.note("no picture", "a mask has no picture", files.masks[name])
            self._at_arrays_among({path.parent for path in files.masks.values()})
        with progress(f"looking at {part}", len(files.images)) as advance:
            for name in sorted(files.images):
                image, about = self._image(files.images[name])
                if image is not None:
                    self._remember(part, files.images[name], image)
                if name in files.masks:
                    self._pair(part, image, about, files.masks[name])
                advance()

    def at_data(self, part: str, data: SegmentationData) -> None:
        """A data set that is not files: what an item shows."""
        self.report.pictures[part] = len(data)
        self.counts[part] = np.zeros(256, "int64")
        with progress(f"looking at {part}", len(data)) as advance:
            for index in range(len(data)):
                name = f"{data.name}, number {index}"
                try:
                    image, mask = data[index]
                except ValueError as error:
                    self.note("values", str(error), name)
                    continue
                self._remember(part, name, image)
                if mask is not None:
                    self._labels(part, mask, name)
                    self.edges.add(image, mask)
                advance()

    # ------------------------------------------------------------------ one file

    def _image(self, path):
        """The picture, if it can be read, and what its file says of itself."""
        try:
            about = images.examine(path)
        except (ValueError, OSError) as error:
            self.note("unreadable", _without(error, path), path)
            return None, None
        if about.bits > 8:
            self.note("mode", f"{about.bits} bits a channel (mode {about.mode})", path)
        elif about.mode not in ("RGB", "L", "P", "1", "YCbCr"):
            self.note("mode", f"mode {about.mode} instead of RGB", path)
        try:
            return images.read_image(path), about
        except (ValueError, OSError, MemoryError) as error:
            if about.bits == 8 and "transparent" not in str(error):
                self.note("unreadable", _without(error, path), path)
            return None, about

    def _pair(self, part, image, about, path) -> None:
        """A mask beside its picture."""
        try:
            of_mask = images.examine(path)
        except (ValueError, OSError) as error:
            self.note("unreadable", _without(error, path), path)
            return
        size = (of_mask.height, of_mask.width)
        self._turn(about, size, path)
        if about is not None and size != about.upright and size != (about.height, about.width):
            wanted = f"{about.upright[0]} x {about.upright[1]}"
            self.note("size", f"a mask of {size[0]} x {size[1]} beside a picture of {wanted}", path)
        if of_mask.format in ("JPEG", "WEBP"):
            self.note("JPEG", f"a mask is a {of_mask.format} file", path)
        labels = self._mask(path, of_mask)
        if labels is None:
            return
        self._labels(part, labels, path)
        if image is not None and labels.shape == image.shape[:2]:
            self.edges.add(image, labels)

    def _turn(self, about, size, path) -> None:
        """A picture that its camera noted as turned: does the mask belong to it as stored, or upright?"""
        if about is None or about.turn == 1:
            return
        stored = (about.height, about.width)
        if size == about.upright != stored:
            return  # the mask was drawn on the upright picture, which is how it is read
        fits = "the mask fits it as stored, not upright" if about.upright != stored else "the mask may belong to either way up"
        self.note("turned", f"a picture is to be shown turned (Exif {about.turn}), and {fits}", path)

    def _mask(self, path, about) -> np.ndarray | None:
        """Its class numbers, unknown ones as void, or `None` if there are none to read."""
        by_numbers = self.code.colours is None
        try:
            if by_numbers and about.mode not in ("1", "L", "P"):
                self._not_numbers(path, about)
                return None
            pixels = images.read_mask(path) if by_numbers else images.read_colours(path)
        except (ValueError, OSError, MemoryError) as error:
            self.note("mask mode" if about.bits > 8 else "unreadable", _without(error, path), path)
            return None
        labels, unknown = self.code.labels(pixels)
        if by_numbers:
            share = blended_share(pixels)
            if share > BLENDED:
                self.note("interpolated", "along the edges between two classes lie numbers between theirs", path)
            elif unknown:
                known = [number for number in self.code.numbers if number != VOID]
                what = f"a number beyond {min(known)} to {max(known)} and 255: {', '.join(map(str, unknown[:8]))}"
                self.note("number", what, path)
        elif unknown:
            many = f"{len(unknown)} of them" if len(unknown) > 3 else ", ".join(map(str, unknown))
            self.note("colour", f"colours that stand for nothing: {many}", path)
        return labels

    def _not_numbers(self, path, about) -> None:
        """A mask of more than one channel where class numbers are expected."""
        if about.bits > 8:
            self.note("mask mode", f"{about.bits} bits (mode {about.mode}) instead of 8", path)
            return
        colours = images.read_colours(path)
        ones = colours > 0
        if (ones.sum(axis=-1) == 1).all() and len(np.unique(colours)) == 2:
            self.note("one-hot", "a mask has a channel for each class instead of one channel of class numbers", path)
        else:
            self.note("mask mode", f"colours (mode {about.mode}) instead of class numbers", path)

    def _at_arrays_among(self, folders) -> None:
        """`.npy` files in a folder of masks, which would be passed over without a word."""
        for path in sorted(file for folder in folders for file in folder.glob("*.npy")):
            try:
                shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            except (ValueError, OSError, EOFError) as error:
                self.note("unreadable", _without(error, path), path)
                continue
            what = f"an array {' x '.join(map(str, shape))} where a picture file is expected"
            self.note("one-hot" if len(shape) == 3 else "mask mode", what, path)

    # ------------------------------------------------------------------ what is counted

    def _remember(self, part, name, image) -> None:
        self.twins.add(part, str(name), image)

    def _labels(self, part, labels, name) -> None:
        counts = np.bincount(labels.ravel(), minlength=256)
        self.counts[part] += counts
        share = counts[VOID] / labels.size
        if share >= NEARLY_ALL:
            self.note("void", f"{100 * NEARLY_ALL:.0f} % or more of a label map is void", name)

    def _absent(self) -> None:
        """Classes without a pixel; those that are missing in the same parts in one finding."""
        missing = defaultdict(list)
        for number, name in enumerate(self.report.class_names):
            parts = tuple(part for part in self.report.shares if self.counts[part][number] == 0)
            if parts:
                missing[parts].append(f"{number} {name!r}")
        for parts, classes in missing.items():
            where = f" in {' and '.join(parts)}" if len(self.report.shares) > 1 else ""
            self.note("absent", f"no pixel of class {', '.join(classes)}{where}")

    # ------------------------------------------------------------------ the whole

    def finished(self) -> Report:
        """The report, with what only the whole shows."""
        names = self.report.class_names
        for part, counts in self.counts.items():
            classes = counts[: len(names)]
            if counts.sum():
                self.report.void[part] = float(counts[VOID] / counts.sum())
                self.report.shares[part] = [float(share) for share in classes / max(classes.sum(), 1)]
                if self.report.void[part] >= NEARLY_ALL and not any(kind == "void" for kind, _ in self.noted):
                    self.note("void", f"{100 * self.report.void[part]:.1f} % of all pixels of {part} are void")
        numbers = np.flatnonzero(sum(self.counts.values())).tolist()
        if numbers == [0, VOID] and self.code and self.code.numbers and VOID in self.code.numbers:
            self.note("white on black", "all masks hold 0 and 255 alone, and 255 is void, so there is one class only")
        else:
            self._absent()
        for (part, name), (other_part, other) in self.twins.pairs():
            if part != other_part:
                self.note("shared", f"a picture of {part} is in {other_part} too", f"{name} = {other}")
            elif len(self.counts) == 1:  # a fifth of them will be drawn for testing
                what = "a picture is there twice, so one may be trained on and the other tested on"
                self.note("shared", what, f"{name} = {other}")
        shift = self.edges.shift()
        if shift is not None:
            self.note("shifted", shift.in_words())
        self.report.findings = [
            Finding(kind, what, tuple(filter(None, files)))
            for (kind, what), files in sorted(self.noted.items(), key=lambda item: list(REMEDIES).index(item[0][0]))
        ]
        return self.report


class Twins:
    """Which pictures show the same, also after they were saved again as JPEG.

    Two are the same if what is left of them at 24 x 24 pixels differs by less than one and a half levels of grey on average,
    and by little beside how much the picture itself varies. Successive pictures of CamVid's films differ by more.
    """

    SIDE, LEVELS, SHARE = 24, 1.5, 0.05

    def __init__(self):
        self.names: list[tuple[str, str]] = []  # (part, file)
        self.small: list[np.ndarray] = []

    def add(self, part: str, name: str, image: np.ndarray) -> None:
        self.names.append((part, name))
        self.small.append(images.thumbnail(image, self.SIDE).astype("float32").ravel())

    def pairs(self):
        """Yields two (part, file) for every picture that is there again."""
        if not self.small:
            return
        small = np.stack(self.small)
        means, spreads = small.mean(axis=1), small.std(axis=1)
        order = np.argsort(means, kind="stable")  # two that are alike have nearly the same mean
        for place, one in enumerate(order):
            last = np.searchsorted(means[order], means[one] + self.LEVELS, side="right")
            others = order[place + 1 : last]
            apart = np.abs(small[others] - small[one]).mean(axis=1)
            allowed = np.minimum(self.LEVELS, self.SHARE * np.minimum(spreads[one], spreads[others]))
            for other in others[apart <= allowed]:
                first, second = sorted((int(one), int(other)))
                yield self.names[first], self.names[second]


def _check_arrays(folder: Path) -> Report:
    """The lecture's `.npy` files."""
    report = Report("lecture files", ("background", "road"))
    look = _Look(report, None)
    try:
        data = lecture_files(folder, "train")
    except ValueError as error:
        look.note("one-hot" if "one-hot" in str(error) else "unreadable", str(error), folder / FILES["train"][1])
        return look.finished()
    report.class_names = data.class_names
    labels = np.load(folder / FILES["train"][1], mmap_mode="r", allow_pickle=False)
    for index in range(len(labels)):
        values = np.asarray(labels[index], "float32")
        name = f"{FILES['train'][1]}, number {index}"
        if ((values > 0) & (values < values.max())).any():
            look.note("interpolated", "a label map has values between 0 and its highest, so it was smoothed", name)
        elif (np.count_nonzero(values, axis=-1) > 1).any():
            look.note("one-hot", "a pixel belongs to several classes", name)
    look.at_data("train", data)
    if (folder / FILES["test"][0]).is_file():
        look.at_data("test", lecture_files(folder, "test"))
    return look.finished()


def _without(error, path) -> str:
    """A message without the file's name, so that equal faults of several files are one finding."""
    text = " ".join(str(error).split())
    for name in (str(path), Path(path).name):
        text = text.replace(f"{name} ", "").replace(name, "the file")
    return text


def blended_share(numbers: np.ndarray) -> float:
    """How often a step from one number to another goes over a number in between, as interpolation makes them.

    Along rows and columns, a run of at most three pixels whose number lies strictly between those of the runs before and
    after it is such a step. A drawn label map has few: a thin thing between two others whose number happens to lie between.

    Args:
        numbers: `(H, W)`, as the file has them.

    Returns:
        0–1; 0 with fewer than 20 steps between numbers that differ by 2 or more.
    """
    over = direct = 0
    for lines in (numbers, numbers.T):
        changes = np.ones(lines.shape, bool)
        changes[:, 1:] = lines[:, 1:] != lines[:, :-1]
        rows, starts = np.nonzero(changes)  # where each run of equal numbers begins
        values = lines[rows, starts].astype(int)
        follows = rows[1:] == rows[:-1]  # run i + 1 is in the same line as run i
        ends = np.append(np.where(follows, starts[1:], lines.shape[1]), lines.shape[1])
        ramps = np.zeros(len(rows), bool)
        ramps[1:-1] = follows[1:] & follows[:-1] & (ends - starts <= 3)[1:-1]
        ramps[1:-1] &= (values[1:-1] - values[:-2]) * (values[2:] - values[1:-1]) > 0
        over += np.count_nonzero(ramps)
        direct += np.count_nonzero(follows & (np.abs(np.diff(values)) >= 2) & ~ramps[1:] & ~ramps[:-1])
    return over / (over + direct) if over + direct >= FEWEST_STEPS else 0.0


# ------------------------------------------------------------------------------- labels shifted against images


@dataclass(frozen=True)
class Shift:
    """By how much labels lie beside what they label."""

    down: int
    right: int
    here: float  # mean strength of the picture's edges under the labels' edges as they are
    there: float  # the same after the labels were moved by (down, right)

    def in_words(self) -> str:
        places = [f"{abs(n)} px {way}" for n, way in ((self.down, "down"), (self.right, "right")) if n > 0]
        places += [f"{abs(n)} px {way}" for n, way in ((self.down, "up"), (self.right, "left")) if n < 0]
        return (
            f"the labels fit better when they are moved {' and '.join(places)}: the picture's edges under theirs are then "
            f"{self.there / max(self.here, 1e-9):.1f} times as strong ({self.there:.1f} against {self.here:.1f})"
        )


class EdgeEvidence:
    """Where the edges of label maps lie on the edges of their pictures, for every small shift of the labels.

    No network is asked: one that is trained on shifted labels learns the shift.
    """

    def __init__(self, reach: int = SHIFTS):
        self.reach = reach
        self.strengths: list[np.ndarray] = []  # one for each picture: [down, right] → mean edge strength

    def add(self, image: np.ndarray, mask: np.ndarray) -> None:
        """Counts one picture in; its border, and the border of void, are no edges of a thing."""
        reach = self.reach
        if min(mask.shape) <= 4 * reach:
            return
        grey = image.astype("float32").mean(axis=-1)
        strength = np.zeros(grey.shape, "float32")
        strength[1:-1, 1:-1] = np.hypot(grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1])
        rows, columns = np.nonzero(boundary_band(mask, 1)[reach:-reach, reach:-reach])
        if not len(rows):
            return
        side = 2 * reach + 1
        windows = np.lib.stride_tricks.sliding_window_view(strength, (side, side))  # [row, column, down, right]
        chosen = slice(None, None, max(1, len(rows) // 4000))  # more edge pixels than that tell nothing new
        self.strengths.append(windows[rows[chosen], columns[chosen]].mean(axis=0))

    def shift(self) -> Shift | None:
        """The shift that fits best, if it is not 0, fits clearly better, and half of the pictures say so by themselves."""
        if len(self.strengths) < 2:  # one picture alone proves nothing
            return None
        best = [np.array(np.unravel_index(strength.argmax(), strength.shape)) for strength in self.strengths]
        means = np.mean(self.strengths, axis=0)
        down, right = (int(place) for place in np.unravel_index(means.argmax(), means.shape))
        if np.mean([np.abs(place - (down, right)).max() <= 1 for place in best]) < AGREE:
            return None
        here, there = float(means[self.reach, self.reach]), float(means[down, right])
        shift = Shift(down - self.reach, right - self.reach, here, there)
        a_pixel_off = max(abs(shift.down), abs(shift.right)) <= 1  # where an edge lies is not said more exactly by anybody
        return None if a_pixel_off or there < CLEARER * here else shift


def label_shift(data: SegmentationData, indices: Iterable[int] | None = None) -> Shift | None:
    """Whether the labels of a data set lie beside what they label, by up to 8 pixels.

    Args:
        data: A `SegmentationData` with labels.
        indices: Which images to look at; all by default.

    Returns:
        `Shift`, or `None` if they fit best, or nearly, where they are.

    Raises:
        TypeError: If `data` is no data set.
    """
    arguments.data_set("data", data)
    evidence = EdgeEvidence()
    for index in range(len(data)) if indices is None else indices:
        image, mask = data[index]
        if mask is not None and mask.ndim == 2:
            evidence.add(image, mask)
    return evidence.shift()
