"""A workbook as plain records, for the oracle: rows are dicts, times are aware datetimes, days are dates.

Written from the specification's text alone and kept slow and obvious on purpose: it shares no code with the product.
"""

from __future__ import annotations

import csv
import json
import math
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
DAY = timedelta(days=1)
Z = 1.959963984540054
PATH = ["inquiry", "mql", "sal", "sql", "opportunity", "won"]

TIMES = {"created_at", "converted_at", "entered_at", "changed_at", "added_at", "occurred_at", "attempted_at", "paused_at", "resumed_at", "raised_at", "decided_at",
         "completed_at"}
DATES = {"close_date", "start_date", "end_date", "effective_from", "effective_to", "effective_date", "period_start", "period_end", "date", "due_date", "measure_at",
         "dashboards_updated_at", "training_at"}
NUMBERS = {"amount", "budget", "actual_cost", "target", "touches_required", "pct_of_target", "rate_to_corp", "value", "cum_share", "level", "week",
           "weekday", "baseline_x", "baseline_n", "after_x", "after_n", "planned_share", "n", "successes", "t", "numerator", "denominator"}
BOOLEANS = {"is_test", "is_response", "is_automated", "is_primary"}
DEFAULTS: Record = {
    "corporate_currency": "USD", "fiscal_start_month": 2, "fiscal_year_named_by": "end", "lead_stages": PATH, "lead_exit_stages": ["recycled", "disqualified"],
    "opp_open_stages": ["Prospecting", "Discovery", "Proposal", "Negotiation"], "opp_won_stage": "Closed Won", "opp_lost_stage": "Closed Lost",
    "pipeline_entry_stage": "Discovery", "pipeline_types": ["new_business", "expansion"], "omitted_category": "omitted", "excluded_loss_reasons": ["Duplicate"],
    "conversion_window_days": {"inquiry->mql": 30, "mql->sal": 14, "sal->sql": 30, "sql->opportunity": 30, "mql->opportunity": 60, "mql->won": 90},
    "stall_days": {"inquiry": 30, "mql": 7, "sal": 14, "sql": 30}, "rmst_tau_days": 90, "pacing_calendar": "US_EAST", "cohort_win_window_days": 60,
    "benchmark_min_n": 5, "placeholders": ["unknown", "n/a", "na", "none", "tbd", "-", "null", "test"],
    "hygiene": {"commit_category": "commit", "commit_min_stage": "Negotiation", "stale_days": 30, "push_threshold": 2},
    "reporting_consistency": {"canonical_source": "revscore", "rel_tol": 0.005}}
ATTRIBUTION: Record = {
    "person_mode": "hybrid", "lookback_days": 365, "lc_tolerance_minutes": 60, "half_life_days": 30, "responses_only": True, "campaign_influence_days": 90,
    "weights": {"u_shaped": {"FT": 0.4, "LC": 0.4, "MID": 0.2}, "w_shaped": {"FT": 0.3, "LC": 0.3, "OC": 0.3, "MID": 0.1},
                "full_path": {"FT": 0.225, "LC": 0.225, "OC": 0.225, "CW": 0.225, "MID": 0.1}}}
STATS: Record = {"min_n_show": 5, "min_n_normal": 30, "min_n_effect": 10, "spc_baseline_points": 12, "spc_run_length": 8}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def parsed(name: str, text: str) -> Any:
    if text == "":
        return False if name in BOOLEANS else None
    if name in TIMES:
        return instant(text)
    if name in DATES:
        return date.fromisoformat(text[:10])
    if name in NUMBERS:
        return float(text)
    return text.lower() == "true" if name in BOOLEANS else text


