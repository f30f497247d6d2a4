"""A proxy in front of the app that answers as the one printed in docs/running-it.md would: its headers, its closed addresses."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

PAGE = Path(__file__).parents[2] / "docs" / "running-it.md"


def printed() -> tuple[dict[str, str], list[str]]:
    """The headers that the printed configuration adds, and the addresses that it closes."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r'^\s*add_header (\S+) "([^"]+)" always;', text, re.MULTILINE)), re.findall(r"^\s*location = (\S+) \{ return 404; \}", text, re.MULTILINE)


def _head(side: socket.socket) -> tuple[bytes, bytes]:
    """The head of a message and what came with it."""
    got = b""
    while b"\r\n\r\n" not in got:
        if not (piece := side.recv(65536)):
            break
        got += piece
    head, _, rest = got.partition(b"\r\n\r\n")
    return head, rest


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other side has gone
        pass


def _serve(browser: socket.socket, app: tuple[str, int], headers: dict[str, str], closed: list[str]) -> None:
    with browser, socket.create_connection(app) as server:
        head, rest = _head(browser)
        lines = head.decode("latin-1").split("\r\n")
        if not head or lines[0].split(" ")[1].partition("?")[0] in closed:
            browser.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        upgrade = any(line.lower().startswith("upgrade:") for line in lines)
        kept = [line for line in lines if upgrade or not line.lower().startswith("connection:")]
        server.sendall("\r\n".join(kept if upgrade else [*kept, "Connection: close"]).encode("latin-1") + b"\r\n\r\n" + rest)
        threading.Thread(target=_pour, args=(browser, server), daemon=True).start()
        head, rest = _head(server)
        browser.sendall("\r\n".join([head.decode("latin-1"), *(f"{name}: {value}" for name, value in headers.items())]).encode("latin-1") + b"\r\n\r\n" + rest)
        _pour(server, browser)


@contextmanager
def proxied(address: str, port: int = 0) -> Iterator[str]:
    """The address of the proxy in front of `address`: on `port`, or on a free one."""
    app = urlsplit(address)
    headers, closed = printed()
    with socket.create_server(("127.0.0.1", port)) as door:
        def take() -> None:
            while True:
                try:
                    browser, _ = door.accept()
                except OSError:  # closed at the end
                    return
                threading.Thread(target=_serve, args=(browser, (app.hostname, app.port), headers, closed), daemon=True).start()

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)
