"""One process at a time in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from nst_jax.shell.errors import UserError


@contextmanager
def alone(folder: Path, what: str, *, keep: bool) -> Iterator[None]:
    """Within, no other process holds the folder. The system releases the lock of a process that dies.

    Args:
      folder: the folder.
      what: "a sweep", "a run", for the message.
      keep: whether the lock's file stays. Without it, two processes that come while it is removed may both get in.

    Raises:
      UserError: another process holds the folder.
    """
    lock = FileLock(folder / ".lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"{what} is running in {folder} already") from None
    try:
        yield
    finally:
        lock.release()
        if not keep:
            (folder / ".lock").unlink(missing_ok=True)
