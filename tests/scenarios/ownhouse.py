"""A house of a test's own: servers that it may kill, processes of theirs, databases to copy."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2

from o2b.servers import ensure, release
from o2b.servers.home import Home
from o2b.servers.postgres import Postgres
from o2b.servers.programs import postgres_programs
from tests.databases import template_as_sql

ROOT = Path(__file__).resolve().parents[2]
BEGIN = "import django; django.setup()\n"
WORKER = "celery -A o2b worker --pool solo --without-gossip --without-mingle -l WARNING"
BEAT = "celery -A o2b beat -l WARNING"


class OwnHouse:
    """Postgres and Valkey in a folder of their own; nobody else's tests feel it when they die."""

    def __init__(self) -> None:
        self.home = Home(Path(tempfile.mkdtemp(prefix="o2b-house-")).resolve())
        self.home.path.chmod(0o755)  # Postgres, when started by root, walks through it
        self.database = "o2b"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._numbers = iter(range(1, 1000))
        self.revive_servers()

    def revive_servers(self) -> None:
        """Start what is not running, at the address that it had."""
        self.addresses = ensure(self.home)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DATABASE_URL": self.addresses.database_url.replace("/o2b?", f"/{self.database}?"),
            "REDIS_URL": self.addresses.redis_url,
            "O2B_QUEUE_PREFIX": f"{self.database}-",
            "O2B_HOME": str(self.home.path),
            "DJANGO_SETTINGS_MODULE": "o2b.settings",
            "PYTHONWARNINGS": "ignore",
            "PYTHONPATH": str(ROOT),
        }

    def python(self, script: str, *told: object) -> Any:
        """Run a few lines that know `told` as `sys.argv[1:]`; what they print is read as JSON."""
        done = subprocess.run(
            [sys.executable, "-c", BEGIN + script, *map(str, told)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout) if done.stdout.strip() else None

    def migrate(self) -> None:
        """The tables of O2B, as the run's own template has them: to migrate takes half a minute."""
        subprocess.run(
            [
                *(postgres_programs() / "psql", "-q", "-1", "-v", "ON_ERROR_STOP=1"),
                *("-d", self.environment["DATABASE_URL"], "-f", template_as_sql()),
            ],
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def copy_database(self, name: str) -> None:
        """Another database that holds the same."""
        there = psycopg2.connect(self.addresses.database_url.replace("/o2b?", "/postgres?"))
        there.autocommit = True
        with there.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE o2b STRATEGY file_copy")
        there.close()

    def sql(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of the database at hand; its server may have died a moment ago."""
        url = self.environment["DATABASE_URL"]
        for _ in range(100):
            with suppress(psycopg2.OperationalError):
                there = psycopg2.connect(url)
                there.autocommit = True
                with there.cursor() as cursor:
                    cursor.execute(question)
                    rows = cursor.fetchall() if cursor.description else []
                there.close()
                return rows
            time.sleep(0.1)
        raise AssertionError("Postgres does not come back")

    def start(self, kind: str) -> str:
        """One more `worker` or `beat`; its name."""
        name = f"{kind}-{next(self._numbers)}"
        command = WORKER if kind == "worker" else BEAT
        more = ["-n", f"{self.database}-{name}@test"]
        if kind == "beat":
            more = ["-s", str(self.home.path / name), "--pidfile", ""]
        with (self.home.path / "processes.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command.split(), *more],
                cwd=ROOT,
                env=self.environment | {"O2B_ROLE": "worker"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return name

    def kill9(self, kind: str, chance: random.Random) -> None:
        """One of this kind dies without a word, and its like is started in its place."""
        if kind == "postgres":
            _kill(Postgres(data=self.home.path / "postgres").pid())
            self.revive_servers()
        elif kind == "redis":
            with self.home.locked() as state:
                _kill(state["valkey"]["pid"])
            self.revive_servers()
        else:
            name = chance.choice(sorted(n for n in self.processes if n.startswith(kind)))
            process = self.processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.start(kind)

    def wait_until(self, reached: Callable[[], bool], *, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < until, f"not reached in {seconds} s\n{self.words()}"
            time.sleep(0.05)

    def words(self) -> str:
        """The last that the processes said."""
        return (self.home.path / "processes.log").read_text(errors="replace")[-3000:]

    def stop_processes(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()

    def close(self) -> None:
        self.stop_processes()
        release(self.home)
        shutil.rmtree(self.home.path, ignore_errors=True)


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
