"""Oracle of the service levels: clocks by walking open windows day by day, one function per metric id."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.oracles.book import DAY, PATH, Book, Curve, Record, quantile, rated, within

TYPES = ["speed_to_lead", "acceptance", "follow_up", "meeting_set", "recycle"]
Span = tuple[datetime, datetime]
MINUTE = timedelta(minutes=1)
SAL, SQL = PATH.index("sal"), PATH.index("sql")


class Hours:
    """Open time of one business calendar."""

    def __init__(self, book: Book, calendar_id: str) -> None:
        self.rows = [r for r in book.hours if r["calendar_id"] == calendar_id]
        self.closed = {day for owner, day in book.holidays if owner == calendar_id}
        self.zone = ZoneInfo(self.rows[0]["tz"]) if self.rows else None

    def windows(self, day: date) -> list[Span]:
        if day in self.closed:
            return []
        spans = [tuple(datetime.combine(day, time.fromisoformat(r[k]), self.zone).astimezone(UTC) for k in ("open", "close")) for r in self.rows
                 if r["weekday"] == day.weekday()]
        return merged(spans)

    def open_day(self, day: date) -> bool:
        return bool(self.windows(day))

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        day, out = start.astimezone(self.zone).date() - DAY, []
        while day <= end.astimezone(self.zone).date() + DAY:
            out += [(max(a, start), min(b, end)) for a, b in self.windows(day) if max(a, start) < min(b, end)]
            day += DAY
        return out

    def minutes(self, start: datetime, end: datetime, pauses: list[Span] = ()) -> float:
        return sum(((b - a) for a, b in without(self.spans(start, end), pauses)), timedelta()) / MINUTE

    def reach(self, start: datetime, minutes: float, pauses: list[Span]) -> datetime | None:
        """Earliest instant at which counted time equals a number of minutes; None if a pause prevents it."""
        left, day = timedelta(minutes=minutes), start.astimezone(self.zone).date()
        for _ in range(800):
            for a, b in without([(max(a, start), b) for a, b in self.windows(day) if b > start], pauses):
                if b - a >= left:
                    return a + left
                left -= b - a
            day += DAY
        return None

    def closing(self, start: datetime, days: float) -> datetime:
        """Closing time of the N-th open day after the day of the first open instant at or after a start."""
        day = start.astimezone(self.zone).date()
        while not any(b > start for _, b in self.windows(day)):
            day += DAY
        for _ in range(int(days)):
            day += DAY
            while not self.open_day(day):
                day += DAY
        return self.windows(day)[-1][1]


def merged(spans: list[Span]) -> list[Span]:
    out: list[Span] = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], b))
        else:
            out.append((a, b))
    return out


def without(spans: list[Span], pauses: list[Span]) -> list[Span]:
    for p, q in pauses:
        spans = [piece for a, b in spans for piece in ((a, min(b, p)), (max(a, q), b)) if piece[0] < piece[1]]
    return spans


FAR = datetime(2100, 1, 1, tzinfo=UTC)


def handoffs(book: Book) -> list[Record]:
    """Passes with an mql event: their first mql, first exit, and where the next pass starts."""
    out = []
    for lead in book.f0:
        for number, events in enumerate(lead["passes"], start=1):
            mql = next((e for e in events if e["stage"] == "mql"), None)
            if mql:
                following = lead["passes"][number][0]["at"] if number < len(lead["passes"]) else FAR
                out.append({"lead": lead, "number": number, "events": events, "mql": mql, "next": following, "exit": next((e for e in events if e["exit"]), None)})
    return out


def decision(handoff: Record) -> Record | None:
    """The first later event that accepts or rejects."""
    after = handoff["events"][handoff["events"].index(handoff["mql"]) + 1:]
    return next((e for e in after if e["exit"] or e["rank"] >= SAL), None)


def clocks(book: Book) -> list[Record]:
    if not hasattr(book, "clocks"):
        book.clocks = [c for h in handoffs(book) for kind in TYPES if (c := clock(book, h, kind))]
    return book.clocks


def clock(book: Book, handoff: Record, kind: str) -> Record | None:
    lead, exit_ = handoff["lead"], handoff["exit"]
    if kind == "recycle":
        start = exit_["at"] if exit_ and exit_["stage"] == "recycled" else None
    elif kind == "meeting_set":
        start = next((e["at"] for e in handoff["events"] if not e["exit"] and e["rank"] >= SAL), None)
    else:
        start = handoff["mql"]["at"]
    # the text is silent about a region without a calendar: its clocks run on the pacing calendar
    hours = Hours(book, book.region.get(lead["region"], book.config["pacing_calendar"]))
    policy = policy_of(book, kind, lead["segment"], book.day(start)) if start else None
    if policy is None or not hours.rows:
        return None
    pauses = [(p["paused_at"], p["resumed_at"] or FAR) for p in book.pauses if p["lead_id"] == lead["lead_id"] and p["sla_type"] in (kind, "*")]
    by_minutes = policy["unit"] == "business_minutes"
    pauses = pauses if by_minutes else []
    due = hours.reach(start, policy["target"], pauses) if by_minutes else hours.closing(start, policy["target"])
    c: Record = {"lead_id": lead["lead_id"], "segment": lead["segment"], "pass": handoff["number"], "type": kind, "start": start, "due": due, "hours": hours, "handoff": handoff,
                 "stop": None, "response": None}

    def elapsed(end: datetime) -> float:
        return hours.minutes(start, end, pauses)

    def late(end: datetime) -> bool:
        return elapsed(end) > policy["target"] if by_minutes else end > due

    stop, cancel = ends(book, handoff, kind, start, policy)
    if kind == "follow_up":
        c["status"], end = follow_up_status(book, late, stop, exit_)
    elif stop and not (cancel and cancel < stop):
        c["status"], end, c["response"] = ("breached_closed" if late(stop) else "met"), stop, stop
    elif cancel:
        c["status"], end = ("breached_closed" if late(cancel) else "cancelled"), cancel
    elif late(book.as_of):
        c["status"], end = "breached_open", book.as_of
    else:
        c["status"], end = ("paused" if any(p <= book.as_of < q for p, q in pauses) else "running"), book.as_of
    c["elapsed"] = elapsed(end)
    whole = policy["target"] if by_minutes else hours.minutes(start, due)
    c["pct"] = 100 * c["elapsed"] / whole if whole else 0.0
    c["overdue"] = max(0.0, c["elapsed"] - policy["target"]) if by_minutes else hours.minutes(due, end) if end > due else 0.0
    return c


def policy_of(book: Book, kind: str, segment: str, day: date) -> Record | None:
    force = [p for p in book.policies if p["sla_type"] == kind and p["segment"] == segment and p["effective_from"] <= day and (p["effective_to"] or day) >= day]
    return max(force, key=lambda p: p["effective_from"]) if force else None


def ends(book: Book, handoff: Record, kind: str, start: datetime, policy: Record) -> tuple[datetime | None, datetime | None]:
    """When a clock stops and when it is cancelled."""
    lead, events, exit_ = handoff["lead"], handoff["events"], handoff["exit"]
    exited, who = exit_["at"] if exit_ else None, book.person(lead["lead_id"])
    mine = sorted((a for a in book.activities if a["who"] == who and handoff["mql"]["at"] <= a["occurred_at"] < handoff["next"]), key=lambda a: a["occurred_at"])
    touches = [a["occurred_at"] for a in mine if a["hands_on"]]
    meetings = [a["occurred_at"] for a in mine if a["type"] == "meeting"]
    if kind == "speed_to_lead":
        return (touches[0] if touches else None), exited
    if kind == "acceptance":
        decided = decision(handoff)
        return (decided["at"] if decided else None), None
    if kind == "follow_up":
        n = int(policy["touches_required"])
        replies = [a["occurred_at"] for a in mine if a["direction"] == "inbound" and not a["is_automated"]]
        beyond = [e["at"] for e in events if not e["exit"] and e["rank"] >= SQL and e["at"] >= start]
        found = touches[n - 1:n] + meetings[:1] + replies[:1] + beyond[:1]
        return (min(found) if found else None), exited
    if kind == "meeting_set":
        return (max(meetings[0], start) if meetings else None), exited
    sent = sorted(t["occurred_at"] for t in book.touches if t["owner_function"] == "marketing" and book.person(t["person_id"]) == who and t["occurred_at"] > start)
    return (sent[0] if sent else None), (handoff["next"] if handoff["next"] < FAR else None)


def follow_up_status(book: Book, late, satisfied: datetime | None, exit_: Record | None) -> tuple[str, datetime]:
    """S7, first match."""
    at = exit_["at"] if exit_ else None
    if satisfied and not late(satisfied) and not (at and satisfied > at):
        return "met", satisfied
    before = at and not (satisfied and satisfied <= at)
    if before and exit_["stage"] == "disqualified" and not late(at):
        return "cancelled", at
    if before and exit_["stage"] == "recycled":
        return "breached_closed", at
    if satisfied:
        return "breached_closed", satisfied
    if before:
        return "breached_closed", at
    return ("breached_open" if late(book.as_of) else "running"), book.as_of


def compliance(book: Book) -> Record:
    out = {}
    for kind in TYPES:
        for label, period in book.quarters.items():
            for group in book.groups():
                mine = [c for c in clocks(book) if c["type"] == kind and group in ("all", c["segment"])]
                due = [c for c in mine if c["due"] and c["due"] <= book.as_of and within(book.day(c["due"]), period) and c["status"] in ("met", "breached_open", "breached_closed")]
                begun = [c for c in mine if within(book.day(c["start"]), period)]
                n = Counter(c["status"] for c in begun)
                out[f"{kind}|{label}|{group}"] = {
                    "due_anchored": rated(book, sum(c["status"] == "met" for c in due), len(due)),
                    "resolved_start_anchored": rated(book, n["met"], n["met"] + n["breached_open"] + n["breached_closed"]), "breached_open": n["breached_open"],
                    "not_yet_due": n["running"] + n["paused"], "cancelled": n["cancelled"],
                    "met_but_not_yet_due": sum(1 for c in begun if c["status"] == "met" and not (c["due"] and c["due"] <= book.as_of))}
    return out


def speed_to_lead_minutes(book: Book) -> Record:
    out = {}
    for label, period in {"all": None, **book.quarters}.items():
        mine = [c for c in clocks(book) if c["type"] == "speed_to_lead" and (period is None or within(book.day(c["start"]), period))]
        curve = Curve([(c["elapsed"], c["response"] is not None) for c in mine])
        waits = [c["elapsed"] for c in mine if c["response"]]
        out[label] = {"instances": len(mine), "responded": len(waits), "median_responded": quantile(waits, 0.5), "p90_responded": quantile(waits, 0.9),
                      "km_median": curve.quantile(0.5), "km_p90": curve.quantile(0.9),
                      "never_responded_closed": sum(1 for c in mine if c["status"] == "breached_closed" and not c["response"])}
    return out


def speed_decomposition(book: Book) -> Record:
    routing, rep = [], []
    for c in clocks(book):
        if c["type"] != "speed_to_lead" or not c["response"]:
            continue
        assigned = [r["attempted_at"] for r in book.routing if r["lead_id"] == c["lead_id"] and r["result"] == "assigned" and c["start"] <= r["attempted_at"] < c["handoff"]["next"]]
        if assigned:
            routing.append(c["hours"].minutes(c["start"], min(assigned)))
            rep.append(c["hours"].minutes(min(assigned), c["response"]))
    return {"n": len(routing), "routing_lag_median": quantile(routing, 0.5), "routing_lag_max": max(routing, default=None), "rep_response_median": quantile(rep, 0.5)}


def acceptance_rate(book: Book) -> Record:
    out = {}
    for label, period in book.quarters.items():
        for group in book.groups():
            mine = [decision(h) for h in handoffs(book) if within(book.day(h["mql"]["at"]), period) and group in ("all", h["lead"]["segment"])]
            accepted, rejected = sum(1 for d in mine if d and not d["exit"]), sum(1 for d in mine if d and d["exit"])
            out[f"{label}|{group}"] = {"mql_handoffs": len(mine), "accepted": accepted, "rejected": rejected, "pending": len(mine) - accepted - rejected,
                                       "acceptance": rated(book, accepted, accepted + rejected)}
    return out


def breach_ageing(book: Book) -> Record:
    buckets, levels, rows = {"<=4h": 0, "4-8h": 0, "8-24h": 0, ">24h": 0}, Counter(), []
    for c in sorted(clocks(book), key=lambda c: (c["lead_id"], c["pass"], TYPES.index(c["type"]))):
        reached = [int(r["level"]) for r in book.levels if r["pct_of_target"] <= c["pct"] + 1e-9]
        if c["status"] == "running" and 1 in reached:
            levels["1"] += 1
        if c["status"] != "breached_open":
            continue
        hours = c["overdue"] / 60
        bucket = "<=4h" if hours <= 4 else "4-8h" if hours <= 8 else "8-24h" if hours <= 24 else ">24h"
        level = max(reached, default=0)
        buckets[bucket] += 1
        if level:
            levels[str(level)] += 1
        rows.append([c["lead_id"], c["pass"], c["type"], c["overdue"], bucket, level])
    return {"buckets_overdue_business_hours": buckets, "escalation_level_counts": dict(levels), "open_breaches": rows}


SLA = {"sla.compliance": compliance, "sla.speed_to_lead_minutes": speed_to_lead_minutes, "sla.speed_decomposition": speed_decomposition,
       "sla.acceptance_rate": acceptance_rate, "sla.breach_ageing": breach_ageing}
