"""Troubles of the store's place, through the store, the command line and the app: full disk, lock, read-only, file gone, of another program, damaged, left behind.

`python -m tests.reliability.disk`. Each case makes the trouble, asks for a sentence (never a traceback), ends the trouble, and asks that it works again, with all that
was answered before. The control is the same full disk under writes without a transaction: it leaves part of a load. What needs a small file system or another
user needs root, and says so where it is not.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from revscore.store import Entry, Store, StoreError
from tests.reliability.acts import DATASET, extract

ROOT = Path(__file__).parents[2]
WAIT = 0.3  # seconds that a write waits for another one, here


@dataclass(frozen=True)
class Trouble:
    """`make` brings the trouble to a store's file and, left, takes it away. `reads`, `starts`: whether it can still be read, and opened anew, meanwhile. `word`: of the sentence."""

    name: str
    make: Callable[[Path], object]
    word: str
    reads: bool = False
    starts: bool = False


@dataclass
class Outcome:
    """What was said while the trouble lasted, through the store, a new store and the command line; faults in sentences."""

    name: str
    said: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    skipped: str = ""


# -- the troubles --------------------------------------------------------------------------------------------------------------------------

@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program writes to it and does not end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def missing(file: Path) -> Iterator[None]:
    """Somebody moved it."""
    away = file.with_suffix(".away")
    file.rename(away)
    yield
    assert not file.exists(), "a new, empty store was made in the place of the one that is gone"
    away.rename(file)


@contextmanager
def foreign(file: Path) -> Iterator[None]:
    """The database of another program lies there."""
    away = file.with_suffix(".away")
    file.rename(away)
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE recipes (id INTEGER)")
        other.commit()
    yield
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (1,), "something was written into the database of another program"
    away.replace(file)


@contextmanager
def no_database(file: Path) -> Iterator[None]:
    """A text lies there."""
    kept = file.read_bytes()
    file.write_bytes(b"notes of a meeting, " * 400)
    yield
    file.write_bytes(kept)


