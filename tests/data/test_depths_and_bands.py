"""Files of every depth and number of bands: read as they are meant, or refused in words."""

import re
import shutil

import made_files
import made_sets
import numpy as np
import pytest
from conftest import random_image
from PIL import Image

import fcn_keras as fcn
from fcn_keras import data_checks
from fcn_keras.command_line.parser import main

# 12 bits, as a camera stores them
DEEP = np.random.default_rng(0).integers(0, 4096, (40, 48, 13), dtype="uint16")


def rgb16_png(path):
    made_files.png(path, DEEP[..., :3], 16, colours=2)


def rgba16_png(path):
    opaque = np.full((40, 48), 65535, "uint16")
    made_files.png(path, np.dstack([DEEP[..., :3], opaque]), 16, colours=6)


def grey16_png(path):
    made_files.png(path, DEEP[..., 0], 16)


def rgb16_tif(path):
    made_files.tiff(path.with_suffix(".tif"), DEEP[..., :3], photometric=2)


def float_tif(path):
    made_files.tiff(path.with_suffix(".tif"), (DEEP[..., :1] / 4096).astype("float32"))


def infrared_tif(path):
    made_files.tiff(path.with_suffix(".tif"), (DEEP[..., :4] >> 4).astype("uint8"), 2, extra=[0])


def bands_tif(count, kind="uint16"):
    def write(path):
        extra = [0] * (count - 1)
        made_files.tiff(path.with_suffix(".tif"), DEEP[..., :count].astype(kind), 1, extra)

    return write


DEEP_FILES = [rgb16_png, rgba16_png, grey16_png, rgb16_tif, float_tif]
MANY_BANDS = [infrared_tif, *map(bands_tif, (2, 5, 13)), bands_tif(5, "uint8")]
NAMES = ["infrared", "2 bands", "5 bands", "13 bands", "5 bands of 8 bits"]


def written(write, folder):
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "p0.png")
    return next(folder.glob("p0.*"))


def one_line(capsys):
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    return err


# ------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("write", DEEP_FILES)
def test_bits_are_never_dropped(tmp_path, write):
    """Pillow opens 16-bit RGB as 8 bits a channel, the high byte: 12 bits become 0–15."""
    path = written(write, tmp_path)
    assert fcn.images.examine(path).samples.deep
    for read in (fcn.images.read_image, fcn.images.open_in_place):
        with pytest.raises(ValueError, match=r"Received: \d bands? of (16|32) bits.*scale="):
            read(path)
    with pytest.raises(ValueError, match=r"colours of 8 bits a channel\. Received: \d band"):
        fcn.images.read_colours(path)
    with pytest.raises(ValueError, match=r"class numbers"):
        fcn.images.read_mask(path)


@pytest.mark.parametrize("write", MANY_BANDS, ids=NAMES)
def test_bands_are_never_dropped(tmp_path, write):
    path = written(write, tmp_path)
    for read in (fcn.images.read_image, fcn.images.open_in_place):
        with pytest.raises(ValueError, match=r"Received: \d+ bands.*bands=\(2, 1, 0\).*--bands"):
            read(path)
    for read in (fcn.images.read_mask, fcn.images.read_colours):
        with pytest.raises(ValueError, match=r"Expected .* to hold .*Received: \d+ bands"):
            read(path)
    about = fcn.images.examine(path)
    assert about.upright == (40, 48) and about.samples.surplus


def test_pages_are_never_dropped(tmp_path):
    """Some programs store each band as a page. Smaller pages only show the picture faster."""
    page, path = Image.fromarray(random_image(40, 48)), tmp_path / "p.tif"
    page.save(path, save_all=True, append_images=[page.reduce(2)])
    for read in (fcn.images.read_image, fcn.images.open_in_place):
        np.testing.assert_array_equal(read(path), np.asarray(page))
    page.save(path, save_all=True, append_images=[page] * 4)
    for read in (fcn.images.read_image, fcn.images.open_in_place, fcn.images.read_mask):
        with pytest.raises(ValueError, match="5 pages of one size"):
            read(path)


