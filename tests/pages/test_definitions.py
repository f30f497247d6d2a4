"""Definitions: a change is proposed with what it would do, approved once, and stands in the list of versions."""

from __future__ import annotations

from revscore.governance import changes
from revscore.governance.changes import Change
from revscore.people import LOCAL, Actor
from revscore.store import Store
from revscore.ui import session
from tests.pages.test_actions import HOSTILE, mine, seeded  # noqa: F401
from tests.pages.test_pages import said
from tests.people import ANN

STAGE = Change("c1", "pipeline_entry_stage", new="Proposal", metric="pipeline.created", why=HOSTILE)


def there(path) -> tuple[Change, ...]:
    store = Store(path)
    try:
        return changes.changes(store, "company")
    finally:
        store.close()


def test_a_change_is_tried_proposed_and_approved_on_the_page(app, mine):
    test = app(mine, "definitions")
    assert not test.exception and "No change waits for an answer" in said(test) and "nobody has changed a definition yet" in said(test)
    form = next(box for box in test.selectbox if str(box.key).startswith("definition-") and "metric" not in box.key)
    id_ = form.key.removeprefix("definition-")
    form.set_value("pipeline_entry_stage").run()
    test.button(key=f"definition-save-{id_}").click().run()
    assert "lacks a new value, the number that it is made for and the reason" in test.error[0].value
    test.selectbox(key=f"value-pipeline_entry_stage-{id_}").set_value("Proposal").run()
    assert "It would change" in said(test) and "Pipeline created" in said(test)
    test.selectbox(key=f"definition-metric-{id_}").set_value("pipeline.created")
    test.text_area(key=f"definition-why-{id_}").set_value(HOSTILE)
    test.button(key=f"definition-save-{id_}").click().run()
    assert not test.exception and "1 request waits for an answer" in said(test) and "![x]" not in said(test)
    test.button(key=f"approve-{id_}").click().run()
    one, = there(mine)
    assert not test.exception and (one.status, one.terms) == ("approved", 1) and "version 1 holds since" in said(test)
    test.button(key=f"trained-{id_}").click().run()
    assert there(mine)[0].training and "told on" in said(test)


def test_who_may_not_approve_sees_the_request_and_cannot(app, mine, monkeypatch):
    seeded(mine, lambda store: changes.propose(store, "company", STAGE, ANN))
    monkeypatch.setattr(session, "actor", lambda: Actor("vic", frozenset({"viewer"})))
    test = app(mine, "definitions")
    assert not test.exception and all(test.button(key=f"{name}-c1").disabled for name in ("approve", "reject", "withdraw")) and not any("definition-" in str(box.key) for box in test.selectbox)


def test_a_rejected_change_says_why_and_leaves_everything_as_it_was(app, mine):
    seeded(mine, lambda store: changes.propose(store, "company", STAGE, ANN))
    test = app(mine, "definitions")
    test.button(key="reject-c1").click().run()
    assert "Say why it is rejected" in test.error[0].value
    test.text_input(key="answer-c1").set_value("Not in this quarter")
    test.button(key="reject-c1").click().run()
    one, = there(mine)
    assert (one.status, one.settled_by) == ("rejected", LOCAL.name) and "Not in this quarter" in said(test) and "nobody has changed a definition yet" in said(test)
