"""What is kept of a coded extract: its parts and facts as a plain description and flat arrays, and back again.

Core touches no files: a keeper (`store.kept`) writes description and arrays down and maps them back. The description is JSON: text, numbers, lists,
and the dataclasses named here, by their fields; nothing in it can run. What cannot be described so (a part that holds texts of its own) is not
kept, it is made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from revscore.core.facts import Codes, Dimension, Facts, Gathered, LeftOut

if TYPE_CHECKING:
    from revscore.core.coded import Coded

_MANY = 10_000  # a column with more different texts is no column of words


class Keeper(Protocol):
    """Keeps parts by name; `get` gives None for what was never kept, is damaged, or cannot be read."""

    def get(self, name: str) -> tuple[Any, Sequence[np.ndarray]] | None: ...

    def put(self, name: str, tree: Any, arrays: Sequence[np.ndarray]) -> None: ...


class Unkept(TypeError):
    """A value that has no plain description."""


@cache
def _classes() -> dict[str, type]:
    from revscore.core import clocks, deals, journeys, leads, passes, people, policies, sla

    found = (Dimension, LeftOut, Facts, leads.LeadEvents, leads.Leads, deals.OppEvents, deals.State, deals.Opportunities, people.Activities, people.Touches,
             people.People, people.Names, passes.Passes, clocks.Hours, clocks.HourTables, sla.Clocks, journeys.Journeys, policies.Attribution)
    return {one.__name__: one for one in found}


def pack(value: Any) -> tuple[Any, list[np.ndarray]]:
    """`value` as (description, arrays). Raises Unkept."""
    arrays: list[np.ndarray] = []
    seen: dict[int, int] = {}

    def array(column: np.ndarray) -> int:
        if id(column) not in seen:
            seen[id(column)] = len(arrays)
            arrays.append(column)
        return seen[id(column)]

    def tree(one: Any) -> Any:
        if isinstance(one, np.ndarray):
            if one.dtype.kind in "biuf":
                return {"array": array(one)}
            codes, words = pd.factorize(one)
            if one.dtype != object or len(words) > _MANY or (codes < 0).any() or not all(isinstance(word, str) for word in words):
                raise Unkept(f"an array of {one.dtype}")
            return {"words": list(words), "codes": array(codes.astype("int32"))}
        if isinstance(one, np.generic):
            return tree(one.item())
        if one is None or isinstance(one, (str, bool, int, float)):
            return one
        if isinstance(one, (tuple, list)):
            return {"tuple": [tree(item) for item in one]}
        if isinstance(one, Codes):
            return {"codes of": {name: tree(column) for name, column in one.made.items()}}
        if isinstance(one, (dict, Gathered)) and all(isinstance(name, str) for name in one):
            return {"dict": {name: tree(item) for name, item in one.items()}}
        if is_dataclass(one) and _classes().get(type(one).__name__) is type(one):
            return {"class": type(one).__name__, "fields": {f.name: tree(getattr(one, f.name)) for f in fields(one) if f.init}}
        raise Unkept(f"a value of type {type(one).__name__}")

    return tree(value), arrays


def unpack(described: Any, arrays: Sequence[np.ndarray], x: Coded) -> Any:
    """The value again, on `arrays`; shared dimension codes are those of `x`. Raises LookupError, TypeError or ValueError for what `pack` did not write."""
    def value(one: Any) -> Any:
        if not isinstance(one, dict):
            return one
        if "array" in one:
            return arrays[one["array"]]
        if "words" in one:
            return np.array(one["words"], dtype=object)[arrays[one["codes"]]] if one["words"] else np.zeros(0, dtype=object)
        if "tuple" in one:
            return tuple(value(item) for item in one["tuple"])
        if "dict" in one:
            return {name: value(item) for name, item in one["dict"].items()}
        made = {name: value(item) for name, item in one["fields"].items() if not (isinstance(item, dict) and "codes of" in item)}
        if one["class"] == "Names":
            return _classes()["Names"](x.data)
        if one["class"] == "Facts":
            own = {name: value(item) for name, item in one["fields"]["codes"]["codes of"].items()}
            made["codes"] = Codes(x.codes[made["entity"]], made["record"], own)
        return _classes()[one["class"]](**made)

    return value(described)
