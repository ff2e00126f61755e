"""Downloads from a server on this computer that behaves as badly as servers do."""

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import made_sets
import pytest

import fcn_keras as fcn
from fcn_keras.command_line.parser import main
from fcn_keras.datasets import downloads

CONTENT = random.Random(0).randbytes(400_000)


class Server(ThreadingHTTPServer):
    """Answers with its `files`; `tricks` is a list of what it does to the next requests, one
    each."""

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.tricks, self.asked, self.pause = files, [], [], 0.0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what these tests are about


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        trick = server.tricks.pop(0) if server.tricks else ""
        content = server.files.get(self.path.lstrip("/"))
        if content is None or trick in ("404", "500", "503", "416"):
            return self.send_error(int(trick) if trick else 404)
        start = int(wanted[6:-1]) if wanted and trick != "no ranges" else 0
        if start >= len(content):
            return self.send_error(416)
        if trick == "another piece":
            start = max(0, start - 100)
        body = content[start:]
        if trick == "a page":
            body = b"<html>Please log in</html>"
        self.send_response(206 if wanted and trick not in ("no ranges", "a page") else 200)
        if wanted and trick not in ("no ranges", "a page"):
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        length = {
            "lies: longer": len(body) + 5000,
            "lies: shorter": len(body) // 2,
            "lies: huge": 10**12,
        }.get(trick, len(body))
        if trick not in ("no length", "endless"):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if trick in ("cut", "stall"):
            body = body[: len(body) // 3]
        for first in range(0, len(body), 20_000):
            self.wfile.write(body[first : first + 20_000])
            time.sleep(server.pause)
        if trick == "endless":
            while True:
                self.wfile.write(bytes(50_000))
        if trick == "stall":
            time.sleep(3)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloads, "WAIT", 0.01)
    server = Server({"a.bin": CONTENT})
    yield server
    server.shutdown()


def fetched(server, path):
    seconds = 0.5 if "stall" in server.tricks else 60  # a busy machine may be slow to answer
    downloads.fetch(
        f"{server.address}/a.bin", path, hashlib.md5(CONTENT).hexdigest(), 600_000, timeout=seconds
    )
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # nothing half is left


@pytest.mark.parametrize(
    "tricks",
    [
        [],
        ["cut"],
        # more often than the patience, but each time further
        ["cut", "cut", "cut", "cut", "cut", "cut", "cut"],
        ["stall"],
        ["500", "503", "cut", "500"],
        ["cut", "no ranges"],  # the server begins again
        ["cut", "another piece"],
        ["lies: longer"],
        ["lies: shorter"],
        ["no length"],
        ["a page"],  # a login page once, then the file
        ["cut", "416"],
        ["endless"],
    ],
    ids="+".join,
)
def test_the_file_comes_whole_whatever_the_server_does(server, tmp_path, tricks):
    server.tricks = list(tricks)
    fetched(server, tmp_path / "a.bin")


def test_what_came_is_not_asked_for_again(server, tmp_path):
    server.tricks = ["cut"]
    fetched(server, tmp_path / "a.bin")
    assert server.asked == [None, f"bytes={len(CONTENT) // 3}-"]
    fetched(server, tmp_path / "a.bin")  # whole: nothing is asked for
    assert len(server.asked) == 2


