"""The lecture's experiment, small: every figure, the page, the numbers; the whole of it is in `make
test-long`."""

import json
import re

import keras
import numpy as np
import pytest
from conftest import CAMVID, first_of, needs_camvid

import fcn_keras as fcn
from fcn_keras.command_line import parser as cli
from fcn_keras.datasets import photograph_files
from fcn_keras.lecture import autoencoder, photographs, road
from fcn_keras.lecture.experiment import Experiment, Settings

WANTED = ["L07", "L12", "L13", "L20", "L22", "L23", "L24", "L25"]


def run(out, *options):
    assert (
        cli.main(["lecture", "--out", str(out), "--width", "8", "--batch-size", "4", *options]) == 0
    )
    return json.loads((out / "scores.json").read_text())


@pytest.fixture(scope="module")
def npy(tmp_path_factory):
    """A folder of the lecture's files, made from a few drawn scenes."""
    folder = tmp_path_factory.mktemp("npy")
    scenes = fcn.datasets.road_scenes("train", count=12).view({"road": ["road"]})
    pairs = [scenes[index] for index in range(12)]
    np.save(
        folder / "images_training.npy", np.stack([image for image, _ in pairs]) / np.float32(255)
    )
    np.save(
        folder / "seg_training.npy",
        np.eye(2, dtype="float32")[np.stack([mask for _, mask in pairs])],
    )
    return folder


@pytest.fixture(scope="module")
def result(npy, tmp_path_factory):
    out = tmp_path_factory.mktemp("figures")
    return out, run(out, "--data", str(npy), "--steps", "15")


def test_every_figure_is_there_and_is_no_blank_page(result):
    out, _ = result
    assert sorted(path.stem for path in out.glob("L*.png")) == WANTED
    for name in WANTED:
        picture = fcn.images.read_image(out / f"{name}.png")
        assert picture.shape[1] >= 1000 and picture.std() > 10, name


def test_the_page_shows_them_in_order_with_a_sentence_each_and_needs_no_network(result):
    page = (result[0] / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'src="(L\d\d)\.png"', page) == WANTED
    assert len(re.findall(r"<figcaption>[^<]{30,}</figcaption>", page)) == len(WANTED)
    assert "http" not in page.replace('lang="en"', "")
    assert all(len(alt) > 20 for alt in re.findall(r'alt="([^"]*)"', page))


def test_the_scores_are_those_of_the_saved_model(result, npy):
    out, report = result
    model = fcn.models.load(out / "model.keras")
    again = fcn.evaluation.evaluate(model, fcn.datasets.open_data(npy).test).as_dict()
    for name in ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou"):
        assert report["test"][name] == pytest.approx(again[name], abs=1e-5)
    assert set(report["boundary_band_error"]) == {"1", "2", "4", "8"}
    assert set(report["strides"]) == {"32", "16", "8"}
    assert (
        all(seconds >= 0 for seconds in report["seconds"].values())
        and "training lecture" in report["seconds"]
    )


@pytest.mark.long
def test_the_same_seed_gives_the_same_scores(result, npy, tmp_path):
    again = run(tmp_path, "--data", str(npy), "--steps", "15")
    assert again["test"] == result[1]["test"]
    assert again["strides"] == result[1]["strides"]


