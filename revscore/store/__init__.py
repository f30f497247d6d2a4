"""The store: loads, terms, mappings, what was published and the log of what the team decides, kept in SQLite or PostgreSQL. Knows `core` only."""

from revscore.store.datasets import SAMPLE, Dataset
from revscore.store.engine import StoreError, default_url
from revscore.store.kept import code_version
from revscore.store.loads import LoadFile, LoadInfo, LoadResult, NothingLoaded
from revscore.store.log import Entry, Overtaken
from revscore.store.publications import Publication, PublishedValue
from revscore.store.store import Store
from revscore.store.terms import TermsVersion
from revscore.store.writer import Writer
from revscore.store.writer import Writer

__all__ = ["SAMPLE", "Dataset", "Entry", "LoadFile", "LoadInfo", "LoadResult", "NothingLoaded", "Overtaken", "Publication", "PublishedValue", "Store", "StoreError", "TermsVersion", "Writer", "code_version", "default_url"]
