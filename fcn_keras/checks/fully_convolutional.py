"""Assignment 3, fully convolutional (L14, L15, L17).

Dense layers as convolutions, receptive fields, and a label for every pixel.
"""

import keras
import numpy as np

from fcn_keras.checks.hints import PACKAGES, NotYet, as_array, as_model, ask, check, compare
from fcn_keras.checks.networks import untrained_weights
from fcn_keras.convolutionalize import convolutionalize


@check
def dense_as_conv(answer, seed):
    """`dense_as_conv(maps, weights, bias, height, width)`: a dense layer as a convolution (L14).

    In NumPy. The dense layer was made for maps of height × width; `maps`, (H, W, C), may be
    larger. Returned are its kernel, (h, w, C, units), and the scores that the kernel gives.
    """
    draw = np.random.default_rng(seed)
    # height and width of the window, channels, units, rows and columns by which the maps are larger
    cases = [(2, 3, 2, 5, 7, 4), (3, 2, 4, 3, 2, 5)]
    cases.append(draw.integers([1, 4, 2, 2, 0, 0], [4, 6, 5, 7, 4, 5]).tolist())
    for height, width, channels, units, rows, columns in cases:
        maps = draw.normal(size=(height + rows, width + columns, channels))
        weights, bias = draw.normal(size=(height * width * channels, units)), 1 + draw.random(units)
        answered = ask(answer, maps, weights, bias, height, width, without=PACKAGES)
        got = _parts(answered, ("kernel", "scores"))
        kernel = weights.reshape(height, width, channels, units)
        compare(
            got[0],
            kernel,
            what=f"the kernel for a window of {height} × {width} and {channels} channels",
            axes=("height", "width", "channels", "units"),
            mistakes=_wrong_kernels(kernel),
        )
        size = f"{maps.shape[0]} × {maps.shape[1]}"
        compare(
            got[1],
            _slide(maps, kernel) + bias,
            what=f"the scores for maps of {size} and a window of {height} × {width}",
            axes=("height", "width", "units"),
            mistakes=_wrong_scores(maps, kernel, bias),
        )
    return "On maps of its own size the window fits once; on larger ones it is used at every place."


def _wrong_kernels(kernel):
    height, width, channels, units = kernel.shape
    weights = kernel.reshape(-1, units)
    return [
        (
            "the kernel is folded as if the row held one channel after the other. Flatten writes "
            "all channels of a position side by side.",
            weights.reshape(channels, height, width, units).transpose(1, 2, 0, 3),
        ),
        (
            "the kernel is folded column by column. Flatten reads a map row by row.",
            weights.reshape(width, height, channels, units).transpose(1, 0, 2, 3),
        ),
        (
            "height and width of the kernel are swapped.",
            weights.reshape(width, height, channels, units),
        ),
        (
            "units and channels of the kernel are swapped: its axes are height, width, channels, "
            "units.",
            kernel.transpose(0, 1, 3, 2),
        ),
        (
            "the kernel is flipped; the convolution of a network does not flip it.",
            kernel[::-1, ::-1],
        ),
    ]


def _wrong_scores(maps, kernel, bias):
    """Wrong scores of a dense layer that slides."""
    height, width = kernel.shape[:2]
    right = _slide(maps, kernel) + bias
    one_place = (
        "only one place has a score. On larger maps each place where the window fits has one."
    )
    return [
        ("the bias is missing from the scores.", right - bias),
        (
            "the bias is added more than once: it belongs to a place, not to each number under the "
            "window.",
            right + bias * (height * width - 1),
        ),
        ("the kernel is flipped while it slides.", _slide(maps, kernel[::-1, ::-1]) + bias),
        (one_place, right[0, 0]),
        (one_place, right[:1, :1]),
        (
            "one place too few in each direction: at how many places does a window of 3 fit in a "
            "row of 3?",
            right[:-1, :-1],
        ),
        (
            "the window jumps by its own size. A convolution with stride 1 moves by one position.",
            right[::height, ::width],
        ),
        (
            "negative scores are cut to 0. This layer has no activation: its scores are plain "
            "weighted sums.",
            np.maximum(right, 0),
        ),
    ]


