"""The quick form of `rights`: all services with every set of roles, the pages by their source, one page run as a viewer; and the control."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import streamlit as st

from revscore.people import EVERY_ROLE, LOCAL, MATRIX, NOBODY, Actor, NotAllowed
from tests.pages.conftest import filled  # noqa: F401
from tests.reliability import rights


def test_every_service_that_writes_is_told_who_acts_and_has_its_right():
    assert rights.writers() - set(rights.WITHOUT) == set(rights.services()) == set(rights.RIGHTS)
    assert {action for actions in rights.RIGHTS.values() for action in actions} | {"see", "backup"} == set(MATRIX)


def test_services_refuse_and_allow_as_the_table_says():
    pairs, wrong = rights.walk()
    assert pairs >= 1400 and wrong == []


def test_without_the_check_of_the_table_the_walk_fails():
    with patch.object(Actor, "may", lambda self, action: True):
        assert len(rights.walk()[1]) > 300


def test_pages_write_through_services_only_and_know_their_rights():
    assert rights.direct() == [] and rights.ungated() == []


def test_a_viewer_finds_what_writes_disabled(filled, monkeypatch):
    st.cache_resource.clear()
    monkeypatch.setenv("REVSCORE_DB", str(filled))
    for page, least in (("actions", 1), ("decisions", 1), ("weekly", 2)):
        viewer, editor = rights.controls("viewer", page), rights.controls("editor", page)
        assert len(viewer) >= least and not any(usable for _, usable, _ in viewer), page
        assert any(usable for _, usable, _ in editor) and not [key for key, usable, right in editor if usable and not right], page
    st.cache_resource.clear()


def test_a_refusal_says_who_may_and_whom_to_ask():
    with pytest.raises(NotAllowed, match="^You may not publish numbers: that takes the role RevOps or Approver; ask an admin for it.$"):
        Actor("ann", frozenset({"editor"})).demand("action.raise", "publish")
    assert LOCAL.roles == EVERY_ROLE and all(LOCAL.may(action) and not NOBODY.may(action) for action in MATRIX)
