"""Campaigns and touches, activities, contact roles, targets, exchange rates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.intake.cells import currencies
from revscore.intake.dates import evidence, read_dates
from revscore.intake.desk import Desk
from revscore.intake.records import by_name, column, first_id, first_of, look_up, only_named, stamp, with_key, without_deleted, without_doubles
from revscore.intake.words import fold, translate

_TS, _DATE = schema.DTYPES["ts"], schema.DTYPES["date"]


def campaigns(frame: pd.DataFrame, named: list[pd.DataFrame], members: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """Campaigns of their own sheets, and those that members, leads and opportunities name; a report of members may tell their type, dates and cost."""
    frame = without_deleted(frame, desk)
    out = pd.DataFrame({"campaign_id": pd.Series(dtype="str"), "name": pd.Series(dtype="str"), "owner_function": pd.Series(dtype="str")})
    if len(frame):
        frame = without_doubles(with_key(frame, "campaign_id", ("name",), desk, "Campaigns"), ["campaign_id"], desk)
        money = first_of(frame, "actual_cost:currency", "budget:currency")
        out = frame.assign(name=column(frame, "name"), currency=currencies(column(frame, "currency")).fillna(money), owner_function="marketing")
    more = only_named(named, out["campaign_id"], out["name"], lone_ids=not len(frame)).rename(columns={"id": "campaign_id"})
    out = pd.concat([out, more.assign(owner_function="marketing")], ignore_index=True) if len(more) else out
    told = {"type": "campaign_type", "start_date": "campaign_start", "end_date": "campaign_end", "budget": "campaign_budget", "actual_cost": "campaign_cost"}
    told = {name: field for name, field in told.items() if field in members.columns}
    if not told:
        return out
    facts = members.assign(campaign_id=column(members, "campaign_id").fillna(by_name(column(members, "campaign_name"), out, "campaign_id")),
                           currency=first_of(members, "campaign_cost:currency", "campaign_budget:currency")).groupby("campaign_id").first()
    return out.assign(**{name: column(out, name, str(facts[field].dtype)).fillna(look_up(out["campaign_id"], facts[field]))
                         for name, field in {**told, "currency": "currency"}.items()})


def touches(frame: pd.DataFrame, known: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """Campaign members as touches: at the first response, else when associated, else when created (METRICS, Importing)."""
    frame = without_deleted(frame, desk)
    if not len(frame):
        return frame
    created = stamp(frame, "created_at")
    at = stamp(frame, "responded_at").fillna(stamp(frame, "added_at"))
    local = at.dt.tz_convert(desk.zone)
    same_day = (local == local.dt.normalize()) & (local.dt.normalize() == created.dt.tz_convert(desk.zone).dt.normalize())
    at = at.mask(same_day, created).fillna(created)
    person = first_of(frame, "person_id", "lead_id", "contact_id")
    campaign = column(frame, "campaign_id").fillna(by_name(column(frame, "campaign_name"), known, "campaign_id"))
    frame = frame.assign(person_id=person, campaign_id=campaign, occurred_at=at)
    for name, code, what in (("person_id", "R_NO_ID", "person"), ("campaign_id", "R_NO_ID", "campaign"), ("occurred_at", "R_NO_DATE", "date")):
        missing = frame[name].isna()
        desk.hold(frame[missing], name, code, f"campaign members: the {what} is missing")
        frame = frame[~missing].reset_index(drop=True)
    made = frame["campaign_id"] + ":" + frame["person_id"]
    frame = without_doubles(frame.assign(touch_id=column(frame, "touch_id").fillna(made)), ["touch_id"], desk)
    says = column(frame, "is_response", "boolean")
    word = column(frame, "type").str.casefold()
    guess = word.str.contains("respond|regist|attend|click|fill|download|submitted|visited", regex=True)
    return frame.assign(is_response=says.fillna(False) if "is_response" in frame.columns else guess.fillna(False), owner_function="marketing")


_DONE = ("completed", "complete", "done", "held", "closed", "1", "true", "sent", "received")
_STATES = {"noshow": "no_show", "no_show": "no_show", "no show": "no_show", "canceled": "cancelled", "cancelled": "cancelled", "scheduled": "booked",
           "rescheduled": "booked", "booked": "booked", "held": "held", "completed": "held"}


def activities(frame: pd.DataFrame, people: pd.DataFrame, persons: pd.DataFrame, deals: pd.DataFrame, opps: pd.DataFrame, as_of: pd.Timestamp,
               desk: Desk) -> pd.DataFrame:
    """Tasks, events, calls: when they happened, of which type and direction. What is only planned has status "planned" and no direction."""
    frame = without_deleted(frame, desk)
    if not len(frame):
        return frame
    if "activity_id" not in frame.columns or frame["activity_id"].isna().all():
        frame = frame.assign(activity_id="A" + frame["_m"].astype("str") + ":" + frame["_row"].astype("str"))
    frame = without_doubles(with_key(frame, "activity_id", ("title",), desk, "Activities"), ["activity_id"], desk)
    kind = frame["_m"].map({m: match.spec.kind if match.spec and match.spec.kind else "" for m, match in enumerate(desk.matches)})
    said, _ = translate("activity", first_of(frame, "type", "call_type").fillna(""))
    title, _ = translate("activity", column(frame, "title").str.partition(":")[0].astype("str").fillna(""))
    said = said.where(said.notna() & (said != "other"), title.fillna(said))
    said = said.mask(column(frame, "call_type").notna() & (said.isna() | (said == "other")), "call")
    kind = kind.where(kind != "", said.fillna("other")).astype("str")
    created, due, done, starts = (stamp(frame, n) for n in ("created_at", "due_at", "done_at", "starts_at"))
    local = due.dt.tz_convert(desk.zone)
    bare = (local == local.dt.normalize()) & (local.dt.normalize() == created.dt.tz_convert(desk.zone).dt.normalize())
    at = done.fillna(due.mask(bare, created)).fillna(starts).fillna(created)
    at = at.mask(kind == "meeting", created.where(created <= as_of).fillna(starts).fillna(due).fillna(at))
    word = column(frame, "status").str.strip().str.casefold()
    finished = column(frame, "is_done", "boolean").fillna(False) | word.isin(_DONE) | done.notna()
    told = "is_done" in frame.columns or "done_at" in frame.columns or word.notna().any()
    planned = (~finished if told else pd.Series(False, index=frame.index)) & (kind != "meeting")
    planned &= word.notna() | ("is_done" in frame.columns) | ("done_at" in frame.columns)
    state = word.map(_STATES).where(kind == "meeting").where(~planned, "planned").astype("str")
    state = state.mask(column(frame, "no_show", "boolean").fillna(False), "no_show")
    way = column(frame, "direction").fillna(column(frame, "call_type")).str.casefold()
    came = way.str.contains("in", regex=False).fillna(False) & ~way.str.contains("out", regex=False).fillna(False)
    direction = pd.Series("outbound", index=frame.index).mask(came, "inbound")
    incoming = column(frame, "type").str.casefold().str.contains("incoming", regex=False).fillna(False)
    direction = direction.mask(incoming, "inbound").where(~planned).astype("str")
    person = first_id(first_of(frame, "person_id", "lead_id", "contact_id"))
    opp = first_id(column(frame, "opp_id"))
    if len(opps):
        opp = opp.fillna(by_name(column(frame, "related"), opps, "opp_id"))
        opp = opp.where(~opp.str.fullmatch(r"[a-zA-Z0-9]{18}").fillna(False) | opp.str.startswith("006").fillna(False))
    for link, name in ((persons, "person_id"), (deals, "opp_id")):
        if len(link):
            table = link.dropna().drop_duplicates("activity_id").set_index("activity_id")[name]
            filled = look_up(frame["activity_id"], table)
            person, opp = (person.fillna(filled), opp) if name == "person_id" else (person, opp.fillna(filled))
    machine = column(frame, "type").str.casefold().str.contains("list ?email|automated", regex=True).fillna(False)
    frame = frame.assign(person_id=person, opp_id=opp, occurred_at=at, type=kind, direction=direction, status=state,
                         is_automated=column(frame, "is_automated", "boolean").fillna(machine),
                         user_id=column(frame, "user_id").fillna(by_name(column(frame, "owner_name"), people, "user_id")))
    missing = frame["occurred_at"].isna()
    desk.hold(frame[missing], "created_at", "R_NO_DATE", "activities: the date is missing")
    return frame[~missing].reset_index(drop=True)


def roles(frame: pd.DataFrame, named: pd.DataFrame, contacts: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """Contact roles of their own sheets, and the contacts that opportunities list."""
    frame = without_deleted(frame, desk)
    out = pd.DataFrame({"opp_id": pd.Series(dtype="str"), "contact_id": pd.Series(dtype="str")})
    if len(frame):
        for name in ("opp_id", "contact_id"):
            desk.hold(frame[frame[name].isna()], name, "R_NO_ID", f"contact roles: the {name.partition('_')[0]} is missing")
        frame = frame.dropna(subset=["opp_id", "contact_id"]).reset_index(drop=True)
        out = without_doubles(frame, ["opp_id", "contact_id"], desk)
    if "contact_ids" in named.columns:
        more = named[["opp_id"]].assign(contact_id=named["contact_ids"].str.split(r"[;,]", regex=True)).explode("contact_id").dropna()
        more = more.assign(contact_id=more["contact_id"].str.strip())
        more = more[more["contact_id"] != ""].drop_duplicates()
        out = pd.concat([out, more], ignore_index=True).drop_duplicates(["opp_id", "contact_id"], ignore_index=True)
    return out


def targets(frame: pd.DataFrame, as_of: pd.Timestamp, config: Mapping[str, object], desk: Desk) -> pd.DataFrame:
    """Goals as targets of won bookings: one a period, the goals of single owners added up (their parents left out)."""
    if not len(frame):
        return frame
    start, end = column(frame, "period_start", _DATE), column(frame, "period_end", _DATE)
    parts = [column(frame, name).fillna("") for name in ("fiscal_period", "fiscal_year", "period")]
    words = (parts[0] + " " + parts[1] + " " + parts[2]).str.strip()
    between = words.str.extract(r"^(\S*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})\s*(?:-|–|—|to|bis|until)\s*(\S*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})$").fillna("")
    order = next((o for o in (evidence(between[side][between[side] != ""])[0] for side in (1, 0)) if o), None)
    start, end = (given.fillna(read_dates(between[side], "date", desk.zone, order=order).values) for given, side in ((start, 0), (end, 1)))
    open_ = start.isna() & (words != "")
    if open_.any():
        month, year = _fiscal(frame[open_], words[open_], as_of, config, desk)
        parsed = _period(words, month, str(config.get("fiscal_year_named_by", "end")), year)
        start, end = start.fillna(parsed["start"]), end.fillna(parsed["end"].where(open_))
    end = end.fillna(start + pd.offsets.MonthEnd(0))
    place = next((name for name in ("period_start", "period", "fiscal_period") if name in frame.columns), "period_start")
    frame = frame.assign(period_start=start, period_end=end)
    missing = start.isna() | frame["value"].isna()
    desk.hold(frame[missing], place, "R_NO_DATE", "targets: the period or the value is missing or cannot be read; write “Q1 2026” or fill From and To")
    frame = frame[~missing].reset_index(drop=True)
    if not len(frame):
        return frame
    metric = column(frame, "metric").fillna(column(frame, "name")).str.casefold().fillna("")
    counted = metric.str.contains(r"\bno\.? of\b|number|count|anzahl", regex=True)
    frame = frame.assign(metric_id=np.where(counted, "bookings.won.count", "bookings.won.value"))
    parents = set(column(frame, "parent").dropna().map(fold))
    inner = column(frame, "name").fillna("").map(fold).isin(parents) if parents else pd.Series(False, index=frame.index)
    desk.note(frame[inner], "name", "N_PARENT_GOAL", "a goal that other goals make up; its parts are counted")
    leaf = frame[~inner]
    keys = ["metric_id", "period_start", "period_end"]
    if leaf.duplicated(keys).any():
        desk.say("targets of one period are added up over their owners")
    out = leaf.groupby(keys, as_index=False)["value"].sum()
    return out.assign(target_id="goal:" + out["metric_id"].str.rpartition(".")[2] + ":" + out["period_start"].dt.strftime("%Y-%m-%d") + ":"
                      + out["period_end"].dt.strftime("%Y-%m-%d"), owner_function="sales",
                      direction="up", pacing="linear")


def _fiscal(rows: pd.DataFrame, words: pd.Series, as_of: pd.Timestamp, config: Mapping[str, object], desk: Desk) -> tuple[int, int]:
    """First month of the fiscal year, and the year of periods that name none: of the extract's own definitions, else asked with a likely answer."""
    place = desk.matches[int(rows["_m"].iloc[0])].sheet.place
    months = tuple(str(n) for n in range(1, 13))
    month = str(config.get("fiscal_start_month", "1"))
    month = month if month in months else "1"               # what is wrong with it is said where the definitions are taken
    if "fiscal_start_month" not in config:
        month = desk.answers["fiscal_start_month"] if desk.answers.get("fiscal_start_month") in months else month
        month = desk.ask("goal_fiscal_month", f"In which month (1 to 12) does the fiscal year of goals such as “{words.iloc[0]}” begin?", months, month, place) or month
    local = as_of.tz_convert(desk.zone)
    year = str(local.year + (local.month >= int(month) > 1 and config.get("fiscal_year_named_by", "end") == "end") - (
        local.month < int(month) and config.get("fiscal_year_named_by", "end") != "end"))
    if (~words.str.contains(_YEAR)).any():
        year = desk.ask("goal_fiscal_year", f"Of which fiscal year are goals that name none, such as “{words[~words.str.contains(_YEAR)].iloc[0]}”?", (), year, place) or year
    return int(month), int(year) if year.isdigit() else local.year


