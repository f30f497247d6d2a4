"""What a number stands on: metric, definitions, loads, as-of, period, filters, numerator and denominator, rows, and a sum over its pairs.

A pair is (record id, contribution), of rates and survival curves (record id, contribution, base). The SHA-256 over the sorted pairs changes
when any contribution does, and never with the order of rows. The format of the text that is summed is in docs/receipts.md, so that anybody
can work it out again. Receipts are made on demand: when a number is opened, exported or published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core import units
from revscore.core.calendars import Period, date_of, iso
from revscore.core.coded import Coded
from revscore.core.compute import curve_of, quantile
from revscore.core.drill import SortedOut, sorted_out
from revscore.core.facts import firsts_of
from revscore.core.made import Given, Listed, Number, Worked, bearing, made_of
from revscore.core.metric import Kind
from revscore.core.view import View

_PAIRED = (Kind.RATE, Kind.SURVIVAL)  # the rows that do not count are part of the number too, as its base
_SHARES = {"median": 0.5, "p25": 0.25, "p75": 0.75, "p90": 0.9, "t25": 0.25, "t50": 0.5, "max": 1.0}


@dataclass(frozen=True)
class Receipt:
    """What one number stands on. `filters`: dimension, ids, labels of what was chosen and bears on the number; `not_applied`: what was chosen and does not
    (the number is the same without it). `parts`: the receipts of the numbers that it is made of. `log`: the last entry of the team's log that counts, 0 without."""

    metric: str
    measure: str
    label: str
    unit: str
    value: float
    shown: str
    numerator: float
    denominator: float
    n: float
    as_of: str
    period: str
    first_day: str
    last_day: str
    filters: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    params: tuple[tuple[str, str], ...]
    dataset: str
    loads: tuple[int, ...]
    definitions: str
    digest: str
    counted: int
    not_counted: int
    waiting: int
    left_out: int
    sha256: str
    made: str = ""  # the formula of a derived number, in words
    parts: tuple[Receipt, ...] = ()
    not_applied: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    log: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: lists for tuples, None for what is missing."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "log" or self.log}
        found |= {name: None if np.isnan(found[name]) else found[name] for name in ("value", "numerator", "denominator", "n")}
        for field in ("filters", "not_applied"):
            found[field] = [{"dimension": name, "ids": list(ids), "labels": list(labels)} for name, ids, labels in found[field]]
        return found | {"params": dict(self.params), "loads": list(self.loads), "parts": [part.as_dict() for part in self.parts]}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Receipt:
        """The receipt that `as_dict` wrote."""
        nan = {name: float("nan") if found[name] is None else found[name] for name in ("value", "numerator", "denominator", "n")}
        filters = {field: tuple((one["dimension"], tuple(one["ids"]), tuple(one["labels"])) for one in found[field]) for field in ("filters", "not_applied")}
        return cls(**{**found, **nan, **filters, "params": tuple(found["params"].items()), "loads": tuple(found["loads"]),
                      "parts": tuple(cls.from_dict(part) for part in found["parts"])})

    def as_rows(self) -> dict[str, str]:
        """What → value, in words, for reading, copying and exporting."""
        exact = "" if np.isnan(self.value) else repr(self.value)
        loads = ", ".join(map(str, self.loads)) or "not from a store"
        rows = {"Number": self.label, "Value": self.shown, "Exact value": exact, "Unit": self.unit, "Metric": self.metric, "Measure": self.measure,
                "Period": f"{self.period} ({self.first_day} to {self.last_day})".strip() if self.first_day else "everything up to as-of",
                "Filters": _said(self.filters) or "none", "Not applied": _said(self.not_applied),
                "Parameters": "; ".join(f"{name} = {value}" for name, value in self.params), "As of": self.as_of, "Data set": self.dataset, "Loads": loads, "Log": f"up to entry {self.log}" if self.log else "",
                "Definitions": f"version {self.definitions} ({self.digest})" if self.definitions else self.digest,
                "Numerator": _plain(self.numerator), "Denominator": _plain(self.denominator), "n": _plain(self.n)}
        if self.made:
            rows |= {"Made of": "; ".join(f"{part.label} {part.shown}" for part in self.parts), "Formula": self.made}
        else:
            rows["Rows"] = f"{self.counted:,} counted, {self.not_counted:,} not counted, {self.waiting:,} waiting, {self.left_out:,} left out"
        return {what: value for what, value in rows.items() if value} | {"SHA-256": self.sha256}


