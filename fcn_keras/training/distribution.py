"""Training on several devices and several computers: each takes its share of every batch.

All of them keep the same weights. Keras does the sharing (`keras.distribution.DataParallel`), JAX
the connections and the sums over all gradients. Under Keras 3.15 this works on JAX alone:
TensorFlow's side of `keras.distribution` cannot connect processes, `fit` under TensorFlow's own
`MultiWorkerMirroredStrategy` ends in an error, and for PyTorch Keras has no such side.

    python train.py 0        # on one computer
    python train.py 1        # on another one, with

    connected = fcn.training.distribution.connected
    with connected("10.0.0.1:1234", num_processes=2, process_id=int(sys.argv[1])):
        model = …
        devices = fcn.training.distribution.data_parallel()
        fcn.training.fit(model, data, epochs=20, distribution=devices, checkpoint="shared/run")
"""

import atexit
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys

import keras
import numpy as np

from fcn_keras.support import arguments
from fcn_keras.support.kinds import Count, Index, checked

HEARTBEAT = 60  # seconds without a sign of life after which a process counts as lost
SECONDS_TO_MEET = 300  # that the first process waits for the others to be started
DAY = 24 * 3600
SHOWN_BYTES = 256  # of what processes do not agree on, in a message
# What the backend says when the connection to another process breaks
SIGNS_OF_LOSS = ("gloo", "nccl", "coordination", "connection closed", "connection reset")
SIGNS_OF_LOSS += ("socket closed", "heartbeat")
# The backend may end a process without warning. This program outlives it and prints the last line
# that it was given
LAST_WORDS = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
lines = sys.stdin.read().splitlines()
if lines[-1]:
    print(lines[-1], file=sys.stderr)
"""


@checked
@contextlib.contextmanager
def connected(job_addresses: str, num_processes: Count, process_id: Index, advice: str = ""):
    """Makes this process one of several that train together, as long as the block lasts.

    Connect before anything is computed and before a model is made. At the end of the block the
    processes wait for each other. If one of them dies, the block ends in a `ConnectionError`, or
    JAX ends the whole process (status 134) and a line on standard error says why: at once, or after
    a minute if the other only falls silent. The same happens if the others do not come within five
    minutes.

    Args:
        job_addresses: `"host:port"` of process 0, the same on all computers; or the addresses of
            all processes with commas between them. Anybody who reaches the port can take part: open
            it in the lab's network only.
        num_processes: How many there are.
        process_id: Which of them this is, 0 … num_processes − 1.
        advice: What to do when another process is lost, a sentence: where the state lies, what to
            type.

    Raises:
        ValueError: If an argument is out of range, or the backend is not JAX.
        RuntimeError: If something was computed before.
        OSError: If process 0 cannot listen at its address.
        ConnectionError: At the end of the block, if another process was lost on the way.
    """
    arguments.whole_number("process_id", process_id, 0, num_processes - 1)
    address, jax = _address(job_addresses, num_processes), _jax()
    here = f"process {process_id} of {num_processes}"
    if process_id == 0:
        _check_port(address, here)
    say_at_the_end = _last_words()
    _meet_the_others(jax, address, (num_processes, process_id), here, say_at_the_end)
    say_at_the_end(
        f"{here} ended in the middle of the training: another process no longer answers, or this "
        f"one was stopped. {advice}"
    )
    try:
        yield
        jax.distributed.shutdown()
    except BaseException as error:
        # The others must not wait for this process, nor this process for them.
        atexit.register(_end_at_once, 130 if isinstance(error, KeyboardInterrupt) else 2)
        if _tells_of_a_loss(error):
            raise ConnectionError(
                f"{here} lost another process, or the network failed ({_short(error)}). {advice}"
            ) from error
        raise
    finally:
        say_at_the_end("")


def _meet_the_others(jax, address, number, here, say_at_the_end):
    minutes = f"{SECONDS_TO_MEET / 60:.0f} minutes"
    say_at_the_end(
        f"{here} did not meet the others at {address} within {minutes}. Were all started, and is "
        "the port open?"
    )
    _warn_of_own_name(address)
    print(
        f"{here} waits for the others at {address}, {minutes} at most", file=sys.stderr, flush=True
    )
    try:
        with _ctrl_c_ends_the_process():
            jax.distributed.initialize(
                address,
                *number,
                initialization_timeout=SECONDS_TO_MEET,
                heartbeat_timeout_seconds=HEARTBEAT,
                # a living process is waited for, however long; a dead one is noticed before
                shutdown_timeout_seconds=DAY,
            )
    except RuntimeError as error:
        say_at_the_end("")
        if "must be called before" in str(error) or "called once" in str(error):
            raise RuntimeError(
                "Expected to connect once, before anything is computed or a model is made."
            ) from error
        raise OSError(f"{here} could not start at {address} ({_short(error)})") from error


def _tells_of_a_loss(error) -> bool:
    """Whether an error is what the backend says when the connection to another process breaks."""
    text = str(error)
    return any(sign in text.lower() for sign in SIGNS_OF_LOSS) and not text.startswith("Expected")


@checked
def data_parallel(devices: Count | None = None):
    """Shares every batch among the devices of this computer or, once `connected`, of all processes.

    Args:
        devices: How many of this computer's; `None`: all.

    Returns:
        `keras.distribution.DataParallel`, for `training.fit(…, distribution=…)`.

    Raises:
        ValueError: If fewer devices exist, the backend is not JAX, processes have different numbers
            of devices, or `devices` is given for several processes (limit those by
            `CUDA_VISIBLE_DEVICES`).
    """
    jax = _jax()
    ranks = [device.process_index for device in jax.devices()]
    counts = [ranks.count(number) for number in range(jax.process_count())]
    if len(set(counts)) > 1:
        listed = ", ".join(f"process {number}: {count}" for number, count in enumerate(counts))
        raise ValueError(
            "Expected equally many devices in every process, for even shares of a batch. "
            f"Received: {listed}. Hide some by CUDA_VISIBLE_DEVICES."
        )
    there = keras.distribution.list_devices()
    if devices is not None:
        if processes()[1] > 1:
            raise ValueError(
                "Expected devices=None with several processes. Received: "
                f"devices={devices}. Each uses all that it sees (CUDA_VISIBLE_DEVICES)."
            )
        if devices > len(there):
            raise ValueError(
                f"Expected devices to be {len(there)} at most ({', '.join(there)}). "
                f"Received: {devices}"
            )
    return keras.distribution.DataParallel(devices=there[:devices], auto_shard_dataset=False)


def processes() -> tuple[int, int]:
    """Which process this is, and how many train together: `(0, 1)` where there is only this one."""
    if keras.backend.backend() != "jax":
        return 0, 1
    return _jax().process_index(), _jax().process_count()


def agree_on(what: str, value: str, remedy: str) -> None:
    """Makes sure that all processes have the same value; each waits here for the others.

    Args:
        what: The value's name, for the message.
        value: This process's.
        remedy: What to do if they differ, a sentence.

    Raises:
        ValueError: On every process, if they differ.
    """
    if processes()[1] == 1:
        return
    from jax.experimental import multihost_utils

    text = value.encode()
    shown = np.zeros(SHOWN_BYTES, "uint8")
    shown[: min(len(text), SHOWN_BYTES)] = np.frombuffer(text[:SHOWN_BYTES], "uint8")
    # digests are compared, since a text may be longer than what is shown
    digest = np.frombuffer(hashlib.sha256(text).digest(), "uint8")
    digests, texts = multihost_utils.process_allgather((digest, shown))
    if len({bytes(row) for row in digests}) > 1:
        listed = "; ".join(
            f"process {number}: {bytes(row).rstrip(bytes(1)).decode(errors='replace')}"
            for number, row in enumerate(texts)
        )
        raise ValueError(
            f"Expected all processes to have the same {what}. Received: {listed}. {remedy}"
        )


def is_first() -> bool:
    """Whether this is the process that writes what all have: process 0, or the only one."""
    return processes()[0] == 0


def scope(distribution):
    """The block in which models and optimizers are made on all devices of a distribution."""
    return contextlib.nullcontext() if distribution is None else distribution.scope()


@contextlib.contextmanager
def undistributed():
    """What is computed inside the block concerns this process only."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def _jax():
    backend = keras.backend.backend()
    if backend != "jax":
        raise ValueError(
            "Expected KERAS_BACKEND=jax in the environment: under Keras 3.15 several devices and "
            f"computers train together on JAX only. Received: KERAS_BACKEND={backend}"
        )
    import jax

    return jax


