"""Assignment 2, from the autoencoder to the FCN (L10–L13, L22, L24).

Build the autoencoder, turn it into an FCN, write the FCN's loss, and train both.
"""

import numpy as np

from fcn_keras import models
from fcn_keras.checks.hints import PACKAGES, NotYet, as_array, as_model, ask, check, compare
from fcn_keras.checks.networks import (
    outputs_with_same_weights,
    predict,
    refuse_softmax,
    require_gradients,
    require_same_layers,
)
from fcn_keras.support.labels import VOID

NOT_SCALED = "the picture is not brought to 0–1 before the first convolution."


@check
def build_cae(answer, seed):
    """`build_cae(widths)`: the autoencoder from Keras' layers (L10).

    It is compared layer by layer, and by its output with the same weights.
    """
    draw = np.random.default_rng(seed)
    for widths in [(4, 6, 8), tuple(draw.integers(2, 9, 2).tolist())]:
        model = as_model(ask(answer, widths, without=("fcn_keras",)), "build_cae(widths)")
        reference = models.cae(widths=widths)
        require_same_layers(model, reference)
        images = _noise(draw, 2 ** len(widths))
        _set_random_weights(model, draw)  # biases too, so that scales matter
        got, want = outputs_with_same_weights(model, reference, images)
        mistakes = [
            (NOT_SCALED, predict(reference, images * 255)),
            ("the output is in 0–1: the last step, back to 0–255, is missing.", want / 255),
            (
                "`output` has a ReLU: while the network learns, nothing below 0 can come out.",
                np.maximum(want, 0),
            ),
        ]
        compare(got, want, what=f"the output for widths={widths}", mistakes=mistakes)
        require_gradients(model, images, seed)
    return "Down by convolution, up by transposed convolution, no dense layer."


@check
def build_fcn(answer, seed):
    """`build_fcn(autoencoder, num_classes)`: the FCN that an autoencoder becomes (L12)."""
    draw = np.random.default_rng(seed)
    for widths, num_classes in [((4, 6, 8), 5), ((5, 7), int(draw.integers(2, 9)))]:
        autoencoder = models.cae(widths=widths)
        _set_random_weights(autoencoder, draw)
        answered = ask(answer, autoencoder, num_classes, without=("fcn_keras.models",))
        model = as_model(answered, "the model")
        reference = models.fcn_from_cae(autoencoder, num_classes)
        if model.output_shape[-1] == 3 != num_classes:
            raise NotYet("`output` still has 3 channels, one per colour; it needs one per class.")
        images = _noise(draw, 2 ** len(widths))
        refuse_softmax(predict(model, images), num_classes)
        require_same_layers(model, reference)
        _require_weights_of_the_autoencoder(model, reference)
        got, want = outputs_with_same_weights(model, reference, images)
        compare(
            got,
            want,
            what=f"the output for {num_classes} classes",
            axes=("height", "width", "classes"),
            mistakes=[
                ("the step to 0–255 is still there: logits are not colours.", want * 255),
                (NOT_SCALED, predict(reference, images * 255)),
                ("`output` has a ReLU: logits may be negative.", np.maximum(want, 0)),
            ],
        )
        require_gradients(model, images, seed)
    return "Only the last layer is new."


def _require_weights_of_the_autoencoder(model, reference):
    for layer in reference.layers:
        if layer.name.startswith(("conv", "up")):
            weights = model.get_layer(layer.name).get_weights()
            pairs = zip(weights, layer.get_weights(), strict=True)
            if not all(np.allclose(theirs, ours, atol=1e-6) for theirs, ours in pairs):
                raise NotYet(f"`{layer.name}` does not start from the autoencoder's weights.")


@check
def one_hot(answer, seed):
    """`one_hot(labels, num_classes)`: zeros and ones; void is zero in all channels (L22)."""
    draw = np.random.default_rng(seed)
    for num_classes in (4, int(draw.integers(2, 12))):
        labels = draw.integers(0, num_classes, (int(draw.integers(5, 9)), 10)).astype("uint8")
        labels[0, :3], labels[1, :num_classes] = VOID, np.arange(num_classes)[:10]
        compare(
            ask(answer, labels, num_classes, without=PACKAGES),
            (labels[..., None] == np.arange(num_classes)).astype("float32"),
            what=f"the result for {num_classes} classes",
            axes=("height", "width", "classes"),
            mistakes=_wrong_one_hot(labels, num_classes),
        )
    return "At each labelled pixel the channels add up to 1."


