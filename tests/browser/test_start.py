"""The first start, and a link into an app that nobody has opened yet."""

from __future__ import annotations

from tests.browser.conftest import serve


def test_the_first_start_fills_itself_and_asks_nothing(first):
    assert first.title == "Scorecard"
    assert "1,000 deals · 6,000 leads" in first.effect
    assert 9 <= len(first.numbers) <= 12 and "–" not in first.numbers.values()
    assert first.at("input[type=email], [role=dialog]").count() == 0
    assert "sample company" in first.at("[data-testid=stSidebar]").inner_text()
    first.assert_clean()


def test_the_first_page_ever_opened_may_be_any(screen, own_store):
    with serve(own_store) as address:
        shown = screen(address).open("weekly?segment=SMB")
        assert shown.title == "Weekly review" and "SMB" in shown.effect
        assert shown.page.get_by_role("dialog").count() == 0
