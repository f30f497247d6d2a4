"""What a meeting hears first: a question without an answer is neither a gap nor a sign that all is well."""

from __future__ import annotations

import pytest

from revscore.core.coded import Coded
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.answers import Answer, answers, whole
from revscore.rhythm.monthly import monthly
from tests.pages.conftest import small_company

GAP, CALM, NONE = Answer("behind", True), Answer("fine"), Answer("Needs targets, which this extract lacks.", known=False)


@pytest.mark.parametrize(("found", "said"), [
    ((GAP, CALM, CALM), "Pace needs the room; the other 2 show no gap and no signal."),
    ((GAP, CALM, NONE), "Pace needs the room; 1 shows no gap and no signal; 1 has no answer."),
    ((GAP, NONE, NONE), "Pace needs the room; 2 have no answer."),
    ((CALM, CALM, CALM), "Nothing needs the room: 3 of 3 questions are answered without a gap or a signal."),
    ((CALM, CALM, NONE), "Nothing needs the room: 2 of 3 questions are answered without a gap or a signal; 1 has no answer."),
    ((NONE, NONE, NONE), "No question has an answer yet.")])
def test_what_has_no_answer_is_counted_apart(found, said):
    assert whole(dict(zip(("pace", "coverage", "bridge"), found, strict=True)), AGENDAS["weekly"]) == said


def test_what_an_extract_lacks_is_no_answer():
    x = Coded(small_company(), Terms())
    found = answers(x, monthly(x, View()))
    assert {id_ for id_, one in found.items() if not one.known} >= {"together", "targets", "retention", "campaigns", "tests", "decisions"}
    assert all(not one.talk for one in found.values() if not one.known) and found["wins"].known
