"""Minutes: what a meeting looked at, decided and asked for, as plain data. Files, slides and the digest write it; none of them looks anything up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import pandas as pd

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.metric import Kind, functions
from revscore.core.review import Line
from revscore.core.view import DIMENSIONS, View
from revscore.core.written import view_from_json
from revscore.rhythm import answers
from revscore.rhythm.actions import Action, Success, actions, of_entries
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.decisions import Decision
from revscore.rhythm.followed import Followed, follow, last_week_answer, looked_back, taken_answer
from revscore.rhythm.log import ACTION
from revscore.rhythm.meetings import Meeting, Taken, meetings, taken
from revscore.rhythm.monthly import Monthly
from revscore.rhythm.reviews import REVIEWS, content
from revscore.rhythm.shown import Table, by_screen, coverage, day, tables_of
from revscore.rhythm.verdicts import WORDS, judge
from revscore.rhythm.weekly import Weekly
from revscore.store import Store

_STATES = {"open": "to be decided", "decided": "decided", "none": "no decision", "withdrawn": "withdrawn"}


class Verdict(Protocol):
    """What became of an action's number: a word and a sentence."""

    verdict: str
    sentence: str


@dataclass(frozen=True)
class Item:
    """One screen of the agenda: what it found, the minutes it was on, the presenter's note, its lines and its table."""

    id: str
    title: str
    finding: str
    used: float
    planned: int
    note: str
    lines: tuple[Line, ...]
    table: Table | None = None


@dataclass(frozen=True)
class Said:
    """A decision. `text`: what was decided, or the reason why nothing was."""

    title: str
    state: str
    text: str
    screen: str
    by: str
    at: pd.Timestamp


@dataclass(frozen=True)
class Task:
    """An action. `success`: its measure in words; `baseline` with its number format's unit; `verdict`, `sentence`: what became of it, "" before that."""

    id: str
    title: str
    owner: str
    function: str
    due: date | None
    success: str
    check_on: date | None
    state: str
    screen: str
    metric: str = ""
    baseline: float = float("nan")
    numerator: float = float("nan")
    denominator: float = float("nan")
    direction: str = ""
    size: float = float("nan")
    unit: units.Unit = units.RECORDS
    verdict: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Minutes:
    """All of a meeting. `stands`: what it was held on, in words; `present`: function -> names; `last`: what was asked for before; `closed_at`: NaT while it
    runs; `seal`: of the publication that closing it made, "" without; `anchor`: of the audit log when they were made; `answer`: of the review in a few sentences."""

    id: str
    kind: str
    title: str
    company: str
    answer: str
    stands: Mapping[str, str]
    started_at: pd.Timestamp
    started_by: str
    closed_at: pd.Timestamp
    closed_by: str
    abandoned: bool
    reason: str
    present: Mapping[str, tuple[str, ...]]
    agenda: tuple[Item, ...]
    decisions: tuple[Said, ...]
    actions: tuple[Task, ...]
    last: tuple[Task, ...]
    lines: tuple[Line, ...]
    tables: Mapping[str, pd.DataFrame]
    publication: int
    seal: str
    zone: str
    currency: str
    as_of: pd.Timestamp
    review: Weekly | Monthly | None = None  # the value that all of this was read from
    anchor: str = ""

    @property
    def running(self) -> bool:
        return pd.isna(self.closed_at)

    def local(self, at: pd.Timestamp) -> str:
        """An instant as it was in the room: "16 Nov 2026 08:00"; "" without."""
        return "" if pd.isna(at) else f"{(there := at.tz_convert(self.zone)).day} {there:%b %Y %H:%M}"

    @property
    def held(self) -> str:
        """When, and by whom: one line."""
        end = "still running" if self.running else f"{'abandoned' if self.abandoned else 'closed'} {self.local(self.closed_at)} by {self.closed_by}"
        return f"Started {self.local(self.started_at)} ({self.zone}) by {self.started_by}; {end}"

    @property
    def by_screen(self) -> dict[str, tuple[Line, ...]]:
        """Screen id -> the lines that it showed."""
        return {one.id: one.lines for one in self.agenda}

    def with_tables(self, found: Mapping[str, Table]) -> Minutes:
        """These minutes with a table (screen id -> table) where a screen has none."""
        return replace(self, agenda=tuple(replace(one, table=one.table or found.get(one.id)) for one in self.agenda))

    def finding(self, screen: str) -> str:
        """What a screen found; "" where there is no such screen."""
        return next((one.finding for one in self.agenda if one.id == screen), "")

    @property
    def foot(self) -> str:
        """What stands under every page and slide."""
        return " · ".join(part for part in (self.company, self.stands.get("As of", ""), self.stands.get("Definitions", "")) if part)


