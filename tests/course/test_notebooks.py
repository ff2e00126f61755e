"""The notebooks that are committed are the ones their sources make, and still give what they
show."""

import ast
import importlib.util
import re
import shutil
from pathlib import Path

import nbformat
import pytest

import fcn_keras as fcn

FOLDER = Path(__file__).parents[2] / "notebooks"
_spec = importlib.util.spec_from_file_location("notebooks_build", FOLDER / "build.py")
build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build)

every_notebook = pytest.mark.parametrize("source", build.sources(), ids=lambda source: source.stem)


@every_notebook
def test_is_fresh(source):
    assert build.stale(source) is None


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(source, marks=() if source.stem[:2] == "00" else pytest.mark.long)
        for source in build.sources()
    ],
    ids=lambda source: source.stem,
)
def test_runs_from_top_to_bottom_and_gives_what_it_shows(source):
    """The first one; the others in `make test-long`."""
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    # the machine may be shared
    assert build.differences(kept, build.executed(source, 20 * build.BUDGET)) == []


def chains(tree):
    """`fcn.models.fcn` and the like, as lists of names."""
    for node in ast.walk(tree):
        path, inner = [], node
        while isinstance(inner, ast.Attribute):
            path.insert(0, inner.attr)
            inner = inner.value
        if path and isinstance(inner, ast.Name) and inner.id == "fcn":
            yield path


@every_notebook
def test_the_names_that_it_takes_from_the_package_exist(source):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for path in chains(tree):
        thing = fcn
        for name in path:
            thing = getattr(thing, name)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "fcn_keras":
            exec(ast.unparse(node), {})


@every_notebook
def test_outputs_are_clean(source):
    """No local paths, no warnings, no progress bars, no timings' debris; pictures where figures
    were drawn."""
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    for cell in kept.cells:
        for output in cell.get("outputs", []):
            text = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
            assert output["output_type"] != "error" and output.get("name") != "stderr"
            for debris in (
                str(FOLDER.parent),
                str(Path.home()),
                "\b",
                "\r",
                "Warning",
                "WARNING",
                "it/s",
            ):
                assert debris not in text


