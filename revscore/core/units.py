"""How a number is written: on a tile, on an axis, in a table, in a workbook. The only place that formats numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MISSING = "–"  # what stands where there is no number; never 0
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "CHF": "CHF ", "BRL": "R$", "CAD": "CA$", "AUD": "A$"}
_MINUTE_STEPS = (1, 5, 15, 30, 60, 120, 240, 480, 1200, 2400, 4800, 6000)
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Unit:
    """A unit of measure. `kind` decides the notation, `noun` is what a count counts ("leads")."""

    name: str
    kind: Literal["count", "currency", "ratio", "days", "minutes", "multiple", "currency_per_day"]
    noun: str = ""

    @property
    def is_money(self) -> bool:
        return self.kind in ("currency", "currency_per_day")


LEADS = Unit("leads", "count", "leads")
DEALS = Unit("deals", "count", "deals")
CLOCKS = Unit("clocks", "count", "clocks")
EVENTS = Unit("events", "count", "events")
PEOPLE = Unit("people", "count", "people")
PUSHES = Unit("pushes", "count", "pushes")
ACCOUNTS = Unit("accounts", "count", "accounts")
DECISIONS = Unit("decisions", "count", "decisions")
ACTIONS = Unit("actions", "count", "actions")
COMPARISONS = Unit("comparisons", "count", "comparisons")
CHANGES = Unit("definition changes", "count", "definition changes")
PROMISES = Unit("promises", "count", "promises")
RECORDS = Unit("records", "count", "records")
CELLS = Unit("cells", "count", "cells")
CURRENCY = Unit("currency", "currency")
CURRENCY_PER_DAY = Unit("currency per day", "currency_per_day")
RATIO = Unit("ratio", "ratio")
DAYS = Unit("days", "days")
MINUTES = Unit("business minutes", "minutes")
MULTIPLE = Unit("multiple", "multiple")


def symbol(currency: str) -> str:
    """The sign written before an amount: "$" for USD, "CHF " where there is no sign."""
    return _SYMBOLS.get(currency, f"{currency} " if currency else "")


def _number(value: object) -> float | None:
    """`value` as a float, or None when it is missing (None, NaN, NA)."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def _short(value: float, prefix: str = "") -> str:
    sign, size = ("−" if value < 0 else ""), abs(value)
    for limit, letter in _STEPS:
        if size >= limit * 0.99995:
            scaled = size / limit
            digits = 0 if scaled >= 99.95 else 1 if scaled >= 9.995 else 2
            return f"{sign}{prefix}{scaled:.{digits}f}{letter}"
    return f"{sign}{prefix}{size:.0f}"


def _duration(minutes: float) -> str:
    sign, size = ("−" if minutes < 0 else ""), abs(round(minutes))
    hours, rest = divmod(size, 60)
    return f"{sign}{size} min" if not hours else f"{sign}{hours:,} h {rest:02d} min"


def business(minutes: object, day: float) -> str:
    """Open time in words: "3 h 20 min" within a business day of `day` minutes, "73 business days" beyond one; "–" when missing."""
    number = _number(minutes)
    if number is None:
        return MISSING
    days = number / day if day > 0 else 0.0
    return f"{days:,.1f}".removesuffix(".0") + " business days" if days > 1 else _duration(number)


def text(value: object, unit: Unit, currency: str = "USD", short: bool = True) -> str:
    """`value` in `unit`, for reading: "$1.24M", "63.2 %", "14.5 days", "1 h 15 min", "1.64×"; `short=False` writes every digit.

    A missing value is "–".
    """
    number = _number(value)
    if number is None:
        return MISSING
    if unit.kind in ("currency", "currency_per_day"):
        amount = _short(number, symbol(currency)) if short else f"{'−' if number < 0 else ''}{symbol(currency)}{abs(number):,.2f}"
        return amount + (" a day" if unit.kind == "currency_per_day" else "")
    if unit.kind == "ratio":
        return f"{number * 100:.1f} %".replace("-", "−")
    if unit.kind == "days":
        return f"{number:,.1f} days".replace("-", "−")
    if unit.kind == "minutes":
        return _duration(number)
    if unit.kind == "multiple":
        return f"{number:.2f}×"
    if abs(number - round(number)) > 1e-9:
        return f"{number:,.2f}"
    return f"{number:,.0f}".replace("-", "−") if not short or abs(number) < 100_000 else _short(number)


def named(value: object, unit: Unit, currency: str = "USD", short: bool = True) -> str:
    """As `text`, with the noun of a count: "214 deals"; every other unit says itself."""
    written = text(value, unit, currency, short)
    noun = unit.noun[:-1] if unit.noun.endswith("s") and written == "1" else unit.noun
    return f"{written} {noun}".strip() if unit.kind == "count" and written != MISSING else written


