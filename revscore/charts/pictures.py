"""The pictures of a review, for files and slides: its trends, its bridge and what else its screens draw, once in light and once in dark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from revscore.charts.amounts import bridge, pace
from revscore.charts.cohorts import heat
from revscore.charts.drawing import Drawing
from revscore.charts.groups import rank
from revscore.charts.series import trend, weeks
from revscore.charts.theme import PALETTES, Theme
from revscore.charts.walks import walk
from revscore.core.picture import Figure, Picture
from revscore.core.review import Line

HEIGHT = 300
KINDS: Mapping[str, Callable[..., Drawing]] = {"pace": pace, "rank": rank, "weeks": weeks, "heat": heat, "walk": walk, "bridge": bridge, "trend": trend}


def picture(key: str, title: str, draw: Callable[[Theme], Drawing], screen: str = "") -> Picture:
    """What `draw` draws, in every theme."""
    drawn = {theme: draw(theme) for theme in PALETTES}
    one = drawn["light"]
    return Picture(key, title, one.data, {theme: found.spec for theme, found in drawn.items()}, one.alt, one.height, screen)


def trends(lines: Mapping[str, Sequence[Line]]) -> tuple[Picture, ...]:
    """The trend of every line that has one, by screen (screen id -> lines); a number that stands on several screens is drawn on the first."""
    first: dict[tuple[object, ...], tuple[str, Line]] = {}
    for screen, group in lines.items():
        for line in group:
            if drawn(line):
                first.setdefault((line.card.id, line.stat, line.own, line.period), (screen, line))
    return tuple(_trend(f"trend-{place}", screen, line) for place, (screen, line) in enumerate(first.values()))


def drawn(line: Line) -> bool:
    """Whether a line has a trend: two periods or more in which it is a number and not too few to be one."""
    return len(line.series) > 1 and bool((line.series["value"].notna() & ~line.series["flag"].eq("suppress")).sum() > 1)


def _trend(key: str, screen: str, line: Line) -> Picture:
    title = f"{line.label}: {line.text}" + (f", {line.verdict}" if line.verdict else "")
    target = None if "target" in line.series.columns else line.target
    return picture(key, title, lambda theme: trend(line.series, line.measure.unit, line.currency, label=line.label, target=target, better=line.card.better.value, theme=theme, height=HEIGHT), screen)


def pipeline_bridge(legs: pd.DataFrame, currency: str, title: str, screen: str = "bridge") -> tuple[Picture, ...]:
    """The bridge of a weekly review from its legs; nothing without legs."""
    return (picture("bridge", title, lambda theme: bridge(legs, currency=currency, theme=theme), screen),) if len(legs) else ()


def of_figures(figures: Sequence[Figure]) -> tuple[Picture, ...]:
    """What the screens of a meeting draw, in the order given."""
    return tuple(picture(f"figure-{place}", one.title, lambda theme, one=one: KINDS[one.kind](one.frame, **one.params, theme=theme), one.screen) for place, one in enumerate(figures))


def of_meeting(lines: Mapping[str, Sequence[Line]], legs: pd.DataFrame | None, currency: str, finding: str = "", figures: Sequence[Figure] = ()) -> tuple[Picture, ...]:
    """All pictures of a meeting: what its screens draw, the trends of the numbers that they show (screen id -> lines), and the bridge from its legs, if it has one."""
    return (*of_figures(figures), *trends(lines), *(pipeline_bridge(legs, currency, finding or "What changed the pipeline") if legs is not None else ()))
