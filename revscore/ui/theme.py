"""The reader's theme, for drawings."""

from __future__ import annotations

import streamlit as st

from revscore.charts.theme import Theme


def theme() -> Theme:
    return "dark" if st.context.theme.type == "dark" else "light"
