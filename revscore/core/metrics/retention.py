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
CHANGES = ("expanded", "unchanged", "contracted", "churned", "new")


def months_to(x: Coded, day: int, months: int = MONTHS) -> Period:
    """The `months` complete fiscal months that end before `day` (a period that starts on the first day of the month that holds it)."""
    calendar = x.terms.calendar
    code = int(calendar.codes(np.array([day]), "month")[0])
    return Period(calendar.start(code - months, "month"), calendar.start(code, "month"))


def default_period(x: Coded) -> Period:
    """The retention period that the team's definitions name, else the last twelve complete fiscal months."""
    return Period(*x.terms.retention_period) if x.terms.retention_period else months_to(x, x.as_of_day)


@metric("retention", "Net revenue retention", "What became of the recurring revenue that we had a year ago?",
        rate("nrr", "closing", "opening", label="Net revenue retention", interval=False), rate("grr", "kept", "opening", label="Gross revenue retention", interval=False),
        rate("logo_retention", "stays", "n", label="Logo retention"),
        rate("grr_movement_variant", "kept_by_movement", "opening", label="Gross retention by ledger movements", interval=False),
        total("accounts", ACCOUNTS, "n", label="Accounts"), total("logos_kept", ACCOUNTS, "stays", label="Accounts kept"),
        total("opening_arr", CURRENCY, "opening", label="Opening balance"), total("net_expansion", CURRENCY, label="Expansion"),
        total("net_contraction", CURRENCY, label="Contraction"), total("churn", CURRENCY, label="Churn"), total("closing_arr", CURRENCY, "closing", label="Closing balance"),
        total("gross_expansion", CURRENCY, label="Expansion movements"), total("gross_contraction", CURRENCY, label="Contraction movements"),
        total("gross_churn", CURRENCY, label="Churn movements"), total("new_logo_arr_in_period", CURRENCY, label="New accounts"),
        owners=("cs", "sales"), meetings=("MRC",), needs=("arr_ledger.account_id", "arr_ledger.effective_date", "arr_ledger.movement", "arr_ledger.amount"),
        drill=("account_id", "name", "segment", "region", "owner"), by=("change",), population="accounts with a balance before the period")
def retention(x: Coded, period: Period | None = None) -> Facts:
    """Of the recurring revenue of the accounts with a balance before the period, the share that is left at its end. Net: Σ closing ÷ Σ opening
    balance. Gross: Σ of the smaller of closing and opening ÷ Σ opening, so that no expansion hides a loss. Logos: accounts still above 0 ÷ accounts.

    A balance is the sum of all ledger movements up to the date, at the corporate rate. Expansion, contraction and churn compare an account's
    closing with its opening balance: an account that left and came back inside the period is kept, at what it closes with; one that leaves after
    the period is kept. New accounts are no part of it. The variant by movements takes every contraction and churn of the ledger at its full amount, also
    what came back; it is for reconciliation only. The period is the one that the definitions name, else the last twelve complete fiscal months.
    """
    period = period or default_period(x)
    ledger = x.data.table("arr_ledger")
    day = day_numbers(ledger["effective_date"])
    there = (day != NO_DAY) & (day <= x.as_of_day) & (day < period.end) & ledger["account_id"].notna().to_numpy()
    ledger, day = ledger[there], day[there]
    amount = ledger["amount"].to_numpy(dtype=float) * x.corporate_rate(ledger["currency"])
    ids = x.ids("account")
    account, movement = pd.Index(ids).get_indexer(ledger["account_id"]), ledger["movement"].fillna("").to_numpy(dtype=object)
    inside = day >= period.start

    def of_accounts(rows: np.ndarray, sign: int = 1) -> np.ndarray:
        return np.bincount(account[rows], weights=sign * amount[rows], minlength=len(ids))

    opening, closing = of_accounts(~inside), of_accounts(np.ones(len(day), dtype=bool))
    unknown = np.isnan(closing)  # money in a currency without a rate
    opening, closing = (np.where(balance < NOTHING, 0.0, balance) for balance in (opening, closing))
    cohort = (opening > 0) & ~unknown
    fresh = ~cohort & ~unknown & (of_accounts(inside & (movement == "new")) != 0)
    at = np.flatnonzero(cohort | fresh)
    new, start, end = ~cohort[at], np.where(cohort, opening, 0.0)[at], np.where(cohort, closing, 0.0)[at]
    step = end - start
    change = np.select([new, end <= 0, step > 0, step < 0], [4, 3, 0, 2], 1)
    gross = {name: np.where(cohort, of_accounts(inside & np.isin(movement, kinds), sign), 0.0)[at]
             for name, kinds, sign in (("gross_expansion", ("expansion", "reactivation"), 1), ("gross_contraction", ("contraction",), -1), ("gross_churn", ("churn",), -1))}
    values = {"opening": start, "closing": end, "kept": np.minimum(start, end), "n": (~new).astype(float), "stays": (~new & (end > 0)).astype(float),
              "net_expansion": np.where(change == 0, step, 0.0), "net_contraction": np.where(change == 2, -step, 0.0), "churn": np.where(change == 3, start, 0.0),
              "kept_by_movement": start - gross["gross_contraction"] - gross["gross_churn"], **gross,
              "new_logo_arr_in_period": np.where(new, of_accounts(inside & (movement == "new"))[at], 0.0)}
    last = period.end - 1
    listed = np.zeros(len(ids), dtype=bool)
    listed[account] = True
    out = np.flatnonzero(listed & ~cohort & ~fresh)
    return x.make_facts("account", at, np.full(len(at), last), values, own={"change": (change + 1, words("change", CHANGES))}, why=new,
                        whys=("", "no balance before the period"), detail={"opening": start, "closing": np.where(new, closing[at], end), "delta": np.where(new, closing[at], step)},
                        left_out=LeftOut(out.astype("int32"), np.full(len(out), last, dtype="int32"), x.codes_of("account", out), unknown[out].astype("uint8"),
                                         ("no balance before the period", "no exchange rate for its currency")))
