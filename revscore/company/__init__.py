"""One company's way through revscore: files into the store, the coded extract out of it. Shared by the pages and the command line.

    store = open_store()
    report = load(store, COMPANY, [Source("leads.csv", Path("leads.csv"))], by=LOCAL)
    x = coded(store, current(store))
"""

from revscore.company.accepted import accepted
from revscore.company.backups import backup, restore
from revscore.company.loading import Draft, Progress, against, draft_files, draft_warehouse, load, save
from revscore.company.reports import ALREADY, ASKS, LOADED, REFUSED, FileReport, LoadReport, Message, to_mend, with_raw
from revscore.company.shown import COMPANY, Moved, called, checking_store, coded, current, encoded, ensure_sample, existing_store, has_load, instant, lacking, open_store, settled, state_of, terms_of, unmoved
from revscore.company.standing import CONFIRM, Asked
from revscore.rhythm.logged import with_log
from revscore.store import SAMPLE

__all__ = ["ALREADY", "ASKS", "COMPANY", "CONFIRM", "LOADED", "REFUSED", "SAMPLE", "Asked", "Draft", "FileReport", "LoadReport", "Message", "Moved", "Progress",
           "accepted", "against", "backup", "called", "checking_store", "coded", "current", "draft_files", "draft_warehouse", "encoded", "ensure_sample", "existing_store", "has_load",
           "instant", "lacking", "load", "open_store", "restore", "save", "settled", "state_of", "terms_of", "to_mend", "unmoved", "with_log", "with_raw"]
