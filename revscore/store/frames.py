"""Frames in the store: columnar (Arrow), compressed, in parts, addressed by what is in them.

The address of a canonical table is a hash of its values, rows taken in key order. So the same rows have the same address whatever file,
format or row order they came in, and loads that share a table share its bytes. The hash is taken from the values, not from the bytes as
written: another version of Arrow or of its compression changes nothing.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revscore.core import schema
from revscore.store.engine import StoreError

FORMAT = "arrow-zstd-1"
HEAD = 65_536  # bytes of a part that surely hold the names of its columns
PART_ROWS = 250_000  # a part stays far below the largest value that SQLite and PostgreSQL take (1 GB)
_ARROW = {"id": pa.large_string(), "text": pa.large_string(), "enum": pa.large_string(), "ts": pa.timestamp("us", "UTC"),
          "date": pa.timestamp("us"), "num": pa.float64(), "bool": pa.bool_()}


@dataclass(frozen=True)
class Packed:
    """A frame as it is written: its address, its rows, its parts."""

    sha256: str
    rows: int
    parts: tuple[bytes, ...]


def pack_table(name: str, frame: pd.DataFrame) -> Packed:
    """Canonical table `name`, in the order of its rows.

    Raises
    ------
    StoreError
        when two rows have the same id: a record that is there twice would be counted twice.
    """
    spec, frame = schema.TABLES[name], schema.conform(name, frame)
    unique = len(spec.key) == 1 and spec.key[0] in frame.columns and spec.column(spec.key[0]).type == "id"
    if unique and frame[spec.key[0]].duplicated().any():
        twice = frame[spec.key[0]][frame[spec.key[0]].duplicated()]
        raise StoreError(f"{spec.title}: {len(twice):,} rows have an id that another row has ({spec.key[0]} {twice.iloc[0]}); "
                         "nothing was saved; remove the duplicates.")
    fields = pa.schema([(column, _ARROW[spec.column(column).type]) for column in frame.columns])
    table = pa.Table.from_pandas(frame, schema=fields, preserve_index=False).replace_schema_metadata(None)
    order = spec.key if unique else [*[k for k in spec.key if k in frame.columns], *[c for c in frame.columns if c not in spec.key]]
    in_order = table.take(pc.sort_indices(table, sort_keys=[(column, "ascending") for column in order])) if len(table) else table
    return Packed(_digest(name, in_order), table.num_rows, _parts(table))


def pack_frame(frame: pd.DataFrame) -> Packed:
    """Any other frame, such as a ledger, as it is."""
    parts = _parts(pa.Table.from_pandas(frame.reset_index(drop=True), preserve_index=False))
    return Packed(address(parts), len(frame), parts)


def address(parts: Iterable[bytes]) -> str:
    """The address of a frame that is no canonical table: a hash of its bytes."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def unpack_table(name: str, parts: Iterable[bytes], columns: tuple[str, ...] | None = None) -> pd.DataFrame:
    """The table, or only these of its columns."""
    return schema.conform(name, _table(parts, columns).to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get))


def _trimmer() -> Callable[[int], int] | None:
    """glibc's own: what arrays left behind goes back to the system only when it is told to."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return None


_TRIM = _trimmer()


def release() -> None:
    """Give back the memory of frames and arrays that are gone."""
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)


def columns_of(head: bytes) -> tuple[str, ...]:
    """The columns of a packed frame, from its first `HEAD` bytes."""
    return tuple(pa.ipc.open_stream(head).schema.names)


def rows_of(part: bytes) -> int:
    """The rows of a part, counted in its bytes; no column is unpacked."""
    with pa.ipc.open_stream(part, options=pa.ipc.IpcReadOptions(included_fields=[0])) as stream:
        return sum(batch.num_rows for batch in stream)


def unpack_frame(parts: Iterable[bytes]) -> pd.DataFrame:
    return _table(parts).to_pandas()


def content_sha256(packed: Mapping[str, Packed]) -> str:
    """The hash of a load's content: of the addresses of its tables."""
    return hashlib.sha256("\n".join(f"{name} {packed[name].sha256}" for name in sorted(packed)).encode()).hexdigest()


def _parts(table: pa.Table) -> tuple[bytes, ...]:
    parts = []
    for start in range(0, max(table.num_rows, 1), PART_ROWS):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table.slice(start, PART_ROWS).combine_chunks())
        parts.append(sink.getvalue().to_pybytes())
    return tuple(parts)


def _table(parts: Iterable[bytes], columns: tuple[str, ...] | None = None) -> pa.Table:
    def read(part: bytes) -> pa.Table:
        if columns is None:
            return pa.ipc.open_stream(part).read_all()
        names = pa.ipc.open_stream(part).schema.names
        fields = [place for place, name in enumerate(names) if name in columns]
        return pa.ipc.open_stream(part, options=pa.ipc.IpcReadOptions(included_fields=fields)).read_all()

    return pa.concat_tables([read(part) for part in parts])


def _digest(name: str, table: pa.Table) -> str:
    """sha256 over the columns: name, type, which cells are there, then the values (text by lengths and UTF-8 bytes)."""
    digest = hashlib.sha256(f"{name} {table.num_rows}\n".encode())
    for field in table.schema:
        column = table.column(field.name)
        digest.update(f"{field.name} {field.type}\n".encode())
        digest.update(np.ascontiguousarray(column.is_valid().to_numpy()))
        if pa.types.is_large_string(field.type):
            texts = pa.concat_arrays([pa.array([], field.type), *pc.fill_null(column, "").chunks])
            _, offsets, text = texts.buffers()
            if len(texts):
                ends = np.frombuffer(offsets, "int64")[texts.offset: texts.offset + len(texts) + 1]
                digest.update(np.diff(ends))
                digest.update(memoryview(text)[ends[0]: ends[-1]] if text is not None else b"")
        else:
            numbers = column if pa.types.is_floating(field.type) else column.cast(pa.int64())
            digest.update(np.ascontiguousarray(pc.fill_null(numbers, 0).to_numpy() + 0))  # + 0: -0.0 is the same number as 0.0
    return digest.hexdigest()
