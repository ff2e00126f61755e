"""Training: it learns, void does not teach, cached features change nothing, and what goes wrong is
said."""

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.training import TrainingWarning, fit, frozen, segmentation_loss

# After a handful of steps a network may still predict one class everywhere, and is told so
few_steps = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")


def small(encoder, stride=8, **options):
    keras.utils.set_random_seed(1)
    return fcn.models.fcn(2, stride, encoder, width=8, **options)


def test_an_fcn_learns_the_toy_task(encoder, toy):
    model = small(encoder)
    history = fit(model, toy, validation=toy, steps=50, batch_size=6, learning_rate=3e-3)
    assert len(history.loss) == 50
    assert np.mean(history.loss[-5:]) < 0.5 * history.loss[0]
    assert history.validation[-1].iou[1] > 0.8
    assert history.history["val_mean_iou"][-1] == history.validation[-1].mean_iou


@few_steps
@pytest.mark.parametrize("augment", [None, "flip"])
@pytest.mark.parametrize("make", [fcn.models.lecture_fcn, fcn.models.fcn])
def test_features_computed_once_give_the_same_weights(tiny, toy, make, augment):
    trained = []
    for cache in (True, False):
        keras.utils.set_random_seed(2)
        model = make(2, backbone=tiny, width=8)
        fit(model, toy, epochs=2, batch_size=5, augment=augment, seed=3, cache=cache)
        trained.append(model.get_weights())
    for with_cache, without in zip(*trained, strict=True):
        np.testing.assert_allclose(with_cache, without, atol=2e-4)


