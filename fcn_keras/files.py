"""Where the package keeps what it computed, and how it writes files: whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path


def home() -> Path:
    """The folder of what is computed once and kept: `$FCN_KERAS_HOME`, else `~/.keras/fcn_keras`."""
    return Path(os.environ.get("FCN_KERAS_HOME") or Path.home() / ".keras" / "fcn_keras")


@contextlib.contextmanager
def written_whole(path: str | Path):
    """Gives a temporary path beside `path`, and moves it there when the block ends without error.

    Whoever reads `path` sees the old file or the whole new one, never a half, even if the
    process is killed in between.

    Args:
        path: The file to write; its folder is made when missing.

    Yields:
        `Path` to write to, with the same suffix.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if os.name == "posix":  # mkstemp makes private files; give it the rights of a normal one
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
