"""Is it the network of the paper, and of the lecture? Each published figure, beside the one found here.

`python -m fcn_keras fidelity` prints the report. Every check computes its figure from the networks and
layers as they are now; nothing is compared with a stored result of our own.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import keras
import numpy as np

from fcn_keras import backbones, convolutionalize, evaluation, geometry, layers, models, published

PAPER = "Long, Shelhamer, Darrell"
CLOSE = 1e-4  # of the largest value: float32 sums of up to 25,088 terms


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    check: str  # which of CHECKS
    claim: str
    expected: str
    found: str
    passed: bool
    source: str  # who says what is expected


def report(data) -> Iterator[Row]:
    """Runs all checks, one after the other; about 20 seconds.

    Args:
        data: A `SegmentationData` with labels, for the upper bounds; `datasets.road_scenes("test")`.

    Yields:
        `Row`.
    """
    for check in CHECKS:
        yield from check(data)


def parameters(_) -> Iterator[Row]:
    """The size of FCN-VGG16."""
    model = published.fcn32s()
    count = model.count_params() - model.get_layer("upscore").count_params()
    yield _equal(
        "parameters",
        "FCN-VGG16, 21 classes, without upsampling: parameters",
        134_346_581,
        count,
        f"{PAPER}, table 1",
    )


def receptive_fields(_) -> Iterator[Row]:
    """What a position of each pooling sees, and how far it is to the next."""
    encoder = backbones.vgg16(weights=None)
    network = published.fcn32s(2, THIN_VGG16, 2)
    for model, name, expected in (
        (encoder, "pool3", "44/8"),
        (encoder, "pool4", "100/16"),
        (encoder, "pool5", "212/32"),
        (network, "score_fr", "404/32"),
    ):
        field = geometry.receptive_field(model, name)
        claim = f"{name}: receptive field/stride in pixels"
        yield _equal(
            "receptive_fields",
            claim,
            expected,
            f"{field.size}/{field.stride}",
            f"{PAPER}, table 1 and section 4",
        )


def crop_offsets(_) -> Iterator[Row]:
    """Where the released networks crop; ours derive it."""
    for build, expected in (
        (published.fcn32s, "19"),
        (published.fcn16s, "5, 27"),
        (published.fcn8s, "5, 9, 31"),
    ):
        offsets = published.crop_offsets(build(2, THIN_VGG16, 2))
        claim = f"FCN-{build.__name__[3:]}: crop offsets, derived"
        yield _equal(
            "crop_offsets",
            claim,
            expected,
            ", ".join(map(str, offsets.values())),
            "released networks",
        )


def bilinear(_) -> Iterator[Row]:
    """A transposed convolution with the bilinear kernel, against NumPy's interpolation along each axis."""
    for factor in (2, 8, 32):
        scores = np.random.default_rng(factor).normal(size=(6, 7)).astype("float32")
        rows, columns = (
            (np.arange(factor, factor * (n - 1)) + 0.5) / factor - 0.5 for n in scores.shape
        )  # inside the border
        expected = np.array([np.interp(columns, np.arange(7), row) for row in scores])
        expected = np.array([np.interp(rows, np.arange(6), column) for column in expected.T]).T
        found = keras.ops.convert_to_numpy(
            layers.upscore(1, factor, "up")(scores[None, :, :, None])
        )[0, :, :, 0]
        found = found[factor:-factor, factor:-factor]
        claim = f"upsampling by {factor} starts as interpolation inside the border: difference"
        yield _close("bilinear", claim, expected, found, f"{PAPER}, section 3.3; L16")


def dense_is_convolution(_) -> Iterator[Row]:
    """fc6 as the classifier has it, and as the FCN has it."""
    features = np.random.default_rng(0).normal(size=(1, 7, 7, 512)).astype("float32")
    dense = keras.layers.Dense(64, bias_initializer="normal")
    expected = dense(features.reshape(1, -1))
    found = convolutionalize.dense_to_conv(dense, (7, 7, 512))(features)[:, 0, 0]
    claim = "dense layer on 7 × 7 × 512 and 7 × 7 convolution: difference"
    yield _close(
        "dense_is_convolution",
        claim,
        *map(keras.ops.convert_to_numpy, (expected, found)),
        f"{PAPER}, section 3.1; L14",
    )


