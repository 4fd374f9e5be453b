"""manage.py load_demo: the demo's carrier with three months behind it; its last line is JSON."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from billing.desk.demo.selectors import figures
from billing.desk.demo.story import Story
from o2b import clock


class Command(BaseCommand):
    help = "Load the demo; run again it changes nothing, and prints the same figures."

    def handle(self, **options: Any) -> None:
        story = Story(today=clock.today(), tell=self._tell)
        story.load()
        self.stdout.write(json.dumps(figures(story.entity)))

    def _tell(self, what: str) -> None:
        self.stderr.write(what, style_func=str)
        self.stderr.flush()
