"""What is refused before the first page: each setting by itself, and the one that is all right."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest

from revscore.ui import startup

LOCAL = {"server.address": "127.0.0.1", "server.allowedHosts": ["localhost", "127.0.0.1", "::1"], "server.port": 8501, "server.enableXsrfProtection": True,
         "server.enableCORS": True, "server.enableAgentApi": False, "server.enableStaticServing": False, "client.disableDataExport": True, "client.showErrorDetails": "none", startup.HEADERS: {}}
TEAM = LOCAL | {"server.address": "10.0.0.7", "server.allowedHosts": ["score.example"]}
AUTH = {"redirect_uri": "https://score.example/oauth2callback", "cookie_secret": secrets.token_hex(32), "client_id": "revscore", "client_secret": "s",
        "server_metadata_url": "https://id.example/.well-known/openid-configuration"}


def said(settings: dict, auth: dict | None = None, files: tuple[Path, ...] = ()) -> str:
    return "\n".join(startup.refused(settings.get, auth or {}, files))


def test_what_is_all_right_is_let_go() -> None:
    assert not said(LOCAL)
    assert not said(LOCAL | {"server.address": "localhost"}) and not said(LOCAL | {"server.address": "::1"})
    assert not said(TEAM, AUTH)
    assert not said(TEAM | {"server.address": "127.0.0.1"}, AUTH), "behind a proxy on the same machine"
    assert not said(LOCAL | {startup.HEADERS: {"X-Email": "email"}, "server.allowedHosts": ["score.example"]})
    assert not said(LOCAL, AUTH | {"redirect_uri": "http://localhost:{port}/oauth2callback"})
    named = {"redirect_uri": AUTH["redirect_uri"], "cookie_secret": AUTH["cookie_secret"], "okta": {k: AUTH[k] for k in ("client_id", "client_secret", "server_metadata_url")}}
    assert not said(TEAM, named) and list(startup.providers(named)) == ["okta"]


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "scorecard.example", "127.1", "unix:///tmp/s"])
def test_another_address_needs_sign_in(address: str | None) -> None:
    assert "without sign-in it listens on 127.0.0.1 only" in said(LOCAL | {"server.address": address})


@pytest.mark.parametrize(("settings", "auth", "sentence"), [
    (LOCAL | {"server.allowedHosts": ["score.example"]}, {}, "names score.example"),
    (LOCAL | {"server.allowedHosts": []}, {}, "is empty"),
    (TEAM | {"server.allowedHosts": []}, AUTH, "is empty"),
    (TEAM | {"server.allowedHosts": ["*"]}, AUTH, "allows every host"),
    (TEAM | {startup.HEADERS: {"X-Email": "email"}}, {}, "may listen on 127.0.0.1 only"),
    (TEAM | {startup.HEADERS: {"X-Email": "email"}}, AUTH, "take one way"),
    (LOCAL | {"server.enableXsrfProtection": False}, {}, "enableXsrfProtection must be true"),
    (LOCAL | {"server.enableCORS": False}, {}, "enableCORS must be true"),
    (LOCAL | {"server.enableAgentApi": True}, {}, "enableAgentApi must be false"),
    (LOCAL | {"server.enableStaticServing": True}, {}, "enableStaticServing must be false"),
    (LOCAL | {"client.disableDataExport": False}, {}, "disableDataExport must be true"),
    (TEAM | {"client.showErrorDetails": "full"}, AUTH, "showErrorDetails must be"),
    (TEAM, AUTH | {"redirect_uri": "http://score.example/oauth2callback"}, "redirect_uri"),
    (TEAM, AUTH | {"redirect_uri": "https://score.example/"}, "redirect_uri"),
    (TEAM, AUTH | {"redirect_uri": "https://other.example/oauth2callback"}, "is not in server.allowedHosts"),
    (TEAM, AUTH | {"server_metadata_url": "http://id.example/"}, "must begin with https://"),
    (TEAM, AUTH | {"client_secret": ""}, "client_secret of the provider default is missing"),
    (TEAM, {"redirect_uri": AUTH["redirect_uri"], "cookie_secret": AUTH["cookie_secret"]}, "names no provider"),
    (TEAM, {k: v for k, v in AUTH.items() if k != "cookie_secret"}, "cookie_secret in secrets.toml is missing"),
])
def test_one_setting_at_a_time(settings: dict, auth: dict, sentence: str) -> None:
    assert sentence in said(settings, auth)
    assert "\n" not in said(settings, auth), "one sentence"


@pytest.mark.parametrize("secret", [None, "", "xxx", "short-but-Rand0m!", "a" * 64, "0123456789abcdef" * 4, "abcdefghijklmnopqrstuvwxyz0123456789", "your-cookie-secret-of-at-least-32-characters",
                                    "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET", "thisISaSECRET_1234567890abcdefghijkl", "12" * 32, "fe" * 20 + "cd" * 20])
def test_a_cookie_secret_that_can_be_guessed(secret: str | None) -> None:
    assert startup.guessable(secret)


def test_random_secrets_are_taken() -> None:
    assert not [s for s in (make(32) for make in (secrets.token_hex, secrets.token_urlsafe) for _ in range(500)) if startup.guessable(s)]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_secrets_that_others_can_read(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text("", encoding="utf-8")
    file.chmod(0o644)
    assert "chmod 600" in said(TEAM, AUTH, (file,))
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert not said(TEAM, AUTH, (file,))


def test_secrets_that_cannot_be_read_are_told_without_their_text(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> dict:
        raise ValueError('line 3: cookie_secret = "hunter2')

    monkeypatch.setattr(startup, "auth", broken)
    startup.refusals.cache_clear()
    try:
        assert [one for one in startup.refusals() if "secrets.toml cannot be read" in one] and "hunter2" not in "".join(startup.refusals()) + caplog.text
    finally:
        startup.refusals.cache_clear()
