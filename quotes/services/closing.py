"""The ends of a quote: accepted, declined, withdrawn, expired."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, fsm
from quotes import selectors
from quotes.models import Quote
from quotes.services.checking import (
    checked_text,
)
from quotes.services.refusals import (
    QuoteExpired,
    QuoteNotOpen,
    TextInvalid,
)

BATCH = 1000


@transaction.atomic
def accept_quote(*, quote_id: int, by: str, at: datetime, actor_id: int | None = None) -> Quote:
    """Take the offer as it stands; called by placing the order and by nothing else."""
    name = checked_text(by, field="by")
    if not name:
        raise TextInvalid(_("Who accepts? Please give a name."), field="by")
    quote = _locked(quote_id)
    _refuse_expired(quote, at)
    fsm.apply(
        quote,
        "accept",
        at=at,
        refusal=QuoteNotOpen,
        actor_id=actor_id,
        facts={"by": name},
        by=name,
    )
    return quote


@transaction.atomic
def decline_quote(
    *, quote_id: int, reason: str, at: datetime, by: str = "", actor_id: int | None = None
) -> Quote:
    """Note that the customer does not want it, and why, if they say so."""
    why = checked_text(reason, field="reason", longest=2000)
    name = checked_text(by, field="by")
    quote = _locked(quote_id)
    fsm.apply(
        quote,
        "decline",
        at=at,
        refusal=QuoteNotOpen,
        actor_id=actor_id,
        facts={"by": name, "reason": why},
        reason=why,
    )
    return quote


@transaction.atomic
def withdraw_quote(*, quote_id: int, at: datetime, actor_id: int | None = None) -> Quote:
    """Take back an offer, or give up a draft."""
    quote = _locked(quote_id)
    fsm.apply(quote, "withdraw", at=at, refusal=QuoteNotOpen, actor_id=actor_id)
    return quote


def expire_quotes(*, at: datetime) -> int:
    """Close every sent quote whose last day is over where its account lives; say how many."""
    due: dict[datetime, list[int]] = defaultdict(list)
    for pk, moment in selectors.past_validity(at=at).values_list("pk", "moment"):
        due[moment].append(pk)
    return sum(
        len(fsm.move(Quote.objects.filter(pk__in=keys[i : i + BATCH]), "expire", at=moment))
        for moment, keys in due.items()
        for i in range(0, len(keys), BATCH)
    )


def _locked(quote_id: int) -> Quote:
    locked = Quote.objects.select_for_update(of=("self",))
    return locked.select_related("account__test_clock").get(pk=quote_id)


def _refuse_expired(quote: Quote, at: datetime) -> None:
    over = not quote.may_be_accepted_on(clock.day(quote.account, at))
    if quote.state == Quote.State.EXPIRED or (quote.state == Quote.State.SENT and over):
        message = _("%(quote)s was valid until %(day)s.")
        raise QuoteExpired(message % {"quote": quote, "day": quote.valid_until})
