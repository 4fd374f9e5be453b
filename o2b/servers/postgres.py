"""The embedded Postgres: its data folder, its settings for this machine, its start and stop."""

import hashlib
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg2

from o2b.servers.programs import launch, postgres_programs, reap
from o2b.servers.trouble import (
    NO_SPACE,
    DiskFull,
    NotYours,
    ServerTrouble,
    check_space,
    from_os_error,
)

DATABASE = "o2b"
SUPERUSER = "postgres"
SYSTEM_USER = "embedded_postgres"  # Postgres refuses to run as root
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET = 100  # the system's limit is 107 bytes, some systems' 103
START_SECONDS = 60  # recovery after a crash takes its time
STOP_SECONDS = 30
MB = 1024 * 1024
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def settings_for(memory: int) -> dict[str, str]:
    """Postgres settings for a machine with so many bytes of memory, shared with O2B itself."""
    shared = min(memory // 4, 2048 * MB)
    return {
        "listen_addresses": "''",
        "max_connections": "100",
        "shared_buffers": f"{max(shared // MB, 64)}MB",
        "effective_cache_size": f"{max(memory // 2 // MB, 128)}MB",
        "work_mem": f"{min(max(memory // 512 // MB, 4), 32)}MB",
        "maintenance_work_mem": f"{min(max(memory // 16 // MB, 64), 512)}MB",
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "wal_compression": "on",
        "jit": "off",
        "log_min_messages": "warning",
        "timezone": "'UTC'",
    }


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One data folder; callers hold the lock of its home."""

    data: Path
    durable: bool = True

    @property
    def socket_folder(self) -> Path:
        """Beside the data, or in the temp folder where the path would be too long for a socket."""
        beside = self.data.parent / "run"
        if len(os.fsencode(beside / SOCKET_NAME)) <= LONGEST_SOCKET:
            return beside
        short = hashlib.sha256(os.fsencode(str(self.data))).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"o2b-{os.geteuid()}-{short}"

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self.socket_folder))}"

    def pid(self) -> int | None:
        """The running server of this data folder, however it was started."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            process = psutil.Process(pid)
            if process.name() == "postgres" and Path(process.cwd()) == self.data:
                return pid
        except PermissionError as failure:
            raise NotYours(self.data.parent) from failure
        except (OSError, ValueError, IndexError, psutil.Error):
            pass
        return None

    def ensure(self) -> None:
        """Make, mend and start what is needed; say in one sentence why it cannot be."""
        if self.pid() is not None and self._answers():
            return
        try:
            check_space(self.data.parent)
            self._make_folders()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._clear_what_died()
            self._configure()
            self._start()
            self._create_database()
        except OSError as failure:
            raise from_os_error(failure, self.data.parent) from failure

    def stop(self) -> None:
        """Stop in an orderly way, dropping what is still connected."""
        if (pid := self.pid()) is None:
            return
        process = psutil.Process(pid)
        process.send_signal(signal.SIGINT)  # Postgres calls this a fast shutdown
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)  # at once; it recovers at the next start

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url, connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _make_folders(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        user = self._user()
        for folder in (self.data, self.socket_folder):
            if folder.stat().st_uid not in ({0, user.pw_uid} if user else {os.geteuid()}):
                raise NotYours(folder)
            if user:
                os.chown(folder, user.pw_uid, user.pw_gid)
            folder.chmod(0o700)
        if user:
            for target in (self.data, postgres_programs() / "postgres"):
                _let_through(target)

    def _initialise(self) -> None:
        done = subprocess.run(
            [
                *(str(postgres_programs() / "initdb"), "-D", str(self.data), "-U", SUPERUSER),
                *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
                *("--auth=trust", "--no-instructions"),
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._as_user(),
        )
        if done.returncode:
            raise self._trouble("could not be set up", done.stderr)

    def _configure(self) -> None:
        settings = settings_for(psutil.virtual_memory().total)
        settings["unix_socket_directories"] = f"'{self.socket_folder}'"
        settings |= {} if self.durable else THROW_AWAY
        ours = self.data / "o2b.conf"
        ours.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        main = self.data / "postgresql.conf"
        if "include 'o2b.conf'" not in main.read_text():
            with main.open("a") as file:
                file.write("\ninclude 'o2b.conf'\n")
        if (user := self._user()) is not None:
            os.chown(ours, user.pw_uid, user.pw_gid)

    def _clear_what_died(self) -> None:
        """After a kill -9 its children may linger, and its pid file may name a stranger."""
        left = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in left:
            with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                process.terminate()
        for process in psutil.wait_procs(left, timeout=5)[1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        reap()
        socket = self.socket_folder / SOCKET_NAME
        for file in (self.data / "postmaster.pid", socket, socket.with_name(f"{SOCKET_NAME}.lock")):
            file.unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.name() == "postgres" and Path(process.cwd()) == self.data
        except psutil.Error:
            return False

    def _start(self) -> None:
        log = self.data / "server.log"
        if log.exists() and log.stat().st_size > 10 * MB:
            log.unlink()
        with log.open("ab") as output:
            begin = output.tell()
            server = launch(
                [str(postgres_programs() / "postgres"), "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **self._as_user(),
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and server.poll() is None:
            if self._is_ready():
                return
            time.sleep(0.02)
        server.kill()
        server.wait()
        raise self._trouble("does not start", log.read_bytes()[begin:].decode(errors="replace"))

    def _is_ready(self) -> bool:
        """Its pid file ends with the word once it has recovered and lets people in."""
        try:
            return (self.data / "postmaster.pid").read_text().split()[-1] == "ready"
        except (OSError, IndexError):
            return False

    def _create_database(self) -> None:
        there = psycopg2.connect(self.url.replace(f"/{DATABASE}?", "/postgres?"))
        try:
            there.autocommit = True
            with there.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            there.close()

    def _user(self) -> pwd.struct_passwd | None:
        """Whose process it is when root starts it: the owner of the data, or a user made for it."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and (owner := self.data.stat().st_uid) != 0:
            return pwd.getpwuid(owner)
        return _system_user()

    def _as_user(self) -> dict[str, Any]:
        """How a program of Postgres is run: not as root, and out of the reach of our Ctrl-C."""
        common: dict[str, Any] = {"cwd": "/", "start_new_session": True}
        if (user := self._user()) is None:
            return common
        return common | {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _trouble(self, what: str, said: str) -> ServerTrouble:
        if NO_SPACE in said:
            return DiskFull(self.data.parent)
        lines = [line for line in said.splitlines() if "FATAL" in line or "error:" in line]
        last = (lines or said.splitlines() or ["it did not say why"])[-1].strip().rstrip(".")
        return ServerTrouble(f"the embedded Postgres in {self.data} {what}: {last}.")


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", SYSTEM_USER], check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)


def _let_through(target: Path) -> None:
    """Let the system user walk to a folder of ours: the x bit, and no more, on what leads there."""
    for folder in target.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
