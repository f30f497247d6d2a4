"""A load as it goes: read, recognised, checked, compared with what is loaded, stored, each a step with a bar while it runs."""

from __future__ import annotations

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from revscore.ui.words import md

STEPS = {"read": ("Reading", "Read"), "recognised": ("Recognising", "Recognised"), "checked": ("Checking", "Checked"), "compared": ("Comparing", "Compared"), "stored": ("Storing", "Stored")}
_EVERY = 0.15  # seconds between two drawings of the same step


class Steps:
    """A progress callback that draws a timeline: `Steps()(step, fraction, detail)`; call it as the load goes, then `done` or `failed`."""

    def __init__(self) -> None:
        self._boxes: dict[str, DeltaGenerator] = {}
        self._bars: dict[str, DeltaGenerator] = {}
        self._drawn = 0.0
        self._now = ""

    def __call__(self, step: str, fraction: float, detail: str = "") -> None:
        step = step if step in STEPS else "checked"
        if step != self._now:
            self._close()
            self._open(step)
        elif time.monotonic() - self._drawn < _EVERY and fraction < 1:
            return
        self._drawn = time.monotonic()
        self._bars[step].progress(min(max(fraction, 0.0), 1.0), text=md(detail))
        if fraction >= 1:
            self._boxes[step].update(label=f"{STEPS[step][1]}: {md(detail)}" if detail else STEPS[step][1], state="complete")

    def failed(self, text: str) -> None:
        if self._now:
            self._boxes[self._now].update(label=md(text), state="error")

    def done(self) -> None:
        self._close()

    def _open(self, step: str) -> None:
        self._now = step
        if step not in self._boxes:
            self._boxes[step] = st.status(STEPS[step][0], type="step", expanded=True)
            self._bars[step] = self._boxes[step].empty()

    def _close(self) -> None:
        if self._now:
            self._boxes[self._now].update(state="complete", expanded=False)
