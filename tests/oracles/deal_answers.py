"""Oracle of velocity, pipeline, slippage and wins: one function per metric id."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from tests.oracles.book import DAY, Book, Curve, Record, mean, quantile, rated, ratio, wilson, within

IN_LEGS, OUT_LEGS = ("created", "reopened", "pulled_in", "other_in", "increased"), ("decreased", "won", "lost", "pushed_out", "other_out")


def ids(opps: list[Record]) -> list[str]:
    return sorted(o["opp_id"] for o in opps)


def worth(book: Book, opps: list[Record]) -> float:
    return sum(book.money(o, o["now"]) for o in opps)


def closed_in(book: Book, fate: str, period: list[date], segment: str = "all") -> list[Record]:
    return [o for o in book.o1 if o["fate"] == fate and within(o["now"]["close_date"], period) and segment in ("all", o["segment"])]


def entered_in(book: Book, period: list[date]) -> list[Record]:
    return [o for o in book.o1 if o["entry"] and within(book.day(o["entry"]["at"]), period)]


def eligible_now(book: Book) -> list[Record]:
    return [o for o in book.o1 if book.eligible(o["now"])]


def leakage_of_opportunities(book: Book) -> Record:
    table: dict[str, Record] = {}
    lost = [o for o in book.o1 if o["fate"] == "lost"]
    for opp in lost:
        last_open = [e for e in opp["events"] if e["at"] <= opp["lost_at"] and book.fate(e) == "open"][-1]
        row = table.setdefault(f"{last_open['stage']}|{(opp['loss_reason'] or '').strip() or '(missing)'}", {"count": 0, "value": 0.0})
        row["count"] += 1
        row["value"] += book.money(opp, opp["now"])
    missing = sum(1 for o in lost if not (o["loss_reason"] or "").strip())
    return {"by_stage_and_reason": table, "lost": len(lost), "missing_reason": missing, "reason_coverage": ratio(len(lost) - missing, len(lost))}


def cycle_time_won(book: Book) -> Record:
    out = {}
    for label, period in book.quarters.items():
        days = [book.days(o["created_at"], o["won_at"]) for o in closed_in(book, "won", period)]
        out[label] = {"n": len(days), "mean": mean(days), "median": quantile(days, 0.5), "p75": quantile(days, 0.75), "p90": quantile(days, 0.9)}
    return out


def time_to_close_km(book: Book) -> Record:
    c = Curve([(book.days(o["created_at"], o["closed_at"] or book.as_of), o["closed_at"] is not None) for o in book.o1 if o["now"]])
    tau = book.config["rmst_tau_days"]
    return {"n": c.n, "events": c.events, "median": c.quantile(0.5), "p75": c.quantile(0.75), "p90": c.quantile(0.9), "rmst_tau": tau,
            "rmst": c.restricted_mean(tau), "curve": c.steps}


def win_probability_by_age(book: Book) -> Record:
    c = Curve([(book.days(o["created_at"], o["won_at"] or book.as_of), o["won_at"] is not None) for o in book.o1 if o["now"]])
    return {str(d): {"p_won": c.happened_by(d), "at_risk": c.at_risk(d)} for d in book.report.get("win_age_days", [30, 60, 90])}


def opp_stage_first_visit_km(book: Book) -> Record:
    out = {}
    for stage in book.open_stages:
        pairs = []
        for opp in book.o1:
            place = next((k for k, e in enumerate(opp["events"]) if e["stage"] == stage), None)
            if place is not None:
                left = next((e["at"] for e in opp["events"][place:] if e["stage"] != stage), None)
                pairs.append((book.days(opp["events"][place]["at"], left or book.as_of), left is not None))
        c = Curve(pairs)
        out[stage] = {"n": c.n, "exited": c.events, "median": c.quantile(0.5), "p75": c.quantile(0.75)}
    return out


def days_in(book: Book, opp: Record, stage: str) -> float:
    """Cumulative days in a stage, all visits, to as_of."""
    ends = [e["at"] for e in opp["events"][1:]] + [book.as_of]
    return sum(((end - e["at"] for e, end in zip(opp["events"], ends, strict=True) if e["stage"] == stage)), timedelta()) / DAY


def aging(book: Book) -> Record:
    year = [o for o in book.o1 if o["won_at"] and o["won_at"] >= book.as_of - timedelta(days=365)]

    def sample(stage: str, segment: str | None = None) -> list[float]:
        return [days_in(book, o, stage) for o in year if segment in (None, o["segment"]) and any(e["stage"] == stage for e in o["events"])]

    benchmark = {}
    for stage in book.open_stages:
        days = sample(stage)
        benchmark[stage] = {"n": len(days), "median": quantile(days, 0.5), "p75": quantile(days, 0.75), "p90": quantile(days, 0.9)}
    deals = {}
    for opp in eligible_now(book):
        stage = opp["now"]["stage"]
        age, days = days_in(book, opp, stage), sample(stage, opp["segment"])
        days = days if len(days) >= book.config["benchmark_min_n"] else sample(stage)
        if not days or len(days) < book.config["benchmark_min_n"]:
            flag = "no_benchmark"
        else:
            flag = "stalled" if age > quantile(days, 0.9) else "aging" if age > quantile(days, 0.75) else "on_pace"
        deals[opp["opp_id"]] = {"stage": stage, "age_days": age, "total_age_days": book.days(opp["created_at"], book.as_of), "flag": flag}
    return {"benchmark": benchmark, "open": deals, "flags": dict(Counter(d["flag"] for d in deals.values()))}


def sales_velocity(book: Book) -> Record:
    won, lost = closed_in(book, "won", book.quarter), closed_in(book, "lost", book.quarter)
    n, rate = len(eligible_now(book)), ratio(len(won), len(won) + len(lost))
    size, days = ratio(worth(book, won), len(won)), [book.days(o["created_at"], o["won_at"]) for o in won]

    def per_day(cycle: float | None) -> float | None:
        return n * rate * size / cycle if won and cycle else None

    return {"period": book.current, "open_opportunities": n, "win_rate": rate, "avg_deal": size, "cycle_mean_days": mean(days), "per_day": per_day(mean(days)),
            "per_day_median_cycle": per_day(quantile(days, 0.5))}


def pipeline_open(book: Book) -> Record:
    def level(opps: list[Record], when: datetime) -> Record:
        states = [(o, book.state(o, when)) for o in opps]
        return {"value": sum(book.money(o, e) for o, e in states if book.eligible(e)), "count": sum(book.eligible(e) for _, e in states)}

    inside = [o for o in book.o1 if o["now"] and within(o["now"]["close_date"], book.quarter)]
    return {"as_of_all": level(book.o1, book.as_of), f"as_of_in_{book.current}": level(inside, book.as_of),
            f"{book.current}_start_all": level(book.o1, book.midnight(book.quarter[0])),
            "expansion_as_of": level([o for o in book.o1 if o["type"] == "expansion"], book.as_of)}


def pipeline_created(book: Book) -> Record:
    out = {}
    for label, period in book.quarters.items():
        deals, split = entered_in(book, period), Counter()
        for opp in deals:
            split[opp["segment"]] += book.money(opp, opp["entry"])
        out[label] = {"count": len(deals), "value": sum(split.values()), "opps": ids(deals), "value_by_segment": dict(split)}
    return out


def pipeline_progressed(book: Book) -> Record:
    t0, groups = book.midnight(book.quarter[0]), {k: [] for k in ("progressed", "regressed", "unchanged", "lost")}
    for opp in book.o1:
        before = book.state(opp, t0)
        # re-opened as in the bridge: closed at t0, an open event since
        reopened = next((e for e in opp["events"] if e["at"] > t0 and book.fate(e) == "open"), None) if book.fate(before) in ("won", "lost") else None
        if book.eligible(before):
            base = before
        elif opp["entry"] and opp["entry"]["at"] > t0:
            base = opp["entry"]
        elif reopened:
            base = reopened
        else:
            continue
        now = opp["now"]["rank"]
        moved = "lost" if opp["fate"] == "lost" else "progressed" if opp["fate"] == "won" or now > base["rank"] else "regressed" if now < base["rank"] else "unchanged"
        groups[moved].append(opp)
    return {"period": f"{book.current} to date", **{k: {"count": len(v), "value": worth(book, v), "opps": ids(v)} for k, v in groups.items()},
            "progression_rate": ratio(len(groups["progressed"]), sum(map(len, groups.values())))}


def bridge(book: Book, t0: datetime, window: list[date] | None) -> Record:
    t1, legs, ends = book.as_of, {leg: {} for leg in IN_LEGS + OUT_LEGS}, {"start": {}, "end": {}}
    later = earlier = 0.0

    def inside(event: Record | None) -> bool:
        return event is not None and (window is None or within(event["close_date"], window))

    for opp in book.o1:
        name, before, after = opp["opp_id"], book.state(opp, t0), opp["now"]
        a0, a1 = book.money(opp, before), book.money(opp, after)
        s, e = book.eligible(before) and inside(before), book.eligible(after) and inside(after)
        won_since, lost_since = opp["won_at"] is not None and opp["won_at"] > t0, opp["lost_at"] is not None and opp["lost_at"] > t0
        reopening = next((x for x in opp["events"] if x["at"] > t0 and book.fate(x) == "open"), None)
        if s:
            ends["start"][name] = base = a0
        else:
            if opp["entry"] and opp["entry"]["at"] > t0:
                leg, base = "created", book.money(opp, opp["entry"])
            elif book.fate(before) in ("won", "lost") and reopening:
                leg, base = "reopened", book.money(opp, reopening)
            elif book.eligible(before):
                leg, base = "pulled_in", a0
            elif book.fate(before) == "open":
                leg, base = "other_in", a0
            else:
                continue
            if not e and not (inside(after) and (won_since or (lost_since and leg in ("created", "reopened")))):
                continue
            legs[leg][name] = base
            if leg == "pulled_in" and window and before["close_date"] > window[1]:
                later += base
            elif leg == "pulled_in":
                earlier += base
        if a1 > base:
            legs["increased"][name] = a1 - base
        elif a1 < base:
            legs["decreased"][name] = base - a1
        if e:
            ends["end"][name] = a1
        elif opp["fate"] in ("won", "lost"):
            legs[opp["fate"]][name] = a1
        elif book.eligible(after) and window and after["close_date"] > window[1]:
            legs["pushed_out"][name] = a1
        else:
            legs["other_out"][name] = a1
    sums = {leg: sum(deals.values()) for leg, deals in legs.items()}
    start, end = sum(ends["start"].values()), sum(ends["end"].values())
    check = start + sum(sums[leg] for leg in IN_LEGS) - sum(sums[leg] for leg in OUT_LEGS)
    assert abs(check - end) < 0.01, f"bridge does not add up in {book.folder}"
    return {"t0": f"{t0:%Y-%m-%dT%H:%M:%SZ}", "t1": f"{t1:%Y-%m-%dT%H:%M:%SZ}", "window": window and [d.isoformat() for d in window],
            "open_start": start, "open_start_count": len(ends["start"]), "open_end": end, "open_end_count": len(ends["end"]),
            "legs": {leg: {"value": sums[leg], "count": len(deals), "opps": sorted(deals)} for leg, deals in legs.items()},
            "pulled_in_split": {"pulled_in_from_later": later, "slipped_in_from_earlier": earlier}, "check_sum": check}


def pipeline_bridge(book: Book) -> Record:
    q, start, days = book.current, book.midnight(book.quarter[0]), book.report.get("bridge_days", 7)
    return {f"{q}_to_date_window_{q}": bridge(book, start, book.quarter), f"last_{days}_days_window_{q}": bridge(book, book.as_of - timedelta(days=days), book.quarter),
            f"{q}_to_date_all_open": bridge(book, start, None)}


def pipeline_coverage(book: Book) -> Record:
    """Both amounts are those of P, and P is the target's own period: what a year is to bring is not held against a quarter."""
    out: Record = {}
    for target in book.targets:
        period = [target["period_start"], target["period_end"]]
        fits = target["metric_id"] == "bookings.won.value" and period == book.quarter
        if target["target_id"] not in book.report["coverage_targets"] if "coverage_targets" in book.report else not fits:
            continue
        key = target["segment"] or "all"
        won = worth(book, closed_in(book, "won", period, key))
        there = [o for o in eligible_now(book) if within(o["now"]["close_date"], period) and key in ("all", o["segment"])]
        remaining, total, fresh = target["value"] - won, worth(book, there), worth(book, [o for o in there if o["now"]["close_date"] >= book.today])
        out[key] = {"target": target["value"], "won_to_date": won, "remaining": remaining, "open_in_period": total, "open_not_overdue": fresh,
                    "coverage": total / remaining if remaining > 0 else None, "coverage_not_overdue": fresh / remaining if remaining > 0 else None,
                    "simple_coverage_open_over_full_target": ratio(total, target["value"])}
    won, lost = (worth(book, closed_in(book, fate, book.quarter)) for fate in ("won", "lost"))
    rate = ratio(won, won + lost)
    return out | {"required_coverage": 1 / rate if rate else None}


