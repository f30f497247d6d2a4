"""The Salesforce report workbook: one report per sheet with title rows, report headings, US dates in New York time and footer rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from . import ids, workbook
from .faults import Faults, Spoiler
from .ids import local, salesforce, us_date

FILE = "salesforce/northlight_report.xlsx"
STATUS = {"inquiry": "Inquiry", "mql": "MQL", "sal": "SAL", "sql": "SQL", "recycled": "Recycled", "disqualified": "Disqualified"}
TYPE = {"new_business": "New Business", "expansion": "Expansion", "renewal": "Renewal"}
CATEGORY = {"pipeline": "Pipeline", "best_case": "Best Case", "commit": "Commit", "closed": "Closed", "omitted": "Omitted"}
CHANCE = {"Prospecting": 10, "Discovery": 25, "Proposal": 50, "Negotiation": 75, "Closed Won": 100, "Closed Lost": 0}
YES = {"true": "1", "false": "0"}
ACTIVITIES_SINCE = "2026-05-16"


def reports(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The reports before any fault: names where Salesforce shows names, keys where the report has key columns."""
    users, accounts, campaigns = tables["users"], tables["accounts"], tables["campaigns"]
    user, firm = dict(zip(users["user_id"], users["name"])), dict(zip(accounts["account_id"], accounts["name"]))
    campaign = dict(zip(campaigns["campaign_id"], campaigns["name"]))
    deals, history = tables["opportunities"], tables["opp_history"]
    title = dict(zip(deals["opp_id"], deals["name"]))
    now = history.drop_duplicates("opp_id", keep="last").set_index("opp_id").reindex(deals["opp_id"]).reset_index()
    leads, steps, contacts = tables["leads"], tables["lead_stage_history"], tables["contacts"]
    roles = tables["opp_contact_roles"]
    status = steps.drop_duplicates("lead_id", keep="last").set_index("lead_id")["stage"].reindex(leads["lead_id"]).map(STATUS).fillna("").reset_index(drop=True)
    member = tables["touches"].loc[lambda touches: touches["is_response"] == "true"].drop_duplicates(["campaign_id", "person_id"])
    work = tables["activities"].loc[lambda activities: activities["occurred_at"] >= ACTIVITIES_SINCE]
    return {
        "Opportunities": pd.DataFrame({
            "Opportunity ID": salesforce(deals["opp_id"]), "Opportunity Name": deals["name"], "Account ID": salesforce(deals["account_id"]),
            "Account Name": deals["account_id"].map(firm), "Type": deals["type"].map(TYPE), "Stage": now["stage"],
            "Probability (%)": now["stage"].map(CHANCE), "Forecast Category": now["forecast_category"].map(CATEGORY),
            "Amount Currency": deals["currency"], "Amount": now["amount"], "Close Date": us_date(now["close_date"]),
            "Created Date": local(deals["created_at"], "us time"), "Opportunity Owner": deals["owner_id"].map(user),
            "Primary Campaign Source": deals["primary_campaign_id"].map(campaign).fillna(""), "Segment": deals["segment"],
            "Region": deals["region"], "Lead Source": deals["lead_source"], "Next Step": deals["next_step"], "Loss Reason": deals["loss_reason"]}),
        "Opportunity History": pd.DataFrame({
            "Opportunity ID": salesforce(history["opp_id"]), "Opportunity Name": history["opp_id"].map(title),
            "From Stage": history.groupby("opp_id")["stage"].shift().fillna(""), "To Stage": history["stage"], "Amount": history["amount"],
            "Probability (%)": history["stage"].map(CHANCE), "Forecast Category": history["forecast_category"].map(CATEGORY),
            "Close Date": us_date(history["close_date"]), "Last Modified": local(history["changed_at"], "us time")}),
        "Leads": pd.DataFrame({
            "Lead ID": salesforce(leads["lead_id"]), "Email": leads["email"], "Company / Account": leads["account_id"].map(firm).fillna(""),
            "Title": leads["title"], "Phone": leads["phone"], "Country": leads["country"], "Lead Source": leads["lead_source"], "Lead Status": status,
            "Lead Owner": leads["owner_id"].map(user).fillna("Unassigned Queue").where((leads["owner_id"] != "") | (leads["owner_type"] == "queue"), ""),
            "Created Date": local(leads["created_at"], "us time"), "Converted": (leads["converted_at"] != "").map({True: "1", False: "0"}),
            "Converted Date": local(leads["converted_at"], "us"), "Opportunity ID": salesforce(leads["converted_opportunity_id"]),
            "Contact ID": salesforce(leads["converted_contact_id"]), "Segment": leads["segment"], "Region": leads["region"],
            "Campaign Name": leads["source_campaign_id"].map(campaign).fillna("")}),
        "Lead History": pd.DataFrame({
            "Lead ID": salesforce(steps["lead_id"]), "Field / Event": "Lead Status", "Old Value": steps.groupby("lead_id")["stage"].shift().map(STATUS).fillna(""),
            "New Value": steps["stage"].map(STATUS), "Edit Date": local(steps["entered_at"], "us time"), "Reason": steps["reason"]}),
        "Campaigns": pd.DataFrame({
            "Campaign ID": salesforce(campaigns["campaign_id"]), "Campaign Name": campaigns["name"], "Type": campaigns["type"],
            "Start Date": us_date(campaigns["start_date"]), "End Date": us_date(campaigns["end_date"]),
            "Budgeted Cost in Campaign": campaigns["budget"], "Actual Cost in Campaign": campaigns["actual_cost"], "Campaign Currency": campaigns["currency"]}),
        "Campaign Members": pd.DataFrame({
            "Campaign ID": salesforce(member["campaign_id"]), "Campaign Name": member["campaign_id"].map(campaign),
            "Lead ID": salesforce(member["person_id"].where(member["person_id"].str.startswith("L"), "")),
            "Contact ID": salesforce(member["person_id"].where(member["person_id"].str.startswith("K"), "")), "Member Status": "Responded", "Responded": "1",
            "Member First Responded Date": local(member["occurred_at"], "us time")}),
        "Tasks and Events": pd.DataFrame({
            "Activity ID": salesforce(work["activity_id"]), "Activity Type": work["type"].str.title(), "Call Type": work["direction"].str.title(),
            "Automated": work["is_automated"].map(YES), "Created Date": local(work["occurred_at"], "us time"), "Assigned": work["user_id"].map(user),
            "Lead ID": salesforce(work["person_id"].where(work["person_id"].str.startswith("L"), "")),
            "Contact ID": salesforce(work["person_id"].where(work["person_id"].str.startswith("K"), "")),
            "Opportunity ID": salesforce(work["opp_id"]), "Status": work["status"].replace("", "completed").str.replace("_", " ").str.capitalize()}),
        "Accounts": pd.DataFrame({"Account ID": salesforce(accounts["account_id"]), "Account Name": accounts["name"], "Segment": accounts["segment"],
                                  "Region": accounts["region"], "Account Owner": accounts["owner_id"].map(user), "Website": accounts["domain"]}),
        "Contacts": pd.DataFrame({"Contact ID": salesforce(contacts["contact_id"]), "Account ID": salesforce(contacts["account_id"]),
                                  "Account Name": contacts["account_id"].map(firm), "Email": contacts["email"],
                                  "Created Date": local(contacts["created_at"], "us time"), "Lead ID": salesforce(contacts["lead_id"])}),
        "Opportunity Contact Roles": pd.DataFrame({
            "Opportunity ID": salesforce(roles["opp_id"]), "Opportunity Name": roles["opp_id"].map(title), "Contact ID": salesforce(roles["contact_id"]),
            "Contact Role": roles["role"], "Primary": roles["is_primary"].map(YES), "Created Date": local(roles["added_at"], "us time")}),
        "Users": pd.DataFrame({"User ID": salesforce(users["user_id"]), "Full Name": users["name"], "Department": users["function"].str.title(),
                               "Manager": users["manager_id"].map(user).fillna(""), "Active": users["is_active"].map(YES)}),
    }


