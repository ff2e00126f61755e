"""The doctor for training: each illness is brought about on purpose and has to be named, and the
healthy are left alone."""

import re

import keras
import numpy as np
import pytest
from conftest import CAMVID, needs_camvid

import fcn_keras as fcn
from fcn_keras.training import fit

pytestmark = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")


def small(encoder, stride=8):
    return fcn.models.fcn(2, stride, encoder, width=8)


@pytest.fixture(scope="module")
def some_roads():
    """Twelve drawn scenes at half size, so that a training takes seconds."""
    data = fcn.datasets.road_scenes("train", count=12).view({"road": ["road"]})
    halves = [tuple(array[::2, ::2] for array in data[index]) for index in range(12)]
    return fcn.datasets.SegmentationData(
        lambda i: halves[i], 12, data.class_names, name="small roads"
    )


def told(*arguments, **options) -> str:
    """The only message of a training."""
    history = fit(*arguments, **options)
    assert len(history.warnings) == 1, history.warnings
    return history.warnings[0]


@pytest.mark.parametrize("steps", [30, 60])
def test_a_healthy_training_is_left_alone(encoder, some_roads, steps):
    assert (
        fit(
            small(encoder),
            some_roads,
            steps=steps,
            batch_size=4,
            learning_rate=3e-3,
            augment="flip",
        ).warnings
        == []
    )


@needs_camvid
def test_a_healthy_training_on_photographs_is_left_alone(encoder):
    data = fcn.datasets.camvid(CAMVID).subset(range(0, 360, 9))
    model = fcn.models.fcn(11, 8, encoder, width=16)
    assert fit(model, data, steps=60, batch_size=4, learning_rate=3e-3).warnings == []


@pytest.mark.parametrize("rate", [10.0, 1.0])
def test_a_rate_far_too_high_is_named_with_its_worst_step(encoder, some_roads, rate):
    message = told(small(encoder), some_roads, steps=40, batch_size=4, learning_rate=rate)
    assert (
        "far too high" in message
        and "at its worst in step" in message
        and f"a tenth of {rate:g}" in message
    )


@pytest.mark.parametrize("rate", [1e-6, 1e-8])
def test_a_rate_far_too_low_is_named_with_how_far_weights_could_move(encoder, some_roads, rate):
    message = told(small(encoder), some_roads, steps=40, batch_size=4, learning_rate=rate)
    assert "far too low" in message and "% of their size" in message


def test_a_loss_that_does_not_move_is_named(encoder, some_roads):
    """Labels that have nothing to do with the pictures, and many classes, so that no class is said
    everywhere by chance."""
    rng = np.random.default_rng(0)
    coins = rng.integers(0, 2, (12, 80, 288), dtype="uint8")
    nonsense = fcn.datasets.SegmentationData(
        lambda i: (some_roads[i][0], coins[i]), 12, some_roads.class_names
    )
    message = told(small(encoder), nonsense, steps=40, batch_size=4)
    assert "does not move" in message or "hardly moved" in message
    assert "labels" in message


def test_labels_that_are_all_void_are_named(encoder, some_roads):
    void = np.full((80, 288), 255, "uint8")
    nothing = fcn.datasets.SegmentationData(
        lambda i: (some_roads[i][0], void), 12, some_roads.class_names
    )
    assert "void" in told(small(encoder), nothing, steps=25, batch_size=4)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda mask: np.where(mask == 1, 255, 0),
            ("'background' and void", "white on black", "% of the pixels are 255"),
        ),
        (lambda mask: 0 * mask, ("'background', of background, road", "never finished")),
        (lambda mask: 0 * mask + 1, ("'road', of background, road", "never finished")),
    ],
    ids=["white on black", "all zero", "all one"],
)
def test_labels_of_one_class_are_named(encoder, some_roads, spoil, said):
    """They train perfectly, and nobody would notice."""
    masks = [spoil(some_roads[i][1]).astype("uint8") for i in range(12)]
    one_class = fcn.datasets.SegmentationData(
        lambda i: (some_roads[i][0], masks[i]), 12, some_roads.class_names
    )
    message = told(small(encoder), one_class, steps=3, batch_size=4, learning_rate=3e-3)
    assert "all 12 pictures hold one class only" in message and all(
        part in message for part in said
    )