@contextmanager
def torn(file: Path) -> Iterator[None]:
    """The second half of it is gone."""
    kept = file.read_bytes()
    file.write_bytes(kept[:4096 * (len(kept) // 8192)])
    yield
    file.write_bytes(kept)


@contextmanager
def scribbled(file: Path) -> Iterator[None]:
    """Every page but the first was overwritten."""
    kept = file.read_bytes()
    file.write_bytes(kept[:4096] + os.urandom(len(kept) - 4096))
    yield
    file.write_bytes(kept)


@contextmanager
def read_only_disk(file: Path) -> Iterator[None]:
    """Its disk is mounted read-only."""
    subprocess.run(["mount", "-o", "remount,ro", file.parent], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", file.parent], check=True)


@contextmanager
def full(file: Path) -> Iterator[None]:
    """Its disk is full."""
    ballast = file.parent / "ballast"
    with ballast.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\1" * 4096)
        except OSError:
            pass
    yield
    ballast.unlink()


TROUBLES = (
    Trouble("locked by another program", locked, "in use by another program"),
    Trouble("file gone while running", missing, "is gone|cannot be opened", starts=True),
    Trouble("database of another program", foreign, "not the store that was opened|database of another program"),
    Trouble("no database", no_database, "not a SQLite database|damaged"),
    Trouble("half of it gone", torn, "damaged"),
    Trouble("overwritten", scribbled, "damaged"),
    Trouble("read-only disk", read_only_disk, "read-only", reads=True, starts=True),
    Trouble("disk full", full, "disk is full", reads=True, starts=True),
)
ON_A_DISK = ("read-only disk", "disk full")


# -- one trouble ---------------------------------------------------------------------------------------------------------------------------

def tried(trouble: Trouble, commands: bool = True) -> Outcome:
    """The trouble on a store of its own: what was said, and what went wrong. `commands`: also on the command line."""
    found = Outcome(trouble.name)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if trouble.name in ON_A_DISK:
            if why := no_mount(folder):
                found.skipped = why
                return found
            stack.callback(subprocess.run, ["umount", folder], check=True)
        file = folder / "store.sqlite"
        store = Store(file, wait=WAIT)
        stack.callback(store.close)
        extract(store, 1)
        store.append(DATASET, Entry("action", "a", "raised", {"title": "Before"}, "ann"))
        store.close()  # a disk with an open file cannot be made read-only; the store opens its file again by itself
        with trouble.make(file):
            for n in range(2):  # the second time on what the first one left
                told(found, trouble, "write", lambda n=n: store.append(DATASET, Entry("action", f"b{n}", "raised", {"title": "x" * 200_000}, "ann")))
                told(found, trouble, "load", lambda n=n: extract(store, 2 + n))
                told(found, trouble, "read", lambda: store.entries(DATASET) and store.data(DATASET), trouble.reads)
            if trouble.name != "file gone while running":  # a new process would begin anew
                told(found, trouble, "new store", lambda: Store(file, wait=WAIT).close(), trouble.starts)
                if commands:
                    command_line(found, trouble, file)
        works_again(found, store, file)
    return found


def told(found: Outcome, trouble: Trouble, what: str, do: Callable[[], object], works: bool = False) -> None:
    """`do` says the trouble's sentence, or works where it can."""
    try:
        do()
    except StoreError as error:
        found.said.append(f"{what}: {error}")
        if works or not any(word in str(error) for word in trouble.word.split("|")) or "\n" in str(error):
            found.faults.append(f"{trouble.name}, {what}: {error}")
    except Exception as error:
        found.faults.append(f"{trouble.name}, {what}: {type(error).__name__}: {error}")
    else:
        if not works:
            found.faults.append(f"{trouble.name}, {what}: it was done, as if nothing were the matter")


def command_line(found: Outcome, trouble: Trouble, file: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "revscore", "publish", "--review", "weekly", "--store", str(file)], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
                          env={**os.environ, "REVSCORE_FACTS": "off"}, check=False)
    found.said.append(f"command line: {done.stderr.strip()}")
    if done.returncode != 2 or "Traceback" in done.stderr or not any(word in done.stderr for word in trouble.word.split("|")):
        found.faults.append(f"{trouble.name}, command line: exit status {done.returncode}: {done.stderr[-400:]}")


def works_again(found: Outcome, store: Store, file: Path) -> None:
    """All that was answered is there, what was refused is not, and new writes go through, in the store that saw the trouble and in a new one."""
    again = Store(file)
    for name, one in (("the same store", store), ("a new store", again)):
        try:
            records = [entry.record for entry in one.entries(DATASET) if entry.kind == "action" and entry.record[0] in "ab"]
            if records != ["a"] or [load.as_of.day for load in one.loads(DATASET)][-1:] != [12]:
                found.faults.append(f"{found.name}: afterwards {name} has {records} and {len(one.loads(DATASET))} loads")
            one.append(DATASET, Entry("action", f"new {name}", "raised", {}, "ann"))
        except Exception as error:
            found.faults.append(f"{found.name}, afterwards {name}: {type(error).__name__}: {error}")
    again.close()
    with closing(sqlite3.connect(file)) as connection:
        if (said := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            found.faults.append(f"{found.name}: afterwards {said[:3]}")


def no_mount(folder: Path) -> str:
    """Makes `folder` a small disk; why not, where that cannot be."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return "only root may mount a small disk"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, text=True, check=False)
    return f"no small disk can be mounted here: {done.stderr.strip()}" if done.returncode else ""


# -- what is left behind, and the control --------------------------------------------------------------------------------------------------

def left_behind(wal: bool) -> Outcome:
    """A client that is killed in the middle of a write leaves a journal or a WAL file: whoever opens the store next finds all that was answered, and nothing else."""
    found = Outcome(f"{'WAL' if wal else 'journal'} left behind")
    script = ("import sys, os, revscore.store.engine as e; e.WAL_IS_SAFE = sys.argv[2] == 'wal'\n"
              "from revscore.store import Entry, Store\n"
              "store = Store(sys.argv[1]); store.append('company', Entry('action', 'a', 'raised', {}, 'ann'))\n"
              "connection = store._engine.connect().execution_options(revscore_write=True); connection.begin()\n"
              "connection.exec_driver_sql('PRAGMA cache_size = 2')\n"
              "from revscore.store import log\n"
              "log.append(connection, 'company', [Entry('action', f'b{n}', 'raised', {'text': 'x' * 90_000}, 'ann') for n in range(20)])\n"
              "print('written', flush=True); os.kill(os.getpid(), 9)")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.sqlite"
        subprocess.run([sys.executable, "-c", script, file, "wal" if wal else "truncate"], cwd=ROOT, check=False, capture_output=True)
        left = [one.name for one in Path(folder).iterdir() if one.name != file.name and one.stat().st_size]
        found.said.append(f"left behind: {', '.join(sorted(left)) or 'nothing'}")
        if not left:
            found.faults.append(f"{found.name}: nothing was left behind, so nothing was tried")
        store = Store(file)
        if [entry.record for entry in store.entries(DATASET)] != ["a"]:
            found.faults.append(f"{found.name}: {[entry.record for entry in store.entries(DATASET)]}")
        store.append(DATASET, Entry("action", "new", "raised", {}, "ann"))
        store.close()
    return found


def control() -> str:
    """A full disk under writes in chunks without a transaction: what is left of the load, "" where it is whole or not there at all."""
    with tempfile.TemporaryDirectory() as folder:
        if why := no_mount(Path(folder)):
            return f"skipped: {why}"
        try:
            with closing(sqlite3.connect(Path(folder) / "rows.sqlite", isolation_level=None)) as connection:
                connection.execute("CREATE TABLE rows (row)")
                try:
                    for _ in range(200):
                        connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO rows SELECT hex(randomblob(50)) FROM n")
                except sqlite3.DatabaseError:
                    pass
                rows = connection.execute("SELECT COUNT(*) FROM rows").fetchone()[0]
            return f"{rows:,} of 100,000 rows" if 0 < rows < 100_000 else ""
        finally:
            subprocess.run(["umount", folder], check=True)


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    faults, begun = [], time.monotonic()
    for try_ in (*(partial(tried, one) for one in TROUBLES), partial(left_behind, False), partial(left_behind, True)):
        found = try_()
        print(f"{found.name}: " + (f"skipped, {found.skipped}" if found.skipped else "as it should be" if not found.faults else "FAULTS"))
        print(*(f"    {line}" for line in (*dict.fromkeys(found.said), *found.faults)), sep="\n", flush=True)
        faults += found.faults
    left = control()
    print(f"control (full disk, no transaction): {left or 'whole'} ({time.monotonic() - begun:.0f} s)")
    return 1 if faults or not left else 0


if __name__ == "__main__":
    sys.exit(main())
