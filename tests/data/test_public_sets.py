"""KITTI, VOC and pets as released: the right files, the right numbers, void where nobody
decided."""

import made_sets
import numpy as np
import pytest
from PIL import Image

import fcn_keras as fcn


@pytest.mark.parametrize("kind", made_sets.ALL)
def test_open_data_recognises_every_layout(tmp_path, kind):
    opened = fcn.datasets.open_data(made_sets.ALL[kind](tmp_path / "data"))
    seen = [
        image.tobytes()
        for part in (opened.train, opened.test)
        for image, _ in (part[i] for i in range(len(part)))
    ]
    assert len(set(seen)) == len(seen) > 0
    for part in (opened.train, opened.test):
        image, mask = part[0]
        assert image.shape[:2] == mask.shape and set(np.unique(mask)) <= {
            *range(part.num_classes),
            255,
        }


def test_kitti_reads_road_files_only_and_magenta_is_road(tmp_path):
    data = fcn.datasets.kitti_road(made_sets.kitti(tmp_path), "train")
    assert len(data) == 12 and data.class_names == ("background", "road")
    image, mask = data[0]  # um_000000
    path = tmp_path / "training" / "gt_image_2" / "um_road_000000.png"
    colours = np.array(Image.open(path))
    for colour, number in (((255, 0, 255), 1), ((255, 0, 0), 0), ((0, 0, 0), 255)):
        assert (mask[(colours == colour).all(axis=-1)] == number).all()
    np.testing.assert_array_equal(image, made_sets.scene(0, 2)[0])
    test = fcn.datasets.kitti_road(tmp_path, "test")
    assert len(test) == 12 and test[3][1] is None
    assert fcn.datasets.kitti_road(tmp_path, size=(24, 40))[1][1].shape == (24, 40)
    (tmp_path / "data_road").mkdir()
    for part in ("training", "testing"):
        (tmp_path / part).rename(tmp_path / "data_road" / part)
    assert len(fcn.datasets.kitti_road(tmp_path)) == 12


def test_voc_reads_indices_and_its_splits(tmp_path):
    folder = made_sets.voc(tmp_path)
    train, val, both = (fcn.datasets.voc(folder, split) for split in ("train", "val", "trainval"))
    assert (len(train), len(val), len(both), train.num_classes) == (5, 5, 10, 21)
    mask = train[2][1]
    assert (mask[0] == 255).all() and set(np.unique(mask)) == {*range(21), 255}
    np.testing.assert_array_equal(
        mask[1:-1, 1:-1], made_sets.scene(402, 21, (64, 96))[1][1:-1, 1:-1]
    )
    for below in ("VOCdevkit", "VOCdevkit/VOC2012"):
        assert len(fcn.datasets.voc(folder / below)) == 5
    # Colours that anyone knows from its figures: aeroplane, person, tvmonitor
    assert [tuple(map(int, train.palette[n])) for n in (1, 15, 20)] == [
        (128, 0, 0),
        (192, 128, 128),
        (0, 64, 128),
    ]


def test_pets_border_is_void_or_a_class(tmp_path):
    folder = made_sets.pets(tmp_path)
    data = fcn.datasets.oxford_pets(folder)
    mask = data[0][1]
    assert data.class_names == ("background", "pet") and len(data) == 5
    drawn = made_sets.scene(600, 2)[1]
    border = fcn.evaluation.boundary_band(drawn, 1)
    np.testing.assert_array_equal(mask, np.where(border, 255, drawn))
    with_border = fcn.datasets.oxford_pets(folder, "test", border="class")
    drawn = made_sets.scene(650, 2)[1]
    border = fcn.evaluation.boundary_band(drawn, 1)
    assert (
        with_border.class_names[2] == "border"
        and (with_border[0][1] == np.where(border, 2, drawn)).all()
    )


def test_colours_stand_for_classes(tmp_path):
    folder = made_sets.coloured(tmp_path / "coloured")
    plain = made_sets.plain(tmp_path / "plain")
    by_file = fcn.datasets.plain_folder(folder)
    by_table = fcn.datasets.image_folder(
        folder / "images", folder / "masks", ("grass", "road", "car"), colours=made_sets.COLOURS
    )
    for index in range(len(by_file)):
        for data in (by_file, by_table):
            np.testing.assert_array_equal(
                data[index][1], fcn.datasets.plain_folder(plain)[index][1]
            )
    assert tuple(map(int, by_file.palette[1])) == made_sets.COLOURS["road"]
    # A palette file whose indices are its program's own: with a table of colours, the colours
    # count.
    path = folder / "masks" / "p0.png"
    before = by_file[0][1]
    Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE).save(path)
    np.testing.assert_array_equal(by_file[0][1], before)


