"""Extracts as the systems really write them: histories, European money and dates, goals, reports with totals, weekly files, words for nothing."""

from __future__ import annotations

import io
from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest

from revscore import company
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.intake import Intake, Source, prepare
from revscore.people import LOCAL
from revscore.store import Store
from tests.intake.extracts import load


def workbook(name: str, **sheets: list[list[object]]) -> Source:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return Source(name, content.getvalue())


def history(intake: Intake, opp: str, *more: str) -> list[tuple[object, ...]]:
    """Day, stage and further columns of the history of one opportunity."""
    events = intake.data.tables["opp_history"]
    mine = events[events["opp_id"] == opp].sort_values("changed_at", kind="stable")
    columns = [mine[name].astype("str") if str(mine[name].dtype).startswith("datetime") else mine[name] for name in more]
    return list(zip(mine["changed_at"].dt.strftime("%m-%d"), mine["stage"], *columns, strict=True))


def balanced(intake: Intake, kept: int, held: int = 0) -> bool:
    lines = intake.ledger.sheets
    return (lines["read"] == lines["kept"] + lines["quarantined"]).all() and (intake.ledger.kept, intake.ledger.quarantined) == (kept, held)


def test_hubspot_names_the_pipeline_behind_the_stage_and_no_owner() -> None:
    intake = load(("deals.csv", '''
        Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Create Date,Deal owner,"Date entered ""Contract Sent (Sales Pipeline)""","Date exited ""Contract Sent (Sales Pipeline)""","Date entered ""Closed Won (Sales Pipeline)"""
        1,A,Closed Won (Sales Pipeline),Sales Pipeline,10,2026-03-20 15:00,2026-01-05 09:00,Ada,2026-01-05 09:00,2026-03-20 15:00,2026-03-20 15:00
        2,B,Contract Sent (Sales Pipeline),Sales Pipeline,20,2026-05-20 15:00,2026-01-06 09:00,No owner,2026-01-06 09:00,,
        '''))
    assert history(intake, "1") == [("01-05", "Contract Sent"), ("03-20", "Closed Won")]
    assert intake.terms_hints["opp_open_stages"] == ["Contract Sent"] and balanced(intake, 2)
    assert intake.data.tables["users"]["name"].tolist() == ["Ada"]


HUBSPOT = ("deals.csv", """
    Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Create Date (GMT+1),Deal owner
    1,A,Closed Won,Sales Pipeline,1000,2026-03-20 15:00,2026-01-05 09:00,Ada
    """)


def test_hubspot_property_history_of_deals_and_contacts() -> None:
    intake = load(HUBSPOT, ("deal_property_history.csv", """
        Object ID,Property name,Property value,Change source,Change date
        1,dealstage,Appointment Scheduled,CRM_UI,2026-01-05 09:00
        1,dealstage,Contract Sent,CRM_UI,2026-02-05 09:00
        1,amount,800,CRM_UI,2026-01-05 09:00
        1,amount,1000,CRM_UI,2026-02-10 09:00
        1,dealstage,Closed Won,CRM_UI,2026-03-20 15:00
        """), ("contacts.csv", "Record ID,Email,Lifecycle Stage,Contact owner,Create Date\n51,a@x.example,Marketing Qualified Lead,Ada,2026-01-02 10:00\n"),
        ("contact-history.csv", """
        Record ID,Property name,Property value,Source,Date
        51,lifecyclestage,lead,FORM,2026-01-02 10:00
        51,lifecyclestage,marketingqualifiedlead,WORKFLOW,2026-01-04 10:00
        """))
    assert history(intake, "1", "amount")[-3:] == [("02-05", "Contract Sent", 800), ("02-10", "Contract Sent", 1000), ("03-20", "Closed Won", 1000)]
    assert intake.data.tables["opportunities"]["created_at"].dt.hour.tolist() == [8]                                 # the heading says GMT+1
    assert intake.data.tables["lead_stage_history"]["stage"].tolist() == ["inquiry", "mql"] and balanced(intake, 9)


