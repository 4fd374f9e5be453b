"""manage.py load_pack: one ready catalog with sample customers; its last line is JSON."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.desk.packing import load_whole_pack
from o2b import clock
from o2b.asks import ask
from o2b.errors import Refused
from o2b.packs.reading import names, read_pack
from o2b.packs.refusals import PackThere
from o2b.people.groups import SALES
from o2b.people.models import User


class Command(BaseCommand):
    help = (
        "Load a ready catalog with plans, queues and people ("
        + ", ".join(names())
        + "), or one of your own from a folder."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pack", help="a name, or a folder with a pack.toml")
        parser.add_argument("--advocate", help="user who answers for the sample customers")

    def handle(self, *, pack: str, advocate: str | None, **options: Any) -> None:
        try:
            read = read_pack(pack)
            loaded = load_whole_pack(
                pack=read,
                advocate_id=self._advocate(advocate),
                at=clock.now(),
                kinds=ask("task_kinds"),
            )
        except PackThere as there:
            self.stderr.write(str(there))
            return
        except Refused as refusal:
            where = f"{refusal.field}: " if refusal.field else ""
            raise CommandError(f"{where}{refusal}") from refusal
        self.stdout.write(json.dumps({"pack": read.name, **loaded}))

    def _advocate(self, username: str | None) -> int:
        people = User.objects.filter(is_active=True)
        named = people.filter(username=username) if username else people.filter(groups__name=SALES)
        found = named.order_by("pk").first()
        if found is None:
            raise CommandError(
                f"There is no user {username!r}."
                if username
                else "Nobody is in the group “sales” yet: name the advocate with --advocate USER."
            )
        return found.pk
