"""Pictures of several sizes in one training, in whatever order they come."""

import keras
import made_sets
import numpy as np
import pytest
from conftest import first_of

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.training import fit, segmentation_loss
from fcn_keras.training.sharing import OfAnySize

pytestmark = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
SIZES = [(16, 24), (16, 20), (16, 24), (12, 24), (16, 24), (16, 24)]  # a side may be common to all


@pytest.fixture(scope="module")
def several():
    pairs = [made_sets.scene(number, 2, (40, 40)) for number in range(len(SIZES))]
    pairs = [
        (image[:h, :w], mask[:h, :w]) for (image, mask), (h, w) in zip(pairs, SIZES, strict=True)
    ]
    return fcn.datasets.SegmentationData(lambda i: pairs[i], len(pairs), ("a", "b"), name="sizes")


def seed_with_equal_sizes_first(data, **options):
    """A seed for which the first two pictures have one size, which is all that Keras looks at."""
    for seed in range(100):
        batches = data.batches(1, shuffle=True, seed=seed, **options)
        sizes = [data[batches.indices(number)[0]][0].shape for number in range(len(batches))]
        if sizes[0] == sizes[1] != sizes[-1]:
            return seed
    raise AssertionError


def test_every_order_of_the_sizes_is_trained_on(several):
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 1)])
    model.compile("adam", segmentation_loss())
    for seed in range(10):
        batches = several.batches(1, shuffle=True, seed=seed)
        assert np.isfinite(model.fit(OfAnySize(batches), verbose=0).history["loss"]).all()


def networks(several):
    tiny = fcn.backbones.vgg(((4,),) * 5, keras.layers.Rescaling(1 / 255), "tiny")
    yield "all is trained", fcn.models.fcn_from_cae(fcn.models.cae(widths=(4,)), 2), several
    yield "autoencoder", fcn.models.cae(widths=(4,)), several.reconstruction()
    yield "frozen", fcn.models.fcn(2, 32, tiny, width=4), several


@first_of("which", range(3))
def test_networks_are_trained_on_them_with_validation(several, which):
    _, model, data = list(networks(several))[which]
    seed = seed_with_equal_sizes_first(data)
    validation = None if data.reconstructs else data
    assert len(fit(model, data, validation, epochs=2, batch_size=1, seed=seed).loss) == 12


@pytest.mark.long
@pytest.mark.parametrize("which", range(3))
def test_random_batches_of_them_are_trained_on(several, which):
    _, model, data = list(networks(several))[which]
    for seed in range(2):
        assert len(fit(model, data, steps=3, batch_size=1, seed=seed).loss) == 3


@first_of("encoder", [[], ["--train-encoder"]], ids=["frozen", "trained"])
def test_a_folder_of_them_is_trained_on(several, tmp_path, encoder, capsys):
    """Portraits among landscapes."""
    for number in range(10):
        image, mask = made_sets.scene(number, 2, (40, 32) if number % 3 == 0 else (32, 40))
        fcn.images.write_image(tmp_path / "images" / f"{number}.png", image)
        fcn.images.write_image(tmp_path / "masks" / f"{number}.png", mask)
    (tmp_path / "classes.txt").write_text("a\nb\n")
    train = fcn.datasets.open_data(tmp_path).train
    assert len({image.shape for image, _ in train}) == 2
    options = ["--epochs", "1", "--batch-size", "1", "--width", "4"]
    options += ["--network", "fcn", "--stride", "32"]
    seed = str(seed_with_equal_sizes_first(train))
    command = ["train", tmp_path, "--out", tmp_path / "m.keras", *options, *encoder]
    assert main([*map(str, command), "--seed", seed]) == 0, capsys.readouterr().err
