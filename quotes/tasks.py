"""What quotes do by the clock."""

from celery import shared_task

from o2b import clock
from quotes import services


@shared_task(name="quotes.expire_quotes")
def expire_quotes() -> int:
    return services.expire_quotes(at=clock.now())
