"""The server as this project sets it up, asked by strangers; and the app with settings that would let people in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability import server


def test_each_attempt_is_answered_as_it_should_be(tmp_path: Path) -> None:
    with server.serving(tmp_path) as served:
        assert server.attempts(served) == server.ATTEMPTS


@pytest.mark.parametrize("name", ["another address, by the command line", "another address, by the environment"])
def test_a_setting_that_lets_people_in_is_all_that_is_said(tmp_path: Path, name: str) -> None:
    assert server.refused(tmp_path, *server.refusals(tmp_path)[name])
