"""Small data sets in the layouts of the large ones, from drawn pictures, for tests that spoil them.

Each function writes one and returns its folder. Pictures are drawn so that labels lie on the
picture's edges, every class occurs, and no two are alike.
"""

import numpy as np
from PIL import Image

import fcn_keras as fcn

SIZE = (48, 64)


def scene(number: int, num_classes: int, size=SIZE):
    """A picture and its label map: blocks of every class on class 0, each class in its own colour,
    some noise."""
    rng = np.random.default_rng([7, number])
    height, width = size
    mask = np.zeros(size, "uint8")
    for label in range(1, num_classes):
        top, left = rng.integers(0, height - 16), rng.integers(0, width - 20)
        mask[top : top + rng.integers(10, 16), left : left + rng.integers(12, 20)] = label
    # no class is hidden wholly by the later ones
    for place, label in enumerate(rng.permutation(num_classes)):
        row, column = divmod(place, width // 6)
        mask[height - 6 * (row + 1) : height - 6 * row, 6 * column : 6 * column + 6] = label
    colours = np.random.default_rng(1).integers(0, 256, (256, 3))
    image = np.clip(colours[mask] + rng.normal(0, 3, (*size, 3)), 0, 255).astype("uint8")
    return image, mask


def ringed(mask, void=255):
    """The mask with void along the outer border, as annotators leave it."""
    mask = mask.copy()
    mask[0], mask[-1], mask[:, 0], mask[:, -1] = (void,) * 4
    return mask


def plain(folder, count=10, names=("grass", "road", "car")):
    for number in range(count):
        image, mask = scene(number, len(names))
        fcn.images.write_image(folder / "images" / f"p{number}.png", image)
        fcn.images.write_image(folder / "masks" / f"p{number}.png", ringed(mask))
    (folder / "classes.txt").write_text("\n".join(names) + "\n")
    return folder


COLOURS = {"grass": (0, 128, 0), "road": (128, 64, 128), "car": (0, 0, 142), "void": (0, 0, 0)}


def coloured(folder, count=10):
    """As `plain`, with RGB masks and a table of colours."""
    plain(folder, count)
    table = np.zeros((256, 3), "uint8")
    table[:3] = [COLOURS[name] for name in ("grass", "road", "car")]
    for path in (folder / "masks").iterdir():
        fcn.images.write_image(path, table[np.array(Image.open(path))])
    (folder / "classes.txt").write_text(
        "".join(f"{name} {r} {g} {b}\n" for name, (r, g, b) in COLOURS.items())
    )
    return folder


def camvid(folder, count=6):
    for start, (split, film) in enumerate((("train", "0001TP"), ("val", "0016E5"))):
        for number in range(count):
            image, mask = scene(100 * start + number, 11)
            name = f"{film}_{number:06}.png"
            fcn.images.write_image(folder / split / name, image)
            fcn.images.write_image(folder / f"{split}annot" / name, ringed(mask, 11))
    return folder


def kitti(folder, count=4):
    """With lane files and test pictures, which are no part of the labelled data."""
    table = np.zeros((256, 3), "uint8")
    table[0], table[1] = (255, 0, 0), (255, 0, 255)
    for kind, start in (("um", 0), ("umm", 20), ("uu", 40)):
        for number in range(count):
            name = f"{number:06}"
            # as there, a pixel more or less
            image, mask = scene(start + number, 2, (SIZE[0], SIZE[1] + number % 2))
            training = folder / "training"
            fcn.images.write_image(training / "image_2" / f"{kind}_{name}.png", image)
            fcn.images.write_image(
                training / "gt_image_2" / f"{kind}_road_{name}.png", table[ringed(mask)]
            )
            if kind == "um":
                fcn.images.write_image(
                    training / "gt_image_2" / f"um_lane_{name}.png", table[1 - mask]
                )
            fcn.images.write_image(
                folder / "testing" / "image_2" / f"{kind}_{name}.png",
                scene(300 + start + number, 2)[0],
            )
    return folder


def voc(folder, count=5):
    """In `VOCdevkit/VOC2012`, with pictures that are in no segmentation split."""
    root = folder / "VOCdevkit" / "VOC2012"
    palette = fcn.datasets.public_sets.voc_palette()
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    names = {"train": [], "val": []}
    for start, split in enumerate(names):
        for number in range(count):
            name = f"200{7 + start}_{number:06}"
            image, mask = scene(400 + 50 * start + number, 21, (64, 96))
            Image.fromarray(image).save(_made(root / "JPEGImages") / f"{name}.jpg", quality=95)
            edged = (
                np.where(fcn.evaluation.boundary_band(mask, 1), 255, mask).astype("uint8")
                if number % 2
                else ringed(mask)
            )
            fcn.images.write_image(root / "SegmentationClass" / f"{name}.png", edged, palette)
            names[split].append(name)
    Image.fromarray(scene(499, 3)[0]).save(root / "JPEGImages" / "2009_000009.jpg")
    for split, listed in (*names.items(), ("trainval", names["train"] + names["val"])):
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(listed) + "\n")
    return folder


def pets(folder, count=5):
    """With the hidden files that the released archive brings along."""
    lists = {"trainval": [], "test": []}
    for start, split in enumerate(lists):
        for number in range(count):
            name = f"Abyssinian_{100 * start + number}"
            image, mask = scene(600 + 50 * start + number, 2)
            trimap = np.where(mask == 1, 1, 2).astype("uint8")
            trimap[fcn.evaluation.boundary_band(mask, 1)] = 3
            Image.fromarray(image).save(_made(folder / "images") / f"{name}.jpg", quality=95)
            fcn.images.write_image(folder / "annotations" / "trimaps" / f"{name}.png", trimap)
            (folder / "annotations" / "trimaps" / f"._{name}.png").write_bytes(b"\x00\x05\x16\x07")
            lists[split].append(f"{name} 1 1 1")
    for split, lines in lists.items():
        (folder / "annotations" / f"{split}.txt").write_text(
            "\n".join(["#Image CLASS-ID SPECIES BREED ID", *lines]) + "\n"
        )
    return folder


def npy(folder, count=6):
    """The lecture's three files."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [scene(700 + number, 2) for number in range(count)]
    np.save(
        folder / "images_training.npy", np.stack([image / np.float32(255) for image, _ in pairs])
    )
    np.save(
        folder / "seg_training.npy",
        np.stack([np.eye(2, dtype="float32")[mask] for _, mask in pairs]),
    )
    np.save(
        folder / "images_testing.npy",
        np.stack([scene(800 + n, 2)[0] / np.float32(255) for n in range(2)]),
    )
    return folder


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


ALL = {
    "plain": plain,
    "coloured": coloured,
    "camvid": camvid,
    "kitti": kitti,
    "voc": voc,
    "pets": pets,
    "npy": npy,
}