@pytest.mark.parametrize(
    ("write", "kind", "option"),
    [(rgb16_png, "mode", "--scale"), (infrared_tif, "bands", "--bands")],
    ids=["16 bits", "infrared"],
)
def test_train_segment_and_check_data_say_what_would_be_dropped(
    tmp_path, capsys, write, kind, option
):
    folder = made_sets.plain(tmp_path / "data", 4)
    (folder / "images" / "p0.png").unlink()
    path = written(write, folder / "images")
    fcn.images.write_image(folder / "masks" / "p0.png", np.zeros((40, 48), "uint8"))
    found = data_checks.check(folder).findings
    assert [(f.kind, f.files) for f in found] == [(kind, (str(path),))]
    assert option in found[0].remedy
    assert main(["train", str(folder), "--steps", "1", "--out", str(tmp_path / "m.keras")]) == 2
    assert option in one_line(capsys) and not (tmp_path / "m.keras").exists()
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4,)), 3)
    fcn.models.save(model, tmp_path / "n.keras")
    capsys.readouterr()
    label = ["segment", str(tmp_path / "n.keras"), str(path), "--out", str(tmp_path / "found")]
    assert main(label) == 2 and option in one_line(capsys)
    assert not list((tmp_path / "found").iterdir())


def test_a_scale_says_what_becomes_black_and_white(tmp_path):
    path = written(grey16_png, tmp_path)
    grey = DEEP[..., 0].astype(float)
    expected = np.rint(np.clip((grey - 1000) / 2000, 0, 1) * 255)
    read = fcn.images.read_image(path, scale=(1000, 3000))
    np.testing.assert_array_equal(read, np.dstack([expected] * 3))
    inverted = fcn.images.read_image(path, scale=(3000, 1000))
    assert np.abs(inverted.astype(int) + read - 255).max() <= 1  # rounding
    Image.fromarray(random_image(8, 8)).save(tmp_path / "rgb.png")
    with pytest.raises(ValueError, match=r"more than 8 bits.*Received: 3 bands of 8 bits"):
        fcn.images.read_image(tmp_path / "rgb.png", scale=(0, 255))
    path = tmp_path / "nan.tif"
    made_files.tiff(path, np.full((4, 4, 1), np.nan, "float32"))
    with pytest.raises(ValueError, match="NaN"):
        fcn.images.read_image(path, scale=(0, 1))


def test_bands_are_chosen_in_any_order(tmp_path):
    image = random_image(8, 9)
    Image.fromarray(image).save(tmp_path / "bgr.png")
    read = fcn.images.read_image(tmp_path / "bgr.png", bands=(2, 1, 0))
    np.testing.assert_array_equal(read, image[..., ::-1])
    with pytest.raises(ValueError, match=r"bands 3, 1, 0, counted from 0\. Received: 3 bands"):
        fcn.images.read_image(tmp_path / "bgr.png", bands=(3, 1, 0))


@made_files.needs_tifffile
@pytest.mark.parametrize("write", [rgb16_png, rgb16_tif, *MANY_BANDS])
def test_chosen_bands_of_deep_files_are_scaled(tmp_path, write):
    path = written(write, tmp_path)
    samples = fcn.images.examine(path).samples
    stored = DEEP[..., : samples.bands]
    if samples.bits == 8:
        stored = stored >> 4 if samples.bands == 4 else stored.astype("uint8")
    bands = (1, 0, samples.bands - 1)
    expected = stored[..., bands]
    if samples.deep:
        expected = np.rint(np.clip(expected.astype("float32") / 3000, 0, 1) * 255)
    scale = (0, 3000) if samples.deep else None
    read = fcn.images.read_image(path, bands=bands, scale=scale)
    np.testing.assert_array_equal(read, expected)
    np.testing.assert_array_equal(fcn.images.open_in_place(path, bands, scale), expected)


def test_what_is_not_installed_is_named(tmp_path, monkeypatch, capsys):
    folder = made_sets.plain(tmp_path / "data", 4)
    for path in (folder / "images").iterdir():
        path.unlink()
        made_files.tiff(path.with_suffix(".tif"), DEEP[:48, :, :5].repeat(2, 1)[:, :64], 1, [0] * 4)
    monkeypatch.setitem(__import__("sys").modules, "tifffile", None)
    command = ["check-data", str(folder), "--bands", "4,3,2", "--scale", "0,4000"]
    assert main(command) == 2
    assert re.search(r"need tifffile.*\[deep\]", one_line(capsys))


