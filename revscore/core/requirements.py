"""Required fields, coded: which cells of which records must be filled, and which are (METRICS 10).

A value is missing when it is null, blank or a placeholder of the terms, whatever its case. A field that the extract does not bring is not
judged: it is named in `unknown` instead of counting as empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revscore.core.calendars import NEVER, NO_DAY

if TYPE_CHECKING:
    from revscore.core.coded import Coded

EXIT = "exit"  # the stage word of fields that a lead needs once it is recycled or disqualified


@dataclass(frozen=True)
class Cells:
    """One row per record and required field of a stage that it has reached, in the order of the table of required fields."""

    record: np.ndarray
    stage: np.ndarray  # index into `stages`
    field: np.ndarray  # index into `fields`
    filled: np.ndarray
    stages: tuple[str, ...]
    fields: tuple[str, ...]
    unknown: tuple[str, ...]

    def incomplete(self, n: int) -> np.ndarray:
        """By record position: at least one required cell is missing."""
        out = np.zeros(n, dtype=bool)
        out[self.record[~self.filled]] = True
        return out


def is_missing(x: Coded, column: pd.Series) -> np.ndarray:
    """Where a column has no value: null, blank or a placeholder."""
    if column.dtype != "str" and column.dtype != object:
        return column.isna().to_numpy(dtype=bool)
    code, values = pd.factorize(column, use_na_sentinel=False)
    words = pd.Series(values, dtype="str").fillna("").str.strip().str.casefold()
    return words.isin({"", *(word.strip().casefold() for word in x.terms.placeholders)}).to_numpy(dtype=bool)[code]


def furthest_stage(x: Coded) -> np.ndarray:
    """By lead: the furthest stage that it reached, -1 without any."""
    reached = x.leads.reached != NEVER
    return np.where(reached, np.arange(len(reached))[:, None], -1).max(axis=0, initial=-1)


def lead_cells(x: Coded) -> Cells:
    """Cells of the F0 leads: fields of every stage up to the furthest that was reached, and of the exit while the lead stands in one."""
    def make() -> Cells:
        leads, stages, furthest = x.leads, x.terms.lead_stages, furthest_stage(x)
        reach: dict[str, Callable[[], np.ndarray]] = {name: (lambda rank=rank: furthest >= rank) for rank, name in enumerate(stages)}
        gone = ~leads.taken_up  # a lead that was taken up straight after an exit stands in none
        reach |= {name: (lambda rank=rank: gone & (leads.status == rank)) for rank, name in enumerate(x.terms.lead_exit_stages, start=len(stages))}
        reach[EXIT] = lambda: gone & (leads.status >= len(stages))
        return _cells(x, "lead", leads.in_f0, reach, _lead_field)

    return x.once(("cells", "lead"), make)


def deal_cells(x: Coded) -> Cells:
    """Cells of the O0 deals: fields of every open stage up to the highest that was reached, and of Closed Won or Closed Lost while it is."""
    def make() -> Cells:
        opps, terms = x.opps, x.terms
        furthest = np.full(opps.n, -1, dtype="int64")
        rows = opps.is_open(opps.events.rank)
        np.maximum.at(furthest, opps.events.opp[rows], opps.events.rank[rows])
        reach: dict[str, Callable[[], np.ndarray]] = {name: (lambda rank=rank: furthest >= rank) for rank, name in enumerate(terms.opp_open_stages)}
        reach |= {terms.opp_won_stage: lambda: opps.won, terms.opp_lost_stage: lambda: opps.lost}
        return _cells(x, "opportunity", opps.in_o0, reach, _deal_field)

    return x.once(("cells", "opportunity"), make)


def _cells(x: Coded, kind: str, population: np.ndarray, reach: dict[str, Callable[[], np.ndarray]],
           missing: Callable[[Coded, str], np.ndarray | None]) -> Cells:
    wanted = [(stage, field) for what, stage, field in dict.fromkeys(x.terms.required_fields) if what == kind and stage in reach]
    absent = {field: missing(x, field) for _, field in wanted}
    stages, fields = tuple(dict.fromkeys(stage for stage, _ in wanted)), tuple(dict.fromkeys(field for _, field in wanted if absent[field] is not None))
    parts = []
    for stage, field in wanted:
        if (empty := absent[field]) is not None:
            record = np.flatnonzero(population & reach[stage]())
            parts.append((record, np.full(len(record), stages.index(stage)), np.full(len(record), fields.index(field)), ~empty[record]))
    record, stage, field, filled = (np.concatenate([part[k] for part in parts]) if parts else np.zeros(0, dtype="int64") for k in range(4))
    return Cells(record, stage, field, filled.astype(bool), stages, fields, tuple(sorted(field for field, empty in absent.items() if empty is None)))


def _lead_field(x: Coded, field: str) -> np.ndarray | None:
    """Where a field of leads is missing; None when the extract does not bring it. `reason` is that of the last event."""
    leads = x.leads
    if field == "reason":
        if not x.data.has("lead_stage_history.reason"):
            return None
        reason = np.append(leads.events.reason, "")[leads.last_event] if leads.n else np.zeros(0, dtype=object)
        return is_missing(x, pd.Series(reason, dtype="str"))
    if not x.data.has(f"leads.{field}"):
        return None
    return leads.converted == NEVER if field == "converted_at" else is_missing(x, x.data.table("leads")[field])


def _deal_field(x: Coded, field: str) -> np.ndarray | None:
    """Where a field of deals is missing; None when the extract does not bring it. Amount, close date and category are those of the current state."""
    opps, now = x.opps, x.opps.now
    if field == "primary_contact":
        return ~has_role(x, primary=True) if x.data.has("opp_contact_roles.is_primary") else None
    if field in ("amount", "close_date", "forecast_category"):
        if not x.data.has(f"opp_history.{field}"):
            return None
        if field == "close_date":
            return now.close_day == NO_DAY
        if field == "amount":
            return np.append(opps.events.amount_missing, True)[now.event]
        category = np.append(opps.events.category, 0)[now.event]
        return is_missing(x, pd.Series(opps.categories, dtype="str"))[category]
    return is_missing(x, x.data.table("opportunities")[field]) if x.data.has(f"opportunities.{field}") else None


def has_role(x: Coded, primary: bool = False) -> np.ndarray:
    """By deal: it has a contact role (a primary one)."""
    roles = x.data.table("opp_contact_roles")
    there = roles["is_primary"].fillna(False).to_numpy(dtype=bool) if primary else np.ones(len(roles), dtype=bool)
    place = x.opp_index.get_indexer(roles["opp_id"][there])
    out = np.zeros(x.opps.n, dtype=bool)
    out[place[place >= 0]] = True
    return out
