"""Assignment 3, fully convolutional: dense layers as convolutions, receptive fields, labels for every pixel (L14, L15, L17)."""

import keras
import numpy as np

from fcn_keras.checks.hints import PACKAGES, NotYet, as_array, as_model, ask, check, compare
from fcn_keras.checks.networks import still_weights
from fcn_keras.convolutionalize import convolutionalize


@check
def dense_as_conv(answer, seed):
    """`dense_as_conv(maps, weights, bias, height, width)` gives a dense layer's kernel (h, w, C, units) and, with it, scores.

    The dense layer was made for maps of height × width; `maps`, (H, W, C), may be larger. In NumPy (L14).
    """
    draw = np.random.default_rng(seed)
    cases = [
        (2, 3, 2, 5, 7, 4),
        (3, 2, 4, 3, 2, 5),
    ]  # height, width, channels, units, more rows, more columns
    for height, width, channels, units, rows, columns in [
        *cases,
        draw.integers([1, 4, 2, 2, 0, 0], [4, 6, 5, 7, 4, 5]),
    ]:
        maps = draw.normal(size=(height + rows, width + columns, channels))
        weights, bias = draw.normal(size=(height * width * channels, units)), 1 + draw.random(units)
        got = _parts(
            ask(answer, maps, weights, bias, int(height), int(width), without=PACKAGES),
            ("kernel", "scores"),
        )
        kernel = weights.reshape(height, width, channels, units)
        compare(
            got[0],
            kernel,
            what=f"the kernel for a window of {height} × {width} and {channels} channels",
            axes=("height", "width", "channels", "units"),
            mistakes=[
                (
                    "the kernel is folded as if the row held one channel after the other. Flatten writes all channels of a position "
                    "side by side.",
                    weights.reshape(channels, height, width, units).transpose(1, 2, 0, 3),
                ),
                (
                    "the kernel is folded column by column. Flatten reads a map row by row.",
                    weights.reshape(width, height, channels, units).transpose(1, 0, 2, 3),
                ),
                (
                    "height and width of the kernel are exchanged.",
                    weights.reshape(width, height, channels, units),
                ),
                (
                    "units and channels of the kernel are exchanged: its axes are height, width, channels, units.",
                    kernel.transpose(0, 1, 3, 2),
                ),
                (
                    "the kernel is turned round. A network's convolution does not flip it.",
                    kernel[::-1, ::-1],
                ),
            ],
        )
        want = _slide(maps, kernel) + bias
        compare(
            got[1],
            want,
            what=f"the scores for maps of {maps.shape[0]} × {maps.shape[1]} and a window of {height} × {width}",
            axes=("height", "width", "units"),
            mistakes=_wrong_scores(maps, kernel, bias, want),
        )
    return "On maps of its own size the window fits once; on larger ones the same numbers are used again at every place."


def _wrong_scores(maps, kernel, bias, want):
    """Hints for the scores of a dense layer that slides."""
    height, width = kernel.shape[:2]
    once = "only one place has a score. On larger maps the window fits in many places, and each place gets one."
    return [
        ("the bias is missing from the scores.", want - bias),
        (
            "the bias is added more than once: it belongs to a place, not to each number under the window.",
            want + bias * (height * width - 1),
        ),
        ("the kernel is turned round while it slides.", _slide(maps, kernel[::-1, ::-1]) + bias),
        (once, want[0, 0]),
        (once, want[:1, :1]),
        (
            "one place too few down and across. In how many places does a window of 3 fit in a row of 3?",
            want[:-1, :-1],
        ),
        (
            "the window jumps by its own size. A convolution with stride 1 moves by one position.",
            want[::height, ::width],
        ),
        (
            "negative scores were cut to 0. This layer has no activation: its scores are plain weighted sums.",
            np.maximum(want, 0),
        ),
    ]


def _slide(maps, kernel):
    """The weighted sum at each place where the kernel fits: (rows, columns, units)."""
    windows = np.lib.stride_tricks.sliding_window_view(maps, kernel.shape[:2], axis=(0, 1))
    return np.einsum("ijchw,hwcu->iju", windows, kernel)


