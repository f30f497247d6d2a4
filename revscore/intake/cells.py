"""From text to typed fields, column by column: dates, numbers, money, yes/no, ids. What cannot be read holds its row back, with the cell.

Date order (`intake.orders`), decimal mark and currency are decided per column with evidence; other columns of the same file may decide for one in doubt;
what stays open is asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.intake.dates import is_zone, read_dates
from revscore.intake.desk import Desk, Question
from revscore.intake.ids import read_ids
from revscore.intake.match import Match
from revscore.intake.numbers import LARGEST, Numbers, read_booleans, read_numbers
from revscore.intake.orders import orders as orders_of
from revscore.intake.patterns import begins, ordinary, spread, strip
from revscore.intake.plain import typed
from revscore.intake.presets import aliases
from revscore.intake.sheet import DOUBLED, FORMULA
from revscore.intake.subjects import SUBJECTS, Field
from revscore.intake.words import currency, fold, lists

ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!")
_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"                     # controls, and overrides of the direction of writing
_CREATED = {"deal", "lead", "contact", "opportunities", "leads", "contacts"}
_VALUES = {("deal", "amount"), ("deal", "actual_amount"), ("deal_state", "amount"), ("opp_history", "amount")}
_SOFT = {"modified_at", "stage_changed_at", "probability", "home_currency", "amount_home"}   # helpers: a cell that cannot be read costs only itself
_ZONE = re.compile(r"\((?:UTC|GMT)(?:(?P<sign>[+-])(?P<h>[0-9]{1,2})(?::?(?P<m>[0-9]{2}))?)?\)", re.IGNORECASE)


def read_cells(m: int, match: Match, desk: Desk) -> pd.DataFrame:
    """The typed frame of one sheet: a column per field, `<field>:currency` for money that names one, `stamp:<word>` for entry times."""
    sheet, spec = match.sheet, match.spec
    place = pd.DataFrame({"_m": np.full(len(sheet.frame), m), "_row": np.arange(len(sheet.frame))})
    out: dict[str, pd.Series] = {}
    fields = {h: _field(match, name) for h, name in match.columns.items()}
    dates = [h for h, f in fields.items() if f.kind in ("ts", "date")] + list(match.stamps)
    plain = bool(spec and spec.plain)
    orders, swapped = ({}, set()) if plain else orders_of(match, dates, _SOFT, desk)
    naive = "UTC" if spec and spec.naive == "UTC" else desk.zone
    uneven = sheet.uneven
    desk.hold(place[uneven], "", "R_CELLS", "the row has more or fewer cells than there are headings")
    below = _another_table(match, fields)
    desk.hold(place[below], "", "R_OTHER_TABLE", "another table begins above this row, with headings of its own; load it as a file of its own")
    decimal: str | None = None
    for heading, f in sorted(fields.items(), key=lambda item: item[1].kind != "money"):
        raw, unread = sheet.frame[_twin(match, heading, desk)], np.zeros(len(sheet.frame), bool)
        text = raw if plain and f.kind in ("text", "enum") else strip(raw)
        if begins(text, (*ERRORS, FORMULA)):
            broken, unsaved = text.isin(ERRORS).to_numpy(), text.str.startswith(FORMULA).to_numpy(dtype=bool)
            desk.hold(place[broken], f.name, "R_ERROR_CELL", f"“{heading}” holds an error of the spreadsheet instead of a value")
            desk.hold(place[unsaved], f.name, "R_FORMULA", f"“{heading}” holds a formula without its value; open the workbook in Excel, save it and load again")
            text = text.mask(broken | unsaved, "")
        if f.kind in ("text", "enum") and not ordinary(text):
            desk.hold(place[text.str.contains(_CONTROL, regex=True).to_numpy(dtype=bool)], f.name, "R_TEXT",
                      f"“{heading}” holds control characters or marks of direction that cannot be seen; take them out")
        if f.name == "currency" and match.subject in ("deal", "opportunities"):
            desk.hold(place[((text != "") & currencies(text).isna()).to_numpy(dtype=bool)], f.name, "R_CURRENCY", f"“{heading}” is no currency of ISO 4217; mend it")
        if not plain and f.kind in ("ts", "date", "num", "money", "bool") or f.name == "owner_name" or f.kind == "id" and not desk.ours:
            text = _without_placeholders(text, place, f, heading, f.kind == "id" and _names_records(match, f), desk)
        if f.kind == "id":
            text = read_ids(text, place, f.name, heading, bool(spec and spec.salesforce_ids), desk)
        if plain and f.kind != "money":
            values, bad = typed(f.kind, text, desk.zone)
        elif f.kind in ("ts", "date"):
            got = read_dates(text, f.kind, desk.zone, _named_zone(heading) or naive, orders.get(heading), heading in swapped)
            if got.mixed and f.kind == "ts" and not _named_zone(heading):
                got = read_dates(text, f.kind, desk.zone, _zone_of_others(match, heading, f, desk) or naive, orders.get(heading), heading in swapped)
            values, bad, unread = got.values, got.bad, got.unread
        elif f.kind in ("num", "money"):
            numbers = _numbers(text, f, heading, match, decimal, desk)
            if f.kind == "money" and not numbers.doubt and numbers.evidence[0].isdigit():
                decimal = numbers.decimal
            values, bad = numbers.values, numbers.bad | (numbers.values.abs() >= LARGEST).to_numpy()
            if f.kind == "money":
                bad = bad | text.str.contains("%", regex=False).to_numpy(dtype=bool) if numbers.percent else bad
                named = numbers.currency
                out[f"{f.name}:currency"] = named.fillna(match.currency[heading]) if heading in match.currency else named
        elif f.kind == "bool":
            values, bad = read_booleans(text)
        else:
            values, bad = text.where(text != ""), np.zeros(len(text), bool)
        if bad.any():
            what = {"ts": "date", "date": "date", "num": "number", "money": "amount", "bool": "yes or no"}[f.kind]
            if f.name in _SOFT or f.kind == "bool" and not plain:
                desk.note(place[bad], f.name, "N_UNREAD", f"“{heading}” is no {what}; the cell was left out")
            else:
                code = "R_AMOUNT" if f.kind in ("num", "money") else "R_DATE" if what == "date" else "R_WORD"
                desk.hold(place[bad & ~unread], f.name, code, f"“{heading}” is no {what} that exists; mend it and load again")
                desk.hold(place[bad & unread], f.name, code, f"“{heading}” is written in a form that is not read; write it as 2026-01-31 and load again")
        if (match.subject, f.name) in _VALUES:
            desk.hold(place[(values < 0).to_numpy(dtype=bool)], f.name, "R_NEGATIVE", f"“{heading}” is negative; an opportunity is worth nothing or more")
        if f.name == "created_at" and match.subject in _CREATED:
            desk.hold(place[(values > desk.latest).to_numpy(dtype=bool)], f.name, "R_FUTURE", f"“{heading}” is after the date of the extract")
        out[f.name] = values.reset_index(drop=True)
        if f.name == "amount" and f.kind == "money":
            spelt = numbers.currency.where(~text.str.contains("[$¥]", regex=True))      # these signs are those of several currencies
            _hold_contradicted(spelt, heading, fields, match, place, desk)
    for heading, word in match.stamps.items():
        got = read_dates(sheet.frame[heading].str.strip(), "ts", desk.zone, naive, orders.get(heading), heading in swapped)
        desk.note(place[got.bad], heading, "N_UNREAD", f"“{heading}” is no date; the cell was left out")
        out[f"stamp:{word}"] = got.values.reset_index(drop=True)
    frame = pd.DataFrame(out, index=place.index)
    frame[["_m", "_row"]] = place
    held = _held(desk, m, len(frame))
    return frame[~held].reset_index(drop=True)


def _numbers(text: pd.Series, f: Field, heading: str, match: Match, decimal: str | None, desk: Desk) -> Numbers:
    """The numbers of a column; its decimal mark is asked for where neither they nor `decimal`, the mark of other columns, tell it. An answer that was kept from an earlier load
    gives way, and is asked for again, where the other columns speak against it."""
    key, sheet = f"decimal_mark:{match.sheet.file}:{heading}", match.sheet
    answered, kept = desk.answer(key), None if sheet.mends else desk.recalled(key)
    spoken = bool(decimal and kept and kept != decimal and read_numbers(text).doubt)
    numbers = read_numbers(text, None if spoken else answered or decimal)
    if numbers.doubt:
        default = "." if f.name in _SOFT or "," in _example(text) and not numbers.torn and not spoken else None
        mark = desk.ask(key, f"Which is the decimal mark in “{heading}”, as in “{_example(text)}”: a point or a comma?", (".", ","), default, sheet.place, anew=spoken)
        return replace(read_numbers(text, mark), doubt=True)
    if decimal or numbers.evidence[0].isdigit() and not numbers.torn:
        desk.forms[key] = f"{numbers.decimal}: {numbers.evidence}"
    return numbers


def _hold_contradicted(spelt: pd.Series, heading: str, fields: dict[str, Field], match: Match, place: pd.DataFrame, desk: Desk) -> None:
    """Hold rows whose amount names another currency than the column of currencies beside it: nobody can tell which of them is meant."""
    beside = next((other for other, f in fields.items() if f.name == "currency"), None)
    if beside is None or not spelt.notna().any():
        return
    said = currencies(strip(match.sheet.frame[beside]))
    desk.hold(place[(spelt.notna() & said.notna() & (spelt != said)).to_numpy(dtype=bool)], "amount", "R_CURRENCY",
              f"“{heading}” names another currency than “{beside}”; mend the one that is wrong")


def _held(desk: Desk, m: int, n: int) -> np.ndarray:
    held = np.zeros(n, bool)
    for action, owner, rows, *_ in desk.entries:
        if action == "quarantine" and owner == m:
            held[rows] = True
    return held


def _field(match: Match, name: str) -> Field:
    subject = SUBJECTS[match.subject].fields
    return subject[name] if name in subject else SUBJECTS[match.spec.also].fields[name]  # type: ignore[union-attr]


def _names_records(match: Match, f: Field) -> bool:
    """Whether a record of this sheet is nothing without this id; else the id points to another one, and may be empty."""
    subject = SUBJECTS[match.subject]
    own = f.name == next(iter(subject.fields))
    return any(f.name == need or own and f.name in need.split("|") for need in subject.needs)


def _without_placeholders(text: pd.Series, place: pd.DataFrame, f: Field, heading: str, key: bool, desk: Desk) -> pd.Series:
    """Words that stand for "nothing" in dates, amounts, numbers, owners and ids are empty cells; those of all but owners are noted. As the `key` of a record they hold
    its row back: it may be an id that only looks so."""
    words = lists()["missing"]
    every = {*words["any"], *(words["owner"] if f.name == "owner_name" else ())} - ({"nan"} if f.kind in ("num", "money") else set())   # no number, and no word of people
    if not begins(text, every):
        return text
    nothing = text.str.lower().isin(every).to_numpy()
    if key:
        desk.hold(place[nothing], f.name, "R_ID", f"“{heading}” holds a word for nothing where the id of a record belongs; write the id")
        return text
    if f.kind in ("ts", "date", "num", "money", "id"):
        desk.note(place[nothing], f.name, "N_PLACEHOLDER", f"“{heading}” holds a word for nothing; it is taken as empty")
    return text.mask(nothing, "")


def _named_zone(heading: str) -> str:
    """The zone that a heading names: "Create Date (GMT+1)" is UTC+01:00; "" for none."""
    found = _ZONE.search(heading)
    if found is None:
        return ""
    return f"UTC{found['sign']}{int(found['h']):02}:{found['m'] or '00'}" if found["sign"] else "UTC"


def _zone_of_others(match: Match, heading: str, f: Field, desk: Desk) -> str:
    """The zone of times that name none in a column where others do: asked, since the column does not tell."""
    key = f"zone:{match.sheet.file}:{heading}"
    given = desk.answer(key)
    if given and is_zone(given):
        return given
    if given:
        desk.say(f"the answer “{given}” to {key} is no time zone; it was not used")
    text = f"Some times in “{heading}” name their zone and others do not: which zone are the others in (such as {desk.zone} or Europe/Berlin)?"
    desk.questions.setdefault(key, Question(key, text, (), desk.zone if f.name in _SOFT else None, match.sheet.place))
    return ""


def _example(text: pd.Series) -> str:
    """The first cell that can be read both ways, else the first with a mark."""
    for pattern in (r"[0-9][.,][0-9]{3}(?![0-9.,])", r"[0-9][.,][0-9]"):
        found = text[text.str.contains(pattern, regex=True)]
        if len(found):
            return str(found.iloc[0])
    return ""


def _twin(match: Match, heading: str, desk: Desk) -> str:
    """Which of the columns under one heading is meant: the only filled one, or any of equal ones, else the one that an answer names."""
    frame = match.sheet.frame
    doubled = any(note.startswith(DOUBLED) and heading in note for note in match.sheet.notes)
    twins = [heading, *(label for label in match.unrecognised if fold(label) == fold(heading) or doubled and re.fullmatch(re.escape(heading) + r" \([0-9]+\)", label))]
    if len(twins) == 1:
        return heading
    filled = [label for label in twins if (frame[label] != "").any()]
    if len(filled) < 2 or all(frame[label].equals(frame[filled[0]]) for label in filled):
        return filled[0] if filled else heading
    given = desk.ask(f"heading:{match.sheet.file}:{heading}", f"“{heading}” stands over {len(filled)} columns with different cells: which one is meant?", tuple(filled), None,
                     match.sheet.place)
    return given or heading


def _another_table(match: Match, fields: dict[str, Field]) -> np.ndarray:
    """Rows from the headings of another export on, glued below this one: where dates or amounts belong stands a heading, with more of them beside it."""
    frame = match.sheet.frame
    below = np.zeros(len(frame), bool)
    at = next((heading for heading, f in fields.items() if f.kind in ("ts", "date", "money")), None)
    if at is None or not len(frame):
        return below
    known = _known_headings()
    suspects = np.flatnonzero((frame[at].str.len() > 3).to_numpy() & frame[at].str.contains("^[A-Za-z]", regex=True).to_numpy(dtype=bool))[:2000]
    for row in suspects:
        if sum(fold(cell) in known for cell in frame.iloc[row] if cell) >= max(3, (frame.iloc[row] != "").sum() // 2):
            below[row:] = True
            break
    return below


@cache
def _known_headings() -> frozenset[str]:
    return frozenset(heading for subject in SUBJECTS if subject not in schema.TABLES for heading in aliases(subject))


def currencies(text: pd.Series) -> pd.Series:
    """ISO codes of currency words; missing where a word is none."""
    codes, words = pd.factorize(text)
    return spread([currency(str(word)) for word in words], codes, text.index)
