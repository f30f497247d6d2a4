"""The store: loads, terms, mappings, what was published and the log of what the team decides, kept in SQLite or PostgreSQL. Knows `core` only."""

from revscore.store.audit import Anchor
from revscore.store.checked import Tampering
from revscore.store.contents import sha256_of
from revscore.store.datasets import SAMPLE, Dataset
from revscore.store.doubts import OLDER, OTHER, SMALLER, Doubt
from revscore.store.engine import StoreError, default_url
from revscore.store.kept import code_version
from revscore.store.loads import LoadFile, LoadInfo, LoadResult, NewLoad, NothingLoaded, pack
from revscore.store.log import Entry, Overtaken
from revscore.store.people import Person
from revscore.store.publications import Publication, PublishedValue
from revscore.store.store import Store
from revscore.store.terms import TermsVersion
from revscore.store.writer import Writer

__all__ = ["OLDER", "OTHER", "SAMPLE", "SMALLER", "Anchor", "Dataset", "Doubt", "Entry", "LoadFile", "LoadInfo", "LoadResult", "NewLoad", "NothingLoaded",
           "Overtaken", "Person", "Publication", "PublishedValue", "Store", "StoreError", "Tampering", "TermsVersion", "Writer", "code_version", "default_url",
           "pack", "sha256_of"]
