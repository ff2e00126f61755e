"""Wrong arguments of what builds, describes and converts networks, one mistake a case."""

from pathlib import Path

import keras
import numpy as np
import pytest
from wrong_calls import (
    NEITHER_COUNT_NOR_NONE,
    NOT_A_COUNT,
    NOT_A_MODEL,
    NOT_A_PATH,
    NOWHERE,
    PACKAGE,
    answers_itself,
    cases,
    ids,
    is_right,
    right,
)

from fcn_keras import (
    backbones,
    convolutionalize,
    geometry,
    layers,
    models,
    published,
    skip_connections,
)

GEOMETRY = [
    right(geometry.conv_size, size=9, kernel=3, stride=1, padding="valid").but(
        size=NOT_A_COUNT,
        kernel=NOT_A_COUNT | {"larger_than_the_map": 10},
        stride=NOT_A_COUNT,
        padding={"capitals": "SAME", "none": None, "one": 1},
    ),
    right(geometry.pooled_size, size=9, kernel=2).but(size=NOT_A_COUNT, kernel=NOT_A_COUNT),
    right(geometry.transposed_size, size=9, kernel=4, stride=2).but(
        size=NOT_A_COUNT, kernel=NOT_A_COUNT, stride=NOT_A_COUNT
    ),
    right(geometry.stamps, size=4, kernel=4, stride=2).but(size=NOT_A_COUNT, stride=NOT_A_COUNT),
    right(geometry.overlap_map, size=(3, 4), kernel=4, stride=2).but(
        size={"a_number": 3, "one_number": (3,), "a_zero": (0, 1), "text": "3x4", "none": None},
        kernel=NOT_A_COUNT,
    ),
    right(geometry.convolution_matrix, kernel=np.ones((3, 3)), size=(5, 5)).but(
        kernel={"a_number": 3, "a_row": np.ones(3), "not_square": np.ones((3, 2)), "none": None},
        size={"a_number": 5, "a_zero": (5, 0)},
    ),
    right(geometry.same_padding, size=9, kernel=3).but(size=NOT_A_COUNT),
    right(geometry.crop_offset, larger="@field", target="@field").but(
        larger={"a_number": 19, "none": None, "a_zero": (0, 1)},
        target={"the_image_itself": geometry.IMAGE, "a_number": 3},
    ),
    right(geometry.receptive_field, model="@model", layer_name="pool3").but(
        model=NOT_A_MODEL,
        layer_name={"unknown": "pool9", "a_number": 3, "none": None},
        size=NEITHER_COUNT_NOR_NONE,
        axis={"depth": "depth", "a_number": 0},
    ),
]
LAYERS = [
    right(layers.bilinear_kernel, factor=2).but(factor=NOT_A_COUNT),
    right(layers.upscore, num_classes=2, factor=2, name="up").but(
        num_classes=NOT_A_COUNT, factor=NOT_A_COUNT, padding={"full": "full", "one": 1}
    ),
    right(layers.score, num_classes=2, name="score").but(num_classes=NOT_A_COUNT),
    right(layers.CropToMatch, offset=0).but(
        offset={"minus_one": -1, "a_fraction": 1.5, "text": "5"}
    ),
    right(layers.VGGPreprocessing).but(
        mean_bgr={
            "two_numbers": (1, 2),
            "a_number": 3,
            "above_255": (1, 2, 300),
            "words": ("a", "b", "c"),
        }
    ),
]
SKIP_CONNECTIONS = [
    right(skip_connections.align, coarse="@tensor", fine="@tensor", name="a").but(
        coarse={"none": None, "a_name": "pool3", "a_number": 3, "an_array": np.zeros((3, 3))},
        fine={"none": None, "larger_than_coarse": keras.KerasTensor((None, 9, 9, 2))},
    ),
    right(skip_connections.fuse, coarse="@tensor", fine="@tensor").but(
        fusion={"unknown": "add", "none": None},
        coarse={"none": None, "a_name": "pool3"},
        fine={"another_number_of_channels": keras.KerasTensor((None, 8, 8, 3))},
    ),
]
CONVOLUTIONALIZE = [
    right(convolutionalize.dense_to_conv, dense="@dense", input_shape=(16, 16, 4)).but(
        dense={
            "none": None,
            "a_name": "dense",
            "a_convolution": keras.layers.Conv2D(1, 1),
            "not_built": keras.layers.Dense(3),
        },
        input_shape={"four": 4, "two_numbers": (4, 4), "another_size": (3, 3, 3), "text": "444"},
    ),
    right(convolutionalize.convolutionalize, classifier="@classifier").but(
        classifier=NOT_A_MODEL | {"fcn": "@model"}
    ),
]
BACKBONES = [
    right(backbones.small_vgg, weights=None).but(
        weights={"a_number": 3, "missing": NOWHERE / "w.npz", "another_file": __file__}
    ),
    right(backbones.by_name, name="small_vgg").but(
        name={"unknown": "resnet", "none": None, "a_number": 16},
        weights={"a_number": 3, "missing": NOWHERE / "w.npz", "another_file": __file__},
    ),
    right(backbones.from_keras, model="@encoder", preprocessing="none").but(
        model=NOT_A_MODEL | {"a_function": keras.applications.VGG16, "a_name": "VGG16"},
        preprocessing={"a_number": 3, "unknown": "vgg", "a_function": keras.ops.relu},
    ),
    right(backbones.load_npz, encoder="@encoder", path=backbones.SMALL_VGG_WEIGHTS).but(
        encoder=NOT_A_MODEL | {"fcn": "@model"},
        path=NOT_A_PATH | {"missing": NOWHERE, "another_file": __file__},
    ),
    right(backbones.vgg, widths=((4,),) * 5, preprocessing="@preprocessing", name="v").but(
        widths={"none": None, "a_number": 5, "empty": (), "zero_filters": ((0,),), "words": ("a",)},
        preprocessing={"none": None, "a_name": "vgg"},
    ),
]
MODELS = [
    right(models.classifier, num_classes=2).but(
        num_classes=NOT_A_COUNT | {"one": 1},
        size=NOT_A_COUNT | {"too_small": 8},
        widths={"empty": (), "a_number": 3, "words": ("a",)},
        dense=NOT_A_COUNT,
    ),
    right(models.cae).but(
        channels=NOT_A_COUNT,
        widths={
            "empty": (),
            "a_number": 16,
            "text": "16",
            "a_zero": (0,),
            "a_fraction": (2.5,),
            "none": None,
        },
    ),
    right(models.fcn_from_cae, autoencoder="@cae", num_classes=2).but(
        autoencoder={"none": None, "a_name": "cae"}, num_classes=NOT_A_COUNT | {"one": 1}
    ),
    right(models.fcn, num_classes=2, backbone="@encoder", width=4).but(
        num_classes=NOT_A_COUNT | {"one": 1, "256": 256},
        stride={"4": 4, "64": 64, "text": "8", "none": None},
        backbone={"a_name": "vgg16", "a_number": 3, "autoencoder": "@cae"},
        fusion={"unknown": "mean", "none": None},
        width=NEITHER_COUNT_NOR_NONE,
    ),
    right(models.lecture_fcn, backbone="@encoder", width=4).but(
        num_classes={"one": 1, "text": "2"},
        width=NOT_A_COUNT,
        skip_width={"zero": 0, "text": "a"},
        backbone={"a_name": "vgg16"},
    ),
    right(models.describe, model="@model").but(
        model=NOT_A_MODEL, size={"a_number": 32, "one_number": (32,), "a_zero": (0, 4)}
    ),
    right(models.load, path=NOWHERE).but(
        path=NOT_A_PATH
        | {"missing": NOWHERE, "another_file": Path(__file__), "a_folder": Path(PACKAGE)}
    ),
    right(models.save, model="@model", path=NOWHERE).but(
        model=NOT_A_MODEL, path=NOT_A_PATH | {"another_ending": "m.h5"}
    ),
]
PUBLISHED = [
    right(published.fcn32s, num_classes=2, widths=((4,),) * 5, width=4).but(
        num_classes=NOT_A_COUNT | {"one": 1}, width=NOT_A_COUNT
    ),
    right(published.load_weights, model="@published", arrays=NOWHERE).but(
        model=NOT_A_MODEL,
        arrays={
            "none": None,
            "a_number": 5,
            "a_pickle": "w.pth",
            "missing": NOWHERE.with_suffix(".npz"),
            "empty": {},
        },
    ),
    right(published.export_weights, model="@published").but(
        model=NOT_A_MODEL, path={"another_ending": "w.h5"}
    ),
    right(published.carry_over, source="@published", target="@published").but(
        source=NOT_A_MODEL | {"autoencoder": "@cae"}, target=NOT_A_MODEL
    ),
]

CALLS = [*GEOMETRY, *LAYERS, *SKIP_CONNECTIONS, *CONVOLUTIONALIZE, *BACKBONES, *MODELS, *PUBLISHED]


@pytest.mark.parametrize(("call", "argument", "value"), cases(CALLS))
def test_a_wrong_argument_is_answered_by_the_function(call, argument, value):
    answers_itself(call, argument, value)


@pytest.mark.parametrize("call", CALLS, ids=ids(CALLS))
def test_the_right_call_is_right(call):
    is_right(call)
