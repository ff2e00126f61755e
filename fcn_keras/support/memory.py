"""How much memory is free, asked before much of it is needed: a refusal in a sentence instead of a killed process."""

from pathlib import Path

import psutil

# What the backends' errors are called, or say, when memory runs out
BACKENDS_SIGNS = ("ResourceExhausted", "RESOURCE_EXHAUSTED", "OutOfMemory", "OOM")
CGROUP = Path("/sys/fs/cgroup")  # where Linux says what a container may use


def available() -> int:
    """Bytes that can be asked for: what the machine has free, and no more than its container leaves."""
    free = psutil.virtual_memory().available
    try:  # the second version of cgroups; where there is none, there is no such limit to see
        limit = (CGROUP / "memory.max").read_text().strip()
        used = int((CGROUP / "memory.current").read_text())
        held = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        if (
            limit != "max"
        ):  # files that are only kept in case they are read again are given back when memory is asked for
            free = min(free, int(limit) - used + int(held.get("inactive_file", 0)))
    except (OSError, ValueError):
        pass
    return max(free, 0)


def ran_out(error: BaseException) -> bool:
    """Whether an error is a backend's way to say that memory ran out."""
    return any(sign in f"{type(error).__name__} {error}" for sign in BACKENDS_SIGNS)


def require(needed: float, what: str, way_out: str) -> None:
    """Refuses what would need more memory than is free.

    Args:
        needed: Bytes.
        what: For the message, such as `"street.png (20000 x 30000 pixels), read whole,"`.
        way_out: What to do instead, a sentence.

    Raises:
        MemoryError: If fewer bytes are free.
    """
    free = available()
    if needed > free:
        raise MemoryError(
            f"{what} needs {in_words(needed)} of memory, and {in_words(free)} are free. {way_out}"
        )


def in_words(count: float) -> str:
    """Bytes as a person says it: `"1.8 GB"`."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return (
                f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
            )
        count /= 1000
