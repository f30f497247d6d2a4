"""The HTML file of a meeting has the drawings of its screens, with the values of the frames that the screens draw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape

import pandas as pd
import pytest

from revscore import company
from revscore.charts.pictures import of_meeting
from revscore.core.coded import Coded
from revscore.core.view import View
from revscore.core.written import view_from_json
from revscore.export.html import meeting_html
from revscore.rhythm import actions, changes, exceptions, funnel, governance, meetings, pipeline, quality, retention, shared, speed
from revscore.rhythm.asks import ask
from revscore.rhythm.figures import figures
from revscore.rhythm.minutes import Minutes, minutes
from revscore.rhythm.shown import lists
from revscore.rhythm.variance import variances
from revscore.store import Store
from tests.export.held import monthly_meeting, weekly_meetings
from tests.people import ADA

DRAWN = {"weekly": ["pace", "coverage", "coverage", "promises", "exceptions", "exceptions"],
         "monthly": ["together", "targets", "conversion", "wins", "velocity", "retention", "retention"]}  # as on the stage


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = company.open_store(tmp_path_factory.mktemp("figures") / "store.sqlite")
    yield store
    store.close()


@pytest.fixture(scope="module", params=["weekly", "monthly"])
def held(request: pytest.FixtureRequest, store: Store) -> tuple[str, Minutes, Coded, View]:
    meeting, x = (weekly_meetings if request.param == "weekly" else monthly_meeting)(store)[:2]
    return request.param, minutes(store, company.SAMPLE, meeting, x), x, view_from_json(meeting.frozen.view)


def _file(said: Minutes, x: Coded, view: View) -> str:
    return meeting_html(said, of_meeting(said.by_screen, said.tables.get("Bridge"), said.currency, said.finding("bridge"), figures(x, view, said.review)), ()).decode()


def _frames(kind: str, said: Minutes, x: Coded, view: View) -> list[tuple[str, pd.Series, pd.Series | None]]:
    """What the screens draw, asked for as the screens ask for it: drawn column, its values, which of them are not written as a number."""
    if kind == "weekly":
        stages, weeks = pipeline.stages(x, view), speed.weeks(x, view, "speed_to_lead")
        return [("value", said.review.progress["value"], None), ("value", stages["value"], stages["flag"].eq("suppress")), ("value", quality.categories(x, view)["value"], None),
                ("met", weeks["met"], None), ("value", quality.exceptions(x, view)["value"], None), ("value", quality.rules(x, view)["value"], None)]
    rate, whole, heat = ask("winrate.closed_in_period"), retention.retention(x, view), funnel.heat(x, view)
    walks = [variances(x, view)[0].rows, changes.change(x, view, rate, changes.dimensions(x, view, rate)[0]).rows, speed.levers(x, view).rows]
    return [("value", shared.legs(x, view)["value"], None), ("level", walks[0]["to"], None), ("value", heat["value"], heat["flag"].eq("suppress")), ("level", walks[1]["to"], None),
            ("level", walks[2]["to"], None), ("value", whole.legs["value"], None), ("value", whole.ratios[0].series["value"], None)]


def test_every_drawing_of_the_stage_is_in_the_file_in_light_and_dark_with_the_same_values(held):
    kind, said, x, view = held
    made, frames = figures(x, view, said.review), _frames(*held)
    assert [one.screen for one in made] == DRAWN[kind] and all(one.title for one in made)
    text = _file(said, x, view)
    drawn = json.loads(re.search(r'<script type="application/json" id="pictures">(.*?)</script>', text)[1])[:len(made)]
    for one, picture, (column, values, few) in zip(made, drawn, frames, strict=True):
        assert set(picture["specs"]) == {"light", "dark"} and escape(one.title) in text
        values = values if few is None else values[~few]
        shown = sorted(row[column] for row in picture["rows"] if row[column] is not None)
        assert len(shown) > 1 and shown == pytest.approx(sorted(values.dropna().astype(float)), rel=1e-9), one.title


def test_the_lists_of_the_weekly_screens_are_tables(held):
    kind, said, x, view = held
    tables = {one.id: one.table for one in said.with_tables(lists(x, view, said.review)).agenda}
    if kind == "monthly":
        waits, off = governance.open_decisions(x, view), governance.inconsistent(x, view)
        assert [row[0] for row in tables["decisions"].rows] == [*waits["title"], *governance.overdue(x, view)["decision"]] and len(waits) > 0
        assert [row[3:5] for row in tables["reports"].rows] == list(zip(off["value"], off["canonical"], strict=True)) and tables["campaigns"] is not None
        return
    deals, broken = pipeline.aging(x, view), exceptions.current(x, view)["kind"].eq("sla_breach_open").sum()
    assert [row[0] for row in tables["stuck"].rows] == deals["name"].head(10).tolist() and sum(int(row[1]) for row in tables["promises"].rows) == broken > 0


def test_an_action_says_its_state(store, held):
    kind, said, x, view = held
    if kind == "monthly":
        return
    one = next(one for one in actions.actions(store, company.SAMPLE) if one.id == "a1")
    assert "<td>open</td>" in _file(said, x, view)
    actions.cancel(store, company.SAMPLE, one, ADA, "Nobody has the time")
    assert "<td>given up</td>" in _file(minutes(store, company.SAMPLE, meetings.meeting(store, company.SAMPLE, said.id), x), x, view)
