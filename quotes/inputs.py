"""What somebody wants on a line, and whether it can be had: shared by quotes and orders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.definitions import definitions_of
from o2b.catalog.models import ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.quantities import check_quantity
from o2b.catalog.resolution import Wanted
from o2b.catalog.rules.compatibility import Definition
from o2b.catalog.succession import is_retired, successors_of
from o2b.charging import Discount, DiscountKind, StartRule
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from quotes.together import NOTHING, faults_together

MOST_LINES = 1000
DISCOUNT_PLACES = 4
# Beyond these years calendars end, and so would the periods of a bill.
FIRST_YEAR, LAST_YEAR = 1990, 2190


class ProductUnknown(Invalid):
    code = "product_unknown"


class ProductNotSold(Refused):
    code = "product_not_sold"


class DiscountInvalid(Invalid):
    code = "discount_invalid"


class StartInvalid(Invalid):
    code = "start_invalid"


class StartRuleInvalid(Invalid):
    code = "start_rule_invalid"


class NoLines(Invalid):
    code = "no_lines"


class TooManyLines(Invalid):
    code = "too_many_lines"


@dataclass(frozen=True, slots=True)
class LineInput:
    """One line as somebody asks for it, by the code of its product.

    A `legacy` line may name a retired product: it asks for the product that took its place.
    `start_rule` is a StartRule; empty: the agreed day if there is one, else the delivery.
    """

    product: str
    quantity: Decimal | str | int
    characteristics: Mapping[str, Any] = field(default_factory=dict)
    discount_percent: Decimal | str | int = 0
    legacy: bool = False
    translated_from: str = ""
    start_rule: str = ""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line that can be had: the version on sale, and values that the database can hold."""

    product_version: ProductVersion
    quantity: Decimal
    characteristics: dict[str, Any]
    discount_percent: Decimal
    translated_from: str = ""
    start_rule: str = ""

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            self.product_version,
            self.quantity,
            discounts_of(self.discount_percent),
            self.characteristics,
            rule_of(self.start_rule),
        )


def discounts_of(percent: Decimal) -> tuple[Discount, ...]:
    """The rep's own discount as Terms know it; none at all when it is zero."""
    return (Discount(DiscountKind.PERCENT, percent),) if percent else ()


def rule_of(said: str) -> StartRule | None:
    """What a line says of its start; None where it says nothing."""
    return StartRule(said) if said else None


def check_start(start_on: date | None) -> None:
    """Refuse a start that no calendar of bills can reach."""
    if start_on and not FIRST_YEAR <= start_on.year <= LAST_YEAR:
        raise StartInvalid(_("No service starts on such a day."), field="start_on")


@dataclass(frozen=True, slots=True)
class Offer:
    """Lines that an account wants together; `already` are the codes of the products it has."""

    account: Account
    lines: Sequence[LineInput]
    already: Collection[str] = NOTHING


def check_lines(
    lines: Sequence[LineInput], *, account: Account, already: Collection[str] = NOTHING
) -> list[CheckedLine]:
    """Every line checked, in order; refuses the first fault, naming `lines[i].…`."""
    return check_many([Offer(account, lines, already)])[0]


def check_many(offers: Sequence[Offer]) -> list[list[CheckedLine]]:
    """The same for the lines of many accounts' offers, in the queries of one."""
    on_sale = versions_on_sale(line.product for offer in offers for line in offer.lines)
    definitions = definitions_of(on_sale.values())
    each = []
    for offer in offers:
        checked, faults = examine_lines(
            offer.lines,
            account=offer.account,
            already=offer.already,
            on_sale=on_sale,
            definitions=definitions,
        )
        if faults:
            raise faults[0]
        each.append(checked)
    return each


def translate_legacy(lines: Sequence[LineInput], *, every_line: bool = False) -> list[LineInput]:
    """Lines that name a retired product, by the product that took its place.

    Only lines marked as legacy, or `every_line`. Characteristics that the successor does not know
    are left behind. A line without a successor stays as it is, and is refused when it is checked.
    """
    asked = [line for line in lines if every_line or line.legacy]
    if not asked:
        return list(lines)
    known = versions_on_sale(line.product for line in asked)
    successors = successors_of(version for version in known.values() if is_retired(version))
    return [
        _translated(line, known, successors) if every_line or line.legacy else line
        for line in lines
    ]


def _translated(
    line: LineInput, known: Mapping[str, ProductVersion], successors: Mapping[int, ProductVersion]
) -> LineInput:
    retired = known.get(line.product) if isinstance(line.product, str) else None
    successor = successors.get(retired.pk) if retired else None
    if successor is None:
        return line
    names = {spec["name"] for spec in successor.characteristics}
    given = line.characteristics if isinstance(line.characteristics, Mapping) else {}
    return replace(
        line,
        product=successor.product.code,
        characteristics={name: value for name, value in given.items() if name in names},
        translated_from=line.product,
    )


