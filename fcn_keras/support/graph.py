"""A functional model as a graph: its operations in order, and what each of them reads.

An operation is a layer, or a function of `keras.ops` that was called on a symbolic tensor. Keras
lists the functions in `model.operations` but not in `model.layers`. A model that is used as a layer
is one operation. Only this module reads how Keras records a graph.
"""

from collections.abc import Iterable, Iterator
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

    def again(self, tensors: dict, operation=None):
        """Calls the operation once more, with the same options, on other tensors.

        Args:
            tensors: `{tensor that it read: tensor to read instead}`.
            operation: A copy of the operation to call instead.
        """
        history = self.outputs[0]._keras_history
        node = self.operation._inbound_nodes[history.node_index]
        given = {id(tensor): tensors[tensor] for tensor in self.inputs}
        args, kwargs = node.arguments.fill_in(given)
        return (operation or self.operation)(*args, **kwargs)


def kind(operation) -> str:
    """The kind of a layer, or of a function of `keras.ops`: `"Conv2D"`, `"Softmax"`, …

    Returns:
        `""` for what neither Keras nor this package has, whatever its name.
    """
    ours = type(operation).__module__.partition(".")[0] in ("keras", "fcn_keras")
    return type(operation).__name__ if ours else ""


def is_model(operation) -> bool:
    """Whether a layer is a model with a graph of its own."""
    return kind(operation) in ("Functional", "Sequential") and bool(operation.outputs)


def copy_weights(source, target) -> None:
    """Gives a layer or a model the weights of another one that is made alike.

    `Normalization` computes with numbers that it derives from its weights, and `set_weights` does
    not derive them again.
    """
    target.set_weights(source.get_weights())
    for layer in _layers_in(target):
        if kind(layer) == "Normalization":
            layer.finalize_state()


def _layers_in(layer) -> Iterator:
    """A layer, and all layers inside it if it is a model."""
    yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _layers_in(inner)


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


def only_step(model, name: str) -> Step:
    """The step of an operation that a functional model calls once.

    Raises:
        ValueError: If the model has no operation of this name, or calls it several times.
    """
    found = steps(model)
    names = [step.name for step in found]
    if name not in names:
        listed = ", ".join(dict.fromkeys(names))
        raise ValueError(f"Expected one of the model's layers: {listed}. Received: {name!r}")
    if (times := names.count(name)) > 1:
        raise ValueError(f"Expected a layer used once. Received: {name!r}, used {times} times")
    return found[names.index(name)]
