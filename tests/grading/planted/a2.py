"""Assignment 2: plausible wrong answers, each with a piece of the hint that it must get."""

CAE = """
def build_cae(widths):
    image = keras.Input({shape})
    x = {start}
    for level, width in enumerate(widths, start=1):
        x = keras.layers.Conv2D(width, 3, strides={stride}, padding={padding!r}, activation={activation!r}, name=f"conv{{level}}")(x)
    for level, width in enumerate({up}, start=1):
        x = keras.layers.Conv2DTranspose(width, {kernel}, strides=2, padding="same", activation="relu", name=f"up{{level}}")(x)
    x = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation={last!r}, name="output")(x)
    {extra}
    return {returned}
"""
FCN = """
def build_fcn(autoencoder, num_classes):
    x = image = keras.Input((None, None, 3))
    for layer in autoencoder.layers:
        if layer.name == "from_pixels" or layer.name.startswith(("conv", "up")):
            {copy}
            x = copy(x)
            {weights}
    x = keras.layers.Conv2DTranspose({channels}, 4, strides=2, padding="same", activation={last!r}, name={name!r})(x)
    return keras.Model(image, {end})
"""
LOSS = """
def cross_entropy(labels, logits):
    {first}
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    {second}
    known = labels != 255
    losses = {log}(np.take_along_axis(p, np.where(known, labels, 0)[..., None].astype(int), -1)[..., 0] + 1e-30)
    return {returned}
"""
TRAIN = """
keras.utils.set_random_seed(0)
trained_cae = {model}
trained_cae.compile(keras.optimizers.Adam(3e-3), "mean_squared_error", jit_compile=False)
trained_cae.fit({inputs}, {targets}, batch_size=4, epochs={epochs}, verbose=0)
"""
SEGMENT = """
keras.utils.set_random_seed(0)
trained_fcn = {model}
trained_fcn.compile(keras.optimizers.Adam(3e-3), {loss}, jit_compile=False)
trained_fcn.fit({inputs}, {targets}, batch_size=4, epochs={epochs}, verbose=0)
"""


def cae(**changes):
    usual = {
        "shape": "(None, None, 3)", "start": "keras.layers.Rescaling(1 / 255)(image)", "stride": 2, "padding": "same", "activation": "relu",
        "up": "reversed(widths[:-1])", "kernel": 4, "last": None, "extra": "pass", "returned": "keras.Model(image, keras.layers.Rescaling(255.0)(x))",
    }  # fmt: skip
    return CAE.format(**usual | changes)


def fcn(**changes):
    usual = {
        "copy": "copy = type(layer).from_config(layer.get_config())", "weights": "copy.set_weights(layer.get_weights())",
        "channels": "num_classes", "last": None, "name": "output", "end": "x",
    }  # fmt: skip
    return FCN.format(**usual | changes)


def loss(first="pass", second="pass", log="-np.log", returned="losses[known].mean()"):
    return LOSS.format(first=first, second=second, log=log, returned=returned)


def trained(model="fcn.models.cae()", inputs="pictures", targets="pictures", epochs=4):
    return TRAIN.format(model=model, inputs=inputs, targets=targets, epochs=epochs)


def segmented(**changes):
    usual = {
        "model": "fcn.models.fcn_from_cae(fcn.models.cae(), 2)", "loss": "fcn.training.segmentation_loss()", "inputs": "pictures",
        "targets": "labels", "epochs": 4,
    }  # fmt: skip
    return SEGMENT.format(**usual | changes)


