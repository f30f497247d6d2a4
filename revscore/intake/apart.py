"""Reading in a process of its own, with limits: whatever a file does to a parser, the app and the meeting go on.

One child reads all files of a load. It is started without a fork and without a shell, knows neither the app nor its settings, and may take so much memory and so
much time for a file and no more. A child that dies, takes too much or does not come to an end costs its own file, which is then a problem with a sentence like any
other refusal; the next file gets a new child. What comes back is JSON and Arrow, never code.

Memory: on Linux the system holds the child's address space to the limit; everywhere the child's memory is looked at a few times a second, and it is killed beyond
the limit (Windows and macOS have only this). Time: on Linux and macOS the system ends a child that has used up its CPU time, also when the app is gone; what it
takes on the clock is limited far more loosely, since a machine with much else to do is no fault of the file. Windows has only the clock.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from revscore.intake.child import CPU_LIMITED, receive
from revscore.intake.delimited import Step
from revscore.intake.guards import Limits, Refused
from revscore.intake.read import Progress, listed, refusal, said
from revscore.intake.sheet import Problem, Sheet, Source

_EVERY = 0.1                    # seconds between two looks at a child
_BEGINS = 60                    # seconds in which it must have begun
_CLOCK = 10 if CPU_LIMITED else 1     # times its CPU time: what a child may take on the clock
_OUT_OF_TIME = getattr(signal, "SIGXCPU", None)
# Children at once in one app: two sessions read side by side, the others wait for their turn.
_TURNS = threading.BoundedSemaphore(max(2, (os.cpu_count() or 2) // 2))


def read_apart(sources: Sequence[Source], progress: Progress | None = None, limits: Limits | None = None) -> tuple[list[Sheet], list[Problem]]:
    """As `read.read`, in a limited process. A file that the process does not survive is a problem with a code E_CHILD_…"""
    limits = limits or Limits.given()
    sheets: list[Sheet] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    with Child(limits) as child:
        for name, content, step in listed(sources, problems, progress):
            if not child.has_turn:
                step(0, "waiting until the files of others are read")
                child.take_turn()
            try:
                found, trouble = child.read(name, content, seen, step)
            except Refused as error:
                problems.append(refusal(name, error))
            else:
                sheets += found
                problems += trouble
    said(progress, sheets)
    return sheets, problems


class Child:
    """The reading process, started when first asked and again after it ended. Use it in a `with`: at its end the process is gone."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.has_turn, self.ready = limits, False, False
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        self.has_turn = _TURNS.acquire(blocking=False)
        return self

    def take_turn(self) -> None:
        self.has_turn = _TURNS.acquire()

    def __exit__(self, *_: object) -> None:
        self._end()
        if self.has_turn:
            _TURNS.release()

    def read(self, name: str, content: bytes | Path, seen: dict[str, str], step: Step) -> tuple[list[Sheet], list[Problem]]:
        """Sheets and problems of one file; its contents are added to `seen`. Raises `Refused` (E_CHILD_…) when the process did not survive it."""
        size = _size(content)
        memory = int(self.limits.memory + self.limits.memory_per_byte * size)
        seconds = self.limits.seconds + self.limits.seconds_per_mb * size / 1e6
        where: dict[str, Any] = {"path": str(content.absolute())} if isinstance(content, Path) else {"size": size}
        if self.process is not None and self.process.poll() is not None:
            self._end()
        process = self.process = self.process or _start()
        clock = seconds * _CLOCK
        watch = _Watch(process, memory, clock if self.ready else _BEGINS)
        try:
            with watch:
                process.stdin.write(json.dumps({"name": name, **where, "seen": seen, "memory": memory, "seconds": seconds, "limits": asdict(self.limits)}).encode() + b"\n")
                if not isinstance(content, Path):
                    process.stdin.write(content)
                process.stdin.flush()
                sheets: list[Sheet] = []
                while True:
                    told = json.loads(process.stdout.readline())
                    if "ready" in told:            # the time of a file begins when its process has begun
                        watch.until, self.ready = time.monotonic() + clock, True
                    elif "step" in told:
                        step(told["step"], told["detail"])
                    elif "sheet" in told:
                        sheets.append(receive(told["sheet"], process.stdout))
                    elif "problems" in told:
                        seen.update(told["seen"])
                        return sheets, [Problem(**problem) for problem in told["problems"]]
                    else:
                        watch.cause = told["failed"]
                        break
        except (OSError, ValueError, pa.ArrowException):   # the wire broke, within a line or within the cells
            watch.cause = watch.cause or _end_of(process) or ("died" if self.ready else "start")
        self._end()
        raise _refused(watch.cause, memory, clock if watch.cause == "clock" else seconds)

    def _end(self) -> None:
        """No process is left behind, whatever it was doing."""
        process, self.process, self.ready = self.process, None, False
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close()
        process.wait()


