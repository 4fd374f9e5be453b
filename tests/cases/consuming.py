"""What a case says was used, as events: ingest, totals, and only then a run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from o2b.catalog.models import Meter, MeterVersion, ProductVersion
from o2b.charging import Aggregation, Model
from o2b.customers.models import Account
from subscriptions.models import Item
from subscriptions.usage.rules.told import Told
from subscriptions.usage.services import take_usage
from tests.cases.asking import Charge
from tests.cases.lives import Deed, Life
from tests.factories import LONG_AGO

SOURCE = "cases"
BY_EVENT = (Model.RATED, Model.PERCENTAGE)
NOON = time(12)


@dataclass(eq=False)
class Service:
    """A life with a product for each of its charges; `told` is what its item was told, by row.

    `payers` pay a part of it, as its first charge says.
    """

    life: Life
    account: Account
    products: list[ProductVersion]
    payers: list[Account] = field(default_factory=list)
    item: int = 0
    told: dict[Deed, int] = field(default_factory=dict)

    @property
    def accounts(self) -> list[Account]:
        """Who is billed: the customer, then who pays a part."""
        return [self.account, *self.payers]


def a_meter_for(charge: Charge, code: str) -> str:
    """A meter of its own for a charge: by event where its price asks for events."""
    by_event = charge.terms.model in BY_EVENT or any(each.events for each in charge.usage)
    said = (charge.more or {}).get("aggregation")
    aggregation = said or (Aggregation.EACH if by_event else Aggregation.SUM)
    rates = charge.terms.event
    # Which events are the first ones says their time.
    timed = rates is not None and bool(rates.free_events or rates.free_amount)
    timed = timed or any(event.at for used in charge.usage for event in used.events)
    meter = Meter.objects.create(code=code, name=code, unit="unit", aggregation=aggregation)
    version = MeterVersion(
        meter=meter,
        number=1,
        starts_on=date(1990, 1, 1),
        decimals=12,
        least=-(Decimal(10) ** 15),
        most=Decimal(10) ** 15,
        timed=timed and aggregation == Aggregation.EACH,
    )
    version.publish(at=LONG_AGO)
    version.save()
    return code


def use(services: Iterable[Service], *, late: bool = False) -> None:
    """Send what each service used, or what was told late of it.

    Whatever is not counted is a fault of the case's adapter.
    """
    items = Item.objects.in_bulk([each.item for each in services])
    for service in services:
        events = list(_events(service, items[service.item].number, late=late))
        if events:
            last = max(event.time for event in events if event.time)
            answers = take_usage(events, at=last + timedelta(days=1)).answers
            wrong = [answer for answer in answers if answer.status != "accepted"]
            assert not wrong, wrong


def _events(service: Service, subject: str, *, late: bool) -> Iterator[Told]:
    zone = ZoneInfo(service.account.time_zone)
    for product, charge in zip(service.products, service.life.charges, strict=True):
        for n, used in enumerate(charge.late if late else charge.usage):
            told = [(event.value, event.at) for event in used.events] or [(used.quantity, None)]
            for k, (value, at) in enumerate(told):
                moment = datetime.combine(used.day, at.time() if at else NOON)
                moment += timedelta(seconds=0 if at else k)
                yield Told(
                    id=f"{product.pk}-{'late' if late else 'used'}-{n}-{k}",
                    source=SOURCE,
                    meter=product.product.code,
                    subject=subject,
                    time=moment.replace(tzinfo=zone),
                    value=value,
                )
