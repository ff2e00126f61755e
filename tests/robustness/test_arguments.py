"""Every public function answers a wrong argument itself: which one, what was expected, what was received.

`CALLS` has a right call of each function, and for its arguments what a student may type instead. Each wrong value is put
into the right call alone, so that the answer can only be about it.
"""

import importlib
import inspect
import pkgutil
import tempfile
import traceback
from pathlib import Path

import keras
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.support import arguments

PACKAGE = str(Path(fcn.__file__).parent)
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype="uint8")
LABELS = np.random.default_rng(1).integers(0, 2, (32, 48), dtype="uint8")
PALETTE = fcn.datasets.default_palette(2)
NOWHERE = Path(tempfile.gettempdir()) / "fcn_keras-nowhere"

COUNT = (0, -1, 2.5, "two", None, True)  # where a whole number from 1 up belongs
SEED = (-1, 1.5, "0", None)
NO_MODEL = (None, "model.keras", 3, [1, 2])
NO_DATA = (None, "my_pictures", IMAGE, [1, 2])
NO_PATH = (None, 3, "", ["a"])
NO_IMAGE = (None, "photo.jpg", IMAGE[..., 0], IMAGE[None], IMAGE[..., :2], IMAGE / 255, IMAGE / 250, IMAGE * 4.0, IMAGE - 128.0, IMAGE * np.nan,
            IMAGE[:0], [[1, 2], [3]])  # fmt: skip
NO_PICTURE = (None, "photo.jpg", IMAGE[..., 0], IMAGE[None], IMAGE / 255, IMAGE[:0])
NOT_DRAWN = (None, "photo.jpg", IMAGE[None], IMAGE[:0], 3)  # grey ones, and values 0-1, can be drawn
NO_LABELS = (None, "mask.png", IMAGE, LABELS / 2, LABELS[None], LABELS[:0])
NO_NAMES = (None, "road", (), ("a", "a"), (1, 2))


@pytest.fixture(scope="module")
def things(encoder):
    """What calls need beyond plain values; built once."""
    classifier = fcn.models.classifier(2, 32, (4,), 4)
    tensor = keras.KerasTensor((None, 8, 8, 2))
    return {
        "model": fcn.models.fcn(2, 8, encoder, width=4),
        "encoder": encoder,
        "cae": fcn.models.cae(widths=(4, 4)),
        "classifier": classifier,
        "dense": classifier.get_layer("dense"),
        "data": fcn.datasets.SegmentationData(lambda i: (IMAGE, LABELS), 6, ("ground", "road")),
        "published": fcn.published.fcn32s(2, ((4,),) * 5, 4),
        "tensor": tensor,
        "field": fcn.geometry.Field(((0, 2),), 2),
        "rows": fcn.models.describe(fcn.models.cae(widths=(4, 4)), (32, 32)),
        "figure": fcn.visualization.draw_loss([1.0, 0.5]),
        "preprocessing": keras.layers.Rescaling(1.0),
    }


