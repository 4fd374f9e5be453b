"""manage.py bench_pricing: prices a second on one core, and what resolving 200 lines asks for."""

import json
import os
import platform
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from o2b.catalog.introduction import (
    Agreement,
    Offer,
    introduce_book,
    introduce_product,
    sign_agreements,
)
from o2b.catalog.resolution import Wanted, resolve
from o2b.charging import ChargeTerms, Discount, Interval, Tier, price
from o2b.customers.models import Account
from o2b.customers.opening import NewAccount, ensure_legal_entity, open_accounts

LINES, FEWER = 200, 20
BATCH = 5_000
AT = datetime(2026, 1, 1, tzinfo=UTC)
ON = date(2026, 1, 15)
TASKS = [{"key": "activate", "name": "Activate", "kind": "automatic", "handler": "activation"}]
PRIME = 99_991


class Command(BaseCommand):
    help = "Measure price() and the resolution of prices; what it writes is rolled back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=2.0, help="for each price model")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seconds"] <= 0:
            raise CommandError("--seconds is more than 0.")
        told = {
            "flat_per_s": _rate(flat(), options["seconds"]),
            "discounted_per_s": _rate(discounted(), options["seconds"]),
            "five_tier_per_s": _rate(five_tiers(), options["seconds"]),
            **resolving(),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        }
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for name, value in told.items():
            self.stdout.write(f"{name:32} {value}")


def flat() -> ChargeTerms:
    """19.90 a month, whatever the quantity."""
    return _monthly(model="flat", unit_price=Decimal("19.90"))


def discounted() -> ChargeTerms:
    """19.90 for each, less 10 percent and then 1.50."""
    off = (Discount("percent", Decimal(10)), Discount("amount", Decimal("1.50")))  # type: ignore[arg-type]
    return _monthly(model="per_unit", unit_price=Decimal("19.90"), discounts=off)


def five_tiers() -> ChargeTerms:
    """Graduated, each tier with its price and flat fee; the quantities reach all of them."""
    ends = (Decimal(10), Decimal(100), Decimal(1_000), Decimal(10_000), None)
    tiers = tuple(Tier(end, Decimal(15 - i).scaleb(-1), Decimal(i)) for i, end in enumerate(ends))
    return _monthly(model="graduated", tiers=tiers)


def _monthly(**given: Any) -> ChargeTerms:
    fields: dict[str, Any] = {
        "key": "monthly",
        "kind": "recurring",
        "unit_price": Decimal(0),
        "currency": "EUR",
        "interval": Interval("month", 1),  # type: ignore[arg-type]
        "timing": "advance",
        "alignment": "bill_day",
        "proration": "day",
    }
    return ChargeTerms(**fields | given)


def _rate(charge: ChargeTerms, seconds: float) -> int:
    """Calls a second; quantities differ within a batch and are made outside of the time taken."""
    spent, calls = 0.0, 0
    for batch in _batches():
        began = time.perf_counter()
        for quantity in batch:
            price(charge, quantity)
        spent += time.perf_counter() - began
        calls += len(batch)
        if spent >= seconds:
            break
    return int(calls / spent)


def _batches() -> Iterator[list[Decimal]]:
    """Quantities from 0.1 to 9,999.1, and a hundredfold, none twice in a batch."""
    for turn in count():
        yield [Decimal((n * 7919 + turn) % PRIME).scaleb(-1 if n % 2 else 0) for n in range(BATCH)]


def resolving() -> dict[str, Any]:
    """Queries and milliseconds of resolving few and many lines of an account under contract."""
    with transaction.atomic():
        account, wanted = a_catalog()
        few = _queries(account, wanted[:FEWER])
        many = _queries(account, wanted)
        began = time.perf_counter()
        resolve(account=account, wanted=wanted, on=ON)
        milliseconds = (time.perf_counter() - began) * 1000
        transaction.set_rollback(True)
    return {
        f"resolve_{FEWER}_lines_queries": few,
        f"resolve_{LINES}_lines_queries": many,
        f"resolve_{LINES}_lines_ms": round(milliseconds, 1),
    }


def a_catalog() -> tuple[Account, list[Wanted]]:
    """As many products as lines, a book of its own segment, an account with a contract."""
    entity = ensure_legal_entity(code="bench-pricing", name="Bench", country="DE", currency="EUR")
    advocate = get_user_model().objects.create(username="bench-pricing", is_active=False)
    new = NewAccount("bench-pricing", "Bench", advocate.pk, segment="bench-pricing")
    account = open_accounts(entity=entity, wanted=[new])[0]
    versions = [
        introduce_product(code=f"bench-{n:03}", name=f"Bench {n}", tasks=TASKS, at=AT)
        for n in range(LINES)
    ]
    offers = [
        Offer(version.product, "monthly", "recurring", Decimal(n), interval_unit="month")
        for n, version in enumerate(versions, start=1)
    ]
    introduce_book(
        code="bench-pricing",
        name="Bench",
        currency="EUR",
        valid_from=AT.date(),
        offers=offers,
        at=AT,
        segment="bench-pricing",
    )
    off = [("percent", Decimal(10)), ("amount", Decimal("5.00"))]
    agreement = Agreement(account, "bench-pricing", AT.date(), discounts=off)
    sign_agreements(agreements=[agreement], at=AT)
    return account, [Wanted(version, Decimal(1)) for version in versions]


def _queries(account: Account, wanted: list[Wanted]) -> int:
    with CaptureQueriesContext(connection) as asked:
        found = resolve(account=account, wanted=wanted, on=ON)
    if len(found) != len(wanted):
        raise CommandError("not every line was resolved.")
    return len(asked)
