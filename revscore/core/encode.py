"""Where strings end: ids become positions, words become small codes, and rows are put in order by numbers, text only at ties."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pandas as pd

from revscore.core.ids import Ids, Unfit
from revscore.core.pieces import PIECE, slices

_MANY = 20_000  # so many values are looked up in a table of arrays, fewer by pandas


def places(ids: pd.Series | pd.Index | Callable[[], pd.Series], column: pd.Series) -> np.ndarray:
    """int32 position in `ids` (or what they give when they are needed) of every value of a text column (or a categorical one), −1 for what is missing or not there.

    A few are factorised as one column with the ids: these come first and occur once, so that their numbers are their positions. Raises
    pandas' InvalidIndexError where an id occurs twice.
    """
    if column.isna().all():
        return np.full(len(column), -1, dtype="int32")
    if isinstance(column.dtype, pd.CategoricalDtype):
        found = places(ids, pd.Series(column.cat.categories, dtype="str"))
        return np.append(found, np.int32(-1))[column.cat.codes.to_numpy()]
    ids = pd.Series(ids() if callable(ids) else ids)
    if len(ids) + len(column) >= _MANY:
        with suppress(Unfit):
            return Ids(ids).find(column)
    codes = pd.factorize(pd.concat([ids, column], ignore_index=True))[0].astype("int32")
    n = len(ids)
    if not np.array_equal(codes[:n], np.arange(n)):  # an id is missing or there twice
        return pd.Index(ids).get_indexer(column).astype("int32")
    return np.where(codes[n:] < n, codes[n:], np.int32(-1))


def finder(ids: Callable[[], pd.Series]) -> Callable[[Iterable[pd.Series]], np.ndarray]:
    """`places` for several columns among the same ids, that come in pieces. Where an id occurs twice it raises at once."""
    try:
        table = Ids(ids())
    except Unfit as unfit:
        if not pd.Index(ids()).is_unique:
            raise pd.errors.InvalidIndexError from unfit
        table = None

    def one(column: pd.Series) -> np.ndarray:
        if table is not None:
            with suppress(Unfit):
                return table.find(column)
        return places(ids, column)

    return lambda pieces: np.concatenate([np.zeros(0, dtype="int32"), *map(one, pieces)])


def texts(column: pd.Series) -> np.ndarray:
    """The trimmed texts of a column of few different ones, "" where missing; equal texts are one object."""
    codes, words = pd.factorize(column)
    return np.array([*(str(word).strip() for word in words), ""], dtype=object)[codes]


def ordered(keys: tuple[np.ndarray, ...], ids: Callable[[], pd.Series | Iterable[pd.Series]] | None = None, row: np.ndarray | None = None) -> np.ndarray:
    """Order by `keys` (first counts most), ties by the text at `row` of `ids()` (which may come in pieces), without `ids` as they stand. Only the ties touch text."""
    order, same = _by_numbers(keys)
    tied = np.flatnonzero(same[1:] | same[:-1]) if ids is not None else ()
    if len(tied):
        rows = np.sort(order[tied])
        text = pd.factorize(_some(ids(), row[rows]), sort=True)[0]
        order[tied] = rows[np.lexsort((text, *(key[rows] for key in keys[::-1])))]
    return order


def _some(column: pd.Series | Iterable[pd.Series], rows: np.ndarray) -> np.ndarray:
    """A few values of a long column."""
    out, start = np.empty(len(rows), dtype=object), 0
    for piece in (column,) if isinstance(column, pd.Series) else column:
        mine = np.flatnonzero((rows >= start) & (rows < start + len(piece)))
        out[mine] = piece.iloc[rows[mine] - start].to_numpy(dtype=object)
        start += len(piece)
    return out


def _by_numbers(keys: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The order by `keys`, equal ones as they stand, and by place in it (one more than there are) whether all keys equal those before.

    Keys and place of a row are one number where 63 bits hold them: what is sorted is then its own index. Many rows are put in parts by the first key, and each
    part is sorted for itself: so much less is there at a time, and a part fits where the processor is quick.
    """
    n = len(keys[0])
    same = np.zeros(n + 1, dtype=bool)
    if not n:
        return np.zeros(0, dtype="int32"), same
    lows = [int(key.min()) for key in keys]
    spans = [int(key.max()) - low for key, low in zip(keys, lows, strict=True)]
    if n > PIECE and 0 < spans[0] < 2**63:
        order, edges = _parted(keys[0], lows[0], max(spans[0].bit_length() - 8, 0))
        for first, last in pairwise(edges):
            rows = order[first:last]
            by, equal = _by_numbers(tuple(key[rows] for key in keys))
            order[first:last], same[first:last] = rows[by], equal[:-1]
        return order, same
    steps = [_step(key, low, span) for key, low, span in zip(keys, lows, spans, strict=True)]
    widths = [(span // step).bit_length() for span, step in zip(spans, steps, strict=True)]
    place = (n - 1).bit_length()
    if sum(widths) + place > 63:
        order = _slim(np.lexsort(keys[::-1]))
        same[1:-1] = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
        return order, same
    number = np.zeros(n, dtype="int64")
    for key, low, step, width in zip(keys, lows, steps, widths, strict=True):
        number <<= width
        number += (key.astype("int64") - low) // step
    number <<= place
    number += np.arange(n)
    number.sort()
    order = _slim(number & (1 << place) - 1)
    number >>= place
    same[1:-1] = number[1:] == number[:-1]
    return order, same


def _parted(key: np.ndarray, low: int, shift: int) -> tuple[np.ndarray, list[int]]:
    """The rows in at most 256 parts by the first bits of a key, as they stand within each, and where each part begins."""
    pieces = list(slices(len(key)))
    part = np.empty(len(key), dtype="uint8")
    count = np.empty((len(pieces), 256), dtype="int64")
    for number, piece in enumerate(pieces):
        part[piece] = key[piece].astype("int64") - low >> shift
        count[number] = np.bincount(part[piece], minlength=256)
    edges = np.append(0, np.cumsum(count.sum(axis=0)))
    to = edges[:-1] + np.cumsum(count, axis=0) - count  # where the rows of each piece and part begin
    order = np.empty(len(key), dtype="int32" if len(key) < 2**31 else "int64")
    for number, piece in enumerate(pieces):
        by = np.argsort(part[piece], kind="stable")  # of 8 bits: by counting
        own = count[number]
        order[np.repeat(to[number] - (np.cumsum(own) - own), own) + np.arange(len(by))] = by + piece.start
    return order, edges.tolist()


def _step(key: np.ndarray, low: int, span: int) -> int:
    """A million for instants of whole seconds, else one."""
    if not 2**33 < span < 2**63:
        return 1
    since = key - low
    return 1_000_000 if (since // 1_000_000 * 1_000_000 == since).all() else 1


def _slim(order: np.ndarray) -> np.ndarray:
    return order.astype("int32" if len(order) < 2**31 else "int64")
