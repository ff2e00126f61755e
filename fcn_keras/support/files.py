"""Where the package keeps computed results, and how it writes files: completely or not at all."""

import contextlib
import errno
import hashlib
import importlib.util
import os
import tempfile
from pathlib import Path

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "it is larger than a file may be here",
    errno.EROFS: "nothing can be written on that disk",
    errno.EACCES: "writing is not allowed there",
    errno.EPERM: "writing is not allowed there",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EEXIST: "a file stands where a folder should be",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "the disk reports a fault",
}


def home() -> Path:
    """The folder for computed results: `$FCN_KERAS_HOME`, else `~/.keras/fcn_keras`."""
    return Path(os.environ.get("FCN_KERAS_HOME") or Path.home() / ".keras" / "fcn_keras")


def package_folder(module: str) -> Path | None:
    """Where an installed package lies, without importing it; `None` if it is not installed."""
    found = importlib.util.find_spec(module)
    return Path(found.origin).parent if found and found.origin else None


def sha256_of_file(path: str | Path) -> str:
    """A file's SHA-256 in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_file(path: str | Path) -> str:
    """The first 16 hexadecimal digits of a file's SHA-256."""
    return sha256_of_file(path)[:16]


@contextlib.contextmanager
def written_whole(path: str | Path):
    """Gives a temporary path beside `path`, and moves it there when the block ends without error.

    A reader of `path` sees either the old file or the complete new one, even if the process is
    killed while writing or the computer loses power.

    Args:
        path: The file to write. A missing folder is made.

    Yields:
        `Path` to write to, with the same suffix.

    Raises:
        OSError: If it cannot be written: a full disk, a read-only folder, a file where a folder
            should be.
    """
    path = Path(path)
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    temporary = Path(name)
    try:
        with explain_write_errors(path):
            yield temporary
            _flush_to_disk(temporary)
        _give_usual_permissions(temporary)
        with explain_write_errors(path):
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    """Brings the content to disk before the new name, which a system may write first."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _give_usual_permissions(path: Path) -> None:
    """`mkstemp` makes files that only their owner can read."""
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        path.chmod(0o666 & ~mask)


@contextlib.contextmanager
def explain_write_errors(path: str | Path):
    """Rewords errors of writing `path`: which file, why, and that finished work stays.

    HDF5 reports a full disk as a `RuntimeError`, or as an `OSError` without a number. Its text is
    then part of the sentence.

    Raises:
        OSError: With the system's number, and one sentence as its text.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None and "write" not in str(error):
            raise
        raise _explained(error, error.errno, path) from error
    except RuntimeError as error:
        if "HDF5" not in str(error) and "write" not in str(error):
            raise
        raise _explained(error, None, path) from error


def _explained(error: Exception, number: int | None, path: str | Path) -> OSError:
    text = str(error)
    for known in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        if number is None and os.strerror(known) in text:
            number = known
    reason = REASONS.get(number, os.strerror(number)) if number else text
    explained = OSError(
        number, f"{path} could not be written: {reason}. What was finished before stays."
    )
    explained.filename = None
    return explained


def reserve(file, count: int) -> None:
    """Makes a file `count` bytes long and takes the space on the disk at once.

    Writing to a memory-mapped file kills the process without a message when the disk is full.
    Reserving the space first prevents this.

    Args:
        file: Open for writing bytes.
        count: Bytes.

    Raises:
        OSError: If the disk does not have enough space.
    """
    with explain_write_errors(file.name if isinstance(file.name, str) else "a temporary file"):
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, max(count, 1))
        file.truncate(count)
