"""Long columns some rows at a time: what lies between two steps is never there for all of them, and the processor is quick with what is near."""

from __future__ import annotations

from collections.abc import Iterator

PIECE = 1 << 17  # rows


def slices(n: int) -> Iterator[slice]:
    """`n` rows in pieces."""
    return (slice(first, min(first + PIECE, n)) for first in range(0, n, PIECE))
