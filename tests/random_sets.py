"""Random data sets whose truth is known, in any layout, size, depth, encoding and list of classes.

`draw(seed, folder)` writes one. Some have a fault, which has to be refused; some are stored in a
way that may be refused, but must not be read wrongly. The files are written here or by Pillow,
never by the package.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

VOID = 255
NAMES = ("grass", "road", "car", "traffic sign", "Straße", "sky", "curb", "person", "lake", "wall")
ODD_NAMES = ("lane 1", "lane 2", "2 wheeler", "4 wheeler", "road, wet", "50/50")
CAMVID = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car")
CAMVID = (*CAMVID, "pedestrian", "bicyclist")
VOC = ("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair")
VOC = (*VOC, "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep")
VOC = (*VOC, "sofa", "train", "tvmonitor")


@dataclass
class RandomSet:
    """What was drawn."""

    seed: int
    folder: Path
    class_names: tuple[str, ...] = ()
    images: dict[str, np.ndarray] = field(default_factory=dict)  # name → uint8 (H, W, 3)
    labels: dict[str, np.ndarray] = field(default_factory=dict)  # name → uint8 (H, W), 255 is void
    files: dict[str, Path] = field(default_factory=dict)  # name → the picture's file
    masks: dict[str, Path] = field(default_factory=dict)
    tolerance: int = 0  # how far a stored picture may be from the drawn one
    fault: str = ""  # has to be reported by check-data, and refused by train unless in ONLY_SEEN
    may_refuse: bool = False  # a reader may say that it does not know this encoding
    about: list[str] = field(default_factory=list)

    def __str__(self):
        return f"seed {self.seed}: {', '.join(self.about)}{', ' + self.fault if self.fault else ''}"


# --- what stands for a class in a mask, and how a list says it ---


@dataclass
class Code:
    """A number or a colour for each class and for void."""

    numbers: list[int] = field(default_factory=list)
    void: int = VOID
    colours: list[tuple] = field(default_factory=list)  # the last is void's

    def stored(self, labels: np.ndarray) -> np.ndarray:
        if self.colours:
            table = np.zeros((256, 3), "uint8")
            table[: len(self.colours) - 1] = self.colours[:-1]
            table[VOID] = self.colours[-1]
        else:
            table = np.zeros(256, "uint8")
            table[: len(self.numbers)] = self.numbers
            table[VOID] = self.void
        return table[labels]


def in_order(rng, count) -> Code:
    return Code(list(range(count)))


def void_among_them(rng, count) -> Code:
    void = int(rng.integers(count + 1))
    return Code([number for number in range(count + 1) if number != void], void)


def any_numbers(rng, count) -> Code:
    numbers = rng.choice(255, count + 1, replace=False)
    if rng.random() < 0.5:
        numbers = np.arange(count + 1)
    return Code(sorted(map(int, numbers[:count])), int(numbers[count]))


def any_colours(rng, count) -> Code:
    step = 1 if rng.random() < 0.3 else 8  # colours of classes may be close to each other
    packed = rng.choice(32**3, count + 1, replace=False)
    return Code([], VOID, [tuple(int(p // 32**k % 32) * step for k in range(3)) for p in packed])


def lines(code: Code, names, form: str, void: str = "void") -> list[str]:
    """A line for each class, and one for void where it is not 255."""
    if code.colours:
        rows = list(zip((*names, void), range(99), code.colours))
    else:
        rows = list(zip(names, code.numbers, [(0, 0, 0)] * len(names)))
        rows += [] if code.void == VOID else [(void, code.void, (0, 0, 0))]
    rows.sort(key=lambda row: row[1])
    return [
        form.format(name=name, n=n, r=r, g=g, b=b, hex=f"#{r:02x}{g:02x}{b:02x}")
        for name, n, (r, g, b) in rows
    ]


def shuffled(rng, listed: list[str]) -> list[str]:
    return [listed[place] for place in rng.permutation(len(listed))]


class ListForm(NamedTuple):
    """A way to write a list of classes: its file, its code, a line's form, what stands above."""

    file: str
    code: Callable
    form: str
    above: str = ""
    in_any_order: bool = False
    odd_names: bool = False


