"""CrmData: what the gate lets through, and all that the metrics ever see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from revscore.core import schema


@dataclass(frozen=True)
class Stand:
    """What an extract stands on: data set, the loads that its tables came with, version of the definitions, and the last entry of the team's log that
    counts (0: none). Empty outside of a store."""

    dataset: str = ""
    loads: tuple[int, ...] = ()
    definitions: int | None = None
    log: int = 0


class Shelf(Mapping[str, pd.DataFrame]):
    """Tables that are read when they are first asked for. `columns` says what each has; `read(table, columns)` gives these columns, or all;
    `release()` gives back what reading took;
    `pieces(table, columns)` gives the rows some at a time."""

    def __init__(self, columns: Mapping[str, tuple[str, ...]], read: Callable[[str, tuple[str, ...] | None], pd.DataFrame],
                 there: Mapping[str, pd.DataFrame] | None = None, release: Callable[[], None] = lambda: None,
                 pieces: Callable[[str, tuple[str, ...]], Iterator[pd.DataFrame]] | None = None) -> None:
        self.columns, self._read, self._lock, self.release = columns, read, threading.Lock(), release
        self._pieces = pieces or (lambda table, columns: iter((read(table, columns),)))
        self._there: dict[str, pd.DataFrame] = dict(there or {})

    def __getitem__(self, table: str) -> pd.DataFrame:
        if table not in self.columns:
            raise KeyError(table)
        with self._lock:
            if table not in self._there:
                self._there[table] = self._read(table, None)
            return self._there[table]

    def some(self, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
        """Only these columns (those of them that it has); they are not remembered."""
        return self._there[table] if table in self._there else self._read(table, self._of(table, columns))

    def pieces(self, table: str, columns: tuple[str, ...]) -> Iterator[pd.DataFrame]:
        """The same, some rows at a time."""
        return iter((self._there[table],)) if table in self._there else self._pieces(table, self._of(table, columns))

    def _of(self, table: str, columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(column for column in columns if column in self.columns[table])

    def __contains__(self, table: object) -> bool:
        return table in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


@dataclass(frozen=True)
class CrmData:
    """Cleaned, typed canonical tables at one `as_of` instant.

    tables : table name -> frame in the shape of `schema.conform` (only the tables and columns that the extract has)
    as_of  : UTC instant; nothing after it exists (METRICS C2)
    derived: what was rebuilt, with the sentence that says how. A table's name: only its present state is known ("the extract has no history of
             opportunities …"); `table.column`: the table was observed but for that column ("… dated by the first extract that shows it")
    stand  : what it stands on in the store, for receipts
    """

    tables: Mapping[str, pd.DataFrame]
    as_of: pd.Timestamp
    derived: Mapping[str, str] = field(default_factory=dict)
    stand: Stand = Stand()
    _whole: dict[str, pd.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)  # tables with their absent columns, once asked for

    def __post_init__(self) -> None:
        if self.as_of.tz is None:
            raise ValueError("as_of needs a time zone, such as 2026-11-16T13:00:00Z")
        unknown = set(self.tables) - set(schema.TABLES)
        if unknown:
            raise ValueError(f"unknown tables: {', '.join(sorted(unknown))}")

    def table(self, name: str) -> pd.DataFrame:
        """The frame of table `name`, with every canonical column; an absent table or column comes back empty."""
        if name not in self._whole:
            frame, empty = self.tables.get(name), schema.empty(name)
            if frame is None:
                return empty
            absent = [column for column in empty.columns if column not in frame.columns]
            self._whole[name] = frame.assign(**{column: empty[column].reindex(frame.index) for column in absent})[list(empty.columns)] if absent else frame
        return self._whole[name]

    def read(self, name: str, *columns: str) -> pd.DataFrame:
        """A frame of `name` with (at least) these columns: what encoding asks for, so that a large table need not be there as a whole."""
        if not isinstance(self.tables, Shelf) or name not in self.tables:
            return self.table(name)
        return _filled(name, self.tables.some(name, columns), columns)

    def pieces(self, name: str, column: str) -> Iterator[pd.Series]:
        """One column of `name`, some rows after the others: long text that is looked at once and need not be there as a whole."""
        if not isinstance(self.tables, Shelf) or name not in self.tables:
            return iter((self.table(name)[column],))
        return (_filled(name, frame, (column,))[column] for frame in self.tables.pieces(name, (column,)))

    def release(self) -> None:
        """Give back the memory that reading took, once what was read is encoded."""
        if isinstance(self.tables, Shelf):
            self.tables.release()

    def _columns(self, table: str) -> Collection[str]:
        return self.tables.columns[table] if isinstance(self.tables, Shelf) else self.tables[table].columns

    def has(self, need: str) -> bool:
        """Whether the extract has `table` or `table.column` (an empty table that was delivered counts as there). A need that ends in "!" asks
        that it was observed: `opp_history!` is not met by a history rebuilt from present states."""
        table, _, column = need.rstrip("!").partition(".")
        there = table in self.tables and (not column or column in self._columns(table))
        return there and not (need.endswith("!") and (table in self.derived or need.rstrip("!") in self.derived))

    def missing(self, needs: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `needs` that the extract lacks; a table that is not there at all is named once."""
        return tuple(dict.fromkeys(need if need.rstrip("!").partition(".")[0] in self.tables else need.rstrip("!").partition(".")[0]
                                   for need in needs if not self.has(need)))

    def notes(self, needs: tuple[str, ...]) -> tuple[str, ...]:
        """How the parts that `needs` name were rebuilt, where they were."""
        named = {name for need in needs for name in (need.rstrip("!"), need.rstrip("!").partition(".")[0])}
        return tuple(note for key, note in self.derived.items() if key in named)

    def with_tables(self, **tables: pd.DataFrame) -> CrmData:
        return replace(self, tables={**self.tables, **tables})

    def part(self, k: int, n: int) -> CrmData:
        """The k-th of n parts: accounts, people and deals that are connected stay together, so that sums over the parts are the whole.

        Terms, users and campaigns belong to every part.
        """
        if not 0 <= k < n:
            raise ValueError(f"part {k} of {n} does not exist")
        group = _connected(self)
        tables = {}
        for name, frame in self.tables.items():
            home = _HOME.get(name)
            if home is None:
                tables[name] = frame
                continue
            keys = pd.Series(pd.NA, index=frame.index, dtype="str")
            for column in home:
                if column in frame.columns:
                    keys = keys.fillna(frame[column])
            tables[name] = frame[(keys.map(group).fillna(0).astype("int64") % n == k).to_numpy()].reset_index(drop=True)
        return replace(self, tables=tables)


