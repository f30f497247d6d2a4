"""The command line: load, metrics, export, publish, verify. The same functions as the pages, so the same numbers."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from revscore import company
from revscore.core import ask
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.receipt import receipt
from revscore.core.terms import TermsError
from revscore.export.workbook import review_workbook
from revscore.governance.publishing import publish
from revscore.governance.verify import verify
from revscore.intake import Source
from revscore.rhythm.reviews import REVIEWS, TITLES, content, numbers, numbers_of
from revscore.store import Store, StoreError

GRAINS = ("day", "week", "month", "quarter", "year")
SHOWN = 20  # remarks of a file that the table form prints
EXIT = {company.LOADED: 0, company.ALREADY: 0, company.REFUSED: 2, company.ASKS: 3}



_TOP = """\
examples:
  python -m revscore load leads.csv deals.csv          load Monday's extracts
  python -m revscore metrics --id 'funnel.*' --grain month
  python -m revscore export --review weekly weekly.xlsx
  python -m revscore publish --review weekly           close the weekly review: keep its numbers
  python -m revscore verify                            work every published number out again

The store is data/revscore.sqlite unless --store or the variable REVSCORE_DB names another one.
Each command explains itself: python -m revscore load --help
"""
_LOAD = """\
All files of one call are one load: they are stored together in one transaction, or not at all. The same rows again add nothing.
Read are .xlsx, .csv, .tsv, .txt, .zip of these, and folders. The CRM is recognised by the headings.

examples:
  python -m revscore load leads.csv opportunities.csv opportunity_history.csv
  python -m revscore load export.xlsx --as-of 2026-11-16          the extract shows the state at the end of that day
  python -m revscore load export.xlsx --dry-run                   read and check everything, store nothing
  python -m revscore load deals.csv --answer 'stage:Handshake=won'
  python -m revscore load --warehouse postgresql+psycopg://me@host/dwh --table crm.opportunity --table crm.lead

exit status: 0 loaded (or already loaded), 2 refused, 3 needs an answer: each question is shown with its key and its options
--format json: one object a file and line, with file, status (loaded, already_loaded, refused, needs_answer), load_id, rows_read, rows_loaded,
rows_quarantined, reasons (reason, rows), messages (sheet, row, column, text), questions (key, text, options, default)
"""
_METRICS = """\
examples:
  python -m revscore metrics --list
  python -m revscore metrics --id winrate.closed_in_period --by segment --period FY26Q2
  python -m revscore metrics --id 'funnel.*' --id 'velocity.*' --grain month --where region=EMEA --where segment=SMB
  python -m revscore metrics --id funnel.km_conversion --param 'pair=mql->sql' --format csv > conversion.csv

columns: metric, measure, period, by, value, numerator, denominator, n, low, high (95 % interval), flag (suppress: below the smallest sample,
low_n: small, ok). Ratios are fractions, durations are in the unit of the metric. A number that does not exist is empty (json: null).
A metric that needs what the extract lacks is named on standard error; the others are given all the same.
--receipts adds to every number that is not split what it stands on: loads, definitions, filters, rows and a SHA-256 (docs/receipts.md).
"""
_EXPORT = """\
examples:
  python -m revscore export weekly.xlsx --review weekly
  python -m revscore export q2.xlsx --review monthly --period FY26Q2 --where region=EMEA
  python -m revscore export mine.xlsx --id winrate.closed_in_period --id 'pipeline.*'

The workbook has the sheets of lines, series, rows behind the lines, definitions, a receipt of every line and of all that publishing the review
keeps, and the receipt of the whole. A metric with several rows (a target, a campaign each) has a line for each.
"""
_PUBLISH = """\
examples:
  python -m revscore publish --review weekly
  python -m revscore publish --review monthly --period FY26Q2 --as-of 2025-08-01 --by "Ada Nayfield"

