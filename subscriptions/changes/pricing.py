"""What a changed service costs from a day on: resolved by contract and books, frozen as Terms."""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _

from o2b.catalog.models import DeliveryPlan, ProductVersion, Terms
from o2b.catalog.resolution import Resolution
from o2b.catalog.services import freeze_terms
from o2b.charging import ChargeTerms, LineTerms, RampStep, digest, from_canonical
from o2b.charging.ramps import free_until
from o2b.customers.models import Account
from o2b.periods import add_months
from quotes.inputs import LineInput, check_lines
from quotes.selectors import price_lines
from subscriptions.changes.refusals import BillingInvalid
from subscriptions.changes.wishes import Priced, Wish
from subscriptions.rules.facts import Act, standing_facts
from subscriptions.rules.prices import lasting, moved, recurs, same_price
from subscriptions.rules.timeline import Span
from subscriptions.timelines.chains import Chain


class Pen(Protocol):
    """Who gives Terms their key: `Ink` freezes them, a `Pencil` only remembers what they say.

    `drawn` are those that it only remembers, by key.
    """

    drawn: dict[int, LineTerms]

    def key_of(self, resolution: Resolution) -> int:
        """The key of the Terms."""
        ...


class Ink:
    """Terms are frozen: the change is made, or promised."""

    def __init__(self) -> None:
        self.drawn: dict[int, LineTerms] = {}

    def key_of(self, resolution: Resolution) -> int:
        return freeze_terms([resolution])[0].pk


class Pencil:
    """Terms that are not frozen have keys below zero: the change is only looked at."""

    def __init__(self, other: Pen | None = None) -> None:
        """What the `other` pen has drawn is known."""
        self.drawn: dict[int, LineTerms] = dict(other.drawn) if other else {}

    def key_of(self, resolution: Resolution) -> int:
        known = Terms.objects.filter(digest=digest(resolution.terms)).values_list("pk", flat=True)
        key = known.first()
        if key is None:
            key = next((k for k, t in self.drawn.items() if t == resolution.terms), None)
        if key is None:
            key = -1 - len(self.drawn)
            self.drawn[key] = resolution.terms
        return key


@dataclass(frozen=True, slots=True)
class Held:
    """The Terms of who has a product already: since when they hold, and when the service began."""

    terms_id: int
    terms: LineTerms
    began_on: date
    since: date


def priced_for(
    wish: Wish,
    account: Account,
    chain: Chain,
    now: Span,
    version: ProductVersion,
    on: date,
    pen: Pen,
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
    return _priced(account, asked, on, pen, has=_held(chain, now.terms, pen) if same else None)


def fee_for(product: str, account: Account, quantity: Decimal, on: date, pen: Pen) -> int:
    """The Terms of a holding fee: those of the product that is sold for it."""
    if not product:
        message = _("Name the product whose price is the holding fee.")
        raise BillingInvalid(message, field="fee_product")
    return _priced(account, LineInput(product=product, quantity=quantity), on, pen).terms_id


def _held(chain: Chain, terms_id: int, pen: Pen) -> Held:
    began_on = chain.root.anchor_on
    assert began_on is not None
    days = (span.period.start for span in chain.spans if span.terms == terms_id)
    return Held(terms_id, body_of(terms_id, pen), began_on, min(days, default=began_on))


def _priced(
    account: Account, asked: LineInput, on: date, pen: Pen, has: Held | None = None
) -> Priced:
    """What is asked at its price; who `has` the product under Terms pays nothing once again."""
    checked = check_lines([asked], account=account)
    found = price_lines(
        account=account, wanted=[line.wanted for line in checked], on=on, start_on=None
    ).resolutions[0]
    if has is None:
        terms_id = pen.key_of(replace(found, terms=settled_terms(found.terms, on)))
    else:
        terms_id = _again(found, has, on, pen)
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


def _again(found: Resolution, has: Held, on: date, pen: Pen) -> int:
    """The Terms that hold already, where all that recurs costs the same from the day on.

    Whose first steps or trial still run at the prices that are asked keeps them. Another price is
    that of who has the service already, as at a renewal; a trial that runs, runs on.
    """
    now, new = has.terms, found.terms
    asked = (lasting(new.charges), lasting(settled_terms(new, has.since).charges))
    if not recurs(now) or lasting(now.charges) in asked:
        return has.terms_id
    if same_price(new, now, on=on, began_on=has.began_on):
        return has.terms_id
    trials = {c.key: c.trial for c in now.charges if free_until(c, has.began_on) > on}
    charges = tuple(replace(charge, trial=trials.get(charge.key)) for charge in moved(new).charges)
    terms = replace(new, start_rule=now.start_rule, charges=charges)
    return pen.key_of(replace(found, terms=terms))


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


def terms_in_force(chain: Chain, on: date) -> int | None:
    """The Terms under which a service runs on a day, be it suspended for a fee or not."""
    told = [fact for fact in standing_facts(chain.facts) if fact.on <= on]
    kinds = (Act.START, Act.TERMS)
    return next((f.terms for f in reversed(told) if f.act in kinds and f.terms), None)


def body_of(terms_id: int, pen: Pen) -> LineTerms:
    """What Terms say, be they frozen or only drawn."""
    return bodies_of({terms_id}, pen)[terms_id]


def bodies_of(keys: Set[int], pen: Pen) -> dict[int, LineTerms]:
    """The same of several, by key."""
    rows = Terms.objects.filter(pk__in=keys - pen.drawn.keys()).values_list("pk", "body")
    drawn = {key: terms for key, terms in pen.drawn.items() if key in keys}
    return {pk: from_canonical(body) for pk, body in rows} | drawn
