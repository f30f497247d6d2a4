"""Who works with revscore, and what each of them may do."""

from revscore.people.rights import EVERY_ROLE, LOCAL, MATRIX, NOBODY, ROLES, TITLES, WORDS, Actor, NotAllowed

__all__ = ["EVERY_ROLE", "LOCAL", "MATRIX", "NOBODY", "ROLES", "TITLES", "WORDS", "Actor", "NotAllowed"]
