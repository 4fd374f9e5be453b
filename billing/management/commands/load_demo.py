"""manage.py load_demo: a carrier with three months behind it, and the packs with their stories.

Its last line is JSON.
"""

import json
from typing import Any

from django.core.management.base import BaseCommand

from billing.desk import patience
from billing.desk.demo.consumption import consume
from billing.desk.demo.packs import PackStory, first_day
from billing.desk.demo.selectors import figures
from billing.desk.demo.story import Story, noon
from billing.desk.demo.years import NextYears
from billing.desk.packing import load_whole_pack
from o2b import clock
from o2b.asks import ask, held_by
from o2b.packs.reading import names, read_pack
from o2b.packs.refusals import PackThere
from o2b.people.demo import PASSWORD
from o2b.people.services import ensure_people


class Command(BaseCommand):
    help = "Load the demo; run again it changes nothing, and prints the same figures."

    def handle(self, **options: Any) -> None:
        today, workers = clock.today(), patience.answering()
        story = Story(today=today, tell=self._tell, workers=workers)
        story.load()
        packs = [read_pack(name) for name in names()]
        for pack in packs:
            # They can be logged in as, like everybody in the demo.
            ensure_people(people=pack.people, password=PASSWORD)
            try:
                load_whole_pack(
                    pack=pack,
                    advocate_id=story.people["mara"].pk,
                    at=noon(first_day(today)),
                    kinds=ask("task_kinds"),
                )
            except PackThere:
                continue
            self._tell(f"The {pack.name} pack is there")
        PackStory(today=today, workers=workers, tell=self._tell, already_of=held_by).live()
        mara = story.people["mara"].pk
        NextYears(entity=story.entity, today=today, advocate_id=mara, workers=workers).begin()
        if count := consume(at=clock.now()):
            self._tell(f"{count} events of usage came in")
        sellers = [story.entity.code, *(pack.entity["code"] for pack in packs)]
        self.stdout.write(json.dumps(figures(sellers)))

    def _tell(self, what: str) -> None:
        self.stderr.write(what, style_func=str)
        self.stderr.flush()
