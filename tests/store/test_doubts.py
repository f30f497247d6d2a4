"""What speaks against a load is looked up in the write that would make it; what is written is counted back before it counts."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from revscore.store import NewLoad, Store, StoreError, pack

from .conftest import crm

DEALS = {"opp_id": [f"O{k}" for k in range(10)], "created_at": ["2026-01-05"] * 10, "name": ["x"] * 10}
LEADS = {"lead_id": ["L1"], "created_at": ["2026-01-05"]}


def new(as_of: str, more: dict | None = None, findings: pd.DataFrame | None = None, **tables) -> NewLoad:
    data = crm(as_of, **tables)
    rows = sum(len(frame) for frame in data.tables.values())
    counts = {"rows_read": rows, "rows_kept": rows, "rows_quarantined": 0} | (more or {})
    nothing = pd.DataFrame({"file": pd.Series(dtype="str")})
    return pack(data, nothing, nothing if findings is None else findings, files=(), terms_hints={}, mapping={}, **counts)


def first(opps: int, word: str = "x") -> dict:
    return {"opportunities": {name: values[:opps] for name, values in {**DEALS, "name": [word] * 10}.items()}}


def kinds(store: Store, load: NewLoad, zone: str = "UTC") -> list[str]:
    same, doubts = store.against("company", load, zone)
    return ["same"] if same else [doubt.kind for doubt in doubts]


def save(store: Store, load: NewLoad) -> int:
    with store.together() as one:
        return one.save_load("company", load, "ann").load_id


@pytest.mark.parametrize(("as_of", "tables", "found"), [
    ("2026-03-09T08:00", first(10), []),
    ("2026-03-02T08:00", first(10), ["same"]),
    ("2026-03-02T08:00", first(10, "y"), ["other"]),
    ("2026-03-02T23:00", first(10, "y"), ["other"]),
    ("2026-03-02T23:00", first(10), []),                       # the same rows, a little later: nothing would change
    ("2026-03-01T08:00", first(10, "y"), ["older"]),
    ("2026-03-09T08:00", first(6, "y"), []),
    ("2026-03-09T08:00", first(5, "y"), ["smaller"]),
    ("2026-03-02T09:00", first(5, "y"), ["other", "smaller"]),
    ("2026-03-01T08:00", {"leads": LEADS}, []),                # another table: nothing of it is newer
    ("2026-03-02T08:00", {"leads": LEADS}, []),
])
def test_what_is_asked(store, as_of, tables, found):
    save(store, new("2026-03-02T08:00", **first(10)))
    assert kinds(store, new(as_of, **tables)) == found


def test_a_day_is_the_teams_day(store):
    save(store, new("2026-03-02T23:30", **first(10)))
    late = new("2026-03-03T01:00", **first(10, "y"))
    assert kinds(store, late) == [] and kinds(store, late, "America/New_York") == ["other"]


def test_tables_that_are_only_named_raise_no_doubt(store):
    save(store, replace(new("2026-03-02", **first(10), users={"user_id": ["U1"]}), main=("opportunities",)))
    assert kinds(store, replace(new("2026-03-02", leads=LEADS, users={"user_id": ["U2"]}), main=("leads",))) == []


def test_a_doubt_names_its_load_and_is_confirmed_for_it_or_in_general(store):
    load_id = save(store, new("2026-03-09", **first(10)))
    [doubt] = store.against("company", new("2026-03-02", **first(10, "y")), "UTC")[1]
    assert doubt.key == f"older:{load_id}" and f"load {load_id}" in doubt.text and "ann" in doubt.text
    assert doubt.confirmed(frozenset({"older"})) and doubt.confirmed(frozenset({doubt.key})) and not doubt.confirmed(frozenset({"older:99", "smaller"}))


def test_rows_that_were_corrected_may_come_back(store):
    a, b = new("2026-03-02", **first(10)), new("2026-03-02", **first(9))
    save(store, a)
    save(store, replace(b, corrects=1, why="one too many"))
    assert kinds(store, a) == ["other"]
    again = save(store, replace(a, corrects=2))
    assert again == 3 and len(store.data("company").tables["opportunities"]) == 10
    assert kinds(store, a) == kinds(store, replace(a, dated=False)) == ["same"]
    assert [(load.corrects, load.why) for load in store.loads("company")] == [(2, ""), (1, "one too many"), (None, "")]


def test_without_a_date_the_rows_tell_that_it_is_the_same(store):
    save(store, new("2026-03-02", **first(10)))
    assert kinds(store, replace(new("2026-02-27", **first(10)), dated=False)) == ["same"]
    assert kinds(store, new("2026-02-27", **first(10))) == ["older"]


def test_rows_that_are_not_all_there_are_not_a_load(store):
    load = new("2026-03-02", **first(10))
    short = replace(load, tables={"opportunities": replace(load.tables["opportunities"], rows=11)})
    with pytest.raises(StoreError, match="11 rows were to be saved and 10 are there"):
        save(store, short)
    assert store.loads("company") == () and store.datasets() == ()


def test_every_held_back_row_is_kept_with_its_reason():
    held = pd.DataFrame({"action": ["quarantined"], "reason": ["no id"]})
    assert new("2026-03-02", {"rows_read": 11, "rows_quarantined": 1}, held, **first(10)).rows_quarantined == 1
    with pytest.raises(ValueError, match="2 rows are quarantined, but 1 are kept"):
        new("2026-03-02", {"rows_read": 12, "rows_quarantined": 2}, held, **first(10))
