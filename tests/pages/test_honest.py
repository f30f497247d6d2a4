"""What the pages say of change: signal or no change in words, what did not move on one line, win rates and the way between them, targets."""

from __future__ import annotations

import pandas as pd
import pytest

from revscore.core import schema
from revscore.core.data import CrmData
from tests.pages.conftest import AS_OF, _frame, _store, small_company
from tests.pages.test_pages import drawer, said


@pytest.fixture(scope="session")
def steady(tmp_path_factory):
    """Forty weeks of eight decided deals each, two in five won, and of leads that are answered; the last weeks are like the first."""
    path = tmp_path_factory.mktemp("steady") / "store.sqlite"
    deals, history, leads, stages, calls = [], [], [], [], []
    for week in range(40):
        day = pd.Timestamp("2025-09-08T09:00:00Z") + pd.Timedelta(days=7 * week)
        for k in range(8):
            name, won = f"W{week:02}-{k}", (k + week) % 5 < 2
            deals.append({"opp_id": name, "name": f"Deal {name}", "segment": ("SMB", "Enterprise")[k % 2], "region": ("EMEA", "AMER")[k % 3 == 0], "type": "new_business", "owner_id": f"U{k % 3}",
                          "created_at": day - pd.Timedelta(days=40), "currency": "USD"})
            for at, stage in ((day - pd.Timedelta(days=30), "Discovery"), (day, "Closed Won" if won else "Closed Lost")):
                history.append({"event_id": f"{name}-{stage}", "opp_id": name, "changed_at": at, "stage": stage, "amount": 1000.0 + 100 * k, "close_date": day.tz_localize(None).normalize(),
                                "forecast_category": "pipeline"})
            leads.append({"lead_id": f"P{name}", "segment": "SMB", "region": "EMEA", "owner_id": f"U{k % 3}", "created_at": day, "lead_source": "Web", "is_test": False})
            stages += [{"event_id": f"P{name}-{stage}", "lead_id": f"P{name}", "stage": stage, "entered_at": day + pd.Timedelta(hours=step)} for step, stage in enumerate(("inquiry", "mql", "sal"))]
            calls.append({"activity_id": f"A{name}", "person_id": f"P{name}", "occurred_at": day + pd.Timedelta(hours=1, minutes=20 + 10 * (won + k % 3)), "type": "call", "direction": "outbound",
                          "is_automated": False, "user_id": f"U{k % 3}"})
    promise = {"policy_id": "P1", "sla_type": "speed_to_lead", "segment": "", "target": 35.0, "unit": "business_minutes", "clock": "calendar", "effective_from": pd.Timestamp("2025-01-01")}
    tables = {"leads": leads, "lead_stage_history": stages, "opportunities": deals, "opp_history": history, "activities": calls}
    users = small_company().tables["users"]
    policies = schema.conform("sla_policies", pd.DataFrame([promise]))
    _store(path, CrmData({"users": users, "sla_policies": policies, **{name: _frame(name, rows) for name, rows in tables.items()}}, AS_OF))
    return path


def test_the_scorecard_says_no_change_in_words(app, steady):
    test = app(steady, "scorecard", period="2026-05")
    assert not test.exception
    assert said(test).count("No change") >= 4


def test_too_few_weeks_are_said_and_not_called(app, filled):
    test = app(filled, "scorecard", period="2026-05")
    assert "Too few weeks to say" in said(test) and "on course: 0" not in said(test)


def test_a_number_opens_to_its_weeks(app, steady):
    test = app(steady, "wins", period="2026-05")
    test.button(key="open-rates-winrate-closed-in-period-count-rate").click().run()
    assert not test.exception and drawer(test)
    assert any("Week by week" in tab.label for tab in test.tabs)
    assert "the limits of what is usual" in said(test)


def test_what_did_not_move_stands_on_one_line_of_the_weekly_review_and_opens(app, steady):
    test = app(steady, "weekly", period="2026-05")
    assert not test.exception
    assert "No change in" in said(test)
    folded = [button for button in test.button if button.key.startswith("open-speed") and button.label]
    assert folded
    folded[0].click().run()
    assert not test.exception


def test_the_four_win_rates_and_the_way_between_two_open_to_their_deals(app, steady):
    test = app(steady, "wins", period="2026-03")
    assert not test.exception
    assert [metric.label for metric in test.metric][:4] == ["Decided, by count, Mar 2026", "Decided, by value, Mar 2026", "Created, by count, Mar 2026", "Created, by value, Mar 2026"]
    assert "Unexplained\\: 0.00 pp" in said(test)
    test.session_state["drawing-way"] = {"selection": {"pick": [{"id": "other_entry"}]}}
    test.run()
    assert not test.exception
    deals = next(frame.value for frame in test.dataframe if "of_before" in frame.value.columns)
    assert len(deals) and deals["of_before"].eq("1").all() and deals["of_after"].eq("0").all()


def test_the_way_from_a_rate_to_itself_is_none(app, steady):
    test = app(steady, "wins", period="2026-03")
    test.selectbox(key="to").set_value("decided_count").run()
    assert not test.exception and "Choose two different win rates" in said(test)


def test_what_changed_the_rate_says_that_nothing_is_left_over(app, steady):
    test = app(steady, "wins", period="2026-04")
    assert "from the mix of segments" in said(test).replace("\\", "")
    test.segmented_control(key="changed-by").set_value("owner").run()
    assert not test.exception and "from the mix of owners" in said(test).replace("\\", "")


def test_targets_name_their_profile_and_open(app, aimed):
    test = app(aimed, "weekly", period="2026-06")
    shown = next(frame.value for frame in test.dataframe if "profile" in frame.value.columns)
    assert shown["profile"].tolist() == ["linear: every day alike", "compared directly"]
    assert shown["state"].isin(["on pace", "behind", "kept", "missed", "not known", "too few to say", "no pace"]).all()
    early = app(aimed, "weekly", period="2026-05")
    assert "1 of 1 targets on course" in said(early)  # the other two stand on fewer than five deals


def test_the_levers_of_sales_velocity_add_up(app, steady):
    test = app(steady, "velocity", period="2026-05")
    assert not test.exception
    assert "Sales velocity" in said(test) and ("Unexplained\\: \\$0 a day" in said(test) or "no velocity to compare" in said(test))
