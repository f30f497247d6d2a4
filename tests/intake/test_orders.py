"""What was answered for an earlier load holds until a file speaks against it; what a load decided holds for its mended rows."""

from __future__ import annotations

import pandas as pd
import pytest

from revscore import company
from revscore.intake import Intake, Question
from revscore.people import LOCAL
from tests.extracts import source

AS_OF = pd.Timestamp("2026-03-31T12:00:00Z")
HEAD = "Opportunity ID,Opportunity Name,Account Name,Opportunity Owner,Stage,Amount,Close Date,Created Date\n"
CLOSE, CREATED = "date_order:{}:Close Date", "date_order:{}:Created Date"


@pytest.fixture
def store(tmp_path):
    store = company.open_store(tmp_path / "store.sqlite")
    yield store
    store.close()


def deals(*dates: tuple[str, str], amount: str = "1000.50") -> str:
    return HEAD + "".join(f'0061x00000A1B2{"ABCDEFGH"[n]},Deal {n},Acc {n},Jo,Prospecting,"{amount}",{close},{created}\n' for n, (close, created) in enumerate(dates))


OPEN = deals(("03/04/2026", "01/02/2026"), ("05/04/2026", "02/02/2026"), ("06/04/2026", "03/01/2026"))
AMERICAN = deals(("04/03/2026", "01/13/2026"), ("04/05/2026", "01/02/2026"), ("05/06/2026", "02/28/2026"))
EUROPEAN = deals(("04/05/2026", "13/01/2026"), ("05/06/2026", "02/01/2026"))


def answered(store, name: str = "week 1.csv", order: str = "dmy") -> None:
    assert company.load(store, "company", [source(name, OPEN)], as_of=AS_OF, answers={CREATED.format(name): order}, by=LOCAL).status == "loaded"


def waiting(intake: Intake, what: str = "date_order") -> list[Question]:
    return [question for question in intake.blocking if question.key.startswith(what)]


@pytest.mark.parametrize("name", ["week 1.csv", "week 2.csv"])
def test_a_kept_answer_that_the_file_contradicts_is_asked_for_again(store, name):
    answered(store)
    [question] = waiting(company.draft_files(store, "company", [source(name, AMERICAN)], as_of=AS_OF).intake)
    assert question.key == CLOSE.format(name) and "does not go with" in question.text
    for order, day in (("mdy", "2026-04-03"), ("dmy", "2026-03-04")):                     # what is answered now stands
        draft = company.draft_files(store, "company", [source(name, AMERICAN)], as_of=AS_OF, answers={question.key: order})
        assert not waiting(draft.intake) and str(draft.intake.data.tables["opp_history"]["close_date"].min().date()) == day


@pytest.mark.parametrize(("name", "text"), [("week 1.csv", EUROPEAN), ("week 2.csv", EUROPEAN), ("week 1.csv", OPEN), ("week 2.csv", OPEN)])
def test_a_kept_answer_holds_while_nothing_speaks_against_it(store, name, text):
    answered(store)
    assert not waiting(company.draft_files(store, "company", [source(name, text)], as_of=AS_OF).intake)


def test_a_column_that_contradicts_itself_is_asked_about_again(store):
    answered(store)
    torn = deals(("04/13/2026", "2026-01-13"), ("13/04/2026", "2026-01-14"), ("05/06/2026", "2026-01-15"))
    assert waiting(company.draft_files(store, "company", [source("week 2.csv", torn)], as_of=AS_OF).intake)


def test_mended_rows_are_read_with_the_decimal_mark_of_their_load(store):
    lines = deals(*[("2026-05-01", "2026-01-13")] * 4, amount="1.000,50").splitlines()
    lines[2] = lines[2].replace('"1.000,50"', "1.234").replace("2026-05-01", "no day")
    assert company.load(store, "company", [source("deals.csv", "\n".join(lines))], as_of=AS_OF, by=LOCAL).rows_quarantined == 1
    [(_, frame)] = company.to_mend(store.ledger(1)[1], store.load(1)).items()
    mended = frame.replace("no day", "2026-05-02").to_csv(index=False)
    assert company.load(store, "company", [source("mended.csv", mended)], by=LOCAL).status == "loaded"
    assert 1234 in store.data_of("company", [2]).tables["opp_history"]["amount"].tolist()


@pytest.mark.parametrize(("dates", "key", "answer", "day"), [
    (("2026-05-01", "2026-06-02", "13/01/2026", "14/01/2026"), "dates_converted:deals.csv:Close Date", "day and month have changed places", "2026-01-05"),
    (("26-05-01", "26-06-02", "26-01-13", "26-01-14"), CLOSE.format("deals.csv"), "ymd", "2026-05-01")])
def test_mended_rows_are_read_in_the_order_of_their_load(store, dates, key, answer, day):
    text = deals(*[(date, "2026-01-03") for date in dates]).replace(f'1000.50",{dates[0]}', f'n.n.",{dates[0]}')
    assert [question.key for question in waiting(company.draft_files(store, "company", [source("deals.csv", text)], as_of=AS_OF).intake, "date")] == [key]
    assert company.load(store, "company", [source("deals.csv", text)], as_of=AS_OF, answers={key: answer}, by=LOCAL).rows_quarantined == 1
    [(_, frame)] = company.to_mend(store.ledger(1)[1], store.load(1)).items()
    mended = frame.replace("n.n.", "77.50").to_csv(index=False)
    assert company.load(store, "company", [source("mended.csv", mended)], by=LOCAL).status == "loaded"
    moves = store.data_of("company", [2]).tables["opp_history"]
    assert moves.loc[moves["amount"] == 77.5, "close_date"].astype(str).tolist() == [day]


def test_a_form_that_is_not_read_is_said_to_be_that(store):
    lines = deals(("2026-05-01", "2026-01-13"), ("2026-02-30", "2026-01-13"), ("the 5th day of May", "2026-01-13"))
    held = company.draft_files(store, "company", [source("deals.csv", lines)], as_of=AS_OF).intake.ledger.to_mend
    assert ["that exists" in reason for reason in held["reason"]] == [True, False] and "a form that is not read" in held["reason"].iloc[1]
