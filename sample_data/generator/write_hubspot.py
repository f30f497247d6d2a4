"""The HubSpot exports: four CSV files, UTF-8 with BOM, times as '2026-03-01 14:05' in New York time, stage history as `Date entered …` columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .faults import Faults, Spoiler
from .ids import hubspot, local
from .terms import corporate_rates
from .write_salesforce import CATEGORY, CHANCE

LIFECYCLE = {"inquiry": "Lead", "mql": "Marketing Qualified Lead", "sal": "Marketing Qualified Lead", "sql": "Sales Qualified Lead", "recycled": "Lead",
             "disqualified": "Other"}
BECAME = {"Became a Lead Date": "inquiry", "Became a Marketing Qualified Lead Date": "mql", "Became a Sales Qualified Lead Date": "sql"}
TYPE = {"new_business": "New Business", "expansion": "Existing Business", "renewal": "Renewal"}


def exports(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The files before any fault. HubSpot knows one person object: contacts.csv holds the leads and the contacts who never were one."""
    users, accounts, campaigns = tables["users"], tables["accounts"], tables["campaigns"]
    user, firm = dict(zip(users["user_id"], users["name"])), dict(zip(accounts["account_id"], accounts["name"]))
    campaign = dict(zip(campaigns["campaign_id"], campaigns["name"]))
    deals, history, leads, contacts = tables["opportunities"], tables["opp_history"], tables["leads"], tables["contacts"]
    now = history.drop_duplicates("opp_id", keep="last").set_index("opp_id").reindex(deals["opp_id"]).reset_index()
    entered = history.drop_duplicates(["opp_id", "stage"]).pivot(index="opp_id", columns="stage", values="changed_at").reindex(deals["opp_id"]).fillna("")
    record = {contact: lead or contact for contact, lead in zip(contacts["contact_id"], contacts["lead_id"])}  # a converted lead stays the same record
    roles = tables["opp_contact_roles"]
    people = hubspot(roles["contact_id"].map(record)).groupby(roles["opp_id"]).agg(";".join).reindex(deals["opp_id"]).fillna("").reset_index(drop=True)
    amount = pd.to_numeric(now["amount"])
    steps = tables["lead_stage_history"]
    first = steps.drop_duplicates(["lead_id", "stage"]).pivot(index="lead_id", columns="stage", values="entered_at").reindex(leads["lead_id"]).fillna("")
    status = steps.drop_duplicates("lead_id", keep="last").set_index("lead_id")["stage"].reindex(leads["lead_id"]).map(LIFECYCLE).fillna("Subscriber").reset_index(drop=True)
    won = set(now.loc[now["stage"] == "Closed Won", "opp_id"])
    customer = leads["converted_opportunity_id"].isin(won)
    closing = leads["converted_opportunity_id"].map(dict(zip(now["opp_id"], now["changed_at"]))).where(customer, "")
    others = contacts[contacts["lead_id"] == ""]
    frames = {
        "deals.csv": pd.DataFrame({
            "Record ID": hubspot(deals["opp_id"]), "Deal Name": deals["name"], "Pipeline": "Sales Pipeline", "Deal Stage": now["stage"], "Amount": now["amount"],
            "Currency": deals["currency"], "Amount in company currency": (amount * deals["currency"].map(corporate_rates())).round(2).astype(object),
            "Deal probability": now["stage"].map(CHANCE) / 100, "Forecast category": now["forecast_category"].map(CATEGORY),
            "Create Date": local(deals["created_at"], "iso"), "Close Date": now["close_date"] + " 00:00", "Deal owner": deals["owner_id"].map(user),
            "Deal Type": deals["type"].map(TYPE), "Associated Company IDs": hubspot(deals["account_id"]), "Associated Company": deals["account_id"].map(firm),
            "Associated Contact IDs": people, "First Touch Converting Campaign": deals["primary_campaign_id"].map(campaign).fillna(""),
            "Segment": deals["segment"], "Region": deals["region"], "Original Traffic Source": deals["lead_source"], "Next step": deals["next_step"], "Closed Lost Reason": deals["loss_reason"],
            **{f'Date entered "{stage} (Sales Pipeline)"': local(entered[stage].reset_index(drop=True), "iso") for stage in CHANCE}}),
        "contacts.csv": pd.concat([
            pd.DataFrame({
                "Record ID": hubspot(leads["lead_id"]), "Email": leads["email"], "Job Title": leads["title"], "Phone Number": leads["phone"],
                "Associated Company IDs": hubspot(leads["account_id"]), "Country/Region": leads["country"], "Region": leads["region"],
                "Segment": leads["segment"], "Original Traffic Source": leads["lead_source"], "Contact owner": leads["owner_id"].map(user).fillna(""),
                "Lifecycle Stage": status.where(leads["converted_at"] == "", "Opportunity").where(~customer, "Customer"),
                "Create Date": local(leads["created_at"], "iso"), **{name: local(first[stage].reset_index(drop=True), "iso") for name, stage in BECAME.items()},
                "Became an Opportunity Date": local(leads["converted_at"], "iso"), "Became a Customer Date": local(closing, "iso"),
                "Associated Deal IDs": hubspot(leads["converted_opportunity_id"]),
                "First Touch Converting Campaign": leads["source_campaign_id"].map(campaign).fillna("")}),
            pd.DataFrame({"Record ID": hubspot(others["contact_id"]), "Email": others["email"], "Associated Company IDs": hubspot(others["account_id"]),
                          "Create Date": local(others["created_at"], "iso")})], ignore_index=True).fillna(""),
        "companies.csv": pd.DataFrame({"Record ID": hubspot(accounts["account_id"]), "Company name": accounts["name"], "Company Domain Name": accounts["domain"],
                                       "Company owner": accounts["owner_id"].map(user), "Region": accounts["region"], "Segment": accounts["segment"]}),
        "campaigns.csv": pd.DataFrame({"Campaign ID": hubspot(campaigns["campaign_id"]), "Campaign name": campaigns["name"], "Type": campaigns["type"],
                                       "Start date": campaigns["start_date"], "End date": campaigns["end_date"], "Budget": campaigns["budget"],
                                       "Spend": campaigns["actual_cost"], "Currency": campaigns["currency"]}),
    }
    return {name: frame.astype(object).where(frame.notna(), "") for name, frame in frames.items()}


