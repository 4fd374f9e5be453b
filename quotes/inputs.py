"""What somebody wants on a line, and whether it can be had: shared by quotes and orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.models import ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.quantities import check_quantity
from o2b.catalog.resolution import Wanted
from o2b.charging import Discount, DiscountKind
from o2b.errors import Invalid, Refused

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


class NoLines(Invalid):
    code = "no_lines"


class TooManyLines(Invalid):
    code = "too_many_lines"


@dataclass(frozen=True, slots=True)
class LineInput:
    """One line as somebody asks for it, by the code of its product."""

    product: str
    quantity: Decimal | str | int
    characteristics: Mapping[str, Any] = field(default_factory=dict)
    discount_percent: Decimal | str | int = 0


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line that can be had: the version on sale, and values that the database can hold."""

    product_version: ProductVersion
    quantity: Decimal
    characteristics: dict[str, Any]
    discount_percent: Decimal

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.product_version, self.quantity, discounts_of(self.discount_percent))


def discounts_of(percent: Decimal) -> tuple[Discount, ...]:
    """The rep's own discount as Terms know it; none at all when it is zero."""
    return (Discount(DiscountKind.PERCENT, percent),) if percent else ()


def check_start(start_on: date | None) -> None:
    """Refuse a start that no calendar of bills can reach."""
    if start_on and not FIRST_YEAR <= start_on.year <= LAST_YEAR:
        raise StartInvalid(_("No service starts on such a day."), field="start_on")


def check_lines(lines: Sequence[LineInput]) -> list[CheckedLine]:
    """Every line checked, in order; refuses the first fault, naming `lines[i].…`."""
    return check_many([lines])[0]


def check_many(offers: Sequence[Sequence[LineInput]]) -> list[list[CheckedLine]]:
    """The same for the lines of many offers, in the queries of one."""
    on_sale = versions_on_sale(line.product for lines in offers for line in lines)
    each = []
    for lines in offers:
        checked, faults = examine_lines(lines, on_sale)
        if faults:
            raise faults[0]
        each.append(checked)
    return each


def examine_lines(
    lines: Sequence[LineInput], on_sale: Mapping[str, ProductVersion] | None = None
) -> tuple[list[CheckedLine], list[Refused]]:
    """The lines that can be had, and every fault of the others; one query for all of them."""
    if not lines:
        return [], [NoLines(_("At least one line is needed."), field="lines")]
    if len(lines) > MOST_LINES:
        message = _("At most %(most)s lines are possible.") % {"most": MOST_LINES}
        return [], [TooManyLines(message, field="lines")]
    if on_sale is None:
        on_sale = versions_on_sale(line.product for line in lines)
    checked: list[CheckedLine] = []
    faults: list[Refused] = []
    for i, line in enumerate(lines):
        try:
            checked.append(_check_line(line, on_sale, at=f"lines[{i}]"))
        except Refused as fault:
            faults.append(fault)
    return checked, faults


def versions_on_sale(codes: Any) -> dict[str, ProductVersion]:
    """The newest version of each product, published ones before all others."""
    # Postgres refuses text with a NUL in it.
    asked = {code for code in codes if isinstance(code, str) and "\0" not in code}
    found: dict[str, ProductVersion] = {}
    versions = ProductVersion.objects.filter(product__code__in=asked).select_related("product")
    for version in versions.order_by("number"):
        known = found.get(version.product.code)
        if known is None or is_on_sale(version) or not is_on_sale(known):
            found[version.product.code] = version
    return found


def is_on_sale(version: ProductVersion) -> bool:
    return bool(version.state == Lifecycle.PUBLISHED)


def refuse_unless_on_sale(version: ProductVersion, *, field: str) -> None:
    """Refuse a version that is not published yet, or no more."""
    if not is_on_sale(version):
        message = _("%(version)s is %(state)s, so it is not on sale.")
        raise ProductNotSold(
            message % {"version": version, "state": version.get_state_display()},
            field=field,
        )


def _check_line(line: LineInput, on_sale: Mapping[str, ProductVersion], *, at: str) -> CheckedLine:
    version = on_sale.get(line.product) if isinstance(line.product, str) else None
    if version is None:
        message = _("There is no product “%(code)s”.") % {"code": str(line.product)[:60]}
        if line.product == "":
            message = _("Choose a product, or remove the line.")
        raise ProductUnknown(message, field=f"{at}.product")
    refuse_unless_on_sale(version, field=f"{at}.product")
    return CheckedLine(
        product_version=version,
        quantity=check_quantity(version.product, line.quantity, field=f"{at}.quantity"),
        characteristics=check_characteristics(
            version.characteristics, line.characteristics, field=f"{at}.characteristics"
        ),
        discount_percent=_check_discount(line.discount_percent, field=f"{at}.discount_percent"),
    )


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