LIST_FORMS = {
    "plain list": ListForm("classes.txt", in_order, "{name}", "# mine\n", odd_names=True),
    "list with void": ListForm("classes.txt", void_among_them, "{name}"),
    "class_names.txt": ListForm("class_names.txt", in_order, "{name}", odd_names=True),
    "labelme's list": ListForm("labels.txt", in_order, "{name}", "__ignore__\n"),
    "0 name": ListForm("classes.txt", any_numbers, "{n} {name}", "", True),
    "0: name": ListForm("labels.txt", any_numbers, "{n}: {name}", "", True),
    "name: 0": ListForm("classes.txt", any_numbers, "{name}: {n}", "", True),
    "Roboflow": ListForm("_classes.csv", any_numbers, "{n}, {name}", "Pixel Value, Class\n", True),
    "YOLO, list": ListForm("data.yaml", in_order, "- '{name}'", "nc: 3\nnames:\n"),
    "YOLO, numbers": ListForm("data.yaml", any_numbers, "  {n}: {name}", "names:\n", True),
    "CVAT, no colours": ListForm("labelmap.txt", in_order, "{name}:::", "# label:color_rgb\n"),
    "colours": ListForm("classes.txt", any_colours, "{name} {r} {g} {b}"),
    "colours, commas": ListForm("classes.txt", any_colours, "{name}, {r}, {g}, {b}"),
    "#hex": ListForm("classes.txt", any_colours, "{name} {hex}"),
    "#hex first": ListForm("classes.txt", any_colours, "{hex} {name}"),
    "colours first": ListForm("label_colors.txt", any_colours, "{r} {g} {b}\t{name}"),
    "table of colours": ListForm(
        "class_dict.csv", any_colours, "{name},{r},{g},{b}", "name,r,g,b\n"
    ),
    "CVAT": ListForm("labelmap.txt", any_colours, "{name}:{r},{g},{b}::", "# label:color_rgb\n"),
}


# --- layouts ---


class Place(NamedTuple):
    """Where a layout keeps a picture and its mask, and what is fixed about it."""

    image: str  # with {split} and {name}
    mask: str
    name: str  # a picture's name, with {n}
    names: tuple[str, ...] = ()  # of a public set; else there is a list of classes
    code: Code | None = None
    split_lists: str = ""  # the file that lists the names of {split}
    splits: tuple[str, ...] = ("all",)


RED, MAGENTA, BLACK = (255, 0, 0), (255, 0, 255), (0, 0, 0)
VOC_LIST = "ImageSets/Segmentation/{split}.txt"
TWO = ("train", "val")
PLACES = {
    "plain": Place("images/{name}", "masks/{name}", "p {n}"),
    "plain, ä": Place("images/{name}", "masks/{name}", "Stra\u0308ße-{n}.2"),
    "labelme": Place("JPEGImages/{name}", "SegmentationClass/{name}", "IMG_{n:04}"),
    "CVAT": Place(
        "JPEGImages/{name}",
        "SegmentationClass/{name}",
        "frame_{n:06}",
        split_lists=VOC_LIST,
        splits=("default",),
    ),
    "VOC's way": Place(
        "JPEGImages/{name}",
        "SegmentationClass/{name}",
        "street{n}",
        split_lists=VOC_LIST,
        splits=TWO,
    ),
    "CamVid's way": Place("{split}/{name}", "{split}annot/{name}", "street{n}", splits=TWO),
    "CamVid": Place(
        "{split}/{name}",
        "{split}annot/{name}",
        "0001TP_{n:06}",
        CAMVID,
        Code(list(range(11)), 11),
        splits=TWO,
    ),
    "VOC": Place(
        "VOCdevkit/VOC2012/JPEGImages/{name}",
        "VOCdevkit/VOC2012/SegmentationClass/{name}",
        "2007_{n:06}",
        VOC,
        Code(list(range(21))),
        f"VOCdevkit/VOC2012/{VOC_LIST}",
        TWO,
    ),
    "KITTI": Place(
        "training/image_2/um_{name}",
        "training/gt_image_2/um_road_{name}",
        "{n:06}",
        ("background", "road"),
        Code([], VOID, [RED, MAGENTA, BLACK]),
    ),
    "pets": Place(
        "images/{name}",
        "annotations/trimaps/{name}",
        "Abyssinian_{n}",
        ("background", "pet"),
        Code([2, 1], 3),
        "annotations/{split}.txt",
        ("trainval", "test"),
    ),
}
OFTEN = ("plain", "plain", "plain, ä", "labelme", "CVAT", "VOC's way", "CamVid's way")


