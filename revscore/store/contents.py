"""Frames in the tables of the store, addressed by what is in them: written once, and checked against their sums whenever they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, LargeBinary, Select, cast, func, insert, select

from revscore.store import frames
from revscore.store import tables as t
from revscore.store.engine import StoreError


def keep(connection: Connection, frame: frames.Packed) -> list[str]:
    """Write a frame unless the store has it already, from another load: its address where it was written."""
    if connection.execute(select(t.frames.c.sha256).where(t.frames.c.sha256 == frame.sha256)).one_or_none() is not None:
        return []
    connection.execute(insert(t.frames).values(sha256=frame.sha256, format=frames.FORMAT, row_count=frame.rows))
    for number, content in enumerate(frame.parts):
        connection.execute(insert(t.frame_parts).values(frame_sha256=frame.sha256, part=number, content=content,
                                                        sha256=hashlib.sha256(content).hexdigest()))
    return [frame.sha256]


def written(addresses: Sequence[str]) -> tuple[Select, Select]:
    """What selects the rows of frames, for the act that wrote them."""
    return select(t.frames).where(t.frames.c.sha256.in_(addresses)), select(t.frame_parts).where(t.frame_parts.c.frame_sha256.in_(addresses))


def fetch(connection: Connection, addresses: set[str]) -> dict[str, list[bytes]]:
    """Address -> parts, each checked against its sum."""
    parts: dict[str, list[bytes]] = {}
    for address in sorted(addresses):
        query = select(t.frame_parts.c.sha256, cast(t.frame_parts.c.content, LargeBinary).label("content")).where(t.frame_parts.c.frame_sha256 == address)
        rows = connection.execute(query.order_by(t.frame_parts.c.part)).all()
        if not rows or any(hashlib.sha256(row.content).hexdigest() != row.sha256 for row in rows):
            raise StoreError(f"The store is damaged (frame {address[:12]}); restore it from a backup.")
        parts[address] = [row.content for row in rows]
    return parts


def head(connection: Connection, address: str) -> bytes:
    """The beginning of a frame, where its columns are named."""
    query = select(func.substr(t.frame_parts.c.content, 1, frames.HEAD)).where(t.frame_parts.c.frame_sha256 == address, t.frame_parts.c.part == 0)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise StoreError(f"The store is damaged (frame {address[:12]}); restore it from a backup.")
    return bytes(found)


def sha256_of(content: bytes | Path) -> str:
    """The sum of a file, or of bytes in memory."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()
