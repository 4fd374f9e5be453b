"""A line of a change order in one sentence: what was found, what it becomes, from which day."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.web.show import day_text, number_text
from orders.models import LineAction, OrderLine

A = LineAction


class Found(NamedTuple):
    """The version that a change found in service."""

    name: str
    number: int


def found_before(lines: Iterable[OrderLine]) -> dict[int, Found]:
    """Line → what it found; one query, and none where no line changes anything."""
    keys = {line.pk: key for line in lines if (key := _key(line.in_service)) is not None}
    if not keys:
        return {}
    versions = ProductVersion.objects.select_related("product").in_bulk(set(keys.values()))
    known = {pk: Found(v.product.name, v.number) for pk, v in versions.items()}
    return {line: known[key] for line, key in keys.items() if key in known}


def sentence(
    line: OrderLine, before: Found | None, *, action: str = "", on: date | None = None
) -> str:
    """'Quantity 3 → 5 from 10 Mar 2026'; empty for a line that starts a service.

    `action` and `on` tell a fact of the line where that is another than the line's own.
    """
    action = action or line.action
    if action == A.START or line.in_service is None:
        return ""
    told = {
        "day": day_text(on or line.change_on),
        "was": before.name if before else "…",
        "old": before.number if before else "…",
        "name": line.product_version.product.name,
        "new": line.product_version.number,
        "few": _number(line.in_service.get("quantity")),
        "many": number_text(line.quantity),
    }
    words = _of_terms(line, before) if action == A.TERMS else _words().get(action, "")
    return words % told


def _words() -> dict[str, str]:
    return {
        A.REPLACE: _("%(name)s version %(old)s → %(new)s from %(day)s, at the same price"),
        A.QUANTITY: _("Quantity %(few)s → %(many)s from %(day)s"),
        A.SUSPEND: _("Suspended from %(day)s"),
        A.RESUME: _("In use again from %(day)s"),
        A.TRANSFER: _("Passed on to another account from %(day)s"),
        A.MOVE: _("Moved to another address from %(day)s"),
        A.END: _("Out of service from %(day)s"),
        A.WITHDRAW: _("A change from %(day)s is taken back"),
        A.COMMIT: _("Agreed for a term from %(day)s"),
    }


def _of_terms(line: OrderLine, before: Found | None) -> str:
    is_same = before is not None and before.name == line.product_version.product.name
    is_as_many = _number((line.in_service or {}).get("quantity")) == number_text(line.quantity)
    if not is_same:
        if is_as_many:
            return _("%(was)s → %(name)s from %(day)s")
        return _("%(was)s → %(name)s, quantity %(few)s → %(many)s, from %(day)s")
    if is_as_many:
        return _("Another price from %(day)s")
    return _("Quantity %(few)s → %(many)s at another price from %(day)s")


def _key(in_service: Mapping[str, Any] | None) -> int | None:
    key = (in_service or {}).get("product_version")
    return key if isinstance(key, int) else None


def _number(told: Any) -> str:
    try:
        return number_text(Decimal(str(told)))
    except InvalidOperation:
        return "…"
