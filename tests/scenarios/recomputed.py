"""What a month costs after changes, from prices and days alone; imports the standard library only.

Each day costs (price × quantity + what was agreed) ÷ days of its month, exactly. What a service
owes under one price in one month is rounded once, half up; so is a correction of what was billed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

Service = tuple[str, str]  # the subscriber and the product that was sold
BOOK = {
    **{"phone": Decimal(20), "second-line": Decimal(5), "dsl": Decimal(25), "fibre": Decimal(50)},
    **{"online-security": Decimal(5), "online-backup": Decimal(5), "tech-support": Decimal(5)},
    **{"device-protection": Decimal(5), "streaming-tv": Decimal(10)},
    "streaming-films": Decimal(10),
}


@dataclass(frozen=True)
class Told:
    """One change of a service and the first day on which it holds.

    `quantity`: so many from then on; 0 while it is suspended, or ended. `product`: another one at
    its price in the book, under another promise.
    """

    service: Service
    on: date
    quantity: int | None = None
    product: str = ""


def month_net(
    monthly: Mapping[Service, Decimal], told: Iterable[Told], month: date
) -> dict[Service, Decimal]:
    """What each service costs in a month: what is told holds from its day until more is told.

    `monthly` is what one costs in a whole month; what lies above or below the book was agreed for
    the service as it was sold, whatever its quantity.
    """
    changes: dict[Service, list[Told]] = defaultdict(list)
    for each in sorted(told, key=lambda each: each.on):
        changes[each.service].append(each)
    return {
        service: _of_service(service[1], price - BOOK[service[1]], changes.get(service, []), month)
        for service, price in monthly.items()
    }


def _of_service(product: str, agreed: Decimal, changes: list[Told], month: date) -> Decimal:
    last = (month + timedelta(days=31)).replace(day=1)
    days = (last - month).days
    exact: dict[str, Fraction] = defaultdict(Fraction)
    day = month
    while day < last:
        quantity, now = 1, product
        for each in changes:
            if each.on <= day:
                quantity = quantity if each.quantity is None else each.quantity
                now = each.product or now
        if quantity:
            exact[now] += Fraction(BOOK[now] * quantity + (agreed if now == product else 0)) / days
        day += timedelta(days=1)
    return sum((_half_up(amount) for amount in exact.values()), Decimal(0))


def _half_up(amount: Fraction) -> Decimal:
    """To the cent; no amount here is below zero."""
    return Decimal((amount * 100 + Fraction(1, 2)).__floor__()).scaleb(-2)
