"""Every page: with data, without, with a filter that empties it; numbers open to their rows; data is never Markdown."""

from __future__ import annotations

import pytest
from streamlit.proto.Metric_pb2 import Metric

from revscore.ui.frame import WITHOUT_FILTERS
from revscore.ui.menu import PAGES

NAMES = [(file, title) for entries in PAGES.values() for file, title, _ in entries]
READING = [(file, title) for file, title in NAMES if title not in WITHOUT_FILTERS]


def said(test) -> str:
    return "\n".join([*(m.value for m in test.markdown), *(c.value for c in test.caption), *(t.value for t in test.title)])


@pytest.mark.parametrize(("file", "title"), NAMES)
def test_a_page_with_data(app, filled, file, title):
    test = app(filled, file)
    assert not test.exception
    assert [t.value for t in test.title] == [title]


@pytest.mark.parametrize(("file", "title"), NAMES)
def test_a_page_without_data(app, bare, file, title):
    test = app(bare, file)
    assert not test.exception
    assert [t.value for t in test.title] == [title]


@pytest.mark.parametrize(("file", "title"), READING)
def test_a_page_that_filters_empty_says_which_and_clears_them(app, filled, file, title):
    test = app(filled, file, owner="Bo Chen", region="AMER")
    assert not test.exception
    assert "Nothing is left under these filters" in said(test)
    assert "region AMER and owner Bo Chen together" in said(test) or "owner Bo Chen and region AMER together" in said(test)
    test.button(key="clear-emptied").click().run()
    assert not test.exception
    assert "Nothing is left" not in said(test)


@pytest.mark.parametrize(("file", "title"), READING)
def test_a_period_without_records(app, filled, file, title):
    test = app(filled, file, period="2019-05")
    assert not test.exception


def test_a_filter_changes_numbers_and_a_link_gives_the_same(app, filled):
    all_of_it = app(filled, "pipeline", period="All time")
    part = app(filled, "pipeline", period="All time", segment="SMB")
    again = app(filled, "pipeline", period="All time", segment="SMB")
    values = [[m.value for m in test.metric] for test in (all_of_it, part, again)]
    assert values[0] != values[1] and values[1] == values[2]
    assert "SMB (1 of 2 segments)" in said(part)


def test_a_click_on_a_filter_gives_what_the_link_gives(app, filled):
    linked = app(filled, "pipeline", period="All time", segment="SMB")
    clicked = app(filled, "pipeline", period="All time")
    clicked.multiselect(key="segment").set_value(["SMB"]).run()
    assert [m.value for m in clicked.metric] == [m.value for m in linked.metric]


def test_words_that_the_data_do_not_know_are_named(app, filled):
    test = app(filled, "scorecard", segment=["SMB", "Nope"], period="someday")
    assert not test.exception
    assert any("“Nope” is not in this extract" in w.value for w in test.warning)
    assert any("is no period" in w.value for w in test.warning)


def test_a_number_opens_to_its_rows(app, filled):
    test = app(filled, "pipeline", period="All time")
    test.button(key="open-summary-bookings-won-value-value").click().run()
    assert not test.exception
    counted = next(frame.value for frame in test.dataframe if "contribution" in frame.value.columns)
    assert f"${counted['contribution'].sum() / 1000:.1f}k" in [m.value.replace("\\", "") for m in test.metric]


def test_names_from_data_are_escaped_on_markdown_surfaces(app, filled):
    test = app(filled, "scorecard", owner="Ada *Bold* Nayfield")
    assert not test.exception
    assert "![deal]" not in said(test)
    assert "Ada *Bold*" not in said(test)


def test_missing_columns_cost_only_the_numbers_that_need_them(app, filled):
    test = app(filled, "campaigns")
    assert not test.exception
    assert "which this extract lacks" in said(test)


def test_a_weekly_review_without_targets_leads_with_what_can_be_had(app, filled):
    test = app(filled, "weekly", period="2026-05")
    assert not test.exception
    assert [metric.label for metric in test.metric][:4] == ["Pipeline created", "Bookings", "Win rate", "Open deals"]
    assert "No target for" in said(test) and "bookings \\$" in said(test)


def test_a_tile_that_is_on_or_off_course_has_the_tone_of_its_badge(app, aimed):
    called = []
    for period in ("2026-04", "2026-05"):
        test = app(aimed, "scorecard", period=period)
        badges = [one.value for one in test.markdown if "-badge[" in one.value]
        called += [(badge, metric.proto.color) for badge, metric in zip(badges, test.metric, strict=True) if "course" in badge]
    assert {colour for _, colour in called} == {Metric.GREEN, Metric.RED} and all(colour == (Metric.GREEN if "on course" in badge else Metric.RED) for badge, colour in called)


def test_the_bridge_shows_that_it_balances(app, filled):
    assert "Unexplained\\: \\$0.00." in said(app(filled, "pipeline", period="2026-05"))


def drawer(test) -> list:
    """The counted rows of the drawer that is open; none when it is closed."""
    return [frame.value for frame in test.dataframe if "contribution" in frame.value.columns]


def test_a_leg_of_the_bridge_opens_to_its_deals_once(app, filled):
    test = app(filled, "pipeline", period="2026-02-01..2026-06-30")
    test.session_state["drawing-bridge"] = {"selection": {"pick": [{"id": "won"}]}}
    test.run()
    assert not test.exception
    won = drawer(test)[0]
    assert len(won) and won["stage"].eq("Closed Won").all()
    assert f"n = {len(won)}" in said(test).replace("\\", "")
    test.segmented_control(key="grain").set_value("quarter").run()
    assert not test.exception and not drawer(test)


def test_a_cell_of_the_heat_map_opens_to_its_cohort(app, filled):
    test = app(filled, "funnel", period="All time")
    test.session_state["drawing-heat"] = {"selection": {"pick": [{"cohort": "2026-03", "column": "Inquiry → MQL"}]}}
    test.run()
    assert not test.exception
    assert "Inquiry → MQL, Mar 2026" in said(test) or any("Mar 2026" in m.label.replace("\\", "") for m in test.metric)
    number = next(m for m in test.metric if "Mar 2026" in m.label.replace("\\", ""))
    counted = drawer(test)[0]
    assert number.value and counted["created_at"].dt.strftime("%Y-%m").eq("2026-03").all()


def test_an_earlier_load_stays_readable_as_of_its_day(app, twice):
    latest, earlier = app(twice, "pipeline", period="All time"), app(twice, "pipeline", period="All time", as_of="2026-05-15")
    assert not latest.exception and not earlier.exception
    assert "not the latest" not in said(latest) and "As of **15 May 2026**, not the latest" in said(earlier)
    assert "data as of 15 May 2026" in said(earlier)
    assert [m.value for m in latest.metric] != [m.value for m in earlier.metric]
    latest.selectbox(key="as_of").set_value("2026-05-15").run()
    assert [m.value for m in latest.metric] == [m.value for m in earlier.metric]
    earlier.button(key="as-of-latest").click().run()
    assert not earlier.exception and "not the latest" not in said(earlier)


def test_as_of_is_offered_only_where_there_is_a_choice_and_refuses_what_it_cannot_show(app, filled, twice):
    assert not any(box.key == "as_of" for box in app(filled, "scorecard").selectbox)
    for word in ("someday", "2031-01-01"):
        test = app(twice, "scorecard", as_of=word)
        assert not test.exception and "not the latest" not in said(test)
        assert any(word in w.value.replace("\\", "") for w in test.warning), word
