"""The folder of one house (O2B_HOME): who uses its servers, its secret key, a lock over both."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from o2b.servers.trouble import NotYours, from_os_error

BESIDE_THE_CODE = Path(__file__).resolve().parent.parent.parent / ".o2b"


class Home:
    """One O2B_HOME; every change of its state happens under its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state: dict[str, Any] = {}

    @classmethod
    def from_environment(cls) -> "Home":
        return cls(Path(os.environ.get("O2B_HOME") or BESIDE_THE_CODE).expanduser().resolve())

    @contextlib.contextmanager
    def locked(self) -> Iterator[dict[str, Any]]:
        """Hold the lock and the state; what is changed in the state is kept."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path / "servers.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as failure:
            raise from_os_error(failure, self.path) from failure
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.state = self._read()
            before = json.dumps(self.state)
            try:
                yield self.state
            finally:
                if json.dumps(self.state) != before:
                    self._write("servers.json", json.dumps(self.state))
        finally:
            os.close(file)

    def secret_key(self) -> str:
        """The key of this house: made once, readable by its owner only."""
        with self.locked():
            file = self.path / "secret_key"
            try:
                key = file.read_text().strip()
            except FileNotFoundError:
                key = ""
            except PermissionError as failure:
                raise NotYours(self.path) from failure
            if not key:
                key = secrets.token_urlsafe(50)
                self._write("secret_key", key)
            return key

    def remember(self, name: str, value: str) -> None:
        """Keep a setting for every later command of this home whose environment does not set it."""
        with self.locked() as state:
            state["settings"] = state.get("settings", {}) | {name: value}

    def remembered(self) -> dict[str, str]:
        """The settings kept so far."""
        with self.locked() as state:
            return dict(state.get("settings", {}))

    def _read(self) -> dict[str, Any]:
        try:
            state = json.loads((self.path / "servers.json").read_text())
        except (FileNotFoundError, ValueError):  # a torn file tells nothing: begin anew
            return {}
        return state if isinstance(state, dict) else {}

    def _write(self, name: str, text: str) -> None:
        """Replace a file whole, so that no reader and no crash sees half of it."""
        part = self.path / f"{name}.part"
        try:
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
            part.replace(self.path / name)
        except OSError as failure:
            raise from_os_error(failure, self.path) from failure


def hold(state: dict[str, Any]) -> None:
    """Write this process down as a user of the servers; forget those that died."""
    me = _identity(os.getpid())
    state["holders"] = [*[holder for holder in _living(state) if holder != me], me]


def let_go(state: dict[str, Any]) -> bool:
    """Strike this process off; true when nobody is left."""
    state["holders"] = [holder for holder in _living(state) if holder[0] != os.getpid()]
    return not state["holders"]


def _living(state: dict[str, Any]) -> list[list[float]]:
    # A number alone is not a process: numbers come round again, start times do not.
    return [holder for holder in state.get("holders", []) if holder == _identity(int(holder[0]))]


def _identity(pid: int) -> list[float] | None:
    try:
        return [pid, psutil.Process(pid).create_time()]
    except psutil.Error:
        return None