@pytest.mark.parametrize("rare", [0, 41, 99])
def test_a_class_in_one_image_of_many_is_looked_for(some_roads, rare):
    image, mask = some_roads[0]
    data = fcn.datasets.SegmentationData(
        lambda i: (image, mask if i == rare else 0 * mask), 100, some_roads.class_names
    )
    assert fcn.training.diagnosis._too_few_classes(data) == ""
    data = fcn.datasets.SegmentationData(lambda i: (image, 0 * mask), 1000, some_roads.class_names)
    assert re.search(
        "labels of 20. of 1000 pictures", fcn.training.diagnosis._too_few_classes(data)
    )


def test_not_a_number_shows_the_losses_before(encoder, some_roads):
    message = told(small(encoder), some_roads, steps=50, batch_size=4, learning_rate=1e38)
    assert "not a number" in message and "before that it was" in message and "a tenth" in message


def test_weights_that_were_spoilt_before_are_named(encoder, some_roads):
    model = small(encoder)
    model.set_weights([weight * np.nan for weight in model.get_weights()])
    assert "very first step" in told(model, some_roads, steps=3, batch_size=4)


@pytest.mark.parametrize("shift", [(0, 4), (-3, 0), (6, -5)])
def test_labels_shifted_against_their_pictures_are_named(encoder, some_roads, shift):
    moved = fcn.datasets.SegmentationData(
        lambda i: (some_roads[i][0], np.roll(some_roads[i][1], shift, (0, 1))),
        12,
        some_roads.class_names,
    )
    message = told(small(encoder), moved, steps=30, batch_size=4, learning_rate=3e-3)
    assert "shifted off their objects" in message and "times as strong" in message


def test_preprocessing_in_the_augmentation_is_named(encoder, some_roads):
    layer = keras.layers.RandomBrightness(0.1, value_range=(0, 1))
    history = fit(small(encoder), some_roads, steps=3, batch_size=4, augment=layer)
    assert "applied twice" in history.warnings[0] and "to 1.00, not 0 to 255" in history.warnings[0]
    with pytest.raises(
        ValueError, match=r"Received: Rescaling\. \(The model scales its input itself"
    ):
        fit(small(encoder), some_roads, steps=3, augment=keras.layers.Rescaling(1 / 255))


def test_augmentation_that_keeps_the_range_is_left_alone(encoder, some_roads):
    layers = [keras.layers.RandomFlip("horizontal"), keras.layers.RandomBrightness(0.1)]
    history = fit(small(encoder), some_roads, steps=2, batch_size=4, augment=layers)
    assert not any("twice" in message for message in history.warnings)


def test_an_augmentation_that_loses_labels_is_named_before_and_after(toy, capsys):
    layer = keras.layers.RandomTranslation((0.6, 0.7), (0.4, 0.5), fill_mode="constant")
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(2,)), 2)
    history = fit(model, toy, steps=2, batch_size=4, augment=layer)
    said = next(message for message in history.warnings if "leaves few labels" in message)
    assert "in the first 8 images" in said and "96 % without it" in said
    assert said in capsys.readouterr().out
    layer = keras.layers.RandomTranslation((1.0, 1.0), 0.0, fill_mode="constant")  # all of it
    with pytest.raises(ValueError, match=r"every pixel of the first 8 images is void"):
        fit(model, toy, steps=2, batch_size=4, augment=layer)
    fit(fcn.models.cae(widths=(2,)), toy.reconstruction(), steps=2, batch_size=4, augment=layer)


def test_an_elastic_transform_trains_on_labels(toy):
    """It clips values to 0–255 and draws another field for every call."""
    layer = keras.layers.RandomElasticTransform(1.0, 1.0)
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(2,)), 2)
    history = fit(model, toy, steps=2, batch_size=4, augment=layer)
    assert min(history.loss) > 0.1 and history.augmented.labelled > 0.9


def twice(encoder, how):
    inner = small(encoder)
    image = keras.Input((None, None, 3))
    if how == "nested":
        return keras.Model(image, inner(keras.layers.Rescaling(1 / 255, name="to_unit")(image)))
    x = keras.layers.Rescaling(1 / 255, name="to_unit")(image)
    x = fcn.layers.VGGPreprocessing(name="preprocessing")(x)
    return keras.Model(image, keras.layers.Conv2D(2, 3, padding="same")(x))


