"""Give a coupon to an account, and end it: what it has given stays."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from billing.adjustments.selectors.giving import last_given
from billing.adjustments.services.refusals import (
    AlreadyEnded,
    AlreadyGranted,
    CouponInvalid,
    CouponNotOnOffer,
    GivenAlready,
    day_of,
    reason_of,
)
from billing.models import Coupon, CouponGrant
from o2b import clock, events
from o2b.catalog.models.products import Lifecycle
from o2b.customers.models import Account
from o2b.web.show import day_text


@transaction.atomic
def grant_coupon(
    *,
    account_id: int,
    coupon_id: int,
    reason: str,
    by: int | None,
    at: datetime,
    starts_on: date | None = None,
) -> CouponGrant:
    """From `starts_on` (today) on the account has it, after those that it has already.

    A day that is over is fine: the next run gives what bills of then would have given. Refused for
    a coupon that is not published or of another currency, or that the account still has.
    """
    account = _locked_account(account_id)
    coupon = Coupon.objects.select_for_update(of=("self",), no_key=True).get(pk=coupon_id)
    if coupon.state != Lifecycle.PUBLISHED:
        message = _("%(coupon)s is %(state)s; only a published coupon is granted.")
        told = {"coupon": coupon, "state": coupon.get_state_display()}
        raise CouponNotOnOffer(message % told, field="coupon")
    if coupon.currency not in ("", account.currency):
        message = _("%(coupon)s is in %(currency)s, the account is billed in %(other)s.")
        told = {"coupon": coupon, "currency": coupon.currency, "other": account.currency}
        raise CouponNotOnOffer(message % told, field="coupon")
    starts_on = day_of(starts_on or clock.day(account, at), field="starts_on", error=CouponInvalid)
    if coupon.ends_on is not None and coupon.ends_on <= starts_on:
        message = _("%(coupon)s ends on %(day)s.")
        told = {"coupon": coupon, "day": day_text(coupon.ends_on)}
        raise CouponNotOnOffer(message % told, field="starts_on")
    if CouponGrant.objects.filter(account=account, coupon=coupon, ends_on=None).exists():
        message = _("The account has %(coupon)s already; end that first.") % {"coupon": coupon}
        raise AlreadyGranted(message, field="coupon")
    granted = CouponGrant.objects.create(
        account=account,
        coupon=coupon,
        starts_on=starts_on,
        reason=reason_of(reason, error=CouponInvalid),
        granted_by_id=by,
        granted_at=at,
    )
    facts = {"coupon": coupon.code, "starts_on": starts_on.isoformat()}
    events.record("coupon_grant.granted", granted, at=at, actor_id=by, **facts)
    return granted


@transaction.atomic
def end_grant(
    *, grant_id: int, reason: str, by: int | None, at: datetime, on: date | None = None
) -> CouponGrant:
    """Periods whose service begins on `on` or later get nothing; untold: the first day free.

    Refuses a day up to which it gave something already, or a run under way will.
    """
    found = CouponGrant.objects.only("account_id").get(pk=grant_id)
    account = _locked_account(found.account_id)
    granted = CouponGrant.objects.select_for_update(of=("self",)).get(pk=grant_id)
    if granted.ended_at is not None:
        raise AlreadyEnded(_("%(grant)s is ended already.") % {"grant": granted})
    given = last_given(granted)
    after = given + timedelta(days=1) if given else granted.starts_on
    if on is None:
        on = max(after, clock.day(account, at))
    day_of(on, field="on", error=CouponInvalid)
    if given is not None and on < after:
        message = _("It was given for the period from %(day)s, and that stays; end it after that.")
        raise GivenAlready(message % {"day": day_text(given)}, field="on")
    granted.ends_on = on
    granted.end_reason = reason_of(reason, error=CouponInvalid)
    granted.ended_by_id, granted.ended_at = by, at
    granted.save()
    events.record("coupon_grant.ended", granted, at=at, actor_id=by, on=on.isoformat())
    return granted


def _locked_account(account_id: int) -> Account:
    rows = Account.objects.select_related("test_clock")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=account_id)
