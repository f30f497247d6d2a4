"""Drawings: valid and constant specs, faithful data, sentences, colours that can be read, and a drawing of nothing."""

from __future__ import annotations

import json
import tomllib
from itertools import combinations
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest

from revscore import charts
from revscore.charts.theme import PALETTES, config, contrast
from revscore.core import figures, statistics
from revscore.core.units import CURRENCY, DAYS, MINUTES, RATIO

MODELS = ("first_touch", "last_touch", "linear", "w_shaped")


def months(n: int, seed: int = 0) -> pd.DataFrame:
    """A rate by month whose third month has three records and whose last is not settled."""
    rng = np.random.default_rng(seed)
    base = rng.integers(20, 90, n)
    base[2] = 3
    hits = rng.binomial(base, 0.3)
    low, high = statistics.wilson(hits, base)
    period = pd.period_range("2025-01", periods=n, freq="M")
    start = (period.start_time - pd.Timestamp("1970-01-01")).days.to_numpy()
    return pd.DataFrame({"period": period.astype(str), "start": start, "end": np.append(start[1:], start[-1] + 30), "value": hits / base, "numerator": hits, "denominator": base,
                         "n": base, "low": low, "high": high, "flag": statistics.display(base), "maturity": ["mature"] * (n - 1) + ["partial"]})


def curve_of(n: int, seed: int = 0) -> statistics.Survival:
    rng = np.random.default_rng(seed)
    return statistics.kaplan_meier(rng.uniform(0, 90, n), rng.random(n) < 0.5)


def frames(n: int, seed: int = 0) -> dict[str, tuple]:
    """Per drawing: its call and its frame, of about n rows."""
    m = months(n, seed)
    cells = pd.concat([m.rename(columns={"period": "cohort"}).assign(column=name) for name in ("inquiry → MQL", "MQL → SAL")], ignore_index=True)
    stages = pd.DataFrame({"stage": ["MQL", "SAL", "SQL"], "entered": [90 + n, 60, 20], "converted": [60, 20, np.nan], "still_open": [10, 5, np.nan], "rate": [0.75, 0.36, np.nan],
                           "n": [80, 55, np.nan], "flag": "ok"})
    legs = pd.DataFrame({"leg": ["Open", "Created", "Won", "Close"], "value": [1000.0 * n, 300.0, 200.0, 1000.0 * n + 100], "kind": ["start", "up", "down", "end"], "count": [9, 3, 2, 10]})
    credit = pd.DataFrame([(f"Campaign {k}", model, 100.0 * (k + 1) + 7 * j) for k in range(n) for j, model in enumerate(MODELS)], columns=["group", "model", "value"])
    return {
        "trend": (lambda f, t: charts.trend(f, RATIO, label="Win rate", target=0.3, theme=t), m),
        "spark": (lambda f, t: charts.spark(f, RATIO, label="Win rate", target=0.3, theme=t), m),
        "weeks": (lambda f, t: charts.weeks(f, theme=t), m.rename(columns={"period": "week", "value": "rate", "numerator": "met"}).assign(breached=lambda f: f["n"] - f["met"], target=0.5)),
        "steps": (lambda f, t: charts.steps(f, theme=t), stages),
        "heat": (lambda f, t: charts.heat(f, theme=t), cells),
        "curve": (lambda f, t: charts.curve(f, DAYS, theme=t), [("EMEA", curve_of(20 * n, seed)), ("AMER", curve_of(400, seed + 1))]),
        "bridge": (lambda f, t: charts.bridge(f, CURRENCY, theme=t), legs),
        "split": (lambda f, t: charts.split(f, CURRENCY, models=MODELS, theme=t), credit),
        "rank": (lambda f, t: charts.rank(f, RATIO, label="Win rate", reference=0.3, theme=t), m.rename(columns={"period": "group"})),
        "control": (lambda f, t: charts.control(f, RATIO, label="Win rate", theme=t), m.assign(centre=0.3, lower=0.05, upper=0.55, baseline=np.arange(n) < 3, signal=[""] * (n - 2) + ["run", "outside"])),
        "walk": (lambda f, t: charts.walk(f, RATIO, label="Win rate", clicks=True, theme=t), figures.walk(0.3, pd.DataFrame({
            "id": ["mix", "rate"], "label": ["Mix", "Rate"], "effect": [0.05, -0.1 - n / 1000], "note": ["", "9 of 30"]}), 0.25 - n / 1000).assign(label=["May", "Mix", "Rate", "June"])),
        "pace": (lambda f, t: charts.pace(f, theme=t), pd.DataFrame({"name": ["Q2"], "value": [1e6 + n], "target": [3e6], "expected": [1.2e6]})),
    }


