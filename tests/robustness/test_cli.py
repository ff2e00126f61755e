"""The command line as a student types it, wrongly too."""

import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import random_image
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main


def complaint(capsys, *arguments):
    """The one line on standard error that a mistake must end in, with status 2."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stopped:  # argparse
        status = stopped.code
    err = capsys.readouterr().err
    assert status == 2
    assert err.startswith("fcn_keras: ") and err.count("\n") == 1 and "Traceback" not in err
    return err


@pytest.fixture(scope="module")
def folder(tmp_path_factory, encoder):
    """A plain data set of drawn scenes, a model for it, and a picture of another size."""
    root = tmp_path_factory.mktemp("cli")
    assert main(["scenes", "--out", str(root / "scenes"), "--count", "5"]) == 0
    Image.fromarray(random_image(45, 61)).save(root / "photo.jpg")
    arguments = [
        "train",
        str(root / "scenes"),
        "--classes",
        "road",
        "--out",
        str(root / "m.keras"),
        "--steps",
        "2",
        "--backbone",
        "small_vgg",
    ]
    assert main([*arguments, "--width", "4", "--batch-size", "2"]) == 0
    return root


def test_scenes_train_evaluate_segment_fit_together(folder, tmp_path, capsys):
    assert (
        main(["evaluate", str(folder / "m.keras"), str(folder / "scenes"), "--classes", "road"])
        == 0
    )
    assert "mean iou" in capsys.readouterr().out
    assert (
        main(
            ["segment", str(folder / "m.keras"), str(folder / "photo.jpg"), "--out", str(tmp_path)]
        )
        == 0
    )
    labels = fcn.images.read_mask(tmp_path / "photo_labels.png")
    assert labels.shape == (45, 61) and labels.max() <= 1
    image = fcn.images.read_image(folder / "photo.jpg")
    np.testing.assert_array_equal(
        labels, fcn.prediction.segment(fcn.models.load(folder / "m.keras"), image)
    )
    assert (tmp_path / "photo_overlay.png").is_file()


def test_running_twice_is_as_good_as_once(folder, tmp_path):
    for _ in range(2):
        assert (
            main(
                [
                    "segment",
                    str(folder / "m.keras"),
                    str(folder / "scenes" / "images"),
                    "--out",
                    str(tmp_path),
                ]
            )
            == 0
        )
    assert len(list(tmp_path.iterdir())) == 10


def test_mistakes_end_in_one_line_and_status_2(folder, tmp_path, capsys):
    model, scenes, photo = folder / "m.keras", folder / "scenes", folder / "photo.jpg"
    assert "whole number" in complaint(capsys, "lecture", "--steps", "0")
    assert "whole number" in complaint(capsys, "lecture", "--seed", "-1")
    assert "invalid choice" in complaint(capsys, "lecture", "--network", "unet")
    assert "required" in complaint(capsys)
    assert "invalid choice" in complaint(capsys, "lectures")
    assert "not there" in complaint(
        capsys, "lecture", "--data", tmp_path / "nowhere", "--out", tmp_path
    )
    assert "none of these" in complaint(capsys, "lecture", "--data", tmp_path, "--out", tmp_path)
    assert "is a file" in complaint(capsys, "lecture", "--out", photo)
    vgg16 = ("--backbone", "vgg16", "--vgg16-weights", tmp_path / "w.h5")
    assert "which is not there" in complaint(
        capsys, "lecture", *vgg16, "--data", scenes, "--out", tmp_path
    )
    assert "not there" in complaint(
        capsys, "segment", model, tmp_path / "no.jpg", "--out", tmp_path
    )
    assert "not there" in complaint(
        capsys, "segment", tmp_path / "no.keras", photo, "--out", tmp_path
    )
    assert "could not be read" in complaint(
        capsys, "segment", photo.with_name("m.keras"), model, "--out", tmp_path
    )
    assert "end in .keras" in complaint(capsys, "train", scenes, "--out", tmp_path / "m.h5")
    assert "not in the data" in complaint(
        capsys, "train", scenes, "--classes", "bus", "--out", tmp_path / "m.keras"
    )
    assert "--classes road" in complaint(capsys, "evaluate", model, scenes)
    assert "'auto', 'camvid'" in complaint(capsys, "evaluate", model, scenes, "--format", "coco")


def test_help_answers_without_loading_keras():
    script = (
        "import sys; from fcn_keras.command_line.parser import parser; parser().format_help(); "
        "print('keras' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_no_start_up_noise_on_standard_error(folder, tmp_path):
    command = [
        sys.executable,
        "-m",
        "fcn_keras",
        "segment",
        str(folder / "m.keras"),
        str(folder / "photo.jpg"),
    ]
    out = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert out.returncode == 0 and out.stderr == ""


def test_fidelity_fails_with_status_1_and_says_where(monkeypatch, capsys):
    from fcn_keras.published import fidelity

    monkeypatch.setattr(fcn.datasets, "road_scenes", lambda split: None)
    for passed, status in ((True, 0), (False, 1)):
        row = fidelity.Row("parameters", "parameters", "5", "6", passed, "paper")
        monkeypatch.setattr(fidelity, "report", lambda data, row=row: iter([row]))
        assert main(["fidelity"]) == status
        assert (
            f"{'pass' if passed else 'FAIL'}  parameters: 6  (expected: 5)"
            in capsys.readouterr().out
        )
        assert main(["fidelity", "--json"]) == status
        assert json.loads(capsys.readouterr().out)["passed"] is passed


def test_train_fine_tunes_the_encoder_when_asked(folder, tmp_path, capsys):
    common = [
        str(folder / "scenes"),
        "--classes",
        "road",
        "--steps",
        "2",
        "--batch-size",
        "2",
        "--width",
        "8",
    ]
    tuning = ["--backbone", "small_vgg", "--fine-tune", "2", "--fine-tuning-rate", "0.001"]
    assert main(["train", *common, *tuning, "--out", str(tmp_path / "tuned.keras")]) == 0
    shipped = fcn.backbones.small_vgg().get_layer("conv3_1").get_weights()[0]
    files = {"frozen": folder / "m.keras", "tuned": tmp_path / "tuned.keras"}
    models = {name: fcn.models.load(path) for name, path in files.items()}
    kernels = {name: model.get_layer("conv3_1").get_weights()[0] for name, model in models.items()}
    np.testing.assert_array_equal(kernels["frozen"], shipped)
    assert (kernels["tuned"] != shipped).any()
    capsys.readouterr()
    assert "not allowed with" in complaint(
        capsys,
        "train",
        *common,
        "--out",
        tmp_path / "m.keras",
        "--fine-tune",
        "2",
        "--train-encoder",
    )
