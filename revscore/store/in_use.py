"""Who uses the file of a SQLite store, and who may. Every process that has it open holds a lock on a file beside it (`….use`), so that a restore never takes it away
under somebody; the lock goes with the process, however that ends, and the file stays, empty. A new store is for its owner alone.
"""

from __future__ import annotations

import os
import random
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from revscore.store.engine import StoreError

_SEATS = 4096  # Windows locks bytes, each for one process: a user takes one of them, who wants to be alone takes all


def own(file: Path) -> None:
    """Make the file of a new store so that only its owner may read and write it. Where that cannot be, SQLite says why when it opens it."""
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def open_to_others(file: Path) -> tuple[str, ...]:
    """What others on this machine may do with a store, "read" and "write": in it are names, amounts and addresses of customers. Windows keeps such rights otherwise."""
    try:
        mode = 0 if os.name == "nt" else file.stat().st_mode
    except OSError:
        return ()
    return tuple(word for word, bits in (("read", stat.S_IRGRP | stat.S_IROTH), ("write", stat.S_IWGRP | stat.S_IWOTH)) if mode & bits)


def beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.use")


def claim(file: Path) -> int | None:
    """Say that this process uses `file`: what `leave` takes; None where no lock can be made, as in a folder that may only be read.

    Raises
    ------
    StoreError
        when the store is being restored just now.
    """
    try:
        handle = os.open(beside(file), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    if not _lock(handle, alone=False):
        os.close(handle)
        raise StoreError(f"The store {file} is being restored from a backup just now; try again when that is done.")
    return handle


def leave(handle: int | None) -> None:
    """This process uses the file no longer."""
    if handle is not None:
        with suppress(OSError):
            os.close(handle)


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Nobody else uses `file`, and nobody begins to. Raises StoreError where somebody does."""
    handle = os.open(beside(file), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(handle, alone=True):
            raise StoreError(f"The store {file} is in use by revscore (the app, or a command), so it was left as it is; stop that, then try again.")
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int, alone: bool) -> bool:
        for _ in range(1 if alone else 64):
            os.lseek(handle, 0 if alone else random.randrange(_SEATS), os.SEEK_SET)
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, _SEATS if alone else 1)
                return True
            except OSError:
                continue
        return False
else:
    import fcntl

    def _lock(handle: int, alone: bool) -> bool:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            return True
        except OSError as error:
            return not isinstance(error, BlockingIOError) and not alone  # a file system without locks
