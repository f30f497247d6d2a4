"""The canonical tables: the one shape that every extract is brought into.

Source: METRICS section 1. `TABLES["leads"].columns` lists the columns in order; `key` is the primary key. Types are those of
`Column.type`: `id` (text key), `ts` (UTC timestamp), `date` (calendar date without a zone), `num`, `text`, `enum`, `bool`.
A column that is not `needed` may be absent: the metrics that read it then say so, all others work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

ColumnType = Literal["id", "ts", "date", "num", "text", "enum", "bool"]


@dataclass(frozen=True)
class Column:
    """One column of a canonical table. `words` are the allowed values of an `enum` whose words are fixed (empty: free words)."""

    name: str
    type: ColumnType
    needed: bool = False
    meaning: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A canonical table: `title` is the word shown to readers, `role` whether it holds records of the CRM or the team's terms."""

    name: str
    title: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    role: Literal["records", "terms", "governance"] = "records"

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.needed)


DTYPES: Mapping[str, str] = {"id": "str", "text": "str", "enum": "str", "ts": "datetime64[us, UTC]", "date": "datetime64[us]",
                             "num": "float64", "bool": "boolean"}


def _table(name: str, title: str, key: str, columns: str, role: str = "records", meanings: Mapping[str, str] | None = None) -> Table:
    """Read the short form `name:type` (a trailing `!` = needed, `=a|b` = fixed words), so that the tables below can be read at a glance."""
    parsed = []
    for word in columns.split():
        column, _, rest = word.partition(":")
        kind, _, words = rest.partition("=")
        parsed.append(Column(column, kind.rstrip("!"), kind.endswith("!"), (meanings or {}).get(column, ""),
                             tuple(words.split("|")) if words else ()))
    return Table(name, title, tuple(key.split()), tuple(parsed), role)


LEAD_STATUSES = "inquiry|mql|sal|sql|recycled|disqualified"
FUNCTIONS = "marketing|sales|cs|revops"

