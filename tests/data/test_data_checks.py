"""What is wrong with a data set: every planted fault is found, and nothing is reported on clean
ones."""

import io
import json
import shutil

import made_sets
import numpy as np
import pytest
from conftest import CAMVID, needs_camvid
from PIL import Image

import fcn_keras as fcn
from fcn_keras import data_checks
from fcn_keras.command_line.parser import main


@pytest.fixture(scope="session")
def clean(tmp_path_factory):
    """Every layout, without faults."""
    root = tmp_path_factory.mktemp("clean")
    return {name: make(root / name) for name, make in made_sets.ALL.items()}


@pytest.fixture
def of(clean, tmp_path):
    """A copy of a clean data set that a test may spoil, and its first picture and mask of the
    training part."""

    def copy(kind):
        folder = shutil.copytree(clean[kind], tmp_path / kind)
        return (folder, *FIRST[kind](folder))

    return copy


FIRST = {
    "plain": lambda f: (f / "images" / "p0.png", f / "masks" / "p0.png"),
    "coloured": lambda f: (f / "images" / "p0.png", f / "masks" / "p0.png"),
    "camvid": lambda f: (f / "train" / "0001TP_000000.png", f / "trainannot" / "0001TP_000000.png"),
    "kitti": lambda f: (
        f / "training/image_2/um_000000.png",
        f / "training/gt_image_2/um_road_000000.png",
    ),
    "voc": lambda f: (
        f / "VOCdevkit/VOC2012/JPEGImages/2007_000000.jpg",
        f / "VOCdevkit/VOC2012/SegmentationClass/2007_000000.png",
    ),
    "pets": lambda f: (f / "images/Abyssinian_0.jpg", f / "annotations/trimaps/Abyssinian_0.png"),
}
LAYOUTS = list(FIRST)
BY_NUMBER = ["plain", "camvid", "voc", "pets"]


def kinds(folder):
    return {finding.kind for finding in data_checks.check(folder).findings}


# ------------------------------------------------------------------------------- clean ones


@pytest.mark.parametrize("kind", made_sets.ALL)
def test_nothing_is_reported_on_clean_data(clean, kind):
    report = data_checks.check(clean[kind])
    assert report.findings == []
    for part, shares in report.shares.items():
        assert sum(shares) == pytest.approx(1) and report.void[part] < 0.5


def test_nothing_is_reported_on_the_drawn_scenes_that_come_along():
    assert data_checks.check("data/road_scenes").findings == []


@needs_camvid
def test_nothing_is_reported_on_camvid():
    report = data_checks.check(CAMVID)
    assert report.findings == [] and report.pictures == {"train": 367, "val": 101}
    # a third of the pixels are road
    assert report.shares["train"][3] == pytest.approx(0.33, abs=0.01)


def test_the_shares_are_counted_without_void(clean):
    report = data_checks.check(clean["plain"])
    masks = np.stack([np.array(Image.open(path)) for path in (clean["plain"] / "masks").iterdir()])
    expected = np.bincount(masks[masks != 255], minlength=3) / (masks != 255).sum()
    np.testing.assert_allclose(report.shares["all"], expected)
    assert report.void["all"] == pytest.approx((masks == 255).mean())


# --- planted faults: pictures and masks ---


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_missing_mask_and_a_missing_picture(of, kind):
    folder, _, mask = of(kind)
    mask.unlink()
    assert "no mask" in kinds(folder)


@pytest.mark.parametrize("kind", ["plain", "coloured", "camvid", "kitti"])
def test_a_mask_without_picture(of, kind):
    folder, image, _ = of(kind)
    image.unlink()
    assert kinds(folder) == {"no picture"}


