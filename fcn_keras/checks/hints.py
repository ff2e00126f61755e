"""How a check calls a student's function, and how it says in one sentence what is wrong.

The check of a task is a short function:

    @check
    def conv2d(answer, seed=0):
        image, kernel = ...                                      # numbers and sizes from the seed
        got = ask(answer, image, kernel, stride=2, without=PACKAGES)  # only here, their code runs
        compare(got, want, mistakes=[("the kernel is flipped: ...", want_if_flipped)])

`ask` puts into a sentence what goes wrong in the student's code: an error, nothing returned, the
package's own version called. `compare` first looks for plausible wrong answers, then for what can
happen to any array: a pixel short, axes swapped, a factor, a sign. Both raise `NotYet`, of which a
notebook shows only the sentence.

The grader runs this file's text in the student's process too, so it imports nothing that is drawn
or built.
"""

import functools
import gc
import itertools
import linecache
import sys
import textwrap
import threading
import traceback
from typing import Any

import keras
import numpy as np

from fcn_keras.support.arguments import whole_number

# What an answer must not call where the task says "write it with NumPy".
PACKAGES = (
    *("fcn_keras", "keras", "tensorflow", "torch", "torchvision", "jax"),
    *("scipy", "cv2", "skimage", "PIL"),
)

# Functions that an import or the deletion of an object sets off: the student did not call them.
SET_OFF = {"<module>", "__getattr__", "__del__"}


class NotYet(AssertionError):
    """An answer is not right yet; the message is the hint.

    Attributes:
        kind: `"wrong"`, `"not answered"` (the sheet's own `NotImplementedError`), or `"error"` (the
            student's code raised an exception). A grader adds `"time"` and `"exit"`.
    """

    def __init__(self, hint: str, kind: str = "wrong"):
        super().__init__(hint)
        self.kind = kind

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the mistake is not in this package's files."""
        return textwrap.wrap(f"Not yet: {self}", 100)


def check(function):
    """Turns a function that raises `NotYet` into the check of a task.

    Args:
        function: Called with the answer and the seed. It may return a sentence, which is printed
            when the answer is right.
    """

    @functools.wraps(function)
    def checking(answer, seed: int = 0):
        seed = whole_number("seed", seed, at_least=0)
        try:
            remark = function(answer, seed)
        except NotYet as hint:
            raise NotYet(f"{function.__name__}: {hint}", hint.kind) from None
        except Exception as error:  # an answer so unusual that the comparison itself fails
            raise NotYet(
                f"{function.__name__}: your answer cannot be compared with the right one "
                f"({type(error).__name__}: {error}). Which type and shape does the task ask for?"
            ) from None
        print(f"{function.__name__}: right. {remark or ''}".rstrip())

    return checking


def ask(answer, *arguments, without: tuple[str, ...] = (), **named) -> Any:
    """Calls the student's function.

    Args:
        answer: The function. A grader hands over a stand-in that calls the student's function in
            another process.
        *arguments: Handed over as copies, so that an answer that changes its input does no harm.
        without: Modules that the answer must not call, such as `PACKAGES` or
            `("fcn_keras.models",)`. A call is noticed under whatever name they were imported.
        **named: Handed over by name, as copies too.

    Returns:
        What the function returned.

    Raises:
        NotYet: If it is not a function, is not written yet, raises an exception, or calls one of
            the modules in `without`.
    """
    if hasattr(answer, "ask_elsewhere"):
        return answer.ask_elsewhere(arguments, named, without)
    if not callable(answer):
        raise NotYet("give the check the function itself: its name, without parentheses.")
    name = getattr(answer, "__name__", "your function")
    arguments = [_copy(value) for value in arguments]
    named = {key: _copy(value) for key, value in named.items()}
    calls: list[str] = []
    watch = _watch(without, sys._getframe(), calls)
    result, watched = None, True
    try:
        if without:
            gc.disable()  # a package may call its own functions when an object of its is deleted
            threading.setprofile(watch)
            sys.setprofile(watch)
        result = answer(*arguments, **named)
        watched = not without or sys.getprofile() is watch
    except NotImplementedError:
        raise NotYet(f"`{name}` is not written yet.", "not answered") from None
    except Exception as error:
        if not calls:
            raise NotYet(_error_in_words(error, name, arguments, named), "error") from None
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        gc.enable()
    if calls or not watched:
        called = calls[0] if calls else "sys.setprofile"
        raise NotYet(
            f"`{name}` calls {called}. This task asks you to write that part yourself: its text "
            "says what you may use."
        )
    return result


