"""The backlog: from an idea over its score and decision to what is published as next, and why."""

from __future__ import annotations

from pathlib import Path

from revscore.rhythm import backlog
from revscore.rhythm.backlog import Idea
from revscore.store import Store
from tests.pages.test_actions import HOSTILE, mine, seeded, standing, success  # noqa: F401
from tests.pages.test_pages import said
from tests.people import ADA


def ideas(path: Path) -> tuple[Idea, ...]:
    store = Store(path)
    try:
        return backlog.ideas(store, "company")
    finally:
        store.close()


def whole(path: Path, id_: str = "i1", effort: float = 8.0) -> Idea:
    return Idea(id_, "Second SDR", "Leads of the morning wait", success(path, "2026-07-30").number, 0.5, 0.1, 0.5, effort)


def test_an_empty_backlog_says_what_an_idea_needs(app, mine):
    test = app(mine, "backlog")
    assert not test.exception and "The backlog is empty" in said(test) and "person-days" in said(test)


def test_an_idea_is_proposed_with_its_score_in_words(app, standing, mine):
    test = standing(mine, "backlog._intake.__wrapped__(now)")
    test.button(key="idea-save").click().run()
    assert "An idea needs a title" in test.error[0].value and ideas(mine) == ()
    test.text_input(key="idea-title").set_value(HOSTILE)
    test.text_area(key="idea-problem").set_value("Leads wait")
    test.selectbox(key="idea-number").set_value(0).run()
    test.selectbox(key="idea-confidence").set_value(0.5)
    test.number_input(key="idea-effort").set_value(8.0).run()
    assert "50 % sure, 8 person-days\\: score" in said(test)
    test.button(key="idea-save").click().run()
    assert not test.exception
    one, = ideas(mine)
    assert one.title == HOSTILE and one.score == one.score and one.lacks == ()
    page = app(mine, "backlog")
    assert "1 waits for a decision" in said(page) and "![x]" not in said(page)


def test_an_idea_is_accepted_with_a_reason_published_and_carried_out(app, standing, mine):
    seeded(mine, lambda store: backlog.propose(store, "company", whole(mine), ADA))
    test = standing(mine, "backlog._drawer.__wrapped__(now, 'i1')")
    test.segmented_control(key="idea-do-i1").set_value("accept").run()
    test.button(key="idea-save-i1").click().run()
    assert "Say why the idea is accepted" in test.error[0].value
    test.text_input(key="idea-why-i1-accept").set_value("The biggest leak")
    test.button(key="idea-save-i1").click().run()
    assert not test.exception and ideas(mine)[0].status == "accepted"
    test = app(mine, "backlog")
    assert "Next\\: Second SDR" in said(test) and "not been published yet" in said(test)
    test.button(key="publish-order").click().run()
    assert "Published on" in said(test) and "The biggest leak" in said(test)
    test = standing(mine, "backlog._drawer.__wrapped__(now, 'i1')")
    test.segmented_control(key="idea-do-i1").set_value("act").run()
    test.selectbox(key="capture-owner").set_value("Bo Chen")
    test.selectbox(key="capture-function").set_value("sales")
    test.button(key="capture-save").click().run()
    assert not test.exception
    assert "1 is being done" in said(app(mine, "backlog"))


def test_an_idea_without_an_estimate_says_what_it_lacks(app, mine):
    seeded(mine, lambda store: backlog.propose(store, "company", Idea("i2", "Better names", "Nobody finds them"), ADA))
    test = app(mine, "backlog")
    assert not test.exception and "Lacks the number that it is to move" in said(test)