def test_a_part_that_is_whole_already_only_needs_its_checksum(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    fetched(server, tmp_path / "a.bin")


def test_a_part_of_something_else_is_noticed(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(bytes(1000))
    fetched(server, tmp_path / "a.bin")


@pytest.mark.parametrize(
    ("tricks", "error", "message"),
    [
        (["404"], FileNotFoundError, "404"),
        (["416"], FileNotFoundError, "416"),
        (["500"] * 9, ConnectionError, "500 .*5 times.*resumes"),
        (["stall"] + ["500"] * 9, ConnectionError, "133 kB are kept"),
        (["a page"] * 9, ValueError, "published file.*twice"),
        (["lies: huge"], ValueError, "another file"),
        (["endless"] * 9, ValueError, "published file"),
    ],
)
def test_what_cannot_be_fetched_is_said_and_never_taken_for_whole(
    server, tmp_path, tricks, error, message
):
    server.tricks = list(tricks)
    with pytest.raises(error, match=message):
        fetched(server, tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()
    server.tricks = []
    fetched(server, tmp_path / "a.bin")  # and the next call succeeds


def test_no_network_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.001)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(ConnectionError, match=r"no answer.*--from"):
        downloads.fetch("http://127.0.0.1:9/a.bin", tmp_path / "a.bin", "", 100)
    with pytest.raises(FileNotFoundError, match=r"archive a\.bin"):
        downloads.fetch(tmp_path / "stick" / "a.bin", tmp_path / "a.bin", "", 100)


# ------------------------------------------------------------------------------- whole sets


def tar_of(folder, mode="w:gz", **members):
    """A tar archive of a folder's contents, and of further members: name → content or TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for path in sorted(folder.iterdir()) if folder else ():
            tar.add(path, path.name)
        for name, content in members.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = b"" if isinstance(content, tarfile.TarInfo) else content
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def publish(server, monkeypatch, name, archives):
    """Makes the server the owner's page of a set."""
    server.files = dict(archives)
    listed = tuple(
        downloads.Archive(n, hashlib.md5(c).hexdigest(), len(c)) for n, c in archives.items()
    )
    monkeypatch.setitem(
        downloads.SETS, name, downloads.PublicSet(name, f"{server.address}/", listed)
    )


def pets_archives(tmp_path):
    made_sets.pets(tmp_path / "made")
    parts = {}
    for part in ("images", "annotations"):
        (tmp_path / part).mkdir()
        (tmp_path / "made" / part).rename(tmp_path / part / part)
        parts[f"{part}.tar.gz"] = tar_of(tmp_path / part)
    return parts


def test_download_gives_a_data_set_and_twice_is_as_good_as_once(
    server, tmp_path, monkeypatch, capsys
):
    publish(server, monkeypatch, "pets", pets_archives(tmp_path))
    server.tricks = ["cut", "", "500"]
    out = tmp_path / "data" / "pets"
    assert main(["download", "pets", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    assert len(fcn.datasets.oxford_pets(out)) == 5
    assert [path.name for path in out.parent.iterdir()] == ["pets"]
    asked = len(server.asked)
    assert main(["download", "pets", "--out", str(out)]) == 0
    assert len(server.asked) == asked


def test_download_from_a_folder_or_another_address(server, tmp_path, monkeypatch):
    archives = pets_archives(tmp_path)
    publish(server, monkeypatch, "pets", archives)
    stick = tmp_path / "stick"
    stick.mkdir()
    for name, content in archives.items():
        (stick / name).write_bytes(content)
    assert main(["download", "pets", "--out", str(tmp_path / "a"), "--from", str(stick)]) == 0
    server.files = {f"class/{name}": content for name, content in archives.items()}
    assert (
        main(
            ["download", "pets", "--out", str(tmp_path / "b"), "--from", f"{server.address}/class/"]
        )
        == 0
    )
    (stick / "images.tar.gz").write_bytes(b"something else")
    assert main(["download", "pets", "--out", str(tmp_path / "c"), "--from", str(stick)]) == 2
    assert not (tmp_path / "c").exists()


def linked(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "member",
    [
        {"../outside.txt": b"x"},
        {"/tmp/fcn_keras_outside.txt": b"x"},
        {"link": linked("link", "../../outside")},
        {"link": linked("link", "/etc/passwd")},
        {"hard": linked("hard", "../outside", tarfile.LNKTYPE)},
        {"device": linked("device", "", tarfile.CHRTYPE)},
    ],
    ids=["up", "absolute", "link up", "link away", "hard link", "device"],
)
def test_archives_are_unpacked_without_leaving_their_folder(
    server, tmp_path, monkeypatch, capsys, member
):
    publish(
        server,
        monkeypatch,
        "pets",
        {"images.tar.gz": tar_of(None, **{"images/a.txt": b"a"}, **member)},
    )
    outside = {path for path in tmp_path.rglob("*")}
    assert main(["download", "pets", "--out", str(tmp_path / "data" / "pets")]) in (0, 2)
    inside = tmp_path / "data"
    assert {path for path in tmp_path.rglob("*") if inside not in (path, *path.parents)} == outside
    assert not any(path.is_symlink() for path in inside.rglob("*"))
    assert not os.path.exists("/tmp/fcn_keras_outside.txt")
    assert "Traceback" not in capsys.readouterr().err


def test_a_damaged_archive_is_said(server, tmp_path, monkeypatch, capsys):
    publish(
        server,
        monkeypatch,
        "pets",
        {"images.tar.gz": pets_archives(tmp_path)["images.tar.gz"][:900]},
    )
    assert main(["download", "pets", "--out", str(tmp_path / "pets")]) == 2
    assert "could not be unpacked" in capsys.readouterr().err and not (tmp_path / "pets").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["imagenet"], "'voc', 'pets'"),
        (["kitti"], "cvlibs"),
        (["camvid"], "SegNet"),
        (["pets", "--out", "{file}"], "something else"),
        (["pets", "--out", "{full}"], "something else"),
        (["pets", "--from", "{missing}", "--out", "{new}"], "no such file"),
    ],
)
def test_download_mistakes(tmp_path, capsys, arguments, message):
    (tmp_path / "file").write_text("")
    made_sets.plain(tmp_path / "full", 2)
    places = {name: tmp_path / name for name in ("file", "full", "missing", "new")}
    assert main(["download", *(argument.format(**places) for argument in arguments)]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_a_disk_without_room_is_said_before_anything_is_fetched(
    server, tmp_path, monkeypatch, capsys
):
    publish(server, monkeypatch, "pets", pets_archives(tmp_path))
    monkeypatch.setattr(
        downloads.shutil, "disk_usage", lambda path: type("usage", (), {"free": 1000})
    )
    assert main(["download", "pets", "--out", str(tmp_path / "pets")]) == 2
    assert "of room on the disk" in capsys.readouterr().err and not server.asked


SCRIPT = """
import sys
from fcn_keras.datasets import downloads
from fcn_keras.datasets.downloads import Archive, PublicSet
threes = zip(*[iter(sys.argv[3:])] * 3)
archives = tuple(Archive(name, md5, float(size)) for name, md5, size in threes)
downloads.SETS["pets"] = PublicSet("pets", sys.argv[1] + "/", archives)
downloads.download("pets", sys.argv[2])
"""


def killed_downloads(server, tmp_path, archives, times):
    """Kills a download at random moments until one comes to its end; what is there afterwards."""
    server.files = archives
    told = [
        text for n, c in archives.items() for text in (n, hashlib.md5(c).hexdigest(), str(len(c)))
    ]
    out, dice = tmp_path / "out", random.Random(1)
    command = [sys.executable, "-c", SCRIPT, server.address, str(out), *told]
    start = time.perf_counter()
    subprocess.run([*command[:4], str(tmp_path / "undisturbed"), *told], check=True)
    whole = time.perf_counter() - start
    for _ in range(times):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.3, 1) * whole)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # it was finished before the kill: whole, then, and the next one begins anew
        if out.exists():
            assert_same_tree(out, tmp_path / "undisturbed")
            out.rename(tmp_path / f"done-{time.time_ns()}")
    subprocess.run(command, check=True)
    assert_same_tree(out, tmp_path / "undisturbed")