def _slide(maps, kernel):
    """The weighted sum at each place where the kernel fits: (rows, columns, units)."""
    windows = np.lib.stride_tricks.sliding_window_view(maps, kernel.shape[:2], axis=(0, 1))
    return np.einsum("ijchw,hwcu->iju", windows, kernel)


@check
def fully_convolutional(answer, seed):
    """`fully_convolutional(classifier)`: the same classifier for images of any size (L14, L15).

    It gives one answer for each place.
    """
    draw = np.random.default_rng(seed)
    for simple in (True, False):
        classifier = _classifier(draw, simple)
        height, width = classifier.input_shape[1:3]
        images = draw.uniform(0, 255, (2, height + 32, width + 48, 3)).astype("float32")
        small = images[:, :height, :width]
        before = _outputs(classifier, small)[:, None, None]
        after = _outputs(convolutionalize(classifier), images)
        trained = len(classifier.trainable_weights)
        answered = ask(answer, classifier, without=("fcn_keras.convolutionalize",))
        model = as_model(answered, "the answer")
        _require_any_size(model)
        _compare_outputs(model, classifier, small, before, "the classifier's own size")
        _compare_outputs(model, classifier, images, after, "a larger image")
        if not np.allclose(_outputs(classifier, small)[:, None, None], before, atol=1e-5):
            raise NotYet(
                "the classifier itself has changed: build new layers, and only read from its own."
            )
        if len(model.trainable_weights) < trained:
            raise NotYet(
                "some layers of your model are frozen. It should train as the classifier does: "
                "leave `trainable` as it is."
            )
        if untrained := untrained_weights(model, images.shape[1:], seed):
            raise NotYet(f"no gradient reaches {untrained[0]}: training would leave it unchanged.")
    return "The same numbers, and no image size is written into the model any more."


def _require_any_size(model):
    if tuple(model.input_shape[1:]) != (None, None, 3):
        raise NotYet(
            f"your model takes {model.input_shape[1:]}: leave height and width of its input open, "
            "with None."
        )
    if len(model.output_shape) == 2:
        raise NotYet(
            "your model gives one row of numbers for a whole image. Use no Flatten and no global "
            "pooling: each place has its own answer."
        )


def _compare_outputs(model, classifier, images, want, what):
    """Compares what a student's model gives with what the classifier gives, place by place."""
    size = f"{images.shape[1]} × {images.shape[2]}"
    try:
        outputs = _outputs(model, images)
    except Exception as error:
        raise NotYet(f"your model stops at {what} ({size}): {str(error)[:200]}") from None
    flattened = _flatten(classifier).input.shape[1:3]
    if want.shape[1:3] == (1, 1) and outputs.shape[1:3] == flattened != (1, 1):
        raise NotYet(
            f"on an image of the classifier's own size there are {flattened[0]} × {flattened[1]} "
            "answers, and there should be one: is the window padded? It must lie only where it "
            "fits."
        )
    compare(
        outputs,
        want,
        what=f"the answer to {what} ({size})",
        tolerance=1e-3,
        axes=("height", "width", "classes"),
        mistakes=_wrong_outputs(model, classifier, images),
    )


