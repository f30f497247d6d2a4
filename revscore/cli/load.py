"""`load`: extracts of a CRM into the store; `loads`: those that are there, their accepted rows, and the rows to mend."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd

from revscore import company
from revscore.cli.shared import EXIT, Command, print_frame, progress, say, stop, who
from revscore.core.ask import AskError
from revscore.core.data import CrmData
from revscore.export.returns import FORMS, written
from revscore.intake import Source
from revscore.store import OLDER, OTHER, SMALLER, Store

SHOWN = 20  # remarks of a file that the table form prints
HELP = """\
All files of one call are one load: they are stored together in one transaction, or not at all. The same rows again add nothing.
Read are .xlsx, .csv, .tsv, .txt, .zip of these, and folders. The CRM is recognised by the headings.

examples:
  python -m revscore load leads.csv opportunities.csv opportunity_history.csv
  python -m revscore load export.xlsx --as-of 2026-11-16          the extract shows the state at the end of that day
  python -m revscore load export.xlsx --dry-run                   read and check everything, store nothing
  python -m revscore load deals.csv --answer 'stage:Handshake=won'
  python -m revscore load export.xlsx --confirm other --why "the export of 9 a.m. lacked EMEA"
  python -m revscore load export.xlsx --to-mend mend.xlsx         write the rows that are held back; mend them there, then: load mend.xlsx
  python -m revscore load --warehouse postgresql+psycopg://me@host/dwh --table crm.opportunity --table crm.lead

Asked, never done quietly: an extract that is older than one that is loaded (--confirm older), another one for a day that has one (--confirm other: a
correction), one with less than 60 % of the rows of the last (--confirm smaller). What would change is shown.

exit status: 0 loaded (or already loaded), 2 refused, 3 needs an answer: each question is shown with its key and its options
--format json: one object a file and line, with file, status (loaded, already_loaded, refused, needs_answer), load_id, rows_read, rows_loaded,
rows_quarantined, reasons (reason, rows), footers, columns_not_used, messages (sheet, row, column, text), questions (key, text, options, default),
asked (kind, load, text, tables, figures)
"""
LOADS_HELP = """\
examples:
  python -m revscore loads                                        every load, newest first
  python -m revscore loads 3 --to-mend mend.xlsx                  the rows that load 3 holds back; mended, they are loaded: load mend.xlsx
  python -m revscore loads 3 --accepted accepted.zip              the rows that load 3 took over; loaded again they are the same load

