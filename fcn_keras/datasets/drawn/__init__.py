"""Data that the package draws itself: road scenes, the places that encoders learn from, shapes."""

from fcn_keras.datasets.drawn.drawn_worlds import drawn_worlds
from fcn_keras.datasets.drawn.road_scenes import draw_all, road_scenes
from fcn_keras.datasets.drawn.shapes import shapes

__all__ = ["draw_all", "drawn_worlds", "road_scenes", "shapes"]
