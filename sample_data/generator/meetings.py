"""What Northlight's meetings left behind: decisions, actions, changes of definitions, controlled tests,
what other reports showed, two weekly series."""

from __future__ import annotations


def rows(columns: str, text: str) -> list[dict]:
    """One record per line, cells between bars."""
    return [dict(zip(columns.split(), (cell.strip() for cell in line.split("|")), strict=True)) for line in text.strip().splitlines()]


DECISIONS = rows("decision_id title meeting raised_at decided_at status", """
    D01 | Tighten the SMB speed target to 240 minutes     | monthly_council      | 2025-12-04T15:00:00Z | 2025-12-18T15:00:00Z | decided
    D02 | Score template downloads as MQL                 | monthly_council      | 2026-06-04T14:00:00Z | 2026-06-11T14:00:00Z | decided
    D03 | Route APAC leads to the Mumbai desk             | weekly_triage        | 2026-01-12T15:00:00Z | 2026-01-26T15:00:00Z | decided
    D04 | Renew Always-on Retargeting for 2026            | monthly_council      | 2025-12-11T15:00:00Z | 2025-12-18T15:00:00Z | decided
    D05 | Second SDR for EMEA mornings                    | weekly_triage        | 2026-09-21T14:00:00Z | 2026-10-05T14:00:00Z | decided
    D06 | Security review template for Enterprise         | weekly_pipeline      | 2026-08-03T14:00:00Z |                      | open
    D07 | Attribution model for budget talks              | quarterly_governance | 2026-07-09T14:00:00Z |                      | open
    D08 | Close dates: no pushes without a next step      | weekly_pipeline      | 2026-03-02T15:00:00Z | 2026-03-09T14:00:00Z | decided
    D09 | Drop the Autumn Trial Push                      | monthly_council      | 2026-01-08T15:00:00Z | 2026-01-15T15:00:00Z | decided
    D10 | Recycle rule: nurture within 5 business days    | weekly_triage        | 2025-09-08T14:00:00Z | 2025-09-22T14:00:00Z | decided
    D11 | Public Sector as a segment of its own           | monthly_council      | 2026-05-07T14:00:00Z |                      | withdrawn
    D12 | Template Giveaway: stop, gate or keep           | campaign_standup     | 2026-10-14T14:00:00Z |                      | open
    D13 | Q4 bookings plan paced by season                | monthly_council      | 2026-09-24T14:00:00Z | 2026-10-01T14:00:00Z | decided
    D14 | Discount approval above 20 %                    | weekly_pipeline      | 2026-10-19T14:00:00Z | 2026-11-02T15:00:00Z | decided
""")

ACTIONS = rows("""action_id decision_id owner_function created_at due_date completed_at status metric_id direction baseline_x baseline_n measure_at
    after_x after_n""", """
    AX01 | D01 | sales     | 2025-12-18T16:00:00Z | 2026-01-05 | 2026-01-05T20:00:00Z | done      | sla.speed_to_lead.compliance   | up   | 118 | 160 | 2026-02-16 | 139 | 170
    AX02 | D10 | marketing | 2025-09-22T15:00:00Z | 2025-10-03 | 2025-10-02T15:00:00Z | done      | sla.recycle.compliance         | up   | 31  | 52  | 2025-11-14 | 47  | 58
    AX03 | D03 | revops    | 2026-01-26T16:00:00Z | 2026-02-13 | 2026-02-20T16:00:00Z | done      | dq.routing_failure             | down | 9   | 88  | 2026-03-31 | 5   | 92
    AX04 | D08 | sales     | 2026-03-09T15:00:00Z | 2026-03-31 | 2026-03-30T15:00:00Z | done      | forecast.hygiene               | down | 41  | 96  | 2026-05-04 | 24  | 101
    AX05 | D02 | marketing | 2026-06-11T15:00:00Z | 2026-06-15 | 2026-06-15T13:00:00Z | done      | funnel.cohort_conversion.mql->sql | up   | 61  | 140 | 2026-09-14 | 60  | 250
    AX06 | D05 | sales     | 2026-10-05T15:00:00Z | 2026-10-16 | 2026-10-16T14:00:00Z | done      | sla.speed_to_lead.compliance   | up   | 28  | 80  | 2026-11-30 |     |
    AX07 | D05 | revops    | 2026-10-05T15:00:00Z | 2026-10-23 |                      | open      | sla.speed_to_lead.compliance   | up   |     |     |            |     |
    AX08 | D06 | sales     | 2026-08-03T15:00:00Z | 2026-09-30 |                      | open      | velocity.aging                 | down |     |     |            |     |
    AX09 | D13 | revops    | 2026-10-01T15:00:00Z | 2026-10-09 | 2026-10-08T15:00:00Z | done      | targets.pacing                 | up   | 3   | 6   | 2026-11-09 | 4   | 6
    AX10 | D09 | marketing | 2026-01-15T16:00:00Z | 2026-01-30 | 2026-01-22T16:00:00Z | cancelled | campaign.cost_per_mql          | down |     |     |            |     |
    AX11 | D14 | sales     | 2026-11-02T16:00:00Z | 2026-11-20 |                      | open      | deal_size                      | up   |     |     |            |     |
    AX12 | D04 | marketing | 2025-12-18T16:00:00Z | 2026-01-05 | 2026-01-05T15:00:00Z | done      | pipeline.created.value         | up   |     |     |            |     |
    AX13 | D03 | sales     | 2026-01-26T16:00:00Z | 2026-02-27 | 2026-02-26T10:00:00Z | done      | sla.acceptance_rate            | up   | 22  | 35  | 2026-04-13 | 30  | 38
    AX14 | D08 | cs        | 2026-03-09T15:00:00Z | 2026-04-10 | 2026-04-09T15:00:00Z | done      | retention.nrr                  | up   | 30  | 34  | 2026-06-30 | 34  | 37
    AX15 | D12 | marketing | 2026-10-14T15:00:00Z | 2026-11-13 |                      | open      | funnel.cohort_conversion.mql->sql | up   |     |     |            |     |
    AX16 | D10 | marketing | 2025-09-22T15:00:00Z | 2025-11-07 | 2025-11-06T15:00:00Z | done      | funnel.recycle_recovery        | up   | 8   | 60  | 2026-01-30 | 11  | 64
""")

