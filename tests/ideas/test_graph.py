"""A model's graph is read whole: functions of keras.ops, shared layers and models in models too."""

import keras
import numpy as np
import pytest
from keras import ops

import fcn_keras as fcn
from fcn_keras.geometry import receptive_field
from fcn_keras.support import graph


@pytest.fixture
def with_functions():
    """Two convolutions; functions of keras.ops between them and behind them."""
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", name="first")(image)
    y = ops.relu(x) + x
    y = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="second")(y / 2.0)
    return keras.Model(image, ops.concatenate([y, ops.sigmoid(y)], axis=-1))


def test_describe_lists_functions_between_the_layers(with_functions):
    rows = fcn.models.describe(with_functions, size=(10, 12))
    kinds = "InputLayer Conv2D Relu Add Divide Conv2D Sigmoid Concatenate"
    assert " ".join(row.kind for row in rows).replace("TrueDivide", "Divide") == kinds
    named = {row.kind: row for row in rows}
    assert named["Relu"].inputs == ("first",) and named["Add"].inputs == (
        named["Relu"].name,
        "first",
    )
    assert named["Add"].output_shape == (10, 12, 4) and named["Concatenate"].output_shape == (
        5,
        6,
        8,
    )
    assert named["Add"].parameters == 0 and not named["Add"].trained
    assert sum(row.parameters for row in rows) == with_functions.count_params()


def test_every_row_reads_rows_above_it(with_functions, encoder):
    for model in (with_functions, encoder, fcn.models.fcn(2, 8, encoder, width=4)):
        above = set()
        for row in fcn.models.describe(model):
            assert above.issuperset(row.inputs)
            above.add(row.name)
        assert [step.name for step in graph.steps(model)] == [o.name for o in model.operations]


def test_receptive_field_goes_through_functions(with_functions):
    last = with_functions.operations[-1].name
    field = receptive_field(with_functions, last)
    assert (field.size, field.stride) == (5, 2)  # 3, then 3 at stride 1
    assert field == receptive_field(with_functions, "second")


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda x: ops.roll(x, 2, axis=1), "Roll"),
        (lambda x: x[:, 1:], "GetItem"),
        (lambda x: ops.mean(x, axis=1, keepdims=True), "Mean"),
        (lambda x: ops.concatenate([x, x], axis=1), "Concatenate"),
        (lambda x: ops.softmax(x, axis=1), "Softmax"),
        (lambda x: ops.image.resize(x, (9, 9)), "Resize"),
        (lambda x: x + ops.mean(x, axis=(1, 2), keepdims=True), "Mean"),
    ],
    ids=["roll", "slice", "mean", "concatenated rows", "softmax of rows", "resize", "broadcast"],
)
@pytest.mark.parametrize("size", [16, None])
def test_a_function_without_a_rule_is_named_and_not_skipped(function, kind, size):
    image = keras.Input((size, size, 3))
    x = function(keras.layers.Conv2D(2, 3, padding="same")(image))
    model = keras.Model(image, keras.layers.Conv2D(1, 1, name="last")(x))
    with pytest.raises(ValueError, match=rf"keras\.ops, of kind {kind}, is not known"):
        receptive_field(model, "last")


def test_a_map_that_broadcasting_stretches_has_no_field():
    image = keras.Input((1, 8, 3))
    stretched = keras.layers.Conv2D(2, 1)(image) + np.zeros((1, 9, 1, 2), "float32")
    with pytest.raises(ValueError, match="it changes the size"):
        fcn.geometry.field_of(stretched, image)


def test_functions_with_a_rule_exist_in_keras():
    from fcn_keras.geometry.rules import FUNCTIONS, LAYERS

    ours = {"VGGPreprocessing", "PadToMultiple", "CropToMatch"}
    assert [kind for kind in LAYERS if not hasattr(keras.layers, kind)] == sorted(
        ours, reverse=True
    )
    from keras.src.ops import core, nn
    from keras.src.ops import numpy as numpy_ops

    assert not [f for f in FUNCTIONS if not any(hasattr(m, f) for m in (core, nn, numpy_ops))]


def test_a_shared_layer_has_a_step_for_each_call():
    image = keras.Input((8, 8, 3), name="image")
    shared = keras.layers.Conv2D(3, 3, padding="same", name="shared")
    model = keras.Model(image, shared(keras.layers.ReLU(name="between")(shared(image))))
    found = [(step.name, step.reads) for step in graph.steps(model)]
    assert found == [
        ("image", ()),
        ("shared", ("image",)),
        ("between", ("shared",)),
        ("shared", ("between",)),
    ]
    assert [row.inputs for row in fcn.models.describe(model)] == [(), ("image",), ("shared",)]


def test_a_model_with_anothers_layers_is_described_by_its_own_calls(encoder):
    model = fcn.models.fcn(2, 32, encoder, width=4)
    head = fcn.training.head(model)
    rows = {row.name: row for row in fcn.models.describe(head)}
    assert rows["fc6"].inputs == ("pool5",) and rows["pool5"].kind == "InputLayer"
    assert rows["score_fr"].output_shape == (None, None, 2)


def test_a_sequential_and_a_model_used_as_a_layer():
    inner = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(4, 3, name="conv")])
    assert [row.kind for row in fcn.models.describe(inner)] == ["InputLayer", "Conv2D"]
    image = keras.Input((16, 16, 3), name="image")
    outer = keras.Model(image, ops.relu(inner(image)))
    rows = fcn.models.describe(outer)
    assert [row.kind for row in rows] == ["InputLayer", "Sequential", "Relu"]
    assert receptive_field(outer, rows[-1].name).size == 3


def test_convolutionalize_refuses_functions_instead_of_dropping_them():
    image = keras.Input((16, 16, 3))
    x = keras.layers.Flatten()(ops.relu(keras.layers.Conv2D(2, 3)(image)))
    classifier = keras.Model(image, keras.layers.Dense(2)(x))
    with pytest.raises(ValueError, match=r"a function of keras\.ops"):
        fcn.convolutionalize.convolutionalize(classifier)


def test_convolutionalize_keeps_a_dense_layer_on_a_map():
    image = keras.Input((4, 4, 3))
    x = keras.layers.Flatten()(keras.layers.Dense(2)(image))
    classifier = keras.Model(image, keras.layers.Dense(5)(x))
    pixels = np.random.default_rng(0).random((1, 4, 4, 3), "float32")
    found = fcn.convolutionalize.convolutionalize(classifier).predict_on_batch(pixels)
    np.testing.assert_allclose(found[:, 0, 0], classifier.predict_on_batch(pixels), atol=1e-6)