@every_notebook
def test_code_cells_fit_a_screen(source):
    for cell in build.unexecuted(source).cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 15


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A notebook of one cell, built."""
    source = tmp_path_factory.mktemp("built") / "99_small.py"
    text = "# %% [markdown]\n# # Small\n\n# %%\nprint('about', 1.0)\n"
    source.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "FOLDER", source.parent)
        nbformat.write(build.executed(source), source.with_suffix(".ipynb"))
    return source


@pytest.fixture
def small(built, tmp_path, monkeypatch):
    """A copy of it, to change."""
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    shutil.copy(built.with_suffix(".ipynb"), tmp_path)
    return Path(shutil.copy(built, tmp_path))


def test_a_changed_source_a_hand_edit_and_a_missing_run_are_told_apart(small):
    assert build.stale(small) is None
    path = small.with_suffix(".ipynb")
    notebook = nbformat.read(path, as_version=4)

    notebook.cells[-1].execution_count = None
    nbformat.write(notebook, path)
    assert "not run" in build.stale(small)

    notebook.cells[-1].source += "\nprint(2)"
    nbformat.write(notebook, path)
    assert "edited by hand" in build.stale(small)

    small.write_text(small.read_text(encoding="utf-8") + "\n# more\n", encoding="utf-8")
    assert "was changed since" in build.stale(small)

    path.unlink()
    assert "missing" in build.stale(small)


def test_what_a_cell_prints_now_is_compared_with_what_it_shows(small):
    kept = nbformat.read(small.with_suffix(".ipynb"), as_version=4)
    small.write_text(small.read_text(encoding="utf-8").replace("1.0", "2.0"), encoding="utf-8")
    (difference,) = build.differences(kept, build.executed(small))
    assert "about 1.0" in difference and "about 2.0" in difference


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("about 1.0", "about 1.0", True),
        ("about 1.0", "nearly 1.0", False),
        ("about 1.0", "about 1 0", False),
        ("loss 0.019", "loss 0.018", True),  # one in the last decimal: rounding
        ("loss 0.019", "loss 0.022", False),
        ("loss 1.9e-05", "loss 2.0e-05", True),
        ("loss 1.9e-05", "loss 1.9e-04", False),
        ("134260544 weights", "134260545 weights", True),
        ("134260544 weights", "144260544 weights", False),
        ("8 layers", "9 layers", False),  # a count
        ("what 19 %", "what 21 %", True),  # what a training found
        ("what 19 %", "what 25 %", False),
        ("from -3 to 4", "from 3 to 4", False),
        ("1920x1080", "1921x1080", True),
        ("", "", True),
        ("nan", "0.0", False),
    ],
)
def test_numbers_may_differ_a_little_and_words_and_counts_not_at_all(before, after, same):
    assert build.alike(before, after) is same


def test_a_notebook_that_takes_too_long_is_not_built(small):
    small.write_text("# %%\nimport time\ntime.sleep(600)\n", encoding="utf-8")
    with pytest.raises(TimeoutError, match=r"99_small\.py is not finished after 3 s"):
        build.executed(small, 3)


def test_a_cell_that_warns_is_not_built(small):
    small.write_text("# %%\nimport warnings\nwarnings.warn('careful')\n", encoding="utf-8")
    with pytest.raises(ValueError, match="careful"):
        build.executed(small)


def test_colab_gets_a_badge_and_an_installing_first_cell(small):
    notebook = build.unexecuted(small)
    title, badge, install, *_ = notebook.cells
    assert title.source == "# Small"
    assert f"{build.REPOSITORY}/blob/main/notebooks/99_small.ipynb" in badge.source
    assert (
        'find_spec("fcn_keras") is None' in install.source
        and f"github.com/{build.REPOSITORY}" in install.source
    )


@every_notebook
def test_pictures_have_alternative_text(source):
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    for cell in kept.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert len(output.metadata["image/png"]["alt"]) > 15


def test_each_heading_begins_a_slide_and_every_other_cell_one_below(tmp_path):
    source = tmp_path / "98_deck.py"
    source.write_text(
        "# %% [markdown]\n# # Title\n#\n# text\n#\n# ## One\n#\n# more\n\n"
        "# %%\n1\n\n# %% [markdown]\n# two?\n",
        encoding="utf-8",
    )
    cells = build.unexecuted(source).cells
    assert [cell.source.split("\n")[0][:7] for cell in cells if cell.cell_type == "markdown"] == [
        "# Title",
        "[![Open",
        "## One",
        "two?",
    ]
    assert [cell.metadata["slideshow"]["slide_type"] for cell in cells] == [
        "slide",
        "skip",
        "skip",
        "slide",
        "subslide",
        "subslide",
    ]


@pytest.fixture
def slides():
    spec = importlib.util.spec_from_file_location("notebooks_slides", FOLDER / "slides.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_figure_has_a_slide_of_its_own(slides):
    notebook = slides.figures_apart(nbformat.read(FOLDER / "06_upsampling.ipynb", as_version=4))
    pictures = [
        cell
        for cell in notebook.cells
        if any("image/png" in o.get("data", {}) for o in cell.get("outputs", []))
    ]
    assert len(pictures) == 5 and not any(cell.source for cell in pictures)
    assert all(cell.metadata["slideshow"]["slide_type"] == "subslide" for cell in pictures)


def test_a_deck_holds_everything_that_it_needs(small, slides, monkeypatch):
    """Without the registry: stand-ins for reveal.js and MathJax.

    `make slides` fetches the real ones.
    """
    reveal = {
        "dist/reset.css": "a{}",
        "dist/reveal.css": "@import url(http://fonts);b{}",
        "dist/theme/simple.css": "c{}",
    }
    fetched = {
        "reveal.js": {**reveal, "dist/reveal.js": "x='</script>'"},
        "mathjax": {"es5/tex-svg.js": "y=1"},
    }
    monkeypatch.setattr(slides, "package", fetched.get)
    page = slides.deck(small.with_suffix(".ipynb"))
    assert "Small" in page and "about 1.0" in page and "<\\/script>" in page and "y=1" in page
    assert (
        "http://fonts" not in page
        and "unpkg" not in page
        and not re.search(r'<(script|link)[^>]*(src|href)="', page)
    )
