"""`manage.py recount_usage`: count all events again, and prove the totals that billing reads."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from subscriptions.usage.services import recount_usage

SHOWN = 20


class Command(BaseCommand):
    help = "Compare every total of usage with its events; fail if any differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--write", action="store_true", help="Make totals what the events say; usage waits."
        )
        parser.add_argument("--json", action="store_true", help="One line for a machine.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = recount_usage(write=options["write"])
        shown = [asdict(each) | {"day": f"{each.day}"} for each in found.differences[:SHOWN]]
        if options["json"]:
            told = {
                "keys": found.keys,
                "events": found.events,
                "pending": found.pending,
                "lost": found.lost,
                "dismissed": found.dismissed,
                "differences": len(found.differences),
                "first": shown,
            }
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(
                f"{found.keys} keys = {found.events} events + {found.pending} pending"
                f" + {found.dismissed} dismissed,"
                f" {found.lost} lost, {len(found.differences)} totals differ"
            )
            for each in shown:
                self.stdout.write(
                    "  service {service_id}, meter {meter_id}, {day} {part}:"
                    " events {events}, total {total}".format_map(each)
                )
        if not found.holds and not options["write"]:
            raise CommandError("the totals are not what the events say")
