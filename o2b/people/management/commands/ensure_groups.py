"""ensure_groups: make the groups and give them what the table in o2b/people/groups.py says."""

from typing import Any

from django.core.management.base import BaseCommand

from o2b.people import services
from o2b.people.groups import GROUPS


class Command(BaseCommand):
    help = "Make the groups (sales, order team, finance, administrator) with their permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        missing = services.ensure_groups()
        self.stdout.write(f"{len(GROUPS)} groups: {', '.join(GROUPS)}")
        for name in missing:
            self.stderr.write(f"no model declares {name}")