@pytest.mark.parametrize("how", ["flat", "nested"])
def test_two_preprocessing_layers_are_named(encoder, some_roads, how):
    model = twice(encoder, how)
    message = fcn.training.diagnosis.twice_preprocessed(model, some_roads[0][0])
    assert "'to_unit' and 'preprocessing'" in message
    if how == "flat":
        assert "between -1" in message  # -123.68 … : nothing but the mean is left
    assert message in fit(model, some_roads, steps=2, batch_size=4).warnings


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("mean", "variance", "said"),
    [
        ([0.485, 0.456, 0.406], [0.052, 0.050, 0.051], ""),  # as EfficientNetV2 does itself
        ([123.7, 116.3, 103.5], [3409, 3262, 3292], "'to_unit' and 'centre'"),  # of 0–255
    ],
)
def test_scaling_and_then_centring_is_one_preprocessing(some_roads, nested, mean, variance, said):
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255, name="to_unit")(image)
    x = keras.layers.Normalization(mean=mean, variance=variance, name="centre")(x)
    model = keras.Model(image, keras.layers.Conv2D(2, 3, padding="same")(x))
    if nested:
        model = keras.Sequential([keras.Input((None, None, 3)), model])
    message = fcn.training.diagnosis.twice_preprocessed(model, some_roads[0][0])
    assert said in message and bool(said) == bool(message)


def test_every_model_of_the_package_preprocesses_once(encoder, some_roads):
    image = some_roads[0][0]
    for model in (
        small(encoder),
        fcn.models.lecture_fcn(2, encoder, 8),
        fcn.models.cae(),
        fcn.published.fcn32s(2),
    ):
        assert fcn.training.diagnosis.twice_preprocessed(model, image) == ""


def test_an_autoencoder_is_not_asked_about_classes(some_roads):
    model = fcn.models.cae(widths=(4, 8))
    assert fit(model, some_roads.reconstruction(), steps=3, batch_size=4).warnings == []


def test_what_is_no_model_or_no_data_is_answered(encoder, some_roads):
    history = fcn.training.History(loss=[1.0])
    with pytest.raises(TypeError, match=r"model to be a Keras model.*models\.load"):
        fcn.training.diagnosis.diagnose("m.keras", some_roads, history)
    with pytest.raises(TypeError, match=r"data to be a data set.*open_data"):
        fcn.training.diagnosis.diagnose(small(encoder), "folder", history)
    for wrong in (None, [1.0], keras.callbacks.History()):
        with pytest.raises(TypeError, match=r"history to be what training\.fit gives\. Received: "):
            fcn.training.diagnosis.diagnose(small(encoder), some_roads, wrong)
    unlabelled = fcn.datasets.SegmentationData(
        lambda i: (some_roads[i][0], None), 2, some_roads.class_names
    )
    with pytest.raises(ValueError, match=r"data with labels.*Received: "):
        fcn.training.diagnosis.diagnose(small(encoder), unlabelled, history)


def test_features_of_other_data_are_refused_before_anything_is_learnt(encoder, some_roads):
    model, data = small(encoder), some_roads.subset(range(5))
    features = fcn.training.frozen_features(model, data)
    masks = [1 - data[i][1] for i in range(5)]
    others = {
        "another order": some_roads.subset([4, 1, 2, 3, 0]),
        "another length": some_roads.subset(range(6)),
        "other labels": fcn.datasets.SegmentationData(
            lambda i: (data[i][0], masks[i]), 5, data.class_names
        ),
        "another size": fcn.datasets.SegmentationData(
            lambda i: (data[i][0][:64], data[i][1][:64]), 5, data.class_names
        ),
    }
    for other in others.values():
        with pytest.raises(
            ValueError,
            match=r"Expected features of the data that is trained on.*Received: features of <small",
        ):
            fit(model, other, steps=1, batch_size=2, features=features)
    for wrong in (3, "features", features.maps):
        with pytest.raises(
            TypeError, match=r"Expected features to be FrozenFeatures\. Received: features="
        ):
            fit(model, data, steps=1, batch_size=2, features=wrong)
    # the same again
    assert (
        len(fit(model, some_roads.subset(range(5)), steps=1, batch_size=2, features=features).loss)
        == 1
    )
