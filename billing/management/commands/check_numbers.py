"""manage.py check_numbers: whether the numbers of all documents are without a gap."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.models import NumberSeries
from billing.runs.selectors.numbers import faults_of_numbers


class Command(BaseCommand):
    help = "Find gaps in the numbers of invoices and credit notes. Fails if there is one."

    def handle(self, *args: Any, **options: Any) -> None:
        found = faults_of_numbers()
        for each in found:
            self.stdout.write(each.text)
        if found:
            raise CommandError(f"{len(found)} faults")
        self.stdout.write(f"{NumberSeries.objects.count()} series, no gap")
