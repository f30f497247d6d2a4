"""From text to typed fields, column by column: dates, numbers, money, yes/no, ids. What cannot be read holds its row back, with the cell.

Date order, decimal mark and currency are decided per column with evidence; other columns of the same file may decide for one in doubt;
what stays open is asked.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from revscore.intake.dates import ORDERS, evidence, read_dates
from revscore.intake.desk import Desk
from revscore.intake.match import Match
from revscore.intake.numbers import read_booleans, read_numbers
from revscore.intake.plain import typed
from revscore.intake.subjects import SUBJECTS, Field
from revscore.intake.words import currency, lists

ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!")
_HIDDEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
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
    orders = {} if plain else _orders(match, dates, desk)
    naive = "UTC" if spec and spec.naive == "UTC" else desk.zone
    uneven = sheet.uneven
    desk.hold(place[uneven], "", "R_CELLS", "the row has more or fewer cells than there are headings")
    decimal: str | None = None
    for heading, f in sorted(fields.items(), key=lambda item: item[1].kind != "money"):
        raw = sheet.frame[heading]
        text = raw if plain and f.kind in ("text", "enum") else raw.str.strip()
        broken = text.isin(ERRORS).to_numpy()
        desk.hold(place[broken], f.name, "R_ERROR_CELL", f"“{heading}” holds an error of the spreadsheet instead of a value")
        text = text.mask(broken, "")
        if not plain and f.kind in ("ts", "date", "num", "money", "bool") or f.name == "owner_name":
            text = _without_placeholders(text, place, f, heading, desk)
        if f.kind == "id":
            text = _ids(text, place, f, heading, bool(spec and spec.salesforce_ids), desk)
        if plain and f.kind != "money":
            values, bad = typed(f.kind, text, desk.zone)
        elif f.kind in ("ts", "date"):
            got = read_dates(text, f.kind, desk.zone, _named_zone(heading) or naive, orders.get(heading))
            values, bad = got.values, got.bad
        elif f.kind in ("num", "money"):
            answered = desk.answer(f"decimal_mark:{sheet.file}:{heading}")
            numbers = read_numbers(text, decimal or answered)
            if numbers.doubt:
                mark = desk.ask(f"decimal_mark:{sheet.file}:{heading}", f"Is “{_example(text)}” in “{heading}” written with a decimal "
                                f"{'comma' if ',' in _example(text) else 'point'}, or with a mark of thousands?", (".", ","),
                                "," if f.kind == "money" and "." in _example(text) else ".", sheet.place)
                numbers = read_numbers(text, mark)
            elif f.kind == "money" and "value" in numbers.evidence and numbers.evidence[0].isdigit():
                decimal = numbers.decimal
            values, bad = numbers.values, numbers.bad
            if f.kind == "money":
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
                desk.hold(place[bad], f.name, "R_AMOUNT" if f.kind in ("num", "money") else "R_DATE" if what == "date" else "R_WORD",
                          f"“{heading}” is no {what} that exists; mend it and load again")
        out[f.name] = values.reset_index(drop=True)
    for heading, word in match.stamps.items():
        got = read_dates(sheet.frame[heading].str.strip(), "ts", desk.zone, naive, orders.get(heading))
        desk.note(place[got.bad], heading, "N_UNREAD", f"“{heading}” is no date; the cell was left out")
        out[f"stamp:{word}"] = got.values.reset_index(drop=True)
    frame = pd.DataFrame(out, index=place.index)
    frame[["_m", "_row"]] = place
    held = uneven | _held(desk, m, len(frame))
    return frame[~held].reset_index(drop=True)


def _held(desk: Desk, m: int, n: int) -> np.ndarray:
    held = np.zeros(n, bool)
    for action, owner, rows, *_ in desk._entries:
        if action == "quarantine" and owner == m:
            held[rows] = True
    return held


def _field(match: Match, name: str) -> Field:
    subject = SUBJECTS[match.subject].fields
    return subject[name] if name in subject else SUBJECTS[match.spec.also].fields[name]  # type: ignore[union-attr]


def _without_placeholders(text: pd.Series, place: pd.DataFrame, f: Field, heading: str, desk: Desk) -> pd.Series:
    """Words that stand for "nothing" in dates, amounts, numbers and owners are empty cells; those of dates and amounts are noted."""
    words = lists()["missing"]
    nothing = text.str.lower().isin([*words["any"], *(words["owner"] if f.name == "owner_name" else ())]).to_numpy()
    if f.kind in ("ts", "date", "num", "money"):
        desk.note(place[nothing], f.name, "N_PLACEHOLDER", f"“{heading}” holds a word for nothing; it is taken as empty")
    return text.mask(nothing, "")


def _named_zone(heading: str) -> str:
    """The zone that a heading names: "Create Date (GMT+1)" is UTC+01:00; "" for none."""
    found = _ZONE.search(heading)
    if found is None:
        return ""
    return f"UTC{found['sign']}{int(found['h']):02}:{found['m'] or '00'}" if found["sign"] else "UTC"


def _example(text: pd.Series) -> str:
    return str(text[text.str.contains(r"[0-9][.,][0-9]{3}", regex=True)].iloc[0])


def _orders(match: Match, headings: list[str], desk: Desk) -> dict[str, str]:
    """Order of day and month per heading that leaves it open: an answer, else what the other columns of the file show, else asked."""
    file = match.sheet.file
    found: dict[str, str | None] = {}
    for heading in headings:
        given = desk.answer(f"date_order:{file}:{heading}")
        if given in ORDERS:
            found[heading] = given
            continue
        text = match.sheet.frame[heading].str.strip()
        order, why = evidence(text[text != ""])
        if order != "":
            found[heading] = order
            desk.forms[f"date_order:{file}:{heading}"] = f"{order or 'open'}: {why}"
    answered = next((given for heading in headings if (given := desk.answers.get(f"date_order:{file}:{heading}")) in ORDERS), None)
    sure = {order for order in found.values() if order}
    others = answered or (sure.pop() if len(sure) == 1 else None)          # columns that disagree settle nothing
    open_ = [heading for heading, order in found.items() if order is None]
    first = next((heading for heading in open_ if match.columns.get(heading) not in _SOFT), None)
    if first and not answered:                                             # one answer decides for all columns of the file
        more = [f"“{heading}”" for heading in open_ if heading != first]
        text = (f"Is “{_either_way(match.sheet.frame[first])}” in “{first}” written month first (mdy) or day first (dmy)?"
                + (f" {', '.join(more)} leave{'s' if len(more) == 1 else ''} it open too: one answer settles the file." if more else "")
                + (f" The other dates of the file are {others}." if others else ""))
        others = desk.ask(f"date_order:{file}:{first}", text, ORDERS, others, match.sheet.place)
    return {heading: order or others or "mdy" for heading, order in found.items()}


def _either_way(text: pd.Series) -> str:
    """The first date that is another one when its day and month change places."""
    parts = text.str.strip().str.extract(r"^([0-9]{1,2})[-/.]\s?([0-9]{1,2})[-/.]").astype(float)
    return str(text[(parts[0] != parts[1]) & (parts.max(axis=1) <= 12)].iloc[0]).strip()


def _ids(text: pd.Series, place: pd.DataFrame, f: Field, heading: str, salesforce: bool, desk: Desk) -> pd.Series:
    hidden = text.str.contains(_HIDDEN, regex=True).to_numpy()
    damaged = text.str.fullmatch(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{2,}").to_numpy(dtype=bool)
    desk.hold(place[hidden], f.name, "R_ID", f"“{heading}” holds characters that cannot be seen")
    desk.hold(place[damaged], f.name, "R_ID", f"“{heading}” was turned into a rounded number by a spreadsheet; export the ids as text")
    if not salesforce:
        return text
    whole = complete_ids(text)
    changed = int((whole != text).sum())
    if changed:
        sheet = desk.matches[int(place["_m"].iloc[0])].sheet
        desk.say(f"{sheet.place}, column {heading}: {changed:,} id{'s' if changed > 1 else ''} of 15 characters completed to the 18 of Salesforce")
    return whole


def complete_ids(text: pd.Series) -> pd.Series:
    """Salesforce ids of 15 characters as their 18: three letters say which of the 15 are capitals, so that case is never lost."""
    short = text.str.fullmatch(r"[a-zA-Z0-9]{15}").to_numpy(dtype=bool) & text.str.contains(r"^[a-zA-Z0-9]{3}.*[0-9]", regex=True).to_numpy()
    if not short.any():
        return text
    codes, words = pd.factorize(text[short])
    letters = np.array(words, dtype="U15").view("U1").reshape(-1, 3, 5)
    bits = ((letters >= "A") & (letters <= "Z")) @ (1 << np.arange(5))
    tail = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"))[bits]
    whole = np.array([word + "".join(three) for word, three in zip(words, tail, strict=True)], dtype=object)
    out = text.copy()
    out[short] = whole[codes]
    return out


def currencies(text: pd.Series) -> pd.Series:
    """ISO codes of currency words; missing where a word is none."""
    codes, words = pd.factorize(text)
    return pd.Series(np.array([*(currency(str(word)) for word in words), None], dtype=object)[codes], index=text.index, dtype="str")
