"""How a check asks a student's answer something, and says in one sentence what is wrong with it.

A check of an assignment is a short function:

    @check
    def conv2d(answer, seed=0):
        image, kernel = ...                                          # drawn from the seed, sizes too
        got = ask(answer, image, kernel, stride=2, without=PACKAGES)  # the student's code runs here, and only here
        compare(got, want, mistakes=[("The kernel is flipped: ...", want_if_flipped)])

`ask` turns whatever the student's code does (an error, nothing returned, the package's own version called) into a
sentence; `compare` looks first whether the answer is one of the plausible wrong ones, then for what is wrong
with almost any array: a pixel short, axes exchanged, a factor, a sign. Both raise `NotYet`, which notebooks show
as that sentence alone. Nothing here needs matplotlib.
"""

import functools
import gc
import itertools
import linecache
import sys
import textwrap
import threading
import traceback

import keras
import numpy as np

PACKAGES = (
    "fcn_keras",
    "keras",
    "tensorflow",
    "scipy",
    "torch",
    "torchvision",
    "jax",
    "cv2",
    "skimage",
    "PIL",
)
"""What a task that says "write it with NumPy" must not call."""


SET_OFF = ("<module>", "__getattr__", "__del__")
"""What an import, or the clearing away of an object, sets off: no call of the student's."""


