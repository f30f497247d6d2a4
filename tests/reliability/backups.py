"""Backups while others write, and the way back, again and again: what comes back is a whole state of the store. And how long a million rows take.

`python -m tests.reliability.backups` prints the figures of 20 drills on SQLite (and 5 on PostgreSQL where its server can be started), of a store of 1,000,000 rows, and of the
control: a plain copy of the file under the same writes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pandas as pd

from revscore.core.data import CrmData
from revscore.store import Anchor, Entry, Store, StoreError, backups
from revscore.store.checked import content
from tests.extracts import canonical
from tests.reliability.servers import programs, server
from tests.store.conftest import load, utc

DRILLS, MANY, LIMIT = 20, 1_000_000, 60.0


@dataclass
class Figures:
    """What drills showed. `writes`: acts that others finished while backups were made; `equal`: restored stores with the content that the backup noted."""

    drills: int = 0
    equal: int = 0
    whole: int = 0
    anchored: int = 0
    writes: int = 0
    backup: list[float] = field(default_factory=list)
    restore: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (f"{self.drills} drills, {self.writes} acts by others meanwhile: {self.equal} restored with equal content, {self.whole} whole by their audit log, {self.anchored} with an act that "
                f"was noted before; backup up to {max(self.backup):.1f} s, restore up to {max(self.restore):.1f} s" + "".join(f"\n  {one}" for one in self.faults))

    @property
    def clean(self) -> bool:
        return self.drills == self.equal == self.whole == self.anchored and self.writes >= self.drills and not self.faults


def extract(n: int, rows: int) -> CrmData:
    """A company's leads as of a day of its own."""
    rng = np.random.default_rng(n)
    ids = rng.permutation(rows)
    leads = {"lead_id": [f"00Q5g{one:010d}" for one in ids], "email": [f"person{one}@company{one % 20_000}.example" for one in ids], "segment": rng.choice(["SMB", "Enterprise"], rows),
             "region": rng.choice(["EMEA", "NA", "APAC"], rows), "owner_id": rng.choice([f"U{one}" for one in range(60)], rows), "lead_source": rng.choice(["Web", f"Event {n}", "Partner"], rows),
             "created_at": pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(rng.integers(0, 5_000_000, rows), unit="s")}
    return CrmData(canonical({"leads": leads}), utc("2026-03-02") + pd.Timedelta(days=7 * n), {})


@contextmanager
def writes(place: str | Path, rows: int) -> Iterator[list[int]]:
    """Others who load, decide and define without a pause; how often, in the list."""
    stopped, done, numbers = Event(), [0], count(1)

    def work(store: Store) -> None:
        while not stopped.is_set():
            n = next(numbers)
            if n % 4 == 0:
                load(store, extract(n, rows))
            else:
                store.append("company", Entry("action", f"w{n}", "raised", {"n": n}, "eve"), Entry("decision", f"w{n}", "raised", {}, "eve"))
            done[0] += 1

    with closing(Store(place, wait=60)) as store:
        workers = [Thread(target=work, args=(store,)) for _ in range(2)]
        for one in workers:
            one.start()
        try:
            yield done
        finally:
            stopped.set()
            for one in workers:
                one.join()


def drills(place: str | Path, folder: Path, many: int, rows: int = 3000) -> Figures:
    """Backups of the store at `place` under writes; each restored (of SQLite to a file of its own, of PostgreSQL in its place) and compared."""
    found, in_file = Figures(), isinstance(place, Path)
    with closing(Store(place)) as store:
        load(store, extract(0, rows))
    for number in range(many):
        file = folder / f"b{number}.{'sqlite' if in_file else 'dump'}"
        with writes(place, rows) as done, closing(Store(place, wait=60)) as store:
            before, began, noted = done[0], time.perf_counter(), store.anchor()
            _, made = store.backup(file, "ann")
            found.backup.append(time.perf_counter() - began)
            while done[0] == before:
                time.sleep(0.01)
            found.writes += done[0] - before
        target = folder / f"r{number}.sqlite" if in_file else place
        began = time.perf_counter()
        backups.restore(file, target, "bob", [noted])
        found.restore.append(time.perf_counter() - began)
        with closing(Store(target)) as store:
            with store._engine.connect() as connection:
                found.equal += content(connection) == made.content_sha256
            wrong = store.tampering([noted, Anchor.of(made.anchor)])
            found.whole, found.anchored = found.whole + (not wrong), found.anchored + (noted.seq <= Anchor.of(made.anchor).seq)
            found.faults += [f"drill {number}: {one.what}" for one in wrong[:3]]
            if len([one for one in store.entries("company") if one.record.startswith("w")]) % 2:
                found.faults.append(f"drill {number}: half of an append came back")
        found.drills += 1
        for one in (file, backups.manifest_of(file), *([target] if in_file else [])):
            one.unlink()
    return found


def copies(place: Path, folder: Path, many: int, rows: int = 20_000) -> int:
    """The control: how many plain copies of the file, taken under writes, are no whole store."""
    with closing(Store(place)) as store:
        load(store, extract(0, rows))
    broken = 0
    for number in range(many):
        target = folder / f"c{number}.sqlite"
        with writes(place, rows):
            time.sleep(0.5)
            _slowly(place, target)
        broken += not _whole(target)
        target.unlink()
    return broken


def _slowly(file: Path, target: Path) -> None:
    """As `cp` does on a busy disk: a piece after the other."""
    with open(file, "rb") as source, open(target, "wb") as sink:
        while piece := source.read(131_072):
            sink.write(piece)
            time.sleep(0.002)


def _whole(file: Path) -> bool:
    try:
        _, _, _, found = backups._looked_at(file)
    except Exception:  # whatever a torn file makes of it
        return False
    return not found


def large(folder: Path, rows: int = MANY) -> tuple[float, float, float]:
    """Seconds for the backup and the restore of a store of so many rows, and its MB."""
    with closing(Store(folder / "large.sqlite")) as store:
        load(store, extract(0, rows))
        began = time.perf_counter()
        file, made = store.backup(folder / "large-backup.sqlite", "ann")
        backup = time.perf_counter() - began
    began = time.perf_counter()
    backups.restore(file, folder / "large.sqlite", "ann")
    with closing(Store(folder / "large.sqlite")) as store:
        rows_back = len(store.data("company").tables["leads"])
    restored = time.perf_counter() - began
    if rows_back != rows:
        raise StoreError(f"{rows_back:,} rows came back, not {rows:,}")
    return backup, restored, made.bytes / 1e6


def main() -> int:
    """Print the figures; 1 where a drill failed, the limit was passed, or the control did not fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nightly", action="store_true", help="40 drills instead of 20")
    many = DRILLS * (2 if parser.parse_args().nightly else 1)
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = drills(folder / "store.sqlite", folder, many)
        print(f"SQLite: {found}", flush=True)
        good &= found.clean
        broken = copies(folder / "copied.sqlite", folder, 8)
        print(f"control: a plain copy of the file under writes: {broken} of 8 are no whole store", flush=True)
        good &= broken > 0
        backup, restored, size = large(folder)
        print(f"{MANY:,} rows ({size:.0f} MB): backup {backup:.1f} s, restore {restored:.1f} s (limit {LIMIT:.0f} s)", flush=True)
        good &= restored <= LIMIT
        if programs():
            with server() as there:
                found = drills(there.fresh(), folder, many // 4)
            print(f"PostgreSQL: {found}")
            good &= found.clean
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
