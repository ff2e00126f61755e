"""Assignment 2, from the autoencoder to the FCN: right answers, and wrong ones with their hints."""

from planted import Answer, Wrong

BUILD_CAE = Answer("""
def build_cae(widths):
    image = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(
            width, 3, strides=2, padding="same", activation="relu", name=f"conv{level}"
        )(x)
    for level, width in enumerate(reversed(widths[:-1]), start=1):
        x = keras.layers.Conv2DTranspose(
            width, 4, strides=2, padding="same", activation="relu", name=f"up{level}"
        )(x)
    x = keras.layers.Conv2DTranspose(
        3, 4, strides=2, padding="same", activation=None, name="output"
    )(x)
    return keras.Model(image, keras.layers.Rescaling(255.0)(x))
""")
BUILD_FCN = Answer("""
def build_fcn(autoencoder, num_classes):
    x = image = keras.Input((None, None, 3))
    for layer in autoencoder.layers:
        if layer.name == "from_pixels" or layer.name.startswith(("conv", "up")):
            copy = type(layer).from_config(layer.get_config())
            x = copy(x)
            copy.set_weights(layer.get_weights())
    x = keras.layers.Conv2DTranspose(
        num_classes, 4, strides=2, padding="same", activation=None, name="output"
    )(x)
    return keras.Model(image, x)
""")
ONE_HOT = Answer("""
def one_hot(labels, n):
    return (labels[..., None] == np.arange(n)) * 1.0
""")
# Not among the right ones: large logits, which the check tries last, become 1e-30.
CROSS_ENTROPY = Answer("""
def cross_entropy(labels, logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    known = labels != 255
    true_class = np.where(known, labels, 0)[..., None].astype(int)
    losses = -np.log(np.take_along_axis(p, true_class, -1)[..., 0] + 1e-30)
    return losses[known].mean()
""")
TRAINED_CAE = Answer("""
keras.utils.set_random_seed(0)
trained_cae = fcn.models.cae()
trained_cae.compile(keras.optimizers.Adam(3e-3), "mean_squared_error", jit_compile=False)
trained_cae.fit(pictures, pictures, batch_size=4, epochs=4, verbose=0)
""")
TRAINED_FCN = Answer("""
keras.utils.set_random_seed(0)
trained_fcn = fcn.models.fcn_from_cae(fcn.models.cae(), 2)
loss = fcn.training.segmentation_loss()
trained_fcn.compile(keras.optimizers.Adam(3e-3), loss, jit_compile=False)
trained_fcn.fit(pictures, labels, batch_size=4, epochs=4, verbose=0)
""")

RIGHT = {
    "build_cae": BUILD_CAE,
    "build_fcn": BUILD_FCN,
    "one_hot": ONE_HOT,
    "trained_cae": TRAINED_CAE,
    "trained_fcn": TRAINED_FCN,
}

