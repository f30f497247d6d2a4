"""`digest`, `calendar` and `pack`: what leaves the house. Nothing is sent anywhere unless an address is given."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import pandas as pd

from revscore import company
from revscore.cli.shared import Command, extract, say, stop
from revscore.core import ask
from revscore.core.calendars import date_of
from revscore.core.written import view_from_json
from revscore.governance.verify import frozen
from revscore.rhythm import actions, meetings
from revscore.rhythm.digest import Digest, digest
from revscore.rhythm.figures import figures
from revscore.rhythm.meetings import Meeting
from revscore.rhythm.minutes import minutes, task
from revscore.rhythm.reviews import TITLES
from revscore.rhythm.verdicts import judged_alone
from revscore.store import Store

NOTIFY = "REVSCORE_NOTIFY"
FAILED = 1
DIGEST_HELP = """\
examples:
  python -m revscore digest
  python -m revscore digest --review monthly --period FY26Q2 --markdown
  python -m revscore digest --post slack://TokenA/TokenB/TokenC/

The digest is the answer of the review, what moved by more than chance, overdue actions, and the broken promises with whom they are to be told
to. It is printed; with --post, or with the variable REVSCORE_NOTIFY, it is posted instead: to a chat, by mail, or to any of the services that
Apprise knows (https://appriseit.com/services/). The address often holds a password: the variable keeps it out of the list of processes, and it is
never printed. Nothing else is ever sent.
exit status: 0 printed or posted, 1 could not be posted, 2 refused
"""
CALENDAR_HELP = """\
examples:
  python -m revscore calendar --out rhythm.ics

The meetings of the rhythm with their agendas, in the reporting time zone, and the deadlines and check dates of open actions. Made again and
imported again, it changes the events that are there.
"""
PACK_HELP = """\
examples:
  python -m revscore pack --meeting last --to packs
  python -m revscore pack --meeting 3f2a9c --to packs

A meeting is named by its id, or the beginning of it; "last" is the newest. Its workbook, HTML file and slides are made again from the loads and
definitions that it was held on.
"""


def add(command: Command) -> None:
    """Put the commands on the command line."""
    told = command("digest", "print or post the digest of a review", DIGEST_HELP, run_digest)
    told.add_argument("--review", choices=sorted(TITLES), default="weekly", help="which review; default: weekly")
    told.add_argument("--as-of", metavar="DATE", help="the state as it was known at the end of DATE (2026-11-16) or at an instant; default: the latest")
    told.add_argument("--period", metavar="PERIOD", help="as for metrics; default: the quarter of as-of")
    told.add_argument("--where", action="append", default=[], metavar="DIMENSION=VALUE", help="as for metrics")
    told.add_argument("--markdown", action="store_true", help="print Markdown instead of plain text")
    told.add_argument("--post", metavar="URL", help=f"post it to this address instead of printing it; default: the variable {NOTIFY}")
    dates = command("calendar", "write the rhythm as a calendar file", CALENDAR_HELP, run_calendar)
    dates.add_argument("--out", type=Path, required=True, metavar="FILE.ics", help="the file to write")
    dates.set_defaults(as_of=None)
    packed = command("pack", "write the workbook, HTML file and slides of a meeting", PACK_HELP, run_pack)
    packed.add_argument("--meeting", required=True, metavar="ID", help="its id, the beginning of it, or last")
    packed.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="the folder to write them into")


# -- digest --------------------------------------------------------------------------------------------------------------------------------

def run_digest(args: argparse.Namespace) -> int:
    """Print or post the digest."""
    address = args.post or os.environ.get(NOTIFY, "").strip()
    x, dataset = extract(args)
    view = ask.view_of(x, args.where, args.period or "")
    view = view if view.period else view.during(x.terms.calendar.holding(x.as_of_day, "quarter"))
    found = digest(x, view, args.review, actions.actions(company.open_store(args.store), dataset), date_of(x.as_of_day), company.called(dataset))
    if not address:
        print(found.markdown() if args.markdown else found.text(), end="")
        return 0
    if why := post(found, address):
        say(f"revscore: {why}")
        return FAILED
    print("The digest was posted.")
    return 0


def post(found: Digest, address: str) -> str:
    """Post a digest; "" when it was taken, else why not, in a sentence that never holds the address."""
    import apprise  # knows a hundred services, and is only needed here

    log = logging.getLogger("apprise")
    log.disabled = True  # its messages may hold the address
    quiet = apprise.AppriseAsset(app_id="revscore", app_desc="revscore", app_url="", image_url_mask="", image_url_logo="", secure_logging=True)
    service = apprise.Apprise(asset=quiet)
    try:
        if not service.add(address):
            return "The address to post to is not understood: it begins with the name of a service, such as slack://, mailto:// or json:// (python -m revscore digest --help)."
        if not service.notify(title=f"{found.title}: {found.company}", body=found.markdown(), body_format=apprise.NotifyFormat.MARKDOWN):
            return "The digest could not be posted: the service did not answer, or did not take it. Check the address and the network, then try again."
    except Exception as error:  # of any of its services; its words may hold the address
        return f"The digest could not be posted ({type(error).__name__})."
    finally:
        log.disabled = False
    return ""


# -- calendar ------------------------------------------------------------------------------------------------------------------------------

def run_calendar(args: argparse.Namespace) -> int:
    """Write the calendar."""
    if args.out.suffix.lower() != ".ics":
        return stop(f"{args.out}: the calendar's name must end in .ics")
    from revscore.export.calendar import rhythm_calendar

    x, dataset = extract(args)
    now = pd.Timestamp.now("UTC").floor("s")
    tasks = [task(x, one, verdict=judged_alone(x, one) if one.status == "done" and one.success else None) for one in actions.actions(company.open_store(args.store), dataset)]
    try:
        args.out.write_bytes(rhythm_calendar(x.terms, tasks, dataset, now.tz_convert(x.terms.reporting_tz).date(), now.to_pydatetime()))
    except OSError as error:
        return stop(f"{args.out} cannot be written ({error.strerror}): check its folder, and close it in other programs")
    print(f"{args.out}: the meetings of the rhythm and {sum(one.state == 'open' for one in tasks):,} open actions, in {x.terms.reporting_tz}")
    return 0


# -- pack ----------------------------------------------------------------------------------------------------------------------------------

def run_pack(args: argparse.Namespace) -> int:
    """Write the pack of a meeting."""
    store = company.existing_store(args.store)
    dataset = args.company or company.current(store)
    found = [one for one in meetings.meetings(store, dataset) if args.meeting == "last" or one.id.startswith(args.meeting)]
    if not found:
        return stop(f"there is no meeting {args.meeting} in {dataset}")
    if len(found) > 1 and args.meeting != "last":
        return stop(f"{len(found)} meetings begin with {args.meeting}: write more of the id")
    files = pack_of(store, dataset, found[0])
    try:
        args.to.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (args.to / name).write_bytes(data)
    except OSError as error:
        return stop(f"{args.to} cannot be written ({error.strerror}): check the folder, and close its files in other programs")
    for name, data in files.items():
        print(f"{args.to / name}: {len(data) / 1e6:,.2f} MB")
    return 0


def pack_of(store: Store, dataset: str, held: Meeting) -> dict[str, bytes]:
    """The files of a meeting, made from the loads and definitions that it was held on."""
    from revscore.charts.pictures import of_meeting  # charts and slides take their time to import, and are only needed here
    from revscore.export.pack import pack_files

    x = frozen(store, dataset, held)
    said = minutes(store, dataset, held, x, company=company.called(dataset))
    view = view_from_json(held.frozen.view)
    pictures = of_meeting(said.by_screen, said.tables.get("Bridge"), said.currency, said.finding("bridge"), figures(x, view, said.review))
    return pack_files(said, said.lines, said.tables, pictures, x, view)
