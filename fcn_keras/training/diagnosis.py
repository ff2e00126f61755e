"""What went wrong in a training, named, with the evidence and the likely cause.

A network that learns nothing raises no error. This module examines what it shows instead: a loss, a
label map, the numbers that reach its first convolution.
"""

import keras
import numpy as np

from fcn_keras.data_checks import label_shift
from fcn_keras.evaluation.measuring import label_pairs
from fcn_keras.evaluation.scores import confusion_matrix
from fcn_keras.support import arguments, graph
from fcn_keras.support.kinds import DataSet, Model, checked
from fcn_keras.support.labels import VOID

IMAGES_TO_JUDGE = 8  # how many training images are looked at
MORE_IMAGES = 200  # how many if those show one class only
FEW_STEPS = 20  # fewer steps than this say nothing about a learning rate
MOVED = 0.1  # a loss that fell by less than this share has hardly moved
FAR = 3  # a loss that rose to this many times its start tells of steps that are too long
# Weights that could have moved by less than this share of their size cannot have learnt anything
OUT_OF_REACH = 0.02
PREPROCESSING = ("Rescaling", "Normalization", "VGGPreprocessing", "Lambda")


@checked
def diagnose(model: Model, data: DataSet, history) -> list[str]:
    """Says what is wrong with a finished training, a sentence for each fault.

    The questions, in this order: is the loss a number? Are images preprocessed twice? Does the
    augmentation lose the labels? Are labels shifted off their objects? Do they hold only one class?
    Are the steps far too long or too short? Does the loss move at all? Is one class predicted
    everywhere? Only the first fault of the loss is reported, since the others follow from it.

    Args:
        model: The trained model.
        data: What it was trained on.
        history: What `training.fit` noted: `loss`, a number per step; `learning_rate`, if it is
            known; `augmented`, what an augmentation made of the first images.

    Returns:
        Messages; empty if nothing is wrong.

    Raises:
        TypeError: If model, data or history are something else.
        ValueError: If the data has no labels.
    """
    if not all(hasattr(history, note) for note in ("loss", "learning_rate", "augmented")):
        raise TypeError(
            "Expected history to be what training.fit gives. "
            f"{arguments.received('history', history)}"
        )
    if len(data) == 0 or data[0][1] is None:
        raise ValueError(
            f"Expected data with labels, as it was trained on. Received: {data!r}, which has none"
        )
    if history.loss and not np.isfinite(history.loss[-1]):
        return [_not_a_number(history.loss)]
    augmented = history.augmented
    found = [twice_preprocessed(model, data[0][0], augmented and augmented.value_range)]
    if data[0][1].ndim == 2:  # an autoencoder has neither labels nor classes
        lost = augmented.lost_labels() if augmented else ""
        found += [lost, _shifted(data), _learning(model, data, history)]
    return [message for message in found if message]


def _not_a_number(loss) -> str:
    number = len(loss)
    if number == 1:
        return (
            "The loss was not a number (NaN) in the very first step, before anything was learnt. "
            "The likely cause: NaN in the weights, from an earlier failed training (make a new "
            "model), or in an augmentation layer's output."
        )
    before = ", ".join(f"{value:.3g}" for value in loss[-4:-1])
    return (
        f"The loss was not a number (NaN) after step {number}, and training stopped; before that "
        f"it was {before}. The likely cause is a learning rate that is too high: make a new model, "
        "for its weights are spoilt, and try a tenth of the rate."
    )


def twice_preprocessed(model, image: np.ndarray, batch: tuple[float, float] | None = None) -> str:
    """Whether images are scaled or centred before the model does it itself.

    Args:
        model: Its layers before the first weights are looked at.
        image: One image of the data, 0–255.
        batch: Lowest and highest value in a batch as the model got it, behind the augmentation.

    Returns:
        The message, or `""`.
    """
    if batch is not None and (batch[0] < -1 or 0 < batch[1] <= 1.5):
        return (
            f"Preprocessing is applied twice: images reach the model with values {batch[0]:.2f} to "
            f"{batch[1]:.2f}, not 0 to 255, and the model scales them once more. The likely cause: "
            "a layer in augment= that scales (Rescaling, or a value_range of (0, 1)). Leave it out."
        )
    before, reached = _before_first_weights(model, image)
    if len(before) < 2 or _is_one_standardization(before, image.shape[-1]):
        return ""
    names, said = [layer.name for layer in before], ""
    if reached is not None:
        low, high = reached.min(), reached.max()
        said = f"; what reaches the first convolution lies between {low:.2f} and {high:.2f}"
    return (
        f"Preprocessing is applied twice: the layers {' and '.join(map(repr, names))} of "
        f"{model.name!r} all change the values of the images{said}. Models of this package scale "
        "images: remove your own layer."
    )


