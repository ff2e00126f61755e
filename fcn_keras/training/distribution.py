"""Training on several devices and several computers: each takes its share of every batch, and all keep the same weights.

The work is Keras' (`keras.distribution.DataParallel`) and JAX' (the connections, the sums over all gradients). Under Keras 3.15
it works on JAX alone: TensorFlow's side of `keras.distribution` cannot connect processes, `fit` under TensorFlow's own
`MultiWorkerMirroredStrategy` ends in an error, and for PyTorch Keras has no such side.

    python train.py 0        # on one computer
    python train.py 1        # on another one, with

    with fcn.training.distribution.connected("10.0.0.1:1234", num_processes=2, process_id=int(sys.argv[1])):
        model = …
        fcn.training.fit(model, data, epochs=20, distribution=fcn.training.distribution.data_parallel(), checkpoint="shared/run")
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
from fcn_keras.support.labels import VOID

HEARTBEAT = 60  # seconds without a sign of life after which a process counts as gone
SHOWN = 256  # bytes of what processes do not agree on that a message shows
PATIENCE = 300  # seconds that the first process waits for the others to be started
# What the backend says when the connection to another process breaks
SIGNS = (
    "gloo",
    "nccl",
    "coordination",
    "connection closed",
    "connection reset",
    "socket closed",
    "heartbeat",
)
DAY = 24 * 3600
# Outlives a process that the backend ends (it asks nobody), to say in words what happened: the last line that it was told
WATCHER = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
lines = sys.stdin.read().splitlines()
if lines[-1]:
    print(lines[-1], file=sys.stderr)
"""


@contextlib.contextmanager
def connected(job_addresses: str, num_processes: int, process_id: int, advice: str = ""):
    """Makes this process one of several that train together, as long as the block lasts.

    It has to come before anything is computed or a model is made. At its end the processes wait for each other. If one of them
    dies, the block ends in a `ConnectionError`, or JAX ends the whole process (status 134) and a line on standard error says why:
    at once, or if it only falls silent, after a minute. The same if the others do not come within five minutes.

    Args:
        job_addresses: `"host:port"` of process 0, the same on all computers; those of all processes, with commas between,
            are fine too. Anybody who reaches the port can take part: open it in the lab's network only.
        num_processes: How many there are.
        process_id: Which of them this is, 0 … num_processes − 1.
        advice: A sentence for whoever reads that another process is gone: where the state lies, what to type.

    Raises:
        ValueError: If an argument is out of range, or the backend is not JAX.
        RuntimeError: If something was computed before.
        OSError: If process 0 cannot listen at its address.
        ConnectionError: At the end of the block, if another process was lost on the way.
    """
    arguments.whole_number("num_processes", num_processes, 1)
    arguments.whole_number("process_id", process_id, 0, num_processes - 1)
    address = _address(job_addresses, num_processes)
    jax = _jax()
    here, minutes = f"process {process_id} of {num_processes}", f"{PATIENCE / 60:.0f} minutes"
    if process_id == 0:
        _check_port(address, here)
    tell = _watched()
    tell(
        f"{here} did not meet the others at {address} within {minutes}. Were all started, and is the port open?"
    )
    _warn_of_own_name(address)
    print(
        f"{here} waits for the others at {address}, {minutes} at most", file=sys.stderr, flush=True
    )
    try:
        with _ctrl_c_ends_it():
            jax.distributed.initialize(
                address,
                num_processes,
                process_id,
                initialization_timeout=PATIENCE,
                heartbeat_timeout_seconds=HEARTBEAT,
                shutdown_timeout_seconds=DAY,  # who lives is waited for, however long; who is gone is noticed before
            )
    except RuntimeError as error:
        tell("")
        if "must be called before" in str(error) or "called once" in str(error):
            raise RuntimeError(
                "Expected to connect once, before anything is computed or a model is made."
            ) from error
        raise OSError(f"{here} could not start at {address} ({_short(error)})") from error
    tell(
        f"{here} ended in the middle of the training: another one does not answer any more, or this one was stopped. {advice}"
    )
    try:
        yield
        jax.distributed.shutdown()
    except BaseException as error:
        # The others must not wait for this process, nor it for them.
        atexit.register(_end_at_once, 130 if isinstance(error, KeyboardInterrupt) else 2)
        text = str(error)
        if any(sign in text.lower() for sign in SIGNS) and not text.startswith("Expected"):
            raise ConnectionError(
                f"{here} lost another one, or the network failed ({_short(error)}). {advice}"
            ) from error
        raise
    finally:
        tell("")


