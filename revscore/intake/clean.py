"""Cleaning: recognised sheets of text become one `CrmData`, and a ledger that accounts for every row.

Order: typed cells, records one a key, accounts and people joined by id or name, stages understood, history taken or rebuilt, canonical tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.core.data import CrmData
from revscore.intake import deals, history, instant, others, people
from revscore.intake.cells import read_cells
from revscore.intake.desk import NO_DEALS, Desk, Question
from revscore.intake.ledger import Ledger
from revscore.intake.match import Match, Recognition
from revscore.intake.records import column, finish, gather, look_up, named_ids, within, without_doubles
from revscore.intake.returned import ACCEPTED
from revscore.intake.sheet import Problem
from revscore.intake.snapshots import weekly
from revscore.intake.subjects import SUBJECTS
from revscore.intake.sums import check_sums
from revscore.intake.whole import whole_deals

Progress = Callable[[str, float, str], None]
_TS = schema.DTYPES["ts"]
# Keys of plain tables that name one record; other tables may hold equal rows (two failed handoffs, two movements of a day).
_SINGLE = {t.name for t in schema.TABLES.values() if len(t.key) == 1 and t.key[0].endswith("_id")} | {"opp_contact_roles"}
# (table, column, table it points to, its key): what points nowhere is noted and kept.
_LINKS = (("opportunities", "account_id", "accounts", "account_id"), ("opportunities", "owner_id", "users", "user_id"),
          ("opp_history", "opp_id", "opportunities", "opp_id"), ("lead_stage_history", "lead_id", "leads", "lead_id"),
          ("touches", "campaign_id", "campaigns", "campaign_id"), ("opp_contact_roles", "opp_id", "opportunities", "opp_id"),
          ("contacts", "account_id", "accounts", "account_id"), ("leads", "owner_id", "users", "user_id"))


@dataclass(frozen=True)
class Intake:
    """One load, cleaned. Nothing is stored yet.

    questions : what is open; `blocking` ones have no default and must be answered before the load may be stored
    terms_hints: config keys that follow from the extract (its own stages, its currency, or its config)
    mapping   : what was decided, to be kept and given to the next `prepare`
    words     : kind, word, meaning, rows, evidence: how words of stages, statuses and types were understood
    problems  : files that were refused, by the reader
    """

    data: CrmData
    ledger: Ledger
    recognition: Recognition
    questions: tuple[Question, ...]
    messages: tuple[str, ...]
    terms_hints: Mapping[str, Any]
    mapping: Mapping[str, Any]
    words: pd.DataFrame
    config: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def blocking(self) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if q.default is None)


def clean(recognition: Recognition, answers: Mapping[str, str], config: Mapping[str, Any] | None = None, as_of: pd.Timestamp | None = None, zone: str = "UTC",
          kept: Mapping[str, Any] | None = None, progress: Progress | None = None, now: pd.Timestamp | None = None, defined: bool = False,
          loaded: pd.DataFrame = NO_DEALS) -> Intake:
    """The cleaned load of recognised sheets.

    config: of the extract (config.json, sheet "config"): as_of, reporting_tz and definitions
    as_of : instant of the extract; else the config's, else the latest event in it
    zone  : reporting zone when the config names none
    kept  : mapping of an earlier load (`Intake.mapping`): its answers and stages
    defined: the data set has definitions, so that none is asked for
    loaded: opportunities (opp_id, name) of the load that these rows complete
    """
    config, kept = dict(config or {}), dict(kept or {})
    zone = instant.zone_of(config, zone)
    now, known = now or pd.Timestamp.now("UTC"), instant.said(as_of, config, answers, zone)
    latest = (now if known is None else known) + pd.Timedelta(days=1)          # a day for zones, and for extracts dated by a day
    desk = Desk(recognition.matches, {**kept.get("answers", {}), **answers}, zone, now, latest, ACCEPTED in config, loaded,
                {key: answer for key, answer in kept.get("answers", {}).items() if key not in answers})
    frames: dict[str, list[pd.DataFrame]] = {}
    meant = _meant(recognition, desk)
    for m, match in enumerate(recognition.matches):
        if progress:
            progress("checked", 0.6 * m / max(1, len(recognition.matches)), match.sheet.place)
        if match.subject and m in meant:
            _ask_encoding(match, desk)
            frame = read_cells(m, match, desk)
            check_sums(match, desk)
            frames.setdefault(match.subject, []).append(frame)
            if match.spec and match.spec.also:
                frames.setdefault(match.spec.also, []).append(frame.rename(columns={"lead_id": "contact_id"}))
    tables, homes = _plain(frames, desk)
    hints: dict[str, Any] = {}
    stages: Mapping[str, Any] = {}
    if any(subject not in schema.TABLES for subject in frames):
        month = {} if defined or _definitions(config) else {"fiscal_start_month": _fiscal_start(desk)}
        made, hints, known, stages = _crm(frames, desk, known, kept.get("stages", {}), config)
        tables |= {name: frame if name not in tables else _joined(tables[name], frame, schema.TABLES[name].key) for name, frame in made.items()}
        hints = hints | month
    elif not config and "opp_history" in tables:
        hints = _plain_hints(tables, desk, kept.get("stages", {}))
    dates = [c for name, frame in tables.items() for c in instant.events(name, frame)]
    if known is None:
        known = instant.latest(dates, desk)
    instant.believed(known, dates, now)
    _orphans(tables, homes, desk)
    _unasked(answers, defined, desk)
    if progress:
        progress("checked", 1.0, f"{sum(len(f) for f in tables.values()):,} records")
    rebuilt = config.get(ACCEPTED)
    data = CrmData(tables, known, desk.derived | (rebuilt if isinstance(rebuilt, dict) else {}))
    mapping = {**recognition.mapping(), "answers": {**kept.get("answers", {}), **answers}, "stages": stages or kept.get("stages", {}), "forms": desk.forms}
    words = pd.DataFrame(desk.words, columns=["kind", "word", "meaning", "rows", "evidence"])
    return Intake(data, desk.close(), recognition, tuple(desk.questions.values()), tuple(desk.messages), hints | _definitions(config), mapping, words, config)


def _meant(recognition: Recognition, desk: Desk) -> set[int]:
    """Which sheets are read: of sheets of one workbook with the same headings, those that an answer names."""
    out = set(range(len(recognition.matches)))
    groups: dict[tuple[object, ...], list[int]] = {}
    for m, match in enumerate(recognition.matches):
        if match.subject and match.sheet.name and not (match.spec and match.spec.plain) and not match.sheet.mends:
            groups.setdefault((match.sheet.file, match.subject, match.sheet.headings), []).append(m)
    for (file, subject, _), group in groups.items():
        if len(group) < 2:
            continue
        names = [recognition.matches[m].sheet.name for m in group]
        given = desk.ask(f"sheets:{file}:{subject}", f"{len(names)} sheets of {file} hold {SUBJECTS[str(subject)].title.lower()} under the same headings ({', '.join(names)}): "
                         "are all of them meant, or one?", ("all", *names), None, str(file))
        for m in group:
            if given not in (None, "all", recognition.matches[m].sheet.name):
                desk.leave_out(m, f"not used: as answered, only the sheet {given} is meant")
                out.discard(m)
    return out


def _ask_encoding(match: Match, desk: Desk) -> None:
    """Ask which letters are meant where the file does not say how it is written; the likeliest reading is shown meanwhile."""
    sheet = match.sheet
    if not sheet.encodings:
        return
    shown = [cell for heading in match.columns for cell in sheet.frame[heading][~sheet.frame[heading].str.fullmatch("[\x00-\x7f]*")].head(1)][:3]
    shown += [heading for heading in match.columns if not heading.isascii()][:1]
    if shown:                                               # else only columns that are not used leave it open
        example = ", ".join(f"“{cell[:60]}”" for cell in shown)
        desk.ask(f"encoding:{sheet.file}", f"{sheet.file} does not say how its letters are written; read as {sheet.encodings[0]} it says {example}: is that right? Else choose "
                 "another, or export the file as UTF-8.", sheet.encodings, None, sheet.place)


def _definitions(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in ("as_of", "report", ACCEPTED)}


def _fiscal_start(desk: Desk) -> int:
    """Month in which the fiscal year begins: no extract of a CRM says it."""
    return int(desk.ask("fiscal_start_month", "In which month does your fiscal year begin?", [str(n) for n in range(1, 13)], "1", "definitions") or 1)


def _unasked(answers: Mapping[str, str], defined: bool, desk: Desk) -> None:
    """Answers that no question has, said with the questions there are; `as_of` and `quarantined:…` are read elsewhere."""
    for key in answers:
        if key in desk.asked or key == "as_of" or key.startswith("quarantined:"):
            continue
        if key == "fiscal_start_month" and defined:
            desk.say("fiscal_start_month is defined already, so the answer changes nothing; change it in the Glossary")
        else:
            keys = ", ".join(desk.questions) or "none that is open"
            desk.say(f"no question has the key “{key}”; the questions are {keys}")


def _plain(frames: Mapping[str, list[pd.DataFrame]], desk: Desk) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Tables that are canonical already, and the same with the home of every row."""
    out, homes = {}, {}
    whole: dict[str, pd.DataFrame] = {}
    for name in (n for n in frames if n in schema.TABLES):
        spec = schema.TABLES[name]
        frame = gather(frames[name])
        for needed in spec.needed:
            missing = column(frame, needed).isna().to_numpy()
            desk.hold(frame[missing], needed, "R_NO_ID" if needed in spec.key else "R_NEEDED", f"{spec.title}: {needed} is missing")
            frame = frame[~missing].reset_index(drop=True)
        for c in spec.columns:
            if c.words and c.name in frame.columns:
                odd = (frame[c.name].notna() & ~frame[c.name].isin(c.words)).to_numpy(dtype=bool)
                code, act = ("R_WORD", desk.hold) if c.needed else ("N_WORD", desk.note)
                act(frame[odd], c.name, code, f"{c.name} is none of {', '.join(c.words)}")
                frame = frame[~odd].reset_index(drop=True) if c.needed else frame
        if name in _SINGLE:
            frame = without_doubles(frame, list(spec.key), desk)
        whole[name] = frame
    if "opp_history" in whole:
        deals, (moves,) = whole_deals(whole.get("opportunities", gather([])), [whole["opp_history"]], desk)
        whole |= {"opp_history": moves} | ({"opportunities": deals} if "opportunities" in whole else {})
    for name, frame in whole.items():
        spec, homes[name] = schema.TABLES[name], frame
        out[name] = schema.conform(name, frame[[c for c in spec.names if c in frame.columns]])
    return out, homes


