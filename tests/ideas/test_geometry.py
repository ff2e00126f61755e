"""Arithmetic against Keras, and receptive fields against the paper and against what an impulse
reaches."""

import keras
import numpy as np
import pytest
from conftest import first_of

import fcn_keras as fcn
from fcn_keras import geometry


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [7, 8, 13])
def test_sizes_are_those_of_keras(size, kernel, stride, padding):
    image = np.zeros((1, size, 8, 1), "float32")
    options = dict(filters=1, kernel_size=(kernel, 1), strides=(stride, 1), padding=padding)
    assert keras.layers.Conv2D(**options)(image).shape[1] == geometry.conv_size(
        size, kernel, stride, padding
    )
    assert keras.layers.Conv2DTranspose(**options)(image).shape[1] == geometry.transposed_size(
        size, kernel, stride, padding
    )
    pool = keras.layers.MaxPooling2D((kernel, 1), (stride, 1), padding)
    assert pool(image).shape[1] == geometry.conv_size(size, kernel, stride, padding)


@pytest.mark.parametrize(
    "size,kernel,stride", [(7, 3, 1), (8, 3, 2), (7, 3, 2), (8, 4, 2), (5, 2, 1), (9, 1, 3)]
)
def test_same_padding_is_where_keras_puts_it(size, kernel, stride):
    """A kernel that only looks at its first tap tells how many zeros stand before the image."""
    before, _ = geometry.same_padding(size, kernel, stride)
    layer = keras.layers.Conv2D(1, (kernel, 1), strides=(stride, 1), padding="same", use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([np.eye(kernel, 1, dtype="float32").reshape(kernel, 1, 1, 1)])
    ramp = np.arange(1, size + 1, dtype="float32").reshape(1, size, 1, 1)
    first = float(keras.ops.convert_to_numpy(layer(ramp))[0, 0, 0, 0])
    assert first == (0 if before else 1)


@pytest.mark.parametrize(
    ("name", "size", "stride"), [("pool3", 44, 8), ("pool4", 100, 16), ("pool5", 212, 32)]
)
def test_vgg16_has_the_papers_receptive_fields(name, size, stride):
    field = geometry.receptive_field(fcn.backbones.vgg16(weights=None), name)
    assert (field.size, field.stride) == (size, stride)


@pytest.mark.slow
def test_receptive_field_after_fc6_is_the_papers_404():
    model = fcn.models.fcn(2, 32, fcn.backbones.vgg16(weights=None), width=4)
    assert geometry.receptive_field(model, "score_fr").size == 404


# --- receptive fields, found by trying ---

# VGG16's layers, two channels each
THIN_VGG16 = tuple((2,) * len(block) for block in fcn.backbones.VGG16_WIDTHS)


def positive(model):
    """The model with all weights positive and no preprocessing: whatever sees a light sees it,
    nothing cancels."""

    def clone(layer):
        if layer.name in ("preprocessing", "from_pixels"):
            return keras.layers.Identity(name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    model = keras.models.clone_model(model, clone_function=clone)
    for layer in model.layers:
        if layer.weights and "moving_mean" not in {v.name for v in layer.weights}:
            layer.set_weights(
                [
                    np.full(v.shape, 1 / np.prod(v.shape))
                    if v.name != "bias"
                    else np.zeros(v.shape)
                    for v in layer.weights
                ]
            )
    return model


def seen(model, name, size, other=8, axis="height"):
    """Which pixel of an axis moves which position of a layer, found by lighting each in turn.

    In a dark image one lit row is the maximum of every pooling that sees it, and a gradient of
    exactly zero stays zero. Returns bool (input pixels, output positions).
    """
    probe = keras.Model(model.inputs, model.get_layer(name)._inbound_nodes[-1].output_tensors[0])
    found = []
    for first in range(0, size, 16):
        lit = np.zeros((min(16, size - first), size, other, 3), "float32")
        lit[np.arange(len(lit)), np.arange(first, first + len(lit))] = 1
        out = probe.predict_on_batch(lit if axis == "height" else lit.swapaxes(1, 2))
        found.append(out.max(axis=(2, 3) if axis == "height" else (1, 3)) > 0)
    return np.concatenate(found)


def assert_field_is_what_is_seen(model, name, size, given_size=None, axis="height"):
    field = geometry.receptive_field(model, name, given_size, axis)
    found = seen(positive(model), name, size, axis=axis)
    row = np.arange(size)
    for position in range(found.shape[1]):
        window = field.pixels(position)
        expected = (row >= window[0]) & (row <= window[1]) if window else np.zeros(size, bool)
        np.testing.assert_array_equal(
            found[:, position], expected, err_msg=f"{name}, position {position}, expected {window}"
        )
    widest = found.sum(axis=0).max()
    assert widest == min(field.size, widest) and (field.size > size or widest == field.size)


@first_of("name", ["pool5", "pool1", "conv3_3", "pool3", "pool4"])
def test_receptive_field_of_vgg16_is_what_is_seen(name):
    model = fcn.backbones.vgg(THIN_VGG16, keras.layers.Identity(name="preprocessing"), "vgg16")
    assert_field_is_what_is_seen(model, name, 320)
    real = fcn.backbones.vgg16(weights=None)
    assert geometry.receptive_field(model, name) == geometry.receptive_field(real, name)


@first_of("name", ["pool5", "pool3", "pool4"])
def test_receptive_field_of_small_vgg_is_what_is_seen(encoder, name):
    assert_field_is_what_is_seen(encoder, name, 224)


@first_of("size", [45, 48, 46, 51])
@pytest.mark.parametrize("name", ["conv1", "conv3", "up1", "up2", "reconstruction"])
def test_receptive_field_of_the_cae_is_what_is_seen_at_every_size(name, size):
    assert_field_is_what_is_seen(fcn.models.cae(widths=(4, 4, 4)), name, size, size)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stride", "name"),
    [
        (32, "score_fr"),
        (32, "score"),
        (16, "score_pool4"),
        (16, "fuse_pool4"),
        (8, "score_pool3"),
        (8, "fuse_pool3"),
        (8, "score"),
    ],
)
def test_receptive_fields_of_the_published_networks_are_what_is_seen(stride, name):
    build = {32: fcn.published.fcn32s, 16: fcn.published.fcn16s, 8: fcn.published.fcn8s}[stride]
    assert_field_is_what_is_seen(build(2, THIN_VGG16, 2), name, 470 if name == "score_fr" else 150)


@pytest.mark.parametrize("name", ["score_fr", "fuse_pool4", "fuse_pool3_conv", "logits"])
def test_receptive_fields_of_our_fcn_are_what_is_seen(name):
    backbone = fcn.backbones.vgg(
        ((2,), (2, 2), (2, 2), (2, 2), (2, 2)), keras.layers.Identity(name="preprocessing"), "thin"
    )
    assert_field_is_what_is_seen(
        fcn.models.fcn(2, 8, backbone, fusion="concat", width=2), name, 192
    )


@first_of(("size", "axis"), [(37, "width"), (36, "height"), (36, "width"), (37, "height")])
def test_branches_padding_cropping_dilation_and_models_in_models(size, axis):
    conv = lambda *args, **options: keras.layers.Conv2D(2, *args, use_bias=False, **options)  # noqa: E731
    inner_in = keras.Input((None, None, 2))
    inner = keras.Model(
        inner_in, keras.layers.Cropping2D(((1, 2), (0, 3)))(conv((3, 1))(inner_in)), name="inner"
    )
    image = x = keras.Input((None, None, 3), name="image")
    x = keras.layers.ZeroPadding2D(((3, 1), (2, 4)))(x)
    a = conv((5, 3), dilation_rate=(2, 3), padding="same")(x)
    b = keras.layers.DepthwiseConv2D((1, 5), padding="same")(conv(1)(x))
    x = keras.layers.Concatenate()([a, b, keras.layers.Add()([a, b])])
    x = keras.layers.AveragePooling2D(3, strides=2, padding="same", name="pooled")(conv(1)(x))
    x = keras.layers.BatchNormalization()(inner(x))
    up = keras.layers.Conv2DTranspose(2, 5, strides=3, use_bias=False, name="up")(x)
    keras.layers.Conv2DTranspose(2, 2, strides=3, use_bias=False)
    model = keras.Model(
        image,
        conv(2, name="last")(
            keras.layers.UpSampling2D(2, interpolation="bilinear", name="twice")(up)
        ),
    )
    for name in ("pooled", "inner", "up", "last"):
        assert_field_is_what_is_seen(model, name, size, size, axis)


def test_positions_between_the_stamps_see_nothing():
    image = keras.Input((None, None, 3), name="image")
    model = keras.Model(
        image, keras.layers.Conv2DTranspose(1, 2, strides=4, name="gaps", use_bias=False)(image)
    )
    assert_field_is_what_is_seen(model, "gaps", 6)
    assert geometry.receptive_field(model, "gaps").pixels(2) is None


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.GlobalAveragePooling2D(name="it"),
        keras.layers.Flatten(name="it"),
        keras.layers.Resizing(8, 8, name="it"),
        keras.layers.GroupNormalization(1, name="it"),
        keras.layers.LayerNormalization(axis=1, name="it"),
        keras.layers.Conv2DTranspose(1, 3, strides=2, output_padding=1, name="it"),
        keras.layers.Lambda(lambda x: x, name="it"),
    ],
    ids=lambda layer: layer.__class__.__name__,
)
def test_an_unknown_layer_is_a_clear_error_and_never_a_guess(layer):
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, layer(keras.layers.Conv2D(2, 3, padding="same")(image)))
    with pytest.raises(
        ValueError, match=f"behind 'it', a layer of kind {layer.__class__.__name__}, is not known"
    ):
        geometry.receptive_field(model, "it")