class NotYet(AssertionError):
    """An answer is not right yet; the message is the hint.

    Attributes:
        kind: `"wrong"`, `"not answered"` (the sheet's own `NotImplementedError`), or `"error"` (the student's code
            raised something). A grader adds `"time"` and `"exit"`.
    """

    def __init__(self, hint: str, kind: str = "wrong"):
        super().__init__(hint)
        self.kind = kind

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the student's mistake is not in this package's files."""
        return textwrap.wrap(f"Not yet: {self}", 100)


def check(function):
    """Makes a check of a function that raises `NotYet`, and may return a sentence to say when the answer is right."""

    @functools.wraps(function)
    def checked(answer, seed: int = 0):
        try:
            praise = function(answer, seed)
        except NotYet as hint:
            raise NotYet(f"{function.__name__}: {hint}", hint.kind) from None
        except Exception as error:  # an answer so strange that the comparison itself fails
            raise NotYet(
                f"{function.__name__}: this answer cannot be compared ({type(error).__name__}: {error}). "
                "What type and what shape does the task ask for?"
            ) from None
        print(f"{function.__name__}: right. {praise or ''}".rstrip())

    return checked


def ask(answer, *arguments, without: tuple[str, ...] = (), **named):
    """Calls the student's function.

    Args:
        answer: The function. A grader hands over a stand-in that calls the student's function in another process.
        *arguments: Handed on as copies, so that an answer that changes its input spoils nothing.
        without: Modules that the answer may not call, such as `PACKAGES` where the task says "write", or
            `("fcn_keras.models",)`. Seen whatever name they were imported under.
        **named: Handed on by name.

    Returns:
        What the function returned.

    Raises:
        NotYet: If it is no function, raises, was not written yet, or calls what it should write.
    """
    if hasattr(answer, "ask_elsewhere"):
        return answer.ask_elsewhere(arguments, named, without)
    if not callable(answer):
        raise NotYet(
            "hand the function itself to the check, its name without parentheses or arguments."
        )
    name = getattr(answer, "__name__", "your function")
    arguments, named = (
        [_copy(a) for a in arguments],
        {key: _copy(value) for key, value in named.items()},
    )
    called: list[str] = []

    def refused(frame):
        module = (frame.f_globals.get("__name__") or "") if frame else ""
        return any(module == w or module.startswith(w + ".") for w in without)

    here = sys._getframe()

    def watch(frame, event, _argument):
        if (
            event == "call"
            and refused(frame)
            and (frame.f_back is here or not refused(frame.f_back))
        ):
            caller, names = frame, []
            while caller not in (here, None):
                names += [caller.f_code.co_name] * refused(caller)
                caller = caller.f_back
            if not set(names) & set(SET_OFF):
                called.append(f"{frame.f_globals['__name__'].split('.')[0]} ({names[0]})")

    try:
        if without:
            gc.disable()  # so that nobody is blamed for what a package does when an old object of its is cleared away
            threading.setprofile(watch)
            sys.setprofile(watch)
        result = answer(*arguments, **named)
        undisturbed = not without or sys.getprofile() is watch
    except NotImplementedError:
        raise NotYet(f"`{name}` is not written yet.", "not answered") from None
    except Exception as error:
        if not called:
            raise NotYet(_sentence_of(error, name, arguments, named), "error") from None
        undisturbed = True
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        gc.enable()
    if called or not undisturbed:
        whom = called[0] if called else "sys.setprofile"
        raise NotYet(
            f"`{name}` calls {whom}. This task asks you to write that part yourself: see its text for what you may use."
        )
    return result


def compare(
    got,
    want,
    *,
    mistakes=(),
    what: str = "the result",
    tolerance: float = 1e-4,
    axes=("height", "width", "channels"),
):
    """Whether an answer is what was expected; if not, why not, as well as can be told.

    Args:
        got: The answer: a number, or anything that NumPy can make an array of.
        want: What is right, as a number or array. It is never shown.
        mistakes: Pairs `(hint, value)`: what a plausible wrong answer would give here, and what to say then.
        what: How the sentence calls the answer, such as `"the output for stride 2"`.
        tolerance: Largest difference allowed, relative to the largest number in `want`.
        axes: Names of the axes, for the sentence.

    Raises:
        NotYet: If it is not.
    """
    want = np.asarray(want)
    got = as_array(got, what)
    scale = max(1e-12, float(np.abs(want).max(initial=0)))

    def close(value):
        value = np.asarray(value)
        return value.shape == got.shape and np.allclose(
            got, value, rtol=0, atol=tolerance * max(scale, 1e-6), equal_nan=True
        )

    if close(want) and np.isfinite(got).all():
        return
    for hint, value in mistakes:
        if not _same(value, want, tolerance * scale) and close(value):
            raise NotYet(hint)
    if got.shape != want.shape:
        raise NotYet(_about_shape(got.shape, want.shape, what, axes))
    if not np.isfinite(got).all():
        raise NotYet(
            f"{what} holds NaN or infinity: is something divided by zero, or a logarithm taken of 0?"
        )
    raise NotYet(_about_values(got, want, what, close))


def as_array(value, what: str = "the result") -> np.ndarray:
    """A student's number, list, array or Keras tensor as a NumPy array of numbers.

    Raises:
        NotYet: If it is nothing of the kind.
    """
    if value is None:
        raise NotYet(f"{what} is None: is there a `return` at the end?")
    if isinstance(value, keras.Model | keras.layers.Layer):
        raise NotYet(f"{what} is a Keras {type(value).__name__}, and numbers are asked for.")
    try:
        array = (
            keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else np.asarray(value)
        )
    except ValueError:
        raise NotYet(
            f"{what} is a list whose parts have different lengths, where numbers are asked for."
        ) from None
    if array.dtype.kind not in "biufc":
        raise NotYet(f"{what} is a {type(value).__name__}, and numbers are asked for.")
    return array.astype("float64") if array.dtype.kind in "bf" else array


def as_model(value, what: str = "the answer") -> keras.Model:
    """A student's model, if it is one that can be saved and loaded anywhere.

    Raises:
        NotYet: If it is not a `keras.Model`, or holds a Lambda layer or a layer that is neither Keras' nor the package's.
    """
    if value is None:
        raise NotYet(f"{what} is None: is there a `return` at the end?")
    if keras.ops.is_tensor(value) or isinstance(value, keras.KerasTensor):
        raise NotYet(
            f"{what} is the tensor that comes out of a layer; wrap it: `keras.Model(inputs, outputs)`."
        )
    if not isinstance(value, keras.Model):
        raise NotYet(f"{what} is a {type(value).__name__}, and a `keras.Model` is asked for.")
    for layer in value.layers:
        if isinstance(layer, keras.layers.Lambda) or type(layer).__module__.split(".")[0] not in (
            "keras",
            "fcn_keras",
        ):
            raise NotYet(
                f"layer `{layer.name}` is a {type(layer).__name__}, which no other computer can load: use the layers of Keras "
                "and of `fcn_keras.layers`."
            )
    return value


def _copy(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(a, b, atol) -> bool:
    a = np.asarray(a)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=atol)


def _sentence_of(error, name, arguments, named) -> str:
    """An error of the student's own code: what, in which of their lines, and with what it was called."""
    frames = traceback.extract_tb(
        error.__traceback__.tb_next
    )  # below `ask`: first the student's lines, then those of packages
    own = list(itertools.takewhile(lambda f: "site-packages" not in f.filename, frames))
    where = ""
    if own:
        line = (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno)).strip()
        where = f" in line {own[-1].lineno} of its cell" + (f" (`{line}`)" if line else "")
    given = [_shortly(a) for a in arguments] + [
        f"{key}={_shortly(value)}" for key, value in named.items()
    ]
    if isinstance(error, TypeError) and not own:
        call = f"{name}({', '.join(given)})"
        return f"the check calls `{call}`, and it does not take these arguments ({error}). Keep its first line."
    return f"`{name}({', '.join(given)})` stopped with {type(error).__name__}{where}: {str(error)[:300]}"


