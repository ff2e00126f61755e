"""From an image to a label map: whole, or tile by tile. `many_files` labels the pictures of a folder."""

from fcn_keras.prediction.tiled import segment_tiled
from fcn_keras.prediction.whole import feature_maps, logits, probabilities, segment

__all__ = ["feature_maps", "logits", "probabilities", "segment", "segment_tiled"]