def _wrong_one_hot(labels, num_classes):
    right = (labels[..., None] == np.arange(num_classes)).astype("float32")
    void = (labels == VOID)[..., None]
    counted_from_one = (labels[..., None] == np.arange(1, num_classes + 1)).astype("float32")
    return [
        (
            "void counts as class 0; a pixel that nobody labelled belongs to no class.",
            np.where(void, np.eye(num_classes)[0], right),
        ),
        (
            "void counts as the last class; a pixel that nobody labelled belongs to no class.",
            np.where(void, np.eye(num_classes)[-1], right),
        ),
        (
            "the classes are the first axis; they must be the last: (height, width, classes).",
            right.transpose(2, 0, 1),
        ),
        ("the classes are off by one: the first channel is class 0.", counted_from_one),
        ("one channel too many: void is not a class.", np.concatenate([right, void], axis=-1)),
        ("zeros and ones are swapped.", 1 - right),
    ]


@check
def cross_entropy(answer, seed):
    """`cross_entropy(labels, logits)`: minus the log of the softmax, its mean over labelled pixels.

    Lecture: L24.
    """
    draw = np.random.default_rng(seed)
    for size, scale in (((7, 9), 2.0), (tuple(draw.integers(5, 12, 2)), 1.0), ((6, 5), 900.0)):
        classes = int(draw.integers(3, 7))
        logits = draw.normal(0, scale, (*size, classes))
        labels = draw.integers(0, classes, size).astype("uint8")
        labels[draw.random(size) < 0.3] = VOID
        labels[0, :2] = 0, VOID
        with np.errstate(all="ignore"):  # of an answer that overflows
            got = ask(answer, labels, logits, without=PACKAGES)
        if scale > 100 and not np.isfinite(as_array(got, "the loss")).all():
            raise NotYet(
                "large logits give NaN or infinity: first subtract the largest logit of a pixel "
                "from all of its logits."
            )
        losses = -_of_true_class(_log_softmax(logits), labels)
        compare(
            got,
            losses[labels != VOID].mean(),
            what="the loss",
            mistakes=_wrong_losses(labels, logits),
        )
    return "It does not change when void pixels change."


def _wrong_losses(labels, logits):
    known = labels != VOID
    losses = -_of_true_class(_log_softmax(logits), labels)
    loss = losses[known].mean()
    softmax_twice = -_of_true_class(_log_softmax(np.exp(_log_softmax(logits))), labels)
    along_rows = np.swapaxes(_log_softmax(np.swapaxes(logits, 0, -1)), 0, -1)
    return [
        ("void pixels count as class 0: leave them out.", losses.mean()),
        (
            "you divide the sum by all pixels: divide by the number of labelled ones.",
            losses[known].sum() / labels.size,
        ),
        ("you return the sum of the losses; the task asks for their mean.", losses[known].sum()),
        ("the softmax is applied twice.", softmax_twice[known].mean()),
        (
            "the softmax runs over the wrong axis: at each pixel the probabilities of the classes "
            "add up to 1.",
            -_of_true_class(along_rows, labels)[known].mean(),
        ),
        ("the minus sign is missing.", -loss),
        ("that is the logarithm to base 10; take the natural one.", loss / np.log(10)),
        ("that is the logarithm to base 2; take the natural one.", loss / np.log(2)),
        (
            "there is no softmax: you take the logits for logarithms of probabilities.",
            -_of_true_class(logits, labels)[known].mean(),
        ),
        (
            "the logarithm is missing: that is a mean of probabilities.",
            -np.exp(-losses[known]).mean(),
        ),
        ("you return one loss per pixel; the task asks for their mean.", losses),
    ]


def _of_true_class(values, labels):
    """At each pixel the value of its labelled class, of class 0 where it is void: (H, W)."""
    classes = np.where(labels != VOID, labels, 0)[..., None].astype(int)
    return np.take_along_axis(values, classes, -1)[..., 0]


def _log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


