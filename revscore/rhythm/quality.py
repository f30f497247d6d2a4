"""Data quality in reviews: which open records someone must put right, of what kind, whose; which required fields are missing where; forecast hygiene."""

from __future__ import annotations

import pandas as pd

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.metrics import CARDS
from revscore.core.metrics.forecast import RULE_LABELS, RULES
from revscore.core.metrics.quality import EXCEPTION_LABELS, EXCEPTIONS
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask, frame_of, measured

SUMMARY: tuple[Ask, ...] = (ask("dq.exception_rate", now=True), ask("forecast.hygiene", label="Deals that break a forecast rule", now=True), ask("dq.complete_leads", now=True), ask("dq.complete_deals", now=True))
REACH: tuple[Ask, ...] = (ask("dq.routing_failure"), ask("dq.unassigned", now=True), ask("dq.duplicates", now=True), ask("dq.orphans", now=True))


def _counted(x: Coded, card: str, view: View, names: tuple[str, ...], labels: tuple[str, ...]) -> pd.DataFrame:
    """Measures of one card as groups, most first: id, group, value, n; those that nothing has stay away."""
    found = frame_of(x, card, view.during(None))
    if not len(found):
        return found
    by_name = found.set_index("measure")
    rows = pd.DataFrame({"id": names, "group": labels, "value": by_name["value"].reindex(names).to_numpy(), "n": by_name["denominator"].iloc[0]})
    return rows[rows["value"] > 0].sort_values("value", ascending=False, kind="stable").reset_index(drop=True)


def exceptions(x: Coded, view: View) -> pd.DataFrame:
    """How many open records have which exception: id, group, value, n."""
    return _counted(x, "dq.exception_rate", view, EXCEPTIONS, EXCEPTION_LABELS)


def rules(x: Coded, view: View) -> pd.DataFrame:
    """How many open deals break which forecast rule: id, group, value, n."""
    return _counted(x, "forecast.hygiene", view, RULES, RULE_LABELS)


def rate(x: Coded, view: View, card: str) -> pd.Series | None:
    """The headline row of a state card: value, numerator, denominator; None when the extract lacks it or nothing is in scope."""
    found = measured(frame_of(x, card, view.during(None)), CARDS[card].headline.name)
    return found.iloc[0] if len(found) and found["denominator"].iloc[0] else None


def owners(x: Coded, view: View) -> pd.DataFrame:
    """Who has the exceptions, most first: id, owner, exceptions, records, and how many of each kind of record."""
    found = measured(frame_of(x, "dq.exception_rate", view.during(None), ("owner", "kind")), "rate")
    if not len(found):
        return found
    wide = found.pivot_table(index="owner", columns="kind", values=["numerator", "denominator"], aggfunc="sum", fill_value=0.0)
    for part in ("numerator", "denominator"):
        for kind in ("lead", "deal"):
            if (part, kind) not in wide.columns:
                wide[part, kind] = 0.0
    labels = dict(zip(x.dims["owner"].values, x.dims["owner"].labels, strict=True))
    out = pd.DataFrame({"id": wide.index, "owner": [labels.get(owner, owner) if owner else "Nobody" for owner in wide.index],
                        "to_mend": wide["numerator"].sum(axis=1).to_numpy(), "leads": wide["numerator", "lead"].to_numpy(),
                        "deals": wide["numerator", "deal"].to_numpy(), "open_records": wide["denominator"].sum(axis=1).to_numpy()})
    return out[out["to_mend"] > 0].sort_values(["to_mend", "owner"], ascending=[False, True], kind="stable").reset_index(drop=True)


def missing(x: Coded, view: View, card: str) -> pd.DataFrame:
    """Missing fields by where the records stand now and by field: cohort (stage), column (field), value (share missing), numerator, denominator, n, flag,
    and the codes `standing`, `field`."""
    found = measured(frame_of(x, card, view.during(None), ("standing", "field")), "field_rate")
    if not len(found):
        return found
    dims = x.facts(CARDS[card]).own
    names = {name: dict(zip(dims[name].values, dims[name].labels, strict=True)) for name in ("standing", "field")}
    order = {name: {value: place for place, value in enumerate(dims[name].values)} for name in names}
    found = found.assign(cohort=found["standing"].map(names["standing"]).map(_stage), column=found["field"].map(names["field"]),
                         value=1 - found["value"], numerator=found["denominator"] - found["numerator"], n=found["denominator"])
    place = found["standing"].map(order["standing"]) * 1000 + found["field"].map(order["field"])
    return found.assign(place=place).sort_values("place", kind="stable").drop(columns="place").reset_index(drop=True)


def _stage(name: str) -> str:
    """Where a record stands, as readers write it."""
    return "Recycled, disqualified" if name == "exit" else units.stage(name)


def categories(x: Coded, view: View) -> pd.DataFrame:
    """Open amount by forecast category: id, group, value, n (deals)."""
    found = frame_of(x, "forecast.category_totals", view.during(None), ("category",))
    if not len(found):
        return found
    wide = found.pivot_table(index="category", columns="measure", values="value", sort=False).reset_index()
    labels = dict(zip(*(getattr(x.facts(CARDS["forecast.category_totals"]).own["category"], name) for name in ("values", "labels")), strict=True))
    return pd.DataFrame({"category": wide["category"], "group": wide["category"].map(labels), "value": wide["value"], "n": wide["count"]})
