"""One process of the bench: it makes the documents of every n-th batch and says what that took."""

import os
import resource
import subprocess
import sys
import time
from typing import Any

from django.conf import settings

from billing.models import InvoiceDocument, SendingBatch
from billing.runs.bench.world import AT
from billing.sending.services import make_documents

PROCESSES = 2


def make_share(share: int, of: int) -> None:
    """Make this process's share of all batches; prints seconds of processor and MB of memory."""
    batches = list(SendingBatch.objects.order_by("n").values_list("pk", flat=True))
    for pk in batches[share::of]:
        make_documents(batch_id=pk, at=AT, worker=str(os.getpid()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}\n")


def measure(command: str) -> dict[str, Any]:
    """Wall time from the start of fresh processes to the last document in the database."""
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            [sys.executable, *sys.argv[:1], command, "--share", str(share)],
            cwd=settings.BASE_DIR,
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in range(PROCESSES)
    ]
    told = [process.communicate()[0].split() for process in running]
    wall = time.perf_counter() - began
    if any(process.returncode for process in running):
        raise RuntimeError("a process of the bench ended early; its words stand above")
    made = InvoiceDocument.objects.count()
    processor = sum(float(cpu) for cpu, _ in told)
    return {
        "pdfs": made,
        "processes": PROCESSES,
        "wall_s": round(wall, 2),
        "pdfs_per_s": round(made / wall, 1),
        "processor_ms_per_pdf": round(1000 * processor / made, 2),
        "pdfs_per_s_of_2_free_cores": round(made * PROCESSES / processor, 1),
        "rss_mb": round(max(float(mb) for _, mb in told)),
    }