DEFINITION_CHANGES = rows("change_id metric_id effective_from rationale approved_by dashboards_updated_at training_at", """
    DC1 | sla.speed_to_lead       | 2026-01-05 | SMB target 240 minutes         | U01 | 2026-01-06 | 2026-01-08
    DC2 | funnel.entries.mql      | 2026-06-15 | template downloads score 60    | U01 | 2026-06-29 |
    DC3 | pipeline.created        | 2025-10-01 | entry at Discovery             | U01 | 2025-10-02 | 2025-10-06
    DC4 | winrate.count           | 2026-04-01 | duplicates left out            | U01 | 2026-04-02 | 2026-04-07
    DC5 | retention.nrr           | 2026-07-01 | constant exchange rates        | U01 | 2026-07-01 | 2026-07-09
    DC6 | bookings.won.value      | 2026-10-01 | paced by season                | U01 | 2026-10-02 | 2026-10-06
    DC7 | forecast.hygiene        | 2026-10-12 |                                |     |            |
""")

EXPERIMENTS = rows("experiment_id name arm planned_share n successes", """
    E1 | Call back within 15 minutes   | control   | 0.5 | 412 | 58
    E1 | Call back within 15 minutes   | treatment | 0.5 | 405 | 87
    E2 | Short form on Pricing Guide   | control   | 0.5 | 190 | 41
    E2 | Short form on Pricing Guide   | treatment | 0.5 | 183 | 44
""")

REPORTED_VALUES = rows("metric_id period segment source value", """
    funnel.entries.mql     | 2026-10 |            | revscore       | 279
    funnel.entries.mql     | 2026-10 |            | marketing_dash | 341
    funnel.entries.mql     | 2026-10 |            | crm_report     | 279
    funnel.entries.mql     | 2026-09 |            | revscore       | 234
    funnel.entries.mql     | 2026-09 |            | marketing_dash | 262
    pipeline.created.value | 2026-10 |            | revscore       | 1082284.5
    pipeline.created.value | 2026-10 |            | sales_dash     | 1247900
    pipeline.created.value | 2026-10 |            | crm_report     | 1084100
    bookings.won.value     | FY26Q3  |            | revscore       | 1558285.5
    bookings.won.value     | FY26Q3  |            | finance        | 1561400
    bookings.won.value     | FY26Q3  |            | sales_dash     | 1558285.5
    bookings.won.value     | FY26Q3  | Enterprise | revscore       | 796783.5
    bookings.won.value     | FY26Q3  | Enterprise | finance        | 798300
    winrate.count          | FY26Q3  |            | revscore       | 0.35185185185185186
    winrate.count          | FY26Q3  |            | sales_dash     | 0.41
    retention.nrr          | FY26Q3  |            | cs_dash        | 1.04
""")

_HELD = "39:44 38:49 37:45 38:48 27:44 38:52 35:47 41:50 35:44 27:38 39:50 32:45 38:46 28:42 32:38 30:40 31:37 28:37 19:41 38:45 30:39 33:40 30:38 42:50"
_DEMOS = "65 63 65 65 60 65 61 64 70 58 61 57 60 63 77 74 81 76 77 76 80 83 77 71"
METRIC_SERIES = [dict(series_id="Meetings held of booked", kind="p", t=week + 1, numerator=held, denominator=booked, value="")
                 for week, (held, booked) in enumerate(pair.split(":") for pair in _HELD.split())]
METRIC_SERIES += [dict(series_id="Demo requests", kind="x", t=week + 1, numerator="", denominator="", value=count) for week, count in enumerate(_DEMOS.split())]

ESCALATION = rows("level pct_of_target notify", """
    1 | 80  | owner
    2 | 100 | manager
    3 | 200 | director
    4 | 400 | revenue_council
""")