def minutes(store: Store, dataset: str, held: Meeting, x: Coded, *, verdicts: Mapping[str, Verdict] | None = None, company: str = "") -> Minutes:
    """The minutes of a meeting in `store`, on its frozen extract `x`. `verdicts`: action id -> what became of it; worked out where they are not given."""
    before = [one for one in meetings(store, dataset) if one.kind == held.kind and not one.abandoned and one.started_at < held.started_at]
    every = actions(store, dataset)
    last = [one for one in every if before and one.meeting == before[0].id]
    verdicts = {one.id: judge(x, one, every) for one in last if one.state == "done" or one.state == "open"} if verdicts is None else verdicts
    review = REVIEWS[held.kind](x, view_from_json(held.frozen.view)) if held.kind in REVIEWS else None
    seal = next((one.seal for one in store.publications(dataset) if one.id == held.publication), "")
    then = every if held.running else of_entries([one for one in store.entries(dataset, ACTION) if one.at <= held.closed_at])  # what came later was not on the screen
    return minutes_of(x, held, taken(store, dataset, held), review, last=last, verdicts=verdicts, company=company or dataset, seal=seal, followed=looked_back(x, follow(x, then), held.id),
                      anchor=store.anchor().told)


def minutes_of(x: Coded, held: Meeting, found: Taken, review: Weekly | Monthly | None, *, last: Sequence[Action] = (), verdicts: Mapping[str, Verdict] | None = None,
               company: str = "", seal: str = "", followed: Sequence[Followed] = (), anchor: str = "") -> Minutes:
    """The minutes of a meeting, from its record, what came out of it, and its review: the value that was on the screens. `followed`: what it began with (`looked_back`)."""
    view, zone = view_from_json(held.frozen.view), x.terms.reporting_tz
    said = ({"before": last_week_answer(followed)} if "before" in held.agenda else {}) | answers.answers(x, review) if review is not None else {}
    answer = answers.whole(said, AGENDAS[held.kind]) if said and held.kind in AGENDAS else ""  # as on the page that prepares it
    said |= {"next": taken_answer(found)}
    lines, tables = content(review) if review is not None else ([], {})
    covered = coverage(x, view, review) if isinstance(review, Weekly) else ()
    agenda = _agenda(held, {id_: one.text for id_, one in said.items()}, {**by_screen(review), **({"coverage": covered} if covered else {})}, tables_of(review, tables, x.terms.corporate_currency))
    titles = {one.id: one.title for one in agenda}
    present: dict[str, tuple[str, ...]] = {}
    for name, function in sorted(held.present.items()):
        present[function] = (*present.get(function, ()), name)
    as_of = pd.Timestamp(held.frozen.as_of)
    stands = {"As of": f"{(there := as_of.tz_convert(zone)).day} {there:%b %Y %H:%M} ({zone})", "Loads": ", ".join(map(str, held.frozen.loads)) or "not from a store",
              "Definitions": f"definitions version {held.frozen.definitions} ({held.frozen.digest[:8]})",
              "Period": f"{view.period.name} ({view.period.dates()})" if view.period else held.frozen.period_name or "the one of each number", "Filters": filters(x, view) or "none"}
    tasks = [[task(x, one, titles, (verdicts or {}).get(one.id)) for one in group] for group in (found.actions, last)]
    return Minutes(held.id, held.kind, held.title, company, answer, stands, held.started_at, held.started_by, held.closed_at, held.closed_by,
                   held.abandoned, held.reason, present, agenda, tuple(_said(one, titles) for one in found.decisions), tuple(tasks[0]), tuple(tasks[1]), once([*lines, *covered]), tables,
                   held.publication, seal, zone, x.terms.corporate_currency, as_of, review, anchor)


