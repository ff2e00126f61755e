"""Full disks, read-only folders, vanished files, pictures larger than memory: a line each, and what
was finished stays."""

import json
import os
import struct
import subprocess
import sys
import zlib

import keras
import made_sets
import numpy as np
import pytest
from conftest import random_image
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main

# Runs commands one after the other, after `before`, and prints status and standard error of each as
# JSON.
SCRIPT = """
import contextlib, io, json, sys
before, commands = json.loads(sys.argv[1])
from fcn_keras.command_line.parser import main
from fcn_keras.support.startup import import_keras_quietly
import_keras_quietly()
exec(before)
for command in commands:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(command)
        except SystemExit as stopped:
            status = stopped.code
    print(json.dumps([status, err.getvalue()]))
"""


def run(commands, before="", shell=()):
    """Statuses and errors of commands in a process of their own."""
    arguments = json.dumps([before, [[str(part) for part in command] for command in commands]])
    done = subprocess.run(
        [*shell, sys.executable, "-c", SCRIPT, arguments],
        capture_output=True,
        text=True,
        # or a disk that is full, as some tests have it, would keep half of a module's byte code
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == len(commands), done.stderr
    return lines


@pytest.fixture(scope="module")
def place(tmp_path_factory, encoder):
    """Data, a model and a picture."""
    root = tmp_path_factory.mktemp("harm")
    made_sets.plain(root / "data", 6)
    fcn.models.save(fcn.models.fcn(3, 8, encoder, width=4), root / "m.keras")
    Image.fromarray(random_image(200, 250)).save(root / "photo.png")
    np.save(root / "photo.npy", random_image(200, 250))
    return root


def writing(place, out):
    """A command of each kind that writes files."""
    train = ["train", place / "data", "--steps", "6", "--batch-size", "2", "--width", "8"]
    train += ["--backbone", "small_vgg"]
    return [
        [*train, "--out", out / "new.keras"],
        ["segment", place / "m.keras", place / "photo.png", "--out", out / "found"],
        [
            "segment",
            place / "m.keras",
            place / "photo.npy",
            "--tile",
            "128",
            "--out",
            out / "tiled",
        ],
        ["scenes", "--count", "2", "--out", out / "scenes"],
        ["check-data", place / "data", "--picture", out / "shares.png"],
    ]


def whole_files_only(folder):
    """Every file that has a name of its own can be read; what is unfinished hides behind a dot."""
    for path in folder.rglob("*"):
        if path.is_file() and not any(
            part.startswith(".") for part in path.relative_to(folder).parts
        ):
            if path.suffix in (".png", ".jpg"):
                fcn.images.read_image(path)
            elif path.suffix == ".npy":
                np.load(path)
            elif path.suffix == ".keras":
                fcn.models.load(path)


@pytest.mark.skipif(os.name != "posix", reason="limits of files")
def test_files_that_cannot_grow_are_said_and_the_same_commands_go_on(place, tmp_path):
    """A limit on the size of files stands for a full disk: the system refuses to write on."""
    limit = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))"
    )
    for (status, err), command in zip(
        run(writing(place, tmp_path), limit), writing(place, tmp_path), strict=True
    ):
        assert status == 2 and err.count("\n") == 1 and "could not be written" in err, (
            command,
            err,
        )
        assert "larger than a file may be" in err and "stays" in err, (command, err)
    whole_files_only(tmp_path)
    assert all(status in (0, 1) for status, _ in run(writing(place, tmp_path)))
    whole_files_only(tmp_path)
    assert (tmp_path / "new.keras").is_file() and (
        tmp_path / "tiled" / "photo_labels.npy"
    ).is_file()


def namespaces():
    probe = "mount -t tmpfs -o size=40k none /mnt"
    return (
        os.name == "posix"
        and subprocess.run(["unshare", "-rm", "sh", "-c", probe], capture_output=True).returncode
        == 0
    )


needs_mounts = pytest.mark.skipif(
    not (sys.platform == "linux" and namespaces()), reason="no mounts of one's own here"
)


@needs_mounts
@pytest.mark.parametrize(
    ("options", "said"),
    [("size=8k", "disk is full"), pytest.param("ro", "cannot write into", marks=pytest.mark.long)],
)
def test_a_full_disk_and_a_read_only_one(place, tmp_path, options, said):
    shell = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        f'mount -t tmpfs -o {options} none {tmp_path} && exec "$@"',
        "sh",
    ]
    for (status, err), command in zip(
        run(writing(place, tmp_path), shell=shell), writing(place, tmp_path), strict=True
    ):
        assert status == 2 and err.count("\n") == 1, (command, err)
        assert said in err or "nothing can be written" in err, (command, err)


def test_a_file_that_vanishes_is_named(tmp_path, encoder, place):
    made_sets.plain(tmp_path, 6)
    data = fcn.datasets.plain_folder(tmp_path)
    (tmp_path / "images" / "p4.png").unlink()
    frozen = fcn.models.fcn(3, 8, encoder, width=4)
    free = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), 3)
    for model in (frozen, free):
        with pytest.raises(FileNotFoundError, match=r"p4\.png, which is not there"):
            fcn.training.fit(model, data, epochs=1, batch_size=2)


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path, toy):
    (tmp_path / "file").write_text("")
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4,)), 2)
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises((OSError, ValueError), match=r"file"):
            fcn.training.fit(model, toy, epochs=1, checkpoint=folder)


