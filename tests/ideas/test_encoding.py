"""Any encoder with pools at 1/8, 1/16 and 1/32 becomes an FCN: any size in, the same size out, and
the skips lie over one another. One whose pools are something else is refused."""

import keras
import numpy as np
import pytest
from conftest import random_image
from keras import layers

import fcn_keras as fcn
from fcn_keras.training import fit, frozen_border

SIZES = [(1, 1), (5, 70), (33, 31), (64, 96), (100, 100), (180, 240)]
FEW = pytest.mark.filterwarnings("ignore::fcn_keras.training.history.TrainingWarning")


def halving(block):
    """Five blocks, each of which halves its map; `block` makes the layers of one."""
    x = image = keras.Input((None, None, 3), name="image")
    for number in range(1, 6):
        for layer in block(number):
            x = layer(x)
    return keras.Model(image, x, name="encoder")


def rounding_down(number):
    """As in Keras' VGG19."""
    yield layers.Conv2D(4, 3, padding="same", activation="relu")
    yield layers.MaxPooling2D(2, name=f"pool{number}")


def averaging(number):
    yield layers.AveragePooling2D(2, name=f"pool{number}")


def with_dropout(number):
    yield layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)
    yield layers.BatchNormalization()
    yield layers.Dropout(0.5, name=f"pool{number}")


def predict(model, image):
    return model.predict_on_batch(image[None].astype("float32"))[0]


@pytest.mark.parametrize("build", [fcn.models.fcn, fcn.models.lecture_fcn])
def test_an_encoder_that_rounds_down_takes_any_size(build):
    model = build(2, backbone=halving(rounding_down), width=4)
    for size in SIZES:
        assert predict(model, random_image(*size)).shape == (*size, 2)


def test_where_nothing_is_rounded_it_gives_what_it_gave():
    backbone = halving(rounding_down)
    image = random_image(64, 96)
    copy = keras.Model(*in_and_out(fcn.models.fcn(2, backbone=backbone, width=4)))
    np.testing.assert_allclose(predict(copy, image), predict(backbone, image), atol=1e-5)


def in_and_out(model):
    return model.inputs[0], model.get_layer("pool5").output


def test_an_encoder_that_rounds_up_is_not_changed(encoder):
    kinds = [row.kind for row in fcn.models.describe(fcn.models.fcn(2, 8, encoder, width=4))]
    assert "PadToMultiple" not in kinds


def summing(model):
    """The scores of a class are a channel of the image, averaged over 8, 16 and 32 pixels."""
    for name in ("score_fr", "score_pool4", "score_pool3"):
        kernel, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([np.eye(*kernel.shape[2:])[None, None], bias])
    return model


@pytest.mark.parametrize("size", [(160, 192), (139, 170), (161, 191), (150, 223)])
def test_the_three_maps_lie_over_one_another_and_over_the_image(size):
    """Averages of a slope, interpolated, are the slope again; three maps give it three times. A map
    that lay one position off would be 8 pixels off."""
    model = summing(fcn.models.fcn(2, 8, halving(averaging), width=None))
    rows, columns = np.indices(size)
    found = predict(model, np.stack([rows, columns, 0 * rows], axis=-1))
    inside = np.s_[48:-64, 48:-64]  # nearer to the border zeros and repeated rows are seen too
    np.testing.assert_allclose(found[inside][..., 0], 3 * rows[inside], rtol=1e-4)
    np.testing.assert_allclose(found[inside][..., 1], 3 * columns[inside], rtol=1e-4)


def striding(number):
    """As in EfficientNet: SAME pads its odd maps otherwise than its even ones."""
    yield layers.Conv2D(4, 3, strides=2, padding="same", name=f"pool{number}")


