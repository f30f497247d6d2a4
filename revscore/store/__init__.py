"""The store: loads, terms, mappings and what was published, kept in SQLite or PostgreSQL. Knows `core` only."""

from revscore.store.datasets import SAMPLE, Dataset
from revscore.store.engine import StoreError, default_url
from revscore.store.kept import code_version
from revscore.store.loads import LoadFile, LoadInfo, LoadResult, NothingLoaded
from revscore.store.publications import Publication, PublishedValue
from revscore.store.store import Store
from revscore.store.terms import TermsVersion

__all__ = ["SAMPLE", "Dataset", "LoadFile", "LoadInfo", "LoadResult", "NothingLoaded", "Publication", "PublishedValue", "Store", "StoreError", "TermsVersion", "code_version", "default_url"]
