"""Block of the weakest link: every function's leg beside being on pace."""

from __future__ import annotations

from typing import Any

from revscore.charts import groups
from revscore.core import units
from revscore.core.view import View
from revscore.rhythm import shared
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
    weakest = frame.iloc[0]
    of = "its target" if weakest["pacing"] in ("", "none") else "what is expected by now"
    finding = (f"{weakest['function']} is the weakest link: {weakest['about']} at {units.text(weakest['value'], units.RATIO)} of {of}" if weakest["value"] < 1
               else "Every function is on pace: the shared score is full")

    def opens(mark: dict[str, Any]) -> tuple[Ask, View] | None:
        row = frame[frame["group"] == mark["group"]].iloc[0]
        found = shared.leg(row)
        return None if found is None else (found[0], View(found[1], now.view.grain))

    charts.card(now, finding, groups.rank(frame[["group", "value"]], units.RATIO, label="Pace or attainment", reference=1.0, reference_name="on pace", theme=charts.theme()), "legs",
                "One target of each function, for the whole company whatever the filters: its pace where it is paced, else its attainment. The score moves only when the "
                "worst leg moves. Click a leg for its number.", ask("shared.weakest_link", now=True, params={"running": True}), opens)
