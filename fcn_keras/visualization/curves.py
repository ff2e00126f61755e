"""Curves over training (lecture: L24)."""

import numpy as np

from fcn_keras.support import arguments
from fcn_keras.visualization.style import QUIET, SERIES, checked, new_figure, style


@checked
def draw_loss(losses, smooth: int = 15):
    """The loss of every step, and its running mean (lecture: L24).

    Args:
        losses: One number per step.
        smooth: Steps in the running mean.
    """
    losses = np.asarray(losses, "float64")
    arguments.whole_number("smooth", smooth, 1)
    steps = np.arange(1, len(losses) + 1)
    with style():
        figure = new_figure(13, 6.5, "Training the head: the loss falls")
        axis = figure.subplots()
        axis.plot(
            steps, losses, color=SERIES[0], alpha=0.3, linewidth=1.2, label="loss of each step"
        )
        if len(losses) >= 2 * smooth:
            mean = np.convolve(losses, np.full(smooth, 1 / smooth), mode="valid")
            axis.plot(
                steps[smooth - 1 :],
                mean,
                color=SERIES[0],
                linewidth=3.5,
                label=f"mean of the last {smooth} steps",
            )
        guess = np.log(2)
        axis.axhline(guess, color=QUIET, linestyle="--", linewidth=1.5)
        axis.text(
            len(losses),
            guess,
            "guessing between two classes: ln 2",
            ha="right",
            va="bottom",
            color=QUIET,
        )
        axis.set(xlabel="training step", ylabel="softmax cross-entropy", yscale="log")
        ticks = [
            tick
            for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
            if losses.min() / 2 < tick < losses.max() * 2
        ]
        axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
        axis.grid(axis="y", color=QUIET, alpha=0.25)
        axis.legend(frameon=False, loc="lower left")
    return figure