class Book:
    """The tables as of the report's instant, and the questions the report asks (section `report` of the configuration, else its default rules)."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.config: Record = DEFAULTS | json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        self.attribution = ATTRIBUTION | self.config.get("attribution", {})
        self.stats = STATS | self.config.get("stats", {})
        self.as_of = instant(self.config["as_of"])
        self.zone = ZoneInfo(self.config["reporting_tz"])
        self.today = self.day(self.as_of)
        self._read()
        self._people()
        self._lead_journeys()
        self._deal_journeys()
        self._report()

    # -- reading -----------------------------------------------------------------------------------------------------------------------

    def rows(self, table: str) -> list[Record]:
        path = self.folder / f"{table}.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [{k: parsed(k, v or "") for k, v in row.items()} for row in csv.DictReader(file)]

    def _read(self) -> None:
        def until(table: str, column: str) -> list[Record]:
            return [r for r in self.rows(table) if r[column] <= self.as_of]

        self.leads = self.rows("leads")
        for lead in self.leads:
            if lead.get("converted_at") is None or lead["converted_at"] > self.as_of:
                lead |= {"converted_at": None, "converted_contact_id": None, "converted_opportunity_id": None}
        self.lead = {r["lead_id"]: r for r in self.leads}
        self.lead_events = until("lead_stage_history", "entered_at")
        begun = {e["lead_id"] for e in self.lead_events}
        there = [r for r in self.leads if r["created_at"] <= self.as_of or r["converted_at"] or r["lead_id"] in begun]
        self.f0 = [r for r in there if not r["is_test"] and not r["duplicate_of"]]
        self.contacts = self.rows("contacts")
        self.contact = {r["contact_id"]: r for r in self.contacts}
        self.opps = until("opportunities", "created_at")
        self.opp = {r["opp_id"]: r for r in self.opps}
        self.opp_events = until("opp_history", "changed_at")
        self.o0 = [r for r in self.opps if r.get("loss_reason") not in self.config["excluded_loss_reasons"]]
        self.o1 = sorted((r for r in self.o0 if r["type"] in self.config["pipeline_types"]), key=lambda r: r["opp_id"])
        self.roles = self.rows("opp_contact_roles")
        self.activities = until("activities", "occurred_at")
        self.touches = until("touches", "occurred_at")
        self.campaigns = self.rows("campaigns")
        self.function = {r["user_id"]: r["function"] for r in self.rows("users")}
        self.routing = until("routing_log", "attempted_at")
        self.pauses = until("sla_pauses", "paused_at")
        for pause in self.pauses:
            if pause["resumed_at"] is not None and pause["resumed_at"] > self.as_of:
                pause["resumed_at"] = None
        self.policies, self.levels, self.rates = self.rows("sla_policies"), self.rows("sla_escalation_levels"), self.rows("fx_rates")
        self.targets, self.profiles, self.ledger = self.rows("targets"), self.rows("seasonality_profiles"), self.rows("arr_ledger")
        self.hours, self.region = self.rows("business_calendars"), {r["region"]: r["calendar_id"] for r in self.rows("region_calendars")}
        self.holidays = {(r["calendar_id"], r["date"]) for r in self.rows("holidays")}

    # -- time and money ----------------------------------------------------------------------------------------------------------------

    def day(self, when: datetime) -> date:
        return when.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def days(self, earlier: datetime, later: datetime) -> float:
        return (later - earlier) / DAY

    def fiscal(self, day: date) -> tuple[int, int, int]:
        """Fiscal year, quarter and month of a date."""
        first = self.config["fiscal_start_month"]
        month = (day.month - first) % 12 + 1
        started = day.year if day.month >= first else day.year - 1
        year = started + 1 if first > 1 and self.config["fiscal_year_named_by"] == "end" else started
        return year, (month - 1) // 3 + 1, month

    def quarter_of(self, day: date) -> str:
        year, quarter, _ = self.fiscal(day)
        return f"FY{year % 100:02d}Q{quarter}"

    def month_of(self, day: date) -> str:
        return f"{day.year:04d}-{day.month:02d}"

    def same(self, day: date, label) -> list[date]:
        """First and last day of the period that holds a day; `label` names periods."""
        first = last = day
        while label(first - DAY) == label(day):
            first -= DAY
        while label(last + DAY) == label(day):
            last += DAY
        return [first, last]

    def named(self, text: str, label) -> list[date]:
        """The period with a name, sought in the years around as-of."""
        return self.same(next(day for day in (self.today + k * DAY for k in range(-1500, 1500)) if label(day) == text), label)

    def rate(self, currency: str, on: date | None = None) -> float:
        """Corporate rate, or the dated rate of a day."""
        if currency == self.config["corporate_currency"]:
            return 1.0
        kind, limit = ("corporate", self.today) if on is None else ("dated", on)
        known = [r for r in self.rates if r["currency"] == currency and r["kind"] == kind and r["start_date"] <= limit]
        return max(known, key=lambda r: r["start_date"])["rate_to_corp"]

    def money(self, opp: Record, event: Record | None) -> float:
        return (event["amount"] or 0.0) * self.rate(opp["currency"]) if event else 0.0

    # -- people ------------------------------------------------------------------------------------------------------------------------

    def _people(self) -> None:
        """C8: merged lead to survivor, converted lead to contact; A1: clean touches, one per person, campaign and local day."""
        self.campaign_ids = sorted(r["campaign_id"] for r in self.campaigns)
        kept: Record = {}
        for touch in sorted(self.touches, key=lambda r: (r["occurred_at"], r["touch_id"])):
            who = self.person(touch["person_id"])
            known = who is not None and touch["campaign_id"] in self.campaign_ids
            wanted = touch["owner_function"] == "marketing" and (touch["is_response"] or not self.attribution["responses_only"])
            if known and wanted:
                kept.setdefault((who, touch["campaign_id"], self.day(touch["occurred_at"])), touch | {"who": who})
        self.clean = list(kept.values())
        for activity in self.activities:
            activity["who"] = self.person(activity["person_id"])
            activity["by"] = self.function.get(activity["user_id"])
            human = not activity["is_automated"] and activity["by"] in ("sales", "cs")
            activity["hands_on"] = human and (activity["direction"] == "outbound" or activity["type"] == "meeting")

    def person(self, person_id: str) -> str | None:
        lead = self.lead.get(person_id)
        if lead is None:
            return person_id if person_id in self.contact else None
        if lead["is_test"]:
            return None
        if lead["duplicate_of"]:
            lead = self.lead[lead["duplicate_of"]]
        return lead["converted_contact_id"] or lead["lead_id"]

    # -- leads -------------------------------------------------------------------------------------------------------------------------

    def _lead_journeys(self) -> None:
        """Every lead's events (conversion included, as stage `opportunity`), passes, stages reached (F1, F2) and status."""
        exits = self.config["lead_exit_stages"]
        for lead in self.leads:
            events = [{"id": e["event_id"], "at": e["entered_at"], "stage": e["stage"], "reason": e["reason"]}
                      for e in self.lead_events if e["lead_id"] == lead["lead_id"]]
            if lead["converted_at"]:
                events.append({"id": "", "at": lead["converted_at"], "stage": "opportunity", "reason": None})
            for event in events:
                event["exit"] = event["stage"] in exits
                event["rank"] = len(PATH) + exits.index(event["stage"]) if event["exit"] else PATH.index(event["stage"])
            lead["events"] = events = sorted(events, key=lambda e: (e["at"], e["rank"], e["id"]))
            lead["passes"], ended, top, lead["regressions"] = [], True, -1, 0
            for event in events:
                if not event["exit"] and (ended or not lead["passes"]):
                    lead["passes"].append([])
                    ended, top = False, -1
                if event["exit"]:
                    ended = True
                elif event["rank"] < top:
                    lead["regressions"] += 1
                top = max(top, event["rank"]) if not event["exit"] else top
                if lead["passes"]:
                    lead["passes"][-1].append(event)
                event["pass"] = len(lead["passes"])
            path = [e for e in events if not e["exit"]]
            lead["reached"], lead["imputed"] = {}, set()
            for rank, stage in enumerate(PATH[:-1]):
                if path and rank >= path[0]["rank"]:
                    first = next((e for e in path if e["rank"] >= rank), None)
                    if first:
                        lead["reached"][stage] = first["at"]
                        if first["stage"] != stage:
                            lead["imputed"].add(stage)
            lead["status"] = events[-1]["stage"] if events else None

    # -- deals -------------------------------------------------------------------------------------------------------------------------

    def _deal_journeys(self) -> None:
        config = self.config
        self.open_stages = config["opp_open_stages"]
        self.ranks = {stage: rank for rank, stage in enumerate(self.open_stages)} | {config["opp_won_stage"]: len(self.open_stages), config["opp_lost_stage"]: len(self.open_stages) + 1}
        self.entry_rank, self.won_rank = self.ranks[config["pipeline_entry_stage"]], len(self.open_stages)
        for opp in self.opps:
            events = [e | {"at": e["changed_at"], "rank": self.ranks[e["stage"]]} for e in self.opp_events if e["opp_id"] == opp["opp_id"]]
            opp["events"] = events = sorted(events, key=lambda e: (e["at"], e["rank"], e["event_id"]))
            opp["now"] = events[-1] if events else None
            opp["fate"] = self.fate(opp["now"])
            opp["entry"] = next((e for e in events if self.entry_rank <= e["rank"] <= self.won_rank), None)
            opp["closed_at"] = self.spell_start(events, lambda e: self.fate(e) != "open") if opp["fate"] in ("won", "lost") else None
            opp["won_at"] = self.spell_start(events, lambda e: self.fate(e) == "won") if opp["fate"] == "won" else None
            opp["lost_at"] = self.spell_start(events, lambda e: self.fate(e) == "lost") if opp["fate"] == "lost" else None
        for lead in self.leads:
            deal = self.opp.get(lead["converted_opportunity_id"] or "")
            lead["deal_fate"] = deal["fate"] if deal else None
            if deal and deal["fate"] == "won":
                lead["reached"]["won"] = max(deal["won_at"], lead["converted_at"])

    def fate(self, event: Record | None) -> str | None:
        if event is None:
            return None
        return {self.config["opp_won_stage"]: "won", self.config["opp_lost_stage"]: "lost"}.get(event["stage"], "open")

    @staticmethod
    def spell_start(events: list[Record], inside) -> datetime:
        """When the last uninterrupted spell began; the last event is inside."""
        start = len(events) - 1
        while start > 0 and inside(events[start - 1]):
            start -= 1
        return events[start]["at"]

    def state(self, opp: Record, when: datetime) -> Record | None:
        past = [e for e in opp["events"] if e["at"] <= when]
        return past[-1] if past else None

    def eligible(self, event: Record | None) -> bool:
        return event is not None and self.entry_rank <= event["rank"] < self.won_rank and event["forecast_category"] != self.config["omitted_category"]

    def missing(self, value: Any) -> bool:
        """Null, blank or a placeholder (section 10)."""
        return value is None or str(value).strip().lower() in ("", *(p.lower() for p in self.config["placeholders"]))

    # -- the report's questions --------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        report, today = self.config.get("report") or {}, self.today
        self.report = report
        self.quarter = self.named(report["current_quarter"], self.quarter_of) if "current_quarter" in report else self.same(today, self.quarter_of)
        before = self.same(self.quarter[0] - DAY, self.quarter_of)
        self.quarters = {label: self.named(label, self.quarter_of) for label in report.get("quarters", [self.quarter_of(q[0]) for q in (before, self.quarter)])}
        self.current = self.quarter_of(self.quarter[0])
        months, last = [], today
        for _ in range(3):
            last = self.same(last, self.month_of)[0] - DAY
            months.insert(0, self.month_of(last))
        self.months = report.get("months", months)
        found = {r["segment"] for r in [*self.f0, *self.o1, *self.ledger]} - {None}
        self.segments = report.get("segments", sorted(found))
        start = date.fromisoformat(report["fytd_start"]) if "fytd_start" in report else self.same(today, lambda d: self.fiscal(d)[0])[0]
        self.fytd = [start, today]
        self.windows = self.config["conversion_window_days"]

    def window_days(self, pair: str) -> float:
        return self.windows.get(pair, self.report.get("default_window_days", 60))

    def groups(self) -> list[str]:
        return ["all", *self.segments]


