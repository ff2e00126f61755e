"""A functional model as a graph: its operations in order, and what each of them reads.

An operation is a layer, or a function of `keras.ops` that was called on a symbolic tensor. Keras
lists the functions in `model.operations` but not in `model.layers`. A model that is used as a layer
is one operation. Only this module reads how Keras records a graph.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Step:
    """One call of an operation. A layer that a model shares between two places has two steps."""

    operation: Any  # a layer, or a function of keras.ops
    inputs: tuple  # symbolic tensors that it reads, in the order of its arguments
    outputs: tuple  # symbolic tensors that it computes

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the operations whose outputs it reads; none for an input layer."""
        return tuple(step_of(tensor).name for tensor in self.inputs)

    @property
    def is_function(self) -> bool:
        """Whether it is a function of `keras.ops`, which has no weights, and not a layer."""
        return not hasattr(self.operation, "trainable_weights")


def step_of(tensor) -> Step:
    """The step that computes a symbolic tensor."""
    history = tensor._keras_history
    node = history.operation._inbound_nodes[history.node_index]
    return Step(history.operation, tuple(node.input_tensors), tuple(node.output_tensors))


def steps_to(tensors: Iterable, given: Iterable = ()) -> list[Step]:
    """The steps that lead from given tensors, or else from input layers, to some tensors.

    Args:
        tensors: Symbolic tensors.
        given: Symbolic tensors at which the way back ends.

    Returns:
        Each step once, after the steps that it reads.
    """
    known, found, waiting = set(given), [], list(tensors)
    while waiting:
        tensor = waiting.pop()
        if tensor in known:
            continue
        step = step_of(tensor)
        missing = [read for read in step.inputs if read not in known]
        if missing:
            waiting += [tensor, *reversed(missing)]
        else:
            known.update(step.outputs)
            found.append(step)
    return found


def steps(model) -> list[Step]:
    """The steps of a functional model, in the order of `model.operations`.

    A layer that the model shares comes as often as it is called. Calls that belong to another model
    with the same layers are left out.

    Returns:
        Each step after the steps that it reads.
    """
    waiting = steps_to([*model.inputs, *model.outputs])
    operations = list(getattr(model, "operations", ()))  # a Sequential has none, and is a chain
    if operations:
        waiting.sort(key=lambda step: operations.index(step.operation))
    known, ordered = set(), []
    while (
        waiting
    ):  # the first is ready, unless a shared layer waits for what lies between its calls
        step = next(step for step in waiting if known.issuperset(step.inputs))
        waiting.remove(step)
        known.update(step.outputs)
        ordered.append(step)
    return ordered
