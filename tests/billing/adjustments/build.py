"""Coupons and minimums that accounts have, and what documents say of them."""

from datetime import date
from decimal import Decimal
from typing import Any

from billing.adjustments.services.coupons import publish_coupon, write_coupon
from billing.adjustments.services.granting import grant_coupon
from billing.adjustments.services.minimums import set_minimum
from billing.models import Coupon, CouponGrant, Invoice, InvoiceAdjustment, MinimumSpend
from o2b.customers.models import Account
from tests.factories import LONG_AGO, a_user

D = Decimal


def a_coupon(value: str = "10", kind: str = "percent", **given: Any) -> Coupon:
    """Published by a second person; 10 % off everything, for ever."""
    n = Coupon.objects.count() + 1
    fields: dict[str, Any] = {
        "code": f"coupon-{n}",
        "name": f"Coupon {n}",
        "kind": kind,
        "value": value,
        "currency": "EUR" if kind == "amount" else "",
    } | given
    draft = write_coupon(by=a_user().pk, at=LONG_AGO, **fields)
    return publish_coupon(coupon_id=draft.pk, by=a_user().pk, at=LONG_AGO)


def has(account: Account, coupon: Coupon, starts_on: str = "2026-01-01") -> CouponGrant:
    return grant_coupon(
        account_id=account.pk,
        coupon_id=coupon.pk,
        reason="welcome",
        by=a_user().pk,
        at=LONG_AGO,
        starts_on=date.fromisoformat(starts_on),
    )


def committed(
    account: Account, minimum: str = "100.00", starts_on: str = "2026-01-01", **given: Any
) -> MinimumSpend:
    fields: dict[str, Any] = {"text": "Minimum spend", "months": 1, "reason": "contract 7"}
    return set_minimum(
        account_id=account.pk,
        minimum=minimum,
        starts_on=date.fromisoformat(starts_on),
        by=a_user().pk,
        at=LONG_AGO,
        **fields | given,
    )


def given_to(account: Account) -> list[tuple[str, str, str, str]]:
    """(start of the period, revision, net, tax) of each adjustment, in the order of documents."""
    rows = InvoiceAdjustment.objects.filter(account_id=account.pk).order_by(
        "invoice_id", "position"
    )
    return [(str(x.period_start), str(x.revision), f"{x.amount:.2f}", f"{x.tax:.2f}") for x in rows]


def documents(account: Account) -> list[tuple[str, str, str]]:
    """(net, tax, total) of each document."""
    found = Invoice.objects.filter(account=account).order_by("serial")
    return [(f"{i.net:.2f}", f"{i.tax:.2f}", f"{i.total:.2f}") for i in found]


def total(account: Account) -> Decimal:
    return sum((i.total for i in Invoice.objects.filter(account=account)), D(0))
