"""The kill loop in short: forty kills on SQLite, ten on PostgreSQL, and the control that must fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.reliability import kill
from tests.store.conftest import server  # noqa: F401  a store on the server, if there is one

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")


@pytest.mark.parametrize(("wal", "kills"), [(False, 25), (True, 15)], ids=["truncate", "wal"])
def test_whoever_is_killed_loses_nothing_and_leaves_nothing_half(tmp_path: Path, wal: bool, kills: int) -> None:
    figures = kill.run(kill.files(tmp_path), kills, wal=wal, longest=0.3)
    assert figures.clean and figures.answered, figures.faults


def test_whoever_is_killed_loses_nothing_on_postgresql(server: str) -> None:  # noqa: F811
    figures = kill.run(lambda: server, 10, longest=0.3)
    assert figures.clean and figures.answered, figures.faults


def test_without_a_transaction_the_loop_finds_faults() -> None:
    figures = kill.control(8)
    assert figures.partial or figures.doubled, figures
