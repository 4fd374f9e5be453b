"""The embedded servers: sized for the machine, shared by processes, mended, gone with the last."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg2
import pytest
import redis

from o2b.servers import Addresses, ServerTrouble, ensure, release
from o2b.servers.embedded import stop_left_over
from o2b.servers.home import Home
from o2b.servers.postgres import Postgres, settings_for

ROOT = Path(__file__).resolve().parent.parent.parent
GB = 1024**3
HOLD = """
import sys
from o2b.servers import ensure
ensure()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Home]:
    """A house of this test's own, in a short path that Postgres's user may walk through."""
    with TemporaryDirectory(prefix="o2b-") as folder:
        Path(folder).chmod(0o755)
        house = Home(Path(folder).resolve())
        yield house
        release(house)
        stop_left_over(house)


def other_process(home: Home) -> subprocess.Popen[str]:
    """Another process that holds the servers until its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=os.environ | {"O2B_HOME": str(home.path)},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end(holder: subprocess.Popen[str], how: signal.Signals | None = None) -> None:
    if how is not None:
        holder.send_signal(how)
    holder.communicate()


def pids(home: Home) -> tuple[int, int]:
    with home.locked() as state:
        postgres = Postgres(data=home.path / "postgres").pid()
        assert postgres is not None
        return postgres, state["valkey"]["pid"]


def is_alive(pid: int) -> bool:
    """Running; one that is dead and waits for its parent to notice is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def one(addresses: Addresses) -> int:
    connection = psycopg2.connect(addresses.database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("memory", "shared", "cache", "work", "maintenance"),
    [
        (GB // 4, "64MB", "128MB", "4MB", "64MB"),
        (2 * GB, "512MB", "1024MB", "4MB", "128MB"),
        (8 * GB, "2048MB", "4096MB", "16MB", "512MB"),
        (64 * GB, "2048MB", "32768MB", "32MB", "512MB"),
    ],
)
def test_postgres_is_sized_by_memory(
    memory: int, shared: str, cache: str, work: str, maintenance: str
) -> None:
    settings = settings_for(memory)
    assert settings["shared_buffers"] == shared
    assert settings["effective_cache_size"] == cache
    assert settings["work_mem"] == work
    assert settings["maintenance_work_mem"] == maintenance
    assert "fsync" not in settings  # durable: only a test's servers turn it off


def test_a_deep_home_gets_its_socket_elsewhere() -> None:
    near = Postgres(data=Path("/srv/o2b/postgres"))
    far = Postgres(data=Path("/srv") / ("deep" * 30) / "postgres")
    assert near.socket_folder == Path("/srv/o2b/run")
    assert len(str(far.socket_folder / ".s.PGSQL.5432")) <= 100


def test_processes_share_the_servers_and_the_last_one_stops_them(home: Home) -> None:
    first = other_process(home)
    before = pids(home)
    second = other_process(home)
    assert pids(home) == before
    end(first)
    assert pids(home) == before
    end(second, signal.SIGINT)
    assert not [pid for pid in before if is_alive(pid)]


def test_a_killed_user_is_forgotten(home: Home) -> None:
    ensure(home, durable=False)
    before = pids(home)
    end(other_process(home), signal.SIGKILL)
    assert pids(home) == before
    release(home)
    assert Postgres(data=home.path / "postgres").pid() is None


@pytest.mark.parametrize("victim", [0, 1], ids=["postgres", "valkey"])
def test_a_killed_server_is_mended_at_the_same_address(home: Home, victim: int) -> None:
    addresses = ensure(home)
    with psycopg2.connect(addresses.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    connection.close()
    os.kill(pids(home)[victim], signal.SIGKILL)
    time.sleep(0.2)
    assert ensure(home) == addresses
    assert one(addresses) == 1
    with redis.Redis.from_url(addresses.redis_url) as client:
        assert client.ping()
    with psycopg2.connect(addresses.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT seven FROM kept")
        assert cursor.fetchone() == (7,)
    connection.close()


def test_a_pid_file_that_names_a_stranger_is_mended(home: Home) -> None:
    addresses = ensure(home, durable=False)
    release(home)
    lines = [str(os.getpid()), str(home.path / "postgres"), "0", "5432", "", "", "", "ready"]
    (home.path / "postgres" / "postmaster.pid").write_text("\n".join(lines))
    assert ensure(home, durable=False).database_url == addresses.database_url
    assert one(addresses) == 1


def test_a_broken_data_folder_is_one_sentence(home: Home) -> None:
    ensure(home, durable=False)
    release(home)
    (home.path / "postgres" / "PG_VERSION").write_text("7\n")
    with pytest.raises(ServerTrouble, match=r"^the embedded Postgres in .* does not start: .*\.$"):
        ensure(home, durable=False)


def test_a_full_disk_is_one_sentence(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("o2b.servers.trouble.NEEDED_MB", 10**12)
    with pytest.raises(ServerTrouble, match=r"^the disk that holds .* is full; "):
        ensure(home)
    assert not (home.path / "postgres").exists()


def test_the_secret_key_is_made_once_and_is_nobody_elses(home: Home) -> None:
    key = home.secret_key()
    assert len(key) >= 50
    assert home.secret_key() == key
    assert (home.path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_child_that_ends_while_it_is_cleared_away_hinders_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Postgres(data=tmp_path)
    child = subprocess.Popen([sys.executable, "-c", ""])
    gone = psutil.Process(child.pid)
    child.wait()
    monkeypatch.setattr(psutil, "process_iter", lambda: [gone])
    monkeypatch.setattr(Postgres, "_is_ours", lambda self, process: process is gone)

    server._clear_what_died()