def receipt(x: Coded, number: Number, shown: str = "") -> Receipt:
    """The receipt of `number`; `shown`: as it stands on the page, where that is more than its value (a small rate: "2 of 3")."""
    row = None if x.data.missing(number.card.needs) else number.row(x)
    numbers = {name: float("nan") if row is None or pd.isna(row[name]) else float(row[name]) for name in ("value", "numerator", "denominator", "n")}
    bears = bearing(x, number)
    measure, period, stand = number.card.measure(number.stat), number.view.period, x.data.stand
    common = {"metric": number.card.id, "measure": number.row_name, "label": number.label, "unit": measure.unit.name, **numbers,
              "shown": shown or _shown(x, number, numbers, row is not None and row["flag"] == "suppress"), "as_of": iso(x.as_of) or "", **_dates(period), "filters": _filters(x, number, bears),
              "not_applied": _filters(x, number, set(number.view.chosen).difference(bears)),
              "params": tuple((name, _word(value)) for name, value in number.params), "dataset": stand.dataset, "loads": stand.loads,
              "definitions": "" if stand.definitions is None else str(stand.definitions), "digest": x.terms.digest, "log": stand.log}
    if x.data.missing(number.card.needs) or number.is_made:
        made = made_of(x, number)
        parts = tuple(_given(x, part, common) if isinstance(part, Given) else receipt(x, part) for part in made.parts) if made else ()
        return Receipt(**common, counted=0, not_counted=0, waiting=0, left_out=0, sha256=_sum_of_parts(parts), made=made.says if made else "", parts=parts)
    out = sorted_out(x, number.card, number.view, measure.name, **dict(number.params))
    aside = out.facts.left_out
    return Receipt(**common, counted=len(out.counted[0]), not_counted=len(out.not_counted[0]), waiting=len(out.outside[0]),
                   left_out=0 if aside is None else len(engine.keep(aside, number.view, x.dims, dict(out.facts.own))), sha256=sum_of(_pairs(x, number, out)))


def receipt_for(x: Coded, one: Number | Given | Listed | Worked, shown: str = "") -> Receipt:
    """The receipt of whatever can be opened: a number, what is written somewhere, or what is worked out from others."""
    if isinstance(one, Number):
        return receipt(x, one, shown)
    stand, nothing = x.data.stand, {name: float("nan") for name in ("numerator", "denominator", "n")}
    common = {"as_of": iso(x.as_of) or "", **_dates(None), "dataset": stand.dataset, "loads": stand.loads, "definitions": "" if stand.definitions is None else str(stand.definitions),
              "digest": x.terms.digest, "log": stand.log}
    if isinstance(one, Given):
        return _given(x, one, common)
    if isinstance(one, Listed):
        counts, value = one.rows["contribution"].to_numpy() != 0, one.value()
        return Receipt(**{**common, **nothing, "n": float(len(one.rows))}, metric="", measure="", label=one.label, unit=one.unit.name, value=value, shown=shown or units.text(value, one.unit, x.terms.corporate_currency),
                       filters=(), params=(), counted=int(counts.sum()), not_counted=int((~counts).sum()), waiting=0, left_out=0, sha256=sum_of(one.rows), made=one.source)
    parts, value = tuple(receipt_for(x, part) for part in one.made.parts), one.made.given_back(x)
    return Receipt(**common, **nothing, metric="", measure="", label=one.label, unit=one.unit.name, value=value, shown=shown or units.text(value, one.unit, x.terms.corporate_currency),
                   filters=(), params=(), counted=0, not_counted=0, waiting=0, left_out=0, sha256=_sum_of_parts(parts), made=one.made.says, parts=parts)


# -- pairs ---------------------------------------------------------------------------------------------------------------------------------

def pairs(x: Coded, number: Number, described: bool = False) -> pd.DataFrame:
    """The pairs of a number with rows of its own: record, contribution and, of rates and survival curves, base (of a curve: 1 where the event
    came). `described` adds the day of each (ISO, "" without one) and the values of its dimensions."""
    return _pairs(x, number, sorted_out(x, number.card, number.view, number.card.measure(number.stat).name, **dict(number.params)), described)


def _pairs(x: Coded, number: Number, out: SortedOut, described: bool = False) -> pd.DataFrame:
    kind = number.card.measure(number.stat).kind
    groups = (out.counted, out.not_counted) if kind in _PAIRED else (out.counted,)
    rows, value, base = (np.concatenate([group[k] for group in groups]) for k in range(3))
    facts = out.facts
    frame = pd.DataFrame({"record": pd.Series(x.ids(facts.entity)[facts.record[rows]], dtype="str"), "contribution": value})
    if kind in _PAIRED:
        frame["base"] = base
    if described:
        day = facts.day[rows].astype("int64")
        known = (day > -10 ** 6) & (day < 10 ** 6)
        frame["day"] = pd.Series(np.where(known, day, 0).astype("datetime64[D]").astype("str"), dtype="str").where(known, "")
        for name, codes in facts.codes.items():
            dimension = facts.own.get(name) or x.dims[name]
            frame[name] = pd.Series(np.array(dimension.values, dtype=object)[codes[rows]], dtype="str")
    return frame


def sum_of(frame: pd.DataFrame) -> str:
    """SHA-256 over pairs (columns record, contribution and perhaps base), written one a line and sorted: see docs/receipts.md."""
    text = frame["record"].astype("str").fillna("").str.replace(r"[\t\r\n]", " ", regex=True).reset_index(drop=True)
    for name in ("contribution", "base"):
        if name in frame.columns:
            text = text + "\t" + written(frame[name].to_numpy(dtype=float))
    return hashlib.sha256("".join(sorted((text + "\n").tolist())).encode()).hexdigest()


