"""Which lines may be had by whom, which together, and what stands in for a retired product."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.catalog import services as catalog
from o2b.catalog.models import BundleOption, ProductRule, ProductVersion
from o2b.customers.models import Account, Customer
from o2b.errors import Refused
from o2b.models import Event
from orders.entry.services import enter_order
from orders.models import Order, OrderLine, Task
from orders.services import place_order
from quotes.inputs import LineInput, Offer, check_lines, check_many, translate_legacy
from quotes.models import Quote, QuoteLine
from quotes.selectors import draft_offer
from quotes.services import draft_quote, edit_quote, send_quote
from tests.factories import NOON, a_product, a_quote, a_sent_quote, an_account, monthly

pytestmark = pytest.mark.django_db

UNTIL = date(2026, 2, 28)


def amended(version: ProductVersion, **given: Any) -> ProductVersion:
    """The next version of a product, published: `options`, `rules` and columns as given."""
    options, rules = given.pop("options", ()), given.pop("rules", ())
    draft = ProductVersion.objects.create(
        product=version.product, number=version.number + 1, **given
    )
    for component, minimum, maximum in options:
        BundleOption.objects.create(
            version=draft,
            component=component.product,
            minimum=minimum,
            maximum=maximum,
            default=minimum,
        )
    for kind, other in rules:
        ProductRule.objects.create(version=draft, kind=kind, other=other.product)
    return catalog.publish_product_version(version_id=draft.pk, at=NOON)


def retire(old: ProductVersion, new: ProductVersion | None = None) -> None:
    catalog.retire_product(
        product_id=old.product_id, successor_id=new.product_id if new else None, on=UNTIL, by=None
    )


def lines(*chosen: tuple[str, int]) -> list[LineInput]:
    return [LineInput(code, count) for code, count in chosen]


def draft(account: Account, *chosen: tuple[str, int]) -> Quote:
    return draft_quote(
        account_id=account.pk,
        owner_id=account.advocate_id,
        valid_until=UNTIL,
        lines=lines(*chosen),
        at=NOON,
    )


def order(account: Account, *chosen: tuple[str, int], **given: Any) -> Order:
    fields: dict[str, Any] = {"lines": lines(*chosen), "at": NOON, "actor_id": None} | given
    return enter_order(account_id=account.pk, channel="screen", **fields)


def written() -> list[Any]:
    kinds = (Quote, QuoteLine, Order, OrderLine, Task, Event)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]


def refused(code: str, field: str, *deeds: Callable[[], object]) -> list[str]:
    """Each deed is refused with this code and field, and nothing was written."""
    messages = []
    for deed in deeds:
        before = written()
        with pytest.raises(Refused) as caught:
            deed()
        assert (caught.value.code, caught.value.field) == (code, field)
        assert written() == before
        messages.append(str(caught.value.message))
    return messages


def test_only_customers_of_its_segments_and_countries_may_have_it() -> None:
    a_product(code="phone")
    amended(
        a_product(code="scan", name="Scan"),
        eligibility={"segments": ["health"], "countries": ["DE"]},
    )
    anybody = an_account()
    messages = refused(
        "not_eligible",
        "lines[1].product",
        lambda: draft(anybody, ("phone", 1), ("scan", 1)),
        lambda: order(anybody, ("phone", 1), ("scan", 1)),
    )
    assert messages[0] == "Scan is for customers of: health. This one has no segment yet."
    clinic = an_account(segment="health")
    Customer.objects.filter(pk=clinic.customer_id).update(country="DE")
    assert draft(clinic, ("scan", 1)).lines.count() == order(clinic, ("scan", 1)).lines.count() == 1


def test_what_a_line_requires_and_excludes_is_looked_for_in_all_lines() -> None:
    office, legacy, addon = (a_product(code=code) for code in ("office", "legacy", "addon"))
    amended(addon, rules=[("requires", office), ("excludes", legacy)])
    account = an_account()
    alone = [("addon", 1)]
    refused(
        "requires",
        "lines[0].product",
        lambda: draft(account, *alone),
        lambda: order(account, *alone),
    )
    everything = [("office", 1), ("addon", 1), ("legacy", 1)]
    messages = refused(
        "excludes",
        "lines[1].product",
        lambda: draft(account, *everything),
        lambda: order(account, *everything),
    )
    assert messages[0] == "Addon cannot be had together with Legacy (legacy)."
    quote = draft(account, ("addon", 1), ("office", 1))
    change: dict[str, Any] = {"quote_id": quote.pk, "account_id": account.pk, "at": NOON}
    refused(
        "requires",
        "lines[0].product",
        lambda: edit_quote(valid_until=UNTIL, lines=lines(*alone), **change),
    )


def test_options_of_a_bundle_are_counted_over_all_lines() -> None:
    phone = a_product(code="phone")
    amended(a_product(code="office"), options=[(phone, 2, 4)])
    account = an_account()
    for count in (0, 1, 5):
        chosen = [("office", 1), *([("phone", count)] if count else [])]
        refused(
            "option_count",
            "lines[0].product",
            lambda chosen=chosen: draft(account, *chosen),
            lambda chosen=chosen: order(account, *chosen),
        )
    assert draft(account, ("phone", 3), ("office", 2), ("phone", 5)).lines.count() == 3


def test_time_has_passed_when_a_draft_is_shown_and_sent() -> None:
    account, phone = an_account(), a_product(code="phone")
    quote = a_quote(account=account, products=[phone])
    scan = amended(phone, eligibility={"segments": ["health"]})
    quote.lines.update(product_version=scan)
    refused(
        "not_eligible",
        "lines[0].product",
        lambda: send_quote(quote_id=quote.pk, at=NOON),
        lambda: draft_offer(quote, on=NOON.date()),
    )
    Customer.objects.filter(pk=account.customer_id).update(segment="health")
    assert send_quote(quote_id=quote.pk, at=NOON).state == "sent"


def test_a_retired_product_is_refused_and_its_successor_named() -> None:
    isdn, voip = a_product(code="isdn"), a_product(code="voip", name="Voice")
    account = an_account()
    waiting = a_quote(account=account, products=[isdn])
    retire(isdn, voip)
    messages = refused(
        "product_not_sold",
        "lines[0].product",
        lambda: draft(account, ("isdn", 1)),
        lambda: order(account, ("isdn", 1)),
        lambda: send_quote(quote_id=waiting.pk, at=NOON),
    )
    assert messages == ["Isdn v1 is retired; Voice (voip) has taken its place."] * 3
    retire(voip)
    (message,) = refused(
        "product_not_sold", "lines[0].product", lambda: draft(account, ("isdn", 1))
    )
    assert message == "Isdn v1 is retired, so it is not on sale."


def test_a_legacy_form_is_translated_by_the_link() -> None:
    specs = [{"name": "site"}, {"name": "channels", "type": "integer"}]
    isdn = a_product(code="isdn", characteristics=specs, charges=[monthly("60")])
    voip = a_product(code="voip", characteristics=specs[:1], charges=[monthly("20")])
    a_product(code="other")
    retire(isdn, voip)
    said = {"site": "Main", "channels": 2}
    asked = [LineInput("isdn", 3, said, legacy=True), LineInput("other", 1)]
    first, second = translate_legacy(asked)
    assert (first.product, first.characteristics, first.translated_from) == (
        "voip",
        {"site": "Main"},
        "isdn",
    )
    assert second == asked[1]
    placed = order(an_account(), lines=asked, note="By fax")
    line = placed.lines.get(position=1)
    assert (line.product_version, line.quantity) == (voip, Decimal(3))
    assert line.terms.charges.get().unit_price == Decimal("20")
    assert placed.note == "By fax\nLine 1: isdn is retired; ordered as Voip v1."
    whole = order(an_account(), ("isdn", 1), ("other", 1), translate=True)
    assert [each.product_version.product.code for each in whole.lines.order_by("position")] == [
        "voip",
        "other",
    ]


def test_without_a_successor_or_a_wish_nothing_is_translated() -> None:
    isdn, gone = a_product(code="isdn"), a_product(code="gone")
    retire(isdn, a_product(code="voip"))
    retire(gone)
    asked = [
        LineInput("isdn", 1),
        LineInput("gone", 1, legacy=True),
        LineInput("n\0ne", 1, legacy=True),
        LineInput(None, 1, "x", legacy=True),
    ]
    assert translate_legacy(asked) == asked
    refused(
        "product_not_sold",
        "lines[0].product",
        lambda: order(an_account(), lines=asked[1:2]),
    )


def test_a_quote_accepted_after_its_product_was_retired_keeps_its_terms() -> None:
    step = {"kind": "automatic", "handler": "activation", "name": "Do"}
    isdn = a_product(code="isdn", charges=[monthly("60")], tasks=[step | {"key": "old"}])
    voip = a_product(code="voip", charges=[monthly("20")], tasks=[step | {"key": "new"}])
    other = a_product(code="other")
    quote = a_sent_quote(products=[other, isdn])
    terms = quote.lines.get(position=2).terms
    retire(isdn, voip)
    placed = place_order(quote_id=quote.pk, by="Ann Hall", at=NOON)
    line = placed.lines.get(position=2)
    assert (line.terms, line.product_version) == (terms, isdn)
    assert line.terms.charges.get().unit_price == Decimal("60")
    assert line.delivery_plan.product == voip.product
    assert list(Task.objects.filter(line=line).values_list("key", flat=True)) == ["new"]
    assert placed.note == "Line 2: Isdn v1 is retired since it was offered; Voip v1 is delivered."


def test_a_newer_version_on_sale_needs_no_successor() -> None:
    isdn = a_product(code="isdn")
    quote = a_sent_quote(products=[isdn])
    amended(isdn)
    catalog.retire_product_version(version_id=isdn.pk, on=UNTIL)
    placed = place_order(quote_id=quote.pk, by="Ann Hall", at=NOON)
    assert (placed.lines.get().delivery_plan.product, placed.note) == (isdn.product, "")


def test_as_many_queries_for_many_lines_and_offers() -> None:
    phone, voip = a_product(code="phone"), a_product(code="voip")
    amended(a_product(code="office"), options=[(phone, 0, None)], rules=[("requires", phone)])
    retire(a_product(code="isdn"), voip)
    account = Account.objects.select_related("customer").get(pk=an_account().pk)
    counts = []
    for many in (1, 20):
        with CaptureQueriesContext(connection) as asked:
            check_lines(lines(*[("office", 1), ("phone", 1)] * many), account=account)
            check_many([Offer(account, lines(("office", 1), ("phone", 1)))] * many)
            translate_legacy([LineInput("isdn", 1, legacy=True)] * many)
        counts.append(len(asked))
    assert counts[0] == counts[1] == 7
