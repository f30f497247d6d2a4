"""What a review asks for: cards by id with their statistic, and how the lines of it are made. Plain data; exports reuse it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.groups import apart
from revscore.core.metrics import CARDS
from revscore.core.review import AMOUNT_GAP, Line, line, needed
from revscore.core.signals import Control
from revscore.core.view import View

LEAST = 10  # owners and campaigns of fewer records are never ranked (METRICS X3)
FEW = 5  # nothing of fewer records is called out
SHIFTS = 3  # how many periods a number that needs time to settle may go back


@dataclass(frozen=True)
class Ask:
    """One line that a review asks for. `own` narrows the metric's own dimensions, `params` are its parameters, `settled` goes back to the
    latest cohort with enough members whose window is over."""

    card: str
    stat: str = ""
    label: str = ""
    own: tuple[tuple[str, str], ...] = ()
    params: tuple[tuple[str, Any], ...] = ()
    settled: bool = False
    now: bool = False  # a state as of today, whatever the period


def ask(card: str, stat: str = "", label: str = "", *, params: dict[str, Any] | None = None, settled: bool = False, now: bool = False, **own: str) -> Ask:
    return Ask(card, stat, label, tuple(sorted(own.items())), tuple(sorted((params or {}).items())), settled, now)


def asked(line: Line) -> Ask:
    """What asks for a line again: its number, as it stands."""
    return Ask(line.card.id, line.stat, line.label, line.own, line.params)


def made(x: Coded, view: View, asks: Iterable[Ask]) -> tuple[Line, ...]:
    """The lines of `asks`, in their order."""
    return tuple(_settled(x, view, one) if one.settled else _line(x, view.during(None) if one.now else view, one) for one in asks)


def _line(x: Coded, view: View, one: Ask) -> Line:
    found = line(x, CARDS[one.card], view, one.stat, label=one.label, own=dict(one.own), **dict(one.params))
    return _blank(found) if found.period is not None and found.period.start > x.as_of_day and not one.settled else _sure(x, view, found)


def _blank(found: Line) -> Line:
    """The line of a period that has not begun by the date of the data: no number, and nothing to compare."""
    nothing = dict.fromkeys(("value", "numerator", "denominator", "n", "low", "high", "before", "before_x", "before_n"), float("nan"))
    return replace(found, **nothing, before_period=None, flag="", maturity="", without_amount=0, series=pd.DataFrame(), signal=Control())


def _sure(x: Coded, view: View, found: Line) -> Line:
    """A fall of an amount is no signal where deals of those weeks have no amount: what is missing would be read as a fall (METRICS C7)."""
    signal = found.signal
    if signal.state != "down" or not found.measure.unit.is_money or not found.without_amount > 0:
        return found
    weeks = line(x, found.card, view.during(Period(signal.week, signal.last + 7)), found.stat, own=dict(found.own), alone=True, **dict(found.params))
    return replace(found, signal=replace(signal, state="")) if weeks.without_amount > AMOUNT_GAP * weeks.n else found


def _settled(x: Coded, view: View, one: Ask) -> Line:
    found = first = _line(x, view, one)
    for _ in range(SHIFTS):
        if not found.suppressed or view.period is None:
            return found if found is first else replace(found, label=f"{found.label}, {view.period.name}")
        view = view.during(x.terms.calendar.shifted(view.period))
        found = _line(x, view, one)
    return first


def frame_of(x: Coded, card: str, view: View, by: tuple[str, ...] = (), grain: Any = None, **params: Any) -> pd.DataFrame:
    """`compute` of a card by its id; empty when the extract lacks what the card needs."""
    return pd.DataFrame() if x.data.missing(CARDS[card].needs) else compute(x, CARDS[card], view, by, grain, **params)


def missing(x: Coded, *cards: str) -> tuple[str, ...]:
    """What the extract lacks for these cards."""
    return tuple(dict.fromkeys(need for card in cards for need in x.data.missing(CARDS[card].needs)))


def lacks(x: Coded, *cards: str) -> str:
    """The sentence about what the extract lacks for these cards; "" when nothing is missing."""
    needs = missing(x, *cards)
    return f"Needs {needed(needs)}, which this extract lacks." if needs else ""


def measured(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The rows of one measure."""
    return frame[frame["measure"] == measure].reset_index(drop=True) if len(frame) else frame


def standout(frame: pd.DataFrame, value: str = "value", lowest: bool = True) -> pd.Series | None:
    """The row with the lowest (highest) value, for a finding; what is missing or stands on fewer than five is none. None without any."""
    known = frame[frame[value].notna()] if len(frame) else frame
    for keep in (("flag", lambda c: c.ne("suppress")), ("n", lambda c: ~(c < FEW))):
        known = known[keep[1](known[keep[0]])] if keep[0] in known else known
    if not len(known):
        return None
    return known.loc[known[value].idxmin() if lowest else known[value].idxmax()]


def apart_from_rest(frame: pd.DataFrame, lowest: bool = True) -> pd.Series | None:
    """The row with the lowest (highest) rate among those that differ from all others together by more than chance (Holm, METRICS X2); None without any."""
    known = frame[frame["value"].notna() & frame["flag"].ne("suppress")] if len(frame) else frame
    if len(known) < 2:
        return None
    whole = known["numerator"].sum() / known["denominator"].sum()
    side = known["value"] < whole if lowest else known["value"] > whole
    return standout(known[apart(known["numerator"].to_numpy(dtype=float), known["denominator"].to_numpy(dtype=float)) & side], lowest=lowest)
