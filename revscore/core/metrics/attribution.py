"""Attribution: credit of campaigns under nine models, influence, origin, agreement of the models. METRICS section 13. One deal: `one_deal`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core.calendars import NEVER
from revscore.core.coded import Coded
from revscore.core.encode import ordered
from revscore.core.facts import Credits, Dimension, Facts, dense, firsts_of, paired
from revscore.core.journeys import Journeys, span_of
from revscore.core.made import Made, Number
from revscore.core.metric import Better, functions, metric, rate, study, total
from revscore.core.metrics.common import words
from revscore.core.terms import MODEL_LABELS, MODELS
from revscore.core.units import CURRENCY, DEALS
from revscore.core.view import View

BASES = ("pipeline_created", "won")
NO_TOUCH = "(no marketing touch)"
ORIGINS = ("marketing", "sales", "cs", "unknown")
ROBUST_RATIO = 3.0  # the largest credit may be this many times the smallest for a campaign's credit to be called robust
NEEDS = ("opportunities.opp_id", "opp_history.stage", "touches.campaign_id", "campaigns.campaign_id")
_DRILL = ("opp_id", "name", "segment", "owner", "created_at", "stage", "amount", "touches")


def campaigns(x: Coded) -> tuple[Dimension, np.ndarray]:
    """The campaigns of the extract as a dimension, "(no marketing touch)" last, and the code of every row of the campaigns table."""
    def make() -> tuple[Dimension, np.ndarray]:
        frame = x.data.table("campaigns")
        ids = frame["campaign_id"].to_numpy(dtype=object)
        order = np.argsort(ids)
        code = np.empty(len(ids), dtype="int32")
        code[order] = np.arange(1, len(ids) + 1)
        names = frame["name"].fillna(frame["campaign_id"]).iloc[order].reset_index(drop=True)
        labels = names.where(~names.duplicated(keep=False), names + " (" + pd.Series(ids[order], dtype="str") + ")")
        return Dimension("campaign", ("", *ids[order], NO_TOUCH), ("(missing)", *labels.tolist(), NO_TOUCH)), code

    return x.once("campaigns", make)


def credited_deals(x: Coded, basis: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Opportunity positions of a basis with the day that places them in a period and the amount that is credited: O1 deals with an entry
    into pipeline (frozen entry amount), or O1 deals won (won amount, close date)."""
    opps = x.opps
    if basis == "won":
        deal = np.flatnonzero(opps.in_o1 & opps.won).astype("int32")
        return deal, opps.now.close_day[deal], opps.now.amount[deal]
    deal = np.flatnonzero(opps.in_o1 & (opps.entry >= 0)).astype("int32")
    return deal, x.days(opps.entry_at[deal]), opps.entry_amount[deal]


_KINDS = tuple(dict.fromkeys((model, span_of(model, basis)) for basis in BASES for model in MODELS))


