"""Which manage.py commands need servers, and how the environment tells them where those are."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import urlsplit

import psycopg2

from o2b.servers.embedded import ensure, release
from o2b.servers.home import Home
from o2b.servers.trouble import NO_SPACE, DiskFull, ServerTrouble

NEED_NOTHING = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "provisioning_server",
    "spectacular",
    "version",
}
POSTGRES_SCHEMES = {"postgres", "postgresql", "psql", "pgsql"}
REDIS_SCHEMES = {"redis", "rediss", "unix", "redis+socket"}


@contextlib.contextmanager
def servers_for(arguments: list[str]) -> Iterator[None]:
    """Have what this command needs in the environment, and let it go when the command is over."""
    signal.signal(signal.SIGTERM, _leave)
    command = arguments[1] if len(arguments) > 1 else "help"
    home = Home.from_environment()
    if not os.environ.get("DATABASE_URL"):
        os.environ.setdefault("O2B_HTTPS", "0")  # a house of its own answers on this machine
        if not os.environ.get("O2B_SECRET_KEY"):
            os.environ["O2B_SECRET_KEY"] = home.secret_key()
        for name, value in home.remembered().items():
            os.environ.setdefault(name, value)
    if not _needs_servers(command, arguments):
        yield
        return
    provide(home)
    try:
        yield
    except Exception as failure:
        if NO_SPACE in str(failure):  # the database's words and the system's are the same
            raise DiskFull(home.path) from failure
        raise
    finally:
        release(home)


def provide(home: Home) -> None:
    """Put the addresses of what is missing into the environment; prove what was given."""
    database_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    if database_url:
        check_database(database_url)
    if redis_url:
        check_redis(redis_url)
    if database_url and redis_url:
        return
    addresses = ensure(home)
    os.environ.setdefault("DATABASE_URL", addresses.database_url)
    os.environ.setdefault("REDIS_URL", addresses.redis_url)


def check_database(url: str) -> None:
    """Refuse an address that is no Postgres or does not answer."""
    if urlsplit(url).scheme not in POSTGRES_SCHEMES:
        raise ServerTrouble("DATABASE_URL must look like postgresql://user:password@host:5432/o2b.")
    try:
        psycopg2.connect(url, connect_timeout=5).close()
    except psycopg2.Error as failure:
        said = str(failure).strip().splitlines()[0].rstrip(".")
        raise ServerTrouble(f"the database of DATABASE_URL cannot be used: {said}.") from failure


def check_redis(url: str) -> None:
    """Refuse an address of a wrong form; an absent Redis stops nobody but the workers."""
    if urlsplit(url).scheme not in REDIS_SCHEMES:
        raise ServerTrouble("REDIS_URL must look like redis://:password@host:6379/0.")


def _needs_servers(command: str, arguments: list[str]) -> bool:
    if command.startswith("-") or {"--help", "-h", "--version"} & set(arguments):
        return False
    return command not in NEED_NOTHING


def _leave(_signal: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
