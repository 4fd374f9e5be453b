"""Coupons are written by one person and published by a second; granted and ended with reasons."""

from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from billing.adjustments.services import refusals
from billing.adjustments.services.coupons import (
    discard_coupon,
    edit_coupon,
    publish_coupon,
    retire_coupon,
    write_coupon,
)
from billing.adjustments.services.granting import end_grant, grant_coupon
from billing.adjustments.services.minimums import end_minimum
from billing.models import Coupon, CouponGrant, CouponProduct, MinimumSpend
from o2b.catalog.services.refusals import NotADraft, SecondPersonNeeded
from tests.billing.adjustments.build import a_coupon, committed, has
from tests.factories import LONG_AGO, a_product, a_user, an_account

pytestmark = pytest.mark.django_db

SAID: dict[str, Any] = {"code": "ten", "name": "Ten", "kind": "percent", "value": "10"}


def test_who_wrote_it_does_not_publish_it() -> None:
    author, second = a_user(), a_user()
    draft = write_coupon(by=author.pk, at=LONG_AGO, **SAID)
    with pytest.raises(SecondPersonNeeded):
        publish_coupon(coupon_id=draft.pk, by=author.pk, at=LONG_AGO)
    assert Coupon.objects.get().state == "draft"
    assert publish_coupon(coupon_id=draft.pk, by=second.pk, at=LONG_AGO).state == "published"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"value": "0"}, "value"),
        ({"value": "100.5"}, "value"),
        ({"value": "1.00001"}, "value"),
        ({"value": "NaN"}, "value"),
        ({"currency": "EUR"}, "currency"),
        ({"kind": "amount"}, "currency"),
        ({"kind": "amount", "currency": "EUR", "value": "0.001"}, "value"),
        ({"kind": "gift"}, "kind"),
        ({"name": " "}, "name"),
        ({"code": "no blanks"}, "code"),
        ({"months": 2}, "months"),
        ({"periods": 0}, "periods"),
        ({"products": ["nowhere"]}, "products"),
        ({"starts_on": date(2026, 2, 1), "ends_on": date(2026, 2, 1)}, "ends_on"),
    ],
)
def test_what_no_coupon_is(said: dict[str, Any], field: str) -> None:
    with pytest.raises(refusals.CouponInvalid) as refused:
        write_coupon(by=a_user().pk, at=LONG_AGO, **SAID | said)
    assert refused.value.field == field
    assert not Coupon.objects.exists()


def test_a_draft_is_edited_and_discarded_a_published_one_is_frozen() -> None:
    product = a_product(code="line").product
    draft = write_coupon(by=a_user().pk, at=LONG_AGO, **SAID | {"products": ["line"]})
    said = {key: value for key, value in SAID.items() if key != "code"}
    edit_coupon(coupon_id=draft.pk, by=a_user().pk, at=LONG_AGO, **said | {"value": "20"})
    assert not CouponProduct.objects.exists()
    discard_coupon(coupon_id=draft.pk, by=a_user().pk, at=LONG_AGO)
    coupon = a_coupon()
    with pytest.raises(NotADraft):
        edit_coupon(coupon_id=coupon.pk, by=a_user().pk, at=LONG_AGO, **said)
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        Coupon.objects.update(value=99)
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        CouponProduct.objects.create(coupon=coupon, product=product)


def test_what_is_not_granted() -> None:
    account = an_account()
    asked = {"account_id": account.pk, "reason": "x", "by": a_user().pk, "at": LONG_AGO}
    draft = write_coupon(by=a_user().pk, at=LONG_AGO, **SAID)
    dollars = a_coupon("5", "amount", currency="USD")
    over = a_coupon("5", ends_on=date(2020, 1, 1))
    retired = a_coupon("5")
    retire_coupon(coupon_id=retired.pk, on=date(2026, 1, 1), at=LONG_AGO)
    for coupon in (draft, dollars, over, retired):
        with pytest.raises(refusals.CouponNotOnOffer):
            grant_coupon(coupon_id=coupon.pk, starts_on=date(2026, 1, 1), **asked)
    with pytest.raises(refusals.CouponInvalid):
        grant_coupon(coupon_id=a_coupon().pk, **asked | {"reason": " "})
    assert not CouponGrant.objects.exists()
    coupon = a_coupon()
    has(account, coupon)
    with pytest.raises(refusals.AlreadyGranted):
        has(account, coupon)


def test_grants_and_minimums_are_ended_once_and_never_changed() -> None:
    account = an_account()
    grant, held = has(account, a_coupon()), committed(account)
    asked: dict[str, Any] = {"reason": "over", "by": a_user().pk, "at": LONG_AGO}
    with pytest.raises(DatabaseError, match="ended once"), transaction.atomic():
        CouponGrant.objects.update(starts_on=date(2025, 1, 1))
    with pytest.raises(DatabaseError, match="ended once"), transaction.atomic():
        MinimumSpend.objects.update(minimum=1)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        CouponGrant.objects.all().delete()
    assert end_grant(grant_id=grant.pk, on=date(2026, 3, 1), **asked).ends_on == date(2026, 3, 1)
    end_minimum(minimum_id=held.pk, on=date(2026, 3, 1), **asked)
    with pytest.raises(refusals.AlreadyEnded):
        end_grant(grant_id=grant.pk, on=date(2026, 4, 1), **asked)
    with pytest.raises(refusals.AlreadyEnded):
        end_minimum(minimum_id=held.pk, on=date(2026, 4, 1), **asked)
    has(account, grant.coupon, "2026-03-01")  # again, after it ended


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"minimum": "0"}, "minimum"),
        ({"minimum": "1.234"}, "minimum"),
        ({"months": 5}, "months"),
        ({"counted": "moon"}, "counted"),
        ({"text": ""}, "text"),
        ({"reason": ""}, "reason"),
        ({"starts_on": "1900-01-01"}, "starts_on"),
    ],
)
def test_what_no_minimum_is(said: dict[str, Any], field: str) -> None:
    with pytest.raises(refusals.MinimumInvalid) as refused:
        committed(an_account(), **said)
    assert refused.value.field == field
    assert not MinimumSpend.objects.exists()