def _classifier(draw, simple: bool) -> keras.Model:
    """A chain of Rescaling, Conv2D, MaxPooling2D, Flatten and Dense.

    It is not square, its biases are not zero, and its window is not 1 × 1. Its layers have names:
    a grader makes it in another process, where Keras counts "conv2d" from the start too.
    """
    if simple:
        rows, columns, pools = 2, 3, 2
    else:
        rows, columns = draw.choice([2, 3, 4], 2, replace=False).tolist()
        pools = int(draw.integers(2, 4))
    x = image = keras.Input((rows * 2**pools, columns * 2**pools, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="given_scaling")(x)
    for level in range(pools):
        name = f"given_conv{level}"
        x = keras.layers.Conv2D(4 + level, 3, padding="same", activation="relu", name=name)(x)
        x = keras.layers.MaxPooling2D(2, name=f"given_pool{level}")(x)
    x = keras.layers.Flatten(name="given_flatten")(x)
    for number in range(1 if simple else int(draw.integers(1, 3))):
        units, activation = (7, "relu") if simple else (int(draw.integers(5, 10)), "tanh")
        x = keras.layers.Dense(units, activation=activation, name=f"given_dense{number}")(x)
    classes = 4 if simple else int(draw.integers(3, 7))
    last = keras.layers.Dense(classes, activation="softmax", name="given_probabilities")
    model = keras.Model(image, last(x))
    for layer in model.layers:
        if layer.weights:
            shape, units = layer.kernel.shape, layer.bias.shape  # (…, units) and (units,)
            kernel = draw.normal(0, 1.4 / np.sqrt(np.prod(shape[:-1])), shape)
            layer.set_weights([kernel, draw.uniform(0.2, 0.6, units)])
    return model


def _flatten(classifier):
    """Its Flatten layer."""
    return next(one for one in classifier.layers if isinstance(one, keras.layers.Flatten))


def _outputs(model, images) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(images)))


def _head(classifier, images, fold=np.reshape, bias=1.0, hidden=None):
    """The logits of a sliding classifier in NumPy, right or with a mistake.

    Args:
        classifier: As `_classifier` makes it.
        images: (images, H, W, 3), 0–255.
        fold: Makes a kernel (h, w, channels, units) of a dense layer's weights.
        bias: Factor of the biases.
        hidden: Activation between the dense layers; `None`: each layer's own.

    Returns:
        (images, rows, columns, classes).
    """
    flatten = _flatten(classifier)
    x = images.astype("float64")
    for layer in classifier.layers[1 : classifier.layers.index(flatten)]:
        x = layer(x)
    x = np.asarray(keras.ops.convert_to_numpy(x), "float64")
    shape = flatten.input.shape[1:]
    dense = [layer for layer in classifier.layers if isinstance(layer, keras.layers.Dense)]
    for layer in dense:
        weights, biases = layer.get_weights()
        kernel = fold(weights, (*shape, layer.units))
        x = np.stack([_slide(maps, kernel) for maps in x]) + bias * biases
        shape = (1, 1, layer.units)
        if layer is not dense[-1]:
            x = hidden(x) if hidden else keras.ops.convert_to_numpy(layer.activation(x))
    return x


def _wrong_outputs(model, classifier, images):
    """Wrong outputs of a classifier that slides; computed only when `compare` asks for them."""

    def by_channel(weights, shape):
        height, width, channels, units = shape
        return weights.reshape(channels, height, width, units).transpose(1, 2, 0, 3)

    def by_column(weights, shape):
        height, width, channels, units = shape
        return weights.reshape(width, height, channels, units).transpose(1, 0, 2, 3)

    def probabilities(images=images, **mistake):
        return _softmax(_head(classifier, images, **mistake))

    logits = _head(classifier, images)
    over_places = "softmax runs over places: at each place, the classes should add up to 1."
    folded = "the first dense layer's weights are folded in the wrong order:"
    yield from [
        ("the last softmax is missing: the classifier gives probabilities, not logits.", logits),
        ("softmax is taken twice at the end.", _softmax(_softmax(logits))),
        (over_places, _softmax(logits, 1)),
        (over_places, _softmax(logits, 2)),
        ("the activation between the dense layers is missing.", probabilities(hidden=lambda x: x)),
        (
            "a hidden layer has ReLU where the classifier has another activation: take each "
            "layer's own.",
            probabilities(hidden=lambda x: np.maximum(x, 0)),
        ),
        ("the biases of the dense layers are missing.", probabilities(bias=0)),
        (
            f"{folded} Flatten writes all channels of a position side by side.",
            probabilities(fold=by_channel),
        ),
        (f"{folded} Flatten reads a map row by row.", probabilities(fold=by_column)),
        (
            "the pixels are not preprocessed: the classifier's first layer, Rescaling, is missing.",
            probabilities(127.5 * (images + 1)),
        ),
        ("the pixels are preprocessed twice.", probabilities(images / 127.5 - 1)),
        (
            "your model holds other weights than the classifier. Copy every weight and every bias.",
            _outputs(model, images) if not _same_weights(model, classifier) else np.zeros(0),
        ),
    ]


