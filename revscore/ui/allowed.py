"""What the reader may not do is disabled, and says who may. Only a courtesy: the services refuse it themselves."""

from __future__ import annotations

from typing import Any

from revscore.people.rights import refusal
from revscore.ui import session


def to(*actions: str, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """Keyword arguments of a widget that does `actions`: `disabled` and `help`, which says why where a right is missing."""
    by = session.actor()
    lacks = next((refusal(action) for action in actions if not by.may(action)), None)
    return {"disabled": disabled or lacks is not None, "help": lacks or help}
