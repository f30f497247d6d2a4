"""Oracle of attribution, the campaign scorecard and target pacing: one function per metric id."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from tests.oracles.book import DAY, Book, Record, quantile, ratio, within
from tests.oracles.deal_answers import closed_in, entered_in, worth
from tests.oracles.governance_answers import retained
from tests.oracles.sla_answers import Hours, clocks

NOBODY = "(no marketing touch)"
CLOSE_SPAN = ("last_touch_close", "full_path")
MODELS = ("first_touch", "lead_create", "last_touch", "last_touch_close", "linear", "time_decay", "u_shaped", "w_shaped", "full_path")


def people(book: Book, opp: Record, mode: str) -> list[str]:
    named = sorted({r["contact_id"] for r in book.roles if r["opp_id"] == opp["opp_id"]})
    if mode == "explicit" or (mode == "hybrid" and named):
        return named
    account = opp["account_id"]
    contacts = [c["contact_id"] for c in book.contacts if c["account_id"] == account]
    leads = [r["lead_id"] for r in book.f0 if r["account_id"] == account and not r["converted_at"]]
    return sorted(contacts + leads) if account else []


def created(book: Book, person: str) -> datetime:
    """A converted contact uses its lead's creation."""
    lead = next((r for r in sorted(book.leads, key=lambda r: (r["created_at"], r["lead_id"])) if r["converted_contact_id"] == person), None)
    lead = lead or book.lead.get(person)
    return lead["created_at"] if lead else book.contact[person]["created_at"]


def span_end(book: Book, opp: Record, span: str) -> datetime:
    return opp["created_at"] if span == "create" else opp["closed_at"] or book.as_of


def eligible(book: Book, opp: Record, mode: str, span: str) -> list[Record]:
    start, end = opp["created_at"] - timedelta(days=book.attribution["lookback_days"]), span_end(book, opp, span)
    who = people(book, opp, mode)
    return sorted((t for t in book.clean if t["who"] in who and start <= t["occurred_at"] <= end), key=lambda t: (t["occurred_at"], t["touch_id"]))


def anchors(book: Book, opp: Record, mode: str, touches: list[Record]) -> dict[str, Record]:
    who = people(book, opp, mode)
    origins = sorted((r for r in book.leads if r["converted_opportunity_id"] == opp["opp_id"]), key=lambda r: (r["created_at"], r["lead_id"]))
    source = book.person(origins[0]["lead_id"]) if origins else min(who, key=lambda p: (created(book, p), p), default=None)
    found = {"FT": touches[:1], "CW": touches[-1:], "OC": [t for t in touches if t["occurred_at"] <= opp["created_at"]][-1:], "LC": []}
    if source:
        limit = (origins[0]["created_at"] if origins else created(book, source)) + timedelta(minutes=book.attribution["lc_tolerance_minutes"])
        found["LC"] = [t for t in touches if t["who"] == source and t["occurred_at"] <= limit][-1:]
    return {name: hits[0] for name, hits in found.items() if hits}


def credit(book: Book, opp: Record, mode: str, model: str, span: str) -> dict[str, float]:
    """Share of every campaign; empty when there is no eligible touch."""
    touches = eligible(book, opp, mode, span)
    if not touches:
        return {}
    held = anchors(book, opp, mode, touches)
    shares: dict[str, float] = defaultdict(float)
    if model == "linear":
        shares |= {t["touch_id"]: 1.0 for t in touches}
    elif model == "time_decay":
        end, half = span_end(book, opp, span), book.attribution["half_life_days"]
        shares |= {t["touch_id"]: 2 ** (-book.days(t["occurred_at"], end) / half) for t in touches}
    else:
        weights = {"first_touch": {"FT": 1}, "lead_create": {"LC": 1} if "LC" in held else {"FT": 1}, "last_touch": {"OC": 1},
                   "last_touch_close": {"CW": 1}}.get(model) or book.attribution["weights"][model]
        holders = {held[name]["touch_id"] for name in weights if name in held}
        middle = [t["touch_id"] for t in touches if t["touch_id"] not in holders]
        for name, weight in weights.items():
            if name == "MID":
                for touch_id in middle:
                    shares[touch_id] += weight / len(middle)
            elif name in held:
                shares[held[name]["touch_id"]] += weight
    total, out = sum(shares.values()), defaultdict(float)
    campaign = {t["touch_id"]: t["campaign_id"] for t in touches}
    for touch_id, share in shares.items():
        if share:
            out[campaign[touch_id]] += share / total
    return dict(out)


def span_of(model: str, basis: str) -> str:
    return "close" if model in CLOSE_SPAN or (model in ("linear", "time_decay") and basis == "won") else "create"


