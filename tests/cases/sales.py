"""Real runs of what is sold: account, product, book, quote, order, subscription, bill run, invoice.

All cases share one world, so that a session pays for it once; it is rolled back when it is read.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.db import transaction
from pytest_django import DjangoDbBlocker

from billing.models import InvoiceLine
from o2b import events
from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.catalog.services import publish_price_book_version
from o2b.charging import ChargeTerms, DraftLine
from o2b.charging.terms import charge_document, details_document
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.periods import FOREVER, Period
from orders.acceptance.services import place_orders
from quotes.inputs import LineInput
from quotes.services import Draft, draft_quotes, send_quotes
from tests.billing.worlds import AT, finalised
from tests.cases.asking import Charge, Drafts
from tests.factories import LONG_AGO, a_product, a_user, an_account

Lines = Sequence[Sequence[DraftLine]]

QUANTITY_PLACES = 6
MOST = Decimal(10) ** 9  # of a quantity that can be ordered

_CURRENCY = "EUR"


def can_be_sold(asked: Drafts) -> bool:
    """Whether an order can bring about just these facts: new services that are still in use."""
    return asked.sold and all(_is_new(charge) for charge in asked.charges)


def _is_new(charge: Charge) -> bool:
    if charge.billed_until or charge.billed or charge.usage or len(charge.segments) != 1:
        return False
    period, quantity = charge.segments[0]
    tiers = charge.terms.tiers
    if tiers and tiers[-1].up_to is not None:  # no book prices only some quantities
        return False
    is_plain = not charge.terms.discounts and charge.terms.currency == _CURRENCY
    return (
        is_plain
        and 0 < quantity <= MOST
        and quantity == round(quantity, QUANTITY_PLACES)
        and period.end == FOREVER
        and period.start == charge.started_on
    )


class Sales:
    """The invoice lines of every case that is sold, found when the first is asked for."""

    def __init__(
        self, blocker: DjangoDbBlocker, sold: Mapping[str, Drafts], *, strict: bool
    ) -> None:
        self.blocker = blocker
        self.sold = sold
        self.strict = strict
        self._found: Mapping[str, Lines] | None = None
        self._fault: Exception | None = None

    def lines_of(self, case: str) -> Lines | None:
        """The lines of a case's invoice, charge by charge; a fault is the same for every case.

        None for what no catalog sells (unless `strict`): such a case stays a draft.
        """
        if self._fault is not None:
            raise self._fault
        if self._found is None:
            try:
                with self.blocker.unblock():
                    self._found = self._bill()
            except Exception as fault:
                self._fault = fault
                raise
        return self._found.get(case)

    def _bill(self) -> Mapping[str, Lines]:
        """All at once; where something is refused, all that is not refused alone."""
        try:
            return _tried(self.sold)
        except Refused:
            if self.strict:
                raise
        return _tried({case: asked for case, asked in self.sold.items() if _sells(case, asked)})


def _sells(case: str, asked: Drafts) -> bool:
    try:
        _tried({case: asked})
    except Refused:
        return False
    return True


def _tried(sold: Mapping[str, Drafts]) -> Mapping[str, Lines]:
    """Sold, billed, read, and taken back."""
    if not sold:
        return {}
    with transaction.atomic():
        found = _bill(sold)
        transaction.set_rollback(True)
    return found


def _bill(sold: Mapping[str, Drafts]) -> Mapping[str, Lines]:
    """Sell and bill everything: one quote a case, one run a day."""
    owner = a_user().pk
    products = _publish(sold)
    accounts = {case: _account(asked.charges[0]) for case, asked in sold.items()}
    drafts = [
        Draft(
            accounts[case].pk,
            owner,
            AT.date(),
            [
                LineInput(product, charge.segments[0].quantity)
                for product, charge in zip(products[case], asked.charges, strict=True)
            ],
            start_on=asked.charges[0].started_on,
        )
        for case, asked in sold.items()
    ]
    quotes = [quote.pk for quote in draft_quotes(drafts=drafts, at=AT)]
    send_quotes(quote_ids=quotes, at=AT)
    place_orders(accepted=dict.fromkeys(quotes, "the customer"), at=AT)
    events.drain()
    days: dict[date, list[int]] = {}
    for case, asked in sold.items():
        days.setdefault(asked.until, []).append(accounts[case].pk)
    for day, account_ids in days.items():
        finalised(day, account_ids=account_ids)
    return {case: _lines(accounts[case], products[case]) for case in sold}


def _publish(sold: Mapping[str, Drafts]) -> Mapping[str, list[str]]:
    """A product for each charge, all priced by one version of the default book."""
    book = PriceBook.objects.create(
        code="cases", name="Published cases", currency=_CURRENCY, is_default=True
    )
    version = PriceBookVersion.objects.create(book=book, number=1, valid_from=date(1990, 1, 1))
    codes: dict[str, list[str]] = {}
    for n, (case, asked) in enumerate(sold.items(), start=1):
        codes[case] = []
        for i, charge in enumerate(asked.charges, start=1):
            code = f"case-{n}-{i}"
            product = a_product(code=code, charges=[], quantity_places=QUANTITY_PLACES).product
            Price.objects.create(version=version, product=product, **_columns(charge.terms))
            codes[case].append(product.code)
    publish_price_book_version(version_id=version.pk, at=LONG_AGO)
    return codes


def _columns(promised: ChargeTerms) -> dict[str, object]:
    """A charge as the columns of a price."""
    document = charge_document(promised)
    unit, count = document["interval"] or ("", 1)
    plain = ("key", "kind", "model", "timing", "alignment", "proration")
    return {
        **{name: document[name] for name in plain},
        "unit_price": promised.unit_price,
        "interval_unit": unit,
        "interval_count": count,
        "tiers": document.get("tiers", []),
        "details": details_document(promised),
    }


def _account(charge: Charge) -> Account:
    return an_account(bill_day=charge.anchor_day)


def _lines(account: Account, products: Sequence[str]) -> Lines:
    """What the invoices of an account say, as a draft would say it."""
    rows = InvoiceLine.objects.filter(invoice__account=account).select_related(
        "charge__item__product_version__product", "charge__terms_charge"
    )
    found: dict[str, list[DraftLine]] = {product: [] for product in products}
    for row in rows.order_by("period_start", "segment", "revision"):
        found[row.charge.item.product_version.product.code].append(
            DraftLine(
                ref=row.charge_id,
                key=row.charge.terms_charge.key,
                period=Period(row.served_from, row.served_to),
                full_period=Period(row.period_start, row.period_end),
                segment=row.segment,
                revision=row.revision,
                quantity=row.quantity,
                amount=row.amount,
                target=row.amount,
                cause=row.cause,
            )
        )
    return [found[product] for product in products]