def _before_first_weights(model, image):
    """The layers that scale before the first weights, and what the last of them gives."""
    found, tensor = [], model.inputs[0]
    for step in graph.steps(model):
        layer = step.operation
        if isinstance(layer, keras.Model):  # what stands before its first weights counts too
            before = layer.layers[: _first_weights(layer)]
            inner = [own for own in before if type(own).__name__ in PREPROCESSING]
            return found + inner, None
        if getattr(layer, "weights", ()) or len(step.inputs) > 1:
            break
        if type(layer).__name__ in PREPROCESSING:
            found.append(layer)
        tensor = step.outputs[0]
    if len(found) < 2:
        return found, None
    return found, keras.Model(model.inputs, tensor).predict_on_batch(image[None].astype("float32"))


def _is_one_standardization(layers, channels: int) -> bool:
    """Whether layers scale and then centre as one, as in EfficientNet: black and white stay apart.

    Where an image is scaled twice, its values all but coincide.
    """
    if [type(layer).__name__ for layer in layers] != ["Rescaling", "Normalization"]:
        return False
    scale, centre = layers
    black_and_white = np.repeat(np.array([[[[0.0], [255.0]]]]), channels, axis=-1)  # (1, 1, 2, C)
    return float(np.ptp(keras.ops.convert_to_numpy(centre(scale(black_and_white))))) > 1


def _first_weights(model) -> int:
    return next(
        (number for number, layer in enumerate(model.layers) if layer.weights), len(model.layers)
    )


def _shifted(data) -> str:
    """Whether the labels' edges lie on the pictures' edges only after a small shift."""
    chosen = _some(data)
    shift = label_shift(data, chosen) if len(chosen) >= 4 else None
    if shift is None:
        return ""
    return (
        f"The labels are shifted off their objects: in {len(chosen)} pictures examined, "
        f"{shift.in_words()}. The network learns the shift. The likely cause: pictures and masks "
        "were cropped or padded in different ways."
    )


