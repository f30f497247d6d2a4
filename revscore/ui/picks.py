"""What the reader clicked: the one mark of a chart, or row of a table, that a run has to open.

A selection stays chosen while the page is run again for other reasons, so what was seen before is kept and only a change counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

_SEEN = "seen-"
_TOUCHED = "touched"  # the chart whose marks the reader clicked to cause this run


def began() -> None:
    """A run of the app began."""
    st.session_state["run"] = st.session_state.get("run", 0) + 1


def ended() -> None:
    """A run came to its end: what belongs to widgets that it did not draw is forgotten, as Streamlit forgets their state."""
    run = st.session_state["run"]
    st.session_state.pop(_TOUCHED, None)
    for key in [key for key in st.session_state if str(key).startswith(_SEEN) and st.session_state[key][1] != run]:
        del st.session_state[key]


def touched(key: str) -> None:
    """The reader clicked in the chart `key`: its callback, before the run."""
    st.session_state[_TOUCHED] = key


def clicked(key: str, chosen: Sequence[Any]) -> Any | None:
    """The one of `chosen` that was not chosen before; None when nothing is new. In a chart a click on a chosen mark takes it out, and means it too."""
    before, _ = st.session_state.get(f"{_SEEN}{key}", ([], 0))
    st.session_state[f"{_SEEN}{key}"] = (list(chosen), st.session_state["run"])
    taken_out = [one for one in before if one not in chosen] if st.session_state.get(_TOUCHED) == key else []
    return next((one for one in [*reversed(chosen), *taken_out] if one not in before or one in taken_out), None)
