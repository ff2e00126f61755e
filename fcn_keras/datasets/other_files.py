"""Files that lie where pictures are expected and are none, and what to do about them."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from fcn_keras.support.images import SUFFIXES

POLYGONS = (
    "hold outlines, not pixels: export masks from the labelling tool (CVAT: 'Segmentation mask', "
    "Roboflow: 'Semantic Segmentation Masks', labelme: labelme2voc.py)"
)
# What to do about files of each suffix
REMEDIES = {
    ".json": f"{POLYGONS}, or draw COCO's with pycocotools, annToMask",
    ".txt": f"{POLYGONS}, or draw YOLO's with PIL.ImageDraw.Draw(mask).polygon(corners, number)",
    ".xml": POLYGONS,
    ".gif": "PIL.Image.open('a.gif').save('a.png') keeps the numbers of a mask",
    ".npy": "PIL.Image.fromarray(np.load('a.npy').astype('uint8')).save('a.png')",
    ".mat": "scipy.io.loadmat('a.mat') has the numbers; save them with PIL.Image.fromarray as PNG",
    ".zip": "unpack it",
}
CAMERA = "save photographs as JPEG or PNG; `pip install pillow-heif` reads HEIC in Python"
REMEDIES.update(dict.fromkeys((".heic", ".heif", ".avif"), CAMERA))


def found_instead(folder: Path, names: Collection[str] | None = None) -> str:
    """What else lies in a folder, and the way out: ends a sentence that says what is missing.

    Args:
        folder: A folder without pictures, or without some of them.
        names: Only files of these names, whatever their suffix; `None`: all.
    """
    entries = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if names is not None:
        entries = [path for path in entries if path.stem in names]
    suffixes = Counter(path.suffix.lower() for path in entries if path.is_file())
    others = [(count, suffix) for suffix, count in suffixes.items() if suffix not in SUFFIXES]
    folders = [path.name for path in entries if path.is_dir()]
    if others:
        count, suffix = max(others)
        remedy = REMEDIES.get(suffix, "save them as PNG")
        return f"{count} {suffix or 'without a suffix'}, a type that is not read: {remedy}."
    if folders:
        return f"a folder {folders[0]}. Pictures lie directly in {folder}, not in folders below."
    return "none"
