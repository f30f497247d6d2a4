"""What a meeting hears of its own rules: changes of definitions that are not under control, owners by their names."""

from __future__ import annotations

from revscore import company as companies
from revscore.core.calendars import Period, day_number
from revscore.core.view import View
from revscore.rhythm import governance
from revscore.rhythm.answers import answers
from revscore.rhythm.monthly import monthly
from revscore.rhythm.weekly import weekly
from tests.core.builder import extract
from tests.rhythm.test_goals import QUARTER, company, target

FULL = {"metric_id": "winrate.count", "effective_from": "2026-06-01", "rationale": "why", "approved_by": "U1", "dashboards_updated_at": "2026-06-02", "training_at": "2026-06-03"}


def test_changes_of_definitions_stand_with_what_they_lack_the_loose_ones_first() -> None:
    x = extract(definition_changes=[FULL | {"change_id": "C1"}, FULL | {"change_id": "C2", "training_at": "2026-07-05"}, FULL | {"change_id": "C3", "rationale": " ", "approved_by": None},
                                    FULL | {"change_id": "C4", "effective_from": "2026-07-01"}])
    found = governance.definition_changes(x, View())
    assert list(zip(found["change_id"], found["state"], found["lacks"], strict=True)) == [
        ("C2", "not under control", "training"), ("C3", "not under control, not approved", "rationale and approver"), ("C4", "pending", ""), ("C1", "under control", "")]
    assert found["metric"].tolist() == ["Win rate"] * 4
    said = answers(x, monthly(x, View()))["definitions"]
    assert said.text == "2 of 3 changes are not under control; 2 are pending" and said.talk


def test_the_sample_says_which_changes_are_not_under_control(tmp_path) -> None:
    store = companies.open_store(tmp_path / "store.sqlite")
    companies.ensure_sample(store)
    x = companies.coded(store, companies.SAMPLE)
    assert answers(x, monthly(x, View()))["definitions"].text == "2 of 7 changes are not under control; 1 is pending"
    assert "Speed to lead" in set(governance.definition_changes(x, View())["metric"]), "an id that no card answers is words too"


def test_owners_of_actions_are_called_by_their_names() -> None:
    x = extract(decisions=[{"decision_id": "D1", "title": "Call", "meeting": "weekly", "raised_at": "2026-05-01T00:00Z", "status": "open"}],
                actions=[{"action_id": "A1", "decision_id": "D1", "owner_function": "sales, revops", "created_at": "2026-05-01T00:00Z", "due_date": "2026-05-10", "status": "open"}])
    assert governance.from_extract(x, View())["owner_function"].tolist() == ["Sales + RevOps"]


def test_pace_names_the_targets_that_are_missed_beside_those_on_pace() -> None:
    x = company(target("bookings.won.value", 100.0), target("winrate.count", 0.95, "none"), deals=12)
    said = answers(x, weekly(x, View(QUARTER)))["pace"]
    assert said.text.startswith("1 of 2 targets on course; behind: Win rate") and "on pace" in said.text and said.talk


def test_nothing_at_all_is_no_answer_to_the_pace() -> None:
    x = company(deals=4)
    empty = answers(x, weekly(x, View(Period(day_number("2026-02-01"), day_number("2026-05-01"), "FY26Q1"))))["pace"]
    assert "No target" in empty.text and not empty.known
    assert answers(x, weekly(x, View(QUARTER)))["pace"].known
