"""What is behind the numbers that a review's tables and series print, cell by cell, so that an export gives each its receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.made import Given, Listed, Made, Number, Worked, made_of
from revscore.core.metrics import CARDS
from revscore.core.metrics.campaigns import behind as behind_campaigns
from revscore.core.review import Line
from revscore.core.terms import MODEL_LABELS, MODELS
from revscore.core.units import CURRENCY, DEALS, PEOPLE, RATIO
from revscore.core.view import View
from revscore.rhythm import campaigns, goals
from revscore.rhythm.monthly import Monthly
from revscore.rhythm.weekly import Weekly

Behind = Number | Given | Listed | Worked
Columns = Mapping[str, Sequence[Behind | None]]  # by column of a table, in the order of its rows


def of_tables(x: Coded, review: Any, view: View) -> dict[str, Columns]:
    """By name of a table of `reviews.content`, what is behind its columns of numbers."""
    if isinstance(review, Monthly):
        return {name: of(x, frame) for name, frame, of in (("Campaigns", review.campaigns, lambda x, frame: behind_campaigns(x, view, frame)),
                                                           ("Evidence", review.evidence, lambda x, frame: _evidence(x, view, frame)), ("Tests", review.tests, _arms)) if len(frame)}
    if not isinstance(review, Weekly):
        return {}
    out: dict[str, Columns] = {}
    if len(review.progress):
        at, lines = view.during(review.period), {line.label: line for line in review.pace}
        found = [(line, goals.goal(x, at, line)) for line in (lines[name] for name in review.progress["name"])]
        target = [Given(f"Target: {line.label}", one.target.value, line.measure.unit, f"targets, {one.target.target_id}") for line, one in found]
        out["Progress"] = {"value": [Number.behind(line, at) for line, _ in found], "target": target,
                           "expected": [Worked(f"Expected by now: {line.label}", line.measure.unit, Made((given, Given("Share expected by now", one.expected / one.target.value if one.target.value else 0.0, RATIO,
                                        f"pacing profile {one.target.pacing} of targets, {one.target.target_id}")), "target × share", lambda whole, share: whole * share))
                                        for (line, one), given in zip(found, target, strict=True)]}
    bridge, whole = review.bridge, view.during(None)
    if len(bridge.legs):
        out["Bridge"] = {column: [Number.of(CARDS["pipeline.bridge"], whole.narrowed(leg=leg.id), stat, f"Pipeline, seven days: {leg.leg.lower()}", t0=bridge.t0, t1=bridge.t1) for leg in bridge.legs.itertuples()]
                         for column, stat in (("value", "value"), ("count", "count"))}
    if len(review.moved):
        out["Moved"] = {column: [Number.of(CARDS["pipeline.progressed"], whole.narrowed(direction=way), stat, f"Seven days: {way.lower()}") for way in review.moved["direction"]]
                        for column, stat in (("deals", "count"), ("amount", "value"))}
    return out


def _evidence(x: Coded, view: View, frame: pd.DataFrame) -> Columns:
    """What is behind the evidence on campaigns, over their whole life: cost and open deals as on the scorecard, the least and the most of nine models, the deals won."""
    whole = view.during(None)
    out: dict[str, list[Behind]] = {name: [replace(one, label=f"{one.label}, whole life") for one in found] for name, found in behind_campaigns(x, whole, frame).items()
                                    if name in ("cost", "still_open_share")} | {"low": [], "high": [], "n": []}
    for told in frame.itertuples():
        models = tuple(Number.of(CARDS["attribution.totals_fytd"], whole.narrowed(basis="won", campaign=told.campaign), model, label) for model, label in zip(MODELS, MODEL_LABELS, strict=True))
        for column, of, says in (("low", min, "the least of the nine models"), ("high", max, "the most of the nine models")):
            out[column].append(Worked(f"Won, {says.split(' of ')[0]}: {told.name}", CURRENCY, Made(models, says, lambda *credit, of=of: of(credit))))
        ids = campaigns.deals(x, whole, told.campaign, "won")["opp_id"].to_numpy()
        out["n"].append(Listed(f"Won deals: {told.name}", DEALS, pd.DataFrame({"record": pd.Series(ids, dtype="str"), "contribution": np.ones(len(ids))}), f"won deals with credit for the campaign {told.campaign}"))
    return out


def _arms(x: Coded, tests: pd.DataFrame) -> Columns:
    """What is behind the numbers of controlled tests: the difference, and the rates and people of its two arms."""
    out: dict[str, list[Behind]] = {"treated": [], "control": [], "people": [], "difference": []}
    for row in tests.itertuples():
        number = Number.of(CARDS["stats.experiments"], View.of(experiment_id=row.id, arm=row.arm), label=f"{row.name}: {row.arm}")
        hits, n, hits0, n0 = made_of(x, number).parts
        for column, parts, says in (("treated", (hits, n), "successes ÷ people"), ("control", (hits0, n0), "successes ÷ people")):
            out[column].append(Worked(f"{number.label}, {column}", RATIO, Made(parts, says, lambda top, base: top / base if base else float("nan"))))
        out["people"].append(Worked(f"{number.label}, people", PEOPLE, Made((n, n0), "people of both arms", lambda a, b: a + b)))
        out["difference"].append(number)
    return out


def before(line: Line, view: View) -> Number | None:
    """The number that a line is compared with."""
    if line.before_period is None or line.lacks or line.before != line.before:
        return None
    return _at(line, view, line.before_period, f"{line.label}, before")


def of_series(line: Line, view: View) -> list[Number]:
    """The numbers of a line's series, in its order."""
    first = "first" if "first" in line.series.columns else "start"
    return [_at(line, view, Period(int(row[first]), int(row["end"])), f"{line.label}, {row['period']}") for row in line.series.to_dict("records")]


def _at(line: Line, view: View, period: Period, label: str) -> Number:
    """The number of a line in another period: of a card that takes its period as a parameter, by that; of a state of today, the state of that time."""
    params = dict(line.params)
    own = ({"period": Period(period.start, period.end)} if "period" in params else {}) | ({"then": True} if "then" in line.card.params else {})
    return replace(Number.behind(replace(line, period=period), view), label=label, params=tuple(sorted({**params, **own}.items())))
