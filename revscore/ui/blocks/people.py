"""Blocks of people: who may come in with which roles, the form that changes it, and what each role may do."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.people import LOCAL, MATRIX, ROLES, TITLES, WORDS, Actor, accounts
from revscore.people.rights import refusal
from revscore.store import Person
from revscore.ui import allowed, answers, capture, session, startup, tables
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_PEOPLE = units.Unit("people", "count", "people")
_LABELS = {"who": "Who", "roles": "Roles", "owner": "In the CRM", "sees": "Sees records of", "access": "Access", "changed": "Changed", "by": "By"}
_SEES = {"team": "the team", "own rows": "own rows only"}


def page(now: Now) -> None:
    """The list, and what the roles mean; of who may not see it, the sentence that says whom to ask."""
    by = session.actor()
    if not by.may("people.manage"):
        answers.answer(refusal("people.manage"))
        _roles(now, by)
        return
    found = accounts.people(session.store())
    active = [one for one in found if one.active]
    answers.answer(_answer(active, accounts.whom_to_ask(session.store())))
    answers.section("People", "Who may come in, and with which roles?")
    _list(now, found)
    _roles(now, by)


def _answer(active: list[Person], admins: list[str]) -> str:
    alone = "Nobody signs in here: this revscore answers on this computer only, and whoever sits at it may do everything. " if not startup.signs_in() else ""
    if not active:
        return f"{alone}Nobody is on the list yet; once sign-in is on, only who is on it gets in."
    count = f"{units.named(len(active), _PEOPLE)} are on the list" if len(active) > 1 else "One person is on the list"
    return f"{alone}{count}; " + (f"{listed(admins)} {'is admin' if len(admins) == 1 else 'are admins'}." if admins else "nobody is admin yet.")


def _list(now: Now, found: tuple[Person, ...]) -> None:
    if st.button("Add a person", icon=":material/person_add:", type="primary", key="person-add"):
        _person(now, "")
    if not found:
        return
    names = owner_names(now)
    frame = pd.DataFrame([{"who": f"{one.name} ({one.email})" if one.name else one.email, "roles": ", ".join(TITLES[role] for role in one.roles) if one.active else "", "owner": names.get(one.owner, one.owner),
                           "sees": _SEES[one.sees] if one.active else "", "access": accounts.access(one), "changed": one.at.tz_convert(now.x.terms.reporting_tz).tz_localize(None), "by": one.by} for one in found])
    opened = tables.table(frame, now.x, key="people", labels=_LABELS, opens=True)
    if opened is not None:
        _person(now, found[opened].email)


def owner_names(now: Now) -> dict[str, str]:
    """Id → name of the owners in the CRM."""
    users = now.x.data.table("users").dropna(subset=["user_id"]) if now.x.data.has("users") else pd.DataFrame({"user_id": [], "name": []})
    return dict(zip(users["user_id"].astype(str), users["name"].fillna(users["user_id"]).astype(str), strict=True))


@st.dialog("Who may come in", width="large")
def _person(now: Now, email: str) -> None:
    """The form of one person; a new one without `email`."""
    old = next((one for one in accounts.people(session.store()) if one.email == email), None)
    if old:
        st.markdown(f"**{md(old.email)}**{'' if old.active else ' has no access; saving gives it back'}")
    address = email or st.text_input("E-mail address", key="person-email", max_chars=320, placeholder="name@company.example")
    names = owner_names(now)
    left, right = st.columns(2, gap="small")
    name = left.text_input("Name", old.name if old else "", key=f"person-name-{email}", max_chars=200)
    owned = ["", *dict.fromkeys([*([old.owner] if old and old.owner else []), *sorted(names, key=lambda one: names[one].casefold())])]
    owner = right.selectbox("Who that is in the CRM", owned, index=owned.index(old.owner) if old else 0, key=f"person-owner-{email}", format_func=lambda one: names.get(one, one) or "nobody")
    roles = st.pills("Roles", list(ROLES), selection_mode="multi", default=list(old.roles) if old else ["viewer"], key=f"person-roles-{email}", format_func=TITLES.get)
    st.caption("  \n".join(f"**{TITLES[role]}** {ROLES[role]}" for role in roles) or "Without a role there is no access.")
    sees = st.segmented_control("Sees records of", list(_SEES), default=old.sees if old else "team", required=True, key=f"person-sees-{email}", format_func=_SEES.get,
                                help="Numbers are the team's for everybody. With own rows only, of leads and deals somebody sees those that the owner chosen above has.")
    fields = {"name": name, "roles": tuple(roles), "owner": owner, "sees": sees}
    store, by, seen = session.store(), session.actor(), st.session_state.setdefault(f"person-version-{email}", old.version if old else 0)
    with st.container(horizontal=True):
        save = st.button("Save", type="primary", icon=":material/check:", key="person-save", **allowed.to("people.manage"))
        gone = bool(old and old.active) and st.button("Take off the list", icon=":material/person_off:", key="person-remove", help="No access from the next click on")
        free = bool(old and old.active and old.subject) and st.button("Let a new account sign in", icon=":material/link_off:", key="person-unbind",
                                                                      help="The account that signed in with this address so far is forgotten, and the next one taken")
    write = ((lambda: accounts.change(store, email, by, seen=seen, **fields)) if old and old.active else (lambda: accounts.add(store, address, by, **fields))) if save else \
        (lambda: accounts.remove(store, email, by, seen=seen)) if gone else (lambda: accounts.unbind(store, email, by, seen=seen)) if free else None
    if write is None:
        return
    st.session_state.pop(f"person-version-{email}")  # who was overtaken has been told so, and may save over what the other wrote
    if capture.saved(write):
        st.toast(md(f"Written down: {address}"), icon=":material/group:")
        st.rerun()


def _roles(now: Now, by: Actor) -> None:
    answers.section("Roles", "What may each of them do?")
    if by != LOCAL:
        st.markdown(f"You are **{md(by.name)}**: {md(listed([TITLES[role] for role in ROLES if role in by.roles]))}.")
    frame = pd.DataFrame([{"what": WORDS[action][:1].upper() + WORDS[action][1:], **{role: "✓" if role in may else "" for role in ROLES}} for action, may in MATRIX.items()])
    tables.table(frame, now.x, key="roles", labels={"what": "May", **TITLES}, height="content")
