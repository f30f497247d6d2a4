"""Restatement: a published value beside the same question today, and the difference split exactly over what changed.

The number is worked out after each step from then to now (definitions, then `steps.STEPS`); a leg is its change at that step, so the legs of
totals, rates, quantiles and derived numbers alike add up to the difference. See docs/receipts.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.drill import records
from revscore.core.entities import ENTITIES
from revscore.core.made import Number
from revscore.core.receipt import pairs
from revscore.core.terms import Terms
from revscore.governance.publishing import leaves, number_of
from revscore.governance.steps import STEPS, between, cut, under_terms_of
from revscore.governance.verify import extract_of, stood, with_targets
from revscore.rhythm.logged import with_log
from revscore.store import Publication, PublishedValue, Store

CAUSES = ("definitions", *STEPS)
LABELS: Mapping[str, str] = {"definitions": "Definitions", "vanished": "Vanished", "edited": "Edited", "re_owned": "Re-owned", "late_dated": "Late-dated", "new": "New"}


@dataclass(frozen=True)
class Change:
    """The way from a publication to today: the extract of then, and after each of `CAUSES`; the last is today's. Extracts between which nothing
    changed are one."""

    publication: Publication
    states: tuple[Coded, ...]

    @property
    def then(self) -> Coded:
        return self.states[0]

    @property
    def today(self) -> Coded:
        return self.states[-1]


@dataclass(frozen=True)
class Restated:
    """One value as published and today, with its legs by cause (NaN where the number cannot be had at a step). `unexplained` is the difference
    less the legs: 0 but for the rounding of floats."""

    value: PublishedValue
    number: Number
    published: float
    today: float
    legs: Mapping[str, float]

    @property
    def difference(self) -> float:
        return self.today - self.published

    @property
    def split(self) -> bool:
        """Whether the difference could be split: the number was there then, is there now, and at every step between."""
        return not np.isnan([self.published, self.today, *self.legs.values()]).any()

    @property
    def unexplained(self) -> float:
        return self.difference - sum(self.legs.values())

    @property
    def changed(self) -> bool:
        alike = self.published == self.today or (np.isnan(self.published) and np.isnan(self.today)) or bool(np.isclose(self.published, self.today, rtol=1e-9, atol=1e-9))
        return not alike


def change(store: Store, publication: Publication) -> Change:
    """Work out the way from a publication to today's loads and definitions. Raises StoreError where a kept load is not there any more."""
    then = extract_of(store, publication)
    config, version = store.terms(publication.dataset)
    new, old = stood(store.data(publication.dataset), publication, version), cut(then.data)
    terms = with_targets(store, publication, Terms.from_config(config).with_tables(new))
    new = cut(with_log(store, Coded(new, terms)).data)
    if (new.stand.loads, new.stand.log) == (old.stand.loads, old.stand.log):
        new = old
    first = then if terms == then.terms else Coded(under_terms_of(old, new), terms)
    states, data = [then, first], first.data if first is not then else old
    for extract in between(data, new):
        states.append(states[-1] if extract is data else Coded(extract, terms))
        data = extract
    return Change(publication, tuple(states))


def restated(way: Change, value: PublishedValue) -> Restated:
    """One published value, split. Raises StoreError for a metric that is not known any more."""
    number = number_of(value)
    published = float("nan") if value.value is None else float(value.value)
    numbers, known = [], {}
    for x in way.states:
        if id(x) not in known:
            known[id(x)] = number.value(x)
        numbers.append(known[id(x)])
    numbers[0] = published  # what was said, should a newer revscore work it out differently: then that is part of the definitions
    return Restated(value, number, published, numbers[-1], {cause: after - before for cause, before, after in zip(CAUSES, numbers, numbers[1:], strict=False)})


def behind(way: Change, number: Number, cause: str) -> pd.DataFrame:
    """The records whose contribution or base changed at the step `cause`: record, name, part (of a derived number), before, after, change, and of
    rates base_before, base_after."""
    place = CAUSES.index(cause)
    before, after = way.states[place], way.states[place + 1]
    if before is after:
        return pd.DataFrame(columns=["record", "before", "after", "change"])
    numbers: dict[str, list[Number | None]] = {}
    for side, x in enumerate((before, after)):
        for name, leaf in leaves(x, number):
            numbers.setdefault(name, [None, None])[side] = leaf
    frames = []
    for name, (old, new) in numbers.items():
        frame = _compared(_pairs(before, old), _pairs(after, new))
        entity = (old and before.facts(old.card, **dict(old.params)).entity) or after.facts(new.card, **dict(new.params)).entity
        if len(frame):
            frames.append(_described(frame, entity, after, before).assign(**({"part": name} if name else {})))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["record", "before", "after", "change"])


def _pairs(x: Coded, number: Number | None) -> pd.DataFrame:
    if number is None:
        return pd.DataFrame({"record": pd.Series(dtype="str"), "contribution": pd.Series(dtype="float64")})
    return pairs(x, number)


def _compared(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Pairs by record on both sides, those that changed."""
    columns = ["contribution", *(["base"] if "base" in before or "base" in after else [])]
    sides = [frame.reindex(columns=["record", *columns]).groupby("record", sort=True)[columns].sum() for frame in (before, after)]
    there = [pd.Series(1.0, index=side.index) for side in sides]
    wide = sides[0].merge(sides[1], how="outer", left_index=True, right_index=True, suffixes=("_before", "_after"))
    gone = ~pd.concat(there, axis=1, keys=("a", "b")).reindex(wide.index).notna().all(axis=1)
    wide = wide.fillna(0.0)
    moved = (wide["contribution_after"] - wide["contribution_before"]).abs() > 1e-9
    if "base_before" in wide:
        moved |= (wide["base_after"] - wide["base_before"]).abs() > 1e-9
    wide = wide[moved | gone].rename(columns={"contribution_before": "before", "contribution_after": "after"})
    return wide.assign(change=wide["after"] - wide["before"]).rename_axis("record").reset_index()


def _described(frame: pd.DataFrame, entity: str, *extracts: Coded) -> pd.DataFrame:
    """With what the records are called, read from the first extract that has them."""
    out = frame
    for x in extracts:
        place = pd.Index(ENTITIES[entity].ids(x)).get_indexer(out["record"])
        shown = records(x, entity, np.maximum(place, 0)) if len(x.ids(entity)) else pd.DataFrame(index=range(len(out)))
        for name in (name for name in ("name", "account", "owner", "segment") if name in shown.columns):
            words = shown[name].astype("str").where(place >= 0)
            out = out.assign(**{name: words if name not in out.columns else out[name].fillna(words)})
    first = [name for name in ("record", "name", "account", "owner", "segment") if name in out.columns]
    return out[[*first, *(name for name in out.columns if name not in first)]]


__all__ = ["CAUSES", "LABELS", "Change", "Restated", "behind", "change", "restated"]
