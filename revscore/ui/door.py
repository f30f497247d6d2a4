"""Who is at the door: on one's own machine everybody is let in as the one user; for a team, whom the provider of sign-in knows and the store lists.

`standing()` is asked at the start of every run and `holds()` at every reach for the store, so that a sign-in that has run out, or a person who was taken
off the list, ends also in a window that stays open. Streamlit itself keeps the sign-in for 30 days and never looks at the token's end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from revscore.ui import startup, strangers, way_back

if TYPE_CHECKING:
    from revscore.people import Actor

HOURS = 12.0  # how long a sign-in holds at most, whatever the provider says; REVSCORE_SIGNIN_HOURS says otherwise
SKEW = 120  # seconds that the provider's clock may be ahead


@dataclass(frozen=True)
class Standing:
    """How one stands at the door: inside, or why not. `over`: the sign-in ran out; `barred`: it is not enough; `unknown`: the store does not list who it is; `shut`: the store cannot be asked."""

    at: Literal["inside", "refused", "shut", "out", "over", "barred", "unknown"]
    said: str = ""


class Barred(Exception):
    """A sign-in that does not hold; the message says why."""

    def __init__(self, said: str, over: bool = False) -> None:
        super().__init__(said)
        self.over = over


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is: `issuer` and `subject` never change, the e-mail address is verified."""

    issuer: str
    subject: str
    email: str


def identity(claims: Mapping[str, Any], now: float, hours: float = HOURS) -> Identity:
    """Who signed in, by the `claims` of the identity token. Raises Barred when they are out of date (`now` in seconds since 1970) or not enough."""
    until, since = (claims.get(key) if isinstance(claims.get(key), int | float) else None for key in ("exp", "iat"))
    if until is None or since is None:
        raise Barred("The provider of sign-in does not say how long the sign-in holds.")
    if not (now < until and now - since <= hours * 3600):  # so that a claim which is no number at all is out of date too
        raise Barred("Your sign-in has run out. Sign in again to go on where you were.", over=True)
    if since > now + SKEW:
        raise Barred("The clock of the provider of sign-in is ahead of this server's.")
    found = [claims.get(key) if isinstance(claims.get(key), str) else "" for key in ("iss", "sub", "email")]
    if not all(found):
        raise Barred("The provider of sign-in does not say who you are: it must give issuer, subject and e-mail address.")
    if claims.get("email_verified") not in (True, "true"):
        raise Barred("Your e-mail address is not verified by the provider of sign-in. Verify it there, then sign in again.")
    return Identity(*found)


def hours() -> float:
    """How long a sign-in holds at most."""
    try:
        return float(os.environ.get("REVSCORE_SIGNIN_HOURS") or HOURS)
    except ValueError:
        return HOURS


def _who() -> Identity | None:
    """Who is at the door, None where nobody has signed in. Raises Barred."""
    claims = st.user.to_dict()
    if startup.signs_in() == "headers":  # each connection says it anew, so nothing can run out
        email = claims.get("email")
        return Identity("proxy", email, email) if isinstance(email, str) and email else None
    return identity(claims, time.time(), hours()) if claims.get("is_logged_in") is True else None


def actor() -> Actor:
    """Who acts in this run: the local user where nobody signs in. Raises NotAllowed for someone who is not, or no longer, signed in and listed."""
    from revscore.people import LOCAL, NotAllowed, accounts
    from revscore.ui import session

    if startup.refusals():
        raise NotAllowed(startup.refusals()[0])
    if not startup.signs_in():
        return LOCAL
    try:
        who = _who()
    except Barred as barred:
        raise NotAllowed(str(barred)) from None
    if who is None:
        raise NotAllowed("Sign in first.")
    found = accounts.actor_of(session.behind_the_door(), who.issuer, who.subject, who.email)
    if found is None:
        raise NotAllowed(f"You are signed in as {who.email}, but nobody has given this address a role here.")
    return found


def standing() -> Standing:
    """How this run stands at the door."""
    found = _standing()
    if startup.refusals() or startup.signs_in():
        strangers.note(found.at == "inside")
    return found


