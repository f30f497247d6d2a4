"""Coded: the extract with its strings encoded once: ids as positions, words as small codes, instants as integers.

Everything the metrics share lives here or in the modules it gathers: leads and the stages they reached (`leads`), opportunities and their
states (`deals`), people with their activities and touches (`people`). Built once per load and definitions, read-only ever after, shared by
all sessions; parts are made when first asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor, Future
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY, local_day, local_days
from revscore.core.data import CrmData
from revscore.core.entities import ENTITIES, SHARED, Texts
from revscore.core.encode import places
from revscore.core.facts import Codes, Dimension, Facts, Recent, by_day, cut, dense
from revscore.core.kept import Keeper, Unkept, pack, unpack
from revscore.core.terms import Terms
from revscore.core.view import DIMENSIONS, Where

if TYPE_CHECKING:
    from revscore.core.deals import Opportunities
    from revscore.core.journeys import Journeys
    from revscore.core.leads import Leads
    from revscore.core.metric import Metric
    from revscore.core.people import People
    from revscore.core.passes import Passes
    from revscore.core.sla import Clocks

KEPT_FACTS = 128  # facts of one metric under one set of parameters; the least recently used make room
KEPT_ROWS = 1 << 21  # so many rows of a card that is asked for free times and chosen values: many different ones, quickly made


class Coded:
    """The coded extract: `Coded(data, terms)`. `terms` should already hold the tables of terms that the extract brought; `pool` is of threads, for what
    can be encoded beside something else (see `begin`)."""

    def __init__(self, data: CrmData, terms: Terms, keeper: Keeper | None = None, pool: Executor | None = None) -> None:
        self.data, self.terms, self._keeper, self._pool = data, terms, keeper, pool
        self._begun: dict[Hashable, Future[Any]] = {}
        self.as_of = int(data.as_of.asm8.astype("datetime64[us]").astype("int64"))
        self.as_of_day = self.day(self.as_of)
        self._facts, self._free = Recent(KEPT_FACTS), Recent(KEPT_FACTS, KEPT_ROWS)
        self._parts: dict[Hashable, Any] = {}
        self._lock = threading.RLock()

    # -- parts -------------------------------------------------------------------------------------------------------------------------

    @cached_property
    def leads(self) -> Leads:
        from revscore.core.leads import encode_leads

        return self._kept("leads", lambda: encode_leads(self))

    @cached_property
    def opps(self) -> Opportunities:
        from revscore.core.deals import encode_opportunities

        return self._kept("opps", lambda: encode_opportunities(self))

    @cached_property
    def people(self) -> People:
        from revscore.core.people import encode_people

        return self._kept("people", lambda: encode_people(self))

    @cached_property
    def passes(self) -> Passes:
        from revscore.core.passes import encode_passes

        return self._kept("passes", lambda: encode_passes(self))

    @cached_property
    def clocks(self) -> Clocks:
        from revscore.core.sla import encode_clocks

        return self._kept("clocks", lambda: encode_clocks(self))

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What the keeper has under `name`; where it has nothing, what `make` gives, which it then keeps and gives back (mapped, not held)."""
        if self._keeper is None:
            made = make()
            self.data.release()
            return made
        with self._lock:
            found = self._restored(name)
            if found is None:
                found = make()
                try:
                    self._keeper.put(name, *pack(found))
                except Unkept:
                    return found
                found = self._restored(name) or found
                self.data.release()
            return found

    def _restored(self, name: str) -> Any | None:
        found = self._keeper.get(name) if self._keeper else None
        try:
            return None if found is None else unpack(*found, self)
        except (LookupError, TypeError, ValueError):
            return None

    @property
    def lead_ids(self) -> pd.Series:
        return self.data.read("leads", "lead_id")["lead_id"]

    @property
    def opp_ids(self) -> pd.Series:
        return self.data.read("opportunities", "opp_id")["opp_id"]

    @cached_property
    def lead_index(self) -> pd.Index:
        return pd.Index(self.lead_ids)

    @cached_property
    def opp_index(self) -> pd.Index:
        return pd.Index(self.opp_ids)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives, made at the first call with `key` and remembered: parts that several metrics share."""
        with self._lock:
            if key not in self._parts:
                self._parts[key] = make()
            return self._parts[key]

    def begin(self, key: Hashable, make: Callable[[], Any]) -> None:
        """Make, in another thread, what `begun` will ask for. `make` only reads the extract and the definitions: a part would wait for whom it is made for."""
        if self._pool is not None and not any(key in made for made in (self._begun, self._parts, vars(self))):
            self._begun[key] = self._pool.submit(make)

    def begun(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was begun under `key`, once; where nothing was, or its turn has not come yet, what `make` gives."""
        task = self._begun.pop(key, None)
        return make() if task is None or task.cancel() else task.result()

    def journeys(self, mode: str = "") -> Journeys:
        """Journeys of the deals under a person mode: explicit, account or hybrid ("" = the one that the terms name)."""
        from revscore.core.journeys import build_journeys

        mode = mode or self.terms.attribution.person_mode
        return self.once(("journeys", mode), lambda: self._kept(f"journeys-{mode}", lambda: build_journeys(self, mode)))

    def days(self, at: np.ndarray) -> np.ndarray:
        """Local day numbers of instants, in the reporting zone."""
        return local_days(at, self.terms.reporting_tz)

    def day(self, at: int) -> int:
        """Local day number of one instant, in the reporting zone."""
        return local_day(at, self.terms.reporting_tz)

    # -- dimensions --------------------------------------------------------------------------------------------------------------------

    @cached_property
    def dims(self) -> dict[str, Dimension]:
        """The shared dimensions; one code means the same in every entity."""
        return self._kept("dims", self._dims)

    def _dims(self) -> dict[str, Dimension]:
        names = {"owner": _names(self.data.table("users"), "user_id"), "campaign": _names(self.data.table("campaigns"), "campaign_id")}
        out = {}
        for name in DIMENSIONS:
            columns = [texts[name] for texts in map(self._texts, SHARED) if name in texts]
            values = tuple(sorted({str(v) for column in columns for v in column.dropna().unique()} - {""}))
            labels = pd.Series(values, dtype="str").map(names[name]).astype("str").fillna(pd.Series(values, dtype="str")) if name in names else pd.Series(values, dtype="str")
            twice = labels.duplicated(keep=False)
            labels = labels.where(~twice, labels + " (" + pd.Series(values, dtype="str") + ")")
            out[name] = Dimension(name, ("", *values), ("(missing)", *labels.tolist()))
        return out

    def _texts(self, entity: str) -> Texts:
        """The text of every shared dimension of an entity, one value a record."""
        return self.once(("texts", entity), lambda: ENTITIES[entity].columns(self))

    @cached_property
    def codes(self) -> Mapping[str, dict[str, np.ndarray]]:
        """entity -> dimension -> code of every record; an entity is encoded when it is first asked for."""
        return _Codes(self)

    @staticmethod
    def encode(column: pd.Series, dimension: Dimension) -> np.ndarray:
        """Codes of a text column; what the dimension does not know becomes 0, "missing"."""
        return dense(places(pd.Series(dimension.values[1:], dtype="str"), pd.Series(column)) + 1, len(dimension))

    def codes_of(self, entity: str, record: np.ndarray) -> dict[str, np.ndarray]:
        """The shared dimension codes of `record` positions."""
        return {name: column[record] for name, column in self.codes[entity].items()}

    # -- facts -------------------------------------------------------------------------------------------------------------------------

    def facts(self, card: Metric, where: Where = (), **params: Any) -> Facts:
        """The facts of a card under its parameters, made once and remembered. `where`: the values that the question chooses; a card that can makes
        only the facts of such records, unless all are there. The same facts, fewer of them: the question still has to select.
        """
        key = (card.id, *sorted(params.items()))
        with self._lock:
            if not params:
                return self._facts(key, lambda: self._kept(f"facts-{card.id}", lambda: card.build(self)))
            known = self._free if card.narrows else self._facts
            if where and card.narrows and key not in known:
                key, params = (*key, where), {**params, "where": where}
            return known(key, lambda: card.build(self, **params))

    def make_facts(self, entity: str, record: np.ndarray, day: np.ndarray, values: Mapping[str, np.ndarray], *,
                   own: dict[str, tuple[np.ndarray, Dimension]] | None = None, **rest: Any) -> Facts:
        """Facts in date order, with the shared dimensions of their records and the metric's `own` (codes, dimension)."""
        order = by_day(np.asarray(day))
        record, day = np.asarray(record)[order].astype("int32", copy=False), np.asarray(day)[order].astype("int32", copy=False)
        codes, dimensions = {}, {}
        for name, (own_codes, dimension) in (own or {}).items():
            codes[name], dimensions[name] = dense(np.asarray(own_codes)[order], len(dimension)), dimension
        why = rest.pop("why", None)
        detail = cut(rest.pop("detail", {}), order)
        return Facts(entity, record, day, cut(values, order), Codes(self.codes[entity], record, codes), dimensions,
                     None if why is None else np.asarray(why)[order].astype("uint8"), detail=detail, **rest)

    def ids(self, entity: str) -> np.ndarray:
        """Record ids of an entity, by position."""
        return self.once(("ids", entity), lambda: ENTITIES[entity].ids(self))

    @cached_property
    def missing_rates(self) -> tuple[str, ...]:
        """Currencies in which there is money but no corporate rate: their amounts are missing, never 1 : 1 (METRICS 17)."""
        frames = [self.data.table(name)["currency"] for name in ("opportunities", "campaigns", "arr_ledger") if self.data.has(f"{name}.currency")]
        seen = {str(c) for column in frames for c in column.dropna().unique()} - {"", self.terms.corporate_currency}
        return tuple(sorted(seen - {rate.currency for rate in self.terms.fx_rates if rate.kind == "corporate" and rate.start <= self.as_of_day}))

    def corporate_rate(self, currency: pd.Series) -> np.ndarray:
        """Corporate units per unit of each currency: the latest corporate rate valid at as-of; 1 for the corporate currency and for none."""
        rates = {rate.currency: rate.rate for rate in sorted(self.terms.fx_rates, key=lambda r: r.start)
                 if rate.kind == "corporate" and rate.start <= self.as_of_day}
        rates.setdefault(self.terms.corporate_currency, 1.0)
        return currency.fillna(self.terms.corporate_currency).replace("", self.terms.corporate_currency).map(rates).to_numpy(dtype=float)

    def dated_rate(self, currency: pd.Series, day: np.ndarray) -> np.ndarray:
        """Corporate units per unit at each day, by the dated rates; the corporate currency is 1, no dated rate falls back to the corporate one."""
        out = self.corporate_rate(currency).copy()
        for name in currency.dropna().unique():
            steps = sorted((rate.start, rate.rate) for rate in self.terms.fx_rates if rate.kind == "dated" and rate.currency == name)
            if steps:
                rows = (currency == name).to_numpy() & (day != NO_DAY)
                place = np.searchsorted([start for start, _ in steps], day[rows], side="right") - 1
                out[rows] = np.where(place >= 0, np.array([rate for _, rate in steps])[np.maximum(place, 0)], out[rows])
        return out


class _Codes(dict[str, dict[str, np.ndarray]]):
    """Codes by entity, made when first asked for."""

    def __init__(self, x: Coded) -> None:
        self.x = x

    def __missing__(self, entity: str) -> dict[str, np.ndarray]:
        made = self[entity] = self.x._kept(f"codes-{entity}", lambda: {name: self.x.encode(column, self.x.dims[name]) for name, column in self.x._texts(entity).items()})
        self.x._parts.pop(("texts", entity), None)  # text is needed no more
        return made


def _names(frame: pd.DataFrame, key: str) -> pd.Series:
    return frame.dropna(subset=[key]).drop_duplicates(key).set_index(key)["name"]
