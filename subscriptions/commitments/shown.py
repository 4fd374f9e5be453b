"""Renewals as people read them: whose, when, what comes then, and the price now and then."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion, Terms
from o2b.catalog.resolution import period_price
from o2b.charging import ChargeTerms, from_canonical
from o2b.customers.models import Account
from o2b.money import quantise
from o2b.web.show import money_text
from subscriptions.commitments.selectors import renewal_of
from subscriptions.commitments.services.pricing import Repriced, Repricing, reprice
from subscriptions.commitments.services.renewal import agreed_for
from subscriptions.models import Commitment, PriceMove, Renewal
from subscriptions.rules.prices import in_force_on, lasting
from subscriptions.rules.timeline import Span, span_on
from subscriptions.timelines.chains import Chain, chains_of

CHUNK = 500


class Shown:
    """Rows of a query with all that a page shows of them, in as many queries for many as for one.

    It is what a list streams as CSV.
    """

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows

    def iterator(self, chunk_size: int) -> Iterator[Any]:
        found = self.rows.iterator(chunk_size=chunk_size)
        while chunk := list(islice(found, CHUNK)):
            yield from dress(chunk)


def dress(rows: Sequence[Any]) -> Sequence[Any]:
    """Give each row its account, service, product, and what a full period costs now and then."""
    related = ("customer", "advocate", "test_clock")
    accounts = Account.objects.select_related(*related).in_bulk({row.holder for row in rows})
    chains = chains_of({row.item_id for row in rows})
    facing = {row.item_id: _facing(chains[row.item_id], row.due_on) for row in rows}
    spans = [span for span in facing.values() if span]
    versions = ProductVersion.objects.select_related("product").in_bulk(
        {span.product_version for span in spans}
    )
    bodies = dict(Terms.objects.filter(pk__in={s.terms for s in spans}).values_list("pk", "body"))
    charges = {pk: lasting(from_canonical(body).charges) for pk, body in bodies.items()}
    for row in rows:
        row.account = accounts[row.holder]
        row.service = chains[row.item_id].item_of(row.holder)
        row.renewal = renewal_of(row.commitment, row.account)
        uplifts = row.renewal == Renewal.UPLIFT
        row.uplift_percent = row.commitment.uplift_percent if uplifts else Decimal(0)
        row.notice_on = row.due_on - timedelta(days=row.commitment.notice_days)
        span = facing[row.item_id]
        row.product = versions[span.product_version].product if span else None
        row.before = _costs(charges[span.terms], span, row, chains) if span else None
        row.after = None if row.renewal == Renewal.END else row.before
    _price_then(rows, chains, facing)
    for row in rows:
        row.before = _to_the_cent(row.before, row.account.currency)
        row.after = _to_the_cent(row.after, row.account.currency)
    return rows


def _to_the_cent(amount: Decimal | None, currency: str) -> Decimal | None:
    """As a bill would say it; an uplifted unit price has up to eight places."""
    return None if amount is None else quantise(amount, currency)


def _facing(chain: Chain, day: date) -> Span | None:
    spans = chain.spans
    return span_on(spans, day) or (spans[-1] if spans else None)


def _price_then(
    rows: Sequence[Any], chains: dict[int, Chain], facing: dict[int, Span | None]
) -> None:
    told = PriceMove.objects.filter(item__in=list(chains), at_renewal=True, settled_on=None)
    moves: dict[tuple[int, int], date] = {}
    for item, account, on in told.order_by("-moves_on").values_list("item", "account", "moves_on"):
        moves[item, account] = on
    asking = []
    for row in rows:
        kind, span, chain = row.renewal, facing[row.item_id], chains[row.item_id]
        moves_on = moves.get((row.item_id, row.holder)) if row.account.is_open else None
        moved = (
            kind in (Renewal.SAME, Renewal.MONTHLY)
            and moves_on is not None
            and moves_on <= row.due_on
        )
        asks = moved or kind in (Renewal.UPLIFT, Renewal.CURRENT)
        if span and asks and not agreed_for(chain, row.due_on):
            uplift = row.commitment.uplift_percent if kind == Renewal.UPLIFT else None
            asking.append((row, Repricing(chain, row.account, span, row.due_on, uplift)))
    for (row, each), answer in zip(asking, reprice([e for _r, e in asking]), strict=True):
        if isinstance(answer, Exception):
            row.after = None
        elif isinstance(answer, Repriced) and answer.resolution:
            row.after = _costs(answer.resolution.terms.charges, each.now, row, chains)


def _costs(
    charges: Iterable[ChargeTerms], span: Span, row: Any, chains: dict[int, Chain]
) -> Decimal | None:
    """A full period at the prices to which the charges have stepped by the day of the renewal."""
    began_on = chains[row.item_id].root.anchor_on or row.due_on
    return period_price(in_force_on(charges, row.due_on, began_on=began_on), span.quantity)


def price_words(row: Any) -> str:
    """'€30.00 → €33.00'; only one where nothing moves."""
    currency = row.account.currency
    before = money_text(row.before, currency)
    if row.renewal == Renewal.END:
        return f"{before} → {_('ends')}"
    if row.after is None:
        return f"{before} → {_('no price')}"
    return before if row.after == row.before else f"{before} → {money_text(row.after, currency)}"


def kind_words(row: Any) -> str:
    """'renews with an uplift of 3.5 %'."""
    words = str(row.renewal.label)
    if row.renewal != Renewal.UPLIFT:
        return words
    told = {"words": words, "percent": percent(row.commitment)}
    return _("%(words)s of %(percent)s %%") % told


def percent(commitment: Commitment) -> str:
    """The uplift without zeros that say nothing; empty where there is none."""
    value = commitment.uplift_percent
    return f"{value.normalize():f}" if value else ""


def standing(row: Any) -> str:
    """Whether it waits, failed, or just comes."""
    if row.fault:
        return "failed"
    return "waiting" if row.waits else "comes"


def standing_words(row: Any) -> str:
    said = {"failed": _("could not be renewed"), "waiting": _("waits: suspended")}
    return said.get(standing(row), _("planned"))


def standing_tone(row: Any) -> str:
    return {"failed": "bad", "waiting": "warn"}.get(standing(row), "")
