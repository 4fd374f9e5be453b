"""One verb to have both servers, one to let them go; the last user of a home stops them."""

import atexit
import os
from dataclasses import dataclass

from o2b.servers.home import Home, hold, let_go
from o2b.servers.postgres import Postgres
from o2b.servers.valkey import Valkey


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the two servers answer."""

    database_url: str
    redis_url: str


_held: dict[str, int] = {}  # home → the process that holds it (a fork must not let go for us)


def ensure(home: Home | None = None, *, durable: bool = True) -> Addresses:
    """Find or start the servers of a home and keep them up until this process ends or releases."""
    home = home or Home.from_environment()
    with home.locked() as state:
        postgres = Postgres(data=home.path / "postgres", durable=durable)
        valkey = Valkey(home.path, state)
        hold(state)
        if _held.get(str(home.path)) != os.getpid():  # before the start: it may go half-way
            _held[str(home.path)] = os.getpid()
            atexit.register(release, home)
        postgres.ensure()
        valkey.ensure()
        return Addresses(database_url=postgres.url, redis_url=valkey.url)


def release(home: Home | None = None) -> None:
    """Say that this process needs the servers no longer; the last to say so stops them."""
    home = home or Home.from_environment()
    if _held.get(str(home.path)) != os.getpid() or not home.path.exists():
        return
    del _held[str(home.path)]
    with home.locked() as state:
        if let_go(state):
            _stop(home)


def stop_left_over(home: Home) -> bool:
    """Stop servers whose users were all killed; false when somebody still uses them."""
    if not home.path.exists():
        return True
    with home.locked() as state:
        if nobody_left := let_go(state):
            _stop(home)
    return nobody_left


def _stop(home: Home) -> None:
    Valkey(home.path, home.state).stop()
    Postgres(data=home.path / "postgres").stop()
