"""Parts of coded extracts kept on disk, so that a restart need not make them again and a server holds one copy for all sessions.

A folder per extract, definitions and code; a file per part: one line that says what it is, a JSON description, then the arrays, aligned, each as it
lies in memory. Files are mapped read-only: what is not looked at is not read. They are made whole under another name first, never replaced, never
changed: a file that fails its checksum is taken away and made again. All of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
import struct
import uuid
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_MAGIC, _HEAD, _ALIGN = b"revscore parts 1\n", struct.Struct("<QI"), 64
_FOLDERS = 6  # extracts that are kept: the latest, and those that are looked back at
_ENV = "REVSCORE_FACTS"


def folder_beside(url: str) -> Path | None:
    """Where parts are kept: the folder named in REVSCORE_FACTS ("off": nowhere), else beside the file of a SQLite store; None for a server's store."""
    named = os.environ.get(_ENV, "").strip()
    if named:
        return None if named.lower() == "off" else Path(named).expanduser()
    _, sign, rest = url.partition(":///")
    place = rest.partition("?")[0] if sign else url
    return None if "://" in place or not place or ":memory:" in place or "uri=" in url else Path(place).expanduser().with_suffix(".facts")


def code_version(room: Path) -> str:
    """A hash of the sources that parts are made by, and of the libraries they are made with."""
    digest = hashlib.sha256(f"{np.__version__} {pd.__version__}".encode())
    for path in sorted(room.rglob("*.py")):
        digest.update(path.relative_to(room).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class Kept:
    """The parts of one extract under one set of definitions; `key` names all they depend on."""

    def __init__(self, folder: Path, key: Iterable[str]) -> None:
        self._root = folder
        self._home = folder / hashlib.sha256("\n".join(key).encode()).hexdigest()[:24]

    def get(self, name: str) -> tuple[Any, Sequence[np.ndarray]] | None:
        """(description, read-only arrays) of a part; None where it is not kept. A damaged file is removed."""
        for path in sorted(self._home.glob(f"{name}.*.part")):
            try:
                return _mapped(path)
            except (OSError, ValueError, KeyError, TypeError, struct.error):
                _without(path)
        return None

    def put(self, name: str, tree: Any, arrays: Sequence[np.ndarray]) -> None:
        """Keep a part. A disk that is full or read-only keeps nothing, and nobody minds."""
        try:
            if not self._home.exists():
                self._home.mkdir(parents=True, exist_ok=True)
                self._prune()
            _write(self._home, name, tree, arrays)
        except OSError:
            pass

    def _prune(self) -> None:
        """Only the folders that were made last stay; what another process still has open may stay longer."""
        homes = sorted((home for home in self._root.iterdir() if home.is_dir()), key=lambda home: home.stat().st_mtime, reverse=True)
        for old in homes[_FOLDERS:]:
            shutil.rmtree(old, ignore_errors=True)


def _write(home: Path, name: str, tree: Any, arrays: Sequence[np.ndarray]) -> None:
    places, at = [], 0
    for array in arrays:
        places.append({"dtype": array.dtype.str, "shape": array.shape, "at": at})
        at += -(-array.nbytes // _ALIGN) * _ALIGN
    header = json.dumps({"tree": tree, "arrays": places}).encode()
    header += b" " * (-(len(_MAGIC) + _HEAD.size + len(header)) % _ALIGN)
    body = [piece for array in arrays for piece in (memoryview(np.ascontiguousarray(array)).cast("B") if array.nbytes else b"", b"\0" * (-array.nbytes % _ALIGN))]
    checksum = zlib.crc32(header)
    for piece in body:
        checksum = zlib.crc32(piece, checksum)
    temporary = home / f"{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("wb") as file:
            file.write(_MAGIC + _HEAD.pack(len(header), checksum) + header)
            for piece in body:
                file.write(piece)
        # named by its content: two processes that write at once write the same file, and a mapped file is never replaced by another
        target = home / f"{name}.{checksum:08x}.part"
        if not target.exists():
            os.replace(temporary, target)
    finally:
        _without(temporary)


def _mapped(path: Path) -> tuple[Any, list[np.ndarray]]:
    """Raises ValueError where the file is not what was written."""
    with path.open("rb") as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    head = len(_MAGIC) + _HEAD.size
    if whole[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a part")
    length, checksum = _HEAD.unpack(whole[len(_MAGIC): head])
    if zlib.crc32(memoryview(whole)[head:]) != checksum:
        raise ValueError("damaged")
    header = json.loads(whole[head: head + length])
    arrays = []
    for place in header["arrays"]:
        kind = np.dtype(place["dtype"])
        if kind.kind not in "biuf":
            raise ValueError("not an array of numbers")
        count = int(np.prod(place["shape"], dtype="int64"))
        arrays.append(np.frombuffer(whole, kind, count, head + length + place["at"]).reshape(place["shape"]) if count else np.zeros(place["shape"], kind))
    return header["tree"], arrays


def _without(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # still mapped, on Windows
        pass