# --- encodings ---

JPEG = {"quality": 98, "subsampling": 0}


def write_png(path: Path, samples: np.ndarray, bits: int, palette=None, transparent=None) -> None:
    """A PNG file of any depth, from the format's definition."""
    rows = samples.reshape(len(samples), -1)
    if bits == 16:
        raw = rows.astype(">u2").view("uint8").reshape(len(rows), -1)
    else:
        each = np.unpackbits(rows.astype("uint8")[..., None], axis=-1)[..., 8 - bits :]
        raw = np.packbits(each.reshape(len(rows), -1), axis=-1)
    kind = 2 if samples.ndim == 3 else 0 if palette is None else 3
    header = struct.pack(">IIBBBBB", samples.shape[1], len(samples), bits, kind, 0, 0, 0)
    chunks = [(b"IHDR", header)]
    if palette is not None:
        chunks.append((b"PLTE", np.asarray(palette, "uint8")[: 2**bits].tobytes()))
    if transparent is not None:
        chunks.append((b"tRNS", transparent))
    pixels = np.pad(raw, ((0, 0), (1, 0)))  # each row begins with its filter, 0
    chunks += [(b"IDAT", zlib.compress(pixels.tobytes())), (b"IEND", b"")]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, content in chunks:
            check = zlib.crc32(name + content)
            file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", check))


class Encoding(NamedTuple):
    """A way to store an array: the suffix, the writer, what it needs, and how sure it is read."""

    suffix: str
    write: Callable  # (path, array, rng)
    fits: Callable = lambda array: True
    may_refuse: bool = False
    tolerance: int = 0
    prepare: Callable = lambda picture: picture  # what of a picture such a file can hold


def saved(mode=None, **options):
    """By Pillow, in a mode of Pillow's."""

    def write(path, array, rng):
        picture = Image.fromarray(array)
        (picture.convert(mode) if mode else picture).save(path, **options)

    return write


def with_palette(bits=8, transparent=None):
    def write(path, array, rng):
        palette = np.random.default_rng(5).integers(0, 256, (256, 3))  # the same for all files
        write_png(path, array, bits, palette, transparent)

    return write


def colours_with_palette(path, array, rng):
    """Every file numbers its colours anew."""
    colours, where = np.unique(array.reshape(-1, 3), axis=0, return_inverse=True)
    order = rng.permutation(len(colours))
    palette = np.zeros((256, 3), "uint8")
    palette[order] = colours
    write_png(path, order[where.reshape(array.shape[:2])], 8, palette)


def below(limit):
    return lambda array: array.max() < limit


def deep(factor):
    return lambda path, array, rng: write_png(path, array.astype("uint16") * factor, 16)


def shallow(bits):
    return lambda path, array, rng: write_png(path, array, bits)


