"""Are these the networks of the paper and of the lecture? Published figures beside our own.

`python -m fcn_keras fidelity` prints the report. Every check computes its figure from the current
networks and layers; nothing is compared with a stored result of our own.
"""

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import keras
import numpy as np

from fcn_keras import backbones, convolutionalize, evaluation, geometry, layers, models, published
from fcn_keras.support.kinds import DataSet, checked

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
    source: str  # where the expected figure comes from


@checked
def report(data: DataSet) -> Iterator[Row]:
    """Runs all checks, one after the other; this takes about 20 seconds.

    Args:
        data: A `SegmentationData` with labels, for the upper bounds, such as
            `datasets.road_scenes("test")`.

    Yields:
        `Row`.

    Raises:
        TypeError: If `data` is not a data set.
        ValueError: If a label is missing.
    """
    for check in CHECKS:
        yield from check(data)


def parameters(_) -> Iterator[Row]:
    """The size of FCN-VGG16."""
    model = published.fcn32s()
    count = model.count_params() - model.get_layer("upscore").count_params()
    claim = "FCN-VGG16, 21 classes, without upsampling: parameters"
    yield _equal("parameters", claim, 134_346_581, count, f"{PAPER}, table 1")


def receptive_fields(_) -> Iterator[Row]:
    """What a position of each pooling sees, and how far it is to the next."""
    encoder = backbones.vgg16(weights=None)
    network = published.fcn32s(2, THIN_VGG16, 2)
    source = f"{PAPER}, table 1 and section 4"
    for model, name, expected in (
        (encoder, "pool3", "44/8"),
        (encoder, "pool4", "100/16"),
        (encoder, "pool5", "212/32"),
        (network, "score_fr", "404/32"),
    ):
        field = geometry.receptive_field(model, name)
        claim = f"{name}: receptive field/stride in pixels"
        found = f"{field.size}/{field.stride}"
        yield _equal("receptive_fields", claim, expected, found, source)


def crop_offsets(_) -> Iterator[Row]:
    """Where the released networks crop. Ours derive these offsets."""
    for build, expected in (
        (published.fcn32s, "19"),
        (published.fcn16s, "5, 27"),
        (published.fcn8s, "5, 9, 31"),
    ):
        offsets = published.crop_offsets(build(2, THIN_VGG16, 2))
        claim = f"FCN-{build.__name__[3:]}: crop offsets, derived"
        found = ", ".join(map(str, offsets.values()))
        yield _equal("crop_offsets", claim, expected, found, "released networks")


def bilinear(_) -> Iterator[Row]:
    """A transposed convolution with the bilinear kernel, against NumPy's interpolation by axis."""
    for factor in (2, 8, 32):
        scores = np.random.default_rng(factor).normal(size=(6, 7)).astype("float32")
        rows, columns = (_inside_the_border(length, factor) for length in scores.shape)
        expected = np.array([np.interp(columns, np.arange(7), row) for row in scores])
        expected = np.array([np.interp(rows, np.arange(6), column) for column in expected.T]).T
        found = _array(layers.upscore(1, factor, "up")(scores[None, :, :, None]))[0, :, :, 0]
        found = found[factor:-factor, factor:-factor]
        claim = f"upsampling by {factor} starts as interpolation inside the border: difference"
        yield _close("bilinear", claim, expected, found, f"{PAPER}, section 3.3; L16")


def _inside_the_border(length: int, factor: int) -> np.ndarray:
    """Where the upsampled pixels lie in the small map, without those of its border pixels."""
    return (np.arange(factor, factor * (length - 1)) + 0.5) / factor - 0.5


def dense_is_convolution(_) -> Iterator[Row]:
    """fc6 as a dense layer of the classifier, and as a convolution of the FCN."""
    features = np.random.default_rng(0).normal(size=(1, 7, 7, 512)).astype("float32")
    dense = keras.layers.Dense(64, bias_initializer="normal")
    expected = _array(dense(features.reshape(1, -1)))
    found = _array(convolutionalize.dense_to_conv(dense, (7, 7, 512))(features))[:, 0, 0]
    claim = "dense layer on 7 × 7 × 512 and 7 × 7 convolution: difference"
    yield _close("dense_is_convolution", claim, expected, found, f"{PAPER}, section 3.1; L14")


def lecture_network(_) -> Iterator[Row]:
    """The size of the network of the lecture's experiment."""
    model = models.lecture_fcn(2, backbones.vgg16(weights=None))
    trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    for claim, expected, found in (
        ("the lecture's network: parameters", 136_514_116, model.count_params()),
        ("the lecture's network: of them trained", 121_799_428, trained),
    ):
        yield _equal("lecture_network", claim, expected, found, "L23")


def transposed_matrix(_) -> Iterator[Row]:
    """Conv2DTranspose, against the transpose of the convolution's matrix."""
    random = np.random.default_rng(0)
    for stride, padding in itertools.product((1, 2), geometry.PADDINGS):
        kernel = random.normal(size=(3, 3)).astype("float32")
        size = (9, 7) if padding == "valid" else (8, 6)  # those that the transposed layer restores
        matrix = geometry.convolution_matrix(kernel, size, stride, padding)
        small = [geometry.conv_size(length, 3, stride, padding) for length in size]
        stamps = random.normal(size=small).astype("float32")
        layer = keras.layers.Conv2DTranspose(1, 3, strides=stride, padding=padding, use_bias=False)
        layer.build((None, None, None, 1))
        layer.set_weights([kernel[:, :, None, None]])
        found = _array(layer(stamps[None, :, :, None]))[0, :, :, 0]
        expected = (matrix.T @ stamps.ravel()).reshape(size)
        which = f"{padding.upper()}, stride {stride}"
        claim = f"transposed convolution, {which}, and transposed matrix: difference"
        yield _close("transposed_matrix", claim, expected, found, "L09")


def upper_bounds(data) -> Iterator[Row]:
    """The best mean IU of maps as coarse as each stride; the paper has it on VOC 2011."""
    one_class = evaluation.upper_bound(data, 10_000).mean_iou  # a single cell: one class everywhere
    coarser, name = one_class, "one class everywhere"
    for factor, paper in ((128, 50.9), (64, 73.3), (32, 86.1), (16, 92.8), (8, 96.4), (4, 98.5)):
        found = evaluation.upper_bound(data, factor).mean_iou
        claim = f"stride {factor}: best mean IU on {data.name} (paper, on VOC 2011: {paper} %)"
        expected = f"above {100 * coarser:.1f} % ({name}), below 100 %"
        passed = bool(coarser < found < 1)
        source = f"{PAPER}, appendix A"
        yield Row("upper_bounds", claim, expected, f"{100 * found:.1f} %", passed, source)
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


def _array(tensor) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _equal(check: str, claim: str, expected, found, source: str) -> Row:
    return Row(check, claim, _shown(expected), _shown(found), expected == found, source)


def _shown(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _close(check: str, claim: str, expected: np.ndarray, found: np.ndarray, source: str) -> Row:
    difference = np.inf
    if expected.shape == found.shape:
        difference = np.abs(expected - found).max() / np.abs(expected).max()
    limit = f"at most {CLOSE:g} of the largest"
    return Row(check, claim, limit, f"{difference:.1e}", bool(difference <= CLOSE), source)
