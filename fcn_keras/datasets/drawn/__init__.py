"""Data that the package draws itself: road scenes, the places that encoders learn from, shapes."""

from fcn_keras.datasets.drawn.drawn_worlds import drawn_worlds
from fcn_keras.datasets.drawn.road_drawing import VERSION as ROADS_VERSION
from fcn_keras.datasets.drawn.road_scenes import draw_all, road_scenes
from fcn_keras.datasets.drawn.shapes import arrays, shapes
from fcn_keras.datasets.drawn.world_canvas import CLASS_NAMES as WORLD_CLASSES

__all__ = [
    "ROADS_VERSION",
    "WORLD_CLASSES",
    "arrays",
    "draw_all",
    "drawn_worlds",
    "road_scenes",
    "shapes",
]
