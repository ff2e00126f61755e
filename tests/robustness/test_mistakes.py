"""What a student types wrongly, or feeds in broken: one line, status 2, and nothing that was there
is changed."""

import json
import pickle
import shutil
import zipfile

import keras
import made_sets
import numpy as np
import pytest
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main

RED = np.array((1, 0, 0), "uint8")


def rewritten(source, target, change):
    """A copy of a `.keras` file with its `config.json` changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(
                name, change(content.decode()).encode() if name == "config.json" else content
            )


@pytest.fixture(scope="module")
def place(tmp_path_factory, encoder):
    """A folder with good and broken data, pictures and models. No test may change it."""
    root = tmp_path_factory.mktemp("mistakes")
    made_sets.plain(root / "good", 6)
    made_sets.coloured(root / "coloured", 4)
    made_sets.camvid(root / "camvid", 2)
    made_sets.npy(root / "npy")

    def spoilt(name, spoil, make=made_sets.plain, **options):
        spoil(make(root / name, 4, **options) if make is made_sets.plain else make(root / name))

    first = lambda f: (f / "images" / "p0.png", f / "masks" / "p0.png")  # noqa: E731
    image, mask = (lambda f: first(f)[0]), (lambda f: first(f)[1])
    every = lambda f, change: [change(path) for path in (f / "masks").iterdir()]  # noqa: E731
    spoilt("no-classes", lambda f: (f / "classes.txt").unlink())
    spoilt("empty-classes", lambda f: (f / "classes.txt").write_text(""))
    spoilt("twice-classes", lambda f: (f / "classes.txt").write_text("a\na\nb\n"))
    spoilt(
        "utf16-classes",
        lambda f: (f / "classes.txt").write_text("grass\nroad\ncar", encoding="utf-16"),
    )
    spoilt("half-colours", lambda f: (f / "classes.txt").write_text("grass 1 2 3\nroad\ncar 3 4 5"))
    spoilt("no-mask", lambda f: mask(f).unlink())
    spoilt("no-masks", lambda f: shutil.rmtree(f / "masks"))
    spoilt("empty-masks", lambda f: every(f, lambda path: path.unlink()))
    spoilt(
        "one-picture",
        lambda f: [
            path.unlink() for part in ("images", "masks") for path in (f / part).glob("p[123].png")
        ],
    )
    spoilt(
        "broken-images",
        lambda f: [path.write_bytes(b"<html>") for path in (f / "images").iterdir()],
    )
    spoilt(
        "cut-images",
        lambda f: [path.write_bytes(path.read_bytes()[:900]) for path in (f / "images").iterdir()],
    )
    spoilt("broken-masks", lambda f: every(f, lambda path: path.write_bytes(b"")))
    spoilt("cut-masks", lambda f: every(f, lambda path: path.write_bytes(path.read_bytes()[:90])))
    spoilt(
        "small-masks",
        lambda f: every(
            f, lambda path: Image.open(path).resize((9, 9), Image.Resampling.NEAREST).save(path)
        ),
    )
    spoilt(
        "rgb-masks",
        lambda f: every(
            f, lambda path: Image.fromarray(np.array(Image.open(path))[..., None] * RED).save(path)
        ),
    )
    spoilt(
        "deep-masks",
        lambda f: every(
            f, lambda path: Image.fromarray(np.uint16(np.array(Image.open(path))) * 257).save(path)
        ),
    )
    spoilt(
        "far-masks",
        lambda f: every(
            f, lambda path: Image.fromarray(np.array(Image.open(path)) // 2 + 40).save(path)
        ),
    )
    spoilt(
        "deep-images",
        lambda f: [
            Image.fromarray(np.zeros((48, 64), "uint16")).save(p) for p in (f / "images").iterdir()
        ],
    )
    spoilt(
        "clear-images",
        lambda f: [Image.new("RGBA", (64, 48)).save(path) for path in (f / "images").iterdir()],
    )
    strange = Image.new("RGB", (64, 48), (9, 9, 9))
    spoilt(
        "strange-colours", lambda f: every(f, lambda path: strange.save(path)), made_sets.coloured
    )
    spoilt("twins", lambda f: Image.open(image(f)).save(image(f).with_suffix(".jpg")))
    shutil.copytree(root / "npy", root / "npy-pickled")
    np.save(root / "npy-pickled" / "seg_training.npy", np.array([{"a": 1}]), allow_pickle=True)
    for name, labels in (
        ("npy-numbers", np.zeros((6, 48, 64), "uint8")),
        ("npy-few", np.zeros((2, 48, 64, 2))),
        ("npy-words", np.full((6, 48, 64, 2), "a")),
    ):
        shutil.copytree(root / "npy", root / name)
        np.save(root / name / "seg_training.npy", labels)
    shutil.copytree(root / "npy", root / "npy-centred")
    np.save(
        root / "npy-centred" / "images_training.npy",
        np.load(root / "npy" / "images_training.npy") * 255 - 120,
    )
    (root / "npy-centred" / "x.txt").write_text("")
    (root / "empty").mkdir()
    (root / "only-classes").mkdir()
    (root / "only-classes" / "classes.txt").write_text("grass\nroad\n")
    spoilt(
        "turned-masks",
        lambda f: every(
            f, lambda path: Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)
        ),
    )
    spoilt(
        "four-numbers", lambda f: (f / "classes.txt").write_text("grass 1 2 3\nroad 1 2 3 255\n")
    )
    shutil.copytree(root / "npy", root / "npy-soft")
    np.save(
        root / "npy-soft" / "seg_training.npy",
        np.load(root / "npy" / "seg_training.npy") * 0.4 + 0.3,
    )
    shutil.copytree(root / "npy", root / "npy-empty")
    (root / "npy-empty" / "seg_training.npy").write_bytes(b"")
    (root / "file.txt").write_text("hello")

    fcn.models.save(fcn.models.fcn(3, 8, encoder, width=4), root / "m.keras")
    fcn.models.save(fcn.models.classifier(3, 32, (4,), 4), root / "classifier.keras")
    content = (root / "m.keras").read_bytes()
    (root / "cut.keras").write_bytes(content[: len(content) // 2])
    (root / "text.keras").write_text("hello")
    (root / "empty.keras").write_bytes(b"")
    (root / "m.h5").write_bytes(content)
    grey = keras.Input((None, None, 1))
    fcn.models.save(keras.Model(grey, keras.layers.Conv2D(3, 1)(grey)), root / "grey.keras")
    picture = keras.Input((None, None, 3))
    keras.Model(picture, keras.layers.Lambda(lambda x: x * 2)(picture)).save(root / "lambda.keras")
    rewritten(root / "m.keras", root / "config.keras", lambda text: text[:200])
    rewritten(
        root / "m.keras",
        root / "module.keras",
        lambda text: text.replace("keras.layers", "os.path"),
    )

    rgb = made_sets.scene(3, 3)[0]
    Image.fromarray(rgb).save(root / "photo.png")
    (root / "photos").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(rgb).save(root / "photos" / name)
    shutil.copytree(root / "photos", root / "names")
    Image.fromarray(rgb).save(root / "names" / "a.jpg")
    shutil.copytree(root / "photos", root / "one-bad")
    (root / "one-bad" / "c.png").write_bytes(b"no picture")
    (root / "text.png").write_text("hello")
    (root / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(20))
    Image.fromarray(np.zeros((9, 9), "uint16")).save(root / "deep.png")
    Image.new("RGBA", (9, 9)).save(root / "clear.png")
    np.save(root / "flat.npy", rgb[..., 0])
    np.save(root / "unit.npy", rgb / 255)
    (root / "pickled.npy").write_bytes(b"\x93NUMPY\x01\x00" + pickle.dumps([1]))
    np.save(root / "objects.npy", np.array([{}]), allow_pickle=True)
    (root / "text.npy").write_text("hello")
    return root


TRAIN = "--out {new}/m.keras --steps 1 --width 4 --batch-size 2"
# What is typed, and a part of the answer. {name}: a file of `place`, {new}: a new folder.
MISTAKES = [
    ("", "required"),
    ("trian {good}", "invalid choice: 'trian'"),
    ("--verion", "required"),
    ("lecture --steps 0 --out {new}", "whole number of at least 1"),
    ("lecture --steps ten --out {new}", "received 'ten'"),
    ("lecture --steps 1.5 --out {new}", "received '1.5'"),
    ("lecture --batch-size 0", "--batch-size"),
    ("lecture --seed -1", "from 0 to"),
    ("lecture --seed 99999999999", "from 0 to"),
    ("lecture --width 0", "--width"),
    ("lecture --network unet", "invalid choice: 'unet'"),
    ("lecture --network fcn --stride 4", "invalid choice: 4"),
    ("lecture --fusion mean", "invalid choice: 'mean'"),
    ("lecture --backbone resnet5", "received 'resnet5'. Did you mean ResNet50?"),
    ("lecture --backbone unet", "one of Keras: ConvNeXtTiny"),
    ("lecture --size 160", "height x width"),
    ("lecture --size 0x4", "height x width"),
    ("lecture --size 160x576", "has its own"),
    ("lecture --colour", "unrecognized"),
    ("lecture --data {missing} --out {new}", "not there"),
    ("lecture --data {file.txt} --out {new}", "which is a file"),
    ("lecture --data {empty} --out {new}", "none of these"),
    ("lecture --data {place} --out {new}", "Is it the folder"),
    ("lecture --data {npy-few} --out {new}", "a label for each of the 6"),
    ("lecture --out {file.txt}", "is a file"),
    ("lecture --out {file.txt}/below", "file"),
    ("lecture --out /proc/nowhere", "/proc/nowhere"),
    (
        "lecture --data {good} --backbone vgg16 --backbone-weights {missing} --out {new}",
        "not there",
    ),
    (
        "lecture --data {good} --backbone vgg16 --vgg16-weights {file.txt} --out {new}",
        "does not hold VGG16",
    ),
    (
        "lecture --data {good} --backbone mobilenetv2 --backbone-weights {file.txt} --out {new}",
        "does not hold MobileNetV2's layers",
    ),
    ("figures L99 --out {new}", "L99"),
    ("figures L7 --out {new}", "L7"),
    ("figures --out {file.txt}", "is a file"),
    ("train", "required"),
    ("train {good}", "--out"),
    ("train {good} --out {new}/m.h5", "end in .keras"),
    ("train {good} --out {new}", "end in .keras"),
    ("train {good} --out {file.txt}/m.keras", "is a file"),
    ("train {good} --out {new}/m.keras --epochs 2 --steps 2", "not allowed"),
    ("train {good} --out {new}/m.keras --epochs 0", "--epochs"),
    ("train {good} --out {new}/m.keras --learning-rate 0", "above 0"),
    ("train {good} --out {new}/m.keras --learning-rate nan", "above 0"),
    ("train {good} --out {new}/m.keras --learning-rate inf", "above 0"),
    ("train {good} --out {new}/m.keras --fine-tune 2 --train-encoder", "not allowed"),
    ("train {good} --out {new}/m.keras --fine-tune 0", "--fine-tune"),
    (f"train {{missing}} {TRAIN}", "not there"),
    (f"train {{empty}} {TRAIN}", "none of these"),
    (f"train {{file.txt}} {TRAIN}", "which is a file"),
    (f"train {{good}} --format coco {TRAIN}", "'coco'"),
    (f"train {{good}} --format voc {TRAIN}", "PASCAL VOC"),
    (f"train {{good}} --format kitti {TRAIN}", "KITTI"),
    (f"train {{good}} --format pets {TRAIN}", "Oxford pets"),
    (f"train {{good}} --format camvid {TRAIN}", "folder of pictures"),
    (f"train {{good}} --format npy {TRAIN}", "images_training.npy"),
    (f"train {{good}} --classes bus {TRAIN}", "not in the data"),
    (f"train {{good}} --classes , {TRAIN}", "not in the data"),
    (f"train {{good}} --classes background,road {TRAIN}", "groups without 'background'"),
    (f"train {{good}} --size 4 {TRAIN}", "height x width"),
    (f"train {{good}} --checkpoint {{file.txt}} {TRAIN}", "file"),
    (f"train {{no-classes}} {TRAIN}", "classes.txt"),
    (f"train {{empty-classes}} {TRAIN}", "at least 1 names"),
    (f"train {{twice-classes}} {TRAIN}", "every name once"),
    (f"train {{utf16-classes}} {TRAIN}", "plain text"),
    (f"train {{half-colours}} {TRAIN}", "on every line"),
    (f"train {{no-mask}} {TRAIN}", "none for p0"),
    (f"train {{no-masks}} {TRAIN}", "not there"),
    (f"train {{empty-masks}} {TRAIN}", "Received: none"),
    (f"train {{one-picture}} {TRAIN}", "at least 2 images"),
    (f"train {{broken-images}} {TRAIN}", "could not be read as a picture"),
    (f"train {{cut-images}} {TRAIN}", "could not be read as a picture"),
    (f"train {{broken-masks}} {TRAIN}", "could not be read as a picture"),
    (f"train {{cut-masks}} {TRAIN}", "could not be read as a picture"),
    (f"train {{small-masks}} {TRAIN}", "size of its image"),
    (f"train {{rgb-masks}} {TRAIN}", "colours stand for classes"),
    (f"train {{deep-masks}} {TRAIN}", "numbers 0 to 65535"),
    (f"train {{far-masks}} {TRAIN}", "void=…"),
    (f"train {{deep-images}} {TRAIN}", "8 bits a channel"),
    (f"train {{clear-images}} {TRAIN}", "transparent"),
    (f"train {{strange-colours}} {TRAIN}", "(9, 9, 9)"),
    (f"train {{twins}} {TRAIN}", "which of them is meant"),
    (f"train {{turned-masks}} --size 48x64 {TRAIN}", "size of its image"),
    (f"train {{four-numbers}} {TRAIN}", "three numbers"),
    (f"train {{npy-soft}} {TRAIN}", "from 0.3 to 0.7"),
    (f"train {{npy-empty}} {TRAIN}", "np.save"),
    (f"train {{npy-pickled}} {TRAIN}", "np.save"),
    (f"train {{npy-numbers}} {TRAIN}", "one-hot"),
    (f"train {{npy-few}} {TRAIN}", "a label for each of the 6"),
    (f"train {{npy-words}} {TRAIN}", "hold numbers"),
    (f"train {{npy-centred}} {TRAIN}", "before any preprocessing"),
    ("evaluate {m.keras}", "required"),
    ("evaluate {missing} {good}", "not there"),
    ("evaluate {empty} {good}", "a folder"),
    ("evaluate {m.h5} {good}", "ends in .keras"),
    ("evaluate {cut.keras} {good}", "copied whole"),
    ("evaluate {text.keras} {good}", "copied whole"),
    ("evaluate {empty.keras} {good}", "copied whole"),
    ("evaluate {config.keras} {good}", "copied whole"),
    ("evaluate {module.keras} {good}", "could not be read"),
    ("evaluate {lambda.keras} {good}", "code of its own"),
    ("evaluate {m.keras} {camvid}", "11 outputs"),
    ("evaluate {m.keras} {good} --classes road", "2 outputs"),
    ("evaluate {m.keras} {missing}", "not there"),
    ("evaluate {m.keras} {broken-masks}", "could not be read"),
    ("evaluate {m.keras} {far-masks}", "void=…"),
    ("evaluate {grey.keras} {good}", "1 channels"),
    ("evaluate {classifier.keras} {good}", "32 x 32"),
    ("segment {m.keras} {photo.png}", "--out"),
    ("segment {m.keras} --out {new}", "required"),
    ("segment {m.keras} {missing} --out {new}", "not there"),
    ("segment {missing} {photo.png} --out {new}", "not there"),
    ("segment {lambda.keras} {photo.png} --out {new}", "code of its own"),
    ("segment {classifier.keras} {photo.png} --out {new}", "32 x 32"),
    ("segment {grey.keras} {photo.png} --out {new}", "(H, W, 1)"),
    ("segment {m.keras} {empty} --out {new}", "received none"),
    ("segment {m.keras} {text.png} --out {new}", "could not be read"),
    ("segment {m.keras} {cut.jpg} --out {new}", "could not be read"),
    ("segment {m.keras} {deep.png} --out {new}", "8 bits a channel"),
    ("segment {m.keras} {clear.png} --out {new}", "transparent"),
    ("segment {m.keras} {file.txt} --out {new}", "could not be read"),
    ("segment {m.keras} {photo.png} --out {file.txt}", "is a file"),
    ("segment {m.keras} {photo.png} --out /proc/nowhere", "/proc/nowhere"),
    ("segment {m.keras} {names} --out {new}", "overwrite"),
    ("segment {m.keras} {photos} --out {photos}", "another folder"),
    ("segment {m.keras} {one-bad} --out {new}", "1 of 3 pictures"),
    ("segment {m.keras} {photo.png} --tile 0 --out {new}", "at least 1"),
    ("segment {m.keras} {photo.png} --tile big --out {new}", "at least 1"),
    ("segment {m.keras} {flat.npy} --tile auto --out {new}", "(H, W, 3)"),
    ("segment {m.keras} {unit.npy} --tile auto --out {new}", "multiply by 255"),
    ("segment {m.keras} {pickled.npy} --tile auto --out {new}", "NumPy array"),
    ("segment {m.keras} {objects.npy} --tile auto --out {new}", "NumPy array"),
    ("segment {m.keras} {text.npy} --tile auto --out {new}", "NumPy array"),
    ("segment {m.keras} {text.png} --tile auto --out {new}", "could not be read"),
    ("segment {classifier.keras} {photo.png} --tile auto --out {new}", "Flatten"),
    ("scenes --out {new} --count 0", "at least 1"),
    ("scenes --out {new} --seed x", "from 0 to"),
    ("scenes --out {file.txt}", "is a file"),
    ("scenes --out {good}", "which holds"),
    ("scenes --out {no-classes}", "p0.png"),
    ("scenes --out {only-classes}", "classes.txt"),
    ("scenes", "--out"),
    ("fidelity --jsno", "unrecognized"),
    ("check-data {no-classes}", "classes.txt"),
    ("check-data {good} --picture {missing}/a.doc", ".png"),
]


def snapshot(folder):
    return {
        str(path): path.is_file() and (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    ("typed", "answer"), MISTAKES, ids=[typed or "nothing" for typed, _ in MISTAKES]
)
def test_a_mistake_is_one_line_and_changes_nothing(place, tmp_path, capsys, typed, answer):
    new, names = tmp_path / "new", {path.name: path for path in place.iterdir()}
    for name, path in {**names, "place": place, "missing": place / "missing", "new": new}.items():
        typed = typed.replace(f"{{{name}}}", str(path))
    before = snapshot(place)
    try:
        status = main(typed.split())
    except SystemExit as stopped:  # argparse
        status = stopped.code
    err = capsys.readouterr().err
    assert status == 2, err
    assert err.startswith("fcn_keras: ") and err.count("\n") == 1 and len(err) < 900, err
    assert answer in err and "unexpected error" not in err, err
    assert snapshot(place) == before
    assert "one-bad" in typed or not any(path.is_file() for path in new.rglob("*"))


def test_drawn_scenes_are_written_again_over_themselves(tmp_path):
    for seed in ("0", "1"):
        assert main(["scenes", "--out", str(tmp_path), "--count", "2", "--seed", seed]) == 0
    assert len(fcn.datasets.plain_folder(tmp_path)) == 2


def test_one_bad_picture_costs_no_other(place, tmp_path):
    assert (
        main(["segment", str(place / "m.keras"), str(place / "one-bad"), "--out", str(tmp_path)])
        == 2
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a_labels.png",
        "a_overlay.png",
        "b_labels.png",
        "b_overlay.png",
    ]


def test_a_model_file_runs_no_code(place, tmp_path, monkeypatch):
    """Neither a Lambda layer nor a module that is named in the file."""
    touched = tmp_path / "touched"
    spoil = lambda text: text.replace(  # noqa: E731
        '"module": "keras.layers", "class_name": "InputLayer"',
        '"module": "pathlib", "class_name": "Path"',
    )
    rewritten(place / "m.keras", tmp_path / "evil.keras", spoil)
    with pytest.raises(ValueError, match=r"could not be read|code of its own"):
        fcn.models.load(tmp_path / "evil.keras")
    with pytest.raises(ValueError, match="Lambda layer"):
        fcn.models.load(place / "lambda.keras")
    assert not touched.exists()


def test_what_is_unforeseen_is_still_one_line(monkeypatch, capsys):
    from fcn_keras.command_line import commands

    def broken(options):
        raise KeyError("pool6")

    monkeypatch.setattr(commands, "fidelity", broken)
    assert main(["fidelity"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "KeyError: 'pool6'" in err and "FCN_KERAS_DEBUG" in err
    monkeypatch.setenv("FCN_KERAS_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["fidelity"])


def test_the_table_is_large_and_names_things_that_exist(place):
    assert len(MISTAKES) >= 130
    known = {path.name for path in place.iterdir()} | {"place", "missing", "new"}
    assert {word.split("}")[0] for typed, _ in MISTAKES for word in typed.split("{")[1:]} <= known
    json.dumps(MISTAKES)
