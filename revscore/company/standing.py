"""How an extract stands to what is loaded: what speaks against it, with what would change; and what earlier extracts brought that this one does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.company.learning import usable
from revscore.core import schema, units
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.data import CrmData
from revscore.core.metrics import CARDS
from revscore.core.terms import Terms, TermsError
from revscore.core.view import View
from revscore.intake import Question
from revscore.store import Doubt, LoadInfo, Store

CONFIRM = "confirm:"  # before the kind of a doubt: the key of its question
_HEADLINES = (("pipeline.open", "value"), ("pipeline.open", "count"), ("bookings.won_value", "value"), ("bookings.won_value", "count"),
              ("winrate.closed_in_period", "count_rate"))


@dataclass(frozen=True)
class Asked:
    """A doubt with what would change.

    rows   : a line a table: table, before, now, new, vanished, changed (rows; changed: the same record with other values)
    figures: a line a number: label, before, now (as text, with units)
    """

    doubt: Doubt
    rows: pd.DataFrame
    figures: pd.DataFrame

    @property
    def question(self) -> Question:
        return Question(CONFIRM + self.doubt.kind, f"{self.doubt.text} Load it all the same?", ("yes", "no"), None, "")


def asked(store: Store, dataset: str, data: CrmData, hints: Mapping[str, object], doubts: Sequence[Doubt]) -> tuple[Asked, ...]:
    """The doubts about `data`, each with what differs from the load that it is about."""
    out, known = [], {}
    for doubt in doubts:
        if doubt.load.id not in known:
            before = store.data_of(dataset, [doubt.load.id])
            shared = [name for name in schema.TABLES if name in data.tables and name in before.tables]
            known[doubt.load.id] = (changes(before, data, shared), _figures(_terms(store, dataset, hints), before, data))
        out.append(Asked(doubt, *known[doubt.load.id]))
    return tuple(out)


def changes(before: CrmData, now: CrmData, names: Iterable[str]) -> pd.DataFrame:
    """Per table the rows before and now, and how many are new, vanished or changed. Records are told by their key; of a table without ids a row that
    changed is one that vanished and one that is new."""
    lines = []
    for name in names:
        old, new, spec = before.tables[name], now.tables[name], schema.TABLES[name]
        both = [column for column in spec.names if column in old.columns and column in new.columns]
        left, right = (pd.util.hash_pandas_object(frame[both], index=False).to_numpy() for frame in (old, new))
        keyed = len(spec.key) == 1 and not old[spec.key[0]].duplicated().any() and not new[spec.key[0]].duplicated().any()
        if keyed:
            there, here = pd.Index(old[spec.key[0]]), pd.Index(new[spec.key[0]])
            at = there.get_indexer(here)
            same = int((left[at[at >= 0]] == right[at >= 0]).sum())
            met = int((at >= 0).sum())
            lines.append((spec.title, len(old), len(new), len(new) - met, len(old) - met, met - same))
        else:
            counts = pd.Series(1, index=right).groupby(level=0).sum().sub(pd.Series(1, index=left).groupby(level=0).sum(), fill_value=0)
            lines.append((spec.title, len(old), len(new), int(counts.clip(lower=0).sum()), int(-counts.clip(upper=0).sum()), 0))
    return pd.DataFrame(lines, columns=["table", "before", "now", "new", "vanished", "changed"])


def _terms(store: Store, dataset: str, hints: Mapping[str, object]) -> Terms:
    config, version = store.terms(dataset)
    try:
        return Terms.from_config(config) if version else usable(hints)
    except TermsError:
        return Terms()


def _figures(terms: Terms, before: CrmData, now: CrmData) -> pd.DataFrame:
    """A few numbers as either extract alone gives them, by the definitions in force."""
    lines = [("Leads", *(f"{len(data.tables['leads']):,}" if data.has("leads") else units.MISSING for data in (before, now))),
             ("Deals", *(f"{len(data.tables['opportunities']):,}" if data.has("opportunities") else units.MISSING for data in (before, now)))]
    coded = [Coded(data, terms.with_tables(data)) for data in (before, now)]
    for id_, name in _HEADLINES:
        card = CARDS[id_]
        measure = next(one for one in card.measures if one.name == name)
        values = [np.nan if x.data.missing(card.needs) else _value(x, id_, name) for x in coded]
        if not np.isnan(values).all():
            lines.append((measure.label, *(units.text(value, measure.unit, terms.corporate_currency) for value in values)))
    return pd.DataFrame([line for line in lines if line[1:] != (units.MISSING,) * 2], columns=["label", "before", "now"])


def _value(x: Coded, id_: str, measure: str) -> float:
    found = compute(x, CARDS[id_], View())
    return float(found.loc[found["measure"] == measure, "value"].sum(min_count=1))


def absent(loads: Sequence[LoadInfo], tables: Iterable[str], as_of: pd.Timestamp) -> list[str]:
    """A sentence for each table that an earlier extract brought and this one does not; the newest that did is named."""
    found: dict[str, LoadInfo] = {}
    for load in sorted((load for load in loads if load.as_of <= as_of), key=lambda load: (load.as_of, load.id)):
        found |= {name: load for name in load.mapping.get("main", load.table_rows) if load.table_rows.get(name)}
    return [f"{schema.TABLES[name].title}: this extract brings none; those of load {load.id} (as of {load.as_of:%d %b %Y}) go on counting"
            for name, load in found.items() if name in schema.TABLES and name not in set(tables)]
