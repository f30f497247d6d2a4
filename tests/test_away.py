"""Digest, calendar and pack by the command line: the digest against a receiver of our own, no secret in any message, files that open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from icalendar import Calendar
from openpyxl import load_workbook
from pptx import Presentation

from revscore import cli, company
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.view import View
from revscore.core.written import view_as_json
from revscore.rhythm import actions, meetings
from revscore.rhythm.actions import Action, Success
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.digest import digest
from revscore.rhythm.meetings import Frozen

from tests.people import ADA

SECRET = "hunter2secret"
SUCCESS = Success({"metric": "sla.compliance", "measure": "compliance", "label": "Speed to lead kept", "view": view_as_json(View().narrowed(sla_type="speed_to_lead")), "params": {}},
                  0.72, 13, 18, "up", 0.05, "2026-12-14", {})
LATE = Action("late", "Call [back](http://evil.example) <b>now</b>\n\x1b[31m- forged", "Ada", "sales", "2026-11-10", SUCCESS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    """A store with the sample company, a late action, one that is not due, and a closed meeting."""
    folder = tmp_path_factory.mktemp("away")
    store = company.open_store(folder / "store.sqlite")
    company.ensure_sample(store)
    x = company.coded(store, company.SAMPLE)
    actions.raise_action(store, company.SAMPLE, LATE, ADA)
    actions.raise_action(store, company.SAMPLE, replace(LATE, id="later", title="Not due", due="2999-01-01"), ADA)
    view, stand = View.of(x.terms.calendar.holding(x.as_of_day, "quarter")), x.data.stand
    held = meetings.start(store, company.SAMPLE, "weekly", "Weekly review", Frozen(stand.loads, x.data.as_of.isoformat(), stand.definitions or 0, x.terms.digest, view_as_json(view), "This quarter"),
                          AGENDAS["weekly"].ids, ADA)
    meetings.close(store, company.SAMPLE, held, ADA, reason="Half of the room was ill")
    return folder, store, x, view


@pytest.fixture
def run(home, capsys, monkeypatch):
    monkeypatch.delenv("REVSCORE_NOTIFY", raising=False)

    def go(*words: str) -> tuple[int, str, str]:
        status = cli.main([*words, "--store", str(home[0] / "store.sqlite")])
        out = capsys.readouterr()
        return status, out.out, out.err

    return go


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict], list[int]]]:
    """A receiver on this computer: its address, what it was sent, and the status that it answers with."""
    got: list[dict] = []
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append({"path": self.path, "auth": self.headers.get("Authorization"), **json.loads(self.rfile.read(int(self.headers["Content-Length"])))})
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://ada:{SECRET}@127.0.0.1:{server.server_port}/hook", got, status
    server.shutdown()
    server.server_close()


def test_the_digest_says_answer_signals_overdue_actions_and_breaches(home, run):
    _, _, x, view = home
    status, out, _ = run("digest")
    assert status == 0 and out.startswith("Weekly review, Sample company")
    assert "\n- Call [back](http://evil.example) <b>now</b> [31m- forged, Ada (Sales), due 10 Nov 2026: Speed to lead kept from 72.0 % (13 of 18) up by at least 5 points" in out
    assert "\x1b" not in out and "Not due" not in out
    kept = line(x, CARDS["sla.compliance"], view, "", label="Speed to lead kept", own={"sla_type": "speed_to_lead"})
    broken = line(x, CARDS["sla.breach_ageing"], view.during(None))
    assert f"Speed to lead kept {kept.text} ({kept.sample})" in out and f"{broken.value:.0f} promises broken and still open." in out
    assert "Level 4, to be told to the revenue council (from 400 % of the time promised)" in out


def test_deadlines_are_compared_with_the_date_of_the_data_as_in_the_app(run):
    heading = "Overdue actions\n---------------\n"
    assert f"{heading}- Call" in run("digest", "--as-of", "2026-11-11")[1]
    assert f"{heading}None." in run("digest", "--as-of", "2026-11-10")[1]  # due on that day, whatever the clock on the wall says


def test_levels_add_up_to_the_breaches_and_the_running_clocks(home):
    _, store, x, view = home
    found = digest(x, view, "weekly", actions.actions(store, company.SAMPLE), date(2026, 11, 22), "Northlight")
    escalated = line(x, CARDS["sla.breach_ageing"], view.during(None), "escalated")
    assert sum(level.clocks for level in found.levels) == escalated.value
    assert [level.level for level in found.levels] == sorted((level.level for level in found.levels), reverse=True)
    assert [one.id for one in found.overdue] == ["late"] and not digest(x, view, "weekly", actions.actions(store, company.SAMPLE), date(2026, 11, 10), "").overdue


def test_the_markdown_of_a_digest_has_no_markup_of_the_data(run):
    out = run("digest", "--markdown")[1]
    assert "**Call \\[back\\](http&#58;//evil.example) &lt;b&gt;now&lt;/b&gt; \\[31m- forged**" in out and "<b>" not in out and "](http:" not in out


@pytest.mark.parametrize("review", ["weekly", "monthly"])
def test_a_digest_is_posted_to_the_address_and_to_no_other(run, receiver, review):
    address, got, _ = receiver
    status, out, err = run("digest", "--review", review, "--post", address)
    assert (status, out) == (0, "The digest was posted.\n") and SECRET not in out + err
    (sent,) = got
    assert sent["path"] == "/hook" and sent["auth"] and AGENDAS[review].title in sent["title"] and "Overdue actions" in sent["message"]


def test_the_address_may_stand_in_the_environment(run, receiver, monkeypatch):
    address, got, _ = receiver
    monkeypatch.setenv("REVSCORE_NOTIFY", address)
    assert run("digest")[0] == 0 and len(got) == 1


def test_what_is_not_posted_is_said_without_the_address(run, receiver, caplog):
    address, _, status = receiver
    status[0] = 500
    for where in (address, f"json://ada:{SECRET}@127.0.0.1:9/x", f"nonsense {SECRET}", f"slack://{SECRET}"):
        code, out, err = run("digest", "--post", where)
        assert code == 1 and "revscore: The " in err and out == ""
        assert SECRET not in out + err + caplog.text and "127.0.0.1" not in err


def test_the_calendar_is_written_and_read_again(home, run):
    path = home[0] / "rhythm.ics"
    status, out, _ = run("calendar", "--out", str(path))
    found = Calendar.from_ical(path.read_bytes())
    assert status == 0 and "2 open actions" in out and {str(one["UID"]) for one in found.walk("VEVENT")} >= {"weekly.sample@revscore", "late.due.sample@revscore"}
    assert run("calendar", "--out", "rhythm.txt")[0] == 2


def test_a_pack_is_written_and_opens(home, run):
    folder = home[0] / "packs" / "of the week"
    status, out, _ = run("pack", "--meeting", "last", "--to", str(folder))
    assert status == 0 and len(out.splitlines()) == 3
    book, page, deck = (next(folder.glob(f"*{end}")) for end in (".xlsx", ".html", ".pptx"))
    assert "Half of the room was ill" in page.read_text(encoding="utf-8") and "Minutes" in load_workbook(book, read_only=True).sheetnames and len(Presentation(str(deck)).slides) > 8
    assert run("pack", "--meeting", "nothing like it", "--to", str(folder))[0] == 2
