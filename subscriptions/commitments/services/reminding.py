"""Advocates hear of the renewals that come up, in time to talk with the customer, once."""

from datetime import datetime

from django.db import transaction

from o2b.people.notices.services import tell_many
from subscriptions.commitments.selectors import to_remind
from subscriptions.commitments.services import notes
from subscriptions.commitments.services.batches import AT_ONCE, by_moment, take
from subscriptions.models import Commitment, Item, RenewalDue


@transaction.atomic
def remind_due(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Tell advocates of renewals that come up where they live; of how many."""
    for clocked in (False, True):
        due = to_remind(machine_now=machine_now, clocked=clocked)
        ordered = due.select_related("commitment", "item").order_by("remind_on", "item_id")
        rows, accounts = take(ordered, limit=limit)
        told = []
        for at, own in by_moment(rows, accounts, machine_now):
            by_account: dict[int, list[tuple[Item, Commitment]]] = {}
            for row in own:
                by_account.setdefault(row.holder, []).append((row.item, row.commitment))
            told += [notes.comes_up(accounts[pk], each, at) for pk, each in by_account.items()]
        tell_many(told)
        RenewalDue.objects.filter(pk__in=[row.pk for row in rows]).update(remind_on=None)
        if rows:
            return len(rows)
    return 0
