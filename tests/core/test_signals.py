"""Signal or no change: what the weekly series of a line says, and what it leaves unsaid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revscore.core.calendars import Period, date_of, day_number
from revscore.core.coded import Coded
from revscore.core.control import xmr
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.signals import NEWS, WEEKS, Control, control, read
from revscore.core.view import View
from tests.core.builder import deal, extract, lead

AS_OF = "2026-06-30T12:00:00Z"  # a Tuesday: its week is running
LAST = day_number("2026-06-22")  # Monday of the last complete week


def weekly_leads(counts: list[int], as_of: str = AS_OF):
    """MQLs by week, the last count in the last complete week."""
    leads, events = [], []
    for back, count in enumerate(reversed(counts)):
        at = pd.Timestamp(date_of(LAST - 7 * back)) + pd.Timedelta(hours=10)
        for k in range(count):
            name = f"L{back:02}-{k:03}"
            leads.append(lead(name, f"{at.isoformat()}Z"))
            events.append((name, "mql", f"{at.isoformat()}Z"))
    return extract(as_of, leads=leads, lead_events=events)


def of(x, stat: str = "count", card: str = "funnel.entries", view: View = View(), **own: str) -> Control:
    return control(x, CARDS[card], view.narrowed(**own), stat)


STEADY = [10, 12, 9, 11, 10, 12, 9, 11, 10, 12, 9, 11] + [10, 11] * 7


def test_a_steady_series_is_no_change():
    found = of(weekly_leads(STEADY), stage="mql")
    assert len(found.starts) == WEEKS and found.state == "none" and found.text == "no change"
    assert found.starts[-1] == LAST


def test_a_week_outside_the_limits_is_a_signal_with_its_week():
    found = of(weekly_leads([*STEADY[:-1], 40]), stage="mql")
    assert (found.state, found.rule, found.week, found.n) == ("up", "outside", LAST, 40)
    assert found.text == "signal up: week of 22 Jun above limits"


def test_the_running_week_is_no_point():
    x = extract("2026-06-30T12:00:00Z", **_tables([*STEADY, 60], back=1))
    found = of(x, stage="mql")
    assert found.starts[-1] == LAST and found.state == "none"
    ended = extract("2026-07-05T23:59:59Z", **_tables([*STEADY, 60], back=1))  # the last second of Sunday: the week is complete
    assert of(ended, stage="mql").starts[-1] == LAST + 7


def _tables(counts: list[int], back: int):
    leads, events = [], []
    for place, count in enumerate(counts):
        at = pd.Timestamp(date_of(LAST + 7 * (place - len(counts) + 1 + back))) + pd.Timedelta(hours=10)
        for k in range(count):
            leads.append(lead(f"L{place:02}-{k:03}", f"{at.isoformat()}Z"))
            events.append((f"L{place:02}-{k:03}", "mql", f"{at.isoformat()}Z"))
    return {"leads": leads, "lead_events": events}


def test_a_run_that_lasts_is_told_with_its_length_and_one_that_is_over_is_no_news():
    found = of(weekly_leads([*STEADY[:15], *[12] * 10]), stage="mql")
    assert (found.state, found.rule, found.length) == ("up", "run", 10) and found.text == "signal up: 10 weeks above the mean"
    over = of(weekly_leads([*STEADY[:12], *[12] * 9, *[10] * 5]), stage="mql")
    assert over.chart.runs() and over.state == "none"


def test_too_few_weeks_say_nothing():
    found = of(weekly_leads(STEADY[: 12 + NEWS - 1]), stage="mql")
    assert found.state == "few" and found.text == "too few weeks to say"
    assert of(weekly_leads([0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5]), stage="mql").state == "few"  # less than one a week is no baseline
    assert of(extract(AS_OF, leads=[lead("L1")], lead_events=[]), stage="mql").state == ""


def test_the_definitions_in_force_say_how_long_a_baseline_and_a_run_are():
    def under(counts: list[int], **rules: int) -> Control:
        x = weekly_leads(counts)
        return of(Coded(x.data, replace(x.terms, stats=replace(x.terms.stats, **rules))), stage="mql")

    assert under([*STEADY[:19], *[12] * 5]).state == "none"
    assert under([*STEADY[:19], *[12] * 5], spc_run_length=5).text == "signal up: 5 weeks above the mean"
    assert under(STEADY[:10]).state == "few" and under(STEADY[:10], spc_baseline_points=6).state == "none"
    assert under(STEADY, spc_baseline_points=6).chart.baseline == 6
    long = under([*STEADY, *STEADY], spc_baseline_points=26)
    assert (long.chart.baseline, len(long.starts), long.state) == (26, 40, "none")  # a long baseline is followed by as many weeks as a short one


def test_weeks_of_fewer_than_five_are_no_points_of_a_rate():
    deals, events = [], []
    for week in range(30):
        day = date_of(LAST - 7 * week)
        for k in range(3 if week == 0 else 8):
            name, won = f"O{week:02}-{k}", week == 0 or k % 2
            deals.append(deal(name, f"{date_of(LAST - 7 * week - 40)}T00:00Z"))
            events += [(name, f"{date_of(LAST - 7 * week - 30)}T00:00Z", "Discovery", 10.0, str(day)),
                       (name, f"{day}T10:00Z", "Closed Won" if won else "Closed Lost", 10.0, str(day))]
    found = of(extract(AS_OF, opportunities=deals, deal_events=events), "count_rate", "winrate.closed_in_period")
    assert found.starts[-1] == LAST - 7 and found.state == "none" and len(found.starts) == WEEKS - 1


def test_cohorts_that_are_not_mature_are_no_points():
    x = weekly_leads(STEADY)
    found = of(x, "rate_mature", "funnel.cohort_conversion", pair="mql->sal")
    window = x.terms.window("mql->sal")
    assert len(found.starts) and all(start + window <= x.as_of_day for start in found.starts) and found.starts[-1] == LAST - 7


@pytest.mark.parametrize(("card", "stat"), [("pipeline.bridge", ""), ("winrate.closed_in_period", "value_rate"), ("velocity.time_to_close_km", "median")])
def test_what_has_no_honest_weekly_series_has_no_chart(card, stat):
    x = weekly_leads(STEADY)
    assert control(x, CARDS[card], View(), stat or CARDS[card].headline.name).chart is None


def test_a_line_says_no_change_and_has_no_tone_when_nothing_moved():
    x = weekly_leads([*STEADY[:-2], 11, 12])
    may, june = (Period(day_number(a), day_number(b), a[:7]) for a, b in (("2026-05-01", "2026-06-01"), ("2026-06-01", "2026-07-01")))
    one = line(x, CARDS["funnel.entries"], View(june), own={"stage": "mql"})
    assert one.value != one.before and one.moved is False and one.verdict == "no change" and one.tone == "neutral"
    up = line(weekly_leads([*STEADY[:-2], 30, 40]), CARDS["funnel.entries"], View(june), own={"stage": "mql"})
    assert up.moved and up.tone == "good" and up.verdict.startswith("signal up")
    few = line(weekly_leads(STEADY[:6]), CARDS["funnel.entries"], View(may), own={"stage": "mql"})
    assert few.moved is None and few.tone == "neutral" and few.verdict == "too few weeks to say"


def test_a_signal_on_fewer_than_five_records_has_no_colour():
    values = np.array([1.0, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2] + [1, 2] * 6 + [1, 40])
    made = read(Control("few", starts=np.arange(26) * 7, numerator=np.full(26, np.nan), n_of=np.ones(26), chart=xmr(values)))
    assert made.fired and made.n == 1
    x = weekly_leads(STEADY)
    june = Period(day_number("2026-06-01"), day_number("2026-07-01"), "June")
    one = line(x, CARDS["funnel.entries"], View(june), own={"stage": "mql"})
    assert replace(one, signal=made, value=one.before + 9).tone == "neutral"
