"""The order of day and month in the columns of one sheet: what each shows by itself, what the others of the file show, what was answered; the rest is asked.

An answer given for this load stands. One that was kept from an earlier load gives way, and is asked for again, where the columns of this file speak against it.
"""

from __future__ import annotations

import pandas as pd

from revscore.intake.dates import ORDERS, evidence
from revscore.intake.desk import Desk
from revscore.intake.match import Match
from revscore.intake.patterns import strip

_OPEN = r"^([0-9]{1,2})[-/.]\s?([0-9]{1,2})[-/.]\s?([0-9]{2,4})"
_TRUE = r"^[0-9]{4}-([0-9]{2})-([0-9]{2})$"
_SOME = 2              # so many distinct true dates, and texts, before their days say anything
_NEAR = 5              # years around the extract in which most dates of a CRM lie
AS_IS, SWAPPED = "the real dates are right", "day and month have changed places"


def orders(match: Match, headings: list[str], soft: set[str], desk: Desk) -> tuple[dict[str, str], set[str]]:
    """(order per heading that leaves it open, headings whose true dates are to change day and month). `soft`: fields that are helpers, for which nothing is asked."""
    keys, mended = {heading: f"date_order:{match.sheet.file}:{heading}" for heading in headings}, bool(match.sheet.mends)
    found: dict[str, str | None] = {}
    leading: dict[str, str] = {}                                           # headings whose first number may be the year, with a date of each
    swapped = set()
    torn = False
    for heading, key in keys.items():
        text = strip(match.sheet.frame[heading])
        days = pd.Series(text[text != ""].str.slice(0, 10).unique(), dtype="str")
        order, why = evidence(days)
        led = "ymd" in (desk.answer(key), desk.recalled(key))
        if order == "dmy" and (date := _year_may_lead(days, desk.latest.year, led)) or mended and led:
            leading[heading] = date if order == "dmy" else ""
        elif order != "":
            found[heading] = order
            desk.forms[key] = f"{order or 'open'}: {why}"
            torn = torn or order is None and why[0].isdigit()
        if _swaps(match, heading, days if order in ORDERS else days.iloc[:0], match.columns.get(heading) in soft, desk):
            swapped.add(heading)
    return _settled(match, found, torn, keys, soft, desk) | _led(match, leading, keys, desk), swapped


def _settled(match: Match, found: dict[str, str | None], torn: bool, keys: dict[str, str], soft: set[str], desk: Desk) -> dict[str, str]:
    """The order of every column of `found` (by what it shows itself; None: nothing): answered, as the others of the file are written, or asked. `torn`: a column contradicts itself."""
    sure = {order for order in found.values() if order}
    kept = {heading: order for heading, key in keys.items() if (order := desk.recalled(key)) in ORDERS and not match.sheet.mends}      # the answers of a load hold for its mended rows
    spoken = next((order for order in kept.values() if torn or sure and order not in sure), None)                                      # one that the columns speak against
    answers = {heading: order for heading, key in keys.items() if (order := desk.answers.get(key)) in ORDERS and not (spoken and heading in kept)}
    found = {heading: answers.get(heading, order) for heading, order in found.items()}
    answered = next(iter(answers.values()), None)
    others = answered or (next(iter(sure)) if len(sure) == 1 else None)    # columns that disagree settle nothing
    open_ = [heading for heading, order in found.items() if order is None]
    first = next((heading for heading in open_ if match.columns.get(heading) not in soft), None)
    if first and not answered:                                             # one answer decides for all columns of the file
        more = [f"“{heading}”" for heading in open_ if heading != first]
        text = (f"Is “{_either_way(match.sheet.frame[first])}” in “{first}” written month first (mdy) or day first (dmy)?"
                + (f" {', '.join(more)} leave{'s' if len(more) == 1 else ''} it open too: one answer settles the file." if more else "")
                + (f" The other dates of the file are {others}." if others else "")
                + (f" The answer kept from an earlier load ({spoken}) does not go with the dates of this file." if spoken else ""))
        others = desk.ask(keys[first], text, ORDERS, None if spoken else others, match.sheet.place, anew=bool(spoken))
    return {heading: order or others or "mdy" for heading, order in found.items()}


