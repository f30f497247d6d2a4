"""People for tests."""

from __future__ import annotations

from revscore.people import EVERY_ROLE, Actor


def whole(name: str) -> Actor:
    """Somebody who may do everything."""
    return Actor(name, EVERY_ROLE)


ANN, ADA, BOB, BO, CY, DI, EVE, CLEO = map(whole, ("ann", "ada", "bob", "bo", "cy", "di", "eve", "cleo"))