@few_steps
def test_the_frozen_encoder_stays_as_it_was(encoder, toy):
    model = small(encoder)
    before = {
        layer.name: layer.get_weights() for layer in model.layers if layer.name.startswith("conv")
    }
    fit(model, toy, steps=2, batch_size=4)
    for name, weights in before.items():
        for a, b in zip(weights, model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_border_of_what_is_frozen(encoder):
    assert frozen.frozen_border(fcn.models.lecture_fcn(2, encoder, 8)) == [
        "image",
        "pool3",
        "pool4",
        "pool5",
    ]
    assert frozen.frozen_border(fcn.models.fcn(2, 32, encoder, width=8)) == ["image", "pool5"]
    assert frozen.frozen_border(small(encoder, freeze_backbone=False)) == []
    assert frozen.frozen_border(fcn.models.cae()) == []


@few_steps
def test_functions_of_keras_ops_belong_to_the_head_and_to_the_frozen_part(encoder, toy):
    """They are operations of the model, though not among its layers."""
    keras.utils.set_random_seed(1)
    pools = encoder.outputs if isinstance(encoder.outputs, list) else [encoder.outputs]
    image, pool = encoder.inputs[0], next(tensor for tensor in pools if tensor.shape[-1] == 256)
    encoder_copy = keras.models.clone_model(keras.Model(image, pool))
    encoder_copy.trainable = False
    x = keras.ops.sqrt(keras.ops.relu(encoder_copy(image)) + 1.0)  # frozen
    x = keras.layers.Conv2D(2, 1, name="scores")(x)
    x = keras.ops.add(x, keras.layers.Conv2D(2, 1, name="more")(x))  # trained
    x = keras.layers.UpSampling2D(32, name="up")(x)
    model = keras.Model(image, fcn.layers.CropToMatch(name="crop")([x, image]))
    assert len(frozen.frozen_border(model)) == 2 and "image" in frozen.frozen_border(model)
    start, trained = model.get_weights(), []
    for cache in (True, False):
        model.set_weights(start)
        history = fit(model, toy, steps=2, batch_size=4, cache=cache)
        assert ("features" in history.seconds) == cache
        trained.append(model.get_weights())
    for kept, whole in zip(*trained, strict=True):
        np.testing.assert_allclose(kept, whole, atol=1e-4)


def test_features_that_do_not_fit_in_memory_go_to_a_file(encoder, toy, monkeypatch):
    model = small(encoder)
    kept = frozen.frozen_features(model, toy)
    monkeypatch.setattr(frozen, "CACHE_BYTES", 1000)
    on_disk = frozen.frozen_features(model, toy)
    assert all(isinstance(array, np.memmap) for array in on_disk.maps.values())
    for name in kept.maps:
        np.testing.assert_array_equal(kept.maps[name], on_disk.maps[name])


@few_steps
def test_images_of_different_sizes_are_trained_on_without_the_cache(encoder, capsys):
    sizes = [(40, 56), (33, 60), (40, 31), (48, 48)]
    rng = np.random.default_rng(0)
    pairs = [
        (rng.integers(0, 256, (*s, 3), "uint8"), rng.integers(0, 2, s).astype("uint8"))
        for s in sizes
    ]
    data = fcn.datasets.SegmentationData(lambda i: pairs[i], 4, ("a", "b"))
    history = fit(small(encoder), data, epochs=1, batch_size=2)
    assert np.isfinite(history.loss).all()
    assert "differ in size" in capsys.readouterr().out


@few_steps
def test_another_augmentation_turns_the_cache_off_and_says_so(tiny, toy, capsys):
    history = fit(
        small(tiny), toy, steps=2, batch_size=4, augment=keras.layers.RandomFlip("vertical")
    )
    assert (
        "features" not in history.seconds
        and "augmentation other than flips" in capsys.readouterr().out
    )
    history = fit(small(tiny), toy, steps=2, batch_size=4, augment="flip")
    assert "features" in history.seconds and capsys.readouterr().out == ""


@few_steps
def test_features_of_pictures_that_change_are_not_kept(encoder, toy, capsys, tmp_path):
    """As with albumentations inside `read`: kept features would be those of one drawing."""
    rng, reads = np.random.default_rng(0), []

    def read(index):
        reads.append(index)
        image, mask = toy[index]
        flipped = slice(None, None, -1 if rng.random() < 0.5 else 1)
        return image[:, flipped], mask[:, flipped]

    data = fcn.datasets.SegmentationData(read, 12, toy.class_names)
    history = fit(small(encoder, 32), data, epochs=2, batch_size=12)
    assert "features" not in history.seconds and len(reads) >= 2 * 12
    assert "not kept: an item of the data differs" in capsys.readouterr().out
    with pytest.raises(frozen.ItemsChange, match="random"):
        frozen.frozen_features(small(encoder), data.view({"bright": ["bright"]}))
    model, settings = fcn.models.fcn_from_cae(fcn.models.cae(widths=(2,)), 2), dict(epochs=2)
    with pytest.raises(KeyboardInterrupt):
        fit(model, data, checkpoint=tmp_path / "state", callbacks=[StopAfter(1)], **settings)
    # the next drawing is not taken for other data
    assert len(fit(model, data, checkpoint=tmp_path / "state", **settings).loss) == 2


def test_void_pixels_give_no_loss_and_no_gradient():
    logits = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype("float32")
    labels = np.array([[[0, 255], [2, 255]]], "int32")
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    # the mean is over two pixels, not over four
    by_hand = -(np.log(p[0, 0, 0, 0]) + np.log(p[0, 1, 0, 2])) / 2
    assert float(segmentation_loss()(labels, logits)) == pytest.approx(by_hand, rel=1e-5)
    spoilt = logits.copy()
    spoilt[:, :, 1] = 50.0  # whatever is predicted under void
    assert float(segmentation_loss()(labels, spoilt)) == pytest.approx(by_hand, rel=1e-5)
    assert float(segmentation_loss()(np.full((1, 2, 2), 255), logits)) == 0.0


@pytest.mark.parametrize("num_classes", [2, 7])
def test_the_loss_and_its_gradient_are_those_of_keras(num_classes):
    rng = np.random.default_rng(num_classes)
    labels = rng.choice([*range(num_classes), 255], (2, 5, 6)).astype("int32")
    model = keras.Sequential([keras.Input((5, 6, 3)), keras.layers.Conv2D(num_classes, 1)])
    start, images, found = model.get_weights(), 9 * rng.normal(size=(2, 5, 6, 3)), []
    for loss in (
        segmentation_loss(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255),
    ):
        model.set_weights(start)
        # one step of rate 1 moves the weights by the gradient
        model.compile(keras.optimizers.SGD(1.0), loss)
        found.append([model.train_on_batch(images, labels), *model.get_weights()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_an_autoencoder_learns_to_give_its_input_back(toy):
    model = fcn.models.cae(widths=(8, 16))
    target = toy.reconstruction()
    image = toy[0][0]
    before = np.square(model.predict_on_batch(image[None].astype("float32"))[0] - image).mean()
    fit(model, target, steps=60, batch_size=6, learning_rate=3e-3)
    after = np.square(model.predict_on_batch(image[None].astype("float32"))[0] - image).mean()
    assert after < 0.2 * before


@few_steps
def test_same_seed_same_weights(tiny, toy):
    runs = []
    for _ in range(2):
        model = small(tiny)
        fit(model, toy, steps=5, batch_size=4, augment="flip", seed=7)
        runs.append(model.get_weights())
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


class StopAfter(keras.callbacks.Callback):
    """Ends the process's training as a kill would: between two epochs, by an exception."""

    def __init__(self, epochs):
        super().__init__()
        self.left = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


def test_an_interrupted_training_goes_on_to_the_same_weights(tiny, toy, tmp_path, monkeypatch):
    whole = small(tiny)
    undisturbed = fit(whole, toy, epochs=4, batch_size=4, seed=5)
    model = small(tiny)
    original = keras.Model.fit
    monkeypatch.setattr(
        keras.Model,
        "fit",
        lambda self, *a, callbacks, **k: original(
            self, *a, callbacks=[*callbacks, StopAfter(2)], **k
        ),
    )
    with pytest.raises(KeyboardInterrupt):
        fit(model, toy, epochs=4, batch_size=4, seed=5, checkpoint=tmp_path / "state")
    monkeypatch.undo()
    resumed = small(tiny)  # a new process would build it anew
    history = fit(resumed, toy, epochs=4, batch_size=4, seed=5, checkpoint=tmp_path / "state")
    # the two epochs before the interruption, too
    np.testing.assert_allclose(history.loss, undisturbed.loss, atol=1e-5)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@few_steps
def test_a_run_goes_on_with_the_model_that_its_user_saved_and_loaded(
    encoder, toy, tmp_path, monkeypatch
):
    """Keras' files do not say whether the input, which has no weights, is frozen."""
    state, original = tmp_path / "state", keras.Model.fit
    model = small(encoder)
    fcn.models.save(model, tmp_path / "start.keras")

    def stop(self, *a, callbacks, **k):
        return original(self, *a, callbacks=[*callbacks, StopAfter(1)], **k)

    monkeypatch.setattr(keras.Model, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        fit(model, toy, epochs=2, batch_size=4, checkpoint=state)
    monkeypatch.undo()
    loaded = fcn.models.load(tmp_path / "start.keras")
    assert len(fit(loaded, toy, epochs=2, batch_size=4, checkpoint=state).loss) == 6
    half = small(encoder, freeze_backbone=False)  # with other frozen weights it is another model
    with pytest.raises(ValueError, match="Expected checkpoint"):
        (state / "run.json").write_text(
            (state / "run.json").read_text().replace('"finished": true', '"finished": false')
        )
        fit(half, toy, epochs=2, batch_size=4, checkpoint=state)


def test_one_class_everywhere_is_said_with_the_likely_cause(encoder, toy):
    # nothing in the image tells where
    dust = (np.random.default_rng(0).random((12, 40, 56)) < 0.02).astype("uint8")
    rare = fcn.datasets.SegmentationData(lambda i: (toy[i][0], dust[i]), 12, ("rest", "rare"))
    with pytest.warns(TrainingWarning, match="one class everywhere, 'rest'.*98 % of the pixels"):
        fit(small(encoder, 32), rare, steps=40, batch_size=4)


def test_the_likely_cause_follows_the_loss(encoder, toy):
    """An untrained FCN scores zero everywhere, so it says class 0 everywhere; what differs is the
    loss it came by."""
    model = small(encoder)
    (message,) = fcn.training.diagnosis.diagnose(model, toy, fcn.training.History(loss=[0.70] * 20))
    assert "'dark'" in message and "hardly moved" in message and "learning rate" in message
    (message,) = fcn.training.diagnosis.diagnose(
        model, toy, fcn.training.History(loss=list(np.linspace(0.7, 0.4, 20)))
    )
    assert "too few steps (20)" in message
    (message,) = fcn.training.diagnosis.diagnose(model, toy, fcn.training.History(loss=[0.70] * 3))
    # so few say nothing about the rate
    assert "too few steps (3)" in message and "far off" not in message


def test_nan_stops_the_training_and_is_said(encoder, toy):
    with pytest.warns(TrainingWarning, match=r"not a number.*learning rate"):
        history = fit(small(encoder), toy, steps=50, batch_size=4, learning_rate=1e38)
    assert len(history.loss) < 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one of epochs and steps"),
        ({"epochs": 1, "steps": 1}, "exactly one"),
        ({"steps": 0}, "at least 1"),
        ({"epochs": 2.5}, "at least 1"),
        ({"steps": 1, "batch_size": 0}, "batch_size"),
        ({"steps": 1, "augment": "mirror"}, "'flip' or Keras image layers"),
    ],
)
def test_wrong_arguments_are_answered(encoder, toy, options, message):
    with pytest.raises(ValueError, match=message):
        fit(small(encoder), toy, **options)


def test_models_and_data_that_do_not_fit_are_answered(encoder, toy):
    with pytest.raises(ValueError, match="2 outputs"):
        fit(fcn.models.fcn(3, 32, encoder, width=8), toy, steps=1)
    with pytest.raises(TypeError, match="data set"):
        fit(small(encoder), [1, 2], steps=1)
    frozen_model = small(encoder)
    frozen_model.trainable = False
    with pytest.raises(ValueError, match="all of it frozen"):
        fit(frozen_model, toy, steps=1)
    ends_in_softmax = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(2, 1, activation="softmax")]
    )
    with pytest.raises(ValueError, match="gives logits"):
        fit(ends_in_softmax, toy, steps=1)
    unlabelled = fcn.datasets.SegmentationData(lambda i: (toy[i][0], None), 3, ("a", "b"))
    with pytest.raises(ValueError, match="labels"):
        fit(small(encoder), unlabelled, steps=1)


