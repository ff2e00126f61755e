"""Assignment 2, from the autoencoder to the FCN: build it, change it, its loss, both trained (L10-L13, L22, L24)."""

import numpy as np

from fcn_keras import models
from fcn_keras.checks.hints import PACKAGES, NotYet, as_array, as_model, ask, check, compare
from fcn_keras.checks.networks import (
    outputs_with_same_weights,
    predict,
    require_gradients,
    require_same_layers,
)
from fcn_keras.support.labels import VOID


@check
def build_cae(answer, seed):
    """`build_cae(widths)`: the autoencoder of L10 from Keras' layers, compared layer by layer and with the same weights."""
    draw = np.random.default_rng(seed)
    for widths in [(4, 6, 8), tuple(draw.integers(2, 9, 2).tolist())]:
        model = as_model(ask(answer, widths, without=("fcn_keras",)), "build_cae(widths)")
        reference = models.cae(widths=widths)
        require_same_layers(model, reference)
        images = _images(draw, 2 ** len(widths))
        model.set_weights(
            [draw.normal(0, 0.3, w.shape) for w in model.get_weights()]
        )  # with biases, so that scales matter
        got, want = outputs_with_same_weights(model, reference, images)
        compare(
            got,
            want,
            what=f"the output for widths={widths}",
            mistakes=[
                (
                    "the picture is not brought to 0–1 before the first convolution.",
                    predict(reference, images * 255),
                ),
                ("the output is in 0–1: the last step, back to 0–255, is missing.", want / 255),
                (
                    "`output` has a ReLU: nothing below 0 can come out while it learns.",
                    np.maximum(want, 0),
                ),
            ],
        )
        require_gradients(model, images, seed)
    return "Down by convolution, up by transposed convolution, no dense layer."


@check
def build_fcn(answer, seed):
    """`build_fcn(autoencoder, num_classes)`: the FCN that the autoencoder becomes (L12)."""
    draw = np.random.default_rng(seed)
    for widths, num_classes in [((4, 6, 8), 5), ((5, 7), int(draw.integers(2, 9)))]:
        autoencoder = models.cae(widths=widths)
        autoencoder.set_weights([draw.normal(0, 0.3, w.shape) for w in autoencoder.get_weights()])
        model = as_model(
            ask(answer, autoencoder, num_classes, without=("fcn_keras.models",)), "the model"
        )
        reference = models.fcn_from_cae(autoencoder, num_classes)
        shape = model.output_shape
        if shape[-1] == 3 != num_classes:
            raise NotYet("`output` still has 3 channels, one per colour; it needs one per class.")
        images = _images(draw, 2 ** len(widths))
        raw = predict(model, images)
        if (
            raw.shape[-1] == num_classes
            and raw.min() >= 0
            and np.allclose(raw.sum(-1), 1, atol=1e-3)
        ):
            raise NotYet(
                "the outputs of a pixel add up to 1: there is a softmax at the end, and logits are asked for."
            )
        require_same_layers(model, reference)
        for layer in reference.layers:
            if layer.name.startswith(("conv", "up")):
                theirs = model.get_layer(layer.name).get_weights()
                if not all(
                    np.allclose(a, b, atol=1e-6)
                    for a, b in zip(theirs, layer.get_weights(), strict=True)
                ):
                    raise NotYet(f"`{layer.name}` does not start from the autoencoder's weights.")
        got, want = outputs_with_same_weights(model, reference, images)
        compare(
            got,
            want,
            what=f"the output for {num_classes} classes",
            axes=("height", "width", "classes"),
            mistakes=[
                ("the step to 0–255 is still there: logits are not colours.", want * 255),
                (
                    "the picture is not brought to 0–1 before the first convolution.",
                    predict(reference, images * 255),
                ),
                ("`output` has a ReLU: logits may be negative.", np.maximum(want, 0)),
            ],
        )
        require_gradients(model, images, seed)
    return "Only the last layer is another one."


