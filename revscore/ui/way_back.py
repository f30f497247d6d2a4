"""The address that someone wanted, kept over the sign-in: the browser goes away to the provider, and Streamlit sends everybody back to the home page."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import streamlit as st

from revscore.ui import startup

_KEPT, _MANY = 900.0, 1000  # seconds and number of addresses kept over a sign-in
_ADDRESS = 4000  # characters of an address worth keeping
_BACK = "back-at-the-address"


@dataclass(frozen=True)
class Note:
    """What is remembered of one browser while it is away at the provider: its address, and the sentence it will read."""

    said: str = ""
    address: str = ""
    at: float = 0.0


@st.cache_resource(show_spinner=False)
def _notes() -> dict[str, Note]:
    """Browser -> what is remembered of it, on the server."""
    return {}


def _browser() -> str:
    """What tells one browser from another before anyone has signed in: the token in Streamlit's XSRF cookie, which is masked anew each time."""
    parts = str(st.context.cookies.get("_streamlit_xsrf", "")).split("|")
    try:
        mask, token = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    except (IndexError, ValueError):
        return ""
    return hashlib.sha256(bytes(byte ^ mask[k % len(mask)] for k, byte in enumerate(token))).hexdigest() if mask else ""


def note() -> Note:
    """What is remembered of the browser of this run."""
    found = _notes().get(_browser(), Note())
    return found if time.time() - found.at < _KEPT else Note()


def keep(said: str, address: str) -> None:
    """Remember of this browser the sentence that it will read, and the address that it wanted."""
    if browser := _browser():
        notes = _notes()
        notes.pop(browser, None)
        notes[browser] = Note(said, address, time.time())
        for old in list(notes)[:-_MANY]:
            notes.pop(old, None)


def forget() -> None:
    """Remember nothing of this browser."""
    _notes().pop(_browser(), None)


def here() -> str:
    """Page and choices of this run's address, "" for the home page without any."""
    page = urlsplit(st.context.url or "").path.rstrip("/").rpartition("/")[2]
    query = urlencode([(key, value) for key in st.query_params for value in st.query_params.get_all(key)])
    found = page + (f"?{query}" if query else "")
    return found if len(found) <= _ADDRESS else ""


def back(pages: Sequence[st.Page]) -> None:
    """Once after a sign-in: to the page and the choices that were asked for."""
    if startup.signs_in() != "oidc" or _BACK in st.session_state:
        return
    st.session_state[_BACK] = True
    address = note().address
    forget()
    name, _, query = address.partition("?")
    page = next((one for one in pages if one.url_path == name), None)
    if address and page is not None and address != here():
        st.switch_page(page, query_params=parse_qs(query))
