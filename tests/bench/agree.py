"""Do the engines agree? Every answer is brought into one form, {question part: {group: number}}, and compared: counts exactly, sums to 1e-9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tests.bench import company
from tests.bench.questions import MODELS

Answer = dict[tuple, float]
_PAIRS = tuple(pair for pair, _ in company.TERMS.conversion_window_days)
_LEGS = ("open_start", "created", "reopened", "other_in", "increased", "decreased", "won", "lost", "other_out", "open_end")


def of_ours(question: str, frame: pd.DataFrame) -> Answer:
    rows = frame.to_dict("records")
    if question == "funnel":
        mature = {(r["period"], r["pair"], r["segment"], name): r[column] for r in rows if r["measure"] == "rate_mature"
                  for name, column in (("num", "numerator"), ("den", "denominator"), ("n", "n"))}
        more = {(r["period"], r["pair"], r["segment"], name): r["numerator"] for r in rows for measure, name in (("rate_to_date", "converted"), ("still_open_share", "still_open"))
                if r["measure"] == measure}
        return mature | more
    if question == "duration":
        out = {(r["stage"], r["measure"]): r["value"] * 86_400e6 for r in rows if not np.isnan(r["value"])}
        return out | {(r["stage"], name): r[column] for r in rows for name, column in (("n", "n"), ("events", "numerator"))}
    if question == "sla":
        rows = [r for r in rows if r["measure"] == "compliance" and r["n"]]
        return {(r["period"], r["region"], name): r[column] for r in rows for name, column in (("num", "numerator"), ("den", "denominator"))}
    if question == "attribution":
        return {(r["basis"], r["campaign"], r["measure"]): r["value"] for r in rows if r["value"]}
    return {(r["leg"],): r["value"] for r in rows if r["measure"] == "value" and r["value"]}


def of_theirs(question: str, columns: Mapping[str, Any]) -> Answer:
    """DuckDB's and Polars' answers, as columns."""
    def texts(name: str) -> list[str]:
        return ["" if pd.isna(v) else str(v) for v in pd.Series(np.ma.filled(columns[name].astype(object), None) if isinstance(columns[name], np.ma.MaskedArray) else columns[name]).tolist()]

    def numbers(name: str) -> list[float]:
        column = columns[name]
        return [0.0 if pd.isna(v) else float(v) for v in (np.ma.filled(column.astype(float), np.nan) if isinstance(column, np.ma.MaskedArray) else np.asarray(column, dtype=float))]

    if question == "funnel":
        keys = list(zip([t[:7] for t in texts("month")], [_PAIRS[int(p)] for p in columns["pair"]], texts("segment"), strict=True))
        return {(*key, name): value for name in ("num", "den", "n", "converted", "still_open") for key, value in zip(keys, numbers(name), strict=True)}
    if question == "duration":
        stages = [company.STAGES[int(s)] for s in columns["stage"]]
        return {(stage, name): value for name in ("median", "p75", "p90", "n", "events") for stage, value in zip(stages, numbers(name), strict=True) if value or name in ("n", "events")}
    if question == "sla":
        keys = list(zip([t[:10] for t in texts("week")], texts("region"), strict=True))
        return {(*key, name): value for name in ("num", "den") for key, value, n in zip(keys * 1, numbers(name), numbers("den"), strict=True) if n}
    if question == "attribution":
        keys = list(zip([("pipeline_created", "won")[int(b)] for b in columns["basis"]], texts("campaign"), strict=True))
        return {(*key, name): value for name in MODELS for key, value in zip(keys, numbers(name), strict=True) if value}
    return {(leg,): numbers(leg)[0] for leg in _LEGS if len(columns[leg]) and numbers(leg)[0]}


def differences(question: str, ours: Answer, theirs: Answer) -> list[str]:
    if question == "sla":
        ours = {key: value for key, value in ours.items() if ours[key[:2] + ("den",)]}
    wrong = [f"{key}: {ours.get(key)} {theirs.get(key)}" for key in sorted(ours.keys() | theirs.keys(), key=str)
             if not np.isclose(ours.get(key, 0.0), theirs.get(key, 0.0), rtol=1e-9, atol=1e-6)]
    return wrong
