"""Before a book is published: what is affected, what is not, and why; counted, not loaded."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.asks import Impact, ask
from o2b.catalog import services
from o2b.catalog.models import Contract, ContractPrice, Price, PriceBookVersion, ProductVersion
from o2b.people.models import User
from orders.models import OrderLine
from quotes.models import Quote
from tests.factories import (
    INSTALL,
    LONG_AGO,
    NOON,
    a_book_version,
    a_product,
    a_quote,
    a_sent_quote,
    a_user,
    an_account,
    monthly,
    setup_fee,
)
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db

D = Decimal


def a_draft(price: str = "60.00", **policy: Any) -> PriceBookVersion:
    """The default book's next version, in which what recurs costs something else."""
    editor = a_user()
    draft = services.draft_price_book_version(book="default-eur", by=editor.pk, at=NOON)
    draft.prices.filter(key="monthly").update(unit_price=D(price))
    if policy:
        services.set_policy(version_id=draft.pk, by=editor.pk, at=NOON, **policy)
    return draft


def everything() -> User:
    return a_user("administrator", is_superuser=True)


def asked(draft: PriceBookVersion, user: User | None = None) -> dict[tuple[str, str], Impact]:
    found = ask("affected_by_publication", user or everything(), draft.pk)
    return {(impact.kind, impact.reason): impact for impact in found}


def of_kind(draft: PriceBookVersion, kind: str) -> list[Impact]:
    return [impact for (each, _reason), impact in asked(draft).items() if each == kind]


def test_a_draft_quote_takes_the_new_price_and_a_sent_one_does_not() -> None:
    version = a_product(charges=[monthly("50.00"), setup_fee("10.00")])
    drafted, sent = a_quote(products=[version]), a_sent_quote(products=[version])
    moved, kept = sorted(of_kind(a_draft(), "quote"), key=lambda i: not i.affected)
    assert (moved.affected, moved.total, kept.affected, kept.total) == (True, 1, False, 1)
    (example,) = moved.examples
    assert (example.title, example.url) == (drafted.number, drafted.get_absolute_url())
    assert (example.before, example.after, example.currency) == (D(60), D(70), "EUR")
    (example,) = kept.examples
    assert (example.title, example.before, example.after) == (sent.number, D(60), D(60))


def test_a_draft_quote_that_costs_the_same_is_not_affected() -> None:
    version = a_product(charges=[monthly("60.00")])
    quote = a_quote(products=[version])
    (impact,) = of_kind(a_draft("60.00"), "quote")
    assert (impact.affected, impact.total) == (False, 1)
    (example,) = impact.examples
    assert (example.title, example.before, example.after) == (quote.number, D(60), D(60))


def negotiated(account: Any, version: ProductVersion) -> Contract:
    contract = Contract.objects.create(account=account, code="C", valid_from=date(2025, 1, 1))
    ContractPrice.objects.create(contract=contract, product=version.product, **monthly("30.00"))
    return services.sign_contract(contract_id=contract.pk, at=LONG_AGO)


def test_a_contract_wins_over_the_book() -> None:
    version, account = a_product(), an_account()
    contract = negotiated(account, version)
    a_quote(account=account, products=[version])
    draft = a_draft()
    (impact,) = of_kind(draft, "contract")
    assert (impact.affected, impact.total) == (False, 1)
    assert impact.examples[0].title.startswith("C v1")
    assert impact.examples[0].url.endswith(f"/{contract.pk}/")
    (quotes,) = of_kind(draft, "quote")
    assert (quotes.affected, quotes.total) == (False, 1)


def test_the_segments_book_goes_before_the_default() -> None:
    version = a_product()
    shelf = a_book_version(code="shelf", is_default=False, segment="s")
    Price.objects.create(version=shelf, product=version.product, **monthly("40.00"))
    services.publish_price_book_version(version_id=shelf.pk, at=LONG_AGO)
    a_quote(account=an_account(segment="s"), products=[version])
    a_quote(account=an_account(segment="other"), products=[version])
    found = {impact.affected: impact.total for impact in of_kind(a_draft(), "quote")}
    assert found == {True: 1, False: 1}