def test_a_students_own_layer_is_unknown_even_if_it_has_a_known_name():
    class Dropout(keras.layers.Layer):
        def call(self, x):
            return keras.ops.roll(x, 3, axis=1)

    image = keras.Input((16, 16, 3))
    with pytest.raises(ValueError, match="not Keras' own"):
        geometry.receptive_field(keras.Model(image, Dropout(name="it")(image)), "it")


def test_a_layer_that_another_model_shares_is_read_in_its_own_model():
    """Training on frozen features makes such a model: the head, whose layers are the network's."""
    model = fcn.models.fcn(2, 8, fcn.backbones.small_vgg(None), width=4)
    before = geometry.receptive_field(model, "score_fr")
    fcn.training.head(model)
    assert geometry.receptive_field(model, "score_fr") == before


def test_what_cannot_be_asked_is_answered():
    a, b = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    shared = keras.layers.Conv2D(3, 3, padding="same", name="shared")
    twice = keras.Model(a, shared(shared(a)))
    with pytest.raises(ValueError, match=r"one of the model's layers: .*shared"):
        geometry.receptive_field(twice, "pool9")
    with pytest.raises(ValueError, match="used 2 times"):
        geometry.receptive_field(twice, "shared")
    with pytest.raises(ValueError, match="one input"):
        geometry.receptive_field(keras.Model([a, b], keras.layers.Add(name="sum")([a, b])), "sum")
    with pytest.raises(ValueError, match="axis"):
        geometry.receptive_field(fcn.models.cae(), "conv1", axis="depth")
    strided = keras.layers.Conv2D(3, 1, strides=2, name="strided")(a)
    with pytest.raises(ValueError, match="strides"):
        geometry.Field(((0, 0),), 1).joined(geometry.field_of(strided, a))


