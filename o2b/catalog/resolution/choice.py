"""Choose the source that prices one line, and say why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.models import (
    Contract,
    ContractCommitment,
    Price,
    PriceBook,
    PriceBookVersion,
    ProductVersion,
)
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.resolution.matching import fitting, for_version
from o2b.catalog.resolution.sources import Sources
from o2b.catalog.resolution.stored import charge_terms
from o2b.catalog.rules.faults import gettext_noop
from o2b.charging.models.matrix import Ambiguous
from o2b.charging.terms import ChargeTerms, Kind, plain
from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.periods import Interval

NO_PRICE = "no price"
# In the order in which they answer, after the contract.
BOOKS = {
    "account": gettext_noop("the account's own book"),
    "segment": gettext_noop("the segment's book"),
    "default": gettext_noop("the default book"),
}


class NoPrice(Invalid):
    """Neither the contract nor a book has a price for the product."""

    code = "no_price"


class PriceBroken(Invalid):
    """A stored price that could not be billed as it stands."""

    code = "price_broken"


class MaximumOverLines(Invalid):
    """A contract's maximum would have to be shared by several lines."""

    code = "maximum_over_lines"


@dataclass(frozen=True, slots=True)
class Choice:
    """The charges that won, the book they stand in (none for a contract's own), and why.

    `discount_limit` is the largest discount, in percent, that a rep may give on them.
    """

    charges: list[ChargeTerms]
    book_version: PriceBookVersion | None
    why: list[dict[str, object]]
    discount_limit: Decimal | None = None
    committed: bool = False


def choose(
    version: ProductVersion,
    *,
    account: Account,
    sources: Sources,
    field: str,
    characteristics: Mapping[str, Any],
    spent: set[int],
) -> Choice:
    """The best source for a product version; raises NoPrice naming the field.

    `spent` are the commitments that earlier lines carry; those of this line are added.
    """
    why: list[dict[str, object]] = []
    try:
        won = _first(version, account, sources, characteristics, why)
    except Ambiguous as exc:
        raise PriceBroken(f"{version}: {exc}", field=field) from exc
    if won is None:
        raise _no_price(version, account, characteristics, why, field)
    chosen, from_book = won
    conventions = sources.conventions.get(account.legal_entity_id, "")
    try:
        charges = [charge_terms(row, account.currency, conventions) for row in chosen]
        contract = sources.contracts.get(account.pk)
        bound = with_commitments(charges, contract, version.product_id, sources, why, spent)
    except ValueError as exc:  # TermsInvalid, or an interval that nobody knows
        raise PriceBroken(f"{version}: {exc}", field=field) from exc
    except MaximumOverLines as exc:
        exc.field = field
        raise
    return Choice(bound, from_book, why, limit_of(chosen), committed=bound != charges)


def _first(
    version: ProductVersion,
    account: Account,
    sources: Sources,
    characteristics: Mapping[str, Any],
    why: list[dict[str, object]],
) -> tuple[Sequence[ChargeShape], PriceBookVersion | None] | None:
    """The rows of the best source that has any for the line, and its book; told in `why`."""
    product = version.product_id
    won: tuple[Sequence[ChargeShape], PriceBookVersion | None] | None = None
    if contract := sources.contracts.get(account.pk):
        own = sources.negotiated.get((contract.pk, product), ())
        rows, reason = rows_for(own, version, characteristics)
        why.append(_told(f"contract {contract}", bool(rows), reason or "a price of its own"))
        won = (rows, None) if rows else None
    for book_version in sources.books_of(account):
        if won:
            why.append(_told(f"book {book_version}", False, "ranks lower"))
            continue
        listed = sources.listed.get((book_version.pk, product), ())
        rows, reason = rows_for(listed, version, characteristics)
        rank = BOOKS[level_of(book_version.book)]
        why.append(_told(f"book {book_version}", bool(rows), reason or rank))
        won = (rows, book_version) if rows else None
    return won