def test_a_list_of_stage_visits_is_a_history_and_no_list_of_deals() -> None:
    intake = load(HUBSPOT, ("visits.csv", """
        Deal ID,Deal Name,Stage,Date entered,Date exited,Pipeline
        1,A,Demo,2026-01-05 09:00,2026-02-05 09:00,Sales Pipeline
        1,A,Proposal,2026-02-05 09:00,2026-03-20 15:00,Sales Pipeline
        1,A,Closed Won,2026-03-20 15:00,,Sales Pipeline
        """))
    assert [stage for _, stage in history(intake, "1")][-3:] == ["Demo", "Proposal", "Closed Won"] and balanced(intake, 4)


def test_hubspot_campaigns_have_their_spend() -> None:
    intake = load(("campaigns.csv", "Campaign name,Campaign ID,Start date,End date,Budget,Spend,Currency\nSpring,c1,2026-01-01,2026-03-31,10000,\"8,500.00\",USD\n"))
    assert intake.data.tables["campaigns"][["budget", "actual_cost"]].values.tolist() == [[10000, 8500]]


ZOHO = ["Record Id", "Deal Name", "Deal Owner", "Account Name", "Stage", "Amount", "Closing Date", "Created Time", "Modified Time", "Probability (%)"]


def test_zoho_workbook_in_german_with_a_zone_set_before(tmp_path) -> None:
    source = workbook("Deals.xlsx", Deals=[ZOHO,
        ["zcrm_4876876000000123001", "A", "Eva", "Alpha SE", "Geschlossen (gewonnen)", "1.234.567,89 €", "31.12.2025", "05.10.2025 09:30", "31.12.2025 17:00", "100"],
        ["zcrm_4876876000000123002", "B", "Eva", "Beta AG", "Verhandlung", "12.000,00 €", "15.05.2026", "07.02.2026 02:00 PM", "09.02.2026 14:00", "75"],
        ["zcrm_4876876000000123003", "C", "Jan", "Beta AG", "Qualifizierung", "n/a", "09.06.2026", "03.03.2026 10:00", "04.03.2026 10:00", "10"],
        ["zcrm_4876876000000123004", "D", "Jan", "Beta AG", "Geschlossen (verloren)", "500,50 €", "", "03.03.2026 10:00", "05.03.2026 14:00", "0"]],
        Hinweise=[["Export vom 05.03.2026"], ["Bitte nicht ändern"]])
    store = Store(tmp_path / "company.sqlite")
    store.save_terms("company", {"reporting_tz": "Europe/Berlin"}, "Ada", "our zone")
    report = company.load(store, "company", [source], by=LOCAL)
    x = company.coded(store, "company")
    won = compute(x, CARDS["bookings.won_value"]).set_index("measure")["value"]
    assert (report.status, report.rows_read, report.rows_loaded) == ("loaded", 4, 4)
    assert (won["value"], won["count"]) == (1234567.89, 1)                                                           # the extract's currency is the corporate one
    events = x.data.tables["opp_history"]
    assert str(events.loc[events["opp_id"].str.endswith("4"), "changed_at"].max()) == "2026-03-05 13:00:00+00:00"    # closed without a date: the last change
    assert [m.code for m in report.files[0].messages if m.row] == ["N_PLACEHOLDER", "N_NO_CLOSE_DATE"]


@pytest.mark.parametrize("moves", [
    "h1,A,Qualification,Proposal,2026-01-19 09:30:00\nh2,A,Proposal,Closed Won,2026-03-31 17:00:00\n",
    "h1,A,Qualification,Proposal,2026-01-05 09:30:00\nh2,A,Proposal,Closed Won,2026-01-19 09:30:00\nh3,A,Closed Won,,2026-03-31 17:00:00\n"])
def test_zoho_stage_history_by_moves_and_by_stays(moves: str) -> None:
    intake = load(("deals.csv", "Record Id,Deal Name,Deal Owner,Stage,Amount,Closing Date,Created Time\nz1,A,Eva,Closed Won,5,2026-03-31,2026-01-05 09:30:00\n"),
                  ("history.csv", "Record Id,Deal Name,Stage,Moved To,Modified Time\n" + moves))
    assert history(intake, "z1") == [("01-05", "Qualification"), ("01-19", "Proposal"), ("03-31", "Closed Won")]