def written(values: np.ndarray) -> pd.Series:
    """Numbers as text with six decimals; what is missing is empty, and nothing is "-0.000000"."""
    once, place = np.unique(values, return_inverse=True)
    words = np.char.mod("%.6f", once).astype(object)
    words = np.where(np.isnan(once), "", np.where(words == "-0.000000", "0.000000", words))
    return pd.Series(words, dtype="str").iloc[place.ravel()].reset_index(drop=True)


def given_back(number: Number, frame: pd.DataFrame) -> float:
    """The number, worked out again from its pairs alone; NaN where they give none."""
    measure = number.card.measure(number.stat)
    value = frame["contribution"].to_numpy(dtype=float)
    if measure.kind in (Kind.TOTAL, Kind.LEVEL):
        return float(value.sum())
    if measure.kind is Kind.RATE:
        base = float(frame["base"].sum())
        return float(value.sum()) / base if base else float("nan")
    stat = next(name for name in measure.stats if engine.stat_name(measure, name) == number.row_name or name == number.row_name)
    if stat == "mean":
        return float(value.mean()) if len(value) else float("nan")
    order = np.argsort(value, kind="stable")
    value = value[order]
    first = firsts_of(value)
    count = np.diff(np.append(first, len(value)))
    if measure.kind is Kind.DISTRIBUTION:
        return quantile(value[first], count, _SHARES[stat])
    events = np.add.reduceat(frame["base"].to_numpy(dtype=float)[order], first) if len(first) else count
    return curve_of({"at": value[first], "count": count, "events": events}).quantile(_SHARES[stat])


# -- words ---------------------------------------------------------------------------------------------------------------------------------

def named_by_id(x: Coded, view: View) -> View:
    """`view` with the ids of what it chose, in the shared dimensions: labels may change, ids do not."""
    return View.of(view.period, view.grain, **{name: _ids(x, name, chosen)[0] for name, chosen in view.where})


def _ids(x: Coded, name: str, chosen: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    dimension = x.dims.get(name)
    codes = [] if dimension is None else dimension.codes_of(chosen).tolist()
    unknown = chosen if dimension is None else tuple(word for word in chosen if not len(dimension.codes_of((word,))))
    return (*(dimension.values[code] for code in codes), *unknown), (*(dimension.labels[code] for code in codes), *unknown)


def _filters(x: Coded, number: Number, names: Collection[str]) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    return tuple((name, *_ids(x, name, chosen)) for name, chosen in number.view.where if name in names)


def _said(filters: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]) -> str:
    return "; ".join(f"{name} = {', '.join(_both(*both) for both in zip(ids, labels, strict=True))}" for name, ids, labels in filters)


def _both(id_: str, label: str) -> str:
    return label if id_ == label else f"{label} [{id_}]"


def _dates(period: Period | None) -> dict[str, str]:
    if period is None:
        return {"period": "", "first_day": "", "last_day": ""}
    return {"period": period.label, "first_day": date_of(period.start).isoformat(), "last_day": date_of(period.last).isoformat()}


def _word(value: Any) -> str:
    return f"{date_of(value.start).isoformat()}..{date_of(value.last).isoformat()}" if isinstance(value, Period) else str(value)


def _plain(value: float) -> str:
    return "" if np.isnan(value) else f"{value:,.6f}".rstrip("0").rstrip(".")


def _shown(x: Coded, number: Number, numbers: Mapping[str, float], few: bool) -> str:
    """As on a tile: a rate of very few is "2 of 3"."""
    measure, currency = number.card.measure(number.stat), x.terms.corporate_currency
    return measure.x_of_n(numbers["numerator"], numbers["denominator"], currency) if few and measure.kind is Kind.RATE else units.text(numbers["value"], measure.unit, currency)


def _given(x: Coded, part: Given, common: dict[str, Any]) -> Receipt:
    """What is written somewhere and is no number of records: its sum is over its one value."""
    frame = pd.DataFrame({"record": pd.Series([part.source], dtype="str"), "contribution": [part.amount]})
    nothing = {name: float("nan") for name in ("numerator", "denominator", "n")}
    return Receipt(**{**common, **nothing, "metric": "", "measure": "", "label": part.label, "unit": part.unit.name, "value": part.amount, "filters": (), "not_applied": (), "params": (),
                      "shown": units.text(part.amount, part.unit, x.terms.corporate_currency)},
                   counted=1, not_counted=0, waiting=0, left_out=0, sha256=sum_of(frame), made=part.source)


def _sum_of_parts(parts: tuple[Receipt, ...]) -> str:
    values = written(np.array([part.value for part in parts], dtype=float)).tolist()
    lines = sorted(f"{part.metric}\t{part.measure}\t{value}\t{part.sha256}\n" for part, value in zip(parts, values, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