def lecture_network(_) -> Iterator[Row]:
    """The network of the experiment."""
    model = models.lecture_fcn(2, backbones.vgg16(weights=None))
    trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    yield _equal(
        "lecture_network",
        "the lecture's network: parameters",
        136_514_116,
        model.count_params(),
        "L23",
    )
    yield _equal(
        "lecture_network", "the lecture's network: of them trained", 121_799_428, trained, "L23"
    )


def transposed_matrix(_) -> Iterator[Row]:
    """Conv2DTranspose, against the transpose of the convolution's matrix."""
    random = np.random.default_rng(0)
    for padding, stride in (("valid", 1), ("same", 1), ("valid", 2), ("same", 2)):
        kernel = random.normal(size=(3, 3)).astype("float32")
        size = (
            (9, 7) if padding == "valid" else (8, 6)
        )  # sizes that the transposed layer gives back
        matrix = geometry.convolution_matrix(kernel, size, stride, padding)
        small = [geometry.conv_size(length, 3, stride, padding) for length in size]
        stamps = random.normal(size=small).astype("float32")
        layer = keras.layers.Conv2DTranspose(1, 3, strides=stride, padding=padding, use_bias=False)
        layer.build((None, None, None, 1))
        layer.set_weights([kernel[:, :, None, None]])
        found = keras.ops.convert_to_numpy(layer(stamps[None, :, :, None]))[0, :, :, 0]
        claim = f"transposed convolution, {padding.upper()}, stride {stride}, and transposed matrix: difference"
        yield _close(
            "transposed_matrix", claim, (matrix.T @ stamps.ravel()).reshape(size), found, "L09"
        )


def upper_bounds(data) -> Iterator[Row]:
    """The best mean IU of maps as coarse as each stride, on our data beside the paper's on VOC 2011."""
    one_class = evaluation.upper_bound(data, 10_000).mean_iou  # a single cell: one class everywhere
    coarser, name = one_class, "one class everywhere"
    for factor, paper in ((128, 50.9), (64, 73.3), (32, 86.1), (16, 92.8), (8, 96.4), (4, 98.5)):
        found = evaluation.upper_bound(data, factor).mean_iou
        claim = f"stride {factor}: best mean IU on {data.name} (paper, on VOC 2011: {paper} %)"
        expected = f"above {100 * coarser:.1f} % ({name}), below 100 %"
        source = f"{PAPER}, appendix A"
        yield Row(
            "upper_bounds",
            claim,
            expected,
            f"{100 * found:.1f} %",
            bool(coarser < found < 1),
            source,
        )
        coarser, name = found, f"stride {factor}"


# VGG16's blocks with two channels each: the same geometry in milliseconds
THIN_VGG16 = tuple((2,) * len(block) for block in backbones.VGG16_WIDTHS)
CHECKS = (
    parameters,
    receptive_fields,
    crop_offsets,
    bilinear,
    dense_is_convolution,
    lecture_network,
    transposed_matrix,
    upper_bounds,
)


def as_dict(rows: list[Row]) -> dict:
    """The report for JSON."""
    return {"passed": all(row.passed for row in rows), "rows": [asdict(row) for row in rows]}


def _equal(check, claim, expected, found, source):
    shown = [f"{value:,}" if isinstance(value, int) else value for value in (expected, found)]
    return Row(check, claim, *shown, expected == found, source)


def _close(check, claim, expected, found, source):
    difference = (
        np.abs(expected - found).max() / np.abs(expected).max()
        if expected.shape == found.shape
        else np.inf
    )
    return Row(
        check,
        claim,
        f"at most {CLOSE:g} of the largest",
        f"{difference:.1e}",
        bool(difference <= CLOSE),
        source,
    )