def encoder_weights(model):
    return [
        w
        for layer in model.layers
        if layer.name.startswith(("conv1", "conv2", "conv3", "conv4", "conv5"))
        for w in layer.get_weights()
    ]


def test_unfreeze_after_trains_the_head_first_and_then_everything(tiny, toy, monkeypatch):
    model = small(tiny)
    before, seen = encoder_weights(model), []
    original = keras.Model.fit

    def fit_and_note(self, *args, **options):
        result = original(self, *args, **options)
        moved = any((a != b).any() for a, b in zip(before, encoder_weights(model), strict=True))
        seen.append(
            (self.name, moved, float(keras.ops.convert_to_numpy(self.optimizer.learning_rate)))
        )
        return result

    monkeypatch.setattr(keras.Model, "fit", fit_and_note)
    options = dict(
        batch_size=4, learning_rate=1e-2, decay=False, fine_tuning=5, fine_tuning_rate=1e-4
    )
    history = fit(model, toy, steps=10, unfreeze="after", **options)
    assert [(name, moved) for name, moved, _ in seen] == [("fcn8s_head", False), ("fcn8s", True)]
    assert [rate for _, _, rate in seen] == pytest.approx([1e-2, 1e-4])
    assert len(history.loss) == 15 and {"features", "training", "fine-tuning"} <= set(
        history.seconds
    )
    # frozen again
    assert all(not layer.trainable for layer in model.layers if layer.name.startswith("conv1"))
    fit(model, toy, steps=1, unfreeze="after", batch_size=4)  # and so it works a second time