@pytest.mark.parametrize("kind", ["voc", "pets"])
def test_a_split_that_names_what_is_not_there_or_twice(of, kind):
    folder, image, _ = of(kind)
    split = next(folder.rglob("trainval.txt" if kind == "pets" else "train.txt"))
    split.write_text(split.read_text() + split.read_text().splitlines()[-1] + "\n")
    assert kinds(folder) == {"listing"}
    image.unlink()
    assert [
        finding.what
        for finding in data_checks.check(folder).findings
        if "no such picture" in finding.what
    ]


def test_an_empty_split_is_no_split(of):
    folder, _, _ = of("voc")
    next(folder.rglob("train.txt")).write_text("")
    assert kinds(folder) == {"listing"}
    with pytest.raises(FileNotFoundError):
        fcn.datasets.open_data(folder)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_sizes_that_differ(of, kind):
    folder, image, _ = of(kind)
    picture = Image.open(image)
    picture.resize((picture.width // 2, picture.height)).save(image)
    assert "size" in kinds(folder)


@pytest.mark.parametrize(
    "error",
    [SyntaxError("not a TIFF file"), TypeError("tag"), OSError("i/o"), MemoryError("large")],
)
@pytest.mark.parametrize("reader", ["examine", "read_image", "read_mask"])
def test_whatever_a_damaged_file_raises_is_a_finding_about_it_alone(of, monkeypatch, error, reader):
    folder, image, mask = of("plain")
    (folder / "masks" / "p5.png").unlink()  # to be found too
    right = getattr(fcn.images, reader)

    def failing(path, *size):
        if path in (image, mask):
            raise error
        return right(path, *size)

    monkeypatch.setattr(fcn.images, reader, failing)
    found = {finding.kind: finding.files for finding in data_checks.check(folder).findings}
    assert set(found) == {"unreadable", "no mask"} and set(found["unreadable"]) <= {
        str(image),
        str(mask),
    }


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize("which", ["picture", "mask"])
@pytest.mark.parametrize("how", ["empty", "text", "half", "nearly all"])
def test_unreadable_and_truncated_files(of, kind, which, how):
    folder, image, mask = of(kind)
    path = image if which == "picture" else mask
    content = path.read_bytes()
    keep = {
        "empty": b"",
        "text": b"404 Not Found",
        "half": content[: len(content) // 2],
        "nearly all": content[:-40],
    }[how]
    path.write_bytes(keep)
    assert "unreadable" in kinds(folder)


def test_files_and_folders_that_are_passed_over(of):
    folder, image, mask = of("plain")
    (folder / "images" / "more").mkdir()
    shutil.copy(image, folder / "images" / "more")
    assert kinds(folder) == {"passed over"}
    shutil.rmtree(folder / "images" / "more")
    Image.open(image).save(image.with_name("q.gif"))
    Image.open(mask).save(mask.with_name("q.gif"))
    assert kinds(folder) == {"passed over"}
    for path in (image, mask):
        path.with_name("q.gif").unlink()
        path.with_name("Thumbs.db").write_bytes(b"x")
        path.with_name(".DS_Store").write_bytes(b"x")
    assert kinds(folder) == set()


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize("which", ["picture", "mask"])
def test_several_pictures_in_one_file(of, which, kind):
    folder, image, mask = of(kind)
    path = image if which == "picture" else mask
    picture = Image.open(path)
    picture.load()
    path.unlink()
    picture.save(path.with_suffix(".tif"), save_all=True, append_images=[picture, picture])
    assert kinds(folder) == {"frames"}


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p.convert("RGBA"),
        lambda p: p.convert("CMYK"),
        lambda p: Image.fromarray(np.array(p.convert("L")).astype("uint16") * 257),
        lambda p: Image.fromarray(np.array(p.convert("L")).astype("int32") * 300),
    ],
    ids=["RGBA", "CMYK", "16 bits", "32 bits"],
)
def test_a_wrong_mode(of, spoil, kind):
    folder, image, _ = of(kind)
    spoilt = spoil(Image.open(image))
    image.unlink()
    spoilt.save(image.with_suffix(".tif"))
    assert kinds(folder) == {"mode"}


@pytest.mark.parametrize("turn", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_picture_that_its_camera_noted_as_turned(of, turn, kind):
    folder, image, mask = of(kind)
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.open(image).save(image, exif=exif)
    assert kinds(folder) == {"turned"}
    if turn >= 5:  # the mask of the upright picture: that is how it is read, and nothing is wrong
        turned = {5: 0, 6: 270, 7: 0, 8: 90}[turn]
        labels = Image.open(mask)
        labels = (
            labels.transpose(Image.Transpose.TRANSPOSE)
            if not turned
            else labels.rotate(turned, expand=True)
        )
        labels.save(mask)
        assert kinds(folder) <= {"shifted"}


# --- planted faults: what is in the masks ---


@pytest.mark.parametrize("kind", BY_NUMBER)
def test_class_numbers_out_of_range(of, kind):
    folder, _, mask = of(kind)
    labels = np.array(Image.open(mask))
    labels[10:14, 10:14] = 77
    Image.fromarray(labels).save(mask)
    report = data_checks.check(folder)
    assert [finding.kind for finding in report.findings] == ["number"] and "77" in report.findings[
        0
    ].what


@pytest.mark.parametrize("kind", ["camvid", "voc"])
@pytest.mark.parametrize("how", ["BILINEAR", "BICUBIC", "LANCZOS"])
@pytest.mark.parametrize("factor", [0.5, 2])
def test_masks_resized_with_interpolation(of, kind, how, factor):
    """Picture and mask alike, so that the sizes fit; the palette is taken off first, or Pillow
    would refuse to blend."""
    folder, image, mask = of(kind)
    for path in (image, mask):
        picture = Image.open(path)
        if path == mask:
            picture = Image.fromarray(np.array(picture))
        picture.resize(
            (int(picture.width * factor), int(picture.height * factor)), Image.Resampling[how]
        ).save(path)
    assert "interpolated" in kinds(folder)


@needs_camvid
@pytest.mark.parametrize("how", ["BILINEAR", "BICUBIC", "LANCZOS"])
@pytest.mark.parametrize("factor", [0.5, 0.75, 1.3, 2, 3])
def test_real_masks_resized_with_interpolation(how, factor):
    for number, path in enumerate(sorted((CAMVID / "trainannot").iterdir())):
        if number % 40 == 0:
            mask = Image.open(path)
            size = int(mask.width * factor), int(mask.height * factor)
            assert (
                data_checks.blended_share(np.array(mask.resize(size, Image.Resampling[how])))
                > data_checks.BLENDED
            )
            near = np.array(mask.resize(size, Image.Resampling.NEAREST))
            assert data_checks.blended_share(near) < data_checks.BLENDED


def with_borders(mask, number, width=2):
    """The mask with a line of a class of its own along every edge, as a kerb or an outline."""
    numbers = np.where((mask >= number) & (mask < 255), mask + 1, mask)
    edge = np.zeros(mask.shape, bool)
    for axis in (0, 1):
        for step in range(width):
            edge |= np.roll(mask, step, axis) != np.roll(mask, step - 1, axis)
    numbers[edge] = number
    return numbers.astype("uint8")


def lined_set(seed, count=4):
    """Regions of a few classes, and one or two classes that are lines between them."""
    rng = np.random.default_rng([16, seed])
    regions, lines = int(rng.integers(2, 8)), int(rng.integers(1, 3))
    rows, columns = np.indices((96, 128))
    for _ in range(count):
        places = rng.random((int(rng.integers(5, 12)), 2)) * (96, 128)
        far = (rows[..., None] - places[:, 0]) ** 2 + (columns[..., None] - places[:, 1]) ** 2
        mask = rng.integers(0, regions, len(places))[far.argmin(-1)]
        for line in range(lines):
            place = int(np.random.default_rng([seed, line]).integers(0, regions + line))
            mask = with_borders(mask, place, width=int(rng.integers(1, 3)))
        yield mask.astype("uint8"), regions + lines


def blended(masks):
    found = data_checks.Blends(range(masks[0][1]))
    for number, (mask, _) in enumerate(masks):
        found.add(number, mask)
    return found.files()


def half(mask):
    size = mask.shape[1] // 2, mask.shape[0] // 2
    return np.array(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR))


def test_classes_that_are_thin_lines_are_not_called_interpolated(of, capsys):
    """Class 1 is a line between classes 0 and 2, in every mask."""
    folder, _, mask = of("plain")
    (folder / "classes.txt").write_text("grass\nkerb\nroad\ncar\n")
    for path in mask.parent.iterdir():
        lined = with_borders(np.array(Image.open(path)), 1)
        assert data_checks.blended_share(lined) > 0.2
        Image.fromarray(lined).save(path)
    assert main(["check-data", str(folder)]) == 0


def test_thin_lines_are_told_from_interpolation():
    """One mask alone does not tell them: in 64 of these sets, one looks blended."""
    sets = [list(lined_set(seed)) for seed in range(200)]
    assert [masks for masks in sets if blended(masks)] == []
    assert sum(any(data_checks.blended_share(m) > 0.4 for m, _ in masks) for masks in sets) > 50


@needs_camvid
@pytest.mark.parametrize("number", [1, 5, 10])
def test_real_masks_with_outlines_are_told_from_interpolated_ones(number):
    paths = sorted((CAMVID / "trainannot").iterdir())[::40]
    masks = [(with_borders(np.array(Image.open(path)), number), 12) for path in paths]
    assert blended(masks) == set()
    masks[3] = (half(masks[3][0]), 12)
    assert blended(masks) == {3}


@pytest.mark.parametrize("kind", BY_NUMBER)
def test_one_hot_where_numbers_are_expected(of, kind):
    folder, _, mask = of(kind)
    labels = np.array(Image.open(mask))
    Image.fromarray(np.eye(3, dtype="uint8")[labels % 3] * 255).save(mask)
    assert "one-hot" in kinds(folder)


def test_one_hot_arrays_among_the_masks(of):
    folder, _, mask = of("plain")
    np.save(mask.with_suffix(".npy"), np.eye(4)[np.array(Image.open(mask)) % 4])
    mask.unlink()
    assert kinds(folder) == {"one-hot", "no mask"}


@pytest.mark.parametrize("kind", BY_NUMBER)
def test_colours_where_numbers_are_expected(of, kind):
    folder, _, mask = of(kind)
    colours = np.random.default_rng(0).integers(0, 255, (3, 3, 3), dtype="uint8")
    Image.fromarray(colours).resize(Image.open(mask).size, Image.Resampling.NEAREST).save(mask)
    assert "mask mode" in kinds(folder)


@pytest.mark.parametrize("kind", BY_NUMBER)
def test_sixteen_bit_masks(of, kind):
    """Many tools write them. Their numbers are class numbers, if they are no larger than 255."""
    folder, _, mask = of(kind)
    labels = np.array(Image.open(mask)).astype("uint16")
    Image.fromarray(labels).save(mask)
    np.testing.assert_array_equal(fcn.images.read_mask(mask), labels)
    assert kinds(folder) == set()
    Image.fromarray(labels * 257).save(mask)
    assert "mask mode" in kinds(folder)


@pytest.mark.parametrize("kind", ["coloured", "kitti"])
def test_colours_that_are_not_in_the_table(of, kind):
    folder, _, mask = of(kind)
    colours = np.array(Image.open(mask))
    colours[8:12, 8:12] = (9, 99, 199)
    Image.fromarray(colours).save(mask)
    report = data_checks.check(folder)
    assert [finding.kind for finding in report.findings] == [
        "colour"
    ] and "(9, 99, 199)" in report.findings[0].what


def test_masks_saved_as_jpeg(of):
    folder, _, mask = of("plain")
    Image.fromarray(np.array(Image.open(mask))).save(mask.with_suffix(".jpg"))
    mask.unlink()
    assert "JPEG" in kinds(folder)
    with pytest.raises(ValueError, match=r"to be exact, such as PNG\. Received: a JPEG file"):
        fcn.datasets.plain_folder(folder)[0]


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_class_that_never_occurs(of, kind):
    """Class 1 becomes class 0 in every mask, in all parts or in the training part alone."""
    folder, _, mask = of(kind)
    one = {"pets": 1, "coloured": made_sets.COLOURS["road"], "kitti": (255, 0, 255)}.get(kind, 1)
    zero = {"pets": 2, "coloured": made_sets.COLOURS["grass"], "kitti": (255, 0, 0)}.get(kind, 0)
    for path in mask.parent.iterdir():
        if not path.name.startswith("."):
            labels = np.array(Image.open(path))
            labels[(labels == one).reshape(*labels.shape[:2], -1).all(axis=-1)] = zero
            Image.fromarray(labels).save(path)
    assert "absent" in kinds(folder)


@pytest.mark.parametrize("kind", ["coloured", "kitti"])
@pytest.mark.parametrize("how", ["BILINEAR", "BICUBIC"])
def test_coloured_masks_resized_with_interpolation(of, kind, how):
    folder, image, mask = of(kind)
    for path in (image, mask):
        Image.open(path).resize((100, 90), Image.Resampling[how]).save(path)
    assert kinds(folder) == {"colour"}


@pytest.mark.parametrize("white", [255, 127])
def test_white_on_black_is_recognised(of, white):
    """As drawing programs save it; 255 is void here, so the class would be neither trained on nor
    scored."""
    folder, _, mask = of("plain")
    for path in mask.parent.iterdir():
        Image.fromarray(np.where(np.array(Image.open(path)) == 1, white, 0).astype("uint8")).save(
            path
        )
    report = data_checks.check(folder)
    assert [finding.kind for finding in report.findings] == ["white on black"]
    assert f"all masks hold only 0 and {white}" in report.findings[0].what


@pytest.mark.parametrize("number", [3, 127])
def test_a_number_beside_the_classes_is_not_called_white(of, number):
    folder, _, mask = of("plain")
    for path in mask.parent.iterdir():
        labels = np.array(Image.open(path))
        Image.fromarray(
            np.where(labels == 1, number, labels if number == 127 else 0).astype("uint8")
        ).save(path)
    assert kinds(folder) == {"number", "absent"}


def palette_masks(folder, palettes):
    """Numbers 0 to 2 of every mask in the colours of a palette that is the file's own, if it has
    one."""
    for number, path in enumerate(sorted(folder.iterdir())):
        labels, palette = np.array(Image.open(path)), palettes[number % len(palettes)]
        fcn.images.write_image(
            path, labels, None if palette is None else np.array(palette, "uint8")
        )


GREEN, VIOLET, BLUE = (0, 128, 0), (128, 64, 128), (0, 0, 142)


@pytest.mark.parametrize(
    ("palettes", "differ"),
    [
        # as numbered for each file by itself
        ([(GREEN, VIOLET, BLUE), (VIOLET, GREEN, BLUE)], True),
        ([(GREEN, VIOLET, BLUE)], False),
        ([(GREEN, VIOLET, BLUE), (GREEN, (130, 66, 121), BLUE)], False),  # nearly the same
        # of a number that does not occur
        ([(GREEN, VIOLET, BLUE), (GREEN, VIOLET, BLUE, (9, 99, 199))], False),
        ([(GREEN, VIOLET, BLUE), None], False),  # grey masks have no colours
    ],
)
def test_palettes_that_differ(of, palettes, differ):
    folder, _, mask = of("plain")
    palette_masks(mask.parent, palettes)
    report = data_checks.check(folder)
    assert [finding.kind for finding in report.findings] == ["palettes differ"] * differ
    if differ:
        assert (
            f"class number 0 is {GREEN} in p0.png and {VIOLET} in p1.png" in report.findings[0].what
        )
        assert report.findings[0].files[:2] == (str(mask), str(mask.with_name("p1.png")))


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_transparent_places_in_coloured_masks(of, mode):
    folder, _, mask = of("coloured")
    colours = Image.open(mask).convert("RGBA")
    if mode == "P":
        colours.convert("RGB").quantize(4, dither=Image.Dither.NONE).save(mask, transparency=1)
    else:
        colours.save(mask)
        assert kinds(folder) == set()  # with opacity, but opaque
        pixels = np.array(colours)
        pixels[(pixels[..., :3] == made_sets.COLOURS["road"]).all(axis=-1), 3] = 0
        Image.fromarray(pixels).save(mask)
    assert kinds(folder) == {"transparent"}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_void_that_covers_nearly_all(of, kind):
    folder, _, mask = of(kind)
    labels = np.array(Image.open(mask))
    labels[1:] = {"pets": 3, "camvid": 11, "coloured": (0, 0, 0), "kitti": (0, 0, 0)}.get(kind, 255)
    Image.fromarray(labels).save(mask)
    assert "void" in kinds(folder)


# --- planted faults: the set as a whole ---


@pytest.mark.parametrize("kind", ["camvid", "voc", "pets"])
@pytest.mark.parametrize("again", [False, True], ids=["copied", "saved again as JPEG"])
def test_pictures_shared_by_train_and_test(of, again, kind):
    folder, image, mask = of(kind)
    name = {"camvid": "0016E5_000003.png", "voc": "2008_000003", "pets": "Abyssinian_103"}[
        kind
    ].removesuffix(".png")
    other = next(
        path
        for path in folder.rglob(f"{name}.*")
        if path.parent.name in ("val", "JPEGImages", "images")
    )
    other_mask = next(path for path in folder.rglob(f"{name}.png") if path != other)
    if again:
        other.unlink()
        Image.open(image).save(other.with_suffix(".jpg"), quality=70)
    else:
        shutil.copy(image, other)
    shutil.copy(mask, other_mask)
    assert kinds(folder) == {"shared"}


@pytest.mark.parametrize("kind", ["plain", "kitti"])
def test_a_picture_twice_in_a_set_without_split(of, kind):
    folder, image, mask = of(kind)
    name = "um_000099" if kind == "kitti" else "again"
    shutil.copy(image, image.with_name(f"{name}.png"))
    shutil.copy(mask, mask.with_name(f"{name.replace('um_', 'um_road_')}.png"))
    assert kinds(folder) == ({"shared"})


@pytest.mark.parametrize("kind", ["plain", "coloured", "camvid", "voc"])
@pytest.mark.parametrize("how", ["all", "one"])
def test_masks_copied_to_other_pictures(of, kind, how):
    folder, _, mask = of(kind)
    others = sorted(path for path in mask.parent.iterdir() if path.name[0] != "." and path != mask)
    # VOC has its two parts in one folder
    others = [path for path in others if not path.name.startswith("2008")]
    for path in others if how == "all" else others[:1]:
        shutil.copy(mask, path)
    copied = next(
        finding for finding in data_checks.check(folder).findings if finding.kind == "copied"
    )
    assert len(copied.files) == (len(others) if how == "all" else 1)
    assert copied.files[0] == f"{mask} = {others[0]}"


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros((48, 64)),
        np.indices((48, 64))[0] > 20,  # land and sky
        np.where(np.indices((48, 64)).max(axis=0) % 9 < 2, 255, 0),  # nothing but void on one class
        np.arange(4).reshape(2, 2),
        np.pad(np.ones((10, 20)), ((9, 29), (22, 22))),  # a box
    ],
    ids=["one class", "halves", "void", "tiny", "box"],
)
def test_simple_label_maps_may_be_alike(of, labels):
    folder, image, mask = of("plain")
    for number in range(10):
        picture = np.random.default_rng(number).integers(0, 256, (*labels.shape, 3), dtype="uint8")
        fcn.images.write_image(image.with_name(f"p{number}.png"), picture)
        fcn.images.write_image(mask.with_name(f"p{number}.png"), labels.astype("uint8"))
    assert "copied" not in kinds(folder)


