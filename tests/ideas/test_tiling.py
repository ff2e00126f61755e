"""A picture labelled tile by tile gets the labels of the whole, whatever its size (lecture:
L15)."""

import json
import os
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from conftest import random_image
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.prediction import tiled as tiling


def restless(model):
    """Scores that start at zero label everything alike: other weights, so that there is something
    to compare."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.startswith(("score", "fuse")) and layer.weights:
            layer.set_weights(
                [0.3 * rng.normal(size=weights.shape) for weights in layer.get_weights()]
            )
    return model


@pytest.fixture(scope="module")
def models(encoder):
    keras.utils.set_random_seed(0)
    made = {
        "fcn_from_cae": fcn.models.fcn_from_cae(fcn.models.cae(), 5),
        "lecture_fcn": fcn.models.lecture_fcn(3, encoder, width=8, skip_width=8),
    }
    for stride in (32, 16, 8):
        for fusion in ("sum", "concat"):
            made[f"fcn{stride}s {fusion}"] = fcn.models.fcn(4, stride, encoder, fusion, width=8)
    for stride in (32, 16, 8):
        made[f"published fcn{stride}s"] = getattr(fcn.published, f"fcn{stride}s")(
            4, widths=((4,), (6,), (8,), (8,), (8,)), width=8
        )
    return {name: restless(model) for name, model in made.items()}


def blocks(height, width, seed=0):
    """A picture with edges and areas, uint8 `(height, width, 3)`."""
    return (
        random_image(height // 8 + 1, width // 8 + 1, seed)
        .repeat(8, 0)
        .repeat(8, 1)[:height, :width]
    )


def same_labels(model, image, tiled):
    """Equal, but where the two highest scores of the whole tie to 1e-4."""
    scores = fcn.prediction.logits(model, image)
    top = np.sort(scores, axis=-1)
    differs = tiled != scores.argmax(axis=-1)
    return not (differs & (top[..., -1] - top[..., -2] > 1e-4)).any()


NAMES = [
    "fcn_from_cae",
    "lecture_fcn",
    *(f"fcn{stride}s {fusion}" for stride in (32, 16, 8) for fusion in ("sum", "concat")),
    *(f"published fcn{stride}s" for stride in (32, 16, 8)),
]


@pytest.mark.parametrize("number", range(len(NAMES)))  # each network once
def test_tiles_give_the_labels_of_the_whole(models, number):
    check_random(models, number)


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(NAMES), 77))
def test_tiles_give_the_labels_of_the_whole_again(models, number):
    check_random(models, number)


def drawn(models, number):
    """A random model, picture and tile."""
    rng = np.random.default_rng(number)
    name = NAMES[number % len(NAMES)]
    # deep networks see far: small pictures would be one tile
    far = 400 if name == "fcn_from_cae" else 1200
    return models[name], blocks(*rng.integers(1, far, 2), seed=number), int(rng.integers(20, 300))


def tiles(model, image, tile):
    """How many there will be."""
    axes = zip(image.shape, tiling.output_fields(model, image.shape[:2]), strict=False)
    return int(np.prod([len(tiling.spans(size, tile, field)) for size, field in axes]))


def check_random(models, number):
    model, image, tile = drawn(models, number)
    assert same_labels(model, image, fcn.prediction.segment_tiled(model, image, tile=tile))


def test_the_random_pictures_are_cut(models):
    assert np.median([tiles(*drawn(models, number)) for number in range(16)]) > 3


def test_it_breaks_when_a_tile_reads_too_little(models, monkeypatch):
    image = blocks(320, 288)

    def narrow(size, tile, field):
        cuts = [slice(start, start + tile) for start in range(0, size, tile)]
        return [tiling.Span(cut, cut) for cut in cuts]

    monkeypatch.setattr(tiling, "spans", narrow)
    assert not same_labels(
        models["fcn8s sum"],
        image,
        fcn.prediction.segment_tiled(models["fcn8s sum"], image, tile=32),
    )


def test_it_breaks_when_the_strides_are_not_aligned(models, monkeypatch):
    """Tiles that see enough, but begin at any pixel: the poolings pair other pixels."""
    image = blocks(90, 1200)
    right = tiling.spans

    def anywhere(size, tile, field):
        found = right(size, tile, field)
        return [
            tiling.Span(span.keep, slice(max(span.read.start - 1, 0), span.read.stop))
            for span in found
        ]

    monkeypatch.setattr(tiling, "spans", anywhere)
    assert not same_labels(
        models["fcn8s sum"],
        image,
        fcn.prediction.segment_tiled(models["fcn8s sum"], image, tile=96),
    )


def test_spans_cover_all_and_read_what_they_see(models):
    field = tiling.output_fields(models["fcn8s sum"], (1000, 1000))[0]
    found = tiling.spans(1000, 96, field)
    assert [span.keep.start for span in found] == [
        0,
        *(span.keep.stop for span in found[:-1]),
    ] and found[-1].keep.stop == 1000
    assert len({span.read.stop - span.read.start for span in found}) == 1
    assert len(found) > 2 and all(span.keep.stop - span.keep.start >= 96 for span in found[:-1])
    for span in found:
        assert span.read.start % 32 == 0 and (1000 - span.read.stop) % 32 == 0
        for row in (span.keep.start, span.keep.stop - 1):
            first, last = field.pixels(row)
            assert span.read.start <= max(first, 0) and min(last, 999) < span.read.stop


def test_more_memory_larger_tiles(models):
    fields = tiling.output_fields(models["lecture_fcn"], (5000, 5000))
    sides = [
        tiling.fitting_tile(models["lecture_fcn"], fields, memory)
        for memory in (1, 2**26, 2**28, 2**30)
    ]
    assert (
        sides[0] == 32
        and sides == sorted(sides)
        and sides[-1] > 2000
        and not any(side % 32 for side in sides)
    )


def tiff(path, image, **options):
    Image.fromarray(image).save(path, **options)
    return path


@pytest.mark.parametrize("kind", ["array", "npy", "tif", "tif, compressed", "png", "float"])
def test_pictures_come_from_arrays_and_files(models, tmp_path, kind):
    model, image = models["fcn_from_cae"], blocks(150, 90)
    np.save(tmp_path / "a.npy", image)
    given = {
        "array": lambda: image,
        "npy": lambda: tmp_path / "a.npy",
        "tif": lambda: tiff(tmp_path / "a.tif", image),
        "tif, compressed": lambda: tiff(tmp_path / "b.tif", image, compression="tiff_lzw"),
        "png": lambda: tiff(tmp_path / "a.png", image),
        "float": lambda: image.astype("float64"),
    }[kind]()
    np.testing.assert_array_equal(
        fcn.prediction.segment_tiled(model, given, tile=64), fcn.prediction.segment(model, image)
    )


def test_npy_and_uncompressed_tiff_are_read_in_place(tmp_path):
    image = blocks(150, 90)
    np.save(tmp_path / "a.npy", image)
    for path in (tmp_path / "a.npy", tiff(tmp_path / "a.tif", image)):
        mapped = fcn.images.open_in_place(path)
        assert isinstance(mapped, np.memmap) and not mapped.flags.writeable
        np.testing.assert_array_equal(mapped, image)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    for path in (
        tiff(tmp_path / "b.tif", image, compression="tiff_lzw"),
        tiff(tmp_path / "c.tif", image, exif=exif),
        tiff(tmp_path / "d.tif", image[..., 0]),
    ):
        read = fcn.images.open_in_place(path)
        assert not isinstance(read, np.memmap)
        np.testing.assert_array_equal(read, fcn.images.read_image(path))


def test_labels_go_into_an_array_a_memmap_or_a_file(models, tmp_path):
    model, image = models["fcn_from_cae"], blocks(150, 90)
    expected = fcn.prediction.segment(model, image)
    array = np.zeros((150, 90), "int32")
    assert fcn.prediction.segment_tiled(model, image, array, tile=64) is array
    mapped = np.memmap(tmp_path / "raw", "uint8", "w+", shape=(150, 90))
    fcn.prediction.segment_tiled(model, image, mapped, tile=64)
    there = fcn.prediction.segment_tiled(model, image, tmp_path / "new" / "labels.npy", tile=64)
    assert isinstance(there, np.memmap)
    for found in (array, mapped, there, np.load(tmp_path / "new" / "labels.npy")):
        np.testing.assert_array_equal(found, expected)
    assert os.listdir(tmp_path / "new") == ["labels.npy"]


class Pulled(Exception):
    """The plug."""


def stopped_after(tiles, monkeypatch):
    """Counts the tiles that go through the network, and pulls the plug after some of them."""
    right, count = tiling._labels, [0]

    def counted(model, pixels):
        if count[0] == tiles:
            raise Pulled
        count[0] += 1
        return right(model, pixels)

    monkeypatch.setattr(tiling, "_labels", counted)
    return count


def test_a_run_that_was_stopped_goes_on(models, tmp_path, monkeypatch):
    model, image, out = models["fcn_from_cae"], blocks(300, 150), tmp_path / "labels.npy"
    with monkeypatch.context() as patch:
        stopped_after(3, patch)
        with pytest.raises(Pulled):
            fcn.prediction.segment_tiled(model, image, out, tile=40)
    assert not out.exists()  # never a half
    count = stopped_after(99, monkeypatch)
    labels = fcn.prediction.segment_tiled(model, image, out, tile=40)
    assert count[0] == tiles(model, image, 40) - 3 > 3
    np.testing.assert_array_equal(labels, fcn.prediction.segment(model, image))


@pytest.mark.parametrize("change", ["picture", "model", "tile", "state", "somebody else's list"])
def test_what_was_begun_for_something_else_is_begun_again(models, tmp_path, monkeypatch, change):
    model, image, out = models["fcn_from_cae"], blocks(300, 150), tmp_path / "labels.npy"
    with monkeypatch.context() as patch:
        stopped_after(3, patch)
        with pytest.raises(Pulled):
            fcn.prediction.segment_tiled(model, image, out, tile=40)
    if change == "picture":
        image = image[::-1]
    if change == "model":
        model = keras.models.clone_model(model)
    state = next(tmp_path.glob(".*.json"))
    if change == "state":
        state.write_text(json.dumps({"job": "half"})[:-3], encoding="utf-8")
    if change == "somebody else's list":
        state.write_text("[1]", encoding="utf-8")
    count = stopped_after(99, monkeypatch)
    tile = 50 if change == "tile" else 40
    labels = fcn.prediction.segment_tiled(model, image, out, tile=tile)
    assert count[0] == tiles(model, image, tile)
    np.testing.assert_array_equal(labels, fcn.prediction.segment(model, image))


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        (np.zeros((8, 8), "uint8"), {}, r"\(H, W, 3\)"),
        (np.zeros((2, 8, 8, 3), "uint8"), {}, "shape"),
        (np.full((40, 40, 3), 0.5), {}, "multiply by 255"),
        (np.full((40, 40, 3), np.nan), {}, "NaN"),
        # black where it begins
        (np.linspace(0, 1.02, 4800).reshape(40, 40, 3), {}, r"0 to 1\.02\. .*multiply by 255"),
        (np.full((40, 40, 3), 300.0), {}, "Received: 300 to 300"),
        (np.linspace(-120, 135, 4800).reshape(40, 40, 3), {}, "Received: -120 to 135"),
        (np.full((40, 40, 3), -1), {}, "Received: -1 to -1"),
        (np.zeros((40, 40, 3), complex), {}, "array of numbers"),
        (np.zeros((8, 8, 3), "uint8"), {"tile": 0}, "at least 1"),
        (np.zeros((8, 8, 3), "uint8"), {"tile": "big"}, "auto"),
        (np.zeros((8, 8, 3), "uint8"), {"tile": 2.5}, "auto"),
        (np.zeros((8, 8, 3), "uint8"), {"out": np.zeros((8, 9), "uint8")}, r"shape \(8, 8\)"),
        (np.zeros((8, 8, 3), "uint8"), {"out": np.zeros((8, 8))}, "whole numbers"),
        (np.zeros((8, 8, 3), "uint8"), {"out": "labels.png"}, r"\.npy"),
    ],
)
def test_wrong_things_are_answered(models, image, options, words):
    with pytest.raises(ValueError, match=words):
        fcn.prediction.segment_tiled(models["fcn_from_cae"], image, **options)


def test_values_are_looked_at_in_files_and_in_every_tile_too(models, tmp_path):
    model, image = models["fcn_from_cae"], blocks(300, 150).astype("float32")
    image[-1, -1] = 300
    np.save(tmp_path / "a.npy", image)
    with pytest.raises(ValueError, match="to 300"):
        fcn.prediction.segment_tiled(model, tmp_path / "a.npy", tile=40)
    night = np.zeros((150, 90, 3), "float32")
    night[-1, -1] = 200  # 0 to 1 in every tile but one, and yet 0 to 255
    np.testing.assert_array_equal(
        fcn.prediction.segment_tiled(model, night, tile=64), fcn.prediction.segment(model, night)
    )


def test_a_model_that_does_not_label_every_pixel_is_refused(encoder):
    coarse = keras.Model(encoder.inputs[0], encoder.get_layer("pool3").output)
    with pytest.raises(ValueError, match="every pixel"):
        fcn.prediction.segment_tiled(coarse, blocks(64, 64))
    with pytest.raises(ValueError, match="Flatten"):
        fcn.prediction.segment_tiled(fcn.models.classifier(3), blocks(64, 64))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("name", ["missing.tif", "broken.npy", "broken.tif"])
def test_files_that_are_none_are_answered(models, tmp_path, name):
    if name.startswith("broken"):
        (tmp_path / name).write_bytes(b"II*\0 not a picture")
    with pytest.raises((ValueError, FileNotFoundError), match=name):
        fcn.prediction.segment_tiled(models["fcn_from_cae"], tmp_path / name)


def test_the_command_line_writes_labels_and_overlay(models, tmp_path, capsys):
    model, image = models["fcn_from_cae"], blocks(150, 90)
    model.save(tmp_path / "m.keras")
    tiff(tmp_path / "big.tif", image)
    assert (
        main(
            [
                "segment",
                str(tmp_path / "m.keras"),
                str(tmp_path / "big.tif"),
                "--tile",
                "64",
                "--out",
                str(tmp_path / "o"),
            ]
        )
        == 0
    )
    assert sorted(os.listdir(tmp_path / "o")) == [
        "big_labels.npy",
        "big_labels.png",
        "big_overlay.png",
    ]
    expected = fcn.prediction.segment(model, image)
    np.testing.assert_array_equal(np.load(tmp_path / "o" / "big_labels.npy"), expected)
    np.testing.assert_array_equal(fcn.images.read_mask(tmp_path / "o" / "big_labels.png"), expected)
    assert fcn.images.read_image(tmp_path / "o" / "big_overlay.png").shape == image.shape
    with pytest.raises(SystemExit):
        main(["segment", "m.keras", "a.tif", "--tile", "none", "--out", str(tmp_path)])
    assert "whole number of at least 1" in capsys.readouterr().err


@pytest.mark.long
def test_the_command_line_goes_on_after_being_killed(models, tmp_path):
    """`kill -9` in the middle, then the same command again: the labels of an undisturbed run."""
    model, image = models["fcn8s sum"], blocks(1800, 1700)
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "big.npy", image)
    out = tmp_path / "found"
    command = [
        sys.executable,
        "-m",
        "fcn_keras",
        "segment",
        tmp_path / "m.keras",
        tmp_path / "big.npy",
        "--tile",
        "64",
    ]
    command += ["--out", out]
    state = out / ".big_labels-partial.json"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (state.exists() and len(state.read_text()) > 200):
        time.sleep(0.01)
    assert process.poll() is None, "it was done before it could be killed"
    process.kill()
    process.wait()
    done = len(json.loads(state.read_text())["done"])
    assert 0 < done < tiles(model, image, 64) and not (out / "big_labels.npy").exists()
    subprocess.run(command, check=True, capture_output=True)
    np.testing.assert_array_equal(
        np.load(out / "big_labels.npy"), fcn.prediction.segment_tiled(model, image, tile=64)
    )
    assert sorted(os.listdir(out)) == ["big_labels.npy", "big_labels.png", "big_overlay.png"]
