"""Ids as positions: a hash table made of arrays, for the columns where most of an extract's text is (every touch names its person).

An id is its UTF-8 bytes and one byte that ends it, as whole 64-bit words. Its hash is a place in a table of positions; ids whose place is taken go to a next,
smaller table. What is found is compared word by word, so an equal hash is never taken for an equal id. The text is read where Arrow has it, some rows at a
time: no object, and no copy of the column, is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from revscore.core.pieces import slices

_LONGEST, _LEVELS = 63, 64
_ODD, _END = np.uint64(0x9E3779B97F4A7C15), 255  # no UTF-8 text has a byte 255


class Unfit(ValueError):
    """Columns that the table does not take: other storage, long ids, a missing or repeated one among those to be found."""


class Ids:
    """Positions of unique ids: `Ids(ids).find(column)`. Raises Unfit, and so does `find`."""

    def __init__(self, ids: pd.Series) -> None:
        longest = max((int(np.diff(_offsets(piece)).max()) for piece in _pieces(ids)), default=0)
        if longest > _LONGEST or ids.hasnans:
            raise Unfit("an id is missing or long")
        self._words = np.concatenate([np.zeros((0, longest // 8 + 1), "uint64"), *(_words(piece, longest // 8 + 1)[0] for piece in _pieces(ids))])
        self._tables: list[np.ndarray] = []
        left, hashed = np.arange(len(ids), dtype="int32"), _hash(self._words)
        while len(left):
            if len(self._tables) == _LEVELS:
                raise Unfit("too many ids want one place")
            table = np.full(1 << max(int(len(left)).bit_length() + 1, 4), -1, dtype="int32")
            place = _place(hashed, table)
            table[place] = left
            late = np.flatnonzero(table[place] != left)
            if self._same(table[place[late]], self._words[left[late]]).any():
                raise Unfit("an id is there twice")
            self._tables.append(table)
            left, hashed = left[late], _again(hashed[late])

    def find(self, column: pd.Series) -> np.ndarray:
        """int32 position of every value of a text column, −1 for what is missing or not there."""
        return np.concatenate([np.zeros(0, dtype="int32"), *(self._found(*_words(piece, self._words.shape[1])) for piece in _pieces(column))])

    def _found(self, words: np.ndarray, fits: np.ndarray) -> np.ndarray:
        out, left = np.full(len(words), -1, dtype="int32"), np.flatnonzero(fits)
        if len(left) < len(words):
            words = words[left]
        hashed = _hash(words)
        for table in self._tables:
            there = table[_place(hashed, table)]
            same = self._same(there, words)
            out[left[same]] = there[same]
            other = np.flatnonzero(~same & (there >= 0))  # where nobody came, nobody went further
            if not len(other):
                break
            left, words, hashed = left[other], words[other], _again(hashed[other])
        return out

    def _same(self, place: np.ndarray, words: np.ndarray) -> np.ndarray:
        same = place >= 0
        for k in range(words.shape[1]):
            same &= self._words[place, k] == words[:, k]
        return same


def _pieces(column: pd.Series) -> Iterator[Any]:
    """The column as Arrow arrays of some rows."""
    if not isinstance(column.dtype, pd.StringDtype) or column.dtype.storage != "pyarrow":
        raise Unfit("not Arrow text")
    whole = column.array.__arrow_array__()
    for chunk in getattr(whole, "chunks", [whole]):
        for piece in slices(len(chunk)):
            yield chunk.slice(piece.start, piece.stop - piece.start)


def _offsets(piece: Any) -> np.ndarray:
    kind = {"large_string": "int64", "string": "int32"}.get(str(piece.type))
    if kind is None:
        raise Unfit("not Arrow text")
    return np.frombuffer(piece.buffers()[1], kind)[piece.offset: piece.offset + len(piece) + 1]


def _words(piece: Any, width: int) -> tuple[np.ndarray, np.ndarray]:
    """([row, word], whether the row has a text that fits into `width` words)."""
    offsets, text = _offsets(piece), piece.buffers()[2]
    text = np.frombuffer(text if text is not None else b"", "uint8")[offsets[0]: offsets[-1]]
    length = np.diff(offsets)
    fits = length < 8 * width
    if piece.null_count:
        fits &= piece.is_valid().to_numpy(zero_copy_only=False)
    out = np.zeros((len(length), 8 * width), dtype="uint8")
    if fits.all() and (length == length[0]).all():
        out[:, : length[0]] = text.reshape(len(length), length[0])
        out[:, length[0]] = _END
    else:
        out[(np.arange(8 * width) < length[:, None]) & fits[:, None]] = text if fits.all() else text[np.repeat(fits, length)]
        rows = np.flatnonzero(fits)
        out[rows, length[rows]] = _END
    return out.view("uint64"), fits


def _hash(words: np.ndarray) -> np.ndarray:
    hashed = np.zeros(len(words), dtype="uint64")
    for k in range(words.shape[1]):
        hashed = _again(hashed + words[:, k])
    return hashed


def _again(hashed: np.ndarray) -> np.ndarray:
    return (hashed ^ (hashed >> np.uint64(29))) * _ODD


def _place(hashed: np.ndarray, table: np.ndarray) -> np.ndarray:
    return (hashed >> np.uint64(65 - len(table).bit_length())).astype(np.intp)
