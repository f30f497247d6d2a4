"""Patterns over a column of text, without a loop over its cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

TEXT = pd.StringDtype(na_value=np.nan)         # text as Arrow keeps it
# First bytes, in UTF-8, of what cannot be seen: controls (tab, line feed and return are none), U+00xx, Greek to Cyrillic, U+20xx, U+FExx and full-width letters.
_ODD = np.zeros(256, bool)
_ODD[[*range(9), 11, 12, *range(14, 32), 127, 0xc2, *range(0xcd, 0xd5), 0xd9, 0xdb, 0xe0, 0xe2, 0xef]] = True
# First bytes of characters that may be blank: ASCII, and those of the blanks of Unicode.
_BLANKS = [*range(1, 33), 0xc2, 0xe1, 0xe2, 0xe3]


def arrow(text: pd.Series | pd.Index) -> pa.Array:
    """A column of text as Arrow has it, in one piece."""
    found = pa.array(text.astype("str"), type=pa.large_string(), from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def series(column: pa.Array | pa.ChunkedArray) -> pd.Series:
    """What `arrow` undoes."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pd.Series(TEXT.__from_arrow__(column.cast(pa.large_string())))


def extract(text: pd.Series, pattern: str) -> pd.DataFrame:
    """The named groups of `pattern` for every cell, as `Series.str.extract`, many times faster. A group that is empty is missing.

    The pattern is one of RE2: its classes (`\\s`, `\\w`) know ASCII only.
    """
    groups = pc.extract_regex(arrow(text), pattern)
    names = [one.name for one in groups.type]
    columns = {name: _missing_if_empty(pc.struct_field(groups, name)) for name in names}
    return pd.DataFrame({name: series(column) for name, column in columns.items()}).set_axis(text.index)


def positions(keys: pd.Series, table: pd.Series | pd.Index) -> np.ndarray:
    """Where in `table` (without doubles) each key stands, −1 where it does not; a missing key stands nowhere."""
    found = pc.index_in(arrow(keys), value_set=arrow(table), skip_nulls=True)
    return found.fill_null(-1).to_numpy(zero_copy_only=False)


def among(keys: pd.Series, table: pd.Series) -> np.ndarray:
    """Which keys are in `table`; a missing key is not."""
    return pc.is_in(arrow(keys), value_set=arrow(table), skip_nulls=True).to_numpy(zero_copy_only=False)


def ordinary(text: pd.Series) -> bool:
    """Whether no cell holds a control character or begins a mark that cannot be seen: one look at the bytes, before any pattern is tried."""
    found = arrow(text)
    data = found.buffers()[2]
    if data is None or not len(found):
        return True
    ends = np.frombuffer(found.buffers()[1], dtype="int64")
    return not _ODD[np.frombuffer(data, dtype="uint8")[ends[found.offset]:ends[found.offset + len(found)]]].any()


def ascii_only(text: pd.Series) -> bool:
    """Whether no cell holds anything but ASCII."""
    found = arrow(text)
    data = found.buffers()[2]
    if data is None or not len(found):
        return True
    ends = np.frombuffer(found.buffers()[1], dtype="int64")
    return bool((np.frombuffer(data, np.uint8)[ends[found.offset]:ends[found.offset + len(found)]] < 0x80).all())


def strip(text: pd.Series) -> pd.Series:
    """`Series.str.strip`, the column itself where no cell begins or ends with what may be a blank."""
    first, last = _edges(text)
    blank = np.isin(first, _BLANKS).any() or ((last <= 32) & (last > 0) | (last >= 0x80)).any()
    return text.str.strip() if blank else text


def begins(text: pd.Series, words: Iterable[str]) -> bool:
    """Whether a cell may begin with one of `words`, in either case: a look at its first byte."""
    wanted = {either.encode()[0] for word in words if word for either in (word[0].lower(), word[0].upper())}
    return bool(np.isin(_edges(text)[0], list(wanted)).any())


def spread(words: Sequence[str | None], codes: np.ndarray, index: pd.Index) -> pd.Series:
    """The word of every code, missing for −1."""
    table = pa.array([*words, None], type=pa.large_string())
    return series(table.take(pa.array(np.where(codes < 0, len(words), codes)))).set_axis(index)


def mapped(text: pd.Series, table: Mapping[str, str | None]) -> pd.Series:
    """The text that `table` has for every cell, missing where it has none."""
    codes, words = pd.factorize(text)
    return spread([table.get(str(word)) for word in words], codes, text.index)


def numbered(keys: pd.Series) -> np.ndarray:
    """The place of every row among those of the same key, from 1; rows of a key stand together."""
    begin = keys.ne(keys.shift()).to_numpy(dtype=bool)
    at = np.arange(1, len(keys) + 1)
    return at - np.maximum.accumulate(np.where(begin, at - 1, 0)) if len(keys) else at


def padded(numbers: np.ndarray, width: int, index: pd.Index) -> pd.Series:
    """Small numbers as text with zeros in front."""
    return spread([f"{number:0{width}}" for number in range(int(numbers.max(initial=0)) + 1)], numbers, index)


def letters(text: pd.Series, width: int) -> np.ndarray:
    """The bytes of cells that are all `width` ASCII characters long: an array of rows × width."""
    found = arrow(text)
    ends = np.frombuffer(found.buffers()[1], dtype="int64")
    return np.frombuffer(found.buffers()[2], np.uint8)[ends[found.offset]:ends[found.offset + len(found)]].reshape(-1, width)


def written(rows: np.ndarray, index: pd.Index) -> pd.Series:
    """The cells whose bytes are `rows`: what `letters` undoes."""
    ends = pa.py_buffer(np.arange(len(rows) + 1, dtype="int64") * rows.shape[1])
    return series(pa.LargeStringArray.from_buffers(len(rows), ends, pa.py_buffer(np.ascontiguousarray(rows, dtype=np.uint8)))).set_axis(index)


def _edges(text: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """First and last byte of every cell, 0 for an empty one."""
    found = arrow(text)
    data = found.buffers()[2] if len(found) else None
    if data is None or not data.size:
        return np.zeros(len(found), np.uint8), np.zeros(len(found), np.uint8)
    ends, data = np.frombuffer(found.buffers()[1], dtype="int64")[found.offset:found.offset + len(found) + 1], np.frombuffer(data, np.uint8)
    filled = ends[1:] > ends[:-1]
    return np.where(filled, data[np.minimum(ends[:-1], len(data) - 1)], 0), np.where(filled, data[ends[1:] - 1], 0)


def _missing_if_empty(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
