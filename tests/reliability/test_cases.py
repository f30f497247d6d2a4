"""Every bad and ugly file ends as it must; plain readers take most of those that must be refused, asked about or held back in part."""

from __future__ import annotations

import pytest

from tests.reliability import making
from tests.reliability.cases import CASES, Case, control, run
from tests.reliability.outcome import deals, load


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:80].encode("ascii", "replace").decode())
def test_a_bad_or_ugly_file_ends_as_it_must(case: Case) -> None:
    assert not run(case)


def test_there_are_enough_and_no_two_of_one_name() -> None:
    assert len(CASES) >= 190 and len({case.name for case in CASES}) == len(CASES)


def test_the_clean_file_is_what_its_records_say() -> None:
    """What all other files are held against, worked out without our readers."""
    tables = load(deals()).data.tables
    got = tables["opportunities"].set_index("opp_id")
    last = tables["opp_history"].drop_duplicates("opp_id", keep="last").set_index("opp_id")
    for n, (_, name, account, owner, stage, amount, currency, close, created, _) in enumerate(making.rows()):
        one, state = got.loc[making.whole_id(n)], last.loc[making.whole_id(n)]
        assert (one["name"], one["account_id"], one["owner_id"], one["currency"]) == (name, account, owner, currency)
        assert (one["created_at"].date(), state["close_date"].date(), state["amount"], state["stage"]) == (created, close, amount, stage)


def test_the_control_plain_readers_take_them() -> None:
    """The guards switched off: what pandas loads of it without an exception."""
    few = [case for case in CASES if "bomb" not in case.name and not case.name.startswith(("1,", "100,", "one stray value"))][::4]
    loads = control(few)
    assert all(taken > total / 3 for taken, total in loads.values()), loads
