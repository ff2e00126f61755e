"""A dense layer is a convolution: the same numbers, and a map on anything larger."""

import keras
import numpy as np
import pytest

from fcn_keras.convolutionalize import convolutionalize, dense_to_conv


@pytest.fixture
def classifier():
    return keras.Sequential(
        [
            keras.Input((16, 24, 3)),
            keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(4),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="relu", name="fc6"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(5, activation="softmax", name="predictions"),
        ]
    )


def images(count, height, width):
    return np.random.default_rng(0).random((count, height, width, 3), "float32")


def test_equal_on_the_original_size(classifier):
    x = images(3, 16, 24)
    out = convolutionalize(classifier).predict_on_batch(x)
    assert out.shape == (3, 1, 1, 5)
    np.testing.assert_allclose(out[:, 0, 0], classifier.predict_on_batch(x), atol=1e-6)


def test_on_a_larger_image_each_place_is_the_classifier_there(classifier):
    """Away from the padding, moving the window by one pooling stride is looking at the next place
    of the map."""
    x = images(1, 16 + 8, 24 + 12)
    scores = convolutionalize(classifier).predict_on_batch(x)
    assert scores.shape == (1, 3, 4, 5)
    features = keras.Model(classifier.inputs, classifier.layers[1].output)
    pooled = keras.ops.convert_to_numpy(classifier.layers[1](classifier.layers[0](x)))
    assert features is not None
    for row in range(3):
        for column in range(4):
            window = pooled[:, row : row + 4, column : column + 6]
            flat = window.reshape(1, -1)
            for layer in classifier.layers[3:]:
                flat = layer(flat)
            np.testing.assert_allclose(
                scores[0, row, column], keras.ops.convert_to_numpy(flat)[0], atol=1e-6
            )


def test_rows_columns_and_channels_are_read_in_flattens_order(classifier):
    dense = keras.layers.Dense(1, use_bias=False)
    dense.build((None, 2 * 3 * 4))
    dense.set_weights([np.arange(24, dtype="float32").reshape(24, 1)])
    kernel = dense_to_conv(dense, (2, 3, 4)).get_weights()[0][..., 0]
    # last row, last column: the last four
    np.testing.assert_array_equal(kernel[1, 2], [20, 21, 22, 23])


def test_what_cannot_be_rewritten_is_answered(classifier):
    with pytest.raises(ValueError, match="24 inputs"):
        dense_to_conv(classifier.get_layer("fc6"), (1, 2, 12))
    with pytest.raises(ValueError, match="fixed input size"):
        convolutionalize(
            keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 1)])
        )
    pooled = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    )
    with pytest.raises(ValueError, match="averages over the whole image"):
        convolutionalize(pooled)
    with pytest.raises(ValueError, match="not built"):
        dense_to_conv(keras.layers.Dense(3), (1, 1, 4))
