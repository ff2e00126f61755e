"""Options that have an effect only with others; where they have none, they are refused.

Otherwise `train --stride 16` would train the lecture's network, and nobody would notice.
"""

from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Dependent:
    """An option that the command reads only sometimes."""

    option: str
    has_effect: Callable[[Namespace], bool]
    otherwise: str  # why it has none, and what to do


DEPENDENT = (
    Dependent(
        "fine_tuning_rate",
        lambda options: bool(options.fine_tune),
        "it is the rate of --fine-tune. Leave it out, or add --fine-tune N",
    ),
    Dependent(
        "stride",
        lambda options: options.network == "fcn",
        "the lecture's network has one stride. Leave it out, or add --network fcn",
    ),
    Dependent(
        "fusion",
        lambda options: options.network == "fcn",
        "the lecture's network always sums. Leave it out, or add --network fcn",
    ),
    Dependent(
        "fusion",
        lambda options: options.stride != 32,
        "with --stride 32 there are no skip connections to fuse. Leave one of the two out",
    ),
)


def refuse_what_has_none(options: Namespace) -> None:
    """Refuses options that were given and that nothing would read.

    Args:
        options: The command's, with the names of those that were typed as `given`.

    Raises:
        ValueError: If there is one.
    """
    others = options.given - {"list"}
    if getattr(options, "list", False) and others:
        raise ValueError(
            f"{listed(others)} would have no effect: --list only lists the identifiers. "
            "Leave one of the two out"
        )
    for dependent in DEPENDENT:
        if dependent.option in options.given and not dependent.has_effect(options):
            raise ValueError(
                f"{typed(dependent.option)} would have no effect: {dependent.otherwise}"
            )


def listed(names: Iterable[str]) -> str:
    """Options as they are typed, in a fixed order."""
    return ", ".join(sorted(map(typed, names)))


def typed(name: str) -> str:
    """An option as it is typed; `names` are identifiers that stand alone."""
    return "an identifier" if name == "names" else f"--{name.replace('_', '-')}"
