"""The arithmetic of a figure: running totals of a bridge, and small groups folded into one row. Drawings only draw what these give."""

from __future__ import annotations

import numpy as np
import pandas as pd


def running(frame: pd.DataFrame) -> pd.DataFrame:
    """The legs of a bridge with where each begins and ends: adds `from`, `to`.

    frame : value, kind in order; kind is "start", "up", "down", "won" or "end". Legs are sizes, as METRICS writes them: "down" and "won" are taken off. Start and end
    stand on zero; the rest stand on what was left by those before. Nothing is forced to balance.
    """
    kind, value = frame["kind"].to_numpy(dtype=object), frame["value"].to_numpy(dtype=float)
    total = np.isin(kind, ("start", "end"))
    after = np.cumsum(np.where(kind == "start", value, np.where(kind == "up", value, np.where(np.isin(kind, ("down", "won")), -value, 0.0))))
    before = np.concatenate([[0.0], after[:-1]])
    return frame.assign(**{"from": np.where(total, 0.0, before), "to": np.where(total, value, after)})


def walk(start: float, steps: pd.DataFrame, end: float) -> pd.DataFrame:
    """Signed steps from `start` to `end` with where each begins and ends: rows "start", the steps, "end"; columns of `steps` (id, label, effect …), from, to, kind."""
    after = start + np.cumsum(steps["effect"].to_numpy(dtype=float))
    before = np.concatenate([[start], after[:-1]])[: len(after)]
    body = steps.assign(**{"from": before, "to": after, "kind": np.where(steps["effect"].to_numpy(dtype=float) < 0, "down", "up")})
    ends = pd.DataFrame({"id": ["start", "end"], "effect": [start, end], "from": 0.0, "to": [start, end], "kind": "total"})
    return pd.concat([ends.iloc[:1], body, ends.iloc[1:]], ignore_index=True)


def fold(frame: pd.DataFrame, group: str = "group", value: str = "value", keep: int = 12, other: str = "other", within: str | None = None) -> pd.DataFrame:
    """The `keep` largest groups, largest first, and one row `other` that holds the sum of the rest (of each `within`, such as a model).

    A group's size is the largest of its values. For values that add up only. Other columns are dropped.
    """
    keys = [group] + ([within] if within else [])
    size = frame.groupby(group, sort=False)[value].max().sort_values(ascending=False, kind="stable")
    kept = list(size.index[:keep])
    top = frame.set_index(group).loc[kept].reset_index()[[*keys, value]] if kept else frame[[*keys, value]].iloc[:0]
    rest = frame[~frame[group].isin(kept)]
    if not len(rest):
        return top
    name = f"{other} ({rest[group].nunique()})"
    folded = rest.assign(**{group: name}).groupby(keys, sort=False, as_index=False)[value].sum()
    return pd.concat([top, folded], ignore_index=True)
