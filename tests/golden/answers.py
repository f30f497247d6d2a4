"""Print the answers for a folder of canonical CSVs and a config.json, in the shape of `expected.json`'s `metrics`.

    python tests/golden/answers.py DIR

Every number comes from revscore's public functions; this file only chooses periods (config's `report` section) and re-shapes.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from revscore.core import calendars, statistics  # noqa: E402
from revscore.core.calendars import Period, iso, midnight  # noqa: E402
from revscore.core.coded import Coded  # noqa: E402
from revscore.core.compute import compute, curve  # noqa: E402
from revscore.core.drill import open_number  # noqa: E402
from revscore.core.journeys import span_of  # noqa: E402
from revscore.core.metrics import CARDS, attribution, campaigns, one_deal, pipeline, sla, targets  # noqa: E402
from revscore.core.terms import MODELS, SLA_TYPES  # noqa: E402
from revscore.core.view import View  # noqa: E402
from revscore.intake import load_folder  # noqa: E402
from tests.golden import governance_answers, quality_answers  # noqa: E402


def num(value: Any) -> float | int | None:
    """A JSON number: whole numbers as int, missing as null."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or pd.isna(value):
        return None
    value = float(value)
    return int(value) if value == int(value) and abs(value) < 2**53 else value


class Answers:
    """The questions of the report, asked of one coded extract."""

    def __init__(self, folder: Path) -> None:
        data, terms, config = load_folder(folder)
        # a folder says everything: without rows of policies or levels there are none, where the product would offer its own
        tables = {"sla_policies": "sla_policies", "escalation_levels": "sla_escalation_levels"}
        terms = replace(terms, **{name: () for name, table in tables.items() if not len(data.table(table))})
        self.x, self.terms, self.config = Coded(data, terms), terms, config
        self.asked: dict[Any, pd.DataFrame] = {}
        self.calendar = terms.calendar
        report = config.get("report") or {}
        today = self.x.as_of_day
        self.current = self.calendar.parse(report["current_quarter"]) if "current_quarter" in report else self.calendar.holding(today, "quarter")
        self.quarters = [self.calendar.parse(q) for q in report["quarters"]] if "quarters" in report else [self.calendar.shifted(self.current, -1), self.current]
        month = self.calendar.holding(today, "month")
        self.months = [self.calendar.parse(m) for m in report["months"]] if "months" in report else [self.calendar.shifted(month, k) for k in (-3, -2, -1)]
        self.segments = report.get("segments", self._segments())
        start = calendars.day_number(report["fytd_start"]) if "fytd_start" in report else self.calendar.holding(today, "year").start
        self.fytd = Period(start, max(today + 1, start), "fytd")
        self.report = report

    def _segments(self) -> list[str]:
        leads, opps = self.x.data.table("leads")["segment"][self.x.leads.in_f0], self.x.data.table("opportunities")["segment"][self.x.opps.in_o1]
        return sorted({str(s) for s in pd.concat([leads, opps, self.x.data.table("arr_ledger")["segment"]]).dropna()} - {""})

    # -- asking ------------------------------------------------------------------------------------------------------------------------

    def ask(self, card_id: str, view: View = View(), by: Any = (), grain: Any = None, **params: Any) -> pd.DataFrame:
        question = (card_id, view, by, grain, *sorted(params.items()))
        if question not in self.asked:
            self.asked[question] = compute(self.x, CARDS[card_id], view, by, grain, **params)
        return self.asked[question]

    def value(self, card_id: str, measure: str, view: View = View(), column: str = "value", **params: Any) -> float | int | None:
        frame = self.ask(card_id, view, **params)
        found = frame.loc[frame["measure"] == measure, column]
        return num(found.iloc[0]) if len(found) else None

    def values(self, card_id: str, measure: str, by: str, view: View = View(), column: str = "value", **params: Any) -> dict[str, Any]:
        frame = self.ask(card_id, view, by, **params)
        frame = frame[frame["measure"] == measure]
        return {key: num(value) for key, value in zip(frame[by], frame[column], strict=True)}

    def ids(self, card_id: str, view: View = View(), measure: str = "", **params: Any) -> list[str]:
        counted = open_number(self.x, CARDS[card_id], view, measure, **params).counted
        return sorted(set(counted.iloc[:, 0]))

    def rate(self, card_id: str, measure: str, view: View = View(), **params: Any) -> dict[str, Any]:
        """A rate as {x, n, rate, wilson95, display}."""
        frame = self.ask(card_id, view, **params)
        return shown(frame[frame["measure"] == measure].iloc[0] if (frame["measure"] == measure).any() else None)

    def by_segment(self, view: View) -> Iterable[tuple[str, View]]:
        yield "all", view
        for segment in self.segments:
            yield segment, view.narrowed(segment=segment)

    # -- families ----------------------------------------------------------------------------------------------------------------------

    def funnel(self) -> dict[str, Any]:
        x, stages = self.x, self.terms.lead_stages
        entries = {}
        for stage in stages:
            view = View.of(stage=stage)
            def split(by: Any, grain: Any = None, view: View = view) -> dict[str, Any]:
                frame = self.ask("funnel.entries", view, by, grain)
                frame = frame[frame["measure"] == "count"]
                return {key: num(v) for key, v in zip(frame["period" if grain else by], frame["value"], strict=True) if key != ""}

            entries[stage] = {"month": split((), "month"), "fiscal_quarter": split((), "quarter"), "segment": split("segment"),
                              "total": self.value("funnel.entries", "count", view), "imputed": self.value("funnel.entries", "imputed", view)}
        moves = self.values("funnel.movement", "count", "move")
        skipped = open_number(x, CARDS["funnel.movement"], View.of(move="skipped")).counted
        again = self.ask("funnel.movement", View.of(move="re_mql"), (), "month")
        movement = {"skipped_stage_counts": {k: v for k, v in self.values("funnel.movement", "count", "stage", View.of(move="skipped")).items()},
                    "skipped": sorted(skipped["lead_id"] + ":" + skipped["stage"]), "regressions": moves.get("regression", 0),
                    "regressed_leads": self.ids("funnel.movement", View.of(move="regression")), "recycled_leads": self.ids("funnel.movement", View.of(move="recycled")),
                    "re_mql_by_month": {p: num(v) for p, v in zip(again["period"], again["value"], strict=True)},
                    "re_entered_leads": self.ids("funnel.movement", View.of(move="re_entered")), "entered_above_first_stage": moves.get("entered_above", 0)}
        recovery = open_number(x, CARDS["funnel.recycle_recovery"])
        opened = open_number(x, CARDS["funnel.recycle_recovery"], measure="to_opportunity_rate")
        recycle = {"recycled": self.value("funnel.recycle_recovery", "re_mql_rate", column="denominator"), "re_mql": sorted(recovery.counted["lead_id"]),
                   "re_mql_rate": self.value("funnel.recycle_recovery", "re_mql_rate"), "to_opportunity": sorted(opened.counted["lead_id"]),
                   "to_opportunity_rate": self.value("funnel.recycle_recovery", "to_opportunity_rate")}
        return {"funnel.entries": entries, "funnel.movement": movement, "funnel.recycle_recovery": recycle, "funnel.cohort_conversion": self.cohorts(),
                "funnel.km_conversion": self.km_conversion(), "funnel.equal_age_comparison": self.equal_age(), "funnel.period_ratio": self.ratios()}

    def cohorts(self) -> dict[str, Any]:
        out = {}
        for pair, window in self.terms.conversion_window_days:
            view, groups = View.of(pair=pair), {}
            for prefix, by, grain in (("all", (), None), ("month", (), "month"), ("fq", (), "quarter"), ("segment", "segment", None)):
                frame = self.ask("funnel.cohort_conversion", view, by, grain)
                keys = frame["period"] if grain else frame["segment"] if by else pd.Series("all", index=frame.index)
                for key, part in frame.groupby(keys):
                    if key != "":
                        groups[key if prefix == "all" else f"{prefix}:{key}"] = cohort(part.set_index("measure"))
            out[pair] = {"window_days": num(window), "groups": groups}
        return out

    def km_conversion(self) -> dict[str, Any]:
        pairs, days = self.report.get("km_pairs", ["mql->opportunity", "mql->sal", "mql->sql"]), self.report.get("km_days", [14, 30, 60])
        out = {}
        for pair in pairs:
            for label, view in (("all", View()), *((m.label, View(m)) for m in self.months)):
                c = curve(self.x, CARDS["funnel.km_conversion"], view, pair=pair)
                row = {"n": c.n, "events": int(c.events.sum())}
                for day in days:
                    row |= {f"conversion_at_{day}d": num(1 - c.at(day)), f"at_risk_{day}d": c.at_risk_at(day)}
                out[f"{pair}|{label}"] = row | {"t25": num(c.quantile(0.25)), "t50": num(c.quantile(0.5)), "curve": points(c) if label == "all" else None}
        return out

    def equal_age(self) -> dict[str, Any]:
        m1, m2, m3 = self.months if len(self.months) == 3 else [self.calendar.shifted(self.calendar.holding(self.x.as_of_day, "month"), k) for k in (-3, -2, -1)]
        asked = self.report.get("equal_age") or [{"pair": "mql->sql", "older": m2.label, "younger": m3.label},
                                                 {"pair": "mql->opportunity", "older": m2.label, "younger": m3.label},
                                                 {"pair": "mql->sal", "older": m1.label, "younger": m2.label}]
        out = {}
        for q in asked:
            row = self.ask("funnel.equal_age_comparison", pair=q["pair"], older=self.calendar.parse(q["older"]), younger=self.calendar.parse(q["younger"])).iloc[0]
            interval = [num(row["low"]), num(row["high"])]
            out[q["pair"]] = {"age_days": num(row["age_days"]), "older": row["older"], "younger": row["younger"], "older_x_n": [int(row["older_x"]), int(row["older_n"])],
                              "younger_x_n": [int(row["younger_x"]), int(row["younger_n"])], "diff_younger_minus_older": num(row["value"]),
                              "newcombe95": None if interval[0] is None else interval, "different": None if row["different"] is None else bool(row["different"])}
        return out

    def ratios(self) -> dict[str, Any]:
        out = {}
        for quarter in self.quarters:
            frame = self.ask("funnel.period_ratio", View(quarter))
            for _, row in frame.iterrows():
                out[f"{row['pair']}|{quarter.label}"] = {"numerator": num(row["numerator"]), "denominator": num(row["denominator"]), "ratio": num(row["value"])}
        return out

    def leakage(self) -> dict[str, Any]:
        out = {}
        for stage in self.terms.lead_stages[:-1]:
            view = View.of(stage=stage)
            fates = self.values("leakage.leads", "count", "fate", view)
            frame = self.ask("leakage.leads", view, ("fate", "reason"))
            frame = frame[(frame["measure"] == "count") & (frame["reason"] != "")]
            out[stage] = {"reached": self.value("leakage.leads", "count", view), **{f: fates.get(f, 0) for f in ("advanced", "disqualified", "recycled", "lost", "stalled", "active")},
                          "leak_rate": self.value("leakage.leads", "leak_rate", view),
                          "reasons": {f"{row.fate}:{row.reason}": num(row.value) for row in frame.itertuples()}}
        frame = self.ask("leakage.opportunities", by=("stage", "reason"))
        table: dict[str, dict[str, Any]] = {}
        for row in frame[frame["measure"].isin(["count", "value"])].itertuples():
            table.setdefault(f"{row.stage}|{row.reason}", {})[row.measure] = num(row.value)
        lost = self.value("leakage.opportunities", "count")
        covered = self.value("leakage.opportunities", "reason_coverage", column="numerator")
        return {"leakage.leads": out, "leakage.opportunities": {"by_stage_and_reason": table, "lost": lost, "missing_reason": lost - covered,
                                                                "reason_coverage": self.value("leakage.opportunities", "reason_coverage")}}

    def velocity(self) -> dict[str, Any]:
        x = self.x
        transitions = {}
        default = [f"{a}->{b}" for a, b in zip(self.terms.lead_stages[:-2], self.terms.lead_stages[1:-1], strict=True)] + ["mql->opportunity"]
        pairs = tuple(dict.fromkeys(self.report.get("transition_pairs", default)))
        frame = self.ask("velocity.lead_transition_days", by="pair", pairs=pairs)
        for pair in pairs:
            transitions[pair] = quantiles(frame[frame["pair"] == pair], ("median", "p75", "p90"))
        cycle = {q.label: quantiles(self.ask("velocity.cycle_time_won", View(q)), ("mean", "median", "p75", "p90")) for q in self.quarters}
        close = curve(x, CARDS["velocity.time_to_close_km"])
        tau = self.terms.rmst_tau_days
        honest = {"n": close.n, "events": int(close.events.sum()), **{k: num(close.quantile(p)) for k, p in (("median", 0.5), ("p75", 0.75), ("p90", 0.9))},
                  "rmst_tau": num(tau), "rmst": num(close.restricted_mean(tau)), "curve": points(close)}
        win = curve(x, CARDS["velocity.win_probability_by_age"])
        ages = {str(d): {"p_won": num(1 - win.at(d)), "at_risk": win.at_risk_at(d)} for d in self.report.get("win_age_days", [30, 60, 90])}
        visits = {}
        for stage in self.terms.opp_open_stages:
            c = curve(x, CARDS["velocity.opp_stage_first_visit_km"], View.of(stage=stage))
            visits[stage] = {"n": c.n, "exited": int(c.events.sum()), "median": num(c.quantile(0.5)), "p75": num(c.quantile(0.75))}
        won_days = self.ask("velocity.stage_days_won", by="stage")
        aged = open_number(x, CARDS["velocity.aging"], measure="count").counted
        dimension = x.facts(CARDS["velocity.aging"]).own["aging"]
        back = dict(zip(dimension.labels, dimension.values, strict=True))
        opened = {row.opp_id: {"stage": row.stage, "age_days": num(row.age_days), "total_age_days": num(row.total_age_days), "flag": back[row.aging]} for row in aged.itertuples()}
        flags: dict[str, int] = {}
        for row in opened.values():
            flags[row["flag"]] = flags.get(row["flag"], 0) + 1
        speed = self.ask("velocity.sales_velocity", View(self.current))
        first = speed.iloc[0]
        rates = speed.set_index("measure")["value"]
        return {"velocity.lead_transition_days": transitions, "velocity.cycle_time_won": cycle, "velocity.time_to_close_km": honest,
                "velocity.win_probability_by_age": ages, "velocity.opp_stage_first_visit_km": visits,
                "velocity.aging": {"benchmark": {s: quantiles(won_days[won_days["stage"] == s], ("median", "p75", "p90")) for s in self.terms.opp_open_stages},
                                   "open": opened, "flags": flags},
                "velocity.sales_velocity": {"period": self.current.label, "open_opportunities": num(first["open_opportunities"]), "win_rate": num(first["win_rate"]),
                                            "avg_deal": num(first["avg_deal"]), "cycle_mean_days": num(first["cycle_mean_days"]), "per_day": num(rates["per_day"]),
                                            "per_day_median_cycle": num(rates["per_day_median_cycle"])}}

    def pipelines(self) -> dict[str, Any]:
        x, q, tz = self.x, self.current, self.terms.reporting_tz
        def level(view: View = View(), **params: Any) -> dict[str, Any]:
            return {"value": self.value("pipeline.open", "value", view, **params), "count": self.value("pipeline.open", "count", view, **params)}

        before = View(Period(min(q.start - 1, 0), q.start))
        opened = {"as_of_all": level(), f"as_of_in_{q.label}": level(window=q), f"{q.label}_start_all": level(before), "expansion_as_of": level(View.of(type="expansion"))}
        created = {}
        for quarter in self.quarters:
            view = View(quarter)
            by_segment = self.values("pipeline.created", "value", "segment", view)
            created[quarter.label] = {"count": self.value("pipeline.created", "count", view), "value": self.value("pipeline.created", "value", view),
                                      "opps": self.ids("pipeline.created", view), "value_by_segment": {k: v for k, v in by_segment.items()}}
        start = midnight(q.start, tz)
        moved: dict[str, Any] = {"period": f"{q.label} to date"}
        for direction in ("progressed", "regressed", "unchanged", "lost"):
            view = View.of(direction=direction)
            moved[direction] = {"count": self.value("pipeline.progressed", "count", view, t0=start, t1=x.as_of), "value": self.value("pipeline.progressed", "value", view, t0=start, t1=x.as_of),
                                "opps": self.ids("pipeline.progressed", view, "count", t0=start, t1=x.as_of)}
        moved["progression_rate"] = self.value("pipeline.progressed", "progression_rate", t0=start, t1=x.as_of)
        days = self.report.get("bridge_days", 7)
        bridges = {f"{q.label}_to_date_window_{q.label}": self.bridge(start, q), f"last_{days}_days_window_{q.label}": self.bridge(x.as_of - days * calendars.DAY_US, q),
                   f"{q.label}_to_date_all_open": self.bridge(start, None)}
        frame = self.ask("opp.stage_conversion", by="stage")
        stages = {}
        for stage in self.terms.opp_open_stages:
            part = frame[frame["stage"] == stage].set_index("measure")
            reached, advanced, here, lost = (num(part["value"].get(name, 0)) for name in ("reached", "advanced", "open_here", "lost_here"))
            rate = part.loc["rate_resolved"] if len(part) else None
            stages[stage] = {"reached": reached, "advanced": advanced, "lost_here": lost, "open_here": here, "rate_resolved": None if rate is None else num(rate["value"]),
                             "wilson95": shown(rate)["wilson95"], "bounds": [advanced / reached, (advanced + here) / reached] if reached else None,
                             "stage_win_rate": num(part["value"].get("stage_win_rate"))}
        moves = open_number(x, CARDS["opp.movement"]).counted
        skipped = moves[moves["move"] == "Skipped a stage"]
        weighted = {"stage_win_rates": {stage: row["stage_win_rate"] for stage, row in stages.items()}, "value": self.value("pipeline.weighted", "value")}
        pushes = {}
        for name in ("any_later", "later_month"):
            counted = open_number(x, CARDS["slippage.push_count"], measure=name).counted
            pushes["later_calendar_month" if name == "later_month" else name] = {k: int(v) for k, v in counted["opp_id"].value_counts().items()}
        return {"pipeline.open": opened, "pipeline.created": created, "pipeline.progressed": moved, "pipeline.bridge": bridges, "pipeline.coverage": self.coverage(),
                "pipeline.weighted": weighted, "opp.stage_conversion": stages,
                "opp.movement": {"skipped": sorted(skipped["opp_id"] + ":" + skipped["stage"]), "regressed": self.ids("opp.movement", View.of(move="regressed")),
                                 "reopened": self.ids("opp.movement", View.of(move="reopened"))},
                "slippage.push_count": pushes, "slippage.rate": {p.label: self.slippage(p) for p in self.slippage_periods()}}

    def slippage_periods(self) -> list[Period]:
        if "slippage_periods" in self.report:
            return [self.calendar.parse(p) for p in self.report["slippage_periods"]]
        return [self.current, self.calendar.holding(self.x.as_of_day, "month")]

    def slippage(self, period: Period) -> dict[str, Any]:
        fates = {fate: self.ids("slippage.rate", View.of(fate=fate), "count", period=period) for fate in ("slipped", "won", "lost", "open_in_period", "overdue", "other")}
        value = self.ask("slippage.rate", period=period).set_index("measure")
        return {"base": int(value.loc["slippage_rate", "n"]), **fates, "slippage_rate": num(value.loc["slippage_rate", "value"]), "base_value": num(value.loc["value", "value"]),
                "slipped_value": num(value.loc["slippage_value_rate", "numerator"]), "slippage_value_rate": num(value.loc["slippage_value_rate", "value"])}

    def bridge(self, t0: int, window: Period | None) -> dict[str, Any]:
        params = {"t0": t0, "t1": self.x.as_of, "window": window}
        frame = self.ask("pipeline.bridge", by="leg", **params)
        table = frame.pivot(index="leg", columns="measure", values="value").reindex(pipeline.LEGS).fillna(0.0) if len(frame) else pd.DataFrame(
            0.0, index=list(pipeline.LEGS), columns=["value", "count", "from_later", "from_earlier"])
        legs = {leg: {"value": num(table.loc[leg, "value"]), "count": num(table.loc[leg, "count"]), "opps": self.ids("pipeline.bridge", View.of(leg=leg), **params)}
                for leg in (*pipeline.INFLOWS, *pipeline.OUTFLOWS)}
        value = table["value"]
        check = value["open_start"] + value[list(pipeline.INFLOWS)].sum() - value[list(pipeline.OUTFLOWS)].sum()
        return {"t0": iso(t0), "t1": iso(self.x.as_of), "window": window and [calendars.date_of(window.start).isoformat(), calendars.date_of(window.last).isoformat()],
                "open_start": num(value["open_start"]), "open_start_count": num(table.loc["open_start", "count"]), "open_end": num(value["open_end"]),
                "open_end_count": num(table.loc["open_end", "count"]), "legs": legs,
                "pulled_in_split": {"pulled_in_from_later": num(table.loc["pulled_in", "from_later"]), "slipped_in_from_earlier": num(table.loc["pulled_in", "from_earlier"])},
                "check_sum": num(check)}

    def coverage(self) -> dict[str, Any]:
        q, out = self.current, {}
        wanted = self.report.get("coverage_targets")
        for t in self.terms.targets:
            if t.metric_id != "bookings.won.value" or (t.target_id not in wanted if wanted is not None else (t.start, t.end) != (q.start, q.end)):
                continue
            view = View.of(Period(t.start, t.end), **({"segment": t.segment} if t.segment else {}))
            frame = self.ask("pipeline.coverage", view, target=t.value).set_index("measure")
            row = frame.iloc[0]
            out[t.segment or "all"] = {"target": num(t.value), **{k: num(row[k]) for k in ("won_to_date", "remaining", "open_in_period", "open_not_overdue")},
                                       "coverage": num(frame.loc["coverage", "value"]), "coverage_not_overdue": num(frame.loc["coverage_not_overdue", "value"]),
                                       "simple_coverage_open_over_full_target": num(frame.loc["simple_coverage", "value"])}
        required = self.ask("pipeline.coverage", View(q), target=math.nan).set_index("measure")
        return out | {"required_coverage": num(required.loc["required_coverage", "value"])}

    def wins(self) -> dict[str, Any]:
        closed, cohorts, sizes, booked = {}, {}, {}, {}
        for q in self.quarters:
            for name, view in self.by_segment(View(q)):
                ask = {m: self.value("winrate.closed_in_period", m, view) for m in ("won", "lost", "won_value", "lost_value", "value_rate")}
                closed[f"{q.label}|{name}"] = {"won": ask["won"], "lost": ask["lost"], "count": self.rate("winrate.closed_in_period", "count_rate", view),
                                               "won_value": ask["won_value"], "lost_value": ask["lost_value"], "value_rate": ask["value_rate"]}
            c = self.ask("winrate.cohort", View(q)).set_index("measure")
            mature = c.loc["rate_mature"]
            cohorts[q.label] = {"n": num(mature["n"]), "won": num(c.loc["won", "value"]), "lost": num(c.loc["lost", "value"]), "open": num(c.loc["open_share", "numerator"]),
                                "n_mature": num(mature["denominator"]), "won_in_window_mature": num(mature["numerator"]), "window_days": num(self.terms.cohort_win_window_days),
                                "rate_to_date": num(c.loc["rate_to_date", "value"]), "open_share": num(c.loc["open_share", "value"]), "rate_mature": num(mature["value"]),
                                "wilson95_mature": shown(mature)["wilson95"]}
            size = self.ask("deal_size", View(q)).set_index("measure")
            sizes[q.label] = {"n": num(size.loc["mean", "n"]), "mean": num(size.loc["mean", "value"]), "median": num(size.loc["median", "value"]), "total": num(size.loc["total", "value"])}
            b = {m: self.value("bookings.won_value", m, View(q)) for m in ("value", "dated_value", "fx_effect")}
            booked[q.label] = {"corporate_rate": b["value"], "dated_rate": b["dated_value"], "fx_effect": b["fx_effect"]}
        return {"winrate.closed_in_period": closed, "winrate.cohort": cohorts, "deal_size": sizes, "bookings.won_value": booked}

    def sla(self) -> dict[str, Any]:
        kept, waits, accepted = {}, {}, {}
        for sla_type in SLA_TYPES:
            for q in self.quarters:
                for name, view in self.by_segment(View.of(q, sla_type=sla_type)):
                    kept[f"{sla_type}|{q.label}|{name}"] = {
                        "due_anchored": self.rate("sla.compliance", "compliance", view),
                        "resolved_start_anchored": self.rate("sla.compliance_by_start", "resolved_start_anchored", view),
                        **{m: self.value("sla.compliance_by_start", m, view) for m in ("breached_open", "not_yet_due", "met_but_not_yet_due", "cancelled")}}
        for name, view in (("all", View()), *((q.label, View(q)) for q in self.quarters)):
            found = self.ask("sla.speed_to_lead_minutes", view).set_index("measure")["value"]
            waits[name] = {"instances": num(found["instances"]), "responded": num(found["responded"]), "median_responded": num(found.get("median")),
                           "p90_responded": num(found.get("p90")), "km_median": num(found.get("km_median")), "km_p90": num(found.get("km_p90")),
                           "never_responded_closed": num(found["never_responded_closed"])}
        for q in self.quarters:
            for name, view in self.by_segment(View(q)):
                accepted[f"{q.label}|{name}"] = {**{m: self.value("sla.acceptance_rate", m, view) for m in ("mql_handoffs", "accepted", "rejected", "pending")},
                                                 "acceptance": self.rate("sla.acceptance_rate", "acceptance", view)}
        lag = self.ask("sla.speed_decomposition").set_index("measure")["value"]
        buckets = self.values("sla.breach_ageing", "open_breaches", "bucket")
        levels = {k: v for k, v in self.values("sla.breach_ageing", "escalated", "level").items() if k and v}
        facts = self.x.facts(CARDS["sla.breach_ageing"])
        types = dict(zip(facts.own["sla_type"].labels, facts.own["sla_type"].values, strict=True))
        rows = open_number(self.x, CARDS["sla.breach_ageing"]).counted
        rows = rows[rows["contribution"] > 0]
        open_breaches = [[r.lead_id, int(r.number), types[r.sla_type], float(r.overdue), r.bucket, int(r.level)] for r in
                         rows[["lead_id", "pass", "sla_type", "overdue_min", "bucket", "level"]].set_axis(
                             ["lead_id", "number", "sla_type", "overdue", "bucket", "level"], axis=1).itertuples()]
        open_breaches.sort(key=lambda r: (r[0], r[1], SLA_TYPES.index(r[2])))
        return {"sla.compliance": kept, "sla.speed_to_lead_minutes": waits, "sla.acceptance_rate": accepted,
                "sla.speed_decomposition": {"n": num(lag["n"]), "routing_lag_median": num(lag.get("routing_lag_median")), "routing_lag_max": num(lag.get("routing_lag_max")),
                                            "rep_response_median": num(lag.get("rep_response_median"))},
                "sla.breach_ageing": {"buckets_overdue_business_hours": {b: buckets.get(b, 0) for b in sla.BUCKETS}, "escalation_level_counts": levels,
                                      "open_breaches": open_breaches}}

    def attribution(self) -> dict[str, Any]:
        x, view = self.x, View(self.fytd)
        totals, influenced, sourced = {}, {}, {}
        for basis in attribution.BASES:
            for model in MODELS:
                credit = attribution.credits(x, model, basis, view)
                totals[f"{basis}|{model}"] = {"span": span_of(model, basis), "by_campaign": credit, "total": sum(credit.values())}
        whole, each = self.ask("attribution.influenced_fytd", view), self.ask("attribution.influenced_fytd", view, "campaign")
        for basis in attribution.BASES:
            once = whole[whole["basis"] == basis].set_index("measure")["value"]
            split = each[each["basis"] == basis]
            influenced[basis] = {"by_campaign_not_additive": {c: num(v) for c, v in zip(split["campaign"], split["value"], strict=True)},
                                 **{name: num(once.get(name, 0)) for name in ("influenced_total_counted_once", "population_total")}}
        for origin, value in self.values("attribution.sourced_by_fytd", "value", "origin", view).items():
            part = view.narrowed(origin=origin)
            sourced[origin] = {"count": self.value("attribution.sourced_by_fytd", "count", part), "value": value, "opps": self.ids("attribution.sourced_by_fytd", part)}
        pipeline_deals = sorted(x.data.table("opportunities")["opp_id"][x.opps.in_o1])
        examples = {opp: one_deal.audit(x, opp) for opp in self.report.get("example_opportunities", pipeline_deals[:9]) if opp in x.opp_index}
        share = self.ask("attribution.fallback_share", view).iloc[0]
        card = self.ask("campaign.scorecard_fytd", view)
        scores = {row["campaign"]: {name: bool(row[name]) if name == "cost_is_budget" else num(row[name]) for name in campaigns.SCORECARD} for _, row in card.iterrows()}
        return {"attribution.totals_fytd": totals, "attribution.influenced_fytd": influenced, "attribution.sourced_by_fytd": sourced,
                "attribution.opportunity_examples": examples, "campaign.scorecard_fytd": scores,
                "attribution.fallback_share": {"opps_without_roles": num(share["numerator"]), "opps": num(share["denominator"])}}

    def pacing(self) -> dict[str, Any]:
        frame = self.ask("targets.pacing", project_early=True)
        out = {}
        for row in frame[frame["measure"] == "attainment"].itertuples():
            if np.isnan(row.actual) and targets.resolve(row.metric_id, CARDS) is None:
                continue
            entry = {"metric": row.metric_id, "segment": row.segment, "actual": num(row.actual), "target": num(row.target)}
            if row.pacing not in ("", "none"):
                entry |= {"pacing": row.pacing, "expected_share": num(row.expected_share), "attainment": num(row.attainment), "expected_to_date": num(row.expected_to_date),
                          "pace_index": num(row.pace_index), "projected": num(row.projected), "on_pace": None if pd.isna(row.on_pace) else bool(row.on_pace), "business_days_left": num(row.business_days_left),
                          "required_per_business_day": num(row.required_per_business_day)}
            else:
                entry |= {"attainment": num(row.attainment), "hit": None if row.hit is None else bool(row.hit)}
            out[row.target_id] = entry
        return {"targets.pacing": out}

    def calendars(self) -> dict[str, Any]:
        frame = self.ask("calendar.cases")
        keys = ["date", "fiscal_year", "fiscal_quarter", "fiscal_month", "iso_week", "week_start_monday", "week_start_sunday"]
        rows = []
        for row in frame.to_dict("records"):
            c445 = None if pd.isna(row["fy_445"]) else {"fy": row["fy_445"], "week": int(row["week_445"]), "period": int(row["period_445"]), "quarter": int(row["quarter_445"])}
            rows.append({k: row[k] for k in keys} | {"c445": c445})
        examples = self.report.get("wilson_examples", ["0/5", "5/5", "1/10", "6/9", "24/40", "120/400"])
        wilson = {row.example: None if math.isnan(row.low) else [float(row.low), float(row.high)] for row in self.ask("stats.wilson_examples", examples=tuple(examples)).itertuples()}
        return {"calendar.cases": rows, "stats.wilson_examples": wilson}

    def all(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for family in (self.calendars, self.funnel, self.leakage, self.velocity, self.pipelines, self.wins, self.sla, self.attribution, self.pacing):
            out |= family()
        for part in (governance_answers, quality_answers):
            out |= part.answers(self)
        return out


def shown(row: pd.Series | None) -> dict[str, Any]:
    if row is None:
        return {"x": 0, "n": 0, "rate": None, "wilson95": None, "display": "suppress"}
    interval = [num(row["low"]), num(row["high"])]
    return {"x": num(row["numerator"]), "n": num(row["denominator"]), "rate": num(row["value"]), "wilson95": None if interval[0] is None else [float(v) for v in interval],
            "display": row["flag"]}


def cohort(part: pd.DataFrame) -> dict[str, Any]:
    mature, so_far, still = part.loc["rate_mature"], part.loc["rate_to_date"], part.loc["still_open_share"]
    return {"n": num(so_far["n"]), "converted": num(so_far["numerator"]), "n_mature": num(mature["denominator"]), "converted_mature": num(mature["numerator"]),
            "still_open": num(still["numerator"]), "rate_mature": num(mature["value"]), "wilson95": shown(mature)["wilson95"], "rate_to_date": num(so_far["value"]),
            "still_open_share": num(still["value"]), "maturity": mature["maturity"]}


def points(c: statistics.Survival) -> list[list[Any]]:
    return [[float(t), int(r), int(d), float(s)] for t, r, d, s in zip(c.times, c.at_risk, c.events, c.survival, strict=True)]


def quantiles(frame: pd.DataFrame, names: tuple[str, ...]) -> dict[str, Any]:
    found = frame.set_index("measure")
    return {"n": num(found["n"].iloc[0]) if len(found) else 0, **{name: num(found["value"].get(name)) for name in names}}


def answers(folder: Path | str) -> Mapping[str, Any]:
    """The answers for a folder, as in `expected.json`'s `metrics`."""
    return Answers(Path(folder)).all()


if __name__ == "__main__":
    print(json.dumps(answers(sys.argv[1]), indent=1, ensure_ascii=False))
