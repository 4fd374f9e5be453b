"""The demo's coupons: one that some customers have, one that waits to be published; a minimum."""

from collections.abc import Iterable
from datetime import date, datetime

from billing.adjustments.services.coupons import publish_coupon, submit_coupon, write_coupon
from billing.adjustments.services.granting import grant_coupon
from billing.adjustments.services.minimums import set_minimum
from billing.models import Coupon, CouponGrant, MinimumSpend
from o2b.customers.models import Account

WELCOME, LOYAL = "welcome", "loyal"
WELCOMED = 3  # customers


def make_offers(
    accounts: Iterable[Account], *, first: date, author_id: int, second_id: int, at: datetime
) -> None:
    """10 % off the first three months for some accounts, a minimum for the last of them."""
    if not Coupon.objects.filter(code=WELCOME).exists():
        draft = write_coupon(
            code=WELCOME,
            name="Welcome",
            kind="percent",
            value="10",
            periods=3,
            by=author_id,
            at=at,
        )
        publish_coupon(coupon_id=draft.pk, by=second_id, at=at)
    if not Coupon.objects.filter(code=LOYAL).exists():
        draft = write_coupon(
            code=LOYAL,
            name="Thank you for a year",
            kind="amount",
            value="25",
            currency="EUR",
            periods=1,
            by=author_id,
            at=at,
        )
        submit_coupon(coupon_id=draft.pk, by=author_id, at=at)
    coupon = Coupon.objects.get(code=WELCOME)
    some = [each for each in accounts if each.currency == "EUR"][:WELCOMED]
    for account in some:
        if not CouponGrant.objects.filter(account=account, coupon=coupon).exists():
            grant_coupon(
                account_id=account.pk,
                coupon_id=coupon.pk,
                starts_on=first,
                reason="New customers' offer",
                by=author_id,
                at=at,
            )
    if some and not MinimumSpend.objects.filter(account=some[-1]).exists():
        set_minimum(
            account_id=some[-1].pk,
            text="Minimum spend",
            minimum="40.00",
            months=1,
            starts_on=first,
            reason="Frame contract",
            by=author_id,
            at=at,
        )
