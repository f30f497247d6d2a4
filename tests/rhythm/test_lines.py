"""Lines of reviews: what is no number yet, what is no signal, and one colour for a number wherever it stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revscore.core.calendars import Period, day_number
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.signals import Control
from revscore.core.view import View
from revscore.rhythm import asks
from revscore.rhythm.asks import ask, made
from revscore.rhythm.scorecard import judged
from revscore.ui.tiles import said
from tests.rhythm.test_goals import QUARTER, company, target

LATER = Period(day_number("2026-08-01"), day_number("2026-11-01"), "FY26Q3")


def test_a_period_that_has_not_begun_has_no_number_and_nothing_to_compare():
    x = company(deals=8)
    found, = made(x, View(LATER), (ask("bookings.won_value"),))
    assert not found.known and found.change == found.text == "–" and np.isnan(found.before) and not len(found.series)
    tile = judged(x, View(LATER), found)
    assert tile.course == "open" and tile.why == "no data yet: begins 1 Aug 2026"


@pytest.mark.parametrize(("without", "called"), [(0, True), (1, True), (5, False)])
def test_a_fall_of_an_amount_is_no_signal_where_its_weeks_lack_amounts(monkeypatch: pytest.MonkeyPatch, without: int, called: bool):
    x = company(deals=8)
    found = replace(line(x, CARDS["pipeline.created"], View(QUARTER)), signal=Control("down", "outside", QUARTER.start, QUARTER.start), without_amount=float(without))
    monkeypatch.setattr(asks, "line", lambda *a, **k: replace(found, n=8.0))
    sure = asks._sure(x, View(QUARTER), found)
    assert sure.signal.fired is called and (sure.tone == "neutral" or called)


def test_a_target_gives_the_colour_and_a_signal_is_words():
    x = company(target("bookings.won.value", 300.0), deals=8)
    down = replace(line(x, CARDS["bookings.won_value"], View(QUARTER)), n=30.0, before=900.0, signal=Control("down", "run", QUARTER.start, QUARTER.start, 10, 30.0))
    tile = judged(x, View(QUARTER), down)
    assert tile.course == "on" and tile.aimed and down.tone == "bad"
    assert "On course, yet signal down\\: 10 weeks below the mean" in said(down, tile.course)
    assert "Off course, and signal down" in said(down, "off") and "Signal down" in said(down)


def test_a_fall_that_is_good_news_agrees_with_its_target():
    x = company(target("velocity.cycle_time_won.median", 90.0, "none", "down"), deals=8)
    found = replace(line(x, CARDS["velocity.cycle_time_won"], View(QUARTER)), signal=Control("down", "outside", QUARTER.start, QUARTER.start, 1, 7.0), series=pd.DataFrame())
    assert judged(x, View(QUARTER), found).course == "on" and "On course, and signal down" in said(found, "on")
