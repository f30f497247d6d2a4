"""Presets: what the sheets of a CRM look like, read from TOML. A new system is a new file, not new code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from revscore.core import schema
from revscore.intake.subjects import SUBJECTS
from revscore.intake.words import fold


@dataclass(frozen=True)
class SheetSpec:
    """One kind of sheet. `columns`: field -> headings that bring it, the first present wins (all folded)."""

    preset: str
    title: str
    key: str
    subject: str
    signature: tuple[frozenset[str], ...] = ()
    file: re.Pattern[str] | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stamps: tuple[re.Pattern[str], ...] = ()        # headings that hold the time a stage was entered
    ignore: tuple[re.Pattern[str], ...] = ()        # headings that are known and not used
    requires: frozenset[str] = frozenset()
    without: str = ""                               # a beginning of headings that another system uses
    naive: str = "local"                            # zone of times that name none: "local" is the reporting zone
    salesforce_ids: bool = False
    kind: str = ""                                  # activities: what the sheet holds when no column says it
    field: str = ""                                 # changes: which field they are of when no column says it
    also: str = ""                                  # a second subject of the same rows
    plain: bool = False
    some: tuple[tuple[str, re.Pattern[str]], ...] = ()      # field, what a cell of it holds in such a sheet
    every: tuple[tuple[str, re.Pattern[str]], ...] = ()     # field, what all its cells hold
    first: bool = False                             # goes before sheets that bring more columns


@dataclass(frozen=True)
class Unused:
    """A sheet that is known and not needed, and why."""

    preset: str
    title: str
    why: str
    file: re.Pattern[str] | None
    signature: frozenset[str]


@dataclass(frozen=True)
class Preset:
    id: str
    title: str
    sheets: tuple[SheetSpec, ...]
    unused: tuple[Unused, ...]


@cache
def presets() -> tuple[Preset, ...]:
    """All presets of the product, revscore's own tables first."""
    raw = {}
    for file in (files("revscore.intake") / "presets").iterdir():
        if file.name.endswith(".toml") and file.name != "words.toml":
            data = tomllib.loads(file.read_text(encoding="utf-8"))
            raw[data["id"]] = data
    order = sorted(raw, key=lambda name: (name != "plain", name == "generic", name))
    return tuple(_preset(raw[name], raw) for name in order)


def _preset(data: Mapping[str, Any], every: Mapping[str, Mapping[str, Any]]) -> Preset:
    if data.get("plain"):
        sheets = tuple(SheetSpec(data["id"], data["title"], t.name, t.name, (frozenset(fold(c) for c in t.needed),),
                                 columns={c: (fold(c),) for c in t.names}, naive="UTC", plain=True) for t in schema.TABLES.values())
        return Preset(data["id"], data["title"], sheets, ())
    base = every[data["based_on"]] if "based_on" in data else {}
    entries = {**base.get("sheets", {}), **data.get("sheets", {})}
    unused = [*base.get("unused", []), *data.get("unused", [])]
    return Preset(data["id"], data["title"], tuple(_sheet(data, key, entry) for key, entry in entries.items()),
                  tuple(Unused(data["id"], data["title"], entry["why"], _pattern(entry.get("file")),
                               frozenset(fold(h) for h in entry.get("signature", ()))) for entry in unused))


def _sheet(data: Mapping[str, Any], key: str, entry: Mapping[str, Any]) -> SheetSpec:
    subject = SUBJECTS[entry["subject"]]
    second = set(SUBJECTS[entry["also"]].fields) if "also" in entry else set()
    unknown = set(entry["columns"]) - set(subject.fields) - second
    if unknown:
        raise ValueError(f"preset {data['id']}, sheet {key}: {', '.join(sorted(unknown))} is no field of {subject.name}")
    return SheetSpec(
        data["id"], data["title"], key, subject.name, tuple(frozenset(fold(h) for h in one) for one in entry["signature"]),
        _pattern(entry.get("file")), {name: tuple(fold(h) for h in headings) for name, headings in entry["columns"].items()},
        tuple(re.compile(p, re.IGNORECASE) for p in entry.get("stamps", {}).get("stage", ())),
        tuple(re.compile(p, re.IGNORECASE) for p in entry.get("ignore", {}).get("patterns", ())),
        frozenset(fold(h) for h in data.get("requires", ())), data.get("without", ""), data.get("naive", "local"), data.get("salesforce_ids", False),
        entry.get("kind", ""), entry.get("field", ""), entry.get("also", ""),
        some=_patterns(entry, "some"), every=_patterns(entry, "every"), first=entry.get("first", False))


def _patterns(entry: Mapping[str, Any], name: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((field, re.compile(text, re.IGNORECASE)) for field, text in entry.get(name, {}).items())


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text, re.IGNORECASE) if text else None


@cache
def aliases(subject: str) -> Mapping[str, str]:
    """Every heading that any preset knows for a subject (folded) -> field: for sheets that no signature fits."""
    out: dict[str, str] = {}
    for preset in presets():
        for spec in preset.sheets:
            if spec.subject == subject and not spec.plain:
                for name, headings in spec.columns.items():
                    for heading in headings:
                        out.setdefault(heading, name)
    return out
