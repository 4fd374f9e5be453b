"""The ends of a quote: accepted, declined, withdrawn, expired."""

from collections import defaultdict
from collections.abc import Mapping
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


def accept_quote(*, quote_id: int, by: str, at: datetime, actor_id: int | None = None) -> Quote:
    """Take the offer as it stands; called by placing the order and by nothing else."""
    return accept_quotes(accepted={quote_id: by}, at=at, actor_id=actor_id)[0]


@transaction.atomic
def accept_quotes(
    *, accepted: Mapping[int, str], at: datetime, actor_id: int | None = None
) -> list[Quote]:
    """Many quotes at once, in order; `accepted` says who takes each of them."""
    names = {pk: checked_text(by, field="by") for pk, by in accepted.items()}
    if not all(names.values()):
        raise TextInvalid(_("Who accepts? Please give a name."), field="by")
    locked = Quote.objects.select_for_update(of=("self",)).select_related("account__test_clock")
    quotes = {quote.pk: quote for quote in locked.filter(pk__in=accepted).order_by("pk")}
    if missing := accepted.keys() - quotes.keys():
        raise Quote.DoesNotExist(f"there is no quote {min(missing)}")
    for quote in quotes.values():
        _refuse_expired(quote, at)
        if quote.state != Quote.State.SENT:
            message = _("%(quote)s is %(state)s; only an open offer can be accepted.")
            shown = {"quote": quote, "state": quote.get_state_display()}
            raise QuoteNotOpen(message % shown)
        quote.accepted_by = names[quote.pk]
    Quote.objects.bulk_update(quotes.values(), ["accepted_by"])
    fsm.move_locked(
        list(quotes.values()),
        "accept",
        at=at,
        actor_id=actor_id,
        facts_of=lambda quote: {"by": quote.accepted_by},
    )
    return [quotes[pk] for pk in accepted]


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
    for pk, moment in selectors.past_validity(at=at).values_list("pk", "moment"):  # type: ignore[misc]
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
