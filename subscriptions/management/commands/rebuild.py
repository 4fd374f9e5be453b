"""`manage.py rebuild`: derive what is derived of services anew from their facts, or verify it."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from o2b import clock
from subscriptions.timelines.rebuilding import rebuild_versions

SHOWN = 20


class Command(BaseCommand):
    help = "Derive the versions of all items, and how items stand, anew from the facts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--verify", action="store_true", help="Only compare; fail if anything differs."
        )
        parser.add_argument("--json", action="store_true", help="One line for a machine.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = rebuild_versions(at=clock.now(), write=not options["verify"])
        told = {
            "services": found.services,
            "versions": found.versions,
            "differences": len(found.differences),
        }
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(
                f"{found.services} services, {found.versions} versions, "
                f"{len(found.differences)} differences"
            )
            for each in found.differences[:SHOWN]:
                self.stdout.write(f"  {each}")
        if options["verify"] and found.differences:
            raise CommandError(f"{len(found.differences)} differ from the facts")
