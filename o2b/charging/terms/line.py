"""The whole promise of one line: a product's version, when it starts, and its charges."""

from dataclasses import dataclass, field

from o2b.charging.terms.charge import ChargeTerms
from o2b.charging.terms.checks import TermsInvalid, known
from o2b.charging.terms.enums import StartRule
from o2b.money import is_currency


@dataclass(frozen=True, slots=True)
class LineTerms:
    """The whole promise of one line: a product's version and 1..n charges."""

    product: str
    version: int
    currency: str
    start_rule: StartRule
    charges: tuple[ChargeTerms, ...] = field(default=())

    def __post_init__(self) -> None:
        known(self, "start_rule", StartRule, "start_rule")
        validate(self)


def validate(terms: LineTerms) -> None:
    """Raise TermsInvalid where the header and its charges do not make one promise."""
    if not terms.product:
        raise TermsInvalid("product", "terms name a product")
    if terms.version < 1:
        raise TermsInvalid("version", "versions count from 1")
    if not is_currency(terms.currency):
        raise TermsInvalid("currency", f"{terms.currency!r} is not a currency")
    if not terms.charges:
        raise TermsInvalid("charges", "terms hold at least one charge")
    keys = [charge.key for charge in terms.charges]
    for i, charge in enumerate(terms.charges):
        if charge.currency != terms.currency:
            raise TermsInvalid(
                f"charges.{i}.currency", f"{charge.currency} in terms of {terms.currency}"
            )
        if charge.key in keys[:i]:
            raise TermsInvalid(f"charges.{i}.key", f"{charge.key!r} is there twice")
