"""`backup` and `restore`: a checked copy of the store while it is in use, and the way back."""

from __future__ import annotations

import argparse
from pathlib import Path

from revscore import company
from revscore.cli.shared import Command, say, stop, who
from revscore.store import Anchor, backups, default_url

BACKUP_HELP = f"""\
examples:
  python -m revscore backup                            into the folder backups beside the store
  python -m revscore backup --keep                     and keep {backups.DAILY} daily and {backups.WEEKLY} weekly ones
  python -m revscore backup /mnt/safe/monday.sqlite

Made while the store is in use. The copy is opened, its rows and its audit log are checked, and only then it gets its name. Beside it is a manifest
with its SHA-256, the schema and the anchor of the audit log: keep both together, in another place than the store. No secret is in either: the
passwords of sign-in and of the database are not in the store, so note those elsewhere. A store in PostgreSQL is backed up with pg_dump.
exit status: 0 made, 2 refused
"""
RESTORE_HELP = """\
examples:
  python -m revscore restore data/backups/revscore-20261116-070000.sqlite --check
  python -m revscore restore data/backups/revscore-20261116-070000.sqlite
  python -m revscore restore monday.sqlite --anchor 212:9b41…

The backup is checked before anything is touched: its bytes, its rows, its audit log, and any anchor that was noted elsewhere. It is refused while
revscore or another program uses the store. The store that was there stays beside it under another name. The restored store has an act that says so.
exit status: 0 restored (or, with --check, whole), 2 refused
"""


def add(command: Command) -> None:
    """Put the commands on the command line."""
    made = command("backup", "write a checked backup of the store, also while it is in use", BACKUP_HELP, run_backup)
    made.add_argument("file", type=Path, nargs="?", metavar="FILE", help="where to; default: backups/revscore-DATE-TIME beside the store")
    made.add_argument("--keep", nargs="?", const=f"{backups.DAILY},{backups.WEEKLY}", metavar="DAYS,WEEKS",
                      help=f"afterwards remove older backups of that folder: those of {backups.DAILY} days and {backups.WEEKLY} weeks stay, or of as many as given")
    made.add_argument("--as-it-is", action="store_true", help="also of a store that is not as its audit log says")
    back = command("restore", "put a backup in the place of the store", RESTORE_HELP, run_restore)
    back.add_argument("file", type=Path, metavar="FILE", help="the backup; its manifest FILE.json is beside it")
    back.add_argument("--check", action="store_true", help="only check it; the store is left as it is")
    back.add_argument("--anchor", action="append", default=[], metavar="SEQ:SHA256", help="an anchor noted elsewhere, which must be an act of its audit log (repeat for more)")
    back.add_argument("--as-it-is", action="store_true", help="also when it is not as its audit log says")


def run_backup(args: argparse.Namespace) -> int:
    """Write a backup."""
    daily, _, weekly = (args.keep or "1,1").partition(",")
    if not (daily.isdecimal() and weekly.isdecimal() and int(daily) + int(weekly)):
        return stop(f"--keep {args.keep}: write the days and the weeks, such as {backups.DAILY},{backups.WEEKLY}")
    store = company.existing_store(args.store)
    file, made = company.backup(store, who(), args.file, as_it_is=args.as_it_is)
    print(f"{file}: {made.bytes / 1e6:,.1f} MB, checked\nSHA-256: {made.sha256}\nAnchor of the audit log: {made.anchor}")
    gone = backups.keep(file.parent, int(daily), int(weekly)) if args.keep else []
    if gone:
        print(f"{len(gone):,} older {'backup' if len(gone) == 1 else 'backups'} removed from {file.parent}")
    store.close()
    return 0


def run_restore(args: argparse.Namespace) -> int:
    """Put a backup in the place of the store, or only check it."""
    anchors = [Anchor.of(one) for one in args.anchor]
    if args.check:
        made = backups.check(args.file, anchors, as_it_is=args.as_it_is)
        print(f"{args.file}: whole, made {made.made_at} by {made.made_by}, schema {made.schema}, anchor {made.anchor or 'none'}")
        return 0
    made, old = company.restore(args.file, args.store or default_url(), who(), anchors, as_it_is=args.as_it_is)
    print(f"Restored from {args.file}, made {made.made_at} by {made.made_by}; anchor {made.anchor or 'none'}.")
    if old:
        say(f"the store that was there is now {old}; remove it when it is not needed any more")
    return 0
