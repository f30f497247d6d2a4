"""The team's terms and the records of its meetings: policies, rates, targets, recurring revenue, decisions, tests, settings."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from .clock import AS_OF, DAY, day_of, iso, month_end, seconds, stream
from .company import SEGMENTS, Account
from .deals import Deal, round_money, lognormal
from .leads import SPEED_TARGET, Lead

CONFIG = {
    "as_of": "2026-11-16T13:00:00Z", "reporting_tz": "America/New_York", "corporate_currency": "USD", "fx_mode": "corporate", "fiscal_start_month": 1,
    "fiscal_year_named_by": "end", "week_start": "monday", "lead_stages": ["inquiry", "mql", "sal", "sql", "opportunity", "won"],
    "lead_exit_stages": ["recycled", "disqualified"], "opp_open_stages": ["Prospecting", "Discovery", "Proposal", "Negotiation"],
    "opp_won_stage": "Closed Won", "opp_lost_stage": "Closed Lost", "pipeline_entry_stage": "Discovery", "pipeline_types": ["new_business", "expansion"],
    "omitted_category": "omitted", "excluded_loss_reasons": ["Duplicate"],
    "conversion_window_days": {"inquiry->mql": 30, "mql->sal": 14, "sal->sql": 30, "sql->opportunity": 30, "mql->opportunity": 60, "mql->won": 90},
    "stall_days": {"inquiry": 30, "mql": 7, "sal": 14, "sql": 30}, "rmst_tau_days": 90, "pacing_calendar": "US_EAST", "cohort_win_window_days": 60,
    "benchmark_min_n": 5, "retention_period": {"start": "2025-11-01", "end": "2026-10-31"},
    "fiscal_445_year_starts": [{"fy": "FY25", "start": "2024-12-30", "weeks": 52}, {"fy": "FY26", "start": "2025-12-29", "weeks": 52}],
}

# Corporate units per 1 unit; the plan rate changes with the year, the dated one with the quarter.
PLAN = {"USD": (1.0, 1.0), "GBP": (1.27, 1.31), "EUR": (1.08, 1.13), "INR": (0.0118, 0.0115)}
DATED = {"GBP": (1.26, 1.29, 1.34, 1.33, 1.32, 1.34, 1.35, 1.33), "EUR": (1.05, 1.13, 1.17, 1.16, 1.15, 1.17, 1.18, 1.16),
         "INR": (0.0117, 0.0117, 0.0115, 0.0113, 0.0112, 0.0113, 0.0111, 0.0112)}
QUARTER_STARTS = ("2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01")

# Northlight signs late in the quarter: cumulative share of a quarter's bookings after week 1, 2, … 13.
PROFILE = (0.025, 0.055, 0.09, 0.13, 0.175, 0.225, 0.28, 0.345, 0.42, 0.51, 0.63, 0.79, 1.0)


def corporate_rates() -> dict[str, float]:
    return {currency: now for currency, (_, now) in PLAN.items()}


def fx_rates() -> list[dict]:
    rows = [dict(currency=currency, kind="corporate", start_date=start, rate_to_corp=rate)
            for currency, rates in PLAN.items() for start, rate in zip(("2025-01-01", "2026-01-01"), rates)]
    return rows + [dict(currency=currency, kind="dated", start_date=start, rate_to_corp=rate)
                   for currency, rates in DATED.items() for start, rate in zip(QUARTER_STARTS, rates)]


def sla_policies() -> list[dict]:
    """Targets per segment; the SMB speed target was tightened from 300 to 240 minutes on 2026-01-05."""
    rows = []
    plan = {"speed_to_lead": (SPEED_TARGET, "business_minutes", None),
            "acceptance": ({"Enterprise": 480, "Mid-Market": 960, "SMB": 960, "Public Sector": 960}, "business_minutes", None),
            "meeting_set": ({"Enterprise": 5, "Mid-Market": 5, "SMB": 3, "Public Sector": 5}, "business_days", None),
            "follow_up": ({"Enterprise": 5, "Mid-Market": 5, "SMB": 3, "Public Sector": 5}, "business_days",
                          {"Enterprise": 4, "Mid-Market": 3, "SMB": 2, "Public Sector": 3}),
            "recycle": (dict.fromkeys(SEGMENTS, 5), "business_days", None)}
    for kind, (target, unit, number) in plan.items():
        for segment in SEGMENTS:
            spans = [("2025-01-01", "", target[segment])]
            if kind == "speed_to_lead" and segment == "SMB":
                spans = [("2025-01-01", "2026-01-04", 300), ("2026-01-05", "", 240)]
            rows += [dict(policy_id=f"P{len(rows) + k + 1:02d}", sla_type=kind, segment=segment, target=value, unit=unit,
                          touches_required=number[segment] if number else None, clock="business", effective_from=start, effective_to=end)
                     for k, (start, end, value) in enumerate(spans)]
    return rows


def sla_pauses(leads: list[Lead]) -> list[dict]:
    """About forty clocks that stood still because the prospect asked for it; two of them still do."""
    rng, rows = stream("pauses"), []
    for lead in leads:
        if lead.passes and rng.random() < 0.015:
            start = lead.passes[0].mql + int(rng.uniform(600, 5400))
            end = start + int(lognormal(rng, 26, 0.6) * 3600)
            if start < AS_OF:
                rows.append(dict(lead_id=lead.lead_id, sla_type="*" if rng.random() < 0.7 else "speed_to_lead", paused_at=iso(start),
                                 resumed_at=iso(end) if end < AS_OF else "",
                                 reason=str(rng.choice(("Prospect asked to call later", "Out of office", "Public holiday at prospect")))))
    return rows


REQUIRED = """lead inquiry email|lead inquiry lead_source|lead mql segment|lead mql country|lead sal owner_id|lead sal phone|lead sql account_id|
lead sql title|lead exit reason|opportunity Prospecting account_id|opportunity Discovery close_date|opportunity Proposal amount|
opportunity Proposal next_step|opportunity Negotiation primary_contact|opportunity Closed_Won primary_contact|opportunity Closed_Lost loss_reason"""


def required_fields() -> list[dict]:
    words = [line.split() for line in REQUIRED.replace("\n", "").split("|")]
    return [dict(object=kind, stage=stage.replace("_", " "), field=name) for kind, stage, name in words]


def recurring(accounts: list[Account], deals: list[Deal]) -> list[dict]:
    """The revenue ledger: opening balances of the old customers, then what won and lost deals, cancellations and come-backs did to them."""
    rng, booked, balance = stream("recurring"), {}, {}
    rates, money = corporate_rates(), {deal.account.account_id: deal.currency for deal in deals}

    def book(account: Account, day: dt.date, movement: str, amount: float) -> None:
        balance[account.account_id] = balance.get(account.account_id, 0.0) + amount
        key = (day.isoformat(), account.account_id, movement, account.segment)
        booked[key] = booked.get(key, 0.0) + amount

    happening: list[tuple[dt.date, str, Account, Deal | None]] = []
    for account in accounts:
        if account.is_customer:
            currency = money.setdefault(account.account_id, "USD")
            size = {"SMB": 9_500, "Mid-Market": 34_000, "Enterprise": 105_000, "Public Sector": 60_000}[account.segment]
            first = day_of(seconds("2023-02-01") + int(rng.uniform(0, 810) * DAY)).replace(day=1)
            book(account, first, "new", round_money(lognormal(rng, size, 0.5) / rates[currency], currency))
            if rng.random() < 0.17:
                happening.append((day_of(seconds("2025-07-01") + int(rng.uniform(0, 480) * DAY)), "cancelled", account, None))
    happening += [(deal.events[-1][3], "closed", deal.account, deal) for deal in deals if deal.closed]
    for day, what, account, deal in sorted(happening, key=lambda item: (item[0], item[2].account_id, item[1])):
        held, currency = balance.get(account.account_id, 0.0), money[account.account_id]
        if what == "cancelled" or (deal.type == "renewal" and deal.stage == "Closed Lost"):
            if held > 0:
                book(account, day, "churn", -held)
        elif deal.stage == "Closed Won" and deal.type != "renewal":
            movement = "expansion" if held > 0 else "reactivation" if account.account_id in balance else "new"
            book(account, day, movement, round_money(deal.amount * rates[deal.currency] / rates[currency], currency))
        elif deal.type == "renewal" and held > 0:
            if rng.random() < 0.22:
                book(account, day, "contraction", -round_money(held * rng.uniform(0.1, 0.4), currency))
            elif rng.random() < 0.3:
                book(account, day, "expansion", round_money(held * rng.uniform(0.03, 0.08), currency))
    return [dict(account_id=account, segment=segment, effective_date=day, movement=movement, amount=amount, currency=money[account])
            for (day, account, movement, segment), amount in sorted(booked.items())]


def periods() -> list[tuple[dt.date, dt.date, str]]:
    """The current quarter first (its targets come first in text order), then its months, then everything before."""
    starts = [day.date() for day in pd.date_range("2025-07-01", "2026-12-01", freq="MS")]
    quarters = [(day, month_end(month_end(month_end(day) + dt.timedelta(1)) + dt.timedelta(1)), "quarter") for day in starts if day.month % 3 == 1]
    return quarters[::-1] + [(day, month_end(day), "month") for day in starts][::-1]


def actuals(leads: list[Lead], deals: list[Deal], rates: dict[str, float]) -> dict[str, pd.DataFrame]:
    """What happened, as date, value, segment: bookings by close date, pipeline by entry into Discovery or beyond, new MQLs."""
    won, entered, mqls = [], [], []
    for deal in deals:
        if deal.type == "renewal" or deal.loss_reason == "Duplicate":
            continue
        entry = next((event for event in deal.events if event[1] not in ("Prospecting", "Closed Lost")), None)
        if entry:
            entered.append((day_of(entry[0] - 4 * 3600), (entry[2] or 0) * rates[deal.currency], deal.segment))
        if deal.stage == "Closed Won":
            won.append((deal.events[-1][3], deal.amount * rates[deal.currency], deal.segment))
    for lead in leads:
        if not lead.is_test and not lead.duplicate_of and lead.passes:
            mqls.append((day_of(lead.passes[0].mql - 4 * 3600), 1.0, lead.segment))
    return {name: pd.DataFrame(rows, columns=["date", "value", "segment"]).astype({"date": "datetime64[us]"})
            for name, rows in {"bookings.won.value": won, "pipeline.created.value": entered, "funnel.entries.mql": mqls}.items()}


def targets(leads: list[Lead], deals: list[Deal]) -> list[dict]:
    """Quarterly and monthly targets, whole company and per segment. Past plans scatter around what happened; the current quarter's bookings plan
    is set so that signatures to date are a little ahead of the seasonal profile (and far behind a straight line)."""
    rng, rows, happened = stream("targets"), [], actuals(leads, deals, corporate_rates())
    today = pd.Timestamp("2026-11-16")

    def add(metric: str, start: dt.date, end: dt.date, segment: str, owner: str, value: float, direction: str, pacing: str, profile: str = "") -> None:
        rows.append(dict(target_id=f"TG{len(rows) + 1:03d}", metric_id=metric, period_start=start.isoformat(), period_end=end.isoformat(), segment=segment,
                         owner_function=owner, value=value, direction=direction, pacing=pacing, profile_id=profile))

    def planned(metric: str, start: dt.date, end: dt.date, segment: str, grain: str, share: float) -> float:
        frame = happened[metric]
        frame = frame[(frame["date"] >= pd.Timestamp(start)) & (frame["date"] <= pd.Timestamp(end))]
        actual = frame.loc[frame["segment"] == segment, "value"].sum() if segment else frame["value"].sum()
        if pd.Timestamp(end) >= today:
            actual = actual / share if pd.Timestamp(start) <= today else happened[metric]["value"].sum() / 18 * (0.3 if segment else 1.5)
        step = 1 if metric == "funnel.entries.mql" else 5_000 if grain == "month" or segment else 10_000
        luck = 1.0 if pd.Timestamp(end) >= today else rng.uniform(0.9, 1.16)
        return float(max(step, round(actual * luck / step) * step))

    for start, end, grain in periods():
        elapsed = min(1.0, max(0.1, ((today.date() - start).days + 1) / ((end - start).days + 1)))
        bookings = {"quarter": 0.285, "month": 0.42}[grain]
        add("pipeline.created.value", start, end, "", "marketing+sales", planned("pipeline.created.value", start, end, "", grain, elapsed * 1.04),
            "up", "business_day")
        pacing = ("seasonal", "SP1") if grain == "quarter" else ("business_day", "")
        add("bookings.won.value", start, end, "", "sales", planned("bookings.won.value", start, end, "", grain, bookings), "up", *pacing)
        add("funnel.entries.mql", start, end, "", "marketing", planned("funnel.entries.mql", start, end, "", grain, elapsed * 1.12), "up", "linear")
        add("sla.speed_to_lead.compliance", start, end, "", "sales", 0.8 if start.year == 2025 else 0.82, "up", "none")
        if grain == "month":
            continue
        add("winrate.count", start, end, "", "sales", 0.36, "up", "none")
        add("velocity.cycle_time_won.median", start, end, "", "sales", 45.0, "down", "none")
        for segment in SEGMENTS[:3]:
            add("pipeline.created.value", start, end, segment, "marketing+sales",
                planned("pipeline.created.value", start, end, segment, grain, elapsed * {"SMB": 1.1, "Mid-Market": 1.02}.get(segment, 0.96)), "up", "business_day")
            add("bookings.won.value", start, end, segment, "sales",
                planned("bookings.won.value", start, end, segment, grain, {"SMB": 0.33, "Mid-Market": 0.3}.get(segment, 0.26)), "up", "seasonal", "SP1")
            add("winrate.count", start, end, segment, "sales", {"SMB": 0.38, "Mid-Market": 0.36}.get(segment, 0.32), "up", "none")
            add("sla.speed_to_lead.compliance", start, end, segment, "sales", 0.82, "up", "none")
    add("retention.nrr", dt.date(2025, 11, 1), dt.date(2026, 10, 31), "", "cs", 1.1, "up", "none")
    return rows


def seasonality() -> list[dict]:
    return [dict(profile_id="SP1", week=week + 1, cum_share=share) for week, share in enumerate(PROFILE)]