def _same_weights(model, other) -> bool:
    """Whether two models hold the same numbers, in whatever order and shape."""
    first, second = (
        np.sort(np.concatenate([np.ravel(w) for w in one.get_weights()])) for one in (model, other)
    )
    return first.shape == second.shape and np.allclose(first, second)


@check
def receptive_field(answer, seed):
    """`receptive_field(layers)`: size, stride and offset of the field, by hand (L15).

    The layers are a list of (kernel, stride, padding before).
    """
    draw = np.random.default_rng(seed)
    drawn = [[_layer(draw) for _ in range(number)] for number in range(1, 9)]
    given = [[(5, 3, 2), (3, 2, 1), (2, 2, 0)], [(3, 1, 1), (2, 2, 0)] * 3, [(4, 3, 1)], []]
    for layers in [*given, *drawn]:
        answered = ask(answer, list(layers), without=PACKAGES)
        got = _parts(answered, ("size", "stride", "offset"))
        size, stride, offset = _field(layers)
        behind = f"behind {layers}" if len(layers) < 5 else f"behind {len(layers)} layers"
        compare(got[0], size, what=f"the size {behind}", mistakes=_wrong_sizes(layers))
        compare(got[1], stride, what=f"the stride {behind}", mistakes=_wrong_strides(layers))
        compare(got[2], offset, what=f"the offset {behind}", mistakes=_wrong_offsets(layers))
    return "Each layer adds kernel − 1 steps, and the steps grow with the strides before it."


def _wrong_sizes(layers):
    size = _field(layers)[0]
    own_stride, backwards = _field(layers, own_stride=True)[0], _field(layers[::-1])[0]
    kernels = [kernel for kernel, _, _ in layers]
    return [
        (
            "a layer's own stride is counted too early: its kernel lies on the map before it, "
            "whose positions are as far apart as the earlier strides say.",
            own_stride,
        ),
        (
            "a kernel of k adds k − 1 steps, not k: its first pixel was counted before.",
            1 + sum(_steps(layers, 0)),
        ),
        ("one too small: a pixel sees itself, so the size begins at 1.", size - 1),
        ("one too large: a pixel sees itself and no more.", size + 1),
        (
            "the strides are left out: behind a stride of 2, neighbouring positions are 2 image "
            "pixels apart.",
            1 + sum(kernel - 1 for kernel in kernels),
        ),
        ("the layers are read from the last to the first.", backwards),
        ("the kernels are multiplied: each layer adds to the size.", int(np.prod(kernels))),
    ]


def _wrong_strides(layers):
    strides = [stride for _, stride, _ in layers]
    return [
        ("the strides are added: multiply them.", sum(strides)),
        ("the strides are added: multiply them.", 1 + sum(stride - 1 for stride in strides)),
        (
            "the stride is that of the last layer alone: how many image pixels lie between two "
            "positions?",
            [1, *strides][-1],
        ),
        ("the stride of the last layer is left out.", int(np.prod(strides[:-1]))),
    ]


