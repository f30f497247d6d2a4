"""Blocks of what no team can hit alone: the weakest link, every function's leg beside being on pace; the solo test."""

from __future__ import annotations

from typing import Any

import pandas as pd

from revscore.charts import groups
from revscore.core import units
from revscore.core.metric import functions
from revscore.core.view import View
from revscore.rhythm import figures, shared
from revscore.rhythm import solo as tests
from revscore.rhythm.asks import Ask, ask
from revscore.ui import charts
from revscore.ui.session import Now


def legs(now: Now) -> None:
    """How far every function is with its own target, the weakest last."""
    question = "Who is the weakest link?"
    if charts.lacking(now, question, "shared.weakest_link"):
        return
    frame = now.ask(shared.legs)
    if not len(frame):
        return charts.absent(question, "No function has a target for the whole company that this extract can measure.", "legs")

    def opens(mark: dict[str, Any]) -> tuple[Ask, View] | None:
        row = frame[frame["group"] == mark["group"]].iloc[0]
        found = shared.leg(row)
        return None if found is None else (found[0], View(found[1], now.view.grain))

    charts.card(now, figures.legs_said(frame), groups.rank(frame[["group", "value"]], units.RATIO, label="Pace or attainment", reference=1.0, reference_name="on pace", theme=charts.theme()), "legs",
                "One target of each function, for the whole company whatever the filters: its pace where it is paced, else its attainment. The score moves only when the "
                "worst leg moves. Click a leg for its number.", ask("shared.weakest_link", now=True, params={"running": True}), opens)


def solo(now: Now) -> None:
    """Whether one function alone could bring a joint metric to its target, at its own historical best."""
    currency, found = now.x.terms.corporate_currency, now.ask(tests.joints)
    tested = [one for one in found if one.solo is not None]
    if not tested:
        return charts.absent("Could one team win this alone?", " ".join(one.sentence(currency) for one in found) or "No joint metric has a target.", "solo")
    order = sorted(tested, key=lambda one: (one.target is None, one.solo.met, one.solo.shared))
    owners = tuple(dict.fromkeys(reach.function for one in order for reach in one.solo.alone))

    def said(one: tests.Joint, value: float) -> str:
        return units.named(value, one.unit, currency)

    def row(one: tests.Joint) -> dict[str, str]:
        reached = {reach.function: reach for reach in one.solo.alone}
        verdict = "no target" if one.target is None else "met already" if one.solo.met else "shared" if one.solo.shared else "not shared"
        smallest = "–" if one.target is None or one.solo.met else " + ".join(functions((name,)) for name in one.solo.smallest) or "nobody, not even together"
        return {"metric": one.label, "verdict": verdict, "target": said(one, one.target.value) if one.target else units.MISSING, "baseline": f"{said(one, one.solo.baseline)} ({one.periods[-1].name})",
                **{name: f"{said(one, reached[name].reached)} ({one.periods[reached[name].best].name})" if name in reached else "" for name in owners}, "together": said(one, one.solo.together), "smallest": smallest}

    def cell(place: int, column: str) -> charts.Behind | None:
        one = order[place]
        if column in owners and any(reach.function == column for reach in one.solo.alone):
            return one.behind(column)
        number = one.behind()
        return (ask(number.card.id, number.stat, number.label, **{name: values[0] for name, values in number.view.where}), number.view) if column == "baseline" else None

    frame = pd.DataFrame([row(one) for one in order])
    charts.numbers(now, order[0].sentence(currency).removesuffix("."), frame, "solo", cell, board=("metric", "verdict", "target", "smallest"),
                   foot="The solo test: one function's inputs at those of its best full period of the last eight, all others at the last full one. Best of the past is an assumption, not a forecast: the council may move it. "
                        "A target that one function reaches so alone is not shared.",
                   labels={"metric": "Joint metric", "verdict": "The test says", "target": "Target", "baseline": "Last full period", **{name: f"{functions((name,))} alone, at its best" for name in owners},
                           "together": "All at their best", "smallest": "Smallest set that reaches it"})
