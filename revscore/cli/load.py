"""`load`: extracts of a CRM into the store."""

from __future__ import annotations

import argparse
import json
from contextlib import nullcontext
from pathlib import Path

from revscore import company
from revscore.cli.shared import EXIT, Command, progress, stop, who
from revscore.core.ask import AskError
from revscore.intake import Source
from revscore.store import Store

SHOWN = 20  # remarks of a file that the table form prints
HELP = """\
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


def add(command: Command) -> None:
    """Put the command on the command line."""
    load = command("load", "load extracts of a CRM into the store", HELP, run)
    load.add_argument("files", nargs="*", metavar="FILE", help="an extract, an archive of extracts, or a folder")
    load.add_argument("--as-of", metavar="DATE", help="when the extract was made; default: what the extract says itself, else its latest event")
    load.add_argument("--dry-run", action="store_true", help="read, recognise and check, but store nothing")
    load.add_argument("--answer", action="append", default=[], metavar="KEY=VALUE", help="the answer to a question (repeat for more)")
    load.add_argument("--warehouse", metavar="URL", help="read tables or views of a database instead of files")
    load.add_argument("--table", action="append", default=[], metavar="NAME", help="a table or view of the warehouse (repeat for more); default: all")
    load.add_argument("--format", choices=("table", "json"), default="table")


def run(args: argparse.Namespace) -> int:
    """Read, check and store the files of one load."""
    if not args.files and not args.warehouse:
        return stop("name at least one file to load, or --warehouse URL")
    answers = dict(_answer(word) for word in args.answer)
    missing = [name for name in args.files if not Path(name).exists()]
    if missing:
        return stop(f"{missing[0]}: there is no such file or folder")
    with company.checking_store(args.store) if args.dry_run else nullcontext(company.open_store(args.store)) as store:
        report = _report_of(args, store, answers)
    if args.format == "json":
        print(*_json_lines(report, args.dry_run), sep="\n")
    else:
        _print_report(report, args.dry_run)
    return EXIT[report.status]


def _answer(word: str) -> tuple[str, str]:
    key, sign, value = word.rpartition("=")
    if not sign or not key:
        raise AskError(f"--answer {word}: write key=value")
    return key, value


def _report_of(args: argparse.Namespace, store: Store, answers: dict[str, str]) -> company.LoadReport:
    say = progress()
    dataset = args.company or company.COMPANY
    as_of = company.instant(args.as_of, company.terms_of(store, dataset).reporting_tz) if args.as_of else None
    if args.warehouse:
        draft = company.draft_warehouse(store, dataset, args.warehouse, args.table, answers=answers, as_of=as_of, progress=say)
    else:
        draft = company.draft_files(store, dataset, [Source(str(name), Path(name)) for name in args.files], answers=answers, as_of=as_of, progress=say)
    return company.report(draft) if args.dry_run else company.save(store, draft, by=who(), progress=say)


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
