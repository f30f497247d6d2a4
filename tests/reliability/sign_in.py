"""Who gets in with which sign-in: cookies as Streamlit writes them, each with one thing wrong, on a real server; and the same with Streamlit's own check alone.

`python -m tests.reliability.sign_in` prints what each was shown. (That the way through a provider works is tests/browser/test_sign_in.py.)
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from revscore.people import LOCAL, accounts
from revscore.store import Store
from tests.pages.conftest import _store, small_company
from tests.reliability.server import Server, secrets_file, serving

COOKIE = "_streamlit_user"
HOUR = 3600
ALONE = 'import streamlit as st\nst.text("data as of" if st.user.is_logged_in else "Sign in with the account")\n'  # the check that Streamlit's documentation shows
SHOWN = {b"data as of": "inside", b"has run out": "run out", b"is not verified": "barred", b"does not say": "barred", b"is ahead of": "barred", b"nobody has given": "unknown",
         b"has not said who you are": "door", b"Sign in with the account": "door"}

Claims = dict[str, Any]
CASES: dict[str, tuple[Callable[[Claims], Claims], str]] = {  # who comes -> what is changed in a good sign-in, what is to be shown
    "Ada, who is on the list": (lambda c: c, "inside"),
    "nobody": (lambda c: {}, "door"),
    "a token that ran out a second ago": (lambda c: c | {"exp": c["iat"] + 599}, "run out"),
    "a sign-in of 13 hours ago, valid for a month": (lambda c: c | {"iat": c["iat"] - 13 * HOUR, "exp": c["iat"] + 720 * HOUR}, "run out"),
    "a token without an end": (lambda c: c | {"exp": None}, "barred"),
    "a token whose end is a text": (lambda c: c | {"exp": "2100-01-01"}, "barred"),
    "a token of tomorrow": (lambda c: c | {"iat": c["iat"] + 24 * HOUR, "exp": c["iat"] + 25 * HOUR}, "barred"),
    "an address that is not verified": (lambda c: c | {"email_verified": False}, "barred"),
    "an address about which nothing is said": (lambda c: {k: v for k, v in c.items() if k != "email_verified"}, "barred"),
    "an address verified by a word": (lambda c: c | {"email_verified": "yes"}, "barred"),
    "no address": (lambda c: c | {"email": ""}, "barred"),
    "a list for an address": (lambda c: c | {"email": ["ada@northlight.example"]}, "barred"),
    "no subject": (lambda c: c | {"sub": None}, "barred"),
    "someone who is not on the list": (lambda c: c | {"email": "eve@northlight.example", "sub": "eve"}, "unknown"),
    "Ada's address, another account": (lambda c: c | {"sub": "eve"}, "unknown"),
    "Ada's account number at another provider": (lambda c: c | {"iss": "https://evil.example"}, "unknown"),
    "Ada's address with a space more": (lambda c: c | {"email": "ada@northlight.example\N{ZERO WIDTH SPACE}", "sub": "eve"}, "unknown"),
    "SQL for an address": (lambda c: c | {"email": "' OR 1=1 --", "sub": "eve"}, "unknown"),
    "Max, who was taken off the list": (lambda c: c | {"email": "max@northlight.example", "sub": "max"}, "unknown"),
    "signed in: no": (lambda c: c | {"is_logged_in": False}, "door"),
    "signed in: perhaps": (lambda c: c | {"is_logged_in": "perhaps"}, "door"),
    "a sign-in of another server": (lambda c: c | {"origin": "https://evil.example"}, "door"),
    "a cookie that another secret signed": (lambda c: c | {"_secret": "0" * 64}, "door"),
    "a cookie with another name inside": (lambda c: c | {"_swap": ("max", "ada")}, "door"),
    "a cookie signed for another purpose": (lambda c: c | {"_name": "_streamlit_user_tokens"}, "door"),
}


def listing(place: Path) -> Path:
    """A store with a small company, and Ada on its list; Max no more."""
    path = place / "store.sqlite"
    _store(path, small_company())
    store = Store(path)
    for name in ("ada", "max"):
        accounts.add(store, f"{name}@northlight.example", LOCAL, roles=["admin"])
    accounts.remove(store, "max@northlight.example", LOCAL)
    store.close()
    return path


def cookie(change: Callable[[Claims], Claims], origin: str, secret: str) -> dict[str, str]:
    """The cookie of a good sign-in with one thing changed."""
    now = int(time.time()) - 600
    good = {"iss": "https://id.example", "sub": "ada", "email": "ada@northlight.example", "email_verified": True, "iat": now, "exp": now + HOUR, "origin": origin, "is_logged_in": True, "provider": "default"}
    claims = change(good)
    if not claims:
        return {}
    secret, name, swap = claims.pop("_secret", secret), claims.pop("_name", COOKIE), claims.pop("_swap", None)
    text = create_signed_value(secret, name, json.dumps(claims | ({"sub": swap[0]} if swap else {}))).decode()
    if swap:  # the payload of another sign-in under the signature of this one
        text = create_signed_value(secret, name, json.dumps(claims)).decode().rpartition(".")[0] + "." + text.rpartition(".")[2]
    return {COOKIE: text}


def shown(server: Server, **visit: Any) -> str:
    """What someone is shown: "inside", "door", "run out", "barred", "unknown"."""
    with server.visit(**visit) as (_, got):
        found = next((word for sign, word in SHOWN.items() if sign in got), "nothing")
        return f"{found} and data" if found != "inside" and re.search(rb"data as of|arrow_vega_lite|Setting up", got) else found


def kept(server: Server, *windows: tuple[dict[str, str], int]) -> int:
    """Megabytes that the server keeps of uploads that no page asked for, while the windows are open: (cookies, megabytes) of each. To be asked once: the server's count is up to 5 s old."""
    with ExitStack() as open_:
        for cookies, size in windows:
            session, _ = open_.enter_context(server.visit(cookies=cookies))
            xsrf = server.xsrf()
            server.pour(f"/_stcore/upload_file/{session}/1", size, Cookie=f"_streamlit_xsrf={xsrf}", X_Xsrftoken=xsrf)
        found = re.search(r'cache_memory_bytes\{cache_type="UploadedFileManager"[^}]*\} ([\d.e+]+)', server.ask("GET", "/_stcore/metrics")[1])
        return round(float(found[1]) / 2**20) if found else 0


