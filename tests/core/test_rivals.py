"""Fifteen mistakes that published scorecards, packages and help pages make, each as a test that fails under the mistaken formula."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from revscore import company
from revscore.core import schema
from revscore.core.calendars import Calendar, Period, day_number, midnight
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.data import CrmData
from revscore.core.metrics import CARDS, attribution, pipeline
from revscore.core.metrics.attribution import credits
from revscore.core.review import line
from revscore.core.terms import MODELS, Terms
from revscore.core.view import View
from revscore.export.workbook import review_workbook
from revscore.intake import Source, load_folder, prepare
from revscore.people import LOCAL
from revscore.ui import state
from tests.core.builder import deal, extract, lead

GOLDEN = Path(__file__).parents[1] / "golden" / "data"


@pytest.fixture(scope="module")
def golden() -> Coded:
    data, terms, _ = load_folder(GOLDEN)
    return Coded(data, terms)


def value(x: Coded, card_id: str, measure: str = "", view: View = View(), column: str = "value", **params) -> float:
    frame = compute(x, CARDS[card_id], view, **params)
    return float(frame.loc[frame["measure"] == (measure or CARDS[card_id].headline.name), column].iloc[0])


def by(x: Coded, card_id: str, dimension: str, measure: str, view: View = View(), **params) -> dict[str, float]:
    frame = compute(x, CARDS[card_id], view, by=dimension, **params)
    frame = frame[frame["measure"] == measure]
    return dict(zip(frame[dimension], frame["value"], strict=True))


def won(opp: str, amount: float, first: str, last: str) -> list[tuple]:
    return [(opp, f"{first}T00:00Z", "Discovery", amount, last), (opp, f"{last}T00:00Z", "Closed Won", amount, last)]


# -- 1 -------------------------------------------------------------------------------------------------------------------------------------

def test_days_to_close_are_not_subtracted_the_wrong_way_round() -> None:
    """Created 1 January, won 2 March: 60 days, not −60."""
    x = extract(opportunities=[deal("O1", "2026-01-01T00:00Z")], deal_events=won("O1", 5, "2026-01-01", "2026-03-02"))
    assert value(x, "velocity.cycle_time_won", "median") == 60


def test_a_deal_closed_before_it_was_created_is_named_not_averaged_in_silence() -> None:
    text = ("Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date,Type\n1,A,Closed Won,100,2026-01-05,2026-03-01,New Business\n"
            "2,B,Closed Won,100,2026-03-05,2026-03-01,New Business\n")
    intake = prepare([Source("deals.csv", text.encode())], as_of=pd.Timestamp("2026-03-31T12:00:00Z"))
    assert (intake.ledger.findings["code"] == "N_CLOSED_BEFORE_CREATED").sum() == 1
    assert value(Coded(intake.data, Terms().with_tables(intake.data)), "velocity.cycle_time_won", "median") >= 0


# -- 2 -------------------------------------------------------------------------------------------------------------------------------------

def test_weighted_pipeline_is_not_a_hundred_times_too_large(golden: Coded) -> None:
    """A probability of 60 is 60 %: the weighted pipeline never exceeds the open one, and its weights are shares, shown with the deal."""
    assert 0 < value(golden, "pipeline.weighted") <= value(golden, "pipeline.open")
    weights = CARDS["pipeline.weighted"].build(golden).detail["stage_win_rate"]
    assert ((weights >= 0) & (weights <= 1)).all()


# -- 3 -------------------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("word", "category"), [("Most Likely", "best_case"), ("MostLikely", "best_case"), ("Best Case", "best_case"), ("Hope", "hope")])
def test_deals_of_an_unlisted_forecast_category_do_not_vanish(word: str, category: str) -> None:
    """Every open deal is in some category: the systems' own words are mapped, a team's own word is a category of its own."""
    text = f"Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date,Type,Forecast Category\n1,A,Discovery,100,2026-06-30,2026-03-01,New Business,{word}\n" \
           "2,B,Discovery,50,2026-06-30,2026-03-01,New Business,Commit\n"
    intake = prepare([Source("deals.csv", text.encode())], as_of=pd.Timestamp("2026-03-31T12:00:00Z"))
    x = Coded(intake.data, Terms().with_tables(intake.data))
    found = by(x, "forecast.category_totals", "category", "value")
    assert found == {category: 100, "commit": 50} and sum(found.values()) == value(x, "pipeline.open")


# -- 4 -------------------------------------------------------------------------------------------------------------------------------------

def test_no_data_is_never_zero_per_cent() -> None:
    """Nothing decided: every rate is missing, and so is the text of its tile."""
    x = extract(leads=[lead("L1")], lead_events=[("L1", "inquiry", "2026-06-29T00:00Z")], opportunities=[deal("O1")], deal_events=[])
    for card_id, measure in (("winrate.closed_in_period", "count_rate"), ("winrate.closed_in_period", "value_rate"), ("winrate.cohort", "rate_mature"),
                             ("funnel.cohort_conversion", "rate_mature"), ("sla.acceptance_rate", "acceptance"), ("forecast.hygiene", "violation_rate")):
        assert np.isnan(value(x, card_id, measure)), card_id
    assert "%" not in line(x, CARDS["winrate.closed_in_period"], View()).text


# -- 5 -------------------------------------------------------------------------------------------------------------------------------------

def test_stages_in_mixed_rows_are_added_up_not_overwritten() -> None:
    """Rows P100 N50 P30 N20 P5: 135 and 70, in whatever order, not the last run's 5 and 20."""
    rows = [("Proposal", 100), ("Negotiation", 50), ("Proposal", 30), ("Negotiation", 20), ("Proposal", 5)]
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        x = extract(opportunities=[deal(f"O{k}") for k in order], deal_events=[(f"O{k}", "2026-05-02T00:00Z", *rows[k], "2026-07-31") for k in order])
        frame = compute(x, CARDS["pipeline.bridge"], by="leg")
        assert value(x, "pipeline.open") == 205 and pipeline.unexplained(frame) == 0
        assert by(x, "velocity.aging", "stage", "value") == {"Proposal": 135, "Negotiation": 70}


