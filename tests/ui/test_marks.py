"""What a mark opens to: the rows add up to what was drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from revscore.charts.groups import MODELS, split
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.drill import open_number
from revscore.core.metrics import CARDS
from revscore.core.view import View
from revscore.intake import load_folder
from revscore.rhythm import campaigns, pipeline, speed
from revscore.rhythm.asks import frame_of, measured


@pytest.fixture(scope="module")
def x() -> Coded:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    return Coded(data, terms.with_tables(data))


@pytest.mark.parametrize("basis", campaigns.BASES)
def test_the_deals_of_a_campaign_add_up_under_every_model(x, basis):
    credit = frame_of(x, "attribution.totals_fytd", View().narrowed(basis=basis), ("campaign",))
    shown = campaigns.agreement(x, View(), basis)
    assert len(shown)
    for row in shown.itertuples():
        deals = campaigns.deals(x, View(), row.campaign, basis)
        assert len(deals) == row.n
        for model, name in campaigns.MODEL_NAMES.items():
            assert deals[name].sum() == pytest.approx(measured(credit, model).set_index("campaign")["value"].get(row.campaign, 0.0))


def test_the_touches_of_a_campaign_are_those_of_its_inquiries(x):
    card = campaigns.scorecard(x, View())
    for row in card.itertuples():
        assert (row.inquiries == 0) == (len(campaigns.touches(x, View(), row.campaign)) == 0)


def test_every_leg_opens_to_its_deals(x):
    found = pipeline.bridge(x, View())
    card = CARDS["pipeline.bridge"]
    for leg in found.legs.itertuples():
        opened = open_number(x, card, View().narrowed(leg=leg.id), "value", t0=found.t0, t1=found.t1)
        assert (len(opened.counted), opened.contribution) == (leg.count, pytest.approx(leg.value))


def test_every_week_of_a_promise_opens_to_its_clocks(x):
    weeks = speed.weeks(x, View(), "speed_to_lead")
    for week in weeks.itertuples():
        opened = open_number(x, CARDS["sla.compliance"], View(Period(int(week.start), int(week.start) + 7)).narrowed(sla_type="speed_to_lead"))
        assert (len(opened.counted), len(opened.not_counted)) == (week.met, week.breached)


def test_a_mark_of_a_model_says_which_and_is_named_as_everywhere(x):
    drawing = split(campaigns.models(x, View()), models=campaigns.SHOWN_MODELS)
    assert set(drawing.data["id"]) == set(campaigns.SHOWN_MODELS)
    assert all(campaigns.MODEL_NAMES[one] == name for one, name in zip(drawing.data["id"], drawing.data["model"], strict=True))
    labels = {one.name: one.label for one in CARDS["attribution.totals_fytd"].measures}
    assert {name: labels[name] for name in campaigns.MODEL_NAMES} == campaigns.MODEL_NAMES
    assert next(p for p in drawing.spec["params"] if p["name"] == "pick")["select"]["fields"] == ["group", "id"]


def test_models_that_agree_do_not_lie_on_each_other(x):
    data = split(campaigns.models(x, View()), models=campaigns.SHOWN_MODELS).data
    lanes = data.groupby("group")["nudge"].apply(lambda at: at.sort_values().diff().min())
    assert (lanes.dropna() >= 11).all()  # a mark is 12 px wide


def test_broken_promises_say_how_long_a_business_day_is(x):
    found = speed.open_breaches(x, View())
    assert len(found) and found["day_min"].between(60, 1440).all() and found["overdue_min"].is_monotonic_decreasing


def test_the_models_shown_differ_in_shape_and_colour():
    shapes, tones = zip(*(MODELS[model] for model in campaigns.SHOWN_MODELS), strict=True)
    assert len(set(shapes)) == len(set(tones)) == len(campaigns.SHOWN_MODELS)
