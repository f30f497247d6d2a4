"""Random small valid workbooks as canonical tables and a configuration: `write(folder, seed)`.

Every seed has its own zones, fiscal year, stages, windows, weights, calendars and policies, and its own share of the things that go wrong:
ties, duplicates, skips, re-openings, events after as-of and exactly at the end of a window, tables that are empty or absent, shuffled rows.
"""

from __future__ import annotations

import csv
import json
import random
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracles.more_tables import add_more

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
ZONES = ["Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Auckland", "America/New_York", "Europe/London", "Asia/Tokyo", "America/Los_Angeles",
         "Pacific/Chatham", "UTC", "Asia/Kathmandu", "Europe/Berlin", "America/Havana", "America/Asuncion", "Africa/Cairo"]
STAGE_NAMES = ["Prospecting", "Qualify", "Discovery", "Scoping", "Demo", "Proposal", "Proof of concept", "Negotiation", "Legal", "Angebot"]
SEGMENTS = ["Enterprise", "Mid-Market", "SMB", "Public sector", "Ünion"]
# Days on which some zone's clocks change, and other edges of calendars.
EDGES = ["2024-03-10", "2024-04-07", "2024-10-06", "2024-11-03", "2025-03-09", "2025-03-30", "2025-04-06", "2025-09-28", "2025-10-05", "2025-10-26", "2025-11-02",
         "2023-10-01", "2026-11-01", "2024-04-26", "2024-02-29", "2024-12-31", "2025-01-01", "2025-07-01", "2025-10-01", "2026-02-28", "2024-12-30"]
MAY_BE_ABSENT = ["accounts", "routing_log", "sla_pauses", "sla_escalation_levels", "seasonality_profiles", "arr_ledger", "decisions", "actions", "definition_changes",
                 "reported_values", "required_fields", "experiments", "metric_series", "calendar_cases", "holidays", "targets"]
MAY_BE_EMPTY = ["activities", "touches", "campaigns", "opp_contact_roles", "sla_policies", "opportunities", "leads"]
REASONS = ["Price", "No budget", "Competitor", "", "  ", "Not ICP", "Timing", "n/a"]


def text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


