"""Blocks of what a meeting begins and ends with: what became of what was decided, and who does what until when."""

from __future__ import annotations

import streamlit as st

from revscore.core import units
from revscore.core.metric import functions
from revscore.rhythm import followed, meetings
from revscore.rhythm.answers import Answer
from revscore.rhythm.followed import Followed
from revscore.rhythm.meetings import Meeting
from revscore.ui import capture, charts, session
from revscore.ui.blocks import actions
from revscore.ui.session import Now
from revscore.ui.words import listed, md

ON_STAGE = 4  # of last week's: so many fit the stage with what they say


def said_last_week(now: Now) -> Answer:
    return followed.last_week_answer(_back(now))


def _back(now: Now) -> tuple[Followed, ...]:
    held, _ = capture.here()
    return followed.looked_back(now.x, actions.found(now), held.id if held else "")


def last_week(now: Now) -> None:
    """What became of what was decided: the worst first, so many as fit one screen; each opens."""
    back = _back(now)
    if not back:
        return charts.absent("What became of what we decided?", "No action of an earlier meeting is open, and none is waiting to be judged. The first ones come out of this meeting.", "last-week")
    actions.rows(now, back[:ON_STAGE], "last-week")
    if len(back) > ON_STAGE:
        st.caption(f"{len(back) - ON_STAGE:,} more, not worse than these, on the page of actions.")


def said_taken(now: Now, held: Meeting) -> Answer:
    return followed.taken_answer(meetings.taken(session.store(), now.dataset, held))


def taken(now: Now, held: Meeting | None) -> None:
    """What a meeting decided and raised; what an action lacks is completed here."""
    if held is None:
        return charts.absent("Who does what until when?", "What is decided and raised in the meeting stands here, to be completed before it is closed.", "taken")
    out = meetings.taken(session.store(), now.dataset, held)
    if not out.decisions and not out.actions:
        return charts.absent("Who does what until when?", "Nothing was decided and no action was raised yet. A meeting is closed with one of them, or with the reason why there is none.", "taken")
    left, right = st.columns([2, 3], gap="small")
    with left, st.container(border=True, key="taken-decisions", height="stretch"):
        st.markdown(f"### {units.named(len(out.decisions), units.DECISIONS).capitalize()}" if out.decisions else "### No decision")
        for one in out.decisions:
            st.markdown(f":material/{'gavel' if one.status == 'decided' else 'do_not_disturb_on'}: **{md(one.title)}**  \n{md(one.text if one.status == 'decided' else f'No decision: {one.text}')}")
    with right, st.container(border=True, key="taken-actions", height="stretch"):
        st.markdown(f"### {units.named(len(out.actions), units.ACTIONS).capitalize()}" if out.actions else "### No action")
        for one in sorted(out.actions, key=lambda one: one.state != "draft"):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"taken-{one.id}"):
                lacks = one.state == "draft"
                says = (f"Given up: {one.why}" if one.status == "cancelled" else
                        f"Lacks {listed(one.lacks)}" if lacks else f"{one.owner}, {functions([one.function])}, until {capture.day(one.due)}")
                icon = {"draft": ":orange[:material/edit_note:]", "cancelled": ":gray[:material/cancel:]"}.get(one.state, ":green[:material/task_alt:]")
                st.markdown(f"{icon} **{md(one.title)}**  \n:gray[{md(says)}]", width="content")
                if st.button("Complete it" if lacks else "Open", key=f"open-action-{one.id}", type="primary" if lacks else "secondary"):
                    if lacks:
                        st.session_state[f"do-{one.id}"] = "change"
                    actions.opened(now, one.id)
