"""The end of a meeting: what came out of it, what is still open, closing or abandoning it; its minutes and files afterwards, and the meetings of before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

import pandas as pd
import streamlit as st

from revscore.charts.pictures import of_meeting
from revscore.company import called
from revscore.core.metric import functions
from revscore.core.written import view_from_json
from revscore.export.pack import MIME, file_stem, pack_files
from revscore.governance.publishing import close_meeting
from revscore.rhythm import meetings
from revscore.rhythm.figures import figures
from revscore.rhythm.log import ACTION, DECISION
from revscore.rhythm.meetings import Meeting, Taken
from revscore.rhythm.minutes import Minutes, minutes
from revscore.rhythm.reviews import numbers
from revscore.store import StoreError
from revscore.ui import allowed, answers, capture, room, session, tables
from revscore.ui.blocks import taken
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_FEW = 5  # sentences of what is still open that the stage shows


# -- the last screen -----------------------------------------------------------------------------------------------------------------------

def ending(now: Now, held: Meeting) -> None:
    """What came out of the meeting beside what still keeps it from being closed."""
    left, right = st.columns([3, 2], gap="small")
    with left, st.container(key="taken"):
        taken.taken(now, held)
    with right, st.container(border=True, key="close-meeting", gap="small"):
        _closing(now, held)


def _closing(now: Now, held: Meeting) -> None:
    found = meetings.taken(session.store(), now.dataset, held)
    drafts = [one for one in found.actions if one.state == "draft"]
    nothing = not found.decisions and not [one for one in found.actions if one.status != "cancelled"]
    st.markdown("### " + ("Ready to close" if not drafts and not nothing else "Not ready to close"))
    for one in drafts[:_FEW]:
        st.markdown(f":material/edit_note: **{md(one.title)}** lacks {md(listed(one.lacks))}.")
    if len(drafts) > _FEW:
        st.markdown(f"and {len(drafts) - _FEW} more that are not complete")
    reason = st.text_area("Nothing was decided and no action was raised. Why?", key="close-reason", max_chars=1000, height=100) if nothing else ""
    if lacking := room.absent(held):
        st.markdown(f":material/groups: Nobody from {md(listed(lacking))} is there.")
    st.markdown(f"Closing publishes the {len(now.ask(numbers, held.kind))} numbers of this review as they are frozen here.")
    with st.container(horizontal=True, gap="small"):
        close = st.button("Close and publish", type="primary", icon=":material/verified:", key="close-meeting-now", **allowed.to("meeting.close", "publish"))
        abandon = st.button("Abandon", icon=":material/cancel:", key="abandon", **allowed.to("meeting.close", help="End it without publishing anything"))
    if close:
        _close(now, held, reason)
    elif abandon:
        _abandon(now, held)


def _close(now: Now, held: Meeting, reason: str) -> None:
    """Publish the frozen numbers and end the meeting; of two who close it one does, and the other is told."""
    store = session.store()
    try:
        if ends := meetings.open_ends(meetings.taken(store, now.dataset, held), reason):
            for sentence in ends:
                st.error(md(sentence), icon=":material/block:")
            return
        with st.spinner("Publishing …"):
            close_meeting(store, now.x, now.ask(numbers, held.kind), held, now.view, session.actor(), reason)
    except StoreError as error:
        there = _there(now, held)
        if there is None or there.running:
            st.error(md(str(error)), icon=":material/block:")
            return
        st.toast(f":material/verified: {md(there.closed_by)} has closed this meeting at {room.local(now, there.closed_at):%H:%M}; here are its minutes.")
    st.rerun()


def _there(now: Now, held: Meeting) -> Meeting | None:
    """The meeting as it stands now; None where the store cannot be asked."""
    try:
        return meetings.meeting(session.store(), now.dataset, held.id)
    except StoreError:
        return None


@st.dialog("Abandon the meeting", width="medium", position="right")
def _abandon(now: Now, held: Meeting) -> None:
    st.markdown("It ends for everyone, and nothing is published. What was captured stays written down.")
    reason = st.text_area("Why", key="abandon-reason", max_chars=1000, height=100)
    if not st.button("Abandon the meeting", type="primary", key="abandon-now", **allowed.to("meeting.close")):
        return
    if capture.saved(lambda: meetings.close(session.store(), now.dataset, held, session.actor(), reason, abandoned=True), lambda: not meetings.meeting(session.store(), now.dataset, held.id).running):
        st.rerun()


# -- afterwards ----------------------------------------------------------------------------------------------------------------------------

def minutes_of(now: Now, held: Meeting, leave: Callable[[], None]) -> None:
    """A meeting that is over, read-only: who was there, what was found, decided and asked for; its files."""
    said = now.ask(_minutes, now.dataset, held.id, session.store().last_entry(now.dataset, ACTION, DECISION))
    st.title(f"{held.title} of {room.day(now, held.started_at)}", anchor=False)
    answers.answer(_outcome(said))
    st.caption(md(f"{said.held} · {said.stands['Period']} · data as of {said.stands['As of']} · filters: {said.stands['Filters']}"
                  f"{f' · publication no. {held.publication}' if held.publication else ''}"))
    with st.container(horizontal=True, gap="small", key="pack"):
        st.button("Back to the review", icon=":material/arrow_back:", on_click=leave, key="leave-meeting")
        if session.actor().own_rows:
            st.caption("The files of a meeting hold records of the whole team, so they are for those who see them.")
        elif not held.abandoned:
            for suffix, label in ((".xlsx", "Workbook"), (".html", "One page, offline"), (".pptx", "Slides")):
                st.download_button(label, lambda suffix=suffix: _pack(now, held, said, suffix), file_name=f"{file_stem(said)}{suffix}", mime=MIME[suffix], icon=":material/download:", on_click="ignore",
                                   key=f"pack{suffix.replace('.', '-')}")
    if held.reason:
        st.markdown(f"**{'Abandoned' if held.abandoned else 'Nothing was decided'}, because:** {md(held.reason)}")
    _table(now, "Decisions", [{"question": one.title, "state": one.state, "said": one.text, "on": one.screen, "by": one.by} for one in said.decisions], "minutes-decisions")
    _table(now, "Actions", [{"what": one.title, "owner": one.owner, "function": one.function, "until": one.due, "measure": one.success, "state": one.state} for one in said.actions], "minutes-actions")
    there = [{"function": functions((name,)), "who": listed(list(people))} for name, people in said.present.items()]
    _table(now, "Who was there", there, "minutes-present")
    agenda = [{"screen": one.title, "found": one.finding, "used": f"{one.used:.0f} of {one.planned} min", "note": one.note} for one in said.agenda]
    _table(now, "Agenda", agenda, "minutes-agenda")
    st.caption(md(f"Anchor of the audit log: {said.anchor}. Noted outside the store, it shows later whether anything was changed (python -m revscore verify --anchor)."))


def _outcome(said: Minutes) -> str:
    decided = sum(one.state == "decided" for one in said.decisions)
    asked = sum(one.state != "cancelled" for one in said.actions)
    counts = f"{decided} {'decision' if decided == 1 else 'decisions'} and {asked} {'action' if asked == 1 else 'actions'} came out of it"
    return f"Abandoned: nothing was published; {counts}." if said.abandoned else f"{counts}. {said.answer}".strip()


def _table(now: Now, title: str, rows: list[dict[str, object]], key: str) -> None:
    if not rows:
        return
    st.markdown(f"### {title}")
    frame = pd.DataFrame([{name: "" if value is None else str(value) for name, value in row.items()} for row in rows])
    tables.table(frame, now.x, key, labels={"question": "On", "said": "Decided, or why not", "on": "Screen", "what": "What", "measure": "It has worked when", "found": "Answer", "used": "Time"})


def _minutes(x, view, dataset: str, id_: str, last: int) -> Minutes:
    store = session.store()
    return minutes(store, dataset, meetings.meeting(store, dataset, id_), x, company=called(dataset))


@st.cache_resource(max_entries=4, show_spinner=False)
def _packed(key: str, _now: Now, _held: Meeting, _said: Minutes) -> dict[str, bytes]:
    view = view_from_json(_held.frozen.view)
    pictures = of_meeting(_said.by_screen, _said.tables.get("Bridge"), _said.currency, _said.finding("bridge"), figures(_now.x, view, _said.review))
    return pack_files(_said, _said.lines, _said.tables, pictures, _now.x, view)


def _pack(now: Now, held: Meeting, said: Minutes, suffix: str) -> bytes:
    files = _packed(f"{held.id} {session.store().last_entry(now.dataset)}", now, held, said)
    return next(data for name, data in files.items() if PurePath(name).suffix == suffix)


def past(now: Now, kind: str, enter: Callable[[str], None]) -> None:
    """The meetings of before on the page that prepares the next one; a row opens its minutes."""
    store = session.store()
    over = [one for one in meetings.meetings(store, now.dataset) if one.kind == kind and not one.running]
    if not over:
        return
    with st.expander(f"{len(over)} past {'meeting' if len(over) == 1 else 'meetings'}", key=f"past-{kind}", on_change="rerun") as place:
        if not place.open:
            return
        found = {one.id: meetings.taken(store, now.dataset, one) for one in over}
        frame = pd.DataFrame([_line(now, one, found[one.id]) for one in over])
        picked = tables.table(frame, now.x, f"past-{kind}-rows", height=min(430, 40 * (len(frame) + 1) + 6), labels={"date": "Held"}, opens=True)
        st.caption("Choose a meeting for its minutes and files.")
    if picked is not None:
        enter(over[picked].id)
        st.rerun()


def _line(now: Now, one: Meeting, found: Taken) -> dict[str, object]:
    length = (one.closed_at - one.started_at) / pd.Timedelta(minutes=1)
    return {"date": f"{room.day(now, one.started_at)} {room.local(now, one.started_at):%H:%M}", "decisions": len(found.decided), "actions": len(found.actions), "there": len(one.present),
            "minutes": round(length), "ended": "abandoned" if one.abandoned else f"published, no. {one.publication}" if one.publication else "closed"}


