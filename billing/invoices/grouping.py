"""How the lines of a document are put together: by item, by service or by site; summed if many."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.invoices.payers import paid_for
from billing.invoices.sites import note_sites
from billing.models import Invoice, InvoiceLine
from o2b.customers.layouts import Grouping

MANY_ITEMS = 12  # from so many on a document is shown by service unless told otherwise
LAST = "\U0010ffff"  # sorts after all names
MANY_LINES = 500  # from so many on equal rows are one; the details hold them all


@dataclass(frozen=True, slots=True)
class Together:
    """Lines under one heading; `product` heads them, so that their own texts need not name it."""

    title: str
    note: str
    lines: Sequence[InvoiceLine]
    product: str = ""
    summed: bool = False


def together(lines: Sequence[InvoiceLine], how: str = Grouping.AUTO) -> list[Together]:
    """The lines under their headings: by item in the order billed, else by name."""
    if how == Grouping.AUTO:
        items = {line.charge.item_id for line in lines}
        how = Grouping.SERVICE if len(items) > MANY_ITEMS else Grouping.ITEM
    if how == Grouping.SERVICE:
        return list(_by(lines, _service_of, _services))
    if how == Grouping.SITE:
        note_sites(lines)
        return list(_by(lines, _site_of, _site))
    return [
        _item(item, list(rows)) for item, rows in groupby(lines, key=lambda row: row.charge.item)
    ]


def details_of(line: InvoiceLine) -> str:
    """Which item a line is about, where its heading does not say so."""
    item = line.charge.item
    return " · ".join([str(item), *_serial(item.serial), *paid_for(line)])


def _item(item: Any, rows: Sequence[InvoiceLine]) -> Together:
    name = item.product_version.product.name
    return Together(name, details_of(rows[0]), rows, name)


def _serial(serial: str) -> list[str]:
    return [_("serial %(serial)s") % {"serial": serial}] if serial else []


Key = tuple[str, int]


def _service_of(line: InvoiceLine) -> Key:
    product = line.charge.item.product_version.product
    return product.name, product.pk


def _services(key: Key, rows: Sequence[InvoiceLine]) -> Together:
    n = len({row.charge.item_id for row in rows})
    note = ngettext("%(n)s service", "%(n)s services", n) % {"n": n}
    return Together(key[0], note, rows, key[0], summed=True)


def how_of(invoice: Invoice) -> str:
    """How its lines are put together: as its account says, else its seller; empty: as they are."""
    return invoice.account.invoice_grouping or invoice.legal_entity.layout.get("grouping", "")


def _site_of(line: InvoiceLine) -> Key:
    """Case makes no other place; what is at none comes last, by what was ordered together."""
    site = line.site  # type: ignore[attr-defined]
    return (site.casefold(), 0) if site else (LAST, line.charge.item.subscription.pk)


def _site(_key: Key, rows: Sequence[InvoiceLine]) -> Together:
    site = rows[0].site  # type: ignore[attr-defined]
    return Together(site or str(rows[0].charge.item.subscription), "", rows, summed=True)


def _by(
    lines: Iterable[InvoiceLine],
    key_of: Callable[[InvoiceLine], Key],
    headed: Callable[[Key, Sequence[InvoiceLine]], Together],
) -> Iterator[Together]:
    found: dict[Key, list[InvoiceLine]] = {}
    for line in lines:
        found.setdefault(key_of(line), []).append(line)
    for key in sorted(found):
        yield headed(key, found[key])
