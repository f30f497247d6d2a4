"""Nothing is kept of what someone uploads who is not let in: Streamlit takes a file for every open window, whether or not a page asks for one, and holds it in memory."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def note(inside: bool) -> None:
    """Remember how the session of this run stands at the door."""
    context = get_script_run_ctx()
    if context is None or type(runtime.get_instance()) is not runtime.Runtime:
        return
    sessions = _sessions(context.uploaded_file_mgr)
    if inside:
        sessions.add(context.session_id)
    else:
        sessions.discard(context.session_id)
        context.uploaded_file_mgr.remove_session_files(context.session_id)


@st.cache_resource(show_spinner=False)
def _sessions(_files: Any) -> set[str]:
    """The sessions that are inside; from the first call on, only their files are kept."""
    inside: set[str] = set()
    keep = _files.add_file

    def only_of_those(session_id: str, file: Any) -> None:
        if session_id in inside:
            keep(session_id, file)

    _files.add_file = only_of_those
    return inside
