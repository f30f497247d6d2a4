"""Laws on any input: histories of leads and deals, open hours through changes of clocks, intervals, curves, quantiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from revscore.core import statistics
from revscore.core.calendars import DAY_US, day_number
from revscore.core.clocks import MINUTE_US, hours
from revscore.core.compute import compute, quantile
from revscore.core.metrics import CARDS
from revscore.core.terms import OpenWindow
from revscore.core.view import View
from tests.core.builder import deal, extract, lead

# -- leads ---------------------------------------------------------------------------------------------------------------------------------

FATES = ("advanced", "disqualified", "recycled", "lost", "stalled", "active")
step = st.tuples(st.integers(0, 110), st.sampled_from(("inquiry", "mql", "sal", "sql", "recycled", "disqualified")))
lead_lives = st.lists(st.tuples(st.lists(step, max_size=7), st.none() | st.integers(0, 120), st.sampled_from(("open", "won", "lost", "none"))), min_size=1, max_size=25)


def at(day: int) -> str:
    return f"2026-{3 + day // 28:02}-{1 + day % 28:02}T{day % 24:02}:00:00Z"


def company(lives: list) -> object:
    """Leads with any events, some of them converted into a deal that is open, won, lost or unknown."""
    leads, events, deals, history = [], [], [], []
    for k, (steps, converted, fate) in enumerate(lives):
        opp = {} if converted is None else {"converted_at": at(converted), "converted_contact_id": f"K{k}", "converted_opportunity_id": f"O{k}"}
        leads.append(lead(f"L{k}", at(0), **opp))
        events += [(f"L{k}", stage, at(day)) for day, stage in steps]
        if opp and fate != "none":
            deals.append(deal(f"O{k}", at(converted)))
            history += [(f"O{k}", at(converted), "Discovery", 10, "2026-06-30")]
            history += [] if fate == "open" else [(f"O{k}", at(converted + 1), "Closed Won" if fate == "won" else "Closed Lost", 10, "2026-06-30")]
    return extract(leads=leads, lead_events=events, opportunities=deals, deal_events=history)


@settings(max_examples=40, deadline=None)
@given(lead_lives)
def test_every_lead_that_reached_a_stage_has_exactly_one_fate(lives: list) -> None:
    x = company(lives)
    reached = compute(x, CARDS["funnel.entries"], by="stage")
    reached = reached[reached["measure"] == "count"].set_index("stage")["value"]
    fates = compute(x, CARDS["leakage.leads"], by=("stage", "fate"))
    fates = fates[fates["measure"] == "count"]
    assert set(fates["fate"]) <= set(FATES)
    counts = fates.groupby("stage")["value"].sum()
    for stage in x.terms.lead_stages[:-1]:
        assert counts.get(stage, 0) == reached.get(stage, 0), stage
    rates = compute(x, CARDS["leakage.leads"], by="stage").query("measure == 'leak_rate'").set_index("stage")
    leaks = fates[fates["fate"].isin(("disqualified", "recycled", "lost"))].groupby("stage")["value"].sum()
    for stage, row in rates.iterrows():
        assert row["numerator"] == leaks.get(stage, 0) and row["denominator"] == counts[stage]


@settings(max_examples=30, deadline=None)
@given(lead_lives)
def test_a_cohort_is_its_mature_and_its_young_members(lives: list) -> None:
    """What counts is converted or not, and old enough or not: never more converted than mature, never more mature than members."""
    frame = compute(company(lives), CARDS["funnel.cohort_conversion"], by="pair").pivot(index="pair", columns="measure", values=["numerator", "denominator", "n"])
    mature, soon, waiting = (frame.xs(name, axis=1, level="measure") for name in ("rate_mature", "rate_to_date", "still_open_share")) if len(frame) else (frame,) * 3
    if len(frame):
        assert (mature["numerator"] <= mature["denominator"]).all() and (mature["denominator"] <= mature["n"]).all()
        assert (mature["numerator"] <= soon["numerator"]).all() and (soon["denominator"] == mature["n"]).all()
        assert (soon["numerator"] + waiting["numerator"] <= mature["n"]).all(), "nobody is converted and still open"


# -- deals ---------------------------------------------------------------------------------------------------------------------------------

STAGES = ("Prospecting", "Discovery", "Proposal", "Negotiation", "Closed Won", "Closed Lost")
change = st.tuples(st.integers(0, 110), st.sampled_from(STAGES), st.sampled_from([None, 0, 10, 25.5, 100]), st.integers(0, 110), st.sampled_from(["pipeline", "omitted"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(change, min_size=1, max_size=6), min_size=1, max_size=20), st.integers(20, 110), st.integers(1, 19))
def test_bridges_join_end_to_start(histories: list, first: int, second: int) -> None:
    """Two bridges one after the other meet in the middle, and their ends are those of the one over both."""
    x = extract(opportunities=[deal(f"O{k}", at(0)) for k in range(len(histories))],
                deal_events=[(f"O{k}", at(day), stage, amount, at(close)[:10], category) for k, history in enumerate(histories) for day, stage, amount, close, category in history])
    t0, t1 = x.as_of - first * DAY_US, x.as_of - second * DAY_US

    def legs(start: int, end: int) -> dict[str, float]:
        frame = compute(x, CARDS["pipeline.bridge"], by="leg", t0=start, t1=end)
        return frame[frame["measure"] == "value"].set_index("leg")["value"].to_dict()

    one, two, whole = legs(t0, t1), legs(t1, x.as_of), legs(t0, x.as_of)
    assert one.get("open_end", 0) == pytest.approx(two.get("open_start", 0))
    assert one.get("open_start", 0) == pytest.approx(whole.get("open_start", 0)) and two.get("open_end", 0) == pytest.approx(whole.get("open_end", 0))


# -- business time -------------------------------------------------------------------------------------------------------------------------

ZONES = ("America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Africa/Cairo", "America/Havana", "UTC")
CHANGES = ("2025-03-07", "2025-03-28", "2025-04-04", "2025-10-03", "2025-10-24", "2025-10-31", "2025-06-10")  # some days before clocks change somewhere


@st.composite
def open_hours(draw: st.DrawFn):
    """Windows of any hours, night and the hour of the change included, several a day; holidays; ten days."""
    tz, first = draw(st.sampled_from(ZONES)), day_number(draw(st.sampled_from(CHANGES)))
    spans = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 700)), min_size=1, max_size=10))
    windows = tuple(OpenWindow("X", tz, weekday, start, min(start + length, 1440)) for weekday, start, length in spans)
    holidays = [first + d for d in draw(st.lists(st.integers(0, 9), max_size=3))]
    return hours(windows, holidays, first - 2, first + 12), first


@settings(max_examples=150, deadline=None)
@given(open_hours(), st.lists(st.integers(0, 9 * 1440), min_size=2, max_size=12))
def test_business_time_adds_up_and_never_runs_backwards(calendar, marks: list[int]) -> None:
    """The time over a whole is the sum over its pieces, no piece is negative or longer than the clock on the wall."""
    table, first = calendar
    instant = np.sort((first * 1440 + np.array(marks)) * MINUTE_US)
    counted = table.until(instant)
    pieces, wall = np.diff(counted), np.diff(instant)
    assert (pieces >= 0).all() and (pieces <= wall).all()
    assert counted[-1] - counted[0] == pieces.sum()
    assert (table.starts[1:] >= table.ends[:-1]).all(), "open intervals do not overlap: nothing counts twice"


@settings(max_examples=80, deadline=None)
@given(open_hours(), st.integers(0, 4 * 1440), st.integers(1, 1500))
def test_a_target_is_due_when_exactly_so_much_time_has_passed(calendar, start: int, target: int) -> None:
    table, first = calendar
    begin = np.array([(first * 1440 + start) * MINUTE_US])
    due = table.reaching(table.until(begin) + target * MINUTE_US)
    assume(due[0] <= table.ends[-1])
    assert table.until(due) - table.until(begin) == target * MINUTE_US
    assert table.until(due - MINUTE_US) < table.until(due), "not later than needed"


# -- statistics ----------------------------------------------------------------------------------------------------------------------------

share = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=200, deadline=None)
@given(share)
def test_wilson_ends_are_where_the_score_test_turns(counts: tuple[int, int]) -> None:
    """Each end p0 solves (p − p0)² = z² p0 (1 − p0) / n; the interval holds the rate, mirrors for the complement and shrinks with n."""
    x, n = counts
    low, high = (float(v) for v in statistics.wilson(x, n))
    assert 0 <= low <= x / n <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert (x / n - end) ** 2 == pytest.approx(statistics.Z95**2 * end * (1 - end) / n, rel=1e-6, abs=1e-12)
    mirrored = [float(v) for v in statistics.wilson(n - x, n)]
    assert [1 - mirrored[1], 1 - mirrored[0]] == pytest.approx([low, high], abs=1e-12)
    wide = [float(v) for v in statistics.wilson(4 * x, 4 * n)]
    assert wide[1] - wide[0] <= high - low + 1e-12


@settings(max_examples=200, deadline=None)
@given(share, share)
def test_a_difference_turns_its_sign_with_its_groups(a: tuple[int, int], b: tuple[int, int]) -> None:
    d, low, high = statistics.newcombe(*a, *b)
    assert -1 - 1e-12 <= low <= d <= high <= 1 + 1e-12 and d == pytest.approx(b[0] / b[1] - a[0] / a[1])
    assert statistics.newcombe(*b, *a) == pytest.approx((-d, -high, -low), abs=1e-12)


followed = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(followed)
def test_a_curve_falls_and_without_open_ones_is_the_share_that_is_left(pairs: list[tuple[int, bool]]) -> None:
    days, happened = (np.array(column) for column in zip(*pairs, strict=True))
    curve = statistics.kaplan_meier(days, happened)
    levels = np.concatenate([[1.0], curve.survival])
    assert (np.diff(levels) <= 0).all() and (levels >= -1e-12).all()
    assert curve.n == len(pairs) and curve.events.sum() == happened.sum()
    assert all(curve.at_risk_at(t) == (days >= t).sum() for t in range(42))
    whole = statistics.kaplan_meier(days, np.ones(len(days), dtype=bool))
    for t in range(42):
        assert whole.at(t) == pytest.approx((days > t).mean(), abs=1e-12)
        assert curve.at(t) >= whole.at(t) - 1e-12, "who is still open may yet come"
    assert whole.restricted_mean(50) == pytest.approx(days.mean())
    value, at_place = np.unique(days, return_inverse=True)
    counts = [np.bincount(at_place[happened == kind], minlength=len(value)) for kind in (True, False)]
    again = statistics.kaplan_meier(np.repeat(value, 2), np.tile([True, False], len(value)), np.column_stack(counts).ravel())
    np.testing.assert_allclose(again.survival, curve.survival)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(-50, 50), st.floats(-1e6, 1e6)), min_size=1, max_size=80), st.floats(0, 1))
def test_a_quantile_of_counts_is_that_of_the_values(values: list[float], p: float) -> None:
    value, count = np.unique(np.array(values, dtype=float), return_counts=True)
    assert quantile(value, count, p) == pytest.approx(float(np.quantile(values, p)), rel=1e-9, abs=1e-9)
    assert math.isnan(quantile(value[:0], count[:0], p))


@pytest.mark.parametrize("measure", ["median", "p75", "p90"])
def test_a_quantile_by_group_is_that_of_the_groups_values(measure: str) -> None:
    rng = np.random.default_rng(5)
    waits = {segment: rng.integers(1, 60, size) for segment, size in (("SMB", 1), ("Enterprise", 2), ("Public", 40))}
    deals, events = [], []
    for segment, days in waits.items():
        for k, day in enumerate(days):
            deals.append(deal(f"{segment}{k}", "2026-03-01T00:00Z", segment=segment))
            events += [(f"{segment}{k}", "2026-03-01T00:00Z", "Discovery", 1, "2026-05-31"), (f"{segment}{k}", at(int(day)), "Closed Won", 1, "2026-05-31")]
    x = extract(opportunities=deals, deal_events=events)
    frame = compute(x, CARDS["velocity.cycle_time_won"], View(), by="segment")
    for segment in waits:
        rows = [i for i, d in enumerate(deals) if d["segment"] == segment]
        cycle = (x.opps.won_at - x.opps.created)[x.opp_index.get_indexer([deals[i]["opp_id"] for i in rows])] / DAY_US
        shown = frame[(frame["segment"] == segment) & (frame["measure"] == measure)]["value"].iloc[0]
        assert shown == pytest.approx(np.quantile(cycle, {"median": 0.5, "p75": 0.75, "p90": 0.9}[measure]))
