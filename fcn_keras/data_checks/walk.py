"""One walk over all files of a data set: what is wrong with each, and what only the whole shows."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from fcn_keras.data_checks.evidence import BLENDED, Copies, EdgeEvidence, Twins, blended_share
from fcn_keras.data_checks.report import REMEDIES, Finding, Report
from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.drawn.road_scenes import road_scenes
from fcn_keras.datasets.layouts import Layout, MaskCode, Part
from fcn_keras.datasets.lecture_files import FILES, lecture_files
from fcn_keras.datasets.opening import FORMATS, layout_of, means_drawn, recognise
from fcn_keras.support import arguments, images
from fcn_keras.support.labels import VOID
from fcn_keras.support.progress import progress

JUNK = ("thumbs.db", "desktop.ini")  # what systems leave in folders of pictures
NEARLY_ALL = 0.95  # share of void from which a label map, or a set, says nearly nothing
WHITE = 100  # a number from which up it is a tone of a drawing program rather than a class
ANOTHER_COLOUR = (
    24  # by how much a channel must differ; less is rounding, or a palette made of a JPEG
)


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
        ValueError: If the format is unknown, the list of classes cannot be used, or `"road_scenes"` may mean a folder that is
            here.
    """
    arguments.one_of("format", format, FORMATS)
    if means_drawn(source):
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
        self.numbers = np.zeros(256, bool)  # which occur in mask files of class numbers
        self.colours: dict[
            int, tuple
        ] = {}  # class number → the first palette's colour of it, and that file
        self.unlike: list[tuple] = []  # (class number, colour, file, another colour, another file)
        self.twins, self.copies = Twins(), Copies()
        self.edges = EdgeEvidence()

    def note(self, kind: str, what: str, file="") -> None:
        self.noted[kind, what].append(str(file))

    def at_files(self, part: str, files: Part, layout: Layout) -> None:
        self.report.pictures[part] = len(files.images)
        self.counts[part] = np.zeros(256, "int64")
        for text in files.strangers:
            self.note("listing", text)
        if not files.images and not files.strangers:
            self.note("listing", f"no picture in {part}: its list is empty")
        if files.labelled:
            for name in sorted(set(files.images) - set(files.masks)):
                self.note("no mask", "a picture has no mask", files.images[name])
            for name in sorted(set(files.masks) - set(files.images)):
                self.note("no picture", "a mask has no picture", files.masks[name])
            self._at_arrays_among({path.parent for path in files.masks.values()})
        if (
            part == "all"
        ):  # a folder of somebody's own; public sets have other files beside their pictures
            self._passed_over(
                {path.parent for path in (*files.images.values(), *files.masks.values())}
            )
        with progress(f"looking at {part}", len(files.images)) as advance:
            for name in sorted(files.images):
                image, about = self._image(files.images[name])
                if image is not None:
                    self._remember(part, files.images[name], image)
                if name in files.masks:
                    self._pair(part, image, about, files.masks[name], files.images[name])
                advance()

    def at_data(self, part: str, data: SegmentationData, known=frozenset()) -> None:
        """A data set that is not files: what an item shows. `known`: the indices of which something wrong was said already."""
        self.report.pictures[part] = len(data)
        self.counts[part] = np.zeros(256, "int64")
        with progress(f"looking at {part}", len(data)) as advance:
            for index in range(len(data)):
                name = f"{data.name}, number {index}"
                try:
                    image, mask = data[index]
                except (ValueError, OSError) as error:
                    if index not in known:
                        self.note("values", str(error), name)
                    continue
                self._remember(part, name, image)
                if mask is not None:
                    self._labels(part, mask, name)
                    self.edges.add(image, mask)
                    self.copies.add(part, name, name, mask)
                advance()

    # ------------------------------------------------------------------ one file
    # Whatever a damaged file makes its reader raise is a finding about that file: the others are looked at all the same.

    def _image(self, path):
        """The picture, if it can be read, and what its file says of itself."""
        try:
            about = images.examine(path)
        except Exception as error:
            self.note("unreadable", _without(error, path), path)
            return None, None
        if about.bits > 8:
            self.note("mode", f"{about.bits} bits a channel (mode {about.mode})", path)
        elif about.mode not in ("RGB", "L", "P", "1", "YCbCr"):
            self.note("mode", f"mode {about.mode} instead of RGB", path)
        self._frames(about, path)
        try:
            return images.read_image(path), about
        except Exception as error:
            if about.bits == 8 and "transparent" not in str(error):
                self.note("unreadable", _without(error, path), path)
            return None, about

    def _frames(self, about, path) -> None:
        if about.frames > 1:
            self.note(
                "frames",
                f"{about.frames} pictures in one file, of which only the first is read",
                path,
            )

    def _pair(self, part, image, about, path, picture) -> None:
        """A mask beside its picture."""
        try:
            of_mask = images.examine(path)
        except Exception as error:
            self.note("unreadable", _without(error, path), path)
            return
        self._frames(of_mask, path)
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
            self.copies.add(part, str(picture), str(path), labels)

    def _turn(self, about, size, path) -> None:
        """A picture that its camera noted as turned: does the mask belong to it as stored, or upright?"""
        if about is None or about.turn == 1:
            return
        stored = (about.height, about.width)
        if size == about.upright != stored:
            return  # the mask was drawn on the upright picture, which is how it is read
        fits = (
            "the mask fits it as stored, not upright"
            if about.upright != stored
            else "the mask may belong to either way up"
        )
        self.note(
            "turned", f"a picture is to be shown turned (Exif {about.turn}), and {fits}", path
        )

    def _mask(self, path, about) -> np.ndarray | None:
        """Its class numbers, unknown ones as void, or `None` if there are none to read."""
        by_numbers = self.code.colours is None
        try:
            if by_numbers and about.mode not in ("1", "L", "P"):
                self._not_numbers(path, about)
                return None
            pixels = images.read_mask(path) if by_numbers else images.read_colours(path)
            if by_numbers and about.mode == "P":
                self._palette(pixels, path)
        except Exception as error:
            self.note("mask mode" if about.bits > 8 else "unreadable", _without(error, path), path)
            return None
        labels, unknown = self.code.labels(pixels)
        if not by_numbers and about.mode not in ("RGB", "L") and _is_transparent(path):
            self.note(
                "transparent",
                "places of a coloured mask are transparent, and the colour under them counts",
                path,
            )
        if by_numbers:
            self.numbers[np.unique(pixels)] = True
            share = blended_share(pixels)
            if share > BLENDED:
                self.note(
                    "interpolated",
                    "along the edges between two classes lie numbers between theirs",
                    path,
                )
            elif unknown:
                known = [number for number in self.code.numbers if number != VOID]
                what = f"a number beyond {min(known)} to {max(known)} and 255: {', '.join(map(str, unknown[:8]))}"
                self.note("number", what, path)
        elif unknown:
            many = f"{len(unknown)} of them" if len(unknown) > 3 else ", ".join(map(str, unknown))
            self.note("colour", f"colours that stand for nothing: {many}", path)
        return labels

    def _palette(self, numbers, path) -> None:
        """Whether a class number is shown in another colour than in an earlier file."""
        colours = np.zeros((256, 3), int)
        colours[numbers] = images.read_colours(path)
        for number in np.unique(numbers).tolist():
            if self.code.numbers.get(number, VOID) == VOID:
                continue
            colour, first = self.colours.setdefault(number, (colours[number], path))
            if np.abs(colour - colours[number]).max() > ANOTHER_COLOUR:
                self.unlike.append((number, colour, first, colours[number], path))

    def _not_numbers(self, path, about) -> None:
        """A mask of more than one channel where class numbers are expected."""
        if about.bits > 8:
            self.note("mask mode", f"{about.bits} bits (mode {about.mode}) instead of 8", path)
            return
        colours = images.read_colours(path)
        ones = colours > 0
        if (ones.sum(axis=-1) == 1).all() and len(np.unique(colours)) == 2:
            self.note(
                "one-hot",
                "a mask has a channel for each class instead of one channel of class numbers",
                path,
            )
        else:
            self.note("mask mode", f"colours (mode {about.mode}) instead of class numbers", path)

    def _at_arrays_among(self, folders) -> None:
        """`.npy` files in a folder of masks, which would be passed over without a word."""
        for path in sorted(file for folder in folders for file in folder.glob("*.npy")):
            shape = self.shape(path)
            if shape is not None:
                what = f"an array {' x '.join(map(str, shape))} where a picture file is expected"
                self.note("one-hot" if len(shape) == 3 else "mask mode", what, path)

    def shape(self, path) -> tuple[int, ...] | None:
        """Of an array file, if it can be read."""
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception as error:
            self.note(
                "unreadable",
                f"not an array written by np.save: {_without(error, path) or 'empty'}",
                path,
            )
            return None
        if not isinstance(array, np.ndarray):
            array.close()
            self.note("unreadable", "not an array written by np.save, but a file of np.savez", path)
            return None
        return array.shape

    def _passed_over(self, folders) -> None:
        """What lies among the pictures and is not read: folders, and files of other kinds."""
        for path in sorted(entry for folder in folders for entry in folder.iterdir()):
            if path.name.startswith(".") or path.name.lower() in JUNK:
                continue
            if path.is_dir():
                self.note("passed over", "a folder inside, whose files are not read", path)
            elif path.suffix.lower() not in (*images.SUFFIXES, ".npy"):
                self.note(
                    "passed over",
                    f"a file of a kind that is not read ({path.suffix or 'no suffix'})",
                    path,
                )

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
                self.report.shares[part] = [
                    float(share) for share in classes / max(classes.sum(), 1)
                ]
                if self.report.void[part] >= NEARLY_ALL and not any(
                    kind == "void" for kind, _ in self.noted
                ):
                    self.note(
                        "void",
                        f"{100 * self.report.void[part]:.1f} % of all pixels of {part} are void",
                    )
        white = self._white()
        if white is None:
            self._absent()
        else:
            for key in [
                key for key in self.noted if key[0] == "number"
            ]:  # that it is no class is said here
                del self.noted[key]
            why = "is void" if white == VOID else "is no class"
            self.note(
                "white on black",
                f"all masks hold 0 and {white} alone, and {white} {why}, so there is one class only",
            )
        self._palettes()
        twins = list(self.twins.pairs())
        for one, other in self.copies.pairs(twins):
            self.note(
                "copied",
                "the label map of a picture is that of another one too, pixel for pixel",
                f"{one} = {other}",
            )
        for (part, name), (other_part, other) in twins:
            if part != other_part:
                self.note(
                    "shared", f"a picture of {part} is in {other_part} too", f"{name} = {other}"
                )
            elif len(self.counts) == 1:  # a fifth of them will be drawn for testing
                what = "a picture is there twice, so one may be trained on and the other tested on"
                self.note("shared", what, f"{name} = {other}")
        shift = self.edges.shift()
        if shift is not None:
            self.note("shifted", shift.in_words())
        self.report.findings = [
            Finding(kind, what, tuple(filter(None, files)))
            for (kind, what), files in sorted(
                self.noted.items(), key=lambda item: list(REMEDIES).index(item[0][0])
            )
        ]
        return self.report

    def _white(self) -> int | None:
        """The number of white, if all masks hold it and 0 alone, and it is no class."""
        numbers = np.flatnonzero(self.numbers).tolist()
        if (
            len(numbers) != 2
            or numbers[0] != 0
            or numbers[1] < WHITE
            or VOID not in self.code.numbers
        ):
            return None
        return numbers[1] if self.code.numbers.get(numbers[1], VOID) == VOID else None

    def _palettes(self) -> None:
        if self.unlike:
            number, colour, first, another, path = self.unlike[0]
            shown = [
                f"{tuple(seen.tolist())} in {file.name}"
                for seen, file in ((colour, first), (another, path))
            ]
            for file in dict.fromkeys((first, *(entry[-1] for entry in self.unlike))):
                self.note(
                    "palettes differ", f"class number {number} is {' and '.join(shown)}", file
                )