# ------------------------------------------------------------------------------- larger than memory


@pytest.fixture
def little_memory(monkeypatch):
    """As if 30 MB were free."""
    monkeypatch.setattr(fcn.support.memory, "available", lambda: 30_000_000)


def png_header(height, width):
    """The beginning of a PNG file that claims a size."""
    chunk = lambda kind, data: (  # noqa: E731
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", b"")
    )


def test_a_small_file_that_claims_to_be_huge_is_refused_before_memory_is_asked_for(
    tmp_path, monkeypatch, capsys
):
    """10 GB of pixels in 60 bytes; nothing may be decoded."""
    (tmp_path / "bomb.png").write_bytes(png_header(200_000, 200_000))
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("the pixels were asked for"))
    assert fcn.images.examine(tmp_path / "bomb.png").height == 200_000
    for read in (
        fcn.images.read_image,
        fcn.images.read_mask,
        fcn.images.read_colours,
        fcn.images.open_in_place,
    ):
        with pytest.raises((MemoryError, ValueError), match=r"200000 x 200000 pixels|mode RGB"):
            read(tmp_path / "bomb.png")


def test_a_size_that_needs_more_than_memory_is_refused(little_memory, tmp_path):
    """A slip of the hand, 10⁶ × 10⁶, ended the whole process."""
    Image.fromarray(random_image(4, 5)).save(tmp_path / "photo.png")
    Image.fromarray(np.zeros((4, 5), "uint8")).save(tmp_path / "mask.png")
    for read, name in (
        (fcn.images.read_image, "photo"),
        (fcn.images.read_mask, "mask"),
        (fcn.images.read_colours, "mask"),
    ):
        assert read(tmp_path / f"{name}.png", (8, 9)).shape[:2] == (8, 9)
        with pytest.raises(MemoryError, match=r"1000000 x 1000000 pixels, needs .* smaller size"):
            read(tmp_path / f"{name}.png", (10**6, 10**6))


@pytest.mark.parametrize(
    ("suffix", "compression"), [(".tif", "tiff_lzw"), (".tif", None), (".png", None)]
)
def test_pillows_limit_of_pixels_is_not_ours_and_stays_pillows(
    tmp_path, monkeypatch, suffix, compression
):
    """A compressed TIFF is measured a second time, when its pixels are read."""
    path = tmp_path / f"a{suffix}"
    Image.fromarray(random_image(30, 40)).save(
        path, **({"compression": compression} if compression else {})
    )
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for read in (fcn.images.read_image, fcn.images.read_colours, fcn.images.open_in_place):
        assert read(path).shape == (30, 40, 3)
        assert Image.MAX_IMAGE_PIXELS == 100


def test_a_picture_larger_than_memory_is_refused_whole_and_labelled_tile_by_tile(
    monkeypatch, place, tmp_path, capsys
):
    # 1120 x 1040: 10 MB to read, more to label
    monkeypatch.setattr(fcn.support.memory, "available", lambda: 9_000_000)
    image = random_image(140, 130).repeat(8, 0).repeat(8, 1)
    Image.fromarray(image).save(tmp_path / "big.tif")
    assert (
        main(
            [
                "segment",
                str(place / "m.keras"),
                str(tmp_path / "big.tif"),
                "--out",
                str(tmp_path / "out"),
            ]
        )
        == 2
    )
    err = capsys.readouterr().err
    assert "1120 x 1040 pixels" in err and "--tile auto" in err and err.count("\n") == 1
    command = [
        "segment",
        place / "m.keras",
        tmp_path / "big.tif",
        "--tile",
        "auto",
        "--out",
        tmp_path / "out",
    ]
    assert main([str(part) for part in command]) == 0
    assert np.load(tmp_path / "out" / "big_labels.npy").shape == (1120, 1040)
    with pytest.raises(MemoryError, match=r"1120 x 1040 pixels needs .*segment_tiled"):
        fcn.prediction.segment(fcn.models.load(place / "m.keras"), image)
    assert fcn.prediction.segment(fcn.models.load(place / "m.keras"), image[:200, :200]).shape == (
        200,
        200,
    )


def test_features_that_do_not_fit_in_memory_go_to_a_file(toy, encoder, monkeypatch):
    model = fcn.models.fcn(2, 8, encoder, width=4)
    whole = fcn.training.frozen_features(model, toy)
    monkeypatch.setattr(fcn.support.memory, "available", lambda: 100_000)
    in_file = fcn.training.frozen_features(model, toy)
    for name, values in whole.maps.items():
        assert isinstance(in_file.maps[name], np.memmap)
        np.testing.assert_array_equal(in_file.maps[name], values)


def test_free_memory_is_a_number_of_this_machine():
    assert 10**7 < fcn.support.memory.available() < 10**14
    assert [fcn.support.memory.in_words(n) for n in (5, 1500, 2.5e9, 3e12)] == [
        "5 bytes",
        "1.5 kB",
        "2.5 GB",
        "3.0 TB",
    ]


