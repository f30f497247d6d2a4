"""Troubles of the store's place in short: through the store and in the app, with the control that must fail."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.pages.conftest import app, filled  # noqa: F401
from tests.reliability import disk

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody move a file that is open")
_MOUNTS = pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root may mount a small disk")


@pytest.mark.parametrize("trouble", [pytest.param(one, marks=_MOUNTS) if one.name in disk.ON_A_DISK else one for one in disk.TROUBLES], ids=lambda one: one.name)
def test_a_trouble_is_a_sentence_and_afterwards_it_works_again(trouble: disk.Trouble) -> None:
    found = disk.tried(trouble, commands=trouble.word.startswith("not the store"))
    if found.skipped:
        pytest.skip(found.skipped)
    assert not found.faults


@pytest.mark.parametrize("wal", [False, True], ids=["journal", "wal"])
def test_what_a_killed_client_leaves_behind_is_taken_back(wal: bool) -> None:
    assert not disk.left_behind(wal).faults


@_MOUNTS
def test_without_a_transaction_a_full_disk_leaves_part_of_a_load() -> None:
    left = disk.control()
    assert left
    if left.startswith("skipped"):
        pytest.skip(left)


@pytest.mark.parametrize("name", ["file gone while running", "database of another program", "no database"])
@pytest.mark.parametrize("page", ["scorecard", "data"])
def test_the_app_says_what_is_the_matter_and_goes_on_when_it_is_over(app, filled: Path, tmp_path: Path, name: str, page: str) -> None:  # noqa: F811
    trouble = next(one for one in disk.TROUBLES if one.name == name)
    file = tmp_path / "store.sqlite"
    shutil.copy(filled, file)
    shown = app(file, page)
    assert not shown.exception
    with trouble.make(file):
        shown.run()
        said = " ".join(str(one.value) for one in (*shown.markdown, *shown.error, *shown.warning)).replace("\\", "")
        assert not shown.exception
        assert any(word in said for word in trouble.word.split("|")), said
    shown.run()
    assert not shown.exception and not shown.error
    assert "There is nothing to show" not in " ".join(str(one.value) for one in shown.markdown)
