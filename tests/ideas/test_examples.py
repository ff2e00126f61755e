"""The examples in the docstrings of the idea modules run, and every public function has one."""

import doctest
import importlib
import inspect

import keras
import numpy as np
import pytest

import fcn_keras as fcn

IDEAS = (
    "layers",
    "skip_connections",
    "convolutionalize",
    "backbones",
    "models",
    "geometry",
    "evaluation",
    "prediction.whole",
)
# Where every public function must have an example.
COMPLETE = ("layers", "skip_connections", "convolutionalize", "backbones", "models", "geometry")
WITHOUT = {
    "vgg16_classifier": "it makes 138 million weights, twice",
    "load": "the example of save shows it",
}


def public(ideas):
    """The public functions and classes of modules; of a package, those that it exports."""
    for idea in ideas:
        module = importlib.import_module(f"fcn_keras.{idea}")
        for name in getattr(module, "__all__", vars(module)):
            thing = getattr(module, name)
            here = getattr(thing, "__module__", "").startswith(module.__name__)
            if not name.startswith("_") and here and callable(thing):
                yield pytest.param(thing, id=f"{idea}.{name}")


def examples(thing):
    found = doctest.DocTestFinder(recurse=False).find(
        inspect.unwrap(thing), globs={"fcn": fcn, "np": np, "keras": keras}
    )
    return [test for test in found if test.examples]


@pytest.mark.parametrize("thing", [*public(IDEAS)])
def test_the_example_shows_what_it_prints(thing):
    report = []
    for example in examples(thing):
        doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("function", [*public(COMPLETE)])
def test_every_public_function_has_an_example(function):
    if inspect.isfunction(function) and function.__name__ not in WITHOUT:
        assert examples(function), "Expected an `Example:` with `>>>` lines in its docstring."
