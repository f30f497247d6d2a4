"""Accounts, users, contacts and leads out of whatever names them."""

from __future__ import annotations

import pandas as pd

from revscore.core import schema
from revscore.intake.desk import Desk
from revscore.intake.patterns import mapped, numbered, padded, positions
from revscore.intake.records import (
    by_name, column, first_id, first_of, look_up, name_key, only_named, stamp, with_key, within, without_deleted, without_doubles,
)
from revscore.intake.words import folded, lists, meaning, translate

STATUSES = ("inquiry", "mql", "sal", "sql", "recycled", "disqualified")
_TS = schema.DTYPES["ts"]


def spelled(text: pd.Series, frame: pd.DataFrame, name: str, desk: Desk) -> pd.Series:
    """Known misspellings of segments mended, one entry in the ledger a row."""
    for wrong, right in lists()["spelling"].items():
        hit = (text.str.casefold() == wrong).fillna(False).to_numpy(dtype=bool)
        if hit.any():
            desk.mend(frame[hit], name, "M_SPELLING", f"“{wrong}” is spelled “{right}” here")
            text = text.mask(hit, right)
    return text


def segment_of(frame: pd.DataFrame, desk: Desk) -> pd.Series:
    """The segment, else the industry."""
    if "segment" not in frame.columns and "industry" in frame.columns:
        desk.say("there is no column of segments; the industry stands for the segment")
        return spelled(frame["industry"], frame, "industry", desk)
    return column(frame, "segment")


def accounts(frame: pd.DataFrame, named: list[pd.DataFrame], desk: Desk) -> pd.DataFrame:
    """Accounts of their own sheets, and those that only other records name (`named`: account_id and account_name)."""
    frame = without_deleted(frame, desk)
    out = pd.DataFrame({"account_id": pd.Series(dtype="str"), "name": pd.Series(dtype="str")})
    if len(frame):
        frame = without_doubles(with_key(frame, "account_id", ("name",), desk, "Accounts"), ["account_id"], desk)
        out = frame.assign(segment=segment_of(frame, desk), region=first_of(frame, "region", "country"),
                           domain=column(frame, "website").str.replace(r"^(?:https?://)?(?:www\.)?", "", regex=True).str.partition("/")[0].astype("str").str.lower())
    for part in named:
        more = pd.DataFrame({"account_id": column(part, "account_id"), "name": column(part, "account_name")}).dropna(subset=["name"]).drop_duplicates()
        ids, known = out["account_id"], name_key(out["name"])
        more = more[~within(more["name"], ids) & ~within(more["account_id"], ids) & (more["account_id"].notna().to_numpy() | ~within(name_key(more["name"]), known))]
        more = more.assign(account_id=more["account_id"].fillna(more["name"].str.strip())).drop_duplicates("account_id")
        more = more[~name_key(more["name"]).duplicated() | more["account_id"].ne(more["name"].str.strip())]
        out = pd.concat([out, more], ignore_index=True)
    return out


def users(frame: pd.DataFrame, owned: list[pd.DataFrame], desk: Desk) -> pd.DataFrame:
    """Users of their own sheets, their managers, and those that records name as owner; the function is read from role words, else sales."""
    out = pd.DataFrame({"user_id": pd.Series(dtype="str"), "name": pd.Series(dtype="str"), "function": pd.Series(dtype="str")})
    if len(frame):
        full = (column(frame, "first_name").fillna("") + " " + column(frame, "last_name").fillna("")).str.strip()
        frame = frame.assign(name=column(frame, "name").fillna(full.where(full != "")).fillna(column(frame, "email")))
        frame = without_doubles(with_key(frame, "user_id", ("name",), desk, "Users"), ["user_id"], desk)
        function, _ = translate("function", column(frame, "role").fillna(""))
        out = frame.assign(function=function.fillna("sales"))
        managers = column(out, "manager_name").dropna()
        managers = managers[~within(name_key(managers), name_key(out["name"]))].drop_duplicates()
        if len(managers):
            out = pd.concat([out, pd.DataFrame({"user_id": managers, "name": managers, "function": "sales"})], ignore_index=True)
        if "manager_name" in out.columns:
            out["manager_id"] = column(out, "manager_id").fillna(by_name(out["manager_name"], out, "user_id"))
    more = only_named(owned, out["user_id"], out["name"], lone_ids=not len(frame)).rename(columns={"id": "user_id"}).assign(function="sales")
    more = more[~more["user_id"].str.startswith("00G").to_numpy(dtype=bool)]                    # queues of Salesforce are no users
    if len(more):
        told = f"{len(more):,} users are known only as owners of records; they are taken as sales"
        desk.derived.update({"users": told}) if len(more) > len(out) else desk.say(told)
    return pd.concat([out, more.dropna(subset=["user_id"])], ignore_index=True)