def bases(book: Book) -> dict[str, list[tuple[Record, float]]]:
    return {"pipeline_created": [(o, book.money(o, o["entry"])) for o in entered_in(book, book.fytd)],
            "won": [(o, book.money(o, o["now"])) for o in closed_in(book, "won", book.fytd)]}


def totals(book: Book) -> Record:
    out, mode = {}, book.attribution["person_mode"]
    for basis, deals in bases(book).items():
        for model in MODELS:
            span, rows = span_of(model, basis), defaultdict(float)
            for opp, value in deals:
                for campaign, share in (credit(book, opp, mode, model, span) or {NOBODY: 1.0}).items():
                    rows[campaign] += share * value
            out[f"{basis}|{model}"] = {"span": span, "by_campaign": dict(rows), "total": sum(rows.values())}
    return out


def influenced(book: Book) -> Record:
    out, mode = {}, book.attribution["person_mode"]
    for basis, deals in bases(book).items():
        rows, once = defaultdict(float), 0.0
        for opp, value in deals:
            campaigns = {t["campaign_id"] for t in eligible(book, opp, mode, "create" if basis == "pipeline_created" else "close")}
            once += value if campaigns else 0.0
            for campaign in campaigns:
                rows[campaign] += value
        out[basis] = {"by_campaign_not_additive": dict(rows), "influenced_total_counted_once": once, "population_total": sum(v for _, v in deals)}
    return out


def origin(book: Book, opp: Record) -> str:
    mode, start = book.attribution["person_mode"], opp["created_at"] - timedelta(days=book.attribution["lookback_days"])
    who = people(book, opp, mode)
    seen = [(t["occurred_at"], 0, "marketing") for t in eligible(book, opp, mode, "create")]
    seen += [(a["occurred_at"], 1, a["by"]) for a in book.activities if a["hands_on"] and a["who"] in who and start <= a["occurred_at"] <= opp["created_at"]]
    return min(seen)[2] if seen else "unknown"


def sourced_by(book: Book) -> Record:
    out: Record = {}
    for opp in entered_in(book, book.fytd):
        row = out.setdefault(origin(book, opp), {"count": 0, "value": 0.0, "opps": []})
        row["count"] += 1
        row["value"] += book.money(opp, opp["entry"])
        row["opps"].append(opp["opp_id"])
    return out


def examples(book: Book) -> Record:
    out = {}
    for name in book.report.get("example_opportunities", [o["opp_id"] for o in book.o1][:9]):
        opp, row = book.opp[name], {}
        for mode in ("explicit", "hybrid", "account"):
            spans = {span: eligible(book, opp, mode, span) for span in ("create", "close")}
            row[mode] = {"persons": people(book, opp, mode), **{f"touches_{span}_span": [t["touch_id"] for t in found] for span, found in spans.items()},
                         "anchors": {k: t["touch_id"] for k, t in anchors(book, opp, mode, spans["close"]).items()},
                         "credit_by_campaign": {m: credit(book, opp, mode, m, span_of(m, "pipeline_created")) for m in MODELS}}
        out[name] = row | {"sourced_by": origin(book, opp)}
    return out


def fallback_share(book: Book) -> Record:
    deals, named = entered_in(book, book.fytd), {r["opp_id"] for r in book.roles}
    return {"opps_without_roles": sum(1 for o in deals if o["opp_id"] not in named), "opps": len(deals)}


def scorecard(book: Book) -> Record:
    out, mode = {}, book.attribution["person_mode"]
    window, period, all_credit = timedelta(days=book.attribution["campaign_influence_days"]), book.fytd, totals(book)
    sourced = [(o, v) for o, v in bases(book)["pipeline_created"] if origin(book, o) == "marketing"]
    pulled = influenced(book)["pipeline_created"]["by_campaign_not_additive"]
    first_meetings: dict[str, datetime] = {}
    for a in sorted(book.activities, key=lambda a: a["occurred_at"]):
        if a["type"] == "meeting" and a["hands_on"] and a["who"] and within(book.day(a["occurred_at"]), period):
            first_meetings.setdefault(a["who"], a["occurred_at"])
    for row in book.campaigns:
        name = row["campaign_id"]
        mine = [t for t in book.clean if t["campaign_id"] == name]

        def recent(who: str | None, when: datetime, mine: list[Record] = mine) -> bool:
            return any(t["who"] == who and when - window <= t["occurred_at"] <= when for t in mine)

        given = row["actual_cost"] if row["actual_cost"] is not None else row["budget"]
        cost = None if given is None else given * book.rate(row["currency"])
        won, w = (all_credit[key]["by_campaign"].get(name, 0.0) for key in ("won|full_path", "pipeline_created|w_shaped"))
        first = [(o, v) for o, v in sourced if eligible(book, o, mode, "create")[0]["campaign_id"] == name]
        counts = {"inquiry": len({t["who"] for t in mine if within(book.day(t["occurred_at"]), period)}),
                  "mql": sum(1 for r in book.f0 if "mql" in r["reached"] and within(book.day(r["reached"]["mql"]), period) and recent(book.person(r["lead_id"]), r["reached"]["mql"])),
                  "meeting": sum(1 for who, when in first_meetings.items() if recent(who, when)), "opp_sourced": len(first)}
        fresh = [r for r in book.f0 if r["source_campaign_id"] == name and "inquiry" in r["reached"] and within(book.day(r["reached"]["inquiry"]), period)]
        out[name] = {"cost": cost, "cost_is_budget": row["actual_cost"] is None, "inquiries": counts["inquiry"], "new_inquiries": len(fresh), "mqls": counts["mql"],
                     "meetings": counts["meeting"], "opps_sourced": len(first), "pipeline_sourced": sum(v for _, v in first), "pipeline_attributed_w": w,
                     "won_attributed_full_path": won, "pipeline_influenced": pulled.get(name, 0.0),
                     **{f"cost_per_{k}": None if cost is None else ratio(cost, n) for k, n in counts.items()},
                     "roi": ratio(won - cost, cost) if cost else None, "pipeline_to_spend": ratio(w, cost) if cost else None}
    return out


