"""What the team decides is written and read on every engine that a store may live on."""

from tests.store.conftest import place, server, store  # noqa: F401