def _shortly(value) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array of {' × '.join(map(str, value.shape))}"
    text = repr(value)
    return text if len(text) <= 40 else f"{type(value).__name__}"


def _about_shape(got, want, what, axes) -> str:
    """What is wrong with a shape, in words."""
    shown = " × ".join(map(str, got)) or "a single number"
    if len(got) != len(want):
        many = "a single number" if not want else f"{len(want)} axes" if len(want) > 1 else "1 axis"
        return f"{what} has shape {got}: {len(got)} axes, where {many} {'is' if not want else 'are'} expected."
    names = (
        axes[-len(want) :] if len(axes) >= len(want) else [f"axis {i}" for i in range(len(want))]
    )
    if len(want) == len(axes) + 1:
        names = ("batch", *axes)
    if sorted(got) == sorted(want):
        return f"{what} is {shown}: the right numbers in the wrong order. Which axis is which?"
    parts = []
    for name, have, need in zip(names, got, want):
        if have != need:
            unit = (
                "pixel"
                if name in ("height", "width")
                else "entry"
                if name.startswith("axis")
                else name.rstrip("s")
            )
            apart = abs(have - need)
            plural = unit if apart == 1 else "entries" if unit == "entry" else f"{unit}s"
            parts.append(f"{apart} {plural} too {'few' if have < need else 'many'} in {name}")
    advice = (
        ": which padding, and which rounding, did you use?"
        if any("height" in p or "width" in p for p in parts)
        else "."
    )
    return f"{what} is {shown}, {' and '.join(parts)}{advice}"


def _about_values(got, want, what, close) -> str:
    """What is wrong with numbers of the right shape, in words."""
    got, want = got.astype("float64"), want.astype("float64")
    if got.ndim == 0:
        return f"{what} is {got:.6g}, which is not right."
    if got.size > 1 and np.ptp(got) == 0:
        return f"{what} is {got.flat[0]:.4g} everywhere. Is it filled at all?"
    if close(-want):
        return f"{what} has the wrong sign everywhere."
    for axis in range(want.ndim):
        if close(np.flip(want, axis)):
            return f"{what} is turned round along axis {axis}."
    if want.ndim > 1 and close(np.flip(want, (0, 1))):
        return f"{what} is turned round along its first two axes: is the kernel, or the loop, reversed?"
    if want.ndim > 1 and want.shape[0] == want.shape[1] and close(np.swapaxes(want, 0, 1)):
        return f"{what} has rows and columns exchanged."
    large = np.abs(want) > 1e-3 * np.abs(want).max(initial=0)
    if large.any():
        factors = got[large] / want[large]
        if np.ptp(factors) < 1e-3 * abs(factors.mean()) and np.allclose(got[~large], 0, atol=1e-2):
            return f"{what} is {factors.mean():.4g} times as large as it should be, everywhere."
    if got.size > 1 and np.ptp(got - want) < 1e-3 * np.abs(got - want).max():
        return f"{what} is off by the same number everywhere ({(got - want).mean():+.4g})."
    wrong = np.abs(got - want) > 1e-4 * max(1e-12, np.abs(want).max())
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    share = (
        f"{wrong.mean():.0%} of its values are wrong"
        if wrong.mean() > 0.01
        else f"{wrong.sum()} of its values are wrong"
    )
    return f"{what} has the right shape, but {share}, first at {list(first)}, where it is {got[first]:.4g}."