# -- 6 -------------------------------------------------------------------------------------------------------------------------------------

def test_active_leads_are_those_that_are_active() -> None:
    """Not all that were created in the range: a disqualified, a converted and a stalled lead are none of them."""
    x = extract(leads=[lead("L1"), lead("L2"), lead("L3", converted_at="2026-06-28T00:00Z"), lead("L4")],
                lead_events=[("L1", "mql", "2026-06-27T00:00Z"), ("L2", "mql", "2026-06-27T00:00Z"), ("L2", "disqualified", "2026-06-28T00:00Z"),
                             ("L3", "mql", "2026-06-27T00:00Z"), ("L4", "mql", "2026-06-01T00:00Z")])
    assert by(x, "leakage.leads", "fate", "count", View.of(stage="mql")) == {"active": 1, "disqualified": 1, "advanced": 1, "stalled": 1}
    assert value(x, "dq.unassigned", "rate", column="denominator") == 2, "open ones only"


# -- 7 -------------------------------------------------------------------------------------------------------------------------------------

START, END = midnight(day_number("2026-04-01"), "UTC"), midnight(day_number("2026-06-30"), "UTC")


def printed_waterfall() -> Coded:
    """Deals whose bridge over the quarter is a vendor's printed one: 1,257,559 + 1,501,878 + 180,171 + 149,382 − 0 − 271,125 − 556,292 − 287,487 = 1,974,086."""
    deals, events = [], []

    def add(opp: str, *states: tuple[str, str, float, str]) -> None:
        deals.append(deal(opp, f"{states[0][0]}T00:00Z"))
        events.extend((opp, f"{day}T00:00Z", stage, amount, close) for day, stage, amount, close in states)

    inside, outside = "2026-06-20", "2026-08-15"
    add("stays", ("2026-03-01", "Discovery", 142_655, inside))
    add("won", ("2026-03-01", "Discovery", 271_125, inside), ("2026-05-01", "Closed Won", 271_125, "2026-05-01"))
    add("lost", ("2026-03-01", "Discovery", 556_292, inside), ("2026-05-01", "Closed Lost", 556_292, "2026-05-01"))
    add("pushed", ("2026-03-01", "Discovery", 287_487, inside), ("2026-05-01", "Discovery", 287_487, outside))
    add("created", ("2026-04-10", "Discovery", 1_501_878, inside))
    add("pulled", ("2026-03-01", "Discovery", 180_171, outside), ("2026-05-01", "Discovery", 180_171, inside))
    add("stays2", ("2026-03-01", "Discovery", 0, inside), ("2026-05-01", "Discovery", 149_382, inside))
    return extract(opportunities=deals, deal_events=events)


