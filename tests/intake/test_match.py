"""Recognition: presets by signature, columns one by one, what is not used, mappings that were kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revscore.core import schema
from revscore.intake import SUBJECTS, Sheet, recognise
from revscore.intake.match import Match
from revscore.intake.presets import presets
from revscore.intake.words import fold, meaning


def match(*headings: str, file: str = "export.csv", values: tuple[str, ...] = ()) -> Match:
    frame = pd.DataFrame({h: pd.Series([values[i]] if values else [], dtype="str") for i, h in enumerate(headings)})
    return recognise([Sheet(file, "", frame, np.arange(2, 2 + len(frame)))]).matches[0]


@pytest.mark.parametrize(("headings", "preset", "subject"), [
    ("Id StageName CloseDate Name Amount IsWon", "salesforce_api", "deal"),
    ("ID STAGENAME CLOSEDATE NAME AMOUNT ISWON", "salesforce_api", "deal"),
    ("id stage_name close_date name amount is_won _fivetran_synced", "connector_salesforce", "deal"),
    ("Id OpportunityId StageName Amount CloseDate CreatedDate", "salesforce_api", "deal_state"),
    ("OpportunityId Field OldValue NewValue CreatedDate", "salesforce_api", "deal_change"),
    ("Id LeadId Field OldValue NewValue CreatedDate", "salesforce_api", "lead_change"),
    ("Id CampaignId LeadOrContactId Status HasResponded CreatedDate", "salesforce_api", "member"),
    ("Id WhoId WhatId Subject ActivityDate Status IsClosed", "salesforce_api", "activity"),
    ("Opportunity_Name Stage Amount Close_Date Account_Name", "salesforce_report", "deal"),
    ("Record_ID Deal_Name Deal_Stage Close_Date Amount", "hubspot", "deal"),
    ("dealname dealstage amount closedate hs_object_id", "hubspot", "deal"),
    ("Record_ID Email Lifecycle_Stage Create_Date", "hubspot", "lead"),
    ("deal_id deal_pipeline_stage_id property_amount", "connector_hubspot", "deal"),
    ("deal_id timestamp name value", "connector_hubspot", "deal_change"),
    ("id property_name property_createdate property_industry property_annualrevenue", "connector_hubspot", "account"),
    ("Deal_-_ID Deal_-_Title Deal_-_Status Deal_-_Stage Deal_-_Value", "pipedrive", "deal"),
    ("deal_id change_time changed_field_key old_value new_value", "pipedrive", "deal_change"),
    ("Record_Id Deal_Name Stage Closing_Date Amount", "zoho", "deal"),
    ("Record_Id Lead_Status Company Lead_Owner Created_Time", "zoho", "lead"),
    ("(Do_Not_Modify)_Opportunity Topic Status Est._revenue", "dynamics365", "deal"),
    ("Goal_Owner Target From To", "dynamics365", "goal"),
    ("opportunity_id sales_agent account deal_stage close_value", "generic", "deal"),
    ("sales_agent manager regional_office", "generic", "user"),
    ("opp_id name created_at currency type", "plain", "opportunities"),
    ("event_id opp_id changed_at stage amount", "plain", "opp_history"),
])
def test_presets_by_signature(headings: str, preset: str, subject: str) -> None:
    found = match(*(h.replace("_", " ") if preset not in ("generic", "plain", "connector_salesforce", "connector_hubspot") and "_" in h and h[0].isupper() or h[0] == "("
                    else h for h in headings.split()))
    assert (found.preset, found.subject) == (preset, subject)


def test_columns_samples_and_what_is_not_known() -> None:
    found = match("Record ID", "Deal Name", "Deal Stage", "Amount (EUR)", "Shoe size", values=("1", "Acme", "Demo", "5", "43"))
    assert dict(found.columns) == {"Record ID": "opp_id", "Deal Name": "name", "Deal Stage": "stage", "Amount (EUR)": "amount"}
    assert found.target("Deal Stage") == "opp_history.stage"
    assert found.unrecognised == ("Shoe size",)
    assert found.samples["Deal Name"] == ("Acme",)
    assert found.currency == {"Amount (EUR)": "EUR"}
    assert "opp_history" in found.tables


def test_stage_stamps_are_columns_of_their_own() -> None:
    found = match("Deal Name", "Deal Stage", 'Date entered "Demo (Sales)"', "Date exited Demo", "hs_v2_date_entered_closedwon", "hs_v2_cumulative_time_in_1")
    assert dict(found.stamps) == {'Date entered "Demo (Sales)"': "Demo (Sales)", "hs_v2_date_entered_closedwon": "closedwon"}
    assert set(found.ignored) == {"Date exited Demo", "hs_v2_cumulative_time_in_1"}


@pytest.mark.parametrize("headings", [("id", "_fivetran_synced", "browser", "user_agent"), ("column1", "column2"), ("Table", "Field", "Description")])
def test_a_sheet_of_no_use_is_listed_with_a_sentence(headings: tuple[str, ...]) -> None:
    found = match(*headings)
    assert found.subject == "" and found.tables == ("(not used)",) and found.why.startswith("not used: ")


def test_single_columns_are_recognised_without_a_signature() -> None:
    found = match("Title", "Stage", "Value", "Owner", "Won time")
    assert (found.preset, found.subject) == ("columns", "deal")


def test_a_kept_mapping_goes_before_the_presets() -> None:
    first = match("Nr", "Was", "Wo steht es", "Wieviel")
    assert first.subject == ""
    mapping = {"sheets": [{"preset": "own", "subject": "deal", "columns": {"Nr": "opp_id", "Was": "name", "Wo steht es": "stage", "Wieviel": "amount"}}]}
    again = recognise([first.sheet], mapping).matches[0]
    assert again.subject == "deal" and again.heading("amount") == "Wieviel"
    assert recognise([first.sheet], recognise([first.sheet], mapping).mapping()).matches[0].columns == again.columns
    with pytest.raises(ValueError, match="nothing a sheet can be about"):
        recognise([first.sheet], {"sheets": [{"subject": "shoes", "columns": {"Nr": "size"}}]})


def test_every_field_of_every_preset_has_a_canonical_home() -> None:
    for subject in SUBJECTS.values():
        for field in subject.fields.values():
            table, _, column = field.target.partition(".")
            assert column in schema.TABLES[table].names or subject.name in ("deal", "goal", "account", "user"), (subject.name, field.name, field.target)
    assert {p.id for p in presets()} >= {"plain", "salesforce_report", "salesforce_api", "hubspot", "dynamics365", "pipedrive", "zoho", "connector_salesforce",
                                         "connector_hubspot", "generic"}


def test_close_in_a_name_means_nothing() -> None:
    assert meaning("outcome", "Close plan review") is None
    assert [meaning("outcome", w) for w in ("Payment Done", "closedwon", "Contract signed", "Closed - Won")] == ["won"] * 4
    assert [meaning("outcome", w) for w in ("Loss", "Dead", "Canceled", "Cancelled", "Closed-Lost to Competition", "Out-Sold")] == ["lost"] * 6


def test_lead_statuses() -> None:
    words = {"Open - Not Contacted": "inquiry", "Working - Contacted": "sal", "Closed - Converted": "sql", "Closed - Not Converted": "disqualified",
             "marketingqualifiedlead": "mql", "Nurturing": "recycled", "Junk Lead": "disqualified", "BAD_TIMING": "recycled", "Pre-Qualified": "mql"}
    assert {w: meaning("lead_status", w) for w in words} == words
    assert meaning("lead_status", "Blue") is None


def test_headings_are_compared_by_letters_and_digits() -> None:
    assert fold("Stage_Name") == fold("STAGENAME") == fold("Stage Name") == fold("property_stage_name")
