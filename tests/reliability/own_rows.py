"""Own rows: a seller sees the team's numbers, and of records only the own ones, on every surface.

`python -m tests.reliability.own_rows`. Every card of the sample company is opened as the drawer and its downloads open it, and every page is run; what is sent to the browser is
searched for ids, names and addresses of other people's records. The files that show rows at all are known: a new one fails until it is thought of. Control: the restriction
switched off.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from revscore import company
from revscore.core.coded import Coded
from revscore.core.drill import open_number
from revscore.core.metric import Kind
from revscore.core.metrics import CARDS
from revscore.core.view import View
from revscore.core.written import view_as_json
from revscore.people import EVERY_ROLE, LOCAL, Actor, sight
from revscore.rhythm import meetings
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.meetings import Frozen
from revscore.store import Store

ROOT = Path(__file__).parents[2]
PAGES = tuple(sorted(path.stem for path in (ROOT / "pages").glob("*.py")))
RAW = {  # file of revscore/ui -> why it may show rows, or hand out files, without `tables` and `drill.downloads`
    "tables.py": "keeps to the own rows", "drill.py": "keeps to the own rows", "data_page.py": "counts of tables", "report.py": "ledgers of loads: not for who sees own rows only",
    "confirming.py": "uploads: for who may load", "mending.py": "uploads: for who may load", "upload.py": "uploads: for who may load", "closing.py": "files of a meeting: not for who sees own rows only",
    "blocks/published.py": "published values", "blocks/target_form.py": "targets", "blocks/definitions.py": "definitions"}
DRAWERS = 4  # opened on each page
SHOWS = {"dataframe", "table", "data_editor", "download_button"}  # of Streamlit; and of `tables` what shows a frame as it is


def rows_shown_elsewhere() -> list[str]:
    """Calls that show rows or hand out files in a file that is not known to."""
    folder = ROOT / "revscore" / "ui"
    return [f"{path.relative_to(folder).as_posix()}:{node.lineno}" for path in sorted(folder.rglob("*.py")) if path.relative_to(folder).as_posix() not in RAW
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (node.func.attr == "plain" if (of := ast.unparse(node.func.value)) == "tables" else node.func.attr in SHOWS and not of.endswith("data"))]


def owner_of(x: Coded) -> str:
    """The owner with the most deals."""
    return str(x.data.table("opportunities")["owner_id"].value_counts().index[0])


def of_others(x: Coded, owner: str) -> dict[str, str]:
    """Id → owner of the records of others, straight from the extract."""
    frames = [x.data.table(name)[[key, "owner_id"]].set_axis(["id", "owner"], axis=1) for name, key in (("opportunities", "opp_id"), ("leads", "lead_id"), ("accounts", "account_id"))]
    known = pd.concat(frames).dropna(subset=["id"])
    known = known[known["owner"] != owner]
    return dict(zip(known["id"], known["owner"].fillna(""), strict=True))


def cards(x: Coded, by: Actor) -> tuple[int, int, int, list[str]]:
    """(cards opened, rows in all, rows shown, what was shown of others)."""
    foreign, opened, every, shown, wrong = of_others(x, by.owner), 0, 0, 0, []
    for card in CARDS.values():
        if x.data.missing(card.needs) or card.headline.kind in (Kind.DERIVED, Kind.STUDY):
            continue
        found = open_number(x, card, View())
        before = found.contribution
        opened += 1
        for frame in (found.counted, found.not_counted, found.outside, found.left_out):
            kept = sight.seen(x, frame, by)
            every, shown = every + len(frame), shown + len(kept)
            ids = kept[kept.columns[0]].astype("str") if len(kept) else pd.Series(dtype="str")
            wrong += [f"{card.id}: {one} of {foreign[one]}" for one in ids[ids.isin(foreign.keys())].unique()[:3]]
        assert open_number(x, card, View()).contribution == before or before != before
    return opened, every, shown, wrong


def secrets(x: Coded, owner: str) -> tuple[set[str], list[str]]:
    """(ids of records of others, names and addresses of others) that a reader must not find."""
    deals, leads = x.data.table("opportunities"), x.data.table("leads")
    mine = deals["owner_id"] == owner
    ids = {*deals.loc[~mine, "opp_id"], *leads.loc[leads["owner_id"] != owner, "lead_id"]}
    accounts = x.data.table("accounts")
    own = accounts["owner_id"].eq(owner) | accounts["account_id"].isin(deals.loc[mine, "account_id"])
    names = {*deals.loc[~mine, "name"].dropna(), *leads.loc[leads["owner_id"] != owner, "email"].dropna(), *accounts.loc[~own, "name"].dropna()} - {*deals.loc[mine, "name"].dropna()}
    names = {one for one in names if not any(one in kept for kept in accounts.loc[own, "name"].dropna())}
    return set(map(str, ids)), sorted(str(one) for one in names if len(str(one)) > 5)


def sent(page: str, by: Actor, meeting: str = "", drawers: int = 0) -> dict[str, bytes]:
    """What a page, or the stage of a `meeting`, sends to the browser, and what its first `drawers` send once they are opened by a click: where → all of it."""
    from streamlit.testing.v1 import AppTest

    with patch("revscore.ui.session.actor", lambda: by), patch("revscore.ui.door.actor", lambda: by):
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        if meeting:
            test.query_params["meeting"] = meeting
        elif page in ("weekly", "monthly"):
            test.query_params["everything"] = "true"
        test.run()
        if page != "scorecard" and not meeting:
            test.switch_page(f"pages/{page}.py").run()
        if page == "triage":
            test.toggle(key="all-kinds").set_value(True).run()
        assert not test.exception, f"{page}: {test.exception[0].value}"
        out = {page: b"\n".join(_protos(test._tree))}
        for key in [one.key for one in test.button if str(one.key).startswith(("open-", "rows-"))][:drawers]:
            if any(one.key == key for one in test.button):  # else what was opened before keeps it away
                test.button(key=key).click().run()
                assert not test.exception, f"{page}, {key}: {test.exception[0].value}"
                out[f"{page}, {key}"] = b"\n".join(_protos(test._tree))
        return out


def _protos(node) -> Iterator[bytes]:
    for child in getattr(node, "children", {}).values():
        yield from _protos(child)
    proto = getattr(node, "proto", None)
    if proto is not None and not getattr(node, "children", None):
        yield proto.SerializeToString()


def found_in(blob: bytes, ids: set[str], names: list[str]) -> list[str]:
    """Which of them a page sent."""
    words = {word.decode() for word in re.findall(rb"[A-Za-z0-9_-]{3,}", blob)}
    return sorted(ids & words) + [one for one in names if one.encode() in blob]


def walk_stage(store: Store, x: Coded, by: Actor) -> dict[str, list[str]]:
    """Screen of a meeting → records of others that it sent to the browser."""
    ids, names = secrets(x, by.owner)
    stand, view, out = x.data.stand, View(x.terms.calendar.holding(x.as_of_day, "quarter")), {}
    for kind in ("weekly", "monthly"):
        agenda = AGENDAS[kind]
        held = meetings.start(store, stand.dataset, kind, agenda.title, Frozen(stand.loads, x.data.as_of.isoformat(), stand.definitions or 0, x.terms.digest, view_as_json(view), "This quarter", stand.log),
                              agenda.ids, LOCAL)
        for screen in agenda.ids:
            meetings.show(store, stand.dataset, held, screen, LOCAL)
            out[f"{kind} meeting, {screen}"] = found_in(sent("", by, held.id)[""], ids, names)
        meetings.close(store, stand.dataset, held, LOCAL, "Only a test", abandoned=True)
    return out


def walk_pages(x: Coded, by: Actor, pages: tuple[str, ...] = PAGES, drawers: int = 0) -> tuple[int, dict[str, list[str]]]:
    """(pages and drawers looked at, where → records of others that were sent to the browser)."""
    ids, names = secrets(x, by.owner)
    seen = {where: blob for page in pages for where, blob in sent(page, by, drawers=drawers).items()}
    return len(seen), {where: some for where, blob in seen.items() if (some := found_in(blob, ids, names))}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"REVSCORE_DB": str(Path(folder) / "own.sqlite"), "REVSCORE_FACTS": str(Path(folder) / "facts")}):
        store = company.open_store()
        company.ensure_sample(store)
        x = company.coded(store, company.SAMPLE)
        by = Actor("seller@x.example", EVERY_ROLE, owner_of(x), own_rows=True)
        free = Actor("seller@x.example", EVERY_ROLE, owner_of(x))
        elsewhere = rows_shown_elsewhere()
        opened, every, shown, wrong = cards(x, by)
        print(f"cards: {opened} opened, {every:,} rows behind them, {shown:,} shown to one owner, {len(wrong)} of others")
        screens = walk_stage(store, x, by)
        looked, leaks = walk_pages(x, by, drawers=DRAWERS)
        leaks |= {name: some for name, some in screens.items() if some}
        print(f"pages: {len(PAGES)} with {looked - len(PAGES)} drawers opened by a click, and {len(screens)} screens of meetings run, {sum(map(len, leaks.values()))} records of others sent to the browser; "
              f"files that show rows past the one place: {len(elsewhere)}")
        open_cards, open_pages = cards(x, free)[3], walk_pages(x, free, drawers=DRAWERS)[1]
        open_screens = [name for name, some in walk_stage(store, x, free).items() if some]
        print(f"control, the restriction switched off: rows of others behind {len({one.split(':')[0] for one in open_cards})} cards, on {sum(name in PAGES for name in open_pages)} pages, "
              f"in {sum(name not in PAGES for name in open_pages)} drawers and on {len(open_screens)} screens")
        store.close()
    faults = [*elsewhere, *wrong, *(f"{page}: {', '.join(some[:5])}" for page, some in leaks.items())]
    print(*faults[:40], sep="\n", end="\n" if faults else "")
    return 1 if faults or not open_cards or not open_pages else 0


if __name__ == "__main__":
    sys.exit(main())
