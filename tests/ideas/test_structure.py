"""The package's own rules: imports go one way, nothing heavy loads unasked, no backend is named."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fcn_keras

PACKAGE = Path(__file__).parents[2] / "fcn_keras"
# Each module may import those before it in the map.
RANK = {name: rank for rank, name in enumerate((*fcn_keras.MODULES, "__main__", "__init__"))}
FILES = sorted(PACKAGE.rglob("*.py"))


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


def test_import_loads_neither_keras_nor_matplotlib():
    script = (
        "import sys, fcn_keras; heavy = ('keras', 'tensorflow', 'matplotlib', 'numpy'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_modules_said_to_do_without_keras_do():
    script = (
        "import sys, fcn_keras; [getattr(fcn_keras, m) for m in fcn_keras.WITHOUT_KERAS]; "
        "print('keras' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_no_start_up_lines_in_a_students_script():
    script = "import fcn_keras as fcn; fcn.layers.upscore(2, 2, 'up')"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stderr == ""


def test_every_listed_submodule_exists():
    for name in fcn_keras.MODULES:
        assert getattr(fcn_keras, name).__name__ == f"fcn_keras.{name}"
    with pytest.raises(AttributeError, match="modles"):
        fcn_keras.modles  # noqa: B018
