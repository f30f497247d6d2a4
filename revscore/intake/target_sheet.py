"""A sheet of targets as a team keeps it: its headings, periods and numbers, each cell that cannot be read with its place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core.calendars import Calendar, day_numbers
from revscore.intake.dates import read_dates
from revscore.intake.numbers import read_numbers
from revscore.intake.sheet import Problem, Sheet
from revscore.intake.words import fold

_HEADINGS = {
    "metric": "metric metricid kpi measure number metricname", "segment": "segment businessunit", "owner": "ownerfunction owner function team department", "period": "period quarter fiscalperiod month fiscalquarter",
    "start": "periodstart start from begin startdate", "end": "periodend end to until enddate", "value": "value targetvalue target goal quota plan amount", "direction": "direction better atleastatmost",
    "pacing": "pacing pace pacingprofile spread", "profile_id": "profileid profile seasonalprofile season", "valid_from": "validfrom holdsfrom effectivefrom inforcefrom", "why": "why reason note comment rationale"}
_DIRECTIONS = {"": "", "up": "up", "down": "down", "atleast": "up", "least": "up", "min": "up", "minimum": "up", "higher": "up", "atmost": "down", "most": "down", "max": "down", "maximum": "down", "lower": "down"}
_PACINGS = {"": "", "linear": "linear", "even": "linear", "everydayalike": "linear", "businessday": "business_day", "businessdays": "business_day", "workingdays": "business_day", "seasonal": "seasonal", "curve": "seasonal",
            "seasonalcurve": "seasonal", "none": "none", "no": "none", "compareddirectly": "none", "direct": "none"}
_OWNERS = {"marketing": "marketing", "mktg": "marketing", "mkt": "marketing", "sales": "sales", "sls": "sales", "cs": "cs", "customersuccess": "cs", "revops": "revops", "revenueoperations": "revops"}
WHOLE = ("", "all", "wholecompany", "company", "total", "all segments")


def read_targets(sheet: Sheet, calendar: Calendar) -> tuple[pd.DataFrame, list[Problem]]:
    """The rows of a sheet: row (of the file), metric (as written), segment, owner, start, end (day numbers, `end` exclusive), value, direction, pacing, profile_id,
    valid_from (day number, −1 where none is given), why; and what cannot be read."""
    where = {field: heading for heading in reversed(sheet.headings) for field, words in _HEADINGS.items() if fold(heading) in words.split()}
    problems: list[Problem] = []
    lack = [title for field, title in (("metric", "Metric"), ("value", "Value"), ("owner", "Owner")) if field not in where]
    lack += ["Period (or Period start and Period end)"] if "period" not in where and not {"start", "end"} <= set(where) else []
    if lack:
        return pd.DataFrame(), [Problem(sheet.file, sheet.name, None, None, f"the sheet has no column {', '.join(lack)}: take the template, or rename the headings.", "T_HEADING")]
    text = pd.DataFrame({field: sheet.frame[where[field]].str.strip() if field in where else "" for field in _HEADINGS}, index=sheet.frame.index).astype("str")

    def bad(mask: np.ndarray, field: str, sentence: str) -> None:
        problems.extend(Problem(sheet.file, sheet.name, int(row), where.get(field, field), sentence.format(cell), "T_CELL") for row, cell in zip(sheet.rows[mask], text[field].to_numpy()[mask], strict=True))

    numbers = read_numbers(text["value"])
    value = numbers.values / np.where(text["value"].str.contains("%", regex=False), 100.0, 1.0)
    bad(numbers.bad | text["value"].eq("").to_numpy(), "value", "“{}” is no number.")
    if numbers.doubt:
        bad(text["value"].str.fullmatch(r"\d{1,3}[.,]\d{3}").to_numpy(dtype=bool), "value", "“{}” can be read as thousands or as a decimal: write it without the mark, or with two decimals.")
    words, meant = {field: text[field].map(fold) for field in ("direction", "pacing")}, {"direction": _DIRECTIONS, "pacing": _PACINGS}
    for field, known in meant.items():
        bad(~words[field].isin(list(known)).to_numpy(), field, "“{}” is not known: write " + ("at least or at most." if field == "direction" else "linear, business day, seasonal or none."))
    owner = text["owner"].map(_owner)
    bad(owner.eq("").to_numpy(), "owner", "“{}” is no function: write Marketing, Sales, Customer Success or RevOps, or several joined by +.")
    start, end = _periods(text, calendar)
    bad(((start < 0) & text["period"].ne("")).to_numpy(), "period", "“{}” is no period: write FY26 Q3, FY26, 2026-05, or fill Period start and Period end.")
    bad(((start < 0) & text["period"].eq("")).to_numpy(), "start" if "start" in where else "period", "“{}” leaves the period open: write FY26 Q3, or both days.")
    since = read_dates(text["valid_from"], "date")
    bad(since.bad, "valid_from", "“{}” is no date: write 2026-11-16.")
    frame = pd.DataFrame({"row": sheet.rows, "metric": text["metric"], "segment": text["segment"].where(~text["segment"].map(fold).isin([fold(word) for word in WHOLE]), ""), "owner": owner, "start": start,
                          "end": end, "value": value, "direction": words["direction"].map(_DIRECTIONS), "pacing": words["pacing"].map(_PACINGS), "profile_id": text["profile_id"],
                          "valid_from": np.where(since.values.isna(), -1, day_numbers(since.values)), "why": text["why"]})
    return frame.reset_index(drop=True), problems


def _owner(cell: str) -> str:
    """ "Marketing + Sales" as "marketing+sales"; "" where a part is no function. """
    parts = [_OWNERS.get(fold(part), "") for part in cell.replace("&", "+").replace(",", "+").replace(" and ", "+").split("+")]
    return "+".join(parts) if all(parts) else ""


def _periods(text: pd.DataFrame, calendar: Calendar) -> tuple[pd.Series, pd.Series]:
    """First day and day after the last of each row, −1 where it cannot be read; days that are given go before the name of the period."""
    first, last = (read_dates(text[field], "date").values for field in ("start", "end"))
    named = {word: _named(word, calendar) for word in text["period"].unique()}
    given = first.notna() & last.notna()
    start = pd.Series(np.where(given, day_numbers(first), text["period"].map(lambda word: named[word][0])), index=text.index)
    end = pd.Series(np.where(given, day_numbers(last).astype("int64") + 1, text["period"].map(lambda word: named[word][1])), index=text.index)
    return start, end


def _named(word: str, calendar: Calendar) -> tuple[int, int]:
    try:
        found = calendar.parse(word)
        return found.start, found.end
    except ValueError:
        return -1, -1
