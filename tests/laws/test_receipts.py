"""Laws of receipts, over all cards: a number opens to rows that give it back, or to parts that do; its sum follows every contribution and no order."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from revscore.core.ask import lines, read_in, tidy
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.compute import compute, stat_name
from revscore.core.data import CrmData
from revscore.core.entities import ENTITIES
from revscore.core.made import Given, Number, made_of, reached
from revscore.core.metric import Kind, Metric
from revscore.core.metrics import CARDS
from revscore.core.receipt import Receipt, given_back, named_by_id, pairs, receipt, sum_of
from revscore.core.terms import Terms
from revscore.core.view import DIMENSIONS, View
from revscore.export.workbook import review_workbook
from revscore.governance.publishing import leaves, number_of, published
from revscore.rhythm.reviews import REVIEWS, TITLES, content, numbers

all_cards = pytest.mark.parametrize("card", list(CARDS.values()), ids=lambda card: card.id)


def params(x: Coded, card: Metric) -> dict:
    return {"opp": str(x.opp_index[0])} if "opp" in card.params else {}


def views(x: Coded) -> tuple[View, ...]:
    quarter = x.terms.calendar.holding(x.as_of_day, "quarter")
    return View(), View(quarter), View.of(quarter, segment="Enterprise")


def every(x: Coded, card: Metric) -> list[Number]:
    """Every number of a card that its frame has a row for."""
    stats = [stat_name(measure, stat) if measure.stats else measure.name for measure in card.measures for stat in (measure.stats or ("",))]
    numbers = [Number.of(card, view, stat, **params(x, card)) for view in views(x) for stat in stats]
    more = [] if not numbers[0].is_made else compute(x, card, **params(x, card))["measure"]
    places = pd.Series(more, dtype="str").groupby(more).cumcount() if len(more) else ()
    return numbers + [replace(Number.of(card, View(), name, **params(x, card)), place=int(place)) for name, place in zip(more, places, strict=True) if place]


def same(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True))


@all_cards
def test_a_number_opens_to_rows_or_to_parts_that_give_it_back(card: Metric, x: Coded) -> None:
    for number in every(x, card):
        if not number.is_made:
            assert same(given_back(number, pairs(x, number)), number.value(x)), number
            continue
        row = number.row(x)
        made = made_of(x, number)
        if row is None:
            assert made is None
            continue
        assert made is not None and made.parts and made.says, f"{card.id} does not say what it is made of"
        assert same(made.given_back(x), number.value(x)), (number.stat, [p.label for p in made.parts])
        for place, part in enumerate(made.parts):
            assert isinstance(part, Given) or reached(x, number, (place,))[-1].label == part.label


@all_cards
def test_every_number_has_a_receipt_that_survives_writing(card: Metric, x: Coded) -> None:
    for number in every(x, card):
        found = receipt(x, number)
        assert (found.metric, found.measure, found.digest) == (card.id, number.row_name, x.terms.digest) and len(found.sha256) == 64
        assert Receipt.from_dict(json.loads(json.dumps(found.as_dict()))).as_dict() == found.as_dict()
        assert all(isinstance(text, str) for text in found.as_rows().values()) and found.as_rows()["SHA-256"] == found.sha256
        if not number.is_made and not x.data.missing(card.needs):
            assert found.sha256 == sum_of(pairs(x, number))


@pytest.mark.parametrize("card", [card for card in CARDS.values() if card.id != "calendar.cases"], ids=lambda card: card.id)  # its rows stand as they are asked
def test_the_sum_does_not_follow_the_order_of_rows(card: Metric, golden: tuple[CrmData, Terms], x: Coded) -> None:
    data, terms = golden
    mixed = Coded(replace(data, tables={name: frame.sample(frac=1, random_state=5).reset_index(drop=True) for name, frame in data.tables.items()}), terms)
    for number in every(x, card)[:3]:
        assert receipt(mixed, number).sha256 == receipt(x, number).sha256, number.stat


@all_cards
def test_the_sum_follows_every_contribution(card: Metric, golden: tuple[CrmData, Terms], x: Coded) -> None:
    """One record that counts is taken out of the extract: another sum, of the number itself or of the one it is a part of."""
    data, terms = golden
    number = Number.of(card, **params(x, card))
    found = [(leaf, rows) for _, leaf in leaves(x, number) if len(rows := pairs(x, leaf))]
    if not found:
        assert number.is_made, "a number of the golden company without a row"
        return
    leaf, rows = found[0]
    for name in ("contribution", "base"):
        if name in rows:
            assert sum_of(rows.assign(**{name: rows[name].where(rows.index != 0, rows[name] + 1)})) != sum_of(rows)
    assert sum_of(rows.iloc[1:]) != sum_of(rows) == sum_of(rows.iloc[::-1])
    less = Coded(without(data, x, x.facts(leaf.card, **dict(leaf.params)).entity, rows["record"].iloc[0]), terms)
    assert receipt(less, number).sha256 != receipt(x, number).sha256


def without(data: CrmData, x: Coded, entity: str, record: str) -> CrmData:
    spec = ENTITIES[entity]
    if spec.frame is None:
        return data.with_tables(**{spec.table: data.table(spec.table)[spec.ids(x) != record].reset_index(drop=True)})
    keys = {"leads": "lead_id", "opportunities": "opp_id", "touches": "touch_id", "accounts": "account_id", "arr_ledger": "account_id"}
    return data.with_tables(**{table: data.table(table)[data.table(table)[key] != record].reset_index(drop=True) for table, key in keys.items()})


@all_cards
def test_a_published_number_asks_the_same_question(card: Metric, x: Coded) -> None:
    for number in every(x, card)[:2]:
        value, _ = published(x, number)
        again = number_of(replace(value, view=json.loads(json.dumps(value.view)), params=json.loads(json.dumps(value.params))))
        assert same(again.value(x), number.value(x)) and again.row_name == number.row_name


def test_anybody_can_work_the_sum_out_again(x: Coded) -> None:
    """Written as docs/receipts.md says, with nothing of ours."""
    number = Number.of(CARDS["winrate.closed_in_period"], views(x)[1])
    rows = pairs(x, number)
    lines = sorted(f"{record}\t{top:.6f}\t{base:.6f}\n".encode() for record, top, base in rows.itertuples(index=False))
    assert receipt(x, number).sha256 == hashlib.sha256(b"".join(lines)).hexdigest()
    assert sum_of(pd.DataFrame({"record": ["b\tc", "a"], "contribution": [-0.0, np.nan]})) == hashlib.sha256(b"a\t\nb c\t0.000000\n").hexdigest()


@all_cards
def test_anybody_can_work_the_sum_of_a_derived_number_out_again(card: Metric, x: Coded) -> None:
    """From the receipt as it is written, parts that are typed somewhere (a target, a cost) included, as docs/receipts.md says."""
    def lines_of(part: dict) -> bytes:
        return f"{part['metric']}\t{part['measure']}\t{'' if part['value'] is None else format(part['value'] + 0.0, '.6f')}\t{part['sha256']}\n".encode()

    for number in every(x, card) if card.headline.kind in (Kind.DERIVED, Kind.STUDY) else ():
        found = receipt(x, number).as_dict()
        assert found["sha256"] == hashlib.sha256(b"".join(sorted(map(lines_of, found["parts"])))).hexdigest()
        for part in found["parts"]:
            if not part["metric"]:
                amount = "" if part["value"] is None else format(part["value"], ".6f")
                assert part["sha256"] == hashlib.sha256(f"{part['made']}\t{amount}\n".encode()).hexdigest(), part


def test_filters_are_named_by_id_and_label(x: Coded) -> None:
    owner = x.dims["owner"]
    view = View.of(Period(0, 40_000), owner=owner.labels[1])
    assert named_by_id(x, view).chosen == {"owner": (owner.values[1],)}
    assert receipt(x, Number.of(CARDS["bookings.won_value"], view)).filters == (("owner", (owner.values[1],), (owner.labels[1],)),)


def test_derived_numbers_of_the_golden_company_stand_on_receipts_of_their_parts(x: Coded) -> None:
    made = [card for card in CARDS.values() if card.headline.kind in (Kind.DERIVED, Kind.STUDY)]
    with_parts = [card.id for card in made if receipt(x, Number.of(card, **params(x, card))).parts]
    assert {"velocity.sales_velocity", "pipeline.coverage", "targets.pacing", "funnel.equal_age_comparison", "shared.weakest_link"} <= set(with_parts)


@pytest.mark.parametrize("name", TITLES)
@pytest.mark.parametrize("where", [{}, {"segment": "Enterprise"}])
def test_closing_a_review_publishes_the_numbers_of_its_lines(name: str, where: dict, x: Coded) -> None:
    view = View.of(x.terms.calendar.holding(x.as_of_day, "quarter"), **where)
    lines = [line for line in content(REVIEWS[name](x, view))[0] if not line.lacks]
    for line in lines:
        number = Number.behind(line, view)
        assert same(number.value(x), line.value) or line.without_amount, line.label
        assert receipt(x, number, line.text).shown == line.text
    found = numbers(x, view, name)
    assert len({published(x, one)[0].key for one in found}) == len(found) >= len({(line.card.id, line.stat, line.own, line.params) for line in lines})


def test_every_row_of_a_study_is_a_number_of_its_own(x: Coded) -> None:
    for card in (CARDS["targets.pacing"], CARDS["attribution.agreement"], CARDS["funnel.period_ratio"], CARDS["campaign.scorecard_fytd"]):
        frame = compute(x, card)
        frame = frame[frame["measure"] == card.headline.name]
        assert len(frame) > 1
        for place, value in enumerate(frame["value"].astype(float)):
            number = replace(Number.of(card), place=place)
            made = made_of(x, number)
            assert same(number.value(x), value) and same(made.given_back(x), value), (card.id, place)
        assert replace(Number.of(card), place=len(frame)).row(x) is None


@all_cards
def test_a_receipt_names_the_filters_that_bear_on_its_number_and_no_others(card: Metric, x: Coded) -> None:
    """What is not applied changes nothing, whatever is chosen; what is applied changes the records for something that can be chosen."""
    quarter = x.terms.calendar.holding(x.as_of_day, "quarter")
    whole = Number.of(card, View(quarter), **params(x, card))
    if x.data.missing(card.needs) or whole.row(x) is None:
        return
    without = receipt(x, whole)
    for name in DIMENSIONS:
        found = [receipt(x, replace(whole, view=View.of(quarter, **{name: label}))) for label in x.dims[name].labels]
        for one in found:
            if one.not_applied:
                assert one.filters == () and one.not_applied[0][0] == name and "Not applied" in one.as_rows()
                assert same(one.value, without.value) and one.sha256 == without.sha256, (name, one.not_applied)
        applied = [one for one in found if one.filters]
        if applied and without.counted + len(without.parts):
            assert any(one.sha256 != without.sha256 for one in applied) or len(x.dims[name].labels) < 3, name


def test_numbers_of_the_whole_company_do_not_claim_a_filter(x: Coded) -> None:
    view = View.of(x.terms.calendar.holding(x.as_of_day, "quarter"), segment="SMB")
    for name in ("shared.weakest_link", "governance.decision_velocity", "targets.pacing"):
        found = receipt(x, Number.of(CARDS[name], view))
        assert (found.filters, found.not_applied) == ((), (("segment", ("SMB",), ("SMB",)),)), name
    found, remarks = tidy(x, [CARDS["targets.pacing"], CARDS["shared.weakest_link"]], View.of(segment="SMB"))
    assert {remark.split(":")[0] for remark in remarks} == {"targets.pacing", "shared.weakest_link"}


def test_a_study_is_narrowed_to_what_was_chosen_of_its_own_dimensions(x: Coded) -> None:
    found, remarks = tidy(x, [CARDS["funnel.period_ratio"]], View.of(pair="mql->sal"))
    assert len(found) == 1 and remarks == []
    number = Number.of(CARDS["funnel.period_ratio"], View.of(pair="mql->sal"))
    assert receipt(x, number).filters[0][0] == "pair" and same(found["value"].iloc[0], number.value(x))


@all_cards
def test_every_row_that_is_printed_has_its_own_name_and_its_own_receipt(card: Metric, x: Coded) -> None:
    quarter = x.terms.calendar.holding(x.as_of_day, "quarter")
    for view in (View(), View(quarter)):
        at, given = read_in(x, card, view, params(x, card))
        found, _ = tidy(x, [card], view, params=params(x, card))
        assert not found.duplicated(["measure", "by"]).any(), found[found.duplicated(["measure", "by"])]
        for place, row in zip(found.groupby("measure").cumcount(), found.to_dict("records"), strict=True):
            assert same(receipt(x, replace(Number.of(card, at, row["measure"], **given), place=place)).value, row["value"]), (row["measure"], row["by"])


def test_an_export_of_a_study_has_a_line_and_a_receipt_for_each_of_its_rows(x: Coded) -> None:
    for name in ("targets.pacing", "campaign.scorecard_fytd", "funnel.period_ratio", "bookings.won_value"):
        card = CARDS[name]
        frame = compute(x, card)
        frame = frame[frame["measure"] == card.headline.name]
        both = lines(x, card, View(), {})
        assert len({line.label for line, _ in both}) == len(both) == len(frame)
        book = load_workbook(io.BytesIO(review_workbook("Metrics", [line for line, _ in both], x, {}, View(), {}, [(number, line.text) for line, number in both])), read_only=True)
        shown = [row[:2] for row in book["Metrics"].iter_rows(min_row=4, values_only=True) if row and row[15:16] == (name,)]
        behind = [row[:2] for row in book["Receipts"].iter_rows(min_row=2, values_only=True) if " › " not in row[0]]
        assert [label for label, _ in shown] == [label for label, _ in behind] == [line.label for line, _ in both]
        for (_, value), (_, stood), true in zip(shown, behind, frame["value"].astype(float), strict=True):
            assert same(true, np.nan if value is None else value) and same(true, np.nan if stood is None else stood)