def examine_lines(
    lines: Sequence[LineInput],
    *,
    account: Account,
    already: Collection[str] = NOTHING,
    on_sale: Mapping[str, ProductVersion] | None = None,
    definitions: Mapping[int, Definition] | None = None,
) -> tuple[list[CheckedLine], list[Refused]]:
    """The lines that the account can have, and every fault; as many queries for many lines."""
    if not lines:
        return [], [NoLines(_("At least one line is needed."), field="lines")]
    if len(lines) > MOST_LINES:
        message = _("At most %(most)s lines are possible.") % {"most": MOST_LINES}
        return [], [TooManyLines(message, field="lines")]
    if on_sale is None:
        on_sale = versions_on_sale(line.product for line in lines)
    checked: list[CheckedLine] = []
    faults: list[Refused] = []
    successors = successors_of(version for version in on_sale.values() if is_retired(version))
    for i, line in enumerate(lines):
        try:
            checked.append(_check_line(line, on_sale, successors, at=f"lines[{i}]"))
        except Refused as fault:
            faults.append(fault)
    # Which line misses another can be said only once all of them are known.
    if not faults:
        chosen = [(line.product_version, line.quantity) for line in checked]
        faults += faults_together(chosen, account=account, already=already, definitions=definitions)
    return checked, faults


def versions_on_sale(codes: Any) -> dict[str, ProductVersion]:
    """The newest version of each product: one on sale, else a retired one, else a draft."""
    # Postgres refuses text with a NUL in it.
    asked = {code for code in codes if isinstance(code, str) and "\0" not in code}
    found: dict[str, ProductVersion] = {}
    versions = ProductVersion.objects.filter(product__code__in=asked).select_related("product")
    for version in versions.order_by("number"):
        known = found.get(version.product.code)
        if known is None or _rank(version) >= _rank(known):
            found[version.product.code] = version
    return found


def _rank(version: ProductVersion) -> int:
    return 2 if is_on_sale(version) else int(is_retired(version))


def is_on_sale(version: ProductVersion) -> bool:
    return bool(version.state == Lifecycle.PUBLISHED)


def refuse_unless_on_sale(
    version: ProductVersion,
    *,
    field: str,
    successors: Mapping[int, ProductVersion] | None = None,
) -> None:
    """Refuse a version that is not published yet, or no more; name what took its place."""
    if is_on_sale(version):
        return
    if successors is None:
        successors = successors_of([version])
    shown: dict[str, object] = {"version": version, "state": version.get_state_display()}
    if successor := successors.get(version.pk):
        message = _("%(version)s is %(state)s; %(successor)s (%(code)s) has taken its place.")
        code = successor.product.code
        shown |= {"successor": successor.product, "code": code}
        raise ProductNotSold(message % shown, field=field, successor=code)
    message = _("%(version)s is %(state)s, so it is not on sale.")
    raise ProductNotSold(message % shown, field=field)


def _check_line(
    line: LineInput,
    on_sale: Mapping[str, ProductVersion],
    successors: Mapping[int, ProductVersion],
    *,
    at: str,
) -> CheckedLine:
    version = on_sale.get(line.product) if isinstance(line.product, str) else None
    if version is None:
        message = _("There is no product “%(code)s”.") % {"code": str(line.product)[:60]}
        if line.product == "":
            message = _("Choose a product, or remove the line.")
        raise ProductUnknown(message, field=f"{at}.product")
    refuse_unless_on_sale(version, field=f"{at}.product", successors=successors)
    return CheckedLine(
        product_version=version,
        quantity=check_quantity(version.product, line.quantity, field=f"{at}.quantity"),
        characteristics=check_characteristics(
            version.characteristics, line.characteristics, field=f"{at}.characteristics"
        ),
        discount_percent=_check_discount(line.discount_percent, field=f"{at}.discount_percent"),
        translated_from=line.translated_from,
        start_rule=_check_rule(line.start_rule, field=f"{at}.start_rule"),
    )


def _check_rule(said: Any, *, field: str) -> str:
    if said and said not in list(StartRule):
        message = _("Billing starts by one of: %(rules)s.") % {"rules": ", ".join(StartRule)}
        raise StartRuleInvalid(message, field=field)
    return str(said or "")


def _check_discount(value: Any, *, field: str) -> Decimal:
    try:
        percent = Decimal(str(value))
    except InvalidOperation as exc:
        raise DiscountInvalid(_("The discount is a number."), field=field) from exc
    if not percent.is_finite() or not 0 <= percent <= 100:
        raise DiscountInvalid(_("The discount lies between 0 and 100 percent."), field=field)
    rounded = round(percent, DISCOUNT_PLACES)
    if rounded != percent:
        message = _("The discount has at most %(places)s decimals.") % {"places": DISCOUNT_PLACES}
        raise DiscountInvalid(message, field=field)
    return rounded