def test_black_pictures_are_not_shifted(of):
    folder, image, _ = of("plain")
    for path in image.parent.iterdir():
        Image.new("RGB", Image.open(path).size).save(path)
    assert kinds(folder) == {"shared"}
    assert data_checks.label_shift(fcn.datasets.plain_folder(folder)) is None


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize("shift", [(0, 3), (-4, 0), (5, -6), (2, 2)])
def test_labels_shifted_against_their_pictures(of, shift, kind):
    folder, _, mask = of(kind)
    masks = [
        path
        for name in (mask.parent, folder / "valannot")
        if name.is_dir()
        for path in name.iterdir()
    ]
    for path in masks:
        if not path.name.startswith("."):
            Image.fromarray(np.roll(np.array(Image.open(path)), shift, (0, 1))).save(path)
    assert "shifted" in kinds(folder)
    found = data_checks.label_shift(fcn.datasets.open_data(folder).train)
    assert max(abs(found.down + shift[0]), abs(found.right + shift[1])) <= 1  # back by as much


@needs_camvid
@pytest.mark.parametrize("shift", [(0, 2), (3, 0), (-5, 3), (0, -8)])
def test_real_labels_shifted_against_their_pictures(shift):
    data = fcn.datasets.camvid(CAMVID)
    moved = fcn.datasets.SegmentationData(
        lambda i: (data[i][0], np.roll(data[i][1], shift, (0, 1))), len(data), data.class_names
    )
    for start in range(0, 360, 60):
        found = data_checks.label_shift(moved, range(start, start + 8))
        assert max(abs(found.down + shift[0]), abs(found.right + shift[1])) <= 1
        assert data_checks.label_shift(data, range(start, start + 8)) is None


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda images, labels: (images, labels[:3]), "unreadable"),
        (lambda images, labels: (images, labels.argmax(-1)), "one-hot"),
        (lambda images, labels: (images, np.where(labels > 0, 0.6, 0.4)), "interpolated"),
        (lambda images, labels: (images, np.ones_like(labels)), "one-hot"),
        (lambda images, labels: (images * 4 - 2, labels), "values"),
        (lambda images, labels: (images, labels * 0), "void"),
        (lambda images, labels: (images, np.eye(2)[0 * labels.argmax(-1)]), "absent"),
        (lambda images, labels: (images, np.roll(labels, 4, axis=2)), "shifted"),
    ],
)
def test_the_lectures_files(clean, tmp_path, spoil, kind):
    folder = shutil.copytree(clean["npy"], tmp_path / "npy")
    images, labels = spoil(
        np.load(folder / "images_training.npy"), np.load(folder / "seg_training.npy")
    )
    np.save(folder / "images_training.npy", images)
    np.save(folder / "seg_training.npy", labels)
    assert kind in kinds(folder)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("images_testing.npy", lambda content: b"xx"),
        ("images_testing.npy", lambda content: b""),
        ("seg_training.npy", lambda content: content[:-100]),
        ("seg_training.npy", lambda content: content[:50]),
        ("seg_training.npy", lambda content: b""),
        ("images_training.npy", lambda content: content[:-100]),
        ("images_training.npy", lambda content: b"PK\3\4"),
    ],
)
def test_broken_files_of_the_lecture_are_findings(clean, tmp_path, name, spoil):
    folder = shutil.copytree(clean["npy"], tmp_path / "npy")
    path = folder / name
    path.write_bytes(spoil(path.read_bytes()))
    report = data_checks.check(folder)
    assert [(finding.kind, finding.files) for finding in report.findings] == [
        ("unreadable", (str(path),))
    ]
    # the other part is looked at all the same
    assert ("train" in report.pictures) == (name == "images_testing.npy")
    assert ("test" in report.pictures) == (name != "images_testing.npy")


