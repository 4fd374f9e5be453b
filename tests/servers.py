"""pytest plugin (-p tests.servers): embedded servers of the test run's own, before Django wakes."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

from o2b.servers import ensure, release
from o2b.servers.home import Home
from tests import databases

_started: list[Home] = []


def pytest_addoption() -> None:
    """Pytest's first call to a plugin, and the only one that comes before Django's settings."""
    if "O2B_TEST_RUN" in os.environ:  # a process of xdist: it inherits what the first one started
        return
    home = Home(Path(tempfile.mkdtemp(prefix="o2b-tests-")).resolve())
    home.path.chmod(0o755)  # Postgres, when started by root, walks through it as another user
    _started.append(home)
    os.environ["O2B_TEST_RUN"] = secrets.token_hex(4)
    os.environ["O2B_HOME"] = str(home.path)
    os.environ |= {"O2B_SECRET_KEY": "tests-only", "O2B_HTTPS": "0", "O2B_DEBUG": "0"}
    os.environ.setdefault("O2B_LOG_LEVEL", "WARNING")
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        addresses = ensure(home, durable=False)
        os.environ.setdefault("DATABASE_URL", addresses.database_url)
        os.environ.setdefault("REDIS_URL", addresses.redis_url)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what this process started; atexit does it where pytest dies before."""
    while _started:
        home = _started.pop()
        databases.drop_template()
        release(home)
        shutil.rmtree(home.path, ignore_errors=True)