_YEAR = r"(?i)\bFY\s?'?(?:20)?[0-9]{2}\b|20[0-9]{2}"


def _period(words: pd.Series, first_month: int, named_by: str, year_else: int) -> pd.DataFrame:
    """Start and end of "Quarter 2 FY2026", "Q2 2026", "Semester 1", "March 2026", "Annual 2026", "2026" in fiscal years that begin in
    `first_month` and are named by their "start" or "end"; a month's name is a calendar month. What is none of these stays missing."""
    short = pd.to_numeric(words.str.extract(r"(?i)\bFY\s?'?([0-9]{2})\b")[0], errors="coerce") + 2000
    year = pd.to_numeric(words.str.extract(r"(20[0-9]{2})")[0], errors="coerce").fillna(short).fillna(year_else)
    rest = words.str.replace(_YEAR, " ", regex=True).str.strip(" -/,")
    def number(kind: str) -> pd.Series:
        return pd.to_numeric(rest.str.extract(rf"(?i)^(?:{kind})\s*([0-9]{{1,2}})$")[0], errors="coerce")
    quarter, half, count = number("q|quarter|quartal"), number("h|half|semester|halbjahr"), number("m|month|monat")
    name = rest.str.extract(r"(?i)^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?$")[0].str.lower()
    month = name.map({m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)})
    whole = rest.str.fullmatch(r"(?i)|fy|annual|year(?:ly)?|full year|jahr").to_numpy(dtype=bool)
    offset = (quarter * 3 - 3).fillna(half * 6 - 6).fillna(count - 1).fillna(pd.Series(0.0, index=words.index).where(whole))
    length = pd.Series(12, index=words.index).mask(quarter.notna(), 3).mask(half.notna(), 6).mask(count.notna() | month.notna(), 1)
    begins = year * 12 + first_month - 1 - (12 if first_month > 1 and named_by == "end" else 0) + offset
    serial = begins.where((offset >= 0) & (offset < 12)).fillna(year * 12 + month - 1)
    start, after = (pd.to_datetime(pd.DataFrame({"year": s // 12, "month": s % 12 + 1, "day": 1}), errors="coerce").astype(_DATE) for s in (serial, serial + length))
    return pd.DataFrame({"start": start, "end": after - pd.Timedelta(days=1)})


def rates(frame: pd.DataFrame) -> pd.DataFrame:
    """Salesforce conversion rates: corporate units per unit are 1 / ConversionRate."""
    if not len(frame):
        return frame
    frame = frame[frame["conversion_rate"] > 0]
    dated = column(frame, "start_date", _DATE)
    return pd.DataFrame({"currency": frame["currency"].str.upper(), "kind": np.where(dated.notna(), "dated", "corporate"),
                         "start_date": dated.fillna(pd.Timestamp("2000-01-01")), "rate_to_corp": 1 / frame["conversion_rate"]})


