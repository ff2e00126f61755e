"""The README's picture: a drawn scene and a photograph, each with its truth and its mistakes."""

import argparse
import sys

from fcn_keras import datasets, prediction, visualization
from fcn_keras.lecture.experiment import Experiment, Settings
from fcn_keras.lecture.photographs import labelled_photograph, trained_on_strokes
from fcn_keras.lecture.scenes import by_quality, labelled
from fcn_keras.support.kinds import File, checked
from fcn_keras.support.startup import import_keras_quietly
from fcn_keras.visualization.strokes import draw_examples

PHOTOGRAPH = "coffee"
DPI = 108  # 1,400 pixels wide


@checked
def write_picture(out: File, settings: Settings | None = None) -> None:
    """Draws the typical test scene of the experiment, and a photograph, into a file.

    Trains what was not trained before with these settings.

    Args:
        out: The `.png` to write.
        settings: Of the experiment; `None`: those of `make lecture`.
    """
    experiment = Experiment(settings or Settings(), reuse=True)
    index = by_quality(experiment)[len(experiment.road.test) // 2]
    scene, road = labelled(experiment.road.test, index)
    photograph, thing = labelled(labelled_photograph(PHOTOGRAPH), 0)
    found = prediction.segment(trained_on_strokes(experiment, PHOTOGRAPH), photograph)
    examples = {
        "drawn scene: road": (scene, road, experiment.trained.labels[index]),
        f"photograph: {datasets.PHOTOGRAPHS[PHOTOGRAPH].thing}": (photograph, thing, found),
    }
    visualization.save(draw_examples(examples), out, DPI)
    experiment.finished()


def main(arguments=None) -> int:
    """`python -m fcn_keras.lecture.readme_picture`: draws docs/result.png."""
    parser = argparse.ArgumentParser(
        prog="python -m fcn_keras.lecture.readme_picture", description=main.__doc__
    )
    parser.add_argument("--out", required=True, help="the .png to write")
    import_keras_quietly()
    write_picture(parser.parse_args(arguments).out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
