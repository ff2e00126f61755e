"""The process that runs a submission's code, watched from outside.

The code may loop, exit or crash; the grader continues.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path
from queue import Empty

from jupyter_client.manager import KernelManager
from nbformat.v4 import output_from_msg

from fcn_keras.checks import NotYet, hints
from fcn_keras.grading import exchange

MOST_TEXT = 20_000  # characters kept of a cell's output: an endless print fills no disk
PATIENCE = 10  # seconds that an interrupted process has to stop
SHOWN = ("stream", "display_data", "execute_result", "error")


class Gone(BaseException):
    """The process has ended; `kind` is `"exit"` (by itself) or `"time"` (it had to be killed).

    It is not an `Exception`, because a check takes every `Exception` for an unusual answer.
    """

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind


class StudentProcess:
    """A Jupyter kernel in a folder of its own.

    Args:
        folder: Where the process works, and where questions to it are kept.
        environment: Its environment variables.
    """

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder = Path(folder)
        self.manager = KernelManager(kernel_name="python3")
        # what cells print comes as messages; the rest are start-up lines of Jupyter and TensorFlow
        with open(os.devnull, "w") as nowhere:
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
        """Runs code in the process as a notebook runs a cell.

        Args:
            code: The cell.
            seconds: Time limit, after which it is interrupted as by the stop button.

        Returns:
            The cell's outputs as a notebook keeps them, and whether it kept the time limit.

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
            message = self._next_message()
            if message is None or message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return outputs, not late
            if kind in SHOWN:
                length += len(str(content.get("text", "")))
                if length <= MOST_TEXT:
                    _add_output(outputs, output_from_msg(message))

    def _next_message(self) -> dict | None:
        """What the process says next; `None` if it says nothing for a moment.

        Raises:
            Gone: If it has ended.
        """
        try:
            return self.client.get_iopub_msg(timeout=0.2)
        except Empty:
            if not self.manager.is_alive():
                raise Gone("exit") from None
            return None

    def ask(self, name: str, seconds: float, call=None, without=()):
        """Looks up a name, or calls the function of that name.

        Args:
            name: A name at the top level of the submission.
            seconds: Time limit.
            call: `None`, or the arguments of a call, `(list, dict)`.
            without: Modules that the call must not use, as in `fcn_keras.checks.hints.ask`.

        Returns:
            The value, or what the function returned. A function that is looked up comes as an
            `Elsewhere`.

        Raises:
            NotYet: If there is no such name, the function raises, its value cannot be sent, or it
                takes too long (kind `"time"`).
            Gone: If the process ended.
        """
        answer = self._answer(name, seconds, call, without)
        if "hint" in answer:
            kind = answer["kind"] if answer["kind"] in ("not answered", "error") else "wrong"
            raise NotYet(str(answer["hint"]), kind)
        if answer["function"]:

            def call_it(arguments, named, without):
                return self.ask(name, seconds, (list(arguments), named), without)

            return Elsewhere(name, call_it)
        return answer["value"]

    def _answer(self, name, seconds, call, without) -> dict:
        """What `REPLY` writes in the process: a value, whether it is a function, or a hint."""
        folder = Path(tempfile.mkdtemp(prefix="question-", dir=self.folder))
        try:
            if call is not None:
                exchange.write(call, folder / "arguments")
            question = {
                "NAME": name,
                "FOLDER": str(folder),
                "CALL": call is not None,
                "WITHOUT": list(without),
            }
            names = f"{{'__name__': 'grader', 'SPACE': globals(), **{question!r}}}"
            _, in_time = self.run(f"exec({REPLY!r}, {names})", seconds)
            if not in_time:
                raise NotYet(
                    f"`{name}` has not finished after {seconds:.0f} s: is there an endless loop?",
                    "time",
                )
            try:
                return exchange.read(folder / "answer")
            except FileNotFoundError:
                raise NotYet(f"`{name}` gave no answer.", "error") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Elsewhere:
    """Stands for a function in the student's process; `hints.ask` uses its `ask_elsewhere`."""

    def __init__(self, name: str, ask_elsewhere):
        self.__name__, self.ask_elsewhere = name, ask_elsewhere

    def __call__(self, *arguments, **named):
        return self.ask_elsewhere(arguments, named, ())


def _add_output(outputs: list, output):
    """Adds an output to a cell's, and text of the same stream to the last one."""
    if output.output_type == "stream" and outputs and outputs[-1].get("name") == output.name:
        outputs[-1].text += output.text
    else:
        outputs.append(output)


def _source(module) -> str:
    return Path(module.__file__).read_text(encoding="utf-8")


# What answers a question in the student's process. It brings the text of the two modules that it
# uses, so that a submission that changed them in its own process changes nothing here.
REPLY = "\n".join(
    (
        _source(exchange),
        _source(hints),
        """
def reply():
    try:
        if NAME not in SPACE:
            raise NotYet(
                f"there is no `{NAME}`: did its cell stop with an error, or did you rename it?",
                "not answered",
            )
        value = SPACE[NAME]
        function = not CALL and callable(value) and not isinstance(value, keras.layers.Layer)
        if CALL:
            arguments, named = read(Path(FOLDER) / "arguments")
            value = ask(value, *arguments, without=tuple(WITHOUT), **named)
        if isinstance(value, keras.Model):
            as_model(value)
        answer = {"value": None if function else value, "function": function}
        try:
            write(answer, Path(FOLDER) / "answer")
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            raise NotYet(f"`{NAME}` cannot be sent to the grader ({reason}).") from None
    except NotYet as hint:
        write({"hint": str(hint), "kind": hint.kind}, Path(FOLDER) / "answer")


reply()
""",
    )
)