@few_steps
@pytest.mark.parametrize("nested", [False, True])
def test_fine_tuning_keeps_the_statistics_of_a_frozen_encoder(toy, capsys, nested):
    """Its convolutions learn. A normalization in the head, which was never frozen, learns too."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    encoder = keras.Model(image, x, name="nested")
    encoder.trainable = False
    x = keras.layers.BatchNormalization(name="norm_of_head")(encoder(image) if nested else x)
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(x))
    weights = lambda name: (  # noqa: E731
        (encoder if name in ("conv", "norm") else model).get_layer(name).get_weights()
    )
    before = {name: weights(name) for name in ("conv", "norm", "norm_of_head")}
    fit(model, toy, steps=2, batch_size=2, unfreeze="after", fine_tuning=2)
    moved = {
        name: any((a != b).any() for a, b in zip(before[name], weights(name), strict=True))
        for name in before
    }
    assert moved == {"conv": True, "norm": False, "norm_of_head": True}
    assert "Frozen BatchNormalization stays frozen" in capsys.readouterr().out
    assert not encoder.trainable_weights  # frozen again


def test_fine_tuning_an_encoder_fits_the_data_better(toy):
    """From a random encoder the head alone cannot get where both get together."""
    losses = {}
    for unfreeze in (None, "after"):
        keras.utils.set_random_seed(0)
        model = small(fcn.backbones.small_vgg(None))
        history = fit(
            model,
            toy,
            steps=40,
            batch_size=6,
            unfreeze=unfreeze,
            fine_tuning=40 if unfreeze else None,
        )
        losses[unfreeze] = np.mean(history.loss[-5:])
    assert losses["after"] < losses[None]


def test_a_fine_tuning_that_was_interrupted_goes_on_to_the_same_weights(
    tiny, toy, tmp_path, monkeypatch
):
    options = dict(epochs=2, batch_size=4, seed=5, unfreeze="after", fine_tuning=3)
    whole = small(tiny)
    undisturbed = fit(whole, toy, **options)
    model = small(tiny)
    original = keras.Model.fit
    monkeypatch.setattr(
        keras.Model,
        "fit",
        lambda self, *a, callbacks, **k: original(
            self, *a, callbacks=[*callbacks, StopAfter(2)], **k
        ),
    )
    with pytest.raises(KeyboardInterrupt):  # in the third epoch of fine-tuning
        fit(model, toy, checkpoint=tmp_path / "state", **options)
    monkeypatch.undo()
    resumed = small(tiny)
    history = fit(resumed, toy, checkpoint=tmp_path / "state", **options)
    np.testing.assert_allclose(history.loss, undisturbed.loss, atol=1e-5)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_finished_run_is_not_trained_again_until_it_is_another(tiny, toy, tmp_path):
    """Killed after the training and before `model.save`, a run has lost nothing; trained further,
    it is another run."""
    options = dict(
        epochs=6,
        batch_size=4,
        seed=5,
        validation=toy.subset(range(3)),
        checkpoint=tmp_path / "state",
    )
    options["learning_rate"] = 1e-2
    keras.utils.set_random_seed(1)
    first, again = small(tiny), small(tiny)
    again.set_weights(first.get_weights())
    done = fit(first, toy, **options)
    restored = fit(again, toy, **options)
    assert restored.loss == pytest.approx(done.loss) and len(restored.validation) == 6
    assert restored.seconds["training"] < done.seconds["training"]
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    further = fit(first, toy, **options)  # from its present weights
    assert np.mean(further.loss) < np.mean(done.loss)
    assert fit(first, toy, **{**options, "seed": 6}).loss != pytest.approx(further.loss)


@pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")
def test_a_checkpoint_touches_no_file_of_anybody_else(tiny, toy, tmp_path):
    """The folder may be where somebody works."""
    mine = {
        name: name.encode()
        for name in (
            "results.npz",
            ".hidden-results.npz",
            "notes.json",
            ".run-of-mine.json",
            "all.txt",
        )
    }
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    options = dict(epochs=1, batch_size=4, checkpoint=tmp_path)
    # the second run takes the first one's place
    for model in (small(tiny), fcn.models.fcn(2, 16, tiny, width=8)):
        fit(model, toy, **options)
    fcn.training.checkpoint.remove(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == mine
    (tmp_path / "all.npz").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"all\.npz and no run\.json. Take another folder"):
        fit(small(tiny), toy, **options)
    for content in ('{"a": 1}', "[]", "3", "{"):
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(
            ValueError, match=r"run\.json (does not belong to a training|is damaged)"
        ):
            fit(small(tiny), toy, **options)


def test_the_state_of_another_unfinished_run_is_not_mixed_in(tiny, toy, tmp_path, monkeypatch):
    options = dict(epochs=3, batch_size=4, seed=5, checkpoint=tmp_path / "state")
    original = keras.Model.fit
    monkeypatch.setattr(
        keras.Model,
        "fit",
        lambda self, *a, callbacks, **k: original(
            self, *a, callbacks=[*callbacks, StopAfter(1)], **k
        ),
    )
    with pytest.raises(KeyboardInterrupt):
        fit(small(tiny), toy, **options)
    monkeypatch.undo()
    other_model = fcn.models.fcn(2, 16, tiny, width=8)
    mended = lambda index: (toy[index][0], toy[index][1][::-1] if index == 7 else toy[index][1])  # noqa: E731
    for changed, named in (
        (
            {"train": fcn.datasets.SegmentationData(mended, 12, toy.class_names, name="toy")},
            "data='12 of toy",
        ),
        ({"validation": toy}, "validation=None, here validation='12 of toy"),
        (
            {"augment": keras.layers.RandomRotation(0.1)},
            "augment='None', here augment='RandomRotation",
        ),
        ({"batch_size": 6}, "batch_size=4, here batch_size=6"),
        ({"epochs": 5}, "epochs=3"),
        ({"seed": 1}, "seed=5"),
        ({"learning_rate": 0.1}, "learning_rate"),
        ({"augment": "flip"}, "augment='None', here augment='flip'"),
        ({"train": toy.subset(range(6))}, "data"),
        ({"model": other_model}, "model"),
    ):
        with pytest.raises(ValueError, match=f"interrupted run with the same settings.*{named}"):
            fit(**{"model": small(tiny), "train": toy, **options, **changed})
    turned = [
        fcn.training.checkpoint.in_words([keras.layers.RandomRotation(factor)])
        for factor in (0.1, 0.1, 0.2)
    ]
    assert turned[0] == turned[1] != turned[2]
    state = tmp_path / "state" / "head.npz"
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"head\.npz could not be read.*Delete it"):
        fit(small(tiny), toy, **options)


def test_an_error_while_a_batch_is_read_is_told_as_it_is(toy):
    """Not as one of the backend's, from a thread."""

    def read(index):
        if index == 7:
            raise FileNotFoundError("street_7.png has gone")
        return toy[index]

    data = fcn.datasets.SegmentationData(read, 12, toy.class_names)
    model = fcn.models.fcn_from_cae(fcn.models.cae(widths=(4,)), 2)
    with pytest.raises(FileNotFoundError, match=r"street_7\.png has gone"):
        fit(model, data, epochs=2, batch_size=3)


