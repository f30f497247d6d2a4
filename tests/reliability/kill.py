"""kill -9 in a loop while extracts are loaded, ideas and definitions approved, actions finished and meetings closed; then the server's crash.

`python -m tests.reliability.kill [--nightly]`. A client in a process of its own does one act after the other and notes in a journal what it sent and what was
answered; it is killed at any moment. What was not answered is sent again by the next client, now and then also what was. After every kill the store is opened
as anybody would, and must hold everything answered (nothing lost), every act whole (nothing partial) and once (nothing doubled). The control writes the same rows
with `to_sql` in chunks, without a transaction, and must fail.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

import revscore.store.engine as engine
from revscore.governance import changes
from revscore.rhythm import meetings
from revscore.rhythm.log import ACTION, DECISION, DEFINITION, IDEA, MEETING
from revscore.store import Store, StoreError
from tests.reliability import acts
from tests.reliability.acts import ACTS, DATASET, day
from tests.reliability.servers import Server, server

NAMES = tuple(ACTS)
PER_NAMES = 4  # acts that a client does at most before the one in which it is killed
PER_STORE = 25  # kills, then a new store: what is checked must not grow without end
_VERBS = {"propose_idea": (IDEA, "idea", "proposed"), "accept_idea": (IDEA, "idea", "accepted"), "propose_change": (DEFINITION, "change", "proposed"),
          "approve_change": (DEFINITION, "change", "approved"), "raise_action": (ACTION, "action", "raised"), "finish_action": (ACTION, "action", "done"),
          "start_meeting": (MEETING, "meeting", "started"), "decide": (DECISION, "decided", "decided"), "close_meeting": (MEETING, "meeting", "closed")}


@dataclass
class Figures:
    """What a run showed. `unanswered`: acts that were there though the client was killed before it was told. `faults`: sentences."""

    kills: int = 0
    answered: int = 0
    told: int = 0
    resent: int = 0
    unanswered: int = 0
    lost: int = 0
    partial: int = 0
    doubled: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (f"{self.kills} kills, {self.answered} acts answered, {self.told} told politely that it is done already, {self.resent} sent again, {self.unanswered} kept though the answer "
                f"was cut off: {self.lost} lost, {self.partial} partial, {self.doubled} doubled ({self.seconds:.0f} s)")

    @property
    def clean(self) -> bool:
        return not (self.lost or self.partial or self.doubled or self.faults)


# -- the client ----------------------------------------------------------------------------------------------------------------------------

def client(url: str, wal: bool, first: int, journal: str) -> None:
    """One act after the other, from number `first`, until it is killed or the server is gone."""
    engine.WAL_IS_SAFE = wal
    with open(journal, "ab", buffering=0) as notes:  # a write is there when it returns, whatever becomes of this process
        def note(*words: object) -> None:
            notes.write((" ".join(map(str, words)) + "\n").encode())

        store = Store(url)
        for number in range(first, sys.maxsize):
            note("sent", number)
            try:
                ACTS[NAMES[number % len(NAMES)]](store, number // len(NAMES))
            except StoreError as error:
                if "cannot be used" in str(error):
                    return note("trouble", number, error)
                note("told", number, error)
            else:
                note("answered", number)


def chunks(url: str, _wal: bool, first: int, journal: str) -> None:
    """The control: the same rows with `to_sql`, in chunks, without a transaction."""
    place = create_engine(url, isolation_level="AUTOCOMMIT")
    with open(journal, "ab", buffering=0) as notes:
        for number in range(first, sys.maxsize):
            notes.write(f"sent {number}\n".encode())
            frame = pd.DataFrame({"load": number, "row": range(2000)})
            with place.connect() as connection:
                frame.to_sql("rows", connection, if_exists="append", index=False, chunksize=250, method="multi")
            notes.write(f"answered {number}\n".encode())


# -- what must be there --------------------------------------------------------------------------------------------------------------------

def there(store: Store) -> Counter[int]:
    """Act (by its number) -> how often it is there."""
    found: Counter[int] = Counter()
    instants = {load.as_of: 0 for load in store.loads(DATASET)}
    days = {day(n): n for n in range(len(instants) + PER_STORE)}
    found.update(days[load.as_of] * len(NAMES) for load in store.loads(DATASET))
    verbs = {(kind, verb): (NAMES.index(name), f"{prefix}-") for name, (kind, prefix, verb) in _VERBS.items()}
    for entry in store.entries(DATASET):
        place, prefix = verbs.get((entry.kind, entry.verb), (0, "\0"))
        if entry.record.startswith(prefix):
            found[int(entry.record.removeprefix(prefix)) * len(NAMES) + place] += 1
    return found


def halves(store: Store) -> Iterator[str]:
    """What is there in part only, in sentences."""
    loads = store.loads(DATASET)
    if loads and not store.terms(DATASET)[1]:
        yield "there is a load, and the definitions that came with it are not"
    for load in loads[:2]:
        rows = {name: len(frame) for name, frame in acts.tables(0).items()}
        data = store.data_of(DATASET, [load.id])
        if dict(load.table_rows) != rows or {name: len(frame) for name, frame in data.tables.items()} != rows or load.rows_read != sum(rows.values()):
            yield f"load {load.id} has {dict(load.table_rows)}"
        store.ledger(load.id)
    entries = store.entries(DATASET)
    said = {pair: {one.record for one in entries if (one.kind, one.verb) == pair and one.record.startswith("idea-")} for pair in
            ((IDEA, "proposed"), (DECISION, "raised"), (IDEA, "accepted"), (DECISION, "decided"))}
    proposed, raised, accepted, decided = said.values()
    if accepted != decided or proposed != raised:
        yield f"of ideas the backlog and the log of decisions say different things: {accepted ^ decided | proposed ^ raised}"
    config, version = store.terms(DATASET)
    approved = [one for one in changes.changes(store, DATASET) if one.status == "approved"]
    if [one.terms for one in approved] != list(range(version - len(approved) + 1, version + 1)) or (approved and config["benchmark_min_n"] != approved[-1].new):
        yield f"the approved changes {[(one.id, one.terms) for one in approved]} do not fit version {version} of the definitions"
    closed = [one.publication for one in reversed(meetings.meetings(store, DATASET)) if not one.running]
    publications = store.publications(DATASET)
    if closed != sorted(one.id for one in publications):
        yield f"the closed meetings published {closed}, the store has {sorted(one.id for one in publications)}"
    for one in publications[:2]:
        yield from store.broken_seal(one)


def sound(url: str) -> Iterator[str]:
    """What SQLite says about its own file."""
    if "://" in url:
        return
    with closing(sqlite3.connect(url)) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall() + connection.execute("PRAGMA foreign_key_check").fetchall()
    if said != [("ok",)]:
        yield f"the file is damaged: {said[:3]}"


# -- the loop ------------------------------------------------------------------------------------------------------------------------------

def run(fresh: Callable[[], str], kills: int, *, wal: bool = False, longest: float = 0.4, seed: int = 1, crash: Server | None = None, aloud: bool = False, work: Callable = client,
        count: Callable[[str, Figures, dict[int, str]], Counter[int]] | None = None) -> Figures:
    """`kills` of clients on stores that `fresh` gives, each at most `longest` seconds after it has begun. `crash`: it is the server that is stopped, not the client.
    `aloud`: say now and then how it stands."""
    figures, chance, begun = Figures(), random.Random(seed), time.monotonic()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.reliability.acts"])
    with _wal(wal), tempfile.TemporaryDirectory() as folder:
        for kill in range(kills):
            if kill % PER_STORE == 0:
                url, journal, first, answered = fresh(), Path(folder) / f"{kill}.journal", 0, {}
            size = journal.stat().st_size if journal.exists() else 0
            process = context.Process(target=work, args=(url, wal, first, str(journal)), daemon=True)
            process.start()
            notes = 1 + 2 * chance.randrange(PER_NAMES)  # an act is sent, perhaps after some were answered
            _until(lambda journal=journal, size=size, process=process, notes=notes: not process.is_alive() or _lines(journal, size) >= notes)
            time.sleep(chance.uniform(0, chance.choice((0.02, longest))))
            if crash:
                crash.crash()
                process.join(30)  # it is told, and stops
            process.kill()
            process.join()
            if process.exitcode == 1:
                figures.faults.append("a client ended with a traceback")
            if crash:
                crash.start()
            first = _after(journal, size, figures, answered, chance)
            found = (count or _counted)(url, figures, answered)
            figures.unanswered += first not in answered and bool(found[first])
            figures.kills, figures.seconds = figures.kills + 1, time.monotonic() - begun
            if aloud and figures.kills % 50 == 0:
                print(f"  … {figures}", flush=True)
    return figures


def _lines(journal: Path, size: int) -> int:
    return journal.read_bytes()[size:].count(b"\n") if journal.exists() else 0


def _after(journal: Path, size: int, figures: Figures, answered: dict[int, str], chance: random.Random) -> int:
    """Reads what the client noted: the act that comes next, which is the one that was not answered, or half the time the last one that was."""
    last = 0
    for line in journal.read_bytes()[size:].decode().splitlines():
        word, number, *_ = line.split()
        last = int(number)
        if word == "sent":
            figures.resent += last in answered
        elif word in ("answered", "told"):
            answered[last] = word
            figures.answered, figures.told = figures.answered + (word == "answered"), figures.told + (word == "told")
    figures.resent += last not in answered
    return last if last not in answered or chance.random() < 0.5 else last + 1


def _counted(url: str, figures: Figures, answered: dict[int, str]) -> Counter[int]:
    """Opens the store and puts down what is lost, partial or doubled."""
    store = Store(url)
    try:
        found = there(store)
        lost, twice, partial = [n for n in answered if not found[n]], [n for n, times in found.items() if times > 1], [*halves(store)]
    finally:
        store.close()
    figures.lost, figures.doubled, figures.partial = figures.lost + len(lost), figures.doubled + len(twice), figures.partial + len(partial)
    figures.faults += [f"{what}: {NAMES[n % len(NAMES)]} {n // len(NAMES)}" for what, some in (("lost", lost), ("doubled", twice)) for n in some] + partial + [*sound(url)]
    return found


def counted_rows(url: str, figures: Figures, answered: dict[int, str]) -> Counter[int]:
    """The same for the control."""
    place = create_engine(url)
    with place.connect() as connection:
        try:
            rows = dict(connection.exec_driver_sql("SELECT load, COUNT(*) FROM rows GROUP BY load").all())
        except Exception:  # killed before the table was made
            rows = {}
    place.dispose()
    figures.lost, figures.doubled = sum(not rows.get(n) for n in answered), sum(n > 2000 for n in rows.values())
    figures.partial += sum(n % 2000 > 0 for n in rows.values())
    return Counter({n: 1 for n, count in rows.items() if count == 2000})


@contextmanager
def _wal(on: bool) -> Iterator[None]:
    """WAL or TRUNCATE, whatever this SQLite would be trusted with."""
    usual, engine.WAL_IS_SAFE = engine.WAL_IS_SAFE, on
    try:
        yield
    finally:
        engine.WAL_IS_SAFE = usual


def _until(met: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not met() and time.monotonic() < end:
        time.sleep(0.002)


def files(folder: Path) -> Callable[[], str]:
    """New SQLite stores in a folder."""
    return lambda: str(folder / f"{os.urandom(6).hex()}.sqlite")


def control(kills: int) -> Figures:
    """Writing in chunks without a transaction: must fail."""
    with tempfile.TemporaryDirectory() as folder:
        return run(lambda: f"sqlite:///{files(Path(folder))()}", kills, longest=0.1, work=chunks, count=counted_rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nightly", action="store_true", help="500 kills and more, also on PostgreSQL, whose server is crashed too")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    whole, faults = args.nightly, []

    def say(title: str, figures: Figures) -> None:
        print(f"{title}: {figures}", *figures.faults[:20], sep="\n  ", flush=True)
        faults.extend(figures.faults)

    with tempfile.TemporaryDirectory() as folder:
        new = files(Path(folder))
        say(f"SQLite {sqlite3.sqlite_version}, TRUNCATE", run(new, 500 if whole else 40, seed=args.seed, aloud=whole))
        say(f"SQLite {sqlite3.sqlite_version}, WAL forced", run(new, 250 if whole else 20, wal=True, seed=args.seed + 1, aloud=whole))
    if whole:
        with server() as postgres:
            say("PostgreSQL, clients", run(postgres.fresh, 150, seed=args.seed + 2, aloud=True))
            say("PostgreSQL, crashes of the server", run(postgres.fresh, 10, seed=args.seed + 3, crash=postgres))
    without = control(60 if whole else 15)
    print(f"control (to_sql in chunks, no transaction): {without}")
    return 1 if faults or without.clean else 0


if __name__ == "__main__":
    sys.exit(main())
