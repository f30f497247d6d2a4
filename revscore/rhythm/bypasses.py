"""Records that went round the rules: rules of a tool bind its forms, not its imports, workflows, interfaces and administrators.

Moves between stages are read from the facts of the metrics that count them; what no metric counts is found here, on the coded extract. Clean
records give nothing. A closing whose close date is its own day is what tools write by themselves and is no finding; an open deal whose close
date is set to the day of the edit is: nobody can mean to close what stays open.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import DAY_US, NEVER, NO_DAY, date_of
from revscore.core.coded import Coded
from revscore.core.facts import firsts_of
from revscore.core.metrics import CARDS
from revscore.core.metrics.common import listed_flags
from revscore.core.metrics.forecast import RULES
from revscore.core.metrics.quality import leads_at_work
from revscore.core.requirements import is_missing
from revscore.rhythm.irregular import Found, deal_since, flagged, lead_since, plain

BULK = 10  # so many records changed within one second are no work of a hand
_DATED = 0.5  # with so large a share of changes at midnight the extract's times are dates
_LEADS, _DEALS = ("lead_stage_history!", "lead_stage_history.entered_at!"), ("opp_history!", "opp_history.changed_at!")
_OF_LEADS, _OF_DEALS = "funnel.movement", "opp.movement"


def _can(x: Coded, needs: tuple[str, ...]) -> bool:
    return not x.data.missing(needs)


_EITHER: dict[str, tuple[tuple[str, ...], ...]] = {  # kinds that judge leads or deals, whichever the extract has
    "skipped": (CARDS[_OF_LEADS].needs, CARDS[_OF_DEALS].needs), "moved_back": (CARDS[_OF_LEADS].needs, CARDS[_OF_DEALS].needs),
    "missing_required": (CARDS["dq.complete_leads"].needs, CARDS["dq.complete_deals"].needs), "closed_no_reason": (("lead_stage_history.reason",), ("opp_history.stage", "opportunities.loss_reason")),
    "bulk_edit": (_LEADS, _DEALS), "out_of_order": (_LEADS, _DEALS),
}


def needs_of(x: Coded, kind: str) -> tuple[str, ...]:
    """What a kind needs that judges leads or deals: nothing more where one of the two is there; () for other kinds."""
    ways = _EITHER.get(kind, ())
    return () if not ways or any(_can(x, way) for way in ways) else ways[1]


def unjudged(x: Coded, kind: str) -> str:
    """Why a kind cannot be judged although the tables are there; "" when it can."""
    if kind == "bulk_edit" and not any(_can(x, needs) and not _dates_only(x, at) for needs, at in ((_LEADS, x.leads.events.at), (_DEALS, x.opps.events.at))):
        return "The times in this extract are dates without a time of day, so nobody can tell which edits were made at once."
    return ""


def _dates_only(x: Coded, at: np.ndarray) -> bool:
    if not len(at):
        return False
    local = pd.DatetimeIndex(at.astype("datetime64[us]"), tz="UTC").tz_convert(x.terms.reporting_tz).tz_localize(None).as_unit("us").asi8
    return max(float((at % DAY_US == 0).mean()), float((local % DAY_US == 0).mean())) > _DATED


# -- moves ---------------------------------------------------------------------------------------------------------------------------------

def skipped(x: Coded) -> list[Found]:
    """Stages reached by skipping them, one case a record and moment, with the stages that it left out."""
    found = []
    for card, entity, at in ((_OF_LEADS, "lead", "at"), (_OF_DEALS, "opp", "moved_at")):
        if _can(x, CARDS[card].needs):
            facts = x.facts(CARDS[card])
            rows = np.flatnonzero(facts.codes["move"] == 1)
            record, when, stage = facts.record[rows].astype("int64"), facts.detail[at][rows], facts.codes["stage"][rows].astype("int64")
            order = np.lexsort((stage, when, record))
            record, when, stage = record[order], when[order], stage[order]
            start = firsts_of(record, when)
            case = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(record))))
            names = tuple(units.stage(name) for name in facts.own["stage"].values[1:])
            flags = np.zeros((len(names), len(start)), dtype=bool)
            flags[stage - 1, case] = True
            found.append(Found(entity, record[start], when[start], listed_flags(flags, names) if len(start) else plain(0)))
    return found


def moved_back(x: Coded) -> list[Found]:
    """Events back to a lower stage, and deals that were closed and are open again."""
    found = []
    for card, entity, at, moves in ((_OF_LEADS, "lead", "at", {2: "back to "}), (_OF_DEALS, "opp", "moved_at", {2: "back to ", 3: "re-opened at "})):
        if _can(x, CARDS[card].needs):
            facts = x.facts(CARDS[card])
            rows = np.flatnonzero(np.isin(facts.codes["move"], list(moves)))
            words = np.array([moves.get(code, "") for code in range(8)], dtype=object)[facts.codes["move"][rows]]
            stages = np.array([units.stage(name) for name in facts.own["stage"].values], dtype=object)[facts.codes["stage"][rows]]
            found.append(Found(entity, facts.record[rows].astype("int64"), facts.detail[at][rows], words + stages))
    return found


# -- closings and amounts ------------------------------------------------------------------------------------------------------------------

def without_reason(x: Coded) -> list[Found]:
    """Deals that are lost, and leads that stand in an exit, without a reason (null, blank or a placeholder)."""
    found, leads, opps = [], x.leads, x.opps
    if _can(x, _EITHER["closed_no_reason"][0]):
        lead = np.flatnonzero(leads.in_f0 & (leads.status >= len(x.terms.lead_stages)) & ~leads.taken_up)
        last = leads.last_event[lead]
        lead, last = (column[is_missing(x, pd.Series(leads.events.reason[last], dtype="str"))] for column in (lead, last))
        exits = np.array([*x.terms.lead_stages, *x.terms.lead_exit_stages], dtype=object)[leads.events.rank[last]]
        found.append(Found("lead", lead, leads.events.at[last], exits, windowed=np.ones(len(lead), dtype=bool)))
    if _can(x, _EITHER["closed_no_reason"][1]):
        deal = np.flatnonzero(opps.in_o0 & opps.lost & is_missing(x, x.data.table("opportunities")["loss_reason"]))
        found.append(Found("opp", deal, opps.closed_at[deal], np.full(len(deal), x.terms.opp_lost_stage, dtype=object), windowed=np.ones(len(deal), dtype=bool)))
    return found


def dated_today(x: Coded) -> list[Found]:
    """Edits that set the close date of a deal to the very day of the edit, while it stays open."""
    opps, events = x.opps, x.opps.events
    follows = np.append(False, events.opp[1:] == events.opp[:-1]) if len(events) else np.zeros(0, dtype=bool)
    before = np.where(follows, np.roll(events.close_day, 1), NO_DAY)
    rows = np.flatnonzero(opps.in_o0[events.opp] & opps.is_open(events.rank) & (events.close_day != NO_DAY) & (events.close_day != before) & (events.close_day == x.days(events.at)))
    what = np.where(before[rows] == NO_DAY, "set for the first time", "moved from " + pd.Series(np.where(before[rows] == NO_DAY, 0, before[rows])).map(_day).to_numpy(dtype=object)).astype(object)
    return [Found("opp", events.opp[rows].astype("int64"), events.at[rows], what)]


def _day(day: int) -> str:
    found = date_of(day)
    return f"{found.day} {found:%b %Y}"


def amount_late(x: Coded) -> list[Found]:
    """Open deals without an amount (forecast rule H2) at or beyond the stage that the terms call late, since they reached it."""
    deal, rows = flagged(x, "forecast.hygiene", RULES[1])
    stages = x.terms.opp_stages
    late = stages.index(x.terms.hygiene.commit_min_stage) if x.terms.hygiene.commit_min_stage in stages else x.opps.open_stages - 1
    deal = deal[x.opps.now.rank[deal] >= late]
    at = x.opps.reached[late, deal]
    return [Found("opp", deal, np.where(at == NEVER, deal_since(x, deal), at), np.array(stages, dtype=object)[x.opps.now.rank[deal]])]


# -- edits, owners, times ------------------------------------------------------------------------------------------------------------------

def in_bulk(x: Coded) -> list[Found]:
    """Seconds in which at least `BULK` records were changed: one case a second. Records that only begin then are an import, and no edit."""
    found = []
    for entity, noun, needs, events, key in (("lead", "leads", _LEADS, x.leads.events, "lead"), ("opp", "deals", _DEALS, x.opps.events, "opp")):
        if not _can(x, needs) or _dates_only(x, events.at):
            continue
        second, record, count, first = _stamps(getattr(events, key), events.at)
        if not len(first):
            continue
        owner = x.codes[entity]["owner"][record]
        same = np.minimum.reduceat(owner, first) == np.maximum.reduceat(owner, first)
        owners = np.where(same, owner[first], 0).astype("int64")
        when = pd.Series(second.astype("datetime64[us]")).dt.tz_localize("UTC").dt.tz_convert(x.terms.reporting_tz)
        names = (pd.Series(count).map("{:,}".format) + f" {noun} at " + when.dt.strftime("%d %b %Y %H:%M:%S").str.lstrip("0")).to_numpy(dtype=object)
        ids = (f"{entity} " + pd.Series(second // 1_000_000).astype("str")).to_numpy(dtype=object)
        found.append(Found("", np.zeros(len(first), dtype="int64"), second, pd.Series(count).map("{:,} records in one second".format).to_numpy(dtype=object),
                           ids=ids, names=names, owners=owners))
    return found


def _stamps(record: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of every second with a bulk edit: the second, and how many records; the records of all of them, and where those of each begin."""
    edits = np.flatnonzero(np.append(False, record[1:] == record[:-1])) if len(record) else np.zeros(0, dtype="int64")
    pair = np.unique(np.stack([at[edits] // 1_000_000, record[edits]]), axis=1)
    start = firsts_of(pair[0])
    count = np.diff(np.append(start, pair.shape[1]))
    many = count >= BULK
    keep = np.repeat(many, count)
    return pair[0][start[many]] * 1_000_000, pair[1][keep], count[many], np.append(0, np.cumsum(count[many])[:-1]).astype("int64") if many.any() else start[:0]


def edited(x: Coded, id_: str) -> tuple[str, np.ndarray]:
    """The records of a bulk edit by the id of its exception: entity and positions."""
    entity, _, second = id_.partition(" ")
    events = x.leads.events if entity == "lead" else x.opps.events
    record = events.lead if entity == "lead" else events.opp
    there = np.append(False, record[1:] == record[:-1]) & (events.at // 1_000_000 == int(second)) if len(record) else np.zeros(0, dtype=bool)
    return entity, np.unique(record[there]).astype("int64")


def owner_inactive(x: Coded) -> list[Found]:
    """Leads that should be worked on and open deals whose owner is no longer active, since their last change."""
    users = x.data.table("users")
    gone = x.dims["owner"].codes_of(tuple(users["user_id"][users["is_active"].eq(False).fillna(False)].dropna().tolist()))
    lead = leads_at_work(x)
    lead = lead[np.isin(x.codes["lead"]["owner"][lead], gone)]
    deal = np.flatnonzero(x.opps.in_o1 & x.opps.is_open(x.opps.now.rank))
    deal = deal[np.isin(x.codes["opp"]["owner"][deal], gone)]
    return [Found("lead", lead, lead_since(x, lead), plain(len(lead))), Found("opp", deal, deal_since(x, deal), plain(len(deal)))]


def out_of_order(x: Coded) -> list[Found]:
    """Records with a change, or a conversion, on a day before the day on which they were created."""
    leads, opps, found = x.leads, x.opps, []
    if _can(x, _LEADS):
        found.append(_before_birth(x, "lead", leads.in_f0, leads.created, leads.events.lead, leads.events.at, leads.converted))
    if _can(x, _DEALS):
        found.append(_before_birth(x, "opp", opps.in_o0, opps.created, opps.events.opp, opps.events.at, None))
    return found


def _before_birth(x: Coded, entity: str, population: np.ndarray, created: np.ndarray, record: np.ndarray, at: np.ndarray, converted: np.ndarray | None) -> Found:
    first = np.full(len(created), NEVER, dtype="int64")
    np.minimum.at(first, record, at)
    born = x.days(created)
    early = (first != NEVER) & (x.days(first) < born)
    wrong = early if converted is None else early | ((converted != NEVER) & (x.days(converted) < born))
    here = np.flatnonzero(population & (created != NEVER) & wrong)
    what = np.where(early[here], "changed before it was created", "converted before it was created").astype(object)
    return Found(entity, here, np.minimum(created[here], x.as_of), what)
