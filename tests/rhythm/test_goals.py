"""Where targets stand: by which profile, what is projected and when not, and which way round a target is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from revscore.core.calendars import Period, day_number
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.core.metrics.targets import standing
from revscore.core.review import line
from revscore.core.terms import Target
from revscore.core.view import View
from revscore.rhythm.goals import paced, standings
from revscore.rhythm.pipeline import coverage
from revscore.rhythm.scorecard import judged
from tests.core.builder import deal, extract, table

QUARTER = Period(day_number("2026-05-01"), day_number("2026-08-01"), "FY26Q2")


def target(metric: str, value: float, pacing: str = "linear", direction: str = "up", period: Period = QUARTER, segment: str = "") -> Target:
    return Target("T1", metric, period.start, period.end, segment, "sales", value, direction, pacing, "")


def company(*targets: Target, as_of: str = "2026-06-30T12:00:00Z", won: str = "2026-06-10", deals: int = 4, lost: int = 1):
    """Deals of 100 that are closed on one day: the first `lost` of them lost, the others won."""
    events = [(f"O{k}", at, stage, 100.0, won) for k in range(deals) for at, stage in (("2026-05-05T00:00Z", "Discovery"), (f"{won}T00:00Z", "Closed Won" if k >= lost else "Closed Lost"))]
    x = extract(as_of, opportunities=[deal(f"O{k}") for k in range(deals)], deal_events=events)
    x.terms = replace(x.terms, targets=targets)
    return x


def test_a_cumulative_target_has_pace_projection_and_what_it_takes():
    found = standings(company(target("bookings.won.value", 1200.0), deals=7), View(QUARTER))[0]
    share = 61 / 92
    assert found.line.value == 600 and found.attainment == 0.5 and found.expected_share == pytest.approx(share)
    assert found.pace_index == pytest.approx(600 / (1200 * share)) and found.projected == pytest.approx(600 / share)
    assert found.profile == "linear: every day alike" and found.good is False
    assert found.days_left == 23 and found.needed == pytest.approx(600 / 23)


@pytest.mark.parametrize(("as_of", "early"), [("2026-05-13T12:00:00Z", True), ("2026-05-14T12:00:00Z", False)])  # 13 and 14 of 92 days
def test_nothing_is_projected_before_fifteen_per_cent_is_expected(as_of, early):
    x = company(target("bookings.won.value", 600.0), as_of=as_of, won="2026-05-11")
    found, row = standings(x, View(QUARTER))[0], compute(x, CARDS["targets.pacing"]).iloc[0]
    assert found.line.value == 300 and found.pace_index > 1 and found.early is early
    assert np.isnan(found.projected) == early and np.isnan(row["projected"]) == early and row["early"] == early
    asked = compute(x, CARDS["targets.pacing"], project_early=True).iloc[0]
    assert asked["projected"] == pytest.approx(300 / found.expected_share)


def test_a_profile_that_nobody_entered_gives_no_pace():
    x = company(replace(target("bookings.won.value", 600.0, "seasonal"), profile_id="P9"))
    found, row = standings(x, View(QUARTER))[0], compute(x, CARDS["targets.pacing"]).iloc[0]
    assert found.good is None and np.isnan(found.pace_index) and np.isnan(found.expected_share) and found.needed > 0 and found.attainment == 0.5
    assert row["on_pace"] is None and row["note"] == "No pace: the seasonal profile “P9” is not in the pacing profiles." == found.note
    assert compute(x, CARDS["shared.weakest_link"]).loc[lambda f: f["measure"] == "score", "value"].isna().all()
    bookings = line(x, CARDS["bookings.won_value"], View(QUARTER))
    assert judged(x, View(QUARTER), replace(bookings, n=30.0)).course == "open" and not len(paced(x, View(QUARTER), (bookings,)))
    x.terms = replace(x.terms, seasonality=(("P9", (0.5, 1.0)),))
    assert standings(x, View(QUARTER))[0].expected_share == 1  # after its last week


@pytest.mark.parametrize(("deals", "lost", "said"), [(4, 1, "Deals decided in the period: 4, too few"), (5, 1, ""), (5, 5, "Nothing decided in the period is won"), (0, 0, "No deal is decided")])
def test_coverage_is_judged_by_a_win_rate_only_on_the_smallest_sample(deals, lost, said):
    x = company(target("bookings.won.value", 5000.0), deals=deals, lost=lost)
    x = Coded(x.data.with_tables(targets=table("targets", [{"target_id": "T1", "value": 5000.0}])), x.terms)
    found, row = coverage(x, View(QUARTER)), compute(x, CARDS["pipeline.coverage"], View(QUARTER)).set_index("measure").loc["required_coverage"]
    assert found["unjudged"].startswith(said) and bool(found["unjudged"]) == bool(said)
    assert (row["n"], row["flag"]) == (deals, "low_n" if deals == 5 else "suppress")


@pytest.mark.parametrize(("pacing", "on", "off"), [("linear", 60.0, 70.0), ("none", 100.0, 101.0)])
def test_a_target_to_stay_below_is_kept_below_what_is_expected(pacing, on, off):
    x = company()
    one = target("leads.lost", 100.0, pacing, "down")
    word = "on_pace" if pacing == "linear" else "hit"
    assert standing(x.terms, one, on, x.as_of_day)[word] is True and standing(x.terms, one, off, x.as_of_day)[word] is False


def test_the_calendar_of_a_pacing_profile_is_no_code():
    x = company(target("bookings.won.value", 600.0, "business_day"))
    x.terms = replace(x.terms, pacing_calendar="US_EAST")
    assert standings(x, View(QUARTER))[0].profile == "business days of US East"


def test_a_rate_is_compared_directly():
    found = standings(company(target("winrate.count", 0.9, "none"), deals=8), View(QUARTER))[0]
    assert found.profile == "" and found.good is False and found.projected != found.projected and found.line.value == 0.875


@pytest.mark.parametrize("one", [target("winrate.count", 0.1, "none"), target("winrate.count", 0.9, "none"), target("bookings.won.value", 10.0),
                                 target("bookings.won.value", 9000.0), target("velocity.cycle_time_won.median", 1.0, "none", "down")])
def test_nothing_on_fewer_than_five_records_is_kept_missed_on_or_off_course(one):
    for deals, told in ((4, False), (8, True)):
        x = company(one, deals=deals)
        found = standings(x, View(QUARTER))[0]
        assert found.line.known and (found.good is not None) == told
        number = line(x, found.line.card, View(QUARTER), found.line.stat)
        assert (judged(x, View(QUARTER), number).course != "open") == told
        assert paced(x, View(QUARTER), (number,))["thin"].tolist() == ([not told] if found.profile else [])


def test_no_bookings_at_all_are_no_red():
    x = company(target("bookings.won.value", 600.0), deals=0)
    assert judged(x, View(QUARTER), line(x, CARDS["bookings.won_value"], View(QUARTER))).course == "open"


def test_targets_speak_only_of_exactly_their_period_and_segment():
    x = company(target("bookings.won.value", 600.0), target("bookings.won.value", 300.0, segment="SMB"))
    assert len(standings(x, View(QUARTER))) == 1 and standings(x, View.of(QUARTER, segment="SMB"))[0].target.value == 300
    assert not standings(x, View.of(QUARTER, owner="U1")) and not standings(x, View()) and not standings(x, View.of(QUARTER, segment=("SMB", "Enterprise")))
