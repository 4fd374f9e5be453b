"""A book whose prices leave values of dimensions over says so before it is published."""

from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog import services
from o2b.catalog.models import Price
from tests.factories import NOON, a_meter, a_product, a_user, monthly

pytestmark = pytest.mark.django_db

ZONE = {"name": "zone", "required": True, "choices": ["national", "mobile", "moon"]}
PEAK = {"name": "peak", "choices": ["yes", "no"]}
ANY = {"name": "carrier", "required": True}


def warned(*wheres: dict[str, list[str]] | None, dimensions: list[dict[str, Any]]) -> list[str]:
    """The warnings of a draft in which a phone's calls have these prices."""
    a_meter("calls", dimensions=dimensions)
    phone = a_product(code="phone", charges=[monthly()])
    draft = services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON)
    for n, where in enumerate(wheres):
        Price.objects.create(
            version=draft,
            product=phone.product,
            key=f"calls-{n}",
            kind="usage",
            unit_price=Decimal("0.01"),
            interval_unit="month",
            timing="arrears",
            details={"meter": "calls"} | ({"where": where} if where else {}),
        )
    found = services.warnings_of_book_version(draft)
    services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    return [services.fault_in_words(each) for each in found]


@pytest.mark.parametrize(
    ("wheres", "dimensions", "what"),
    [
        ([{"zone": ["national"]}], [ZONE], "zone=mobile, zone=moon"),
        ([{"zone": ["national"]}, {"zone": ["mobile", "moon"]}], [ZONE], ""),
        ([{"zone": ["national"]}, None], [ZONE], ""),
        ([None], [ZONE], ""),
        ([{"carrier": ["a"]}], [ANY], "carrier=*"),
        ([{"peak": ["yes"]}, {"peak": ["no"]}], [PEAK], "peak=–"),
        (
            [{"zone": ["national"]}, {"zone": ["mobile", "moon"], "peak": ["yes", "no"]}],
            [ZONE, PEAK],
            "peak=–; zone=mobile, peak=–; zone=moon",
        ),
    ],
)
def test_what_no_price_is_for_is_warned_of(
    wheres: list[Any], dimensions: list[dict[str, Any]], what: str
) -> None:
    found = warned(*wheres, dimensions=dimensions)
    assert len(found) == bool(what)
    for text in found:
        assert f"usage of meter calls with {what} is counted, and no price is for it" in text
