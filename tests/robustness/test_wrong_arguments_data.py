"""Wrong arguments of what opens, checks, reads and writes data, one mistake a case."""

import numpy as np
import pytest
from wrong_calls import (
    IMAGE,
    LABELS,
    NEITHER_COUNT_NOR_NONE,
    NOT_A_COUNT,
    NOT_A_PATH,
    NOT_A_SEED,
    NOT_DATA,
    NOT_NAMES,
    NOWHERE,
    PACKAGE,
    PALETTE,
    READ,
    answers_itself,
    cases,
    ids,
    is_right,
    right,
)

from fcn_keras import data_checks, datasets, images

DATASETS = [
    right(datasets.SegmentationData, read=READ, length=3, class_names=("a", "b")).but(
        read={"none": None, "image": IMAGE},
        length={"minus_one": -1, "a_fraction": 2.5, "none": None},
        class_names=NOT_NAMES | {"256_names": [f"c{n}" for n in range(256)]},
        palette={
            "a_word": "red",
            "one_colour": PALETTE[:1],
            "two_channels": PALETTE[:, :2],
            "above_255": PALETTE * 300.0,
        },
    ),
    right(datasets.road_scenes).but(
        split={"training": "training", "none": None}, seed=NOT_A_SEED, count=NEITHER_COUNT_NOR_NONE
    ),
    right(datasets.shapes, count=2).but(count=NOT_A_COUNT, seed=NOT_A_SEED),
    right(datasets.drawn_worlds, count=2).but(count=NOT_A_COUNT, seed=NOT_A_SEED),
    right(datasets.default_palette, num_classes=2).but(num_classes=NOT_A_COUNT),
    right(
        datasets.image_folder,
        images="data/road_scenes/images",
        masks="data/road_scenes/masks",
        class_names=tuple("abcdefg"),
    ).but(
        images=NOT_A_PATH | {"missing": NOWHERE, "folder_without_pictures": "data"},
        masks=NOT_A_PATH | {"missing": NOWHERE},
        class_names=NOT_NAMES,
        void={"minus_one": -1, "256": 256, "text": "255", "a_class": 1},
        size={"a_number": 32, "one_number": (32,), "a_zero": (0, 4), "text": "32x32"},
        palette={"a_number": 3, "without_colours": PALETTE},
        colours={"a_number": 3, "another_class": {"a": (0, 0, 0)}},
    ),
    right(datasets.plain_folder, folder="data/road_scenes").but(
        folder=NOT_A_PATH | {"missing": NOWHERE, "folder_without_pictures": "data"},
        size={"zero": 0, "one_number": (1,)},
    ),
    right(datasets.camvid, folder=NOWHERE).but(
        folder=NOT_A_PATH | {"missing": NOWHERE}, split={"training": "training", "none": None}
    ),
    right(datasets.kitti_road, folder=NOWHERE).but(
        folder=NOT_A_PATH | {"missing": NOWHERE}, split={"val": "val", "none": None}
    ),
    right(datasets.voc, folder=NOWHERE).but(
        folder=NOT_A_PATH | {"missing": NOWHERE}, split={"test": "test", "none": None}
    ),
    right(datasets.oxford_pets, folder=NOWHERE).but(
        folder=NOT_A_PATH | {"missing": NOWHERE},
        split={"val": "val"},
        border={"unknown": "thin", "none": None},
    ),
    right(datasets.lecture_files, folder=NOWHERE).but(
        folder=NOT_A_PATH | {"missing": NOWHERE}, split={"val": "val", "none": None}
    ),
    right(datasets.open_data, source="data/road_scenes").but(
        source=NOT_A_PATH | {"missing": NOWHERE, "folder_without_pictures": "data"},
        format={"coco": "coco", "none": None, "lecture_files": "npy", "voc": "voc"},
        seed=NOT_A_SEED,
        size={"a_number": 3, "a_zero": (0, 1), "text": "3x4"},
    ),
]
DATA_CHECKS = [
    right(data_checks.check, source="data/road_scenes").but(
        source=NOT_A_PATH
        | {"missing": NOWHERE, "folder_of_code": PACKAGE, "another_file": __file__},
        format={"coco": "coco", "none": None},
    ),
    right(data_checks.label_shift, data="@data").but(data=NOT_DATA),
]
IMAGES = [
    right(images.read_image, path=NOWHERE).but(
        path=NOT_A_PATH | {"missing": NOWHERE, "another_file": __file__, "folder_of_code": PACKAGE}
    ),
    right(images.read_mask, path="data/road_scenes/masks/scene_000.png").but(
        path=NOT_A_PATH
        | {
            "missing": NOWHERE,
            "another_file": __file__,
            "a_photo": "data/road_scenes/images/scene_000.jpg",
        },
        size={"a_number": 3, "a_zero": (0, 1), "text": "3x4"},
    ),
    right(images.examine, path=NOWHERE).but(
        path=NOT_A_PATH | {"missing": NOWHERE, "another_file": __file__}
    ),
    right(images.write_image, path=NOWHERE, image=IMAGE).but(
        path=NOT_A_PATH | {"gif": NOWHERE / "a.gif", "no_ending": NOWHERE / "a"}
    ),
    right(images.write_image, path=NOWHERE / "a.png", image=IMAGE).but(
        image={
            "none": None,
            "values_0_to_1": IMAGE / 255,
            "a_batch": IMAGE[None],
            "two_channels": IMAGE[..., :2],
            "text": "a",
        },
        palette={"of_a_colour_picture": PALETTE},
    ),
    right(images.write_image, path=NOWHERE / "a.png", image=LABELS).but(
        palette={
            "a_word": "red",
            "a_number": 3,
            "two_channels": PALETTE[:, :2],
            "300_colours": np.zeros((300, 3)),
        }
    ),
    right(images.open_in_place, path=NOWHERE).but(
        path=NOT_A_PATH | {"missing": NOWHERE, "another_file": __file__}
    ),
]

CALLS = [*DATASETS, *DATA_CHECKS, *IMAGES]


@pytest.mark.parametrize(("call", "argument", "value"), cases(CALLS))
def test_a_wrong_argument_is_answered_by_the_function(call, argument, value):
    answers_itself(call, argument, value)


@pytest.mark.parametrize("call", CALLS, ids=ids(CALLS))
def test_the_right_call_is_right(call):
    is_right(call)
