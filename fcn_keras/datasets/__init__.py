"""Pictures with a label for every pixel: drawn, the lecture's, or your own.

A data set is a function from an index to an image and its label map (`base.SegmentationData`):
images are uint8 RGB, label maps uint8 class numbers with 255 for void.
"""

from fcn_keras.datasets.base import SegmentationData
from fcn_keras.datasets.batches import Batches
from fcn_keras.datasets.drawn import draw_all, drawn_worlds, road_scenes, shapes
from fcn_keras.datasets.folders import CAMVID_CLASSES, camvid, image_folder, plain_folder
from fcn_keras.datasets.lecture_files import lecture_files
from fcn_keras.datasets.opening import FORMATS, Opened, open_data
from fcn_keras.datasets.palettes import default_palette
from fcn_keras.datasets.photograph_files import (
    PHOTOGRAPH_CLASSES,
    PHOTOGRAPHS,
    paint_strokes,
    photographs,
)
from fcn_keras.datasets.public_sets import VOC_CLASSES, kitti_road, oxford_pets, voc
from fcn_keras.support.labels import VOID

__all__ = [
    "CAMVID_CLASSES",
    "FORMATS",
    "PHOTOGRAPHS",
    "PHOTOGRAPH_CLASSES",
    "VOC_CLASSES",
    "VOID",
    "Batches",
    "Opened",
    "SegmentationData",
    "camvid",
    "default_palette",
    "draw_all",
    "drawn_worlds",
    "image_folder",
    "kitti_road",
    "lecture_files",
    "open_data",
    "oxford_pets",
    "paint_strokes",
    "photographs",
    "plain_folder",
    "road_scenes",
    "shapes",
    "voc",
]
