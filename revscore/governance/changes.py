"""Change requests: a definition changes because somebody proposed it with a reason, saw what it would have done, and somebody else approved it.

A request is a record of the log; approving it writes the new version of the definitions and the entry in one transaction, so that of two who
approve the same request one does, and the other is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.policies import TABLES, TermsError
from revscore.core.review import Line
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.people import LOCAL, Actor
from revscore.rhythm.actions import Incomplete
from revscore.rhythm.asks import made
from revscore.rhythm.log import DEFINITION, Record, records
from revscore.rhythm.scorecard import GROUPS
from revscore.store import Entry, Store, StoreError
from revscore.store.engine import plain

REPLAYED = 8  # periods that a change is tried on
_WHOLE = ("conversion_window_days", "stall_days")  # changed as one table of numbers
_ELSEWHERE = ("retention_period", "fiscal_445_year_starts", "reporting_consistency", "fx_mode", "fiscal_year_named_by")  # of a configuration, not of a meeting

NAMES = {
    "reporting_tz": "Reporting time zone", "corporate_currency": "Corporate currency", "fiscal_start_month": "First month of the fiscal year", "week_start": "First day of the week",
    "lead_stages": "Stages of a lead", "lead_exit_stages": "Exits of a lead", "opp_open_stages": "Open stages of an opportunity", "opp_won_stage": "Stage of a won deal",
    "opp_lost_stage": "Stage of a lost deal", "pipeline_entry_stage": "Stage from which a deal is pipeline", "pipeline_types": "Types of deals that are pipeline",
    "omitted_category": "Forecast category that is left out", "excluded_loss_reasons": "Loss reasons that are no loss", "conversion_window_days": "Conversion windows, days",
    "default_window_days": "Conversion window of all other steps, days", "stall_days": "Days after which a lead stands still", "rmst_tau_days": "Horizon of the mean time in a stage, days",
    "pacing_calendar": "Calendar of business days", "cohort_win_window_days": "Win window of a cohort, days", "benchmark_min_n": "Won deals from which an age is compared",
    "attribution.person_mode": "People of a deal", "attribution.lookback_days": "Look-back of touches, days", "attribution.lc_tolerance_minutes": "Tolerance at lead creation, minutes",
    "attribution.half_life_days": "Half-life of a touch, days", "attribution.responses_only": "Only responses are touches", "attribution.campaign_influence_days": "Influence of a campaign, days",
    "attribution.weights.u_shaped": "Weights of the U-shaped model", "attribution.weights.w_shaped": "Weights of the W-shaped model", "attribution.weights.full_path": "Weights of the full-path model",
    "hygiene.commit_category": "Forecast category of a commit", "hygiene.commit_min_stage": "First stage of a commit", "hygiene.stale_days": "Days after which a deal is stale",
    "hygiene.push_threshold": "Pushes that are too many", "placeholders": "Words that count as missing", "stats.confidence": "Confidence of intervals", "stats.min_n_show": "Least sample that is shown as a rate",
    "stats.min_n_normal": "Least sample that is normal", "stats.min_n_effect": "Least sample of an effect", "stats.spc_baseline_points": "Weeks of the control limits", "stats.spc_run_length": "Length of a run",
    "default_calendar": "Calendar of regions without one",
}


@dataclass(frozen=True)
class Change:
    """`definition`: a key of `definitions()`; `old` and `new`: its value then, and as proposed. `metric`: the number that it is made for. `training`: the day on
    which those who work by it were told. `terms`: the version of the definitions that it became. `version`: what a change of the request must name."""

    id: str
    definition: str = ""
    old: Any = None
    new: Any = None
    metric: str = ""
    why: str = ""
    status: Literal["proposed", "approved", "rejected", "withdrawn"] = "proposed"
    answer: str = ""
    training: str = ""
    terms: int = 0
    proposed_by: str = ""
    proposed_at: pd.Timestamp = pd.NaT
    settled_by: str = ""
    settled_at: pd.Timestamp = pd.NaT
    version: int = 0
    history: tuple[Entry, ...] = ()

    @property
    def name(self) -> str:
        return called(self.definition)

    @property
    def lacks(self) -> tuple[str, ...]:
        found = ["a definition"] * (not self.definition) + ["a new value"] * (self.new is None or plain(self.new) == plain(self.old))
        return (*found, *["the number that it is made for"] * (not self.metric), *["the reason"] * (not self.why.strip()))


def called(key: str) -> str:
    """A definition by its name."""
    return NAMES.get(key, key.replace("_", " "))


def definitions(config: Mapping[str, Any]) -> dict[str, Any]:
    """Key → value of every definition of a whole config (`Terms.to_config`) that a request can change: numbers, words, lists of words, tables of numbers."""
    out: dict[str, Any] = {}
    for key, value in config.items():
        if key in _ELSEWHERE:
            continue
        if key in _WHOLE or not isinstance(value, Mapping):
            out[key] = value
            continue
        for inner, one in value.items():
            out |= {f"{key}.{inner}.{name}": weights for name, weights in one.items()} if isinstance(one, Mapping) else {f"{key}.{inner}": one}
    return plain(out)


def with_definition(config: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """`config` with one definition changed."""
    first, _, rest = key.partition(".")
    return {**config, first: with_definition(config[first], rest, value) if rest else value}


def existing(x: Coded, key: str) -> tuple[str, ...]:
    """The words that a definition may be, of a definition that names what is there; () of any other, and where the extract does not tell."""
    terms, tables = x.terms, ("opportunities", "campaigns", "arr_ledger")
    if key in ("pipeline_entry_stage", "hygiene.commit_min_stage"):
        return terms.opp_open_stages
    if key in ("pacing_calendar", "default_calendar"):  # of an extract without calendars every one is the same: the one in force
        return tuple(sorted({one.calendar_id for one in terms.business_calendars})) or (definitions(terms.to_config())[key],)
    if key == "corporate_currency":
        used = {str(one) for name in tables if x.data.has(f"{name}.currency") for one in x.data.table(name)["currency"].dropna().unique()}
        return tuple(sorted((used | {one.currency for one in terms.fx_rates} | {terms.corporate_currency}) - {""}))
    if key == "hygiene.commit_category" and x.data.has("opp_history.forecast_category"):
        return tuple(sorted({str(one) for one in x.data.table("opp_history")["forecast_category"].dropna().unique()} - {""}))
    return ()


def _fits(x: Coded, key: str, value: Any) -> None:
    """Raises Incomplete where a definition would name what is not there."""
    there = existing(x, key)
    if there and value not in there:
        raise Incomplete(f"There is no “{value}” here. {called(key)} is {units.listed(there, 'or')}.")


def usable(config: Mapping[str, Any]) -> Terms:
    """The Terms of a config. Raises Incomplete, with the sentence of the definitions, where they would not fit together."""
    try:
        return Terms.from_config(config)
    except TermsError as error:
        raise Incomplete(f"The definitions would not fit together: {error}.") from error


def changes(store: Store, dataset: str) -> tuple[Change, ...]:
    """All of them, oldest first."""
    return of_entries(store.entries(dataset, DEFINITION))


def of_entries(entries: Iterable[Entry]) -> tuple[Change, ...]:
    return tuple(_change(one) for one in records(entries))


def propose(store: Store, dataset: str, change: Change, by: Actor, x: Coded | None = None) -> Change:
    """Ask for a change. `old` is taken from the definitions in force; `x`: the extract that it was tried on. Raises Incomplete with what it lacks, where it names what
    that extract does not have, or where the definitions would not fit together."""
    by.demand("definition.propose")
    config = _in_force(store.terms(dataset)[0])
    change = replace(change, old=definitions(config).get(change.definition))
    if change.lacks:
        raise Incomplete(f"The change lacks {units.listed(change.lacks)}.")
    if x is not None:
        _fits(x, change.definition, change.new)
    usable(with_definition(config, change.definition, change.new))
    fields = {"definition": change.definition, "old": change.old, "new": change.new, "metric": change.metric, "why": change.why.strip(), "status": "proposed"}
    store.append(dataset, Entry(DEFINITION, change.id, "proposed", fields, by.name, 1))
    return _now(store, dataset, change.id)


def approve(store: Store, dataset: str, change: Change, by: Actor, answer: str = "") -> Change:
    """Let it hold from now on. Raises StoreError where it is settled already, where the definition has changed since it was proposed, or where who asks for
    a change would approve it."""
    by.demand("definition.approve")
    with store.together() as one:
        stands = _waiting(one.entries(dataset, DEFINITION, change.id))
        if stands.proposed_by == by.name and by != LOCAL:  # who works alone has nobody else to ask
            raise StoreError(f"{by.name} has proposed this change, so somebody else has to approve it.")
        config = _in_force(one.terms(dataset)[0])
        there = definitions(config).get(stands.definition)
        if plain(there) != plain(stands.old):
            raise StoreError(f"{stands.name} was changed after this was proposed (it is {written(there)} now); look at it as it is, then propose it anew.")
        new = with_definition(config, stands.definition, stands.new)
        usable(new)
        version = one.save_terms(dataset, new, by.name, f"{stands.name}: {stands.why}")
        one.append(dataset, Entry(DEFINITION, stands.id, "approved", {"status": "approved", "answer": answer, "terms": version}, by.name, stands.version + 1))
    return _now(store, dataset, change.id)


def reject(store: Store, dataset: str, change: Change, by: Actor, answer: str) -> Change:
    """Leave the definition as it is. Raises Incomplete without a reason."""
    by.demand("definition.approve")
    return _settle(store, dataset, change, by, "rejected", answer)


def withdraw(store: Store, dataset: str, change: Change, by: Actor, answer: str) -> Change:
    """Take one's own request back; that of another is rejected by who may. Raises Incomplete without a reason, StoreError for the request of another."""
    by.demand("definition.propose")
    if (asked := _now(store, dataset, change.id).proposed_by) != by.name:
        raise StoreError(f"{asked} has proposed this change, and takes it back; who may approve it can reject it.")
    return _settle(store, dataset, change, by, "withdrawn", answer)


