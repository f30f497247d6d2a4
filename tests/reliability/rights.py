"""Rights: every action, every set of roles, every surface, against the table of rights.

`python -m tests.reliability.rights [--nightly]`. Services are found by their signatures, so that a new one without a right, or without a line here, fails. Each is called
with every set of roles and with arguments that must not be touched: it refuses before it looks at anything, or gets as far as looking. Pages are run with each role (nightly:
all of them), and every control that writes is disabled exactly where its service would refuse. Control: the check of the table switched off.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import os
import pkgutil
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import patch

from revscore.people import MATRIX, ROLES, Actor, NotAllowed

ROOT = Path(__file__).parents[2]
ROOMS = ("rhythm", "governance", "company", "people")
RIGHTS: Mapping[str, tuple[str, ...]] = {
    "rhythm.actions.raise_action": ("action.raise",), "rhythm.actions.change": ("action.change",), "rhythm.actions.complete": ("action.change",),
    "rhythm.actions.cancel": ("action.change",), "rhythm.actions.reopen": ("action.change",),
    "rhythm.decisions.raise_decision": ("decision.raise",), "rhythm.decisions.decide": ("decision.decide",), "rhythm.decisions.withdraw": ("decision.withdraw",),
    "rhythm.meetings.start": ("meeting.start",), "rhythm.meetings.show": ("meeting.run",), "rhythm.meetings.present": ("meeting.run",), "rhythm.meetings.attend": ("meeting.attend",),
    "rhythm.meetings.note": ("meeting.note",), "rhythm.meetings.close": ("meeting.close",), "governance.publishing.close_meeting": ("meeting.close", "publish"),
    "governance.publishing.publish": ("publish",),
    "rhythm.triage.assign": ("triage",), "rhythm.triage.resolve": ("triage",), "rhythm.triage.accept": ("triage",), "rhythm.triage.reopen": ("triage",),
    "rhythm.disputes.dispute": ("dispute.raise",), "rhythm.disputes.assign": ("dispute.answer",), "rhythm.disputes.answer": ("dispute.answer",),
    "rhythm.target_setting.set_target": ("target",), "rhythm.target_setting.set_all": ("target",), "rhythm.target_setting.withdraw": ("target",),
    "rhythm.backlog.propose": ("backlog.propose",), "rhythm.backlog.estimate": ("backlog.propose",), "rhythm.backlog.withdraw": ("backlog.propose",),
    "rhythm.backlog.link": ("backlog.propose",), "rhythm.backlog.decide": ("backlog.decide",), "rhythm.backlog.publish": ("backlog.publish",),
    "company.loading.save": ("load", "map"), "company.loading.load": ("load", "map"), "company.learning.learn_terms": ("load",),
    "company.backups.backup": ("backup",), "company.backups.restore": ("backup",),
    "governance.changes.propose": ("definition.propose",), "governance.changes.withdraw": ("definition.propose",), "governance.changes.approve": ("definition.approve",),
    "governance.changes.reject": ("definition.approve",), "governance.changes.trained": ("definition.train",),
    "people.accounts.add": ("people.manage",), "people.accounts.change": ("people.manage",), "people.accounts.remove": ("people.manage",), "people.accounts.unbind": ("people.manage",),
}
WITHOUT = {"people.accounts.actor_of": "binds an address of the list to the account that comes with it first, before there is an actor"}
PAGES = ("scorecard", "weekly", "monthly", "triage", "actions", "decisions", "backlog", "funnel", "pipeline", "targets", "data", "restatement", "definitions", "people")
CONTROLS: Mapping[str, tuple[str, ...]] = {  # key of a widget -> what it does
    "raise-action": ("action.raise",), "drawer-action": ("action.raise",), "drawer-dispute": ("dispute.raise",), "start-meeting": ("meeting.start",), "close-and-publish": ("publish",),
    "propose": ("backlog.propose",), "publish-order": ("backlog.publish",), "decide-.*": ("decision.decide",), "none-.*": ("decision.decide",), "withdraw-.*": ("decision.withdraw",),
    "question-save-.*": ("decision.raise",), "do-save-.*": ("action.change",), "save-.*": ("triage",), "answer-send-.*": ("dispute.answer",), "target-take": ("target",),
    "store-load": ("load", "map"), "files-.*": ("load",), "person-.*": ("people.manage",), "definition-save-.*": ("definition.propose",), "approve-.*": ("definition.approve",),
    "reject-.*": ("definition.approve",), "trained-.*": ("definition.train",),
}
SETS = tuple(frozenset(some) for size in range(len(ROLES) + 1) for some in combinations(ROLES, size))


# -- services ------------------------------------------------------------------------------------------------------------------------------

def modules(*rooms: str) -> Iterator[Any]:
    for room in rooms:
        package = importlib.import_module(f"revscore.{room}")
        yield from (importlib.import_module(one.name) for one in pkgutil.walk_packages(package.__path__, f"revscore.{room}."))


def services() -> dict[str, Callable[..., Any]]:
    """Name → public function that is told who acts."""
    return {f"{module.__name__.removeprefix('revscore.')}.{name}": found for module in modules(*ROOMS) for name, found in vars(module).items()
            if inspect.isfunction(found) and found.__module__ == module.__name__ and not name.startswith("_") and "Actor" in str(inspect.signature(found).parameters.get("by", ""))}


def writers() -> set[str]:
    """Public functions of the rooms that write to the store, themselves or through others of their module."""
    out = set()
    for module in modules(*ROOMS):
        functions = {one.name: one for one in ast.parse(inspect.getsource(module)).body if isinstance(one, ast.FunctionDef)}
        writes = {name for name, one in functions.items() if any(writes_store(call) for call in ast.walk(one))}
        while more := {name for name, one in functions.items() if name not in writes
                       and any(isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in writes for call in ast.walk(one))}:
            writes |= more
        out |= {f"{module.__name__.removeprefix('revscore.')}.{name}" for name in writes if not name.startswith("_")}
    return out


def writes_store(node: ast.AST) -> bool:
    """Whether a node calls a writing method of a store or of one of its transactions."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    on, name = ast.unparse(node.func.value), node.func.attr
    return name in ("save_load", "save_terms", "save_mapping", "save_person", "together") or (on, name) in (("store", "backup"), ("backups", "restore")) or name in ("append", "publish") and re.search(r"\bstore\b|\bone$|writer", on) is not None \
        and (name != "append" or len(node.args) > 1)


