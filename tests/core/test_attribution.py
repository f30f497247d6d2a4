"""Attribution and the campaign scorecard: sums, filters, periods, influence, origin, costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from journey_extract import CAMPAIGNS, coded, day, deal, merged
from test_journeys import extracts, touch

from revscore.core import compute as engine
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.facts import firsts_of
from revscore.core.metric import Kind, functions
from revscore.core.metrics import CARDS, attribution, campaigns
from revscore.core.metrics.attribution import BASES, NO_TOUCH, credits
from revscore.core.metrics.one_deal import audit, opportunity_examples
from revscore.core.terms import MODELS
from revscore.core.view import View

PEOPLE = [("K1", 0, "A1"), ("K2", 0, "A2"), ("K3", 0, "A3")]


def days(first: float, last: float) -> Period:
    """From day `first` to and including day `last`."""
    zero = int(day(0).timestamp() // 86_400)
    return Period(zero + int(first), zero + int(last) + 1)


def three_deals(**more: list) -> Coded:
    """O1 (won, two campaigns), O2 (open, one touch after creation), O3 (open, no touch)."""
    return coded(**merged(
        deal("O1", 100, account="A1", segment="SMB", amount=1000.0, won=200), deal("O2", 120, account="A2", segment="SMB", amount=500.0),
        deal("O3", 130, account="A3", segment="Enterprise", amount=300.0), contacts=PEOPLE, campaigns=CAMPAIGNS,
        touches=[touch(1, 50), touch(2, 90, "C2"), touch(3, 150, "C3"), touch(4, 140, "C3", "K2")], **more))


# -- totals -----------------------------------------------------------------------------------------------------------------------------------

@settings(max_examples=60, deadline=None)
@given(extracts())
def test_credits_and_unattributed_are_the_total(tables):
    x = coded(**tables)
    for mode in ("explicit", "account", "hybrid"):
        for basis in BASES:
            whole = float(attribution.credited_deals(x, basis)[2].sum())
            frame = compute(x, attribution.totals, View.of(basis=basis), mode=mode)
            assert frame["value"].to_numpy() == pytest.approx(np.full(len(MODELS), whole))
            assert all(sum(credits(x, model, basis, mode=mode).values()) == pytest.approx(whole) for model in MODELS)
    for row in compute(x, attribution.influenced).itertuples():
        if row.measure == "influenced_total_counted_once":
            none = credits(x, "linear", row.basis).get(NO_TOUCH, 0.0)
            assert row.value == pytest.approx(float(attribution.credited_deals(x, row.basis)[2].sum()) - none)


def test_credit_by_model_and_basis():
    x = three_deals()
    assert credits(x, "first_touch", "pipeline_created") == {"C1": 1000.0, NO_TOUCH: 800.0}
    assert credits(x, "linear", "pipeline_created") == {"C1": 500.0, "C2": 500.0, NO_TOUCH: 800.0}
    assert credits(x, "last_touch_close", "pipeline_created") == {"C3": 1500.0, NO_TOUCH: 300.0}
    assert credits(x, "linear", "won") == pytest.approx({"C1": 1000 / 3, "C2": 1000 / 3, "C3": 1000 / 3})
    assert credits(x, "last_touch", "won") == {"C2": 1000.0}


def test_a_deal_without_amount_keeps_its_row():
    x = coded(**merged(deal(amount=float("nan")), contacts=PEOPLE, campaigns=CAMPAIGNS, touches=[touch(1, 50)]))
    assert credits(x, "linear", "pipeline_created") == {"C1": 0.0}
    assert credits(x, "u_shaped", "won") == {}


def test_filters_select_deals_and_never_touches():
    x = three_deals()
    assert credits(x, "first_touch", "pipeline_created", View.of(segment="SMB")) == {"C1": 1000.0, NO_TOUCH: 500.0}
    frame = compute(x, attribution.totals, View.of(basis="pipeline_created", campaign="C2"))
    found = frame.set_index("measure")["value"]
    assert found["first_touch"] == 0 and found["last_touch"] == 1000 and found["linear"] == 500  # the other half stays with C1


def test_periods_are_entry_for_pipeline_and_close_date_for_won():
    x = three_deals()
    early, late = View(days(0, 110)), View(days(111, 300))
    assert sum(credits(x, "linear", "pipeline_created", early).values()) == 1000 and credits(x, "linear", "won", early) == {}
    assert sum(credits(x, "linear", "pipeline_created", late).values()) == 800 and sum(credits(x, "linear", "won", late).values()) == pytest.approx(1000)


def test_renewals_and_duplicates_get_nothing():
    x = coded(**merged(deal("O1", kind="renewal", won=150), deal("O2", lost=150, loss_reason="Duplicate"), contacts=PEOPLE, campaigns=CAMPAIGNS, touches=[touch(1, 50)]))
    assert credits(x, "linear", "pipeline_created") == credits(x, "linear", "won") == {}
    assert len(x.facts(attribution.totals).left_out.record) == 2


def test_amounts_are_in_corporate_currency():
    tables = merged(deal(amount=100.0), contacts=PEOPLE, touches=[touch(1, 50)], fx_rates=[("GBP", "corporate", 0, 1.25)],
                    campaigns=[("C1", "One", None, 40.0, "GBP")])
    tables["opportunities"] = [(*tables["opportunities"][0], "GBP")]
    x = coded(**tables)
    assert credits(x, "linear", "pipeline_created") == {"C1": 125.0}
    assert compute(x, campaigns.scorecard)["cost"].tolist() == [50.0]


# -- influence, origin, roles --------------------------------------------------------------------------------------------------------------------

def test_influence_counts_the_deal_once_and_for_every_campaign():
    x = three_deals()
    split = compute(x, attribution.influenced, by="campaign")
    created = split[split["basis"] == "pipeline_created"].set_index("campaign")["value"]
    assert created.to_dict() == {"C1": 1000.0, "C2": 1000.0}
    assert split[split["basis"] == "won"].set_index("campaign")["value"].to_dict() == {"C1": 1000.0, "C2": 1000.0, "C3": 1000.0}
    whole = compute(x, attribution.influenced).set_index(["measure", "basis"])["value"]
    assert whole["influenced_total_counted_once", "pipeline_created"] == 1000 and whole["population_total", "pipeline_created"] == 1800
    narrowed = compute(x, attribution.influenced, View.of(campaign="C2", segment="SMB")).set_index(["measure", "basis"])["value"]
    assert narrowed["influenced_total_counted_once", "pipeline_created"] == 1000 and narrowed["population_total", "pipeline_created"] == 1500
    monthly = compute(x, attribution.influenced, grain="month")
    assert monthly[monthly["measure"] == "population_total"]["value"].sum() == 1800 + 1000


def hands_on(name: str, at: float, user: str, person: str = "K1", kind: str = "call", direction: str = "outbound") -> tuple:
    return (name, person, at, kind, direction, False, user)


@pytest.mark.parametrize(("touches", "activities", "origin"), [
    ([touch(1, 50)], [hands_on("A1", 50, "US")], "marketing"),
    ([touch(1, 50)], [hands_on("A1", 49, "US")], "sales"),
    ([], [hands_on("A1", 49, "US"), hands_on("A2", 49, "UC")], "cs"),
    ([touch(1, 101)], [hands_on("A1", 101, "US")], "unknown"),
    ([], [hands_on("A1", 49, "US", "K1", "email", "inbound"), hands_on("A2", 49, "UM"), hands_on("A3", -300, "US")], "unknown"),
    ([], [hands_on("A1", 49, "US", "K1", "meeting", "inbound")], "sales")])
def test_origin(touches, activities, origin):
    x = coded(**merged(deal(), contacts=PEOPLE, campaigns=CAMPAIGNS, touches=touches, activities=activities,
                       users=[("US", "sales"), ("UC", "cs"), ("UM", "marketing")]))
    assert audit(x, "O1")["sourced_by"] == origin
    found = compute(x, attribution.sourced_by, by=("origin", "first_campaign"))
    assert found["origin"].unique().tolist() == [origin]
    assert found["first_campaign"].unique().tolist() == (["C1"] if origin == "marketing" else [""])
    dimension = x.facts(attribution.sourced_by).own["origin"]
    assert {name: dimension.labels[dimension.values.index(name)] for name in ("cs", "unknown")} == {"cs": functions(("cs",)), "unknown": "Unknown"}


def test_fallback_share():
    x = three_deals(opp_contact_roles=[("O1", "K1"), ("O2", "K9")])
    found = compute(x, attribution.fallback_share).iloc[0]
    assert (found["numerator"], found["denominator"]) == (2, 3)


# -- one deal ------------------------------------------------------------------------------------------------------------------------------------

def test_journey_of_one_deal_as_a_frame():
    frame = compute(three_deals(), opportunity_examples, opp="O1")
    assert frame["touch_id"].tolist() == ["T01", "T02", "T03"] and frame["anchors"].tolist() == ["FT", "OC", "CW"]
    assert frame["in_create_span"].tolist() == [True, True, False] and frame["linear"].tolist() == [0.5, 0.5, 0.0]
    assert compute(three_deals(), opportunity_examples, opp="O3")["person"].tolist() == ["K3"]
    assert not len(compute(three_deals(), opportunity_examples))
    with pytest.raises(KeyError, match="not in this extract"):
        audit(three_deals(), "O9")


# -- agreement -------------------------------------------------------------------------------------------------------------------------------------

def test_agreement_says_when_the_model_decides():
    many = [deal(f"O{k:02d}", 100, account=f"A{k}") for k in range(12)]
    contacts = [(f"K{k}", 0, f"A{k}") for k in range(12)]
    touches = [(f"T{k}a", f"K{k}", "C1", 50) for k in range(12)] + [(f"T{k}b", f"K{k}", "C2", 60) for k in range(12)] + [("T0c", "K0", "C3", 55)]
    x = coded(**merged(*many, contacts=contacts, campaigns=CAMPAIGNS, touches=touches))
    found = compute(x, attribution.agreement).set_index("campaign")
    assert found["verdict"].to_dict() == {"C1": "depends on the model", "C2": "depends on the model", "C3": "too few deals"}
    assert (found.loc["C1", "low"], found.loc["C1", "high"]) == (0, 12_000) and (found.loc["C1", "rank_best"], found.loc["C1", "n"]) == (1, 12)
    alone = coded(**merged(*many, contacts=contacts, campaigns=CAMPAIGNS, touches=touches[:12]))
    assert compute(alone, attribution.agreement)["verdict"].tolist() == ["robust"]


# -- scorecard -------------------------------------------------------------------------------------------------------------------------------------

def scorecard_extract() -> Coded:
    leads = [("L1", 20, "A1", 100, "K1", "O1", None, False, "C1", "SMB"), ("L2", 30, "A2", None, None, None, None, False, "C1", "Enterprise"),
             ("L3", 30, None, None, None, None, "L2", False, "C2", "Enterprise"), ("L4", 30, None, None, None, None, None, True, "C2", "SMB")]
    history = [("E1", "L1", "inquiry", 20), ("E2", "L1", "mql", 110), ("E3", "L2", "inquiry", 30), ("E4", "L2", "mql", 130.5), ("E5", "L4", "inquiry", 30)]
    touches = [touch(1, 20, "C1", "L1"), touch(2, 21, "C1", "K1"), touch(3, 40, "C1", "L3"), touch(4, 40, "C2", "L2"), touch(5, 20, "C2", "L1"),
               touch(6, 40, "C2", "L4"), touch(7, 105, "C2", "K2")]
    activities = [hands_on("A1", 60, "US", "L1", "meeting"), hands_on("A2", 125, "US", "K1", "meeting"), hands_on("A3", 131, "UC", "L2", "meeting"),
                  ("A4", "K2", 110, "meeting", "outbound", True, "US"), hands_on("A5", 110, "UM", "K2", "meeting")]
    rows = [("C1", "Fair", 100.0, 400.0, "USD", 10), ("C2", "Ads", 200.0, None, "USD", None), ("C3", "None"), ("C4", "Free", None, 0.0)]
    return coded(**merged(deal(won=200), leads=leads, lead_stage_history=history, contacts=[("K1", 100, "A1"), ("K2", 90, "A9")], campaigns=rows,
                          touches=touches, activities=activities, accounts=[("A9", "SMB")], users=[("US", "sales"), ("UC", "cs"), ("UM", "marketing")]))


def test_scorecard():
    found = compute(scorecard_extract(), campaigns.scorecard).set_index("campaign")
    assert found["inquiries"].to_dict() == {"C1": 2, "C2": 3, "C3": 0, "C4": 0}  # L1 is K1, L3 is L2, L4 is a test
    assert found["new_inquiries"].to_dict() == {"C1": 2, "C2": 0, "C3": 0, "C4": 0}
    assert found["mqls"].to_dict() == {"C1": 1, "C2": 1, "C3": 0, "C4": 0}  # 90 days inclusive: L1 (20 to 110) in, L2 (40 to 130.5) out
    assert found["meetings"].to_dict() == {"C1": 1, "C2": 1, "C3": 0, "C4": 0}
    assert found["cost"].to_dict() == pytest.approx({"C1": 400, "C2": 200, "C3": np.nan, "C4": 0}, nan_ok=True)
    assert found["cost_is_budget"].tolist() == [False, True, False, False]
    assert found.loc["C1", "cost_per_inquiry"] == 200 and math.isnan(found.loc["C3", "cost_per_inquiry"])
    assert found.loc["C1", "roi"] == pytest.approx((found.loc["C1", "won_attributed_full_path"] - 400) / 400)
    assert found["roi"].isna().tolist() == [False, False, True, True]
    assert (found.loc["C1", "opps_sourced"], found.loc["C1", "pipeline_sourced"]) == (1, 1000)
    assert found["pipeline_influenced"].tolist() == [1000, 1000, 0, 0] and found.loc["C1", "still_open_share"] == 0
    assert found.loc["C1", "age_days"] == 290 and found["value"].equals(found["roi"])


def test_scorecard_without_any_cost_column():
    x = scorecard_extract()
    bare = x.data.with_tables(campaigns=x.data.tables["campaigns"][["campaign_id"]])
    found = compute(Coded(bare, x.terms), campaigns.scorecard)
    assert found["cost"].isna().all() and found["roi"].isna().all() and not found["cost_is_budget"].any() and found["inquiries"].sum() == 5


def test_scorecard_honours_period_filter_and_definitions():
    x = scorecard_extract()
    early = compute(x, campaigns.scorecard, View(days(0, 59))).set_index("campaign")
    assert early.loc["C1", ["inquiries", "mqls", "meetings", "opps_sourced"]].tolist() == [2, 0, 0, 0] and early.loc["C1", "cost"] == 400
    # in this period the first meeting of K1 is the one of day 125: more than 90 days after the touch of day 21
    assert compute(x, campaigns.scorecard, View(days(120, 128))).set_index("campaign").loc["C1", "meetings"] == 0
    smb = compute(x, campaigns.scorecard, View.of(segment="SMB")).set_index("campaign")
    assert smb["inquiries"].tolist() == [1, 2, 0, 0]  # K1 by its lead, K2 by its account
    one = compute(x, campaigns.scorecard, View.of(campaign="C2"))
    assert one["campaign"].tolist() == ["C2"] and one["inquiries"].tolist() == [3]
    with pytest.raises(KeyError, match="one row a campaign"):
        compute(x, campaigns.scorecard, by="segment")


# -- every card ------------------------------------------------------------------------------------------------------------------------------------

MINE = [card for name, card in CARDS.items() if name.startswith(("attribution.", "campaign."))]


@pytest.mark.parametrize("card", MINE, ids=lambda card: card.id)
@pytest.mark.parametrize("tables", [{}, {"campaigns": CAMPAIGNS}, deal(won=200)], ids=["nothing", "campaigns only", "deal only"])
def test_every_card_answers_empty_extracts(card, tables):
    frame = compute(coded(**tables), card)
    assert card.definition and not np.isinf(frame["value"].astype(float)).any()
    assert compute(coded(**tables), attribution.influenced)["value"].notna().all()


def test_facts_hold_one_row_per_deal_campaign_and_basis_in_runs():
    x = three_deals()
    facts = x.facts(attribution.totals)
    key = np.stack([facts.codes["basis"], facts.record, facts.codes["campaign"]]).astype(int)
    assert len(np.unique(key, axis=1).T) == len(facts)
    assert len(firsts_of(facts.record, facts.codes["basis"])) == len(np.unique(key[:2], axis=1).T)
    assert all(m.kind is Kind.TOTAL for m in attribution.totals.measures) and len(engine.keep(facts, View(), x.dims)) == len(facts)
