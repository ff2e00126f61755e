"""The page in browsers: every chapter, from disk, without a network. And the page as a file."""

import json
import re

import keras
import pytest
from browsers import WEB, driven, needs, small_page
from conftest import first_of
from test_head import assert_trains_as_keras, assert_trains_from_the_command_line

import fcn_keras as fcn
from fcn_keras.command_line import parser as cli
from fcn_keras.explainer import CHAPTERS
from fcn_keras.explainer.chapters import ALONE

AXE = str(WEB / "node_modules" / "axe-core" / "axe.min.js")
IDS = tuple(chapter.id for chapter in CHAPTERS)


@needs("chromium")
def test_every_chapter_in_chromium_and_a_head_trains_there_as_in_keras(tmp_path):
    """What is clicked, what must be seen, what was computed; every gradient of the head."""
    experiment, _, page = small_page()
    painted = driven(page, (*IDS, "shell"), tmp_path)["paint"]
    assert_trains_as_keras(painted, experiment.encoder, tmp_path)
    assert_trains_from_the_command_line(painted, tmp_path)


@pytest.mark.long
@needs("firefox")
def test_every_chapter_in_firefox(tmp_path):
    driven(small_page()[2], (*IDS, "shell"), tmp_path, "firefox", {"long": True})


@needs("chromium")
@first_of("theme", ["light", "dark"])
def test_no_chapter_has_a_serious_fault_for_people_with_disabilities(theme, tmp_path):
    """As axe-core finds them."""
    given = {"chapters": IDS, "axe": AXE, "theme": theme}
    driven(small_page()[2], ["accessibility"], tmp_path, given=given)


@needs("chromium")
@pytest.mark.parametrize("chapter", ALONE)
def test_a_chapter_stands_alone_in_a_notebook(chapter, tmp_path):
    shown = fcn.explainer.show(chapter)._repr_html_()
    assert len(shown.encode()) < 700_000
    page = tmp_path / "cell.html"
    page.write_text(f"<!doctype html><body>{shown}</body>", encoding="utf-8")
    facts = driven(page, ["alone"], tmp_path, given={"chapter": chapter})["alone"]
    assert facts["title"] == next(entry.title for entry in CHAPTERS if entry.id == chapter)


@pytest.mark.long
@needs("chromium")
def test_memory_stays_flat_over_five_hundred_pictures_and_steps(tmp_path):
    facts = driven(small_page()[2], ["speed"], tmp_path, given={"times": 500})["speed"]
    assert facts["afterPictures"] == facts["before"]
    assert facts["afterSteps"] == facts["beforeSteps"]


def test_the_documentation_lists_the_chapters():
    text = (WEB.parents[2] / "docs" / "explainer.md").read_text(encoding="utf-8")
    for chapter in CHAPTERS:
        assert re.search(
            rf"\| {re.escape(chapter.title)} \| `#{chapter.id}` \| [^|]+ \| {chapter.notebook} \|",
            text,
        )


def test_every_notebook_leads_to_its_chapter():
    """By a link into the page, or by the chapter itself below a cell."""
    for chapter in CHAPTERS:
        (path,) = (WEB.parents[2] / "notebooks").glob(f"{chapter.notebook}_*.py")
        text = path.read_text(encoding="utf-8")
        shown = f'fcn.explainer.show("{chapter.id}")'
        assert shown in text or f"explainer.html#{chapter.id})" in text, chapter.id


@needs("chromium")
def test_a_chapter_that_gets_its_room_late_shows_itself_all_the_same(tmp_path):
    driven(small_page()[2], ["hidden"], tmp_path, given={"chapters": IDS[1:] + IDS[:1]})


def contents_of(page):
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="contents">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


def test_the_page_of_the_lecture_has_all_chapters_and_fetches_nothing():
    page = small_page()[2]
    assert contents_of(page)["chapters"] == list(IDS)
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!#|data:|\.?\w+\.html)[^"]+"', text.split("<body>")[0])
    assert "default-src 'none'" in text and "connect-src blob:" in text


def test_a_page_of_ones_own_model_has_its_classes_and_colours(tmp_path, capsys):
    model = fcn.models.fcn(3, 8, fcn.backbones.small_vgg(), width=4)
    names, palette = ("sky", "<b>tree</b>", "road"), ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    fcn.models.note(model, class_names=names, palette=palette)
    file, page = tmp_path / "my.keras", tmp_path / "deep" / "my.html"
    fcn.models.save(model, file)
    assert cli.main(["explainer", str(file), "--out", str(page)]) == 0
    said = capsys.readouterr()
    contents = contents_of(page)
    assert [entry["name"] for entry in contents["classes"]] == list(names)
    assert [entry["colour"] for entry in contents["classes"]] == [list(one) for one in palette]
    assert "autoencoder" not in contents["chapters"] and "skips" in contents["chapters"]
    assert "without Convolutional autoencoder, Training" in said.err
    assert f"{len(contents['chapters'])} chapters" in said.out


@needs("chromium")
def test_a_page_of_ones_own_model_works(tmp_path):
    """Five classes, a size of its own, an encoder without named pools, an untrained head."""
    image = keras.Input((None, None, 3), name="picture")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(8, 3, 2, padding="same", activation="relu")(x)
    x = keras.layers.Conv2DTranspose(5, 4, 2, padding="same")(x)
    model = keras.Model(image, fcn.skip_connections.align(x, image, "logits"))
    fcn.models.note(model, size=(64, 96))
    page = fcn.explainer.write_page(fcn.explainer.of_model(model, "mine"), tmp_path / "p.html")
    chapters = contents_of(page)["chapters"]
    assert {"result", "pixel", "architecture", "fully"} <= set(chapters)
    facts = driven(page, ["own"], tmp_path, given={"chapters": chapters})["own"]
    assert facts["opened"] == chapters and facts["classes"] == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explainer", "nowhere.keras"], "nowhere.keras"),
        (["explainer", "--out", "page.pdf"], "expected --out to end in .html"),
        (["explainer", "grey.keras"], "RGB pictures of any size"),
        (["explainer", "strange.keras"], "the page cannot compute group: a layer of the kind"),
    ],
)
def test_what_cannot_become_a_page_is_said_in_one_line(
    arguments, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    image = keras.Input((None, None, 1))
    fcn.models.save(keras.Model(image, keras.layers.Conv2D(2, 1)(image)), "grey.keras")
    image = keras.Input((None, None, 3))
    x = keras.layers.GroupNormalization(1, name="group")(image)
    fcn.models.save(keras.Model(image, keras.layers.Conv2D(2, 1)(x)), "strange.keras")
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1
    assert not list(tmp_path.glob("*.html"))


def test_a_network_too_large_for_a_page_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("fcn_keras.explainer.page.LARGEST", 1000)
    with pytest.raises(fcn.explainer.TooLargeForThePage, match="A smaller encoder"):
        fcn.explainer.write_page(small_page()[1], tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_the_sentences_of_the_chapters_are_those_of_the_package():
    """Titles stand in Python and in the chapters' own files; they agree."""

    for chapter in CHAPTERS:
        source = (WEB / "src" / "chapters" / f"{chapter.id}.js").read_text(encoding="utf-8")
        assert f'id: "{chapter.id}"' in source and f'title: "{chapter.title}"' in source
        assert all(f"{field}:" in source for field in ("question", "sentence", "notes", "todo"))
