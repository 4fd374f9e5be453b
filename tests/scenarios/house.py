"""Management commands as processes of their own, in this test's database and with its workers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from o2b.people.models import User
from tests.factories import a_user
from tests.workers import Workers, database_url

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT.parent / "shared/data/telco_subscribers.csv"
APPROVER = "approver"


def an_approver() -> User:
    """The person that O2B_APPROVER names in these tests."""
    return a_user("finance", username=APPROVER)


def start(workers: Workers, *command: str) -> "subprocess.Popen[str]":
    """`manage.py command` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "O2B_QUEUE_PREFIX": workers.prefix,
            "O2B_APPROVER": APPROVER,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: "subprocess.Popen[str]", *, seconds: float = 600) -> dict[str, Any]:
    """The JSON object on the last line of what a command says."""
    said, complained = process.communicate(timeout=seconds)
    assert process.returncode == 0, complained[-3000:]
    told: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return told


def run(workers: Workers, *command: str) -> dict[str, Any]:
    """Run a command to its end and read its answer."""
    return answer(start(workers, *command))


def until(reached: Any, *, seconds: float = 300) -> None:
    """Look again and again until it is so."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"not reached within {seconds} s"
        time.sleep(0.05)
