"""Statistical honesty as numbers of their own: control charts of series that an extract brings, controlled tests. METRICS section 16."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from revscore.core import control
from revscore.core.coded import Coded
from revscore.core.made import Given, Made
from revscore.core.metric import Better, metric, study
from revscore.core.statistics import newcombe, relative_lift, sample_ratio
from revscore.core.units import EVENTS, RATIO
from revscore.core.view import View

CONTROL_ARM = "control"
SAME_SPLIT = 0.001  # below this probability the arms were not split as planned, and the test says nothing
_POINTS = ("series_id", "t", "value", "numerator", "denominator", "n", "low", "high", "centre", "flag", "outside", "run", "mean_range", "range_limit")
_TESTS = ("experiment_id", "name", "arm", "value", "low", "high", "numerator", "denominator", "control_numerator", "control_denominator", "relative_lift", "lift_low", "lift_high", "chi_square", "p_split", "verdict", "note")


def _charts(x: Coded, rates: bool, series: str) -> pd.DataFrame:
    """The points of every series of the kind (or of one), each with its limits and what it signals."""
    frame = x.data.table("metric_series")
    frame = frame[((frame["kind"] == "p") == rates) & ((frame["series_id"] == series) | (series == ""))]
    parts = []
    for name, part in frame.sort_values(["series_id", "t"], kind="stable").groupby("series_id", sort=True):
        if not rates:
            part = part[part["value"].notna()]
        hits, n = (part[c].fillna(0.0).to_numpy() for c in ("numerator", "denominator"))
        chart = control.p_chart(hits, n, x.terms.stats) if rates else control.xmr(part["value"].to_numpy(), x.terms.stats)
        said = {rule: pd.Series({s.at: s.side for s in chart.signals if s.rule == rule}, dtype="object").reindex(range(len(part))).to_numpy() for rule in ("outside", "run")}
        parts.append(pd.DataFrame({"series_id": name, "t": part["t"].to_numpy(), "value": chart.values, "numerator": hits, "denominator": n, "n": n if rates else np.ones(len(part)), "low": chart.lower, "high": chart.upper,
                                   "centre": chart.centre, "flag": np.where(chart.approximate, "approximate", "ok"), **said,
                                   "mean_range": chart.mean_range, "range_limit": chart.range_limit}))
    return pd.concat(parts, ignore_index=True).assign(measure="value") if parts else pd.DataFrame(columns=[*_POINTS, "measure"])


def _point(x: Coded, view: View, stat: str, row: pd.Series, **params: Any) -> Made:
    where = f"metric_series, {row['series_id']}, point {row['t']:g}"
    return Made((Given("Hits", float(row["numerator"]), EVENTS, where), Given("Cases", float(row["denominator"]), EVENTS, where)), "hits ÷ cases",
                lambda hits, cases: hits / cases if cases else np.nan)


def _reading(x: Coded, view: View, stat: str, row: pd.Series, **params: Any) -> Made:
    return Made((Given("Value", float(row["value"]), EVENTS, f"metric_series, {row['series_id']}, point {row['t']:g}"),), "the value", lambda value: value)


def _arms(x: Coded, view: View, stat: str, row: pd.Series, **params: Any) -> Made:
    told = [(f"{what} of {arm}", float(row[name]), f"experiments, {row['experiment_id']}") for arm, which in ((row["arm"], ""), ("the control arm", "control_"))
            for what, name in (("Successes", f"{which}numerator"), ("People", f"{which}denominator"))]
    return Made(tuple(Given(label, value, EVENTS, source) for label, value, source in told), "successes ÷ people of the arm − successes ÷ people of the control arm",
                lambda x1, n1, x0, n0: x1 / n1 - x0 / n0 if n1 and n0 else np.nan)


@metric("stats.p_chart", "Control chart of rates", "Has a weekly rate really changed?", study("value", RATIO, label="Rate"), better=Better.CONTEXT,
        owners=("revops",), meetings=("QGV",), needs=("metric_series.series_id", "metric_series.numerator", "metric_series.denominator"), population="weekly series of rates", made_of=_point)
def p_chart(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, series: str = "") -> pd.DataFrame:
    """Each week's rate beside the limits p̄ ± 3 √(p̄(1 − p̄) ÷ n) that the first 12 weeks set. A signal is a week outside its limits, or the eighth week
    in a row on one side of p̄ (a week on the line is passed over). Limits are approximate where fewer than 5 hits or misses are expected.
    With 1,000 records a week and more they are widened by the spread of the first weeks beyond chance (Laney p′).
    """
    return _charts(x, True, series)


@metric("stats.xmr", "Control chart of values", "Has a weekly number really changed?", study("value", RATIO, label="Value"), better=Better.CONTEXT,
        owners=("revops",), meetings=("QGV",), needs=("metric_series.series_id", "metric_series.value"), population="weekly series of counts, amounts, durations", made_of=_reading)
def xmr(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, series: str = "") -> pd.DataFrame:
    """Each week's value beside the limits X̄ ± 2.66 × the mean moving range of the first 12 weeks. A signal is a week outside them, or the eighth week in
    a row on one side of X̄ (a week on the line is passed over).
    """
    return _charts(x, False, series)


@metric("stats.experiments", "Controlled tests", "Which controlled tests made a difference?", study("value", RATIO, label="Difference"), better=Better.UP,
        owners=("marketing", "sales"), meetings=("MRC", "RET"), needs=("experiments.experiment_id", "experiments.arm", "experiments.n", "experiments.successes"),
        by=("experiment_id", "arm"), population="tests with a control arm and at least one other", made_of=_arms)
def experiments(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None) -> pd.DataFrame:
    """Difference of the rates of an arm and the control arm with its Newcombe interval, and the relative lift with its log interval. The arms' sizes
    are checked against the planned split first: where they differ by more than chance (χ², p < 0.001) the test is invalid, whatever it shows. Else the
    verdict is lift or drop when the interval excludes 0, otherwise inconclusive. Read it once, at its planned end. Of a test with several arms each is
    compared with the control by itself, without a correction for looking more than once: its verdicts are exploratory, and the column `note` says so.
    """
    frame = x.data.table("experiments")
    frame = frame.assign(first=frame["arm"].fillna("").str.casefold() != CONTROL_ARM).sort_values(["experiment_id", "first", "arm"], kind="stable")
    rows = []
    for name, arms in frame.groupby("experiment_id", sort=True):
        n, hits = (arms[c].fillna(0.0).to_numpy() for c in ("n", "successes"))
        chi, p = sample_ratio(n, arms["planned_share"].to_numpy())
        note = "exploratory" if len(arms) > 2 else ""
        rows += [_against(name, arms.iloc[k], (hits[0], n[0], hits[k], n[k]), chi, p) | {"note": note} for k in range(1, len(arms))]
    return pd.DataFrame(rows, columns=list(_TESTS)).assign(measure="value")


def _against(name: str, arm: pd.Series, counts: tuple[float, float, float, float], chi: float, p: float) -> dict[str, Any]:
    step, low, high = newcombe(*counts)
    lift, lift_low, lift_high = relative_lift(*counts)
    verdict = "invalid_srm" if p < SAME_SPLIT else "lift" if low > 0 else "drop" if high < 0 else "inconclusive"
    return {"experiment_id": name, "name": arm["name"], "arm": arm["arm"], "value": step, "low": low, "high": high, "numerator": counts[2], "denominator": counts[3],
            "control_numerator": counts[0], "control_denominator": counts[1],
            "relative_lift": lift, "lift_low": lift_low, "lift_high": lift_high, "chi_square": chi, "p_split": p, "verdict": verdict}
