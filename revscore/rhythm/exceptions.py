"""Exceptions: records that somebody has to put right, and records that went round the rules. Found in the extract once a version, as one tidy frame.

What a metric counts is found by that metric's own facts, so that this list and the number agree; what none counts is found by `bypasses`.
What an extract lacks is not judged: `lacks_of` says so in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY
from revscore.core.clocks import open_days
from revscore.core.coded import Coded
from revscore.core.drill import readable, records
from revscore.core.entities import ENTITIES
from revscore.core.metric import FUNCTIONS, functions
from revscore.core.metrics import CARDS
from revscore.core.metrics.common import LEAD_CHANGES
from revscore.core.review import needed
from revscore.core.view import View
from revscore.rhythm import bypasses, irregular
from revscore.rhythm.irregular import Found

LOOK_BACK = 28  # days: what a rule was gone round for is taken up for four weeks; older cases stay in the weekly counts, and while somebody has them in hand
OLD = 5  # business days after which an exception is old

Group = Literal["Routing and owners", "Completeness", "Broken promises", "Round the rules"]


@dataclass(frozen=True)
class Kind:
    """One kind of exception. `happens`: it is an event of one moment, which no later extract takes back; else a state, gone once it is mended.
    `function`: who sees to it where the record has no owner. `todo`: what to do. `told`: heading of the column with the details."""

    id: str
    label: str
    group: Group
    function: str
    needs: tuple[str, ...]
    find: Callable[[Coded], list[Found]]
    todo: str
    told: str = "What"
    happens: bool = False


def _kind(id_: str, label: str, group: Group, function: str, needs: str | tuple[str, ...], find: Callable[[Coded], list[Found]], todo: str, told: str = "What", happens: bool = False) -> Kind:
    return Kind(id_, label, group, function, CARDS[needs].needs if isinstance(needs, str) else needs, find, todo, told, happens)


KINDS: tuple[Kind, ...] = (  # in the order of the triage (METRICS section 18)
    _kind("routing_failed", "Routing failed", "Routing and owners", "revops", (*LEAD_CHANGES, "routing_log.lead_id", "routing_log.attempted_at", "routing_log.result"), irregular.routing,
          "Give the lead to somebody, then mend the routing rule."),
    _kind("unassigned", "Nobody owns it", "Routing and owners", "revops", "dq.unassigned", irregular.unassigned, "Give the lead to somebody who works on it.", "Stands in"),
    _kind("duplicate", "Suspected duplicates", "Routing and owners", "revops", "dq.duplicates", irregular.duplicates, "Merge it into the earlier lead.", "Same address as"),
    _kind("orphan_account", "Deals without an account", "Routing and owners", "revops", (*CARDS["dq.orphans"].needs, "opportunities.account_id"), irregular.without_account, "Name the account."),
    _kind("no_contact_role", "Open deals without a contact role", "Routing and owners", "sales", (*CARDS["dq.orphans"].needs, "opp_contact_roles"), irregular.without_role, "Add the people who decide."),
    _kind("orphan_touch", "Touches that belong to nothing", "Routing and owners", "revops", (*CARDS["dq.orphans"].needs, "touches"), irregular.touches, "Bring in the missing person or campaign, or mend the id.", "Without"),
    _kind("missing_required", "Required fields missing", "Completeness", "sales", (), irregular.missing, "Fill in the fields.", "Missing"),
    _kind("hygiene", "Forecast rules broken", "Completeness", "sales", "forecast.hygiene", irregular.hygiene, "Mend the deal, or take it out of the forecast.", "Broken"),
    _kind("sla_breach_open", "Broken promises, still open", "Broken promises", "sales", "sla.breach_ageing", irregular.breaches, "Act now; whoever the level names has to know.", "Promise"),
    _kind("skipped", "Stages skipped", "Round the rules", "sales", (), bypasses.skipped, "Ask why, and put the missing stage in where the tool allows it.", "Skipped", True),
    _kind("moved_back", "Moved back or re-opened", "Round the rules", "sales", (), bypasses.moved_back, "Ask what happened; a deal that starts again should say so.", "Move", True),
    _kind("closed_no_reason", "Closed without a reason", "Round the rules", "sales", (), bypasses.without_reason, "Choose the reason: without it nobody learns from the loss."),
    _kind("dated_today", "Close date set to the day of the edit", "Round the rules", "sales", ("opp_history!", "opp_history.changed_at!", "opp_history.close_date"), bypasses.dated_today,
          "Put in the date that the customer named.", "Edit", True),
    _kind("bulk_edit", "Edited in bulk", "Round the rules", "revops", (), bypasses.in_bulk, "Find out which tool or person did it, and whether the changes are true.", "Records", True),
    _kind("owner_inactive", "Owner has left", "Round the rules", "revops", ("users.is_active",), bypasses.owner_inactive, "Give the record to somebody who is there."),
    _kind("out_of_order", "Times out of order", "Round the rules", "revops", (), bypasses.out_of_order, "Mend the dates in the tool.", "Order"),
    _kind("amount_late", "No amount at a late stage", "Round the rules", "sales", (*CARDS["forecast.hygiene"].needs, "opp_history.amount"), bypasses.amount_late, "Put in the amount that was offered.", "Stage"),
)
BY_ID: Mapping[str, Kind] = {kind.id: kind for kind in KINDS}
BYPASSES = tuple(kind.id for kind in KINDS if kind.group == "Round the rules")
COUNTED = tuple(kind.id for kind in KINDS if kind.group == "Round the rules" and kind.happens) + ("closed_no_reason",)  # of states only today's are known: a count by week would always rise
_TYPES = {"lead": "Lead", "opp": "Deal", "touch": "Touch", "": "Edit"}
COLUMNS = ("key", "kind", "type", "id", "name", "owner", "owner_id", "function", "team", "since", "age", "weeks_before", "level", "what", "entity", "record", "day", "newest", "is_open", "listed")


def lacks_of(x: Coded, kind: Kind) -> str:
    """Why a kind cannot be judged in this extract; "" when it can."""
    needs = bypasses.needs_of(x, kind.id) or kind.needs
    missing = x.data.missing(needs)
    missing = tuple(need for need in missing if "." not in need or need.partition(".")[0] + "!" not in missing)  # a table that was not observed is named once
    return f"Needs {needed(missing)}, which this extract lacks." if missing else bypasses.unjudged(x, kind.id)


def every(x: Coded) -> pd.DataFrame:
    """All cases of all kinds, oldest first within a kind, open or long gone: what lists, recurrence and weekly counts are taken from. Made once.

    key: stable name of an exception (kind, type and id of its record) · kind · type, id, name of the record · owner, owner_id, function, team ·
    since (reporting zone) · age (business days up to as-of) · weeks_before (earlier weeks with a case of the kind of the same owner, else of the same
    record) · level (escalation level reached, 0 none) · what (details in words) · entity, record (position) · day · newest (of its key) ·
    is_open (still so, or an event) · listed (to be taken up now)
    """
    return x.once("exceptions", lambda: _every(x))


def current(x: Coded, view: View = View()) -> pd.DataFrame:
    """The exceptions to be taken up now, of the chosen segments, regions, owners and so on; whatever the period: the state at as-of."""
    found = chosen(x, every(x), view)
    return found[found["listed"]].reset_index(drop=True)


def chosen(x: Coded, frame: pd.DataFrame, view: View) -> pd.DataFrame:
    """The rows whose record is among what the view chooses; records without a dimension (touches have few, edits none) are not filtered by it."""
    keep = np.ones(len(frame), dtype=bool)
    entity, record = frame["entity"].to_numpy(dtype=object), frame["record"].to_numpy()
    for name, values in view.where:
        codes = x.dims[name].codes_of(values) if name in x.dims else np.zeros(0, dtype="int64")
        for one in set(entity.tolist()) - {""}:
            rows = np.flatnonzero(entity == one)
            if name in x.codes[one]:
                keep[rows] &= np.isin(x.codes[one][name][record[rows]], codes)
    return frame[keep]


def cases(x: Coded, view: View = View(), kinds: tuple[str, ...] = COUNTED) -> pd.DataFrame:
    """All cases of these kinds up to the last full week, with the number of their `week`, by when they began."""
    found = chosen(x, every(x), view)
    found = found.assign(week=x.terms.calendar.codes(found["day"].to_numpy(), "week"))
    running = int(x.terms.calendar.codes(np.array([x.as_of_day]), "week")[0])
    return found[found["kind"].isin(kinds) & (found["week"] < running)].reset_index(drop=True)


def weekly(x: Coded, view: View = View(), kinds: tuple[str, ...] = COUNTED) -> pd.DataFrame:
    """How many cases, by week and team: team, week (number), start (day number), value. The week that is running is left out."""
    counted = cases(x, view, kinds).groupby(["team", "week"], sort=True).size().rename("value").reset_index()
    return counted.assign(start=[x.terms.calendar.start(code, "week") for code in counted["week"]])


def business_days(x: Coded, since: np.ndarray, until: int) -> np.ndarray:
    """Open days of the default calendar after each day up to and with `until` (day numbers); 0 where a day is not known or later."""
    since = np.asarray(since, dtype="int64")
    known = (since != NO_DAY) & (since < until)
    if not known.any():
        return np.zeros(len(since), dtype="int64")
    calendar = x.terms.default_calendar
    days = open_days(x.terms.windows_of(calendar), [day for name, day in x.terms.holidays if name == calendar], int(since[known].min()), until + 1)
    out = np.searchsorted(days, until, side="right") - np.searchsorted(days, since, side="right")
    return np.where(known, out, 0)


# -- the frame -----------------------------------------------------------------------------------------------------------------------------

def _every(x: Coded) -> pd.DataFrame:
    parts = [_rows(x, kind, found) for kind in KINDS if not lacks_of(x, kind) for found in kind.find(x) if len(found.record)]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=_DTYPES.get(name, "str")) for name in COLUMNS})
    frame = pd.concat(parts, ignore_index=True)
    order = np.lexsort((frame["at"].to_numpy(), pd.factorize(frame["kind"])[0]))
    frame = frame.iloc[order].reset_index(drop=True)
    happens = frame["kind"].map({kind.id: kind.happens for kind in KINDS}).to_numpy(dtype=bool)
    newest = ~frame.duplicated("key", keep="last").to_numpy()
    recent = frame["day"].to_numpy() > x.as_of_day - LOOK_BACK
    state = ~happens & (recent | ~frame["windowed"].to_numpy())
    frame["newest"] = newest
    frame["listed"] = frame["is_open"] & newest & (state | (happens & recent))
    frame["since"] = readable(x, "since_at", frame["at"].to_numpy())
    frame["age"] = business_days(x, frame["day"].to_numpy(), x.as_of_day)
    frame["weeks_before"] = _weeks_before(x, frame)
    return frame[list(COLUMNS)]


_DTYPES = {"since": "datetime64[us]", "age": "int64", "weeks_before": "int64", "level": "int64", "record": "int64", "day": "int64", "newest": "bool", "is_open": "bool", "listed": "bool"}


def _weeks_before(x: Coded, frame: pd.DataFrame) -> np.ndarray:
    """By row: how many earlier weeks had a case of the kind of the same owner; of the same record where nobody owns it."""
    week = x.terms.calendar.codes(frame["day"].to_numpy(), "week")
    whose = frame["kind"] + "|" + frame["owner_id"].where(frame["owner_id"] != "", frame["type"] + "|" + frame["id"])
    known = pd.DataFrame({"whose": pd.factorize(whose)[0], "week": week})
    return (known.groupby("whose")["week"].rank("dense").to_numpy() - 1).astype("int64")


def _rows(x: Coded, kind: Kind, found: Found) -> pd.DataFrame:
    record, n = found.record, len(found.record)
    if found.entity:
        ids, name = x.ids(found.entity)[record], _names(x, found.entity)[record]
        owner = x.codes[found.entity]["owner"][record] if "owner" in x.codes[found.entity] else np.zeros(n, dtype="int64")
    else:
        ids, name, owner = found.ids, found.names, found.owners
    ids, name, part = (pd.Series(np.asarray(words, dtype=object), dtype="str").fillna("") for words in (ids, name, found.part if len(found.part) else np.full(n, "")))
    people = _people(x)
    type_ = _TYPES[found.entity]
    function = pd.Series(people["function"][owner], dtype="str")
    team = pd.Series(people["team"][owner], dtype="str")
    return pd.DataFrame({"key": kind.id + "|" + type_ + "|" + ids + part.where(part == "", "|" + part), "kind": kind.id, "type": type_, "id": ids, "name": name.where(name != "", ids),
                         "owner": people["label"][owner], "owner_id": people["id"][owner], "function": function.where(function != "", kind.function),
                         "team": team.where(team != "", FUNCTION_NAMES.get(kind.function, kind.function)), "at": found.at, "day": x.days(found.at), "level": found.level, "what": found.what,
                         "entity": found.entity, "record": record, "is_open": found.is_open, "windowed": found.windowed})


FUNCTION_NAMES = {name: functions([name]) for name in FUNCTIONS}


def _names(x: Coded, entity: str) -> np.ndarray:
    """What a record is called: the name of a deal, the address of a lead, the person of a touch."""
    column = {"lead": "email", "opp": "name", "touch": "person_id"}[entity]
    return x.data.table(ENTITIES[entity].table)[column].astype("str").fillna("").to_numpy(dtype=object)


def _people(x: Coded) -> dict[str, np.ndarray]:
    """By code of an owner: id ("" where it is no user and nobody), label, function, team and its manager. A team is a function, or the people of one manager in it."""
    def make() -> dict[str, np.ndarray]:
        dims, users = x.dims["owner"], x.data.table("users").drop_duplicates("user_id").set_index("user_id")
        ids = pd.Series(dims.values, dtype="str")
        function = ids.map(users["function"]).astype("str").fillna("")
        manager = ids.map(users["manager_id"]).astype("str").fillna("")
        boss = manager.map(users["name"]).astype("str").fillna(manager)
        name = function.map(FUNCTION_NAMES).astype("str").fillna("")
        several = manager.groupby(function).transform(lambda column: column[column != ""].nunique()).to_numpy() > 1
        team = name.where(~(several & (manager != "").to_numpy()) | (name == ""), name + ", team of " + boss)
        labels = np.array(["Nobody", *dims.labels[1:]], dtype=object)
        return {"id": ids.to_numpy(dtype=object), "label": labels, "function": function.to_numpy(dtype=object), "team": team.to_numpy(dtype=object), "manager": boss.to_numpy(dtype=object)}

    return x.once("exception owners", make)


# -- escalation ----------------------------------------------------------------------------------------------------------------------------

def escalation(x: Coded, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with whom the level that was reached tells (`told`), and who is next, at which share of the target (`next_told`)."""
    levels = sorted(x.terms.escalation_levels)
    people = _people(x)
    place = {owner: code for code, owner in enumerate(people["id"].tolist())}
    code = frame["owner_id"].map(place).fillna(0).to_numpy(dtype="int64")

    def named(word: str) -> np.ndarray:
        word = _spoken(word)
        who = {"owner": people["label"], "manager": people["manager"]}.get(word)
        if who is None:
            return np.full(len(frame), word[:1].upper() + word[1:], dtype=object)
        found = np.where(frame["owner_id"].to_numpy(dtype=object) == "", "", who[code])
        return np.where(found == "", word[:1].upper() + word[1:], found + f" ({word})")

    reached = frame["level"].to_numpy()
    told, following = np.full(len(frame), "Nobody yet", dtype=object), np.full(len(frame), "Nobody above", dtype=object)
    for number, _, notify in levels:
        told = np.where(reached >= number, named(notify), told)
    for number, share, notify in reversed(levels):
        following = np.where(reached < number, named(notify) + f" at {share:g} %", following)
    return frame.assign(told=told, next_told=following)