g, d, m, e = fcn.geometry, fcn.datasets, fcn.models, fcn.evaluation
M, D, T = "@model", "@data", "@tensor"  # stand for `things`
READ = lambda index: (IMAGE, LABELS)  # noqa: E731
CALLS = [  # function, a right call, {argument: wrong values}
    (g.conv_size, dict(size=9, kernel=3, stride=1, padding="valid"), {"size": COUNT, "kernel": (*COUNT, 10), "stride": COUNT,
                                                                      "padding": ("SAME", None, 1)}),
    (g.pooled_size, dict(size=9, kernel=2), {"size": COUNT, "kernel": COUNT}),
    (g.transposed_size, dict(size=9, kernel=4, stride=2), {"size": COUNT, "kernel": COUNT, "stride": COUNT}),
    (g.stamps, dict(size=4, kernel=4, stride=2), {"size": COUNT, "stride": COUNT}),
    (g.overlap_map, dict(size=(3, 4), kernel=4, stride=2), {"size": (3, (3,), (0, 1), "3x4", None), "kernel": COUNT}),
    (g.convolution_matrix, dict(kernel=np.ones((3, 3)), size=(5, 5)), {"kernel": (3, np.ones(3), np.ones((3, 2)), None),
                                                                       "size": (5, (5, 0))}),
    (g.same_padding, dict(size=9, kernel=3), {"size": COUNT}),
    (g.crop_offset, dict(larger="@field", target="@field"), {"larger": (19, None, (0, 1)), "target": (g.IMAGE, 3)}),
    (g.receptive_field, dict(model=M, layer_name="pool3"), {"model": NO_MODEL, "layer_name": ("pool9", 3, None), "size": COUNT[:-2],
                                                            "axis": ("depth", 0)}),
    (fcn.layers.bilinear_kernel, dict(factor=2), {"factor": COUNT}),
    (fcn.layers.upscore, dict(num_classes=2, factor=2, name="up"), {"num_classes": COUNT, "factor": COUNT, "padding": ("full", 1)}),
    (fcn.layers.score, dict(num_classes=2, name="score"), {"num_classes": COUNT}),
    (fcn.layers.CropToMatch, dict(offset=0), {"offset": (-1, 1.5, "5")}),
    (fcn.layers.VGGPreprocessing, dict(), {"mean_bgr": ((1, 2), 3, (1, 2, 300), ("a", "b", "c"))}),
    (fcn.skip_connections.align, dict(coarse=T, fine=T, name="a"), {"coarse": (None, "pool3", 3, np.zeros((3, 3))),
                                                                    "fine": (None, keras.KerasTensor((None, 9, 9, 2)))}),
    (fcn.skip_connections.fuse, dict(coarse=T, fine=T), {"fusion": ("add", None), "coarse": (None, "pool3"),
                                                         "fine": (keras.KerasTensor((None, 8, 8, 3)),)}),
    (fcn.convolutionalize.dense_to_conv, dict(dense="@dense", input_shape=(16, 16, 4)), {
        "dense": (None, "dense", keras.layers.Conv2D(1, 1), keras.layers.Dense(3)), "input_shape": (4, (4, 4), (3, 3, 3), "444")}),
    (fcn.convolutionalize.convolutionalize, dict(classifier="@classifier"), {"classifier": (*NO_MODEL, M)}),
    (fcn.backbones.small_vgg, dict(weights=None), {"weights": (3, NOWHERE / "w.npz", __file__)}),
    (fcn.backbones.by_name, dict(name="small_vgg"), {"name": ("resnet", None, 16)}),
    (fcn.backbones.load_npz, dict(encoder="@encoder", path=fcn.backbones.SMALL_VGG_WEIGHTS), {
        "encoder": (*NO_MODEL, M), "path": (*NO_PATH, NOWHERE, __file__)}),
    (fcn.backbones.vgg, dict(widths=((4,),) * 5, preprocessing="@preprocessing", name="v"), {
        "widths": (None, 5, (), ((0,),), ("a",)), "preprocessing": (None, "vgg")}),
    (m.classifier, dict(num_classes=2), {"num_classes": (*COUNT, 1), "size": (*COUNT, 8), "widths": ((), 3, ("a",)), "dense": COUNT}),
    (m.cae, dict(), {"channels": COUNT, "widths": ((), 16, "16", (0,), (2.5,), None)}),
    (m.fcn_from_cae, dict(autoencoder="@cae", num_classes=2), {"autoencoder": (None, "cae"), "num_classes": (*COUNT, 1)}),
    (m.fcn, dict(num_classes=2, backbone="@encoder", width=4), {
        "num_classes": (*COUNT, 1, 256), "stride": (4, 64, "8", None), "backbone": ("vgg16", 3, "@cae"), "fusion": ("mean", None),
        "width": COUNT[:-2]}),
    (m.lecture_fcn, dict(backbone="@encoder", width=4), {"num_classes": (1, "2"), "width": COUNT, "skip_width": (0, "a"),
                                                         "backbone": ("vgg16",)}),
    (m.describe, dict(model=M), {"model": NO_MODEL, "size": (32, (32,), (0, 4))}),
    (m.load, dict(path=NOWHERE), {"path": (*NO_PATH, NOWHERE, Path(__file__), Path(PACKAGE))}),
    (m.save, dict(model=M, path=NOWHERE), {"model": NO_MODEL, "path": (*NO_PATH, "m.h5")}),
    (fcn.published.fcn32s, dict(num_classes=2, widths=((4,),) * 5, width=4), {"num_classes": (*COUNT, 1), "width": COUNT}),
    (fcn.published.load_weights, dict(model="@published", arrays=NOWHERE), {
        "model": NO_MODEL, "arrays": (None, 5, "w.pth", NOWHERE.with_suffix(".npz"), {})}),
    (fcn.published.export_weights, dict(model="@published"), {"model": NO_MODEL, "path": ("w.h5",)}),
    (fcn.published.carry_over, dict(source="@published", target="@published"), {"source": (*NO_MODEL, "@cae"), "target": NO_MODEL}),
    (e.confusion_matrix, dict(true=LABELS, predicted=LABELS, num_classes=2), {
        "true": (LABELS[:9], LABELS / 2, LABELS + 7), "predicted": (LABELS * 0.5, LABELS + 2), "num_classes": (0, "2", None)}),
    (e.evaluate, dict(model=M, data=D), {"model": (*NO_MODEL, "@cae"), "data": NO_DATA, "batch_size": COUNT}),
    (e.score_pairs, dict(pairs=[(LABELS, LABELS)], data=D), {"data": NO_DATA}),
    (e.boundary_scores, dict(model=M, data=D), {"model": NO_MODEL, "data": NO_DATA, "widths": (0, (0,), ("a",), ())}),
    (e.boundary_band, dict(labels=LABELS, width=2), {"labels": NO_LABELS, "width": COUNT}),
    (e.coarsen, dict(labels=LABELS, factor=2, num_classes=2), {"labels": (*NO_LABELS, LABELS + 9), "factor": COUNT,
                                                               "num_classes": COUNT}),
    (e.upper_bound, dict(data=D, factor=4), {"data": NO_DATA, "factor": COUNT}),
    (e.Scores, dict(confusion=np.eye(2, dtype=int)), {"confusion": (None, 3, np.ones((2, 3), int), -np.eye(2, dtype=int), np.eye(2))}),
    (fcn.prediction.segment, dict(model=M, image=IMAGE), {"model": NO_MODEL, "image": NO_IMAGE}),
    (fcn.prediction.probabilities, dict(model=M, image=IMAGE), {"image": NO_IMAGE}),
    (fcn.prediction.feature_maps, dict(model=M, image=IMAGE, layers=["pool3"]), {
        "model": NO_MODEL, "image": NO_IMAGE[:4], "layers": ("pool3", ["pool9"], [], None, 3)}),
    (fcn.prediction.segment_tiled, dict(model=M, image=IMAGE), {
        "model": (*NO_MODEL, "@classifier"), "image": (NOWHERE, IMAGE[..., 0], IMAGE[None], IMAGE / 255, None),
        "tile": (0, -4, "big", 2.5, None), "memory": (0, "1G"), "out": ("labels.png", LABELS / 2, LABELS[:9])}),
    (fcn.training.frozen_features, dict(model=M, data=D), {"model": (*NO_MODEL, "@cae"), "data": NO_DATA, "batch_size": COUNT}),
    (fcn.training.fit, dict(model=M, train=D, steps=1), {
        "model": (*NO_MODEL, "@cae"), "train": NO_DATA, "validation": ("data", 3), "steps": COUNT, "epochs": (1, 2.5),
        "batch_size": COUNT, "learning_rate": (0, -1, "fast", None, np.nan, np.inf), "augment": ("mirror", 3, keras.layers.Rescaling(1)),
        "seed": SEED, "checkpoint": (3,), "unfreeze": ("before", True), "fine_tuning": (3, 0), "fine_tuning_rate": (0, None)}),
    (fcn.training.diagnosis.diagnose, dict(model=M, data=D, history=fcn.training.History()), {"model": NO_MODEL, "data": NO_DATA}),
    (fcn.data_checks.check, dict(source="data/road_scenes"), {"source": (*NO_PATH, NOWHERE, PACKAGE, __file__), "format": ("coco", None)}),
    (fcn.data_checks.label_shift, dict(data=D), {"data": NO_DATA}),
    (d.SegmentationData, dict(read=READ, length=3, class_names=("a", "b")), {"read": (None, IMAGE), "length": (-1, 2.5, None),
                                                                            "class_names": (*NO_NAMES, [f"c{n}" for n in range(256)]),
                                                                            "palette": ("red", PALETTE[:1], PALETTE[:, :2], PALETTE * 300.0)}),
    (d.road_scenes, dict(), {"split": ("training", None), "seed": SEED, "count": COUNT[:-2]}),
    (d.shapes, dict(count=2), {"count": COUNT, "seed": SEED}),
    (d.drawn_worlds, dict(count=2), {"count": COUNT, "seed": SEED}),
    (d.default_palette, dict(num_classes=2), {"num_classes": COUNT}),
    (d.image_folder, dict(images="data/road_scenes/images", masks="data/road_scenes/masks", class_names=tuple("abcdefg")), {
        "images": (*NO_PATH, NOWHERE, "data"), "masks": (*NO_PATH, NOWHERE), "class_names": NO_NAMES, "void": (-1, 256, "255", 1),
        "size": (32, (32,), (0, 4), "32x32"), "palette": (3, PALETTE), "colours": (3, {"a": (0, 0, 0)})}),
    (d.plain_folder, dict(folder="data/road_scenes"), {"folder": (*NO_PATH, NOWHERE, "data"), "size": (0, (1,))}),
    (d.camvid, dict(folder=NOWHERE), {"folder": (*NO_PATH, NOWHERE), "split": ("training", None)}),
    (d.kitti_road, dict(folder=NOWHERE), {"folder": (*NO_PATH, NOWHERE), "split": ("val", None)}),
    (d.voc, dict(folder=NOWHERE), {"folder": (*NO_PATH, NOWHERE), "split": ("test", None)}),
    (d.oxford_pets, dict(folder=NOWHERE), {"folder": (*NO_PATH, NOWHERE), "split": ("val",), "border": ("thin", None)}),
    (d.lecture_files, dict(folder=NOWHERE), {"folder": (*NO_PATH, NOWHERE), "split": ("val", None)}),
    (d.open_data, dict(source="data/road_scenes"), {"source": (*NO_PATH, NOWHERE, "data"), "format": ("coco", None, "npy", "voc"),
                                                    "seed": SEED, "size": (3, (0, 1), "3x4")}),
    (fcn.images.read_image, dict(path=NOWHERE), {"path": (*NO_PATH, NOWHERE, __file__, PACKAGE)}),
    (fcn.images.read_mask, dict(path="data/road_scenes/masks/scene_000.png"), {
        "path": (*NO_PATH, NOWHERE, __file__, "data/road_scenes/images/scene_000.jpg"), "size": (3, (0, 1), "3x4")}),
    (fcn.images.examine, dict(path=NOWHERE), {"path": (*NO_PATH, NOWHERE, __file__)}),
    (fcn.images.write_image, dict(path=NOWHERE, image=IMAGE), {"path": (*NO_PATH, NOWHERE / "a.gif", NOWHERE / "a")}),
    (fcn.images.write_image, dict(path=NOWHERE / "a.png", image=IMAGE), {"image": (None, IMAGE / 255, IMAGE[None], IMAGE[..., :2], "a"),
                                                                             "palette": (PALETTE,)}),
    (fcn.images.write_image, dict(path=NOWHERE / "a.png", image=LABELS), {"palette": ("red", 3, PALETTE[:, :2], np.zeros((300, 3)))}),
    (fcn.images.open_in_place, dict(path=NOWHERE), {"path": (*NO_PATH, NOWHERE, __file__)}),
    (fcn.visualization.colourise, dict(labels=LABELS, palette=PALETTE), {"labels": NO_LABELS, "palette": (3, PALETTE[:, :2], None)}),
    (fcn.visualization.overlay, dict(image=IMAGE, mask=LABELS == 1), {
        "image": NO_PICTURE, "mask": (None, LABELS[:9], IMAGE), "colour": ((0, 255, 0),)}),
    (fcn.visualization.draw_loss, dict(losses=[1.0, 0.5]), {"losses": ([], None, "loss", [[1.0]]), "smooth": COUNT}),
    (fcn.visualization.draw_regions, dict(image=IMAGE, labels=LABELS, class_names=("a", "b"), palette=PALETTE), {
        "image": NOT_DRAWN, "labels": NO_LABELS, "class_names": NO_NAMES, "palette": (None, 3)}),
    (fcn.visualization.draw_one_hot, dict(images=[IMAGE], label_maps=[LABELS], class_names=("a", "b")), {
        "label_maps": ([], [LABELS[:9]], [LABELS] * 2), "class_names": NO_NAMES}),
    (fcn.visualization.draw_results, dict(images=[IMAGE], predictions=[LABELS == 1], class_name="a"), {"predictions": ([], [IMAGE])}),
    (fcn.visualization.draw_architecture, dict(rows="@rows", title="t"), {"rows": (None, [], M, "cae")}),
    (fcn.visualization.draw_overlap, dict(maps={"a": LABELS}), {"maps": (None, {}, [LABELS])}),
    (fcn.visualization.draw_receptive_fields, dict(image=IMAGE, windows={"a": ((0, 3), (0, 3))}), {"image": NOT_DRAWN,
                                                                                                 "windows": (None, {})}),
    (fcn.visualization.save, dict(figure="@figure", path=NOWHERE), {"figure": (None, "figure"), "path": NO_PATH, "dpi": COUNT}),
]  # fmt: skip
BAD = [
    pytest.param(function, right, name, value, id=f"{function.__name__} {name} {number}")
    for function, right, wrong in CALLS
    for name, values in wrong.items()
    for number, value in enumerate(values)
]