def _crm(frames: Mapping[str, list[pd.DataFrame]], desk: Desk, as_of: pd.Timestamp | None,
         kept: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[dict[str, pd.DataFrame], dict[str, Any], pd.Timestamp, Mapping[str, Any]]:
    """Canonical tables of the sheets of CRMs, hints for the terms, the instant of the extract, the stages as understood."""
    get = {subject: gather(parts) for subject, parts in frames.items()}
    def take(subject: str) -> pd.DataFrame:
        return get.get(subject, gather([]))
    present, shots = weekly(take("deal"), desk)
    sources = deals.Sources(present, pd.concat([take("deal_state"), shots], ignore_index=True) if len(shots) else take("deal_state"), take("deal_change"), take("stage_list"), take("deal_company"), take("product"))
    opps, named = deals.read(sources, desk)
    lead_frame, contact_frame, member_frame = take("lead"), take("contact"), take("member")
    people_frame, activity_frame = take("user"), take("activity")
    accounts = people.accounts(take("account"), [opps, contact_frame] if len(opps) or len(contact_frame) else [], desk)
    owned = [named_ids(f, "owner_id", "owner_name") for f in (opps, lead_frame, take("account"))] + [named_ids(activity_frame, "user_id", "owner_name")]
    users = people.users(people_frame, owned, desk)
    campaigns = others.campaigns(take("campaign"), [named_ids(f, "campaign_id", "campaign_name") for f in (opps, lead_frame, member_frame)], member_frame, desk)
    built = deals.build(opps, sources, accounts, users, campaigns, named, desk, kept)
    records, events = built.records, built.events
    if as_of is None:
        as_of = instant.latest([*(c for frame in get.values() for c in instant.stamps(frame)), column(records, "closed_at", _TS), column(events, "changed_at", _TS)], desk)
    if len(records):
        first = events.groupby("opp_id")["changed_at"].min() if len(events) else pd.Series(dtype=_TS)
        records = deals.with_creation(records, as_of, desk, first)
        events = history.rebuild(records, events, built.stages, as_of, desk)
    contacts = people.contacts(contact_frame, accounts, desk)
    leads = people.leads(lead_frame, accounts, users, records, campaigns, desk)
    changed = take("lead_change")
    late = column(changed, "lead_id").isna() | column(changed, "changed_at", _TS).isna()
    desk.hold(changed[late.to_numpy()], "lead_id", "R_NO_ID", "lead history: the lead or the time is missing")
    changed = changed[~late.to_numpy()].reset_index(drop=True)
    lead_events = people.lead_history(leads, changed, as_of, desk) if len(leads) or len(changed) else leads
    touches = others.touches(member_frame, campaigns, desk)
    activities = others.activities(activity_frame, users, take("activity_person"), take("activity_deal"), records, as_of, desk)
    roles = others.roles(take("contact_role"), named, contacts, desk)
    rates = [f for f in (others.rates(take("rate")), built.rates) if len(f)]
    if len(leads) and "source_campaign_id" in leads.columns and len(opps):
        source = leads.dropna(subset=["converted_opportunity_id"]).drop_duplicates("converted_opportunity_id").set_index("converted_opportunity_id")
        records = records.assign(primary_campaign_id=records["primary_campaign_id"].fillna(look_up(records["opp_id"], source["source_campaign_id"])))
    made = {"opportunities": records, "opp_history": events, "leads": leads, "lead_stage_history": lead_events, "contacts": contacts, "accounts": accounts,
            "users": users, "campaigns": campaigns, "touches": touches, "activities": activities, "opp_contact_roles": roles,
            "targets": others.targets(take("goal"), as_of, config, desk), "fx_rates": pd.concat(rates, ignore_index=True) if rates else pd.DataFrame()}
    given = {"activities": "activity", "leads": "lead", "opportunities": "deal", "contacts": "contact", "touches": "member"}
    tables = {name: finish(name, frame) if len(frame) else schema.empty(name) for name, frame in made.items()
              if len(frame) or given.get(name) in get}
    stages = built.stages
    remembered = {"outcome": dict(stages.outcome), "order": list(stages.order), "entry": stages.entry} if stages else {}
    return tables, built.hints, as_of, remembered


def _joined(own: pd.DataFrame, more: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """Rows of the plain table, then those of other sheets whose key it lacks."""
    both = pd.concat([own, more], ignore_index=True)
    return both.drop_duplicates(list(key), ignore_index=True)


def _plain_hints(tables: Mapping[str, pd.DataFrame], desk: Desk, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Stages of canonical tables that come without a config."""
    from revscore.intake.stages import understand
    events = tables["opp_history"]
    rows = pd.DataFrame({"stage": events["stage"], "is_won": pd.Series(pd.NA, index=events.index, dtype="boolean"),
                         "is_closed": pd.Series(pd.NA, index=events.index, dtype="boolean"), "probability": np.nan})
    listed = pd.DataFrame({"label": pd.Series(dtype="str"), "position": pd.Series(dtype=float), "is_won": pd.Series(dtype="boolean"),
                           "is_closed": pd.Series(dtype="boolean"), "probability": pd.Series(dtype=float)})
    times = pd.DataFrame({"opp_id": events["opp_id"], "stage": events["stage"], "at": events["changed_at"]})
    return understand(rows, listed, times, desk, kept).hints()


def _orphans(tables: Mapping[str, pd.DataFrame], homes: Mapping[str, pd.DataFrame], desk: Desk) -> None:
    """Records that point to one the extract lacks: kept; noted row by row where the row is known, else in a sentence."""
    for table, name, target, key in _LINKS:
        if table not in tables or target not in tables or name not in tables[table].columns:
            continue
        column_ = tables[table][name]
        lost = column_.notna().to_numpy() & ~within(column_, tables[target][key])
        if not lost.any():
            continue
        what = f"{schema.TABLES[target].title.lower()} of the extract do not have it; kept"
        if table in homes and len(homes[table]) == len(lost):
            desk.note(homes[table][lost], name, "N_ORPHAN", f"{name}: the {what}")
        else:
            desk.say(f"{schema.TABLES[table].title}: {int(lost.sum()):,} point to {schema.TABLES[target].title.lower()} that the extract does not have; "
                     "they are kept")
