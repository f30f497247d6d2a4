"""`export`: a review, or metrics by name, as a workbook."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from revscore import company
from revscore.cli.shared import GRAINS, Command, extract, of_numbers, params_of, stop
from revscore.core import ask
from revscore.core.made import Number
from revscore.export.workbook import review_workbook
from revscore.rhythm.behind import Columns, of_tables
from revscore.rhythm.reviews import REVIEWS, content, numbers_of

HELP = """\
examples:
  python -m revscore export weekly.xlsx --review weekly
  python -m revscore export q2.xlsx --review monthly --period FY26Q2 --where region=EMEA
  python -m revscore export mine.xlsx --id winrate.closed_in_period --id 'pipeline.*'

The workbook has the sheets of lines, series, rows behind the lines, definitions, a receipt of every line and of all that publishing the review
keeps, those of series, tables and what is compared, and the receipt of the whole. A metric with several rows (a target, a campaign each) has a line for each.
"""


def add(command: Command) -> None:
    """Put the command on the command line."""
    export = command("export", "write a review as a workbook", HELP, run, of_numbers())
    export.add_argument("file", type=Path, metavar="FILE.xlsx", help="the workbook to write")
    export.add_argument("--review", choices=sorted(REVIEWS), help="which review; default: scorecard, or the metrics named by --id")
    export.add_argument("--grain", choices=GRAINS, help="length of the periods in the series; default: that of the review")


def run(args: argparse.Namespace) -> int:
    """Write the workbook."""
    if args.file.suffix.lower() != ".xlsx":
        return stop(f"{args.file}: the workbook's name must end in .xlsx")
    x, dataset = extract(args)
    asked = ask.view_of(x, args.where, args.period or "", args.grain)
    view = asked if asked.period else asked.during(x.terms.calendar.holding(x.as_of_day, "quarter"))  # as on the pages
    tables: dict[str, pd.DataFrame] = {}
    cells: dict[str, Columns] = {}
    if args.id:
        chosen = ask.cards(args.id)
        params = params_of(args, chosen)
        read = [(card, *ask.read_in(x, card, asked if "period" in card.params else view, params)) for card in chosen]
        both = [one for card, own_view, given in read for one in ask.lines(x, card, own_view, given)]
        title, lines, behind = "Metrics", [one for one, _ in both], [(number, one.text) for one, number in both if not one.lacks]
    else:
        review = args.review or "scorecard"
        made = REVIEWS[review](x, view)
        title, (lines, tables), cells = review.capitalize(), content(made), of_tables(x, made, view)
        behind = [(Number.behind(one, view), one.text) for one in lines if not one.lacks]
        behind += [(number, "") for number in numbers_of(made, view) if number not in {one for one, _ in behind}]
    receipt = {"company": "sample company" if dataset == company.SAMPLE else dataset, "period": f"{view.period.label} ({view.period.dates()})".strip(),
               "filters": "; ".join(f"{name} = {' or '.join(values)}" for name, values in view.where)}
    store = company.open_store(args.store)
    last = store.publications(dataset)[:1]
    receipt |= {"last publication": f"no. {one.id}, {one.title}, seal {one.seal}" for one in last} | {"audit log": f"anchor {store.anchor().told}"}
    try:
        args.file.write_bytes(review_workbook(title, lines, x, receipt, view, tables, behind, cells=cells))
    except OSError as error:
        return stop(f"{args.file} cannot be written ({error.strerror}): check its folder, and close it in other programs")
    print(f"{args.file}: {len(lines):,} numbers, as of {x.data.as_of:%Y-%m-%d %H:%M} UTC")
    return 0