Files end in .xlsx, .zip (a CSV a table) or .csv (one table). Text that a spreadsheet would run gets an apostrophe, which is taken off again on the way back.
"""
_FILE = "FILE"


def add(command: Command) -> None:
    """Put the command on the command line."""
    load = command("load", "load extracts of a CRM into the store", HELP, run)
    load.add_argument("files", nargs="*", metavar="FILE", help="an extract, an archive of extracts, or a folder")
    load.add_argument("--as-of", metavar="DATE", help="when the extract was made; default: what the extract says itself, else its latest event")
    load.add_argument("--dry-run", action="store_true", help="read, recognise and check, but store nothing")
    load.add_argument("--answer", action="append", default=[], metavar="KEY=VALUE", help="the answer to a question (repeat for more)")
    load.add_argument("--warehouse", metavar="URL", help="read tables or views of a database instead of files")
    load.add_argument("--table", action="append", default=[], metavar="NAME", help="a table or view of the warehouse (repeat for more); default: all")
    load.add_argument("--confirm", action="append", default=[], choices=(OLDER, OTHER, SMALLER), help="load it although it is that (repeat for more)")
    load.add_argument("--why", default="", metavar="TEXT", help="the reason of a correction; it is kept with the load")
    _of_rows(load)
    load.add_argument("--format", choices=("table", "json"), default="table")
    every = command("loads", "list the loads; write the rows that one took over or holds back", LOADS_HELP, show)
    every.add_argument("load", nargs="?", type=int, metavar="LOAD", help="the number of a load")
    _of_rows(every)
    every.add_argument("--format", choices=("table", "csv", "json"), default="table")


def _of_rows(command: argparse.ArgumentParser) -> None:
    command.add_argument("--accepted", metavar=_FILE, help="write the accepted rows to a file")
    command.add_argument("--to-mend", metavar=_FILE, help="write the rows that are held back to a file, each with its reason")


def run(args: argparse.Namespace) -> int:
    """Read, check and store the files of one load."""
    if not args.files and not args.warehouse:
        return stop("name at least one file to load, or --warehouse URL")
    answers = dict(_answer(word) for word in args.answer)
    confirmed = {*args.confirm, *(key.removeprefix(company.CONFIRM) for key, value in answers.items() if key.startswith(company.CONFIRM) and value == "yes")}
    answers = {key: value for key, value in answers.items() if not key.startswith(company.CONFIRM)}
    missing = [name for name in args.files if not name or not Path(name).exists()]
    if missing:
        return stop(f"{missing[0] or '“”'}: there is no such file or folder")
    odd = [name for name in args.files if not (Path(name).is_file() or Path(name).is_dir())]
    if odd:
        return stop(f"{odd[0]}: this is neither a file nor a folder; save the extract to a file and load that")
    _check_outputs(args)
    with company.checking_store(args.store) if args.dry_run else nullcontext(company.open_store(args.store)) as store:
        report, draft = _report_of(args, store, answers, confirmed)
        if args.format == "json":
            print(*_json_lines(report, args.dry_run), sep="\n")
        else:
            _print_report(report, args.dry_run)
        if draft.intake is not None and report.status != company.REFUSED:
            info = store.load(report.load_id) if report.load_id else None
            _write(args, (draft.intake.data, draft.intake.terms_hints), company.to_mend(company.with_raw(draft.intake.ledger), info))
    return EXIT[report.status]


def _check_outputs(args: argparse.Namespace) -> None:
    """Before anything is read: the files to be written can be, and none of them is one that is read or the other one. Raises AskError."""
    outputs = [name for name in (args.accepted, args.to_mend) if name]
    for name in outputs:
        if Path(name).suffix.lower() not in FORMS:
            raise AskError(f"{name}: name a file that ends in {', '.join(FORMS)}")
        if not Path(name).absolute().parent.is_dir():
            raise AskError(f"{name}: there is no folder {Path(name).absolute().parent}")
        if any(Path(name).resolve() == Path(given).resolve() for given in getattr(args, "files", ())):
            raise AskError(f"{name}: this file is read, and would be written over; name another one")
    if len({Path(name).resolve() for name in outputs}) < len(outputs):
        raise AskError(f"{outputs[0]}: name two files, one for the accepted rows and one for those to mend")


def _answer(word: str) -> tuple[str, str]:
    key, sign, value = word.rpartition("=")
    if not sign or not key:
        raise AskError(f"--answer {word}: write key=value")
    return key, value


def _report_of(args: argparse.Namespace, store: Store, answers: dict[str, str], confirmed: set[str]) -> tuple[company.LoadReport, company.Draft]:
    say = progress()
    dataset = args.company or company.COMPANY
    as_of = company.instant(args.as_of, company.terms_of(store, dataset).reporting_tz) if args.as_of else None
    if args.warehouse:
        draft = company.draft_warehouse(store, dataset, args.warehouse, args.table, answers=answers, as_of=as_of, progress=say)
    else:
        draft = company.draft_files(store, dataset, [Source(str(name), Path(name)) for name in args.files], answers=answers, as_of=as_of, progress=say)
    found = company.against(store, draft, confirmed) if args.dry_run else company.save(store, draft, by=who(), progress=say, confirmed=confirmed, why=args.why)
    return found, draft


def show(args: argparse.Namespace) -> int:
    """List the loads, or write the rows of one."""
    _check_outputs(args)
    store = company.existing_store(args.store)
    dataset = args.company or company.current(store)
    every = store.loads(dataset)
    if args.load is None and not (args.accepted or args.to_mend):
        print_frame(pd.DataFrame([{"load": one.id, "as_of": one.as_of.isoformat(), "loaded": one.loaded_at.isoformat(), "by": one.loaded_by,
                                   "files": ", ".join(file.name for file in one.files), "rows_read": one.rows_read, "rows_loaded": one.rows_kept,
                                   "rows_quarantined": one.rows_quarantined, "corrects": one.corrects or "", "why": one.why} for one in every]), args.format)
        return 0
    chosen = next((one for one in every if args.load in (None, one.id)), None)
    if chosen is None:
        return stop(f"there is no load {args.load} of {dataset}; python -m revscore loads lists them" if args.load else f"nothing is loaded into {dataset} yet")
    print(f"load {chosen.id}, as of {chosen.as_of:%Y-%m-%d %H:%M} UTC: {chosen.rows_read:,} rows read = {chosen.rows_kept:,} loaded + "
          f"{chosen.rows_quarantined:,} quarantined")
    _write(args, (store.data_of(dataset, [chosen.id]), chosen.terms_hints) if args.accepted else None, company.to_mend(store.ledger(chosen.id)[1], chosen))
    return 0


def _write(args: argparse.Namespace, taken: tuple[CrmData, Mapping[str, Any]] | None, held: Mapping[str, pd.DataFrame]) -> None:
    """The files of rows that were asked for. Raises AskError where one cannot be written."""
    for name, frames, what in ((args.accepted, company.accepted(*taken) if args.accepted and taken else {}, "accepted rows"), (args.to_mend, held, "rows to mend")):
        if not name:
            continue
        if not frames:
            say(f"no row is held back, so {name} is not written")
            continue
        try:
            Path(name).write_bytes(written(frames, Path(name).suffix.lower()))
        except (ValueError, OSError) as error:
            raise AskError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
        say(f"{what}: {name}")


def _json_lines(report: company.LoadReport, dry_run: bool) -> list[str]:
    """One object a file. What is about the load as a whole stands with every file; a question with its file, if it names one."""
    names = [file.file for file in report.files]
    out = []
    asked = [{"kind": one.doubt.kind, "load": one.doubt.load.id, "text": one.doubt.text, "tables": one.rows.to_dict("records"), "figures": one.figures.to_dict("records")}
             for one in report.asked]
    for file in report.files:
        questions = [{"key": q.key, "text": q.text, "options": list(q.options), "default": q.default} for q in report.questions
                     if q.place.startswith(file.file) or not any(q.place.startswith(name) for name in names)]
        shared = [{"sheet": None, "row": None, "column": None, "text": m.text, "cell": None, "code": None} for m in report.messages]
        one = file.as_dict()
        out.append(json.dumps({**one, "messages": one["messages"] + shared, "questions": questions, "asked": asked, "text": report.text, "dry_run": dry_run,
                               "as_of": None if report.as_of is None else report.as_of.isoformat()}, ensure_ascii=False))
    return out


def _print_report(report: company.LoadReport, dry_run: bool) -> None:
    print(("Nothing is stored (dry run). " if dry_run else "") + report.text)
    for file in report.files:
        print(f"\n{file.file}: {file.status.replace('_', ' ')} · {file.rows_read:,} rows read = {file.rows_loaded:,} loaded + {file.rows_quarantined:,} quarantined")
        if file.footers:
            print(f"  left out, no rows: {'; '.join(file.footers[:5])}" + (f" … and {len(file.footers) - 5:,} more" if len(file.footers) > 5 else ""))
        if file.unused:
            print(f"  columns not used: {', '.join(file.unused)}")
        for reason, rows in file.reasons.items():
            print(f"  {rows:>7,} × {reason}")
        for message in file.messages[:SHOWN]:
            print(f"  - {message.place + ': ' if message.place else ''}{message.text}")
        if len(file.messages) > SHOWN:
            print(f"  … and {len(file.messages) - SHOWN:,} more (--format json gives all)")
    for message in report.messages:
        print(f"- {message.text}")
    for at, one in enumerate(report.asked):
        print(f"\n? {one.doubt.text}\n  --confirm {one.doubt.kind}" + (" --why '…'" if one.doubt.kind == OTHER else ""))
        if one.doubt.load.id in {other.doubt.load.id for other in report.asked[at + 1:]}:
            continue                                         # the same load is asked about once more: shown there
        print(f"  before = load {one.doubt.load.id}, now = this extract")
        for frame in (one.rows, one.figures):
            print("\n".join("  " + line for line in frame.to_string(index=False).splitlines()))
    for question in (q for q in report.questions if not q.key.startswith(company.CONFIRM)):
        must = "must be answered" if question.default is None else f"taken for now: {question.default}"
        print(f"\n? {question.text} ({must})\n  --answer '{question.key}={'|'.join(question.options) or '…'}'")
