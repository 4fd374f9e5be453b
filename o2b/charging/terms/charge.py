"""One charge of a promise: what it costs for a full period, when it is billed, how it is shared."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from o2b.charging.terms.checks import (
    TermsInvalid,
    check_decimal,
    check_not_negative,
    check_positive,
    known,
)
from o2b.charging.terms.decks import DeckRates
from o2b.charging.terms.enums import Alignment, Kind, Model, Proration, Timing
from o2b.charging.terms.granted import Grant, check_grant
from o2b.charging.terms.measured import METER, Where, sorted_where
from o2b.charging.terms.parts import (
    DEFAULT_CONVENTIONS,
    Allowance,
    CallRates,
    Conventions,
    Discount,
    EventRates,
    RampStep,
    Tier,
    Trial,
    check_ramp,
    check_tiers,
)
from o2b.money import is_currency
from o2b.periods import Interval

LONGEST_INTERVAL = 366
MOST_DISCOUNTS = 8  # with the limits of checks.py every price fits into money.PRECISION digits

_RAMPED = frozenset({Model.FLAT, Model.PER_UNIT, Model.PACKAGE, Model.PERCENTAGE})
_OF_USAGE = frozenset({Model.PERCENTAGE, Model.GRADUATED_PERCENTAGE, Model.RATED})


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """One charge; what stands after `revenue_rule` is optional and says something when set.

    `unit_price` is per unit, for all (flat), per started package, or in percent; models with
    tiers and rated calls do not use it. `minimum` and `maximum` bound what a full period costs.
    `meter` names what usage is measured by, if not by the meter of the charge's own key; `where`
    the dimensions that count of it, none being said all of it. `grant` is what the charge brings
    into the account's pool or wallet.
    """

    key: str
    kind: Kind
    model: Model
    unit_price: Decimal
    currency: str
    interval: Interval | None
    timing: Timing
    alignment: Alignment
    proration: Proration
    discounts: tuple[Discount, ...] = ()
    tax_code: str = ""
    revenue_rule: str = ""
    tiers: tuple[Tier, ...] = ()
    package_size: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    allowance: Allowance | None = None
    event: EventRates | None = None
    call: CallRates | DeckRates | None = None
    ramp: tuple[RampStep, ...] = ()
    trial: Trial | None = None
    conventions: Conventions = DEFAULT_CONVENTIONS
    meter: str = ""
    where: tuple[Where, ...] = ()
    grant: Grant | None = None

    def __post_init__(self) -> None:
        if not self.key:
            raise TermsInvalid("key", "a charge needs a key")
        for name, enum in _ENUMS.items():
            known(self, name, enum, name)
        check_decimal("unit_price", self.unit_price)
        if not is_currency(self.currency):
            raise TermsInvalid("currency", f"{self.currency!r} is not a currency")
        if len(self.discounts) > MOST_DISCOUNTS:
            raise TermsInvalid("discounts", f"at most {MOST_DISCOUNTS} discounts on a charge")
        self._check_kind()
        self._check_model()
        self._check_bounds()
        self._check_time()
        self._check_usage()

    @property
    def meter_code(self) -> str:
        """The meter whose usage is priced: the one that is named, or that of the charge's key."""
        return self.meter or self.key

    def _check_kind(self) -> None:
        if self.kind is Kind.ONE_TIME:
            if self.interval is not None:
                raise TermsInvalid("interval", "a one-time charge has no interval")
        elif self.interval is None:
            raise TermsInvalid("interval", f"a {self.kind.value} charge needs an interval")
        if self.interval is not None and self.interval.count > LONGEST_INTERVAL:
            raise TermsInvalid("interval", f"at most {LONGEST_INTERVAL} units long")
        if self.kind is Kind.USAGE and self.timing is Timing.ADVANCE:
            raise TermsInvalid("timing", "usage is billed in arrears")
        if self.model in _OF_USAGE and self.kind is not Kind.USAGE:
            raise TermsInvalid("model", f"{self.model.value} prices usage only")

    def _check_model(self) -> None:
        if self.model.has_tiers != bool(self.tiers):
            says = "needs tiers" if self.model.has_tiers else "has no tiers"
            raise TermsInvalid("tiers", f"model {self.model.value} {says}")
        check_tiers(self.tiers)
        if self.model is Model.STAIRSTEP and any(t.unit_price or t.block for t in self.tiers):
            raise TermsInvalid("tiers", "the price of a step is its flat fee")
        _paired("package_size", self.package_size, self.model is Model.PACKAGE, self.model)
        if self.package_size is not None:
            check_positive("package_size", self.package_size)
        _paired("call", self.call, self.model is Model.RATED, self.model)
        if self.event is not None and self.model is not Model.PERCENTAGE:
            raise TermsInvalid("event", "only model percentage charges by event")

    def _check_bounds(self) -> None:
        for name in ("minimum", "maximum"):
            value = getattr(self, name)
            if value is not None:
                check_not_negative(name, value)
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            raise TermsInvalid("maximum", "below the minimum")
        if self.allowance is not None:
            if self.model in (Model.FLAT, Model.RATED) or self.kind is Kind.ONE_TIME:
                raise TermsInvalid("allowance", "includes units of a recurring or usage price")
            carries = self.allowance.rollover is not None or self.allowance.window > 1
            by_measure = self.allowance.prorated or self.allowance.per_unit
            if carries and self.kind is not Kind.USAGE:
                raise TermsInvalid("allowance", "only unused usage is carried on")
            if by_measure and self.kind is not Kind.USAGE:
                raise TermsInvalid("allowance", "only of usage is it prorated or by the unit")

    def _check_time(self) -> None:
        check_ramp(self.ramp)
        if self.ramp and (self.kind is Kind.ONE_TIME or self.model not in _RAMPED):
            raise TermsInvalid("ramp", "steps change a repeating unit price")
        if self.trial is not None and self.kind is Kind.ONE_TIME:
            raise TermsInvalid("trial", "a one-time charge has no trial")

    def _check_usage(self) -> None:
        for name in ("meter", "where"):
            if getattr(self, name) and self.kind is not Kind.USAGE:
                raise TermsInvalid(name, "only usage is measured")
        if self.meter and not (isinstance(self.meter, str) and METER.fullmatch(self.meter)):
            raise TermsInvalid("meter", f"{self.meter!r} is no code of a meter")
        if self.where:
            object.__setattr__(self, "where", sorted_where(self.where))
        if self.grant is not None:
            if self.kind is Kind.USAGE:
                raise TermsInvalid("grant", "what is used grants nothing")
            check_grant(self.grant, recurring=self.kind is Kind.RECURRING)


def _paired(name: str, value: object, wanted: bool, model: Model) -> None:
    """A part that one model needs and no other may have."""
    if (value is not None) != wanted:
        raise TermsInvalid(name, f"model {model.value} {'needs' if wanted else 'does not use'} it")


_ENUMS: dict[str, type[StrEnum]] = {
    "kind": Kind,
    "model": Model,
    "timing": Timing,
    "alignment": Alignment,
    "proration": Proration,
}