@check
def trained_cae(answer, seed):
    """`trained_cae`: an autoencoder that reconstructs scenes it has never seen (L11)."""
    model = _trained(answer, "trained_cae")
    images, _ = _scenes(seed)
    outputs = _outputs(model, images, 3)
    error = _rms(outputs, images)
    one_colour = _rms(images.mean((1, 2), keepdims=True), images)
    if outputs.min() > -0.3 and outputs.max() < 1.5:
        raise NotYet(
            "what comes out is in 0–1, though the pictures that went in are in 0–255: the target "
            "was in another range."
        )
    if error > 0.9 * one_colour:
        raise NotYet(
            f"on new scenes its error is {error:.0f} levels (root mean square); a single colour "
            f"per picture would have {one_colour:.0f}. Is it trained, with the pictures as input "
            "and as target?"
        )
    if _rms(outputs[..., ::-1], images) < error:
        raise NotYet("the colours come out swapped: is the target the picture that goes in?")
    if _rms(outputs[:, :, ::-1], images) < error:
        raise NotYet("the picture comes out mirrored: is the target the picture that goes in?")
    if error > 0.75 * one_colour:
        raise NotYet(
            f"on new scenes its error is {error:.0f} levels; half of {one_colour:.0f} is within "
            "easy reach. Train longer."
        )
    return (
        f"On new scenes its error is {error:.0f} levels; "
        f"a single colour per picture would have {one_colour:.0f}."
    )


@check
def trained_fcn(answer, seed):
    """`trained_fcn`: an FCN that finds the road in scenes it has never seen (L12, L24)."""
    model = _trained(answer, "trained_fcn")
    images, masks = _scenes(seed)
    logits = _outputs(model, images, 2)
    found = logits.argmax(-1)
    iou = _iou(found, masks)
    if logits.min() >= 0 and np.allclose(logits.sum(-1), 1, atol=1e-3):
        raise NotYet(
            "it gives probabilities: the model must end in logits; the loss applies the softmax."
        )
    if _iou(1 - found, masks) > max(0.5, iou):
        raise NotYet("road and background are swapped: which number is the road in the labels?")
    if len(np.unique(found)) == 1:
        raise NotYet(
            f"every pixel is class {found.flat[0]}: is it trained, on `labels`, with a loss that "
            "expects logits?"
        )
    for sides, mirrored in (
        ("left and right", found[:, :, ::-1]),
        ("top and bottom", found[:, ::-1]),
    ):
        if _iou(mirrored, masks) > max(0.5, iou + 0.1):
            raise NotYet(
                f"its answer has {sides} swapped: do the labels lie on their pictures in training?"
            )
    if iou < 0.4:
        raise NotYet(
            f"the road's IoU on new scenes is {iou:.2f}; 0.6 is within easy reach. Is it trained, "
            "does the loss expect logits (`from_logits=True`), and do pictures and labels belong "
            "together?"
        )
    return f"Road IoU on new scenes: {iou:.2f}."


def _trained(answer, name):
    if answer is None:
        raise NotYet(
            f"`{name}` is still None: train a model and give it that name.", "not answered"
        )
    return as_model(answer, name)


def _set_random_weights(model, draw):
    model.set_weights([draw.normal(0, 0.3, weight.shape) for weight in model.get_weights()])


def _noise(draw, multiple):
    """Two pictures of noise, 0–255, whose sides are multiples of `multiple`."""
    height, width = draw.integers(2, 5, 2) * multiple
    return draw.uniform(0, 255, (2, height, width + multiple, 3)).astype("float32")


def _scenes(seed):
    """Drawn scenes that no training has seen, at half size.

    Images (8, 80, 288, 3), 0–255; masks (8, 80, 288), 1 is road.
    """
    from fcn_keras.datasets import road_scenes

    data = road_scenes("test", seed=seed, count=8).view({"road": ["road"]})
    images, masks = (np.stack(maps) for maps in zip(*data, strict=True))
    return images[:, ::2, ::2].astype("float32"), masks[:, ::2, ::2]


def _outputs(model, images, channels):
    """What a model gives for pictures of 80 × 288.

    Raises:
        NotYet: If it does not take them, or gives another shape.
    """
    try:
        outputs = predict(model, images)
    except Exception as error:
        reason = str(error).splitlines()[0][:200]
        raise NotYet(f"the model does not take pictures of 80 × 288: {reason}") from None
    if outputs.shape != (*images.shape[:3], channels):
        raise NotYet(
            f"for pictures of 80 × 288 the model gives {outputs.shape[1:]}; "
            f"expected (80, 288, {channels})."
        )
    if not np.isfinite(outputs).all():
        raise NotYet("the model gives NaN: the training diverged. Is the learning rate too high?")
    return outputs


def _rms(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


def _iou(found, true):
    return ((found == 1) & (true == 1)).sum() / max(1, ((found == 1) | (true == 1)).sum())
