"""The XML of a workbook's parts, piece by piece, once it is safe: no document type, no entity, no nesting beyond the cap, an ordinary encoding, sound to its end."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from xml.parsers import expat

import numpy as np

from revscore.intake.guards import SAVE, Limits, Refused, unpack

_CHUNK = 4 << 20
_LONGEST = 16 << 20             # bytes without the end of a row or of a text
_ENCODING = re.compile(rb'^\s*<\?xml[^>]*encoding=["\']([^"\']+)["\']')


def pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> Iterator[bytes]:
    """The XML of a part in pieces that end between rows, after what `_parse` refuses and other encodings than those that write ASCII as it is.

    A large part in which nothing begins with "<!" has no document type, no comment and no CDATA, so that its nesting can be counted in its bytes; only other
    parts are given to the XML parser.
    """
    def looked_at(data: bytes, depth: int, sure: bool) -> tuple[int, bool]:
        if not sure:
            return depth, sure
        depth, deepest = _depth(data, depth)
        if deepest <= limits.depth and b"<!" not in data:
            return depth, True
        _parse(archive, entry, limits)
        return depth, False

    rest, first, depth, sure = b"", True, 0, entry.file_size > _CHUNK
    if not sure:
        _parse(archive, entry, limits)
    for piece in unpack(archive, entry, _CHUNK):
        if first:
            found = _ENCODING.match(piece[:300].removeprefix(b"\xef\xbb\xbf"))
            if piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in piece[:64] or found and found[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
                raise Refused("E_XML_ENCODING", f"the workbook is written in an unusual encoding ({entry.filename}): {SAVE}.")
            first = False
        data = rest + piece
        cut = max(data.rfind(b"row>") + 4, data.rfind(b"si>") + 3)
        cut = cut if cut > 3 else data.rfind(b">") + 1 if len(data) > _LONGEST else 0
        rest = data[cut:]
        if len(rest) > _LONGEST:
            raise Refused("E_UNPACKED", f"the workbook holds one piece of more than {_LONGEST >> 20} MB ({entry.filename}): {SAVE}.")
        if cut:
            depth, sure = looked_at(data[:cut], depth, sure)
            yield data[:cut]
    looked_at(rest, depth, sure)
    yield rest


def _depth(data: bytes, depth: int) -> tuple[int, int]:
    """How deep the elements are nested at the end of `data` and at most, `depth` at its beginning: counted in the bytes, many times faster than by the parser."""
    text = np.frombuffer(data + b">", np.uint8)
    ends, begins = (text[:-1] == ord("/")) & (text[1:] == ord(">")), text[:-1] == ord("<")
    at = np.flatnonzero(begins | ends)
    if not len(at):
        return depth, depth
    after = text[at + 1]
    step = np.where(begins[at] & (after != ord("/")), np.where(after == ord("?"), 0, 1), -1)
    nested = depth + np.cumsum(step)
    return int(nested[-1]), int(nested.max())


def _parse(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> None:
    """Hold a part against the rules of XML by a parser: no document type, no entity, no nesting beyond the cap, well-formed to the end."""
    parser, depth = expat.ParserCreate(), 0

    def refuse(*_: object) -> None:
        raise Refused("E_XML_DTD", f"the workbook holds XML definitions that no export writes ({entry.filename}): {SAVE}.")

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > limits.depth:
            raise Refused("E_XML_DEPTH", f"the workbook nests XML deeper than {limits.depth} levels, which no export does ({entry.filename}): {SAVE}.")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    for piece in unpack(archive, entry, _CHUNK):
        parser.Parse(piece, False)
    parser.Parse(b"", True)