NAMES = tuple(frames(6))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_the_spec_is_valid_and_the_same_for_all_data(name: str, theme: str) -> None:
    draw, frame = frames(6)[name]
    draw_more, more = frames(14, seed=5)[name]
    one, two = draw(frame, theme), draw_more(more, theme)
    alt.Chart.from_dict({**one.spec, "data": {"name": "source"}, "$schema": "https://vega.github.io/schema/vega-lite/v6.json"}, validate=True)
    assert one.spec is two.spec and one.name == name
    assert "data" not in one.spec and "datasets" not in one.spec
    json.dumps(one.spec, allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_drawn_column_is_sent_and_every_sentence_is_said(name: str) -> None:
    draw, frame = frames(14)[name]
    drawn = draw(frame, "light")
    spec = json.dumps(drawn.spec)
    unused = [column for column in drawn.data.columns if f'"{column}"' not in spec and f"datum.{column}" not in spec]
    assert unused in ([], ["value"])  # the value stands beside its label
    fields = {field for field in _fields(drawn.spec) if field not in ("part", "count")}
    assert fields <= set(drawn.data.columns)
    assert drawn.alt.endswith(".") and len(drawn.alt) > 20 and drawn.height > 0
    assert len(drawn.data) <= 600


def _fields(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["field"]} if isinstance(node.get("field"), str) else set()
        return own.union(*(_fields(child) for child in node.values()))
    return set().union(*(_fields(child) for child in node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_as_a_sentence(name: str) -> None:
    draw, frame = frames(6)[name]
    drawn = draw(frame[:0], "light")
    assert drawn.data["message"].tolist() == [drawn.alt] and drawn.alt
    assert drawn.name == name


@pytest.mark.parametrize("name", NAMES)
def test_one_row_is_enough(name: str) -> None:
    draw, frame = frames(6)[name]
    assert draw(frame[:1], "dark").alt


def test_values_are_those_of_the_frame() -> None:
    frame = months(12)
    data = charts.trend(frame, RATIO).data
    shown = frame["flag"].ne("suppress").to_numpy()
    np.testing.assert_array_equal(data["value"].to_numpy()[shown], frame["value"].to_numpy()[shown])
    assert data["value"].isna().to_numpy()[~shown].all() and data["small"][2] == f"{frame['numerator'][2]} of 3"
    cells = frames(6)["heat"][1]
    np.testing.assert_array_equal(charts.heat(cells).data["value"], cells["value"])
    credit = frames(6)["split"][1]
    np.testing.assert_array_equal(charts.split(credit).data["value"], credit["value"])


def test_unsettled_periods_are_hollow_and_a_missing_period_breaks_the_line() -> None:
    frame = months(8)
    data = charts.trend(frame, RATIO).data
    assert data["fill"].iloc[-1] == "hollow" and np.isnan(data["settled"].iloc[-1])
    assert data["soft"].notna().tolist() == [False] * 6 + [True, True]
    gap = charts.trend(frame.drop(index=5), RATIO).data
    assert gap["period"].tolist() == [*frame["period"][:5], " ", *frame["period"][6:]] and np.isnan(gap["value"][5])


def test_a_miss_is_marked_by_the_side_that_is_worse() -> None:
    frame = pd.DataFrame({"period": ["2026-01", "2026-02"], "value": [10.0, 20.0], "n": [50, 50]})
    assert charts.trend(frame, DAYS, target=15, better="up").data["tone"].tolist() == ["off", "on"]
    assert charts.trend(frame, DAYS, target=15, better="down").data["tone"].tolist() == ["on", "off"]
    assert charts.trend(frame, DAYS, target=15, better="context").data["tone"].tolist() == ["on", "on"]


def test_a_small_sample_has_no_rate() -> None:
    frame = months(6)
    for drawn in (charts.rank(frame.rename(columns={"period": "group"}), RATIO), charts.heat(frame.rename(columns={"period": "cohort"}).assign(column="a"))):
        assert not drawn.data["label"].str.contains("%").all()
        assert drawn.data.filter(["small", "note"]).apply(lambda column: column.str.contains(" of 3")).any().any()


def test_a_cell_of_nobody_is_blank_and_a_small_week_is_a_mark() -> None:
    cells = pd.DataFrame({"cohort": ["2026-01", "2026-02", "2026-03"], "column": "a", "value": [np.nan, np.nan, 0.5], "numerator": [0, 0, 20], "denominator": [0, 0, 40],
                          "n": [0, 7, 40], "flag": ["suppress", "suppress", "ok"], "maturity": ["mature", "immature", "mature"]})
    data = charts.heat(cells).data
    assert data["note"].tolist() == ["", "", "n 40"] and data["state"].tolist() == ["", "not settled", "settled"]
    due = pd.DataFrame({"week": ["2026-01-05", "2026-01-12", "2026-01-19"], "met": [0, 1, 8], "breached": [0, 0, 2], "rate": [np.nan, 1.0, 0.8], "n": [0, 1, 10], "target": 0.9})
    drawn = charts.weeks(due)
    assert drawn.data["small"].tolist() == [False, True, False] and drawn.data["sample"][1] == "1 of 1"
    assert "270" not in str(drawn.spec)


def test_the_curve_is_the_estimate_and_its_followed_are_exact() -> None:
    s = curve_of(300)
    data = charts.curve([("all", s)]).data
    solid = data[data["part"] == "solid"]
    np.testing.assert_allclose(solid["share"], [1 - s.at(t) for t in solid["t"]])
    risk = data[data["part"] == "risk"]
    assert risk["text"].tolist() == [f"{s.at_risk_at(t):,}" for t in risk["t"]]
    assert (solid["at_risk"] >= 5).all() and not data["part"].eq("thin").any()


def test_running_totals_of_a_bridge() -> None:
    legs = figures.running(frames(6)["bridge"][1])
    assert legs["from"].tolist() == [0, 6000, 6300, 0] and legs["to"].tolist() == [6000, 6300, 6100, 6100]


def test_fold_keeps_the_largest_and_the_sum() -> None:
    credit = frames(20)["split"][1]
    folded = figures.fold(credit, within="model")
    assert folded["group"].nunique() == 13 and folded["group"].iloc[0] == "Campaign 19" and folded["group"].iloc[-1] == "other (8)"
    pd.testing.assert_series_equal(folded.groupby("model")["value"].sum(), credit.groupby("model")["value"].sum())
    assert not len(figures.fold(credit[:0], within="model"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_and_marks_told_apart(theme: str) -> None:
    p = PALETTES[theme]
    for colour in (p.ink, p.soft, p.main, p.warn, *p.extra):
        assert contrast(colour, p.paper) >= 4.5
    assert contrast(p.on_main, p.main) >= 4.5
    for step, fill in enumerate(p.heat):
        assert contrast(p.heat_text if step >= p.heat_flip else p.ink, fill) >= 4.5
    assert contrast(p.total, p.paper) >= 3 and contrast(p.line, p.paper) >= 2.3
    for a, b in combinations((p.main, p.open, p.rest), 2):
        assert a != b
    for size in (config(theme)["axis"]["labelFontSize"], config(theme)["legend"]["labelFontSize"], config(theme)["text"]["fontSize"]):
        assert size >= 18


def test_pages_and_drawings_have_the_same_colours() -> None:
    settings = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for theme, p in PALETTES.items():
        assert (settings[theme]["backgroundColor"], settings[theme]["textColor"], settings[theme]["primaryColor"]) == (p.paper, p.ink, p.main)
        assert (settings[theme]["greenColor"], settings[theme]["redColor"]) == (p.main, p.warn)
        assert len(settings[theme]["chartSequentialColors"]) == 10


def test_a_curve_ends_where_it_has_happened_at_a_round_age() -> None:
    rng = np.random.default_rng(3)
    long = statistics.kaplan_meier(np.append(rng.exponential(90, 300), 16000.0), np.append(np.ones(300, dtype=bool), False))
    data = charts.curve([("EMEA", long), ("Few", statistics.kaplan_meier(np.array([1.0, 2.0]), np.array([True, True])))], MINUTES).data
    ticks = data[data["part"] == "tick"]
    assert data["t"].max() < 1000 and ticks["text"].iloc[0] == "0 min" and {"1 h", "2 h"} <= set(ticks["text"])
    assert set(data["curve"]) == {"EMEA"}  # two are too few for a curve
    assert data.loc[data["part"] == "risk", "t"].tolist() == ticks["t"].tolist()


def test_names_of_curves_keep_apart() -> None:
    same = [(name, curve_of(200)) for name in ("A", "B", "C", "D")]
    data = charts.curve(same).data
    heights = np.sort(data.loc[data["part"] == "name", "share"])
    assert (np.diff(heights) >= 0.08 * data.loc[data["part"] == "solid", "share"].max()).all()


def test_what_was_won_leaves_the_bridge_but_is_not_bad_news() -> None:
    legs = pd.DataFrame({"id": ["a", "b", "c"], "leg": ["Open", "Won", "End"], "value": [10.0, 4.0, 6.0], "kind": ["start", "won", "end"]})
    data = charts.bridge(legs).data
    assert data["label"].tolist() == ["$10", "−$4", "$6"] and data["kind"].tolist() == ["total", "won", "total"]
    assert figures.running(legs)["to"].tolist() == [10, 6, 6]


def test_a_walk_begins_where_the_step_before_ended_and_ends_at_the_end() -> None:
    steps = pd.DataFrame({"id": ["a", "b", "c"], "label": ["A", "B", "C"], "effect": [0.1, -0.3, 0.0]})
    walk = figures.walk(0.5, steps, 0.3)
    assert walk["from"].tolist() == pytest.approx([0, 0.5, 0.6, 0.3, 0]) and walk["to"].tolist() == pytest.approx([0.5, 0.6, 0.3, 0.3, 0.3])
    assert walk["kind"].tolist() == ["total", "up", "down", "up", "total"]
    none = figures.walk(0.5, steps.iloc[:0], 0.5)
    assert none["id"].tolist() == ["start", "end"]


def test_of_neighbouring_signals_the_furthest_is_written() -> None:
    frame = frames(8)["control"][1].assign(signal=["", "outside", "outside", "", "run", "", "outside", ""], value=[0.3, 0.6, 0.9, 0.3, 0.4, 0.3, 0.01, 0.3])
    data = charts.control(frame, RATIO).data
    assert data.loc[data["marked"] != "", "period"].tolist() == [frame["period"][2], frame["period"][6]]
    assert data["kind"].tolist() == ["week", "outside", "outside", "week", "run", "week", "outside", "week"]
