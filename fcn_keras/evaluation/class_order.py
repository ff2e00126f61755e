"""Class numbers mean something only together with their names: the model's order counts."""

from fcn_keras.models.card import card


def in_models_order(model, data):
    """A data set with its classes numbered as in the model.

    Args:
        model: Its card names its classes. If it names none, the data stay as they are.
        data: `SegmentationData`. It may lack classes that the model knows.

    Raises:
        ValueError: If the model does not know one of the data's classes.
    """
    known = card(model).class_names
    if not known or known == data.class_names:
        return data
    unknown = [name for name in data.class_names if name not in known]
    if unknown:
        raise ValueError(
            f"Expected data with classes that {model.name!r} knows: {', '.join(known)}. Received: "
            f"{', '.join(data.class_names)}. {_way_out(known, data.class_names)}"
        )
    return data.in_order(known, card(model).palette or None)


def _way_out(known, names) -> str:
    groups = [name for name in known[1:] if name in names]
    if len(groups) == len(known) - 1 and known[0] not in names:
        table = ", ".join(f"{name!r}: [{name!r}]" for name in groups)
        return (
            f"data.view({{{table}}}), on the command line --classes {','.join(groups)}, makes "
            f"{known[0]} of the others."
        )
    return "Give the classes the model's names, or use a model that was trained on these."
