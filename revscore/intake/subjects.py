"""What a sheet can be about, and the fields it may bring: the middle between headings of a CRM and canonical tables.

A field without a canonical column of its own (a flag, a stamp, a name to join by) is used to make one; `target` says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from revscore.core import schema

NOT_USED = "(not used)"


@dataclass(frozen=True)
class Field:
    """A field of a subject. `kind`: a column type of the schema, or `money` (a number that may carry a currency). `target`: table.column."""

    name: str
    kind: str
    target: str


@dataclass(frozen=True)
class Subject:
    """`tables` are the canonical tables that its sheets feed; `needs` the fields without which a sheet says nothing (any one of a "|" group)."""

    name: str
    title: str
    tables: tuple[str, ...]
    needs: tuple[str, ...]
    fields: Mapping[str, Field]

    @property
    def dated(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields.values() if f.kind in ("ts", "date"))


def _subject(name: str, title: str, tables: str, needs: str, fields: str) -> Subject:
    """`field:kind` goes to the first table's column of that name, `field:kind>table.column` says another one."""
    home = tables.split()
    out = {}
    for word in fields.split():
        field, _, rest = word.partition(":")
        kind, _, target = rest.partition(">")
        out[field] = Field(field, kind, target or f"{home[0]}.{field}")
    return Subject(name, title, tuple(home), tuple(needs.split()), out)