def trained(store: Store, dataset: str, change: Change, by: Actor, day: str) -> Change:
    """Write down the day (ISO) on which those who work by an approved change were told."""
    by.demand("definition.train")
    stands = _now(store, dataset, change.id)
    if stands.status != "approved":
        raise StoreError("Only who works by an approved change can be told of it.")
    store.append(dataset, Entry(DEFINITION, change.id, "trained", {"training": day}, by.name, stands.version + 1))
    return _now(store, dataset, change.id)


@dataclass(frozen=True)
class Effect:
    """What a change does to one number: `before` and `after` of the period, and of the periods before it (start, period, before, after), the latest last."""

    before: Line
    after: Line
    periods: pd.DataFrame

    @property
    def moves(self) -> bool:
        pairs = [(self.before.value, self.after.value), *self.periods[["before", "after"]].itertuples(index=False)]
        return any(not np.isclose(one, other, rtol=1e-12, atol=0, equal_nan=True) for one, other in pairs)


def tried(x: Coded, view: View, definition: str, new: str) -> tuple[Effect, ...]:
    """What `definition` with the value `new` (as JSON) would have done to the numbers of the scorecard, over the last periods: those that change. Raises Incomplete
    where it would name what is not there, or where the definitions would not fit together."""
    value = json.loads(new)
    _fits(x, definition, value)
    terms = usable(with_definition(x.terms.to_config(), definition, value))
    other = Coded(x.data, replace(terms, **{name: getattr(x.terms, name) for name in TABLES}))
    asks = tuple(one for _, _, some in GROUPS for one in some)
    found = (Effect(before, after, _periods(before, after)) for before, after in zip(made(x, view, asks), made(other, view, asks), strict=True))
    return tuple(one for one in found if one.moves)


