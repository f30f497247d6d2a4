"""Backups of the store by somebody who may make and restore them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from revscore.people import Actor
from revscore.store import Anchor, Store, backups
from revscore.store.backups import Manifest


def backup(store: Store, by: Actor, file: Path | None = None, *, as_it_is: bool = False) -> tuple[Path, Manifest]:
    """Write a checked backup while others work on: its file and its manifest. Raises NotAllowed without the right; StoreError as `backups.make` does."""
    by.demand("backup")
    return store.backup(file, by.name, as_it_is=as_it_is)


def restore(file: Path, url: str | Path, by: Actor, anchors: Sequence[Anchor] = (), *, as_it_is: bool = False) -> tuple[Manifest, str]:
    """Put a backup in the place of the store at `url`: the manifest, and where the old store is now. Raises NotAllowed without the right; StoreError as `backups.restore` does."""
    by.demand("backup")
    return backups.restore(file, url, by.name, anchors, as_it_is=as_it_is)
