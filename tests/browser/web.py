"""The web process that browser tests talk to: gunicorn on a port of its own, one for all of them.

Between tests the database is cloned anew under the same name. The connections to the old one die
with it, and Django looks whether one is alive before each request (CONN_HEALTH_CHECKS).
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from o2b.servers.probe import answers
from o2b.servers.valkey import free_port
from tests.workers import database_url

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
START_SECONDS = 60


class Web:
    """gunicorn over this process's database, publishing to the workers of its prefix."""

    def __init__(self, *, queue_prefix: str) -> None:
        self.queue_prefix = queue_prefix
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        bind = ["--bind", f"{HOST}:{self.port}", "--workers", "1", "--threads", "4"]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "tests.browser.served", *bind),
                *("--log-level", "error", "--no-control-socket"),
            ],
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "O2B_QUEUE_PREFIX": queue_prefix,
                "O2B_PUBLIC_URL": self.url,
                "O2B_LOG_LEVEL": "ERROR",
                "PYTHONWARNINGS": "default",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while not answers(HOST, self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError("the web process of the browser tests did not start")
            time.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
