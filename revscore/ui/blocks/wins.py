"""Blocks about win rates and what changes a rate: the four win rates, the exact way between two, and the split over a dimension."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from revscore.charts.walks import walk
from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.splits import RatioSplit
from revscore.core.units import DEALS, LEADS, RATIO, Unit
from revscore.core.view import View
from revscore.rhythm import changes, wins
from revscore.rhythm.asks import Ask, ask
from revscore.rhythm.funnel import MAIN_PAIR, named
from revscore.rhythm.wins import RATES, WinRates
from revscore.ui import answers, charts, drill, stage, tables, tiles
from revscore.ui.session import Now
from revscore.ui.state import TITLES
from revscore.ui.words import listed, md

WIN_RATE = ask(wins.CLOSED, label="Win rate")
CONVERSION = ask("funnel.cohort_conversion", label=named(MAIN_PAIR), pair=MAIN_PAIR, settled=True)


def rates(now: Now) -> WinRates | None:
    """The four win rates of one period side by side, under the sentence that says how far they are apart."""
    if charts.lacking(now, "Which win rate is meant?", wins.CLOSED, wins.COHORT):
        return None
    found = now.ask(wins.rates)
    known = [(line.value, line.label) for line in found.lines if line.known and not line.suppressed]
    period = _named(found.period)
    moved = "" if found.settled else f" {now.choice.period_name} is too young: too few of its new deals are through their {now.x.terms.cohort_win_window_days:.0f} days, so {period} is shown."
    if len(known) > 1:
        answers.answer(f"Four win rates of {period}: from {units.text(min(known)[0], RATIO)} ({min(known)[1].lower()}) to {units.text(max(known)[0], RATIO)} ({max(known)[1].lower()}).")
    else:
        answers.answer(f"Too few deals were decided in {period} to speak of a win rate.")
    tiles.row(now, [replace(line, label=f"{line.label}, {period}") for line in found.lines], key="rates")
    st.caption(md(f"{moved.strip()} Decided: deals with their close date in {period}. Created: deals that entered the pipeline in it, won within {now.x.terms.cohort_win_window_days:.0f} days; "
                  "only those whose days are over."))
    return found


def way(now: Now, found: WinRates) -> None:
    """The exact way from one of the four to another; each step opens to its deals."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="way-picks"):
        st.markdown("**From**", width="content")
        start = st.selectbox("From", list(RATES), index=0, key="from", bind="query-params", format_func=RATES.get, label_visibility="collapsed", width=240) or "decided_count"
        st.markdown("**to**", width="content")
        end = st.selectbox("To", list(RATES), index=2, key="to", bind="query-params", format_func=RATES.get, label_visibility="collapsed", width=240) or "created_count"
    view = now.view.during(found.period)
    one = now.ask(wins.way, start, end, view=view)
    question = f"Why is “{RATES[end].lower()}” not “{RATES[start].lower()}”?"
    if start == end:
        return charts.absent(question, "Choose two different win rates to see the way between them.", "way")
    if not len(one.rows):
        return charts.absent(question, "One of the two does not exist in this selection: nothing was decided, nothing has settled, or too few deals have an amount.", "way")
    step = one.path.end - one.path.start
    apart = f"{units.change(abs(step), 0.0, RATIO).lstrip('+±')} {'above' if step > 0 else 'below'} “{RATES[start].lower()}”" if step else f"the same as “{RATES[start].lower()}”"
    rows = one.rows.assign(note=[_deals(count) for count in one.rows["count"]])
    largest = max(one.path.steps, key=lambda s: abs(s.effect), default=None)
    because = f"; most of it: {largest.label[:1].lower()}{largest.label[1:]}" if largest is not None else ""
    charts.card(now, f"{RATES[end]}: {apart}{because}", walk(rows, RATIO, label="Win rate", clicks=True, theme=charts.theme()), "way",
                f"{_named(found.period)}. Each deal changes once: first those that come in, then those that go out; the steps add up to the difference. Unexplained: {_zero(one.path.left_over)} pp. Click a step for its deals.",
                shows=lambda mark: _step(now, found.period, start, end, mark["id"]) if mark["id"] in {s.id for s in one.path.steps} else None)


@st.dialog("Behind the step", width="large", position="right")
def _step(now: Now, period: Period | None, start: str, end: str, step: str) -> None:
    """The deals of one step, with what they add to either rate."""
    view = now.view.during(period)
    label, frame = next(s.label for s in now.ask(wins.way, start, end, view=view).path.steps if s.id == step), now.ask(wins.deals, start, end, step, view=view)
    st.markdown(f"### {md(label)}")
    before, after = wins.sides_of(start, end, step)
    by = [units.CURRENCY if name.endswith("value") else units.LEADS for name in (before, after)]
    labels = {"won_before": "Won before", "of_before": "Of before", "won_after": "Won after", "of_after": "Of after"}
    st.caption(md(f"{_named(period)} · {_deals(len(frame))} · what each adds above and below the line: before, in “{RATES[before].lower()}”; after, on the way to “{RATES[after].lower()}”."))
    tables.table(frame.drop(columns=["account", "created_at"]), now.x, key="step-deals", labels=labels,
                 formats={"amount": units.CURRENCY, "won_before": by[0], "of_before": by[0], "won_after": by[1], "of_after": by[1]})
    drill.downloads({"Deals": frame}, now, {"Step": label, "From": RATES[start], "To": RATES[end], "Period": _named(period)}, f"win-rate-{step}", "CSV of the deals")


