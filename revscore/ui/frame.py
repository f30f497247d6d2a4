"""The frame of the app: data set, filters drawn once, the page, and what stands above every page."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

import streamlit as st

from revscore import company
from revscore.core.calendars import date_of
from revscore.rhythm.reach import Reach, reach
from revscore.store import SAMPLE, StoreError
from revscore.ui import as_of, bench, first_start, lacking, meeting, menu, picks, session, stage, state
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_ROOT = Path(__file__).resolve().parents[2]
WITHOUT_FILTERS = ("Data", "Targets", "Glossary", "Published numbers", "Actions", "Backlog", "People")
_now: ContextVar[Now] = ContextVar("now")
_why: ContextVar[str] = ContextVar("why", default="")  # why there is nothing to show, where the frame stands without an extract

def run(page: st.Page) -> None:
    """One run of the app, with the page that the menu gave."""
    picks.began()
    if meeting.asked():
        meeting.run()
        return picks.ended()
    stage.leave()
    if page.title != "Data":
        bench.leave()
    try:
        first_start.fill()
        dataset = _dataset()
        day, ignored = as_of.choose(dataset)
        version, x = session.standing(dataset, day)
    except StoreError as error:
        return _draw(page, _why, str(error))
    with st.container(key="no-filters" if page.title in WITHOUT_FILTERS else "filter-bar"):  # drawn on every page: choices travel along
        choice = state.filters(x)
    for sentence in (*([ignored] if ignored else []), *choice.ignored):
        st.warning(md(sentence), icon=":material/link_off:")
    if day and page.title != "Data":
        as_of.banner(x)
    _draw(page, _now, Now(dataset, f"{version} {day}".strip(), x, choice))
    picks.ended()
    session.settle()


def _draw(page: st.Page, what: ContextVar, value: object) -> None:
    token = what.set(value)
    try:
        with lacking.gathered():
            page.run()
    except StoreError as error:  # the store went away in the middle of a page
        st.error(md(str(error)), icon=":material/database_off:")
    finally:
        what.reset(token)


def stands() -> bool:
    """Whether the frame is drawn already; a page that can do without an extract calls `begin` when it is not."""
    return bool(_why.get()) or _now.get(None) is not None


def shown() -> Now | None:
    """What this run shows; None where there is no extract."""
    return _now.get(None)


def begin() -> None:
    """Draw the frame around a page that was started by itself: a deep link, before anyone has opened the home page.

    At a session's first run it starts over, so that the filters belong to the frame and travel from page to page; later (in tests) that
    would lose the click, so the frame runs the page in turn.
    """
    if st.session_state.get("begun"):
        return run(menu.page())
    st.session_state["begun"] = True
    menu.page()
    st.rerun()


def open_page(title: str) -> Now | None:
    """The head of a page: title, as-of, what the filters left. None when they left nothing: the page then has said so and stops there."""
    if not stands():
        begin()
        return None
    now = shown()
    if now is None:
        st.title(title, anchor=False)
        _nothing(_why.get())
        return None
    found = now.ask(reach)
    with st.container(horizontal=True, horizontal_alignment="distribute", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.caption(_standing(now, found, title), width="content")
    if found.nothing and (found.all_leads or found.all_deals):
        _emptied(now, found)
        return None
    return now


def _standing(shown: Now, found: Reach, page: str) -> str:
    """ "This quarter (1 Oct – 31 Dec 2026) · 3 of 9 segments · 214 of 1,000 deals · 1,204 of 6,002 leads · data as of 16 Nov 2026". """
    named = shown.choice.period_text if shown.view.period is None or ".." not in shown.choice.period_name else shown.view.period.dates()
    only = {name: values[0] for name, values in shown.view.where if len(values) == 1}
    parts = [f"{only[name]} ({chosen} of {there} {_plural(name)})" if name in only else f"{chosen} of {there} {_plural(name)}" for name, chosen, there in found.parts]
    parts += [f"{n:,} of {of:,} {noun}" if found.parts else f"{of:,} {noun}" for n, of, noun in
              ((found.deals, found.all_deals, "deals"), (found.leads, found.all_leads, "leads")) if of]
    day = date_of(shown.x.as_of_day)
    return md(" · ".join([*([] if page in WITHOUT_FILTERS else [named]), *parts, f"data as of {day.day} {day:%b %Y}"]))


def _plural(name: str) -> str:
    return {"type": "deal types"}.get(name, f"{name}s")


def _emptied(shown: Now, found: Reach) -> None:
    names = [state.TITLES[name].lower() for name in found.emptied_by]
    chosen = shown.view.chosen
    said = listed([f"{state.TITLES[name].lower()} {listed(chosen[name], 'or')}" for name in found.emptied_by])
    with st.container(border=True, key="emptied", horizontal_alignment="center", gap="small"):
        st.markdown("### Nothing is left under these filters")
        if len(found.emptied_by) == 1:
            st.markdown(f"No lead and no deal has {md(said)}. Without that filter there is something to show.")
        else:
            st.markdown(f"No lead and no deal has {md(said)} together. Widen {md(listed(names, 'or'))}.")
        st.button("Clear the filters", type="primary", on_click=state.clear, key="clear-emptied")


def _dataset() -> str:
    """The data set shown: the one in the address, else the user's own once it has a load, else the sample; a switch where there are both."""
    loaded = [one.name for one in session.store().datasets() if session.store().loads(one.name)]
    if len(loaded) < 2:
        shown = loaded[0] if loaded else company.current(session.store())
        if shown == SAMPLE:
            st.sidebar.caption("This is the sample company. Bring your own extracts in under Data.")
        return shown
    with st.sidebar:
        default = company.current(session.store())
        picked = st.segmented_control("Data", loaded, default=default, required=True, key="data", bind=state.BOUND, width="stretch", format_func=company.called)
    return picked or default


def _nothing(message: str) -> None:
    with st.container(border=True, horizontal_alignment="center", key="nothing"):
        st.markdown("### There is nothing to show yet")
        st.markdown(md(message))
        st.page_link(_ROOT / "pages" / "data.py", label="Upload an extract", icon=":material/upload:")
