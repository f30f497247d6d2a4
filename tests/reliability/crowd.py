"""Forty sessions at once on one store: the same file, two files for one day, the same approval, the same action, the same meeting; and those who read meanwhile.

`python -m tests.reliability.crowd [--nightly]`. Two processes (as two servers on one store) of twenty threads each (as its sessions) do one thing in each round, all at
the same moment. Of those who want the same, exactly one gets it and the others are told in a sentence; nobody meets an exception; whoever reads sees one load and
one version of the definitions, through the store's functions and through those of the pages. The control does the same without constraints and locks, and must fail.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import queue
import os
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from revscore import company
from revscore.store import Store, StoreError
from tests.people import whole
from tests.reliability import acts
from tests.reliability.acts import DATASET
from tests.reliability.servers import server

PROCESSES = 2
KINDS = ("same file", "two files", "approval", "action", "meeting", "reading")
WON, TOLD, READ, TORN, RAISED = "won", "told", "read", "torn", "raised"


@dataclass(frozen=True)
class Attempt:
    """What one session did in one round, what became of it, and the seconds that it took. `said`: the sentence, or the traceback."""

    kind: str
    round: int
    outcome: str
    seconds: float
    said: str = ""


@dataclass
class Figures:
    attempts: list[Attempt] = field(default_factory=list)
    seconds: float = 0.0
    doubled: list[str] = field(default_factory=list)

    def count(self, outcome: str, kind: str = "") -> int:
        return sum(one.outcome == outcome and kind in ("", one.kind) for one in self.attempts)

    @property
    def faults(self) -> list[str]:
        """Contests without exactly one winner, exceptions, torn reads, what is in the store more than once."""
        won = Counter((one.kind, one.round) for one in self.attempts if one.outcome == WON)
        contests = {(one.kind, one.round) for one in self.attempts if one.kind != "reading"}
        out = [f"{kind}, round {round_}: {won[kind, round_]} winners" for kind, round_ in sorted(contests) if won[kind, round_] != 1]
        return out + [f"{one.kind}, round {one.round}: {one.said}" for one in self.attempts if one.outcome in (TORN, RAISED)] + self.doubled

    def quantile(self, percent: int, reading: bool) -> float:
        """Seconds, of those who read or of those who write."""
        return float(np.percentile([one.seconds for one in self.attempts if (one.kind == "reading") == reading], percent))

    def __str__(self) -> str:
        won = ", ".join(f"{kind} {self.count(WON, kind)}" for kind in KINDS if kind != "reading")
        rounds = len({one.round for one in self.attempts})
        times = [f"{what} p50 {self.quantile(50, reads):.2f} s, p99 {self.quantile(99, reads):.2f} s" for what, reads in (("writing", False), ("reading", True))]
        return (f"{len(self.attempts)} attempts in {rounds} rounds: {self.count(WON)} winners ({won}), {self.count(TOLD)} told politely, {self.count(READ)} reads, "
                f"{self.count(TORN)} torn, {self.count(RAISED)} exceptions; {'; '.join(times)} ({self.seconds:.0f} s)")


# -- one process of sessions ---------------------------------------------------------------------------------------------------------------

class Sessions:
    """The sessions of one server: they share its store and what its pages keep."""

    def __init__(self, url: str) -> None:
        logging.disable(logging.WARNING)  # Streamlit, on running without a browser
        os.environ["REVSCORE_DB"], os.environ["REVSCORE_FACTS"] = url, "off"
        from revscore.ui import session  # after the environment says which store

        self.store, self.page = session.store(), session
        self.drafts: dict[int, company.Draft] = {}
        self.seen: dict[str, set[str]] = defaultdict(set)

    def prepare(self, n: int) -> None:
        """Read the files of a round, and what its meeting looks at: what comes before anything is written."""
        self.x = company.coded(self.store, DATASET) if n else None
        for mark, day in ((n, 2 * n), (10_000 + n, 2 * n + 1), (20_000 + n, 2 * n + 1)):
            self.drafts[mark] = acts.draft(self.store, day, mark)

    def load(self, mark: int, who: str) -> str:
        report = acts.load(self.store, self.drafts[mark], whole(who))
        return WON if report.status == company.LOADED else told(report.text)

    def act(self, kind: str, n: int, who: str, odd: bool) -> str:
        by = whole(who)
        if kind == "same file":
            return self.load(n, who)
        if kind == "two files":
            return self.load((20_000 if odd else 10_000) + n, who)
        if kind == "reading":
            return self.read()
        if kind == "meeting":
            acts.close_meeting(self.store, n, by, self.x)
        else:
            {"approval": acts.approve_change if n % 2 else acts.accept_idea, "action": acts.raise_action}[kind](self.store, n, by)
        return WON

    def read(self) -> str:
        """What a page reads: from the store itself, then as a page does, with an answer that pages remember."""
        x = company.encoded(self.store, DATASET)
        self.whole(acts.marks(x), x.data.stand.loads, "encoded")
        version, x = self.page.standing(DATASET)
        now = self.page.Now(DATASET, version, x, None)
        answered = now.ask(_marks_under, view=acts.View())
        self.whole(acts.marks(x) | answered, x.data.stand.loads, "page")
        definitions, _ = self.store.terms(DATASET, x.data.stand.definitions)
        self.seen[version] |= {f"{sorted(answered)} {x.terms.benchmark_min_n} {definitions['benchmark_min_n']}"}
        if len(self.seen[version]) > 1 or x.terms.benchmark_min_n != definitions["benchmark_min_n"]:
            raise Torn(f"version {version} was {self.seen[version]}")
        return READ

    def whole(self, marks: set[str], loads: tuple[int, ...], how: str) -> None:
        if len(marks) != 1 or len(loads) != 1:
            raise Torn(f"{how}: {marks} of the loads {loads}")


def told(sentence: str) -> str:
    """What is no load is a sentence."""
    raise StoreError(sentence)


class Torn(Exception):
    """Somebody saw two loads, or two versions of the definitions, at once."""


def _marks_under(x: Any, _view: Any) -> set[str]:
    return acts.marks(x)


def process(url: str, place: int, threads: int, rounds: int, gate: Any, results: Any) -> None:
    """The sessions of one process through all rounds."""
    sessions, found = Sessions(url), []
    inside = threading.Barrier(threads)

    def session(number: int) -> None:
        for n in range(rounds):
            if number == 0:
                sessions.prepare(n)
                if place == 0:
                    before(sessions.store, n)
            inside.wait()
            gate.wait(300)
            me = place * threads + number
            kind, begun = KINDS[(me + n) % len(KINDS)], time.perf_counter()
            try:
                outcome, said = sessions.act(kind, n, f"person {me}", me // len(KINDS) % 2 == 1), ""
            except StoreError as error:
                outcome, said = TOLD, str(error)
            except Torn as error:
                outcome, said = TORN, str(error)
            except Exception:
                outcome, said = RAISED, traceback.format_exc()
            found.append(Attempt(kind, n, outcome, time.perf_counter() - begun, said))
            inside.wait()

    def guarded(number: int) -> None:
        try:
            session(number)
        except threading.BrokenBarrierError:  # another one could not go on
            pass
        except Exception:
            found.append(Attempt("preparing", -1, RAISED, 0.0, traceback.format_exc()))
            inside.abort()
            gate.abort()

    _threads(guarded, threads)
    results.put(found)


def before(store: Store, n: int) -> None:
    """What a round is about, put there before it begins."""
    if n == 0:
        acts.extract(store, -1)
    acts.propose_idea(store, n)
    acts.propose_change(store, n)
    acts.start_meeting(store, n)


def _threads(work: Callable[[int], None], count: int) -> None:
    made = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(count)]
    for one in made:
        one.start()
    for one in made:
        one.join()


# -- the whole -----------------------------------------------------------------------------------------------------------------------------

def run(url: str, rounds: int, threads: int = 20, work: Callable = process) -> Figures:
    """All rounds with `threads` sessions in each of the processes."""
    figures, begun = Figures(), time.monotonic()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["revscore.ui.session", "tests.reliability.acts"])
    results, gate = context.Queue(), context.Barrier(PROCESSES * threads)
    made = [context.Process(target=work, args=(url, place, threads, rounds, gate, results), daemon=True) for place in range(PROCESSES)]
    for one in made:
        one.start()
    for _ in made:
        figures.attempts += _of_one(results, made)
    for one in made:
        one.join()
    figures.seconds = time.monotonic() - begun
    return figures


def _of_one(results: Any, made: list) -> list[Attempt]:
    """What one of the processes has found. Raises RuntimeError when one of them has died."""
    while True:
        try:
            return results.get(timeout=2)
        except queue.Empty:
            if any(one.exitcode for one in made):
                raise RuntimeError("a process of the crowd has died") from None


def judged(url: str, figures: Figures, rounds: int) -> Figures:
    """Adds what is in the store more than once, or not at all."""
    store = Store(url)
    days = Counter(load.as_of for load in store.loads(DATASET))
    figures.doubled = [f"{times} loads for {day}" for n in range(2 * rounds) if (times := days[(day := acts.day(n))]) != 1]
    verbs = Counter((entry.record, entry.verb) for entry in store.entries(DATASET))
    for n in range(rounds):
        once = [(f"action-{n}", "raised"), (f"meeting-{n}", "closed"), (f"change-{n}", "approved") if n % 2 else (f"idea-{n}", "accepted")]
        figures.doubled += [f"{one} is there {verbs[one]} times" for one in once if verbs[one] != 1]
    if len(store.publications(DATASET)) != rounds:
        figures.doubled.append(f"{rounds} meetings were closed, {len(store.publications(DATASET))} publications are there")
    store.close()
    return figures


def careless(url: str, place: int, threads: int, rounds: int, gate: Any, results: Any) -> None:
    """The control: looks whether it is there, then writes, table after table; a reader looks at one table after the other."""
    found: list[Attempt] = []

    def session(number: int) -> None:
        connection = sqlite3.connect(url, timeout=30, isolation_level=None)
        for n in range(rounds):
            gate.wait(300)
            me, begun = place * threads + number, time.perf_counter()
            if me % 5 == 4:
                seen = set()
                for table in ("deals", "leads"):
                    seen.add(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
                    time.sleep(0.03)
                outcome = READ if len(seen) == 1 else TORN
            elif connection.execute("SELECT COUNT(*) FROM loads WHERE day = ?", (n,)).fetchone()[0]:
                outcome = TOLD
            else:
                time.sleep(0.01)  # what lies between looking and writing
                for table in ("deals", "leads", "loads"):
                    connection.execute(f"INSERT INTO {table} VALUES (?, ?)", (n, me))
                outcome = WON
            found.append(Attempt("reading" if me % 5 == 4 else "same file", n, outcome, time.perf_counter() - begun))
        connection.close()

    _threads(session, threads)
    results.put(found)


def control(rounds: int, threads: int = 20) -> Figures:
    """Without constraints and locks: must fail."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "careless.sqlite")
        connection = sqlite3.connect(path)
        connection.executescript("CREATE TABLE deals (day, mark); CREATE TABLE leads (day, mark); CREATE TABLE loads (day, mark)")
        connection.close()
        return run(path, rounds, threads, careless)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nightly", action="store_true", help="forty rounds of forty sessions, also on PostgreSQL")
    args = parser.parse_args()
    rounds, threads, faults = (40, 20, []) if args.nightly else (6, 6, [])

    def say(title: str, url: str) -> None:
        figures = judged(url, run(url, rounds, threads), rounds)
        print(f"{title}, {PROCESSES * threads} sessions: {figures}", *figures.faults[:10], sep="\n  ", flush=True)
        slow = [f"p99 {figures.quantile(99, False):.2f} s of writing is over 2 s"] if args.nightly and figures.quantile(99, False) > 2 else []
        print(*slow, sep="\n")
        faults.extend([*figures.faults, *slow])

    with tempfile.TemporaryDirectory() as folder:
        say(f"SQLite {sqlite3.sqlite_version}", str(Path(folder) / "crowd.sqlite"))
    if args.nightly:
        with server() as postgres:
            say("PostgreSQL", postgres.fresh())
    without = control(rounds, threads)
    print(f"control (no constraints, no locks): {len(without.faults)} faults in {len(without.attempts)} attempts: {without.count(TORN)} torn reads, "
          f"{sum('winners' in one for one in without.faults)} contests without exactly one winner")
    return 1 if faults or not without.faults else 0


if __name__ == "__main__":
    sys.exit(main())
