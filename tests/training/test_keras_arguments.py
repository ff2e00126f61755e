"""`loss=`, `optimizer=`, `callbacks=` and `class_weight=`: what a Keras user expects of `fit`."""

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.training import fit
from fcn_keras.training.loss import PixelwiseCrossEntropy
from fcn_keras.training.own_loss import WithoutVoid, loss_for

pytestmark = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
FOCAL = dict(epochs=2, batch_size=4, learning_rate=3e-3)


def tiny(seed=1):
    """An FCN without an encoder to freeze: two convolutions."""
    keras.utils.set_random_seed(seed)
    return fcn.models.fcn_from_cae(fcn.models.cae(widths=(4, 4)), 2)


def with_frozen_layers(encoder):
    keras.utils.set_random_seed(1)
    return fcn.models.fcn(2, 16, encoder, width=4)


def keras_loss():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def numpy_loss(labels, logits, weights):
    """Weighted mean of −log softmax at the true class, over pixels that are not void."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    known = labels != 255
    true = labels[known]
    w = np.asarray(weights)[true]
    return float((w * -np.log(p[known][np.arange(len(true)), true])).sum() / w.sum())


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 255], (2, 5, 6)).astype("int32")
    return labels, rng.normal(size=(2, 5, 6, 2)).astype("float32")


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 5.0), (0.0, 2.0)])
def test_class_weights_weigh_the_mean_over_the_pixels(pixels, weights):
    for loss in (PixelwiseCrossEntropy(weights), WithoutVoid(keras_loss(), weights)):
        assert float(loss(*pixels)) == pytest.approx(numpy_loss(*pixels, weights), rel=1e-5)


def test_doubling_all_class_weights_changes_nothing(pixels):
    once, twice = PixelwiseCrossEntropy((1, 3)), PixelwiseCrossEntropy((2, 6))
    assert float(once(*pixels)) == pytest.approx(float(twice(*pixels)), rel=1e-6)


def test_void_teaches_a_loss_of_keras_nothing(pixels):
    labels, logits = pixels
    spoilt = np.where((labels == 255)[..., None], np.float32(90), logits)
    loss = WithoutVoid(keras_loss())
    assert float(loss(labels, spoilt)) == pytest.approx(float(loss(labels, logits)), rel=1e-6)
    assert float(loss(np.full_like(labels, 255), logits)) == 0


def test_the_loss_of_keras_trains_as_ours_does(toy):
    ours, theirs = (fit(tiny(), toy, loss=loss, **FOCAL).loss for loss in (None, keras_loss()))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_another_loss_works_with_kept_features(encoder, toy):
    history = fit(with_frozen_layers(encoder), toy, loss=keras_loss(), steps=2, batch_size=4)
    assert "features" in history.seconds and np.isfinite(history.loss).all()


def test_weights_by_name_and_by_number_are_the_same(toy):
    named = loss_for(toy, class_weight={"bright": 3})
    assert named.class_weight == loss_for(toy, class_weight={1: 3}).class_weight == [1, 3]
    assert loss_for(toy, class_weight=[1, 3]).class_weight == [1, 3]


def test_a_heavy_class_is_found_more_often(toy):
    found = []
    for weight in (0.1, 10):
        model = tiny()
        fit(model, toy, epochs=6, batch_size=4, learning_rate=1e-2, class_weight={"bright": weight})
        found.append(np.mean([fcn.prediction.segment(model, toy[i][0]) for i in range(4)]))
    assert found[0] < found[1]


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        pytest.param("sparse_categorical_crossentropy", "expects probabilities", id="by_name"),
        pytest.param(keras.losses.SparseCategoricalCrossentropy(), "expects probabilities", id="p"),
        pytest.param(keras.losses.CategoricalCrossentropy(from_logits=True), "gives", id="one_hot"),
        pytest.param(keras.losses.Dice(), "number for every pixel", id="whole_image"),
        pytest.param(lambda true, logits: logits[..., 0].sum(), "number for every pixel", id="sum"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused(toy, loss, said):
    with pytest.raises(ValueError, match=rf"Expected a loss of .*Received: loss=.*{said}|{said}"):
        fit(tiny(), toy, steps=1, loss=loss)


def test_a_loss_that_leaves_out_void_itself_may_give_any_shape(toy):
    class BackgroundScore(keras.losses.Loss):
        ignore_class = 255

        def call(self, y_true, y_pred):
            return keras.ops.mean(keras.ops.square(y_pred))

    assert np.isfinite(fit(tiny(), toy, steps=2, batch_size=4, loss=BackgroundScore()).loss).all()


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        pytest.param({"sky": 1}, "'sky'", id="unknown_class"),
        pytest.param({0: -1}, "at least 0.*-1", id="negative"),
        pytest.param({0: "two"}, "'two'", id="text"),
        pytest.param([1, 2, 3], "2 numbers", id="too_many"),
        pytest.param([0, 0], "above 0", id="only_zeros"),
    ],
)
def test_wrong_class_weights_are_answered(toy, weights, said):
    with pytest.raises(ValueError, match=rf"Expected .*class_weight.*{said}"):
        fit(tiny(), toy, steps=1, class_weight=weights)


def test_an_autoencoder_has_no_classes_to_weigh(toy):
    with pytest.raises(ValueError, match="Expected class_weight with label maps"):
        fit(fcn.models.cae(widths=(4,)), toy.reconstruction(), steps=1, class_weight=[1, 2])


def test_an_optimizer_brings_its_own_rate_and_is_copied(toy):
    sgd = keras.optimizers.SGD(0.0)
    model = tiny()
    before = model.get_weights()
    for _ in range(2):  # a used optimizer could not train another model
        history = fit(model, toy, steps=2, batch_size=4, optimizer=sgd)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)  # rate 0: the rate of `fit` did not count
    assert history.learning_rate is None and int(sgd.iterations) == 0


def test_an_optimizer_by_name_takes_the_rate_and_its_decay(toy):
    losses = [
        fit(tiny(), toy, optimizer=optimizer, **FOCAL).loss for optimizer in (None, "adam", "sgd")
    ]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("wrong", ["adamm", 3, keras.losses.Dice()])
def test_a_wrong_optimizer_is_answered(toy, wrong):
    with pytest.raises(ValueError, match="Expected optimizer to be a Keras optimizer or its name"):
        fit(tiny(), toy, steps=1, optimizer=wrong)


def test_callbacks_see_epochs_losses_and_the_validation_score(toy):
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((epoch, logs["loss"], logs["val_mean_iou"]))

    history = fit(tiny(), toy, validation=toy, callbacks=[Look()], **FOCAL)
    assert [epoch for epoch, *_ in seen] == [0, 1]
    assert [score for *_, score in seen] == [scores.mean_iou for scores in history.validation]


class StopAfterOne(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def test_a_run_that_a_callback_stopped_is_given_back_as_it_ended(toy, tmp_path):
    first, again = tiny(), tiny()
    options = dict(epochs=3, batch_size=4, callbacks=[StopAfterOne()], checkpoint=tmp_path)
    stopped = fit(first, toy, **options)
    assert len(stopped.loss) == 3  # one epoch of three batches
    given_back = fit(again, toy, **options)
    assert given_back.loss == stopped.loss
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("wrong", [keras.callbacks.Callback(), "early", [print]])
def test_wrong_callbacks_are_answered(toy, wrong):
    with pytest.raises(TypeError, match="Expected callbacks to be a list"):
        fit(tiny(), toy, steps=1, callbacks=wrong)


def test_a_run_with_another_loss_optimizer_or_weights_is_another_run(toy, tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    options = dict(epochs=2, batch_size=4, checkpoint=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(tiny(), toy, callbacks=[Interrupt()], **options)
    for other in (dict(loss=keras_loss()), dict(optimizer="sgd"), dict(class_weight=[1, 2])):
        with pytest.raises(ValueError, match=f"same settings.*{next(iter(other))}="):
            fit(tiny(), toy, **options, **other)
    assert len(fit(tiny(), toy, **options).loss) == 6  # goes on


def test_a_model_saved_after_another_loss_loads_without_custom_objects(toy, tmp_path):
    model = tiny()
    fit(model, toy, steps=1, batch_size=4, loss=keras_loss(), class_weight=[1, 2])
    fcn.models.save(model, tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    image = toy[0][0][None].astype("float32")
    np.testing.assert_allclose(loaded.predict_on_batch(image), model.predict_on_batch(image))