def _learning(model, data, history) -> str:
    """What the loss, and the classes that are predicted, say about the learning."""
    loss = np.array(history.loss)
    if not len(loss):
        return ""
    ends = max(1, min(len(loss) // 4, 10))
    first, last = loss[:ends].mean(), loss[-ends:].mean()
    fell = f"the loss went from {first:.3f} to {last:.3f} in {len(loss)} steps"
    stuck = last > (1 - MOVED) * first
    too_few = _too_few_classes(data)
    if too_few:
        return too_few
    everywhere = _one_class(model, data)
    also = f", and the model predicts one class everywhere, {everywhere[0]!r}" if everywhere else ""
    if len(loss) >= FEW_STEPS and loss.max() > FAR * loss[0] and (last > loss[0] or everywhere):
        return (
            f"The learning rate is far too high: {fell}, with {loss.max():.3g} at its worst in "
            f"step {loss.argmax() + 1}{also}. Make a new model and try a tenth of "
            f"{_rate(history.learning_rate)}."
        )
    share = _within_reach(model, history)
    if len(loss) >= FEW_STEPS and stuck and share is not None and share < OUT_OF_REACH:
        return (
            f"The learning rate is far too low: {fell}, and in so many steps the weights could "
            f"change by at most {100 * share:.2g} % of their size{also}. Try a hundred times "
            f"{_rate(history.learning_rate)}."
        )
    if everywhere:
        return _one_class_message(everywhere, fell, len(loss), stuck)
    if len(loss) >= FEW_STEPS and last > (1 - MOVED / 5) * first and _poor(model, data):
        return (
            f"The loss does not move: {fell}. The likely cause: labels that have nothing to do "
            "with their pictures (do the file names match?), or a rate that is far off: look at a "
            "few labels laid over their pictures, then try a tenth and ten times the rate."
        )
    return ""


def _too_few_classes(data) -> str:
    """Whether the labels hold fewer than two classes, so that everything soon is right."""
    counts = np.zeros(256, "int64")
    looked_at = []
    for how_many in (IMAGES_TO_JUDGE, MORE_IMAGES):
        for index in _some(data, how_many):
            if index not in looked_at:
                counts += np.bincount(data[index][1].ravel(), minlength=256)
                looked_at.append(index)
            if np.count_nonzero(counts[:VOID]) > 1:
                return ""
    if not counts[:VOID].any():
        return (
            "Nothing could be learnt: every pixel of the labels that were looked at is void (255), "
            "and void is not trained on."
        )
    void, only = counts[VOID] / counts.sum(), data.class_names[counts[:VOID].argmax()]
    where = f"all {len(data)}"
    if len(looked_at) < len(data):
        where = f"{len(looked_at)} of {len(data)}"
    cause = "masks that were never finished, were saved as black, or became 0 by a division"
    if void:
        cause = (
            "masks that are white on black, where white is 255: "
            f"{100 * void:.2g} % of the pixels are 255, which is void here and not trained on; "
            "divide them by 255. Or masks that were never finished"
        )
    also_void = " and void" if void else ""
    return (
        f"There was nothing to learn: the labels of {where} pictures hold one class only, {only!r}"
        f"{also_void}, of {', '.join(data.class_names)}. Predicting it everywhere is right, so the "
        f"loss and the scores look perfect and mean nothing. The likely cause: {cause}. check-data "
        "looks at every mask."
    )


def _one_class_message(everywhere, fell, steps, stuck) -> str:
    name, share = everywhere
    if share > 0.9:
        cause = (
            f"{100 * share:.0f} % of the pixels are {name!r}, so always predicting it is nearly "
            "right: train longer"
        )
    elif steps < FEW_STEPS:
        cause = f"too few steps ({steps}): {fell}"
    elif stuck:
        cause = (
            "a learning rate that is far off (try a tenth of it), or labels of other pictures; the "
            f"loss hardly moved: {fell}"
        )
    else:
        cause = f"too few steps ({steps}) or too high a learning rate: {fell}"
    return f"The model predicts one class everywhere, {name!r}. The likely cause: {cause}."


def _confusion(model, data) -> np.ndarray:
    total = np.zeros((data.num_classes, data.num_classes), "int64")
    for true, predicted in label_pairs(model, data.subset(_some(data))):
        total += confusion_matrix(true, predicted, data.num_classes)
    return total


def _one_class(model, data) -> tuple[str, float] | None:
    """The class that is predicted everywhere although there are others, and its share of pixels."""
    total = _confusion(model, data)
    predicted, true = np.flatnonzero(total.sum(axis=0)), np.flatnonzero(total.sum(axis=1))
    if len(predicted) != 1 or len(true) < 2:
        return None
    return data.class_names[predicted[0]], total.sum(axis=1)[predicted[0]] / total.sum()


def _poor(model, data) -> bool:
    """Whether always saying the most common class would be about as good."""
    total = _confusion(model, data)
    return np.trace(total) < 1.05 * total.sum(axis=1).max()


def _within_reach(model, history) -> float | None:
    """How far Adam can have moved the weights, as a share of their size.

    A step of Adam moves a weight by about the learning rate.
    """
    kernels = [
        keras.ops.convert_to_numpy(weight)
        for weight in model.trainable_weights
        if len(weight.shape) > 1
    ]
    if history.learning_rate is None or not kernels:
        return None
    size = np.sqrt(
        sum(float(np.square(kernel).sum()) for kernel in kernels)
        / sum(kernel.size for kernel in kernels)
    )
    return len(history.loss) * history.learning_rate / max(size, 1e-12)


def _rate(learning_rate) -> str:
    return "the rate" if learning_rate is None else f"{learning_rate:g}"


def _some(data, how_many: int = IMAGES_TO_JUDGE) -> list[int]:
    """Some images, evenly spread."""
    return np.unique(np.linspace(0, len(data) - 1, how_many).astype(int)).tolist()