class Reached(Exception):
    """A service has looked at an argument: it has let the actor through."""


class Untouched:
    """An argument that nobody may look at."""

    def _reached(self, *_: Any, **__: Any) -> Any:
        raise Reached

    __getattr__ = __iter__ = __len__ = __bool__ = __str__ = __enter__ = __getitem__ = __fspath__ = _reached


def allows(service: Callable[..., Any], by: Actor) -> bool:
    """Whether a service lets an actor through."""
    parameters = inspect.signature(service).parameters.values()
    given = {one.name: by if one.name == "by" else Untouched() for one in parameters if one.kind is not one.VAR_KEYWORD and (one.name == "by" or one.default is one.empty)}
    try:
        service(**given)
    except NotAllowed:
        return False
    except Exception:  # it went on: to an argument, or to what it lacks
        return True
    raise AssertionError(f"{service.__name__} came to an end without looking at anything")


def should(actions: tuple[str, ...], roles: frozenset[str]) -> bool:
    return all(not MATRIX[action].isdisjoint(roles) for action in actions)


def walk() -> tuple[int, list[str]]:
    """(pairs walked, those that are not as the table says)."""
    found, wrong = services(), []
    for name, service in found.items():
        wrong += [f"{name} with {', '.join(sorted(roles)) or 'no role'}" for roles in SETS if allows(service, Actor("x", roles)) != should(RIGHTS[name], roles)]
    return len(found) * len(SETS), wrong


# -- pages ---------------------------------------------------------------------------------------------------------------------------------

def screens() -> Iterator[Path]:
    yield from (path for folder in ("revscore/ui", "pages") for path in sorted((ROOT / folder).rglob("*.py")))
    yield ROOT / "app.py"