def _wrong_offsets(layers):
    size, _, offset = _field(layers)
    centre = "that is the centre; the offset is the first pixel that position 0 sees."
    return [
        ("the offset has the wrong sign: padding begins before pixel 0.", -offset),
        (
            "padding is counted in positions of its own layer; count it in pixels of the image.",
            -sum(before for _, _, before in layers),
        ),
        (
            "a layer's own stride is counted too early for the offset: its padding lies on the map "
            "before it.",
            _field(layers, own_stride=True)[2],
        ),
        (centre, offset + (size - 1) / 2),
        (centre, offset + size // 2),
        ("the padding is left out of the offset.", 0),
    ]


def _layer(draw) -> tuple[int, int, int]:
    """Kernel, stride, and padding of at most half the kernel."""
    kernel = int(draw.integers(1, 8))
    return kernel, int(draw.integers(1, 4)), int(draw.integers(0, kernel // 2 + 1))


def _field(layers, own_stride: bool = False) -> tuple[int, int, int]:
    """Size, stride and offset; wrong if each layer's own stride counts for its own kernel."""
    padding = [(before, stride, 0) for _, stride, before in layers]
    stride = int(np.prod([stride for _, stride, _ in layers]))
    return (1 + sum(_steps(layers, 1, own_stride)), stride, -sum(_steps(padding, 0, own_stride)))


def _steps(layers, less: int, own_stride: bool = False) -> list[int]:
    """What each layer adds to a size in pixels: (kernel − less) times the strides before it."""
    strides = np.cumprod([1, *(stride for _, stride, _ in layers)]).tolist()
    if own_stride:
        strides = strides[1:]
    return [(layer[0] - less) * step for layer, step in zip(layers, strides)]


@check
def pixels_seen(answer, seed):
    """`pixels_seen(image, position, size, stride, offset)`: what one position sees (L15)."""
    draw = np.random.default_rng(seed)
    # position, size, stride, offset
    cases: list[tuple] = [
        ((3, 2), 9, 4, -2),
        ((0, 0), 10, 4, -3),
        ((6, 8), 12, 4, -3),
        ((0, 5), 9, 3, -4),
    ]
    cases.append(((2, 1), 60, 5, -20))
    for _ in range(6):
        size, stride = draw.integers([3, 2], [16, 6]).tolist()
        offset = -int(draw.integers(0, size // 2 + 1))
        position = tuple(int(draw.integers(0, (n - 1) // stride)) for n in (29, 41))
        cases.append((position, size, stride, offset))
    for position, size, stride, offset in cases:
        image = draw.integers(0, 256, (29, 41, 3)).astype("uint8")
        field = f"size {size}, stride {stride}, offset {offset}"
        compare(
            ask(answer, image, position, size, stride, offset, without=PACKAGES),
            _window(image, position, size, stride, offset),
            what=f"what position {position} sees in an image of 29 × 41 with {field}",
            mistakes=_wrong_windows(image, position, size, stride, offset),
        )
    return "Neighbouring positions share most of their pixels; a convolution does that work once."


def _window(image, position, size, stride, offset):
    """What a position sees, without what lies outside the image."""
    starts = [place * stride + offset for place in position]
    return image[tuple(slice(max(start, 0), max(start + size, 0)) for start in starts)]


def _wrong_windows(image, position, size, stride, offset):
    """Wrong windows; the first three differ from the right one only at the border."""
    top, left = (place * stride + offset for place in position)
    moved = image[max(top, 0) :, max(left, 0) :][:size, :size]
    swapped = _window(image, position[::-1], size, stride, offset)
    return [
        (
            "a window that begins before the image goes wrong: a negative start of a slice counts "
            "from the end. Where should it begin instead?",
            image[top : top + size, left : left + size],
        ),
        (
            "the window is moved into the image: leave it in place and cut away what lies outside.",
            moved,
        ),
        (
            "what lies outside the image is filled up. That is padding, not pixels: cut it away.",
            _filled(image, top, left, size),
        ),
        (
            "the last row and column are missing. A slice ends just before its stop.",
            _window(image, position, size - 1, stride, offset),
        ),
        (
            "one row and one column too many. A slice ends just before its stop.",
            _window(image, position, size + 1, stride, offset),
        ),
        ("row and column of the position are swapped: rows are the first axis.", swapped),
        ("the offset is left out.", _window(image, position, size, stride, 0)),
        (
            "the offset has the wrong sign: a negative one begins before pixel 0.",
            _window(image, position, size, stride, -offset),
        ),
        (
            "your windows lie side by side. The next position is one stride away, so windows may "
            "overlap.",
            _window(image, position, size, size, offset),
        ),
        (
            "the stride is left out: position 3 begins three strides from position 0, not three "
            "pixels.",
            _window(image, position, size, 1, offset),
        ),
        (
            "the offset is multiplied by the stride; it is already in pixels of the image.",
            _window(image, position, size, stride, offset * stride),
        ),
        (
            "the window is centred on its position: it begins at offset + stride · position.",
            _window(image, position, size, stride, -(size // 2)),
        ),
    ]


def _filled(image, top, left, size):
    """A window with zeros where it lies outside the image."""
    padded = np.pad(image, ((99, 99), (99, 99), (0, 0)))
    return padded[99 + top :, 99 + left :][:size, :size]


@check
def scores_to_labels(answer, seed):
    """`scores_to_labels(logits, height, width)`: classes and probabilities at image size (L17)."""
    draw = np.random.default_rng(seed)
    # rows, columns and classes of the scores, height and width of the image
    sizes = [[4, 6, 5, 37, 50]]
    sizes += [draw.integers([3, 4, 3, 20, 50], [7, 9, 7, 49, 70]).tolist() for _ in range(2)]
    for number, (rows, columns, classes, height, width) in enumerate(sizes):
        scale = 600 if number == 2 else 2  # e to the power of a large logit overflows
        logits = draw.normal(0, scale, (rows, columns, classes)).astype("float32")
        answered = ask(answer, logits, height, width, without=("fcn_keras",))
        got = _parts(answered, ("labels", "probability"))
        scores = _resized(logits, height, width)
        compare(
            _without_ties(got[0], scores, 1e-4 * scale),
            scores.argmax(-1),
            what=f"the label map for {rows} × {columns} places and {height} × {width} pixels",
            mistakes=_wrong_labels(logits, scores),
        )
        if not np.isfinite(as_array(got[1], "the probability map")).all():
            raise NotYet(
                "probabilities of large logits are NaN or infinite: e to a large power overflows. "
                "A softmax does not change when you subtract the same number from all logits of a "
                "pixel. Which number helps?"
            )
        compare(
            got[1],
            _softmax(scores).max(-1),
            what="the probability map",
            tolerance=5e-3,
            mistakes=_wrong_probabilities(logits, scores),
        )
    return "Scores are interpolated; classes never are."


def _without_ties(labels, scores, tie):
    """The right labels for those that are right wherever rounding does not decide."""
    labels = as_array(labels, "labels")
    first, second = np.moveaxis(np.sort(scores, -1)[..., :-3:-1], -1, 0)
    clear, right = first - second >= tie, scores.argmax(-1)
    if labels.shape == right.shape and np.array_equal(labels[clear], right[clear]):
        return right
    return labels


def _wrong_labels(logits, scores):
    """Wrong label maps; computed only when `compare` asks for them."""
    (height, width), (rows, columns) = scores.shape[:2], logits.shape[:2]
    coarse = logits.argmax(-1)
    repeated = coarse[np.arange(height) * rows // height][:, np.arange(width) * columns // width]
    mixed = _resized(coarse[..., None].astype("float32"), height, width)[..., 0]
    staircases = (
        "the class is chosen before the scores are interpolated, or the scores are only repeated: "
        "edges become staircases. Resize the scores bilinearly, then choose."
    )
    mixture = (
        "class numbers are resized bilinearly: between class 1 and class 3 that puts class 2. "
        "Resize the scores, then choose."
    )
    wrong_axis = "the class is chosen along the wrong axis: the classes are the last one."
    swapped = "height and width are swapped: the size of an image is height first."
    yield from [
        (mixture, mixed),
        (mixture, mixed.round()),
        (mixture, np.trunc(mixed)),
        (staircases, _resized(logits, height, width, "nearest").argmax(-1)),
        (staircases, repeated),
        (PROBABILITIES_RESIZED, _resized_probabilities(logits, scores).argmax(-1)),
        (wrong_axis, scores.argmax(0)),
        (wrong_axis, scores.argmax(1)),
        (swapped, _resized(logits, width, height).argmax(-1)),
        (swapped, scores.argmax(-1).T),
        ("the lowest score is chosen; the highest wins.", scores.argmin(-1)),
        ("classes are counted from 0, as in every label map here.", scores.argmax(-1) + 1),
        (
            "the labels are still coarse: one for each place of the score map, where each pixel of "
            "the image needs one.",
            coarse,
        ),
        ("you return all scores; a label map has one class number per pixel.", scores),
        (
            "the corner scores lie on the corners of the image: each score belongs to the middle "
            "of its block of pixels.",
            _corners(logits, height, width).argmax(-1),
        ),
    ]


PROBABILITIES_RESIZED = (
    "the probabilities are resized: resize the logits, as the network does, and take the softmax "
    "at the end."
)


def _wrong_probabilities(logits, scores):
    """Wrong probabilities of the winner; computed only when `compare` asks for them."""
    winner = scores.argmax(-1)[..., None]

    def of_winner(values):
        return np.take_along_axis(values, winner, -1)[..., 0]

    wrong_axis = (
        "softmax runs over the wrong axis: at one pixel the classes add up to 1, and they are the "
        "last axis."
    )
    resized = _resized_probabilities(logits, scores)
    yield from [
        ("the probability map holds logits: the softmax is missing.", scores.max(-1)),
        *((wrong_axis, _softmax(scores, axis).max(-1)) for axis in (0, 1, (0, 1), (0, 1, 2))),
        *((wrong_axis, of_winner(_softmax(scores, axis))) for axis in (0, 1)),
        ("softmax is taken twice.", _softmax(_softmax(scores)).max(-1)),
        (PROBABILITIES_RESIZED, resized.max(-1)),
        (PROBABILITIES_RESIZED, of_winner(resized)),
        (
            "the probability map holds all classes; the task asks for only the probability of the "
            "class that won.",
            _softmax(scores),
        ),
        (
            "you divide the score by the sum of the scores; softmax first takes e to the power of "
            "each.",
            scores.max(-1) / scores.sum(-1),
        ),
    ]


def _resized_probabilities(logits, scores):
    """Softmax before resizing: (height, width, classes)."""
    return _resized(_softmax(logits).astype("float32"), *scores.shape[:2])


def _resized(maps, height, width, interpolation="bilinear"):
    """Maps at another size, each number in the middle of its block of pixels."""
    size = (height, width)
    large = keras.ops.image.resize(maps[None], size, interpolation=interpolation)[0]
    return np.asarray(keras.ops.convert_to_numpy(large), "float64")


def _corners(maps, height, width):
    """Maps at another size, with their corners on the corners of the image."""

    def stretched(line, size):
        return np.interp(np.linspace(0, len(line) - 1, size), np.arange(len(line)), line)

    maps = np.apply_along_axis(stretched, 0, maps, height)
    return np.apply_along_axis(stretched, 1, maps, width)


def _softmax(logits, axis: int | tuple[int, ...] = -1):
    logits = np.asarray(logits, "float64")
    powers = np.exp(logits - np.max(logits, axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _parts(value, names) -> list:
    """The parts of what a function returned.

    Raises:
        NotYet: If there are more or fewer than the task asks for.
    """
    if value is None:
        raise NotYet("the result is None: is there a `return` at the end?")
    wanted = f"{', '.join(names[:-1])} and {names[-1]}"
    if not isinstance(value, tuple | list):
        kind = type(value).__name__
        raise NotYet(f"the result is one {kind}: return {wanted}, with commas between them.")
    if len(value) != len(names):
        raise NotYet(f"the result has {len(value)} parts: return {wanted}, in this order.")
    return list(value)
