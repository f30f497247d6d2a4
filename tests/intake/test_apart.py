"""Reading in a process of its own finds what reading here finds, and nothing that a file does to that process comes over to this one."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from revscore.intake import apart
from revscore.intake.apart import Child, read_apart, resident
from revscore.intake.child import CPU_LIMITED, receive, send
from revscore.intake.guards import Limits
from revscore.intake.read import read
from revscore.intake.sheet import Source
from tests.intake.test_read import packed_as, rewritten, workbook

SAMPLES = Path(__file__).parents[2] / "sample_data"
GOOD = Source("good.csv", b"Id,Name\n1,a\n2,b\n")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the system's limit of address space")


def same(first, second) -> None:
    (sheets, problems), (others, troubles) = first, second
    assert problems == troubles and len(sheets) == len(others)
    for one, other in zip(sheets, others, strict=True):
        assert one.frame.equals(other.frame) and list(one.frame.dtypes) == list(other.frame.dtypes)
        assert np.array_equal(one.rows, other.rows) and one.dropped == other.dropped and one.notes == other.notes and one.place == other.place


def test_what_comes_back_is_what_reading_here_finds():
    """Uneven rows, titles, footers, doubled headings, other encodings, archives, folders, refusals, files that come twice, files that are not there."""
    odd = "Report\n\nId,Name,Name,\n1,a,b,c,d,e\n2,a\n\n3,é,\"x\ny\",\nGrand Total,,,\n".encode("cp1252")
    sources = [GOOD, Source("odd.csv", odd), Source("../again.csv", GOOD.content), Source("book.xlsx", workbook([["Id", "Day"], [1, None], ["2", 3.5]], [["only"]])),
               Source("notes.pdf", b"%PDF-1.4"), Source("gone.csv", Path("/nowhere/gone.csv")), Source("hubspot", SAMPLES / "hubspot"),
               Source("pack.zip", packed_as({"a.csv": "Id,Name\n8,x\n", "b.xlsx": b"no workbook", "c.csv": ""}))]
    steps: list[tuple[str, float, str]] = []
    found = read_apart(sources, lambda *said: steps.append(said))
    here: list[tuple[str, float, str]] = []
    same(found, read(sources, lambda *said: here.append(said)))
    assert steps == here and steps[-1][1] == 1.0 and len({problem.code for problem in found[1]}) >= 4


def test_nothing_is_started_for_nothing(monkeypatch):
    monkeypatch.setattr(apart, "_start", None)
    assert read_apart([]) == ([], [])


def test_the_wire_carries_every_text_and_nothing_but_text():
    [sheet], _ = read([Source("a.csv", 'a,b,"a"\n"\u2028 \U0001f600",,\x07\n'.encode())])
    stream = io.BytesIO()
    send(stream, sheet)
    stream.seek(0)
    same(([receive(json.loads(stream.readline())["sheet"], stream)], []), ([sheet], []))



def endless(rows: int = 400_000) -> Source:
    """A file that takes seconds: the ends of its rows are those of an old Mac."""
    return Source("long.csv", b"Id,Name,Note\r" + b"".join(b"%d,name %d,note\r" % (row, row) for row in range(rows)))


def test_a_child_that_is_killed_costs_its_own_file_only():
    """Not: a hang, a traceback, or the other files lost with it."""
    with Child(Limits()) as child:
        def kill(_fraction: float, _detail: str) -> None:
            os.kill(child.process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))

        seen: dict[str, str] = {}
        with pytest.raises(apart.Refused) as caught:
            child.read("long.csv", endless().content, seen, kill)
        assert caught.value.code == "E_CHILD_DIED" and "export it again" in caught.value.text
        sheets, problems = child.read(GOOD.name, GOOD.content, seen, lambda *_: None)
        assert len(sheets) == 1 and not problems
        pid = child.process.pid
    assert not Path(f"/proc/{pid}").exists()


def test_time_is_limited_and_the_next_file_is_read():
    started = time.monotonic()
    sheets, problems = read_apart([endless(1_200_000), GOOD], limits=Limits(seconds=0.3, seconds_per_mb=0))
    assert time.monotonic() - started < 30
    [problem] = problems
    assert problem.code == "E_CHILD_TIME" and problem.file == "long.csv" and "load fewer rows" in problem.text
    assert [sheet.file for sheet in sheets] == ["good.csv"]


def slowed(does: str) -> list[str]:
    """A child that does something else first whenever it is asked."""
    return [sys.executable, "-c", f"import time\nfrom revscore.intake import child\nreal = child.answer\ndef answer(*given):\n    {does}\n    real(*given)\nchild.answer = answer\nchild.main()"]


@pytest.mark.skipif(not CPU_LIMITED, reason="the system's limit of CPU time")
def test_what_others_take_of_the_machine_is_no_fault_of_the_file(monkeypatch):
    """Not: a good file that is refused because its process had to wait for the processor."""
    monkeypatch.setattr(apart, "_command", lambda: slowed("time.sleep(1.5)"))
    assert [sheet.file for sheet in read_apart([GOOD], limits=Limits(seconds=1, seconds_per_mb=0))[0]] == ["good.csv"]


@pytest.mark.parametrize(("does", "clock", "said"), [("time.sleep(99)", 10, "more than 3 seconds and"), ("while True: pass", 999 if CPU_LIMITED else 10, "seconds")])
def test_a_child_that_does_not_come_to_an_end_is_stopped(monkeypatch, does, clock, said):
    monkeypatch.setattr(apart, "_command", lambda: slowed(does))
    monkeypatch.setattr(apart, "_CLOCK", clock)
    [problem] = read_apart([GOOD], limits=Limits(seconds=0.3, seconds_per_mb=0))[1]
    assert problem.code == "E_CHILD_TIME" and said in problem.text
    assert ("of computing" in problem.text) == (CPU_LIMITED and does.startswith("while"))


def test_a_process_that_cannot_start_is_no_fault_of_the_file(monkeypatch):
    for command in (["/nowhere/python"], [sys.executable, "-c", "raise SystemExit(1)"]):
        monkeypatch.setattr(apart, "_command", lambda command=command: command)
        assert [problem.code for problem in read_apart([GOOD])[1]] == ["E_CHILD_START"]


def stray_cell() -> bytes:
    """One value in the last cell that Excel has: calamine lays out 17 thousand million cells for it."""
    return rewritten(workbook([["Id", "Name"], ["1", "a"]]), "xl/worksheets/sheet1.xml",
                     lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'))


@linux
def test_a_workbook_that_aborts_the_parser_takes_the_child_and_not_us():
    """The control of the guards: with them switched off the parser would end this process without an exception."""
    off = Limits(sheet_rows=2_000_000, sheet_columns=20_000, memory=1 << 30, memory_per_byte=0)
    sheets, problems = read_apart([Source("stray.xlsx", stray_cell()), GOOD], limits=off)
    assert [sheet.file for sheet in sheets] == ["good.csv"]
    assert [problem.code for problem in problems] == ["E_CHILD_DIED"] and "1,024 MB" in problems[0].text


@linux
def test_a_child_beyond_its_memory_is_killed_where_the_system_does_not_hold_it(monkeypatch):
    """As on Windows and macOS: the memory of the child is looked at from here."""
    monkeypatch.setattr(apart, "resident", lambda process: 9 << 30)
    sheets, problems = read_apart([endless(), GOOD])
    assert {problem.code for problem in problems} == {"E_CHILD_MEMORY"} and problems[0].text.endswith(".")


def test_the_memory_of_a_process_is_known():
    with Child(Limits()) as child:
        child.read(GOOD.name, GOOD.content, {}, lambda *_: None)
        assert 20 << 20 < resident(child.process) < 1 << 30
        process = child.process
    assert resident(process) == 0


def test_the_child_has_no_settings_of_ours(monkeypatch):
    """Not: addresses with passwords or cookie secrets in the process that reads strangers' files."""
    monkeypatch.setenv("REVSCORE_DB", "postgresql://user:secret@host/db")
    monkeypatch.setenv("STREAMLIT_SERVER_COOKIE_SECRET", "secret")
    process = apart._start()
    try:
        if sys.platform == "linux":
            assert b"secret" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.kill()
        process.communicate()


def test_children_take_turns(monkeypatch):
    """Not: twenty sessions with twenty parsers at once."""
    monkeypatch.setattr(apart, "_TURNS", threading.BoundedSemaphore(1))
    said: list[str] = []
    with Child(Limits()):
        waiting = threading.Thread(target=read_apart, args=([GOOD], lambda _step, _fraction, detail: said.append(detail)))
        waiting.start()
        time.sleep(0.3)
        assert said == ["good.csv: waiting until the files of others are read"] and waiting.is_alive()
    waiting.join(30)
    assert not waiting.is_alive() and said[-1].startswith("1 sheet,")


def test_the_caps_can_be_set(monkeypatch):
    monkeypatch.setenv("REVSCORE_LIMITS", "sheet_rows=300000 seconds=1.5")
    assert Limits.given() == Limits(sheet_rows=300_000, seconds=1.5)
    monkeypatch.setenv("REVSCORE_LIMITS", "rows=3")
    with pytest.raises(ValueError, match="'rows=3' is no cap and its number"):
        Limits.given()