def _patterns(j: Journeys) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Which shares of their deals go to the pairs of `j.reach`: the number of each pair's pattern, and [pattern, kind] share. Patterns are few: a share
    depends on how many touches there are and which of them are anchors. Time decay alone has a share of its own for every pair, by span in the last
    part; its pattern says whether it has one."""
    number, codes, found, decay = np.zeros(len(j.reach[0]), dtype="uint8"), [], [], {}
    for model, span in _KINDS:
        share = j.by_campaign(j.weights(model, span))
        if model == "time_decay":
            decay[span], share = share, (share > 0).astype(float)
        code, values = pd.factorize(share)
        number, seen = pd.factorize(paired(number, code, len(values)))
        codes.append(dense(code, len(values)))
        found.append(values)
    example = np.zeros(len(seen), dtype="int64")
    example[number] = np.arange(len(number))
    return dense(number, len(seen)), np.stack([values[code[example]] for code, values in zip(codes, found, strict=True)], axis=1), decay


def _credit_of(x: Coded, j: Journeys, basis: str, code: np.ndarray, patterns: tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """One row per deal and campaign of its journey, and one per deal that some model leaves without a touch; and [pattern, model] the shares of
    the rows' patterns."""
    deal, day, amount = credited_deals(x, basis)
    place = np.full(j.n, -1, dtype="int64")
    place[deal] = np.arange(len(deal))
    opp, campaign = j.reach
    rows = np.flatnonzero(place[opp] >= 0)
    bare = deal[j.cut[deal] == 0]  # nothing in the create span, which is within the close span
    out = {"opp": np.concatenate([opp[rows], bare]), "campaign": np.concatenate([code[campaign[rows]], np.full(len(bare), len(code) + 1, dtype="int32")])}
    number, shares, decay = patterns
    spans = [span_of(model, basis) for model in MODELS]
    shares = shares[:, [_KINDS.index(kind) for kind in zip(MODELS, spans, strict=True)]]
    # a deal without a touch in the create span has none under the models that read it, one without any has none under all
    untouched = np.array([[span == "create" for span in spans], [True for _ in spans]], dtype=float)
    out["pattern"] = np.concatenate([number[rows], len(shares) + (j.count("close")[bare] == 0)])
    shares = np.concatenate([shares, untouched])
    amount, day = amount[place[out["opp"]]], day[place[out["opp"]]]
    span = span_of("time_decay", basis)
    own = np.concatenate([decay[span][rows], (j.count(span)[bare] == 0).astype(float)])
    touches = np.concatenate([j.sizes[rows], np.zeros(len(bare), dtype="int32")])
    out |= {"time_decay": own * amount, "amount": amount, "day": day, "touches": dense(touches, int(touches.max(initial=0)) + 1)}
    order = ordered((out["opp"], out["campaign"]))
    return {name: out.pop(name)[order] for name in list(out)}, shares


@metric("attribution.totals_fytd", "Attributed pipeline and revenue", "Which campaigns earned the pipeline and the revenue, under which model?",
        *(total(model, CURRENCY, label=label) for model, label in zip(MODELS, MODEL_LABELS, strict=True)),
        owners=("marketing", "sales"), meetings=("MRC", "RET"), needs=NEEDS, by=("campaign", "basis"), drill=_DRILL,
        settles_after="open deals: models that read up to the close are provisional until it", population="O1 deals created or won")