def once(lines: Sequence[Line]) -> tuple[Line, ...]:
    """`lines` without those that show a number again."""
    return tuple({(one.card.id, one.stat, one.own, one.period, one.params): one for one in reversed(lines)}.values())[::-1]


def task(x: Coded, action: Action, titles: Mapping[str, str] | None = None, verdict: Verdict | None = None) -> Task:
    """An action with its measure of success in words."""
    said = {"verdict": WORDS.get(verdict.verdict, verdict.verdict), "sentence": verdict.sentence} if verdict else {}
    own = {"id": action.id, "title": action.title, "owner": action.owner, "function": functions((action.function,)) if action.function else "", "due": _date(action.due),
           "state": action.state, "screen": (titles or {}).get(action.screen, action.screen), **said}
    one = action.success
    if one is None:
        return Task(**own, success="no measure of success yet", check_on=None)
    try:
        number = one.asked
    except ValueError as error:
        return Task(**own, success=str(error), check_on=_date(one.check_on))
    return Task(**own, success=success_text(x, one, number), check_on=_date(one.check_on), metric=number.card.id, direction=one.direction, unit=number.card.measure(number.stat).unit,
                **{name: float("nan") if value is None else float(value) for name, value in (("baseline", one.baseline), ("numerator", one.x), ("denominator", one.n), ("size", one.size))})


def success_text(x: Coded, one: Success, number: Number) -> str:
    """ "Speed to lead kept from 72.0 % (13 of 18) up by at least 5 points, checked on 14 Dec 2026". """
    measure, currency = number.card.measure(number.stat), x.terms.corporate_currency
    few = measure.kind is Kind.RATE and measure.interval and one.x is not None and one.n is not None
    sample = units.of(one.x, one.n) if few else f"n = {one.n:,.0f}" if one.n is not None else ""
    narrowed = filters(x, replace(number.view, where=tuple(one for one in number.view.where if one[0] in DIMENSIONS)))  # its own dimensions are in its label
    check = _date(one.check_on)
    return (f"{number.label}{f', {narrowed},' if narrowed else ''} from {units.text(one.baseline, measure.unit, currency)}{f' ({sample})' if sample else ''} "
            f"{one.direction or 'moved'} by at least {step(one.size, measure.unit, currency)}, checked on {day(check) if check else one.check_on or 'no date yet'}")


def step(size: float | None, unit: units.Unit, currency: str) -> str:
    """The size of a change: "5 points" of a share, else as its unit."""
    return f"{size * 100:.1f}".removesuffix(".0") + (" point" if round(size * 100, 1) == 1 else " points") if size and unit.kind == "ratio" else units.named(size, unit, currency)


def filters(x: Coded, view: View) -> str:
    """The values that a view chose, by their labels: "segment SMB or Enterprise, region EMEA"; "" without any."""
    out = []
    for name, chosen in view.where:
        dimension = x.dims.get(name)
        labels = chosen if dimension is None else tuple(dimension.labels[int(codes[0])] if len(codes := dimension.codes_of((value,))) else value for value in chosen)
        out.append(f"{name.replace('_', ' ')} {' or '.join(label.replace('_', ' ') if dimension is None else label for label in labels)}")
    return ", ".join(out)


def _agenda(held: Meeting, said: Mapping[str, str], lines: Mapping[str, tuple[Line, ...]], tables: Mapping[str, Table]) -> tuple[Item, ...]:
    used, known = held.minutes(held.shown[-1][1] if held.shown else held.started_at), {one.id: one for one in AGENDAS[held.kind].screens} if held.kind in AGENDAS else {}
    return tuple(Item(id_, known[id_].title if id_ in known else id_.replace("_", " ").capitalize(), said.get(id_, known[id_].question if id_ in known else ""), used.get(id_, 0.0),
                      known[id_].minutes if id_ in known else 0, held.notes.get(id_, ""), lines.get(id_, ()), tables.get(id_)) for id_ in held.agenda)


def _said(one: Decision, titles: Mapping[str, str]) -> Said:
    return Said(one.title, _STATES[one.status], one.text, titles.get(one.screen, one.screen), one.decided_by or one.raised_by, one.raised_at if pd.isna(one.decided_at) else one.decided_at)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
