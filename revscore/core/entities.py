"""What a fact can be about: leads, deals, accounts, touches, decisions and so on. One table says of each where its records are, what names
them, by which shared dimensions they split, and how they read when a number is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY, day_numbers
from revscore.core.encode import places
from revscore.core.leads import named_deals

if TYPE_CHECKING:
    from revscore.core.coded import Coded

Texts = Mapping[str, pd.Series]


@dataclass(frozen=True)
class Entity:
    """One kind of record.

    table : the canonical table that holds it
    key   : the columns that name a record; several are joined by "|"
    dims  : shared dimension -> column; an entity without any cannot be filtered or split by them
    beside: further columns that `texts` reads
    shown : columns that are read when it is opened, after the id and the dimensions
    frame : its records where they are more than the rows of `table`
    texts : the text of its dimensions where it is more than a column
    read  : its records for reading where that is more than `shown`: from the records and the labels of the dimensions
    """

    name: str
    table: str
    key: tuple[str, ...]
    dims: Mapping[str, str]
    shown: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    frame: Callable[[Coded], pd.DataFrame] | None = None
    texts: Callable[[Coded, pd.DataFrame], Texts] | None = None
    read: Callable[[Coded, pd.DataFrame, Mapping[str, np.ndarray]], pd.DataFrame] | None = None

    @property
    def id_column(self) -> str:
        return self.key[0] if len(self.key) == 1 else f"{self.name}_id"

    def records(self, x: Coded) -> pd.DataFrame:
        """The records by position."""
        return x.once(("entity", self.name), lambda: self.frame(x)) if self.frame else x.data.table(self.table)

    def ids(self, x: Coded) -> np.ndarray:
        """The ids by position, as text."""
        source = self.records(x)
        out = source[self.key[0]].fillna("")
        for column in self.key[1:]:
            words = source[column]
            out = out + "|" + (words.map("{:g}".format) if words.dtype == float else words).astype("str").fillna("")
        return out.to_numpy(dtype=object)

    def columns(self, x: Coded) -> Texts:
        """The text of every shared dimension, one value a record."""
        if not (self.frame or self.dims):
            return {}
        source = self.records(x) if self.frame else x.data.read(self.table, *self.dims.values(), *self.beside)
        return self.texts(x, source) if self.texts else {name: source[column] for name, column in self.dims.items()}

    def reading(self, x: Coded) -> pd.DataFrame:
        """The records by position, for reading: the id, the dimensions by label, then what is shown; times in the reporting zone."""
        source = self.records(x)
        labels = {name: np.array(x.dims[name].labels, dtype=object)[codes] for name, codes in x.codes[self.name].items()}
        if self.read:
            return self.read(x, source, labels)
        return pd.DataFrame({self.id_column: self.ids(x), **labels, **{name: _local(x, source[name]) for name in self.shown}})


def _local(x: Coded, column: pd.Series) -> pd.Series:
    """A timestamp as seen on the wall in the reporting zone; what is later than as-of does not exist (METRICS C2). All else as it is."""
    if getattr(column.dtype, "tz", None) is None:
        return column
    return column.where(column <= x.data.as_of).dt.tz_convert(x.terms.reporting_tz).dt.tz_localize(None)


# -- leads and deals -----------------------------------------------------------------------------------------------------------------------

def _opp_texts(x: Coded, opps: pd.DataFrame) -> Texts:
    leads, accounts = x.data.read("leads", "region", "lead_source"), x.data.table("accounts").drop_duplicates("account_id")
    account, lead, named = places(accounts["account_id"], opps["account_id"]), np.full(len(opps), -1), named_deals(x)
    back = np.flatnonzero(named >= 0)[::-1]
    lead[named[back]] = back  # the first one last, so that it stays
    return {"segment": opps["segment"], "owner": opps["owner_id"], "campaign": opps["primary_campaign_id"], "type": opps["type"],
            "region": _first(opps["region"], _at(accounts["region"], account), _at(leads["region"], lead)),
            "source": _first(opps["lead_source"], _at(leads["lead_source"], lead))}


def _at(column: pd.Series, place: np.ndarray) -> pd.Series:
    """The texts at `place`, missing at −1."""
    return pd.Series(column.array.take(place, allow_fill=True))


def _first(*columns: pd.Series) -> pd.Series:
    """Of every record the first text that is there; by the codes of the words, which are few."""
    words = pd.api.types.union_categoricals([column.astype("category") for column in columns])
    first, *rest = words.codes.reshape(len(columns), -1)
    for codes in rest:
        first = np.where(first >= 0, first, codes)
    return pd.Series(pd.Categorical.from_codes(first, dtype=words.dtype))


def _read_leads(x: Coded, leads: pd.DataFrame, labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    words = np.array([*x.terms.lead_stages, *x.terms.lead_exit_stages, ""], dtype=object)
    created = leads["created_at"].dt.tz_convert(x.terms.reporting_tz).dt.tz_localize(None)
    return pd.DataFrame({"lead_id": leads["lead_id"], "email": leads["email"], **labels, "created_at": created, "status": words[x.leads.status]})


def _read_opps(x: Coded, opps: pd.DataFrame, labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    created = opps["created_at"].dt.tz_convert(x.terms.reporting_tz).dt.tz_localize(None)
    accounts = x.data.table("accounts").drop_duplicates("account_id").set_index("account_id")["name"]
    now, stages = x.opps.now, np.array([*x.terms.opp_stages, "", "(unknown stage)"], dtype=object)
    close = pd.Series(np.where(now.close_day == NO_DAY, np.datetime64("NaT"), np.where(now.close_day == NO_DAY, 0, now.close_day).astype("datetime64[D]")))
    return pd.DataFrame({"opp_id": opps["opp_id"], "name": opps["name"], "account": opps["account_id"].map(accounts).astype("str").fillna(opps["account_id"]),
                         **labels, "created_at": created, "stage": stages[now.rank], "amount": now.amount, "close_date": close.astype("datetime64[us]"),
                         "next_step": opps["next_step"], "loss_reason": opps["loss_reason"]})


# -- accounts ------------------------------------------------------------------------------------------------------------------------------

def _accounts(x: Coded) -> pd.DataFrame:
    """The accounts of the table of accounts and those that only the ledger names. An account's segment is the one of its latest row in the
    ledger that names one (retention goes by it), else its own."""
    listed = x.data.table("accounts").drop_duplicates("account_id")
    ledger = x.data.table("arr_ledger")[["account_id", "segment", "effective_date"]]
    ledger = ledger[day_numbers(ledger["effective_date"]) <= x.as_of_day]
    more = pd.Index(ledger["account_id"].dropna().unique()).difference(pd.Index(listed["account_id"]))
    frame = pd.concat([listed, pd.DataFrame({"account_id": pd.Series(more, dtype="str")})], ignore_index=True)
    named = ledger[ledger["segment"].fillna("") != ""].sort_values(["effective_date", "segment"], kind="stable").drop_duplicates("account_id", keep="last")
    return frame.assign(segment=frame["account_id"].map(named.set_index("account_id")["segment"]).astype("str").fillna(frame["segment"]))


def _read_accounts(x: Coded, accounts: pd.DataFrame, labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame({"account_id": accounts["account_id"], "name": accounts["name"].fillna(accounts["account_id"]), **labels})


# -- two kinds of record in one number -----------------------------------------------------------------------------------------------------

def _union(name: str, table: str, *parts: tuple[str, str, str, str]) -> Entity:
    """Records of several entities as one, in the order of `parts`: (entity, the word for it, the column that reads as name, as status)."""
    def frame(x: Coded) -> pd.DataFrame:
        return pd.concat([pd.DataFrame({"record_id": ENTITIES[part].ids(x), "kind": word}) for part, word, *_ in parts], ignore_index=True)

    def texts(x: Coded, records: pd.DataFrame) -> Texts:
        known = [(ENTITIES[part].columns(x), len(ENTITIES[part].records(x))) for part, *_ in parts]
        return {dim: pd.concat([columns[dim].astype("str") if dim in columns else pd.Series([None] * n, dtype="str") for columns, n in known], ignore_index=True)
                for dim in dict.fromkeys(dim for columns, _ in known for dim in columns)}

    def read(x: Coded, records: pd.DataFrame, labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
        shown = [ENTITIES[part].reading(x).rename(columns={title: "name", status: "status"})[["name", "status"]] for part, _, title, status in parts]
        return pd.concat([records.reset_index(drop=True), pd.concat(shown, ignore_index=True)], axis=1).assign(**labels)

    return Entity(name, table, ("record_id",), {}, frame=frame, texts=texts, read=read)


_ALL = (
    Entity("lead", "leads", ("lead_id",), {"segment": "segment", "region": "region", "owner": "owner_id", "source": "lead_source", "campaign": "source_campaign_id"},
           read=_read_leads),
    Entity("opp", "opportunities", ("opp_id",), {"segment": "segment", "owner": "owner_id", "campaign": "primary_campaign_id", "type": "type", "region": "region",
                                                 "source": "lead_source"}, beside=("account_id",), texts=_opp_texts, read=_read_opps),
    Entity("account", "accounts", ("account_id",), {"segment": "segment", "region": "region", "owner": "owner_id"}, frame=_accounts, read=_read_accounts),
    Entity("touch", "touches", ("touch_id",), {"campaign": "campaign_id"}, ("person_id", "occurred_at", "type", "is_response", "owner_function")),
    Entity("decision", "decisions", ("decision_id",), {}, ("title", "meeting", "raised_at", "decided_at", "status")),
    Entity("action", "actions", ("action_id",), {}, ("decision_id", "owner_function", "metric_id", "created_at", "due_date", "completed_at", "status")),
    Entity("definition_change", "definition_changes", ("change_id",), {}, ("metric_id", "effective_from", "rationale", "approved_by", "dashboards_updated_at",
                                                                          "training_at")),
    Entity("reported_value", "reported_values", ("metric_id", "period", "segment", "source"), {}, ("metric_id", "period", "segment", "source", "value")),
    Entity("series_point", "metric_series", ("series_id", "t"), {}, ("series_id", "kind", "t", "numerator", "denominator", "value")),
    _union("lead_or_deal", "leads", ("lead", "Lead", "email", "status"), ("opp", "Deal", "name", "stage")),
    _union("deal_or_touch", "opportunities", ("opp", "Deal", "name", "stage"), ("touch", "Touch", "person_id", "type")),
    Entity("arm", "experiments", ("experiment_id", "arm"), {}, ("name", "planned_share", "n", "successes")),
)
ENTITIES: Mapping[str, Entity] = {entity.name: entity for entity in _ALL}
SHARED = ("lead", "opp", "account")  # the entities whose values make the shared dimensions; what they do not know is "missing" in all others