WRONG = {  # task: (what is wrong, the answer's cell, a piece of the hint)
    "build_cae": [
        ("no scaling down", cae(start="image"), "not brought to 0–1"),
        ("no scaling up", cae(returned="keras.Model(image, x)"), "back to 0–255, is missing"),
        ("no scaling at all", cae(start="image", returned="keras.Model(image, x)"), "build_cae"),
        ("no stride", cae(stride=1), "`conv1`: look at its strides"),
        ("VALID", cae(padding="valid"), "`conv1`: look at its padding"),
        ("no activation", cae(activation=None), "`conv1` has the activation linear"),
        ("the widths not reversed", cae(up="widths[:-1]"), "`up1`: look at its filters"),
        ("a stage too many", cae(up="reversed(widths)"), "up3 is not expected"),
        ("kernel 3 on the way up", cae(kernel=3), "`up1`: look at its kernel size"),
        ("ReLU at the end", cae(last="relu"), "`output` has a ReLU"),
        ("a dense layer", cae(returned="keras.Model(image, keras.layers.Dense(3)(x))"), "ties the network to one size"),
        ("one size", cae(shape="(64, 64, 3)"), "one size only"),
        ("gives the tensor", cae(returned="x"), "the tensor that comes out of a layer"),
        ("a Lambda", cae(returned="keras.Model(image, keras.layers.Lambda(lambda t: 255 * t)(x))"), "which no other computer can load"),
        ("the package's own", "build_cae = lambda widths: fcn.models.cae(widths=widths)", "calls fcn_keras (cae)"),
    ],
    "build_fcn": [
        ("a softmax", fcn(last="softmax"), "there is a softmax at the end"),
        ("three channels", fcn(channels=3), "still has 3 channels"),
        ("still to 255", fcn(end="keras.layers.Rescaling(255.0)(x)"), "logits are not colours"),
        ("weights not taken over", fcn(weights="pass"), "does not start from the autoencoder's weights"),
        ("a channel for void", fcn(channels="num_classes + 1"), "`output`: look at its filters"),
        ("another name", fcn(name="scores"), "there is no layer called output"),
        ("the package's own", "build_fcn = fcn.models.fcn_from_cae", "calls fcn_keras (fcn_from_cae)"),
        ("frozen", fcn(copy="copy = type(layer).from_config(layer.get_config() | {'trainable': False})"), "some layer is frozen"),
    ],
    "one_hot": [
        ("void is class 0", "def one_hot(labels, n):\n    return np.eye(n)[np.where(labels == 255, 0, labels)]", "void counts as class 0"),
        ("void is the last class", "def one_hot(labels, n):\n    return np.eye(n)[np.minimum(labels, n - 1)]", "void counts as the last class"),
        ("classes first", "def one_hot(labels, n):\n    return (labels[None] == np.arange(n)[:, None, None]) * 1.0", "classes are the first axis"),
        ("off by one", "def one_hot(labels, n):\n    return (labels[..., None] == np.arange(1, n + 1)) * 1.0", "off by one"),
        ("indexes with 255", "def one_hot(labels, n):\n    return np.eye(n)[labels]", "stopped with IndexError"),
        ("Keras' own", "def one_hot(labels, n):\n    return keras.ops.one_hot(labels, n)", "calls keras"),
    ],
    "cross_entropy": [
        ("void counted", loss(returned="losses.mean()"), "void pixels count as class 0"),
        ("divided by all", loss(returned="losses[known].sum() / labels.size"), "divide by the number of labelled"),
        ("summed", loss(returned="losses[known].sum()"), "the mean is asked for"),
        ("softmax doubled", loss(second="p = np.exp(p) / np.exp(p).sum(axis=-1, keepdims=True)"), "softmax is applied twice"),
        ("no minus", loss(log="np.log"), "the minus is missing"),
        ("base 10", loss(log="-np.log10"), "to the base 10"),
        ("base 2", loss(log="-np.log2"), "to the base 2"),
        ("one a pixel", loss(returned="np.where(known, losses, 0)"), "2 axes, where a single number is expected"),
        ("softmax over the rows", loss(first="e0 = np.exp(logits)", second="p = e0 / e0.sum(axis=0, keepdims=True)"), "over the wrong axis"),
        ("overflows", """
def cross_entropy(labels, logits):
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    known = labels != 255
    return -np.log(p[known][np.arange(known.sum()), labels[known]]).mean()
""", "take the largest logit of a pixel off"),
    ],
    "trained_cae": [
        ("untrained", "keras.utils.set_random_seed(0)\ntrained_cae = fcn.models.cae()", "Is it trained"),
        ("target in 0–1", trained(targets="pictures / 255"), "the target was in another range"),
        ("target turned round", trained(targets="pictures[:, :, ::-1]"), "is"),
        ("colours exchanged", trained(targets="pictures[..., ::-1]"), "colours come out exchanged"),
        ("an FCN", "trained_cae = fcn.models.fcn_from_cae(fcn.models.cae(), 2)", "expected (80, 288, 3)"),
        ("the history", "trained_cae = {'loss': [1.0]}", "a `keras.Model` is asked for"),
    ],
    "trained_fcn": [
        ("untrained", "keras.utils.set_random_seed(0)\ntrained_fcn = fcn.models.fcn_from_cae(fcn.models.cae(), 2)", "trained"),
        ("classes exchanged", segmented(targets="1 - labels"), "road and background are exchanged"),
        ("a softmax too", segmented(model="keras.Sequential([fcn.models.fcn_from_cae(fcn.models.cae(), 2), keras.layers.Softmax()])",
                                    loss="keras.losses.SparseCategoricalCrossentropy()"), "it gives probabilities"),
        ("labels of other pictures", segmented(targets="np.random.default_rng(0).permutation(labels)"), "s it trained"),
        ("labels upside down", segmented(targets="labels[:, ::-1]"), "top and bottom exchanged"),
        ("an autoencoder", "trained_fcn = fcn.models.cae()", "expected (80, 288, 2)"),
        ("a rate far too high", segmented().replace("3e-3", "30.0"), "s it trained"),
    ],
}  # fmt: skip
