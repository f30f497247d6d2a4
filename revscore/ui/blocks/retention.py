"""Blocks about recurring revenue: the answer, the bridge from opening to closing balance, what shrank, what grew, segments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from revscore.charts import amounts, series
from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.review import Line
from revscore.core.view import View
from revscore.people import sight
from revscore.rhythm import figures, retention
from revscore.rhythm.asks import Ask, ask, lacks
from revscore.rhythm.target_lines import caption, target_line
from revscore.ui import answers, charts, drill, session, tables, tiles
from revscore.ui.session import Now
from revscore.ui.words import md

_MONEY = dict.fromkeys(("opening", "closing", "delta", "opening_arr", "closing_arr", "amount", "balance"), units.CURRENCY)
_RATES = dict.fromkeys(("nrr", "grr", "logo_retention"), units.RATIO)
_WORDS = {"opening": "Opening", "closing": "Closing", "delta": "Change", "opening_arr": "Opening", "closing_arr": "Closing", "nrr": "Net revenue retention", "grr": "Gross revenue retention",
          "logo_retention": "Accounts kept", "effective_date": "Date", "amount": "Amount, corporate", "balance": "Balance after it", "in_the_ledger": "As in the ledger"}


def review(now: Now) -> retention.Retention | None:
    """Retention of this selection; without a ledger the sentence about what is missing, and None."""
    if sentence := lacks(now.x, retention.CARD):
        charts.absent("What became of last year's recurring revenue?", sentence, "retention")
        return None
    return now.ask(retention.retention)


def answer(now: Now, found: retention.Retention) -> None:
    """ "Over the year to Oct 2026 we kept 98.5 % of $6.02M; without expansion 84.7 %. 19 accounts left, the largest … with $120k." """
    nrr, grr, _ = found.ratios
    if not nrr.known:
        return answers.answer(f"No account of this selection had recurring revenue before {found.period.dates()}, so there is nothing to retain.")
    gone = found.accounts[found.accounts["closing"] <= 0]
    money = units.text(nrr.denominator, units.CURRENCY, nrr.currency)
    named = f" {gone['name'].iloc[0]}" if len(sight.seen(now.x, gone.iloc[:1], session.actor())) else ""
    left = f" {units.named(len(gone), units.ACCOUNTS).capitalize()} left, the largest{named} with {units.text(gone['opening'].iloc[0], units.CURRENCY, nrr.currency)}." if len(gone) else \
        " No account left."
    answers.answer(f"Over {found.period.label} we kept {nrr.text} of {money}; without expansion {grr.text}.{left}")


def ratios(now: Now, found: retention.Retention) -> None:
    tiles.row(now, found.ratios, columns=3, key="retention")


def bridge(now: Now, found: retention.Retention) -> None:
    """Opening to closing balance; a leg opens to its accounts."""
    if not len(found.legs):
        return
    currency = now.x.terms.corporate_currency
    names, params = found.legs.set_index("id")["leg"], {"period": retention.plain(found.period)}
    charts.card(now, figures.lost_said(found.legs, currency), amounts.bridge(found.legs, currency=currency, label="Recurring revenue", noun=units.ACCOUNTS, theme=charts.theme()), "retention-bridge",
                f"{found.period.dates()}, by account: what it closes with against what it opened with, at one corporate rate. New accounts are no part of it. Click a leg for its accounts.",
                None, lambda mark: (ask(retention.CARD, mark["id"], f"Recurring revenue: {str(names[mark['id']]).lower()}", params=params), now.view.during(found.period)))


def trend(now: Now, found: retention.Retention) -> None:
    """Net retention month by month."""
    nrr = found.ratios[0]
    known = nrr.series[nrr.series["value"].notna()]
    if not len(known):
        return
    first, last = known["value"].iloc[0], known["value"].iloc[-1]
    step = units.change(last, first, nrr.measure.unit, nrr.currency)
    finding = f"Net retention {'rose' if last > first else 'fell' if last < first else 'stood still'} in a year: {step}" if len(known) > 1 and last != first else "Net retention month by month"
    goal = target_line(now.x, now.view, nrr)["target"].to_numpy()
    charts.card(now, finding, series.trend(nrr.series.assign(low=float("nan"), high=float("nan")), units.RATIO, label="Net revenue retention", target=goal, clicks=True, theme=charts.theme(), height=460), "retention-trend",
                f"Each point: the twelve months to the end of that month. Two neighbours share eleven of them.{'' if np.isnan(goal).all() else f' {caption(nrr)}'} Click a point for its accounts.", mark=lambda mark: _month(now, nrr, mark["period"]))


def _month(now: Now, nrr: Line, label: str) -> tuple[Ask, View]:
    """Net retention of the year to one month."""
    row = nrr.series[nrr.series["period"] == label].iloc[0]
    period = Period(int(row["first"]), int(row["end"]))
    return ask(retention.CARD, "nrr", f"Net revenue retention, the year to {label}", params={"period": period}), now.view.during(period)


def changed(now: Now, found: retention.Retention, grew: bool) -> None:
    """The accounts that shrank or left, or those that grew: each opens to its ledger."""
    frame = found.accounts[found.accounts["delta"] > 0].iloc[::-1] if grew else found.accounts[found.accounts["delta"] < 0]
    key, currency = "grown" if grew else "shrunk", now.x.terms.corporate_currency
    total = units.text(abs(frame["delta"].sum()), units.CURRENCY, currency)
    verb = "grew by" if grew else "shrank or left, losing"
    with st.container(border=True, key=f"chart-{key}", height="stretch"):
        charts.heading(f"{units.named(len(frame), units.ACCOUNTS).capitalize()} {verb} {total}" if len(frame) else f"No account {'grew' if grew else 'shrank or left'}", key)
        if not len(frame):
            return
        shown = frame[[name for name in ("name", "segment", "owner", "opening", "closing", "delta") if name in frame.columns]].assign(record=frame["account_id"])
        opened = tables.table(shown, now.x, key=f"accounts-{key}", formats=_MONEY, labels=_WORDS, opens=True)
        st.caption("Choose a row to open the account to its ledger.")
    if opened is not None:
        _account(now, str(frame["account_id"].iloc[opened]), str(frame["name"].iloc[opened]))


def segments(now: Now, found: retention.Retention) -> None:
    """One row a segment; each of its numbers opens to its accounts."""
    frame = found.segments
    known = frame[frame["accounts"] >= now.x.terms.stats.min_n_show].sort_values("grr", kind="stable") if len(frame) else frame
    ends = [f"{units.text(known['grr'].iloc[k], units.RATIO)} ({known['segment'].iloc[k]})" for k in (0, -1)] if len(known) > 1 else []
    few = frame["accounts"] < now.x.terms.stats.min_n_show if len(frame) else pd.Series(dtype=bool)  # too few for a rate
    shown = frame.assign(**{name: frame[name].mask(few) for name in _RATES}) if len(frame) else frame

    def cell(row: int, column: str) -> charts.Behind:
        stat, segment = "accounts" if column == "segment" else column, frame["segment"].iloc[row]
        return ask(retention.CARD, stat, f"{_WORDS.get(stat, 'Accounts')}: {segment}", params={"period": retention.plain(found.period)}, segment=str(segment)), now.view.during(found.period)

    charts.numbers(now, f"Without expansion the segments keep from {ends[0]} to {ends[1]}" if ends else "By segment", shown, "segments", cell,
                   foot="No rate below five accounts." if few.any() else "", formats={**_MONEY, **_RATES, "accounts": units.ACCOUNTS}, labels=_WORDS)


@st.dialog("Behind the account", width="large", position="right")
def _account(now: Now, account: str, name: str) -> None:
    st.markdown(f"### {md(name)}")
    frame: pd.DataFrame = now.ask(retention.movements, account)
    st.caption(md(f"{len(frame):,} movements of the ledger up to the date of the data; a balance is their sum."))
    tables.table(frame, now.x, key="movements", formats=_MONEY, labels=_WORDS)
    drill.downloads({"Movements": frame}, now, {"Account": name, "Account id": account}, f"account-{account}", "CSV of the movements")


def lines(now: Now) -> tuple[Line, ...]:
    """Net and gross revenue retention for a meeting."""
    return now.ask(retention.ratios)[:2]
