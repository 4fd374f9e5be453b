"""The embedded Valkey: a broker that keeps nothing on disk, since Postgres is the only truth."""

import contextlib
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import redis

from o2b.servers.programs import launch, valkey_server
from o2b.servers.trouble import ServerTrouble

HOST = "127.0.0.1"
START_SECONDS = 10
CONFIG = """
bind {host}
port {port}
requirepass {password}
dir {folder}
save ""
appendonly no
maxmemory 512mb
maxmemory-policy noeviction
tcp-keepalive 60
daemonize no
logfile {folder}/valkey.log
loglevel warning
"""


class Valkey:
    """One server per home, remembered in the home's state (pid, port, password)."""

    def __init__(self, folder: Path, state: dict[str, Any]) -> None:
        self.folder = folder
        self.state = state

    @property
    def url(self) -> str:
        known = self.state["valkey"]
        return f"redis://:{known['password']}@{HOST}:{known['port']}/0"

    def ensure(self) -> None:
        """Use the one that answers, else start one, at its old address if that is still free."""
        if self._answers():
            return
        self.stop()
        known = self.state.get("valkey", {})
        password = known.get("password") or secrets.token_urlsafe(24)
        for port in (known.get("port"), None, None):
            if (port is None or is_free(port)) and self._start(port or free_port(), password):
                return
        raise ServerTrouble(f"the embedded Valkey does not start: see {self.folder}/valkey.log.")

    def stop(self) -> None:
        """Stop it at once: there is nothing to save."""
        process = self._process()
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except psutil.TimeoutExpired:
            process.kill()
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(5)

    def _start(self, port: int, password: str) -> bool:
        config = CONFIG.format(host=HOST, port=port, password=password, folder=self.folder)
        process = launch(
            [str(valkey_server()), "-"],  # the configuration comes in by hand: it has a password
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            start_new_session=True,
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(config.encode())
            process.stdin.close()
        self.state["valkey"] = {"pid": process.pid, "port": port, "password": password}
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.02)
        process.kill()
        process.wait()
        return False

    def _answers(self) -> bool:
        if self._process() is None:
            return False
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _process(self) -> psutil.Process | None:
        """The process that we remember, if it is still that one."""
        pid = self.state.get("valkey", {}).get("pid")
        try:
            process = psutil.Process(pid) if pid else None
            if process and "valkey-server" in process.name() and process.status() != "zombie":
                return process
        except psutil.Error:
            pass
        return None


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
