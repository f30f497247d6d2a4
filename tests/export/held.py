"""A weekly meeting on the sample company, held and closed, with what was decided in it: for tests of what leaves the house."""

from __future__ import annotations

from revscore import company
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.receipt import receipt
from revscore.core.view import View
from revscore.core.written import number_as_json, view_as_json
from revscore.rhythm import actions, decisions, meetings
from revscore.rhythm.actions import Action, Success
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.decisions import Decision
from revscore.rhythm.meetings import Frozen, Meeting
from revscore.store import Store

from tests.people import ADA

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028"
FORMULA = "=HYPERLINK(\"http://evil.example\")"


def monthly_meeting(store: Store) -> tuple[Meeting, Coded]:
    """A monthly meeting in which nothing was decided, with its extract."""
    company.ensure_sample(store)
    x, agenda = company.coded(store, company.SAMPLE), AGENDAS["monthly"]
    view, stand = View.of(x.terms.calendar.holding(x.as_of_day, "quarter")), x.data.stand
    frozen = Frozen(stand.loads, x.data.as_of.isoformat(), stand.definitions or 0, x.terms.digest, view_as_json(view), "This quarter")
    return meetings.close(store, company.SAMPLE, meetings.start(store, company.SAMPLE, "monthly", agenda.title, frozen, agenda.ids, ADA), ADA, reason="Half of the room was ill"), x


def weekly_meetings(store: Store) -> tuple[Meeting, Coded, View]:
    """Two weekly meetings: the first asked for action a0, the second (given back, with its extract and view) for a1. Names and words are hostile."""
    company.ensure_sample(store)
    dataset, x = company.SAMPLE, company.coded(store, company.SAMPLE)
    view = View.of(x.terms.calendar.holding(x.as_of_day, "quarter"))
    stand, agenda = x.data.stand, AGENDAS["weekly"]
    frozen = Frozen(stand.loads, x.data.as_of.isoformat(), stand.definitions or 0, x.terms.digest, view_as_json(view), "This quarter")
    asked = Number.of(CARDS["sla.compliance"], view.narrowed(sla_type="speed_to_lead"), "compliance", "Speed to lead kept")
    row = asked.row(x)
    success = Success(number_as_json(asked), float(row["value"]), float(row["numerator"]), float(row["denominator"]), "up", 0.05, "2026-12-14", receipt(x, asked).as_dict())
    first = meetings.start(store, dataset, "weekly", agenda.title, frozen, agenda.ids, ADA)
    actions.raise_action(store, dataset, Action("a0", f"Call back within the hour {HOSTILE}", "Bo", "sales", "2026-11-10", success, first.id, "promises"), ADA)
    meetings.close(store, dataset, first, ADA)
    held = meetings.start(store, dataset, "weekly", f"{agenda.title} / {HOSTILE}", frozen, agenda.ids, ADA)
    for screen in agenda.ids[1:]:
        held = meetings.show(store, dataset, held, screen, ADA)
    meetings.attend(store, dataset, held, {f"Ada {HOSTILE}": "sales", "Bo": "marketing"}, ADA)
    meetings.note(store, dataset, held, "pace", HOSTILE, ADA)
    actions.raise_action(store, dataset, Action("a1", FORMULA, "Ada", "sales", "2026-11-30", success, held.id, "promises"), ADA)
    decisions.decide(store, dataset, Decision("d1", f"Fund {HOSTILE}", FORMULA, kind="weekly", meeting=held.id, screen="pace"), ADA)
    decisions.decide(store, dataset, Decision("d2", "Move the SQL criterion?", "The data of EMEA are missing", "none", "weekly", held.id, "stuck"), ADA)
    return meetings.close(store, dataset, meetings.meeting(store, dataset, held.id), ADA), x, view