@pytest.mark.parametrize("size", [(64, 95), (61, 90), (33, 66), (57, 73)])
@pytest.mark.parametrize("block", [striding, rounding_down, with_dropout])
def test_a_picture_that_was_cut_is_seen_as_the_whole_was(block, size):
    """However the sizes are halved, the same place gives the same features."""
    whole = random_image(96, 128)
    part = whole[: size[0], : size[1]]
    model = fcn.models.fcn(2, 8, halving(block), width=4)
    pools = [model.get_layer(f"pool{n}").output for n in (3, 4, 5)]
    encoder = keras.Model(model.inputs[0], pools)
    for n, seen, expected in zip(
        (3, 4, 5), predict_all(encoder, part), predict_all(encoder, whole)
    ):
        rows, columns = (side // 2**n - 1 for side in size)  # the last ones see the border
        np.testing.assert_allclose(seen[:rows, :columns], expected[:rows, :columns], atol=1e-5)


def predict_all(model, image):
    return [np.asarray(one[0]) for one in model.predict_on_batch(image[None].astype("float32"))]


def test_tiles_of_it_give_the_labels_of_the_whole_and_so_does_its_file(tmp_path):
    model = summing(fcn.models.fcn(3, 8, halving(averaging), width=None))
    image = random_image(12, 60).repeat(8, 0).repeat(8, 1)[:90, :470]
    labels = fcn.prediction.segment(model, image)
    assert len(np.unique(labels)) == 3
    np.testing.assert_array_equal(fcn.prediction.segment_tiled(model, image, tile=64), labels)
    fcn.models.save(model, tmp_path / "m.keras")
    again = fcn.models.load(tmp_path / "m.keras")
    np.testing.assert_array_equal(fcn.prediction.segment(again, image), labels)


def named(backbone, *pools):
    """An encoder as a user makes one: chosen outputs with names."""
    tensors = [backbone.get_layer(pool).output for pool in pools]
    names = ("pool3", "pool4", "pool5")
    return keras.Model(backbone.input, dict(zip(names, tensors, strict=True)), name="chosen")


def test_outputs_with_names_do_as_well_as_layers_and_a_sequential_too():
    backbone = halving(rounding_down)
    for layer in backbone.layers:
        layer.name = layer.name.replace("pool", "halved")
    made = named(backbone, "halved3", "halved4", "halved5")
    count = len(backbone.layers)
    model = fcn.models.fcn(2, 8, made, width=4)
    assert set(frozen_border(model)) == {"image", "pool3", "pool4", "pool5"}
    assert len(backbone.layers) == len(made.layers) == count
    chain = keras.Sequential(halving(rounding_down).layers, name="chain")
    assert predict(fcn.models.fcn(2, 8, chain, width=4), random_image(37, 50)).shape == (37, 50, 2)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: named(halving(rounding_down), "pool2", "pool3", "pool4"),
            "'chosen', whose pool3 is 16 x 24 for an image of 64 x 96, not 8 x 12$",
        ),
        (
            lambda: named(halving(rounding_down), "pool3", "pool5", "pool5"),
            "whose pool4 is 2 x 3 for an image of 64 x 96, not 4 x 6$",
        ),
        (
            lambda: keras.models.clone_model(
                halving(rounding_down), input_tensors=keras.Input((100, 100, 3))
            ),
            r"whose pool3 is 12 x 12 for an image of 100 x 100, not 13 x 13\. With input_shape",
        ),
        (
            lambda: halving(
                lambda number: (layers.Conv2D(4, 17), layers.MaxPooling2D(2, name=f"pool{number}"))
            ),
            "'encoder', which takes no image of 64 x 96$",
        ),
    ],
    ids=["strides 4 8 16", "no 1/16", "fixed size", "too small"],
)
def test_what_does_not_fit_is_refused_in_a_sentence(make, said):
    with pytest.raises(ValueError, match=f"Expected a backbone whose pool3, pool4 .*{said}"):
        fcn.models.fcn(2, 8, make())


def test_a_fixed_size_that_32_divides_stays():
    fixed = keras.models.clone_model(halving(rounding_down), input_tensors=keras.Input((64, 96, 3)))
    assert fcn.models.fcn(2, 8, fixed, width=4).input_shape == (None, 64, 96, 3)


def test_a_frozen_encoder_has_no_dropout_so_all_of_it_is_computed_once():
    backbone = halving(with_dropout)
    frozen, trained = (
        fcn.models.fcn(2, 8, backbone, width=4, freeze_backbone=freeze) for freeze in (True, False)
    )
    assert set(frozen_border(frozen)) == {"image", "pool3", "pool4", "pool5"}
    rates = [made.get_layer("pool4").rate for made in (frozen, trained, backbone)]
    assert rates == [0, 0.5, 0.5]


@FEW
@pytest.mark.long
def test_kept_features_of_an_encoder_with_dropout_change_nothing(toy):
    backbone, losses = halving(with_dropout), []
    for cache in (True, False):
        keras.utils.set_random_seed(0)
        model = fcn.models.fcn(2, 8, backbone, width=4)
        losses.append(fit(model, toy, steps=3, batch_size=4, cache=cache).loss)
    np.testing.assert_allclose(*losses, rtol=1e-3)
