"""How much memory is free: asked first, so that a sentence refuses what would kill the process."""

import contextlib
from pathlib import Path

import psutil

# What the backends' errors are called, or say, when memory runs out
BACKENDS_SIGNS = ("ResourceExhausted", "RESOURCE_EXHAUSTED", "OutOfMemory", "OOM")
CGROUP = Path("/sys/fs/cgroup")  # where Linux says how much a container may use


def available() -> int:
    """Bytes that can be allocated: free on this machine, and allowed by its container."""
    free = psutil.virtual_memory().available
    with contextlib.suppress(OSError, ValueError):  # no cgroup of version 2, or one without a limit
        free = min(free, _left_in_container())
    return max(free, 0)


def _left_in_container() -> int:
    """Bytes that the container leaves; `ValueError` if its limit is `max`.

    Cached files count as used, but the system drops them when memory is needed.
    """
    limit = int((CGROUP / "memory.max").read_text())
    used = int((CGROUP / "memory.current").read_text())
    counts = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    return limit - used + int(counts.get("inactive_file", 0))


def ran_out(error: BaseException) -> bool:
    """Whether an error is a backend's way of saying that memory ran out."""
    return any(sign in f"{type(error).__name__} {error}" for sign in BACKENDS_SIGNS)


def require(needed: float, what: str, remedy: str) -> None:
    """Refuses work that needs more memory than is free.

    Args:
        needed: Bytes.
        what: For the message, such as `"street.png (20000 x 30000 pixels), read whole,"`.
        remedy: What to do instead, a sentence.

    Raises:
        MemoryError: If fewer bytes are free.
    """
    free = available()
    if needed > free:
        raise MemoryError(
            f"{what} needs {in_words(needed)} of memory, and {in_words(free)} are free. {remedy}"
        )


def in_words(count: float) -> str:
    """A number of bytes for people: `"1.8 GB"`."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        units.pop(0)
    digits = 0 if units[0] == "bytes" or count >= 100 else 1
    return f"{count:.{digits}f} {units[0]}"