@pytest.mark.parametrize(
    "option", [("--bands", "0,1,2"), ("--bands", "1,2"), ("--scale", "5,5"), ("--scale", "0,a")]
)
def test_bands_on_the_command_line_are_counted_from_1(capsys, option):
    with pytest.raises(SystemExit) as stopped:
        main(["check-data", "data/road_scenes", *option])
    assert stopped.value.code == 2 and option[1] in one_line(capsys)


def test_bands_of_drawn_scenes_are_refused(capsys):
    assert main(["check-data", "road_scenes", "--bands", "3,2,1"]) == 2
    assert "only with pictures in folders" in one_line(capsys)


# ------------------------------------------------------------------------------- masks

NUMBERS = np.random.default_rng(1).integers(0, 4, (9, 11), dtype="uint8")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_stored_sample_is_the_class_number(tmp_path, bits):
    """Pillow scales grey of 1, 2 and 4 bits to 0–255: class 1 of 4 bits read as 17."""
    numbers = NUMBERS % min(2**bits, 4)
    made_files.png(tmp_path / "m.png", numbers, bits)
    made_files.png(tmp_path / "clear.png", numbers, bits, transparent=1)
    for name in ("m", "clear"):
        np.testing.assert_array_equal(fcn.images.read_mask(tmp_path / f"{name}.png"), numbers)
    large = fcn.images.read_mask(tmp_path / "m.png", (18, 22))
    np.testing.assert_array_equal(large, numbers.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int16", "int32"])
def test_numbers_in_tiff_are_class_numbers_or_refused(tmp_path, kind):
    made_files.tiff(tmp_path / "m.tif", NUMBERS.astype(kind)[..., None])
    np.testing.assert_array_equal(fcn.images.read_mask(tmp_path / "m.tif"), NUMBERS)
    if kind != "uint8":
        made_files.tiff(tmp_path / "m.tif", (NUMBERS.astype(kind) - 2)[..., None])
    if kind.endswith(("16", "32")):
        with pytest.raises(ValueError, match=r"0 to 255\. Received: numbers (-2|0) to \d+"):
            fcn.images.read_mask(tmp_path / "m.tif")


def test_a_mask_that_programs_read_differently_is_refused(tmp_path):
    made_files.tiff(tmp_path / "m.tif", NUMBERS[..., None], photometric=0)
    with pytest.raises(ValueError, match="WhiteIsZero"):
        fcn.images.read_mask(tmp_path / "m.tif")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_a_mask_of_equal_channels_is_its_numbers(tmp_path, mode):
    Image.fromarray(NUMBERS).convert(mode).save(tmp_path / "m.png")
    np.testing.assert_array_equal(fcn.images.read_mask(tmp_path / "m.png"), NUMBERS)
    colours = np.dstack([NUMBERS] * 3)
    colours[0, 0] = (0, 1, 0)
    Image.fromarray(colours).save(tmp_path / "m.png")
    with pytest.raises(ValueError, match="If its colours stand for classes"):
        fcn.images.read_mask(tmp_path / "m.png")


def two_classes(folder, count=6):
    made_sets.plain(folder, count, ("grass", "road"))
    for path in (folder / "masks").iterdir():
        numbers = fcn.images.read_mask(path)
        fcn.images.write_image(path, np.where(numbers == 255, 0, numbers))
    return folder


def as_white(path):
    fcn.images.write_image(path, 255 * fcn.images.read_mask(path))


@pytest.mark.parametrize("which", [slice(0, 1), slice(0, 3), slice(None)], ids=["1", "half", "all"])
def test_white_beside_1_is_found_and_not_trained_on(tmp_path, capsys, which):
    """255 is void: half of the foreground would be neither trained on nor scored."""
    folder = two_classes(tmp_path / "data")
    masks = sorted((folder / "masks").iterdir())
    for path in masks[which]:
        as_white(path)
    for path in masks[which.stop or 6 :]:  # the others are stored with 1 bit
        made_files.png(path, fcn.images.read_mask(path), 1)
    found = data_checks.check(folder).findings
    assert [f.kind for f in found] == ["white on black"]
    assert found[0].files == tuple(map(str, masks[which]))
    train = ["train", str(folder), "--steps", "1", "--out", str(tmp_path / "m.keras")]
    assert main(train) == 2 and "// 255" in one_line(capsys)
    images = (folder / "images", folder / "masks", ("grass", "road"))
    assert len(fcn.datasets.image_folder(*images, void=255)[0]) == 2  # somebody means it


def test_void_beside_a_class_shows_that_255_is_void(tmp_path):
    folder = two_classes(tmp_path / "data")
    masks = sorted((folder / "masks").iterdir())
    as_white(masks[0])
    numbers = fcn.images.read_mask(masks[1]).copy()
    numbers[:2] = 255
    fcn.images.write_image(masks[1], numbers)
    assert "white on black" not in {f.kind for f in data_checks.check(folder).findings}
    assert set(np.unique(fcn.datasets.plain_folder(folder)[0][1])) == {0, 255}


def test_a_line_for_255_in_the_list_of_classes_shows_it_too(tmp_path):
    folder = two_classes(tmp_path / "data")
    as_white(next((folder / "masks").iterdir()))
    (folder / "classes.txt").write_text("0: grass\n1: road\n255: void\n")
    assert "white on black" not in {f.kind for f in data_checks.check(folder).findings}
    assert len(fcn.datasets.plain_folder(folder)) == 6
    assert [mask is not None for _, mask in fcn.datasets.plain_folder(folder)]


def test_void_0_gets_advice_that_works(tmp_path):
    folder = made_sets.plain(tmp_path / "data", 2)
    places, names = (folder / "images", folder / "masks"), ("grass", "road", "car")
    with pytest.raises(ValueError, match=r"'void': \[\(0, 0, 0\), \(255, 255, 255\)\]") as caught:
        fcn.datasets.image_folder(*places, names, void=0)
    assert "view" not in str(caught.value)
    colours = {"void": [(0, 0, 0), (255, 255, 255)], "road": (1, 1, 1), "car": (2, 2, 2)}
    mask = fcn.datasets.image_folder(*places, names[1:], colours=colours)[0][1]
    numbers = fcn.images.read_mask(folder / "masks" / "p0.png")
    np.testing.assert_array_equal(mask, np.where(numbers % 255 == 0, 255, numbers - 1))


# ------------------------------------------------------------------------------- one list of rules


def clear_rgb(path, image):
    """A photograph with a transparent colour: Pillow's mode is RGB."""
    image = image.copy()
    image[:4] = (1, 2, 3)
    Image.fromarray(image).save(path, transparency=(1, 2, 3))


def test_a_picture_with_a_transparent_colour_is_found_and_not_trained_on(tmp_path, capsys):
    folder = made_sets.plain(tmp_path / "data", 4)
    clear_rgb(folder / "images" / "p0.png", random_image(48, 64))
    assert {f.kind for f in data_checks.check(folder).findings} == {"mode"}
    train = ["train", str(folder), "--steps", "1", "--out", str(tmp_path / "m.keras")]
    assert main(train) == 2 and "transparent" in one_line(capsys)


def test_one_picture_is_too_few(tmp_path):
    folder = made_sets.plain(tmp_path / "data", 1)
    assert "few" in {f.kind for f in data_checks.check(folder).findings}


def grey(write_mode=None, **options):
    def write(path, numbers):
        picture = Image.fromarray(numbers)
        (picture.convert(write_mode) if write_mode else picture).save(path, **options)

    return write


def palette(path, numbers, **options):
    picture = Image.fromarray(numbers)
    picture.putpalette(np.arange(768, dtype="uint8")[::-1].tobytes())
    picture.save(path, **options)


MASKS = {
    "8 bits": grey(),
    "RGB": grey("RGB"),
    "RGBA": grey("RGBA"),
    "transparent grey": grey(transparency=0),
    "palette": palette,
    "transparent palette": lambda path, numbers: palette(path, numbers, transparency=1),
    "16 bits": lambda path, numbers: made_files.png(path, numbers, 16),
    "4 bits": lambda path, numbers: made_files.png(path, numbers & 15, 4),
    "2 bits": lambda path, numbers: made_files.png(path, numbers & 3, 2),
    "1 bit": lambda path, numbers: made_files.png(path, numbers & 1, 1),
    "TIFF": lambda path, numbers: made_files.tiff(path.with_suffix(".tif"), numbers[..., None]),
    "TIFF, 0 white": lambda path, numbers: made_files.tiff(
        path.with_suffix(".tif"), numbers[..., None], 0
    ),
    "white": lambda path, numbers: grey()(path, np.where(numbers == 1, 255, numbers)),
}
HOLD = {"4 bits": 15, "2 bits": 3, "1 bit": 1, "white": 1}  # the largest number of each
PICTURES = {
    "RGB": lambda path, image: Image.fromarray(image).save(path),
    "JPEG": lambda path, image: Image.fromarray(image).save(path.with_suffix(".jpg"), quality=95),
    "grey": lambda path, image: Image.fromarray(image).convert("L").save(path),
    "palette": lambda path, image: Image.fromarray(image).quantize(64).save(path),
    "opaque": lambda path, image: Image.fromarray(image).convert("RGBA").save(path),
    "transparent colour": clear_rgb,
    "transparent": lambda path, image: Image.fromarray(np.dstack([image, image[..., 0]])).save(
        path
    ),
    "16 bits": lambda path, image: made_files.png(path, image * np.uint16(257), 16, 2),
    "infrared": lambda path, image: made_files.tiff(
        path.with_suffix(".tif"), np.dstack([image, image[..., 0]]), 2, [0]
    ),
}


def drawn_set(folder, seed):
    """A plain folder of random depths, modes and encodings, and the label maps that were drawn."""
    rng = np.random.default_rng(seed)
    num_classes = int(rng.integers(2, 4))
    names = ("grass", "road", "car")[:num_classes]
    made_sets.plain(folder, 4, names)
    void = rng.random() < 0.4
    possible = [name for name in MASKS if not void or name not in HOLD]
    possible = [name for name in possible if HOLD.get(name, 255) >= num_classes - 1]
    encodings = rng.choice(possible, rng.integers(1, 3))
    kinds = rng.choice(list(PICTURES)[: 9 if rng.random() < 0.4 else 5], 2)
    truth = []
    for number, path in enumerate(sorted((folder / "masks").iterdir())):
        image, numbers = made_sets.scene(number, num_classes)
        numbers = made_sets.ringed(numbers) if void else numbers
        path.unlink()
        MASKS[encodings[number % len(encodings)]](path, numbers)
        picture = folder / "images" / path.name
        picture.unlink()
        PICTURES[kinds[number % 2]](picture, image)
        truth.append(numbers)
    return truth


def check_a_drawn_set(folder, seed):
    """What check-data passes, training takes; what is read is what was drawn, or refused."""
    truth = drawn_set(folder, seed)
    found = data_checks.check(folder).findings
    data = fcn.datasets.plain_folder(folder)
    for index, numbers in enumerate(truth):
        try:
            mask = data[index][1]
        except ValueError as error:
            assert found, error
        else:
            np.testing.assert_array_equal(mask, numbers)
    if found:
        return None
    train = ["train", str(folder), "--steps", "1", "--batch-size", "2", "--width", "4"]
    status = main([*train, "--network", "fcn", "--out", str(folder / "m.keras")])
    shutil.rmtree(folder)
    return status


def test_what_check_data_passes_training_takes(tmp_path):
    answers = [check_a_drawn_set(tmp_path / str(seed), seed) for seed in (0, 1, 2, 12, 35)]
    assert set(answers) == {0, None}


@pytest.mark.long
def test_what_check_data_passes_training_takes_two_hundred_times(tmp_path):
    answers = [check_a_drawn_set(tmp_path / str(seed), seed) for seed in range(100, 300)]
    assert set(answers) == {0, None} and 40 < answers.count(0) < 160
