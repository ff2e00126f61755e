"""Curves over training (lecture: L24)."""

import numpy as np

from fcn_keras.support.kinds import Count, Losses, checked
from fcn_keras.visualization.style import QUIET, SERIES, new_figure, style

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # of a loss, on a logarithmic axis


@checked
def draw_loss(losses: Losses, smooth: Count = 15):
    """The loss of every step, and its running mean (lecture: L24).

    Args:
        losses: One number per step.
        smooth: Steps in the running mean.
    """
    values = np.asarray(losses, "float64")
    guess = np.log(2)
    with style():
        figure = new_figure(13, 6.5, "Training the head: the loss falls")
        axis = figure.subplots()
        paint_steps(axis, values, smooth if len(losses) >= 2 * smooth else None, pale=0.3)
        axis.axhline(guess, color=QUIET, linestyle="--", linewidth=1.5)
        text = "guessing between two classes: ln 2"
        axis.text(len(losses), guess, text, ha="right", va="bottom", color=QUIET)
        axis.set(xlabel="training step", ylabel="softmax cross-entropy", yscale="log")
        loss_ticks(axis, values.min() / 2, 2 * values.max())
        axis.grid(axis="y", color=QUIET, alpha=0.25)
        axis.legend(frameon=False, loc="lower left")
    return figure


def paint_steps(axis, losses, smooth: int | None, pale: float) -> None:
    """The loss of each step, and over it the mean of the last `smooth` steps, or no mean."""
    steps = np.arange(1, len(losses) + 1)
    label = "loss of each step"
    axis.plot(steps, losses, color=SERIES[0], alpha=pale, linewidth=1.2, label=label)
    if smooth is not None:
        mean = np.convolve(losses, np.full(smooth, 1 / smooth), mode="valid")
        label = f"mean of the last {smooth} steps"
        axis.plot(steps[smooth - 1 :], mean, color=SERIES[0], linewidth=3.5, label=label)


def loss_ticks(axis, low: float, high: float, ticks=TICKS) -> None:
    """Round numbers on a logarithmic axis of losses, those between two limits."""
    ticks = [tick for tick in ticks if low < tick < high]
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
