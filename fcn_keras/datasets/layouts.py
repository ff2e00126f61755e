"""Which files of a data set belong together. Pictures are found here, but not opened.

Each format is a function that takes a folder and returns a `Layout`. The loaders read pairs from
it; `fcn_keras.data_checks` goes through it and reports what is wrong.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.mask_codes import MaskCode
from fcn_keras.datasets.other_files import found_instead
from fcn_keras.datasets.white_masks import require_void_is_meant
from fcn_keras.support import arguments
from fcn_keras.support.files import digest_of_file
from fcn_keras.support.images import SUFFIXES, examine, read_image
from fcn_keras.support.labels import VOID


@dataclass(frozen=True)
class Part:
    """The files of one part of a data set, such as its training pictures."""

    images: Mapping[str, Path]  # name → file
    masks: Mapping[str, Path]
    conflicts: Sequence[str] = ()  # two pictures of one name, a listed name without a picture
    labelled: bool = True  # False: no masks are expected

    @property
    def names(self) -> list[str]:
        """The names of all pictures that can be used, sorted."""
        return sorted(name for name in self.images if name in self.masks or not self.labelled)

    @property
    def without_mask(self) -> list[str]:
        """The names of all pictures that should have a mask and have none, sorted."""
        return sorted(set(self.images) - set(self.masks)) if self.labelled else []


@dataclass(frozen=True)
class Layout:
    """A data set on disk."""

    name: str
    class_names: tuple[str, ...]
    code: MaskCode
    parts: Mapping[str, Part]  # such as "train" and "val", or "all" where there is no split
    palette: np.ndarray | None = None
    size: tuple[int, int] | None = None  # height and width to resize every picture to
    bands: tuple[int, int, int] | None = None  # as in `read_image`
    scale: tuple[float, float] | None = None

    def data(self, part: str) -> SegmentationData:
        """One part, sorted by name. Each picture is read when it is asked for.

        Raises:
            ValueError: If there is no such part, or two pictures have one name.
            FileNotFoundError: If a picture has no mask, or the part has no pictures.
        """
        files = self.parts[arguments.one_of("split", part, self.parts)]
        self._require_pairs(files, part)
        names = files.names
        masks = [files.masks[name] for name in names] if files.labelled else []

        def read(index):
            name = names[index]
            if not files.labelled:
                return self.picture(files.images[name]), None
            image, mask = self._read_pair(files.images[name], files.masks[name])
            if masks and _may_be_white(mask):
                require_void_is_meant(self.code, masks)
                masks.clear()  # known for all of them
            return image, mask

        title = self.name if part == "all" else f"{self.name} {part}"
        return SegmentationData(
            read,
            len(names),
            self.class_names,
            self.palette,
            title,
            {"size": self.size, "bands": self.bands, "scale": self.scale},
            lambda index: digest_of_file(files.images[names[index]]),
        )

    def picture(self, path: Path) -> np.ndarray:
        """A picture, as `read_image` returns it."""
        return read_image(path, self.size, self.bands, self.scale)

    def _require_pairs(self, files: Part, part: str) -> None:
        if files.conflicts:
            raise ValueError(
                f"Expected {self.name} to name every picture once. Received: {files.conflicts[0]}"
            )
        missing = files.without_mask
        if missing:
            listed = f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}"
            raise FileNotFoundError(
                "Expected a mask for every picture in "
                f"{next(iter(files.images.values())).parent}. "
                f"Received: none for {listed} ({len(missing)} in all). "
                f"{_similar_mask(files, missing)}"
            )
        if not files.names:
            raise FileNotFoundError(f"Expected pictures in {self.name}, {part}. Received: none")

    def _read_pair(self, image_file: Path, mask_file: Path) -> tuple[np.ndarray, np.ndarray]:
        image = self.picture(image_file)
        mask = self.code.read(mask_file, self.size)
        of_image, of_mask = image.shape[:2], mask.shape
        if self.size is not None:  # once resized, any two have the same size
            stored = examine(mask_file)
            of_image, of_mask = examine(image_file).upright, (stored.height, stored.width)
        if of_mask != of_image:
            raise ValueError(
                f"Expected {mask_file} to have the size of its image, "
                f"{of_image[0]} x {of_image[1]}. Received: {of_mask[0]} x {of_mask[1]}"
            )
        return image, mask


def _may_be_white(mask: np.ndarray) -> bool:
    """Whether a label map has only class 0 and void."""
    return mask.max() == VOID and not ((mask > 0) & (mask < VOID)).any()


def _similar_mask(files: Part, missing: Sequence[str]) -> str:
    """A hint: the mask whose name is the picture's with something added, or files of other types,
    or where to find more."""
    name = missing[0]
    similar = next((path for other, path in sorted(files.masks.items()) if name in other), None)
    if similar is None:
        folder = next((path.parent for path in files.masks.values()), None)
        other = "none" if folder is None else found_instead(folder, missing)
        more = "python -m fcn_keras check-data lists everything that is wrong."
        return more if other == "none" else f"There is {other}"
    wanted = f"{name}{similar.suffix}"
    return f"Is it {similar.name}? A mask has the name of its picture: {wanted}."


def pictures(folder: str | Path, conflicts: list[str] | None = None) -> dict[str, Path]:
    """The picture files of a folder by name without suffix. Hidden files are left out.

    Args:
        folder: The folder of the pictures.
        conflicts: A list that gets a sentence for every two pictures of one name. The first counts.

    Raises:
        FileNotFoundError: If the folder is missing or has no pictures.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Expected a folder of pictures. Received: {folder}, which is not there."
            f"{_beside(folder)}"
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            name = composed(path.stem)
            if name in found and conflicts is not None:
                conflicts.append(
                    f"{found[name].name} and {path.name} in {folder}: which of them is meant?"
                )
            found.setdefault(name, path)
    if not found:
        raise FileNotFoundError(
            f"Expected pictures ({', '.join(SUFFIXES)}) in {folder}. "
            f"Received: {found_instead(folder)}"
        )
    return found


def _beside(folder: Path) -> str:
    """A hint: the folders beside one that is not there."""
    parent = folder.parent
    names = [path.name for path in sorted(parent.glob("*/"))] if parent.is_dir() else []
    return f" In {parent} there are {', '.join(names[:8])}." if names else ""


def composed(name: str) -> str:
    """A file's name with ä as one character; macOS writes it as two, a and the dots."""
    return unicodedata.normalize("NFC", name)


def matched(
    image_files: Mapping[str, Path],
    mask_files: Mapping[str, Path],
    names: Iterable[str],
    split_file: Path,
) -> Part:
    """The pictures that a split file lists.

    Args:
        image_files, mask_files: Name → file, of the whole data set.
        names: The names in the split file.
        split_file: For messages.
    """
    names, conflicts, seen = [composed(name) for name in names], [], set()
    for name in names:
        if name in seen:
            conflicts.append(f"{name} twice in {split_file}")
        elif name not in image_files:
            conflicts.append(f"{name} in {split_file}, but no such picture")
        seen.add(name)
    chosen = [name for name in names if name in image_files]
    return Part(
        {name: image_files[name] for name in chosen},
        {name: mask_files[name] for name in chosen if name in mask_files},
        conflicts,
    )