def test_a_segments_book_reaches_its_segment_only() -> None:
    version = a_product()
    shelf = a_book_version(code="shelf", is_default=False, segment="s")
    Price.objects.create(version=shelf, product=version.product, **monthly("40.00"))
    mine = a_quote(account=an_account(segment="s"), products=[version])
    a_quote(account=an_account(), products=[version])
    a_quote(account=an_account(segment="s", currency="USD"), products=[a_product(currency="USD")])
    (impact,) = of_kind(shelf, "quote")
    assert [example.title for example in impact.examples] == [mine.number]
    assert (impact.examples[0].before, impact.examples[0].after) == (D("49.90"), D(40))


def test_an_offer_that_ends_before_is_not_affected() -> None:
    version = a_product()
    a_quote(products=[version], valid_until=date(2026, 2, 28))
    draft = a_draft(policy="keep", valid_from=date(2026, 3, 1))
    (impact,) = of_kind(draft, "quote")
    assert (impact.affected, impact.total) == (False, 1)


def test_a_quote_of_other_products_is_not_named() -> None:
    a_product(code="fibre")
    dollars = a_product(code="dollars", currency="USD")
    a_quote(account=an_account(currency="USD"), products=[dollars])
    Quote.objects.update(state="draft")
    assert not asked(a_draft())


def test_a_running_order_keeps_its_terms(world: World) -> None:
    version = a_product(charges=[monthly("50.00")], tasks=INSTALL)
    world.sell(products=[version])
    draft = a_draft()
    (impact,) = of_kind(draft, "order")
    assert (impact.affected, impact.total) == (False, 1)
    assert (impact.examples[0].before, impact.examples[0].after) == (D(50), D(50))
    assert OrderLine.objects.count() == 1


@pytest.mark.parametrize(
    ("policy", "affected", "says", "after"),
    [
        ({"policy": "keep"}, False, "keeps", "100.00"),
        ({"policy": "at_renewal", "notice_days": 30}, True, "renewal, 30 days", "120.00"),
        (
            {"policy": "on_date", "policy_on": date(2026, 7, 1), "notice_days": 14},
            True,
            "14 days after notice",
            "120.00",
        ),
    ],
)
def test_what_is_in_service_follows_the_policy(
    world: World, policy: dict[str, Any], affected: bool, says: str, after: str
) -> None:
    version = a_product(charges=[monthly("50.00")])
    world.sell(products=[version], quantity="2")
    (impact,) = of_kind(a_draft(**policy), "subscription")
    assert (impact.affected, impact.total) == (affected, 1)
    assert says in impact.reason
    (example,) = impact.examples
    assert (example.before, example.after) == (D("100.00"), D(after))


def test_a_contract_keeps_what_is_in_service_from_moving(world: World) -> None:
    version = a_product(charges=[monthly("50.00")])
    world.sell(products=[version])
    negotiated(world.account, version)
    (impact,) = of_kind(a_draft(policy="at_renewal"), "subscription")
    assert (impact.affected, impact.total) == (False, 1)


def test_a_run_under_way_bills_what_was_promised(world: World) -> None:
    world.sell(products=[a_product()])
    world.bill(approve=False)
    (impact,) = of_kind(a_draft(), "run")
    assert (impact.affected, impact.total) == (False, 1)


def test_who_may_not_look_gets_the_counts_only() -> None:
    version = a_product()
    a_quote(products=[version])
    (impact,) = asked(a_draft(), a_user()).values()
    assert (impact.total, list(impact.examples)) == (1, [])


def test_counts_are_not_loaded() -> None:
    version = a_product()
    draft, user = a_draft(), everything()
    counts = []
    for made in (1, 60):
        for _n in range(made):
            a_quote(products=[version])
        with CaptureQueriesContext(connection) as queries:
            (impact,) = asked(draft, user).values()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert (impact.total, len(impact.examples)) == (61, 50)
