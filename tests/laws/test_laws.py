"""Laws that hold for all cards alike. A new card is tested by them before anyone writes a test for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revscore.core import compute as engine
from revscore.core import schema
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.drill import open_number
from revscore.core.metric import Kind, Metric
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.terms import Terms
from revscore.core.view import DIMENSIONS, View
from revscore.intake import load_folder

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
SUMMED = [card for card in CARDS.values() if card.headline.kind not in (Kind.DERIVED, Kind.STUDY)]
# Their population is the whole company, whatever the part: a benchmark is not the sum of its parts' benchmarks.
BENCHMARKED = {"velocity.aging", "pipeline.weighted"}


@pytest.fixture(scope="module")
def golden() -> tuple[CrmData, Terms]:
    data, terms, _ = load_folder(GOLDEN)
    return data, terms


@pytest.fixture(scope="module")
def x(golden: tuple[CrmData, Terms]) -> Coded:
    return Coded(*golden)


def all_cards(cards=tuple(CARDS.values())):
    return pytest.mark.parametrize("card", cards, ids=lambda card: card.id)


def same_frames(a: pd.DataFrame, b: pd.DataFrame) -> None:
    order = [name for name in a.columns if a[name].dtype == object or str(a[name].dtype) in ("str", "string")]
    a, b = (f.sort_values(order, kind="stable", na_position="last").reset_index(drop=True) if order else f for f in (a, b))
    pd.testing.assert_frame_equal(a, b, check_dtype=False, rtol=1e-9, atol=1e-9)


@all_cards()
def test_rows_in_another_order_give_the_same_numbers(card: Metric, golden: tuple[CrmData, Terms], x: Coded) -> None:
    data, terms = golden
    mixed = replace(data, tables={name: frame.sample(frac=1, random_state=7).reset_index(drop=True) for name, frame in data.tables.items()})
    same_frames(engine.compute(x, card), engine.compute(Coded(mixed, terms), card))


@all_cards([card for card in SUMMED if card.id not in BENCHMARKED])
def test_parts_added_up_are_the_whole(card: Metric, golden: tuple[CrmData, Terms], x: Coded) -> None:
    data, terms = golden
    parts = [Coded(data.part(k, 3), terms) for k in range(3)]
    by = ("segment",) if "segment" in x.facts(card).codes else ()
    added = engine.add([engine.sums(part, card, part.facts(card), View(), by) for part in parts])
    whole = engine.finish(card, engine.sums(x, card, x.facts(card), View(), by), x, by)
    same_frames(engine.finish(card, added, x, by), whole)


@all_cards(SUMMED)
def test_groups_add_up_to_the_whole_by_every_dimension(card: Metric, x: Coded) -> None:
    whole = engine.compute(x, card).set_index("measure")
    facts = x.facts(card)
    for by in [*(name for name in DIMENSIONS if name in facts.codes), *facts.own]:
        groups = engine.compute(x, card, by=by).groupby("measure")
        for measure in card.measures:
            if measure.kind in (Kind.TOTAL, Kind.LEVEL):
                assert groups["value"].sum().get(measure.name, 0.0) == pytest.approx(whole.loc[measure.name, "value"], nan_ok=True), by
            elif measure.kind is Kind.RATE:
                assert groups["numerator"].sum().get(measure.name, 0.0) == pytest.approx(whole.loc[measure.name, "numerator"]), by
                assert groups["denominator"].sum().get(measure.name, 0.0) == pytest.approx(whole.loc[measure.name, "denominator"]), by


@all_cards(SUMMED)
def test_the_rows_behind_a_number_give_it_back(card: Metric, x: Coded) -> None:
    quarter = x.terms.calendar.holding(x.as_of_day, "quarter")
    for view in (View(), View(quarter), View.of(quarter, segment="Enterprise")):
        frame = engine.compute(x, card, view)
        for measure in card.measures:
            opened = open_number(x, card, view, measure.name)
            found = frame[frame["measure"] == (engine.stat_name(measure, measure.stats[0]) if measure.stats else measure.name)]
            if measure.kind in (Kind.TOTAL, Kind.LEVEL):
                assert opened.contribution == pytest.approx(found["value"].iloc[0], nan_ok=True)
            elif measure.kind is Kind.RATE:
                assert opened.contribution == pytest.approx(found["numerator"].iloc[0])
                base = opened.counted["base"].sum() + opened.not_counted["base"].sum()
                assert base == pytest.approx(found["denominator"].iloc[0])
            else:
                assert len(opened.counted) + len(opened.not_counted) == (found["n"].iloc[0] if len(found) else 0)


@all_cards()
def test_an_empty_extract_gives_an_empty_result(card: Metric, golden: tuple[CrmData, Terms]) -> None:
    data, terms = golden
    empty = Coded(CrmData({name: schema.empty(name) for name in data.tables}, data.as_of), Terms(reporting_tz=terms.reporting_tz))
    frame = engine.compute(empty, card)
    assert not (frame["value"].fillna(0) != 0).any()
    rates = [m.name for m in card.measures if m.kind is Kind.RATE]
    assert frame.loc[frame["measure"].isin(rates), "value"].isna().all(), "no data is not 0 %"


@all_cards([card for card in CARDS.values() if card.needs])
def test_a_missing_column_costs_the_metric_a_sentence(card: Metric, golden: tuple[CrmData, Terms]) -> None:
    data, terms = golden
    for need in card.needs:
        table, _, column = need.rstrip("!").partition(".")
        if need.endswith("!"):
            cut = replace(data, derived={need.rstrip("!"): "rebuilt from present states"})
        elif column:
            cut = data.with_tables(**{table: data.table(table).drop(columns=column)})
        else:
            cut = replace(data, tables={name: frame for name, frame in data.tables.items() if name != table})
        found = line(Coded(cut, terms), card, View())
        assert need in found.lacks
        assert "which this extract lacks" in found.sentence and found.text == "–"


@all_cards()
def test_nothing_after_as_of_counts(card: Metric, golden: tuple[CrmData, Terms], x: Coded) -> None:
    """What happens an hour later changes nothing today."""
    data, terms = golden
    later = data.as_of + pd.Timedelta(hours=1)
    tables = dict(data.tables)
    for name, id_column, time, changes in (("lead_stage_history", "event_id", "entered_at", {"stage": "disqualified"}), ("touches", "touch_id", "occurred_at", {}),
                                           ("opp_history", "event_id", "changed_at", {"stage": terms.opp_lost_stage, "amount": 1.0}),
                                           ("activities", "activity_id", "occurred_at", {})):
        frame = tables[name]
        extra = frame.drop_duplicates(frame.columns[1]).assign(**{time: later, **changes})
        extra[id_column] = "later-" + extra[id_column]
        tables[name] = schema.conform(name, pd.concat([frame, extra], ignore_index=True))
    same_frames(engine.compute(x, card), engine.compute(Coded(replace(data, tables=tables), terms), card))


def test_inputs_are_left_as_they_were(golden: tuple[CrmData, Terms]) -> None:
    data, terms = golden
    before = {name: pd.util.hash_pandas_object(frame).sum() for name, frame in data.tables.items()}
    x = Coded(data, terms)
    for card in CARDS.values():
        engine.compute(x, card, by=card.by[:1])
    for card in SUMMED:
        open_number(x, card)
    assert before == {name: pd.util.hash_pandas_object(frame).sum() for name, frame in data.tables.items()}


@all_cards()
def test_a_card_says_what_a_reader_asks(card: Metric) -> None:
    assert card.definition and card.question and card.owners and (card.needs or card.headline.kind is Kind.STUDY)
    for need in card.needs:
        table, _, column = need.rstrip("!").partition(".")
        assert not column or column in schema.TABLES[table].names
    assert len({m.name for m in card.measures}) == len(card.measures)


@all_cards(SUMMED)
def test_facts_are_sorted_and_of_one_length(card: Metric, x: Coded) -> None:
    facts = x.facts(card)
    assert (np.diff(facts.day.astype("int64")) >= 0).all()
    for column in (*facts.values.values(), *facts.codes.values(), *facts.detail.values()):
        assert len(column) == len(facts)
