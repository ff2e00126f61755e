"""The package's own rules: imports go one way, nothing heavy loads unasked, no backend is named.

And what is written about the package names things that exist.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fcn_keras

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "fcn_keras"
# Each module may import those before it in the map.
RANK = {name: rank for rank, name in enumerate((*fcn_keras.MODULES, "__main__", "__init__"))}
FILES = sorted(PACKAGE.rglob("*.py"))
MAP = (ROOT / "docs" / "lecture_to_code.md").read_text(encoding="utf-8")
IDEAS = ("layers", "skip_connections", "convolutionalize", "backbones", "geometry", "models")
IDEAS = (*IDEAS, "evaluation", "prediction", "training")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    here = module_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "fcn_keras" and len(parts) > 1 and parts[1] in RANK and here != "__init__":
            assert RANK[parts[1]] <= RANK[here], f"{here} imports {name}"
        if here == "models":
            assert "datasets" not in parts, (
                "models never import data sets: the caller brings the two together"
            )
        if here == "visualization":
            assert parts[0] != "keras" and "models" not in parts, (
                "visualization takes arrays and rows, never a model"
            )
        if here == "datasets" and parts[0] == "fcn_keras":
            assert parts[1] in ("datasets", "geometry", "support")
        assert parts[0] not in ("tensorflow", "torch", "cv2", "sklearn"), f"{here} names {name}"
        assert parts[0] != "jax" or path.stem == "distribution", (
            "only JAX can connect computers, and only there is it named"
        )
        assert "many_files" not in parts or path.stem != "__init__", (
            "it needs matplotlib: import it explicitly"
        )
        if parts[0] == "matplotlib":
            assert here in ("visualization", "lecture")
        if parts[0] == "PIL":
            assert path.stem == "images"


def test_every_module_has_its_place_in_the_order():
    assert {module_of(path) for path in FILES} <= set(RANK)


@pytest.mark.slow  # starts a process
def test_import_loads_neither_keras_nor_matplotlib():
    script = (
        "import sys, fcn_keras; heavy = ('keras', 'tensorflow', 'matplotlib', 'numpy'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.slow  # starts a process
def test_modules_said_to_do_without_keras_do():
    script = (
        "import sys, fcn_keras; [getattr(fcn_keras, m) for m in fcn_keras.WITHOUT_KERAS]; "
        "print('keras' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.slow  # starts a process
def test_no_start_up_lines_in_a_students_script():
    script = "import fcn_keras as fcn; fcn.layers.upscore(2, 2, 'up')"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stderr == ""


def test_every_listed_submodule_exists():
    for name in fcn_keras.MODULES:
        assert getattr(fcn_keras, name).__name__ == f"fcn_keras.{name}"
    with pytest.raises(AttributeError, match="modles"):
        fcn_keras.modles  # noqa: B018


# --- what is written about the package ---


def in_tables(text):
    """What stands in code style in the tables of a text."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return set(re.findall(r"`([^`]+)`", "\n".join(rows)))


@pytest.mark.parametrize("name", fcn_keras.MODULES)
def test_every_module_is_in_the_docstring_and_in_the_documentation(name):
    assert name in in_tables(fcn_keras.__doc__)
    written = in_tables((ROOT / "README.md").read_text(encoding="utf-8")) | in_tables(MAP)
    assert name in written


def test_visualization_stands_below_prediction():
    assert RANK["visualization"] < RANK["prediction"]


def test_the_paths_in_the_makefile_exist():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.findall(
        r"(?<![\w./])(?:tests|notebooks|benchmarks|fcn_keras|data|docs)/[\w./-]+", text
    )
    found += [
        name.replace(".", "/") + ".py" for name in re.findall(r"-m (fcn_keras\.[\w.]+)", text)
    ]
    for loop in re.findall(r"for name in ([\w ]+);", text):
        found += [f"benchmarks/{name}.py" for name in loop.split()]
    assert len(found) > 8
    assert [path for path in found if not (ROOT / path).exists() and not path.endswith("/")] == []


def test_the_files_in_the_map_exist():
    """`datasets/drawn/`, `models/fcn.py`, links to other pages."""
    paths = [name for name in in_tables(MAP) if re.fullmatch(r"\w+/([\w/]+\.py)?|\w+\.py", name)]
    assert len(paths) > 20
    assert [path for path in paths if not (PACKAGE / path).exists()] == []
    links = re.findall(r"\]\(([^)#:]+)", MAP)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_the_names_in_the_map_exist():
    """`fcn.models.load`, and `.small_vgg` for another name of the module before."""
    module, names = None, 0
    for name in re.findall(r"`(fcn(?:\.\w+)+|\.\w+)`", MAP):
        if name.startswith("."):
            owner, last = module, name[1:]
        else:
            *path, last = name.split(".")[1:]
            owner = module = fcn_keras
            for part in path:
                owner = module = getattr(owner, part)
        assert hasattr(owner, last), name
        names += 1
    assert names > 30


# --- layout ---


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_ideas_are_laid_out_by_the_formatter(path):
    if module_of(path) in IDEAS:
        assert "fmt: skip" not in path.read_text(encoding="utf-8")


def arguments_of(function):
    spec = function.args
    several = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    several = [argument for argument in several if argument.arg != "self"]
    return len(several) + sum(extra is not None for extra in (spec.vararg, spec.kwarg))


def test_no_function_behind_the_scenes_has_more_than_seven_arguments():
    """What needs more wants an object that carries some of them."""
    functions = [
        (path.relative_to(PACKAGE), node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("_")
    ]
    assert len(functions) > 100
    long = {f"{path}: {node.name}" for path, node in functions if arguments_of(node) > 7}
    assert not long
