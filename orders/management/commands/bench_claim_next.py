"""manage.py bench_claim_next: fifty clerks claim at once, beside a bare SKIP LOCKED update."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from o2b import benching
from orders.work.bench import claims, world


class Command(BaseCommand):
    help = "Measure claim-next under many clerks, in a database of its own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clerks", type=int, default=50)
        parser.add_argument("--each", type=int, default=40, help="claims of each clerk")
        parser.add_argument("--tasks", type=int, default=100_000)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if benching.is_inside():
            self._bench(**options)
        else:
            benching.run_again_inside()

    def _bench(self, *, clerks: int, each: int, tasks: int, json: bool, **options: Any) -> None:
        made = world.build(tasks=tasks, clerks=clerks, line_state="scheduled")
        ours_alone = claims.alone(made, claims.ours)
        bare_alone = claims.alone(made, claims.bare)
        ours, bare = claims.measure(made, each=each)
        told = {
            "clerks": clerks,
            "claims": len(ours.keys),
            "duplicates": ours.duplicates + claims.claimed_twice(),
            "alone_ms": round(ours_alone, 2),
            "bare_alone_ms": round(bare_alone, 2),
            "p50_ms": round(ours.p50, 2),
            "p95_ms": round(ours.p95, 2),
            "bare_p50_ms": round(bare.p50, 2),
            "bare_p95_ms": round(bare.p95, 2),
            "ratio_p95_to_bare": round(ours.p95 / bare.p95, 2),
        }
        self.stdout.write(_words(told, as_json=json))


def _words(told: dict[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(told)
    return "\n".join(f"{name}: {value}" for name, value in told.items())
