"""Text from data in Markdown surfaces: escaped, so that a name can neither format, nor fetch, nor become a link."""

from __future__ import annotations

import re

from revscore.core.metric import functions
from revscore.core.units import listed

_SPECIAL = re.compile(r"([\\`*_\[\]<>!|~$:#&])|^(?=[-+=])")
_ADDRESS = re.compile(r"(?<=[\w.+-])(?=@)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"  # no width, no break


def md(text: object) -> str:
    """`text` so that a Markdown surface shows it letter for letter, on one line. Addresses are made into links after escapes are undone, so a joiner nobody sees parts them."""
    return _SPECIAL.sub(r"\\\1", _ADDRESS.sub(_JOINER, " ".join(str(text).split())))


def humanised(name: str) -> str:
    """A column's name for reading: `created_at` → "Created", `opp_id` → "Deal", `close_date` → "Close date", `age_days` → "Age (days)"."""
    words = re.sub(r"\bopp\b", "deal", re.sub(r" (days|minutes)$", r" (\1)", re.sub(r"_(at|day|id)$", "", name).replace("_", " ").strip()))
    return words[:1].upper() + words[1:]


def owners(names: tuple[str, ...]) -> str:
    """Functions that own a number, as readers call them: "Marketing + Sales"."""
    return functions(names)


__all__ = ["humanised", "listed", "md", "owners"]
