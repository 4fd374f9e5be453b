"""Real Celery worker processes for a test: they can be counted, watched and killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis
from django.conf import settings
from django.db import connection
from kombu import pools

from o2b.celery import app

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60


class Workers:
    """A few workers with one queue prefix; this process publishes under the same prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.processes: list[subprocess.Popen[bytes]] = []
        self._options = dict(app.conf.broker_transport_options)

    @classmethod
    def start(cls, count: int, *, prefix: str) -> "Workers":
        crew = cls(prefix)
        crew.empty_redis()  # of what was published while no workers were there
        _publish_with(crew._options | {"global_keyprefix": crew.prefix})
        try:
            for _ in range(count):
                crew.add()
            crew.wait_until(crew.all_ready, seconds=READY_SECONDS)
        except BaseException:
            crew.stop()
            raise
        return crew

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes if process.poll() is None]

    def add(self) -> int:
        """One more worker; returns its process id."""
        command = "celery -A o2b worker --pool solo --without-gossip --without-mingle -l WARNING"
        name = f"{self.prefix}{len(self.processes)}@test"
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split(), "-n", name],
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "O2B_QUEUE_PREFIX": self.prefix,
                "O2B_ROLE": "worker",
                "PYTHONWARNINGS": "default",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(process)
        return process.pid

    def kill9(self, index: int) -> int:
        """Let a worker die without a word; returns the process id that it had."""
        process = self.processes[index]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return process.pid

    def all_ready(self) -> bool:
        dead = [process.pid for process in self.processes if process.poll() is not None]
        if dead:
            raise RuntimeError(f"worker processes {dead} ended before they were ready")
        answers = app.control.ping(timeout=0.5) or []
        return len(answers) >= len(self.processes)

    def messages(self) -> int:
        """How many wait in the queues, for the first worker that is free."""
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            queues = [f"{self.prefix}{queue.name}" for queue in settings.CELERY_TASK_QUEUES]
            return sum(client.llen(name) for name in queues)

    def empty_redis(self) -> None:
        """Lose every message of these workers, as a broker that is restarted does."""
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            for key in client.scan_iter(f"{self.prefix}*"):
                if "_kombu.binding." not in str(key):
                    client.delete(key)

    def wait_until(self, reached: Callable[[], bool], *, seconds: float = 60) -> None:
        """Look again and again; a condition that never comes is a failure, not a hang."""
        until = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > until:
                raise TimeoutError(f"not reached within {seconds} s: {reached}")
            time.sleep(0.05)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.empty_redis()
        _publish_with(self._options)


def database_url() -> str:
    """The address of the database that this test speaks to."""
    at = connection.settings_dict
    who = quote(at["USER"], safe="") + (f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else "")
    port = f"&port={at['PORT']}" if at["PORT"] else ""
    return f"postgresql://{who}@/{at['NAME']}?host={quote(at['HOST'], safe='')}{port}"


def _publish_with(options: dict[str, object]) -> None:
    app.conf.broker_transport_options = options
    pools.reset()
    app._after_fork()  # type: ignore[attr-defined]  # forget producers made under the old prefix
