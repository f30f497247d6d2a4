"""What the commands share: options, the extract that they name, frames as text, remarks and exit codes."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from revscore import company
from revscore.core import ask
from revscore.core.coded import Coded
from revscore.core.metric import Metric
from revscore.people import LOCAL, Actor

GRAINS = ("day", "week", "month", "quarter", "year")
EXIT = {company.LOADED: 0, company.ALREADY: 0, company.REFUSED: 2, company.ASKS: 3}
Command = Callable[..., argparse.ArgumentParser]  # (name, one line of help, longer help, run, *parents) -> the command's parser


# -- options -------------------------------------------------------------------------------------------------------------------------------

def of_store() -> argparse.ArgumentParser:
    """The options of every command."""
    found = argparse.ArgumentParser(add_help=False)
    found.add_argument("--store", metavar="URL", help="the store: a file, or a SQLAlchemy URL (sqlite, postgresql)")
    found.add_argument("--company", metavar="NAME", help="the data set; default: your own company when it has a load, else the sample company")
    return found


def of_numbers() -> argparse.ArgumentParser:
    """The options that choose metrics and what they are asked of."""
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--id", action="append", default=[], metavar="METRIC", help="a metric, or a pattern such as 'funnel.*' (repeat for more); default: all")
    chosen.add_argument("--as-of", metavar="DATE", help="the state as it was known at the end of DATE (2026-11-16) or at an instant (2026-11-16T13:00:00Z)")
    chosen.add_argument("--period", metavar="PERIOD", help="FY26Q2, FY26, 2026-05, 2026-05-12, or 2026-05-01..2026-06-15; default: everything up to as-of (export: the quarter of as-of)")
    chosen.add_argument("--where", action="append", default=[], metavar="DIMENSION=VALUE",
                        help="only these: segment, region, owner, source, campaign, type, or a metric's own dimension (repeat for more; values of one dimension add up)")
    chosen.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter of a metric, such as 'pair=mql->sql' (repeat for more)")
    return chosen


def params_of(args: argparse.Namespace, chosen: Sequence[Metric]) -> dict[str, str]:
    """The parameters given, by name. Raises AskError for one that none of the metrics has."""
    given = {}
    for word in args.param:
        name, sign, value = word.partition("=")
        if not sign or name not in ask.parameters(chosen):
            raise ask.AskError(f"--param {word}: write name=value; these metrics have {', '.join(ask.parameters(chosen)) or 'no parameters'}")
        given[name] = value
    return given


def extract(args: argparse.Namespace) -> tuple[Coded, str]:
    """The coded extract that the options name, and its data set; the sample company when nothing else is loaded. A store that --store names is there already."""
    store = company.existing_store(args.store) if args.store else company.open_store()
    dataset = args.company or company.current(store)
    if dataset == company.SAMPLE:
        company.ensure_sample(store, progress())
        if not args.company:
            say("no extract of your own is loaded yet: these are the numbers of the sample company")
    as_of = company.instant(args.as_of, company.terms_of(store, dataset).reporting_tz) if args.as_of else None
    return company.coded(store, dataset, as_of), dataset


# -- printing ------------------------------------------------------------------------------------------------------------------------------

def print_frame(frame: pd.DataFrame, form: str) -> None:
    """Print a frame as "table", "csv" or "json"."""
    if form == "json":
        print(as_json(frame))
    elif form == "csv":
        sys.stdout.write(frame.to_csv(index=False, lineterminator="\n"))
    elif len(frame):
        print(frame.astype(object).where(frame.notna(), "").to_string(index=False, float_format=lambda v: f"{v:,.4f}".rstrip("0").rstrip("."), max_colwidth=60))
    else:
        print("no numbers")


def as_json(frame: pd.DataFrame) -> str:
    """An object a row; what is missing is null."""
    return frame.astype(object).where(frame.notna(), None).to_json(orient="records", force_ascii=False, double_precision=15, indent=1)


def progress() -> company.Progress | None:
    """A line on the terminal that says how far a load has come; none where the output is kept."""
    if not sys.stderr.isatty():
        return None

    def show(step: str, fraction: float, detail: str) -> None:
        sys.stderr.write(f"\r\x1b[2K{step} {fraction:4.0%} {detail[:80]}" + ("\r\x1b[2K" if fraction >= 1 else ""))
        sys.stderr.flush()

    return show


def who(name: str = "") -> Actor:
    """The user of this computer. Who can open the store itself can do all to it, so the command line holds nothing back; what was done is in the audit log."""
    try:
        return replace(LOCAL, name=name or getpass.getuser())
    except (OSError, KeyError, ImportError):
        return LOCAL


def say(text: str) -> None:
    """A remark beside what is printed."""
    print(text, file=sys.stderr)


def stop(text: str) -> int:
    """Say why nothing was done; the exit status of a refusal."""
    say(f"revscore: {text}")
    return EXIT[company.REFUSED]
