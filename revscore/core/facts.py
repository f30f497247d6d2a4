"""Facts: what a metric function makes: which records count, when, and for how much, as coded arrays sorted by their date."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY


class Recent:
    """What was made last, by key; the least recently used makes room, where there are more than `size` or, together, longer ones than `length`.
    Sessions are threads: one makes, the others wait."""

    def __init__(self, size: int, length: int | None = None) -> None:
        self._size, self._most, self._made, self._lock = size, length, OrderedDict[Hashable, Any](), threading.RLock()
        self._length = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._made

    def __call__(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            made = self._made[key] = make()
            self._length += len(made) if self._most is not None else 0
            while len(self._made) > self._size or (self._most is not None and self._length > self._most and len(self._made) > 1):
                gone = self._made.popitem(last=False)[1]
                self._length -= len(gone) if self._most is not None else 0
            return made


@dataclass(frozen=True)
class Dimension:
    """A way to split and filter. Code 0 is always "missing"; `values` are what the extract says (ids), `labels` what readers see."""

    name: str
    values: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def codes_of(self, chosen: tuple[str, ...]) -> np.ndarray:
        """Codes of values or labels; what the extract does not know is left out."""
        return np.array(sorted({self._place[name] for name in chosen if name in self._place}), dtype="int64")

    @cached_property
    def _place(self) -> dict[str, int]:
        return {label: code for code, label in enumerate(self.labels)} | {value: code for code, value in enumerate(self.values)}

    @cached_property
    def words(self) -> Any:
        """The values as a pandas text array, for columns of results: `words.take(codes)`."""
        return pd.array(list(self.values), dtype="str")


class Gathered(Mapping[str, np.ndarray]):
    """Columns of facts: `own` ones, one value a fact, and those of their records (or what else they point at), gathered when they are first asked for."""

    def __init__(self, shared: Mapping[str, Any], record: np.ndarray, own: Mapping[str, np.ndarray] | None = None) -> None:
        self._shared, self._record, self._made = shared, record, dict(own or {})
        self._names = (*(name for name in shared if name not in self._made), *self._made)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> np.ndarray:
        return self._shared[name][self._record]

    @property
    def shared(self) -> Mapping[str, Any]:
        """What columns are gathered from, by the name of the column."""
        return self._shared

    @property
    def record(self) -> np.ndarray:
        """What each fact points at."""
        return self._record

    @property
    def made(self) -> Mapping[str, np.ndarray]:
        """Those that are there: the metric's own, and what was gathered so far."""
        return self._made

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def take(self, rows: np.ndarray | slice) -> Self:
        return type(self)(self._shared, self._record[rows], {name: column[rows] for name, column in self._made.items()})


class Codes(Gathered):
    """Dimension codes of facts: the metric's own, and those of their records."""


class Credits(Gathered):
    """Shares of an amount: the record is a pattern of shares, `amount` one of the own columns; whole numbers of a pattern are what they are."""

    def _make(self, name: str) -> np.ndarray:
        share = super()._make(name)
        return share * self._made["amount"] if share.dtype.kind == "f" else share


def cut(columns: Mapping[str, np.ndarray], rows: np.ndarray | slice) -> Mapping[str, np.ndarray]:
    """Only `rows` of the columns."""
    return columns.take(rows) if isinstance(columns, Gathered) else {name: np.asarray(column)[rows] for name, column in columns.items()}


@dataclass(frozen=True)
class LeftOut:
    """Records that are outside a metric's population, with the reason (METRICS C13): they are shown, never counted."""

    record: np.ndarray  # int32, position in the entity
    day: np.ndarray  # int32, the date by which a period filter places them
    codes: Mapping[str, np.ndarray]
    why: np.ndarray  # uint8, index into whys
    whys: tuple[str, ...]


KEPT_KEYS = 8  # group keys and orders by value that one fact table remembers


@dataclass(frozen=True)
class Facts:
    """One row per counted thing (a lead that reached a stage, a clock, a deal), sorted by `day`.

    entity  : what `record` points into, one of `entities.ENTITIES`
    record  : int32 positions in that entity
    day     : int32 local day numbers, ascending; NO_DAY (no date) last
    values  : measure inputs, same length: bool for what is yes or no (several are counted in one pass), else float64 or int
    codes   : dimension codes, same length; the metric's own dimensions among them
    own     : the metric's own dimensions by name
    why     : uint8, for rows outside the headline rate: index into whys; 0 otherwise
    detail  : further columns shown when a number is opened (due, status, age …)
    """

    entity: str
    record: np.ndarray
    day: np.ndarray
    values: Mapping[str, np.ndarray]
    codes: Codes
    own: Mapping[str, Dimension] = field(default_factory=dict)
    why: np.ndarray | None = None
    whys: tuple[str, ...] = ("",)
    detail: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: LeftOut | None = None
    recent: Recent = field(default_factory=lambda: Recent(KEPT_KEYS), init=False, repr=False, compare=False)  # group keys and orders that questions share

    def __len__(self) -> int:
        return len(self.record)

    def slice_of(self, start: int, end: int) -> slice:
        """The rows whose day lies in [start, end)."""
        edges = np.clip([start, end], -NO_DAY, NO_DAY).astype(self.day.dtype)  # of the same type: else all days would be copied to be searched
        return slice(*np.searchsorted(self.day, edges, side="left").tolist())

    @property
    def dated(self) -> int:
        """How many rows have a date; they come first."""
        return int(np.searchsorted(self.day, self.day.dtype.type(NO_DAY)))

    def take(self, rows: np.ndarray | slice) -> Facts:
        """The same facts with only `rows`, in the order given."""
        return Facts(self.entity, self.record[rows], self.day[rows], cut(self.values, rows), self.codes.take(rows), self.own,
                     None if self.why is None else self.why[rows], self.whys, cut(self.detail, rows), self.left_out)


def dense(codes: np.ndarray, size: int) -> np.ndarray:
    """`codes` in the smallest unsigned type that holds `size` of them."""
    return codes.astype("uint8" if size <= 256 else "uint16" if size <= 65_536 else "int32")


def paired(code: np.ndarray, other: np.ndarray, size: int) -> np.ndarray:
    """One number (int64) for every pair of a code and one of `size` others, ascending by `code`, then `other`: however narrow the codes are, it does not overflow."""
    return code.astype("int64") * size + other


def by_day(day: np.ndarray) -> np.ndarray | slice:
    """The order that brings days into order, ties as they are; all as it is where they are in order."""
    if not len(day) or (day[1:] >= day[:-1]).all():
        return slice(None)
    low, known = int(day.min()), day[day != NO_DAY]
    if int(known.max()) - low >= 65_535:
        return np.argsort(day, kind="stable")
    return np.argsort(np.where(day == NO_DAY, 65_535, day - low).astype("uint16"), kind="stable")  # 16 bits are sorted by counting


def firsts_of(*grouped: np.ndarray) -> np.ndarray:
    """Positions at which a new combination of values begins in arrays that are grouped by them."""
    if not len(grouped[0]):
        return np.zeros(0, dtype="int64")
    return np.flatnonzero(np.concatenate([[True], np.logical_or.reduce([column[1:] != column[:-1] for column in grouped])]))