def turned(path, array, rng):
    """Stored on its side, with Exif's word for it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(array).transpose(Image.Transpose.ROTATE_90)
    picture.save(path, **JPEG, exif=exif)


def grey(picture):
    return picture[..., :1].repeat(3, axis=-1)


def few_shades(bits):
    """Black, white and equal steps between."""
    step = 255 // (2**bits - 1)
    return lambda picture: grey(picture) // (256 >> bits) * step


def few_colours(picture):
    return picture // 64 * 64


def shades(bits):
    step = 255 // (2**bits - 1)
    return lambda path, array, rng: write_png(path, array[..., 0] // step, bits)


NUMBER_ENCODINGS = {
    "grey PNG": Encoding(".png", saved()),
    "palette PNG": Encoding(".png", with_palette()),
    "grey TIFF": Encoding(".tif", saved(compression="tiff_lzw")),
    "grey BMP": Encoding(".bmp", saved()),
    "1-bit PNG": Encoding(".png", shallow(1), below(2)),
    "2-bit PNG": Encoding(".png", shallow(2), below(4)),
    "4-bit PNG": Encoding(".png", shallow(4), below(16)),
    "2-bit palette": Encoding(".png", with_palette(2), below(4)),
    "4-bit palette": Encoding(".png", with_palette(4), below(16)),
    "palette, one clear": Encoding(".png", with_palette(8, b"\x00"), may_refuse=True),
    "16-bit PNG": Encoding(".png", deep(1), may_refuse=True),
    "grey TIFF of 16 bits": Encoding(
        ".tif", lambda p, a, r: Image.fromarray(a.astype("uint16")).save(p), may_refuse=True
    ),
    "equal channels": Encoding(".png", saved("RGB"), may_refuse=True),
    "grey and opaque": Encoding(".png", saved("LA"), may_refuse=True),
    "JPEG of numbers": Encoding(".jpg", saved(quality=90), may_refuse=True),
}
COLOUR_ENCODINGS = {
    "RGB PNG": Encoding(".png", saved()),
    "colours in a palette": Encoding(".png", colours_with_palette),
    "RGB TIFF": Encoding(".tiff", saved(compression="tiff_deflate")),
    "RGB BMP": Encoding(".bmp", saved()),
    "RGBA PNG": Encoding(".png", saved("RGBA")),
    "RGB of 16 bits": Encoding(".png", deep(257), may_refuse=True),
    "RGB of 12 bits": Encoding(".png", deep(16), may_refuse=True),
    "JPEG of colours": Encoding(".jpg", saved(quality=90), may_refuse=True),
}
PICTURE_ENCODINGS = {
    "PNG": Encoding(".png", saved()),
    "JPEG": Encoding(".jpg", saved(**JPEG), tolerance=20),
    "large suffix": Encoding(".JPG", saved(format="JPEG", **JPEG), tolerance=20),
    "turned JPEG": Encoding(".jpeg", turned, tolerance=20),
    "BMP": Encoding(".bmp", saved()),
    "TIFF": Encoding(".tif", saved(compression="tiff_lzw")),
    "WebP": Encoding(".webp", saved(lossless=True)),
    "opaque": Encoding(".png", saved("RGBA")),
    "grey": Encoding(".png", saved("L"), prepare=grey),
    "grey JPEG": Encoding(".jpg", saved("L", quality=98), tolerance=20, prepare=grey),
    "grey and opaque": Encoding(".png", saved("LA"), prepare=grey),
    "palette": Encoding(".png", colours_with_palette, prepare=few_colours),
    "1 bit": Encoding(".png", shades(1), prepare=few_shades(1)),
    "2 bits": Encoding(".png", shades(2), prepare=few_shades(2)),
    "4 bits": Encoding(".png", shades(4), prepare=few_shades(4)),
    "4 bands": Encoding(".tif", saved("RGBX"), may_refuse=True),
    "CMYK": Encoding(".tif", saved("CMYK"), may_refuse=True, tolerance=2),
    "16 bits": Encoding(".png", deep(257), may_refuse=True, tolerance=1),
    "grey, 16 bits": Encoding(
        ".png",
        lambda path, array, rng: write_png(path, array[..., 0] * np.uint16(257), 16),
        may_refuse=True,
        tolerance=1,
        prepare=grey,
    ),
    "12 bits": Encoding(".png", deep(16), may_refuse=True, tolerance=1),
}


# --- faults ---


def _one(drawn: RandomSet, rng, files) -> Path:
    return files[sorted(files)[int(rng.integers(len(files)))]]


def mask_missing(drawn, rng):
    _one(drawn, rng, drawn.masks).unlink()


def mask_of_another_size(drawn, rng):
    path = _one(drawn, rng, drawn.masks)
    with Image.open(path) as mask:
        mask = mask.crop((0, 0, mask.width + 1, mask.height))
    mask.save(path)


def file_cut(drawn, rng):
    path = _one(drawn, rng, drawn.masks if rng.random() < 0.5 else drawn.files)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def file_of_text(drawn, rng):
    _one(drawn, rng, drawn.files).write_text("<html>404</html>")


def two_of_one_name(drawn, rng):
    path = _one(drawn, rng, drawn.files)
    other = ".bmp" if path.suffix != ".bmp" else ".png"
    Image.new("RGB", (9, 9)).save(path.with_suffix(other))


def number_unknown(drawn, rng):
    """A number, or a colour, that is in no list."""
    path = _one(drawn, rng, drawn.masks)
    with Image.open(path) as mask:
        size = mask.size
    Image.new("RGB", size, (251, 253, 249)).save(path.with_suffix(".png"))
    if path.suffix != ".png":
        path.unlink()


def mask_as_json(drawn, rng):
    path = _one(drawn, rng, drawn.masks)
    path.unlink()
    path.with_suffix(".json").write_text('{"shapes": []}')


def list_missing(drawn, rng):
    for path in drawn.folder.iterdir():
        if path.is_file():
            path.unlink()


def white_on_black(drawn, rng):
    """Black and white instead of 0 and 1."""
    for path in drawn.masks.values():
        with Image.open(path) as mask:
            white = np.array(mask.convert("L")) > 0
        path.unlink()
        Image.fromarray(white.astype("uint8") * 255).save(path.with_suffix(".png"))


FAULTS = {
    "a mask is missing": mask_missing,
    "a mask has another size": mask_of_another_size,
    "a file is cut": file_cut,
    "a picture is no picture": file_of_text,
    "two pictures of one name": two_of_one_name,
    "a colour in no list": number_unknown,
    "a mask is JSON": mask_as_json,
    "the list is missing": list_missing,
    "white on black": white_on_black,
}
ONLY_SEEN = ("white on black",)  # 255 is void, so train has nothing to refuse


# --- drawing ---


def draw(seed: int, folder: Path) -> RandomSet:
    """Writes the data set of a seed."""
    rng = np.random.default_rng([19, seed])
    drawn = RandomSet(seed, folder)
    kind = _choice(rng, OFTEN if rng.random() < 0.75 else (*PLACES, "arrays"))
    if kind == "arrays":
        return _draw_arrays(drawn, rng)
    place = PLACES[kind]
    drawn.about.append(kind)
    code = _classes(drawn, place, rng)
    count = int(rng.integers(2, 6)) * len(place.splits)
    sides = rng.integers(6, 41, rng.choice([2, 3, 2 * count]))  # few: pictures share a side
    sizes = [tuple(map(int, rng.choice(sides, 2))) for _ in range(rng.choice([1, 2, count]))]
    _draw_pictures(drawn, place, count, rng, sizes)
    _write_pictures(drawn, place, code, rng)
    if rng.random() < 0.25:
        own_list = not place.names
        drawn.fault = _choice(rng, [f for f in FAULTS if own_list or f != "the list is missing"])
        FAULTS[drawn.fault](drawn, rng)
    return drawn


def store_again(drawn: RandomSet) -> None:
    """The same label maps with the classes in another order, under another list, as PNG."""
    rng = np.random.default_rng([23, drawn.seed])
    for path in drawn.folder.iterdir():
        if path.is_file():
            path.unlink()
    order = rng.permutation(len(drawn.class_names))
    code = _list_of(drawn, [drawn.class_names[old] for old in order], rng)
    new_number = np.full(256, VOID, "uint8")
    new_number[order] = range(len(order))
    for name, path in drawn.masks.items():
        path.unlink()
        Image.fromarray(code.stored(new_number[drawn.labels[name]])).save(path.with_suffix(".png"))


def _choice(rng, several):
    several = list(several)
    return several[int(rng.integers(len(several)))]


def _classes(drawn: RandomSet, place: Place, rng) -> Code:
    """The names of the classes, the list that says them, and what stands for them."""
    if place.names:
        drawn.class_names = place.names
        return place.code
    pool = (*NAMES, *ODD_NAMES) if rng.random() < 0.2 else NAMES
    names = [pool[k] for k in rng.permutation(len(pool))[: rng.integers(2, 6)]]
    return _list_of(drawn, names, rng)


def _list_of(drawn: RandomSet, names: list[str], rng) -> Code:
    """Writes the list of these classes; returns what stands for them."""
    is_odd = bool({*names} & {*ODD_NAMES})
    form_name = _choice(rng, [n for n, form in LIST_FORMS.items() if form.odd_names or not is_odd])
    form = LIST_FORMS[form_name]
    drawn.about.append(form_name)
    code = form.code(rng, len(names))
    void = _choice(rng, ("void", "Void", "ignore", "Ignore"))
    listed = lines(code, names, form.form, void)
    if form.in_any_order:
        listed = shuffled(rng, listed)
    drawn.class_names = tuple(names)
    drawn.folder.mkdir(parents=True, exist_ok=True)
    text = form.above + "\n".join(listed) + ("\n" if rng.random() < 0.7 else "")
    encoding = "utf-8-sig" if rng.random() < 0.2 else "utf-8"
    newline = "\r\n" if rng.random() < 0.2 else "\n"
    (drawn.folder / form.file).write_text(text, encoding=encoding, newline=newline)
    return code


def _draw_pictures(drawn: RandomSet, place: Place, count: int, rng, sizes) -> None:
    """Pictures that differ, and label maps of coarse blocks."""
    has_void = rng.random() < 0.6
    drawn.about.append(f"{count} pictures of {len(set(sizes))} sizes{', void' * has_void}")
    values = [*range(len(drawn.class_names)), *([VOID] if has_void else [])]
    for number in range(count):
        height, width = sizes[number % len(sizes)]
        blocks = rng.choice(values, (height // 4 + 1, width // 4 + 1)).astype("uint8")
        labels = blocks.repeat(4, axis=0).repeat(4, axis=1)[:height, :width]
        coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), "uint8"))
        image = np.array(coarse.resize((width, height)))  # smooth, so that JPEG keeps it
        name = place.name.format(n=number + 1)
        drawn.images[name], drawn.labels[name] = image, labels


def _write_pictures(drawn: RandomSet, place: Place, code: Code, rng) -> None:
    of_masks = COLOUR_ENCODINGS if code.colours else NUMBER_ENCODINGS
    stored = {name: code.stored(labels) for name, labels in drawn.labels.items()}
    fitting = [
        name for name, encoding in of_masks.items() if all(map(encoding.fits, stored.values()))
    ]
    several = {name: of_masks[name] for name in rng.permutation(fitting)[: rng.choice([1, 1, 2])]}
    picture_name = _choice(rng, PICTURE_ENCODINGS)
    picture = PICTURE_ENCODINGS[picture_name]
    drawn.images = {name: picture.prepare(image) for name, image in drawn.images.items()}
    drawn.about += [f"pictures: {picture_name}", f"masks: {' and '.join(several)}"]
    used = [picture, *several.values()]
    drawn.may_refuse = any(encoding.may_refuse for encoding in used)
    drawn.tolerance = picture.tolerance
    names = list(stored)
    for number, name in enumerate(names):
        split = place.splits[number * len(place.splits) // len(names)]
        mask = list(several.values())[number % len(several)]
        for template, encoding, array, files in (
            (place.image, picture, drawn.images[name], drawn.files),
            (place.mask, mask, stored[name], drawn.masks),
        ):
            path = drawn.folder / template.format(split=split, name=f"{name}{encoding.suffix}")
            path.parent.mkdir(parents=True, exist_ok=True)
            encoding.write(path, array, rng)
            files[name] = path
        for path in (drawn.files[name], drawn.masks[name]):  # what systems leave behind
            (path.parent / "Thumbs.db").touch()
            (path.parent / f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
        if place.split_lists:
            path = drawn.folder / place.split_lists.format(split=split)
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{name}\n")


def _draw_arrays(drawn: RandomSet, rng) -> RandomSet:
    """The lecture's .npy files. The pictures lie beside them too, for `segment`."""
    drawn.class_names = ("background", "road")
    sizes = rng.integers(6, 41, 2)
    _draw_pictures(drawn, Place("", "", "{n}"), rng.integers(2, 6), rng, [tuple(map(int, sizes))])
    images, labels = np.stack(list(drawn.images.values())), np.stack(list(drawn.labels.values()))
    one_hot = np.concatenate([np.eye(2), np.zeros((254, 2))])[labels]
    if rng.random() < 0.5:
        images = (images / 255).astype("float32")
    drawn.about.append(f"arrays of {images.dtype}")
    drawn.folder.mkdir(parents=True)
    np.save(drawn.folder / "images_training.npy", images)
    np.save(drawn.folder / "seg_training.npy", one_hot.astype(_choice(rng, ("uint8", "float32"))))
    for name, image in drawn.images.items():
        drawn.files[name] = drawn.folder / f"{name}.png"
        Image.fromarray(image).save(drawn.files[name])
    return drawn
