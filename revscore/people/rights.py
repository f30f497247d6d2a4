"""Who may do what: roles, actions, and the table of both. Every service that writes takes an `Actor` and demands its right itself; what a page hides is only a courtesy.

    def complete(store, dataset, action, by: Actor) -> Action:
        by.demand("action.change")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from revscore.store import StoreError

Role = Literal["viewer", "editor", "revops", "approver", "admin"]
ROLES: Mapping[str, str] = {
    "viewer": "sees numbers, meetings and what was decided",
    "editor": "runs meetings, decides, raises actions, works on exceptions",
    "revops": "loads extracts, sets targets, proposes definitions, closes reviews",
    "approver": "approves definitions, decides on the backlog, closes reviews",
    "admin": "says who may come in and do what, makes backups",
}
TITLES: Mapping[str, str] = {"viewer": "Viewer", "editor": "Editor", "revops": "RevOps", "approver": "Approver", "admin": "Admin"}

_TABLE = """
                   viewer editor revops approver admin
see                x      x      x      x        x      see the company's numbers
action.raise       -      x      x      x        -      raise actions
action.change      -      x      x      x        -      change, finish and give up actions
decision.raise     -      x      x      x        -      put questions on the list of decisions
decision.decide    -      x      x      x        -      write down what was decided
decision.withdraw  -      x      x      x        -      withdraw decisions
meeting.start      -      x      x      x        -      start meetings
meeting.run        -      x      x      x        -      present meetings
meeting.attend     -      x      x      x        -      write down who is there
meeting.note       -      x      x      x        -      take notes in meetings
meeting.close      -      -      x      x        -      close meetings
publish            -      -      x      x        -      publish numbers
triage             -      x      x      x        -      give out, settle and accept exceptions
dispute.raise      -      x      x      x        -      dispute numbers
dispute.answer     -      -      x      x        -      assign and answer disputes
target             -      -      x      x        -      set and withdraw targets
backlog.propose    -      x      x      x        -      propose and estimate ideas
backlog.decide     -      -      -      x        -      decide on ideas of the backlog
backlog.publish    -      -      x      x        -      publish the order of the backlog
load               -      -      x      -        -      load extracts
map                -      -      x      -        -      say what a column means
definition.propose -      x      x      x        -      propose changes of definitions
definition.approve -      -      -      x        -      approve and reject changes of definitions
definition.train   -      -      x      x        -      write down when a change was taught
people.manage      -      -      -      -        x      see or change who may come in
backup             -      -      -      -        x      make and restore backups
"""


def _read(table: str) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    head, *rows = (line.split(maxsplit=len(ROLES) + 1) for line in table.strip().splitlines())
    roles = {action: frozenset(role for role, mark in zip(head, marks, strict=False) if mark == "x") for action, *marks in rows}
    return roles, {row[0]: row[-1] for row in rows}


MATRIX: Mapping[str, frozenset[str]]  # action -> the roles that may
WORDS: Mapping[str, str]  # action -> what it is, as in "you may not …"
MATRIX, WORDS = _read(_TABLE)


class NotAllowed(StoreError):
    """The right is missing; the message is a sentence that says who has it and whom to ask. Nothing was done."""


@dataclass(frozen=True)
class Actor:
    """Who acts. `name` is what is written down: the e-mail address of who is signed in. `owner`: the id of that person's records in the CRM. `own_rows`: numbers are
    the team's, but of records only those of `owner` are shown."""

    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    owner: str = ""
    own_rows: bool = False

    def may(self, action: str) -> bool:
        """Whether a role of this actor has the right. Raises KeyError for an action that is not in the table."""
        return not self.roles.isdisjoint(MATRIX[action])

    def demand(self, *actions: str) -> None:
        """Raises NotAllowed unless the actor may do all of `actions`."""
        for action in actions:
            if not self.may(action):
                raise NotAllowed(refusal(action))


def refusal(action: str) -> str:
    """ "You may not load extracts: that takes the role RevOps; ask an admin for it." """
    return f"You may not {WORDS[action]}: that takes the role {_or(TITLES[role] for role in ROLES if role in MATRIX[action])}; ask an admin for it."


def _or(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


EVERY_ROLE = frozenset(ROLES)
LOCAL = Actor("local", EVERY_ROLE)  # the one user of a revscore that listens on this computer only, and whoever works on the store's file itself
NOBODY = Actor("", frozenset())
