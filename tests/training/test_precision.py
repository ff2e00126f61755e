"""Mixed precision: convolutions compute with 16 bits; weights, class scores and loss stay float32,
and so do the results."""

import functools

import keras
import numpy as np
import pytest
from conftest import first_of, random_image

import fcn_keras as fcn

# some train for a few steps only
pytestmark = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
MIXED = ("mixed_bfloat16", "mixed_float16")
# Where each takes many seconds
one_or_both = first_of("name", MIXED)


def network(name, kind="fcn", num_classes=2):
    keras.utils.set_random_seed(0)
    with fcn.models.precision(name):
        if kind == "lecture":
            return fcn.models.lecture_fcn(num_classes, fcn.backbones.small_vgg(), 32, skip_width=32)
        if kind == "autoencoder":
            return fcn.models.cae()
        return fcn.models.fcn(
            num_classes,
            8,
            fcn.backbones.small_vgg(),
            fusion=kind if kind == "concat" else "sum",
            width=32,
        )


@pytest.fixture(scope="module")
def scenes():
    """For training and for testing, at half size; drawn once."""

    def halves(split, count):
        data = fcn.datasets.road_scenes(split, count=count).view({"road": ["road"]})
        small = [(image[::2, ::2], mask[::2, ::2]) for image, mask in data]
        return fcn.datasets.SegmentationData(
            lambda index: small[index], count, data.class_names, name=f"small {split}"
        )

    return halves("train", 40), halves("test", 12)


@pytest.fixture(scope="module")
def score(scenes):
    """`score(name)`: mean IoU of the experiment's network in a precision; all are trained in the
    same way, and once."""

    @functools.cache
    def trained(name):
        model = network(name, "lecture")
        fcn.training.fit(
            model, scenes[0], steps=100, batch_size=8, learning_rate=4e-3, augment="flip"
        )
        return fcn.evaluation.evaluate(model, scenes[1]).mean_iou

    return trained


@one_or_both
def test_the_scores_are_those_of_float32(score, name):
    assert score("float32") > 0.9
    assert abs(score(name) - score("float32")) <= 0.005


@pytest.mark.parametrize("kind", ["fcn", "concat", "lecture", "autoencoder"])
@one_or_both
def test_convolutions_compute_with_16_bits_weights_and_scores_are_float32(name, kind):
    model, plain = network(name, kind), network("float32", kind)
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.output.dtype == "float32"
    encoder = [layer for layer in model.layers if layer.name.startswith("conv")]
    assert encoder and {layer.compute_dtype for layer in encoder} == {name.removeprefix("mixed_")}
    scoring = [
        layer
        for layer in model.layers
        if layer.name.startswith(("score", "upscore", "fuse", "output", "logits"))
    ]
    # every score from the first on; in the lecture's network features are summed
    if kind in ("fcn", "concat"):
        assert len(scoring) > 8 and {layer.compute_dtype for layer in scoring} == {"float32"}
    assert {layer.compute_dtype for layer in plain.layers} == {"float32"}
    image = random_image(45, 61)
    found = model.predict_on_batch(image[None])
    assert found.dtype == np.float32
    expected = plain.predict_on_batch(image[None])
    assert not np.array_equal(found, expected) or not expected.any()  # it did compute otherwise
    np.testing.assert_allclose(found, expected, atol=0.03 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", MIXED)
def test_published_networks_and_the_classifier_give_float32_too(name):
    with fcn.models.precision(name):
        networks = [
            build(3, ((4,),) * 5, 4)
            for build in (fcn.published.fcn32s, fcn.published.fcn16s, fcn.published.fcn8s)
        ]
        classifier = fcn.models.classifier(3)
    for model in networks:
        scoring = [
            layer for layer in model.layers if layer.name.startswith(("score", "upscore", "fuse"))
        ]
        assert {layer.compute_dtype for layer in scoring} == {"float32"}
    assert {model.output.dtype for model in (*networks, classifier)} == {"float32"}


def test_precision_is_set_for_its_block_only():
    with pytest.raises(RuntimeError), fcn.models.precision("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise RuntimeError
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(ValueError, match="mixed_bfloat16"), fcn.models.precision("bfloat16"):
        pass


def test_what_is_frozen_is_kept_in_16_bits_and_gives_the_same_loss(scenes):
    data = scenes[0].subset(range(8))
    features = fcn.training.frozen_features(network("mixed_bfloat16"), data)
    assert {array.dtype.itemsize for array in features.maps.values()} == {2}
    losses = [
        fcn.training.fit(network("mixed_bfloat16"), data, steps=6, batch_size=4, cache=cache).loss
        for cache in (True, False)
    ]
    np.testing.assert_allclose(*losses, rtol=0.02)


@pytest.mark.parametrize(
    ("name", "scaled"),
    [
        ("mixed_float16", True),
        ("float32", False),
        pytest.param("mixed_bfloat16", False, marks=pytest.mark.long),
    ],
)
def test_gradients_are_scaled_where_small_ones_would_be_lost(toy, name, scaled, monkeypatch):
    """Also where only the head is trained, which is a model of its own, made after the precision
    was set back."""
    used, compile_it = [], keras.Model.compile
    monkeypatch.setattr(
        keras.Model,
        "compile",
        lambda model, **options: (used.append(options), compile_it(model, **options)),
    )
    for cache in (True, False):
        fcn.training.fit(network(name), toy, epochs=2, batch_size=4, cache=cache)
    assert [
        isinstance(options["optimizer"], keras.optimizers.LossScaleOptimizer) for options in used
    ] == [scaled, scaled]


@pytest.mark.parametrize("name", MIXED)
def test_a_saved_model_is_what_it_was(tmp_path, name):
    model = network(name)
    model.set_weights(
        [np.random.default_rng(0).normal(0, 0.05, weight.shape) for weight in model.get_weights()]
    )
    fcn.models.save(model, tmp_path / "m.keras")
    again, image = fcn.models.load(tmp_path / "m.keras"), random_image(45, 61)
    assert [layer.compute_dtype for layer in again.layers[1:]] == [
        layer.compute_dtype for layer in model.layers[1:]
    ]
    np.testing.assert_allclose(
        fcn.prediction.logits(again, image),
        fcn.prediction.logits(model, image),
        rtol=1e-5,
        atol=1e-5,
    )
    assert fcn.prediction.segment(again, image).dtype == np.uint8
    assert fcn.prediction.probabilities(again, image).dtype == np.float32


@one_or_both
def test_a_training_goes_on_in_its_precision_and_in_no_other(tmp_path, toy, name, monkeypatch):
    whole, halved = fcn.training.fit(network(name), toy, epochs=4, batch_size=4).loss, network(name)
    with monkeypatch.context() as patch:
        patch.setattr(fcn.training.fitting, "evaluate", stop_at(2))
        with pytest.raises(KeyboardInterrupt):
            fcn.training.fit(halved, toy, toy, epochs=4, batch_size=4, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="model="):
        fcn.training.fit(network("float32"), toy, toy, epochs=4, batch_size=4, checkpoint=tmp_path)
    again = fcn.training.fit(
        network(name), toy, toy, epochs=4, batch_size=4, checkpoint=tmp_path
    ).loss
    np.testing.assert_allclose(again, whole, rtol=0.02)


def stop_at(count):
    """An `evaluate` that is interrupted the count-th time."""
    calls = []

    def evaluate(model, data):
        calls.append(0)
        if len(calls) == count:
            raise KeyboardInterrupt
        return fcn.evaluation.evaluate(model, data)

    return evaluate