def change(now: object, before: object, unit: Unit, currency: str = "USD") -> str:
    """The step from `before` to `now`: ratios in percentage points, durations in their unit, amounts and counts in per cent.

    "–" when either is missing, or when a per cent of zero would be asked for.
    """
    a, b = _number(before), _number(now)
    if a is None or b is None:
        return MISSING
    step = b - a
    sign = "+" if step > 0 else "−" if step < 0 else "±"
    if unit.kind == "ratio":
        return f"{sign}{abs(step) * 100:.1f} pp"
    if unit.kind == "days":
        return f"{sign}{abs(step):,.1f} days"
    if unit.kind == "minutes":
        return f"{sign}{_duration(abs(step))}"
    if unit.kind == "multiple":
        return f"{sign}{abs(step):.2f}×"
    if a == 0:
        return MISSING if step else "±0"
    return f"{sign}{abs(step / a) * 100:.1f} %"


def listed(words: Sequence[str], last: str = "and") -> str:
    """ "a, b and c". """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


_CODES = {"mql": "MQL", "sal": "SAL", "sql": "SQL", "new_business": "new business"}


def word(code: str) -> str:
    """A code of revscore's own as readers write it: "MQL", "new business"; a word of the team's as it is."""
    return _CODES.get(code, code)


def stage(name: str) -> str:
    """A stage as readers write it: "MQL", "Inquiry"; the stages of deals as they are."""
    written = word(name)
    return written.capitalize() if written.islower() else written


def of(x: object, n: object) -> str:
    """A rate too small to be one: "3 of 4"."""
    top, bottom = _number(x), _number(n)
    return MISSING if top is None or bottom is None else f"{top:,.0f} of {bottom:,.0f}"


def axis(unit: Unit, currency: str = "USD") -> str:
    """A Vega expression that writes an axis label (`datum.value`) in `unit`; D3's "G" for billions is read as "B"."""
    sign = symbol(currency).replace("'", "")
    money = f"(datum.value < 0 ? '−' : '') + '{sign}' + replace(format(abs(datum.value), '~s'), 'G', 'B')"
    return {
        "currency": money, "currency_per_day": money, "ratio": "format(datum.value, '.0%')", "days": "format(datum.value, ',~r') + ' d'",
        "minutes": "datum.value >= 60 ? format(datum.value / 60, ',.2~f') + ' h' : format(datum.value, '.2~f') + ' min'",
        "multiple": "format(datum.value, '.1f') + '×'", "count": "datum.value % 1 ? '' : replace(format(datum.value, '~s'), 'G', 'B')",
    }[unit.kind]


def ticks(far: float, unit: Unit, most: int = 8) -> list[float]:
    """Round values from 0 up to `far`, at most `most` steps: durations in the steps that people count in (15 min, 1 h, 8 h), all else 1, 2, 5."""
    steps = [*_MINUTE_STEPS] if unit.kind == "minutes" else []
    steps += [s * 10.0 ** e for e in range(4 if steps else -1, 8) for s in (1, 2, 5)]
    step = next((s for s in steps if far <= s * most), max(far, 1.0))
    return [k * step for k in range(int(far / step + 1e-9) + 1)]


def tick(value: float, unit: Unit) -> str:
    """A round value on an axis of durations: "30 min", "2 h", "1 h 30", "20 d"."""
    if unit.kind != "minutes":
        return f"{value:,.1f}".removesuffix(".0") + " d"
    hours, rest = divmod(round(value), 60)
    return f"{rest} min" if not hours else f"{hours:,} h {rest}" if rest else f"{hours:,} h"


def spreadsheet(unit: Unit, currency: str = "USD") -> str:
    """The number format of a workbook cell that holds a value in `unit`."""
    money = f'"{symbol(currency)}"#,##0.00'
    return {"currency": money, "currency_per_day": money, "ratio": "0.0%", "days": '#,##0.0', "minutes": '#,##0', "multiple": '0.00"×"',
            "count": "#,##0"}[unit.kind]


def column(unit: Unit, currency: str = "USD") -> str:
    """A printf-like format for a table column in `unit` (ratios are to be given in per cent)."""
    return {"currency": f"{symbol(currency)}%,.0f", "currency_per_day": f"{symbol(currency)}%,.0f", "ratio": "%.1f %%", "days": "%.1f",
            "minutes": "%,.0f", "multiple": "%.2f×", "count": "%,.0f"}[unit.kind]
