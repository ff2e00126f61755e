"""Wrong arguments of scores, predictions, training and figures, one mistake a case."""

import keras
import numpy as np
import pytest
from wrong_calls import (
    IMAGE,
    LABELS,
    NOT_A_COUNT,
    NOT_A_MODEL,
    NOT_A_PATH,
    NOT_A_PICTURE,
    NOT_A_SEED,
    NOT_AN_IMAGE,
    NOT_DATA,
    NOT_DRAWABLE,
    NOT_IN_COLOURS,
    NOT_LABELS,
    NOT_NAMES,
    NOWHERE,
    PALETTE,
    answers_itself,
    cases,
    ids,
    is_right,
    right,
)

from fcn_keras import evaluation, prediction, training, visualization

EVALUATION = [
    right(evaluation.confusion_matrix, true=LABELS, predicted=LABELS, num_classes=2).but(
        true={"another_size": LABELS[:9], "fractions": LABELS / 2, "classes_too_large": LABELS + 7},
        predicted={"fractions": LABELS * 0.5, "classes_too_large": LABELS + 2},
        num_classes={"zero": 0, "text": "2", "none": None},
    ),
    right(evaluation.evaluate, model="@model", data="@data").but(
        model=NOT_A_MODEL | {"autoencoder": "@cae"}, data=NOT_DATA, batch_size=NOT_A_COUNT
    ),
    right(evaluation.score_pairs, pairs=[(LABELS, LABELS)], data="@data").but(data=NOT_DATA),
    right(evaluation.boundary_scores, model="@model", data="@data").but(
        model=NOT_A_MODEL,
        data=NOT_DATA,
        widths={"zero": 0, "a_zero": (0,), "words": ("a",), "empty": ()},
    ),
    right(evaluation.boundary_band, labels=LABELS, width=2).but(
        labels=NOT_LABELS, width=NOT_A_COUNT
    ),
    right(evaluation.coarsen, labels=LABELS, factor=2, num_classes=2).but(
        labels=NOT_LABELS | {"classes_too_large": LABELS + 9},
        factor=NOT_A_COUNT,
        num_classes=NOT_A_COUNT,
    ),
    right(evaluation.upper_bound, data="@data", factor=4).but(data=NOT_DATA, factor=NOT_A_COUNT),
    right(evaluation.Scores, confusion=np.eye(2, dtype=int)).but(
        confusion={
            "none": None,
            "a_number": 3,
            "not_square": np.ones((2, 3), int),
            "negative_counts": -np.eye(2, dtype=int),
            "floats": np.eye(2),
        }
    ),
]
PREDICTION = [
    right(prediction.segment, model="@model", image=IMAGE).but(
        model=NOT_A_MODEL, image=NOT_AN_IMAGE
    ),
    right(prediction.probabilities, model="@model", image=IMAGE).but(image=NOT_AN_IMAGE),
    right(prediction.feature_maps, model="@model", image=IMAGE, layers=["pool3"]).but(
        model=NOT_A_MODEL,
        image=NOT_IN_COLOURS,
        layers={
            "a_single_name": "pool3",
            "unknown": ["pool9"],
            "empty": [],
            "none": None,
            "a_number": 3,
        },
    ),
    right(prediction.segment_tiled, model="@model", image=IMAGE).but(
        model=NOT_A_MODEL | {"classifier": "@classifier"},
        image={
            "missing": NOWHERE,
            "grey": IMAGE[..., 0],
            "a_batch": IMAGE[None],
            "values_0_to_1": IMAGE / 255,
            "none": None,
        },
        tile={"zero": 0, "minus_four": -4, "a_word": "big", "a_fraction": 2.5, "none": None},
        memory={"zero": 0, "text": "1G"},
        out={"another_ending": "labels.png", "fractions": LABELS / 2, "another_size": LABELS[:9]},
    ),
]
TRAINING = [
    right(training.frozen_features, model="@model", data="@data").but(
        model=NOT_A_MODEL | {"autoencoder": "@cae"}, data=NOT_DATA, batch_size=NOT_A_COUNT
    ),
    right(training.fit, model="@model", train="@data", steps=1).but(
        model=NOT_A_MODEL | {"autoencoder": "@cae"},
        train=NOT_DATA,
        validation={"folder_without_pictures": "data", "a_number": 3},
        steps=NOT_A_COUNT,
        epochs={"one_with_steps": 1, "a_fraction": 2.5},
        batch_size=NOT_A_COUNT,
        learning_rate={
            "zero": 0,
            "minus_one": -1,
            "a_word": "fast",
            "none": None,
            "nan": np.nan,
            "infinite": np.inf,
        },
        augment={"unknown": "mirror", "a_number": 3, "rescaling": keras.layers.Rescaling(1)},
        seed=NOT_A_SEED,
        checkpoint={"a_number": 3},
        unfreeze={"before": "before", "true": True},
        fine_tuning={"a_number": 3, "zero": 0},
        fine_tuning_rate={"zero": 0, "none": None},
    ),
    right(
        training.diagnosis.diagnose, model="@model", data="@data", history=training.History()
    ).but(model=NOT_A_MODEL, data=NOT_DATA),
]
VISUALIZATION = [
    right(visualization.colourise, labels=LABELS, palette=PALETTE).but(
        labels=NOT_LABELS, palette={"a_number": 3, "two_channels": PALETTE[:, :2], "none": None}
    ),
    right(visualization.overlay, image=IMAGE, mask=LABELS == 1).but(
        image=NOT_A_PICTURE,
        mask={"none": None, "another_size": LABELS[:9], "image": IMAGE},
        colour={"green_without_name": (0, 255, 0)},
    ),
    right(visualization.paint_mistakes, image=IMAGE, found=LABELS == 1, true=LABELS).but(
        image=NOT_A_PICTURE,
        found={"none": None, "another_size": LABELS[:9], "image": IMAGE},
        true={"none": None, "another_size": LABELS[:9], "image": IMAGE},
    ),
    right(visualization.paint_wrong, image=IMAGE, found=LABELS, true=LABELS).but(
        image=NOT_A_PICTURE, found=NOT_LABELS, true=NOT_LABELS
    ),
    right(visualization.draw_loss, losses=[1.0, 0.5]).but(
        losses={"empty": [], "none": None, "a_word": "loss", "nested": [[1.0]]}, smooth=NOT_A_COUNT
    ),
    right(
        visualization.draw_regions,
        image=IMAGE,
        labels=LABELS,
        class_names=("a", "b"),
        palette=PALETTE,
    ).but(
        image=NOT_DRAWABLE,
        labels=NOT_LABELS,
        class_names=NOT_NAMES,
        palette={"none": None, "a_number": 3},
    ),
    right(
        visualization.draw_one_hot, images=[IMAGE], label_maps=[LABELS], class_names=("a", "b")
    ).but(
        label_maps={"empty": [], "another_size": [LABELS[:9]], "one_too_many": [LABELS] * 2},
        class_names=NOT_NAMES,
    ),
    right(
        visualization.draw_results, images=[IMAGE], predictions=[LABELS == 1], class_name="a"
    ).but(predictions={"empty": [], "images": [IMAGE]}),
    right(visualization.draw_architecture, rows="@rows", title="t").but(
        rows={"none": None, "empty": [], "fcn": "@model", "a_name": "cae"}
    ),
    right(visualization.draw_overlap, maps={"a": LABELS}).but(
        maps={"none": None, "empty": {}, "a_list": [LABELS]}
    ),
    right(visualization.draw_receptive_fields, image=IMAGE, windows={"a": ((0, 3), (0, 3))}).but(
        image=NOT_DRAWABLE, windows={"none": None, "empty": {}}
    ),
    right(visualization.save, figure="@figure", path=NOWHERE).but(
        figure={"none": None, "a_name": "figure"}, path=NOT_A_PATH, dpi=NOT_A_COUNT
    ),
]

CALLS = [*EVALUATION, *PREDICTION, *TRAINING, *VISUALIZATION]


@pytest.mark.parametrize(("call", "argument", "value"), cases(CALLS))
def test_a_wrong_argument_is_answered_by_the_function(call, argument, value):
    answers_itself(call, argument, value)


@pytest.mark.parametrize("call", CALLS, ids=ids(CALLS))
def test_the_right_call_is_right(call):
    is_right(call)