# --- pictures of every kind ---


@pytest.mark.parametrize(
    "mode", ["RGB", "L", "P", "1", "CMYK", "YCbCr", "LAB", "HSV", "RGBA", "LA"]
)
def test_pictures_of_every_kind_are_read_as_colours_or_refused(tmp_path, mode):
    """What is shown on the screen and what the network gets are the same colours, to what a format
    loses."""
    picture = Image.fromarray(random_image(5, 6).repeat(8, 0).repeat(8, 1))
    suffix = ".png" if mode in ("RGB", "L", "P", "1", "RGBA", "LA") else ".tif"
    try:
        picture.convert(mode).save(tmp_path / f"a{suffix}")
    except (OSError, ValueError):
        pytest.skip("this format cannot hold it")
    found = fcn.images.read_image(tmp_path / f"a{suffix}")
    shown = np.asarray(Image.open(tmp_path / f"a{suffix}").convert("RGB"))
    np.testing.assert_array_equal(found, shown)
    if mode in ("RGB", "RGBA"):
        np.testing.assert_array_equal(found, np.asarray(picture))


def test_pictures_whose_colours_would_be_guessed_are_refused(tmp_path):
    Image.fromarray(np.arange(64, dtype="uint16").reshape(8, 8) * 900).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"8 bits a channel.*white"):
        fcn.images.read_image(tmp_path / "deep.png")
    Image.fromarray(np.random.default_rng(0).random((8, 8), "float32")).save(tmp_path / "float.tif")
    with pytest.raises(ValueError, match="floating-point"):
        fcn.images.read_image(tmp_path / "float.tif")
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 255))
    clear.putpixel((3, 3), (0, 0, 255, 0))
    clear.save(tmp_path / "clear.png")
    with pytest.raises(ValueError, match="transparent in places"):
        fcn.images.read_image(tmp_path / "clear.png")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_picture_whose_exif_is_damaged_is_read_as_it_is_stored(tmp_path, suffix):
    exif, path = Image.Exif(), tmp_path / f"a{suffix}"
    exif[fcn.images.ORIENTATION] = 6
    Image.fromarray(random_image(20, 30)).save(path, exif=exif)
    assert fcn.images.examine(path).turn == 6
    content = path.read_bytes().replace(b"MM\0*", b"MM\xa8*")  # the beginning of Exif
    if suffix == ".png":  # whose sums must be right
        start = content.index(b"eXIf")
        end = start + 4 + struct.unpack(">I", content[start - 4 : start])[0]
        content = (
            content[:end] + struct.pack(">I", zlib.crc32(content[start:end])) + content[end + 4 :]
        )
    path.write_bytes(content)
    assert fcn.images.examine(path).turn == 1
    assert fcn.images.read_image(path).shape == (20, 30, 3)


def test_a_tiff_whose_second_page_is_damaged_is_no_picture(tmp_path):
    path, page = tmp_path / "a.tif", Image.fromarray(random_image(20, 30))
    page.save(path, save_all=True, append_images=[page])
    content = path.read_bytes()
    width = next(
        entry for kind in (3, 4) if (entry := struct.pack("<HHI", 0x0100, kind, 1)) in content
    )
    before, _, after = content.rpartition(width)
    path.write_bytes(before + b"\xff" + width[1:] + after)
    with pytest.raises(ValueError, match="could not be read as a picture"):
        fcn.images.examine(path)


def test_arrays_with_pickled_objects_are_never_unpickled(tmp_path):
    """A pickle runs code when it is read."""
    (tmp_path / "touched").mkdir()

    class Evil:
        def __reduce__(self):
            return os.rmdir, (str(tmp_path / "touched"),)

    np.save(tmp_path / "images_training.npy", np.array([Evil()]), allow_pickle=True)
    np.save(tmp_path / "evil.npy", np.array([Evil()]), allow_pickle=True)
    np.savez(tmp_path / "evil.npz", **{"conv1_1/kernel": np.array([Evil()])})
    for read in (
        lambda: fcn.datasets.lecture_files(tmp_path),
        lambda: fcn.images.open_in_place(tmp_path / "evil.npy"),
        lambda: fcn.backbones.small_vgg(tmp_path / "evil.npz"),
        lambda: fcn.published.load_weights(
            fcn.published.fcn32s(2, ((4,),) * 5, 4), tmp_path / "evil.npz"
        ),
    ):
        with pytest.raises(ValueError):
            read()
    assert (tmp_path / "touched").is_dir()


def test_a_model_that_is_saved_on_a_full_disk_leaves_the_old_one(tmp_path, monkeypatch):
    model = fcn.models.cae(widths=(4,))
    fcn.models.save(model, tmp_path / "m.keras")
    before = (tmp_path / "m.keras").read_bytes()

    def full(self, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", full)
    with pytest.raises(OSError, match=r"disk is full.*stays"):
        fcn.models.save(model, tmp_path / "m.keras")
    assert (tmp_path / "m.keras").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