def test_dynamics_workbooks_join_lead_and_goal() -> None:
    day = datetime(2026, 1, 5, 9, 0)
    hidden = ["(Do Not Modify) Row Checksum", "(Do Not Modify) Modified On"]
    intake = prepare([
        workbook("opps.xlsx", Opportunities=[["(Do Not Modify) Opportunity", *hidden, "Topic", "Potential Customer", "Est. Revenue", "Est. Close Date", "Actual Revenue", "Actual Close Date",
                                              "Status", "Status Reason", "Owner", "Originating Lead", "Pipeline Phase", "Created On"],
                                             ["o1", "x", day, "Roll-out", "Acme", 10000, date(2026, 3, 31), 11000, date(2026, 3, 30), "Won", "Won", "Ada", "Ann Low", "3-Propose", day],
                                             ["o2", "x", day, "Pilot", "Beta", 5000, date(2026, 5, 31), None, None, "Open", "In Progress", "Bo", None, "1-Qualify", day]]),
        workbook("leads.xlsx", Leads=[["(Do Not Modify) Lead", *hidden, "Name", "Topic", "Company Name", "Email", "Status", "Status Reason", "Lead Source", "Created On"],
                                      ["l1", "x", day, "Ann Low", "Inquiry", "Acme", "a@acme.example", "Qualified", "Qualified", "Web", datetime(2026, 1, 2)],
                                      ["l2", "x", day, "Bob Fry", "Inquiry", "Beta", "b@beta.example", "Disqualified", "Lost", "Web", datetime(2026, 1, 2)]]),
        workbook("goals.xlsx", Goals=[["(Do Not Modify) Goal", *hidden, "Name", "Goal Owner", "Time Period", "Target (Money)", "Actual (Money)"],
                                      ["g1", "x", day, "Ada Q1", "Ada", "1/1/2026 - 3/31/2026", "$100,000.00", 0], ["g2", "x", day, "Bo Q1", "Bo", "1/1/2026 - 3/31/2026", 50000, 0]])])
    assert intake.data.tables["leads"]["converted_opportunity_id"].tolist()[0] == "o1" and balanced(intake, 6)
    assert history(intake, "o1", "amount", "close_date") == [("01-05", "3-Propose", 11000, "2026-03-31"), ("03-30", "Closed Won", 11000, "2026-03-30")]
    assert intake.data.tables["targets"][["period_end", "value"]].astype("str").values.tolist() == [["2026-03-31", "150000.0"]]


def test_goals_of_fiscal_periods_alone() -> None:
    goals = ("goals.csv", """
        (Do Not Modify) Goal,Name,Goal Owner,Target,Fiscal Period,Fiscal Year,Goal Metric
        g1,Q1,Ada,100,Quarter 1,FY2026,Revenue
        g2,Year,Ada,400,Annual,FY2026,Revenue
        g3,Won,Ada,7,Semester 2,FY2026,No. of Won Opportunities
        g4,?,Ada,7,Sprint 9,FY2026,Revenue
        """)
    intake, fiscal = load(goals), load(goals, answers={"goal_fiscal_month": "2"})
    spans = [[f"{a:%Y-%m}" for a in row] for row in intake.data.tables["targets"][["period_start", "period_end"]].itertuples(index=False)]
    assert spans == [["2026-07", "2026-12"], ["2026-01", "2026-03"], ["2026-01", "2026-12"]] and balanced(intake, 3, 1)
    assert intake.ledger.findings.query("action == 'quarantined'")[["row", "column", "text"]].values.tolist() == [[5, "Fiscal Period", "Sprint 9"]]
    assert [q.key for q in intake.questions] == ["fiscal_start_month", "goal_fiscal_month"] and not intake.blocking
    assert f"{fiscal.data.tables['targets']['period_start'].min():%Y-%m}" == "2025-02"                               # FY2026 is named by its end


