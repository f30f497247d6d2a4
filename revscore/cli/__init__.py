"""The command line, a file a group of commands. The same functions as the pages, so the same numbers."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from revscore.cli import away, backups, export, load, metrics, people, publications
from revscore.cli.shared import of_store, stop
from revscore.core import ask
from revscore.core.terms import TermsError
from revscore.intake import Unusable
from revscore.store import StoreError

_GROUPS = (load, metrics, export, publications, away, people, backups)  # each has `add(command)`
HELP = """\
examples:
  python -m revscore load leads.csv deals.csv          load Monday's extracts
  python -m revscore metrics --id 'funnel.*' --grain month
  python -m revscore export --review weekly weekly.xlsx
  python -m revscore publish --review weekly           close the weekly review: keep its numbers
  python -m revscore verify                            check the audit log, work every published number out again
  python -m revscore backup                            a checked copy of the store, while it is in use; restore puts it back
  python -m revscore people list                       who may come in, and with which roles (people add, change, remove)
  python -m revscore digest                            what the week has to talk about; --post sends it to a chat or by mail
  python -m revscore pack --meeting last --to packs    workbook, HTML file and slides of a meeting

The store is data/revscore.sqlite unless --store or the variable REVSCORE_DB names another one.
Each command explains itself: python -m revscore load --help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except (StoreError, TermsError, ask.AskError, Unusable) as error:
        return stop(str(error))
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    made = argparse.ArgumentParser(prog="python -m revscore", description="revscore: revenue numbers from CRM extracts.", epilog=HELP,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, epilog: str, run: Any, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=epilog, parents=[*parents, of_store()],
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
        one.set_defaults(run=run)
        return one

    for group in _GROUPS:
        group.add(command)
    return made