def totals(x: Coded, mode: str = "") -> Facts:
    """Each deal's amount split over the campaigns that touched its people, one measure per model; credits and "(no marketing touch)" add up
    to the total under every model.

    *pipeline_created*: the frozen entry amount of deals that entered the pipeline in the period. *won*: the won amount of deals with their
    close date in it. Touches count once per person, campaign and day, by marketing, when the person responded, from the lookback (365 days
    by default) before the deal was created up to its creation (first touch, lead creation, last touch, U, W) or its close (last touch before the close, full path);
    linear and time decay go up to the creation for pipeline and up to the close for won. Components without a touch are dropped and the rest
    scaled to 1. Credit is an accounting rule over recorded touches, not what would have been lost without them.
    """
    j, (dimension, code) = x.journeys(mode), campaigns(x)
    patterns = _patterns(j)
    x.data.release()
    parts, shares = zip(*(_credit_of(x, j, basis, code, patterns) for basis in BASES), strict=True)
    del patterns
    basis = np.repeat(np.arange(1, len(BASES) + 1, dtype="uint8"), [len(part["opp"]) for part in parts])
    rows = {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
    opp, campaign, day, touches, pattern = (rows.pop(name) for name in ("opp", "campaign", "day", "touches", "pattern"))
    pattern, used = pd.factorize(paired(basis - 1, pattern, len(shares[0])))
    table = np.concatenate(shares)[used]
    shared = {model: table[:, place] for place, model in enumerate(MODELS)} | {"credited": ((table > 0) @ (1 << np.arange(len(MODELS)))).astype("uint16")}
    return x.make_facts("opp", opp, day, Credits(shared, dense(pattern, len(table)), rows), left_out=x.opps.left_out, detail={"touches": touches},
                        own={"campaign": (campaign, dimension), "basis": (basis, words("basis", BASES, ("Pipeline created", "Won")))})


def credited(x: Coded, mode: str = "") -> Facts:
    """The facts of `totals`; `values["credited"]` has bit k set where model k gives a weight above 0."""
    return x.facts(totals, mode=mode) if mode else x.facts(totals)


def touched(x: Coded, facts: Facts) -> np.ndarray:
    """By row of `credited`: an eligible touch of linear attribution stands behind it (up to creation for created pipeline, close for won)."""
    return (facts.codes["campaign"] != len(campaigns(x)[0]) - 1) & _gives(facts, "linear")


def _gives(facts: Facts, model: str) -> np.ndarray:
    return (facts.values["credited"] >> MODELS.index(model)) & 1 == 1


def without(view: View, *names: str) -> View:
    """`view` without its choices in the dimensions `names`."""
    return replace(view, where=tuple((name, chosen) for name, chosen in view.where if name not in names))


def credits(x: Coded, model: str, basis: str, view: View = View(), mode: str = "") -> dict[str, float]:
    """Campaign id -> credit of one model; a row for every campaign with a weight above 0, and for deals without a touch, also when it is 0."""
    facts, (dimension, _) = credited(x, mode), campaigns(x)
    rows = engine.keep(facts, view.narrowed(basis=basis), x.dims)
    rows = rows[_gives(facts, model)[rows]]
    code = facts.codes["campaign"][rows]
    value = np.bincount(code, weights=facts.values[model][rows], minlength=len(dimension))
    return {dimension.values[k]: float(value[k]) for k in np.flatnonzero(np.bincount(code, minlength=len(dimension)))}


# -- influence -----------------------------------------------------------------------------------------------------------------------------

def _influenced_rows(x: Coded, view: View, mode: str = "") -> np.ndarray:
    """Rows of `credited` that an eligible touch stands behind, one a deal and basis."""
    facts = credited(x, mode)
    rows = engine.keep(facts, view, x.dims)
    return _once(facts, rows[touched(x, facts)[rows]])


def _once(facts: Facts, rows: np.ndarray) -> np.ndarray:
    return rows[firsts_of(facts.record[rows], facts.codes["basis"][rows])]


def _counted_once(x: Coded, view: View, stat: str, row: pd.Series, mode: str = "") -> Made:
    def build(x: Coded, under: View, mode: str, everyone: bool) -> Facts:
        facts = credited(x, mode)
        return facts.take(np.sort(_once(facts, engine.keep(facts, without(under, "campaign"), x.dims)) if everyone else _influenced_rows(x, under, mode)))

    everyone = stat == "population_total"
    card = replace(influenced, id=f"attribution.{stat}", build=build, measures=(total(stat, CURRENCY, "amount"),), made_of=None)
    view = view.narrowed(basis=row["basis"])
    label = next(m.label for m in influenced.measures if m.name == stat)
    return Made((Number.of(card, without(view, "campaign"), stat, label, under=view, mode=mode, everyone=everyone),), "the deals, each once", lambda amount: amount)


@metric("attribution.influenced_fytd", "Influenced pipeline and revenue", "How much of it did marketing touch at all?",
        study("influenced_total_counted_once", CURRENCY, label="Influenced, each deal once"), study("population_total", CURRENCY, label="All deals"),
        study("influenced", CURRENCY, label="Influenced by the campaign (does not add up)"),
        better=Better.CONTEXT, owners=("marketing", "sales"), meetings=("MRC", "RET"), needs=NEEDS, by=("campaign", "basis"), drill=_DRILL, made_of=_counted_once)
def influenced(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: Any = None, *, mode: str = "") -> pd.DataFrame:
    """The full amount of every deal with at least one eligible touch, counted once per deal, beside the amount of all deals. Split by
    campaign, a deal counts in full for every campaign that touched it: those numbers must never be added up.

    Eligible touches are those of linear attribution: up to the creation for created pipeline, up to the close for won.
    """
    by = ("basis", *(name for name in by if name != "basis"))
    facts = credited(x, mode)
    eligible = touched(x, facts)

    def amounts(name: str, rows: np.ndarray) -> pd.DataFrame:
        card = replace(influenced, measures=(total(name, CURRENCY, "amount"),))
        return engine.finish(card, engine.sums(x, card, facts.take(rows), View(), by, grain), x, by, grain)

    rows = engine.keep(facts, view, x.dims)
    if "campaign" in by:
        return amounts("influenced", rows[eligible[rows]])
    everyone = engine.keep(facts, without(view, "campaign"), x.dims)
    parts = [amounts("influenced_total_counted_once", _once(facts, rows[eligible[rows]])), amounts("population_total", _once(facts, everyone))]
    out = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    if by != ("basis",) or grain:
        return out
    grid = pd.MultiIndex.from_product([[m.name for m in influenced.measures[:2]], view.chosen.get("basis", BASES)], names=["measure", "basis"])
    return out.set_index(["measure", "basis"]).reindex(grid).fillna({"value": 0.0, "numerator": 0.0, "n": 0.0}).reset_index()


# -- origin --------------------------------------------------------------------------------------------------------------------------------

def origins(x: Coded, mode: str = "") -> tuple[np.ndarray, np.ndarray]:
    """By opportunity: index into `ORIGINS` + 1, and the campaign position of its first touch before creation (−1 without)."""
    def make() -> tuple[np.ndarray, np.ndarray]:
        j, activities = x.journeys(mode), x.people.activities
        first = j.anchor("FT", "create")
        touched = np.full(j.n, NEVER, dtype="int64")
        touched[first >= 0] = j.at[first[first >= 0]]
        campaign = np.where(first >= 0, j.campaign[first], -1) if len(j) else np.full(j.n, -1)
        hands_on = np.flatnonzero(activities.hands_on)
        opp, item = j.within(activities.person[hands_on], activities.at[hands_on], j.start, j.create_end)
        by_cs = activities.function[hands_on[item]] == "cs"
        at = np.full((3, j.n), NEVER, dtype="int64")
        at[0] = touched
        for row, mine in ((1, by_cs), (2, ~by_cs)):  # a tie goes to marketing, then in alphabetical order
            np.minimum.at(at[row], opp[mine], activities.at[hands_on[item[mine]]])
        return np.where((at == NEVER).all(axis=0), 4, np.array([1, 3, 2])[at.argmin(axis=0)]), campaign

    return x.once(("origins", mode or x.terms.attribution.person_mode), make)


@metric("attribution.sourced_by_fytd", "Sourced by", "Who started the deals that entered the pipeline?",
        total("value", CURRENCY, label="Pipeline"), total("count", DEALS, label="Deals"), better=Better.CONTEXT, owners=("marketing", "sales"), meetings=("MRC",),
        needs=(*NEEDS, "activities.activity_id"), by=("origin", "first_campaign"), drill=_DRILL, population="O1 deals that entered the pipeline")
def sourced_by(x: Coded, mode: str = "") -> Facts:
    """Deals by the function of whatever came first with their people in the lookback up to the deal's creation: a marketing touch, or a
    hands-on activity of sales or customer success. A tie goes to marketing; nothing at all is *unknown*. Every deal has one origin, so the
    parts add up to the pipeline created. `first_campaign` is the campaign of the first touch of deals that marketing started.
    """
    (origin, campaign), (dimension, code) = origins(x, mode), campaigns(x)
    deal, day, amount = credited_deals(x, "pipeline_created")
    started = (origin[deal] == 1) & (campaign[deal] >= 0)
    first = np.where(started, np.append(code, 0)[campaign[deal]], 0)
    return x.make_facts("opp", deal, day, {"value": amount, "count": np.ones(len(deal))}, left_out=x.opps.left_out,
                        own={"origin": (origin[deal], words("origin", ORIGINS, tuple(functions((name,)) for name in ORIGINS))),
                             "first_campaign": (first, replace(dimension, name="first_campaign"))})


@metric("attribution.fallback_share", "Deals attributed without roles", "How many deals have no contact roles, so that the whole account stands in?",
        rate("share", "without_roles", "n", label="Without contact roles"), better=Better.DOWN, owners=("sales",), meetings=("WTR",),
        needs=("opportunities.opp_id", "opp_history.stage", "opp_contact_roles.contact_id"), drill=_DRILL, population="O1 deals that entered the pipeline")
def fallback_share(x: Coded) -> Facts:
    """Share of the deals that entered the pipeline in the period that have no contact role of a known person. In hybrid mode their touches
    are those of all people of the account.
    """
    deal, day, amount = credited_deals(x, "pipeline_created")
    return x.make_facts("opp", deal, day, {"without_roles": (~x.journeys().has_roles[deal]).astype(float), "n": np.ones(len(deal))},
                        left_out=x.opps.left_out)


# -- agreement -----------------------------------------------------------------------------------------------------------------------------

def _nine(x: Coded, view: View, stat: str, row: pd.Series, *, basis: str = "pipeline_created", mode: str = "") -> Made:
    view, params = view.narrowed(basis=basis, campaign=row["campaign"]), {"mode": mode} if mode else {}
    return Made(tuple(Number.of(totals, view, model, label, **params) for model, label in zip(MODELS, MODEL_LABELS, strict=True)), "the middle of the nine models",
                lambda *credit: np.median(credit))


@metric("attribution.agreement", "Do the models agree?", "Which campaigns look good whatever the model?",
        study("credit", CURRENCY, label="Credit, middle of the models"), better=Better.CONTEXT, owners=("marketing", "revops"), meetings=("MRC", "RET"),
        needs=NEEDS, by=("campaign",), made_of=_nine)
def agreement(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: Any = None, *, basis: str = "pipeline_created",
              mode: str = "") -> pd.DataFrame:
    """Per campaign the smallest and largest credit and the best and worst rank over the nine models. *Too few deals*: fewer touched deals than
    an effect needs (10 by default). *Robust*: the largest credit is at most three times the smallest. Otherwise it *depends on the model*: say which one
    was used, and why, before acting on it.
    """
    facts, (dimension, _) = credited(x, mode), campaigns(x)
    rows = engine.keep(facts, view.narrowed(basis=basis), x.dims)
    code = facts.codes["campaign"][rows]
    deals = np.bincount(code, weights=facts.values["credited"][rows] != 0, minlength=len(dimension))
    credit = np.stack([np.bincount(code, weights=facts.values[model][rows], minlength=len(dimension)) for model in MODELS], axis=1)
    whole = credit.sum(axis=0)[0]
    shown = np.flatnonzero(deals[:-1])
    credit, n = credit[shown].astype(float), deals[shown]
    low, high = credit.min(axis=1), credit.max(axis=1)
    rank = pd.DataFrame(np.round(credit, 6)).rank(ascending=False, method="min").to_numpy()
    few, robust = n < x.terms.stats.min_n_effect, (low > 0) & (high <= ROBUST_RATIO * low)
    models = np.array(MODELS, dtype=object)
    return pd.DataFrame({
        "measure": "credit", "campaign": np.array(dimension.values, dtype=object)[shown], "value": np.median(credit, axis=1),
        "n": n, "low": low, "high": high, "basis": basis, "lowest_model": models[credit.argmin(axis=1)], "highest_model": models[credit.argmax(axis=1)],
        "share_low": low / whole if whole else np.nan, "share_high": high / whole if whole else np.nan,
        "rank_best": rank.min(axis=1), "rank_worst": rank.max(axis=1),
        "verdict": np.where(few, "too few deals", np.where(robust, "robust", "depends on the model"))})