@check
def fully_convolutional(answer, seed):
    """`fully_convolutional(classifier)`: the same classifier for images of any size, one answer for each place (L14, L15)."""
    draw = np.random.default_rng(seed)
    for number in range(2):
        classifier = _classifier(draw, plain=number == 0)
        twin = convolutionalize(classifier)
        height, width = classifier.input_shape[1:3]
        images = draw.uniform(0, 255, (2, height + 32, width + 48, 3)).astype("float32")
        small = images[:, :height, :width]
        alone, want = _numbers(classifier, small)[:, None, None], _numbers(twin, images)
        trained = len(classifier.trainable_weights)
        got = as_model(
            ask(answer, classifier, without=("fcn_keras.convolutionalize",)), "the answer"
        )
        if tuple(got.input_shape[1:]) != (None, None, 3):
            raise NotYet(
                f"your model takes {got.input_shape[1:]}: leave height and width of its input open, with None."
            )
        if len(got.output_shape) == 2:
            raise NotYet(
                "your model gives one row of numbers for a whole image. No Flatten and no global pooling: there is "
                "an answer for each place."
            )
        same = next(
            layer for layer in classifier.layers if isinstance(layer, keras.layers.Flatten)
        ).input.shape[1:3]
        for batch, right, what in [
            (small, alone, "the classifier's own size"),
            (images, want, "a larger image"),
        ]:
            try:
                scores = _numbers(got, batch)
            except Exception as error:
                raise NotYet(
                    f"your model stops at {what} ({batch.shape[1]} × {batch.shape[2]}): {str(error)[:200]}"
                ) from None
            if batch is small and scores.shape[1:3] == same != (1, 1):
                raise NotYet(
                    f"on an image of the classifier's own size there are {same[0]} × {same[1]} answers, and there "
                    "should be one: is the window padded? It is to lie only where it fits."
                )
            compare(
                scores,
                right,
                what=f"the answer to {what} ({batch.shape[1]} × {batch.shape[2]})",
                tolerance=1e-3,
                axes=("height", "width", "classes"),
                mistakes=_wrong_models(classifier, batch, got, scores),
            )
        if not np.allclose(_numbers(classifier, small)[:, None, None], alone, atol=1e-5):
            raise NotYet(
                "the classifier itself was changed: build new layers, or only read from its own."
            )
        if len(got.trainable_weights) < trained:
            raise NotYet(
                "some layers of your model are frozen. It should train like the classifier: leave `trainable` as it is."
            )
        still = still_weights(got, images.shape[1:], seed)
        if still:
            raise NotYet(f"no gradient reaches {still[0]}: training would leave it as it is.")
    return "The same numbers, and no size of image is written into the model any more."


def _classifier(draw, plain: bool) -> keras.Model:
    """A chain of Rescaling, Conv2D, MaxPooling2D, Flatten and Dense; not square, biases not zero, window not 1 × 1.

    Its layers have names of their own: a grader makes it in another process, where Keras counts "conv2d" from the start too.
    """
    rows, columns, pools = (
        (2, 3, 2)
        if plain
        else (*draw.choice([2, 3, 4], 2, replace=False).tolist(), int(draw.integers(2, 4)))
    )
    x = image = keras.Input((rows * 2**pools, columns * 2**pools, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="given_scaling")(x)
    for level in range(pools):
        x = keras.layers.Conv2D(
            4 + level, 3, padding="same", activation="relu", name=f"given_conv{level}"
        )(x)
        x = keras.layers.MaxPooling2D(2, name=f"given_pool{level}")(x)
    x = keras.layers.Flatten(name="given_flatten")(x)
    for number in range(1 if plain else int(draw.integers(1, 3))):
        units, activation = (7, "relu") if plain else (int(draw.integers(5, 10)), "tanh")
        x = keras.layers.Dense(units, activation=activation, name=f"given_dense{number}")(x)
    last = keras.layers.Dense(
        4 if plain else int(draw.integers(3, 7)), activation="softmax", name="given_probabilities"
    )
    model = keras.Model(image, last(x))
    for layer in model.layers:
        if layer.weights:
            shape, units = layer.kernel.shape, layer.bias.shape  # (…, units) and (units,)
            layer.set_weights(
                [
                    draw.normal(0, 1.4 / np.sqrt(np.prod(shape[:-1])), shape),
                    draw.uniform(0.2, 0.6, units),
                ]
            )
    return model


def _numbers(model, images) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(images)))