def _watch(modules, asking, calls: list[str]):
    """A profile function for `sys.setprofile` that notes calls from outside into some modules.

    Args:
        modules: Their names.
        asking: The frame that calls the student's function.
        calls: Receives an entry per call, such as `"keras (conv)"`.
    """

    def inside(frame) -> bool:
        name = (frame.f_globals.get("__name__") or "") if frame else ""
        return any(name == module or name.startswith(module + ".") for module in modules)

    def watch(frame, event, _argument):
        if event != "call" or not inside(frame):
            return
        if frame.f_back is not asking and inside(frame.f_back):
            return  # the package calls itself
        functions, caller = [], frame
        while caller not in (asking, None):
            functions += [_function_name(caller)] * inside(caller)
            caller = caller.f_back
        if not SET_OFF & set(functions):
            package = frame.f_globals["__name__"].split(".")[0]
            calls.append(f"{package} ({functions[0]})")

    return watch


def _function_name(frame) -> str:
    """The function that runs in a frame; for a decorator of the package, what it decorates."""
    name = frame.f_code.co_name
    return getattr(frame.f_locals.get("function"), "__name__", name) if name == "checking" else name


def compare(
    got,
    want,
    *,
    mistakes=(),
    what: str = "the result",
    tolerance: float = 1e-4,
    axes=("height", "width", "channels"),
):
    """Passes a right answer; says as well as it can what is wrong with another one.

    Args:
        got: The answer: a number, or anything that NumPy can turn into an array.
        want: The right answer, a number or an array. It is never shown.
        mistakes: Pairs `(hint, value)`: the value that a plausible mistake would give here.
        what: What the sentence calls the answer, such as `"the output for stride 2"`.
        tolerance: Largest difference allowed, relative to the largest number in `want`.
        axes: Names of the axes, for the sentence.

    Raises:
        NotYet: If it is wrong.
    """
    want = np.asarray(want)
    got = as_array(got, what)
    scale = max(1e-12, float(np.abs(want).max(initial=0)))

    def is_close_to(value) -> bool:
        value = np.asarray(value)
        return value.shape == got.shape and np.allclose(
            got, value, rtol=0, atol=tolerance * max(scale, 1e-6), equal_nan=True
        )

    if is_close_to(want) and np.isfinite(got).all():
        return
    for hint, value in mistakes:
        if not _equal(value, want, tolerance * scale) and is_close_to(value):
            raise NotYet(hint)
    if got.shape != want.shape:
        raise NotYet(_wrong_shape(got.shape, want.shape, what, axes))
    if not np.isfinite(got).all():
        raise NotYet(
            f"{what} contains NaN or infinity: do you divide by zero, or take the logarithm of 0?"
        )
    raise NotYet(_wrong_values(got, want, what, is_close_to))


def as_array(value, what: str = "the result") -> np.ndarray:
    """A student's number, list, array or Keras tensor as a NumPy array of numbers.

    Raises:
        NotYet: If it is anything else.
    """
    if value is None:
        raise NotYet(f"{what} is None: is there a `return` at the end?")
    if isinstance(value, keras.Model | keras.layers.Layer):
        raise NotYet(f"{what} is a Keras {type(value).__name__}; the task asks for numbers.")
    try:
        tensor = keras.ops.is_tensor(value)
        array = keras.ops.convert_to_numpy(value) if tensor else np.asarray(value)
    except ValueError:
        raise NotYet(
            f"{what} is a list whose parts have different lengths; the task asks for an array."
        ) from None
    if array.dtype.kind not in "biufc":
        raise NotYet(f"{what} is of type {type(value).__name__}; the task asks for numbers.")
    return array.astype("float64") if array.dtype.kind in "bf" else array


def as_model(value, what: str = "the answer") -> keras.Model:
    """A student's model, if any computer can load it.

    Raises:
        NotYet: If it is not a `keras.Model`, or has a Lambda layer or a layer that is neither
            Keras' nor the package's.
    """
    if value is None:
        raise NotYet(f"{what} is None: is there a `return` at the end?")
    if keras.ops.is_tensor(value) or isinstance(value, keras.KerasTensor):
        raise NotYet(
            f"{what} is the output tensor of a layer: return `keras.Model(inputs, outputs)`."
        )
    if not isinstance(value, keras.Model):
        raise NotYet(
            f"{what} is of type {type(value).__name__}; the task asks for a `keras.Model`."
        )
    for layer in value.layers:
        package = type(layer).__module__.split(".")[0]
        if isinstance(layer, keras.layers.Lambda) or package not in ("keras", "fcn_keras"):
            raise NotYet(
                f"layer `{layer.name}` is a {type(layer).__name__}, which no other computer can "
                "load: use the layers of Keras and of `fcn_keras.layers`."
            )
    return value


def _copy(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def _equal(a, b, atol) -> bool:
    a = np.asarray(a)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=atol)


