"""What people do to a store, through the public functions only: load an extract, decide on an idea, approve a definition, close a meeting, finish an action.

Each act has a number and can be sent again: what it makes has the same id. `extract(n)` is a company of 24 deals and 40 leads as of a day of its own; every row of
every table carries the number of its extract, so that a state made of two extracts shows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from revscore import company
from revscore.company import Draft, LoadReport
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.receipt import receipt
from revscore.core.view import View
from revscore.core.written import number_as_json, view_as_json
from revscore.governance import changes, publishing
from revscore.governance.changes import Change
from revscore.intake import Source
from revscore.people import LOCAL, Actor
from revscore.rhythm import actions, backlog, decisions, meetings
from revscore.rhythm.actions import Action, Success
from revscore.rhythm.backlog import Idea
from revscore.rhythm.decisions import Decision
from revscore.rhythm.meetings import Frozen, Meeting
from revscore.store import Store, StoreError

DATASET, FIRST = company.COMPANY, date(2026, 1, 5)
DEALS, LEADS = 24, 40
ASKED = ("bookings.won_value", "winrate.closed_in_period", "pipeline.open", "deal_size")
_FILES = ("opportunities", "opp_history", "leads", "lead_stage_history", "users")


def day(n: int) -> pd.Timestamp:
    """As of which instant extract `n` is: one a week."""
    return pd.Timestamp(FIRST + timedelta(days=7 * n), tz="UTC") + pd.Timedelta(hours=18)


def tables(mark: int) -> Mapping[str, pd.DataFrame]:
    """The tables of an extract; `mark` is in the amount of every deal, the source of every lead and the function of every user."""
    deals, history, leads, stages = [], [], [], []
    for k in range(DEALS):
        deals.append({"opp_id": f"D{k}", "name": f"Deal {k}", "segment": ("SMB", "Enterprise")[k % 2], "type": "new_business", "currency": "USD", "owner_id": f"U{k % 4}",
                      "created_at": "2025-10-05T10:00:00Z", "region": "EMEA", "lead_source": f"mark {mark}"})
        end = "Closed Won" if k % 3 == 0 else "Closed Lost" if k % 3 == 1 else "Proposal"
        for step, (at, stage) in enumerate((("2025-10-12", "Discovery"), ("2025-11-10", "Proposal"), (f"2025-12-{1 + k:02d}", end))):
            history.append({"event_id": f"D{k}-{step}", "opp_id": f"D{k}", "changed_at": f"{at}T12:00:00Z", "stage": stage, "amount": 1000.0 + mark,
                            "close_date": f"2025-12-{1 + k:02d}", "forecast_category": "pipeline"})
    for k in range(LEADS):
        leads.append({"lead_id": f"L{k}", "email": f"l{k}@x.example", "segment": "SMB", "region": "EMEA", "owner_id": "U1", "created_at": "2025-11-20T09:00:00Z",
                      "lead_source": f"mark {mark}", "is_test": "false"})
        stages += [{"event_id": f"L{k}-{step}", "lead_id": f"L{k}", "stage": stage, "entered_at": f"2025-12-{1 + 3 * step:02d}T09:00:00Z"} for step, stage in
                   enumerate(("inquiry", "mql", "sal"))]
    users = [{"user_id": f"U{k}", "name": f"Person {k}", "function": "sales"} for k in range(4)]
    return {name: pd.DataFrame(rows) for name, rows in zip(_FILES, (deals, history, leads, stages, users), strict=True)}


def sources(mark: int) -> list[Source]:
    return [Source(f"{name}.csv", frame.to_csv(index=False).encode()) for name, frame in tables(mark).items()]


def marks(x: Coded) -> set[str]:
    """The extracts that the tables of a coded extract say that they come from: one, unless two were mixed."""
    amounts = x.data.table("opp_history")["amount"].unique()
    said = [f"mark {amount - 1000:.0f}" for amount in amounts]
    return {*said, *x.data.table("leads")["lead_source"].unique(), *x.data.table("opportunities")["lead_source"].unique()}


def draft(store: Store, n: int, mark: int | None = None) -> Draft:
    """The extract of day `n`, read and checked: every tenth from files, which takes a process of its own to read, the others from a warehouse."""
    mark = n if mark is None else mark
    if n % 10 == 0:
        return company.draft_files(store, DATASET, sources(mark), as_of=day(n))
    with TemporaryDirectory() as folder:
        place = Path(folder) / "warehouse.sqlite"
        with closing(sqlite3.connect(place)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            for name, frame in tables(mark).items():
                frame.to_sql(name, connection, index=False)
        return company.draft_warehouse(store, DATASET, f"sqlite:///{place}", _FILES, as_of=day(n))


def extract(store: Store, n: int, by: Actor = LOCAL) -> LoadReport:
    """Load the extract of day `n`. Raises StoreError with what was said when it was not stored."""
    return load(store, draft(store, n), by)


def load(store: Store, read: Draft, by: Actor) -> LoadReport:
    report = company.save(store, read, by=by, confirmed=("older",))
    if report.status not in (company.LOADED, company.ALREADY):
        raise StoreError(report.text)
    return report


def propose_idea(store: Store, n: int, by: Actor = LOCAL) -> object:
    return backlog.propose(store, DATASET, Idea(f"idea-{n}", f"Idea {n}", "It takes too long", number_as_json(Number.of(CARDS["deal_size"], View(), "median")), 10.0, 1.0, 0.5, 3.0), by)


def accept_idea(store: Store, n: int, by: Actor = LOCAL) -> object:
    """An approval: the idea and the decision on it."""
    idea = next(one for one in backlog.ideas(store, DATASET) if one.id == f"idea-{n}")
    return backlog.decide(store, DATASET, idea, by, True, "It is worth it")


def propose_change(store: Store, n: int, by: Actor = LOCAL) -> object:
    return changes.propose(store, DATASET, Change(f"change-{n}", "benchmark_min_n", new=100 + n, metric="deal_size", why="The sample is small"), by)


def approve_change(store: Store, n: int, by: Actor = LOCAL) -> object:
    """An approval: the request and the new version of the definitions."""
    return changes.approve(store, DATASET, Change(f"change-{n}"), by)


def raise_action(store: Store, n: int, by: Actor = LOCAL) -> object:
    success = Success(number_as_json(Number.of(CARDS["deal_size"], View(), "median")), 10.0, None, 8.0, "up", 1.0, "2027-12-01", {})
    return actions.raise_action(store, DATASET, Action(f"action-{n}", f"Action {n}", "Ann", "sales", "2027-11-30", success), by)


def finish_action(store: Store, n: int, by: Actor = LOCAL) -> object:
    return actions.complete(store, DATASET, next(one for one in actions.actions(store, DATASET) if one.id == f"action-{n}"), by)


def numbers() -> list[Number]:
    return [Number.of(CARDS[card], View()) for card in ASKED]


def start_meeting(store: Store, n: int, by: Actor = LOCAL) -> Meeting:
    x = company.coded(store, DATASET)
    stand = x.data.stand
    frozen = Frozen(stand.loads, x.data.as_of.isoformat(), stand.definitions or 0, x.terms.digest, view_as_json(View()), "All", stand.log)
    return meetings.start(store, DATASET, "weekly", f"Weekly review {n}", frozen, ("pace", "close"), by, f"meeting-{n}")


def decide(store: Store, n: int, by: Actor = LOCAL) -> Decision:
    said = receipt(company.coded(store, DATASET), numbers()[0]).as_dict()
    return decisions.decide(store, DATASET, Decision(f"decided-{n}", f"Question {n}", "Yes", meeting=f"meeting-{n}", receipt=said), by)


def close_meeting(store: Store, n: int, by: Actor = LOCAL, x: Coded | None = None) -> Meeting:
    """What is said in the meeting is published, and it ends."""
    return publishing.close_meeting(store, x or company.coded(store, DATASET), numbers(), meetings.meeting(store, DATASET, f"meeting-{n}"), View(), by, "Nothing more to say")


ACTS: Mapping[str, Callable[..., Any]] = {one.__name__: one for one in (extract, propose_idea, accept_idea, propose_change, approve_change, raise_action, finish_action,
                                                                        start_meeting, decide, close_meeting)}