@contextmanager
def team(place: Path, alone: bool = False) -> Iterator[tuple[Server, Callable[[str], dict[str, str]]]]:
    """The app with sign-in, or Streamlit's check alone; and the cookies of a case."""
    store, secret = listing(place), secrets.token_hex(32)
    auth = secrets_file(place, cookie_secret=secret, redirect_uri="http://127.0.0.1:{port}/oauth2callback")
    with serving(place, "--secrets.files", str(auth), app=not alone, script=ALONE, env={"REVSCORE_DB": str(store)}) as server:
        yield server, lambda name: cookie(CASES[name][0], f"http://127.0.0.1:{server.port}", secret)


def by_header(place: Path) -> dict[str, str]:
    """What someone is shown where a proxy says who it is."""
    store = listing(place)
    with serving(place, "--server.trustedUserHeaders", '{"X-Email": "email"}', app=True, env={"REVSCORE_DB": str(store)}) as server:
        return {name or "nobody": shown(server, headers={"X-Email": name} if name else {}) for name in ("ada@northlight.example", "eve@northlight.example", "")}


def main() -> int:
    ada = "Ada, who is on the list"
    with tempfile.TemporaryDirectory() as place, team(Path(place)) as (server, cookies):
        ours = {name: shown(server, cookies=cookies(name)) for name in CASES}
        uploads = kept(server, ({}, 1), (cookies(ada), 2))
    with tempfile.TemporaryDirectory() as place, team(Path(place), alone=True) as (server, cookies):
        control = {name: shown(server, cookies=cookies(name)) for name in CASES}
        uploads_alone = kept(server, ({}, 1), (cookies(ada), 2))
    with tempfile.TemporaryDirectory() as place:
        headers = by_header(Path(place))
    print(f"{'who comes':<48}{'is shown':>10}{'by Streamlit alone':>20}")
    for name, word in ours.items():
        print(f"{name:<48}{word:>10}{control[name]:>20}")
    for name, word in headers.items():
        print(f"{'by a proxy: ' + name:<48}{word:>10}")
    print(f"of 1 MB that nobody and 2 MB that Ada uploads to no page in particular, {uploads} MB are kept (by Streamlit alone {uploads_alone})")
    right = sum(ours[name] == wanted for name, (_, wanted) in CASES.items())
    let_in = sum(word == "inside" and CASES[name][1] != "inside" for name, word in control.items())
    print(f"{right} of {len(CASES)} as they should be; Streamlit's own check alone lets {let_in} of them in who should not be")
    return 0 if right == len(CASES) and let_in >= 10 and list(headers.values()) == ["inside", "unknown", "door"] and (uploads, uploads_alone) == (2, 3) else 1


if __name__ == "__main__":
    sys.exit(main())