def changed(now: Now, one: Ask = WIN_RATE, key: str = "changed", noun: Unit = DEALS) -> None:
    """What changed a rate against the period before: mix and rate over a chosen dimension, nothing left unexplained."""
    question = f"What changed {one.label if one.label.startswith('MQL') else one.label.lower()}?"
    if charts.lacking(now, question, one.card):
        return
    if now.view.period is None:
        return charts.absent(question, "Choose a period: it is compared with the one before.", key)
    able = now.ask(changes.dimensions, one)
    if not able:
        return charts.absent(question, "The extract has no dimension with several groups to split by.", key)
    by = able[0] if stage.on_board() else st.segmented_control("Split by", able, default=able[0], required=True, key=f"{key}-by", bind="query-params", format_func=lambda name: TITLES.get(name, name), label_visibility="collapsed")
    found = now.ask(changes.change, one, by if by in able else able[0])
    if not found.known:
        return charts.absent(question, "There is nothing to compare: one of the two periods has none below the line.", key)
    split = found.split
    charts.card(now, found.said(one.label), walk(found.rows, RATIO, label=one.label, clicks=True, theme=charts.theme()), key,
                f"{found.period.name} against {found.before.name}. Unexplained: {_zero(split.left_over)} pp. {_counted(split, noun)} Exploratory: parts of a change, none tested by itself."
                + (" Pale: fewer than five in one of the periods." if found.rows["kind"].eq("few").any() else ""), one,
                lambda mark: _group(now, one, found, by, mark["id"]))
    if not stage.on_board():
        with st.expander("All groups as numbers", icon=":material/table_rows:"):
            _table(now, one, found, by)


def conversion(now: Now) -> None:
    """What changed the conversion of the main pair."""
    changed(now, CONVERSION, "conversion-changed", LEADS)


def _group(now: Now, one: Ask, found: changes.Change, by: str, step: str) -> tuple[Ask, View] | None:
    """The rate of one group in the later period, or at an end that of all; none for what is no group's."""
    if step in ("start", "end"):
        period = found.before if step == "start" else found.period
        return replace(one, settled=False, label=f"{one.label}, {period.name or period.dates()}"), now.view.during(period)
    kind, _, group = step.partition(":")
    if kind != "rate" or group not in now.x.dims[by].labels:
        return None
    return replace(one, own=(*one.own, (by, group)), settled=False, label=f"{one.label}: {group}"), now.view.during(found.period)


def _table(now: Now, one: Ask, found: changes.Change, by: str) -> None:
    frame = found.split.groups
    shown = pd.DataFrame({"group": frame["group"], "before": [units.of(a, b) for a, b in zip(frame["n0"], frame["d0"], strict=True)], "rate_before": frame["rate0"].where(frame["d0"] >= 5),
                          "now": [units.of(a, b) for a, b in zip(frame["n1"], frame["d1"], strict=True)], "rate_now": frame["rate1"].where(frame["d1"] >= 5),
                          "mix": [_points(v) for v in frame["mix"]], "rate": [_points(v) for v in frame["rate"]], "total": [_points(v) for v in frame["total"]]})
    picked = tables.cells(shown, now.x, key=f"groups-{one.card}", formats={"rate_before": RATIO, "rate_now": RATIO},
                 labels={"group": TITLES.get(by, by), "before": _named(found.before), "now": _named(found.period), "rate_before": "Rate before", "rate_now": "Rate now", "total": "Together"})
    st.caption("Mix: the group's share of all changed, and it is better or worse than the whole. Rate: the group itself did better or worse. A group that appears or vanishes is all mix. "
               "Choose a cell to open its number.")
    if picked is not None:
        group, column = str(frame["group"].iloc[picked[0]]), picked[1]
        if column in ("mix", "rate", "total"):
            worked = changes.effect(now.x, now.view, one, found, by, group, column)
            drill.worked_out(now, worked, _points(float(frame[column].iloc[picked[0]])))
        else:
            charts.behind(now, changes.side(now.x, now.view, one, found, by, group, later=column not in ("before", "rate_before")))


def _named(period: Period | None) -> str:
    return "all time" if period is None else period.name


def _deals(count: float) -> str:
    return "" if count != count else units.named(count, DEALS)


def _points(value: float) -> str:
    return units.change(value, 0.0, RATIO)


def _counted(split: RatioSplit, noun: Unit) -> str:
    """ "In deals: 3 fewer won: 1.2 fewer because fewer were decided, 2 fewer by the mix and 0.2 more by their rates." """
    went, came = ("won", "decided") if noun is DEALS else ("converted", "due")
    if abs(split.change_top) < 0.05:
        return f"As many {noun.noun} {went} as before."
    parts = ((split.volume, f"because {'more' if split.volume > 0 else 'fewer'} were {came}"), (split.mix_top, "by the mix"), (split.rate_top, "by their rates"))
    return f"In {noun.noun}, {_more(split.change_top)} {went}: {listed([f'{_more(value)} {why}' for value, why in parts if abs(value) >= 0.05])}."


def _more(value: float) -> str:
    """ "3 more", "1.2 fewer". """
    return f"{abs(value):,.1f}".removesuffix(".0") + (" more" if value > 0 else " fewer")


def _zero(value: float) -> str:
    return f"{abs(value * 100):.2f}"
