"""Which test scenes to show: good, typical and weak ones, not picked by hand."""

from fcn_keras.lecture.experiment import Experiment
from fcn_keras.support.labels import VOID


def by_quality(experiment: Experiment) -> list[int]:
    """Indices of the test scenes, worst road IoU first."""
    return sorted(range(len(experiment.road.test)), key=lambda index: iou_of(experiment, index))


def iou_of(experiment: Experiment, index: int) -> float:
    """Road IoU of one test scene; 1 if there is no road and none was found."""
    true, found = experiment.road.test[index][1], experiment.trained.labels[index]
    scored = true != VOID
    union = ((true == 1) | (found == 1)) & scored
    return float(((true == 1) & (found == 1) & scored).sum() / union.sum()) if union.any() else 1.0
