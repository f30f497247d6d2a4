"""Rows are put in order by numbers, in parts, and it is the order of a sort by every key."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revscore.core import encode, pieces
from revscore.core.calendars import NEVER


def _pool(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    """Keys as they occur: positions, words, instants of whole seconds and of any, some of them NEVER, narrow and wide."""
    year, seconds = 1_700_000_000_000_000, rng.integers(0, 10**8, n) * 1_000_000
    return [rng.integers(-5, 50, n).astype("int32"), rng.integers(0, 3, n).astype("int16"), rng.integers(0, 255, n).astype("uint8"), rng.random(n) < 0.5,
            np.zeros(n, dtype="int64"), year + seconds, year + rng.integers(0, 10**14, n), np.where(rng.random(n) < 0.01, NEVER, year + seconds),
            np.where(rng.random(n) < 0.1, NEVER, rng.integers(-10**15, 10**15, n))]


@pytest.mark.parametrize("piece", [1, 7, 200, 1 << 17])
def test_the_order_is_that_of_a_sort_by_every_key(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "PIECE", piece)
    monkeypatch.setattr(pieces, "PIECE", piece)
    rng = np.random.default_rng(piece)
    for _ in range(60):
        n = int(rng.integers(0, 300))
        pool = _pool(rng, n)
        keys = tuple(pool[k] for k in rng.choice(len(pool), int(rng.integers(1, 4)), replace=False))
        assert encode.ordered(keys).tolist() == np.lexsort(keys[::-1]).tolist()
        text = pd.Series(rng.permutation([f"{k:03}" for k in range(n)]), dtype="str")
        by_text = np.lexsort((text.to_numpy(dtype=object).astype("U3"), *keys[::-1]))
        assert encode.ordered(keys, lambda text=text: text, np.arange(n)).tolist() == by_text.tolist()
