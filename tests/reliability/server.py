"""A stranger at the server's address: other names, forged uploads, pages that fail, settings that would let people in.

`python -m tests.reliability.server` prints what each attempt was answered with, and the same with the guard switched off.
"""

from __future__ import annotations

import http.client
import itertools
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

ROOT = Path(__file__).parents[2]
SECRET = "the password is hunter2"
PROBE = f"""import streamlit as st
st.text("up")
if "fail" in st.query_params:
    raise RuntimeError("{SECRET}")
"""


@dataclass
class Server:
    """`streamlit run` on a free port of this machine."""

    port: int
    log: Path

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
        """Status and text of an answer. Header names are written with `_` for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in ({"Content_Length": str(len(body))} if body and "Content_Length" not in headers else {}).items() | headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = "" if answer.status == 101 else answer.read(1_000_000).decode("utf-8", "replace")
        self.cookies = answer.headers.get_all("Set-Cookie") or []
        connection.close()
        return answer.status, text

    def pour(self, path: str, megabytes: int, **headers: str) -> int:
        """The status of an upload that comes in pieces and never says how much it will be."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        edge = b"----"
        head = b"--" + edge + b'\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        body = itertools.chain((head,), (b"x" * 2**20 for _ in range(megabytes)), (b"\r\n--" + edge + b"--\r\n",))
        try:
            connection.request("PUT", path, body, {"Content-Type": f"multipart/form-data; boundary={edge.decode()}", "Transfer-Encoding": "chunked"}
                               | {name.replace("_", "-"): value for name, value in headers.items()}, encode_chunked=True)
        except (BrokenPipeError, ConnectionResetError):  # it answered before the end and listens no more
            pass
        status = connection.getresponse().status
        connection.close()
        return status

    def handshake(self, host: str, origin: str) -> int:
        """What a page of `origin` that calls this server `host` is answered with when it opens the stream."""
        return self.ask("GET", "/_stcore/stream", Host=host, Origin=origin, Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13",
                        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")[0]

    def xsrf(self) -> str:
        self.ask("GET", "/_stcore/health")
        return next((cookie.partition("=")[2].partition(";")[0].strip('"') for cookie in self.cookies if cookie.startswith("_streamlit_xsrf")), "")

    @contextmanager
    def visit(self, query: str = "", cookies: dict[str, str] | None = None, headers: dict[str, str] | None = None, seconds: float = 60) -> Iterator[tuple[str, bytes]]:
        """A window that stays open: its session, and all that the script sent it until it came to rest."""
        session, got, xsrf = "", b"", self.xsrf()
        sent = "; ".join(f"{name}={value}" for name, value in {"_streamlit_xsrf": xsrf, **(cookies or {})}.items())
        with connect(f"ws://127.0.0.1:{self.port}/_stcore/stream", subprotocols=["streamlit", xsrf or "none"], origin=f"http://127.0.0.1:{self.port}", max_size=None,
                     additional_headers={"Cookie": sent, **(headers or {})}) as stream:
            ask = BackMsg()
            ask.rerun_script.query_string = query
            stream.send(ask.SerializeToString())
            while (message := ForwardMsg.FromString(one := stream.recv(timeout=seconds))).WhichOneof("type") != "script_finished" or message.script_finished == message.FINISHED_EARLY_FOR_RERUN:
                got += one
                session = session or message.new_session.initialize.session_id
            yield session, got


@contextmanager
def serving(place: Path, *flags: str, script: str = PROBE, app: bool = False, env: dict[str, str] | None = None) -> Iterator[Server]:
    """A server with the settings of this project and `flags`: on the app itself, or on a `script` of a few lines."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    probe, log = place / "probe.py", place / f"{port}.log"
    probe.write_text(script, encoding="utf-8")
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen([sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py") if app else str(probe), "--server.port", str(port), "--server.headless", "true", *flags],
                                   cwd=ROOT, env={**os.environ, "REVSCORE_DB": str(place / "store.sqlite"), **(env or {})}, stdout=out, stderr=subprocess.STDOUT)
        try:
            server = Server(port, log)
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def _wait(server: Server, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if server.ask("GET", "/_stcore/health")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not start: " + server.log.read_text(encoding="utf-8", errors="replace")[-2000:])


def secrets_file(place: Path, **auth: str) -> Path:
    """A secrets.toml with a section [auth], for this user alone."""
    given = {"redirect_uri": "http://localhost:{port}/oauth2callback", "cookie_secret": secrets.token_hex(32), "client_id": "revscore", "client_secret": secrets.token_hex(16),
             "server_metadata_url": "http://127.0.0.1:1/.well-known/openid-configuration"} | auth
    path = place / f"secrets-{secrets.token_hex(4)}.toml"
    path.touch(mode=0o600)
    path.write_text("[auth]\n" + "".join(f'{key} = "{value}"\n' for key, value in given.items()), encoding="utf-8")
    return path


ATTEMPTS = {  # attempt -> the answer that is right
    "the app's own page opens the stream": 101,
    "a page of another name that leads here (DNS rebinding)": 403,
    "a page of another site": 403,
    "an upload without the XSRF token": 403,
    "an upload for a session that is not there": 400,
    "an upload said to be of 201 MB": 413,
    "an upload of 201 MB that does not say so": 413,
    "the settings as a file beside the app": False,
    "the interface for agents": 403,
    "the traceback of a page that fails": False,
}
SWITCHED_OFF = ("--server.allowedHosts", "*", "--server.enableCORS", "false", "--server.enableXsrfProtection", "false", "--server.maxUploadSize", "400",
                "--client.showErrorDetails", "full", "--server.enableAgentApi", "true")


def attempts(server: Server) -> dict[str, int | bool]:
    """Attempt -> the status of the answer, or whether what was sought was in it."""
    here = f"127.0.0.1:{server.port}"
    xsrf = server.xsrf()
    ours = {"Cookie": f"_streamlit_xsrf={xsrf}", "X_Xsrftoken": xsrf}
    with server.visit() as (session, _), server.visit("fail=1") as (_, failed):
        answers = (
            server.handshake(here, f"http://{here}"),
            server.handshake(f"evil.example:{server.port}", f"http://evil.example:{server.port}"),
            server.handshake(here, "http://evil.example"),
            server.pour(f"/_stcore/upload_file/{session}/1", 1),
            server.pour("/_stcore/upload_file/00000000-0000-0000-0000-000000000000/1", 1, **ours),
            server.ask("PUT", f"/_stcore/upload_file/{session}/2", b"x", Content_Length=str(201 * 2**20), **ours)[0],
            server.pour(f"/_stcore/upload_file/{session}/3", 201, **ours),
            "allowedHosts" in server.ask("GET", "/app/static/config.toml")[1],
            server.ask("POST", "/_stcore/agent/interact", b"{}", Content_Type="application/json")[0],
            SECRET.encode() in failed or b"Traceback" in failed,
        )
    return dict(zip(ATTEMPTS, answers, strict=True))


# -- settings that would let people in ---------------------------------------------------------------------------------------------------------

def refusals(place: Path) -> dict[str, tuple[tuple[str, ...], dict[str, str], str]]:
    """Name -> flags, environment, words of the sentence that must be all there is."""
    weak, missing = secrets_file(place, cookie_secret="your-cookie-secret"), secrets_file(place, client_id="")
    readable = secrets_file(place)
    readable.chmod(0o644)
    return {
        "another address, by the command line": (("--server.address", "0.0.0.0"), {}, "without sign-in"),
        "another address, by the environment": ((), {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}, "without sign-in"),
        "an example as cookie_secret": (("--secrets.files", str(weak)), {}, "looks like an example"),
        "secrets that others can read": (("--secrets.files", str(readable)), {}, "chmod 600"),
        "a provider without client_id": (("--secrets.files", str(missing)), {}, "client_id"),
        "sign-in, and every host allowed": (("--secrets.files", str(secrets_file(place)), "--server.address", "0.0.0.0", "--server.allowedHosts", "*"), {}, "allowedHosts"),
    }


def refused(place: Path, flags: tuple[str, ...], env: dict[str, str], words: str) -> bool:
    """Whether the app with these settings says so on the page and in the log, and serves nothing else."""
    with serving(place, *flags, app=True, env=env) as server, server.visit() as (_, got):
        return words.encode() in got and b"Not ready to be served" in got and b"Setting up" not in got and not (place / "store.sqlite").exists() and words in server.log.read_text(encoding="utf-8")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with serving(place) as server:
            guarded = attempts(server)
        with serving(place, *SWITCHED_OFF) as server:
            control = attempts(server)
        print(f"{'attempt':<58}{'answer':>8}{'switched off':>14}")
        for name, answer in guarded.items():
            print(f"{name:<58}{answer!s:>8}{control[name]!s:>14}")
        said = {name: refused(place, *settings) for name, settings in refusals(place).items()}
        for name, done in said.items():
            print(f"{name:<58}{'refused' if done else 'SERVED':>8}")
    right = guarded == ATTEMPTS and all(said.values())
    fails = sum(control[name] != wanted for name, wanted in ATTEMPTS.items())
    print(f"{sum(guarded[name] == wanted for name, wanted in ATTEMPTS.items())} of {len(ATTEMPTS)} attempts answered as they should be, {sum(said.values())} of {len(said)} settings refused; "
          f"with the guards switched off {fails} attempts get through")
    return 0 if right and fails >= 6 else 1


if __name__ == "__main__":
    raise SystemExit(main())
