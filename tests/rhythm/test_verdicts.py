"""Verdicts: luck is rarely called success, a real effect is found, and a baseline that was picked because it was extreme comes with its warning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revscore.core import schema
from revscore.core.calendars import Period, day_number
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.effects import weekly_step
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.statistics import newcombe
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.core.written import number_as_json
from revscore.rhythm.actions import Action, Success
from revscore.rhythm.verdicts import Verdict, judge, judged_alone, raised_on, settles_in, tally

RAISED, CHECK, AS_OF = "2026-06-28", "2026-08-30", "2026-11-30T12:00:00Z"
QUARTER = Period(day_number("2026-04-01"), day_number("2026-07-01"), "Q")
TEAMS, WEEKS, A_WEEK, FIRST = 80, 78, 8, day_number("2025-03-03")
RATE = "funnel.cohort_conversion"


def company(shares: np.ndarray, seed: int, as_of: str = AS_OF) -> Coded:
    """Leads of `TEAMS` regions, `A_WEEK` a week in each, which become MQL at once and SAL with probability `shares[team, week]`."""
    rng, shape = np.random.default_rng(seed), (*shares.shape, A_WEEK)
    team, week, _ = (axis.ravel() for axis in np.indices(shape))
    at = pd.to_datetime(FIRST * 86400 + (week * 7 + rng.integers(0, 7, week.size)) * 86400 + 36000, unit="s", utc=True)
    keep = np.asarray(at <= pd.Timestamp(as_of))
    hit = (rng.random(shape) < shares[:, :, None]).ravel()
    ids = pd.Series([f"L{k}" for k in range(week.size)])
    leads = pd.DataFrame({"lead_id": ids, "created_at": at, "region": [f"R{k:02}" for k in team], "email": ids + "@x.example"})[keep]
    events = pd.concat([pd.DataFrame({"lead_id": ids, "stage": "mql", "entered_at": at})[keep],
                        pd.DataFrame({"lead_id": ids, "stage": "sal", "entered_at": at + pd.Timedelta(days=2)})[keep & hit]], ignore_index=True)
    events["event_id"] = [f"E{k}" for k in range(len(events))]
    data = CrmData({"leads": schema.conform("leads", leads), "lead_stage_history": schema.conform("lead_stage_history", events)}, pd.Timestamp(as_of))
    return Coded(data, Terms())


def action(view: View, metric: str = RATE, stat: str = "", size: float = 0.05, direction: str = "up", check: str = CHECK, raised: str = RAISED, **params: object) -> Action:
    number = Number.of(CARDS[metric], view, stat, **params)
    success = Success(number_as_json(number), 0.3, 3, 10, direction, size, check, {"as_of": f"{raised}T18:00:00Z"})
    return Action("a1", "Call sooner", "Ada", "sales", raised, success, raised_at=pd.Timestamp(f"{raised}T19:00:00Z"))


def of_team(k: int, period: Period | None = QUARTER) -> View:
    return View.of(period, region=f"R{k:02}", pair="mql->sal")


def flat(share: float = 0.35) -> np.ndarray:
    return np.full((TEAMS, WEEKS), share)


def after_from() -> int:
    return (day_number(RAISED) + 1 - FIRST) // 7


@pytest.fixture(scope="module")
def nothing() -> Coded:
    return company(flat(), 1)


@pytest.fixture(scope="module")
def planted() -> Coded:
    shares = flat()
    shares[:TEAMS // 2, after_from():] = 0.65
    return company(shares, 2)


def words(x: Coded, teams: range, **more: object) -> list[str]:
    return [judged_alone(x, action(of_team(k), **more)).verdict for k in teams]


def test_actions_that_change_nothing_are_rarely_called_a_success(nothing):
    assert words(nothing, range(TEAMS)).count("moved") <= TEAMS * 0.10
    assert words(nothing, range(TEAMS), metric="funnel.entries", stat="count").count("moved") <= TEAMS * 0.10


def test_an_effect_above_the_agreed_size_is_found(planted):
    found = [judge(planted, action(of_team(k), size=0.15)) for k in range(TEAMS // 2)]
    assert sum(one.verdict == "moved" and one.reached for one in found) >= 0.8 * len(found)
    wrong = words(planted, range(TEAMS // 2), direction="down")
    assert wrong.count("moved_wrong_way") >= 0.8 * len(wrong) and "moved" not in wrong


def test_a_rate_is_judged_by_newcombe_between_the_recorded_period_and_the_check_date(planted):
    found = judge(planted, action(of_team(3)))
    assert found.before.period == Period(QUARTER.start, day_number(RAISED) + 1, "") and found.after.period == Period(day_number(RAISED) + 1, day_number(CHECK) + 1)
    step = newcombe(found.before.x, found.before.n, found.after.x, found.after.n)
    assert (found.step.value, found.step.low, found.step.high) == step
    assert found.after.n == A_WEEK * 9 and found.due and "moved as meant" in found.sentence


def test_the_rest_of_the_company_is_the_complement_and_is_taken_off(planted):
    found = judge(planted, action(of_team(3)))
    assert found.rest.after.n == A_WEEK * 9 * (TEAMS - 1) and found.rest.step.value > 0.1  # the other half of them moved too
    assert found.rest.net.value == pytest.approx(found.step.value - found.rest.step.value)
    assert found.rest.net.low < found.rest.net.value < found.rest.net.high
    two = judge(planted, action(View.of(QUARTER, region="R03", source="(missing)", pair="mql->sal")))
    assert (two.rest.before.n, two.rest.after.n) == (found.rest.before.n, found.rest.after.n)
    whole = judge(planted, action(View.of(QUARTER, pair="mql->sal")))
    assert whole.rest is None and whole.alone == "No comparison group: the action concerns the whole company."


def test_other_actions_on_the_same_number_are_named(planted):
    one = action(of_team(3))
    assert "1 other action worked on this number" in judge(planted, one, (one, replace(one, id="a2"), replace(one, id="a3", status="cancelled"))).rest.sentence


def test_a_baseline_that_was_picked_because_it_was_extreme_comes_with_its_warning(nothing):
    """The worst quarter of the teams are picked in a week that was bad by luck alone, and return to what they were."""
    shares = flat(0.5)
    luck = Period(day_number("2026-06-22"), day_number("2026-06-29"), "W")
    x = company(shares, 3)
    worst = sorted(range(TEAMS), key=lambda k: Number.of(CARDS[RATE], of_team(k, luck)).value(x))[:TEAMS // 4]
    found = [judge(x, replace(one, success=replace(one.success, direction="up"))) for one in (action(of_team(k, luck), check="2026-09-27") for k in worst)]
    month = Period(day_number("2026-06-01"), day_number("2026-06-29"))
    worst = sorted(range(TEAMS), key=lambda k: Number.of(CARDS[RATE], of_team(k, month)).value(x))[:TEAMS // 4]
    found += [judge(x, action(of_team(k, month), check="2026-09-27")) for k in worst]
    moved = [one for one in found if one.verdict == "moved"]
    assert moved and all("unusually low" in one.warning and one.usual.back > 0 for one in moved)
    mean = np.mean([one.usual.back for one in found])
    assert mean == pytest.approx(np.mean([one.step.value for one in found]), abs=0.06)  # it says how far they come back


def test_before_the_check_date_there_is_an_interim_look_and_no_verdict():
    shares = flat()
    shares[:, after_from():] = 0.8
    found = judge(company(shares, 4, "2026-08-20T12:00:00Z"), action(of_team(1)))
    assert (found.verdict, found.so_far, found.due) == ("not_yet_measurable", "moved", False)
    assert found.word == "So far: moved as meant" and found.sentence.startswith("Checked on 30 Aug 2026; so far: ")


def test_records_that_are_not_mature_are_waited_for():
    found = judge(company(flat(), 5, "2026-07-08T12:00:00Z"), action(of_team(1), check="2026-07-07"))
    assert found.verdict == "not_yet_measurable" and found.due and found.after.waiting > 0 and "not mature yet" in found.sentence


def test_too_few_on_either_side():
    found = judge(company(flat(), 6), action(of_team(1, Period(day_number("2026-06-28"), day_number("2026-06-29")))))
    assert found.verdict == "insufficient_n" and found.before.n < 10


def test_a_total_is_judged_by_its_weeks():
    """Half of the teams become fewer: their entries to SAL fall."""
    shares = flat(0.8)
    shares[:TEAMS // 2, after_from():] = 0.2
    x = company(shares, 7)
    found = [judge(x, action(View.of(QUARTER, region=f"R{k:02}", stage="sal"), "funnel.entries", "count", 26.0, "down")) for k in range(TEAMS // 2)]
    assert sum(one.verdict == "moved" for one in found) >= 0.8 * len(found)
    one = found[0]
    assert one.by_weeks and one.reached and one.rest.before.value > one.before.value * 50 and "a week" in one.sentence
    share = one.rest.after.value / one.rest.before.value  # the rest is larger: its growth is taken off, not its size
    assert one.rest.net.value == pytest.approx(one.after.value - one.before.value * share) and 0.5 < share < 1


def sticky(values: np.ndarray, r: float) -> np.ndarray:
    for k in range(1, len(values)):
        values[k] += r * values[k - 1]
    return values


@pytest.mark.parametrize("weeks", [lambda rng: rng.normal(size=34), lambda rng: rng.poisson(3.0, 34).astype(float), lambda rng: rng.exponential(size=34) ** 2,
                                   lambda rng: sticky(rng.normal(size=134), 0.7)[100:], lambda rng: np.cumsum(rng.normal(size=34))],
                         ids=["plain", "few", "large deals", "like the week before", "a level that wanders"])
def test_weeks_in_which_nothing_was_done_are_rarely_called_a_success(weeks):
    rng, moved = np.random.default_rng(8), 0
    for _ in range(500):
        values = weeks(rng)
        moved += weekly_step(values[:26], values[14:26], values[26:]).way("up") > 0
    assert moved <= 50


def test_a_state_of_today_is_not_judged_and_says_why(nothing):
    found = judge(nothing, action(View.of(QUARTER, region="R01"), "dq.duplicates", "rate"))
    assert found.verdict == "inconclusive" and found.rest is None and found.before.value == 0.3
    assert found.sentence == "Duplicate leads was 30.0 % and is 0.0 % now; it cannot be judged: it is a state of today without a weekly history."


def test_weeks_with_too_few_records_stay_too_few():
    """One lead in two weeks converts: no week has five."""
    x = company(flat(0.06), 9)
    found = judge(x, action(of_team(1), "velocity.lead_transition_days", "median", 1.0, "down"))
    assert (found.verdict, found.after.n) == ("insufficient_n", 0)


def test_what_cannot_be_judged_says_why(nothing):
    bare = action(of_team(1))
    assert "No measure of success" in judge(nothing, replace(bare, success=None)).sentence
    assert "not known to this revscore" in judge(nothing, replace(bare, success=replace(bare.success, number={**bare.success.number, "metric": "gone"}))).sentence
    assert "lacks" in judge(nothing, action(View.of(QUARTER), "pipeline.created")).sentence
    assert "choose a later day" in judge(nothing, action(of_team(1), check=RAISED)).sentence


def test_the_day_of_the_numbers_counts_not_that_of_the_meeting(nothing):
    assert raised_on(nothing, action(of_team(1))) == day_number(RAISED)
    without = action(of_team(1), raised="2026-07-01")
    assert raised_on(nothing, replace(without, success=replace(without.success, receipt={}))) == day_number("2026-07-01")


def test_how_many_moved_is_one_sentence():
    found = [Verdict(word, "") for word in ("moved", "inconclusive", "inconclusive", "insufficient_n", "not_yet_measurable")]
    assert tally(found) == ("Of 5 actions: 1 moved as meant, 2 inconclusive, 1 too few to tell, 1 not measurable yet. Most cannot be told: choose measures with more records, or larger steps.")
    assert tally(found[:1]) == "Of 1 action: 1 moved as meant." and tally([]) == "No action has come to its check date."


def test_a_check_date_lies_beyond_the_time_that_a_number_takes_to_settle():
    x = company(flat(), 5, "2026-07-08T12:00:00Z")
    assert settles_in(x, Number.of(CARDS[RATE], View.of(pair="mql->sal"))) == 14
    assert settles_in(x, Number.of(CARDS["funnel.entries"], View())) == 0


def test_a_verdict_is_one_of_those_of_the_metric():
    from typing import get_args

    from revscore.core.metrics.governance import VERDICTS
    from revscore.rhythm.verdicts import WORDS, Word
    assert set(get_args(Word)) == set(VERDICTS) == set(WORDS) and isinstance(Verdict("moved", "").word, str)