def data_parallel(devices: int | None = None):
    """Every batch shared among devices: those of this computer, or once `connected` those of all processes.

    Args:
        devices: How many of this computer's; `None`: all.

    Returns:
        `keras.distribution.DataParallel`, for `training.fit(…, distribution=…)`.

    Raises:
        ValueError: If there are fewer, the backend is not JAX, processes have different numbers of them, or `devices` is given
            for several processes: each brings what it sees (`CUDA_VISIBLE_DEVICES` hides the others).
    """
    jax = _jax()
    counts = [
        sum(device.process_index == number for device in jax.devices())
        for number in range(jax.process_count())
    ]
    if len(set(counts)) > 1:
        raise ValueError(
            "Expected as many devices in every process, since they share every batch evenly. Received: "
            f"{', '.join(f'process {number}: {count}' for number, count in enumerate(counts))}. CUDA_VISIBLE_DEVICES hides some."
        )
    there = keras.distribution.list_devices()
    if devices is not None:
        arguments.whole_number("devices", devices, 1)
        if processes()[1] > 1:
            raise ValueError(
                "Expected no devices with several processes: each brings all that it sees (CUDA_VISIBLE_DEVICES)."
            )
        if devices > len(there):
            raise ValueError(
                f"Expected devices to be {len(there)} at most ({', '.join(there)}). Received: {devices}"
            )
    return keras.distribution.DataParallel(devices=there[:devices], auto_shard_dataset=False)


def processes() -> tuple[int, int]:
    """Which process this is, and how many train together: `(0, 1)` where there is only this one."""
    if keras.backend.backend() != "jax":
        return 0, 1
    return _jax().process_index(), _jax().process_count()


def same(what: str, value: str, way_out: str) -> None:
    """Makes sure that all processes have one and the same value, and waits until all have come here.

    Raises:
        ValueError: On every process, if they have not.
    """
    if processes()[1] == 1:
        return
    from jax.experimental import multihost_utils

    whole = value.encode()
    room = np.zeros(SHOWN, "uint8")
    room[: min(len(whole), SHOWN)] = np.frombuffer(whole[:SHOWN], "uint8")
    digest = np.frombuffer(
        hashlib.sha256(whole).digest(), "uint8"
    )  # compared, for a text may be longer than what is shown
    digests, shown = multihost_utils.process_allgather((digest, room))
    if len({bytes(row) for row in digests}) > 1:
        texts = [bytes(row).rstrip(b"\0").decode(errors="replace") for row in shown]
        listed = "; ".join(f"process {number}: {text}" for number, text in enumerate(texts))
        raise ValueError(
            f"Expected all processes to have the same {what}. Received: {listed}. {way_out}"
        )


def is_first() -> bool:
    """Whether this is the process that writes what all have: process 0, or the only one."""
    return processes()[0] == 0


def copy_of(model: keras.Model) -> keras.Model:
    """The same network with the same weights, made anew; inside a distribution's scope its weights lie on every device."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def bring_home(copy: keras.Model, model: keras.Model) -> None:
    """Gives a model of this process what its copy on all devices has learnt."""
    if copy is not model:
        with alone():
            model.set_weights(copy.get_weights())


@contextlib.contextmanager
def alone():
    """What is computed inside concerns this process only."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


