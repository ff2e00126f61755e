"""Figures are drawn from what they are given, and show it."""

import numpy as np
from conftest import random_image

import fcn_keras as fcn
from fcn_keras import visualization
from fcn_keras.visualization.architecture import stages


def test_overlay_is_the_lectures_half_transparent_green():
    image = np.full((2, 2, 3), 100, "uint8")
    mask = np.array([[True, False], [False, False]])
    out = visualization.overlay(image, mask)
    share = 127 / 255
    np.testing.assert_array_equal(
        out[0, 0], np.rint([100 * (1 - share), 100 * (1 - share) + 255 * share, 100 * (1 - share)])
    )
    assert (out[1] == 100).all() and (out[0, 1] == 100).all()


def test_colours_are_the_palettes_and_void_is_white():
    palette = np.array([(1, 2, 3), (4, 5, 6)], "uint8")
    out = visualization.colourise(np.array([[0, 1, 255]], "uint8"), palette)
    np.testing.assert_array_equal(out[0], [(1, 2, 3), (4, 5, 6), (255, 255, 255)])


def test_a_missed_and_an_invented_pixel_have_their_colours_and_void_has_none():
    """Pixels: found, missed, invented, neither, void that was found, void that was not."""
    found, true = np.array([[1, 0, 1, 0, 1, 0]]), np.array([[1, 1, 0, 0, 255, 255]], "uint8")
    image = np.full((1, 6, 3), 100, "uint8")
    right, missed, invented, *rest = visualization.paint_mistakes(image, found, true)[0]
    colours = visualization.MISTAKE_COLOURS
    assert tuple(missed) == colours["missed"] and tuple(invented) == colours["invented"]
    assert right.argmax() == 2 and abs(right - np.array(colours["right"])).max() < 45
    assert all(pixel.max() == pixel.min() < 110 for pixel in rest)  # grey and dark
    same = visualization.paint_mistakes(image, found == 1, true)
    np.testing.assert_array_equal(same[0, :3], [right, missed, invented])
    classes = np.array([[3, 0, 1, 2, 1, 0]], "uint8")
    wrong = visualization.paint_wrong(image, classes, np.array([[3, 2, 0, 2, 255, 255]], "uint8"))
    coloured = (wrong.max(axis=-1) != wrong.min(axis=-1))[0]
    np.testing.assert_array_equal(coloured, [0, 1, 1, 0, 0, 0])
    taken = np.array([colours["invented"], (0, 0, 0), (9, 9, 9), (8, 8, 8)], "uint8")
    wrong = visualization.paint_wrong(image, classes, np.roll(classes, 1), palette=taken)
    assert tuple(wrong[0, 0]) == colours["missed"]  # a class has the usual colour


def test_the_architecture_figure_follows_the_model(encoder):
    """Another network, another drawing: names, sizes, frozen or trained all come from the model."""
    for stride, fused in ((32, []), (16, ["fuse_pool4"]), (8, ["fuse_pool4", "fuse_pool3"])):
        model = fcn.models.fcn(3, stride, encoder, width=8)
        found = {stage.name: stage for stage in stages(fcn.models.describe(model, (64, 96)))}
        assert [name for name in found if name.startswith("fuse")] == fused
        assert found["pool5"].shape == (2, 3, 256) and not found["pool5"].trained
        assert found["fc6"].trained and found["fc6"].inputs == ["pool5"]
        total = sum(stage.parameters for stage in found.values())
        assert total == model.count_params()  # every parameter stands in exactly one box
    thawed = fcn.models.fcn(3, 8, encoder, width=8, freeze_backbone=False)
    assert all(
        stage.trained for stage in stages(fcn.models.describe(thawed, (64, 96))) if stage.parameters
    )


def test_skips_are_straight_lines_across_the_valley(encoder):
    found = {
        s.name: s
        for s in stages(fcn.models.describe(fcn.models.lecture_fcn(2, encoder, 8), (160, 576)))
    }
    assert found["pool4"].y == found["fuse_pool4"].y and found["pool3"].y == found["fuse_pool3"].y
    assert found["fuse_pool4"].inputs == ["fcn2", "pool4"]


def test_a_figure_is_a_picture_file_and_the_same_bytes_twice(tmp_path):
    for name in ("a", "b"):
        visualization.save(
            visualization.draw_loss(np.linspace(0.7, 0.05, 60)), tmp_path / f"{name}.png"
        )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert fcn.images.read_image(tmp_path / "a.png").std() > 5


def test_drawing_leaves_the_users_settings_alone():
    import matplotlib as mpl

    before = mpl.rcParams["font.size"]
    visualization.draw_regions(
        random_image(20, 30), np.zeros((20, 30), "uint8"), ("a",), np.zeros((1, 3), "uint8")
    )
    assert mpl.rcParams["font.size"] == before


def texts(figure):
    """All that is written in a figure."""
    from matplotlib.text import Text

    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_the_figures_of_the_papers_arithmetic_show_their_numbers():
    from fcn_keras import geometry

    image, labels = random_image(40, 60), np.zeros((40, 60), "uint8")
    assert "pool3: 44 px" in texts(
        visualization.draw_receptive_fields(image, {"pool3": ((-4, 39), (0, 43))})
    )
    field = geometry.IMAGE.after_window(3, 1, 20)
    assert "-19" in texts(
        visualization.draw_positions({"padded": field}, {"padded": 80}, image_size=40)
    )
    shown = texts(visualization.draw_overlap({"kernel 3": geometry.overlap_map((3, 3), 3, 2)}))
    assert "kernel 3" in shown and "4" in shown
    palette = np.zeros((2, 3), "uint8")
    shown = texts(
        visualization.draw_upper_bounds(labels, {8: labels}, {8: 0.712}, {8: 0.964}, palette)
    )
    assert "71.2" in shown and "96.4" in shown


def test_a_notebook_shows_a_figure_without_a_window():
    picture, about = visualization.draw_loss(np.linspace(0.7, 0.05, 60))._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert "loss" in about["alt"].lower()
