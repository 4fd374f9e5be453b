"""A sheet of contracts becomes draft contracts: one for each that is new or has changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.charges import Shape, ShapeReader, columns_of
from o2b.catalog.exchange.contracts import (
    ContractHead,
    ContractRows,
    head_of,
    read_head,
    same_head,
    shape_text,
)
from o2b.catalog.exchange.differences import compared
from o2b.catalog.exchange.known import KnownProducts, match_headers
from o2b.catalog.exchange.report import Became, Result, Tally
from o2b.catalog.exchange.selectors import newest_contracts
from o2b.catalog.exchange.sheets import Row
from o2b.catalog.models import (
    Contract,
    ContractCommitment,
    ContractDiscount,
    ContractPool,
    ContractPrice,
)
from o2b.customers.models import Account

BATCH = 200  # contracts at once
LONGEST_CODE = 60
Made = dict[str, list[int]]
Name = tuple[str, str, str]


@dataclass(slots=True)
class Charge:
    """One charge of a contract, ready to be written."""

    row: int
    product: int
    key: str
    price: str
    shape: Shape
    match: dict[str, str]
    text: dict[str, str]

    @property
    def name(self) -> Name:
        return (self.text["product"], self.key, cells.document_text(self.match))


@dataclass(slots=True)
class Draft:
    """One contract, ready to be written."""

    account: Account
    code: str
    number: int
    head: ContractHead
    charges: list[Charge] = field(default_factory=list)


def take_contracts(rows: Iterable[Row], *, tally: Tally) -> Made:
    """Write the drafts; with faults in the tally they are not whole."""
    writer = _Writer(tally)
    groups = iter(_grouped(rows))
    while batch := list(islice(groups, BATCH)):
        writer.write(batch)
    return {Contract._meta.label_lower: writer.made} if writer.made else {}


def _grouped(rows: Iterable[Row]) -> Iterator[ContractRows]:
    """Rows of one contract follow each other."""
    seen: dict[tuple[str, str], int] = {}
    group: ContractRows | None = None
    for row in rows:
        name = row.get("account"), row.get("contract")
        if group is None or name != (group.account, group.code):
            if group:
                yield group
            group = ContractRows(*name)
            first = seen.setdefault(name, row.number)
            if first != row.number:
                row.fault(
                    "contract",
                    _("Rows of one contract stand together: it began in row %(row)s.")
                    % {"row": first},
                )
        group.rows.append(row)
    if group:
        yield group


class _Writer:
    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.made: list[int] = []
        self.shapes: dict[str, ShapeReader] = {}

    def write(self, groups: list[ContractRows]) -> None:
        rows = [row for group in groups for row in group.rows]
        self.tally.rows += len(rows)
        headers = match_headers(rows[0])
        products = KnownProducts.of((row.get("product") for row in rows), matched=bool(headers))
        references = {g.account for g in groups if "\0" not in g.account}
        accounts = {a.reference: a for a in Account.objects.filter(reference__in=references)}
        codes = {g.code for g in groups if "\0" not in g.code}
        newest = {
            (c.account_id, c.code): c
            for c in newest_contracts().filter(account__in=accounts.values(), code__in=codes)
        }
        drafts = []
        for group in groups:
            draft = self._read(group, accounts, newest, products, headers)
            for row in group.rows:
                self.tally.blame(row.faults, f"{group.account} {group.code}"[:120])
            if draft:
                drafts.append(draft)
        if not self.tally.faults:
            self._write(drafts)

    def _read(
        self,
        group: ContractRows,
        accounts: dict[str, Account],
        newest: dict[tuple[int, str], Contract],
        products: KnownProducts,
        headers: tuple[str, ...],
    ) -> Draft | None:
        """The contract to write; None where a row is at fault or nothing has changed."""
        row = group.head
        account = accounts.get(group.account)
        if account is None:
            row.fault(
                "account", _("There is no account “%(code)s”.") % {"code": group.account[:60]}
            )
        try:
            cells.phrase(group.code, longest=LONGEST_CODE)
        except ValueError as fault:
            row.fault("contract", str(fault))
        before = newest.get((account.pk, group.code)) if account else None
        head = read_head(row, head_of(before) if before else None)
        if head:
            self._check_products(row, head)
        for later in group.rows[1:]:
            same_head(row, later)
        if account is None:
            return None
        shapes = self.shapes.setdefault(account.currency, ShapeReader(account.currency))
        charges = [self._charge(each, shapes, products, headers) for each in group.rows]
        found = [charge for charge in charges if charge]
        self._check_twice(group, charges)
        if head is None or any(each.faults for each in group.rows):
            return None
        draft = Draft(account, group.code, before.number + 1 if before else 1, head, found)
        return draft if self._tell(group, draft, before) else None

    def _check_products(self, row: Row, head: ContractHead) -> None:
        known = KnownProducts.of(head.products, matched=False).ids
        for code in sorted(head.products - set(known)):
            column = "pools" if any(p.get("product") == code for p in head.pools) else "commitments"
            row.fault(column, _("There is no product “%(code)s”.") % {"code": code})

    def _charge(
        self, row: Row, shapes: ShapeReader, products: KnownProducts, headers: tuple[str, ...]
    ) -> Charge | None:
        """The charge of a row; a row without product and key only says the contract's head."""
        if not row.get("product") and not row.get("key"):
            return None
        product = products.find(row)
        match = products.match(row, product, headers) if product else {}
        read = shapes.read(row)
        if product is None or read is None:
            return None
        key, price, shape = read
        text = shape_text(row.get("product"), key, price, shape)
        return Charge(row.number, product, key, price, shape, match, text)

    def _check_twice(self, group: ContractRows, charges: list[Charge | None]) -> None:
        seen: dict[Name, int] = {}
        for row, charge in zip(group.rows, charges, strict=True):
            if charge and seen.setdefault(charge.name, row.number) != row.number:
                row.fault(
                    "key",
                    _("The same charge stands in row %(row)s: delete one of them.")
                    % {"row": seen[charge.name]},
                )

    def _tell(self, group: ContractRows, draft: Draft, before: Contract | None) -> bool:
        """Put each row's result into the tally; whether there is anything to write."""
        what = f"{group.account} {group.code}"
        old = charges_of(before) if before else {}
        results = []
        head = head_of(before).text() if before else None
        told = compared(group.head.number, what, head, draft.head.text())
        if told.became != Became.UNCHANGED or not draft.charges:
            results.append(told)
        for charge in draft.charges:
            name = " ".join(part for part in (what, *charge.name) if part)
            stood = old.pop(charge.name, None) if before else None
            results.append(compared(charge.row, name, stood, charge.text, money="unit_price"))
        results += [
            Result(0, Became.VANISHED, " ".join((what, *name)).strip(), old=text["unit_price"])
            for name, text in old.items()
        ]
        for result in results:
            self.tally.add(result)
        return any(result.became != Became.UNCHANGED for result in results)

    def _write(self, drafts: list[Draft]) -> None:
        contracts = Contract.objects.bulk_create(
            Contract(
                account=d.account,
                code=d.code,
                number=d.number,
                valid_from=d.head.valid_from,
                valid_to=d.head.valid_to,
                term_months=d.head.term_months,
            )
            for d in drafts
        )
        self.made += [contract.pk for contract in contracts]
        pairs = list(zip(contracts, drafts, strict=True))
        ContractDiscount.objects.bulk_create(
            ContractDiscount(contract=contract, position=position, kind=kind, value=value)
            for contract, draft in pairs
            for position, (kind, value) in enumerate(draft.head.discounts, start=1)
        )
        named = KnownProducts.of({c for d in drafts for c in d.head.products}, matched=False).ids
        ContractCommitment.objects.bulk_create(
            ContractCommitment(contract=contract, **_commitment(each, named))
            for contract, draft in pairs
            for each in draft.head.commitments
        )
        ContractPool.objects.bulk_create(
            ContractPool(contract=contract, **_with_product(each, named))
            for contract, draft in pairs
            for each in draft.head.pools
        )
        ContractPrice.objects.bulk_create(
            _price(contract, charge) for contract, draft in pairs for charge in draft.charges
        )


def charges_of(contract: Contract) -> dict[Name, dict[str, str]]:
    """The charges of a stored contract as cells, by what names them."""
    return {
        (price.product.code, price.key, cells.document_text(price.match)): {
            "product": price.product.code,
            **columns_of(vars(price)),
        }
        for price in contract.prices.all()
    }


def _price(contract: Contract, charge: Charge) -> ContractPrice:
    stored = {name: getattr(charge.shape, name) for name in charge.shape.__dataclass_fields__}
    return ContractPrice(
        contract=contract,
        product_id=charge.product,
        key=charge.key,
        unit_price=charge.price,
        match=charge.match,
        **stored,
    )


def _commitment(each: dict[str, Any], named: dict[str, int]) -> dict[str, Any]:
    values = _with_product(each, named)
    length = cells.interval(values.pop("interval"))
    return values | {"interval_unit": length.unit.value, "interval_count": length.count}


def _with_product(each: dict[str, Any], named: dict[str, int]) -> dict[str, Any]:
    values = dict(each)
    code = values.pop("product", None)
    return values | ({"product_id": named[code]} if code else {})
