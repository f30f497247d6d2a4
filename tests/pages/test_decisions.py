"""Decisions: questions wait with their clock, are decided once, and stay in a log that can be searched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from revscore.rhythm import decisions
from revscore.rhythm.decisions import Decision
from revscore.store import Store
from tests.pages.test_actions import HOSTILE, mine, seeded, standing  # noqa: F401
from tests.pages.test_pages import said
from tests.people import ADA, BOB, EVE


DECIDE = """from revscore.rhythm.scorecard import scorecard
from revscore.ui import capture
capture._decision.__wrapped__(now, None, "", tuple(tile.line for tile in now.ask(scorecard).tiles), False, "{}")"""


def there(path: Path) -> tuple[Decision, ...]:
    store = Store(path)
    try:
        return decisions.decisions(store, "company")
    finally:
        store.close()


def test_without_a_decision_the_page_says_what_will_stand_there(app, mine):
    test = app(mine, "decisions")
    assert not test.exception and "Nothing has been decided here yet" in said(test) and "entries are only ever added" in said(test)


def test_a_question_is_raised_once_waits_and_is_decided(app, standing, mine):
    test = app(mine, "decisions")
    save = next(button for button in test.button if str(button.key).startswith("question-save-"))
    id_ = save.key.removeprefix("question-save-")
    save.click().run()
    assert "Say what is to be decided" in test.error[0].value and there(mine) == ()
    test.text_input(key=f"question-{id_}").set_value(HOSTILE)
    test.button(key=f"question-save-{id_}").click().run()
    assert not test.exception and [one.id for one in there(mine)] == [id_]
    assert "1 question waits for a decision" in said(test) and "![x]" not in said(test)
    test = standing(mine, DECIDE.format(id_))
    test.button(key="decision-save").click().run()
    assert "Say what was decided" in test.error[0].value
    test.text_area(key="decision-text").set_value("Yes, for one quarter")
    test.button(key="decision-save").click().run()
    assert not test.exception
    one, = there(mine)
    assert (one.status, one.text) == ("decided", "Yes, for one quarter") and one.receipt["receipts"] and one.receipt["as_of"]


def test_the_log_is_searched_and_a_decision_opens_to_its_receipt(app, standing, mine):
    seeded(mine, *(lambda store, k=k, title=title, text=text: decisions.decide(store, "company", Decision(f"d{k}", title, text, kind="weekly", receipt={"as_of": "2026-06-15", "loads": [1], "definitions": 1}), ADA)
                   for k, (title, text) in enumerate((("Fund the webinar?", "Yes"), ("Move the stage?", "No")))),
           lambda store: decisions.decide(store, "company", Decision("d9", "On pace?", "EMEA is missing", "none", "monthly"), BOB))
    test = app(mine, "decisions")
    text = said(test)
    assert all(word in text for word in ("Fund the webinar?", "Move the stage?", "EMEA is missing", "2 decided so far, 1 looked at without a decision"))
    test.text_input(key="find").set_value("WEBINAR yes").run()
    assert "Fund the webinar?" in said(test)
    assert "Move the stage?" not in said(test)
    test.text_input(key="find").set_value("nowhere").run()
    assert "Nothing in the log matches" in said(test)
    test = standing(mine, "decisions._drawer.__wrapped__(now, 'd0')")
    assert not test.exception and "It was made on" in said(test) and "load 1" in said(test)


def test_a_question_is_withdrawn_with_a_reason(standing, mine):
    seeded(mine, lambda store: decisions.raise_decision(store, "company", Decision("q1", "Do we?"), ADA))
    test = standing(mine, "decisions._withdraw.__wrapped__(now, 'q1', 1)")
    test.button(key="withdraw-save").click().run()
    assert "Say why it is withdrawn" in test.error[0].value
    test.text_input(key="withdraw-why").set_value("Settled elsewhere")
    test.button(key="withdraw-save").click().run()
    assert not test.exception and there(mine)[0].status == "withdrawn"


def test_a_question_that_another_has_decided_meanwhile_says_so(standing, mine):
    seeded(mine, lambda store: decisions.raise_decision(store, "company", Decision("q1", "Do we?"), ADA))
    test = standing(mine, DECIDE.format("q1"))
    seeded(mine, lambda store: decisions.decide(store, "company", replace(decisions.decisions(store, "company")[0], text="Yes"), EVE))
    test.text_area(key="decision-text").set_value("No")
    test.button(key="decision-save").click().run()
    assert not test.exception and "open no longer" in said(test) and there(mine)[0].text == "Yes"
