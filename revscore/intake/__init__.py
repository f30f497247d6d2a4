"""The gate: files become one cleaned, typed `CrmData` and a `Ledger` that accounts for every row."""

from revscore.intake.plain import load_folder

__all__ = ["load_folder"]
