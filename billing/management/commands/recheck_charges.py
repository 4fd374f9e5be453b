"""manage.py recheck_charges: let the next run correct what changed services were billed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.runs.services import recheck_charges
from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.money import quantise


class Command(BaseCommand):
    help = (
        "Compare what changed services were billed with what they would be billed today, and let "
        "the next run bill the difference."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="REFERENCE", help="only this account")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be")

    def handle(self, *args: Any, **options: Any) -> None:
        account = _account(options["account"])
        write = not options["dry_run"]
        try:
            found = recheck_charges(
                at=clock.now(), write=write, account_id=account.pk if account else None
            )
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        for each in found:
            net = f"{quantise(each.net, each.account.currency)} {each.account.currency} net"
            told = each.fault or f"{net}, {len(each.charges)} charges"
            self.stdout.write(f"{each.account.reference}: {told}")
        wrong = [each for each in found if not each.fault]
        charges = sum(len(each.charges) for each in wrong)
        then = "the next run bills them" if write else "nothing was changed"
        self.stdout.write(f"{charges} charges of {len(wrong)} accounts differ; {then}")
        if faults := len(found) - len(wrong):
            raise CommandError(f"{faults} accounts could not be computed")


def _account(reference: str | None) -> Account | None:
    if reference is None:
        return None
    found = Account.objects.filter(reference=reference).first()
    if found is None:
        raise CommandError(f"there is no account {reference}")
    return found
