"""An extract with tables of its own beside one that is encoded already: what the team decided is added without encoding anything anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from revscore.core.coded import Coded
from revscore.core.data import Shelf
from revscore.core.entities import ENTITIES
from revscore.core.facts import Facts
from revscore.core.journeys import Journeys
from revscore.core.metric import Metric
from revscore.core.view import Where

_BY_ENTITY = ("ids", "entity", "texts", "records")  # parts that belong to one entity: (what, entity)


class Beside(Coded):
    """`base` with other `tables`, which nothing but facts of their own is made from (decisions, actions). `log`: the entry that they end with."""

    def __init__(self, base: Coded, tables: Mapping[str, pd.DataFrame], log: int) -> None:
        self._base, self._own = base, frozenset(tables)
        held = base.data.tables
        columns = {name: _columns(held, name) for name in held} | {name: tuple(frame.columns) for name, frame in tables.items()}

        def read(name: str, wanted: Collection[str] | None) -> pd.DataFrame:
            return held[name] if wanted is None or not isinstance(held, Shelf) else held.some(name, tuple(wanted))

        def pieces(name: str, wanted: tuple[str, ...]) -> Any:
            return held.pieces(name, wanted) if isinstance(held, Shelf) else iter((held[name],))

        shelf = Shelf(columns, read, tables, base.data.release, pieces)
        super().__init__(replace(base.data, tables=shelf, stand=replace(base.data.stand, log=log)), base.terms)
        self._lock = base._lock  # one lock for both: what either makes may ask the other

    leads = property(lambda self: self._base.leads)
    opps = property(lambda self: self._base.opps)
    people = property(lambda self: self._base.people)
    passes = property(lambda self: self._base.passes)
    clocks = property(lambda self: self._base.clocks)
    dims = property(lambda self: self._base.dims)
    codes = property(lambda self: self._base.codes)
    lead_index = property(lambda self: self._base.lead_index)
    opp_index = property(lambda self: self._base.opp_index)
    missing_rates = property(lambda self: self._base.missing_rates)

    def journeys(self, mode: str = "") -> Journeys:
        return self._base.journeys(mode)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        of_entity = isinstance(key, tuple) and key[0] in _BY_ENTITY and ENTITIES[key[1]].table in self._own
        return super().once(key, make) if of_entity or key == "frames of studies" else self._base.once(key, make)

    def facts(self, card: Metric, where: Where = (), **params: Any) -> Facts:
        reads = any(need.partition(".")[0] in self._own for need in card.needs)
        return super().facts(card, where, **params) if reads else self._base.facts(card, where, **params)


def _columns(held: Mapping[str, pd.DataFrame], name: str) -> tuple[str, ...]:
    return tuple(held.columns[name] if isinstance(held, Shelf) else held[name].columns)
