"""Retention: what became of the recurring revenue of a year ago: the ratios, the bridge from opening to closing balance, accounts and segments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from revscore.core.calendars import Period, date_of, day_numbers
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.drill import open_number
from revscore.core.metrics import CARDS
from revscore.core.metrics.retention import MONTHS, default_period, months_to
from revscore.core.review import TREND_POINTS, Line, line
from revscore.core.signals import Control
from revscore.core.view import View
from revscore.rhythm.asks import frame_of

CARD = "retention"
RATIOS = (("nrr", "Net revenue retention"), ("grr", "Gross revenue retention"), ("logo_retention", "Accounts kept"))
LEGS = (("opening_arr", "Opening", "start"), ("net_expansion", "Expansion", "up"), ("net_contraction", "Contraction", "down"), ("churn", "Churn", "down"),
        ("closing_arr", "Closing", "end"))


@dataclass(frozen=True)
class Retention:
    """`legs` for the bridge; `accounts` one row an account with what it had, has, and the step between, the largest loss first."""

    period: Period
    ratios: tuple[Line, ...]
    legs: pd.DataFrame
    accounts: pd.DataFrame
    segments: pd.DataFrame


def period_of(x: Coded, view: View) -> Period:
    """Twelve months, read at the end of the view's period; while that is running (or without one), those that the definitions name."""
    if view.period is not None and view.period.end <= x.as_of_day:
        found = months_to(x, view.period.end)
    else:
        found = default_period(x)
        found = found if found.end <= x.as_of_day + 1 else months_to(x, x.as_of_day)
    return Period(found.start, found.end, f"the year to {_month(found)}" if 360 <= found.days <= 370 else found.dates())


def _month(period: Period) -> str:
    return f"{date_of(period.last):%b %Y}"


def retention(x: Coded, view: View) -> Retention | None:
    """Retention under `view`; None when the extract has no ledger."""
    if x.data.missing(CARDS[CARD].needs):
        return None
    period = period_of(x, view)
    whole = view.during(None)
    totals = compute(x, CARDS[CARD], whole, period=plain(period)).set_index("measure")
    legs = pd.DataFrame([{"id": name, "leg": leg, "value": totals["value"].get(name, 0.0), "kind": kind, "count": totals["n"].get(name, 0.0)} for name, leg, kind in LEGS])
    return Retention(period, ratios(x, view), legs if totals["value"].get("accounts", 0.0) else legs.iloc[:0], accounts(x, view, period), segments(x, view, period))


def ratios(x: Coded, view: View) -> tuple[Line, ...]:
    """NRR, GRR and logo retention of the period, beside the year before, with a point per month: each the twelve months to its end."""
    period = period_of(x, view)
    if x.data.missing(CARDS[CARD].needs):
        return tuple(line(x, CARDS[CARD], view.during(None), stat, label=label) for stat, label in RATIOS)
    before = _back(x, period, MONTHS)
    year_ago = _values(x, view, before)
    trend = [(p, _values(x, view, p)) for p in (_back(x, period, k) for k in range(TREND_POINTS - 1, -1, -1))]
    return tuple(_ratio(x, view, stat, label, period, before, year_ago, trend) for stat, label in RATIOS)


def plain(period: Period) -> Period:
    """Without its name, so that the same days are the same question."""
    return Period(period.start, period.end)


def _back(x: Coded, period: Period, months: int) -> Period:
    """The same length, `months` fiscal months earlier."""
    calendar = x.terms.calendar
    start, end = (calendar.start(int(code) - months, "month") for code in calendar.codes(np.array([period.start, period.end]), "month"))
    return Period(start, end, f"the year to {date_of(end - 1):%b %Y}")


def _values(x: Coded, view: View, period: Period) -> pd.DataFrame:
    found = compute(x, CARDS[CARD], view.during(None), period=plain(period))
    return found.set_index("measure")


def _ratio(x: Coded, view: View, stat: str, label: str, period: Period, before: Period, year_ago: pd.DataFrame, trend: list[tuple[Period, pd.DataFrame]]) -> Line:
    now = line(x, CARDS[CARD], view.during(None), stat, label=label, period=plain(period))
    held = _values(x, view, period)["value"].get("accounts", 0.0)
    points = pd.DataFrame([{"period": f"{date_of(p.last):%Y-%m}", "start": x.terms.calendar.holding(p.last, "month").start, "end": p.end, "first": p.start, "running": False, "maturity": None,
                            **{name: row.loc[stat, name] for name in ("value", "numerator", "denominator", "low", "high")}, "n": row["value"]["accounts"],
                            "flag": row.loc[stat, "flag"]} for p, row in trend])
    was = year_ago.loc[stat]
    return replace(now, period=period, before_period=before, before=float(was["value"]), before_x=float(was["numerator"]), before_n=float(was["denominator"]), n=float(held),
                   series=points, signal=Control())


def accounts(x: Coded, view: View, period: Period) -> pd.DataFrame:
    """The accounts of the cohort: id, name, dimensions, change, opening, closing, delta; the largest loss first."""
    opened = open_number(x, CARDS[CARD], view.during(None), "accounts", period=plain(period)).counted
    return opened.drop(columns=["contribution"]).sort_values(["delta", "account_id"], kind="stable").reset_index(drop=True)


def segments(x: Coded, view: View, period: Period) -> pd.DataFrame:
    """One row a segment: segment, accounts, opening_arr, closing_arr, nrr, grr, logo_retention; the largest first."""
    found = frame_of(x, CARD, view.during(None), ("segment",), period=plain(period))
    if not len(found):
        return found
    wide = found.pivot(index="segment", columns="measure", values="value").reset_index()
    wide = wide[wide["accounts"] > 0][["segment", "accounts", "opening_arr", "closing_arr", "nrr", "grr", "logo_retention"]]
    return wide.assign(segment=wide["segment"].replace("", "(missing)")).sort_values("opening_arr", ascending=False, kind="stable").reset_index(drop=True)


def movements(x: Coded, view: View, account: str) -> pd.DataFrame:
    """The ledger of an account up to as-of: date, movement, amount in the corporate currency, balance after it."""
    ledger = x.data.table("arr_ledger")
    ledger = ledger[(ledger["account_id"] == account) & (day_numbers(ledger["effective_date"]) <= x.as_of_day)].sort_values(["effective_date", "movement"], kind="stable")
    amount = ledger["amount"].to_numpy(dtype=float) * x.corporate_rate(ledger["currency"])
    return pd.DataFrame({"effective_date": ledger["effective_date"], "movement": ledger["movement"], "amount": amount, "balance": np.cumsum(amount),
                         "in_the_ledger": ledger["amount"], "currency": ledger["currency"]}).reset_index(drop=True)
