"""The process in which a submission's code runs, watched from outside: it may loop, exit or crash, and the grader goes on."""

import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from queue import Empty

from jupyter_client.manager import KernelManager
from nbformat.v4 import output_from_msg

from fcn_keras.checks import NotYet, hints
from fcn_keras.grading import exchange

MOST_TEXT = (
    20_000  # characters of one cell's output that are kept: a loop that prints fills no disk
)
PATIENCE = 10  # seconds that an interrupted process has to come back
SHOWN = ("stream", "display_data", "execute_result", "error")


class Gone(BaseException):
    """The process is no more; `kind` is `"exit"` (it ended by itself) or `"time"` (it had to be killed).

    No `Exception`, because a check takes every `Exception` for a strange answer.
    """

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind


class StudentProcess:
    """A Jupyter kernel in a folder of its own.

    Args:
        folder: Where the process works and where questions to it are kept.
        environment: Its environment variables.
    """

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder = Path(folder)
        self.manager = KernelManager(kernel_name="python3")
        with (
            open(os.devnull, "w") as nowhere
        ):  # Jupyter's and TensorFlow's start-up lines; what cells print comes as messages
            self.manager.start_kernel(
                cwd=str(self.folder), env=environment, stdout=nowhere, stderr=nowhere
            )
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=120)
        except BaseException:
            self.close()
            raise

    def close(self):
        """Ends the process and what it started."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code: str, seconds: float) -> tuple[list, bool]:
        """Runs code there as a notebook runs a cell.

        Args:
            code: The cell.
            seconds: After that it is interrupted, as by the stop button.

        Returns:
            The cell's outputs as a notebook keeps them, and whether it was in time.

        Raises:
            Gone: If the process ended, or did not stop when it was interrupted.
        """
        request = self.client.execute(code, store_history=False, allow_stdin=False)
        outputs, deadline, late, length = [], time.monotonic() + seconds, False, 0
        while True:
            if time.monotonic() > deadline:
                if late:
                    self.manager.shutdown_kernel(now=True)
                    raise Gone("time")
                late, deadline = True, time.monotonic() + PATIENCE
                self.manager.interrupt_kernel()
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except Empty:
                if not self.manager.is_alive():
                    raise Gone("exit") from None
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return outputs, not late
            if kind in SHOWN:
                length += len(str(content.get("text", "")))
                if length <= MOST_TEXT:
                    add_output(outputs, output_from_msg(message))

    def ask(self, name: str, seconds: float, call=None, without=()):
        """Looks a name up, or calls the function of that name.

        Args:
            name: A name at the top level of the submission.
            seconds: Time for it.
            call: `None`, or the arguments `(list, dict)` of a call.
            without: Modules that the call may not use; see `fcn_keras.checks.hints.ask`.

        Returns:
            The value, or what the function returned. For a function that is looked up, an `Elsewhere`.

        Raises:
            NotYet: If there is no such name, the function raises, or its value cannot travel; kind `"time"` if it takes too long.
            Gone: If the process ended.
        """
        place = Path(tempfile.mkdtemp(prefix="question-", dir=self.folder))
        try:
            if call is not None:
                exchange.write(call, place / "arguments")
            settings = {
                "NAME": name,
                "PLACE": str(place),
                "CALL": call is not None,
                "WITHOUT": list(without),
            }
            _, in_time = self.run(
                f"exec({REPLY!r}, {{'__name__': 'grader', 'SPACE': globals(), **{settings!r}}})",
                seconds,
            )
            if not in_time:
                raise NotYet(
                    f"`{name}` is not finished after {seconds:.0f} s: is there a loop that never ends?",
                    "time",
                )
            try:
                answer = exchange.read(place / "answer")
            except FileNotFoundError:
                raise NotYet(f"`{name}` gave no answer.", "error") from None
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if "hint" in answer:
            raise NotYet(
                str(answer["hint"]),
                answer["kind"] if answer["kind"] in ("not answered", "error") else "wrong",
            )
        if answer["function"]:
            return Elsewhere(
                name,
                lambda arguments, named, without: self.ask(
                    name, seconds, (list(arguments), named), without
                ),
            )
        return answer["value"]


class Elsewhere:
    """Stands for a function that lives in the student's process; `hints.ask` knows it by `ask_elsewhere`."""

    def __init__(self, name: str, ask_elsewhere):
        self.__name__, self.ask_elsewhere = name, ask_elsewhere

    def __call__(self, *arguments, **named):
        return self.ask_elsewhere(arguments, named, ())


def add_output(outputs: list, output):
    """Adds an output to a cell's; text of the same stream to the last one."""
    if output.output_type == "stream" and outputs and outputs[-1].get("name") == output.name:
        outputs[-1].text += output.text
    else:
        outputs.append(output)


def _source(module) -> str:
    """A module's text, without what may stand only at the beginning of a file."""
    return re.sub(
        r"^from __future__.*$", "", Path(module.__file__).read_text(encoding="utf-8"), flags=re.M
    )


# What runs over there: these two modules' own text, so that it does not matter what a submission did to them, then a reply.
REPLY = "\n".join(
    (
        _source(exchange),
        _source(hints),
        """
def reply():
    try:
        if NAME not in SPACE:
            raise NotYet(f"there is no `{NAME}`: did its cell stop with an error, or was it renamed?", "not answered")
        value = SPACE[NAME]
        function = not CALL and callable(value) and not isinstance(value, keras.layers.Layer)
        if CALL:
            arguments, named = read(Path(PLACE) / "arguments")
            value = ask(value, *arguments, without=tuple(WITHOUT), **named)
        if isinstance(value, keras.Model):
            as_model(value)
        try:
            write({"value": None if function else value, "function": function}, Path(PLACE) / "answer")
        except Exception as error:
            raise NotYet(f"`{NAME}` cannot be handed in ({type(error).__name__}: {str(error)[:200]}).") from None
    except NotYet as hint:
        write({"hint": str(hint), "kind": hint.kind}, Path(PLACE) / "answer")

reply()
""",
    )
)
