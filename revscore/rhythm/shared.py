"""The numbers that no team can hit alone, in reviews: weakest link with its legs, joint pipeline, clean-handoff yield."""

from __future__ import annotations

import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.metric import functions
from revscore.core.metrics import CARDS, shared
from revscore.core.metrics.targets import resolve
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask
from revscore.rhythm.goals import name_of

TILES: tuple[Ask, ...] = (ask("shared.weakest_link", label="Weakest link", now=True, params={"running": True}), ask("shared.joint_pipeline"),
                          ask("shared.handoff_yield", settled=True))


def legs(x: Coded, view: View) -> pd.DataFrame:
    """The leg of every function, the one furthest behind first: group (function and what its target is about), function, target_id, value (pace index,
    else attainment). For the whole company, whatever the view; legs without a value stay away."""
    if x.data.missing(CARDS["shared.weakest_link"].needs):
        return pd.DataFrame()
    found = shared.legs(x, running=True).dropna(subset=["value"]).sort_values("value", kind="stable")
    names = [functions(owner.split("+")) for owner in found["owner_function"]]
    about = [_about(metric_id) for metric_id in found["metric_id"]]
    return found.assign(function=names, about=about, group=[f"{name}: {what}" for name, what in zip(names, about, strict=True)]).reset_index(drop=True)


def _about(metric_id: str) -> str:
    """What a target measures, in words: "MQLs", "Bookings", "Net revenue retention"."""
    found = resolve(metric_id, CARDS)
    return metric_id if found is None else name_of(found[0].label, found[1], found[2]) if found[0].id != "retention" else found[0].measure(found[1]).label


def leg(row: pd.Series) -> tuple[Ask, Period | None] | None:
    """The number that a leg stands on, and the period of its target (none where the card has its own); None when no card answers."""
    found = resolve(row["metric_id"], CARDS)
    if found is None:
        return None
    card, stat, own = found
    return ask(card.id, stat, str(row["group"]), **own), None if "period" in card.params else Period(int(row["start"]), int(row["end"]), "the target's period")
