"""Targets of the log: what holds when, what cannot be set, whether parts add up, and what a workbook takes over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revscore.core.calendars import Calendar, Period, day_number
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.terms import Target, Terms
from revscore.core.view import View
from revscore.export.table import workbook
from revscore.intake import Source
from revscore.intake.read import read
from revscore.intake.target_sheet import read_targets
from revscore.rhythm import target_import, target_sums
from revscore.rhythm import target_setting as setting
from revscore.rhythm.goals import goal, standings
from revscore.rhythm.log import TARGET
from revscore.rhythm.target_lines import target_line, targets_over
from revscore.rhythm.target_setting import Aim, Refused, Setting, Unconfirmed
from revscore.store import Overtaken, Store
from tests.core.builder import deal, extract, lead
from tests.people import whole

QUARTER = Period(day_number("2026-05-01"), day_number("2026-08-01"), "FY27Q2")  # the fiscal year begins in February
TODAY = day_number("2026-06-30")
BOOKINGS = Aim("bookings.won.value", "", "sales", QUARTER.start, QUARTER.end)


def company(*targets: Target):
    """Twelve won deals of 100 in May and June, half in each of two segments."""
    events = [(f"O{k}", at, stage, 100.0, "2026-06-10") for k in range(12) for at, stage in ((f"2026-05-{k + 2:02}T00:00Z", "Discovery"), (f"2026-06-{k + 2:02}T00:00Z", "Closed Won"))]
    x = extract(leads=[lead("L1")], lead_events=[("L1", "mql", "2026-06-01T00:00Z")], opportunities=[deal(f"O{k}", segment=("SMB", "Enterprise")[k % 2]) for k in range(12)], deal_events=events)
    x.terms = replace(x.terms, targets=targets)
    return x


def said(value: float = 1200.0, since: str = "2026-05-01", direction: str = "up", pacing: str = "linear", **more) -> Setting:
    return Setting(value, direction, pacing, valid_from=day_number(since), **more)


def of_extract(value: float = 1000.0, segment: str = "", owner: str = "sales", metric: str = "bookings.won.value", pacing: str = "linear", period: Period = QUARTER) -> Target:
    return Target(f"T-{metric}-{segment}-{owner}-{period.start}", metric, period.start, period.end, segment, owner, value, "up", pacing)


def terms(store: Store, day: int, *targets: Target, until=None) -> tuple[Target, ...]:
    return setting.set_targets(store, "company", replace(Terms(), targets=targets), day, until).targets


# -- what holds when -----------------------------------------------------------------------------------------------------------------------

def test_a_target_that_is_set_reaches_the_numbers_and_wins_over_that_of_the_extract_from_its_first_day_on(store):
    x = company(of_extract())
    setting.set_target(store, "company", x, BOOKINGS, said(1500.0, "2026-06-15"), whole("vp@northlight.example"))
    before, after = (terms(store, day_number(day), of_extract())[0] for day in ("2026-06-14", "2026-06-15"))
    assert before.value == 1000 and after.value == 1500 and after.target_id == before.target_id
    x.terms = replace(x.terms, targets=terms(store, TODAY, of_extract()))
    assert standings(x, View(QUARTER))[0].target.value == 1500
    assert goal(x, View(QUARTER), line(x, CARDS["bookings.won_value"], View(QUARTER))).target.value == 1500
    told = setting.history(setting.aims(store.entries("company", TARGET))[0], (of_extract(),))
    assert told["said"].tolist() == ["from the extract", "set"] and told["value"].tolist() == [1000.0, 1500.0]


def test_a_change_is_a_further_entry_and_what_held_before_stays(store):
    x = company()
    one = setting.set_target(store, "company", x, BOOKINGS, said(1200.0), whole("a"))
    two = setting.set_target(store, "company", x, one, said(900.0, "2026-06-20", why="two leavers"), whole("b"))
    assert [e.fields["value"] for e in store.entries("company", TARGET)] == [1200.0, 900.0] and two.version == 2
    assert two.on(day_number("2026-06-19")).value == 1200 and two.on(day_number("2026-06-20")).value == 900 and two.on(QUARTER.start - 1) is None
    with pytest.raises(Overtaken):
        setting.set_target(store, "company", x, one, said(1000.0), whole("c"))
    assert terms(store, TODAY)[0].steps == ((QUARTER.start, 1200.0), (day_number("2026-06-20"), 900.0))


def test_an_entry_for_an_earlier_day_does_not_undo_a_later_one(store):
    x = company()
    one = setting.set_target(store, "company", x, BOOKINGS, said(1200.0, "2026-06-01"), whole("a"))
    two = setting.set_target(store, "company", x, one, said(800.0, "2026-05-01"), whole("a"))
    assert two.on(day_number("2026-05-20")).value == 800 and two.on(TODAY).value == 1200


def test_a_withdrawn_target_gives_way_to_that_of_the_extract(store):
    one = setting.set_target(store, "company", company(of_extract()), BOOKINGS, said(1500.0), whole("a"))
    with pytest.raises(Refused, match="Say why"):
        setting.withdraw(store, "company", one, whole("a"), " ", TODAY)
    setting.withdraw(store, "company", one, whole("a"), "merged into the new plan", TODAY)
    assert [one.value for one in terms(store, TODAY, of_extract())] == [1000.0] and terms(store, TODAY) == ()
    assert [one.value for one in terms(store, TODAY - 1)] == [1500.0]


def test_what_was_known_at_a_time_is_known_again(store):
    one = setting.set_target(store, "company", company(), BOOKINGS, said(1500.0), whole("a"))
    setting.set_target(store, "company", company(), one, said(900.0), whole("a"))
    first = store.entries("company", TARGET)[0].at
    assert [t.value for t in terms(store, TODAY, until=first)] == [1500.0] and [t.value for t in terms(store, TODAY)] == [900.0]


def test_every_way_to_write_a_metric_is_one_target(store):
    assert len({replace(BOOKINGS, metric_id=name).record for name in ("bookings.won.value", "bookings.won_value", "bookings.won_value.value")}) == 1
    assert replace(BOOKINGS, metric_id="bookings.won.count").record != BOOKINGS.record
    assert replace(BOOKINGS, owner="sales+marketing").record == replace(BOOKINGS, owner="marketing+sales").record != BOOKINGS.record


def test_targets_that_nobody_changed_leave_the_definitions_what_they_were():
    plain, changed = (replace(Terms(), targets=(replace(of_extract(), steps=steps),)) for steps in ((), ((1, 2.0),)))
    assert plain.digest != changed.digest and '"steps"' not in plain.digest


# -- what cannot be set --------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("aim", "new", "sentence"), [
    (replace(BOOKINGS, metric_id="bookings.lost"), said(), "There is no metric"),
    (replace(BOOKINGS, metric_id="funnel.entries.dreams"), said(), "There is no metric"),
    (replace(BOOKINGS, metric_id="pipeline.open.value"), said(), "holds at one moment"),
    (replace(BOOKINGS, metric_id="winrate.count"), said(0.4), "does not add up over the period"),
    (replace(BOOKINGS, metric_id="winrate.count"), said(40.0, pacing="none"), "write 40 % as 0.4"),
    (BOOKINGS, said(float("nan")), "no number"), (BOOKINGS, said(float("inf")), "no number"), (BOOKINGS, said(-1.0), "never be missed"), (BOOKINGS, said(0.0), "never be missed"),
    (BOOKINGS, said(pacing="seasonal"), "needs a profile"), (BOOKINGS, said(pacing="seasonal", profile_id="SP9"), "“SP9” is not known"), (BOOKINGS, said(pacing="often"), "not known"),
    (replace(BOOKINGS, segment="Moon"), said(), "There is no segment"), (replace(BOOKINGS, owner=""), said(), "which function"), (replace(BOOKINGS, owner="sales+legal"), said(), "which function"),
    (replace(BOOKINGS, end=QUARTER.start), said(), "ends before it starts"), (BOOKINGS, said(since="2026-08-01"), "only after its period"),
    (BOOKINGS, said(direction="sideways"), "a least"),
    (replace(BOOKINGS, start=QUARTER.start + 30, end=QUARTER.end + 30), said(since="2026-06-01"), "overlaps 1 May – 31 Jul 2026"),
])
def test_what_cannot_be_is_refused_with_its_sentence(store, aim, new, sentence):
    with pytest.raises(Refused, match=sentence):
        setting.set_target(store, "company", company(of_extract()), aim, new, whole("a"))
    assert store.entries("company", TARGET) == ()


def test_a_month_inside_a_quarter_is_no_overlap(store):
    month = replace(BOOKINGS, end=day_number("2026-06-01"))
    assert setting.set_target(store, "company", company(of_extract()), month, said(300.0), whole("a")).on(TODAY).value == 300


def test_a_direction_against_the_metric_asks_first(store):
    with pytest.raises(Unconfirmed, match="Bookings is better higher, but this target is “at most”"):
        setting.set_target(store, "company", company(), BOOKINGS, said(direction="down"), whole("a"))
    assert setting.set_target(store, "company", company(), BOOKINGS, said(direction="down"), whole("a"), confirmed=True).on(TODAY).direction == "down"


# -- do the parts add up -------------------------------------------------------------------------------------------------------------------

def test_segments_and_functions_are_compared_with_their_whole():
    whole = of_extract(1000.0, owner="marketing+sales")
    x = company(whole, of_extract(400.0, "SMB", "marketing+sales"), of_extract(650.0, "Enterprise", "marketing+sales"), of_extract(300.0, owner="marketing"), of_extract(700.0, owner="sales"),
                of_extract(0.3, metric="winrate.count", pacing="none"), of_extract(0.2, "SMB", metric="winrate.count", pacing="none"))
    segments, functions = target_sums.sums(x)
    assert (segments.kind, segments.difference, segments.share, segments.fits) == ("segments", 50.0, 0.05, False)
    assert segments.sentence("USD") == "The segments of Bookings add up to $1.05k, $50 (5.0 %) more than the whole of $1.00k."
    assert (functions.kind, functions.difference, functions.fits) == ("functions", 0.0, True) and functions.sentence("USD") == "The functions of Bookings add up to $1.00k, as promised for the whole."
    assert target_sums.part_of(x, x.terms.targets[3]) == whole and target_sums.part_of(x, whole) is None


def test_a_segment_without_a_target_is_named():
    found = target_sums.sums(company(of_extract(1000.0), of_extract(996.0, "SMB")))[0]
    assert found.missing == ("Enterprise",) and found.fits and found.sentence("USD").endswith("($4 less, rounding). Enterprise has no target.")


# -- target lines --------------------------------------------------------------------------------------------------------------------------

def _days(*dates: str) -> np.ndarray:
    return np.array([day_number(one) for one in dates])


def test_the_line_of_a_total_is_what_the_pacing_puts_into_each_period():
    x = company(of_extract(9200.0))
    starts, ends = _days("2026-04-01", "2026-05-01", "2026-06-01", "2026-07-01"), _days("2026-05-01", "2026-06-01", "2026-07-01", "2026-08-01")
    found = targets_over(x, View(), "bookings.won_value", "value", {}, starts, ends)
    assert np.isnan(found[0]) and found[1:] == pytest.approx([3100.0, 3000.0, 3100.0])  # 100 a day
    assert targets_over(x, View(), "bookings.won_value", "value", {}, [QUARTER.start], [QUARTER.end]) == pytest.approx([9200.0 * 61 / 92])  # running: what is expected by now
    assert np.isnan(targets_over(x, View.of(segment="SMB"), "bookings.won_value", "value", {}, starts, ends)).all()
    assert np.isnan(targets_over(x, View.of(region="EMEA"), "bookings.won_value", "value", {}, starts, ends)).all()


def test_quarters_make_up_the_line_of_a_year_and_months_go_before_their_quarter():
    quarters = [of_extract(value, period=Period(day_number(a), day_number(b))) for value, a, b in ((900.0, "2025-02-01", "2025-05-01"), (1000.0, "2025-05-01", "2025-08-01"), (1100.0, "2025-08-01", "2025-11-01"),
                                                                                                     (1200.0, "2025-11-01", "2026-02-01"))]
    month = of_extract(500.0, period=Period(day_number("2025-05-01"), day_number("2025-06-01")))
    x = company(*quarters, month)
    assert targets_over(x, View(), "bookings.won_value", "value", {}, _days("2025-05-01"), _days("2025-06-01")) == pytest.approx([500.0])
    assert targets_over(company(*quarters), View(), "bookings.won_value", "value", {}, _days("2025-02-01"), _days("2026-02-01")) == pytest.approx([4200.0])


def test_the_line_of_a_rate_steps_where_the_target_changed():
    rate = replace(of_extract(0.4, metric="winrate.count", pacing="none"), steps=((QUARTER.start, 0.3), (day_number("2026-06-15"), 0.4)))
    found = targets_over(company(rate), View(), "winrate.closed_in_period", "count_rate", {}, _days("2026-04-01", "2026-05-01", "2026-06-01"), _days("2026-05-01", "2026-06-01", "2026-07-01"))
    assert np.isnan(found[0]) and found[1:].tolist() == [0.3, 0.4]


def test_a_line_of_a_review_has_its_target_line():
    x = company(of_extract(9200.0))
    view = View(QUARTER, "month")
    found = target_line(x, view, line(x, CARDS["bookings.won_value"], view))
    assert found.dropna()["target"].tolist() == pytest.approx([3100.0, 3000.0])


# -- a workbook ----------------------------------------------------------------------------------------------------------------------------

def sheet(text: str):
    return read([Source("plan.csv", text.encode())])[0][0]


def test_a_sheet_of_a_team_is_read_by_its_usual_words():
    rows, problems = read_targets(sheet("KPI,Team,Quarter,Target,At least / at most,Segment\nBookings,Sales,FY27 Q2,\"$1,200.50\",at least,\nWin rate,Sales & Marketing,2026-05,38 %,,All\n"), Calendar())
    assert not problems and rows["value"].tolist() == [1200.5, 0.38] and rows["owner"].tolist() == ["sales", "sales+marketing"] and rows["segment"].tolist() == ["", ""]
    assert rows["start"].tolist() == [QUARTER.start] * 2 and rows["end"].tolist() == [QUARTER.end, day_number("2026-06-01")]


def test_every_fault_has_its_place_and_nothing_is_taken_over(store):
    x = company()
    rows, problems = read_targets(sheet("Metric,Owner,Period,Value\nBookings,Sales,FY27 Q2,1200\nBookings,Legal,FY27 Q3,x\nJoy,Sales,soon,3\nBookings,Sales,FY27Q2,1300\n"), Calendar())
    assert [(p.row, p.column, p.text.split(":")[0]) for p in problems] == [(3, "Value", "“x” is no number."), (3, "Owner", "“Legal” is no function"), (4, "Period", "“soon” is no period")]
    found = target_import.preview(x, rows, ())
    assert not found.ready and found.problems["row"].tolist() == [4, 5] and "Row 2 sets the same target" in found.problems["sentence"].iloc[1]


def test_a_sheet_without_the_needed_headings_says_which():
    assert "Value, Owner" in read_targets(sheet("Metric,Period\nBookings,FY26\n"), Calendar())[1][0].text


def test_the_template_says_what_holds_and_comes_back_without_a_change(store):
    x = company(of_extract(9200.0), of_extract(0.4, metric="winrate.count", pacing="none"), of_extract(300.0, "SMB", "marketing+sales"))
    back = next(one for one in read([Source("targets.xlsx", workbook(target_import.template(x), {}))])[0] if one.name == "Targets")
    rows, problems = read_targets(back, x.terms.calendar)
    found = target_import.preview(x, rows, ())
    assert not problems and found.same == 3 and not found.new and not len(found.problems)
    changed = target_import.preview(x, rows.assign(value=rows["value"] * 1.5 / np.where(rows["value"] < 1, 1.2, 1.0)), ())
    assert changed.ready and len(changed.new) == 3 and {one.valid_from for _, one in changed.new} == {TODAY}
    setting.set_all(store, "company", x, changed.new, whole("a"))
    assert len(store.entries("company", TARGET)) == 3


def test_all_of_a_workbook_or_nothing(store):
    with pytest.raises(Refused):
        setting.set_all(store, "company", company(), ((BOOKINGS, said()), (replace(BOOKINGS, segment="Moon"), said())), whole("a"))
    assert store.entries("company", TARGET) == ()


def test_a_history_without_extract_dates_is_typed(store):
    one = setting.set_target(store, "company", company(), BOOKINGS, said(), whole("a"))
    assert isinstance(setting.history(one, ())["at"].dtype, pd.DatetimeTZDtype)