def _head(
    classifier, images, fold=lambda kernel, shape: kernel.reshape(shape), bias=1.0, hidden=None
):
    """The logits of a sliding classifier in NumPy, as right or as wrong as its arguments: (images, rows, columns, classes)."""
    dense = [layer for layer in classifier.layers if isinstance(layer, keras.layers.Dense)]
    flat = next(layer for layer in classifier.layers if isinstance(layer, keras.layers.Flatten))
    x = np.float64(images)
    for layer in classifier.layers[1 : classifier.layers.index(flat)]:
        x = layer(x)
    x, shape = np.float64(keras.ops.convert_to_numpy(x)), flat.input.shape[1:]
    for layer in dense:
        kernel, extra = layer.get_weights()
        x = (
            np.stack([_slide(maps, fold(kernel, (*shape, layer.units))) for maps in x])
            + bias * extra
        )
        shape = (1, 1, layer.units)
        if layer is not dense[-1]:
            x = hidden(x) if hidden else keras.ops.convert_to_numpy(layer.activation(x))
    return x


def _wrong_models(classifier, images, got, scores):
    """Hints for the answers of a classifier that was made fully convolutional; computed only when `compare` asks for them."""
    logits = _head(classifier, images)
    shifted, twice = 127.5 * (images + 1), images / 127.5 - 1
    by_channel = lambda k, s: k.reshape(s[2], s[0], s[1], s[3]).transpose(1, 2, 0, 3)  # noqa: E731
    by_column = lambda k, s: k.reshape(s[1], s[0], *s[2:]).transpose(1, 0, 2, 3)  # noqa: E731
    fold = "the first dense layer's weights are folded in the wrong order: "
    ours, theirs = (
        np.sort(np.concatenate([np.ravel(w) for w in m.get_weights()])) for m in (got, classifier)
    )
    strange = ours.shape != theirs.shape or not np.allclose(ours, theirs)
    yield from [
        (
            "the last softmax is missing: your model gives logits, and the classifier probabilities.",
            logits,
        ),
        ("softmax is taken twice at the end.", _softmax(_softmax(logits))),
        (
            "softmax is taken over places instead of classes: in one place, the classes should sum to 1.",
            _softmax(logits, 1),
        ),
        (
            "softmax is taken over places instead of classes: in one place, the classes should sum to 1.",
            _softmax(logits, 2),
        ),
        (
            "the activation between the dense layers is lost.",
            _softmax(_head(classifier, images, hidden=lambda x: x)),
        ),
        (
            "a hidden layer has ReLU, and the classifier's has another activation: take each layer's own.",
            _softmax(_head(classifier, images, hidden=lambda x: np.maximum(x, 0))),
        ),
        ("the biases of the dense layers are lost.", _softmax(_head(classifier, images, bias=0))),
        (
            fold + "Flatten writes all channels of a position side by side.",
            _softmax(_head(classifier, images, by_channel)),
        ),
        (fold + "Flatten reads a map row by row.", _softmax(_head(classifier, images, by_column))),
        (
            "the pixels are not preprocessed: the classifier's first layer, Rescaling, is left out.",
            _softmax(_head(classifier, shifted)),
        ),
        ("the pixels are preprocessed twice.", _softmax(_head(classifier, twice))),
        (
            "your model holds other weights than the classifier. Each weight and each bias is copied, none is left as it was drawn.",
            scores if strange else np.zeros(0),
        ),
    ]


