"""Lists of classes as people and tools write them, and whose names a folder's masks have.

Every data set here has known label maps. What `check-data` counts by name must be what was drawn.
"""

import json

import made_sets
import numpy as np
import pytest
from PIL import Image

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.datasets import class_lists

NAMES = ("grass", "road", "car")
COLOURS = {"grass": (0, 128, 0), "road": (128, 64, 128), "car": (0, 0, 142), "void": (0, 0, 0)}
PICTURES = 4


def drawn(folder, images="images", masks="masks", write=None):
    """Pictures and masks; returns the share of each name among all pixels that are not void.

    `write` gets a label map (255 is void) and returns what is stored.
    """
    counts = np.zeros(256, int)
    for number in range(PICTURES):
        image, labels = made_sets.scene(number, 3)
        labels = made_sets.ringed(labels)
        counts += np.bincount(labels.ravel(), minlength=256)
        fcn.images.write_image(folder / images / f"p{number}.png", image)
        stored = labels if write is None else write(labels)
        (folder / masks).mkdir(exist_ok=True)
        stored = stored if isinstance(stored, Image.Image) else Image.fromarray(stored)
        stored.save(folder / masks / f"p{number}.png")
    return dict(zip(NAMES, counts[:3] / counts[:3].sum()))


def renumbered(*numbers):
    """Stores these numbers for classes 0, 1 and 2, and for void the last one."""
    table = np.full(256, numbers[3] if len(numbers) > 3 else 255, "uint8")
    table[:3] = numbers[:3]
    return lambda labels: table[labels]


def in_colours(labels):
    table = np.zeros((256, 3), "uint8")
    table[:3] = [COLOURS[name] for name in NAMES]
    return table[labels]


def with_palette(labels):
    """As labelme writes it: indices, with the colours of VOC."""
    picture = Image.fromarray(labels)
    picture.putpalette(fcn.datasets.public_sets.voc_palette().tobytes())
    return picture


def reported(folder, capsys):
    """Status of `check-data`, and the shares by name."""
    status = main(["check-data", str(folder), "--json"])
    answer = capsys.readouterr()
    if status == 2:
        return answer.err
    report = json.loads(answer.out)
    assert report["findings"] == [], report["findings"]
    (shares,) = report["shares"].values()
    return shares


# --- a list is read as what it is ---

