"""As of a day, as known on another: which versions a page, a panel or an answer goes by."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import DateField, DateTimeField, F, Func, Value
from django.db.models.functions import Cast, Coalesce

from o2b import clock
from o2b.customers.models import Account
from subscriptions.models import ItemVersion

A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """The day that is looked at, and until which moment what was recorded counts; None: all."""

    on: date
    today: date
    known_on: date | None = None
    until: datetime | None = None

    @property
    def is_now(self) -> bool:
        """Today, with all that is known."""
        return self.on == self.today and self.until is None

    def knows(self, version: ItemVersion) -> bool:
        """Whether the version had been recorded by then."""
        since = version.recorded.lower
        return self.until is None or since is None or since <= self.until

    def believes(self, version: ItemVersion) -> bool:
        """Whether the version was what one believed then."""
        if self.until is None:
            return version.recorded.upper is None
        return self.until in version.recorded


def look_at(
    account: Account, *, on: date | None, known_on: date | None, machine_now: datetime
) -> Look:
    """As of a day, as known at the end of another one, both where the account lives.

    Moments of recording are the machine's, even where the account stands under a test clock.
    """
    today = clock.day(account, account.test_now or machine_now)
    until = None
    if known_on is not None and known_on < clock.day(account, machine_now):
        until = end_of(known_on, account.time_zone) - A_MOMENT
    return Look(on or today, today, known_on if until else None, until)


def end_of(day: date, time_zone: str) -> datetime:
    """The first moment after a day."""
    return datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(time_zone))


def its_day(machine_now: datetime, *, account: str = "account") -> Cast:
    """Today where the account of a row lives, for a query."""
    its_now = Coalesce(F(f"{account}__test_clock__now"), Value(machine_now))
    zone = F(f"{account}__time_zone")
    local = Func(zone, its_now, function="timezone", output_field=DateTimeField())
    return Cast(local, DateField())
