"""Opens every file of a data set: what is wrong with each, and what only all together show."""

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import numpy as np

from fcn_keras.data_checks import picture_files
from fcn_keras.data_checks.duplicates import SameLabelMaps, SamePictures
from fcn_keras.data_checks.mask_files import masks_of, note_wrong_shape
from fcn_keras.data_checks.report import Notes, Report
from fcn_keras.data_checks.shifts import EdgeEvidence
from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.layouts import Layout, Part
from fcn_keras.support.images import PictureFile
from fcn_keras.support.labels import VOID
from fcn_keras.support.progress import progress

NEARLY_ALL = 0.95  # share of void from which a label map, or a whole part, says next to nothing


class Inspection:
    """Inspects the parts of a data set one after the other, then reports.

    Args:
        name: The data set's.
        class_names: In the order of their numbers.
        layout: Where the files are and what they mean; `None` where there are no picture files.
    """

    def __init__(self, name: str, class_names: tuple[str, ...], layout: Layout | None = None):
        self.name, self.class_names, self.layout = name, class_names, layout
        self.notes = Notes()
        self.masks = None if layout is None else masks_of(layout.code, self.notes)
        self.pictures: dict[str, int] = {}  # part → number of pictures
        self.counts: dict[str, np.ndarray] = {}  # part → pixels of each number 0–255
        self.same_pictures, self.same_label_maps = SamePictures(), SameLabelMaps()
        self.edges = EdgeEvidence()

    # ------------------------------------------------------------------ files

    def inspect_files(self, part: str, files: Part) -> None:
        """The picture and mask files of one part."""
        self._begin(part, len(files.images))
        self._note_missing(part, files)
        with progress(f"inspecting {part}", len(files.images)) as advance:
            for name in sorted(files.images):
                self._inspect_pair(part, files.images[name], files.masks.get(name))
                advance()

    def _begin(self, part: str, pictures: int) -> None:
        self.pictures[part] = pictures
        self.counts[part] = np.zeros(256, "int64")

    def _note_missing(self, part: str, files: Part) -> None:
        """What the names alone show."""
        for conflict in files.conflicts:
            self.notes.add("listing", conflict)
        if not files.images and not files.conflicts:
            self.notes.add("listing", f"{part} has no pictures: its list is empty")
        image_folders = {path.parent for path in files.images.values()}
        mask_folders = {path.parent for path in files.masks.values()}
        if files.labelled:
            for name in files.without_mask:
                self.notes.add("no mask", "a picture has no mask", files.images[name])
            for name in sorted(set(files.masks) - set(files.images)):
                self.notes.add("no picture", "a mask has no picture", files.masks[name])
            picture_files.note_arrays(mask_folders, self.notes)
        if part == "all":  # public data sets have other files beside their pictures
            picture_files.note_what_is_not_read(image_folders | mask_folders, self.notes)

    def _inspect_pair(self, part: str, picture: Path, mask: Path | None) -> None:
        image, about = None, picture_files.examine(picture, self.notes)
        if about is not None and self.layout is not None:
            chosen = self.layout.bands, self.layout.scale
            image = picture_files.read_picture(picture, about, self.notes, *chosen)
        if image is not None:
            self.same_pictures.add(part, str(picture), image)
        if mask is None:
            return
        labels = self._inspect_mask(mask, about)
        if labels is None:
            return
        self._count(part, labels, mask)
        if image is not None and labels.shape == image.shape[:2]:
            self.edges.add(image, labels)
            self.same_label_maps.add(part, str(picture), str(mask), labels)

    def _inspect_mask(self, path: Path, picture: PictureFile | None) -> np.ndarray | None:
        about = picture_files.examine(path, self.notes)
        if about is None or self.masks is None:
            return None
        labels = self.masks.read(path, about)
        size = (about.height, about.width) if labels is None else labels.shape
        note_wrong_shape(size, picture, path, self.notes)
        return labels

    # ------------------------------------------------------------------ items

    def inspect_items(self, part: str, data: SegmentationData, noted: Collection[int] = ()) -> None:
        """The images and label maps of data that are not picture files.

        Args:
            part: Such as `"train"`.
            data: What to read.
            noted: Indices whose faults were noted already.
        """
        self._begin(part, len(data))
        with progress(f"inspecting {part}", len(data)) as advance:
            for index in range(len(data)):
                name = f"{data.name}, number {index}"
                try:
                    image, mask = data[index]
                except (ValueError, OSError) as error:
                    if index not in noted:
                        self.notes.add("values", str(error), name)
                    continue
                self.same_pictures.add(part, name, image)
                if mask is not None:
                    self._count(part, mask, name)
                    self.edges.add(image, mask)
                    self.same_label_maps.add(part, name, name, mask)
                advance()

    def _count(self, part: str, labels: np.ndarray, name: str | Path) -> None:
        counts = np.bincount(labels.ravel(), minlength=256)
        self.counts[part] += counts
        if counts[VOID] / labels.size >= NEARLY_ALL:
            self.notes.add("void", f"{100 * NEARLY_ALL:.0f} % or more of a label map is void", name)

    # ------------------------------------------------------------------ all together

    def report(self) -> Report:
        """The report, with what only all files together show."""
        report = Report(self.name, self.class_names, self.pictures)
        self._add_shares(report)
        if self.masks is not None:
            self.masks.note_all_together()
        if not self.notes.has("white on black"):  # what is missing there is only called otherwise
            self._note_absent(report)
        self._note_duplicates()
        shift = self.edges.shift()
        if shift is not None:
            self.notes.add("shifted", shift.in_words())
        report.findings = self.notes.findings()
        return report

    def _add_shares(self, report: Report) -> None:
        for part, counts in self.counts.items():
            if not counts.sum():
                continue
            classes = counts[: len(self.class_names)]
            void = report.void[part] = float(counts[VOID] / counts.sum())
            report.shares[part] = [float(share) for share in classes / max(classes.sum(), 1)]
            if void >= NEARLY_ALL and not self.notes.has("void"):
                self.notes.add("void", f"{100 * void:.1f} % of all pixels of {part} are void")

    def _note_absent(self, report: Report) -> None:
        """Classes that are missing in the same parts are one finding."""
        missing = defaultdict(list)
        for number, name in enumerate(self.class_names):
            parts = tuple(part for part in report.shares if self.counts[part][number] == 0)
            if parts:
                missing[parts].append(f"{number} {name!r}")
        for parts, classes in missing.items():
            where = f" in {' and '.join(parts)}" if len(report.shares) > 1 else ""
            self.notes.add("absent", f"no pixel of class {', '.join(classes)}{where}")

    def _note_duplicates(self) -> None:
        same_pictures = list(self.same_pictures.pairs())
        for one, other in self.same_label_maps.pairs(same_pictures):
            what = "two different pictures have the same label map, pixel for pixel"
            self.notes.add("copied", what, f"{one} = {other}")
        for (part, name), (other_part, other) in same_pictures:
            if part != other_part:
                what = f"a picture of {part} is also in {other_part}"
                self.notes.add("shared", what, f"{name} = {other}")
            elif len(self.counts) == 1:  # a random fifth of this part will be held out for testing
                what = "a picture occurs twice: one may be trained on, the other tested on"
                self.notes.add("shared", what, f"{name} = {other}")