def _is_transparent(path) -> bool:
    """Whether a mask that could be read as colours is transparent in places: nothing else keeps it from being a picture."""
    try:
        images.read_image(path)
    except ValueError:
        return True
    except MemoryError:
        pass
    return False


def _check_arrays(folder: Path) -> Report:
    """The lecture's `.npy` files."""
    report = Report("lecture files", ("background", "road"))
    look = _Look(report, None)
    for split, names in FILES.items():
        files = [folder / name for name in names if name]
        if split == "test" and not files[0].is_file():
            continue
        shapes = [
            look.shape(file) if file.is_file() else () for file in files
        ]  # lecture_files says that a file is missing
        if None in shapes:
            continue
        try:
            data = lecture_files(folder, split)
        except ValueError as error:
            no_channels = split == "train" and (
                len(shapes[1]) == 3 or (len(shapes[1]) == 4 and shapes[1][3] < 2)
            )
            look.note("one-hot" if no_channels else "unreadable", str(error), files[-1])
            continue
        known = set()
        if split == "train":
            report.class_names = data.class_names
            known = _at_one_hot(look, files[1])
        look.at_data(split, data, known)
    return look.finished()


def _at_one_hot(look, path) -> set[int]:
    """Label maps of one-hot labels that are none; their indices."""
    labels, known = np.load(path, mmap_mode="r", allow_pickle=False), set()
    for index in range(len(labels)):
        values = np.asarray(labels[index], "float32")
        name = f"{path.name}, number {index}"
        if ((values > 0) & (values < values.max())).any():
            look.note(
                "interpolated",
                "a label map has values between 0 and its highest, so it was smoothed",
                name,
            )
            known.add(index)
        elif (np.count_nonzero(values, axis=-1) > 1).any():
            look.note("one-hot", "a pixel belongs to several classes", name)
            known.add(index)
    return known


def _without(error, path) -> str:
    """A message without the file's name, so that equal faults of several files are one finding."""
    text = " ".join(str(error).split())
    for name in (str(path), Path(path).name):
        text = text.replace(f"{name} ", "").replace(name, "the file")
    return text