# -- statistics ------------------------------------------------------------------------------------------------------------------------


def within(day: date, period: list[date]) -> bool:
    return period[0] <= day <= period[1]


def ratio(x: float, n: float) -> float | None:
    return x / n if n else None


def wilson(x: float, n: float) -> list[float] | None:
    if not n:
        return None
    p, zz = x / n, Z * Z
    centre, half = (p + zz / (2 * n)) / (1 + zz / n), Z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return [max(0.0, centre - half), min(1.0, centre + half)]


def newcombe(x0: int, n0: int, x1: int, n1: int) -> tuple[float, list[float]]:
    """Difference second minus first, with the hybrid score interval."""
    (l0, u0), (l1, u1), p0, p1 = wilson(x0, n0), wilson(x1, n1), x0 / n0, x1 / n1
    d = p1 - p0
    return d, [d - math.sqrt((p1 - l1) ** 2 + (u0 - p0) ** 2), d + math.sqrt((u1 - p1) ** 2 + (p0 - l0) ** 2)]


def rated(book: Book, x: int, n: int) -> Record:
    show, normal = book.stats["min_n_show"], book.stats["min_n_normal"]
    return {"x": x, "n": n, "rate": ratio(x, n), "wilson95": wilson(x, n), "display": "suppress" if n < show else "low_n" if n < normal else "ok"}


