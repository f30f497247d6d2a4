"""What the younger metrics read, added to a random workbook: required fields, governance tables, a revenue ledger, series and tests, and dirt in fields.

It draws from its own random numbers, so that a seed's leads and deals stay what they were.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracles.workbooks import Workbook

BLANKS = [None, "", "  ", "N/A", "Tbd", "unknown", " none ", "-", "TEST"]
LEAD_FIELDS = ["email", "lead_source", "segment", "country", "owner_id", "phone", "account_id", "title", "region", "owner_type", "source_campaign_id"]
OPP_FIELDS = ["account_id", "close_date", "amount", "next_step", "primary_contact", "loss_reason", "name", "owner_id", "primary_campaign_id", "segment"]
METRICS = ["funnel.entries.mql", "pipeline.created.value", "winrate.count", "retention.nrr"]


def add_more(book: Workbook, seed: int) -> None:
    kept, book.rng = book.rng, random.Random(f"more {seed}")
    for step in (_settings, _fields, _required, _routing, _governance, _reported, _ledger, _series, _targets, _report):
        step(book)
    book.rng = kept


def _settings(book: Workbook) -> None:
    book.config["hygiene"] |= {"commit_category": book.categories[-1], "commit_min_stage": book.pick(book.stages), "stale_days": book.pick([30, 10, 20]),
                               "push_threshold": book.pick([2, 1])}
    if book.chance(0.3):
        book.config["placeholders"] = ["xx", "TBD", "?"]
    if book.chance(0.5):
        book.config["reporting_consistency"] = {"canonical_source": book.pick(["revscore", "warehouse"]), "rel_tol": book.pick([0.005, 0.05, 0])}
    end = book.today - timedelta(days=book.rng.randint(0, 200))
    book.config["retention_period"] = {"start": str(end - timedelta(days=book.pick([365, 364, 90]))), "end": str(end)}
    if book.chance(0.3):
        del book.config["retention_period"]  # the last twelve complete months
    if "stats" in book.config:
        book.config["stats"] |= {"spc_baseline_points": book.pick([12, 12, 8, 5]), "spc_run_length": book.pick([8, 8, 5, 3]), "min_n_effect": book.pick([10, 20])}


def _fields(book: Workbook) -> None:
    leads = book.tables["leads"]
    for lead in leads:
        lead |= {"title": book.pick(["VP", "Buyer", *BLANKS]), "phone": book.pick(["+1", "+2", "+3", *BLANKS]), "owner_type": book.pick(["user"] * 5 + ["queue", None])}
        if book.chance(0.15):
            lead["country"] = book.pick(BLANKS)
        if book.chance(0.1):
            lead["lead_source"] = book.pick(BLANKS)
        if book.chance(0.15):
            lead["email"] = book.pick([None, "", "  ", f" {book.pick(leads)['email'] or ''} ".upper(), book.pick(leads)["email"]])
    for k in range(book.pick([0, 0, 2])):  # not there yet
        book.add("leads", **(leads[0] | {"lead_id": f"LZ{k}", "created_at": book.as_of + timedelta(hours=1 + k), "converted_at": None, "converted_contact_id": None,
                                         "converted_opportunity_id": None, "duplicate_of": None, "is_test": False}))
    for opp in book.tables["opportunities"]:
        opp |= {"next_step": book.pick(["call", "demo", "Send n/a form", *BLANKS]), "primary_campaign_id": book.pick([None, *book.campaign_ids])}
    opp_ids = [o["opp_id"] for o in book.tables["opportunities"]]
    for activity in book.tables["activities"]:
        activity["opp_id"] = book.pick(opp_ids) if opp_ids and book.chance(0.15) else None


def _required(book: Workbook) -> None:
    stages = ["inquiry", "mql", "sal", "sql", *book.some(["opportunity"], 0, 1)]
    for stage in stages:
        for field in book.some(LEAD_FIELDS, 0, 4):
            book.add("required_fields", object="lead", stage=stage, field=field)
    for field in book.some(["reason", "phone"], 0, 2):
        book.add("required_fields", object="lead", stage="exit", field=field)
    for stage in [*book.stages, book.won, book.lost]:
        for field in book.some(OPP_FIELDS, 0, 3):
            book.add("required_fields", object="opportunity", stage=stage, field=field)


def _routing(book: Workbook) -> None:
    """More attempts of everyone, at, before and after their events; one attempt per lead and instant."""
    for event in book.tables["lead_stage_history"]:
        if book.chance(0.2):
            when = event["entered_at"] + timedelta(minutes=book.pick([0, 0, -1, 3, 5000]))
            book.add("routing_log", lead_id=event["lead_id"], attempted_at=when, result=book.pick(["assigned", "failed", "fallback_queue"]), owner_id=None)
    seen = {(r["lead_id"], r["attempted_at"]): r for r in book.tables["routing_log"]}
    book.tables["routing_log"] = list(seen.values())


def _governance(book: Workbook) -> None:
    for k in range(book.rng.randint(0, 12)):
        raised = book.moment(150)
        status = book.pick(["decided", "decided", "decided", "open", "withdrawn"])
        book.add("decisions", decision_id=f"D{k}", title=f"Decision {k}", meeting="council", raised_at=raised, decided_at=book.later(raised, 15) if status == "decided" else None, status=status)
    for k in range(book.rng.randint(0, 16)):
        made = book.moment(150)
        due, status = made.astimezone(book.zone).date() + timedelta(days=book.rng.randint(0, 40)), book.pick(["done", "done", "done", "open", "cancelled"])
        at = None
        if status == "done":
            at = book.pick([book.later(made, 20), max(made, datetime.combine(due, datetime.max.time(), book.zone).replace(microsecond=0))])
        measured = at is not None and book.chance(0.8)
        n, after = book.pick([5, 9, 10, 19, 20, 80, 300]), book.pick([3, 9, 10, 20, 90, 310, None]) if measured else None
        book.add("actions", action_id=f"AX{k}", decision_id="D0", owner_function=book.pick(["sales", "marketing"]), created_at=made, due_date=due, completed_at=at, status=status,
                 metric_id=book.pick(METRICS), direction=book.pick(["up", "down"]), baseline_x=book.rng.randint(0, n), baseline_n=n,
                 measure_at=book.today + timedelta(days=book.pick([-30, -5, -1, 0, 1, 20])) if measured else None, after_x=None if after is None else book.rng.randint(0, after), after_n=after)
    for k in range(book.rng.randint(0, 8)):
        book.add("definition_changes", change_id=f"DC{k}", metric_id=book.pick(METRICS), effective_from=book.today - timedelta(days=book.rng.randint(0, 120)),
                 rationale=book.pick(["clearer", "clearer", "", "  "]), approved_by=book.pick(["U1", "U1", None]),
                 dashboards_updated_at=book.pick([book.today, book.today, None]), training_at=book.pick([book.today, book.today, None]))


def _reported(book: Workbook) -> None:
    truth = book.config.get("reporting_consistency", {}).get("canonical_source", "revscore")
    for metric in book.some(METRICS, 0, 4):
        for period in ("2025-05", "FY26Q1"):
            for segment in (None, book.segments[0]):
                value = book.pick([100, 0, 200, 0.25, 1000])
                for source in book.some([truth, truth, "crm", "finance"], 1, 4):
                    if source == truth and any(r["source"] == truth and (r["metric_id"], r["period"], r["segment"]) == (metric, period, segment) for r in book.tables["reported_values"]):
                        continue
                    told = value if source == truth else book.pick([value, value * 1.005, value * 1.04, value + 1, -value, value * 0.997])
                    book.add("reported_values", metric_id=metric, period=period, segment=segment, source=source, value=told)


def _ledger(book: Workbook) -> None:
    book.tables["arr_ledger"] = []
    period = book.config.get("retention_period", {})
    edges = [date.fromisoformat(d) for d in period.values()]
    for k in range(book.pick([0, 1, 6, 14, 25])):
        segment, currency = book.pick(book.segments), book.pick(book.currencies)
        on = book.today - timedelta(days=book.rng.randint(100, 900))
        balance, movement, amount = 0.0, "new", book.pick([1000, 25000.5, 0.004, 333.33])
        for _ in range(book.rng.randint(1, 6)):
            book.add("arr_ledger", account_id=f"A{k:02d}", segment=segment, effective_date=on, movement=movement, amount=amount, currency=currency)
            balance = round(balance + amount, 4)
            on = book.pick([on + timedelta(days=book.rng.randint(1, 250)), *(e for e in edges if e > on)])
            if balance <= 0.01:
                movement, amount = "reactivation", book.pick([500, 12345.67])
            else:
                movement = book.pick(["expansion", "contraction", "churn", "expansion"])
                amount = {"expansion": book.pick([100, 777.77]), "contraction": -round(balance * book.pick([0.1, 0.5]), 2), "churn": -balance}[movement]


def _series(book: Workbook) -> None:
    for name, kind in (("S1", "p"), ("S2", "x"), ("S3", "p"), ("S4", "x")):
        if book.chance(0.2):
            continue
        level, spread = book.pick([0.2, 0.5, 0.9]), book.pick([1, 5, 0])
        for t in range(1, book.pick([1, 3, 9, 13, 20, 40]) + 1):
            n = book.rng.randint(4, 60)
            shift = 0.3 if t > 14 and level < 0.6 else 0.0
            x = sum(book.chance(level + shift) for _ in range(n))
            value = 50 + book.rng.randint(-spread, spread) + (4 if t > 12 else 0) + (30 if book.chance(0.05) else 0)
            book.add("metric_series", series_id=name, kind=kind, t=t, **({"numerator": x, "denominator": n} if kind == "p" else {"value": value}))
    for k in range(book.pick([0, 1, 4])):
        base, effect, share = book.pick([0.1, 0.4, 0.0, 1.0]), book.pick([0, 0.2, -0.1]), book.pick([0.5, 0.5, 0.7])
        size = book.pick([10, 60, 500])
        for arm, part, p in (("control", 1 - share, base), ("treatment", share, base + effect)):
            n = max(1, round(size * part * book.pick([1, 1, 1.05, 1.3])))
            book.add("experiments", experiment_id=f"E{k}", name=f"Test {k}", arm=arm, planned_share=round(part, 2), n=n, successes=sum(book.chance(p) for _ in range(n)))


def _targets(book: Workbook) -> None:
    functions = ["marketing", "sales", "cs", "marketing+sales"]
    for target in book.tables["targets"]:
        target["owner_function"] = book.pick(functions)
    for k, segment in enumerate(book.some([None, *book.segments], 0, 2)):
        book.add("targets", target_id=f"TR{k}", metric_id="retention.nrr", period_start=book.today - timedelta(days=400), period_end=book.today - timedelta(days=35), segment=segment,
                 owner_function="cs", value=book.pick([1.05, 0.5]), direction="up", pacing="none", profile_id=None)


def _report(book: Workbook) -> None:
    """Now and then the report asks for other periods, series and targets than its default rules would."""
    if not book.chance(0.3):
        return
    first = book.config["fiscal_start_month"]

    def month(back: int) -> date:
        day = book.today.replace(day=1)
        for _ in range(back):
            day = (day - timedelta(days=1)).replace(day=1)
        return day

    def quarter(day: date) -> str:
        place = (day.month - first) % 12
        year = (day.year if day.month >= first else day.year - 1) + (first > 1 and book.config["fiscal_year_named_by"] == "end")
        return f"FY{year % 100:02d}Q{place // 3 + 1}"

    bookings = [t["target_id"] for t in book.tables["targets"] if t["metric_id"] == "bookings.won.value"]
    months = [f"{month(k):%Y-%m}" for k in (5, 2, 1)]
    asked = [("current_quarter", quarter(month(book.pick([0, 3])))), ("quarters", [quarter(month(9)), quarter(month(0))]), ("months", months), ("segments", book.segments[:2]), ("fytd_start", str(month(4))),
             ("equal_age", [{"pair": "inquiry->mql", "older": months[0], "younger": months[2]}]), ("slippage_periods", [quarter(month(3)), f"{month(1):%Y-%m}"]),
             ("coverage_targets", bookings[:1]), ("weakest_link_legs", [t["target_id"] for t in book.tables["targets"]][:3]), ("p_chart_series", "S3"), ("xmr_series", "S4"),
             ("wilson_examples", ["3/4", "0/9"]), ("transition_pairs", ["inquiry->sql"]), ("km_pairs", ["inquiry->mql", "sal->opportunity"])]
    book.config["report"] = book.config.get("report", {}) | dict(book.some(asked, 2, 7))
