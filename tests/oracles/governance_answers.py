"""Oracle of governance, retention, control charts and controlled tests: one function per metric id."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date

from tests.oracles.book import DAY, Z, Book, Curve, Record, mean, newcombe, quantile, ratio, within


def reporting_consistency(book: Book) -> Record:
    rule, keys = book.config["reporting_consistency"], {}
    for row in book.rows("reported_values"):
        keys.setdefault(f"{row['metric_id']}|{row['period']}|{row['segment'] or ''}", {})[row["source"]] = row["value"]
    comparisons, inconsistent = 0, []
    for key, values in keys.items():
        if rule["canonical_source"] not in values:
            continue
        truth = values[rule["canonical_source"]]
        for source, value in values.items():
            if source != rule["canonical_source"]:
                comparisons += 1
                inconsistent += [f"{key}|{source}"] if abs(value - truth) > rule["rel_tol"] * abs(truth) else []
    consistent = comparisons - len(inconsistent)
    return {"comparisons": comparisons, "consistent": consistent, "rate": ratio(consistent, comparisons), "inconsistent": sorted(inconsistent),
            "no_canonical_value": sorted(key for key, values in keys.items() if rule["canonical_source"] not in values)}


def happened(book: Book, row: Record, column: str) -> bool:
    return row[column] is not None and row[column] <= book.as_of


def decision_velocity(book: Book) -> Record:
    mine = [r for r in book.rows("decisions") if r["raised_at"] <= book.as_of and r["status"] != "withdrawn"]
    decided, waiting = [r for r in mine if happened(book, r, "decided_at")], [r for r in mine if not happened(book, r, "decided_at")]
    days = [book.days(r["raised_at"], r["decided_at"]) for r in decided if within(book.day(r["decided_at"]), book.quarter)]
    curve = Curve([(book.days(r["raised_at"], r["decided_at"]), True) for r in decided] + [(book.days(r["raised_at"], book.as_of), False) for r in waiting])
    return {"period": book.current, "decided": len(days), "median_days": quantile(days, 0.5), "p90_days": quantile(days, 0.9), "mean_days": mean(days),
            "km_median_days": curve.quantile(0.5), "open": [[r["decision_id"], book.days(r["raised_at"], book.as_of)] for r in sorted(waiting, key=lambda r: r["decision_id"])]}


def actions(book: Book) -> Record:
    mine = [r for r in book.rows("actions") if r["created_at"] <= book.as_of and r["status"] != "cancelled"]
    due = [r for r in mine if r["due_date"] < book.today]
    done = [r for r in due if happened(book, r, "completed_at")]
    on_time = [r for r in done if book.day(r["completed_at"]) <= r["due_date"]]
    effects = {r["action_id"]: effect(book, r) for r in mine if r["status"] == "done" and happened(book, r, "completed_at") and r["measure_at"]}
    verdicts = Counter(e["verdict"] for e in effects.values())
    return {"due": len(due), "completed": len(done), "completion_rate": ratio(len(done), len(due)), "on_time": len(on_time), "on_time_rate": ratio(len(on_time), len(due)),
            "overdue_open": sorted(r["action_id"] for r in due if r not in done), "effects": effects,
            "effect_rate": ratio(verdicts["moved"], verdicts["moved"] + verdicts["moved_wrong_way"] + verdicts["inconclusive"])}


def effect(book: Book, row: Record) -> Record:
    if row["measure_at"] > book.today or row["after_n"] is None:
        return {"verdict": "not_yet_measurable"}
    if min(row["baseline_n"], row["after_n"]) < book.stats["min_n_effect"]:
        return {"verdict": "insufficient_n"}
    diff, interval = newcombe(row["baseline_x"], row["baseline_n"], row["after_x"], row["after_n"])
    sure = interval[0] > 0 or interval[1] < 0
    right = (diff > 0) == (row["direction"] == "up")
    return {"verdict": ("moved" if right else "moved_wrong_way") if sure else "inconclusive", "diff": diff, "ci95": interval}


def definition_drift(book: Book) -> Record:
    mine = [r for r in book.rows("definition_changes") if within(r["effective_from"], book.quarter)]
    controlled = [r["change_id"] for r in mine if (r["rationale"] or "").strip() and r["approved_by"] and r["dashboards_updated_at"] and r["training_at"]]
    return {"period": book.current, "changes": len(mine), "controlled": sorted(controlled), "uncontrolled": sorted({r["change_id"] for r in mine} - set(controlled)),
            "controlled_rate": ratio(len(controlled), len(mine))}


# -- retention ---------------------------------------------------------------------------------------------------------------------------


def retention_period(book: Book) -> list[date]:
    """As configured, else the last twelve complete months."""
    if given := book.config.get("retention_period"):
        return [date.fromisoformat(given["start"]), date.fromisoformat(given["end"])]
    end = start = book.today.replace(day=1) - DAY
    for _ in range(11):
        start = start.replace(day=1) - DAY
    return [start.replace(day=1), end]


def retained(book: Book, group: str) -> Record:
    start, end = retention_period(book)
    rows = [r | {"money": r["amount"] * book.rate(r["currency"])} for r in book.ledger if group in ("all", r["segment"])]

    def balance(account: str, *, before: bool) -> float:
        total = sum(r["money"] for r in rows if r["account_id"] == account and (r["effective_date"] < start if before else r["effective_date"] <= end))
        return total if abs(total) >= 0.005 else 0.0

    cohort = {a: (balance(a, before=True), balance(a, before=False)) for a in {r["account_id"] for r in rows} if balance(a, before=True) > 0}
    inside = [r for r in rows if r["account_id"] in cohort and start <= r["effective_date"] <= end]

    def gross(*movements: str) -> float:
        return abs(sum(r["money"] for r in inside if r["movement"] in movements))

    opening, closing, kept = sum(o for o, _ in cohort.values()), sum(c for _, c in cohort.values()), sum(1 for _, c in cohort.values() if c > 0)
    return {"accounts": len(cohort), "opening_arr": opening, "closing_arr": closing, "nrr": ratio(closing, opening), "grr": ratio(sum(min(o, c) for o, c in cohort.values()), opening),
            "logo_retention": ratio(kept, len(cohort)), "logos_kept": kept, "net_expansion": sum(c - o for o, c in cohort.values() if c > o),
            "net_contraction": sum(o - c for o, c in cohort.values() if 0 < c < o), "churn": sum(o for o, c in cohort.values() if c <= 0),
            "grr_movement_variant": ratio(opening - gross("contraction") - gross("churn"), opening), "gross_expansion": gross("expansion", "reactivation"),
            "gross_contraction": gross("contraction"), "gross_churn": gross("churn")}


def retention(book: Book) -> Record:
    period = retention_period(book)
    new = sum(r["amount"] * book.rate(r["currency"]) for r in book.ledger if r["movement"] == "new" and within(r["effective_date"], period))
    return {**{group: retained(book, group) for group in book.groups()}, "new_logo_arr_in_period": new}


# -- control charts and controlled tests -------------------------------------------------------------------------------------------------


def series(book: Book, kind: str) -> list[Record]:
    rows = book.rows("metric_series")
    names = sorted({r["series_id"] for r in rows if (r["kind"] == "p") == (kind == "p")})
    chosen = book.report.get(f"{'p_chart' if kind == 'p' else 'xmr'}_series", names[0] if names else None)
    return sorted((r for r in rows if r["series_id"] == chosen), key=lambda r: r["t"])


def runs(book: Book, points: list[tuple[float, float]], centre: float) -> list[list]:
    """The points at which a run on one side becomes long enough; points on the line are skipped."""
    out, length, side = [], 0, ""
    for t, value in points:
        if abs(value - centre) < 1e-12:
            continue
        here = "above" if value > centre else "below"
        length, side = (length + 1 if here == side else 1), here
        if length == book.stats["spc_run_length"]:
            out.append([int(t), side])
    return out


def p_chart(book: Book) -> Record:
    rows = series(book, "p")
    base = rows[:book.stats["spc_baseline_points"]]
    pbar = ratio(sum(r["numerator"] for r in base), sum(r["denominator"] for r in base))
    points = []
    for r in rows:
        half = 3 * math.sqrt(pbar * (1 - pbar) / r["denominator"])
        points.append([int(r["t"]), r["numerator"] / r["denominator"], max(0.0, pbar - half), min(1.0, pbar + half)])
    return {"pbar": pbar, "points": points, "outside_limits": [t for t, p, low, high in points if not low <= p <= high], "runs": runs(book, [(p[0], p[1]) for p in points], pbar)}


def xmr(book: Book) -> Record:
    points = [(int(r["t"]), r["value"]) for r in series(book, "x")]
    base = [value for _, value in points[:book.stats["spc_baseline_points"]]]
    centre, moving = mean(base), mean([abs(b - a) for a, b in zip(base, base[1:], strict=False)])
    if moving is None:
        return {"mean": centre, "avg_moving_range": None, "lnpl": None, "unpl": None, "upper_range_limit": None, "outside_limits": [], "runs": []}
    low, high = centre - 2.66 * moving, centre + 2.66 * moving
    return {"mean": centre, "avg_moving_range": moving, "lnpl": low, "unpl": high, "upper_range_limit": 3.268 * moving,
            "outside_limits": [t for t, v in points if not low <= v <= high], "runs": runs(book, points, centre)}


def experiments(book: Book) -> Record:
    out: Record = {}
    for name in sorted({r["experiment_id"] for r in book.rows("experiments")}):
        control, treatment = (next(r for r in book.rows("experiments") if r["experiment_id"] == name and r["arm"] == arm) for arm in ("control", "treatment"))
        (x0, n0), (x1, n1) = ((r["successes"], r["n"]) for r in (control, treatment))
        diff, interval = newcombe(x0, n0, x1, n1)
        lift = ratio(x1 / n1, x0 / n0)
        spread = Z * math.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0) if x0 and x1 else None
        planned = control["planned_share"] + treatment["planned_share"]
        chi2 = sum((r["n"] - (n0 + n1) * r["planned_share"] / planned) ** 2 / ((n0 + n1) * r["planned_share"] / planned) for r in (control, treatment))
        p = math.erfc(math.sqrt(chi2 / 2))
        verdict = "invalid_srm" if p < 0.001 else "lift" if interval[0] > 0 else "drop" if interval[1] < 0 else "inconclusive"
        out[name] = {"diff": diff, "newcombe95": interval, "relative_lift": None if lift is None else lift - 1,
                     "relative_lift95": None if spread is None else [lift * math.exp(-spread) - 1, lift * math.exp(spread) - 1], "srm_chi2": chi2, "srm_p": p, "verdict": verdict}
    return out


GOVERNANCE = {"governance.reporting_consistency": reporting_consistency, "governance.decision_velocity": decision_velocity, "governance.actions": actions,
              "governance.definition_drift": definition_drift, "retention": retention, "stats.p_chart": p_chart, "stats.xmr": xmr, "stats.experiments": experiments}
