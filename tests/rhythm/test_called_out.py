"""What may be called out: nothing on fewer than five, no campaign ranked on fewer than ten, one of several only beyond chance."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from revscore.rhythm import campaigns, pipeline
from revscore.rhythm.asks import LEAST, apart_from_rest, standout
from revscore.core.statistics import display
from revscore.core.view import View


def groups(*counts: tuple[int, int]) -> pd.DataFrame:
    x, n = (pd.Series(column, dtype=float) for column in zip(*counts, strict=True))
    return pd.DataFrame({"group": [f"G{k}" for k in range(len(counts))], "value": x / n, "numerator": x, "denominator": n, "n": n, "flag": display(n.to_numpy())})


def test_nothing_on_fewer_than_five_stands_out():
    frame = groups((0, 4), (5, 10), (8, 10))
    assert standout(frame)["group"] == "G1" and standout(frame.drop(columns="flag"))["group"] == "G1"
    assert standout(groups((0, 4), (1, 3))) is None


def test_one_of_several_is_named_only_beyond_chance():
    assert apart_from_rest(groups((40, 100), (45, 100), (50, 100))) is None
    assert apart_from_rest(groups((20, 100), (45, 100), (50, 100)))["group"] == "G0"
    assert apart_from_rest(groups((90, 100), (45, 100), (50, 100)), lowest=False)["group"] == "G0"
    assert apart_from_rest(groups((0, 4), (45, 100))) is None  # too few to be compared


def test_the_deal_furthest_over_its_benchmark_comes_first(monkeypatch: pytest.MonkeyPatch):
    rows = pd.DataFrame({"opp_id": ["A", "B", "C"], "over_p75_days": [3.0, 40.0, 12.0], "age_days": [90.0, 50.0, 20.0], "contribution": 1.0, "base": 1.0})
    monkeypatch.setattr(pipeline, "open_number", lambda *a, **k: SimpleNamespace(counted=rows))
    assert pipeline.aging(SimpleNamespace(data=SimpleNamespace(missing=lambda needs: ())), View())["opp_id"].tolist() == ["B", "C", "A"]


def test_campaigns_of_few_follow_unranked(monkeypatch: pytest.MonkeyPatch):
    rows = pd.DataFrame({"campaign": ["A", "B", "C", "D"], "name": ["Z", "Y", "X", "W"], "inquiries": [LEAST - 1, 40, LEAST, 2], "pipeline_attributed_w": [900.0, 10.0, 20.0, 500.0]})
    monkeypatch.setattr(campaigns, "frame_of", lambda *a, **k: rows)
    assert campaigns.scorecard(SimpleNamespace(), None)["name"].tolist() == ["X", "Y", "W", "Z"]
