"""The networks of the lecture: classifier, autoencoder, FCN-32s/16s/8s, its experiment's FCN.

Every builder makes new layers at every call and returns a flat functional `keras.Model` with input
`(batch, H, W, 3)`, RGB 0–255. All but the classifier take any height and width from 1 up. A
backbone that is handed in is cloned with its weights: training one network never changes another.

`@checked` compares arguments with the kinds in the signature, such as `Count`: see `support.kinds`.
"""

from fcn_keras.models.autoencoder import cae, fcn_from_cae
from fcn_keras.models.card import Card, card, note
from fcn_keras.models.classifier import classifier
from fcn_keras.models.describing import Row, describe
from fcn_keras.models.fcn import STRIDES, fcn, lecture_fcn
from fcn_keras.models.precision import PRECISIONS, precision
from fcn_keras.models.saving import SpoiltWeights, load, save

__all__ = [
    "PRECISIONS",
    "STRIDES",
    "Card",
    "Row",
    "SpoiltWeights",
    "cae",
    "card",
    "classifier",
    "describe",
    "fcn",
    "fcn_from_cae",
    "lecture_fcn",
    "load",
    "note",
    "precision",
    "save",
]
