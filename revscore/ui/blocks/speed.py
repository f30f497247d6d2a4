"""Blocks about time: promises week by week, breaches, response by region; how long deals and stages take."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from revscore.charts import curves as drawings
from revscore.charts import groups, series
from revscore.charts.walks import walk
from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.metrics import CARDS
from revscore.core.statistics import Survival
from revscore.core.units import Unit
from revscore.core.view import View
from revscore.rhythm import figures, speed
from revscore.rhythm.asks import Ask, apart_from_rest, ask, made, standout
from revscore.rhythm.funnel import named
from revscore.ui import charts, drill, tables
from revscore.ui.session import Now
from revscore.ui.words import listed, md

Curves = tuple[tuple[str, Survival], ...]
SLA_SUMMARY, VELOCITY_SUMMARY = speed.SLA_TILES, speed.VELOCITY_TILES


def weeks(now: Now, sla_type: str = "speed_to_lead") -> None:
    """One promise week by week against its target."""
    name = speed.SLA_NAMES.get(sla_type, sla_type)
    if charts.lacking(now, f"{name}: is the promise kept?", "sla.compliance"):
        return
    frame = now.ask(speed.weeks, sla_type)
    drawing = series.weeks(frame, label=name, theme=charts.theme())
    charts.card(now, figures.kept_said(frame, name), drawing, f"weeks-{sla_type}", "By the week in which the promise was due; the last one is still running. Click a week for its rows.",
                ask("sla.compliance", label=name, sla_type=sla_type), lambda mark: _week(now, frame, name, sla_type, mark["period"]))


def _week(now: Now, frame: pd.DataFrame, name: str, sla_type: str, week: str) -> tuple[Ask, View]:
    """One week of a promise."""
    start = int(frame.loc[frame["week"] == week, "start"].iloc[0])
    return ask("sla.compliance", label=f"{name}, week of {week}", sla_type=sla_type), now.view.during(Period(start, start + 7, week))


def chosen_weeks(now: Now) -> None:
    """The weeks of the promise that the reader picks."""
    if charts.lacking(now, "Is the promise kept, week by week?", "sla.compliance"):
        return
    types = now.ask(speed.sla_types)
    picked = st.segmented_control("Promise", types, default=types[0], required=True, key="promise", bind="query-params", format_func=lambda name: md(speed.SLA_NAMES.get(name, name)),
                                  label_visibility="collapsed")
    weeks(now, picked or types[0])


def promises(now: Now) -> None:
    """All promises of the period beside each other."""
    if charts.lacking(now, "Which promise is kept least?", "sla.compliance"):
        return
    frame = now.ask(speed.promises)
    finding = "Which promise is kept least?"
    if (worst := standout(frame)) is not None:
        finding = f"{worst['group']} is kept least: {units.text(worst['value'], units.RATIO)}"
    charts.card(now, finding, groups.rank(frame, label="Kept", theme=charts.theme()), "promises", "Met of met and breached, by the day they were due. Exploratory: the lowest of several, not tested.",
                ask("sla.compliance"), charts.group(now, frame, "sla_type", ask("sla.compliance", label="Kept")))


def by_region(now: Now) -> None:
    """Speed to lead by region, beside the whole."""
    if charts.lacking(now, "Which region answers late?", "sla.compliance"):
        return
    frame = now.ask(speed.regions)
    late, several = apart_from_rest(frame), len(frame) > 1
    finding = (f"{late['group']} keeps speed to lead least: {units.text(late['value'], units.RATIO)}" if late is not None
               else "No region answers later than the rest, beyond chance" if several else "Which region answers late?")
    tested = " Each is tested against the rest, corrected for looking at all (Holm)." if several else ""
    charts.card(now, finding, groups.rank(frame, label="Kept", rows=len(now.ask(speed.promises)), theme=charts.theme()), "by-region",
                f"Speed to lead by the lead's region, each on its own business hours.{tested} Click a region for its rows.",
                mark=charts.group(now, frame, "region", ask("sla.compliance", label="Speed to lead kept", sla_type="speed_to_lead")) if len(frame) else None)


def response(now: Now) -> None:
    """How fast the share of answered leads grows."""
    question = "How long does a new MQL wait?"
    if charts.lacking(now, question, "sla.speed_to_lead_minutes"):
        return
    curves = now.ask(speed.response_curves)
    known = sorted((value, name) for name, one in drawings.drawn(curves) if (value := _median(one)) == value)
    said = dict.fromkeys(f"{units.text(value, units.MINUTES)} ({name})" for value, name in (known[:1] + known[-1:]))
    finding = f"Half are answered within {' to '.join(said)}" if said else question
    charts.card(now, finding, drawings.curve(curves, units.MINUTES, label="Answered", theme=charts.theme()), "response", f"Business time, by region; leads that still wait are followed as far as they go.{_aside(curves, units.LEADS)}",
                ask("sla.speed_to_lead_minutes", "km_median"), shows=charts.ages(now, curves, units.MINUTES, "answered", _of("sla.speed_to_lead_minutes", "km_median", "region")))


def breaches(now: Now) -> None:
    """The promises that are broken and still open."""
    if charts.lacking(now, "Which promises are broken now?", "sla.breach_ageing"):
        return
    frame = now.ask(speed.open_breaches)
    shown = frame.assign(over=[units.business(over, day) for over, day in zip(frame["overdue_min"], frame["day_min"], strict=True)]) if len(frame) else frame
    shown = shown[[name for name in ("lead_id", "sla_type", "owner", "segment", "level", "over") if name in shown.columns]]
    charts.numbers(now, f"{units.named(len(frame), units.PROMISES)} {'is' if len(frame) == 1 else 'are'} broken and still open" if len(frame) else "No promise is broken and open", shown, "breaches",
                   opens=ask("sla.breach_ageing", now=True), labels={"sla_type": "Promise", "level": "Escalation level", "over": "Over by, in business time"})


def decisions(now: Now) -> None:
    """Time to decision and chance to win by age."""
    if charts.lacking(now, "How long until a deal is decided?", "velocity.time_to_close_km"):
        return
    left, right = st.columns(2, gap="small")
    with left:
        curves = now.ask(speed.decision_curves)
        charts.card(now, _halfway(curves, "decided") or "How long until a deal is decided?", drawings.curve(curves, label="Decided", theme=charts.theme()), "decisions",
                    f"Deals created in the period, by segment; open ones are followed up to the date of the data.{_aside(curves)}",
                    ask("velocity.time_to_close_km"), shows=charts.ages(now, curves, units.DAYS, "decided", _of("velocity.time_to_close_km", "", "segment")))
    with right:
        curves = now.ask(speed.win_curves)
        charts.card(now, _by_then(curves) or "What is the chance to win by then?", drawings.curve(curves, label="Won", theme=charts.theme()), "win-chance",
                    f"Lost deals stay in the denominator, so this never promises too much.{_aside(curves)}", ask("velocity.win_probability_by_age"),
                    shows=charts.ages(now, curves, units.DAYS, "won", _of("velocity.win_probability_by_age", "", "segment")))


def _of(card: str, stat: str, dimension: str) -> Callable[[str], tuple[Ask, View | None]]:
    """The number behind the curve of one group."""
    return lambda name: (ask(card, stat, f"{CARDS[card].measure(stat).label or CARDS[card].label}: {name}", **({} if name == "all" else {dimension: name})), None)


def _halfway(curves: Curves, word: str) -> str:
    known = [(name, _median(one)) for name, one in drawings.drawn(curves)]
    said = [f"{name} after {units.text(value, units.DAYS)}" for name, value in known if value == value]
    never = [name for name, one in drawings.drawn(curves) if np.isnan(one.quantile(0.5))]
    rest = f"; not reached in {listed(never)}" if never else ""
    return f"Half are {word}: {', '.join(said)}{rest}" if said else ""


def _median(one: Survival) -> float:
    """The age by which half have come, in days or minutes as the curve; NaN where it is not reached while at least five are followed (METRICS F7)."""
    value = one.quantile(0.5)
    return value if one.at_risk_at(value) >= drawings.FEW else float("nan")


def _by_then(curves: Curves) -> str:
    """ "By day 30 about 12 % of SMB are won": the largest group, at the latest age where enough are followed."""
    for name, one in drawings.drawn(curves)[:1]:
        followed = one.times[one.at_risk >= drawings.FEW]
        if len(followed):
            age = float(followed[-1])
            return f"By day {age:.0f}, {units.text(1 - one.at(age), units.RATIO)} of {name} are won"
    return ""


def _aside(curves: Curves, unit: Unit = units.DEALS) -> str:
    """ " Not drawn: Public Sector: 2 deals, too few." """
    shown = {name for name, _ in drawings.drawn(curves)}
    few = [f"{name}: {units.named(one.n, unit)}, too few" for name, one in curves if one.n < drawings.FEW]
    rest = [name for name, one in curves if one.n >= drawings.FEW and name not in shown]
    said = [*few, *([f"{listed(rest)}: smaller than the {drawings.MOST} shown"] if rest else [])]
    return f" Not drawn: {'; '.join(said)}." if said else ""


def stage_days(now: Now) -> None:
    """How long deals stay in each stage."""
    question = "Where do deals stay?"
    if charts.lacking(now, question, "velocity.opp_stage_first_visit_km"):
        return
    frame = now.ask(speed.stage_days)
    finding = question
    if (worst := standout(frame, "median", lowest=False)) is not None:
        finding = f"Deals stay longest in {worst['stage']}: half leave within {units.text(worst['median'], units.DAYS)}"
    shown = frame.assign(group=frame["stage"], value=frame["median"]) if len(frame) else frame
    charts.card(now, finding, groups.rank(shown, units.DAYS, label="Median days", better="down", theme=charts.theme()), "stage-days",
                "Kaplan–Meier median of the first visit; deals still in the stage are followed, so the worst are not forgotten. Exploratory: the longest of several, not tested.",
                ask("velocity.opp_stage_first_visit_km"), charts.group(now, shown, "stage", ask("velocity.opp_stage_first_visit_km", label="Days in stage")))


def lead_days(now: Now) -> None:
    """How long leads take between stages."""
    if charts.lacking(now, "How long do leads take?", "velocity.lead_transition_days"):
        return
    frame = now.ask(speed.lead_days)
    with st.container(border=True, key="chart-lead-days", height="stretch"):
        charts.heading("How long leads take from stage to stage", "lead-days")
        opened = None
        if len(frame):
            opened = tables.table(frame.assign(pair=frame["pair"].map(named)), now.x, key="lead-days", formats=dict.fromkeys(("median", "p75", "p90"), units.DAYS),
                                  labels={"pair": "Step", "n": "Leads", "p75": "3 of 4 within", "p90": "9 of 10 within"}, opens=True)
            st.caption("Completed moves only, hence optimistic for recent leads: read it beside the conversion curve. Choose a row for its leads.")
    if opened is not None:
        pair = frame["pair"].iloc[opened]
        drill.opened(now, now.ask(made, (ask("velocity.lead_transition_days", label=f"Days {named(pair)}", pair=pair),))[0])


_LEVER_CARDS = {"open_opportunities": ask("pipeline.open", "count", "Open deals"), "win_rate": ask("winrate.closed_in_period", label="Win rate"), "avg_deal": ask("deal_size", "mean", "Average deal"),
                "cycle_mean_days": ask("velocity.cycle_time_won", "mean", "Mean cycle")}


def _lever(now: Now, found: speed.Levers, id_: str) -> tuple[Ask, View] | None:
    """What stands behind one bar of the way: a lever today, or the velocity at one of its ends."""
    if id_ == "start":
        return ask("velocity.sales_velocity", label="Sales velocity, before", params={"then": True}), now.view.during(found.before_period)
    return (ask("velocity.sales_velocity"), now.view) if id_ == "end" else (_LEVER_CARDS[id_], now.view) if id_ in _LEVER_CARDS else None


def levers(now: Now) -> None:
    """The change of sales velocity split exactly over its four levers."""
    question = "Which lever changed sales velocity?"
    if charts.lacking(now, question, "velocity.sales_velocity"):
        return
    if now.view.period is None:
        return charts.absent(question, "Choose a period: the levers are compared with the period before.", "levers")
    found, currency = now.ask(speed.levers), now.x.terms.corporate_currency
    if not found.known:
        return charts.absent(question, "There is no win in one of the two periods, so no velocity to compare.", "levers")
    alone = " More open deals alone are no progress." if found.most["name"] == "open_opportunities" and found.most["effect"] > 0 else ""
    charts.card(now, found.said,
                walk(found.rows, units.CURRENCY_PER_DAY, currency, label="Sales velocity", clicks=True, theme=charts.theme()), "levers",
                f"Open deals × win rate × average deal ÷ mean cycle. Each lever's effect is its mean over all orders of changing the four, so they add up. Unexplained: {units.text(abs(round(found.left_over, 2)), units.CURRENCY_PER_DAY, currency)}.{alone} "
                "Click a lever for its rows.", ask("velocity.sales_velocity"), lambda mark: _lever(now, found, mark["id"]))