def test_memory_that_does_not_suffice_is_said_with_the_way_out(toy, monkeypatch):
    def exhausted(*_, **__):
        raise RuntimeError("OOM when allocating tensor with shape[20,160,576,4096]")

    monkeypatch.setattr(keras.Model, "fit", exhausted)
    with pytest.raises(MemoryError, match="smaller batch_size"):
        fit(fcn.models.fcn_from_cae(fcn.models.cae(widths=(4,)), 2), toy, epochs=1)


def test_models_that_do_not_fit_the_pictures_are_refused_before_training(toy):
    image = keras.Input((None, None, 3))
    half = keras.Model(image, keras.layers.Conv2D(2, 3, strides=2, padding="same")(image))
    with pytest.raises(ValueError, match=r"40 x 56\. Received: .* 20 x 28"):
        fit(half, toy, epochs=1)
    fixed = keras.Input((64, 64, 3))
    dense = keras.Model(fixed, keras.layers.Conv2D(2, 1)(keras.layers.Dense(4)(fixed)))
    with pytest.raises(ValueError, match="takes images of 40 x 56"):
        fit(dense, toy, epochs=1)
    grey = keras.Input((None, None, 1))
    with pytest.raises(ValueError, match="1 channels"):
        fit(keras.Model(grey, keras.layers.Conv2D(2, 1)(grey)), toy, epochs=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unfreeze": "before"}, "one of 'after', None"),
        ({"fine_tuning": 3}, "with unfreeze='after'"),
        ({"unfreeze": "after", "fine_tuning": 0}, "at least 1"),
    ],
)
def test_wrong_ways_to_unfreeze_are_answered(encoder, toy, options, message):
    with pytest.raises(ValueError, match=message):
        fit(small(encoder), toy, steps=1, **options)


def test_nothing_to_unfreeze_is_answered(encoder, toy):
    model = fcn.models.fcn(2, 8, encoder, width=8, freeze_backbone=False)
    with pytest.raises(ValueError, match="frozen layers to unfreeze"):
        fit(model, toy, steps=1, unfreeze="after")