def level_of(book: PriceBook) -> str:
    """For whom a book answers: an account, else everybody, else a segment."""
    if book.account_id is not None:
        return "account"
    return "default" if book.is_default else "segment"


def rows_for(
    stored: Sequence[ChargeShape], version: ProductVersion, characteristics: Mapping[str, Any]
) -> tuple[list[ChargeShape], str]:
    """The rows of one source that price the line, or none and the reason."""
    rows = for_version(stored, version.number)
    if not rows:
        return [], NO_PRICE
    found = fitting(rows, characteristics)
    if found is None:
        return [], f"no cell for {words_of(characteristics)}"
    return found, ""


def words_of(characteristics: Mapping[str, Any]) -> str:
    """Characteristics in a sentence, in the order of their names."""
    told = (f"{name} {value}"[:80] for name, value in sorted(characteristics.items()))
    return ", ".join(told)[:400] or "no characteristics"


def limit_of(rows: Sequence[ChargeShape]) -> Decimal | None:
    """The strictest limit of the rows: a rep's discount comes off every charge alike."""
    limits = [row.discount_limit for row in rows if isinstance(row, Price)]
    return min((limit for limit in limits if limit is not None), default=None)


def with_commitments(
    charges: list[ChargeTerms],
    contract: Contract | None,
    product: int,
    sources: Sources,
    why: list[dict[str, object]],
    spent: set[int],
) -> list[ChargeTerms]:
    """The charges, bounded by what the contract commits the product to; says what it left out.

    A contract commits the account once. A minimum stands on the first line that can carry it, like
    a fixed discount: the lines after it add to what is billed. A maximum cannot be left to one
    line, for those after it would go beyond it: a second line is refused.
    """
    bound = charges
    for commitment in sources.commitments.get(contract.pk, ()) if contract else ():
        if commitment.product_id not in (None, product):
            continue
        at = _carrier(bound, commitment)
        said = f"{commitment.get_kind_display()} {plain(commitment.amount)}"
        if commitment.product_id is None:
            reason = f"{said} for the whole account: recorded, not part of a line's price"
        elif at is None:
            reason = f"{said}: no charge of that rhythm"
        elif commitment.pk in spent:
            if commitment.kind == ContractCommitment.Kind.MAXIMUM:
                message = _(
                    "Contract %(contract)s bills at most %(amount)s for all of it together: "
                    "order the whole quantity on one line."
                )
                told = {"contract": contract, "amount": plain(commitment.amount)}
                raise MaximumOverLines(message % told)
            at, reason = None, f"{said} a period: an earlier line carries it"
        else:
            spent.add(commitment.pk)
            reason = f"{said} a period of {bound[at].key}"
            bounded = replace(bound[at], **{commitment.kind: commitment.amount})  # type: ignore[arg-type]
            bound = [*bound[:at], bounded, *bound[at + 1 :]]
        why.append(_told(f"contract {contract}", at is not None, reason))
    return bound


def _carrier(charges: Sequence[ChargeTerms], commitment: ContractCommitment) -> int | None:
    """Which charge a commitment bounds: the one it names, or else the first of its interval."""
    if commitment.product_id is None:
        return None
    interval = Interval(commitment.interval_unit, commitment.interval_count)  # type: ignore[arg-type]
    for i, charge in enumerate(charges):
        named = commitment.key in ("", charge.key)
        if named and charge.kind is not Kind.ONE_TIME and charge.interval == interval:
            return i
    return None


def _no_price(
    version: ProductVersion,
    account: Account,
    characteristics: Mapping[str, Any],
    why: list[dict[str, object]],
    field: str,
) -> NoPrice:
    if any(str(each["reason"]).startswith("no cell") for each in why):
        told = f"{version} has no price in {account.currency} for {words_of(characteristics)}"
        return NoPrice(told, field=field, why=why)
    told = f"{version} has no price in {account.currency}: publish a book that prices it"
    return NoPrice(told, field=field, why=why)


def _told(source: str, won: bool, reason: str) -> dict[str, object]:
    return {"source": source, "won": won, "reason": reason}