PLAIN = renumbered(0, 1, 2)
LISTS = {
    "plain": ("classes.txt", "grass\nroad\ncar\n", PLAIN),
    "Roboflow": ("_classes.csv", "Pixel Value, Class\n0, grass\n1, road\n2, car\n", PLAIN),
    "Roboflow, renamed": ("classes.txt", "Pixel Value, Class\n2, car\n0, grass\n1, road\n", PLAIN),
    "numbers": ("classes.txt", "1 road\n2 car\n0 grass\n", PLAIN),
    "numbers, colon": ("classes.txt", "2: car\n1: road\n0: grass\n", PLAIN),
    "numbers behind": ("classes.txt", "road: 1\ncar: 2\ngrass: 0\n", PLAIN),
    "numbers behind, space": ("classes.txt", "road 1\ncar 2\ngrass 0\n", PLAIN),
    "numbers with gaps": ("classes.txt", "7: grass\n11: road\n26: car\n", renumbered(7, 11, 26)),
    "numbers from 1": ("classes.txt", "1 grass\n2 road\n3 car\n0 void\n", renumbered(1, 2, 3, 0)),
    "YOLO, a list": ("data.yaml", "nc: 3\nnames: ['grass', \"road\", car]\n", PLAIN),
    "YOLO, lines": ("data.yaml", "names:\n- grass\n- road # wide\n- car\nnc: 3\n", PLAIN),
    "YOLO, numbers": ("data.yaml", "names:\n  1: road\n  2: car\n  0: grass\nval: x\n", PLAIN),
    "YOLO, in brackets": ("data.yml", "names: {1: road, 0: grass,\n 2: car}\n", PLAIN),
    "labelme": ("labels.txt", "__ignore__\ngrass\nroad\ncar\n", PLAIN),
    "void first": ("classes.txt", "void\ngrass\nroad\ncar\n", renumbered(1, 2, 3, 0)),
    "ignore amid": ("classes.txt", "grass\nIgnore\nroad\ncar\n", renumbered(0, 2, 3, 1)),
    "CVAT": (
        "labelmap.txt",
        "# label:color_rgb:parts:actions\ngrass:0,128,0::\nroad:128,64,128:a,b:c\n"
        "car:0,0,142::\nvoid:0,0,0::\n",
        in_colours,
    ),
    "CVAT without colours": ("labelmap.txt", "grass:::\nroad:::\ncar:::\n", PLAIN),
    "hex": ("classes.txt", "grass #008000\nroad #804080\ncar #00008E\nignore #000000", in_colours),
    "hex first": (
        "classes.txt",
        "#008000 grass\n#804080,road\n#00008e car\n#000000 void\n",
        in_colours,
    ),
    "CamVid's colours": (
        "label_colors.txt",
        "0 128 0\tgrass\n128 64 128\troad\n0 0 142\tcar\n0 0 0\tVoid\n",
        in_colours,
    ),
    "table of colours": (
        "class_dict.csv",
        "name,r,g,b\ngrass,0,128,0\nroad,128,64,128\ncar,0,0,142\nvoid,0,0,0\n",
        in_colours,
    ),
    "numbers and colours": (
        "classes.txt",
        "1 road 128 64 128\n2 car 0 0 142\n0 grass 0 128 0\n3 void 0 0 0\n",
        in_colours,
    ),
}


@pytest.mark.parametrize("form", LISTS)
def test_a_list_is_read_as_what_it_is(tmp_path, capsys, form):
    file, text, write = LISTS[form]
    expected = drawn(tmp_path, write=write)
    (tmp_path / file).write_text(text)
    assert reported(tmp_path, capsys) == pytest.approx(expected)
    assert fcn.datasets.plain_folder(tmp_path).class_names == NAMES
    assert fcn.datasets.folders.read_classes(tmp_path / file)[0] == NAMES


def test_the_background_of_labelme_is_number_0(tmp_path):
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ncrack\n")
    found = class_lists.read(tmp_path / "labels.txt")
    assert found.names == ("_background_", "crack")
    assert found.code.numbers == {0: 0, 1: 1, 255: 255}


