"""A PostgreSQL server of one's own for the long runs: in a new folder, on a socket in it, on no port; it can be crashed and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """`url`: the address of its database, for a superuser."""

    programs: Path
    folder: Path

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def control(self, *words: str) -> None:
        """`pg_ctl`; PostgreSQL refuses to run as root."""
        as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        done = subprocess.run([*as_user, self.programs / "pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", *words], cwd=self.folder, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise RuntimeError(f"pg_ctl {' '.join(words)}: {done.stdout}{done.stderr}")

    def start(self) -> None:
        self.control("-o", f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=200", "start")

    def crash(self) -> None:
        """As when its processes are killed: what was not committed is gone."""
        self.control("-m", "immediate", "stop")

    def fresh(self) -> str:
        """The address of an empty store on it."""
        from sqlalchemy import create_engine

        name = f"store_{os.urandom(6).hex()}"
        admin = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        admin.dispose()
        return f"{self.url}&options=-csearch_path%3D{name}"


def programs() -> Path | None:
    """Where the newest PostgreSQL of the distribution lives; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parents[1].name))
    return found[-1].parent if found else None


@contextmanager
def server() -> Iterator[Server]:
    """A running one, with all its safeguards; gone afterwards. Raises RuntimeError where PostgreSQL is not installed."""
    there = programs()
    if there is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    made = Server(there, Path(tempfile.mkdtemp(prefix="revscore-postgres.")))
    try:
        if os.getuid() == 0:
            shutil.chown(made.folder, "postgres")
        made.control("init", "-o", "-U postgres -A trust -E UTF8 --no-locale")
        made.start()
        yield made
    finally:
        if (made.folder / "data" / "postmaster.pid").exists():
            made.crash()
        shutil.rmtree(made.folder, ignore_errors=True)
