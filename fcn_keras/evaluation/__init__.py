"""How good a segmentation is: the paper's four scores, IoU per class, the band along a boundary.

`@checked` compares arguments with the kinds in the signature, such as `Count`: see `support.kinds`.
"""

from fcn_keras.evaluation.boundary import boundary_band, coarsen
from fcn_keras.evaluation.measuring import (
    boundary_scores,
    evaluate,
    label_pairs,
    score_bands,
    score_pairs,
    upper_bound,
)
from fcn_keras.evaluation.scores import Scores, confusion_matrix
from fcn_keras.support.labels import VOID

__all__ = [
    "VOID",
    "Scores",
    "boundary_band",
    "boundary_scores",
    "coarsen",
    "confusion_matrix",
    "evaluate",
    "label_pairs",
    "score_bands",
    "score_pairs",
    "upper_bound",
]
