"""The default data: road scenes drawn by `road_drawing`, and kept once they are drawn."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.drawn.road_drawing import CLASS_NAMES, PALETTE, VERSION, draw_scene
from fcn_keras.support.files import home, written_whole
from fcn_keras.support.kinds import Count, Seed, checked
from fcn_keras.support.progress import progress

COUNTS = {"train": 500, "val": 40, "test": 60}


@checked
def road_scenes(
    split: Literal["train", "val", "test"] = "train", seed: Seed = 0, count: Count | None = None
) -> SegmentationData:
    """Scenes as seen from a car, 160 × 576, seven classes, drawn when they are first asked for.

    Scene i of a split and seed has the same bytes in any process and in any order. Drawn scenes are
    kept under `$FCN_KERAS_HOME`, else `~/.keras/fcn_keras`. If they cannot be written there, they
    are drawn again each time.

    Args:
        split: `"train"` (500 scenes), `"val"` (40) or `"test"` (60). No scene is in two of them.
        seed: Another seed gives other scenes.
        count: Number of scenes, or `None` for the usual number.

    Returns:
        `SegmentationData`; `.view({"road": ["road"]})` is the lecture's two-class task.

    Raises:
        ValueError: If the split is unknown or `count` is smaller than 1.
    """
    count = COUNTS[split] if count is None else count
    folder = home() / "road_scenes" / f"v{VERSION}-{split}-{seed}"

    def read(index):
        try:
            scene = np.load(folder / f"{index:05}.npy", allow_pickle=False)
            return scene[..., :3], scene[..., 3]
        except (OSError, ValueError):  # not drawn yet, or damaged
            image, mask = draw_scene(index, split, seed)
        try:
            with written_whole(folder / f"{index:05}.npy") as temporary:
                np.save(temporary, np.dstack([image, mask]))
        except OSError:  # a full disk or a read-only home must not stop a class
            pass
        return image, mask

    return SegmentationData(read, count, CLASS_NAMES, PALETTE, f"road scenes {split}")


def draw_all(datasets: Sequence[SegmentationData]) -> None:
    """Draws the missing scenes on all cores, with a progress bar.

    Args:
        datasets: Data sets from `road_scenes`.
    """
    jobs = [(data, index) for data in datasets for index in range(len(data))]
    with (
        progress("drawing road scenes", len(jobs)) as advance,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for _ in pool.map(lambda job: job[0][job[1]] and None, jobs):
            advance()
