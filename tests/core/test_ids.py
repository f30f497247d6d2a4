"""Ids find their positions: the table of arrays finds what a dictionary finds, and says what it does not take."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revscore.core import encode
from revscore.core.ids import Ids, Unfit


def _text(rng: np.random.Generator, longest: int) -> str:
    return "".join(rng.choice(list("abé\0 ☃Z"), int(rng.integers(0, longest))))


@pytest.mark.parametrize("seed", range(40))
def test_positions_are_those_of_a_dictionary(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = list({_text(rng, 1 + seed % 20) for _ in range(300)})
    ids = pd.Series(pool[: int(rng.integers(0, len(pool) + 1))], dtype="str")
    column = pd.Series(rng.choice(np.array([*pool, "x" * 90, None], dtype=object), 700), dtype="str")
    column = pd.concat([column, column.iloc[3:90], column[column.isna()]], ignore_index=True).iloc[seed:]
    position = {one: place for place, one in enumerate(ids)}
    assert Ids(ids).find(column).tolist() == [position.get(one, -1) if isinstance(one, str) else -1 for one in column.to_numpy(dtype=object)]


@pytest.mark.parametrize("values", [["a", "b", "a"], ["a", None], ["a" * 64], ["", "x", ""]])
def test_ids_that_are_no_ids_are_refused(values: list[str]) -> None:
    with pytest.raises(Unfit):
        Ids(pd.Series(values, dtype="str"))


def test_many_and_few_are_found_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    ids = pd.Series([f"{number:015}" for number in rng.permutation(3_000)], dtype="str")
    column = pd.Series(rng.choice(np.array([*ids.iloc[:2_000], "other", None], dtype=object), 9_000), dtype="str")
    few = encode.places(ids, column)
    monkeypatch.setattr(encode, "_MANY", 0)
    assert (encode.places(ids, column) == few).all() and (encode.places(lambda: ids, column) == few).all()
    with pytest.raises(pd.errors.InvalidIndexError):
        encode.places(pd.concat([ids, ids]), column)
