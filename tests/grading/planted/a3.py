"""Assignment 3: plausible wrong answers, each with a piece of the hint that it must get."""

DENSE = """
def dense_as_conv(maps, weights, bias, height, width):
    channels, units = maps.shape[2], weights.shape[1]
    kernel = {kernel}
    used = kernel{flip}
    rows, columns = maps.shape[0] - height + {one}, maps.shape[1] - width + {one}
    scores = np.array([[np.tensordot(maps[i : i + height, j : j + width], used, axes=3) + {bias}
                        for j in range(0, columns, {step})] for i in range(0, rows, {step})])
    return {result}
"""


def dense(kernel="weights.reshape(height, width, channels, units)", flip="", one=1, bias="bias", step=1, result="kernel, scores"):
    return DENSE.format(kernel=kernel, flip=flip, one=one, bias=bias, step=step, result=result)


MODEL = """
def fully_convolutional(classifier):
    x = image = keras.Input({image})
    window = (1, 1)
    for layer in classifier.layers[{first}:]:
        if isinstance(layer, keras.layers.Flatten):
            window = layer.input.shape[1:3]
        elif isinstance(layer, keras.layers.Dense):
            weights, bias = layer.get_weights()
            conv = keras.layers.Conv2D(layer.units, window, activation={activation}{more})
            channels = x.shape[-1]
            x = conv(x)
            {copy}
            window = (1, 1)
        else:
            x = layer(x)
    {end}
    return {result}
"""


def model(
    image="(None, None, 3)",
    first=1,
    activation="layer.activation",
    more="",
    copy="conv.set_weights([weights.reshape(conv.kernel.shape), bias])",
    end="pass",
    result="keras.Model(image, x)",
):
    return MODEL.format(image=image, first=first, activation=activation, more=more, copy=copy, end=end, result=result)


LAST = "None if layer is classifier.layers[-1] else layer.activation"

FIELD = """
def receptive_field(layers):
    size, stride, offset = {start}, 1, 0
    for kernel, step, before in {order}:
        {lines}
    return {result}
"""


def field(*lines, start=1, order="layers", result="size, stride, offset"):
    return FIELD.format(start=start, order=order, lines="\n        ".join(lines), result=result)


GROW, MOVE, STEP = "size += (kernel - 1) * stride", "offset -= before * stride", "stride *= step"

SEEN = """
def pixels_seen(image, position, size, stride, offset):
    top, left = ({start} for place in position{order})
    return {result}
"""


def seen(start="offset + stride * place", result="image[max(top, 0) : top + size, max(left, 0) : left + size]", order=""):
    return SEEN.format(start=start, result=result, order=order)


LABELS = """
def scores_to_labels(logits, height, width):
    logits = {before}
    scores = keras.ops.convert_to_numpy(keras.ops.image.resize(logits[None], {size}, interpolation="{how}")[0])
    powers = {powers}
    return {result}
"""


def labels(
    before="logits",
    size="(height, width)",
    how="bilinear",
    powers="np.exp(scores - scores.max(axis=-1, keepdims=True))",
    result="scores.argmax(axis=-1), (powers / powers.sum(axis=-1, keepdims=True)).max(axis=-1)",
):
    return LABELS.format(before=before, size=size, how=how, powers=powers, result=result)


PROBABILITY = "(powers / powers.sum(axis=-1, keepdims=True)).max(axis=-1)"

RESIZED_LABELS = """
def scores_to_labels(logits, height, width):
    coarse = np.float32(logits.argmax(axis=-1))[None, ..., None]
    labels = keras.ops.convert_to_numpy(keras.ops.image.resize(coarse, (height, width), interpolation="bilinear"))[0, ..., 0]
    return np.round(labels).astype(int), np.ones((height, width))
"""

