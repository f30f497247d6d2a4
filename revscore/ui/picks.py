"""What the reader clicked: the one mark of a chart, or row of a table, that a run has to open.

A selection stays chosen while the page is run again for other reasons, so what was seen before is kept and only a change counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st


def began() -> None:
    """A run of the app began."""
    st.session_state["run"] = st.session_state.get("run", 0) + 1


def clicked(key: str, chosen: Sequence[Any], again: bool = False) -> Any | None:
    """The one of `chosen` that was not chosen in the run before; None when nothing is new. `again`: one that was taken out counts as well (marks of a
    chart are put in and taken out by turns), unless the widget was away in between."""
    run = st.session_state.get("run", 0)
    before, at = st.session_state.get(f"seen-{key}", ([], -1))
    st.session_state[f"seen-{key}"] = (list(chosen), run)
    new = [one for one in chosen if one not in before]
    gone = [one for one in before if one not in chosen] if again and at == run - 1 else []
    return next(iter((*new[::-1], *gone)), None)