_ALL = (
    _subject("deal", "Opportunities", "opportunities opp_history", "opp_id|name stage|status", """opp_id:id name:text account_id:id
        account_name:text>accounts.name product:text>opportunities.name segment:text industry:text>opportunities.segment region:text
        country:text>opportunities.region type:text currency:text home_currency:text>fx_rates.currency owner_id:id owner_name:text>users.name created_at:ts
        campaign_id:id>opportunities.primary_campaign_id campaign_name:text>campaigns.name next_step:text loss_reason:text lead_source:text
        stage:text>opp_history.stage status:text>opp_history.stage status_reason:text>opportunities.loss_reason is_won:bool>opp_history.stage
        is_lost:bool>opp_history.stage is_closed:bool>opp_history.stage amount:money>opp_history.amount actual_amount:money>opp_history.amount
        amount_home:money>fx_rates.rate_to_corp close_date:date>opp_history.close_date closed_at:ts>opp_history.changed_at
        won_at:ts>opp_history.changed_at lost_at:ts>opp_history.changed_at forecast_category:text>opp_history.forecast_category
        probability:num>opp_history.stage pipeline:text>opp_history.stage stage_changed_at:ts>opp_history.changed_at
        modified_at:ts>opp_history.changed_at contact_ids:text>opp_contact_roles.contact_id contact_name:text>opp_contact_roles.contact_id
        lead_id:id>leads.converted_opportunity_id is_deleted:bool>opportunities.opp_id"""),
    _subject("deal_state", "States of opportunities", "opp_history", "opp_id|opp_name changed_at stage", """event_id:id opp_id:id
        opp_name:text>opportunities.name changed_at:ts stage:text amount:money close_date:date forecast_category:text probability:num>opp_history.stage
        is_won:bool>opp_history.stage is_closed:bool>opp_history.stage is_deleted:bool>opp_history.event_id"""),
    _subject("deal_change", "Changes of opportunities", "opp_history", "opp_id|opp_name changed_at new_value", """event_id:id opp_id:id
        opp_name:text>opportunities.name changed_at:ts field:text>opp_history.stage old_value:text>opp_history.stage new_value:text>opp_history.stage"""),
    _subject("stage_list", "Stages of the pipeline", "opp_history", "label|stage_id", """stage_id:id>opp_history.stage label:text>opp_history.stage
        pipeline:text>opp_history.stage position:num>opp_history.stage is_won:bool>opp_history.stage is_closed:bool>opp_history.stage
        probability:num>opp_history.stage"""),
    _subject("lead", "Leads", "leads lead_stage_history", "lead_id|email", """lead_id:id email:text account_id:id account_name:text>accounts.name
        segment:text industry:text>leads.segment region:text country:text owner_id:id owner_name:text>users.name created_at:ts lead_source:text
        campaign_id:id>leads.source_campaign_id campaign_name:text>campaigns.name title:text phone:text is_test:bool duplicate_of:id
        status:text>lead_stage_history.stage lead_status:text>lead_stage_history.stage state:text>lead_stage_history.stage
        reason:text>lead_stage_history.reason is_converted:bool>leads.converted_at converted_at:ts converted_account_id:id>leads.account_id
        converted_contact_id:id converted_opportunity_id:id inquiry_at:ts>lead_stage_history.entered_at mql_at:ts>lead_stage_history.entered_at
        sal_at:ts>lead_stage_history.entered_at sql_at:ts>lead_stage_history.entered_at recycled_at:ts>lead_stage_history.entered_at
        disqualified_at:ts>lead_stage_history.entered_at modified_at:ts>lead_stage_history.entered_at is_deleted:bool>leads.lead_id
        name:text>leads.converted_opportunity_id topic:text>leads.converted_opportunity_id"""),
    _subject("lead_change", "Changes of leads", "lead_stage_history", "lead_id changed_at new_value", """event_id:id lead_id:id
        changed_at:ts>lead_stage_history.entered_at field:text>lead_stage_history.stage old_value:text>lead_stage_history.stage
        new_value:text>lead_stage_history.stage reason:text"""),
    _subject("contact", "Contacts", "contacts", "contact_id|email", """contact_id:id account_id:id account_name:text>accounts.name email:text
        created_at:ts lead_id:id is_deleted:bool>contacts.contact_id"""),
    _subject("account", "Accounts", "accounts", "account_id|name", """account_id:id name:text segment:text industry:text>accounts.segment region:text
        country:text>accounts.region owner_id:id owner_name:text>users.name website:text>accounts.domain is_deleted:bool>accounts.account_id"""),
    _subject("campaign", "Campaigns", "campaigns", "campaign_id|name", """campaign_id:id name:text type:text start_date:date end_date:date budget:money
        actual_cost:money currency:text is_deleted:bool>campaigns.campaign_id"""),
    _subject("member", "Campaign members", "touches", "campaign_id|campaign_name person_id|lead_id|contact_id", """touch_id:id campaign_id:id
        campaign_name:text>campaigns.name person_id:id lead_id:id>touches.person_id contact_id:id>touches.person_id responded_at:ts>touches.occurred_at
        added_at:ts>touches.occurred_at created_at:ts>touches.occurred_at type:text is_response:bool is_deleted:bool>touches.touch_id
        campaign_type:text>campaigns.type campaign_start:date>campaigns.start_date campaign_end:date>campaigns.end_date
        campaign_budget:money>campaigns.budget campaign_cost:money>campaigns.actual_cost"""),
    _subject("contact_role", "Contact roles", "opp_contact_roles", "opp_id contact_id", """opp_id:id contact_id:id role:text is_primary:bool added_at:ts
        is_deleted:bool>opp_contact_roles.opp_id"""),
    _subject("activity", "Activities", "activities", "due_at|done_at|starts_at|created_at", """activity_id:id person_id:id
        lead_id:id>activities.person_id contact_id:id>activities.person_id
        is_automated:bool opp_id:id
        related:text>activities.opp_id created_at:ts>activities.occurred_at due_at:ts>activities.occurred_at done_at:ts>activities.occurred_at
        starts_at:ts>activities.occurred_at type:text call_type:text>activities.direction direction:text title:text>activities.type status:text
        is_done:bool>activities.status no_show:bool>activities.status user_id:id owner_name:text>users.name is_deleted:bool>activities.activity_id"""),
    _subject("activity_person", "People of activities", "activities", "activity_id person_id", "activity_id:id person_id:id"),
    _subject("activity_deal", "Opportunities of activities", "activities", "activity_id opp_id", "activity_id:id opp_id:id"),
    _subject("deal_company", "Accounts of opportunities", "opportunities", "opp_id account_id", "opp_id:id account_id:id"),
    _subject("user", "Users", "users", "user_id|name", """user_id:id name:text first_name:text>users.name last_name:text>users.name
        email:text>users.name role:text>users.function region:text>opportunities.region manager_id:id manager_name:text>users.manager_id is_active:bool"""),
    _subject("goal", "Targets", "targets", "value", """target_id:id name:text>targets.target_id parent:text>targets.target_id metric:text>targets.metric_id
        owner_id:id>targets.owner_function owner_name:text>targets.owner_function value:money currency:text>fx_rates.currency period:text>targets.period_start
        period_start:date period_end:date fiscal_period:text>targets.period_start fiscal_year:text>targets.period_start"""),
    _subject("rate", "Exchange rates", "fx_rates", "currency conversion_rate", """currency:text conversion_rate:num>fx_rates.rate_to_corp
        start_date:date"""),
    _subject("product", "Products", "opportunities", "name", "name:text"),
)

SUBJECTS: Mapping[str, Subject] = {s.name: s for s in _ALL} | {
    table.name: Subject(table.name, table.title, (table.name,), table.needed,
                        {c.name: Field(c.name, c.type, f"{table.name}.{c.name}") for c in table.columns})
    for table in schema.TABLES.values()}
