"""Laws that hold for all cards alike. A new card is tested by them before anyone writes a test for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revscore.core import compute as engine
from revscore.core import schema
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.drill import open_number
from revscore.core.made import Number, made_of
from revscore.core.metric import Kind, Metric
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.terms import Terms
from revscore.core.view import DIMENSIONS, View

SUMMED = [card for card in CARDS.values() if card.headline.kind not in (Kind.DERIVED, Kind.STUDY)]
MADE = [card for card in CARDS.values() if card.headline.kind in (Kind.DERIVED, Kind.STUDY)]
# Their population is the whole company, whatever the part: a benchmark is not the sum of its parts' benchmarks.
BENCHMARKED = {"velocity.aging", "pipeline.weighted"}
WITHOUT_DATA = {"stats.wilson_examples", "calendar.cases"}  # they answer what is typed, of no extract
ADDED = (Kind.TOTAL, Kind.LEVEL)


@pytest.fixture(scope="module")
def mixed(golden: tuple[CrmData, Terms]) -> Coded:
    """The same rows in another order."""
    data, terms = golden
    return Coded(replace(data, tables={name: frame.sample(frac=1, random_state=7).reset_index(drop=True) for name, frame in data.tables.items()}), terms)


@pytest.fixture(scope="module")
def parts(golden: tuple[CrmData, Terms]) -> list[Coded]:
    data, terms = golden
    return [Coded(data.part(k, 3), terms) for k in range(3)]


@pytest.fixture(scope="module")
def with_later_events(golden: tuple[CrmData, Terms]) -> Coded:
    """Everything happens to everyone an hour after as-of."""
    data, terms = golden
    at, day = data.as_of + pd.Timedelta(hours=1), (data.as_of + pd.Timedelta(days=2)).tz_localize(None).normalize()
    tables = dict(data.tables)
    events = (("lead_stage_history", "event_id", "entered_at", {"stage": "disqualified"}), ("touches", "touch_id", "occurred_at", {}),
              ("opp_history", "event_id", "changed_at", {"stage": terms.opp_lost_stage, "amount": 1.0}), ("activities", "activity_id", "occurred_at", {}),
              ("routing_log", "", "attempted_at", {"result": "failed"}), ("sla_pauses", "", "paused_at", {"resumed_at": pd.NaT, "sla_type": "*"}),
              ("opportunities", "opp_id", "created_at", {}), ("leads", "lead_id", "created_at", {"converted_at": pd.NaT, "duplicate_of": None}), ("decisions", "decision_id", "raised_at", {}),
              ("actions", "action_id", "created_at", {}), ("arr_ledger", "", "effective_date", {"movement": "churn"}), ("definition_changes", "change_id", "effective_from", {}))
    for name, key, time, changes in events:
        frame, kind = tables[name], schema.TABLES[name].column(time).type
        extra = frame.drop_duplicates(frame.columns[0 if key in ("", frame.columns[0]) and key != "event_id" else 1]).assign(**{time: at if kind == "ts" else day, **changes})
        if key:
            extra[key] = "later-" + extra[key]
        tables[name] = schema.conform(name, pd.concat([frame, extra], ignore_index=True))
    for name, time in (("leads", "converted_at"), ("decisions", "decided_at"), ("actions", "completed_at"), ("sla_pauses", "resumed_at")):
        frame = tables[name]
        tables[name] = frame.assign(**{time: frame[time].fillna(at)})
    return Coded(replace(data, tables=tables), terms)


def all_cards(cards=tuple(CARDS.values())):
    return pytest.mark.parametrize("card", cards, ids=lambda card: card.id)


def same_frames(a: pd.DataFrame, b: pd.DataFrame) -> None:
    order = [name for name in a.columns if a[name].dtype == object or str(a[name].dtype) in ("str", "string")]
    a, b = (f.sort_values(order, kind="stable", na_position="last").reset_index(drop=True) if order else f for f in (a, b))
    pd.testing.assert_frame_equal(a, b, check_dtype=False, rtol=1e-9, atol=1e-9)


def dimensions(x: Coded, card: Metric) -> list[str]:
    """All that a card can be split by."""
    facts = x.facts(card)
    return [*(name for name in DIMENSIONS if name in facts.codes), *(name for name in facts.own if name not in DIMENSIONS)]


@all_cards()
def test_rows_in_another_order_give_the_same_numbers(card: Metric, x: Coded, mixed: Coded) -> None:
    same_frames(engine.compute(x, card), engine.compute(mixed, card))
    for name in (*card.by, "segment") if card in SUMMED else ():
        if name in dimensions(x, card):
            same_frames(engine.compute(x, card, by=name, grain="month"), engine.compute(mixed, card, by=name, grain="month"))


@all_cards([card for card in SUMMED if card.id not in BENCHMARKED])
def test_parts_added_up_are_the_whole(card: Metric, parts: list[Coded], x: Coded) -> None:
    by = ("segment",) if "segment" in x.facts(card).codes else ()
    added = engine.add([engine.sums(part, card, part.facts(card), View(), by) for part in parts])
    whole = engine.finish(card, engine.sums(x, card, x.facts(card), View(), by), x, by)
    same_frames(engine.finish(card, added, x, by), whole)


@all_cards(SUMMED)
def test_groups_add_up_to_the_whole_by_every_dimension(card: Metric, x: Coded) -> None:
    """Sums and levels by their values, rates above and below the line, distributions and curves by how many they hold."""
    whole = engine.compute(x, card).set_index("measure")
    for by in dimensions(x, card):
        groups = engine.compute(x, card, by=by)
        sums = groups.groupby("measure")[["value", "numerator", "denominator", "n"]].sum()
        for name, row in whole.iterrows():
            measure = card.measure(name) if name in {m.name for m in card.measures} else None
            checked = ("value",) if measure and measure.kind in ADDED else ("numerator", "denominator", "n") if measure and measure.kind is Kind.RATE else ("n",)
            for column in checked:
                assert (sums[column].get(name, 0.0) if len(sums) else 0.0) == pytest.approx(np.nan_to_num(row[column])), (by, name, column)


@all_cards(SUMMED)
@pytest.mark.parametrize("grain", ["week", "quarter"])
def test_periods_add_up_to_the_whole(card: Metric, grain: str, x: Coded) -> None:
    """Of the records that have a date: totals by their values, rates above and below the line, distributions and curves by how many they hold; a level of
    the running period is that of today."""
    days = x.facts(card).day
    dated = engine.compute(x, card, View(x.terms.calendar.parse("1990-01-01..2089-12-31"))) if len(days) else engine.compute(x, card)
    series = engine.compute(x, card, View(x.terms.calendar.parse("1990-01-01..2089-12-31")), grain=grain)
    for measure in card.measures:
        if measure.kind is Kind.LEVEL:
            running = x.terms.calendar.holding(x.as_of_day, grain)
            now = engine.compute(x, card, View(running), grain=grain, only=measure.name)
            assert now["value"].sum() == pytest.approx(engine.compute(x, card, only=measure.name)["value"].sum()) and len(now) == 1
            continue
        if measure.stats:
            name = engine.stat_name(measure, measure.stats[0])
            assert series.loc[series["measure"] == name, "n"].sum() == dated.loc[dated["measure"] == name, "n"].sum()
        for column in ("value",) if measure.kind is Kind.TOTAL else ("numerator", "denominator") if measure.kind is Kind.RATE else ():
            assert series.loc[series["measure"] == measure.name, column].sum() == pytest.approx(dated.loc[dated["measure"] == measure.name, column].fillna(0).sum())


@all_cards(SUMMED)
def test_a_filter_gives_the_number_of_its_group(card: Metric, x: Coded) -> None:
    """Splitting by a dimension and choosing one of its values are two ways to the same number, for every kind of measure."""
    for by in dimensions(x, card):
        groups, facts = engine.compute(x, card, by=by), x.facts(card)
        dimension = facts.own[by] if by in facts.own else x.dims[by]
        for label in dict.fromkeys(groups[by]):
            if label == "" or list(dimension.labels).count(label) != 1:
                continue
            chosen = engine.compute(x, card, View.of(**{by: label})).set_index("measure")
            for row in groups[groups[by] == label].itertuples():
                assert chosen.loc[row.measure, ["value", "numerator", "denominator", "n"]].to_numpy(float) == pytest.approx(
                    np.array([row.value, row.numerator, row.denominator, row.n], dtype=float), nan_ok=True), (by, label)


def views(x: Coded, card: Metric) -> Iterator[View]:
    quarter = x.terms.calendar.holding(x.as_of_day, "quarter")
    yield from (View(), View(quarter), View.of(quarter, segment="Enterprise"))
    for name, dimension in x.facts(card).own.items():
        yield from (View.of(**{name: label}) for label in dimension.labels[1:2])


@all_cards(SUMMED)
def test_the_rows_behind_a_number_give_it_back(card: Metric, x: Coded) -> None:
    for view in views(x, card):
        frame = engine.compute(x, card, view)
        for measure in card.measures:
            opened = open_number(x, card, view, measure.name)
            names = [engine.stat_name(measure, stat) for stat in measure.stats] or [measure.name]
            found = frame[frame["measure"].isin(names)]
            assert len(found) in (0, len(names))
            if measure.kind in ADDED:
                assert opened.contribution == pytest.approx(found["value"].iloc[0], nan_ok=True)
            elif measure.kind is Kind.RATE:
                assert opened.contribution == pytest.approx(found["numerator"].iloc[0])
                base = opened.counted["base"].sum() + opened.not_counted["base"].sum()
                assert base == pytest.approx(found["denominator"].iloc[0])
            else:
                assert len(opened.counted) + len(opened.not_counted) == (found["n"].iloc[0] if len(found) else 0)
            if measure.kind is Kind.DISTRIBUTION and len(found):
                values = opened.counted["contribution"].to_numpy(float)
                for name, stat in zip(names, measure.stats, strict=True):
                    shown = found.loc[found["measure"] == name, "value"].iloc[0]
                    again = np.nan if not len(values) else values.mean() if stat == "mean" else np.quantile(values, {"median": 0.5, "max": 1.0}.get(stat) or int(stat[1:]) / 100)
                    assert shown == pytest.approx(again, nan_ok=True)


@all_cards(MADE)
def test_the_parts_behind_a_made_number_give_it_back(card: Metric, x: Coded) -> None:
    """No number is beyond opening: what has no rows of its own says what it is made of."""
    frame = engine.compute(x, card)
    assert card.made_of is not None
    for name, place in zip(frame["measure"], frame.groupby("measure").cumcount(), strict=True):
        number = replace(Number.of(card, stat=name), place=place)
        row, made = number.row(x), made_of(x, number)
        if row is None or pd.isna(row["value"]):
            continue
        assert made is not None and made.parts and made.says
        assert made.given_back(x) == pytest.approx(float(row["value"])), (name, place)


@all_cards()
def test_an_empty_extract_gives_an_empty_result(card: Metric, golden: tuple[CrmData, Terms]) -> None:
    data, terms = golden
    empty = Coded(CrmData({name: schema.empty(name) for name in data.tables}, data.as_of), Terms(reporting_tz=terms.reporting_tz))
    frame = engine.compute(empty, card)
    assert not (frame["value"].fillna(0) != 0).any()
    rates = [m.name for m in card.measures if m.kind is Kind.RATE]
    assert frame.loc[frame["measure"].isin(rates), "value"].isna().all(), "no data is not 0 %"
    if card in SUMMED:
        for name in card.by:
            assert not len(engine.compute(empty, card, by=name)), "a split of nothing has no rows"


@all_cards()
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


@pytest.mark.parametrize("table", sorted(schema.TABLES))
def test_a_missing_table_breaks_no_metric(table: str, golden: tuple[CrmData, Terms]) -> None:
    """What a metric does not name as needed, it can do without."""
    data, terms = golden
    if table not in data.tables:
        pytest.skip("the golden workbook has no such table")
    cut = Coded(replace(data, tables={name: frame for name, frame in data.tables.items() if name != table}), terms)
    for card in CARDS.values():
        engine.compute(cut, card)


def test_missing_columns_break_no_metric(golden: tuple[CrmData, Terms]) -> None:
    """With nothing but the columns that a table cannot be without, every metric still answers or says what it lacks."""
    data, terms = golden
    bare = Coded(replace(data, tables={name: frame[[c for c in frame.columns if c in schema.TABLES[name].needed]] for name, frame in data.tables.items()}), terms)
    for card in CARDS.values():
        found = line(bare, card, View())
        assert bool(found.lacks) == bool(bare.data.missing(card.needs))
        engine.compute(bare, card)
        if card in SUMMED:
            open_number(bare, card)


@all_cards()
def test_every_measure_has_a_line(card: Metric, x: Coded) -> None:
    """In reviews and exports, with and without a period."""
    for view in (View(), View(x.terms.calendar.holding(x.as_of_day, "quarter"))):
        for measure in card.measures:
            found = line(x, card, view, measure.name)
            assert found.text and not found.lacks


@all_cards()
def test_nothing_after_as_of_counts(card: Metric, x: Coded, with_later_events: Coded) -> None:
    """What happens an hour later changes nothing today."""
    same_frames(engine.compute(x, card), engine.compute(with_later_events, card))


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
    assert card.definition and card.question and card.owners and (card.needs or card.id in WITHOUT_DATA)
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
