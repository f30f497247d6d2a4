"""Where targets stand: by which profile, what is projected and when not, and which way round a target is judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from revscore.core.calendars import Period, day_number
from revscore.core.metrics.targets import standing
from revscore.core.terms import Target
from revscore.core.view import View
from revscore.rhythm.goals import standings
from tests.core.builder import deal, extract

QUARTER = Period(day_number("2026-05-01"), day_number("2026-08-01"), "FY26Q2")


def target(metric: str, value: float, pacing: str = "linear", direction: str = "up", period: Period = QUARTER, segment: str = "") -> Target:
    return Target("T1", metric, period.start, period.end, segment, "sales", value, direction, pacing, "")


def company(*targets: Target, as_of: str = "2026-06-30T12:00:00Z"):
    deals = [deal(f"O{k}") for k in range(4)]
    events = [(f"O{k}", at, stage, 100.0, "2026-06-10") for k in range(4) for at, stage in (("2026-05-05T00:00Z", "Discovery"), ("2026-06-10T00:00Z", "Closed Won" if k else "Closed Lost"))]
    x = extract(as_of, opportunities=deals, deal_events=events)
    x.terms = replace(x.terms, targets=targets)
    return x


def test_a_cumulative_target_has_pace_projection_and_what_it_takes():
    found = standings(company(target("bookings.won.value", 600.0)), View(QUARTER))[0]
    share = 61 / 92
    assert found.line.value == 300 and found.attainment == 0.5 and found.expected_share == pytest.approx(share)
    assert found.pace_index == pytest.approx(300 / (600 * share)) and found.projected == pytest.approx(300 / share)
    assert found.profile == "linear: every day alike" and found.good is False
    assert found.days_left == 23 and found.needed == pytest.approx(300 / 23)


def test_nothing_is_projected_before_fifteen_per_cent_is_expected():
    early = standings(company(target("bookings.won.value", 600.0), as_of="2026-05-10T12:00:00Z"), View(QUARTER))[0]
    assert early.early and early.projected != early.projected and early.pace_index == early.pace_index or early.line.value == 0


@pytest.mark.parametrize(("pacing", "on", "off"), [("linear", 60.0, 70.0), ("none", 100.0, 101.0)])
def test_a_target_to_stay_below_is_kept_below_what_is_expected(pacing, on, off):
    x = company()
    one = target("leads.lost", 100.0, pacing, "down")
    word = "on_pace" if pacing == "linear" else "hit"
    assert standing(x.terms, one, on, x.as_of_day)[word] is True and standing(x.terms, one, off, x.as_of_day)[word] is False


def test_a_rate_is_compared_directly():
    found = standings(company(target("winrate.count", 0.8, "none")), View(QUARTER))[0]
    assert found.profile == "" and found.good is False and found.projected != found.projected and found.line.value == 0.75


def test_targets_speak_only_of_exactly_their_period_and_segment():
    x = company(target("bookings.won.value", 600.0), target("bookings.won.value", 300.0, segment="SMB"))
    assert len(standings(x, View(QUARTER))) == 1 and standings(x, View.of(QUARTER, segment="SMB"))[0].target.value == 300
    assert not standings(x, View.of(QUARTER, owner="U1")) and not standings(x, View()) and not standings(x, View.of(QUARTER, segment=("SMB", "Enterprise")))