@pytest.mark.parametrize(
    "names",
    [
        ("grass", "traffic sign", "road, wet", "lane: left", "50/50"),
        ("lane 1", "lane 2"),
        ("lane 0", "lane 1", "car"),
        ("2 wheeler", "4 wheeler"),
        ("2 wheeler", "car", "3 storey house"),
        ("1 lane road", "2 lane road", "grass"),
        ("3D model", "n01440764 tench", "unlabelled", "avoid", "Straße"),
        tuple(f"c{number}" for number in range(255)),
    ],
)
def test_a_plain_list_is_what_it_was(tmp_path, names):
    path = tmp_path / "classes.txt"
    path.write_text("# mine\n\n" + "\n".join(names), encoding="utf-8")
    found = class_lists.read(path)
    assert found.names == names and found.colours is None
    same = {number: number for number in range(len(names))}
    assert found.code.numbers == {**same, 255: 255}


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("0: grass\nroad\n", "'road'"),
        ("1 grass\n2 road\nvoid\n", "'void'"),
        ("0 grass\n0 road\n", "'0 road'"),
        ("0: grass\n256: road\n", "'256: road'"),
        ("0: grass\n255: road\n", "'255: road'"),
        ("-1: grass\n0: road\n", "'-1: grass'"),
        ("grass\n_background_\n", "'_background_'"),
        ("grass\n__ignore__\n", "'__ignore__'"),
        ("grass #008000\nroad\n", "'road'"),
        ("# a comment\n#008000 grass\nroad\n", "'road'"),
        ("0 1 2 3 grass\n1 4 5 6 road\n", "'0 1 2 3 grass'"),
        ("grass:0,128,0::\nroad 1 2 3\n", "'road 1 2 3'"),
        ("grass:0,128,0::\nroad:::\n", "'road:::'"),
        ("grass:0,128,0::\nroad:0,999,0::\n", "'road:0,999,0::'"),
        ("Pixel Value, Class\n0, grass\nroad\n", "'road'"),
        ("Pixel Value, Class\n0, grass\nx, road\n", "'x, road'"),
        ("names: coco.names\n", "'names: coco.names'"),
        ("names:\n  0: grass\n  road\n", "'road'"),
        ("names: [grass, {a: b}]\n", "'{a: b}'"),
        ('["grass", "road"]\n', "grass"),
        ("grass, road, car\n", "'grass, road, car'"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(tmp_path, capsys, text, quoted):
    made_sets.plain(tmp_path, 2)
    (tmp_path / "classes.txt").write_text(text)
    assert quoted in reported(tmp_path, capsys)
    assert main(["train", str(tmp_path), "--out", str(tmp_path / "m.keras"), "--steps", "1"]) == 2
    assert quoted in capsys.readouterr().err


def test_255_classes_and_void_leave_no_number_for_one(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("\n".join(["void", *(f"c{number}" for number in range(255))]))
    with pytest.raises(ValueError, match="'c254'"):
        class_lists.read(path)


def test_two_lists_agree_or_are_refused(tmp_path, capsys):
    expected = drawn(tmp_path, write=in_colours)
    (tmp_path / "labels.txt").write_text("__ignore__\ngrass\nroad\ncar\n")
    (tmp_path / "class_names.txt").write_text("grass\nroad\ncar")
    (tmp_path / "labelmap.txt").write_text(LISTS["CVAT"][1])  # its colours count
    (tmp_path / "data.yaml").write_text("train: images\n")  # no list of classes
    assert reported(tmp_path, capsys) == pytest.approx(expected)
    (tmp_path / "Classes.txt").write_text("road\ngrass\ncar\n")
    complaint = reported(tmp_path, capsys)
    assert "Classes.txt (road, grass, car)" in complaint and "which differ" in complaint


def test_a_list_in_another_folder_is_named(tmp_path, capsys):
    drawn(tmp_path)
    (tmp_path / "masks" / "_classes.csv").write_text("Pixel Value, Class\n0, grass\n")
    assert f"Is it {tmp_path / 'masks' / '_classes.csv'}?" in reported(tmp_path, capsys)


# --- a folder's own names win over those of a public set ---


def labelme(folder):
    """What labelme2voc.py writes."""
    expected = drawn(folder, "JPEGImages", "SegmentationClass", with_palette)
    (folder / "class_names.txt").write_text("grass\nroad\ncar")
    return expected


def old_labelme(folder):
    """What it wrote until 2023: arrays, and the pictures beside them."""
    expected = drawn(folder, "JPEGImages", "SegmentationClassPNG", with_palette)
    (folder / "SegmentationClass").mkdir()
    np.save(folder / "SegmentationClass" / "p0.npy", np.zeros((48, 64), "int32"))
    (folder / "class_names.txt").write_text("grass\nroad\ncar")
    return expected


def cvat(folder):
    """CVAT's 'Segmentation mask 1.1'."""
    expected = drawn(folder, "JPEGImages", "SegmentationClass", in_colours)
    (folder / "labelmap.txt").write_text(LISTS["CVAT"][1])
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "default.txt").write_text("".join(f"p{number}\n" for number in range(PICTURES)))
    return expected


EXPORTS = {"labelme": labelme, "labelme, older": old_labelme, "CVAT": cvat}


@pytest.mark.parametrize("tool", EXPORTS)
def test_an_export_in_vocs_manner_has_its_own_names(tmp_path, capsys, tool):
    expected = EXPORTS[tool](tmp_path)
    assert reported(tmp_path, capsys) == pytest.approx(expected)
    opened = fcn.datasets.open_data(tmp_path)
    assert opened.train.class_names == NAMES and len(opened.train) + len(opened.test) == PICTURES


@pytest.mark.parametrize("tool", EXPORTS)
def test_without_its_list_such_an_export_is_not_taken_for_voc(tmp_path, capsys, tool):
    EXPORTS[tool](tmp_path)
    next(path for path in tmp_path.iterdir() if path.is_file()).unlink()
    assert "which is not of PASCAL VOC" in reported(tmp_path, capsys)
    assert main(["train", str(tmp_path), "--out", str(tmp_path / "m.keras"), "--steps", "1"]) == 2
    assert str(tmp_path / "classes.txt") in capsys.readouterr().err


def test_subsets_of_cvat_are_the_split(tmp_path, capsys):
    cvat(tmp_path)
    lists = tmp_path / "ImageSets" / "Segmentation"
    (lists / "default.txt").unlink()
    (lists / "Train.txt").write_text("p0\np1\np2\n")
    (lists / "Validation.txt").write_text("p3\n")
    opened = fcn.datasets.open_data(tmp_path)
    assert (len(opened.train), len(opened.test)) == (3, 1)
    assert fcn.datasets.voc(tmp_path, "val").class_names == NAMES
    (lists / "Validation.txt").rename(lists / "Night.txt")
    assert "val.txt" in reported(tmp_path, capsys)


def test_own_names_win_in_every_public_layout(tmp_path):
    for kind in ("camvid", "voc", "pets", "kitti"):
        folder = made_sets.ALL[kind](tmp_path / kind)
        colours = kind == "kitti"
        names = [f"own {'abcdefghijklmnopqrstuvwxyz'[n]}" for n in range(21)]
        lines = ["own a 255 0 0", "own b 255 0 255", "void 0 0 0"] if colours else names
        lines = [*names[:11], "void"] if kind == "camvid" else lines
        (folder / "classes.txt").write_text("\n".join(lines))
        opened = fcn.datasets.open_data(folder)
        assert opened.train.class_names == tuple(names[: opened.train.num_classes])
        assert set(np.unique(opened.train[0][1])) <= {*range(21), 255}


def test_folders_like_camvids_have_to_name_their_classes(tmp_path, capsys):
    """Or the pictures are CamVid's."""
    folder = made_sets.camvid(tmp_path / "camvid", 2)
    assert fcn.datasets.camvid(folder).class_names == fcn.datasets.CAMVID_CLASSES
    for path in folder.rglob("*_000000.png"):
        path.rename(path.with_name(f"street_{path.name}"))
    assert main(["check-data", str(folder)]) == 2
    assert "which is not of CamVid" in capsys.readouterr().err
    (folder / "classes.txt").write_text("\n".join(f"own {letter}" for letter in "abcdefghijkl"))
    assert len(fcn.datasets.camvid(folder).class_names) == 12


def test_voc_of_2007_is_known_by_its_other_lists(tmp_path):
    folder = made_sets.voc(tmp_path) / "VOCdevkit" / "VOC2012"
    for path in [path for path in folder.rglob("20*") if path.is_file()]:
        path.rename(path.with_stem(path.stem[2:4] + path.stem[-4:]))
    for path in (folder / "ImageSets" / "Segmentation").iterdir():
        names = path.read_text().split()
        path.write_text("\n".join(name[2:4] + name[-4:] for name in names))
    with pytest.raises(ValueError, match="070000, which is not of PASCAL VOC"):
        fcn.datasets.voc(folder)
    (folder / "ImageSets" / "Main").mkdir()
    (folder / "ImageSets" / "Main" / "aeroplane_train.txt").write_text("070000 -1\n")
    assert fcn.datasets.voc(folder).class_names == fcn.datasets.VOC_CLASSES