# --- crops ---


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_our_own_networks_need_no_crop_in_front(encoder, stride):
    """SAME puts every map where its target lies: the derived offset of each `align` is 0."""
    model = fcn.models.fcn(2, stride, encoder, width=4)
    for layer in model.layers:
        if isinstance(layer, fcn.layers.CropToMatch):
            larger, target = (geometry.field_of(t, model.inputs[0]) for t in layer.input)
            assert geometry.crop_offset(larger, target) == layer.offset == 0


def test_a_crop_that_is_no_whole_number_is_refused():
    image = keras.Input((None, None, 3))
    half = geometry.field_of(keras.layers.Conv2D(1, 2)(image), image)
    with pytest.raises(ValueError, match="begins -1/2 before"):
        geometry.crop_offset(half)
    padded = geometry.field_of(keras.layers.ZeroPadding2D(4)(image), image)
    assert geometry.crop_offset(padded) == 4
    with pytest.raises(ValueError, match="one stride"):
        geometry.crop_offset(geometry.field_of(keras.layers.MaxPooling2D(2)(image), image))


# --- transposed convolution: stamps that overlap, and the matrix ---


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (5, 3), (1, 2), (2, 3), (64, 32)])
def test_overlap_map_counts_the_stamps(kernel, stride, padding):
    layer = keras.layers.Conv2DTranspose(
        1, kernel, strides=stride, padding=padding, use_bias=False, kernel_initializer="ones"
    )
    counted = keras.ops.convert_to_numpy(layer(np.ones((1, 5, 4, 1), "float32")))[0, :, :, 0]
    np.testing.assert_array_equal(geometry.overlap_map((5, 4), kernel, stride, padding), counted)


