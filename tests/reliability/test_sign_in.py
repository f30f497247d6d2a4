"""The quick form: one of each kind is shown what it should be, and nothing is kept of what a stranger uploads."""

from __future__ import annotations

from pathlib import Path

from tests.reliability import sign_in

FEW = ("nobody", "a token that ran out a second ago", "an address that is not verified", "Ada's address, another account", "Max, who was taken off the list", "a cookie with another name inside")
ADA = "Ada, who is on the list"


def test_who_is_let_in(tmp_path: Path) -> None:
    with sign_in.team(tmp_path) as (server, cookies):
        assert {name: sign_in.shown(server, cookies=cookies(name)) for name in (ADA, *FEW)} == {name: sign_in.CASES[name][1] for name in (ADA, *FEW)}
        assert sign_in.kept(server, ({}, 1), (cookies(ADA), 2)) == 2