def called(function, given, things):
    stand_in = lambda value: things[value[1:]] if isinstance(value, str) and value[:1] == "@" else value  # noqa: E731
    result = function(**{name: stand_in(value) for name, value in given.items()})
    return list(result) if hasattr(result, "__next__") else result


@pytest.mark.parametrize(("function", "right", "name", "value"), BAD)
def test_a_wrong_argument_is_answered_by_the_function(things, function, right, name, value):
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as caught:
        called(function, {**right, name: value}, things)
    message = str(caught.value)
    assert ("Expected" in message and "Received" in message) or "could not be read" in message or "is not known" in message, (
        message
    )
    assert len(message) < 700, "a message is read, not studied"
    last = traceback.extract_tb(caught.tb)[-1].filename
    assert last.startswith(PACKAGE), f"raised in {last}: {message}"


FIGURES = [
    pytest.param(function, id=f"{module.name}.{name}")
    for module in pkgutil.iter_modules(fcn.visualization.__path__)
    for name, function in vars(importlib.import_module(f"fcn_keras.visualization.{module.name}")).items()
    if name.startswith(("draw_", "animate_")) and function.__module__.endswith(f".{module.name}")
]


@pytest.mark.parametrize("function", FIGURES)
def test_every_figure_looks_at_what_it_is_given(function):
    """All of them have at least one argument whose meaning is known by its name."""
    nothing = dict.fromkeys(inspect.signature(function).parameters)
    with pytest.raises((ValueError, TypeError), match=r"Expected .*\. Received: "):
        function(**nothing)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda data: data[6], "index"),
        (lambda data: data["0"], "index"),
        (lambda data: data[1.0], "index"),
        (lambda data: data.subset(3), "indices"),
        (lambda data: data.subset("012"), "indices"),
        (lambda data: data.subset([0, 6]), "index"),
        (lambda data: data.subset(None), "indices"),
        (lambda data: data.subset([False, False, True]), "flatnonzero"),
        (lambda data: data.subset(np.array([True, False])), "flatnonzero"),
        (lambda data: data.view({"r": 3}), "group 'r'"),
        (lambda data: data.view("road"), "groups"),
        (lambda data: data.view({}), "groups"),
        (lambda data: data.view({"x": []}), "group 'x'"),
        (lambda data: data.view({"x": ["bus"]}), "'bus'"),
        (lambda data: data.batches(0), "batch_size"),
        (lambda data: data.batches("4"), "batch_size"),
        (lambda data: data.batches(2, steps=0), "steps"),
        (lambda data: data.batches(2, augment="mirror"), "augment"),
        (lambda data: data.batches(2, seed=-1), "seed"),
        (lambda data: data.subset([]).batches(2), "at least one image"),
    ],
)
def test_wrong_questions_to_a_data_set(things, call, named):
    with pytest.raises((ValueError, TypeError, IndexError), match=r"Expected .*Received: ") as caught:
        call(things["data"])
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (lambda: IMAGE, r"\(image, mask\)"),
        (lambda: (IMAGE, LABELS, 3), r"\(image, mask\)"),
        (lambda: (None, LABELS), "image to be an array"),
        (lambda: (IMAGE / 255, LABELS), "preprocessing itself"),
        (lambda: (IMAGE / 250, LABELS), "preprocessing itself"),
        (lambda: (IMAGE - 120.0, LABELS), "preprocessing itself"),
        (lambda: (IMAGE * np.nan, LABELS), "values 0 to 255"),
        (lambda: (IMAGE[..., 0], LABELS), "image to be an array"),
        (lambda: (IMAGE, LABELS[:9]), "size of its image"),
        (lambda: (IMAGE, LABELS / 1), "whole class numbers"),
        (lambda: (IMAGE, np.eye(2)[LABELS]), "argmax"),
        (lambda: (IMAGE, LABELS + 2), "class numbers 0 to 1"),
        (lambda: (IMAGE, LABELS.astype(int) - 1), "class numbers 0 to 1"),
    ],
)
def test_items_that_are_no_picture_with_labels(pair, said):
    data = fcn.datasets.SegmentationData(lambda i: pair(), 1, ("a", "b"))
    with pytest.raises(ValueError, match=rf"Expected .*{said}"):
        data[0]


