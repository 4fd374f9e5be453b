"""One process of the bench: it makes the documents of every n-th batch and says what that took."""

import os
import resource
import subprocess
import sys
import time
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings

from billing.models import InvoiceDocument, SendingBatch
from billing.runs.bench.world import AT
from billing.sending.services import make_documents

PROCESSES = 2


def make_share(share: int) -> None:
    """Make this process's share of all batches; prints seconds of processor and MB of memory.

    A share below zero has none: what such a process does is begin.
    """
    batches = list(SendingBatch.objects.order_by("n").values_list("pk", flat=True))
    for pk in batches[share::PROCESSES] if share >= 0 else ():
        make_documents(batch_id=pk, at=AT, worker=str(os.getpid()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}\n")


def measure(command: str) -> dict[str, Any]:
    """Wall time from the start of fresh processes to the last document in the database.

    Modules are compiled before, as those of every installation are.
    """
    with TemporaryDirectory() as compiled:
        begin = _start(command, -1, compiled).communicate()[0]
        began = time.perf_counter()
        running = [_start(command, share, compiled) for share in range(PROCESSES)]
        told = [process.communicate()[0].split() for process in running]
        wall = time.perf_counter() - began
    if not begin or any(process.returncode for process in running):
        raise RuntimeError("a process of the bench ended early; its words stand above")
    made = InvoiceDocument.objects.count()
    processor = sum(float(cpu) for cpu, _ in told)
    return {
        "pdfs": made,
        "processes": PROCESSES,
        "wall_s": round(wall, 2),
        "pdfs_per_s": round(made / wall, 1),
        "processor_ms_per_pdf": round(1000 * processor / made, 2),
        "rss_mb": round(max(float(mb) for _, mb in told)),
    }


def _start(command: str, share: int, compiled: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.Popen(
        [sys.executable, *sys.argv[:1], command, f"--share={share}"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