def owners(frame: pd.DataFrame, people: pd.DataFrame, name: str = "owner_id") -> pd.Series:
    """Owner ids: the id of the extract, else the user of that name."""
    return column(frame, name).fillna(by_name(column(frame, "owner_name"), people, "user_id"))


def contacts(frame: pd.DataFrame, known: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    frame = without_deleted(frame, desk)
    if not len(frame):
        return frame
    frame = without_doubles(with_key(frame, "contact_id", ("email",), desk, "Contacts"), ["contact_id"], desk)
    return frame.assign(account_id=column(frame, "account_id").fillna(by_name(column(frame, "account_name"), known, "account_id")),
                        created_at=stamp(frame, "created_at"))


def leads(frame: pd.DataFrame, known: pd.DataFrame, people: pd.DataFrame, opps: pd.DataFrame, campaigns: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """Canonical leads, with the helper columns that their history needs."""
    frame = without_deleted(frame, desk)
    if not len(frame):
        return frame
    frame = without_doubles(with_key(frame, "lead_id", ("email",), desk, "Leads"), ["lead_id"], desk)
    created = stamp(frame, "created_at")
    earliest = pd.concat([stamp(frame, n) for n in ("inquiry_at", "mql_at", "sal_at", "sql_at", "converted_at", "modified_at")], axis=1).min(axis=1).astype(_TS)
    lost = created.isna() & earliest.notna()
    if lost.any():
        if "created_at" in frame.columns:
            desk.mend(frame[lost], "created_at", "M_CREATED", "the creation date is missing; the earliest date of the record stands for it")
        else:
            desk.derived["leads"] = "the extract has no creation date of leads; the earliest date of each record stands for it"
        created = created.fillna(earliest)
    desk.hold(frame[created.isna()], "created_at", "R_NO_DATE", "leads: the creation date is missing, and no other date tells it")
    frame = frame.assign(created_at=created)[created.notna()].reset_index(drop=True)
    owner = owners(frame, people)
    opp = first_id(column(frame, "converted_opportunity_id")).fillna(_originated(frame, opps))
    born = look_up(opp, opps.set_index("opp_id")["created_at"]) if len(opps) else pd.Series(pd.NaT, index=frame.index, dtype=_TS)
    return frame.assign(
        account_id=first_id(first_of(frame, "account_id", "converted_account_id")).fillna(by_name(column(frame, "account_name"), known, "account_id")),
        segment=segment_of(frame, desk), region=first_of(frame, "region", "country"), owner_id=owner,
        owner_type=pd.Series("user", index=frame.index).mask(owner.str.startswith("00G").fillna(False), "queue").where(owner.notna()).astype("str"),
        source_campaign_id=column(frame, "campaign_id").fillna(by_name(column(frame, "campaign_name"), campaigns, "campaign_id")),
        is_test=column(frame, "is_test", "boolean").fillna(False), converted_opportunity_id=opp,
        converted_at=_converted(frame, opp, born, desk))


def _originated(frame: pd.DataFrame, opps: pd.DataFrame) -> pd.Series:
    """The opportunity that names the lead it came from (Dynamics "Originating Lead"), by id, else by a name or topic that only one lead has."""
    out = pd.Series(None, index=frame.index, dtype="str")
    if "lead_id" not in opps.columns:
        return out
    named = opps.dropna(subset=["lead_id"])
    table = named.set_index(name_key(named["lead_id"]))["opp_id"]
    table = table[~table.index.duplicated()]
    for name in ("lead_id", "name", "topic"):
        keys = name_key(column(frame, name))
        out = out.fillna(look_up(keys.where(~keys.duplicated(keep=False)), table))
    return out


def _converted(frame: pd.DataFrame, opp: pd.Series, born: pd.Series, desk: Desk) -> pd.Series:
    """When leads were converted. Salesforce knows the day only: the opportunity's creation tells the time when the days agree (METRICS)."""
    at = stamp(frame, "converted_at")
    created = frame["created_at"]
    day = at.dt.tz_convert(desk.zone).dt.normalize()
    bare = at.notna() & (at.dt.tz_convert(desk.zone) == day)
    at = at.mask(bare & (born.dt.tz_convert(desk.zone).dt.normalize() == day), born)
    at = at.mask(bare & (at < created) & (created.dt.tz_convert(desk.zone).dt.normalize() == day), created)
    said = column(frame, "is_converted", "boolean").fillna(False).to_numpy(dtype=bool) | opp.notna().to_numpy()
    known = born.where(born >= created).fillna(stamp(frame, "modified_at"))
    missing = at.isna() & said & known.notna()
    if missing.any() and "converted_at" in frame.columns:
        desk.mend(frame[missing], "converted_at", "M_CONVERTED", "the conversion has no date; the opportunity's creation, else the last change, stands for it")
    return at.where(~missing, known)


def lead_history(people: pd.DataFrame, changed: pd.DataFrame, as_of: pd.Timestamp, desk: Desk) -> pd.DataFrame:
    """Lead events: from the history of the status, else from date stamps, else creation and the present status (METRICS section 1)."""
    columns = ["event_id", "lead_id", "stage", "entered_at", "reason"]
    events = [_status_events(changed, people, desk)]
    rest = people[~within(people["lead_id"], events[0]["lead_id"])] if len(people) else people
    stamps = [n for n in ("mql_at", "sal_at", "sql_at", "recycled_at", "disqualified_at") if n in rest.columns and rest[n].notna().any()]
    if len(rest):
        start = rest[["lead_id"]].assign(stage="inquiry", entered_at=rest["created_at"])
        inquiry = stamp(rest, "inquiry_at")
        start["entered_at"] = start["entered_at"].where(inquiry.isna() | (inquiry < rest["created_at"]), inquiry)
        parts = [start]
        created_day = rest["created_at"].dt.tz_convert(desk.zone).dt.normalize()
        for name in stamps:
            at = rest[name]                                 # a bare date of the day of creation is not before the creation
            at = at.mask((at < rest["created_at"]) & (at.dt.tz_convert(desk.zone) == created_day), rest["created_at"])
            parts.append(rest.loc[at.notna(), ["lead_id"]].assign(stage=name.removesuffix("_at"), entered_at=at[at.notna()]))
        status = _status_now(rest, desk)
        exits = status.isin(["recycled", "disqualified"])
        already = pd.Series(False, index=rest.index)
        for name in stamps:
            already |= rest[name].notna() & (status == name.removesuffix("_at"))
        changed_at = stamp(rest, "modified_at")
        now = ((status.notna() & (status != "inquiry") & changed_at.notna() & (not stamps)) | exits) & ~already
        now &= ~(rest["converted_at"].notna() & ~exits) if "converted_at" in rest.columns else True
        parts.append(rest.loc[now, ["lead_id"]].assign(stage=status[now], entered_at=changed_at[now].fillna(as_of)))
        events.append(pd.concat(parts, ignore_index=True))
        if len(rest) <= len(people) / 2:
            desk.derived["lead_stage_history.lead_id"] = f"{len(rest):,} of {len(people):,} leads have no history of their stages; creation and present status stand for it"
        elif stamps:
            desk.derived["lead_stage_history.stage"] = "lead stages come from date stamps, one event each: returns to an earlier stage are not known"
        else:
            desk.derived["lead_stage_history"] = "the extract has no history of lead stages: only creation, conversion and the present status are known"
    out = pd.concat(events, ignore_index=True)
    if not len(out):
        return out.reindex(columns=columns)
    rank = pd.Series(positions(out["stage"], pd.Index(STATUSES)), index=out.index)
    out = out.assign(rank=rank).sort_values(["lead_id", "entered_at", "rank"], kind="stable", ignore_index=True)
    if "reason" in people.columns:
        why = people.dropna(subset=["reason"]).drop_duplicates("lead_id").set_index("lead_id")["reason"]
        out["reason"] = column(out, "reason").fillna(look_up(out["lead_id"], why)).where(out["stage"].isin(["recycled", "disqualified"]))
    made = out["lead_id"] + ":" + padded(numbered(out["lead_id"]), 2, out.index)
    return out.assign(event_id=column(out, "event_id").fillna(made)).reindex(columns=columns)


def status_words(text: pd.Series, desk: Desk) -> pd.Series:
    """Lead statuses by the word lists, by answers where no list knows the word."""
    known: dict[str, str | None] = {}
    for word, rows in text.dropna().value_counts().items():
        known[str(word)] = desk.answer(f"lead_status:{word}") or meaning("lead_status", str(word)) or desk.ask(
            f"lead_status:{word}", f"Which lead stage is the status “{word}”?", STATUSES, "inquiry", "leads")
        if not meaning("lead_status", str(word)) and not desk.answers.get(f"lead_status:{word}"):
            desk.say(f"the lead status “{word}” ({rows:,} row{'s' if rows > 1 else ''}) is in no list of words; it is taken as {known[str(word)]} until its question is answered")
        desk.words.append(("lead status", str(word), known[str(word)] or "", int(rows), "word list" if meaning("lead_status", str(word)) else "asked"))
    return mapped(text, known)


def _status_now(rest: pd.DataFrame, desk: Desk) -> pd.Series:
    """The present stage: lifecycle or status; an exit in a second status column (lead status, state) goes before it."""
    main = status_words(column(rest, "status"), desk)
    for name in ("lead_status", "state"):
        if name in rest.columns:
            second = status_words(rest[name], desk)
            main = second.where(second.isin(["recycled", "disqualified"]) | main.isna(), main)
    return main


def _status_events(changed: pd.DataFrame, people: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    empty = pd.DataFrame({"event_id": pd.Series(dtype="str"), "lead_id": pd.Series(dtype="str"), "stage": pd.Series(dtype="str"),
                          "entered_at": pd.Series(dtype=_TS)})
    if not len(changed):
        return empty
    what = folded(column(changed, "field").fillna("status")).str.removeprefix("hs")
    wanted = "lifecyclestage" if (what == "lifecyclestage").any() else None
    rows = changed[(what == wanted) if wanted else what.isin(["status", "leadstatus", "leadstage", "stage"])]
    if not len(rows):
        desk.say("the changes of leads are of other fields than the status; they are not used")
        return empty
    rows = rows.sort_values(["lead_id", "changed_at", "_m", "_row"], kind="stable")
    out = pd.DataFrame({"event_id": column(rows, "event_id"), "lead_id": rows["lead_id"], "stage": status_words(rows["new_value"], desk),
                        "entered_at": rows["changed_at"], "reason": column(rows, "reason")})
    first = rows[~rows["lead_id"].duplicated()]
    born = look_up(first["lead_id"], people.set_index("lead_id")["created_at"]) if len(people) else pd.Series(pd.NaT, index=first.index, dtype=_TS)
    before = status_words(column(first, "old_value"), desk)
    if "old_value" not in first.columns:                    # else a first change from nothing is the creation itself
        before = before.fillna("inquiry")
    later = ((born < first["changed_at"]) & before.notna()).to_numpy(dtype=bool)
    start = pd.DataFrame({"lead_id": first["lead_id"], "stage": before, "entered_at": born})[later]
    out = pd.concat([start, out.dropna(subset=["stage"])], ignore_index=True)
    out = out.sort_values(["lead_id", "entered_at"], kind="stable", ignore_index=True)
    return out[out["stage"] != out.groupby("lead_id")["stage"].shift()].reset_index(drop=True)

