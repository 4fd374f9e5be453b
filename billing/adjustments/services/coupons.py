"""Write coupons: a draft by one person, published by a second, granted no more once retired."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from billing.adjustments.services.refusals import (
    CouponExists,
    CouponInvalid,
    amount_of,
    day_of,
    number_of,
    text_of,
)
from billing.models import Coupon, CouponProduct
from billing.models.coupons import CouponKind, Every
from o2b import events
from o2b.catalog.models import Product
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.services.publishing import publish, submit
from o2b.catalog.services.refusals import NotADraft
from o2b.money import is_currency

MOST_PERIODS = 1200
PERCENT_PLACES = 4


@transaction.atomic
def write_coupon(
    *,
    code: str,
    name: str,
    kind: str,
    value: Decimal | str,
    by: int | None,
    at: datetime,
    currency: str = "",
    months: int = 1,
    periods: int | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    products: Sequence[str] = (),
) -> Coupon:
    """A coupon as a draft: a percentage, or an amount in a currency for each period of `months`.

    `products` are codes; none: everything. Refuses by field.
    """
    if Coupon.objects.filter(code=code).exists():
        message = _("There is a coupon “%(code)s” already.") % {"code": code}
        raise CouponExists(message, field="code")
    draft = Coupon(code=code, created_at=at)
    _fill(draft, name, kind, value, currency, months, periods, starts_on, ends_on)
    return _keep(draft, products, by, at, "coupon.written")


@transaction.atomic
def edit_coupon(
    *,
    coupon_id: int,
    name: str,
    kind: str,
    value: Decimal | str,
    by: int | None,
    at: datetime,
    currency: str = "",
    months: int = 1,
    periods: int | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    products: Sequence[str] = (),
) -> Coupon:
    """Write a draft anew; who does cannot publish it. A submission begins anew."""
    draft = _locked(coupon_id)
    _refuse_no_draft(draft, _("only a draft can be changed"))
    _fill(draft, name, kind, value, currency, months, periods, starts_on, ends_on)
    return _keep(draft, products, by, at, "coupon.edited")


@transaction.atomic
def submit_coupon(*, coupon_id: int, by: int, at: datetime) -> Coupon:
    """Ask for the second person."""
    coupon = submit(Coupon, pk=coupon_id, by=by, at=at)
    events.record("coupon.submitted", coupon, at=at, actor_id=by)
    return coupon


@transaction.atomic
def publish_coupon(*, coupon_id: int, at: datetime, by: int | None = None) -> Coupon:
    """Freeze a draft: it may be granted now. `by` is somebody else than who wrote it."""
    coupon = publish(Coupon, pk=coupon_id, at=at, by=by)
    events.record("coupon.published", coupon, at=at, actor_id=by)
    return coupon


@transaction.atomic
def discard_coupon(*, coupon_id: int, by: int, at: datetime) -> None:
    """Throw a draft away."""
    draft = _locked(coupon_id)
    _refuse_no_draft(draft, _("only a draft can be thrown away"))
    events.record("coupon.discarded", draft, at=at, actor_id=by, code=draft.code)
    draft.delete()


@transaction.atomic
def retire_coupon(*, coupon_id: int, on: date, at: datetime, by: int | None = None) -> Coupon:
    """Grant it to nobody any more; who has it keeps it."""
    coupon = _locked(coupon_id)
    try:
        coupon.retire(on=on)
    except TransitionNotAllowed as exc:
        message = _("%(coupon)s is %(state)s; only a published one retires.")
        told = {"coupon": coupon, "state": coupon.get_state_display()}
        raise NotADraft(message % told) from exc
    coupon.save()
    events.record("coupon.retired", coupon, at=at, actor_id=by, on=on.isoformat())
    return coupon


def _locked(coupon_id: int) -> Coupon:
    return Coupon.objects.select_for_update(of=("self",)).get(pk=coupon_id)


def _refuse_no_draft(coupon: Coupon, why: str) -> None:
    if coupon.state != Lifecycle.DRAFT:
        told = {"coupon": coupon, "state": coupon.get_state_display(), "why": why}
        raise NotADraft(_("%(coupon)s is %(state)s; %(why)s.") % told)


def _fill(
    draft: Coupon,
    name: str,
    kind: str,
    value: Decimal | str,
    currency: str,
    months: int,
    periods: int | None,
    starts_on: date | None,
    ends_on: date | None,
) -> None:
    wanted = _("Say what the customer reads on the bill.")
    draft.name = text_of(name, field="name", most=120, wanted=wanted, error=CouponInvalid)
    if kind not in CouponKind.values:
        raise CouponInvalid(_("Choose percent or a fixed amount."), field="kind")
    if months not in Every.values:
        raise CouponInvalid(_("Choose a month, a quarter or a year."), field="months")
    if periods is not None and not 1 <= periods <= MOST_PERIODS:
        message = _("For 1 to %(most)s periods, or for ever.") % {"most": MOST_PERIODS}
        raise CouponInvalid(message, field="periods")
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if day is not None:
            day_of(day, field=field, error=CouponInvalid)
    if starts_on and ends_on and ends_on <= starts_on:
        raise CouponInvalid(_("It ends before it starts."), field="ends_on")
    draft.kind, draft.months, draft.periods = kind, months, periods
    draft.starts_on, draft.ends_on = starts_on, ends_on
    draft.value, draft.currency = _value(kind, value, currency)


def _value(kind: str, value: Decimal | str, currency: str) -> tuple[Decimal, str]:
    if kind == CouponKind.AMOUNT:
        if not is_currency(currency):
            message = _("An amount needs a currency, such as EUR.")
            raise CouponInvalid(message, field="currency")
        return amount_of(value, currency, field="value", error=CouponInvalid), currency
    if currency:
        raise CouponInvalid(_("A percentage is of any currency: leave it out."), field="currency")
    percent = number_of(value, field="value", error=CouponInvalid)
    if percent > 100:
        raise CouponInvalid(_("At most 100 percent."), field="value")
    if percent != round(percent, PERCENT_PLACES):
        message = _("At most %(n)s decimals.") % {"n": PERCENT_PLACES}
        raise CouponInvalid(message, field="value")
    return percent, ""


def _keep(
    draft: Coupon, products: Sequence[str], by: int | None, at: datetime, news: str
) -> Coupon:
    try:
        draft.clean_fields(exclude=["state", "prepared_by", "published_by"])
    except ValidationError as exc:
        field, said = next(iter(exc.message_dict.items()))
        raise CouponInvalid(said[0], field=field) from exc
    wanted = sorted(set(products))
    found = {each.code: each for each in Product.objects.filter(code__in=wanted)}
    unknown = [code for code in wanted if code not in found]
    if unknown:
        message = _("There is no product %(code)s.") % {"code": unknown[0]}
        raise CouponInvalid(message, field="products")
    draft.prepared_by_id, draft.submitted_at = by, None
    draft.save()
    draft.products.all().delete()
    CouponProduct.objects.bulk_create(
        CouponProduct(coupon=draft, product=found[code]) for code in wanted
    )
    events.record(news, draft, at=at, actor_id=by, code=draft.code)
    return draft
