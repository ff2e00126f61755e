"""Several devices, several processes: the same batches, the same losses; one that dies is noticed,
and nothing is lost."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time

import keras
import made_sets
import numpy as np
import pytest

import fcn_keras as fcn
from fcn_keras.command_line import parser as cli
from fcn_keras.datasets import VOID
from fcn_keras.training import distribution, preconditions, sharing

needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)
# The networks are tiny: compiling them takes most of the time, and hardly pays. What one process
# has compiled, the next ones of this test run find.
HASTY = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
ON_JAX = {
    **os.environ,
    "KERAS_BACKEND": "jax",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": HASTY,
    "JAX_COMPILATION_CACHE_DIR": os.path.join(os.environ["FCN_KERAS_HOME"], "jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
THREE_DEVICES = {**ON_JAX, "XLA_FLAGS": f"{HASTY} --xla_force_host_platform_device_count=3"}
NOTICED = 600  # seconds after which a dead process must have been reported, on a busy machine too
HANGS = 1800  # seconds after which a process is taken for one that never ends

# Trains in two stages, the first on cached features; batches of 5 and 2 images, which neither 2 nor
# 3 devices divide. Once for each number of devices: "" for none of `distribution`, 0 for all.
TRAINING = """
import contextlib, sys, warnings
import fcn_keras as fcn
import keras, numpy as np
folder, out, devices, address, count, number, seed = sys.argv[1:]
connection = contextlib.nullcontext()
if address:
    fcn.training.distribution.SECONDS_TO_MEET = 200
    connection = fcn.training.distribution.connected(address, int(count), int(number), "Advice.")
with connection:
    warnings.simplefilter("ignore")
    data = fcn.datasets.plain_folder(folder)
    for some in devices.split(","):
        keras.utils.set_random_seed(3)
        encoder = fcn.backbones.vgg(((4,),) * 5, keras.layers.Rescaling(1 / 255), "tiny")
        model = fcn.models.fcn(3, 16, encoder, width=8)
        together = fcn.training.distribution.data_parallel(int(some) or None) if some else None
        history = fcn.training.fit(model, data, data.subset([0, 1]), epochs=3, batch_size=5,
                                   seed=int(seed), augment="flip", unfreeze="after", fine_tuning=2,
                                   distribution=together)
        np.savez(f"{out}{some}.npz", *model.get_weights(), loss=history.loss,
                 miou=history.history["val_mean_iou"])
"""


NAMES = ("first", "second")


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def start(command, environment=ON_JAX):
    command = [sys.executable, *map(str, command)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process, timeout=HANGS):
    """What a process said, or the end of it."""
    try:
        out, errors = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return process.returncode, out, errors


def trained(folder, out, address="", number=0, seed=3):
    """On one device, and then on three, in one process; or as one of two processes."""
    devices, environment = ("0", ON_JAX) if address else (",3", THREE_DEVICES)
    return start(["-c", TRAINING, folder, out, devices, address, 2, number, seed], environment)


@needs_jax
@pytest.mark.long
def test_two_processes_and_three_devices_train_as_one(tmp_path):
    data, address = made_sets.plain(tmp_path / "data", 7), free_address()
    ends = [end(trained(data, tmp_path / "one"))]
    both = [trained(data, tmp_path / name, address, n) for n, name in enumerate(NAMES)]
    ends += [end(process) for process in both]
    assert all(status == 0 for status, *_ in ends), ends
    one = np.load(tmp_path / "one.npz")
    assert len(one["loss"]) == 3 * 2 + 2 * 2
    for name in ("one3", *(f"{name}0" for name in NAMES)):
        found = np.load(tmp_path / f"{name}.npz")
        for what in one.files:
            np.testing.assert_allclose(found[what], one[what], atol=1e-4, err_msg=f"{name} {what}")


@needs_jax
@pytest.mark.long
def test_processes_with_different_settings_are_stopped_before_they_train(tmp_path):
    """Also where the class names alone fill what a message shows."""
    data, address = made_sets.plain(tmp_path / "data", 7), free_address()
    names = (data / "classes.txt").read_text().split()
    (data / "classes.txt").write_text("\n".join(name + 100 * "x" for name in names))
    both = [trained(data, tmp_path / f"{n}", address, n, seed=n) for n in (0, 1)]
    for status, _, errors in map(end, both):
        assert (
            status == 2
            and "same data, start weights and settings" in errors
            and "process 1: " in errors
        )


@pytest.mark.long
@needs_jax
def test_who_waits_for_nobody_says_so(tmp_path):
    script = (
        "from fcn_keras.training import distribution\ndistribution.SECONDS_TO_MEET = 2\n"
        "with distribution.connected('{}', 2, 0): pass"
    )
    status, _, errors = end(start(["-c", script.format(free_address())]))
    assert status != 0
    assert errors.splitlines()[-1].startswith(
        "fcn_keras: process 0 of 2 did not meet the others at 127.0.0.1:"
    )


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What a process with three devices that has computed something is told, on standard error:
    when it connects, and when it asks for four devices. One process for both."""
    folder = tmp_path_factory.mktemp("refusals")
    script = """
import sys
import fcn_keras as fcn
from fcn_keras.command_line.parser import main
fcn.backbones.small_vgg()
try:
    with fcn.training.distribution.connected(sys.argv[1], 2, 0):
        pass
except RuntimeError as error:
    print(error, file=sys.stderr)
sys.exit(main(["train", sys.argv[2], "--out", sys.argv[3], "--devices", "4"]))
"""
    data = made_sets.plain(folder / "data")
    process = ["-c", script, free_address(), data, folder / "m.keras"]
    status, _, errors = end(start(process, THREE_DEVICES))
    return status, errors.splitlines()