WRONG = {
    "build_cae": {
        "does_not_scale_the_picture_down": Wrong(
            BUILD_CAE.edit("keras.layers.Rescaling(1 / 255)(image)", "image"),
            hint="not brought to 0–1",
        ),
        "does_not_scale_the_output_up": Wrong(
            BUILD_CAE.edit("keras.layers.Rescaling(255.0)(x)", "x"),
            hint="back to 0–255, is missing",
        ),
        "does_not_scale_at_all": Wrong(
            BUILD_CAE.edit("keras.layers.Rescaling(1 / 255)(image)", "image").edit(
                "keras.layers.Rescaling(255.0)(x)", "x"
            ),
            hint="build_cae",
        ),
        "forgets_the_stride": Wrong(
            BUILD_CAE.edit("width, 3, strides=2", "width, 3, strides=1"),
            hint="`conv1`: look at its strides",
        ),
        "pads_with_valid": Wrong(
            BUILD_CAE.edit(
                'width, 3, strides=2, padding="same"', 'width, 3, strides=2, padding="valid"'
            ),
            hint="`conv1`: look at its padding",
        ),
        "forgets_the_activation": Wrong(
            BUILD_CAE.edit(
                'activation="relu", name=f"conv{level}"', 'activation=None, name=f"conv{level}"'
            ),
            hint="`conv1` has the activation linear",
        ),
        "does_not_reverse_the_widths": Wrong(
            BUILD_CAE.edit("reversed(widths[:-1])", "widths[:-1]"),
            hint="`up1`: look at its filters",
        ),
        "has_a_stage_too_many": Wrong(
            BUILD_CAE.edit("reversed(widths[:-1])", "reversed(widths)"), hint="up3 is not expected"
        ),
        "has_kernels_of_3_on_the_way_up": Wrong(
            BUILD_CAE.edit("width, 4", "width, 3"), hint="`up1`: look at its kernel size"
        ),
        "ends_in_a_relu": Wrong(
            BUILD_CAE.edit("activation=None", 'activation="relu"'), hint="`output` has a ReLU"
        ),
        "ends_in_a_dense_layer": Wrong(
            BUILD_CAE.edit("keras.layers.Rescaling(255.0)(x)", "keras.layers.Dense(3)(x)"),
            hint="ties the network to one size",
        ),
        "takes_one_size": Wrong(
            BUILD_CAE.edit("(None, None, 3)", "(64, 64, 3)"), hint="one size only"
        ),
        "returns_the_tensor": Wrong(
            BUILD_CAE.edit(
                "return keras.Model(image, keras.layers.Rescaling(255.0)(x))", "return x"
            ),
            hint="the output tensor of a layer",
        ),
        "has_a_lambda_layer": Wrong(
            BUILD_CAE.edit("Rescaling(255.0)", "Lambda(lambda t: 255 * t)"),
            hint="which no other computer can load",
        ),
        "hands_in_the_package_function": Wrong(
            "build_cae = lambda widths: fcn.models.cae(widths=widths)", hint="calls fcn_keras (cae)"
        ),
    },
    "build_fcn": {
        "ends_in_a_softmax": Wrong(
            BUILD_FCN.edit("activation=None", 'activation="softmax"'),
            hint="there is a softmax at the end",
        ),
        "has_three_channels": Wrong(
            BUILD_FCN.edit("num_classes, 4", "3, 4"), hint="still has 3 channels"
        ),
        "scales_the_logits_to_255": Wrong(
            BUILD_FCN.edit(
                "keras.Model(image, x)", "keras.Model(image, keras.layers.Rescaling(255.0)(x))"
            ),
            hint="logits are not colours",
        ),
        "does_not_copy_the_weights": Wrong(
            BUILD_FCN.edit("copy.set_weights(layer.get_weights())", "pass"),
            hint="does not start from the autoencoder's weights",
        ),
        "has_a_channel_for_void": Wrong(
            BUILD_FCN.edit("num_classes, 4", "num_classes + 1, 4"),
            hint="`output`: look at its filters",
        ),
        "calls_the_output_by_another_name": Wrong(
            BUILD_FCN.edit('name="output"', 'name="scores"'), hint="there is no layer called output"
        ),
        "hands_in_the_package_function": Wrong(
            "build_fcn = fcn.models.fcn_from_cae", hint="calls fcn_keras (fcn_from_cae)"
        ),
        "freezes_the_layers": Wrong(
            BUILD_FCN.edit("layer.get_config()", "layer.get_config() | {'trainable': False}"),
            hint="a layer is frozen",
        ),
    },
    "one_hot": {
        "counts_void_as_class_0": Wrong(
            """
def one_hot(labels, n):
    return np.eye(n)[np.where(labels == 255, 0, labels)]
""",
            hint="void counts as class 0",
        ),
        "counts_void_as_the_last_class": Wrong(
            """
def one_hot(labels, n):
    return np.eye(n)[np.minimum(labels, n - 1)]
""",
            hint="void counts as the last class",
        ),
        "puts_the_classes_first": Wrong(
            """
def one_hot(labels, n):
    return (labels[None] == np.arange(n)[:, None, None]) * 1.0
""",
            hint="classes are the first axis",
        ),
        "is_off_by_one": Wrong(
            ONE_HOT.edit("np.arange(n)", "np.arange(1, n + 1)"), hint="off by one"
        ),
        "indexes_with_255": Wrong(
            """
def one_hot(labels, n):
    return np.eye(n)[labels]
""",
            hint="stopped with IndexError",
        ),
        "calls_keras": Wrong(
            """
def one_hot(labels, n):
    return keras.ops.one_hot(labels, n)
""",
            hint="calls keras",
        ),
    },
    "cross_entropy": {
        "counts_void": Wrong(
            CROSS_ENTROPY.edit("losses[known].mean()", "losses.mean()"),
            hint="void pixels count as class 0",
        ),
        "divides_by_all_pixels": Wrong(
            CROSS_ENTROPY.edit("losses[known].mean()", "losses[known].sum() / labels.size"),
            hint="divide by the number of labelled",
        ),
        "returns_the_sum": Wrong(
            CROSS_ENTROPY.edit("losses[known].mean()", "losses[known].sum()"),
            hint="asks for their mean",
        ),
        "takes_the_softmax_twice": Wrong(
            CROSS_ENTROPY.insert(
                "p = np.exp(p) / np.exp(p).sum(axis=-1, keepdims=True)", before="known ="
            ),
            hint="softmax is applied twice",
        ),
        "forgets_the_minus": Wrong(
            CROSS_ENTROPY.edit("-np.log", "np.log"), hint="the minus sign is missing"
        ),
        "takes_the_logarithm_to_base_10": Wrong(
            CROSS_ENTROPY.edit("-np.log", "-np.log10"), hint="to base 10"
        ),
        "takes_the_logarithm_to_base_2": Wrong(
            CROSS_ENTROPY.edit("-np.log", "-np.log2"), hint="to base 2"
        ),
        "returns_a_loss_per_pixel": Wrong(
            CROSS_ENTROPY.edit("losses[known].mean()", "np.where(known, losses, 0)"),
            hint="2 axes, where a single number is expected",
        ),
        "takes_the_softmax_over_the_rows": Wrong(
            CROSS_ENTROPY.edit("logits - logits.max(axis=-1, keepdims=True)", "logits").edit(
                "e.sum(axis=-1, keepdims=True)", "e.sum(axis=0, keepdims=True)"
            ),
            hint="over the wrong axis",
        ),
        "overflows": Wrong(
            """
def cross_entropy(labels, logits):
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    known = labels != 255
    return -np.log(p[known][np.arange(known.sum()), labels[known]]).mean()
""",
            hint="subtract the largest logit of a pixel",
        ),
    },
    "trained_cae": {
        "is_untrained": Wrong(
            """
keras.utils.set_random_seed(0)
trained_cae = fcn.models.cae()
""",
            hint="Is it trained",
        ),
        "learns_pictures_in_0_to_1": Wrong(
            TRAINED_CAE.edit("fit(pictures, pictures", "fit(pictures, pictures / 255"),
            hint="the target was in another range",
        ),
        "learns_pictures_turned_round": Wrong(
            TRAINED_CAE.edit("fit(pictures, pictures", "fit(pictures, pictures[:, :, ::-1]"),
            hint="is",
        ),
        "learns_exchanged_colours": Wrong(
            TRAINED_CAE.edit("fit(pictures, pictures", "fit(pictures, pictures[..., ::-1]"),
            hint="colours come out swapped",
        ),
        "is_an_fcn": Wrong(
            "trained_cae = fcn.models.fcn_from_cae(fcn.models.cae(), 2)",
            hint="expected (80, 288, 3)",
        ),
        "is_the_history": Wrong("trained_cae = {'loss': [1.0]}", hint="asks for a `keras.Model`"),
    },
    "trained_fcn": {
        "is_untrained": Wrong(
            """
keras.utils.set_random_seed(0)
trained_fcn = fcn.models.fcn_from_cae(fcn.models.cae(), 2)
""",
            hint="trained",
        ),
        "learns_exchanged_classes": Wrong(
            TRAINED_FCN.edit("fit(pictures, labels", "fit(pictures, 1 - labels"),
            hint="road and background are swapped",
        ),
        "ends_in_a_softmax": Wrong(
            TRAINED_FCN.insert(
                "trained_fcn = keras.Sequential([trained_fcn, keras.layers.Softmax()])",
                before="loss =",
            ).edit(
                "fcn.training.segmentation_loss()", "keras.losses.SparseCategoricalCrossentropy()"
            ),
            hint="it gives probabilities",
        ),
        "learns_labels_of_other_pictures": Wrong(
            TRAINED_FCN.edit(
                "fit(pictures, labels", "fit(pictures, np.random.default_rng(0).permutation(labels)"
            ),
            hint="s it trained",
        ),
        "learns_labels_upside_down": Wrong(
            TRAINED_FCN.edit("fit(pictures, labels", "fit(pictures, labels[:, ::-1]"),
            hint="top and bottom swapped",
        ),
        "is_an_autoencoder": Wrong("trained_fcn = fcn.models.cae()", hint="expected (80, 288, 2)"),
        "learns_far_too_fast": Wrong(TRAINED_FCN.edit("3e-3", "30.0"), hint="s it trained"),
    },
}
