"""The line of a change order about a service as it is: what was found, and what is asked of it."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from o2b.catalog.models import Terms
from o2b.charging import LineTerms, digest
from orders.changing.services import ChangeLine
from subscriptions.rules.timeline import Span
from subscriptions.timelines.chains import Chain


def digests_of(
    spans: Iterable[Span], drawn: Mapping[int, LineTerms] | None = None
) -> dict[int, str]:
    """The names of the Terms that hold on these days, by key; also of those that are only drawn."""
    keys = {span.terms for span in spans}
    known = {key: digest(terms) for key, terms in (drawn or {}).items() if key in keys}
    return known | dict(Terms.objects.filter(pk__in=keys).values_list("pk", "digest"))


def snapshot_of(chain: Chain, now: Span, digests: Mapping[int, str]) -> dict[str, Any]:
    """What was found before the change, as it was looked at: frozen with the line."""
    item = chain.item_of(now.account)
    return {
        "item": item.number,
        "item_id": item.pk,
        "revision": chain.root.revision,
        "product_version": now.product_version,
        "quantity": str(now.quantity),
        "terms": digests[now.terms],
        "in_use": now.in_use,
    }


def line_of(
    chain: Chain, now: Span, *, action: str, on: date, digests: Mapping[int, str], **given: Any
) -> ChangeLine:
    """A line that changes nothing of what the service is but what is given."""
    ordered = chain.root.order_line
    told: dict[str, Any] = {
        "product_version_id": now.product_version,
        "delivery_plan_id": ordered.delivery_plan_id,
        "quantity": now.quantity,
        "terms_id": now.terms,
        "characteristics": chain.characteristics_on(on),
        "contract_id": ordered.contract_id,
    }
    return ChangeLine(
        action=action, change_on=on, in_service=snapshot_of(chain, now, digests), **told | given
    )
