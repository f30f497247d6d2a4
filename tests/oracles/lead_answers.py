"""Oracle of the funnel and of leakage: one function per metric id."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from tests.oracles.book import DAY, PATH, Book, Curve, Record, newcombe, quantile, ratio, wilson, within


def tally(values: list[Any]) -> dict[Any, int]:
    return dict(Counter(values))


def entries(book: Book) -> Record:
    out = {}
    for stage in PATH:
        there = [r for r in book.f0 if stage in r["reached"]]
        days = [book.day(r["reached"][stage]) for r in there]
        out[stage] = {"month": tally([book.month_of(d) for d in days]), "fiscal_quarter": tally([book.quarter_of(d) for d in days]),
                      "segment": tally([r["segment"] for r in there]), "total": len(there), "imputed": sum(stage in r["imputed"] for r in there)}
    return out


def movement(book: Book) -> Record:
    skipped = [(r["lead_id"], stage) for r in book.f0 for stage in r["imputed"]]
    again = [(r["lead_id"], next(e for e in p if e["stage"] == "mql")) for r in book.f0 for p in r["passes"][1:] if any(e["stage"] == "mql" for e in p)]
    return {"skipped_stage_counts": tally([s for _, s in skipped]), "skipped": sorted(f"{i}:{s}" for i, s in skipped),
            "regressions": sum(r["regressions"] for r in book.f0), "regressed_leads": [r["lead_id"] for r in book.f0 if r["regressions"]],
            "recycled_leads": [r["lead_id"] for r in book.f0 if any(e["stage"] == "recycled" for e in r["events"])],
            "re_mql_by_month": tally([book.month_of(book.day(e["at"])) for _, e in again]), "re_entered_leads": [r["lead_id"] for r in book.f0 if len(r["passes"]) > 1],
            "entered_above_first_stage": sum(1 for r in book.f0 if r["reached"] and "inquiry" not in r["reached"])}


def recycle_recovery(book: Book) -> Record:
    re_mql, to_opportunity, recycled = [], [], 0
    for lead in book.f0:
        first = next((e["at"] for e in lead["events"] if e["stage"] == "recycled"), None)
        if first is None:
            continue
        recycled += 1
        re_mql += [lead["lead_id"]] if any(e["stage"] == "mql" and e["at"] > first for e in lead["events"]) else []
        to_opportunity += [lead["lead_id"]] if lead["converted_at"] and lead["converted_at"] > first else []
    return {"recycled": recycled, "re_mql": re_mql, "re_mql_rate": ratio(len(re_mql), recycled), "to_opportunity": to_opportunity,
            "to_opportunity_rate": ratio(len(to_opportunity), recycled)}


def cohort(book: Book, members: list[Record], s: str, t: str, window: float) -> Record:
    converted = mature = both = still = 0
    for lead in members:
        limit = lead["reached"][s] + timedelta(days=window)
        yes, old = t in lead["reached"] and lead["reached"][t] <= limit, limit <= book.as_of
        converted, mature, both = converted + yes, mature + old, both + (yes and old)
        terminal = lead["status"] in ("recycled", "disqualified") or lead["deal_fate"] == "lost"
        still += not yes and not old and not terminal
    n = len(members)
    return {"n": n, "converted": converted, "n_mature": mature, "converted_mature": both, "still_open": still, "rate_mature": ratio(both, mature),
            "wilson95": wilson(both, mature), "rate_to_date": ratio(converted, n), "still_open_share": ratio(still, n),
            "maturity": "immature" if not mature else "mature" if mature == n else "partial"}


def cohort_conversion(book: Book) -> Record:
    out = {}
    for pair, window in book.windows.items():
        s, t = pair.split("->")
        groups: dict[str, list[Record]] = {"all": []}
        for lead in book.f0:
            if s in lead["reached"]:
                day = book.day(lead["reached"][s])
                for key in ("all", f"month:{book.month_of(day)}", f"fq:{book.quarter_of(day)}", f"segment:{lead['segment']}"):
                    groups.setdefault(key, []).append(lead)
        out[pair] = {"window_days": window, "groups": {key: cohort(book, members, s, t, window) for key, members in groups.items()}}
    return out


def entered(book: Book, stage: str, month: str) -> list[Record]:
    return [r for r in book.f0 if stage in r["reached"] and month in ("all", book.month_of(book.day(r["reached"][stage])))]


def km_conversion(book: Book) -> Record:
    out = {}
    for pair in book.report.get("km_pairs", ["mql->opportunity", "mql->sal", "mql->sql"]):
        s, t = pair.split("->")
        for month in ("all", *book.months):
            c = Curve([(book.days(r["reached"][s], r["reached"].get(t, book.as_of)), t in r["reached"]) for r in entered(book, s, month)])
            row: Record = {"n": c.n, "events": c.events, "t25": c.quantile(0.25), "t50": c.quantile(0.5), "curve": c.steps if month == "all" else None}
            for day in book.report.get("km_days", [14, 30, 60]):
                row |= {f"conversion_at_{day}d": c.happened_by(day), f"at_risk_{day}d": c.at_risk(day)}
            out[f"{pair}|{month}"] = row
    return out


def equal_age_comparison(book: Book) -> Record:
    m1, m2, m3 = book.months
    out = {}
    default = [{"pair": pair, "older": a, "younger": b} for pair, a, b in (("mql->sql", m2, m3), ("mql->opportunity", m2, m3), ("mql->sal", m1, m2))]
    for pair, older, younger in ((row["pair"], row["older"], row["younger"]) for row in book.report.get("equal_age", default)):
        s, t = pair.split("->")
        cohorts = [entered(book, s, month) for month in (older, younger)]
        starts = [r["reached"][s] for members in cohorts for r in members]
        age = min(book.window_days(pair), (book.as_of - max(starts)) // DAY) if starts else None
        counts = [[sum(1 for r in members if t in r["reached"] and r["reached"][t] - r["reached"][s] <= timedelta(days=age)), len(members)] if members else [0, 0]
                  for members in cohorts]
        both = all(n for _, n in counts)
        diff, interval = newcombe(*counts[0], *counts[1]) if both else (None, None)
        out[pair] = {"age_days": age, "older": older, "younger": younger, "older_x_n": counts[0], "younger_x_n": counts[1], "diff_younger_minus_older": diff,
                     "newcombe95": interval, "different": interval[0] > 0 or interval[1] < 0 if both else None}
    return out


def period_ratio(book: Book) -> Record:
    def count(stage: str, period: list[date]) -> int:
        return sum(1 for r in book.f0 if stage in r["reached"] and within(book.day(r["reached"][stage]), period))

    out = {}
    for s, t in zip(PATH, PATH[1:], strict=False):
        for label, period in book.quarters.items():
            x, n = count(t, period), count(s, period)
            out[f"{s}->{t}|{label}"] = {"numerator": x, "denominator": n, "ratio": ratio(x, n)}
    return out


def leakage_of_leads(book: Book) -> Record:
    out = {}
    for stage, following in zip(PATH, PATH[1:], strict=False):
        counts, reasons = Counter(), Counter()
        for lead in book.f0:
            if stage not in lead["reached"]:
                continue
            limit, reason = book.config["stall_days"].get(stage), ""
            if following in lead["reached"]:
                fate = "advanced"
            elif stage == "opportunity" and lead["deal_fate"] == "lost":
                fate, reason = "lost", book.opp[lead["converted_opportunity_id"]]["loss_reason"]
            elif lead["events"][-1]["exit"]:
                fate, reason = lead["status"], lead["events"][-1]["reason"]
            else:
                fate = "stalled" if limit is not None and book.days(lead["events"][-1]["at"], book.as_of) > limit else "active"
            counts[fate] += 1
            if fate in ("disqualified", "recycled", "lost"):
                reasons[f"{fate}:{(reason or '').strip() or '(missing)'}"] += 1
        n = sum(counts.values())
        out[stage] = {"reached": n, **{f: counts[f] for f in ("advanced", "disqualified", "recycled", "lost", "stalled", "active")},
                      "leak_rate": ratio(counts["disqualified"] + counts["recycled"] + counts["lost"], n), "reasons": dict(reasons)}
    return out


def lead_transition_days(book: Book) -> Record:
    default = [f"{a}->{b}" for a, b in zip(PATH[:-2], PATH[1:-1], strict=True)] + ["mql->opportunity"]
    out = {}
    for pair in book.report.get("transition_pairs", default):
        s, t = pair.split("->")
        seen = [r for r in book.f0 if s in r["reached"] and t in r["reached"] and not {s, t} & r["imputed"]]
        days = [book.days(r["reached"][s], r["reached"][t]) for r in seen]
        out[pair] = {"n": len(days), "median": quantile(days, 0.5), "p75": quantile(days, 0.75), "p90": quantile(days, 0.9)}
    return out


LEADS = {"funnel.entries": entries, "funnel.movement": movement, "funnel.recycle_recovery": recycle_recovery, "funnel.cohort_conversion": cohort_conversion,
         "funnel.km_conversion": km_conversion, "funnel.equal_age_comparison": equal_age_comparison, "funnel.period_ratio": period_ratio,
         "leakage.leads": leakage_of_leads, "velocity.lead_transition_days": lead_transition_days}