Publishing closes a review: its values are kept with their receipts and rows, and never changed. Later the page *Published numbers* shows
each beside the same question then, with the reason of every difference. The seal that is printed covers this publication and all before it:
note it outside the store, and verify --seal shows whether they are still there as they were.
"""
_VERIFY = """\
examples:
  python -m revscore verify
  python -m revscore verify --publication 3
  python -m revscore verify --seal 5e0c…               the seal that was printed or exported after publishing must still be there

Every published value is worked out again from the kept loads and the definitions of then, and the seal of every publication is checked. One
line for each that differs, then a summary.
exit status: 0 all are equal, 4 some differ, 2 nothing to verify
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except (StoreError, TermsError, ask.AskError) as error:
        return _stop(str(error))
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--store", metavar="URL", help="the store: a file, or a SQLAlchemy URL (sqlite, postgresql)")
    shared.add_argument("--company", metavar="NAME", help="the data set; default: your own company when it has a load, else the sample company")
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--id", action="append", default=[], metavar="METRIC", help="a metric, or a pattern such as 'funnel.*' (repeat for more); default: all")
    chosen.add_argument("--as-of", metavar="DATE", help="the state as it was known at the end of DATE (2026-11-16) or at an instant (2026-11-16T13:00:00Z)")
    chosen.add_argument("--period", metavar="PERIOD", help="FY26Q2, FY26, 2026-05, 2026-05-12, or 2026-05-01..2026-06-15; default: everything up to as-of (export: the quarter of as-of)")
    chosen.add_argument("--where", action="append", default=[], metavar="DIMENSION=VALUE",
                        help="only these: segment, region, owner, source, campaign, type, or a metric's own dimension (repeat for more; values of one dimension add up)")
    chosen.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter of a metric, such as 'pair=mql->sql' (repeat for more)")

    parser = argparse.ArgumentParser(prog="python -m revscore", description="revscore: revenue numbers from CRM extracts.", epilog=_TOP,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, epilog: str, run: Any, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=epilog, parents=[*parents, shared],
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
        made.set_defaults(run=run)
        return made

    load = command("load", "load extracts of a CRM into the store", _LOAD, _load)
    load.add_argument("files", nargs="*", metavar="FILE", help="an extract, an archive of extracts, or a folder")
    load.add_argument("--as-of", metavar="DATE", help="when the extract was made; default: what the extract says itself, else its latest event")
    load.add_argument("--dry-run", action="store_true", help="read, recognise and check, but store nothing")
    load.add_argument("--answer", action="append", default=[], metavar="KEY=VALUE", help="the answer to a question (repeat for more)")
    load.add_argument("--warehouse", metavar="URL", help="read tables or views of a database instead of files")
    load.add_argument("--table", action="append", default=[], metavar="NAME", help="a table or view of the warehouse (repeat for more); default: all")
    load.add_argument("--format", choices=("table", "json"), default="table")

    metrics = command("metrics", "print metrics as a tidy table", _METRICS, _metrics, chosen)
    metrics.add_argument("--list", action="store_true", help="name all metrics with what they need, instead of computing")
    metrics.add_argument("--by", action="append", default=[], metavar="DIMENSION", help="split by a dimension (repeat for more)")
    metrics.add_argument("--grain", choices=GRAINS, help="one row a period of this length")
    metrics.add_argument("--format", choices=("table", "csv", "json"), default="table")

    metrics.add_argument("--receipts", action="store_true", help="with --format json: what each number stands on")

    export = command("export", "write a review as a workbook", _EXPORT, _export, chosen)
    export.add_argument("file", type=Path, metavar="FILE.xlsx", help="the workbook to write")
    export.add_argument("--review", choices=sorted(REVIEWS), help="which review; default: scorecard, or the metrics named by --id")
    export.add_argument("--grain", choices=GRAINS, help="length of the periods in the series; default: that of the review")

    publishing = command("publish", "close a review: keep its numbers as they are now", _PUBLISH, _publish)
    publishing.add_argument("--review", choices=sorted(TITLES), required=True, help="which review")
    publishing.add_argument("--as-of", metavar="DATE", help="the state as it was known at the end of DATE (2026-11-16) or at an instant; default: the latest")
    publishing.add_argument("--period", metavar="PERIOD", help="as for metrics; default: the quarter of as-of")
    publishing.add_argument("--where", action="append", default=[], metavar="DIMENSION=VALUE", help="as for metrics")
    publishing.add_argument("--by", metavar="NAME", help="who closes it; default: the user of this computer")

    verifying = command("verify", "work published numbers out again and compare", _VERIFY, _verify)
    verifying.add_argument("--publication", type=int, metavar="ID", help="only this publication; default: all of them")
    verifying.add_argument("--seal", action="append", default=[], metavar="SHA256", help="a seal noted elsewhere, which must be that of a publication (repeat for more)")
    return parser


# -- load ----------------------------------------------------------------------------------------------------------------------------------

def _load(args: argparse.Namespace) -> int:
    if not args.files and not args.warehouse:
        return _stop("name at least one file to load, or --warehouse URL")
    answers = dict(_pair(word, "--answer") for word in args.answer)
    missing = [name for name in args.files if not Path(name).exists()]
    if missing:
        return _stop(f"{missing[0]}: there is no such file or folder")
    with company.checking_store(args.store) if args.dry_run else nullcontext(company.open_store(args.store)) as store:
        report = _load_report(args, store, answers)
    if args.format == "json":
        for line_ in _json_lines(report, args.dry_run):
            print(line_)
    else:
        _print_report(report, args.dry_run)
    return EXIT[report.status]


def _load_report(args: argparse.Namespace, store: Store, answers: dict[str, str]) -> company.LoadReport:
    say = _progress()
    dataset = args.company or company.COMPANY
    as_of = company.instant(args.as_of, company.terms_of(store, dataset).reporting_tz) if args.as_of else None
    if args.warehouse:
        draft = company.draft_warehouse(store, dataset, args.warehouse, args.table, answers=answers, as_of=as_of, progress=say)
    else:
        draft = company.draft_files(store, dataset, [Source(str(name), Path(name)) for name in args.files], answers=answers, as_of=as_of, progress=say)
    return company.report(draft) if args.dry_run else company.save(store, draft, by=_who(), progress=say)


def _json_lines(report: company.LoadReport, dry_run: bool) -> list[str]:
    """One object a file. What is about the load as a whole stands with every file; a question with its file, if it names one."""
    names = [file.file for file in report.files]
    out = []
    for file in report.files:
        questions = [{"key": q.key, "text": q.text, "options": list(q.options), "default": q.default} for q in report.questions
                     if q.place.startswith(file.file) or not any(q.place.startswith(name) for name in names)]
        shared = [{"sheet": None, "row": None, "column": None, "text": m.text, "cell": None, "code": None} for m in report.messages]
        one = file.as_dict()
        out.append(json.dumps({**one, "messages": one["messages"] + shared, "questions": questions, "text": report.text, "dry_run": dry_run,
                               "as_of": None if report.as_of is None else report.as_of.isoformat()}, ensure_ascii=False))
    return out


def _pair(word: str, option: str) -> tuple[str, str]:
    key, sign, value = word.rpartition("=")
    if not sign or not key:
        raise ask.AskError(f"{option} {word}: write key=value")
    return key, value


def _print_report(report: company.LoadReport, dry_run: bool) -> None:
    print(("Nothing is stored (dry run). " if dry_run else "") + report.text)
    for file in report.files:
        print(f"\n{file.file}: {file.status.replace('_', ' ')} · {file.rows_read:,} rows read = {file.rows_loaded:,} loaded + {file.rows_quarantined:,} quarantined")
        for reason, rows in file.reasons.items():
            print(f"  {rows:>7,} × {reason}")
        for message in file.messages[:SHOWN]:
            print(f"  - {message.place + ': ' if message.place else ''}{message.text}")
        if len(file.messages) > SHOWN:
            print(f"  … and {len(file.messages) - SHOWN:,} more (--format json gives all)")
    for message in report.messages:
        print(f"- {message.text}")
    for question in report.questions:
        must = "must be answered" if question.default is None else f"taken for now: {question.default}"
        print(f"\n? {question.text} ({must})\n  --answer '{question.key}={'|'.join(question.options) or '…'}'")


# -- metrics -------------------------------------------------------------------------------------------------------------------------------

def _metrics(args: argparse.Namespace) -> int:
    if args.list:
        _print_frame(pd.DataFrame([(c.id, c.label, ", ".join(c.by), ", ".join(c.params), ", ".join(c.needs)) for c in ask.cards(args.id)],
                                  columns=["metric", "label", "own dimensions", "parameters", "needs"]), args.format)
        return 0
    if args.receipts and (args.format != "json" or args.by or args.grain):
        return _stop("--receipts goes with --format json, and without --by and --grain: name the part with --where and --period")
    x, _ = _extract(args)
    chosen = ask.cards(args.id)
    view, params = ask.view_of(x, args.where, args.period or "", args.grain), _params(args, chosen)
    found, remarks = ask.tidy(x, chosen, view, args.by, args.grain, params)
    for remark in remarks:
        _say(remark)
    if args.receipts:
        read = {card.id: ask.read_in(x, card, view, params) for card in chosen}
        card_of, place, rows = {card.id: card for card in chosen}, found.groupby(["metric", "measure"], sort=False).cumcount(), []
        for row, k in zip(json.loads(_as_json(found)), place, strict=True):
            at, own = read[row["metric"]]
            number = Number.of(card_of[row["metric"]], at, row["measure"], **own)
            label = f"{number.label}, {row['by']}" if row["by"] else number.label
            rows.append(row | {"receipt": receipt(x, replace(number, label=label, place=int(k))).as_dict()})
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    _print_frame(found, args.format)
    return 0


def _params(args: argparse.Namespace, chosen: Sequence[Any]) -> dict[str, str]:
    given = {}
    for word in args.param:
        name, sign, value = word.partition("=")
        if not sign or name not in ask.parameters(chosen):
            raise ask.AskError(f"--param {word}: write name=value; these metrics have {', '.join(ask.parameters(chosen)) or 'no parameters'}")
        given[name] = value
    return given


def _extract(args: argparse.Namespace) -> tuple[Coded, str]:
    """The coded extract that the options name, and its data set; the sample company when nothing else is loaded."""
    store = company.open_store(args.store)
    dataset = args.company or company.current(store)
    if dataset == company.SAMPLE:
        company.ensure_sample(store, _progress())
        if not args.company:
            _say("no extract of your own is loaded yet: these are the numbers of the sample company")
    as_of = company.instant(args.as_of, company.terms_of(store, dataset).reporting_tz) if args.as_of else None
    return company.coded(store, dataset, as_of), dataset


# -- export --------------------------------------------------------------------------------------------------------------------------------

def _export(args: argparse.Namespace) -> int:
    if args.file.suffix.lower() != ".xlsx":
        return _stop(f"{args.file}: the workbook's name must end in .xlsx")
    x, dataset = _extract(args)
    asked = ask.view_of(x, args.where, args.period or "", args.grain)
    view = asked if asked.period else asked.during(x.terms.calendar.holding(x.as_of_day, "quarter"))  # as on the pages
    tables: dict[str, pd.DataFrame] = {}
    if args.id:
        chosen = ask.cards(args.id)
        params = _params(args, chosen)
        read = [(card, *ask.read_in(x, card, asked if "period" in card.params else view, params)) for card in chosen]
        both = [one for card, own_view, given in read for one in ask.lines(x, card, own_view, given)]
        title, lines, behind = "Metrics", [one for one, _ in both], [(number, one.text) for one, number in both if not one.lacks]
    else:
        review = args.review or "scorecard"
        made = REVIEWS[review](x, view)
        title, (lines, tables) = review.capitalize(), content(made)
        behind = [(Number.behind(one, view), one.text) for one in lines if not one.lacks]
        behind += [(number, "") for number in numbers_of(made, view) if number not in {one for one, _ in behind}]
    receipt = {"company": "sample company" if dataset == company.SAMPLE else dataset, "period": f"{view.period.label} ({view.period.dates()})".strip(),
               "filters": "; ".join(f"{name} = {' or '.join(values)}" for name, values in view.where)}
    last = company.open_store(args.store).publications(dataset)[:1]
    receipt |= {"last publication": f"no. {one.id}, {one.title}, seal {one.seal}" for one in last}
    try:
        args.file.write_bytes(review_workbook(title, lines, x, receipt, view, tables, behind))
    except OSError as error:
        return _stop(f"{args.file} cannot be written ({error.strerror}): check its folder, and close it in other programs")
    print(f"{args.file}: {len(lines):,} numbers, as of {x.data.as_of:%Y-%m-%d %H:%M} UTC")
    return 0


# -- publish and verify --------------------------------------------------------------------------------------------------------------------

def _publish(args: argparse.Namespace) -> int:
    x, dataset = _extract(args)
    view = ask.view_of(x, args.where, args.period or "")
    if not view.period:  # as on the pages
        view = view.during(x.terms.calendar.holding(x.as_of_day, "quarter"))
    store = company.open_store(args.store)
    done = publish(store, x, numbers(x, view, args.review), args.review, TITLES[args.review], view, args.by or _who())
    print(f"Published as publication {done.id}: {len(store.published(done.id)):,} numbers of the {done.title.lower()} of {dataset}, as of {done.as_of:%Y-%m-%d %H:%M} UTC, "
          f"by {done.published_by}.\nSeal: {done.seal}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    store = company.open_store(args.store)
    datasets = [args.company] if args.company else [one.name for one in store.datasets()]
    found = [one for name in datasets for one in reversed(store.publications(name)) if args.publication in (None, one.id)]
    seals = {one.seal for name in datasets for one in store.publications(name)}
    gone = [seal for seal in args.seal if seal not in seals]
    for seal in gone:
        print(f"seal {seal}: there is no publication with it; it is gone or was changed")
    if not found and not gone:
        return _stop("nothing is published yet" if args.publication is None else f"there is no publication {args.publication}")
    equal = differ = broken = 0
    for publication in found:
        for value, some in verify(store, publication):
            equal, differ, broken = equal + (not some), differ + bool(some and value), broken + (value is None)
            if some:
                print(f"publication {publication.id} ({publication.title}, {publication.as_of:%Y-%m-%d}): {some[0].label}: {'; '.join(one.what for one in some)}")
    print(f"{equal + differ:,} values of {len(found):,} publications: " + (f"{differ:,} differ" if differ else "all are what was published")
          + (f"; what is not as it was published as a whole: {broken:,}" if broken else ""))
    return 4 if differ or broken or gone else 0


# -- printing ------------------------------------------------------------------------------------------------------------------------------

def _print_frame(frame: pd.DataFrame, form: str) -> None:
    if form == "json":
        print(_as_json(frame))
    elif form == "csv":
        sys.stdout.write(frame.to_csv(index=False, lineterminator="\n"))
    elif len(frame):
        print(frame.astype(object).where(frame.notna(), "").to_string(index=False, float_format=lambda v: f"{v:,.4f}".rstrip("0").rstrip("."), max_colwidth=60))
    else:
        print("no numbers")


def _as_json(frame: pd.DataFrame) -> str:
    return frame.astype(object).where(frame.notna(), None).to_json(orient="records", force_ascii=False, double_precision=15, indent=1)


def _progress() -> company.Progress | None:
    """A line on the terminal that says how far a load has come; none where the output is kept."""
    if not sys.stderr.isatty():
        return None

    def say(step: str, fraction: float, detail: str) -> None:
        sys.stderr.write(f"\r\x1b[2K{step} {fraction:4.0%} {detail[:80]}" + ("\r\x1b[2K" if fraction >= 1 else ""))
        sys.stderr.flush()

    return say


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "local"


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _stop(text: str) -> int:
    _say(f"revscore: {text}")
    return EXIT[company.REFUSED]