def _led(match: Match, leading: dict[str, str], keys: dict[str, str], desk: Desk) -> dict[str, str]:
    """The order of columns whose first number may be the year, which one answer settles."""
    keys = {heading: keys[heading] for heading in leading}
    given = next((order for key in keys.values() if (order := desk.answers.get(key)) in ("ymd", "dmy")), None)
    if leading and given is None:
        first, date = next(iter(leading.items()))
        given = desk.ask(keys[first], f"Is “{date}” in “{first}” written year first (ymd) or day first (dmy)? Every value begins with a number above 12, as the years of late do.",
                         ("ymd", "dmy"), None, match.sheet.place)
    desk.forms |= {key: f"{given or 'open'}: every value may begin with its year" for key in keys.values()}
    return dict.fromkeys(leading, given or "dmy")


def _swaps(match: Match, heading: str, days: pd.Series, soft: bool, desk: Desk) -> bool:
    """Whether day and month of the true dates of a column have changed places: asked where it looks as if a spreadsheet had read a part of it in the wrong order."""
    key = f"dates_converted:{match.sheet.file}:{heading}"
    seen = _half_converted(days)
    if seen is None:
        return bool(match.sheet.mends) and desk.answers.get(key) == SWAPPED                 # its mended rows are read as the column was
    date, text = seen
    said = (f"In “{heading}” a part are real dates (such as {date}), none of a day above 12, and the others texts that can be read one way only (such as {text}): so it looks when Excel "
            "has converted a part of a column that was written in the other order. Are the real dates right, or have their day and month changed places? If you do not know, export again.")
    return desk.ask(key, said, (AS_IS, SWAPPED), AS_IS if soft else None, match.sheet.place) == SWAPPED


def _half_converted(days: pd.Series) -> tuple[str, str] | None:
    """A true date and a text of a column in which a spreadsheet seems to have made true dates of what it could read (05/01, as 1 May) and left the rest texts (13/01); None
    where a true date has a day above 12, or a text leaves a choice."""
    numbers = days.str.extract(_OPEN)
    texts = numbers[0].notna()
    true = days.str.extract(_TRUE)[1].astype("float64") if texts.sum() >= _SOME else pd.Series(dtype="float64")
    if true.notna().sum() < _SOME or true.max() > 12:
        return None
    first, second = (numbers.loc[texts, at].astype("int64") for at in (0, 1))
    if not ((first > 12) & (second <= 12)).all() and not ((first <= 12) & (second > 12)).all():
        return None
    return str(days[true.notna()].iloc[0]), str(days[texts].iloc[0])


def _year_may_lead(days: pd.Series, year: int, said: bool) -> str:
    """The first of dates such as 26-03-01 whose first number may well be the year: near the extract in every value, which the years at their ends are not (or it was `said`
    before); "" for none."""
    found = days.str.extract(_OPEN)
    texts = found[0].notna()
    if not (found.loc[texts, 2].str.len() == 2).all():
        return ""
    first, second, last = (found.loc[texts, at].astype("int64") for at in (0, 1, 2))
    near = (first > 12) & ((2000 + first - year).abs() <= _NEAR) & (second <= 12) & last.between(1, 31)
    return str(days[texts].iloc[0]) if near.all() and (said or ((2000 + last - year).abs() > _NEAR).any()) else ""


def _either_way(text: pd.Series) -> str:
    """The first date that is another one when its day and month change places, else the first with both."""
    parts = text.str.strip().str.extract(r"^([0-9]{1,2})[-/.]\s?([0-9]{1,2})[-/.]").astype(float)
    either = text[(parts[0] != parts[1]) & (parts.max(axis=1) <= 12)]
    return str((either if len(either) else text[parts[0].notna()]).iloc[0]).strip()
