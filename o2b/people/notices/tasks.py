"""Mail goes out at once when somebody was told something, and again by the clock."""

from celery import shared_task

from o2b import clock, events
from o2b.people.notices.mailing import mail_waiting

SOFTLY, HARD = 50, 60  # seconds


@shared_task(name="people.mail_notices", soft_time_limit=SOFTLY, time_limit=HARD)
def mail_notices(*, key: int, outbox_id: int | None = None) -> int:
    """Somebody was told something. What fails now is left to the sweep: the call is answered."""
    sent = mail_waiting(machine_now=clock.now(), user_ids=[key])
    if outbox_id is not None:
        events.done([outbox_id])
    return sent


@shared_task(name="people.sweep_mail", soft_time_limit=SOFTLY, time_limit=HARD)
def sweep_mail() -> int:
    """Whatever waits for the post, new or failed before."""
    return mail_waiting(machine_now=clock.now())