@check
def one_hot(answer, seed):
    """`one_hot(labels, num_classes)`: zeros and ones, void zero in all channels (L22)."""
    draw = np.random.default_rng(seed)
    for num_classes in (4, int(draw.integers(2, 12))):
        labels = draw.integers(0, num_classes, (int(draw.integers(5, 9)), 10)).astype("uint8")
        labels[0, :3], labels[1, :num_classes] = VOID, np.arange(num_classes)[:10]
        want = (labels[..., None] == np.arange(num_classes)).astype("float32")
        void = labels == VOID
        shifted = (labels[..., None] == np.arange(1, num_classes + 1)).astype("float32")
        compare(
            ask(answer, labels, num_classes, without=PACKAGES),
            want,
            what=f"the result for {num_classes} classes",
            axes=("height", "width", "classes"),
            mistakes=[
                (
                    "void counts as class 0: a pixel that nobody labelled belongs to no class.",
                    np.where(void[..., None], np.eye(num_classes)[0], want),
                ),
                (
                    "void counts as the last class: a pixel that nobody labelled belongs to no class.",
                    np.where(void[..., None], np.eye(num_classes)[-1], want),
                ),
                (
                    "the classes are the first axis; they must be the last one: (height, width, classes).",
                    want.transpose(2, 0, 1),
                ),
                ("the classes are off by one: the first channel is class 0.", shifted),
                (
                    "a channel too many: void is not a class.",
                    np.concatenate([want, void[..., None]], axis=-1),
                ),
                ("zeros and ones are exchanged.", 1 - want),
            ],
        )
    return "At each labelled pixel the channels add up to 1."


@check
def cross_entropy(answer, seed):
    """`cross_entropy(labels, logits)`: softmax, minus the logarithm, mean over what is labelled (L24)."""
    draw = np.random.default_rng(seed)
    for size, scale in (((7, 9), 2.0), (tuple(draw.integers(5, 12, 2)), 1.0), ((6, 5), 900.0)):
        classes = int(draw.integers(3, 7))
        logits = draw.normal(0, scale, (*size, classes))
        labels = draw.integers(0, classes, size).astype("uint8")
        labels[draw.random(size) < 0.3] = VOID
        labels[0, :2] = 0, VOID
        known = labels != VOID
        chosen = np.where(known, labels, 0)[..., None].astype(int)

        def right_one(values, chosen=chosen):
            return np.take_along_axis(values, chosen, -1)[..., 0]

        losses = -right_one(_log_softmax(logits))
        if scale > 100:
            with np.errstate(all="ignore"):
                got = as_array(ask(answer, labels, logits, without=PACKAGES), "the loss")
            if not np.isfinite(got).all():
                raise NotYet(
                    "large logits give NaN or infinity: take the largest logit of a pixel off all of its logits first."
                )
        else:
            got = ask(answer, labels, logits, without=PACKAGES)
        twice = -right_one(_log_softmax(np.exp(_log_softmax(logits))))
        over_rows = -right_one(np.swapaxes(_log_softmax(np.swapaxes(logits, 0, -1)), 0, -1))
        raw = right_one(logits)
        compare(
            got,
            losses[known].mean(),
            what="the loss",
            mistakes=[
                ("void pixels count as class 0: leave them out.", losses.mean()),
                (
                    "the sum is divided by all pixels: divide by the number of labelled ones.",
                    losses[known].sum() / labels.size,
                ),
                ("the losses are added up: the mean is asked for.", losses[known].sum()),
                ("the softmax is applied twice.", twice[known].mean()),
                (
                    "the softmax runs over the wrong axis: at each pixel the probabilities of the classes add up to 1.",
                    over_rows[known].mean(),
                ),
                ("the minus is missing.", -losses[known].mean()),
                (
                    "that is the logarithm to the base 10: the natural one is asked for.",
                    losses[known].mean() / np.log(10),
                ),
                (
                    "that is the logarithm to the base 2: the natural one is asked for.",
                    losses[known].mean() / np.log(2),
                ),
                (
                    "there is no softmax: the logits are taken for the logarithms of probabilities.",
                    -raw[known].mean(),
                ),
                (
                    "the logarithm is missing: that is a mean of probabilities.",
                    -np.exp(-losses[known]).mean(),
                ),
                ("one loss a pixel comes out: give their mean.", losses),
            ],
        )
    return "It does not change when void pixels change."


