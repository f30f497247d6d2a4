"""Blocks about deals: the bridge that balances, stages, aging and slippage."""

from __future__ import annotations

import pandas as pd

from revscore.charts import amounts, groups
from revscore.core import units
from revscore.core.calendars import date_of
from revscore.rhythm import figures, pipeline
from revscore.rhythm.asks import Ask, ask
from revscore.ui import charts
from revscore.ui.session import Now

SUMMARY = pipeline.TILES


def bridge(now: Now, week: bool = False) -> None:
    """The bridge over the period (`week`: over the last seven days), with what it leaves unexplained."""
    question = "What changed the pipeline?"
    if charts.lacking(now, question, "pipeline.bridge"):
        return
    found, currency = now.ask(pipeline.bridge, week), now.x.terms.corporate_currency
    if not len(found.legs):
        return charts.absent(question, "The period has not begun by the date of the data, so nothing has changed yet.", "bridge")
    step = found.end - found.start
    moves = found.legs.iloc[1:-1].sort_values("value", ascending=False)
    largest = f"; largest: {moves['leg'].iloc[0].lower()} {units.text(moves['value'].iloc[0], units.CURRENCY, currency)}" if len(moves) and moves["value"].iloc[0] else ""
    verb = "grew" if step > 0 else "shrank" if step < 0 else "stood still"
    first, last = (_day(now, at) for at in (found.t0, found.t1))
    charts.card(now, f"Pipeline {verb} by {units.text(abs(step), units.CURRENCY, currency)}{largest}" if step else f"Pipeline stood still{largest}",
                amounts.bridge(found.legs, currency=currency, theme=charts.theme()), "bridge",
                f"{first} to {last}. Every deal once, at one corporate rate. Unexplained: {units.text(round(found.unexplained, 2) + 0.0, units.CURRENCY, currency, short=False)}. Click a leg for its deals.",
                ask("pipeline.bridge", now=True, params={"t0": found.t0, "t1": found.t1}), lambda mark: (_leg(found, mark["id"]), now.view))


def _leg(found: pipeline.Bridge, leg: str) -> Ask:
    """One leg of the bridge, as it is drawn."""
    label = found.legs.set_index("id")["leg"].get(leg, leg)
    return ask("pipeline.bridge", label=f"Pipeline bridge: {label.lower()}", now=True, params={"t0": found.t0, "t1": found.t1}, leg=leg)


def _day(now: Now, at: int) -> str:
    day = date_of(int(now.x.days(pd.array([at], dtype="int64").to_numpy())[0]))
    return f"{day.day} {day:%b %Y}"


def stages(now: Now) -> None:
    """At which stage deals are lost."""
    question = "At which stage do we lose deals?"
    if charts.lacking(now, question, "opp.stage_conversion"):
        return
    frame = now.ask(pipeline.stages)
    charts.card(now, figures.stages_said(frame), groups.rank(frame, label="Advanced", theme=charts.theme()), "stages", "Of the deals that left the stage one way or the other; open ones wait. Exploratory: the lowest of several, not tested.",
                ask("opp.stage_conversion"), charts.group(now, frame, "stage", ask("opp.stage_conversion", label="Advanced")))


def moved(now: Now) -> None:
    """What became of the deals in pipeline over the last seven days."""
    question = "What became of the deals in pipeline?"
    if charts.lacking(now, question, "pipeline.progressed"):
        return
    frame, currency = now.ask(pipeline.moved), now.x.terms.corporate_currency
    deals = dict(zip(frame["direction"].str.lower(), frame["deals"], strict=True)) if len(frame) else {}
    finding = f"{deals.get('progressed', 0):,.0f} of {sum(deals.values()):,.0f} deals in pipeline moved forward in seven days" if deals else question
    shown = frame.assign(group=frame["direction"].str.capitalize(), value=frame["amount"], n=frame["deals"]) if len(frame) else frame
    charts.card(now, finding, groups.rank(shown, units.CURRENCY, currency, label="Amount", rows=len(now.x.terms.opp_open_stages), theme=charts.theme()), "moved",
                "The last seven days up to the date of the data, by amount; n counts deals.", ask("pipeline.progressed", now=True),
                charts.group(now, shown, "direction", ask("pipeline.progressed", "value", "Seven days", now=True)))


def aging(now: Now) -> None:
    """The deals that stay longer than those we win."""
    question = "Which deals stand still?"
    if charts.lacking(now, question, "velocity.aging"):
        return
    frame, currency = now.ask(pipeline.aging), now.x.terms.corporate_currency
    finding = f"{len(frame):,} open {'deal stays' if len(frame) == 1 else 'deals stay'} longer in {'its' if len(frame) == 1 else 'their'} stage than deals we win: {units.text(frame['amount'].sum(), units.CURRENCY, currency)}" if len(frame) else "No open deal stays longer than deals we win"
    _deals(now, frame, finding, "aging", ask("velocity.aging", "flagged_share", now=True), ("name", "owner", "stage", "amount", "close_date", "age_days", "over_p75_days", "next_step"))


def slipped(now: Now) -> None:
    """The deals that moved out of the period."""
    question = "What slipped out of the period?"
    if charts.lacking(now, question, "slippage.rate"):
        return
    frame, currency = now.ask(pipeline.slipped), now.x.terms.corporate_currency
    if now.view.period is None:
        return charts.absent(question, "Choose a period: slippage is what was to close in it and moved out.", "slipped")
    finding = f"{units.named(len(frame), units.DEALS)} slipped out of the period: {units.text(frame['amount'].sum(), units.CURRENCY, currency)}" if len(frame) else "Nothing slipped out of the period"
    _deals(now, frame, finding, "slipped", ask("slippage.rate", now=True, params={"period": now.view.period}), ("name", "owner", "stage", "amount", "close_start_day", "close_now_day", "next_step"))


def _deals(now: Now, frame: pd.DataFrame, finding: str, key: str, behind: Ask, columns: tuple[str, ...]) -> None:
    charts.numbers(now, finding, frame[[name for name in columns if name in frame.columns]].assign(**({"record": frame["opp_id"]} if "opp_id" in frame.columns else {})), key, opens=behind, board=("name", "owner", "stage", "amount", "age_days", "over_p75_days", "close_start_day", "close_now_day"),
                   formats={"amount": units.CURRENCY, "age_days": units.DAYS, "over_p75_days": units.DAYS},
                   labels={"age_days": "In stage", "over_p75_days": "Over the benchmark", "close_start_day": "Was to close", "close_now_day": "Closes now"})