def test_figures_uses_what_was_trained_before(result, npy, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fcn.training, "fit", None)  # training again would fail
    options = [
        "--data",
        str(npy),
        "--steps",
        "15",
        "--width",
        "8",
        "--batch-size",
        "4",
        "--out",
        str(tmp_path),
    ]
    assert cli.main(["figures", "L20", "L24", *options]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["L20.png", "L24.png"]
    assert cli.main(["figures", "L99", "--out", str(tmp_path)]) == 2
    assert "L07" in capsys.readouterr().err


needs_photographs = pytest.mark.skipif(
    bool(photographs.missing()), reason="the photographs or their encoder are not installed"
)


@needs_photographs
def test_the_figures_on_photographs_are_drawn(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "SHOWN", ("cat",))
    untrained = fcn.models.fcn(2, 8, encoder, width=4)
    monkeypatch.setattr(photographs, "trained_on_strokes", lambda experiment, name: untrained)
    assert cli.main(["figures", "L13b", "L25b", "--out", str(tmp_path)]) == 0
    for name in ("L13b", "L25b"):
        picture = fcn.images.read_image(tmp_path / f"{name}.png")
        assert picture.shape[1] >= 1000 and picture.std() > 10, name


@pytest.mark.long
def test_eighty_steps_on_a_few_strokes_find_the_cup():
    model = photographs.trained_on_strokes(Experiment(), "coffee")
    data = photographs.labelled_photograph("coffee")
    assert fcn.evaluation.evaluate(model, data).iou[1] > 0.8
    _, strokes = photographs.stroked_photograph("coffee")[0]
    assert (strokes != 255).mean() < 0.1


@needs_photographs
def test_without_the_packages_a_line_says_which_figures_are_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(photographs.PACKAGES, "scikit-image", "not_to_be_found")
    assert cli.main(["figures", "L08", "L13b", "L25b", "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["L08.png"]
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "L13b and L25b" in said and "scikit-image is not" in said and "[photo]" in said
    assert cli.main(["figures", "L25b", "--out", str(tmp_path)]) == 2  # nothing else was asked for
    monkeypatch.setattr(photograph_files, "MODULE", "not_to_be_found")
    (picture,) = autoencoder.photographs_as_high_as(40)  # matplotlib's instead of scikit-image's
    assert picture.shape == (40, 34, 3)


def test_l12_marks_the_last_layer_and_nothing_else():
    autoencoder = fcn.models.cae()
    first, second = (
        fcn.models.describe(m, (64, 96))
        for m in (autoencoder, fcn.models.fcn_from_cae(autoencoder, 2))
    )
    assert fcn.lecture.changed_layers(first, second) == ["output", "logits"]
    widened = fcn.models.describe(fcn.models.cae(widths=(16, 32, 80)), (64, 96))
    assert "conv3" in fcn.lecture.changed_layers(first, widened)


@first_of("name", ["efficientnet_lite0", "MobileNetV2", "vgg16", "small_vgg"])
def test_the_architecture_is_drawn_for_any_encoder(name):
    """Of a deep one each part between two pools is one box, and no weight is forgotten."""
    experiment = Experiment(Settings(backbone=name, width=4))
    experiment.encoder, experiment.image_size = fcn.backbones.by_name(name, None), (160, 576)
    title = road.architecture(experiment).get_suptitle()
    assert f"FCN: {road.IN_PRINT.get(name, name)} encoder fixed" in title
    rows = fcn.models.describe(experiment.network(), (160, 576))
    gathered = road.by_pools(rows)
    assert sum(row.parameters for row in gathered) == sum(row.parameters for row in rows)
    assert [row.name for row in gathered if row.parameters and not row.trained][-1] == "pool5"
    assert len(gathered) < 25


@pytest.mark.long
@pytest.mark.parametrize("options", (["--stride", "32"], ["--fusion", "concat"]))
def test_the_other_networks_run_too(npy, tmp_path, options):
    report = run(tmp_path, "--data", str(npy), "--steps", "3", "--network", "fcn", *options)
    assert report["settings"]["network"] == "fcn"
    assert (tmp_path / "L13.png").is_file()


@pytest.mark.long
def test_vgg16_trains_from_a_weights_file(npy, tmp_path):
    """Not ImageNet's weights, which no test can fetch: the whole way from Keras' file to the
    figures' network."""
    keras.applications.VGG16(include_top=False, weights=None).save_weights(
        tmp_path / "vgg16.weights.h5"
    )
    weights = str(tmp_path / "vgg16.weights.h5")
    settings = Settings(
        str(npy), backbone="vgg16", backbone_weights=weights, width=4, steps=1, batch_size=2
    )
    trained = Experiment(settings).trained
    assert (
        trained.model.get_layer("pool5").output.shape[-1] == 512
        and np.isfinite(trained.history.loss).all()
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_road_iou_and_the_band_error_that_falls_with_the_stride(seed, tmp_path):
    assert cli.main(["lecture", "--seed", str(seed), "--out", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "scores.json").read_text())
    coarse, middle, fine = (
        report["strides"][stride]["boundary_band_error"]["4"] for stride in ("32", "16", "8")
    )
    assert coarse > middle > fine
    assert report["test"]["iou"]["road"] >= 0.97


@pytest.mark.long
@needs_camvid
def test_camvid_trains_and_gives_the_same_figures(tmp_path):
    assert cli.main(["lecture", "--data", str(CAMVID), "--out", str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.glob("L*.png")) == WANTED
    assert json.loads((tmp_path / "scores.json").read_text())["test"]["iou"]["road"] > 0.8
