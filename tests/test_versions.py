"""Nothing that is installed is older than the version in which its known holes were closed. docs/security.md has the same list with the holes' names."""

from __future__ import annotations

import re
import sqlite3
from importlib.metadata import version
from pathlib import Path

import pytest

from revscore.store import Store, engine

ROOT = Path(__file__).parents[1]
FLOORS = {"streamlit": "1.67.0", "starlette": "1.3.1", "python-multipart": "0.0.27", "pyarrow": "23.0.1", "authlib": "1.6.12", "joserfc": "1.7.1", "cryptography": "50.0.0",
          "protobuf": "6.33.5", "urllib3": "2.7.0", "requests": "2.32.4", "pillow": "12.3.0", "lxml": "6.1.3", "jinja2": "3.1.6", "mako": "1.3.12", "h11": "0.16.0", "openpyxl": "3.1.5"}


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def required() -> dict[str, tuple[str, str]]:
    """Package -> how it is required ("==" or ">=") and which version."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {name.lower(): (sign, number) for name, sign, number in (re.split(r"(==|>=)", line) for line in lines if line and not line.startswith("#"))}


@pytest.mark.parametrize("package", FLOORS)
def test_installed_and_required_are_at_or_above_the_floor(package: str) -> None:
    assert numbers(version(package)) >= numbers(FLOORS[package])
    assert numbers(required()[package][1]) >= numbers(FLOORS[package]), "an installation elsewhere would be let go below it"


def test_what_is_used_directly_is_pinned() -> None:
    assert {name for name, (sign, _) in required().items() if sign == ">="} <= FLOORS.keys(), "only floors of packages that others bring are open at the top"


def test_the_list_in_the_docs_is_this_one() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert {name: floor for name, floor in re.findall(r"^\| ([a-z0-9-]+) \| ([\d.]+) \|", text, re.MULTILINE)} == FLOORS


def test_a_write_ahead_log_only_where_sqlite_is_free_of_the_reset_bug(tmp_path: Path) -> None:
    assert engine.WAL_IS_SAFE == (sqlite3.sqlite_version_info >= (3, 51, 3))
    store = Store(tmp_path / "store.sqlite")
    store.close()
    with sqlite3.connect(tmp_path / "store.sqlite") as one:
        mode = one.execute("PRAGMA journal_mode").fetchone()[0]
    one.close()
    assert mode == "wal" if engine.WAL_IS_SAFE else mode != "wal"
