"""The reviews by name, what is in each of them, and the numbers that closing one publishes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.review import Line
from revscore.core.view import View
from revscore.rhythm.monthly import monthly
from revscore.rhythm.pipeline import Bridge
from revscore.rhythm.scorecard import Scorecard, scorecard
from revscore.rhythm.weekly import Weekly, weekly

REVIEWS: Mapping[str, Callable[[Coded, View], Any]] = {"scorecard": scorecard, "weekly": weekly, "monthly": monthly}
TITLES: Mapping[str, str] = {"weekly": "Weekly review", "monthly": "Monthly review"}  # those that are closed, and so published


def content(review: Any) -> tuple[list[Line], dict[str, pd.DataFrame]]:
    """The lines of a review in its order, and its tables by name."""
    if isinstance(review, Scorecard):
        return [tile.line for tile in review.tiles], {}
    lines: list[Line] = []
    tables: dict[str, pd.DataFrame] = {}
    for field in dataclasses.fields(review):
        part = getattr(review, field.name)
        if isinstance(part, tuple):
            lines += [one for one in part if isinstance(one, Line)]
        frame = part.legs if isinstance(part, Bridge) else part
        if isinstance(frame, pd.DataFrame) and len(frame):
            kept = frame[[c for c in frame.columns if not isinstance(frame[c].dropna().head(1).squeeze(), (list, tuple, dict))]]
            tables[field.name.capitalize()] = kept.assign(**{c: kept[c].dt.strftime("%Y-%m-%d") for c in kept.columns if pd.api.types.is_datetime64_any_dtype(kept[c].dtype)})  # a day is a word, no number
    return lines, tables


def numbers(x: Coded, view: View, name: str) -> tuple[Number, ...]:
    """What closing the review `name` publishes: see `numbers_of`."""
    return numbers_of(REVIEWS[name](x, view), view)


def numbers_of(review: Any, view: View) -> tuple[Number, ...]:
    """The numbers of a review that was made under `view`: its lines; of the weekly one also coverage and the legs of the bridge. Numbers that the
    extract cannot give are left out, and of two that are the same the first is kept."""
    found = [Number.behind(line, view) for line in content(review)[0] if not line.lacks]
    if isinstance(review, Weekly):
        if review.coverage is not None:
            found.append(Number.of(CARDS["pipeline.coverage"], view.during(review.period), "coverage"))
        card, bridge = CARDS["pipeline.bridge"], review.bridge
        found += [Number.of(card, view.during(None).narrowed(leg=leg.id), "value", f"Pipeline, seven days: {leg.leg.lower()}", t0=bridge.t0, t1=bridge.t1)
                  for leg in bridge.legs.itertuples()]
    return tuple({(one.card.id, one.row_name, one.view, one.params): one for one in reversed(found)}.values())[::-1]
