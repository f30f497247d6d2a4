"""`metrics`: numbers as a tidy table."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import pandas as pd

from revscore.cli.shared import GRAINS, Command, as_json, extract, of_numbers, params_of, print_frame, say, stop
from revscore.core import ask
from revscore.core.made import Number
from revscore.core.receipt import receipt

HELP = """\
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


def add(command: Command) -> None:
    """Put the command on the command line."""
    metrics = command("metrics", "print metrics as a tidy table", HELP, run, of_numbers())
    metrics.add_argument("--list", action="store_true", help="name all metrics with what they need, instead of computing")
    metrics.add_argument("--by", action="append", default=[], metavar="DIMENSION", help="split by a dimension (repeat for more)")
    metrics.add_argument("--grain", choices=GRAINS, help="one row a period of this length")
    metrics.add_argument("--format", choices=("table", "csv", "json"), default="table")
    metrics.add_argument("--receipts", action="store_true", help="with --format json: what each number stands on")


def run(args: argparse.Namespace) -> int:
    """Print the numbers that the options name, or what there is."""
    if args.list:
        print_frame(pd.DataFrame([(c.id, c.label, ", ".join(c.by), ", ".join(c.params), ", ".join(c.needs)) for c in ask.cards(args.id)],
                                  columns=["metric", "label", "own dimensions", "parameters", "needs"]), args.format)
        return 0
    if args.receipts and (args.format != "json" or args.by or args.grain):
        return stop("--receipts goes with --format json, and without --by and --grain: name the part with --where and --period")
    x, _ = extract(args)
    chosen = ask.cards(args.id)
    view, params = ask.view_of(x, args.where, args.period or "", args.grain), params_of(args, chosen)
    found, remarks = ask.tidy(x, chosen, view, args.by, args.grain, params)
    for remark in remarks:
        say(remark)
    if args.receipts:
        read = {card.id: ask.read_in(x, card, view, params) for card in chosen}
        card_of, place, rows = {card.id: card for card in chosen}, found.groupby(["metric", "measure"], sort=False).cumcount(), []
        for row, k in zip(json.loads(as_json(found)), place, strict=True):
            at, own = read[row["metric"]]
            number = Number.of(card_of[row["metric"]], at, row["measure"], **own)
            label = f"{number.label}, {row['by']}" if row["by"] else number.label
            rows.append(row | {"receipt": receipt(x, replace(number, label=label, place=int(k))).as_dict()})
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    print_frame(found, args.format)
    return 0
