"""The page of targets: what is promised, whether the parts add up, a target set, changed, taken over from a workbook, withdrawn."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from revscore.core.calendars import date_of
from revscore.rhythm import target_setting as setting
from revscore.rhythm.log import TARGET
from revscore.store import Store


@pytest.fixture
def own(aimed: Path, tmp_path: Path) -> Path:
    """A company with targets in a store of its own, to write to."""
    return Path(shutil.copy(aimed, tmp_path / "store.sqlite"))


def entries(path: Path) -> list[tuple[str, dict]]:
    store = Store(path)
    found = [(one.verb, dict(one.fields)) for one in store.entries("company", TARGET)]
    store.close()
    return found


def press(page, label: str):
    return next(one for one in page.button if one.label == label).click().run()


def answer(page) -> str:
    return next(one.value for one in page.markdown if "targets are set" in one.value or "target is set" in one.value or "promised yet" in one.value)


def table(page, column: str):
    return next(one.value for one in page.dataframe if column in one.value.columns)


def test_the_answer_stands_first_and_names_what_is_behind(app, own):
    page = app(own, "targets")
    assert not page.exception and answer(page).startswith("2 targets are set for Jun 2026") and "No target is split into parts." in answer(page)
    assert table(page, "set_by")["segment"].tolist() == ["Whole company"] * 2 and table(page, "set_by")["set_by"].tolist() == ["the extract"] * 2


def test_without_targets_the_page_says_how_to_begin(app, filled):
    page = app(filled, "targets")
    assert not page.exception and answer(page) == "Nothing has been promised yet." and any("Set the first target below" in one.value for one in page.markdown)
    assert any(one.label == "Set the target" for one in page.button)


def test_a_target_set_here_is_in_the_table_in_the_log_and_on_the_scorecard(app, own):
    page = app(own, "targets")
    page.selectbox(key="target-metric").set_value("funnel.entries.mql").run()
    key = "new-funnel.entries.mql"
    page.multiselect(key=f"owner-{key}").set_value(["marketing"])
    page.number_input(key=f"value-{key}").set_value(4000)
    assert page.selectbox(key=f"period-{key}").options[0] == "FY27 Q2 (1 May – 31 Jul 2026)"
    page = press(page, "Set the target")
    assert not page.exception and not page.error
    verb, fields = entries(own)[0]
    assert (verb, fields["metric_id"], fields["owner"], fields["value"], fields["pacing"]) == ("set", "funnel.entries.mql", "marketing", 4000.0, "business_day")
    page.switch_page("pages/scorecard.py").run()
    assert any("due" in str(one.delta) for one in page.metric if one.label == "MQLs")


def test_a_change_keeps_what_was_and_a_wrong_direction_is_asked_for(app, own):
    page = app(own, "targets")
    which = next(one for one in page.selectbox if one.label == "Which target?")
    bookings = next(option for option in which.options if option.startswith("Bookings"))
    page = which.select(bookings).run()
    record = next(one for one in page.selectbox if one.label == "Which target?").value
    page.number_input(key=f"value-{record}-0").set_value(80_000)
    page.selectbox(key=f"direction-{record}-0").set_value("down")
    page = press(page, "Change the target")
    assert entries(own) == [] and any("better higher, but this target is “at most”" in one.value for one in page.warning)
    page = press(page, "No")
    page.number_input(key=f"value-{record}-0").set_value(80_000)
    page.selectbox(key=f"direction-{record}-0").set_value("up")
    page.text_input(key=f"why-{record}-0").set_value("new plan")
    page = press(page, "Change the target")
    assert [(verb, one["value"], date_of(one["valid_from"]).isoformat()) for verb, one in entries(own)] == [("set", 80_000.0, "2026-06-15")]
    assert table(page, "said")["said"].tolist() == ["from the extract", "set"] and "local, 15 Jun 2026" in table(page, "set_by")["set_by"].tolist()
    page.text_input(key=f"withdraw-why-{record}-1").set_value("board says no")
    page = press(page, "Withdraw")
    assert [verb for verb, _ in entries(own)] == ["set", "withdrawn"] and table(page, "set_by")["set_by"].tolist() == ["the extract"] * 2


def test_what_cannot_be_is_said_and_nothing_is_written(app, own):
    page = press(app(own, "targets"), "Set the target")
    assert any("The value is no number" in one.value and "which function owns it" in one.value for one in page.error) and entries(own) == []


def test_a_workbook_is_shown_first_and_taken_over_as_a_whole(app, own):
    page = app(own, "targets")
    page.get("file_uploader")[0].upload("plan.csv", b"Metric,Segment,Owner,Period,Value\nBookings,,Sales,FY27 Q3,90000\nBookings,SMB,Sales,FY27 Q3,40000\nBookings,Enterprise,Sales,FY27 Q3,45000\n", "text/csv").run()
    assert not page.exception and len(table(page, "was")) == 3 and entries(own) == []
    page = press(page, "Take over 3 targets")
    assert [one["value"] for _, one in entries(own)] == [90000.0, 40000.0, 45000.0]
    store = Store(own)
    assert len(setting.aims(store.entries("company", TARGET))) == 3
    store.close()


def test_a_workbook_with_a_fault_changes_nothing(app, own):
    page = app(own, "targets")
    page.get("file_uploader")[0].upload("plan.csv", b"Metric,Segment,Owner,Period,Value\nBookings,,Sales,FY27 Q3,90000\nBookings,Moon,Sales,FY27 Q3,lots\n", "text/csv").run()
    assert any("Nothing is taken over" in one.value for one in page.error) and table(page, "sentence")["row"].tolist() == [3] and not any(one.label.startswith("Take over") for one in page.button)
