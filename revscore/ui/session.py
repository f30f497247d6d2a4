"""What sessions share: the store, one coded extract per load and definitions, and small finished results.

Nothing here is changed after it was made. Results are kept by a text key (data set, version, view, question), never by hashing frames.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from revscore import company
from revscore.core.coded import Coded
from revscore.core.view import View
from revscore.governance.verify import frozen as made_again
from revscore.people import Actor, NotAllowed
from revscore.rhythm import meetings
from revscore.rhythm.log import MEETING
from revscore.rhythm.meetings import Meeting
from revscore.store import Store, StoreError
from revscore.ui import door
from revscore.ui.state import Choice

Result = TypeVar("Result")


@dataclass(frozen=True)
class Now:
    """What this run shows: the extract (`version` tells its loads, definitions and day) and the reader's choice. Pages get it from `frame.open_page`."""

    dataset: str
    version: str
    x: Coded
    choice: Choice

    @property
    def view(self) -> View:
        return self.choice.view

    def ask(self, question: Callable[..., Result], *args: Any, view: View | None = None) -> Result:
        """`question(x, view, *args)`, remembered until the extract, the definitions or the view change. `args` need a telling repr."""
        view = view or self.view
        key = f"{question.__module__}.{question.__qualname__}|{self.dataset}|{self.version}|{view}|{args}"
        return _remembered(key, lambda: question(self.x, view, *args))


@st.cache_resource(max_entries=600, show_spinner=False)
def _remembered(key: str, _make: Callable[[], Any]) -> Any:
    return _make()


@st.cache_resource(show_spinner=False)
def behind_the_door() -> Store:
    """The store, whoever asks: for the door itself."""
    return company.open_store()


def store() -> Store:
    """The store, for someone who is let in: a run whose sign-in holds no longer starts over, and ends at the door."""
    door.holds()
    return behind_the_door()


def standing(dataset: str, as_of: str = "") -> tuple[str, Coded]:
    """Version (`company.state_of`) and extract of `dataset` as they stand now, the latest or as of a day: of one state of the store, whatever is loaded meanwhile."""
    return company.settled(store(), dataset, lambda version: (version, coded(dataset, version, as_of)))


@st.cache_resource(max_entries=3, show_spinner=False)
def coded(dataset: str, version: str, as_of: str = "") -> Coded:
    """The extract of `dataset` at `version`, encoded, with the decisions and actions of the log: made once, read by every session. Raises Moved when the store is
    at another version: what is kept under one is all of that one."""
    return company.unmoved(store(), dataset, version, lambda: company.with_log(store(), _encoded(dataset, version.partition("+")[0], as_of)))


@st.cache_resource(max_entries=3, show_spinner=False)
def _encoded(dataset: str, version: str, as_of: str) -> Coded:
    """What an entry of the log does not change."""
    day = company.instant(as_of, company.terms_of(store(), dataset).reporting_tz) if as_of else None
    return company.unmoved(store(), dataset, version, lambda: company.encoded(store(), dataset, day))


@st.cache_resource(max_entries=4, show_spinner="Bringing back what the meeting looked at …")
def _pinned(dataset: str, meeting: str, _make: Callable[[], Coded]) -> Coded:
    return _make()


def pin(dataset: str, held: Meeting, x: Coded) -> None:
    """Keep the extract that a meeting was started on, for everyone in it."""
    _pinned(dataset, held.id, lambda: x)


def frozen(dataset: str, held: Meeting) -> Coded:
    """The extract of a meeting: the one it was started on, or, after the server was started again, the same made again from its loads and definitions."""
    return _pinned(dataset, held.id, lambda: made_again(store(), dataset, held))


def meeting(id_: str) -> tuple[str, Meeting]:
    """The data set of a meeting and the meeting. Raises StoreError when there is none."""
    for one in store().datasets():
        if store().entries(one.name, MEETING, id_):
            return one.name, meetings.meeting(store(), one.name, id_)
    raise StoreError("There is no such meeting here; open the weekly or monthly review to start or join one.")


def instant() -> pd.Timestamp:
    """Now, on the server's clock."""
    return pd.Timestamp.now("UTC")


def actor() -> Actor:
    """Who acts, with what that person may do: the local user where nobody signs in. For someone who is let in no more the run starts over, and ends at the door;
    where it cannot (in a callback), raises NotAllowed."""
    try:
        return door.actor()
    except NotAllowed:
        if get_script_run_ctx() is not None:
            st.rerun()
        raise


@st.cache_resource(show_spinner=False)
def _seats() -> dict[str, str]:
    """Seat -> the session that sits there."""
    return {}


def sit(seat: str) -> bool:
    """Take a seat for this session; False where another session that is connected has it."""
    context = get_script_run_ctx()
    here = context.session_id if context else ""
    there = _seats().setdefault(seat, here)
    if there != here and runtime.exists() and runtime.get_instance().is_active_session(there):
        return False
    _seats()[seat] = here
    return True


@st.cache_resource(show_spinner=False)
def one_at_a_time() -> Lock:
    """The lock around what one session does for all: storing a load."""
    return Lock()


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """After the first page was drawn: what is loaded now stays, so the garbage collector need not walk it after every run."""
    gc.collect()
    gc.freeze()
