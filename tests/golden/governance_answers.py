"""The answers for retention, governance, control charts and controlled tests: a part of `answers`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from revscore.core.compute import compute, curve
from revscore.core.drill import open_number
from revscore.core.metrics import CARDS
from revscore.core.metrics.retention import default_period
from revscore.core.view import View

if TYPE_CHECKING:
    from tests.golden.answers import Answers

_BALANCES = ("accounts", "opening_arr", "closing_arr", "nrr", "grr", "logo_retention", "logos_kept", "net_expansion", "net_contraction", "churn",
             "grr_movement_variant", "gross_expansion", "gross_contraction", "gross_churn")


def num(value: Any) -> float | int | None:
    """A JSON number: whole numbers as int, missing as null."""
    value = float("nan") if value is None or pd.isna(value) else float(value)
    return None if math.isnan(value) else int(value) if value == int(value) and abs(value) < 2**53 else value


def answers(a: Answers) -> dict[str, Any]:
    return {"retention": _retention(a), "governance.reporting_consistency": _consistency(a), "governance.decision_velocity": _decisions(a), "governance.actions": _actions(a),
            "governance.definition_drift": _drift(a), "stats.p_chart": _p_chart(a), "stats.xmr": _xmr(a), "stats.experiments": _experiments(a)}


def _retention(a: Answers) -> dict[str, Any]:
    out: dict[str, Any] = {key: {name: a.value("retention", name, view) for name in _BALANCES} for key, view in a.by_segment(View())}
    return out | {"new_logo_arr_in_period": a.value("retention.new_accounts", "value", View(default_period(a.x)))}


def _consistency(a: Answers) -> dict[str, Any]:
    opened = open_number(a.x, CARDS["governance.reporting_consistency"])
    lone = opened.left_out
    keys = lone["metric_id"].fillna("") + "|" + lone["period"].fillna("") + "|" + lone["segment"].fillna("")
    return {"comparisons": a.value("governance.reporting_consistency", "comparisons"), "consistent": a.value("governance.reporting_consistency", "rate", column="numerator"),
            "rate": a.value("governance.reporting_consistency", "rate"), "inconsistent": sorted(opened.not_counted.iloc[:, 0]), "no_canonical_value": sorted(set(keys))}


def _decisions(a: Answers) -> dict[str, Any]:
    view = View(a.current)
    found = {name: a.value("governance.decision_velocity", name, view) for name in ("decided", "median", "p90", "mean")}
    still_open = open_number(a.x, CARDS["governance.decision_time"], measure="open").counted
    return {"period": a.current.label, "decided": found["decided"], **{f"{name}_days": found[name] for name in ("median", "p90", "mean")},
            "km_median_days": num(curve(a.x, CARDS["governance.decision_time"]).quantile(0.5)),
            "open": sorted([row.decision_id, num(row.age_days)] for row in still_open.itertuples())}


def _actions(a: Answers) -> dict[str, Any]:
    card = "governance.actions"
    facts = a.x.facts(CARDS[card])
    words = facts.own["verdict"].values
    effects: dict[str, Any] = {}
    for k, name in enumerate(a.x.ids("action")[facts.record]):
        verdict = words[facts.codes["verdict"][k]]
        if verdict:
            effects[name] = {"verdict": verdict}
            if facts.values["judged"][k]:
                effects[name] |= {"diff": num(facts.detail["difference"][k]), "ci95": [num(facts.detail["low"][k]), num(facts.detail["high"][k])]}
    return {"due": a.value(card, "due"), "completed": a.value(card, "completion_rate", column="numerator"), "completion_rate": a.value(card, "completion_rate"),
            "on_time": a.value(card, "on_time_rate", column="numerator"), "on_time_rate": a.value(card, "on_time_rate"),
            "overdue_open": a.ids(card, measure="overdue"), "effects": effects, "effect_rate": a.value(card, "effect_rate")}


def _drift(a: Answers) -> dict[str, Any]:
    opened = open_number(a.x, CARDS["governance.definition_drift"], View(a.current))
    return {"period": a.current.label, "changes": a.value("governance.definition_drift", "changes", View(a.current)), "controlled": sorted(opened.counted["change_id"]),
            "uncontrolled": sorted(opened.not_counted["change_id"]), "controlled_rate": a.value("governance.definition_drift", "controlled_rate", View(a.current))}


def _series(a: Answers, card: str, key: str, rates: bool) -> pd.DataFrame:
    """The points of the series that the report names, else of the first one by name."""
    table = a.x.data.table("metric_series")
    names = sorted(table["series_id"][(table["kind"] == "p") == rates].unique())
    name = a.report.get(key, names[0] if names else "")
    return compute(a.x, CARDS[card], series=name) if name else compute(a.x, CARDS[card]).iloc[:0]


def _signals(frame: pd.DataFrame) -> dict[str, Any]:
    runs = frame[frame["run"].notna()]
    return {"outside_limits": [num(t) for t in frame["t"][frame["outside"].notna()]], "runs": [[num(row.t), row.run] for row in runs.itertuples()]}


def _p_chart(a: Answers) -> dict[str, Any]:
    frame = _series(a, "stats.p_chart", "p_chart_series", True)
    points = [[num(v) for v in row] for row in zip(frame["t"], frame["value"], frame["low"], frame["high"], strict=True)]
    return {"pbar": num(frame["centre"].iloc[0]) if len(frame) else None, "points": points, **_signals(frame)}


def _xmr(a: Answers) -> dict[str, Any]:
    frame = _series(a, "stats.xmr", "xmr_series", False)
    first = {name: num(frame[column].iloc[0]) if len(frame) else None for name, column in
             (("mean", "centre"), ("avg_moving_range", "mean_range"), ("lnpl", "low"), ("unpl", "high"), ("upper_range_limit", "range_limit"))}
    return first | _signals(frame)


def _experiments(a: Answers) -> dict[str, Any]:
    frame = a.ask("stats.experiments")
    several = frame["experiment_id"].duplicated(keep=False)
    out = {}
    for (_, row), many in zip(frame.iterrows(), several, strict=True):
        interval, lift = ([num(row[name]) for name in names] for names in (("low", "high"), ("lift_low", "lift_high")))
        out[f"{row['experiment_id']}:{row['arm']}" if many else row["experiment_id"]] = {
            "diff": num(row["value"]), "newcombe95": None if interval[0] is None else interval, "relative_lift": num(row["relative_lift"]),
            "relative_lift95": None if lift[0] is None else lift, "srm_chi2": num(row["chi_square"]), "srm_p": num(row["p_split"]), "verdict": row["verdict"]}
    return out
