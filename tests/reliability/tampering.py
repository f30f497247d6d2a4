"""Kinds of tampering with a store, as somebody with the file (or with the database's owner) in hand would do them: each is to be seen and named.

`python -m tests.reliability.tampering` prints, for each kind, how many of five are seen with an anchor that was noted outside the store, and without one. The control: without
an anchor a cut end and a chain that was written anew are seen by nobody.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, bindparam, text

from revscore.store import Entry, Person, Publication, PublishedValue, Store, append_only, audit, tables
from revscore.store.checked import every_act, tampering
from tests.store.conftest import crm, load, utc

ROUNDS = 5


def filled(place: str | Path) -> Store:
    """A store with some acts of every kind."""
    store = Store(place)
    for week in range(3):
        load(store, crm(f"2026-03-{2 + 7 * week:02d}", accounts={"account_id": ["A", f"B{week}"], "name": ["Ärzte 日本", None]}))
        store.save_terms("company", {"fiscal_year_start": week + 1}, "ann", "As the books")
    store.save_mapping("company", "sig", {"Betrag": "opp_history.amount"}, "ann")
    for number in range(6):
        store.append("company", Entry("action", f"a{number}", "raised", {"title": f"Ring them {number}", "size": 0.1 * number}, "ada"))
    value = PublishedValue("k1", "Bookings", "bookings.won_value", "value", {}, {"grain": "month"}, 0.1, 0.1, None, 1.0, {"counted": 1})
    store.publish(Publication("company", "weekly", "Weekly review", utc("2026-03-02"), 1, "d" * 64, (1,), {"where": {}}, "ann"),
                  [(value, pd.DataFrame({"record": ["O1"], "amount": [0.1]}))])
    with store.together() as one:
        one.save_person(Person("cy@x.example", "Cy", ("viewer",)), "ann")
    for number in range(6):
        store.append("company", Entry("action", f"a{number}", "done", {}, "bob"))
    return store


class Hand:
    """What a person with the database in hand can do: the guards are taken away first, and set again at the end, but for `left_off`."""

    def __init__(self, connection: Connection, rng: random.Random) -> None:
        self.connection, self.rng, self.left_off = connection, rng, ""
        self.last = connection.execute(text("SELECT max(seq) FROM audit")).scalar_one()

    def do(self, statement: str, **values: object) -> None:
        self.connection.execute(text(statement), values)

    def some_act(self) -> int:
        """One in the middle."""
        return self.rng.randint(4, self.last - 3)

    def move(self, first: int, last: int, by: int) -> None:
        """Renumber acts."""
        for seq in sorted(range(first, last + 1), reverse=by > 0):
            self.do("UPDATE audit SET seq = :to WHERE seq = :seq", to=seq + by, seq=seq)

    def chain_anew(self) -> None:
        """All hashes made again, and the digests of the rows in the bodies, so that everything fits."""
        now = {(table, key): digest for name in tables.metadata.tables if name not in ("audit", *audit.SEALED)
               for table, key, digest in audit.digests(self.connection, tables.metadata.tables[name])}
        prev = ""
        update = text("UPDATE audit SET body = :body, prev = :prev, hash = :hash WHERE seq = :seq").bindparams(bindparam("body", type_=tables.JSON))
        for act in every_act(self.connection):
            body = act.body
            for table, some in body.get("rows", {}).items():
                body["rows"][table] = {key: now[table, key] for key in some if (table, key) in now}
            digest = audit.chained(act.seq, act.at, act.actor, act.action, body, prev)
            self.connection.execute(update, {"body": body, "prev": prev, "hash": digest, "seq": act.seq})
            prev = digest


def _act_changed(hand: Hand) -> None:
    hand.do(f"UPDATE audit SET {hand.rng.choice(['actor', 'action', 'prev'])} = 'mallory' WHERE seq = :seq", seq=hand.some_act())


def _act_changed_and_hashed(hand: Hand) -> None:
    act = hand.rng.choice(every_act(hand.connection)[3:-3])
    hand.do("UPDATE audit SET actor = 'mallory', hash = :hash WHERE seq = :seq", seq=act.seq, hash=audit.chained(act.seq, act.at, "mallory", act.action, act.body, act.prev))


def _act_removed(hand: Hand) -> None:
    hand.do("DELETE FROM audit WHERE seq = :seq", seq=hand.some_act())


def _act_removed_and_renumbered(hand: Hand) -> None:
    seq = hand.some_act()
    hand.do("DELETE FROM audit WHERE seq = :seq", seq=seq)
    hand.move(seq + 1, hand.last, -1)


def _act_inserted(hand: Hand) -> None:
    seq = hand.some_act()
    hand.move(seq, hand.last, 1)
    hand.do("INSERT INTO audit (seq, at, actor, action, body, prev, hash) SELECT :seq, at, 'mallory', action, '{}', prev, :hash FROM audit WHERE seq = :before",
            seq=seq, before=seq - 1, hash=f"{hand.rng.getrandbits(256):064x}")


def _acts_reordered(hand: Hand) -> None:
    seq = hand.some_act()
    hand.do("UPDATE audit SET seq = -1 WHERE seq = :seq", seq=seq)
    hand.do("UPDATE audit SET seq = :seq WHERE seq = :next", seq=seq, next=seq + 1)
    hand.do("UPDATE audit SET seq = :next WHERE seq = -1", next=seq + 1)


def _gap(hand: Hand) -> None:
    hand.move(hand.some_act(), hand.last, hand.rng.randint(1, 9))


def _end_cut_off(hand: Hand) -> None:
    """The last acts, with all that they wrote."""
    many = hand.rng.randint(1, 5)
    hand.do("DELETE FROM audit WHERE seq > :seq", seq=hand.last - many)
    hand.do("DELETE FROM entries WHERE id IN (SELECT id FROM (SELECT id FROM entries ORDER BY id DESC LIMIT :many) AS last)", many=many)


def _chain_rewritten(hand: Hand) -> None:
    hand.do("UPDATE entries SET verb = 'dropped' WHERE id = :id", id=hand.rng.randint(1, 6))
    hand.chain_anew()


def _row_changed(hand: Hand) -> None:
    hand.do(hand.rng.choice(["UPDATE terms SET why = 'x' WHERE version = 2", "UPDATE loads SET loaded_by = 'mallory' WHERE id = 2", "UPDATE entries SET verb = 'x' WHERE id = 3",
                             "UPDATE mappings SET mapping = '{}'", "UPDATE datasets SET name = 'x'", "UPDATE frames SET row_count = 9"]))


def _row_removed(hand: Hand) -> None:
    hand.do(hand.rng.choice(["DELETE FROM terms WHERE version = 2", "DELETE FROM entries WHERE id = 3", "DELETE FROM mappings", "DELETE FROM load_frames WHERE load_id = 2"]))


def _row_added(hand: Hand) -> None:
    hand.do(hand.rng.choice(["INSERT INTO entries SELECT 99, dataset_id, kind, 'new', 1, verb, fields, \"by\", at FROM entries WHERE id = 1",
                             "INSERT INTO terms SELECT 99, dataset_id, 99, config, saved_by, saved_at, why FROM terms WHERE version = 1",
                             "INSERT INTO mappings SELECT 99, dataset_id, 'other', mapping, saved_by, saved_at FROM mappings"]))


def _content_changed(hand: Hand) -> None:
    hand.connection.execute(text("UPDATE frame_parts SET content = :content WHERE frame_sha256 = (SELECT min(frame_sha256) FROM frame_parts)"), {"content": b"\0" * hand.rng.randint(1, 99)})


def _published_value_changed(hand: Hand) -> None:
    hand.do("UPDATE published_values SET value = :value", value=hand.rng.random())


def _guard_dropped(hand: Hand) -> None:
    hand.left_off = hand.rng.choice(sorted(tables.metadata.tables))


# what is done -> (what it is to be called, how it is done); that name among others is enough: one tampering often shows in several ways
TAMPERED: Mapping[str, tuple[str, Callable[[Hand], None]]] = {
    "act changed": ("act changed", _act_changed),
    "act changed and hashed anew": ("act changed", _act_changed_and_hashed),
    "act removed in the middle": ("act removed", _act_removed),
    "act removed, rest renumbered": ("act removed", _act_removed_and_renumbered),
    "act inserted": ("act inserted", _act_inserted),
    "acts reordered": ("acts reordered", _acts_reordered),
    "gap in the numbers": ("act removed", _gap),
    "end cut off, rows too": ("end cut off", _end_cut_off),
    "whole chain written anew": ("chain rewritten", _chain_rewritten),
    "row changed": ("row changed", _row_changed),
    "row removed": ("row removed", _row_removed),
    "row added": ("row added", _row_added),
    "content of a frame changed": ("content changed", _content_changed),
    "published value changed": ("publication changed", _published_value_changed),
    "guard dropped": ("guard dropped", _guard_dropped),
}
ONLY_WITH_ANCHOR = ("end cut off, rows too", "whole chain written anew")


def tampered(connection: Connection, how: Callable[[Hand], None], seed: int) -> None:
    """Do it, with the guards off."""
    names = sorted(tables.metadata.tables)
    hand = Hand(connection, random.Random(seed))
    off(connection, names)
    how(hand)
    append_only.guard(connection, *names)
    if hand.left_off:
        off(connection, [hand.left_off])


def off(connection: Connection, names: Sequence[str]) -> None:
    """Take guards away."""
    for table in names:
        for name in append_only.statements(connection, table):
            connection.execute(text(f"DROP TRIGGER {name}" + ("" if connection.dialect.name == "sqlite" else f" ON {table}")))


def run(store: Store, rounds: int = ROUNDS) -> dict[str, tuple[int, int]]:
    """What is done -> how many of `rounds` are named with the anchor, and how many are seen at all without it. Each is taken back, so that the next finds a whole store."""
    anchor, found = store.anchor(), {}
    assert store.tampering([anchor]) == ()
    for kind, (name, how) in TAMPERED.items():
        with_anchor = without = 0
        for seed in range(rounds):
            with store._engine.connect() as connection, connection.begin() as doing:
                tampered(connection, how, seed)
                with_anchor += name in {one.kind for one in tampering(connection, [anchor])}
                without += any(tampering(connection))
                doing.rollback()
        found[kind] = (with_anchor, without)
    assert store.tampering([anchor]) == ()
    return found


def main() -> int:
    """Print the figures; 1 where a kind was not named, or the control did not fail."""
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        store = filled(Path(folder) / "store.sqlite")
        found = run(store)
        store.close()
    print(f"tampering, {len(found)} kinds x {ROUNDS}, SQLite, {time.perf_counter() - began:.0f} s")
    print(f"{'kind':34}named, with the anchor   seen without an anchor (control)")
    for kind, (named, without) in found.items():
        print(f"{kind:34}{named} of {ROUNDS}{'':19}{without} of {ROUNDS}")
    print(f"{'all':34}{sum(named for named, _ in found.values())} of {len(found) * ROUNDS}")
    whole = all(named == ROUNDS for named, _ in found.values())
    return 0 if whole and all((found[kind][1] == 0) == (kind in ONLY_WITH_ANCHOR) for kind in found) else 1


if __name__ == "__main__":
    sys.exit(main())
