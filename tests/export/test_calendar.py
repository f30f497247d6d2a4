"""The calendar of the rhythm, read again: days, zone and agendas of the meetings, deadlines of actions; the same events when it is made again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from icalendar import Calendar

from revscore.core.terms import Terms
from revscore.export.calendar import rhythm_calendar
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.minutes import Task

ZONE = "America/New_York"
TERMS = Terms.from_config({"reporting_tz": ZONE})
TODAY, NOW = date(2026, 11, 22), datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TASKS = (Task("a1", "Call back; now\r\nBEGIN:VEVENT, \\n x", "Ada", "Sales", date(2026, 11, 30), "up by 5 points", date(2026, 12, 14), "open", "Pace"),
         Task("a2", "Done already", "Bo", "Sales", date(2026, 11, 30), "", date(2026, 12, 14), "done", "Pace"),
         Task("a4", "Done and judged", "Bo", "Sales", date(2026, 10, 30), "", date(2026, 11, 21), "done", "Pace", verdict="Inconclusive"),
         Task("a5", "Given up", "Bo", "Sales", date(2026, 11, 30), "", date(2026, 12, 14), "cancelled", "Pace"),
         Task("a3", "No date yet", "Bo", "Sales", None, "", None, "open", "Pace"))


def made(today: date = TODAY, now: datetime = NOW) -> dict[str, object]:
    found = Calendar.from_ical(rhythm_calendar(TERMS, TASKS, "company", today, now))
    return {str(one["UID"]).split(".company@")[0]: one for one in found.walk("VEVENT")}


def times(event, count: int) -> list[datetime]:
    """The first meetings, as their rule gives them on the wall."""
    start = event["DTSTART"].dt
    assert start.tzinfo is not None and event["DTSTART"].params["TZID"] == ZONE
    rule = rrulestr(event["RRULE"].to_ical().decode(), dtstart=start.replace(tzinfo=None))
    return [at.replace(tzinfo=ZoneInfo(ZONE)) for at, _ in zip(rule, range(count), strict=False)]


def test_meetings_come_again_on_their_days_at_the_hour_of_the_reporting_zone():
    events = made()
    weekly = times(events["weekly"], 30)
    assert weekly[0].date() == date(2026, 11, 23) and {at.weekday() for at in weekly} == {0} and {at.hour for at in weekly} == {9}
    assert len({at.utcoffset() for at in weekly}) == 2  # through the change of the clocks
    assert {at.weekday() for at in times(events["triage"], 9)} == {3}
    assert all(at.weekday() == 1 and 8 <= at.day <= 14 for at in times(events["monthly"], 24))
    quarterly = times(events["quarterly"], 8)
    assert all(at.weekday() == 2 and TERMS.calendar.holding((at.date() - date(1970, 1, 1)).days, "quarter").start > (at.date() - date(1970, 1, 1)).days - 31 for at in quarterly)


def test_agendas_stand_in_the_events_and_give_their_length():
    event = made()["weekly"]
    assert all(one.question in str(event["DESCRIPTION"]) for one in AGENDAS["weekly"].screens)
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=AGENDAS["weekly"].minutes)


def test_open_actions_are_all_day_and_their_text_stays_text():
    events = made()
    assert set(events) == {"weekly", "triage", "monthly", "quarterly", "a1.due", "a1.check", "a2.check"}, "what is done is still to be judged, what was judged or given up is not"
    due = events["a1.due"]
    assert due["DTSTART"].dt == date(2026, 11, 30) and due["DTEND"].dt == date(2026, 12, 1) and str(due["TRANSP"]) == "TRANSPARENT"
    assert "BEGIN:VEVENT" in str(due["SUMMARY"]) and "Ada (Sales)" in str(due["DESCRIPTION"]) and events["a1.check"]["DTSTART"].dt == date(2026, 12, 14)


def test_events_keep_their_ids():
    assert set(made()) == set(made(TODAY + timedelta(days=40), NOW + timedelta(days=40)))


def test_the_file_has_the_zone_and_the_lines_that_the_format_asks_for():
    text = rhythm_calendar(TERMS, TASKS, "company", TODAY, NOW)
    assert b"BEGIN:VTIMEZONE" in text and b"\r\n" in text and not text.replace(b"\r\n", b"").count(b"\n") and all(len(line) <= 75 for line in text.split(b"\r\n"))


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2026, 12, 31), date(2028, 2, 29)])
def test_the_first_meeting_is_never_before_today(today):
    assert all(event["DTSTART"].dt.date() >= today for name, event in made(today).items() if "." not in name)
