"""Products that a batch of rows names, and whether they have the characteristics it matches."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.exchange import charges
from o2b.catalog.exchange.sheets import Row
from o2b.catalog.models import Product, ProductVersion
from o2b.charging.terms import plain
from o2b.errors import Refused


@dataclass(slots=True)
class KnownProducts:
    """The products of one batch, with what their newest versions ask for."""

    ids: dict[str, int] = field(default_factory=dict)
    _specs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    _checked: dict[tuple[int, str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, codes: Iterable[str], *, matched: bool) -> "KnownProducts":
        """Two queries for as many products as there are."""
        codes = {code for code in codes if code and "\0" not in code}
        ids = dict(Product.objects.filter(code__in=codes).values_list("code", "pk"))
        versions = ProductVersion.objects.filter(product__in=ids.values() if matched else ())
        newest = versions.order_by("product_id", "-number").distinct("product_id")
        return cls(ids, dict(newest.values_list("product", "characteristics")))

    def find(self, row: Row) -> int | None:
        """The product that a row names."""
        code = row.get("product")
        found = self.ids.get(code)
        if found is None:
            row.fault(
                "product",
                _("There is no product “%(code)s”: import products first.") % {"code": code[:60]}
                if code
                else _("The cell is empty: write a product's code."),
            )
        return found

    def match(self, row: Row, product: int, headers: Iterable[str]) -> dict[str, str]:
        """The characteristics that the row's price is for, each one that the product has."""
        found: dict[str, str] = {}
        for header in headers:
            if text := row.get(header):
                name = header[len(charges.MATCH) :]
                cell = (product, name, text)
                try:
                    if cell not in self._checked:
                        self._checked[cell] = self._check(*cell)
                    found[name] = self._checked[cell]
                except Refused as fault:
                    row.fault(header, fault.message)
        return found

    def _check(self, product: int, name: str, text: str) -> str:
        specs = [spec for spec in self._specs.get(product, ()) if spec["name"] == name]
        if specs and specs[0].get("type") == "choice":
            # A choice may be a number; a sheet knows texts only.
            specs = [specs[0] | {"choices": [str(choice) for choice in specs[0]["choices"]]}]
        value = check_characteristics(specs, {name: text}, field=name)[name]
        if isinstance(value, bool):
            return "true" if value else "false"
        return plain(Decimal(value)) if specs[0].get("type") == "decimal" else str(value)


def match_headers(row: Row) -> tuple[str, ...]:
    """The columns match.… of the row's sheet."""
    return tuple(header for header in row.columns if header.startswith(charges.MATCH))
