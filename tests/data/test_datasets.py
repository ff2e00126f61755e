"""Data sets: lazy, regrouped, batched, augmented, and never a label that nobody drew."""

import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import CAMVID, needs_camvid, random_image
from PIL import Image

import fcn_keras as fcn


@pytest.fixture
def folder(tmp_path):
    """A plain folder: three pictures of different sizes, masks with 9 for void, names."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for number, size in enumerate([(20, 30), (25, 30), (20, 16)]):
        mask = rng.integers(0, 3, size, dtype="uint8")
        mask[0, :3] = 9
        Image.fromarray(random_image(*size, seed=number)).save(
            tmp_path / "images" / f"p{number}.jpg"
        )
        Image.fromarray(mask).save(tmp_path / "masks" / f"p{number}.png")
    (tmp_path / "classes.txt").write_text("grass\nroad\ncar\n")
    return tmp_path


def opened(folder, **options):
    return fcn.datasets.image_folder(
        folder / "images", folder / "masks", ("grass", "road", "car"), void=9, **options
    )


def test_the_files_void_becomes_255(folder):
    image, mask = opened(folder)[0]
    assert image.dtype == mask.dtype == np.uint8 and image.shape == (20, 30, 3)
    assert (mask[0, :3] == 255).all() and set(np.unique(mask)) <= {0, 1, 2, 255}


def test_masks_are_resized_by_nearest_neighbour_only(tmp_path):
    """Between class 0 and class 2 lies no class 1, at whatever size."""
    mask = np.zeros((40, 40), "uint8")
    mask[10:30, 10:30] = 2
    Image.fromarray(mask).save(tmp_path / "m.png")
    for size in [(13, 17), (40, 41), (97, 101)]:
        assert set(np.unique(fcn.images.read_mask(tmp_path / "m.png", size))) == {0, 2}


def test_unequal_sizes_are_padded_with_void(folder):
    images, masks = opened(folder).batches(3)[0]
    assert images.shape == (3, 25, 30, 3) and images.dtype == np.float32
    assert masks.shape == (3, 25, 30) and masks.dtype == np.int32
    assert (masks[0, 20:] == 255).all() and (masks[2, :, 16:] == 255).all()
    assert (masks[1, 20:] != 255).all()


def test_a_view_regroups_and_keeps_void(folder):
    data = opened(folder)
    view = data.view({"moving": ["car"], "ground": ["grass", "road"]})
    assert view.class_names == ("background", "moving", "ground")
    (_, before), (_, after) = data[0], view[0]
    for old, new in ((2, 1), (0, 2), (1, 2), (255, 255)):
        assert (after[before == old] == new).all()
    with pytest.raises(ValueError, match="not in the data"):
        data.view({"x": ["bus"]})
    with pytest.raises(ValueError, match="already in a group"):
        data.view({"x": ["car"], "y": ["car"]})


def test_batches_of_an_epoch_show_every_image_once_and_another_order_next_time(folder):
    batches = opened(folder).batches(2, shuffle=True, seed=1)
    assert len(batches) == 2
    orders = []
    for epoch in range(6):
        batches.epoch = epoch
        orders.append(tuple(np.concatenate([batches.indices(0), batches.indices(1)])))
    assert all(sorted(order) == [0, 1, 2] for order in orders)
    assert len(set(orders)) > 1


def test_random_steps_depend_on_seed_epoch_and_step_alone(toy):
    a, b = toy.batches(5, steps=4, seed=3), toy.batches(5, steps=4, seed=3)
    b[3], b[0]  # asked in another order
    for step in range(4):
        np.testing.assert_array_equal(a[step][0], b[step][0])
    assert not np.array_equal(a.indices(0), toy.batches(5, steps=4, seed=4).indices(0))
    assert len(toy.batches(50, steps=1)[0][0]) == 50  # more than there are: drawn with repetition


@pytest.mark.parametrize(
    "layer",
    [
        "flip",
        keras.layers.RandomFlip("horizontal_and_vertical"),
        keras.layers.RandomRotation(0.1, fill_mode="constant"),
        keras.layers.RandomTranslation(0.2, 0.2, fill_mode="constant"),
        keras.layers.RandomZoom(0.3, fill_mode="constant"),
        keras.layers.RandomElasticTransform(1.0, 1.0, interpolation="nearest"),
        [keras.layers.CutMix(), keras.layers.RandomFlip()],
        ["flip", keras.layers.RandomBrightness(0.1)],
        [keras.layers.RandomGrayscale(1.0), "flip"],
        keras.layers.Pipeline([keras.layers.RandomFlip(), keras.layers.RandomZoom(0.2)]),
        keras.Sequential([keras.layers.RandomFlip(), keras.layers.RandomTranslation(0.1, 0.1)]),
    ],
)
def test_augmentation_moves_image_and_labels_alike(layer):
    """Where the label says 1 the image is bright, before and after; what comes from outside is
    void."""
    image, mask = np.zeros((48, 64, 3), "uint8"), np.zeros((48, 64), "uint8")
    image[10:30, 5:40], mask[10:30, 5:40] = 200, 1
    image[:, :2], mask[:, :2] = 100, 255
    data = fcn.datasets.SegmentationData(lambda i: (image, mask), 8, ("dark", "bright"))
    images, masks = data.batches(8, augment=layer, seed=1)[0]
    assert set(np.unique(masks)) <= {0, 1, 255}
    moved = [not np.array_equal(m, mask) for m in masks]
    assert any(moved)
    for picture, labels in zip(images[..., 0], masks, strict=True):
        agree = ((picture > 150) == (labels == 1))[labels != 255]
        assert agree.mean() > 0.97  # interpolation blurs the image along the edge, never the labels


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        (keras.layers.MixUp(), "Received: MixUp, which fails on label maps"),
        (lambda image: image, "A function of your own belongs into the data set's read"),
        (keras.layers.Pipeline([keras.layers.Rescaling(1 / 255)]), "Received: Rescaling"),
        (["flip", "mirror"], "Received: augment='mirror'"),
    ],
    ids=["mix", "function", "pipeline", "text"],
)
def test_what_cannot_move_labels_is_answered_in_a_sentence(toy, augment, said):
    with pytest.raises(ValueError, match=said) as answer:
        toy.batches(4, augment=augment)[0]
    assert "function_node" not in str(answer.value)  # nothing of the backend's own words


def test_a_layer_of_layers_draws_the_same_for_the_same_seed(toy):
    layers = [keras.layers.RandAugment(seed=seed) for seed in (1, 2)]
    first, second = (toy.batches(4, augment=layer, seed=1)[1] for layer in layers)
    np.testing.assert_array_equal(first[0], second[0])


@pytest.mark.parametrize("fill", [0.0, 1.0, 2.0, 127.5, 128.0, -3.0])
def test_what_an_augmentation_fills_in_is_void_whatever_its_value(fill):
    """A fill of 1 would be class 0, one of 128 class 127."""
    data = fcn.datasets.SegmentationData(
        lambda i: (random_image(32, 48), np.full((32, 48), 1, "uint8")), 4, ("a", "b")
    )
    masks = data.batches(
        4, augment=keras.layers.RandomRotation(0.2, fill_mode="constant", fill_value=fill)
    )[0][1]
    assert set(np.unique(masks)) == {1, 255}


def test_an_augmentation_that_blends_labels_is_refused():
    mask = np.eye(48, dtype="uint8")[:32] * 2
    data = fcn.datasets.SegmentationData(lambda i: (random_image(32, 48), mask), 4, ("a", "b", "c"))
    assert data.batches(2, augment=keras.layers.RandomCrop(20, 30))[0][1].shape == (2, 20, 30)
    with pytest.raises(ValueError, match=r"Received: RandomCrop, which made numbers between"):
        # larger than the picture: it is resized
        data.batches(2, augment=keras.layers.RandomCrop(40, 60))[0]


def test_augmentation_is_the_same_for_the_same_seed(toy):
    first = toy.batches(4, augment=keras.layers.RandomRotation(0.1), seed=1)
    second = toy.batches(4, augment=keras.layers.RandomRotation(0.1), seed=1)
    second[2]
    np.testing.assert_array_equal(first[1][1], second[1][1])


def test_plain_folder_and_held_out_share_no_image(folder):
    names = (folder / "classes.txt").read_text().split()
    for path in (folder / "masks").iterdir():
        mask = np.array(Image.open(path))
        Image.fromarray(np.where(mask == 9, 255, mask).astype("uint8")).save(path)
    data = fcn.datasets.open_data(folder)
    assert data.train.class_names == tuple(names)
    train = {data.train[i][0].tobytes() for i in range(len(data.train))}
    test = {data.test[i][0].tobytes() for i in range(len(data.test))}
    assert len(train) + len(test) == 3 and not train & test


@pytest.fixture
def npy(tmp_path):
    """The lecture's files: images 0–1, one-hot labels with one pixel of no class, test images
    without labels."""
    rng = np.random.default_rng(0)
    one_hot = np.eye(2, dtype="float32")[rng.integers(0, 2, (5, 32, 64))]
    one_hot[0, 0, 0] = 0
    images = rng.random((5, 32, 64, 3), dtype="float32")
    np.save(tmp_path / "images_training.npy", images)
    np.save(tmp_path / "seg_training.npy", one_hot)
    np.save(tmp_path / "images_testing.npy", images[:2])
    return tmp_path, images, one_hot


def test_the_lectures_files_work_as_they_are(npy):
    folder, images, one_hot = npy
    data = fcn.datasets.lecture_files(folder)
    image, mask = data[0]
    np.testing.assert_array_equal(image, np.rint(images[0] * 255).astype("uint8"))
    assert mask[0, 0] == 255
    np.testing.assert_array_equal(mask.ravel()[1:], one_hot[0].argmax(-1).ravel()[1:])
    assert data.class_names == ("background", "road") and len(data) == 5
    test = fcn.datasets.lecture_files(folder, "test")
    assert test[1][1] is None and len(test) == 2
    assert len(fcn.datasets.open_data(folder).test) == 1


def test_uint8_files_are_not_scaled_twice(tmp_path):
    images = random_image(8, 8)[None]
    np.save(tmp_path / "images_testing.npy", images)
    np.testing.assert_array_equal(fcn.datasets.lecture_files(tmp_path, "test")[0][0], images[0])


def test_a_filters_overshoot_leaves_images_in_their_range(npy):
    """One value of 1.004 made 0–255 of the whole file, and so every image black."""
    folder, images, _ = npy
    sharper = images.copy()
    sharper[0, 0, 0], sharper[1, 0, 0] = 1.004, -0.05
    np.save(folder / "images_training.npy", sharper)
    data = fcn.datasets.lecture_files(folder)
    np.testing.assert_array_equal(data[2][0], np.rint(images[2] * 255).astype("uint8"))
    assert data[0][0][0, 0].tolist() == [255] * 3 and data[1][0][0, 0].tolist() == [0] * 3


def test_a_value_that_is_no_number_is_said_of_its_own_image(npy):
    folder, images, _ = npy
    broken = images.copy()
    broken[3, 0, 0, 0] = np.nan
    np.save(folder / "images_training.npy", broken)
    data = fcn.datasets.lecture_files(folder)
    np.testing.assert_array_equal(data[2][0], np.rint(images[2] * 255).astype("uint8"))
    with pytest.raises(ValueError, match=r"image 3 with values nan"):
        data[3]
    np.save(folder / "images_training.npy", images * 1.5)
    with pytest.raises(ValueError, match=r"image 0 with values .* to 1\.5"):
        fcn.datasets.lecture_files(folder)[0]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda labels: labels * 0.4 + 0.3, "from 0.3 to 0.7"),
        (np.ones_like, "pixels of several classes"),
        (lambda labels: labels * (1 - 0.5 * labels[:, :1, :1]), "not only two"),
        (lambda labels: labels * np.nan, "nan"),
        (lambda labels: -labels, "from -1 to"),
    ],
)
def test_labels_that_are_not_one_hot_are_refused(npy, spoil, said):
    folder, _, one_hot = npy
    np.save(folder / "seg_training.npy", spoil(one_hot))
    with pytest.raises(ValueError, match=rf"label map 1 with .*{said}.*np\.eye\(2\)"):
        fcn.datasets.lecture_files(folder)[1]


def test_labels_of_0_and_255_are_one_hot_too(npy):
    folder, _, one_hot = npy
    before = fcn.datasets.lecture_files(folder)[0][1]
    np.save(folder / "seg_training.npy", (one_hot * 255).astype("uint8"))
    np.testing.assert_array_equal(fcn.datasets.lecture_files(folder)[0][1], before)


def test_files_that_are_no_arrays(npy):
    folder, _, one_hot = npy
    path = folder / "seg_training.npy"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="copied whole") as caught:
        fcn.datasets.lecture_files(folder)
    assert "one-hot" not in str(caught.value)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"written by np\.save\. Received: "):
        fcn.datasets.lecture_files(folder)
    with open(path, "wb") as file:
        np.savez(file, labels=one_hot)
    with pytest.raises(ValueError, match=r"np\.savez: labels"):
        fcn.datasets.lecture_files(folder)


def test_a_size_hides_no_pair_that_does_not_match(folder):
    assert opened(folder, size=(32, 32))[0][1].shape == (32, 32)
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.rot90(np.array(Image.open(path))).copy()).save(path)
    for size in (None, (20, 30), (32, 32)):
        with pytest.raises(ValueError, match=r"size of its image, 20 x 30\. Received: 30 x 20"):
            opened(folder, size=size)[0]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_pictures_turned_by_their_camera_match_upright_masks_at_any_size(tmp_path, suffix):
    exif = Image.Exif()
    exif[fcn.images.ORIENTATION] = 6
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    path = tmp_path / "images" / f"a{suffix}"
    Image.fromarray(random_image(20, 30)).save(path, exif=exif)
    Image.fromarray(np.zeros((30, 20), "uint8")).save(tmp_path / "masks" / "a.png")
    assert fcn.images.examine(path).upright == fcn.images.read_image(path).shape[:2] == (30, 20)
    assert (fcn.images.examine(path).height, fcn.images.examine(path).width) == (20, 30)
    for size in (None, (8, 8)):
        fcn.datasets.image_folder(tmp_path / "images", tmp_path / "masks", ("a", "b"), size=size)[0]


def test_names_match_however_their_accents_are_written(folder):
    """macOS writes ü as two characters, others as one."""
    (folder / "images" / "p0.jpg").rename(folder / "images" / "mu\u0308hle.jpg")
    (folder / "masks" / "p0.png").rename(folder / "masks" / "m\u00fchle.png")
    assert len(opened(folder)) == 3


def test_a_folder_called_as_the_drawn_scenes_is_not_passed_over(folder, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert fcn.datasets.open_data("road_scenes").train.name == "road scenes train"
    (tmp_path / "work" / "road_scenes").mkdir()
    for source in ("road_scenes", Path("road_scenes")):
        with pytest.raises(
            ValueError, match=r"'\./road_scenes' or .*work.road_scenes for the folder"
        ):
            fcn.datasets.open_data(source)
    with pytest.raises(FileNotFoundError, match="none of these"):
        fcn.datasets.open_data("./road_scenes")


def test_a_reconstruction_can_be_divided_but_has_no_classes_to_regroup(folder):
    again = opened(folder).reconstruction()
    images, targets = again.subset([2, 0]).batches(2)[0]
    np.testing.assert_array_equal(images, targets)
    np.testing.assert_array_equal(again.subset([2])[0][1], opened(folder)[2][0])
    with pytest.raises(ValueError, match=r"Expected view.*Received: a reconstruction"):
        again.view({"road": ["road"]})


def test_drawn_scenes_are_kept_and_the_same_afterwards(monkeypatch):
    data = fcn.datasets.road_scenes("val", seed=5, count=2)
    first = data[1]
    # the function of this name hides it
    module = sys.modules["fcn_keras.datasets.drawn.road_scenes"]
    monkeypatch.setattr(module, "draw_scene", None)  # a second look must not draw
    again = data[1]
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_drawing_goes_on_when_nothing_can_be_kept(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    # no folder can be made below a file
    monkeypatch.setenv("FCN_KERAS_HOME", str(tmp_path / "file" / "below"))
    image, mask = fcn.datasets.road_scenes("val", seed=6, count=1)[0]
    assert image.shape == (160, 576, 3) and mask.shape == (160, 576)


def test_splits_share_no_scene():
    seen = {
        fcn.datasets.road_scenes(split, count=2)[i][0].tobytes()
        for split in ("train", "val", "test")
        for i in (0, 1)
    }
    assert len(seen) == 6


def test_what_is_missing_or_wrong_is_answered(folder, tmp_path):
    (folder / "masks" / "p1.png").unlink()
    with pytest.raises(FileNotFoundError, match="none for p1"):
        opened(folder)
    (folder / "images" / "p1.jpg").unlink()
    with pytest.raises(ValueError, match="void=…"):
        fcn.datasets.image_folder(folder / "images", folder / "masks", ("grass", "road", "car"))[0]
    Image.fromarray(random_image(20, 30)).save(folder / "masks" / "p0.png")
    with pytest.raises(ValueError, match="class numbers"):
        opened(folder)[0]
    Image.fromarray(np.zeros((5, 5), "uint8")).save(folder / "masks" / "p0.png")
    with pytest.raises(ValueError, match="size of its image"):
        opened(folder)[0]
    (folder / "images" / "p0.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="could not be read"):
        opened(folder)[0]
    with pytest.raises(FileNotFoundError, match="none of these"):
        fcn.datasets.open_data(os.fspath(tmp_path / "masks"))
    with pytest.raises(ValueError, match="'train', 'test'"):
        fcn.datasets.lecture_files(tmp_path, "val")
    with pytest.raises(FileNotFoundError, match=r"images_training\.npy"):
        fcn.datasets.lecture_files(tmp_path)
    with pytest.raises(IndexError, match="below 2"):
        opened(folder)[2]
    with pytest.raises(TypeError, match=r"data\.subset"):
        opened(folder)[0:1]


@needs_camvid
def test_camvid_reads_as_its_readme_says():
    train, val = (fcn.datasets.camvid(CAMVID, split) for split in ("train", "val"))
    assert (len(train), len(val), train.num_classes) == (367, 101, 11)
    image, mask = train[0]
    assert image.shape == (180, 240, 3) and mask.shape == (180, 240)
    present = set(np.unique(np.concatenate([train[i][1].ravel() for i in range(0, 367, 40)])))
    assert 255 in present and 11 not in present
    road = train.view({"road": ["road"]})[0][1]
    assert 0.05 < (road == 1).mean() < 0.8
