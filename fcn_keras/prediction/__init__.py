"""From an image to a label map: the whole image at once, or tile by tile.

`prediction.many_files` labels the pictures of a folder. Import it explicitly: it draws overlays and
therefore needs matplotlib.

`@checked` compares arguments with the kinds in the signature, such as `Model`: see `support.kinds`.
"""

from fcn_keras.prediction.tiled import segment_tiled
from fcn_keras.prediction.whole import feature_maps, logits, probabilities, segment

__all__ = ["feature_maps", "logits", "probabilities", "segment", "segment_tiled"]