WRONG = {  # task: (what is wrong, the answer's cell, a piece of the hint)
    "dense_as_conv": [
        ("channels first", dense("weights.reshape(channels, height, width, units).transpose(1, 2, 0, 3)"), "side by side"),
        ("folds by column", dense("weights.reshape(width, height, channels, units).transpose(1, 0, 2, 3)"), "row by row"),
        (
            "height and width exchanged",
            "def dense_as_conv(maps, weights, bias, height, width):\n"
            "    return weights.reshape(width, height, maps.shape[2], -1), np.zeros((1, 1, len(bias)))",
            "height and width of the kernel are exchanged",
        ),
        ("units before channels", dense(result="kernel.transpose(0, 1, 3, 2), scores"), "units and channels of the kernel"),
        ("flips the kernel", dense("weights.reshape(height, width, channels, units)[::-1, ::-1]"), "does not flip"),
        ("flips while sliding", dense(flip="[::-1, ::-1]"), "turned round while it slides"),
        ("forgets the bias", dense(bias="0"), "bias is missing"),
        ("adds the bias at each position of the window", dense(bias="height * width * bias"), "added more than once"),
        ("one place short", dense(one=0), "one place too few"),
        ("a single place", dense(result="kernel, scores[:1, :1]"), "only one place"),
        ("adds an activation", dense(result="kernel, np.maximum(scores, 0)"), "no activation"),
        ("returns the scores alone", dense(result="scores"), "return kernel and scores"),
        (
            "calls the package",
            """
def dense_as_conv(maps, weights, bias, height, width):
    layer = keras.layers.Dense(len(bias))
    layer.build((None, len(weights)))
    layer.set_weights([weights, bias])
    conv = fcn.convolutionalize.dense_to_conv(layer, (height, width, maps.shape[2]))
    return conv.get_weights()[0], keras.ops.convert_to_numpy(conv(maps[None]))[0]
""",
            "write that part yourself",
        ),
    ],
    "fully_convolutional": [
        ("keeps the size", model("classifier.input_shape[1:]"), "leave height and width of its input open"),
        ("folds channels first", model(copy="""wide = (channels, *conv.kernel.shape[:2], layer.units)
            conv.set_weights([weights.reshape(wide).transpose(1, 2, 0, 3), bias])"""), "all channels of a position"),
        ("folds by column", model(copy="""tall = (conv.kernel.shape[1], conv.kernel.shape[0], channels, layer.units)
            conv.set_weights([weights.reshape(tall).transpose(1, 0, 2, 3), bias])"""), "reads a map row by row"),
        ("forgets the biases", model(copy="conv.set_weights([weights.reshape(conv.kernel.shape), 0 * bias])"),
         "biases of the dense"),
        ("leaves out the biases", model(more=", use_bias=False", copy="conv.set_weights([weights.reshape(conv.kernel.shape)])"),
         "biases of the dense"),
        ("copies no weights", model(copy="pass"), "holds other weights"),
        ("forgets the activations", model(activation="None", end="x = keras.layers.Softmax()(x)"),
         "between the dense layers is lost"),
        ("ReLU everywhere", model(activation="'softmax' if layer is classifier.layers[-1] else 'relu'"), "another activation"),
        ("forgets the softmax", model(activation=LAST), "softmax is missing"),
        ("takes softmax twice", model(end="x = keras.layers.Softmax()(x)"), "softmax is taken twice"),
        ("softmax over rows", model(activation=LAST, end="x = keras.layers.Softmax(axis=1)(x)"),
         "over places instead of classes"),
        ("pads the window", model(more=", padding='same'"), "is the window padded"),
        ("leaves out the preprocessing", model(first=2), "not preprocessed"),
        ("preprocesses twice", model(end="""once = keras.Model(image, x)
    image = keras.Input((None, None, 3))
    x = once(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(image))"""), "preprocessed twice"),
        ("one answer for all places", model(end="x = keras.layers.GlobalAveragePooling2D()(x)"), "one row of numbers"),
        ("freezes the layers", model(more=", trainable=False"), "frozen"),
        ("returns the tensor", model(result="x"), "wrap it"),
        ("returns the classifier", "def fully_convolutional(classifier):\n    return classifier", "leave height and width"),
        (
            "keeps Flatten",
            """
def fully_convolutional(classifier):
    x = image = keras.Input((None, None, 3))
    for layer in classifier.layers[1:]:
        x = layer(x)
    return keras.Model(image, x)
""",
            "one row of numbers",
        ),
        (
            "calls the package",
            "def fully_convolutional(classifier):\n    return fcn.convolutionalize.convolutionalize(classifier)",
            "write that part yourself",
        ),
    ],
    "receptive_field": [
        ("own stride too early", field(STEP, GROW, MOVE), "counted too early"),
        ("adds whole kernels", field("size += kernel * stride", MOVE, STEP), "k − 1 steps"),
        ("begins at nothing", field(GROW, MOVE, STEP, start=0), "the size begins at 1"),
        ("ignores the strides", field("size += kernel - 1", MOVE, STEP), "strides are left out"),
        ("reads backwards", field(GROW, MOVE, STEP, order="reversed(layers)"), "from the last to the first"),
        ("adds the strides", field(GROW, MOVE, STEP, result="size, sum(s for _, s, _ in layers), offset"), "they multiply"),
        ("gives the last stride", field(GROW, MOVE, STEP, result="size, layers[-1][1] if layers else 1, offset"),
         "last layer alone"),
        ("offset positive", field(GROW, "offset += before * stride", STEP), "wrong sign"),
        ("offset without strides", field(GROW, "offset -= before", STEP), "positions of its own layer"),
        ("offset too early", field(GROW, STEP, MOVE), "too early for the offset"),
        ("no offset", field(GROW, STEP), "left out of the offset"),
        ("offset of the centre", field(GROW, MOVE, STEP, result="size, stride, offset + (size - 1) / 2"), "that of the centre"),
        ("no offset returned", field(GROW, MOVE, STEP, result="size, stride"), "2 parts"),
    ],
    "pixels_seen": [
        ("one short", seen(result="image[max(top, 0) : top + size - 1, max(left, 0) : left + size - 1]"), "last row and column"),
        ("one too many", seen(result="image[max(top, 0) : top + size + 1, max(left, 0) : left + size + 1]"), "too many"),
        ("row and column exchanged", seen(order="[::-1]"), "row and column of the position are exchanged"),
        ("forgets the offset", seen("stride * place"), "offset is left out"),
        ("subtracts the offset", seen("stride * place - offset"), "wrong sign"),
        ("windows side by side", seen("offset + size * place"), "may overlap"),
        ("forgets the stride", seen("offset + place"), "stride is left out"),
        ("scales the offset", seen("(offset + place) * stride"), "multiplied by the stride"),
        ("negative start", seen(result="image[top : top + size, left : left + size]"), "counts from the end"),
        ("moves the window inside", seen(result="image[max(top, 0) :, max(left, 0) :][:size, :size]"), "moved into the image"),
        ("fills with zeros", seen(result="np.pad(image, ((99, 99), (99, 99), (0, 0)))[99 + top :, 99 + left :][:size, :size]"),
         "filled up"),
    ],
    "scores_to_labels": [
        ("resizes labels bilinearly", RESIZED_LABELS, "class numbers were resized bilinearly"),
        ("repeats the scores", labels(how="nearest"), "staircases"),
        ("argmax over rows", labels(result=f"scores.argmax(axis=0), {PROBABILITY}"), "the wrong axis: the classes"),
        ("height and width exchanged", labels(size="(width, height)"), "height and width are exchanged"),
        ("softmax before resizing",
         labels("np.float32(keras.ops.softmax(logits))", result="scores.argmax(axis=-1), scores.max(axis=-1)"),
         "probabilities were resized"),
        ("takes the lowest", labels(result=f"scores.argmin(axis=-1), {PROBABILITY}"), "highest wins"),
        ("counts from 1", labels(result=f"scores.argmax(axis=-1) + 1, {PROBABILITY}"), "counted from 0"),
        ("leaves the map coarse", labels(result=f"logits.argmax(axis=-1), {PROBABILITY}"), "still coarse"),
        ("no softmax", labels(result="scores.argmax(axis=-1), scores.max(axis=-1)"), "softmax is missing"),
        ("softmax over rows",
         labels(powers="np.exp(scores - scores.max(axis=0))",
                result="scores.argmax(axis=-1), (powers / powers.sum(axis=0)).max(axis=-1)"),
         "over the wrong axis"),
        ("softmax over all",
         labels(powers="np.exp(scores - scores.max())", result="scores.argmax(axis=-1), (powers / powers.sum()).max(axis=-1)"),
         "over the wrong axis"),
        ("softmax twice", labels(result="scores.argmax(axis=-1), np.max(keras.ops.softmax(keras.ops.softmax(scores)), axis=-1)"),
         "softmax is taken twice"),
        ("overflows", labels(powers="np.exp(scores)"), "overflows"),
        ("all probabilities", labels(result="scores.argmax(axis=-1), powers / powers.sum(axis=-1, keepdims=True)"),
         "only the probability"),
        ("labels alone", labels(result="scores.argmax(axis=-1)"), "return labels and probability"),
        (
            "calls the package",
            """
def scores_to_labels(logits, height, width):
    image = keras.Input((None, None, logits.shape[-1]))
    model = keras.Model(image, keras.layers.UpSampling2D(2)(image))
    labels = fcn.prediction.segment(model, logits)
    return labels, labels
""",
            "write that part yourself",
        ),
    ],
}  # fmt: skip