def test_a_colour_that_stands_for_nothing_is_refused(tmp_path):
    folder = made_sets.coloured(tmp_path)
    mask = np.array(Image.open(folder / "masks" / "p0.png"))
    mask[5, 5] = (1, 2, 3)
    Image.fromarray(mask).save(folder / "masks" / "p0.png")
    with pytest.raises(ValueError, match=r"p0\.png to hold colours.*\(1, 2, 3\) \(1 unknown"):
        fcn.datasets.plain_folder(folder)[0]


@pytest.mark.parametrize(
    ("colours", "message"),
    [
        ({"grass": (0, 1, 2), "road": (3, 4, 5)}, "none for car"),
        ({**made_sets.COLOURS, "bus": (1, 1, 1)}, "'bus', which is not a class"),
        ({**made_sets.COLOURS, "car": (0, 128, 0)}, "for 'car' and another"),
        ({**made_sets.COLOURS, "car": (0, 300, 0)}, "0 to 255 each"),
        ({**made_sets.COLOURS, "car": "blue"}, "0 to 255 each"),
        ([(0, 0, 0)], "to be a table"),
    ],
)
def test_wrong_tables_of_colours(tmp_path, colours, message):
    folder = made_sets.plain(tmp_path, 2)
    with pytest.raises(ValueError, match=message):
        fcn.datasets.image_folder(
            folder / "images", folder / "masks", ("grass", "road", "car"), colours=colours
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "at least 1 names"),
        (b"road\nroad\n", "every name once"),
        (b"road 1 2 3\ngrass\n", "on every line"),
        ("straße".encode("utf-16"), "plain text"),
        ("\n".join(f"c{n}" for n in range(256)).encode(), "at most 255"),
        (b"road 1 2 3 255\n", r"three numbers.*'road 1 2 3 255'"),
        (b"grass 1 2 3\nroad 1 2 256\n", r"0 to 255.*'road 1 2 256'"),
        (b"# nothing but this\n", "at least 1 names"),
    ],
)
def test_wrong_class_files(tmp_path, text, message):
    made_sets.plain(tmp_path, 2)
    (tmp_path / "classes.txt").write_bytes(text)
    with pytest.raises(ValueError, match=message):
        fcn.datasets.plain_folder(tmp_path)


def test_a_class_file_from_a_windows_editor_is_read(tmp_path):
    made_sets.plain(tmp_path, 2)
    (tmp_path / "classes.txt").write_bytes(b"\xef\xbb\xbfgrass\r\nroad\r\n\r\ntraffic sign\r\n")
    assert fcn.datasets.plain_folder(tmp_path).class_names == ("grass", "road", "traffic sign")


def test_comments_are_no_classes_and_void_may_be_written_large(tmp_path):
    folder = made_sets.coloured(tmp_path)
    before = fcn.datasets.plain_folder(folder)
    text = (folder / "classes.txt").read_text()
    (folder / "classes.txt").write_text("# my classes\n" + text.replace("void", "Void"))
    after = fcn.datasets.plain_folder(folder)
    assert after.class_names == before.class_names
    np.testing.assert_array_equal(after[0][1], before[0][1])


def test_what_is_missing_is_named(tmp_path):
    folder = made_sets.voc(tmp_path / "voc")
    split = folder / "VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt"
    split.write_text(split.read_text() + "2007_999999\n")
    with pytest.raises(ValueError, match="2007_999999"):
        fcn.datasets.voc(folder)
    split.unlink()
    with pytest.raises(FileNotFoundError, match=r"train\.txt"):
        fcn.datasets.voc(folder)
    for loader in (fcn.datasets.kitti_road, fcn.datasets.voc, fcn.datasets.oxford_pets):
        with pytest.raises(FileNotFoundError, match="no such folder"):
            loader(tmp_path)
        with pytest.raises(ValueError, match="'vaal'"):
            loader(tmp_path, "vaal")
        with pytest.raises(TypeError, match="folder=3"):
            loader(3)
    with pytest.raises(FileNotFoundError, match=r"Is it the folder .*voc that you mean"):
        fcn.datasets.open_data(tmp_path)
    pets = made_sets.pets(tmp_path / "pets")
    (pets / "annotations" / "trimaps" / "Abyssinian_0.png").unlink()
    with pytest.raises(FileNotFoundError, match="none for Abyssinian_0"):
        fcn.datasets.oxford_pets(pets)


def test_a_mask_of_nearly_the_same_name_is_guessed(tmp_path):
    made_sets.plain(tmp_path, 2)
    for path in (tmp_path / "masks").iterdir():
        path.rename(path.with_name(f"{path.stem}_mask.png"))
    with pytest.raises(FileNotFoundError, match=r"Is it p0_mask\.png\?"):
        fcn.datasets.plain_folder(tmp_path)


def test_two_pictures_of_one_name_are_refused(tmp_path):
    made_sets.plain(tmp_path, 2)
    Image.open(tmp_path / "images" / "p0.png").save(tmp_path / "images" / "p0.jpg")
    with pytest.raises(ValueError, match=r"p0\.jpg and p0\.png"):
        fcn.datasets.plain_folder(tmp_path)