def test_pipedrive_expected_close_date_holds_until_the_deal_is_closed() -> None:
    intake = load(("deals.csv", """
        Deal - ID,Deal - Title,Deal - Value,Deal - Currency of Value,Deal - Stage,Deal - Status,Deal - Deal created,Deal - Won time,Deal - Expected close date
        1,A,12000,USD,Negotiation,Won,2026-01-02 09:00:00,2026-02-20 17:30:00,2026-03-15
        """), ("changelog.csv", """
        Deal ID,Field,Old value,New value,Time
        1,Stage,Demo,Negotiation,2026-02-10 10:00:00
        1,Expected close date,2026-02-28,2026-03-15,2026-02-12 10:00:00
        1,Value,10000 USD,12000 USD,2026-02-13 10:00:00
        1,Status,Open,Won,2026-02-20 17:30:00
        """))
    assert history(intake, "1", "amount", "close_date") == [
        ("01-02", "Demo", 10000, "2026-02-28"), ("02-10", "Negotiation", 10000, "2026-02-28"), ("02-12", "Negotiation", 10000, "2026-03-15"),
        ("02-13", "Negotiation", 12000, "2026-03-15"), ("02-20", "Closed Won", 12000, "2026-02-20")]


def test_salesforce_report_with_totals_below_their_label() -> None:
    intake = load(("report.csv", """
        "Open and closed"

        "Opportunity Owner","Opportunity Name","Opportunity ID","Stage","Amount Currency","Amount","Amount (converted) Currency","Amount (converted)","Close Date","Created Date"
        "Ada","A","0061x00000AbCdE","Payment Done","EUR","1,500.00","USD","1,650.00","3/31/2026","1/15/2026"
        "Bo","B","0061x00000AbCdF","Close plan","USD","1,200.00","USD","1,200.00","5/31/2026","2/1/2026"
        "Grand Totals (2 records)"
        "","","","","","","USD","2,850.00","",""

        "Confidential Information - Do Not Distribute"
        """))
    assert balanced(intake, 2) and intake.terms_hints["corporate_currency"] == "USD"
    assert intake.data.tables["fx_rates"]["rate_to_corp"].tolist() == pytest.approx([1.1])


def test_salesforce_workbook_grouped_by_stage() -> None:
    head = [None, "Stage  ↑", "Opportunity Owner", "Opportunity Name", "Opportunity ID", "Amount", "Close Date", "Created Date"]
    intake = prepare([workbook("report.xlsx", Report=[[None, "Pipeline"], [], head,
        [None, "Prospecting", "Ada", "A", "0061x00000AbCdE", 1000, date(2026, 5, 1), date(2026, 1, 5)],
        [None, None, "Ada", "B", "0061x00000AbCdF", 2000, date(2026, 6, 1), date(2026, 1, 6)], [None, "Subtotal", None, "Count: 2", None, 3000],
        [None, "Negotiation", "Ada", "C", "0061x00000AbCdG", 500, date(2026, 2, 1), date(2026, 1, 6)],
        [None, None, "Ada", "D", "0061x00000AbCdH", 500, date(2026, 2, 1), date(2026, 1, 6)],
        [None, "Subtotal", None, "Count: 2", None, 1000], [None, "Total", None, "Count: 4", None, 4000]])])
    assert intake.data.tables["opp_history"]["stage"].tolist() == ["Prospecting"] * 2 + ["Negotiation"] * 2 and balanced(intake, 4)


def test_salesforce_campaign_with_members_tells_the_campaign_too() -> None:
    intake = load(("members.csv", """
        Campaign Name,Campaign ID,Type,Start Date,Actual Cost in Campaign,Member Status,Responded,Member First Associated Date,Member First Responded Date,Lead ID
        Webinar,7011x00000AbCdE,Webinar,1/1/2026,"USD 5,000.00",Attended,1,1/10/2026,1/13/2026,00Q1x00000AbCd1
        Webinar,7011x00000AbCdE,Webinar,1/1/2026,"USD 5,000.00",Sent,0,1/10/2026,,00Q1x00000AbCd2
        """))
    assert intake.data.tables["campaigns"][["type", "actual_cost", "currency"]].values.tolist() == [["Webinar", 5000, "USD"]]
    assert intake.data.tables["touches"]["occurred_at"].dt.strftime("%m-%d").tolist() == ["01-13", "01-10"]