def _filled(name: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """The frame with those of the columns that it lacks, empty."""
    empty = schema.empty(name)
    absent = [column for column in columns if column not in frame.columns]
    return frame.assign(**{column: pd.Series(index=frame.index, dtype=empty[column].dtype) for column in absent}) if absent else frame


# Which columns say where a row belongs, first one filled wins; tables that are not here belong to every part.
_HOME: Mapping[str, tuple[str, ...]] = {
    "leads": ("lead_id",), "lead_stage_history": ("lead_id",), "contacts": ("contact_id",), "accounts": ("account_id",),
    "opportunities": ("opp_id",), "opp_history": ("opp_id",), "opp_contact_roles": ("opp_id",),
    "activities": ("person_id", "opp_id"), "touches": ("person_id",), "routing_log": ("lead_id",), "sla_pauses": ("lead_id",),
    "arr_ledger": ("account_id",), "decisions": ("decision_id",), "actions": ("action_id",), "definition_changes": ("change_id",),
    "reported_values": ("metric_id",), "experiments": ("experiment_id",), "metric_series": ("series_id",),  # linked to nobody: all in the first part
}

_LINKS: tuple[tuple[str, str, str], ...] = (
    ("leads", "lead_id", "account_id"), ("leads", "lead_id", "duplicate_of"), ("leads", "lead_id", "converted_contact_id"),
    ("leads", "lead_id", "converted_opportunity_id"), ("contacts", "contact_id", "account_id"), ("contacts", "contact_id", "lead_id"),
    ("opportunities", "opp_id", "account_id"), ("opp_contact_roles", "opp_id", "contact_id"), ("activities", "person_id", "opp_id"),
    ("accounts", "account_id", "account_id"), ("touches", "person_id", "person_id"), ("arr_ledger", "account_id", "account_id"),
)


def _edges(data: CrmData) -> Iterator[pd.DataFrame]:
    for table, left, right in _LINKS:
        frame = data.tables.get(table)
        if frame is not None and left in frame.columns:
            other = frame[right] if right in frame.columns else frame[left]
            yield pd.DataFrame({"a": frame[left], "b": other.fillna(frame[left])}).dropna()
    leads = data.tables.get("leads")
    if leads is not None and "email" in leads.columns:  # leads with one address may be duplicates of each other
        yield pd.DataFrame({"a": leads["lead_id"], "b": leads["email"].str.strip().str.lower()}).replace({"b": {"": None}}).dropna()


def _connected(data: CrmData) -> pd.Series:
    """Component number of every id: the smallest number is passed along the links until nothing changes."""
    edges = pd.concat([pd.DataFrame({"a": [], "b": []}, dtype="str"), *_edges(data)], ignore_index=True)
    codes, ids = pd.factorize(pd.concat([edges["a"], edges["b"]], ignore_index=True))
    a, b = codes[: len(edges)], codes[len(edges):]
    label = np.arange(len(ids))
    while True:
        low = np.minimum(label[a], label[b])
        new = label.copy()
        np.minimum.at(new, a, low)
        np.minimum.at(new, b, low)
        new = new[new]
        if (new == label).all():
            return pd.Series(label, index=ids)
        label = new
