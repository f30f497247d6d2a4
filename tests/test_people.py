"""Who may come in: the list, the account behind an address, the last admin, and the commands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from revscore import cli
from revscore.people import LOCAL, MATRIX, NotAllowed, accounts
from revscore.store import Overtaken, Store, StoreError
from tests.people import ADA, BOB
from tests.store.conftest import place, server, store  # noqa: F401

ISSUER = "https://id.example"
MAIL = "ada@x.example"


def test_who_is_not_listed_has_no_access(store):
    assert accounts.actor_of(store, ISSUER, "1", MAIL) is None and accounts.whom_to_ask(store) == []
    assert accounts.people(store) == ()


def test_an_address_is_bound_to_the_first_account_and_the_account_decides_from_then_on(store):
    accounts.add(store, " Ada@X.example ", LOCAL, roles=["revops", "viewer"], owner="U1", sees="own rows")
    actor = accounts.actor_of(store, ISSUER, "1", "ADA@x.example")
    assert (actor.name, actor.roles, actor.owner, actor.own_rows) == (MAIL, {"viewer", "revops"}, "U1", True)
    assert accounts.actor_of(store, ISSUER, "2", MAIL) is None, "who is given the address later"
    assert accounts.actor_of(store, "https://other.example", "1", MAIL) is None, "another provider"
    assert accounts.actor_of(store, ISSUER, "1", "new@x.example") == actor, "the address of the account has changed"
    accounts.unbind(store, MAIL, ADA)
    assert accounts.actor_of(store, ISSUER, "2", MAIL) == actor and accounts.actor_of(store, ISSUER, "1", MAIL) is None
    assert [(one.version, one.subject, one.by) for one in accounts.history(store, MAIL)] == [(1, "", "local"), (2, "1", MAIL), (3, "", "ada"), (4, "2", MAIL)]


def test_a_role_that_may_not_see_opens_no_door(store, monkeypatch):
    accounts.add(store, MAIL, LOCAL, roles=["admin"])
    monkeypatch.setitem(MATRIX, "see", frozenset({"viewer"}))
    assert accounts.actor_of(store, ISSUER, "1", MAIL) is None


def test_an_empty_account_is_nobody(store):
    accounts.add(store, MAIL, LOCAL, roles=["viewer"])
    assert accounts.actor_of(store, ISSUER, "", MAIL) is None and accounts.actor_of(store, "", "1", MAIL) is None


def test_of_two_accounts_with_one_address_the_first_is_bound(store):
    accounts.add(store, MAIL, LOCAL, roles=["viewer"])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: accounts.actor_of(store, ISSUER, f"{k}", MAIL), range(8)))
    assert sum(one is not None for one in found) == 1 and len(accounts.history(store, MAIL)) == 2


def test_off_the_list_is_out_at_once_and_back_with_any_account(store):
    accounts.add(store, MAIL, LOCAL, roles=["viewer"])
    assert accounts.actor_of(store, ISSUER, "1", MAIL)
    accounts.remove(store, MAIL, ADA)
    assert accounts.actor_of(store, ISSUER, "1", MAIL) is None
    with pytest.raises(StoreError, match="is not on the list"):
        accounts.change(store, MAIL, ADA, roles=["editor"])
    accounts.add(store, MAIL, BOB, roles=["editor"])
    assert accounts.actor_of(store, ISSUER, "2", MAIL).roles == {"editor"}
    assert [one.active for one in accounts.history(store, MAIL)] == [True, True, False, True, True]


@pytest.mark.parametrize("act", [lambda store: accounts.remove(store, MAIL, ADA), lambda store: accounts.change(store, MAIL, ADA, roles=["viewer", "revops"])])
def test_the_last_admin_stays(store, act):
    accounts.add(store, MAIL, LOCAL, roles=["admin"])
    accounts.add(store, "bob@x.example", LOCAL, roles=["viewer"])
    with pytest.raises(StoreError, match="is the last admin: make somebody else an admin first"):
        act(store)
    accounts.change(store, "bob@x.example", LOCAL, roles=["admin"])
    act(store)
    assert accounts.whom_to_ask(store) == ["bob@x.example"]


def test_of_two_admins_who_remove_each_other_one_stays(store):
    mails = [MAIL, "bob@x.example"]
    for mail in mails:
        accounts.add(store, mail, LOCAL, roles=["admin"])

    def remove(mail: str) -> str:
        try:
            return accounts.remove(store, mail, ADA).email
        except StoreError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(remove, mails))
    assert sum("is the last admin" in text for text in said) == 1 and len(accounts.whom_to_ask(store)) == 1


@pytest.mark.parametrize(("mail", "fields", "says"), [
    ("ada", {"roles": ["viewer"]}, "is no e-mail address"), ("a@b\n<x>", {"roles": ["viewer"]}, "is no e-mail address"), ("a@b@c", {"roles": ["viewer"]}, "is no e-mail address"),
    ("a" * 320 + "@x.example", {"roles": ["viewer"]}, "is no e-mail address"), (MAIL, {"roles": ["owner"]}, "There is no role owner"), (MAIL, {"roles": []}, "at least one role"),
    (MAIL, {"roles": ["viewer"], "sees": "own rows"}, "Say who .* is in the CRM"), (MAIL, {"roles": ["viewer"], "sees": "all"}, "A person sees the records of")])
def test_what_cannot_be_is_a_sentence_and_writes_nothing(store, mail, fields, says):
    with pytest.raises(StoreError, match=says):
        accounts.add(store, mail, LOCAL, **fields)
    assert accounts.people(store) == ()


def test_who_was_overtaken_is_told(store):
    seen = accounts.add(store, MAIL, LOCAL, roles=["viewer"]).version
    accounts.change(store, MAIL, ADA, seen=seen, roles=["editor"])
    with pytest.raises(Overtaken, match="ada has changed ada@x.example in the meantime"):
        accounts.change(store, MAIL, BOB, seen=seen, roles=["admin"])
    with pytest.raises(StoreError, match="is on the list already"):
        accounts.add(store, MAIL, BOB, roles=["admin"])


def test_only_who_may_manage_people_does(store):
    accounts.add(store, MAIL, LOCAL, roles=["revops", "approver", "editor", "viewer"])
    by = accounts.actor_of(store, ISSUER, "1", MAIL)
    for act in (lambda: accounts.change(store, MAIL, by, roles=["admin"]), lambda: accounts.add(store, "b@x.example", by, roles=["admin"]), lambda: accounts.remove(store, MAIL, by)):
        with pytest.raises(NotAllowed, match="takes the role Admin"):
            act()


def test_versions_are_never_changed_and_each_is_an_act_of_the_audit_log(store):
    from sqlalchemy import select, text
    from sqlalchemy.exc import DatabaseError

    from revscore.store import tables

    accounts.add(store, MAIL, LOCAL, roles=["viewer"])
    accounts.change(store, MAIL, ADA, roles=["editor"])
    for statement in ("UPDATE people SET roles = '[\"admin\"]'", "DELETE FROM people"):
        with pytest.raises(DatabaseError), store._engine.connect().execution_options(revscore_write=True) as connection, connection.begin():
            connection.execute(text(statement))
    with store._engine.connect() as connection:
        acts = connection.execute(select(tables.audit).where(tables.audit.c.action == "person saved").order_by(tables.audit.c.seq)).all()
    assert [(one.actor, one.body["person"], one.body["roles"]) for one in acts] == [("local", MAIL, ["viewer"]), ("ada", MAIL, ["editor"])]


def test_the_command_line_lists_and_changes_them(tmp_path, capsys):
    def run(*words: str) -> tuple[int, str]:
        status = cli.main(["people", *words, "--store", str(tmp_path / "store.sqlite")])
        told = capsys.readouterr()
        return status, told.out + told.err

    assert run("add", MAIL, "--role", "viewer") == (0, f"{MAIL}: Viewer\nnobody is admin yet: give somebody the role with --role admin\n")
    assert run("change", MAIL, "--role", "admin", "--role", "revops") == (0, f"{MAIL}: RevOps, Admin\n")
    assert run("remove", MAIL) == (2, f"revscore: {MAIL} is the last admin: make somebody else an admin first.\n")
    assert run("change", MAIL)[0] == 2 and run("add")[0] == 2 and run("remove", "b@x.example")[0] == 2
    assert MAIL in run("list", "--format", "csv")[1] and "definition.approve" in run("roles")[1]
    store = Store(tmp_path / "store.sqlite")
    assert accounts.whom_to_ask(store) == [MAIL]
    store.close()
