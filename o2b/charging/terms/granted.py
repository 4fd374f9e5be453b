"""What a charge brings along beside its own service: units of a pool, or prepaid money."""

from dataclasses import dataclass
from decimal import Decimal

from o2b.charging.terms.checks import TermsInvalid, check_count, check_positive, check_truth
from o2b.charging.terms.measured import METER
from o2b.periods import Interval, Unit

MOST_PRIORITY = 1000
DEFAULT_PRIORITY = 100
_LONGEST = {Unit.DAY: 36_500, Unit.WEEK: 5_200, Unit.MONTH: 1_200, Unit.YEAR: 100}


@dataclass(frozen=True, slots=True)
class Grant:
    """Units for the account's pool of a meter, or, without a meter, money for its wallet.

    A recurring charge grants them in each full period, for that period; a one-time charge once, for
    ever or as long as `lasts` says. `rollover` is the most of them that goes on unused, for
    `rollover_periods` times as long again. `per_unit`: for each unit of the line's quantity;
    `prorated`: a period served in part grants its share. The lowest `priority` is drawn first.
    Money is told in the charge's currency, and neither rolls over nor belongs to a period.
    Sources: OpenMeter and Stripe (grants: priority, expiry, rollover), Zuora (prepaid drawdown).
    """

    units: Decimal
    meter: str = ""
    priority: int = DEFAULT_PRIORITY
    lasts: Interval | None = None
    rollover: Decimal | None = None
    rollover_periods: int = 1
    prorated: bool = False
    per_unit: bool = True

    def __post_init__(self) -> None:
        check_positive("grant.units", self.units)
        if not isinstance(self.meter, str):
            raise TermsInvalid("grant.meter", "a meter is named by its code")
        if self.meter and not METER.fullmatch(self.meter):
            raise TermsInvalid("grant.meter", f"{self.meter!r} is no code of a meter")
        check_count("grant.priority", self.priority, most=MOST_PRIORITY)
        if self.lasts is not None:
            check_count("grant.lasts", self.lasts.count, least=1, most=_LONGEST[self.lasts.unit])
        check_truth("grant.prorated", self.prorated)
        check_truth("grant.per_unit", self.per_unit)
        check_count("grant.rollover_periods", self.rollover_periods, least=1, most=120)
        if self.rollover is None:
            if self.rollover_periods != 1:
                raise TermsInvalid("grant.rollover_periods", "nothing rolls over")
        else:
            check_positive("grant.rollover", self.rollover)

    @property
    def is_money(self) -> bool:
        """Whether it goes to the wallet."""
        return not self.meter


def check_grant(grant: Grant, *, recurring: bool) -> None:
    """What only one kind of charge may say."""
    if recurring and grant.lasts is not None and not grant.is_money:
        raise TermsInvalid("grant.lasts", "units of a recurring charge last for its period")
    if not recurring and grant.prorated:
        raise TermsInvalid("grant.prorated", "a one-time charge is not served in part")
    if grant.rollover is not None:
        if grant.is_money:
            raise TermsInvalid("grant.rollover", "money stays as long as it lasts")
        if not recurring and grant.lasts is None:
            raise TermsInvalid("grant.rollover", "what lasts for ever does not roll over")
        if grant.lasts is not None:
            count = grant.lasts.count * (grant.rollover_periods + 1)
            if count > _LONGEST[grant.lasts.unit]:
                raise TermsInvalid("grant.rollover_periods", "it rolls over for over 100 years")
