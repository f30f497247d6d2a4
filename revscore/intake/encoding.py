"""From the bytes of a text file to its text: byte-order mark, UTF-16 without one, UTF-8, then the 8-bit encoding that makes real letters."""

from __future__ import annotations

import codecs
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from charset_normalizer import from_bytes

from revscore.intake.guards import Refused
from revscore.intake.sheet import Sheet

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
          (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SIGNS = "\u00a0\u00ad“”‘’„‚–—…€£§©®™°·•«»"
_WESTERN = "äöüßÄÖÜéèêëàâçîïôùûœæøåáíóúñãõìòÉÈÊÀÂÇÎÔÛŒÆØÅÁÍÓÚÑÃÕ¿¡ºª" + _SIGNS
_CYRILLIC = "".join(map(chr, range(0x410, 0x450))) + "ёЁіІїЇєЄґҐ№" + _SIGNS
# Letters of the languages written in each encoding, most usual encoding first: the first that explains the bytes is taken.
_LETTERS = {
    "cp1252": _WESTERN,
    "cp1254": "şğıçöüâîûŞĞİÇÖÜÂ" + _SIGNS,
    "cp1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻčďěňřšťůžýáéíúľĺôäČĎĚŇŘŠŤŮŽÝÁÉÍÚŐőŰűöüÖÜßăâîşţđĂÂÎŞŢĐ" + _SIGNS,
    "cp1251": _CYRILLIC,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
}
MIXED = "utf-8 and cp1252"
_EAST_ASIAN = ["cp932", "gb18030", "big5", "euc_kr"]


def decode(content: bytes) -> tuple[str, str | None, tuple[str, ...]]:
    """The text of `content`, a sentence when the encoding had to be worked out, and the encodings it may have when that is a guess (the one taken
    comes first). Raises `Refused` when no encoding fits."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content[len(mark):].decode(encoding), None, ()
            except UnicodeDecodeError as error:
                if encoding == "utf-8":
                    break
                raise Refused("E_ENCODING", f"the text breaks off or is damaged at byte {error.start:,} ({encoding}): export it again.") from None
    content = content.removeprefix(codecs.BOM_UTF8)
    wide = _utf16(content)
    if wide:
        return content.decode(wide, errors="strict"), f"read as {wide.upper()}, which the file does not say: check names with accents.", ()
    try:
        return content.decode("utf-8"), None, ()
    except UnicodeDecodeError:
        pass
    loose = content.decode("utf-8", errors="replace")
    bad = loose.count("\ufffd")
    if sum(not character.isascii() for character in loose) > 10 * bad:
        return content.decode("utf-8", errors="revscore-cp1252"), (
            f"read as UTF-8; {bad:,} bytes are not UTF-8 and were read as Windows-1252: check names with accents."), (MIXED,)
    strange = b"\n".join([line for line in content.split(b"\n") if not line.isascii()][:2000])
    encoding = _eight_bit(strange) or _east_asian(strange)
    if encoding:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            pass
        else:
            others = [other for other in _LETTERS if other != encoding and encoding in _LETTERS and _decodes(strange, other)]
            return text, f"read as {encoding}, which the file does not say: check names with accents, or export as UTF-8.", (encoding, *others)
    raise Refused("E_ENCODING", "the encoding of the text cannot be made out: export it again as UTF-8 (in Excel: CSV UTF-8).")


def in_encoding(sheet: Sheet, meant: str) -> Sheet:
    """The sheet as it reads in the encoding `meant`, when that is one of those that its bytes allow."""
    if meant not in sheet.encodings[1:]:
        return sheet
    def again(text: pd.Series) -> pd.Series:
        strange = ~text.str.fullmatch("[\x00-\x7f]*").to_numpy(dtype=bool)
        codes, words = pd.factorize(text[strange])
        out = text.copy()
        out[strange] = np.array([word.encode(sheet.encodings[0]).decode(meant) for word in words], dtype=object)[codes]
        return out
    frame = sheet.frame.apply(again).set_axis(again(pd.Series(sheet.frame.columns, dtype="str")).tolist(), axis=1)
    return replace(sheet, frame=frame, encodings=(meant, *(one for one in sheet.encodings if one != meant)))


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _utf16(content: bytes) -> str | None:
    """Plain letters, digits and delimiters have a zero byte in UTF-16, always on the same side."""
    head = content[:8192]
    if len(content) % 2 or not head:
        return None
    even, odd = (head[side::2].count(0) / max(len(head) // 2, 1) for side in (0, 1))
    encoding = "utf-16-le" if odd > 0.25 and even < 0.01 else "utf-16-be" if even > 0.25 and odd < 0.01 else None
    try:
        return encoding if encoding and "\0" not in content.decode(encoding) else None
    except UnicodeDecodeError:
        return None


def _eight_bit(strange: bytes) -> str | None:
    best, most = None, 0.9
    for encoding, letters in _LETTERS.items():
        try:
            text = strange.decode(encoding)
        except UnicodeDecodeError:
            continue
        # A capital after a small letter ("SociŽtŽ") is a sign of the wrong encoding.
        signs = [after in letters and not (before.islower() and after.isupper()) for before, after in pairwise(" " + text) if not after.isascii()]
        known = sum(signs) / len(signs)
        if known > most:
            best, most = encoding, known
    return best


def _east_asian(strange: bytes) -> str | None:
    found = from_bytes(strange, cp_isolation=_EAST_ASIAN).best()
    return found.encoding if found else None


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start:error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error("revscore-cp1252", _as_cp1252)
