"""Benches: a database of its own for each, in a second process whose settings name it."""

import os
import secrets
import subprocess
import sys
from urllib.parse import quote

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

INSIDE = "O2B_BENCH_DATABASE"
TEMPLATE = "O2B_BENCH_TEMPLATE"  # a migrated database without rows, if there is one to copy


def is_inside() -> bool:
    """Whether this process is the one with a database of its own; then it is migrated."""
    if not os.environ.get(INSIDE):
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def run_again_inside() -> None:
    """The same command once more, in a database and queues of its own, dropped after."""
    name = f"o2b_bench_{secrets.token_hex(4)}"
    template = os.environ.get(TEMPLATE)
    copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}{copied}")
    try:
        environment = os.environ | {
            INSIDE: name,
            "DATABASE_URL": _url_of(name),
            "O2B_QUEUE_PREFIX": f"{name}-",
            "O2B_LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
        }
        code = subprocess.call([sys.executable, *sys.argv], cwd=settings.BASE_DIR, env=environment)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    if code:
        raise CommandError("the bench ended early; its words stand above.")


def _url_of(name: str) -> str:
    """The address of another database of the same server."""
    at = settings.DATABASES["default"]
    who = quote(at.get("USER") or "", safe="")
    if at["PASSWORD"]:
        who += f":{quote(at['PASSWORD'], safe='')}"
    port = f"&port={at['PORT']}" if at["PORT"] else ""
    return f"postgresql://{who}@/{name}?host={quote(at['HOST'], safe='')}{port}"