def test_lecture_files_of_several_arrays(clean, tmp_path):
    folder = shutil.copytree(clean["npy"], tmp_path / "npy")
    with open(folder / "seg_training.npy", "wb") as file:
        np.savez(file, a=np.zeros(3))
    assert kinds(folder) == {"unreadable"}


# ------------------------------------------------------------------------------- how it is said


def test_a_folder_named_like_the_drawn_scenes_has_to_be_told_from_them(
    clean, tmp_path, monkeypatch
):
    shutil.copytree(clean["plain"], tmp_path / "road_scenes")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"road_scenes to mean one thing\. Received: .*\./road_scenes"
    ):
        data_checks.check("road_scenes")
    assert data_checks.check("./road_scenes").pictures == {"all": 10}


@pytest.mark.parametrize("wrong", [None, [[1, 2], [3]], np.zeros((4, 4, 3)), "mask.png"])
def test_what_is_no_mask_is_answered(wrong):
    with pytest.raises(ValueError, match=r"Expected numbers to be an array.*Received: "):
        data_checks.blended_share(wrong)


def test_a_finding_names_the_files_and_the_way_out(of, capsys):
    folder, _, mask = of("plain")
    mask.unlink()
    assert main(["check-data", str(folder)]) == 1
    out = capsys.readouterr().out
    assert (
        "One thing is wrong" in out
        and "p0.png" in out
        and data_checks.REMEDIES["no mask"] in out
        and "█" in out
    )


