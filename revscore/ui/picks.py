"""What the reader clicked: the one mark of a chart, or row of a table, that a run has to open.

A selection stays chosen while the page is run again for other reasons, so what was seen before is kept and only a change counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

_SEEN = "seen-"


def began() -> None:
    """A run of the app began."""
    st.session_state["run"] = st.session_state.get("run", 0) + 1


def ended() -> None:
    """A run came to its end: what belongs to widgets that it did not draw is forgotten, as Streamlit forgets their state."""
    run = st.session_state["run"]
    for key in [key for key in st.session_state if str(key).startswith(_SEEN) and st.session_state[key][1] != run]:
        del st.session_state[key]


def clicked(key: str, chosen: Sequence[Any]) -> Any | None:
    """The one of `chosen` that was not chosen before; None when nothing is new."""
    before, _ = st.session_state.get(f"{_SEEN}{key}", ([], 0))
    st.session_state[f"{_SEEN}{key}"] = (list(chosen), st.session_state["run"])
    return next((one for one in reversed(chosen) if one not in before), None)
