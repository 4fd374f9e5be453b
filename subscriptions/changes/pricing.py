"""What a changed service costs from a day on: resolved by contract and books, frozen as Terms."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _

from o2b.catalog.models import DeliveryPlan, ProductVersion, Terms
from o2b.catalog.resolution import Resolution
from o2b.catalog.services import freeze_terms
from o2b.charging import ChargeTerms, LineTerms, RampStep, digest, from_canonical
from o2b.customers.models import Account
from o2b.periods import add_months
from quotes.inputs import LineInput, check_lines
from quotes.selectors import price_lines
from subscriptions.changes.refusals import BillingInvalid, NoticeTooShort
from subscriptions.changes.wishes import Priced, Wish
from subscriptions.rules.prices import lasting
from subscriptions.rules.timeline import Span


class Pen(Protocol):
    """Who gives Terms their key: `Ink` freezes them, a `Pencil` only remembers what they say."""

    def key_of(self, resolution: Resolution) -> int:
        """The key of the Terms."""
        ...


class Ink:
    """Terms are frozen: the change is made."""

    def key_of(self, resolution: Resolution) -> int:
        return freeze_terms([resolution])[0].pk


class Pencil:
    """Terms that are not frozen have keys below zero: the change is only looked at."""

    def __init__(self) -> None:
        self.drawn: dict[int, LineTerms] = {}

    def key_of(self, resolution: Resolution) -> int:
        known = Terms.objects.filter(digest=digest(resolution.terms)).values_list("pk", flat=True)
        key = known.first()
        if key is None:
            key = next((k for k, t in self.drawn.items() if t == resolution.terms), None)
        if key is None:
            key = -1 - len(self.drawn)
            self.drawn[key] = resolution.terms
        return key


def priced_for(
    wish: Wish, account: Account, now: Span, version: ProductVersion, on: date, pen: Pen
) -> Priced:
    """The wished product, or the same, at the price that is valid on the day."""
    quantity = wish.quantity if wish.quantity is not None else now.quantity
    asked = LineInput(
        product=wish.product or version.product.code,
        quantity=quantity,
        characteristics=wish.characteristics or {},
        discount_percent=wish.discount_percent,
    )
    same = asked.product == version.product.code
    return _priced(account, asked, on, pen, has=now.terms if same else None)


def fee_for(product: str, account: Account, quantity: Decimal, on: date, pen: Pen) -> int:
    """The Terms of a holding fee: those of the product that is sold for it."""
    if not product:
        message = _("Name the product whose price is the holding fee.")
        raise BillingInvalid(message, field="fee_product")
    return _priced(account, LineInput(product=product, quantity=quantity), on, pen).terms_id


def _priced(
    account: Account, asked: LineInput, on: date, pen: Pen, has: int | None = None
) -> Priced:
    """What is asked at its price; who `has` the product under Terms pays nothing once again."""
    checked = check_lines([asked], account=account)
    found = price_lines(
        account=account, wanted=[line.wanted for line in checked], on=on, start_on=None
    ).resolutions[0]
    settled = replace(found, terms=settled_terms(found.terms, on))
    terms_id = pen.key_of(settled) if has is None else _again(settled, has, pen)
    return Priced(
        version_id=checked[0].product_version.pk,
        quantity=checked[0].quantity,
        terms_id=terms_id,
        characteristics=checked[0].characteristics,
        plan_id=plan_of(checked[0].product_version.product_id),
        book_version_id=found.book_version_id,
        contract_id=found.contract_id,
        why=found.why,
    )


def _again(found: Resolution, has: int, pen: Pen) -> int:
    """The Terms that hold already, where all that recurs costs the same."""
    now = from_canonical(Terms.objects.values_list("body", flat=True).get(pk=has))
    charges = lasting(found.terms.charges)
    if charges == lasting(now.charges):
        return has
    return pen.key_of(replace(found, terms=replace(found.terms, charges=charges)))


def settled_terms(terms: LineTerms, on: date) -> LineTerms:
    """Terms for a service that runs already: no second trial, and steps of a price on their days.

    Its grid begins where the service began, so that what counts from the change is told as days.
    """
    return replace(terms, charges=tuple(_settled(charge, on) for charge in terms.charges))


def _settled(charge: ChargeTerms, on: date) -> ChargeTerms:
    ramp = tuple(
        step
        if step.on is not None
        else RampStep(unit_price=step.unit_price, on=add_months(on, step.after_months or 0))
        for step in charge.ramp
    )
    return replace(charge, trial=None, ramp=ramp)


def plan_of(product_id: int) -> int:
    """The newest published plan that delivers a product."""
    plans = DeliveryPlan.objects.filter(product=product_id, state=DeliveryPlan.State.PUBLISHED)
    return plans.order_by("-number").values_list("pk", flat=True)[0]


def check_notice(*, told_on: date, on: date, days: int) -> None:
    """A price that rises is told so many days before; refuses a day that is too near."""
    if (on - told_on).days < days:
        message = _("A new price needs %(days)s days' notice.")
        raise NoticeTooShort(message % {"days": days}, field="on")