def test_clean_data_is_status_0_with_a_chart_and_a_picture(clean, tmp_path, capsys):
    assert (
        main(["check-data", str(clean["camvid"]), "--picture", str(tmp_path / "shares.png")]) == 0
    )
    assert "Nothing wrong was found" in capsys.readouterr().out
    assert fcn.images.read_image(tmp_path / "shares.png").std() > 10


def test_a_terminal_without_blocks_gets_another_chart(clean, monkeypatch):
    """As on Windows, where printing one ends in an error."""
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", terminal)
    assert main(["check-data", str(clean["plain"])]) == 0
    terminal.flush()
    assert b"####" in terminal.buffer.getvalue()


def test_json_for_programs(of, capsys):
    folder, image, _ = of("coloured")
    image.write_bytes(b"")
    assert main(["check-data", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["findings"][0]["kind"] == "unreadable" and report["findings"][0]["files"] == [
        str(image)
    ]
    assert report["pictures"] == {"all": 10} and set(report["shares"]["all"]) == {
        "grass",
        "road",
        "car",
    }


def test_nothing_is_written_into_the_data(of):
    folder, image, mask = of("voc")
    image.write_bytes(image.read_bytes()[:100])
    mask.unlink()
    before = {
        path: path.is_file() and (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }
    data_checks.check(folder)
    assert before == {
        path: path.is_file() and (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check-data", "nowhere"], "not there"),
        (["check-data", "."], "none of these"),
        (["check-data", "{plain}", "--format", "voc"], "PASCAL VOC"),
        (["check-data", "{plain}", "--format", "coco"], "'coco'"),
        (["check-data", "{plain}", "--picture", "a.docx"], ".png"),
        (["check-data"], "required"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    clean, tmp_path, monkeypatch, capsys, arguments, message
):
    plain = clean["plain"].resolve()
    monkeypatch.chdir(tmp_path)
    try:
        status = main([argument.format(plain=plain) for argument in arguments])
    except SystemExit as stopped:
        status = stopped.code
    err = capsys.readouterr().err
    assert status == 2 and message in err and err.count("\n") == 1