def test_weekly_files_are_snapshots() -> None:
    head = "Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date\n"
    intake = load(("pipeline_2026-01-05.csv", head + "1,A,Discovery,100,2026-03-01,2026-01-01\n2,B,Discovery,50,2026-03-01,2026-01-02\n"),
                  ("pipeline_2026-01-12.csv", head + "1,A,Proposal,100,2026-03-01,2026-01-01\n2,B,Discovery,50,2026-04-01,2026-01-02\n"),
                  ("pipeline_2026-01-19.csv", head + "1,A,Closed Won,120,2026-01-18,2026-01-01\n"))
    assert history(intake, "1", "amount") == [("01-05", "Discovery", 100), ("01-12", "Proposal", 100), ("01-19", "Closed Won", 120)]
    assert history(intake, "2", "close_date") == [("01-05", "Discovery", "2026-03-01"), ("01-12", "Discovery", "2026-04-01")] and balanced(intake, 5)


def test_money_words_for_nothing_and_flags_that_say_nothing() -> None:
    intake = load(("deals.csv", """
        Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date,Won,Closed
        007,A,Close plan,€ 12.500,2026-05-01,2026-01-01,No,No
        008,B,Payment Done,"12,500.00 USD",2026-03-01,2026-01-01,Yes,Yes
        009,C,Canceled,n/a,2026-03-01,2026-01-01,N,Y
        010,D,Dead,-,2026-03-01,2026-01-01,,
        011,E,,5,2026-03-01,2026-01-01,no,no
        """))
    last = intake.data.tables["opp_history"].drop_duplicates("opp_id", keep="last").set_index("opp_id")
    assert last["amount"].fillna(-1).to_dict() == {"007": 12500, "008": 12500, "009": -1, "010": -1, "011": 5}
    assert last["stage"].to_dict() == {"007": "Close plan", "008": "Payment Done", "009": "Canceled", "010": "Canceled", "011": "Close plan"}
    assert intake.ledger.findings.query("code == 'N_NO_STAGE'")["row"].tolist() == [6] and balanced(intake, 5)


def test_columns_of_a_file_that_disagree_settle_no_date() -> None:
    head = "Lead ID,Email,Company,Lead Status,Lead Owner,Created Date,MQL Date,SQL Date\n"
    intake = load(("leads.csv", head + "L1,a@x.example,A,New,Ada,01/02/2026,1/25/2026,26/01/2026\n"))
    assert [q.key for q in intake.blocking] == ["date_order:leads.csv:Created Date"]
    same = load(("leads.csv", head + "L1,a@x.example,A,New,Ada,01/01/2026,1/25/2026,\n"))
    assert [q.key for q in same.questions] == ["fiscal_start_month"] and str(same.data.tables["leads"]["created_at"][0]) == "2026-01-01 00:00:00+00:00"


def test_open_deals_of_a_connector_need_no_history(tmp_path) -> None:
    """Two lists of deals without any change of stage among them once left rows without an opportunity."""
    files = [Source("deal_data.csv", b"deal_id,deal_pipeline_stage_id,property_dealname,property_createdate\n1,s1,A,2026-01-01 10:00:00\n2,s1,B,2026-01-02 10:00:00\n"),
             Source("deal_stage_data.csv", b"deal_id,date_entered,value\n9,2026-01-01 10:00:00,s1\n")]
    report = company.load(Store(tmp_path / "company.sqlite"), "company", files, by=LOCAL)
    assert report.status == "loaded" and prepare(files).data.tables["opp_history"]["opp_id"].tolist() == ["1", "2"]
    notes = prepare([Source("engagement_note_data.csv", b"engagement_id,_fivetran_synced,property_hs_createdate,property_hs_timestamp,type\n5,x,2026-01-01 10:00:00,2026-01-01 10:00:00,NOTE\n")])
    assert pd.Series(notes.data.tables["activities"]["type"]).tolist() == ["other"]