def _error_in_words(error, name, arguments, named) -> str:
    """An error in the student's code: what, in which line, and for which arguments."""
    # below `ask`: first the student's lines, then those of packages
    frames = traceback.extract_tb(error.__traceback__.tb_next)
    own = list(itertools.takewhile(lambda f: "site-packages" not in f.filename, frames))
    shown = [_in_short(value) for value in arguments]
    shown += [f"{key}={_in_short(value)}" for key, value in named.items()]
    call = f"{name}({', '.join(shown)})"
    if not own and isinstance(error, TypeError):
        return (
            f"the check calls `{call}`, and your function does not take these arguments ({error}). "
            "Leave its first line as it was."
        )
    where = ""
    if own:
        line = (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)).strip()
        where = f" in line {own[-1].lineno} of its cell" + (f" (`{line}`)" if line else "")
    return f"`{call}` stopped with {type(error).__name__}{where}: {str(error)[:300]}"


def _in_short(value) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array of {' × '.join(map(str, value.shape))}"
    text = repr(value)
    return text if len(text) <= 40 else type(value).__name__


def _wrong_shape(got, want, what, axes) -> str:
    """What is wrong with a shape."""
    shown = " × ".join(map(str, got)) or "a single number"
    if len(got) != len(want):
        expected = {0: "a single number is", 1: "1 axis is"}.get(len(want), f"{len(want)} axes are")
        received = "1 axis" if len(got) == 1 else f"{len(got)} axes"
        return f"{what} has shape {got}: {received}, where {expected} expected."
    if sorted(got) == sorted(want):
        return f"{what} is {shown}: the right numbers in the wrong order. Which axis is which?"
    names = [f"axis {number}" for number in range(len(want))]
    if len(axes) >= len(want):
        names = axes[-len(want) :]
    elif len(want) == len(axes) + 1:
        names = ("batch", *axes)
    differences = []
    for name, have, need in zip(names, got, want):
        if have != need:
            unit = _counted(abs(have - need), name)
            differences.append(f"{unit} too {'few' if have < need else 'many'} in {name}")
    advice = "."
    if any("height" in text or "width" in text for text in differences):
        advice = ": which padding and which rounding did you use?"
    return f"{what} is {shown}, {' and '.join(differences)}{advice}"


def _counted(number: int, axis: str) -> str:
    """Such as "2 pixels", of what is counted along an axis."""
    units = {"height": "pixel", "width": "pixel", "classes": "class"}
    units |= {"channels": "channel", "units": "unit"}
    unit = units.get(axis, "entry")
    if number == 1:
        return f"1 {unit}"
    return f"{number} " + {"class": "classes", "entry": "entries"}.get(unit, f"{unit}s")


def _wrong_values(got, want, what, is_close_to) -> str:
    """What is wrong with numbers of the right shape."""
    got, want = got.astype("float64"), want.astype("float64")
    if got.ndim == 0:
        return f"{what} is {got:.6g}, which is not right."
    if got.size > 1 and np.ptp(got) == 0:
        return f"{what} is {got.flat[0]:.4g} everywhere: is it ever filled?"
    if is_close_to(-want):
        return f"{what} has the wrong sign everywhere."
    for axis in range(want.ndim):
        if is_close_to(np.flip(want, axis)):
            return f"{what} is reversed along axis {axis}."
    if want.ndim > 1 and is_close_to(np.flip(want, (0, 1))):
        return f"{what} is reversed along its first two axes: is the kernel flipped, or a loop?"
    if want.ndim > 1 and want.shape[0] == want.shape[1] and is_close_to(np.swapaxes(want, 0, 1)):
        return f"{what} has its rows and columns swapped."
    large = np.abs(want) > 1e-3 * np.abs(want).max(initial=0)
    if large.any():
        factors = got[large] / want[large]
        if np.ptp(factors) < 1e-3 * abs(factors.mean()) and np.allclose(got[~large], 0, atol=1e-2):
            return f"{what} is {factors.mean():.4g} times what it should be, everywhere."
    if got.size > 1 and np.ptp(got - want) < 1e-3 * np.abs(got - want).max():
        return f"{what} is off by the same number everywhere ({(got - want).mean():+.4g})."
    return _first_wrong_value(got, want, what)


def _first_wrong_value(got, want, what) -> str:
    wrong = np.abs(got - want) > 1e-4 * max(1e-12, np.abs(want).max())
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    number = f"{wrong.mean():.0%}" if wrong.mean() > 0.01 else f"{wrong.sum()}"
    return (
        f"{what} has the right shape, but {number} of its values are wrong. "
        f"The first is at {list(first)}, where yours is {got[first]:.4g}."
    )