def test_the_table_is_large_and_the_right_calls_are_right(things, tmp_path):
    assert len(BAD) > 500
    for function, right, _ in CALLS:
        if not any(isinstance(value, Path) and NOWHERE in (value, *value.parents) for value in right.values()):
            called(function, right, things)


def test_nothing_was_written():
    assert not NOWHERE.exists()


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (lambda v: arguments.whole_number("n", v, 1, 5), (1, 5, np.int64(3)), (0, 6, True, 2.0, "3", None)),
        (lambda v: arguments.number("x", v, above=0, at_most=2), (1, 0.1, 2, np.float32(1)), (0, 2.1, np.nan, True, "1")),
        (lambda v: arguments.one_of("c", v, ("a", 2)), ("a", 2), ("b", None, 2.0, True)),
        (lambda v: arguments.size("s", v), ((1, 2), [3, 4]), ((1,), (0, 1), (1.0, 2), "12", 5)),
        (lambda v: arguments.names("n", v), (("a",), ["a", "b"]), ("ab", (), ("a", "a"), (1,), None)),
        (lambda v: arguments.array("a", v, 2, "(H, W)"), (np.ones((2, 2)), [[1, 2]]), ([[1], [2, 3]], "a", None, np.ones((0, 2)))),
        (lambda v: arguments.label_map("l", v, 3), ([[0, 2], [255, 1]],), ([[3]], [[-1]], [[0.0]], [0, 1])),
    ],
)  # fmt: skip
def test_the_checks_themselves(check, right, wrong):
    for value in right:
        check(value)
    for value in wrong:
        with pytest.raises(ValueError, match=r"Expected .*\. Received: "):
            check(value)
