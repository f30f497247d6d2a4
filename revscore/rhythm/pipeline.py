"""Pipeline in reviews and in the explorer: the bridge between two times, coverage, stages, slippage, what is stuck."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from revscore.core import units
from revscore.core.calendars import DAY_US, midnight
from revscore.core.coded import Coded
from revscore.core.drill import open_number
from revscore.core.metrics import CARDS
from revscore.core.metrics.pipeline import INFLOWS, LEG_LABELS, LEGS, unexplained
from revscore.core.review import line
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask, frame_of, measured

WEEK_DAYS = 7
TILES: tuple[Ask, ...] = (ask("pipeline.open"), ask("pipeline.created"), ask("winrate.closed_in_period"), ask("bookings.won_value"))
_KINDS = {"open_start": "start", "open_end": "end", "won": "won", **dict.fromkeys(INFLOWS, "up")}
_ALWAYS = ("created", "won", "lost")


@dataclass(frozen=True)
class Bridge:
    """A bridge ready to be drawn: legs (id, leg, value, kind, count), what it leaves unexplained, and its two days."""

    legs: pd.DataFrame = field(default_factory=pd.DataFrame)
    unexplained: float = 0.0
    t0: int = 0
    t1: int = 0

    @property
    def start(self) -> float:
        return float(self.legs["value"].iloc[0]) if len(self.legs) else 0.0

    @property
    def end(self) -> float:
        return float(self.legs["value"].iloc[-1]) if len(self.legs) else 0.0


def span(x: Coded, view: View) -> tuple[int, int]:
    """The two instants between which the pipeline is bridged: the period's ends, as-of while it runs; seven days without a period."""
    if view.period is None:
        return x.as_of - WEEK_DAYS * DAY_US, x.as_of
    tz = x.terms.reporting_tz
    return midnight(view.period.start, tz), min(midnight(view.period.end, tz), x.as_of)


def bridge(x: Coded, view: View, week: bool = False) -> Bridge:
    """The pipeline bridge over the view's period (`week`: the seven days up to as-of). Legs without deals stay away, but for the usual ones."""
    t0, t1 = span(x, view.during(None) if week else view)
    found = frame_of(x, "pipeline.bridge", view.during(None), ("leg",), t0=t0, t1=t1) if t1 > t0 else pd.DataFrame()
    if not len(found):
        return Bridge(t0=t0, t1=t1)
    value, count = (measured(found, name).set_index("leg")["value"].reindex(LEGS).fillna(0.0) for name in ("value", "count"))
    rows = [{"id": leg, "leg": label, "value": value[leg], "kind": _KINDS.get(leg, "down"), "count": count[leg]}
            for leg, label in zip(LEGS, LEG_LABELS, strict=True) if leg in _KINDS and _KINDS[leg] != "up" or leg in _ALWAYS or count[leg]]
    return Bridge(pd.DataFrame(rows), unexplained(found), t0, t1)


def stages(x: Coded, view: View) -> pd.DataFrame:
    """Opportunity stages with how many of the resolved went on: group, value, n, interval."""
    found = measured(frame_of(x, "opp.stage_conversion", view, ("stage",)), "rate_resolved")
    order = {stage: place for place, stage in enumerate(x.terms.opp_stages)}
    return found.assign(group=found["stage"]).sort_values("stage", key=lambda s: s.map(order)).reset_index(drop=True) if len(found) else found


def aging(x: Coded, view: View) -> pd.DataFrame:
    """The open deals that stay longer in their stage than deals we win, those furthest over the benchmark first."""
    card = CARDS["velocity.aging"]
    if x.data.missing(card.needs):
        return pd.DataFrame()
    rows = open_number(x, card, view.during(None), "flagged_share").counted
    return rows.sort_values("over_p75_days", ascending=False, kind="stable").drop(columns=["contribution", "base"]).reset_index(drop=True)


def slipped(x: Coded, view: View) -> pd.DataFrame:
    """The deals that were to close in the period and moved out of it."""
    card = CARDS["slippage.rate"]
    if x.data.missing(card.needs) or view.period is None:
        return pd.DataFrame()
    rows = open_number(x, card, view.during(None), "slippage_rate", period=view.period).counted
    return rows.drop(columns=["contribution", "base"]).reset_index(drop=True)


def coverage(x: Coded, view: View) -> pd.Series | None:
    """Coverage of what is left of the bookings target, and what the own win rate requires; None when there is no target for exactly this. `unjudged`: why
    the win rate cannot say whether it is enough ("" where it can), since a rate below the smallest sample judges nothing (METRICS C12)."""
    found = frame_of(x, "pipeline.coverage", view)
    if not len(found) or pd.isna(found["target"].iloc[0]):
        return None
    return pd.concat([found.set_index("measure")["value"], found.iloc[0][["target", "won_to_date", "remaining", "open_in_period", "open_not_overdue"]],
                      pd.Series({"unjudged": _unjudged(x, view)}, dtype="object")])


def enough(found: pd.Series) -> bool | None:
    """Whether what is open covers what is left (`found`: of `coverage`); None where no win rate says so."""
    if not found["remaining"] > 0:
        return True
    return None if found["unjudged"] or pd.isna(found["required_coverage"]) else bool(found["coverage"] >= found["required_coverage"])


def coverage_said(found: pd.Series, currency: str) -> str:
    """What coverage says, in a sentence."""
    if not found["remaining"] > 0:
        won, target = (units.text(found[name], units.CURRENCY, currency) for name in ("won_to_date", "target"))
        return f"The target is met: {won} won of {target}"
    have, required = (units.text(found[name], units.MULTIPLE) for name in ("coverage", "required_coverage"))
    covered = enough(found)
    if covered is None:
        return f"{have} of what is left is open; no win rate says whether that is enough"
    return f"{'Enough' if covered else 'Not enough'} pipeline: {have} where our win rate needs {required}"


def _unjudged(x: Coded, view: View) -> str:
    rate = line(x, CARDS["winrate.closed_in_period"], view, "value_rate", alone=True)
    if rate.n == 0:
        return "No deal is decided in the period yet, so there is no win rate to say whether that is enough."
    if rate.suppressed:
        return f"Deals decided in the period: {units.text(rate.n, units.DEALS)}, too few for a win rate to say whether that is enough (it takes {x.terms.stats.min_n_show})."
    if not rate.known:
        return f"Deals decided without an amount: {units.of(rate.without_amount, rate.n)}, too many for a win rate by value to say whether that is enough."
    return "" if rate.value > 0 else "Nothing decided in the period is won yet, so no win rate says whether that is enough."


def moved(x: Coded, view: View) -> pd.DataFrame:
    """What became of the deals in pipeline over the last seven days: direction, deals, amount."""
    found = frame_of(x, "pipeline.progressed", view.during(None), ("direction",))
    if not len(found):
        return found
    wide = found[found["measure"].isin(["count", "value"])].pivot_table(index="direction", columns="measure", values="value", sort=False)
    return wide.rename(columns={"count": "deals", "value": "amount"}).reset_index()


