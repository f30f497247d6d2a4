"""Wins and bookings. METRICS section 7."""

from __future__ import annotations

import numpy as np

from revscore.core.calendars import DAY_US
from revscore.core.coded import Coded
from revscore.core.facts import Facts
from revscore.core.metric import Better, distribution, metric, rate, total
from revscore.core.metrics.common import DEAL_DRILL, DEAL_NEEDS
from revscore.core.units import CURRENCY, DEALS

_NEEDS = (*DEAL_NEEDS, "opp_history.close_date")


@metric("winrate.closed_in_period", "Win rate", "Of the deals decided in the period, how many did we win?",
        rate("count_rate", "won", "n", label="Win rate by count"), rate("value_rate", "won_value", "closed_value", label="Win rate by value", records="n"),
        total("won", DEALS, label="Won deals"), total("lost", DEALS, label="Lost deals"), total("won_value", CURRENCY, label="Won value"),
        total("lost_value", CURRENCY, label="Lost value"), rate("amount_gap", "without_amount", "n", label="Decided deals without an amount"),
        owners=("sales",), meetings=("MRC",), needs=_NEEDS, drill=(*DEAL_DRILL, "loss_reason"), population="O1 closed at as-of, by close date",
        settles_after="too high while losses are not closed")
def closed_in_period(x: Coded) -> Facts:
    """Won ÷ (won + lost), by count and by value, of deals closed at as-of with their close date in the period. Open deals are no part of it;
    "no decision" is a loss; a re-opened deal counts once, by its last outcome.
    """
    opps = x.opps
    opp = np.flatnonzero((opps.won | opps.lost) & opps.in_o1)
    won, amount = opps.won[opp].astype(float), opps.now.amount[opp]
    return x.make_facts("opp", opp, opps.now.close_day[opp], {"won": won, "lost": 1 - won, "n": np.ones(len(opp)), "won_value": won * amount,
                                                              "lost_value": (1 - won) * amount, "closed_value": amount, "without_amount": ~(amount > 0)},
                        detail={"closed_at": opps.closed_at[opp]}, left_out=opps.left_out)


@metric("winrate.cohort", "Win rate of the cohort", "Of the pipeline that we created in the period, how much did we win within the window?",
        rate("rate_mature", "won_in_window_mature", "mature", "n", label="Won within the window (mature)"),
        rate("rate_to_date", "won", "n", label="Won so far", ages=True), rate("open_share", "open", "n", label="Still open", ages=True),
        total("won", DEALS, label="Won"), total("lost", DEALS, label="Lost"),
        rate("value_rate_mature", "won_value_in_window_mature", "mature_value", "value", label="Won within the window, by value (mature)", records="mature"),
        rate("amount_gap", "mature_without_amount", "mature", label="Deals without an amount"),
        owners=("sales", "marketing"), meetings=("MRC",), needs=DEAL_NEEDS, drill=DEAL_DRILL, population="O1 by entry into pipeline", settles_after="the win window")
def cohort(x: Coded) -> Facts:
    """Of the deals that entered the pipeline in the period, the share won within the window, by count and by their present amount; over mature
    deals only, whose window has passed.
    """
    opps = x.opps
    opp = np.flatnonzero((opps.entry >= 0) & opps.in_o1)
    entry, window = opps.entry_at[opp], int(x.terms.cohort_win_window_days * DAY_US)
    won, lost = opps.won[opp], opps.lost[opp]
    mature = x.as_of - entry >= window
    in_time = won & (opps.won_at[opp] - np.where(won, entry, 0) <= window)
    amount = np.nan_to_num(opps.now.amount[opp])
    values = {"n": np.ones(len(opp)), "mature": mature, "won_in_window_mature": in_time & mature, "won": won, "lost": lost, "open": ~won & ~lost,
              "value": amount, "mature_value": mature * amount, "won_value_in_window_mature": (in_time & mature) * amount,
              "mature_without_amount": mature & ~(amount > 0)}
    return x.make_facts("opp", opp, x.days(entry), {name: column.astype(float) for name, column in values.items()}, why=~mature,
                        whys=("", "window not over yet"), detail={"entered_at": entry, "won_at": opps.won_at[opp]}, left_out=opps.left_out)


@metric("deal_size", "Average deal", "How large are the deals that we win?", distribution("value", CURRENCY, "value", "mean", "median"),
        total("total", CURRENCY, "value", label="Won value"), better=Better.CONTEXT, owners=("sales",), meetings=("MRC",), needs=(*_NEEDS, "opp_history.amount"),
        drill=DEAL_DRILL, population="O1 won, by close date")
def deal_size(x: Coded) -> Facts:
    """Mean and median corporate amount of deals won with their close date in the period."""
    opp = np.flatnonzero(x.opps.won & x.opps.in_o1)
    return x.make_facts("opp", opp, x.opps.now.close_day[opp], {"value": x.opps.now.amount[opp]}, left_out=x.opps.left_out)


@metric("bookings.won_value", "Bookings", "How much did we win?", total("value", CURRENCY, label="Bookings"), total("count", DEALS, label="Won deals"),
        total("without_amount", DEALS, label="Won deals without an amount"), total("dated_value", CURRENCY, label="Bookings at dated rates"), total("fx_effect", CURRENCY, label="Effect of exchange rates"),
        owners=("sales", "marketing"), meetings=("WPR", "MRC"), needs=(*_NEEDS, "opp_history.amount"), drill=DEAL_DRILL, population="O1 won, by close date")
def won_value(x: Coded) -> Facts:
    """Amount of deals won with their close date in the period, at the corporate rate; beside it at the dated rate of the close date (the view of
    Finance), and the difference.
    """
    opps = x.opps
    opp = np.flatnonzero(opps.won & opps.in_o1)
    amount, day = opps.now.amount[opp], opps.now.close_day[opp]
    currency = x.data.table("opportunities")["currency"].iloc[opp].reset_index(drop=True)
    with np.errstate(invalid="ignore"):
        dated = np.nan_to_num(amount / x.corporate_rate(currency) * x.dated_rate(currency, day))
    missing = opps.events.amount_missing[opps.now.event[opp]] if len(opp) else np.zeros(0)
    return x.make_facts("opp", opp, day, {"value": amount, "count": np.ones(len(opp)), "without_amount": missing.astype(float), "dated_value": dated, "fx_effect": dated - amount},
                        left_out=opps.left_out)