class Workbook:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.tables: dict[str, list[dict[str, Any]]] = {path.stem: [] for path in GOLDEN.glob("*.csv")}
        self.odd = self.rng.random() < 0.35
        self.grid = self.rng.random() < 0.4  # all times whole hours or days apart: everything ties, every window ends exactly
        self.configure()
        self.settings()
        self.make_calendars()
        self.make_campaigns()
        self.make_leads()
        self.make_deals()
        self.make_touches()
        self.make_policies()
        self.make_targets()
        add_more(self, seed)

    # -- helpers -----------------------------------------------------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, items: list[Any]) -> Any:
        return self.rng.choice(items)

    def some(self, items: list[Any], low: int, high: int) -> list[Any]:
        return self.rng.sample(items, min(len(items), self.rng.randint(low, high)))

    def add(self, table: str, **row: Any) -> dict[str, Any]:
        self.tables[table].append(row)
        return row

    def moment(self, back: float = 200, ahead: float = 3) -> datetime:
        """An instant around as-of: mostly whole minutes, often whole hours (ties), now and then as-of itself or a local midnight."""
        if self.chance(0.02):
            return self.as_of
        if self.grid:
            return self.as_of - timedelta(days=self.pick([self.rng.randint(int(-ahead), int(back)), self.pick([1, 7, 14, 30, 60, 365])]), hours=self.pick([0, 0, 0, 0, 8, 1]))
        when = self.as_of + timedelta(days=self.rng.uniform(-back, ahead))
        if self.chance(0.05):
            local = when.astimezone(self.zone)
            return datetime.combine(local.date(), time(), self.zone).astimezone(UTC)
        return self.rounded(when)

    def rounded(self, when: datetime) -> datetime:
        when = when.replace(microsecond=0)
        if self.chance(0.9):
            when = when.replace(second=0)
        return when.replace(minute=self.pick([0, 30])) if self.chance(0.3) else when

    def later(self, when: datetime, days: float) -> datetime:
        """Some time after: sometimes at once, sometimes exactly whole days, sometimes the same local day."""
        if self.chance(0.06):
            return when
        if self.chance(0.12):
            return when + timedelta(days=self.pick(self.exact_days))
        if self.grid:
            return when + timedelta(hours=self.pick([1, 2, 4, 8, 8, 16, 24, 24, 24, 48, 72, round(days) * 24]))
        if self.chance(0.3):
            return when + timedelta(minutes=self.rng.randint(1, 600))
        return max(when, self.rounded(when + timedelta(days=self.rng.expovariate(1 / days))))

    # -- configuration -----------------------------------------------------------------------------------------------------------------

    def configure(self) -> None:
        self.zone_name = self.pick(ZONES)
        self.zone = ZoneInfo(self.zone_name)
        day = date.fromisoformat(self.pick(EDGES)) + timedelta(days=self.rng.randint(0, 40)) if self.chance(0.5) else date(2024, 1, 1) + timedelta(days=self.rng.randint(0, 900))
        local = datetime.combine(day, time(self.rng.randint(0, 23), self.pick([0, 0, 15, 30, 59])), self.zone)
        if self.grid:
            local = datetime.combine(day, time(self.pick([9, 12, 13, 17, 18]), 0), ZoneInfo(self.pick(ZONES)))
        self.as_of = local.astimezone(UTC)
        self.today = self.as_of.astimezone(self.zone).date()

    def settings(self) -> None:
        r = self.rng
        self.stages = r.sample(STAGE_NAMES, r.randint(2, 6))
        self.entry = r.randrange(len(self.stages))
        self.won, self.lost = self.pick([("Closed Won", "Closed Lost"), ("Gewonnen", "Verloren"), ("Won", "Lost")])
        self.categories = self.pick([["pipeline", "best_case", "commit"], ["Upside", "Commit"]])
        self.omitted = self.pick(["omitted", "Excluded"])
        self.corporate = self.pick(["USD", "USD", "EUR", "GBP", "INR"])
        pairs = {"inquiry->mql": 30, "mql->sal": 14, "sal->sql": 30, "sql->opportunity": 30, "mql->opportunity": 60, "mql->won": 90, "inquiry->sql": 45, "opportunity->won": 60,
                 "mql->sql": 40, "inquiry->won": 120}
        windows = {k: self.pick([v, v, 7, 21, 1.5]) for k, v in r.sample(sorted(pairs.items()), r.randint(2, 8))}
        self.exact_days = [*windows.values(), 1, 7, 7, 14, 30, 60]
        weights = {"u_shaped": self.pick([(0.4, 0.4, 0.2), (0.5, 0.5, 0), (0.25, 0.25, 0.5)]), "w_shaped": self.pick([(0.3, 0.3, 0.3, 0.1), (0.25, 0.25, 0.25, 0.25)]),
                   "full_path": self.pick([(0.225, 0.225, 0.225, 0.225, 0.1), (0.1, 0.3, 0.2, 0.4, 0)])}
        anchors = {"u_shaped": ("FT", "LC", "MID"), "w_shaped": ("FT", "LC", "OC", "MID"), "full_path": ("FT", "LC", "OC", "CW", "MID")}
        attribution = {"person_mode": self.pick(["hybrid", "explicit", "account"]), "lookback_days": self.pick([365, 90, 30]), "lc_tolerance_minutes": self.pick([60, 0, 120]),
                       "half_life_days": self.pick([30, 7]), "responses_only": self.chance(0.85), "campaign_influence_days": self.pick([90, 30]),
                       "weights": {model: dict(zip(names, weights[model], strict=True)) for model, names in anchors.items()}}
        self.config: dict[str, Any] = {
            "as_of": text(self.as_of), "reporting_tz": self.zone_name, "corporate_currency": self.corporate, "fx_mode": "corporate",
            "fiscal_start_month": r.randint(1, 12), "fiscal_year_named_by": self.pick(["start", "end"]), "week_start": self.pick(["monday", "sunday"]),
            "lead_stages": ["inquiry", "mql", "sal", "sql", "opportunity", "won"], "lead_exit_stages": self.pick([["recycled", "disqualified"], ["disqualified", "recycled"]]),
            "opp_open_stages": self.stages, "opp_won_stage": self.won, "opp_lost_stage": self.lost, "pipeline_entry_stage": self.stages[self.entry],
            "pipeline_types": self.pick([["new_business", "expansion"], ["new_business"], ["new_business", "expansion", "renewal"]]),
            "omitted_category": self.omitted, "excluded_loss_reasons": self.pick([["Duplicate"], ["Duplicate", "Timing"], []]), "conversion_window_days": windows,
            "stall_days": {k: self.pick([5, 7, 14, 30]) for k in self.some(["inquiry", "mql", "sal", "sql"], 1, 4)}, "rmst_tau_days": self.pick([60, 90, 30]),
            "cohort_win_window_days": self.pick([60, 30, 90]), "benchmark_min_n": self.pick([5, 1, 2, 3]), "attribution": attribution,
            "hygiene": {"commit_category": self.categories[-1], "commit_min_stage": self.stages[-1], "stale_days": 30, "push_threshold": 2},
            "stats": {"confidence": 0.95, "min_n_show": self.pick([5, 3]), "min_n_normal": self.pick([30, 10]), "min_n_effect": 10, "spc_baseline_points": 12, "spc_run_length": 8},
            "retention_period": {"start": "2024-01-01", "end": "2024-12-31"},
            "fiscal_445_year_starts": [{"fy": "FY25", "start": "2024-02-04", "weeks": 52}, {"fy": "FY26", "start": "2025-02-02", "weeks": 53}]}
        self.segments = self.some(SEGMENTS, 1, 4)
        for key in self.some(["cohort_win_window_days", "rmst_tau_days", "attribution", "stall_days", "stats", "benchmark_min_n", "excluded_loss_reasons", "fiscal_445_year_starts"], 0, 3):
            del self.config[key]
        if self.chance(0.2):
            self.config["report"] = dict(self.some([("default_window_days", 33), ("km_days", [7, 45]), ("bridge_days", 14), ("win_age_days", [10, 100])], 1, 3))

    def make_calendars(self) -> None:
        self.calendars = [f"CAL{k}" for k in range(self.rng.randint(1, 3))]
        for name in self.calendars:
            zone, week = self.pick(ZONES), self.pick([range(5), range(5), range(6), [6, 0, 1, 2, 3]])
            hours = self.pick([[("09:00", "17:00")], [("09:00", "12:30"), ("13:15", "18:00")], [("08:30", "12:00"), ("12:00", "17:30")], [("10:00", "15:00"), ("14:00", "19:00")]])
            for weekday in week:
                for opening, closing in [("09:00", "13:00")] if weekday == 5 else hours:
                    self.add("business_calendars", calendar_id=name, tz=zone, weekday=weekday, open=opening, close=closing)
            for day in {self.today + timedelta(days=self.rng.randint(-200, 30)) for _ in range(self.rng.randint(0, 8))}:
                self.add("holidays", calendar_id=name, date=day, name="Holiday")
        self.config["pacing_calendar"] = self.pick(self.calendars)
        self.regions = ["AMER", "EMEA", "APAC"]
        for region in self.regions[: self.pick([3, 3, 3, 2])]:
            self.add("region_calendars", region=region, calendar_id=self.pick(self.calendars))
        for k, function in enumerate(["sales", "sales", "cs", "marketing", "revops"], start=1):
            self.add("users", user_id=f"U{k}", name=f"User {k}", function=function, calendar_id=self.calendars[0], is_active=True)

    def make_campaigns(self) -> None:
        self.currencies = [self.corporate, *self.some(["USD", "EUR", "GBP", "INR"], 0, 3)]
        for currency in sorted({"USD", "EUR", "GBP", "INR"} - {self.corporate}):
            for kind in ("corporate", "dated"):
                starts = [self.today - timedelta(days=1200), *([self.today] if self.chance(0.2) else []), *(self.today + timedelta(days=self.rng.randint(-120, 60)) for _ in range(self.rng.randint(0, 3)))]
                for start in sorted(set(starts)):
                    self.add("fx_rates", currency=currency, kind=kind, start_date=start, rate_to_corp=self.pick([1.25, 0.9, 0.012, 1.07, 83.5]))
        self.campaign_ids = [f"C{k}" for k in range(1, self.rng.randint(2, 7))]
        for name in self.campaign_ids:
            self.add("campaigns", campaign_id=name, name=f"Campaign {name}", type="webinar", start_date=self.today - timedelta(days=300), currency=self.pick(self.currencies),
                     budget=self.pick([1000, 2500.5]), actual_cost=self.pick([None, 800, 1234.56, 0]), owner_function="marketing")

    # -- leads -------------------------------------------------------------------------------------------------------------------------

    def make_leads(self) -> None:
        self.conversions: list[dict[str, Any]] = []
        self.event_ids = iter(self.rng.sample(range(1000, 9999), 5000))
        for k in range(self.rng.randint(15, 60)):
            at = self.moment()
            lead = self.add("leads", lead_id=f"L{k:02d}", email=f"p{k}@a{k}.example", account_id=self.pick([None, f"A{self.rng.randint(1, 20):02d}"]), segment=self.pick(self.segments),
                            region=self.pick(self.regions), country="XX", owner_id="U1", owner_type="user", lead_source="Web",
                            created_at=min(at, self.as_of) - timedelta(minutes=self.pick([0, 0, 30, 60, 2000])), source_campaign_id=self.pick([None, *self.campaign_ids]),
                            is_test=self.chance(0.04), duplicate_of=None, converted_at=None, converted_contact_id=None, converted_opportunity_id=None)
            self.journey(lead, at)
        real = [r for r in self.tables["leads"] if not r["is_test"]]
        for lead in real[1:]:
            if self.chance(0.06) and not lead["converted_at"] and real[0]["duplicate_of"] is None and lead is not real[0]:
                lead["duplicate_of"] = self.pick([r["lead_id"] for r in real if r["duplicate_of"] is None and r is not lead])
        # merges are a single step: a survivor is never merged itself
        survivors = {r["duplicate_of"] for r in real}
        for lead in real:
            if lead["lead_id"] in survivors:
                lead["duplicate_of"] = None

    def step(self, lead: dict[str, Any], stage: str, at: datetime, reason: str | None = None) -> None:
        self.add("lead_stage_history", event_id=f"LE{next(self.event_ids)}", lead_id=lead["lead_id"], stage=stage, entered_at=at, reason=reason)
        if stage == "mql":
            self.work(lead["lead_id"], at)

    def journey(self, lead: dict[str, Any], at: datetime) -> None:
        path = ["inquiry", "mql", "sal", "sql"]
        place = self.pick([0] * 12 + [1, 1, 2, 3])
        had_mql = False
        for _ in range(self.rng.randint(1, 9)):
            stage = path[place]
            self.step(lead, stage, at, None)
            had_mql = had_mql or stage == "mql"
            at = self.later(at, 7)
            roll = self.rng.random()
            if roll < 0.15:
                exit_ = self.pick(["recycled", "recycled", "disqualified"])
                self.step(lead, exit_, at, self.pick(REASONS))
                if self.chance(0.1):
                    at = self.later(at, 5)
                    self.step(lead, "disqualified" if exit_ == "recycled" else "recycled", at, self.pick(REASONS))
                if not had_mql or self.chance(0.4):
                    if self.odd and self.chance(0.2) and not lead["is_test"]:  # sales takes it up again without another stage
                        self.conversions.append({"lead": lead, "at": at + timedelta(days=self.pick([1, 7, 20]))})
                    return
                at, place = max(self.later(at, 15), at + timedelta(seconds=1)), self.pick([0, 1, 1, 1, 2] if self.odd else [1])
            elif roll < 0.25 and place > 0:
                place = self.rng.randint(1, place) if not self.odd and not had_mql else max(1, place - 1)
            elif place == 3 or roll > 0.96:
                if self.chance(0.7) and not lead["is_test"]:
                    self.conversions.append({"lead": lead, "at": at})
                return
            elif roll < 0.85:
                place = min(3, place + self.pick([1, 1, 1, 1, 2, 3]))
            else:
                return

    def work(self, lead_id: str, at: datetime) -> None:
        """Routing, calls, mails, meetings and pauses after a handoff."""
        for _ in range(self.pick([0, 1, 1, 2])):
            when = at + timedelta(minutes=self.pick([0, 2, 45, 900]))
            self.add("routing_log", lead_id=lead_id, attempted_at=when, result=self.pick(["assigned", "assigned", "failed", "fallback_queue"]), owner_id="U1")
        when = at - timedelta(minutes=self.pick([0, 0, 0, 500]))
        for _ in range(self.rng.randint(0, 7)):
            when = self.later(when, 2)
            self.act(lead_id, when)
        for _ in range(self.pick([0] * 7 + [1, 2, 3])):
            start = self.later(at, 1)
            self.add("sla_pauses", lead_id=lead_id, sla_type=self.pick(["*", "speed_to_lead", "acceptance", "follow_up"]), paused_at=start,
                     resumed_at=self.pick([None, max(self.as_of, start + timedelta(minutes=1)), max(self.later(start, 2), start + timedelta(minutes=1))]), reason="asked to wait")

    def act(self, person_id: str, when: datetime) -> None:
        kind, direction = self.pick([("call", "outbound"), ("email", "outbound"), ("call", "outbound"), ("meeting", "outbound"), ("email", "inbound"), ("meeting", "inbound")])
        self.add("activities", activity_id=f"AC{next(self.event_ids)}", person_id=person_id, occurred_at=when, type=kind, direction=direction,
                 is_automated=self.chance(0.35 if kind == "email" else 0.05), user_id=self.pick(["U1", "U1", "U2", "U3", "U4", "U5", "U1", "U2", None, "U99"]),
                 status=self.pick(["booked", "held", "no_show", "cancelled"]) if kind == "meeting" else None)

    # -- deals -------------------------------------------------------------------------------------------------------------------------

    def make_deals(self) -> None:
        self.contact_ids: list[str] = []
        count = 0
        for conversion in self.conversions:
            lead, at = conversion["lead"], conversion["at"]
            contact, opp = f"K{lead['lead_id']}", f"O{count:02d}"
            account = lead["account_id"] or f"A{self.rng.randint(1, 20):02d}"
            lead |= {"account_id": account, "converted_at": at, "converted_contact_id": contact}
            self.add("contacts", contact_id=contact, account_id=account, email=lead["email"], created_at=at, lead_id=lead["lead_id"])
            self.contact_ids += [contact] if at <= self.as_of else []
            if self.odd and count and self.chance(0.15):  # two people of one deal
                lead["converted_opportunity_id"] = f"O{self.rng.randrange(count):02d}"
            elif self.chance(0.9):
                lead["converted_opportunity_id"] = opp
                self.deal(opp, account, lead["segment"] if self.chance(0.8) else self.pick(self.segments), at, contact)
                count += 1
        for k in range(self.rng.randint(8, 25)):
            account = self.pick([f"A{self.rng.randint(1, 20):02d}", None])
            at = self.moment(400, -1)
            if self.chance(0.7):
                self.add("contacts", contact_id=f"KX{k:02d}", account_id=account or "A01", email=f"x{k}@b.example", created_at=at - timedelta(days=self.pick([0, 3, 200])))
                self.contact_ids.append(f"KX{k:02d}")
            self.deal(f"O{count:02d}", account, self.pick(self.segments), at, self.contact_ids[-1] if self.contact_ids and self.chance(0.7) else None)
            count += 1

    def deal(self, opp_id: str, account: str | None, segment: str, created_at: datetime, contact: str | None) -> None:
        opp = self.add("opportunities", opp_id=opp_id, name=f"Deal {opp_id}", account_id=account, segment=segment, created_at=created_at, owner_id="U2", next_step="call",
                       type=self.pick(["new_business"] * 4 + ["expansion", "renewal"]), currency=self.pick(self.currencies), loss_reason=None)
        for person in {p for p in (contact, *self.some(self.contact_ids, 0, 2)) if p and self.chance(0.6)}:
            self.add("opp_contact_roles", opp_id=opp_id, contact_id=person, role="Champion", is_primary=self.chance(0.5), added_at=created_at)
        at = created_at if self.chance(0.7) else self.later(created_at, 5)
        at = at if at <= self.as_of or created_at > self.as_of else created_at  # no deal without any event
        close = at.astimezone(self.zone).date() + timedelta(days=self.rng.randint(-10, 150))
        state = {"stage": self.stages[self.pick([0, 0, self.entry, self.entry, self.rng.randrange(len(self.stages))])], "amount": self.amount(), "close_date": close,
                 "forecast_category": self.pick(self.categories)}
        outcome = None
        for _ in range(self.rng.randint(1, 9)):
            self.add("opp_history", event_id=f"OE{next(self.event_ids)}", opp_id=opp_id, changed_at=at, **state)
            at = self.later(at, 18)
            if outcome:
                if not self.chance(0.25) or (outcome == self.won and not self.odd):
                    break
                state["stage"], outcome = self.pick(self.stages), None
                continue
            roll, place = self.rng.random(), self.stages.index(state["stage"])
            if roll < 0.4:
                state["stage"] = self.stages[min(len(self.stages) - 1, place + self.pick([1, 1, 1, 2]))]
            elif roll < 0.48:
                state["stage"] = self.stages[max(0, place - 1)]
            elif roll < 0.7:
                outcome = state["stage"] = self.pick([self.won, self.lost])
                if self.chance(0.8):
                    state["close_date"] = at.astimezone(self.zone).date()
            if self.chance(0.3):
                state["amount"] = self.amount()
            if self.chance(0.3) and not outcome:
                state["close_date"] = self.pick([state["close_date"] + timedelta(days=self.rng.randint(-20, 90)), self.today, self.today + timedelta(days=self.rng.randint(-60, 100)),
                                                 state["close_date"].replace(day=1)])
            if self.chance(0.2):
                state["forecast_category"] = self.pick([*self.categories, self.omitted])
        if self.lost in {e["stage"] for e in self.tables["opp_history"] if e["opp_id"] == opp_id} or self.chance(0.05):
            opp["loss_reason"] = self.pick([*REASONS, "Duplicate"])

    def amount(self) -> float | None:
        return self.pick([None, 0, 1000, 5000, 12500.5, 60000, self.rng.randint(1, 90000), self.rng.randint(1, 900000) / 100])

    # -- touches, policies, targets ----------------------------------------------------------------------------------------------------

    def make_touches(self) -> None:
        people = [r["lead_id"] for r in self.tables["leads"]] + self.contact_ids
        stamps = {r["opp_id"]: r["created_at"] for r in self.tables["opportunities"]}
        lookback = self.config.get("attribution", {}).get("lookback_days", 365)
        for _ in range(self.rng.randint(20, 140)):
            person, when, campaign = self.pick(people), self.moment(300), self.pick(self.campaign_ids)
            if stamps and self.chance(0.25):
                when = self.pick(sorted(stamps.values())) - timedelta(days=self.pick([0, 0, 0, 1, lookback]), minutes=self.pick([0, 0, -1, 60]))
            if self.chance(0.15):
                lead = self.pick(self.tables["leads"])
                person, when = lead["lead_id"], lead["created_at"] + timedelta(minutes=self.pick([0, 60, 61, 120]))
            if self.chance(0.03):
                person, campaign = self.pick([("nobody", campaign), (person, "C99")])
            for copy in range(self.pick([1, 1, 1, 2])):
                self.add("touches", touch_id=f"T{next(self.event_ids)}", person_id=person, campaign_id=campaign, occurred_at=when + timedelta(minutes=self.pick([0, 5, 700]) * copy),
                         type="form_fill", is_response=self.chance(0.8), owner_function=self.pick(["marketing"] * 8 + ["sales"]))
        ends = [(e["lead_id"], e["entered_at"]) for e in self.tables["lead_stage_history"] if e["stage"] == "recycled"]
        for person, when in self.some(ends, 0, 6):
            for minutes in self.some([0, 1, 600], 1, 2):
                self.add("touches", touch_id=f"T{next(self.event_ids)}", person_id=person, campaign_id=self.campaign_ids[0], occurred_at=when + timedelta(minutes=minutes),
                         type="email", is_response=self.chance(0.5), owner_function="marketing")
        for _ in range(self.rng.randint(0, 60)):
            person, when = self.pick(people), self.moment(300)
            if stamps and self.chance(0.3):
                when = self.pick(sorted(stamps.values())) - timedelta(days=self.pick([0, 0, 2]))
            self.act(person, when)
        self.act("nobody", self.moment(30))
        for touch in self.some(self.tables["touches"], 0, 5):
            self.act(touch["person_id"] if touch["person_id"] != "nobody" else people[0], touch["occurred_at"])

    def make_policies(self) -> None:
        number = 0
        for kind in ("speed_to_lead", "acceptance", "follow_up", "meeting_set", "recycle"):
            for segment in self.segments:
                if self.chance(0.12):
                    continue
                cuts = sorted({self.today - timedelta(days=d) for d in self.some([20, 45, 90], 0, 2)})
                starts, ends = [date(2020, 1, 1), *cuts], [c - timedelta(days=1) for c in cuts] + [None]
                for start, end in zip(starts, ends, strict=True):
                    number += 1
                    minutes = kind in ("speed_to_lead", "acceptance") and not (self.odd and self.chance(0.1))
                    self.add("sla_policies", policy_id=f"P{number:02d}", sla_type=kind, segment=segment, target=self.pick([30, 60, 240, 480, 960]) if minutes else self.pick([1, 2, 3, 5]),
                             unit="business_minutes" if minutes else "business_days", touches_required=self.rng.randint(1, 4) if kind == "follow_up" else None, clock="business",
                             effective_from=start, effective_to=end)
        for level, percent in enumerate(self.pick([[80, 100, 200, 400], [50, 100, 150]]), start=1):
            self.add("sla_escalation_levels", level=level, pct_of_target=percent, notify="owner")

    def make_targets(self) -> None:
        first = self.config["fiscal_start_month"]
        begin = date(self.today.year, self.today.month, 1)
        while (begin.month - first) % 3:
            begin = (begin - timedelta(days=1)).replace(day=1)
        end = begin
        for _ in range(3):
            end = (end.replace(day=28) + timedelta(days=5)).replace(day=1)
        end -= timedelta(days=1)
        year = begin
        while year.month != first:
            year = (year - timedelta(days=1)).replace(day=1)
        flows = ["bookings.won.value", "pipeline.created.value", "pipeline.created.count", "funnel.entries.mql", "funnel.entries.sql", "bookings.won.value"]
        rates = ["sla.speed_to_lead.compliance", "sla.follow_up.compliance", "velocity.cycle_time_won.median", "winrate.count"]
        used = set()
        for k in range(self.rng.randint(0, 10)):
            metric, segment = self.pick(flows + rates), self.pick([None, None, *self.segments])
            if (metric, segment) in used:
                continue
            used.add((metric, segment))
            kind = "none" if metric in rates else self.pick(["linear", "business_day", "seasonal", "none"])
            self.add("targets", target_id=f"TG{k}", metric_id=metric, period_start=begin if kind == "seasonal" or self.chance(0.7) else year, period_end=end, segment=segment, owner_function=self.pick(["sales", "marketing"]),
                     value=self.pick([0.5, 0.85]) if metric in rates else self.pick([10, 400, 50000, 250000]),
                     direction="down" if metric.startswith("velocity") else "up", pacing=kind, profile_id="SP1" if kind == "seasonal" else None)
        shares = sorted(self.rng.random() for _ in range(self.pick([12, 12, 10])))
        for week, share in enumerate([*(round(s, 4) for s in shares), 1.0], start=1):
            self.add("seasonality_profiles", profile_id="SP1", week=week, cum_share=share)
        for k in range(6):
            self.add("calendar_cases", date=self.today + timedelta(days=self.rng.randint(-700, 400)))
        for k in range(self.rng.randint(0, 6)):
            self.add("arr_ledger", account_id=f"A{k:02d}", segment=self.pick(self.segments), effective_date=self.today - timedelta(days=400), movement="new", amount=1000, currency=self.corporate)

    # -- writing -----------------------------------------------------------------------------------------------------------------------

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        seasonal = any(t["pacing"] == "seasonal" for t in self.tables["targets"])
        absent = [t for t in self.some(MAY_BE_ABSENT, 0, 5) if not (seasonal and t == "seasonality_profiles")]
        empty = self.some([*MAY_BE_ABSENT, *MAY_BE_EMPTY], 0, 2) if self.chance(0.4) else []
        related = {"opportunities": ["opp_history", "opp_contact_roles"], "leads": ["lead_stage_history"], "campaigns": []}
        empty += [child for table in list(empty) for child in related.get(table, [])]
        for table, rows in self.tables.items():
            if table in absent:
                continue
            columns = (GOLDEN / f"{table}.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
            rows = [] if table in empty and not (seasonal and table == "seasonality_profiles") else self.rng.sample(rows, len(rows))
            with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                writer.writerows([text(row.get(column)) for column in columns] for row in rows)
        (folder / "config.json").write_text(json.dumps(self.config, ensure_ascii=False), encoding="utf-8")
        return folder


def write(folder: Path, seed: int) -> Path:
    """Write the workbook of a seed into a folder; the same seed gives the same files."""
    return Workbook(seed).write(folder)