def _standing() -> Standing:
    if refusals := startup.refusals():
        return Standing("refused", refusals[0])
    if not startup.signs_in():
        return Standing("inside")
    try:
        if _who() is None:
            return Standing("out")
    except Barred as barred:
        return Standing("over" if barred.over else "barred", str(barred))
    from revscore.people import NotAllowed
    from revscore.store import StoreError

    try:
        actor()
    except NotAllowed as no:
        return Standing("unknown", str(no))
    except StoreError as error:
        return Standing("shut", str(error))
    return Standing("inside")


def holds() -> None:
    """Start the run over where the sign-in no longer holds, and in a part of a page that runs by itself (a drawer, the clock of a meeting), past `standing`, also
    where the person was taken off the list. Nothing is done where nobody signs in."""
    context = get_script_run_ctx()
    if not startup.signs_in() or context is None:
        return
    from revscore.people import NotAllowed

    try:
        gone = actor() is None if context.fragment_ids_this_run else _who() is None
    except (Barred, NotAllowed):
        gone = True
    if gone:
        st.rerun()


# -- what is shown outside -------------------------------------------------------------------------------------------------------------------

def show(stands: Standing, logo: str) -> None:
    """The page of someone who is not inside; nothing else is drawn after it."""
    with st.container(horizontal_alignment="center", key="door"), st.container(border=True, width=520, gap="medium", key="door-card"):
        st.image(logo, width=190)
        _DOORS[stands.at](stands)
    st.stop()


def _refused(stands: Standing) -> None:
    st.subheader("Not ready to be served", anchor=False)
    st.text(stands.said)
    st.caption("Whoever runs this server finds the same sentence in its log; start it again after the change.")


def _shut(stands: Standing) -> None:
    st.subheader("The scorecard cannot be opened now", anchor=False)
    st.text(stands.said)


def _out(stands: Standing) -> None:
    st.subheader("Sign in", anchor=False)
    st.text(way_back.note().said or "One shared revenue scorecard. Sign in with the account that you use at work.")
    if startup.signs_in() == "headers":
        return st.caption("The proxy in front of this server has not said who you are.")
    found = startup.providers(startup.auth())
    for name in found:
        label = "Sign in" if len(found) == 1 else f"Sign in with {name.capitalize()}"
        st.button(label, type="primary", icon=":material/login:", width="stretch", on_click=_sign_in, args=(name,), key=f"sign-in-{name}")


def _over(stands: Standing) -> None:
    if way_back.note().said != stands.said:  # else the browser came back with the old sign-in, and would go in a circle
        way_back.keep(stands.said, way_back.here())
        st.logout()
    _out(stands)


def _barred(stands: Standing) -> None:
    st.subheader("This account has no access", anchor=False)
    st.text(stands.said)
    if stands.at == "unknown":
        st.text(whom())
    if startup.signs_in() == "oidc":
        st.button("Sign in as someone else", icon=":material/logout:", width="stretch", on_click=sign_out, key="sign-out")


_DOORS = {"refused": _refused, "shut": _shut, "out": _out, "over": _over, "barred": _barred, "unknown": _barred}


def whom() -> str:
    """Whom to ask for a way in."""
    from revscore.people import accounts
    from revscore.ui import session

    admins = accounts.whom_to_ask(session.behind_the_door())
    return f"Ask {' or '.join(admins[:3])} to let you in." if admins else "Ask whoever runs this server to let you in."


def inside() -> None:
    """Who is signed in, and the way out; nothing where nobody signs in."""
    if startup.signs_in() != "oidc":
        return
    with st.sidebar, st.container(key="signed-in", gap="small"):
        st.text(str(st.user.get("email", "")))
        st.button("Sign out", icon=":material/logout:", width="stretch", on_click=sign_out, key="sign-out")


def sign_out() -> None:
    """End the sign-in here, and at the provider where it offers that."""
    way_back.forget()
    st.logout()


def _sign_in(provider: str) -> None:
    way_back.keep("", way_back.here() or way_back.note().address)
    st.login(None if provider == "default" else provider)