_ALL = (
    _table("leads", "Leads", "lead_id", """lead_id:id! email:text account_id:id segment:enum region:enum country:text owner_id:id
        owner_type:enum=user|queue created_at:ts! lead_source:text source_campaign_id:id title:text phone:text is_test:bool
        duplicate_of:id converted_at:ts converted_contact_id:id converted_opportunity_id:id"""),
    _table("lead_stage_history", "Lead stage history", "event_id",
           f"event_id:id! lead_id:id! stage:enum!={LEAD_STATUSES} entered_at:ts! reason:text"),
    _table("contacts", "Contacts", "contact_id", "contact_id:id! account_id:id email:text created_at:ts lead_id:id"),
    _table("accounts", "Accounts", "account_id", "account_id:id! name:text segment:enum region:enum owner_id:id domain:text"),
    _table("opportunities", "Opportunities", "opp_id", """opp_id:id! name:text account_id:id segment:enum
        type:enum=new_business|expansion|renewal currency:text owner_id:id created_at:ts! primary_campaign_id:id next_step:text
        loss_reason:text region:enum lead_source:text"""),
    _table("opp_history", "Opportunity history", "event_id", """event_id:id! opp_id:id! changed_at:ts! stage:enum! amount:num
        close_date:date forecast_category:enum"""),
    _table("opp_contact_roles", "Contact roles", "opp_id contact_id",
           "opp_id:id! contact_id:id! role:text is_primary:bool added_at:ts"),
    _table("activities", "Activities", "activity_id", """activity_id:id! person_id:id opp_id:id occurred_at:ts! type:enum!
        direction:enum=outbound|inbound is_automated:bool user_id:id status:enum"""),
    _table("touches", "Campaign touches", "touch_id", f"""touch_id:id! person_id:id! campaign_id:id! occurred_at:ts! type:text
        is_response:bool owner_function:enum={FUNCTIONS}"""),
    _table("campaigns", "Campaigns", "campaign_id", f"""campaign_id:id! name:text type:text start_date:date end_date:date
        budget:num actual_cost:num currency:text owner_function:enum={FUNCTIONS}"""),
    _table("users", "Users", "user_id", f"""user_id:id! name:text function:enum={FUNCTIONS} calendar_id:id manager_id:id
        is_active:bool"""),
    _table("routing_log", "Routing log", "lead_id attempted_at",
           "lead_id:id! attempted_at:ts! result:enum!=assigned|failed|fallback_queue owner_id:id"),
    _table("sla_policies", "SLA policies", "policy_id", """policy_id:id! sla_type:enum! segment:enum target:num! unit:enum!
        touches_required:num clock:enum effective_from:date! effective_to:date""", "terms"),
    _table("sla_pauses", "SLA pauses", "lead_id sla_type paused_at",
           "lead_id:id! sla_type:enum paused_at:ts! resumed_at:ts reason:text"),
    _table("sla_escalation_levels", "Escalation levels", "level", "level:num! pct_of_target:num! notify:text", "terms"),
    _table("business_calendars", "Business calendars", "calendar_id weekday open",
           "calendar_id:id! tz:text! weekday:num! open:text! close:text!", "terms"),
    _table("holidays", "Holidays", "calendar_id date", "calendar_id:id! date:date! name:text", "terms"),
    _table("region_calendars", "Calendars of regions", "region", "region:enum! calendar_id:id!", "terms"),
    _table("fx_rates", "Exchange rates", "currency kind start_date",
           "currency:text! kind:enum!=corporate|dated start_date:date! rate_to_corp:num!", "terms"),
    _table("targets", "Targets", "target_id", """target_id:id! metric_id:text! period_start:date! period_end:date! segment:enum
        owner_function:text value:num! direction:enum=up|down pacing:enum=linear|business_day|seasonal|none profile_id:id""", "terms"),
    _table("seasonality_profiles", "Seasonality profiles", "profile_id week", "profile_id:id! week:num! cum_share:num!", "terms"),
    _table("arr_ledger", "Recurring revenue ledger", "account_id effective_date movement", """account_id:id! segment:enum
        effective_date:date! movement:enum=new|expansion|contraction|churn|reactivation amount:num! currency:text"""),
    _table("decisions", "Decisions", "decision_id", """decision_id:id! title:text meeting:text raised_at:ts! decided_at:ts
        status:enum=open|decided|withdrawn""", "governance"),
    _table("actions", "Actions", "action_id", """action_id:id! decision_id:id owner_function:text created_at:ts due_date:date
        completed_at:ts status:enum=open|done|cancelled metric_id:text direction:enum=up|down baseline_x:num baseline_n:num
        measure_at:date after_x:num after_n:num""", "governance"),
    _table("definition_changes", "Definition changes", "change_id", """change_id:id! metric_id:text effective_from:date!
        rationale:text approved_by:id dashboards_updated_at:date training_at:date""", "governance"),
    _table("reported_values", "Reported values", "metric_id period segment source",
           "metric_id:text! period:text! segment:enum source:text! value:num", "governance"),
    _table("required_fields", "Required fields", "object stage field", "object:text! stage:text! field:text!", "terms"),
    _table("experiments", "Controlled tests", "experiment_id arm",
           "experiment_id:id! name:text arm:text! planned_share:num n:num successes:num", "governance"),
    _table("metric_series", "Weekly series", "series_id t",
           "series_id:id! kind:text t:num! numerator:num denominator:num value:num", "governance"),
    _table("calendar_cases", "Dates to label", "date", "date:date!", "terms"),
)

TABLES: Mapping[str, Table] = {table.name: table for table in _ALL}


def empty(table: str) -> pd.DataFrame:
    """A frame of `table` with every canonical column, typed, and no row."""
    return _empty(table).copy(deep=False)


@cache
def _empty(table: str) -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=DTYPES[column.type]) for column in TABLES[table].columns})


def conform(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with its canonical columns only, in order and typed; absent columns stay absent.

    Text is pandas `str` with missing as NaN; `ts` is UTC; `date` is a midnight without zone; `bool` is nullable.

    Raises
    ------
    ValueError, TypeError
        when a value does not fit its column's type: the gate (`intake.clean`) brings values into shape before this.
    """
    spec = TABLES[table]
    present = [column for column in spec.columns if column.name in frame.columns]
    return pd.DataFrame({column.name: frame[column.name].astype(DTYPES[column.type]) for column in present},
                        index=pd.RangeIndex(len(frame)) if not present else None).reset_index(drop=True)
