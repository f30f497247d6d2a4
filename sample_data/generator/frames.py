"""The simulated company as canonical frames: one per table, exact column names and order, every cell text or a number."""

from __future__ import annotations

import pandas as pd

from . import meetings, terms
from .clock import iso, stream
from .company import CAMPAIGNS, accounts, calendars, users
from .deals import deals
from .leads import leads
from .touches import activities, contacts, touches

FLAGS = {True: "true", False: "false"}


def simulate() -> dict[str, pd.DataFrame]:
    """The whole company, before any fault is planted. Missing is an empty text, flags are 'true'/'false', times are ISO in UTC."""
    opening, off, regions, clocks = calendars()
    people, rates = users(), terms.corporate_rates()
    firms = accounts(people)
    calendar = {row["region"]: row["calendar_id"] for row in regions}
    persons = leads(firms, people, clocks)
    sales = deals(persons, firms, people, clocks, rates)
    known, roles, involved = contacts(persons, sales)
    gap = stream("gaps").random(len(persons))
    events = [(moment, lead.lead_id, stage, reason) for lead in persons for moment, stage, reason in lead.events]
    changes = [(event, deal.opp_id) for deal in sales for event in deal.events]
    tables = {
        "users": [dict(user_id=user.user_id, name=user.name, function=user.function, calendar_id=calendar[user.region], manager_id=user.manager_id,
                       is_active=FLAGS[user.is_active]) for user in people],
        "business_calendars": opening, "region_calendars": regions, "holidays": off, "fx_rates": terms.fx_rates(),
        "sla_policies": terms.sla_policies(), "sla_escalation_levels": meetings.ESCALATION, "required_fields": terms.required_fields(),
        "campaigns": [dict(campaign_id=c.campaign_id, name=c.name, type=c.type, start_date=c.start, end_date=c.end, budget=c.budget, actual_cost=c.cost,
                           currency=c.currency, owner_function=c.function) for c in CAMPAIGNS],
        "accounts": [dict(account_id=a.account_id, name=a.name, segment=a.segment, region=a.region, owner_id=a.owner_id, domain=a.domain) for a in firms],
        "leads": [dict(lead_id=x.lead_id, email=x.email, account_id=x.account.account_id if x.account else "", segment=x.segment, region=x.region,
                       country=x.country, owner_id=x.owner, owner_type="user" if x.owner else "queue" if x.queue else "", created_at=iso(x.created),
                       lead_source=x.source if gap[i] > 0.02 else "unknown", source_campaign_id=x.campaign.campaign_id if x.campaign else "",
                       title=x.title, phone=x.phone, is_test=FLAGS[x.is_test], duplicate_of=x.duplicate_of, converted_at=iso(x.converted),
                       converted_contact_id=x.contact_id, converted_opportunity_id=x.opp_id) for i, x in enumerate(persons)],
        "lead_stage_history": [dict(event_id=f"LE{i + 1:05d}", lead_id=lead_id, stage=stage, entered_at=iso(moment), reason=reason)
                               for i, (moment, lead_id, stage, reason) in enumerate(sorted(events, key=lambda event: event[:2]))],
        "contacts": [dict(contact_id=k.contact_id, account_id=k.account.account_id, email=k.email, created_at=iso(k.created), lead_id=k.lead_id)
                     for k in known],
        "routing_log": [dict(lead_id=lead.lead_id, attempted_at=iso(moment), result=result, owner_id=owner)
                        for lead in persons for moment, result, owner in lead.routing],
        "sla_pauses": terms.sla_pauses(persons),
        "opportunities": [dict(opp_id=d.opp_id, name=d.name, account_id=d.account.account_id, segment=d.segment, type=d.type, currency=d.currency,
                               owner_id=d.owner, created_at=iso(d.created), primary_campaign_id=d.campaign_id, next_step=d.next_step,
                               loss_reason=d.loss_reason, region=d.region,
                               lead_source=d.lead.source if d.lead else "Customer" if d.type != "new_business" else "Sales Prospecting") for d in sales],
        "opp_history": [dict(event_id=f"OE{i + 1:05d}", opp_id=opp_id, changed_at=iso(moment), stage=stage, amount=amount, close_date=close.isoformat(),
                             forecast_category=category)
                        for i, ((moment, stage, amount, close, category), opp_id) in enumerate(sorted(changes, key=lambda c: (c[0][0], c[1])))],
        "opp_contact_roles": [dict(opp_id=r.opp_id, contact_id=r.contact_id, role=r.role, is_primary=FLAGS[bool(r.is_primary)], added_at=iso(r.added))
                              for r in roles],
        "activities": [row | dict(occurred_at=iso(row["occurred_at"]), is_automated=FLAGS[row["is_automated"]])
                       for row in activities(persons, sales, involved, people, clocks)],
        "touches": [row | dict(occurred_at=iso(row["occurred_at"]), is_response=FLAGS[row["is_response"]])
                    for row in touches(persons, sales, involved)],
        "targets": terms.targets(persons, sales), "seasonality_profiles": terms.seasonality(), "arr_ledger": terms.recurring(firms, sales),
        "decisions": meetings.DECISIONS, "actions": meetings.ACTIONS, "definition_changes": meetings.DEFINITION_CHANGES, "experiments": meetings.EXPERIMENTS,
        "reported_values": meetings.REPORTED_VALUES, "metric_series": meetings.METRIC_SERIES,
    }
    return {name: pd.DataFrame(rows).astype(object).where(lambda cells: cells.notna(), "") for name, rows in tables.items()}
