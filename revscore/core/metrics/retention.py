"""Retention and expansion: what became of last year's recurring revenue, account by account. METRICS section 12."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY, Period, day_numbers
from revscore.core.coded import Coded
from revscore.core.facts import Facts, LeftOut
from revscore.core.metric import metric, rate, total
from revscore.core.metrics.common import words
from revscore.core.units import ACCOUNTS, CURRENCY

MONTHS = 12
NOTHING = 0.005  # a balance below half a cent is rounding
CHANGES = ("expanded", "unchanged", "contracted", "churned")
_NEEDS = ("arr_ledger.account_id", "arr_ledger.effective_date", "arr_ledger.movement", "arr_ledger.amount")
_NO_RATE = "no exchange rate for its currency"
_DRILL = ("account_id", "name", "segment", "region", "owner")


def months_to(x: Coded, day: int, months: int = MONTHS) -> Period:
    """The `months` complete fiscal months that end before `day` (a period that starts on the first day of the month that holds it)."""
    calendar = x.terms.calendar
    code = int(calendar.codes(np.array([day]), "month")[0])
    return Period(calendar.start(code - months, "month"), calendar.start(code, "month"))


def default_period(x: Coded) -> Period:
    """The retention period that the team's definitions name, else the last twelve complete fiscal months."""
    return Period(*x.terms.retention_period) if x.terms.retention_period else months_to(x, x.as_of_day)


@metric("retention", "Net revenue retention", "What became of the recurring revenue that we had a year ago?",
        rate("nrr", "closing", "opening", label="Net revenue retention", records="n"), rate("grr", "kept", "opening", label="Gross revenue retention", records="n"),
        rate("logo_retention", "stays", "n", label="Logo retention"),
        rate("grr_movement_variant", "kept_by_movement", "opening", label="Gross retention by ledger movements", records="n"),
        total("accounts", ACCOUNTS, "n", label="Accounts"), total("logos_kept", ACCOUNTS, "stays", label="Accounts kept"),
        total("opening_arr", CURRENCY, "opening", label="Opening balance"), total("net_expansion", CURRENCY, label="Expansion"),
        total("net_contraction", CURRENCY, label="Contraction"), total("churn", CURRENCY, label="Churn"), total("closing_arr", CURRENCY, "closing", label="Closing balance"),
        total("gross_expansion", CURRENCY, label="Expansion movements"), total("gross_contraction", CURRENCY, label="Contraction movements"),
        total("gross_churn", CURRENCY, label="Churn movements"),
        owners=("cs", "sales"), meetings=("MRC",), needs=_NEEDS, drill=_DRILL, by=("change",), population="accounts with a balance before the period")
def retention(x: Coded, period: Period | None = None) -> Facts:
    """Of the recurring revenue of the accounts with a balance before the period, the share that is left at its end. Net: Σ closing ÷ Σ opening
    balance. Gross: Σ of the smaller of closing and opening ÷ Σ opening, so that no expansion hides a loss. Logos: accounts still above 0 ÷ accounts.

    A balance is the sum of all ledger movements up to the date, at the corporate rate. Expansion, contraction and churn compare an account's
    closing with its opening balance: an account that left and came back inside the period is kept, at what it closes with; one that leaves after
    the period is kept. New accounts are no part of it: they are *new recurring revenue*. The variant by movements takes every contraction and churn of the ledger at its full amount, also
    what came back; it is for reconciliation only. The period is the one that the definitions name, else the last twelve complete fiscal months.
    """
    period = period or default_period(x)
    account, day, movement, amount = _ledger(x)
    count, inside = len(x.ids("account")), (day >= period.start) & (day < period.end)

    def of_accounts(rows: np.ndarray, sign: int = 1) -> np.ndarray:
        return np.bincount(account[rows], weights=sign * amount[rows], minlength=count)

    opening, closing = of_accounts(day < period.start), of_accounts(day < period.end)
    unknown = np.isnan(closing)  # money in a currency without a rate
    opening, closing = (np.where(balance < NOTHING, 0.0, balance) for balance in (opening, closing))
    cohort = (opening > 0) & ~unknown
    at = np.flatnonzero(cohort)
    start, end = opening[at], closing[at]
    step = end - start
    change = np.select([end <= 0, step > 0, step < 0], [3, 0, 2], 1)
    gross = {name: of_accounts(inside & np.isin(movement, kinds), sign)[at] for name, kinds, sign in
             (("gross_expansion", ("expansion", "reactivation"), 1), ("gross_contraction", ("contraction",), -1), ("gross_churn", ("churn",), -1))}
    values = {"opening": start, "closing": end, "kept": np.minimum(start, end), "n": np.ones(len(at)), "stays": (end > 0).astype(float),
              "net_expansion": np.where(change == 0, step, 0.0), "net_contraction": np.where(change == 2, -step, 0.0), "churn": np.where(change == 3, start, 0.0),
              "kept_by_movement": start - gross["gross_contraction"] - gross["gross_churn"], **gross}
    out, last = np.flatnonzero((np.bincount(account[day < period.end], minlength=count) > 0) & ~cohort), period.end - 1
    return x.make_facts("account", at, np.full(len(at), last), values, own={"change": (change + 1, words("change", CHANGES))},
                        detail={"opening": start, "closing": end, "delta": step},
                        left_out=LeftOut(out.astype("int32"), np.full(len(out), last, dtype="int32"), x.codes_of("account", out), unknown[out].astype("uint8"),
                                         ("no balance before the period", _NO_RATE)))


@metric("retention.new_accounts", "New recurring revenue", "How much recurring revenue came with new accounts?", total("value", CURRENCY, label="New recurring revenue"),
        owners=("sales", "cs"), meetings=("MRC",), needs=_NEEDS, drill=_DRILL, population="ledger movements “new”, by effective date")
def new_accounts(x: Coded) -> Facts:
    """Σ of the ledger's movements *new* that took effect in the period, at the corporate rate: what retention leaves out."""
    account, day, movement, amount = _ledger(x)
    new, known = movement == "new", ~np.isnan(amount)
    row, out = np.flatnonzero(new & known), np.flatnonzero(new & ~known)
    return x.make_facts("account", account[row], day[row], {"value": amount[row]}, detail={"effective_day": day[row]},
                        left_out=LeftOut(account[out].astype("int32"), day[out].astype("int32"), x.codes_of("account", account[out]),
                                         np.zeros(len(out), dtype="uint8"), (_NO_RATE,)))


def _ledger(x: Coded) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The ledger up to as-of: position of the account, day, movement, amount in the corporate currency (NaN without a rate)."""
    ledger = x.data.table("arr_ledger")
    day = day_numbers(ledger["effective_date"])
    there = (day != NO_DAY) & (day <= x.as_of_day) & ledger["account_id"].notna().to_numpy()
    ledger, day = ledger[there], day[there]
    account = pd.Index(x.ids("account")).get_indexer(ledger["account_id"])
    return account, day, ledger["movement"].fillna("").to_numpy(dtype=object), ledger["amount"].to_numpy(dtype=float) * x.corporate_rate(ledger["currency"])