def quantile(values: list[float], p: float) -> float | None:
    """Type 7."""
    if not values:
        return None
    ordered, place = sorted(values), (len(values) - 1) * p
    low = math.floor(place)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


class Curve:
    """Kaplan–Meier of (duration, happened) pairs; events before censorings at ties."""

    def __init__(self, pairs: list[tuple[float, bool]]) -> None:
        self.pairs, self.steps, s = pairs, [], 1.0
        for t in sorted({t for t, happened in pairs if happened}):
            at_risk, events = self.at_risk(t), sum(1 for d, happened in pairs if happened and d == t)
            s *= 1 - events / at_risk
            self.steps.append([t, at_risk, events, s])
        self.n, self.events = len(pairs), sum(1 for _, happened in pairs if happened)

    def at_risk(self, t: float) -> int:
        return sum(1 for d, _ in self.pairs if d >= t)

    def happened_by(self, t: float) -> float | None:
        return 1 - ([1.0] + [s for d, _, _, s in self.steps if d <= t])[-1] if self.pairs else None

    def quantile(self, p: float) -> float | None:
        return next((t for t, _, _, s in self.steps if s <= 1 - p + 1e-9), None)

    def restricted_mean(self, tau: float) -> float | None:
        if not self.pairs:
            return None
        area, at, s = 0.0, 0.0, 1.0
        for t, _, _, after in self.steps:
            if t > tau:
                break
            area, at, s = area + s * (t - at), t, after
        return area + s * (tau - at)