class _Watch:
    """While open: kills a process that takes more than `memory` bytes, or longer than `seconds`; `cause` says for which of the two."""

    def __init__(self, process: subprocess.Popen[bytes], memory: int, seconds: float) -> None:
        self.process, self.memory, self.until, self.cause = process, memory, time.monotonic() + seconds, ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            self.cause = "clock" if time.monotonic() > self.until else "memory" if resident(self.process) > self.memory else ""
            if self.cause:
                self.process.kill()
                return


def _end_of(process: subprocess.Popen[bytes]) -> str:
    """ "time" where the system ended the process for its CPU time, else "". """
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)
    return "time" if process.returncode is not None and -process.returncode == _OUT_OF_TIME else ""


def _start() -> subprocess.Popen[bytes]:
    """A child that finds the same packages as this process, and has nothing else of it: no settings, no addresses, no secrets."""
    inherited = {name: value for name, value in os.environ.items() if name.upper() in _INHERITED}
    environment = {**inherited, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OPENBLAS_NUM_THREADS": "1",
                   "ARROW_DEFAULT_MEMORY_POOL": "system"}
    try:
        return subprocess.Popen(_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
                                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
    except OSError:
        raise _refused("start") from None


def _command() -> list[str]:
    return [sys.executable, "-P", "-m", "revscore.intake.child"]


# What a Python needs of its surroundings to start: where the system keeps libraries and temporary files.
_INHERITED = {"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE"}


def _refused(cause: str, memory: int = 0, seconds: float = 0) -> Refused:
    if cause == "start":
        return Refused("E_CHILD_START", "the process that reads files cannot be started: ask whoever runs revscore whether its Python and its memory are as they should be.")
    smaller = "load fewer rows or columns at a time, or export it as .csv"
    if cause == "time":
        return Refused("E_CHILD_TIME", f"reading the file took more than {seconds:,.0f} seconds of computing and was stopped: {smaller}.")
    if cause == "clock":
        return Refused("E_CHILD_TIME", f"reading the file took more than {seconds:,.0f} seconds and was stopped: {smaller}.")
    if cause == "memory":
        return Refused("E_CHILD_MEMORY", f"reading the file took more than {memory >> 20:,} MB of memory and was stopped: {smaller}.")
    if cause == "died":
        return Refused("E_CHILD_DIED", f"the process that read the file broke down over it (damaged, or in need of more than {memory >> 20:,} MB): export it again as .csv.")
    return Refused("E_CHILD_FAULT", f"the file could not be read to its end (an unforeseen {cause}): export it again as .csv, and report the fault.")


def _size(content: bytes | Path) -> int:
    try:
        return content.stat().st_size if isinstance(content, Path) else len(content)
    except OSError:
        return 0                               # the reading itself says that it cannot be opened


def resident(process: subprocess.Popen[bytes]) -> int:
    """Bytes of memory that a process holds, 0 when it is gone or the system does not say."""
    try:
        if sys.platform == "win32":
            return _resident_windows(process)
        if sys.platform == "linux":
            return int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return int(subprocess.run(["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, check=True).stdout) * 1024
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return 0


def _resident_windows(process: Any) -> int:
    """The working set, as the task manager has it."""
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_: Sequence[tuple[str, Any]] = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD), *((name, ctypes.c_size_t) for name in (
            "peak", "now", "peak_paged", "paged", "peak_pool", "pool", "file", "peak_file"))]

    found = Counters()
    found.cb = ctypes.sizeof(found)
    ask = ctypes.WinDLL("kernel32").K32GetProcessMemoryInfo  # type: ignore[attr-defined]
    ask.argtypes = [wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD]
    return int(found.now) if ask(int(process._handle), ctypes.byref(found), found.cb) else 0


__all__ = ["Child", "read_apart", "resident"]
