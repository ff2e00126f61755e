"""Where the package keeps what it computed, and how it writes files: whole or not at all."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from fcn_keras.support import arguments

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
    """The folder of what is computed once and kept: `$FCN_KERAS_HOME`, else `~/.keras/fcn_keras`."""
    return Path(os.environ.get("FCN_KERAS_HOME") or Path.home() / ".keras" / "fcn_keras")


@contextlib.contextmanager
def written_whole(path: str | Path):
    """Gives a temporary path beside `path`, and moves it there when the block ends without error.

    Whoever reads `path` sees the old file or the whole new one, never a half, even if the process is killed in between or
    the computer loses its power.

    Args:
        path: The file to write; its folder is made when missing.

    Yields:
        `Path` to write to, with the same suffix.

    Raises:
        TypeError: If `path` is no path.
        OSError: If it cannot be written: a full disk, a folder that allows no writing, a file where a folder should be.
    """
    path = arguments.path("path", path)
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
            with open(temporary, "rb+") as file:
                os.fsync(
                    file.fileno()
                )  # the content first, then the name: a system may put off the one and not the other
        if os.name == "posix":  # mkstemp makes private files; give it the rights of a normal one
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
        with explain_write_errors(path):
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def explain_write_errors(path: str | Path):
    """Errors of writing `path` in words: which file, why, and that what was finished stays.

    HDF5 reports a full disk in its own way, as a `RuntimeError` or an `OSError` without a number; the text is kept then.

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


def _explained(error, number, path) -> OSError:
    text = str(error)
    for known in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        if number is None and os.strerror(known) in text:
            number = known
    reason = REASONS.get(number) or (os.strerror(number) if number else text)
    told = OSError(
        number, f"{path} could not be written: {reason}. What was finished before stays."
    )
    told.filename = None
    return told


def reserve(file, count: int) -> None:
    """Makes a file `count` bytes long and takes the room on the disk: writing to it through memory cannot fail later.

    A memory-mapped file that finds the disk full ends the whole process without a word.

    Args:
        file: Open for writing bytes.
        count: Bytes.

    Raises:
        OSError: If there is not so much room.
    """
    with explain_write_errors(file.name if isinstance(file.name, str) else "a temporary file"):
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, max(count, 1))
        file.truncate(count)