def written(value: Any) -> str:
    """A value of a definition in words."""
    if isinstance(value, Mapping):
        return "; ".join(f"{' → '.join(map(units.word, str(name).split('->')))} {written(one)}" for name, one in value.items()) or "nothing"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(units.word, map(str, value))) or "nothing"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "nothing" if value is None or value == "" else f"{value:g}" if isinstance(value, (int, float)) else str(value)


# -- records -------------------------------------------------------------------------------------------------------------------------------

def _in_force(config: Mapping[str, Any]) -> dict[str, Any]:
    """The whole config: what was never saved at its default."""
    return Terms.from_config(config).to_config()


def _waiting(entries: Iterable[Entry]) -> Change:
    """The request of these entries. Raises StoreError when it does not wait for an answer any more."""
    stands = next(iter(of_entries(entries)), None)
    if stands is None:
        raise StoreError("There is no such request.")
    if stands.status != "proposed":
        raise StoreError(f"“{stands.name}” was {stands.status} already, by {stands.settled_by} at {stands.settled_at:%H:%M UTC on %d %b %Y}.")
    return stands


def _settle(store: Store, dataset: str, change: Change, by: Actor, status: str, answer: str) -> Change:
    if not answer.strip():
        raise Incomplete(f"Say why it is {status}.")
    with store.together() as one:
        stands = _waiting(one.entries(dataset, DEFINITION, change.id))
        one.append(dataset, Entry(DEFINITION, stands.id, status, {"status": status, "answer": answer.strip()}, by.name, stands.version + 1))
    return _now(store, dataset, change.id)


def _now(store: Store, dataset: str, id_: str) -> Change:
    found = of_entries(store.entries(dataset, DEFINITION, id_))
    if not found:
        raise StoreError("There is no such request.")
    return found[0]


def _change(record: Record) -> Change:
    fields, (settled_by, settled_at) = record.fields, record.told("approved", "rejected", "withdrawn")
    named = {name: fields[name] for name in ("definition", "old", "new", "metric", "why", "status", "answer", "training", "terms") if name in fields}
    return Change(record.id, **named, proposed_by=record.raised_by, proposed_at=record.raised_at, settled_by=settled_by, settled_at=settled_at,
                  version=record.version, history=record.entries)


def _periods(before: Line, after: Line) -> pd.DataFrame:
    """start, period (its name), before, after of the last periods that either of the lines has, the latest last."""
    columns = [line.series.set_index(["start", "end", "period"])["value"] if len(line.series) else pd.Series(dtype="float64", index=pd.MultiIndex.from_arrays([[], [], []], names=["start", "end", "period"]))
               for line in (before, after)]
    found = pd.concat(columns, axis=1, keys=["before", "after"]).reset_index().sort_values("start").tail(REPLAYED)
    return found.assign(period=[Period(*row).name for row in found[["start", "end", "period"]].itertuples(index=False)])[["start", "period", "before", "after"]].reset_index(drop=True)
