"""(MONEY) A new price book is published while a quote is open, an order runs, a subscription bills.

All three stay what they were, byte for byte: only what is quoted afterwards costs the new price.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from billing.models import DraftInvoice, DraftLine
from billing.runs.services import cancel_run
from o2b.asks import ask
from o2b.catalog import services
from o2b.catalog.models import PriceBookVersion, Terms
from orders.models import OrderLine
from quotes.models import Quote
from quotes.selectors import offer
from tests.factories import INSTALL, a_product, a_user, monthly, setup_fee
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db

TIERS = [
    {"up_to": "10", "unit_price": "20"},
    {"up_to": None, "unit_price": "18.5", "flat_fee": "5"},
]
DEARER = [{"up_to": None, "unit_price": "99"}]
NOT_THE_SAME_RUN = {"id", "run_id", "shard_id", "invoice_id"}


@dataclass(frozen=True)
class Seals:
    """SHA-256 over what the customer holds, what is being delivered, what will be billed next."""

    quote: str
    order_lines: str
    next_invoice: str


def seal(said: object) -> str:
    return sha256(repr(said).encode()).hexdigest()


def rows(found: Iterable[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return [
        sorted((name, value) for name, value in row.items() if name not in NOT_THE_SAME_RUN)
        for row in found
    ]


def seals(world: World, quote: Quote) -> Seals:
    """Everything as it stands; the next invoice is drafted, looked at and thrown away."""
    run = world.bill("2026-03-01", approve=False)
    drafts = rows(DraftInvoice.objects.filter(run_id=run.pk).order_by("account_id").values())
    lines = DraftLine.objects.filter(run_id=run.pk).order_by("account_id", "position", "charge_id")
    assert drafts
    invoice = seal((drafts, rows(lines.values())))
    cancel_run(run_id=run.pk, actor_id=world.opener.pk, at=world.now)
    world.settle()
    return Seals(
        quote=seal((offer(quote.pk), rows(Quote.objects.filter(pk=quote.pk).values()))),
        order_lines=seal(
            [
                rows(OrderLine.objects.order_by("pk").values()),
                list(Terms.objects.order_by("pk").values_list("digest", "body")),
            ]
        ),
        next_invoice=invoice,
    )


def publish_other_prices(world: World, policy: str) -> PriceBookVersion:
    """A product manager writes a new version, a second one publishes it."""
    manager, second = a_user(), a_user()
    draft = services.draft_price_book_version(book="default-eur", by=manager.pk, at=world.now)
    recurring = draft.prices.get(key="monthly")
    setup = draft.prices.get(key="setup")
    changes = [
        {"id": recurring.pk, "tiers": DEARER, "details": {"minimum": "500"}},
        {"id": setup.pk, "unit_price": "1000.00"},
    ]
    at = world.now
    assert not services.edit_prices(version_id=draft.pk, by=manager.pk, at=at, rows=changes)
    services.set_policy(
        version_id=draft.pk,
        by=manager.pk,
        at=at,
        policy=policy,
        policy_on=world.today if policy == "on_date" else None,
        valid_from=world.today,
    )
    services.submit_price_book_version(version_id=draft.pk, by=manager.pk, at=at)
    return services.publish_price_book_version(version_id=draft.pk, by=second.pk, at=at)


@pytest.mark.parametrize("policy", ["keep", "at_renewal", "on_date"])
def test_a_new_price_book_moves_nothing_that_was_promised(world: World, policy: str) -> None:
    tiered = monthly("0.00", model="graduated", tiers=TIERS)
    product = a_product(charges=[tiered, setup_fee("99.00")], tasks=INSTALL)
    world.on("2026-01-01").sell(products=[product], quantity="12")
    world.deliver_by_hand()
    world.bill("2026-01-31")
    world.on("2026-02-10").sell(products=[product], quantity="3")
    sent = world.quote(products=[product], quantity="7")
    assert world.line_states() == ["completed", "scheduled"]

    before = seals(world, sent)
    publish_other_prices(world, policy)
    after = seals(world, sent)

    assert after == before
    dearer = world.quote(products=[product], quantity="7")
    assert (dearer.monthly_total, dearer.one_time_total) == (Decimal(693), Decimal(7000))
    sent.refresh_from_db()
    assert (sent.monthly_total, sent.one_time_total) == (Decimal(140), Decimal(693))


def test_the_impact_says_so_beforehand(world: World) -> None:
    product = a_product(charges=[monthly("10.00")], tasks=INSTALL)
    world.on("2026-01-01").sell(products=[product])
    world.deliver_by_hand()
    world.sell(products=[product])
    world.quote(products=[product])
    manager = a_user(is_superuser=True)
    draft = services.draft_price_book_version(book="default-eur", by=manager.pk, at=world.now)
    draft.prices.update(unit_price=99)

    found = ask("affected_by_publication", manager, draft.pk)

    assert {impact.kind: (impact.affected, impact.total) for impact in found} == {
        "quote": (False, 1),
        "order": (False, 1),
        "subscription": (False, 1),
    }
    assert all(each.before == each.after == 10 for impact in found for each in impact.examples)
