"""manage.py bench_usage: ingest beside a bare COPY, a month drafted, calls rated by a deck."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.desk.usagebench import decks, drafting, ingest, world
from o2b import benching

BATCHES = ((1, 400), (100, 200), (1_000, 80), (10_000, 16))
EVENTS = "1000000,5000000,10000000"


class Command(BaseCommand):
    help = "Measure usage in a database of its own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keys", type=int, default=20_000_000, help="stored beforehand")
        parser.add_argument("--items", type=int, default=10_000)
        parser.add_argument("--share", type=float, default=1.0, help="of the batches that are sent")
        parser.add_argument(
            "--events", default=EVENTS, help="of the month that is drafted; empty: none is"
        )
        parser.add_argument("--calls", type=int, default=1_000_000, help="rated by deck; 0: none")
        parser.add_argument("--prefixes", type=int, default=50_000, help="of the deck")
        parser.add_argument("--decks-only", action="store_true", help="measure nothing else")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["items"] < 1 or options["items"] % world.SEEDS:
            raise CommandError(f"--items is a multiple of {world.SEEDS}.")
        if not all(count.isdigit() for count in options["events"].split(",") if count):
            raise CommandError("--events are numbers with commas between.")
        if options["keys"] < 1 or not 0 < options["share"] <= 10:
            raise CommandError("--keys is 1 or more, --share above 0 and at most 10.")
        if options["calls"] < 0 or not 1 <= options["prefixes"] <= 500_000:
            raise CommandError("--calls is 0 or more, --prefixes 1 to 500,000.")
        if benching.is_inside():
            self._bench(**options)
        else:
            benching.run_again_inside()

    def _bench(self, **options: Any) -> None:
        told: dict[str, Any] = {}
        if options["calls"]:
            self._tell(f"rating {options['calls']} calls")
            told = decks.measure(calls=options["calls"], prefixes=options["prefixes"])
        if not options["decks_only"]:
            told |= self._usage(**options)
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for size, found in told.pop("batches", {}).items():
            self.stdout.write(f"{size:>6} a batch: {found}")
        for name, value in told.items():
            self.stdout.write(f"{name:<20}{value}")

    def _usage(
        self, *, keys: int, items: int, share: float, events: str, **options: Any
    ) -> dict[str, Any]:
        self._tell(f"loading {items} services")
        entity = world.build(items=items)
        counts = [int(count) for count in events.split(",") if count]
        drafted: dict[str, Any] = {}
        if counts:
            self._tell("drafting a month of them")
            drafted = drafting.measure(entity, items=items, counts=counts)
        self._tell(f"storing {keys} keys on both sides")
        world.store_keys(keys)
        self._tell("sending")
        batches = [(size, max(round(count * share), 2)) for size, count in BATCHES]
        sent = ingest.measure(keys=keys, batches=batches)
        return {"keys": keys, "items": items, **sent, **drafted}

    def _tell(self, what: str) -> None:
        self.stderr.write(f"{what} ...", style_func=str)
        self.stderr.flush()