@check
def receptive_field(answer, seed):
    """`receptive_field(layers)`: size, stride and offset behind a list of (kernel, stride, before), by hand (L15)."""
    draw = np.random.default_rng(seed)
    drawn = [[_layer(draw) for _ in range(number)] for number in range(1, 9)]
    for layers in [
        [(5, 3, 2), (3, 2, 1), (2, 2, 0)],
        [(3, 1, 1), (2, 2, 0)] * 3,
        [(4, 3, 1)],
        [],
        *drawn,
    ]:
        got = _parts(ask(answer, list(layers), without=PACKAGES), ("size", "stride", "offset"))
        size, stride, offset = _field(layers)
        behind = f"behind {layers}" if len(layers) < 5 else f"behind {len(layers)} layers"
        early, backwards = _field(layers, early=True), _field(layers[::-1])
        steps = [s for _, s, _ in layers]
        compare(
            got[0],
            size,
            what=f"the size {behind}",
            mistakes=[
                (
                    "a layer's own stride is counted too early: its kernel lies on the map before it, whose positions are as far apart "
                    "as the earlier strides say.",
                    early[0],
                ),
                (
                    "a kernel of k adds k − 1 steps, not k: its first pixel was counted before.",
                    1 + sum(_steps(layers, 0)),
                ),
                (
                    "one too small: a pixel of the image sees itself, so the size begins at 1.",
                    size - 1,
                ),
                ("one too large: a pixel of the image sees itself and no more.", size + 1),
                (
                    "the strides are left out: behind a stride of 2, the next positions are 2 image pixels apart.",
                    1 + sum(k - 1 for k, _, _ in layers),
                ),
                ("the layers are read from the last to the first.", backwards[0]),
                (
                    "the kernels are multiplied. Each layer adds to what is seen.",
                    int(np.prod([k for k, _, _ in layers])),
                ),
            ],
        )
        compare(
            got[1],
            stride,
            what=f"the stride {behind}",
            mistakes=[
                ("the strides are added; they multiply.", sum(steps)),
                ("the strides are added; they multiply.", 1 + sum(s - 1 for s in steps)),
                (
                    "the stride is that of the last layer alone. How many image pixels lie between two positions?",
                    ([1] + steps)[-1],
                ),
                (
                    "the stride is one layer behind: the last layer's is left out.",
                    int(np.prod(steps[:-1])),
                ),
            ],
        )
        compare(
            got[2],
            offset,
            what=f"the offset {behind}",
            mistakes=[
                ("the offset has the wrong sign: padding begins before pixel 0.", -offset),
                (
                    "padding is counted in positions of its own layer; the offset is in pixels of the image.",
                    -sum(b for _, _, b in layers),
                ),
                (
                    "a layer's own stride is counted too early for the offset: its padding lies on the map before it.",
                    early[2],
                ),
                (
                    "the offset is that of the centre: asked for is the first pixel that position 0 sees.",
                    offset + (size - 1) / 2,
                ),
                (
                    "the offset is that of the centre: asked for is the first pixel that position 0 sees.",
                    offset + size // 2,
                ),
                ("the padding is left out of the offset.", 0),
            ],
        )
    return "Each layer adds kernel − 1 steps, and the steps grow with the strides before it."


