"""What a training and the model's card tell each other."""

import fcn_keras
from fcn_keras import models
from fcn_keras.training.checkpoint import data_in_a_line


def numbered_as_in(model, data):
    """A data set with the classes in the order that the model's card names; a line says so.

    A model that is trained on with the same classes keeps its channels. One that does not know all
    of the data's classes is trained for these, in their own order.

    Args:
        model: Perhaps trained before.
        data: `SegmentationData`, or `None`.
    """
    known = models.card(model).class_names
    if data is None or data.reconstructs or known == data.class_names:
        return data
    if not known or not set(data.class_names) <= set(known):
        return data
    print(f"{data.name}: its classes are numbered as {model.name} does, {', '.join(known)}.")
    return data.in_order(known)


def note_training(model, data, in_a_line: str | None) -> None:
    """Writes into the model's card what it was trained on.

    Args:
        model: Trained.
        data: What it was trained on. A reconstruction has no classes, so it is not noted.
        in_a_line: `checkpoint.data_in_a_line` of the data, if it is known already.
    """
    if data.reconstructs:
        return
    policies = {layer.dtype_policy.name for layer in model.layers}
    models.note(
        model,
        class_names=data.class_names,
        palette=data.palette.tolist(),
        **{"size": None, "bands": None, "scale": None, **data.prepared},
        precision=next(filter(policies.__contains__, reversed(models.PRECISIONS)), ""),
        data=in_a_line or data_in_a_line(data),
        held_out=None,
        version=fcn_keras.__version__,
    )
