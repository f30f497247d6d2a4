"""What reading costs, from the bytes of a file to the stored load: CPU seconds of this process and of the child that parses, time on the clock, peak memory;
and what it costs to refuse files that would become large.

`python -m tests.reliability.budgets`. The workbook is written as Excel writes one (shared strings, dates as numbers, blank styled cells),
the csv as a CRM exports it. Budgets: 100,000 rows of xlsx in 5 CPU seconds, 1,000,000 rows of csv in 20; every refusal in 2 seconds and 200 MB more
than an idle child. The control reads the same bombs with the guards switched off, in a child of 1 GB: it must not end well.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from revscore.intake.apart import resident

BUDGETS = {"xlsx": (100_000, 5.0), "csv": (1_000_000, 20.0)}
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"))
_START = np.datetime64("2023-01-02")


def ids(prefix: str, numbers: np.ndarray) -> np.ndarray:
    """Salesforce ids of 18 characters whose last three say which of the first 15 are capitals."""
    body = np.char.add(np.char.add(prefix, "5g000004"), np.char.zfill(numbers.astype(str), 4 + 15 - len(prefix) - 8 - 4))
    letters = body.astype("U15").view("U1").reshape(-1, 3, 5)
    tail = _LETTERS[((letters >= "A") & (letters <= "Z")) @ (1 << np.arange(5))]
    return np.char.add(body, tail.astype("U1").view("U3").ravel())


def leads(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Leads as a Salesforce report has them."""
    at = np.arange(rows)
    created = _START + rng.integers(0, 1000, rows).astype("timedelta64[D]")
    converted = rng.random(rows) < 0.2
    return pd.DataFrame({
        "Lead ID": ids("00Q", at), "First Name": _pick(rng, rows, ["Ana", "Zoë", "Jürgen", "Li", "Sam", "Maria", "Tom"]),
        "Last Name": _pick(rng, rows, [f"Name{n}" for n in range(3000)]), "Email": [f"person{n}@company{n % 20_000}.example" for n in at],
        "Company / Account": [f"Company {n % 20_000} GmbH" for n in at], "Title": _pick(rng, rows, ["CEO", "Head of IT", "Buyer", "Engineer", ""]),
        "Country": _pick(rng, rows, ["Germany", "France", "United States", "Japan", "NA"]), "Industry": _pick(rng, rows, ["Retail", "Banking", "Energy", "Health"]),
        "Lead Source": _pick(rng, rows, ["Web", "Event", "Partner", "Outbound", "Referral"]), "Lead Owner": _pick(rng, rows, [f"Owner {n}" for n in range(60)]),
        "Lead Status": np.where(converted, "Qualified", _pick(rng, rows, ["Open", "Working", "Nurturing", "Disqualified"])),
        "Create Date": created, "Last Modified Date": created + rng.integers(0, 60, rows).astype("timedelta64[D]"), "Converted": np.where(converted, "1", "0"),
        "Converted Date": np.where(converted, created + np.timedelta64(20, "D"), np.datetime64("NaT")),
        "Converted Opportunity ID": np.where(converted, ids("006", at), "")})


