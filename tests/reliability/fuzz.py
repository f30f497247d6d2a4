"""Files changed at random end in a sentence or a load, never in a traceback: `python -m tests.reliability.fuzz [--nightly] [--count N] [--seed N] [--one SEED]`.

Each mutant has a seed of its own, printed when it fails: `--one SEED` makes and loads it again. The control loads the same mutants with plain readers.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import time
import traceback
from collections import Counter
from functools import cache
from pathlib import Path

import openpyxl
import pandas as pd

from revscore.intake import Intake
from revscore.intake.sheet import Unusable
from tests.reliability import making
from tests.reliability.case_rows import history
from tests.reliability.mutations import mutated, steady
from tests.reliability.outcome import load

ROOT = Path(__file__).resolve().parents[2]
SLOW = 10.0
LINES = 40


@cache
def samples() -> list[tuple[str, bytes]]:
    """Every sample file and the golden workbook, long ones as excerpts of their first rows, and the clean list of deals."""
    out = [("deals.csv", making.text().encode()), ("deals.xlsx", steady(making.workbook())), ("history.csv", history()[1][1])]
    for path in sorted([*(ROOT / "sample_data").glob("*/*.csv"), *(ROOT / "tests/golden/data").glob("*.csv")]):
        rows = path.read_bytes().splitlines(keepends=True)
        out.append((path.name, b"".join(rows[:LINES])))
    for path in sorted((ROOT / "sample_data").glob("*/*.xlsx")):
        for page in (book := openpyxl.load_workbook(path, read_only=True)).worksheets:
            made = openpyxl.Workbook()
            made.active.title = page.title
            for row in page.iter_rows(max_row=LINES, values_only=True):
                made.active.append(row)
            out.append((f"{path.stem} {page.title}.xlsx", steady(making.saved(made))))
        book.close()
    made = openpyxl.load_workbook(ROOT / "tests/golden/golden_workbook.xlsx")
    for page in made.worksheets:
        page.delete_rows(8, page.max_row)
    out.append(("golden.xlsx", steady(making.saved(made))))
    return out


def mutant(seed: int) -> list[tuple[str, bytes]]:
    """The files of one mutant: a changed sample, now and then beside another that is sound."""
    random_ = random.Random(seed)
    name, content = random_.choice(samples())
    files = [(name, mutated(content, name, random_))]
    if random_.random() < 0.15:
        files.append(random_.choice([one for one in samples() if one[0] != name]))
    return files


def ended(files: list[tuple[str, bytes]]) -> str:
    """What became of a mutant, in one word; what was given with it, such as its definitions, may be refused as a whole."""
    try:
        return fate(load(files))
    except Unusable as refusal:
        assert len(str(refusal)) > 20, f"no sentence: {refusal}"
        return "refused"


def fate(intake: Intake) -> str:
    """What became of the rows; AssertionError when something is said without a sentence or rows are lost."""
    for problem in intake.problems:
        assert problem.file and problem.text.endswith(".") and len(problem.text) > 20, f"no sentence: {problem}"
        assert not re.search(r"Error\b|Traceback|0x[0-9a-f]{6}|object at", problem.text), f"a raw error: {problem}"
    for question in intake.questions:
        assert question.text.endswith((".", "?")) and "nan" != question.text, f"no question: {question}"
    assert intake.ledger.read == intake.ledger.kept + intake.ledger.quarantined
    assert intake.ledger.to_mend["reason"].str.len().gt(10).all()
    if any(problem.code != "E_TWICE" for problem in intake.problems):
        return "refused"
    return "asked" if intake.blocking else "held in part" if intake.ledger.quarantined else "loaded" if intake.ledger.read else "nothing in it"


def run(seeds: range, say: bool = False) -> tuple[Counter, list[tuple[int, str]], tuple[float, int]]:
    """(fates, failures as seed and traceback, the slowest as seconds and seed)."""
    fates, failures, slowest, start = Counter(), [], (0.0, 0), time.perf_counter()
    for done, seed in enumerate(seeds, 1):
        files = mutant(seed)
        began = time.perf_counter()
        try:
            fates[ended(files)] += 1
        except Exception:  # the fault that is looked for
            failures.append((seed, traceback.format_exc()))
            if say:
                print(f"FAILED seed {seed} ({', '.join(name for name, _ in files)})\n{failures[-1][1]}", flush=True)
        slowest = max(slowest, (time.perf_counter() - began, seed))
        if say and done % 1000 == 0:
            print(f"{done:,} mutants, {len(failures)} unhandled, slowest {slowest[0]:.2f} s (seed {slowest[1]}), {time.perf_counter() - start:,.0f} s", flush=True)
    return fates, failures, slowest


def control(seeds: range) -> tuple[int, int]:
    """(mutants that a plain reader fails on with a raw exception, mutants that it takes without a word though we refuse or hold back)."""
    raised = taken = 0
    for seed in seeds:
        name, content = mutant(seed)[0]
        try:
            pd.read_excel(io.BytesIO(content), engine="openpyxl") if name.endswith(".xlsx") else pd.read_csv(io.BytesIO(content))
        except Exception:
            raised += 1
        else:
            taken += ended([(name, content)]) in ("refused", "asked", "held in part")
    return raised, taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nightly", action="store_true", help="30,000 mutants")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--one", type=int, help="one mutant again")
    args = parser.parse_args()
    if args.one is not None:
        print(ended(mutant(args.one)))
        return 0
    seeds = range(args.seed, args.seed + (30_000 if args.nightly else args.count))
    fates, failures, slowest = run(seeds, say=True)
    print(f"{len(seeds):,} mutants of {len(samples())} files (seeds {seeds.start:,} to {seeds.stop - 1:,}): {', '.join(f'{n:,} {word}' for word, n in fates.most_common())}; "
          f"{len(failures)} unhandled; slowest {slowest[0]:.2f} s (seed {slowest[1]})")
    some = seeds[:300]
    raised, taken = control(some)
    print(f"control: of {len(some)} of them plain readers fail on {raised} with a raw exception and take {taken} without a word that are refused, asked about or held back in part")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