def path_reached(book: Book, opp: Record) -> tuple[int | None, int]:
    """F1, F2 for deals: entry rank and the furthest rank reached, won only while the deal is won (one outcome, its last one)."""
    ranks = [e["rank"] for e in opp["events"] if e["rank"] <= book.won_rank]
    return (ranks[0], max(ranks)) if ranks else (None, -1)


def stage_conversion(book: Book) -> Record:
    out = {}
    for stage in book.open_stages:
        rank, counts = book.ranks[stage], Counter()
        for opp in book.o1:
            entry, furthest = path_reached(book, opp)
            if entry is None or entry > rank or furthest < rank:
                continue
            counts["reached"] += 1
            counts["advanced" if furthest > rank else "lost_here" if opp["fate"] == "lost" else "open_here"] += 1
            counts[opp["fate"]] += 1
        reached, advanced, lost, here = (counts[k] for k in ("reached", "advanced", "lost_here", "open_here"))
        out[stage] = {"reached": reached, "advanced": advanced, "lost_here": lost, "open_here": here, "rate_resolved": ratio(advanced, advanced + lost),
                      "wilson95": wilson(advanced, advanced + lost), "bounds": [advanced / reached, (advanced + here) / reached] if reached else None,
                      "stage_win_rate": ratio(counts["won"], counts["won"] + counts["lost"])}
    return out


