"""The quick form of `backups`: a drill under load, on both engines."""

from __future__ import annotations

from tests.reliability.backups import drills
from tests.store.conftest import place, server  # noqa: F401


def test_what_is_backed_up_under_load_comes_back_whole(place, tmp_path):  # noqa: F811
    found = drills(place, tmp_path, 1, rows=300)
    assert found.clean, str(found)