def deals(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Opportunities as a Salesforce report has them."""
    at = np.arange(rows)
    created = _START + rng.integers(0, 1000, rows).astype("timedelta64[D]")
    stage = rng.integers(0, 7, rows)
    return pd.DataFrame({
        "Opportunity ID": ids("006", at), "Opportunity Name": [f"Company {n % 20_000} – Renewal {n}" for n in at], "Account ID": ids("001", at % 20_000),
        "Account Name": [f"Company {n % 20_000} GmbH" for n in at], "Opportunity Owner": _pick(rng, rows, [f"Owner {n}" for n in range(60)]),
        "Type": _pick(rng, rows, ["New Business", "Existing Business", "Renewal"]), "Lead Source": _pick(rng, rows, ["Web", "Event", "Partner", "Outbound", "Referral"]),
        "Stage": np.array(["Prospecting", "Qualification", "Proposal", "Negotiation", "Closed Won", "Closed Lost", "Needs Analysis"])[stage],
        "Probability (%)": np.array([10, 20, 50, 80, 100, 0, 30])[stage], "Amount": np.round(rng.gamma(2, 20_000, rows), 2), "Opportunity Currency": _pick(rng, rows, ["EUR", "USD"]),
        "Forecast Category": np.array(["Pipeline", "Pipeline", "Best Case", "Commit", "Closed", "Omitted", "Pipeline"])[stage],
        "Created Date": created, "Close Date": created + rng.integers(20, 200, rows).astype("timedelta64[D]"),
        "Last Stage Change Date": created + rng.integers(0, 20, rows).astype("timedelta64[D]"), "Next Step": _pick(rng, rows, ["", "Call", "Send the offer, then call", "Meet"])})


def _pick(rng: np.random.Generator, rows: int, words: list[str]) -> np.ndarray:
    return np.array(words, dtype=object)[rng.integers(0, len(words), rows)]


def extract(rows: int) -> dict[str, pd.DataFrame]:
    """`rows` records: six leads to four opportunities."""
    rng = np.random.default_rng(7)
    return {"Leads": leads(rows * 6 // 10, rng), "Opportunities": deals(rows - rows * 6 // 10, rng)}


def write_csv(folder: Path, rows: int) -> list[Path]:
    paths = []
    for name, frame in extract(rows).items():
        paths.append(folder / f"{name.lower()}.csv")
        frame.to_csv(paths[-1], index=False, date_format="%d/%m/%Y", encoding="utf-8-sig")
    return paths


def write_xlsx(folder: Path, rows: int) -> list[Path]:
    """A workbook as Excel saves it; written by hand, because no library is quick enough."""
    sheets, known = extract(rows), {}
    path = folder / "extract.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for number, frame in enumerate(sheets.values(), start=1):
            book.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(frame, known))
        texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in known)
        book.writestr("xl/sharedStrings.xml", _HEAD + f'<sst xmlns="{_MAIN}" count="{len(known)}" uniqueCount="{len(known)}">{texts}</sst>')
        _frame(book, list(sheets))
    return [path]


def _frame(book: zipfile.ZipFile, sheets: list[str]) -> None:
    """The parts of a workbook around its sheets and texts."""
    tabs = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, start=1))
    book.writestr("xl/workbook.xml", _HEAD + f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships"><sheets>{tabs}</sheets></workbook>')
    links = "".join(f'<Relationship Id="rId{n}" Type="{_OFFICE}/relationships/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1))
    links += f'<Relationship Id="s1" Type="{_OFFICE}/relationships/styles" Target="styles.xml"/><Relationship Id="s2" Type="{_OFFICE}/relationships/sharedStrings" Target="sharedStrings.xml"/>'
    book.writestr("xl/_rels/workbook.xml.rels", _HEAD + f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>')
    book.writestr("_rels/.rels", _HEAD + f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>')
    book.writestr("xl/styles.xml", _HEAD + f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
                  '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>')
    parts = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in range(1, len(sheets) + 1))
    book.writestr("[Content_Types].xml", _HEAD + f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
                  f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{parts}'
                  f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>')


_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _sheet(frame: pd.DataFrame, known: dict[str, int]) -> str:
    """The XML of a worksheet; `known` are the shared strings so far."""
    columns = []
    for at, name in enumerate(frame.columns):
        letter, values = chr(65 + at), frame[name]
        place = [f'<c r="{letter}{row}"' for row in range(2, len(frame) + 2)]
        if str(values.dtype).startswith("datetime"):
            days = (values - pd.Timestamp("1899-12-30")).dt.days
            cells = [f'{cell} s="1"><v>{day:.0f}</v></c>' if day == day else f'{cell} s="1"/>' for cell, day in zip(place, days, strict=True)]
        elif values.dtype.kind in "if":
            cells = [f"{cell}><v>{value}</v></c>" for cell, value in zip(place, values.tolist(), strict=True)]
        else:
            cells = [f'{cell} t="s"><v>{known.setdefault(text, len(known))}</v></c>' if text else f"{cell} s=\"1\"/>" for cell, text in zip(place, values.tolist(), strict=True)]
        columns.append([f'<c r="{letter}1" t="s"><v>{known.setdefault(name, len(known))}</v></c>', *cells])
    rows = "".join(f'<row r="{row}" spans="1:{len(columns)}">{"".join(cells)}</row>' for row, cells in enumerate(zip(*columns, strict=True), start=1))
    return _HEAD + f'<worksheet xmlns="{_MAIN}"><dimension ref="A1:{chr(64 + len(columns))}{len(frame) + 1}"/><sheetData>{rows}</sheetData></worksheet>'


def measure(kind: str, paths: list[Path]) -> str:
    """Load `paths` into a new store and say what each step cost."""
    from revscore import company
    from revscore.intake import Source
    from revscore.people import LOCAL
    marks: dict[str, float] = {}

    def mark(step: str, _fraction: float, _detail: str) -> None:
        marks[step] = cpu()

    with tempfile.TemporaryDirectory() as folder:
        store = company.open_store(Path(folder) / "store.sqlite")
        start, clock = cpu(), time.perf_counter()
        draft = company.draft_files(store, company.COMPANY, [Source(path.name, path) for path in paths], progress=mark)
        marks["read"] = marks.get("recognised", start) if "read" not in marks else marks["read"]
        drafted = cpu()
        open_ = {question.key: question.options[0] for question in draft.report.questions}
        draft = draft.again(answers=open_) if open_ else draft
        answered, found = cpu(), company.save(store, draft, progress=mark, by=LOCAL)
        done, wall = cpu(), time.perf_counter() - clock
        store.close()
    rows, budget = BUDGETS[kind]
    parts = {"read": marks["read"] - start, "match and clean": drafted - marks["read"], "clean again with answers": answered - drafted, "store": done - answered}
    size = sum(path.stat().st_size for path in paths) / 1e6
    return (f"{kind:4}  {found.rows_read:9,} rows, {size:.0f} MB, {found.status}: {done - start:.1f} CPU s of {budget * found.rows_read / rows:.1f} "
            f"({', '.join(f'{name} {spent:.1f}' for name, spent in parts.items())}), {wall:.1f} s on the clock, peak {_peak()}")


def bombs() -> dict[str, bytes]:
    """Small files that become large, and one that makes the parser abort its process."""
    cell = b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>'
    text, strings = b"<si><t>%s</t></si>", b'<sst xmlns="%s">' % _MAIN.encode()
    return {"a sheet of 300 MB": _packed(b"<row><c><v>1</v></c></row>" * 12_000_000), "3 M texts": _packed(cell % (1, 1), strings + b"".join(b"<si><t>%d</t></si>" % n for n in range(3_000_000)) + b"</sst>"),
            "one text of 32 kB in 40,000 cells": _packed(b"".join(cell % (n, n) for n in range(1, 40_001)), strings + text % (b"x" * 32_000) + b"</sst>"),
            "a stray cell in XFD1048576": _packed(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
            "500,000 rows": _packed(b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 500_001))),
            "nesting": _packed(b"<a>" * 1_000_000 + b"</a>" * 1_000_000 + cell % (1, 1))}


def _packed(rows: bytes, strings: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as book:
        _frame(book, ["Sheet"])
        book.writestr("xl/worksheets/sheet1.xml", b'<worksheet xmlns="' + _MAIN.encode() + b'"><sheetData>' + rows + b"</sheetData></worksheet>")
        book.writestr("xl/sharedStrings.xml", strings or b"<sst/>")
    return stream.getvalue()


def refuse(path: Path, guarded: bool) -> str:
    """Read a bomb and say what came of it."""
    from revscore.intake.apart import Child, read_apart
    from revscore.intake.guards import Limits
    from revscore.intake.sheet import Source
    off = 1 << 40
    limits = Limits() if guarded else Limits(workbook=off, entries=off, unpacked=off, part=off, ratio=off, strings=off, string_bytes=off, depth=off, sheet_rows=off,
                                             sheet_columns=off, memory=1 << 30, memory_per_byte=0)
    with Child(limits) as idle:
        idle.read("idle.csv", b"a,b\n1,2\n", {}, lambda *_: None)
        before = resident(idle.process) >> 20
    clock, spent = time.perf_counter(), cpu()
    sheets, problems = read_apart([Source(path.name, path)], limits=limits)
    wall, peak = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024 - before
    said = problems[0].code if problems else f"read, {len(sheets)} sheets"
    return f"{'refused' if guarded else 'control'}  {path.stem}: {said}, {cpu() - spent:.1f} CPU s, {wall:.1f} s on the clock, {peak:,} MB more than an idle child"


def cpu() -> float:
    """CPU seconds of this process and of its children that ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak() -> str:
    own, children = (resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return f"{own:,} MB here, {children:,} MB in the child"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=["xlsx", "csv", "bombs"], help="xlsx, csv, bombs")
    parser.add_argument("--rows", type=int, help="rows of each extract (default: those of the budget)")
    parser.add_argument("--keep", type=Path, help="folder to write the extracts into, or to find them in")
    parser.add_argument("--measure", nargs="+", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure and given.kinds[0] in ("refused", "control"):
        print(refuse(given.measure[0], given.kinds[0] == "refused"), flush=True)
        return
    if given.measure:
        print(measure(given.kinds[0], given.measure), flush=True)
        return
    with tempfile.TemporaryDirectory() as temporary:
        for kind in given.kinds:
            folder = (given.keep or Path(temporary)) / kind
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
            if not paths:
                folder.mkdir(parents=True)
                paths = WRITERS[kind](folder, given.rows or BUDGETS.get(kind, (0, 0))[0])
            # a process of its own: what writing the files took is not counted
            for one in [paths] if kind in BUDGETS else [[path] for path in paths]:
                for what in (kind,) if kind in BUDGETS else ("refused", "control"):
                    subprocess.run([sys.executable, "-m", "tests.reliability.budgets", what, "--measure", *map(str, one)], check=True)


def write_bombs(folder: Path, _rows: int) -> list[Path]:
    for name, content in bombs().items():
        (folder / f"{name}.xlsx").write_bytes(content)
    return sorted(folder.iterdir())


WRITERS = {"xlsx": write_xlsx, "csv": write_csv, "bombs": write_bombs}

if __name__ == "__main__":
    main()