def _address(job_addresses, num_processes) -> str:
    """The first of the addresses, that of process 0."""
    if not isinstance(job_addresses, str):
        raise TypeError(
            "Expected job_addresses to be text like '10.0.0.1:1234'. "
            f"{arguments.received('job_addresses', job_addresses)}"
        )
    addresses = [address.strip() for address in job_addresses.split(",")]
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(
                "Expected job_addresses as host:port, such as 10.0.0.1:1234. Received: "
                f"{job_addresses!r}"
            )
    if len(addresses) not in (1, num_processes):
        raise ValueError(
            f"Expected one address, or {num_processes}, one for each process. Received: "
            f"{len(addresses)}"
        )
    return addresses[0]


def _check_port(address, here):
    """JAX may crash where it cannot listen, so this looks first."""
    port = int(address.rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        socket.create_server(("", port), family=family, dualstack_ipv6=both).close()
    except OSError as error:
        raise OSError(
            f"{here} could not start at {address}: {error.strerror}. Take another port, the same "
            "for all."
        ) from error


def _warn_of_own_name(address):
    """Warns of a computer whose own name means only itself, as Debian's /etc/hosts has it.

    Without GPUs each process tells the others its computer's name as it understands it.
    """
    with contextlib.suppress(OSError):
        name = socket.gethostname()
        own, first = socket.gethostbyname(name), socket.gethostbyname(address.rpartition(":")[0])
        if own.startswith("127.") and not first.startswith("127."):
            print(
                f"fcn_keras: on this computer, {name} resolves to {own}. Without GPUs, the others "
                f"will look there and not find it. In /etc/hosts, give {name} its network address.",
                file=sys.stderr,
            )


@contextlib.contextmanager
def _ctrl_c_ends_the_process():
    """For a block in which the backend waits: Python would hear Ctrl-C only at its end."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    except ValueError:  # not the main thread: it hears no Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _last_words():
    """Starts a small process beside this one, which prints a line when this one ends.

    Returns:
        A function that says which line; `""` for none.
    """
    read, told = os.pipe()
    subprocess.Popen([sys.executable, "-S", "-c", LAST_WORDS], stdin=read)
    os.close(read)

    def say_at_the_end(line):
        with contextlib.suppress(OSError):
            os.write(told, f"fcn_keras: {line}\n".encode() if line else b"\n")

    return say_at_the_end


def _short(error) -> str:
    return " ".join(str(error).split())[:200]


def _end_at_once(status):
    """Ends the process; JAX would wait for the others first."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