@needs_jax
def test_connecting_after_something_was_computed_is_refused(refusals):
    _, errors = refusals
    assert "before anything is computed" in errors[-2]


@needs_jax
def test_more_devices_than_there_are(refusals):
    status, errors = refusals
    assert status == 2 and "3 at most (cpu:0, cpu:1, cpu:2). Received: 4" in errors[-1]


@needs_jax
@pytest.mark.long
def test_a_port_that_is_in_use_is_said(tmp_path):
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        options = ["--job-addresses", address, "--num-processes", "2", "--process-id", "0"]
        status, _, errors = end(
            start(
                ["-m", "fcn_keras", "train", "road_scenes", "--out", tmp_path / "m.keras", *options]
            )
        )
    assert status == 2 and errors.count("\n") == 1, (status, errors)
    assert (
        errors.startswith("fcn_keras: process 0 of 2 could not start at 127.0.0.1:")
        and "another port" in errors
    )


@pytest.mark.parametrize("where", ["", "127.0.0.1", "::1", "::"])
def test_a_port_that_is_in_use_is_seen_before_the_backend_tries_it(where):
    """JAX crashes there now and then (a segmentation fault), instead of saying so."""
    if ":" in where and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    with socket.socket(socket.AF_INET6 if ":" in where else socket.AF_INET) as taken:
        taken.bind((where, 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            OSError, match=r"process 0 of 2 could not start at 127\.0\.0\.1:.*Take another port"
        ):
            distribution._check_port(address, "process 0 of 2")
    # now it is free, and what looked has let it go
    distribution._check_port(address, "process 0 of 2")
    distribution._check_port(address, "process 0 of 2")


def command(data, out, *more):
    return [
        "-m",
        "fcn_keras",
        "train",
        data,
        "--out",
        out,
        "--network",
        "fcn",
        "--epochs",
        "40",
        "--batch-size",
        "4",
        "--width",
        "8",
        "--flip",
        *more,
    ]


def two(data, out, checkpoints=((), ())):
    address = free_address()
    shared = ["--job-addresses", address, "--num-processes", "2", "--process-id"]
    return [start(command(data, out, *checkpoints[number], *shared, number)) for number in (0, 1)]


def ended_while_training(tmp_path, number, how, alone=False, apart=False):
    """One of two is ended when the first state is written; the rest ends with one process' model.

    `alone`: one process with three devices goes on, instead of both.
    `apart`: before, one of them looks for the state elsewhere.
    """
    data, out = made_sets.plain(tmp_path / "data", 10), tmp_path / "out" / "m.keras"
    both = two(data, out)
    while not list(out.parent.glob(".m-unfinished-*/head.npz")):
        assert all(process.poll() is None for process in both), [end(process) for process in both]
        time.sleep(0.05)
    both[number].send_signal(how)
    since = time.monotonic()
    status, _, errors = end(both[1 - number], NOTICED)
    assert time.monotonic() - since < NOTICED and status != 0
    ours = [line for line in errors.splitlines() if line.startswith("fcn_keras: ")]
    assert (
        f"process {1 - number} of 2" in ours[-1]
        and f"state is in {out.parent}" in ours[-1]
        and "they continue" in ours[-1]
    )
    both[number].kill()
    end(both[number])
    (state,) = out.parent.glob(".m-unfinished-*/head.npz")
    done = int(np.load(state)["epoch"])
    assert 0 < done < 40
    if apart:
        for status, _, errors in map(
            end, two(data, out, ((), ("--checkpoint", tmp_path / "elsewhere")))
        ):
            assert (
                status == 2
                and "same number of epochs done" in errors
                and f"process 0: {done}; process 1: 0" in errors
            )
    again = (
        [start(command(data, out, "--devices", "3"), THREE_DEVICES)] if alone else two(data, out)
    )
    ends = [end(process) for process in again]
    assert all(status == 0 for status, *_ in ends), ends
    assert "mean iou" in ends[0][1] and (alone or "process 0 writes" in ends[1][1])
    assert [path.name for path in out.parent.iterdir()] == ["m.keras"]
    status, _, errors = end(start(command(data, tmp_path / "one.keras")))
    assert status == 0, errors
    for a, b in zip(
        fcn.models.load(out).get_weights(),
        fcn.models.load(tmp_path / "one.keras").get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=2e-3)


@needs_jax
@pytest.mark.long
def test_when_one_is_killed_the_other_says_so_and_can_go_on_alone(tmp_path):
    ended_while_training(tmp_path, 1, signal.SIGKILL, alone=True)


@needs_jax
@pytest.mark.long
def test_when_one_is_killed_the_other_says_so_and_both_go_on(tmp_path):
    ended_while_training(tmp_path, 1, signal.SIGKILL)


@needs_jax
@pytest.mark.long
def test_when_the_first_is_killed_one_alone_can_go_on(tmp_path):
    ended_while_training(tmp_path, 0, signal.SIGKILL, alone=True)


@needs_jax
@pytest.mark.long
@pytest.mark.parametrize("number", [0, 1])
def test_one_that_only_falls_silent_is_noticed_too(tmp_path, number):
    """As when a cable is pulled: the connection stands, nothing comes."""
    ended_while_training(tmp_path, number, signal.SIGSTOP, apart=True)


def test_shares_of_a_batch_are_the_batch(toy, monkeypatch):
    """In order, filled up with void, which no loss looks at."""
    batches = toy.batches(5, shuffle=True, augment="flip", seed=4)
    for count, devices in ((2, 2), (2, 4), (3, 3), (1, 8)):
        parts = []
        for number in range(count):
            monkeypatch.setattr(sharing, "processes", lambda n=number, c=count: (n, c))
            parts.append(sharing.Shares(batches, devices))
        for batch in range(len(batches)):
            images, labels = batches[batch]
            found = [part[batch] for part in parts]
            assert (
                len({len(targets) for _, targets in found}) == 1
                and len(found[0][1]) * count % devices == 0
            )
            joined, targets = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
            assert len(targets) == parts[0].rows(len(labels)) < len(labels) + devices
            np.testing.assert_array_equal(joined[: len(images)], images)
            np.testing.assert_array_equal(targets[: len(labels)], labels)
            assert (targets[len(labels) :] == VOID).all()


def test_pictures_that_are_their_own_targets_are_not_filled_up(toy):
    assert len(sharing.Shares(toy.reconstruction().batches(4), 2)[0][1]) == 4
    with pytest.raises(ValueError, match="3 devices divide"):
        sharing.Shares(toy.reconstruction().batches(4), 3)[0]


def test_batch_statistics_and_filled_batches_do_not_go_together(toy):
    """Rows of void would count in the statistics."""
    image = keras.Input((None, None, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(keras.layers.BatchNormalization()(image)))
    check = preconditions.require_even_shares
    check(model, toy.batches(6), 3)  # 12 images
    for network, data in ((model, toy), (fcn.models.cae(), toy.reconstruction())):
        with pytest.raises(ValueError, match=r"batch sizes that 3 divides.*Received: [12] images"):
            check(network, data.batches(5), 3)
    check(fcn.models.fcn_from_cae(fcn.models.cae(), 2), toy.batches(5), 3)


def test_a_name_that_means_the_computer_itself_is_warned_of(monkeypatch, capsys):
    """As on Debian: the others would be told 127.0.1.1."""
    monkeypatch.setattr(
        socket,
        "gethostbyname",
        lambda name: {"10.0.0.1": name, "localhost": "127.0.0.1"}.get(name, "127.0.1.1"),
    )
    distribution._warn_of_own_name("localhost:1234")
    assert capsys.readouterr().err == ""
    distribution._warn_of_own_name("10.0.0.1:1234")
    assert "resolves to 127.0.1.1" in capsys.readouterr().err


@needs_jax
@pytest.mark.long
def test_ctrl_c_ends_the_waiting():
    script = "import fcn_keras as fcn\nwith fcn.training.distribution.connected('{}', 2, 0): pass"
    process = start(["-c", script.format(free_address())])
    assert "waits for the others" in process.stderr.readline()
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    status, _, errors = end(process)
    assert status == -signal.SIGINT and "did not meet the others" in errors


def test_a_row_of_void_changes_neither_loss_nor_gradient(toy):
    """What filling up rests on."""
    images, labels = toy.batches(4)[0]
    model = fcn.models.fcn(
        2, 32, fcn.backbones.vgg(((4,),) * 5, keras.layers.Rescaling(1 / 255), "tiny"), width=4
    )
    loss = fcn.training.segmentation_loss()
    more = (
        np.concatenate([images, images[:2]]),
        np.concatenate([labels, np.full_like(labels[:2], VOID)]),
    )
    value = lambda pictures, targets: float(loss(targets, model.predict_on_batch(pictures)))  # noqa: E731
    assert value(*more) == pytest.approx(value(images, labels), rel=1e-6)


WRONG = [
    (["--devices", "0"], "whole number"),
    (["--devices", "2.5"], "whole number"),
    (["--job-addresses", "127.0.0.1:1234"], "together"),
    (["--num-processes", "2", "--process-id", "0"], "together"),
    (["--job-addresses", "127.0.0.1", "--num-processes", "2", "--process-id", "0"], "host:port"),
    (["--job-addresses", "127.0.0.1:x", "--num-processes", "2", "--process-id", "0"], "host:port"),
    (
        ["--job-addresses", "a:1,b:2,c:3", "--num-processes", "2", "--process-id", "0"],
        "one address, or 2",
    ),
    (
        ["--job-addresses", "127.0.0.1:1234", "--num-processes", "2", "--process-id", "2"],
        "process_id",
    ),
    (["--precision", "float16"], "mixed_float16"),
]


@pytest.mark.parametrize(("options", "expected"), WRONG)
def test_a_typing_error_is_one_line(tmp_path, options, expected, capsys):
    try:
        status = cli.main(["train", "road_scenes", "--out", str(tmp_path / "m.keras"), *options])
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr()
    assert status == 2 and said.out == "" and said.err.count("\n") == 1 and expected in said.err


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="there it works")
def test_on_another_backend_it_says_which_one_can(tmp_path, capsys):
    with pytest.raises(ValueError, match="Expected KERAS_BACKEND=jax"):
        distribution.data_parallel()
    data = made_sets.plain(tmp_path / "data")
    assert cli.main(["train", str(data), "--out", str(tmp_path / "m.keras"), "--devices", "2"]) == 2
    assert "KERAS_BACKEND=jax" in capsys.readouterr().err


def test_what_fit_refuses_of_a_distribution(toy, encoder):
    model = fcn.models.fcn(2, 32, encoder, width=4)
    with pytest.raises(TypeError, match=r"distribution.data_parallel\(\)"):
        fcn.training.fit(model, toy, steps=1, distribution="all")
