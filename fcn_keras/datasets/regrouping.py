"""Classes gathered into groups: which new number each old class number becomes."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fcn_keras.datasets.palettes import default_palette
from fcn_keras.support import arguments
from fcn_keras.support.labels import BACKGROUND_COLOUR, VOID

BACKGROUND = "background"  # the name of all classes that are in no group


def groups_of_classes(name: str, value):
    """A table from new names to lists of class names.

    Raises:
        ValueError: If it is something else, or empty.
    """
    if not isinstance(value, Mapping) or not value:
        example = "{'road': ['road']}"
        raise ValueError(
            f"Expected {name} to be a table, such as {example}. {arguments.received(name, value)}"
        )
    return value


def regroup(
    groups: Mapping[str, Sequence[str]], class_names: Sequence[str], palette: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The new number of every old number 0–255, and the palette of the new classes.

    A group has the colour of its first class.

    Raises:
        ValueError: If a class is unknown, or in two groups, or a group is called background.
    """
    if BACKGROUND in groups:
        raise ValueError(
            f"Expected groups without {BACKGROUND!r}: all classes that are in no group become it. "
            f"Received: {', '.join(groups)}"
        )
    new_number = np.zeros(256, "uint8")
    new_number[len(class_names) :] = VOID
    colours: list = [BACKGROUND_COLOUR]
    grouped: set[str] = set()
    for number, (group, members) in enumerate(groups.items(), start=1):
        members = _members(group, members)
        for member in members:
            if member not in class_names:
                raise _wrong_class(member, "which is not in the data", class_names)
            if member in grouped:
                raise _wrong_class(member, "which is already in a group", class_names)
            grouped.add(member)
            new_number[class_names.index(member)] = number
        colours.append(palette[class_names.index(members[0])])
    return new_number, np.array(colours)


def reorder(
    names: Sequence[str], class_names: Sequence[str], palette: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The new number of every old number 0–255, and the palette in the new order.

    Raises:
        ValueError: If one of `class_names` is not among `names`.
    """
    missing = [name for name in class_names if name not in names]
    if missing:
        raise ValueError(
            f"Expected all classes of the data, {', '.join(class_names)}. "
            f"Received: {', '.join(names)}, without {', '.join(missing)}"
        )
    new_number = np.full(256, VOID, "uint8")
    colours = default_palette(len(names))
    for old, name in enumerate(class_names):
        new = list(names).index(name)
        new_number[old], colours[new] = new, palette[old]
    return new_number, colours


def _members(group: str, members) -> list[str]:
    members = [members] if isinstance(members, str) else members
    if not isinstance(members, Iterable):
        raise ValueError(
            f"Expected names of classes in group {group!r}. {arguments.received('groups', members)}"
        )
    members = list(members)
    if not members:
        raise ValueError(f"Expected at least one class in group {group!r}. Received: none")
    return members


def _wrong_class(member, why: str, class_names) -> ValueError:
    return ValueError(
        f"Expected classes out of {', '.join(class_names)}. Received: {member!r}, {why}"
    )
