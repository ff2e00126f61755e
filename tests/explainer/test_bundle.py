"""What is committed in `bundle/` is what its sources give."""

import hashlib
import json
import re
import subprocess

import pytest
from browsers import WEB, missing_for

BUNDLE = WEB.parent / "bundle"


@pytest.mark.skipif(bool(missing_for("chromium")), reason=f"not here: {missing_for('chromium')}")
def test_the_bundle_is_built_from_its_sources(tmp_path):
    """Byte for byte: `make explainer-bundle` builds it again."""
    subprocess.run(["node", WEB / "build.mjs", tmp_path], check=True)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in BUNDLE.iterdir()}
    for name in names:
        built, kept = (hashlib.sha256((f / name).read_bytes()) for f in (tmp_path, BUNDLE))
        assert built.hexdigest() == kept.hexdigest(), f"{name}: run make explainer-bundle"


def test_every_package_in_the_bundle_has_its_licence_beside_it():
    packages = json.loads((BUNDLE / "packages.json").read_text())
    licences = (BUNDLE / "LICENCES.txt").read_text(encoding="utf-8")
    assert "@tensorflow/tfjs-core" in {package["name"] for package in packages}
    for package in packages:
        assert package["license"] in ("Apache-2.0", "MIT")
        assert f"{package['name']} {package['version']}" in licences
    assert "Apache License" in licences and "Permission is hereby granted" in licences


def test_versions_are_locked():
    package = json.loads((WEB / "package.json").read_text())
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
