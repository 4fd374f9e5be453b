"""Send a quote of changes: its prices are frozen, and what it brings is kept as it was shown."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from o2b import clock
from o2b.asks import ask
from quotes.changing import PromisedChanges, PromisedLine
from quotes.models import Quote
from quotes.selectors import PricedLines
from subscriptions.changes.preview import ServicePreview
from subscriptions.changes.pricing import Ink
from subscriptions.models import QuotedChange, QuotedDelta
from subscriptions.quoting.delta import body_of
from subscriptions.quoting.drafting import check_days
from subscriptions.quoting.inputs import read
from subscriptions.quoting.planning import Days, Planned, plan
from subscriptions.quoting.reckoning import reckon


def promise(*, quote: Quote, added: PricedLines, at: datetime) -> PromisedChanges:
    """Freeze the Terms of every change and keep the delta; refuses as ordering would."""
    account = quote.account
    check_days(account, valid_until=quote.valid_until, start_on=quote.start_on, at=at)
    assert quote.start_on is not None
    quoted = list(
        QuotedChange.objects.filter(line__quote=quote)
        .select_related("line")
        .order_by("line__position")
    )
    today = clock.day(account, at)
    days = Days(quote.start_on, quote.valid_until, today)
    planned = plan(account, [read(each) for each in quoted], days)
    reckoned = reckon(
        account=account,
        planned=planned,
        added=added if added.resolutions else None,
        on=quote.start_on,
        today=today,
        at=at,
        billed=lambda items: ask("billed_so_far", items),
        pen=Ink(),
    )
    delta = reckoned.delta
    lines = []
    for each, kept in zip(planned, quoted, strict=True):
        service = reckoned.services.get(each.index)
        fee = service.basis.fee if service else None
        kept.revision, kept.on = each.chain.root.revision, each.on
        kept.fee = fee.amount if fee else Decimal(0)
        lines.append(_promised(each, kept.line_id, service))
    QuotedChange.objects.bulk_update(quoted, ["revision", "on", "fee"])
    QuotedDelta.objects.update_or_create(quote=quote, defaults={"body": body_of(delta)})
    return PromisedChanges(lines, delta.monthly.amount, delta.once)


def _promised(planned: Planned, line_id: int, service: ServicePreview | None) -> PromisedLine:
    """What the service is after the change, under which Terms."""
    if service is not None:
        line, why = service.carried.line, [dict(each) for each in service.carried.why]
        return PromisedLine(
            line_id=line_id,
            product_version_id=line.product_version_id,
            quantity=line.quantity,
            characteristics=line.characteristics,
            terms_id=line.terms_id,
            book_version_id=line.book_version_id,
            contract_id=line.contract_id,
            why=why or _as_agreed(),
        )
    chain, now = planned.chain, planned.now
    return PromisedLine(
        line_id=line_id,
        product_version_id=now.product_version,
        quantity=now.quantity,
        characteristics=chain.characteristics_on(planned.on),
        terms_id=now.terms,
        book_version_id=None,
        contract_id=chain.root.order_line.contract_id,
        why=_as_agreed(),
    )


def _as_agreed() -> list[dict[str, object]]:
    reason = _("the service keeps the Terms that hold")
    return [{"source": _("as agreed"), "won": True, "reason": reason}]
