"""The rooms and the arrows between them, read from the syntax trees. A new arrow is a decision: change it here, and say why in docs/decisions.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# room -> rooms it may import (always also itself)
ARROWS = {
    "core": set(),
    "intake": {"core"},
    "store": {"core"},
    "charts": {"core"},
    "people": {"core", "store"},
    "rhythm": {"core", "store", "people"},  # who writes says so, and the service asks whether that one may
    "governance": {"core", "store", "people", "rhythm"},  # what was published stands on the targets that the team had set
    "export": {"core", "rhythm"},
    "company": {"core", "intake", "store", "people", "rhythm"},  # what app and command line share: files into the store, and out of it the coded extract with what the team has set
    "ui": {"core", "intake", "store", "people", "charts", "rhythm", "governance", "export", "company"},
    "cli": {"core", "intake", "store", "people", "charts", "rhythm", "governance", "export", "company"},
    "__main__": {"cli"},
    "pages": {"ui", "rhythm"},  # a page names the review that it shows
    "app": {"ui"},
}
# third-party package -> rooms that may import it
PACKAGES = {"streamlit": {"ui", "pages", "app"}, "altair": {"charts"}, "sqlalchemy": {"store", "intake"}, "alembic": {"store"}, "openpyxl": {"export"},
            "python_calamine": {"intake"}, "pptx": {"export"}, "vl_convert": {"export"}, "apprise": {"cli"}, "icalendar": {"export"}}
CORE_MAY = {"numpy", "pandas"}


def sources() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "revscore").rglob("*.py")):
        part = path.relative_to(ROOT / "revscore").parts[0]
        if part != "__init__.py":
            yield part.removesuffix(".py"), path
    for path in sorted((ROOT / "pages").glob("*.py")):
        yield "pages", path
    yield "app", ROOT / "app.py"


def imports(path: Path) -> set[str]:
    """Full names that a file imports; `from a import b` counts as a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize(("room", "path"), list(sources()), ids=lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else value)
def test_imports_follow_the_arrows(room: str, path: Path) -> None:
    allowed = ARROWS[room] | {room}
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "revscore" and len(parts) > 1:
            assert parts[1] in allowed, f"{room} may not import {name}"
        for package, rooms in PACKAGES.items():
            if parts[0] == package:
                assert room in rooms, f"{room} may not import {package}"


def test_core_needs_nothing_but_numpy_and_pandas() -> None:
    import sys

    for room, path in sources():
        if room == "core":
            outside = {name.split(".")[0] for name in imports(path)} - CORE_MAY - {"revscore", "__future__"} - set(sys.stdlib_module_names)
            assert not outside, f"{path.name} imports {outside}"


def test_core_reads_no_clock_file_or_environment() -> None:
    for room, path in sources():
        if room == "core":
            assert not imports(path) & {"os", "time", "pathlib.Path", "random"}, path.name
            assert "now(" not in path.read_text(encoding="utf-8").replace("open_now(", ""), path.name


def test_no_data_is_ever_rendered_as_html() -> None:
    for _, path in sources():
        assert "unsafe_allow_html" not in path.read_text(encoding="utf-8"), path
