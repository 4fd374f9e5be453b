"""On which day each committed service comes to its renewal: a row beside its commitments."""

from collections.abc import Sequence
from datetime import timedelta

from o2b.copying import set_all
from subscriptions.models import Commitment, RenewalDue

# So long before notice must be given the advocate hears of a renewal.
REMIND_DAYS = timedelta(days=30)
FIELDS = ["commitment", "due_on", "remind_on", "waits", "tried_on", "fault"]


def due_of(commitment: Commitment) -> RenewalDue:
    """The row of a commitment that ends, not written yet."""
    assert commitment.ends_on is not None
    notice = timedelta(days=commitment.notice_days)
    return RenewalDue(
        item_id=commitment.item_id,
        commitment=commitment,
        due_on=commitment.ends_on,
        remind_on=max(commitment.ends_on - notice - REMIND_DAYS, commitment.starts_on),
    )


def stand_due(commitments: Sequence[Commitment], *, follow: bool = False) -> None:
    """Let these commitments be the ones that come to an end, or never do.

    Those that `follow` others have a row already.
    """
    ending = [due_of(each) for each in commitments if each.ends_on is not None]
    open_ended = [each.item_id for each in commitments if each.ends_on is None]
    if follow:
        set_all(ending, FIELDS)
    else:
        RenewalDue.objects.bulk_create(
            ending, update_conflicts=True, unique_fields=["item"], update_fields=FIELDS
        )
    if open_ended:
        RenewalDue.objects.filter(item__in=open_ended).delete()