def actual(book: Book, target: Record) -> float | None:
    period, segment, name = [target["period_start"], target["period_end"]], target["segment"] or "all", target["metric_id"]
    ours = [o for o in entered_in(book, period) if segment in ("all", o["segment"])]
    won, lost = closed_in(book, "won", period, segment), closed_in(book, "lost", period, segment)
    if name == "pipeline.created.value":
        return sum(book.money(o, o["entry"]) for o in ours)
    if name == "pipeline.created.count":
        return len(ours)
    if name == "bookings.won.value":
        return worth(book, won)
    if name == "winrate.count":
        return ratio(len(won), len(won) + len(lost))
    if name == "velocity.cycle_time_won.median":
        return quantile([book.days(o["created_at"], o["won_at"]) for o in won], 0.5)
    if name == "retention.nrr":
        return retained(book, segment)["nrr"]
    if name.startswith("funnel.entries."):
        stage = name.rpartition(".")[2]
        return sum(1 for r in book.f0 if stage in r["reached"] and segment in ("all", r["segment"]) and within(book.day(r["reached"][stage]), period))
    kind = name.split(".")[1]
    due = [c for c in clocks(book) if c["type"] == kind and segment in ("all", c["segment"]) and c["due"] and c["due"] <= book.as_of and within(book.day(c["due"]), period)]
    n = Counter(c["status"] for c in due)
    return ratio(n["met"], n["met"] + n["breached_open"] + n["breached_closed"])


def pacing(book: Book) -> Record:
    out, hours = {}, Hours(book, book.config["pacing_calendar"])
    for t in book.targets:
        done, target, start, end = actual(book, t), t["value"], t["period_start"], t["period_end"]
        attainment = None if done is None else ratio(done, target) if t["direction"] == "up" else ratio(target, done)
        row = {"metric": t["metric_id"], "segment": t["segment"] or "", "actual": done, "target": target, "attainment": attainment}
        if t["pacing"] == "none":
            out[t["target_id"]] = row | {"hit": None if done is None else done >= target if t["direction"] == "up" else done <= target}
            continue
        open_days = [day for day in (start + k * DAY for k in range((end - start).days + 1)) if hours.open_day(day)]
        gone, left, elapsed = [d for d in open_days if d <= book.today], [d for d in open_days if d > book.today], (book.today - start).days + 1
        if t["pacing"] == "linear":
            share = elapsed / ((end - start).days + 1)
        elif t["pacing"] == "business_day":
            share = len(gone) / len(open_days)
        else:
            steps = [0.0] + [p["cum_share"] for p in sorted(book.profiles, key=lambda p: p["week"]) if p["profile_id"] == t["profile_id"]]
            k = elapsed // 7
            share = steps[k] + (steps[k + 1] - steps[k]) * (elapsed - 7 * k) / 7 if k + 1 < len(steps) else 1.0
        pace, needed = ratio(done, target * share), max(0.0, target - done)
        out[t["target_id"]] = row | {"pacing": t["pacing"], "expected_share": share, "expected_to_date": target * share, "pace_index": pace,
                                     "projected": ratio(done, share), "on_pace": pace is not None and pace >= 1, "business_days_left": len(left),
                                     "required_per_business_day": ratio(needed, len(left))}
    return out


ATTRIBUTION = {"attribution.totals_fytd": totals, "attribution.influenced_fytd": influenced, "attribution.sourced_by_fytd": sourced_by,
               "attribution.opportunity_examples": examples, "attribution.fallback_share": fallback_share, "campaign.scorecard_fytd": scorecard, "targets.pacing": pacing}
