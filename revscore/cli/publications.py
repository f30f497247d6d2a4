"""`publish` and `verify`: close a review; check the audit log, and work published numbers out again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from revscore import company
from revscore.cli.shared import Command, extract, stop, who
from revscore.core import ask
from revscore.governance.publishing import publish
from revscore.governance.verify import verify
from revscore.rhythm.reviews import TITLES, numbers
from revscore.store import Anchor, Store

PUBLISH_HELP = """\
examples:
  python -m revscore publish --review weekly
  python -m revscore publish --review monthly --period FY26Q2 --as-of 2025-08-01 --by "Ada Nayfield"

Publishing closes a review: its values are kept with their receipts and rows, and never changed. Later the page *Published numbers* shows
each beside the same question then, with the reason of every difference. The seal that is printed covers this publication and all before it, the
anchor all that was ever written: note them outside the store, and verify --seal and --anchor show whether all is still there as it was.
"""
VERIFY_HELP = """\
examples:
  python -m revscore verify
  python -m revscore verify --publication 3
  python -m revscore verify --seal 5e0c…               the seal that was printed or exported after publishing must still be there
  python -m revscore verify --anchor 212:9b41…         the anchor that a pack or the manifest of a backup has must still be an act of the log

First the audit log: every act must follow the one before it, and every row of the store must be what its act wrote. Somebody with the file in hand
can cut off the end of the log or write all of it anew: only an anchor that was noted elsewhere shows that. Then every published value is worked
out again from the kept loads and the definitions of then, and the seal of every publication is checked. One line for each thing that does not fit,
then a summary.
exit status: 0 all is as it was, 4 something is not, 2 refused
"""


def add(command: Command) -> None:
    """Put the commands on the command line."""
    publishing = command("publish", "close a review: keep its numbers as they are now", PUBLISH_HELP, run_publish)
    publishing.add_argument("--review", choices=sorted(TITLES), required=True, help="which review")
    publishing.add_argument("--as-of", metavar="DATE", help="the state as it was known at the end of DATE (2026-11-16) or at an instant; default: the latest")
    publishing.add_argument("--period", metavar="PERIOD", help="as for metrics; default: the quarter of as-of")
    publishing.add_argument("--where", action="append", default=[], metavar="DIMENSION=VALUE", help="as for metrics")
    publishing.add_argument("--by", metavar="NAME", help="who closes it; default: the user of this computer")
    verifying = command("verify", "check the audit log, work published numbers out again and compare", VERIFY_HELP, run_verify)
    verifying.add_argument("--publication", type=int, metavar="ID", help="only this publication; default: all of them")
    verifying.add_argument("--seal", action="append", default=[], metavar="SHA256", help="a seal noted elsewhere, which must be that of a publication (repeat for more)")
    verifying.add_argument("--anchor", action="append", default=[], metavar="SEQ:SHA256", help="an anchor noted elsewhere, which must be an act of the audit log (repeat for more)")


def run_publish(args: argparse.Namespace) -> int:
    """Close a review."""
    x, dataset = extract(args)
    view = ask.view_of(x, args.where, args.period or "")
    if not view.period:  # as on the pages
        view = view.during(x.terms.calendar.holding(x.as_of_day, "quarter"))
    store = company.open_store(args.store)
    done = publish(store, x, numbers(x, view, args.review), args.review, TITLES[args.review], view, who(args.by))
    print(f"Published as publication {done.id}: {len(store.published(done.id)):,} numbers of the {done.title.lower()} of {dataset}, as of {done.as_of:%Y-%m-%d %H:%M} UTC, "
          f"by {done.published_by}.\nSeal: {done.seal}\nAnchor of the audit log: {store.anchor().told}")
    return 0


def _check(store: Store, anchors: Sequence[Anchor]) -> int:
    """Say what of the store is not as its audit log says: how many things that are."""
    found, acts, end = store.checked(anchors)
    for one in found:
        print(f"{one.kind}: {one.what}")
    print(f"{acts:,} acts in the audit log: " + (f"{len(found):,} things do not fit" if found else "all of the store is what they wrote") + (f"; anchor {end}" if end else ""))
    return len(found)


def run_verify(args: argparse.Namespace) -> int:
    """Check the audit log, work published numbers out again, and say what differs."""
    store, anchors = company.existing_store(args.store), [Anchor.of(one) for one in args.anchor]
    tampered = None if args.publication is not None and not anchors else _check(store, anchors)
    try:
        return _verify_publications(args, store, tampered)
    except (KeyError, TypeError, ValueError):
        if not tampered:
            raise
        print("publications: what was changed in the store keeps them from being read, so they were not worked out again")
        return 4


def _verify_publications(args: argparse.Namespace, store: Store, tampered: int | None) -> int:
    """Work published numbers out again, and say what differs; the exit status, which also tells what is `tampered`. None: the store was not checked, so seals are looked at here."""
    datasets = [args.company] if args.company else [one.name for one in store.datasets()]
    found = [one for name in datasets for one in reversed(store.publications(name)) if args.publication in (None, one.id)]
    seals = {one.seal for name in datasets for one in store.publications(name)}
    gone = [seal for seal in args.seal if seal not in seals]
    for seal in gone:
        print(f"seal {seal}: there is no publication with it; it is gone or was changed")
    if not found and args.publication is not None:
        return stop(f"there is no publication {args.publication}")
    equal = differ = broken = 0
    for publication in found:
        for value, some in verify(store, publication, seal=tampered is None):
            equal, differ, broken = equal + (not some), differ + bool(some and value), broken + (value is None)
            if some:
                print(f"publication {publication.id} ({publication.title}, {publication.as_of:%Y-%m-%d}): {some[0].label}: {'; '.join(one.what for one in some)}")
    print("nothing is published yet" if not found else f"{equal + differ:,} values of {len(found):,} publications: " + (f"{differ:,} differ" if differ else "all are what was published")
          + (f"; what is not as it was published as a whole: {broken:,}" if broken else ""))
    return 4 if tampered or differ or broken or gone else 0