def _spoken(word: str) -> str:
    return word.replace("_", " ").strip()


def path(x: Coded) -> str:
    """The way of an escalation in words: "owner at 80 % of the target, manager at 100 %, …"."""
    return ", ".join(f"{_spoken(notify) or f'level {number}'} at {share:g} %{' of the target' if place == 0 else ''}" for place, (number, share, notify) in enumerate(sorted(x.terms.escalation_levels)))




def behind(x: Coded, entity: str, id_: str, record: int) -> dict[str, pd.DataFrame]:
    """The rows that stand behind an exception, by what they are: the record as it is, and its history; of an edit in bulk the records that it changed."""
    if not entity:
        of, rows = bypasses.edited(x, id_)
        return {"Records of this edit": records(x, of, rows)}
    out = {_TYPES[entity]: records(x, entity, np.array([record]))}
    if entity in _HISTORY:
        table, key, at, columns = _HISTORY[entity]
        frame = x.data.table(table)
        own = frame[(frame[key] == id_) & (frame[at] <= x.data.as_of)].sort_values(at, kind="stable")
        out["Stages"] = pd.DataFrame({name: own[name].dt.tz_convert(x.terms.reporting_tz).dt.tz_localize(None) if name == at else own[name] for name in columns
                                      if x.data.has(f"{table}.{name}")}).reset_index(drop=True)
    return out


_HISTORY = {"lead": ("lead_stage_history", "lead_id", "entered_at", ("entered_at", "stage", "reason")),
            "opp": ("opp_history", "opp_id", "changed_at", ("changed_at", "stage", "amount", "close_date", "forecast_category"))}
