"""One page refresh: five questions under five filters, through revscore, DuckDB and Polars, on one company, in one run.

    pip install duckdb polars        (opponents only; revscore does not need them)
    python tests/bench/page.py [--scale S|M|L] [--rounds N] [--folder PATH]

A script that prints, never a test: machines differ. Every engine has facts of its own, prepared once; what is compared is the refresh after a
change of filter, the engines in turn within each round. All answers must agree. A cold start (Parquet files to facts ready) and a restart are
measured in processes of their own. The last line is JSON: `duckdb_ratio` and `polars_ratio` are revscore's CPU time over theirs (0.25 = a quarter).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from tests.bench import agree, company, ours  # noqa: E402
from tests.bench.questions import FILTERS, QUESTIONS, Filter, ask  # noqa: E402

try:
    from tests.bench import duck, polar
except ImportError:
    sys.exit("The opponents are not installed: pip install duckdb polars")

ENGINES = ("revscore", "duckdb", "polars")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--scale", choices=company.SCALES, default="M")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "revscore-bench")
    arguments.add_argument("--cold", choices=("revscore", "keep", "restart", "duckdb"), help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    home = company.make(chosen.folder, chosen.scale)
    if chosen.cold:
        print(json.dumps(_COLD[chosen.cold](home)))
        return
    shutil.rmtree(home / "kept", ignore_errors=True)
    cold = {name: _own_process(chosen, name) for name in _COLD}
    for name, found in cold.items():
        print(f"{_SAID[name]}: {found['wall_s']:.2f} s, CPU {found['cpu_s']:.2f} s, peak {found['peak_mb']:.0f} MB, facts {found['facts_mb']:.0f} MB")
    cpu, wall, compared = _refreshes(home, chosen.rounds)
    print(f"\n{compared} answers compared, all agree\n\nms a question, mean over the five filters (CPU / wall)")
    for k, question in enumerate(QUESTIONS):
        print(f"{question:12}" + "".join(f"{name:>10} {cpu[e, k]:7.2f} /{wall[e, k]:7.2f}" for e, name in enumerate(ENGINES)))
    page = {"cpu": cpu.sum(axis=1), "wall": wall.sum(axis=1)}
    print(f"{'page':12}" + "".join(f"{name:>10} {page['cpu'][e]:7.2f} /{page['wall'][e]:7.2f}" for e, name in enumerate(ENGINES)))

    def ratio(kind: str, engine: int) -> float:
        return round(float(page[kind][0] / page[kind][engine]), 3)

    print(json.dumps({
        "scale": chosen.scale, "duckdb_ratio": ratio("cpu", 1), "polars_ratio": ratio("cpu", 2), "duckdb_ratio_wall": ratio("wall", 1), "polars_ratio_wall": ratio("wall", 2),
        "page_ms_cpu": round(float(page["cpu"][0]), 2), "page_ms_wall": round(float(page["wall"][0]), 2), "facts_mb": cold["revscore"]["facts_mb"], "peak_mb": cold["revscore"]["peak_mb"],
        "build_ratio": round(cold["revscore"]["wall_s"] / cold["duckdb"]["wall_s"], 3), "build_ratio_cpu": round(cold["revscore"]["cpu_s"] / cold["duckdb"]["cpu_s"], 3),
        "cold_start_s": cold["revscore"]["wall_s"], "restart_s": cold["restart"]["wall_s"]}))


def _refreshes(home: Path, rounds: int) -> tuple[np.ndarray, np.ndarray, int]:
    """[engine, question] milliseconds of CPU and wall, mean over the filters of the best round, and how many answers were compared."""
    x, db = ours.facts(home), duck.connect(home)
    tables = polar.tables(db)
    spent = np.full((2, len(ENGINES), len(QUESTIONS), len(FILTERS), rounds), np.nan)
    compared = 0
    for turn in range(-1, rounds):  # the first turn warms up and is compared
        for k, question in enumerate(QUESTIONS):
            for f, filter_ in enumerate(FILTERS):
                found = []
                for e, run in enumerate(_engines(x, db, tables, question, filter_, turn + 1)):
                    answer, *times = _timed(run)
                    found.append(answer)
                    if turn >= 0:
                        spent[:, e, k, f, turn] = times
                if turn < 0:
                    mine = agree.of_ours(question, found[0])
                    for name, theirs in zip(ENGINES[1:], found[1:], strict=True):
                        wrong = agree.differences(question, mine, agree.of_theirs(question, theirs))
                        if wrong:
                            sys.exit(f"{question} under “{filter_.name}”: revscore and {name} differ in {len(wrong)} numbers, such as {wrong[:3]}")
                        compared += 1
    best = np.median(spent, axis=-1).mean(axis=-1) * 1000
    return best[0], best[1], compared


def _engines(x: Any, db: Any, tables: Any, question: str, chosen: Filter, turn: int) -> list[Callable[[], Any]]:
    times = chosen.times(turn) if question == "bridge" else ()
    return [lambda: ask(x, question, chosen, turn), lambda: getattr(duck, question)(db, chosen, *times), lambda: getattr(polar, question)(tables, chosen, *times)]


def _timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    answer = run()
    return answer, time.process_time() - cpu, time.perf_counter() - wall


# -- cold start ----------------------------------------------------------------------------------------------------------------------------

def _own_process(chosen: argparse.Namespace, name: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, "--scale", chosen.scale, "--folder", str(chosen.folder), "--cold", name], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _measured(make: Callable[[], Any], facts_bytes: Callable[[Any], int]) -> dict[str, float]:
    made, cpu, wall = _timed(make)
    return {"wall_s": round(wall, 3), "cpu_s": round(cpu, 3), "peak_mb": _peak_mb(), "facts_mb": round(facts_bytes(made) / 1e6, 1)}


def _peak_mb() -> float:
    """The most memory that this process ever held. On Linux of this program alone: `ru_maxrss` also knows the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return round(next(int(line.split()[1]) for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")) * 1.024 / 1e3, 1)
    try:
        import resource
    except ImportError:  # not on Windows
        return float("nan")
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3) * 1.024, 1)


_SAID = {"revscore": "revscore, cold start", "keep": "revscore, cold start that keeps its facts", "restart": "revscore, restart from kept facts", "duckdb": "duckdb, cold start"}
_COLD: dict[str, Callable[[Path], dict[str, float]]] = {
    "revscore": lambda home: _measured(lambda: ours.facts(home), ours.facts_bytes),
    "keep": lambda home: _measured(lambda: ours.keep(home), ours.facts_bytes),
    "restart": lambda home: _measured(lambda: ours.kept(home), ours.facts_bytes),
    "duckdb": lambda home: _measured(lambda: duck.connect(home), duck.facts_bytes),
}

if __name__ == "__main__":
    main()