def test_a_waterfall_adds_up_to_its_end() -> None:
    """A help page's 19 + 422 − 394 = 42 does not; the balance is checked, deal by deal."""
    frame = compute(printed_waterfall(), pipeline.bridge, by="leg", t0=START, t1=END, window=Period(day_number("2026-04-01"), day_number("2026-07-01")))
    legs = frame[frame["measure"] == "value"].set_index("leg")["value"].to_dict()
    assert legs == {"open_start": 1_257_559, "created": 1_501_878, "pulled_in": 180_171, "increased": 149_382, "won": 271_125, "lost": 556_292, "pushed_out": 287_487,
                    "open_end": 1_974_086}
    assert pipeline.unexplained(frame) == 0
    wrong = pd.DataFrame({"measure": "value", "leg": ["open_start", "created", "lost", "open_end"], "value": [19, 422, 394, 42]})
    assert pipeline.unexplained(wrong) == 5


# -- 8 -------------------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["explicit", "account", "hybrid"])
@pytest.mark.parametrize("basis", ["pipeline_created", "won"])
def test_the_weights_of_every_model_add_up_to_one(golden: Coded, mode: str, basis: str) -> None:
    """Not to 98.4 %, and not to whatever a decay leaves: credits and what nobody touched are the whole amount."""
    whole = float(attribution.credited_deals(golden, basis)[2].sum())
    for model in MODELS:
        assert sum(credits(golden, model, basis, mode=mode).values()) == pytest.approx(whole), model
    weights = compute(golden, CARDS["attribution.opportunity_examples"], opp="O01", mode=mode)[list(MODELS)].sum()
    assert ((weights - 1).abs() < 1e-9).all()


# -- 9 -------------------------------------------------------------------------------------------------------------------------------------

def test_a_customer_who_skipped_a_stage_is_not_lost_and_the_difference_is_shown() -> None:
    x = extract(leads=[lead("L1"), lead("L2")], lead_events=[("L1", "mql", "2026-05-02T00:00Z"), ("L1", "sql", "2026-05-05T00:00Z"),
                                                             ("L2", "mql", "2026-05-02T00:00Z"), ("L2", "sal", "2026-05-03T00:00Z"), ("L2", "sql", "2026-05-05T00:00Z")])
    assert value(x, "funnel.entries", "count", View.of(stage="sal")) == 2 and value(x, "funnel.entries", "imputed", View.of(stage="sal")) == 1
    assert value(x, "funnel.cohort_conversion", "rate_mature", View.of(pair="mql->sal")) == 1
    deals = extract(opportunities=[deal("O1")], deal_events=[("O1", "2026-05-01T00:00Z", "Prospecting", 1, "2026-05-30"), ("O1", "2026-05-09T00:00Z", "Closed Won", 1, "2026-05-09")])
    assert by(deals, "opp.stage_conversion", "stage", "reached") == dict.fromkeys(Terms().opp_open_stages, 1)


# -- 10 ------------------------------------------------------------------------------------------------------------------------------------