def pipeline_weighted(book: Book) -> Record:
    rates = {stage: row["stage_win_rate"] for stage, row in stage_conversion(book).items()}
    deals = eligible_now(book)
    known = all(rates[o["now"]["stage"]] is not None for o in deals)
    return {"stage_win_rates": rates, "value": sum(book.money(o, o["now"]) * rates[o["now"]["stage"]] for o in deals) if known else None}


def opp_movement(book: Book) -> Record:
    skipped, regressed, reopened = [], [], []
    for opp in book.o1:
        path = [e for e in opp["events"] if e["rank"] <= book.won_rank]
        for stage in book.open_stages:
            first = next((e for e in path if e["rank"] >= book.ranks[stage]), None)
            if first and path[0]["rank"] <= book.ranks[stage] and first["stage"] != stage:
                skipped.append(f"{opp['opp_id']}:{stage}")
        pairs = list(zip(opp["events"], opp["events"][1:], strict=False))
        regressed += [opp["opp_id"]] if any(book.fate(a) == book.fate(b) == "open" and b["rank"] < a["rank"] for a, b in pairs) else []
        reopened += [opp["opp_id"]] if any(book.fate(a) != "open" and book.fate(b) == "open" for a, b in pairs) else []
    return {"skipped": skipped, "regressed": regressed, "reopened": reopened}


