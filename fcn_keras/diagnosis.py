"""What went wrong in a training, named, with the likely cause."""

import numpy as np

from fcn_keras.evaluation import confusion_matrix, label_pairs

IMAGES_TO_JUDGE = 8  # how many training images are looked at for "one class everywhere"


def diagnose(model, data, history) -> list[str]:
    """Says in a sentence what is wrong with a finished training, and the likely cause.

    Args:
        model: The trained model.
        data: What it was trained on.
        history: What `training.fit` noted; its `loss` is a list with one number per step.

    Returns:
        Messages; empty if nothing is wrong.
    """
    if history.loss and not np.isfinite(history.loss[-1]):
        return [
            f"The loss was not a number (NaN) after step {len(history.loss)}, and training stopped. The likely cause is "
            "a learning rate that is too high: make a new model, for its weights are spoilt, and try a tenth of the rate."
        ]
    if data[0][1].ndim != 2:  # an autoencoder has no classes
        return []
    chosen = np.unique(np.linspace(0, len(data) - 1, IMAGES_TO_JUDGE).astype(int))
    total = np.zeros((data.num_classes, data.num_classes), "int64")
    for true, predicted in label_pairs(model, data.subset(chosen)):
        total += confusion_matrix(true, predicted, data.num_classes)
    predicted, true = np.flatnonzero(total.sum(axis=0)), np.flatnonzero(total.sum(axis=1))
    if len(predicted) != 1 or len(true) < 2:
        return []
    name, share = data.class_names[predicted[0]], total.sum(axis=1)[predicted[0]] / total.sum()
    first, last = np.mean(history.loss[:5]), np.mean(history.loss[-5:])
    if last > 0.9 * first:
        cause = f"the loss hardly moved ({first:.3f} to {last:.3f}), so the learning rate is far off: try a tenth of it"
    elif share > 0.9:
        cause = f"{100 * share:.0f} % of the pixels are {name!r}, so saying it always is nearly right: train longer"
    else:
        cause = f"too few steps ({len(history.loss)}) or too high a learning rate: the loss was still {last:.3f}"
    return [f"The model predicts one class everywhere, {name!r}. The likely cause: {cause}."]