def test_a_stuck_deal_raises_the_median_time_in_its_stage() -> None:
    """A time that is only known once the stage was left makes deals that never leave invisible."""
    moved = [(f"O{k}", at, stage, 1, "2026-07-01") for k, day in enumerate((3, 5, 7, 9, 11)) for at, stage in (("2026-03-01T00:00Z", "Discovery"), (f"2026-03-{day:02}T00:00Z", "Proposal"))]
    stuck = [(f"S{k}", "2026-03-01T00:00Z", "Discovery", 1, "2026-07-01") for k in range(3)]
    view = View.of(stage="Discovery")
    before = extract(opportunities=[deal(f"O{k}") for k in range(5)], deal_events=moved)
    after = extract(opportunities=[*(deal(f"O{k}") for k in range(5)), *(deal(f"S{k}") for k in range(3))], deal_events=moved + stuck)
    assert (value(before, "velocity.opp_stage_first_visit_km", "median", view), value(after, "velocity.opp_stage_first_visit_km", "median", view)) == (6, 8)


# -- 11 ------------------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("closes", "pushes", "into_later_month", "days"), [
    (("2026-04-01", "2026-04-30"), 1, 0, 29), (("2026-04-20", "2026-05-20", "2026-04-20"), 1, 1, 30), (("2026-04-30", "2026-05-01"), 1, 1, 1)])
def test_a_push_within_a_month_counts_and_pulling_back_takes_none_away(closes: tuple[str, ...], pushes: int, into_later_month: int, days: int) -> None:
    x = extract(opportunities=[deal("O1")], deal_events=[("O1", f"2026-03-0{k + 1}T00:00Z", "Discovery", 1, close) for k, close in enumerate(closes)])
    assert [value(x, "slippage.push_count", name) for name in ("any_later", "later_month", "days")] == [pushes, into_later_month, days]


# -- 12 ------------------------------------------------------------------------------------------------------------------------------------

def test_a_move_there_and_back_within_the_window_is_seen() -> None:
    """Two snapshots are equal, so a comparison of them sees nothing; the events are counted."""
    x = extract(opportunities=[deal("O1")], deal_events=[("O1", "2026-06-01T00:00Z", "Proposal", 100, "2026-07-10"), ("O1", "2026-06-25T00:00Z", "Discovery", 60, "2026-08-10"),
                                                         ("O1", "2026-06-28T00:00Z", "Proposal", 100, "2026-07-10")])
    assert by(x, "pipeline.progressed", "direction", "count") == {"unchanged": 1}
    week = View(Period(x.as_of_day - 7, x.as_of_day + 1))
    assert by(x, "opp.movement", "move", "count", week) == {"regressed": 1} and value(x, "slippage.push_count", "any_later", week) == 1


def test_a_new_owner_does_not_take_the_past_along(tmp_path: Path) -> None:
    """The deal changes hands in April; what March said of its owner stays what it was."""
    head = "Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date,Opportunity Owner,Type\n"
    row = "1,Acme,Discovery,100,2026-06-30,2026-03-01,{},New Business\n2,Bolt,Discovery,40,2026-06-30,2026-03-01,Ben Orrin,New Business\n"
    store = company.open_store(tmp_path / "store.sqlite")
    for owner, as_of in (("Ada Nayfield", "2026-03-31T12:00:00Z"), ("Ben Orrin", "2026-04-30T12:00:00Z")):
        company.load(store, "company", [Source("deals.csv", (head + row.format(owner)).encode())], as_of=pd.Timestamp(as_of), by=LOCAL)
    then, now = (company.coded(store, "company", when) for when in (pd.Timestamp("2026-03-31T12:00:00Z"), None))
    assert by(then, "pipeline.open", "owner", "value") == {"Ada Nayfield": 100, "Ben Orrin": 40}
    assert by(now, "pipeline.open", "owner", "value") == {"Ben Orrin": 140}
    store.close()


# -- 13 ------------------------------------------------------------------------------------------------------------------------------------

