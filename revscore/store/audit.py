"""The audit log: every act of the store, in the transaction that it is part of, chained by hashes.

An act says who did what, and names the rows that it wrote with a digest of each. Its hash covers its number, instant, actor, action, body and the hash of
the act before: whatever is changed, added or removed later, here or in a row of the store, does not fit any more (`checked.py` names it). Who can write the
file can also write the whole chain anew, or cut off its end: only an anchor that was noted elsewhere shows that. So it is tamper-evident, not tamper-proof.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, MetaData, Select, Table, insert, select

from revscore.store import tables as t
from revscore.store.engine import StoreError, fitting, plain

STORE = "revscore"  # the actor of what no person did
SEALED = ("published_values",)  # the seal of a publication, which is in its row, stands for them


@dataclass(frozen=True)
class Anchor:
    """The last act of a store at an instant: noted elsewhere, it shows a chain that was cut off or written anew."""

    seq: int
    hash: str
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @property
    def told(self) -> str:
        """As it is printed: with its instant."""
        return f"{self} ({self.at:%Y-%m-%d %H:%M} UTC)" if self.at else str(self)

    @classmethod
    def of(cls, text: str) -> Anchor:
        """The anchor that was printed as SEQ:HASH, with its instant or without. Raises StoreError for any other text."""
        seq, _, digest = text.strip().partition(" (")[0].partition(":")
        if not (seq.isdecimal() and seq.isascii() and len(seq) < 16 and len(digest) == 64 and set(digest.lower()) <= set("0123456789abcdef")):
            raise StoreError(f"{text[:90]} is no anchor: it is the number of an act, a colon and 64 digits (0-9, a-f), as printed in packs and manifests.")
        return cls(int(seq), digest.lower())


def act(connection: Connection, by: str, action: str, body: Mapping[str, Any], *written: Select | Table) -> Anchor:
    """Note an act; inside the write that it is. `written`: what selects the rows that it wrote, whole rows of one table each; `body`: what else is worth telling,
    never a secret."""
    by, last = fitting(by, 320), anchor(connection)
    rows: dict[str, dict[str, str]] = {}
    for query in written:
        for table, key, digest in digests(connection, query):
            rows.setdefault(table, {})[key] = digest
    seq, prev, at = (last.seq + 1, last.hash, datetime.now(UTC)) if last else (1, "", datetime.now(UTC))
    body = plain({**body, "rows": rows} if rows else body)
    new = Anchor(seq, chained(seq, moment(at), by, action, body, prev), at)
    connection.execute(insert(t.audit).values(seq=seq, at=at, actor=by, action=action, body=body, prev=prev, hash=new.hash))
    return new


def anchor(connection: Connection) -> Anchor | None:
    """The last act; None in a store that has none yet."""
    row = connection.execute(select(t.audit.c.seq, t.audit.c.hash, t.audit.c.at).order_by(t.audit.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Anchor(row.seq, row.hash, row.at)


def begin(connection: Connection, body: Mapping[str, Any]) -> Anchor:
    """The first act: names every row that is there already. Looks at the tables as they are now, whatever later schemas add to them."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in t.metadata.tables and name not in (t.audit.name, *SEALED))
    return act(connection, STORE, "chain begun", body, *found.sorted_tables)


def chained(seq: int, at: str, actor: str, action: str, body: Any, prev: str) -> str:
    """The hash of an act: SHA-256 of the JSON list [seq, at, actor, action, body, prev]."""
    return hashlib.sha256(canonical([seq, at, actor, action, body, prev]).encode()).hexdigest()


def digests(connection: Connection, written: Select | Table) -> Iterator[tuple[str, str, str]]:
    """(table, key as JSON, digest) of each row. Large contents are left out: their own sum, which is a column beside them, stands for them."""
    query = written if isinstance(written, Select) else select(written)
    table = query.get_final_froms()[0]
    query = query.with_only_columns(*(column for column in table.columns if not isinstance(column.type, LargeBinary)))
    keys = [column.name for column in table.primary_key]
    for row in connection.execute(query.execution_options(yield_per=1000)).mappings():
        yield table.name, canonical([row[key] for key in keys]), digest(row)


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 of a row's values by name. What is NULL is left out: a column that a later schema adds, NULL in the rows before, leaves their digests as they were."""
    return hashlib.sha256(canonical({name: moment(value) if isinstance(value, datetime) else value for name, value in row.items() if value is not None}).encode()).hexdigest()


def moment(at: datetime) -> str:
    """An instant as text: UTC, to the microsecond."""
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).isoformat(timespec="microseconds")


def canonical(value: Any) -> str:
    """JSON in one way only."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no place in an act")