def _layer(draw) -> tuple[int, int, int]:
    """Kernel, stride, and padding of at most half the kernel."""
    kernel = int(draw.integers(1, 8))
    return kernel, int(draw.integers(1, 4)), int(draw.integers(0, kernel // 2 + 1))


def _field(layers, early: bool = False) -> tuple[int, int, int]:
    """Size, stride and offset; `early`: with each layer's own stride counted for its own kernel."""
    steps, stride = _steps(layers, 1, early), int(np.prod([s for _, s, _ in layers]))
    return 1 + sum(steps), stride, -sum(_steps([(b, s, 0) for _, s, b in layers], 0, early))


def _steps(layers, less: int, early: bool = False) -> list[int]:
    """What each layer adds to a size in pixels: (kernel − less) times the strides before it."""
    strides = np.cumprod([1, *(s for _, s, _ in layers)]).tolist()
    return [
        (layer[0] - less) * step for layer, step in zip(layers, strides[1:] if early else strides)
    ]


@check
def pixels_seen(answer, seed):
    """`pixels_seen(image, position, size, stride, offset)`: the part of an image that one position of a map sees (L15)."""
    draw = np.random.default_rng(seed)
    cases = [
        ((3, 2), 9, 4, -2),
        ((0, 0), 10, 4, -3),
        ((6, 8), 12, 4, -3),
        ((0, 5), 9, 3, -4),
        ((2, 1), 60, 5, -20),
    ]
    for _ in range(6):
        size, stride = draw.integers([3, 2], [16, 6]).tolist()
        offset = -int(draw.integers(0, size // 2 + 1))
        cases.append(
            (
                tuple(int(draw.integers(0, (n - 1) // stride)) for n in (29, 41)),
                size,
                stride,
                offset,
            )
        )
    for position, size, stride, offset in cases:
        image = draw.integers(0, 256, (29, 41, 3)).astype("uint8")
        compare(
            ask(answer, image, position, size, stride, offset, without=PACKAGES),
            _cut(image, position, size, stride, offset),
            what=f"what position {position} sees in an image of 29 × 41 with size {size}, stride {stride}, offset {offset}",
            mistakes=_wrong_windows(image, position, size, stride, offset),
        )
    return "Positions next to each other share most of their pixels: that is the work a convolution does once."


def _cut(image, position, size, stride, offset):
    """The window of a position, without what lies outside the image."""
    starts = [p * stride + offset for p in position]
    return image[tuple(slice(max(start, 0), max(start + size, 0)) for start in starts)]


def _wrong_windows(image, position, size, stride, offset):
    """Hints for the pixels that a position sees; the first three differ from the right answer only at the border."""
    top, left = (p * stride + offset for p in position)
    return [
        (
            "a window that begins before the image went wrong: a negative start of a slice counts from the end. "
            "Where should it begin instead?",
            image[top : top + size, left : left + size],
        ),
        (
            "the window was moved into the image. It keeps its place, and what lies outside is cut away.",
            image[max(top, 0) :, max(left, 0) :][:size, :size],
        ),
        (
            "what lies outside the image was filled up. It is padding and no pixels: cut it away.",
            _filled(image, top, left, size),
        ),
        (
            "the last row and column are missing. The stop of a slice is the first index that is not taken.",
            _cut(image, position, size - 1, stride, offset),
        ),
        (
            "one row and one column too many. The stop of a slice is not taken any more.",
            _cut(image, position, size + 1, stride, offset),
        ),
        (
            "row and column of the position are exchanged: rows run along the first axis.",
            _cut(image, position[::-1], size, stride, offset),
        ),
        ("the offset is left out.", _cut(image, position, size, stride, 0)),
        (
            "the offset has the wrong sign: a negative one begins before pixel 0.",
            _cut(image, position, size, stride, -offset),
        ),
        (
            "windows lie side by side in your answer. The next position is one stride away, and windows may overlap.",
            _cut(image, position, size, size, offset),
        ),
        (
            "the stride is left out: position 3 begins three strides from position 0, not three pixels.",
            _cut(image, position, size, 1, offset),
        ),
        (
            "the offset is multiplied by the stride; it is in pixels of the image already.",
            _cut(image, position, size, stride, offset * stride),
        ),
        (
            "the window is laid round the middle of its place: it begins at offset + stride · position.",
            _cut(image, position, size, stride, -(size // 2)),
        ),
    ]


def _filled(image, top, left, size):
    """A window with zeros for what lies outside the image."""
    padded = np.pad(image, ((99, 99), (99, 99), (0, 0)))
    return padded[99 + top :, 99 + left :][:size, :size]


@check
def scores_to_labels(answer, seed):
    """`scores_to_labels(logits, height, width)`: at an image's size, the class of each pixel and its probability (L17)."""
    draw = np.random.default_rng(seed)
    sizes = [
        (4, 6, 5, 37, 50),
        *(
            [*draw.integers([3, 4, 3], [7, 9, 7]), *draw.integers([20, 50], [49, 70])]
            for _ in range(2)
        ),
    ]
    for number, (rows, columns, classes, height, width) in enumerate(sizes):
        spread = 600 if number == 2 else 2  # large logits: e to their power overflows
        logits = draw.normal(0, spread, (rows, columns, classes)).astype("float32")
        got = _parts(
            ask(answer, logits, int(height), int(width), without=("fcn_keras",)),
            ("labels", "probability"),
        )
        scores, labels = _resized(logits, height, width), _resized(logits, height, width).argmax(-1)
        near = (
            np.diff(np.sort(scores, -1)[..., -2:], axis=-1)[..., 0] < 1e-4 * spread
        )  # rounding decides: either is right
        first = as_array(got[0], "labels")
        if first.shape == labels.shape and np.array_equal(first[~near], labels[~near]):
            first = labels
        compare(
            first,
            labels,
            what=f"the label map for {rows} × {columns} places and {height} × {width} pixels",
            mistakes=_wrong_labels(logits, height, width, scores),
        )
        wrong = _wrong_probabilities(logits, height, width, scores)
        if not np.isfinite(as_array(got[1], "the probability map")).all():
            raise NotYet(
                "probabilities of large logits are NaN or infinite: e to a large power overflows. A softmax does not "
                "change when the same number is taken from all logits of a pixel; which one helps?"
            )
        compare(
            got[1],
            _softmax(scores).max(-1),
            what="the probability map",
            tolerance=5e-3,
            mistakes=wrong,
        )
    return "Scores are filled in between; classes never are."


def _wrong_labels(logits, height, width, scores):
    """Hints for a label map made of coarse scores; computed only when `compare` asks for them."""
    coarse, (rows, columns) = logits.argmax(-1), logits.shape[:2]
    stairs = (
        "the class was chosen before the scores were filled in, or the scores were only repeated: edges become staircases. "
        "Resize the scores bilinearly, then choose."
    )
    mixed = _resized(np.float32(coarse)[..., None], height, width)[..., 0]
    blur = "class numbers were resized bilinearly: between class 1 and class 3 that puts class 2. Resize the scores, then choose."
    axis = "the class is chosen along the wrong axis: the classes stand in the last one."
    exchanged = "height and width are exchanged: an image's size is height first."
    yield from [
        (blur, mixed),
        (blur, mixed.round()),
        (blur, np.trunc(mixed)),
        (stairs, _resized(logits, height, width, "nearest").argmax(-1)),
        (
            stairs,
            coarse[np.arange(height) * rows // height][:, np.arange(width) * columns // width],
        ),
        (
            "the probabilities were resized. Resize the logits, as the network does, and take softmax at the end.",
            _resized(np.float32(_softmax(logits)), height, width).argmax(-1),
        ),
        (axis, scores.argmax(0)),
        (axis, scores.argmax(1)),
        (exchanged, _resized(logits, width, height).argmax(-1)),
        (exchanged, scores.argmax(-1).T),
        ("the lowest score was chosen, and the highest wins.", scores.argmin(-1)),
        ("classes are counted from 0, as in every label map of the course.", scores.argmax(-1) + 1),
        (
            "labels are still coarse: one for each place of the score map, where each pixel of the image needs one.",
            coarse,
        ),
        (
            "all scores are returned, and a label map is asked for: one class number a pixel.",
            scores,
        ),
        (
            "scores at the corners were laid on the corners of the image. Each score belongs to the middle of its block of pixels.",
            _corners(logits, height, width).argmax(-1),
        ),
    ]


def _wrong_probabilities(logits, height, width, scores):
    """Hints for the probability of the class that won; computed only when `compare` asks for them."""
    axis = "softmax is taken over the wrong axis: under one pixel, the classes sum to 1, and they stand in the last axis."
    before = "the probabilities were resized. Resize the logits, as the network does, and take softmax at the end."
    yield from [
        ("the probability map holds logits: softmax is missing.", scores.max(-1)),
        (axis, _softmax(scores, 0).max(-1)),
        (axis, _softmax(scores, 1).max(-1)),
        (axis, _softmax(scores, (0, 1)).max(-1)),
        (axis, _softmax(scores, (0, 1, 2)).max(-1)),
        (axis, np.take_along_axis(_softmax(scores, 0), _best(scores), -1)[..., 0]),
        (axis, np.take_along_axis(_softmax(scores, 1), _best(scores), -1)[..., 0]),
        ("softmax is taken twice.", _softmax(_softmax(scores)).max(-1)),
        (before, _resized(np.float32(_softmax(logits)), height, width).max(-1)),
        (
            before,
            np.take_along_axis(
                _resized(np.float32(_softmax(logits)), height, width), _best(scores), -1
            )[..., 0],
        ),
        (
            "the probability map holds all classes: asked for is only the probability of the class that won.",
            _softmax(scores),
        ),
        (
            "the probability is divided by the sum of the scores; softmax takes e to the power of each first.",
            scores.max(-1) / scores.sum(-1),
        ),
    ]


def _best(scores):
    return scores.argmax(-1)[..., None]


def _resized(maps, height, width, interpolation="bilinear"):
    """A map at another size, each number in the middle of its block of pixels."""
    large = keras.ops.image.resize(
        maps[None], (int(height), int(width)), interpolation=interpolation
    )[0]
    return np.float64(keras.ops.convert_to_numpy(large))


def _corners(maps, height, width):
    """A map at another size, with its corners on the corners of the image."""
    for axis, size in ((0, height), (1, width)):
        places = np.linspace(0, maps.shape[axis] - 1, int(size))
        maps = np.apply_along_axis(
            lambda line, places=places: np.interp(places, np.arange(len(line)), line), axis, maps
        )
    return maps


def _softmax(logits, axis=-1):
    powers = np.exp(np.float64(logits) - np.max(logits, axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _parts(value, names) -> list:
    """What a function returned, if it is as many things as it was asked for."""
    if value is None:
        raise NotYet("the result is None: is there a `return` at the end?")
    asked = f"{', '.join(names[:-1])} and {names[-1]}"
    if not isinstance(value, tuple | list):
        raise NotYet(
            f"the result is one {type(value).__name__}: return {asked}, with commas between them."
        )
    if len(value) != len(names):
        raise NotYet(f"the result has {len(value)} parts: return {asked}, in this order.")
    return list(value)