def test_a_total_stands_over_any_number_of_rows() -> None:
    """A quarter of a million deals have a total, and so has every group; nothing is cut at 2,000 rows."""
    n = 250_000
    k = np.arange(n)
    ids = pd.Series(k).astype("str")
    opps = pd.DataFrame({"opp_id": ids, "type": "new_business", "segment": np.where(k % 5 == 0, "Enterprise", "SMB"), "currency": "USD",
                         "created_at": pd.Timestamp("2026-05-01T00:00Z"), "owner_id": "U" + pd.Series(k % 7).astype("str")})
    history = pd.DataFrame({"event_id": ids, "opp_id": ids, "changed_at": pd.Timestamp("2026-06-01T00:00Z"), "stage": np.where(k % 2, "Discovery", "Closed Won"), "amount": k % 10 + 1.0,
                            "close_date": pd.Timestamp("2026-06-01"), "forecast_category": "pipeline"})
    x = Coded(CrmData({"opportunities": schema.conform("opportunities", opps), "opp_history": schema.conform("opp_history", history)}, pd.Timestamp("2026-06-30T12:00:00Z")), Terms())
    assert value(x, "bookings.won_value", "count") == n / 2 and value(x, "bookings.won_value") == (k % 10 + 1)[k % 2 == 0].sum()
    assert value(x, "pipeline.open") == (k % 10 + 1)[k % 2 == 1].sum()
    assert sum(by(x, "bookings.won_value", "owner", "value").values()) == value(x, "bookings.won_value")
    assert by(x, "bookings.won_value", "segment", "count") == {"Enterprise": n / 10, "SMB": n * 4 / 10}


# -- 14 ------------------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("card_id", [card.id for card in CARDS.values() if card.measures[0].kind == "rate"])
def test_the_total_of_a_ratio_is_the_ratio_of_totals(golden: Coded, card_id: str) -> None:
    """Never the sum, nor the mean, of the groups' ratios: in the table, in the line of a review and in its workbook."""
    card = CARDS[card_id]
    shown = line(golden, card, View())
    whole = compute(golden, card).set_index("measure")
    facts = golden.facts(card)
    for dimension in [name for name in ("segment", *facts.own) if name in facts.codes]:
        groups = compute(golden, card, by=dimension)
        for measure in card.measures:
            if measure.kind == "rate":
                of = groups[groups["measure"] == measure.name]
                top, bottom = of["numerator"].sum(), of["denominator"].sum()
                assert whole.loc[measure.name, "value"] == pytest.approx(top / bottom if bottom else np.nan, nan_ok=True)
    top, bottom = shown.numerator, shown.denominator
    assert shown.value == pytest.approx(top / bottom if bottom else np.nan, nan_ok=True)
    book = load_workbook(io.BytesIO(review_workbook("Ratios", [shown], golden, {"company": "Golden"})), read_only=True)
    rows = [row for row in book["Ratios"].iter_rows(values_only=True) if row and row[0] == card.label]
    assert rows and (rows[0][1] is None if np.isnan(shown.value) else rows[0][1] == pytest.approx(top / bottom))


# -- 15 ------------------------------------------------------------------------------------------------------------------------------------

def test_a_quarter_is_never_named_without_its_dates(golden: Coded) -> None:
    """Fiscal and calendar quarters look alike in a filter: wherever a period is chosen or exported, its first and last day stand beside its name."""
    fiscal, plain = Calendar(fiscal_start_month=2).parse("FY26Q2"), Calendar(fiscal_start_month=1).parse("FY26Q2")
    assert (fiscal.dates(), plain.dates()) == ("1 May – 31 Jul 2025", "1 Apr – 30 Jun 2026")
    for name in ("This quarter", "Last quarter", "This fiscal year", "FY26Q2", "This month"):
        choice = state.make_view(golden, name)
        assert choice.view.period.dates() in choice.period_text
    shown = line(golden, CARDS["winrate.closed_in_period"], View(golden.terms.calendar.parse("FY26Q2")))
    book = load_workbook(io.BytesIO(review_workbook("Quarter", [shown], golden, {"company": "Golden"}, View(golden.terms.calendar.parse("FY26Q2")))), read_only=True)
    receipts = list(book["Receipts"].iter_rows(values_only=True))
    assert [row[receipts[0].index("Period")] for row in receipts[1:]] == ["FY26Q2 (2025-05-01 to 2025-07-31)"]