@check
def trained_cae(answer, seed):
    """`trained_cae`: an autoencoder that gives back scenes it has never seen (L11)."""
    model = _trained(answer, "trained_cae")
    images, _ = _scenes(seed)
    given = _given(model, images, 3)
    error, grey = _rms(given, images), _rms(images.mean((1, 2), keepdims=True), images)
    if given.min() > -0.3 and given.max() < 1.5:
        raise NotYet(
            "what comes out is in 0–1, and pictures in 0–255 went in: the target was in another range."
        )
    if error > 0.9 * grey:
        raise NotYet(
            f"on new scenes it is wrong by {error:.0f} levels (root of the mean square); one colour everywhere would be by "
            f"{grey:.0f}. Is it trained, with the pictures as input and as target?"
        )
    if _rms(given[..., ::-1], images) < error:
        raise NotYet("colours come out exchanged: is the target really the picture that goes in?")
    if _rms(given[:, :, ::-1], images) < error:
        raise NotYet(
            "the picture comes out turned round: is the target really the picture that goes in?"
        )
    if error > 0.75 * grey:
        raise NotYet(
            f"on new scenes it is wrong by {error:.0f} levels; half of {grey:.0f} is easily reached. Train longer."
        )
    return f"On new scenes it is wrong by {error:.0f} levels; one colour everywhere would be by {grey:.0f}."


@check
def trained_fcn(answer, seed):
    """`trained_fcn`: an FCN that finds the road in scenes it has never seen (L12, L24)."""
    model = _trained(answer, "trained_fcn")
    images, masks = _scenes(seed)
    logits = _given(model, images, 2)
    found = logits.argmax(-1)
    iou = _iou(found, masks)
    if logits.min() >= 0 and np.allclose(logits.sum(-1), 1, atol=1e-3):
        raise NotYet(
            "it gives probabilities: the model must end in logits, and the loss applies the softmax."
        )
    if _iou(1 - found, masks) > max(0.5, iou):
        raise NotYet("road and background are exchanged: which number is the road in the labels?")
    if len(np.unique(found)) == 1:
        raise NotYet(
            f"every pixel is class {found.flat[0]}: is it trained, on `labels`, with a loss that expects logits?"
        )
    moved = {
        way: _iou(view, masks)
        for way, view in (("left and right", found[:, :, ::-1]), ("top and bottom", found[:, ::-1]))
    }
    for way, score in moved.items():
        if score > max(0.5, iou + 0.1):
            raise NotYet(
                f"its answer is the scene's with {way} exchanged: do pictures and labels lie on one another?"
            )
    if iou < 0.4:
        raise NotYet(
            f"the road's IoU on new scenes is {iou:.2f}; 0.6 is easily reached. Is it trained, does the loss expect logits "
            "(`from_logits=True`), and do pictures and labels belong together?"
        )
    return f"Road IoU on new scenes: {iou:.2f}."


def _trained(answer, name):
    if answer is None:
        raise NotYet(
            f"`{name}` is still None: train a model and give it that name.", "not answered"
        )
    return as_model(answer, name)


def _images(draw, multiple):
    """Two noisy pictures whose sides can be halved often enough, 0–255."""
    height, width = draw.integers(2, 5, 2) * multiple
    return draw.uniform(0, 255, (2, height, width + multiple, 3)).astype("float32")


def _scenes(seed):
    """Drawn scenes at half size that no training has seen: (8, 80, 288, 3) 0–255, (8, 80, 288)."""
    from fcn_keras.datasets import road_scenes

    data = road_scenes("test", seed=seed, count=8).view({"road": ["road"]})
    images, masks = (np.stack(maps) for maps in zip(*data, strict=True))
    return images[:, ::2, ::2].astype("float32"), masks[:, ::2, ::2]


def _given(model, images, channels):
    """What a model gives for pictures, or `NotYet` if it does not take them or gives another shape."""
    try:
        given = predict(model, images)
    except Exception as error:
        raise NotYet(
            f"the model does not take pictures of 80 × 288: {str(error).splitlines()[0][:200]}"
        ) from None
    if given.shape != (*images.shape[:3], channels):
        raise NotYet(
            f"for pictures of 80 × 288 the model gives {given.shape[1:]}; expected (80, 288, {channels})."
        )
    if not np.isfinite(given).all():
        raise NotYet("the model gives NaN: the training ran away. Is the rate too high?")
    return given


def _log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def _rms(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


def _iou(found, true):
    return ((found == 1) & (true == 1)).sum() / max(1, ((found == 1) | (true == 1)).sum())
