"""What a person at the terminal is told: one sentence and exit code 1, never a traceback."""

import errno
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from o2b.servers import command_line
from o2b.servers.command_line import provide
from o2b.servers.home import Home
from o2b.servers.trouble import ServerTrouble

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"DATABASE_URL": "mysql://localhost/o2b"},
            r"O2B: DATABASE_URL must look like postgresql://user:password@host:5432/o2b\.",
        ),
        (
            {"DATABASE_URL": "postgresql://o2b@127.0.0.1:1/o2b"},
            r"O2B: the database of DATABASE_URL cannot be used: .*Connection refused.*\.",
        ),
        (
            {"REDIS_URL": "http://localhost"},
            r"O2B: REDIS_URL must look like redis://:password@host:6379/0\.",
        ),
        (
            {"DATABASE_URL": "", "O2B_HOME": "/proc/o2b"},
            r"O2B: /proc/o2b .*\.",
        ),
    ],
    ids=["scheme", "refused", "redis", "home"],
)
def test_unusable_addresses(environment: dict[str, str], sentence: str) -> None:
    done = manage("showmigrations", **environment)
    assert done.returncode == 1
    assert re.fullmatch(sentence + "\n", done.stderr), done.stderr
    assert done.stdout == ""


def test_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = manage("up", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"O2B: port {port} is taken; choose another one with O2B_PORT.\n"


@pytest.mark.parametrize(
    ("command", "needs"),
    [
        ("check", False),
        ("help", False),
        ("collectstatic --noinput", False),
        ("migrate --help", False),
        ("--version", False),
        ("migrate", True),
        ("up", True),
        ("shell", True),
    ],
)
def test_which_commands_need_servers(
    command: str, needs: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Home] = []
    monkeypatch.setattr(command_line, "provide", asked.append)
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    monkeypatch.setenv("O2B_HOME", str(tmp_path))
    with command_line.servers_for(["manage.py", *command.split()]):
        pass
    assert [home.path for home in asked] == ([tmp_path] if needs else [])


def test_a_disk_that_fills_up_on_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    monkeypatch.setenv("O2B_HOME", str(tmp_path))
    with (
        pytest.raises(ServerTrouble, match=r"^the disk that holds .* is full; "),
        command_line.servers_for(["manage.py", "migrate"]),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_setting_of_the_home_gives_way_to_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    monkeypatch.setenv("O2B_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    home = Home(tmp_path)
    home.remember("O2B_APPROVER", "tomas")
    home.remember("O2B_PORT", "1")
    monkeypatch.setenv("O2B_PORT", "2")
    monkeypatch.delenv("O2B_APPROVER", raising=False)
    with command_line.servers_for(["manage.py", "check"]):
        assert os.environ["O2B_APPROVER"] == "tomas"
        assert os.environ["O2B_PORT"] == "2"


def test_given_addresses_start_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = Home(tmp_path / "house")
    provide(home)  # the tests' own addresses are in the environment
    assert not home.path.exists()
    monkeypatch.setenv("REDIS_URL", "gopher://localhost")
    with pytest.raises(ServerTrouble):
        provide(home)
