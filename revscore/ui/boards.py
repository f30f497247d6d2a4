"""What each screen of an agenda shows on the stage of a meeting: as much of its blocks as a wall holds, without anything to scroll.

Sizes are px of the drawing board, 1920 × 1080. `room` is what is left under the headline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext

import streamlit as st

from revscore.core.review import Line
from revscore.rhythm.monthly import Monthly
from revscore.rhythm.weekly import Weekly
from revscore.ui import lacking, screens, stage, tiles
from revscore.ui.blocks import campaigns, funnel, governance, pipeline, quality, retention, review, shared, speed, taken, targets, triage, variance, wins
from revscore.ui.session import Now

TILES, LOW_TILES, CARD, NARROW, GAP, UNCHANGED, MOST = 320, 232, 118, 165, 12, 44, 8  # tiles with trends, and without; what a card, and a narrow one, has around its chart; a line of what did not move; most tiles
Board = Callable[[Now, Weekly, int], None] | Callable[[Now, Monthly, int], None]


def draw(now: Now, kind: str, screen: str, said: str) -> None:
    """What stands under the headline `said`."""
    with stage.board(said), lacking.gathered():
        if board := _BOARDS[kind].get(screen):
            return board(now, now.ask(screens.REVIEWS[kind]), stage.room(said))
        with stage.tall(stage.room(said) - CARD):
            screens.draw(now, kind, screen)


def _sides(px: int, *blocks: Callable[[], None], share: Sequence[int] | None = None) -> None:
    """Blocks side by side in cards of together `px`."""
    with stage.tall(px - NARROW):
        screens.sides(*blocks, share=share)


def _row(now: Now, lines: Sequence[Line], key: str, columns: int = 4, fold: bool = False, trends: bool = False) -> int:
    """Tiles in a row or two, the rest on a line; what they take. `trends`: each with its own, where no chart stands below."""
    there = [line for line in lines if not line.lacks]
    if lines and not there:
        lacking.note(lines[0].lacks, lines[0].label)
    still = [line for line in there if fold and line.known and line.moved is False]
    shown = [line for line in there if line not in still]
    rest = [*shown[MOST:], *still]
    if shown[:MOST]:
        with nullcontext() if trends else stage.above_charts():
            tiles.row(now, shown[:MOST], columns, key)
    if rest:
        tiles.unchanged(now, rest, key)
    rows = -(-min(len(shown), MOST) // columns)
    return rows * ((TILES if trends else LOW_TILES) + GAP) + (UNCHANGED + GAP) * bool(rest)


# -- weekly --------------------------------------------------------------------------------------------------------------------------------

def _before(now: Now, found: Weekly, room: int) -> None:
    with stage.drawer():  # its rows are laid out for the stage already, and open to forms
        taken.last_week(now)


def _pace(now: Now, found: Weekly, room: int) -> None:
    used = 300
    if len(found.progress):
        with stage.tall(used - CARD):
            review.pace(now, found)
    else:
        used = _row(now, found.standing, "standing")
    with stage.tall(room - used - GAP - CARD + stage.ROW):
        targets.targets(now)


def _coverage(now: Now, found: Weekly, room: int) -> None:
    review.coverage(now, found)
    _sides(room - 200 - GAP, lambda: pipeline.stages(now), lambda: quality.categories(now))


def _bridge(now: Now, found: Weekly, room: int) -> None:
    with stage.tall(room - CARD + 44):  # the headline is its finding
        pipeline.bridge(now, week=True)


def _signals(now: Now, found: Weekly, room: int) -> None:
    _row(now, found.signals, "signals", 2 if len(found.signals) in (1, 2, 4) and not len(found.still) > 12 else 3 if len(found.signals) in (3, 5, 6) else 4, trends=True)
    if found.still:
        tiles.unchanged(now, found.still, "still")


def _stuck(now: Now, found: Weekly, room: int) -> None:
    taken = _row(now, found.flow, "flow", fold=True)
    with stage.tall(min(room - taken - CARD - 20, 7 * stage.ROW)):
        pipeline.aging(now)


def _promises(now: Now, found: Weekly, room: int) -> None:
    left = room - _row(now, found.speed, "speed", fold=True)

    def owners() -> None:
        with stage.tall(left - NARROW - 2 * stage.ROW):  # its foot says who is told
            triage.breaches_by_owner(now)

    _sides(left, lambda: speed.weeks(now, "speed_to_lead"), owners)


def _exceptions(now: Now, found: Weekly, room: int) -> None:
    _sides(room, lambda: quality.kinds(now), lambda: quality.hygiene(now))


# -- monthly -------------------------------------------------------------------------------------------------------------------------------

def _together(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.shared, "together", 3) - 40  # both feet have two lines and more, and titles of two
    _sides(left, lambda: shared.legs(now), lambda: shared.solo(now))


def _targets(now: Now, found: Monthly, room: int) -> None:
    rows = min(len(found.targets), stage.ROWS)
    with stage.tall((rows + 1) * stage.ROW):
        targets.targets(now)
    with stage.tall(room - (rows + 1) * stage.ROW - 70 - GAP - CARD):
        variance.variance(now)


def _conversion(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.conversion, "conversion")
    with stage.tall(left - CARD):
        funnel.heat(now)


def _wins(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.wins, "wins", 2)
    with stage.tall(left - CARD):
        wins.changed(now)


def _velocity(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.velocity, "velocity", 3)
    with stage.tall(left - CARD):
        speed.levers(now)


def _retention(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.retention, "retention", 3)
    if (whole := retention.review(now)) is not None:
        _sides(left, lambda: retention.bridge(now, whole), lambda: retention.trend(now, whole), share=(3, 2))


def _campaigns(now: Now, found: Monthly, room: int) -> None:
    frame = found.evidence
    with stage.tall(room - CARD - 3 * stage.ROW):
        frame = campaigns.fitting(frame, stage.rows())
        campaigns.evidence(now, frame)
    if len(frame) < len(found.evidence):
        st.caption(f"{len(found.evidence) - len(frame)} more are on the page of the review.")


def _decisions(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.decisions, "decisions", trends=True)
    with stage.tall(left - CARD):
        governance.waiting(now)


def _reports(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.reports, "reports", 2)
    with stage.tall(left - CARD):
        governance.reports(now)


def _definitions(now: Now, found: Monthly, room: int) -> None:
    left = room - _row(now, found.definitions, "definitions", 2)
    with stage.tall(left - CARD):
        governance.definition_changes(now, found.changes)


_BOARDS: Mapping[str, Mapping[str, Board]] = {
    "weekly": {"before": _before, "pace": _pace, "coverage": _coverage, "bridge": _bridge, "signals": _signals, "stuck": _stuck, "promises": _promises, "exceptions": _exceptions},
    "monthly": {"together": _together, "targets": _targets, "conversion": _conversion, "wins": _wins, "velocity": _velocity, "retention": _retention, "campaigns": _campaigns,
                "decisions": _decisions, "reports": _reports, "definitions": _definitions}}
