"""Rewrite the sample company: `python sample_data/generate.py` (same files every time; `--to FOLDER` writes elsewhere)."""

from __future__ import annotations

import argparse
from pathlib import Path

from generator import write_hubspot, write_plain, write_salesforce
from generator.frames import simulate

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE, metavar="FOLDER", help="where to write (default: this folder)")
    folder = parser.parse_args().to
    tables = simulate()
    planted = write_plain.write(folder, tables) + write_salesforce.write(folder, tables) + write_hubspot.write(folder, tables)
    for fault, place, count in planted:
        print(f"| {fault} | {place} | {count} |")


if __name__ == "__main__":
    main()
