"""Who may come in: versions of people, only ever added. The newest of an address holds; what it means is for `revscore.people` to say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd
from sqlalchemy import Connection, insert, select

from revscore.store import audit, datasets
from revscore.store import tables as t
from revscore.store.log import Overtaken

Sees = Literal["team", "own rows"]


@dataclass(frozen=True)
class Person:
    """One version of a person. `issuer` and `subject`: who that is to the provider of sign-in, "" until the first time. `owner`: the id of the person's records in the
    CRM. `sees`: records of the whole team, or the own ones only. `version`: its place among those of the address, from 1; 0 = not written yet."""

    email: str
    name: str = ""
    roles: tuple[str, ...] = ()
    owner: str = ""
    sees: Sees = "team"
    active: bool = True
    issuer: str = ""
    subject: str = ""
    version: int = 0
    by: str = ""
    at: pd.Timestamp = pd.NaT


def everyone(connection: Connection) -> tuple[Person, ...]:
    """All versions, oldest first."""
    return tuple(Person(row.email, row.name, tuple(row.roles), row.owner, row.sees, row.active, row.issuer, row.subject, row.version, row.saved_by, datasets.instant(row.saved_at))
                 for row in connection.execute(select(t.people).order_by(t.people.c.id)))


def save(connection: Connection, person: Person, by: str) -> Person:
    """The next version of a person. Inside a write. Raises Overtaken unless `person.version` is the newest (0: there is none)."""
    last = connection.execute(select(t.people.c.version, t.people.c.saved_by).where(t.people.c.email == person.email).order_by(t.people.c.version.desc()).limit(1)).one_or_none()
    if person.version != (last.version if last else 0):
        raise Overtaken(f"{last.saved_by if last else 'Somebody'} has changed {person.email} in the meantime, so nothing was saved; look at it as it is now, then try again.")
    at = datasets.now()
    id_ = connection.execute(insert(t.people).values(email=person.email, version=person.version + 1, name=person.name, roles=list(person.roles), owner=person.owner, sees=person.sees,
                                                     active=person.active, issuer=person.issuer, subject=person.subject, saved_by=by, saved_at=at)).inserted_primary_key[0]
    told = {"person": person.email, "roles": list(person.roles), "sees": person.sees, "active": person.active}
    audit.act(connection, by, "person saved", told, select(t.people).where(t.people.c.id == id_))
    return replace(person, version=person.version + 1, by=by, at=datasets.instant(at))
