"""Closing a meeting: what it publishes and its end are there together, once, or not at all."""

from __future__ import annotations

import pytest

from revscore.rhythm import actions, meetings
from revscore.rhythm.actions import Action, Incomplete
from revscore.store import Store, StoreError
from tests.people import ANN, BOB
from tests.reliability import acts
from tests.store.conftest import place, server, store  # noqa: F401  a store on each engine


def running(store: Store) -> bool:  # noqa: F811
    return meetings.meeting(store, acts.DATASET, "meeting-1").running


def test_a_meeting_is_published_and_over_together_and_once(store: Store) -> None:  # noqa: F811
    acts.extract(store, 1)
    acts.start_meeting(store, 1, ANN)
    actions.raise_action(store, acts.DATASET, Action("a", "Ring them", meeting="meeting-1"), ANN, draft=True)
    with pytest.raises(Incomplete, match="Ring them"):
        acts.close_meeting(store, 1, ANN)
    assert running(store) and not store.publications(acts.DATASET)
    actions.cancel(store, acts.DATASET, actions.actions(store, acts.DATASET)[0], ANN, "Not needed")

    def fails(_one: object) -> int:
        raise StoreError("The disk is full")

    with pytest.raises(StoreError, match="disk is full"):
        meetings.close(store, acts.DATASET, meetings.meeting(store, acts.DATASET, "meeting-1"), ANN, "Nothing", publish=fails)
    assert running(store)
    closed = acts.close_meeting(store, 1, ANN)
    with pytest.raises(StoreError, match="was closed at .* by ann"):
        acts.close_meeting(store, 1, BOB)
    assert [one.id for one in store.publications(acts.DATASET)] == [closed.publication] and closed.closed_by == "ann"


def test_of_two_meetings_of_a_kind_that_start_one_runs(store: Store) -> None:  # noqa: F811
    acts.extract(store, 1)
    acts.start_meeting(store, 1, ANN)
    with pytest.raises(StoreError, match="started by ann: join it"):
        acts.start_meeting(store, 2, BOB)
