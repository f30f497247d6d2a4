"""The first start: an empty store is filled with the sample company, once per server, whether or not the reader waits on the page."""

from __future__ import annotations

import time
from threading import Lock, Thread

import streamlit as st

from revscore import company
from revscore.store import Store
from revscore.ui import session
from revscore.ui.steps import Steps

_EVERY = 0.1  # seconds between two looks at how far it is


class Filling:
    """The load of the sample company in a thread of its own: a click elsewhere ends the run that watches it, never the load."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, Lock()
        self._thread: Thread | None = None
        self.stage: tuple[str, float, str] | None = None
        self.error: Exception | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        with self._lock:
            if not self.running:
                self.error = None
                self._thread = Thread(target=self._run, name="sample company", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            company.ensure_sample(self._store, self._progress)
        except Exception as error:  # told to whoever is watching
            self.error = error

    def _progress(self, step: str, fraction: float, detail: str = "") -> None:
        self.stage = (step, fraction, detail)


@st.cache_resource(show_spinner=False)
def filling() -> Filling:
    return Filling(session.store())


def fill() -> None:
    """Fill an empty store with the sample company, showing the steps. What goes wrong is raised here."""
    if any(session.store().loads(one.name) for one in session.store().datasets()):
        return
    place = st.empty()
    with place.container(key="first-start"):
        st.title("Setting up the sample company", anchor=False)
        st.markdown("Northlight is a made-up company: 18 months of leads, deals and campaigns to try everything on. This happens once.")
        steps, work = Steps(), filling()
        work.start()
        while work.running:
            if work.stage:
                steps(*work.stage)
            time.sleep(_EVERY)
        if work.error:
            raise work.error
        steps.done()
    place.empty()