class Shares(keras.utils.PyDataset):
    """The part of every batch that falls to this process.

    Each process reads whole batches and keeps its rows, so that they are those of one process, augmentation included.
    Where the devices do not divide a batch, it is filled up with rows of void, which change neither loss nor gradient.

    Args:
        source: `Batches` or `FeatureBatches`.
        devices: How many share a batch, in all processes together.

    Raises:
        ValueError: While it is read, if images that are their own targets would have to be filled up: they have no void.
    """

    def __init__(self, source, devices: int):
        super().__init__(workers=source.workers, max_queue_size=source.max_queue_size)
        self.source, self.devices = source, devices
        self.rank, self.count = processes()

    def __len__(self):
        return len(self.source)

    def on_epoch_end(self):
        self.source.on_epoch_end()

    def rows(self, images: int) -> int:
        """Rows of a batch of so many images, once it is filled up."""
        return -(-images // self.devices) * self.devices

    def __getitem__(self, batch):
        inputs, targets = self.source[batch]
        rows = self.rows(len(targets))
        if rows > len(targets) and targets.dtype.kind == "f":
            raise ValueError(
                f"Expected batches that {self.devices} devices divide. Received: one of {len(targets)} images"
            )
        mine = slice(self.rank * rows // self.count, (self.rank + 1) * rows // self.count)
        keep = lambda array, fill: _filled(array, rows, fill)[mine]  # noqa: E731
        inputs = (
            tuple(keep(array, 0) for array in inputs)
            if isinstance(inputs, tuple)
            else keep(inputs, 0)
        )
        return inputs, keep(targets, VOID)


def _filled(array, rows, fill):
    more = rows - len(array)
    return (
        np.concatenate([array, np.full((more, *array.shape[1:]), fill, array.dtype)])
        if more
        else array
    )


def _jax():
    backend = keras.backend.backend()
    if backend != "jax":
        raise ValueError(
            "Expected KERAS_BACKEND=jax in the environment: under Keras 3.15 several devices and computers train together "
            f"on JAX only. Received: KERAS_BACKEND={backend}"
        )
    import jax

    return jax


def _address(job_addresses, num_processes) -> str:
    """The first of the addresses, that of process 0."""
    if not isinstance(job_addresses, str):
        raise TypeError(
            f"Expected job_addresses to be text like '10.0.0.1:1234'. {arguments.received('it', job_addresses)}"
        )
    addresses = [address.strip() for address in job_addresses.split(",")]
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(
                f"Expected job_addresses as host:port, such as 10.0.0.1:1234. Received: {job_addresses!r}"
            )
    if len(addresses) not in (1, num_processes):
        raise ValueError(
            f"Expected one address, or {num_processes}, one for each process. Received: {len(addresses)}"
        )
    return addresses[0]


def _check_port(address, here):
    """JAX may crash where it cannot listen, so this looks first."""
    port = int(address.rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    try:
        socket.create_server(
            ("", port), family=socket.AF_INET6 if both else socket.AF_INET, dualstack_ipv6=both
        ).close()
    except OSError as error:
        raise OSError(
            f"{here} could not start at {address}: {error.strerror}. Take another port, the same for all."
        ) from error


def _warn_of_own_name(address):
    """Without GPUs each process tells the others its computer's name as it understands it; Debian's says 127.0.1.1."""
    with contextlib.suppress(OSError):
        name = socket.gethostname()
        own, first = socket.gethostbyname(name), socket.gethostbyname(address.rpartition(":")[0])
        if own.startswith("127.") and not first.startswith("127."):
            print(
                f"fcn_keras: this computer's name, {name}, means {own} to itself: without GPUs the others will look for it "
                "there in vain. Give the name its address in the network, in /etc/hosts.",
                file=sys.stderr,
            )


@contextlib.contextmanager
def _ctrl_c_ends_it():
    """While the backend waits in code that is not Python's, where Ctrl-C would be heard at its end only."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    except ValueError:  # not the main thread: it hears no Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _watched():
    """Starts a small process beside this one. When this one ends, that prints the last line it was told, if it is not empty."""
    watcher = subprocess.Popen([sys.executable, "-S", "-c", WATCHER], stdin=subprocess.PIPE)

    def tell(line):
        with contextlib.suppress(OSError):
            watcher.stdin.write(f"fcn_keras: {line}\n".encode() if line else b"\n")
            watcher.stdin.flush()

    return tell


def _short(error) -> str:
    return " ".join(str(error).split())[:200]


def _end_at_once(status):
    """JAX would wait for the others when the program ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
