"""What lies on the bench of one session while an extract is brought in, and its end: uploads stay in the server's memory until somebody takes them away.

Streamlit frees an upload when the reader removes it from the widget; not when the widget goes, not when the page changes, and after a closed window only when
some session is looked up, much later. So it is done here: after a load, on leaving the page, and half a minute after the window was closed.
"""

from __future__ import annotations

import hashlib
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from revscore.company import Draft, LoadReport

_BENCH = "bench"
_ASIDE = 30.0  # seconds without a window before a session's files are dropped: a broken line comes back sooner


@dataclass
class Bench:
    """The draft in work with what was found about it, or the report of what was stored last."""

    token: str = ""
    draft: Draft | None = None
    found: LoadReport | None = None  # of `seen`, as it stands to what is loaded
    seen: Draft | None = None
    stored: LoadReport | None = None
    sent: bool = False  # the draft was sent to the store once
    asked: tuple[str, tuple[str, ...]] | None = None  # of a database: its address, and the tables or views to be read
    round: int = 0  # changes the uploader's key, which empties it
    sums: dict[str, str] = field(default_factory=dict)  # id of an uploaded file -> hash of its content, worked out once

    def sum_of(self, file: Any) -> str:
        if file.file_id not in self.sums:
            self.sums[file.file_id] = hashlib.sha256(file.getbuffer()).hexdigest()
        return f"{file.name} {self.sums[file.file_id]}"

    def clear(self) -> None:
        """Let go of the extract in work, and of the address that it came from; what was stored last stays shown."""
        self.token, self.draft, self.found, self.seen, self.sent, self.asked = "", None, None, None, False, None
        self.round += 1
        self.sums.clear()

    def put_away(self) -> None:
        """Let go of the extract, and take the session's uploads out of the server's memory."""
        self.clear()
        context = get_script_run_ctx()
        if context is not None:
            context.uploaded_file_mgr.remove_session_files(context.session_id)


def bench() -> Bench:
    """The bench of this session."""
    mine = st.session_state.setdefault(_BENCH, Bench())
    context = get_script_run_ctx()
    if context is not None and type(runtime.get_instance()) is runtime.Runtime:
        _keeper(runtime.get_instance(), context.uploaded_file_mgr).benches[context.session_id] = mine
    return mine


def leave() -> None:
    """The reader is on another page: nothing of an extract stays in memory. It can be uploaded again; nothing of it was stored."""
    mine = st.session_state.pop(_BENCH, None)
    if mine is not None:
        mine.put_away()


class Keeper:
    """Drops what sessions without a window left behind."""

    def __init__(self, server: runtime.Runtime, files: Any) -> None:
        self.benches: weakref.WeakValueDictionary[str, Bench] = weakref.WeakValueDictionary()
        self._server, self._files, self._since = server, files, dict[str, float]()

    def sweep(self, now: float) -> None:
        """Look once: sessions that had no window for `_ASIDE` seconds lose their uploads and their bench."""
        held = {*getattr(self._files, "file_storage", ()), *self.benches}
        away = {session for session in held if not self._server.is_active_session(session)}
        self._since = {session: self._since.get(session, now) for session in away}
        for session in (session for session, since in self._since.items() if now - since >= _ASIDE):
            self._files.remove_session_files(session)
            if (left := self.benches.pop(session, None)) is not None:
                left.clear()

    def run(self) -> None:
        while runtime.exists():
            time.sleep(_ASIDE / 2)
            self.sweep(time.monotonic())


@st.cache_resource(show_spinner=False)
def _keeper(_server: runtime.Runtime, _files: Any) -> Keeper:
    made = Keeper(_server, _files)
    threading.Thread(target=made.run, name="uploads", daemon=True).start()
    return made
