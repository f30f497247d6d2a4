"""Writing xlsx files that are the same bytes every time: fixed properties inside, fixed times in the zip around."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook

STAMP = dt.datetime(2026, 11, 16, 13, 0, 0)


def write(path: Path, sheets: Mapping[str, Iterable[Sequence]]) -> None:
    """One sheet per entry, cells as given; empty texts become empty cells."""
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([None if cell == "" else cell for cell in row])
    book.properties.creator, book.properties.created = "Northlight Software", STAMP
    buffer = io.BytesIO()
    book.save(buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(buffer) as raw, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for member in raw.namelist():
            content = raw.read(member)
            if member == "docProps/core.xml":  # openpyxl stamps the time of saving here
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + STAMP.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), content)
            info = zipfile.ZipInfo(member, (2026, 11, 16, 13, 0, 0))
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            out.writestr(info, content, compresslevel=9)
