"""The processes of a running house, children of one parent: started, watched, stopped together."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from o2b.servers.trouble import ServerTrouble

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_SECONDS = 10
LOOK_SECONDS = 0.5
MOST_DEATHS = 5
PR_SET_PDEATHSIG = 1


class Crew:
    """Named processes; each leads a session of its own, so that Ctrl-C reaches the parent only."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._commands: dict[str, tuple[tuple[str, ...], str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._deaths: Counter[str] = Counter()

    def start(self, name: str, *command: str, role: str = "") -> None:
        """Start a command of this Python and keep it up; what it says goes to stderr."""
        self._commands[name] = (command, role)
        self._running[name] = self._open(command, role=role, stdout=sys.stderr.fileno())

    def start_worker(self, name: str, *, node: str, queues: str) -> None:
        """Start a Celery worker of one process for some queues, known to the broker as `node`."""
        self.start(
            name,
            *("-m", "celery", "-A", "o2b", "--quiet", "worker", "--pool", "solo"),
            *("--without-gossip", "--without-mingle", "-Q", queues, "-l", "WARNING"),
            *("-n", f"{node}@%h"),
            role="worker",
        )

    @property
    def pids(self) -> list[int]:
        """Process ids of everything that was started."""
        return [process.pid for process in self._running.values()]

    def run(self, *command: str, role: str = "") -> str:
        """Run a command to its end and return what it wrote on stdout, or say that it failed."""
        name = " ".join(command)
        self._running[name] = process = self._open(command, role=role, stdout=subprocess.PIPE)
        said = process.communicate()[0].decode()
        del self._running[name]
        if process.returncode:
            sys.stderr.write(said)
            raise ServerTrouble(f"`{name}` failed; what it said stands above.")
        return said

    def _open(self, command: tuple[str, ...], *, role: str, stdout: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment | ({"O2B_ROLE": role} if role else {}),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    def watch(self, also: Callable[[], object]) -> None:
        """Stay until a signal comes; a process that dies is started again, within reason."""
        while True:
            time.sleep(LOOK_SECONDS)
            also()
            for name, process in list(self._running.items()):
                if process.poll() is not None:
                    self._revive(name, process.returncode)

    def check(self) -> None:
        """Refuse to go on when something has ended already."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ServerTrouble(f"the {name} process ended at once; its words stand above.")

    def stop(self) -> None:
        """Ask all to finish, wait, and end what is left of them, children of children included."""
        groups = [process.pid for process in self._running.values()]
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(until - time.monotonic(), 0))
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for process in self._running.values():
            process.wait()
        self._running.clear()

    def _revive(self, name: str, code: int) -> None:
        self._deaths[name] += 1
        if self._deaths[name] > MOST_DEATHS:
            raise ServerTrouble(f"the {name} process keeps ending (code {code}); see above why.")
        command, role = self._commands[name]
        self.start(name, *command, role=role)


@contextlib.contextmanager
def until_signalled() -> Iterator[None]:
    """Leave the block quietly at Ctrl-C, at a polite kill and when the terminal closes."""
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, _interrupt) for number in watched]
    try:
        yield
    except Interrupted:
        pass
    finally:
        for number, handler in zip(watched, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No second Ctrl-C stops the stopping."""
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in watched]
    try:
        yield
    finally:
        for number, handler in zip(watched, before, strict=True):
            signal.signal(number, handler)


class Interrupted(BaseException):
    """A signal asked this process to end."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted


def _die_with_parent() -> None:
    """Linux tells the child when its parent is gone, even by kill -9."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