def push_count(book: Book) -> Record:
    later, month = Counter(), Counter()
    for opp in book.o1:
        for a, b in zip(opp["events"], opp["events"][1:], strict=False):
            if book.fate(a) == book.fate(b) == "open" and b["close_date"] > a["close_date"]:
                later[opp["opp_id"]] += 1
                if book.month_of(b["close_date"]) != book.month_of(a["close_date"]):
                    month[opp["opp_id"]] += 1
    return {"any_later": dict(later), "later_calendar_month": dict(month)}


def slippage_rate(book: Book) -> Record:
    out = {}
    for label in book.report.get("slippage_periods", [book.current, book.month_of(book.today)]):
        period = book.named(label, book.month_of if "-" in label else book.quarter_of)
        start, end = book.midnight(period[0]), min(book.as_of, book.midnight(period[1] + DAY))
        fates = {k: [] for k in ("slipped", "won", "lost", "open_in_period", "overdue", "other")}
        base, slipped = 0.0, 0.0
        for opp in book.o1:
            before, now = book.state(opp, start), book.state(opp, end)
            if not book.eligible(before) or not within(before["close_date"], period):
                continue
            if book.fate(now) != "open":
                fate = book.fate(now)
            elif not book.eligible(now):
                fate = "other"
            else:
                fate = "slipped" if now["close_date"] > period[1] else "overdue" if now["close_date"] < min(book.today, period[1] + DAY) else "open_in_period"
            fates[fate].append(opp)
            base += book.money(opp, before)
            slipped += book.money(opp, before) if fate == "slipped" else 0.0
        n = sum(map(len, fates.values()))
        out[label] = {"base": n, **{k: ids(v) for k, v in fates.items()}, "slippage_rate": ratio(len(fates["slipped"]), n), "base_value": base,
                      "slipped_value": slipped, "slippage_value_rate": ratio(slipped, base)}
    return out


