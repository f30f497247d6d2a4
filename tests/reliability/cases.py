"""Bad and ugly files and what must become of each: `python -m tests.reliability.cases [--nightly] [WORD …]` (WORD: only cases whose names hold it).

Every refusal is measured in a process of its own (seconds, extra megabytes); then the control: the same files through plain readers.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import pandas as pd

from tests.reliability.case_rows import CASES
from tests.reliability.outcome import Asked, Case, Files, Held, Refused, deals, faults, load

SECONDS, MEGABYTES = 2.0, 200
READERS = ("pandas.read_csv", "read_excel, openpyxl", "read_excel, calamine")


def run(case: Case, full: bool = False) -> list[str]:
    """Load the files of a case here; what is wrong, empty when it is as expected."""
    return faults(case, load(case.make(full), case.answers))


def measured(files: Files, answers: dict[str, str]) -> tuple[float, float]:
    """Seconds of the processor and extra megabytes that loading took in this process, after a clean file has warmed it."""
    import resource
    load(deals())
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    load(files, answers)
    return time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def plain(reader: str, content: bytes) -> bool:
    """Whether a plain reader takes the file without an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if reader == READERS[0]:
                return len(pd.read_csv(io.BytesIO(content))) > 0
            return len(pd.read_excel(io.BytesIO(content), engine=reader.split(", ")[1])) > 0
        except Exception:  # whatever it raises, it did not load
            return False


def bad(case: Case) -> bool:
    """Whether the file must be refused, asked about, or held back in part."""
    return isinstance(case.expected, (Refused, Held, Asked))


def control(cases: list[Case], full: bool = False, each: bool = False) -> dict[str, tuple[int, int]]:
    """Reader -> (files that it loads, files that must be refused or held back in part)."""
    out = {}
    for reader in READERS:
        counts = Counter()
        for case in filter(bad, cases):
            files = case.make(full)
            if files[0][0].endswith(".csv") == (reader == READERS[0]) and files[0][0].endswith((".csv", ".xlsx")):
                counts[_child("control", case, full, reader)["loads"] if each else plain(reader, files[0][1])] += 1
        out[reader] = counts[True], counts.total()
    return out


def _child(task: str, case: Case, full: bool, reader: str = "") -> dict[str, object]:
    """`task` for one case in a process of its own, with a limit of memory and time; a process that dies loads nothing."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, (name, content) in enumerate(case.make(full)):
            Path(folder, str(number)).write_bytes(content)
            files.append(name)
        Path(folder, "case.json").write_text(json.dumps({"task": task, "reader": reader, "files": files, "answers": dict(case.answers)}), encoding="utf-8")
        try:
            done = subprocess.run([sys.executable, "-m", "tests.reliability.cases", "--one", folder], capture_output=True, text=True, timeout=60, check=True)
            return json.loads(done.stdout.splitlines()[-1])
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            return {"loads": False, "seconds": 60.0, "megabytes": -1.0}


def _one(folder: Path) -> dict[str, object]:
    import resource
    told = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    files = [(name, (folder / str(number)).read_bytes()) for number, name in enumerate(told["files"])]
    if told["task"] == "control":
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        return {"loads": plain(told["reader"], files[0][1])}
    seconds, megabytes = measured(files, told["answers"])
    return {"seconds": seconds, "megabytes": megabytes}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--nightly", action="store_true", help="files of full size, each refusal in its own process, and the control")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(_one(args.one)))
        return 0
    cases = [case for case in CASES if not args.words or any(word in case.name for word in args.words)]
    failed, slowest, peak = 0, (0.0, ""), (0.0, "")
    for case in cases:
        try:
            wrong = run(case, args.nightly)
        except Exception as error:  # a traceback is the fault that is looked for
            wrong = [f"{type(error).__name__}: {error}"]
        if isinstance(case.expected, Refused) and args.nightly:
            took = _child("load", case, True)
            slowest, peak = max(slowest, (took["seconds"], case.name)), max(peak, (took["megabytes"], case.name))
            wrong += [f"{took['seconds']:.1f} CPU s"] if took["seconds"] > SECONDS else []
            wrong += [f"{took['megabytes']:.0f} MB"] if not 0 <= took["megabytes"] <= MEGABYTES else []
        failed += bool(wrong)
        for text in wrong:
            print(f"FAILED {case.name}: {text[:900]}")
    kinds = Counter(type(case.expected).__name__ for case in cases)
    print(f"{len(cases)} cases ({', '.join(f'{n} {kind.lower()}' for kind, n in kinds.most_common())}), {len(cases) - failed} as expected, {failed} not")
    if args.nightly:
        print(f"slowest refusal {slowest[0]:.2f} CPU s ({slowest[1]}), most memory {peak[0]:.0f} MB ({peak[1]})")
        for reader, (loads, total) in control(cases, full=True, each=True).items():
            print(f"control: {reader} loads {loads} of {total} files that must be refused, asked about or held back in part, without an exception")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
