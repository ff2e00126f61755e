"""Files that are no pictures, lying where pictures are expected: named, with the way out."""

import made_sets
import pytest

from fcn_keras.command_line.parser import main

PICTURES = 4


@pytest.mark.parametrize(
    ("suffix", "way_out"),
    [
        (".json", "labelme2voc.py"),
        (".txt", "ImageDraw"),
        (".xml", "Segmentation mask"),
        (".gif", "Image.open('a.gif').save"),
        (".npy", "np.load"),
        (".mat", "scipy.io.loadmat"),
        (".heic", "pillow-heif"),
        (".psd", "save them as PNG"),
    ],
)
def test_files_of_other_types_are_named_with_the_way_out(tmp_path, capsys, suffix, way_out):
    made_sets.plain(tmp_path, PICTURES)
    masks = sorted((tmp_path / "masks").iterdir())
    masks[1].rename(masks[1].with_suffix(suffix))  # one of them
    train = ["train", str(tmp_path), "--out", str(tmp_path / "m.keras"), "--steps", "1"]
    assert main(train) == 2
    err = capsys.readouterr().err
    assert f"1 {suffix}, a type that is not read" in err and way_out in err
    for mask in [masks[0], *masks[2:]]:  # all of them
        mask.rename(mask.with_suffix(suffix))
    for command in (train, ["check-data", str(tmp_path)]):
        assert main(command) == 2
        err = capsys.readouterr().err
        assert f"{PICTURES} {suffix}" in err and way_out in err and err.count("\n") == 1


def test_pictures_in_other_folders_are_named(tmp_path, capsys):
    made_sets.plain(tmp_path).joinpath("masks").rename(tmp_path / "labels")
    assert main(["check-data", str(tmp_path)]) == 2
    assert "there are images, labels" in capsys.readouterr().err
    (tmp_path / "masks").mkdir()
    (tmp_path / "labels").rename(tmp_path / "masks" / "labels")
    assert main(["check-data", str(tmp_path)]) == 2
    assert "a folder labels. Pictures lie directly in" in capsys.readouterr().err
