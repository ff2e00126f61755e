"""A model file says what using it needs, so that what comes out is right, or a sentence says why
it cannot be: the size of its pictures, its classes, which pictures it never saw, spoilt weights.
"""

import json
import zipfile

import keras
import made_files
import made_sets
import numpy as np
import pytest
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.prediction import many_files

NAMES = ("grass", "road", "car")


def scores_in(printed):
    """IoU of each class in percent, as `evaluate` printed it."""
    rows = [line.split() for line in printed.splitlines() if line.startswith("IoU")]
    return {name: float(value) for _, name, value, _ in rows}


def enlarged(folder, factor=4):
    """The pictures of a folder at several times their size, as a camera would give them."""
    for path in [*(folder / "images").iterdir(), *(folder / "masks").iterdir()]:
        picture = Image.open(path)
        picture.resize((picture.width * factor, picture.height * factor), 0).save(path)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of 192 x 256 pictures, and a model that was trained on them at 48 x 64."""
    root = tmp_path_factory.mktemp("use")
    enlarged(made_sets.plain(root / "photos"))
    arguments = ["--width", "16", "--steps", "200", "--batch-size", "4", "--learning-rate", "0.01"]
    arguments += ["--size", "48x64", "--out", str(root / "m.keras"), "--backbone", "small_vgg"]
    assert main(["train", str(root / "photos"), *arguments]) == 0
    return root


@pytest.fixture(scope="module")
def model(trained):
    return fcn.models.load(trained / "m.keras")


# --- the card


def test_a_model_file_says_what_using_it_needs(trained, model):
    card = fcn.models.card(model)
    data = fcn.datasets.open_data(trained / "photos")
    assert card.class_names == NAMES
    assert card.palette == tuple(map(tuple, fcn.datasets.default_palette(3).tolist()))
    assert (card.size, card.encoder, card.precision) == ((48, 64), "small_vgg", "float32")
    assert (card.void, card.version) == (255, fcn.__version__)
    assert card.data.startswith(f"{len(data.train)} of photos, grass, road, car, ")
    assert card.held_out == tuple(data.test.digest(i) for i in range(len(data.test)))
    assert "resized to 48 x 64" in str(card)


def test_the_card_survives_plain_keras_and_a_clone(trained, model, tmp_path):
    model.save(tmp_path / "again.keras")
    again = keras.saving.load_model(tmp_path / "again.keras")
    for other in (again, keras.models.clone_model(model)):
        assert fcn.models.card(other) == fcn.models.card(model)
    with zipfile.ZipFile(tmp_path / "again.keras") as file:
        config = json.loads(file.read("config.json"))
    (last,) = [layer for layer in config["config"]["layers"] if layer["name"] == "logits"]
    assert json.loads(last["config"]["about"])["size"] == [48, 64]


@pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
def test_a_model_that_is_not_saved_yet_has_its_card(toy):
    model = fcn.models.fcn(2, width=2)
    assert fcn.models.card(model) == fcn.models.Card(encoder=fcn.backbones.default_name())
    fcn.training.fit(model, toy, steps=1, batch_size=2)
    assert fcn.models.card(model).class_names == ("dark", "bright")
    assert fcn.models.card(model).size is None  # never the shape of a batch


@pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
def test_somebody_elses_network_keeps_its_card_in_the_file(toy, tmp_path):
    """It ends in a convolution, so nothing in it has a place for a card."""
    own = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3, padding="same")]
    )
    fcn.training.fit(own, toy, steps=1, batch_size=2)
    fcn.models.save(own, tmp_path / "own.keras")
    again = fcn.models.load(tmp_path / "own.keras")
    assert fcn.models.card(again) == fcn.models.card(own)
    assert fcn.models.card(own).class_names == ("dark", "bright")
    image = toy[0][0]
    np.testing.assert_array_equal(
        fcn.prediction.logits(again, image), fcn.prediction.logits(own, image)
    )


# --- the size of the pictures


def test_a_model_sees_pictures_at_the_size_that_it_was_trained_at(trained, capsys):
    photos, file = str(trained / "photos"), str(trained / "m.keras")
    assert main(["evaluate", file, photos, "--size", "48x64"]) == 0
    small = scores_in(capsys.readouterr().out)
    assert main(["evaluate", file, photos]) == 0
    printed = capsys.readouterr().out
    assert "resized to 48 x 64, as in training" in printed
    assert min(small.values()) > 30
    assert scores_in(printed) == pytest.approx(small, abs=0.1)  # the masks are enlarged ones
    assert main(["evaluate", file, photos, "--size", "192x256"]) == 0
    as_they_are = scores_in(capsys.readouterr().out)
    assert sum(as_they_are.values()) < sum(small.values()) - 30


def test_whole_tiled_and_by_the_command_line_the_labels_are_the_same(trained, model, tmp_path):
    picture = trained / "photos" / "images" / "p0.png"
    small = fcn.images.read_image(picture, (48, 64))
    expected = np.repeat(np.repeat(fcn.prediction.segment(model, small), 4, axis=0), 4, axis=1)
    image = fcn.images.read_image(picture)
    np.testing.assert_array_equal(fcn.prediction.segment(model, image), expected)
    highest = np.argmax(fcn.prediction.probabilities(model, image), axis=-1)
    np.testing.assert_array_equal(highest, expected)
    np.testing.assert_array_equal(fcn.prediction.segment_tiled(model, image), expected)
    for options in ([], ["--tile", "auto"]):
        command = ["segment", str(trained / "m.keras"), str(picture), "--out", str(tmp_path)]
        assert main([*command, *options]) == 0
        np.testing.assert_array_equal(fcn.images.read_mask(tmp_path / "p0_labels.png"), expected)


def test_a_size_that_is_asked_for_comes_before_that_of_the_card(model, trained, tmp_path):
    image = fcn.images.read_image(trained / "photos" / "images" / "p0.png")
    own = fcn.prediction.segment(model, image, size=None)
    assert own.shape == (192, 256)
    assert (own != fcn.prediction.segment(model, image)).mean() > 0.02
    half = fcn.prediction.segment(model, fcn.images.resized(image, (96, 128)), size=None)
    np.testing.assert_array_equal(
        fcn.prediction.segment(model, image, size=(96, 128)), half.repeat(2, 0).repeat(2, 1)
    )
    command = ["segment", str(trained / "m.keras"), str(trained / "photos" / "images" / "p0.png")]
    assert main([*command, "--out", str(tmp_path), "--size", "192x256"]) == 0
    np.testing.assert_array_equal(fcn.images.read_mask(tmp_path / "p0_labels.png"), own)


def test_another_size_is_another_job(tmp_path, trained):
    """Pictures that were labelled at one size are not skipped at another."""
    picture = trained / "photos" / "images" / "p0.png"
    notes = {
        many_files.Job(trained / "m.keras", tmp_path, size=size).note(picture, "digest")
        for size in ("trained", None, (48, 64))
    }
    assert len(notes) == 3


@pytest.mark.parametrize("size", [(7, 9), (31, 64), (48, 40), (200, 300)])
def test_a_picture_resized_in_strips_is_the_one_that_is_resized_whole(size, monkeypatch, tmp_path):
    image, _ = made_sets.scene(3, 4, (101, 77))
    fcn.images.write_image(tmp_path / "p.png", image)
    monkeypatch.setattr(fcn.images, "STRIP_BYTES", 77 * 3 * 20)
    strips = fcn.images.resized(image, size).astype(int)
    assert abs(strips - fcn.images.read_image(tmp_path / "p.png", size)).max() <= 1
    assert fcn.images.resized(image.astype("float32"), size).dtype == np.uint8


def test_values_that_are_no_picture_are_refused_before_they_are_resized(model):
    image = np.full((100, 100, 3), 300.0)
    with pytest.raises(ValueError, match="0 to 255"):
        fcn.prediction.segment_tiled(model, image)


# --- the classes


def reordered(folder, new_folder, names):
    """The same data set with its classes in another order."""
    table = np.full(256, 255, "uint8")
    for old, name in enumerate(NAMES):
        table[old] = names.index(name)
    for path in sorted((folder / "images").iterdir()):
        fcn.images.write_image(new_folder / "images" / path.name, fcn.images.read_image(path))
        mask = table[fcn.images.read_mask(folder / "masks" / path.name)]
        fcn.images.write_image(new_folder / "masks" / path.name, mask)
    (new_folder / "classes.txt").write_text("\n".join(names))
    return new_folder


def test_classes_count_by_name_in_whatever_order_a_folder_lists_them(trained, tmp_path, capsys):
    other = reordered(trained / "photos", tmp_path / "other", ["car", "grass", "road"])
    assert main(["evaluate", str(trained / "m.keras"), str(trained / "photos")]) == 0
    expected = scores_in(capsys.readouterr().out)
    assert main(["evaluate", str(trained / "m.keras"), str(other)]) == 0
    assert scores_in(capsys.readouterr().out) == expected
    assert list(expected) == list(NAMES)


def test_a_folder_may_lack_a_class_that_the_model_knows(model, toy):
    data = fcn.datasets.SegmentationData(
        lambda i: (toy[i][0], np.where(toy[i][1] == 1, 0, 1).astype("uint8")), 2, ("car", "road")
    )
    scores = fcn.evaluation.evaluate(model, data)
    assert scores.class_names == NAMES
    assert scores.confusion.sum(axis=1)[0] == 0 and np.isnan(scores.accuracy[0])  # no grass


def test_classes_that_the_model_does_not_know_are_refused(trained, tmp_path, capsys):
    other = reordered(trained / "photos", tmp_path / "other", ["car", "grass", "road"])
    (other / "classes.txt").write_text("lorry\ngrass\nroad\n")
    assert main(["evaluate", str(trained / "m.keras"), str(other)]) == 2
    printed = capsys.readouterr().err
    assert "grass, road, car" in printed and "lorry, grass, road" in printed


def test_a_model_of_one_class_says_how_to_gather_the_others(model):
    fcn.models.note(other := keras.models.clone_model(model), class_names=("background", "road"))
    data = fcn.datasets.SegmentationData(lambda i: None, 1, NAMES)
    with pytest.raises(ValueError, match="--classes road, makes background of the others"):
        fcn.evaluation.evaluate(other, data)


def test_boundary_scores_count_by_name_too(model, trained):
    data = fcn.datasets.open_data(trained / "photos").test
    turned = data.in_order(("car", "road", "grass"))
    ours = fcn.evaluation.boundary_scores(model, data, (2,))[2]
    theirs = fcn.evaluation.boundary_scores(model, turned, (2,))[2]
    np.testing.assert_array_equal(ours.confusion, theirs.confusion)
    with pytest.raises(ValueError, match="in this order"):
        next(fcn.evaluation.label_pairs(model, turned))


def test_training_goes_on_with_the_models_numbers(model, trained, capsys):
    """A loaded model, and the same folder with its classes listed in another order."""
    data = fcn.datasets.open_data(trained / "photos", size=(48, 64)).train
    again = keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    history = fcn.training.fit(
        again, data.in_order(("car", "road", "grass")), steps=1, learning_rate=1e-6, seed=3
    )
    assert "numbered as" in capsys.readouterr().out
    assert history.loss[0] < 0.7  # the loss of a model that knows these labels already
    assert fcn.models.card(again).class_names == NAMES


def test_the_overlays_colours_are_the_models(trained, tmp_path):
    model = fcn.models.load(trained / "m.keras")
    fcn.models.note(model, palette=((1, 2, 3), (4, 5, 6), (7, 8, 9)))
    fcn.models.save(model, tmp_path / "m.keras")
    picture = trained / "photos" / "images" / "p0.png"
    assert main(["segment", str(tmp_path / "m.keras"), str(picture), "--out", str(tmp_path)]) == 0
    assert Image.open(tmp_path / "p0_labels.png").getpalette()[:9] == list(range(1, 10))


def test_an_old_file_goes_on_working_with_a_line(model, trained, tmp_path, capsys):
    old = keras.models.clone_model(model)
    old.set_weights(model.get_weights())
    old.get_layer("logits").about = ""
    old.save(tmp_path / "old.keras")
    photos = str(trained / "photos")
    assert main(["evaluate", str(tmp_path / "old.keras"), photos, "--size", "48x64"]) == 0
    printed = capsys.readouterr().out
    assert "names neither its classes nor the pictures" in printed
    assert min(scores_in(printed).values()) > 30


# --- spoilt weights


def test_a_training_that_diverges_leaves_the_good_file_alone(tmp_path, capsys):
    made_sets.plain(tmp_path / "data", count=4)
    file = tmp_path / "m.keras"
    file.write_bytes(b"a good model of yesterday")
    arguments = ["--width", "2", "--steps", "3", "--batch-size", "2", "--learning-rate", "1e30"]
    assert main(["train", str(tmp_path / "data"), "--out", str(file), *arguments]) == 1
    assert file.read_bytes() == b"a good model of yesterday"
    err = capsys.readouterr().err
    assert "NaN" in err and "m.failed.keras" in err
    failed = tmp_path / "m.failed.keras"
    assert not all(np.isfinite(w).all() for w in fcn.models.load(failed).get_weights())
    assert main(["evaluate", str(failed), str(tmp_path / "data")]) == 2
    assert "scores that are numbers" in capsys.readouterr().err


@pytest.mark.parametrize("use", ["segment", "probabilities", "segment_tiled", "evaluate"])
def test_scores_that_are_not_numbers_are_refused(use, toy):
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), num_classes=2)
    model.get_layer("output").kernel.assign(np.full(model.get_layer("output").kernel.shape, np.nan))
    with pytest.raises(ValueError, match="scores that are numbers"):
        if use == "evaluate":
            fcn.evaluation.evaluate(model, toy)
        else:
            getattr(fcn.prediction, use)(model, toy[0][0])


def test_one_bad_model_refuses_every_picture_of_a_folder(tmp_path, toy):
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), num_classes=2)
    model.set_weights([np.full(weight.shape, np.inf) for weight in model.get_weights()])
    model.save(tmp_path / "m.keras")
    fcn.images.write_image(tmp_path / "p.png", toy[0][0])
    job = many_files.Job(tmp_path / "m.keras", tmp_path / "out")
    (answer,) = many_files.label_files(many_files.Labeller(job), [tmp_path / "p.png"])
    assert "scores that are numbers" in answer
    assert not (tmp_path / "out").exists()


# --- which pictures were held out


def held_out(folder, seed=0):
    test = fcn.datasets.open_data(folder, seed=seed).test
    return {test.digest(index) for index in range(len(test))}


def test_a_picture_that_is_added_moves_no_other_one(tmp_path):
    folder = made_sets.plain(tmp_path / "data", count=20)
    before = held_out(folder)
    everything = fcn.datasets.open_data(folder)
    known = {
        part.digest(i) for part in (everything.train, everything.test) for i in range(len(part))
    }
    image, mask = made_sets.scene(77, 3)
    fcn.images.write_image(folder / "images" / "a_new_one.png", image)
    fcn.images.write_image(folder / "masks" / "a_new_one.png", mask)
    assert held_out(folder) & known == before
    for kind in ("images", "masks"):  # another name, so another place in the order
        (folder / kind / "p3.png").rename(folder / kind / "zebra.png")
    assert held_out(folder) & known == before
    (folder / "images" / "p5.png").unlink(), (folder / "masks" / "p5.png").unlink()
    assert held_out(folder) <= before | held_out(folder) - known


def test_about_a_fifth_is_held_out_and_another_seed_holds_out_others(tmp_path):
    folder = made_sets.plain(tmp_path / "data", count=60)
    parts = [held_out(folder, seed) for seed in range(4)]
    assert all(5 <= len(part) <= 20 for part in parts)
    assert len(set(map(frozenset, parts))) == 4


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [2, 3])
def test_at_least_one_picture_is_on_each_side(tmp_path, count, seed):
    opened = fcn.datasets.open_data(made_sets.plain(tmp_path / "data", count=count), seed=seed)
    assert len(opened.train) >= 1 and len(opened.test) >= 1
    assert len(opened.train) + len(opened.test) == count


def test_evaluate_says_which_pictures_it_scored(trained, tmp_path, capsys):
    folder = made_sets.plain(tmp_path / "data", count=10)
    assert main(["evaluate", str(trained / "m.keras"), str(trained / "photos")]) == 0
    printed = capsys.readouterr().out
    count = len(fcn.datasets.open_data(folder).test)
    assert f"Scored: {len(held_out(trained / 'photos'))} of 10 pictures of " in printed
    assert "chosen by each picture's content" in printed and "Of the other" not in printed
    assert main(["evaluate", str(trained / "m.keras"), str(folder)]) == 0
    assert f"Of the other {count} its file does not say so" in capsys.readouterr().out


# --- the bands of a file


@made_files.needs_tifffile
def test_a_model_of_chosen_bands_reads_its_pictures_by_them(tmp_path):
    """Four bands, blue first, as satellites give them; near infrared is the last."""
    folder = made_sets.plain(tmp_path / "data", count=4)
    for path in list((folder / "images").iterdir()):
        image = fcn.images.read_image(path)
        bands = np.concatenate([image[..., ::-1], image[..., :1]], axis=-1)
        made_files.tiff(path.with_suffix(".tif"), bands, photometric=2, extra=[0])
        path.unlink()
    file = tmp_path / "m.keras"
    arguments = ["--width", "4", "--steps", "2", "--batch-size", "2", "--bands", "3,2,1"]
    assert main(["train", str(folder), "--out", str(file), *arguments]) == 0
    assert fcn.models.card(fcn.models.load(file)).bands == (2, 1, 0)
    picture, out = folder / "images" / "p0.tif", tmp_path / "out"
    expected = fcn.prediction.segment(
        fcn.models.load(file), fcn.images.read_image(picture, bands=(2, 1, 0))
    )
    for options in ([], ["--tile", "auto"]):
        assert main(["segment", str(file), str(picture), "--out", str(out), *options]) == 0
        np.testing.assert_array_equal(fcn.images.read_mask(out / "p0_labels.png"), expected)
    assert main(["evaluate", str(file), str(folder)]) == 0