def ungated() -> list[str]:
    """Services that a page calls without a word of their right in the same file: its control would look as if everybody might use it."""
    out = []
    for path in screens():
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        known = {alias.asname or alias.name: f"{node.module}.{alias.name}".removeprefix("revscore.") for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module for alias in node.names}
        for node in ast.walk(tree):
            name = known.get(ast.unparse(node).partition(".")[0], "") + "".join(f".{rest}" for rest in ast.unparse(node).partition(".")[2:] if rest) if isinstance(node, (ast.Attribute, ast.Name)) else ""
            name = {"company.save": "company.loading.save", "company.load": "company.loading.load"}.get(name, name)
            out += [f"{path.relative_to(ROOT)}: {name} needs {right}" for right in RIGHTS.get(name, ()) if f'"{right}"' not in text]
    return sorted(set(out))


def direct() -> list[str]:
    """Pages that write to the store without a service, or to a service without saying who acts."""
    return [f"{path.relative_to(ROOT)}:{node.lineno}" for path in screens() for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if writes_store(node)
            or isinstance(node, ast.Call) and ast.unparse(node.func) in ("company.save", "company.load") and "by" not in [one.arg for one in node.keywords]]


def controls(role: str, page: str) -> list[tuple[str, bool, bool]]:
    """(key, whether it can be used, whether it should) of the controls of a page for a role."""
    from streamlit.testing.v1 import AppTest

    by = Actor(f"{role}@x.example", frozenset({role}))
    with patch("revscore.ui.session.actor", lambda: by), patch("revscore.ui.door.actor", lambda: by):
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        test.run()
        if page != "scorecard":
            test.switch_page(f"pages/{page}.py").run()
        assert not test.exception, f"{page} as {role}: {test.exception[0].value}"
        out = []
        for one in (*test.button, *test.get("file_uploader")):
            key = str(getattr(one, "key", "") or "")
            actions = next((actions for pattern, actions in CONTROLS.items() if re.fullmatch(pattern, key)), None)
            if actions:
                out.append((key, not one.proto.disabled, should(actions, by.roles)))
        return out


def walk_pages(pages: tuple[str, ...] = PAGES, roles: tuple[str, ...] = tuple(ROLES)) -> tuple[int, int, list[str]]:
    """(pairs of role and page, controls looked at, those that are not as the table says), over the sample company."""
    seen, wrong = 0, []
    for role in roles:
        for page in pages:
            for key, usable, right in controls(role, page):
                seen += 1
                if usable and not right:  # a control may be disabled for other reasons too
                    wrong.append(f"{key} on {page} as {role}")
    return len(pages) * len(roles), seen, wrong


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--nightly", action="store_true", help="run every page with every role")
    args = made.parse_args()
    missing, unknown = sorted((writers() | set(services())) - set(RIGHTS) - set(WITHOUT)), sorted(set(RIGHTS) - set(services()))
    pairs, wrong = walk()
    print(f"{len(MATRIX)} actions, {len(ROLES)} roles, {len(services())} services found by signature; writing functions without a right: {len(missing)}")
    print(f"services: {pairs:,} pairs of service and set of roles, {pairs - len(wrong):,} as the table says ({(pairs - len(wrong)) / pairs:.0%})")
    bare, past = ungated(), direct()
    print(f"pages: {len(list(screens()))} files; services called without their right on the control: {len(bare)}; writing to the store past the services: {len(past)}")
    with patch.object(Actor, "may", lambda self, action: True):
        _, open_ = walk()
    print(f"control, the check of the table switched off: {len(open_):,} pairs wrong")
    faults = [*missing, *unknown, *wrong, *bare, *past]
    if args.nightly:
        with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"REVSCORE_DB": str(Path(folder) / "rights.sqlite"), "REVSCORE_FACTS": str(Path(folder) / "facts")}):
            runs, seen, off = walk_pages()
        print(f"pages run: {runs} pairs of role and page, {seen:,} controls that write, {len(off)} usable by who may not")
        faults += off
    print(*faults[:40], sep="\n", end="\n" if faults else "")
    return 1 if faults or not open_ else 0


if __name__ == "__main__":
    sys.exit(main())
