"""FCN-32s, 16s and 8s, and the network of the lecture's experiment (lecture: L18–L21, L23)."""

from typing import Literal

import keras

from fcn_keras import backbones, layers
from fcn_keras.models.card import note
from fcn_keras.models.encoding import encode
from fcn_keras.skip_connections import align, fuse
from fcn_keras.support.kinds import Classes, Count, Encoder, checked

STRIDES = (32, 16, 8)


@checked
def fcn(
    num_classes: Classes,
    stride: Literal[32, 16, 8] = 8,
    backbone: Encoder | None = None,
    fusion: Literal["sum", "concat"] = "sum",
    freeze_backbone: bool = True,
    width: Count | None = 128,
) -> keras.Model:
    """FCN-32s, 16s or 8s: coarse scores, refined by no, one or two skips (lecture: L18–L21).

    Args:
        num_classes: Number of classes C, at least 2; void is not one of them.
        stride: 32 (no skip), 16 (skip from pool4) or 8 (skips from pool4 and pool3).
        backbone: Encoder with layers or outputs `pool3`, `pool4`, `pool5` at 1/8, 1/16 and 1/32 of
            the image, such as `backbones.vgg16()`; it is cloned. `None`: `backbones.default()`.
        fusion: How a skip is merged, `"sum"` or `"concat"`.
        freeze_backbone: Whether training leaves the encoder's weights unchanged.
        width: Channels of `fc6` and `fc7`; the paper has 4096. `None`: the network has neither, and
            the scores are read straight off pool5.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255 → `(batch, H, W, C)` logits. Layer names as
        in the paper: `fc6`, `fc7`, `score_fr`, `upscore2`, `score_pool4`, `fuse_pool4`, …

    Raises:
        ValueError: If `stride`, `fusion` or `num_classes` is not possible, or the backbone has no
            `pool3` … `pool5` of these sizes.

    Example:
        >>> model = fcn.models.fcn(num_classes=2, stride=8)
        >>> tuple(model(np.zeros((1, 37, 50, 3))).shape)
        (1, 37, 50, 2)
        >>> [layer.name for layer in model.layers if layer.name.startswith("fuse")]
        ['fuse_pool4', 'fuse_pool3']
    """
    backbone = backbone or backbones.default()
    image, pools = encode(backbone, freeze_backbone)

    x = pools["pool5"]
    if width is not None:
        options: dict = dict(activation="relu", kernel_initializer="he_normal")
        x = keras.layers.Conv2D(width, 7, padding="same", name="fc6", **options)(x)
        x = keras.layers.Conv2D(width, 1, name="fc7", **options)(x)  # (B, H/32, W/32, width)
    x = layers.score(num_classes, "score_fr")(x)  # (B, H/32, W/32, C)
    if stride <= 16:
        x = layers.upscore(num_classes, 2, "upscore2")(x)
        x = _skip(x, pools["pool4"], fusion, "pool4")  # (B, H/16, W/16, C)
    if stride == 8:
        x = layers.upscore(num_classes, 2, "upscore_pool4")(x)
        x = _skip(x, pools["pool3"], fusion, "pool3")  # (B, H/8, W/8, C)
    x = layers.upscore(num_classes, stride, "upscore" if stride == 32 else f"upscore{stride}")(x)
    return _model(image, align(x, image, name="logits"), f"fcn{stride}s", backbone)


def _skip(coarse, pool, fusion, name):
    """One skip connection: scores from the finer pool correct the coarser ones."""
    fine = layers.score(coarse.shape[-1], f"score_{name}")(pool)
    return fuse(align(coarse, fine, f"align_{name}"), fine, fusion, f"fuse_{name}")


@checked
def lecture_fcn(
    num_classes: Classes = 2,
    backbone: Encoder | None = None,
    width: Count = 4096,
    freeze_backbone: bool = True,
    skip_width: Count | None = None,
) -> keras.Model:
    """The network of the lecture's experiment: skips add features, not scores (lecture: L23).

    Args:
        num_classes: Number of classes C, at least 2; the lecture's are background and road.
        backbone: As in `fcn`. The lecture's is `backbones.vgg16()`.
        width: Channels of `conv6` and `fcn4`. The lecture's 4096 are 103 million weights behind
            VGG16; 32 are enough for the drawn roads.
        freeze_backbone: Whether training leaves the encoder's weights unchanged.
        skip_width: Channels to which a 1 × 1 convolution narrows pool3 and pool4 before they are
            added, if they have more. `None`: they are not narrowed, as in the lecture. With VGG16's
            256 and 512 channels most of a small head's work is upsampling.

    Returns:
        `keras.Model`, `(batch, H, W, 3)` RGB 0–255 → `(batch, H, W, C)` logits. With VGG16 and
        width 4096: 136,514,116 parameters, 121,799,428 of them trained.

    Raises:
        ValueError: If `num_classes` is smaller than 2, or the backbone has no `pool3` … `pool5` of
            these sizes.

    Example:
        >>> model = fcn.models.lecture_fcn(num_classes=2, width=32)
        >>> tuple(model(np.zeros((1, 37, 50, 3))).shape)
        (1, 37, 50, 2)
    """
    backbone = backbone or backbones.default()
    image, pools = encode(backbone, freeze_backbone)

    def up(filters, kernel, stride, name, dtype=None):
        return keras.layers.Conv2DTranspose(
            filters, kernel, strides=stride, padding="same", dtype=dtype, name=name
        )

    # shapes for the lecture's 160 × 576 image, VGG16 and width 4096
    pool3 = _narrowed(pools["pool3"], skip_width, "narrow_pool3")  # (20, 72, 256)
    pool4 = _narrowed(pools["pool4"], skip_width, "narrow_pool4")  # (10, 36, 512)
    x = pools["pool5"]  # (5, 18, 512)
    x = keras.layers.Conv2D(width, 7, padding="same", activation="relu", name="conv6")(x)
    x = keras.layers.Conv2D(width, 1, activation="relu", name="fcn4")(x)  # (5, 18, 4096)
    x = keras.layers.Conv2D(num_classes, 1, name="fcn3")(x)  # (5, 18, 2)
    x = up(pool4.shape[-1], 4, 2, "fcn2")(x)  # (10, 36, 512)
    x = fuse(align(x, pool4, "align_pool4"), pool4, "sum", "fuse_pool4")
    x = up(pool3.shape[-1], 4, 2, "fcn1")(x)  # (20, 72, 256)
    x = fuse(align(x, pool3, "align_pool3"), pool3, "sum", "fuse_pool3")
    x = up(num_classes, 16, 8, "output", dtype="float32")(x)  # (160, 576, 2); see `layers.upscore`
    return _model(image, align(x, image, name="logits"), "lecture_fcn", backbone)


def _narrowed(pool, channels, name):
    """The pool itself, or a 1 × 1 convolution of it if it has more channels than wanted."""
    if channels is None or pool.shape[-1] <= channels:
        return pool
    return keras.layers.Conv2D(channels, 1, name=name)(pool)


def _model(image, logits, name, backbone):
    """The network, whose card names its encoder."""
    model = keras.Model(image, logits, name=name)
    note(model, encoder=backbone.name)
    return model
