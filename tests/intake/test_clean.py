"""The gate on extracts of every system: tables, words, money, doubles, questions, the balance of rows."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from revscore.core.terms import Terms
from revscore.intake import Intake, Source, load_folder, prepare
from tests.extracts import DEALS
from tests.intake.extracts import (
    DYNAMICS, DYNAMICS_GOALS, HUBSPOT_CONTACTS, HUBSPOT_DEALS, LEADS_EU, LEADS_ISO, LEADS_OPEN, LEADS_US, PIPEDRIVE_DEALS, PIPEDRIVE_LOG,
    SALESFORCE_FIELD_HISTORY, SALESFORCE_LEAD_HISTORY, SALESFORCE_LEADS, SALESFORCE_MEMBERS, SALESFORCE_OPPORTUNITIES, SALESFORCE_REPORT,
    SALESFORCE_TASKS, ZOHO_DEALS, load,
)


def by_id(intake: Intake, table: str) -> pd.DataFrame:
    frame = intake.data.tables[table]
    return frame.set_index(frame.columns[0])


def states(intake: Intake, opp: str) -> list[tuple[str, str]]:
    events = intake.data.tables["opp_history"]
    mine = events[events["opp_id"] == opp].sort_values("changed_at")
    return list(zip(mine["stage"], mine["changed_at"].dt.strftime("%Y-%m-%d"), strict=True))


def codes(intake: Intake) -> dict[str, int]:
    return intake.ledger.findings["code"].value_counts().to_dict()


@pytest.mark.parametrize("files", [
    (HUBSPOT_DEALS, HUBSPOT_CONTACTS), (PIPEDRIVE_DEALS, PIPEDRIVE_LOG), (ZOHO_DEALS,), (DYNAMICS, DYNAMICS_GOALS), (SALESFORCE_REPORT,),
    (LEADS_ISO, LEADS_US, LEADS_EU), (SALESFORCE_LEADS, SALESFORCE_LEAD_HISTORY, SALESFORCE_OPPORTUNITIES, SALESFORCE_MEMBERS, SALESFORCE_TASKS)])
def test_every_row_is_accounted_for_and_the_terms_fit(files: tuple[tuple[str, str], ...]) -> None:
    intake = load(*files)
    lines = intake.ledger.sheets
    assert (lines["read"] == lines["kept"] + lines["quarantined"]).all()
    assert intake.ledger.read == sum(text.strip().count("\n") for _, text in files)
    terms = Terms.from_config(intake.terms_hints)
    if "opp_history" in intake.data.tables:
        assert set(intake.data.tables["opp_history"]["stage"]) <= set(terms.opp_stages)
    assert not intake.blocking


def test_hubspot_stage_columns_are_a_history() -> None:
    intake = load(HUBSPOT_DEALS, tz="Europe/Berlin")
    assert states(intake, "9001") == [("Appointment Scheduled", "2026-01-05"), ("Qualified To Buy", "2026-01-20"), ("Contract Sent", "2026-03-01"), ("Closed Won", "2026-03-20")]
    assert states(intake, "9003")[-1] == ("Closed Lost", "2026-02-15")
    assert "opp_history" not in intake.data.derived
    assert intake.terms_hints["opp_open_stages"] == ["Appointment Scheduled", "Qualified To Buy", "Contract Sent"]
    assert intake.data.tables["fx_rates"][["currency", "rate_to_corp"]].values.tolist() == [["EUR", 1.1]]
    assert intake.terms_hints["corporate_currency"] == "USD"
    assert by_id(intake, "opportunities").loc["9002", "type"] == "expansion"
    assert len(intake.data.tables["opp_contact_roles"]) == 3


def test_hubspot_contacts_are_leads_with_lifecycle_stamps() -> None:
    intake = load(HUBSPOT_CONTACTS, HUBSPOT_DEALS)
    lead = by_id(intake, "leads").loc["51"]
    assert (lead["converted_opportunity_id"], str(lead["converted_at"])) == ("9001", "2026-01-05 09:00:00+00:00")
    events = intake.data.tables["lead_stage_history"]
    assert events[events["lead_id"] == "51"]["stage"].tolist() == ["inquiry", "mql", "sql"]
    assert events[events["lead_id"] == "54"]["stage"].tolist() == ["inquiry", "disqualified"]
    assert set(intake.data.tables["contacts"]["contact_id"]) == {"51", "54"}


def test_pipedrive_change_log_gives_full_states() -> None:
    intake = load(PIPEDRIVE_DEALS, PIPEDRIVE_LOG)
    assert states(intake, "1") == [("Lead In", "2026-01-02"), ("Demo Scheduled", "2026-01-15"), ("Proposal Made", "2026-02-01"), ("Proposal Made", "2026-02-02"),
                                   ("Closed Won", "2026-02-20")]
    events = intake.data.tables["opp_history"]
    assert events[events["opp_id"] == "1"]["amount"].tolist() == [10000, 10000, 10000, 12000, 12000]
    assert events[events["opp_id"] == "3"]["close_date"].astype(str).tolist() == ["2026-03-15", "2026-04-15"]
    assert states(intake, "2")[-1] == ("Closed Lost", "2026-02-01")
    assert "opp_history" not in intake.data.derived


def test_zoho_with_european_money_and_dates() -> None:
    intake = load(ZOHO_DEALS, tz="Europe/Berlin")
    opps, events = by_id(intake, "opportunities"), intake.data.tables["opp_history"].drop_duplicates("opp_id").set_index("opp_id")
    assert events["amount"].to_dict() == {"zcrm_1": 1234.56, "zcrm_2": 12000, "zcrm_3": 500.5}
    assert intake.ledger.to_mend[["row", "code"]].values.tolist() == [[5, "R_NEGATIVE"]]
    assert set(opps["currency"]) == {"EUR"} and intake.terms_hints["corporate_currency"] == "EUR"
    assert str(opps.loc["zcrm_1", "created_at"]) == "2026-01-05 08:30:00+00:00"
    assert str(events.loc["zcrm_2", "close_date"].date()) == "2026-05-15"
    assert intake.terms_hints["opp_lost_stage"] == "Closed-Lost to Competition"
    assert "opp_history" in intake.data.derived


def test_dynamics_status_decides_the_outcome_and_goals_become_targets() -> None:
    intake = load(DYNAMICS, DYNAMICS_GOALS, tz="America/New_York")
    assert states(intake, "a1-01")[-1] == ("Closed Won", "2026-03-30")
    assert intake.terms_hints["opp_open_stages"] == ["1-Qualify", "2-Develop", "3-Propose"]
    assert by_id(intake, "opportunities").loc["a1-02", "loss_reason"] == "Out-Sold"
    assert intake.data.tables["opp_history"].set_index("opp_id").loc["a1-01", "amount"].tolist() == [11000, 11000]
    target = intake.data.tables["targets"].iloc[0]
    assert (target["metric_id"], target["value"], str(target["period_end"].date())) == ("bookings.won.value", 150000, "2026-03-31")


def test_salesforce_report_words_doubles_and_faults() -> None:
    intake = load(SALESFORCE_REPORT)
    assert intake.terms_hints["opp_won_stage"] == "Payment Done" and intake.terms_hints["opp_lost_stage"] == "Loss"
    assert "Close plan review" in intake.terms_hints["opp_open_stages"]
    assert codes(intake)["R_DUPLICATE"] == 1 and codes(intake)["R_AMOUNT"] == 1
    assert (intake.ledger.kept, intake.ledger.quarantined) == (3, 2)
    assert intake.data.tables["opportunities"]["opp_id"].str.len().eq(18).all()
    assert len(intake.data.tables["accounts"]) == 3


def test_salesforce_field_history_is_laid_side_by_side() -> None:
    intake = load(SALESFORCE_REPORT, SALESFORCE_FIELD_HISTORY)
    events = intake.data.tables["opp_history"]
    mine = events[events["opp_id"] == "0061x00000AbCdEAAV"]
    assert mine["stage"].tolist() == ["Prospecting", "Close plan review", "Close plan review", "Payment Done"]
    assert mine["amount"].tolist() == [1000, 1000, 1500, 1500]
    assert mine["close_date"].astype(str).tolist() == ["2026-04-30"] * 3 + ["2026-03-31"]


def test_salesforce_leads_history_conversion_and_touches() -> None:
    intake = load(SALESFORCE_LEADS, SALESFORCE_LEAD_HISTORY, SALESFORCE_OPPORTUNITIES, SALESFORCE_MEMBERS, SALESFORCE_TASKS)
    leads = by_id(intake, "leads")
    assert str(leads.loc["00Q1x00000AbCd1EAF", "converted_at"]) == "2026-01-15 11:30:00+00:00"          # the opportunity's time of that day
    assert leads["owner_type"].tolist() == ["user", "queue"]
    events = intake.data.tables["lead_stage_history"]
    assert events["stage"].tolist() == ["inquiry", "mql", "sql", "inquiry", "mql", "recycled"]
    assert "lead_stage_history" not in intake.data.derived
    touches = by_id(intake, "touches")
    assert touches["is_response"].tolist() == [True, False] and str(touches.loc["m1", "occurred_at"]) == "2026-01-10 10:15:00+00:00"
    tasks = by_id(intake, "activities")
    assert tasks.loc["t1", ["type", "direction"]].tolist() == ["call", "outbound"]
    assert tasks.loc["t2", "status"] == "planned" and pd.isna(tasks.loc["t2", "direction"])
    assert codes(intake)["R_DELETED"] == 1 and len(intake.data.tables["opportunities"]) == 1


def test_lead_files_in_three_date_formats() -> None:
    intake = load(LEADS_ISO, LEADS_US, LEADS_EU, tz="Europe/Berlin")
    leads = by_id(intake, "leads")
    assert leads["created_at"].dt.tz_convert("Europe/Berlin").dt.strftime("%Y-%m-%d %H:%M").to_dict() == {
        "L1": "2026-01-05 00:00", "L2": "2026-01-07 00:00", "U1": "2026-02-03 09:05", "U2": "2026-03-01 08:00", "E1": "2026-02-03 09:05", "E2": "2026-03-01 08:00"}
    asked = {q.key: q.default for q in intake.questions}
    assert asked == {"date_order:leads-us.csv:Created Date": "mdy", "fiscal_start_month": "1"}                                       # another column of the file decides
    reasons = intake.data.tables["lead_stage_history"].set_index("event_id")["reason"].dropna()
    assert reasons.to_dict() == {"L2:03": "No budget"}


def test_a_date_order_that_nothing_decides_waits_for_an_answer() -> None:
    asked = load(LEADS_OPEN)
    assert [q.key for q in asked.blocking] == ["date_order:leads-open.csv:Created Date"]
    told = load(LEADS_OPEN, answers={"date_order:leads-open.csv:Created Date": "dmy"})
    assert [q.key for q in told.questions] == ["fiscal_start_month"]
    assert by_id(told, "leads")["created_at"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-02", "2026-06-05"]
    assert told.data.tables["lead_stage_history"]["entered_at"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-02", "2026-04-02", "2026-06-05"]


def test_tables_joined_by_name() -> None:
    intake = load(
        ("deals.csv", """
         opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
         D1,Ann,GTXPro,Acme,Won,2026-01-05,2026-02-01,100
         D2,Ann,GTX Pro,Acme,Lost,2026-01-06,2026-02-02,0
         D3,Bob,MG,,Engaging,2026-01-20,,
         D4,Bob,MG,Beta,Prospecting,,,
         """),
        ("accounts.csv", "account,sector,office_location\nAcme,technolgy,Kenya\nBeta,retail,Peru\n"),
        ("teams.csv", "sales_agent,manager,regional_office\nAnn,Mia,East\nBob,Mia,West\n"),
        ("products.csv", "product,series,sales_price\nGTX Pro,GTX,10\nMG,MG,1\n"))
    opps = by_id(intake, "opportunities")
    assert opps["region"].tolist() == ["East", "East", "West", "West"]
    assert opps["segment"].tolist()[:2] == ["technology", "technology"] and opps.loc["D4", "segment"] == "retail"
    assert opps.loc["D1", "name"] == "Acme · GTX Pro"
    users = by_id(intake, "users")
    assert users.loc["Ann", "manager_id"] == "Mia" and set(users["function"]) == {"sales"} and len(users) == 3
    assert codes(intake) == {"M_SPELLING": 2, "M_CREATED": 1}
    assert opps["created_at"].notna().all() and intake.ledger.quarantined == 0
    assert states(intake, "D1") == [("Engaging", "2026-01-05"), ("Won", "2026-02-01")]
    assert intake.terms_hints["pipeline_entry_stage"] == "Engaging"
    assert str(intake.data.as_of) == "2026-02-02 23:59:59+00:00"


def test_conflicts_missing_ids_and_the_same_sheet_twice() -> None:
    header = "Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date\n"
    one = ("one.csv", header + "1,A,Demo,5,2026-03-01,2026-01-01\n1,A,Demo,6,2026-03-01,2026-01-01\n,B,Demo,5,2026-03-01,2026-01-01\n3,C,Demo,7,2026-13-01,2026-01-01\n")
    intake = load(one, ("two.csv", header + "1,A,Demo,5,2026-03-01,2026-01-01\n"))
    assert codes(intake) == {"R_CONFLICT": 1, "R_NO_ID": 1, "R_DATE": 1, "N_NOT_USED": 1}
    held = intake.ledger.findings.query("action == 'quarantined'")
    assert held["row"].tolist() == [3, 4, 5] and held.iloc[2][["column", "text"]].tolist() == ["Close Date", "2026-13-01"]
    assert intake.ledger.sheets["table"].tolist()[1] == "(not used)"


def test_snapshots_are_states_at_their_time() -> None:
    intake = load(("snapshots.csv", """
        Snapshot Date,Opportunity ID,Stage,Amount,Close Date
        2026-01-05,1,Demo,100,2026-03-01
        2026-01-12,1,Demo,100,2026-03-01
        2026-01-19,1,Proposal,120,2026-04-01
        """))
    assert states(intake, "1") == [("Demo", "2026-01-05"), ("Proposal", "2026-01-19")]
    assert "snapshot" in intake.data.derived["opp_history.changed_at"] and intake.ledger.kept == 3


def test_unknown_words_are_asked_and_answers_kept() -> None:
    header = "Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date\n"
    file = ("deals.csv", header + "1,A,Zebra,5,2026-03-01,2026-01-01\n2,B,Demo,5,2026-03-01,2026-01-02\n")
    first = load(file)
    assert {q.key: q.default for q in first.questions}["stage:Zebra"] == "open"
    told = load(file, answers={"stage:Zebra": "won", "pipeline_entry_stage": "Demo"})
    assert told.terms_hints["opp_won_stage"] == "Zebra"
    again = load(file, mapping=json.loads(json.dumps(told.mapping)))
    assert again.terms_hints == told.terms_hints
    assert not {q.key for q in again.questions} & {"stage:Zebra"}


def test_ids_of_one_sheet_do_not_stand_for_another() -> None:
    intake = load(("a.csv", "Lead ID,Email,Lead Status,Company,Created Date\nL1,a@x.example,New,Acme,2026-01-05\n"),
                  ("b.csv", "Email,Lead Status,Company / Account,Created Date\nb@x.example,New,Acme,2026-01-06\n"))
    assert by_id(intake, "leads").index.tolist() == ["L1", "b@x.example"]


def test_owners_with_id_and_name_are_one_user() -> None:
    intake = load(("zoho.csv", """
        Record Id,Deal Name,Deal Owner.id,Deal Owner,Stage,Amount,Closing Date,Created Time
        1,A,u1,Eva,Demo,5,2026-03-01,2026-01-01
        """), ("calls.csv", "Record Id,Call Type,Call Start Time,Call Owner,Related To,Call Status\nc1,Inbound,2026-01-05 11:00,Eva,A,Completed\n"))
    assert intake.data.tables["users"][["user_id", "name"]].values.tolist() == [["u1", "Eva"]]
    assert by_id(intake, "activities").loc["c1", ["user_id", "opp_id", "type", "direction"]].tolist() == ["u1", "1", "call", "inbound"]


def test_stage_ids_get_their_labels_and_the_order_of_the_list() -> None:
    intake = load(
        ("deal_data.csv", "deal_id,deal_pipeline_stage_id,property_dealname,property_amount,property_closedate,property_createdate\n"
                          "1,s3,A,10,2026-03-01 10:00:00,2026-01-01 10:00:00\n2,s9,B,10,2026-03-01 10:00:00,2026-01-01 10:00:00\n"),
        ("deal_stage_data.csv", "deal_id,date_entered,value\n1,2026-01-01 10:00:00,s9\n1,2026-01-11 10:00:00,s2\n1,2026-03-01 10:00:00,s3\n"),
        ("deal_pipeline_stage_data.csv", "stage_id,label,pipeline_id,display_order,closed_won,is_closed,probability\n"
                                         "s2,Evaluation,p,1,false,false,0.4\ns9,Intro,p,0,false,false,0.2\ns3,Vertrag,p,2,true,true,1.0\n"))
    assert states(intake, "1") == [("Intro", "2026-01-01"), ("Evaluation", "2026-01-11"), ("Vertrag", "2026-03-01")]
    assert intake.terms_hints["opp_open_stages"] == ["Intro", "Evaluation"] and intake.terms_hints["opp_won_stage"] == "Vertrag"


def test_a_history_that_ends_elsewhere_is_taken_on_to_the_present() -> None:
    intake = load(SALESFORCE_REPORT, ("history.csv", """
        Opportunity ID,Opportunity Name,From Stage,To Stage,Amount,Close Date,Last Modified
        0061x00000AbCdF,Beta,,Prospecting,2500,5/31/2026,2/1/2026 9:00 AM
        0061x00000AbCdE,Acme,,Prospecting,1500,3/31/2026,1/15/2026 9:00 AM
        0061x00000AbCdE,Acme,Prospecting,Payment Done,1500,3/31/2026,3/31/2026 9:00 AM
        """))
    assert [stage for stage, _ in states(intake, "0061x00000AbCdFAAV")] == ["Prospecting", "Close plan review"]
    assert codes(intake)["N_STAGE"] == 1


def _plain(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"as_of": "2026-03-01T12:00:00Z", "reporting_tz": "Europe/London"}), encoding="utf-8")
    (tmp_path / "leads.csv").write_text("lead_id,email,region,owner_id,created_at,is_test\nL1, a@x.example ,NA,U9,2026-01-01T00:00:00Z,false\n", encoding="utf-8")
    (tmp_path / "touches.csv").write_text("touch_id,person_id,campaign_id,occurred_at\nT1,L1,nowhere,2026-01-01\n", encoding="utf-8")
    (tmp_path / "routing_log.csv").write_text("lead_id,attempted_at,result,owner_id\n" + "L1,2026-01-01T00:00:00Z,failed,\n" * 2, encoding="utf-8")
    return tmp_path


def test_plain_tables_keep_every_row_and_word(tmp_path: Path) -> None:
    data, terms, config = load_folder(_plain(tmp_path))
    assert data.tables["leads"].loc[0, ["email", "region"]].tolist() == [" a@x.example ", "NA"]
    assert len(data.tables["routing_log"]) == 2 and terms.reporting_tz == "Europe/London" and config["as_of"].startswith("2026")
    intake = prepare([Source(tmp_path.name, tmp_path)])
    assert intake.data.as_of == data.as_of and intake.ledger.quarantined == 0
    for name, frame in data.tables.items():
        pd.testing.assert_frame_equal(intake.data.tables[name], frame)


def test_load_folder_says_where_a_cell_is_wrong(tmp_path: Path) -> None:
    folder = _plain(tmp_path)
    (folder / "leads.csv").write_text("lead_id,created_at\nL1,2026-02-30\n", encoding="utf-8")
    with pytest.raises(ValueError, match="leads, row 2, column created_at: '2026-02-30' is not a ts"):
        load_folder(folder)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="as_of is not there"):
        load_folder(folder)


@pytest.mark.parametrize("word", ["NA", "NULL", "None", "nan", "N/A"])
def test_a_word_for_nothing_is_no_id(word):
    """Not: an opportunity called NULL, nor one that belongs to nobody. A region NA is a region."""
    text = DEALS.replace("006B,", f"{word},").replace("Type\n", "Type,Region,Account ID\n").replace("New Business\n", f"New Business,NA,{word}\n")
    intake = prepare([Source("deals.csv", text.encode())], as_of=pd.Timestamp("2026-03-31T12:00Z"), defined=True)
    assert [(row, code) for row, code in zip(intake.ledger.to_mend["row"], intake.ledger.to_mend["code"], strict=True)] == [(3, "R_ID")]
    assert "word for nothing" in intake.ledger.to_mend["reason"].iloc[0]
    deals = intake.data.tables["opportunities"]
    assert set(deals["region"]) == {"NA"} and set(deals["account_id"]) == {"Acme", "Crux", "Dune", "Echo"}


def test_ids_that_only_look_apart_are_one():
    """Not: two opportunities, of which one has a letter and the other a letter and an accent of its own."""
    one, two = "caf\u00e9-1", "cafe\u0301-1"
    intake = prepare([Source("deals.csv", DEALS.replace("006B,", f"{one},").replace("006C,", f"{two},").encode())], as_of=pd.Timestamp("2026-03-31T12:00Z"), defined=True)
    assert intake.ledger.to_mend["code"].tolist() == ["R_CONFLICT"] and any("with accents" in said for said in intake.messages)
    assert one in set(intake.data.tables["opportunities"]["opp_id"])


def test_times_with_and_without_a_zone_in_one_column_are_asked_about():
    """Not: half of the deals an hour early."""
    text = DEALS.replace("2026-01-05", "2026-01-05T09:00:00Z").replace("2026-02-11", "2026-01-05T09:00:00")

    def at(**answers: str) -> Intake:
        return prepare([Source("deals.csv", text.encode())], answers=answers, as_of=pd.Timestamp("2026-03-31T12:00Z"), defined=True)

    key = "zone:deals.csv:Created Date"
    assert [q.key for q in at().blocking] == [key] == [q.key for q in at(**{key: "Mars/Phobos"}).blocking]
    answered = at(**{key: "Europe/Berlin"})
    assert not answered.blocking and answered.data.tables["opportunities"]["created_at"].dt.hour.tolist()[:2] == [9, 8]



def test_campaigns_without_names_are_read_by_their_ids() -> None:
    intake = load(("campaigns.csv", "Campaign ID,Campaign Type,Start Date,Budgeted Cost,Actual Cost,Currency\n7015g000000AbCdAAE,Webinar,2025-01-01,96000,91800,USD\n"))
    assert by_id(intake, "campaigns")["actual_cost"].to_dict() == {"7015g000000AbCdAAE": 91800}