def test_checkerboards_come_from_kernels_that_the_stride_does_not_divide():
    inside = geometry.overlap_map((9, 9), 4, 2)[4:-4, 4:-4]
    assert (inside == 4).all()
    board = geometry.overlap_map((9, 9), 3, 2)[4:-4, 4:-4]
    assert set(np.unique(board)) == {1, 2, 4}
    np.testing.assert_array_equal(board[2:], board[:-2])  # a grid of period 2


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_matrix_is_the_convolution(stride, padding):
    random = np.random.default_rng(0)
    kernel, image = (
        random.normal(size=(3, 3)).astype("float32"),
        random.normal(size=(7, 6)).astype("float32"),
    )
    layer = keras.layers.Conv2D(1, 3, strides=stride, padding=padding, use_bias=False)
    layer.build((None, None, None, 1))
    layer.set_weights([kernel[:, :, None, None]])
    expected = keras.ops.convert_to_numpy(layer(image[None, :, :, None]))[0, :, :, 0]
    found = geometry.convolution_matrix(kernel, image.shape, stride, padding) @ image.ravel()
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-5)


# --- sizes ---


@pytest.mark.parametrize("size", range(1, 12))
def test_pooling_that_rounds_up_keeps_the_last_row(size):
    assert (
        geometry.pooled_size(size, round_up=True)
        == -(-size // 2)
        == geometry.conv_size(size, 2, 2, "same")
    )
    if size > 1:
        assert geometry.pooled_size(size) == size // 2
    assert geometry.pooled_size(size, 3, 2, round_up=True) == max(-(-(size - 3) // 2), 0) + 1


def test_impossible_sizes_are_answered():
    with pytest.raises(ValueError, match="that fits"):
        geometry.conv_size(3, 5)
    with pytest.raises(ValueError, match="that fits"):
        geometry.pooled_size(1)
    with pytest.raises(ValueError, match="stride"):
        geometry.conv_size(3, 1, 0)
    with pytest.raises(ValueError, match="padding"):
        geometry.transposed_size(3, 1, 1, "full")


@pytest.mark.slow
@first_of(
    ("build", "name", "size"),
    [
        ("MobileNetV2", "out_relu", 491),
        ("ResNet50", "conv5_block3_out", 483),
        ("InceptionV3", "mixed10", 1311),
    ],
)
def test_networks_that_others_have_measured(build, name, size):
    """Source: Araujo, Norris, Sim, Computing Receptive Fields of Convolutional Neural Networks,
    Distill 2019."""
    model = getattr(keras.applications, build)(
        weights=None, include_top=False, input_shape=(224, 224, 3)
    )
    field = geometry.receptive_field(model, name)
    assert (field.size, field.stride) == (size, 32)
