"""A small OpenID Connect provider on this machine, for the tests of sign-in: authorisation code flow with PKCE, RS256, a page on which one picks who one is.

It is as strict as a real one: client, redirect address, state, nonce and the S256 challenge must be there, a code works once and for its verifier only.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, PASSWORD = "revscore", secrets.token_hex(16)


class Provider(ThreadingHTTPServer):
    """`people`: name on the page → claims of the identity token, changed at will; `seconds`: how long a token holds; `went` says what was asked for and how it went."""

    def __init__(self, people: dict[str, dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.people, self.went, self.seconds = people, [], 3600
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})
        self.codes: dict[str, dict[str, str]] = {}

    def secrets(self, redirect: str, cookie_secret: str) -> dict[str, str]:
        """What the section [auth] of secrets.toml holds for it."""
        return {"redirect_uri": redirect, "cookie_secret": cookie_secret, "client_id": CLIENT, "client_secret": PASSWORD, "server_metadata_url": f"{self.issuer}/.well-known/openid-configuration"}

    def token(self, asked: dict[str, str]) -> str:
        """The signed identity token for the one who was picked."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + self.seconds, "nonce": asked["nonce"]} | self.people[asked["person"]]
        return jwt.encode({"alg": "RS256", "kid": "test"}, claims, self.key)


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(url.query).items()}
        at = self.server
        match url.path:
            case "/.well-known/openid-configuration":
                self._json({"issuer": at.issuer, "authorization_endpoint": f"{at.issuer}/authorize", "token_endpoint": f"{at.issuer}/token", "jwks_uri": f"{at.issuer}/jwks",
                            "end_session_endpoint": f"{at.issuer}/logout", "response_types_supported": ["code"], "subject_types_supported": ["public"],
                            "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
                            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]})
            case "/jwks":
                self._json({"keys": [at.key.as_dict(private=False)]})
            case "/authorize" if lacking := [key for key in ("state", "nonce", "code_challenge", "redirect_uri") if not asked.get(key)]:
                self._refuse(f"no {lacking[0]}")
            case "/authorize" if asked.get("client_id") != CLIENT or asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
                self._refuse("not the code flow with S256 of a client known here")
            case "/authorize" if "person" in asked:
                code = secrets.token_urlsafe(16)
                at.codes[code] = asked
                self._go(asked["redirect_uri"], code=code, state=asked["state"])
            case "/authorize":
                links = "".join(f'<p><a href="/authorize?{html.escape(urlencode(asked | {"person": name}))}">{html.escape(name)}</a></p>' for name in at.people)
                self._answer(200, f"<!doctype html><title>Who are you?</title><h1>Who are you?</h1>{links}".encode(), "text/html; charset=utf-8")
            case "/logout":
                at.went.append("signed out")
                self._go(asked["post_logout_redirect_uri"])
            case _:
                self._answer(404, b"")

    def do_POST(self) -> None:
        given = {key: values[0] for key, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        user, _, password = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode().partition(":")
        asked = self.server.codes.pop(given.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if (user or given.get("client_id"), password or given.get("client_secret")) != (CLIENT, PASSWORD):
            return self._refuse("not the client's password")
        if asked is None or challenge != asked["code_challenge"] or given.get("redirect_uri") != asked["redirect_uri"]:
            return self._refuse("not the code, verifier or address of this sign-in")
        self.server.went.append(f"signed in: {asked['person']}")
        self._json({"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 3600, "id_token": self.server.token(asked)})

    def _json(self, body: dict) -> None:
        self._answer(200, json.dumps(body).encode(), "application/json")

    def _refuse(self, why: str) -> None:
        self.server.went.append(f"refused: {why}")
        self._answer(400, json.dumps({"error": "invalid_request", "error_description": why}).encode(), "application/json")

    def _go(self, address: str, **query: str) -> None:
        self._answer(302, b"", Location=f"{address}?{urlencode(query)}" if query else address)

    def _answer(self, status: int, body: bytes, kind: str = "text/plain", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def providing(people: dict[str, dict[str, Any]]) -> Iterator[Provider]:
    """A provider that knows `people`, on a free port of this machine."""
    provider = Provider(people)
    thread = threading.Thread(target=provider.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        thread.join()
        provider.server_close()
