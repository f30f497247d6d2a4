"""Every page as a link of its own, on a wall of 1920 × 1080, light and dark."""

from __future__ import annotations

import pytest

from revscore.ui.menu import PAGES

LINKS = {"" if file == "scorecard" else file: title for group in PAGES.values() for file, title, _ in group}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("link", LINKS)
def test_a_page_stands(screen, sample, link, theme):
    shown = screen(sample, theme).open(link)
    assert shown.title == LINKS[link]
    assert shown.at("[data-testid=stException]").count() == 0
    assert shown.page.get_by_role("dialog").count() == 0, "a page that is there needs no message"
    assert shown.wider == []
    red, green, blue = shown.page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor.match(/\\d+/g).map(Number)")
    assert (red + green + blue < 150) == (theme == "dark")


def test_pages_are_reached_and_choices_travel_along(screen, sample):
    shown = screen(sample).open("?segment=SMB")
    effect = shown.effect
    shown.at("[data-testid=stSidebarNav]").get_by_role("link", name="Funnel").click()
    shown.at("h1").get_by_text("Funnel").wait_for()
    shown.settle()
    assert shown.effect == effect and "segment=SMB" in shown.page.url
