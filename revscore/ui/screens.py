"""What each screen of an agenda shows: the same blocks on the page that prepares a meeting and in the meeting itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from revscore.core.review import Line
from revscore.rhythm import answers
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.answers import Answer
from revscore.rhythm.monthly import Monthly, monthly
from revscore.rhythm.weekly import Weekly, weekly
from revscore.ui import capture, tiles
from revscore.ui.blocks import campaigns, funnel, governance, pipeline, quality, retention, review, shared, speed, taken, targets, variance, wins
from revscore.ui.session import Now

REVIEWS = {"weekly": weekly, "monthly": monthly}


def said(now: Now, kind: str) -> dict[str, Answer]:
    """Screen id -> its answer: of the numbers, of the actions of earlier meetings, and of what this one has taken so far."""
    held, _ = capture.here()
    before = {"before": taken.said_last_week(now)} if "before" in _DRAWN[kind] else {}
    return before | answers.answers(now.x, now.ask(REVIEWS[kind])) | ({"next": taken.said_taken(now, held)} if held else {})


def draw(now: Now, kind: str, screen: str) -> None:
    """What stands under the answer of a screen."""
    _DRAWN[kind][screen](now, now.ask(REVIEWS[kind]))


def lines(now: Now, kind: str, screen: str) -> tuple[Line, ...]:
    """The numbers of a screen: what an action that is raised on it may be measured by."""
    found = now.ask(REVIEWS[kind])
    return _LINES[kind].get(screen, lambda found: ())(found)


def sides(*blocks: Callable[[], None], share: Sequence[int] | None = None) -> None:
    """Blocks side by side."""
    for place, block in zip(st.columns(share or len(blocks), gap="small"), blocks, strict=True):
        with place:
            block()


def _tiles(now: Now, lines: Sequence[Line], key: str, columns: int = 4, fold: bool = False) -> None:
    """Tiles; `fold`: what did not move stands on one line (METRICS X7)."""
    still = [line for line in lines if fold and line.known and not line.lacks and line.moved is False]
    if rest := [line for line in lines if line not in still]:
        tiles.row(now, rest, columns, key)
    if still:
        tiles.unchanged(now, still, key)


# -- weekly --------------------------------------------------------------------------------------------------------------------------------

def _pace(now: Now, found: Weekly) -> None:
    if len(found.progress):
        review.pace(now, found)
    else:
        tiles.row(now, found.standing, key="standing")
    targets.targets(now)


def _coverage(now: Now, found: Weekly) -> None:
    review.coverage(now, found)
    sides(lambda: pipeline.stages(now), lambda: quality.categories(now))


def _signals(now: Now, found: Weekly) -> None:
    if found.signals:
        tiles.row(now, found.signals, 3 if len(found.signals) in (1, 2, 3, 5, 6) else 4, "signals")
    if found.still:
        tiles.unchanged(now, found.still, "signals")


def _stuck(now: Now, found: Weekly) -> None:
    _tiles(now, found.flow, "flow", fold=True)
    pipeline.aging(now)


def _promises(now: Now, found: Weekly) -> None:
    _tiles(now, found.speed, "speed", fold=True)
    sides(lambda: speed.weeks(now, "speed_to_lead"), lambda: speed.weeks(now, "follow_up"))
    speed.breaches(now)


def _exceptions(now: Now, found: Weekly) -> None:
    sides(lambda: quality.kinds(now), lambda: quality.hygiene(now))


# -- monthly -------------------------------------------------------------------------------------------------------------------------------

def _together(now: Now, found: Monthly) -> None:
    tiles.row(now, found.shared, 3, "together")
    shared.legs(now)
    shared.solo(now)


def _targets(now: Now, found: Monthly) -> None:
    targets.targets(now)
    variance.variance(now)


def _conversion(now: Now, found: Monthly) -> None:
    tiles.row(now, found.conversion, key="conversion")
    sides(lambda: funnel.heat(now), lambda: funnel.curves(now), share=(3, 2))


def _wins(now: Now, found: Monthly) -> None:
    tiles.row(now, found.wins, 2, "wins")
    wins.changed(now)


def _velocity(now: Now, found: Monthly) -> None:
    tiles.row(now, found.velocity, 3, "velocity")
    speed.levers(now)


def _retention(now: Now, found: Monthly) -> None:
    tiles.row(now, found.retention, 3, "retention")
    if (whole := retention.review(now)) is not None:
        sides(lambda: retention.bridge(now, whole), lambda: retention.trend(now, whole), share=(3, 2))


def _decisions(now: Now, found: Monthly) -> None:
    tiles.row(now, found.decisions, key="decisions")
    governance.waiting(now)


def _reports(now: Now, found: Monthly) -> None:
    tiles.row(now, found.reports, 2, "reports")
    governance.reports(now)


def _definitions(now: Now, found: Monthly) -> None:
    tiles.row(now, found.definitions, 2, "definitions")
    governance.definition_changes(now, found.changes)


_DRAWN: Mapping[str, Mapping[str, Callable[[Now, Weekly], None] | Callable[[Now, Monthly], None]]] = {
    "weekly": {"before": lambda now, found: taken.last_week(now), "pace": _pace, "coverage": _coverage, "bridge": lambda now, found: pipeline.bridge(now, week=True), "signals": _signals,
               "stuck": _stuck, "promises": _promises, "exceptions": _exceptions, "next": lambda now, found: taken.taken(now, capture.here()[0])},
    "monthly": {"together": _together, "targets": _targets, "conversion": _conversion, "wins": _wins, "velocity": _velocity, "retention": _retention,
                "campaigns": lambda now, found: campaigns.evidence(now, found.evidence), "tests": lambda now, found: governance.tests(now), "decisions": _decisions,
                "reports": _reports, "definitions": _definitions, "next": lambda now, found: taken.taken(now, capture.here()[0])}}
_LINES: Mapping[str, Mapping[str, Callable]] = {
    "weekly": {"pace": lambda found: found.pace, "coverage": lambda found: found.pace, "bridge": lambda found: found.pace, "signals": lambda found: found.signals or found.still,
               "stuck": lambda found: found.flow, "promises": lambda found: found.speed, "exceptions": lambda found: found.order, "next": lambda found: found.watched},
    "monthly": {"together": lambda found: found.shared, "targets": lambda found: tuple(one.line for one in found.targets), "conversion": lambda found: found.conversion,
                "wins": lambda found: found.wins, "velocity": lambda found: found.velocity, "retention": lambda found: found.retention, "decisions": lambda found: found.decisions,
                "reports": lambda found: found.reports, "definitions": lambda found: found.definitions,
                "next": lambda found: (*found.shared, *found.conversion, *found.wins, *found.velocity, *found.retention)}}
assert all(set(_DRAWN[kind]) == set(AGENDAS[kind].ids) for kind in _DRAWN), "every screen is drawn"
