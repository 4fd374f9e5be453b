"""The services of an account as the editor lays them out: what each is now, and until when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.errors import Refused
from subscriptions.changes.days import period_end
from subscriptions.changes.leaving import running_of
from subscriptions.models import Commitment, Item, ServiceState
from subscriptions.rules.timeline import Span, span_on
from subscriptions.timelines.chains import Chain, chains_of


@dataclass(frozen=True, slots=True)
class Known:
    """One service on the day its account lives in: what it is, was last, or begins as."""

    item: Item
    chain: Chain
    span: Span
    version: ProductVersion
    characteristics: dict[str, Any]
    term: Commitment | None

    def next_day(self, today: date) -> date:
        """When the period that runs ends; tomorrow where none does."""
        try:
            return period_end(self.chain.last, self.chain.spans, today=today)
        except Refused:
            return today + timedelta(days=1)


def services_to_quote(account: Account) -> QuerySet[Item]:
    """What the account has and can still change: begun, not over, and no fee for leaving."""
    return (
        Item.objects.filter(account=account, anchor_on__isnull=False)
        .exclude(state=ServiceState.ENDED)
        .exclude(order_line__in_service__isnull=False, root=None)
        .select_related("product_version__product")
        .order_by("pk")
    )


def known_services(account: Account, item_ids: Collection[int], *, today: date) -> dict[int, Known]:
    """Item → the service; those that the account does not have are left out."""
    items = services_to_quote(account).in_bulk(list(set(item_ids)))
    roots = {pk: item.root_id_or_own for pk, item in items.items()}
    chains = chains_of(set(roots.values()))
    terms = running_of(set(roots.values()))
    spans = {pk: _span(chains[root].spans, today) for pk, root in roots.items()}
    versions = ProductVersion.objects.select_related("product").in_bulk(
        {span.product_version for span in spans.values() if span}
    )
    return {
        pk: Known(
            item=item,
            chain=chains[roots[pk]],
            span=span,
            version=versions[span.product_version],
            characteristics=chains[roots[pk]].characteristics_on(max(today, span.period.start)),
            term=terms.get(roots[pk]),
        )
        for pk, item in items.items()
        if (span := spans[pk]) is not None
    }


def _span(spans: list[Span], today: date) -> Span | None:
    if not spans:
        return None
    return span_on(spans, today) or (spans[0] if today < spans[0].period.start else spans[-1])