def spoil(sheets: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], Faults]:
    """Plant the faults of real exports."""
    planted: Faults = []

    def done(spoiler: Spoiler, name: str) -> None:
        sheets[name] = spoiler.frame
        planted.extend(spoiler.done)

    deals = Spoiler(f"{FILE}: Opportunities", sheets["Opportunities"], 20, 23)
    closed = deals.frame["Stage"].str.startswith("Closed")
    deals.set("missing id", "Opportunity ID", ["", ""])
    deals.set("close date before create date", "Close Date", ["1/15/2025", "2/3/2025", "1/31/2025"], closed)
    deals.set("unknown stage word", "Stage", ["Verbal OK", "Parked", "Verbal OK"], ~closed)
    deals.set("amount that is no number", "Amount", ["n/a", "n/a", "tbd"])
    deals.set("currency without a rate", "Amount Currency", ["ZZZ"])
    deals.edit("other date format in the column", "Close Date", 4, lambda cell: "{2}-{0:0>2}-{1:0>2}".format(*cell.split("/")), closed)
    deals.repeat("duplicate id", 3)
    deals.insert("subtotal row", [{"Opportunity ID": "Subtotal", "Amount": "1284500"}, {"Opportunity ID": "Subtotal", "Amount": "402100"}])
    deals.insert("blank row", [{}, {}])
    done(deals, "Opportunities")
    history = Spoiler(f"{FILE}: Opportunity History", sheets["Opportunity History"], 50, 131)
    history.edit("15 character id among 18 character ones", "Opportunity ID", 8, lambda cell: cell[:15])
    history.set("event of an unknown opportunity", "Opportunity ID", [ids.salesforce_key(f"O99{n}0") for n in (1, 2, 3)])
    done(history, "Opportunity History")
    leads = Spoiler(f"{FILE}: Leads", sheets["Leads"], 100, 211)
    leads.set("missing id", "Lead ID", [""])
    leads.set("impossible date", "Created Date", ["2/30/2026 9:15 AM", "13/45/2026 4:00 PM"])
    leads.repeat("duplicate id", 3)
    leads.insert("blank row", [{}, {}])
    done(leads, "Leads")
    steps = Spoiler(f"{FILE}: Lead History", sheets["Lead History"], 300, 977)
    steps.set("unknown status word", "New Value", ["Working?", "Hot", "Hot"])
    steps.set("event of an unknown lead", "Lead ID", [ids.salesforce_key(f"L9990{n}") for n in (1, 2)])
    done(steps, "Lead History")
    members = Spoiler(f"{FILE}: Campaign Members", sheets["Campaign Members"], 200, 1511)
    members.set("member of an unknown campaign", "Campaign ID", [ids.salesforce_key("C98"), ids.salesforce_key("C99")])
    done(members, "Campaign Members")
    return sheets, planted


def write(folder: Path, tables: dict[str, pd.DataFrame]) -> Faults:
    """Write the workbook; the planted faults come back. Every sheet has three title rows, a blank one, the headings, the records and the footer."""
    sheets, planted = spoil(reports(tables))
    pages = {}
    for name, frame in sheets.items():
        note = f" | Filtered by: Created Date on or after {ACTIVITIES_SINCE}" if name == "Tasks and Events" else ""
        records = (frame.ne("").any(axis=1) & (frame.iloc[:, 0] != "Subtotal")).sum()
        pages[name] = [[f"Northlight {name}"], ["As of 2026-11-16 08:00:00 Eastern Standard Time/EST"], [f"Filtered by: Show: All records{note}"], [],
                       list(frame.columns), *frame.itertuples(index=False), [], [f"Grand Totals ({records:,} records)"],
                       ["Confidential Information - Do Not Distribute"]]
        planted.append(("footer row", f"{FILE}: {name}", 2))
    workbook.write(folder / FILE, pages)
    return planted
