"""The worker of the bench: it begins, forks, and makes documents; what that took."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import connections

from billing.models import InvoiceDocument, SendingBatch
from billing.runs.bench.world import AT
from billing.sending.services import make_documents

PROCESSES = 2


def make_all(*, begin_only: bool) -> None:
    """What one fresh worker does: it begins, forks a process a core, and they make every batch.

    Prints seconds of processor and MB of memory. One that shall only begin makes nothing.
    """
    batches = [] if begin_only else list(SendingBatch.objects.order_by("n").values_list("pk"))
    shares = [[pk for (pk,) in batches[n::PROCESSES]] for n in range(PROCESSES)]
    connections.close_all()
    with get_context("fork").Pool(PROCESSES) as pool:
        told = pool.map(_make, shares, chunksize=1)
        pool.close()  # ended in order: to end them by force was seen to wait for ever
        pool.join()
    own = resource.getrusage(resource.RUSAGE_SELF)
    processor = own.ru_utime + own.ru_stime + sum(seconds for seconds, _mb in told)
    sys.stdout.write(f"{processor} {max(mb for _seconds, mb in told)}\n")


def _make(share: Sequence[int]) -> tuple[float, float]:
    for pk in share:
        make_documents(batch_id=pk, at=AT, worker=str(os.getpid()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure(command: str) -> dict[str, Any]:
    """Wall time from the start of a fresh worker to the last document in the database.

    Modules are compiled before, as those of every installation are.
    """
    with TemporaryDirectory() as compiled:
        _run(command, "begin", compiled)
        began = time.perf_counter()
        processor, memory = _run(command, "make", compiled)
        wall = time.perf_counter() - began
        began = time.perf_counter()
        _run(command, "begin", compiled)
        beginning = time.perf_counter() - began
    made = InvoiceDocument.objects.count()
    return {
        "pdfs": made,
        "processes": PROCESSES,
        "wall_s": round(wall, 2),
        "pdfs_per_s": round(made / wall, 1),
        "of_it_beginning_s": round(beginning, 2),
        "processor_ms_per_pdf": round(1000 * processor / made, 2),
        "rss_mb": round(memory),
    }


def _run(command: str, part: str, compiled: str) -> tuple[float, float]:
    environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    told = subprocess.run(
        [sys.executable, *sys.argv[:1], command, f"--part={part}"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    processor, memory = told.stdout.split()
    return float(processor), float(memory)
