"""What is looked at before the first page is served: an address that others can reach, secrets that can be guessed or read.

Streamlit takes each setting from the command line, the environment or `config.toml`; what is looked at here is what it took in the end. While there is
a refusal, the page says it in one sentence and nothing else is served.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streamlit import config
from streamlit.runtime.secrets import secrets_singleton

from revscore.store import default_url

LENGTH, DIFFERENT = 32, 10  # characters of a cookie_secret, and different ones among them; `secrets.token_hex(32)` has 64 and 16
EXAMPLES = ("change", "cookie", "example", "password", "placeholder", "random", "replace", "revscore", "secret", "streamlit", "string", "strong", "test", "your")
HEADERS = "server.trustedUserHeaders"
_NEEDED = ("client_id", "client_secret", "server_metadata_url")
_MORE = "docs/running-it.md says how."
_log = logging.getLogger("revscore")


@cache
def refusals() -> tuple[str, ...]:
    """Why nothing is served, each in a sentence; empty when all is well. Found once, at the first visit, and written to the log."""
    files = [Path(one) for one in config.get_option("secrets.files") or ()]
    try:
        found = tuple(refused(config.get_option, auth(), [one for one in files if one.exists()]))
    except Exception:  # a file that is no TOML: its text may hold secrets, so it is neither shown nor logged
        found = ("revscore does not start: secrets.toml cannot be read; correct it, or take it away to work without sign-in.",)
    found = found or (store_refused(default_url()) if signs_in() else ())
    for one in found:
        _log.error(one)
    return found


def store_refused(url: str) -> tuple[str, ...]:
    """The sentence for a store whose file anyone on this machine may write: who writes it can give himself any role."""
    file = Path(url)
    if "://" in url or os.name != "posix" or not file.exists() or not file.stat().st_mode & stat.S_IWOTH:
        return ()
    return (f"revscore does not start: every user of this machine may write the store {file}: chmod 600 {file}.",)


@cache
def signs_in() -> str:
    """How people sign in: "oidc", "headers" (a proxy in front says who it is) or "" (nobody does: one user, this machine only)."""
    return "oidc" if auth() else "headers" if config.get_option(HEADERS) else ""


def auth() -> Mapping[str, Any]:
    """The section [auth] of the secrets, empty without one."""
    return dict(secrets_singleton.get("auth") or {}) if secrets_singleton.load_if_toml_exists() else {}


def providers(auth: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The providers that people sign in with, by name: that of [auth] itself is "default"."""
    own = {"default": {key: auth[key] for key in _NEEDED if key in auth}} if any(key in auth for key in _NEEDED) else {}
    return own | {name: section for name, section in auth.items() if isinstance(section, Mapping) and any(key in section for key in _NEEDED)}


def refused(option: Callable[[str], Any], auth: Mapping[str, Any], files: Iterable[Path]) -> list[str]:
    """The sentences for the settings `option(name)`, the section [auth] and the files with secrets."""
    said = [*_address(option, auth), *(_auth(option, auth) if auth else [])]
    said += [f"{path.name} can be read by other users of this machine: chmod 600 {path.name}." for path in files if _open_to_others(path)]
    for name, wanted in (("server.enableXsrfProtection", True), ("server.enableCORS", True), ("server.enableAgentApi", False), ("server.enableStaticServing", False),
                         ("client.disableDataExport", True)):
        if bool(option(name)) is not wanted:
            said.append(f"{name} must be {str(wanted).lower()}.")
    if auth and str(option("client.showErrorDetails")).lower() not in ("none", "false"):
        said.append('client.showErrorDetails must be "none": what a fault tells is for the log.')
    return [f"revscore does not start: {one}" for one in said]


def local(address: str | None) -> bool:
    """Whether only this machine can reach `address`. None is Streamlit's own default, which is every address."""
    try:
        return address == "localhost" or ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _address(option: Callable[[str], Any], auth: Mapping[str, Any]) -> list[str]:
    address, hosts, headers = option("server.address"), list(option("server.allowedHosts") or ()), option(HEADERS)
    outside = [host for host in hosts if not local(host)]
    shown = address or "every address"
    if headers and auth:
        return [f"both [auth] and {HEADERS} are set; take one way to sign in."]
    if headers and not local(address):
        return [f"with {HEADERS} it may listen on 127.0.0.1 only, not on {shown}: whoever reaches it without the proxy could say to be anyone. {_MORE}"]
    if not auth and not headers and not local(address):
        return [f"without sign-in it listens on 127.0.0.1 only, not on {shown}; set up sign-in first. {_MORE}"]
    if not auth and not headers and outside:
        return [f"server.allowedHosts names {outside[0]}, so others could reach it, and there is no sign-in; set up sign-in first. {_MORE}"]
    if not hosts or "*" in hosts:
        return [f"server.allowedHosts must name the host that people type; it {'allows every host' if hosts else 'is empty'}. {_MORE}"]
    return []


def _auth(option: Callable[[str], Any], auth: Mapping[str, Any]) -> list[str]:
    said = []
    if why := guessable(auth.get("cookie_secret")):
        said.append(f"cookie_secret in secrets.toml {why}; make one with: python -c \"import secrets; print(secrets.token_hex(32))\"")
    found = providers(auth)
    if not found:
        said.append(f"[auth] in secrets.toml names no provider. {_MORE}")
    for name, section in found.items():
        if lacking := [key for key in _NEEDED if not section.get(key)]:
            said.append(f"{lacking[0]} of the provider {name} is missing in secrets.toml.")
        elif not _safe(section["server_metadata_url"]):
            said.append(f"server_metadata_url of the provider {name} must begin with https://.")
    back = str(auth.get("redirect_uri") or "").replace("{port}", str(option("server.port")))
    host = urlsplit(back).hostname or ""
    if not back.endswith("/oauth2callback") or not _safe(back):
        said.append("redirect_uri in secrets.toml must be the https:// address of the app with /oauth2callback at its end.")
    elif not any(_covers(one, host) for one in option("server.allowedHosts") or ("*",)):
        said.append(f"the host of redirect_uri, {host}, is not in server.allowedHosts, so no page could be opened there. {_MORE}")
    return said


def guessable(secret: object) -> str:
    """Why a cookie_secret could be guessed, "" when it could not: with it anyone could sign in as anyone."""
    text = str(secret or "").strip()
    if not text:
        return "is missing"
    pairs = [text[k : k + 2] for k in range(len(text) - 1)]
    steps = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairs)
    if any(word in text.lower() for word in EXAMPLES):
        return "looks like an example"
    if len(text) < LENGTH:
        return f"has {len(text)} characters, fewer than {LENGTH}"
    if len(set(text)) < DIFFERENT or len(set(pairs)) < 0.6 * len(pairs) or steps > 0.5 * len(pairs):
        return "is not random"
    return ""


def _safe(url: object) -> bool:
    parts = urlsplit(str(url))
    return parts.scheme == "https" or parts.scheme == "http" and local(parts.hostname)


def _covers(pattern: str, host: str) -> bool:
    pattern = pattern.strip().lower()
    return pattern in ("*", host) or pattern.startswith("*.") and host.endswith(pattern[1:])


def _open_to_others(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))
