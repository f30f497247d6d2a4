"""Who may come in: the people that the store lists, by e-mail address. Who is not listed has no access; who is off the list is out at the next click."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from revscore.people.rights import MATRIX, NOBODY, ROLES, Actor
from revscore.store import Person, Store, StoreError, Writer

_ADDRESS = re.compile(r"[^\s@<>\"',;:\\()\[\]]+@[^\s@<>\"',;:\\()\[\]]+")
_SEES = ("team", "own rows")
CHANGES = ("name", "roles", "owner", "sees")  # what an admin changes of a person


def people(store: Store) -> tuple[Person, ...]:
    """Everybody as they stand now, by address; also those who were taken off the list (`active` false)."""
    return _now(store.people())


def history(store: Store, email: str) -> tuple[Person, ...]:
    """What a person was, oldest first."""
    return tuple(one for one in store.people() if one.email == address(email))


def actor_of(store: Store, issuer: str, subject: str, email: str) -> Actor | None:
    """The person behind a sign-in; None when nobody lists them. An address of the list is bound to the account (`issuer`, `subject`) that comes with it first, and from
    then on the account decides: whoever is given the address later is not let in by it."""
    found = _of_account(people(store), issuer, subject, email)
    if found and not found.subject:
        with store.together() as one:
            found = _of_account(_now(one.people()), issuer, subject, email)
            if found and not found.subject:
                found = one.save_person(replace(found, issuer=issuer, subject=subject), found.email)
    actor = Actor(found.email, frozenset(found.roles), found.owner, found.sees == "own rows") if found else NOBODY
    return actor if actor.may("see") else None


def whom_to_ask(store: Store) -> list[str]:
    """The addresses of the admins."""
    return [one.email for one in people(store) if _may_manage(one)]


def add(store: Store, email: str, by: Actor, *, roles: Iterable[str], name: str = "", owner: str = "", sees: str = "team") -> Person:
    """Put a person on the list. Raises StoreError for what cannot be, or when the person is on it already."""
    by.demand("people.manage")
    new = _checked(Person(address(email), name.strip(), tuple(roles), owner.strip(), sees))
    with store.together() as one:
        old = _find(one, new.email)
        if old and old.active:
            raise StoreError(f"{new.email} is on the list already; change the roles there.")
        return one.save_person(replace(new, version=old.version if old else 0), by.name)


def change(store: Store, email: str, by: Actor, *, seen: int = 0, **fields: Any) -> Person:
    """Change name, roles, owner or what a person sees. `seen`: the version that was looked at (0: the newest). Raises StoreError for what cannot be, Overtaken when
    another has changed the person since."""
    by.demand("people.manage")
    if strange := set(fields).difference(CHANGES):
        raise TypeError(f"a person has no {', '.join(sorted(strange))} to change")
    return _save(store, email, by, seen, **fields)


def remove(store: Store, email: str, by: Actor, *, seen: int = 0) -> Person:
    """Take a person off the list: no access from the next click on. What they have done stays written down, and the last admin stays."""
    by.demand("people.manage")
    return _save(store, email, by, seen, active=False)


def unbind(store: Store, email: str, by: Actor, *, seen: int = 0) -> Person:
    """Forget the account that a person signed in with: the next one with this address is taken. For a new provider, or an account that was made anew."""
    by.demand("people.manage")
    return _save(store, email, by, seen, issuer="", subject="")


def access(one: Person) -> str:
    """ "signed in before", "not signed in yet", "none". """
    return "none" if not one.active else "signed in before" if one.subject else "not signed in yet"


def address(email: str) -> str:
    """An e-mail address as it is kept. Raises StoreError for what is none."""
    found = _plain(email)
    if len(found) > 320 or not _ADDRESS.fullmatch(found) or not found.isprintable():
        raise StoreError(f"“{email[:80]}” is no e-mail address: write name@company.example.")
    return found


def _plain(email: str) -> str:
    return email.strip().casefold()


def _save(store: Store, email: str, by: Actor, seen: int, **fields: Any) -> Person:
    wanted = address(email)
    with store.together() as one:
        old = _find(one, wanted)
        if old is None or not old.active:
            raise StoreError(f"{wanted} is not on the list; add the address first.")
        new = _checked(replace(old, **fields, version=seen or old.version))
        if _may_manage(old) and not _may_manage(new) and not any(_may_manage(person) for person in _now(one.people()) if person.email != wanted):
            raise StoreError(f"{wanted} is the last admin: make somebody else an admin first.")
        return one.save_person(new, by.name)


def _checked(person: Person) -> Person:
    """A person whose roles are in the order of the roles. Raises StoreError for what cannot be."""
    if strange := [role for role in person.roles if role not in ROLES]:
        raise StoreError(f"There is no role {strange[0]}; there are {', '.join(ROLES)}.")
    if not person.roles:
        raise StoreError(f"Give {person.email} at least one role ({', '.join(ROLES)}), or take the address off the list.")
    if person.sees not in _SEES:
        raise StoreError(f"A person sees the records of the {' or '.join(_SEES)}, not {person.sees}.")
    if person.sees == "own rows" and not person.owner:
        raise StoreError(f"Say who {person.email} is in the CRM: which records are the own ones goes by the owner.")
    if len(person.name) > 200 or len(person.owner) > 200:
        raise StoreError("Name and owner have at most 200 characters.")
    return replace(person, roles=tuple(role for role in ROLES if role in person.roles))


def _now(versions: Iterable[Person]) -> tuple[Person, ...]:
    newest = {one.email: one for one in versions}
    return tuple(newest[email] for email in sorted(newest))


def _find(one: Writer, email: str) -> Person | None:
    return next((person for person in _now(one.people()) if person.email == email), None)


def _of_account(now: Iterable[Person], issuer: str, subject: str, email: str) -> Person | None:
    """Whom an account stands for: who is bound to it, else who has its address and is bound to none."""
    listed = [one for one in now if one.active and issuer and subject]
    bound = next((one for one in listed if (one.issuer, one.subject) == (issuer, subject)), None)
    return bound or next((one for one in listed if one.email == _plain(email) and not one.subject), None)


def _may_manage(person: Person) -> bool:
    return person.active and not MATRIX["people.manage"].isdisjoint(person.roles)
