"""The process that reads files for the app (`python -m revscore.intake.child`): it knows this package's reading and nothing of the app.

It is asked for one file at a time on its standard input and answers on its standard output, until the input ends. A question is a line of JSON,
followed by the bytes of the file unless it is named by a path. Answers are lines of JSON; behind the line of a sheet its cells follow as an Arrow stream.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from revscore.intake.guards import Limits
from revscore.intake.patterns import TEXT, arrow
from revscore.intake.read import read_one
from revscore.intake.sheet import DroppedRow, Sheet

try:
    import resource
except ImportError:  # Windows: the process that asked watches memory and time
    resource = None  # type: ignore[assignment]
CPU_LIMITED = resource is not None


def main() -> None:
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr                    # nothing but answers on the wire
    _first_to_go()
    _line(answers, {"ready": True})
    while line := questions.readline():
        asked = json.loads(line)
        content = Path(asked["path"]) if "path" in asked else questions.read(asked["size"])
        hold(asked["memory"], asked["seconds"])
        answer(answers, asked["name"], content, Limits(**asked["limits"]), asked["seen"])


def answer(out: IO[bytes], name: str, content: bytes | Path, limits: Limits, seen: dict[str, str]) -> None:
    """Read one file and write what is in it: its steps as they come, its sheets, then its problems with what was seen of contents."""
    def step(fraction: float, detail: str) -> None:
        _line(out, {"step": fraction, "detail": detail})

    try:
        sheets, problems = read_one(name, content, limits, step, seen)
        del content
        while sheets:
            send(out, sheets.pop(0))
        _line(out, {"problems": [asdict(problem) for problem in problems], "seen": seen})
    except (MemoryError, pa.ArrowMemoryError):
        _line(out, {"failed": "memory"})
    except BrokenPipeError:                    # nobody listens any more
        sys.exit(1)
    except Exception as error:                 # a fault of ours must not look like an answer
        _line(out, {"failed": type(error).__name__})


def send(out: IO[bytes], sheet: Sheet) -> None:
    """Write a sheet: a line with all but its cells, then its cells and row numbers as one Arrow stream."""
    _line(out, {"sheet": {"file": sheet.file, "name": sheet.name, "labels": list(sheet.frame.columns), "notes": sheet.notes, "encodings": sheet.encodings, "sums": dict(sheet.sums),
                          "dropped": [asdict(row) for row in sheet.dropped]}})
    cells = [arrow(sheet.frame.iloc[:, at]) for at in range(sheet.frame.shape[1])]
    table = pa.table([*cells, pa.array(sheet.rows)], names=[str(at) for at in range(len(cells) + 1)])
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    out.flush()


def receive(told: dict[str, Any], source: IO[bytes]) -> Sheet:
    """The sheet of a line of `send`, whose cells come next from `source`. Raises pyarrow's errors when they are not what Arrow allows."""
    table = pa.ipc.open_stream(source).read_all()
    table.validate(full=True)
    labels = told["labels"]
    frame = table.select(range(len(labels))).to_pandas(types_mapper={pa.large_string(): TEXT}.get).set_axis(labels, axis=1)
    return Sheet(told["file"], told["name"], frame, table.column(len(labels)).to_numpy(), tuple(DroppedRow(**row) for row in told["dropped"]), tuple(told["notes"]), encodings=tuple(told["encodings"]),
                 sums=told["sums"])


def _line(out: IO[bytes], value: dict[str, Any]) -> None:
    out.write(json.dumps(value).encode() + b"\n")
    out.flush()


def hold(memory: int, seconds: float) -> None:
    """Limit this process to `memory` bytes of address space and `seconds` of CPU time from now on, where the system can, and leave no core file."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = ceil(used.ru_utime + used.ru_stime + seconds)
    for kind, soft in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, cpu), (resource.RLIMIT_AS, memory)):
        hard = resource.getrlimit(kind)[1]
        with suppress(ValueError, OSError):    # macOS takes no limit of the address space
            resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _first_to_go() -> None:
    """When the machine itself runs out of memory, Linux ends this process and not the app."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")


if __name__ == "__main__":
    main()