def closed_in_period(book: Book) -> Record:
    out = {}
    for label, period in book.quarters.items():
        for group in book.groups():
            won, lost = closed_in(book, "won", period, group), closed_in(book, "lost", period, group)
            out[f"{label}|{group}"] = {"won": len(won), "lost": len(lost), "count": rated(book, len(won), len(won) + len(lost)), "won_value": worth(book, won),
                                       "lost_value": worth(book, lost), "value_rate": ratio(worth(book, won), worth(book, won) + worth(book, lost))}
    return out


def winrate_cohort(book: Book) -> Record:
    out, window = {}, book.config["cohort_win_window_days"]
    for label, period in book.quarters.items():
        members, counts, mature, inside = entered_in(book, period), Counter(), 0, 0
        for opp in members:
            counts[opp["fate"]] += 1
            limit = opp["entry"]["at"] + timedelta(days=window)
            if limit <= book.as_of:
                mature += 1
                inside += opp["won_at"] is not None and opp["won_at"] <= limit
        n = len(members)
        out[label] = {"n": n, "won": counts["won"], "lost": counts["lost"], "open": counts["open"], "n_mature": mature, "won_in_window_mature": inside,
                      "window_days": window, "rate_to_date": ratio(counts["won"], n), "open_share": ratio(counts["open"], n),
                      "rate_mature": ratio(inside, mature), "wilson95_mature": wilson(inside, mature)}
    return out


def deal_size(book: Book) -> Record:
    out = {}
    for label, period in book.quarters.items():
        values = [book.money(o, o["now"]) for o in closed_in(book, "won", period)]
        out[label] = {"n": len(values), "mean": mean(values), "median": quantile(values, 0.5), "total": sum(values)}
    return out


def won_value(book: Book) -> Record:
    out = {}
    for label, period in book.quarters.items():
        won = closed_in(book, "won", period)
        plan = worth(book, won)
        dated = sum((o["now"]["amount"] or 0.0) * book.rate(o["currency"], o["now"]["close_date"]) for o in won)
        out[label] = {"corporate_rate": plan, "dated_rate": dated, "fx_effect": dated - plan}
    return out


DEALS = {"leakage.opportunities": leakage_of_opportunities, "velocity.cycle_time_won": cycle_time_won, "velocity.time_to_close_km": time_to_close_km,
         "velocity.win_probability_by_age": win_probability_by_age, "velocity.opp_stage_first_visit_km": opp_stage_first_visit_km, "velocity.aging": aging,
         "velocity.sales_velocity": sales_velocity, "pipeline.open": pipeline_open, "pipeline.created": pipeline_created,
         "pipeline.progressed": pipeline_progressed, "pipeline.bridge": pipeline_bridge, "pipeline.coverage": pipeline_coverage,
         "pipeline.weighted": pipeline_weighted, "opp.stage_conversion": stage_conversion, "opp.movement": opp_movement,
         "slippage.push_count": push_count, "slippage.rate": slippage_rate, "winrate.closed_in_period": closed_in_period, "winrate.cohort": winrate_cohort,
         "deal_size": deal_size, "bookings.won_value": won_value}
