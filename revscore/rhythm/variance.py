"""From what a target asks for by now to what is there, exactly: what the same days before had against it, then each input's part of the change since.

The inputs are those of the handoffs, not of teams: how many MQLs came in, how many deals came of an MQL, how much a deal is worth. Their effects
are means over all orders of changing them (Shapley), so they add up to the change, and the way from the target to the number balances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.figures import walk
from revscore.core.review import comparison
from revscore.core.splits import shapley
from revscore.core.terms import MQL
from revscore.core.units import CURRENCY, LEADS, RATIO, Unit
from revscore.core.view import View
from revscore.rhythm.asks import FEW, Ask, ask, frame_of, measured
from revscore.rhythm.goals import Standing, standings

_NOUNS = {"pipeline.created": "new", "bookings.won_value": "won"}


@dataclass(frozen=True)
class Variance:
    """The way from what is due by now to what is there. `rows`: to be drawn (id, label, effect, from, to, kind, note); `inputs`: label -> (before, now, unit)."""

    standing: Standing
    before: Period
    rows: pd.DataFrame
    inputs: Mapping[str, tuple[float, float, Unit]]
    asks: Mapping[str, Ask]

    @property
    def unexplained(self) -> float:
        """What the steps leave between the two ends: 0."""
        steps = self.rows["effect"].to_numpy(dtype=float)
        return float(steps[-1] - steps[0] - steps[1:-1].sum())

    def said(self, currency: str) -> str:
        """What was found, in a sentence."""
        line, most = self.standing.line, self.most
        gap, unit = line.value - self.standing.expected, line.measure.unit
        step = f"{'+' if most['effect'] > 0 else '−'}{units.text(abs(most['effect']), unit, currency)}"
        return f"{line.label} {units.text(abs(gap), unit, currency)} {'above' if gap >= 0 else 'below'} what is due by now; most of it: {most['label']}, {step}"

    @property
    def most(self) -> pd.Series:
        """The input that explains most of the gap, in its direction; of a number that is on pace the largest."""
        steps, gap = self.rows.iloc[2:-1], self.rows["effect"].iloc[-1] - self.rows["effect"].iloc[0]
        return steps.loc[(steps["effect"] * (1 if gap > 0 else -1)).idxmax()]


def variances(x: Coded, view: View) -> tuple[Variance, ...]:
    """The way of each cumulative target of the view that is made of handoffs, those behind first. What stands on fewer than five MQLs or deals has none."""
    found = (variance(x, view, one) for one in standings(x, view) if one.profile and one.ask.card in _NOUNS and not one.ask.own and np.isfinite(one.expected))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.standing.good is not False))


def variance(x: Coded, view: View, one: Standing) -> Variance | None:
    before = comparison(x, view.period)
    if before is None:
        return None
    then, now = _inputs(x, view.during(before), one.ask.card), _inputs(x, view, one.ask.card)
    if then is None or now is None:
        return None
    effects = shapley(then, now, lambda values: prod(values.values()))
    noun = _NOUNS[one.ask.card]
    labels = {"mqls": "MQLs", "rate": f"{noun.capitalize()} deals per MQL", "size": f"Value of a {noun} deal"}
    kinds = {"mqls": LEADS, "rate": RATIO, "size": CURRENCY}
    was = prod(then.values())
    currency = x.terms.corporate_currency

    def said(key: str) -> str:
        return " → ".join(units.text(values[key], kinds[key], currency) for values in (then, now))

    name = (before.name or before.dates()).removeprefix("same days of ")
    steps = pd.DataFrame([{"id": "asked", "label": f"{name} by then", "effect": was - one.expected, "note": f"{units.text(was, CURRENCY, currency)} then"},
                          *({"id": key, "label": labels[key], "effect": effects[key], "note": said(key)} for key in effects)])
    rows = walk(one.expected, steps, prod(now.values())).fillna({"note": ""})
    rows["label"] = rows["label"].mask(rows["id"] == "start", "Due by now").mask(rows["id"] == "end", "There now")
    return Variance(one, before, rows, {key: (then[key], now[key], kinds[key]) for key in then},
                    {"mqls": ask("funnel.entries", label="MQLs", stage=MQL), "rate": ask(one.ask.card, "count"), "size": ask(one.ask.card, "value"), "end": ask(one.ask.card, "value")})


def _inputs(x: Coded, view: View, card: str) -> dict[str, float] | None:
    """MQLs, deals per MQL and value per deal of a period: their product is the number. None where one stands on too few."""
    mqls = _total(frame_of(x, "funnel.entries", view.narrowed(stage=MQL)), "count")
    found = frame_of(x, card, view)
    count, value = _total(found, "count"), _total(found, "value")
    return {"mqls": mqls, "rate": count / mqls, "size": value / count} if min(mqls, count) >= FEW else None


def _total(frame: pd.DataFrame, measure: str) -> float:
    rows = measured(frame, measure)
    return float(rows["value"].sum()) if len(rows) else 0.0