def test_german_headings_in_the_encoding_of_windows() -> None:
    text = ("Chance-ID;Verkaufschance;Firma;Verkäufer;Phase;Betrag;Abschlussdatum;Erstellt am;Währung\n"
            "001;Müller Rollout;Müller GmbH;Jörg Größe;Angebot;1.234,50;31.03.2026;05.01.2026;EUR\n"
            "002;Bäcker;Bäcker AG;Jörg Größe;Gewonnen;2.000,00;28.02.2026;06.01.2026;EUR\n")
    intake = prepare([Source("Verkaufschancen.csv", text.encode("cp1252"))])
    assert history(intake, "002", "amount") == [("01-06", "Angebot", 2000), ("02-28", "Gewonnen", 2000)] and balanced(intake, 2)
    assert intake.data.tables["opportunities"]["owner_id"].tolist() == ["Jörg Größe"] * 2


def test_rows_that_are_no_records_are_named_in_the_ledger() -> None:
    intake = load(("deals.csv", """
        Deal report,,,,,

        Record ID,Deal Name,Deal Stage,Amount,Close Date,Create Date
        1,A,Contract Sent,10,2026-03-20,2026-01-05
        2,B,Contract Sent,20,2026-05-20,2026-01-06


        Total,,,30,,
        """))
    notes = intake.ledger.findings.query("code in ['N_FOOTER', 'N_BLANK']")
    assert notes[["row", "text", "code"]].values.tolist() == [[0, "", "N_BLANK"], [8, "Total | 30", "N_FOOTER"]] and balanced(intake, 2)
    assert notes["reason"].iloc[0].startswith("3 blank rows and 1 title row")


def test_accounts_without_an_id_are_known_by_their_name() -> None:
    head = "NAME,TYPE,PHONE,ACCOUNTNUMBER__C,WEBSITE,ANNUALREVENUE,ORACLE_ID__C,DATE_ONLY"
    intake = load(("inserts.csv", f"{head}\nacme one,Account,415-555-0000,ACCT_0,http://www.acme.com,0,1-00000,2010-10-14T00:00:00.000Z\n"))
    assert intake.recognition.matches[0].subject == "account" and intake.data.tables["accounts"]["account_id"].tolist() == ["acme one"]
    assert any("name stands for it" in text for text in intake.messages) and not any("latest event" in text for text in intake.messages)


def test_a_question_on_dates_shows_a_telling_date_and_names_every_column() -> None:
    head = "Lead ID,Email,Company,Lead Status,Lead Owner,Created Date,MQL Date,SQL Date\n"
    rows = "L1,a@x.example,A,New,Ada,05/05/2026,06/07/2026,\nL2,b@x.example,B,New,Ada,03/04/2026,06/07/2026,06/08/2026\n"
    [asked] = load(("leads.csv", head + rows), defined=True).questions
    assert "“03/04/2026” in “Created Date”" in asked.text and "“MQL Date”, “SQL Date” leave it open too: one answer settles the file" in asked.text
    told = load(("leads.csv", head + rows), answers={asked.key: "dmy"}, defined=True)
    assert not told.questions and told.data.tables["lead_stage_history"]["entered_at"].dt.strftime("%d/%m").tolist()[:2] == ["05/05", "06/07"]


def test_words_and_ids_that_were_read_otherwise_are_said() -> None:
    intake = load(("Lead.csv", """
        Id,Email,Company,Status,OwnerId,CreatedDate,IsConverted,LastName
        00Q1x00000AbCd1,a@x.example,A,Simmering,0051x00000AbCd1,2026-01-05T10:00:00.000Z,false,Low
        """))
    assert any("“Simmering”" in text for text in intake.messages)
    assert any("column Id: 1 id of 15 characters" in text for text in intake.messages)