def spoil(files: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], Faults]:
    """Plant the faults of real exports."""
    deals = Spoiler("hubspot/deals.csv", files["deals.csv"], 31, 29)
    closed = deals.frame["Deal Stage"].str.startswith("Closed")
    deals.set("missing id", "Record ID", [""])
    deals.set("close date before create date", "Close Date", ["2025-01-20 00:00", "2025-02-11 00:00"], closed)
    deals.set("unknown stage word", "Deal Stage", ["Handshake", "On ice"], ~closed)
    deals.set("amount that is no number", "Amount", ["n/a", "n/a"])
    deals.edit("other date format in the column", "Create Date", 4, lambda cell: "{1}/{2}/{0} {3}".format(*cell[:10].split("-"), cell[11:]))
    deals.edit("deal of an unknown company", "Associated Company IDs", 2, lambda cell: "9109999999")
    deals.repeat("duplicate id", 2)
    people = Spoiler("hubspot/contacts.csv", files["contacts.csv"], 90, 311)
    qualified = people.frame["Became a Marketing Qualified Lead Date"] != ""
    people.set("missing id", "Record ID", [""])
    people.set("MQL date before create date", "Became a Marketing Qualified Lead Date", ["2024-03-01 10:00", "2024-04-02 11:30"], qualified)
    people.set("impossible date", "Create Date", ["2026-02-30 10:00"])
    people.repeat("duplicate id", 3)
    people.insert("blank row", [{}, {}])
    return files | {"deals.csv": deals.frame, "contacts.csv": people.frame}, deals.done + people.done


def write(folder: Path, tables: dict[str, pd.DataFrame]) -> Faults:
    """Write the four files; the planted faults come back."""
    files, planted = spoil(exports(tables))
    (folder / "hubspot").mkdir(parents=True, exist_ok=True)
    for name, frame in files.items():
        frame.to_csv(folder / "hubspot" / name, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return planted
