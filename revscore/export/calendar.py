"""The rhythm as a calendar file: the meetings that come again, with their agendas, and the days on which actions are due or judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vRecur

from revscore.core.calendars import date_of, day_number
from revscore.core.terms import Terms
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.minutes import Task
from revscore.rhythm.verdicts import WORDS

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# kind -> title, rule, hour, minutes, what it is for (where no agenda says it)
_MEETINGS: dict[str, tuple[str, dict[str, object], time, int, str]] = {
    "weekly": ("Weekly pipeline review", {"freq": "WEEKLY", "byday": "MO"}, time(9, 0), 45, ""),
    "triage": ("RevOps triage", {"freq": "WEEKLY", "byday": "TH"}, time(9, 0), 30,
               "Exceptions with owner and clock: routing, unassigned, duplicates, orphans, missing fields, disputed numbers; breaches and whom they are told to."),
    "monthly": ("Monthly revenue council", {"freq": "MONTHLY", "byday": "2TU"}, time(9, 0), 80, ""),
    "quarterly": ("Quarterly governance", {"freq": "MONTHLY", "interval": 3, "byday": "2WE"}, time(9, 0), 90,
                  "Definition drift, promises against what is reached, required fields, the attribution model, new baselines of control charts."),
}
_UNJUDGED = ("", WORDS["not_yet_measurable"])


def rhythm_calendar(terms: Terms, tasks: Sequence[Task], dataset: str, today: date, now: datetime) -> bytes:
    """The .ics: every meeting from its first day on or after `today`, in the reporting zone, and all-day events: the deadline of
    open actions, and the day on which an action is judged: of one that is done too, until it has been.

    An event keeps its UID for good, so a calendar that reads the file again changes what it has. `now`: when the file was written.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//revscore//rhythm//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Revenue rhythm")
    calendar.add("x-wr-timezone", terms.reporting_tz)
    for kind in _MEETINGS:
        calendar.add_component(_meeting(kind, terms, dataset, today, now))
    for one in tasks:
        if one.state == "open" and one.due is not None:
            calendar.add_component(_day(one, "due", one.due, f"Due: {one.title}", dataset, now))
        if one.check_on is not None and (one.state == "open" or one.state == "done" and one.verdict in _UNJUDGED):
            calendar.add_component(_day(one, "check", one.check_on, f"Did it work? {one.title}", dataset, now))
    calendar.add_missing_timezones()
    return calendar.to_ical()


def _meeting(kind: str, terms: Terms, dataset: str, today: date, now: datetime) -> Event:
    title, rule, hour, minutes, about = _MEETINGS[kind]
    agenda = AGENDAS.get(kind)
    lines = [f"{place} {one.title} ({one.minutes} min): {one.question}" for place, one in enumerate(agenda.screens, start=1)] if agenda else [about]
    start = datetime.combine(_first(kind, terms, today), hour, ZoneInfo(terms.reporting_tz))
    event = Event()
    event.add("uid", f"{kind}.{dataset}@revscore")
    event.add("dtstamp", now)
    event.add("summary", title)
    event.add("description", "\n".join(lines))
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=agenda.minutes if agenda else minutes))
    event.add("rrule", vRecur(rule))
    return event


def _first(kind: str, terms: Terms, today: date) -> date:
    """The first day on or after `today` that the meeting's rule allows; of the quarterly one in the first month of a quarter."""
    word = str(_MEETINGS[kind][1]["byday"])
    place, weekday = int(word[:-2] or 0), _DAYS.index(word[-2:])
    for ahead in range(200):
        found = today + timedelta(days=ahead)
        if found.weekday() == weekday and place in (0, (found.day + 6) // 7) and (kind != "quarterly" or _opens_quarter(terms, found)):
            return found
    raise ValueError(f"{kind}: its rule allows no day")


def _opens_quarter(terms: Terms, found: date) -> bool:
    """Whether a day is in the month in which a quarter begins."""
    start = date_of(terms.calendar.holding(day_number(found), "quarter").start)
    return (start.year, start.month) == (found.year, found.month)


def _day(one: Task, what: str, when: date, says: str, dataset: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{one.id}.{what}.{dataset}@revscore")
    event.add("dtstamp", now)
    event.add("summary", says)
    event.add("description", f"{one.owner} ({one.function})\n{one.success}")
    event.add("dtstart", when)
    event.add("dtend", when + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    return event
