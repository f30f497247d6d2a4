"""The four win rates, by count and by value, of the deals decided in a period and of those created in it; and the exact way from one to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.drill import records
from revscore.core.figures import walk
from revscore.core.metrics import CARDS
from revscore.core.review import Line, line
from revscore.core.splits import Path, Weights, join, path
from revscore.core.view import View
from revscore.rhythm.asks import SHIFTS, ask, made

CLOSED, COHORT = "winrate.closed_in_period", "winrate.cohort"
RATES = {"decided_count": "Decided, by count", "decided_value": "Decided, by value", "created_count": "Created, by count", "created_value": "Created, by value"}
_ASKS = {"decided_count": ask(CLOSED, "count_rate", RATES["decided_count"]), "decided_value": ask(CLOSED, "value_rate", RATES["decided_value"]),
         "created_count": ask(COHORT, "rate_mature", RATES["created_count"]), "created_value": ask(COHORT, "value_rate_mature", RATES["created_value"])}
# Why a deal counts in one of two win rates and not, or otherwise, in the other; in the order in which the steps are taken.
_STEPS = (("no_entry", "Decided without entering the pipeline"), ("other_entry", "Entered the pipeline in another period"),
          ("young", "Window not over yet"), ("late", "Won, but after the window"), ("open", "Created here, still open"), ("other_close", "Created here, decided in another period"))
_WEIGHT = ("weight", "Weighed by amount, not by count")
_UNWEIGHT = ("weight", "Weighed by count, not by amount")


@dataclass(frozen=True)
class WinRates:
    """The four win rates of one period: the view's own or, where its cohort has not settled, the latest before it that has."""

    period: Period | None
    settled: bool
    lines: tuple[Line, ...]

    def line(self, name: str) -> Line:
        return self.lines[tuple(RATES).index(name)]


def rates(x: Coded, view: View) -> WinRates:
    """The four win rates of the view's period; of an earlier one while too few deals created in it are through their window."""
    found = _of(x, view, True)
    at = view
    for _ in range(SHIFTS):
        if at.period is None or not found.line("created_count").suppressed:
            return found
        at = at.during(x.terms.calendar.shifted(at.period))
        found = _of(x, at, False)
    return found if not found.line("created_count").suppressed else _of(x, view, True)


def _of(x: Coded, view: View, own: bool) -> WinRates:
    return WinRates(view.period, own, made(x, view, _ASKS.values()))


@dataclass(frozen=True)
class Way:
    """The way from one win rate to another: the path, and its rows to be drawn (id, label, effect, from, to, kind, count)."""

    path: Path
    rows: pd.DataFrame


def way(x: Coded, view: View, start: str, end: str) -> Way:
    """The steps from the rate `start` to the rate `end` (keys of RATES) under the same view; their sum is the difference."""
    if not all(line(x, CARDS[one.card], view, one.stat, alone=True).known for one in (_ASKS[start], _ASKS[end])):
        return Way(Path(float("nan"), float("nan"), ()), pd.DataFrame())
    sides = _sides(x, view)
    (basis0, weight0), (basis1, weight1) = (name.split("_") for name in (start, end))
    first = path(_weighed(sides, basis0, weight0), _weighed(sides, basis1, weight0), sides["step"].to_numpy(), _STEPS)
    last = path(_weighed(sides, basis1, weight0), _weighed(sides, basis1, weight1), np.zeros(len(sides), dtype=int), (_WEIGHT if weight1 == "value" else _UNWEIGHT,))
    found = join(first, last)
    if not found.known or not np.isfinite(first.end):
        return Way(Path(found.start, found.end, ()), pd.DataFrame())
    steps = pd.DataFrame([{"id": step.id, "label": step.label, "effect": step.effect, "count": len(step.records)} for step in found.steps],
                         columns=["id", "label", "effect", "count"])
    return Way(found, walk(found.start, steps, found.end).assign(label=lambda f: f["label"].mask(f["id"] == "start", RATES[start]).mask(f["id"] == "end", RATES[end])))


def sides_of(start: str, end: str, step: str) -> tuple[str, str]:
    """The two rates that a step lies between: the basis changes by the weight of `start`, then the weight on the basis of `end`."""
    (basis0, weight0), (basis1, _) = (name.split("_") for name in (start, end))
    return (f"{basis1}_{weight0}", end) if step == "weight" else (f"{basis0}_{weight0}", f"{basis1}_{weight0}")


def deals(x: Coded, view: View, start: str, end: str, step: str) -> pd.DataFrame:
    """The deals of one step of a way: the deal, and what it adds above and below the line before the step and after it."""
    sides = _sides(x, view)
    found = next(one for one in way(x, view, start, end).path.steps if one.id == step)
    (n0, d0), (n1, d1) = (_weighed(sides, *name.split("_")) for name in sides_of(start, end, step))
    at = found.records
    return records(x, "opp", sides["opp"].to_numpy()[at])[["opp_id", "name", "account", "owner", "segment", "stage", "amount", "created_at", "close_date"]].assign(
        won_before=n0[at], of_before=d0[at], won_after=n1[at], of_after=d1[at])


def _sides(x: Coded, view: View) -> pd.DataFrame:
    """One row a deal that either basis holds: opp, amount, decided, decided_won, created, created_won (0 or 1 each), step."""
    def take(card: str, *names: str) -> pd.DataFrame:
        facts = x.facts(CARDS[card])
        rows = engine.keep(facts, view, x.dims)
        return pd.DataFrame({"opp": facts.record[rows].astype("int64"), **{name: facts.values[name][rows].astype(float) for name in names}}).set_index("opp")

    closed, cohort = take(CLOSED, "won", "n"), take(COHORT, "n", "mature", "won_in_window_mature", "open")
    both = closed.rename(columns={"won": "decided_won", "n": "decided"}).join(cohort.rename(columns={"won_in_window_mature": "created_won", "mature": "created", "n": "member"}),
                                                                             how="outer").fillna(0.0).reset_index()
    opp = both["opp"].to_numpy()
    step = np.select([(both["member"] == 0) & (x.opps.entry[opp] < 0), both["member"] == 0, both["created"] == 0, both["decided"] > 0, both["open"] > 0], [0, 1, 2, 3, 4], 5)
    return both.assign(amount=np.nan_to_num(x.opps.now.amount[opp]), step=step)


def _weighed(sides: pd.DataFrame, basis: str, weight: str) -> Weights:
    by = sides["amount"].to_numpy() if weight == "value" else np.ones(len(sides))
    return sides[f"{basis}_won"].to_numpy() * by, sides[basis].to_numpy() * by
