"""The bridge balances on any history, and its flows are the metrics of the same name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revscore.core.calendars import DAY_US, Period, day_number
from revscore.core.compute import compute
from revscore.core.metrics import CARDS, pipeline
from revscore.core.sums import keep
from revscore.core.view import View
from tests.core.builder import AS_OF, deal, extract

STAGES = ("Prospecting", "Discovery", "Proposal", "Negotiation", "Closed Won", "Closed Lost")
event = st.tuples(st.integers(0, 119), st.sampled_from(STAGES), st.sampled_from([None, 0, 10, 25.5, 100]), st.integers(0, 180), st.sampled_from(["pipeline", "omitted"]))
histories = st.lists(st.lists(event, min_size=1, max_size=6), min_size=1, max_size=24)  # many deals an extract, rather than many extracts


def rows_of(histories: list) -> list[tuple]:
    rows = []
    for k, history in enumerate(histories):
        for day, stage, amount, close, category in history:
            at = f"2026-{3 + day // 30:02}-{1 + day % 28:02}T{day % 24:02}:00:00Z"
            rows.append((f"O{k}", at, stage, amount, f"2026-{3 + close // 30:02}-{1 + close % 28:02}", category))
    return rows


def made(histories: list) -> object:
    return extract(opportunities=[deal(f"O{k}", "2026-03-01T00:00Z") for k in range(len(histories))], deal_events=rows_of(histories))


@settings(max_examples=60, deadline=None)
@given(histories, st.integers(1, 110), st.one_of(st.none(), st.tuples(st.integers(0, 150), st.integers(1, 60))))
def test_unexplained_is_zero_on_any_history(histories: list, days: int, window: tuple[int, int] | None) -> None:
    x = made(histories)
    start = day_number("2026-03-01")
    period = None if window is None else Period(start + window[0], start + window[0] + window[1])
    frame = compute(x, pipeline.bridge, by="leg", t0=x.as_of - days * DAY_US, t1=x.as_of, window=period)
    assert abs(pipeline.unexplained(frame)) < 1e-9
    legs = frame[frame["measure"] == "value"].set_index("leg")["value"]
    if period is None:
        assert "pulled_in" not in legs and "pushed_out" not in legs
        assert legs.get("open_end", 0.0) == pytest.approx(compute(x, CARDS["pipeline.open"])["value"].iloc[0])
        open_before = legs.get("open_start", 0.0)
        earlier = extract_at(x, x.as_of - days * DAY_US)
        assert open_before == pytest.approx(earlier)


def extract_at(x, when: int) -> float:
    state = x.opps.at(when)
    return float(state.amount[state.eligible & x.opps.in_o1].sum())


@settings(max_examples=25, deadline=None)
@given(histories)
def test_leakage_statuses_of_stages_add_up_to_reached(histories: list) -> None:
    x = made(histories)
    frame = compute(x, CARDS["opp.stage_conversion"], by="stage")
    table = frame.pivot(index="stage", columns="measure", values="value")
    if len(table):
        assert (table["advanced"] + table["lost_here"] + table["open_here"] == table["reached"]).all()


def test_the_published_example_balances() -> None:
    """A vendor's printed waterfall (1,257,559 + 1,501,878 + 180,171 + 149,382 − 0 − 271,125 − 556,292 − 287,487 = 1,974,086), as legs."""
    legs = {"open_start": 1_257_559, "created": 1_501_878, "pulled_in": 180_171, "increased": 149_382, "decreased": 0, "won": 271_125, "lost": 556_292,
            "pushed_out": 287_487, "open_end": 1_974_086}
    assert pipeline.unexplained(pd.DataFrame({"measure": "value", "leg": list(legs), "value": list(legs.values())})) == 0


def test_as_of_is_the_default_end() -> None:
    x = extract(opportunities=[deal("O1")], deal_events=[("O1", "2026-06-28T00:00Z", "Discovery", 10, "2026-07-10")])
    assert AS_OF.startswith("2026-06-30")
    frame = compute(x, pipeline.bridge, View(), by="leg")
    assert set(frame["leg"]) == {"created", "open_end"}


@settings(max_examples=25, deadline=None)
@given(histories, st.integers(1, 110), st.one_of(st.none(), st.tuples(st.integers(0, 150), st.integers(1, 60))), st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=2, unique=True))
def test_facts_of_chosen_deals_are_those_of_all_that_the_view_selects(histories: list, days: int, window: tuple[int, int] | None, chosen: list[str]) -> None:
    rows, deals = rows_of(histories), [deal(f"O{k}", "2026-03-01T00:00Z", segment=("A", "B", None)[k % 3]) for k in range(len(histories))]
    x = extract(opportunities=deals, deal_events=rows)
    start, view = day_number("2026-03-01"), View.of(segment=tuple(chosen))
    times = {"t0": x.as_of - days * DAY_US, "t1": x.as_of - 3 * DAY_US, "window": window and Period(start + window[0], start + window[0] + window[1])}
    narrow, full = pipeline.bridge.build(x, where=view.where, **times), pipeline.bridge.build(x, **times)
    selected = full.take(keep(full, view, x.dims))
    assert np.array_equal(narrow.record, selected.record) and np.array_equal(narrow.codes["leg"], selected.codes["leg"])
    assert all(np.array_equal(narrow.values[name], column) for name, column in selected.values.items())
    first = compute(x, pipeline.bridge, view, "leg", **times)  # narrow facts
    x.facts(pipeline.bridge, **times)
    pd.testing.assert_frame_equal(first, compute(x, pipeline.bridge, view, "leg", **times))