def assert_same_tree(a, b):
    here, there = (
        {p.relative_to(root): p.is_file() and p.read_bytes() for p in root.rglob("*")}
        for root in (a, b)
    )
    assert here == there and len(here) > 3


def slow_archives(server, tmp_path):
    server.pause = 0.02
    (tmp_path / "more").mkdir()
    for number in range(40):
        (tmp_path / "more" / f"{number}.bin").write_bytes(random.Random(number).randbytes(30_000))
    return {**pets_archives(tmp_path), "more.tar.gz": tar_of(tmp_path / "more")}


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_download_that_is_killed_goes_on_to_the_same_files(server, tmp_path, monkeypatch):
    """Killed when it asks for its second archive; at twenty moments in `make test-long`."""
    server.files = slow_archives(server, tmp_path)
    sums = {name: hashlib.md5(content).hexdigest() for name, content in server.files.items()}
    told = [text for n, content in server.files.items() for text in (n, sums[n], len(content))]
    out, command = tmp_path / "out", [sys.executable, "-c", SCRIPT, server.address]
    process = subprocess.Popen([*command, out, *map(str, told)], stderr=subprocess.DEVNULL)
    while len(server.asked) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    archives = tuple(
        downloads.Archive(name, sums[name], len(content)) for name, content in server.files.items()
    )
    monkeypatch.setitem(
        downloads.SETS, "pets", downloads.PublicSet("pets", server.address + "/", archives)
    )
    for folder in (out, tmp_path / "undisturbed"):
        downloads.download("pets", folder)
    assert_same_tree(out, tmp_path / "undisturbed")


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_download_killed_at_twenty_moments_gives_the_same_files(server, tmp_path):
    killed_downloads(server, tmp_path, slow_archives(server, tmp_path), 20)
