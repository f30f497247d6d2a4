"""The command line: exit codes, shapes of what is printed, the same numbers as by the functions."""

from __future__ import annotations

import io
import json
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from sqlalchemy import create_engine

from revscore import cli, company
from revscore.core import ask
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.rhythm.reviews import REVIEWS
from tests.extracts import HISTORY, LEADS

COLUMNS = ["metric", "measure", "period", "by", "value", "numerator", "denominator", "n", "low", "high", "flag"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    (tmp_path / "lead_stage_history.csv").write_text(HISTORY, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """Run a command on a store of its own; (exit status, standard output, standard error)."""
    def go(*words: str) -> tuple[int, str, str]:
        status = cli.main([*words, "--store", str(folder / "store.sqlite")])
        out = capsys.readouterr()
        return status, out.out, out.err

    return go


@pytest.fixture
def loaded(run, folder):
    assert run("load", str(folder / "leads.csv"), str(folder / "lead_stage_history.csv"), "--as-of", "2026-03-31T12:00:00Z")[0] == 0
    return run


def test_a_load_prints_one_object_a_file(run, folder):
    files = [str(folder / "leads.csv"), str(folder / "lead_stage_history.csv")]
    status, out, _ = run("load", *files, "--as-of", "2026-03-31", "--format", "json")
    leads, history = (json.loads(line) for line in out.splitlines())
    assert status == 0
    assert {k: leads[k] for k in ("file", "status", "load_id", "rows_read", "rows_loaded", "rows_quarantined")} == {
        "file": "leads.csv", "status": "loaded", "load_id": 1, "rows_read": 4, "rows_loaded": 3, "rows_quarantined": 1}
    assert leads["as_of"].startswith("2026-03-31T23:59:59")
    assert [r["rows"] for r in leads["reasons"]] == [1]
    held = next(m for m in leads["messages"] if m["row"] == 5)
    assert {"sheet", "row", "column", "text"} <= set(held) and held["column"] == "created_at" and held["text"]
    assert history["load_id"] == 1
    again = [json.loads(line) for line in run("load", *files, "--as-of", "2026-03-31", "--format", "json")[1].splitlines()]
    assert {one["status"] for one in again} == {"already_loaded"} and {one["load_id"] for one in again} == {1}


def test_a_dry_run_leaves_the_store_empty(run, folder):
    status, out, _ = run("load", str(folder / "leads.csv"), "--dry-run")
    assert status == 0 and "dry run" in out
    assert not list(folder.glob("store.sqlite*"))
    assert run("load", str(folder / "leads.csv"))[0] == 0
    assert run("load", str(folder / "lead_stage_history.csv"), "--dry-run")[0] == 0
    assert len(company.open_store(folder / "store.sqlite").loads("company")) == 1


@pytest.mark.parametrize("words", [("metrics",), ("verify",), ("backup",), ("loads",), ("people", "list"), ("export", "review.xlsx"), ("publish", "--review", "weekly"), ("digest",),
                                   ("calendar", "--out", "rhythm.ics"), ("pack", "--meeting", "last", "--to", "packs")], ids=lambda words: words[0])
def test_a_store_that_is_not_there_is_not_made_by_asking_of_it(run, folder, words):
    """Not: a name typed wrongly, an empty store made under it, and "all is as it was"."""
    status, out, said = run(*words)
    assert (status, out) == (2, "") and said == f"revscore: There is no store at {folder / 'store.sqlite'}; check the name, or load an extract first.\n"
    assert not list(folder.glob("store.sqlite*")) and not (folder / "backups").exists()


def test_a_refused_file_is_status_2(run, folder):
    (folder / "bad.csv").write_bytes(b"%PDF-1.7 no table")
    status, out, _ = run("load", str(folder / "bad.csv"), "--format", "json")
    one = json.loads(out)
    assert (status, one["status"], one["load_id"], one["rows_read"]) == (2, "refused", None, 0) and one["messages"][0]["text"]
    assert run("load", str(folder / "absent.csv"))[0] == 2
    assert run("load")[0] == 2


def test_a_question_is_status_3_until_it_is_answered(run, folder):
    rows = "".join(f"L{n},x{n}@x.example,SMB,EMEA,U1,soon\n" for n in range(12)) + "L99,z@z.example,SMB,EMEA,U1,2026-03-02T09:00:00Z\n"
    (folder / "leads.csv").write_text(LEADS.splitlines()[0] + "\n" + rows, encoding="utf-8")
    status, out, _ = run("load", str(folder / "leads.csv"), "--format", "json")
    one = json.loads(out)
    assert (status, one["status"]) == (3, "needs_answer")
    [question] = [q for q in one["questions"] if q["default"] is None]
    assert question["options"] == ["yes", "no"]
    status, out, _ = run("load", str(folder / "leads.csv"))
    assert status == 3 and f"--answer '{question['key']}=yes|no'" in out
    assert run("load", str(folder / "leads.csv"), "--answer", f"{question['key']}=yes")[0] == 0


def test_metrics_are_a_tidy_frame_with_the_numbers_of_compute(loaded, folder):
    status, out, _ = loaded("metrics", "--id", "funnel.entries", "--by", "segment", "--grain", "month", "--format", "csv")
    frame = pd.read_csv(io.StringIO(out))
    assert status == 0 and list(frame.columns) == COLUMNS
    x = company.coded(company.open_store(folder / "store.sqlite"), "company")
    right = compute(x, CARDS["funnel.entries"], by=("segment",), grain="month")
    assert frame["value"].tolist() == right["value"].tolist() and frame["by"].tolist() == right["segment"].tolist()
    assert set(frame["period"]) == {"2026-03"}


def test_json_has_null_for_what_there_is_not(loaded):
    status, out, _ = loaded("metrics", "--id", "funnel.cohort_conversion", "--where", "pair=mql->won", "--format", "json")
    rows = json.loads(out)
    assert status == 0 and list(rows[0]) == COLUMNS and rows[0]["value"] is None


def test_filters_and_periods_are_the_pages(loaded):
    def value(*words: str) -> float:
        return json.loads(loaded("metrics", "--id", "funnel.entries", "--format", "json", *words)[1])[0]["value"]

    assert value() == 5 and value("--where", "segment=SMB") == 3 and value("--where", "segment=SMB", "--where", "segment=Enterprise") == 5
    assert value("--period", "2026-03-02..2026-03-03") == 3 and value("--where", "stage=mql") == 2
    assert value("--as-of", "2026-03-02") == 2


def test_a_metric_without_its_data_is_named_and_the_others_are_given(loaded):
    status, out, err = loaded("metrics", "--id", "funnel.entries", "--id", "bookings.won_value", "--format", "csv")
    assert status == 0 and "funnel.entries" in out and "bookings.won_value: needs opportunities" in err


@pytest.mark.parametrize(("words", "said"), [
    (["--id", "funel.entries"], "funnel.entries"), (["--where", "segment=Nope"], "SMB"), (["--where", "planet=Mars"], "segment"),
    (["--period", "soon"], "FY26Q2"), (["--id", "funnel.entries", "--param", "pear=x"], "no parameters"), (["--as-of", "soon"], "2026-11-16"),
    (["--as-of", "03/04/2026"], "2026-11-16"), (["--id", "funnel.entries", "--by", "nope"], "segment"), (["--id", "bookings.won_value", "--by", "nope"], "segment")])
def test_what_is_not_understood_says_what_there_is(loaded, words, said):
    status, _, err = loaded("metrics", *words)
    assert status == 2 and said in err


def test_parameters_reach_the_metric(loaded):
    def n(pair: str) -> float:
        return json.loads(loaded("metrics", "--id", "funnel.km_conversion", "--param", f"pair={pair}", "--format", "json")[1])[0]["n"]

    assert (n("inquiry->mql"), n("mql->sql")) == (3, 2)


def test_the_list_names_every_metric(loaded):
    assert {row["metric"] for row in json.loads(loaded("metrics", "--list", "--format", "json")[1])} == set(CARDS)


def test_the_workbook_of_metrics_and_of_each_review(loaded, folder):
    book = folder / "some.xlsx"
    assert loaded("export", str(book), "--id", "funnel.entries", "--id", "bookings.won_value", "--period", "2026-03")[0] == 0
    sheets = load_workbook(book)
    assert sheets.sheetnames == ["Metrics", "Series", "Rows", "Definitions", "Receipts", "More receipts", "Receipt"]
    [heads, number] = list(sheets["Receipts"].iter_rows(values_only=True))  # bookings cannot be had, so there is no receipt of them
    assert (number[heads.index("Value")], number[heads.index("Counted")], number[heads.index("Loads")], len(number[heads.index("SHA-256")])) == (5, 5, "1", 64)
    assert [cell.value for cell in sheets["Metrics"]["B"]][4] == 5
    for review in REVIEWS:
        assert loaded("export", str(book), "--review", review)[0] == 0
        assert load_workbook(book, read_only=True).sheetnames[-1] == "Receipt"
    assert loaded("export", str(folder / "some.txt"))[0] == 2


def test_json_brings_the_receipts_that_are_asked_for(loaded):
    status, out, _ = loaded("metrics", "--id", "funnel.entries", "--where", "stage=mql", "--format", "json", "--receipts")
    [row] = [one for one in json.loads(out) if one["measure"] == "count"]
    assert status == 0 and list(row)[: len(COLUMNS)] == COLUMNS
    assert (row["receipt"]["value"], row["receipt"]["counted"], row["receipt"]["loads"], row["receipt"]["definitions"]) == (2, 2, [1], "1")
    assert row["receipt"]["filters"] == [{"dimension": "stage", "ids": ["mql"], "labels": ["mql"]}] and len(row["receipt"]["sha256"]) == 64
    assert loaded("metrics", "--id", "funnel.entries", "--receipts")[0] == 2


def test_a_review_is_published_and_verified(loaded, folder):
    status, out, _ = loaded("verify")
    assert status == 0 and "acts in the audit log: all of the store is what they wrote" in out and "nothing is published yet" in out
    status, out, _ = loaded("publish", "--review", "weekly", "--by", "Ada")
    assert status == 0 and "Published as publication 1" in out and "by Ada" in out
    assert loaded("publish", "--review", "monthly", "--as-of", "2026-03-31")[0] == 0
    status, out, _ = loaded("verify")
    assert status == 0 and "of 2 publications: all are what was published" in out
    with sqlite3.connect(folder / "store.sqlite") as connection:
        connection.execute("DROP TRIGGER published_values_no_update")
        connection.execute("UPDATE published_values SET value = value + 1 WHERE publication_id = 1 AND value IS NOT NULL")
    status, out, _ = loaded("verify")
    assert status == 4 and "guard dropped: " in out and "\npublication 1 (Weekly review" in out and "differ" in out.splitlines()[-1]
    assert loaded("verify", "--publication", "2")[0] == 0 and loaded("verify", "--publication", "9")[0] == 2


def test_tables_of_a_warehouse_load_like_files(run, folder):
    url = f"sqlite:///{(folder / 'crm.sqlite').as_posix()}"
    engine = create_engine(url)
    for name in ("leads", "lead_stage_history"):
        pd.read_csv(folder / f"{name}.csv").to_sql(name, engine, index=False)
    engine.dispose()
    status, out, _ = run("load", "--warehouse", url, "--table", "leads", "--table", "lead_stage_history", "--as-of", "2026-03-31", "--format", "json")
    assert status == 0 and json.loads(out)["rows_read"] == 9
    assert run("load", "--warehouse", url, "--table", "deals")[0] == 2


def test_every_metric_of_the_help_exists():
    examples = [row.partition("-m revscore ")[2].partition(" > ")[0] for text in (cli.HELP, cli.metrics.HELP, cli.export.HELP) for row in text.splitlines()]
    parsed = [cli.parser().parse_args(shlex.split(row)) for row in examples if row.startswith(("metrics", "export"))]
    ids = [id_ for args in parsed for id_ in args.id]
    assert len(ids) >= 6 and all(ask.cards([id_]) for id_ in ids)


def test_help_is_enough_and_the_module_runs(folder):
    words = [sys.executable, "-m", "revscore"]
    top = subprocess.run([*words, "--help"], capture_output=True, text=True, encoding="utf-8", check=True, cwd=Path(__file__).parents[1])
    assert all(name in top.stdout for name in ("load", "metrics", "export", "examples"))
    load = subprocess.run([*words, "load", "--help"], capture_output=True, text=True, encoding="utf-8", check=True, cwd=Path(__file__).parents[1])
    assert "exit status" in load.stdout and "--answer" in load.stdout


def test_files_that_are_written_are_looked_at_before_anything_is_read(run, folder):
    deals = folder / "leads.csv"
    before = deals.read_bytes()
    for name, said in ((deals, "is read, and would be written over"), (folder / "rows.txt", "ends in .xlsx, .zip, .csv"), (folder / "nowhere" / "rows.csv", "there is no folder")):
        status, out, err = run("load", str(deals), "--to-mend", str(name))
        assert (status, out) == (2, "") and said in err
    status, _, err = run("load", str(deals), "--to-mend", str(folder / "rows.zip"), "--accepted", str(folder / "rows.zip"))
    assert status == 2 and "name two files" in err
    assert deals.read_bytes() == before


def test_only_files_and_folders_are_loaded(run, folder, monkeypatch):
    assert "neither a file nor a folder" in run("load", "/dev/zero")[2] or not Path("/dev/zero").exists()
    assert "there is no such file" in run("load", "")[2]
    large = folder / "large.csv"
    large.write_bytes(b"a" * (3 << 20))
    monkeypatch.setenv("REVSCORE_LIMITS", f"text={2 << 20}")
    monkeypatch.setattr("revscore.company.loading.sha256_of", lambda _: pytest.fail("a file that is too large is not read to its end"))
    assert run("load", str(large))[0] == 2


def test_where_every_row_is_held_back_the_refusal_names_the_first_of_them(run, folder):
    status, out, _ = run("load", str(folder / "leads.csv"), "--as-of", "1999-01-01")
    assert status == 2 and "leads.csv, row 2" in out.splitlines()[0] and "after the date of the extract" in out.splitlines()[0]
