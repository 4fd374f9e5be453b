"""manage.py load_demo: the demo's carrier with three months behind it; its last line is JSON."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from billing.desk.demo.selectors import figures
from billing.desk.demo.story import Story
from o2b import clock
from o2b.packs.reading import names, read_pack
from o2b.packs.services import PackThere, load_pack


class Command(BaseCommand):
    help = "Load the demo; run again it changes nothing, and prints the same figures."

    def handle(self, **options: Any) -> None:
        story = Story(today=clock.today(), tell=self._tell)
        story.load()
        for name in names():
            self._load_pack(name, advocate_id=story.people["mara"].pk)
        self.stdout.write(json.dumps(figures(story.entity)))

    def _load_pack(self, name: str, *, advocate_id: int) -> None:
        """A ready catalog beside the story's, for whoever tries books and prices."""
        try:
            load_pack(pack=read_pack(name), advocate_id=advocate_id, at=clock.now())
        except PackThere:
            return
        self._tell(f"The {name} pack is there")

    def _tell(self, what: str) -> None:
        self.stderr.write(what, style_func=str)
        self.stderr.flush()
