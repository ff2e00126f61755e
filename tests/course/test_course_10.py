"""Notebook 10: a folder of one's own, what goes wrong with masks, two stages of training, the
command line."""

import ast
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_draws_itself, random_image
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line import parser as cli
from fcn_keras.visualization import your_pictures

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "notebooks" / "10_your_own_pictures.py"
FOLDER = ROOT / "data" / "road_scenes"
NAMES = ("ground", "block", "car", "pole")
PALETTE = fcn.datasets.default_palette(4)


def of_notebook(name):
    """A function of the notebook."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    space = {"np": np}
    exec(
        ast.unparse(
            next(
                node
                for node in tree.body
                if isinstance(node, ast.FunctionDef) and node.name == name
            )
        ),
        space,
    )
    return space[name]


def labels_of_a_scene():
    """Ground 0, a block 1, a thin pole 3 that stands on odd columns; class 2 only in a corner."""
    labels = np.zeros((32, 48), "uint8")
    labels[8:24, 5:20] = 1
    labels[4:28, 31:34] = 3
    labels[:4, :4] = 2
    return labels


def written(folder, mask, palette=None):
    """A data set of one picture, read back from files."""
    fcn.images.write_image(folder / "images" / "a.png", random_image(32, 48))
    fcn.images.write_image(folder / "masks" / "a.png", mask, palette)
    return fcn.datasets.image_folder(folder / "images", folder / "masks", NAMES)


# ------------------------------------------------------------------------------- layout and loading


def test_an_indexed_png_holds_the_numbers_that_were_written(tmp_path):
    data = written(tmp_path, labels_of_a_scene(), PALETTE)
    np.testing.assert_array_equal(data[0][1], labels_of_a_scene())
    file = Image.open(tmp_path / "masks" / "a.png")
    assert file.mode == "P"
    np.testing.assert_array_equal(np.asarray(file), labels_of_a_scene())


def test_a_jpeg_does_not_hold_them(tmp_path):
    Image.fromarray(labels_of_a_scene()).save(tmp_path / "a.jpg")
    assert not np.array_equal(np.array(Image.open(tmp_path / "a.jpg")), labels_of_a_scene())
    with pytest.raises(ValueError, match="a JPEG file"):
        fcn.images.read_mask(tmp_path / "a.jpg")


def test_the_example_folder_is_laid_out_as_the_notebook_says():
    assert {path.stem for path in (FOLDER / "images").iterdir()} == {
        path.stem for path in (FOLDER / "masks").iterdir()
    }
    data = fcn.datasets.open_data(FOLDER)
    assert (len(data.train), len(data.test), data.train.num_classes) == (19, 5, 7)


# ------------------------------------------------------------------------------- checking


class Unchecked(list):
    """Unchecked pairs; the package's own data set would reject wrong ones before the notebook's
    check sees them."""

    class_names, num_classes = NAMES, len(NAMES)


def one(image, mask):
    return Unchecked([(image, mask)])


def test_the_check_accepts_what_is_right_and_counts_without_void():
    labels = labels_of_a_scene()
    labels[0] = 255
    shares = of_notebook("shares_of")(one(random_image(32, 48), labels))
    np.testing.assert_allclose(
        shares, np.bincount(labels[labels != 255], minlength=4) / (labels != 255).sum()
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda labels: labels[:16], "does not fit"),
        (lambda labels: labels + 1, "neither a class nor 255"),
        (lambda labels: np.minimum(labels, 2), "never seen.*pole"),
        (lambda labels: np.where(labels == 1, 255, 0), "never seen.*block"),  # white on black
    ],
)
def test_the_check_refuses_what_is_wrong(spoil, message):
    with pytest.raises(AssertionError, match=message):
        of_notebook("shares_of")(
            one(random_image(32, 48), spoil(labels_of_a_scene()).astype("uint8"))
        )


# ------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda labels: labels[::2, ::2], "Received: 16 x 24"),
        (lambda labels: PALETTE[labels], "3 bands"),
        (lambda labels: labels + 1, "Received: 4"),
        (lambda labels: np.where(labels == 1, 255, 0).astype("uint8"), "only 0 and 255"),
    ],
    ids=["another size", "colours", "classes from 1", "white on black"],
)
def test_the_package_refuses_four_mistakes(tmp_path, spoil, message):
    data = written(tmp_path, spoil(labels_of_a_scene()))
    with pytest.raises(ValueError, match=message):
        data[0]


@pytest.mark.parametrize(
    "spoil",
    [lambda labels: np.where(labels == 3, 2, labels), lambda labels: np.minimum(labels, 2) + 1],
    ids=["averaged to a class", "classes from 1 without the highest"],
)
def test_it_cannot_refuse_numbers_that_are_allowed(tmp_path, spoil):
    mask = spoil(labels_of_a_scene())
    np.testing.assert_array_equal(written(tmp_path, mask)[0][1], mask)


def averaged(labels):
    return labels.reshape(16, 2, 24, 2).mean(axis=(1, 3)).round().astype("uint8")


def beside_the_pole(labels):
    """The numbers around the pole, where there are only ground and pole."""
    return set(np.unique(labels[4:, 14:]))


def test_averaging_invents_a_class_between_two():
    assert beside_the_pole(averaged(labels_of_a_scene())) == {0, 2, 3}


def test_nearest_neighbour_does_not():
    assert beside_the_pole(labels_of_a_scene()[::2, ::2]) <= {0, 3}


def test_averaging_with_void_makes_numbers_that_are_refused(tmp_path):
    labels = np.where(
        fcn.evaluation.boundary_band(labels_of_a_scene(), width=1), 255, labels_of_a_scene()
    ).astype("uint8")
    data = written(tmp_path, averaged(labels).repeat(2, 0).repeat(2, 1))
    with pytest.raises(ValueError, match="nearest neighbour"):
        data[0]


# --- training, photograph, keeping ---


def encoder_learns(toy, **options):
    model = fcn.models.lecture_fcn(2, fcn.backbones.small_vgg(), width=4)
    before = model.get_layer("conv5_2").get_weights()[0]
    history = fcn.training.fit(model, toy, steps=20, batch_size=4, learning_rate=3e-3, **options)
    return len(history.loss), not np.array_equal(
        before, model.get_layer("conv5_2").get_weights()[0]
    )


def test_the_second_stage_trains_the_encoder(toy):
    assert encoder_learns(toy, unfreeze="after", fine_tuning=3) == (23, True)


def test_without_it_the_encoder_stays(toy):
    assert encoder_learns(toy) == (20, False)


def test_a_network_always_says_one_of_its_classes_and_is_kept_whole(encoder, tmp_path):
    model = fcn.models.lecture_fcn(3, encoder, width=4)
    noise = random_image(37, 53)
    chances = fcn.prediction.probabilities(model, noise)
    np.testing.assert_allclose(chances.sum(axis=-1), 1, rtol=1e-5)
    assert chances.shape == (37, 53, 3)
    model.save(tmp_path / "my.keras")
    np.testing.assert_allclose(
        fcn.prediction.probabilities(fcn.models.load(tmp_path / "my.keras"), noise),
        chances,
        atol=1e-5,
    )


def test_the_commands_on_the_page_are_commands():
    lines = re.findall(
        r"^#     (python -m fcn_keras .+)$", SOURCE.read_text(encoding="utf-8"), re.M
    )
    assert [shlex.split(line)[3] for line in lines] == [
        "check-data",
        "train",
        "evaluate",
        "segment",
    ]
    for line in lines:
        cli.parser().parse_args(shlex.split(line)[3:])
    with pytest.raises(SystemExit):
        cli.parser().parse_args([*shlex.split(lines[0])[3:], "--no-such-option"])


# ------------------------------------------------------------------------------- the figures

IMAGE, LABELS = random_image(32, 48), labels_of_a_scene()
WRONG = np.where(LABELS == 3, 130, LABELS).astype("uint8")
SHARES = {"training": np.array([0.5, 0.3, 0.15, 0.05]), "test": np.array([0.4, 0.4, 0.1, 0.1])}
FIGURES = {
    "labels_over": lambda: your_pictures.draw_labels_over(
        [IMAGE] * 3, [LABELS] * 3, NAMES, PALETTE
    ),
    "shares": lambda: your_pictures.draw_shares(SHARES, NAMES, "How common is each class?"),
    "resized": lambda: your_pictures.draw_resized_masks(
        IMAGE, {"good": LABELS, "bad": WRONG}, NAMES, PALETTE
    ),
    "two_stages": lambda: your_pictures.draw_two_stages(np.linspace(1.4, 0.2, 30), 20, 4),
    "sure": lambda: your_pictures.draw_sure(IMAGE, LABELS, np.full((32, 48), 0.8), NAMES, PALETTE),
}


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_draws_itself(name, tmp_path):
    assert_draws_itself(FIGURES[name](), tmp_path)


def test_the_figure_of_resized_masks_says_which_numbers_are_no_class():
    notes = [axis.get_xlabel() for axis in FIGURES["resized"]().axes]
    assert (
        notes[1] == "numbers: 0, 1, 2, 3"
        and notes[2] == "numbers: 0, 1, 2 and 1 more number that is not a class"
    )
