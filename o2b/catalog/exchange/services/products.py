"""A sheet of products becomes draft versions: one for each that is new or has changed."""

from collections.abc import Iterable
from itertools import islice

from django.utils.translation import gettext as _

from o2b.catalog.exchange.differences import compared
from o2b.catalog.exchange.products import (
    ProductCells,
    cells_of,
    identity_text,
    read_identity,
    read_version,
)
from o2b.catalog.exchange.report import Became, Tally
from o2b.catalog.exchange.selectors import newest_versions
from o2b.catalog.exchange.sheets import Row
from o2b.catalog.models import BundleOption, Product, ProductRule, ProductVersion

BATCH = 500
Made = dict[str, list[int]]


def take_products(
    rows: Iterable[Row], again: Iterable[Row], *, by_id: int | None, tally: Tally
) -> Made:
    """Write what is new: first the products, so that rows may name each other, then versions."""
    writer = _Writer(by_id, tally)
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        writer.write_products(batch)
    iterator = iter(again)
    while batch := list(islice(iterator, BATCH)):
        writer.write_versions(batch)
    if not tally.faults:
        writer.link_successors()
    made = {
        Product._meta.label_lower: list(writer.products),
        ProductVersion._meta.label_lower: writer.versions,
    }
    return {label: ids for label, ids in made.items() if ids}


class _Writer:
    def __init__(self, by_id: int | None, tally: Tally) -> None:
        self.by_id = by_id
        self.tally = tally
        self.products: set[int] = set()
        self.versions: list[int] = []
        self.seen: dict[str, int] = {}
        self.successors: dict[int, str] = {}

    def write_products(self, batch: list[Row]) -> None:
        """Those that are not there; what is wrong with a row is told by the second reading."""
        told = {found["code"]: found for row in batch if (found := read_identity(row))}
        known = set(Product.objects.filter(code__in=told).values_list("code", flat=True))
        made = Product.objects.bulk_create(
            Product(**told[code] | {"quantity_places": int(told[code]["quantity_places"])})
            for code in told
            if code not in known
        )
        self.products |= {product.pk for product in made}

    def write_versions(self, batch: list[Row]) -> None:
        self.tally.rows += len(batch)
        codes = {row.get("code") for row in batch if "\0" not in row.get("code")}
        products = {p.code: p for p in Product.objects.filter(code__in=codes)}
        newest = {v.product_id: v for v in newest_versions().filter(product__in=products.values())}
        read = [(row, self._read(row, products, newest)) for row in batch]
        self._check_names(read)
        drafts: list[tuple[ProductVersion, ProductCells]] = []
        for row, cells in read:
            if row.faults or cells is None:
                self.tally.blame(row.faults, row.get("code")[:60])
                continue
            product = products[row.get("code")]
            before = newest.get(product.pk)
            old = cells_of(before).text() if before else None
            result = compared(row.number, product.code, old, cells.text())
            self.tally.add(result)
            if result.became != Became.UNCHANGED:
                drafts.append((self._draft(product, before, cells), cells))
        if not self.tally.faults:
            self._write(drafts)

    def _read(
        self, row: Row, products: dict[str, Product], newest: dict[int, ProductVersion]
    ) -> ProductCells | None:
        identity = read_identity(row)
        if identity is None:
            return None
        code = identity.pop("code")
        first = self.seen.setdefault(code, row.number)
        if first != row.number:
            row.fault(
                "code",
                _("The product stands in row %(row)s already: delete one of them.")
                % {"row": first},
            )
        product = products[code]
        stands = identity_text(product)
        if product.pk not in self.products:
            for name, text in identity.items():
                if row.get(name) and text != stands[name]:
                    row.fault(
                        name,
                        _("The product has “%(stands)s”, which an import does not change.")
                        % {"stands": stands[name] or "—"},
                    )
        before = newest.get(product.pk)
        return read_version(row, cells_of(before) if before else None)

    def _check_names(self, read: list[tuple[Row, ProductCells | None]]) -> None:
        """Every product that is named is there, or in this sheet."""
        named = {c for _row, v in read if v for codes in v.others.values() for c in codes}
        known = set(Product.objects.filter(code__in=named).values_list("code", flat=True))
        for row, version in read:
            for header, codes in version.others.items() if version else ():
                for code in codes:
                    if code not in known:
                        row.fault(
                            header, _("There is no product “%(code)s”.") % {"code": code[:60]}
                        )

    def _draft(
        self, product: Product, before: ProductVersion | None, cells: ProductCells
    ) -> ProductVersion:
        return ProductVersion(
            product=product,
            number=before.number + 1 if before else 1,
            description=cells.description,
            characteristics=cells.characteristics,
            eligibility=cells.eligibility,
            prepared_by_id=self.by_id,
        )

    def _write(self, drafts: list[tuple[ProductVersion, ProductCells]]) -> None:
        named = {code for _, cells in drafts for codes in cells.others.values() for code in codes}
        ids = dict(Product.objects.filter(code__in=named).values_list("code", "pk"))
        made = ProductVersion.objects.bulk_create(version for version, _ in drafts)
        self.versions += [version.pk for version in made]
        self.successors |= {v.pk: cells.successor for v, cells in drafts if cells.successor}
        ProductRule.objects.bulk_create(
            ProductRule(version=version, kind=kind, other_id=ids[code])
            for version, cells in drafts
            for kind, codes in (("requires", cells.requires), ("excludes", cells.excludes))
            for code in codes
        )
        BundleOption.objects.bulk_create(
            BundleOption(
                version=version,
                component_id=ids[each.code],
                group=each.group,
                minimum=each.minimum,
                maximum=each.maximum,
                default=each.default,
            )
            for version, cells in drafts
            for each in cells.components
        )

    def link_successors(self) -> None:
        """To the newest version of the product that succeeds; all are there by now."""
        wanted = set(self.successors.values())
        newest = ProductVersion.objects.filter(product__code__in=wanted)
        newest = newest.order_by("product_id", "-number").distinct("product_id")
        by_code = {v.product.code: v for v in newest.select_related("product")}
        drafts = list(ProductVersion.objects.filter(pk__in=self.successors))
        for draft in drafts:
            draft.successor = by_code[self.successors[draft.pk]]
        ProductVersion.objects.bulk_update(drafts, ["successor"], batch_size=BATCH)
