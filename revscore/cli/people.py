"""`people`: who may come in, and with which roles."""

from __future__ import annotations

import argparse

import pandas as pd

from revscore import company
from revscore.cli.shared import Command, print_frame, say, stop, who
from revscore.people import MATRIX, ROLES, TITLES, WORDS, accounts
from revscore.store import Person

HELP = """\
examples:
  python -m revscore people list
  python -m revscore people add ada@company.example --role admin --role revops --name "Ada Nayfield"
  python -m revscore people add bo@company.example --role editor --owner 005A1 --sees "own rows"
  python -m revscore people change bo@company.example --role editor --role approver
  python -m revscore people remove bo@company.example
  python -m revscore people unbind bo@company.example   the next account with this address is taken
  python -m revscore people roles                       what each role may do

Only for a team that signs in: on one's own machine there is nobody else. Roles add up; --role, given once or more, replaces all roles of a person.
With --sees "own rows" somebody sees the numbers of the team, and of records only those that --owner (an id of the CRM) owns.
"""


def add(command: Command) -> None:
    """Put the command on the command line."""
    found = command("people", "say who may come in, and with which roles", HELP, run)
    found.add_argument("what", choices=("list", "add", "change", "remove", "unbind", "roles"))
    found.add_argument("email", nargs="?", metavar="EMAIL", default="")
    found.add_argument("--role", action="append", choices=tuple(ROLES), help="a role (repeat for more)")
    found.add_argument("--name", help="what the person is called")
    found.add_argument("--owner", metavar="ID", help="the person's id in the CRM: the owner of leads and deals")
    found.add_argument("--sees", choices=("team", "own rows"), help="whose records the person sees; default: the team's")
    found.add_argument("--format", choices=("table", "csv", "json"), default="table")


def run(args: argparse.Namespace) -> int:
    """List or change who may come in."""
    if args.what == "roles":
        print_frame(roles(), args.format)
        return 0
    store, by = (company.open_store if args.what == "add" else company.existing_store)(args.store), who()
    if args.what == "list":
        print_frame(listed(accounts.people(store)), args.format)
        return 0
    if not args.email:
        return stop(f"people {args.what}: write the e-mail address")
    given = {"roles": args.role, "name": args.name, "owner": args.owner, "sees": args.sees}
    fields = {name: value for name, value in given.items() if value is not None}
    if args.what == "add":
        done = accounts.add(store, args.email, by, **{"roles": (), **fields})
    elif args.what == "change":
        if not fields:
            return stop("people change: say what, with --role, --name, --owner or --sees")
        done = accounts.change(store, args.email, by, **fields)
    else:
        done = (accounts.remove if args.what == "remove" else accounts.unbind)(store, args.email, by)
    print(f"{done.email}: {', '.join(TITLES[role] for role in done.roles)}" if done.active else f"{done.email} has no access any more")
    if not accounts.whom_to_ask(store):
        say("nobody is admin yet: give somebody the role with --role admin")
    return 0


def listed(found: tuple[Person, ...]) -> pd.DataFrame:
    """People as a table: email, name, roles, owner, sees, access, changed_by, changed_at."""
    return pd.DataFrame([(one.email, one.name, ", ".join(one.roles), one.owner, one.sees, accounts.access(one), one.by, one.at) for one in found],
                        columns=["email", "name", "roles", "owner", "sees", "access", "changed_by", "changed_at"])


def roles() -> pd.DataFrame:
    """The table of rights: an action a row, a role a column."""
    return pd.DataFrame([{"action": action, **{role: "x" if role in may else "" for role in ROLES}, "what": WORDS[action]} for action, may in MATRIX.items()])
